#include "learn/stepwise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "learn/regressors.h"
#include "learn/tune_clock.h"

void sloe_select_columns(const sloe_learn_rows *rows, const size_t *chosen, size_t n_chosen,
                         double *out) {
  for (size_t i = 0; i < rows->n; i++)
    for (size_t k = 0; k < n_chosen; k++) out[i * n_chosen + k] = rows->x[i * rows->d + chosen[k]];
}

/* ---- ranking ---- */

static int by_score(const void *a, const void *b) {
  const sloe_select_step *p = a, *q = b;
  if (p->score != q->score) return p->score > q->score ? -1 : 1;
  return (p->feature > q->feature) - (p->feature < q->feature);
}

static sloe_status rank(const sloe_learn_rows *rows, const sloe_tune_options *tune,
                        const double *hyper, sloe_select_step *step, sloe_error *err) {
  const sloe_learn_options options = {.hyper = hyper,
                                      .log_inputs = tune->log_inputs,
                                      .log_target = tune->log_target,
                                      .plain_target = tune->plain_target,
                                      .seed = tune->seed};
  sloe_learned m;
  SLOE_TRY(sloe_learn(&sloe_regressor_xgb, rows, &options, &m, err));
  for (size_t j = 0; j < rows->d; j++)
    step[j] = (sloe_select_step){.feature = j, .mape = NAN, .mape_ci95 = NAN};
  for (uint32_t i = 0; i < m.trees.n_nodes; i++)
    step[m.trees.node[i].input].score += m.trees.node[i].left != i;
  sloe_learned_fini(&m);
  qsort(step, rows->d, sizeof *step, by_score);
  return SLOE_OK;
}

/* ---- one step ---- */

typedef struct selector {
  const sloe_regressor *r;
  const sloe_learn_rows *rows;
  const sloe_tune_options *tune;
  sloe_tune_options inner; /* of a step, whose progress is not told */
  const sloe_select_options *options;
  double *x, *estimated; /* [n][d] the columns so far; [n] */
  size_t *column;        /* [d] in the order of the ranking */
} selector;

static void selector_fini(selector *s) {
  sloe_dealloc(s->x);
  sloe_dealloc(s->estimated);
  sloe_dealloc(s->column);
}

static sloe_status reserve(selector *s, sloe_error *err) {
  const size_t n = s->rows->n, d = s->rows->d;
  s->x = n <= SIZE_MAX / d ? sloe_alloc(n * d, sizeof *s->x) : NULL;
  s->estimated = sloe_alloc(n, sizeof *s->estimated);
  s->column = sloe_alloc(d, sizeof *s->column);
  if (s->x && s->estimated && s->column) return SLOE_OK;
  return sloe_fail(err, SLOE_NOMEM, "out of memory to select from %zu features", d);
}

/* The steps before it are in `column` already. */
static sloe_status try_step(selector *s, size_t at, sloe_select_step *step, sloe_error *err) {
  const double n = (double)s->rows->n;
  double sum = 0, squares = 0;
  s->column[at] = step->feature;
  sloe_select_columns(s->rows, s->column, at + 1, s->x);
  const sloe_learn_rows rows = {s->x, s->rows->y, s->rows->n, at + 1};
  SLOE_TRY(sloe_cross_validate(s->r, &rows, &s->inner, s->options->hyper, s->estimated, err));
  for (size_t i = 0; i < rows.n; i++) sum += fabs(s->estimated[i] / rows.y[i] - 1);
  for (size_t i = 0; i < rows.n; i++)
    squares += pow(fabs(s->estimated[i] / rows.y[i] - 1) - sum / n, 2);
  step->mape = 100 * sum / n;
  step->mape_ci95 = 100 * 1.96 * sqrt(squares / (n - 1) / n);
  return SLOE_OK;
}

static sloe_status tell(const selector *s, size_t done, double best, double started,
                        sloe_error *err) {
  const sloe_tune_options *o = s->tune;
  const double elapsed = sloe_tune_now() - started;
  if (o->stop && o->stop(o->context)) return sloe_fail(err, SLOE_STOPPED, "stopped");
  const sloe_tune_progress p = {
      s->r->name, done,    s->rows->d,
      best,       elapsed, done ? elapsed / (double)done * (double)(s->rows->d - done) : NAN};
  if (o->progress) o->progress(o->context, &p);
  return SLOE_OK;
}

/* Features are added until `patience` + 1 of them brought nothing; *chosen: how many are kept. */
static sloe_status add_features(selector *s, sloe_select_step *step, size_t *chosen,
                                sloe_error *err) {
  const sloe_select_options *o = s->options;
  const double started = sloe_tune_now(), share = 1 - o->least_gain / 100;
  double best = INFINITY;
  size_t idle = 0;
  int ended = 0;
  *chosen = 0;
  for (size_t k = 0; k < s->rows->d && (!ended || o->whole); k++) {
    SLOE_TRY(tell(s, k, best < INFINITY ? best : NAN, started, err));
    SLOE_TRY(try_step(s, k, &step[k], err));
    if (ended) continue;
    if (step[k].mape < share * best) {
      best = step[k].mape;
      *chosen = k + 1;
      idle = 0;
    } else {
      ended = ++idle > o->patience;
    }
  }
  return tell(s, s->rows->d, best < INFINITY ? best : NAN, started, err);
}

static int by_number(const void *a, const void *b) {
  const size_t p = *(const size_t *)a, q = *(const size_t *)b;
  return (p > q) - (p < q);
}

static sloe_status take(selector *s, sloe_selection *out, sloe_error *err) {
  if (!out->n_chosen)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: no feature gives a finite error", s->r->name);
  out->chosen = sloe_alloc(out->n_chosen, sizeof *out->chosen);
  if (!out->chosen) return sloe_fail(err, SLOE_NOMEM, "out of memory for what was selected");
  for (size_t k = 0; k < out->n_chosen; k++) {
    out->step[k].chosen = 1;
    out->chosen[k] = out->step[k].feature;
  }
  out->mape = out->step[out->n_chosen - 1].mape;
  qsort(out->chosen, out->n_chosen, sizeof *out->chosen, by_number);
  return SLOE_OK;
}

sloe_status sloe_select(const sloe_regressor *regressor, const sloe_learn_rows *rows,
                        const sloe_tune_options *tune, const sloe_select_options *options,
                        sloe_selection *out, sloe_error *err) {
  static const sloe_tune_options no_tune;
  static const sloe_select_options none;
  selector s = {.r = regressor,
                .rows = rows,
                .tune = tune ? tune : &no_tune,
                .options = options ? options : &none};
  sloe_selection made = {.n_steps = rows->d};
  sloe_status status;
  s.inner = *s.tune;
  s.inner.progress = NULL;
  *out = (sloe_selection){0};
  made.step = sloe_alloc(rows->d, sizeof *made.step);
  SLOE_GOTO(made.step ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "out of memory for a ranking"));
  SLOE_GOTO(rank(rows, s.tune, s.options->xgb_hyper, made.step, err));
  SLOE_GOTO(reserve(&s, err));
  SLOE_GOTO(add_features(&s, made.step, &made.n_chosen, err));
  SLOE_GOTO(take(&s, &made, err));
  *out = made;
fail:
  if (status != SLOE_OK) sloe_selection_fini(&made);
  selector_fini(&s);
  return status;
}

void sloe_selection_fini(sloe_selection *selection) {
  sloe_dealloc(selection->step);
  sloe_dealloc(selection->chosen);
  *selection = (sloe_selection){0};
}
