/* fitted_layer.c: staircase x correction (platform/fitted.h), and what to say where there is none.
 *
 * A kernel or stride that was never a family is answered by the nearest one at the same
 * coordinates, its time scaled by the ratio of the taps; the correction was trained on such layers
 * in the same way, so it knows what that leaves. An op without any family moves bytes: it is
 * answered as a copy of as many elements.
 */
#include "estimate/fitted_layer.h"

#include <math.h>

#include "estimate/estimate.h"

static double taps(const sloe_layer_key *key) {
  return (double)key->kernel[0] * (double)key->kernel[1];
}

double sloe_estimate_fused(const sloe_fitted_op *op, const sloe_layer_spec *spec) {
  if (!op || (!spec->act && !spec->add)) return 0;
  const double ns = op->act_ns[spec->act] + (spec->add ? op->add_ns : 0);
  return ns > 0 ? ns * 1e-6 * (double)sloe_layer_spec_out_elements(spec) : 0;
}

double sloe_estimate_staircase(const sloe_fitted *fitted, const sloe_layer_spec *spec, int *exact) {
  const sloe_layer_key key = sloe_layer_key_of(spec);
  int64_t coords[SLOE_LAYER_DIMS];
  const sloe_fitted_family *family = sloe_fitted_find(fitted, &key);
  *exact = family != NULL;
  if (!family) family = sloe_fitted_nearest(fitted, &key);
  if (!family) return NAN;
  sloe_layer_coords(spec, coords);
  double ms = sloe_stair_model_eval(&family->stair, coords);
  if (!*exact) ms *= taps(&key) / taps(&family->key);
  return ms + sloe_estimate_fused(sloe_fitted_find_op(fitted, key.op, key.grouping), spec);
}

/* As a copy of what the layer reads and writes. */
static double as_copy(const sloe_fitted *fitted, const sloe_layer_spec *spec) {
  sloe_layer_spec copy = sloe_layer_spec_none();
  const uint64_t elements =
      sloe_add_sat(sloe_layer_spec_in_elements(spec), sloe_layer_spec_out_elements(spec)) / 2;
  int exact;
  copy.w = copy.out[1] = elements > 1 << 30 ? 1 << 30 : (int64_t)(elements ? elements : 1);
  return sloe_estimate_staircase(fitted, &copy, &exact);
}

/* Sizes may leave the measured range by a hair: features are floats. */
static int is_inside(const sloe_fitted_op *op, const float x[SLOE_LAYER_FEATURES]) {
  for (size_t i = 0; i < SLOE_LAYER_FEATURES; i++)
    if (x[i] < op->lo[i] - 1e-3f || x[i] > op->hi[i] + 1e-3f) return 0;
  return 1;
}

/* A layer's place changes nothing: its kernel is chosen by itself. */
sloe_workspace sloe_estimate_layer_workspace(const sloe_fitted *fitted,
                                             const sloe_layer_spec *spec) {
  const sloe_layer_key key = sloe_layer_key_of(spec);
  const sloe_fitted_op *op = sloe_fitted_find_op(fitted, key.op, key.grouping);
  float x[SLOE_LAYER_FEATURES];
  if (!op || !(op->transform_bytes > 0)) return (sloe_workspace){0};
  sloe_fitted_features(op, spec, NULL, x);
  return (sloe_workspace){.mb = op->transform_bytes * sloe_layer_half_transforms(spec) / 1e6,
                          .chance = sloe_fitted_chance(&op->transformed, x)};
}

sloe_fitted_time sloe_fitted_layer(const sloe_fitted *fitted, const sloe_layer_spec *spec,
                                   const sloe_layer_place *place) {
  int exact;
  const sloe_layer_key key = sloe_layer_key_of(spec);
  double ms = sloe_estimate_staircase(fitted, spec, &exact);
  const sloe_fitted_op *op = sloe_fitted_find_op(fitted, key.op, key.grouping);
  if (isnan(ms)) {
    const double copied = as_copy(fitted, spec);
    return (sloe_fitted_time){.ms = copied, .p75 = 1, .p97_5 = 1, .error_90 = NAN};
  }
  if (!op) return (sloe_fitted_time){.ms = ms, .p75 = 1, .p97_5 = 1, .error_90 = NAN};
  float x[SLOE_LAYER_FEATURES];
  sloe_fitted_features(op, spec, place, x);
  return (sloe_fitted_time){.ms = ms * exp(sloe_fitted_correction(op, spec, ms, x)),
                            .p75 = op->p75,
                            .p97_5 = op->p97_5,
                            .error_90 = op->error_90,
                            .in_domain = is_inside(op, x)};
}

double sloe_estimate_layer_ms(const sloe_fitted *fitted, const sloe_layer_spec *spec,
                              const sloe_layer_place *place) {
  return sloe_fitted_layer(fitted, spec, place).ms;
}

/* ---- networks ---- */

static double reorder_ms(const sloe_fitted *fitted, int64_t n, int64_t c, int64_t h, int64_t w) {
  sloe_layer_spec s = sloe_layer_spec_none();
  s.op = SLOE_SPEC_REORDER;
  s.n = n, s.c = s.k = c, s.h = s.out[0] = h, s.w = s.out[1] = w;
  const double ms = sloe_estimate_layer_ms(fitted, &s, NULL);
  return isnan(ms) ? 0 : ms;
}

void sloe_estimate_add_terms(const sloe_fitted *fitted, const sloe_layer_spec *spec, double ms,
                             sloe_network_terms *terms) {
  const double elements =
      (double)sloe_layer_spec_in_elements(spec) + (double)sloe_layer_spec_out_elements(spec);
  terms->sum_ms += ms;
  terms->layers++;
  terms->mb += fmax(0, elements * 4e-6 - 1);
  if (sloe_layer_key_of(spec).grouping != SLOE_GROUPED || spec->op != SLOE_SPEC_CONV) return;
  terms->reorders_ms += reorder_ms(fitted, spec->n, spec->c, spec->h, spec->w) +
                        reorder_ms(fitted, spec->n, spec->k, spec->out[0], spec->out[1]);
}

double sloe_estimate_network_ms(const sloe_fitted_network *network,
                                const sloe_network_terms *terms) {
  return network->scale * terms->sum_ms + network->per_layer_ms * terms->layers +
         network->per_mb_ms * terms->mb + network->per_reorder * terms->reorders_ms;
}
