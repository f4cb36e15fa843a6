/* estimate_spec.c: one layer by itself. */
#include <math.h>

#include "base/error.h"
#include "estimate/estimate.h"
#include "estimate/fitted_layer.h"

/* Filters in steps of the family's treads. In between the staircase stands still; what the
   correction makes of a remainder there would be its own ripple, not the device's. */
static int64_t tread_end(const sloe_fitted *fitted, const sloe_layer_spec *spec) {
  const sloe_layer_key key = sloe_layer_key_of(spec);
  const sloe_fitted_family *family = sloe_fitted_find(fitted, &key);
  const int64_t width = family ? family->stair.shape[0].width : 0;
  if (width < 2 || spec->k < family->stair.shape[0].start) return spec->k;
  if (family->stair.shape[0].slope) return spec->k;
  const int64_t end = (spec->k + width - 1) / width * width;
  return end > family->stair.hi[0] ? spec->k : end;
}

sloe_status sloe_estimate_spec(const sloe_platform *platform, const sloe_layer_spec *spec,
                               sloe_spec_estimate *out, sloe_error *err) {
  *out = (sloe_spec_estimate){.latency_ms = NAN, .source = SLOE_SOURCE_NONE};
  if (!platform->fitted)
    return sloe_fail(err, SLOE_UNSUPPORTED,
                     "platform '%s' has no model of %s layers: a data sheet has no treads",
                     platform->card.name, sloe_spec_op_text(spec->op));
  const sloe_fitted_time time = sloe_fitted_layer(platform->fitted, spec, NULL);
  if (isnan(time.ms))
    return sloe_fail(err, SLOE_UNSUPPORTED, "platform '%s' has no model of %s layers",
                     platform->card.name, sloe_spec_op_text(spec->op));
  *out = (sloe_spec_estimate){time.ms, time.in_domain, SLOE_SOURCE_FITTED};
  return SLOE_OK;
}

sloe_status sloe_estimate_tread(const sloe_platform *platform, const sloe_layer_spec *spec,
                                sloe_spec_estimate *out, sloe_error *err) {
  sloe_layer_spec end = *spec;
  if (platform->fitted && spec->op == SLOE_SPEC_CONV && spec->groups == 1)
    end.k = tread_end(platform->fitted, spec);
  return sloe_estimate_spec(platform, &end, out, err);
}
