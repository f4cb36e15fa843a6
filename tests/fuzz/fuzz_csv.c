/* Any bytes to the table reader. What must hold:
 *  - a refusal has a message and an offset inside the input; given in other pieces, it is the same
 *  - what was read, written and read again is the same, cell by cell, and so is what was written
 *  - every row has as many fields as the header; nothing is left allocated
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct source {
  const char *data;
  size_t len, at, piece;
} source;

static void check(int ok) {
  if (!ok) __builtin_trap();
}

static sloe_status give(void *context, void *buf, size_t size, size_t *got, sloe_error *err) {
  source *s = context;
  (void)err;
  *got = s->len - s->at;
  if (*got > size) *got = size;
  if (*got > s->piece) *got = s->piece;
  memcpy(buf, s->data + s->at, *got);
  s->at += *got;
  return SLOE_OK;
}

static sloe_status keep(void *context, const void *data, size_t len, sloe_error *err) {
  (void)err;
  sloe_text_addn(context, data, len);
  return SLOE_OK;
}

static void copy_header(const sloe_csv_reader *r, sloe_csv_writer *w) {
  for (size_t i = 0; i < sloe_csv_reader_columns(r); i++)
    sloe_csv_writer_string(w, sloe_csv_reader_column(r, i));
  check(sloe_csv_writer_end_record(w, NULL) == SLOE_OK);
}

static void copy_row(const sloe_csv_reader *r, sloe_csv_writer *w) {
  double value;
  for (size_t i = 0; i < sloe_csv_reader_columns(r); i++) {
    sloe_csv_writer_string(w, sloe_csv_reader_field(r, i));
    sloe_csv_reader_number(r, i, &value, NULL);
  }
  check(sloe_csv_writer_end_record(w, NULL) == SLOE_OK);
}

/* Read in pieces, and write all that is read. */
static sloe_status copy(const char *data, size_t size, size_t piece, sloe_text *out,
                        sloe_error *err) {
  source from = {data, size, 0, piece};
  sloe_csv_reader *r;
  sloe_csv_writer w;
  sloe_status status = sloe_csv_reader_open((sloe_csv_source){&from, give}, &r, err);
  check((status == SLOE_OK) == (r != NULL));
  if (!r) return status;
  sloe_csv_writer_init(&w, (sloe_csv_sink){out, keep});
  copy_header(r, &w);
  for (int more; (status = sloe_csv_reader_next(r, &more, err)) == SLOE_OK && more;)
    copy_row(r, &w);
  check(sloe_csv_writer_flush(&w, NULL) == SLOE_OK && !out->failed);
  sloe_csv_writer_fini(&w);
  sloe_csv_reader_close(r);
  return status;
}

static int same(const sloe_text *a, const sloe_text *b) {
  return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  sloe_text once = {0}, pieces = {0}, again = {0};
  sloe_error err = {0}, err2 = {0};
  long live = sloe_alloc_live();
  sloe_status status = copy((const char *)data, size, SIZE_MAX, &once, &err);
  check(copy((const char *)data, size, 1 + size % 5, &pieces, &err2) == status);
  check(same(&once, &pieces));
  if (status == SLOE_OK) {
    check(copy(once.data, once.len, SIZE_MAX, &again, &err) == SLOE_OK);
    check(same(&once, &again));
  } else {
    check(status == SLOE_FORMAT && err.code == status && err.msg[0] && err.offset <= size);
    check(err.offset == err2.offset && strcmp(err.msg, err2.msg) == 0);
  }
  sloe_text_fini(&once);
  sloe_text_fini(&pieces);
  sloe_text_fini(&again);
  check(sloe_alloc_live() == live);
  return 0;
}
