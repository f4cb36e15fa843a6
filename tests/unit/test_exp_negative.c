/* The exponential of loops beside the C library's. */
#include <math.h>

#include "base/exp_negative.h"
#include "base/rng.h"
#include "unit/unit.h"

static void it_is_the_librarys_to_nine_parts_in_10_to_the_15(void **state) {
  sloe_rng rng;
  (void)state;
  sloe_rng_seed(&rng, 1);
  for (int i = 0; i < 100000; i++) {
    const double x = -700 * pow(sloe_rng_uniform(&rng), 4), told = sloe_exp_negative(x);
    if (!(fabs(told / exp(x) - 1) < 9.5e-15)) fail_msg("%.17g: %.17g, not %.17g", x, told, exp(x));
  }
  assert_true(sloe_exp_negative(0) == 1);
}

static void below_700_it_stays_small(void **state) {
  (void)state;
  assert_true(sloe_exp_negative(-1e300) == sloe_exp_negative(-700));
  assert_true(sloe_exp_negative(-INFINITY) > 0 && sloe_exp_negative(-INFINITY) < 1e-300);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_the_librarys_to_nine_parts_in_10_to_the_15),
      cmocka_unit_test(below_700_it_stays_small),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
