#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "fit/boost_tree.h"

/* Which cuts the trees ask for, then how many of the feature's used cuts lie below each. */
typedef struct used_cuts {
  uint8_t rank[SLOE_FOREST_FEATURES][SLOE_BOOST_BINS];
  uint32_t n[SLOE_FOREST_FEATURES];
} used_cuts;

static used_cuts find_cuts(const sloe_boost_table *table, const sloe_boost_tree *trees,
                           uint32_t n_trees) {
  used_cuts used = {0};
  for (uint32_t t = 0; t < n_trees; t++)
    for (uint32_t d = 0; d < trees[t].levels; d++)
      used.rank[trees[t].feature[d]][trees[t].cut[d]] = 1;
  for (uint32_t j = 0; j < table->n_features; j++)
    for (uint32_t c = 0; c < table->n_cuts[j]; c++) {
      uint8_t asked = used.rank[j][c];
      used.rank[j][c] = (uint8_t)used.n[j];
      used.n[j] += asked;
    }
  return used;
}

/* Thresholds of cuts that nobody asks for are overwritten by the next. */
static void set_thresholds(const sloe_boost_table *table, const used_cuts *used,
                           const sloe_forest *f, float *threshold) {
  for (uint32_t j = 0; j < f->n_features; j++) {
    float *own = threshold + f->first[j];
    for (uint32_t c = 0; c < table->n_cuts[j]; c++)
      if (used->rank[j][c] < used->n[j]) own[used->rank[j][c]] = table->threshold[j][c];
    for (uint32_t i = f->first[j] + used->n[j]; i < f->first[j + 1]; i++) threshold[i] = INFINITY;
  }
}

static void set_rows(const sloe_boost_tree *trees, const used_cuts *used, const sloe_forest *f,
                     size_t stride, uint8_t *row) {
  memset(row, 0, sloe_forest_row_bytes(f));
  for (uint32_t t = 0; t < f->n_trees; t++)
    for (uint32_t d = 0; d < trees[t].levels; d++) {
      uint32_t j = trees[t].feature[d], r = used->rank[j][trees[t].cut[d]] + 1u;
      for (; r <= f->first[j + 1] - f->first[j]; r++)
        row[(f->first[j] + j + r) * stride + t] |= (uint8_t)(1u << d);
    }
}

sloe_status sloe_boost_forest(const sloe_boost_table *table, const sloe_boost_tree *trees,
                              uint32_t n_trees, uint32_t depth, double base, sloe_forest *out,
                              void **memory, sloe_error *err) {
  *out = (sloe_forest){0};
  sloe_forest f = {table->n_features, n_trees, depth, {0}, base, NULL, NULL, NULL};
  used_cuts used = find_cuts(table, trees, n_trees);
  for (uint32_t j = 0; j < f.n_features; j++)
    f.first[j + 1] =
        f.first[j] + (used.n[j] + SLOE_FOREST_LANES - 1) / SLOE_FOREST_LANES * SLOE_FOREST_LANES;
  size_t thresholds = sloe_forest_thresholds(&f), leaves = sloe_forest_leaves(&f);
  size_t rows = sloe_forest_row_bytes(&f), each = (size_t)1 << depth;
  float *floats = sloe_alloc((thresholds + leaves) * sizeof(float) + rows, 1);
  if (!floats)
    return sloe_fail(err, SLOE_NOMEM, "boost: out of memory for %u trees", (unsigned)n_trees);
  float *leaf = floats + thresholds;
  uint8_t *row = (uint8_t *)(leaf + leaves);
  set_thresholds(table, &used, &f, floats);
  set_rows(trees, &used, &f, leaves >> depth, row);
  memset(leaf, 0, leaves * sizeof *leaf);
  for (uint32_t t = 0; t < n_trees; t++)
    memcpy(leaf + t * each, trees[t].leaf, each * sizeof *leaf);
  f.threshold = floats;
  f.row = row;
  f.leaf = leaf;
  *out = f;
  *memory = floats;
  return SLOE_OK;
}
