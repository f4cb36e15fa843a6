/* gpu_window.c: pooling through cuDNN where it has it, else, as resizing and local response
 * normalisation, by kernels of which each thread makes an element. */
#include <stdio.h>

#include "device/cudnn/cudnn.h"

enum { THREADS = 256 };

typedef struct cudnn_image_args { /* struct Image of gpu_kernels.c */
  int n, c, h, w, oh, ow;
  int64_t in[4], out[4];
  int kernel[2], step[2], dilation[2], pad[2];
  int last;
  float a, b, k;
} cudnn_image_args;

typedef struct image_params {
  cudaKernel_t kernel;
  cudnn_image_args args;
  cudnn_value *in, *out;
} image_params;

static sloe_status launch_image(const cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  const image_params *p = step->params;
  cudnn_image_args args = p->args;
  void *out = sloe_cudnn_at(job, p->out), *in = sloe_cudnn_at(job, p->in);
  void *list[] = {&out, &in, &args};
  const int64_t n = sloe_cudnn_elements(p->out);
  return sloe_cudnn_launch(job->device, p->kernel, (unsigned)((n + THREADS - 1) / THREADS), THREADS,
                           list, err);
}

/* The step of kernel `name` from `src` to a new value of height and width `out`. */
static sloe_status add_image(cudnn_job *job, const char *name, cudnn_value *src,
                             const int64_t out[2], cudnn_image_args args, cudnn_value **dst,
                             sloe_error *err) {
  image_params *p = SLOE_ARENA_NEW(&job->arena, image_params, 1);
  const int64_t *d = src->dims, dims[] = {d[0], d[1], out[0], out[1]};
  *dst = NULL;
  if (!p) return sloe_cudnn_nomem(err);
  SLOE_TRY(sloe_cudnn_result(job, src, 4, dims, dst, err));
  args.n = (int)d[0], args.c = (int)d[1], args.h = (int)d[2], args.w = (int)d[3];
  args.oh = (int)out[0], args.ow = (int)out[1];
  args.last = !sloe_cudnn_is(*dst, CUDNN_PLAIN);
  for (int i = 0; i < 4; i++) {
    args.in[i] = src->strides[i];
    args.out[i] = (*dst)->strides[i];
  }
  *p = (image_params){.args = args, .in = src, .out = *dst};
  SLOE_TRY(sloe_cudnn_kernel(job->device, name, sloe_cudnn_text_image, &p->kernel, err));
  return sloe_cudnn_step_add(job, &(cudnn_step){.launch = launch_image, .params = p}, err);
}

sloe_status sloe_cudnn_resize(cudnn_job *job, cudnn_value *src, const int64_t out[2], int linear,
                              cudnn_value **dst, sloe_error *err) {
  const cudnn_image_args args = {.n = 0};
  return add_image(job, linear ? "linear" : "nearest", src, out, args, dst, err);
}

sloe_status sloe_cudnn_lrn(cudnn_job *job, cudnn_value *src, int64_t size, const float abk[3],
                           cudnn_value **dst, sloe_error *err) {
  const cudnn_image_args args = {.kernel = {(int)size, 1}, .a = abk[0], .b = abk[1], .k = abk[2]};
  return add_image(job, "lrn", src, src->dims + 2, args, dst, err);
}

/* ---- pooling ---- */

typedef struct pool_params {
  cudnnPoolingDescriptor_t pool;
  cudnnTensorDescriptor_t src, dst;
  cudnn_value *in, *out;
} pool_params;

static void destroy_pool(void *handle) {
  (void)cudnnDestroyPoolingDescriptor(handle);
}
static void destroy_tensor(void *handle) {
  (void)cudnnDestroyTensorDescriptor(handle);
}

static sloe_status launch_pool(const cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  const pool_params *p = step->params;
  const float one = 1.0F, zero = 0.0F;
  DNN_TRY(cudnnPoolingForward(job->device->dnn, p->pool, &one, p->src, sloe_cudnn_at(job, p->in),
                              &zero, p->dst, sloe_cudnn_at(job, p->out)),
          "pooling");
  return SLOE_OK;
}

/* cuDNN pads both sides alike, by less than the window, and has no dilation. */
static int has_pool(const cudnn_value *src, const sloe_window *w) {
  for (int d = 0; d < 2; d++) {
    const int64_t left = src->dims[2 + d] + 2 * w->pad[d] - w->kernel[d];
    if (w->dilation[d] != 1 || w->pad[d] < 0 || w->pad[d] >= w->kernel[d] || left < 0 ||
        left / w->stride[d] + 1 != w->out[d])
      return 0;
  }
  return 1;
}

static sloe_status make_tensor(cudnn_job *job, const cudnn_value *v, cudnnTensorDescriptor_t *out,
                               sloe_error *err) {
  const int64_t *d = v->dims;
  DNN_TRY(cudnnCreateTensorDescriptor(out), "a descriptor");
  SLOE_TRY(sloe_cudnn_own(job, *out, destroy_tensor, err));
  DNN_TRY(cudnnSetTensor4dDescriptor(
              *out, sloe_cudnn_is(v, CUDNN_PLAIN) ? CUDNN_TENSOR_NCHW : CUDNN_TENSOR_NHWC,
              job->device->half ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT, (int)d[0], (int)d[1],
              (int)d[2], (int)d[3]),
          "pooling");
  return SLOE_OK;
}

static sloe_status make_pool(cudnn_job *job, const sloe_window *w, cudnn_pool_mode mode,
                             cudnnPoolingDescriptor_t *out, sloe_error *err) {
  static const cudnnPoolingMode_t modes[] = {
      [CUDNN_MAX] = CUDNN_POOLING_MAX,
      [CUDNN_MEAN] = CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING,
      [CUDNN_MEAN_PADDED] = CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING};
  DNN_TRY(cudnnCreatePoolingDescriptor(out), "a descriptor");
  SLOE_TRY(sloe_cudnn_own(job, *out, destroy_pool, err));
  DNN_TRY(cudnnSetPooling2dDescriptor(*out, modes[mode], CUDNN_NOT_PROPAGATE_NAN, (int)w->kernel[0],
                                      (int)w->kernel[1], (int)w->pad[0], (int)w->pad[1],
                                      (int)w->stride[0], (int)w->stride[1]),
          "pooling");
  return SLOE_OK;
}

static sloe_status add_pool(cudnn_job *job, cudnn_value *src, const sloe_window *w,
                            cudnn_pool_mode mode, cudnn_value **dst, sloe_error *err) {
  pool_params *p = SLOE_ARENA_NEW(&job->arena, pool_params, 1);
  const int64_t dims[] = {src->dims[0], src->dims[1], w->out[0], w->out[1]};
  if (!p) return sloe_cudnn_nomem(err);
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_ACTIVATION, 4, dims,
                                sloe_cudnn_is(src, CUDNN_PLAIN) ? CUDNN_PLAIN : CUDNN_LAST, NULL,
                                dst, err));
  p->in = src;
  p->out = *dst;
  SLOE_TRY(make_tensor(job, src, &p->src, err));
  DNN_TRY(cudnnCreateTensorDescriptor(&p->dst), "a descriptor");
  SLOE_TRY(sloe_cudnn_own(job, p->dst, destroy_tensor, err));
  DNN_TRY(cudnnSetTensor4dDescriptor(
              p->dst, sloe_cudnn_is(src, CUDNN_PLAIN) ? CUDNN_TENSOR_NCHW : CUDNN_TENSOR_NHWC,
              job->device->half ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT, (int)dims[0], (int)dims[1],
              (int)dims[2], (int)dims[3]),
          "pooling");
  SLOE_TRY(make_pool(job, w, mode, &p->pool, err));
  return sloe_cudnn_step_add(job, &(cudnn_step){.launch = launch_pool, .params = p}, err);
}

sloe_status sloe_cudnn_pool(cudnn_job *job, cudnn_value *src, const sloe_window *w,
                            cudnn_pool_mode mode, cudnn_value **dst, sloe_error *err) {
  static const char *const names[] = {
      [CUDNN_MAX] = "pool_max", [CUDNN_MEAN] = "pool_mean", [CUDNN_MEAN_PADDED] = "pool_padded"};
  cudnn_image_args args = {.n = 0};
  *dst = NULL;
  if (has_pool(src, w)) return add_pool(job, src, w, mode, dst, err);
  for (int d = 0; d < 2; d++) {
    args.kernel[d] = (int)w->kernel[d];
    args.step[d] = (int)w->stride[d];
    args.dilation[d] = (int)w->dilation[d];
    args.pad[d] = (int)w->pad[d];
  }
  return add_image(job, names[mode], src, w->out, args, dst, err);
}
