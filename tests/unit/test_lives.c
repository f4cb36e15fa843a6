/* Buffers between layers: nets by hand, and bounds on every zoo family. */
#include "net/lives.h"

#include "base/alloc.h"
#include "unit/build.h"

static sloe_layers *layers_of(sloe_net *net) {
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_CUDNN};
  sloe_layers *layers;
  sloe_error err;
  assert_ok(sloe_layers_new(net, &fusion, &layers, &err), err);
  return layers;
}

static double buffers_of(sloe_net *net, size_t width) {
  sloe_error err;
  double bytes;
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  sloe_layers *layers = layers_of(net);
  assert_ok(sloe_layers_buffer_bytes(layers, width, &bytes, &err), err);
  sloe_layers_free(layers);
  sloe_net_free(net);
  return bytes;
}

/* A convolution of `k` filters, 1x1, over c channels. */
static sloe_tid conv(sloe_net *net, const char *name, sloe_tid in, int64_t c, int64_t k) {
  char weights[64];
  snprintf(weights, sizeof weights, "%s_weights", name);
  return build_node(net, "Conv", name, IN(in, build_weight(net, weights, DIMS(k, c, 1, 1))),
                    NO_ATTRS);
}

static void layers_in_a_row_share_two_buffers(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid t = build_input(net, "x", DIMS(1, 64, 16, 16));
  const char *const names[] = {"a", "b", "c", "d", "e"};
  for (size_t i = 0; i < 5; i++) t = conv(net, names[i], t, 64, 64);
  build_output(net, t);
  assert_true(buffers_of(net, 4) == 2.0 * 4 * 64 * 256);
}

static void elements_are_as_wide_as_the_precision_and_sizes_rounded_up(void **state) {
  (void)state;
  sloe_net *net = build_net();
  const sloe_tid x = build_input(net, "x", DIMS(1, 3, 5, 5)); /* 150 bytes, as 256 */
  build_output(net, conv(net, "a", x, 3, 64));                /* 3,200, as 3,328 */
  assert_true(buffers_of(net, 2) == 256 + 3328);
}

static void what_is_fused_into_a_convolution_has_no_buffer(void **state) {
  (void)state;
  sloe_net *net = build_net();
  const sloe_tid x = build_input(net, "x", DIMS(1, 64, 16, 16));
  build_output(net, build_node(net, "Relu", "r", IN(conv(net, "a", x, 64, 64)), NO_ATTRS));
  assert_true(buffers_of(net, 4) == 2.0 * 4 * 64 * 256);
}

static void a_residual_keeps_its_buffer_until_it_is_added(void **state) {
  (void)state;
  sloe_net *net = build_net();
  const sloe_tid x = build_input(net, "x", DIMS(1, 64, 16, 16));
  const sloe_tid a = conv(net, "a", x, 64, 64), b = conv(net, "b", a, 64, 64),
                 c = conv(net, "c", b, 64, 64);
  build_output(net, build_node(net, "Add", "sum", IN(c, a), NO_ATTRS));
  /* a, b where the input was, and the sum, which is written while both are read */
  assert_true(buffers_of(net, 4) == 3.0 * 4 * 64 * 256);
}

static void a_buffer_of_more_than_four_times_the_size_is_left_alone(void **state) {
  for (int64_t k = 16; k >= 15; k--) {
    (void)state;
    sloe_net *net = build_net();
    sloe_tid t = build_input(net, "x", DIMS(1, 64, 16, 16));
    t = conv(net, "a", t, 64, 64);
    build_output(net, conv(net, "b", t, 64, k));
    const double large = 4 * 64 * 256, small = 4 * 256 * (double)k;
    assert_true(buffers_of(net, 4) == 2 * large + (k == 16 ? 0 : small));
  }
}

static void views_show_the_bytes_of_what_they_read(void **state) {
  (void)state;
  sloe_net *net = build_net();
  const sloe_tid x = build_input(net, "x", DIMS(1, 64, 16, 16));
  const sloe_tid a = conv(net, "a", x, 64, 64);
  const sloe_tid flat = build_node(net, "Flatten", "flat", IN(a), NO_ATTRS);
  const sloe_tid b = build_node(net, "Softmax", "b", IN(flat), NO_ATTRS);
  build_output(net, build_node(net, "Softmax", "c", IN(b), NO_ATTRS));
  build_output(net, flat); /* keeps a's bytes */
  assert_true(buffers_of(net, 4) == 3.0 * 4 * 64 * 256);
}

static void no_net_takes_less_than_its_largest_layer_or_more_than_all_of_it(void **state) {
  (void)state;
  static const char *const nets[] = {
      "zoo:resnet,depth=50",
      "zoo:densenet,depth=121",
      "zoo:dpn,variant=68",
      "zoo:inception,version=3",
      "zoo:mobilenet,version=3",
      "zoo:shufflenet,version=2",
      "zoo:random,seed=11",
      "zoo:random,seed=12",
      "zoo:efficientnet,variant=b0",
      "zoo:nb201,cell=|nor_conv_3x3~0|+|skip_connect~0|nor_conv_3x3~1|+|skip_connect~0|none~1|avg_"
      "pool_3x3~2|"};
  for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
    sloe_net *net;
    sloe_error err;
    double bytes, largest = 0, all = 0;
    assert_ok(sloe_net_open(nets[i], NULL, &net, &err), err);
    sloe_layers *layers = layers_of(net);
    assert_ok(sloe_layers_buffer_bytes(layers, 4, &bytes, &err), err);
    for (size_t k = 0; k < sloe_layers_count(layers); k++) {
      const double out = 4.0 * (double)sloe_layers_at(layers, k)->out_elements;
      if (sloe_layers_at(layers, k)->kind == SLOE_LAYER_VIEW) continue;
      all += out + 256;
      if (out > largest) largest = out;
    }
    const double in = 4 * sloe_net_get_info(net)->features[3].value;
    assert_string_equal(sloe_net_get_info(net)->features[3].name, "input_elements");
    if (bytes < largest || bytes > all + in + 256)
      fail_msg("%s: %.0f, of %.0f to %.0f", nets[i], bytes, largest, all + in);
    sloe_layers_free(layers);
    sloe_net_free(net);
  }
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  sloe_net *net;
  sloe_error err;
  double bytes;
  assert_ok(sloe_net_open("zoo:resnet,depth=18", NULL, &net, &err), err);
  sloe_layers *layers = layers_of(net);
  sloe_status status = SLOE_NOMEM;
  long n = 0;
  for (; status != SLOE_OK; n++) {
    sloe_alloc_fail_after(n);
    status = sloe_layers_buffer_bytes(layers, 4, &bytes, &err);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_int_equal(status, SLOE_NOMEM);
  }
  assert_true(n > 1);
  sloe_layers_free(layers);
  sloe_net_free(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layers_in_a_row_share_two_buffers),
      cmocka_unit_test(elements_are_as_wide_as_the_precision_and_sizes_rounded_up),
      cmocka_unit_test(what_is_fused_into_a_convolution_has_no_buffer),
      cmocka_unit_test(a_residual_keeps_its_buffer_until_it_is_added),
      cmocka_unit_test(a_buffer_of_more_than_four_times_the_size_is_left_alone),
      cmocka_unit_test(views_show_the_bytes_of_what_they_read),
      cmocka_unit_test(no_net_takes_less_than_its_largest_layer_or_more_than_all_of_it),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
