/* The roofline by hand, and what a layer asks of it. */
#include <math.h>

#include "estimate/layer_work.h"
#include "model/roofline.h"
#include "unit/unit.h"

/* 1 TFLOP/s, 100 GFLOP/s, 10 GB/s, half of each reached, a tenth at worst. */
static sloe_roofline toy(void) {
  sloe_roofline roof = {.matrix_flops = 1e12,
                        .vector_flops = 1e11,
                        .bandwidth = 1e10,
                        .fast_conv = 4,
                        .fast_matrix = 1,
                        .launch_s = {10e-6, 50e-6},
                        .memory_share = {0.5, 0.1}};
  for (int i = 0; i < SLOE_WORK_COUNT; i++) roof.share[i] = (sloe_range){0.5, 0.1};
  return roof;
}

#define assert_time(got, want) assert_true(fabs((got) / (want)-1) < 1e-12)

static void arithmetic_is_flops_over_the_reached_peak_plus_launch(void **state) {
  (void)state;
  sloe_roofline roof = toy();
  sloe_roofline_work work = {SLOE_WORK_CONV, 1e9, 0, 1000, 0};
  sloe_roofline_time t = sloe_roofline_eval(&roof, &work);
  assert_time(t.value_s, 2e-3 + 10e-6);
  assert_time(t.low_s, 1e-3);
  assert_time(t.high_s, 10e-3 + 50e-6);
  assert_int_equal(t.bound, SLOE_BOUND_ARITHMETIC);
}

static void bytes_are_over_the_reached_bandwidth(void **state) {
  (void)state;
  sloe_roofline roof = toy();
  sloe_roofline_work work = {SLOE_WORK_VECTOR, 0, 1000, 1e7, 0};
  sloe_roofline_time t = sloe_roofline_eval(&roof, &work);
  assert_time(t.value_s, 2e-3 + 10e-6);
  assert_time(t.low_s, 1e-3);
  assert_time(t.high_s, 10e-3 + 50e-6);
  assert_int_equal(t.bound, SLOE_BOUND_MEMORY);
}

static void small_layers_are_bound_by_their_launch(void **state) {
  (void)state;
  sloe_roofline roof = toy();
  sloe_roofline_work work = {SLOE_WORK_VECTOR, 0, 10, 10, 0};
  sloe_roofline_time t = sloe_roofline_eval(&roof, &work);
  assert_int_equal(t.bound, SLOE_BOUND_LAUNCH);
  assert_true(t.value_s > 10e-6 && t.value_s < 10.1e-6);
  assert_true(t.low_s < 1e-8); /* a launch is no floor: graphs hide it */
}

static void the_cache_and_fast_algorithms_lower_the_floor_only(void **state) {
  (void)state;
  sloe_roofline roof = toy();
  roof.l2_bytes = 1e6;
  sloe_roofline_work conv = {SLOE_WORK_CONV3, 1e9, 0, 0, 1};
  assert_time(sloe_roofline_eval(&roof, &conv).low_s, 0.25e-3);
  assert_time(sloe_roofline_eval(&roof, &conv).value_s, 2e-3 + 10e-6);
  roof.fast_matrix = 8;
  assert_time(sloe_roofline_eval(&roof, &conv).low_s, 0.125e-3);
  sloe_roofline_work copy = {SLOE_WORK_VECTOR, 0, 0, 1e7, 0};
  assert_time(sloe_roofline_eval(&roof, &copy).low_s, 0.8e-3);
  copy.bytes = 1e6;
  assert_true(sloe_roofline_eval(&roof, &copy).low_s == 0);
}

static void classes_reach_their_own_shares(void **state) {
  (void)state;
  sloe_roofline roof = toy();
  roof.share[SLOE_WORK_GROUPED] = (sloe_range){0.01, 0.001};
  sloe_roofline_work work = {SLOE_WORK_GROUPED, 1e9, 0, 0, 0};
  assert_time(sloe_roofline_eval(&roof, &work).value_s, 100e-3 + 10e-6);
  assert_string_equal(sloe_work_key(SLOE_WORK_GROUPED), "grouped");
  assert_string_equal(sloe_work_key(SLOE_WORK_COUNT), "unknown");
}

static sloe_layer conv_layer(int64_t kernel, int64_t stride, int64_t groups) {
  return (sloe_layer){.kind = SLOE_LAYER_CONV,
                      .macs = 1000,
                      .flops = 2100,
                      .params = 50,
                      .in_elements = 300,
                      .out_elements = 200,
                      .kernel = {kernel, kernel},
                      .stride = {stride, stride},
                      .dilation = {1, 1},
                      .groups = groups};
}

static void layers_have_the_class_of_their_algorithm(void **state) {
  (void)state;
  sloe_layer dilated = conv_layer(3, 1, 1), oblong = conv_layer(3, 1, 1);
  sloe_layer deconv = conv_layer(3, 1, 1), depthwise = conv_layer(3, 1, 1);
  dilated.dilation[0] = dilated.dilation[1] = 2;
  oblong.kernel[0] = 1;
  deconv.kind = SLOE_LAYER_DECONV;
  depthwise.kind = SLOE_LAYER_DWCONV;
  const struct {
    sloe_layer layer;
    sloe_work work;
    int fast;
  } rows[] = {
      {conv_layer(3, 1, 1), SLOE_WORK_CONV3, 1},
      {conv_layer(3, 2, 1), SLOE_WORK_CONV, 1},
      {conv_layer(1, 1, 1), SLOE_WORK_POINTWISE, 0},
      {conv_layer(7, 2, 1), SLOE_WORK_CONV, 1},
      {conv_layer(3, 1, 32), SLOE_WORK_GROUPED, 1},
      {dilated, SLOE_WORK_CONV, 1},
      {oblong, SLOE_WORK_CONV, 1},
      {deconv, SLOE_WORK_CONV, 1},
      {depthwise, SLOE_WORK_GROUPED, 1},
      {{.kind = SLOE_LAYER_FC, .macs = 5, .flops = 10}, SLOE_WORK_MATMUL, 0},
      {{.kind = SLOE_LAYER_POOL, .flops = 10}, SLOE_WORK_VECTOR, 0},
      {{.kind = SLOE_LAYER_UNKNOWN, .in_elements = 7}, SLOE_WORK_VECTOR, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    sloe_roofline_work work = sloe_layer_work(&rows[i].layer, 4);
    assert_int_equal(work.work, rows[i].work);
    assert_int_equal(work.can_be_fast, rows[i].fast);
  }
}

static void layers_move_activations_and_weights_once(void **state) {
  (void)state;
  sloe_layer layer = conv_layer(3, 1, 1);
  sloe_roofline_work work = sloe_layer_work(&layer, 2);
  assert_true(work.bytes == 1100);
  assert_true(work.matrix_flops == 2000);
  assert_true(work.vector_flops == 100);
  layer.flops = 0; /* fewer than 2 x MAC: no negative rest */
  assert_true(sloe_layer_work(&layer, 2).vector_flops == 0);
}

static void saturated_counts_stay_finite(void **state) {
  (void)state;
  sloe_layer layer = conv_layer(3, 1, 1);
  layer.macs = layer.flops = layer.params = layer.in_elements = layer.out_elements = UINT64_MAX;
  sloe_roofline roof = toy();
  sloe_roofline_work work = sloe_layer_work(&layer, 4);
  sloe_roofline_time t = sloe_roofline_eval(&roof, &work);
  assert_true(isfinite(t.high_s) && t.low_s <= t.value_s && t.value_s <= t.high_s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arithmetic_is_flops_over_the_reached_peak_plus_launch),
      cmocka_unit_test(bytes_are_over_the_reached_bandwidth),
      cmocka_unit_test(small_layers_are_bound_by_their_launch),
      cmocka_unit_test(the_cache_and_fast_algorithms_lower_the_floor_only),
      cmocka_unit_test(classes_reach_their_own_shares),
      cmocka_unit_test(layers_have_the_class_of_their_algorithm),
      cmocka_unit_test(layers_move_activations_and_weights_once),
      cmocka_unit_test(saturated_counts_stay_finite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
