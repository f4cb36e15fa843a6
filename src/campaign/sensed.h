/* sensed.h: power and memory of a job as a sample of a store has them. Private to campaign/.
 *
 * What is common to all stands in columns of their own; the rest are metrics, under the names that
 * the measurement table of `sloe measure` has: peak_w, idle_w, dynamic_mj, weights_mb,
 * activations_mb, workspace_mb, move_ms (a fixed move of memory timed beside it: how busy others
 * kept memory). What is not known is left out.
 */
#ifndef SLOE_CAMPAIGN_SENSED_H
#define SLOE_CAMPAIGN_SENSED_H

#include "device/device.h"
#include "store/store.h"

enum { SLOE_SENSED_METRICS = 7 };

/* Strings and `metrics` must live as long as *sample. */
void sloe_sensed_put(const sloe_power *power, const sloe_device_memory *memory, double move_ns,
                     sloe_store_sample *sample, sloe_store_metric metrics[SLOE_SENSED_METRICS]);

#endif
