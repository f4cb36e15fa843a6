/* bench_parts.h: how a bench's points come into the store, for the files that measure. Private to
 * campaign/. */
#ifndef SLOE_CAMPAIGN_BENCH_PARTS_H
#define SLOE_CAMPAIGN_BENCH_PARTS_H

#include "campaign/bench.h"

/* A new point of the plan, in the store and here. */
sloe_status sloe_bench_begin_point(sloe_bench *b, const char *key, const char *split, int network,
                                   sloe_bench_point **out, sloe_error *err);

/* What one loaded job gave. */
typedef struct sloe_bench_taken {
  const sloe_timing *timing;
  sloe_device_memory memory;
  int noisy;
  sloe_power power;
  const char *remark; /* kept as the point's reason; "" */
} sloe_bench_taken;

sloe_bench_taken sloe_bench_taken_none(const sloe_timing *timing);

/* `number`: how many takes there are before. */
sloe_status sloe_bench_keep(sloe_bench *b, sloe_bench_point *p, const sloe_bench_taken *taken,
                            size_t number, sloe_error *err);

/* Time it as points are timed, and keep that with its memory and its kernels. */
sloe_status sloe_bench_time_job(sloe_bench *b, sloe_bench_point *p, sloe_job *job, size_t number,
                                sloe_error *err);

/* The remark of a network below 1 ms. */
extern const char sloe_remark_short[];

/* It cannot be had here, which is known from now on. */
sloe_status sloe_bench_refuse(sloe_bench *b, sloe_bench_point *p, const char *why, sloe_error *err);
/* `load` could not: UNSUPPORTED is refused, anything else ends the campaign. */
sloe_status sloe_bench_not_loaded(sloe_bench *b, sloe_bench_point *p, sloe_status status,
                                  const sloe_error *why, sloe_error *err);
/* The device died under it, which ends this visit. The next one tries it once more; what kills the
   device twice is refused from then on. `why` stays the error, whatever the store says. */
void sloe_bench_fail_point(sloe_bench *b, const sloe_bench_point *p, const sloe_error *why);

#endif
