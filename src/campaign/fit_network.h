/* fit_network.h: what held-out layers and networks say of the layer models. Private to campaign/.
 */
#ifndef SLOE_CAMPAIGN_FIT_NETWORK_H
#define SLOE_CAMPAIGN_FIT_NETWORK_H

#include "campaign/fit_layers.h"
#include "platform/platform.h"

/* Errors of the models on the held-out layers, and of a second measurement (noise). */
sloe_status sloe_judge_layers(const sloe_bench *bench, const sloe_fitted *fitted,
                              sloe_fitted_errors *out, sloe_error *err);

/* From the sum of layers to the network, its interval and its errors, from the measured networks:
   each is told by layer models that were made without its layers (without[number % folds]; *fitted
   where folds is 0) and judged by a correction that was made without it. Fills network,
   network_errors and memory_errors of *fitted. Without networks: scale 1 and the interval of
   layers. */
sloe_status sloe_fit_network(const sloe_bench *bench, const sloe_fusion *fusion,
                             const sloe_layer_models *without, size_t folds, sloe_fitted *fitted,
                             sloe_error *err);

#endif
