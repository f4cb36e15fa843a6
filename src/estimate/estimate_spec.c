/* estimate_spec.c: one layer by itself. */
#include <math.h>

#include "base/error.h"
#include "estimate/estimate.h"
#include "estimate/fitted_layer.h"

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
