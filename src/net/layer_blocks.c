#include "net/layer_blocks.h"

enum { WIDTH = 16, REGISTERS = 32, MOST_VECTORS = 4, MOST_ROWS = 28 };

static int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

static int is_pointwise(const sloe_layer_spec *s) {
  return s->kernel[0] * s->kernel[1] == 1 && !s->pad[0] && !s->pad[1];
}

/* Four vectors where they fill, and few filters or (pointwise) many positions. */
static int takes_four(const sloe_layer_spec *s, int64_t all) {
  if (all % 4) return 0;
  return is_pointwise(s) ? s->out[0] * s->out[1] >= 64 * s->stride[0] : all <= 8;
}

static int takes_three(const sloe_layer_spec *s, int64_t filters, int64_t all) {
  if (is_pointwise(s)) return 20 * filters >= 19 * ceil_div(filters, 3 * WIDTH) * 3 * WIDTH;
  return all % 3 == 0 && all <= 24 && s->h * s->w > 81 * s->stride[0] * s->stride[1];
}

/* The one of those that it takes whose blocks cost least together. */
static int64_t vectors_of(const sloe_layer_spec *s, int64_t filters) {
  static const double cost[MOST_VECTORS + 1] = {0, 0.7, 1, 1.3, 1.8};
  const int64_t all = ceil_div(filters, WIDTH);
  int64_t best = 1;
  for (int64_t n = 2; n <= MOST_VECTORS && n <= all; n++) {
    if ((n == 4 && !takes_four(s, all)) || (n == 3 && !takes_three(s, filters, all))) continue;
    if ((double)ceil_div(all, n) * cost[n] <= (double)ceil_div(all, best) * cost[best]) best = n;
  }
  return best;
}

/* A vector of each filter block and one of the input are loaded, the rest holds outputs. */
static void take_rows(int64_t positions, sloe_layer_blocks *out) {
  const int64_t n = out->vectors, fit = (REGISTERS - 1 - n) / n;
  for (int64_t rows = fit < MOST_ROWS ? fit : MOST_ROWS; rows > 0; rows--) {
    const int64_t all = ceil_div(positions, rows) * rows;
    const double rate = (double)positions / (double)all * (double)(n * rows) / (double)(n + rows);
    if (rows <= positions && rate > out->rate) out->rate = rate, out->rows = rows;
  }
}

sloe_layer_blocks sloe_layer_blocks_of(const sloe_layer_spec *s) {
  const int64_t filters = s->k / s->groups > 1 ? s->k / s->groups : 1;
  sloe_layer_blocks out = {.vectors = vectors_of(s, filters)};
  const int64_t width = out.vectors * WIDTH;
  out.blocks = ceil_div(filters, width);
  out.waste = (double)(out.blocks * width) / (double)filters;
  out.is_image = is_pointwise(s) && s->stride[0] == 1 && s->w % s->stride[1] == 0;
  take_rows(out.is_image ? s->out[0] * s->out[1] : s->out[1], &out);
  return out;
}
