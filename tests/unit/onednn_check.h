/* onednn_check.h: the backend onednn as its tests open and read it. */
#ifndef SLOE_TESTS_ONEDNN_CHECK_H
#define SLOE_TESTS_ONEDNN_CHECK_H

#include <math.h>

#include "device/onednn/onednn.h"
#include "unit/unit.h"

/* Contents by name: every element a hash of its index, in +-1; variances are positive. */
static inline float content(const char *name, size_t i) {
  uint32_t x = (uint32_t)i * 2654435761U;
  for (const char *p = name; *p; p++) x = (x ^ (uint32_t)*p) * 16777619U;
  x ^= x >> 15;
  x *= 2246822519U;
  x ^= x >> 13;
  const float at = (float)(x % 2001U) / 1000.0F - 1.0F;
  return strcmp(name, "variance") == 0 ? 1.5F + at : at;
}

static inline int fill_by_name(void *context, const char *name, float *data, size_t n) {
  (void)context;
  for (size_t i = 0; i < n; i++) data[i] = content(name, i);
  return 1;
}

static inline onednn_device *open_onednn(void) {
  sloe_backend_options none = {.n = 0};
  sloe_device_info info;
  sloe_error err;
  void *state;
  assert_ok(sloe_backend_onednn.open(&none, &state, &info, &err), err);
  ((onednn_device *)state)->fill = fill_by_name;
  return state;
}

/* A value in plain layout; freed with sloe_dealloc. */
static inline float *read_value(onednn_job *job, onednn_value *value) {
  sloe_error err;
  float *got = sloe_alloc((size_t)sloe_onednn_elements(value), sizeof *got);
  assert_non_null(got);
  assert_ok(sloe_onednn_read(job, value, got, &err), err);
  return got;
}

static inline void assert_near(size_t at, double got, double want) {
  if (!(fabs(got - want) <= 1e-3 * (1 + fabs(want))))
    fail_msg("at %zu: got %g, want %g", at, got, want);
}

#endif
