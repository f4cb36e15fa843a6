/* report_networks.c: what a platform knows of whole networks. */
#include <math.h>

#include "report/report_fitted.h"

/* ---- JSON ---- */

static json_t *errors_json(const sloe_network_errors *e) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "n", sloe_json_number(e->n));
  sloe_json_set(&json, "mape", sloe_json_number(e->mape));
  sloe_json_set(&json, "mape_ci95", sloe_json_number(e->ci95));
  sloe_json_set(&json, "rmspe", sloe_json_number(e->rmspe));
  sloe_json_set(&json, "max_ape", sloe_json_number(e->max_ape));
  sloe_json_set(&json, "kendall", sloe_json_number(e->kendall));
  sloe_json_set(&json, "error_90", sloe_json_number(e->error_90));
  return sloe_json_take(&json);
}

static json_t *model_json(const sloe_networks *networks, const sloe_network_model *m) {
  sloe_json json = sloe_json_new();
  json_t *inputs = json_array();
  for (size_t i = 0; i < m->body.n_inputs; i++)
    inputs = sloe_json_append(inputs, sloe_json_string(networks->feature[m->input[i]]));
  sloe_json_set(&json, "metric",
                sloe_json_string(sloe_networks_metric_name((sloe_networks_metric)m->metric)));
  sloe_json_set(&json, "model", sloe_json_string(m->regressor));
  sloe_json_set(&json, "chosen", json_boolean(m->chosen != 0));
  sloe_json_set(&json, "on_layers", json_boolean(m->on_layers != 0));
  sloe_json_set(&json, "inputs", inputs);
  sloe_json_set(&json, "cross_validation", errors_json(&m->folds));
  sloe_json_set(&json, "kinds_left_out", errors_json(&m->kinds));
  sloe_json_set(&json, "constant_mape", sloe_json_number(m->constant_mape));
  sloe_json_set(&json, "train_s", sloe_json_number(m->train_s));
  sloe_json_set(&json, "tune_s", sloe_json_number(m->tune_s));
  return sloe_json_take(&json);
}

static json_t *domain_json(const sloe_networks *networks) {
  json_t *array = json_array();
  for (size_t i = 0; i < networks->n_features; i++) {
    sloe_json json = sloe_json_new();
    sloe_json_set(&json, "feature", sloe_json_string(networks->feature[i]));
    sloe_json_set(&json, "lo", sloe_json_number(expm1(networks->domain.lo[i])));
    sloe_json_set(&json, "hi", sloe_json_number(expm1(networks->domain.hi[i])));
    array = sloe_json_append(array, sloe_json_take(&json));
  }
  return array;
}

json_t *sloe_networks_json(const sloe_networks *networks) {
  sloe_json json = sloe_json_new();
  json_t *models = json_array();
  for (size_t i = 0; i < networks->n_models; i++)
    models = sloe_json_append(models, model_json(networks, &networks->models[i]));
  sloe_json_set(&json, "rows", sloe_json_number(networks->rows));
  sloe_json_set(&json, "power_rail", sloe_json_text(networks->power_rail));
  sloe_json_set(&json, "domain", domain_json(networks));
  sloe_json_set(&json, "models", models);
  return sloe_json_take(&json);
}

/* ---- tables ---- */

static void model_row(sloe_table *table, const sloe_network_model *m) {
  char number[SLOE_HUMAN_BUF];
  const double shown[] = {m->folds.mape,    m->folds.ci95, m->kinds.mape, m->constant_mape,
                          m->folds.kendall, m->train_s,    m->tune_s};
  sloe_table_add(table, sloe_networks_metric_name((sloe_networks_metric)m->metric));
  sloe_table_addf(table, "%s%s", m->regressor, m->on_layers ? " on layers" : "");
  sloe_table_add(table, m->chosen ? "*" : "");
  for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
    sloe_table_add(table, sloe_human_number(shown[i], number));
}

void sloe_networks_tables(const sloe_networks *networks, const sloe_report_options *options,
                          sloe_text *text) {
  static const sloe_column columns[] = {
      {"whole networks", 0, 0, 0}, {"model", 0, 1, 0},   {"", 0, 0, 0},
      {"MAPE", 1, 0, 0},           {"+-", 1, 0, 1},      {"kinds", 1, 0, 0},
      {"constant", 1, 0, 0},       {"Kendall", 1, 0, 0}, {"train s", 1, 0, 2},
      {"tune s", 1, 0, 3}};
  sloe_table table;
  sloe_table_init(&table, columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < networks->n_models; i++) model_row(&table, &networks->models[i]);
  sloe_text_add(text, "\n");
  sloe_table_print(&table, options, 2, text);
  sloe_table_fini(&table);
  sloe_text_addf(text,
                 "  learned from %.0f networks; MAPE of cross-validation, kinds of kinds left out, "
                 "*: answers\n",
                 networks->rows);
}
