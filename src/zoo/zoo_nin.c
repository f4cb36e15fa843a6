/* zoo_nin.c: Network in Network (Lin et al. 2014), for ImageNet as in Caffe's model zoo. */
#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { INPUT, CLASSES };

/* A convolution and two 1x1 behind it, the last of `last` filters. */
static map mlpconv(builder *b, map x, sloe_zoo_conv conv, int64_t last) {
  conv.act = SLOE_SPEC_ACT_RELU;
  x = sloe_zoo_add_conv(b, x, conv);
  x = sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = conv.k, .act = SLOE_SPEC_ACT_RELU});
  return sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = last, .act = SLOE_SPEC_ACT_RELU});
}

static map pool(builder *b, map x) {
  return sloe_zoo_add_pool_of(b, x, (sloe_zoo_pool){SLOE_OP_MAX_POOL, 3, 2, 0, 1});
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  const sloe_zoo_conv first = {.k = 96, .kernel = 11, .stride = 4, .pad = SLOE_ZOO_NO_PAD};
  x = pool(b, mlpconv(b, x, first, 96));
  x = pool(b, mlpconv(b, x, (sloe_zoo_conv){.k = 256, .kernel = 5}, 256));
  x = pool(b, mlpconv(b, x, (sloe_zoo_conv){.k = 384, .kernel = 3}, 384));
  x = mlpconv(b, x, (sloe_zoo_conv){.k = 1024, .kernel = 3}, call->v[CLASSES].whole);
  x = sloe_zoo_add_global_pool(b, x);
  x.t = sloe_zoo_node(b, SLOE_OP_SOFTMAX, &x.t, 1, (sloe_attr[]){sloe_zoo_attr_int("axis", 1)}, 1);
  x.t = sloe_zoo_node(b, SLOE_OP_FLATTEN, &x.t, 1, NULL, 0);
  return sloe_zoo_end(b, x);
}

static const sloe_zoo_key KEYS[] = {
    SLOE_ZOO_KEY_INPUT("224", 67, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_nin = {
    {"nin", "Network in Network for ImageNet (Lin et al. 2014)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
