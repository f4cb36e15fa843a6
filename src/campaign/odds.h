/* odds.h: how likely something is, learned from many layers of which it is known. Private to
 * campaign/.
 *
 * What a runtime's heuristics say is no smooth surface, so trees learn it. Those that XGBoost grows
 * leave half of what oblivious ones leave where layers are many (docs/notes/gpu-accuracy.md); where
 * layers are few, or XGBoost cannot be had, it is oblivious ones.
 */
#ifndef SLOE_CAMPAIGN_ODDS_H
#define SLOE_CAMPAIGN_ODDS_H

#include "fit/fit.h"
#include "learn/learn.h"
#include "platform/platform.h"

typedef struct sloe_odds { /* begins all zero */
  sloe_learned learned;
  sloe_boost boost;
} sloe_odds;

/* From n rows of SLOE_LAYER_FEATURES, towards y: 1 where it is so, 0 where not. `few`: of oblivious
   trees. On failure *out is all zero. Errors: NOMEM. */
sloe_status sloe_odds_learn(const double *x, const double *y, size_t n,
                            const sloe_boost_params *few, sloe_odds *out, sloe_error *err);
void sloe_odds_fini(sloe_odds *odds); /* takes what is all zero */

/* As a platform asks them; the arrays stay those of `odds`. */
sloe_fitted_odds sloe_odds_view(const sloe_odds *odds);

#endif
