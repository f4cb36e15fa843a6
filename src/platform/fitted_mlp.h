/* fitted_mlp.h: the MLPs of an op (fitted.h) in a binary platform file. Private to platform/.
 *
 *   u32 layers; 0: there is none, and nothing follows
 *   u32 width of the inputs and of each layer, activation (model/learned.h)
 *   since version 4 u32 how many there are; before it is one
 *   f64 units, least, most;  u32 input[inputs]
 *   at a multiple of 16 f32 lo[inputs], hi[inputs], and the weights of each as in model/learned.h
 */
#ifndef SLOE_PLATFORM_FITTED_MLP_H
#define SLOE_PLATFORM_FITTED_MLP_H

#include "platform/fitted_cursor.h"
#include "platform/fitted_put.h"

/* Copied into the arena. What it says is finite for any layer, and at most SLOE_FITTED_MAX_MLP_LN.
 */
sloe_status sloe_fitted_mlp_take(sloe_fitted_cursor *c, sloe_arena *arena, sloe_fitted_mlp *mlp);
void sloe_fitted_mlp_put(const sloe_fitted_mlp *mlp, sloe_text *out);

#endif
