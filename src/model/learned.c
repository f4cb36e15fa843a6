#include "model/learned.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clones.h"

static const size_t most_bytes = (size_t)1 << 30;

sloe_status sloe_learned_init(sloe_learned *out, size_t n_inputs, sloe_error *err) {
  *out = (sloe_learned){.target_scale = 1};
  if (n_inputs < 1 || n_inputs > SLOE_LEARNED_INPUTS)
    return sloe_fail(err, SLOE_USAGE, "learned model: %zu inputs, between 1 and %d are possible",
                     n_inputs, SLOE_LEARNED_INPUTS);
  sloe_arena_init(&out->arena, most_bytes);
  out->n_inputs = (uint32_t)n_inputs;
  out->shift = SLOE_ARENA_NEW(&out->arena, double, n_inputs);
  out->scale = SLOE_ARENA_NEW(&out->arena, double, n_inputs);
  if (!out->shift || !out->scale)
    return sloe_fail(err, SLOE_NOMEM, "out of memory for a learned model");
  for (size_t j = 0; j < n_inputs; j++) out->scale[j] = 1;
  return SLOE_OK;
}

void sloe_learned_fini(sloe_learned *m) {
  sloe_arena_fini(&m->arena);
  *m = (sloe_learned){0};
}

enum { BLOCK = 8 };

/* ln(1 + a) of a >= 0, to the last bit but one, without a branch or a call, so that the compiler
   makes vector instructions of a block: the logarithm of u = 1 + a as fdlibm's e_log.c has it, and
   what u lost of a. Infinity and NAN give anything. */
SLOE_PART_OF_CLONES double log_of_one_plus(double a) {
  const double ln2_hi = 0x1.62e42feep-1, ln2_lo = 0x1.a39ef35793c76p-33, round = 0x1p52;
  const uint64_t half_root = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000;
  const double u = 1 + a, lost = (a - (u - 1)) / u;
  uint64_t bits, exponent, mantissa;
  double k, m;
  memcpy(&bits, &u, sizeof bits);
  bits += one - half_root;
  exponent = (bits >> 52) | 0x4330000000000000; /* 2^52 + 1023 + k */
  mantissa = (bits & 0x000fffffffffffff) + half_root;
  memcpy(&k, &exponent, sizeof k);
  memcpy(&m, &mantissa, sizeof m); /* in [sqrt 1/2, sqrt 2) */
  k = k - round - 1023;
  const double f = m - 1, s = f / (2 + f), z = s * s, half = 0.5 * f * f;
  const double odd =
      z *
      (0x1.5555555555593p-1 +
       z * z *
           (0x1.2492494229359p-2 + z * z * (0x1.7466496cb03dep-3 + z * z * 0x1.2f112df3e5244p-3)));
  const double even =
      z * z *
      (0x1.999999997fa04p-2 + z * z * (0x1.c71c51d8e78afp-3 + z * z * 0x1.39a09d078c69fp-3));
  return k * ln2_hi - ((half - (s * (half + odd + even) + k * ln2_lo)) - f) + lost;
}

SLOE_CLONES static void take_logs(double *x) {
  for (size_t j = 0; j < BLOCK; j++) x[j] = copysign(log_of_one_plus(fabs(x[j])), x[j]);
}

/* A block at a time, so that a row of 13 is two of one kind and not five of three. */
int sloe_learned_inputs(const sloe_learned *m, const double *x, double *z) {
  const size_t d = m->n_inputs;
  double unknown = 0; /* 0 x inf and 0 x nan are nan */
  for (size_t from = 0; from < d; from += BLOCK) {
    const size_t n = d - from < BLOCK ? d - from : BLOCK;
    double t[BLOCK] = {0};
    for (size_t j = 0; j < n; j++) t[j] = x[from + j];
    for (size_t j = 0; j < BLOCK; j++) unknown += 0 * t[j];
    if (m->log_inputs) take_logs(t);
    for (size_t j = 0; j < n; j++) z[from + j] = (t[j] - m->shift[from + j]) * m->scale[from + j];
  }
  for (size_t j = 0; j < d; j++) unknown += 0 * z[j];
  return unknown == 0;
}

double sloe_learned_target(const sloe_learned *m, double body) {
  const double v = m->target_shift + m->target_scale * body;
  return m->log_target ? exp(v) : v;
}

static void to_float(const double *z, size_t n, float *out) {
  for (size_t j = 0; j < n; j++) out[j] = (float)z[j];
}

static double body(const sloe_learned *m, const double *z) {
  float narrow[SLOE_LEARNED_INPUTS];
  switch (m->kind) {
    case SLOE_LEARNED_POLY: return sloe_learned_poly_eval(&m->poly, m->n_inputs, z);
    case SLOE_LEARNED_KERNEL: return sloe_learned_kernel_eval(&m->kernel, m->n_inputs, z);
    case SLOE_LEARNED_MLP: return sloe_learned_mlp_eval(&m->mlp, z);
    case SLOE_LEARNED_TREE_SUM:
      to_float(z, m->n_inputs, narrow);
      return sloe_learned_trees_eval(&m->trees, narrow);
    default: return NAN;
  }
}

double sloe_learned_predict(const sloe_learned *m, const double *x) {
  double z[SLOE_LEARNED_INPUTS];
  return sloe_learned_inputs(m, x, z) ? sloe_learned_target(m, body(m, z)) : NAN;
}

static sloe_status trees_of_many(const sloe_learned *m, const double *x, size_t n, double *out,
                                 sloe_error *err) {
  const size_t d = m->n_inputs;
  double z[SLOE_LEARNED_INPUTS];
  float *narrow = n <= SIZE_MAX / d ? sloe_alloc(n * d, sizeof *narrow) : NULL;
  unsigned char *known = sloe_alloc(n, 1);
  sloe_status status = SLOE_OK;
  if (!narrow || !known) {
    status = sloe_fail(err, SLOE_NOMEM, "out of memory predicting %zu rows", n);
    goto end;
  }
  for (size_t i = 0; i < n; i++) {
    known[i] = (unsigned char)sloe_learned_inputs(m, x + i * d, z);
    to_float(z, d, narrow + i * d);
  }
  sloe_learned_trees_eval_many(&m->trees, d, narrow, n, out);
  for (size_t i = 0; i < n; i++) out[i] = known[i] ? sloe_learned_target(m, out[i]) : NAN;
end:
  sloe_dealloc(narrow);
  sloe_dealloc(known);
  return status;
}

sloe_status sloe_learned_predict_many(const sloe_learned *m, const double *x, size_t n, double *out,
                                      sloe_error *err) {
  if (m->kind == SLOE_LEARNED_TREE_SUM) return trees_of_many(m, x, n, out, err);
  for (size_t i = 0; i < n; i++) out[i] = sloe_learned_predict(m, x + i * m->n_inputs);
  return SLOE_OK;
}
