#include "zoo/zoo_residual.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;
typedef sloe_zoo_residual residual;

const int64_t *sloe_zoo_residual_depth(int64_t depth, int *bottleneck) {
  static const struct {
    int64_t depth, blocks[4];
  } rows[] = {{18, {2, 2, 2, 2}},   {34, {3, 4, 6, 3}},   {50, {3, 4, 6, 3}},
              {101, {3, 4, 23, 3}}, {152, {3, 8, 36, 3}}, {200, {3, 24, 36, 3}}};
  *bottleneck = depth >= 50;
  for (size_t i = 0; i < SLOE_ZOO_COUNT_OF(rows); i++)
    if (rows[i].depth == depth) return rows[i].blocks;
  return NULL;
}

static map conv(builder *b, const residual *r, map x, int64_t k, int64_t kernel, int64_t stride,
                int64_t groups, sloe_spec_act act) {
  return sloe_zoo_add_conv(b, x,
                           (sloe_zoo_conv){.k = k,
                                           .kernel = kernel,
                                           .stride = stride,
                                           .groups = groups,
                                           .norm = 1,
                                           .bias = r->bias,
                                           .act = act});
}

static map basic(builder *b, const residual *r, map x, int64_t width, int64_t stride) {
  const map y = conv(b, r, x, width, 3, stride, 1, SLOE_SPEC_ACT_RELU);
  return conv(b, r, y, width, 3, 1, 1, SLOE_SPEC_ACT_NONE);
}

static map bottleneck(builder *b, const residual *r, map x, int64_t width, int64_t stride) {
  const int64_t groups = r->groups ? r->groups : 1;
  const int64_t inner = r->inner > 0 ? (int64_t)((double)width * r->inner) : width;
  const int64_t early = r->stride_in_first ? stride : 1;
  map y = conv(b, r, x, inner, 1, early, 1, SLOE_SPEC_ACT_RELU);
  y = conv(b, r, y, inner, 3, stride / early, groups, SLOE_SPEC_ACT_RELU);
  return conv(b, r, y, 4 * width, 1, 1, 1, SLOE_SPEC_ACT_NONE);
}

static map block(builder *b, const residual *r, map x, int64_t width, int64_t stride) {
  map y = r->bottleneck ? bottleneck(b, r, x, width, stride) : basic(b, r, x, width, stride);
  if (r->reduction)
    y = sloe_zoo_add_gate(b, y,
                          (sloe_zoo_gate){sloe_zoo_divisible((double)y.c / (double)r->reduction, 8),
                                          SLOE_SPEC_ACT_RELU, SLOE_SPEC_ACT_SIGMOID, 1});
  if (stride != 1 || x.c != y.c) x = conv(b, r, x, y.c, 1, stride, 1, SLOE_SPEC_ACT_NONE);
  return sloe_zoo_add_act(b, sloe_zoo_add_binary(b, SLOE_OP_ADD, y, x), SLOE_SPEC_ACT_RELU);
}

map sloe_zoo_add_residuals(builder *b, const residual *r, map x, int64_t n, int64_t width,
                           int64_t stride) {
  for (int64_t i = 0; i < n; i++) x = block(b, r, x, width, i ? 1 : stride);
  return x;
}

sloe_status sloe_zoo_put_residual(builder *b, const residual *r, map x, const int64_t blocks[4],
                                  int64_t classes) {
  x = conv(b, r, x, 64, 7, 2, 1, SLOE_SPEC_ACT_RELU);
  x = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 2, 1);
  for (int64_t i = 0, width = 64; i < 4; i++, width *= 2)
    x = sloe_zoo_add_residuals(b, r, x, blocks[i], width, i ? 2 : 1);
  return sloe_zoo_end_mean_fc(b, x, classes);
}
