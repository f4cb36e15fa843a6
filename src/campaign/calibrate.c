/* calibrate.c: a prior platform corrected by a few measured networks.
 *
 * A data sheet: its layers' peaks bound a sum over layers, which learns the rest (train_sum.c). A
 * platform that was measured or learned, of another board say: one factor for each metric, the
 * geometric mean of measured over told; more than one number a handful of networks cannot tell.
 *
 * What is told of it, and the interval, comes from leaving out one network after the other.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "campaign/campaign.h"
#include "campaign/today.h"
#include "campaign/train.h"

enum { ARENA_LIMIT = 1 << 30, LEAST_ROWS = 3, MOST_TOLD = 2 * SLOE_NETWORKS_METRICS };

typedef struct calibration {
  sloe_training out; /* first: what the caller holds */
  sloe_arena arena;
  const sloe_calibrate_options *options;
  sloe_platform *prior; /* of its own: it is changed */
  sloe_lessons lessons;
  sloe_card card; /* of the platform to be written */
  sloe_train_options train;
  sloe_trained told[MOST_TOLD];
  const char *note;
  sloe_error *err;
} calibration;

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory calibrating");
}

static uint64_t seed_of(const calibration *c) {
  return c->options->seed ? c->options->seed : 1;
}

/* ---- whose platform it is ---- */

/* Of another board, or of another of its modes, the prior's memory and cap are not known. */
static void rename_device(sloe_card *card, const char *device, const char *mode) {
  const int is_other = strcmp(device, card->device) != 0;
  if (is_other) {
    card->device = card->title = device;
    card->memory_mb = card->memory_reserved_mb = NAN;
  }
  if (is_other || strcmp(mode, card->mode) != 0) {
    card->gpu_mhz = card->power_cap_w = NAN;
    card->default_mode = 0;
  }
  card->mode = mode;
}

/* The prior's, but for what the rows say of what was measured. */
static sloe_status take_card(calibration *c) {
  const sloe_calibrate_options *o = c->options;
  sloe_card *card = &c->card;
  *card = c->prior->card;
  const char *const *who = c->lessons.who, *precision = who[SLOE_EVAL_WHO_precision];
  const char *of_rows = *who[SLOE_EVAL_WHO_device] ? who[SLOE_EVAL_WHO_device] : card->device;
  const char *device = sloe_train_token(&c->arena, o->device ? o->device : of_rows);
  const char *mode =
      sloe_train_token(&c->arena, *who[SLOE_EVAL_WHO_mode] ? who[SLOE_EVAL_WHO_mode] : card->mode);
  if (!device || !mode) return no_memory(c->err);
  if (*precision && strcmp(precision, sloe_precision_name(card->precision)) != 0)
    return sloe_fail(c->err, SLOE_FORMAT, "%s: measured in %.20s, but '%s' is of %s", o->table,
                     precision, card->name, sloe_precision_name(card->precision));
  rename_device(card, device, mode);
  if (o->device) card->device = o->device;
  if (o->title) card->title = o->title;
  return SLOE_OK;
}

/* ---- what is told ---- */

/* Errors of estimates (a copy of them is judged). */
static sloe_status tell(calibration *c, const sloe_lesson *lesson, const double *estimated,
                        const char *name, sloe_network_errors *errors) {
  sloe_trained *told = &c->told[c->out.n_models++];
  const char *metric = sloe_networks_metric_name(lesson->metric);
  double *copy = SLOE_ARENA_NEW(&c->arena, double, lesson->n);
  if (!copy) return no_memory(c->err);
  memcpy(copy, estimated, lesson->n * sizeof *copy);
  *told = (sloe_trained){.metric = metric,
                         .regressor = name,
                         .errors = {.metric = metric, .group = name},
                         .mape_p90 = NAN,
                         .train_s = NAN,
                         .tune_s = NAN,
                         .predict_us = NAN,
                         .hyper = ""};
  return sloe_train_judge(lesson, copy, 0, &told->errors, errors, c->err);
}

static sloe_status write(const calibration *c, const sloe_fitted_platform *out) {
  const sloe_calibrate_options *o = c->options;
  char date[32], tool[32], seed[32];
  sloe_fitted_platform file = *out;
  snprintf(tool, sizeof tool, "sloe %s", sloe_version());
  snprintf(seed, sizeof seed, "%" PRIu64, seed_of(c));
  file.card.notes = o->notes ? o->notes : c->note;
  file.fitted.created = sloe_today(date);
  file.fitted.tool = tool;
  file.fitted.seed = seed;
  return sloe_fitted_write(&file, o->out, c->err);
}

static sloe_fitted_errors as_card(const sloe_network_errors *e) {
  return (sloe_fitted_errors){e->n, e->mape, e->rmspe, e->max_ape, NAN};
}

static const sloe_fitted_errors none = {NAN, NAN, NAN, NAN, NAN};

/* ---- a data sheet ---- */

/* Memory as the data sheet has it: weights, live activations, scratch. */
static sloe_fitted_network sheet_memory(const sloe_platform *prior) {
  return (sloe_fitted_network){.scale = 1,
                               .error_90 = NAN,
                               .memory_scale = 1,
                               .memory_offset_mb = prior->workspace_bytes.typical / 1e6,
                               .memory_error_90 = log(2)};
}

static sloe_status write_sheet(calibration *c, const sloe_network_model *model,
                               sloe_network_model *kept) {
  const sloe_lessons *l = &c->lessons;
  sloe_networks networks = {.feature = (const char *const *)l->feature,
                            .at = l->at,
                            .n_features = l->n_features,
                            .rows = (double)l->n,
                            .power_rail = "",
                            .models = kept,
                            .n_models = 1};
  sloe_fitted_platform out = {.card = c->card,
                              .fusion = c->prior->fusion,
                              .fitted = {.reference_ms = l->reference_ms,
                                         .network = sheet_memory(c->prior),
                                         .layer_errors = none,
                                         .network_errors = as_card(&model->folds),
                                         .memory_errors = none,
                                         .points = NAN,
                                         .seconds = NAN,
                                         .memory_kind = "device"},
                              .networks = &networks};
  out.card.runtime = "calibrated";
  out.card.runtime_version = l->who[SLOE_EVAL_WHO_version];
  out.card.transfers = strcmp(l->who[SLOE_EVAL_WHO_transfers], "1") == 0;
  out.card.validated_on = sloe_arena_printf(&c->arena, "%zu networks, each left out once", l->n);
  if (!out.card.validated_on) return no_memory(c->err);
  SLOE_TRY(sloe_train_domain(l, &c->arena, &networks.domain, c->err));
  return write(c, &out);
}

static sloe_status by_sum(calibration *c, const sloe_lesson *lesson) {
  const sloe_trainer trainer = {.options = &c->train, .board = c->prior, .arena = &c->arena};
  sloe_network_model model;
  sloe_status status = sloe_train_model(&trainer, &c->lessons, lesson, NULL, &model,
                                        &c->told[c->out.n_models], c->err);
  if (status == SLOE_OK) {
    c->told[c->out.n_models].chosen = 1;
    c->out.n_models++;
    model.chosen = model.outside = 1;
    status = write_sheet(c, &model, &model);
  }
  sloe_network_model_fini(&model);
  return status;
}

/* ---- a platform that was measured or learned ---- */

static double mean_log(const sloe_lesson *lesson, size_t without) {
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < lesson->n; i++) {
    if (i == without) continue;
    sum += log(lesson->y[i] / lesson->layers[i]);
    n++;
  }
  return n ? sum / (double)n : 0;
}

static void scale_model(sloe_network_model *m, double factor) {
  sloe_learned *body = &m->body;
  if (m->on_layers) return; /* its base is scaled */
  if (m->is_sum) {
    for (size_t i = 0; i < m->sum.n_terms; i++) m->sum.coef[i] *= factor;
    m->sum.constant *= factor;
  } else if (body->log_target) {
    body->target_shift += log(factor);
  } else {
    body->target_shift *= factor;
    body->target_scale *= factor;
  }
}

static void scale_fitted(sloe_fitted *fitted, sloe_networks_metric metric, double factor,
                         const sloe_network_errors *errors) {
  sloe_fitted_network *network = &fitted->network;
  if (metric == SLOE_NETWORKS_LATENCY) {
    network->scale *= factor;
    network->per_layer_ms *= factor;
    network->per_mb_ms *= factor;
    network->error_90 = errors->error_90;
    fitted->network_errors = as_card(errors);
  } else if (metric == SLOE_NETWORKS_MEMORY) {
    network->memory_scale *= factor;
    network->memory_offset_mb *= factor;
    network->memory_error_90 = errors->error_90;
    fitted->memory_errors = as_card(errors);
  } else {
    for (int i = 0; i < SLOE_POWER_TERMS; i++) fitted->power.coef[i] *= factor;
    fitted->power.error_90 = errors->error_90;
    fitted->power_errors = as_card(errors);
  }
}

/* The metric's factor, and what leaving out says of it. */
static sloe_status by_factor(calibration *c, const sloe_lesson *lesson, sloe_fitted *fitted) {
  double *estimated = SLOE_ARENA_NEW(&c->arena, double, lesson->n);
  sloe_networks *networks = c->prior->networks;
  sloe_network_errors errors;
  const double factor = exp(mean_log(lesson, SIZE_MAX));
  if (!estimated) return no_memory(c->err);
  for (size_t i = 0; i < lesson->n; i++)
    estimated[i] = lesson->layers[i] * exp(mean_log(lesson, i));
  SLOE_TRY(tell(c, lesson, estimated, "factor", &errors));
  c->told[c->out.n_models - 1].chosen = 1;
  scale_fitted(fitted, lesson->metric, factor, &errors);
  for (size_t i = 0; networks && i < networks->n_models; i++) {
    if (networks->models[i].metric != (uint32_t)lesson->metric) continue;
    scale_model(&networks->models[i], factor);
    networks->models[i].folds = errors;
    networks->models[i].kinds = sloe_network_errors_unknown;
  }
  return SLOE_OK;
}

/* ---- the whole ---- */

static sloe_status take(calibration *c, sloe_networks_metric metric, sloe_lesson *lesson,
                        int *known) {
  sloe_network_errors ignored;
  SLOE_TRY(sloe_lesson_take(&c->lessons, metric, &c->arena, lesson, c->err));
  *known = lesson->n >= LEAST_ROWS && lesson->layers;
  return *known ? tell(c, lesson, lesson->layers, "prior", &ignored) : SLOE_OK;
}

static sloe_status calibrate_fitted(calibration *c) {
  sloe_fitted_platform out = {.card = c->card,
                              .fusion = c->prior->fusion,
                              .fitted = *c->prior->fitted,
                              .networks = c->prior->networks};
  for (int m = 0; m < SLOE_NETWORKS_METRICS; m++) {
    sloe_lesson lesson;
    int known;
    SLOE_TRY(take(c, (sloe_networks_metric)m, &lesson, &known));
    if (known) SLOE_TRY(by_factor(c, &lesson, &out.fitted));
  }
  if (c->out.n_models) return write(c, &out);
  return sloe_fail(c->err, SLOE_FORMAT, "%s: nothing was measured that '%s' answers",
                   c->options->table, c->prior->card.name);
}

static sloe_status calibrate_sheet(calibration *c) {
  sloe_lesson lesson;
  int known;
  SLOE_TRY(take(c, SLOE_NETWORKS_LATENCY, &lesson, &known));
  if (known) return by_sum(c, &lesson);
  return sloe_fail(c->err, SLOE_FORMAT, "%s: the latency of %d networks at least is needed",
                   c->options->table, LEAST_ROWS);
}

static sloe_status read_lessons(calibration *c, const sloe_watch *watch) {
  const sloe_lessons_options options = {.table = c->options->table,
                                        .platform = c->prior,
                                        .method = SLOE_METHOD_AUTO,
                                        .least = LEAST_ROWS,
                                        .sums = !c->prior->fitted,
                                        .watch = watch};
  SLOE_TRY(sloe_lessons_read(&options, &c->lessons, c->err));
  c->out.table = c->options->table;
  c->out.platform = c->options->out;
  c->out.rows = c->lessons.n;
  c->out.left_out = c->lessons.left_out + c->lessons.refused;
  c->out.n_features = c->lessons.n_varying;
  c->lessons.n_kinds = 1; /* too few to leave any out */
  c->lessons.kind = NULL;
  c->out.n_kinds = 1;
  c->out.kinds = "";
  c->note = sloe_arena_printf(&c->arena, "%s, calibrated by %zu networks", c->prior->card.name,
                              c->lessons.n);
  return c->note ? SLOE_OK : no_memory(c->err);
}

static sloe_status calibrate(calibration *c, const sloe_watch *watch) {
  const sloe_search nowhere = {0};
  const sloe_calibrate_options *o = c->options;
  SLOE_TRY(sloe_platform_open(o->prior, o->search ? o->search : &nowhere, &c->prior, c->err));
  SLOE_TRY(read_lessons(c, watch));
  SLOE_TRY(take_card(c));
  c->train = (sloe_train_options){.seed = seed_of(c), .threads = o->threads};
  c->out.models = c->told;
  return c->prior->fitted ? calibrate_fitted(c) : calibrate_sheet(c);
}

static void release(calibration *c) {
  sloe_platform_free(c->prior);
  sloe_lessons_fini(&c->lessons);
  sloe_arena_fini(&c->arena);
  sloe_dealloc(c);
}

sloe_status sloe_calibrate(const sloe_calibrate_options *options, const sloe_watch *watch,
                           sloe_training **out, sloe_error *err) {
  *out = NULL;
  calibration *c = sloe_alloc(1, sizeof *c);
  if (!c) return no_memory(err);
  *c = (calibration){.options = options, .err = err};
  sloe_arena_init(&c->arena, ARENA_LIMIT);
  const sloe_status status = calibrate(c, watch);
  if (status == SLOE_OK)
    *out = &c->out;
  else
    release(c);
  return status;
}

void sloe_calibration_free(sloe_training *training) {
  if (training) release((calibration *)training);
}
