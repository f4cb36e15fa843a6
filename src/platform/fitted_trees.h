/* fitted_trees.h: trees of any shape (model/learned.h) in a binary platform file. Private to
 * platform/. Behind the numbers of a chance (fitted_format.h):
 *
 *   f64 factor;  u32 first[trees + 1]
 *   at a multiple of 16 nodes x { f32 threshold; u32 left, input; f32 value }
 */
#ifndef SLOE_PLATFORM_FITTED_TREES_H
#define SLOE_PLATFORM_FITTED_TREES_H

#include "platform/fitted_cursor.h"
#include "platform/fitted_put.h"

/* trees->n_trees, n_nodes and base were read. Copied into the arena. */
sloe_status sloe_fitted_trees_take(sloe_fitted_cursor *c, sloe_arena *arena, size_t n_features,
                                   sloe_learned_trees *trees);
void sloe_fitted_trees_put(const sloe_learned_trees *trees, sloe_text *out);

#endif
