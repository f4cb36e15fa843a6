/* Kernel sums, a block of vectors at a time: every loop is over the block, so that the compiler
 * makes vector instructions of it (-O3). exp() would be a call for each vector; the one here is
 * 2^k e^r with |r| <= ln 2 / 2, its series cut where a double ends. */
#include <math.h>
#include <string.h>

#include "model/learned.h"

enum { BLOCK = 64 };

/* For x <= 0; below -700, where exp(x) is 1e-304, it stays at that. */
static inline double exp_negative(double x) {
  const double round = 0x1.8p52, ln2_hi = 0x1.62e42fefa3800p-1, ln2_lo = 0x1.ef35793c76730p-45;
  x = x < -700 ? -700 : x;
  const double shifted = x * 0x1.71547652b82fep0 + round, k = shifted - round;
  const double r = (x - k * ln2_hi) - k * ln2_lo;
  double e = 1 / 39916800.;
  e = e * r + 1 / 3628800.;
  e = e * r + 1 / 362880.;
  e = e * r + 1 / 40320.;
  e = e * r + 1 / 5040.;
  e = e * r + 1 / 720.;
  e = e * r + 1 / 120.;
  e = e * r + 1 / 24.;
  e = e * r + 1 / 6.;
  e = e * r + 0.5;
  e = e * r + 1;
  e = e * r + 1;
  uint64_t bits, exponent;
  memcpy(&exponent, &shifted, sizeof exponent); /* k stands in its last bits */
  memcpy(&bits, &e, sizeof bits);
  bits += exponent << 52;
  memcpy(&e, &bits, sizeof e);
  return e;
}

static void distances(const sloe_learned_kernel *k, size_t d, const double *z, size_t from,
                      size_t n, double *square) {
  for (size_t i = 0; i < n; i++) square[i] = 0;
  for (size_t j = 0; j < d; j++) {
    const double own = z[j], *v = k->vector + j * k->n + from;
    for (size_t i = 0; i < n; i++) square[i] += (own - v[i]) * (own - v[i]);
  }
}

static void products(const sloe_learned_kernel *k, size_t d, const double *z, size_t from, size_t n,
                     double *dot) {
  for (size_t i = 0; i < n; i++) dot[i] = 0;
  for (size_t j = 0; j < d; j++) {
    const double own = z[j], *v = k->vector + j * k->n + from;
    for (size_t i = 0; i < n; i++) dot[i] += own * v[i];
  }
}

static double weighed(const double *coef, const double *value, size_t n) {
  double sum[4] = {0};
  size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (size_t l = 0; l < 4; l++) sum[l] += coef[i + l] * value[i + l];
  for (; i < n; i++) sum[0] += coef[i] * value[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

double sloe_learned_kernel_eval(const sloe_learned_kernel *k, size_t n_inputs, const double *z) {
  double value[BLOCK], sum = k->bias;
  for (size_t from = 0; from < k->n; from += BLOCK) {
    const size_t n = k->n - from < BLOCK ? k->n - from : BLOCK;
    if (k->kind == SLOE_KERNEL_RBF) {
      distances(k, n_inputs, z, from, n, value);
      for (size_t i = 0; i < n; i++) value[i] = exp_negative(-k->gamma * value[i]);
    } else {
      products(k, n_inputs, z, from, n, value);
      for (size_t i = 0; i < n; i++) {
        const double base = k->gamma * value[i] + k->coef0;
        value[i] = base;
        for (uint32_t p = 1; p < k->degree; p++) value[i] *= base;
      }
    }
    sum += weighed(k->coef + from, value, n);
  }
  return sum;
}
