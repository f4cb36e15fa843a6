#include "learn/layer_boost.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/sort_numbers.h"

/* Beyond this the loss of a network grows no longer with the square of what it is off by. */
static const double straight = 0.03;
#define LEAST_GAIN 1e-9

typedef struct sloe_layer_split { /* of one node of a level */
  double gradient, curvature;     /* sums over its layers */
  double gain;
  uint32_t trait, bin, node; /* node: in the tree */
} split_t;

/* ---- bins ---- */

static float between(float lo, float hi) {
  const float mid = lo + (hi - lo) / 2;
  return mid < hi ? mid : lo;
}

/* Edges of ascending values; all gaps where there are few, else those next to quantiles. */
static uint32_t find_edges(const float *value, size_t n, float *edge) {
  size_t gaps = 0;
  uint32_t n_edges = 0;
  for (size_t i = 1; i < n; i++) gaps += value[i] > value[i - 1];
  const int all = gaps < SLOE_LAYER_BINS;
  double wanted = (double)n / SLOE_LAYER_BINS;
  for (size_t i = 1; i < n && n_edges < SLOE_LAYER_BINS - 1; i++) {
    if (!(value[i] > value[i - 1]) || (!all && (double)i < wanted)) continue;
    edge[n_edges++] = between(value[i - 1], value[i]);
    while ((double)i >= wanted) wanted += (double)n / SLOE_LAYER_BINS;
  }
  return n_edges;
}

static uint8_t bin_of(const float *edge, uint32_t n_edges, float value) {
  uint32_t lo = 0, hi = n_edges;
  while (lo < hi) {
    const uint32_t mid = (lo + hi) / 2;
    if (value > edge[mid])
      lo = mid + 1;
    else
      hi = mid;
  }
  return (uint8_t)lo;
}

static void bin_trait(const sloe_layer_sum_rows *rows, sloe_binned *b, size_t j, float *sorted) {
  const double *traits = rows->layers.traits;
  float *edge = b->edge + j * (SLOE_LAYER_BINS - 1);
  for (size_t i = 0; i < b->n; i++) sorted[i] = (float)traits[i * b->d + j];
  sloe_sort_floats(sorted, b->n);
  b->n_edges[j] = find_edges(sorted, b->n, edge);
  for (size_t i = 0; i < b->n; i++)
    b->bin[j * b->n + i] = bin_of(edge, b->n_edges[j], (float)traits[i * b->d + j]);
}

sloe_status sloe_binned_init(const sloe_layer_sum_rows *rows, sloe_binned *out, sloe_error *err) {
  const size_t n = rows->layers.n, d = rows->n_traits;
  float *sorted = sloe_alloc(n, sizeof *sorted);
  *out = (sloe_binned){n,
                       d,
                       sloe_alloc(n * d, 1),
                       sloe_alloc(d * (SLOE_LAYER_BINS - 1), sizeof(float)),
                       sloe_alloc(d, sizeof(uint32_t)),
                       sloe_alloc(n, sizeof(uint32_t))};
  if (!sorted || !out->bin || !out->edge || !out->n_edges || !out->network) {
    sloe_dealloc(sorted);
    sloe_binned_fini(out);
    return sloe_fail(err, SLOE_NOMEM, "out of memory for the traits of %zu layers", n);
  }
  for (size_t i = 0; i < rows->n; i++)
    for (size_t l = rows->first[i]; l < rows->first[i + 1]; l++) out->network[l] = (uint32_t)i;
  for (size_t j = 0; j < d; j++) bin_trait(rows, out, j, sorted);
  sloe_dealloc(sorted);
  return SLOE_OK;
}

void sloe_binned_fini(sloe_binned *b) {
  sloe_dealloc(b->bin);
  sloe_dealloc(b->edge);
  sloe_dealloc(b->n_edges);
  sloe_dealloc(b->network);
  *b = (sloe_binned){0};
}

/* ---- one tree ---- */

static double bounded(double g, double limit) {
  return fmin(fmax(g, -limit), limit);
}

static int learned_from(const sloe_layer_boost *b, size_t network) {
  return !b->left_out || !b->left_out[network];
}

/* What the networks take with the corrections so far. */
static void add_up(sloe_layer_boost *b) {
  const size_t *first = b->rows->first;
  for (size_t i = 0; i < b->rows->n; i++) {
    double sum = b->constant;
    for (size_t l = first[i]; l < first[i + 1]; l++)
      sum += b->base[l] * exp(bounded(b->g[l], b->options->limit));
    b->sum[i] = sum;
  }
}

static double error_left_out(const sloe_layer_boost *b) {
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < b->rows->n; i++) {
    if (learned_from(b, i)) continue;
    sum += fabs(log(b->sum[i] / b->rows->y[i]));
    n++;
  }
  return n ? sum / (double)n : NAN;
}

/* Draws networks; gradient and curvature of their layers. */
static void draw_rows(sloe_layer_boost *b) {
  const size_t *first = b->rows->first;
  b->n_list = 0;
  for (size_t i = 0; i < b->rows->n; i++) {
    const int drawn = sloe_rng_uniform(&b->rng) < b->options->share;
    if (!drawn || !learned_from(b, i)) continue;
    const double off = log(b->sum[i] / b->rows->y[i]);
    const double slope = off / sqrt(1 + off * off / (straight * straight));
    for (size_t l = first[i]; l < first[i + 1]; l++) {
      const double part = b->base[l] * exp(bounded(b->g[l], b->options->limit)) / b->sum[i];
      if (!(part > 0)) continue;
      b->gradient[l] = slope * part;
      b->curvature[l] = part;
      b->at[l] = 0;
      b->list[b->n_list++] = (uint32_t)l;
    }
  }
}

static size_t draw_traits(sloe_layer_boost *b, uint32_t trait[SLOE_LAYER_SUM_TRAITS]) {
  const size_t d = b->binned->d, n = (size_t)ceil(b->options->share * (double)d);
  for (size_t j = 0; j < d; j++) trait[j] = (uint32_t)j;
  for (size_t j = 0; j < n; j++) {
    const size_t k = (size_t)sloe_rng_between(&b->rng, (int64_t)j, (int64_t)d - 1);
    const uint32_t was = trait[j];
    trait[j] = trait[k];
    trait[k] = was;
  }
  return n;
}

static double score(double gradient, double curvature, double lambda) {
  return gradient * gradient / (curvature + lambda);
}

static void best_bin(const sloe_layer_boost *b, uint32_t trait, const double *bins, split_t *s) {
  const double child = b->options->child, lambda = b->options->lambda;
  const double whole = score(s->gradient, s->curvature, lambda);
  double gradient = 0, curvature = 0;
  for (uint32_t bin = 0; bin < b->binned->n_edges[trait]; bin++) {
    gradient += bins[2 * bin];
    curvature += bins[2 * bin + 1];
    if (curvature < child || s->curvature - curvature < child) continue;
    const double gain = score(gradient, curvature, lambda) +
                        score(s->gradient - gradient, s->curvature - curvature, lambda) - whole;
    if (gain > s->gain) {
      s->gain = gain;
      s->trait = trait;
      s->bin = bin;
    }
  }
}

static void look_at(sloe_layer_boost *b, uint32_t trait, size_t n_level) {
  const uint8_t *bin = b->binned->bin + trait * b->binned->n;
  memset(b->histogram, 0, n_level * SLOE_LAYER_BINS * 2 * sizeof *b->histogram);
  for (uint32_t i = 0; i < b->n_list; i++) {
    const uint32_t l = b->list[i];
    double *cell = b->histogram + ((size_t)b->at[l] * SLOE_LAYER_BINS + bin[l]) * 2;
    cell[0] += b->gradient[l];
    cell[1] += b->curvature[l];
  }
  for (size_t k = 0; k < n_level; k++)
    best_bin(b, trait, b->histogram + k * SLOE_LAYER_BINS * 2, &b->found[k]);
}

static void sum_level(sloe_layer_boost *b, size_t n_level) {
  for (size_t k = 0; k < n_level; k++)
    b->found[k] = (split_t){.gain = LEAST_GAIN, .node = b->found[k].node};
  for (uint32_t i = 0; i < b->n_list; i++) {
    split_t *s = &b->found[b->at[b->list[i]]];
    s->gradient += b->gradient[b->list[i]];
    s->curvature += b->curvature[b->list[i]];
  }
}

static uint32_t add_leaf(sloe_tree_node *tree, uint32_t *n, double value) {
  tree[*n] = (sloe_tree_node){.threshold = INFINITY, .left = *n, .value = (float)value};
  return (*n)++;
}

static double leaf_of(const sloe_layer_boost *b, const split_t *s) {
  return -b->options->rate * s->gradient / (s->curvature + b->options->lambda);
}

/* Turns the nodes of a level into questions where one gains, leaves else; returns how many nodes
   the next level has. next[k]: number in it of the first child of node k, -1 for a leaf. */
static size_t divide(sloe_layer_boost *b, sloe_tree_node *tree, uint32_t *n_nodes, size_t n_level,
                     int last, int next[1 << SLOE_LAYER_DEPTH]) {
  uint8_t *split = b->split + (tree - b->node);
  size_t n_next = 0;
  for (size_t k = 0; k < n_level; k++) {
    const split_t *s = &b->found[k];
    const float *edge = b->binned->edge + s->trait * (SLOE_LAYER_BINS - 1);
    sloe_tree_node *node = &tree[s->node];
    next[k] = -1;
    node->value = (float)leaf_of(b, s);
    if (last || !(s->gain > LEAST_GAIN)) continue;
    const uint32_t left = add_leaf(tree, n_nodes, 0);
    add_leaf(tree, n_nodes, 0);
    *node = (sloe_tree_node){edge[s->bin], left, s->trait, 0};
    split[s->node] = (uint8_t)s->bin;
    next[k] = (int)n_next;
    n_next += 2;
  }
  return n_next;
}

static void move_down(sloe_layer_boost *b, const int *next) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < b->n_list; i++) {
    const uint32_t l = b->list[i], k = b->at[l];
    if (next[k] < 0) continue;
    const split_t *s = &b->found[k];
    b->at[l] = (uint8_t)(next[k] + (b->binned->bin[s->trait * b->binned->n + l] > s->bin));
    b->list[kept++] = l;
  }
  b->n_list = kept;
}

/* The split that a child has to find: only its place in the tree is known. */
static void name_children(sloe_layer_boost *b, const sloe_tree_node *tree, const int *next,
                          size_t n_level) {
  uint32_t node[1 << SLOE_LAYER_DEPTH];
  for (size_t k = 0; k < n_level; k++) node[k] = b->found[k].node;
  for (size_t k = 0; k < n_level; k++)
    for (uint32_t side = 0; next[k] >= 0 && side < 2; side++)
      b->found[(uint32_t)next[k] + side].node = tree[node[k]].left + side;
}

static uint32_t grow(sloe_layer_boost *b, sloe_tree_node *tree) {
  uint32_t trait[SLOE_LAYER_SUM_TRAITS] = {0}, n_nodes = 0;
  int next[1 << SLOE_LAYER_DEPTH];
  draw_rows(b);
  const size_t n_traits = draw_traits(b, trait);
  size_t n_level = 1;
  b->found[0].node = add_leaf(tree, &n_nodes, 0);
  for (uint32_t depth = 0; n_level; depth++) {
    const int last = depth == b->options->depth;
    sum_level(b, n_level);
    for (size_t j = 0; !last && j < n_traits; j++) look_at(b, trait[j], n_level);
    const size_t n_next = divide(b, tree, &n_nodes, n_level, last, next);
    move_down(b, next);
    name_children(b, tree, next, n_level);
    n_level = n_next;
  }
  return n_nodes;
}

static double tree_value(const sloe_layer_boost *b, const sloe_tree_node *tree, size_t layer) {
  const uint8_t *split = b->split + (tree - b->node), *bin = b->binned->bin + layer;
  uint32_t at = 0;
  while (tree[at].left != at) at = tree[at].left + (bin[tree[at].input * b->binned->n] > split[at]);
  return tree[at].value;
}

/* ---- all trees ---- */

static size_t nodes_most(const sloe_layer_sum_options *o) {
  return ((size_t)2 << o->depth) * o->trees;
}

sloe_status sloe_layer_boost_init(sloe_layer_boost *out, const sloe_layer_sum_rows *rows,
                                  const sloe_binned *binned, const sloe_layer_sum_options *o,
                                  sloe_error *err) {
  const size_t n = rows->layers.n, level = (size_t)1 << o->depth;
  *out = (sloe_layer_boost){.rows = rows, .binned = binned, .options = o};
  out->base = sloe_alloc(n, sizeof *out->base);
  out->g = sloe_alloc(n, sizeof *out->g);
  out->sum = sloe_alloc(rows->n, sizeof *out->sum);
  out->left_out_error = sloe_alloc((size_t)o->trees + 1, sizeof *out->left_out_error);
  out->node = sloe_alloc(nodes_most(o), sizeof *out->node);
  out->first = sloe_alloc((size_t)o->trees + 1, sizeof *out->first);
  out->split = sloe_alloc(nodes_most(o), sizeof *out->split);
  out->gradient = sloe_alloc(n, sizeof *out->gradient);
  out->curvature = sloe_alloc(n, sizeof *out->curvature);
  out->list = sloe_alloc(n, sizeof *out->list);
  out->at = sloe_alloc(n, sizeof *out->at);
  out->histogram = sloe_alloc(level * SLOE_LAYER_BINS * 2, sizeof *out->histogram);
  out->found = sloe_alloc(level, sizeof *out->found);
  if (out->base && out->g && out->sum && out->left_out_error && out->node && out->first &&
      out->split && out->gradient && out->curvature && out->list && out->at && out->histogram &&
      out->found)
    return SLOE_OK;
  sloe_layer_boost_fini(out);
  return sloe_fail(err, SLOE_NOMEM, "out of memory for the corrections of %zu layers", n);
}

void sloe_layer_boost_fini(sloe_layer_boost *b) {
  void *const all[] = {b->base,  b->g,         b->sum,      b->left_out_error, b->node,
                       b->first, b->split,     b->gradient, b->curvature,      b->list,
                       b->at,    b->histogram, b->found};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) sloe_dealloc(all[i]);
  *b = (sloe_layer_boost){0};
}

void sloe_layer_boost_run(sloe_layer_boost *b, uint32_t trees) {
  const size_t n = b->rows->layers.n;
  sloe_rng_seed(&b->rng, b->options->seed);
  for (size_t l = 0; l < n; l++) b->g[l] = 0;
  b->n_trees = 0;
  b->first[0] = 0;
  add_up(b);
  b->left_out_error[0] = error_left_out(b);
  while (b->n_trees < trees) {
    sloe_tree_node *tree = b->node + b->first[b->n_trees];
    b->first[b->n_trees + 1] = b->first[b->n_trees] + grow(b, tree);
    for (size_t l = 0; l < n; l++) b->g[l] += tree_value(b, tree, l);
    add_up(b);
    b->left_out_error[++b->n_trees] = error_left_out(b);
  }
}

double sloe_layer_boost_g(const sloe_layer_boost *b, size_t layer, uint32_t trees) {
  double g = 0;
  for (uint32_t t = 0; t < trees; t++) g += tree_value(b, b->node + b->first[t], layer);
  return bounded(g, b->options->limit);
}
