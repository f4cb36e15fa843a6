/* gpu_move.c: what moves data: concatenation, slices, padding, transposition, copies. All are the
 * identity over strides (gpu_map.c). */
#include "device/cudnn/cudnn.h"

sloe_status sloe_cudnn_copy(cudnn_job *job, cudnn_value *src, cudnn_layout layout,
                            cudnn_value **dst, sloe_error *err) {
  SLOE_TRY(
      sloe_cudnn_value_new(job, CUDNN_ACTIVATION, src->rank, src->dims, layout, NULL, dst, err));
  return sloe_cudnn_map(job, "x", &src, 1, *dst, err);
}

/* Each part is a launch. */
sloe_status sloe_cudnn_concat(cudnn_job *job, cudnn_value *const *src, size_t n, int axis,
                              cudnn_value **dst, sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK] = {0}, from[SLOE_MAX_RANK] = {0};
  *dst = NULL;
  for (int d = 0; d < src[0]->rank; d++) dims[d] = src[0]->dims[d];
  for (size_t i = 1; i < n; i++) dims[axis] += src[i]->dims[axis];
  SLOE_TRY(sloe_cudnn_result(job, src[0], src[0]->rank, dims, dst, err));
  for (size_t i = 0; i < n; i++) {
    cudnn_value *part, *from_part = src[i];
    SLOE_TRY(sloe_cudnn_part(job, *dst, from, from_part->dims, &part, err));
    SLOE_TRY(sloe_cudnn_map(job, "x", &from_part, 1, part, err));
    sloe_cudnn_release(job, part);
    from[axis] += from_part->dims[axis];
  }
  return SLOE_OK;
}

sloe_status sloe_cudnn_slice(cudnn_job *job, cudnn_value *src, const int64_t *from,
                             const int64_t *dims, cudnn_value **dst, sloe_error *err) {
  cudnn_value *part;
  *dst = NULL;
  SLOE_TRY(sloe_cudnn_part(job, src, from, dims, &part, err));
  SLOE_TRY(sloe_cudnn_result(job, src, src->rank, dims, dst, err));
  const sloe_status status = sloe_cudnn_map(job, "x", &part, 1, *dst, err);
  sloe_cudnn_release(job, part);
  return status;
}

static sloe_status launch_zero(const cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  const cudnn_value *value = step->params;
  const size_t bytes = (size_t)sloe_cudnn_elements(value) * (job->device->half ? 2 : 4);
  CUDA_TRY(cudaMemsetAsync(sloe_cudnn_at(job, value), 0, bytes, job->device->stream), "padding");
  return SLOE_OK;
}

sloe_status sloe_cudnn_pad(cudnn_job *job, cudnn_value *src, const int64_t *before,
                           const int64_t *dims, cudnn_value **dst, sloe_error *err) {
  sloe_pad pad;
  cudnn_value *in, *out, *whole;
  *dst = NULL;
  if (!sloe_pad_of(src->rank, src->dims, before, dims, &pad))
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: nothing is left of a tensor");
  SLOE_TRY(sloe_cudnn_result(job, src, src->rank, dims, &whole, err));
  SLOE_TRY(sloe_cudnn_step_add(job, &(cudnn_step){.launch = launch_zero, .params = whole}, err));
  SLOE_TRY(sloe_cudnn_part(job, src, pad.from, pad.kept, &in, err));
  SLOE_TRY(sloe_cudnn_part(job, whole, pad.to, pad.kept, &out, err));
  const sloe_status status = sloe_cudnn_map(job, "x", &in, 1, out, err);
  sloe_cudnn_release(job, in);
  sloe_cudnn_release(job, out);
  *dst = status == SLOE_OK ? whole : NULL;
  return status;
}

/* The result is plain; a view of the source has its dimensions in the new order. */
sloe_status sloe_cudnn_transpose(cudnn_job *job, cudnn_value *src, const int *perm,
                                 cudnn_value **dst, sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK] = {0}, strides[SLOE_MAX_RANK] = {0};
  const int64_t from[SLOE_MAX_RANK] = {0};
  cudnn_value *view;
  *dst = NULL;
  for (int i = 0; i < src->rank; i++) {
    dims[i] = src->dims[perm[i]];
    strides[i] = src->strides[perm[i]];
  }
  SLOE_TRY(sloe_cudnn_part(job, src, from, dims, &view, err));
  for (int i = 0; i < src->rank; i++) view->strides[i] = strides[i];
  SLOE_TRY(
      sloe_cudnn_value_new(job, CUDNN_ACTIVATION, src->rank, dims, CUDNN_PLAIN, NULL, dst, err));
  const sloe_status status = sloe_cudnn_map(job, "x", &view, 1, *dst, err);
  sloe_cudnn_release(job, view);
  return status;
}
