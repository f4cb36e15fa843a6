/* A Gaussian process: a smooth surface from few rows, beside what a line makes of it. */
#include <math.h>

#include "base/rng.h"
#include "fit/fit.h"
#include "unit/unit.h"

enum { D = 4, MOST = 300 };

/* Bent in two inputs, straight in the third; the fourth tells nothing. */
static double surface(const double *x) {
  return 3 + sin(2 * x[0]) * x[1] + 0.5 * x[2];
}

typedef struct sample {
  double x[MOST * D], y[MOST];
} sample;

static void draw(sample *s, size_t n, uint64_t seed, double noise) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < n * D; i++) s->x[i] = 10 + 2 * sloe_rng_uniform(&rng);
  for (size_t i = 0; i < n; i++) s->y[i] = surface(s->x + i * D) + noise * sloe_rng_normal(&rng);
}

/* Root mean square over fresh rows without noise. */
static double error_of(const sloe_gauss *g) {
  static sample fresh;
  double told[MOST], sum = 0;
  sloe_error err;
  draw(&fresh, MOST, 99, 0);
  assert_ok(sloe_gauss_eval(g, fresh.x, MOST, told, &err), err);
  for (size_t i = 0; i < MOST; i++) sum += (told[i] - fresh.y[i]) * (told[i] - fresh.y[i]);
  return sqrt(sum / MOST);
}

/* What a process is left with when lengths and height allow no bends. */
static double error_of_line(const sample *s, size_t n) {
  sloe_gauss_shape straight = {.height = -9, .noise = -1, .slope = 0};
  sloe_gauss g;
  sloe_error err;
  assert_ok(sloe_gauss_fit(s->x, s->y, NULL, n, D, &straight, &g, &err), err);
  const double error = error_of(&g);
  sloe_gauss_fini(&g);
  return error;
}

static void a_bent_surface_is_learned_from_few_rows(void **state) {
  static sample s;
  sloe_gauss g;
  sloe_error err;
  (void)state;
  draw(&s, 80, 1, 0.01);
  assert_ok(sloe_gauss_fit(s.x, s.y, NULL, 80, D, NULL, &g, &err), err);
  const double error = error_of(&g), line = error_of_line(&s, 80);
  if (!(error < 0.1 * line)) fail_msg("%g, a line %g", error, line);
  /* what tells nothing has the greatest length, the noise is about what it is */
  for (int j = 0; j < 3; j++) assert_true(g.shape.length[3] > g.shape.length[j] - 0.5);
  assert_true(exp(g.shape.noise) > 0.003 && exp(g.shape.noise) < 0.1);
  sloe_gauss_fini(&g);
}

static void a_shape_found_from_a_part_is_that_of_a_process_of_it(void **state) {
  static sample s;
  sloe_gauss g;
  sloe_gauss_shape part, all;
  sloe_error err;
  (void)state;
  draw(&s, 80, 1, 0.01);
  assert_ok(sloe_gauss_fit(s.x, s.y, NULL, 80, D, NULL, &g, &err), err);
  assert_ok(sloe_gauss_find_shape(s.x, s.y, NULL, 80, D, 80, &all, &err), err);
  assert_ok(sloe_gauss_find_shape(s.x, s.y, NULL, 80, D, 40, &part, &err), err);
  for (int j = 0; j < D; j++) assert_true(all.length[j] == g.shape.length[j]);
  assert_true(all.noise == g.shape.noise && part.noise != all.noise);
  assert_refused(sloe_gauss_find_shape(s.x, s.y, NULL, 1, D, 80, &all, &err), SLOE_USAGE, err,
                 "1 rows");
  sloe_gauss_fini(&g);
}

static void more_rows_tell_more(void **state) {
  static sample s;
  double last = INFINITY;
  (void)state;
  draw(&s, MOST, 2, 0.02);
  for (size_t n = 20; n <= MOST; n *= 3) {
    sloe_gauss g;
    sloe_error err;
    assert_ok(sloe_gauss_fit(s.x, s.y, NULL, n, D, NULL, &g, &err), err);
    const double error = error_of(&g);
    assert_true(error < last);
    last = error;
    sloe_gauss_fini(&g);
  }
}

/* The closed form against leaving a row out, with the same shape and scales. */
static void what_is_left_is_what_the_others_do_not_say(void **state) {
  static sample s, without;
  enum { N = 40, OUT = 17 };
  sloe_gauss all, rest;
  sloe_error err;
  (void)state;
  draw(&s, N, 3, 0.1);
  for (size_t i = 0; i < N * D; i++) s.x[i] = (double)(i / D % 5) + (i % D ? s.x[i] : 0);
  memcpy(without.x, s.x, OUT * D * sizeof(double));
  memcpy(without.x + OUT * D, s.x + (OUT + 1) * D, (N - OUT - 1) * D * sizeof(double));
  memcpy(without.y, s.y, OUT * sizeof(double));
  memcpy(without.y + OUT, s.y + OUT + 1, (N - OUT - 1) * sizeof(double));
  const sloe_gauss_shape shape = {.length = {1, 1, 1, 1}, .noise = -2, .slope = -1};
  assert_ok(sloe_gauss_fit(s.x, s.y, NULL, N, D, &shape, &all, &err), err);
  assert_ok(sloe_gauss_fit(without.x, without.y, NULL, N - 1, D, &shape, &rest, &err), err);
  double told;
  assert_ok(sloe_gauss_eval(&rest, s.x + OUT * D, 1, &told, &err), err);
  /* mean and deviation of 39 rows are not quite those of 40 */
  if (!(fabs(s.y[OUT] - told - all.left[OUT]) < 0.1 * fabs(all.left[OUT]) + 0.02))
    fail_msg("%g, left out %g", all.left[OUT], s.y[OUT] - told);
  sloe_gauss_fini(&all);
  sloe_gauss_fini(&rest);
}

static void rows_that_are_all_alike_are_a_constant(void **state) {
  double x[6 * D], y[6];
  sloe_gauss g;
  sloe_error err;
  (void)state;
  for (int i = 0; i < 6 * D; i++) x[i] = 5;
  for (int i = 0; i < 6; i++) y[i] = i % 2;
  assert_ok(sloe_gauss_fit(x, y, NULL, 6, D, NULL, &g, &err), err);
  double told;
  assert_ok(sloe_gauss_eval(&g, x, 1, &told, &err), err);
  assert_true(fabs(told - 0.5) < 1e-3);
  sloe_gauss_fini(&g);
}

/* One row is far off, and says so. */
static void a_row_of_much_variance_of_its_own_is_hardly_heard(void **state) {
  static sample s;
  enum { N = 60, OFF = 20 };
  double own[N] = {0};
  sloe_gauss deaf, heard;
  sloe_error err;
  (void)state;
  draw(&s, N, 8, 0.01);
  s.y[OFF] += 5;
  const sloe_gauss_shape shape = {.noise = -4, .slope = -1};
  assert_ok(sloe_gauss_fit(s.x, s.y, NULL, N, D, &shape, &heard, &err), err);
  own[OFF] = 100;
  assert_ok(sloe_gauss_fit(s.x, s.y, own, N, D, &shape, &deaf, &err), err);
  double with, without;
  assert_ok(sloe_gauss_eval(&heard, s.x + OFF * D, 1, &with, &err), err);
  assert_ok(sloe_gauss_eval(&deaf, s.x + OFF * D, 1, &without, &err), err);
  const double truth = surface(s.x + OFF * D);
  assert_true(3 * fabs(without - truth) < fabs(with - truth) && fabs(with - truth) > 1);
  sloe_gauss_fini(&heard);
  own[3] = -1;
  assert_refused(sloe_gauss_fit(s.x, s.y, own, N, D, &shape, &heard, &err), SLOE_USAGE, err,
                 "row 3");
  sloe_gauss_fini(&deaf);
}

static void the_same_rows_give_the_same_process(void **state) {
  static sample s;
  sloe_gauss a, b;
  sloe_error err;
  (void)state;
  draw(&s, 60, 5, 0.05);
  assert_ok(sloe_gauss_fit(s.x, s.y, NULL, 60, D, NULL, &a, &err), err);
  assert_ok(sloe_gauss_fit(s.x, s.y, NULL, 60, D, NULL, &b, &err), err);
  assert_memory_equal(a.alpha, b.alpha, 60 * sizeof *a.alpha);
  sloe_gauss_fini(&a);
  sloe_gauss_fini(&b);
}

static void sizes_and_numbers_that_cannot_be_are_refused(void **state) {
  static sample s;
  sloe_gauss g;
  sloe_error err;
  (void)state;
  draw(&s, 10, 6, 0);
  assert_refused(sloe_gauss_fit(s.x, s.y, NULL, 1, D, NULL, &g, &err), SLOE_USAGE, err, "1 rows");
  assert_refused(sloe_gauss_fit(s.x, s.y, NULL, 10, 0, NULL, &g, &err), SLOE_USAGE, err,
                 "0 inputs");
  assert_refused(sloe_gauss_fit(s.x, s.y, NULL, 2, SLOE_GAUSS_INPUTS + 1, NULL, &g, &err),
                 SLOE_USAGE, err, "97 inputs");
  s.y[3] = NAN;
  assert_refused(sloe_gauss_fit(s.x, s.y, NULL, 10, D, NULL, &g, &err), SLOE_USAGE, err, "row 3");
  assert_true(!g.n && !g.alpha);
}

static void memory_that_runs_out_is_given_back(void **state) {
  static sample s;
  const sloe_gauss_shape shape = {.noise = -2};
  (void)state;
  draw(&s, 30, 7, 0.05);
  const long live = sloe_alloc_live();
  long n = 0;
  for (;; n++) {
    sloe_gauss g;
    sloe_error err;
    double told;
    sloe_alloc_fail_after(n);
    sloe_status status = sloe_gauss_fit(s.x, s.y, NULL, 30, D, n % 2 ? NULL : &shape, &g, &err);
    if (status == SLOE_OK) status = sloe_gauss_eval(&g, s.x, 1, &told, &err);
    sloe_gauss_shape found;
    if (status == SLOE_OK) status = sloe_gauss_find_shape(s.x, s.y, NULL, 30, D, 30, &found, &err);
    sloe_alloc_fail_after(-1);
    sloe_gauss_fini(&g);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK && n % 2) break;
    assert_true(status == SLOE_NOMEM || status == SLOE_OK);
  }
  assert_true(n > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_bent_surface_is_learned_from_few_rows),
      cmocka_unit_test(a_shape_found_from_a_part_is_that_of_a_process_of_it),
      cmocka_unit_test(more_rows_tell_more),
      cmocka_unit_test(what_is_left_is_what_the_others_do_not_say),
      cmocka_unit_test(rows_that_are_all_alike_are_a_constant),
      cmocka_unit_test(a_row_of_much_variance_of_its_own_is_hardly_heard),
      cmocka_unit_test(the_same_rows_give_the_same_process),
      cmocka_unit_test(sizes_and_numbers_that_cannot_be_are_refused),
      cmocka_unit_test(memory_that_runs_out_is_given_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
