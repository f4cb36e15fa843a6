/* op_product.c: products with constant weights, and of two activations. */
#include <math.h>

#include "device/onednn/onednn.h"

static sloe_status init_fc(const onednn_value *src, const onednn_value *weights,
                           const onednn_value *bias, dnnl_inner_product_desc_t *desc,
                           sloe_error *err) {
  dnnl_memory_desc_t src_md, weights_md, bias_md, dst_md;
  SLOE_TRY(sloe_onednn_any(2, src->dims, &src_md, err));
  SLOE_TRY(sloe_onednn_any(2, weights->dims, &weights_md, err));
  SLOE_TRY(sloe_onednn_plain(1, bias->dims, &bias_md, err));
  SLOE_TRY(sloe_onednn_any(2, (int64_t[]){src->dims[0], weights->dims[0]}, &dst_md, err));
  ONEDNN_TRY(dnnl_inner_product_forward_desc_init(desc, dnnl_forward_inference, &src_md,
                                                  &weights_md, &bias_md, &dst_md),
             "inner product");
  return SLOE_OK;
}

sloe_status sloe_onednn_fc(onednn_job *job, onednn_value *src, int64_t k, const onednn_posts *posts,
                           const char *name, onednn_value **dst, sloe_error *err) {
  dnnl_inner_product_desc_t desc;
  onednn_value *weights, *bias;
  onednn_make make = {0};
  sloe_status status;
  *dst = NULL;
  SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_CONSTANT, 2, (int64_t[]){k, src->dims[1]}, name,
                                 &weights, err));
  SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_CONSTANT, 1, (int64_t[]){k}, "bias", &bias, err));
  weights->scale = sqrtf(3.0F / (float)src->dims[1]);
  bias->scale = 0.1F;
  SLOE_TRY(init_fc(src, weights, bias, &desc, err));
  SLOE_GOTO(sloe_onednn_make_begin(&make, job, "inner product", &desc, posts, err));
  SLOE_GOTO(sloe_onednn_make_in(&make, DNNL_ARG_SRC, dnnl_query_src_md, 0, src, err));
  SLOE_GOTO(sloe_onednn_make_in(&make, DNNL_ARG_WEIGHTS, dnnl_query_weights_md, 0, weights, err));
  SLOE_GOTO(sloe_onednn_make_in(&make, DNNL_ARG_BIAS, dnnl_query_weights_md, 1, bias, err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}

sloe_status sloe_onednn_matmul(onednn_job *job, onednn_value *a, onednn_value *b,
                               const onednn_posts *posts, onednn_value **dst, sloe_error *err) {
  dnnl_memory_desc_t dst_md;
  dnnl_matmul_desc_t desc;
  onednn_make make = {0};
  sloe_status status;
  int64_t dims[SLOE_MAX_RANK];
  *dst = NULL;
  SLOE_TRY(sloe_onednn_as_plain(job, a, &a, err));
  SLOE_TRY(sloe_onednn_as_plain(job, b, &b, err));
  for (int i = 0; i < a->rank; i++) dims[i] = a->dims[i] > b->dims[i] ? a->dims[i] : b->dims[i];
  dims[a->rank - 2] = a->dims[a->rank - 2];
  dims[a->rank - 1] = b->dims[a->rank - 1];
  SLOE_TRY(sloe_onednn_plain(a->rank, dims, &dst_md, err));
  ONEDNN_TRY(dnnl_matmul_desc_init(&desc, &a->md, &b->md, NULL, &dst_md), "matrix product");
  SLOE_GOTO(sloe_onednn_make_begin(&make, job, "matrix product", &desc, posts, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_SRC, a, err));
  SLOE_GOTO(sloe_onednn_make_arg(&make, DNNL_ARG_WEIGHTS, b, err));
  status = sloe_onednn_make_end(&make, dst, err);
fail:
  sloe_onednn_make_fini(&make);
  return status;
}
