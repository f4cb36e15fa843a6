#include "campaign/odds.h"

enum { MANY = 5000 }; /* rows */

static sloe_status learn(const sloe_regressor *xgb, const double *x, const double *y, size_t n,
                         sloe_learned *out, sloe_error *err) {
  static const char *const set[][2] = {{"rounds", "64"},
                                       {"max_depth", "10"},
                                       {"rate", "0.3"},
                                       {"min_child_weight", "5"},
                                       {"gamma", "0"}};
  double hyper[SLOE_HYPER_MOST];
  sloe_hyper_defaults(xgb, hyper);
  for (size_t i = 0; i < sizeof set / sizeof *set; i++)
    SLOE_TRY(sloe_hyper_set(xgb, set[i][0], set[i][1], hyper, err));
  const sloe_learn_rows rows = {x, y, n, SLOE_LAYER_FEATURES};
  const sloe_learn_options options = {.hyper = hyper, .plain_target = 1, .seed = 1, .quick = 1};
  return sloe_learn(xgb, &rows, &options, out, err);
}

sloe_status sloe_odds_learn(const double *x, const double *y, size_t n,
                            const sloe_boost_params *few, sloe_odds *out, sloe_error *err) {
  const sloe_regressor *xgb = sloe_regressor_find("xgb");
  *out = (sloe_odds){0};
  if (n >= MANY) {
    const sloe_status status = learn(xgb, x, y, n, &out->learned, err);
    if (status != SLOE_UNSUPPORTED) return status;
  }
  return sloe_boost_train(x, y, NULL, n, SLOE_LAYER_FEATURES, few, &out->boost, err);
}

void sloe_odds_fini(sloe_odds *odds) {
  sloe_learned_fini(&odds->learned);
  sloe_boost_fini(&odds->boost);
}

sloe_fitted_odds sloe_odds_view(const sloe_odds *odds) {
  return (sloe_fitted_odds){.trees = odds->learned.trees, .forest = odds->boost.forest};
}
