/* teach_trees.h: the trees of an op, grown from measured layers and from those that its teachers
 * told of. Private to teach.c.
 */
#ifndef SLOE_CAMPAIGN_TEACH_TREES_H
#define SLOE_CAMPAIGN_TEACH_TREES_H

#include "campaign/odds.h"
#include "campaign/teach_lesson.h"

/* op->forest, whose arrays *out owns, of n lessons, the first of which were `measured`, towards
   their y at their places. Errors: NOMEM. */
sloe_status sloe_teach_grow(const sloe_layer_lesson *lessons, size_t measured, size_t n,
                            sloe_fitted_op *op, sloe_boost *out, sloe_error *err);

/* op->transformed, whose arrays *out owns: towards 1 where the measured layers by themselves went
   by transforms (op->transform_bytes), and towards transformed[told] of the others. Errors: NOMEM.
 */
sloe_status sloe_teach_grow_transformed(const sloe_layer_lesson *all, size_t measured, size_t told,
                                        const double *transformed, sloe_fitted_op *op,
                                        sloe_odds *out, sloe_error *err);

#endif
