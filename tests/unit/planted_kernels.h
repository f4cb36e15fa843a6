/* planted_kernels.h: a runtime of two kernels whose times are known, and layers for it. */
#ifndef SLOE_TESTS_PLANTED_KERNELS_H
#define SLOE_TESTS_PLANTED_KERNELS_H

#include <math.h>

#include "base/rng.h"
#include "campaign/design.h"
#include "net/net.h"
#include "unit/unit.h"

static const double planted_units = 10;

/* `tiles` works in rounds of tiles of 64 x 64; */
static inline double tiles_ms(const sloe_layer_spec *s) {
  const double depth = (double)(s->c / s->groups) * (double)(s->kernel[0] * s->kernel[1]);
  return 0.004 + 4e-6 * depth * ceil(sloe_layer_tiles(s, 64, 64) / planted_units);
}

/* `direct` has no steps, costs less a layer and more a product. */
static inline double direct_ms(const sloe_layer_spec *s) {
  return 0.002 + 3e-9 * (double)sloe_layer_spec_macs(s);
}

static inline double planted_stair_ms(const sloe_layer_spec *s) {
  return 0.01 + 1e-9 * (double)sloe_layer_spec_macs(s);
}

static inline sloe_layer_spec draw_dense(sloe_rng *rng) {
  for (;;) {
    sloe_layer_spec s;
    assert_true(sloe_design_draw(rng, "conv", NULL, &s));
    if (s.groups == 1) return s;
  }
}

#endif
