/* zoo_cifar6conv.c: CIFAR10-6conv, one of the networks of NeuralPower (Cai et al. 2017). The paper
 * gives no sizes; these are of the usual kind: three pairs of 3x3 convolutions, each with a pool.
 */
#include "zoo/zoo_family.h"

enum { FILTERS, UNITS, INPUT, CLASSES };

static sloe_status build(sloe_zoo_builder *b, const sloe_zoo_call *call) {
  sloe_zoo_map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  for (int64_t i = 0, k = call->v[FILTERS].whole; i < 3; i++, k *= 2) {
    const sloe_zoo_conv conv = {.k = k, .kernel = 3, .act = SLOE_SPEC_ACT_RELU};
    x = sloe_zoo_add_conv(b, sloe_zoo_add_conv(b, x, conv), conv);
    x = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 2, 2, 0);
  }
  x = sloe_zoo_add_fc(b, x, call->v[UNITS].whole, SLOE_SPEC_ACT_RELU);
  return sloe_zoo_end(b, sloe_zoo_add_fc(b, x, call->v[CLASSES].whole, SLOE_SPEC_ACT_NONE));
}

static const sloe_zoo_key KEYS[] = {
    {.name = "filters", .doc = "of the first pair", .fallback = "32", .least = 1, .most = 4096},
    {.name = "units", .doc = "of the first fc", .fallback = "512", .least = 1, .most = 65536},
    SLOE_ZOO_KEY_INPUT("32", 8, 4096),
    SLOE_ZOO_KEY_CLASSES("10"),
};

const sloe_zoo_entry sloe_zoo_family_cifar6conv = {
    {"cifar6conv", "six convolutions for CIFAR-10, after NeuralPower (Cai et al. 2017)", KEYS,
     SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
