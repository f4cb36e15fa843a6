/* usual.c: the layout that tensors between convolutions have on this processor. */
#include "device/onednn/onednn.h"

/* Fewer channels than this fill no block: the tensor stays plain, as an image does. */
enum { LEAST_CHANNELS = 8 };

/* What a 3x3 convolution of as many channels writes. */
static sloe_status ask_conv(const onednn_job *job, const onednn_value *value,
                            dnnl_memory_desc_t *out, sloe_error *err) {
  const int64_t c = value->dims[1];
  const dnnl_dims_t one = {1, 1};
  dnnl_memory_desc_t any, weights;
  dnnl_convolution_desc_t desc;
  dnnl_primitive_desc_t pd = NULL;
  SLOE_TRY(sloe_onednn_any(4, value->dims, &any, err));
  SLOE_TRY(sloe_onednn_any(4, (int64_t[]){c, c, 3, 3}, &weights, err));
  dnnl_status_t said =
      dnnl_convolution_forward_desc_init(&desc, dnnl_forward_inference, dnnl_convolution_direct,
                                         &any, &weights, NULL, &any, one, one, one);
  if (said == dnnl_success)
    said = dnnl_primitive_desc_create(&pd, &desc, NULL, job->device->engine, NULL);
  if (said != dnnl_success) return sloe_onednn_plain(4, value->dims, out, err);
  *out = *dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0);
  dnnl_primitive_desc_destroy(pd);
  return SLOE_OK;
}

sloe_status sloe_onednn_usual(const onednn_job *job, const onednn_value *value,
                              dnnl_memory_desc_t *out, sloe_error *err) {
  if (value->rank == 4 && value->dims[1] >= LEAST_CHANNELS) return ask_conv(job, value, out, err);
  return sloe_onednn_plain(value->rank, value->dims, out, err);
}

sloe_status sloe_onednn_as_usual(onednn_job *job, onednn_value *value, sloe_error *err) {
  dnnl_memory_desc_t md;
  if (value->fixed) return SLOE_OK;
  SLOE_TRY(sloe_onednn_usual(job, value, &md, err));
  return sloe_onednn_fix(job, value, &md, err);
}
