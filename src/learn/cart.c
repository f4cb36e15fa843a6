#include "learn/cart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* Rows [begin, end) of every list belong to `node`. */
typedef struct sloe_cart_span {
  uint32_t begin, end, node, depth;
} span;

typedef struct keyed {
  float x;
  uint32_t row;
} keyed;

static int by_x(const void *a, const void *b) {
  const keyed *p = a, *q = b;
  if (p->x != q->x) return p->x < q->x ? -1 : 1;
  return (p->row > q->row) - (p->row < q->row);
}

void sloe_cart_rows_fini(sloe_cart_rows *rows) {
  sloe_dealloc(rows->x);
  sloe_dealloc(rows->order);
  *rows = (sloe_cart_rows){0};
}

sloe_status sloe_cart_rows_init(const double *z, const double *y, size_t n, size_t d,
                                sloe_cart_rows *out, sloe_error *err) {
  sloe_cart_rows r = {n, d, sloe_alloc(n * d, sizeof *r.x), sloe_alloc(n * d, sizeof *r.order), y};
  keyed *sorted = sloe_alloc(n, sizeof *sorted);
  *out = (sloe_cart_rows){0};
  if (!r.x || !r.order || !sorted) {
    sloe_cart_rows_fini(&r);
    sloe_dealloc(sorted);
    return sloe_fail(err, SLOE_NOMEM, "out of memory sorting %zu rows for trees", n);
  }
  for (size_t j = 0; j < d; j++) {
    for (size_t i = 0; i < n; i++)
      sorted[i] = (keyed){r.x[j * n + i] = (float)z[i * d + j], (uint32_t)i};
    qsort(sorted, n, sizeof *sorted, by_x);
    for (size_t i = 0; i < n; i++) r.order[j * n + i] = sorted[i].row;
  }
  sloe_dealloc(sorted);
  *out = r;
  return SLOE_OK;
}

void sloe_cart_fini(sloe_cart *c) {
  sloe_dealloc(c->node);
  sloe_dealloc(c->list);
  sloe_dealloc(c->count);
  sloe_dealloc(c->spare);
  sloe_dealloc(c->right);
  sloe_dealloc(c->input);
  sloe_dealloc(c->stack);
  *c = (sloe_cart){0};
}

sloe_status sloe_cart_init(const sloe_cart_rows *rows, sloe_cart *out, sloe_error *err) {
  const size_t n = rows->n, d = rows->d;
  *out = (sloe_cart){.node = sloe_alloc(2 * n, sizeof *out->node),
                     .list = sloe_alloc(n * d, sizeof *out->list),
                     .count = sloe_alloc(n, sizeof *out->count),
                     .spare = sloe_alloc(n, sizeof *out->spare),
                     .right = sloe_alloc(n, sizeof *out->right),
                     .input = sloe_alloc(d, sizeof *out->input),
                     .stack = sloe_alloc(n, sizeof *out->stack)};
  if (out->node && out->list && out->count && out->spare && out->right && out->input && out->stack)
    return SLOE_OK;
  sloe_cart_fini(out);
  return sloe_fail(err, SLOE_NOMEM, "out of memory for a tree over %zu rows", n);
}

/* ---- growing ---- */

typedef struct split {
  double gain; /* sum_left^2 / weight_left + the same of the right: to be most */
  uint32_t input, rows;
  float threshold;
} split;

typedef struct grower {
  sloe_cart *cart;
  const sloe_cart_rows *rows;
  const sloe_cart_params *params;
  sloe_rng *rng;
  double mean; /* of y: what is summed is y less this */
} grower;

static float half_way(float lo, float hi) {
  const float half = lo / 2 + hi / 2;
  return half < hi && half >= lo ? half : lo;
}

/* The best threshold of one input; 0 where all rows have the same value. */
static int try_input(const grower *g, span s, uint32_t input, double weight, double sum,
                     split *best) {
  const sloe_cart_rows *rows = g->rows;
  const uint32_t *list = g->cart->list + input * rows->n, *count = g->cart->count;
  const float *x = rows->x + input * rows->n;
  const size_t leaf = g->params->leaf;
  double w = 0, left = 0;
  if (x[list[s.begin]] == x[list[s.end - 1]]) return 0;
  for (uint32_t i = s.begin; i + leaf < s.end; i++) {
    const uint32_t row = list[i];
    w += count[row];
    left += count[row] * (rows->y[row] - g->mean);
    if (i + 1 - s.begin < leaf || x[row] == x[list[i + 1]]) continue;
    const double right = sum - left, gain = left * left / w + right * right / (weight - w);
    if (gain > best->gain)
      *best = (split){gain, input, i + 1 - s.begin, half_way(x[row], x[list[i + 1]])};
  }
  return 1;
}

/* Inputs in random order where a node may not ask for all of them. */
static void find_split(grower *g, span s, double weight, double sum, split *best) {
  const uint32_t d = (uint32_t)g->rows->d;
  const size_t features = g->params->features;
  uint32_t *input = g->cart->input;
  if (features >= d) {
    for (uint32_t j = 0; j < d; j++) try_input(g, s, j, weight, sum, best);
    return;
  }
  for (uint32_t j = 0; j < d && (j < features || !best->rows); j++) {
    const uint32_t pick = (uint32_t)sloe_rng_between(g->rng, j, d - 1), was = input[j];
    input[j] = input[pick];
    input[pick] = was;
    try_input(g, s, input[j], weight, sum, best);
  }
}

/* Every list: left rows first, in their order, then right ones. */
static void part(grower *g, span s, const split *best) {
  sloe_cart *c = g->cart;
  const size_t n = g->rows->n;
  const uint32_t *sorted = c->list + best->input * n;
  for (uint32_t i = s.begin; i < s.end; i++) c->right[sorted[i]] = i - s.begin >= best->rows;
  for (size_t j = 0; j < g->rows->d; j++) {
    uint32_t *list = c->list + j * n, *to = list + s.begin, *spare = c->spare;
    for (uint32_t i = s.begin; i < s.end; i++) {
      const uint32_t row = list[i], right = c->right[row];
      *to = row;
      *spare = row;
      to += !right;
      spare += right;
    }
    memcpy(to, c->spare, (size_t)(spare - c->spare) * sizeof *to);
  }
}

/* A leaf, or the two spans that it falls into. Returns 0, or 2. */
static int grow_node(grower *g, span s, span *children) {
  sloe_cart *c = g->cart;
  const sloe_cart_rows *rows = g->rows;
  double weight = 0, sum = 0, squares = 0;
  for (uint32_t i = s.begin; i < s.end; i++) {
    const uint32_t row = c->list[i];
    const double y = rows->y[row] - g->mean;
    weight += c->count[row];
    sum += c->count[row] * y;
    squares += c->count[row] * y * y;
  }
  const double none = sum * sum / weight;
  split best = {.gain = none};
  c->node[s.node] = (sloe_tree_node){INFINITY, s.node, 0, (float)(g->mean + sum / weight)};
  if (squares - none > 1e-14 * squares && s.end - s.begin >= g->params->split &&
      s.end - s.begin >= 2 * g->params->leaf && (!g->params->depth || s.depth < g->params->depth))
    find_split(g, s, weight, sum, &best);
  if (!best.rows) return 0;
  const uint32_t left = (uint32_t)c->n_nodes;
  c->n_nodes += 2;
  c->node[s.node] = (sloe_tree_node){best.threshold, left, best.input, 0};
  part(g, s, &best);
  children[0] = (span){s.begin, s.begin + best.rows, left, s.depth + 1};
  children[1] = (span){s.begin + best.rows, s.end, left + 1, s.depth + 1};
  return 2;
}

/* The lists of the rows that were drawn; how many those are. */
static uint32_t take_rows(grower *g) {
  sloe_cart *c = g->cart;
  const size_t n = g->rows->n;
  uint32_t taken = 0;
  for (size_t j = 0; j < g->rows->d; j++) {
    const uint32_t *order = g->rows->order + j * n;
    uint32_t *list = c->list + j * n;
    taken = 0;
    for (size_t i = 0; i < n; i++)
      if (c->count[order[i]]) list[taken++] = order[i];
    c->input[j] = (uint32_t)j;
  }
  return taken;
}

void sloe_cart_grow(sloe_cart *cart, const sloe_cart_rows *rows, const sloe_cart_params *params,
                    sloe_rng *rng) {
  grower g = {cart, rows, params, rng, 0};
  const uint32_t taken = take_rows(&g);
  size_t depth = 0;
  for (size_t i = 0; i < rows->n; i++) g.mean += rows->y[i] / (double)rows->n;
  cart->n_nodes = 1;
  cart->stack[depth++] = (span){0, taken, 0, 0};
  while (depth) {
    span children[2];
    const span s = cart->stack[--depth];
    if (!grow_node(&g, s, children)) continue;
    /* the smaller one is grown first, so that the stack stays low */
    const int large = children[1].end - children[1].begin > children[0].end - children[0].begin;
    cart->stack[depth++] = children[large];
    cart->stack[depth++] = children[!large];
  }
}
