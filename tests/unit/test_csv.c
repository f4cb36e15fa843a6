/* Comma-separated values: what RFC 4180 allows is read and written, the rest refused with its
 * place. */
#include <math.h>

#include "unit/table_text.h"

static sloe_status open_text(text_source *source, sloe_csv_reader **r, sloe_error *err) {
  return sloe_csv_reader_open((sloe_csv_source){source, text_source_read}, r, err);
}

/* The table as "a|b;1|2;", or the status of what failed. */
static sloe_status flatten(const char *text, size_t piece, sloe_text *out, sloe_error *err) {
  text_source source = text_source_of(text, piece);
  sloe_csv_reader *r;
  SLOE_TRY(open_text(&source, &r, err));
  size_t n = sloe_csv_reader_columns(r);
  for (size_t i = 0; i < n; i++)
    sloe_text_addf(out, "%s%s", i ? "|" : "", sloe_csv_reader_column(r, i));
  sloe_status status;
  for (int more; (status = sloe_csv_reader_next(r, &more, err)) == SLOE_OK && more;)
    for (size_t i = 0; i < n; i++)
      sloe_text_addf(out, "%s%s", i ? "|" : ";", sloe_csv_reader_field(r, i));
  sloe_csv_reader_close(r);
  return status;
}

static const struct {
  const char *text, *flat;
} READ[] = {
    {"a,b\n1,2\n", "a|b;1|2"},
    {"a,b\r\n1,2\r\n", "a|b;1|2"},
    {"a,b\n1,2", "a|b;1|2"},
    {"a", "a"},
    {"\xef\xbb\xbf"
     "a,b\n",
     "a|b"},
    {"a,b\n,\n", "a|b;|"},
    {"a\n\"\"\n", "a;"},
    {"\n\r\na,b\n\n1,2\r\n\r\n", "a|b;1|2"},
    {"a,b\n\"1,2\",\"x\"\"y\"\"\"\n", "a|b;1,2|x\"y\""},
    {"\"a\",\"b\"\n\"1\n2\",\"3\r\n4\"", "a|b;1\n2|3\r\n4"},
    {"a,b\n 1 ,\t2\n", "a|b; 1 |\t2"},
    {",b\n1,2\n", "|b;1|2"},
};

static void tables_are_read_whatever_the_pieces(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof READ / sizeof *READ; i++)
    for (size_t piece = 0; piece < 4; piece++) {
      sloe_text flat = {0};
      sloe_error err;
      assert_ok(flatten(READ[i].text, piece, &flat, &err), err);
      assert_string_equal(flat.data, READ[i].flat);
      sloe_text_fini(&flat);
    }
}

static const struct {
  const char *text, *words;
  uint64_t offset;
} REFUSED[] = {
    {"", "line 1: no header", 0},
    {"\n\n", "line 3: no header", 2},
    {"a,b\n1,2\n3\n", "line 3: 1 fields where the header has 2", 8},
    {"a,b\n1,2,3\n", "line 2: 3 fields where the header has 2", 4},
    {"a,b,a\n", "line 1: two columns are called 'a'", 0},
    {"a\n\"x\n\n", "the quote that opens here is not closed", 2},
    {"a\n\"x\"y\n", "line 2: a closing quote must end its field", 5},
    {"a\nx\"y\n", "line 2: a quote within a field", 3},
    {"a\n1\r2\n", "line 2: a carriage return without a line feed", 3},
    {"a\n1\r", "line 2: a carriage return without a line feed", 3},
    {"a\n\r", "line 2: a carriage return without a line feed", 2},
    {"\xef\xbb", "byte order mark that is cut short", 0},
};

static void what_is_no_table_is_refused_with_line_and_offset(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++)
    for (size_t piece = 0; piece < 3; piece++) {
      sloe_text flat = {0};
      sloe_error err;
      assert_refused(flatten(REFUSED[i].text, piece, &flat, &err), SLOE_FORMAT, err,
                     REFUSED[i].words);
      assert_int_equal(err.offset, REFUSED[i].offset);
      sloe_text_fini(&flat);
    }
}

static void a_nul_byte_is_refused(void **state) {
  (void)state;
  text_source source = {"a\n1\0\n", 5, 0, 0};
  sloe_csv_reader *r;
  sloe_error err;
  int more;
  assert_ok(open_text(&source, &r, &err), err);
  assert_refused(sloe_csv_reader_next(r, &more, &err), SLOE_FORMAT, err, "line 2: a NUL byte");
  assert_int_equal(err.offset, 3);
  assert_int_equal(more, 0);
  sloe_csv_reader_close(r);
}

static sloe_status endless(void *context, void *buf, size_t size, size_t *got, sloe_error *err) {
  (void)err;
  memset(buf, *(char *)context, size);
  *got = size;
  return SLOE_OK;
}

static void a_record_without_end_is_refused(void **state) {
  (void)state;
  sloe_csv_reader *r = (void *)&r;
  sloe_error err;
  char x = 'x', comma = ',';
  assert_refused(sloe_csv_reader_open((sloe_csv_source){&x, endless}, &r, &err), SLOE_FORMAT, err,
                 "line 1: a record longer than 4 MiB");
  assert_null(r);
  assert_refused(sloe_csv_reader_open((sloe_csv_source){&comma, endless}, &r, &err), SLOE_FORMAT,
                 err, "line 1: more than 4096 fields");
  assert_null(r);
}

static sloe_status broken(void *context, void *buf, size_t size, size_t *got, sloe_error *err) {
  (void)context, (void)buf, (void)size;
  *got = 0;
  return sloe_fail(err, SLOE_IO, "the disk is gone");
}

static void the_trouble_of_the_source_comes_through(void **state) {
  (void)state;
  sloe_csv_reader *r = (void *)&r;
  sloe_error err;
  assert_refused(sloe_csv_reader_open((sloe_csv_source){NULL, broken}, &r, &err), SLOE_IO, err,
                 "the disk is gone");
  assert_null(r);
}

static void numbers_are_read_or_unknown_or_refused(void **state) {
  (void)state;
  text_source source = text_source_of("net,latency_ms\nx,1.5\ny,\nz,\"1,5\"\n", 0);
  sloe_csv_reader *r;
  sloe_error err;
  int more;
  double value;
  assert_ok(open_text(&source, &r, &err), err);
  int column = sloe_csv_reader_find(r, "latency_ms");
  assert_int_equal(column, 1);
  assert_int_equal(sloe_csv_reader_find(r, "power_w"), -1);
  assert_ok(sloe_csv_reader_next(r, &more, &err), err);
  assert_ok(sloe_csv_reader_number(r, 1, &value, &err), err);
  assert_true(value == 1.5);
  assert_ok(sloe_csv_reader_next(r, &more, &err), err);
  assert_ok(sloe_csv_reader_number(r, 1, &value, &err), err);
  assert_true(isnan(value));
  assert_ok(sloe_csv_reader_next(r, &more, &err), err);
  assert_int_equal(sloe_csv_reader_line(r), 4);
  assert_refused(sloe_csv_reader_number(r, 1, &value, &err), SLOE_FORMAT, err,
                 "line 4: latency_ms is '1,5', which is no number");
  assert_int_equal(err.offset, 26);
  assert_true(isnan(value));
  sloe_csv_reader_close(r);
}

static void a_table_is_written_with_quotes_only_where_it_must(void **state) {
  (void)state;
  sloe_text out = {0};
  sloe_csv_writer w;
  sloe_error err;
  sloe_csv_writer_init(&w, (sloe_csv_sink){&out, text_sink_write});
  sloe_csv_writer_string(&w, "net");
  sloe_csv_writer_string(&w, "a \"b\"");
  sloe_csv_writer_string(&w, "");
  assert_ok(sloe_csv_writer_end_record(&w, &err), err);
  sloe_csv_writer_string(&w, "zoo:x,depth=1");
  sloe_csv_writer_number(&w, 0.1);
  sloe_csv_writer_number(&w, NAN);
  assert_ok(sloe_csv_writer_end_record(&w, &err), err);
  sloe_csv_writer_int(&w, INT64_MIN);
  sloe_csv_writer_string(&w, "two\nlines");
  sloe_csv_writer_string(&w, "\r");
  assert_ok(sloe_csv_writer_end_record(&w, &err), err);
  sloe_csv_writer_string(&w, "");
  assert_ok(sloe_csv_writer_end_record(&w, &err), err);
  assert_ok(sloe_csv_writer_flush(&w, &err), err);
  assert_string_equal(out.data,
                      "net,\"a \"\"b\"\"\",\n\"zoo:x,depth=1\",0.1,\n"
                      "-9223372036854775808,\"two\nlines\",\"\r\"\n\"\"\n");
  sloe_csv_writer_fini(&w);
  sloe_text_fini(&out);
}

static sloe_status write_many(sloe_text *out, size_t n, sloe_error *err) {
  sloe_csv_writer w;
  sloe_status status;
  sloe_csv_writer_init(&w, (sloe_csv_sink){out, text_sink_write});
  for (size_t i = 0; i < n; i++) {
    sloe_csv_writer_string(&w, i ? "some text" : "name");
    sloe_csv_writer_string(&w, i ? "1.25" : "value");
    SLOE_GOTO(sloe_csv_writer_end_record(&w, err));
  }
  SLOE_GOTO(sloe_csv_writer_flush(&w, err));
fail:
  sloe_csv_writer_fini(&w);
  return status;
}

static void long_tables_pass_in_blocks(void **state) {
  (void)state;
  sloe_text out = {0};
  sloe_error err;
  assert_ok(write_many(&out, 20000, &err), err);
  assert_int_equal(out.len, 11 + 19999 * 15);
  text_source source = {out.data, out.len, 0, 1000};
  sloe_csv_reader *r;
  int more;
  size_t rows = 0;
  assert_ok(open_text(&source, &r, &err), err);
  while (sloe_csv_reader_next(r, &more, &err) == SLOE_OK && more) {
    assert_string_equal(sloe_csv_reader_field(r, 1), "1.25");
    rows++;
  }
  assert_int_equal(rows, 19999);
  sloe_csv_reader_close(r);
  sloe_text_fini(&out);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  sloe_error err;
  int done = 0;
  long before = sloe_alloc_live();
  for (long n = 0; !done; n++) {
    sloe_text flat = {0};
    sloe_alloc_fail_after(n);
    memset(&err, 0, sizeof err);
    sloe_status status = flatten("a,b\n\"1\",2\n", 0, &flat, &err);
    sloe_alloc_fail_after(-1);
    done = status == SLOE_OK && !flat.failed;
    if (status != SLOE_OK) {
      assert_int_equal(status, SLOE_NOMEM);
      assert_true(err.msg[0]);
    }
    sloe_text_fini(&flat);
    assert_int_equal(sloe_alloc_live(), before);
    assert_true(n < 100);
  }
  sloe_text out = {0};
  sloe_alloc_fail_after(0);
  assert_refused(write_many(&out, 2, &err), SLOE_NOMEM, err, "out of memory");
  sloe_alloc_fail_after(-1);
  sloe_text_fini(&out);
  assert_int_equal(sloe_alloc_live(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tables_are_read_whatever_the_pieces),
      cmocka_unit_test(what_is_no_table_is_refused_with_line_and_offset),
      cmocka_unit_test(a_nul_byte_is_refused),
      cmocka_unit_test(a_record_without_end_is_refused),
      cmocka_unit_test(the_trouble_of_the_source_comes_through),
      cmocka_unit_test(numbers_are_read_or_unknown_or_refused),
      cmocka_unit_test(a_table_is_written_with_quotes_only_where_it_must),
      cmocka_unit_test(long_tables_pass_in_blocks),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
