/* zoo_resnet.c: ResNet. He et al., "Deep residual learning" (2016), version 1, and "Identity
 * mappings in deep residual networks" (2016), version 2; the networks for CIFAR are in
 * zoo_resnet_cifar.c, version 2 is in zoo_resnet_v2.c. */
#include "zoo/zoo_resnet.h"

enum { DEPTH, VERSION, WIDTH, FLAVOUR, INPUT, CLASSES };

/* Of the networks for CIFAR: 6n + 2 layers, or 9n + 2 of bottlenecks. */
static int has_version(int64_t depth, int64_t version) {
  if (depth == 110) return 1;
  return version == (depth == 164 || depth == 1001 ? 2 : 1);
}

static sloe_status build(sloe_zoo_builder *b, const sloe_zoo_call *call) {
  static const int64_t depths[] = {18, 34, 50, 101, 152, 200, 20, 32, 44, 56, 110, 164, 1001, 1202};
  const int64_t depth = depths[call->v[DEPTH].whole], version = call->v[VERSION].whole;
  const int64_t classes = call->v[CLASSES].whole, flavour = call->v[FLAVOUR].whole;
  int bottleneck;
  const int64_t *blocks = sloe_zoo_residual_depth(depth, &bottleneck);
  sloe_zoo_value image = call->v[INPUT];
  if (flavour && !(blocks && bottleneck)) {
    sloe_zoo_refuse(b, "resnet: flavour=keras and caffe are of depth 50, 101, 152 and 200");
    return b->status;
  }
  if (call->v[WIDTH].real != 1 && (version == 2 || !blocks || !bottleneck)) {
    sloe_zoo_refuse(b, "resnet: width is of version 1 of depth 50 and more");
    return b->status;
  }
  sloe_zoo_default_image(&image, blocks ? 224 : 32);
  const sloe_zoo_map x = sloe_zoo_begin(b, call, &image);
  if (!blocks && !has_version(depth, version))
    sloe_zoo_refuse(b, "resnet: there is no version %lld of depth %lld", (long long)version,
                    (long long)depth);
  if (!blocks)
    return sloe_zoo_put_resnet_cifar(b, x, version, depth, call->v[CLASSES].given ? classes : 10);
  if (version == 2) return sloe_zoo_put_resnet_v2(b, x, blocks, bottleneck, flavour, classes);
  const sloe_zoo_residual r = {.bottleneck = bottleneck,
                               .inner = call->v[WIDTH].real,
                               .stride_in_first = flavour != SLOE_ZOO_RESNET_TORCH,
                               .bias = flavour == SLOE_ZOO_RESNET_KERAS ? SLOE_ZOO_BIAS : 0};
  return sloe_zoo_put_residual(b, &r, x, blocks, classes);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "depth",
     .doc = "layers with weights; 18 to 200 are for ImageNet, the others for CIFAR",
     .takes = SLOE_ZOO_WORD,
     .fallback = "50",
     .words = "18|34|50|101|152|200|20|32|44|56|110|164|1001|1202"},
    {.name = "version",
     .doc = "1: activated behind the addition; 2: before each convolution",
     .fallback = "1",
     .least = 1,
     .most = 2},
    {.name = "width",
     .doc = "of the 3x3 convolutions; 2 is Wide ResNet",
     .takes = SLOE_ZOO_REAL,
     .fallback = "1",
     .least = 0.25,
     .most = 16},
    {.name = "flavour",
     .doc =
         "torch: torchvision (1), timm (2); keras: Keras; caffe: He et al.'s own, which halve in "
         "the first 1x1",
     .takes = SLOE_ZOO_WORD,
     .fallback = "torch",
     .words = "torch|keras|caffe"},
    SLOE_ZOO_KEY_INPUT("", 8, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_resnet = {
    {"resnet", "ResNet (He et al. 2016), versions 1 and 2", KEYS, SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
