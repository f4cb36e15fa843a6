#include "campaign/teach_trees.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"

enum { COPIES = 4 }; /* of a measured layer where rows have no weight */
static const double weight_of_measured = COPIES;

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory growing trees");
}

static void take_features(const sloe_fitted_op *op, const sloe_layer_lesson *l, double *out) {
  float x[SLOE_LAYER_FEATURES];
  sloe_fitted_features(op, &l->spec, &l->place, x);
  for (int i = 0; i < SLOE_LAYER_FEATURES; i++)
    out[i] = sloe_teach_is_choice(i) && !l->chosen ? 0 : (double)x[i];
}

sloe_status sloe_teach_grow(const sloe_layer_lesson *lessons, size_t measured, size_t n,
                            sloe_fitted_op *op, sloe_boost *out, sloe_error *err) {
  const sloe_boost_params params = {.trees = n < 3000 ? 64 : 96,
                                    .depth = n < 3000 ? 5 : 8,
                                    .rate = 0.4, /* what is told has no noise */
                                    .row_share = 1,
                                    .feature_share = 1,
                                    .lambda = 2,
                                    .folds = 1,
                                    .seed = 1};
  double *x = sloe_alloc(n * SLOE_LAYER_FEATURES, sizeof *x), *y = sloe_alloc(n, sizeof *y),
         *weight = sloe_alloc(n, sizeof *weight);
  sloe_status status = x && y && weight ? SLOE_OK : out_of_memory(err);
  for (size_t i = 0; status == SLOE_OK && i < n; i++) {
    take_features(op, &lessons[i], x + i * SLOE_LAYER_FEATURES);
    y[i] = lessons[i].y;
    weight[i] = i < measured ? weight_of_measured : 1;
  }
  if (status == SLOE_OK)
    status = sloe_boost_train(x, y, weight, n, SLOE_LAYER_FEATURES, &params, out, err);
  if (status == SLOE_OK) op->forest = out->forest;
  sloe_dealloc(x);
  sloe_dealloc(y);
  sloe_dealloc(weight);
  return status;
}

/* ---- transforms ---- */

/* Of measured layers by themselves it is known whether their kernel went by transforms. */
static int is_transformed(const sloe_layer_lesson *l, double bytes) {
  return 1e6 * l->workspace_mb > bytes * sloe_layer_half_transforms(&l->spec) / 2;
}

sloe_status sloe_teach_grow_transformed(const sloe_layer_lesson *all, size_t measured, size_t told,
                                        const double *transformed, sloe_fitted_op *op,
                                        sloe_odds *out, sloe_error *err) {
  const sloe_boost_params few = {
      .trees = 128, .depth = 6, .rate = 0.3, .lambda = 2, .folds = 1, .seed = 1};
  const size_t most = COPIES * measured + told;
  double *x = sloe_alloc(most * SLOE_LAYER_FEATURES, sizeof *x), *y = sloe_alloc(most, sizeof *y);
  size_t m = 0;
  sloe_status status = x && y ? SLOE_OK : out_of_memory(err);
  for (size_t i = 0; status == SLOE_OK && i < measured + told; i++) {
    sloe_layer_lesson alone = all[i];
    if (i < measured && (alone.place.in_network || isnan(alone.workspace_mb))) continue;
    alone.place = (sloe_layer_place){0};
    for (int copy = 0; copy < (i < measured ? COPIES : 1); copy++) {
      take_features(op, &alone, x + m * SLOE_LAYER_FEATURES);
      y[m++] =
          i < measured ? is_transformed(&alone, op->transform_bytes) : transformed[i - measured];
    }
  }
  if (status == SLOE_OK) status = sloe_odds_learn(x, y, m, &few, out, err);
  if (status == SLOE_OK) op->transformed = sloe_odds_view(out);
  sloe_dealloc(x);
  sloe_dealloc(y);
  return status;
}
