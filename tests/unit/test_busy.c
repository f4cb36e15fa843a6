/* How busy others kept memory: what is quiet, and what they take. */
#include "campaign/busy.h"

#include <math.h>

#include "base/rng.h"
#include "unit/unit.h"

static void quiet_is_what_a_tenth_takes_or_less(void **state) {
  double move[20], one = 3;
  (void)state;
  for (int i = 0; i < 20; i++) move[i] = 20 - i;
  assert_float_equal(sloe_quiet_move_ms(move, 20), 3, 0); /* two take less */
  assert_float_equal(sloe_quiet_move_ms(&one, 1), 3, 0);
  assert_true(isnan(sloe_quiet_move_ms(NULL, 0)));
}

static void what_is_not_known_is_quiet(void **state) {
  (void)state;
  assert_float_equal(sloe_busy(2, 1), log(2), 1e-15);
  assert_float_equal(sloe_busy(0.5, 1), -log(2), 1e-15);
  assert_true(sloe_busy(NAN, 1) == 0 && sloe_busy(0, 1) == 0 && sloe_busy(2, NAN) == 0);
}

static void a_planted_power_comes_back_and_stays_between_0_and_1(void **state) {
  enum { N = 400 };
  double busy[N], off[N];
  sloe_rng rng;
  (void)state;
  sloe_rng_seed(&rng, 1);
  for (int planted = -1; planted <= 4; planted++) {
    const double power = planted / 2.;
    for (int i = 0; i < N; i++) {
      busy[i] = sloe_rng_uniform(&rng);
      off[i] = 0.1 + power * busy[i] + 0.02 * sloe_rng_normal(&rng);
    }
    assert_float_equal(sloe_busy_power(busy, off, N), fmin(fmax(power, 0), 1), 0.02);
  }
}

static void of_equally_busy_ones_nothing_is_told(void **state) {
  const double busy[] = {0.3, 0.3, 0.3}, off[] = {1, 2, 3};
  (void)state;
  assert_true(sloe_busy_power(busy, off, 3) == 0);
  assert_true(sloe_busy_power(busy, off, 1) == 0);
  assert_true(sloe_busy_power(NULL, NULL, 0) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quiet_is_what_a_tenth_takes_or_less),
      cmocka_unit_test(what_is_not_known_is_quiet),
      cmocka_unit_test(a_planted_power_comes_back_and_stays_between_0_and_1),
      cmocka_unit_test(of_equally_busy_ones_nothing_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
