/* layer_limits.h: how large a layer a backend takes: its options max_mb and max_gflop. */
#ifndef SLOE_DEVICE_LAYER_LIMITS_H
#define SLOE_DEVICE_LAYER_LIMITS_H

#include "device/device.h"

typedef struct sloe_layer_limits {
  uint64_t bytes, flop; /* of all its tensors; of its operations */
} sloe_layer_limits;

sloe_status sloe_layer_limits_read(const sloe_backend_options *options, int64_t max_mb,
                                   int64_t max_gflop, sloe_layer_limits *out, sloe_error *err);
/* Is the spec a layer, and within the limits of backend `who`, with elements of `width` bytes?
   UNSUPPORTED: it is too large. */
sloe_status sloe_layer_limits_check(const sloe_layer_limits *limits, const char *who,
                                    uint64_t width, const sloe_layer_spec *spec, sloe_error *err);

#endif
