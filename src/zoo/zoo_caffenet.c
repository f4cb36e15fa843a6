/* zoo_caffenet.c: CaffeNet, bvlc_reference_caffenet: AlexNet that pools before it normalises. */
#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { INPUT, CLASSES };

static map conv(builder *b, map x, int64_t k, int64_t kernel, int64_t groups) {
  return sloe_zoo_add_conv(
      b, x, (sloe_zoo_conv){.k = k, .kernel = kernel, .groups = groups, .act = SLOE_SPEC_ACT_RELU});
}

static map pool(builder *b, map x) {
  return sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 2, 0);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  x = sloe_zoo_add_conv(
      b, x,
      (sloe_zoo_conv){
          .k = 96, .kernel = 11, .stride = 4, .pad = SLOE_ZOO_NO_PAD, .act = SLOE_SPEC_ACT_RELU});
  x = sloe_zoo_add_lrn(b, pool(b, x), 5);
  x = sloe_zoo_add_lrn(b, pool(b, conv(b, x, 256, 5, 2)), 5);
  x = conv(b, x, 384, 3, 1);
  x = conv(b, x, 384, 3, 2);
  x = pool(b, conv(b, x, 256, 3, 2));
  x = sloe_zoo_add_fc(b, x, 4096, SLOE_SPEC_ACT_RELU);
  x = sloe_zoo_add_fc(b, x, 4096, SLOE_SPEC_ACT_RELU);
  x = sloe_zoo_add_fc(b, x, call->v[CLASSES].whole, SLOE_SPEC_ACT_NONE);
  x.t = sloe_zoo_node(b, SLOE_OP_SOFTMAX, &x.t, 1, NULL, 0);
  return sloe_zoo_end(b, x);
}

static const sloe_zoo_key KEYS[] = {
    SLOE_ZOO_KEY_INPUT("227", 67, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_caffenet = {
    {"caffenet", "CaffeNet, of Caffe's model zoo", KEYS, SLOE_ZOO_COUNT_OF(KEYS)}, build, 0};
