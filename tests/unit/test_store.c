/* The store: campaigns resume, points are measured once, samples come back as they were. */
#include "store/store_db.h"
#include "unit/store_files.h"

static void a_campaign_begins_and_goes_on(void **state) {
  (void)state;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit first = store_begin(store);
  assert_int_equal(first.resumed, 0);
  sloe_store_close(store);
  store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit second = store_begin(store);
  assert_int_equal(second.resumed, 1);
  assert_int_equal(second.campaign, first.campaign);
  assert_int_not_equal(second.visit, first.visit);
  sloe_store_campaign other = PLAN;
  sloe_store_visit third;
  sloe_error err;
  other.plan = "b";
  assert_ok(sloe_store_begin(store, &other, &TOY, NULL, 0, &third, &err), err);
  assert_int_equal(third.resumed, 0);
  assert_int_not_equal(third.campaign, first.campaign);
  assert_int_equal(store_info(store).visits, 3);
  assert_int_equal(store_info(store).campaigns, 2);
  sloe_store_close(store);
}

static sloe_status collect_campaign(void *context, const sloe_store_campaign *c, sloe_error *err) {
  (void)err;
  sloe_text_addf(context, "%s/%s/%s/%s;", c->backend, c->plan, c->options, c->tool);
  assert_true(c->created_ms > 1600000000000);
  return SLOE_OK;
}

static sloe_status collect_pair(void *context, const sloe_store_pair *pair, sloe_error *err) {
  (void)err;
  sloe_text_addf(context, "%s=%s;", pair->key, pair->value);
  return SLOE_OK;
}

static void what_was_said_of_campaign_and_visit_is_kept(void **state) {
  (void)state;
  sloe_text text = {0};
  sloe_error err;
  sloe_store_identity identity;
  int found;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  assert_ok(sloe_store_get_identity(store, &identity, &found, &err), err);
  assert_int_equal(found, 0);
  sloe_store_visit visit = store_begin(store);
  assert_ok(sloe_store_each_campaign(store, collect_campaign, &text, &err), err);
  assert_ok(sloe_store_each_environment(store, visit.visit, collect_pair, &text, &err), err);
  assert_string_equal(text.data, "sim:threads=2/a/o/0.1.0;cpu=a toy;governor=performance;");
  assert_ok(sloe_store_get_identity(store, &identity, &found, &err), err);
  assert_int_equal(found, 1);
  assert_string_equal(identity.device, "toy");
  assert_string_equal(identity.precision, "fp32");
  assert_int_equal(identity.threads, 2);
  sloe_text_fini(&text);
  sloe_store_close(store);
}

static void a_file_holds_one_identity(void **state) {
  (void)state;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  sloe_error err;
  sloe_store_identity others[7];
  static const char *const words[] = {
      "device 'toy'; those of 'x'",  "runtime 'sim'; those of 'x'",
      "version '1.0'; those of 'x'", "precision 'fp32'; those of 'x'",
      "mode ''; those of 'x'",       "batch '1'; those of '9'",
      "threads '2'; those of '9'"};
  for (int i = 0; i < 7; i++) others[i] = TOY;
  others[0].device = others[1].runtime = others[2].version = others[3].precision = "x";
  others[4].mode = "x";
  others[5].batch = others[6].threads = 9;
  for (int i = 0; i < 7; i++) {
    assert_refused(sloe_store_begin(store, &PLAN, &others[i], NULL, 0, &visit, &err), SLOE_USAGE,
                   err, words[i]);
    assert_int_equal(visit.visit, 0);
  }
  assert_int_equal(store_info(store).visits, 1);
  sloe_store_close(store);
}

static void points_are_added_once_and_come_in_order(void **state) {
  (void)state;
  const sloe_store_point plan[] = {{.kind = SLOE_STORE_NETWORK, .key = "zoo:vgg", .space = "nis"},
                                   {.kind = SLOE_STORE_LAYER, .key = "conv c=1", .split = "test"},
                                   {.kind = SLOE_STORE_NETWORK, .key = "zoo:vgg"},
                                   {.kind = SLOE_STORE_REFERENCE, .key = "conv c=1"}};
  int64_t ids[4], again[4];
  sloe_error err;
  sloe_store_point point;
  int found;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  assert_ok(sloe_store_add_points(store, visit.campaign, plan, 4, ids, &err), err);
  assert_ok(sloe_store_add_points(store, visit.campaign, plan, 4, again, &err), err);
  assert_memory_equal(ids, again, sizeof ids);
  assert_int_equal(ids[0], ids[2]);
  assert_int_equal(store_info(store).points, 3);
  static const int order[] = {0, 1, 3};
  for (size_t i = 0; i < 3; i++) {
    const sloe_store_point *want = &plan[order[i]];
    assert_ok(sloe_store_next_open_point(store, visit.campaign, &point, &found, &err), err);
    assert_int_equal(found, 1);
    assert_int_equal(point.id, ids[order[i]]);
    assert_int_equal(point.kind, want->kind);
    assert_string_equal(point.key, want->key);
    assert_string_equal(point.space, want->space ? want->space : "");
    assert_string_equal(point.split, want->split ? want->split : "");
    assert_int_equal(point.state, SLOE_STORE_OPEN);
    assert_ok(sloe_store_finish_point(store, point.id, &DONE, &err), err);
  }
  assert_ok(sloe_store_next_open_point(store, visit.campaign, &point, &found, &err), err);
  assert_int_equal(found, 0);
  assert_ok(sloe_store_reopen_point(store, ids[1], &err), err);
  assert_ok(sloe_store_next_open_point(store, visit.campaign, &point, &found, &err), err);
  assert_true(found && point.id == ids[1]);
  sloe_store_close(store);
}

static sloe_status collect_point(void *context, const sloe_store_point *p, sloe_error *err) {
  (void)err;
  sloe_text_addf(context, "%s %s %s '%s';", p->key, sloe_store_state_name(p->state),
                 sloe_store_quality_name(p->quality), p->reason);
  return SLOE_OK;
}

static void how_a_point_ended_is_kept_and_counted(void **state) {
  (void)state;
  const sloe_store_outcome skipped = {SLOE_STORE_SKIPPED, SLOE_STORE_QUALITY_UNKNOWN, "too big"};
  const sloe_store_outcome failed = {SLOE_STORE_FAILED, SLOE_STORE_QUALITY_OK, "hung"};
  const sloe_store_outcome noisy = {SLOE_STORE_DONE, SLOE_STORE_QUALITY_NOISY, NULL};
  sloe_text text = {0};
  sloe_error err;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  assert_ok(sloe_store_finish_point(store, store_point(store, &visit, 1), &skipped, &err), err);
  assert_ok(sloe_store_finish_point(store, store_point(store, &visit, 2), &failed, &err), err);
  store_sample(store, &visit, store_point(store, &visit, 3), 100, &noisy);
  store_point(store, &visit, 4);
  assert_ok(sloe_store_each_point(store, visit.campaign, collect_point, &text, &err), err);
  assert_string_equal(text.data,
                      "conv c=1 h=8 skipped skipped 'too big';conv c=2 h=8 failed skipped 'hung';"
                      "conv c=3 h=8 done noisy '';conv c=4 h=8 open  '';");
  sloe_store_info info = store_info(store);
  for (int i = 0; i < SLOE_STORE_STATE_COUNT; i++) assert_int_equal(info.in_state[i], 1);
  assert_int_equal(info.runs, 5);
  assert_ok(sloe_store_get_info(store, visit.campaign + 1, &info, &err), err);
  assert_int_equal(info.points + info.samples + info.campaigns + info.visits, 0);
  sloe_text_fini(&text);
  sloe_store_close(store);
}

static void wrong_arguments_are_refused_and_change_nothing(void **state) {
  (void)state;
  const sloe_store_outcome bad[] = {{SLOE_STORE_DONE, SLOE_STORE_QUALITY_UNKNOWN, ""},
                                    {SLOE_STORE_SKIPPED, SLOE_STORE_QUALITY_OK, ""},
                                    {SLOE_STORE_FAILED, SLOE_STORE_QUALITY_OK, NULL},
                                    {SLOE_STORE_OPEN, SLOE_STORE_QUALITY_OK, "x"}};
  const sloe_store_point good = {.key = "x"}, no_key = {.key = ""};
  const sloe_store_point no_kind = {.kind = SLOE_STORE_KIND_COUNT, .key = "x"};
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  int64_t id = store_point(store, &visit, 1);
  sloe_error err;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_refused(store_try_sample(store, &visit, id, 1, &bad[i], &err), SLOE_USAGE, err, "point");
  const sloe_store_point mixed[] = {good, no_key};
  assert_refused(sloe_store_add_points(store, visit.campaign, mixed, 2, NULL, &err), SLOE_USAGE,
                 err, "needs a key");
  assert_refused(sloe_store_add_points(store, visit.campaign, &no_kind, 1, NULL, &err), SLOE_USAGE,
                 err, "no kind 3");
  assert_refused(sloe_store_add_points(store, 77, &good, 1, NULL, &err), SLOE_NOTFOUND, err,
                 "no campaign 77");
  assert_refused(sloe_store_finish_point(store, 77, &DONE, &err), SLOE_NOTFOUND, err,
                 "no point 77");
  assert_refused(store_try_sample(store, &visit, 77, 1, NULL, &err), SLOE_NOTFOUND, err,
                 "no point 77");
  assert_refused(sloe_store_set_column(store, id, "net", "x", &err), SLOE_USAGE, err, "'net'");
  sloe_store_info info = store_info(store);
  assert_int_equal(info.points, 1);
  assert_int_equal(info.samples, 0);
  assert_int_equal(info.in_state[SLOE_STORE_OPEN], 1);
  sloe_store_close(store);
}

static void samples_with_a_wrong_value_are_refused_whole(void **state) {
  (void)state;
  const sloe_store_metric taken = {"latency_ms", 1};
  sloe_store_sample samples[2] = {sloe_store_sample_none(), sloe_store_sample_none()};
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  int64_t id = store_point(store, &visit, 1);
  sloe_error err;
  samples[1].power_w = 3;
  assert_refused(sloe_store_add_samples(store, &visit, id, samples, 2, NULL, &err), SLOE_USAGE, err,
                 "rail");
  samples[1] = samples[0];
  samples[1].memory_mb = 3;
  assert_refused(sloe_store_add_samples(store, &visit, id, samples, 2, NULL, &err), SLOE_USAGE, err,
                 "memory needs its kind");
  samples[1] = samples[0];
  samples[1].n_runs = SLOE_STORE_MAX_RUNS + 1;
  assert_refused(sloe_store_add_samples(store, &visit, id, samples, 2, NULL, &err), SLOE_USAGE, err,
                 "1048577 runs");
  samples[1] = samples[0];
  samples[1].metrics = &taken;
  samples[1].n_metrics = 1;
  assert_refused(sloe_store_add_samples(store, &visit, id, samples, 2, NULL, &err), SLOE_USAGE, err,
                 "'latency_ms' cannot be");
  assert_int_equal(store_info(store).samples, 0);
  sloe_store_close(store);
}

typedef struct sighting {
  int n;
  sloe_store_sample last;
  uint64_t runs[8];
} sighting;

static sloe_status look(void *context, const sloe_store_sample *s, sloe_error *err) {
  sighting *to = context;
  (void)err;
  to->n++;
  to->last = *s;
  assert_int_equal(s->seq, to->n);
  assert_in_range(s->n_runs, 0, 8);
  if (s->n_runs) memcpy(to->runs, s->runs_ns, s->n_runs * sizeof *to->runs);
  if (s->n_metrics) {
    assert_int_equal(s->n_metrics, 2);
    assert_string_equal(s->metrics[0].name, "power_idle_w");
    assert_true(s->metrics[0].value == 2.5);
    assert_true(isnan(s->metrics[1].value));
  }
  return SLOE_OK;
}

static void a_sample_comes_back_as_it_was(void **state) {
  (void)state;
  const uint64_t runs[] = {400, 100, UINT64_MAX, 0, 300};
  const sloe_store_metric metrics[] = {{"workspace_mb", NAN}, {"power_idle_w", 2.5}};
  sloe_store_sample given = sloe_store_sample_none();
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  int64_t id = store_point(store, &visit, 1);
  sighting seen = {0};
  sloe_error err;
  given.runs_ns = runs;
  given.n_runs = 5;
  given.host_ns = 0.1;
  given.power_w = 4.5;
  given.power_rail = "gpu";
  given.memory_mb = 12;
  given.memory_kind = "device";
  given.clock = "921 MHz";
  given.quality = SLOE_STORE_QUALITY_THROTTLED;
  given.taken_ms = 1234;
  given.metrics = metrics;
  given.n_metrics = 2;
  assert_ok(sloe_store_add_samples(store, &visit, id, &given, 1, NULL, &err), err);
  assert_ok(sloe_store_each_sample(store, id, look, &seen, &err), err);
  assert_int_equal(seen.n, 1);
  assert_memory_equal(seen.runs, runs, sizeof runs);
  assert_true(seen.last.min_ns == 0 && seen.last.median_ns == 300 && seen.last.p75_ns == 400);
  assert_true(seen.last.mean_ns > 3e18 && seen.last.p97_5_ns > 1e19);
  assert_true(seen.last.host_ns == 0.1 && seen.last.power_w == 4.5 && seen.last.memory_mb == 12);
  assert_true(isnan(seen.last.energy_mj) && isnan(seen.last.ref_before_ns));
  assert_int_equal(seen.last.taken_ms, 1234);
  assert_int_equal(seen.last.visit, visit.visit);
  assert_int_equal(seen.last.quality, SLOE_STORE_QUALITY_THROTTLED);
  sloe_store_close(store);
}

static void statistics_without_runs_stay_as_given(void **state) {
  (void)state;
  sloe_store_sample given = sloe_store_sample_none();
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  int64_t id = store_point(store, &visit, 1);
  sighting seen = {0};
  sloe_error err;
  given.median_ns = 7;
  assert_ok(sloe_store_add_samples(store, &visit, id, &given, 1, NULL, &err), err);
  store_sample(store, &visit, id, 100, NULL);
  assert_ok(sloe_store_each_sample(store, id, look, &seen, &err), err);
  assert_int_equal(seen.n, 2);
  assert_true(seen.last.median_ns == 120 && seen.last.p75_ns == 130 && seen.last.mean_ns == 120);
  assert_true(seen.last.p97_5_ns > 138.9 && seen.last.p97_5_ns < 139.1);
  sloe_store_close(store);
}

static void runs_survive_packing(void **state) {
  (void)state;
  static const uint64_t runs[] = {
      0, 1, 127, 128, 1, UINT64_MAX, 0, UINT64_MAX / 2, 63, 2221000000, 2221000000 - 64};
  enum { N = sizeof runs / sizeof *runs };
  unsigned char *bytes;
  uint64_t *back;
  size_t len;
  sloe_error err;
  assert_ok(sloe_store_pack_runs(runs, N, &bytes, &len, &err), err);
  assert_ok(sloe_store_unpack_runs(bytes, len, N, &back, &err), err);
  assert_memory_equal(back, runs, sizeof runs);
  sloe_dealloc(back);
  for (size_t cut = 0; cut < len; cut++)
    assert_refused(sloe_store_unpack_runs(bytes, cut, N, &back, &err), SLOE_FORMAT, err, "bytes");
  assert_refused(sloe_store_unpack_runs(bytes, len, N - 1, &back, &err), SLOE_FORMAT, err, "bytes");
  assert_null(back);
  sloe_dealloc(bytes);
  const unsigned char wide[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0};
  assert_refused(sloe_store_unpack_runs(wide, 11, 1, &back, &err), SLOE_FORMAT, err, "bytes");
  uint64_t near[100];
  for (int i = 0; i < 100; i++) near[i] = 2221000 + (uint64_t)(i * i * 37 % 8000);
  assert_ok(sloe_store_pack_runs(near, 100, &bytes, &len, &err), err);
  assert_true(len < 210);
  sloe_dealloc(bytes);
}

static void the_latest_choice_is_the_one_that_counts(void **state) {
  (void)state;
  const char *choice = "";
  sloe_error err;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit first = store_begin(store);
  int64_t id = store_point(store, &first, 1);
  assert_ok(sloe_store_get_choice(store, id, "", &choice, &err), err);
  assert_null(choice);
  assert_ok(sloe_store_put_choice(store, &first, id, "", "algo 1", &err), err);
  assert_ok(sloe_store_put_choice(store, &first, id, "", "algo 2", &err), err);
  assert_ok(sloe_store_get_choice(store, id, "", &choice, &err), err);
  assert_string_equal(choice, "algo 2");
  sloe_store_visit second = store_begin(store);
  assert_ok(sloe_store_put_choice(store, &second, id, "", "algo 6", &err), err);
  assert_ok(sloe_store_put_choice(store, &second, id, "layer x", "algo 7", &err), err);
  assert_ok(sloe_store_get_choice(store, id, "", &choice, &err), err);
  assert_string_equal(choice, "algo 6");
  assert_int_equal(store_info(store).choices, 3);
  assert_refused(sloe_store_put_choice(store, &second, 77, "", "x", &err), SLOE_NOTFOUND, err,
                 "77");
  sloe_store_close(store);
}

static sloe_status stop(void *context, const sloe_store_point *p, sloe_error *err) {
  (void)p;
  ++*(int *)context;
  return sloe_fail(err, SLOE_UNSUPPORTED, "enough");
}

static void a_walk_ends_where_its_callback_says(void **state) {
  (void)state;
  int n = 0;
  sloe_error err;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit = store_begin(store);
  store_point(store, &visit, 1);
  store_point(store, &visit, 2);
  assert_refused(sloe_store_each_point(store, 0, stop, &n, &err), SLOE_UNSUPPORTED, err, "enough");
  assert_int_equal(n, 1);
  sloe_store_close(store);
}

/* All of a campaign, as far as the allocations allow. */
static sloe_status live_through(const char *path, sloe_error *err) {
  sloe_store *store;
  sloe_store_visit visit;
  sloe_store_point point = {.key = "conv c=1"};
  sloe_text text = {0};
  const sloe_store_metric metric = {"power_idle_w", 2.5};
  const char *choice;
  int found;
  sighting seen = {0};
  SLOE_TRY(sloe_store_open(path, SLOE_STORE_WRITE, &store, err));
  sloe_status status;
  SLOE_GOTO(sloe_store_begin(store, &PLAN, &TOY, NULL, 0, &visit, err));
  SLOE_GOTO(sloe_store_add_points(store, visit.campaign, &point, 1, NULL, err));
  SLOE_GOTO(sloe_store_next_open_point(store, visit.campaign, &point, &found, err));
  if (found) {
    sloe_store_sample sample = sloe_store_sample_none();
    const int64_t id = point.id;
    sample.runs_ns = (const uint64_t[]){3, 1, 2};
    sample.n_runs = 3;
    sample.metrics = (const sloe_store_metric[]){metric, {"x_mb", NAN}};
    sample.n_metrics = 2;
    SLOE_GOTO(sloe_store_add_samples(store, &visit, id, &sample, 1, &DONE, err));
    SLOE_GOTO(sloe_store_put_choice(store, &visit, id, "", "x", err));
    SLOE_GOTO(sloe_store_get_choice(store, id, "", &choice, err));
    SLOE_GOTO(sloe_store_each_sample(store, id, look, &seen, err));
    SLOE_GOTO(sloe_store_merge(store, path, NULL, err));
    SLOE_GOTO(sloe_store_export_to(store, NULL, (sloe_csv_sink){&text, text_sink_write}, err));
  }
fail:
  sloe_text_fini(&text);
  sloe_store_close(store);
  return status;
}

static void every_allocation_may_fail_and_nothing_is_stored_by_halves(void **state) {
  (void)state;
  sloe_status status = SLOE_NOMEM;
  long n = 0, live = sloe_alloc_live();
  for (; status != SLOE_OK; n++) {
    sloe_error err = {0};
    store_empty_folder(NULL);
    sloe_alloc_fail_after(n);
    status = live_through(store_path("a.db"), &err);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_true(status == SLOE_NOMEM && err.msg[0]);
    assert_int_equal(sloe_alloc_live(), live);
    if (access(store_path("a.db"), F_OK) != 0) continue;
    sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
    sloe_store_info info = store_info(store);
    store_assert_sound(store);
    assert_int_equal(info.samples, info.in_state[SLOE_STORE_DONE]);
    sloe_store_close(store);
    assert_true(n < 200);
  }
  assert_true(n > 15);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_teardown(name, store_empty_folder)
      TEST(a_campaign_begins_and_goes_on),
      TEST(what_was_said_of_campaign_and_visit_is_kept),
      TEST(a_file_holds_one_identity),
      TEST(points_are_added_once_and_come_in_order),
      TEST(how_a_point_ended_is_kept_and_counted),
      TEST(wrong_arguments_are_refused_and_change_nothing),
      TEST(samples_with_a_wrong_value_are_refused_whole),
      TEST(a_sample_comes_back_as_it_was),
      TEST(statistics_without_runs_stay_as_given),
      TEST(runs_survive_packing),
      TEST(the_latest_choice_is_the_one_that_counts),
      TEST(a_walk_ends_where_its_callback_says),
      TEST(every_allocation_may_fail_and_nothing_is_stored_by_halves),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
