/* Contents that the text files of shape rules cannot write: INT64_MIN, which means "unknown" there,
 * and constants too large to keep.
 */
#include "unit/build.h"

static sloe_tid constant_of(sloe_net *net, const char *name, int64_t value) {
  sloe_tid t = build_tensor(net, name);
  sloe_value *v = SLOE_ARENA_NEW(&net->arena, sloe_value, 1);
  int64_t *data = SLOE_ARENA_NEW(&net->arena, int64_t, 1);
  assert_true(v && data);
  *data = value;
  *v = (sloe_value){.n = 1, .i = data};
  net->tensors[t].shape = (sloe_shape){.rank = 1, .dim = {1}};
  net->tensors[t].dtype = SLOE_DT_INT64;
  net->tensors[t].value = v;
  return t;
}

static sloe_tid initializer_of(sloe_net *net, const char *name, int64_t value) {
  sloe_tid t = constant_of(net, name, value);
  net->tensors[t].flags |= SLOE_T_INIT | SLOE_T_CONST;
  return t;
}

static void finish(sloe_net *net) {
  sloe_error err;
  assert_ok(sloe_net_finish(net, NULL, &err), err);
}

/* What converters write for x[::-1]. */
static void a_slice_backwards_to_int64_min_takes_all(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(10, 3));
  sloe_tid y =
      build_node(net, "Slice", "flip",
                 IN(x, initializer_of(net, "starts", -1), initializer_of(net, "ends", INT64_MIN),
                    initializer_of(net, "axes", 0), initializer_of(net, "steps", -1)),
                 NO_ATTRS);
  build_output(net, y);
  finish(net);
  assert_int_equal(net->tensors[y].shape.dim[0], 10);
  assert_int_equal(net->tensors[y].shape.dim[1], 3);
  sloe_net_free(net);
}

static void an_end_of_int64_min_that_was_computed_is_unknown(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(10, 3)), ends = constant_of(net, "ends", INT64_MIN);
  sloe_error err;
  assert_ok(build_try(net, "test::Source", "source", NULL, 0, ends, NO_ATTRS, &err), err);
  sloe_tid y =
      build_node(net, "Slice", "cut", IN(x, initializer_of(net, "starts", 0), ends), NO_ATTRS);
  build_output(net, y);
  finish(net);
  assert_int_equal(net->tensors[y].shape.dim[0], SLOE_DIM_UNKNOWN);
  assert_int_equal(net->tensors[y].shape.dim[1], 3);
  sloe_net_free(net);
}

static void a_constant_node_of_int64_min_is_a_constant(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(10, 3));
  sloe_tid held = constant_of(net, "held", INT64_MIN);
  net->tensors[held].flags |= SLOE_T_CONST;
  const sloe_attr value[] = {{.name = "value", .type = SLOE_ATTR_TENSOR, .tensor = held}};
  sloe_tid ends = build_node(net, "Constant", "constant", NULL, 0, value, 1);
  sloe_tid y = build_node(net, "Slice", "flip",
                          IN(x, initializer_of(net, "starts", -1), ends,
                             initializer_of(net, "axes", 0), initializer_of(net, "steps", -1)),
                          NO_ATTRS);
  build_output(net, y);
  finish(net);
  assert_int_equal(net->tensors[y].shape.dim[0], 10);
  assert_int_equal(net->n_order, 1);
  sloe_net_free(net);
}

static void contents_are_kept_up_to_a_size_and_constness_beyond(void **state) {
  (void)state;
  sloe_net *net = build_net();
  sloe_tid seven = initializer_of(net, "seven", 7);
  sloe_tid kept = build_node(net, "Expand", "kept",
                             IN(seven, initializer_of(net, "small", SLOE_VALUE_MAX)), NO_ATTRS);
  sloe_tid dropped =
      build_node(net, "Expand", "dropped",
                 IN(seven, initializer_of(net, "large", SLOE_VALUE_MAX + 1)), NO_ATTRS);
  build_output(net, kept);
  build_output(net, dropped);
  finish(net);
  assert_non_null(net->tensors[kept].value);
  assert_int_equal(net->tensors[kept].value->i[SLOE_VALUE_MAX - 1], 7);
  assert_null(net->tensors[dropped].value);
  assert_int_equal(net->tensors[dropped].shape.dim[0], SLOE_VALUE_MAX + 1);
  assert_true(net->tensors[dropped].flags & SLOE_T_CONST);
  sloe_net_free(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_slice_backwards_to_int64_min_takes_all),
      cmocka_unit_test(an_end_of_int64_min_that_was_computed_is_unknown),
      cmocka_unit_test(a_constant_node_of_int64_min_is_a_constant),
      cmocka_unit_test(contents_are_kept_up_to_a_size_and_constness_beyond),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
