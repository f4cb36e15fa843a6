/* The fitter on formulas: what it finds, what it asks, and what it does with a bad callback. */
#include <math.h>

#include "base/rng.h"
#include "fit/fit.h"
#include "unit/unit.h"

typedef struct formula {
  sloe_stair_model truth;
  double spread;      /* told with each sample */
  int64_t limit;      /* larger coordinates cannot be had; 0: no limit */
  int64_t wrong_at;   /* twice as slow there; 0: nowhere */
  long fail_at;       /* the call that fails with IO; negative: none */
  const double *runs; /* handed out instead of the truth, in turn */
  size_t n_runs;
  size_t calls;
  uint64_t asked; /* a hash of all coordinates asked for */
} formula;

static formula line_of(sloe_stair shape, const double *coef) {
  formula f = {.fail_at = -1};
  f.truth = (sloe_stair_model){.n_dims = 1, .lo = {1}, .hi = {1024}, .shape = {shape}};
  f.truth.n_coefs = (uint32_t)sloe_stair_terms(&shape);
  memcpy(f.truth.coef, coef, f.truth.n_coefs * sizeof *coef);
  return f;
}

static formula steps_of(int32_t width) {
  return line_of((sloe_stair){.width = width}, (double[]){2, 0.5});
}

static sloe_status measure(void *user, const int64_t *at, size_t n_dims, sloe_fit_sample *out,
                           sloe_error *err) {
  formula *f = user;
  int wrong = f->wrong_at && at[0] == f->wrong_at;
  for (size_t d = 0; d < n_dims; d++) {
    assert_true(at[d] >= f->truth.lo[d] && at[d] <= f->truth.hi[d]);
    f->asked = f->asked * 31 + (uint64_t)at[d];
    if (f->limit && at[d] > f->limit)
      return sloe_fail(err, SLOE_UNSUPPORTED, "too large for this device");
  }
  if (f->fail_at >= 0 && (long)f->calls == f->fail_at)
    return sloe_fail(err, SLOE_IO, "the cable was pulled");
  double value = sloe_stair_model_eval(&f->truth, at) * (wrong ? 2 : 1);
  if (f->runs) value = f->runs[f->calls % f->n_runs];
  *out = (sloe_fit_sample){value, f->spread};
  f->calls++;
  return SLOE_OK;
}

static const sloe_fit_axis axes[4] = {{1, 1024}, {1, 1024}, {1, 1024}, {1, 1024}};

static sloe_status fit(const sloe_fit_params *params, formula *f, sloe_fit_result *out,
                       sloe_error *err) {
  return sloe_fit_space(params, axes, f->truth.n_dims, measure, f, out, err);
}

static double worst_error(const formula *f, const sloe_fit_result *r) {
  double worst = 0;
  for (int64_t x = 1; x <= 1024; x++) {
    double want = sloe_stair_model_eval(&f->truth, &x);
    worst = fmax(worst, fabs(sloe_stair_model_eval(&r->model, &x) / want - 1));
  }
  return worst;
}

static void assert_empty(const sloe_fit_result *r) {
  static const sloe_fit_result empty;
  assert_memory_equal(r, &empty, sizeof empty);
}

static void a_step_function_is_found_with_its_width(void **state) {
  (void)state;
  for (int32_t width = 8; width <= 512; width += 28) {
    formula f = steps_of(width);
    sloe_fit_result r;
    sloe_error err = {0};
    assert_ok(fit(NULL, &f, &r, &err), err);
    assert_int_equal(r.model.shape[0].width, width);
    assert_true(worst_error(&f, &r) < 1e-6);
    assert_true(r.points <= 14 && r.undecided == 0 && r.outliers == 0);
    assert_int_equal(r.samples, r.points); /* exact: once is enough */
  }
}

static void the_papers_method_finds_it_too(void **state) {
  (void)state;
  sloe_fit_params paper = {.method = SLOE_FIT_BLACKTHORN};
  for (int32_t width = 8; width <= 512; width += 84) {
    formula f = steps_of(width);
    sloe_fit_result r;
    sloe_error err = {0};
    assert_ok(fit(&paper, &f, &r, &err), err);
    assert_int_equal(r.model.shape[0].width, width);
    assert_true(worst_error(&f, &r) < 1e-6);
  }
}

static void each_template_finds_its_shape_when_it_takes_part(void **state) {
  (void)state;
  static const struct {
    sloe_stair shape;
    double coef[SLOE_STAIR_TERMS], floor;
  } cases[] = {
      {{.slope = 1}, {2, 0.01}, 0},
      {{.width = 8, .outer = 32}, {0, 0.1, 0.5}, 0},
      {{.width = 16, .start = 16}, {0, 1, 0.05}, 0},
      {{.width = 64, .slope = 1}, {1, 0.5, 0.005}, 0},
      {{.width = 64}, {1, 0.5}, 3},
      {{.width = 32, .change = 512}, {1, 0.5, 3, 0.1}, 0},
      {{.width = 37}, {1, 0.5}, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    formula f = line_of(cases[i].shape, cases[i].coef);
    f.truth.floor = cases[i].floor;
    sloe_fit_result r;
    sloe_error err = {0};
    assert_ok(fit(NULL, &f, &r, &err), err);
    if (worst_error(&f, &r) > 0.01) fail_msg("case %zu is off by %g", i, worst_error(&f, &r));
  }
}

static void a_template_that_is_switched_off_takes_no_part(void **state) {
  (void)state;
  formula f = line_of((sloe_stair){.width = 8, .outer = 32}, (double[]){0, 0.1, 0.5});
  sloe_fit_params two = {.templates = SLOE_FIT_PAPER}, line = {.templates = SLOE_FIT_LINEAR};
  sloe_fit_result r;
  sloe_error err = {0};
  assert_ok(fit(&two, &f, &r, &err), err);
  assert_int_equal(r.model.shape[0].outer, 0);
  assert_ok(fit(&line, &f, &r, &err), err);
  assert_int_equal(r.model.shape[0].width, 0);
  assert_int_equal(r.model.shape[0].slope, 1);
}

static void a_callback_that_always_says_the_same_gives_a_constant(void **state) {
  (void)state;
  for (int method = SLOE_FIT_EVIDENCE; method <= SLOE_FIT_BLACKTHORN; method++) {
    sloe_fit_params params = {.method = (sloe_fit_method)method};
    formula f = line_of((sloe_stair){0}, (double[]){3});
    sloe_fit_result r;
    sloe_error err = {0};
    assert_ok(fit(&params, &f, &r, &err), err);
    assert_true(worst_error(&f, &r) < 1e-6);
    assert_true(r.points <= 20);
  }
}

static void one_wrong_point_is_set_aside(void **state) {
  (void)state;
  static const int64_t places[] = {64, 960, 1}; /* where the fitter is sure to look */
  for (size_t i = 0; i < 3; i++) {
    formula f = steps_of(48);
    f.wrong_at = places[i];
    sloe_fit_result r;
    sloe_error err = {0};
    assert_ok(fit(NULL, &f, &r, &err), err);
    assert_int_equal(r.model.shape[0].width, 48);
    assert_int_equal(r.outliers, 1);
    assert_true(worst_error(&f, &r) < 1e-6);
  }
}

static void a_plane_is_the_product_of_its_lines(void **state) {
  (void)state;
  formula f = {.fail_at = -1};
  f.truth = (sloe_stair_model){.n_dims = 2,
                               .n_coefs = 4,
                               .lo = {1, 1},
                               .hi = {1024, 1024},
                               .shape = {{.width = 32}, {.width = 8}},
                               .coef = {0.1, 0.05, 0.02, 0.03}};
  sloe_fit_result r;
  sloe_error err = {0};
  assert_ok(fit(NULL, &f, &r, &err), err);
  assert_int_equal(r.model.shape[0].width, 32);
  assert_int_equal(r.model.shape[1].width, 8);
  for (int i = 0; i < 4; i++) assert_true(fabs(r.model.coef[i] - f.truth.coef[i]) < 1e-6);
  assert_true(r.points <= 60);
}

static void a_space_of_three_dimensions_is_found(void **state) {
  (void)state;
  formula f = {.fail_at = -1};
  f.truth = (sloe_stair_model){.n_dims = 3,
                               .n_coefs = 8,
                               .lo = {1, 1, 1},
                               .hi = {1024, 1024, 1024},
                               .shape = {{.width = 32}, {.slope = 1}, {.width = 128}},
                               .coef = {1, 0.5, 0.01, 0.02, 0.3, 0.1, 0.02, 0.01}};
  sloe_fit_result r;
  sloe_error err = {0};
  assert_ok(fit(NULL, &f, &r, &err), err);
  assert_memory_equal(r.model.shape, f.truth.shape, sizeof f.truth.shape);
  int64_t at[3] = {700, 3, 400};
  double want = sloe_stair_model_eval(&f.truth, at);
  assert_true(fabs(sloe_stair_model_eval(&r.model, at) / want - 1) < 1e-6);
}

static void the_same_answers_bring_the_same_questions(void **state) {
  (void)state;
  formula a = steps_of(76), b = steps_of(76);
  sloe_fit_result r, s;
  sloe_error err = {0};
  assert_ok(fit(NULL, &a, &r, &err), err);
  assert_ok(fit(NULL, &b, &s, &err), err);
  assert_true(a.asked == b.asked);
  assert_memory_equal(&r, &s, sizeof r);
}

static void what_cannot_be_had_is_left_alone(void **state) {
  (void)state;
  static const int64_t limits[] = {900, 300, 70};
  for (size_t i = 0; i < 3; i++) {
    formula f = steps_of(16);
    f.limit = limits[i];
    sloe_fit_result r;
    sloe_error err = {0};
    assert_ok(fit(NULL, &f, &r, &err), err);
    assert_int_equal(r.model.shape[0].width, 16);
    assert_string_equal(err.msg, "");
  }
}

static void where_nothing_can_be_had_the_fit_says_so(void **state) {
  (void)state;
  static const int64_t limits[] = {-1, 1};
  for (size_t i = 0; i < 2; i++) {
    formula f = steps_of(16);
    f.limit = limits[i];
    sloe_fit_result r;
    sloe_error err;
    assert_refused(fit(NULL, &f, &r, &err), SLOE_UNSUPPORTED, err, "can be had");
    assert_empty(&r);
  }
}

static void a_failure_of_the_callback_is_handed_through(void **state) {
  (void)state;
  for (long call = 0; call < 5; call++) {
    formula f = steps_of(16);
    f.fail_at = call;
    sloe_fit_result r;
    sloe_error err;
    assert_refused(fit(NULL, &f, &r, &err), SLOE_IO, err, "the cable was pulled");
    assert_empty(&r);
    assert_int_equal(f.calls, call);
  }
}

static void what_is_no_time_is_refused(void **state) {
  (void)state;
  const double values[] = {NAN, 0, -1, INFINITY};
  for (size_t i = 0; i < 4; i++) {
    formula f = steps_of(16);
    f.runs = &values[i];
    f.n_runs = 1;
    sloe_fit_result r;
    sloe_error err;
    assert_refused(fit(NULL, &f, &r, &err), SLOE_FORMAT, err, "no time");
    assert_empty(&r);
  }
  const double spreads[] = {-1, INFINITY};
  for (size_t i = 0; i < 2; i++) {
    formula f = steps_of(16);
    f.spread = spreads[i];
    sloe_fit_result r;
    sloe_error err;
    assert_refused(fit(NULL, &f, &r, &err), SLOE_FORMAT, err, "standard error");
    assert_empty(&r);
  }
}

static sloe_status babble(void *user, const int64_t *at, size_t n_dims, sloe_fit_sample *out,
                          sloe_error *err) {
  (void)at;
  (void)n_dims;
  (void)err;
  sloe_rng *rng = user;
  *out = (sloe_fit_sample){pow(10, 600 * sloe_rng_uniform(rng) - 300), NAN};
  if (sloe_rng_uniform(rng) < 0.5) out->spread = pow(10, 600 * sloe_rng_uniform(rng) - 300);
  return SLOE_OK;
}

static void babble_ends_in_a_model_or_a_reason(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 12; seed++) {
    sloe_rng rng;
    sloe_rng_seed(&rng, seed);
    sloe_fit_params params = {
        .method = seed % 3 ? SLOE_FIT_EVIDENCE : SLOE_FIT_BLACKTHORN, .max_points = 7, .runs = 4};
    sloe_fit_result r;
    sloe_error err = {0};
    sloe_status status = sloe_fit_space(&params, axes, 1 + seed % 2, babble, &rng, &r, &err);
    if (status) {
      assert_true(err.msg[0] != 0);
      assert_empty(&r);
    } else {
      assert_int_equal(sloe_stair_model_check(&r.model, &err), SLOE_OK);
    }
  }
}

static void runs_are_repeated_until_they_agree(void **state) {
  (void)state;
  static const double rough[] = {1, 1.1, 0.9, 1.05, 0.95}, calm[] = {1};
  static const struct {
    const double *runs;
    size_t n, spread_known, per_point;
  } cases[] = {{rough, 5, 0, 30}, {calm, 1, 0, 5}, {calm, 1, 1, 1}};
  for (size_t i = 0; i < 3; i++) {
    formula f = steps_of(16);
    f.runs = cases[i].runs;
    f.n_runs = cases[i].n;
    f.spread = cases[i].spread_known ? 0.001 : NAN;
    sloe_fit_result r;
    sloe_error err = {0};
    assert_ok(fit(NULL, &f, &r, &err), err);
    assert_int_equal(r.samples, r.points * cases[i].per_point);
  }
}

static void a_points_time_is_the_statistic_of_its_runs(void **state) {
  (void)state;
  static const double runs[] = {1, 9, 4, 3, 2};
  static const double want[] = {3, 3, 1}; /* midmean of 2 3 4, median, least */
  for (int statistic = SLOE_FIT_MIDMEAN; statistic <= SLOE_FIT_MIN; statistic++) {
    sloe_fit_params params = {.runs = 5, .statistic = (sloe_fit_statistic)statistic};
    formula f = steps_of(16);
    f.runs = runs;
    f.n_runs = 5;
    f.spread = NAN;
    sloe_fit_result r;
    sloe_error err = {0};
    assert_ok(fit(&params, &f, &r, &err), err);
    int64_t x = 500;
    assert_true(fabs(sloe_stair_model_eval(&r.model, &x) - want[statistic]) < 1e-6);
  }
}

static void params_that_make_no_sense_are_refused(void **state) {
  (void)state;
  static const struct {
    sloe_fit_params params;
    const char *text;
  } cases[] = {
      {{.method = (sloe_fit_method)2}, "method"},
      {{.statistic = (sloe_fit_statistic)7}, "statistic"},
      {{.templates = 1u << 20}, "templates"},
      {{.method = SLOE_FIT_BLACKTHORN, .templates = SLOE_FIT_ALL}, "two templates"},
      {{.width_min = -4}, "width_min"},
      {{.width_min = 600}, "widths from 600 to 512"},
      {{.width_max = 100000}, "widths from 8"},
      {{.width_step = -1}, "width_step"},
      {{.max_points = 61}, "max_points"},
      {{.min_points = 30}, "out of order"},
      {{.start_lo = 1000}, "out of order"},
      {{.runs = -1}, "runs"},
      {{.runs = 100000000}, "runs"},
      {{.noise = NAN}, "noise"},
      {{.slack = -1}, "slack"},
      {{.cut = INFINITY}, "cut"},
      {{.ratio = 0.5}, "ratio"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    formula f = steps_of(16);
    sloe_fit_result r;
    sloe_error err;
    assert_refused(fit(&cases[i].params, &f, &r, &err), SLOE_USAGE, err, cases[i].text);
    assert_empty(&r);
    assert_int_equal(f.calls, 0);
  }
}

static void axes_that_make_no_sense_are_refused(void **state) {
  (void)state;
  static const sloe_fit_axis bad[] = {{0, 10}, {5, 3}, {1, 3}, {-5, 5}, {1, INT64_MAX}};
  formula f = steps_of(16);
  sloe_fit_result r;
  sloe_error err;
  for (size_t i = 0; i < 5; i++)
    assert_refused(sloe_fit_space(NULL, &bad[i], 1, measure, &f, &r, &err), SLOE_USAGE, err,
                   "axis 0");
  assert_refused(sloe_fit_space(NULL, bad, 0, measure, &f, &r, &err), SLOE_USAGE, err,
                 "0 dimensions");
  assert_refused(sloe_fit_space(NULL, bad, 99, measure, &f, &r, &err), SLOE_USAGE, err,
                 "99 dimensions");
  assert_empty(&r);
}

static void axes_of_any_length_are_fitted(void **state) {
  (void)state;
  static const sloe_fit_axis lengths[] = {{1, 4}, {1, 16}, {7, 224}, {1, 4096}, {1, 1 << 20}};
  for (size_t i = 0; i < 5; i++) {
    formula f = line_of((sloe_stair){.slope = 1}, (double[]){2, 0.5});
    f.truth.lo[0] = lengths[i].lo;
    f.truth.hi[0] = lengths[i].hi;
    sloe_fit_result r;
    sloe_error err = {0};
    assert_ok(sloe_fit_space(NULL, &lengths[i], 1, measure, &f, &r, &err), err);
    int64_t x = lengths[i].hi;
    double want = sloe_stair_model_eval(&f.truth, &x);
    assert_true(fabs(sloe_stair_model_eval(&r.model, &x) / want - 1) < 0.01);
  }
}

static void the_number_of_samples_has_a_limit(void **state) {
  (void)state;
  formula f = steps_of(16);
  sloe_fit_params params = {.max_samples = 4};
  sloe_fit_result r;
  sloe_error err;
  assert_refused(fit(&params, &f, &r, &err), SLOE_UNSUPPORTED, err, "more than 4 samples");
  assert_empty(&r);
  assert_int_equal(f.calls, 4);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  for (long n = 0;; n++) {
    assert_true(n < 1000);
    formula f = {.fail_at = -1};
    f.truth = (sloe_stair_model){.n_dims = 2,
                                 .n_coefs = 4,
                                 .lo = {1, 1},
                                 .hi = {1024, 1024},
                                 .shape = {{.width = 32}, {.width = 64}},
                                 .coef = {0.1, 0.05, 0.02, 0.03}};
    sloe_fit_params params = {.min_points = 20}; /* more points than there is room for at first */
    sloe_fit_result r;
    sloe_error err = {0};
    long live = sloe_alloc_live();
    sloe_alloc_fail_after(n);
    sloe_status status = fit(&params, &f, &r, &err);
    sloe_alloc_fail_after(-1);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK) {
      assert_true(n >= 5);
      break;
    }
    assert_int_equal(status, SLOE_NOMEM);
    assert_true(strstr(err.msg, "out of memory") != NULL);
    assert_empty(&r);
  }
}

static void templates_have_names(void **state) {
  (void)state;
  for (unsigned bit = 1; bit <= SLOE_FIT_ANY_WIDTH; bit *= 2)
    assert_string_not_equal(sloe_fit_template_name(bit), "unknown");
  assert_string_equal(sloe_fit_template_name(SLOE_FIT_NESTED), "nested");
  assert_string_equal(sloe_fit_template_name(3), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_step_function_is_found_with_its_width),
      cmocka_unit_test(the_papers_method_finds_it_too),
      cmocka_unit_test(each_template_finds_its_shape_when_it_takes_part),
      cmocka_unit_test(a_template_that_is_switched_off_takes_no_part),
      cmocka_unit_test(a_callback_that_always_says_the_same_gives_a_constant),
      cmocka_unit_test(one_wrong_point_is_set_aside),
      cmocka_unit_test(a_plane_is_the_product_of_its_lines),
      cmocka_unit_test(a_space_of_three_dimensions_is_found),
      cmocka_unit_test(the_same_answers_bring_the_same_questions),
      cmocka_unit_test(what_cannot_be_had_is_left_alone),
      cmocka_unit_test(where_nothing_can_be_had_the_fit_says_so),
      cmocka_unit_test(a_failure_of_the_callback_is_handed_through),
      cmocka_unit_test(what_is_no_time_is_refused),
      cmocka_unit_test(babble_ends_in_a_model_or_a_reason),
      cmocka_unit_test(runs_are_repeated_until_they_agree),
      cmocka_unit_test(a_points_time_is_the_statistic_of_its_runs),
      cmocka_unit_test(params_that_make_no_sense_are_refused),
      cmocka_unit_test(axes_that_make_no_sense_are_refused),
      cmocka_unit_test(axes_of_any_length_are_fitted),
      cmocka_unit_test(the_number_of_samples_has_a_limit),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(templates_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
