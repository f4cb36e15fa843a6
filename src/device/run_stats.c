/* run_stats.c: quantiles, the midmean and how well it is known. */
#include "device/run_stats.h"

#include <math.h>

double sloe_runs_quantile(const uint64_t *sorted, size_t n, double q) {
  const double at = q * (double)(n - 1);
  const size_t i = (size_t)at;
  const double low = (double)sorted[i], high = (double)sorted[i + 1 < n ? i + 1 : i];
  return low + (high - low) * (at - (double)i);
}

double sloe_runs_mean(const uint64_t *sorted, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)sorted[i];
  return sum / (double)n;
}

double sloe_runs_midmean(const uint64_t *sorted, size_t n) {
  const double cut = (double)n / 4;
  const size_t whole = (size_t)cut;
  const double part = 1 - (cut - (double)whole); /* of the outermost two that are kept */
  if (n < 2) return (double)sorted[0];
  double sum = part * ((double)sorted[whole] + (double)sorted[n - 1 - whole]);
  for (size_t i = whole + 1; i + whole + 1 < n; i++) sum += (double)sorted[i];
  return sum / ((double)n / 2);
}

/* The deviation with `cut` values on each side moved to the nearest that is kept. */
static double deviation(const uint64_t *sorted, size_t n, size_t cut) {
  const double low = (double)sorted[cut], high = (double)sorted[n - 1 - cut];
  double sum = (double)cut * (low + high), squares = 0;
  for (size_t i = cut; i < n - cut; i++) sum += (double)sorted[i];
  const double mean = sum / (double)n;
  for (size_t i = cut; i < n - cut; i++) {
    const double d = (double)sorted[i] - mean;
    squares += d * d;
  }
  squares += (double)cut * ((low - mean) * (low - mean) + (high - mean) * (high - mean));
  return sqrt(squares / (double)(n - 1));
}

double sloe_runs_error(const uint64_t *sorted, size_t n) {
  enum { TELLING = 20 };
  if (n < 4) return INFINITY;
  const size_t cut = n / 4;
  const double kept = 1 - 2 * (double)cut / (double)n, root = sqrt((double)n);
  double error = deviation(sorted, n, cut) / (kept * root);
  if (n < TELLING) error = fmax(error, deviation(sorted, n, 0) / root);
  return error / sloe_runs_midmean(sorted, n);
}
