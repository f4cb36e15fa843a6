/* train.c: from a measurement table to models of whole networks in a platform file (Z 3.3, 4.3).
 *
 * Times, power and memory are learned apart, by every regressor that is asked for; which one
 * answers is decided by cross-validation. With a platform whose layers were measured each regressor
 * also learns what those leave over, and keeps the better of the two.
 */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "campaign/campaign.h"
#include "campaign/today.h"
#include "campaign/train.h"

enum { ARENA_LIMIT = 1 << 30 };

typedef struct training {
  sloe_training out; /* first: what the caller holds */
  sloe_arena arena;
  sloe_trainer trainer;
  const sloe_train_options *options;
  sloe_train_options own;        /* of the metric that is being learned */
  const sloe_platform *platform; /* NULL */
  sloe_fitted fitted;            /* the platform's, and what its layers draw */
  sloe_platform *board;          /* a data sheet; NULL */
  sloe_lessons lessons;
  sloe_networks networks;
  sloe_trained *models;
  sloe_selected *selected;
  const char **warnings;
  size_t cap_models, cap_told, cap_selected, cap_warnings;
  sloe_error *err;
} training;

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory training");
}

/* `text` comes from the arena; NULL: it is full. */
static sloe_status warn(training *t, const char *text) {
  if (!text || !sloe_arena_grow(&t->arena, &t->warnings, t->out.n_warnings, &t->cap_warnings,
                                sizeof *t->warnings))
    return no_memory(t->err);
  t->warnings[t->out.n_warnings++] = text;
  t->out.warnings = t->warnings;
  return SLOE_OK;
}

static const char *given(const char *option, const char *table) {
  return option ? option : table;
}

/* ---- models ---- */

static sloe_status add_model(training *t, const sloe_network_model *model,
                             const sloe_trained *told) {
  if (!sloe_arena_grow(&t->arena, &t->networks.models, t->networks.n_models, &t->cap_models,
                       sizeof *model) ||
      !sloe_arena_grow(&t->arena, &t->models, t->out.n_models, &t->cap_told, sizeof *told))
    return no_memory(t->err);
  t->networks.models[t->networks.n_models++] = *model;
  t->models[t->out.n_models++] = *told;
  t->out.models = t->models;
  return SLOE_OK;
}

/* Is `name` among those of "a,b", or all are? */
static int names(const char *list, const char *name) {
  const size_t len = strlen(name);
  if (!list || strcmp(list, "all") == 0) return 1;
  for (; *list; list += strcspn(list, ","), list += *list == ',')
    if (strcspn(list, ",") == len && memcmp(list, name, len) == 0) return 1;
  return 0;
}

static int is_wanted(const training *t, const sloe_regressor *regressor) {
  return names(t->options->model, regressor->name);
}

static const char sum_model[] = "layers";

static int wants_sum(const training *t) {
  return names(t->options->model, sum_model);
}

static int wants_all(const training *t) {
  return !t->options->model || strcmp(t->options->model, "all") == 0;
}

/* regressor NULL: a sum over layers. One whose library is lacking is left out where all are asked
   for. */
static sloe_status learn_one(training *t, const sloe_lesson *lesson,
                             const sloe_regressor *regressor) {
  sloe_network_model model;
  sloe_trained told;
  sloe_error why = {0};
  t->trainer.phase =
      sloe_arena_printf(&t->arena, "%s of %s", regressor ? regressor->name : sum_model,
                        sloe_networks_metric_name(lesson->metric));
  if (!t->trainer.phase) return no_memory(t->err);
  sloe_status status = (t->options->draw ? sloe_train_draws : sloe_train_model)(
      &t->trainer, &t->lessons, lesson, regressor, &model, &told, &why);
  if (status == SLOE_OK) status = add_model(t, &model, &told);
  if (status == SLOE_OK) return status;
  sloe_network_model_fini(&model);
  if (status == SLOE_UNSUPPORTED && wants_all(t))
    return warn(t, sloe_arena_printf(&t->arena, "%s left out: %s", t->trainer.phase, why.msg));
  return sloe_fail(t->err, status, "%s: %s", t->trainer.phase, why.msg);
}

/* Inside the domain the least error of cross-validation (median of the draws) decides, outside of
   it that of kinds left out; where there is one kind alone, what sums layers, which knows of
   hardware, then the one of inside. */
static void choose(training *t, size_t first) {
  size_t best = first, best_outside = first;
  const sloe_trained *m = t->models;
  if (first >= t->out.n_models) return;
  for (size_t i = first; i < t->out.n_models; i++) {
    if (m[i].errors.mape < m[best].errors.mape) best = i;
    if (m[i].kinds.n && m[i].kinds.mape < m[best_outside].kinds.mape) best_outside = i;
  }
  for (size_t i = first; !m[best_outside].kinds.n && i < t->out.n_models; i++)
    if (i == best || t->networks.models[i].is_sum) best_outside = i;
  t->models[best].chosen = 1;
  t->networks.models[best].chosen = 1;
  t->models[best_outside].outside = 1;
  t->networks.models[best_outside].outside = 1;
}

/* ---- forward selection ---- */

static sloe_status add_steps(training *t, const sloe_lesson *lesson,
                             const sloe_selection *selection) {
  for (size_t i = 0; i < selection->n_steps; i++) {
    const sloe_select_step *step = &selection->step[i];
    if (!sloe_arena_grow(&t->arena, &t->selected, t->out.n_selected, &t->cap_selected,
                         sizeof *t->selected))
      return no_memory(t->err);
    t->selected[t->out.n_selected++] = (sloe_selected){
        sloe_networks_metric_name(lesson->metric), t->lessons.feature[lesson->input[step->feature]],
        step->score, step->mape, step->chosen};
  }
  t->out.selected = t->selected;
  return SLOE_OK;
}

static sloe_status select_features(training *t, sloe_lesson *lesson) {
  const sloe_train_options *o = &t->own;
  const sloe_regressor *xgb = sloe_regressor_find("xgb");
  const sloe_learn_rows rows = {lesson->x, lesson->y, lesson->n, lesson->d};
  const sloe_tune_options how = {.log_target = !o->raw_target,
                                 .plain_target = o->raw_target,
                                 .seed = o->seed ? o->seed : 1,
                                 .threads = o->threads,
                                 .group = lesson->net};
  const sloe_select_options options = {.patience = 2};
  sloe_selection selection;
  SLOE_TRY(sloe_select(xgb, &rows, &how, &options, &selection, t->err));
  sloe_status status = add_steps(t, lesson, &selection);
  if (status == SLOE_OK)
    status = sloe_lesson_narrow(lesson, selection.chosen, selection.n_chosen, &t->arena, t->err);
  sloe_selection_fini(&selection);
  return status;
}

static sloe_status learn_metric(training *t, sloe_networks_metric metric) {
  const size_t first = t->out.n_models;
  sloe_lesson lesson;
  t->own = *t->options;
  if (t->own.log_power_inputs && metric == SLOE_NETWORKS_POWER) t->own.raw_inputs = 0;
  SLOE_TRY(sloe_lesson_take(&t->lessons, metric, &t->arena, &lesson, t->err));
  if (metric == SLOE_NETWORKS_MEMORY)
    SLOE_TRY(sloe_train_reduce(&t->own, &t->lessons, &t->arena, &lesson, t->err));
  if (lesson.n < 10) return SLOE_OK;
  if (t->options->select) SLOE_TRY(select_features(t, &lesson));
  for (size_t i = 0; sloe_regressor_at(i); i++)
    if (is_wanted(t, sloe_regressor_at(i))) SLOE_TRY(learn_one(t, &lesson, sloe_regressor_at(i)));
  if (metric == SLOE_NETWORKS_LATENCY && wants_sum(t)) SLOE_TRY(learn_one(t, &lesson, NULL));
  choose(t, first);
  return SLOE_OK;
}

/* Every name of the list is one of a model. */
static sloe_status check_model(const training *t) {
  const char *list = t->options->model;
  if (!list || strcmp(list, "all") == 0) return SLOE_OK;
  for (size_t len; *list; list += len, list += *list == ',') {
    int known = 0;
    len = strcspn(list, ",");
    known |= len == strlen(sum_model) && memcmp(list, sum_model, len) == 0;
    for (size_t i = 0; sloe_regressor_at(i); i++)
      known |= len == strlen(sloe_regressor_at(i)->name) &&
               memcmp(list, sloe_regressor_at(i)->name, len) == 0;
    if (!known)
      return sloe_fail(t->err, SLOE_USAGE,
                       "no model '%.*s'; there are poly, svr, mlp, rf, xgb and layers",
                       (int)(len < 40 ? len : 40), list);
  }
  return SLOE_OK;
}

static sloe_status learn(training *t) {
  SLOE_TRY(check_model(t));
  for (int m = 0; m < SLOE_NETWORKS_METRICS; m++)
    SLOE_TRY(learn_metric(t, (sloe_networks_metric)m));
  if (!t->out.n_models)
    return sloe_fail(t->err, SLOE_FORMAT, "%s: nothing was measured in ten networks or more",
                     t->options->table);
  return SLOE_OK;
}

/* ---- the platform ---- */

const char *sloe_train_token(sloe_arena *arena, const char *text) {
  char *token = SLOE_ARENA_NEW(arena, char, strlen(text) + 1);
  size_t n = 0;
  if (!token) return NULL;
  for (; *text; text++) {
    const unsigned char c = (unsigned char)*text;
    if (isalnum(c) && c < 0x80)
      token[n++] = (char)tolower(c);
    else if (n && token[n - 1] != '-')
      token[n++] = '-';
  }
  while (n && token[n - 1] == '-') n--;
  token[n] = 0;
  return token;
}

static sloe_status new_card(training *t, sloe_fitted_platform *out) {
  const sloe_train_options *o = t->options;
  const char *const *who = t->lessons.who;
  if (!*given(o->device, who[SLOE_EVAL_WHO_device]))
    return sloe_fail(t->err, SLOE_FORMAT, "%s does not say the device; --set device=NAME does",
                     o->table);
  const char *runtime = sloe_train_token(&t->arena, given(o->runtime, who[SLOE_EVAL_WHO_runtime]));
  out->card = (sloe_card){
      .device = sloe_train_token(&t->arena, given(o->device, who[SLOE_EVAL_WHO_device])),
      .title = given(o->title, given(o->device, who[SLOE_EVAL_WHO_device])),
      .runtime = runtime && !*runtime ? "unknown" : runtime,
      .runtime_version = who[SLOE_EVAL_WHO_version],
      .precision = t->lessons.fusion.precision,
      .mode = sloe_train_token(&t->arena, who[SLOE_EVAL_WHO_mode]),
      .notes = given(o->notes, "learned from whole networks"),
      .transfers = strcmp(who[SLOE_EVAL_WHO_transfers], "1") == 0,
      .gpu_mhz = NAN,
      .memory_mb = o->memory_mb > 0 ? o->memory_mb : NAN,
      .memory_reserved_mb = NAN,
      .power_cap_w = NAN};
  out->fusion = t->lessons.fusion;
  return out->card.device && runtime && out->card.mode ? SLOE_OK : no_memory(t->err);
}

/* Of the model that answers. */
static sloe_fitted_errors chosen_errors(const training *t, sloe_networks_metric metric) {
  const sloe_network_model *m = sloe_networks_chosen(&t->networks, metric, 1);
  if (!m) return (sloe_fitted_errors){NAN, NAN, NAN, NAN, NAN};
  return (sloe_fitted_errors){m->folds.n, m->folds.mape, m->folds.rmspe, m->folds.max_ape, NAN};
}

static sloe_status new_platform(training *t, sloe_fitted_platform *out) {
  static const sloe_fitted_errors none = {NAN, NAN, NAN, NAN, NAN};
  sloe_fitted *fitted = &out->fitted;
  SLOE_TRY(new_card(t, out));
  fitted->reference_ms = t->lessons.reference_ms;
  fitted->network = (sloe_fitted_network){1, 0, 0, 0, NAN, NAN, NAN, NAN};
  fitted->layer_errors = none;
  fitted->network_errors = chosen_errors(t, SLOE_NETWORKS_LATENCY);
  fitted->memory_errors = chosen_errors(t, SLOE_NETWORKS_MEMORY);
  fitted->points = fitted->seconds = NAN;
  fitted->memory_kind = t->lessons.who[SLOE_EVAL_WHO_memory_kind];
  out->card.validated_on =
      sloe_arena_printf(&t->arena, "%.0f networks, cross-validation", fitted->network_errors.n);
  return out->card.validated_on ? SLOE_OK : no_memory(t->err);
}

static sloe_status write_platform(training *t) {
  sloe_fitted_platform platform = {.networks = &t->networks};
  char date[32], tool[32], seed[32];
  snprintf(tool, sizeof tool, "sloe %s", sloe_version());
  snprintf(seed, sizeof seed, "%" PRIu64, t->options->seed ? t->options->seed : 1);
  if (t->platform) {
    platform.card = t->platform->card;
    platform.fusion = t->platform->fusion;
    platform.fitted = t->fitted;
    if (!sloe_fitted_has_layers(&platform.fitted))
      platform.fitted.network_errors = chosen_errors(t, SLOE_NETWORKS_LATENCY);
  } else {
    SLOE_TRY(new_platform(t, &platform));
  }
  platform.fitted.created = sloe_today(date);
  platform.fitted.tool = tool;
  platform.fitted.seed = seed;
  t->networks.feature = t->lessons.feature;
  t->networks.at = t->lessons.at;
  t->networks.n_features = t->lessons.n_features;
  t->networks.rows = (double)t->lessons.n;
  t->networks.power_rail = t->lessons.who[SLOE_EVAL_WHO_power_rail];
  SLOE_TRY(sloe_train_domain(&t->lessons, &t->arena, &t->networks.domain, t->err));
  return sloe_fitted_write(&platform, t->options->out, t->err);
}

/* ---- the whole ---- */

static sloe_status warn_of_rows(training *t) {
  const sloe_lessons *l = &t->lessons;
  if (!l->refused) return SLOE_OK;
  return warn(t, sloe_arena_printf(&t->arena, "%zu %s left out, the network cannot be read: %s",
                                   l->refused, l->refused == 1 ? "row is" : "rows are", l->why));
}

static sloe_status check_platform(const training *t) {
  if (!t->platform || t->platform->fitted) return SLOE_OK;
  return sloe_fail(t->err, SLOE_UNSUPPORTED,
                   "'%s' is a data sheet: what was learned goes into a file of its own, or 'sloe "
                   "calibrate' corrects it",
                   t->platform->card.name);
}

static sloe_status read_lessons(training *t) {
  const sloe_train_options *o = t->options;
  const sloe_lessons_options options = {.table = o->table,
                                        .features = o->features,
                                        .kinds = o->kinds,
                                        .platform = t->platform,
                                        .method = SLOE_METHOD_LAYERS,
                                        .sums = wants_sum(t),
                                        .watch = t->trainer.watch};
  SLOE_TRY(sloe_lessons_read(&options, &t->lessons, t->err));
  t->out.table = o->table;
  t->out.platform = o->out ? o->out : "";
  t->out.kinds = t->lessons.kind_column;
  t->out.rows = t->lessons.n;
  t->out.left_out = t->lessons.left_out + t->lessons.refused;
  t->out.n_kinds = t->lessons.n_kinds;
  t->out.n_features = t->lessons.n_varying;
  t->out.draw = o->draw;
  t->out.repeat = o->draw ? o->repeat ? o->repeat : 1 : 0;
  return warn_of_rows(t);
}

/* The data sheet of a device, if there is one. */
static sloe_status look_for_board(training *t, const char *device, const sloe_search *search) {
  const char *name = sloe_arena_printf(&t->arena, "%s-datasheet-%s", device,
                                       sloe_precision_name(t->lessons.fusion.precision));
  if (!name) return no_memory(t->err);
  if (sloe_platform_open(name, search, &t->board, NULL) != SLOE_OK) t->board = NULL;
  return SLOE_OK;
}

/* The one that is named; else that of the device that was measured, or of its new name. */
static sloe_status open_board(training *t) {
  const sloe_train_options *o = t->options;
  const sloe_search none = {0}, *search = o->search ? o->search : &none;
  if (!wants_sum(t)) return SLOE_OK;
  if (o->board) {
    SLOE_TRY(sloe_platform_open(o->board, search, &t->board, t->err));
    if (t->board->fitted)
      return sloe_fail(t->err, SLOE_UNSUPPORTED, "'%s' is no data sheet", o->board);
  } else {
    SLOE_TRY(look_for_board(t, t->lessons.who[SLOE_EVAL_WHO_device], search));
    if (!t->board && o->device) SLOE_TRY(look_for_board(t, o->device, search));
  }
  t->trainer.board = t->board;
  return SLOE_OK;
}

static sloe_status choose_journal(training *t) {
  const sloe_train_options *o = t->options;
  t->trainer.journal = o->journal;
  if (o->journal || !o->tune || !o->out) return SLOE_OK;
  t->trainer.journal = sloe_arena_printf(&t->arena, "%s.tune", o->out);
  return t->trainer.journal ? SLOE_OK : no_memory(t->err);
}

static sloe_status train(training *t) {
  SLOE_TRY(check_platform(t));
  SLOE_TRY(choose_journal(t));
  SLOE_TRY(read_lessons(t));
  SLOE_TRY(open_board(t));
  if (t->platform) {
    t->fitted = *t->platform->fitted;
    SLOE_TRY(sloe_train_power(&t->lessons, &t->fitted, t->err));
  }
  SLOE_TRY(learn(t));
  return t->options->out ? write_platform(t) : SLOE_OK;
}

sloe_status sloe_train(const sloe_train_options *options, const sloe_platform *platform,
                       const sloe_watch *watch, sloe_training **out, sloe_error *err) {
  *out = NULL;
  training *t = sloe_alloc(1, sizeof *t);
  if (!t) return no_memory(err);
  *t = (training){.options = options, .platform = platform, .err = err};
  sloe_arena_init(&t->arena, ARENA_LIMIT);
  t->trainer = (sloe_trainer){.options = &t->own, .watch = watch, .arena = &t->arena};
  const sloe_status status = train(t);
  sloe_networks_fini(&t->networks);
  if (status == SLOE_OK)
    *out = &t->out;
  else
    sloe_training_free(&t->out);
  return status;
}

void sloe_training_free(sloe_training *training_) {
  training *t = (training *)training_;
  if (!t) return;
  sloe_platform_free(t->board);
  sloe_lessons_fini(&t->lessons);
  sloe_arena_fini(&t->arena);
  sloe_dealloc(t);
}
