/* What the ONNX reader makes of whole models, from the corpus. */
#include "unit/onnx_files.h"

static void onnx_chain_has_its_nodes_attributes_and_tensors(void **state) {
  size_t n;
  (void)state;
  sloe_net *net = corpus_net("conv-chain");
  assert_int_equal(net->ir_version, 8);
  assert_int_equal(net->opset, 17);
  assert_string_equal(net->producer, "corpus 1");
  assert_int_equal(net->graph.n_nodes, 6);
  const sloe_node *conv = node_named(net, "conv");
  assert_int_equal(conv->op, SLOE_OP_CONV);
  assert_int_equal(conv->n_in, 3);
  assert_int_equal(sloe_node_int(conv, "group", 0), 1);
  const int64_t *pads = sloe_node_ints(conv, "pads", &n);
  assert_int_equal(n, 4);
  assert_int_equal(pads[3], 1);
  const sloe_node *clip = node_named(net, "relu6");
  assert_int_equal(clip->n_in, 3);
  assert_int_equal(clip->in[1], -1); /* an optional input left out */
  assert_true(sloe_node_float(node_named(net, "bn"), "epsilon", 0) > 0.9e-5);
  const sloe_tensor *w = tensor_named(net, "w"), *six = tensor_named(net, "six");
  assert_shape(&w->shape, "4x4x3x3");
  assert_int_equal(w->dtype, SLOE_DT_FLOAT);
  assert_int_equal(w->flags & (SLOE_T_INIT | SLOE_T_INPUT), SLOE_T_INIT);
  assert_null(w->value); /* stripped */
  assert_non_null(six->value);
  assert_true(six->value->real && six->value->n == 1 && six->value->f[0] == 6);
  assert_int_equal(tensor_named(net, "x")->flags & SLOE_T_INPUT, SLOE_T_INPUT);
  assert_int_equal(tensor_named(net, "y")->flags & SLOE_T_OUTPUT, SLOE_T_OUTPUT);
  assert_true(conv->offset > 0);
  sloe_net_free(net);
}

static void onnx_contents_are_read_from_every_data_field_and_from_raw(void **state) {
  static const int kinds[] = {1, 11, 7, 6, 5, 3, 2, 4, 12, 13, 9, 10};
  (void)state;
  sloe_net *net = corpus_net("data-fields");
  for (size_t i = 0; i < 2 * sizeof kinds / sizeof *kinds; i++) {
    char name[16];
    snprintf(name, sizeof name, "t%d%c", kinds[i / 2], i % 2 ? 'r' : 'f');
    const sloe_tensor *t = tensor_named(net, name);
    assert_int_equal(t->dtype, kinds[i / 2]);
    if (!t->value) fail_msg("contents of %s are not known", name);
    assert_int_equal(t->value->n, 3);
    double last = t->value->real ? t->value->f[2] : (double)t->value->i[2];
    assert_true(last == (t->dtype == SLOE_DT_BOOL ? 1 : 2));
    assert_int_equal(t->value->real, sloe_dtype_is_float(t->dtype));
  }
  assert_true(tensor_named(net, "bf")->value->f[1] == 2);
  assert_null(tensor_named(net, "text")->value);
  assert_null(tensor_named(net, "cx")->value);
  assert_int_equal(tensor_named(net, "none")->value->n, 0);
  sloe_net_free(net);
}

static void onnx_symbolic_dimensions_keep_their_names(void **state) {
  (void)state;
  sloe_net *net = corpus_net("dynamic");
  const sloe_tensor *x = tensor_named(net, "x");
  assert_int_equal(x->shape.rank, 4);
  assert_int_equal(x->shape.dim[0], SLOE_DIM_UNKNOWN);
  assert_string_equal(x->symbol[0], "batch");
  assert_null(x->symbol[1]);
  sloe_net_free(net);
}

static void onnx_initializer_that_is_an_input_too_is_no_input(void **state) {
  (void)state;
  sloe_net *net = corpus_net("kinit");
  unsigned flags = tensor_named(net, "w")->flags;
  assert_int_equal(flags & (SLOE_T_INIT | SLOE_T_INPUT | SLOE_T_ARG), SLOE_T_INIT | SLOE_T_ARG);
  sloe_net_free(net);
}

static void onnx_inner_names_hide_outer_ones(void **state) {
  (void)state;
  sloe_net *net = corpus_net("if");
  const sloe_node *node = node_named(net, "if");
  const sloe_attr *yes = sloe_node_attr(node, "then_branch");
  const sloe_attr *no = sloe_node_attr(node, "else_branch");
  assert_int_equal(yes->graph->n_nodes, 2);
  assert_int_equal(no->graph->n_nodes, 2);
  const sloe_node *add = &net->nodes[yes->graph->nodes[0]];
  const sloe_node *mul = &net->nodes[no->graph->nodes[0]];
  assert_string_equal(net->tensors[add->in[0]].name, "x"); /* of the outer graph */
  assert_int_equal(net->tensors[add->in[0]].flags & SLOE_T_LOCAL, 0);
  /* both branches make a k2, each its own */
  assert_string_equal(net->tensors[add->out[0]].name, net->tensors[mul->out[0]].name);
  assert_int_not_equal(add->out[0], mul->out[0]);
  assert_int_equal(net->tensors[add->out[0]].flags & SLOE_T_LOCAL, SLOE_T_LOCAL);
  sloe_net_free(net);
}

static void onnx_functions_are_inlined_under_the_name_of_the_call(void **state) {
  (void)state;
  sloe_net *net = corpus_net("functions");
  const sloe_node *conv = node_named(net, "b1/conv");
  const sloe_node *leaky = node_named(net, "b1/act/LeakyRelu_0");
  assert_string_equal(net->tensors[conv->in[0]].name, "x");
  assert_int_equal(conv->n_in, 3);
  assert_int_equal(conv->in[2], -1); /* the call gives no bias */
  assert_true(sloe_node_float(leaky, "alpha", 0) == 0.25);
  assert_string_equal(net->tensors[leaky->out[0]].name, "h");
  /* a reference to what the call does not give is no attribute */
  assert_null(sloe_node_attr(node_named(net, "plain/LeakyRelu_0"), "alpha"));
  /* an output that is an input is copied */
  const sloe_tensor *same = tensor_named(net, "same");
  assert_int_equal(net->nodes[same->producer].op, SLOE_OP_IDENTITY);
  sloe_net_free(net);
}

static void onnx_function_defaults_and_overloads_are_taken(void **state) {
  (void)state;
  sloe_net *net = corpus_net("function-defaults");
  assert_int_equal(net->n_nodes, 1);
  assert_true(sloe_node_float(&net->nodes[0], "alpha", 0) == 0.5);
  sloe_net_free(net);
}

static void onnx_subgraph_in_a_function_sees_its_parameters(void **state) {
  (void)state;
  sloe_net *net = corpus_net("function-if");
  const sloe_node *node = node_named(net, "f/If_0");
  const sloe_graph *yes = sloe_node_attr(node, "then_branch")->graph;
  assert_string_equal(net->tensors[net->nodes[yes->nodes[0]].in[0]].name, "x");
  sloe_net_free(net);
}

static void onnx_sparse_tensors_have_their_dense_shape(void **state) {
  (void)state;
  sloe_net *net = corpus_net("sparse");
  assert_shape(&tensor_named(net, "w")->shape, "8x8");
  const sloe_attr *value = sloe_node_attr(&net->nodes[0], "value");
  assert_int_equal(value->type, SLOE_ATTR_TENSOR);
  assert_shape(&net->tensors[value->tensor].shape, "8x8");
  sloe_net_free(net);
}

static void onnx_external_data_is_not_looked_for(void **state) {
  (void)state;
  sloe_net *net = corpus_net("external");
  assert_shape(&tensor_named(net, "w")->shape, "4x4x1x1");
  sloe_net_free(net);
}

static void onnx_attributes_without_types_are_those_of_old_files(void **state) {
  (void)state;
  sloe_net *net = corpus_net("old");
  assert_int_equal(net->opset, 1);
  assert_true(sloe_node_float(&net->nodes[0], "alpha", 0) == 0.5);
  assert_int_equal(sloe_net_warning_count(net), 1);
  sloe_net_free(net);
}

static void onnx_shape_of_an_unknown_operator_is_believed(void **state) {
  sloe_net *net;
  sloe_error err;
  (void)state;
  assert_ok(sloe_net_open(corpus_path("unknown"), NULL, &net, &err), err);
  assert_shape(&tensor_named(net, "f")->shape, "1x2x3x3");
  assert_shape(&tensor_named(net, "y")->shape, "1x2x3x3");
  assert_string_equal(sloe_net_get_info(net)->name, "unknown");
  sloe_net_free(net);
}

static void onnx_versions_that_are_too_new_are_read_with_a_warning(void **state) {
  static const char *const cases[][2] = {{"bad-opset-99", "opset 99"}, {"bad-ir-40", "version 40"}};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    sloe_net *net = corpus_net(cases[i][0]);
    assert_int_equal(sloe_net_warning_count(net), 1);
    assert_non_null(strstr(sloe_net_warning(net, 0), cases[i][1]));
    sloe_net_free(net);
  }
}

typedef struct refusal {
  const char *file;
  sloe_status status;
  const char *text;
} refusal;

static const refusal REFUSALS[] = {
    {"bad-empty", SLOE_FORMAT, "not an ONNX model: it is empty"},
    {"bad-text", SLOE_FORMAT, "not an ONNX model: "},
    {"bad-zeros", SLOE_FORMAT, "not an ONNX model: field number 0"},
    {"bad-cut-1", SLOE_FORMAT, "not an ONNX model: a varint runs past"},
    {"bad-cut-120", SLOE_FORMAT, "node 'conv' (Conv): field 5: 16 bytes declared, 0 left"},
    {"bad-cut-40", SLOE_FORMAT, "node 'conv': field 4: 4 bytes declared, 2 left"},
    {"bad-negative-dim", SLOE_FORMAT, "initializer 'w': dimension -3 is negative"},
    {"bad-overflowing-dims", SLOE_FORMAT, "initializer 'w': the product of the dimensions"},
    {"bad-billion-dims", SLOE_FORMAT, "field 1: 1000000000 bytes declared, 2 left"},
    {"bad-nine-dims", SLOE_UNSUPPORTED, "initializer 'w': a tensor of more than 8 dimensions"},
    {"bad-raw-too-short", SLOE_FORMAT,
     "'w': 8 bytes of raw data where dimensions and type give 16"},
    {"bad-too-many-values", SLOE_FORMAT, "'w': more values than the 2 elements"},
    {"bad-no-data-type", SLOE_FORMAT, "'w': a tensor without a data type"},
    {"bad-data-type-99", SLOE_UNSUPPORTED, "'w': data type 99 is not known"},
    {"bad-group", SLOE_FORMAT, "'w': field 3: a group"},
    {"bad-wide-varint", SLOE_FORMAT, "'w': a varint is wider than 64 bits"},
    {"bad-wrong-wire-type", SLOE_FORMAT, "field 8: wire type 0 where 2 is expected"},
    {"bad-field-zero", SLOE_FORMAT, "field number 0"},
    {"bad-two-graphs", SLOE_FORMAT, "a second graph"},
    {"bad-no-opset", SLOE_FORMAT, "imports no opset"},
    {"bad-made-twice", SLOE_FORMAT, "tensor 'y' is made twice"},
    {"bad-never-made", SLOE_FORMAT, "node 'add' (Add): input 'q' is made by no node"},
    {"bad-cycle", SLOE_FORMAT, "node 'one' (Add) is part of a cycle"},
    {"bad-depth-40", SLOE_UNSUPPORTED, "graphs nested more than 32 deep"},
    {"bad-function-bomb", SLOE_UNSUPPORTED, "function 'local::F11': "},
    {"bad-recursion", SLOE_FORMAT, "function 'local::F': node that makes 'y' (F): it calls itself"},
    {"bad-attribute-of-another-type", SLOE_FORMAT,
     "node 'leaky' (LeakyRelu): attribute 'alpha': its value is not of its type"},
};

static void onnx_malformed_model_is_refused_with_place_and_reason(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
    const refusal *c = &REFUSALS[i];
    sloe_net *net = (sloe_net *)state;
    sloe_error err;
    size_t len;
    char *data = corpus_bytes(c->file, &len);
    assert_refused(sloe_net_open(corpus_path(c->file), NULL, &net, &err), c->status, err, c->text);
    assert_null(net);
    assert_true(err.offset <= len);
    assert_non_null(strstr(err.msg, c->file)); /* the path */
    sloe_dealloc(data);
  }
}

static void onnx_path_that_is_no_file_is_refused(void **state) {
  sloe_net *net;
  sloe_error err;
  (void)state;
  assert_refused(sloe_net_open(CORPUS "absent.onnx", NULL, &net, &err), SLOE_NOTFOUND, err,
                 "absent.onnx: cannot open");
  assert_null(net);
  assert_refused(sloe_net_open(CORPUS, NULL, &net, &err), SLOE_IO, err, "directory");
  assert_null(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(onnx_chain_has_its_nodes_attributes_and_tensors),
      cmocka_unit_test(onnx_contents_are_read_from_every_data_field_and_from_raw),
      cmocka_unit_test(onnx_symbolic_dimensions_keep_their_names),
      cmocka_unit_test(onnx_initializer_that_is_an_input_too_is_no_input),
      cmocka_unit_test(onnx_inner_names_hide_outer_ones),
      cmocka_unit_test(onnx_functions_are_inlined_under_the_name_of_the_call),
      cmocka_unit_test(onnx_function_defaults_and_overloads_are_taken),
      cmocka_unit_test(onnx_subgraph_in_a_function_sees_its_parameters),
      cmocka_unit_test(onnx_sparse_tensors_have_their_dense_shape),
      cmocka_unit_test(onnx_external_data_is_not_looked_for),
      cmocka_unit_test(onnx_attributes_without_types_are_those_of_old_files),
      cmocka_unit_test(onnx_shape_of_an_unknown_operator_is_believed),
      cmocka_unit_test(onnx_versions_that_are_too_new_are_read_with_a_warning),
      cmocka_unit_test(onnx_malformed_model_is_refused_with_place_and_reason),
      cmocka_unit_test(onnx_path_that_is_no_file_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
