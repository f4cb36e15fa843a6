/* zoo_googlenet.c: GoogLeNet (Szegedy et al. 2015). torchvision's normalises and has a 3x3 where
 * the paper has a 5x5; Caffe's (bvlc_googlenet) has biases, the 5x5 and local normalisation. */
#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { FLAVOUR, INPUT, CLASSES };
enum { TORCH, CAFFE };

/* Filters of an inception block: 1x1; 3x3 and the 1x1 before; 5x5 and the 1x1 before; the 1x1
   behind the pool. */
typedef struct block {
  int64_t one, before3, three, before5, five, pooled;
} block;

static map conv(builder *b, map x, int64_t k, int64_t kernel, int64_t stride, int caffe) {
  return sloe_zoo_add_conv(
      b, x,
      (sloe_zoo_conv){
          .k = k, .kernel = kernel, .stride = stride, .norm = !caffe, .act = SLOE_SPEC_ACT_RELU});
}

static map pool(builder *b, map x, int64_t kernel) {
  return sloe_zoo_add_pool_of(b, x, (sloe_zoo_pool){SLOE_OP_MAX_POOL, kernel, 2, 0, 1});
}

static map inception(builder *b, map x, const block *k, int caffe) {
  const map first = conv(b, x, k->one, 1, 1, caffe);
  const map second = conv(b, conv(b, x, k->before3, 1, 1, caffe), k->three, 3, 1, caffe);
  const map third = conv(b, conv(b, x, k->before5, 1, 1, caffe), k->five, caffe ? 5 : 3, 1, caffe);
  const map pooled = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 1, 1);
  const map parts[] = {first, second, third, conv(b, pooled, k->pooled, 1, 1, caffe)};
  return sloe_zoo_add_concat(b, parts, 4);
}

static map stem(builder *b, map x, int caffe) {
  x = pool(b, conv(b, x, 64, 7, 2, caffe), 3);
  if (caffe) x = sloe_zoo_add_lrn(b, x, 5);
  x = conv(b, conv(b, x, 64, 1, 1, caffe), 192, 3, 1, caffe);
  if (caffe) x = sloe_zoo_add_lrn(b, x, 5);
  return pool(b, x, 3);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  static const block blocks[] = {
      {64, 96, 128, 16, 32, 32},     {128, 128, 192, 32, 96, 64},   {192, 96, 208, 16, 48, 64},
      {160, 112, 224, 24, 64, 64},   {128, 128, 256, 24, 64, 64},   {112, 144, 288, 32, 64, 64},
      {256, 160, 320, 32, 128, 128}, {256, 160, 320, 32, 128, 128}, {384, 192, 384, 48, 128, 128}};
  const int caffe = call->v[FLAVOUR].whole == CAFFE;
  map x = stem(b, sloe_zoo_begin(b, call, &call->v[INPUT]), caffe);
  for (int i = 0; i < 9; i++) {
    if (i == 2 || i == 7) x = pool(b, x, i == 2 || caffe ? 3 : 2);
    x = inception(b, x, &blocks[i], caffe);
  }
  return sloe_zoo_end_mean_fc(b, x, call->v[CLASSES].whole);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "flavour",
     .doc = "torch: torchvision's; caffe: bvlc_googlenet, as in the paper",
     .takes = SLOE_ZOO_WORD,
     .fallback = "torch",
     .words = "torch|caffe"},
    SLOE_ZOO_KEY_INPUT("224", 32, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_googlenet = {
    {"googlenet", "GoogLeNet (Szegedy et al. 2015), without the auxiliary classifiers", KEYS,
     SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
