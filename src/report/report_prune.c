#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/number.h"
#include "report/report.h"

typedef struct pruned {
  const sloe_answer *answer;
  const sloe_prune_result *result;
} pruned;

static const char *net_name(const pruned *p) {
  return sloe_net_get_info(sloe_layers_net(p->answer->layers))->name;
}

/* Is there a tread below to go to? */
static int has_target(const sloe_prune_layer *layer) {
  return layer->target > 0 && layer->target < layer->filters;
}

/* The layer that a step prunes; NULL: the network as it is. */
static const sloe_prune_layer *step_layer(const pruned *p, const sloe_prune_step *step) {
  return step->layer < p->result->n_layers ? &p->result->layers[step->layer] : NULL;
}

/* ---- JSON ---- */

static json_t *layer_json(const sloe_prune_layer *layer) {
  int better = has_target(layer);
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "name", sloe_json_string(layer->layer->name));
  sloe_json_set(&json, "kind", json_string(sloe_layer_kind_name(layer->layer->kind)));
  sloe_json_set(&json, "filters", json_integer(layer->filters));
  sloe_json_set(&json, "tread_lo", json_integer(layer->tread_lo));
  sloe_json_set(&json, "tread_hi", json_integer(layer->tread_hi));
  sloe_json_set(&json, "target", better ? json_integer(layer->target) : json_null());
  sloe_json_set(&json, "latency_ms", sloe_json_number(layer->latency_ms));
  sloe_json_set(&json, "target_ms", sloe_json_number(better ? layer->target_ms : NAN));
  sloe_json_set(&json, "saved_ms", sloe_json_number(better ? layer->saved_ms : NAN));
  sloe_json_set(&json, "saved_share", sloe_json_number(better ? layer->saved_share : NAN));
  sloe_json_set(&json, "network_saved_ms",
                sloe_json_number(better ? layer->network_saved_ms : NAN));
  sloe_json_set(&json, "in_domain", json_boolean(layer->in_domain));
  return sloe_json_take(&json);
}

static json_t *step_json(const pruned *p, const sloe_prune_step *step) {
  const sloe_prune_layer *layer = step_layer(p, step);
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "name", layer ? sloe_json_string(layer->layer->name) : json_null());
  sloe_json_set(&json, "filters", layer ? json_integer(step->filters) : json_null());
  sloe_json_set(&json, "latency_ms", sloe_json_number(step->latency_ms));
  sloe_json_set(&json, "params", sloe_json_number(step->params));
  return sloe_json_take(&json);
}

static void prune_json(sloe_json *json, const pruned *p) {
  json_t *layers = json_array(), *steps = json_array();
  for (size_t i = 0; i < p->result->n_layers; i++)
    layers = sloe_json_append(layers, layer_json(&p->result->layers[i]));
  for (size_t i = 0; i < p->result->n_steps; i++)
    steps = sloe_json_append(steps, step_json(p, &p->result->steps[i]));
  sloe_json_set(json, "net", sloe_json_string(net_name(p)));
  sloe_json_set(json, "platform", sloe_json_string(p->answer->card->name));
  sloe_json_set(json, "latency_ms", sloe_json_number(p->result->latency_ms));
  sloe_json_set(json, "layers", layers);
  sloe_json_set(json, "steps", steps);
}

static sloe_status prunes_json(const sloe_answer *answers, const sloe_prune_result *const *prunes,
                               size_t n, int list, char **text, sloe_error *err) {
  if (n == 1 && !list) {
    sloe_json json = sloe_json_document("sloe/prune/1");
    prune_json(&json, &(pruned){&answers[0], prunes[0]});
    return sloe_json_finish(sloe_json_take(&json), text, err);
  }
  sloe_json json = sloe_json_document("sloe/prune-list/1");
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) {
    sloe_json one = sloe_json_new();
    prune_json(&one, &(pruned){&answers[i], prunes[i]});
    array = sloe_json_append(array, sloe_json_take(&one));
  }
  sloe_json_set(&json, "prunes", array);
  return sloe_json_finish(sloe_json_take(&json), text, err);
}

/* ---- CSV: the layers ---- */

static void csv_layer(sloe_csv *csv, const pruned *p, const sloe_prune_layer *layer) {
  int better = has_target(layer);
  sloe_csv_string(csv, net_name(p));
  sloe_csv_string(csv, p->answer->card->name);
  sloe_csv_string(csv, layer->layer->name);
  sloe_csv_string(csv, sloe_layer_kind_name(layer->layer->kind));
  sloe_csv_int(csv, layer->filters);
  sloe_csv_int(csv, layer->tread_lo);
  sloe_csv_int(csv, layer->tread_hi);
  if (better)
    sloe_csv_int(csv, layer->target);
  else
    sloe_csv_string(csv, "");
  sloe_csv_number(csv, layer->latency_ms);
  sloe_csv_number(csv, better ? layer->target_ms : NAN);
  sloe_csv_number(csv, better ? layer->saved_ms : NAN);
  sloe_csv_number(csv, better ? layer->saved_share : NAN);
  sloe_csv_number(csv, better ? layer->network_saved_ms : NAN);
  sloe_csv_flag(csv, layer->in_domain != 0);
  sloe_csv_end(csv);
}

static sloe_status prunes_csv(const sloe_answer *answers, const sloe_prune_result *const *prunes,
                              size_t n, char **text, sloe_error *err) {
  sloe_csv csv = {.started = 0};
  sloe_csv_header(&csv,
                  "net,platform,name,kind,filters,tread_lo,tread_hi,target,latency_ms,target_ms,"
                  "saved_ms,saved_share,network_saved_ms,in_domain");
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < prunes[i]->n_layers; k++)
      csv_layer(&csv, &(pruned){&answers[i], prunes[i]}, &prunes[i]->layers[k]);
  return sloe_text_take(&csv.text, text, err);
}

/* ---- tables ---- */

static const char *fixed(double value, int digits, char buf[SLOE_HUMAN_BUF]) {
  return isnan(value) ? "-" : sloe_format_fixed(value, digits, buf, SLOE_HUMAN_BUF);
}

static void layer_row(sloe_table *table, const sloe_prune_layer *layer) {
  char number[SLOE_HUMAN_BUF];
  int better = has_target(layer);
  sloe_table_add(table, layer->layer->name);
  sloe_table_add(table, sloe_layer_kind_name(layer->layer->kind));
  sloe_table_addf(table, "%" PRId64, layer->filters);
  sloe_table_addf(table, "%" PRId64 "..%" PRId64, layer->tread_lo, layer->tread_hi);
  sloe_table_add(table, fixed(layer->latency_ms, 4, number));
  if (better)
    sloe_table_addf(table, "%" PRId64, layer->target);
  else
    sloe_table_add(table, "-");
  sloe_table_add(table, fixed(better ? layer->saved_ms : NAN, 4, number));
  if (better && !isnan(layer->saved_share))
    sloe_table_addf(table, "%.1f %%", 100 * layer->saved_share);
  else
    sloe_table_add(table, "-");
  sloe_table_add(table, fixed(better ? layer->network_saved_ms : NAN, 4, number));
  sloe_table_add(table, layer->in_domain ? "" : "outside");
}

static void layer_table(const pruned *p, const sloe_report_options *options, sloe_text *text) {
  static const sloe_column columns[] = {
      {"layer", 0, 1, 0},  {"kind", 0, 0, 5},   {"filters", 1, 0, 0},  {"step", 0, 0, 0},
      {"ms", 1, 0, 0},     {"target", 1, 0, 0}, {"saves ms", 1, 0, 0}, {"of net", 1, 0, 0},
      {"net ms", 1, 0, 3}, {"domain", 0, 0, 4}};
  sloe_table table;
  sloe_table_init(&table, columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < p->result->n_layers; i++) layer_row(&table, &p->result->layers[i]);
  sloe_table_print(&table, options, 2, text);
  sloe_table_fini(&table);
}

static void step_row(sloe_table *table, const pruned *p, size_t i) {
  const sloe_prune_step *step = &p->result->steps[i];
  const sloe_prune_layer *layer = step_layer(p, step);
  char number[SLOE_HUMAN_BUF];
  double whole = p->result->latency_ms;
  sloe_table_addf(table, "%zu", i);
  sloe_table_add(table, layer ? layer->layer->name : "as it is");
  if (layer)
    sloe_table_addf(table, "%" PRId64, step->filters);
  else
    sloe_table_add(table, "");
  sloe_table_add(table, fixed(step->latency_ms, 4, number));
  if (whole > 0 && !isnan(step->latency_ms))
    sloe_table_addf(table, "%.1f %%", 100 * step->latency_ms / whole);
  else
    sloe_table_add(table, "-");
  sloe_table_add(table, sloe_human_si(step->params, number));
}

static void step_table(const pruned *p, const sloe_report_options *options, sloe_text *text) {
  static const sloe_column columns[] = {{"#", 1, 0, 1},  {"pruned layer", 0, 1, 0},
                                        {"to", 1, 0, 0}, {"network ms", 1, 0, 0},
                                        {"", 1, 0, 2},   {"params", 1, 0, 0}};
  sloe_table table;
  sloe_table_init(&table, columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < p->result->n_steps; i++) step_row(&table, p, i);
  sloe_table_print(&table, options, 2, text);
  sloe_table_fini(&table);
}

static void prune_page(const pruned *p, const sloe_report_options *options, sloe_text *text) {
  static const char *const notes[] = {
      "step: filter counts of about equal latency; target: the right end of the next step below",
      "net ms: saved with the layers behind narrowed too"};
  char number[SLOE_HUMAN_BUF];
  sloe_text_styled(text, options, SLOE_STYLE_BOLD, net_name(p));
  sloe_text_add(text, " on ");
  sloe_text_styled(text, options, SLOE_STYLE_BOLD, p->answer->card->name);
  sloe_text_addf(text, ": %s ms\n", sloe_human_number(p->result->latency_ms, number));
  layer_table(p, options, text);
  for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
    sloe_text_add(text, "  ");
    sloe_text_styled(text, options, SLOE_STYLE_DIM, notes[i]);
    sloe_text_add(text, "\n");
  }
  if (!p->result->n_steps) return;
  sloe_text_add(text, "\n  Pruned one by one, most milliseconds a filter first:\n");
  step_table(p, options, text);
}

sloe_status sloe_report_prune(const sloe_answer *answers, const sloe_prune_result *const *prunes,
                              size_t n, const sloe_report_options *options, char **text,
                              sloe_error *err) {
  *text = NULL;
  if (options->format == SLOE_FORMAT_JSON)
    return prunes_json(answers, prunes, n, options->list, text, err);
  if (options->format == SLOE_FORMAT_CSV) return prunes_csv(answers, prunes, n, text, err);
  sloe_text out = {0};
  for (size_t i = 0; i < n; i++) {
    if (i) sloe_text_add(&out, "\n");
    prune_page(&(pruned){&answers[i], prunes[i]}, options, &out);
  }
  return sloe_text_take(&out, text, err);
}
