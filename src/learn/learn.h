/* learn.h: regressors, and how far estimates are from measurements.
 *
 *   sloe_learned model; sloe_error err;
 *   const sloe_learn_rows rows = {x, y, n, d};
 *   sloe_learn(sloe_regressor_find("rf"), &rows, &(sloe_learn_options){.log_target = 1}, &model,
 * &err); double ms = sloe_learned_predict(&model, row);     (model/learned.h)
 *   sloe_learned_fini(&model);
 *
 * Errors of estimates:
 *
 * With y measured, e estimated, over n rows:
 *
 *   mape            mean |e - y| / y                    mae    mean |e - y|
 *   mape_constant   the same with e = the constant c that makes it least on these very rows: the
 *                   median of y, each y weighted by 1 / y. What knows nothing reaches that.
 *   mape_ci95       1.96 sd(|e - y| / y) / sqrt(n)      rmse   sqrt(mean (e - y)^2)
 *   mpe, mpe_sd     mean and sd of (e - y) / y          rmspe  sqrt(mean ((e - y) / y)^2)
 *   max_ape, min_ape, within_10                         of |e - y| / y; 10 % itself is within
 *   kendall         tau-b: (concordant - discordant) / sqrt(pairs untied in y * in e)
 *   pearson         Pearson's product-moment correlation
 *   coverage_90     share of rows with low <= y <= high, among those that have an interval
 *   interval_width_median   median of (high - low) / e, among the same
 *
 * sd divides by n - 1. Ratios are in per cent. NAN: no rows; one row for sd and correlations; all
 * values equal for correlations; no row with an interval for the last two.
 */
#ifndef SLOE_LEARN_LEARN_H
#define SLOE_LEARN_LEARN_H

#include "learn/layer_sum_fit.h"
#include "model/model.h"

/* ---- regressors: Bouzidi et al. 2022, tables 6 to 15 ---- */

typedef enum sloe_hyper_kind {
  SLOE_HYPER_INT,
  SLOE_HYPER_REAL,
  SLOE_HYPER_LOG,
  SLOE_HYPER_CHOICE,
  SLOE_HYPER_FLAG
} sloe_hyper_kind;

/* A hyperparameter, a row of hyper.def. */
typedef struct sloe_hyper {
  const char *name;
  sloe_hyper_kind kind;
  double lo, hi;       /* the range of table 15, both ends in it */
  double least, most;  /* what is accepted */
  double value;        /* the default */
  const char *choices; /* of a CHOICE: names between blanks; the value is the index of one */
  const char *doc;
} sloe_hyper;

enum { SLOE_HYPER_MOST = 16 };

typedef struct sloe_learn_rows {
  const double *x; /* [n][d] */
  const double *y; /* [n] */
  size_t n, d;
} sloe_learn_rows;

/* All zero is what the paper did, but for the scale of the target. */
typedef struct sloe_learn_options {
  const double *hyper; /* [n_hyper] of the regressor; NULL: the defaults */
  int log_inputs;      /* learn from sign(x) ln(1 + |x|) */
  int log_target;      /* learn ln(y); every y > 0 */
  int plain_target; /* svr, mlp and xgb see y as it is, as the paper's did; else brought to mean 0
                       and deviation 1, so that epsilon and gamma mean the same for any unit */
  uint64_t seed;
  int threads; /* 0: 1. The model is the same for any number */
  int quick;   /* a fit that is faster and nearly the same may stand in: xgb by histograms */
} sloe_learn_options;

/* What a regressor's own part is given: inputs of mean 0 and deviation 1 (trees: as they are), the
   target after logarithm and scaling. */
typedef struct sloe_learn_task {
  const double *z; /* [n][d] */
  const double *t; /* [n] */
  size_t n, d;
  const double *hyper;
  uint64_t seed;
  int threads, quick;
} sloe_learn_task;

/* Several values of one hyperparameter, in ascending order, on the way of one fit. */
typedef struct sloe_learn_path {
  const double *value; /* [n] */
  size_t n;
  int quick; /* as of options */
  /* The model of value[i], good until it returns. */
  sloe_status (*arrived)(void *context, size_t i, const sloe_learned *model, sloe_error *err);
  void *context;
} sloe_learn_path;

typedef struct sloe_regressor {
  const char *name, *title;
  const sloe_hyper *hyper;
  size_t n_hyper;
  int scales_inputs, scales_target;
  /* Fills kind and body of *model, which is initialised. */
  sloe_status (*fit)(const sloe_learn_task *task, sloe_learned *model, sloe_error *err);
  size_t along; /* the hyperparameter of its path; task->hyper holds the last value there */
  /* NULL: a fit for each value. */
  sloe_status (*fit_path)(const sloe_learn_task *task, const sloe_learn_path *path,
                          sloe_learned *model, sloe_error *err);
  sloe_status (*open)(sloe_error *err); /* finds the library that fits; NULL: none is needed */
} sloe_regressor;

/* In the order of regressors.def; NULL: no such one. */
const sloe_regressor *sloe_regressor_at(size_t i);
const sloe_regressor *sloe_regressor_find(const char *name);

void sloe_hyper_defaults(const sloe_regressor *regressor, double *values);
/* Sets values[i] of the hyperparameter `name` to what `text` says: a number, a choice's name, yes
   or no. Errors: USAGE (no such name, no number, outside what is accepted). */
sloe_status sloe_hyper_set(const sloe_regressor *regressor, const char *name, const char *text,
                           double *values, sloe_error *err);

/* Learn. The same rows, options and seed give the same model, bit by bit. On failure *out is all
   zero. Errors: USAGE (sizes, hyperparameters, a number that is not finite, a logarithm of what is
   not positive), UNSUPPORTED (no solution, a library that is not there), NOMEM. */
sloe_status sloe_learn(const sloe_regressor *regressor, const sloe_learn_rows *rows,
                       const sloe_learn_options *options, sloe_learned *out, sloe_error *err);

/* Poly for many lambdas from one decomposition: estimated[i * n + row] is what the model of
   lambdas[i] would say of the row had it not seen it (leave-one-out, in closed form), in the unit
   of y. options->hyper gives the degree. Errors: as of sloe_learn. */
sloe_status sloe_poly_leave_one_out(const sloe_learn_rows *rows, const sloe_learn_options *options,
                                    const double *lambdas, size_t n_lambdas, double *estimated,
                                    sloe_error *err);

/* ---- errors ---- */

typedef struct sloe_error_rows {
  size_t n;
  const double *measured;   /* > 0 and finite */
  const double *estimated;  /* > 0 and finite */
  const double *low, *high; /* NAN: no interval. NULL: none has one */
} sloe_error_rows;

/* Fills `n` and every error of *out and leaves its other members alone. Errors: USAGE (a value that
   is not as said above), NOMEM; *out then holds NAN. */
sloe_status sloe_errors_of(const sloe_error_rows *rows, sloe_errors *out, sloe_error *err);

/* Kendall's tau-b of n pairs in O(n log n); NAN where it is not defined. Errors: NOMEM. */
sloe_status sloe_kendall(const double *x, const double *y, size_t n, double *out, sloe_error *err);

/* ---- tuning and selection: headers of their own ---- */

#include "learn/stepwise.h"
#include "learn/tune.h"

#endif
