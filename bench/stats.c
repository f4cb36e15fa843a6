#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Linear between the two neighbours, as numpy's default. */
static double quantile(const double *sorted, size_t n, double q) {
  double at = q * (double)(n - 1);
  size_t low = (size_t)at, high = low + 1 < n ? low + 1 : low;
  return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

bench_stats bench_stats_of(double *samples, size_t n) {
  if (n == 0) return (bench_stats){0, NAN, NAN, NAN, NAN, NAN};
  qsort(samples, n, sizeof *samples, by_value);
  return (bench_stats){n,
                       samples[0],
                       quantile(samples, n, 0.05),
                       quantile(samples, n, 0.5),
                       quantile(samples, n, 0.95),
                       samples[n - 1]};
}

double bench_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
