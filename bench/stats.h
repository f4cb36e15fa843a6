/* stats.h: what a bench says of its samples. */
#ifndef SLOE_BENCH_STATS_H
#define SLOE_BENCH_STATS_H

#include <stddef.h>

typedef struct bench_stats {
  size_t n;
  double min, p5, median, p95, max;
} bench_stats;

/* Sorts `samples` in place. All NAN where n is 0. */
bench_stats bench_stats_of(double *samples, size_t n);

/* Seconds of the monotonic clock. */
double bench_now(void);

#endif
