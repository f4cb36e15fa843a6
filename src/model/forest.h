/* forest.h: sums of oblivious trees, the correction of what staircases leave over.
 *
 * An oblivious tree asks the same question on all nodes of a level, so its leaf is found without a
 * branch: bit d of the leaf's number says whether x[feature_d] > threshold_d. A forest is
 *
 *   f(x) = base + sum over trees t of leaf[t][number_t(x)]
 *
 * Layout. Trees are not kept as their questions but by what a feature tells about all of them at
 * once. All thresholds of one feature, of whatever tree, stand in ascending order; how many of them
 * x exceeds (its rank) decides each of that feature's bits in each tree. So for every feature and
 * rank there is a row of one byte a tree with those bits, and the numbers of all leaves are the OR
 * of one row per feature: 24 rows of 64 bytes for 64 trees, where questions one by one would be 256
 * look-ups of a feature, compares and shifts. Measured with 24 features, 64 trees of depth 4: a
 * third of the time of the plain way (docs/notes/boost.md).
 *
 *   first[j]     where the thresholds of feature j begin; each feature has a multiple of
 *                SLOE_FOREST_LANES of them, filled up with infinity; none: it is not asked for
 *   threshold    [first[n_features]]
 *   row          [first[n_features] + n_features][stride]: the row of feature j at rank r is
 *                number first[j] + j + r; stride is n_trees rounded up to SLOE_FOREST_BLOCK
 *   leaf         [stride][2^depth]; trees that only fill up have leaves of 0
 *
 * The arrays belong to the caller: fit/boost.h makes them, a platform file maps them.
 */
#ifndef SLOE_MODEL_FOREST_H
#define SLOE_MODEL_FOREST_H

#include "sloe/sloe.h"

#define SLOE_FOREST_FEATURES 40
#define SLOE_FOREST_TREES    512
#define SLOE_FOREST_DEPTH    8
#define SLOE_FOREST_LANES    4
#define SLOE_FOREST_BLOCK    16

typedef struct sloe_forest {
  uint32_t n_features;                      /* 1 to SLOE_FOREST_FEATURES */
  uint32_t n_trees;                         /* 0 to SLOE_FOREST_TREES; 0: always `base` */
  uint32_t depth;                           /* 1 to SLOE_FOREST_DEPTH */
  uint32_t first[SLOE_FOREST_FEATURES + 1]; /* those after n_features are not looked at */
  double base;
  const float *threshold;
  const uint8_t *row;
  const float *leaf;
} sloe_forest;

/* OK, or FORMAT with what is wrong with the numbers in the struct: after it the three counts below
   say how long the arrays must be. Looks at no array. */
sloe_status sloe_forest_check_shape(const sloe_forest *forest, sloe_error *err);

size_t sloe_forest_thresholds(const sloe_forest *forest); /* floats in `threshold` */
size_t sloe_forest_row_bytes(const sloe_forest *forest);  /* bytes in `row` */
size_t sloe_forest_leaves(const sloe_forest *forest);     /* floats in `leaf` */

/* The same and what stands in the arrays: after it sloe_forest_eval is safe with any x, and finite.
 */
sloe_status sloe_forest_check(const sloe_forest *forest, sloe_error *err);

/* x: n_features numbers; NAN exceeds nothing. Pure. `forest` must have passed the check. */
double sloe_forest_eval(const sloe_forest *forest, const float *x);

#endif
