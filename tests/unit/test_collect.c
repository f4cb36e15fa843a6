/* Collections of whole networks on the simulated device: each measured once, one in twenty twice,
 * whatever comes between. */
#include "campaign/bench.h"
#include "campaign/campaign.h"
#include "net/net.h"
#include "unit/device_files.h"
#include "unit/store_files.h"

#define QUIET "sim:noise=0"

static sloe_collect_options options_of(const char *plan, size_t count, const char *backend) {
  return (sloe_collect_options){
      .plan = plan, .count = count, .backend = backend, .db = store_path("c.db")};
}

static sloe_collect_summary collect(const sloe_collect_options *options) {
  sloe_collect_summary summary;
  sloe_error err;
  assert_ok(sloe_collect(options, NULL, &summary, &err), err);
  return summary;
}

static sloe_collect_summary collect_some(const char *plan, size_t count, const char *backend) {
  const sloe_collect_options options = options_of(plan, count, backend);
  return collect(&options);
}

static sloe_db_info info_of(const char *name) {
  sloe_db_info info;
  sloe_error err;
  assert_ok(sloe_db_get_info(store_path(name), &info, &err), err);
  return info;
}

/* As text; freed with sloe_text_free. */
static char *table_of(const char *name, int samples) {
  const sloe_db_export_options options = {.db = store_path(name), .samples = samples};
  char *text;
  sloe_error err;
  assert_ok(sloe_db_export(&options, &text, &err), err);
  return text;
}

/* The value of `column` in each row, under the net. */
typedef struct column_of {
  const char *name;
  void (*take)(const char *net, const char *value, void *context);
  void *context;
} column_of;

static size_t each_value(const char *table, const column_of *column) {
  text_source source = text_source_of(table, 0);
  sloe_csv_reader *r;
  sloe_error err;
  size_t n = 0;
  assert_ok(sloe_csv_reader_open((sloe_csv_source){&source, text_source_read}, &r, &err), err);
  const int net = sloe_csv_reader_find(r, "net"), at = sloe_csv_reader_find(r, column->name);
  if (net < 0 || at < 0) fail_msg("no column %s", column->name);
  for (int more;; n++) {
    assert_ok(sloe_csv_reader_next(r, &more, &err), err);
    if (!more) break;
    column->take(sloe_csv_reader_field(r, (size_t)net), sloe_csv_reader_field(r, (size_t)at),
                 column->context);
  }
  sloe_csv_reader_close(r);
  return n;
}

/* ---- what is stored ---- */

static void every_network_of_a_plan_is_measured_once(void **state) {
  (void)state;
  const sloe_collect_summary s = collect_some("nca", 60, QUIET);
  assert_true(s.complete && s.networks == 60 && s.for_test == 60);
  assert_true(s.to_repeat > 0 && s.repeated == s.to_repeat);
  assert_int_equal(s.measured, 60 + s.to_repeat);
  assert_int_equal(s.reused, 0);
  assert_int_equal(info_of("c.db").done, 60);
  assert_int_equal(info_of("c.db").samples, s.measured);
  const sloe_collect_summary again = collect_some("nca", 60, QUIET);
  assert_true(again.complete && again.measured == 0 && again.reused == 60);
  assert_int_equal(again.repeated, s.repeated);
  assert_int_equal(info_of("c.db").samples, s.measured);
}

static void check_feature(const char *net_text, const char *value, void *context) {
  const char *name = context;
  sloe_net *net;
  sloe_error err;
  assert_ok(sloe_net_open(net_text, NULL, &net, &err), err);
  const sloe_net_info *info = sloe_net_get_info(net);
  for (size_t i = 0; i < info->n_features; i++)
    if (!strcmp(info->features[i].name, name) && strtod(value, NULL) != info->features[i].value)
      fail_msg("%s: %s is %s, not %g", net_text, name, value, info->features[i].value);
  sloe_net_free(net);
}

static void a_row_has_the_features_of_its_network(void **state) {
  static const char *const names[] = {"input_height", "conv_layers", "filters_mean",    "params",
                                      "flops",        "activations", "weighted_neurons"};
  (void)state;
  collect_some("ncv", 20, QUIET);
  char *table = table_of("c.db", 0);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    assert_int_equal(each_value(table, &(column_of){names[i], check_feature, (void *)names[i]}),
                     20);
  sloe_text_free(table);
}

static void check_given(const char *net, const char *value, void *context) {
  (void)context;
  if (!*value) fail_msg("%s", net);
}

static void a_row_has_all_three_metrics(void **state) {
  static const char *const names[] = {
      "device",  "precision", "latency_ms", "latency_mean_ms", "p75",       "p97_5",
      "power_w", "ref_ms",    "power_rail", "energy_mj",       "memory_mb", "memory_kind",
      "quality", "space",     "split",      "family",          "variant",   "runs"};
  (void)state;
  collect_some("nca", 5, "sim:noise=0.01,power=7");
  char *table = table_of("c.db", 0);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    assert_int_equal(each_value(table, &(column_of){names[i], check_given, NULL}), 5);
  sloe_text_free(table);
}

static void sum_runs(const char *net, const char *value, void *context) {
  (void)net;
  *(double *)context += strtod(value, NULL);
}

static void a_network_has_a_hundred_runs(void **state) {
  double runs = 0;
  (void)state;
  collect_some("nca", 5, "sim");
  char *table = table_of("c.db", 0);
  each_value(table, &(column_of){"runs", sum_runs, &runs});
  assert_true(runs == 500);
  sloe_text_free(table);
}

static void runs_and_seconds_can_be_fewer(void **state) {
  double runs = 0;
  sloe_collect_options options = options_of("nca", 5, "sim");
  (void)state;
  options.runs = 20;
  collect(&options);
  char *table = table_of("c.db", 0);
  each_value(table, &(column_of){"runs", sum_runs, &runs});
  assert_true(runs == 100);
  sloe_text_free(table);
  store_empty_folder(NULL);
  options.seconds = 1e-6;
  collect(&options);
  table = table_of("c.db", 0);
  runs = 0;
  each_value(table, &(column_of){"runs", sum_runs, &runs});
  assert_true(runs == 25);
  sloe_text_free(table);
}

/* ---- marks ---- */

typedef struct marks {
  size_t is_short, large, other;
} marks;

static void count_mark(const char *net, const char *value, void *context) {
  marks *m = context;
  (void)net;
  if (!strcmp(value, "short"))
    m->is_short++;
  else if (!strncmp(value, "too large: ", 11))
    m->large++;
  else if (*value)
    m->other++;
}

static marks marks_of(const char *name) {
  marks m = {0};
  char *table = table_of(name, 0);
  each_value(table, &(column_of){"reason", count_mark, &m});
  sloe_text_free(table);
  return m;
}

static void a_network_below_one_ms_is_kept_and_marked(void **state) {
  (void)state;
  const sloe_collect_summary s = collect_some("nca", 30, "sim:ns_per_mac=0.0005,ns_per_byte=0.01");
  assert_true(s.is_short > 5 && s.is_short < 30 && s.skipped == 0);
  assert_int_equal(marks_of("c.db").is_short, s.is_short);
  assert_int_equal(info_of("c.db").done, 30);
  const sloe_collect_summary again =
      collect_some("nca", 30, "sim:ns_per_mac=0.0005,ns_per_byte=0.01");
  assert_int_equal(again.is_short, s.is_short); /* from the store */
}

static void a_network_of_too_much_work_is_skipped_on_a_cpu(void **state) {
  (void)state;
  const sloe_collect_summary s = collect_some("nis", 40, QUIET);
  assert_true(s.complete && s.skipped > 0 && s.skipped < 40);
  assert_int_equal(info_of("c.db").skipped, s.skipped);
  assert_int_equal(marks_of("c.db").large, s.skipped);
  const sloe_collect_summary again = collect_some("nis", 40, QUIET);
  assert_true(again.measured == 0 && again.skipped == s.skipped);
}

static void on_a_gpu_nothing_is_too_much(void **state) {
  (void)state;
  const char *gpu = "sim:runtime=cudnn,memory_mb=100000";
  assert_int_equal(collect_some("nis", 40, gpu).skipped, 0);
  sloe_collect_options options = options_of("nis", 40, gpu);
  options.seed = 2;
  options.max_gflop = 10;
  assert_true(collect(&options).skipped > 0);
}

static void a_network_that_does_not_fit_is_skipped_with_the_reason(void **state) {
  (void)state;
  const sloe_collect_summary s = collect_some("nis", 30, "sim:noise=0,memory_mb=100");
  const marks m = marks_of("c.db");
  assert_true(m.other > 0 && m.other + m.large == s.skipped);
  char *table = table_of("c.db", 0);
  assert_non_null(strstr(table, "do not fit into 100 MB"));
  sloe_text_free(table);
}

static void a_net_of_a_table_that_cannot_be_opened_is_skipped(void **state) {
  (void)state;
  FILE *file = fopen(store_path("nets.csv"), "w");
  assert_non_null(file);
  fputs("net,space,split\n\"zoo:resnet,depth=18\",mine,train\nnowhere.onnx,mine,test\n", file);
  fclose(file);
  const sloe_collect_summary s = collect_some(store_path("nets.csv"), 0, QUIET);
  assert_true(s.complete && s.networks == 2 && s.skipped == 1);
  char *table = table_of("c.db", 0);
  assert_non_null(strstr(table, ",mine,train,network,done"));
  assert_non_null(strstr(table, ",mine,test,network,skipped"));
  sloe_text_free(table);
}

/* ---- in several visits ---- */

static int count_down(void *context) {
  return --*(int *)context < 0;
}

static void a_stopped_collection_goes_on(void **state) {
  int left = 12;
  const sloe_watch watch = {.stop = count_down, .context = &left};
  const sloe_collect_options options = options_of("nca", 30, QUIET);
  sloe_collect_summary s;
  sloe_error err;
  (void)state;
  assert_refused(sloe_collect(&options, &watch, &s, &err), SLOE_STOPPED, err, "stopped");
  assert_int_equal(info_of("c.db").done, 12);
  assert_int_equal(info_of("c.db").open, 18);
  s = collect(&options);
  assert_true(s.complete && s.reused == 12);
  assert_int_equal(info_of("c.db").done, 30);
  assert_int_equal(info_of("c.db").samples, 30 + s.repeated);
}

static void a_budget_that_is_spent_leaves_the_rest_open(void **state) {
  sloe_collect_options options = options_of("nca", 30, QUIET);
  (void)state;
  options.budget_s = 1e-9;
  sloe_collect_summary s = collect(&options);
  assert_true(!s.complete && s.measured == 0);
  assert_int_equal(info_of("c.db").open, 30);
  options.budget_s = 0;
  assert_true(collect(&options).complete);
}

typedef struct visits {
  const char *first[64], *net[64];
  size_t n, other;
} visits;

static void note_visit(const char *net, const char *value, void *context) {
  visits *v = context;
  for (size_t i = 0; i < v->n; i++) {
    if (strcmp(v->net[i], net)) continue;
    v->other += strcmp(v->first[i], value) != 0;
    return;
  }
  assert_true(v->n < 64);
  v->net[v->n] = strdup(net);
  v->first[v->n++] = strdup(value);
}

/* A plan of 60 repeats some of its first 40; the second visit takes those before anything else. */
static void second_takes_are_of_a_later_visit_where_there_is_one(void **state) {
  int left = 40;
  const sloe_watch watch = {.stop = count_down, .context = &left};
  const sloe_collect_options options = options_of("nca", 60, QUIET);
  sloe_collect_summary s;
  sloe_error err;
  visits v = {.n = 0};
  (void)state;
  assert_refused(sloe_collect(&options, &watch, &s, &err), SLOE_STOPPED, err, "stopped");
  s = collect(&options);
  char *table = table_of("c.db", 1);
  each_value(table, &(column_of){"visit", note_visit, &v});
  sloe_text_free(table);
  assert_int_equal(v.n, 60);
  assert_true(v.other > 0 && v.other <= s.repeated);
  for (size_t i = 0; i < v.n; i++) {
    free((void *)v.net[i]);
    free((void *)v.first[i]);
  }
}

static void the_noise_is_that_between_first_and_second_takes(void **state) {
  (void)state;
  sloe_collect_summary s = collect_some("nca", 60, "sim:noise=0,power=5");
  assert_true(s.latency_noise == 0 && s.power_noise < 1 && s.memory_noise == 0);
  store_empty_folder(NULL);
  s = collect_some("nca", 60, "sim:noise=0.02");
  assert_true(s.latency_noise > 0 && s.latency_noise < 5 && isnan(s.power_noise));
  char *table = table_of("c.db", 0);
  assert_non_null(strstr(table, "latency_again_ms"));
  sloe_text_free(table);
}

static void what_scatters_is_taken_once_more_and_says_nothing_of_the_noise(void **state) {
  (void)state;
  const sloe_collect_options options = options_of("nca", 10, "sim:noise=0.3");
  const sloe_collect_summary s = collect(&options);
  assert_int_equal(s.measured, 20);
  assert_int_equal(s.repeated, 0);
  assert_true(isnan(s.latency_noise));
  assert_int_equal(info_of("c.db").samples, 20);
  char *table = table_of("c.db", 0);
  assert_null(strstr(table, "latency_again_ms"));
  sloe_text_free(table);
  assert_int_equal(collect(&options).measured, 0);
}

/* ---- shares ---- */

static int by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The rows without the time of day, sorted. */
static char *sorted_rows(const char *name) {
  char *table = table_of(name, 0), *lines[200];
  size_t n = 0;
  for (char *line = strtok(table, "\n"); line && n < 200; line = strtok(NULL, "\n"))
    lines[n++] = line;
  qsort(lines, n, sizeof *lines, by_text);
  sloe_text out = {0};
  for (size_t i = 0; i < n; i++) {
    char *day = strstr(lines[i], ",,5,,"); /* reason, runs, clock, taken_ms */
    if (day) memset(day + 5, 'x', strcspn(day + 5, ","));
    sloe_text_addf(&out, "%s\n", lines[i]);
  }
  sloe_text_free(table);
  assert_false(out.failed);
  return out.data;
}

static void shares_that_are_merged_are_the_whole(void **state) {
  static const char *const names[] = {"s1.db", "s2.db", "s3.db"};
  const char *from[3];
  char paths[3][600];
  int64_t added;
  sloe_error err;
  (void)state;
  const sloe_collect_summary whole = collect_some("nca", 50, QUIET);
  for (size_t i = 0; i < 3; i++) {
    sloe_collect_options options = options_of("nca", 50, QUIET);
    options.db = store_path(names[i]);
    options.share = i + 1;
    options.shares = 3;
    assert_true(collect(&options).complete);
    snprintf(paths[i], sizeof paths[i], "%s", options.db);
    from[i] = paths[i];
  }
  assert_ok(sloe_db_merge(store_path("all.db"), from, 3, &added, &err), err);
  assert_int_equal(added, whole.measured);
  char *a = sorted_rows("c.db"), *b = sorted_rows("all.db");
  assert_string_equal(a, b);
  sloe_dealloc(a);
  sloe_dealloc(b);
}

/* ---- devices that fail ---- */

static void what_the_device_died_under_is_tried_once_more(void **state) {
  static const char *const faults[] = {"fail_after=100", "hang_after=100", "lie_after=100"};
  (void)state;
  for (int k = 0; k < 3; k++) {
    char backend[64];
    sloe_collect_summary s;
    sloe_error err;
    snprintf(backend, sizeof backend, "sim:noise=0,%s", faults[k]);
    const sloe_collect_options options = options_of("nca", 10, backend);
    assert_refused(sloe_collect(&options, NULL, &s, &err), SLOE_DEVICE, err, "sim");
    const sloe_db_info before = info_of("c.db");
    assert_true(before.failed == 1 && before.done > 0 && before.done < 10);
    assert_int_equal(s.measured, before.samples);
    /* The counter of runs begins anew: it gets further each time. */
    assert_refused(sloe_collect(&options, NULL, &s, &err), SLOE_DEVICE, err, "sim");
    assert_true(info_of("c.db").done > before.done);
    store_empty_folder(NULL);
  }
}

/* It fails at the first run of each visit: twice at the same network, which is skipped then. */
static void what_kills_the_device_twice_is_left_out(void **state) {
  const sloe_collect_options options = options_of("nca", 3, "sim:fail_after=6");
  sloe_collect_summary s;
  sloe_error err;
  (void)state;
  for (int visit = 0; visit < 6; visit++)
    assert_int_equal(sloe_collect(&options, NULL, &s, &err), SLOE_DEVICE);
  assert_int_equal(info_of("c.db").skipped, 3);
  assert_true(collect(&options).complete);
}

/* ---- the table ---- */

static void a_table_is_written_at_the_end_compressed_by_its_name(void **state) {
  sloe_collect_options options = options_of("nca", 4, QUIET);
  (void)state;
  options.out = store_path("t.csv.gz");
  collect(&options);
  FILE *file = fopen(store_path("t.csv.gz"), "rb");
  assert_non_null(file);
  assert_int_equal(fgetc(file), 0x1f);
  fclose(file);
}

static void a_table_that_cannot_be_written_is_a_failure(void **state) {
  sloe_collect_options options = options_of("nca", 2, QUIET);
  sloe_collect_summary s;
  sloe_error err;
  (void)state;
  options.out = store_path("nowhere/t.csv");
  assert_refused(sloe_collect(&options, NULL, &s, &err), SLOE_NOTFOUND, err, "nowhere");
  assert_int_equal(info_of("c.db").done, 2);
}

static void networks_are_of_the_batch_of_the_backend(void **state) {
  double one = 0, four = 0;
  (void)state;
  collect_some("nca", 3, QUIET);
  char *table = table_of("c.db", 0);
  each_value(table, &(column_of){"macs", sum_runs, &one});
  sloe_text_free(table);
  store_empty_folder(NULL);
  collect_some("nca", 3, "sim:noise=0,batch=4");
  table = table_of("c.db", 0);
  each_value(table, &(column_of){"macs", sum_runs, &four});
  sloe_text_free(table);
  assert_true(four == 4 * one);
}

/* ---- plans ---- */

static void a_plan_says_how_much_and_opens_no_device(void **state) {
  sloe_collect_options options = {.plan = "nis", .plan_only = 1};
  char *text;
  sloe_error err;
  (void)state;
  const sloe_collect_summary s = collect(&options);
  assert_true(s.networks == 1721 && s.for_test > 400 && s.to_repeat > 50 && !s.complete);
  assert_ok(sloe_collect_plan(&options, &text, &err), err);
  size_t lines = 0;
  for (const char *c = text; *c; c++) lines += *c == '\n';
  assert_int_equal(lines, 1722);
  sloe_text_free(text);
}

static void what_is_missing_or_unknown_is_refused(void **state) {
  sloe_collect_options options = {.plan = "nca", .count = 2};
  sloe_collect_summary s;
  sloe_error err;
  char *text = (char *)&s;
  (void)state;
  assert_refused(sloe_collect(&options, NULL, &s, &err), SLOE_USAGE, err, "backend");
  options.plan = "nothing";
  assert_refused(sloe_collect_plan(&options, &text, &err), SLOE_NOTFOUND, err, "nothing");
  assert_null(text);
}

/* Growing steps: there are thousands. Whatever was stored until then is sound. */
static void every_allocation_of_a_collection_may_fail(void **state) {
  sloe_collect_options options = options_of("nca", 1, QUIET);
  (void)state;
  options.sizes = "32";
  for (long n = 0;; n += 1 + n / 8) {
    const long live = sloe_alloc_live();
    sloe_collect_summary s;
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    const sloe_status status = sloe_collect(&options, NULL, &s, &err);
    sloe_alloc_fail_after(-1);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK) break;
    if (status != SLOE_NOMEM) fail_msg("after %ld: %d %s", n, (int)status, err.msg);
    assert_true(*err.msg != 0);
  }
  assert_int_equal(info_of("c.db").done, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_teardown(name, store_empty_folder)
  const struct CMUnitTest tests[] = {
      TEST(every_network_of_a_plan_is_measured_once),
      TEST(a_row_has_the_features_of_its_network),
      TEST(a_row_has_all_three_metrics),
      TEST(a_network_has_a_hundred_runs),
      TEST(runs_and_seconds_can_be_fewer),
      TEST(a_network_below_one_ms_is_kept_and_marked),
      TEST(a_network_of_too_much_work_is_skipped_on_a_cpu),
      TEST(on_a_gpu_nothing_is_too_much),
      TEST(a_network_that_does_not_fit_is_skipped_with_the_reason),
      TEST(a_net_of_a_table_that_cannot_be_opened_is_skipped),
      TEST(a_stopped_collection_goes_on),
      TEST(a_budget_that_is_spent_leaves_the_rest_open),
      TEST(second_takes_are_of_a_later_visit_where_there_is_one),
      TEST(the_noise_is_that_between_first_and_second_takes),
      TEST(what_scatters_is_taken_once_more_and_says_nothing_of_the_noise),
      TEST(shares_that_are_merged_are_the_whole),
      TEST(what_the_device_died_under_is_tried_once_more),
      TEST(what_kills_the_device_twice_is_left_out),
      TEST(a_table_is_written_at_the_end_compressed_by_its_name),
      TEST(a_table_that_cannot_be_written_is_a_failure),
      TEST(networks_are_of_the_batch_of_the_backend),
      TEST(a_plan_says_how_much_and_opens_no_device),
      TEST(every_allocation_of_a_collection_may_fail),
      TEST(what_is_missing_or_unknown_is_refused),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
