/* What `sloe db` does to store files. */
#include "unit.h"

#include "campaign/campaign.h"
#include "unit/store_files.h"

/* A store of two finished layers and an open one. */
static const char *make_store(const char *name, int first) {
  sloe_store *store = store_open(name, SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  store_sample(store, &visit, store_point(store, &visit, first), 1000, &DONE);
  store_sample(store, &visit, store_point(store, &visit, first + 1), 2000, &DONE);
  store_point(store, &visit, first + 2);
  sloe_store_close(store);
  return store_path(name);
}

static size_t lines_of(const char *text) {
  size_t n = 0;
  for (; *text; text++) n += *text == '\n';
  return n;
}

static void an_export_has_a_row_for_each_finished_point(void **state) {
  (void)state;
  static const struct {
    int samples, all;
    size_t lines;
  } rows[] = {{0, 0, 3}, {0, 1, 4}, {1, 0, 3}};
  const char *path = make_store("a.db", 1);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_db_export_options options = {.db = path, .samples = rows[i].samples, .all = rows[i].all};
    sloe_error err;
    char *text;
    assert_ok(sloe_db_export(&options, &text, &err), err);
    assert_int_equal(strncmp(text, "net,", 4), 0);
    assert_int_equal(lines_of(text), rows[i].lines);
    sloe_text_free(text);
  }
}

static void an_export_to_a_file_gives_no_text(void **state) {
  (void)state;
  const char *path = make_store("a.db", 1), *out = store_path("a.csv.gz");
  sloe_db_export_options options = {.db = path, .out = out};
  sloe_error err;
  char *text = (char *)"";
  assert_ok(sloe_db_export(&options, &text, &err), err);
  assert_null(text);
  assert_int_equal(access(out, R_OK), 0);
}

static void a_store_that_is_not_there_is_named(void **state) {
  (void)state;
  sloe_db_export_options options = {.db = store_path("nowhere.db")};
  sloe_error err;
  sloe_db_info info;
  int64_t added = 7;
  char *text = (char *)"";
  assert_refused(sloe_db_export(&options, &text, &err), SLOE_NOTFOUND, err, "nowhere.db");
  assert_null(text);
  assert_refused(sloe_db_get_info(options.db, &info, &err), SLOE_NOTFOUND, err, "nowhere.db");
  assert_int_equal(info.points, 0);
  const char *from[] = {options.db};
  assert_refused(sloe_db_merge(store_path("b.db"), from, 1, &added, &err), SLOE_NOTFOUND, err,
                 "nowhere.db");
  assert_int_equal(added, 0);
}

static void info_counts_and_names_what_is_there(void **state) {
  (void)state;
  sloe_db_info info;
  sloe_error err;
  assert_ok(sloe_db_get_info(make_store("a.db", 1), &info, &err), err);
  assert_string_equal(info.device, "toy");
  assert_string_equal(info.runtime, "sim");
  assert_string_equal(info.precision, "fp32");
  assert_int_equal(info.campaigns, 1);
  assert_int_equal(info.visits, 1);
  assert_int_equal(info.points, 3);
  assert_int_equal(info.done, 2);
  assert_int_equal(info.open, 1);
  assert_int_equal(info.skipped + info.failed, 0);
  assert_int_equal(info.samples, 2);
  assert_int_equal(info.runs, 10);
}

static void info_of_an_empty_store_names_no_device(void **state) {
  (void)state;
  sloe_db_info info;
  sloe_error err;
  sloe_store_close(store_open("empty.db", SLOE_STORE_WRITE));
  assert_ok(sloe_db_get_info(store_path("empty.db"), &info, &err), err);
  assert_string_equal(info.device, "");
  assert_int_equal(info.points, 0);
}

static void merging_adds_the_samples_of_all_and_only_once(void **state) {
  (void)state;
  const char *a = make_store("a.db", 1), *b = make_store("b.db", 10), *from[] = {a, b};
  const char *into = store_path("all.db");
  int64_t added;
  sloe_error err;
  assert_ok(sloe_db_merge(into, from, 2, &added, &err), err);
  assert_int_equal(added, 4);
  assert_ok(sloe_db_merge(into, from, 2, &added, &err), err);
  assert_int_equal(added, 0);
}

static void an_export_without_memory_is_reported(void **state) {
  (void)state;
  sloe_db_export_options options = {.db = make_store("a.db", 1)};
  sloe_status status = SLOE_NOMEM;
  for (long n = 0; status != SLOE_OK; n++) {
    sloe_error err = {0};
    char *text = (char *)"";
    long live = sloe_alloc_live();
    sloe_alloc_fail_after(n);
    status = sloe_db_export(&options, &text, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_OK) {
      sloe_text_free(text);
    } else {
      assert_int_equal(status, SLOE_NOMEM);
      assert_null(text);
      assert_true(*err.msg);
    }
    assert_int_equal(sloe_alloc_live(), live);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, NULL, store_empty_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(an_export_has_a_row_for_each_finished_point),
      TEST(an_export_to_a_file_gives_no_text),
      TEST(a_store_that_is_not_there_is_named),
      TEST(info_counts_and_names_what_is_there),
      TEST(info_of_an_empty_store_names_no_device),
      TEST(merging_adds_the_samples_of_all_and_only_once),
      TEST(an_export_without_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
