#include "learn/tune.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "learn/regressors.h"
#include "learn/tune_clock.h"
#include "learn/tune_race.h"

enum { FOLDS = 5, POINTS = 200, FOLDS_MOST = 1000, LIMITED_ROWS = 1500 };
static const double usual_limit_s = 5;

/* ---- before ---- */

static sloe_status nothing(const sloe_learn_task *task, sloe_learned *m, void *context,
                           sloe_error *err) {
  (void)task;
  (void)m;
  (void)context;
  (void)err;
  return SLOE_OK;
}

/* What sloe_learn refuses is refused here, and not by each child. */
static sloe_status check(const sloe_regressor *r, const sloe_learn_rows *rows,
                         const sloe_tune_options *o, const double *hyper, sloe_error *err) {
  const sloe_learn_options options = {
      .hyper = hyper, .log_inputs = o->log_inputs, .log_target = o->log_target};
  sloe_learned m = {0};
  const sloe_status status = sloe_learn_with(r, rows, &options, nothing, NULL, &m, err);
  sloe_learned_fini(&m);
  SLOE_TRY(status);
  for (size_t i = 0; i < rows->n; i++)
    if (!(rows->y[i] > 0))
      return sloe_fail(err, SLOE_USAGE, "%s: the target of row %zu is not positive, as MAPE needs",
                       r->name, i + 1);
  if (o->folds > FOLDS_MOST)
    return sloe_fail(err, SLOE_USAGE, "%zu folds, at most %d are possible", o->folds, FOLDS_MOST);
  return r->open ? r->open(err) : SLOE_OK;
}

static void fini(sloe_tuner *t) {
  sloe_dealloc(t->fold);
  sloe_dealloc(t->fold_rows);
  sloe_dealloc(t->place);
  sloe_dealloc(t->first);
  sloe_tune_grid_fini(&t->grid);
  sloe_journal_close(&t->journal);
}

static sloe_status make_folds(sloe_tuner *t, sloe_error *err) {
  const sloe_tune_options *o = t->options;
  t->n_folds = o->folds ? o->folds : FOLDS;
  t->fold = sloe_alloc(t->rows->n, sizeof *t->fold);
  t->fold_rows = sloe_alloc(t->n_folds, sizeof *t->fold_rows);
  if (!t->fold || !t->fold_rows)
    return sloe_fail(err, SLOE_NOMEM, "out of memory for folds of %zu rows", t->rows->n);
  SLOE_TRY(sloe_tune_folds(t->rows->n, o->group, t->n_folds, o->seed, t->fold, err));
  memset(t->fold_rows, 0, t->n_folds * sizeof *t->fold_rows);
  for (size_t i = 0; i < t->rows->n; i++) t->fold_rows[t->fold[i]]++;
  return SLOE_OK;
}

static double limit_of(const sloe_tune_options *o, size_t n) {
  const double more = n > LIMITED_ROWS ? (double)n / LIMITED_ROWS : 1;
  return o->limit_s > 0 ? o->limit_s : usual_limit_s * more * more;
}

/* Of all that an answer of a fit depends on, but for the point and the fold. */
static uint64_t key_of(const sloe_tuner *t) {
  const sloe_tune_options *o = t->options;
  const size_t n = t->rows->n, d = t->rows->d;
  uint64_t key[16] = {n,
                      d,
                      (uint64_t)(o->log_inputs != 0),
                      (uint64_t)(o->log_target != 0),
                      (uint64_t)(o->plain_target != 0),
                      o->seed};
  memcpy(&key[6], &t->limit_s, sizeof t->limit_s);
  key[7] = sloe_hash64(t->rows->x, n * d * sizeof *t->rows->x);
  key[8] = sloe_hash64(t->rows->y, n * sizeof *t->rows->y);
  key[9] = sloe_hash64(t->fold, n * sizeof *t->fold);
  key[10] = sloe_hash64(t->r->name, strlen(t->r->name));
  key[11] = sloe_hash64(sloe_version(), strlen(sloe_version()));
  return sloe_hash64(key, sizeof key);
}

static sloe_status prepare(sloe_tuner *t, sloe_error *err) {
  const sloe_tune_options *o = t->options;
  SLOE_TRY(check(t->r, t->rows, o, NULL, err));
  SLOE_TRY(make_folds(t, err));
  t->limit_s = limit_of(o, t->rows->n);
  SLOE_TRY(sloe_tune_grid_init(t->r, o->points ? o->points : POINTS, o->seed, &t->grid, err));
  return sloe_journal_open(o->journal, key_of(t), &t->journal, err);
}

/* ---- estimates of rows by models that have not seen them ---- */

static sloe_status tell(void *context, sloe_fit_task *task, sloe_error *err) {
  sloe_tuner *t = context;
  if (task) {
    t->done++;
    t->fit_seconds += task->seconds;
  }
  return sloe_tune_tell(t, err);
}

static sloe_status estimate(sloe_tuner *t, const double *hyper, double limit_s, double *estimated,
                            sloe_error *err) {
  const sloe_fit_job job = {.r = t->r,
                            .rows = t->rows,
                            .options = t->options,
                            .fold = t->fold,
                            .limit_s = limit_s,
                            .estimated = estimated,
                            .done = tell,
                            .context = t};
  sloe_fit_task *task = sloe_alloc(t->n_folds, sizeof *task);
  if (!task) return sloe_fail(err, SLOE_NOMEM, "out of memory for %zu fits", t->n_folds);
  for (size_t k = 0; k < t->n_folds; k++)
    task[k] = (sloe_fit_task){.hyper = hyper, .path = {hyper[t->r->along]}, .n = 1, .fold = k};
  t->total = t->done + t->n_folds;
  sloe_status status = sloe_fit_all(&job, task, t->n_folds, err);
  for (size_t k = 0; k < t->n_folds && status == SLOE_OK; k++)
    if (task[k].answer[0].state != SLOE_FIT_ARRIVED)
      status = sloe_fail(err, SLOE_UNSUPPORTED, "fold %zu: %s", k + 1,
                         task[k].why.msg[0] ? task[k].why.msg : "an estimate is not finite");
  sloe_dealloc(task);
  return status;
}

/* MAPE, and half of its 95 % confidence interval, as learn.h has them. */
static void errors_of(const sloe_learn_rows *rows, const double *estimated, double *mape,
                      double *ci95) {
  const double n = (double)rows->n;
  double sum = 0, squares = 0;
  for (size_t i = 0; i < rows->n; i++) sum += fabs(estimated[i] / rows->y[i] - 1);
  for (size_t i = 0; i < rows->n; i++)
    squares += pow(fabs(estimated[i] / rows->y[i] - 1) - sum / n, 2);
  *mape = 100 * sum / n;
  *ci95 = 100 * 1.96 * sqrt(squares / (n - 1) / n);
}

sloe_status sloe_cross_validate(const sloe_regressor *regressor, const sloe_learn_rows *rows,
                                const sloe_tune_options *options, const double *hyper,
                                double *estimated, sloe_error *err) {
  static const sloe_tune_options none;
  sloe_tuner t = {.r = regressor, .rows = rows, .options = options ? options : &none};
  double values[SLOE_HYPER_MOST];
  sloe_status status;
  t.journal.fd = -1;
  t.started = sloe_tune_now();
  sloe_hyper_defaults(regressor, values);
  if (hyper) memcpy(values, hyper, regressor->n_hyper * sizeof *values);
  SLOE_GOTO(check(regressor, rows, t.options, values, err));
  SLOE_GOTO(make_folds(&t, err));
  SLOE_GOTO(estimate(&t, values, t.options->limit_s, estimated, err));
fail:
  fini(&t);
  return status;
}

/* ---- after ---- */

static void point_of(const sloe_tuner *t, size_t i, sloe_tune_point *out) {
  const sloe_tune_place *p = &t->place[i];
  const sloe_tune_family *f = &t->grid.family[p->family];
  *out = (sloe_tune_point){.mape = sloe_tune_mape(t, i, p->folds),
                           .folds = p->folds,
                           .end = p->out ? p->end : SLOE_TUNE_FINISHED};
  memcpy(out->hyper, f->hyper, sizeof out->hyper);
  out->hyper[t->r->along] = f->path[p->at];
}

static sloe_status take(sloe_tuner *t, sloe_tuned *out, sloe_error *err) {
  const size_t best = sloe_tune_best(t), n = t->rows->n;
  if (best == SIZE_MAX)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: no point of the grid could be fitted: %s",
                     t->r->name, t->why.msg);
  out->n_points = t->n_places;
  out->point = sloe_alloc(t->n_places, sizeof *out->point);
  out->n = n;
  out->estimated = sloe_alloc(n, sizeof *out->estimated);
  out->fold = sloe_alloc(n, sizeof *out->fold);
  if (!out->point || !out->estimated || !out->fold)
    return sloe_fail(err, SLOE_NOMEM, "out of memory for what tuning found");
  memcpy(out->fold, t->fold, n * sizeof *out->fold);
  for (size_t i = 0; i < t->n_places; i++) {
    point_of(t, i, &out->point[i]);
    out->n_end[out->point[i].end]++;
  }
  memcpy(out->hyper, out->point[best].hyper, sizeof out->hyper);
  SLOE_TRY(estimate(t, out->hyper, 0, out->estimated, err));
  errors_of(t->rows, out->estimated, &out->mape, &out->mape_ci95);
  out->n_fits = t->done;
  out->n_reused = t->reused;
  out->seconds = sloe_tune_now() - t->started;
  out->fit_seconds = t->fit_seconds;
  return SLOE_OK;
}

sloe_status sloe_tune(const sloe_regressor *regressor, const sloe_learn_rows *rows,
                      const sloe_tune_options *options, sloe_tuned *out, sloe_error *err) {
  static const sloe_tune_options none;
  sloe_tuner t = {.r = regressor, .rows = rows, .options = options ? options : &none};
  sloe_tuned tuned = {0};
  sloe_status status;
  *out = tuned;
  t.journal.fd = -1;
  t.started = sloe_tune_now();
  SLOE_GOTO(prepare(&t, err));
  SLOE_GOTO(sloe_tune_race(&t, err));
  SLOE_GOTO(take(&t, &tuned, err));
  *out = tuned;
fail:
  if (status != SLOE_OK) sloe_tuned_fini(&tuned);
  fini(&t);
  return status;
}

void sloe_tuned_fini(sloe_tuned *tuned) {
  sloe_dealloc(tuned->estimated);
  sloe_dealloc(tuned->fold);
  sloe_dealloc(tuned->point);
  *tuned = (sloe_tuned){0};
}
