/* evaluate.c: a platform's errors against a measurement table.
 *
 *   table -> rows -> each net asked once -> pairs (measured, estimated) -> errors, all and by group
 *
 * What becomes of a row, for each metric that the table has a column of:
 *   - of another quality than ok: left out;
 *   - nothing measured: not counted at all;
 *   - its net cannot be opened or estimated, or one of the two numbers is none: left out;
 *   - else it is compared.
 * A metric that no row can be compared in is reported only where there is no other.
 *
 * Reference. The host's clock drifts between measuring the platform and the table. Both may come
 * with the time of one and the same reference layer; then a measured latency is multiplied by the
 * platform's over the row's, which takes the drift out (options->raw leaves it in).
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/csv.h"
#include "base/gzip.h"
#include "base/number.h"
#include "campaign/campaign.h"
#include "campaign/evaluate_table.h"
#include "estimate/estimate.h"
#include "learn/learn.h"
#include "platform/platform.h"

enum { ARENA_LIMIT = 1 << 30, NETS_NAMED = 5 /* of those that could not be answered */ };

typedef struct evaluation {
  sloe_evaluation out; /* first: what the caller holds */
  sloe_arena arena;
  const sloe_evaluate_options *options;
  const sloe_platform *platform;
  const sloe_watch *watch;
  sloe_eval_table table;
  sloe_errors *errors;
  const char **warnings;
  size_t cap_errors, cap_warnings;
  double *scratch;   /* [4 x rows] */
  const char *model; /* of whole networks that is asked; NULL: the chosen one */
} evaluation;

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory evaluating");
}

/* `text` comes from the arena; NULL: it is full. */
static sloe_status warn(evaluation *e, const char *text, sloe_error *err) {
  if (!text || !sloe_arena_grow(&e->arena, &e->warnings, e->out.n_warnings, &e->cap_warnings,
                                sizeof *e->warnings))
    return out_of_memory(err);
  e->warnings[e->out.n_warnings++] = text;
  e->out.warnings = e->warnings;
  return SLOE_OK;
}

/* ---- asking the platform ---- */

/* "NET#12", layer 12 of NET in its place: *path becomes NET. *layer is -1 without. */
static sloe_status split_place(evaluation *e, const char **path, int64_t *layer, sloe_error *err) {
  const char *mark = strrchr(*path, '#');
  *layer = -1;
  if (!mark || !sloe_parse_int(mark + 1, strlen(mark + 1), layer) || *layer < 0) return SLOE_OK;
  *path = sloe_arena_strn(&e->arena, *path, (size_t)(mark - *path));
  return *path ? SLOE_OK : out_of_memory(err);
}

/* One layer's latency; nothing else of it is told. */
static sloe_status take_layer(const sloe_result *result, int64_t layer, sloe_eval_net *net,
                              sloe_error *err) {
  if ((uint64_t)layer >= result->n_layers)
    return sloe_fail(err, SLOE_NOTFOUND, "there is no layer %lld among %zu", (long long)layer,
                     result->n_layers);
  const sloe_layer_estimate *l = &result->layers[layer];
  for (int m = 0; m < SLOE_EVAL_METRICS; m++)
    net->figure[m] = (sloe_figure){.value = NAN, .low = NAN, .high = NAN};
  net->figure[SLOE_EVAL_latency_ms].value = l->latency_ms;
  net->figure[SLOE_EVAL_latency_ms].source = l->source;
  net->figure[SLOE_EVAL_latency_ms].in_domain = l->in_domain;
  return SLOE_OK;
}

/* A layer of a table ran as one, also where networks run it as two: an activation behind a batch
   normalisation, say. */
static sloe_status take_spec(const evaluation *e, const char *path, const sloe_result *result,
                             sloe_eval_net *net, sloe_error *err) {
  sloe_layer_spec spec;
  sloe_spec_estimate told;
  sloe_figure *figure = &net->figure[SLOE_EVAL_latency_ms];
  if (strncmp(path, "zoo:layer,", 10) != 0 || result->n_layers < 2 || net->batch > 1 ||
      figure->source != SLOE_SOURCE_FITTED)
    return SLOE_OK;
  SLOE_TRY(sloe_layer_spec_parse(path, &spec, err));
  SLOE_TRY(sloe_estimate_spec(e->platform, &spec, &told, err));
  *figure = (sloe_figure){.value = told.latency_ms,
                          .low = NAN,
                          .high = NAN,
                          .source = told.source,
                          .in_domain = told.in_domain};
  return SLOE_OK;
}

static sloe_status estimate(evaluation *e, sloe_eval_net *net, const char *path, sloe_error *err) {
  const sloe_net_options how = {.batch = net->batch};
  const sloe_estimate_options options = {.method = e->options->method, .model = e->model};
  sloe_net *opened = NULL;
  sloe_layers *layers = NULL;
  sloe_estimate *answer = NULL;
  sloe_status status;
  int64_t layer;
  SLOE_TRY(split_place(e, &path, &layer, err));
  SLOE_GOTO(sloe_net_open(path, &how, &opened, err));
  SLOE_GOTO(sloe_layers_new(opened, sloe_platform_fusion(e->platform), &layers, err));
  SLOE_GOTO(sloe_estimate_new(layers, e->platform, &options, &answer, err));
  const sloe_result *result = sloe_estimate_get(answer);
#define TAKE_FIGURE(name) net->figure[SLOE_EVAL_##name] = result->name;
  SLOE_EVAL_METRIC_MAP(TAKE_FIGURE)
#undef TAKE_FIGURE
  net->power_rail =
      sloe_arena_printf(&e->arena, "%s", result->power_rail ? result->power_rail : "");
  net->memory_kind =
      sloe_arena_printf(&e->arena, "%s", result->memory_kind ? result->memory_kind : "");
  if (!net->power_rail || !net->memory_kind) SLOE_GOTO(out_of_memory(err));
  if (layer >= 0)
    SLOE_GOTO(take_layer(result, layer, net, err));
  else
    SLOE_GOTO(take_spec(e, path, result, net, err));
fail:
  sloe_estimate_free(answer);
  sloe_layers_free(layers);
  sloe_net_free(opened);
  return status;
}

/* Only memory that ran out fails the whole; every other refusal is the net's. */
static sloe_status ask(evaluation *e, sloe_eval_net *net, sloe_error *err) {
  sloe_error why = {0};
  const char *path = sloe_eval_net_path(&e->arena, e->options->table, net->text);
  if (!path) return out_of_memory(err);
  net->power_rail = net->memory_kind = "";
  net->status = *net->text ? estimate(e, net, path, &why)
                           : sloe_fail(&why, SLOE_FORMAT, "a row without a net");
  if (net->status == SLOE_NOMEM) return sloe_fail(err, SLOE_NOMEM, "%s", why.msg);
  if (net->status == SLOE_OK) return SLOE_OK;
  for (int m = 0; m < SLOE_EVAL_METRICS; m++) net->figure[m].value = NAN;
  net->why = strstr(why.msg, net->text)
                 ? sloe_arena_printf(&e->arena, "%s", why.msg)
                 : sloe_arena_printf(&e->arena, "%s: %s", net->text, why.msg);
  return net->why ? SLOE_OK : out_of_memory(err);
}

static sloe_status ask_all(evaluation *e, sloe_error *err) {
  const sloe_watch *watch = e->watch;
  const size_t n = e->table.n_nets;
  for (size_t i = 0; i < n; i++) {
    if (watch && watch->stop && watch->stop(watch->context))
      return sloe_fail(err, SLOE_STOPPED, "stopped after %zu of %zu nets", i, n);
    SLOE_TRY(ask(e, &e->table.nets[i], err));
    const sloe_progress now = {"evaluating", i + 1, n, NAN, NAN};
    if (watch && watch->progress) watch->progress(watch->context, &now);
  }
  return SLOE_OK;
}

static const sloe_eval_net *net_of(const evaluation *e, const sloe_eval_row *row) {
  return &e->table.nets[row->net];
}

/* ---- the reference ---- */

static int positive(double x) {
  return x > 0 && !isinf(x);
}

static sloe_status scale(evaluation *e, sloe_error *err) {
  const double platform_ref = sloe_platform_reference_ms(e->platform);
  size_t scaled = 0, timed = 0;
  char number[SLOE_NUMBER_BUF];
  e->out.scaled = "";
  if (e->options->raw || !positive(platform_ref)) return SLOE_OK;
  for (size_t i = 0; i < e->table.n_rows; i++) {
    sloe_eval_row *row = &e->table.rows[i];
    double *latency = &row->measured[SLOE_EVAL_latency_ms];
    if (!row->ok || isnan(*latency)) continue;
    timed++;
    if (!positive(row->ref_ms)) continue;
    *latency *= platform_ref / row->ref_ms;
    scaled++;
  }
  if (!scaled) return SLOE_OK;
  const char *text = sloe_arena_printf(
      &e->arena, "latency_ms of %zu of %zu rows times %s ms, the platform's reference, over ref_ms",
      scaled, timed, sloe_format_fixed(platform_ref, 4, number, sizeof number));
  if (!text) return out_of_memory(err);
  e->out.scaled = text;
  return SLOE_OK;
}

/* ---- errors ---- */

enum { NOT_MEASURED, LEFT_OUT, COMPARED };

static int fate(const evaluation *e, const sloe_eval_row *row, int metric) {
  if (!row->ok) return LEFT_OUT;
  if (isnan(row->measured[metric])) return NOT_MEASURED;
  const double estimated = net_of(e, row)->figure[metric].value;
  return positive(row->measured[metric]) && positive(estimated) ? COMPARED : LEFT_OUT;
}

static size_t count_compared(const evaluation *e, int metric) {
  size_t n = 0;
  for (size_t i = 0; i < e->table.n_rows; i++) n += fate(e, &e->table.rows[i], metric) == COMPARED;
  return n;
}

/* Which metrics are reported. */
static void choose(const evaluation *e, int reported[SLOE_EVAL_METRICS]) {
  int any = 0;
  for (int m = 0; m < SLOE_EVAL_METRICS; m++)
    any |= reported[m] = e->table.has[m] && count_compared(e, m) > 0;
  for (int m = 0; m < SLOE_EVAL_METRICS && !any; m++) reported[m] = e->table.has[m];
}

/* Errors of rows order[0..n); `group` as sloe_errors has it. */
static sloe_status add_errors(evaluation *e, int metric, const char *group, const int32_t *order,
                              size_t n, sloe_error *err) {
  const size_t all = e->table.n_rows;
  double *measured = e->scratch, *estimated = measured + all, *low = estimated + all,
         *high = low + all;
  sloe_errors errors = {.metric = sloe_eval_metric[metric], .group = group};
  sloe_error_rows rows = {0, measured, estimated, low, high};
  for (size_t i = 0; i < n; i++) {
    const sloe_eval_row *row = &e->table.rows[order[i]];
    const sloe_figure *figure = &net_of(e, row)->figure[metric];
    const int what = fate(e, row, metric);
    errors.left_out += what == LEFT_OUT;
    if (what != COMPARED) continue;
    measured[rows.n] = row->measured[metric];
    estimated[rows.n] = figure->value;
    low[rows.n] = figure->low;
    high[rows.n++] = figure->high;
  }
  SLOE_TRY(sloe_errors_of(&rows, &errors, err));
  if (!sloe_arena_grow(&e->arena, &e->errors, e->out.n_errors, &e->cap_errors, sizeof errors))
    return out_of_memory(err);
  e->errors[e->out.n_errors++] = errors;
  e->out.errors = e->errors;
  return SLOE_OK;
}

/* Rows sorted by group, stable; start[g] is where group g begins, start[n_groups] the end. */
static void sort_by_group(const sloe_eval_table *t, int32_t *order, size_t *start) {
  for (size_t i = 0; i < t->n_rows; i++) start[t->rows[i].group + 1]++;
  for (size_t g = 0; g < t->n_groups; g++) start[g + 1] += start[g];
  for (size_t i = 0; i < t->n_rows; i++) order[start[t->rows[i].group]++] = (int32_t)i;
  for (size_t g = t->n_groups; g > 0; g--) start[g] = start[g - 1];
  start[0] = 0;
}

static sloe_status compare(evaluation *e, const int reported[SLOE_EVAL_METRICS], sloe_error *err) {
  const sloe_eval_table *t = &e->table;
  int32_t *order = SLOE_ARENA_NEW(&e->arena, int32_t, t->n_rows + 1);
  size_t *start = SLOE_ARENA_NEW(&e->arena, size_t, t->n_groups + 2);
  e->scratch = SLOE_ARENA_NEW(&e->arena, double, 4 * t->n_rows + 1);
  if (!order || !start || !e->scratch || t->n_rows > INT32_MAX) return out_of_memory(err);
  sort_by_group(t, order, start);
  for (int m = 0; m < SLOE_EVAL_METRICS; m++)
    if (reported[m]) SLOE_TRY(add_errors(e, m, "", order, t->n_rows, err));
  if (!e->options->by) return SLOE_OK;
  for (int m = 0; m < SLOE_EVAL_METRICS; m++)
    for (size_t g = 0; g < t->n_groups && reported[m]; g++)
      SLOE_TRY(add_errors(e, m, *t->groups[g] ? t->groups[g] : "(empty)", order + start[g],
                          start[g + 1] - start[g], err));
  return SLOE_OK;
}

/* ---- a group for each model of whole networks ---- */

static int is_first_of(const sloe_networks *networks, size_t i) {
  for (size_t j = 0; j < i; j++)
    if (strcmp(networks->models[j].regressor, networks->models[i].regressor) == 0) return 0;
  return 1;
}

static sloe_status compare_model(evaluation *e, const char *model, const int32_t *order,
                                 sloe_error *err) {
  e->model = model;
  SLOE_TRY(ask_all(e, err));
  for (int m = 0; m < SLOE_EVAL_METRICS; m++)
    if (e->table.has[m] &&
        sloe_networks_find(e->platform->networks, (sloe_networks_metric)m, model))
      SLOE_TRY(add_errors(e, m, model, order, e->table.n_rows, err));
  return SLOE_OK;
}

/* Last of all: the networks then hold what the last model said. */
static sloe_status compare_models(evaluation *e, sloe_error *err) {
  const sloe_networks *networks = e->platform->networks;
  int32_t *order = SLOE_ARENA_NEW(&e->arena, int32_t, e->table.n_rows + 1);
  if (!order) return out_of_memory(err);
  for (size_t i = 0; i < e->table.n_rows; i++) order[i] = (int32_t)i;
  for (size_t i = 0; i < networks->n_models; i++)
    if (is_first_of(networks, i))
      SLOE_TRY(compare_model(e, networks->models[i].regressor, order, err));
  return SLOE_OK;
}

/* ---- warnings ---- */

/* What the platform says where the row says row->who[i]. A data sheet's runtime is that of its
   fusion rules. */
static const char *who_answers(const evaluation *e, const sloe_eval_row *row, int i) {
  const sloe_card *card = sloe_platform_card(e->platform);
  switch (i) {
    case SLOE_EVAL_WHO_device: return card->device;
    case SLOE_EVAL_WHO_runtime:
      return card->source == SLOE_SOURCE_DATASHEET
                 ? sloe_runtime_name(sloe_platform_fusion(e->platform)->runtime)
                 : card->runtime;
    case SLOE_EVAL_WHO_precision: return sloe_precision_name(card->precision);
    case SLOE_EVAL_WHO_mode: return card->mode;
    case SLOE_EVAL_WHO_power_rail: return net_of(e, row)->power_rail;
    case SLOE_EVAL_WHO_memory_kind: return net_of(e, row)->memory_kind;
    case SLOE_EVAL_WHO_version: return card->runtime_version;
    default: return ""; /* a platform's threads are its mode */
  }
}

/* One warning: how many rows were measured on something else. */
static sloe_status warn_of_others(evaluation *e, sloe_error *err) {
  const char *text = "", *sep = "";
  for (int i = 0; i < SLOE_EVAL_WHOS; i++) {
    const sloe_eval_row *first = NULL;
    size_t n = 0;
    for (size_t k = 0; k < e->table.n_rows; k++) {
      const sloe_eval_row *row = &e->table.rows[k];
      const char *ours = who_answers(e, row, i);
      if (!row->ok || !*row->who[i] || !ours || !*ours || strcmp(row->who[i], ours) == 0) continue;
      if (!n++) first = row;
    }
    if (!n) continue;
    text = sloe_arena_printf(&e->arena, "%s%s%s of %zu %s ('%.60s', not '%.60s')", text, sep,
                             sloe_eval_who[i], n, n == 1 ? "row" : "rows", first->who[i],
                             who_answers(e, first, i));
    if (!text) return out_of_memory(err);
    sep = ", ";
  }
  if (!*text) return SLOE_OK;
  return warn(
      e, sloe_arena_printf(&e->arena, "measured on something else than the platform: %s", text),
      err);
}

static sloe_status warn_of_nets(evaluation *e, sloe_error *err) {
  size_t n = 0;
  for (size_t i = 0; i < e->table.n_nets; i++) {
    const sloe_eval_net *net = &e->table.nets[i];
    if (net->why && n++ < NETS_NAMED) SLOE_TRY(warn(e, net->why, err));
  }
  if (n <= NETS_NAMED) return SLOE_OK;
  return warn(
      e, sloe_arena_printf(&e->arena, "%zu further nets could not be answered", n - NETS_NAMED),
      err);
}

/* Of metrics that were measured and that the platform does not answer. */
static sloe_status warn_of_metrics(evaluation *e, const int reported[SLOE_EVAL_METRICS],
                                   sloe_error *err) {
  for (int m = 0; m < SLOE_EVAL_METRICS; m++) {
    size_t n = 0;
    for (size_t i = 0; i < e->table.n_rows && !reported[m]; i++)
      n += e->table.rows[i].ok && !isnan(e->table.rows[i].measured[m]);
    if (n)
      SLOE_TRY(warn(e,
                    sloe_arena_printf(&e->arena, "%s was measured in %zu %s, %s has no model",
                                      sloe_eval_metric[m], n, n == 1 ? "row" : "rows",
                                      sloe_platform_card(e->platform)->name),
                    err));
  }
  return SLOE_OK;
}

/* ---- predictions ---- */

static const char *const PREDICTIONS[] = {"net", "metric", "measured", "estimated",
                                          "low", "high",   "in_domain"};
enum { N_PREDICTIONS = sizeof PREDICTIONS / sizeof *PREDICTIONS };

/* The column to group by comes behind, unless one is called so already. */
static int by_is_extra(const evaluation *e) {
  for (int i = 0; i < N_PREDICTIONS; i++)
    if (e->options->by && strcmp(e->options->by, PREDICTIONS[i]) == 0) return 0;
  return e->options->by != NULL;
}

static sloe_status write_prediction(const evaluation *e, const sloe_eval_row *row, int metric,
                                    sloe_csv_writer *w, sloe_error *err) {
  const sloe_figure *figure = &net_of(e, row)->figure[metric];
  sloe_csv_writer_string(w, net_of(e, row)->text);
  sloe_csv_writer_string(w, sloe_eval_metric[metric]);
  sloe_csv_writer_number(w, row->measured[metric]);
  sloe_csv_writer_number(w, figure->value);
  sloe_csv_writer_number(w, figure->low);
  sloe_csv_writer_number(w, figure->high);
  sloe_csv_writer_int(w, figure->in_domain != 0);
  if (by_is_extra(e)) sloe_csv_writer_string(w, e->table.groups[row->group]);
  return sloe_csv_writer_end_record(w, err);
}

static sloe_status write_rows(const evaluation *e, sloe_csv_writer *w, sloe_error *err) {
  for (int i = 0; i < N_PREDICTIONS; i++) sloe_csv_writer_string(w, PREDICTIONS[i]);
  if (by_is_extra(e)) sloe_csv_writer_string(w, e->options->by);
  SLOE_TRY(sloe_csv_writer_end_record(w, err));
  for (size_t i = 0; i < e->table.n_rows; i++)
    for (int m = 0; m < SLOE_EVAL_METRICS; m++)
      if (fate(e, &e->table.rows[i], m) == COMPARED)
        SLOE_TRY(write_prediction(e, &e->table.rows[i], m, w, err));
  return sloe_csv_writer_flush(w, err);
}

static sloe_status write_predictions(const evaluation *e, sloe_error *err) {
  sloe_gzip_writer *file;
  sloe_csv_writer w;
  if (!e->options->predictions) return SLOE_OK;
  SLOE_TRY(sloe_gzip_begin(e->options->predictions, &file, err));
  sloe_csv_writer_init(&w, (sloe_csv_sink){file, sloe_gzip_append});
  const sloe_status status = write_rows(e, &w, err);
  sloe_csv_writer_fini(&w);
  return sloe_gzip_end(file, status, err);
}

/* ---- the whole ---- */

static sloe_status fill(evaluation *e, sloe_error *err) {
  int reported[SLOE_EVAL_METRICS];
  const char *by = e->options->by ? e->options->by : e->options->models ? "model" : "";
  if (e->options->models && !e->platform->networks)
    return sloe_fail(err, SLOE_UNSUPPORTED, "platform '%s' has no models of whole networks",
                     sloe_platform_card(e->platform)->name);
  e->out.table = sloe_arena_printf(&e->arena, "%s", e->options->table);
  e->out.platform = sloe_arena_printf(&e->arena, "%s", sloe_platform_card(e->platform)->name);
  e->out.by = sloe_arena_printf(&e->arena, "%s", by);
  if (!e->out.table || !e->out.platform || !e->out.by) return out_of_memory(err);
  SLOE_TRY(sloe_eval_table_read(e->options, &e->arena, &e->table, err));
  SLOE_TRY(ask_all(e, err));
  SLOE_TRY(scale(e, err));
  choose(e, reported);
  SLOE_TRY(compare(e, reported, err));
  SLOE_TRY(warn_of_others(e, err));
  SLOE_TRY(warn_of_nets(e, err));
  SLOE_TRY(warn_of_metrics(e, reported, err));
  SLOE_TRY(write_predictions(e, err));
  return e->options->models ? compare_models(e, err) : SLOE_OK;
}

sloe_status sloe_evaluate(const sloe_evaluate_options *options, const sloe_platform *platform,
                          const sloe_watch *watch, sloe_evaluation **out, sloe_error *err) {
  *out = NULL;
  evaluation *e = sloe_alloc(1, sizeof *e);
  if (!e) return out_of_memory(err);
  *e = (evaluation){.options = options, .platform = platform, .watch = watch};
  sloe_arena_init(&e->arena, ARENA_LIMIT);
  const sloe_status status = fill(e, err);
  if (status == SLOE_OK)
    *out = &e->out;
  else
    sloe_evaluation_free(&e->out);
  return status;
}

void sloe_evaluation_free(sloe_evaluation *evaluation_) {
  evaluation *e = (evaluation *)evaluation_;
  if (!e) return;
  sloe_arena_fini(&e->arena);
  sloe_dealloc(e);
}
