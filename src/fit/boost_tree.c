#include "fit/boost_tree.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

sloe_status sloe_boost_grower_init(sloe_boost_grower *out, const sloe_boost_table *table,
                                   const sloe_boost_params *params, sloe_error *err) {
  *out = (sloe_boost_grower){.table = table, .params = params};
  size_t leaves = (size_t)1 << (params->depth - 1); /* those of the last level need no sums */
  out->sums = sloe_alloc(table->n_features * leaves * SLOE_BOOST_BINS, sizeof *out->sums);
  out->rows = sloe_alloc(table->n, sizeof *out->rows);
  out->small = sloe_alloc(table->n, sizeof *out->small);
  out->leaf = sloe_alloc(table->n, sizeof *out->leaf);
  if (out->sums && out->rows && out->small && out->leaf) return SLOE_OK;
  sloe_boost_grower_fini(out);
  return sloe_fail(err, SLOE_NOMEM, "boost: out of memory for a tree over %zu rows", table->n);
}

void sloe_boost_grower_fini(sloe_boost_grower *g) {
  sloe_dealloc(g->sums);
  sloe_dealloc(g->rows);
  sloe_dealloc(g->small);
  sloe_dealloc(g->leaf);
  *g = (sloe_boost_grower){0};
}

/* Each row with the probability `share`; all where that leaves none. */
static void choose_rows(sloe_boost_grower *g, const double *weight, sloe_rng *rng) {
  double share = g->params->row_share;
  g->n_rows = 0;
  for (size_t i = 0; i < g->table->n; i++)
    if (weight[i] > 0 && (share >= 1 || sloe_rng_uniform(rng) < share))
      g->rows[g->n_rows++] = (uint32_t)i;
  if (g->n_rows) return;
  for (size_t i = 0; i < g->table->n; i++)
    if (weight[i] > 0) g->rows[g->n_rows++] = (uint32_t)i;
}

/* The first of a shuffle, in ascending order. Features of one bin can say nothing. */
static void choose_features(sloe_boost_grower *g, sloe_rng *rng) {
  uint8_t all[SLOE_FOREST_FEATURES] = {0}, chosen[SLOE_FOREST_FEATURES] = {0};
  size_t n = 0;
  for (uint32_t j = 0; j < g->table->n_features; j++)
    if (g->table->n_cuts[j]) all[n++] = (uint8_t)j;
  size_t take = (size_t)ceil((double)n * g->params->feature_share);
  for (size_t i = 0; i < take && take < n; i++) {
    size_t k = (size_t)sloe_rng_between(rng, (int64_t)i, (int64_t)n - 1);
    uint8_t swapped = all[i];
    all[i] = all[k];
    all[k] = swapped;
  }
  for (size_t i = 0; i < take; i++) chosen[all[i]] = 1;
  g->n_asked = 0;
  for (size_t j = 0; j < SLOE_FOREST_FEATURES; j++)
    if (chosen[j]) g->asked[g->n_asked++] = (uint8_t)j;
}

static sloe_boost_sums *sums_of(const sloe_boost_grower *g, size_t k, size_t leaf) {
  return g->sums + ((k << (g->params->depth - 1)) + leaf) * SLOE_BOOST_BINS;
}

/* Count rows into the sums of feature k: a row of leaf l into those of leaf `shift` + l mod `shift`
   (0: of leaf 0). */
static void count_rows(sloe_boost_grower *g, size_t k, const uint32_t *rows, size_t n, size_t shift,
                       const double *gradient, const double *weight) {
  const uint8_t *bin = g->table->bin + g->asked[k] * g->table->n;
  sloe_boost_sums *sums = sums_of(g, k, shift);
  size_t mask = shift ? shift - 1 : 0;
  memset(sums, 0, (mask + 1) * SLOE_BOOST_BINS * sizeof *sums);
  for (size_t i = 0; i < n; i++) {
    uint32_t row = rows[i];
    sloe_boost_sums *s = sums + (g->leaf[row] & mask) * SLOE_BOOST_BINS + bin[row];
    s->gradient += gradient[row];
    s->weight += weight[row];
  }
}

typedef struct question {
  size_t k; /* of the features asked */
  uint32_t cut;
  double gain;
} question;

static double worth(double gradient, double weight, double lambda) {
  return weight > 0 ? gradient * gradient / (weight + lambda) : 0;
}

/* Add to score[cut] what the cut would make of one leaf; returns what the leaf is worth whole. */
static double score_leaf(const sloe_boost_sums *sums, uint32_t cuts, double lambda, double *score) {
  sloe_boost_sums all = {0, 0}, low = {0, 0};
  for (uint32_t b = 0; b <= cuts; b++) {
    all.gradient += sums[b].gradient;
    all.weight += sums[b].weight;
  }
  if (!(all.weight > 0)) return 0;
  for (uint32_t b = 0; b < cuts; b++) {
    low.gradient += sums[b].gradient;
    low.weight += sums[b].weight;
    score[b] += worth(low.gradient, low.weight, lambda) +
                worth(all.gradient - low.gradient, all.weight - low.weight, lambda);
  }
  return worth(all.gradient, all.weight, lambda);
}

/* The best question for `leaves` leaves; gain 0: none helps. */
static question ask(const sloe_boost_grower *g, size_t leaves) {
  question best = {0, 0, 0};
  for (size_t k = 0; k < g->n_asked; k++) {
    double score[SLOE_BOOST_BINS] = {0}, whole = 0;
    uint32_t cuts = g->table->n_cuts[g->asked[k]];
    for (size_t l = 0; l < leaves; l++)
      whole += score_leaf(sums_of(g, k, l), cuts, g->params->lambda, score);
    for (uint32_t c = 0; c < cuts; c++)
      if (score[c] - whole > best.gain && score[c] > whole * (1 + 1e-9))
        best = (question){k, c, score[c] - whole};
  }
  return best;
}

/* Move the rows to their new leaves, `leaves` of them before; in `small` those of the smaller half
   of each leaf, swapped[leaf] where that half is the lower one. Returns how many. */
static size_t move_rows(sloe_boost_grower *g, const question *q, size_t leaves, uint8_t *swapped) {
  const uint8_t *bin = g->table->bin + g->asked[q->k] * g->table->n;
  size_t count[SLOE_BOOST_LEAVES] = {0}, n = 0;
  for (size_t i = 0; i < g->n_rows; i++) {
    uint32_t row = g->rows[i];
    if (bin[row] > q->cut) g->leaf[row] = (uint8_t)(g->leaf[row] + leaves);
    count[g->leaf[row]]++;
  }
  for (size_t l = 0; l < leaves; l++) swapped[l] = count[l] < count[l + leaves];
  for (size_t i = 0; i < g->n_rows; i++) {
    uint32_t row = g->rows[i];
    size_t l = g->leaf[row];
    if ((l < leaves) == swapped[l & (leaves - 1)]) g->small[n++] = row;
  }
  return n;
}

/* From the sums of whole leaves those of their halves. */
static void halve(sloe_boost_sums *low, sloe_boost_sums *high, int swapped) {
  for (size_t b = 0; b < SLOE_BOOST_BINS; b++) {
    sloe_boost_sums small = high[b];
    sloe_boost_sums large = {low[b].gradient - small.gradient, low[b].weight - small.weight};
    low[b] = swapped ? small : large;
    high[b] = swapped ? large : small;
  }
}

static void set_leaves(const sloe_boost_grower *g, const double *gradient, const double *weight,
                       sloe_boost_tree *tree) {
  sloe_boost_sums sums[SLOE_BOOST_LEAVES] = {{0, 0}};
  for (size_t i = 0; i < g->n_rows; i++) {
    uint32_t row = g->rows[i];
    sums[g->leaf[row]].gradient += gradient[row];
    sums[g->leaf[row]].weight += weight[row];
  }
  for (size_t l = 0; l < SLOE_BOOST_LEAVES; l++)
    tree->leaf[l] =
        sums[l].weight > 0
            ? (float)(g->params->rate * sums[l].gradient / (sums[l].weight + g->params->lambda))
            : 0;
}

void sloe_boost_grow(sloe_boost_grower *g, const double *gradient, const double *weight,
                     sloe_rng *rng, sloe_boost_tree *out) {
  *out = (sloe_boost_tree){0};
  choose_rows(g, weight, rng);
  choose_features(g, rng);
  memset(g->leaf, 0, g->table->n);
  for (size_t k = 0; k < g->n_asked; k++) count_rows(g, k, g->rows, g->n_rows, 0, gradient, weight);
  while (out->levels < g->params->depth) {
    size_t leaves = (size_t)1 << out->levels;
    question best = ask(g, leaves);
    if (!(best.gain > 0)) break;
    uint8_t swapped[SLOE_BOOST_LEAVES];
    size_t n = move_rows(g, &best, leaves, swapped);
    out->feature[out->levels] = g->asked[best.k];
    out->cut[out->levels++] = (uint8_t)best.cut;
    for (size_t k = 0; k < g->n_asked && out->levels < g->params->depth; k++) {
      count_rows(g, k, g->small, n, leaves, gradient, weight);
      for (size_t l = 0; l < leaves; l++)
        halve(sums_of(g, k, l), sums_of(g, k, l + leaves), swapped[l]);
    }
  }
  if (out->levels) set_leaves(g, gradient, weight, out); /* else the base says it all */
}

void sloe_boost_apply(sloe_boost_grower *g, const sloe_boost_tree *tree, double *prediction) {
  size_t n = g->table->n;
  memset(g->leaf, 0, n);
  for (uint32_t d = 0; d < tree->levels; d++) {
    const uint8_t *bin = g->table->bin + tree->feature[d] * n;
    for (size_t i = 0; i < n; i++)
      g->leaf[i] = (uint8_t)(g->leaf[i] | (bin[i] > tree->cut[d]) << d);
  }
  for (size_t i = 0; i < n; i++) prediction[i] += (double)tree->leaf[g->leaf[i]];
}
