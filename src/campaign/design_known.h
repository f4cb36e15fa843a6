/* design_known.h: layers of known networks, between half and twice their sizes. Private to
 * campaign/.
 *
 * A design that is drawn from the whole space seldom comes near what networks are made of: of 2,600
 * convolutions three were of 3x3 with 300 to 800 channels and filters on 9 to 24 rows. Drawn are
 * the convolutions and fully connected layers of the networks that the plan `nis` measures whole
 * (plan_families.def): a family as often as any other, one of its kinds (op, grouping and window)
 * by the root of how many layers it has, so that neither pointwise convolutions nor first layers
 * are half of all, one of the different layers of that.
 */
#ifndef SLOE_CAMPAIGN_DESIGN_KNOWN_H
#define SLOE_CAMPAIGN_DESIGN_KNOWN_H

#include "base/arena.h"
#include "campaign/design.h"

typedef struct sloe_design_ends { /* where each of some ends begins the next */
  size_t *end;
  size_t n, cap;
} sloe_design_ends;

typedef struct sloe_design_known {
  sloe_arena arena;
  sloe_layer_spec *specs; /* by family, then kind; in a family none twice */
  size_t n, cap;
  sloe_design_ends kinds, families; /* of kinds in `specs`, of families in `kinds` */
} sloe_design_known;

/* As oneDNN's rules put them together, on every device. Errors: NOMEM. */
sloe_status sloe_design_known_init(sloe_design_known *known, sloe_error *err);
void sloe_design_known_fini(sloe_design_known *known);

/* The next: possible and within `limits`, with a batch as random ones have it. None of the known
   layers themselves: networks that have them are what platforms are judged by. */
void sloe_design_known_draw(const sloe_design_known *known, sloe_rng *rng,
                            const sloe_design_limits *limits, sloe_layer_spec *out);

#endif
