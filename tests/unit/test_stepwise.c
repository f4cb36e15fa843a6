/* Forward stepwise selection: planted features are found, and the rule ends where it should. */
#include "unit/learn_rows.h"

enum { N = 240 };
static planted seen;

/* Of inputs 4, 1 and 2, in this order of weight; 0, 3 and 5 tell nothing. */
static int fill(void **state) {
  (void)state;
  plant(&seen, 3);
  for (size_t i = 0; i < PLANTED_N; i++) {
    const double *x = seen.x + i * PLANTED_D;
    seen.y[i] = exp(0.9 * x[4] + 0.6 * x[1] + 0.3 * x[2]) * 5;
  }
  return 0;
}

static sloe_selection select_from(const sloe_select_options *options) {
  const sloe_regressor *r = sloe_regressor_find("poly");
  const sloe_learn_rows rows = planted_rows(&seen, N);
  const sloe_tune_options tune = {.log_target = 1, .folds = 4, .seed = 1, .threads = 2};
  sloe_select_options own = *options;
  sloe_selection s;
  sloe_error err;
  the("xgb");
  own.hyper = hypers(r, "degree=1 lambda=0.001");
  own.xgb_hyper = NULL;
  assert_ok(sloe_select(r, &rows, &tune, &own, &s, &err), err);
  return s;
}

static void planted_features_are_chosen_and_the_rule_ends_it(void **state) {
  (void)state;
  sloe_selection s = select_from(&(sloe_select_options){.least_gain = 1});
  assert_int_equal(s.n_steps, PLANTED_D);
  assert_int_equal(s.n_chosen, 3);
  assert_int_equal(s.chosen[0], 1);
  assert_int_equal(s.chosen[1], 2);
  assert_int_equal(s.chosen[2], 4);
  assert_true(s.mape == s.step[2].mape && s.mape < 0.1);
  for (size_t k = 1; k < s.n_steps; k++) assert_true(s.step[k].score <= s.step[k - 1].score);
  for (size_t k = 0; k < s.n_steps; k++) assert_int_equal(s.step[k].chosen, k < 3);
  assert_false(isnan(s.step[3].mape)); /* the one that brought nothing */
  assert_true(isnan(s.step[4].mape) && isnan(s.step[5].mape));
  sloe_selection_fini(&s);
}

static void the_whole_curve_leaves_the_choice_as_it_is(void **state) {
  (void)state;
  sloe_selection s = select_from(&(sloe_select_options){.least_gain = 1, .whole = 1});
  assert_int_equal(s.n_chosen, 3);
  for (size_t k = 0; k < s.n_steps; k++) assert_false(isnan(s.step[k].mape));
  sloe_selection_fini(&s);
}

static void columns_are_taken_in_the_order_asked_for(void **state) {
  (void)state;
  const double x[] = {1, 2, 3, 4, 5, 6};
  const size_t chosen[] = {2, 0};
  const sloe_learn_rows rows = {x, NULL, 2, 3};
  const double wanted[] = {3, 1, 6, 4};
  double out[4];
  sloe_select_columns(&rows, chosen, 2, out);
  assert_memory_equal(out, wanted, sizeof out);
}

static int at_once(void *context) {
  (void)context;
  return 1;
}

static void what_cannot_be_selected_from_is_refused(void **state) {
  (void)state;
  const sloe_regressor *r = sloe_regressor_find("poly");
  sloe_learn_rows rows = planted_rows(&seen, N);
  sloe_selection s;
  sloe_error err;
  the("xgb");
  assert_refused(sloe_select(r, &rows, &(sloe_tune_options){.stop = at_once}, NULL, &s, &err),
                 SLOE_STOPPED, err, "stopped");
  assert_null(s.step);
  rows.n = 1;
  assert_refused(sloe_select(r, &rows, NULL, NULL, &s, &err), SLOE_USAGE, err, "1 rows");
  assert_null(s.chosen);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(planted_features_are_chosen_and_the_rule_ends_it),
      cmocka_unit_test(the_whole_curve_leaves_the_choice_as_it_is),
      cmocka_unit_test(columns_are_taken_in_the_order_asked_for),
      cmocka_unit_test(what_cannot_be_selected_from_is_refused),
  };
  return cmocka_run_group_tests(tests, fill, NULL);
}
