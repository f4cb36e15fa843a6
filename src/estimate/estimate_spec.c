/* estimate_spec.c: one layer by itself. */
#include <math.h>

#include "base/error.h"
#include "estimate/estimate.h"
#include "platform/platform.h"

sloe_status sloe_estimate_spec(const sloe_platform *platform, const sloe_layer_spec *spec,
                               sloe_spec_estimate *out, sloe_error *err) {
  *out = (sloe_spec_estimate){.latency_ms = NAN, .source = SLOE_SOURCE_NONE};
  return sloe_fail(err, SLOE_UNSUPPORTED,
                   "platform '%s' has no model of %s layers: a data sheet %s", platform->card.name,
                   sloe_spec_op_text(spec->op), "has no treads");
}
