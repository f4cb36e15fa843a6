/* One record at a time: its fields lie one behind the other in `text`, each with a NUL behind it;
 * where each begins there and in the file stands in `fields`. The first trouble, of the source or
 * of the syntax, sticks in `status` and looks like the end of the file to the functions that walk,
 * so that they need no second way out. The header is the first record and is kept.
 */
#include "base/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"

enum { END = -1, BUFFER = 1 << 14, FLUSH_AT = 1 << 16 };

typedef struct field {
  size_t at;       /* in `text` */
  uint64_t offset; /* in the file */
} field;

typedef struct record {
  char *text;
  size_t len, cap;
  field *fields;
  size_t n, cap_fields;
  uint64_t line, offset;
} record;

struct sloe_csv_reader {
  sloe_csv_source source;
  record header, row;
  uint64_t line, offset; /* of the next byte */
  sloe_status status;
  sloe_error *err;
  size_t at, n; /* within `buf` */
  unsigned char buf[BUFFER];
};

static void out_of_memory(sloe_csv_reader *r) {
  r->status = sloe_fail(r->err, SLOE_NOMEM, "out of memory reading line %llu of a table",
                        (unsigned long long)r->line);
}

static void wrong(sloe_csv_reader *r, uint64_t offset, const char *rule) {
  if (r->status == SLOE_OK)
    r->status = sloe_fail_at(r->err, SLOE_FORMAT, offset, "line %llu: %s",
                             (unsigned long long)r->line, rule);
}

static int fill(sloe_csv_reader *r) {
  r->at = r->n = 0;
  sloe_status status = r->source.read(r->source.context, r->buf, sizeof r->buf, &r->n, r->err);
  if (status != SLOE_OK) r->n = 0, r->status = status;
  return r->n > 0;
}

static int peek(sloe_csv_reader *r) {
  if (r->status != SLOE_OK) return END;
  if (r->at == r->n && !fill(r)) return END;
  if (r->buf[r->at]) return r->buf[r->at];
  wrong(r, r->offset, "a NUL byte: not text");
  return END;
}

/* The byte that peek showed. */
static void take(sloe_csv_reader *r) {
  r->line += r->buf[r->at] == '\n';
  r->at++;
  r->offset++;
}

static void push(sloe_csv_reader *r, record *row, int c) {
  if (row->len == row->cap) {
    size_t cap = row->cap ? row->cap * 2 : 256;
    if (row->len >= SLOE_CSV_MAX_RECORD) {
      wrong(r, r->offset, "a record longer than 4 MiB");
      return;
    }
    char *wide = sloe_realloc(row->text, cap, 1);
    if (!wide) {
      out_of_memory(r);
      return;
    }
    row->text = wide;
    row->cap = cap;
  }
  row->text[row->len++] = (char)c;
}

static void begin_field(sloe_csv_reader *r, record *row) {
  if (row->n == row->cap_fields) {
    size_t cap = row->cap_fields ? row->cap_fields * 2 : 32;
    if (row->n >= SLOE_CSV_MAX_COLUMNS) {
      wrong(r, r->offset, "more than 4096 fields");
      return;
    }
    field *wide = sloe_realloc(row->fields, cap, sizeof *wide);
    if (!wide) {
      out_of_memory(r);
      return;
    }
    row->fields = wide;
    row->cap_fields = cap;
  }
  row->fields[row->n++] = (field){row->len, r->offset};
}

/* CR counts as an ending only before LF; it is taken here, LF is left. */
static int at_ending(sloe_csv_reader *r) {
  uint64_t offset = r->offset;
  int c = peek(r);
  if (c == '\r') {
    take(r);
    c = peek(r);
    if (c != '\n') wrong(r, offset, "a carriage return without a line feed");
  }
  return c == '\n' || c == END || r->status != SLOE_OK;
}

static void read_quoted(sloe_csv_reader *r, record *row) {
  uint64_t start = r->offset;
  for (take(r);; take(r)) {
    int c = peek(r);
    if (c == END) {
      wrong(r, start, "the quote that opens here is not closed");
      return;
    }
    if (c == '"') {
      take(r);
      if (peek(r) != '"') break;
    }
    push(r, row, c);
    if (r->status != SLOE_OK) return;
  }
  int c = peek(r);
  if (c != ',' && c != '\n' && c != '\r' && c != END)
    wrong(r, r->offset, "a closing quote must end its field");
}

static void read_bare(sloe_csv_reader *r, record *row) {
  for (int c; (c = peek(r)) != END && c != ',' && c != '\n' && c != '\r'; take(r)) {
    if (c == '"') wrong(r, r->offset, "a quote within a field that does not begin with one");
    push(r, row, c);
    if (r->status != SLOE_OK) return;
  }
}

/* Fields up to the end of the line. */
static void read_fields(sloe_csv_reader *r, record *row) {
  for (;;) {
    begin_field(r, row);
    if (r->status != SLOE_OK) return;
    if (peek(r) == '"')
      read_quoted(r, row);
    else
      read_bare(r, row);
    push(r, row, 0);
    if (peek(r) == ',')
      take(r);
    else
      break;
  }
  if (at_ending(r) && peek(r) == '\n') take(r);
}

/* 0 at the end of the file. */
static int read_record(sloe_csv_reader *r, record *row) {
  row->len = row->n = 0;
  while (peek(r) == '\n' || (peek(r) == '\r' && at_ending(r) && peek(r) == '\n')) take(r);
  row->line = r->line;
  row->offset = r->offset;
  if (peek(r) == END) return 0;
  read_fields(r, row);
  return r->status == SLOE_OK;
}

static const char *text_of(const record *row, size_t i) {
  return i < row->n ? row->text + row->fields[i].at : "";
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void check_names(sloe_csv_reader *r) {
  const char **names = sloe_alloc(r->header.n, sizeof *names);
  if (!names) {
    out_of_memory(r);
    return;
  }
  for (size_t i = 0; i < r->header.n; i++) names[i] = text_of(&r->header, i);
  qsort(names, r->header.n, sizeof *names, by_name);
  for (size_t i = 1; i < r->header.n && r->status == SLOE_OK; i++)
    if (strcmp(names[i - 1], names[i]) == 0)
      r->status = sloe_fail_at(r->err, SLOE_FORMAT, r->header.offset,
                               "line %llu: two columns are called '%.60s'",
                               (unsigned long long)r->header.line, names[i]);
  sloe_dealloc(names);
}

static void skip_byte_order_mark(sloe_csv_reader *r) {
  static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
  for (size_t i = 0; i < sizeof mark; i++) {
    if (peek(r) != mark[i]) {
      if (i && r->status == SLOE_OK) wrong(r, 0, "a byte order mark that is cut short");
      return;
    }
    take(r);
  }
}

sloe_status sloe_csv_reader_open(sloe_csv_source source, sloe_csv_reader **out, sloe_error *err) {
  *out = NULL;
  sloe_csv_reader *r = sloe_alloc(1, sizeof *r);
  if (!r) return sloe_fail(err, SLOE_NOMEM, "out of memory opening a table");
  memset(r, 0, offsetof(sloe_csv_reader, buf));
  r->source = source;
  r->err = err;
  r->line = 1;
  skip_byte_order_mark(r);
  if (!read_record(r, &r->header)) wrong(r, r->offset, "no header: the table is empty");
  if (r->status == SLOE_OK) check_names(r);
  sloe_status status = r->status;
  if (status == SLOE_OK)
    *out = r;
  else
    sloe_csv_reader_close(r);
  return status;
}

void sloe_csv_reader_close(sloe_csv_reader *r) {
  if (!r) return;
  sloe_dealloc(r->header.text);
  sloe_dealloc(r->header.fields);
  sloe_dealloc(r->row.text);
  sloe_dealloc(r->row.fields);
  sloe_dealloc(r);
}

size_t sloe_csv_reader_columns(const sloe_csv_reader *r) {
  return r->header.n;
}

const char *sloe_csv_reader_column(const sloe_csv_reader *r, size_t i) {
  return text_of(&r->header, i);
}

int sloe_csv_reader_find(const sloe_csv_reader *r, const char *name) {
  for (size_t i = 0; i < r->header.n; i++)
    if (strcmp(text_of(&r->header, i), name) == 0) return (int)i;
  return -1;
}

sloe_status sloe_csv_reader_next(sloe_csv_reader *r, int *more, sloe_error *err) {
  r->err = err;
  *more = r->status == SLOE_OK && read_record(r, &r->row);
  if (r->status != SLOE_OK || !*more) return r->status;
  if (r->row.n == r->header.n) return SLOE_OK;
  *more = 0;
  return r->status = sloe_fail_at(err, SLOE_FORMAT, r->row.offset,
                                  "line %llu: %zu fields where the header has %zu",
                                  (unsigned long long)r->row.line, r->row.n, r->header.n);
}

const char *sloe_csv_reader_field(const sloe_csv_reader *r, size_t i) {
  return text_of(&r->row, i);
}

uint64_t sloe_csv_reader_line(const sloe_csv_reader *r) {
  return r->row.line;
}

sloe_status sloe_csv_reader_number(const sloe_csv_reader *r, size_t i, double *out,
                                   sloe_error *err) {
  const char *s = text_of(&r->row, i);
  *out = NAN;
  if (!*s || sloe_parse_double(s, strlen(s), out)) return SLOE_OK;
  *out = NAN;
  return sloe_fail_at(err, SLOE_FORMAT, i < r->row.n ? r->row.fields[i].offset : r->row.offset,
                      "line %llu: %.40s is '%.40s', which is no number",
                      (unsigned long long)r->row.line, text_of(&r->header, i), s);
}

void sloe_csv_writer_init(sloe_csv_writer *w, sloe_csv_sink sink) {
  *w = (sloe_csv_writer){.sink = sink};
}

static void next_field(sloe_csv_writer *w) {
  if (w->n_fields++) sloe_text_add(&w->text, ",");
  w->field_start = w->text.len;
}

static void add_quoted(sloe_text *text, const char *s) {
  sloe_text_add(text, "\"");
  for (const char *quote; (quote = strchr(s, '"')); s = quote + 1) {
    sloe_text_addn(text, s, (size_t)(quote - s));
    sloe_text_add(text, "\"\"");
  }
  sloe_text_add(text, s);
  sloe_text_add(text, "\"");
}

void sloe_csv_writer_string(sloe_csv_writer *w, const char *s) {
  next_field(w);
  /* At the start of a file a bare byte order mark would be taken for one. */
  if (strpbrk(s, ",\"\r\n") || (unsigned char)s[0] == 0xef)
    add_quoted(&w->text, s);
  else
    sloe_text_add(&w->text, s);
}

void sloe_csv_writer_number(sloe_csv_writer *w, double value) {
  char buf[SLOE_NUMBER_BUF];
  next_field(w);
  if (!isnan(value)) sloe_text_add(&w->text, sloe_format_double(value, buf));
}

void sloe_csv_writer_int(sloe_csv_writer *w, int64_t value) {
  next_field(w);
  sloe_text_addf(&w->text, "%lld", (long long)value);
}

sloe_status sloe_csv_writer_end_record(sloe_csv_writer *w, sloe_error *err) {
  /* A lone empty field would be an empty line, which readers skip. */
  if (w->n_fields == 1 && w->field_start == w->text.len) sloe_text_add(&w->text, "\"\"");
  sloe_text_add(&w->text, "\n");
  w->n_fields = 0;
  return w->text.len < FLUSH_AT && !w->text.failed ? SLOE_OK : sloe_csv_writer_flush(w, err);
}

sloe_status sloe_csv_writer_flush(sloe_csv_writer *w, sloe_error *err) {
  if (w->text.failed) return sloe_fail(err, SLOE_NOMEM, "out of memory writing a table");
  size_t len = w->text.len;
  w->text.len = 0;
  return len ? w->sink.write(w->sink.context, w->text.data, len, err) : SLOE_OK;
}

void sloe_csv_writer_fini(sloe_csv_writer *w) {
  sloe_text_fini(&w->text);
}
