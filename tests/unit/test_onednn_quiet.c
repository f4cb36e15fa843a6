/* How busy others keep memory, as the backend onednn tells, and what it leaves behind. */
#define _GNU_SOURCE /* sched_getaffinity */
#include <sched.h>

#include "unit/onednn_check.h"

static cpu_set_t processors(void) {
  cpu_set_t set;
  assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
  return set;
}

static void a_thread_goes_to_one_processor_and_may_go_anywhere_afterwards(void **state) {
  const cpu_set_t before = processors();
  onednn_device *device = open_onednn();
  double ns, usual_ns;
  sloe_error err;
  (void)state;
  for (int i = 0; i < 3; i++) {
    assert_ok(sloe_backend_onednn.quiet(device, i < 2, &ns, &usual_ns, &err), err);
    /* 50 MB are moved: not at 500 GB/s, and not at 50 MB/s */
    assert_true(ns > 1e5 && ns < 1e9 && usual_ns > 1e5 && usual_ns < 1e9);
    const cpu_set_t now = processors();
    assert_int_equal(CPU_COUNT(&now), 1);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
      assert_true(CPU_ISSET(cpu, &before) || !CPU_ISSET(cpu, &now));
  }
  sloe_backend_onednn.close(device);
  const cpu_set_t after = processors();
  assert_true(CPU_EQUAL(&before, &after));
}

static onednn_device *open_with(const char *key, const char *value) {
  const sloe_backend_options options = {.pair = {{key, value}}, .n = 1};
  sloe_device_info info;
  sloe_error err;
  void *state;
  assert_ok(sloe_backend_onednn.open(&options, &state, &info, &err), err);
  return state;
}

/* All of them together go nowhere: where there are two threads, none is moved. */
static void two_threads_stay_where_they_are(void **state) {
  const cpu_set_t before = processors();
  onednn_device *device = open_with("threads", "2");
  double ns, usual_ns;
  sloe_error err;
  (void)state;
  assert_ok(sloe_backend_onednn.quiet(device, 1, &ns, &usual_ns, &err), err);
  const cpu_set_t now = processors();
  assert_true(CPU_EQUAL(&before, &now) && ns > 5e4);
  sloe_backend_onednn.close(device);
}

static void a_device_of_little_memory_is_not_watched(void **state) {
  onednn_device *device = open_with("max_mb", "16");
  double ns, usual_ns;
  sloe_error err;
  (void)state;
  for (int i = 0; i < 2; i++) {
    assert_ok(sloe_backend_onednn.quiet(device, 1, &ns, &usual_ns, &err), err);
    assert_true(isnan(ns) && isnan(usual_ns));
  }
  sloe_backend_onednn.close(device);
}

static void memory_that_runs_out_is_said(void **state) {
  sloe_error err;
  double ns, usual_ns;
  (void)state;
  for (long i = 0;; i++) {
    onednn_device *device = open_onednn();
    sloe_alloc_fail_after(i);
    const sloe_status status = sloe_backend_onednn.quiet(device, 1, &ns, &usual_ns, &err);
    sloe_alloc_fail_after(-1);
    sloe_backend_onednn.close(device);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
    assert_true(i < 200);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_thread_goes_to_one_processor_and_may_go_anywhere_afterwards),
      cmocka_unit_test(two_threads_stay_where_they_are),
      cmocka_unit_test(a_device_of_little_memory_is_not_watched),
      cmocka_unit_test(memory_that_runs_out_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
