/* The backend cudnn on a GPU: whole networks against naive loops. */
#include "unit/cudnn_check.h"
#include "unit/net_check.h"

static const char *const precisions[] = {"fp32", "tf32", "fp16"};
enum { PRECISIONS = sizeof precisions / sizeof *precisions };

typedef struct loaded {
  cudnn_device *device;
  sloe_net *net;
  sloe_layers *layers;
  void *job;
} loaded;

static void load(cudnn_device *device, sloe_net *net, loaded *out) {
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_CUDNN,
                              .precision = device->half ? SLOE_FP16 : SLOE_FP32};
  sloe_error err;
  uint64_t ns[2];
  *out = (loaded){.device = device, .net = net};
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  assert_ok(sloe_layers_new(net, &fusion, &out->layers, &err), err);
  assert_ok(sloe_backend_cudnn.load_network(device, out->layers, &out->job, &err), err);
  for (int i = 0; i < 2; i++) /* twice gives the same */
    assert_ok(sloe_backend_cudnn.run(device, out->job, &ns[0], &ns[1], &err), err);
}

static void unload(loaded *l) {
  sloe_backend_cudnn.unload(l->device, l->job);
  sloe_backend_cudnn.close(l->device);
  sloe_layers_free(l->layers);
  sloe_net_free(l->net);
}

static void check_output(cudnn_job *job, size_t i, const image *want) {
  float *got = read_value(job, job->net.out[i]);
  assert_int_equal(sloe_cudnn_elements(job->net.out[i]), size_of(want));
  for (size_t k = 0; k < size_of(want); k++) assert_near(k, got[k], want->at[k]);
  sloe_dealloc(got);
}

/* In every precision. The sums here are of some hundred terms: halves keep less of them. */
static void check_net(sloe_net *(*build)(image *y)) {
  static image y;
  for (size_t p = 0; p < PRECISIONS; p++) {
    loaded l;
    cudnn_device *device = open_cudnn(precisions[p]);
    load(device, build(&y), &l);
    if (device->half) tolerance = 0.1;
    check_output(l.job, 0, &y);
    unload(&l);
  }
}

static void a_residual_is_added(void **state) {
  (void)state;
  check_net(residual_net);
}

static void a_residual_that_is_read_later_is_left_as_it_is(void **state) {
  (void)state;
  check_net(late_residual_net);
}

static void a_squeeze_and_excitation_block_computes_what_it_says(void **state) {
  (void)state;
  check_net(squeeze_net);
}

static void a_shuffle_unit_and_a_flattened_product_compute_what_they_say(void **state) {
  (void)state;
  static image y, half;
  for (size_t p = 0; p < PRECISIONS; p++) {
    loaded l;
    cudnn_device *device = open_cudnn(precisions[p]);
    load(device, shuffle_net(&y, &half), &l);
    if (device->half) tolerance = 0.2;
    check_output(l.job, 1, &half);
    check_output(l.job, 0, &y);
    unload(&l);
  }
}

static void each_layer_is_timed_and_memory_is_counted(void **state) {
  (void)state;
  loaded l;
  uint64_t ns[2];
  sloe_device_memory memory;
  sloe_error err;
  cudnn_device *device = open_cudnn("fp32");
  sloe_net *net = build_net();
  const sloe_tid in = build_input(net, "x", DIMS(1, 8, 16, 16));
  build_output(net, conv(net, "c2", conv(net, "c1", in, 8, 64, 3, 1), 64, 8, 3, 1));
  load(device, net, &l);
  assert_ok(sloe_backend_cudnn.run_layers(l.device, l.job, ns, 2, &err), err);
  assert_true(ns[0] > 0 && ns[1] > 0);
  for (size_t i = 0; i < 2; i++)
    assert_non_null(strstr(sloe_backend_cudnn.choice(l.device, l.job, i), "eng="));
  assert_ok(sloe_backend_cudnn.memory(l.device, l.job, &memory, &err), err);
  assert_true(memory.weights_mb >= 2 * 8 * 64 * 9 * 4 / 1e6);
  assert_true(memory.activations_mb >= 80 * 256 * 4 / 1e6);
  unload(&l);
}

static void an_op_that_is_lacking_is_named(void **state) {
  (void)state;
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_CUDNN};
  sloe_error err;
  sloe_layers *layers;
  cudnn_device *device = open_cudnn("fp32");
  void *job = device;
  sloe_net *net = build_net();
  const sloe_tid in = build_input(net, "x", DIMS(1, 8, 4, 4));
  build_output(net, build_node(net, "Trilu", "tri", IN(in), NO_ATTRS));
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  assert_ok(sloe_layers_new(net, &fusion, &layers, &err), err);
  assert_refused(sloe_backend_cudnn.load_network(device, layers, &job, &err), SLOE_UNSUPPORTED, err,
                 "Trilu");
  assert_null(job);
  sloe_layers_free(layers);
  sloe_net_free(net);
  sloe_backend_cudnn.close(device);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_residual_is_added),
      cmocka_unit_test(a_residual_that_is_read_later_is_left_as_it_is),
      cmocka_unit_test(a_squeeze_and_excitation_block_computes_what_it_says),
      cmocka_unit_test(a_shuffle_unit_and_a_flattened_product_compute_what_they_say),
      cmocka_unit_test(each_layer_is_timed_and_memory_is_counted),
      cmocka_unit_test(an_op_that_is_lacking_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
