/* Recordings: what the simulated device did, through the store, once more from a table. */
#include "unit/device_files.h"
#include "unit/store_files.h"

static const char *const LAYERS[] = {
    "zoo:layer,op=conv,c=64,h=28,w=28,k=100,kernel=3",
    "zoo:layer,op=maxpool,c=64,h=28,w=28,kernel=3,stride=2",
    "zoo:layer,op=fc,c=512,k=1000",
};
enum { N_LAYERS = sizeof LAYERS / sizeof *LAYERS };

static sloe_store_sample sample_of(const sloe_timing *t) {
  sloe_store_sample sample = sloe_store_sample_none();
  sample.runs_ns = t->runs_ns;
  sample.n_runs = t->n_runs;
  sample.host_ns = t->host_ns;
  sample.ref_before_ns = t->ref_before_ns;
  sample.ref_after_ns = t->ref_before_ns; /* so that their mean reads back the same */
  sample.quality = t->noisy ? SLOE_STORE_QUALITY_NOISY : SLOE_STORE_QUALITY_OK;
  sample.memory_mb = 12.5;
  sample.memory_kind = "process";
  return sample;
}

static void record(sloe_store *store, const sloe_store_visit *visit, sloe_store_kind kind,
                   const char *key, const sloe_timing *t) {
  const sloe_store_point point = {.kind = kind, .key = key};
  const sloe_store_sample sample = sample_of(t);
  int64_t id;
  sloe_error err;
  assert_ok(sloe_store_add_points(store, visit->campaign, &point, 1, &id, &err), err);
  assert_ok(sloe_store_add_samples(store, visit, id, &sample, 1, &DONE, &err), err);
}

/* Times the layers on the simulated device and writes the recording. */
static void make_recording(sloe_timing timings[N_LAYERS], const char *path) {
  const sloe_store_identity identity = {"sim", "onednn", "1", "fp32", "t2", 1, 2};
  const sloe_store_export options = {.runs = 1};
  sloe_device *device = device_open("sim:threads=2,seed=3");
  sloe_store *store = store_open("a.db", SLOE_STORE_WRITE);
  sloe_store_visit visit;
  sloe_error err;
  assert_ok(sloe_store_begin(store, &PLAN, &identity, NULL, 0, &visit, &err), err);
  for (int i = 0; i < N_LAYERS; i++) {
    timings[i] = device_time(device, LAYERS[i], NULL);
    record(store, &visit, SLOE_STORE_LAYER, LAYERS[i], &timings[i]);
  }
  record(store, &visit, SLOE_STORE_NETWORK, "some/where/tv_resnet18.onnx", &timings[0]);
  assert_ok(sloe_store_export_file(store, &options, path, &err), err);
  sloe_store_close(store);
  sloe_device_close(device);
}

static sloe_device *open_recording(const char *path) {
  char backend[1100];
  snprintf(backend, sizeof backend, "replay:file=%s", path);
  return device_open(backend);
}

static void a_replayed_timing_is_the_recorded_one(void **state) {
  (void)state;
  const char *path = store_path("a.csv.gz");
  sloe_timing recorded[N_LAYERS];
  make_recording(recorded, path);
  sloe_device *device = open_recording(path);
  for (int i = 0; i < N_LAYERS; i++) {
    sloe_timing t = device_time(device, LAYERS[i], NULL);
    assert_int_equal(t.n_runs, recorded[i].n_runs);
    assert_memory_equal(t.runs_ns, recorded[i].runs_ns, t.n_runs * sizeof *t.runs_ns);
    assert_true(t.median_ns == recorded[i].median_ns && t.midmean_ns == recorded[i].midmean_ns);
    assert_true(t.ref_before_ns == recorded[i].ref_before_ns && t.ref_after_ns == t.ref_before_ns);
    sloe_timing_fini(&t);
    sloe_timing_fini(&recorded[i]);
  }
  const sloe_device_info *info = sloe_device_describe(device);
  assert_string_equal(info->device, "sim");
  assert_string_equal(info->version, "1");
  assert_string_equal(info->mode, "t2");
  assert_int_equal(info->threads, 2);
  assert_int_equal(info->fusion.runtime, SLOE_RUNTIME_ONEDNN);
  sloe_device_close(device);
}

static void a_network_is_found_by_its_name(void **state) {
  (void)state;
  const char *path = store_path("a.csv");
  sloe_timing recorded[N_LAYERS], t;
  make_recording(recorded, path);
  sloe_device *device = open_recording(path);
  sloe_net *net;
  sloe_layers *layers;
  sloe_job *job;
  sloe_device_memory memory;
  sloe_error err;
  assert_ok(sloe_net_open(SLOE_SOURCE_DIR "/data/models/tv_resnet18.onnx", NULL, &net, &err), err);
  assert_ok(sloe_layers_new(net, &sloe_device_describe(device)->fusion, &layers, &err), err);
  assert_ok(sloe_device_load_network(device, layers, &job, &err), err);
  assert_ok(sloe_time_job(device, job, NULL, &t, &err), err);
  assert_true(t.median_ns == recorded[0].median_ns);
  assert_ok(sloe_job_memory(job, &memory, &err), err);
  assert_true(memory.total_mb == 12.5 && isnan(memory.weights_mb));
  assert_string_equal(memory.kind, "process");
  sloe_timing_fini(&t);
  assert_refused(sloe_time_layers(device, job, NULL, &t, &err), SLOE_UNSUPPORTED, err,
                 "its layers were not recorded");
  for (int i = 0; i < N_LAYERS; i++) sloe_timing_fini(&recorded[i]);
  sloe_job_unload(job);
  sloe_layers_free(layers);
  sloe_net_free(net);
  sloe_device_close(device);
}

static const char *write_text(const char *text) {
  const char *path = store_path("hand.csv");
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
  return path;
}

static void layers_of_a_network_are_found_in_their_places(void **state) {
  (void)state;
  sloe_text table = {0};
  sloe_net *net;
  sloe_layers *layers;
  sloe_job *job;
  sloe_timing t;
  sloe_error err;
  assert_ok(sloe_net_open("zoo:random,seed=3", NULL, &net, &err), err);
  assert_ok(sloe_layers_new(net, &(sloe_fusion){.runtime = SLOE_RUNTIME_ONEDNN}, &layers, &err),
            err);
  sloe_text_addf(&table, "net,latency_ms,runs_ns,runtime\n\"zoo:random,seed=3\",1,900000,onednn\n");
  for (size_t i = 0; i < sloe_layers_count(layers); i++)
    if (sloe_layers_at(layers, i)->kind != SLOE_LAYER_VIEW)
      sloe_text_addf(&table, "\"zoo:random,seed=3#%zu\",1,%zu %zu %zu,onednn\n", i, 1000 + i,
                     5000 + i, 3000 + i);
  sloe_device *device = open_recording(write_text(table.data));
  assert_ok(sloe_device_load_network(device, layers, &job, &err), err);
  const sloe_timing_options three = {.min_runs = 3, .max_runs = 3};
  assert_ok(sloe_time_layers(device, job, &three, &t, &err), err);
  assert_int_equal(t.n_layers, sloe_layers_count(layers));
  for (size_t i = 0; i < t.n_layers; i++) {
    const int is_view = sloe_layers_at(layers, i)->kind == SLOE_LAYER_VIEW;
    assert_true(t.layer_ns[i] == (is_view ? 0 : (double)(3000 + i)));
    if (!is_view) assert_int_equal(t.layer_runs_ns[i], 1000 + i); /* in the order taken */
  }
  sloe_timing_fini(&t);
  sloe_job_unload(job);
  sloe_layers_free(layers);
  sloe_net_free(net);
  sloe_device_close(device);
  sloe_text_fini(&table);
}

static void what_was_not_recorded_is_unsupported(void **state) {
  (void)state;
  sloe_device *device =
      open_recording(write_text("net,latency_ms,quality\n"
                                "\"zoo:layer,op=fc,c=3\",1.5,ok\n"
                                "\"zoo:layer,op=fc,c=4\",,skipped\n"));
  static const char *const unknown[] = {"op=fc,c=4", "op=fc,c=5"};
  for (int i = 0; i < 2; i++) {
    const sloe_layer_spec spec = spec_of(unknown[i]);
    sloe_job *job;
    sloe_error err;
    assert_refused(sloe_device_load_layer(device, &spec, &job, &err), SLOE_UNSUPPORTED, err,
                   "not recorded: zoo:layer,op=fc");
    assert_null(job);
  }
  sloe_device_close(device);
}

static void of_rows_of_one_layer_the_quietest_counts(void **state) {
  (void)state;
  sloe_device *device =
      open_recording(write_text("net,latency_ms,quality,move_ms\n"
                                "\"zoo:layer,op=fc,c=3\",1.5,ok,1.2\n"
                                "\"zoo:layer,op=fc,c=3\",1.3,noisy,0.9\n"
                                "\"zoo:layer,op=fc,c=3\",1.4,ok,1.0\n"
                                "\"zoo:layer,op=fc,c=4\",2.5,noisy,\n"
                                "\"zoo:layer,op=fc,c=4\",2.4,ok,\n"
                                "\"zoo:layer,op=fc,c=4\",2.3,ok,\n"));
  sloe_timing a = device_time(device, "op=fc,c=3", NULL),
              b = device_time(device, "op=fc,c=4", NULL);
  assert_true(fabs(a.median_ns - 1.3e6) < 1 && fabs(a.move_ns - 0.9e6) < 1);
  assert_true(fabs(b.median_ns - 2.4e6) < 1 && isnan(b.move_ns));
  sloe_timing_fini(&a);
  sloe_timing_fini(&b);
  sloe_device_close(device);
}

static void a_row_without_runs_or_reference_gives_its_median(void **state) {
  (void)state;
  sloe_device *device =
      open_recording(write_text("latency_ms,net,power_w,power_rail,energy_mj\n"
                                "1.5,\"zoo:layer,op=fc,c=3\",4,gpu,6\n"));
  sloe_device_sensor power;
  sloe_error err;
  sloe_timing t = device_time(device, "op=fc,k=3,c=3", NULL); /* keys in another order */
  assert_true(t.median_ns == 1.5e6 && t.n_runs == 5);
  assert_true(isnan(t.ref_before_ns) && isnan(t.ref_after_ns) && isnan(t.host_ns));
  assert_ok(sloe_device_sensor_read(device, &power, &err), err);
  assert_true(power.power_w == 4 && power.energy_mj == 36); /* 5 runs and a warm-up */
  assert_string_equal(power.rail, "gpu");
  sloe_timing_fini(&t);
  sloe_device_close(device);
}

static void power_is_measured_as_it_was_recorded(void **state) {
  (void)state;
  sloe_device *device = open_recording(
      write_text("latency_ms,net,power_w,power_rail,peak_w,idle_w,energy_mj,memory_mb,memory_kind,"
                 "weights_mb,activations_mb,workspace_mb\n"
                 "1.5,\"zoo:layer,op=fc,c=3\",4,gpu,5,1,6.5,9,device,5,3,1\n"
                 "1.5,\"zoo:layer,op=fc,c=4\",4,gpu,,,,,,,,\n"
                 "1.5,\"zoo:layer,op=fc,c=5\",,,,,,9,device,,,\n"));
  double idle;
  sloe_error err;
  assert_ok(sloe_power_idle(device, 0, &idle, &err), err);
  assert_true(isnan(idle)); /* nothing is loaded yet: asked again below */
  sloe_job *all = device_layer(device, "op=fc,c=3"), *bare = device_layer(device, "op=fc,c=4"),
           *none = device_layer(device, "op=fc,c=5");
  sloe_device_memory memory;
  sloe_power power;
  assert_ok(sloe_power_job(device, none, NULL, &power, &err), err);
  assert_true(isnan(power.power_w) && !*power.rail && !power.inferences);
  sloe_job_unload(all);
  all = device_layer(device, "op=fc,c=3"); /* the last loaded is what the sensor sees */
  assert_ok(sloe_power_job(device, all, NULL, &power, &err), err);
  assert_true(fabs(power.power_w - 4) < 1e-6 && power.peak_w == 5);
  assert_true(fabs(power.energy_mj - 6.5) < 1e-6 && fabs(power.idle_w - 1) < 1e-6);
  assert_true(fabs(power.dynamic_mj - 6.5 * 3 / 4) < 1e-5);
  assert_ok(sloe_power_job(device, bare, NULL, &power, &err), err);
  assert_true(fabs(power.power_w - 4) < 1e-6 && fabs(power.energy_mj - 6) < 1e-6);
  assert_true(isnan(power.peak_w));
  assert_ok(sloe_job_memory(all, &memory, &err), err);
  assert_true(memory.total_mb == 9 && memory.weights_mb == 5 && memory.activations_mb == 3 &&
              memory.workspace_mb == 1);
  assert_ok(sloe_job_memory(none, &memory, &err), err);
  assert_true(memory.total_mb == 9 && isnan(memory.weights_mb));
  sloe_job_unload(all);
  sloe_job_unload(bare);
  sloe_job_unload(none);
  sloe_device_close(device);
}

static void of_several_rows_the_first_good_one_counts(void **state) {
  (void)state;
  sloe_device *device =
      open_recording(write_text("net,latency_ms,quality\n"
                                "\"zoo:layer,op=fc,c=3\",1,noisy\n"
                                "\"zoo:layer,op=fc,c=3\",2,ok\n"
                                "\"zoo:layer,op=fc,c=3\",3,ok\n"
                                "a,1,noisy\nzoo:b,1,ok\n"));
  assert_true(device_median(device, "op=fc,c=3") == 2e6);
  sloe_device_close(device);
}

static void a_reference_that_was_recorded_itself_is_taken(void **state) {
  (void)state;
  sloe_device *device =
      open_recording(write_text("net,latency_ms,ref_ms\n\"zoo:layer,op=fc,c=3\",1,2\n"
                                "\"zoo:layer,op=conv,c=64,h=28,w=28,kernel=3\",0.7,2\n"));
  sloe_timing t = device_time(device, "op=fc,c=3", NULL);
  assert_true(t.ref_before_ns == 0.7e6);
  sloe_timing_fini(&t);
  sloe_device_close(device);
}

static void a_damaged_recording_is_refused_with_its_line(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"", "hand.csv: "},
      {"net,latency\na,1\n", "line 1: no column 'latency_ms'"},
      {"network,latency_ms\na,1\n", "line 1: no column 'net'"},
      {"net,latency_ms\n", "nothing is recorded"},
      {"net,latency_ms\na,1\nb\n", "line 3: "},
      {"net,latency_ms\na,1\nb,x\n", "line 3: latency_ms is 'x'"},
      {"net,latency_ms\na,-1\n", "line 2: latency_ms"},
      {"net,latency_ms\na,0\n", "line 2: latency_ms: below"},
      {"net,latency_ms\n,1\n", "line 2: net: empty"},
      {"net,latency_ms,runs_ns\na,1,5 6\nb,1,5  6\n", "line 3: runs_ns"},
      {"net,latency_ms,runs_ns\na,1,5 0\n", "line 2: runs_ns"},
      {"net,latency_ms,runs_ns\na,1,5 6e3\n", "line 2: runs_ns"},
      {"net,latency_ms\n\"zoo:layer,op=conv,z=1\",1\n", "line 2: net: layer: key 'z'"},
      {"net,latency_ms,device\na,1,x\nb,1,y\n", "line 3: device: another"},
      {"net,latency_ms,threads\na,1,1\nb,1,2\n", "line 3: threads: another"},
      {"net,latency_ms,precision\na,1,fp8\n", "line 2: precision"},
      {"net,latency_ms,memory_mb\na,1,3\n", "line 2: memory_kind: empty"},
      {"net,latency_ms,power_w\na,1,3\n", "line 2: power_rail: empty"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char backend[1100];
    snprintf(backend, sizeof backend, "replay:file=%s", write_text(cases[i].text));
    sloe_device *device;
    sloe_error err;
    assert_refused(sloe_device_open(backend, NULL, &device, &err), SLOE_FORMAT, err,
                   cases[i].message);
    assert_null(device);
  }
}

static void a_recording_must_be_named_and_be_there(void **state) {
  (void)state;
  sloe_device *device;
  sloe_error err;
  assert_refused(sloe_device_open("replay", NULL, &device, &err), SLOE_USAGE, err, "file=PATH");
  assert_refused(sloe_device_open("replay:file=", NULL, &device, &err), SLOE_USAGE, err, "file=");
  assert_refused(sloe_device_open("replay:file=nowhere.csv", NULL, &device, &err), SLOE_NOTFOUND,
                 err, "nowhere.csv");
  assert_null(device);
}

static const char *environment_of(const sloe_device_info *info, const char *key) {
  for (size_t i = 0; i < info->n_environment; i++)
    if (strcmp(info->environment[i].key, key) == 0) return info->environment[i].value;
  return NULL;
}

static void a_recording_says_of_which_device_it_is(void **state) {
  (void)state;
  sloe_device *device = open_recording(
      write_text("net,latency_ms,device,runtime,env.title,env.memory_mb,env.driver,env.gpu,env.,x\n"
                 "a,1,h200,cudnn9,,,580,,z,u\n"
                 "b,1,h200,cudnn9,NVIDIA H200,150000,590,,,u\n"));
  const sloe_device_info *info = sloe_device_describe(device);
  assert_string_equal(info->title, "NVIDIA H200");
  assert_true(info->memory_mb == 150000);
  assert_string_equal(environment_of(info, "driver"), "580"); /* the first */
  assert_int_equal(info->n_environment, 1); /* nothing of what is empty or no environment's */
  assert_int_equal(info->fusion.runtime, SLOE_RUNTIME_CUDNN);
  sloe_device_close(device);
}

static void without_an_environment_the_device_is_called_by_its_name(void **state) {
  (void)state;
  sloe_device *device =
      open_recording(write_text("net,latency_ms,device,env.memory_mb\na,1,h200,much\n"));
  const sloe_device_info *info = sloe_device_describe(device);
  assert_string_equal(info->title, "h200");
  assert_true(isnan(info->memory_mb) && info->n_environment == 0);
  sloe_device_close(device);
}

static sloe_status open_with_units(const char *units, sloe_device **device, sloe_error *err) {
  char backend[1100];
  snprintf(backend, sizeof backend, "replay:file=%s,multiprocessors=%s",
           write_text("net,latency_ms,env.multiprocessors,env.gpu\na,1,78,a GPU\n"), units);
  return sloe_device_open(backend, NULL, device, err);
}

/* Whatever the recording says. */
static void the_units_of_the_device_may_be_told(void **state) {
  (void)state;
  sloe_device *device;
  sloe_error err;
  assert_ok(open_with_units("132", &device, &err), err);
  const sloe_device_info *info = sloe_device_describe(device);
  assert_int_equal(info->n_environment, 2);
  assert_string_equal(environment_of(info, "multiprocessors"), "132");
  assert_string_equal(environment_of(info, "gpu"), "a GPU");
  sloe_device_close(device);
  assert_refused(open_with_units("many", &device, &err), SLOE_USAGE, err,
                 "multiprocessors: 'many'");
  assert_refused(open_with_units("0", &device, &err), SLOE_USAGE, err, "1..1048576");
  assert_null(device);
}

/* What each kernel took comes back as it was recorded, of layers alone. */
static void kernels_are_told_as_recorded(void **state) {
  (void)state;
  char backend[1100];
  sloe_layer_spec spec;
  sloe_device *device;
  sloe_job *job;
  sloe_error err;
  snprintf(backend, sizeof backend, "replay:file=%s",
           write_text("net,latency_ms,kernels\n\"zoo:layer,op=fc,c=3\",1,eng=1:5.0 eng=2:7.5\n"
                      "\"zoo:layer,op=fc,c=4\",1,\n"));
  assert_ok(sloe_device_open(backend, NULL, &device, &err), err);
  assert_ok(sloe_layer_spec_parse("zoo:layer,op=fc,c=3", &spec, &err), err);
  assert_ok(sloe_device_load_layer(device, &spec, &job, &err), err);
  assert_string_equal(sloe_job_kernels(job), "eng=1:5.0 eng=2:7.5");
  sloe_job_unload(job);
  assert_ok(sloe_layer_spec_parse("zoo:layer,op=fc,c=4", &spec, &err), err);
  assert_ok(sloe_device_load_layer(device, &spec, &job, &err), err);
  assert_string_equal(sloe_job_kernels(job), "");
  sloe_job_unload(job);
  sloe_device_close(device);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  char backend[1100];
  snprintf(backend, sizeof backend, "replay:file=%s",
           write_text("net,latency_ms,runs_ns\na,1,5 6\n\"zoo:layer,op=fc,c=3\",1,7\n"));
  const long live = sloe_alloc_live();
  sloe_status status = SLOE_NOMEM;
  for (long n = 0; status != SLOE_OK; n++) {
    sloe_device *device;
    assert_true(n < 1000);
    sloe_alloc_fail_after(n);
    status = sloe_device_open(backend, NULL, &device, NULL);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_int_equal(status, SLOE_NOMEM);
    sloe_device_close(device);
    assert_int_equal(sloe_alloc_live(), live);
  }
}

#define TEST(name) cmocka_unit_test_teardown(name, store_empty_folder)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_replayed_timing_is_the_recorded_one),
      TEST(a_network_is_found_by_its_name),
      TEST(layers_of_a_network_are_found_in_their_places),
      TEST(what_was_not_recorded_is_unsupported),
      TEST(of_rows_of_one_layer_the_quietest_counts),
      TEST(a_row_without_runs_or_reference_gives_its_median),
      TEST(power_is_measured_as_it_was_recorded),
      TEST(of_several_rows_the_first_good_one_counts),
      TEST(a_reference_that_was_recorded_itself_is_taken),
      TEST(a_damaged_recording_is_refused_with_its_line),
      TEST(a_recording_must_be_named_and_be_there),
      TEST(a_recording_says_of_which_device_it_is),
      TEST(without_an_environment_the_device_is_called_by_its_name),
      TEST(the_units_of_the_device_may_be_told),
      TEST(kernels_are_told_as_recorded),
      TEST(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
