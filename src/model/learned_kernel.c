/* Kernel sums, a block of vectors at a time: every loop is over the block, so that the compiler
 * makes vector instructions of it (-O3). */
#include "base/exp_negative.h"
#include "model/learned.h"

enum { BLOCK = 32, LANES = 8 };

/* What a block of vectors is to z, a kernel's first half: |z - v|^2 or z v. `v` holds the block's
   numbers of each input, `stride` apart; `n` is BLOCK, or less where the compiler need not know. */
SLOE_PART_OF_CLONES void distances(const double *restrict v, size_t stride, size_t d,
                                   const double *restrict z, size_t n, double *restrict out) {
  double sum[BLOCK] = {0};
  for (size_t j = 0; j < d; j++, v += stride)
    for (size_t i = 0; i < n; i++) sum[i] += (z[j] - v[i]) * (z[j] - v[i]);
  for (size_t i = 0; i < n; i++) out[i] = sum[i];
}

SLOE_PART_OF_CLONES void products(const double *restrict v, size_t stride, size_t d,
                                  const double *restrict z, size_t n, double *restrict out) {
  double sum[BLOCK] = {0};
  for (size_t j = 0; j < d; j++, v += stride)
    for (size_t i = 0; i < n; i++) sum[i] += z[j] * v[i];
  for (size_t i = 0; i < n; i++) out[i] = sum[i];
}

SLOE_PART_OF_CLONES double power(double base, uint32_t degree) {
  double product = base;
  for (uint32_t p = 1; p < degree; p++) product *= base;
  return product;
}

/* Coefficients times kernels of the block at `from`, in eight sums that do not wait for each
   other. */
SLOE_PART_OF_CLONES double block(const sloe_learned_kernel *k, size_t d, const double *z,
                                 size_t from, size_t n) {
  double value[BLOCK], sum[LANES] = {0};
  const double *coef = k->coef + from;
  if (k->kind == SLOE_KERNEL_RBF) {
    distances(k->vector + from, k->n, d, z, n, value);
    for (size_t i = 0; i < n; i++) value[i] = sloe_exp_negative(-k->gamma * value[i]);
  } else {
    products(k->vector + from, k->n, d, z, n, value);
    for (size_t i = 0; i < n; i++) value[i] = power(k->gamma * value[i] + k->coef0, k->degree);
  }
  for (size_t i = 0; i < n; i++) sum[i % LANES] += coef[i] * value[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

SLOE_CLONES static double eval(const sloe_learned_kernel *k, size_t d, const double *z) {
  double sum = k->bias;
  size_t from = 0;
  for (; from + BLOCK <= k->n; from += BLOCK) sum += block(k, d, z, from, BLOCK);
  return from < k->n ? sum + block(k, d, z, from, k->n - from) : sum;
}

double sloe_learned_kernel_eval(const sloe_learned_kernel *k, size_t n_inputs, const double *z) {
  return eval(k, n_inputs, z);
}
