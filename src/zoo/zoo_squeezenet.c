/* zoo_squeezenet.c: SqueezeNet (Iandola et al. 2016), 1.0 and 1.1, as torchvision has them. */
#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { VERSION, INPUT, CLASSES };

static map relu_conv(builder *b, map x, int64_t k, int64_t kernel) {
  return sloe_zoo_add_conv(b, x,
                           (sloe_zoo_conv){.k = k, .kernel = kernel, .act = SLOE_SPEC_ACT_RELU});
}

/* Squeezed to `k`, then half of it by 1x1 and half by 3x3, each of four times as many. */
static map fire(builder *b, map x, int64_t k) {
  const map s = relu_conv(b, x, k, 1);
  const map parts[] = {relu_conv(b, s, 4 * k, 1), relu_conv(b, s, 4 * k, 3)};
  return sloe_zoo_add_concat(b, parts, 2);
}

static map pool(builder *b, map x) {
  return sloe_zoo_add_pool_of(b, x, (sloe_zoo_pool){SLOE_OP_MAX_POOL, 3, 2, 0, 1});
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  static const int64_t squeezed[] = {16, 16, 32, 32, 48, 48, 64, 64};
  const int newer = call->v[VERSION].whole == 1;
  map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  x = sloe_zoo_add_conv(b, x,
                        (sloe_zoo_conv){.k = newer ? 64 : 96,
                                        .kernel = newer ? 3 : 7,
                                        .stride = 2,
                                        .pad = SLOE_ZOO_NO_PAD,
                                        .act = SLOE_SPEC_ACT_RELU});
  x = pool(b, x);
  for (int i = 0; i < 8; i++) {
    if (newer ? i == 2 || i == 4 : i == 3 || i == 7) x = pool(b, x);
    x = fire(b, x, squeezed[i]);
  }
  x = relu_conv(b, x, call->v[CLASSES].whole, 1);
  x = sloe_zoo_add_global_pool(b, x);
  x.t = sloe_zoo_node(b, SLOE_OP_FLATTEN, &x.t, 1, NULL, 0);
  return sloe_zoo_end(b, x);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "version",
     .doc = "1.1 pools earlier",
     .takes = SLOE_ZOO_WORD,
     .fallback = "1.1",
     .words = "1.0|1.1"},
    SLOE_ZOO_KEY_INPUT("224", 32, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_squeezenet = {
    {"squeezenet", "SqueezeNet (Iandola et al. 2016)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)}, build, 0};
