/* op_conv.c: convolutions and transposed ones. */
#include <math.h>
#include <string.h>

#include "device/onednn/onednn.h"

static sloe_status init_desc(int transposed, const sloe_window *w, const dnnl_memory_desc_t *src,
                             const dnnl_memory_desc_t *weights, const dnnl_memory_desc_t *bias,
                             const dnnl_memory_desc_t *dst, dnnl_convolution_desc_t *desc,
                             sloe_error *err) {
  const dnnl_dims_t dilates = {w->dilation[0] - 1, w->dilation[1] - 1};
  const dnnl_dims_t strides = {w->stride[0], w->stride[1]};
  const dnnl_dims_t before = {w->pad[0], w->pad[1]}, behind = {w->pad_end[0], w->pad_end[1]};
  if (transposed)
    ONEDNN_TRY(dnnl_dilated_deconvolution_forward_desc_init(
                   desc, dnnl_forward_inference, dnnl_deconvolution_direct, src, weights, bias, dst,
                   strides, dilates, before, behind),
               "transposed convolution");
  else
    ONEDNN_TRY(dnnl_dilated_convolution_forward_desc_init(
                   desc, dnnl_forward_inference, dnnl_convolution_direct, src, weights, bias, dst,
                   strides, dilates, before, behind),
               "convolution");
  return SLOE_OK;
}

/* Random weights of a variance that keeps that of the activations, and a bias that no layer can
   make vanish. */
static sloe_status make_weights(onednn_job *job, const onednn_value *src, const sloe_window *w,
                                const char *name, onednn_value **weights, onednn_value **bias,
                                sloe_error *err) {
  const int64_t ic = src->dims[1] / w->groups, oc = w->k / w->groups;
  const int64_t dims[] = {w->groups, oc, ic, w->kernel[0], w->kernel[1]};
  const int grouped = w->groups > 1;
  SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_CONSTANT, grouped ? 5 : 4, grouped ? dims : dims + 1,
                                 name, weights, err));
  (*weights)->scale = sqrtf(3.0F / (float)(ic * w->kernel[0] * w->kernel[1]));
  SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_CONSTANT, 1, (int64_t[]){w->k}, "bias", bias, err));
  (*bias)->scale = 0.1F;
  return SLOE_OK;
}

/* oneDNN has every combination of post-ops, but some of them only by way of a general matrix
   product or of its reference code, ten times slower than convolution and operand apart. */
static sloe_status refuse_slow(const onednn_make *make, sloe_error *err) {
  const char *name = sloe_onednn_make_name(make);
  int operands = 0;
  for (size_t i = 0; make->posts && i < make->posts->n; i++)
    operands |= make->posts->post[i].what != ONEDNN_POST_ELTWISE;
  if (!operands) return SLOE_OK;
  if (!strstr(name, "gemm:") && !strstr(name, "ref")) return SLOE_OK;
  return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: these post-ops would be done by %.40s", name);
}

sloe_status sloe_onednn_conv(onednn_job *job, int transposed, onednn_value *src,
                             const sloe_window *w, const onednn_posts *posts, const char *name,
                             onednn_value **dst, sloe_error *err) {
  dnnl_memory_desc_t src_md, weights_md, bias_md, dst_md;
  dnnl_convolution_desc_t desc;
  onednn_value *weights, *bias;
  onednn_make make = {0};
  sloe_status status;
  *dst = NULL;
  SLOE_TRY(make_weights(job, src, w, name, &weights, &bias, err));
  SLOE_TRY(sloe_onednn_any(4, src->dims, &src_md, err));
  SLOE_TRY(sloe_onednn_any(weights->rank, weights->dims, &weights_md, err));
  SLOE_TRY(sloe_onednn_plain(1, bias->dims, &bias_md, err));
  SLOE_TRY(sloe_onednn_any(4, (int64_t[]){src->dims[0], w->k, w->out[0], w->out[1]}, &dst_md, err));
  SLOE_TRY(init_desc(transposed, w, &src_md, &weights_md, &bias_md, &dst_md, &desc, err));
  SLOE_GOTO(sloe_onednn_make_begin(
      &make, job, transposed ? "transposed convolution" : "convolution", &desc, posts, err));
  SLOE_GOTO(refuse_slow(&make, err));
  SLOE_GOTO(sloe_onednn_make_in(&make, DNNL_ARG_SRC, dnnl_query_src_md, 0, src, err));
  SLOE_GOTO(sloe_onednn_make_in(&make, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, weights, err));
  SLOE_GOTO(sloe_onednn_make_in(&make, DNNL_ARG_BIAS, dnnl_query_weights_md, 1, bias, err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}
