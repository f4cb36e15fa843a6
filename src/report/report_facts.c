#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "report/report.h"

static json_t *fact_json(const sloe_fact *fact) {
  switch (fact->type) {
    case SLOE_FACT_TEXT: return sloe_json_text(fact->text);
    case SLOE_FACT_COUNT: return fact->count < 0 ? json_null() : json_integer(fact->count);
    case SLOE_FACT_NUMBER: return sloe_json_number(fact->number);
    case SLOE_FACT_FLAG: return fact->count < 0 ? json_null() : json_boolean(fact->count > 0);
  }
  return json_null();
}

static sloe_status facts_json(const char *schema, const sloe_fact *facts, size_t n, char **text,
                              sloe_error *err) {
  sloe_json json = sloe_json_document(schema);
  for (size_t i = 0; i < n; i++) sloe_json_set(&json, facts[i].key, fact_json(&facts[i]));
  return sloe_json_finish(sloe_json_take(&json), text, err);
}

static void csv_fact(sloe_csv *csv, const sloe_fact *fact) {
  switch (fact->type) {
    case SLOE_FACT_TEXT: sloe_csv_string(csv, fact->text); break;
    case SLOE_FACT_NUMBER: sloe_csv_number(csv, fact->number); break;
    case SLOE_FACT_FLAG: sloe_csv_flag(csv, fact->count < 0 ? -1 : fact->count > 0); break;
    case SLOE_FACT_COUNT:
      if (fact->count < 0)
        sloe_csv_string(csv, "");
      else
        sloe_csv_int(csv, fact->count);
      break;
  }
}

static sloe_status facts_csv(const sloe_fact *facts, size_t n, char **text, sloe_error *err) {
  sloe_csv csv = {.started = 0};
  for (size_t i = 0; i < n; i++) sloe_csv_string(&csv, facts[i].key);
  sloe_csv_end(&csv);
  for (size_t i = 0; i < n; i++) csv_fact(&csv, &facts[i]);
  sloe_csv_end(&csv);
  return sloe_text_take(&csv.text, text, err);
}

static const char *value_text(const sloe_fact *fact, char buf[SLOE_HUMAN_BUF]) {
  switch (fact->type) {
    case SLOE_FACT_TEXT: return *fact->text ? fact->text : "unknown";
    case SLOE_FACT_NUMBER:
      return isnan(fact->number) ? "unknown" : sloe_human_number(fact->number, buf);
    case SLOE_FACT_FLAG: return fact->count < 0 ? "unknown" : fact->count ? "yes" : "no";
    case SLOE_FACT_COUNT: break;
  }
  return fact->count < 0 ? "unknown" : sloe_human_count((uint64_t)fact->count, buf);
}

static int is_unknown(const sloe_fact *fact) {
  return fact->type == SLOE_FACT_NUMBER ? isnan(fact->number)
                                        : fact->type != SLOE_FACT_TEXT && fact->count < 0;
}

static void fact_line(sloe_text *text, const sloe_report_options *options, const sloe_fact *fact,
                      int width) {
  char padded[64], buf[SLOE_HUMAN_BUF];
  snprintf(padded, sizeof padded, "%-*s  ", width, fact->label);
  sloe_text_add(text, "  ");
  sloe_text_styled(text, options, SLOE_STYLE_DIM, padded);
  sloe_text_name(text, value_text(fact, buf));
  if (fact->unit && !is_unknown(fact)) sloe_text_addf(text, " %s", fact->unit);
  sloe_text_add(text, "\n");
}

static void facts_page(const char *title, const sloe_fact *facts, size_t n,
                       const sloe_report_options *options, sloe_text *text) {
  int width = 0;
  for (size_t i = 0; i < n; i++) {
    int len = facts[i].label ? snprintf(NULL, 0, "%s", facts[i].label) : 0;
    if (len > width) width = len;
  }
  sloe_text_styled(text, options, SLOE_STYLE_BOLD, title);
  sloe_text_add(text, "\n");
  for (size_t i = 0; i < n; i++)
    if (facts[i].label) fact_line(text, options, &facts[i], width);
}

sloe_status sloe_report_facts(const char *schema, const char *title, const sloe_fact *facts,
                              size_t n, const sloe_report_options *options, char **text,
                              sloe_error *err) {
  *text = NULL;
  if (options->format == SLOE_FORMAT_JSON) return facts_json(schema, facts, n, text, err);
  if (options->format == SLOE_FORMAT_CSV) return facts_csv(facts, n, text, err);
  sloe_text out = {0};
  facts_page(title, facts, n, options, &out);
  return sloe_text_take(&out, text, err);
}
