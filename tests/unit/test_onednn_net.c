/* The backend onednn: whole networks against naive loops. */
#include "unit/net_check.h"
#include "unit/onednn_check.h"

static void check_output(onednn_job *job, size_t i, const image *want) {
  float *got = read_value(job, job->net.out[i]);
  assert_int_equal(sloe_onednn_elements(job->net.out[i]), size_of(want));
  for (size_t k = 0; k < size_of(want); k++) assert_near(k, got[k], want->at[k]);
  sloe_dealloc(got);
}

typedef struct loaded {
  onednn_device *device;
  sloe_net *net;
  sloe_layers *layers;
  void *job;
} loaded;

static void load(sloe_net *net, size_t layers, loaded *out) {
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_ONEDNN};
  sloe_error err;
  uint64_t ns[2];
  *out = (loaded){.device = open_onednn(), .net = net};
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  assert_ok(sloe_layers_new(net, &fusion, &out->layers, &err), err);
  assert_int_equal(sloe_layers_count(out->layers), layers);
  assert_ok(sloe_backend_onednn.load_network(out->device, out->layers, &out->job, &err), err);
  for (int i = 0; i < 2; i++) /* twice gives the same */
    assert_ok(sloe_backend_onednn.run(out->device, out->job, &ns[0], &ns[1], &err), err);
}

static void unload(loaded *l) {
  sloe_backend_onednn.unload(l->device, l->job);
  sloe_backend_onednn.close(l->device);
  sloe_layers_free(l->layers);
  sloe_net_free(l->net);
}

/* ---- tests ---- */

static void a_residual_is_added_in_place(void **state) {
  (void)state;
  static image y;
  loaded l;
  load(residual_net(&y), 3, &l);
  check_output(l.job, 0, &y);
  unload(&l);
}

static void a_residual_that_is_read_later_is_left_as_it_is(void **state) {
  (void)state;
  static image y;
  loaded l;
  load(late_residual_net(&y), 3, &l);
  check_output(l.job, 0, &y);
  unload(&l);
}

static void a_squeeze_and_excitation_block_computes_what_it_says(void **state) {
  (void)state;
  static image y;
  loaded l;
  load(squeeze_net(&y), 6, &l);
  check_output(l.job, 0, &y);
  unload(&l);
}

static void a_shuffle_unit_and_a_flattened_product_compute_what_they_say(void **state) {
  (void)state;
  static image y, half;
  loaded l;
  load(shuffle_net(&y, &half), 7, &l);
  check_output(l.job, 1, &half);
  check_output(l.job, 0, &y);
  unload(&l);
}

static void each_layer_is_timed_and_memory_is_counted(void **state) {
  (void)state;
  loaded l;
  uint64_t ns[2];
  sloe_device_memory memory;
  sloe_error err;
  sloe_net *net = build_net();
  const sloe_tid in = build_input(net, "x", DIMS(1, 8, 16, 16));
  build_output(net, conv(net, "c2", conv(net, "c1", in, 8, 64, 3, 1), 64, 8, 3, 1));
  load(net, 2, &l);
  assert_ok(sloe_backend_onednn.run_layers(l.device, l.job, ns, 2, &err), err);
  assert_true(ns[0] > 0 && ns[1] > 0);
  assert_ok(sloe_backend_onednn.memory(l.device, l.job, &memory, &err), err);
  assert_true(memory.weights_mb >= 2 * 8 * 64 * 9 * 4 / 1e6);
  assert_true(memory.activations_mb >= 80 * 256 * 4 / 1e6);
  unload(&l);
}

static void an_op_that_is_lacking_is_named(void **state) {
  (void)state;
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_ONEDNN};
  sloe_error err;
  sloe_layers *layers;
  onednn_device *device = open_onednn();
  void *job = device;
  sloe_net *net = build_net();
  const sloe_tid in = build_input(net, "x", DIMS(1, 8, 4, 4));
  build_output(net, build_node(net, "Trilu", "tri", IN(in), NO_ATTRS));
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  assert_ok(sloe_layers_new(net, &fusion, &layers, &err), err);
  assert_refused(sloe_backend_onednn.load_network(device, layers, &job, &err), SLOE_UNSUPPORTED,
                 err, "Trilu");
  assert_null(job);
  sloe_layers_free(layers);
  sloe_net_free(net);
  sloe_backend_onednn.close(device);
}

static void real_networks_run_to_finite_outputs(void **state) {
  (void)state;
  const char *const files[] = {"tv_mobilenet_v2", "tv_squeezenet1_1"};
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_ONEDNN};
  onednn_device *device = open_onednn();
  device->fill = NULL; /* random contents, as they are measured */
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char path[512];
    sloe_error err;
    sloe_net *net;
    sloe_layers *layers;
    void *job;
    uint64_t ns[2];
    snprintf(path, sizeof path, SLOE_SOURCE_DIR "/data/models/%s.onnx", files[i]);
    assert_ok(sloe_net_open(path, NULL, &net, &err), err);
    assert_ok(sloe_layers_new(net, &fusion, &layers, &err), err);
    assert_ok(sloe_backend_onednn.load_network(device, layers, &job, &err), err);
    assert_ok(sloe_backend_onednn.run(device, job, &ns[0], &ns[1], &err), err);
    onednn_job *j = job;
    assert_int_equal(j->net.n_out, 1);
    float *got = read_value(j, j->net.out[0]), most = 0;
    for (size_t k = 0; k < sloe_onednn_elements(j->net.out[0]); k++) {
      assert_true(isfinite(got[k]));
      most = fmaxf(most, fabsf(got[k]));
    }
    assert_true(most > 1e-6F && most < 1e6F);
    sloe_dealloc(got);
    sloe_backend_onednn.unload(device, job);
    sloe_layers_free(layers);
    sloe_net_free(net);
  }
  sloe_backend_onednn.close(device);
}

static void memory_that_runs_out_while_a_network_is_built_is_said(void **state) {
  (void)state;
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_ONEDNN};
  sloe_error err;
  sloe_layers *layers;
  void *job = NULL;
  onednn_device *device = open_onednn();
  sloe_net *net = build_net();
  const sloe_tid in = build_input(net, "x", DIMS(1, 8, 8, 8));
  const sloe_tid a = conv(net, "c1", in, 8, 16, 3, 1);
  const sloe_tid b =
      build_node(net, "Add", "add", IN(conv(net, "c2", a, 16, 16, 1, 1), a), NO_ATTRS);
  build_output(net, build_node(net, "Flatten", "flat", IN(b), NO_ATTRS));
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  assert_ok(sloe_layers_new(net, &fusion, &layers, &err), err);
  sloe_status status = SLOE_NOMEM;
  for (long i = 0; status != SLOE_OK; i++) {
    assert_true(i < 200);
    sloe_alloc_fail_after(i);
    status = sloe_backend_onednn.load_network(device, layers, &job, &err);
    sloe_alloc_fail_after(-1);
    assert_true(status == SLOE_OK || status == SLOE_NOMEM);
    if (status != SLOE_OK) assert_null(job);
  }
  sloe_backend_onednn.unload(device, job);
  sloe_backend_onednn.close(device);
  sloe_layers_free(layers);
  sloe_net_free(net);
  assert_int_equal(sloe_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_residual_is_added_in_place),
      cmocka_unit_test(a_residual_that_is_read_later_is_left_as_it_is),
      cmocka_unit_test(a_squeeze_and_excitation_block_computes_what_it_says),
      cmocka_unit_test(a_shuffle_unit_and_a_flattened_product_compute_what_they_say),
      cmocka_unit_test(each_layer_is_timed_and_memory_is_counted),
      cmocka_unit_test(an_op_that_is_lacking_is_named),
      cmocka_unit_test(real_networks_run_to_finite_outputs),
      cmocka_unit_test(memory_that_runs_out_while_a_network_is_built_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
