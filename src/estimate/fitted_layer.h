/* fitted_layer.h: one layer on a fitted platform. Private to estimate/, but for estimate.h. */
#ifndef SLOE_ESTIMATE_FITTED_LAYER_H
#define SLOE_ESTIMATE_FITTED_LAYER_H

#include "estimate/estimate.h"
#include "platform/platform.h"

typedef struct sloe_fitted_time {
  double ms;         /* NAN: the platform knows nothing of such layers */
  double p75, p97_5; /* ratios to it */
  double error_90;   /* ln */
  int in_domain;     /* the family was measured, and every size lies inside what was */
} sloe_fitted_time;

sloe_fitted_time sloe_fitted_layer(const sloe_fitted *fitted, const sloe_layer_spec *spec,
                                   const sloe_layer_place *place);

#endif
