/* explore.h: where it pays to have fewer filters. sloe.h has the answer's types and the call with a
 * platform; here is the same with any function of a layer's spec, such as a staircase in a test.
 *
 * What follows a filter. Taking a filter from a convolution narrows what reads its output: the
 * channels of the next convolution or fully connected layer (behind a flatten: h x w of them),
 * depthwise convolutions, normalisations, pools and elementwise layers in between. Tensors that are
 * added must stay equally wide, so the convolutions that make them go together (a residual stage is
 * one group). A grouped convolution asks for multiples of its groups on both sides. Where channels
 * cannot be followed (network outputs, transposes, slices, products of activations) the filters
 * stay as they are: such a layer has its treads, network_saved_ms is what itself would save, and it
 * is in no step.
 *
 * Steps are greedy: of all groups of convolutions, each at the target of one of its members, the
 * one that saves most milliseconds per filter goes first. A step names that member; what is tied to
 * it has as many filters. Latencies are the estimate's less what the layers save.
 */
#ifndef SLOE_EXPLORE_EXPLORE_H
#define SLOE_EXPLORE_EXPLORE_H

#include "estimate/estimate.h"

typedef struct sloe_prune_cost {
  /* UNSUPPORTED: such a layer's time is not known; it is taken to stay as it is. */
  sloe_status (*ask)(void *context, const sloe_layer_spec *spec, sloe_spec_estimate *out,
                     sloe_error *err);
  void *context;
} sloe_prune_cost;

/* `network_ms`: of the network as it is. `layers` must outlive the answer, `cost` need not.
   Errors: USAGE (slack outside 0..1), UNSUPPORTED (no convolution's time is known), NOMEM, what
   `cost` says. */
sloe_status sloe_prune_by(const sloe_layers *layers, double network_ms, const sloe_prune_cost *cost,
                          const sloe_prune_options *options, sloe_prune **out, sloe_error *err);

#endif
