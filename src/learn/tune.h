/* tune.h: hyperparameters by grid search and K-fold cross-validation (Bouzidi et al. 2022, 4.3 and
 * appendix A).
 *
 *   sloe_tuned tuned; sloe_error err;
 *   const sloe_tune_options options = {.log_target = 1, .group = network, .threads = 2,
 *                                      .journal = "nano.tune"};
 *   sloe_tune(sloe_regressor_find("xgb"), &rows, &options, &tuned, &err);
 *   ... sloe_learn with tuned.hyper, intervals from tuned.estimated ...
 *   sloe_tuned_fini(&tuned);
 *
 * The grid. Each hyperparameter has levels, both ends of its range in table 15 and its default
 * among them. A grid of no more than twice the points asked for is taken whole (poly), of others a
 * draw in which each level comes equally often, the defaults first; what has no effect (gamma of a
 * linear SVR) does not make two points. Around the best of them its neighbours are then tried, and
 * theirs, while that helps.
 *
 * Paths. Points that differ in one hyperparameter only share a fit: the lambdas of a degree one
 * decomposition, boosting rounds, trees of a forest and epochs of an MLP the longest run. What a
 * shorter run would have said is what the longer one said on its way. The costs C of an SVR stand
 * in one path too, from low to high, so that time that runs out does so once.
 *
 * Racing. All points see the first fold, long runs only where the short ones did well; half of them
 * at most see the second, a quarter the others; the defaults see all. Which ones is decided when
 * all have arrived, so that the answer is the same for any number of processes. Points left behind
 * are listed with how far they came.
 *
 * Each fit runs in a process of its own: libsvm cannot be stopped from inside, a library that dies
 * does not take the caller along, and memory comes back. A fit whose processor time is over the
 * limit is ended; the points that it has not come to are listed as out of time. That alone may
 * depend on the machine.
 *
 * The journal is a text file, a line for each point and fold, behind a hash of rows, options and
 * regressor, so that one file serves all regressors and targets of a training; lines of other
 * hashes are left alone, damaged ones passed over. What stands in it is not fitted again.
 */
#ifndef SLOE_LEARN_TUNE_H
#define SLOE_LEARN_TUNE_H

#include "learn/learn.h"

typedef struct sloe_tune_progress {
  const char *regressor;
  size_t done, total;      /* fits; total is a guess until the race is over, and falls */
  double best_mape;        /* per cent, of the points that came farthest; NAN: none yet */
  double elapsed_s, eta_s; /* NAN: unknown */
} sloe_tune_progress;

/* All zero is a good default. */
typedef struct sloe_tune_options {
  int log_inputs, log_target, plain_target; /* as in sloe_learn_options */
  uint64_t seed;                            /* of folds, draws and fits */
  int threads;         /* processes at a time; 0: 1. The answer is the same for any number */
  size_t folds;        /* 0: 5 */
  const size_t *group; /* [n]: rows of one number stay in one fold; NULL: each row alone */
  size_t points;       /* at least so many; 0: 200 */
  double limit_s;      /* processor time from one point of a path to the next; 0: 5 s for up to
                          1500 rows, growing with the square of rows above */
  int no_racing;       /* every point sees every fold */
  int no_neighbours;   /* the grid alone */
  const char *journal; /* path; NULL: none */
  void (*progress)(void *context, const sloe_tune_progress *progress); /* by the caller's thread */
  int (*stop)(void *context); /* not 0: stop, the journal keeps what is done */
  void *context;
} sloe_tune_options;

typedef enum sloe_tune_end {
  SLOE_TUNE_FINISHED, /* saw every fold */
  SLOE_TUNE_BEHIND,   /* abandoned: far behind others */
  SLOE_TUNE_LATE,     /* out of time */
  SLOE_TUNE_FAILED    /* no solution, or none that is a number */
} sloe_tune_end;

typedef struct sloe_tune_point {
  double hyper[SLOE_HYPER_MOST];
  double mape;  /* per cent, over the rows of the folds seen; NAN: none */
  size_t folds; /* seen */
  sloe_tune_end end;
} sloe_tune_point;

typedef struct sloe_tuned {
  double hyper[SLOE_HYPER_MOST]; /* of the finished point of least MAPE, the first of equals */
  double mape, mape_ci95;        /* per cent, over all rows, each estimated by a model of the folds
                                    that it is not in */
  size_t n;
  double *estimated; /* [n] those estimates, in the unit of y */
  size_t *fold;      /* [n] */
  size_t n_points;
  sloe_tune_point *point;  /* [n_points] in the order of the grid, neighbours behind */
  size_t n_end[4];         /* of n_points, by sloe_tune_end */
  size_t n_fits, n_reused; /* fits in all; of those, found in the journal */
  double seconds;          /* this call's */
  double fit_seconds;      /* processor time of all fits, those of the journal included */
} sloe_tuned;

/* On failure *out is all zero. Errors: USAGE (rows, as of sloe_learn; y not positive; fewer groups
   than folds), FORMAT (the journal's path is a file of another kind), IO (journal, no process can
   be made), UNSUPPORTED (no point could be fitted, with the reason of the last), NOMEM, STOPPED. */
sloe_status sloe_tune(const sloe_regressor *regressor, const sloe_learn_rows *rows,
                      const sloe_tune_options *options, sloe_tuned *out, sloe_error *err);
void sloe_tuned_fini(sloe_tuned *tuned); /* takes what is all zero */

/* Cross-validation alone: estimated[n], each row by a model of the folds that it is not in.
   hyper NULL: the defaults. `points`, racing and `journal` mean nothing here. Errors: as above. */
sloe_status sloe_cross_validate(const sloe_regressor *regressor, const sloe_learn_rows *rows,
                                const sloe_tune_options *options, const double *hyper,
                                double *estimated, sloe_error *err);

/* Groups in random order, each into the fold that has the fewest rows yet: fold[n] below n_folds.
   Errors: USAGE (fewer groups than folds, no fold), NOMEM. */
sloe_status sloe_tune_folds(size_t n, const size_t *group, size_t n_folds, uint64_t seed,
                            size_t *fold, sloe_error *err);

#endif
