/* zoo_inception_resnet.c: Inception-ResNet v2 (Szegedy et al. 2017), as timm and Keras have it. The
 * blocks are named after the size of their maps at 299. */
#include "zoo/zoo_inception.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { INPUT, CLASSES };

static map conv(builder *b, map x, int64_t k, int64_t kernel) {
  return sloe_zoo_add_cbr(b, x, k, kernel);
}

static map stem(builder *b, map x) {
  x = sloe_zoo_add_cbr_inside(b, x, 32, 2);
  x = sloe_zoo_add_cbr_inside(b, x, 32, 1);
  x = sloe_zoo_add_pool_inside(b, conv(b, x, 64, 3));
  x = sloe_zoo_add_cbr_inside(b, conv(b, x, 80, 1), 192, 1);
  return sloe_zoo_add_pool_inside(b, x);
}

static map mixed(builder *b, map x) {
  const map one = conv(b, x, 96, 1);
  const map five = conv(b, conv(b, x, 48, 1), 64, 5);
  const map three = conv(b, conv(b, conv(b, x, 64, 1), 96, 3), 96, 3);
  const map pool = conv(b, sloe_zoo_add_pool(b, x, SLOE_OP_AVERAGE_POOL, 3, 1, 1), 64, 1);
  return sloe_zoo_add_concat(b, (map[]){one, five, three, pool}, 4);
}

/* The branches put together, made as deep as x, scaled and added to it. */
static map residual(builder *b, map x, const map *branches, size_t n, double scale,
                    sloe_spec_act act) {
  map y = sloe_zoo_add_concat(b, branches, n);
  y = sloe_zoo_add_conv(b, y, (sloe_zoo_conv){.k = x.c});
  y = sloe_zoo_add_scaled(b, y, scale);
  return sloe_zoo_add_act(b, sloe_zoo_add_binary(b, SLOE_OP_ADD, y, x), act);
}

static map block35(builder *b, map x) {
  const map one = conv(b, x, 32, 1);
  const map three = conv(b, conv(b, x, 32, 1), 32, 3);
  const map twice = conv(b, conv(b, conv(b, x, 32, 1), 48, 3), 64, 3);
  return residual(b, x, (map[]){one, three, twice}, 3, 0.17, SLOE_SPEC_ACT_RELU);
}

static map reduction_a(builder *b, map x) {
  const map three = sloe_zoo_add_cbr_inside(b, x, 384, 2);
  const map twice = sloe_zoo_add_cbr_inside(b, conv(b, conv(b, x, 256, 1), 256, 3), 384, 2);
  return sloe_zoo_add_concat(b, (map[]){three, twice, sloe_zoo_add_pool_inside(b, x)}, 3);
}

static map block17(builder *b, map x) {
  const map one = conv(b, x, 192, 1);
  map seven = sloe_zoo_add_cbr_of(b, conv(b, x, 128, 1), 160, 1, 7);
  seven = sloe_zoo_add_cbr_of(b, seven, 192, 7, 1);
  return residual(b, x, (map[]){one, seven}, 2, 0.10, SLOE_SPEC_ACT_RELU);
}

static map reduction_b(builder *b, map x) {
  const map first = sloe_zoo_add_cbr_inside(b, conv(b, x, 256, 1), 384, 2);
  const map second = sloe_zoo_add_cbr_inside(b, conv(b, x, 256, 1), 288, 2);
  const map third = sloe_zoo_add_cbr_inside(b, conv(b, conv(b, x, 256, 1), 288, 3), 320, 2);
  return sloe_zoo_add_concat(b, (map[]){first, second, third, sloe_zoo_add_pool_inside(b, x)}, 4);
}

static map block8(builder *b, map x, double scale, sloe_spec_act act) {
  const map one = conv(b, x, 192, 1);
  map three = sloe_zoo_add_cbr_of(b, conv(b, x, 192, 1), 224, 1, 3);
  three = sloe_zoo_add_cbr_of(b, three, 256, 3, 1);
  return residual(b, x, (map[]){one, three}, 2, scale, act);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  map x = mixed(b, stem(b, sloe_zoo_begin(b, call, &call->v[INPUT])));
  for (int i = 0; i < 10; i++) x = block35(b, x);
  x = reduction_a(b, x);
  for (int i = 0; i < 20; i++) x = block17(b, x);
  x = reduction_b(b, x);
  for (int i = 0; i < 9; i++) x = block8(b, x, 0.20, SLOE_SPEC_ACT_RELU);
  x = block8(b, x, 1, SLOE_SPEC_ACT_NONE);
  return sloe_zoo_end_mean_fc(b, conv(b, x, 1536, 1), call->v[CLASSES].whole);
}

static const sloe_zoo_key KEYS[] = {
    SLOE_ZOO_KEY_INPUT("299", 75, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_inception_resnet = {
    {"inception_resnet", "Inception-ResNet v2 (Szegedy et al. 2017)", KEYS,
     SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
