/* Numbers and names for people, tables, CSV and JSON: the writers without a network. */
#include "unit.h"

#include <math.h>
#include <stdlib.h>

#include "report/report.h"

/* ---- numbers ---- */

static void numbers_keep_three_significant_digits(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *number, *si, *plain;
  } rows[] = {
      {0, "0", "0", "0"},
      {1, "1.00", "1", "1"},
      {0.0123456, "0.0123", "0.0123 ", "0.0123456"},
      {0.99951, "1.00", "1.00", "0.99951"},
      {9.994, "9.99", "9.99", "9.994"},
      {9.996, "10.0", "10.0", "9.996"},
      {99.96, "100", "100", "99.96"},
      {512, "512", "512", "512"},
      {999.4, "999", "999", "999.4"},
      {999.6, "1000", "1.00 k", "999.6"},
      {11689512, "11689512", "11.7 M", "11689512"},
      {4294.967296, "4295", "4.29 k", "4294.97"},
      {921.6, "922", "922", "921.6"},
      {1.5e22, "1.50e+22", "15000 E", "1.50e+22"},
      {NAN, "-", "-", "-"},
  };
  char buf[SLOE_HUMAN_BUF];
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_string_equal(sloe_human_number(rows[i].value, buf), rows[i].number);
    assert_int_equal(strncmp(sloe_human_si(rows[i].value, buf), rows[i].si, 5), 0);
    assert_string_equal(sloe_human_plain(rows[i].value, buf), rows[i].plain);
  }
}

static void counts_are_written_in_groups(void **state) {
  (void)state;
  char buf[SLOE_HUMAN_BUF];
  assert_string_equal(sloe_human_count(0, buf), "0");
  assert_string_equal(sloe_human_count(999, buf), "999");
  assert_string_equal(sloe_human_count(1000, buf), "1,000");
  assert_string_equal(sloe_human_count(11689512, buf), "11,689,512");
  assert_string_equal(sloe_human_count(UINT64_MAX, buf), "18,446,744,073,709,551,615");
}

static void shapes_say_what_is_not_known(void **state) {
  (void)state;
  char buf[SLOE_HUMAN_SHAPE_BUF];
  assert_string_equal(sloe_human_shape(&(sloe_shape){.rank = -1}, buf), "?");
  assert_string_equal(sloe_human_shape(&(sloe_shape){.rank = 0}, buf), "scalar");
  assert_string_equal(sloe_human_shape(&(sloe_shape){.rank = 3, .dim = {1, -1, 7}}, buf), "1x?x7");
  sloe_shape widest = {.rank = SLOE_MAX_RANK};
  for (int i = 0; i < SLOE_MAX_RANK; i++) widest.dim[i] = INT64_MAX;
  assert_int_equal(strlen(sloe_human_shape(&widest, buf)), 8 * 19 + 7);
}

/* ---- names ---- */

static void names_lose_control_characters_and_broken_utf8(void **state) {
  (void)state;
  static const struct {
    const char *name, *printed;
  } rows[] = {
      {"conv1", "conv1"},
      {"\033[31mred", "?[31mred"},
      {"a\nb\tc\177", "a?b?c?"},
      {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
      {"\xc2\x9b"
       "31m",
       "?31m"},
      {"\xff\xfe", "??"},
      {"\xc3", "?"},
      {"\xe2\x82", "??"},
      {"\xc0\x80", "??"},
      {"\xed\xa0\x80", "???"},
      {"\xf0\x9f\x8c\xb1", "\xf0\x9f\x8c\xb1"},
      {"\xf4\x90\x80\x80", "????"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_text text = {0};
    sloe_text_name(&text, rows[i].name);
    assert_string_equal(text.data, rows[i].printed);
    sloe_text_fini(&text);
  }
}

/* ---- tables ---- */

static char *print_table(const sloe_column *columns, size_t n, const char *const *cells,
                         size_t n_cells, const sloe_report_options *options) {
  sloe_table table;
  sloe_text text = {0};
  sloe_table_init(&table, columns, n);
  for (size_t i = 0; i < n_cells; i++) sloe_table_add(&table, cells[i]);
  sloe_table_print(&table, options, 2, &text);
  sloe_table_fini(&table);
  char *out;
  assert_int_equal(sloe_text_take(&text, &out, NULL), SLOE_OK);
  return out;
}

static const sloe_column three[] = {{"name", 0, 1, 0}, {"ms", 1, 0, 0}, {"bound", 0, 0, 1}};

static void tables_align_columns_and_end_lines_without_blanks(void **state) {
  (void)state;
  const char *cells[] = {"conv1", "12.5", "memory", "\xc3\xbc", "3", ""};
  char *text = print_table(three, 3, cells, 6, &(sloe_report_options){.width = 80});
  assert_string_equal(text,
                      "  name     ms  bound\n"
                      "  conv1  12.5  memory\n"
                      "  \xc3\xbc         3\n");
  sloe_text_free(text);
}

static void narrow_tables_cut_names_in_the_middle_then_drop_columns(void **state) {
  (void)state;
  static const struct {
    int width;
    const char *text;
  } rows[] = {
      {60,
       "  name                                  ms  bound\n"
       "  /layer1/layer1.0/conv1/Conv + relu  12.5  memory\n"},
      {48,
       "  name                                ms  bound\n"
       "  /layer1/layer1...nv1/Conv + relu  12.5  memory\n"},
      {40,
       "  name                        ms  bound\n"
       "  /layer1/lay..Conv + relu  12.5  memory\n"},
      {30,
       "  name                      ms\n"
       "  /layer1/la..onv + relu  12.5\n"},
      {5,
       "  name            ms\n"
       "  /laye.. relu  12.5\n"},
  };
  const char *cells[] = {"/layer1/layer1.0/conv1/Conv + relu", "12.5", "memory"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char *text = print_table(three, 3, cells, 3, &(sloe_report_options){.width = rows[i].width});
    assert_string_equal(text, rows[i].text);
    sloe_text_free(text);
  }
}

static void wide_output_cuts_nothing(void **state) {
  (void)state;
  char name[5000];
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = 0;
  const char *cells[] = {name, "1", "memory"};
  char *text = print_table(three, 3, cells, 3, &(sloe_report_options){.width = INT32_MAX});
  assert_non_null(strstr(text, name));
  sloe_text_free(text);
}

static void bars_are_drawn_in_eighths_or_in_ascii(void **state) {
  (void)state;
  static const struct {
    int bars;
    double part;
    const char *bar;
  } rows[] = {{1, 1, "████"}, {1, 0.5, "██"}, {1, 0.28125, "█▏"}, {1, 7, "████"},
              {1, -1, ""},    {1, NAN, ""},   {2, 0.5, "##"},     {0, 1, ""}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_text text = {0};
    sloe_report_options options = {.bars = rows[i].bars};
    sloe_text_bar(&text, &options, rows[i].part, 4);
    assert_string_equal(text.data ? text.data : "", rows[i].bar);
    sloe_text_fini(&text);
  }
}

static void a_table_without_memory_fails_the_text(void **state) {
  (void)state;
  const char *cells[] = {"conv1", "12.5", "memory"};
  for (long n = 0;; n++) {
    sloe_table table;
    sloe_text text = {0};
    sloe_error err = {0};
    char *out = NULL;
    long live = sloe_alloc_live();
    sloe_alloc_fail_after(n);
    sloe_table_init(&table, three, 3);
    for (size_t i = 0; i < 3; i++) sloe_table_add(&table, cells[i]);
    sloe_table_print(&table, &(sloe_report_options){.width = 20}, 0, &text);
    sloe_table_fini(&table);
    sloe_status status = sloe_text_take(&text, &out, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_OK) {
      assert_true(n > 3);
      sloe_text_free(out);
      return;
    }
    assert_int_equal(status, SLOE_NOMEM);
    assert_null(out);
    assert_int_equal(sloe_alloc_live(), live);
  }
}

/* ---- CSV ---- */

static void csv_quotes_what_needs_it_and_leaves_unknown_empty(void **state) {
  (void)state;
  sloe_csv csv = {.started = 0};
  const char *ops[] = {"a", "b\"c"};
  sloe_csv_string(&csv, "plain");
  sloe_csv_string(&csv, "a,b");
  sloe_csv_strings(&csv, ops, 2);
  sloe_csv_number(&csv, 0.1);
  sloe_csv_number(&csv, NAN);
  sloe_csv_number(&csv, INFINITY);
  sloe_csv_count(&csv, UINT64_MAX);
  sloe_csv_int(&csv, -3);
  sloe_csv_flag(&csv, -1);
  sloe_csv_flag(&csv, 1);
  sloe_csv_shapes(&csv, &(sloe_shape){.rank = 2, .dim = {2, 3}}, 1);
  sloe_csv_string(&csv, "");
  sloe_csv_end(&csv);
  sloe_csv_string(&csv, "two\nlines");
  sloe_csv_end(&csv);
  assert_string_equal(csv.text.data,
                      "plain,\"a,b\",\"a|b\"\"c\",0.1,,,18446744073709551615,-3,,1,2x3,\n"
                      "\"two\nlines\"\n");
  sloe_text_fini(&csv.text);
}

/* ---- JSON ---- */

static json_t *round_trip(json_t *document, char **text) {
  sloe_error err = {0};
  assert_ok(sloe_json_finish(document, text, &err), err);
  json_error_t where;
  json_t *read = json_loads(*text, JSON_REJECT_DUPLICATES, &where);
  if (!read) fail_msg("%s at line %d of %s", where.text, where.line, *text);
  return read;
}

static void json_reads_back_as_it_was_written(void **state) {
  (void)state;
  static const double values[] = {0.1, 1.0 / 3, 1e22, 5e-324, 1.7976931348623157e308, 102.4, -0.5};
  sloe_json json = sloe_json_document("sloe/test/1");
  json_t *numbers = json_array();
  for (size_t i = 0; i < sizeof values / sizeof *values; i++)
    numbers = sloe_json_append(numbers, sloe_json_number(values[i]));
  sloe_json_set(&json, "numbers", numbers);
  sloe_json_set(&json, "name", sloe_json_string("quote\" back\\slash \n\t\x01 gr\xc3\xbc\xc3\x9f"));
  char *text;
  json_t *read = round_trip(sloe_json_take(&json), &text);
  assert_non_null(strstr(text, "[0.1, 0.3333333333333333, 1e+22, "));
  numbers = json_object_get(read, "numbers");
  for (size_t i = 0; i < sizeof values / sizeof *values; i++)
    assert_true(json_number_value(json_array_get(numbers, i)) == values[i]);
  assert_string_equal(json_string_value(json_object_get(read, "name")),
                      "quote\" back\\slash \n\t\x01 gr\xc3\xbc\xc3\x9f");
  assert_string_equal(json_string_value(json_object_get(read, "tool_version")), sloe_version());
  json_decref(read);
  sloe_text_free(text);
}

static void json_of_what_is_unknown_is_null(void **state) {
  (void)state;
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "nan", sloe_json_number(NAN));
  sloe_json_set(&json, "inf", sloe_json_number(-INFINITY));
  sloe_json_set(&json, "text", sloe_json_text(""));
  sloe_json_set(&json, "shape", sloe_json_shape(&(sloe_shape){.rank = -1}));
  sloe_json_set(&json, "dim", sloe_json_shape(&(sloe_shape){.rank = 2, .dim = {1, -1}}));
  char *text;
  json_t *read = round_trip(sloe_json_take(&json), &text);
  assert_true(json_is_null(json_object_get(read, "nan")));
  assert_true(json_is_null(json_object_get(read, "inf")));
  assert_true(json_is_null(json_object_get(read, "text")));
  assert_true(json_is_null(json_object_get(read, "shape")));
  assert_non_null(strstr(text, "\"dim\": [1, null]"));
  json_decref(read);
  sloe_text_free(text);
}

static void json_names_that_are_no_utf8_become_valid(void **state) {
  (void)state;
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "name", sloe_json_string("conv\xff\xc3"));
  char *text;
  json_t *read = round_trip(sloe_json_take(&json), &text);
  assert_string_equal(json_string_value(json_object_get(read, "name")),
                      "conv\xef\xbf\xbd\xef\xbf\xbd");
  json_decref(read);
  sloe_text_free(text);
}

static void json_counts_saturate(void **state) {
  (void)state;
  json_t *count = sloe_json_count(UINT64_MAX);
  assert_true(json_integer_value(count) == INT64_MAX);
  json_decref(count);
}

static void json_that_could_not_be_built_is_out_of_memory(void **state) {
  (void)state;
  sloe_error err;
  char *text = (char *)"";
  sloe_json json = sloe_json_new();
  sloe_json_set(&json, "key", NULL);
  json_t *document = sloe_json_take(&json);
  assert_null(document);
  assert_refused(sloe_json_finish(document, &text, &err), SLOE_NOMEM, err, "out of memory");
  assert_null(text);
  assert_null(sloe_json_append(NULL, json_null()));
}

static void formats_are_read_by_name(void **state) {
  (void)state;
  sloe_format format;
  sloe_error err;
  assert_ok(sloe_format_parse("csv", &format, &err), err);
  assert_int_equal(format, SLOE_FORMAT_CSV);
  assert_refused(sloe_format_parse("CSV", &format, &err), SLOE_USAGE, err, "table, json, csv");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_keep_three_significant_digits),
      cmocka_unit_test(counts_are_written_in_groups),
      cmocka_unit_test(shapes_say_what_is_not_known),
      cmocka_unit_test(names_lose_control_characters_and_broken_utf8),
      cmocka_unit_test(tables_align_columns_and_end_lines_without_blanks),
      cmocka_unit_test(narrow_tables_cut_names_in_the_middle_then_drop_columns),
      cmocka_unit_test(wide_output_cuts_nothing),
      cmocka_unit_test(bars_are_drawn_in_eighths_or_in_ascii),
      cmocka_unit_test(a_table_without_memory_fails_the_text),
      cmocka_unit_test(csv_quotes_what_needs_it_and_leaves_unknown_empty),
      cmocka_unit_test(json_reads_back_as_it_was_written),
      cmocka_unit_test(json_of_what_is_unknown_is_null),
      cmocka_unit_test(json_names_that_are_no_utf8_become_valid),
      cmocka_unit_test(json_counts_saturate),
      cmocka_unit_test(json_that_could_not_be_built_is_out_of_memory),
      cmocka_unit_test(formats_are_read_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
