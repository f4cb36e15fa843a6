/* gpu_map.c: functions of elements, with broadcasting, over any strides: activations, arithmetic,
 * bias and residual behind a convolution, and all that moves data.
 *
 * Dimensions are put in the order of the output's strides and those that lie behind one another in
 * all tensors are merged, so that most calls count along one dimension. */
#include <stdio.h>
#include <string.h>

#include "device/cudnn/cudnn.h"

enum { THREADS = 256, EACH = 4 };

typedef struct cudnn_map_args { /* struct Map of gpu_kernels.c */
  unsigned n;
  unsigned dim[8];
  int out[8];
  int in[CUDNN_MAX_IN][8];
} cudnn_map_args;

typedef struct map_params {
  cudaKernel_t kernel;
  cudnn_map_args args;
  cudnn_value *in[CUDNN_MAX_IN], *out;
} map_params;

static sloe_status launch(const cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  const map_params *p = step->params;
  cudnn_map_args args = p->args;
  void *out = sloe_cudnn_at(job, p->out), *in[CUDNN_MAX_IN];
  for (int i = 0; i < CUDNN_MAX_IN; i++) in[i] = p->in[i] ? sloe_cudnn_at(job, p->in[i]) : NULL;
  void *list[] = {&out, &in[0], &in[1], &in[2], &in[3], &args};
  const unsigned grid = (args.n + THREADS * EACH - 1) / (THREADS * EACH);
  return sloe_cudnn_launch(job->device, p->kernel, grid, THREADS, list, err);
}

/* ---- layout ---- */

typedef struct axes { /* dimensions, outermost first; strides of the output, then the inputs */
  int n;
  int64_t dim[SLOE_MAX_RANK], stride[1 + CUDNN_MAX_IN][SLOE_MAX_RANK];
} axes;

/* The stride of the input along dimension `d` of the output. */
static sloe_status stride_of(const cudnn_value *in, const cudnn_value *out, int d, int64_t *stride,
                             sloe_error *err) {
  const int at = d - (out->rank - in->rank);
  *stride = 0;
  if (at < 0 || in->dims[at] == 1) return SLOE_OK;
  if (in->dims[at] != out->dims[d])
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: %lld elements do not broadcast to %lld",
                     (long long)in->dims[at], (long long)out->dims[d]);
  *stride = in->strides[at];
  return SLOE_OK;
}

static sloe_status take_axes(cudnn_value *const *in, size_t n, const cudnn_value *out, axes *a,
                             sloe_error *err) {
  a->n = 0;
  for (int d = 0; d < out->rank; d++) {
    int at = a->n;
    int64_t stride[1 + CUDNN_MAX_IN] = {out->strides[d]};
    if (out->dims[d] == 1) continue;
    for (size_t i = 0; i < n; i++) SLOE_TRY(stride_of(in[i], out, d, &stride[1 + i], err));
    for (; at > 0 && a->stride[0][at - 1] < stride[0]; at--) {
      a->dim[at] = a->dim[at - 1];
      for (size_t i = 0; i <= CUDNN_MAX_IN; i++) a->stride[i][at] = a->stride[i][at - 1];
    }
    a->dim[at] = out->dims[d];
    for (size_t i = 0; i <= CUDNN_MAX_IN; i++) a->stride[i][at] = stride[i];
    a->n++;
  }
  return SLOE_OK;
}

static int can_merge(const axes *a, int outer) {
  for (size_t i = 0; i <= CUDNN_MAX_IN; i++)
    if (a->stride[i][outer] != a->stride[i][outer + 1] * a->dim[outer + 1]) return 0;
  return 1;
}

static void merge(axes *a) {
  for (int d = a->n - 2; d >= 0; d--) {
    if (!can_merge(a, d)) continue;
    a->dim[d] *= a->dim[d + 1];
    for (size_t i = 0; i <= CUDNN_MAX_IN; i++) a->stride[i][d] = a->stride[i][d + 1];
    for (int k = d + 1; k + 1 < a->n; k++) {
      a->dim[k] = a->dim[k + 1];
      for (size_t i = 0; i <= CUDNN_MAX_IN; i++) a->stride[i][k] = a->stride[i][k + 1];
    }
    a->n--;
  }
}

static void fill_args(const axes *a, int64_t n, cudnn_map_args *args) {
  args->n = (unsigned)n;
  for (int d = 0; d < a->n; d++) {
    args->dim[d] = (unsigned)a->dim[d];
    args->out[d] = (int)a->stride[0][d];
    for (int i = 0; i < CUDNN_MAX_IN; i++) args->in[i][d] = (int)a->stride[1 + i][d];
  }
}

/* ---- steps ---- */

sloe_status sloe_cudnn_map_step(cudnn_job *job, const char *text, cudnn_value *const *in, size_t n,
                                cudnn_value *out, cudnn_step *step, sloe_error *err) {
  axes a = {0};
  map_params *p = SLOE_ARENA_NEW(&job->arena, map_params, 1);
  char *source;
  *step = (cudnn_step){.launch = launch};
  if (!p) return sloe_cudnn_nomem(err);
  SLOE_TRY(take_axes(in, n, out, &a, err));
  merge(&a);
  if (!a.n) a = (axes){.n = 1, .dim = {1}};
  fill_args(&a, sloe_cudnn_elements(out), &p->args);
  for (size_t i = 0; i < n; i++) p->in[i] = in[i];
  p->out = out;
  source = sloe_arena_printf(&job->arena, "#define RANK %d\n#define FN(x, y, z, u) (%s)\n%s", a.n,
                             text, sloe_cudnn_text_map);
  if (!source) return sloe_cudnn_nomem(err);
  SLOE_TRY(sloe_cudnn_kernel(job->device, "map", source, &p->kernel, err));
  step->params = p;
  return SLOE_OK;
}

sloe_status sloe_cudnn_map(cudnn_job *job, const char *text, cudnn_value *const *in, size_t n,
                           cudnn_value *out, sloe_error *err) {
  cudnn_step step;
  SLOE_TRY(sloe_cudnn_map_step(job, text, in, n, out, &step, err));
  return sloe_cudnn_step_add(job, &step, err);
}

sloe_status sloe_cudnn_unary(cudnn_job *job, const char *text, cudnn_value *src, cudnn_value **dst,
                             sloe_error *err) {
  SLOE_TRY(sloe_cudnn_result(job, src, src->rank, src->dims, dst, err));
  return sloe_cudnn_map(job, text, &src, 1, *dst, err);
}

/* The result's dims, by which both are broadcast. */
static sloe_status join_dims(const cudnn_value *a, const cudnn_value *b, int64_t *dims,
                             sloe_error *err) {
  const cudnn_value *high = a->rank >= b->rank ? a : b, *low = high == a ? b : a;
  const int more = high->rank - low->rank;
  for (int i = 0; i < high->rank; i++) {
    const int64_t other = i < more ? 1 : low->dims[i - more];
    dims[i] = high->dims[i];
    if (dims[i] == 1) dims[i] = other;
    if (other != 1 && other != dims[i])
      return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: %lld and %lld elements do not broadcast",
                       (long long)dims[i], (long long)other);
  }
  return SLOE_OK;
}

sloe_status sloe_cudnn_binary(cudnn_job *job, const char *text, cudnn_value *a, cudnn_value *b,
                              cudnn_value **dst, sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK];
  const int rank = a->rank > b->rank ? a->rank : b->rank;
  const cudnn_value *like =
      a->rank == rank && (b->rank < rank || sloe_cudnn_elements(a) >= sloe_cudnn_elements(b)) ? a
                                                                                              : b;
  cudnn_value *const in[] = {a, b};
  SLOE_TRY(join_dims(a, b, dims, err));
  SLOE_TRY(sloe_cudnn_result(job, like, rank, dims, dst, err));
  return sloe_cudnn_map(job, text, in, 2, *dst, err);
}
