/* The net core: building, binding, ordering, constants, costs, liveness, features. */
#include <math.h>

#include "unit/build.h"

static uint64_t feature(const sloe_net *net, const char *name) {
  const sloe_net_info *info = sloe_net_get_info(net);
  for (size_t i = 0; i < info->n_features; i++)
    if (!strcmp(info->features[i].name, name)) return (uint64_t)llround(info->features[i].value);
  fail_msg("no feature %s", name);
  return 0;
}

static void finish(sloe_net *net) {
  sloe_error err;
  assert_ok(sloe_net_finish(net, NULL, &err), err);
}

/* x -> conv 3x3 (8 filters, padded) -> [bn] -> relu -> output */
static sloe_net *conv_bn_relu(int bn, int bias) {
  sloe_net *net = build_net();
  const sloe_attr pads[] = {ATTR_INTS("pads", 1, 1, 1, 1)};
  sloe_tid x = build_input(net, "x", DIMS(1, 4, 10, 10));
  sloe_tid w = build_weight(net, "w", DIMS(8, 4, 3, 3));
  sloe_tid b = bias ? build_weight(net, "b", DIMS(8)) : -1;
  sloe_tid y = build_node(net, "Conv", "conv", (sloe_tid[]){x, w, b}, bias ? 3 : 2, pads, 1);
  if (bn) {
    sloe_tid stats[4];
    for (int i = 0; i < 4; i++) stats[i] = build_weight(net, "stat", DIMS(8));
    y = build_node(net, "BatchNormalization", "bn", IN(y, stats[0], stats[1], stats[2], stats[3]),
                   NO_ATTRS);
  }
  y = build_node(net, "Relu", "relu", IN(y), NO_ATTRS);
  build_output(net, y);
  finish(net);
  return net;
}

static void a_convolution_costs_what_the_formula_says(void **state) {
  (void)state;
  sloe_net *net = conv_bn_relu(0, 1);
  const sloe_net_info *info = sloe_net_get_info(net);
  assert_int_equal(info->macs, 8 * 10 * 10 * 4 * 9);
  assert_int_equal(info->mac_flops, 2 * info->macs);
  assert_int_equal(info->flops_by_kind[SLOE_FLOPS_ACTIVATION], 800);
  assert_int_equal(info->flops, info->mac_flops + 800);
  assert_int_equal(info->params, 8 * 4 * 9 + 8);
  assert_int_equal(info->weights_bytes, 4 * info->params);
  assert_int_equal(info->activations, 1600);
  assert_int_equal(info->n_ops, 2);
  assert_int_equal(info->peak_activation_bytes, 4 * (800 + 800));
  sloe_net_free(net);
}

static void folding_makes_features_of_graph_and_export_agree(void **state) {
  (void)state;
  sloe_net *graph = conv_bn_relu(1, 0), *export = conv_bn_relu(0, 1);
  const sloe_net_info *a = sloe_net_get_info(graph), *b = sloe_net_get_info(export);
  assert_int_equal(a->params, 8 * 4 * 9 + 32);
  assert_int_equal(a->trainable_params, 8 * 4 * 9 + 16);
  assert_int_equal(b->params, 8 * 4 * 9 + 8);
  for (size_t i = 0; i < a->n_features; i++) {
    const char *name = a->features[i].name;
    size_t len = strlen(name);
    if (len > 4 && !strcmp(name + len - 4, "_raw")) continue;
    if (a->features[i].value != b->features[i].value)
      fail_msg("%s: %g unfolded, %g exported", name, a->features[i].value, b->features[i].value);
  }
  assert_int_equal(feature(graph, "bn_layers_raw"), 1);
  assert_int_equal(feature(graph, "bn_layers"), 0);
  assert_int_equal(feature(export, "weighted_neurons"), 800 * 9 * 4);
  sloe_net_free(graph);
  sloe_net_free(export);
}

static void an_unsorted_graph_is_sorted(void **state) {
  (void)state;
  sloe_error err;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(2, 3));
  sloe_tid a = build_tensor(net, "a"), b = build_tensor(net, "b"), c = build_tensor(net, "c");
  assert_ok(build_try(net, "Add", "third", IN(b, a), c, NO_ATTRS, &err), err);
  assert_ok(build_try(net, "Relu", "second", IN(a), b, NO_ATTRS, &err), err);
  assert_ok(build_try(net, "Relu", "first", IN(x), a, NO_ATTRS, &err), err);
  build_output(net, c);
  finish(net);
  assert_string_equal(net->nodes[net->order[0]].name, "first");
  assert_string_equal(net->nodes[net->order[1]].name, "second");
  assert_string_equal(net->nodes[net->order[2]].name, "third");
  assert_int_equal(net->tensors[c].shape.dim[1], 3);
  sloe_net_free(net);
}

static void a_cycle_is_refused_with_a_node_in_it(void **state) {
  (void)state;
  sloe_error err;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(2, 3));
  sloe_tid a = build_tensor(net, "a"), b = build_tensor(net, "b");
  assert_ok(build_try(net, "Add", "one", IN(x, b), a, NO_ATTRS, &err), err);
  assert_ok(build_try(net, "Relu", "two", IN(a), b, NO_ATTRS, &err), err);
  build_output(net, b);
  assert_refused(sloe_net_finish(net, NULL, &err), SLOE_FORMAT, err,
                 "'one' (Add) is part of a cycle");
  assert_int_equal(err.offset, 100);
  sloe_net_free(net);
}

static void a_tensor_that_nothing_makes_is_refused(void **state) {
  (void)state;
  sloe_error err;
  sloe_net *net = build_net();
  sloe_tid ghost = build_tensor(net, "ghost");
  build_output(net, build_node(net, "Relu", "relu", IN(ghost), NO_ATTRS));
  assert_refused(sloe_net_finish(net, NULL, &err), SLOE_FORMAT, err, "'ghost' is made by no node");
  sloe_net_free(net);
}

static void a_tensor_made_twice_is_refused(void **state) {
  (void)state;
  sloe_error err;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1)), y = build_tensor(net, "y");
  assert_ok(build_try(net, "Relu", "a", IN(x), y, NO_ATTRS, &err), err);
  assert_refused(build_try(net, "Relu", "b", IN(x), y, NO_ATTRS, &err), SLOE_FORMAT, err,
                 "'y' is made twice");
  assert_refused(build_try(net, "Relu", "c", IN(y), x, NO_ATTRS, &err), SLOE_FORMAT, err,
                 "'x' is made twice");
  assert_refused(build_try(net, "Relu", "d", IN(x, y), build_tensor(net, "z"), NO_ATTRS, &err),
                 SLOE_FORMAT, err, "2 inputs, the operator takes 1 to 1");
  sloe_net_free(net);
}

static sloe_net *open_net(const char *symbol0, const char *symbol2) {
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(-1, 3, -1, 32));
  const char **symbols = sloe_arena_alloc(&net->arena, 4, sizeof *symbols);
  symbols[0] = symbol0;
  symbols[2] = symbol2;
  net->tensors[x].symbol = symbols;
  build_output(net, build_node(net, "Relu", "relu", IN(x), NO_ATTRS));
  return net;
}

static void an_open_batch_is_one_with_a_warning_and_others_are_refused(void **state) {
  (void)state;
  sloe_error err;
  sloe_net *net = open_net("N", "height");
  assert_refused(sloe_net_finish(net, NULL, &err), SLOE_FORMAT, err, "--dim height=N");
  sloe_net_free(net);
  net = open_net("N", NULL);
  assert_refused(sloe_net_finish(net, NULL, &err), SLOE_FORMAT, err, "--input x=");
  sloe_net_free(net);
  net = open_net("N", "height");
  sloe_dim_binding dims[] = {{"height", 64}};
  sloe_net_options options = {.dims = dims, .n_dims = 1};
  assert_ok(sloe_net_finish(net, &options, &err), err);
  assert_int_equal(sloe_net_warning_count(net), 1);
  assert_non_null(strstr(sloe_net_warning(net, 0), "'N' is open, taken as 1"));
  assert_int_equal(net->tensors[0].shape.dim[0], 1);
  assert_int_equal(net->tensors[0].shape.dim[2], 64);
  sloe_net_free(net);
}

static void one_symbol_is_one_number_everywhere(void **state) {
  (void)state;
  sloe_error err;
  sloe_net *net = open_net("N", "N");
  sloe_net_options options = {.batch = 4};
  assert_ok(sloe_net_finish(net, &options, &err), err);
  assert_int_equal(net->tensors[0].shape.dim[2], 4);
  assert_int_equal(sloe_net_warning_count(net), 0);
  sloe_net_free(net);
}

static void options_that_fit_no_input_are_refused(void **state) {
  (void)state;
  sloe_error err;
  const sloe_input_shape wrong_name = {"y", {4, {1, 3, 8, 8}}}, wrong_rank = {"x", {2, {1, 3}}};
  const sloe_input_shape wrong_dim = {"x", {4, {1, 3, 0, 8}}};
  const sloe_dim_binding no_symbol = {"depth", 3}, negative = {"N", -3};
  const struct {
    sloe_net_options options;
    const char *text;
  } rows[] = {
      {{.inputs = &wrong_name, .n_inputs = 1}, "no input 'y'; this network has 'x'"},
      {{.inputs = &wrong_rank, .n_inputs = 1}, "2 dimensions given, the file says 4"},
      {{.inputs = &wrong_dim, .n_inputs = 1}, "dimension 2 is 0"},
      {{.dims = &no_symbol, .n_dims = 1}, "no input has a dimension called 'depth'"},
      {{.dims = &negative, .n_dims = 1}, "-3"},
      {{.batch = -2}, "batch -2"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_net *net = open_net("N", "H");
    assert_refused(sloe_net_finish(net, &rows[i].options, &err), SLOE_USAGE, err, rows[i].text);
    sloe_net_free(net);
  }
}

static void a_given_shape_goes_before_the_files(void **state) {
  (void)state;
  sloe_error err;
  sloe_net *net = open_net("N", "H");
  const sloe_input_shape given = {NULL, {4, {2, 3, 16, 48}}};
  sloe_net_options options = {.inputs = &given, .n_inputs = 1};
  assert_ok(sloe_net_finish(net, &options, &err), err);
  assert_int_equal(net->tensors[0].shape.dim[3], 48);
  assert_non_null(strstr(sloe_net_warning(net, 0), "is 32 in the file, taken as 48"));
  sloe_net_free(net);
}

static void weights_fed_as_inputs_are_weights(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 4, 5, 5));
  sloe_tid w = build_input(net, "w", DIMS(2, 4, 1, 1));
  sloe_tid b = build_input(net, "b", DIMS(2));
  sloe_tid alias = build_node(net, "Identity", "alias", IN(b), NO_ATTRS);
  build_output(net, build_node(net, "Conv", "conv", IN(x, w, alias), NO_ATTRS));
  finish(net);
  const sloe_net_info *info = sloe_net_get_info(net);
  assert_int_equal(info->n_inputs, 1);
  assert_string_equal(info->inputs[0].name, "x");
  assert_int_equal(info->params, 8 + 2);
  assert_int_equal(info->n_ops, 1);
  sloe_net_free(net);
}

static void an_unknown_operator_is_listed_and_does_not_stop_the_answer(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 4, 5, 5));
  sloe_tid y = build_node(net, "acme::Sparkle", "sparkle", IN(x), NO_ATTRS);
  build_output(net, build_node(net, "Relu", "relu", IN(y), NO_ATTRS));
  finish(net);
  const sloe_net_info *info = sloe_net_get_info(net);
  assert_int_equal(info->n_unknown_ops, 1);
  assert_string_equal(info->unknown_ops[0].op, "acme::Sparkle");
  assert_true(info->unknown_bytes_share > 0.49 && info->unknown_bytes_share < 0.51);
  assert_int_equal(net->tensors[y].shape.dim[3], 5);
  assert_non_null(strstr(sloe_net_warning(net, 0), "acme::Sparkle"));
  sloe_net_free(net);
}

static void views_take_no_memory_and_the_peak_follows_liveness(void **state) {
  (void)state;
  sloe_net *net = build_net(); /* a residual: x stays live over two ops of its size */
  sloe_tid x = build_input(net, "x", DIMS(1, 1000));
  sloe_tid a = build_node(net, "Relu", "a", IN(x), NO_ATTRS);
  sloe_tid v = build_node(net, "Flatten", "v", IN(a), NO_ATTRS);
  sloe_tid b = build_node(net, "Sigmoid", "b", IN(v), NO_ATTRS);
  sloe_tid c = build_node(net, "Add", "c", IN(a, b), NO_ATTRS);
  build_output(net, build_node(net, "Relu", "d", IN(c), NO_ATTRS));
  finish(net);
  /* while c runs: a (through its view), b and c; x is gone */
  assert_int_equal(sloe_net_get_info(net)->peak_activation_bytes, 3 * 4000);
  assert_int_equal(sloe_net_get_info(net)->activations, 4000);
  sloe_net_free(net);
}

static void sizes_past_any_machine_saturate_or_are_refused(void **state) {
  (void)state;
  sloe_error err;
  assert_true(sloe_mul_sat(UINT64_MAX / 2, 3) == UINT64_MAX);
  assert_true(sloe_add_sat(UINT64_MAX, 1) == UINT64_MAX);
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(2000000000, 2000000000, 2000000000));
  build_output(net, build_node(net, "Relu", "relu", IN(x), NO_ATTRS));
  assert_refused(sloe_net_finish(net, NULL, &err), SLOE_UNSUPPORTED, err, "too large to count");
  sloe_net_free(net);
}

static void every_allocation_of_finish_may_fail(void **state) {
  (void)state;
  long live = sloe_alloc_live();
  int done = 0;
  for (long n = 0; !done; n++) {
    sloe_error err = {0};
    sloe_net *net = open_net("N", "H");
    const sloe_dim_binding dim = {"H", 20};
    sloe_net_options options = {.dims = &dim, .n_dims = 1};
    net->arena.limit = net->arena.used + (size_t)n * 16; /* every arena request in turn */
    sloe_status status = sloe_net_finish(net, &options, &err);
    done = status == SLOE_OK;
    if (!done) assert_int_equal(status, SLOE_NOMEM);
    if (!done) assert_true(err.msg[0] != 0);
    sloe_net_free(net);
    assert_int_equal(sloe_alloc_live(), live);
  }
}

static void every_operator_name_is_found(void **state) {
  (void)state;
  for (int op = 1; op < SLOE_OP_COUNT; op++)
    assert_int_equal(sloe_op_find(sloe_op_name((sloe_op)op)), op);
  assert_int_equal(sloe_op_find("ai.onnx::Conv"), SLOE_OP_CONV);
  assert_int_equal(sloe_op_find("acme::Conv"), SLOE_OP_UNKNOWN);
  assert_int_equal(sloe_op_find(""), SLOE_OP_UNKNOWN);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_convolution_costs_what_the_formula_says),
      cmocka_unit_test(folding_makes_features_of_graph_and_export_agree),
      cmocka_unit_test(an_unsorted_graph_is_sorted),
      cmocka_unit_test(a_cycle_is_refused_with_a_node_in_it),
      cmocka_unit_test(a_tensor_that_nothing_makes_is_refused),
      cmocka_unit_test(a_tensor_made_twice_is_refused),
      cmocka_unit_test(an_open_batch_is_one_with_a_warning_and_others_are_refused),
      cmocka_unit_test(one_symbol_is_one_number_everywhere),
      cmocka_unit_test(options_that_fit_no_input_are_refused),
      cmocka_unit_test(a_given_shape_goes_before_the_files),
      cmocka_unit_test(weights_fed_as_inputs_are_weights),
      cmocka_unit_test(an_unknown_operator_is_listed_and_does_not_stop_the_answer),
      cmocka_unit_test(views_take_no_memory_and_the_peak_follows_liveness),
      cmocka_unit_test(sizes_past_any_machine_saturate_or_are_refused),
      cmocka_unit_test(every_allocation_of_finish_may_fail),
      cmocka_unit_test(every_operator_name_is_found),
  };
  return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
