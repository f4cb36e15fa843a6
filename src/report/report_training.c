#include <math.h>
#include <stdio.h>

#include "report/report.h"

/* ---- JSON ---- */

static json_t *errors_json(const sloe_errors *errors) {
  if (!errors->n) return json_null();
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "n", sloe_json_count(errors->n));
#define SET(name, doc) sloe_json_set(&json, #name, sloe_json_number(errors->name));
  SLOE_ERROR_MAP(SET)
#undef SET
  return sloe_json_take(&json);
}

static json_t *model_json(const sloe_trained *model) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "metric", sloe_json_string(model->metric));
  sloe_json_set(&json, "model", sloe_json_string(model->regressor));
  sloe_json_set(&json, "on_layers", json_boolean(model->on_layers));
  sloe_json_set(&json, "chosen", json_boolean(model->chosen));
  sloe_json_set(&json, "errors", errors_json(&model->errors));
  sloe_json_set(&json, "kinds_left_out", errors_json(&model->kinds));
  sloe_json_set(&json, "mape_p90", sloe_json_number(model->mape_p90));
  sloe_json_set(&json, "train_s", sloe_json_number(model->train_s));
  sloe_json_set(&json, "tune_s", sloe_json_number(model->tune_s));
  sloe_json_set(&json, "predict_us", sloe_json_number(model->predict_us));
  sloe_json_set(&json, "points", sloe_json_count(model->points));
  sloe_json_set(&json, "abandoned", sloe_json_count(model->abandoned));
  sloe_json_set(&json, "hyperparameters", sloe_json_text(model->hyper));
  return sloe_json_take(&json);
}

static json_t *step_json(const sloe_selected *step) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "metric", sloe_json_string(step->metric));
  sloe_json_set(&json, "feature", sloe_json_string(step->feature));
  sloe_json_set(&json, "score", sloe_json_number(step->score));
  sloe_json_set(&json, "mape", sloe_json_number(step->mape));
  sloe_json_set(&json, "chosen", json_boolean(step->chosen));
  return sloe_json_take(&json);
}

static sloe_status training_json(const sloe_training *t, char **text, sloe_error *err) {
  sloe_json json = sloe_json_document("sloe/train/1");
  json_t *models = json_array(), *selected = json_array(), *warnings = json_array();
  sloe_json_set(&json, "table", sloe_json_string(t->table));
  sloe_json_set(&json, "platform", sloe_json_text(t->platform));
  sloe_json_set(&json, "rows", sloe_json_count(t->rows));
  sloe_json_set(&json, "left_out", sloe_json_count(t->left_out));
  sloe_json_set(&json, "features", sloe_json_count(t->n_features));
  sloe_json_set(&json, "kinds", sloe_json_text(t->kinds));
  sloe_json_set(&json, "n_kinds", sloe_json_count(t->n_kinds));
  sloe_json_set(&json, "draw", t->draw ? sloe_json_count(t->draw) : json_null());
  sloe_json_set(&json, "repeat", t->draw ? sloe_json_count(t->repeat) : json_null());
  for (size_t i = 0; i < t->n_models; i++)
    models = sloe_json_append(models, model_json(&t->models[i]));
  sloe_json_set(&json, "models", models);
  for (size_t i = 0; i < t->n_selected; i++)
    selected = sloe_json_append(selected, step_json(&t->selected[i]));
  sloe_json_set(&json, "selected", selected);
  for (size_t i = 0; i < t->n_warnings; i++)
    warnings = sloe_json_append(warnings, sloe_json_string(t->warnings[i]));
  sloe_json_set(&json, "warnings", warnings);
  return sloe_json_finish(sloe_json_take(&json), text, err);
}

/* ---- CSV ---- */

static sloe_status training_csv(const sloe_training *t, char **text, sloe_error *err) {
  sloe_csv csv = {.started = 0};
#define COLUMN(name, doc) "," #name
  sloe_csv_header(&csv, "table,metric,model,on_layers,chosen,n" SLOE_ERROR_MAP(
                            COLUMN) ",kinds_mape,mape_p90,train_s,tune_s,predict_us,points,"
                                    "abandoned,hyperparameters");
#undef COLUMN
  for (size_t i = 0; i < t->n_models; i++) {
    const sloe_trained *m = &t->models[i];
    sloe_csv_string(&csv, t->table);
    sloe_csv_string(&csv, m->metric);
    sloe_csv_string(&csv, m->regressor);
    sloe_csv_flag(&csv, m->on_layers);
    sloe_csv_flag(&csv, m->chosen);
    sloe_csv_count(&csv, m->errors.n);
#define CELL(name, doc) sloe_csv_number(&csv, m->errors.name);
    SLOE_ERROR_MAP(CELL)
#undef CELL
    sloe_csv_number(&csv, m->kinds.n ? m->kinds.mape : NAN);
    sloe_csv_number(&csv, m->mape_p90);
    sloe_csv_number(&csv, m->train_s);
    sloe_csv_number(&csv, m->tune_s);
    sloe_csv_number(&csv, m->predict_us);
    sloe_csv_count(&csv, m->points);
    sloe_csv_count(&csv, m->abandoned);
    sloe_csv_string(&csv, m->hyper);
    sloe_csv_end(&csv);
  }
  return sloe_text_take(&csv.text, text, err);
}

/* ---- tables ---- */

static void model_row(sloe_table *table, const sloe_training *t, const sloe_trained *m) {
  char number[SLOE_HUMAN_BUF];
  const double shown[] = {m->errors.mape,
                          m->errors.mape_ci95,
                          m->mape_p90,
                          m->kinds.n ? m->kinds.mape : NAN,
                          m->errors.mape_constant,
                          m->errors.rmspe,
                          m->errors.kendall,
                          m->errors.pearson,
                          m->train_s,
                          m->tune_s,
                          m->predict_us};
  sloe_table_add(table, m->metric);
  sloe_table_addf(table, "%s%s", m->regressor, m->on_layers ? " on layers" : "");
  sloe_table_add(table, m->chosen ? "*" : "");
  for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
    if (i != 2 || t->draw) sloe_table_add(table, sloe_human_number(shown[i], number));
}

static void model_table(const sloe_training *t, const sloe_report_options *options,
                        sloe_text *text) {
  static const sloe_column columns[] = {
      {"metric", 0, 0, 0}, {"model", 0, 1, 0},   {"", 0, 0, 0},        {"MAPE", 1, 0, 0},
      {"+-", 1, 0, 3},     {"p90", 1, 0, 0},     {"kinds", 1, 0, 0},   {"constant", 1, 0, 0},
      {"RMSPE", 1, 0, 4},  {"Kendall", 1, 0, 0}, {"Pearson", 1, 0, 6}, {"train s", 1, 0, 1},
      {"tune s", 1, 0, 2}, {"us", 1, 0, 5}};
  enum { N = sizeof columns / sizeof *columns, P90 = 5 };
  sloe_column used[N];
  size_t n = 0;
  for (size_t i = 0; i < N; i++)
    if (i != P90 || t->draw) used[n++] = columns[i];
  sloe_table table;
  sloe_table_init(&table, used, n);
  for (size_t i = 0; i < t->n_models; i++) model_row(&table, t, &t->models[i]);
  sloe_table_print(&table, options, 2, text);
  sloe_table_fini(&table);
}

static void selection_table(const sloe_training *t, const sloe_report_options *options,
                            sloe_text *text) {
  static const sloe_column columns[] = {{"metric", 0, 0, 0},
                                        {"feature", 0, 1, 0},
                                        {"F-score", 1, 0, 0},
                                        {"MAPE", 1, 0, 0},
                                        {"", 0, 0, 0}};
  char number[SLOE_HUMAN_BUF];
  sloe_table table;
  if (!t->n_selected) return;
  sloe_table_init(&table, columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < t->n_selected; i++) {
    const sloe_selected *s = &t->selected[i];
    sloe_table_add(&table, s->metric);
    sloe_table_add(&table, s->feature);
    sloe_table_add(&table, sloe_human_plain(s->score, number));
    sloe_table_add(&table, sloe_human_number(s->mape, number));
    sloe_table_add(&table, s->chosen ? "taken" : "");
  }
  sloe_text_add(text, "\n");
  sloe_table_print(&table, options, 2, text);
  sloe_table_fini(&table);
}

static void head(const sloe_training *t, const sloe_report_options *options, sloe_text *text) {
  sloe_text_styled(text, options, SLOE_STYLE_BOLD, t->table);
  sloe_text_addf(text, "\n  %zu rows, %zu features, %zu left out", t->rows, t->n_features,
                 t->left_out);
  if (t->draw)
    sloe_text_addf(text, "; %zu of them learned from, drawn %zu %s", t->draw, t->repeat,
                   t->repeat == 1 ? "time" : "times");
  if (t->n_kinds > 1) sloe_text_addf(text, "; %zu kinds by %s", t->n_kinds, t->kinds);
  if (*t->platform) {
    sloe_text_add(text, "; written to ");
    sloe_text_name(text, t->platform);
  }
  sloe_text_add(text, "\n");
}

sloe_status sloe_report_training(const sloe_training *t, const sloe_report_options *options,
                                 char **text, sloe_error *err) {
  static const char *const notes[] = {
      "MAPE: mean absolute error of networks not seen, +- its 95 % interval, kinds that of kinds "
      "left out,",
      "constant that of the best constant, per cent; *: answers; us: one prediction; -: not done"};
  *text = NULL;
  if (options->format == SLOE_FORMAT_JSON) return training_json(t, text, err);
  if (options->format == SLOE_FORMAT_CSV) return training_csv(t, text, err);
  sloe_text out = {0};
  head(t, options, &out);
  model_table(t, options, &out);
  selection_table(t, options, &out);
  for (size_t i = 0; i < t->n_warnings; i++) {
    sloe_text_add(&out, "  note: ");
    sloe_text_name(&out, t->warnings[i]);
    sloe_text_add(&out, "\n");
  }
  sloe_text_add(&out, "\n");
  for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
    sloe_text_styled(&out, options, SLOE_STYLE_DIM, notes[i]);
    sloe_text_add(&out, "\n");
  }
  return sloe_text_take(&out, text, err);
}
