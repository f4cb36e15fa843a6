/* tune_clock.h: seconds since some time ago. Private to learn/. */
#ifndef SLOE_LEARN_TUNE_CLOCK_H
#define SLOE_LEARN_TUNE_CLOCK_H

#include <time.h>

static inline double sloe_tune_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
