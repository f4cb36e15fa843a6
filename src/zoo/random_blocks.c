/* random_blocks.c: one function a style of block. */
#include "zoo/random_net.h"

typedef sloe_zoo_builder builder;
typedef sloe_random_plan plan;
typedef sloe_random_block block;
typedef sloe_zoo_map map;

int64_t sloe_random_width(const plan *p, double width) {
  const int64_t n = (int64_t)(width / (double)p->round + 0.5);
  return (n < 1 ? 1 : n) * p->round;
}

/* Halving a map that is small already leaves nothing to convolve. */
static int64_t stride_of(const map *x, int first) {
  return first && x->h >= 4 && x->w >= 4 ? 2 : 1;
}

static map conv(builder *b, const plan *p, map x, int64_t k, int64_t kernel, int64_t stride,
                int64_t groups, sloe_spec_act act) {
  return sloe_zoo_add_conv(b, x,
                           (sloe_zoo_conv){.k = k,
                                           .kernel = kernel,
                                           .stride = stride,
                                           .groups = groups,
                                           .norm = p->norm,
                                           .act = act});
}

static map act_conv(builder *b, const plan *p, map x, int64_t k, int64_t kernel, int64_t stride) {
  return conv(b, p, x, k, kernel, stride, 1, p->act);
}

/* y plus x, with a projection where their sizes differ. */
static map residual(builder *b, const plan *p, map x, map y, int64_t stride, sloe_spec_act act) {
  if (x.c != y.c || x.h != y.h || x.w != y.w)
    x = conv(b, p, x, y.c, 1, stride, 1, SLOE_SPEC_ACT_NONE);
  return sloe_zoo_add_act(b, sloe_zoo_add_binary(b, SLOE_OP_ADD, y, x), act);
}

static map plain(builder *b, const plan *p, const block *k, map x, double width, int first) {
  if (stride_of(&x, first) == 2)
    x = sloe_zoo_add_pool(b, x, p->pool, k->kernel > 3 ? 3 : 2, 2, k->kernel > 3);
  return act_conv(b, p, x, sloe_random_width(p, width * k->width), k->kernel, 1);
}

static map basic(builder *b, const plan *p, const block *k, map x, double width, int first) {
  const int64_t stride = stride_of(&x, first), out = sloe_random_width(p, width);
  map y = act_conv(b, p, x, sloe_random_width(p, width * k->width), k->kernel, stride);
  y = conv(b, p, y, out, 3, 1, 1, SLOE_SPEC_ACT_NONE);
  return residual(b, p, x, y, stride, p->act);
}

static map bottleneck(builder *b, const plan *p, const block *k, map x, double width, int first) {
  const int64_t stride = stride_of(&x, first), out = sloe_random_width(p, width);
  const int64_t inner = sloe_random_width(p, width * k->inner);
  map y = act_conv(b, p, x, inner, 1, 1);
  y = act_conv(b, p, y, inner, k->kernel, stride);
  y = conv(b, p, y, out, 1, 1, 1, SLOE_SPEC_ACT_NONE);
  return residual(b, p, x, y, stride, p->act);
}

static map grouped(builder *b, const plan *p, const block *k, map x, double width, int first) {
  const int64_t stride = stride_of(&x, first), out = sloe_random_width(p, width);
  const double wanted = width * k->inner * 1.5 / (double)p->group_size;
  const int64_t groups = wanted < 2 ? 2 : (int64_t)(wanted + 0.5);
  map y = act_conv(b, p, x, groups * p->group_size, 1, 1);
  y = conv(b, p, y, y.c, k->kernel, stride, groups, p->act);
  y = conv(b, p, y, out, 1, 1, 1, SLOE_SPEC_ACT_NONE);
  return residual(b, p, x, y, stride, p->act);
}

static sloe_spec_act gate_of(const plan *p) {
  return p->act == SLOE_SPEC_ACT_HARDSWISH ? SLOE_SPEC_ACT_HARDSIGMOID : SLOE_SPEC_ACT_SIGMOID;
}

static map inverted(builder *b, const plan *p, const block *k, map x, double width, int first) {
  const int64_t stride = stride_of(&x, first), out = sloe_random_width(p, width);
  const int64_t wide = sloe_random_width(p, (double)x.c * k->expand);
  map y = act_conv(b, p, x, wide, 1, 1);
  y = conv(b, p, y, wide, k->kernel, stride, wide, p->act);
  if (p->style == SLOE_RANDOM_GATED)
    y = sloe_zoo_add_gate(
        b, y,
        (sloe_zoo_gate){sloe_random_width(p, (double)wide / 8), SLOE_SPEC_ACT_RELU, gate_of(p), 0});
  y = conv(b, p, y, out, 1, 1, 1, SLOE_SPEC_ACT_NONE);
  return x.c == y.c && stride == 1 ? sloe_zoo_add_binary(b, SLOE_OP_ADD, y, x) : y;
}

static map branched(builder *b, const plan *p, const block *k, map x, double width, int first) {
  if (stride_of(&x, first) == 2) x = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 2, 1);
  const double rest = 1 - k->inner;
  const map third = act_conv(b, p, x, sloe_random_width(p, width * rest * 0.2), 1, 1);
  const map pooled = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 1, 1);
  const map fourth = act_conv(b, p, x, sloe_random_width(p, width * 0.35), 1, 1);
  const map parts[] = {
      act_conv(b, p, x, sloe_random_width(p, width * rest * 0.6), 1, 1),
      act_conv(b, p, fourth, sloe_random_width(p, width * k->inner), 3, 1),
      act_conv(b, p, third, sloe_random_width(p, width * rest * 0.2), k->kernel, 1),
      act_conv(b, p, pooled, sloe_random_width(p, width * rest * 0.2), 1, 1),
  };
  return sloe_zoo_add_concat(b, parts, 4);
}

/* Normalised and activated before each convolution, as DenseNet does; a transition before a stage.
 */
static map dense(builder *b, const plan *p, const block *k, map x, double width, int first) {
  const int64_t growth = sloe_random_width(p, width * 0.3 * k->width);
  if (stride_of(&x, first) == 2) {
    map t = sloe_zoo_add_act(b, sloe_zoo_add_norm(b, x), SLOE_SPEC_ACT_RELU);
    t = sloe_zoo_add_conv(b, t, (sloe_zoo_conv){.k = sloe_random_width(p, (double)x.c / 2)});
    x = sloe_zoo_add_pool(b, t, SLOE_OP_AVERAGE_POOL, 2, 2, 0);
  }
  map y = sloe_zoo_add_act(b, sloe_zoo_add_norm(b, x), SLOE_SPEC_ACT_RELU);
  y = sloe_zoo_add_conv(
      b, y, (sloe_zoo_conv){.k = 4 * growth, .norm = p->norm, .act = SLOE_SPEC_ACT_RELU});
  y = sloe_zoo_add_conv(b, y, (sloe_zoo_conv){.k = growth, .kernel = 3});
  return sloe_zoo_add_concat(b, (map[]){x, y}, 2);
}

map sloe_random_add_block(builder *b, const plan *p, const block *k, map x, double width,
                          int first) {
  switch (p->style) {
    case SLOE_RANDOM_BASIC: return basic(b, p, k, x, width, first);
    case SLOE_RANDOM_BOTTLENECK: return bottleneck(b, p, k, x, width, first);
    case SLOE_RANDOM_GROUPED: return grouped(b, p, k, x, width, first);
    case SLOE_RANDOM_INVERTED:
    case SLOE_RANDOM_GATED: return inverted(b, p, k, x, width, first);
    case SLOE_RANDOM_BRANCHED: return branched(b, p, k, x, width, first);
    case SLOE_RANDOM_DENSE: return dense(b, p, k, x, width, first);
    default: return plain(b, p, k, x, width, first);
  }
}
