/* From fused layers to specs: layers that everybody knows, ops by hand, and every layer of every
 * real model. */
#include <dirent.h>

#include "net/layer_spec.h"
#include "unit/build.h"

#define MODELS SLOE_SOURCE_DIR "/../shared/models"

static sloe_layers *layers_of(const sloe_net *net) {
  const sloe_fusion fusion = {.runtime = SLOE_RUNTIME_ONEDNN};
  sloe_layers *layers;
  sloe_error err;
  assert_ok(sloe_layers_new(net, &fusion, &layers, &err), err);
  return layers;
}

/* ---- layers that everybody knows ---- */

/* The layer whose first op has this text in its name. */
static size_t find_layer(const sloe_layers *layers, const char *op) {
  for (size_t i = 0; i < sloe_layers_count(layers); i++)
    if (strstr(sloe_layers_at(layers, i)->ops[0], op)) return i;
  fail_msg("no layer of '%s'", op);
  return 0;
}

static void layers_of_real_models_have_the_specs_of_their_papers(void **state) {
  static const struct {
    const char *model, *op, *spec;
  } rows[] = {
      {"tv_resnet18", "/conv1/Conv", "op=conv,c=3,h=224,w=224,k=64,kernel=7,stride=2,act=relu"},
      {"tv_resnet18", "/maxpool/MaxPool", "op=maxpool,c=64,h=112,w=112,kernel=3,stride=2"},
      {"tv_resnet18", "/layer1/layer1.0/conv2/Conv",
       "op=conv,c=64,h=56,w=56,kernel=3,act=relu,add=1"},
      {"tv_resnet18", "/layer2/layer2.0/conv1/Conv",
       "op=conv,c=64,h=56,w=56,k=128,kernel=3,stride=2,act=relu"},
      {"tv_resnet18", "/avgpool/GlobalAveragePool", "op=globalpool,c=512,h=7,w=7"},
      {"tv_resnet18", "/fc/Gemm", "op=fc,c=512,k=1000"},
      {"tv_mobilenet_v2", "/features/features.1/conv/conv.0/conv.0.0/Conv",
       "op=conv,c=32,h=112,w=112,kernel=3,groups=32,act=clip"},
      {"tv_mobilenet_v2", "/features/features.3/conv/conv.2/Conv",
       "op=conv,c=144,h=56,w=56,k=24,add=1"},
      {"tv_mobilenet_v3_large", "/features/features.0/features.0.0/Conv",
       "op=conv,c=3,h=224,w=224,k=16,kernel=3,stride=2,act=hardswish"},
      {"tv_mobilenet_v3_large", "/features/features.4/block/block.2/avgpool/GlobalAveragePool",
       "op=globalpool,c=72,h=28,w=28"},
      {"tv_mobilenet_v3_large", "/features/features.4/block/block.2/fc2/Conv",
       "op=conv,c=24,k=72,act=hardsigmoid"},
      {"tv_mobilenet_v3_large", "/features/features.4/block/block.2/Mul",
       "op=binary,c=72,h=28,w=28,with=channel"},
      {"tv_efficientnet_b0", "/features/features.0/features.0.0/Conv",
       "op=conv,c=3,h=224,w=224,k=32,kernel=3,stride=2,act=swish"},
      {"tv_shufflenet_v2_x1_0", "/stage2/stage2.0/Concat", "op=concat,c=116,h=28,w=28,parts=2"},
      {"tv_shufflenet_v2_x1_0", "/stage2/stage2.1/Concat",
       "op=concat,c=116,h=28,w=28,parts=2,mixed=1"}, /* half of it was shuffled */
      {"tv_googlenet", "/maxpool1/MaxPool",
       "op=maxpool,c=64,h=112,w=112,kernel=3,stride=2,pad=0,out=56"},
      {"timm_nasnetalarge", "/cell_stem_0/comb_iter_0_left/separable_1/depthwise_conv2d/Pad",
       "op=conv,c=42,h=165,w=165,kernel=5,stride=2,groups=42"},
  };
  const char *open_model = "";
  sloe_net *net = NULL;
  sloe_layers *layers = NULL;
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char path[512], got[SLOE_SPEC_TEXT];
    sloe_layer_spec s, wanted;
    sloe_error err;
    int known;
    if (strcmp(open_model, rows[i].model) != 0) {
      sloe_layers_free(layers);
      sloe_net_free(net);
      snprintf(path, sizeof path, MODELS "/%s.onnx", rows[i].model);
      if (sloe_net_open(path, NULL, &net, &err) == SLOE_NOTFOUND) skip();
      open_model = rows[i].model;
      layers = layers_of(net);
    }
    sloe_layer_spec_of(layers, find_layer(layers, rows[i].op), &s, &known);
    assert_true(known);
    assert_ok(sloe_layer_spec_parse(rows[i].spec, &wanted, &err), err);
    if (!sloe_layer_spec_same(&s, &wanted))
      fail_msg("%s %s: %s", rows[i].model, rows[i].op, sloe_layer_spec_print(&s, got));
  }
  sloe_layers_free(layers);
  sloe_net_free(net);
}

/* ---- every layer of every model ---- */

static int is_product(sloe_spec_op op) {
  return op == SLOE_SPEC_CONV || op == SLOE_SPEC_DECONV || op == SLOE_SPEC_FC ||
         op == SLOE_SPEC_MATMUL;
}

/* What a layer reads may be less: one tensor twice, a constant, what a Pad adds. */
static void check_layer(const sloe_layer *l, const sloe_layer_spec *s, const char *path) {
  char text[SLOE_SPEC_TEXT];
  sloe_layer_spec again;
  sloe_error err;
  assert_ok(sloe_layer_spec_parse(sloe_layer_spec_print(s, text), &again, &err), err);
  if (!sloe_layer_spec_same(s, &again)) fail_msg("%s: %s", path, text);
  if (is_product(s->op) && sloe_layer_spec_macs(s) != l->macs)
    fail_msg("%s: %s: %s has not its MACs", path, l->name, text);
  if (sloe_layer_spec_out_elements(s) != l->out_elements)
    fail_msg("%s: %s: %s does not write the same", path, l->name, text);
  if (sloe_layer_spec_in_elements(s) < l->in_elements && s->op != SLOE_SPEC_COPY &&
      s->op != SLOE_SPEC_CONCAT && s->op != SLOE_SPEC_BINARY)
    fail_msg("%s: %s: %s reads less", path, l->name, text);
}

static int check_model(const char *path) {
  sloe_net *net;
  sloe_error err;
  int unknown = 0;
  assert_ok(sloe_net_open(path, NULL, &net, &err), err);
  sloe_layers *layers = layers_of(net);
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    const sloe_layer *l = sloe_layers_at(layers, i);
    sloe_layer_spec s;
    int known;
    sloe_layer_spec_of(layers, i, &s, &known);
    assert_false(known && (l->kind == SLOE_LAYER_VIEW || l->data_dependent));
    if (known) check_layer(l, &s, path);
    if (!known && l->kind != SLOE_LAYER_VIEW && !l->data_dependent) {
      print_message("%s: %s (%s) has no spec\n", path, l->name, sloe_layer_kind_name(l->kind));
      unknown++;
    }
  }
  sloe_layers_free(layers);
  sloe_net_free(net);
  return unknown;
}

static void every_layer_of_the_models_has_a_spec(void **state) {
  (void)state;
  DIR *dir = opendir(MODELS);
  int models = 0;
  if (!dir) skip();
  for (struct dirent *e; (e = readdir(dir));) {
    char path[512];
    const size_t len = strlen(e->d_name);
    if (len < 5 || strcmp(e->d_name + len - 5, ".onnx") != 0) continue;
    snprintf(path, sizeof path, MODELS "/%s", e->d_name);
    assert_int_equal(check_model(path), 0);
    models++;
  }
  closedir(dir);
  assert_true(models >= 49);
}

/* ---- ops by hand ---- */

typedef struct op_case {
  const char *type, *spec; /* NULL: none */
  int rank[3];
  int64_t dims[3][5]; /* of the inputs */
  int n_in, weights;  /* inputs from this one on are weights; 0: none */
  sloe_attr attrs[3];
  size_t n_attrs;
  int64_t opset;
} op_case;

static void check_op(const op_case *c) {
  sloe_net *net = build_net();
  sloe_error err;
  sloe_tid in[3];
  int known;
  char text[SLOE_SPEC_TEXT];
  sloe_layer_spec s, wanted = sloe_layer_spec_none();
  if (c->opset) net->opset = c->opset;
  for (int i = 0; i < c->n_in; i++) {
    char name[16];
    snprintf(name, sizeof name, "x%d", i);
    in[i] = c->weights && i >= c->weights ? build_weight(net, name, c->rank[i], c->dims[i])
                                          : build_input(net, name, c->rank[i], c->dims[i]);
  }
  build_output(net, build_node(net, c->type, "node", in, (size_t)c->n_in, c->attrs, c->n_attrs));
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  sloe_layers *layers = layers_of(net);
  sloe_layer_spec_of(layers, 0, &s, &known);
  if (c->spec) assert_ok(sloe_layer_spec_parse(c->spec, &wanted, &err), err);
  if (known != (c->spec != NULL) || !sloe_layer_spec_same(&s, &wanted))
    fail_msg("%s: %s is not %s", c->type, sloe_layer_spec_print(&s, text),
             c->spec ? c->spec : "unknown");
  sloe_layers_free(layers);
  sloe_net_free(net);
}

static void ops_of_any_rank_are_folded_into_specs(void **state) {
  (void)state;
  const op_case cases[] = {
      /* convolutions in one dimension have a height of 1; in three there is no spec */
      {.type = "Conv",
       "op=conv,c=4,w=20,k=8,kernel=1x3,pad=0x1",
       {3, 3},
       {{1, 4, 20}, {8, 4, 3}},
       2,
       1,
       {ATTR_INTS("pads", 1, 1)},
       1},
      {.type = "Conv", NULL, {5, 5}, {{1, 4, 9, 9, 9}, {8, 4, 3, 3, 3}}, 2, 1},
      {.type = "MaxPool",
       "op=maxpool,c=4,w=20,kernel=1x2,stride=1x2,pad=0",
       {3},
       {{1, 4, 20}},
       1,
       0,
       {ATTR_INTS("kernel_shape", 2), ATTR_INTS("strides", 2)},
       2},
      /* products */
      {.type = "MatMul", "op=fc,n=10,c=7,k=3", {3, 2}, {{2, 5, 7}, {7, 3}}, 2, 1},
      {.type = "Gemm",
       "op=fc,n=5,c=7,k=3",
       {2, 2},
       {{7, 5}, {7, 3}},
       2,
       1,
       {ATTR_INT("transA", 1)},
       1},
      /* norms take rows */
      {.type = "LayerNormalization",
       "op=layernorm,n=10,c=7",
       {3, 1, 1},
       {{2, 5, 7}, {7}, {7}},
       3,
       1},
      {.type = "LayerNormalization",
       "op=layernorm,n=2,c=35",
       {3, 2, 2},
       {{2, 5, 7}, {5, 7}, {5, 7}},
       3,
       1,
       {ATTR_INT("axis", 1)},
       1},
      {.type = "InstanceNormalization",
       "op=layernorm,n=8,c=35",
       {4, 1, 1},
       {{2, 4, 5, 7}, {4}, {4}},
       3,
       1},
      {.type = "GroupNormalization",
       "op=layernorm,n=4,c=70",
       {4, 1, 1},
       {{2, 4, 5, 7}, {2}, {2}},
       3,
       1,
       {ATTR_INT("num_groups", 2)},
       1},
      {.type = "GroupNormalization",
       NULL,
       {4, 1, 1},
       {{2, 4, 5, 7}, {2}, {2}},
       3,
       1,
       {ATTR_INT("num_groups", 3)},
       1},
      {.type = "LpNormalization",
       "op=layernorm,n=2,c=4,h=5,w=7",
       {4},
       {{2, 4, 5, 7}},
       1,
       0,
       {ATTR_INT("axis", 1)},
       1},
      /* one axis, and several that are neighbours */
      {.type = "Softmax", "op=softmax,n=10,c=7", {3}, {{2, 5, 7}}, 1, 0},
      {.type = "Softmax",
       "op=softmax,n=2,c=5,w=7",
       {3},
       {{2, 5, 7}},
       1,
       0,
       {ATTR_INT("axis", 1)},
       1},
      {.type = "Softmax",
       "op=softmax,n=2,c=35",
       {3},
       {{2, 5, 7}},
       1,
       0,
       {ATTR_INT("axis", 1)},
       1,
       11},
      {.type = "ReduceMean",
       "op=reduce,n=10,c=7",
       {3},
       {{2, 5, 7}},
       1,
       0,
       {ATTR_INTS("axes", -1)},
       1},
      {.type = "ReduceMean",
       "op=reduce,n=2,c=35",
       {3},
       {{2, 5, 7}},
       1,
       0,
       {ATTR_INTS("axes", 2, 1)},
       1},
      {.type = "ReduceMax", "op=reduce,c=70", {3}, {{2, 5, 7}}, 1, 0},
      {.type = "ReduceMax", NULL, {3}, {{2, 5, 7}}, 1, 0, {ATTR_INTS("axes", 0, 2)}, 1},
      {.type = "ReduceMean",
       "op=globalpool,n=2,c=3,h=5,w=7",
       {4},
       {{2, 3, 5, 7}},
       1,
       0,
       {ATTR_INTS("axes", 2, 3)},
       1},
      {.type = "ArgMax", "op=reduce,n=2,c=5,w=7", {3}, {{2, 5, 7}}, 1, 0, {ATTR_INT("axis", 1)}, 1},
      /* arithmetic */
      {.type = "Add", "op=binary,c=2,h=5,w=7", {3, 3}, {{2, 5, 7}, {2, 5, 7}}, 2, 0},
      {.type = "Add", "op=binary,c=2,h=5,w=7,with=row", {3, 1}, {{2, 5, 7}, {7}}, 2, 0},
      {.type = "Add", "op=binary,h=5,w=7,with=row", {2, 1}, {{5, 7}, {7}}, 2, 0},
      {.type = "Add", "op=binary,c=5,w=7,with=channel", {2, 2}, {{5, 7}, {5, 1}}, 2, 0},
      {.type = "Mul",
       "op=binary,n=2,c=4,h=5,w=7,with=channel",
       {4, 4},
       {{2, 4, 1, 1}, {2, 4, 5, 7}},
       2,
       0},
      {.type = "Mul", "op=binary,n=2,c=4,h=5,w=7,with=scalar", {4, 0}, {{2, 4, 5, 7}}, 2, 0},
      /* moves */
      {.type = "Transpose", "op=transpose,c=7,h=5,w=2", {3}, {{2, 5, 7}}, 1, 0},
      {.type = "Concat",
       "op=concat,n=2,c=6,w=7,parts=2",
       {4, 4},
       {{2, 3, 1, 7}, {2, 3, 1, 7}},
       2,
       0,
       {ATTR_INT("axis", 1)},
       1},
      {.type = "Relu", "op=activation,c=2,h=5,w=7,act=relu", {3}, {{2, 5, 7}}, 1, 0},
      {.type = "Abs", "op=activation,n=2,c=5,act=other", {2}, {{2, 5}}, 1, 0},
      /* what takes no time, what nobody knows */
      {.type = "Flatten", NULL, {3}, {{2, 5, 7}}, 1, 0},
      {.type = "FooBar", NULL, {3}, {{2, 5, 7}}, 1, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_op(&cases[i]);
}

/* ---- what is fused ---- */

static sloe_layer_spec spec_of_only(sloe_net *net, sloe_tid out) {
  sloe_layer_spec s;
  sloe_error err;
  int known;
  build_output(net, out);
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  sloe_layers *layers = layers_of(net);
  assert_int_equal(sloe_layers_count(layers), 1);
  sloe_layer_spec_of(layers, 0, &s, &known);
  assert_true(known);
  sloe_layers_free(layers);
  sloe_net_free(net);
  return s;
}

static sloe_tid build_conv(sloe_net *net) {
  const sloe_tid x = build_input(net, "x", DIMS(1, 8, 6, 6));
  return build_node(net, "Conv", "conv", IN(x, build_weight(net, "w", DIMS(8, 8, 1, 1))), NO_ATTRS);
}

static void a_sigmoid_times_what_it_was_made_of_is_a_swish(void **state) {
  (void)state;
  sloe_net *net = build_net();
  const sloe_tid y = build_conv(net), s = build_node(net, "Sigmoid", "s", IN(y), NO_ATTRS);
  const sloe_layer_spec spec = spec_of_only(net, build_node(net, "Mul", "m", IN(s, y), NO_ATTRS));
  assert_int_equal(spec.act, SLOE_SPEC_ACT_SWISH);
  assert_int_equal(spec.add, 0);
}

static void a_sigmoid_times_another_tensor_is_no_swish(void **state) {
  (void)state;
  sloe_net *net = build_net();
  const sloe_tid y = build_conv(net), s = build_node(net, "Sigmoid", "s", IN(y), NO_ATTRS);
  const sloe_tid z = build_input(net, "z", DIMS(1, 8, 6, 6));
  const sloe_layer_spec spec = spec_of_only(net, build_node(net, "Mul", "m", IN(s, z), NO_ATTRS));
  assert_int_equal(spec.act, SLOE_SPEC_ACT_SIGMOID);
  assert_int_equal(spec.add, 1);
}

static void a_constant_or_a_smaller_tensor_is_no_residual(void **state) {
  (void)state;
  sloe_net *net = build_net();
  const sloe_tid z = build_input(net, "z", DIMS(1, 8, 1, 1));
  const sloe_tid a = build_node(net, "Mul", "a", IN(build_conv(net), z), NO_ATTRS);
  const sloe_tid c = build_weight(net, "c", DIMS(1, 8, 6, 6));
  const sloe_layer_spec spec = spec_of_only(net, build_node(net, "Add", "b", IN(a, c), NO_ATTRS));
  assert_int_equal(spec.act, SLOE_SPEC_ACT_NONE);
  assert_int_equal(spec.add, 0);
}

static sloe_tid build_branch(sloe_net *net, sloe_tid x, const char *name, int64_t filters) {
  char weight[40], relu[40];
  snprintf(weight, sizeof weight, "%s_w", name);
  snprintf(relu, sizeof relu, "%s_r", name);
  const sloe_tid w = build_weight(net, weight, DIMS(filters, 8, 1, 1));
  return build_node(net, "Relu", relu, IN(build_node(net, "Conv", name, IN(x, w), NO_ATTRS)),
                    NO_ATTRS);
}

static void siblings_that_run_as_one_have_the_filters_of_all(void **state) {
  static const sloe_fusion trt = {SLOE_RUNTIME_TENSORRT, 802, SLOE_FP16, 87};
  char got[SLOE_SPEC_TEXT];
  sloe_net *net = build_net();
  sloe_layers *layers;
  sloe_layer_spec s;
  sloe_error err;
  int known;
  (void)state;
  const sloe_tid x = build_input(net, "x", DIMS(2, 8, 6, 6));
  build_output(net, build_branch(net, x, "a", 16));
  build_output(net, build_branch(net, x, "b", 24));
  build_output(net, build_branch(net, x, "c", 8));
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  assert_ok(sloe_layers_new(net, &trt, &layers, &err), err);
  assert_int_equal(sloe_layers_count(layers), 1);
  sloe_layer_spec_of(layers, 0, &s, &known);
  assert_true(known);
  assert_string_equal(sloe_layer_spec_print(&s, got),
                      "zoo:layer,op=conv,n=2,c=8,h=6,w=6,k=48,act=relu");
  assert_int_equal(sloe_layer_spec_macs(&s), sloe_layers_at(layers, 0)->macs);
  assert_int_equal(sloe_layer_spec_out_elements(&s), sloe_layers_at(layers, 0)->out_elements);
  sloe_layers_free(layers);
  sloe_net_free(net);
}

static void a_layer_that_is_not_there_has_no_spec(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_error err;
  sloe_layer_spec s;
  int known = 1;
  build_output(net, build_conv(net));
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  sloe_layers *layers = layers_of(net);
  sloe_layer_spec_of(layers, 99, &s, &known);
  assert_false(known);
  sloe_layers_free(layers);
  sloe_net_free(net);
}

static void a_place_is_what_all_layers_hold_and_write(void **state) {
  (void)state;
  sloe_net *net;
  sloe_error err;
  assert_ok(sloe_net_open("zoo:random,seed=3", NULL, &net, &err), err);
  sloe_layers *layers = layers_of(net);
  const sloe_layer_place place = sloe_layers_place(layers);
  uint64_t written = 0, windows = 0;
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    const sloe_layer *layer = sloe_layers_at(layers, i);
    if (layer->kind != SLOE_LAYER_VIEW) written += layer->out_elements;
    if (layer->kind == SLOE_LAYER_CONV || layer->kind == SLOE_LAYER_DWCONV)
      windows += layer->params;
  }
  assert_true(place.in_network);
  assert_int_equal(place.weights, sloe_net_get_info(net)->params);
  assert_int_equal(place.windows, windows);
  assert_int_equal(place.touched, place.weights + written);
  sloe_layers_free(layers);
  sloe_net_free(net);
}

static void a_layer_by_itself_is_in_no_network(void **state) {
  (void)state;
  sloe_net *net;
  sloe_error err;
  assert_ok(sloe_net_open("zoo:layer,op=conv,c=8,h=4,w=4", NULL, &net, &err), err);
  sloe_layers *layers = layers_of(net);
  assert_false(sloe_layers_place(layers).in_network);
  sloe_layers_free(layers);
  sloe_net_free(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layers_of_real_models_have_the_specs_of_their_papers),
      cmocka_unit_test(every_layer_of_the_models_has_a_spec),
      cmocka_unit_test(ops_of_any_rank_are_folded_into_specs),
      cmocka_unit_test(a_sigmoid_times_what_it_was_made_of_is_a_swish),
      cmocka_unit_test(a_sigmoid_times_another_tensor_is_no_swish),
      cmocka_unit_test(a_constant_or_a_smaller_tensor_is_no_residual),
      cmocka_unit_test(siblings_that_run_as_one_have_the_filters_of_all),
      cmocka_unit_test(a_layer_that_is_not_there_has_no_spec),
      cmocka_unit_test(a_place_is_what_all_layers_hold_and_write),
      cmocka_unit_test(a_layer_by_itself_is_in_no_network),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
