#include "campaign/conformal.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b) {
  const double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

double sloe_conformal_90(double *errors, size_t n) {
  if (!n) return NAN;
  qsort(errors, n, sizeof *errors, compare);
  const size_t at = (size_t)ceil(0.9 * (double)(n + 1));
  return at > n ? 2 * errors[n - 1] : errors[at - 1];
}

double sloe_quantile(double *values, size_t n, double q) {
  if (!n) return NAN;
  qsort(values, n, sizeof *values, compare);
  return values[(size_t)round(q * (double)(n - 1))];
}
