/* The measurements of a campaign, on the simulated device: each taken once, kept, found again. */
#include "campaign/bench.h"

#include "campaign/fit_layers.h"
#include "unit/device_files.h"
#include "unit/store_files.h"

/* ---- benches ---- */

static sloe_bench *open_bench(const char *backend, const sloe_watch *watch, double budget_s) {
  const sloe_bench_options options = {backend, store_path("a.db"), "plan", budget_s, watch};
  sloe_bench *bench;
  sloe_error err;
  assert_ok(sloe_bench_open(&options, &bench, &err), err);
  return bench;
}

static const sloe_bench_point *take(sloe_bench *b, const char *text, const char *split) {
  const sloe_layer_spec spec = spec_of(text);
  size_t at;
  sloe_error err;
  assert_ok(sloe_bench_layer(b, &spec, split, &at, &err), err);
  assert_true(at < b->n_points);
  return &b->points[at];
}

static sloe_db_info info_of(void) {
  sloe_db_info info;
  sloe_error err;
  assert_ok(sloe_db_get_info(store_path("a.db"), &info, &err), err);
  return info;
}

#define FC_A    "op=fc,c=512,k=100"
#define POOL    "op=maxpool,c=64,h=28,w=28,kernel=3,stride=2"
/* 1e9 weights: more than the device holds. */
#define HUGE_FC "op=fc,c=32000,k=32000"

static void a_layer_is_measured_once(void **state) {
  (void)state;
  sloe_bench *b = open_bench("sim", NULL, 0);
  const sloe_bench_point *p = take(b, CONV_A, sloe_split_line);
  const double time = p->time;
  assert_true(time > 0 && !p->refused && !p->network && isnan(p->again));
  assert_true(p->p75 >= 1 && p->p97_5 >= p->p75 && p->error > 0 && p->error < 0.05);
  assert_string_equal(p->split, sloe_split_line);
  assert_true(take(b, CONV_A, sloe_split_design) == &b->points[0]);
  assert_true(b->points[0].time == time);
  assert_string_equal(b->points[0].split, sloe_split_line); /* that of the first to ask */
  assert_int_equal(b->measured, 1);
  assert_int_equal(b->reused, 1);
  assert_int_equal(b->n_points, 1);
  sloe_bench_close(b);
  assert_int_equal(info_of().samples, 1);
}

static void times_are_in_units_of_the_reference(void **state) {
  double reference;
  sloe_error err;
  (void)state;
  sloe_device *device = device_open("sim:noise=0");
  assert_ok(sloe_device_reference(device, 5, &reference, &err), err);
  const double wanted = device_median(device, CONV_A) / reference;
  sloe_device_close(device);
  sloe_bench *b = open_bench("sim:noise=0", NULL, 0);
  assert_true(isnan(sloe_bench_reference_ms(b)));
  assert_true(fabs(take(b, CONV_A, sloe_split_line)->time / wanted - 1) < 1e-9);
  assert_true(fabs(sloe_bench_reference_ms(b) / (reference / 1e6) - 1) < 1e-9);
  sloe_bench_close(b);
}

/* A clock that changes by a tenth: the reference changes with it. */
static void a_device_that_slows_down_does_not_move_times(void **state) {
  static const char *const specs[] = {CONV_A, FC_A, POOL};
  double still[3];
  (void)state;
  sloe_bench *b = open_bench("sim:noise=0", NULL, 0);
  for (int i = 0; i < 3; i++) still[i] = take(b, specs[i], sloe_split_line)->time;
  sloe_bench_close(b);
  store_empty_folder(NULL);
  b = open_bench("sim:noise=0,drift=0.1", NULL, 0);
  for (int i = 0; i < 3; i++)
    assert_true(fabs(take(b, specs[i], sloe_split_line)->time / still[i] - 1) < 0.03);
  sloe_bench_close(b);
}

enum { WIDE = 40 };

/* How many of as many wide layers are not told the undisturbed time. */
static size_t count_disturbed(sloe_bench *b, const double still[WIDE]) {
  size_t n = 0;
  for (size_t i = 0; i < WIDE; i++) n += fabs(b->points[i].time / still[i] - 1) > 1e-9;
  return n;
}

static void take_wide(sloe_bench *b) {
  for (size_t i = 0; i < WIDE; i++) {
    char spec[80];
    snprintf(spec, sizeof spec, "op=conv,c=64,h=112,w=112,k=%zu,kernel=1", 64 + i);
    take(b, spec, sloe_split_design);
  }
}

/* Others come and slow down what moves much: the reference does not show it. */
static void of_takes_beside_others_the_quietest_counts(void **state) {
  static const char crowded[] = "sim:noise=0,crowd=0.5,seed=9";
  double still[WIDE], first[WIDE], quiet;
  sloe_error err;
  (void)state;
  sloe_bench *b = open_bench("sim:noise=0", NULL, 0);
  take_wide(b);
  for (size_t i = 0; i < WIDE; i++) still[i] = b->points[i].time;
  assert_ok(sloe_bench_quiet_ms(b, &quiet, &err), err);
  assert_true(isnan(quiet)); /* nobody says */
  sloe_bench_close(b);
  store_empty_folder(NULL);
  b = open_bench(crowded, NULL, 0);
  take_wide(b);
  for (size_t i = 0; i < WIDE; i++) first[i] = b->points[i].time;
  const size_t before = count_disturbed(b, still);
  assert_ok(sloe_bench_quiet_ms(b, &quiet, &err), err);
  assert_true(quiet == 1);
  for (size_t i = 0; i < WIDE; i++)
    for (int k = 0; k < 4 && b->points[i].move_ms > quiet; k++)
      assert_ok(sloe_bench_quieter(b, i, &err), err);
  const size_t after = count_disturbed(b, still);
  assert_true(before > after && b->measured > WIDE);
  assert_in_range(after, 0, 2); /* they may come and go between two looks */
  sloe_bench_close(b);
  b = open_bench(crowded, NULL, 0); /* the same from the store */
  assert_int_equal(count_disturbed(b, still), after);
  for (size_t i = 0; i < WIDE; i++) assert_true(b->points[i].first == first[i]);
  sloe_bench_close(b);
}

static void what_was_measured_is_there_at_the_next_visit(void **state) {
  (void)state;
  sloe_bench *b = open_bench("sim", NULL, 0);
  take(b, CONV_A, sloe_split_line);
  take(b, FC_A, sloe_split_held_out);
  const sloe_bench_point first = b->points[0], second = b->points[1];
  sloe_bench_close(b);
  b = open_bench("sim", NULL, 0);
  assert_int_equal(b->n_points, 2);
  const sloe_bench_point *again = take(b, CONV_A, sloe_split_line);
  assert_int_equal(b->measured, 0);
  assert_int_equal(b->reused, 1);
  assert_true(again->id == first.id && again->time == first.time && again->p75 == first.p75);
  assert_true(again->p97_5 == first.p97_5 && again->error == first.error);
  assert_true(again->memory_mb == first.memory_mb && again->ref_ms == first.ref_ms);
  assert_true(sloe_layer_spec_same(&again->spec, &first.spec) && again->noisy == first.noisy);
  assert_true(b->points[1].time == second.time);
  assert_string_equal(b->points[1].split, sloe_split_held_out);
  assert_true(sloe_is_held_out(&b->points[1]) && !sloe_is_held_out(&b->points[0]));
  sloe_bench_close(b);
  const sloe_db_info info = info_of();
  assert_int_equal(info.visits, 2);
  assert_int_equal(info.campaigns, 1);
  assert_int_equal(info.samples, 2);
}

/* A recording of two layers, one with its kernels: `b` comes behind `a` in the store. */
static void kernels_are_there_at_the_next_visit(void **state) {
  (void)state;
  char backend[1100];
  FILE *file = fopen(store_path("r.csv"), "w");
  assert_non_null(file);
  fputs(
      "net,latency_ms,runs_ns,kernels\n"
      "\"zoo:layer,op=fc,c=512,k=100\",1,5 6 7 8 9,\n"
      "\"zoo:layer,op=fc,c=512,k=200\",1,5 6 7 8 9,a=1:5.0 b:7.5\n",
      file);
  fclose(file);
  snprintf(backend, sizeof backend, "replay:file=%s", store_path("r.csv"));
  for (int visit = 0; visit < 2; visit++) {
    sloe_bench *b = open_bench(backend, NULL, 0);
    assert_string_equal(take(b, FC_A, sloe_split_design)->kernels, "");
    assert_string_equal(take(b, "op=fc,c=512,k=200", sloe_split_design)->kernels, "a=1:5.0 b:7.5");
    assert_int_equal(b->measured, visit ? 0 : 2);
    sloe_bench_close(b);
  }
}

static void another_plan_measures_anew(void **state) {
  const sloe_bench_options options = {"sim", store_path("a.db"), "another", 0, NULL};
  sloe_bench *b = open_bench("sim", NULL, 0);
  sloe_error err;
  (void)state;
  take(b, CONV_A, sloe_split_line);
  sloe_bench_close(b);
  assert_ok(sloe_bench_open(&options, &b, &err), err);
  assert_int_equal(b->n_points, 0);
  sloe_bench_close(b);
}

static void what_is_refused_is_not_asked_for_again(void **state) {
  (void)state;
  sloe_bench *b = open_bench("sim", NULL, 0);
  const sloe_bench_point *p = take(b, HUGE_FC, sloe_split_design);
  assert_true(p->refused && isnan(p->time) && !sloe_is_layer_time(p));
  assert_int_equal(b->refused, 1);
  assert_int_equal(b->measured, 0);
  assert_true(take(b, HUGE_FC, sloe_split_design) == &b->points[0]);
  assert_int_equal(b->refused, 1);
  sloe_bench_close(b);
  b = open_bench("sim", NULL, 0);
  assert_int_equal(b->n_points, 1);
  assert_true(take(b, HUGE_FC, sloe_split_design)->refused);
  assert_int_equal(b->refused, 0); /* in this visit */
  sloe_bench_close(b);
  assert_int_equal(info_of().skipped, 1);
}

static void a_layer_is_measured_twice_where_that_is_asked(void **state) {
  sloe_error err;
  (void)state;
  sloe_bench *b = open_bench("sim:noise=0.01", NULL, 0);
  const double time = take(b, CONV_A, sloe_split_held_out)->time;
  take(b, HUGE_FC, sloe_split_held_out);
  for (int i = 0; i < 2; i++) {
    assert_ok(sloe_bench_again(b, 0, &err), err);
    assert_ok(sloe_bench_again(b, 1, &err), err); /* refused: nothing to measure */
  }
  const double again = b->points[0].again;
  assert_true(fabs(again / time - 1) < 0.05 && b->points[0].time == time);
  assert_true(isnan(b->points[1].again));
  assert_int_equal(b->measured, 2);
  sloe_bench_close(b);
  assert_int_equal(info_of().samples, 2);
  b = open_bench("sim:noise=0.01", NULL, 0);
  assert_true(b->points[0].again == again && b->points[0].time == time);
  assert_ok(sloe_bench_again(b, 0, &err), err);
  assert_int_equal(b->measured, 0);
  sloe_bench_close(b);
}

static void a_point_that_was_begun_and_never_finished_is_measured(void **state) {
  const sloe_store_identity identity = {"sim", "onednn", "1", "fp32", "t1", 1, 1};
  const sloe_store_campaign campaign = {.backend = "sim", .plan = "plan", .options = ""};
  char key[SLOE_SPEC_TEXT];
  const sloe_layer_spec spec = spec_of(CONV_A);
  const sloe_store_point point = {
      .kind = SLOE_STORE_LAYER, .key = sloe_layer_spec_print(&spec, key), .split = "line"};
  sloe_store_visit visit;
  int64_t id;
  sloe_error err;
  (void)state;
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  assert_ok(sloe_store_begin(store, &campaign, &identity, NULL, 0, &visit, &err), err);
  assert_ok(sloe_store_add_points(store, visit.campaign, &point, 1, &id, &err), err);
  sloe_store_close(store);
  sloe_bench *b = open_bench("sim", NULL, 0);
  assert_int_equal(b->n_points, 0);
  assert_false(sloe_bench_knows(b, &spec));
  assert_true(take(b, CONV_A, sloe_split_line)->id == id);
  assert_true(sloe_bench_knows(b, &spec));
  sloe_bench_close(b);
  const sloe_db_info info = info_of();
  assert_true(info.points == 1 && info.done == 1 && info.samples == 1);
}

/* ---- networks ---- */

/* Their times make up the network's; what they are is known although the store does not say it. */
static void check_places(const sloe_bench *b, const sloe_net *net, double whole, size_t number) {
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < b->n_points; i++) {
    const sloe_bench_point *p = &b->points[i];
    if (!strchr(p->key, '#')) continue;
    assert_true(p->place.in_network && p->place.weights == sloe_net_get_info(net)->params);
    assert_true(p->time > 0 && p->spec.n == 1 && p->number == number && !p->network);
    assert_false(sloe_is_layer_time(p)); /* not by itself */
    assert_string_equal(p->split, sloe_split_in_network);
    sum += p->time;
    n++;
  }
  assert_true(n > 20 && fabs(sum / whole - 1) < 0.1);
}

static void a_network_is_measured_once_with_its_memory(void **state) {
  static const char net_text[] = SLOE_SOURCE_DIR "/data/models/tv_squeezenet1_1.onnx";
  sloe_net *net;
  sloe_layers *layers;
  size_t at;
  sloe_error err;
  (void)state;
  assert_ok(sloe_net_open(net_text, NULL, &net, &err), err);
  sloe_bench *b = open_bench("sim", NULL, 0);
  const sloe_fusion *fusion = &sloe_device_describe(b->device)->fusion;
  assert_ok(sloe_layers_new(net, fusion, &layers, &err), err);
  for (int i = 0; i < 2; i++)
    assert_ok(sloe_bench_network(b, net_text, layers, sloe_split_network, &at, &err), err);
  assert_true(b->measured == 1 && b->reused == 1 && at == 0);
  const double time = b->points[0].time, memory = b->points[0].memory_mb;
  assert_true(b->points[0].network && time > 1 && memory > 1);
  assert_false(sloe_is_layer_time(&b->points[0]));
  check_places(b, net, time, 0);
  sloe_bench_close(b);
  b = open_bench("sim", NULL, 0);
  assert_ok(sloe_bench_network(b, net_text, layers, sloe_split_network, &at, &err), err);
  check_places(b, net, time, 0);
  assert_true(b->points[at].network && b->points[at].time == time);
  assert_true(b->points[at].memory_mb == memory);
  assert_int_equal(b->measured, 0);
  sloe_bench_close(b);
  sloe_layers_free(layers);
  sloe_net_free(net);
}

static void a_network_beside_others_is_measured_again_with_its_layers(void **state) {
  static const char net_text[] = SLOE_SOURCE_DIR "/data/models/tv_squeezenet1_1.onnx";
  sloe_net *net;
  sloe_layers *layers = NULL;
  size_t at, disturbed = 0, wrong = 0;
  double still = 0;
  sloe_error err;
  (void)state;
  assert_ok(sloe_net_open(net_text, NULL, &net, &err), err);
  for (int seed = 0; seed <= 30; seed++) {
    char backend[64];
    snprintf(backend, sizeof backend, "sim:noise=0%s,seed=%d", seed ? ",crowd=0.5" : "", seed);
    store_empty_folder(NULL);
    sloe_bench *b = open_bench(backend, NULL, 0);
    const sloe_fusion *fusion = &sloe_device_describe(b->device)->fusion;
    if (!layers) assert_ok(sloe_layers_new(net, fusion, &layers, &err), err);
    assert_ok(sloe_bench_network(b, net_text, layers, sloe_split_network, &at, &err), err);
    const size_t n = b->n_points;
    const double busy = b->points[at].move_ms;
    for (int k = 0; k < 9 && busy > 1 && b->points[at].move_ms > 1; k++)
      assert_ok(sloe_bench_network_quieter(b, at, layers, &err), err);
    assert_true(b->n_points == n && (!seed || b->points[at].move_ms == 1));
    for (size_t i = 0; i < n; i++) assert_int_equal(b->points[i].n_takes, b->points[at].n_takes);
    if (!seed) still = b->points[at].time;
    disturbed += busy > 1;
    wrong += fabs(b->points[at].time / still - 1) > 1e-9;
    sloe_bench_close(b);
  }
  assert_in_range(disturbed, 1, 15);
  assert_in_range(wrong, 0, 2); /* they may come and go between two looks */
  sloe_layers_free(layers);
  sloe_net_free(net);
}

/* ---- watching ---- */

typedef struct watching {
  int asked, stop_at, told;
  sloe_progress last;
} watching;

static int ask_stop(void *context) {
  watching *w = context;
  return ++w->asked >= w->stop_at;
}

static void hear(void *context, const sloe_progress *progress) {
  watching *w = context;
  w->told++;
  w->last = *progress;
}

static void a_watch_stops_it_and_what_was_measured_stays(void **state) {
  watching w = {.stop_at = 3};
  const sloe_watch watch = {.stop = ask_stop, .progress = hear, .context = &w};
  const sloe_layer_spec spec = spec_of(POOL);
  size_t at;
  sloe_error err;
  (void)state;
  sloe_bench *b = open_bench("sim", &watch, 0);
  b->phase = "trying";
  b->total = 9;
  take(b, CONV_A, sloe_split_line);
  take(b, FC_A, sloe_split_line);
  assert_int_equal(w.told, 2);
  assert_string_equal(w.last.phase, "trying");
  assert_int_equal(w.last.total, 9);
  assert_true(w.last.elapsed_s >= 0);
  assert_refused(sloe_bench_layer(b, &spec, sloe_split_line, &at, &err), SLOE_STOPPED, err,
                 "stopped");
  assert_refused(sloe_bench_again(b, 0, &err), SLOE_STOPPED, err, "stopped");
  take(b, CONV_A, sloe_split_line); /* is known: nobody is asked */
  assert_int_equal(b->n_points, 2);
  sloe_bench_close(b);
  assert_true(info_of().points == 2 && info_of().samples == 2);
}

static void a_budget_has_shares_of_time(void **state) {
  (void)state;
  sloe_bench *b = open_bench("sim", NULL, 0);
  assert_true(sloe_bench_has_time(b, 0)); /* no budget: always */
  sloe_bench_close(b);
  b = open_bench("sim", NULL, 1000);
  assert_true(sloe_bench_has_time(b, 0.5) && !sloe_bench_has_time(b, 0));
  b->begun_s -= 600;
  assert_true(sloe_bench_has_time(b, 0.75) && !sloe_bench_has_time(b, 0.5));
  sloe_bench_close(b);
}

/* ---- failing ---- */

static void a_device_that_fails_ends_it_with_its_message(void **state) {
  const sloe_layer_spec spec = spec_of(CONV_A);
  size_t at;
  sloe_error err;
  (void)state;
  sloe_bench *b = open_bench("sim:fail_after=3", NULL, 0);
  assert_refused(sloe_bench_layer(b, &spec, sloe_split_line, &at, &err), SLOE_DEVICE, err,
                 "failed, as planted");
  sloe_bench_close(b);
  assert_int_equal(info_of().failed, 1); /* to be measured at the next visit */
  assert_int_equal(info_of().samples, 0);
}

static void a_point_under_which_the_device_died_twice_is_skipped(void **state) {
  const sloe_layer_spec spec = spec_of(CONV_A);
  size_t at;
  sloe_error err;
  (void)state;
  for (int visit = 0; visit < 2; visit++) {
    sloe_bench *b = open_bench("sim:fail_after=3", NULL, 0);
    assert_refused(sloe_bench_layer(b, &spec, sloe_split_line, &at, &err), SLOE_DEVICE, err,
                   "failed, as planted");
    sloe_bench_close(b);
    assert_int_equal(info_of().failed, !visit);
    assert_int_equal(info_of().skipped, visit);
  }
  sloe_bench *b = open_bench("sim:fail_after=3", NULL, 0);
  assert_ok(sloe_bench_layer(b, &spec, sloe_split_line, &at, &err), err);
  assert_true(b->points[at].refused && !b->measured);
  sloe_bench_close(b);
}

static void a_point_that_failed_once_is_measured_at_the_next_visit(void **state) {
  const sloe_layer_spec first = spec_of("op=fc,c=3000,k=3000"), second = spec_of(CONV_A);
  static const char backend[] = "sim:noise=0,fail_after=25"; /* a layer takes 18 runs */
  size_t at;
  sloe_error err;
  (void)state;
  sloe_bench *b = open_bench(backend, NULL, 0);
  assert_ok(sloe_bench_layer(b, &first, sloe_split_line, &at, &err), err);
  assert_refused(sloe_bench_layer(b, &second, sloe_split_line, &at, &err), SLOE_DEVICE, err,
                 "failed, as planted");
  sloe_bench_close(b);
  assert_int_equal(info_of().failed, 1);
  b = open_bench(backend, NULL, 0);
  assert_ok(sloe_bench_layer(b, &second, sloe_split_line, &at, &err), err);
  assert_true(!b->points[at].refused && b->measured == 1);
  sloe_bench_close(b);
  assert_int_equal(info_of().done, 2);
}

static void what_cannot_be_opened_is_said(void **state) {
  const sloe_bench_options backend = {"nosuch", store_path("a.db"), "p", 0, NULL},
                           db = {"sim", store_path("no/such/folder.db"), "p", 0, NULL},
                           other = {"sim:threads=2", store_path("a.db"), "plan", 0, NULL};
  sloe_bench *b;
  sloe_error err;
  (void)state;
  assert_refused(sloe_bench_open(&backend, &b, &err), SLOE_USAGE, err, "nosuch");
  assert_null(b);
  assert_int_equal(sloe_bench_open(&db, &b, &err), SLOE_IO);
  assert_null(b);
  sloe_bench_close(open_bench("sim", NULL, 0));
  assert_refused(sloe_bench_open(&other, &b, &err), SLOE_USAGE, err, "t2"); /* another identity */
  assert_null(b);
}

static void every_allocation_may_fail(void **state) {
  const sloe_layer_spec spec = spec_of(CONV_A);
  const long live = sloe_alloc_live();
  (void)state;
  for (long n = 0;; n++) {
    const sloe_bench_options options = {"sim", store_path("a.db"), "plan", 0, NULL};
    sloe_bench *b;
    size_t at;
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    sloe_status status = sloe_bench_open(&options, &b, &err);
    if (status == SLOE_OK) status = sloe_bench_layer(b, &spec, sloe_split_line, &at, &err);
    sloe_alloc_fail_after(-1);
    sloe_bench_close(b);
    assert_int_equal(sloe_alloc_live(), live);
    store_empty_folder(NULL);
    if (status == SLOE_OK) break;
    if (status != SLOE_NOMEM)
      fail_msg("allocation %ld: %s: %s", n, sloe_status_text(status), err.msg);
    assert_true(*err.msg);
    assert_true(n < 1000);
  }
}

#define BENCH_TEST(name) cmocka_unit_test_teardown(name, store_empty_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      BENCH_TEST(a_layer_is_measured_once),
      BENCH_TEST(times_are_in_units_of_the_reference),
      BENCH_TEST(a_device_that_slows_down_does_not_move_times),
      BENCH_TEST(of_takes_beside_others_the_quietest_counts),
      BENCH_TEST(what_was_measured_is_there_at_the_next_visit),
      BENCH_TEST(kernels_are_there_at_the_next_visit),
      BENCH_TEST(another_plan_measures_anew),
      BENCH_TEST(what_is_refused_is_not_asked_for_again),
      BENCH_TEST(a_layer_is_measured_twice_where_that_is_asked),
      BENCH_TEST(a_point_that_was_begun_and_never_finished_is_measured),
      BENCH_TEST(a_network_is_measured_once_with_its_memory),
      BENCH_TEST(a_network_beside_others_is_measured_again_with_its_layers),
      BENCH_TEST(a_watch_stops_it_and_what_was_measured_stays),
      BENCH_TEST(a_budget_has_shares_of_time),
      BENCH_TEST(a_device_that_fails_ends_it_with_its_message),
      BENCH_TEST(a_point_under_which_the_device_died_twice_is_skipped),
      BENCH_TEST(a_point_that_failed_once_is_measured_at_the_next_visit),
      BENCH_TEST(what_cannot_be_opened_is_said),
      BENCH_TEST(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
