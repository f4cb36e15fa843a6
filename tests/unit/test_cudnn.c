/* The backend cudnn on a GPU: lone layers against naive loops, and what it refuses. */
#include <time.h>

#include "device/opened.h"
#include "unit/cudnn_check.h"
#include "unit/layer_check.h"

static double norm_at(const sloe_layer_spec *s, double x, int64_t c) {
  (void)s;
  return x * content("factors", (size_t)c) + content("offsets", (size_t)c);
}

/* ---- what the other tests have no reference for ---- */

static void check_softmax(const sloe_layer_spec *s, const float *got) {
  const int64_t inside = s->h * s->w;
  for (int64_t n = 0; n < s->n; n++)
    for (int64_t i = 0; i < inside; i++) {
      double sum = 0;
      for (int64_t c = 0; c < s->c; c++)
        sum += exp((double)content("src", (size_t)((n * s->c + c) * inside + i)));
      for (int64_t c = 0; c < s->c; c++) {
        const size_t at = (size_t)((n * s->c + c) * inside + i);
        assert_near(at, got[at], exp((double)content("src", at)) / sum);
      }
    }
}

static void check_reduce(const sloe_layer_spec *s, const float *got) {
  const int64_t inside = s->h * s->w;
  for (int64_t n = 0; n < s->n; n++)
    for (int64_t i = 0; i < inside; i++) {
      double sum = 0;
      for (int64_t c = 0; c < s->c; c++)
        sum += content("src", (size_t)((n * s->c + c) * inside + i));
      assert_near((size_t)i, got[n * inside + i], sum / (double)s->c);
    }
}

static void check_layer_norm(const sloe_layer_spec *s, const float *got) {
  const int64_t image = s->h * s->w, m = image > 1 ? image : s->c;
  const int64_t rows = s->n * s->c * image / m;
  for (int64_t r = 0; r < rows; r++) {
    double mean = 0, var = 0;
    for (int64_t i = 0; i < m; i++) mean += content("src", (size_t)(r * m + i)) / (double)m;
    for (int64_t i = 0; i < m; i++)
      var += pow(content("src", (size_t)(r * m + i)) - mean, 2) / (double)m;
    for (int64_t i = 0; i < m; i++) {
      const double x = (content("src", (size_t)(r * m + i)) - mean) / sqrt(var + 1e-5);
      assert_near((size_t)i, got[r * m + i],
                  x * content("factors", (size_t)i) + content("offsets", (size_t)i));
    }
  }
}

static void check_lrn(const sloe_layer_spec *s, const float *got) {
  for (int64_t c = 0; c < s->c; c++)
    for (int64_t i = 0; i < s->h * s->w; i++) {
      double sum = 0;
      for (int64_t k = c - 2; k <= c + 2; k++)
        if (k >= 0 && k < s->c) sum += pow(src_at(s, 0, k, i / s->w, i % s->w), 2);
      const double x = src_at(s, 0, c, i / s->w, i % s->w);
      assert_near((size_t)i, got[c * s->h * s->w + i], x * pow(1 + 1e-4 / 5 * sum, -0.75));
    }
}

static void check_transpose(const sloe_layer_spec *s, const float *got) {
  for (int64_t i = 0; i < s->h * s->w; i++)
    for (int64_t c = 0; c < s->c; c++)
      assert_near((size_t)i, got[i * s->c + c], src_at(s, 0, c, i / s->w, i % s->w));
}

/* Every output is a sum over the inputs that reach it. */
static void check_deconv(const sloe_layer_spec *s, const float *got) {
  for (int64_t k = 0; k < s->k; k++)
    for (int64_t y = 0; y < s->out[0]; y++)
      for (int64_t x = 0; x < s->out[1]; x++) {
        double sum = content("bias", (size_t)k);
        for (int64_t c = 0; c < s->c; c++)
          for (int64_t i = 0; i < s->kernel[0]; i++)
            for (int64_t j = 0; j < s->kernel[1]; j++) {
              const int64_t h = y + s->pad[0] - i, w = x + s->pad[1] - j;
              if (h < 0 || w < 0 || h % s->stride[0] || w % s->stride[1]) continue;
              if (h / s->stride[0] >= s->h || w / s->stride[1] >= s->w) continue;
              sum += src_at(s, 0, c, h / s->stride[0], w / s->stride[1]) *
                     content("weights",
                             (size_t)(((c * s->k + k) * s->kernel[0] + i) * s->kernel[1] + j));
            }
        const size_t at = (size_t)((k * s->out[0] + y) * s->out[1] + x);
        assert_near(at, got[at], act_of(s->act, sum));
      }
}

static void check_concat(const sloe_layer_spec *s, const float *got) {
  const int64_t each = s->c / s->parts, first = s->c - each * (s->parts - 1), image = s->h * s->w;
  for (int64_t c = 0; c < s->c; c++)
    for (int64_t i = 0; i < image; i++) {
      const int64_t of_part = c < first ? c : (c - first) % each;
      assert_near((size_t)i, got[c * image + i], content("src", (size_t)(of_part * image + i)));
    }
}

/* ---- running ---- */

typedef void (*check_fn)(const sloe_layer_spec *s, const float *got);
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
#define CHECK_SPECS(check, ...)                   \
  check_specs((const char *const[]){__VA_ARGS__}, \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), check)

/* ---- tests ---- */

static void convolutions_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_conv, "op=conv,c=3,h=17,w=19,k=16,kernel=3,stride=2,act=relu",
              "op=conv,c=32,h=9,w=9,k=24,kernel=1,act=swish", "op=conv,c=16,h=9,w=9,k=16,kernel=3",
              "op=conv,c=32,h=9,w=9,k=32,kernel=3,groups=32,act=hardswish",
              "op=conv,c=32,h=12,w=10,k=64,kernel=3,groups=4,act=hardsigmoid",
              "op=conv,n=2,c=16,h=15,w=15,k=16,kernel=3,dilation=2,act=clip",
              "op=conv,c=20,h=8,w=8,k=12,kernel=1x7,act=gelu,add=1",
              "op=conv,c=16,h=14,w=14,k=16,kernel=3,stride=2,pad=0,out=7,add=1,act=relu",
              "op=conv,c=16,h=14,w=14,k=32,kernel=1,stride=2,act=leaky",
              "op=conv,c=48,h=7,w=7,k=48,kernel=5,groups=48,stride=2,act=sigmoid",
              "op=conv,c=16,h=5,w=5,k=16,kernel=3,act=erf");
}

static void transposed_convolutions_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_deconv, "op=deconv,c=16,h=7,w=7,k=8,kernel=4,stride=2,pad=1,act=relu",
              "op=deconv,c=8,h=5,w=6,k=16,kernel=2,stride=2,pad=0");
}

static void layers_that_keep_channels_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_image, "op=maxpool,c=20,h=13,w=12,kernel=3,stride=2",
              "op=maxpool,c=3,h=8,w=8,kernel=2,stride=2,pad=0",
              "op=avgpool,c=24,h=11,w=11,kernel=3,stride=1",
              "op=maxpool,c=16,h=8,w=8,kernel=3,stride=2,pad=0,out=4",
              "op=batchnorm,c=20,h=6,w=6,act=relu", "op=batchnorm,c=20,h=6,w=6,act=swish",
              "op=globalpool,c=40,h=7,w=5", "op=resize,c=16,h=4,w=5,out=8x10",
              "op=activation,c=10,h=6,w=6,act=hardsigmoid", "op=activation,c=12,h=6,w=6,act=erf",
              "op=activation,c=16,h=3,w=3,act=tanh", "op=binary,c=24,h=6,w=5,with=full",
              "op=binary,n=2,c=24,h=6,w=5,with=channel", "op=binary,c=12,h=6,w=5,with=scalar",
              "op=binary,c=12,h=6,w=5,with=row,act=relu", "op=slice,c=24,h=5,w=5,k=10",
              "op=copy,c=5,h=6,w=7", "op=reorder,c=24,h=6,w=7");
}

static void products_compute_what_their_specs_say(void **state) {
  (void)state;
  CHECK_SPECS(check_product, "op=fc,c=70,k=33", "op=fc,n=5,c=16,k=24,act=relu,add=1",
              "op=fc,n=3,c=16,k=24,act=gelu", "op=matmul,n=3,h=5,c=7,k=6",
              "op=matmul,h=8,c=8,k=8,act=relu");
}

static void every_other_kind_of_layer_computes_what_its_spec_says(void **state) {
  (void)state;
  CHECK_SPECS(check_softmax, "op=softmax,n=2,c=50", "op=softmax,c=7,w=9");
  CHECK_SPECS(check_reduce, "op=reduce,n=3,c=10,w=4", "op=reduce,n=2,c=300");
  CHECK_SPECS(check_layer_norm, "op=layernorm,n=9,c=32", "op=layernorm,c=8,h=5,w=5");
  CHECK_SPECS(check_lrn, "op=lrn,c=32,h=6,w=6");
  CHECK_SPECS(check_transpose, "op=transpose,c=6,h=4,w=5");
  CHECK_SPECS(check_concat, "op=concat,c=25,h=4,w=4,parts=3");
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
      cmocka_unit_test(a_linear_resize_stays_between_its_neighbours),
      cmocka_unit_test(a_layer_beyond_the_limits_is_not_for_this_device),
      cmocka_unit_test(with_cold_weights_each_launch_reads_its_own),
      cmocka_unit_test(memory_that_runs_out_is_said_and_nothing_is_kept),
      cmocka_unit_test(a_load_counts_what_it_ran_and_has_power_where_there_is_a_sensor),
      cmocka_unit_test(it_says_who_measures_and_what_a_job_holds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
