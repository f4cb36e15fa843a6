/* kernel_chance.h: how likely it is that a runtime tries a kernel on a layer, learned as trees over
 * sloe_layer_features from the layers of which that is known: the timed ones, and many more that
 * the runtime was asked about (proposals.h). Private to kernels.c.
 */
#ifndef SLOE_CAMPAIGN_KERNEL_CHANCE_H
#define SLOE_CAMPAIGN_KERNEL_CHANCE_H

#include "campaign/odds.h"
#include "campaign/proposals.h"

typedef struct sloe_known_layers {
  double *x;          /* [n_timed + n_asked][SLOE_LAYER_FEATURES] */
  const char **asked; /* [n_asked] the kernels' names; belong to the proposals */
  size_t n_timed, n_asked;
} sloe_known_layers;

/* Those timed that have kernels at all, of one op and grouping, and the proposals for others of it;
   fewer than 1,000 of these say no more than what was timed and are left out. `proposals` may be
   NULL. *out is freed also after a failure. Errors: NOMEM. */
sloe_status sloe_known_layers_init(const sloe_layer_spec *const *timed, size_t n,
                                   const sloe_proposals *proposals, sloe_known_layers *out,
                                   sloe_error *err);
void sloe_known_layers_fini(sloe_known_layers *known); /* takes what is all zero */

/* Trees towards 1 where the kernel is tried, 0 where not. is_tried[n_timed]: on the timed ones.
   *everywhere: it is tried on all of them, and *out is all zero. An asked list may have its family
   alone; `by_family`: `name` is one itself. Errors: NOMEM. */
sloe_status sloe_kernel_chance(const sloe_known_layers *known, const char *name, int by_family,
                               const double *is_tried, sloe_odds *out, int *everywhere,
                               sloe_error *err);

#endif
