/* The simulated device behind `sloe agent`: what it tells over the pipe is what it tells here. */
#include "campaign/bench.h"
#include "unit/agent_files.h"
#include "unit/store_files.h"

#define NETWORK SLOE_SOURCE_DIR "/data/models/tv_squeezenet1_1.onnx"

static void it_says_who_the_device_is(void **state) {
  static const char backend[] = "sim:threads=2,precision=fp16,batch=4,runtime=cudnn";
  char text[700];
  (void)state;
  snprintf(text, sizeof text, "%s%s", SERVES, backend);
  sloe_device *here = device_open(backend), *there = device_open(text);
  const sloe_device_info *a = sloe_device_describe(here), *b = sloe_device_describe(there);
  assert_string_equal(a->device, b->device);
  assert_string_equal(a->title, b->title);
  assert_string_equal(a->runtime, b->runtime);
  assert_string_equal(a->version, b->version);
  assert_string_equal(a->precision, b->precision);
  assert_string_equal(a->mode, b->mode);
  assert_int_equal(a->batch, b->batch);
  assert_int_equal(a->threads, b->threads);
  assert_int_equal(a->fusion.runtime, b->fusion.runtime);
  assert_int_equal(a->fusion.precision, b->fusion.precision);
  assert_true(a->memory_mb == b->memory_mb);
  assert_int_equal(b->n_environment, a->n_environment + 1);
  assert_string_equal(b->environment[a->n_environment].key, "agent");
  assert_string_equal(b->environment[a->n_environment].value, sloe_version());
  assert_string_equal(sloe_device_backend(there), text);
  sloe_device_close(there);
  sloe_device_close(here);
  assert_no_child();
}

static void every_run_of_a_layer_is_the_same_over_the_pipe(void **state) {
  (void)state;
  sloe_device *here = device_open("sim:seed=7,drift=0.1"),
              *there = device_open(SERVES "sim:seed=7,drift=0.1");
  sloe_timing a = device_time(here, CONV_A, NULL), b = device_time(there, CONV_A, NULL);
  assert_int_equal(a.n_runs, b.n_runs);
  assert_memory_equal(a.runs_ns, b.runs_ns, a.n_runs * sizeof *a.runs_ns);
  assert_true(a.host_ns == b.host_ns && a.ref_before_ns == b.ref_before_ns);
  sloe_timing_fini(&a);
  sloe_timing_fini(&b);
  sloe_device_close(here);
  sloe_device_close(there);
}

typedef struct told {
  sloe_timing whole, layers;
  sloe_device_memory memory;
  sloe_device_sensor power;
} told;

static told ask_network(const char *backend, const char *net_text) {
  sloe_device *device = device_open(backend);
  sloe_net *net;
  sloe_layers *layers;
  sloe_job *job;
  sloe_error err;
  told t;
  assert_ok(sloe_net_open(net_text, NULL, &net, &err), err);
  assert_ok(sloe_layers_new(net, &sloe_device_describe(device)->fusion, &layers, &err), err);
  assert_ok(sloe_device_load_network(device, layers, &job, &err), err);
  assert_ok(sloe_time_job(device, job, NULL, &t.whole, &err), err);
  assert_ok(sloe_time_layers(device, job, NULL, &t.layers, &err), err);
  assert_ok(sloe_job_memory(job, &t.memory, &err), err);
  assert_ok(sloe_device_sensor_read(device, &t.power, &err), err);
  assert_int_equal(t.layers.n_layers, sloe_layers_count(layers));
  t.memory.kind = t.memory.kind[0] == 'p' ? "process" : ""; /* one that outlives the device */
  t.power.rail = t.power.rail[0] == 'd' ? "device" : "";
  sloe_job_unload(job);
  sloe_layers_free(layers);
  sloe_net_free(net);
  sloe_device_close(device);
  return t;
}

static void assert_same_network(const char *net) {
  told a = ask_network("sim:power=7", net), b = ask_network(SERVES "sim:power=7", net);
  const size_t n = a.layers.n_layers * a.layers.n_runs;
  assert_int_equal(a.whole.n_runs, b.whole.n_runs);
  assert_memory_equal(a.whole.runs_ns, b.whole.runs_ns, a.whole.n_runs * sizeof(uint64_t));
  assert_int_equal(a.layers.n_runs, b.layers.n_runs);
  assert_int_equal(a.layers.n_layers, b.layers.n_layers);
  assert_memory_equal(a.layers.layer_runs_ns, b.layers.layer_runs_ns, n * sizeof(uint64_t));
  assert_memory_equal(&a.memory, &b.memory, 4 * sizeof(double));
  assert_string_equal(a.memory.kind, b.memory.kind);
  assert_true(a.power.power_w == b.power.power_w && a.power.energy_mj == b.power.energy_mj);
  assert_string_equal(a.power.rail, b.power.rail);
  sloe_timing_fini(&a.whole);
  sloe_timing_fini(&a.layers);
  sloe_timing_fini(&b.whole);
  sloe_timing_fini(&b.layers);
}

static void a_network_is_the_same_over_the_pipe(void **state) {
  (void)state;
  assert_same_network(NETWORK);
  assert_same_network("zoo:random,seed=5,blocks=3");
  assert_no_child();
}

static void an_agent_may_stand_behind_an_agent(void **state) {
  (void)state;
  sloe_device *here = device_open("sim:noise=0"),
              *there = device_open(SERVES "\"" SERVES "sim:noise=0\"");
  assert_true(device_median(here, CONV_A) == device_median(there, CONV_A));
  sloe_device_close(here);
  sloe_device_close(there);
}

static void power_is_the_same_over_the_pipe(void **state) {
  (void)state;
  sloe_device *here = device_open("sim:power=80,idle=30"),
              *there = device_open(SERVES "sim:power=80,idle=30");
  sloe_job *a = device_layer(here, CONV_A), *b = device_layer(there, CONV_A);
  sloe_power p, q;
  sloe_error err;
  assert_ok(sloe_power_job(here, a, NULL, &p, &err), err);
  assert_ok(sloe_power_job(there, b, NULL, &q, &err), err);
  assert_string_equal(p.rail, q.rail);
  assert_memory_equal(&p, &q, offsetof(sloe_power, rail));
  assert_true(q.power_w > 79 && q.peak_w > 80 && q.idle_w > 29);
  sloe_job_unload(a);
  sloe_job_unload(b);
  sloe_device_close(here);
  sloe_device_close(there);
  there = device_open(SERVES "sim");
  b = device_layer(there, CONV_A);
  assert_ok(sloe_power_job(there, b, NULL, &q, &err), err);
  assert_true(isnan(q.power_w) && !*q.rail && !q.inferences);
  sloe_job_unload(b);
  sloe_device_close(there);
}

/* The simulated device's layers are the faster of two kernels. */
static void kernels_are_the_same_over_the_pipe(void **state) {
  static const char *const specs[] = {CONV_A, "op=fc,c=100,k=90", "op=fc,c=512,k=2000"};
  (void)state;
  sloe_device *here = device_open("sim:kernels=2"), *there = device_open(SERVES "sim:kernels=2");
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    sloe_job *a = device_layer(here, specs[i]), *b = device_layer(there, specs[i]);
    sloe_text p = {0}, q = {0};
    sloe_layer_spec spec;
    sloe_error err;
    assert_true(*sloe_job_kernels(a));
    assert_string_equal(sloe_job_kernels(a), sloe_job_kernels(b));
    assert_string_equal(sloe_job_choice(a, 0), sloe_job_choice(b, 0));
    assert_string_equal(sloe_job_choice(b, 1), "");
    assert_ok(sloe_layer_spec_parse(specs[i], &spec, &err), err);
    assert_ok(sloe_device_proposals(here, &spec, &p, &err), err);
    assert_ok(sloe_device_proposals(there, &spec, &q, &err), err);
    assert_string_equal(p.data, q.data);
    sloe_text_fini(&p);
    sloe_text_fini(&q);
    sloe_job_unload(a);
    sloe_job_unload(b);
  }
  sloe_device_close(here);
  sloe_device_close(there);
}

static void one_without_proposals_says_so(void **state) {
  (void)state;
  sloe_device *device = device_open(STAND_IN);
  sloe_layer_spec spec = sloe_layer_spec_none();
  sloe_text text = {0};
  sloe_error err;
  assert_refused(sloe_device_proposals(device, &spec, &text, &err), SLOE_UNSUPPORTED, err,
                 "the agent cannot be asked which kernels it would try");
  sloe_device_close(device);
}

/* An agent of the first protocol tells what was drawn since the last time. */
static void an_agent_without_the_op_sensor_is_asked_for_power(void **state) {
  (void)state;
  sloe_device *device = device_open(STAND_IN);
  sloe_job *job = device_layer(device, CONV_A);
  sloe_device_sensor a, b;
  sloe_error err;
  uint64_t n;
  assert_ok(sloe_device_sensor_read(device, &a, &err), err);
  assert_ok(sloe_job_load(job, 3000, &n, &err), err);
  assert_true(n >= 1 && n <= 2); /* of 2 us each, and of more on the wall */
  assert_ok(sloe_device_rest(device, 1000000, &err), err);
  assert_ok(sloe_device_sensor_read(device, &b, &err), err);
  assert_true(a.power_w == 2.5 && a.energy_mj == 3 && b.energy_mj == 6);
  assert_true(b.at_ns - a.at_ns >= 1000000);
  assert_string_equal(b.rail, "gpu");
  sloe_job_unload(job);
  sloe_device_close(device);
  assert_no_child();
}

static void what_is_refused_there_is_refused_here_and_the_agent_lives_on(void **state) {
  (void)state;
  sloe_device *device = device_open(SERVES "sim:memory_mb=100");
  const sloe_layer_spec large = spec_of("op=fc,c=10000,k=10000");
  sloe_job *job = (sloe_job *)device;
  sloe_error err;
  assert_refused(sloe_device_load_layer(device, &large, &job, &err), SLOE_UNSUPPORTED, err,
                 "do not fit into 100 MB");
  assert_null(job);
  assert_true(device_median(device, CONV_A) > 0);
  sloe_device_close(device);
}

static void a_backend_that_cannot_be_opened_there_says_why(void **state) {
  static const struct {
    const char *backend;
    sloe_status status;
    const char *says;
  } rows[] = {{SERVES "nosuch", SLOE_USAGE, "no backend 'nosuch'"},
              {SERVES "sim:kw=0", SLOE_USAGE, "kw: '0' is not a whole number"},
              {SERVES "replay:file=nowhere.csv", SLOE_NOTFOUND, "nowhere.csv"}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_device *device = (sloe_device *)&rows;
    sloe_error err;
    assert_refused(sloe_device_open(rows[i].backend, NULL, &device, &err), rows[i].status, err,
                   rows[i].says);
    assert_null(device);
  }
  assert_no_child();
}

static void a_device_that_fails_or_lies_there_does_so_here(void **state) {
  static const char *const rows[][2] = {
      {SERVES "sim:fail_after=3", "failed, as planted, after 3 runs"},
      {SERVES "sim:lie_after=3,lie=0", "its clock stands"},
      {SERVES "sim:lie_after=3,lie=1", "runs backwards"},
      {SERVES "sim:lie_after=3,lie=2", "where the caller waited"}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_device *device = device_open(rows[i][0]);
    sloe_job *job = device_layer(device, CONV_A);
    sloe_timing timing;
    sloe_error err;
    assert_refused(sloe_time_job(device, job, NULL, &timing, &err), SLOE_DEVICE, err, rows[i][1]);
    sloe_job_unload(job);
    sloe_device_close(device);
  }
  assert_no_child();
}

/* A heart that beats beside a run of 2.5 s. */
static void a_long_run_is_waited_for(void **state) {
  (void)state;
  sloe_device *device = device_open(SERVES "sim:noise=0,sleep_us=2500000");
  sloe_job *job = device_layer(device, CONV_A);
  const sloe_timing_options once = {.warmup = -1, .min_runs = 1, .max_runs = 1, .ref_runs = -1};
  sloe_timing timing;
  sloe_error err;
  assert_ok(sloe_time_job(device, job, &once, &timing, &err), err);
  assert_int_equal(timing.n_runs, 1);
  sloe_timing_fini(&timing);
  sloe_job_unload(job);
  sloe_device_close(device);
}

/* ---- campaigns (whole profiles: kill/run.sh) ---- */

/* A few layers, one that does not fit, and a network with its layers. */
static sloe_bench *measure_some(const char *backend, const char *db) {
  static const char *const specs[] = {CONV_A, "op=fc,c=300,k=300", "op=softmax,c=1000",
                                      "op=maxpool,c=64,h=56,w=56,kernel=3,stride=2",
                                      "op=fc,c=20000,k=20000"};
  const sloe_bench_options options = {backend, store_path(db), "plan", 0, NULL};
  sloe_bench *bench;
  sloe_net *net;
  sloe_layers *layers;
  sloe_error err;
  size_t at;
  assert_ok(sloe_bench_open(&options, &bench, &err), err);
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    const sloe_layer_spec spec = spec_of(specs[i]);
    assert_ok(sloe_bench_layer(bench, &spec, sloe_split_line, &at, &err), err);
  }
  assert_int_equal(bench->refused, 1);
  assert_ok(sloe_net_open(NETWORK, NULL, &net, &err), err);
  assert_ok(sloe_layers_new(net, &sloe_device_describe(bench->device)->fusion, &layers, &err), err);
  assert_ok(sloe_bench_network(bench, NETWORK, layers, sloe_split_network, &at, &err), err);
  sloe_layers_free(layers);
  sloe_net_free(net);
  return bench;
}

static void a_campaign_over_the_pipe_stores_what_one_without_it_stores(void **state) {
  (void)state;
  sloe_bench *a = measure_some("sim:memory_mb=500", "a.db"),
             *b = measure_some(SERVES "sim:memory_mb=500", "b.db");
  assert_true(a->n_points > 30 && a->n_points == b->n_points);
  for (size_t i = 0; i < a->n_points; i++) {
    const sloe_bench_point *p = &a->points[i], *q = &b->points[i];
    assert_string_equal(p->key, q->key);
    assert_int_equal(p->refused, q->refused);
    if (p->refused) continue;
    assert_true(p->time == q->time && p->ref_ms == q->ref_ms && p->error == q->error);
    assert_true(p->p75 == q->p75 && p->p97_5 == q->p97_5);
    assert_true(p->memory_mb == q->memory_mb || (isnan(p->memory_mb) && isnan(q->memory_mb)));
  }
  sloe_bench_close(a);
  sloe_bench_close(b);
  assert_no_child();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_says_who_the_device_is),
      cmocka_unit_test(every_run_of_a_layer_is_the_same_over_the_pipe),
      cmocka_unit_test(a_network_is_the_same_over_the_pipe),
      cmocka_unit_test(an_agent_may_stand_behind_an_agent),
      cmocka_unit_test(power_is_the_same_over_the_pipe),
      cmocka_unit_test(kernels_are_the_same_over_the_pipe),
      cmocka_unit_test(one_without_proposals_says_so),
      cmocka_unit_test(an_agent_without_the_op_sensor_is_asked_for_power),
      cmocka_unit_test(what_is_refused_there_is_refused_here_and_the_agent_lives_on),
      cmocka_unit_test(a_backend_that_cannot_be_opened_there_says_why),
      cmocka_unit_test(a_device_that_fails_or_lies_there_does_so_here),
      cmocka_unit_test(a_long_run_is_waited_for),
      cmocka_unit_test_teardown(a_campaign_over_the_pipe_stores_what_one_without_it_stores,
                                store_empty_folder),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
