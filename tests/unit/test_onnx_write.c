/* Nets written as ONNX and read back. */
#include <dirent.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/map.h"
#include "onnx/random.h"
#include "unit/build.h"
#include "unit/onnx_files.h"

static const char TARGET[] = "sloe-write-test.onnx";

static sloe_net *written_and_read(const sloe_net *net, int weights) {
  sloe_error err;
  sloe_net *again;
  sloe_onnx_options options = {.weights = weights};
  assert_ok(sloe_net_write_onnx(net, TARGET, &options, &err), err);
  assert_ok(sloe_onnx_read_file(TARGET, 0, &again, &err), err);
  unlink(TARGET);
  return again;
}

static void assert_same_value(const sloe_value *a, const sloe_value *b) {
  assert_non_null(b);
  assert_int_equal(a->n, b->n);
  assert_int_equal(a->real, b->real);
  for (size_t i = 0; i < a->n; i++) {
    if (!a->real) assert_int_equal(a->i[i], b->i[i]);
    if (a->real) assert_true(a->f[i] == b->f[i]);
  }
}

static void assert_same_attr(const sloe_net *na, const sloe_attr *a, const sloe_net *nb,
                             const sloe_attr *b) {
  assert_string_equal(a->name, b->name);
  assert_int_equal(a->type, b->type);
  assert_int_equal(a->n, b->n);
  assert_int_equal(a->i, b->i);
  assert_true(a->f == b->f);
  if (a->s) assert_string_equal(a->s, b->s);
  if (a->ints) assert_memory_equal(a->ints, b->ints, a->n * sizeof *a->ints);
  if (a->floats) assert_memory_equal(a->floats, b->floats, a->n * sizeof *a->floats);
  for (size_t i = 0; a->strings && i < a->n; i++) assert_string_equal(a->strings[i], b->strings[i]);
  if (a->type == SLOE_ATTR_TENSOR) {
    const sloe_tensor *x = &na->tensors[a->tensor], *y = &nb->tensors[b->tensor];
    assert_int_equal(x->dtype, y->dtype);
    assert_memory_equal(&x->shape, &y->shape, sizeof x->shape);
    if (x->value) assert_same_value(x->value, y->value);
  }
  if (a->graph) assert_int_equal(a->graph->n_nodes, b->graph->n_nodes);
}

/* Main graphs: the nodes in order, with names, types, the names of inputs and outputs, attributes.
 */
static void assert_same_nodes(const sloe_net *a, const sloe_net *b) {
  assert_int_equal(a->graph.n_nodes, b->graph.n_nodes);
  for (size_t i = 0; i < a->graph.n_nodes; i++) {
    const sloe_node *x = &a->nodes[a->graph.nodes[i]], *y = &b->nodes[b->graph.nodes[i]];
    assert_string_equal(x->type, y->type);
    assert_string_equal(x->name, y->name);
    assert_int_equal(x->n_given_in, y->n_given_in);
    assert_int_equal(x->n_out, y->n_out);
    assert_int_equal(x->n_attrs, y->n_attrs);
    for (size_t k = 0; k < x->n_given_in; k++) {
      sloe_tid s = x->given_in[k], t = y->given_in[k];
      assert_int_equal(s < 0, t < 0);
      if (s >= 0) assert_string_equal(a->tensors[s].name, b->tensors[t].name);
    }
    for (size_t k = 0; k < x->n_attrs; k++) assert_same_attr(a, &x->attrs[k], b, &y->attrs[k]);
  }
}

static void assert_same_initializers(const sloe_net *a, const sloe_net *b) {
  sloe_map names = {0};
  sloe_arena arena;
  sloe_arena_init(&arena, SIZE_MAX);
  for (size_t i = 0; i < b->n_tensors; i++)
    if (b->tensors[i].flags & SLOE_T_INIT)
      assert_true(sloe_map_put(&names, &arena, b->tensors[i].name, (int32_t)i));
  for (size_t i = 0; i < a->n_tensors; i++) {
    const sloe_tensor *x = &a->tensors[i];
    if (!(x->flags & SLOE_T_INIT)) continue;
    int32_t t = sloe_map_get(&names, x->name);
    if (t < 0) fail_msg("initializer %s is lost", x->name);
    assert_int_equal(x->dtype, b->tensors[t].dtype);
    assert_memory_equal(&x->shape, &b->tensors[t].shape, sizeof x->shape);
    if (x->value) assert_same_value(x->value, b->tensors[t].value);
  }
  sloe_arena_fini(&arena);
}

static void onnx_corpus_model_is_the_same_after_writing(void **state) {
  static const char *const models[] = {
      "conv-chain", "dynamic",     "if",       "loop",      "scan",   "functions", "sparse",
      "kinit",      "data-fields", "unsorted", "constants", "nested", "external"};
  (void)state;
  for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
    sloe_net *net = corpus_net(models[i]), *again = written_and_read(net, 0);
    assert_same_nodes(net, again);
    assert_same_initializers(net, again);
    assert_int_equal(net->graph.n_in, again->graph.n_in);
    assert_int_equal(net->graph.n_out, again->graph.n_out);
    assert_int_equal(net->opset, again->opset);
    sloe_net_free(again);
    sloe_net_free(net);
  }
}

/* Finish redirects inputs of control nodes; the writer must not see that. */
static void onnx_finished_model_counts_the_same_after_writing(void **state) {
  static const char *const models[] = {"conv-chain", "dynamic", "if", "loop", "scan", "nested"};
  (void)state;
  for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
    sloe_net *net, *again;
    sloe_error err;
    assert_ok(sloe_net_open(corpus_path(models[i]), NULL, &net, &err), err);
    again = written_and_read(net, 1);
    assert_same_nodes(net, again);
    assert_ok(sloe_net_finish(again, NULL, &err), err);
    const sloe_net_info *a = sloe_net_get_info(net), *b = sloe_net_get_info(again);
    assert_int_equal(a->params, b->params);
    assert_int_equal(a->flops, b->flops);
    assert_int_equal(a->activations, b->activations);
    assert_int_equal(a->n_ops, b->n_ops);
    sloe_net_free(again);
    sloe_net_free(net);
  }
}

static void onnx_real_models_are_the_same_after_writing(void **state) {
  static const char folder[] = SLOE_SOURCE_DIR "/../shared/models";
  DIR *dir = opendir(folder);
  size_t n = 0;
  (void)state;
  if (!dir) skip();
  for (struct dirent *e; (e = readdir(dir));) {
    char path[1024];
    sloe_net *net, *again;
    sloe_error err;
    const char *dot = strrchr(e->d_name, '.');
    if (!dot || strcmp(dot, ".onnx") != 0) continue;
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    assert_ok(sloe_onnx_read_file(path, 0, &net, &err), err);
    again = written_and_read(net, 0);
    assert_same_nodes(net, again);
    assert_same_initializers(net, again);
    sloe_net_free(again);
    sloe_net_free(net);
    n++;
  }
  closedir(dir);
  assert_true(n > 0);
}

static void onnx_weights_are_as_large_as_they_say_and_always_the_same(void **state) {
  size_t len, again_len;
  char *first, *again;
  sloe_error err;
  (void)state;
  sloe_net *net = corpus_net("conv-chain");
  sloe_onnx_options with = {.weights = 1}, without = {0};
  assert_ok(sloe_net_write_onnx(net, TARGET, &without, &err), err);
  assert_ok(sloe_file_read(TARGET, 1 << 20, &first, &len, &err), err);
  sloe_dealloc(first);
  assert_ok(sloe_net_write_onnx(net, TARGET, &with, &err), err);
  assert_ok(sloe_file_read(TARGET, 1 << 20, &first, &again_len, &err), err);
  /* 4x4x3x3 + 4 + 4 + 10x4 floats, and tags, and wider lengths */
  assert_in_range(again_len - len, 192 * 4 + 4 * 2, 192 * 4 + 40);
  assert_ok(sloe_net_write_onnx(net, TARGET, &with, &err), err);
  assert_ok(sloe_file_read(TARGET, 1 << 20, &again, &len, &err), err);
  assert_int_equal(len, again_len);
  assert_memory_equal(first, again, len);
  unlink(TARGET);
  sloe_dealloc(first);
  sloe_dealloc(again);
  sloe_net_free(net);
}

/* y = conv(x, w) + w_shape, the second named as the shape of the first would be. */
static sloe_net *net_of_two_weights(void) {
  sloe_net *net = build_net();
  const sloe_tid x = build_input(net, "x", DIMS(1, 3, 8, 8));
  const sloe_tid w = build_weight(net, "w", DIMS(4, 3, 1, 1));
  const sloe_tid other = build_weight(net, "w_shape", DIMS(1, 4, 8, 8));
  const sloe_tid y = build_node(net, "Conv", "conv", IN(x, w), NO_ATTRS);
  build_output(net, build_node(net, "Add", "add", IN(y, other), NO_ATTRS));
  return net;
}

static void onnx_weights_made_of_their_shapes_count_the_same(void **state) {
  (void)state;
  sloe_error err;
  sloe_net *net = net_of_two_weights(), *again = written_and_read(net, SLOE_WEIGHTS_SHAPES);
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  assert_ok(sloe_net_finish(again, NULL, &err), err);
  const sloe_net_info *a = sloe_net_get_info(net), *b = sloe_net_get_info(again);
  assert_int_equal(a->params, 4 * 3 + 4 * 64);
  assert_int_equal(b->params, a->params);
  assert_int_equal(b->flops, a->flops);
  assert_int_equal(b->n_ops, a->n_ops);
  sloe_net_free(again);
  sloe_net_free(net);
}

static void onnx_scales_and_variances_are_positive(void **state) {
  sloe_random random;
  float values[4096];
  double sum = 0, squares = 0;
  (void)state;
  sloe_random_init(&random, 7, 1, 0.1);
  sloe_random_fill(&random, SLOE_DT_FLOAT, (uint8_t *)values, sizeof values);
  for (size_t i = 0; i < 4096; i++) {
    assert_true(values[i] > 0.6 && values[i] < 1.4);
    sum += values[i];
    squares += (values[i] - 1) * (values[i] - 1);
  }
  assert_true(fabs(sum / 4096 - 1) < 0.01);
  assert_true(fabs(sqrt(squares / 4096) - 0.1) < 0.005);
}

static void onnx_reals_round_as_ieee_says(void **state) {
  static const struct {
    sloe_dtype dtype;
    double value;
    uint64_t bits;
  } cases[] = {
      {SLOE_DT_FLOAT16, 1, 0x3c00},
      {SLOE_DT_FLOAT16, -2, 0xc000},
      {SLOE_DT_FLOAT16, 65504, 0x7bff},
      {SLOE_DT_FLOAT16, 65520, 0x7c00},
      {SLOE_DT_FLOAT16, 0x1p-14, 0x0400},
      {SLOE_DT_FLOAT16, 0x1p-24, 0x0001},
      {SLOE_DT_FLOAT16, 0x1p-26, 0x0000},
      {SLOE_DT_FLOAT16, 1 + 0x1p-11, 0x3c00},
      {SLOE_DT_FLOAT16, 1 + 0x3p-11, 0x3c02},
      {SLOE_DT_BFLOAT16, 1, 0x3f80},
      {SLOE_DT_BFLOAT16, 1 + 0x1p-8, 0x3f80},
      {SLOE_DT_FLOAT, 0.5, 0x3f000000},
      {SLOE_DT_DOUBLE, 1, 0x3ff0000000000000},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(sloe_real_bits(cases[i].dtype, cases[i].value), cases[i].bits);
}

static void onnx_net_made_by_hand_is_written_with_defaults(void **state) {
  sloe_error err;
  (void)state;
  sloe_net *net = build_net();
  net->opset = 0;
  sloe_tid x = build_input(net, "x", DIMS(1, 3, 8, 8));
  sloe_tid w = build_weight(net, "w", DIMS(4, 3, 3, 3));
  sloe_attr kernel = ATTR_INTS("kernel_shape", 3, 3);
  build_output(net, build_node(net, "Conv", "conv", IN(x, w), &kernel, 1));
  sloe_net *again = written_and_read(net, 1);
  assert_int_equal(again->opset, 17);
  assert_same_nodes(net, again);
  assert_ok(sloe_net_finish(again, NULL, &err), err);
  assert_int_equal(sloe_net_get_info(again)->params, 108);
  sloe_net_free(again);
  sloe_net_free(net);
}

static void onnx_writing_where_it_cannot_leaves_nothing(void **state) {
  sloe_error err;
  (void)state;
  sloe_net *net = corpus_net("conv-chain");
  assert_refused(sloe_net_write_onnx(net, "absent-folder/x.onnx", NULL, &err), SLOE_NOTFOUND, err,
                 "absent-folder");
  sloe_net_free(net);
  net = corpus_net("unknown");
  assert_refused(sloe_net_write_onnx(net, TARGET, NULL, &err), SLOE_UNSUPPORTED, err,
                 "node 'foo' (com.example::Foo): attribute 'tensors'");
  assert_int_not_equal(access(TARGET, F_OK), 0);
  sloe_net_free(net);
}

static void survives_failure_of_every_allocation(const sloe_net *net, int weights) {
  const sloe_onnx_options with = {.weights = weights};
  long live = sloe_alloc_live(), n = 0;
  sloe_status status = SLOE_NOMEM;
  for (; status != SLOE_OK && n < 1000; n++) {
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    status = sloe_net_write_onnx(net, TARGET, &with, &err);
    sloe_alloc_fail_after(-1);
    assert_true(status == SLOE_OK || (status == SLOE_NOMEM && err.msg[0]));
    assert_int_equal(access(TARGET, F_OK) == 0, status == SLOE_OK);
    assert_int_equal(sloe_alloc_live(), live);
  }
  assert_int_equal(status, SLOE_OK);
  assert_true(n > 3);
  unlink(TARGET);
}

static void onnx_writing_survives_failure_of_every_allocation(void **state) {
  (void)state;
  sloe_net *branches = corpus_net("if"), *weights = net_of_two_weights();
  survives_failure_of_every_allocation(branches, SLOE_WEIGHTS_RANDOM);
  survives_failure_of_every_allocation(weights, SLOE_WEIGHTS_SHAPES);
  sloe_net_free(weights);
  sloe_net_free(branches);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(onnx_corpus_model_is_the_same_after_writing),
      cmocka_unit_test(onnx_finished_model_counts_the_same_after_writing),
      cmocka_unit_test(onnx_real_models_are_the_same_after_writing),
      cmocka_unit_test(onnx_weights_are_as_large_as_they_say_and_always_the_same),
      cmocka_unit_test(onnx_weights_made_of_their_shapes_count_the_same),
      cmocka_unit_test(onnx_scales_and_variances_are_positive),
      cmocka_unit_test(onnx_reals_round_as_ieee_says),
      cmocka_unit_test(onnx_net_made_by_hand_is_written_with_defaults),
      cmocka_unit_test(onnx_writing_where_it_cannot_leaves_nothing),
      cmocka_unit_test(onnx_writing_survives_failure_of_every_allocation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
