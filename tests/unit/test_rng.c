/* Random numbers: the published streams, and the moments of what is made of them. */
#include <math.h>

#include "base/rng.h"
#include "unit/unit.h"

static void splitmix64_gives_the_published_stream(void **state) {
  (void)state;
  static const uint64_t want[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                  UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
                                  UINT64_C(16408922859458223821)};
  uint64_t seed = 1234567;
  for (size_t i = 0; i < 5; i++) assert_true(sloe_splitmix64(&seed) == want[i]);
}

static void xoshiro_gives_the_published_stream(void **state) {
  (void)state;
  static const uint64_t want[] = {UINT64_C(11520), UINT64_C(0), UINT64_C(1509978240),
                                  UINT64_C(1215971899390074240)};
  sloe_rng rng = {{1, 2, 3, 4}};
  for (size_t i = 0; i < 4; i++) assert_true(sloe_rng_next(&rng) == want[i]);
}

static void one_seed_gives_one_stream_and_another_another(void **state) {
  (void)state;
  sloe_rng a, b, c;
  sloe_rng_seed(&a, 7);
  sloe_rng_seed(&b, 7);
  sloe_rng_seed(&c, 8);
  size_t same = 0;
  for (int i = 0; i < 100; i++) {
    uint64_t x = sloe_rng_next(&a);
    assert_true(x == sloe_rng_next(&b));
    same += x == sloe_rng_next(&c);
  }
  assert_int_equal(same, 0);
}

static void uniform_numbers_fill_the_unit_interval(void **state) {
  (void)state;
  sloe_rng rng;
  sloe_rng_seed(&rng, 1);
  double sum = 0, squares = 0;
  for (int i = 0; i < 100000; i++) {
    double u = sloe_rng_uniform(&rng);
    assert_true(u >= 0 && u < 1);
    sum += u;
    squares += u * u;
  }
  assert_true(fabs(sum / 1e5 - 0.5) < 0.005);
  assert_true(fabs(squares / 1e5 - 1 / 3.0) < 0.005);
}

static void normal_numbers_have_mean_zero_and_deviation_one(void **state) {
  (void)state;
  sloe_rng rng;
  sloe_rng_seed(&rng, 2);
  double sum = 0, squares = 0, fourth = 0;
  for (int i = 0; i < 100000; i++) {
    double z = sloe_rng_normal(&rng);
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
  }
  assert_true(fabs(sum / 1e5) < 0.02);
  assert_true(fabs(squares / 1e5 - 1) < 0.02);
  assert_true(fabs(fourth / 1e5 - 3) < 0.15);
}

static void whole_numbers_reach_both_ends_evenly(void **state) {
  (void)state;
  sloe_rng rng;
  sloe_rng_seed(&rng, 3);
  int seen[5] = {0};
  for (int i = 0; i < 50000; i++) {
    int64_t k = sloe_rng_between(&rng, -2, 2);
    assert_true(k >= -2 && k <= 2);
    seen[k + 2]++;
  }
  for (int k = 0; k < 5; k++) assert_true(seen[k] > 9500 && seen[k] < 10500);
}

static void ranges_that_are_empty_or_whole_are_no_trouble(void **state) {
  (void)state;
  sloe_rng rng;
  sloe_rng_seed(&rng, 4);
  assert_true(sloe_rng_between(&rng, 5, 5) == 5);
  assert_true(sloe_rng_between(&rng, 5, -5) == 5);
  int negative = 0;
  for (int i = 0; i < 64; i++) negative += sloe_rng_between(&rng, INT64_MIN, INT64_MAX) < 0;
  assert_true(negative > 10 && negative < 54);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(splitmix64_gives_the_published_stream),
      cmocka_unit_test(xoshiro_gives_the_published_stream),
      cmocka_unit_test(one_seed_gives_one_stream_and_another_another),
      cmocka_unit_test(uniform_numbers_fill_the_unit_interval),
      cmocka_unit_test(normal_numbers_have_mean_zero_and_deviation_one),
      cmocka_unit_test(whole_numbers_reach_both_ends_evenly),
      cmocka_unit_test(ranges_that_are_empty_or_whole_are_no_trouble),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
