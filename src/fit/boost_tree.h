/* boost_tree.h: rows in bins, and one oblivious tree grown on them. Private to fit/.
 *
 * A feature's values are cut into bins once; bin b of a row is the number of the feature's
 * thresholds that its value exceeds, so "value > threshold c" is "bin > c", here and in the forest
 * that comes of it, bit by bit (both look at the values as floats).
 *
 * A tree is grown level by level. The same question on all nodes of a level is the one for which
 *
 *   sum over the leaves it would make of gradient^2 / (weight + lambda)
 *
 * is largest, gradient = sum of weight (y - prediction), read off histograms over bins for each
 * leaf. When leaves are split, only the rows of the smaller halves are counted again; the larger
 * halves are what is left of the whole.
 */
#ifndef SLOE_FIT_BOOST_TREE_H
#define SLOE_FIT_BOOST_TREE_H

#include "base/rng.h"
#include "fit/boost.h"

#define SLOE_BOOST_BINS   64
#define SLOE_BOOST_LEAVES (1 << SLOE_FOREST_DEPTH)

typedef struct sloe_boost_table {
  size_t n;
  uint32_t n_features;
  uint8_t *bin;                          /* [feature][row] */
  uint32_t n_cuts[SLOE_FOREST_FEATURES]; /* one less than bins */
  float threshold[SLOE_FOREST_FEATURES][SLOE_BOOST_BINS - 1];
} sloe_boost_table;

/* x as for sloe_boost_train, checked. `out` is freed with the second, which takes all zero. */
sloe_status sloe_boost_table_init(sloe_boost_table *out, const double *x, size_t n,
                                  size_t n_features, uint32_t bins, sloe_error *err);
void sloe_boost_table_fini(sloe_boost_table *table);

typedef struct sloe_boost_tree {
  uint32_t levels; /* with a question; the others found none that helps */
  uint8_t feature[SLOE_FOREST_DEPTH], cut[SLOE_FOREST_DEPTH];
  float leaf[SLOE_BOOST_LEAVES]; /* 2^levels of them; `rate` is in them */
} sloe_boost_tree;

typedef struct sloe_boost_sums {
  double gradient, weight;
} sloe_boost_sums;

typedef struct sloe_boost_grower { /* room for growing, reused from tree to tree */
  const sloe_boost_table *table;
  const sloe_boost_params *params;
  sloe_boost_sums *sums;  /* [of the features asked][leaf][bin] */
  uint32_t *rows, *small; /* those that the tree sees; those of the smaller halves */
  uint8_t *leaf;          /* [row] */
  size_t n_rows, n_asked;
  uint8_t asked[SLOE_FOREST_FEATURES];
} sloe_boost_grower;

/* The table and the params must outlive the grower. */
sloe_status sloe_boost_grower_init(sloe_boost_grower *out, const sloe_boost_table *table,
                                   const sloe_boost_params *params, sloe_error *err);
void sloe_boost_grower_fini(sloe_boost_grower *grower);

/* gradient[row], weight[row]; rows of weight 0 are not seen. */
void sloe_boost_grow(sloe_boost_grower *grower, const double *gradient, const double *weight,
                     sloe_rng *rng, sloe_boost_tree *out);

/* Add the tree's answer to the prediction of every row. */
void sloe_boost_apply(sloe_boost_grower *grower, const sloe_boost_tree *tree, double *prediction);

/* The trees as a forest; its arrays are in *memory, to be freed with sloe_dealloc. */
sloe_status sloe_boost_forest(const sloe_boost_table *table, const sloe_boost_tree *trees,
                              uint32_t n_trees, uint32_t depth, double base, sloe_forest *out,
                              void **memory, sloe_error *err);

#endif
