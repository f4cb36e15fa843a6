/* What holds for every regressor: a planted function is learnt, the same model comes twice and on
 * any number of threads, comes back from its bytes, and what makes no sense is refused. */
#include "unit/learn_rows.h"

typedef struct trial {
  const char *name, *hyper;
  double mape; /* per cent, at most, from the logarithm of the target */
} trial;

static const trial trials[] = {
    {"poly", "degree=2 lambda=0.001", 0.01},
    {"svr", "C=100 epsilon=0.01", 6},
    {"mlp", "hidden=32 layers=2 rate=0.01 iterations=300", 14},
    {"rf", "estimators=60", 62},
    {"xgb", "max_depth=5 gamma=0.01 rounds=150", 42},
};
enum { TRIALS = sizeof trials / sizeof *trials };

static planted seen;

static sloe_learned learn(const trial *t, uint64_t seed, int threads, size_t n) {
  const sloe_regressor *r = sloe_regressor_find(t->name);
  const sloe_learn_rows rows = planted_rows(&seen, n);
  const sloe_learn_options options = {
      .hyper = hypers(r, t->hyper), .log_target = 1, .seed = seed, .threads = threads};
  sloe_learned m;
  sloe_error err;
  assert_ok(sloe_learn(r, &rows, &options, &m, &err), err);
  return m;
}

static int can(size_t i) {
  return learnt_here(sloe_regressor_find(trials[i].name));
}

static void a_planted_function_is_learnt(void **state) {
  (void)state;
  for (size_t i = 0; i < TRIALS; i++) {
    if (!can(i)) continue;
    sloe_learned m = learn(&trials[i], 1, 1, PLANTED_N);
    const double mape = planted_mape(&m);
    if (!(mape < trials[i].mape)) fail_msg("%s: MAPE %g %%", trials[i].name, mape);
    sloe_learned_fini(&m);
  }
}

static void raw_targets_are_learnt_too(void **state) {
  (void)state;
  const sloe_learn_rows rows = planted_rows(&seen, PLANTED_N);
  for (size_t i = 0; i < TRIALS; i++) {
    if (!can(i)) continue;
    const sloe_regressor *r = sloe_regressor_find(trials[i].name);
    for (int plain = 0; plain < 2; plain++) {
      const sloe_learn_options options = {.hyper = hypers(r, trials[i].hyper),
                                          .plain_target = plain};
      sloe_learned m;
      sloe_error err;
      assert_ok(sloe_learn(r, &rows, &options, &m, &err), err);
      const double left = planted_share_left(&m);
      if (!(left < 0.5)) fail_msg("%s: %g of the variance is left", r->name, left);
      sloe_learned_fini(&m);
    }
  }
}

/* Mean square of what is left, over the rows learned from. */
static double left_by(const char *hyper) {
  const sloe_regressor *r = sloe_regressor_find("mlp");
  const sloe_learn_rows rows = planted_rows(&seen, 200);
  const sloe_learn_options options = {.hyper = hypers(r, hyper), .log_target = 1, .seed = 3};
  sloe_learned m;
  sloe_error err;
  double sum = 0;
  assert_ok(sloe_learn(r, &rows, &options, &m, &err), err);
  for (size_t i = 0; i < rows.n; i++) {
    const double e = log(sloe_learned_predict(&m, rows.x + i * PLANTED_D) / rows.y[i]);
    sum += e * e / (double)rows.n;
  }
  sloe_learned_fini(&m);
  return sum;
}

static void a_rate_that_falls_to_nothing_comes_closer(void **state) {
  (void)state;
  const double constant = left_by("hidden=32 rate=0.02 iterations=200"),
               cosine = left_by("hidden=32 rate=0.02 iterations=200 schedule=cosine");
  if (!(cosine < 0.7 * constant)) fail_msg("cosine %g, constant %g", cosine, constant);
}

static void any_number_of_threads_gives_the_same_model(void **state) {
  (void)state;
  for (size_t i = 0; i < TRIALS; i++) {
    if (!can(i)) continue;
    sloe_learned a = learn(&trials[i], 3, 1, 200), b = learn(&trials[i], 3, 3, 200),
                 c = learn(&trials[i], 3, 64, 200);
    assert_same_model(&a, &b);
    assert_same_model(&a, &c);
    sloe_learned_fini(&a);
    sloe_learned_fini(&b);
    sloe_learned_fini(&c);
  }
}

static void another_seed_gives_another_model(void **state) {
  (void)state;
  const trial random[] = {{"mlp", "hidden=8 iterations=20", 0},
                          {"rf", "estimators=10", 0},
                          {"xgb", "subsample=0.5 rounds=10", 0}};
  for (size_t i = 0; i < 3; i++) {
    if (!learnt_here(sloe_regressor_find(random[i].name))) continue;
    sloe_learned a = learn(&random[i], 1, 1, 200), b = learn(&random[i], 2, 1, 200);
    assert_true(sloe_learned_predict(&a, seen.x) != sloe_learned_predict(&b, seen.x));
    sloe_learned_fini(&a);
    sloe_learned_fini(&b);
  }
}

static void a_model_comes_back_from_its_bytes(void **state) {
  (void)state;
  for (size_t i = 0; i < TRIALS; i++) {
    if (!can(i)) continue;
    sloe_learned m = learn(&trials[i], 1, 1, 150), back;
    sloe_error err;
    size_t len;
    char *bytes = model_bytes(&m, &len);
    assert_ok(sloe_learned_decode(bytes, len, &back, &err), err);
    assert_same_model(&m, &back);
    for (size_t cut = 0; cut < len; cut += 1 + len / 50) {
      sloe_learned none;
      assert_refused(sloe_learned_decode(bytes, cut, &none, &err), SLOE_FORMAT, err, "model");
    }
    sloe_dealloc(bytes);
    sloe_learned_fini(&m);
    sloe_learned_fini(&back);
  }
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  const trial small[] = {{"poly", "", 0},
                         {"svr", "", 0},
                         {"svr", "kernel=linear", 0},
                         {"mlp", "hidden=4 iterations=2", 0},
                         {"rf", "estimators=3", 0},
                         {"xgb", "rounds=2 early_stopping=yes", 0}};
  const long live = sloe_alloc_live();
  const sloe_learn_rows rows = planted_rows(&seen, 40);
  for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
    const sloe_regressor *r = sloe_regressor_find(small[i].name);
    if (!learnt_here(r)) continue;
    const sloe_learn_options options = {.hyper = hypers(r, small[i].hyper), .threads = 2};
    sloe_learned m;
    sloe_error err;
    for (long n = 0;; n++) {
      sloe_alloc_fail_after(n);
      const sloe_status status = sloe_learn(r, &rows, &options, &m, &err);
      sloe_alloc_fail_after(-1);
      if (status == SLOE_OK) break;
      static const sloe_learned empty;
      assert_int_equal(status, SLOE_NOMEM);
      assert_memory_equal(&m, &empty, sizeof empty);
      assert_int_equal(sloe_alloc_live(), live);
    }
    sloe_learned_fini(&m);
  }
}

static void what_makes_no_sense_is_refused(void **state) {
  (void)state;
  static planted bad;
  const sloe_regressor *r = sloe_regressor_find("poly");
  sloe_learned m;
  sloe_error err;
  plant(&bad, 1);
  sloe_learn_rows rows = planted_rows(&bad, 1);
  assert_refused(sloe_learn(r, &rows, NULL, &m, &err), SLOE_USAGE, err, "1 rows");
  rows = (sloe_learn_rows){bad.x, bad.y, 10, 0};
  assert_refused(sloe_learn(r, &rows, NULL, &m, &err), SLOE_USAGE, err, "0 inputs");
  rows = planted_rows(&bad, 10);
  bad.x[4 * PLANTED_D + 2] = NAN;
  assert_refused(sloe_learn(r, &rows, NULL, &m, &err), SLOE_USAGE, err, "input 3 of row 5");
  bad.x[4 * PLANTED_D + 2] = 0;
  bad.y[6] = -1;
  const sloe_learn_options logarithm = {.log_target = 1};
  assert_refused(sloe_learn(r, &rows, &logarithm, &m, &err), SLOE_USAGE, err, "target of row 7");
  assert_ok(sloe_learn(r, &rows, NULL, &m, &err), err);
  sloe_learned_fini(&m);
  double values[SLOE_HYPER_MOST];
  sloe_hyper_defaults(r, values);
  values[0] = 2.5;
  const sloe_learn_options odd = {.hyper = values};
  assert_refused(sloe_learn(r, &rows, &odd, &m, &err), SLOE_USAGE, err, "degree = 2.5");
}

static void one_value_everywhere_is_learnt_as_that(void **state) {
  (void)state;
  static double x[40], y[20];
  for (size_t i = 0; i < 20; i++) {
    x[2 * i] = (double)i;
    x[2 * i + 1] = 7;
    y[i] = 3;
  }
  const sloe_learn_rows rows = {x, y, 20, 2};
  for (size_t i = 0; sloe_regressor_at(i); i++) {
    sloe_learned m;
    sloe_error err;
    if (!learnt_here(sloe_regressor_at(i))) continue;
    assert_ok(sloe_learn(sloe_regressor_at(i), &rows, NULL, &m, &err), err);
    assert_true(fabs(sloe_learned_predict(&m, x + 6) - 3) < 0.5);
    sloe_learned_fini(&m);
  }
}

/* ---- hyperparameters ---- */

static void defaults_and_ranges_are_accepted(void **state) {
  (void)state;
  size_t n = 0;
  for (size_t i = 0; sloe_regressor_at(i); i++) {
    const sloe_regressor *r = sloe_regressor_at(i);
    assert_true(r->n_hyper <= SLOE_HYPER_MOST);
    assert_ptr_equal(sloe_regressor_find(r->name), r);
    for (size_t k = 0; k < r->n_hyper; k++, n++) {
      const sloe_hyper *h = &r->hyper[k];
      assert_true(h->least <= h->lo && h->lo < h->hi && h->hi <= h->most);
      assert_true(h->least <= h->value && h->value <= h->most);
      assert_true((h->kind == SLOE_HYPER_CHOICE) == (h->choices != NULL));
      assert_true(h->kind != SLOE_HYPER_LOG || h->lo > 0);
    }
  }
  assert_int_equal(n, 30); /* rows of table 15 */
  assert_null(sloe_regressor_find("gauss"));
}

static void hyperparameters_are_set_by_text(void **state) {
  (void)state;
  const sloe_regressor *svr = sloe_regressor_find("svr"), *mlp = sloe_regressor_find("mlp");
  double v[SLOE_HYPER_MOST];
  sloe_error err;
  sloe_hyper_defaults(svr, v);
  assert_ok(sloe_hyper_set(svr, "kernel", "poly", v, &err), err);
  assert_ok(sloe_hyper_set(svr, "C", "12.5", v, &err), err);
  assert_true(v[0] == 12.5 && v[3] == 2);
  assert_refused(sloe_hyper_set(svr, "kernel", "pol", v, &err), SLOE_USAGE, err, "linear rbf poly");
  assert_refused(sloe_hyper_set(svr, "C", "much", v, &err), SLOE_USAGE, err, "no number");
  assert_refused(sloe_hyper_set(svr, "degree", "0", v, &err), SLOE_USAGE, err, "from 1 to 20");
  assert_refused(sloe_hyper_set(svr, "degree", "2.5", v, &err), SLOE_USAGE, err, "whole");
  assert_refused(sloe_hyper_set(svr, "depth", "2", v, &err), SLOE_USAGE, err, "'depth'");
  assert_true(v[0] == 12.5 && v[3] == 2 && v[4] == 3);
  assert_ok(sloe_hyper_set(mlp, "early_stopping", "yes", v, &err), err);
  assert_true(v[8] == 1);
}

static int setup(void **state) {
  (void)state;
  plant(&seen, 7);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_planted_function_is_learnt),
      cmocka_unit_test(raw_targets_are_learnt_too),
      cmocka_unit_test(a_rate_that_falls_to_nothing_comes_closer),
      cmocka_unit_test(any_number_of_threads_gives_the_same_model),
      cmocka_unit_test(another_seed_gives_another_model),
      cmocka_unit_test(a_model_comes_back_from_its_bytes),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(what_makes_no_sense_is_refused),
      cmocka_unit_test(one_value_everywhere_is_learnt_as_that),
      cmocka_unit_test(defaults_and_ranges_are_accepted),
      cmocka_unit_test(hyperparameters_are_set_by_text),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
