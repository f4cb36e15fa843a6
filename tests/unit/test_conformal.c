/* Intervals that hold for nine in ten: of rows, and of kinds. */
#include "campaign/conformal.h"

#include <math.h>

#include "base/alloc.h"
#include "unit/unit.h"

enum { ROWS = 2000, MOST = 20 };

static double errors[ROWS];
static size_t kind[ROWS];

/* Kind k has its errors between 0 and size[k], evenly, each as often. */
static double of_kinds(const double *size, size_t kinds, size_t rows_of_each) {
  double out;
  sloe_error err;
  size_t n = 0;
  for (size_t i = 0; i < rows_of_each; i++)
    for (size_t k = 0; k < kinds; k++) {
      errors[n] = size[k] * (double)(i + 1) / (double)rows_of_each;
      kind[n++] = k;
    }
  assert_ok(sloe_conformal_kinds_90(errors, kind, n, kinds, &out, &err), err);
  return out;
}

static void of_many_rows_nine_in_ten_lie_below(void **state) {
  (void)state;
  double e[99];
  for (size_t i = 0; i < 99; i++) e[i] = (double)(99 - i);
  assert_true(sloe_conformal_90(e, 99) == 90);
  assert_true(sloe_conformal_90(e, 5) == 2 * 5); /* sorted by now */
  assert_true(isnan(sloe_conformal_90(e, 0)));
}

static void few_kinds_are_told_by_the_worst_of_them(void **state) {
  (void)state;
  const double size[] = {0.1, 0.4, 0.2};
  assert_true(fabs(of_kinds(size, 2, 100) - 1.5 * 0.36) < 1e-12);
  assert_true(fabs(of_kinds(size, 3, 100) - 4. / 3 * 0.36) < 1e-12);
}

static void how_many_rows_a_kind_has_does_not_matter(void **state) {
  (void)state;
  double out;
  sloe_error err;
  for (size_t i = 0; i < 1010; i++) {
    kind[i] = i >= 1000;
    errors[i] = i < 1000 ? 0.01 : 0.5; /* a thousand rows that fit, ten that do not */
  }
  assert_ok(sloe_conformal_kinds_90(errors, kind, 1010, 2, &out, &err), err);
  assert_true(fabs(out - 1.5 * 0.5) < 1e-12);
}

static void many_kinds_count_each_the_same(void **state) {
  (void)state;
  double size[MOST];
  for (size_t k = 0; k < MOST; k++) size[k] = k == 3 ? 9 : 0.3;
  /* 0.9 x 21 of 20 kinds: 18.9 are below, of which the 19 that are alike give all theirs */
  const double told = of_kinds(size, MOST, 100);
  assert_true(told > 0.28 && told <= 0.3);
}

static void without_errors_nothing_is_known(void **state) {
  (void)state;
  double out = 1;
  sloe_error err;
  assert_ok(sloe_conformal_kinds_90(errors, kind, 0, 3, &out, &err), err);
  assert_true(isnan(out));
}

static void memory_that_runs_out_is_said(void **state) {
  (void)state;
  const long live = sloe_alloc_live();
  double out = 1;
  sloe_error err = {0};
  for (long i = 0; i < 3; i++) {
    sloe_alloc_fail_after(i);
    assert_int_equal(sloe_conformal_kinds_90(errors, kind, 10, 3, &out, &err), SLOE_NOMEM);
    sloe_alloc_fail_after(-1);
    assert_true(isnan(out) && *err.msg);
    assert_int_equal(sloe_alloc_live(), live);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(of_many_rows_nine_in_ten_lie_below),
      cmocka_unit_test(few_kinds_are_told_by_the_worst_of_them),
      cmocka_unit_test(how_many_rows_a_kind_has_does_not_matter),
      cmocka_unit_test(many_kinds_count_each_the_same),
      cmocka_unit_test(without_errors_nothing_is_known),
      cmocka_unit_test(memory_that_runs_out_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
