/* Staircases by hand: what a fitted model answers, and which models are none. */
#include <math.h>

#include "model/staircase.h"
#include "unit/unit.h"

static sloe_stair_model line_of(sloe_stair shape, const double *coef) {
  sloe_stair_model m = {.n_dims = 1, .lo = {1}, .hi = {1024}, .shape = {shape}};
  m.n_coefs = (uint32_t)sloe_stair_terms(&shape);
  memcpy(m.coef, coef, m.n_coefs * sizeof *coef);
  return m;
}

static double at(const sloe_stair_model *m, int64_t x) {
  return sloe_stair_model_eval(m, &x);
}

#define assert_near(got, want) \
  assert_true(fabs((got) - (double)(want)) < 1e-12 * (1 + fabs((double)(want))))

static void a_step_function_is_blackthorns_equation_1(void **state) {
  (void)state;
  sloe_stair_model m = line_of((sloe_stair){.width = 32}, (double[]){2, 0.5});
  assert_near(at(&m, 1), 2.5);
  assert_near(at(&m, 32), 2.5);
  assert_near(at(&m, 33), 3);
  assert_near(at(&m, 1024), 2 + 32 * 0.5);
}

static void a_slope_is_a_line_and_nothing_is_a_constant(void **state) {
  (void)state;
  sloe_stair_model line = line_of((sloe_stair){.slope = 1}, (double[]){1, 0.25});
  assert_near(at(&line, 8), 3);
  sloe_stair_model constant = line_of((sloe_stair){0}, (double[]){7});
  assert_near(at(&constant, 1), 7);
  assert_near(at(&constant, 1000), 7);
}

static void steps_nest_in_steps(void **state) {
  (void)state;
  sloe_stair_model m = line_of((sloe_stair){.width = 8, .outer = 32}, (double[]){0, 1, 10});
  assert_near(at(&m, 32), 4 + 10);
  assert_near(at(&m, 33), 5 + 20);
}

static void a_linear_start_joins_the_first_tread(void **state) {
  (void)state;
  sloe_stair_model m = line_of((sloe_stair){.width = 8, .start = 8}, (double[]){0, 8, 0.9});
  assert_near(at(&m, 8), 8);
  assert_near(at(&m, 4), 8 - 4 * 0.9);
  assert_near(at(&m, 9), 16);
}

static void after_a_change_offset_and_rise_are_others(void **state) {
  (void)state;
  sloe_stair_model steps =
      line_of((sloe_stair){.width = 8, .change = 64}, (double[]){0, 1, 5, 0.5});
  assert_near(at(&steps, 64), 8);
  assert_near(at(&steps, 65), 9 + 5 + 4.5);
  sloe_stair_model line =
      line_of((sloe_stair){.slope = 1, .change = 64}, (double[]){0, 1, 5, -0.5});
  assert_near(at(&line, 64), 64);
  assert_near(at(&line, 66), 66 + 5 - 33);
}

static void nothing_is_faster_than_the_floor(void **state) {
  (void)state;
  sloe_stair_model m = line_of((sloe_stair){.slope = 1}, (double[]){0, 1});
  m.floor = 10;
  assert_near(at(&m, 3), 10);
  assert_near(at(&m, 30), 30);
}

static void coefficients_of_one_dimension_are_functions_of_the_next(void **state) {
  (void)state;
  /* d(z) = 1 + 2 ceil(z/16), h(z) = 3 + 4 ceil(z/16); f = d + h ceil(x/8) */
  sloe_stair_model m = {.n_dims = 2,
                        .n_coefs = 4,
                        .lo = {1, 1},
                        .hi = {1024, 1024},
                        .shape = {{.width = 8}, {.width = 16}},
                        .coef = {1, 2, 3, 4}};
  sloe_error err;
  assert_ok(sloe_stair_model_check(&m, &err), err);
  assert_near(sloe_stair_model_eval(&m, (int64_t[]){1, 1}), 3 + 7);
  assert_near(sloe_stair_model_eval(&m, (int64_t[]){9, 17}), 5 + 11 * 2);
}

static void three_dimensions_of_different_shapes_agree_with_the_sum(void **state) {
  (void)state;
  sloe_stair_model m = {.n_dims = 3,
                        .n_coefs = 12,
                        .lo = {1, 1, 1},
                        .hi = {100, 100, 100},
                        .shape = {{.width = 8}, {.width = 4, .outer = 16}, {.slope = 1}},
                        .coef = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  sloe_error err;
  assert_ok(sloe_stair_model_check(&m, &err), err);
  int64_t x[3] = {20, 33, 7};
  double a[2] = {1, 3}, b[3] = {1, 9, 3}, c[2] = {1, 7}, want = 0;
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < 3; j++)
      for (int k = 0; k < 2; k++) want += m.coef[(i * 3 + j) * 2 + k] * a[i] * b[j] * c[k];
  assert_near(sloe_stair_model_eval(&m, x), want);
}

static void the_domain_holds_its_ends(void **state) {
  (void)state;
  sloe_stair_model m = line_of((sloe_stair){.width = 8}, (double[]){0, 1});
  int64_t inside[] = {1, 1024}, outside[] = {0, 1025};
  for (int i = 0; i < 2; i++) {
    assert_true(sloe_stair_model_covers(&m, &inside[i]));
    assert_false(sloe_stair_model_covers(&m, &outside[i]));
  }
}

static void the_end_of_a_tread_costs_no_more(void **state) {
  (void)state;
  sloe_stair_model m =
      line_of((sloe_stair){.width = 32, .start = 32, .change = 100}, (double[]){9, 1, 0.1, 1, 0});
  assert_int_equal(sloe_stair_model_tread_end(&m, 0, 33), 64);
  assert_int_equal(sloe_stair_model_tread_end(&m, 0, 64), 64);
  assert_int_equal(sloe_stair_model_tread_end(&m, 0, 5), 5);    /* on the slope */
  assert_int_equal(sloe_stair_model_tread_end(&m, 0, 98), 100); /* before the change */
  assert_int_equal(sloe_stair_model_tread_end(&m, 0, 101), 128);
  for (int64_t x = 1; x <= 1024; x++) {
    int64_t end = sloe_stair_model_tread_end(&m, 0, x);
    assert_true(end >= x);
    assert_near(at(&m, end), at(&m, x));
  }
  sloe_stair_model line = line_of((sloe_stair){.slope = 1}, (double[]){0, 1});
  assert_int_equal(sloe_stair_model_tread_end(&line, 0, 33), 33);
  assert_true(sloe_stair_model_tread_end(&m, 0, INT64_MAX) == INT64_MAX);
}

static void models_that_make_no_sense_are_refused_with_a_reason(void **state) {
  (void)state;
  sloe_error err;
  const sloe_stair_model good = line_of((sloe_stair){.width = 8}, (double[]){0, 1});
  assert_ok(sloe_stair_model_check(&good, &err), err);
  sloe_stair_model bad = good;
  bad.n_dims = 0;
  assert_refused(sloe_stair_model_check(&bad, &err), SLOE_FORMAT, err, "0 dimensions");
  bad.n_dims = SLOE_STAIR_DIMS + 1;
  assert_refused(sloe_stair_model_check(&bad, &err), SLOE_FORMAT, err, "7 dimensions");
  bad = good;
  bad.n_coefs = 3;
  assert_refused(sloe_stair_model_check(&bad, &err), SLOE_FORMAT, err, "3 coefficients");
  bad = good;
  bad.shape[0].width = -8;
  assert_refused(sloe_stair_model_check(&bad, &err), SLOE_FORMAT, err, "no possible shape");
  bad = good;
  bad.lo[0] = 2000;
  assert_refused(sloe_stair_model_check(&bad, &err), SLOE_FORMAT, err, "empty domain");
  bad = good;
  bad.coef[1] = NAN;
  assert_refused(sloe_stair_model_check(&bad, &err), SLOE_FORMAT, err, "not finite");
  bad = good;
  bad.floor = -1;
  assert_refused(sloe_stair_model_check(&bad, &err), SLOE_FORMAT, err, "floor");
}

static void more_coefficients_than_there_is_room_for_are_refused(void **state) {
  (void)state;
  sloe_stair_model m = {.n_dims = 6, .n_coefs = 117649};
  for (int d = 0; d < 6; d++) {
    m.shape[d] = (sloe_stair){.width = 8, .outer = 16, .slope = 1, .start = 8, .change = 64};
    m.lo[d] = m.hi[d] = 1;
  }
  sloe_error err;
  assert_refused(sloe_stair_model_check(&m, &err), SLOE_FORMAT, err, "at most 256");
}

static void shapes_lack_nothing_that_they_need(void **state) {
  (void)state;
  static const struct {
    sloe_stair shape;
    int valid;
  } cases[] = {
      {{0}, 1},           {{.width = 8, .outer = 32, .slope = 1, .start = 8, .change = 100}, 1},
      {{.outer = 8}, 0},  {{.start = 8}, 0},
      {{.change = 8}, 0}, {{.slope = 1, .change = 8}, 1},
      {{.slope = 2}, 0},  {{.width = 8, .start = -1}, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(sloe_stair_valid(&cases[i].shape), cases[i].valid);
}

static void any_coordinate_has_an_answer(void **state) {
  (void)state;
  sloe_stair_model m = line_of((sloe_stair){.width = 8}, (double[]){0, 1});
  assert_true(isfinite(at(&m, INT64_MAX)));
  assert_true(at(&m, INT64_MIN) == 0); /* the floor */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_step_function_is_blackthorns_equation_1),
      cmocka_unit_test(a_slope_is_a_line_and_nothing_is_a_constant),
      cmocka_unit_test(steps_nest_in_steps),
      cmocka_unit_test(a_linear_start_joins_the_first_tread),
      cmocka_unit_test(after_a_change_offset_and_rise_are_others),
      cmocka_unit_test(nothing_is_faster_than_the_floor),
      cmocka_unit_test(coefficients_of_one_dimension_are_functions_of_the_next),
      cmocka_unit_test(three_dimensions_of_different_shapes_agree_with_the_sum),
      cmocka_unit_test(the_domain_holds_its_ends),
      cmocka_unit_test(the_end_of_a_tread_costs_no_more),
      cmocka_unit_test(models_that_make_no_sense_are_refused_with_a_reason),
      cmocka_unit_test(more_coefficients_than_there_is_room_for_are_refused),
      cmocka_unit_test(shapes_lack_nothing_that_they_need),
      cmocka_unit_test(any_coordinate_has_an_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
