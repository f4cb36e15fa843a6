#include "model/learned.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

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

int sloe_learned_inputs(const sloe_learned *m, const double *x, double *z) {
  double unknown = 0; /* 0 x inf and 0 x nan are nan */
  for (size_t j = 0; j < m->n_inputs; j++) {
    const double t = m->log_inputs ? copysign(log1p(fabs(x[j])), x[j]) : x[j];
    z[j] = (t - m->shift[j]) * m->scale[j];
    unknown += 0 * z[j];
  }
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
