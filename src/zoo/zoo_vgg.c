/* zoo_vgg.c: VGG (Simonyan and Zisserman 2015), as torchvision has it, or Keras, whose first
 * fully connected layer reads whatever size is left. */
#include "zoo/zoo_family.h"

enum { DEPTH, BN, FLAVOUR, INPUT, CLASSES };

static sloe_status build(sloe_zoo_builder *b, const sloe_zoo_call *call) {
  static const int64_t convs[4][5] = {
      {1, 1, 2, 2, 2}, {2, 2, 2, 2, 2}, {2, 2, 3, 3, 3}, {2, 2, 4, 4, 4}};
  static const int64_t widths[] = {64, 128, 256, 512, 512};
  sloe_zoo_map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  for (int stage = 0; stage < 5; stage++) {
    for (int64_t i = 0; i < convs[call->v[DEPTH].whole][stage]; i++)
      x = sloe_zoo_add_conv(b, x,
                            (sloe_zoo_conv){.k = widths[stage],
                                            .kernel = 3,
                                            .norm = call->v[BN].whole == 1,
                                            .bias = SLOE_ZOO_BIAS,
                                            .act = SLOE_SPEC_ACT_RELU});
    x = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 2, 2, 0);
  }
  if (call->v[FLAVOUR].whole == SLOE_ZOO_TORCH) x = sloe_zoo_add_fitted_pool(b, x, 7);
  x = sloe_zoo_add_fc(b, x, 4096, SLOE_SPEC_ACT_RELU);
  x = sloe_zoo_add_fc(b, x, 4096, SLOE_SPEC_ACT_RELU);
  return sloe_zoo_end(b, sloe_zoo_add_fc(b, x, call->v[CLASSES].whole, SLOE_SPEC_ACT_NONE));
}

static const sloe_zoo_key KEYS[] = {
    {.name = "depth",
     .doc = "layers with weights",
     .takes = SLOE_ZOO_WORD,
     .fallback = "16",
     .words = "11|13|16|19"},
    {.name = "bn", .doc = "1: each convolution is normalised", .fallback = "0", .most = 1},
    SLOE_ZOO_KEY_FLAVOUR(
        "torch: torchvision, maps are averaged to 7x7; keras: Keras, they are not"),
    SLOE_ZOO_KEY_INPUT("224", 32, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_vgg = {
    {"vgg", "VGG (Simonyan and Zisserman 2015)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)}, build, 0};
