#include "campaign/sensed.h"

#include <math.h>

void sloe_sensed_put(const sloe_power *power, const sloe_device_memory *memory, double move_ns,
                     sloe_store_sample *sample, sloe_store_metric metrics[SLOE_SENSED_METRICS]) {
  const sloe_store_metric all[SLOE_SENSED_METRICS] = {{"peak_w", power->peak_w},
                                                      {"idle_w", power->idle_w},
                                                      {"dynamic_mj", power->dynamic_mj},
                                                      {"weights_mb", memory->weights_mb},
                                                      {"activations_mb", memory->activations_mb},
                                                      {"workspace_mb", memory->workspace_mb},
                                                      {"move_ms", move_ns / 1e6}};
  sample->power_w = power->power_w;
  sample->energy_mj = power->energy_mj;
  sample->power_rail = power->rail;
  sample->memory_mb = memory->total_mb;
  sample->memory_kind = memory->kind;
  sample->metrics = metrics;
  sample->n_metrics = 0;
  for (size_t i = 0; i < SLOE_SENSED_METRICS; i++)
    if (!isnan(all[i].value)) metrics[sample->n_metrics++] = all[i];
}
