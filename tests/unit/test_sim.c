/* The simulated device: what is planted is what is measured. */
#include <time.h>

#include "unit/device_files.h"

static void near(double got, double want) {
  if (!(fabs(got - want) <= 1e-4 * fabs(want))) fail_msg("%.17g is not %.17g", got, want);
}

static void a_convolution_stands_on_two_staircases(void **state) {
  (void)state;
  sloe_device *device = device_open("sim:noise=0,kw=16,cw=4,ns_per_byte=0,floor_us=3,ns_per_mac=1");
  near(device_median(device, "op=conv,c=5,h=7,w=7,k=17,kernel=3"), 3000 + 49. * 9 * 8 * 32);
  near(device_median(device, "op=conv,c=8,h=7,w=7,k=32,kernel=3"), 3000 + 49. * 9 * 8 * 32);
  near(device_median(device, "op=conv,c=8,h=7,w=7,k=33,kernel=3"), 3000 + 49. * 9 * 8 * 48);
  near(device_median(device, "op=conv,c=6,h=7,w=7,k=6,groups=6,kernel=3"), 3000 + 4 * 49. * 9 * 8);
  near(device_median(device, "op=fc,c=3,k=3"), 3000 + 4 * 16.);
  sloe_device_close(device);
}

static void other_ops_cost_what_they_move(void **state) {
  (void)state;
  sloe_device *device = device_open("sim:noise=0,ns_per_byte=2,floor_us=3,ns_per_mac=0");
  near(device_median(device, "op=copy,c=10,h=10,w=10"), 3000 + 2 * 2000 * 4);
  near(device_median(device, "op=binary,c=10,h=10,w=10"), 3000 + 2 * 3000 * 4);
  sloe_device_close(device);
}

/* What a run takes of the clock on the wall is none of its time. */
static void a_device_that_sleeps_tells_the_same_times(void **state) {
  struct timespec from, to;
  (void)state;
  sloe_device *device = device_open("sim:noise=0"),
              *slow = device_open("sim:noise=0,sleep_us=3000");
  const double quick = device_median(device, "op=fc,c=3,k=3");
  clock_gettime(CLOCK_MONOTONIC, &from);
  near(device_median(slow, "op=fc,c=3,k=3"), quick);
  clock_gettime(CLOCK_MONOTONIC, &to);
  assert_true((double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec) >
              0.015);
  sloe_device_close(slow);
  sloe_device_close(device);
}

static void the_seed_decides_every_run_whatever_ran_before(void **state) {
  (void)state;
  sloe_device *a = device_open("sim:seed=7"), *b = device_open("sim:seed=7"),
              *c = device_open("sim:seed=8");
  device_median(b, "op=fc,c=3,k=3");
  sloe_timing x = device_time(a, CONV_A, NULL), y = device_time(b, CONV_A, NULL),
              z = device_time(c, CONV_A, NULL);
  assert_int_equal(x.n_runs, y.n_runs);
  assert_memory_equal(x.runs_ns, y.runs_ns, x.n_runs * sizeof *x.runs_ns);
  assert_int_not_equal(x.runs_ns[0], z.runs_ns[0]);
  sloe_timing_fini(&x);
  sloe_timing_fini(&y);
  sloe_timing_fini(&z);
  sloe_device_close(a);
  sloe_device_close(b);
  sloe_device_close(c);
}

static void outliers_are_a_share_of_the_layers_and_stay_so(void **state) {
  (void)state;
  sloe_device *clean = device_open("sim:noise=0"),
              *device = device_open("sim:noise=0,outliers=0.1");
  int slow = 0;
  for (int k = 1; k <= 300; k++) {
    char text[80];
    snprintf(text, sizeof text, "op=conv,c=64,h=8,w=8,k=%d,kernel=1", k);
    const double ratio = device_median(device, text) / device_median(clean, text);
    near(ratio, device_median(device, text) / device_median(clean, text));
    if (ratio > 1.001) {
      slow++;
      assert_true(ratio > 1.29 && ratio < 2.01);
    }
  }
  assert_in_range(slow, 15, 50);
  sloe_device_close(clean);
  sloe_device_close(device);
}

static void power_is_there_with_a_sensor_only(void **state) {
  (void)state;
  sloe_device *device = device_open("sim:power=12.5,idle=2,ripple=0,refresh_ms=0.000001,noise=0"),
              *without = device_open("sim");
  sloe_device_sensor a, b;
  sloe_error err;
  sloe_job *job = device_layer(device, CONV_A);
  sloe_timing t;
  const sloe_timing_options plain = {.ref_runs = -1, .warmup = -1};
  assert_ok(sloe_device_rest(device, 1000000, &err), err);
  assert_ok(sloe_device_sensor_read(device, &a, &err), err);
  assert_true(a.at_ns == 1000000);
  near(a.power_w, 2);
  near(a.energy_mj, 2);
  assert_ok(sloe_time_job(device, job, &plain, &t, &err), err);
  assert_ok(sloe_device_sensor_read(device, &b, &err), err);
  near(b.power_w, 12.5);
  near(b.energy_mj - a.energy_mj, 12.5 * t.median_ns * (double)t.n_runs / 1e6);
  near((double)(b.at_ns - a.at_ns), t.median_ns * (double)t.n_runs);
  assert_string_equal(b.rail, "device");
  assert_ok(sloe_device_sensor_read(without, &b, &err), err);
  assert_true(isnan(b.power_w) && isnan(b.energy_mj));
  assert_string_equal(b.rail, "");
  sloe_timing_fini(&t);
  sloe_job_unload(job);
  sloe_device_close(device);
  sloe_device_close(without);
}

static sloe_layers *layers_of(const char *path, sloe_net **net) {
  sloe_layers *layers;
  sloe_error err;
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_ONEDNN};
  assert_ok(sloe_net_open(path, NULL, net, &err), err);
  assert_ok(sloe_layers_new(*net, &fusion, &layers, &err), err);
  return layers;
}

static void a_network_is_the_sum_of_its_layers_and_an_overhead(void **state) {
  (void)state;
  sloe_net *net;
  sloe_layers *layers = layers_of(SLOE_SOURCE_DIR "/data/models/tv_resnet18.onnx", &net);
  sloe_device *device = device_open("sim:noise=0,overhead_us=50");
  sloe_job *job;
  sloe_timing whole, each;
  sloe_device_memory memory;
  sloe_error err;
  double sum = 0;
  assert_ok(sloe_device_load_network(device, layers, &job, &err), err);
  assert_ok(sloe_time_job(device, job, NULL, &whole, &err), err);
  assert_ok(sloe_time_layers(device, job, NULL, &each, &err), err);
  assert_int_equal(each.n_layers, sloe_layers_count(layers));
  for (size_t i = 0; i < each.n_layers; i++) {
    sum += each.layer_ns[i];
    assert_int_equal(each.layer_ns[i] > 0, sloe_layers_at(layers, i)->kind != SLOE_LAYER_VIEW);
  }
  near(sum, each.median_ns);
  near(whole.median_ns, sum + 50000);
  assert_ok(sloe_job_memory(job, &memory, &err), err);
  assert_true(memory.weights_mb > 46 && memory.weights_mb < 47);
  near(memory.total_mb, memory.weights_mb + memory.activations_mb + memory.workspace_mb);
  assert_string_equal(memory.kind, "process");
  sloe_timing_fini(&whole);
  sloe_timing_fini(&each);
  sloe_job_unload(job);
  sloe_device_close(device);
  sloe_layers_free(layers);
  sloe_net_free(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_convolution_stands_on_two_staircases),
      cmocka_unit_test(other_ops_cost_what_they_move),
      cmocka_unit_test(a_device_that_sleeps_tells_the_same_times),
      cmocka_unit_test(the_seed_decides_every_run_whatever_ran_before),
      cmocka_unit_test(outliers_are_a_share_of_the_layers_and_stay_so),
      cmocka_unit_test(power_is_there_with_a_sensor_only),
      cmocka_unit_test(a_network_is_the_sum_of_its_layers_and_an_overhead),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
