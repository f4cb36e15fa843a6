/* tune_fit.h: fits of cross-validation, each in a process of its own. Private to learn/.
 *
 * A child is forked, learns from the rows of all folds but one, writes what it says of that fold
 * into a pipe as it goes along its path, and ends itself by SIGKILL: nothing of the caller's (its
 * buffers, its exit handlers) is to run twice. A timer of processor time ends it when a step of the
 * path takes too long. All threads but the calling one are not there in the child: libraries must
 * not wait for theirs, and do not, since each is told to use one thread.
 */
#ifndef SLOE_LEARN_TUNE_FIT_H
#define SLOE_LEARN_TUNE_FIT_H

#include "learn/learn.h"

enum { SLOE_FIT_PATH = 20 }; /* values of a path */

typedef enum sloe_fit_state {
  SLOE_FIT_NONE,    /* not asked yet */
  SLOE_FIT_ARRIVED, /* sum is there */
  SLOE_FIT_LATE,
  SLOE_FIT_FAILED
} sloe_fit_state;

/* One value of a path, one fold. */
typedef struct sloe_fit_answer {
  sloe_fit_state state;
  double sum; /* of |e / y - 1| over the rows of the fold */
} sloe_fit_answer;

typedef struct sloe_fit_task {
  const double *hyper;        /* but for the path's */
  double path[SLOE_FIT_PATH]; /* [n] ascending */
  size_t n, fold;
  size_t place[SLOE_FIT_PATH]; /* the caller's */
  size_t family;               /* the caller's */
  /* answers */
  sloe_fit_answer answer[SLOE_FIT_PATH]; /* [n] */
  double seconds;                        /* of processor time */
  sloe_error why;                        /* of FAILED and LATE; NOMEM, IO: to be passed on */
} sloe_fit_task;

typedef struct sloe_fit_job {
  const sloe_regressor *r;
  const sloe_learn_rows *rows;
  const sloe_tune_options *options;
  const size_t *fold; /* [n] */
  double limit_s;     /* 0: none */
  int quick;
  double *estimated; /* [n]: filled for the rows of each task's fold, from its last value; NULL */
  /* After each task, and at least every second or so with NULL. Not SLOE_OK: all are ended. */
  sloe_status (*done)(void *context, sloe_fit_task *task, sloe_error *err);
  void *context;
} sloe_fit_job;

/* Errors: IO (no process), NOMEM, those of `done`. */
sloe_status sloe_fit_all(const sloe_fit_job *job, sloe_fit_task *tasks, size_t n, sloe_error *err);

#endif
