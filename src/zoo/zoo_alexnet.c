/* zoo_alexnet.c: AlexNet: torchvision's (Krizhevsky 2014, one column) and Caffe's (Krizhevsky et
 * al. 2012, two groups; bvlc_alexnet). */
#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { FLAVOUR, INPUT, CLASSES };
enum { TORCH, CAFFE };

static map conv(builder *b, map x, int64_t k, int64_t kernel, int64_t groups) {
  return sloe_zoo_add_conv(
      b, x, (sloe_zoo_conv){.k = k, .kernel = kernel, .groups = groups, .act = SLOE_SPEC_ACT_RELU});
}

static map first(builder *b, map x, int64_t k, int64_t pad) {
  return sloe_zoo_add_conv(
      b, x,
      (sloe_zoo_conv){.k = k, .kernel = 11, .stride = 4, .pad = pad, .act = SLOE_SPEC_ACT_RELU});
}

static map pool(builder *b, map x) {
  return sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 2, 0);
}

static map torch_convs(builder *b, map x) {
  x = pool(b, first(b, x, 64, 2));
  x = pool(b, conv(b, x, 192, 5, 1));
  x = conv(b, x, 384, 3, 1);
  x = conv(b, x, 256, 3, 1);
  x = conv(b, x, 256, 3, 1);
  return sloe_zoo_add_fitted_pool(b, pool(b, x), 6);
}

static map caffe_convs(builder *b, map x) {
  x = pool(b, sloe_zoo_add_lrn(b, first(b, x, 96, SLOE_ZOO_NO_PAD), 5));
  x = pool(b, sloe_zoo_add_lrn(b, conv(b, x, 256, 5, 2), 5));
  x = conv(b, x, 384, 3, 1);
  x = conv(b, x, 384, 3, 2);
  return pool(b, conv(b, x, 256, 3, 2));
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  const int64_t flavour = call->v[FLAVOUR].whole;
  sloe_zoo_value image = call->v[INPUT];
  sloe_zoo_default_image(&image, flavour == CAFFE ? 227 : 224);
  map x = sloe_zoo_begin(b, call, &image);
  x = flavour == CAFFE ? caffe_convs(b, x) : torch_convs(b, x);
  x = sloe_zoo_add_fc(b, x, 4096, SLOE_SPEC_ACT_RELU);
  x = sloe_zoo_add_fc(b, x, 4096, SLOE_SPEC_ACT_RELU);
  x = sloe_zoo_add_fc(b, x, call->v[CLASSES].whole, SLOE_SPEC_ACT_NONE);
  if (flavour == CAFFE) x.t = sloe_zoo_node(b, SLOE_OP_SOFTMAX, &x.t, 1, NULL, 0);
  return sloe_zoo_end(b, x);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "flavour",
     .doc = "torch: torchvision's; caffe: bvlc_alexnet, with groups and local normalisation",
     .takes = SLOE_ZOO_WORD,
     .fallback = "torch",
     .words = "torch|caffe"},
    SLOE_ZOO_KEY_INPUT("", 63, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_alexnet = {
    {"alexnet", "AlexNet (Krizhevsky et al. 2012, Krizhevsky 2014)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
