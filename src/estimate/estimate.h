/* estimate.h: what a platform says of one layer by itself, for the rooms above; of networks
 * sloe.h.
 */
#ifndef SLOE_ESTIMATE_ESTIMATE_H
#define SLOE_ESTIMATE_ESTIMATE_H

#include "estimate/pace.h"
#include "net/net.h"
#include "platform/platform.h"

typedef struct sloe_spec_estimate {
  double latency_ms;
  int in_domain;
  sloe_source source;
} sloe_spec_estimate;

/* Errors: UNSUPPORTED where the platform has no model of such layers: a data sheet has no treads.
 */
sloe_status sloe_estimate_spec(const sloe_platform *platform, const sloe_layer_spec *spec,
                               sloe_spec_estimate *out, sloe_error *err);

/* The same of a dense convolution with as many filters as its tread of the staircase has at most:
   one latency all along a tread, for those who look for its ends. */
sloe_status sloe_estimate_tread(const sloe_platform *platform, const sloe_layer_spec *spec,
                                sloe_spec_estimate *out, sloe_error *err);

/* Staircase and correction at its place (NULL: by itself); NAN where the platform knows nothing of
   such layers. */
double sloe_estimate_layer_ms(const sloe_fitted *fitted, const sloe_layer_spec *spec,
                              const sloe_layer_place *place);

/* What a network's time is made of on a fitted platform (platform/fitted.h, network). */
typedef struct sloe_network_terms {
  double sum_ms; /* of the layers */
  double layers; /* that are launched */
  double mb;     /* activations that layers read and write, beyond the first MB of each */
  double
      reorders_ms; /* of what grouped convolutions read and write: into another layout and back */
} sloe_network_terms;

/* One layer's share; views have none. `ms`: its time. */
void sloe_estimate_add_terms(const sloe_fitted *fitted, const sloe_layer_spec *spec, double ms,
                             sloe_network_terms *terms);
double sloe_estimate_network_ms(const sloe_fitted_network *network,
                                const sloe_network_terms *terms);

/* Workspace, scratch memory of a kernel, that a layer needs with some chance. */
typedef struct sloe_workspace {
  double mb, chance;
  size_t layer; /* of a network */
} sloe_workspace;

/* None where the platform knows of none. */
sloe_workspace sloe_estimate_layer_workspace(const sloe_fitted *fitted,
                                             const sloe_layer_spec *spec);

/* What a network needs whose layers, one after the other, need these, which are sorted: the median.
   NULL: none. */
const sloe_workspace *sloe_estimate_workspace(sloe_workspace *of_layers, size_t n);

/* MB of a network at a precision: weights, and the buffers between layers (net/lives.h), or else
   the activations that live at once. Errors: NOMEM. */
sloe_status sloe_estimate_own_mb(const sloe_layers *layers, sloe_precision precision, int buffers,
                                 double *out, sloe_error *err);

/* How busy the layers keep a fitted platform; all zero where it has none. */
const sloe_pace *sloe_estimate_pace(const sloe_estimate *e);

/* What activation and residual cost beside the rest of the layer, ms; `op` may be NULL. */
double sloe_estimate_fused(const sloe_fitted_op *op, const sloe_layer_spec *spec);

/* Without the correction: the staircase of the layer's family, else of the nearest one scaled by
   the taps (*exact is 0), and what is fused; NAN where there is none of the op. */
double sloe_estimate_staircase(const sloe_fitted *fitted, const sloe_layer_spec *spec, int *exact);

#endif
