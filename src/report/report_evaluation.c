#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/report.h"

/* ---- JSON ---- */

static json_t *errors_json(const sloe_errors *errors) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "metric", sloe_json_string(errors->metric));
  sloe_json_set(&json, "group", sloe_json_text(errors->group));
  sloe_json_set(&json, "n", sloe_json_count(errors->n));
  sloe_json_set(&json, "left_out", sloe_json_count(errors->left_out));
#define SET(name, doc) sloe_json_set(&json, #name, sloe_json_number(errors->name));
  SLOE_ERROR_MAP(SET)
#undef SET
  return sloe_json_take(&json);
}

static void evaluation_json(sloe_json *json, const sloe_evaluation *evaluation) {
  sloe_json_set(json, "table", sloe_json_string(evaluation->table));
  sloe_json_set(json, "platform", sloe_json_string(evaluation->platform));
  sloe_json_set(json, "by", sloe_json_text(evaluation->by));
  sloe_json_set(json, "scaled", sloe_json_text(evaluation->scaled));
  json_t *errors = json_array(), *warnings = json_array();
  for (size_t i = 0; i < evaluation->n_errors; i++)
    errors = sloe_json_append(errors, errors_json(&evaluation->errors[i]));
  sloe_json_set(json, "errors", errors);
  for (size_t i = 0; i < evaluation->n_warnings; i++)
    warnings = sloe_json_append(warnings, sloe_json_string(evaluation->warnings[i]));
  sloe_json_set(json, "warnings", warnings);
}

static sloe_status evaluations_json(const sloe_evaluation *const *evaluations, size_t n, int list,
                                    char **text, sloe_error *err) {
  if (n == 1 && !list) {
    sloe_json json = sloe_json_document("sloe/evaluate/1");
    evaluation_json(&json, evaluations[0]);
    return sloe_json_finish(sloe_json_take(&json), text, err);
  }
  sloe_json json = sloe_json_document("sloe/evaluate-list/1");
  json_t *array = json_array();
  for (size_t i = 0; i < n; i++) {
    sloe_json one = sloe_json_new();
    evaluation_json(&one, evaluations[i]);
    array = sloe_json_append(array, sloe_json_take(&one));
  }
  sloe_json_set(&json, "evaluations", array);
  return sloe_json_finish(sloe_json_take(&json), text, err);
}

/* ---- CSV ---- */

static void csv_errors(sloe_csv *csv, const sloe_evaluation *evaluation,
                       const sloe_errors *errors) {
  sloe_csv_string(csv, evaluation->table);
  sloe_csv_string(csv, evaluation->platform);
  sloe_csv_string(csv, evaluation->by);
  sloe_csv_string(csv, errors->metric);
  sloe_csv_string(csv, errors->group);
  sloe_csv_count(csv, errors->n);
  sloe_csv_count(csv, errors->left_out);
#define CELL(name, doc) sloe_csv_number(csv, errors->name);
  SLOE_ERROR_MAP(CELL)
#undef CELL
  sloe_csv_end(csv);
}

static sloe_status evaluations_csv(const sloe_evaluation *const *evaluations, size_t n, char **text,
                                   sloe_error *err) {
  sloe_csv csv = {.started = 0};
#define COLUMN(name, doc) "," #name
  sloe_csv_header(&csv, "table,platform,by,metric,group,n,left_out" SLOE_ERROR_MAP(COLUMN));
#undef COLUMN
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < evaluations[i]->n_errors; k++)
      csv_errors(&csv, evaluations[i], &evaluations[i]->errors[k]);
  return sloe_text_take(&csv.text, text, err);
}

/* ---- tables ---- */

static void error_row(sloe_table *table, const sloe_evaluation *evaluation,
                      const sloe_errors *errors) {
  char number[SLOE_HUMAN_BUF];
  sloe_table_add(table, errors->metric);
  if (*evaluation->by) sloe_table_add(table, *errors->group ? errors->group : "all");
  sloe_table_addf(table, "%zu", errors->n);
  sloe_table_addf(table, "%zu", errors->left_out);
  const double shown[] = {errors->mape,    errors->mape_ci95,  errors->mape_constant,
                          errors->rmspe,   errors->max_ape,    errors->within_10,
                          errors->kendall, errors->coverage_90};
  for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
    sloe_table_add(table, sloe_human_number(shown[i], number));
}

static void error_table(const sloe_evaluation *evaluation, const sloe_report_options *options,
                        sloe_text *text) {
  const sloe_column columns[] = {
      {"metric", 0, 0, 0}, {evaluation->by, 0, 1, 0}, {"rows", 1, 0, 0},     {"left out", 1, 0, 4},
      {"MAPE", 1, 0, 0},   {"+-", 1, 0, 3},           {"constant", 1, 0, 6}, {"RMSPE", 1, 0, 0},
      {"max", 1, 0, 0},    {"within 10", 1, 0, 2},    {"Kendall", 1, 0, 5},  {"coverage", 1, 0, 1}};
  enum { N = sizeof columns / sizeof *columns, GROUP = 1 };
  sloe_column used[N];
  size_t n = 0;
  for (size_t i = 0; i < N; i++)
    if (i != GROUP || *evaluation->by) used[n++] = columns[i];
  sloe_table table;
  sloe_table_init(&table, used, n);
  for (size_t i = 0; i < evaluation->n_errors; i++)
    error_row(&table, evaluation, &evaluation->errors[i]);
  sloe_table_print(&table, options, 2, text);
  sloe_table_fini(&table);
}

static void evaluation_page(const sloe_evaluation *evaluation, const sloe_report_options *options,
                            sloe_text *text) {
  sloe_text_styled(text, options, SLOE_STYLE_BOLD, evaluation->platform);
  sloe_text_add(text, " against ");
  sloe_text_styled(text, options, SLOE_STYLE_BOLD, evaluation->table);
  sloe_text_add(text, "\n");
  error_table(evaluation, options, text);
  if (*evaluation->scaled) {
    sloe_text_add(text, "  scaled: ");
    sloe_text_name(text, evaluation->scaled);
    sloe_text_add(text, "\n");
  }
  for (size_t i = 0; i < evaluation->n_warnings; i++) {
    sloe_text_add(text, "  note: ");
    sloe_text_name(text, evaluation->warnings[i]);
    sloe_text_add(text, "\n");
  }
}

sloe_status sloe_report_evaluations(const sloe_evaluation *const *evaluations, size_t n,
                                    const sloe_report_options *options, char **text,
                                    sloe_error *err) {
  static const char *const notes[] = {
      "MAPE: mean absolute error, +- its 95 % interval, constant that of the best constant; "
      "per cent",
      "within 10: rows within 10 %; coverage: rows inside their 90 % interval; per cent; "
      "-: unknown"};
  *text = NULL;
  if (options->format == SLOE_FORMAT_JSON)
    return evaluations_json(evaluations, n, options->list, text, err);
  if (options->format == SLOE_FORMAT_CSV) return evaluations_csv(evaluations, n, text, err);
  sloe_text out = {0};
  for (size_t i = 0; i < n; i++) {
    evaluation_page(evaluations[i], options, &out);
    sloe_text_add(&out, "\n");
  }
  for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
    sloe_text_styled(&out, options, SLOE_STYLE_DIM, notes[i]);
    sloe_text_add(&out, "\n");
  }
  return sloe_text_take(&out, text, err);
}
