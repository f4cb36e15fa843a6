/* zoo_efficientnet.c: EfficientNet (Tan and Le 2019), as torchvision has it or, padded as
 * TensorFlow does, Keras. */
#include <math.h>

#include "zoo/zoo_inverted.h"

enum { VARIANT, WIDTH, DEPTH, FLAVOUR, INPUT, CLASSES };

static int64_t times(int64_t k, double width) {
  return sloe_zoo_divisible((double)k * width, 8);
}

static sloe_zoo_map conv(sloe_zoo_builder *b, sloe_zoo_map x, int64_t k, int64_t kernel,
                         int64_t stride, int64_t pad) {
  return sloe_zoo_add_conv(b, x,
                           (sloe_zoo_conv){.k = k,
                                           .kernel = kernel,
                                           .stride = stride,
                                           .norm = 1,
                                           .act = SLOE_SPEC_ACT_SWISH,
                                           .pad = pad});
}

static sloe_zoo_map block(sloe_zoo_builder *b, sloe_zoo_map x, int64_t expand, int64_t kernel,
                          int64_t stride, int64_t k, int64_t pad) {
  const sloe_zoo_gate gate = {x.c < 4 ? 1 : x.c / 4, SLOE_SPEC_ACT_SWISH, SLOE_SPEC_ACT_SIGMOID, 0};
  return sloe_zoo_add_inverted(b, x,
                               (sloe_zoo_inverted){.wide = x.c * expand,
                                                   .k = k,
                                                   .kernel = kernel,
                                                   .stride = stride,
                                                   .act = SLOE_SPEC_ACT_SWISH,
                                                   .gate = gate,
                                                   .pad = pad});
}

static sloe_status put(sloe_zoo_builder *b, sloe_zoo_map x, double width, double depth, int keras,
                       int64_t classes) {
  static const struct {
    int64_t expand, kernel, stride, k, n;
  } rows[] = {{1, 3, 1, 16, 1},  {6, 3, 2, 24, 2},  {6, 5, 2, 40, 2}, {6, 3, 2, 80, 3},
              {6, 5, 1, 112, 3}, {6, 5, 2, 192, 4}, {6, 3, 1, 320, 1}};
  const int64_t pad = keras ? SLOE_ZOO_PAD_SAME : 0;
  x = conv(b, x, times(32, width), 3, 2, pad);
  for (size_t i = 0; i < SLOE_ZOO_COUNT_OF(rows); i++)
    for (int64_t j = 0, n = (int64_t)ceil((double)rows[i].n * depth); j < n; j++)
      x = block(b, x, rows[i].expand, rows[i].kernel, j ? 1 : rows[i].stride,
                times(rows[i].k, width), pad);
  const int64_t last = keras ? times(1280, width) : 4 * x.c;
  return sloe_zoo_end_mean_fc(b, conv(b, x, last, 1, 1, 0), classes);
}

static sloe_status build(sloe_zoo_builder *b, const sloe_zoo_call *call) {
  static const struct {
    double width, depth;
    int64_t size;
  } scales[] = {{1.0, 1.0, 224}, {1.0, 1.1, 240}, {1.1, 1.2, 260}, {1.2, 1.4, 300},
                {1.4, 1.8, 380}, {1.6, 2.2, 456}, {1.8, 2.6, 528}, {2.0, 3.1, 600}};
  const int64_t at = call->v[VARIANT].whole;
  sloe_zoo_value image = call->v[INPUT];
  sloe_zoo_default_image(&image, scales[at].size);
  return put(b, sloe_zoo_begin(b, call, &image),
             call->v[WIDTH].given ? call->v[WIDTH].real : scales[at].width,
             call->v[DEPTH].given ? call->v[DEPTH].real : scales[at].depth,
             call->v[FLAVOUR].whole == SLOE_ZOO_KERAS, call->v[CLASSES].whole);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "variant",
     .doc = "decides width, depth and input where they are not given",
     .takes = SLOE_ZOO_WORD,
     .fallback = "b0",
     .words = "b0|b1|b2|b3|b4|b5|b6|b7"},
    {.name = "width",
     .doc = "all channels are multiplied by it",
     .takes = SLOE_ZOO_REAL,
     .fallback = "",
     .least = 0.1,
     .most = 8},
    {.name = "depth",
     .doc = "the blocks of each stage are multiplied by it",
     .takes = SLOE_ZOO_REAL,
     .fallback = "",
     .least = 0.1,
     .most = 8},
    SLOE_ZOO_KEY_FLAVOUR(
        "torch: torchvision; keras: Keras, without its layers that scale the image"),
    SLOE_ZOO_KEY_INPUT("", 16, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_efficientnet = {
    {"efficientnet", "EfficientNet (Tan and Le 2019); inputs of 224 to 600 by variant", KEYS,
     SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
