#include "base/rng.h"

#include <math.h>

uint64_t sloe_splitmix64(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void sloe_rng_seed(sloe_rng *rng, uint64_t seed) {
  for (int i = 0; i < 4; i++) rng->state[i] = sloe_splitmix64(&seed);
}

static uint64_t rotate(uint64_t x, int by) {
  return (x << by) | (x >> (64 - by));
}

uint64_t sloe_rng_next(sloe_rng *rng) {
  uint64_t *s = rng->state;
  uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate(s[3], 45);
  return result;
}

double sloe_rng_uniform(sloe_rng *rng) {
  return (double)(sloe_rng_next(rng) >> 11) * 0x1p-53;
}

int64_t sloe_rng_between(sloe_rng *rng, int64_t lo, int64_t hi) {
  if (hi <= lo) return lo;
  uint64_t n = (uint64_t)hi - (uint64_t)lo + 1; /* 0: the whole range */
  if (!n) return (int64_t)sloe_rng_next(rng);
  uint64_t reject = (UINT64_MAX - n + 1) % n, x;
  do x = sloe_rng_next(rng);
  while (x < reject);
  return (int64_t)((uint64_t)lo + x % n);
}

double sloe_rng_normal(sloe_rng *rng) {
  double u, v, s;
  do {
    u = 2 * sloe_rng_uniform(rng) - 1;
    v = 2 * sloe_rng_uniform(rng) - 1;
    s = u * u + v * v;
  } while (s >= 1 || s == 0);
  return u * sqrt(-2 * log(s) / s);
}
