/* The timing loop, on a device whose every run is known. */
#include "device/run_stats.h"
#include "unit/device_files.h"

static void near(double got, double want) {
  if (!(fabs(got - want) <= 1e-9 * fabs(want))) fail_msg("%.17g is not %.17g", got, want);
}

static void quantiles_lie_between_the_two_nearest(void **state) {
  (void)state;
  const uint64_t x[] = {10, 20, 40, 80};
  near(sloe_runs_quantile(x, 4, 0.5), 30);
  near(sloe_runs_quantile(x, 4, 0.75), 50);
  near(sloe_runs_quantile(x, 4, 0.975), 77);
  near(sloe_runs_quantile(x, 1, 0.975), 10);
  near(sloe_runs_mean(x, 4), 37.5);
}

static void the_midmean_is_of_the_middle_half(void **state) {
  (void)state;
  const uint64_t x[] = {1, 10, 20, 40, 1000};
  near(sloe_runs_midmean(x, 1), 1);
  near(sloe_runs_midmean(x, 2), 5.5);
  near(sloe_runs_midmean(x, 3), (0.25 * (1 + 20) + 10) / 1.5);
  near(sloe_runs_midmean(x, 4), 15);
  near(sloe_runs_midmean(x, 5), (0.75 * (10 + 40) + 20) / 2.5);
}

/* By hand: of 20 values 5 are winsorised on each side; 10 of 12 and 10 of 18 are left. */
static void the_error_is_of_the_winsorised_runs(void **state) {
  (void)state;
  const uint64_t x[] = {1,  2,  3,  4,  5,  12, 12, 12, 12, 12,
                        18, 18, 18, 18, 18, 90, 91, 92, 93, 1000};
  near(sloe_runs_error(x, 20), sqrt(20 * 9 / 19.0) / (0.5 * sqrt(20)) / 15);
}

/* 1 10 10 10 10 10 10 27: nothing of the middle half, but the mean of 11 is not known so well. */
static void the_error_of_a_few_runs_does_not_trust_the_middle_alone(void **state) {
  (void)state;
  const uint64_t x[] = {1, 10, 10, 10, 10, 10, 10, 27};
  near(sloe_runs_error(x, 8), sqrt((100 + 6 + 256) / 7.0) / sqrt(8) / 10);
  assert_true(isinf(sloe_runs_error(x, 3)));
}

static void a_steady_device_needs_few_runs_and_a_noisy_one_more(void **state) {
  (void)state;
  sloe_device *steady = device_open("sim:noise=0"), *noisy = device_open("sim:noise=0.03");
  sloe_timing a = device_time(steady, CONV_A, NULL), b = device_time(noisy, CONV_A, NULL);
  assert_int_equal(a.n_runs, 5);
  near(a.median_ns, a.min_ns);
  assert_true(a.error == 0);
  assert_in_range(b.n_runs, 60, 100); /* until the budget of 100 ms is spent */
  assert_true(b.error > 0.001 && b.error < 0.01);
  assert_true(fabs(b.midmean_ns / a.median_ns - 1) < 4 * b.error);
  assert_true(b.min_ns < b.p25_ns && b.p25_ns < b.median_ns && b.median_ns < b.p75_ns &&
              b.p75_ns < b.p97_5_ns);
  assert_false(a.noisy || b.noisy);
  sloe_timing_fini(&a);
  sloe_timing_fini(&b);
  sloe_device_close(steady);
  sloe_device_close(noisy);
}

static void all_runs_are_kept_in_the_order_taken(void **state) {
  (void)state;
  sloe_device *device = device_open("sim");
  sloe_timing t = device_time(device, CONV_A, NULL);
  uint64_t sum = 0, least = UINT64_MAX;
  int sorted = 1;
  for (size_t i = 0; i < t.n_runs; i++) {
    sum += t.runs_ns[i];
    if (t.runs_ns[i] < least) least = t.runs_ns[i];
    if (i && t.runs_ns[i] < t.runs_ns[i - 1]) sorted = 0;
  }
  assert_false(sorted);
  near(t.mean_ns, (double)sum / (double)t.n_runs);
  near(t.min_ns, (double)least);
  assert_true(t.host_ns > t.median_ns);
  sloe_timing_fini(&t);
  sloe_device_close(device);
}

static void the_budget_and_the_number_of_runs_are_kept(void **state) {
  (void)state;
  sloe_device *device = device_open("sim:ns_per_mac=1");
  const sloe_timing_options budget = {.budget_ms = 500}, few = {.min_runs = 2, .max_runs = 7},
                            least = {.min_runs = 20, .budget_ms = 1}, one = {.max_runs = 1};
  const size_t want[] = {8, 2, 20, 1}; /* a run takes about 58 ms */
  const sloe_timing_options *options[] = {&budget, &few, &least, &one};
  for (int i = 0; i < 4; i++) {
    sloe_timing t = device_time(device, CONV_A, options[i]);
    assert_in_range(t.n_runs, want[i], want[i] + 2 * (i == 0));
    assert_int_equal(isnan(t.error), t.n_runs < 4);
    sloe_timing_fini(&t);
  }
  sloe_device_close(device);
}

static void a_short_layer_gets_more_runs(void **state) {
  (void)state;
  sloe_device *device = device_open("sim:noise=0,floor_us=2");
  sloe_timing t = device_time(device, "op=activation,act=relu,c=8", NULL);
  assert_true(t.median_ns < 2100);
  assert_in_range(t.n_runs, 90, 110);
  sloe_timing_fini(&t);
  const sloe_timing_options ten = {.max_runs = 10};
  t = device_time(device, "op=activation,act=relu,c=8", &ten);
  assert_int_equal(t.n_runs, 10);
  sloe_timing_fini(&t);
  sloe_device_close(device);
}

static void a_take_under_which_the_reference_moved_is_taken_again(void **state) {
  (void)state;
  sloe_device *device = device_open("sim:noise=0,drift=0.08,seed=4");
  int32_t retaken = 0;
  for (int i = 0; i < 40; i++) {
    sloe_timing t = device_time(device, CONV_A, NULL);
    if (!t.noisy) near(t.ref_before_ns, t.ref_after_ns);
    assert_true(t.retaken <= 3);
    retaken += t.retaken;
    sloe_timing_fini(&t);
  }
  assert_true(retaken > 0);
  sloe_device_close(device);
}

static void the_ratio_to_the_reference_survives_drift(void **state) {
  (void)state;
  sloe_device *device = device_open("sim:noise=0,drift=0.08,seed=4");
  double lo = INFINITY, hi = 0, raw_lo = INFINITY, raw_hi = 0;
  for (int i = 0; i < 40; i++) {
    sloe_timing t = device_time(device, CONV_A, NULL);
    const double ratio = t.median_ns / t.ref_before_ns;
    if (!t.noisy) {
      lo = fmin(lo, ratio), hi = fmax(hi, ratio);
      raw_lo = fmin(raw_lo, t.median_ns), raw_hi = fmax(raw_hi, t.median_ns);
    }
    sloe_timing_fini(&t);
  }
  assert_true(raw_hi / raw_lo > 1.079);
  assert_true(hi / lo < 1.001);
  sloe_device_close(device);
}

/* How many of 60 takes are not the undisturbed time. */
static int count_disturbed(const char *backend, const sloe_timing_options *options, double want_ns,
                           int32_t *retaken) {
  sloe_device *device = device_open(backend);
  int disturbed = 0;
  for (int i = 0; i < 60; i++) {
    sloe_timing t = device_time(device, "op=conv,c=64,h=112,w=112,k=64,kernel=1", options);
    disturbed += fabs(t.median_ns / want_ns - 1) > 1e-9;
    *retaken += t.retaken;
    if (!options) assert_true(t.move_ns == 1e6 || (t.move_ns == 1.5e6 && t.noisy));
    if (options) assert_true(isnan(t.move_ns));
    sloe_timing_fini(&t);
  }
  sloe_device_close(device);
  return disturbed;
}

/* They may come and go between two looks. */
static void what_others_slow_down_is_taken_again_when_they_are_gone(void **state) {
  (void)state;
  const sloe_timing_options blind = {.ref_runs = -1};
  sloe_device *alone = device_open("sim:noise=0");
  sloe_timing want = device_time(alone, "op=conv,c=64,h=112,w=112,k=64,kernel=1", NULL);
  int32_t retaken = 0, none = 0;
  assert_in_range(count_disturbed("sim:noise=0,crowd=0.5,seed=3", NULL, want.median_ns, &retaken),
                  0, 6);
  assert_in_range(count_disturbed("sim:noise=0,crowd=0.5,seed=3", &blind, want.median_ns, &none),
                  15, 45);
  assert_true(retaken > 0 && none == 0);
  sloe_timing_fini(&want);
  sloe_device_close(alone);
}

static void scatter_that_stays_is_said(void **state) {
  (void)state;
  sloe_device *device = device_open("sim:noise=0.2");
  const sloe_timing_options again = {.retakes = 2}, never = {.retakes = -1, .ref_runs = -1};
  sloe_timing t = device_time(device, CONV_A, &again);
  assert_true(t.noisy);
  assert_int_equal(t.retaken, 2);
  sloe_timing_fini(&t);
  t = device_time(device, CONV_A, &never);
  assert_true(t.noisy);
  assert_int_equal(t.retaken, 0);
  assert_true(isnan(t.ref_before_ns) && isnan(t.ref_after_ns));
  sloe_timing_fini(&t);
  sloe_device_close(device);
}

static void a_device_that_fails_hangs_or_lies_is_said_so(void **state) {
  (void)state;
  static const struct {
    const char *backend, *message;
  } cases[] = {
      {"sim:fail_after=3", "failed, as planted, after 3 runs"},
      {"sim:hang_after=20", "hung, as planted"},
      {"sim:lie_after=9", "its clock stands"},
      {"sim:lie_after=9,lie=1", "its clock runs backwards"},
      {"sim:lie_after=9,lie=2", "where the caller waited"},
      {"sim:noise=0,floor_us=100000000", "hung: a run took 100 s, more than 60 s"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sloe_device *device = device_open(cases[i].backend);
    sloe_job *job = device_layer(device, CONV_A);
    sloe_timing t = {.n_runs = 3, .runs_ns = (uint64_t *)&t};
    sloe_error err;
    assert_refused(sloe_time_job(device, job, NULL, &t, &err), SLOE_DEVICE, err, cases[i].message);
    assert_null(t.runs_ns);
    assert_int_equal(t.n_runs, 0);
    sloe_job_unload(job);
    sloe_device_close(device);
  }
}

static void a_layer_has_no_layers_to_time(void **state) {
  (void)state;
  sloe_device *device = device_open("sim");
  sloe_job *job = device_layer(device, CONV_A);
  sloe_timing t;
  sloe_error err;
  assert_refused(sloe_time_layers(device, job, NULL, &t, &err), SLOE_UNSUPPORTED, err, "no clock");
  assert_null(t.runs_ns);
  sloe_job_unload(job);
  sloe_device_close(device);
}

static void the_reference_is_the_layer_that_its_text_says(void **state) {
  (void)state;
  char text[SLOE_SPEC_TEXT];
  sloe_device *device = device_open("sim:noise=0");
  double ns;
  sloe_error err;
  assert_string_equal(sloe_layer_spec_print(&sloe_reference_spec, text),
                      "zoo:layer,op=conv,c=64,h=28,w=28,kernel=3");
  assert_ok(sloe_device_reference(device, 5, &ns, &err), err);
  near(ns, device_median(device, text));
  sloe_device_close(device);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quantiles_lie_between_the_two_nearest),
      cmocka_unit_test(the_midmean_is_of_the_middle_half),
      cmocka_unit_test(the_error_is_of_the_winsorised_runs),
      cmocka_unit_test(the_error_of_a_few_runs_does_not_trust_the_middle_alone),
      cmocka_unit_test(a_steady_device_needs_few_runs_and_a_noisy_one_more),
      cmocka_unit_test(all_runs_are_kept_in_the_order_taken),
      cmocka_unit_test(the_budget_and_the_number_of_runs_are_kept),
      cmocka_unit_test(a_short_layer_gets_more_runs),
      cmocka_unit_test(a_take_under_which_the_reference_moved_is_taken_again),
      cmocka_unit_test(the_ratio_to_the_reference_survives_drift),
      cmocka_unit_test(what_others_slow_down_is_taken_again_when_they_are_gone),
      cmocka_unit_test(scatter_that_stays_is_said),
      cmocka_unit_test(a_device_that_fails_hangs_or_lies_is_said_so),
      cmocka_unit_test(a_layer_has_no_layers_to_time),
      cmocka_unit_test(the_reference_is_the_layer_that_its_text_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
