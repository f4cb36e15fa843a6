/* gpu_classic.c: convolutions through cuDNN's classic calls: the transposed ones, and those for
 * which its graphs have nothing.
 *
 * Candidates are every algorithm of cuDNN, each in two ways: the fused call
 * (cudnnConvolutionBiasActivationForward: bias, residual, Relu or nothing), where cuDNN has it, and
 * the bare convolution with one kernel of our own behind it for all the rest. */
#include <string.h>

#include "device/cudnn/gpu_conv.h"

enum { ALGOS = CUDNN_CONVOLUTION_FWD_ALGO_COUNT };
static const size_t MOST_WORKSPACE = (size_t)2 << 30;

typedef struct conv {
  cudnnTensorDescriptor_t src, dst, bias_desc;
  cudnnFilterDescriptor_t filter;
  cudnnConvolutionDescriptor_t window;
  cudnnActivationDescriptor_t act;
  const cudnn_value *in, *weights, *bias, *residual, *out;
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
          job->workspace, step->workspace, c->residual ? &one : &zero, c->dst, residual,
          c->bias_desc, sloe_cudnn_at(job, c->bias), c->act, c->dst, sloe_cudnn_at(job, c->out)),
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

static sloe_status make_window(cudnn_job *job, conv *c, const sloe_window *w, sloe_error *err) {
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

static sloe_status make_act(cudnn_job *job, conv *c, int relu, sloe_error *err) {
  DNN_TRY(cudnnCreateActivationDescriptor(&c->act), "a descriptor");
  SLOE_TRY(sloe_cudnn_own(job, c->act, destroy_act, err));
  DNN_TRY(
      cudnnSetActivationDescriptor(c->act, relu ? CUDNN_ACTIVATION_RELU : CUDNN_ACTIVATION_IDENTITY,
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
                                 const cudnn_step *tail, cudnn_candidates *to, sloe_error *err) {
  conv_params *p = SLOE_ARENA_NEW(&job->arena, conv_params, 1);
  const char *name = sloe_arena_printf(&job->arena, "algo=%d%s%s", algo, tail ? "" : ",fused",
                                       sloe_cudnn_is(c->in, CUDNN_PLAIN) ? "" : ",nhwc");
  if (!p || !name) return sloe_cudnn_nomem(err);
  *p = (conv_params){.c = c, .algo = algo};
  if (tail) p->tail = *tail;
  if (to->n >= CUDNN_MOST_CANDIDATES) return SLOE_OK;
  to->step[to->n++] = (cudnn_step){.launch = tail ? launch_bare : launch_fused,
                                   .params = p,
                                   .workspace = workspace,
                                   .choice = name};
  return SLOE_OK;
}

static sloe_status describe(cudnn_job *job, const cudnn_conv *given, int relu, conv *c,
                            sloe_error *err) {
  const cudnn_layout layout = sloe_cudnn_is(given->in, CUDNN_PLAIN) ? CUDNN_PLAIN : CUDNN_LAST;
  *c = (conv){.in = given->in,
              .weights = given->weights,
              .bias = given->bias,
              .residual = given->residual,
              .out = given->out,
              .transposed = given->transposed};
  SLOE_TRY(make_tensor(job, c->in, layout, &c->src, err));
  SLOE_TRY(make_tensor(job, c->out, layout, &c->dst, err));
  SLOE_TRY(make_tensor(job, c->bias, layout, &c->bias_desc, err));
  SLOE_TRY(make_filter(job, c, layout, err));
  SLOE_TRY(make_window(job, c, &given->window, err));
  return make_act(job, c, relu, err);
}

sloe_status sloe_cudnn_classic(cudnn_job *job, const cudnn_conv *given, int relu,
                               const cudnn_step *behind, int fusable, cudnn_candidates *to,
                               sloe_error *err) {
  const int algos = given->transposed ? (int)CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT : (int)ALGOS;
  conv *c = SLOE_ARENA_NEW(&job->arena, conv, 1);
  if (!c) return sloe_cudnn_nomem(err);
  SLOE_TRY(describe(job, given, relu, c, err));
  for (int algo = 0; algo < algos; algo++) {
    size_t bytes = 0;
    if (!workspace_of(job, c, algo, &bytes)) continue;
    if (fusable) SLOE_TRY(add_candidate(job, c, algo, bytes, NULL, to, err));
    SLOE_TRY(add_candidate(job, c, algo, bytes, behind, to, err));
  }
  return SLOE_OK;
}
