/* regressors.h: the regressors as constants, and the names of their hyperparameters. Private to
 * learn/. */
#ifndef SLOE_LEARN_REGRESSORS_H
#define SLOE_LEARN_REGRESSORS_H

#include "learn/learn.h"

#define R(name) extern const sloe_regressor sloe_regressor_##name;
#include "learn/regressors.def"

/* SLOE_POLY_DEGREE, ...: indices of hyperparameters */
#define SLOE_HYPER_OF_POLY
#define H(id, ...) SLOE_POLY_##id,
enum {
#include "learn/hyper.def"
  SLOE_POLY_HYPERS
};
#undef SLOE_HYPER_OF_POLY
#define SLOE_HYPER_OF_SVR
#define H(id, ...) SLOE_SVR_##id,
enum {
#include "learn/hyper.def"
  SLOE_SVR_HYPERS
};
#undef SLOE_HYPER_OF_SVR
#define SLOE_HYPER_OF_MLP
#define H(id, ...) SLOE_MLP_##id,
enum {
#include "learn/hyper.def"
  SLOE_MLP_HYPERS
};
#undef SLOE_HYPER_OF_MLP
#define SLOE_HYPER_OF_RF
#define H(id, ...) SLOE_RF_##id,
enum {
#include "learn/hyper.def"
  SLOE_RF_HYPERS
};
#undef SLOE_HYPER_OF_RF
#define SLOE_HYPER_OF_XGB
#define H(id, ...) SLOE_XGB_##id,
enum {
#include "learn/hyper.def"
  SLOE_XGB_HYPERS
};
#undef SLOE_HYPER_OF_XGB

/* An element of a table of hyperparameters: #define SLOE_HYPER_OF_X, #define H SLOE_HYPER_ROW,
   include hyper.def. */
#define SLOE_HYPER_ROW(id, name, kind, lo, hi, least, most, value, choices, doc) \
  {name, SLOE_HYPER_##kind, lo, hi, least, most, value, choices, doc},

/* Check and prepare rows, then run(task, m, context); *m is initialised on the way and the caller's
   to free. Errors: of sloe_learn and of `run`. */
typedef sloe_status (*sloe_learn_work)(const sloe_learn_task *task, sloe_learned *m, void *context,
                                       sloe_error *err);
sloe_status sloe_learn_with(const sloe_regressor *r, const sloe_learn_rows *rows,
                            const sloe_learn_options *options, sloe_learn_work run, void *context,
                            sloe_learned *m, sloe_error *err);

/* Fit along the regressor's path: what arrives is what sloe_learn gives for that value, but for
   `quick`. options->hyper[r->along] means nothing. Errors: of sloe_learn and of `arrived`. */
sloe_status sloe_learn_along(const sloe_regressor *r, const sloe_learn_rows *rows,
                             const sloe_learn_options *options, const sloe_learn_path *path,
                             sloe_error *err);

/* Rows held out to say when to end: a tenth, at least one. Fills order[n] with the rows, those held
   out last, and returns how many are left to learn from. */
size_t sloe_hold_out(size_t n, uint64_t seed, uint32_t *order);

#endif
