/* table_text.h: tables in memory, for tests: a source that gives them in pieces, a sink that keeps
 * what was written.
 */
#ifndef SLOE_TESTS_TABLE_TEXT_H
#define SLOE_TESTS_TABLE_TEXT_H

#include "base/csv.h"
#include "unit/unit.h"

typedef struct text_source {
  const char *data;
  size_t len, at, piece; /* piece: bytes given at once; 0: as many as wanted */
} text_source;

static inline sloe_status text_source_read(void *context, void *buf, size_t size, size_t *got,
                                           sloe_error *err) {
  text_source *s = context;
  (void)err;
  *got = s->len - s->at;
  if (*got > size) *got = size;
  if (s->piece && *got > s->piece) *got = s->piece;
  memcpy(buf, s->data + s->at, *got);
  s->at += *got;
  return SLOE_OK;
}

static inline text_source text_source_of(const char *text, size_t piece) {
  return (text_source){text, strlen(text), 0, piece};
}

/* What the table has in `column` of its row `row`, from 0. */
static inline void assert_cell(const char *table, const char *column, size_t row,
                               const char *want) {
  text_source source = text_source_of(table, 0);
  sloe_csv_reader *r;
  sloe_error err;
  int more;
  assert_ok(sloe_csv_reader_open((sloe_csv_source){&source, text_source_read}, &r, &err), err);
  for (size_t i = 0; i <= row; i++) assert_ok(sloe_csv_reader_next(r, &more, &err), err);
  const int at = sloe_csv_reader_find(r, column);
  assert_true(at >= 0);
  assert_string_equal(sloe_csv_reader_field(r, (size_t)at), want);
  sloe_csv_reader_close(r);
}

static inline sloe_status text_sink_write(void *context, const void *data, size_t len,
                                          sloe_error *err) {
  sloe_text_addn(context, data, len);
  if (!((sloe_text *)context)->failed) return SLOE_OK;
  return sloe_fail(err, SLOE_NOMEM, "out of memory keeping a table");
}

#endif
