/* stepwise.h: forward stepwise selection of features (Bouzidi et al. 2022, 3.3 and figure 8).
 *
 * XGBoost learns from all features; a feature's F-score is how many splits ask for it. From the
 * highest score on, features are added one by one to those that a regressor learns from, and its
 * cross-validated MAPE is taken each time; the first that brings no improvement ends it, and is not
 * taken. Equal scores: the first of the features first.
 */
#ifndef SLOE_LEARN_STEPWISE_H
#define SLOE_LEARN_STEPWISE_H

#include "learn/learn.h"

typedef struct sloe_tune_options sloe_tune_options; /* tune.h */

/* All zero is what the paper did. */
typedef struct sloe_select_options {
  const double *hyper;     /* of the regressor; NULL: the defaults */
  const double *xgb_hyper; /* of the ranking; NULL: the defaults */
  size_t patience;         /* further features that may bring nothing before it ends */
  double least_gain;       /* of MAPE, per cent of it: less is no improvement */
  int whole;               /* go on to the last feature, for the figure; the choice is the same */
} sloe_select_options;

typedef struct sloe_select_step {
  size_t feature;
  double score;     /* splits that ask for it */
  double mape;      /* per cent, cross-validated, with it and all before it; NAN: not tried */
  double mape_ci95; /* per cent */
  int chosen;
} sloe_select_step;

typedef struct sloe_selection {
  size_t n_steps;         /* all features */
  sloe_select_step *step; /* [n_steps], highest score first: what figure 8 draws */
  size_t n_chosen;
  size_t *chosen; /* [n_chosen], ascending: columns of rows->x */
  double mape;    /* of the chosen */
} sloe_selection;

/* `tune` says how it is cross-validated: preparation, folds, groups, processes, limit, progress (in
   steps). On failure *out is all zero. Errors: as of sloe_cross_validate; UNSUPPORTED without
   XGBoost. */
sloe_status sloe_select(const sloe_regressor *regressor, const sloe_learn_rows *rows,
                        const sloe_tune_options *tune, const sloe_select_options *options,
                        sloe_selection *out, sloe_error *err);
void sloe_selection_fini(sloe_selection *selection); /* takes what is all zero */

/* The columns `chosen` of x: out[n][n_chosen]. */
void sloe_select_columns(const sloe_learn_rows *rows, const size_t *chosen, size_t n_chosen,
                         double *out);

#endif
