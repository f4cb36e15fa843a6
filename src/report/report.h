/* report.h: what the writers of answers share. Private to report/.
 *
 * An answer is written three times: as a table for people, as JSON for programs, as CSV for
 * spreadsheets. Each writer appends to a sloe_text, whose first failure sticks, so that a writer
 * reads as the list of what it writes and is checked once, at the end.
 *
 * Names come from files of strangers. Tables and messages take them through sloe_text_name, which
 * lets no control character through to a terminal; JSON replaces what is no UTF-8.
 */
#ifndef SLOE_REPORT_REPORT_H
#define SLOE_REPORT_REPORT_H

#include <jansson.h>

#include "base/arena.h"
#include "base/text.h"
#include "sloe/sloe.h"

/* ---- numbers and names for people (human.c) ---- */

enum { SLOE_HUMAN_BUF = 64 };

/* Three significant digits without exponent: "0.0123", "1.23", "123", "12345"; "-" for NAN. */
const char *sloe_human_number(double value, char buf[SLOE_HUMAN_BUF]);
/* At most six significant digits, no zeros behind: "921.6", "20", "4294.97". */
const char *sloe_human_plain(double value, char buf[SLOE_HUMAN_BUF]);
/* With an SI prefix: "1.82 G", "11.7 M", "512". */
const char *sloe_human_si(double value, char buf[SLOE_HUMAN_BUF]);
/* Decimal bytes: "46.8 MB". */
const char *sloe_human_bytes(double bytes, char buf[SLOE_HUMAN_BUF]);
/* All digits in groups: "11,689,512". */
const char *sloe_human_count(uint64_t value, char buf[SLOE_HUMAN_BUF]);
/* "1x3x224x224", "?" for what is not known, "scalar". */
enum { SLOE_HUMAN_SHAPE_BUF = 200 };
const char *sloe_human_shape(const sloe_shape *shape, char buf[SLOE_HUMAN_SHAPE_BUF]);

/* Append `s` as it may stand on a terminal: one line, no control characters, valid UTF-8. */
void sloe_text_name(sloe_text *text, const char *s);
/* Columns that `len` bytes of UTF-8 take: one a code point. */
size_t sloe_text_columns(const char *s, size_t len);

/* ---- tables (table.c) ---- */

typedef enum sloe_style {
  SLOE_STYLE_PLAIN,
  SLOE_STYLE_BOLD,
  SLOE_STYLE_DIM,
  SLOE_STYLE_GOOD, /* green; the words say the same */
  SLOE_STYLE_BAD,  /* red */
} sloe_style;

typedef struct sloe_column {
  const char *title;
  int right; /* numbers: aligned at the right */
  int flex;  /* names: cut in the middle where the terminal is too narrow */
  int drop;  /* > 0: may be left out then, the highest first */
} sloe_column;

enum { SLOE_TABLE_COLUMNS = 24 };

typedef struct sloe_cell {
  const char *text;
  sloe_style style;
} sloe_cell;

typedef struct sloe_table {
  sloe_arena arena;
  const sloe_column *columns;
  size_t n_columns;
  sloe_cell *cells; /* row by row */
  size_t n_cells, cap_cells;
  int failed;
} sloe_table;

void sloe_table_init(sloe_table *table, const sloe_column *columns, size_t n_columns);
void sloe_table_fini(sloe_table *table);
/* The next cell. The text is made printable. */
void sloe_table_add(sloe_table *table, const char *text);
void sloe_table_add_styled(sloe_table *table, sloe_style style, const char *text);
void sloe_table_addf(sloe_table *table, const char *fmt, ...) SLOE_PRINTF(2, 3);
/* Append header and rows, each line after `indent` spaces. A failure sticks in `out`. */
void sloe_table_print(const sloe_table *table, const sloe_report_options *options, size_t indent,
                      sloe_text *out);

/* Append `s` in a style, plain where colours are off. */
void sloe_text_styled(sloe_text *text, const sloe_report_options *options, sloe_style style,
                      const char *s);

/* A bar of at most `columns` columns for `part` in 0..1: eighths of blocks, or '#' where bars is 2.
   Nothing where bars are off. */
void sloe_text_bar(sloe_text *text, const sloe_report_options *options, double part, int columns);

/* ---- JSON (json_out.c) ---- */

/* Values that may be handed to jansson's *_set_new and *_append_new, which refuse NULL. */
json_t *sloe_json_number(double value);  /* null for NAN and infinities */
json_t *sloe_json_count(uint64_t value); /* saturates at 2^63 - 1 */
json_t *sloe_json_string(const char *s); /* what is no UTF-8 becomes U+FFFD; null for NULL */
json_t *sloe_json_text(const char *s);   /* the same; null for "" too: unknown */
json_t *sloe_json_shape(const sloe_shape *shape); /* [1, 3, null]; null without a rank */
json_t *sloe_json_ints(const int64_t *v, size_t n);

/* An object under construction: the first failure sticks. */
typedef struct sloe_json {
  json_t *object;
  int failed;
} sloe_json;

sloe_json sloe_json_new(void);
/* A document: an object that begins with `schema` and `tool_version`. */
sloe_json sloe_json_document(const char *schema);
void sloe_json_set(sloe_json *json, const char *key, json_t *value); /* steals `value` */
/* The object, owned by the caller; NULL after a failure. */
json_t *sloe_json_take(sloe_json *json);
/* Append to an array; NULL values make it fail: then the array is freed and NULL returned. */
json_t *sloe_json_append(json_t *array, json_t *value);

/* Write a document and free it. NULL is a document that could not be built: SLOE_NOMEM. */
sloe_status sloe_json_finish(json_t *document, char **text, sloe_error *err);

/* ---- CSV (csv_out.c): RFC 4180 quoting, lines end in LF, an unknown number is an empty field ----
 */

typedef struct sloe_csv {
  sloe_text text;
  int started; /* a field stands in this line */
} sloe_csv;

void sloe_csv_string(sloe_csv *csv, const char *s);
void sloe_csv_strings(sloe_csv *csv, const char *const *v, size_t n); /* joined by '|' */
void sloe_csv_number(sloe_csv *csv, double value);
void sloe_csv_count(sloe_csv *csv, uint64_t value);
void sloe_csv_int(sloe_csv *csv, int64_t value);
void sloe_csv_flag(sloe_csv *csv, int value);                            /* 1, 0; empty below 0 */
void sloe_csv_shapes(sloe_csv *csv, const sloe_shape *shapes, size_t n); /* joined by '|' */
void sloe_csv_end(sloe_csv *csv);
/* A header: names separated by commas, as they stand. */
void sloe_csv_header(sloe_csv *csv, const char *names);

/* ---- layers, in both answers (layer_rows.c) ---- */

/* name, kind, ops, in, out into an object; what only `info` says. */
void sloe_json_layer(sloe_json *json, const sloe_layer *layer);
void sloe_json_layer_cost(sloe_json *json, const sloe_layer *layer);
/* The answers as data (info_data.c, estimate_data.c). */
sloe_status sloe_info_json(const sloe_layers *const *layers, size_t n, int list, char **text,
                           sloe_error *err);
sloe_status sloe_info_csv(const sloe_layers *const *layers, size_t n,
                          const sloe_report_options *options, char **text, sloe_error *err);
/* All of one report are, or none is. */
static inline int sloe_is_measured(const sloe_answer *answer) {
  return answer->result->latency_ms.source == SLOE_SOURCE_MEASURED;
}
sloe_status sloe_answers_json(const sloe_answer *answers, size_t n, int list, char **text,
                              sloe_error *err);
sloe_status sloe_answers_csv(const sloe_answer *answers, size_t n,
                             const sloe_report_options *options, char **text, sloe_error *err);

/* The shape that a table shows: of the first output. */
const char *sloe_layer_shape(const sloe_layer *layer, char buf[SLOE_HUMAN_SHAPE_BUF]);

#endif
