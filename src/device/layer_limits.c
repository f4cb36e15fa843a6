#include "device/layer_limits.h"

static const uint64_t MB = 1000000U, GFLOP = 1000000000U;

sloe_status sloe_layer_limits_read(const sloe_backend_options *options, int64_t max_mb,
                                   int64_t max_gflop, sloe_layer_limits *out, sloe_error *err) {
  SLOE_TRY(sloe_backend_option_int(options, "max_mb", 1, 1 << 20, max_mb, &max_mb, err));
  SLOE_TRY(sloe_backend_option_int(options, "max_gflop", 1, 1 << 20, max_gflop, &max_gflop, err));
  *out = (sloe_layer_limits){(uint64_t)max_mb * MB, (uint64_t)max_gflop * GFLOP};
  return SLOE_OK;
}

sloe_status sloe_layer_limits_check(const sloe_layer_limits *limits, const char *who,
                                    uint64_t width, const sloe_layer_spec *spec, sloe_error *err) {
  SLOE_TRY(sloe_layer_spec_check(spec, err));
  const uint64_t elements =
      sloe_add_sat(sloe_layer_spec_in_elements(spec),
                   sloe_add_sat(sloe_layer_spec_out_elements(spec), sloe_layer_spec_weights(spec)));
  const uint64_t bytes = sloe_mul_sat(elements, width);
  const uint64_t flop = sloe_mul_sat(2, sloe_layer_spec_macs(spec));
  if (bytes > limits->bytes)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: a layer of %llu MB; max_mb is %llu", who,
                     (unsigned long long)(bytes / MB), (unsigned long long)(limits->bytes / MB));
  if (flop > limits->flop)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: a layer of %llu GFLOP; max_gflop is %llu", who,
                     (unsigned long long)(flop / GFLOP),
                     (unsigned long long)(limits->flop / GFLOP));
  return SLOE_OK;
}
