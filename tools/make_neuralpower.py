#!/usr/bin/python3
"""Write data/layers/neuralpower.csv: the layer set of NeuralPower.

    tools/make_neuralpower.py [FILE]      without FILE: stdout

Every convolution, pooling and fully connected layer of eight networks, as their Caffe models have
them (data/layers/README.md says where each is from). A network is a list of its layers; sizes are
followed from the input. Nothing of this was measured.
"""
import csv
import sys

RELU = "relu"


def caffe_pool_size(size, kernel, stride, pad):
    """Rounded up; the last window must begin inside the image or the padding before it."""
    out = -(-(size + 2 * pad - kernel) // stride) + 1
    return out - 1 if pad and (out - 1) * stride >= size + pad else out


class Network:
    def __init__(self, name, channels, height, width):
        self.name, self.rows = name, []
        self.at = (channels, height, width)

    def add(self, layer, op, keys):
        """`keys` are (name, value, default); a spec leaves defaults out."""
        text = "".join(f",{key}={value}" for key, value, default in keys if value != default)
        self.rows.append((f"zoo:layer,op={op}{text}", self.name, layer))

    def image(self):
        c, h, w = self.at
        return [("c", c, 1), ("h", h, 1), ("w", w, 1)]

    @staticmethod
    def pair(height, width):
        return height if height == width else f"{height}x{width}"

    def conv(self, layer, k, kernel=1, stride=1, pad=0, groups=1, act=RELU):
        c, h, w = self.at
        self.add(layer, "conv", self.image() + [
            ("k", k, c), ("kernel", kernel, 1), ("stride", stride, 1),
            ("pad", pad, (kernel - 1) // 2), ("groups", groups, 1), ("act", act, None)])
        self.at = (k,) + tuple((x + 2 * pad - kernel) // stride + 1 for x in (h, w))
        return self

    def pool(self, layer, kernel, stride, pad=0, op="maxpool"):
        c, h, w = self.at
        out = [caffe_pool_size(x, kernel, stride, pad) for x in (h, w)]
        plain = [(x + 2 * pad - kernel) // stride + 1 for x in (h, w)]
        self.add(layer, op, self.image() + [
            ("kernel", kernel, 1), ("stride", stride, 1), ("pad", pad, (kernel - 1) // 2),
            ("out", self.pair(*out), self.pair(*plain))])
        self.at = (c, *out)
        return self

    def fc(self, layer, k, act=RELU, n=1):
        c = self.at[0] * self.at[1] * self.at[2]
        self.add(layer, "fc", [("n", n, 1), ("c", c, 1), ("k", k, c), ("act", act, None)])
        self.at = (k, 1, 1)
        return self


def alexnet(name):
    """CaffeNet has the same convolutions, pools and products: it pools before it normalises."""
    net = Network(name, 3, 227, 227)
    net.conv("conv1", 96, 11, 4).pool("pool1", 3, 2)
    net.conv("conv2", 256, 5, pad=2, groups=2).pool("pool2", 3, 2)
    net.conv("conv3", 384, 3, pad=1).conv("conv4", 384, 3, pad=1, groups=2)
    net.conv("conv5", 256, 3, pad=1, groups=2).pool("pool5", 3, 2)
    return net.fc("fc6", 4096).fc("fc7", 4096).fc("fc8", 1000, act=None)


def vgg_convs(net, convs, last_pool=True):
    for stage, (count, k) in enumerate(zip(convs, (64, 128, 256, 512, 512)), 1):
        for i in range(1, count + 1):
            net.conv(f"conv{stage}_{i}", k, 3, pad=1)
        if stage < 5 or last_pool:
            net.pool(f"pool{stage}", 2, 2)
    return net


def vgg(name, convs):
    net = vgg_convs(Network(name, 3, 224, 224), convs)
    return net.fc("fc6", 4096).fc("fc7", 4096).fc("fc8", 1000, act=None)


def nin():
    net = Network("NiN", 3, 224, 224)
    net.conv("conv1", 96, 11, 4).conv("cccp1", 96).conv("cccp2", 96).pool("pool0", 3, 2)
    net.conv("conv2", 256, 5, pad=2).conv("cccp3", 256).conv("cccp4", 256).pool("pool2", 3, 2)
    net.conv("conv3", 384, 3, pad=1).conv("cccp5", 384).conv("cccp6", 384).pool("pool3", 3, 2)
    net.conv("conv4-1024", 1024, 3, pad=1).conv("cccp7-1024", 1024).conv("cccp8-1024", 1000)
    return net.pool("pool4", 6, 1, op="avgpool")


def inception(net, name, one, reduce3, three, reduce5, five, proj):
    start = net.at
    net.conv(f"{name}/1x1", one)
    net.at = start
    net.conv(f"{name}/3x3_reduce", reduce3).conv(f"{name}/3x3", three, 3, pad=1)
    net.at = start
    net.conv(f"{name}/5x5_reduce", reduce5).conv(f"{name}/5x5", five, 5, pad=2)
    net.at = start
    net.pool(f"{name}/pool", 3, 1, pad=1).conv(f"{name}/pool_proj", proj)
    net.at = (one + three + five + proj,) + start[1:]


def googlenet():
    net = Network("GoogLeNet", 3, 224, 224)
    net.conv("conv1/7x7_s2", 64, 7, 2, pad=3).pool("pool1/3x3_s2", 3, 2)
    net.conv("conv2/3x3_reduce", 64).conv("conv2/3x3", 192, 3, pad=1).pool("pool2/3x3_s2", 3, 2)
    inception(net, "inception_3a", 64, 96, 128, 16, 32, 32)
    inception(net, "inception_3b", 128, 128, 192, 32, 96, 64)
    net.pool("pool3/3x3_s2", 3, 2)
    inception(net, "inception_4a", 192, 96, 208, 16, 48, 64)
    inception(net, "inception_4b", 160, 112, 224, 24, 64, 64)
    inception(net, "inception_4c", 128, 128, 256, 24, 64, 64)
    inception(net, "inception_4d", 112, 144, 288, 32, 64, 64)
    inception(net, "inception_4e", 256, 160, 320, 32, 128, 128)
    net.pool("pool4/3x3_s2", 3, 2)
    inception(net, "inception_5a", 256, 160, 320, 32, 128, 128)
    inception(net, "inception_5b", 384, 192, 384, 48, 128, 128)
    net.pool("pool5/7x7_s1", 7, 1, op="avgpool")
    return net.fc("loss3/classifier", 1000, act=None)


def overfeat():
    net = Network("Overfeat", 3, 231, 231)
    net.conv("conv1", 96, 11, 4).pool("pool1", 2, 2)
    net.conv("conv2", 256, 5).pool("pool2", 2, 2)
    net.conv("conv3", 512, 3, pad=1).conv("conv4", 1024, 3, pad=1)
    net.conv("conv5", 1024, 3, pad=1).pool("pool5", 2, 2)
    return net.fc("fc6", 3072).fc("fc7", 4096).fc("fc8", 1000, act=None)


def faster_rcnn():
    """VGG16's convolutions on 600 x 800, 9 anchors, 300 regions of 7 x 7, 21 classes."""
    net = vgg_convs(Network("Faster R-CNN", 3, 600, 800), (2, 2, 3, 3, 3), last_pool=False)
    features = net.at
    net.conv("rpn_conv/3x3", 512, 3, pad=1)
    hidden = net.at
    net.conv("rpn_cls_score", 2 * 9, act=None)
    net.at = hidden
    net.conv("rpn_bbox_pred", 4 * 9, act=None)
    net.at = (features[0], 7, 7)
    net.fc("fc6", 4096, n=300).fc("fc7", 4096, n=300)
    pooled = net.at
    net.fc("cls_score", 21, act=None, n=300)
    net.at = pooled
    return net.fc("bbox_pred", 4 * 21, act=None, n=300)


def main():
    networks = [alexnet("AlexNet"), alexnet("CaffeNet"), vgg("VGG16", (2, 2, 3, 3, 3)),
                vgg("VGG19", (2, 2, 4, 4, 4)), nin(), googlenet(), overfeat(), faster_rcnn()]
    out = open(sys.argv[1], "w", newline="") if len(sys.argv) > 1 else sys.stdout
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["net", "network", "layer"])
    for net in networks:
        table.writerows(net.rows)


if __name__ == "__main__":
    main()
