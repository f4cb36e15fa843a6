/* random_spec.h: specs that are possible and written in the one usual way, for property tests. */
#ifndef SLOE_TESTS_RANDOM_SPEC_H
#define SLOE_TESTS_RANDOM_SPEC_H

#include "base/rng.h"
#include "net/layer_spec.h"
#include "unit/unit.h"

static inline int64_t draw(sloe_rng *rng, int64_t lo, int64_t hi) {
  return sloe_rng_between(rng, lo, hi);
}

static inline void draw_window(sloe_rng *rng, sloe_layer_spec *s) {
  for (int d = 0; d < 2; d++) {
    s->kernel[d] = draw(rng, 1, 7);
    s->stride[d] = draw(rng, 1, 3);
    s->dilation[d] = draw(rng, 0, 3) ? 1 : draw(rng, 1, 3);
    const int64_t reach = s->dilation[d] * (s->kernel[d] - 1) + 1;
    const int64_t in = d ? s->w : s->h;
    s->pad[d] = draw(rng, 0, reach - 1);
    if (s->op == SLOE_SPEC_DECONV)
      s->out[d] = s->stride[d] * (in - 1) + reach - s->pad[d] - draw(rng, 0, reach - 1) +
                  draw(rng, 0, s->stride[d] - 1);
    else
      s->out[d] = (in + s->pad[d] + draw(rng, 0, reach - 1) - reach) / s->stride[d] + 1;
  }
}

static inline void draw_weights(sloe_rng *rng, sloe_layer_spec *s) {
  s->k = draw(rng, 1, 300);
  s->add = (int)draw(rng, 0, 1);
  if (s->op != SLOE_SPEC_CONV && s->op != SLOE_SPEC_DECONV) return;
  draw_window(rng, s);
  s->groups = draw(rng, 0, 2) ? 1 : draw(rng, 1, 16);
  s->c = s->groups * draw(rng, 1, 20);
  s->k = s->groups * draw(rng, 1, 20);
}

/* What parse would say of a `with` that one element, or all, make another of. */
static inline int is_usual_with(const sloe_layer_spec *s) {
  switch (s->with) {
    case SLOE_SPEC_WITH_CHANNEL: return s->h * s->w > 1 && s->n * s->c > 1;
    case SLOE_SPEC_WITH_ROW: return s->w > 1 && s->n * s->c * s->h > 1;
    case SLOE_SPEC_WITH_SCALAR: return s->n * s->c * s->h * s->w > 1;
    default: return 1;
  }
}

static inline void draw_rest(sloe_rng *rng, sloe_layer_spec *s) {
  switch (s->op) {
    case SLOE_SPEC_GLOBALPOOL: s->out[0] = s->out[1] = 1; break;
    case SLOE_SPEC_BINARY:
      do s->with = (sloe_spec_with)draw(rng, 0, SLOE_SPEC_WITH_COUNT - 1);
      while (!is_usual_with(s));
      break;
    case SLOE_SPEC_RESIZE:
      s->linear = (int)draw(rng, 0, 1);
      for (int d = 0; d < 2; d++) s->out[d] = draw(rng, 1, 60);
      break;
    case SLOE_SPEC_CONCAT: s->parts = draw(rng, 1, s->c < 12 ? s->c : 12); break;
    case SLOE_SPEC_SLICE:
      s->k = draw(rng, 1, 100);
      s->c = s->k + draw(rng, 1, 100);
      break;
    default: break;
  }
}

static inline int takes_act(sloe_spec_op op) {
  switch (op) {
    case SLOE_SPEC_CONV:
    case SLOE_SPEC_DECONV:
    case SLOE_SPEC_FC:
    case SLOE_SPEC_MATMUL:
    case SLOE_SPEC_BATCHNORM:
    case SLOE_SPEC_LAYERNORM:
    case SLOE_SPEC_BINARY:
    case SLOE_SPEC_ACTIVATION: return 1;
    default: return 0;
  }
}

static inline sloe_layer_spec draw_sizes(sloe_rng *rng, sloe_spec_op op) {
  sloe_layer_spec s = sloe_layer_spec_none();
  s.op = op;
  s.n = draw(rng, 0, 2) ? 1 : draw(rng, 2, 9);
  s.c = draw(rng, 1, 300);
  s.h = op == SLOE_SPEC_FC ? 1 : draw(rng, 1, 60);
  s.w = op == SLOE_SPEC_FC || op == SLOE_SPEC_MATMUL ? 1 : draw(rng, 1, 60);
  s.k = s.c;
  s.out[0] = s.h;
  s.out[1] = s.w;
  return s;
}

static inline sloe_layer_spec draw_spec(sloe_rng *rng, sloe_spec_op op) {
  for (;;) {
    sloe_layer_spec s = draw_sizes(rng, op);
    if (op <= SLOE_SPEC_MATMUL)
      draw_weights(rng, &s);
    else if (op == SLOE_SPEC_MAXPOOL || op == SLOE_SPEC_AVGPOOL)
      draw_window(rng, &s);
    else
      draw_rest(rng, &s);
    if (takes_act(op))
      s.act = (sloe_spec_act)draw(rng, op == SLOE_SPEC_ACTIVATION, SLOE_SPEC_ACT_COUNT - 1);
    if (sloe_layer_spec_check(&s, NULL) == SLOE_OK) return s;
  }
}

#define assert_same_spec(a, b)                                      \
  do {                                                              \
    char text_a[SLOE_SPEC_TEXT], text_b[SLOE_SPEC_TEXT];            \
    if (!sloe_layer_spec_same(&(a), &(b)))                          \
      fail_msg("%s is not %s", sloe_layer_spec_print(&(a), text_a), \
               sloe_layer_spec_print(&(b), text_b));                \
  } while (0)

#endif
