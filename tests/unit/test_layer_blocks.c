/* How a convolution is cut into blocks of registers: as oneDNN 2.6.3 says by its layouts of
 * weights. */
#include "net/layer_blocks.h"

#include <math.h>

#include "unit/unit.h"

static sloe_layer_blocks blocks_of(const char *text) {
  sloe_layer_spec spec;
  sloe_error err;
  assert_ok(sloe_layer_spec_parse(text, &spec, &err), err);
  return sloe_layer_blocks_of(&spec);
}

/* Asked of dnnl_primitive_desc_query_md, "Acdb48a" and so on. */
static void filters_are_cut_as_the_runtime_cuts_them(void **state) {
  static const struct {
    const char *spec;
    int64_t vectors, blocks;
  } rows[] = {
      {"op=conv,c=64,h=28,w=28,k=16,kernel=3", 1, 1},
      {"op=conv,c=64,h=28,w=28,k=17,kernel=3", 2, 1},
      {"op=conv,c=64,h=28,w=28,k=48,kernel=3", 3, 1},
      {"op=conv,c=64,h=8,w=8,k=48,kernel=3", 2, 2}, /* too small an image for three */
      {"op=conv,c=64,h=28,w=28,k=64,kernel=3", 4, 1},
      {"op=conv,c=64,h=28,w=28,k=256,kernel=3", 2, 8},
      {"op=conv,c=64,h=28,w=28,k=256,kernel=1", 4, 4},
      {"op=conv,c=64,h=7,w=7,k=256,kernel=1", 2, 8}, /* too few positions for four */
      {"op=conv,c=64,h=28,w=28,k=320,kernel=1", 4, 5},
      {"op=conv,c=64,h=28,w=28,k=1,kernel=1", 1, 1},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const sloe_layer_blocks b = blocks_of(rows[i].spec);
    if (b.vectors != rows[i].vectors || b.blocks != rows[i].blocks)
      fail_msg("%s: %d vectors, %d blocks", rows[i].spec, (int)b.vectors, (int)b.blocks);
  }
}

/* 31 registers beside that of the input: vectors x rows of outputs and a vector of filters each. */
static void rows_fill_the_registers_and_waste_little(void **state) {
  (void)state;
  assert_int_equal(blocks_of("op=conv,c=64,h=28,w=28,k=32,kernel=3").rows, 14);
  assert_int_equal(blocks_of("op=conv,c=64,h=28,w=28,k=48,kernel=3").rows, 7);
  assert_int_equal(blocks_of("op=conv,c=64,h=28,w=12,k=64,kernel=3").rows, 6);
  assert_int_equal(blocks_of("op=conv,c=64,h=28,w=15,k=32,kernel=3").rows, 8);
  assert_int_equal(blocks_of("op=conv,c=64,h=28,w=5,k=32,kernel=3").rows, 5);
  const sloe_layer_blocks full = blocks_of("op=conv,c=64,h=28,w=14,k=32,kernel=3");
  const sloe_layer_blocks cut = blocks_of("op=conv,c=64,h=28,w=15,k=32,kernel=3");
  assert_true(cut.rate < full.rate && cut.rate > 0.7 * full.rate);
}

static void pointwise_rows_run_over_the_image(void **state) {
  (void)state;
  assert_true(blocks_of("op=conv,c=64,h=7,w=7,k=32,kernel=1").is_image);
  assert_false(blocks_of("op=conv,c=64,h=8,w=8,k=32,kernel=1,stride=2").is_image);
  assert_false(blocks_of("op=conv,c=64,h=7,w=7,k=32,kernel=3").is_image);
}

static void what_blocks_hold_beyond_the_filters_is_waste(void **state) {
  (void)state;
  assert_true(fabs(blocks_of("op=conv,c=64,h=28,w=28,k=32,kernel=3").waste - 1) < 1e-12);
  assert_true(fabs(blocks_of("op=conv,c=64,h=28,w=28,k=24,kernel=3").waste - 32.0 / 24) < 1e-12);
  assert_true(blocks_of("op=conv,c=64,h=28,w=28,k=64,kernel=3,groups=4").blocks == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(filters_are_cut_as_the_runtime_cuts_them),
      cmocka_unit_test(rows_fill_the_registers_and_waste_little),
      cmocka_unit_test(pointwise_rows_run_over_the_image),
      cmocka_unit_test(what_blocks_hold_beyond_the_filters_is_waste),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
