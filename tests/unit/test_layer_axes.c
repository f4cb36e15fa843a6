/* A layer as numbers: families, coordinates, features, and the work that touches no padding. */
#include "net/layer_axes.h"

#include <math.h>

#include "unit/random_spec.h"

static sloe_layer_spec spec_of(const char *text) {
  sloe_layer_spec spec;
  sloe_error err;
  assert_ok(sloe_layer_spec_parse(text, &spec, &err), err);
  return spec;
}

/* ---- keys ---- */

static void a_key_has_what_a_family_shares(void **state) {
  static const struct {
    const char *spec;
    sloe_layer_key key;
  } rows[] = {
      {"op=conv,c=64,h=56,w=56,k=128,kernel=3,stride=2", {SLOE_SPEC_CONV, 0, {3, 3}, {2, 2}}},
      {"op=conv,c=64,h=9,w=56,kernel=1x7,pad=0x3", {SLOE_SPEC_CONV, 0, {1, 7}, {1, 1}}},
      {"op=conv,c=32,h=56,w=56,kernel=3,groups=32", {SLOE_SPEC_CONV, 1, {3, 3}, {1, 1}}},
      {"op=conv,c=32,h=56,w=56,kernel=3,groups=4", {SLOE_SPEC_CONV, 2, {3, 3}, {1, 1}}},
      {"op=deconv,c=8,h=8,w=8,kernel=2,stride=2", {SLOE_SPEC_DECONV, 0, {2, 2}, {2, 2}}},
      {"op=maxpool,c=64,h=112,w=112,kernel=3,stride=2", {SLOE_SPEC_MAXPOOL, 0, {3, 3}, {2, 2}}},
      {"op=avgpool,c=64,h=14,w=14,kernel=2x3", {SLOE_SPEC_AVGPOOL, 0, {2, 3}, {1, 1}}},
      {"op=globalpool,c=64,h=7,w=7", {SLOE_SPEC_GLOBALPOOL, 0, {1, 1}, {1, 1}}},
      {"op=fc,c=512,k=1000", {SLOE_SPEC_FC, 0, {1, 1}, {1, 1}}},
      {"op=binary,c=8,h=4,w=4,with=channel", {SLOE_SPEC_BINARY, 1, {1, 1}, {1, 1}}},
      {"op=binary,c=8,h=4,w=4,with=row", {SLOE_SPEC_BINARY, 3, {1, 1}, {1, 1}}},
      {"op=resize,c=8,h=4,w=4,out=8,linear=1", {SLOE_SPEC_RESIZE, 1, {1, 1}, {1, 1}}},
      {"op=resize,c=8,h=4,w=4,out=8", {SLOE_SPEC_RESIZE, 0, {1, 1}, {1, 1}}},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const sloe_layer_spec s = spec_of(rows[i].spec);
    const sloe_layer_key key = sloe_layer_key_of(&s);
    if (sloe_layer_key_compare(&key, &rows[i].key))
      fail_msg("%s: %d %d, %dx%d, %dx%d", rows[i].spec, key.op, key.grouping, key.kernel[0],
               key.kernel[1], key.stride[0], key.stride[1]);
  }
}

static void sizes_and_what_is_fused_do_not_change_the_family(void **state) {
  const sloe_layer_spec a = spec_of("op=conv,c=64,h=56,w=56,k=128,kernel=3"),
                        b = spec_of("op=conv,n=4,c=3,h=9,w=70,k=1,kernel=3,act=relu,add=1"),
                        c = spec_of("op=conv,c=64,h=56,w=56,k=128,kernel=3,dilation=2");
  const sloe_layer_key ka = sloe_layer_key_of(&a), kb = sloe_layer_key_of(&b),
                       kc = sloe_layer_key_of(&c);
  (void)state;
  assert_int_equal(sloe_layer_key_compare(&ka, &kb), 0);
  assert_int_equal(sloe_layer_key_compare(&ka, &kc), 0);
}

static void keys_are_ordered_by_op_grouping_kernel_and_stride(void **state) {
  static const sloe_layer_key rising[] = {
      {0, 0, {1, 1}, {1, 1}}, {0, 0, {1, 1}, {1, 2}}, {0, 0, {1, 1}, {2, 1}},
      {0, 0, {1, 3}, {1, 1}}, {0, 0, {3, 1}, {1, 1}}, {0, 1, {1, 1}, {1, 1}},
      {2, 0, {1, 1}, {1, 1}},
  };
  enum { N = sizeof rising / sizeof *rising };
  (void)state;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      const int by = sloe_layer_key_compare(&rising[i], &rising[j]);
      assert_int_equal((by > 0) - (by < 0), (i > j) - (i < j));
    }
}

/* ---- coordinates ---- */

static void coordinates_are_the_sizes_that_the_family_leaves_open(void **state) {
  static const struct {
    const char *spec;
    size_t n;
    int64_t x[SLOE_LAYER_DIMS];
  } rows[] = {
      {"op=conv,c=64,h=56,w=28,k=128,kernel=3,stride=2", 4, {128, 64, 28, 14}},
      {"op=conv,n=3,c=64,h=56,w=28,k=128,kernel=3,stride=2", 4, {128, 64, 84, 14}},
      {"op=conv,c=32,h=5,w=6,kernel=3,groups=32", 4, {32, 1, 5, 6}},
      {"op=conv,c=32,h=5,w=6,k=64,kernel=3,groups=4", 4, {64, 8, 5, 6}},
      {"op=deconv,c=8,h=8,w=7,k=4,kernel=2,stride=2", 4, {4, 8, 16, 14}},
      {"op=fc,n=7,c=512,k=1000", 3, {1000, 512, 7}},
      {"op=matmul,n=2,h=5,c=16,k=30", 3, {30, 16, 10}},
      {"op=maxpool,n=2,c=64,h=112,w=110,kernel=2,stride=2,pad=0", 3, {64, 112, 55}},
      {"op=globalpool,n=2,c=64,h=7,w=9", 3, {64, 14, 9}},
      {"op=resize,c=8,h=4,w=4,out=8x12", 3, {8, 8, 12}},
      {"op=softmax,n=3,c=100,h=2,w=5", 2, {100, 30}},
      {"op=concat,n=2,c=30,h=4,w=5,parts=3", 2, {1200, 3}},
      {"op=slice,c=30,h=4,w=5,k=10", 1, {200}},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const sloe_layer_spec s = spec_of(rows[i].spec);
    int64_t x[SLOE_LAYER_DIMS] = {0};
    if (sloe_layer_coords(&s, x) != rows[i].n || memcmp(x, rows[i].x, sizeof x))
      fail_msg("%s: %lld %lld %lld %lld", rows[i].spec, (long long)x[0], (long long)x[1],
               (long long)x[2], (long long)x[3]);
  }
}

static void every_coordinate_is_a_size_and_has_a_name(void **state) {
  sloe_rng rng;
  (void)state;
  sloe_rng_seed(&rng, 7);
  for (int i = 0; i < 4000; i++) {
    const sloe_spec_op op = (sloe_spec_op)(i % SLOE_SPEC_OP_COUNT);
    const sloe_layer_spec s = draw_spec(&rng, op);
    int64_t x[SLOE_LAYER_DIMS];
    const size_t n = sloe_layer_coords(&s, x);
    assert_in_range(n, 1, SLOE_LAYER_DIMS);
    for (size_t d = 0; d < n; d++) {
      assert_true(x[d] >= 1);
      assert_true(*sloe_layer_dim_name(op, d));
    }
    assert_string_equal(sloe_layer_dim_name(op, n), "");
    assert_string_equal(sloe_layer_dim_name(op, 99), "");
  }
}

static void more_elements_than_can_be_counted_are_one_far_coordinate(void **state) {
  sloe_layer_spec s = sloe_layer_spec_none();
  int64_t x[SLOE_LAYER_DIMS];
  (void)state;
  s.op = SLOE_SPEC_COPY;
  s.n = s.c = s.h = s.w = s.k = s.out[0] = s.out[1] = INT64_C(1) << 40;
  assert_int_equal(sloe_layer_coords(&s, x), 1);
  assert_int_equal(x[0], INT64_C(1) << 40);
}

/* ---- work that touches no padding ---- */

/* Taps inside the image, one output position and tap after the other. */
static double counted_taps(const sloe_layer_spec *s, int d) {
  const int64_t size = d ? s->w : s->h;
  double n = 0;
  for (int64_t o = 0; o < s->out[d]; o++)
    for (int64_t k = 0; k < s->kernel[d]; k++) {
      const int64_t at = o * s->stride[d] + k * s->dilation[d] - s->pad[d];
      n += at >= 0 && at < size;
    }
  return n;
}

static void inner_work_is_what_counting_every_tap_gives(void **state) {
  sloe_rng rng;
  (void)state;
  sloe_rng_seed(&rng, 11);
  for (int i = 0; i < 5000; i++) {
    const sloe_layer_spec s = draw_spec(&rng, SLOE_SPEC_CONV);
    const double taps = fmax(counted_taps(&s, 0), 1) * fmax(counted_taps(&s, 1), 1);
    const double counted = (double)(s.n * s.k * (s.c / s.groups)) * taps;
    char text[SLOE_SPEC_TEXT];
    if (sloe_layer_inner_macs(&s) != counted)
      fail_msg("%s: %.17g, counted %.17g", sloe_layer_spec_print(&s, text),
               sloe_layer_inner_macs(&s), counted);
    assert_true(counted <= (double)sloe_layer_spec_macs(&s));
  }
}

static void without_padding_all_work_is_inner(void **state) {
  const sloe_layer_spec conv = spec_of("op=conv,c=16,h=30,w=31,k=8,kernel=5,pad=0"),
                        fc = spec_of("op=fc,c=16,k=8"), pool = spec_of("op=maxpool,c=8,h=4,w=4");
  (void)state;
  assert_true(sloe_layer_inner_macs(&conv) == (double)sloe_layer_spec_macs(&conv));
  assert_true(sloe_layer_inner_macs(&fc) == 128);
  assert_true(sloe_layer_inner_macs(&pool) == 0);
}

/* A 3x3 window of dilation 24 in the middle of a 7x7 image sees one tap of nine. */
static void far_dilated_taps_fall_outside(void **state) {
  const sloe_layer_spec s = spec_of("op=conv,c=4,h=7,w=7,k=2,kernel=3,dilation=24");
  (void)state;
  assert_true(sloe_layer_inner_macs(&s) == 4. * 2 * 7 * 7);
}

/* ---- features ---- */

static float feature(const sloe_layer_spec *s, size_t which) {
  float x[SLOE_LAYER_FEATURES];
  sloe_layer_features(s, NULL, x);
  return x[which];
}
#define FEATURE(s, name) feature(&(s), SLOE_LAYER_FEATURE_##name)

static void assert_near(double a, double b) {
  if (!(fabs(a - b) <= 1e-5 * fmax(1, fabs(b)))) fail_msg("%.9g is not %.9g", a, b);
}

static void features_of_a_convolution_are_its_sizes(void **state) {
  const sloe_layer_spec s =
      spec_of("op=conv,n=2,c=24,h=33,w=20,k=72,kernel=1x7,pad=0x3,stride=2x1,groups=4,act=relu");
  (void)state;
  assert_near(FEATURE(s, log_k), log(72));
  assert_near(FEATURE(s, log_c), log(6));
  assert_near(FEATURE(s, log_oh), log(17));
  assert_near(FEATURE(s, log_ow), log(20));
  assert_near(FEATURE(s, log_taps), log(7));
  assert_near(FEATURE(s, aspect), -log(7));
  assert_near(FEATURE(s, log_stride), log(2));
  assert_near(FEATURE(s, log_groups), log(4));
  assert_near(FEATURE(s, log_n), log(2));
  assert_near(FEATURE(s, k_mod_16), 2); /* of the 18 of a group */
  assert_near(FEATURE(s, k_mod_64), 18);
  assert_near(FEATURE(s, c_mod_16), 6);
  assert_near(FEATURE(s, ow_mod_8), 4);
  assert_near(FEATURE(s, log_in), log(2. * 24 * 33 * 20));
  assert_near(FEATURE(s, log_depth), log(6 * 7));
  assert_near(FEATURE(s, act), SLOE_SPEC_ACT_RELU);
  assert_near(FEATURE(s, extra), 0);
  assert_near(FEATURE(s, log_w), log(20));
  assert_near(FEATURE(s, k_align), 1);
  assert_near(FEATURE(s, c_align), 1);
  assert_near(FEATURE(s, log_transforms),
              log(64. * 64 * (2 * 24 + 2 * 72 + 6 * 72))); /* 33 rows take transforms of 64 */
  assert_near(FEATURE(s, padding), 1 - (20 * 7 - 12) / (20. * 7)); /* 3 + 2 + 1 at either end */
}

static void poolings_are_uneven_that_pad_more_at_an_end(void **state) {
  (void)state;
  const sloe_layer_spec even = spec_of("op=maxpool,c=8,h=56,w=56,kernel=3,stride=2,pad=1"),
                        rest = spec_of("op=maxpool,c=8,h=55,w=55,kernel=2,stride=2,pad=0,out=27"),
                        more = spec_of("op=maxpool,c=8,h=55,w=55,kernel=2,stride=2,pad=0,out=28"),
                        across =
                            spec_of("op=avgpool,c=8,h=54,w=55,kernel=2,stride=2,pad=0,out=27x28"),
                        conv = spec_of("op=conv,c=8,h=224,w=224,kernel=3,stride=2,pad=0,out=112");
  assert_near(FEATURE(even, uneven), 0); /* the last row is not reached */
  assert_near(FEATURE(rest, uneven), 0);
  assert_near(FEATURE(more, uneven), 1);
  assert_near(FEATURE(across, uneven), 1);
  assert_near(FEATURE(conv, uneven), 0);
}

static void alignment_is_the_power_of_two_that_divides_up_to_32(void **state) {
  (void)state;
  const sloe_layer_spec odd = spec_of("op=conv,c=3,h=8,w=8,k=40"),
                        even = spec_of("op=conv,c=32,h=8,w=8,k=192"),
                        depthwise = spec_of("op=conv,c=48,h=8,w=8,groups=48");
  assert_near(FEATURE(odd, c_align), 0);
  assert_near(FEATURE(odd, k_align), 3);
  assert_near(FEATURE(even, c_align), 5);
  assert_near(FEATURE(even, k_align), 5);
  assert_near(FEATURE(depthwise, c_align), 0);
  assert_near(FEATURE(depthwise, k_align), 4);
}

static void a_place_is_whether_in_a_network_and_how_much_that_one_touches(void **state) {
  const sloe_layer_spec s = spec_of("op=conv,c=8,h=4,w=4");
  const uint64_t much = UINT64_C(1) << 40;
  const sloe_layer_place small = {1, 1000, 300, 5000}, large = {1, much, much, much},
                         alone = {0, 1000, 300, 5000};
  float x[SLOE_LAYER_FEATURES];
  (void)state;
  sloe_layer_features(&s, &small, x);
  assert_near(x[SLOE_LAYER_FEATURE_in_network], 1);
  assert_near(x[SLOE_LAYER_FEATURE_log_network], log(1000));
  assert_near(x[SLOE_LAYER_FEATURE_log_windows], log(300));
  assert_near(x[SLOE_LAYER_FEATURE_log_touched], log(5000));
  sloe_layer_features(&s, &large, x);
  assert_near(x[SLOE_LAYER_FEATURE_log_network], 26 * log(2));
  sloe_layer_features(&s, &alone, x); /* by itself weights are cold, as in the largest */
  assert_near(x[SLOE_LAYER_FEATURE_in_network], 0);
  assert_near(x[SLOE_LAYER_FEATURE_log_network], 26 * log(2));
  assert_near(FEATURE(s, log_network), 26 * log(2));
  assert_near(FEATURE(s, log_windows), 26 * log(2));
  assert_near(FEATURE(s, log_touched), 26 * log(2));
}

static void scratch_memory_is_as_many_weights_more(void **state) {
  const sloe_layer_spec s = spec_of("op=conv,c=8,h=4,w=4");
  sloe_layer_place place = {1, 1000, 300, 5000};
  float x[SLOE_LAYER_FEATURES];
  (void)state;
  sloe_layer_place_add(&place, 0.004, 4);
  sloe_layer_features(&s, &place, x);
  assert_near(x[SLOE_LAYER_FEATURE_log_network], log(2000));
  assert_near(x[SLOE_LAYER_FEATURE_log_windows], log(1300));
  assert_near(x[SLOE_LAYER_FEATURE_log_touched], log(6000));
  sloe_layer_place_add(&place, NAN, 4);
  sloe_layer_place_add(&place, -1, 4);
  assert_int_equal(place.weights, 2000);
  sloe_layer_place_add(&place, INFINITY, 2);
  sloe_layer_features(&s, &place, x);
  assert_near(x[SLOE_LAYER_FEATURE_log_network], 26 * log(2));
}

static void the_extra_feature_is_what_each_op_has_besides(void **state) {
  const sloe_layer_spec add = spec_of("op=conv,c=8,h=4,w=4,add=1"),
                        concat = spec_of("op=concat,c=9,h=4,w=4,parts=3"),
                        binary = spec_of("op=binary,c=9,h=4,w=4,with=row"),
                        resize = spec_of("op=resize,c=9,h=4,w=4,out=8,linear=1");
  (void)state;
  assert_near(FEATURE(add, extra), 1);
  assert_near(FEATURE(concat, extra), 3);
  assert_near(FEATURE(binary, extra), SLOE_SPEC_WITH_ROW);
  assert_near(FEATURE(resize, extra), 1);
}

static void features_of_every_layer_are_finite(void **state) {
  sloe_rng rng;
  (void)state;
  sloe_rng_seed(&rng, 13);
  for (int i = 0; i < 4000; i++) {
    const sloe_layer_spec s = draw_spec(&rng, (sloe_spec_op)(i % SLOE_SPEC_OP_COUNT));
    float x[SLOE_LAYER_FEATURES];
    sloe_layer_features(&s, NULL, x);
    for (size_t f = 0; f < SLOE_LAYER_FEATURES; f++) assert_true(isfinite(x[f]));
    assert_true(FEATURE(s, padding) >= 0 && FEATURE(s, padding) <= 1);
  }
}

static void features_have_names(void **state) {
  (void)state;
  for (size_t i = 0; i < SLOE_LAYER_FEATURES; i++) assert_true(*sloe_layer_feature_name(i));
  assert_string_equal(sloe_layer_feature_name(SLOE_LAYER_FEATURE_padding), "padding");
  assert_string_equal(sloe_layer_feature_name(SLOE_LAYER_FEATURES), "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_key_has_what_a_family_shares),
      cmocka_unit_test(sizes_and_what_is_fused_do_not_change_the_family),
      cmocka_unit_test(keys_are_ordered_by_op_grouping_kernel_and_stride),
      cmocka_unit_test(coordinates_are_the_sizes_that_the_family_leaves_open),
      cmocka_unit_test(every_coordinate_is_a_size_and_has_a_name),
      cmocka_unit_test(more_elements_than_can_be_counted_are_one_far_coordinate),
      cmocka_unit_test(inner_work_is_what_counting_every_tap_gives),
      cmocka_unit_test(without_padding_all_work_is_inner),
      cmocka_unit_test(far_dilated_taps_fall_outside),
      cmocka_unit_test(features_of_a_convolution_are_its_sizes),
      cmocka_unit_test(poolings_are_uneven_that_pad_more_at_an_end),
      cmocka_unit_test(alignment_is_the_power_of_two_that_divides_up_to_32),
      cmocka_unit_test(a_place_is_whether_in_a_network_and_how_much_that_one_touches),
      cmocka_unit_test(scratch_memory_is_as_many_weights_more),
      cmocka_unit_test(the_extra_feature_is_what_each_op_has_besides),
      cmocka_unit_test(features_of_every_layer_are_finite),
      cmocka_unit_test(features_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
