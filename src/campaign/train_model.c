/* train_model.c: one regressor's model of one metric.
 *
 * What is told of a model, and its interval, comes from rows that the model had not seen
 * (cross-validation by networks, and by kinds where there are several). The model that is kept
 * learned from all rows.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/number.h"
#include "base/rng.h"
#include "campaign/conformal.h"
#include "campaign/train.h"

enum { TUNE_ROWS = 1400, FOLDS = 5, KIND_FOLDS = 6 };
static const double nothing = 1e-9; /* of y: what stands for an estimate that is not positive */

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory training");
}

static double now_s(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- rows ---- */

sloe_status sloe_lesson_take(const sloe_lessons *lessons, sloe_networks_metric metric,
                             sloe_arena *arena, sloe_lesson *out, sloe_error *err) {
  const double *y = lessons->y[metric], *layers = lessons->layers[metric];
  *out = (sloe_lesson){.metric = metric, .d = lessons->n_varying, .n_kinds = lessons->n_kinds};
  for (size_t i = 0; i < lessons->n; i++) {
    out->n += !isnan(y[i]);
    if (layers && !isnan(y[i]) && !(layers[i] > 0)) layers = NULL;
  }
  out->x = SLOE_ARENA_NEW(arena, double, out->n * out->d + 1);
  out->y = SLOE_ARENA_NEW(arena, double, out->n + 1);
  out->net = SLOE_ARENA_NEW(arena, size_t, out->n + 1);
  out->input = SLOE_ARENA_NEW(arena, uint32_t, out->d + 1);
  if (layers) out->layers = SLOE_ARENA_NEW(arena, double, out->n + 1);
  if (lessons->kind) out->kind = SLOE_ARENA_NEW(arena, size_t, out->n + 1);
  if (!out->x || !out->y || !out->net || !out->input || (layers && !out->layers) ||
      (lessons->kind && !out->kind))
    return no_memory(err);
  for (size_t j = 0; j < out->d; j++) out->input[j] = (uint32_t)j;
  for (size_t i = 0, at = 0; i < lessons->n; i++) {
    if (isnan(y[i])) continue;
    memcpy(out->x + at * out->d, lessons->x + i * lessons->n_features, out->d * sizeof *out->x);
    out->y[at] = y[i];
    out->net[at] = lessons->net[i];
    if (out->layers && layers) out->layers[at] = layers[i];
    if (out->kind && lessons->kind) out->kind[at] = lessons->kind[i];
    at++;
  }
  return SLOE_OK;
}

sloe_status sloe_lesson_narrow(sloe_lesson *lesson, const size_t *column, size_t n,
                               sloe_arena *arena, sloe_error *err) {
  const sloe_learn_rows rows = {lesson->x, lesson->y, lesson->n, lesson->d};
  double *x = SLOE_ARENA_NEW(arena, double, lesson->n *n);
  if (!x) return no_memory(err);
  sloe_select_columns(&rows, column, n, x);
  for (size_t j = 0; j < n; j++) lesson->input[j] = lesson->input[column[j]];
  lesson->x = x;
  lesson->d = n;
  return SLOE_OK;
}

/* ---- judging ---- */

const sloe_network_errors sloe_network_errors_unknown = {0, NAN, NAN, NAN, NAN, NAN, NAN};

/* Fills errors and the conformal quantile: of rows, or of kinds. */
sloe_status sloe_train_judge(const sloe_lesson *lesson, double *estimated, int kinds,
                             sloe_errors *told, sloe_network_errors *out, sloe_error *err) {
  const size_t n = lesson->n;
  const double *y = lesson->y;
  double error_90;
  for (size_t i = 0; i < n; i++)
    if (!(estimated[i] > nothing * y[i]) || isinf(estimated[i])) estimated[i] = nothing * y[i];
  const sloe_error_rows rows = {n, y, estimated, NULL, NULL};
  SLOE_TRY(sloe_errors_of(&rows, told, err));
  for (size_t i = 0; i < n; i++) estimated[i] = fabs(log(estimated[i] / y[i]));
  if (kinds)
    SLOE_TRY(sloe_conformal_kinds_90(estimated, lesson->kind, n, lesson->n_kinds, &error_90, err));
  else
    error_90 = sloe_conformal_90(estimated, n);
  *out = (sloe_network_errors){(double)n,     told->mape,    told->mape_ci95, told->rmspe,
                               told->max_ape, told->kendall, error_90};
  return SLOE_OK;
}

/* On layers what is learned is y over what the layers say. */
static void targets(const sloe_lesson *lesson, int on_layers, double *out) {
  for (size_t i = 0; i < lesson->n; i++)
    out[i] = on_layers ? lesson->y[i] / lesson->layers[i] : lesson->y[i];
}

static void times_layers(const sloe_lesson *lesson, int on_layers, double *estimated) {
  for (size_t i = 0; on_layers && i < lesson->n; i++) estimated[i] *= lesson->layers[i];
}

/* ---- one way of learning ---- */

typedef struct way {
  const sloe_trainer *trainer;
  const sloe_lesson *lesson;
  const sloe_regressor *regressor;
  double *target;    /* [n] */
  double *estimated; /* [n] */
  double hyper[SLOE_HYPER_MOST];
  double tune_s;
  size_t points, abandoned;
  sloe_error *err;
} way;

static void pass_progress(void *context, const sloe_tune_progress *progress) {
  const way *w = context;
  const sloe_watch *watch = w->trainer->watch;
  const sloe_progress now = {w->trainer->phase, progress->done, progress->total,
                             progress->elapsed_s, progress->eta_s};
  if (watch && watch->progress) watch->progress(watch->context, &now);
}

static int pass_stop(void *context) {
  const sloe_watch *watch = ((const way *)context)->trainer->watch;
  return watch && watch->stop && watch->stop(watch->context);
}

static sloe_tune_options options_of(way *w) {
  const sloe_train_options *o = w->trainer->options;
  return (sloe_tune_options){.log_inputs = !o->raw_inputs,
                             .log_target = !o->raw_target,
                             .plain_target = o->raw_target,
                             .seed = o->seed ? o->seed : 1,
                             .threads = o->threads,
                             .folds = FOLDS,
                             .group = w->lesson->net,
                             .journal = w->trainer->journal,
                             .progress = pass_progress,
                             .stop = pass_stop,
                             .context = w};
}

/* At most `most` of the rows, drawn by the seed, in their order: how many. */
static size_t draw_rows(size_t n, size_t most, uint64_t seed, size_t *row) {
  sloe_rng rng;
  size_t taken = 0;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < n; i++)
    if (sloe_rng_uniform(&rng) * (double)(n - i) < (double)(most - taken)) row[taken++] = i;
  return taken;
}

static sloe_status tune_on(way *w, const size_t *row, size_t n, double *x, double *y,
                           size_t *group) {
  const size_t d = w->lesson->d;
  for (size_t i = 0; i < n; i++) {
    memcpy(x + i * d, w->lesson->x + row[i] * d, d * sizeof *x);
    y[i] = w->target[row[i]];
    group[i] = w->lesson->net[row[i]];
  }
  sloe_tune_options options = options_of(w);
  const sloe_learn_rows rows = {x, y, n, d};
  sloe_tuned tuned;
  options.group = group;
  SLOE_TRY(sloe_tune(w->regressor, &rows, &options, &tuned, w->err));
  memcpy(w->hyper, tuned.hyper, sizeof w->hyper);
  w->points += tuned.n_points;
  w->abandoned += tuned.n_points - tuned.n_end[SLOE_TUNE_FINISHED];
  w->tune_s = (isnan(w->tune_s) ? 0 : w->tune_s) + tuned.seconds;
  sloe_tuned_fini(&tuned);
  return SLOE_OK;
}

static sloe_status tune(way *w) {
  const sloe_train_options *o = w->trainer->options;
  const size_t most = o->tune_rows ? o->tune_rows : TUNE_ROWS, d = w->lesson->d;
  const size_t all = w->lesson->n;
  size_t *row = sloe_alloc(all, sizeof *row), *group = sloe_alloc(all, sizeof *group);
  double *x = sloe_alloc(all * d, sizeof *x), *y = sloe_alloc(all, sizeof *y);
  sloe_status status = no_memory(w->err);
  if (row && group && x && y) {
    const size_t n = draw_rows(all, most < all ? most : all, o->seed ? o->seed : 1, row);
    status = tune_on(w, row, n, x, y, group);
  }
  sloe_dealloc(row);
  sloe_dealloc(group);
  sloe_dealloc(x);
  sloe_dealloc(y);
  return status;
}

/* Cross-validated by networks, or by kinds. */
static sloe_status validate(way *w, int on_layers, int kinds, sloe_errors *told,
                            sloe_network_errors *out) {
  const sloe_lesson *lesson = w->lesson;
  const size_t most = lesson->n_kinds < KIND_FOLDS ? lesson->n_kinds : KIND_FOLDS;
  sloe_tune_options options = options_of(w);
  const sloe_learn_rows rows = {w->lesson->x, w->target, lesson->n, lesson->d};
  options.group = kinds ? lesson->kind : lesson->net;
  options.folds = kinds ? most : FOLDS;
  options.journal = NULL;
  SLOE_TRY(sloe_cross_validate(w->regressor, &rows, &options, w->hyper, w->estimated, w->err));
  times_layers(lesson, on_layers, w->estimated);
  return sloe_train_judge(lesson, w->estimated, kinds, told, out, w->err);
}

/* Those given, "name=value", over the defaults. */
static sloe_status set_hyper(way *w) {
  const sloe_train_options *o = w->trainer->options;
  sloe_hyper_defaults(w->regressor, w->hyper);
  for (size_t i = 0; i < o->n_hyper; i++) {
    char name[64];
    const size_t len = strcspn(o->hyper[i], "=");
    if (!o->hyper[i][len] || len >= sizeof name)
      return sloe_fail(w->err, SLOE_USAGE, "hyperparameter '%.60s': NAME=VALUE is needed",
                       o->hyper[i]);
    memcpy(name, o->hyper[i], len);
    name[len] = 0;
    SLOE_TRY(sloe_hyper_set(w->regressor, name, o->hyper[i] + len + 1, w->hyper, w->err));
  }
  return SLOE_OK;
}

/* Tuned if that is wanted, then cross-validated. */
static sloe_status try_way(way *w, int on_layers, sloe_network_model *model, sloe_trained *told) {
  SLOE_TRY(set_hyper(w));
  targets(w->lesson, on_layers, w->target);
  if (w->trainer->options->tune) SLOE_TRY(tune(w));
  model->on_layers = (uint32_t)on_layers;
  return validate(w, on_layers, 0, &told->errors, &model->folds);
}

static sloe_status choose_way(way *w, sloe_network_model *model, sloe_trained *told) {
  SLOE_TRY(try_way(w, 0, model, told));
  if (!w->lesson->layers) return SLOE_OK;
  const way plain = *w;
  const sloe_network_model plain_model = *model;
  const sloe_trained plain_told = *told;
  SLOE_TRY(try_way(w, 1, model, told));
  if (model->folds.mape <= plain_model.folds.mape) return SLOE_OK;
  memcpy(w->hyper, plain.hyper, sizeof w->hyper);
  *model = plain_model;
  *told = plain_told;
  targets(w->lesson, 0, w->target);
  return SLOE_OK;
}

/* ---- what is kept ---- */

static const char *hyper_text(const way *w) {
  sloe_arena *arena = w->trainer->arena;
  const char *text = "";
  char number[SLOE_NUMBER_BUF];
  for (size_t i = 0; text && i < w->regressor->n_hyper; i++) {
    const sloe_hyper *h = &w->regressor->hyper[i];
    const char *value = sloe_format_double(w->hyper[i], number);
    size_t len = strlen(value);
    if (h->kind == SLOE_HYPER_CHOICE) {
      value = h->choices;
      for (int k = 0; k < (int)w->hyper[i]; k++) value += strcspn(value, " ") + 1;
      len = strcspn(value, " ");
    }
    text = sloe_arena_printf(arena, "%s%s%s=%.*s", text, i ? " " : "", h->name, (int)len, value);
  }
  return text;
}

static double predict_us(const sloe_learned *body, const way *w) {
  const sloe_lesson *lesson = w->lesson;
  const double begun = now_s();
  volatile double sum = 0;
  for (size_t i = 0; i < lesson->n; i++)
    sum = sum + sloe_learned_predict(body, w->lesson->x + i * lesson->d);
  return (now_s() - begun) * 1e6 / (double)lesson->n;
}

static sloe_status keep(way *w, sloe_network_model *model, sloe_trained *told) {
  const sloe_train_options *o = w->trainer->options;
  const sloe_learn_options options = {.hyper = w->hyper,
                                      .log_inputs = !o->raw_inputs,
                                      .log_target = !o->raw_target,
                                      .plain_target = o->raw_target,
                                      .seed = o->seed ? o->seed : 1,
                                      .threads = o->threads};
  const sloe_learn_rows rows = {w->lesson->x, w->target, w->lesson->n, w->lesson->d};
  const double begun = now_s();
  SLOE_TRY(sloe_learn(w->regressor, &rows, &options, &model->body, w->err));
  model->train_s = now_s() - begun;
  model->tune_s = w->tune_s;
  model->metric = (uint32_t)w->lesson->metric;
  model->regressor = w->regressor->name;
  model->input = w->lesson->input;
  model->constant_mape = told->errors.mape_constant;
  told->train_s = model->train_s;
  told->tune_s = model->tune_s;
  told->predict_us = predict_us(&model->body, w);
  told->points = w->points;
  told->abandoned = w->abandoned;
  told->on_layers = (int)model->on_layers;
  told->hyper = hyper_text(w);
  return told->hyper ? SLOE_OK : no_memory(w->err);
}

static sloe_status train(way *w, sloe_network_model *model, sloe_trained *told) {
  const sloe_lesson *lesson = w->lesson;
  SLOE_TRY(choose_way(w, model, told));
  model->kinds = sloe_network_errors_unknown;
  if (lesson->n_kinds > 1)
    SLOE_TRY(validate(w, (int)model->on_layers, 1, &told->kinds, &model->kinds));
  return keep(w, model, told);
}

/* A way with room for the lesson. */
static sloe_status begin(way *w, const sloe_trainer *trainer, const sloe_lesson *lesson,
                         const sloe_regressor *regressor, sloe_error *err) {
  *w = (way){
      .trainer = trainer, .lesson = lesson, .regressor = regressor, .tune_s = NAN, .err = err};
  w->target = sloe_alloc(lesson->n, sizeof *w->target);
  w->estimated = sloe_alloc(lesson->n, sizeof *w->estimated);
  return w->target && w->estimated ? SLOE_OK : no_memory(err);
}

static void end(way *w) {
  sloe_dealloc(w->target);
  sloe_dealloc(w->estimated);
}

static void forget(const sloe_lesson *lesson, const char *regressor, sloe_trained *told) {
  const char *metric = sloe_networks_metric_name(lesson->metric);
  *told = (sloe_trained){.metric = metric,
                         .regressor = regressor,
                         .errors = {.metric = metric, .group = regressor},
                         .kinds = {.metric = metric, .group = regressor},
                         .mape_p90 = NAN,
                         .train_s = NAN,
                         .tune_s = NAN,
                         .predict_us = NAN,
                         .hyper = ""};
}

sloe_status sloe_train_model(const sloe_trainer *trainer, const sloe_lessons *lessons,
                             const sloe_lesson *lesson, const sloe_regressor *regressor,
                             sloe_network_model *model, sloe_trained *told, sloe_error *err) {
  way w;
  *model = (sloe_network_model){0};
  forget(lesson, regressor ? regressor->name : "layers", told);
  if (!regressor) return sloe_train_sum(trainer, lessons, lesson, model, told, err);
  sloe_status status = begin(&w, trainer, lesson, regressor, err);
  if (status == SLOE_OK) status = train(&w, model, told);
  end(&w);
  return status;
}
