/* Boosted trees: what they learn, that they do it twice alike, and what they refuse. */
#include <math.h>

#include "base/rng.h"
#include "fit/fit.h"
#include "unit/unit.h"

enum { N = 1200, F = 6 };

typedef struct rows {
  double x[N * F], y[N];
} rows;

/* Smooth in four variables; two more say nothing. */
static double smooth(const double *x) {
  return sin(3 * x[0]) + x[1] * x[1] + 0.5 * x[0] * x[2] + exp(-x[3]);
}

static void draw(rows *r, uint64_t seed, double noise) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < N * F; i++) r->x[i] = sloe_rng_uniform(&rng) * 2 - 1;
  for (size_t i = 0; i < N; i++) r->y[i] = smooth(r->x + i * F) + noise * sloe_rng_normal(&rng);
}

static double answer(const sloe_boost *b, const double *x) {
  float row[F];
  for (size_t j = 0; j < F; j++) row[j] = (float)x[j];
  return sloe_forest_eval(&b->forest, row);
}

/* RMS errors of the forest and of the mean over other rows, as a share. */
static double share_left(const sloe_boost *b, const rows *r) {
  double mean = 0, own = 0, constant = 0;
  for (size_t i = 0; i < N; i++) mean += r->y[i] / N;
  for (size_t i = 0; i < N; i++) {
    double e = answer(b, r->x + i * F) - r->y[i];
    own += e * e;
    constant += (r->y[i] - mean) * (r->y[i] - mean);
  }
  return sqrt(own / constant);
}

static void assert_empty(const sloe_boost *b) {
  static const sloe_boost empty;
  assert_memory_equal(b, &empty, sizeof empty);
}

static void a_smooth_function_is_learnt(void **state) {
  (void)state;
  static rows seen, other;
  sloe_boost b;
  sloe_error err;
  draw(&seen, 1, 0.02);
  draw(&other, 2, 0);
  assert_ok(sloe_boost_train(seen.x, seen.y, NULL, N, F, NULL, &b, &err), err);
  assert_ok(sloe_forest_check(&b.forest, &err), err);
  assert_true(share_left(&b, &other) < 0.2);
  assert_true(b.cv_error < 0.2 * b.cv_constant);
  double sum = 0;
  for (size_t i = 0; i < N; i++) sum += pow(seen.y[i] - b.out_of_fold[i], 2);
  assert_true(fabs(sqrt(sum / N) / b.cv_error - 1) < 1e-9);
  sloe_boost_fini(&b);
}

static void noise_alone_gives_few_trees_or_none(void **state) {
  (void)state;
  static rows r;
  draw(&r, 3, 0);
  sloe_rng rng;
  sloe_rng_seed(&rng, 4);
  for (size_t i = 0; i < N; i++) r.y[i] = sloe_rng_normal(&rng);
  sloe_boost b;
  sloe_error err;
  assert_ok(sloe_boost_train(r.x, r.y, NULL, N, F, NULL, &b, &err), err);
  assert_true(b.forest.n_trees <= 10 && b.cv_error > 0.98 * b.cv_constant);
  sloe_boost_fini(&b);
}

static void the_same_seed_gives_the_same_forest(void **state) {
  (void)state;
  static rows r;
  draw(&r, 5, 0.1);
  sloe_boost_params p = {.trees = 20, .seed = 9};
  sloe_boost a, b, c;
  sloe_error err;
  assert_ok(sloe_boost_train(r.x, r.y, NULL, N, F, &p, &a, &err), err);
  assert_ok(sloe_boost_train(r.x, r.y, NULL, N, F, &p, &b, &err), err);
  p.seed = 10;
  assert_ok(sloe_boost_train(r.x, r.y, NULL, N, F, &p, &c, &err), err);
  assert_memory_equal(a.out_of_fold, b.out_of_fold, N * sizeof *a.out_of_fold);
  assert_int_equal(a.forest.n_trees, b.forest.n_trees);
  assert_memory_equal(a.forest.first, b.forest.first, sizeof a.forest.first);
  assert_memory_equal(a.forest.threshold, b.forest.threshold,
                      sloe_forest_thresholds(&a.forest) * sizeof *a.forest.threshold);
  assert_memory_equal(a.forest.row, b.forest.row, sloe_forest_row_bytes(&a.forest));
  assert_memory_equal(a.forest.leaf, b.forest.leaf,
                      sloe_forest_leaves(&a.forest) * sizeof *a.forest.leaf);
  assert_memory_not_equal(a.out_of_fold, c.out_of_fold, N * sizeof *a.out_of_fold);
  sloe_boost_fini(&a);
  sloe_boost_fini(&b);
  sloe_boost_fini(&c);
}

static void cross_validation_alone_says_the_same(void **state) {
  (void)state;
  static rows r;
  static double out[N];
  draw(&r, 6, 0.1);
  sloe_boost_params p = {.trees = 15};
  sloe_boost b;
  sloe_boost_cv_result cv;
  sloe_error err;
  assert_ok(sloe_boost_train(r.x, r.y, NULL, N, F, &p, &b, &err), err);
  assert_ok(sloe_boost_cv(r.x, r.y, NULL, N, F, &p, out, &cv, &err), err);
  assert_memory_equal(b.out_of_fold, out, sizeof out);
  assert_true(cv.trees == b.forest.n_trees && cv.error == b.cv_error &&
              cv.constant == b.cv_constant);
  sloe_boost_fini(&b);
}

static void rows_of_no_weight_say_nothing(void **state) {
  (void)state;
  static rows r;
  static double weight[N];
  draw(&r, 7, 0);
  for (size_t i = 0; i < N; i++) {
    weight[i] = i % 2 ? 3 : 0;
    if (!(i % 2)) r.y[i] = 1000;
  }
  sloe_boost b;
  sloe_error err;
  assert_ok(sloe_boost_train(r.x, r.y, weight, N, F, NULL, &b, &err), err);
  assert_true(b.cv_constant < 2);
  for (size_t i = 0; i < N; i++) assert_true(fabs(answer(&b, r.x + i * F)) < 5);
  sloe_boost_fini(&b);
}

/* A step in the remainder of a size is exact when the remainder is a feature. */
static void few_values_have_a_bin_each(void **state) {
  (void)state;
  static double x[300], y[300];
  for (size_t i = 0; i < 300; i++) {
    x[i] = (double)(i % 16);
    y[i] = i % 16 > 12 ? 1 : 0;
  }
  sloe_boost b;
  sloe_error err;
  sloe_boost_params p = {
      .trees = 1, .depth = 1, .folds = 1, .rate = 1, .lambda = 1e-9, .row_share = 1};
  assert_ok(sloe_boost_train(x, y, NULL, 300, 1, &p, &b, &err), err);
  assert_null(b.out_of_fold);
  assert_true(isnan(b.cv_error) && isnan(b.cv_constant));
  for (int i = 0; i < 16; i++)
    assert_true(fabs(sloe_forest_eval(&b.forest, (float[]){(float)i}) - (i > 12)) < 1e-6);
  sloe_boost_fini(&b);
}

static void little_to_learn_from_gives_a_constant(void **state) {
  (void)state;
  double x[8] = {0}, y[8] = {7, 7, 7, 7, 1, 2, 3, 4};
  sloe_boost b;
  sloe_error err;
  assert_ok(sloe_boost_train(x, y, NULL, 1, 3, NULL, &b, &err), err); /* one row */
  assert_true(b.forest.n_trees == 0 && answer(&b, (double[F]){0}) == 7);
  sloe_boost_fini(&b);
  assert_ok(sloe_boost_train(x, y, NULL, 4, 2, NULL, &b, &err), err); /* one target */
  assert_true(b.forest.n_trees == 0 && answer(&b, (double[F]){0}) == 7 && b.cv_error == 0);
  sloe_boost_fini(&b);
  assert_ok(sloe_boost_train(x, y + 4, NULL, 4, 2, NULL, &b, &err), err); /* one value a feature */
  assert_true(fabs(answer(&b, (double[F]){0}) - 2.5) < 1e-9);
  sloe_boost_fini(&b);
  sloe_boost_fini(&b); /* and twice is fine */
}

static void what_is_no_number_is_refused(void **state) {
  (void)state;
  static const double bad[] = {NAN, INFINITY, -INFINITY, 1e31};
  double x[6] = {1, 2, 3, 4, 5, 6}, y[3] = {1, 2, 3}, weight[3] = {1, 1, 1}, out[3];
  sloe_boost b;
  sloe_boost_cv_result cv;
  sloe_error err;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    x[5] = bad[i];
    assert_refused(sloe_boost_train(x, y, NULL, 3, 2, NULL, &b, &err), SLOE_USAGE, err,
                   "feature value 5");
    assert_empty(&b);
    assert_refused(sloe_boost_cv(x, y, NULL, 3, 2, NULL, out, &cv, &err), SLOE_USAGE, err,
                   "feature value 5");
    x[5] = 6;
    y[2] = bad[i];
    assert_refused(sloe_boost_train(x, y, NULL, 3, 2, NULL, &b, &err), SLOE_USAGE, err, "target 2");
    y[2] = 3;
    weight[1] = bad[i];
    assert_refused(sloe_boost_train(x, y, weight, 3, 2, NULL, &b, &err), SLOE_USAGE, err,
                   "weight 1");
    weight[1] = 1;
  }
  assert_refused(sloe_boost_train(x, y, (double[3]){0}, 3, 2, NULL, &b, &err), SLOE_USAGE, err,
                 "all weights are 0");
  assert_refused(sloe_boost_train(x, y, (double[3]){1, -1, 1}, 3, 2, NULL, &b, &err), SLOE_USAGE,
                 err, "weight 1");
  assert_empty(&b);
}

static void sizes_and_params_out_of_range_are_refused(void **state) {
  (void)state;
  static const struct {
    sloe_boost_params params;
    const char *text;
  } cases[] = {
      {{.trees = SLOE_FOREST_TREES + 1}, "trees is 513"},
      {{.depth = 9}, "depth is 9"},
      {{.bins = 1}, "bins is 1"},
      {{.bins = 65}, "bins is 65"},
      {{.folds = 65}, "folds is 65"},
      {{.rate = -0.1}, "rate"},
      {{.rate = NAN}, "rate"},
      {{.lambda = -1}, "lambda"},
      {{.row_share = 1.5}, "row_share"},
      {{.feature_share = 2}, "feature_share"},
  };
  double x[(SLOE_FOREST_FEATURES + 1) * 2] = {0}, y[2] = {1, 2};
  sloe_boost b;
  sloe_error err;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_refused(sloe_boost_train(x, y, NULL, 2, 1, &cases[i].params, &b, &err), SLOE_USAGE, err,
                   cases[i].text);
    assert_empty(&b);
  }
  assert_refused(sloe_boost_train(x, y, NULL, 0, 1, NULL, &b, &err), SLOE_USAGE, err, "0 rows");
  assert_refused(sloe_boost_train(x, y, NULL, 2, 0, NULL, &b, &err), SLOE_USAGE, err, "0 features");
  assert_refused(sloe_boost_train(x, y, NULL, 2, SLOE_FOREST_FEATURES + 1, NULL, &b, &err),
                 SLOE_USAGE, err, "41 features");
  double out[2];
  sloe_boost_cv_result cv;
  assert_refused(sloe_boost_cv(x, y, NULL, 1, 1, NULL, out, &cv, &err), SLOE_USAGE, err,
                 "no two folds");
}

static void running_out_of_memory_leaves_nothing_behind(void **state) {
  (void)state;
  static rows r;
  draw(&r, 8, 0);
  sloe_boost_params p = {.trees = 3};
  sloe_boost b;
  sloe_error err;
  long before = sloe_alloc_live(), n = 0;
  for (;; n++) {
    sloe_alloc_fail_after(n);
    sloe_status status = sloe_boost_train(r.x, r.y, NULL, 50, F, &p, &b, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
    assert_non_null(strstr(err.msg, "out of memory"));
    assert_empty(&b);
    assert_int_equal(sloe_alloc_live(), before);
  }
  assert_true(n > 10);
  sloe_boost_fini(&b);
  assert_int_equal(sloe_alloc_live(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_smooth_function_is_learnt),
      cmocka_unit_test(noise_alone_gives_few_trees_or_none),
      cmocka_unit_test(the_same_seed_gives_the_same_forest),
      cmocka_unit_test(cross_validation_alone_says_the_same),
      cmocka_unit_test(rows_of_no_weight_say_nothing),
      cmocka_unit_test(few_values_have_a_bin_each),
      cmocka_unit_test(little_to_learn_from_gives_a_constant),
      cmocka_unit_test(what_is_no_number_is_refused),
      cmocka_unit_test(sizes_and_params_out_of_range_are_refused),
      cmocka_unit_test(running_out_of_memory_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
