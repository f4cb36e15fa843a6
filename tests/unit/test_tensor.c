/* Coefficients of given shapes from points: planted ones are found again. */
#include <math.h>

#include "base/rng.h"
#include "fit/fit.h"
#include "unit/unit.h"

enum { MOST_POINTS = 400 };

typedef struct points {
  int64_t coords[MOST_POINTS * SLOE_STAIR_DIMS];
  double values[MOST_POINTS];
  size_t n;
} points;

/* Steps of 32 filters, a line of channels, a line of rows: 8 coefficients. */
static sloe_stair_model model_of_three(void) {
  sloe_stair_model m = {
      .n_dims = 3, .lo = {1, 1, 1}, .hi = {512, 512, 64}, .shape = {{.width = 32}, {.slope = 1}}};
  m.shape[2].slope = 1;
  return m;
}

/* Each term gives up to 1 at the far end, the constant enough to lie above the floor anywhere. */
static sloe_stair_model planted_model(sloe_rng *rng) {
  sloe_stair_model m = model_of_three();
  m.n_coefs = 8;
  for (int i = 0; i < 8; i++)
    m.coef[i] = sloe_rng_uniform(rng) / ((i & 4 ? 16 : 1) * (i & 2 ? 512 : 1) * (i & 1 ? 64. : 1.));
  m.coef[0] += 2;
  m.coef[sloe_rng_between(rng, 1, 6)] = 0; /* the border of what is allowed */
  return m;
}

static void draw_points(sloe_rng *rng, const sloe_stair_model *truth, size_t n, double noise,
                        points *out) {
  out->n = n;
  for (size_t i = 0; i < n; i++) {
    int64_t *at = out->coords + i * truth->n_dims;
    for (size_t d = 0; d < truth->n_dims; d++)
      at[d] = sloe_rng_between(rng, truth->lo[d], truth->hi[d]);
    out->values[i] = sloe_stair_model_eval(truth, at) * fmax(0.2, 1 + noise * sloe_rng_normal(rng));
  }
}

static double fit(sloe_stair_model *m, const points *p) {
  double error;
  sloe_error err;
  assert_ok(sloe_fit_tensor(m, p->coords, p->values, p->n, &error, &err), err);
  assert_ok(sloe_stair_model_check(m, &err), err);
  return error;
}

/* Root mean square of relative differences at fresh places. */
static double distance(sloe_rng *rng, const sloe_stair_model *a, const sloe_stair_model *b) {
  double sum = 0;
  for (int i = 0; i < 500; i++) {
    int64_t at[SLOE_STAIR_DIMS];
    for (size_t d = 0; d < a->n_dims; d++) at[d] = sloe_rng_between(rng, a->lo[d], a->hi[d]);
    const double e = sloe_stair_model_eval(a, at) / sloe_stair_model_eval(b, at) - 1;
    sum += e * e;
  }
  return sqrt(sum / 500);
}

static void planted_coefficients_are_found_again(void **state) {
  sloe_rng rng;
  static points p;
  (void)state;
  sloe_rng_seed(&rng, 1);
  for (int round = 0; round < 20; round++) {
    const sloe_stair_model truth = planted_model(&rng);
    sloe_stair_model m = model_of_three();
    draw_points(&rng, &truth, 120, 0, &p);
    const double error = fit(&m, &p);
    assert_int_equal(m.n_coefs, 8);
    if (error > 0.01 || distance(&rng, &m, &truth) > 0.01)
      fail_msg("round %d: %g, %g", round, error, distance(&rng, &m, &truth));
  }
}

static void noise_of_the_points_averages_out(void **state) {
  sloe_rng rng;
  static points p;
  (void)state;
  sloe_rng_seed(&rng, 2);
  for (int round = 0; round < 10; round++) {
    const sloe_stair_model truth = planted_model(&rng);
    sloe_stair_model m = model_of_three();
    draw_points(&rng, &truth, 300, 0.03, &p);
    const double error = fit(&m, &p);
    assert_in_range((int)(error * 1e4), 150, 450);
    assert_true(distance(&rng, &m, &truth) < 0.025);
  }
}

static void one_point_in_twenty_that_is_far_off_moves_little(void **state) {
  sloe_rng rng;
  static points p;
  (void)state;
  sloe_rng_seed(&rng, 3);
  for (int round = 0; round < 10; round++) {
    const sloe_stair_model truth = planted_model(&rng);
    sloe_stair_model m = model_of_three();
    draw_points(&rng, &truth, 300, 0.01, &p);
    for (size_t i = 0; i < p.n; i += 20) p.values[i] *= i % 40 ? 3 : 0.5;
    fit(&m, &p);
    if (distance(&rng, &m, &truth) > 0.05) fail_msg("%g", distance(&rng, &m, &truth));
  }
}

/* Times that fall with size cannot be had: the best that rises nowhere below 0 is taken. */
static void no_coefficient_is_negative_whatever_the_points_say(void **state) {
  sloe_rng rng;
  static points p;
  (void)state;
  sloe_rng_seed(&rng, 4);
  for (int round = 0; round < 20; round++) {
    const sloe_stair_model truth = planted_model(&rng);
    sloe_stair_model m = model_of_three();
    draw_points(&rng, &truth, 60, 0, &p);
    for (size_t i = 0; i < p.n; i++) p.values[i] = exp(4 * sloe_rng_normal(&rng));
    fit(&m, &p);
    for (size_t i = 0; i < m.n_coefs; i++) assert_true(m.coef[i] >= 0 && isfinite(m.coef[i]));
  }
}

static void the_floor_is_half_of_the_least_time(void **state) {
  const int64_t coords[] = {1, 2, 3};
  const double values[] = {4, 3, 5};
  sloe_stair_model m = {.n_dims = 1, .lo = {1}, .hi = {3}};
  double error;
  sloe_error err;
  (void)state;
  assert_ok(sloe_fit_tensor(&m, coords, values, 3, &error, &err), err);
  assert_true(m.floor == 1.5);
  assert_int_equal(m.n_coefs, 1);
}

static void one_point_is_enough_for_a_constant(void **state) {
  const int64_t at[] = {7, 9};
  const double value = 12.5;
  sloe_stair_model m = {.n_dims = 2, .lo = {7, 9}, .hi = {7, 9}};
  double error;
  sloe_error err;
  (void)state;
  assert_ok(sloe_fit_tensor(&m, at, &value, 1, &error, &err), err);
  assert_true(error < 1e-6);
  assert_true(fabs(sloe_stair_model_eval(&m, at) - value) < 1e-6);
}

/* More coefficients than points, and columns that are equal: it ends, and fits what is there. */
static void too_few_points_still_give_a_model(void **state) {
  sloe_rng rng;
  static points p;
  (void)state;
  sloe_rng_seed(&rng, 5);
  const sloe_stair_model truth = planted_model(&rng);
  sloe_stair_model m = model_of_three();
  draw_points(&rng, &truth, 4, 0, &p);
  memcpy(p.coords + 3, p.coords, 3 * sizeof *p.coords);
  p.values[1] = p.values[0];
  assert_true(fit(&m, &p) < 0.05);
}

/* The same points give the same bits: platforms are compared byte by byte. */
static void the_same_points_give_the_same_model(void **state) {
  sloe_rng rng;
  static points p;
  (void)state;
  sloe_rng_seed(&rng, 6);
  const sloe_stair_model truth = planted_model(&rng);
  sloe_stair_model a = model_of_three(), b = model_of_three();
  draw_points(&rng, &truth, 100, 0.05, &p);
  assert_true(fit(&a, &p) == fit(&b, &p));
  assert_memory_equal(&a, &b, sizeof a);
}

/* ---- what is refused ---- */

static sloe_status try_fit(sloe_stair_model *m, const double *values, size_t n, sloe_error *err) {
  static const int64_t coords[4 * SLOE_STAIR_DIMS] = {1, 2, 3, 4, 5, 6, 7, 8};
  double error;
  return sloe_fit_tensor(m, coords, values, n, &error, err);
}

static void points_without_a_time_are_refused(void **state) {
  static const double bad[] = {0, -1, NAN, INFINITY};
  sloe_stair_model m = {.n_dims = 1, .lo = {1}, .hi = {8}};
  sloe_error err;
  (void)state;
  for (int i = 0; i < 4; i++) {
    const double values[] = {1, 1, bad[i], 1};
    assert_refused(try_fit(&m, values, 4, &err), SLOE_USAGE, err, "point 2 has no time");
  }
  assert_refused(try_fit(&m, bad, 0, &err), SLOE_USAGE, err, "no points");
}

static void models_that_are_none_are_refused(void **state) {
  const double values[] = {1, 1, 1, 1};
  sloe_stair_model none = {.n_dims = 0}, many = {.n_dims = SLOE_STAIR_DIMS + 1},
                   odd = {.n_dims = 1, .shape = {{.outer = 8}}},
                   large = {.n_dims = 4, .lo = {1, 1, 1, 1}, .hi = {8, 8, 8, 8}};
  sloe_error err;
  (void)state;
  for (int d = 0; d < 4; d++) large.shape[d] = (sloe_stair){8, 16, 1, 0, 64};
  assert_refused(try_fit(&none, values, 4, &err), SLOE_USAGE, err, "0 dimensions");
  assert_refused(try_fit(&many, values, 4, &err), SLOE_USAGE, err, "7 dimensions");
  assert_refused(try_fit(&odd, values, 4, &err), SLOE_USAGE, err, "shape of dimension 0");
  assert_refused(try_fit(&large, values, 2, &err), SLOE_UNSUPPORTED, err, "coefficients");
}

static void running_out_of_memory_is_said_and_leaves_nothing(void **state) {
  const double values[] = {1, 2, 3, 4};
  const size_t before = sloe_alloc_live();
  sloe_stair_model m = {.n_dims = 1, .lo = {1}, .hi = {8}, .shape = {{.slope = 1}}};
  sloe_error err;
  (void)state;
  sloe_alloc_fail_after(0);
  const sloe_status status = try_fit(&m, values, 4, &err);
  sloe_alloc_fail_after(-1);
  assert_int_equal(status, SLOE_NOMEM);
  assert_true(*err.msg);
  assert_int_equal(sloe_alloc_live(), before);
  assert_ok(try_fit(&m, values, 4, &err), err);
  assert_int_equal(sloe_alloc_live(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(planted_coefficients_are_found_again),
      cmocka_unit_test(noise_of_the_points_averages_out),
      cmocka_unit_test(one_point_in_twenty_that_is_far_off_moves_little),
      cmocka_unit_test(no_coefficient_is_negative_whatever_the_points_say),
      cmocka_unit_test(the_floor_is_half_of_the_least_time),
      cmocka_unit_test(one_point_is_enough_for_a_constant),
      cmocka_unit_test(too_few_points_still_give_a_model),
      cmocka_unit_test(the_same_points_give_the_same_model),
      cmocka_unit_test(points_without_a_time_are_refused),
      cmocka_unit_test(models_that_are_none_are_refused),
      cmocka_unit_test(running_out_of_memory_is_said_and_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
