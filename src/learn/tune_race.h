/* tune_race.h: which points see which folds. Private to learn/. */
#ifndef SLOE_LEARN_TUNE_RACE_H
#define SLOE_LEARN_TUNE_RACE_H

#include "learn/tune_grid.h"
#include "learn/tune_journal.h"

/* How a point stands. */
typedef struct sloe_tune_place {
  size_t family, at;
  size_t folds; /* seen: the first so many */
  double sum;   /* of |e / y - 1| over their rows */
  int out;      /* not to be fitted again; `end` says why */
  sloe_tune_end end;
} sloe_tune_place;

typedef struct sloe_tuner {
  const sloe_regressor *r;
  const sloe_learn_rows *rows;
  const sloe_tune_options *options;
  size_t n_folds;
  size_t *fold;      /* [n] */
  size_t *fold_rows; /* [n_folds] */
  double limit_s;
  sloe_tune_grid grid;
  sloe_journal journal;
  sloe_tune_place *place;     /* [grid.n_points] */
  double *first;              /* [grid.n_points][n_folds]: sums by fold */
  size_t n_places;            /* of which those two have room */
  size_t done, total, reused; /* fits */
  double started, fit_seconds;
  sloe_error why; /* of the last point that could not be fitted */
} sloe_tuner;

/* The grid, then neighbours of its best. Errors: as of sloe_tune. */
sloe_status sloe_tune_race(sloe_tuner *t, sloe_error *err);

/* The finished point of least MAPE; SIZE_MAX: none. */
size_t sloe_tune_best(const sloe_tuner *t);
/* Per cent over the first n folds; NAN: it has not seen so many. */
double sloe_tune_mape(const sloe_tuner *t, size_t point, size_t n_folds);

/* Tells progress, asks whether to stop. Errors: STOPPED. */
sloe_status sloe_tune_tell(const sloe_tuner *t, sloe_error *err);

#endif
