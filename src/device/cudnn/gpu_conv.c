/* gpu_conv.c: convolutions and transposed ones through cuDNN, with bias, residual and activation.
 *
 * Candidates are every algorithm of cuDNN, each in two ways: the fused call
 * (cudnnConvolutionBiasActivationForward: bias, residual, Relu or nothing), where cuDNN has it, and
 * the bare convolution with one kernel of our own behind it for all the rest. Both are measured
 * (gpu_steps.c). Where no algorithm takes channels last, as for some grouped ones, the plain layout
 * is tried. cuDNN pads both sides alike; other padding is written into a larger tensor first, in
 * the time of the layer. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "device/cudnn/cudnn.h"

enum { ALGOS = CUDNN_CONVOLUTION_FWD_ALGO_COUNT, MOST = 2 * ALGOS };
static const size_t MOST_WORKSPACE = (size_t)2 << 30;

typedef struct conv {
  cudnnTensorDescriptor_t src, dst, bias;
  cudnnFilterDescriptor_t filter;
  cudnnConvolutionDescriptor_t window;
  cudnnActivationDescriptor_t act;
  cudnn_value *in, *weights, *bias_value, *residual, *out;
  int transposed;
} conv;

typedef struct conv_params {
  const conv *c;
  int algo;
  cudnn_step tail; /* launch NULL: the call does all */
} conv_params;

/* ---- launches ---- */

static sloe_status launch_fused(const cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  const conv_params *p = step->params;
  const conv *c = p->c;
  const float one = 1.0F, zero = 0.0F;
  const void *out = sloe_cudnn_at(job, c->out);
  const void *residual = c->residual ? sloe_cudnn_at(job, c->residual) : out;
  DNN_TRY(
      cudnnConvolutionBiasActivationForward(
          job->device->dnn, &one, c->src, sloe_cudnn_at(job, c->in), c->filter,
          sloe_cudnn_at(job, c->weights), c->window, (cudnnConvolutionFwdAlgo_t)p->algo,
          job->workspace, step->workspace, c->residual ? &one : &zero, c->dst, residual, c->bias,
          sloe_cudnn_at(job, c->bias_value), c->act, c->dst, sloe_cudnn_at(job, c->out)),
      "convolution");
  return SLOE_OK;
}

static sloe_status launch_bare(const cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  const conv_params *p = step->params;
  const conv *c = p->c;
  const float one = 1.0F, zero = 0.0F;
  const void *in = sloe_cudnn_at(job, c->in), *weights = sloe_cudnn_at(job, c->weights);
  void *out = sloe_cudnn_at(job, c->out);
  if (c->transposed)
    DNN_TRY(cudnnConvolutionBackwardData(job->device->dnn, &one, c->filter, weights, c->src, in,
                                         c->window, (cudnnConvolutionBwdDataAlgo_t)p->algo,
                                         job->workspace, step->workspace, &zero, c->dst, out),
            "transposed convolution");
  else
    DNN_TRY(cudnnConvolutionForward(job->device->dnn, &one, c->src, in, c->filter, weights,
                                    c->window, (cudnnConvolutionFwdAlgo_t)p->algo, job->workspace,
                                    step->workspace, &zero, c->dst, out),
            "convolution");
  return p->tail.launch(job, &p->tail, err);
}

/* ---- descriptors ---- */

static void destroy_tensor(void *handle) {
  (void)cudnnDestroyTensorDescriptor(handle);
}
static void destroy_filter(void *handle) {
  (void)cudnnDestroyFilterDescriptor(handle);
}
static void destroy_window(void *handle) {
  (void)cudnnDestroyConvolutionDescriptor(handle);
}
static void destroy_act(void *handle) {
  (void)cudnnDestroyActivationDescriptor(handle);
}

static cudnnDataType_t type_of(const cudnn_job *job) {
  return job->device->half ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT;
}

static sloe_status make_tensor(cudnn_job *job, const cudnn_value *v, cudnn_layout layout,
                               cudnnTensorDescriptor_t *out, sloe_error *err) {
  DNN_TRY(cudnnCreateTensorDescriptor(out), "a descriptor");
  SLOE_TRY(sloe_cudnn_own(job, *out, destroy_tensor, err));
  DNN_TRY(cudnnSetTensor4dDescriptor(
              *out, layout == CUDNN_LAST ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW, type_of(job),
              (int)v->dims[0], (int)v->dims[1], (int)v->dims[2], (int)v->dims[3]),
          "a convolution's tensor");
  return SLOE_OK;
}

static sloe_status make_filter(cudnn_job *job, conv *c, cudnn_layout layout, sloe_error *err) {
  const int64_t *d = c->weights->dims;
  DNN_TRY(cudnnCreateFilterDescriptor(&c->filter), "a descriptor");
  SLOE_TRY(sloe_cudnn_own(job, c->filter, destroy_filter, err));
  DNN_TRY(cudnnSetFilter4dDescriptor(c->filter, type_of(job),
                                     layout == CUDNN_LAST ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW,
                                     (int)d[0], (int)d[1], (int)d[2], (int)d[3]),
          "a filter");
  return SLOE_OK;
}

static sloe_status make_window(cudnn_job *job, conv *c, const cudnn_window *w, sloe_error *err) {
  const cudnn_device *device = job->device;
  const cudnnMathType_t math = device->half   ? CUDNN_TENSOR_OP_MATH
                               : device->tf32 ? CUDNN_DEFAULT_MATH
                                              : CUDNN_FMA_MATH;
  DNN_TRY(cudnnCreateConvolutionDescriptor(&c->window), "a descriptor");
  SLOE_TRY(sloe_cudnn_own(job, c->window, destroy_window, err));
  DNN_TRY(cudnnSetConvolution2dDescriptor(
              c->window, (int)w->pad[0], (int)w->pad[1], (int)w->stride[0], (int)w->stride[1],
              (int)w->dilation[0], (int)w->dilation[1], CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
          "a window");
  DNN_TRY(cudnnSetConvolutionGroupCount(c->window, (int)w->groups), "groups");
  DNN_TRY(cudnnSetConvolutionMathType(c->window, math), "a convolution's arithmetic");
  return SLOE_OK;
}

static sloe_status make_act(cudnn_job *job, conv *c, const cudnn_tail *tail, sloe_error *err) {
  DNN_TRY(cudnnCreateActivationDescriptor(&c->act), "a descriptor");
  SLOE_TRY(sloe_cudnn_own(job, c->act, destroy_act, err));
  DNN_TRY(cudnnSetActivationDescriptor(
              c->act, tail->relu ? CUDNN_ACTIVATION_RELU : CUDNN_ACTIVATION_IDENTITY,
              CUDNN_NOT_PROPAGATE_NAN, 0),
          "an activation");
  return SLOE_OK;
}

/* ---- candidates ---- */

/* Bytes that an algorithm needs; 0: it cannot. */
static int workspace_of(const cudnn_job *job, const conv *c, int algo, size_t *bytes) {
  const cudnnHandle_t dnn = job->device->dnn;
  const cudnnStatus_t said =
      c->transposed
          ? cudnnGetConvolutionBackwardDataWorkspaceSize(dnn, c->filter, c->src, c->window, c->dst,
                                                         (cudnnConvolutionBwdDataAlgo_t)algo, bytes)
          : cudnnGetConvolutionForwardWorkspaceSize(dnn, c->src, c->filter, c->window, c->dst,
                                                    (cudnnConvolutionFwdAlgo_t)algo, bytes);
  return said == CUDNN_STATUS_SUCCESS && *bytes <= MOST_WORKSPACE;
}

static sloe_status add_candidate(cudnn_job *job, const conv *c, int algo, size_t workspace,
                                 const cudnn_step *tail, cudnn_step *steps, size_t *n,
                                 sloe_error *err) {
  conv_params *p = SLOE_ARENA_NEW(&job->arena, conv_params, 1);
  const char *name = sloe_arena_printf(&job->arena, "algo=%d%s%s", algo, tail ? "" : ",fused",
                                       sloe_cudnn_is(c->in, CUDNN_PLAIN) ? "" : ",nhwc");
  if (!p || !name) return sloe_cudnn_nomem(err);
  *p = (conv_params){.c = c, .algo = algo};
  if (tail) p->tail = *tail;
  steps[(*n)++] = (cudnn_step){.launch = tail ? launch_bare : launch_fused,
                               .params = p,
                               .workspace = workspace,
                               .choice = name};
  return SLOE_OK;
}

static sloe_status make_tail(cudnn_job *job, const conv *c, const cudnn_tail *tail,
                             cudnn_step *step, sloe_error *err) {
  const char *text = c->residual ? "x + y + z" : "x + y";
  cudnn_value *const in[] = {c->out, c->bias_value, c->residual};
  if (tail->act) text = sloe_cudnn_act_of(&job->arena, tail->act, text);
  if (!text) return sloe_cudnn_nomem(err);
  return sloe_cudnn_map_step(job, text, in, c->residual ? 3 : 2, c->out, step, err);
}

static sloe_status choose(cudnn_job *job, const conv *c, const cudnn_window *w,
                          const cudnn_tail *tail, sloe_error *err) {
  cudnn_step steps[MOST], behind;
  char key[400];
  size_t n = 0;
  const int fusable = !c->transposed && (tail->relu || !tail->act);
  const int algos = c->transposed ? (int)CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT : (int)ALGOS;
  const int64_t *d = c->in->dims;
  SLOE_TRY(make_tail(job, c, tail, &behind, err));
  for (int algo = 0; algo < algos; algo++) {
    size_t bytes = 0;
    if (!workspace_of(job, c, algo, &bytes)) continue;
    if (fusable) SLOE_TRY(add_candidate(job, c, algo, bytes, NULL, steps, &n, err));
    SLOE_TRY(add_candidate(job, c, algo, bytes, &behind, steps, &n, err));
  }
  snprintf(key, sizeof key,
           "conv%d,%d,%lldx%lldx%lldx%lld,%lld,%lldx%lld,s%lldx%lld,d%lldx%lld,p%lldx%lld,g%lld,"
           "o%lldx%lld,%d,%.80s",
           c->transposed, sloe_cudnn_is(c->in, CUDNN_PLAIN), (long long)d[0], (long long)d[1],
           (long long)d[2], (long long)d[3], (long long)w->k, (long long)w->kernel[0],
           (long long)w->kernel[1], (long long)w->stride[0], (long long)w->stride[1],
           (long long)w->dilation[0], (long long)w->dilation[1], (long long)w->pad[0],
           (long long)w->pad[1], (long long)w->groups, (long long)w->out[0], (long long)w->out[1],
           c->residual != NULL, tail->act ? tail->act : "");
  return sloe_cudnn_choose(job, key, steps, n, err);
}

/* ---- a convolution ---- */

/* Random weights of a variance that keeps that of the activations, and a bias that no layer can
   make vanish. */
static sloe_status make_weights(cudnn_job *job, conv *c, const cudnn_window *w, cudnn_layout layout,
                                const char *name, sloe_error *err) {
  const int64_t channels = c->in->dims[1], kernel = w->kernel[0] * w->kernel[1];
  const int64_t out = c->transposed ? w->k / w->groups : channels / w->groups;
  const int64_t dims[] = {c->transposed ? channels : w->k, out, w->kernel[0], w->kernel[1]};
  const cudnn_contents weights = {.name = name,
                                  .scale = sqrtf(3.0F / (float)(channels / w->groups * kernel))};
  const cudnn_contents bias = {.name = "bias", .scale = 0.1F};
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_CONSTANT, 4, dims, layout, &weights, &c->weights, err));
  return sloe_cudnn_value_new(job, CUDNN_CONSTANT, 4, (int64_t[]){1, w->k, 1, 1}, layout, &bias,
                              &c->bias_value, err);
}

/* Does padding both sides alike give these sizes? */
static int is_even(const cudnn_value *src, const cudnn_window *w, int transposed) {
  for (int d = 0; d < 2; d++) {
    const int64_t reach = w->dilation[d] * (w->kernel[d] - 1) + 1;
    const int64_t large = transposed ? w->out[d] : src->dims[2 + d];
    const int64_t small = transposed ? src->dims[2 + d] : w->out[d];
    const int64_t left = large + 2 * w->pad[d] - reach;
    if (w->pad[d] < 0 || left < 0 || left / w->stride[d] + 1 != small) return 0;
  }
  return 1;
}

/* The input with just the rows and columns that windows read, zeros where there are none. */
static sloe_status pad_input(cudnn_job *job, cudnn_value **src, cudnn_window *w, sloe_error *err) {
  int64_t dims[4] = {(*src)->dims[0], (*src)->dims[1]}, before[4] = {0};
  for (int d = 0; d < 2; d++) {
    dims[2 + d] = (w->out[d] - 1) * w->stride[d] + w->dilation[d] * (w->kernel[d] - 1) + 1;
    before[2 + d] = w->pad[d];
    w->pad[d] = 0;
  }
  return sloe_cudnn_pad(job, *src, before, dims, src, err);
}

static sloe_status build(cudnn_job *job, conv *c, const cudnn_window *w, cudnn_layout layout,
                         const cudnn_tail *tail, const char *name, sloe_error *err) {
  const int64_t out[] = {c->in->dims[0], w->k, w->out[0], w->out[1]};
  SLOE_TRY(sloe_cudnn_as(job, c->in, layout, &c->in, err));
  if (tail->residual) SLOE_TRY(sloe_cudnn_as(job, tail->residual, layout, &c->residual, err));
  SLOE_TRY(make_weights(job, c, w, layout, name, err));
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_ACTIVATION, 4, out, layout, NULL, &c->out, err));
  SLOE_TRY(make_tensor(job, c->in, layout, &c->src, err));
  SLOE_TRY(make_tensor(job, c->out, layout, &c->dst, err));
  SLOE_TRY(make_tensor(job, c->bias_value, layout, &c->bias, err));
  SLOE_TRY(make_filter(job, c, layout, err));
  SLOE_TRY(make_window(job, c, w, err));
  SLOE_TRY(make_act(job, c, tail, err));
  return choose(job, c, w, tail, err);
}

sloe_status sloe_cudnn_conv(cudnn_job *job, int transposed, cudnn_value *src,
                            const cudnn_window *window, const cudnn_tail *tail, const char *name,
                            cudnn_value **dst, sloe_error *err) {
  cudnn_window w = *window;
  cudnn_value *const given = src;
  sloe_status status = SLOE_UNSUPPORTED;
  *dst = NULL;
  if (!is_even(src, &w, transposed)) {
    if (transposed)
      return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: a transposed convolution of uneven padding");
    SLOE_TRY(pad_input(job, &src, &w, err));
  }
  const cudnn_layout usual = sloe_cudnn_usual(job->device, 4);
  for (int i = 0; i < 2 && status == SLOE_UNSUPPORTED; i++) {
    conv *c = SLOE_ARENA_NEW(&job->arena, conv, 1);
    if (!c) return sloe_cudnn_nomem(err);
    if (i && usual == CUDNN_PLAIN) break;
    *c = (conv){.in = src, .transposed = transposed};
    status = build(job, c, &w, i ? CUDNN_PLAIN : usual, tail, name, err);
    *dst = status == SLOE_OK ? c->out : NULL;
  }
  if (src != given) sloe_cudnn_release(job, src);
  return status;
}
