/* rng.h: random numbers that are the same everywhere for the same seed.
 *
 * xoshiro256** (Blackman, Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4),
 * 2021), its state filled by splitmix64 so that neighbouring seeds give unrelated streams. Not for
 * secrets.
 */
#ifndef SLOE_BASE_RNG_H
#define SLOE_BASE_RNG_H

#include <stdint.h>

typedef struct sloe_rng {
  uint64_t state[4];
} sloe_rng;

/* Advance *state and mix it; also a good hash of a counter. */
uint64_t sloe_splitmix64(uint64_t *state);

void sloe_rng_seed(sloe_rng *rng, uint64_t seed);
uint64_t sloe_rng_next(sloe_rng *rng);

/* Uniform in [0, 1), 53 bits. */
double sloe_rng_uniform(sloe_rng *rng);

/* Uniform in [lo, hi], without bias; lo where hi < lo. */
int64_t sloe_rng_between(sloe_rng *rng, int64_t lo, int64_t hi);

/* Mean 0, deviation 1 (Marsaglia's polar method). */
double sloe_rng_normal(sloe_rng *rng);

#endif
