/* Terms, traits and families of layers whose numbers anyone can work out on paper. */
#include "net/layer_terms.h"

#include <math.h>

#include "unit/unit.h"

enum { BYTES = 4, MOST = 8 };

typedef struct amount { /* of the term called `name` */
  const char *name;
  double value;
} amount;

typedef struct example {
  const char *what;
  sloe_layer layer;
  sloe_shape in[2], out;
  amount terms[MOST]; /* all others are 0 */
} example;

#define DIM4(a, b, c, d)             \
  {                                  \
    .rank = 4, .dim = { a, b, c, d } \
  }
#define DIM2(a, b)             \
  {                            \
    .rank = 2, .dim = { a, b } \
  }
#define SQUARE(k, s, d) .kernel = {k, k}, .stride = {s, s}, .dilation = {d, d}

static const example examples[] = {
    {"a 3x3 convolution goes by Winograd, in tiles of 8 x 16 x 32 x 8",
     {.kind = SLOE_LAYER_CONV,
      SQUARE(3, 1, 1),
      .groups = 1,
      .filters = 40,
      .macs = 12 * 9 * 40 * 400,
      .flops = 999,
      .params = 4360,
      .in_elements = 4800,
      .out_elements = 16000,
      .n_in = 1,
      .n_out = 1},
     {DIM4(1, 12, 20, 20)},
     DIM4(1, 40, 20, 20),
     {{"winograd", 2.0 * 24 * 32 * 64 * 16 * 9},
      {"dense_in", 4 * 4800},
      {"dense_out", 4 * 16000},
      {"dense_weights", 4 * 4360},
      {"launch", 1}}},
    {"with a stride it does not",
     {.kind = SLOE_LAYER_CONV,
      SQUARE(3, 2, 1),
      .groups = 1,
      .filters = 40,
      .macs = 108 * 40 * 100,
      .params = 4360,
      .in_elements = 4800,
      .out_elements = 4000,
      .n_in = 1,
      .n_out = 1},
     {DIM4(1, 12, 20, 20)},
     DIM4(1, 40, 10, 10),
     {{"window", 2.0 * 128 * 64 * 112},
      {"dense_in", 4 * 4800},
      {"dense_out", 4 * 4000},
      {"dense_weights", 4 * 4360},
      {"launch", 1}}},
    {"nor with a dilation; up to 32 filters fill half a tile",
     {.kind = SLOE_LAYER_CONV,
      SQUARE(3, 1, 2),
      .groups = 1,
      .filters = 20,
      .macs = 108 * 20 * 100,
      .in_elements = 1200,
      .out_elements = 2000,
      .n_in = 1,
      .n_out = 1},
     {DIM4(1, 12, 10, 10)},
     DIM4(1, 20, 10, 10),
     {{"window", 2.0 * 128 * 32 * 112},
      {"dense_in", 4 * 1200},
      {"dense_out", 4 * 2000},
      {"launch", 1}}},
    {"a 2x2 convolution costs something more",
     {.kind = SLOE_LAYER_CONV,
      SQUARE(2, 1, 1),
      .groups = 1,
      .filters = 64,
      .macs = 4 * 16 * 64 * 81,
      .in_elements = 1600,
      .out_elements = 5184,
      .n_in = 1,
      .n_out = 1},
     {DIM4(1, 16, 10, 10)},
     DIM4(1, 64, 9, 9),
     {{"window", 2.0 * 128 * 64 * 64},
      {"window_2x2", 2.0 * 128 * 64 * 64},
      {"dense_in", 4 * 1600},
      {"dense_out", 4 * 5184},
      {"launch", 1}}},
    {"a 1x1 convolution, of a batch",
     {.kind = SLOE_LAYER_CONV,
      SQUARE(1, 1, 1),
      .groups = 1,
      .filters = 65,
      .macs = 10 * 65 * 128,
      .params = 650,
      .in_elements = 1280,
      .out_elements = 65 * 128,
      .n_in = 1,
      .n_out = 1},
     {DIM4(2, 10, 8, 8)},
     DIM4(2, 65, 8, 8),
     {{"pointwise", 2.0 * 128 * 128 * 16},
      {"dense_in", 4 * 1280},
      {"dense_out", 4 * 65 * 128},
      {"pointwise_in", 4 * 1280},
      {"dense_weights", 4 * 650},
      {"launch", 1}}},
    {"padded it writes more than it reads",
     {.kind = SLOE_LAYER_CONV,
      SQUARE(1, 1, 1),
      .groups = 1,
      .filters = 64,
      .macs = 8 * 64 * 100,
      .in_elements = 512,
      .out_elements = 6400,
      .n_in = 1,
      .n_out = 1},
     {DIM4(1, 8, 8, 8)},
     DIM4(1, 64, 10, 10),
     {{"pointwise", 2.0 * 128 * 64 * 8},
      {"dense_in", 4 * 512},
      {"dense_out", 4 * 6400},
      {"pointwise_in", 4 * 512},
      {"padded_pointwise_in", 4 * 512},
      {"padded_pointwise_out", 4 * 6400},
      {"launch", 1}}},
    {"a depthwise 3x3 convolution, without what is fused behind it",
     {.kind = SLOE_LAYER_DWCONV,
      SQUARE(3, 1, 1),
      .groups = 32,
      .filters = 32,
      .macs = 9 * 3200,
      .flops = 99999,
      .params = 320,
      .in_elements = 3200,
      .out_elements = 3200,
      .n_in = 1,
      .n_out = 1},
     {DIM4(1, 32, 10, 10)},
     DIM4(1, 32, 10, 10),
     {{"grouped_3x3", 2.0 * 9 * 3200}, {"grouped_3x3_bytes", 4 * 6400}, {"launch", 1}}},
    {"5x5 in groups is another",
     {.kind = SLOE_LAYER_CONV,
      SQUARE(5, 1, 1),
      .groups = 2,
      .filters = 32,
      .macs = 400 * 3200,
      .in_elements = 3200,
      .out_elements = 3200,
      .n_in = 1,
      .n_out = 1},
     {DIM4(1, 32, 10, 10)},
     DIM4(1, 32, 10, 10),
     {{"grouped", 2.0 * 400 * 3200}, {"grouped_bytes", 4 * 6400}, {"launch", 1}}},
    {"a fully connected layer of one row waits for its weights",
     {.kind = SLOE_LAYER_FC,
      .filters = 1000,
      .macs = 512000,
      .flops = 7,
      .params = 513000,
      .in_elements = 512,
      .out_elements = 1000,
      .n_in = 1,
      .n_out = 1},
     {DIM2(1, 512)},
     DIM2(1, 1000),
     {{"product_weights", 4 * 513000}, {"product_in", 4 * 512}, {"launch", 1}}},
    {"of several rows it is a 1x1 convolution",
     {.kind = SLOE_LAYER_FC,
      .filters = 1000,
      .macs = 512 * 64000,
      .params = 513000,
      .in_elements = 32768,
      .out_elements = 64000,
      .n_in = 1,
      .n_out = 1},
     {DIM2(64, 512)},
     DIM2(64, 1000),
     {{"pointwise", 2.0 * 64 * 1024 * 512},
      {"dense_in", 4 * 32768},
      {"dense_out", 4 * 64000},
      {"pointwise_in", 4 * 32768},
      {"dense_weights", 4 * 513000},
      {"launch", 1}}},
    {"the second operand of a product stands for weights",
     {.kind = SLOE_LAYER_MATMUL,
      .macs = 16 * 24 * 40,
      .in_elements = 16 * 24 + 24 * 40,
      .out_elements = 640,
      .n_in = 2,
      .n_out = 1},
     {DIM2(16, 24), DIM2(24, 40)},
     DIM2(16, 40),
     {{"pointwise", 2.0 * 64 * 64 * 24},
      {"dense_in", 4 * 384},
      {"dense_out", 4 * 640},
      {"pointwise_in", 4 * 384},
      {"dense_weights", 4 * 960},
      {"launch", 1}}},
    {"a pooling is arithmetic and what it moves",
     {.kind = SLOE_LAYER_POOL,
      SQUARE(3, 2, 1),
      .flops = 4321,
      .in_elements = 800,
      .out_elements = 200,
      .n_in = 1,
      .n_out = 1},
     {DIM4(1, 8, 10, 10)},
     DIM4(1, 8, 5, 5),
     {{"other_flops", 4321}, {"other_bytes", 4 * 1000}, {"launch", 1}}},
    {"a view takes no time",
     {.kind = SLOE_LAYER_VIEW, .n_in = 1, .n_out = 1, .in_elements = 200, .out_elements = 200},
     {DIM4(1, 8, 5, 5)},
     DIM2(1, 200),
     {{NULL, 0}}},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static sloe_layer layer_of(const example *e) {
  sloe_layer layer = e->layer;
  layer.in = e->in;
  layer.out = &e->out;
  return layer;
}

static double wanted(const example *e, const char *name) {
  for (size_t i = 0; i < MOST && e->terms[i].name; i++)
    if (!strcmp(e->terms[i].name, name)) return e->terms[i].value;
  return 0;
}

static void every_layer_has_the_terms_of_its_work(void **state) {
  (void)state;
  for (size_t i = 0; i < EXAMPLES; i++) {
    const sloe_layer layer = layer_of(&examples[i]);
    double terms[SLOE_LAYER_TERMS];
    size_t named = 0;
    sloe_layer_terms(&layer, BYTES, terms);
    for (size_t j = 0; j < SLOE_LAYER_TERMS; j++) {
      const char *name = sloe_layer_term_rows[j].name;
      const double want = wanted(&examples[i], name);
      if (terms[j] != want)
        fail_msg("%s: %s is %.17g, not %.17g", examples[i].what, name, terms[j], want);
      named += want != 0;
    }
    for (size_t j = 0; j < MOST && examples[i].terms[j].name; j++) named--;
    assert_int_equal(named, 0);
  }
}

static void bytes_go_with_the_size_of_an_element(void **state) {
  (void)state;
  for (size_t i = 0; i < EXAMPLES; i++) {
    const sloe_layer layer = layer_of(&examples[i]);
    double wide[SLOE_LAYER_TERMS], narrow[SLOE_LAYER_TERMS];
    sloe_layer_terms(&layer, 4, wide);
    sloe_layer_terms(&layer, 2, narrow);
    for (size_t j = 0; j < SLOE_LAYER_TERMS; j++)
      assert_true(wide[j] == narrow[j] * (sloe_layer_term_rows[j].unit == SLOE_TERM_BYTE ? 2 : 1));
  }
}

static void a_term_has_bounds_around_what_is_usual(void **state) {
  (void)state;
  const sloe_term_costs costs = {2, 3, 5};
  for (size_t j = 0; j < SLOE_LAYER_TERMS; j++) {
    const sloe_layer_term *t = &sloe_layer_term_rows[j];
    assert_true(0 <= t->least && t->least <= t->usual && t->usual < t->most && *t->doc);
    for (size_t k = 0; k < j; k++) assert_string_not_equal(t->name, sloe_layer_term_rows[k].name);
    assert_true(sloe_layer_term_cost(j, &costs) == (t->unit == SLOE_TERM_FLOP   ? 2
                                                    : t->unit == SLOE_TERM_BYTE ? 3
                                                                                : 5));
  }
}

/* ---- traits ---- */

static void assert_trait(const double *traits, size_t i, double want) {
  if (fabs(traits[i] - want) > 1e-12)
    fail_msg("%s is %.17g, not %.17g", sloe_layer_trait_name(i), traits[i], want);
}

static void traits_are_sizes_and_what_tiles_lose(void **state) {
  (void)state;
  const sloe_layer layer = layer_of(&examples[0]); /* 12 to 40 channels, 20 x 20, 3x3 */
  double t[SLOE_LAYER_TRAITS];
  sloe_layer_traits(&layer, t);
  assert_trait(t, SLOE_LAYER_TRAIT_log_c, log(12));
  assert_trait(t, SLOE_LAYER_TRAIT_log_k, log(40));
  assert_trait(t, SLOE_LAYER_TRAIT_log_pixels, log(400));
  assert_trait(t, SLOE_LAYER_TRAIT_kind, SLOE_LAYER_CONV);
  assert_trait(t, SLOE_LAYER_TRAIT_log_taps, log(9));
  assert_trait(t, SLOE_LAYER_TRAIT_log_stride, 0);
  assert_trait(t, SLOE_LAYER_TRAIT_width, 20);
  assert_trait(t, SLOE_LAYER_TRAIT_grows, 0);
  assert_trait(t, SLOE_LAYER_TRAIT_filters_32, log(64.0 / 40));
  assert_trait(t, SLOE_LAYER_TRAIT_filters_128, log(128.0 / 40));
  assert_trait(t, SLOE_LAYER_TRAIT_pixels_32, log(416.0 / 400));
  assert_trait(t, SLOE_LAYER_TRAIT_pixels_128, log(512.0 / 400));
  assert_trait(t, SLOE_LAYER_TRAIT_squares_4, 0);
  assert_trait(t, SLOE_LAYER_TRAIT_squares_8_16, log(24.0 * 32 / 400));
  assert_trait(t, SLOE_LAYER_TRAIT_log_tiles, log(4));
  for (size_t i = 0; i < SLOE_LAYER_TRAITS; i++) assert_non_null(sloe_layer_trait_name(i));
  assert_null(sloe_layer_trait_name(SLOE_LAYER_TRAITS));
}

static void channels_are_those_of_a_group(void **state) {
  (void)state;
  const sloe_layer layer = layer_of(&examples[7]); /* 5x5, 2 groups of 16 channels */
  double t[SLOE_LAYER_TRAITS];
  sloe_layer_traits(&layer, t);
  assert_trait(t, SLOE_LAYER_TRAIT_log_c, log(16));
  assert_trait(t, SLOE_LAYER_TRAIT_log_taps, log(25));
}

static void what_is_not_known_of_a_layer_makes_no_infinity(void **state) {
  (void)state;
  for (int kind = 0; kind < SLOE_LAYER_KIND_COUNT; kind++) {
    const sloe_shape open = {.rank = 4, .dim = {-1, -1, -1, -1}};
    const sloe_layer none = {.kind = (sloe_layer_kind)kind};
    const sloe_layer unknown = {.kind = (sloe_layer_kind)kind,
                                .in = &open,
                                .out = &open,
                                .n_in = 1,
                                .n_out = 1,
                                .filters = -1};
    double terms[SLOE_LAYER_TERMS], traits[SLOE_LAYER_TRAITS];
    for (int i = 0; i < 2; i++) {
      sloe_layer_terms(i ? &none : &unknown, BYTES, terms);
      sloe_layer_traits(i ? &none : &unknown, traits);
      for (size_t j = 0; j < SLOE_LAYER_TERMS; j++) assert_true(terms[j] >= 0 && terms[j] < 1e9);
      for (size_t j = 0; j < SLOE_LAYER_TRAITS; j++) assert_true(isfinite(traits[j]));
    }
  }
}

/* ---- families ---- */

static void sizes_are_no_part_of_a_family(void **state) {
  (void)state;
  sloe_layer a = layer_of(&examples[0]), b = a;
  const sloe_shape wide = DIM4(4, 99, 50, 50);
  b.in = b.out = &wide;
  b.filters = 99;
  assert_true(sloe_layer_family(&a) == sloe_layer_family(&b));
}

static void windows_strides_dilations_and_groups_are(void **state) {
  (void)state;
  const sloe_layer a = layer_of(&examples[0]);
  const uint64_t family = sloe_layer_family(&a);
  sloe_layer other[5] = {a, a, a, a, a};
  other[0].kernel[0] = 5;
  other[1].stride[1] = 2;
  other[2].dilation[0] = 2;
  other[3].groups = 4;
  other[4].kind = SLOE_LAYER_DECONV;
  for (size_t i = 0; i < 5; i++) {
    assert_true(sloe_layer_family(&other[i]) != family);
    for (size_t k = 0; k < i; k++)
      assert_true(sloe_layer_family(&other[i]) != sloe_layer_family(&other[k]));
  }
}

static void a_window_too_large_for_its_bits_does_not_spill(void **state) {
  (void)state;
  sloe_layer a = layer_of(&examples[0]), b = a;
  a.kernel[1] = 256;
  b.kernel[1] = 1 << 30;
  assert_true(sloe_layer_family(&a) == sloe_layer_family(&b));
  assert_true(sloe_layer_family(&a) >> 24 == sloe_layer_family(&b) >> 24);
}

static void one_row_of_a_product_is_another_family_than_several(void **state) {
  (void)state;
  const sloe_layer one = layer_of(&examples[8]), several = layer_of(&examples[9]);
  assert_true(sloe_layer_family(&one) != sloe_layer_family(&several));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_layer_has_the_terms_of_its_work),
      cmocka_unit_test(bytes_go_with_the_size_of_an_element),
      cmocka_unit_test(a_term_has_bounds_around_what_is_usual),
      cmocka_unit_test(traits_are_sizes_and_what_tiles_lose),
      cmocka_unit_test(channels_are_those_of_a_group),
      cmocka_unit_test(what_is_not_known_of_a_layer_makes_no_infinity),
      cmocka_unit_test(sizes_are_no_part_of_a_family),
      cmocka_unit_test(windows_strides_dilations_and_groups_are),
      cmocka_unit_test(a_window_too_large_for_its_bits_does_not_spill),
      cmocka_unit_test(one_row_of_a_product_is_another_family_than_several),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
