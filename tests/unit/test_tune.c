/* Tuning: the grid, folds, paths, and that the answer is the same however it was come by. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "learn/regressors.h"
#include "learn/tune_grid.h"
#include "unit/learn_rows.h"
#include "unit/tune_check.h"

static planted seen;

static int fill(void **state) {
  (void)state;
  plant(&seen, 7);
  return 0;
}

/* ---- the grid ---- */

static int has_level(const sloe_tune_grid *g, size_t hyper, double value) {
  for (size_t f = 0; f < g->n_families; f++) {
    const sloe_tune_family *family = &g->family[f];
    if (hyper != g->r->along && family->hyper[hyper] == value) return 1;
    for (size_t i = 0; hyper == g->r->along && i < family->n; i++)
      if (family->path[i] == value) return 1;
  }
  return 0;
}

/* "none" of max_features is "auto", a split of 1 row one of 2. */
static double canonical(const sloe_regressor *r, size_t hyper, double value) {
  double values[SLOE_HYPER_MOST];
  sloe_hyper_defaults(r, values);
  if (strcmp(r->name, "svr") == 0) values[3] = 2;
  values[hyper] = value;
  sloe_tune_canonical(r, values);
  return values[hyper];
}

static void both_ends_of_each_range_and_each_default_are_in_the_grid(void **state) {
  (void)state;
  for (size_t i = 0; sloe_regressor_at(i); i++) {
    const sloe_regressor *r = sloe_regressor_at(i);
    sloe_tune_grid g;
    sloe_error err;
    assert_ok(sloe_tune_grid_init(r, 200, 3, &g, &err), err);
    assert_true(g.n_points >= 200);
    for (size_t j = 0; j < r->n_hyper; j++) {
      const sloe_hyper *h = &r->hyper[j];
      const double wanted[] = {h->lo, h->hi, h->value};
      for (size_t k = 0; k < 3; k++)
        if (!has_level(&g, j, canonical(r, j, wanted[k])))
          fail_msg("%s: no point has %s = %g", r->name, h->name, wanted[k]);
    }
    sloe_tune_grid_fini(&g);
  }
}

static int same_family(const sloe_regressor *r, const sloe_tune_family *a,
                       const sloe_tune_family *b) {
  for (size_t j = 0; j < r->n_hyper; j++)
    if (j != r->along && a->hyper[j] != b->hyper[j]) return 0;
  return a->n == b->n && memcmp(a->path, b->path, a->n * sizeof *a->path) == 0;
}

static void no_point_comes_twice_and_all_are_accepted(void **state) {
  (void)state;
  for (size_t i = 0; sloe_regressor_at(i); i++) {
    const sloe_regressor *r = sloe_regressor_at(i);
    sloe_tune_grid g;
    sloe_error err;
    assert_ok(sloe_tune_grid_init(r, 200, 3, &g, &err), err);
    const size_t before = g.n_families;
    for (size_t round = 0; round < 3; round++)
      assert_ok(sloe_tune_grid_neighbours(&g, before - 1, 1, round, &err), err);
    assert_true(g.n_families > before);
    for (size_t a = 0; a < g.n_families; a++) {
      for (size_t b = 0; b < a; b++) assert_false(same_family(r, &g.family[a], &g.family[b]));
      for (size_t j = 0; j < r->n_hyper; j++)
        assert_true(g.family[a].hyper[j] >= r->hyper[j].least &&
                    g.family[a].hyper[j] <= r->hyper[j].most);
      for (size_t k = 1; k < g.family[a].n; k++)
        assert_true(g.family[a].path[k] > g.family[a].path[k - 1]);
    }
    sloe_tune_grid_fini(&g);
  }
}

/* ---- folds ---- */

static void folds_never_part_a_group_and_are_even(void **state) {
  (void)state;
  enum { N = 503, GROUPS = 60 };
  size_t group[N], fold[N], of_group[GROUPS], rows[5] = {0};
  sloe_error err;
  for (size_t i = 0; i < N; i++) group[i] = (i * 7919) % GROUPS;
  assert_ok(sloe_tune_folds(N, group, 5, 1, fold, &err), err);
  for (size_t i = 0; i < N; i++) of_group[group[i]] = fold[i];
  for (size_t i = 0; i < N; i++) {
    assert_true(fold[i] < 5);
    assert_int_equal(fold[i], of_group[group[i]]);
    rows[fold[i]]++;
  }
  for (size_t k = 0; k < 5; k++) assert_true(rows[k] >= 90 && rows[k] <= 110);
}

static void another_seed_gives_other_folds_and_too_few_groups_none(void **state) {
  (void)state;
  enum { N = 50 };
  const size_t one_group[N] = {0};
  size_t a[N], b[N];
  sloe_error err;
  assert_ok(sloe_tune_folds(N, NULL, 5, 1, a, &err), err);
  assert_ok(sloe_tune_folds(N, NULL, 5, 2, b, &err), err);
  assert_memory_not_equal(a, b, sizeof a);
  assert_ok(sloe_tune_folds(N, NULL, 5, 1, b, &err), err);
  assert_memory_equal(a, b, sizeof a);
  assert_refused(sloe_tune_folds(N, one_group, 5, 1, a, &err), SLOE_USAGE, err, "1 groups");
  assert_refused(sloe_tune_folds(N, NULL, 1, 1, a, &err), SLOE_USAGE, err, "at least 2");
  assert_refused(sloe_tune_folds(N, NULL, 51, 1, a, &err), SLOE_USAGE, err, "51 folds");
}

/* ---- paths ---- */

typedef struct along {
  const sloe_regressor *r;
  const sloe_learn_options *options;
  const double *value;
  size_t n;
} along;

static sloe_status compare(void *context, size_t i, const sloe_learned *m, sloe_error *err) {
  along *a = context;
  const sloe_learn_rows rows = planted_rows(&seen, 150);
  double values[SLOE_HYPER_MOST];
  sloe_learn_options options = *a->options;
  sloe_learned alone;
  memcpy(values, options.hyper, a->r->n_hyper * sizeof *values);
  values[a->r->along] = a->value[i];
  options.hyper = values;
  assert_ok(sloe_learn(a->r, &rows, &options, &alone, err), *err);
  for (size_t k = 150; k < 200; k++)
    assert_true(sloe_learned_predict(m, seen.x + k * PLANTED_D) ==
                sloe_learned_predict(&alone, seen.x + k * PLANTED_D));
  sloe_learned_fini(&alone);
  a->n++;
  return SLOE_OK;
}

static void what_arrives_on_a_path_is_what_a_fit_of_that_value_gives(void **state) {
  (void)state;
  static const struct {
    const char *name, *hyper;
    double value[3];
  } cases[] = {
      {"poly", "degree=3", {1e-4, 0.01, 1}},
      {"svr", "epsilon=0.1", {0.5, 1, 5}},
      {"mlp", "hidden=8 rate=0.01", {5, 20, 60}},
      {"mlp", "hidden=8 rate=0.01 early_stopping=yes", {5, 20, 60}},
      {"mlp", "hidden=8 optimizer=sgd schedule=adaptive rate=0.1", {10, 100, 300}},
      {"mlp", "hidden=8 schedule=cosine rate=0.01", {5, 20, 60}},
      {"rf", "max_features=sqrt", {1, 10, 25}},
      {"xgb", "max_depth=5 subsample=0.7 colsample_bytree=0.7", {5, 20, 50}},
      {"xgb", "max_depth=5 early_stopping=yes rate=0.5", {2, 20, 80}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const sloe_regressor *r = sloe_regressor_find(cases[i].name);
    if (!learnt_here(r)) continue;
    const sloe_learn_rows rows = planted_rows(&seen, 150);
    const sloe_learn_options options = {
        .hyper = hypers(r, cases[i].hyper), .log_target = 1, .seed = 5};
    along a = {r, &options, cases[i].value, 0};
    const sloe_learn_path path = {cases[i].value, 3, 0, compare, &a};
    sloe_error err;
    assert_ok(sloe_learn_along(r, &rows, &options, &path, &err), err);
    assert_int_equal(a.n, 3);
  }
}

/* ---- tuning ---- */

static void tuned_beats_the_defaults(void **state) {
  (void)state;
  static const char *const names[] = {"poly", "rf"};
  static const double at_most[] = {0.1, 1}; /* of the defaults' MAPE */
  const sloe_learn_rows rows = planted_rows(&seen, 200);
  for (size_t i = 0; i < 2; i++) {
    const sloe_regressor *r = sloe_regressor_find(names[i]);
    const sloe_tune_options options = {.log_target = 1, .points = 24, .folds = 3, .threads = 2};
    double usual[200];
    sloe_tuned tuned;
    sloe_error err;
    if (!learnt_here(r)) continue;
    assert_ok(sloe_cross_validate(r, &rows, &options, NULL, usual, &err), err);
    assert_ok(sloe_tune(r, &rows, &options, &tuned, &err), err);
    check_tuned(&tuned, &rows);
    if (!(tuned.mape < at_most[i] * mape_of(usual, rows.y, 200)))
      fail_msg("%s: %g, the defaults %g", r->name, tuned.mape, mape_of(usual, rows.y, 200));
    sloe_tuned_fini(&tuned);
  }
}

static void each_row_is_estimated_by_a_model_that_has_not_seen_it(void **state) {
  (void)state;
  enum { N = 120 };
  const sloe_learn_rows rows = planted_rows(&seen, N);
  double x[N * PLANTED_D], y[N];
  for (size_t i = 0; sloe_regressor_at(i); i++) {
    const sloe_regressor *r = sloe_regressor_at(i);
    const sloe_tune_options options = {.log_target = 1, .folds = 3, .seed = 4};
    double estimated[N];
    size_t fold[N];
    sloe_error err;
    if (!learnt_here(r)) continue;
    assert_ok(sloe_cross_validate(r, &rows, &options, NULL, estimated, &err), err);
    assert_ok(sloe_tune_folds(N, NULL, 3, 4, fold, &err), err);
    for (size_t k = 0; k < 3; k++) {
      sloe_learn_rows part = {x, y, 0, PLANTED_D};
      for (size_t row = 0; row < N; row++) {
        if (fold[row] == k) continue;
        memcpy(x + part.n * PLANTED_D, seen.x + row * PLANTED_D, PLANTED_D * sizeof *x);
        y[part.n++] = seen.y[row];
      }
      sloe_learned m;
      assert_ok(sloe_learn(r, &part, &(sloe_learn_options){.log_target = 1, .seed = 4}, &m, &err),
                err);
      for (size_t row = 0; row < N; row++)
        if (fold[row] == k)
          assert_true(estimated[row] == sloe_learned_predict(&m, seen.x + row * PLANTED_D));
      sloe_learned_fini(&m);
    }
  }
}

static void any_number_of_processes_finds_the_same(void **state) {
  (void)state;
  const sloe_learn_rows rows = planted_rows(&seen, 100);
  sloe_tune_options options = {.log_target = 1, .points = 30, .folds = 3, .seed = 2};
  for (size_t i = 0; sloe_regressor_at(i); i++) {
    const sloe_regressor *r = sloe_regressor_at(i);
    sloe_tuned a, b;
    sloe_error err;
    if (strcmp(r->name, "poly") != 0 && strcmp(r->name, "rf") != 0) continue;
    options.threads = 1;
    assert_ok(sloe_tune(r, &rows, &options, &a, &err), err);
    options.threads = 3;
    assert_ok(sloe_tune(r, &rows, &options, &b, &err), err);
    assert_same_tuned(&a, &b);
    sloe_tuned_fini(&a);
    sloe_tuned_fini(&b);
  }
}

static void without_a_race_every_point_sees_every_fold(void **state) {
  (void)state;
  const sloe_learn_rows rows = planted_rows(&seen, 60);
  const sloe_tune_options options = {
      .log_target = 1, .points = 13, .folds = 3, .no_racing = 1, .no_neighbours = 1};
  sloe_tuned tuned;
  sloe_error err;
  assert_ok(sloe_tune(sloe_regressor_find("poly"), &rows, &options, &tuned, &err), err);
  assert_int_equal(tuned.n_points, 13);
  assert_int_equal(tuned.n_end[SLOE_TUNE_FINISHED], 13);
  assert_int_equal(tuned.n_fits, 3 + 3);
  for (size_t i = 0; i < 13; i++) assert_true(tuned.point[i].mape >= tuned.mape);
  sloe_tuned_fini(&tuned);
}

/* ---- what is refused ---- */

static int at_once(void *context) {
  (void)context;
  return 1;
}

static void what_makes_no_sense_is_refused(void **state) {
  (void)state;
  const sloe_regressor *r = sloe_regressor_find("poly");
  sloe_learn_rows rows = planted_rows(&seen, 60);
  double y[60] = {0}, out[60];
  sloe_tuned tuned;
  sloe_error err;
  assert_refused(sloe_tune(r, &rows, &(sloe_tune_options){.folds = 61}, &tuned, &err), SLOE_USAGE,
                 err, "61 folds");
  assert_refused(sloe_tune(r, &rows, &(sloe_tune_options){.stop = at_once}, &tuned, &err),
                 SLOE_STOPPED, err, "stopped");
  assert_null(tuned.estimated);
  rows.y = y;
  assert_refused(sloe_tune(r, &rows, NULL, &tuned, &err), SLOE_USAGE, err, "row 1 is not positive");
  assert_refused(sloe_cross_validate(r, &rows, NULL, NULL, out, &err), SLOE_USAGE, err, "row 1");
  assert_int_equal(tuned.n_points, 0);
}

static void an_svr_that_does_not_end_is_ended(void **state) {
  (void)state;
  const sloe_regressor *r = the("svr");
  const sloe_learn_rows rows = planted_rows(&seen, PLANTED_N);
  const sloe_tune_options options = {.limit_s = 0.05};
  double out[PLANTED_N];
  sloe_error err;
  assert_refused(sloe_cross_validate(r, &rows, &options,
                                     hypers(r, "C=1e8 epsilon=1e-6 kernel=linear"), out, &err),
                 SLOE_UNSUPPORTED, err, "svr: out of time after 0.05 s");
}

/* A line through what is none, at a high cost, takes libsvm seconds. */
static void points_out_of_time_are_listed_and_the_rest_is_tuned(void **state) {
  (void)state;
  const sloe_regressor *r = the("svr");
  const sloe_learn_rows rows = planted_rows(&seen, 200);
  const sloe_tune_options options = {
      .log_target = 1, .limit_s = 0.02, .points = 70, .folds = 2, .no_neighbours = 1};
  sloe_tuned tuned;
  sloe_error err;
  assert_ok(sloe_tune(r, &rows, &options, &tuned, &err), err);
  check_tuned(&tuned, &rows);
  assert_true(tuned.n_end[SLOE_TUNE_LATE] > 0);
  sloe_tuned_fini(&tuned);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  const sloe_learn_rows rows = planted_rows(&seen, 30);
  const sloe_tune_options options = {.points = 1, .folds = 2, .no_neighbours = 1};
  sloe_status status = SLOE_NOMEM;
  sloe_error err;
  long n = 0;
  for (; status == SLOE_NOMEM; n++) {
    sloe_tuned tuned;
    const long live = sloe_alloc_live();
    sloe_alloc_fail_after(n);
    status = sloe_tune(sloe_regressor_find("poly"), &rows, &options, &tuned, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_NOMEM) assert_null(tuned.estimated);
    sloe_tuned_fini(&tuned);
    assert_int_equal(sloe_alloc_live(), live);
  }
  assert_ok(status, err);
  assert_true(n > 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_ends_of_each_range_and_each_default_are_in_the_grid),
      cmocka_unit_test(no_point_comes_twice_and_all_are_accepted),
      cmocka_unit_test(folds_never_part_a_group_and_are_even),
      cmocka_unit_test(another_seed_gives_other_folds_and_too_few_groups_none),
      cmocka_unit_test(what_arrives_on_a_path_is_what_a_fit_of_that_value_gives),
      cmocka_unit_test(tuned_beats_the_defaults),
      cmocka_unit_test(each_row_is_estimated_by_a_model_that_has_not_seen_it),
      cmocka_unit_test(any_number_of_processes_finds_the_same),
      cmocka_unit_test(without_a_race_every_point_sees_every_fold),
      cmocka_unit_test(what_makes_no_sense_is_refused),
      cmocka_unit_test(an_svr_that_does_not_end_is_ended),
      cmocka_unit_test(points_out_of_time_are_listed_and_the_rest_is_tuned),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, fill, NULL);
}
