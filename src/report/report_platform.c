#include <math.h>
#include <stdio.h>

#include "base/number.h"
#include "platform/platform.h"
#include "report/report_fitted.h"

/* What is said of each platform: X(TYPE, key). The names are those of sloe_card and stand in JSON
   and CSV. Unknown texts are "", unknown numbers NAN. */
#define CARD_MAP(X)             \
  X(TEXT, name)                 \
  X(TEXT, title)                \
  X(TEXT, device)               \
  X(TEXT, runtime)              \
  X(TEXT, runtime_version)      \
  X(PRECISION, precision)       \
  X(TEXT, mode)                 \
  X(FLAG, default_mode)         \
  X(SOURCE, source)             \
  X(FLAG, transfers)            \
  X(NUMBER, gpu_mhz)            \
  X(NUMBER, peak_gflops)        \
  X(NUMBER, bandwidth_gbs)      \
  X(NUMBER, launch_us)          \
  X(NUMBER, memory_mb)          \
  X(NUMBER, memory_reserved_mb) \
  X(NUMBER, power_cap_w)        \
  X(NUMBER, validated_mape)     \
  X(TEXT, validated_on)         \
  X(TEXT, notes)                \
  X(TEXT, path)

/* ---- JSON and CSV ---- */

#define JSON_TEXT(v)      sloe_json_text(v)
#define JSON_NUMBER(v)    sloe_json_number(v)
#define JSON_FLAG(v)      json_boolean(v)
#define JSON_SOURCE(v)    json_string(sloe_source_name(v))
#define JSON_PRECISION(v) json_string(sloe_precision_name(v))

static void card_json(sloe_json *json, const sloe_card *card) {
#define SET(type, key) sloe_json_set(json, #key, JSON_##type(card->key));
  CARD_MAP(SET)
#undef SET
}

#define CSV_TEXT(v)      sloe_csv_string(csv, v)
#define CSV_NUMBER(v)    sloe_csv_number(csv, v)
#define CSV_FLAG(v)      sloe_csv_flag(csv, (v) != 0)
#define CSV_SOURCE(v)    sloe_csv_string(csv, sloe_source_name(v))
#define CSV_PRECISION(v) sloe_csv_string(csv, sloe_precision_name(v))

static void csv_card_header(sloe_csv *csv) {
#define NAME(type, key) sloe_csv_string(csv, #key);
  CARD_MAP(NAME)
#undef NAME
}

static void csv_card(sloe_csv *csv, const sloe_card *card) {
#define CELL(type, key) CSV_##type(card->key);
  CARD_MAP(CELL)
#undef CELL
}

static sloe_status list_json(const sloe_platform_list *list, char **text, sloe_error *err) {
  sloe_json json = sloe_json_document("sloe/platform-list/1");
  json_t *array = json_array();
  for (size_t i = 0; i < sloe_platform_list_count(list); i++) {
    sloe_json card = sloe_json_new();
    card_json(&card, sloe_platform_list_at(list, i));
    array = sloe_json_append(array, sloe_json_take(&card));
  }
  sloe_json_set(&json, "platforms", array);
  return sloe_json_finish(sloe_json_take(&json), text, err);
}

static sloe_status list_csv(const sloe_platform_list *list, char **text, sloe_error *err) {
  sloe_csv csv = {.started = 0};
  csv_card_header(&csv);
  sloe_csv_end(&csv);
  for (size_t i = 0; i < sloe_platform_list_count(list); i++) {
    csv_card(&csv, sloe_platform_list_at(list, i));
    sloe_csv_end(&csv);
  }
  return sloe_text_take(&csv.text, text, err);
}

static json_t *parameters_json(const sloe_platform *platform) {
  sloe_json json = sloe_json_new();
  for (size_t i = 0; i < platform->n_parameters; i++)
    sloe_json_set(&json, platform->parameters[i].name,
                  sloe_json_number(platform->parameters[i].value));
  return sloe_json_take(&json);
}

static json_t *fusion_json(const sloe_platform *platform) {
  const sloe_fusion *fusion = sloe_platform_fusion(platform);
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "runtime", json_string(sloe_runtime_name(fusion->runtime)));
  sloe_json_set(&json, "runtime_version",
                fusion->version ? json_integer(fusion->version) : json_null());
  sloe_json_set(&json, "precision", json_string(sloe_precision_name(fusion->precision)));
  return sloe_json_take(&json);
}

static sloe_status platform_json(const sloe_platform *platform, char **text, sloe_error *err) {
  sloe_json json = sloe_json_document("sloe/platform/1");
  card_json(&json, sloe_platform_card(platform));
  sloe_json_set(&json, "fusion", fusion_json(platform));
  sloe_json_set(&json, "parameters", parameters_json(platform));
  if (platform->fitted) sloe_json_set(&json, "fitted", sloe_fitted_json(platform->fitted));
  if (platform->networks) sloe_json_set(&json, "learned", sloe_networks_json(platform->networks));
  return sloe_json_finish(sloe_json_take(&json), text, err);
}

/* One row: the card, then a column for each parameter. */
static sloe_status platform_csv(const sloe_platform *platform, char **text, sloe_error *err) {
  sloe_csv csv = {.started = 0};
  csv_card_header(&csv);
  for (size_t i = 0; i < platform->n_parameters; i++)
    sloe_csv_string(&csv, platform->parameters[i].name);
  sloe_csv_end(&csv);
  csv_card(&csv, sloe_platform_card(platform));
  for (size_t i = 0; i < platform->n_parameters; i++)
    sloe_csv_number(&csv, platform->parameters[i].value);
  sloe_csv_end(&csv);
  return sloe_text_take(&csv.text, text, err);
}

/* ---- tables ---- */

static const char *fixed(double value, int digits, char buf[SLOE_HUMAN_BUF]) {
  return isnan(value) ? "-" : sloe_format_fixed(value, digits, buf, SLOE_HUMAN_BUF);
}

static void list_table(const sloe_platform_list *list, const sloe_report_options *options,
                       sloe_text *text) {
  static const sloe_column columns[] = {
      {"platform", 0, 0, 0},  {"board", 0, 1, 2},   {"mode", 0, 0, 5},
      {"precision", 0, 0, 6}, {"GFLOP/s", 1, 0, 0}, {"GB/s", 1, 0, 0},
      {"MB", 1, 0, 3},        {"W", 1, 0, 4},       {"source", 0, 0, 1}};
  char number[SLOE_HUMAN_BUF];
  sloe_table table;
  sloe_table_init(&table, columns, sizeof columns / sizeof *columns);
  for (size_t i = 0; i < sloe_platform_list_count(list); i++) {
    const sloe_card *card = sloe_platform_list_at(list, i);
    sloe_table_add(&table, card->name);
    sloe_table_add(&table, card->title);
    sloe_table_addf(&table, "%s%s", card->mode, card->default_mode ? " *" : "");
    sloe_table_add(&table, sloe_precision_name(card->precision));
    sloe_table_add(&table, fixed(card->peak_gflops, 0, number));
    sloe_table_add(&table, fixed(card->bandwidth_gbs, 1, number));
    sloe_table_add(&table, fixed(card->memory_mb, 0, number));
    sloe_table_add(&table, sloe_human_plain(card->power_cap_w, number));
    sloe_table_add(&table, sloe_source_name(card->source));
  }
  sloe_table_print(&table, options, 0, text);
  sloe_table_fini(&table);
}

static void label(sloe_text *text, const sloe_report_options *options, const char *name) {
  char padded[32];
  snprintf(padded, sizeof padded, "%-12s", name);
  sloe_text_add(text, "  ");
  sloe_text_styled(text, options, SLOE_STYLE_DIM, padded);
}

static void number_line(sloe_text *text, const sloe_report_options *options, const char *name,
                        double value, const char *unit) {
  char number[SLOE_HUMAN_BUF];
  label(text, options, name);
  if (isnan(value))
    sloe_text_add(text, "unknown\n");
  else
    sloe_text_addf(text, "%s %s\n", sloe_human_plain(value, number), unit);
}

static void text_line(sloe_text *text, const sloe_report_options *options, const char *name,
                      const char *value) {
  label(text, options, name);
  sloe_text_name(text, *value ? value : "unknown");
  sloe_text_add(text, "\n");
}

/* Words broken at the width, each line after the first under the first. */
static void wrapped_line(sloe_text *text, const sloe_report_options *options, const char *name,
                         const char *value) {
  size_t room = options->width > 0 ? (size_t)options->width : 100, column = 0;
  room = room > 44 ? room - 14 : 30;
  label(text, options, name);
  while (*value) {
    size_t len = 0;
    while (value[len] && value[len] != ' ') len++;
    char word[256];
    snprintf(word, sizeof word, "%.*s", (int)(len < 255 ? len : 255), value);
    if (column && column + 1 + sloe_text_columns(value, len) > room) {
      sloe_text_add(text, "\n");
      label(text, options, "");
      column = 0;
    }
    if (column) sloe_text_add(text, " ");
    sloe_text_name(text, word);
    column += sloe_text_columns(value, len) + (column > 0);
    value += len;
    while (*value == ' ') value++;
  }
  sloe_text_add(text, "\n");
}

static void name_lines(const sloe_card *card, const sloe_report_options *options, sloe_text *text) {
  int fitted = card->source != SLOE_SOURCE_DATASHEET;
  sloe_text_styled(text, options, SLOE_STYLE_BOLD, card->name);
  sloe_text_add(text, "\n");
  text_line(text, options, fitted ? "title" : "board", card->title);
  text_line(text, options, "device", card->device);
  label(text, options, "runtime");
  sloe_text_name(text, card->runtime);
  sloe_text_add(text, *card->runtime_version ? " " : "");
  sloe_text_name(text, card->runtime_version);
  sloe_text_addf(text, ", %s\n", sloe_precision_name(card->precision));
  label(text, options, fitted ? "mode" : "power mode");
  sloe_text_name(text, *card->mode ? card->mode : "not stated");
  sloe_text_add(text, card->default_mode ? " (the board's default)\n" : "\n");
}

/* What a data sheet rests on and a measured platform need not know. */
static void peak_lines(const sloe_card *card, const sloe_report_options *options, sloe_text *text) {
  number_line(text, options, "GPU clock", card->gpu_mhz, "MHz");
  number_line(text, options, "arithmetic", card->peak_gflops, "GFLOP/s at most");
  number_line(text, options, "bandwidth", card->bandwidth_gbs, "GB/s at most");
  number_line(text, options, "launch", card->launch_us, "us a layer");
}

/* "3210 layers in 76 min, 2026-11-25, by sloe 0.1.0, seed 1" */
static void measured_lines(const sloe_fitted *fitted, const sloe_report_options *options,
                           sloe_text *text) {
  char points[SLOE_HUMAN_BUF], minutes[SLOE_HUMAN_BUF];
  const int layers = sloe_fitted_has_layers(fitted);
  const struct {
    const char *before, *name;
  } words[] = {{"", fitted->created}, {"by ", fitted->tool}, {"seed ", fitted->seed}};
  const char *separator = layers ? ", " : "";
  number_line(text, options, "reference", fitted->reference_ms, "ms");
  label(text, options, layers ? "measured" : "learned");
  if (layers)
    sloe_text_addf(text, "%s layers in %s min",
                   isnan(fitted->points) ? "?" : sloe_human_plain(fitted->points, points),
                   isnan(fitted->seconds) ? "?" : sloe_human_number(fitted->seconds / 60, minutes));
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (!*words[i].name) continue;
    sloe_text_addf(text, "%s%s", separator, words[i].before);
    sloe_text_name(text, words[i].name);
    separator = ", ";
  }
  sloe_text_add(text, "\n");
}

static void validated_line(const sloe_card *card, const sloe_report_options *options,
                           sloe_text *text) {
  char number[SLOE_HUMAN_BUF];
  label(text, options, "validated");
  if (isnan(card->validated_mape)) {
    sloe_text_add(text, "never\n");
    return;
  }
  sloe_text_addf(text, "mean error %s %% on ", sloe_human_number(card->validated_mape, number));
  sloe_text_name(text, *card->validated_on ? card->validated_on : "held-out networks");
  sloe_text_add(text, "\n");
}

static void card_lines(const sloe_platform *platform, const sloe_report_options *options,
                       sloe_text *text) {
  const sloe_card *card = &platform->card;
  name_lines(card, options, text);
  if (!platform->fitted) peak_lines(card, options, text);
  number_line(text, options, "memory", card->memory_mb, "MB");
  number_line(text, options, "reserved", card->memory_reserved_mb, "MB of it before any network");
  number_line(text, options, "power cap", card->power_cap_w, "W");
  text_line(text, options, "transfers", card->transfers ? "included" : "excluded");
  text_line(text, options, "source", sloe_source_name(card->source));
  if (platform->fitted) measured_lines(platform->fitted, options, text);
  validated_line(card, options, text);
  if (*card->notes) wrapped_line(text, options, "notes", card->notes);
  if (*card->path) text_line(text, options, "file", card->path);
}

static void parameter_table(const sloe_platform *platform, const sloe_report_options *options,
                            sloe_text *text) {
  static const sloe_column columns[] = {{"parameter", 0, 0, 0}, {"value", 1, 0, 0}, {"", 0, 1, 1}};
  char number[SLOE_HUMAN_BUF];
  sloe_table table;
  sloe_table_init(&table, columns, 3);
  for (size_t i = 0; i < platform->n_parameters; i++) {
    const sloe_platform_parameter *parameter = &platform->parameters[i];
    sloe_table_add(&table, parameter->name);
    sloe_table_add(&table, sloe_human_plain(parameter->value, number));
    sloe_table_add_styled(&table, SLOE_STYLE_DIM, parameter->doc);
  }
  sloe_text_add(text, "\n");
  sloe_table_print(&table, options, 2, text);
  sloe_table_fini(&table);
}

sloe_status sloe_report_platforms(const sloe_platform_list *list,
                                  const sloe_report_options *options, char **text,
                                  sloe_error *err) {
  *text = NULL;
  if (options->format == SLOE_FORMAT_JSON) return list_json(list, text, err);
  if (options->format == SLOE_FORMAT_CSV) return list_csv(list, text, err);
  sloe_text out = {0};
  list_table(list, options, &out);
  return sloe_text_take(&out, text, err);
}

sloe_status sloe_report_platform(const sloe_platform *platform, const sloe_report_options *options,
                                 char **text, sloe_error *err) {
  *text = NULL;
  if (options->format == SLOE_FORMAT_JSON) return platform_json(platform, text, err);
  if (options->format == SLOE_FORMAT_CSV) return platform_csv(platform, text, err);
  sloe_text out = {0};
  card_lines(platform, options, &out);
  if (platform->n_parameters) parameter_table(platform, options, &out);
  if (platform->fitted) sloe_fitted_tables(platform->fitted, options, &out);
  if (platform->networks) sloe_networks_tables(platform->networks, options, &out);
  return sloe_text_take(&out, text, err);
}
