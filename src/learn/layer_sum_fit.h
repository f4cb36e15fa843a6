/* layer_sum_fit.h: a layer model (model/layer_sum.h) from whole-network times alone.
 *
 *   sloe_layer_sum model; sloe_error err;
 *   const sloe_layer_sum_rows rows = {layers, n_terms, n_traits, first, ms, n};
 *   sloe_layer_sum_fit(&rows, &(sloe_layer_sum_options){.bounds = bounds, .n_sizes = 3}, &model,
 *                      NULL, &err);
 *
 * Two steps.
 *
 * 1. Coefficients: least squares of the relative error of the sums, each coefficient within its
 *    bounds, drawn to its usual value by a spring that is weak against what the networks say and
 *    strong against nothing: a term that they do not tell apart, or do not have, is what the data
 *    sheet says. Networks that fit badly count less (weights 1 / sqrt(error): between squares and
 *    absolute errors).
 *
 * 2. Correction: boosted trees over the traits of layers, against what the *network* is off by. The
 *    loss of a network is half the square of d = ln(estimate / measured); a layer that has share s
 * of its network's time has gradient d s and curvature s (an upper bound that makes a leaf that
 * holds whole networks step by exactly their mean d). Beyond 3 % the
 *    loss grows no longer by the square. So thousands of sums say how one layer
 * differs from another, as in additive models, and what was learned holds for any network of such
 * layers. How many trees: K-fold cross-validation over networks; none where none helps.
 *
 * The same rows, options and seed give the same bytes on any number of threads.
 */
#ifndef SLOE_LEARN_LAYER_SUM_FIT_H
#define SLOE_LEARN_LAYER_SUM_FIT_H

#include "model/model.h"

typedef struct sloe_layer_sum_rows {
  sloe_layer_rows layers; /* those of network i stand from first[i] to first[i + 1] */
  size_t n_terms, n_traits;
  const size_t *first; /* [n + 1], ascending, first[n] = layers.n */
  const double *y;     /* [n] measured, > 0, ms */
  size_t n;
} sloe_layer_sum_rows;

/* Of one coefficient, ms. usual NAN: nothing draws it anywhere. */
typedef struct sloe_layer_sum_bound {
  double least, usual, most; /* 0 <= least <= most <= INFINITY */
} sloe_layer_sum_bound;

/* 0 takes the value named last, so all zero is a good default. */
typedef struct sloe_layer_sum_options {
  const sloe_layer_sum_bound *bounds;   /* [n_terms]; NULL: at least 0, not drawn */
  const sloe_layer_sum_bound *constant; /* NULL: at least 0, not drawn */
  double spring;      /* networks of 100 % error that being off by the usual value weighs: 0.004 */
  size_t n_sizes;     /* leading traits that say how far a layer is known, at most n_traits */
  int no_trees;       /* 1: the plain sum */
  uint32_t trees;     /* at most, to 2000: 300 */
  uint32_t depth;     /* of a tree, to 8: 6 */
  uint32_t folds;     /* at least 2: 5 */
  double rate;        /* (0, 1]: 0.1 */
  double child;       /* least sum of shares of a leaf: 3 networks */
  double lambda;      /* networks that a leaf's step is drawn to 0 by: 1 */
  double share;       /* of networks that a tree sees, and of traits: 0.8 */
  double limit, fade; /* of the correction (model/layer_sum.h): 1, 0.5 */
  uint64_t seed;
  int threads; /* 0: 1 */
} sloe_layer_sum_options;

typedef struct sloe_layer_sum_report {
  uint32_t trees;      /* that cross-validation chose */
  double error, plain; /* mean |ln(estimate / measured)| of networks left out, with and without
                          trees; NAN: too few networks to leave any out */
  double *out_of_fold; /* [n] of the caller, or NULL: ms of each network by a model made without it
                          (the number of trees was chosen by all); NAN as above */
} sloe_layer_sum_report;

/* Learn. report may be NULL. On failure *out is all zero. Errors: USAGE (sizes, options, a number
   that is not finite, a time that is not positive, bounds that cross), NOMEM. */
sloe_status sloe_layer_sum_fit(const sloe_layer_sum_rows *rows,
                               const sloe_layer_sum_options *options, sloe_layer_sum *out,
                               sloe_layer_sum_report *report, sloe_error *err);

/* ---- the steps ---- */

/* Minimise sum over rows of (weight (1 - a x))^2 with a: [n][d], plus spring ((x_j - usual_j) /
   unit_j)^2 where usual_j is known (unit: usual_j, or what is between the bounds where that is 0),
   least_j <= x_j <= most_j. Deterministic; x is the solution to 1e-12 of its contribution. Errors:
   NOMEM. */
sloe_status sloe_bounded_squares(const double *a, const double *weight, size_t n, size_t d,
                                 const sloe_layer_sum_bound *bounds, double spring, double *x,
                                 sloe_error *err);

#endif
