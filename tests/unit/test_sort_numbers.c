/* Numbers in ascending order. */
#include <string.h>

#include "base/sort_numbers.h"
#include "unit/unit.h"

static void numbers_ascend_whatever_their_sign_and_size(void **state) {
  double d[] = {3, -1e300, 0.5, -0.25, 1e-300, 3, -7};
  float f[] = {2.5F, -3, 0, 1e-30F, -1e30F};
  uint64_t u[] = {UINT64_MAX, 0, UINT64_C(1) << 63, 1};
  const double d_sorted[] = {-1e300, -7, -0.25, 1e-300, 0.5, 3, 3};
  const float f_sorted[] = {-1e30F, -3, 0, 1e-30F, 2.5F};
  const uint64_t u_sorted[] = {0, 1, UINT64_C(1) << 63, UINT64_MAX};
  (void)state;
  sloe_sort_doubles(d, sizeof d / sizeof *d);
  sloe_sort_floats(f, sizeof f / sizeof *f);
  sloe_sort_u64(u, sizeof u / sizeof *u);
  assert_memory_equal(d, d_sorted, sizeof d);
  assert_memory_equal(f, f_sorted, sizeof f);
  assert_memory_equal(u, u_sorted, sizeof u);
}

static void what_stands_behind_them_stays(void **state) {
  double d[] = {2, 1, 0};
  (void)state;
  sloe_sort_doubles(d, 2);
  assert_true(d[0] == 1 && d[1] == 2 && d[2] == 0);
  sloe_sort_doubles(d, 0);
  assert_true(d[0] == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_ascend_whatever_their_sign_and_size),
      cmocka_unit_test(what_stands_behind_them_stays),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
