/* Whole estimates of small nets made by hand, on a platform whose figures are round. */
#include <math.h>

#include "sloe/sloe.h"
#include "unit/build.h"
#include "unit/unit.h"

/* fp16: 1 TFLOP/s and 16 GB/s, half reached, a tenth at worst; 1000 MiB RAM, 500 of them taken. */
#define TOY                                                                                        \
  "sloe-platform 1\n[platform]\ndevice = toy\ntitle = A toy\nruntime = datasheet\n"                \
  "source = datasheet\n[chip]\ngpu = T1\ncompute_capability = 8.7\ntensorrt = 10.3\ncores = 256\n" \
  "sms = 2\nbus_bits = 64\nram_mib = 1000\ncarve_out_mib = 100\nsystem_mib = 200\n"                \
  "runtime_mib = 200\nworkspace_mib = 0 100\nlaunch_us = 10 50\nmemory_share = 0.5 0.1\n"
#define SHARES                                                                  \
  "conv = 0.5 0.1\nconv3x3 = 0.5 0.1\npointwise = 0.5 0.1\ngrouped = 0.5 0.1\n" \
  "matmul = 0.5 0.1\nvector = 0.5 0.1\n"
#define FP16 "[precision fp16]\nmatrix_flop = 1000\nvector_flop = 1000\n" SHARES
#define FP32 "[precision fp32]\nmatrix_flop = 500\nvector_flop = 500\n" SHARES
#define MODE "[mode m]\nsms = 1\ngpu_mhz = 1000\nemc_mhz = 1000\ndefault = yes\n"

static sloe_platform *open_toy(const char *variant) {
  static const char text[] = TOY FP16 FP32 MODE;
  sloe_platform *p;
  sloe_error err;
  assert_ok(sloe_platform_from_memory(text, sizeof text - 1, variant, &p, &err), err);
  return p;
}

/* conv 3x3, `channels` -> 64, on `size` x `size`; then Flatten */
static sloe_net *conv_net(int64_t channels, int64_t size, const char *tail) {
  sloe_net *net = build_net();
  sloe_error err;
  sloe_tid x = build_input(net, "x", DIMS(1, channels, size, size));
  sloe_tid w = build_weight(net, "w", DIMS(64, channels, 3, 3));
  const int64_t pads[] = {1, 1, 1, 1};
  const sloe_attr attr = {.name = "pads", .type = SLOE_ATTR_INTS, .n = 4, .ints = pads};
  sloe_tid y = build_node(net, "Conv", "conv", (sloe_tid[]){x, w}, 2, &attr, 1);
  if (tail) y = build_node(net, tail, "tail", (sloe_tid[]){y}, 1, NULL, 0);
  build_output(net, y);
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  return net;
}

typedef struct answer {
  sloe_net *net;
  sloe_platform *platform;
  sloe_layers *layers;
  sloe_estimate *estimate;
  const sloe_result *result;
} answer;

/* `fused` 0: every op a layer. */
static answer ask(sloe_net *net, const char *variant, int fused) {
  answer a = {.net = net, .platform = open_toy(variant)};
  sloe_error err;
  const sloe_fusion *fusion = fused ? sloe_platform_fusion(a.platform) : NULL;
  assert_ok(sloe_layers_new(net, fusion, &a.layers, &err), err);
  assert_ok(sloe_estimate_new(a.layers, a.platform, NULL, &a.estimate, &err), err);
  a.result = sloe_estimate_get(a.estimate);
  return a;
}

static void forget(answer *a) {
  sloe_estimate_free(a->estimate);
  sloe_layers_free(a->layers);
  sloe_platform_free(a->platform);
  sloe_net_free(a->net);
}

static const sloe_layer_estimate *find_kind(const sloe_result *r, sloe_layer_kind kind) {
  for (size_t i = 0; i < r->n_layers; i++)
    if (r->layers[i].layer->kind == kind) return &r->layers[i];
  return NULL;
}

static const char *find_warning(const sloe_result *r, const char *text) {
  for (size_t i = 0; i < r->n_warnings; i++)
    if (strstr(r->warnings[i], text)) return r->warnings[i];
  return NULL;
}

static void a_convolution_takes_what_the_formula_says(void **state) {
  (void)state;
  answer a = ask(conv_net(64, 32, "Flatten"), "fp16", 0);
  const sloe_layer_estimate *conv = find_kind(a.result, SLOE_LAYER_CONV);
  double macs = 64.0 * 64 * 9 * 32 * 32, bytes = 2 * (2 * 64.0 * 32 * 32 + 64 * 64 * 9);
  assert_non_null(conv);
  assert_float_equal(conv->latency_ms, 2 * macs / 0.5e12 * 1e3 + 0.01, 1e-9);
  assert_int_equal(conv->bytes, (uint64_t)bytes);
  assert_int_equal(conv->bound, SLOE_BOUND_ARITHMETIC);
  assert_int_equal(conv->source, SLOE_SOURCE_DATASHEET);
  assert_int_equal(conv->in_domain, 0);
  assert_float_equal(conv->share, 1, 1e-12);
  const sloe_layer_estimate *view = find_kind(a.result, SLOE_LAYER_VIEW);
  assert_non_null(view);
  assert_true(view->latency_ms == 0 && view->bytes == 0 && view->share == 0);
  assert_int_equal(view->bound, SLOE_BOUND_NONE);
  assert_float_equal(a.result->latency_ms.low, 2 * macs / 1e12 * 1e3, 1e-9);
  assert_float_equal(a.result->latency_ms.high, 2 * macs / 1e11 * 1e3 + 0.05, 1e-9);
  forget(&a);
}

static void precision_changes_peak_and_bytes(void **state) {
  (void)state;
  answer half = ask(conv_net(64, 32, NULL), "fp16", 0);
  answer full = ask(conv_net(64, 32, NULL), "fp32", 0);
  assert_int_equal(full.result->layers[0].bytes, 2 * half.result->layers[0].bytes);
  assert_float_equal(full.result->layers[0].latency_ms - 0.01,
                     2 * (half.result->layers[0].latency_ms - 0.01), 1e-9);
  forget(&half);
  forget(&full);
}

static void the_sum_of_layers_is_the_network(void **state) {
  (void)state;
  answer a = ask(conv_net(64, 32, "Relu"), "fp16", 1);
  double sum = 0, share = 0;
  for (size_t i = 0; i < a.result->n_layers; i++) {
    sum += a.result->layers[i].latency_ms;
    share += a.result->layers[i].share;
  }
  assert_float_equal(sum, a.result->latency_ms.value, 1e-12);
  assert_float_equal(sum, a.result->sum_of_layers_ms, 1e-12);
  assert_float_equal(share, 1, 1e-12);
  assert_ptr_equal(sloe_estimate_layers(a.estimate), a.layers);
  assert_ptr_equal(sloe_estimate_platform(a.estimate), a.platform);
  forget(&a);
}

static void nothing_is_passed_off_as_measured(void **state) {
  (void)state;
  answer a = ask(conv_net(3, 8, NULL), NULL, 1);
  const sloe_result *r = a.result;
  assert_int_equal(r->latency_ms.source, SLOE_SOURCE_DATASHEET);
  assert_int_equal(r->latency_ms.method, SLOE_METHOD_LAYERS);
  assert_int_equal(r->latency_ms.in_domain, 0);
  assert_true(isnan(r->latency_ms.validated_mape));
  assert_true(isnan(r->latency_p75_ms) && isnan(r->latency_p97_5_ms));
  assert_true(isnan(r->power_w.value) && isnan(r->power_w.low) && isnan(r->power_w.high));
  assert_int_equal(r->power_w.source, SLOE_SOURCE_NONE);
  assert_true(isnan(r->energy_mj.value));
  assert_string_equal(r->power_rail, "");
  assert_non_null(find_warning(r, "uncalibrated"));
  forget(&a);
}

static void memory_is_weights_activations_and_scratch(void **state) {
  (void)state;
  answer a = ask(conv_net(64, 32, NULL), "fp16", 1);
  double weights = 64.0 * 64 * 9 * 2, peak = 2 * 64.0 * 32 * 32 * 2;
  const sloe_figure *memory = &a.result->memory_mb;
  assert_float_equal(memory->value, (weights + peak) / 1e6, 1e-9);
  assert_float_equal(memory->high, (2 * weights + 2 * peak + 100 * 1048576.0) / 1e6, 1e-6);
  assert_true(memory->low <= memory->value);
  assert_string_equal(a.result->memory_kind, "device");
  assert_int_equal(a.result->fits, 1);
  assert_null(find_warning(a.result, "fit"));
  forget(&a);
}

static void what_does_not_fit_is_said(void **state) {
  (void)state;
  answer large = ask(conv_net(64, 1800, NULL), "fp16", 1); /* 829 MB of 524 that are free */
  assert_int_equal(large.result->fits, 0);
  assert_non_null(find_warning(large.result, "does not fit"));
  forget(&large);
  answer middle = ask(conv_net(64, 1200, NULL), "fp16", 1); /* 369 MB, twice that at worst */
  assert_int_equal(middle.result->fits, 1);
  assert_non_null(find_warning(middle.result, "may not fit"));
  forget(&middle);
}

static void operators_not_known_cost_their_bytes_and_are_named_by_share(void **state) {
  (void)state;
  answer a = ask(conv_net(3, 8, "Frobnicate"), "fp16", 0);
  const sloe_layer_estimate *layer = find_kind(a.result, SLOE_LAYER_UNKNOWN);
  assert_non_null(layer);
  assert_true(layer->bytes >= 2 * 64 * 8 * 8);
  assert_true(layer->latency_ms >= 0.01);
  assert_non_null(find_warning(a.result, "1 layer is of operators not known"));
  assert_non_null(find_warning(a.result, "platform is tensorrt fp16")); /* unfused layers */
  forget(&a);
}

static void batches_are_said(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_error err;
  sloe_tid x = build_input(net, "x", DIMS(8, 3, 4, 4));
  build_output(net, build_node(net, "Relu", "relu", (sloe_tid[]){x}, 1, NULL, 0));
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  answer a = ask(net, "fp16", 1);
  assert_non_null(find_warning(a.result, "8 inputs at once"));
  forget(&a);
}

static void a_data_sheet_has_no_model_of_whole_networks(void **state) {
  (void)state;
  answer a = ask(conv_net(3, 8, NULL), "fp16", 1);
  sloe_estimate *e = (void *)&e;
  sloe_error err;
  sloe_estimate_options options = {.method = SLOE_METHOD_NETWORK};
  assert_refused(sloe_estimate_new(a.layers, a.platform, &options, &e, &err), SLOE_UNSUPPORTED, err,
                 "no model of whole networks");
  assert_null(e);
  options.method = (sloe_method)9;
  assert_refused(sloe_estimate_new(a.layers, a.platform, &options, &e, &err), SLOE_USAGE, err,
                 "method 9");
  options.method = SLOE_METHOD_LAYERS;
  assert_ok(sloe_estimate_new(a.layers, a.platform, &options, &e, &err), err);
  sloe_estimate_free(e);
  forget(&a);
}

static void memory_may_fail_anywhere(void **state) {
  (void)state;
  answer a = ask(conv_net(3, 8, "Frobnicate"), "fp16", 0);
  long live = sloe_alloc_live(), n = 0;
  for (;; n++) {
    sloe_estimate *e = (void *)&e;
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    sloe_status status = sloe_estimate_new(a.layers, a.platform, NULL, &e, &err);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_null(e);
    sloe_estimate_free(e);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
    assert_true(err.msg[0]);
  }
  assert_true(n > 0);
  forget(&a);
}

static void methods_and_bounds_have_names(void **state) {
  (void)state;
  sloe_method method;
  sloe_error err;
  static const char *const names[] = {"auto", "layers", "network"};
  for (int i = 0; i < 3; i++) {
    assert_ok(sloe_method_parse(names[i], &method, &err), err);
    assert_int_equal(method, i);
    assert_string_equal(sloe_method_name(method), names[i]);
  }
  assert_refused(sloe_method_parse("magic", &method, &err), SLOE_USAGE, err, "auto, layers");
  assert_string_equal(sloe_method_name((sloe_method)9), "unknown");
  assert_string_equal(sloe_bound_name(SLOE_BOUND_LAUNCH), "launch");
  assert_string_equal(sloe_bound_name((sloe_bound)9), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_convolution_takes_what_the_formula_says),
      cmocka_unit_test(precision_changes_peak_and_bytes),
      cmocka_unit_test(the_sum_of_layers_is_the_network),
      cmocka_unit_test(nothing_is_passed_off_as_measured),
      cmocka_unit_test(memory_is_weights_activations_and_scratch),
      cmocka_unit_test(what_does_not_fit_is_said),
      cmocka_unit_test(operators_not_known_cost_their_bytes_and_are_named_by_share),
      cmocka_unit_test(batches_are_said),
      cmocka_unit_test(a_data_sheet_has_no_model_of_whole_networks),
      cmocka_unit_test(memory_may_fail_anywhere),
      cmocka_unit_test(methods_and_bounds_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
