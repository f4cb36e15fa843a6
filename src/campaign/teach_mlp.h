/* teach_mlp.h: the multi-layer perceptrons of an op, learned from what its teachers told. Private
 * to teach.c.
 *
 * Where a layer takes the fastest of several kernels, its time is a smooth surface broken along
 * edges. Trees need thousands of blocks for what one kernel's surface is; an MLP over the same
 * inputs as the kernels' processes needs a few thousand weights, leaves half as much of it, and is
 * asked in less time (docs/notes/gpu-accuracy.md). Where one begins decides what it makes of the
 * edges: the mean of three, of other beginnings, leaves an eighth less than one of them.
 */
#ifndef SLOE_CAMPAIGN_TEACH_MLP_H
#define SLOE_CAMPAIGN_TEACH_MLP_H

#include "campaign/teach_lesson.h"

/* op->mlp, whose arrays lie in `arena`, towards the y of n lessons at their places. The op's
   `proposed` are known. Errors: NOMEM, UNSUPPORTED (nothing can be learned from them). */
sloe_status sloe_teach_mlp(const sloe_layer_lesson *lessons, size_t n, double units,
                           sloe_fitted_op *op, sloe_arena *arena, sloe_error *err);

#endif
