/* op_norm.c: normalisations and softmax: in the layout that the input has. */
#include "device/onednn/onednn.h"

static sloe_status constant(onednn_job *job, int rank, const int64_t *dims, const char *name,
                            float scale, float offset, onednn_value **out, sloe_error *err) {
  dnnl_memory_desc_t md;
  SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_CONSTANT, rank, dims, name, out, err));
  (*out)->scale = scale;
  (*out)->offset = offset;
  SLOE_TRY(sloe_onednn_plain(rank, dims, &md, err));
  return sloe_onednn_fix(job, *out, &md, err);
}

sloe_status sloe_onednn_batch_norm(onednn_job *job, onednn_value *src, int relu, onednn_value **dst,
                                   sloe_error *err) {
  const unsigned flags =
      dnnl_use_global_stats | dnnl_use_scaleshift | (relu ? (unsigned)dnnl_fuse_norm_relu : 0U);
  const int64_t c = src->dims[1];
  dnnl_batch_normalization_desc_t desc;
  onednn_value *factors, *mean, *variance;
  onednn_make make = {0};
  sloe_status status;
  *dst = NULL;
  SLOE_TRY(sloe_onednn_as_usual(job, src, err));
  SLOE_TRY(constant(job, 2, (int64_t[]){2, c}, "factors", 0.5F, 0.5F, &factors, err));
  SLOE_TRY(constant(job, 1, &c, "mean", 0.1F, 0, &mean, err));
  SLOE_TRY(constant(job, 1, &c, "variance", 0.5F, 1.0F, &variance, err));
  ONEDNN_TRY(dnnl_batch_normalization_forward_desc_init(&desc, dnnl_forward_inference, &src->md,
                                                        1e-5F, flags),
             "batch normalisation");
  SLOE_GOTO(sloe_onednn_make_begin(&make, job, "batch normalisation", &desc, NULL, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SRC, src, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_MEAN, mean, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_VARIANCE, variance, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SCALE_SHIFT, factors, err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}

sloe_status sloe_onednn_layer_norm(onednn_job *job, onednn_value *src, onednn_value **dst,
                                   sloe_error *err) {
  const int64_t c = src->dims[src->rank - 1];
  dnnl_layer_normalization_desc_t desc;
  onednn_value *factors;
  onednn_make make = {0};
  sloe_status status;
  *dst = NULL;
  SLOE_TRY(sloe_onednn_as_plain(job, src, &src, err));
  SLOE_TRY(constant(job, 2, (int64_t[]){2, c}, "factors", 0.5F, 0.5F, &factors, err));
  ONEDNN_TRY(dnnl_layer_normalization_forward_desc_init(&desc, dnnl_forward_inference, &src->md,
                                                        NULL, 1e-5F, dnnl_use_scaleshift),
             "layer normalisation");
  SLOE_GOTO(sloe_onednn_make_begin(&make, job, "layer normalisation", &desc, NULL, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SRC, src, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SCALE_SHIFT, factors, err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}

sloe_status sloe_onednn_lrn(onednn_job *job, onednn_value *src, const onednn_lrn *lrn,
                            onednn_value **dst, sloe_error *err) {
  dnnl_lrn_desc_t desc;
  onednn_make make = {0};
  sloe_status status;
  *dst = NULL;
  SLOE_TRY(sloe_onednn_as_usual(job, src, err));
  ONEDNN_TRY(dnnl_lrn_forward_desc_init(&desc, dnnl_forward_inference, dnnl_lrn_across_channels,
                                        &src->md, lrn->size, lrn->alpha, lrn->beta, lrn->bias),
             "local response normalisation");
  SLOE_GOTO(sloe_onednn_make_begin(&make, job, "local response normalisation", &desc, NULL, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SRC, src, err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}

sloe_status sloe_onednn_softmax(onednn_job *job, onednn_value *src, int axis, int log,
                                onednn_value **dst, sloe_error *err) {
  dnnl_softmax_v2_desc_t desc;
  onednn_make make = {0};
  sloe_status status;
  *dst = NULL;
  SLOE_TRY(sloe_onednn_as_usual(job, src, err));
  ONEDNN_TRY(dnnl_softmax_v2_forward_desc_init(&desc, dnnl_forward_inference,
                                               log ? dnnl_softmax_log : dnnl_softmax_accurate,
                                               &src->md, &src->md, axis),
             "softmax");
  SLOE_GOTO(sloe_onednn_make_begin(&make, job, "softmax", &desc, NULL, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SRC, src, err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}
