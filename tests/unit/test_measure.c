/* Measuring whole networks, on the simulated device. */
#include "campaign/campaign.h"
#include "unit/build.h"
#include "unit/device_files.h"
#include "unit/table_text.h"

#define MODELS SLOE_SOURCE_DIR "/data/models/"

typedef struct fixture {
  sloe_session *session;
  sloe_net *net;
  sloe_layers *layers;
  sloe_measured *measured;
  const sloe_result *result;
  const sloe_measured_extra *extra;
} fixture;

static fixture open_net(const char *backend, sloe_net *net) {
  fixture f = {.net = net};
  sloe_error err;
  assert_ok(sloe_session_open(backend, &f.session, &err), err);
  assert_ok(sloe_layers_new(net, sloe_session_fusion(f.session), &f.layers, &err), err);
  return f;
}

static fixture open_file(const char *backend, const char *path) {
  sloe_net *net;
  sloe_error err;
  assert_ok(sloe_net_open(path, NULL, &net, &err), err);
  return open_net(backend, net);
}

static void measure(fixture *f, const sloe_measure_options *options) {
  sloe_error err;
  assert_ok(sloe_measure(f->session, f->layers, options, NULL, &f->measured, &err), err);
  f->result = sloe_measured_answer(f->measured)->result;
  f->extra = sloe_measured_extra_of(f->measured);
}

static void close_all(fixture *f) {
  sloe_measured_free(f->measured);
  sloe_layers_free(f->layers);
  sloe_net_free(f->net);
  sloe_session_close(f->session);
}

/* A net of a convolution and a view behind it. */
static sloe_net *one_layer_net(int batch) {
  sloe_net *net = build_net();
  sloe_error err;
  const sloe_tid x = build_input(net, "x", DIMS(batch, 16, 8, 8));
  const sloe_tid w = build_weight(net, "w", DIMS(32, 16, 1, 1));
  const sloe_tid y = build_tensor(net, "y"), z = build_tensor(net, "z");
  assert_ok(build_try(net, "Conv", "c", (sloe_tid[]){x, w}, 2, y, NULL, 0, &err), err);
  assert_ok(build_try(net, "Flatten", "f", (sloe_tid[]){y}, 1, z, NULL, 0, &err), err);
  build_output(net, z);
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  return net;
}

static void near(double got, double want) {
  if (!(fabs(got - want) <= 1e-4 * fabs(want))) fail_msg("%.17g is not %.17g", got, want);
}

static void the_card_says_who_measures(void **state) {
  (void)state;
  sloe_session *session;
  sloe_error err;
  assert_ok(sloe_session_open("sim:threads=2,precision=fp16", &session, &err), err);
  const sloe_card *card = sloe_session_card(session);
  assert_string_equal(card->name, "sim-onednn-fp16-t2");
  assert_string_equal(card->runtime_version, "1");
  assert_int_equal(card->precision, SLOE_FP16);
  assert_int_equal(card->source, SLOE_SOURCE_MEASURED);
  assert_true(isnan(card->peak_gflops) && card->memory_mb == 4000);
  assert_int_equal(sloe_session_fusion(session)->runtime, SLOE_RUNTIME_ONEDNN);
  sloe_session_close(session);
  assert_refused(sloe_session_open("sim:x=1", &session, &err), SLOE_USAGE, err, "no key 'x'");
  assert_null(session);
  sloe_session_close(NULL);
}

static void a_network_is_measured_whole(void **state) {
  (void)state;
  fixture f = open_file("sim:seed=2", MODELS "tv_squeezenet1_1.onnx");
  measure(&f, NULL);
  const sloe_figure *latency = &f.result->latency_ms;
  assert_true(latency->value > 1 && latency->value < 100);
  assert_true(isnan(latency->low) && isnan(latency->high) && isnan(latency->validated_mape));
  assert_int_equal(latency->source, SLOE_SOURCE_MEASURED);
  assert_int_equal(f.extra->n_runs, 100);
  assert_string_equal(f.extra->quality, "ok");
  assert_true(f.extra->latency_min_ms < latency->value);
  assert_true(latency->value < f.result->latency_p75_ms);
  assert_true(f.result->latency_p75_ms < f.result->latency_p97_5_ms);
  assert_true(f.extra->host_ms > latency->value && f.extra->ref_ms > 0);
  assert_true(isnan(f.result->sum_of_layers_ms) && isnan(f.extra->isolated_sum_ms));
  assert_null(f.extra->isolated_ms);
  assert_int_equal(f.result->n_layers, 0);
  assert_int_equal(f.result->n_warnings, 0);
  assert_true(f.result->memory_mb.value > 5);
  assert_string_equal(f.result->memory_kind, "process");
  assert_int_equal(f.result->fits, 1);
  assert_true(isnan(f.result->power_w.value) && isnan(f.result->energy_mj.value));
  assert_int_equal(f.result->power_w.source, SLOE_SOURCE_NONE);
  close_all(&f);
}

static void layers_are_measured_in_the_network_and_alone(void **state) {
  (void)state;
  const sloe_measure_options options = {.layers = 1, .isolated = 1, .runs = 7};
  fixture f = open_file("sim:noise=0,overhead_us=100", MODELS "tv_resnet18.onnx");
  measure(&f, &options);
  double sum = 0, shares = 0;
  assert_int_equal(f.result->n_layers, sloe_layers_count(f.layers));
  for (size_t i = 0; i < f.result->n_layers; i++) {
    const sloe_layer_estimate *row = &f.result->layers[i];
    assert_ptr_equal(row->layer, sloe_layers_at(f.layers, i));
    near(row->latency_ms, f.extra->isolated_ms[i]);
    assert_int_equal(row->latency_ms > 0, row->bytes > 0);
    sum += row->latency_ms;
    shares += row->share;
  }
  near(shares, 1);
  near(f.result->sum_of_layers_ms, sum);
  near(f.extra->isolated_sum_ms, sum);
  near(f.result->latency_ms.value, sum + 0.1);
  close_all(&f);
}

static void a_sensor_gives_power_and_energy_of_one_inference(void **state) {
  (void)state;
  fixture f = open_file("sim:noise=0,power=10,refresh_ms=0.000001", MODELS "tv_squeezenet1_1.onnx");
  measure(&f, NULL);
  near(f.result->power_w.value, 10);
  near(f.result->energy_mj.value, 10 * f.result->latency_ms.value);
  assert_string_equal(f.result->power_rail, "device");
  close_all(&f);
}

static void power_has_a_peak_an_idle_part_and_parts_of_memory_stand_beside(void **state) {
  (void)state;
  fixture f = open_file("sim:noise=0,power=10,idle=4", MODELS "tv_squeezenet1_1.onnx");
  measure(&f, NULL);
  const sloe_measured_extra *x = f.extra;
  assert_int_equal(x->sensor, 1);
  assert_true(x->power_s >= 1.2 && x->power_readings >= 10);
  assert_true(fabs(x->peak_w - 10.1) < 1e-6 && fabs(x->idle_w - 4) < 0.1);
  assert_true(fabs(x->dynamic_mj / f.result->energy_mj.value - 0.6) < 0.02);
  near(f.result->memory_mb.value, x->weights_mb + x->activations_mb + x->workspace_mb);
  assert_null(x->isolated_power_w);
  close_all(&f);
}

static void power_is_taken_where_asked_for_and_there_is_a_sensor(void **state) {
  (void)state;
  const sloe_measure_options none = {.power_s = -1}, brief = {.power_s = 2};
  fixture f = open_file("sim:noise=0,power=10", MODELS "tv_squeezenet1_1.onnx");
  measure(&f, &none);
  assert_int_equal(f.extra->sensor, -1);
  assert_true(isnan(f.result->power_w.value) && isnan(f.extra->idle_w));
  sloe_measured_free(f.measured);
  measure(&f, &brief);
  assert_true(f.extra->power_s >= 2 && f.extra->power_s < 2.2);
  close_all(&f);
  f = open_file("sim:noise=0", MODELS "tv_squeezenet1_1.onnx");
  measure(&f, NULL);
  assert_int_equal(f.extra->sensor, 0);
  assert_true(isnan(f.extra->power_s) && isnan(f.extra->peak_w) && isnan(f.extra->dynamic_mj));
  close_all(&f);
}

static void each_layer_alone_has_its_power(void **state) {
  (void)state;
  const sloe_measure_options without = {.layers = 1, .isolated = 1, .power_s = -1},
                             with = {.layers = 1, .isolated = 1};
  fixture f = open_file("sim:noise=0,power=10", MODELS "tv_squeezenet1_1.onnx");
  measure(&f, &without);
  assert_null(f.extra->isolated_power_w);
  sloe_measured_free(f.measured);
  measure(&f, &with); /* the layers are known, what they draw is not */
  for (size_t i = 0; i < f.result->n_layers; i++) {
    const double w = f.extra->isolated_power_w[i], mj = f.extra->isolated_energy_mj[i];
    if (f.result->layers[i].layer->kind == SLOE_LAYER_VIEW)
      assert_true(isnan(w) && isnan(mj));
    else
      assert_true(fabs(w - 10) < 0.1 && fabs(mj / f.extra->isolated_ms[i] - 10) < 0.1);
  }
  close_all(&f);
}

static void a_sensor_that_lies_fails_the_measurement(void **state) {
  (void)state;
  fixture f =
      open_file("sim:power=10,sensor_lie=3,sensor_lie_after=200", MODELS "tv_squeezenet1_1.onnx");
  sloe_error err;
  assert_refused(sloe_measure(f.session, f.layers, NULL, NULL, &f.measured, &err), SLOE_DEVICE, err,
                 "runs backwards");
  assert_null(f.measured);
  close_all(&f);
}

static void a_single_layer_is_timed_as_profiling_does(void **state) {
  (void)state;
  const sloe_measure_options options = {.layers = 1, .isolated = 1};
  fixture f = open_net("sim:noise=0,overhead_us=1000", one_layer_net(1));
  measure(&f, &options);
  sloe_device *device = device_open("sim:noise=0");
  near(f.result->latency_ms.value, device_median(device, "op=conv,c=16,h=8,w=8,k=32") / 1e6);
  assert_int_equal(f.result->n_warnings, 1);
  assert_non_null(strstr(f.result->warnings[0], "single layer"));
  assert_int_equal(f.result->n_layers, sloe_layers_count(f.layers));
  near(f.result->layers[0].share, 1);
  near(f.extra->isolated_sum_ms, f.result->latency_ms.value);
  sloe_device_close(device);
  close_all(&f);
}

static void a_batch_is_said(void **state) {
  (void)state;
  fixture f = open_net("sim", one_layer_net(4));
  measure(&f, NULL);
  assert_string_equal(f.result->warnings[0], "figures are of one inference of 4 inputs at once");
  close_all(&f);
}

/* Retaking would wait for quiet that a shared machine may never have. */
static void scatter_is_said_and_not_taken_again(void **state) {
  (void)state;
  fixture f = open_file("sim:noise=0.2,drift=0", MODELS "tv_squeezenet1_1.onnx");
  measure(&f, NULL);
  assert_string_equal(f.extra->quality, "noisy");
  close_all(&f);
}

typedef struct watched {
  size_t steps, total;
  size_t stop_at; /* 0: never */
} watched;

static void see_progress(void *context, const sloe_progress *p) {
  watched *w = context;
  assert_int_equal(p->done, w->steps);
  assert_true(*p->phase && p->elapsed_s >= 0);
  w->steps++;
  w->total = p->total;
}

static int see_stop(void *context) {
  const watched *w = context;
  return w->stop_at && w->steps == w->stop_at;
}

static void progress_is_reported_and_stopping_heard(void **state) {
  (void)state;
  const sloe_measure_options options = {.layers = 1, .isolated = 1};
  watched w = {0};
  const sloe_watch watch = {.progress = see_progress, .stop = see_stop, .context = &w};
  fixture f = open_file("sim:noise=0", MODELS "tv_resnet18.onnx");
  sloe_error err;
  assert_ok(sloe_measure(f.session, f.layers, &options, &watch, &f.measured, &err), err);
  assert_int_equal(w.steps, w.total);
  sloe_measured_free(f.measured);
  w = (watched){.stop_at = 3};
  assert_refused(sloe_measure(f.session, f.layers, &options, &watch, &f.measured, &err),
                 SLOE_STOPPED, err, "stopped");
  assert_null(f.measured);
  close_all(&f);
}

static void a_network_that_does_not_fit_or_a_device_that_fails_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *backend, *message;
    sloe_status status;
  } cases[] = {{"sim:memory_mb=2", "do not fit into 2 MB", SLOE_UNSUPPORTED},
               {"sim:fail_after=30", "failed, as planted", SLOE_DEVICE},
               {"sim:hang_after=1", "hung, as planted", SLOE_DEVICE}};
  for (int i = 0; i < 3; i++) {
    fixture f = open_file(cases[i].backend, MODELS "tv_squeezenet1_1.onnx");
    sloe_error err;
    assert_refused(sloe_measure(f.session, f.layers, NULL, NULL, &f.measured, &err),
                   cases[i].status, err, cases[i].message);
    assert_null(f.measured);
    close_all(&f);
  }
}

static void the_table_names_its_columns_as_the_store_does(void **state) {
  (void)state;
  fixture f = open_net("sim:noise=0,ns_per_mac=1,ns_per_byte=0,floor_us=0", one_layer_net(2));
  const char *const names[] = {"a,b.onnx", "c"};
  char *text;
  sloe_error err;
  measure(&f, NULL);
  sloe_measured *const both[] = {f.measured, f.measured};
  assert_ok(sloe_measured_table(f.session, names, both, 2, &text, &err), err);
  assert_cell(text, "net", 0, "a,b.onnx");
  assert_cell(text, "net", 1, "c");
  assert_cell(text, "device", 0, "sim");
  assert_cell(text, "mode", 1, "t1");
  assert_cell(text, "batch", 0, "2");
  assert_cell(text, "threads", 0, "1");
  assert_cell(text, "latency_ms", 0, "0.065536"); /* 2 x 64 places, 16 x 32 products */
  assert_cell(text, "p97_5", 0, "0.065536");
  assert_cell(text, "power_w", 0, "");
  assert_cell(text, "sum_of_layers_ms", 0, "");
  assert_cell(text, "memory_kind", 0, "process");
  assert_cell(text, "quality", 0, "ok");
  assert_cell(text, "peak_w", 0, "");
  assert_cell(text, "idle_w", 0, "");
  assert_cell(text, "dynamic_mj", 0, "");
  assert_cell(text, "weights_mb", 0, "0.002176"); /* 16 x 32 products, 32 biases */
  sloe_text_free(text);
  assert_ok(sloe_measured_table(f.session, NULL, NULL, 0, &text, &err), err);
  assert_non_null(strstr(text, "net,device,runtime,version,precision,mode,batch,threads,"));
  sloe_text_free(text);
  close_all(&f);
}

static sloe_status open_and_measure(const sloe_layers *layers, sloe_error *err) {
  const sloe_measure_options options = {.layers = 1, .isolated = 1, .runs = 5};
  const char *const name = "a";
  sloe_session *session;
  sloe_measured *measured = NULL;
  char *text = NULL;
  sloe_status status = sloe_session_open("sim:noise=0,power=1", &session, err);
  if (status == SLOE_OK) status = sloe_measure(session, layers, &options, NULL, &measured, err);
  if (status == SLOE_OK) status = sloe_measured_table(session, &name, &measured, 1, &text, err);
  sloe_text_free(text);
  sloe_measured_free(measured);
  sloe_session_close(session);
  return status;
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  fixture f = open_file("sim", MODELS "tv_squeezenet1_1.onnx");
  const long live = sloe_alloc_live();
  sloe_status status = SLOE_NOMEM;
  for (long n = 0; status != SLOE_OK; n++) {
    sloe_error err = {0};
    assert_true(n < 2000);
    sloe_alloc_fail_after(n);
    status = open_and_measure(f.layers, &err);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_int_equal(status, SLOE_NOMEM);
    assert_int_equal(sloe_alloc_live(), live);
  }
  close_all(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_card_says_who_measures),
      cmocka_unit_test(a_network_is_measured_whole),
      cmocka_unit_test(layers_are_measured_in_the_network_and_alone),
      cmocka_unit_test(a_sensor_gives_power_and_energy_of_one_inference),
      cmocka_unit_test(power_has_a_peak_an_idle_part_and_parts_of_memory_stand_beside),
      cmocka_unit_test(power_is_taken_where_asked_for_and_there_is_a_sensor),
      cmocka_unit_test(each_layer_alone_has_its_power),
      cmocka_unit_test(a_sensor_that_lies_fails_the_measurement),
      cmocka_unit_test(a_single_layer_is_timed_as_profiling_does),
      cmocka_unit_test(a_batch_is_said),
      cmocka_unit_test(scatter_is_said_and_not_taken_again),
      cmocka_unit_test(progress_is_reported_and_stopping_heard),
      cmocka_unit_test(a_network_that_does_not_fit_or_a_device_that_fails_is_refused),
      cmocka_unit_test(the_table_names_its_columns_as_the_store_does),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
