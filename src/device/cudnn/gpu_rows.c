/* gpu_rows.c: reductions, softmax and normalisation. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "device/cudnn/cudnn.h"

enum { THREADS = 256, WIDE_FROM = 32, FEW = 1 << 15 };

/* ---- reductions ---- */

typedef struct cudnn_reduce_args { /* struct Reduce of gpu_kernels.c */
  unsigned n, m;
  unsigned dim[8];
  int out[8], in[8];
  unsigned over[8];
  int stride[8];
} cudnn_reduce_args;

typedef struct reduce_params {
  cudaKernel_t kernel;
  cudnn_reduce_args args;
  int wide;
  cudnn_value *in, *out;
} reduce_params;

static sloe_status launch_reduce(const cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  const reduce_params *p = step->params;
  cudnn_reduce_args args = p->args;
  void *out = sloe_cudnn_at(job, p->out), *in = sloe_cudnn_at(job, p->in);
  void *list[] = {&out, &in, &args};
  const unsigned grid = p->wide ? args.n : (args.n + THREADS - 1) / THREADS;
  return sloe_cudnn_launch(job->device, p->kernel, grid, THREADS, list, err);
}

/* Dimensions that are kept and those that vanish, outermost first; neighbours in memory as one. */
static void take_axes(const cudnn_value *src, const cudnn_value *dst, cudnn_reduce_args *a,
                      int *kept, int *over) {
  *kept = *over = 0;
  a->n = a->m = 1;
  for (int d = 0; d < src->rank; d++) {
    const unsigned dim = (unsigned)src->dims[d];
    const int in = (int)src->strides[d], out = (int)dst->strides[d];
    if (dim == 1) continue;
    if (dst->dims[d] == src->dims[d]) {
      a->n *= dim;
      if (*kept && a->in[*kept - 1] == in * (int)dim && a->out[*kept - 1] == out * (int)dim) {
        a->dim[*kept - 1] *= dim;
        a->in[*kept - 1] = in, a->out[*kept - 1] = out;
        continue;
      }
      a->dim[*kept] = dim, a->in[*kept] = in, a->out[*kept] = out;
      ++*kept;
    } else {
      a->m *= dim;
      if (*over && a->stride[*over - 1] == in * (int)dim) {
        a->over[*over - 1] *= dim;
        a->stride[*over - 1] = in;
        continue;
      }
      a->over[*over] = dim, a->stride[*over] = in;
      ++*over;
    }
  }
  if (!*kept) a->dim[0] = 1, *kept = 1;
  if (!*over) a->over[0] = 1, *over = 1;
}

static const char *texts_of(cudnn_reduction how) {
  switch (how) {
    case CUDNN_RED_SUM:
      return "#define START 0.0f\n#define STEP(s, x) (s + x)\n#define JOIN(s, t) (s + t)\n"
             "#define DONE(s, m) (s)\n";
    case CUDNN_RED_MEAN:
      return "#define START 0.0f\n#define STEP(s, x) (s + x)\n#define JOIN(s, t) (s + t)\n"
             "#define DONE(s, m) (s / m)\n";
    case CUDNN_RED_MAX:
      return "#define START -3.4e38f\n#define STEP(s, x) fmaxf(s, x)\n#define JOIN(s, t) fmaxf(s, "
             "t)\n#define DONE(s, m) (s)\n";
    case CUDNN_RED_MIN:
      return "#define START 3.4e38f\n#define STEP(s, x) fminf(s, x)\n#define JOIN(s, t) fminf(s, "
             "t)\n#define DONE(s, m) (s)\n";
    case CUDNN_RED_PROD:
      return "#define START 1.0f\n#define STEP(s, x) (s * x)\n#define JOIN(s, t) (s * t)\n"
             "#define DONE(s, m) (s)\n";
    default:
      return "#define START 0.0f\n#define STEP(s, x) (s + x * x)\n#define JOIN(s, t) (s + t)\n"
             "#define DONE(s, m) sqrtf(s)\n";
  }
}

const char *sloe_cudnn_reduction_text(sloe_arena *arena, cudnn_reduction how, int kept, int over,
                                      int wide) {
  return sloe_arena_printf(arena, "#define KEPT %d\n#define OVER %d\n#define WIDE %d\n%s%s", kept,
                           over, wide, texts_of(how), sloe_cudnn_text_reduce);
}

sloe_status sloe_cudnn_reduce(cudnn_job *job, cudnn_value *src, cudnn_reduction how,
                              const int64_t *dims, cudnn_value **dst, sloe_error *err) {
  reduce_params *p = SLOE_ARENA_NEW(&job->arena, reduce_params, 1);
  int kept, over;
  *dst = NULL;
  if (!p) return sloe_cudnn_nomem(err);
  SLOE_TRY(sloe_cudnn_result(job, src, src->rank, dims, dst, err));
  take_axes(src, *dst, &p->args, &kept, &over);
  p->in = src;
  p->out = *dst;
  /* a block an element where rows are long and lie in memory so, or elements are few */
  p->wide = p->args.m >= WIDE_FROM && (p->args.stride[over - 1] == 1 || p->args.n < FEW);
  const char *text = sloe_cudnn_reduction_text(&job->arena, how, kept, over, p->wide);
  if (!text) return sloe_cudnn_nomem(err);
  SLOE_TRY(sloe_cudnn_kernel(job->device, "reduce", text, &p->kernel, err));
  return sloe_cudnn_step_add(job, &(cudnn_step){.launch = launch_reduce, .params = p}, err);
}

/* ---- softmax ---- */

typedef struct softmax_params {
  cudnnTensorDescriptor_t rows;
  int log;
  cudnn_value *in, *out;
} softmax_params;

static void destroy_tensor(void *handle) {
  (void)cudnnDestroyTensorDescriptor(handle);
}

static sloe_status launch_softmax(const cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  const softmax_params *p = step->params;
  const float one = 1.0F, zero = 0.0F;
  DNN_TRY(cudnnSoftmaxForward(job->device->dnn, p->log ? CUDNN_SOFTMAX_LOG : CUDNN_SOFTMAX_ACCURATE,
                              CUDNN_SOFTMAX_MODE_CHANNEL, &one, p->rows, sloe_cudnn_at(job, p->in),
                              &zero, p->rows, sloe_cudnn_at(job, p->out)),
          "softmax");
  return SLOE_OK;
}

sloe_status sloe_cudnn_softmax(cudnn_job *job, cudnn_value *src, int axis, int log,
                               cudnn_value **dst, sloe_error *err) {
  softmax_params *p = SLOE_ARENA_NEW(&job->arena, softmax_params, 1);
  int64_t outer = 1, inner = 1;
  *dst = NULL;
  if (!p) return sloe_cudnn_nomem(err);
  SLOE_TRY(sloe_cudnn_as(job, src, CUDNN_PLAIN, &src, err));
  for (int i = 0; i < axis; i++) outer *= src->dims[i];
  for (int i = axis + 1; i < src->rank; i++) inner *= src->dims[i];
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_ACTIVATION, src->rank, src->dims, CUDNN_PLAIN, NULL, dst,
                                err));
  *p = (softmax_params){.log = log, .in = src, .out = *dst};
  DNN_TRY(cudnnCreateTensorDescriptor(&p->rows), "a descriptor");
  SLOE_TRY(sloe_cudnn_own(job, p->rows, destroy_tensor, err));
  DNN_TRY(cudnnSetTensor4dDescriptor(p->rows, CUDNN_TENSOR_NCHW,
                                     job->device->half ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT,
                                     (int)outer, (int)src->dims[axis], (int)inner, 1),
          "softmax");
  return sloe_cudnn_step_add(job, &(cudnn_step){.launch = launch_softmax, .params = p}, err);
}

/* ---- normalisation ---- */

typedef struct norm_params {
  cudaKernel_t kernel;
  unsigned rows, m;
  cudnn_value *in, *factor, *offset, *out;
} norm_params;

static sloe_status launch_norm(const cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  const norm_params *p = step->params;
  void *out = sloe_cudnn_at(job, p->out), *in = sloe_cudnn_at(job, p->in);
  void *factor = sloe_cudnn_at(job, p->factor), *offset = sloe_cudnn_at(job, p->offset);
  unsigned m = p->m;
  float epsilon = 1e-5F;
  void *list[] = {&out, &in, &factor, &offset, &m, &epsilon};
  return sloe_cudnn_launch(job->device, p->kernel, p->rows, THREADS, list, err);
}

sloe_status sloe_cudnn_layer_norm(cudnn_job *job, cudnn_value *src, cudnn_value **dst,
                                  sloe_error *err) {
  norm_params *p = SLOE_ARENA_NEW(&job->arena, norm_params, 1);
  const cudnn_contents one = {.name = "factors", .scale = 0.2F, .offset = 1.0F};
  const cudnn_contents shift = {.name = "offsets", .scale = 0.1F};
  *dst = NULL;
  if (!p) return sloe_cudnn_nomem(err);
  SLOE_TRY(sloe_cudnn_as(job, src, CUDNN_PLAIN, &src, err));
  const int64_t m = src->dims[src->rank - 1];
  *p = (norm_params){.rows = (unsigned)(sloe_cudnn_elements(src) / m), .m = (unsigned)m, .in = src};
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_CONSTANT, 1, &m, CUDNN_PLAIN, &one, &p->factor, err));
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_CONSTANT, 1, &m, CUDNN_PLAIN, &shift, &p->offset, err));
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_ACTIVATION, src->rank, src->dims, CUDNN_PLAIN, NULL, dst,
                                err));
  p->out = *dst;
  SLOE_TRY(sloe_cudnn_kernel(job->device, "norm_rows", sloe_cudnn_text_norm, &p->kernel, err));
  return sloe_cudnn_step_add(job, &(cudnn_step){.launch = launch_norm, .params = p}, err);
}

/* With fixed statistics it is a factor and an offset per channel: what a runtime makes of it. */
sloe_status sloe_cudnn_batch_norm(cudnn_job *job, cudnn_value *src, const char *act,
                                  cudnn_value **dst, sloe_error *err) {
  const int64_t dims[] = {1, src->rank > 1 ? src->dims[1] : 1, 1, 1, 1, 1, 1, 1};
  const int rank = src->rank > 1 ? src->rank : 2;
  const cudnn_contents one = {.name = "factors", .scale = 0.2F, .offset = 1.0F};
  const cudnn_contents shift = {.name = "offsets", .scale = 0.1F};
  const char *text = act ? sloe_cudnn_act_of(&job->arena, act, "x * y + z") : "x * y + z";
  cudnn_value *in[3] = {src};
  if (!text) return sloe_cudnn_nomem(err);
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_CONSTANT, rank, dims, CUDNN_PLAIN, &one, &in[1], err));
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_CONSTANT, rank, dims, CUDNN_PLAIN, &shift, &in[2], err));
  SLOE_TRY(sloe_cudnn_result(job, src, src->rank, src->dims, dst, err));
  return sloe_cudnn_map(job, text, in, 3, *dst, err);
}
