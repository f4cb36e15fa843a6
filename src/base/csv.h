/* csv.h: comma-separated values as RFC 4180 has them, read and written piece by piece.
 *
 * Reading is strict, so that a table that was cut or pasted together badly is refused and not
 * guessed at: a quote stands only at a field's ends and doubled within, a carriage return only
 * before a line feed, every record has as many fields as the header, no column stands twice, no
 * byte is NUL. Taken as they come: LF and CR LF, a last line without an ending, a UTF-8 byte order
 * mark, empty lines between records. An empty field is "unknown".
 *
 * Writing ends lines in LF, quotes only where it must, and writes an unknown number as nothing.
 */
#ifndef SLOE_BASE_CSV_H
#define SLOE_BASE_CSV_H

#include "base/text.h"

enum { SLOE_CSV_MAX_COLUMNS = 4096, SLOE_CSV_MAX_RECORD = 1 << 22 /* bytes */ };

/* ---- reading ---- */

/* Puts up to `size` bytes at `buf`, their number in *got; 0 at the end (base/gzip.h has one). */
typedef struct sloe_csv_source {
  void *context;
  sloe_status (*read)(void *context, void *buf, size_t size, size_t *got, sloe_error *err);
} sloe_csv_source;

typedef struct sloe_csv_reader sloe_csv_reader;

/* Reads the header. The source must outlive the reader. Errors: the source's own, FORMAT with the
   byte offset and "line N" in the message, NOMEM. */
sloe_status sloe_csv_reader_open(sloe_csv_source source, sloe_csv_reader **out, sloe_error *err);
void sloe_csv_reader_close(sloe_csv_reader *r);

size_t sloe_csv_reader_columns(const sloe_csv_reader *r);
const char *sloe_csv_reader_column(const sloe_csv_reader *r, size_t i);      /* its name */
int sloe_csv_reader_find(const sloe_csv_reader *r, const char *column_name); /* -1: not there */

/* The next record; *more is 0 at the end. After a failure the reader is good for closing only. */
sloe_status sloe_csv_reader_next(sloe_csv_reader *r, int *more, sloe_error *err);

/* Of the record just read; strings live until the next one. */
const char *sloe_csv_reader_field(const sloe_csv_reader *r, size_t i);
uint64_t sloe_csv_reader_line(const sloe_csv_reader *r); /* on which it begins, from 1 */

/* A number, NAN where the field is empty. Errors: FORMAT, with line, column and byte offset. */
sloe_status sloe_csv_reader_number(const sloe_csv_reader *r, size_t i, double *out,
                                   sloe_error *err);

/* ---- writing ---- */

typedef struct sloe_csv_sink {
  void *context;
  sloe_status (*write)(void *context, const void *data, size_t len, sloe_error *err);
} sloe_csv_sink;

/* Fields, then sloe_csv_writer_end_record, and so on; sloe_csv_writer_fini after all. What is
   written reaches the sink in blocks, the last by sloe_csv_writer_flush. */
typedef struct sloe_csv_writer {
  sloe_csv_sink sink;
  sloe_text text;
  size_t n_fields, field_start; /* of the open record */
} sloe_csv_writer;

void sloe_csv_writer_init(sloe_csv_writer *w, sloe_csv_sink sink);
void sloe_csv_writer_string(sloe_csv_writer *w, const char *s);
void sloe_csv_writer_number(sloe_csv_writer *w, double value);
void sloe_csv_writer_int(sloe_csv_writer *w, int64_t value);
sloe_status sloe_csv_writer_end_record(sloe_csv_writer *w, sloe_error *err);
sloe_status sloe_csv_writer_flush(sloe_csv_writer *w, sloe_error *err);
void sloe_csv_writer_fini(sloe_csv_writer *w);

#endif
