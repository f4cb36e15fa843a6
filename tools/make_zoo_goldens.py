#!/usr/bin/python3
"""Write tests/data/zoo-goldens.csv: what the networks of the zoo count, from elsewhere.

    tools/make_zoo_goldens.py [FILE]      without FILE: stdout

torchvision's networks are built here and counted: parameters by PyTorch, multiply-accumulates of
convolutions and matrix products by hooks on one forward pass (Debian 12: python3-torchvision
0.14.1, PyTorch 1.13.1). The other rows are figures that were published, each with its source. A
figure with a suffix (7.71G) is rounded as it was printed.
"""
import csv
import sys

import torch
import torchvision.models as models

COLUMNS = ["net", "params", "trainable_params", "mac_flops", "conv_flops", "source"]

TORCHVISION = (
    [("alexnet", "alexnet", 224), ("googlenet", "googlenet", 224), ("inception", "inception_v3", 299),
     ("inception,input=224", "inception_v3", 224)]
    + [(f"densenet,depth={d}", f"densenet{d}", 224) for d in (121, 161, 169, 201)]
    + [(f"efficientnet,variant=b{i}", f"efficientnet_b{i}", size)
       for i, size in enumerate((224, 240, 260, 300, 380, 456, 528, 600))]
    + [(f"mnasnet,width={w}", f"mnasnet{w}".replace(".", "_"), 224) for w in (0.5, 0.75, 1.0, 1.3)]
    + [("mobilenet,version=2", "mobilenet_v2", 224)]
    + [(f"mobilenet,version=3,variant={v}", f"mobilenet_v3_{v}", 224) for v in ("large", "small")]
    + [(f"regnet,variant={v}", f"regnet_{v}".replace(".", "_"), 224)
       for v in [f"{xy}_{size}" for xy in "xy" for size in ("400mf", "800mf", "1.6gf", "3.2gf", "8gf", "16gf", "32gf")]
       + ["y_128gf"]]
    + [("regnet,depth=16,w0=48,wa=27.89,wm=2.09,group=8,se=0.25", "regnet_y_400mf", 224)]
    + [(f"resnet,depth={d}", f"resnet{d}", 224) for d in (18, 34, 50, 101, 152)]
    + [("resnet,depth=50,input=224x320", "resnet50", (224, 320))]
    + [(f"resnet,depth={d},width=2", f"wide_resnet{d}_2", 224) for d in (50, 101)]
    + [("resnext,depth=50", "resnext50_32x4d", 224), ("resnext,depth=101", "resnext101_32x8d", 224),
       ("resnext,depth=101,groups=64,width=4", "resnext101_64x4d", 224)]
    + [(f"shufflenet,version=2,width={w}", f"shufflenet_v2_x{w}".replace(".", "_"), 224)
       for w in (0.5, 1.0, 1.5, 2.0)]
    + [(f"squeezenet,version={v}", f"squeezenet{v}".replace(".", "_"), 224) for v in ("1.0", "1.1")]
    + [(f"vgg,depth={d}", f"vgg{d}", 224) for d in (11, 13, 16, 19)]
    + [(f"vgg,depth={d},bn=1", f"vgg{d}_bn", 224) for d in (11, 13, 16, 19)])

KERAS = "keras.io/api/applications, Keras 2.x, all parameters"
OSMR = "osmr/imgclsmob pytorch/README.md @017fe2c"
TABLE2 = "Bouzidi et al. 2022 table 2"
MEGVII = "megvii-model/ShuffleNet-Series ShuffleNetV1/README.md @00643c6"
NB201 = "Dong and Yang 2020, NAS-Bench-201 v1.1 (parameters in MB, FLOPs are MACs)"
TIMM = "timm results/benchmark-infer-amp-nchw-pt110-cu113-rtx3090.csv @066e490"
V3 = "tensorflow/models slim/nets/mobilenet README, minimalistic"


def published():
    """(net, {column: figure}, source)"""
    everything = [("resnet,flavour=keras", 25636712), ("resnet,flavour=keras,depth=101", 44707176),
                  ("resnet,flavour=keras,depth=152", 60419944),
                  ("resnet,flavour=keras,version=2", 25613800),
                  ("resnet,flavour=keras,version=2,depth=101", 44675560),
                  ("resnet,flavour=keras,version=2,depth=152", 60380648),
                  ("vgg,flavour=keras", 138357544)]
    both = [("xception", 22910480), ("vgg,depth=19", 143667240), ("mobilenet,version=1", 4253864),
            ("mobilenet,version=2", 3538984), ("mobilenet,version=3,variant=large", 5507432),
            ("mobilenet,version=3,variant=small", 2554968), ("densenet,depth=121", 8062504),
            ("densenet,depth=169", 14307880), ("densenet,depth=201", 20242984)]
    for net, params in everything + both + [(net + ",flavour=keras", params) for net, params in both]:
        yield net, {"params": params}, KERAS
    # its Normalization counts a mean and a variance for each colour and how many images it has seen
    normalised = [5330571, 7856239, 9177569, 12320535, 19466823, 30562527, 43265143, 66658687]
    for i, params in enumerate(normalised):
        yield f"efficientnet,variant=b{i},flavour=keras", {"params": params - 7}, KERAS + ", less 7 of Normalization"
    # its normalisations have no scale there, for which ONNX has none: one a filter more here
    unscaled = [("inception", 23851784, 17216), ("inception_resnet", 55873736, 30272)]
    for net, params, scales in unscaled:
        yield net, {"params": params + scales}, KERAS + f", and {scales} scales"
    # its PreResNets have one normalisation more than timm's, behind the first convolution
    trained = [("resnext,depth=101,groups=32,width=4", 44177704),
               ("resnext,depth=101,groups=64,width=4", 83455272), ("senet,depth=50", 28088024),
               ("senet,depth=101", 49326872), ("senet,depth=152", 66821848),
               ("senet,depth=50,variant=resnext", 27559896), ("senet,depth=101,variant=resnext", 48955416),
               ("senet,depth=154", 115088984), ("dpn,variant=68", 12611602), ("dpn,variant=98", 61570728),
               ("dpn,variant=131", 79254504), ("shufflenet,version=1,groups=1,width=0.25", 209746),
               ("shufflenet,version=1,groups=3,width=0.25", 305902),
               ("shufflenet,version=1,groups=1,width=0.5", 534484),
               ("shufflenet,version=1,groups=3,width=0.5", 718324), ("mobilenet,version=1,width=0.25", 470072),
               ("mobilenet,version=1,width=0.5", 1331592), ("mobilenet,version=1,width=0.75", 2585560),
               ("mobilenet,version=1", 4231976), ("xception", 22855952), ("inception,version=3", 23834568),
               ("inception,version=4", 42679816), ("inception_resnet", 55843464)]
    for net, params in trained:
        yield net, {"trainable_params": params}, OSMR
    for net, flops in [("resnet,flavour=keras", "7.71G"), ("densenet,depth=121", "5.67G"),
                       ("dpn,variant=98", "23.34G"), ("resnet,flavour=keras,version=2,depth=101", "14.38G"),
                       ("inception,input=224", "5.67G")]:
        yield net, {"conv_flops": flops}, TABLE2
    yield "googlenet", {"mac_flops": "3.00G"}, TABLE2 + ", with the classifier"
    for groups, width, params, flops in [(3, 0.5, "0.7M", "76M"), (3, 1, "1.9M", None),
                                         (8, 0.5, "1.0M", None), (8, 1, "2.4M", None),
                                         (3, 1.5, "3.4M", None), (8, 1.5, "4.3M", None),
                                         (8, 2, "6.5M", None)]:
        yield (f"shufflenet,version=1,groups={groups},width={width}", {"trainable_params": params}, MEGVII)
    three, skip = "nor_conv_3x3", "skip_connect"
    cell = "|{0}~0|+|{0}~0|{0}~1|+|{0}~0|{0}~1|{0}~2|"
    yield f"nb201,cell={cell.format(three)}", {"trainable_params": "1.531546M", "mac_flops": 440239360}, NB201
    yield f"nb201,cell={cell.format(skip)}", {"trainable_params": "0.073306M", "mac_flops": 15566080}, NB201
    yield "mobilenet,version=3,variant=large,minimal=1", {"params": "3.9M", "mac_flops": "418M"}, V3
    yield "resnet,depth=20", {"trainable_params": 269722}, "akamaster/pytorch_resnet_cifar10; He et al. 2016 0.27M"
    for depth, params in [(32, "0.46M"), (44, "0.66M"), (56, "0.85M"), (110, "1.7M"), (1202, "19.4M")]:
        yield f"resnet,depth={depth}", {"trainable_params": params}, "He et al. 2016 table 6"
    yield "resnet,version=2,depth=164", {"trainable_params": "1.7M"}, "He et al. 2016 (identity mappings) table 4"
    caffe = [("alexnet,flavour=caffe", 60965224), ("caffenet", 60965224), ("googlenet,flavour=caffe", 6998552)]
    for net, params in caffe:
        yield net, {"params": params}, "Caffe's model zoo, bvlc_alexnet, bvlc_reference_caffenet, bvlc_googlenet"
    timm = [("mnasnet,variant=a1", "3.89M"), ("mnasnet,variant=a1,width=0.75", "2.91M"),
            ("mnasnet,width=1.4", "7.12M"), ("mobilenet,version=2,width=0.35", "1.68M"),
            ("mobilenet,version=2,width=0.5", "1.97M"), ("mobilenet,version=2,width=0.75", "2.64M"),
            ("mobilenet,version=2,width=1.4", "6.11M"), ("senet,depth=18", "11.78M"),
            ("senet,depth=34", "21.96M"), ("mobilenet,version=3,variant=large,minimal=1", "3.92M"),
            ("mobilenet,version=3,variant=small,minimal=1", "2.04M"),
            ("ghostnet,width=0.5", "2.59M"), ("ghostnet", "5.18M"), ("ghostnet,width=1.3", "7.36M"),
            ("regnet,variant=x_200mf", "2.68M"), ("regnet,variant=x_600mf", "6.20M"),
            ("regnet,variant=x_4gf", "22.12M"), ("regnet,variant=x_6.4gf", "26.21M"),
            ("regnet,variant=x_12gf", "46.11M"), ("regnet,variant=y_200mf", "3.16M"),
            ("regnet,variant=y_600mf", "6.06M"), ("regnet,variant=y_4gf", "20.65M"),
            ("regnet,variant=y_6.4gf", "30.58M"), ("regnet,variant=y_12gf", "51.82M")]
    for net, params in timm:
        yield net, {"trainable_params": params}, TIMM
    yield "nin", {"params": "7.6M"}, "Lin et al. 2014, the Caffe model's size"
    yield "overfeat,variant=fast", {"params": "146M"}, "Sermanet et al. 2014 table 4 says 145M"
    yield "faster_rcnn", {"params": "137.08M"}, "Ren et al. 2015, VGG16, PASCAL VOC"


class Counter:
    def __init__(self):
        self.flops = self.conv_flops = 0

    def conv(self, module, _, out):
        kernel = module.kernel_size[0] * module.kernel_size[1]
        flops = 2 * out.numel() * kernel * module.in_channels // module.groups
        self.flops += flops
        self.conv_flops += flops

    def linear(self, module, _, out):
        self.flops += 2 * out.numel() * module.in_features


def count(name, size):
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    if name in ("googlenet", "inception_v3"):
        extra["aux_logits"] = False
    net = getattr(models, name)(weights=None, **extra).eval()
    counter = Counter()
    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(counter.conv)
        elif isinstance(module, torch.nn.Linear):
            module.register_forward_hook(counter.linear)
    height, width = size if isinstance(size, tuple) else (size, size)
    with torch.no_grad():
        net(torch.zeros(1, 3, height, width))
    trained = sum(p.numel() for p in net.parameters())
    statistics = sum(b.numel() for n, b in net.named_buffers() if "running_" in n)
    return {"params": trained + statistics, "trainable_params": trained, "mac_flops": counter.flops,
            "conv_flops": counter.conv_flops}


def main():
    torch.set_num_threads(1)
    out = open(sys.argv[1], "w", newline="") if len(sys.argv) > 1 else sys.stdout
    table = csv.DictWriter(out, COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    for net, name, size in TORCHVISION:
        table.writerow({"net": f"zoo:{net}", "source": f"torchvision 0.14.1 {name}", **count(name, size)})
    for net, figures, source in published():
        table.writerow({"net": f"zoo:{net}", "source": source, **figures})


if __name__ == "__main__":
    main()
