/* The backend cudnn on a GPU: lone layers against naive loops, and what it refuses. */
#include <time.h>

#include "device/opened.h"
#include "unit/cudnn_check.h"
#include "unit/layer_check.h"

static double norm_at(const sloe_layer_spec *s, double x, int64_t c) {
  (void)s;
  return x * content("factors", (size_t)c) + content("offsets", (size_t)c);
}

static double offset_at(int64_t m, int64_t i) {
  (void)m;
  return content("offsets", (size_t)i);
}

static int64_t window_at(const sloe_layer_spec *s, int64_t c, int64_t k) {
  return c * s->k + k;
}

/* ---- running ---- */

static const char *const precisions[] = {"fp32", "tf32", "fp16"};

static void check_spec(cudnn_device *device, const char *text, check_fn check) {
  sloe_layer_spec spec;
  sloe_error err;
  uint64_t device_ns, host_ns;
  void *job;
  assert_ok(sloe_layer_spec_parse(text, &spec, &err), err);
  const sloe_status status = sloe_backend_cudnn.load_layer(device, &spec, &job, &err);
  if (status != SLOE_OK) fail_msg("%s: %s", text, err.msg);
  assert_ok(sloe_backend_cudnn.settle(device, job, &err), err);
  assert_ok(sloe_backend_cudnn.run(device, job, &device_ns, &host_ns, &err), err);
  assert_true(device_ns > 0 && host_ns >= device_ns);
  float *got = read_value(job, ((cudnn_job *)job)->output);
  print_message("%s: %llu ns, %s\n", text, (unsigned long long)device_ns,
                sloe_backend_cudnn.choice(device, job, 0));
  check(&spec, got);
  sloe_dealloc(got);
  sloe_backend_cudnn.unload(device, job);
}

static void check_specs(const char *const *specs, size_t n, check_fn check) {
  for (size_t p = 0; p < sizeof precisions / sizeof *precisions; p++) {
    cudnn_device *device = open_cudnn(precisions[p]);
    print_message("%s\n", precisions[p]);
    for (size_t i = 0; i < n; i++) check_spec(device, specs[i], check);
    sloe_backend_cudnn.close(device);
  }
}

/* Of "NAME:US NAME:US". */
static void check_names_differ(const char *kernels) {
  for (const char *a = kernels; *a; a += strcspn(a, " "), a += strspn(a, " ")) {
    const size_t n = strcspn(a, ":") + 1;
    for (const char *b = a + n; (b = strchr(b, ' ')) != NULL;)
      if (strncmp(a, ++b, n) == 0) fail_msg("two of one name: %s", kernels);
  }
}

/* ---- tests ---- */

static void convolutions_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_conv, CONV_SPECS);
}

static void transposed_convolutions_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_deconv, DECONV_SPECS);
}

static void layers_that_keep_channels_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_image, IMAGE_SPECS);
}

static void products_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_product, PRODUCT_SPECS);
}

static void every_other_kind_of_layer_computes_what_its_spec_says(void **state) {
  (void)state;
  check_other_kinds();
}

/* What a later layer of the same sizes runs is found by the name alone. */
static void each_kernel_that_is_tried_has_a_name_of_its_own(void **state) {
  static const char *const specs[] = {"op=fc,c=1024,k=256", "op=fc,n=16,c=4096,k=1000",
                                      "op=matmul,n=12,h=197,c=64,k=197",
                                      "op=conv,c=64,h=28,w=28,k=128,kernel=3"};
  (void)state;
  for (size_t p = 0; p < sizeof precisions / sizeof *precisions; p++) {
    cudnn_device *device = open_cudnn(precisions[p]);
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
      sloe_layer_spec spec;
      sloe_error err;
      void *job;
      assert_ok(sloe_layer_spec_parse(specs[i], &spec, &err), err);
      assert_ok(sloe_backend_cudnn.load_layer(device, &spec, &job, &err), err);
      check_names_differ(sloe_backend_cudnn.kernels(device, job));
      sloe_backend_cudnn.unload(device, job);
    }
    sloe_backend_cudnn.close(device);
  }
}

static void a_linear_resize_stays_between_its_neighbours(void **state) {
  (void)state;
  cudnn_device *device = open_cudnn("fp32");
  sloe_layer_spec spec;
  sloe_error err;
  uint64_t ns[2];
  void *job;
  assert_ok(sloe_layer_spec_parse("op=resize,c=1,h=1,w=2,out=1x4,linear=1", &spec, &err), err);
  assert_ok(sloe_backend_cudnn.load_layer(device, &spec, &job, &err), err);
  assert_ok(sloe_backend_cudnn.run(device, job, &ns[0], &ns[1], &err), err);
  float *got = read_value(job, ((cudnn_job *)job)->output);
  const double a = content("src", 0), b = content("src", 1);
  const double want[] = {a, 0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b, b};
  for (size_t i = 0; i < 4; i++) assert_near(i, got[i], want[i]);
  sloe_dealloc(got);
  sloe_backend_cudnn.unload(device, job);
  sloe_backend_cudnn.close(device);
}

static void a_layer_beyond_the_limits_is_not_for_this_device(void **state) {
  (void)state;
  const struct {
    const char *spec, *text;
  } rows[] = {{"op=conv,c=8192,h=512,w=1024,k=8", "max_mb"},
              {"op=conv,c=2048,h=128,w=128,k=2048,kernel=3", "max_gflop"}};
  cudnn_device *device = open_cudnn("fp32");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_layer_spec spec;
    sloe_error err;
    void *job = device;
    assert_ok(sloe_layer_spec_parse(rows[i].spec, &spec, &err), err);
    assert_refused(sloe_backend_cudnn.load_layer(device, &spec, &job, &err), SLOE_UNSUPPORTED, err,
                   rows[i].text);
    assert_null(job);
  }
  sloe_backend_cudnn.close(device);
}

static void with_cold_weights_each_launch_reads_its_own(void **state) {
  (void)state;
  const sloe_backend_options options = {.pair = {{"weights", "cold"}}, .n = 1};
  sloe_device_info info;
  sloe_layer_spec spec;
  sloe_error err;
  uint64_t ns[2];
  void *device, *job;
  sloe_backend_cudnn.close(open_cudnn("fp32"));
  assert_ok(sloe_backend_cudnn.open(&options, &device, &info, &err), err);
  ((cudnn_device *)device)->fill = fill_by_name;
  assert_string_equal(info.mode, "cold");
  assert_ok(sloe_layer_spec_parse("op=fc,c=70,k=33", &spec, &err), err);
  assert_ok(sloe_backend_cudnn.load_layer(device, &spec, &job, &err), err);
  assert_ok(sloe_backend_cudnn.settle(device, job, &err), err);
  assert_ok(sloe_backend_cudnn.run(device, job, &ns[0], &ns[1], &err), err);
  for (const cudnn_data *d = ((cudnn_job *)job)->data; d; d = d->next)
    assert_int_equal(d->copies, d->constant ? ((cudnn_job *)job)->launches : 1);
  float *got = read_value(job, ((cudnn_job *)job)->output);
  check_product(&spec, got);
  sloe_dealloc(got);
  sloe_backend_cudnn.unload(device, job);
  sloe_backend_cudnn.close(device);
}

static void memory_that_runs_out_is_said_and_nothing_is_kept(void **state) {
  (void)state;
  sloe_layer_spec spec;
  sloe_error err;
  void *job = NULL;
  cudnn_device *device = open_cudnn("fp32");
  assert_ok(sloe_layer_spec_parse("op=conv,c=8,h=8,w=8,k=8,kernel=3,add=1", &spec, &err), err);
  const long before = sloe_alloc_live();
  sloe_status status = SLOE_NOMEM;
  for (long i = 0; status != SLOE_OK; i++) {
    assert_true(i < 200);
    sloe_alloc_fail_after(i);
    status = sloe_backend_cudnn.load_layer(device, &spec, &job, &err);
    sloe_alloc_fail_after(-1);
    assert_true(status == SLOE_OK || status == SLOE_NOMEM);
    if (status != SLOE_OK) assert_null(job);
  }
  sloe_backend_cudnn.unload(device, job);
  sloe_backend_cudnn.close(device);
  assert_true(sloe_alloc_live() < before);
}

static void it_says_who_measures_and_what_a_job_holds(void **state) {
  (void)state;
  const sloe_backend_options options = {.pair = {{"precision", "tf32"}, {"batch", "3"}}, .n = 2};
  sloe_device_info info;
  sloe_device_memory memory;
  sloe_device_sensor power;
  sloe_layer_spec spec;
  sloe_error err;
  void *device, *job;
  sloe_backend_cudnn.close(open_cudnn("tf32"));
  assert_ok(sloe_backend_cudnn.open(&options, &device, &info, &err), err);
  assert_true(strspn(info.device, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(info.device));
  assert_string_equal(info.runtime, "cudnn9");
  assert_string_equal(info.precision, "fp32");
  assert_string_equal(info.mode, "tf32");
  assert_int_equal(info.batch, 3);
  for (size_t i = 0; i < info.n_environment; i++)
    print_message("%s: %s\n", info.environment[i].key, info.environment[i].value);
  assert_ok(sloe_backend_cudnn.sensor(device, &power, &err), err);
  print_message("power %g W on '%s'\n", power.power_w, power.rail);
  assert_int_equal(isnan(power.power_w) && isnan(power.energy_mj), power.rail[0] == 0);
  assert_ok(sloe_layer_spec_parse("op=fc,c=1000,k=1000", &spec, &err), err);
  assert_ok(sloe_backend_cudnn.load_layer(device, &spec, &job, &err), err);
  assert_ok(sloe_backend_cudnn.memory(device, job, &memory, &err), err);
  assert_true(memory.weights_mb >= 4.0 && memory.weights_mb < 4.5);
  assert_true(memory.activations_mb >= 0.008 && memory.activations_mb < 0.1);
  assert_true(memory.total_mb >= memory.weights_mb + memory.activations_mb);
  assert_string_equal(memory.kind, "device");
  sloe_backend_cudnn.unload(device, job);
  sloe_backend_cudnn.close(device);
}

/* No more can have ended than time went by for; what the sensor says is printed. */
static void a_load_counts_what_it_ran_and_has_power_where_there_is_a_sensor(void **state) {
  (void)state;
  struct timespec from, to;
  sloe_layer_spec spec;
  sloe_device_sensor sensor;
  sloe_power power;
  sloe_error err;
  uint64_t ns[2], n, sum = 0;
  sloe_device device = {.backend = &sloe_backend_cudnn, .state = open_cudnn("fp32")};
  sloe_job job = {.device = &device};
  assert_ok(sloe_layer_spec_parse("op=conv,c=256,h=56,w=56,k=256,kernel=3", &spec, &err), err);
  assert_ok(sloe_backend_cudnn.load_layer(device.state, &spec, &job.state, &err), err);
  assert_ok(sloe_backend_cudnn.run(device.state, job.state, &ns[0], &ns[1], &err), err);
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (int i = 0; i < 20; i++) {
    assert_ok(sloe_job_load(&job, 10000000, &n, &err), err);
    sum += n;
  }
  assert_ok(sloe_job_load(&job, 0, &n, &err), err);
  clock_gettime(CLOCK_MONOTONIC, &to);
  const double waited =
      (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
  assert_true(n > 0 && (double)(sum + n) * (double)ns[0] < 3 * waited);
  assert_ok(sloe_device_sensor_read(&device, &sensor, &err), err);
  assert_ok(sloe_power_job(&device, &job, NULL, &power, &err), err);
  assert_string_equal(power.rail, sensor.rail);
  print_message("%g W, peak %g W, idle %g W, %g mJ, %g mJ above idle; %zu readings in %g s\n",
                power.power_w, power.peak_w, power.idle_w, power.energy_mj, power.dynamic_mj,
                power.readings, power.seconds);
  sloe_backend_cudnn.unload(device.state, job.state);
  sloe_backend_cudnn.close(device.state);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolutions_compute_what_their_specs_say),
      cmocka_unit_test(transposed_convolutions_compute_what_their_specs_say),
      cmocka_unit_test(layers_that_keep_channels_compute_what_their_specs_say),
      cmocka_unit_test(products_compute_what_their_specs_say),
      cmocka_unit_test(every_other_kind_of_layer_computes_what_its_spec_says),
      cmocka_unit_test(each_kernel_that_is_tried_has_a_name_of_its_own),
      cmocka_unit_test(a_linear_resize_stays_between_its_neighbours),
      cmocka_unit_test(a_layer_beyond_the_limits_is_not_for_this_device),
      cmocka_unit_test(with_cold_weights_each_launch_reads_its_own),
      cmocka_unit_test(memory_that_runs_out_is_said_and_nothing_is_kept),
      cmocka_unit_test(a_load_counts_what_it_ran_and_has_power_where_there_is_a_sensor),
      cmocka_unit_test(it_says_who_measures_and_what_a_job_holds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
