/* regressor_xgb.c: boosted trees (Chen & Guestrin, "XGBoost", KDD 2016), grown by XGBoost,
 * evaluated by model/learned_trees.c.
 *
 * The exact tree method (by histograms where quick: several times faster) on one thread: its sums
 * over rows are parted by thread, so that two threads would round otherwise than one. It starts
 * from the mean of the target. The trees come over as XGBoost's text, which has every digit that a
 * float needs:
 *
 *   0:[f2<2.45] yes=1,no=2,missing=1
 *     1:leaf=0.43
 *
 * Rejected: its JSON and UBJSON (six further arrays a tree, each as long as this).
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/number.h"
#include "learn/regressors.h"

#ifdef SLOE_HAS_XGBOOST
#include "learn/library.h"
#include "learn/xgb_library.h"
#include "learn/xgb_text.h"

enum { PATIENCE = 10 };

sloe_status sloe_xgb_open(sloe_xgb *out, sloe_error *err) {
  const sloe_library_function functions[] = {
#define FUNCTION(name) {#name, &out->name},
      SLOE_XGB_FUNCTIONS(FUNCTION)
#undef FUNCTION
  };
  return sloe_library_open("libxgboost.so.0", "libxgboost0", functions,
                           sizeof functions / sizeof *functions, err);
}

typedef struct job {
  sloe_xgb x;
  const sloe_learn_task *task;
  const sloe_learn_path *path;
  sloe_learned *m;
  size_t learned; /* rows; those of order behind them are held out */
  uint32_t *order;
  float *z, *t; /* [n][d], [n], in that order */
  DMatrixHandle rows[2];
  size_t n_rows; /* 2: with rows held out */
  BoosterHandle booster;
  sloe_error *err;
} job;

static void fini(job *j) {
  if (j->booster) j->x.XGBoosterFree(j->booster);
  for (size_t k = 0; k < 2; k++)
    if (j->rows[k]) j->x.XGDMatrixFree(j->rows[k]);
  sloe_dealloc(j->order);
  sloe_dealloc(j->z);
  sloe_dealloc(j->t);
}

static sloe_status check(const job *j, int failed) {
  if (!failed) return SLOE_OK;
  const char *said = j->x.XGBGetLastError();
  return sloe_fail(j->err, SLOE_UNSUPPORTED, "xgb: %.*s", (int)strcspn(said, "\n"), said);
}

static sloe_status take_rows(job *j) {
  const size_t n = j->task->n, d = j->task->d;
  j->order = sloe_alloc(n, sizeof *j->order);
  j->z = sloe_alloc(n * d, sizeof *j->z);
  j->t = sloe_alloc(n, sizeof *j->t);
  if (!j->order || !j->z || !j->t)
    return sloe_fail(j->err, SLOE_NOMEM, "out of memory for %zu rows to boost from", n);
  j->learned = n;
  for (size_t i = 0; i < n; i++) j->order[i] = (uint32_t)i;
  if (j->task->hyper[SLOE_XGB_EARLY_STOPPING] != 0)
    j->learned = sloe_hold_out(n, j->task->seed, j->order);
  for (size_t i = 0; i < n; i++) {
    const size_t row = j->order[i];
    j->t[i] = (float)j->task->t[row];
    for (size_t k = 0; k < d; k++) j->z[i * d + k] = (float)j->task->z[row * d + k];
  }
  return SLOE_OK;
}

static sloe_status make_matrix(job *j, size_t from, size_t n) {
  DMatrixHandle *rows = &j->rows[j->n_rows++];
  SLOE_TRY(
      check(j, j->x.XGDMatrixCreateFromMat(j->z + from * j->task->d, n, j->task->d, NAN, rows)));
  return check(j, j->x.XGDMatrixSetFloatInfo(*rows, "label", j->t + from, n));
}

static sloe_status set(const job *j, const char *name, double value) {
  char text[SLOE_NUMBER_BUF];
  return check(j, j->x.XGBoosterSetParam(j->booster, name, sloe_format_double(value, text)));
}

static double mean_of(const job *j) {
  double sum = 0;
  for (size_t i = 0; i < j->learned; i++) sum += j->t[i];
  return (float)(sum / (double)j->learned);
}

static sloe_status set_params(const job *j) {
  const double *h = j->task->hyper;
  SLOE_TRY(check(j, j->x.XGBoosterSetParam(j->booster, "objective", "reg:squarederror")));
  SLOE_TRY(check(
      j, j->x.XGBoosterSetParam(j->booster, "tree_method", j->path->quick ? "hist" : "exact")));
  SLOE_TRY(set(j, "nthread", 1));
  SLOE_TRY(set(j, "verbosity", 0));
  SLOE_TRY(set(j, "seed", (double)(j->task->seed & INT32_MAX)));
  SLOE_TRY(set(j, "base_score", mean_of(j)));
  SLOE_TRY(set(j, "max_depth", h[SLOE_XGB_DEPTH]));
  SLOE_TRY(set(j, "min_child_weight", h[SLOE_XGB_CHILD]));
  SLOE_TRY(set(j, "subsample", h[SLOE_XGB_SUBSAMPLE]));
  SLOE_TRY(set(j, "colsample_bytree", h[SLOE_XGB_COLUMNS]));
  SLOE_TRY(set(j, "gamma", h[SLOE_XGB_GAMMA]));
  return set(j, "eta", h[SLOE_XGB_RATE]);
}

static sloe_status prepare(job *j) {
  SLOE_TRY(take_rows(j));
  SLOE_TRY(make_matrix(j, 0, j->learned));
  if (j->learned < j->task->n) SLOE_TRY(make_matrix(j, j->learned, j->task->n - j->learned));
  SLOE_TRY(check(j, j->x.XGBoosterCreate(j->rows, j->n_rows, &j->booster)));
  return set_params(j);
}

static sloe_status held_out_error(job *j, double *out) {
  bst_ulong n;
  const float *said;
  *out = 0;
  SLOE_TRY(check(j, j->x.XGBoosterPredict(j->booster, j->rows[1], 0, 0, 0, &n, &said)));
  for (size_t i = 0; i < n; i++) *out += pow((double)said[i] - j->t[j->learned + i], 2);
  return SLOE_OK;
}

/* The model of the first `rounds` trees, with the path's next value. */
static sloe_status arrive(job *j, size_t at, size_t rounds) {
  bst_ulong n;
  const char **text;
  sloe_learned *m = j->m;
  SLOE_TRY(check(j, j->x.XGBoosterDumpModel(j->booster, "", 0, &n, &text)));
  SLOE_TRY(sloe_xgb_read_trees(text, rounds < n ? rounds : n, m, j->err));
  m->trees.base = mean_of(j);
  return j->path->arrived(j->path->context, at, m, j->err);
}

/* One tree after the other; `best` of them are the model where rows are held out. */
static sloe_status boost(job *j) {
  const sloe_learn_path *path = j->path;
  const size_t most = (size_t)path->value[path->n - 1];
  size_t at = 0, best = 0;
  double least = INFINITY, now;
  for (size_t i = 0; i < most; i++) {
    SLOE_TRY(check(j, j->x.XGBoosterUpdateOneIter(j->booster, (int)i, j->rows[0])));
    if (j->n_rows < 2) {
      best = i + 1;
    } else {
      SLOE_TRY(held_out_error(j, &now));
      if (now < least || best == 0) best = i + 1;
      if (now < least) least = now;
    }
    if ((double)(i + 1) == path->value[at]) SLOE_TRY(arrive(j, at++, best));
    if (i + 1 - best >= PATIENCE) break;
  }
  for (; at < path->n; at++) SLOE_TRY(arrive(j, at, best));
  return SLOE_OK;
}

static sloe_status fit_path(const sloe_learn_task *task, const sloe_learn_path *path,
                            sloe_learned *m, sloe_error *err) {
  job j = {.task = task, .path = path, .m = m, .err = err};
  sloe_status status;
  SLOE_TRY(sloe_xgb_open(&j.x, err));
  SLOE_GOTO(prepare(&j));
  SLOE_GOTO(boost(&j));
fail:
  fini(&j);
  return status;
}

static sloe_status keep(void *context, size_t i, const sloe_learned *m, sloe_error *err) {
  (void)context;
  (void)i;
  (void)m;
  (void)err;
  return SLOE_OK;
}

static sloe_status fit(const sloe_learn_task *task, sloe_learned *m, sloe_error *err) {
  const sloe_learn_path path = {&task->hyper[SLOE_XGB_ROUNDS], 1, task->quick, keep, NULL};
  return fit_path(task, &path, m, err);
}

static sloe_status open_it(sloe_error *err) {
  sloe_xgb unused;
  return sloe_xgb_open(&unused, err);
}

#else

static sloe_status open_it(sloe_error *err) {
  return sloe_fail(err, SLOE_UNSUPPORTED, "xgb: built without XGBoost (Debian: libxgboost-dev)");
}

static sloe_status fit(const sloe_learn_task *task, sloe_learned *m, sloe_error *err) {
  (void)task;
  (void)m;
  return open_it(err);
}

static sloe_status fit_path(const sloe_learn_task *task, const sloe_learn_path *path,
                            sloe_learned *m, sloe_error *err) {
  (void)path;
  return fit(task, m, err);
}

#endif

#define SLOE_HYPER_OF_XGB
#define H SLOE_HYPER_ROW
static const sloe_hyper hyper[] = {
#include "learn/hyper.def"
};

const sloe_regressor sloe_regressor_xgb = {"xgb", "XGBoost",       hyper,    SLOE_XGB_HYPERS, 0, 1,
                                           fit,   SLOE_XGB_ROUNDS, fit_path, open_it};
