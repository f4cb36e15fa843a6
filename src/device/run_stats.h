/* run_stats.h: what a list of run times says. Others have it through device.h. */
#ifndef SLOE_DEVICE_RUN_STATS_H
#define SLOE_DEVICE_RUN_STATS_H

#include <stddef.h>
#include <stdint.h>

/* Of n > 0 sorted values, linearly between the two nearest, as the store does (docs/store.md). */
double sloe_runs_quantile(const uint64_t *sorted, size_t n, double q);
double sloe_runs_mean(const uint64_t *sorted, size_t n);

/* The mean of the middle half; a quarter of n values, fractions included, falls away on both sides.
 */
double sloe_runs_midmean(const uint64_t *sorted, size_t n);

/* Its standard error as a fraction of it, by the winsorised deviation (Tukey, McLaughlin 1963). The
   middle half of a few runs is narrow by chance: of fewer than 20 it is the plain mean's error
   where that is larger. Infinite for fewer than 4, of which nothing can be told. */
double sloe_runs_error(const uint64_t *sorted, size_t n);

#endif
