/* import_table.h: imported tables as rows and columns, for tests. Any failure fails the test at
 * once. */
#ifndef SLOE_TESTS_IMPORT_TABLE_H
#define SLOE_TESTS_IMPORT_TABLE_H

#include "campaign/campaign.h"
#include "unit/table_text.h"

enum { MOST_ROWS = 1024, COLUMNS_MOST = 128 };

typedef struct table {
  char *cell[MOST_ROWS][COLUMNS_MOST];
  size_t n_rows, n_columns;
  char *column[COLUMNS_MOST];
} table;

static inline char *copy(const char *s) {
  char *to = sloe_alloc(strlen(s) + 1, 1);
  assert_non_null(to);
  return strcpy(to, s);
}

static inline void read_table(const char *text, table *t) {
  text_source from = text_source_of(text, 0);
  sloe_csv_reader *r;
  sloe_error err;
  memset(t, 0, sizeof *t);
  assert_ok(sloe_csv_reader_open((sloe_csv_source){&from, text_source_read}, &r, &err), err);
  t->n_columns = sloe_csv_reader_columns(r);
  assert_true(t->n_columns <= COLUMNS_MOST);
  for (size_t c = 0; c < t->n_columns; c++) t->column[c] = copy(sloe_csv_reader_column(r, c));
  for (int more;;) {
    assert_ok(sloe_csv_reader_next(r, &more, &err), err);
    if (!more) break;
    assert_true(t->n_rows < MOST_ROWS);
    for (size_t c = 0; c < t->n_columns; c++)
      t->cell[t->n_rows][c] = copy(sloe_csv_reader_field(r, c));
    t->n_rows++;
  }
  sloe_csv_reader_close(r);
}

static inline void free_table(table *t) {
  for (size_t c = 0; c < t->n_columns; c++) sloe_dealloc(t->column[c]);
  for (size_t r = 0; r < t->n_rows; r++)
    for (size_t c = 0; c < t->n_columns; c++) sloe_dealloc(t->cell[r][c]);
  t->n_rows = t->n_columns = 0;
}

static inline const char *cell(const table *t, size_t row, const char *column) {
  for (size_t c = 0; c < t->n_columns; c++)
    if (strcmp(t->column[c], column) == 0) return t->cell[row][c];
  fail_msg("no column '%s'", column);
  return "";
}

/* The n-th record whose column `row` says `kind`. */
static inline size_t find_row(const table *t, const char *kind, size_t n) {
  for (size_t i = 0; i < t->n_rows; i++)
    if (strcmp(cell(t, i, "row"), kind) == 0 && n-- == 0) return i;
  fail_msg("too few records of a %s", kind);
  return 0;
}

static inline sloe_status import_files(const char *const *paths, size_t n, const char *net,
                                       table *t, sloe_error *err) {
  const sloe_import_options options = {
      .format = "trtexec", .files = paths, .n_files = n, .net = net};
  char *text;
  memset(t, 0, sizeof *t);
  const sloe_status status = sloe_import(&options, &text, err);
  assert_int_equal(status == SLOE_OK, text != NULL);
  if (text) read_table(text, t);
  sloe_text_free(text);
  return status;
}

static inline size_t count(const table *t, const char *column, const char *value) {
  size_t n = 0;
  for (size_t i = 0; i < t->n_rows; i++) n += strcmp(cell(t, i, column), value) == 0;
  return n;
}

#endif
