/* estimate.h: what a platform says of one layer by itself, for the rooms above; of networks
 * sloe.h.
 */
#ifndef SLOE_ESTIMATE_ESTIMATE_H
#define SLOE_ESTIMATE_ESTIMATE_H

#include "net/net.h"
#include "sloe/sloe.h"

typedef struct sloe_spec_estimate {
  double latency_ms;
  int in_domain;
  sloe_source source;
} sloe_spec_estimate;

/* Errors: UNSUPPORTED where the platform has no model of such layers: a data sheet has no treads.
 */
sloe_status sloe_estimate_spec(const sloe_platform *platform, const sloe_layer_spec *spec,
                               sloe_spec_estimate *out, sloe_error *err);

#endif
