/* zoo_inception.c: Inception v3 and v4, their keys; a file for each version. */
#include "zoo/zoo_inception.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { VERSION, INPUT, CLASSES };

map sloe_zoo_add_cbr_of(builder *b, map x, int64_t k, int64_t high, int64_t wide) {
  return sloe_zoo_add_conv(
      b, x,
      (sloe_zoo_conv){.k = k, .kernel = high, .wide = wide, .norm = 1, .act = SLOE_SPEC_ACT_RELU});
}

map sloe_zoo_add_cbr(builder *b, map x, int64_t k, int64_t kernel) {
  return sloe_zoo_add_cbr_of(b, x, k, kernel, kernel);
}

map sloe_zoo_add_cbr_inside(builder *b, map x, int64_t k, int64_t stride) {
  return sloe_zoo_add_conv(b, x,
                           (sloe_zoo_conv){.k = k,
                                           .kernel = 3,
                                           .stride = stride,
                                           .pad = SLOE_ZOO_NO_PAD,
                                           .norm = 1,
                                           .act = SLOE_SPEC_ACT_RELU});
}

map sloe_zoo_add_pool_inside(builder *b, map x) {
  return sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 2, 0);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  const map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  const int64_t classes = call->v[CLASSES].whole;
  if (call->v[VERSION].whole == 4) return sloe_zoo_put_inception_v4(b, x, classes);
  return sloe_zoo_put_inception_v3(b, x, classes);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "version", .doc = "3 or 4", .fallback = "3", .least = 3, .most = 4},
    SLOE_ZOO_KEY_INPUT("299", 75, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_inception = {
    {"inception", "Inception v3 (Szegedy et al. 2016), v4 (Szegedy et al. 2017)", KEYS,
     SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
