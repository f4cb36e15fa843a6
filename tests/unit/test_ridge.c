/* The forms of the ridge polynomial: which one is taken, and that each learns what it can. The full
 * expansion is held against scikit-learn in test_learn_goldens.c. */
#include "learn/ridge.h"
#include "unit/learn_rows.h"

enum { MANY = SLOE_RIDGE_KERNEL_ROWS + 100 };

static planted seen;

static void the_form_follows_terms_and_rows(void **state) {
  (void)state;
  assert_int_equal(sloe_ridge_form_of(10000, 30, 2), SLOE_RIDGE_FULL);
  assert_int_equal(sloe_ridge_form_of(10000, 13, 3), SLOE_RIDGE_FULL);
  assert_int_equal(sloe_ridge_form_of(SLOE_RIDGE_KERNEL_ROWS, 13, 4), SLOE_RIDGE_KERNEL);
  assert_int_equal(sloe_ridge_form_of(SLOE_RIDGE_KERNEL_ROWS + 1, 13, 4), SLOE_RIDGE_POWERS);
  assert_int_equal(sloe_ridge_form_of(10, 256, 20), SLOE_RIDGE_KERNEL);
}

static sloe_learned learn(const sloe_learn_rows *rows, const char *hyper) {
  const sloe_regressor *poly = sloe_regressor_find("poly");
  const sloe_learn_options options = {.hyper = hypers(poly, hyper), .log_target = 1};
  sloe_learned m;
  sloe_error err;
  assert_ok(sloe_learn(poly, rows, &options, &m, &err), err);
  return m;
}

static void the_kernel_form_learns_all_monomials(void **state) {
  (void)state;
  const sloe_learn_rows rows = planted_rows(&seen, PLANTED_N);
  sloe_learned m = learn(&rows, "degree=8 lambda=0.0001");
  assert_int_equal(m.kind, SLOE_LEARNED_KERNEL);
  const double mape = planted_mape(&m);
  if (!(mape < 7)) fail_msg("MAPE %g %%", mape);
  sloe_learned_fini(&m);
}

/* Really left out: means and scales move a little with the row. */
static void the_kernel_form_leaves_one_out(void **state) {
  (void)state;
  enum { N = 200 };
  static planted less;
  static double out[N];
  const sloe_regressor *poly = sloe_regressor_find("poly");
  const sloe_learn_rows all = planted_rows(&seen, N), rest = planted_rows(&less, N - 1);
  const double lambda = 0.5;
  const sloe_learn_options options = {.hyper = hypers(poly, "degree=8"), .log_target = 1};
  sloe_error err;
  assert_ok(sloe_poly_leave_one_out(&all, &options, &lambda, 1, out, &err), err);
  for (size_t i = 0; i < N; i += 23) {
    less = seen;
    memmove(less.x + i * PLANTED_D, seen.x + (i + 1) * PLANTED_D,
            (N - 1 - i) * PLANTED_D * sizeof *less.x);
    memmove(less.y + i, seen.y + i + 1, (N - 1 - i) * sizeof *less.y);
    sloe_learned m = learn(&rest, "degree=8 lambda=0.5");
    const double said = sloe_learned_predict(&m, seen.x + i * PLANTED_D);
    if (!(fabs(log(out[i] / said)) < 0.1)) fail_msg("row %zu: %g, not %g", i, out[i], said);
    sloe_learned_fini(&m);
  }
}

static void powers_learn_what_is_a_sum_of_one_input_each(void **state) {
  (void)state;
  static double x[MANY * PLANTED_D], y[MANY];
  sloe_rng rng;
  sloe_rng_seed(&rng, 3);
  for (size_t i = 0; i < MANY; i++) {
    double *row = x + i * PLANTED_D, sum = 0;
    for (size_t j = 0; j < PLANTED_D; j++) {
      row[j] = 2 * sloe_rng_uniform(&rng) - 1;
      sum += sin((double)(j + 1) * row[j] / 2);
    }
    y[i] = exp(sum);
  }
  const sloe_learn_rows rows = {x, y, MANY - 50, PLANTED_D};
  sloe_learned m = learn(&rows, "degree=8 lambda=1e-6");
  assert_int_equal(m.kind, SLOE_LEARNED_POLY);
  assert_int_equal(m.poly.powers, 1);
  for (size_t i = MANY - 50; i < MANY; i++)
    assert_true(fabs(sloe_learned_predict(&m, x + i * PLANTED_D) / y[i] - 1) < 0.01);
  sloe_learned_fini(&m);
}

static void the_highest_degree_gives_a_model_or_a_reason(void **state) {
  (void)state;
  const sloe_regressor *poly = sloe_regressor_find("poly");
  const sloe_learn_rows rows = planted_rows(&seen, 100);
  const sloe_learn_options options = {.hyper = hypers(poly, "degree=20 lambda=1e-8")};
  sloe_learned m;
  sloe_error err;
  const sloe_status status = sloe_learn(poly, &rows, &options, &m, &err);
  assert_true(status == SLOE_OK || (status == SLOE_UNSUPPORTED && err.msg[0]));
  if (status == SLOE_OK) assert_true(isfinite(sloe_learned_predict(&m, seen.x)));
  sloe_learned_fini(&m);
}

static int setup(void **state) {
  (void)state;
  plant(&seen, 7);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_form_follows_terms_and_rows),
      cmocka_unit_test(the_kernel_form_learns_all_monomials),
      cmocka_unit_test(the_kernel_form_leaves_one_out),
      cmocka_unit_test(powers_learn_what_is_a_sum_of_one_input_each),
      cmocka_unit_test(the_highest_degree_gives_a_model_or_a_reason),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
