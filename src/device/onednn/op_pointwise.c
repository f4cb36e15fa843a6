/* op_pointwise.c: functions of one element and arithmetic of two tensors. */
#include <string.h>

#include "device/onednn/onednn.h"

sloe_status sloe_onednn_eltwise(onednn_job *job, onednn_value *src, dnnl_alg_kind_t alg,
                                float alpha, float beta, onednn_value **dst, sloe_error *err) {
  dnnl_eltwise_desc_t desc;
  onednn_make make = {0};
  sloe_status status;
  *dst = NULL;
  SLOE_TRY(sloe_onednn_as_usual(job, src, err));
  ONEDNN_TRY(
      dnnl_eltwise_forward_desc_init(&desc, dnnl_forward_inference, alg, &src->md, alpha, beta),
      "elementwise function");
  SLOE_GOTO(sloe_onednn_make_begin(&make, job, "elementwise function", &desc, NULL, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SRC, src, err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}

sloe_status sloe_onednn_eltwises(onednn_job *job, onednn_value *src, const onednn_posts *posts,
                                 onednn_value **dst, sloe_error *err) {
  *dst = src;
  for (size_t i = 0; i < posts->n; i++) {
    const onednn_post *post = &posts->post[i];
    onednn_value *before = *dst;
    SLOE_TRY(sloe_onednn_eltwise(job, before, post->alg, post->alpha, post->beta, dst, err));
    if (before != src) sloe_onednn_release(job, before);
  }
  return SLOE_OK;
}

sloe_status sloe_onednn_act(onednn_job *job, onednn_value *src, sloe_spec_act act,
                            onednn_value **dst, sloe_error *err) {
  onednn_posts posts = {.n = 0};
  *dst = NULL;
  if (act == SLOE_SPEC_ACT_ERF) return sloe_onednn_erf(job, src, dst, err);
  if (!sloe_onednn_post_act(&posts, act))
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: no function act=%s", sloe_spec_act_text(act));
  if (!posts.n) return sloe_onednn_eltwise(job, src, dnnl_eltwise_linear, 1, 0, dst, err);
  return sloe_onednn_eltwises(job, src, &posts, dst, err);
}

/* ---- two tensors ---- */

static int commutes(dnnl_alg_kind_t alg) {
  return alg == dnnl_binary_add || alg == dnnl_binary_mul || alg == dnnl_binary_max ||
         alg == dnnl_binary_min;
}

/* Every dim of b is that of a, or 1. */
static int broadcasts_to(const onednn_value *b, const onednn_value *a) {
  for (int i = 0; i < a->rank; i++)
    if (b->dims[i] != a->dims[i] && b->dims[i] != 1) return 0;
  return 1;
}

static sloe_status raise_rank(onednn_job *job, onednn_value **value, int rank, sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK];
  const int more = rank - (*value)->rank;
  if (more <= 0) return SLOE_OK;
  for (int i = 0; i < rank; i++) dims[i] = i < more ? 1 : (*value)->dims[i - more];
  return sloe_onednn_reshape(job, *value, rank, dims, value, err);
}

static sloe_status try_binary(onednn_job *job, dnnl_alg_kind_t alg, const onednn_value *a,
                              const onednn_value *b, onednn_value **dst, sloe_error *err) {
  dnnl_memory_desc_t dst_md;
  dnnl_binary_desc_t desc;
  onednn_make make = {0};
  sloe_status status;
  SLOE_TRY(sloe_onednn_any(a->rank, a->dims, &dst_md, err));
  ONEDNN_TRY(dnnl_binary_desc_init(&desc, alg, &a->md, &b->md, &dst_md), "arithmetic");
  SLOE_GOTO(sloe_onednn_make_begin(&make, job, "arithmetic", &desc, NULL, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SRC_0, a, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SRC_1, b, err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}

static float add(float a, float b) {
  return a + b;
}
static float sub(float a, float b) {
  return a - b;
}
static float mul(float a, float b) {
  return a * b;
}
static float divide(float a, float b) {
  return a / b;
}
static float max(float a, float b) {
  return a > b ? a : b;
}
static float min(float a, float b) {
  return a < b ? a : b;
}

static onednn_binary_fn loop_of(dnnl_alg_kind_t alg) {
  switch (alg) {
    case dnnl_binary_sub: return sub;
    case dnnl_binary_mul: return mul;
    case dnnl_binary_div: return divide;
    case dnnl_binary_max: return max;
    case dnnl_binary_min: return min;
    default: return add;
  }
}

/* In a's layout; where oneDNN has no such thing, both plain. */
sloe_status sloe_onednn_binary(onednn_job *job, dnnl_alg_kind_t alg, onednn_value *a,
                               onednn_value *b, onednn_value **dst, sloe_error *err) {
  *dst = NULL;
  SLOE_TRY(raise_rank(job, &a, b->rank, err));
  SLOE_TRY(raise_rank(job, &b, a->rank, err));
  if (!broadcasts_to(b, a) && commutes(alg)) {
    onednn_value *t = a;
    a = b;
    b = t;
  }
  if (!broadcasts_to(b, a)) return sloe_onednn_broadcast(job, loop_of(alg), a, b, dst, err);
  const int full = memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
  SLOE_TRY(sloe_onednn_as_usual(job, a, err));
  if (full)
    SLOE_TRY(sloe_onednn_as(job, b, &a->md, &b, err));
  else if (!b->fixed)
    SLOE_TRY(sloe_onednn_as_plain(job, b, &b, err));
  const sloe_status status = try_binary(job, alg, a, b, dst, err);
  if (status != SLOE_UNSUPPORTED) return status;
  SLOE_TRY(sloe_onednn_as_plain(job, a, &a, err));
  SLOE_TRY(sloe_onednn_as_plain(job, b, &b, err));
  return try_binary(job, alg, a, b, dst, err);
}
