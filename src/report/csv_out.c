#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "report/report.h"

static void next_field(sloe_csv *csv) {
  if (csv->started) sloe_text_add(&csv->text, ",");
  csv->started = 1;
}

/* The contents of a quoted field: quotes are doubled. */
static void add_quoted(sloe_text *text, const char *s) {
  for (const char *quote; (quote = strchr(s, '"')); s = quote + 1) {
    sloe_text_addn(text, s, (size_t)(quote - s));
    sloe_text_add(text, "\"\"");
  }
  sloe_text_add(text, s);
}

static int needs_quotes(const char *s) {
  return strpbrk(s, ",\"\r\n") != NULL;
}

void sloe_csv_string(sloe_csv *csv, const char *s) {
  sloe_csv_strings(csv, &s, 1);
}

void sloe_csv_strings(sloe_csv *csv, const char *const *v, size_t n) {
  next_field(csv);
  int quotes = 0;
  for (size_t i = 0; i < n; i++) quotes |= needs_quotes(v[i]);
  if (quotes) sloe_text_add(&csv->text, "\"");
  for (size_t i = 0; i < n; i++) {
    if (i) sloe_text_add(&csv->text, "|");
    add_quoted(&csv->text, v[i]);
  }
  if (quotes) sloe_text_add(&csv->text, "\"");
}

void sloe_csv_number(sloe_csv *csv, double value) {
  char buf[SLOE_NUMBER_BUF];
  next_field(csv);
  if (isfinite(value)) sloe_text_add(&csv->text, sloe_format_double(value, buf));
}

void sloe_csv_count(sloe_csv *csv, uint64_t value) {
  next_field(csv);
  sloe_text_addf(&csv->text, "%" PRIu64, value);
}

void sloe_csv_int(sloe_csv *csv, int64_t value) {
  next_field(csv);
  sloe_text_addf(&csv->text, "%" PRId64, value);
}

void sloe_csv_flag(sloe_csv *csv, int value) {
  next_field(csv);
  if (value >= 0) sloe_text_add(&csv->text, value ? "1" : "0");
}

void sloe_csv_shapes(sloe_csv *csv, const sloe_shape *shapes, size_t n) {
  char buf[SLOE_HUMAN_SHAPE_BUF];
  next_field(csv);
  for (size_t i = 0; i < n; i++) {
    if (i) sloe_text_add(&csv->text, "|");
    sloe_text_add(&csv->text, sloe_human_shape(&shapes[i], buf));
  }
}

void sloe_csv_end(sloe_csv *csv) {
  sloe_text_add(&csv->text, "\n");
  csv->started = 0;
}

void sloe_csv_header(sloe_csv *csv, const char *names) {
  sloe_text_add(&csv->text, names);
  sloe_text_add(&csv->text, "\n");
}
