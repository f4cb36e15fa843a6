/* op_plain.c: what oneDNN lacks, as loops over plain tensors. */
#include <math.h>
#include <string.h>

#include "device/onednn/onednn.h"

/* ---- one tensor ---- */

typedef struct unary_params {
  onednn_unary_fn fn;
  size_t n;
} unary_params;

static void unary_loop(const onednn_step *step) {
  const unary_params *p = step->params;
  for (size_t i = 0; i < p->n; i++) step->out[i] = p->fn(step->in[0][i]);
}

/* erf as an odd rational function of 13th over 8th degree on +-4, exact to the last bits (the
   coefficients are those of Eigen's fast erf). Without branches, so that it is computed for many
   elements at once. */
static float erf_of(float x) {
  x = x > 4.0F ? 4.0F : x < -4.0F ? -4.0F : x;
  const float s = x * x;
  float p = -2.72614225801306e-10F;
  p = p * s + 2.77068142495902e-08F;
  p = p * s - 2.10102402082508e-06F;
  p = p * s - 5.69250639462346e-05F;
  p = p * s - 7.34990630326855e-04F;
  p = p * s - 2.95459980854025e-03F;
  p = p * s - 1.60960333262415e-02F;
  float q = -1.45660718464996e-05F;
  q = q * s - 2.13374055278905e-04F;
  q = q * s - 1.68282697438203e-03F;
  q = q * s - 7.37332916720468e-03F;
  q = q * s - 1.42647390514189e-02F;
  return x * p / q;
}

static void erf_loop(const onednn_step *step) {
  const size_t n = ((const unary_params *)step->params)->n;
  const float *restrict in = step->in[0];
  float *restrict out = step->out;
  for (size_t i = 0; i < n; i++) out[i] = erf_of(in[i]);
}

static sloe_status add_unary(onednn_job *job, onednn_plain_fn loop, onednn_unary_fn fn,
                             onednn_value *src, onednn_value **dst, sloe_error *err) {
  unary_params *p = SLOE_ARENA_NEW(&job->arena, unary_params, 1);
  *dst = NULL;
  if (!p) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  SLOE_TRY(sloe_onednn_result(job, &src->md, dst, err));
  p->fn = fn;
  p->n = dnnl_memory_desc_get_size(&src->md) / sizeof(float);
  return sloe_onednn_step_plain(job, loop, p, &src, 1, *dst, err);
}

sloe_status sloe_onednn_unary(onednn_job *job, onednn_value *src, onednn_unary_fn fn,
                              onednn_value **dst, sloe_error *err) {
  SLOE_TRY(sloe_onednn_as_plain(job, src, &src, err));
  return add_unary(job, unary_loop, fn, src, dst, err);
}

/* In any layout: of the zeros that pad a block it makes zeros. */
sloe_status sloe_onednn_erf(onednn_job *job, onednn_value *src, onednn_value **dst,
                            sloe_error *err) {
  SLOE_TRY(sloe_onednn_as_usual(job, src, err));
  return add_unary(job, erf_loop, NULL, src, dst, err);
}

/* ---- two tensors ---- */

typedef struct broadcast_params {
  onednn_binary_fn fn;
  int rank;
  int64_t dims[SLOE_MAX_RANK], step_a[SLOE_MAX_RANK], step_b[SLOE_MAX_RANK];
} broadcast_params;

static void broadcast_loop(const onednn_step *step) {
  const broadcast_params *p = step->params;
  int64_t at[SLOE_MAX_RANK] = {0}, a = 0, b = 0;
  const int last = p->rank - 1;
  for (float *out = step->out;;) {
    for (int64_t i = 0; i < p->dims[last]; i++)
      *out++ = p->fn(step->in[0][a + i * p->step_a[last]], step->in[1][b + i * p->step_b[last]]);
    int d = last - 1;
    for (; d >= 0; d--) {
      a += p->step_a[d];
      b += p->step_b[d];
      if (++at[d] < p->dims[d]) break;
      a -= p->dims[d] * p->step_a[d];
      b -= p->dims[d] * p->step_b[d];
      at[d] = 0;
    }
    if (d < 0) return;
  }
}

/* Strides of a plain tensor, 0 where it has one element for many. */
static void steps_of(const onednn_value *value, int64_t *step) {
  int64_t stride = 1;
  for (int i = value->rank - 1; i >= 0; i--) {
    step[i] = value->dims[i] == 1 ? 0 : stride;
    stride *= value->dims[i];
  }
}

sloe_status sloe_onednn_broadcast(onednn_job *job, onednn_binary_fn fn, onednn_value *a,
                                  onednn_value *b, onednn_value **dst, sloe_error *err) {
  broadcast_params *p = SLOE_ARENA_NEW(&job->arena, broadcast_params, 1);
  dnnl_memory_desc_t md;
  *dst = NULL;
  if (!p) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  p->fn = fn;
  p->rank = a->rank;
  for (int i = 0; i < a->rank; i++) {
    if (a->dims[i] != b->dims[i] && a->dims[i] != 1 && b->dims[i] != 1)
      return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: arithmetic of shapes that do not fit");
    p->dims[i] = a->dims[i] == 1 ? b->dims[i] : a->dims[i];
  }
  steps_of(a, p->step_a);
  steps_of(b, p->step_b);
  SLOE_TRY(sloe_onednn_as_plain(job, a, &a, err));
  SLOE_TRY(sloe_onednn_as_plain(job, b, &b, err));
  SLOE_TRY(sloe_onednn_plain(a->rank, p->dims, &md, err));
  SLOE_TRY(sloe_onednn_result(job, &md, dst, err));
  return sloe_onednn_step_plain(job, broadcast_loop, p, (onednn_value *[]){a, b}, 2, *dst, err);
}
