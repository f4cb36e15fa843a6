/* campaign_points.h: what a campaign would have measured, without one: layers of the design with
 * the times of the simulated device's formula. */
#ifndef SLOE_TESTS_CAMPAIGN_POINTS_H
#define SLOE_TESTS_CAMPAIGN_POINTS_H

#include <math.h>

#include "campaign/design.h"
#include "campaign/fit_layers.h"
#include "device/sim/sim_formula.h"
#include "platform/fitted_format.h"
#include "unit/unit.h"

/* Steps of 32 filters and 8 channels; the reference takes 1 ms. */
static const sim_formula points_formula = {.seed = 1,
                                           .floor_ns = 5000,
                                           .ns_per_mac = 0.02,
                                           .ns_per_byte = 0.1,
                                           .k_step = 32,
                                           .c_step = 8,
                                           .element_bytes = 4};

static inline double points_ms(const sloe_layer_spec *spec) {
  return sloe_sim_layer_ns(&points_formula, spec) / 1e6;
}

static inline sloe_layer_spec points_spec(const char *text) {
  sloe_layer_spec spec;
  sloe_error err;
  assert_ok(sloe_layer_spec_parse(text, &spec, &err), err);
  return spec;
}

/* A bench without device and store: only its points. points_close. */
static inline sloe_bench *points_new(void) {
  sloe_bench *b = sloe_alloc(1, sizeof *b);
  assert_non_null(b);
  *b = (sloe_bench){.phase = ""};
  sloe_arena_init(&b->arena, 1 << 28);
  return b;
}

static inline void points_close(sloe_bench *b) {
  sloe_arena_fini(&b->arena);
  sloe_dealloc(b);
}

static inline sloe_bench_point *points_add(sloe_bench *b, const sloe_layer_spec *spec,
                                           const char *split) {
  assert_true(
      sloe_arena_grow(&b->arena, &b->points, b->n_points, &b->cap_points, sizeof *b->points));
  sloe_bench_point *p = &b->points[b->n_points++];
  *p = (sloe_bench_point){.key = "",
                          .spec = *spec,
                          .split = split,
                          .time = points_ms(spec),
                          .again = NAN,
                          .error = 0.01,
                          .p75 = 1.01,
                          .p97_5 = 1.05,
                          .memory_mb = NAN,
                          .ref_ms = 1};
  return p;
}

/* `n` random layers. */
static inline void points_draw(sloe_bench *b, size_t n, uint64_t seed, const char *only,
                               const char *split) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < n; i++) {
    sloe_layer_spec spec;
    assert_true(sloe_design_draw(&rng, only, NULL, &spec));
    points_add(b, &spec, split);
  }
}

/* All that the fitted part of a platform holds, as its file would. sloe_text_fini. */
static inline sloe_text points_bytes(const sloe_fitted *fitted) {
  sloe_fitted_platform platform = {.card = {.device = "toy",
                                            .title = "A toy",
                                            .runtime = "onednn",
                                            .runtime_version = "1",
                                            .mode = "t1",
                                            .notes = "",
                                            .precision = SLOE_FP32,
                                            .gpu_mhz = NAN,
                                            .memory_mb = NAN,
                                            .memory_reserved_mb = NAN,
                                            .power_cap_w = NAN},
                                   .fusion = {.runtime = SLOE_RUNTIME_ONEDNN},
                                   .fitted = *fitted};
  sloe_text bytes = {0};
  sloe_error err;
  platform.fitted.created = platform.fitted.tool = platform.fitted.seed = "";
  assert_ok(sloe_fitted_encode(&platform, &bytes, &err), err);
  assert_false(bytes.failed);
  return bytes;
}

#endif
