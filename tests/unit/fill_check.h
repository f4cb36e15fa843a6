/* fill_check.h: contents of tensors that a backend and a reference both know, by name. */
#ifndef SLOE_TESTS_FILL_CHECK_H
#define SLOE_TESTS_FILL_CHECK_H

#include <math.h>

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

/* Of a difference, beside the larger of 1 and what is wanted. */
static double tolerance = 1e-3;

static inline void assert_near(size_t at, double got, double want) {
  if (!(fabs(got - want) <= tolerance * (1 + fabs(want))))
    fail_msg("at %zu: got %g, want %g", at, got, want);
}

#endif
