/* Whole files: merging one into another, and writing a measurement table. */
#include <sqlite3.h>

#include "base/gzip.h"
#include "unit/store_files.h"

/* ---- merging ---- */

static void make_store(const char *name, int first, int n) {
  sloe_error err;
  sloe_store *store = store_open(name, SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  for (int i = first; i < first + n; i++) {
    const int64_t id = store_point(store, &visit, i);
    store_sample(store, &visit, id, (uint64_t)(1000 * i), &DONE);
    assert_ok(sloe_store_put_choice(store, &visit, id, "", "algo", &err), err);
    assert_ok(sloe_store_set_column(store, id, "note", "x", &err), err);
  }
  sloe_store_close(store);
}

static sloe_store_info merge(sloe_store *store, const char *name) {
  sloe_store_info added;
  sloe_error err;
  assert_ok(sloe_store_merge(store, store_path(name), &added, &err), err);
  return added;
}

static void merging_adds_what_is_not_there_and_twice_adds_nothing(void **state) {
  (void)state;
  make_store("a.db", 1, 3);
  make_store("b.db", 3, 4); /* point 3 is in both, measured in two visits */
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_info added = merge(store, "b.db");
  assert_int_equal(added.campaigns, 0);
  assert_int_equal(added.visits, 1);
  assert_int_equal(added.points, 3);
  assert_int_equal(added.samples, 4);
  assert_int_equal(added.choices, 4);
  assert_int_equal(added.in_state[SLOE_STORE_DONE], 3);
  char *table = store_table(store, NULL);
  for (int again = 0; again < 2; again++) {
    added = merge(store, "b.db");
    assert_int_equal(added.visits + added.points + added.samples + added.runs + added.choices, 0);
    added = merge(store, "a.db"); /* with itself */
    assert_int_equal(added.visits + added.points + added.samples + added.runs + added.choices, 0);
  }
  char *same = store_table(store, NULL);
  assert_string_equal(table, same);
  store_assert_sound(store);
  sloe_dealloc(table);
  sloe_dealloc(same);
  sloe_store_close(store);
}

static void merging_both_ways_gives_the_same(void **state) {
  (void)state;
  make_store("a.db", 1, 2);
  make_store("b.db", 2, 2);
  sloe_store *a = store_open("a.db", SLOE_STORE_WRITE), *b = store_open("b.db", SLOE_STORE_WRITE);
  merge(a, "b.db");
  merge(b, "a.db");
  sloe_store_info in_a = store_info(a), in_b = store_info(b);
  assert_memory_equal(&in_a, &in_b, sizeof in_a);
  assert_int_equal(in_a.samples, 4);
  sloe_store_close(a);
  sloe_store_close(b);
}

static void an_empty_store_takes_all_of_another(void **state) {
  (void)state;
  make_store("b.db", 1, 3);
  sloe_store *a = store_open("a.db", SLOE_STORE_WRITE), *b = store_open("b.db", SLOE_STORE_READ);
  merge(a, "b.db");
  char *of_a = store_table(a, NULL), *of_b = store_table(b, NULL);
  assert_string_equal(of_a, of_b);
  assert_non_null(strstr(of_a, "conv,c=3,h=8"));
  sloe_store *empty = store_open("c.db", SLOE_STORE_WRITE);
  sloe_store_info added = merge(a, "c.db");
  assert_int_equal(added.points, 0);
  sloe_dealloc(of_a);
  sloe_dealloc(of_b);
  sloe_store_close(a);
  sloe_store_close(b);
  sloe_store_close(empty);
}

static void the_state_of_which_more_is_known_stays(void **state) {
  (void)state;
  const sloe_store_outcome failed = {SLOE_STORE_FAILED, SLOE_STORE_QUALITY_UNKNOWN, "hung"};
  const sloe_store_outcome skipped = {SLOE_STORE_SKIPPED, SLOE_STORE_QUALITY_UNKNOWN, "big"};
  const sloe_store_outcome *const outcomes[] = {NULL, &failed, &skipped, &DONE};
  sloe_error err;
  sloe_store *stores[2] = {store_open("a.db", SLOE_STORE_WRITE),
                           store_open("b.db", SLOE_STORE_WRITE)};
  for (int s = 0; s < 2; s++) {
    sloe_store_visit visit = store_begin(stores[s]);
    for (int i = 0; i < 16; i++) {
      const sloe_store_outcome *o = outcomes[s ? i % 4 : i / 4];
      int64_t id = store_point(stores[s], &visit, i);
      if (o) assert_ok(sloe_store_finish_point(stores[s], id, o, &err), err);
    }
  }
  merge(stores[0], "b.db");
  sloe_store_info info = store_info(stores[0]);
  assert_int_equal(info.points, 16);
  assert_int_equal(info.in_state[SLOE_STORE_OPEN], 1);
  assert_int_equal(info.in_state[SLOE_STORE_FAILED], 3);
  assert_int_equal(info.in_state[SLOE_STORE_SKIPPED], 5);
  assert_int_equal(info.in_state[SLOE_STORE_DONE], 7);
  sloe_store_close(stores[0]);
  sloe_store_close(stores[1]);
}

static void other_identities_and_other_samples_are_refused_whole(void **state) {
  (void)state;
  sloe_error err;
  sloe_store_info added;
  sloe_store_visit visit;
  make_store("a.db", 1, 3);
  sloe_store *other = store_open("b.db", SLOE_STORE_WRITE);
  sloe_store_identity identity = TOY;
  identity.version = "2.0";
  assert_ok(sloe_store_begin(other, &PLAN, &identity, NULL, 0, &visit, &err), err);
  store_point(other, &visit, 9);
  sloe_store_close(other);
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  assert_refused(sloe_store_merge(store, store_path("b.db"), &added, &err), SLOE_USAGE, err,
                 "version '1.0'; those of '2.0'");
  assert_int_equal(added.points, 0);

  sloe_store *copy = store_open("c.db", SLOE_STORE_WRITE);
  merge(copy, "a.db");
  visit = store_begin(copy);
  store_point(copy, &visit, 77);
  sloe_store_close(copy);
  sqlite3 *db;
  assert_int_equal(sqlite3_open(store_path("c.db"), &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "UPDATE sample SET median_ns = 1 WHERE id = 2", 0, 0, 0), 0);
  sqlite3_close(db);
  assert_refused(sloe_store_merge(store, store_path("c.db"), &added, &err), SLOE_FORMAT, err,
                 "conv c=2 h=8 (visit");
  assert_refused(sloe_store_merge(store, store_path("none.db"), &added, &err), SLOE_NOTFOUND, err,
                 "none.db");
  assert_int_equal(store_info(store).points, 3);
  assert_int_equal(store_info(store).visits, 1);
  assert_int_equal(merge(store, "a.db").points, 0); /* and it can still merge */
  sloe_store_close(store);
}

/* ---- the table ---- */

static void put_network(sloe_store *store, const sloe_store_visit *visit) {
  const sloe_store_point point = {
      .kind = SLOE_STORE_NETWORK, .key = "zoo:vgg,depth=19", .space = "nis", .split = "test"};
  const sloe_store_metric metric = {"power_idle_w", 2.5};
  sloe_store_sample sample = sloe_store_sample_none();
  int64_t id;
  sloe_error err;
  assert_ok(sloe_store_add_points(store, visit->campaign, &point, 1, &id, &err), err);
  sample.runs_ns = (const uint64_t[]){2221000, 2221000, 2221000};
  sample.n_runs = 3;
  sample.ref_before_ns = 1000000;
  sample.ref_after_ns = 1500000;
  sample.power_w = 4.5;
  sample.power_rail = "gpu";
  sample.memory_mb = 0.1;
  sample.memory_kind = "device";
  sample.quality = SLOE_STORE_QUALITY_OK;
  sample.clock = "base, \"cool\"";
  sample.taken_ms = 5;
  sample.metrics = &metric;
  sample.n_metrics = 1;
  assert_ok(sloe_store_add_samples(store, visit, id, &sample, 1, &DONE, &err), err);
}

static const char HEADER[] =
    "net,device,runtime,version,precision,mode,batch,threads,latency_ms,latency_min_ms,"
    "latency_mean_ms,p75,p97_5,host_ms,sum_of_layers_ms,ref_ms,power_w,power_rail,energy_mj,"
    "memory_mb,memory_kind,quality,space,split,kind,state,reason,runs,clock,taken_ms";

static void a_table_has_the_columns_of_the_contract_and_the_further_ones(void **state) {
  (void)state;
  const sloe_store_outcome skipped = {SLOE_STORE_SKIPPED, SLOE_STORE_QUALITY_UNKNOWN, "too big"};
  sloe_error err;
  sloe_text want = {0};
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  put_network(store, &visit);
  int64_t id = store_point(store, &visit, 4);
  assert_ok(sloe_store_finish_point(store, id, &skipped, &err), err);
  assert_ok(sloe_store_set_column(store, id, "board", "old", &err), err);
  assert_ok(sloe_store_set_column(store, id, "board", "b 7", &err), err);
  store_point(store, &visit, 5); /* open: not in the table */
  sloe_text_addf(&want,
                 "%s,board,power_idle_w\n"
                 "\"zoo:vgg,depth=19\",toy,sim,1.0,fp32,,1,2,2.221,2.221,2.221,2.221,2.221,,,1.25,"
                 "4.5,gpu,,0.1,device,ok,nis,test,network,done,,3,\"base, \"\"cool\"\"\",5,,2.5\n"
                 "\"zoo:layer,op=conv,c=4,h=8\",toy,sim,1.0,fp32,,1,2,,,,,,,,,,,,,,skipped,,,layer,"
                 "skipped,too big,,,,b 7,\n",
                 HEADER);
  char *table = store_table(store, NULL);
  assert_string_equal(table, want.data);
  sloe_dealloc(table);
  sloe_text_fini(&want);
  sloe_store_close(store);
}

static void several_columns_are_set_at_once_or_none(void **state) {
  const sloe_store_pair good[] = {{"depth", "18"}, {"width", "1"}},
                        bad[] = {{"more", "1"}, {"net", "x"}};
  sloe_error err;
  (void)state;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  const int64_t id = store_point(store, &visit, 4);
  store_sample(store, &visit, id, 1000, &DONE);
  assert_ok(sloe_store_set_columns(store, id, good, 2, &err), err);
  assert_refused(sloe_store_set_columns(store, id, bad, 2, &err), SLOE_USAGE, err, "'net'");
  assert_refused(sloe_store_set_columns(store, id + 1, good, 2, &err), SLOE_NOTFOUND, err, "point");
  char *table = store_table(store, NULL);
  assert_non_null(strstr(table, ",depth,width\n"));
  assert_non_null(strstr(table, ",18,1\n"));
  sloe_dealloc(table);
  sloe_store_close(store);
}

static sloe_status put_quality(sloe_store *store, const sloe_store_visit *visit, int64_t id,
                               double ms, int64_t taken_ms, sloe_store_quality quality) {
  sloe_store_sample sample = sloe_store_sample_none();
  sample.median_ns = ms * 1e6;
  sample.taken_ms = taken_ms;
  sample.quality = quality;
  return sloe_store_add_samples(store, visit, id, &sample, 1, NULL, NULL);
}

/* Column `name` of each row, joined. */
static char *column_of(const char *table, const char *name) {
  text_source source = text_source_of(table, 0);
  sloe_csv_reader *r;
  sloe_error err;
  sloe_text out = {0};
  char *joined;
  int more;
  assert_ok(sloe_csv_reader_open((sloe_csv_source){&source, text_source_read}, &r, &err), err);
  int i = sloe_csv_reader_find(r, name);
  assert_true(i >= 0);
  while (sloe_csv_reader_next(r, &more, &err) == SLOE_OK && more)
    sloe_text_addf(&out, "%s;", sloe_csv_reader_field(r, (size_t)i));
  sloe_csv_reader_close(r);
  assert_ok(sloe_text_take(&out, &joined, &err), err);
  return joined;
}

static void assert_column(sloe_store *store, const sloe_store_export *options, const char *name,
                          const char *want) {
  char *table = store_table(store, options), *got = column_of(table, name);
  assert_string_equal(got, want);
  sloe_dealloc(table);
  sloe_dealloc(got);
}

static void a_row_is_the_first_good_sample_or_else_the_last(void **state) {
  (void)state;
  const sloe_store_export each = {.each_sample = 1, .with_open = 1}, open = {.with_open = 1};
  const sloe_store_export references = {.kinds = 1u << SLOE_STORE_REFERENCE, .with_open = 1};
  const sloe_store_quality ok = SLOE_STORE_QUALITY_OK, noisy = SLOE_STORE_QUALITY_NOISY;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  int64_t first = store_point(store, &visit, 1), second = store_point(store, &visit, 2);
  assert_int_equal(put_quality(store, &visit, first, 1, 10, noisy), SLOE_OK);
  assert_int_equal(put_quality(store, &visit, first, 2, 30, ok), SLOE_OK);
  assert_int_equal(put_quality(store, &visit, first, 3, 20, ok), SLOE_OK);
  assert_int_equal(put_quality(store, &visit, second, 4, 40, noisy), SLOE_OK);
  assert_int_equal(put_quality(store, &visit, second, 5, 50, noisy), SLOE_OK);
  assert_column(store, &open, "latency_ms", "3;5;");
  assert_column(store, &open, "state", "open;open;");
  assert_column(store, &each, "latency_ms", "1;3;2;4;5;");
  assert_column(store, &each, "sample", "1;3;2;1;2;");
  assert_column(store, &each, "quality", "noisy;ok;ok;noisy;noisy;");
  assert_column(store, NULL, "net", "");
  assert_column(store, &references, "net", "");
  sloe_store_close(store);
}

static void every_run_is_listed_by_choice(void **state) {
  (void)state;
  const sloe_store_export runs = {.runs = 1}, each = {.runs = 1, .each_sample = 1};
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  int64_t id = store_point(store, &visit, 1);
  store_sample(store, &visit, id, 100, NULL);
  store_sample(store, &visit, id, 200, &DONE);
  assert_column(store, &runs, "runs_ns", "140 100 110 130 120;");
  assert_column(store, &each, "runs_ns", "140 100 110 130 120;240 200 210 230 220;");
  assert_column(store, &each, "sample", "1;2;");
  id = store_point(store, &visit, 2);
  const sloe_store_outcome skipped = {SLOE_STORE_SKIPPED, SLOE_STORE_QUALITY_UNKNOWN, "too large"};
  sloe_error err;
  assert_ok(sloe_store_finish_point(store, id, &skipped, &err), err);
  assert_column(store, &runs, "runs_ns", "140 100 110 130 120;;");
  assert_refused(sloe_store_set_column(store, id, "runs_ns", "1", &err), SLOE_USAGE, err,
                 "runs_ns");
  sloe_store_close(store);
}

static char *read_whole(const char *path) {
  sloe_gzip_reader *r;
  sloe_error err;
  sloe_text text = {0};
  char buf[1000];
  size_t got = 1;
  assert_ok(sloe_gzip_open(path, 1 << 20, &r, &err), err);
  while (got) {
    assert_ok(sloe_gzip_read(r, buf, sizeof buf, &got, &err), err);
    sloe_text_addn(&text, buf, got);
  }
  sloe_gzip_close(r);
  return text.data;
}

/* Of the visit of the row's sample; a table that is no recording has none. */
static void a_recording_has_the_environment(void **state) {
  (void)state;
  sloe_error err;
  make_store("a.db", 1, 1);
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  const sloe_store_visit visit = store_begin(store);
  const sloe_store_outcome skipped = {SLOE_STORE_SKIPPED, SLOE_STORE_QUALITY_SKIPPED, "too large"};
  const int64_t id = store_point(store, &visit, 9);
  assert_ok(sloe_store_finish_point(store, id, &skipped, &err), err);
  const sloe_store_export runs = {.runs = 1};
  assert_column(store, &runs, "env.governor", "performance;;");
  assert_column(store, &runs, "env.cpu", "a toy;;");
  sloe_text out = {0};
  assert_ok(sloe_store_export_to(store, NULL, (sloe_csv_sink){&out, text_sink_write}, &err), err);
  assert_null(strstr(out.data, "env."));
  sloe_text_fini(&out);
  assert_refused(sloe_store_set_column(store, id, "env.cpu", "1", &err), SLOE_USAGE, err,
                 "env.cpu");
  sloe_store_close(store);
}

static void a_file_has_the_same_table_compressed_or_not(void **state) {
  (void)state;
  sloe_error err;
  make_store("a.db", 1, 30);
  sloe_store *store = store_open("a.db", SLOE_STORE_READ);
  char *table = store_table(store, NULL);
  static const char *const names[] = {"t.csv", "t.csv.gz"};
  struct stat st[2];
  for (int i = 0; i < 2; i++) {
    assert_ok(sloe_store_export_file(store, NULL, store_path(names[i]), &err), err);
    char *back = read_whole(store_path(names[i]));
    assert_string_equal(back, table);
    sloe_dealloc(back);
    assert_int_equal(stat(store_path(names[i]), &st[i]), 0);
  }
  assert_true(st[1].st_size * 3 < st[0].st_size);
  sloe_dealloc(table);
  sloe_store_close(store);
}

static sloe_status full(void *context, const void *data, size_t len, sloe_error *err) {
  (void)context, (void)data, (void)len;
  return sloe_fail(err, SLOE_IO, "no room");
}

static void an_export_that_fails_leaves_the_store_usable(void **state) {
  (void)state;
  sloe_error err;
  sloe_store *empty = store_open("b.db", SLOE_STORE_WRITE);
  assert_refused(sloe_store_export_file(empty, NULL, store_path("t.csv"), &err), SLOE_NOTFOUND, err,
                 "nothing was measured");
  assert_int_not_equal(access(store_path("t.csv"), F_OK), 0);
  sloe_store_close(empty);
  make_store("a.db", 1, 3);
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  assert_refused(sloe_store_export_to(store, NULL, (sloe_csv_sink){NULL, full}, &err), SLOE_IO, err,
                 "no room");
  assert_refused(sloe_store_export_file(store, NULL, store_path("no/t.csv"), &err), SLOE_NOTFOUND,
                 err, "no/t.csv");
  sloe_store_visit visit = store_begin(store);
  store_sample(store, &visit, store_point(store, &visit, 9), 5, &DONE);
  sloe_store_close(store);
}

static void a_column_that_clashes_with_the_contract_is_refused(void **state) {
  (void)state;
  sloe_error err;
  sqlite3 *db;
  make_store("a.db", 1, 1);
  assert_int_equal(sqlite3_open(store_path("a.db"), &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "INSERT INTO point_column VALUES (1, 'net', '')", 0, 0, 0), 0);
  sqlite3_close(db);
  sloe_store *store = store_open("a.db", SLOE_STORE_READ);
  sloe_text out = {0};
  assert_refused(sloe_store_export_to(store, NULL, (sloe_csv_sink){&out, text_sink_write}, &err),
                 SLOE_FORMAT, err, "'net'");
  sloe_text_fini(&out);
  sloe_store_close(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, store_empty_folder)
      TEST(merging_adds_what_is_not_there_and_twice_adds_nothing),
      TEST(merging_both_ways_gives_the_same),
      TEST(an_empty_store_takes_all_of_another),
      TEST(the_state_of_which_more_is_known_stays),
      TEST(other_identities_and_other_samples_are_refused_whole),
      TEST(a_table_has_the_columns_of_the_contract_and_the_further_ones),
      TEST(several_columns_are_set_at_once_or_none),
      TEST(a_row_is_the_first_good_sample_or_else_the_last),
      TEST(every_run_is_listed_by_choice),
      TEST(a_recording_has_the_environment),
      TEST(a_file_has_the_same_table_compressed_or_not),
      TEST(an_export_that_fails_leaves_the_store_usable),
      TEST(a_column_that_clashes_with_the_contract_is_refused),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
