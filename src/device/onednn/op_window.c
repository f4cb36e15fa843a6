/* op_window.c: pooling, resampling, reductions: in the layout that the input has, as far as there
 * is code for it. */
#include <string.h>

#include "device/onednn/onednn.h"

/* The step of a primitive with one input and one output. */
static sloe_status one_to_one(onednn_job *job, const char *what, const_dnnl_op_desc_t desc,
                              const onednn_value *src, onednn_value **dst, sloe_error *err) {
  onednn_make make = {0};
  sloe_status status;
  SLOE_GOTO(sloe_onednn_make_begin(&make, job, what, desc, NULL, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SRC, src, err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}

static sloe_status begin_pool(onednn_make *make, onednn_job *job, const onednn_value *src,
                              const sloe_window *w, dnnl_alg_kind_t alg, sloe_error *err) {
  dnnl_memory_desc_t dst_md;
  dnnl_pooling_v2_desc_t desc;
  const dnnl_dims_t strides = {w->stride[0], w->stride[1]};
  const dnnl_dims_t kernel = {w->kernel[0], w->kernel[1]};
  const dnnl_dims_t dilation = {w->dilation[0] - 1, w->dilation[1] - 1};
  const dnnl_dims_t before = {w->pad[0], w->pad[1]}, behind = {w->pad_end[0], w->pad_end[1]};
  const int64_t dims[] = {src->dims[0], src->dims[1], w->out[0], w->out[1]};
  SLOE_TRY(sloe_onednn_any(4, dims, &dst_md, err));
  ONEDNN_TRY(dnnl_pooling_v2_forward_desc_init(&desc, dnnl_forward_inference, alg, &src->md,
                                               &dst_md, strides, kernel, dilation, before, behind),
             "pooling");
  return sloe_onednn_make_begin(make, job, "pooling", &desc, NULL, err);
}

/* In blocks as a grouped convolution of few channels a group writes them, oneDNN pools by its
   reference code, fifty times slower than a copy to the usual layout and pooling there. */
sloe_status sloe_onednn_pool(onednn_job *job, onednn_value *src, const sloe_window *w,
                             dnnl_alg_kind_t alg, onednn_value **dst, sloe_error *err) {
  onednn_make make = {0};
  dnnl_memory_desc_t usual;
  sloe_status status;
  *dst = NULL;
  SLOE_TRY(sloe_onednn_as_usual(job, src, err));
  SLOE_GOTO(begin_pool(&make, job, src, w, alg, err));
  if (strstr(sloe_onednn_make_name(&make), "ref")) {
    sloe_onednn_make_fini(&make);
    make = (onednn_make){0};
    SLOE_GOTO(sloe_onednn_usual(job, src, &usual, err));
    SLOE_GOTO(sloe_onednn_as(job, src, &usual, &src, err));
    SLOE_GOTO(begin_pool(&make, job, src, w, alg, err));
  }
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SRC, src, err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}

sloe_status sloe_onednn_global_pool(onednn_job *job, onednn_value *src, dnnl_alg_kind_t alg,
                                    onednn_value **dst, sloe_error *err) {
  const sloe_window w = {
      .kernel = {src->dims[2], src->dims[3]}, .stride = {1, 1}, .dilation = {1, 1}, .out = {1, 1}};
  return sloe_onednn_pool(job, src, &w, alg, dst, err);
}

sloe_status sloe_onednn_resample(onednn_job *job, onednn_value *src, const int64_t out[2],
                                 int linear, onednn_value **dst, sloe_error *err) {
  dnnl_memory_desc_t dst_md;
  dnnl_resampling_desc_t desc;
  const int64_t dims[] = {src->dims[0], src->dims[1], out[0], out[1]};
  *dst = NULL;
  SLOE_TRY(sloe_onednn_as_usual(job, src, err));
  SLOE_TRY(sloe_onednn_any(4, dims, &dst_md, err));
  ONEDNN_TRY(
      dnnl_resampling_forward_desc_init(&desc, dnnl_forward_inference,
                                        linear ? dnnl_resampling_linear : dnnl_resampling_nearest,
                                        NULL, &src->md, &dst_md),
      "resampling");
  return one_to_one(job, "resampling", &desc, src, dst, err);
}

sloe_status sloe_onednn_reduce(onednn_job *job, onednn_value *src, dnnl_alg_kind_t alg,
                               const int64_t *dims, onednn_value **dst, sloe_error *err) {
  dnnl_memory_desc_t dst_md;
  dnnl_reduction_desc_t desc;
  *dst = NULL;
  SLOE_TRY(sloe_onednn_as_usual(job, src, err));
  SLOE_TRY(sloe_onednn_any(src->rank, dims, &dst_md, err));
  ONEDNN_TRY(dnnl_reduction_desc_init(&desc, alg, &src->md, &dst_md, 2.0F, 0.0F), "reduction");
  return one_to_one(job, "reduction", &desc, src, dst, err);
}
