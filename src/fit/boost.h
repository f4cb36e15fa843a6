/* boost.h: gradient-boosted oblivious trees (model/forest.h), for what staircases leave over.
 *
 *   sloe_boost boost; sloe_error err;
 *   sloe_boost_train(x, residual, NULL, n, 12, NULL, &boost, &err);
 *   if (boost.cv_error < boost.cv_constant) ... sloe_forest_eval(&boost.forest, row) ...
 *   sloe_boost_fini(&boost);
 *
 * Squared loss. Each tree is fitted to what the trees before it left, its questions found level by
 * level from histograms over at most 64 quantile bins a feature, its leaves shrunk by `lambda` and
 * `rate`. How many trees: K-fold cross-validation, all folds side by side tree by tree, until
 * the error over all rows has not fallen for `patience` trees; then the best number of trees is
 * grown on all rows. Where no tree helps, that number is 0 and the forest a constant.
 *
 * Deterministic: the same rows, parameters and seed give the same forest, bit by bit.
 *
 * Idea: Friedman, "Greedy function approximation", Annals of Statistics 29(5), 2001; oblivious
 * trees as in Prokhorenkova et al., "CatBoost", NeurIPS 2018.
 */
#ifndef SLOE_FIT_BOOST_H
#define SLOE_FIT_BOOST_H

#include "model/model.h"

/* 0 takes the value named last (docs/notes/boost.md), so all zero is a good default. */
typedef struct sloe_boost_params {
  uint32_t trees;       /* at most, 1 to SLOE_FOREST_TREES: 128 */
  uint32_t depth;       /* 1 to SLOE_FOREST_DEPTH: 4 */
  uint32_t bins;        /* of a feature, 2 to 64: 64 */
  uint32_t folds;       /* 5; 1: no cross-validation, all `trees` are grown */
  uint32_t patience;    /* trees without a gain before the search ends: 20 */
  double rate;          /* (0, 1]: 0.1 */
  double lambda;        /* > 0, in rows of mean weight: 1 */
  double row_share;     /* (0, 1], of the rows that a tree sees: 0.8 */
  double feature_share; /* (0, 1], of the features that a tree may ask for: 0.8 */
  uint64_t seed;        /* of folds and shares; 0 is a seed like others */
} sloe_boost_params;

typedef struct sloe_boost {
  sloe_forest forest;
  size_t n;
  double *out_of_fold; /* [n]: each row predicted by trees that have not seen it; NULL: folds = 1 */
  double cv_error;     /* weighted RMS of y - out_of_fold; NAN: no cross-validation */
  double cv_constant;  /* the same for a forest without trees */
  void *memory;        /* the forest's arrays */
} sloe_boost;

/* `in` (NULL: all zero) with every 0 replaced; USAGE where a value is outside its range. */
sloe_status sloe_boost_params_fill(const sloe_boost_params *in, sloe_boost_params *out,
                                   sloe_error *err);

/* x: n rows of n_features numbers, y: what they should give, weight: >= 0, not all 0; NULL: all 1.
   With fewer rows than folds there are as many folds as rows; a single row gives a constant. On
   failure *out is all zero. Errors: USAGE (sizes, params, a number that is not finite as a float),
   NOMEM. */
sloe_status sloe_boost_train(const double *x, const double *y, const double *weight, size_t n,
                             size_t n_features, const sloe_boost_params *params, sloe_boost *out,
                             sloe_error *err);

/* What cross-validation alone says. out_of_fold[n] as above: at least two rows and two folds. The
   number of trees was chosen by the same folds, which flatters its error a very little. */
typedef struct sloe_boost_cv_result {
  uint32_t trees; /* the best number */
  double error, constant;
} sloe_boost_cv_result;

sloe_status sloe_boost_cv(const double *x, const double *y, const double *weight, size_t n,
                          size_t n_features, const sloe_boost_params *params, double *out_of_fold,
                          sloe_boost_cv_result *out, sloe_error *err);

void sloe_boost_fini(sloe_boost *boost); /* takes what is all zero */

#endif
