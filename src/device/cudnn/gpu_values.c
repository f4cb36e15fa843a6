/* gpu_values.c: tensors on the GPU, their layouts and bytes. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "device/cudnn/cudnn.h"

enum { ALIGN = 256, FILL_BLOCKS = 2048, FILL_THREADS = 256 };

static size_t width(const cudnn_job *job) {
  return job->device->half ? 2 : 4;
}

int64_t sloe_cudnn_elements(const cudnn_value *value) {
  int64_t n = 1;
  for (int i = 0; i < value->rank; i++) n *= value->dims[i];
  return n;
}

/* ---- layouts ---- */

cudnn_layout sloe_cudnn_usual(const cudnn_device *device, int rank) {
  return device->half && rank == 4 ? CUDNN_LAST : CUDNN_PLAIN;
}

static void set_strides(int rank, const int64_t *dims, cudnn_layout layout, int64_t *strides) {
  int64_t stride = 1;
  for (int k = rank - 1; k >= 0; k--) {
    int d = k;
    if (layout == CUDNN_LAST && rank == 4) d = k == 3 ? 1 : (k ? k + 1 : 0);
    strides[d] = stride;
    stride *= dims[d];
  }
}

/* Strides of dimensions of one element say nothing. */
int sloe_cudnn_is(const cudnn_value *value, cudnn_layout layout) {
  int64_t strides[SLOE_MAX_RANK];
  set_strides(value->rank, value->dims, layout, strides);
  for (int i = 0; i < value->rank; i++)
    if (value->dims[i] > 1 && strides[i] != value->strides[i]) return 0;
  return 1;
}

/* ---- bytes ---- */

/* Bytes that no value of the job holds any more, the smallest that are enough and no more than
   four times as many; else new ones. What is written at load only has bytes of its own. What that
   comes to in a network is told by sloe_layers_buffer_bytes. */
static sloe_status take_bytes(cudnn_job *job, cudnn_kind kind, size_t bytes, cudnn_data **out,
                              sloe_error *err) {
  cudnn_data *best = NULL;
  *out = NULL;
  bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
  for (cudnn_data *d = kind == CUDNN_ACTIVATION ? job->data : NULL; d; d = d->next)
    if (!d->refs && !d->constant && d->bytes >= bytes && d->bytes / 4 <= bytes &&
        (!best || d->bytes < best->bytes))
      best = d;
  if (!best) {
    best = SLOE_ARENA_NEW(&job->arena, cudnn_data, 1);
    if (!best) return sloe_cudnn_nomem(err);
    if (!job->asking) CUDA_TRY(cudaMalloc((void **)&best->base, bytes), "taking memory");
    best->bytes = bytes;
    best->copies = 1;
    best->constant = kind == CUDNN_CONSTANT;
    best->next = job->data;
    job->data = best;
    *(best->constant ? &job->weights_bytes : &job->activation_bytes) += (double)bytes;
  }
  best->refs = 1;
  *out = best;
  return SLOE_OK;
}

void *sloe_cudnn_at(const cudnn_job *job, const cudnn_value *value) {
  const cudnn_data *data = value->data;
  const size_t copy = data->constant ? (size_t)(job->copy % data->copies) : 0;
  return data->base + copy * data->bytes + (size_t)value->offset * width(job);
}

sloe_status sloe_cudnn_replicate(cudnn_job *job, int n, sloe_error *err) {
  for (cudnn_data *d = job->data; d; d = d->next) {
    char *more = NULL;
    if (!d->constant || d->copies >= n) continue;
    CUDA_TRY(cudaMalloc((void **)&more, d->bytes * (size_t)n), "copies of the weights");
    char *const old = d->base;
    d->base = more;
    for (int i = 0; i < n; i++)
      CUDA_TRY(cudaMemcpyAsync(more + (size_t)i * d->bytes, old, d->bytes, cudaMemcpyDeviceToDevice,
                               job->device->stream),
               "copying weights");
    d->copies = n;
    CUDA_TRY(cudaStreamSynchronize(job->device->stream), "copying weights");
    CUDA_TRY(cudaFree(old), "giving memory back");
  }
  return SLOE_OK;
}

/* ---- contents ---- */

/* Binary16 of a float, rounded to the nearest; too large becomes infinity, too small zero. */
static uint16_t half_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t sign = bits >> 16 & 0x8000U, all = bits & 0x7fffffffU;
  if (all >= 0x47800000U) return (uint16_t)(sign | (all > 0x7f800000U ? 0x7e00U : 0x7c00U));
  if (all < 0x38800000U) return (uint16_t)(sign | (uint32_t)lrintf(fabsf(x) * 16777216.0F));
  const uint32_t rounded = all + 0xfffU + (all >> 13 & 1U);
  return (uint16_t)(sign | (rounded - 0x38000000U) >> 13);
}

static float float_of(uint16_t h) {
  const int exponent = h >> 10 & 31, fraction = h & 1023;
  const float sign = h & 0x8000 ? -1.0F : 1.0F;
  if (exponent == 31) return fraction ? NAN : sign * INFINITY;
  if (!exponent) return sign * ldexpf((float)fraction, -24);
  return sign * ldexpf((float)(1024 + fraction), exponent - 25);
}

/* Where element `i` of the plain order stands. */
static int64_t place_of(const cudnn_value *value, int64_t i) {
  int64_t at = 0;
  for (int d = value->rank - 1; d >= 0; d--) {
    at += i % value->dims[d] * value->strides[d];
    i /= value->dims[d];
  }
  return at;
}

static void write_known(const sloe_value *known, float *to, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const size_t k = known->n == 1 ? 0 : i;
    to[i] = known->real ? (float)known->f[k] : (float)known->i[k];
  }
}

/* Plain contents from the host into the value's layout. */
static sloe_status upload(cudnn_job *job, const cudnn_value *value, const float *from, size_t n,
                          sloe_error *err) {
  char *to = sloe_alloc(n, width(job));
  if (!to) return sloe_cudnn_nomem(err);
  for (size_t i = 0; i < n; i++) {
    const size_t at = (size_t)place_of(value, (int64_t)i);
    if (job->device->half)
      ((uint16_t *)(void *)to)[at] = half_of(from[i]);
    else
      ((float *)(void *)to)[at] = from[i];
  }
  const cudaError_t said =
      cudaMemcpy(sloe_cudnn_at(job, value), to, n * width(job), cudaMemcpyHostToDevice);
  sloe_dealloc(to);
  CUDA_TRY(said, "writing a tensor");
  return SLOE_OK;
}

/* Contents that somebody knows. *done 0: nobody does */
static sloe_status write_given(cudnn_job *job, const cudnn_value *value,
                               const cudnn_contents *contents, int *done, sloe_error *err) {
  const cudnn_device *device = job->device;
  const size_t n = (size_t)sloe_cudnn_elements(value);
  const sloe_value *known = contents->known;
  *done = 0;
  if (known && known->n != n && known->n != 1) known = NULL;
  if (!known && (!device->fill || !contents->name)) return SLOE_OK;
  float *plain = sloe_alloc(n, sizeof *plain);
  if (!plain) return sloe_cudnn_nomem(err);
  *done = known || device->fill(device->fill_context, contents->name, plain, n);
  if (known) write_known(known, plain, n);
  const sloe_status status = *done ? upload(job, value, plain, n, err) : SLOE_OK;
  sloe_dealloc(plain);
  return status;
}

static sloe_status write_random(cudnn_job *job, const cudnn_value *value,
                                const cudnn_contents *contents, sloe_error *err) {
  cudaKernel_t kernel;
  unsigned long long n = (unsigned long long)sloe_cudnn_elements(value);
  unsigned seed = 0;
  float scale = contents->scale != 0 ? contents->scale : 1.0F, offset = contents->offset;
  void *to = sloe_cudnn_at(job, value);
  for (const char *p = contents->name; p && *p; p++) seed = (seed ^ (unsigned char)*p) * 16777619U;
  SLOE_TRY(sloe_cudnn_kernel(job->device, "fill", sloe_cudnn_text_fill, &kernel, err));
  void *args[] = {&to, &n, &seed, &scale, &offset};
  const unsigned long long blocks = (n + FILL_THREADS - 1) / FILL_THREADS;
  return sloe_cudnn_launch(job->device, kernel,
                           blocks < FILL_BLOCKS ? (unsigned)blocks : FILL_BLOCKS, FILL_THREADS,
                           args, err);
}

/* ---- making values ---- */

static sloe_status check_dims(int rank, const int64_t *dims, sloe_error *err) {
  int64_t n = 1;
  if (rank < 1 || rank > SLOE_MAX_RANK)
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: a tensor of rank %d", rank);
  for (int i = 0; i < rank; i++) {
    if (dims[i] < 1) return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: a tensor without elements");
    if (dims[i] > INT32_MAX / n)
      return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: a tensor of more than 2^31 elements");
    n *= dims[i];
  }
  return SLOE_OK;
}

/* Without bytes. */
static sloe_status new_value(cudnn_job *job, cudnn_kind kind, int rank, const int64_t *dims,
                             cudnn_value **out, sloe_error *err) {
  cudnn_value *value = SLOE_ARENA_NEW(&job->arena, cudnn_value, 1);
  *out = NULL;
  if (!value) return sloe_cudnn_nomem(err);
  SLOE_TRY(check_dims(rank, dims, err));
  value->kind = kind;
  value->rank = rank;
  memcpy(value->dims, dims, (size_t)rank * sizeof *dims);
  value->next = job->values;
  job->values = value;
  *out = value;
  return SLOE_OK;
}

sloe_status sloe_cudnn_value_new(cudnn_job *job, cudnn_kind kind, int rank, const int64_t *dims,
                                 cudnn_layout layout, const cudnn_contents *contents,
                                 cudnn_value **out, sloe_error *err) {
  cudnn_value *value;
  int done = 1;
  *out = NULL;
  SLOE_TRY(new_value(job, kind, rank, dims, &value, err));
  set_strides(rank, dims, layout, value->strides);
  const size_t bytes = (size_t)sloe_cudnn_elements(value) * width(job);
  SLOE_TRY(take_bytes(job, kind, bytes, &value->data, err));
  if (contents && !job->asking) {
    SLOE_TRY(write_given(job, value, contents, &done, err));
    if (!done) SLOE_TRY(write_random(job, value, contents, err));
  }
  *out = value;
  return SLOE_OK;
}

sloe_status sloe_cudnn_result(cudnn_job *job, const cudnn_value *like, int rank,
                              const int64_t *dims, cudnn_value **out, sloe_error *err) {
  cudnn_layout layout = CUDNN_PLAIN;
  if (rank == 4 && like->rank == 4 && sloe_cudnn_is(like, CUDNN_LAST))
    layout = sloe_cudnn_is(like, CUDNN_PLAIN) ? sloe_cudnn_usual(job->device, 4) : CUDNN_LAST;
  return sloe_cudnn_value_new(job, CUDNN_ACTIVATION, rank, dims, layout, NULL, out, err);
}

static sloe_status new_view(cudnn_job *job, cudnn_value *of, int rank, const int64_t *dims,
                            cudnn_value **out, sloe_error *err) {
  SLOE_TRY(new_value(job, of->kind, rank, dims, out, err));
  (*out)->data = of->data;
  (*out)->offset = of->offset;
  of->data->refs++;
  return SLOE_OK;
}

sloe_status sloe_cudnn_part(cudnn_job *job, cudnn_value *value, const int64_t *from,
                            const int64_t *dims, cudnn_value **out, sloe_error *err) {
  SLOE_TRY(new_view(job, value, value->rank, dims, out, err));
  memcpy((*out)->strides, value->strides, sizeof value->strides);
  for (int i = 0; i < value->rank; i++) (*out)->offset += from[i] * value->strides[i];
  return SLOE_OK;
}

sloe_status sloe_cudnn_as(cudnn_job *job, cudnn_value *value, cudnn_layout layout,
                          cudnn_value **out, sloe_error *err) {
  *out = value;
  if (sloe_cudnn_is(value, layout)) return SLOE_OK;
  for (cudnn_value *t = value->twin; t; t = t->twin)
    if (!t->released && sloe_cudnn_is(t, layout)) {
      *out = t;
      return SLOE_OK;
    }
  SLOE_TRY(sloe_cudnn_copy(job, value, layout, out, err));
  (*out)->twin = value->twin;
  value->twin = *out;
  return SLOE_OK;
}

sloe_status sloe_cudnn_reshape(cudnn_job *job, cudnn_value *value, int rank, const int64_t *dims,
                               cudnn_value **out, sloe_error *err) {
  *out = value;
  if (value->rank == rank && memcmp(value->dims, dims, (size_t)rank * sizeof *dims) == 0)
    return SLOE_OK;
  *out = NULL;
  SLOE_TRY(sloe_cudnn_as(job, value, CUDNN_PLAIN, &value, err));
  SLOE_TRY(new_view(job, value, rank, dims, out, err));
  set_strides(rank, dims, CUDNN_PLAIN, (*out)->strides);
  return SLOE_OK;
}

/* Inputs and constants stay: their bytes are their own. Twins go with what they are twins of. */
void sloe_cudnn_release(cudnn_job *job, cudnn_value *value) {
  (void)job;
  for (cudnn_value *v = value; v; v = v->twin) {
    if (v->released) continue;
    v->released = 1;
    if (v->kind == CUDNN_ACTIVATION) v->data->refs--;
  }
}

sloe_status sloe_cudnn_read(cudnn_job *job, const cudnn_value *value, float *to, sloe_error *err) {
  const size_t n = (size_t)sloe_cudnn_elements(value);
  char *got = sloe_alloc(n, width(job));
  if (!got) return sloe_cudnn_nomem(err);
  cudaError_t said = cudaStreamSynchronize(job->device->stream);
  if (said == cudaSuccess)
    said = cudaMemcpy(got, sloe_cudnn_at(job, value), n * width(job), cudaMemcpyDeviceToHost);
  for (size_t i = 0; i < n && said == cudaSuccess; i++) {
    const size_t at = (size_t)place_of(value, (int64_t)i);
    to[i] =
        job->device->half ? float_of(((uint16_t *)(void *)got)[at]) : ((float *)(void *)got)[at];
  }
  sloe_dealloc(got);
  CUDA_TRY(said, "reading a tensor");
  return SLOE_OK;
}
