/* How likely something is: trees of XGBoost from many layers, oblivious ones from few. */
#include <math.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "campaign/odds.h"
#include "unit/learn_rows.h"

enum { MANY = 6000, FEW = 300, ASKED = 500, FEATURES = SLOE_LAYER_FEATURES };
static const sloe_boost_params few_params = {.trees = 64, .depth = 4, .folds = 1, .seed = 1};

static double x[MANY * FEATURES], y[MANY];

/* Planted: a checkerboard of two features' fifths, which no single question tells. */
static double is_so(const double *row) {
  return ((int)floor(row[0]) + (int)floor(row[3])) % 2;
}

static void draw(uint64_t seed, size_t n) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < FEATURES; j++) x[i * FEATURES + j] = 5 * sloe_rng_uniform(&rng);
    y[i] = is_so(x + i * FEATURES);
  }
}

/* Share of layers that none of it learned from, told rightly. */
static double right(const sloe_odds *odds) {
  const sloe_fitted_odds view = sloe_odds_view(odds);
  double n = 0;
  draw(99, ASKED);
  for (size_t i = 0; i < ASKED; i++) {
    float row[FEATURES];
    for (size_t j = 0; j < FEATURES; j++) row[j] = (float)x[i * FEATURES + j];
    n += (sloe_fitted_chance(&view, row) > 0.5) == (y[i] > 0.5);
  }
  return n / ASKED;
}

static void many_layers_are_learned_by_trees_of_any_shape(void **state) {
  (void)state;
  sloe_odds odds;
  sloe_error err;
  if (!learnt_here(sloe_regressor_find("xgb"))) skip();
  draw(1, MANY);
  assert_ok(sloe_odds_learn(x, y, MANY, &few_params, &odds, &err), err);
  assert_int_equal(sloe_odds_view(&odds).trees.n_trees, 64);
  assert_int_equal(odds.boost.forest.n_trees, 0);
  if (!(right(&odds) > 0.97)) fail_msg("right: %g", right(&odds));
  sloe_odds_fini(&odds);
}

static void few_layers_are_learned_by_oblivious_ones(void **state) {
  (void)state;
  sloe_odds odds;
  sloe_error err;
  draw(1, FEW);
  for (size_t i = 0; i < FEW; i++) y[i] = x[i * FEATURES + 3] > 2;
  assert_ok(sloe_odds_learn(x, y, FEW, &few_params, &odds, &err), err);
  assert_int_equal(sloe_odds_view(&odds).trees.n_trees, 0);
  assert_int_equal(odds.boost.forest.n_trees, 64);
  sloe_odds_fini(&odds);
}

static void what_is_always_or_never_so_is_told_so(void **state) {
  (void)state;
  for (int so = 0; so < 2; so++) {
    sloe_odds odds;
    sloe_error err;
    draw(2, MANY);
    for (size_t i = 0; i < MANY; i++) y[i] = so;
    assert_ok(sloe_odds_learn(x, y, MANY, &few_params, &odds, &err), err);
    const sloe_fitted_odds view = sloe_odds_view(&odds);
    assert_float_equal(sloe_fitted_chance(&view, (float[FEATURES]){0}), so, 1e-6);
    sloe_odds_fini(&odds);
  }
}

/* The first few of them, and ever fewer of the many that reading its trees takes. */
static void allocations_may_fail(void **state) {
  (void)state;
  static const size_t counts[] = {FEW, 5000};
  const long live = sloe_alloc_live();
  draw(3, MANY);
  for (size_t i = 0; i < 2; i++) {
    for (long n = 0, done = 0; !done; n += 1 + n / 2) {
      sloe_odds odds;
      sloe_error err;
      sloe_alloc_fail_after(n);
      const sloe_status status = sloe_odds_learn(x, y, counts[i], &few_params, &odds, &err);
      sloe_alloc_fail_after(-1);
      done = status == SLOE_OK;
      if (!done) assert_int_equal(status, SLOE_NOMEM);
      sloe_odds_fini(&odds);
      assert_int_equal(sloe_alloc_live(), live);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(many_layers_are_learned_by_trees_of_any_shape),
      cmocka_unit_test(few_layers_are_learned_by_oblivious_ones),
      cmocka_unit_test(what_is_always_or_never_so_is_told_so),
      cmocka_unit_test(allocations_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
