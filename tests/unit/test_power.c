/* Power under a steady load, by a sensor that is planted (sim_sensor.h). */
#include <string.h>
#include <time.h>

#include "device/opened.h"
#include "unit/device_files.h"

#define PLAIN   "sim:noise=0,power=100,idle=40"
#define PLANTED PLAIN ","

static void within(double got, double want, double part) {
  if (!(fabs(got - want) <= part * fabs(want))) fail_msg("%.17g is not %.17g", got, want);
}

static sloe_power power_of(sloe_device *device, const sloe_power_options *options) {
  sloe_job *job = device_layer(device, CONV_A);
  sloe_power power;
  sloe_error err;
  assert_ok(sloe_power_job(device, job, options, &power, &err), err);
  sloe_job_unload(job);
  return power;
}

static sloe_power power_on(const char *backend, const sloe_power_options *options) {
  sloe_device *device = device_open(backend);
  sloe_power power = power_of(device, options);
  power.rail = *power.rail ? "there" : ""; /* one that outlives the device */
  sloe_device_close(device);
  return power;
}

static void assert_unknown(const sloe_power *p) {
  assert_true(isnan(p->power_w) && isnan(p->peak_w) && isnan(p->energy_mj) && isnan(p->dynamic_mj));
}

static void without_a_sensor_nothing_is_run(void **state) {
  (void)state;
  const sloe_power p = power_on("sim:fail_after=0", NULL);
  assert_unknown(&p);
  assert_true(isnan(p.idle_w) && isnan(p.seconds));
  assert_string_equal(p.rail, "");
  assert_int_equal(p.inferences, 0);
}

static void mean_peak_idle_and_energy_are_those_planted(void **state) {
  (void)state;
  sloe_device *device = device_open(PLANTED "ripple=0.05");
  const double ms = device_median(device, CONV_A) / 1e6;
  sloe_device_close(device);
  const sloe_power p = power_on(PLANTED "ripple=0.05", NULL);
  within(p.power_w, 100, 0.005);
  within(p.peak_w, 105, 1e-9);
  within(p.idle_w, 40, 0.01);
  within(p.energy_mj, 100 * ms, 0.005);
  within(p.dynamic_mj, 60 * ms, 0.015);
  within(p.seconds * 1e3 / (double)p.inferences, ms, 1e-6);
  assert_true(p.seconds >= 1.2 && p.seconds < 1.4);
  assert_in_range(p.readings, 55, 70);
  assert_string_equal(p.rail, "there");
}

static void without_a_counter_the_readings_are_the_mean(void **state) {
  (void)state;
  const sloe_power p = power_on(PLANTED "counter=0,ripple=0.05", NULL);
  within(p.power_w, 100, 0.01);
  within(p.peak_w, 105, 1e-9);
  within(p.idle_w, 40, 0.02);
  assert_true(p.energy_mj > 0 && p.dynamic_mj < p.energy_mj);
}

static void a_load_lasts_as_long_as_asked_for(void **state) {
  const sloe_power_options options = {.seconds = 3, .windows = 2};
  (void)state;
  const sloe_power p = power_on(PLAIN, &options);
  assert_true(p.seconds >= 3 && p.seconds < 3.1);
  within(p.power_w, 100, 0.005);
  const sloe_power_options most = {.windows = 1000};
  within(power_on(PLAIN, &most).power_w, 100, 0.005);
}

static void a_slow_sensor_is_waited_for(void **state) {
  (void)state;
  const sloe_power p = power_on(PLANTED "refresh_ms=100,ripple=0.05", NULL);
  assert_true(p.seconds > 1.5 && p.seconds < 3.7);
  assert_true(p.readings >= 5 * 4);
  within(p.power_w, 100, 0.01);
  within(p.peak_w, 105, 1e-9);
}

/* What is not known is no number, and never 0. */
static void a_sensor_that_is_too_coarse_tells_nothing(void **state) {
  const sloe_power_options brief = {.seconds = 0.05, .windows = 1};
  (void)state;
  const sloe_power coarse = power_on(PLANTED "refresh_ms=5000", NULL),
                   nothing = power_on(PLANTED "counter=0,sensor_lie=6", NULL),
                   soon = power_on(PLANTED "refresh_ms=50", &brief);
  assert_unknown(&coarse);
  assert_unknown(&nothing);
  assert_unknown(&soon);
  assert_string_equal(coarse.rail, "there");
  assert_string_equal(nothing.rail, "there");
  assert_true(coarse.seconds > 1 && coarse.inferences > 0);
}

/* Ten steps of a counter are enough, less than two readings a window are not. */
static void a_peak_needs_two_readings_a_window(void **state) {
  const sloe_power_options options = {.windows = 20};
  (void)state;
  const sloe_power p = power_on(PLANTED "refresh_ms=150", &options);
  within(p.power_w, 100, 0.01);
  assert_true(isnan(p.peak_w));
}

static void power_below_idle_has_no_dynamic_part(void **state) {
  (void)state;
  const sloe_power p = power_on("sim:power=40,idle=100", NULL);
  within(p.power_w, 40, 0.005);
  assert_true(p.energy_mj > 0 && isnan(p.dynamic_mj));
}

static void a_sensor_that_lies_is_refused_with_what_it_said(void **state) {
  static const struct {
    const char *backend, *says;
  } cases[] = {
      {"sim:power=9,sensor_lie=1", "its sensor lies: it shows -"},
      {"sim:power=9,sensor_lie=1,sensor_lie_after=200", "its sensor lies: it shows -8.91 W"},
      {"sim:power=9,sensor_lie=2", "its sensor lies: it shows 1e+09 W"},
      {"sim:power=9,sensor_lie=3,sensor_lie_after=200", "runs backwards, from "},
      {"sim:power=9,sensor_lie=4", "the clock beside its sensor stands"},
      {"sim:power=9,sensor_lie=5,sensor_lie_after=200", "its sensor fell silent"},
      {"sim:power=9,fail_after=5", "failed, as planted"},
      {"sim:power=9,hang_after=40", "hung, as planted"}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sloe_device *device = device_open(cases[i].backend);
    sloe_job *job = device_layer(device, CONV_A);
    sloe_power power = {.power_w = 1, .rail = "gpu"};
    sloe_error err;
    assert_refused(sloe_power_job(device, job, NULL, &power, &err), SLOE_DEVICE, err,
                   cases[i].says);
    assert_unknown(&power);
    assert_string_equal(power.rail, "");
    sloe_job_unload(job);
    sloe_device_close(device);
  }
}

static void a_load_that_takes_too_long_hung(void **state) {
  const sloe_power_options hasty = {.timeout_s = 0.001};
  (void)state;
  sloe_device *device = device_open("sim:power=9,sleep_us=5000");
  sloe_job *job = device_layer(device, CONV_A);
  sloe_power power;
  sloe_error err;
  assert_refused(sloe_power_job(device, job, &hasty, &power, &err), SLOE_DEVICE, err, "hung");
  sloe_job_unload(job);
  sloe_device_close(device);
}

static void idle_is_taken_once_and_anew_when_asked(void **state) {
  (void)state;
  sloe_device *device = device_open(PLANTED "refresh_ms=30"), *without = device_open("sim");
  sloe_device_sensor before, after;
  sloe_error err;
  double a, b;
  assert_ok(sloe_power_idle(device, 0, &a, &err), err);
  within(a, 40, 0.01);
  power_of(device, NULL);
  assert_ok(sloe_device_sensor_read(device, &before, &err), err);
  assert_ok(sloe_power_idle(device, 0, &b, &err), err);
  assert_ok(sloe_device_sensor_read(device, &after, &err), err);
  assert_true(a == b && before.at_ns == after.at_ns);
  assert_ok(sloe_power_idle(device, 1, &b, &err), err);
  assert_ok(sloe_device_sensor_read(device, &after, &err), err);
  assert_true(after.at_ns - before.at_ns > 1200000000u);
  within(b, 40, 0.01); /* the load is forgotten in the pause before */
  assert_ok(sloe_power_idle(without, 1, &b, &err), err);
  assert_true(isnan(b));
  sloe_device_close(device);
  sloe_device_close(without);
}

static void reading_changes_nothing(void **state) {
  (void)state;
  sloe_device *device = device_open(PLAIN);
  sloe_device_sensor a, b;
  sloe_error err;
  power_of(device, NULL);
  assert_ok(sloe_device_sensor_read(device, &a, &err), err);
  for (int i = 0; i < 100; i++) assert_ok(sloe_device_sensor_read(device, &b, &err), err);
  assert_true(a.power_w == b.power_w && a.energy_mj == b.energy_mj && a.at_ns == b.at_ns);
  sloe_device_close(device);
}

/* What a backend without a load of its own gets. */
static void runs_one_after_the_other_are_counted(void **state) {
  static const struct {
    const char *backend, *says;
  } lies[] = {{"sim:lie_after=3,lie=0", "a run of 0 ns: its clock stands"},
              {"sim:lie_after=3,lie=1", "its clock runs backwards"},
              {"sim:fail_after=3", "failed, as planted"}};
  (void)state;
  sloe_device *device = device_open("sim:noise=0,floor_us=98,ns_per_mac=0,ns_per_byte=0");
  sloe_job *job = device_layer(device, CONV_A);
  uint64_t n;
  sloe_error err;
  assert_ok(sloe_load_by_runs(device->backend, device->state, job->state, 5000000, &n, &err), err);
  assert_int_equal(n, 50); /* the caller waits 2 us more for each */
  assert_ok(sloe_load_by_runs(device->backend, device->state, job->state, 0, &n, &err), err);
  assert_int_equal(n, 0);
  sloe_job_unload(job);
  sloe_device_close(device);
  for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
    device = device_open(lies[i].backend);
    job = device_layer(device, CONV_A);
    assert_refused(
        sloe_load_by_runs(device->backend, device->state, job->state, UINT32_MAX, &n, &err),
        SLOE_DEVICE, err, lies[i].says);
    sloe_job_unload(job);
    sloe_device_close(device);
  }
}

static void a_device_without_a_rest_of_its_own_is_slept_for(void **state) {
  struct timespec from, to;
  (void)state;
  clock_gettime(CLOCK_MONOTONIC, &from);
  sloe_rest_by_sleep(20000000);
  clock_gettime(CLOCK_MONOTONIC, &to);
  assert_true((double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec) >=
              0.02);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_a_sensor_nothing_is_run),
      cmocka_unit_test(mean_peak_idle_and_energy_are_those_planted),
      cmocka_unit_test(without_a_counter_the_readings_are_the_mean),
      cmocka_unit_test(a_load_lasts_as_long_as_asked_for),
      cmocka_unit_test(a_slow_sensor_is_waited_for),
      cmocka_unit_test(a_sensor_that_is_too_coarse_tells_nothing),
      cmocka_unit_test(a_peak_needs_two_readings_a_window),
      cmocka_unit_test(power_below_idle_has_no_dynamic_part),
      cmocka_unit_test(a_sensor_that_lies_is_refused_with_what_it_said),
      cmocka_unit_test(a_load_that_takes_too_long_hung),
      cmocka_unit_test(idle_is_taken_once_and_anew_when_asked),
      cmocka_unit_test(reading_changes_nothing),
      cmocka_unit_test(runs_one_after_the_other_are_counted),
      cmocka_unit_test(a_device_without_a_rest_of_its_own_is_slept_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
