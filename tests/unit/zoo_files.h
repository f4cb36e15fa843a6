/* zoo_files.h: tables of networks and what is known of them, row by row. */
#ifndef SLOE_TESTS_ZOO_FILES_H
#define SLOE_TESTS_ZOO_FILES_H

#include "base/csv.h"
#include "base/file.h"
#include "sloe/sloe.h"
#include "unit/table_text.h"

enum { ZOO_LARGEST_TABLE = 1 << 22 };

static inline sloe_net *open_zoo(const char *net) {
  sloe_net *out;
  sloe_error err;
  assert_ok(sloe_net_open(net, NULL, &out, &err), err);
  return out;
}

/* The field of a column that must be there. */
static inline const char *zoo_field(const sloe_csv_reader *r, const char *column) {
  const int i = sloe_csv_reader_find(r, column);
  assert_true(i >= 0);
  return sloe_csv_reader_field(r, (size_t)i);
}

static inline size_t each_row(sloe_csv_source source, void (*take)(const sloe_csv_reader *r)) {
  sloe_csv_reader *r;
  sloe_error err;
  size_t n = 0;
  assert_ok(sloe_csv_reader_open(source, &r, &err), err);
  for (int more = 1;; n++) {
    assert_ok(sloe_csv_reader_next(r, &more, &err), err);
    if (!more) break;
    take(r);
  }
  sloe_csv_reader_close(r);
  return n;
}

/* The number of its rows. */
static inline size_t each_row_of_file(const char *path, void (*take)(const sloe_csv_reader *r)) {
  char *data;
  size_t len;
  sloe_error err;
  assert_ok(sloe_file_read(path, ZOO_LARGEST_TABLE, &data, &len, &err), err);
  text_source source = {data, len, 0, 0};
  const size_t n = each_row((sloe_csv_source){&source, text_source_read}, take);
  sloe_dealloc(data);
  return n;
}

#endif
