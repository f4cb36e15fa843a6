/* zoo_xception.c: Xception (Chollet 2017), as in timm's legacy_xception and in Keras,
 * which pads its pools as TensorFlow does. */
#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { FLAVOUR, INPUT, CLASSES };

static map conv(builder *b, map x, int64_t k, int64_t kernel, int64_t stride, sloe_spec_act act) {
  return sloe_zoo_add_conv(b, x,
                           (sloe_zoo_conv){.k = k,
                                           .kernel = kernel,
                                           .stride = stride,
                                           .pad = kernel > 1 ? SLOE_ZOO_NO_PAD : 0,
                                           .norm = 1,
                                           .act = act});
}

static map separable(builder *b, map x, int64_t k) {
  x = sloe_zoo_add_conv(
      b, x, (sloe_zoo_conv){.k = x.c, .kernel = 3, .groups = x.c, .bias = SLOE_ZOO_NO_BIAS});
  return sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = k, .norm = 1});
}

/* Two separable convolutions and a pool; the first reads what is activated already, or not. */
static map halving(builder *b, map x, int64_t middle, int64_t k, int activate, int64_t pad) {
  map y = activate ? sloe_zoo_add_act(b, x, SLOE_SPEC_ACT_RELU) : x;
  y = separable(b, y, middle);
  y = separable(b, sloe_zoo_add_act(b, y, SLOE_SPEC_ACT_RELU), k);
  y = sloe_zoo_add_pool(b, y, SLOE_OP_MAX_POOL, 3, 2, pad);
  return sloe_zoo_add_binary(b, SLOE_OP_ADD, y, conv(b, x, k, 1, 2, SLOE_SPEC_ACT_NONE));
}

static map middle(builder *b, map x) {
  map y = x;
  for (int i = 0; i < 3; i++) y = separable(b, sloe_zoo_add_act(b, y, SLOE_SPEC_ACT_RELU), x.c);
  return sloe_zoo_add_binary(b, SLOE_OP_ADD, y, x);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  const int64_t pad = call->v[FLAVOUR].whole == SLOE_ZOO_KERAS ? SLOE_ZOO_PAD_SAME : 1;
  map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  x = conv(b, x, 32, 3, 2, SLOE_SPEC_ACT_RELU);
  x = conv(b, x, 64, 3, 1, SLOE_SPEC_ACT_RELU);
  x = halving(b, x, 128, 128, 0, pad);
  x = halving(b, x, 256, 256, 1, pad);
  x = halving(b, x, 728, 728, 1, pad);
  for (int i = 0; i < 8; i++) x = middle(b, x);
  x = halving(b, x, 728, 1024, 1, pad);
  x = sloe_zoo_add_act(b, separable(b, x, 1536), SLOE_SPEC_ACT_RELU);
  x = sloe_zoo_add_act(b, separable(b, x, 2048), SLOE_SPEC_ACT_RELU);
  return sloe_zoo_end_mean_fc(b, x, call->v[CLASSES].whole);
}

static const sloe_zoo_key KEYS[] = {
    SLOE_ZOO_KEY_FLAVOUR("torch: timm; keras: Keras, which pads pools at the end"),
    SLOE_ZOO_KEY_INPUT("299", 16, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_xception = {
    {"xception", "Xception (Chollet 2017)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)}, build, 0};
