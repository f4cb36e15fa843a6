/* The families of the zoo and their keys. */
#include <math.h>
#include <string.h>

#include "report/report.h"

static int has_range(const sloe_zoo_key *key) {
  return key->takes == SLOE_ZOO_WHOLE || key->takes == SLOE_ZOO_REAL ||
         key->takes == SLOE_ZOO_IMAGE;
}

/* ---- JSON and CSV ---- */

static json_t *words_json(const char *words) {
  if (!words) return json_null();
  json_t *array = json_array();
  for (;;) {
    const size_t len = strcspn(words, "|");
    array = sloe_json_append(array, json_stringn(words, len));
    if (!words[len]) return array;
    words += len + 1;
  }
}

/* Whole bounds as they are: 2^63 - 1 is no double. */
static json_t *bound_json(const sloe_zoo_key *key, double bound) {
  if (!has_range(key)) return json_null();
  if (key->takes == SLOE_ZOO_REAL) return sloe_json_number(bound);
  return json_integer(bound >= 0x1p63 ? INT64_MAX : (int64_t)bound);
}

static json_t *key_json(const sloe_zoo_key *key) {
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "name", sloe_json_string(key->name));
  sloe_json_set(&json, "takes", sloe_json_string(sloe_zoo_takes_name(key->takes)));
  sloe_json_set(&json, "required", json_boolean(!key->fallback));
  sloe_json_set(&json, "default", key->fallback ? sloe_json_text(key->fallback) : json_null());
  sloe_json_set(&json, "least", bound_json(key, key->least));
  sloe_json_set(&json, "most", bound_json(key, key->most));
  sloe_json_set(&json, "words", words_json(key->words));
  sloe_json_set(&json, "doc", sloe_json_string(key->doc));
  return sloe_json_take(&json);
}

static json_t *family_json(const sloe_zoo_family *family) {
  sloe_json json = sloe_json_new();
  json_t *keys = json_array();
  for (size_t i = 0; i < family->n_keys; i++)
    keys = sloe_json_append(keys, key_json(&family->keys[i]));
  sloe_json_set(&json, "name", sloe_json_string(family->name));
  sloe_json_set(&json, "doc", sloe_json_string(family->doc));
  sloe_json_set(&json, "keys", keys);
  return sloe_json_take(&json);
}

static sloe_status zoo_json(char **text, sloe_error *err) {
  sloe_json json = sloe_json_document("sloe/zoo-list/1");
  json_t *array = json_array();
  for (size_t i = 0; i < sloe_zoo_family_count(); i++)
    array = sloe_json_append(array, family_json(sloe_zoo_family_at(i)));
  sloe_json_set(&json, "families", array);
  return sloe_json_finish(sloe_json_take(&json), text, err);
}

static void csv_key(sloe_csv *csv, const sloe_zoo_family *family, const sloe_zoo_key *key) {
  const int ranged = has_range(key);
  sloe_csv_string(csv, family->name);
  sloe_csv_string(csv, key->name);
  sloe_csv_string(csv, sloe_zoo_takes_name(key->takes));
  sloe_csv_flag(csv, !key->fallback);
  sloe_csv_string(csv, key->fallback ? key->fallback : "");
  sloe_csv_number(csv, ranged ? key->least : NAN);
  sloe_csv_number(csv, ranged ? key->most : NAN);
  sloe_csv_string(csv, key->words ? key->words : "");
  sloe_csv_string(csv, key->doc);
  sloe_csv_end(csv);
}

static sloe_status zoo_csv(char **text, sloe_error *err) {
  sloe_csv csv = {.started = 0};
  sloe_csv_header(&csv, "family,key,takes,required,default,least,most,words,doc");
  for (size_t i = 0; i < sloe_zoo_family_count(); i++) {
    const sloe_zoo_family *family = sloe_zoo_family_at(i);
    for (size_t k = 0; k < family->n_keys; k++) csv_key(&csv, family, &family->keys[k]);
  }
  return sloe_text_take(&csv.text, text, err);
}

/* ---- table ---- */

static void add_values(sloe_table *table, const sloe_zoo_key *key) {
  char least[SLOE_HUMAN_BUF], most[SLOE_HUMAN_BUF];
  if (key->words)
    sloe_table_add(table, key->words);
  else if (key->takes == SLOE_ZOO_TEXT)
    sloe_table_add(table, "");
  else if (key->most >= 0x1p63)
    sloe_table_addf(table, "%s..", sloe_human_plain(key->least, least));
  else
    sloe_table_addf(table, "%s..%s", sloe_human_plain(key->least, least),
                    sloe_human_plain(key->most, most));
}

static void add_key(sloe_table *table, const sloe_zoo_key *key) {
  sloe_table_add(table, key->name);
  sloe_table_add(table, key->fallback ? key->fallback : "(needed)");
  add_values(table, key);
  sloe_table_add_styled(table, SLOE_STYLE_DIM, key->doc);
}

static void zoo_table(const sloe_report_options *options, sloe_text *out) {
  static const sloe_column columns[] = {
      {"key", 0, 0, 0}, {"default", 0, 0, 0}, {"values", 0, 1, 0}, {"", 0, 1, 1}};
  for (size_t i = 0; i < sloe_zoo_family_count(); i++) {
    const sloe_zoo_family *family = sloe_zoo_family_at(i);
    sloe_table table;
    if (i) sloe_text_add(out, "\n");
    sloe_text_styled(out, options, SLOE_STYLE_BOLD, family->name);
    sloe_text_addf(out, "  %s\n", family->doc);
    sloe_table_init(&table, columns, sizeof columns / sizeof *columns);
    for (size_t k = 0; k < family->n_keys; k++) add_key(&table, &family->keys[k]);
    sloe_table_print(&table, options, 2, out);
    sloe_table_fini(&table);
  }
}

sloe_status sloe_report_zoo(const sloe_report_options *options, char **text, sloe_error *err) {
  *text = NULL;
  if (options->format == SLOE_FORMAT_JSON) return zoo_json(text, err);
  if (options->format == SLOE_FORMAT_CSV) return zoo_csv(text, err);
  sloe_text out = {0};
  zoo_table(options, &out);
  return sloe_text_take(&out, text, err);
}
