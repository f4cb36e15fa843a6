/* The backend cudnn: what needs no GPU: its kernels compile, its options are checked. */
#include "unit/cudnn_check.h"

static void assert_compiles(const char *name, const char *text) {
  sloe_error err;
  for (int half = 0; half < 2; half++) {
    char *code;
    assert_ok(sloe_cudnn_compile(90, half, name, text, &code, &err), err);
    assert_memory_equal(code, "\177ELF", 4);
    sloe_dealloc(code);
  }
}

static void every_kernel_compiles_for_both_types(void **state) {
  (void)state;
  const char *const images[] = {"pool_max", "pool_mean", "pool_padded", "nearest", "linear", "lrn"};
  assert_compiles("fill", sloe_cudnn_text_fill);
  assert_compiles("norm_rows", sloe_cudnn_text_norm);
  for (size_t i = 0; i < sizeof images / sizeof *images; i++)
    assert_compiles(images[i], sloe_cudnn_text_image);
}

static void every_reduction_compiles(void **state) {
  (void)state;
  sloe_arena arena;
  sloe_arena_init(&arena, 1 << 20);
  for (int how = 0; how <= CUDNN_RED_L2; how++) {
    const char *text = sloe_cudnn_reduction_text(&arena, (cudnn_reduction)how, 2, 1, how % 2);
    assert_non_null(text);
    assert_compiles("reduce", text);
  }
  sloe_arena_fini(&arena);
}

/* All functions in one kernel: compiling each alone takes a while. */
static void every_function_of_an_element_compiles(void **state) {
  (void)state;
  sloe_arena arena;
  sloe_arena_init(&arena, 1 << 20);
  const char *sum = "0.0f";
  for (int act = 0; act < SLOE_SPEC_ACT_COUNT; act++) {
    const char *one = sloe_cudnn_act_of(&arena, sloe_cudnn_act_text((sloe_spec_act)act), "x + y");
    sum = sloe_arena_printf(&arena, "%s + %s", sum, one);
  }
  for (int op = 0; op < SLOE_OP_COUNT; op++)
    if (sloe_cudnn_binary_text((sloe_op)op))
      sum = sloe_arena_printf(&arena, "%s + (%s)", sum, sloe_cudnn_binary_text((sloe_op)op));
  const char *text = sloe_arena_printf(&arena, "#define RANK 3\n#define FN(x, y, z, u) (%s)\n%s",
                                       sum, sloe_cudnn_text_map);
  assert_non_null(text);
  assert_compiles("map", text);
  sloe_arena_fini(&arena);
}

static void the_function_of_a_node_has_its_numbers_in_every_locale(void **state) {
  (void)state;
  const sloe_attr alpha[] = {{.name = "alpha", .type = SLOE_ATTR_FLOAT, .f = 0.25}};
  const sloe_node leaky = {.op = SLOE_OP_LEAKY_RELU, .attrs = (sloe_attr *)alpha, .n_attrs = 1};
  const sloe_node clip = {.op = SLOE_OP_CLIP}, conv = {.op = SLOE_OP_CONV};
  const sloe_net net = {.name = ""};
  char text[CUDNN_TEXT];
  assert_true(sloe_cudnn_node_text(&net, &leaky, text));
  assert_string_equal(text, "(x > 0.0f ? x : x * 0.25f)");
  assert_true(sloe_cudnn_node_text(&net, &clip, text));
  assert_non_null(strstr(text, "e+38f), "));
  assert_false(sloe_cudnn_node_text(&net, &conv, text));
}

static void a_text_that_does_not_compile_is_refused_with_its_error(void **state) {
  (void)state;
  sloe_error err;
  char *code = (char *)&err;
  assert_refused(
      sloe_cudnn_compile(90, 0, "bad", "__device__ int f() { return nothing; }", &code, &err),
      SLOE_DEVICE, err, "nothing");
  assert_null(code);
}

static void a_wrong_key_or_value_is_refused_with_what_there_is(void **state) {
  (void)state;
  const struct {
    const char *key, *value, *text;
  } rows[] = {{"threads", "1", "weights"},
              {"precision", "int8", "tf32"},
              {"weights", "hot", "cold"},
              {"device", "-1", "device"},
              {"max_mb", "many", "max_mb"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const sloe_backend_options options = {.pair = {{rows[i].key, rows[i].value}}, .n = 1};
    sloe_device_info info;
    sloe_error err;
    void *device = &info;
    assert_refused(sloe_backend_cudnn.open(&options, &device, &info, &err), SLOE_USAGE, err,
                   rows[i].text);
    assert_null(device);
  }
  assert_int_equal(sloe_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kernel_compiles_for_both_types),
      cmocka_unit_test(every_reduction_compiles),
      cmocka_unit_test(every_function_of_an_element_compiles),
      cmocka_unit_test(the_function_of_a_node_has_its_numbers_in_every_locale),
      cmocka_unit_test(a_text_that_does_not_compile_is_refused_with_its_error),
      cmocka_unit_test(a_wrong_key_or_value_is_refused_with_what_there_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
