/* cudnn.h: private to this room. How a layer or a network becomes launches on an NVIDIA GPU.
 *
 *   value   (gpu_values.c)  a tensor: dims, strides and its bytes on the GPU.
 *   kernel  (rtc.c)         a small CUDA kernel of our own, compiled by NVRTC from text when first
 *                           asked for, for this GPU and number type, and kept.
 *   step    (gpu_steps.c)   a function that puts work on the stream: a call of cuDNN or cuBLASLt,
 *                           or a kernel. Of several that do the same each is measured and the
 *                           fastest taken.
 *   job     (gpu_job.c)     values and steps of a layer or a network, and the captured graph that
 *                           runs.
 *
 * The gpu_*.c files add the steps of one family to a job: they take values and give a value. Both
 * load_layer (gpu_layer_job.c) and load_network (gpu_network_job.c) are built on them.
 *
 * Layouts. A tensor of rank 4 is n x c x h x w in the order of its dims with fp32 and tf32, and
 * channels last (n, h, w, c in memory) with fp16, which is what tensor cores want; all others are
 * plain. What has no such layout of its own (reshapes, products) asks for a plain twin; the copy
 * belongs to the layer that needs it. Kernels of our own take any strides.
 *
 * Contents are random where they are not known: a hash of the place in +-1, scaled for weights so
 * that no network's activations overflow.
 */
#ifndef SLOE_DEVICE_CUDNN_CUDNN_H
#define SLOE_DEVICE_CUDNN_CUDNN_H

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "base/text.h"
#include "device/device.h"
#include "device/layer_limits.h"
#include "device/layer_window.h"
#include "device/net_build.h"

typedef struct cudnn_nvml cudnn_nvml;
/* What net_build.h leaves to each backend. */
typedef struct sloe_backend_job cudnn_job;
typedef struct sloe_backend_value cudnn_value;

/* ---- statuses (gpu_status.c) ---- */

/* What does not fit, in memory or to a library, is UNSUPPORTED; what fails is DEVICE. */
sloe_status sloe_cudnn_cuda_said(cudaError_t said, const char *what, sloe_error *err);
sloe_status sloe_cudnn_dnn_said(cudnnStatus_t said, const char *what, sloe_error *err);
sloe_status sloe_cudnn_blas_said(cublasStatus_t said, const char *what, sloe_error *err);
static inline sloe_status sloe_cudnn_nomem(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "cudnn: out of memory");
}
#define CUDA_TRY(call, what)                                                           \
  do {                                                                                 \
    const cudaError_t cuda_said = (call);                                              \
    if (cuda_said != cudaSuccess) return sloe_cudnn_cuda_said(cuda_said, (what), err); \
  } while (0)
#define DNN_TRY(call, what)                                                                  \
  do {                                                                                       \
    const cudnnStatus_t dnn_said = (call);                                                   \
    if (dnn_said != CUDNN_STATUS_SUCCESS) return sloe_cudnn_dnn_said(dnn_said, (what), err); \
  } while (0)
#define BLAS_TRY(call, what)                                                                     \
  do {                                                                                           \
    const cublasStatus_t blas_said = (call);                                                     \
    if (blas_said != CUBLAS_STATUS_SUCCESS) return sloe_cudnn_blas_said(blas_said, (what), err); \
  } while (0)

/* ---- the device ---- */

typedef struct cudnn_kernel {
  const char *key;
  cudaLibrary_t library;
  cudaKernel_t kernel;
} cudnn_kernel;

typedef struct cudnn_chosen { /* the algorithm of a layer, kept for the next of its kind */
  const char *key, *name;
} cudnn_chosen;

typedef struct cudnn_device {
  int ordinal, cc; /* compute capability, major * 10 + minor */
  int half, tf32;  /* precision */
  int cold;        /* each launch of a layer reads weights of its own */
  int64_t batch;
  sloe_layer_limits limits;
  cudaStream_t stream;
  cudaEvent_t begin, end;
  cudnnHandle_t dnn;
  cublasLtHandle_t blas;
  void *evict; /* what settle streams through */
  size_t evict_bytes;
  cudnn_nvml *nvml; /* NULL: no sensor */
  sloe_arena arena; /* strings of info, kernels, choices */
  sloe_map kernel_at, chosen_at;
  cudnn_kernel *kernels;
  size_t n_kernels, cap_kernels;
  cudnn_chosen *chosen;
  size_t n_chosen, cap_chosen;
  /* Tests give the contents of weights and inputs in plain layout, by name ("src", "weights",
     "bias", ...; of a network the tensor's). NULL, or 0 returned: random. */
  int (*fill)(void *context, const char *name, float *data, size_t n);
  void *fill_context;
} cudnn_device;

/* gpu_identity.c: who measures. Strings live in the device's arena. */
sloe_status sloe_cudnn_identify(cudnn_device *device, sloe_device_info *info, sloe_error *err);

/* nvml.c: the sensors, through the driver's library where it is there. *out NULL: none. */
void sloe_cudnn_nvml_open(const char *pci_bus_id, cudnn_nvml **out);
void sloe_cudnn_nvml_close(cudnn_nvml *nvml);
void sloe_cudnn_nvml_sensor(const cudnn_nvml *nvml, sloe_device_sensor *out);
typedef struct cudnn_clocks { /* 0, "": unknown */
  unsigned sm_mhz, sm_max_mhz, memory_mhz, power_limit_mw, temperature_c;
  int persistence; /* -1: unknown */
  char driver[80];
} cudnn_clocks;
void sloe_cudnn_nvml_clocks(const cudnn_nvml *nvml, cudnn_clocks *out);

/* ---- kernels of our own (rtc.c) ---- */

/* The kernel `name` of `text`, behind what all share: the type T of a number, load() and store().
 */
sloe_status sloe_cudnn_kernel(cudnn_device *device, const char *name, const char *text,
                              cudaKernel_t *out, sloe_error *err);
/* The machine code of `text`, behind what all share, for a compute capability. Needs no GPU. The
   caller frees it with sloe_dealloc(). */
sloe_status sloe_cudnn_compile(int cc, int half, const char *name, const char *text, char **out,
                               sloe_error *err);
void sloe_cudnn_kernels_close(cudnn_device *device);
sloe_status sloe_cudnn_launch(const cudnn_device *device, cudaKernel_t kernel, unsigned grid,
                              unsigned block, void **args, sloe_error *err);
/* gpu_kernels.c: the texts. */
extern const char *const sloe_cudnn_text_common,
    *const sloe_cudnn_text_float, *const sloe_cudnn_text_half,
                                      *const sloe_cudnn_text_fill,
                                          *const sloe_cudnn_text_map,
                                              *const sloe_cudnn_text_reduce,
                                                  *const sloe_cudnn_text_image,
                                                      *const sloe_cudnn_text_norm;

/* ---- values ---- */

typedef struct cudnn_data { /* bytes that values share */
  struct cudnn_data *next;
  char *base;
  size_t bytes; /* of one copy, a multiple of 256 */
  int copies;   /* of constants, one for each launch of a graph with cold weights */
  int refs, constant;
} cudnn_data;

typedef enum cudnn_kind { CUDNN_ACTIVATION, CUDNN_INPUT, CUDNN_CONSTANT } cudnn_kind;
typedef enum cudnn_layout { CUDNN_PLAIN, CUDNN_LAST } cudnn_layout;

struct sloe_backend_value {
  cudnn_value *next; /* of the job */
  cudnn_value *twin; /* the same contents in another layout */
  cudnn_kind kind;
  int rank;
  int64_t dims[SLOE_MAX_RANK], strides[SLOE_MAX_RANK]; /* elements */
  int64_t offset;
  cudnn_data *data;
  int released; /* no step to come reads it */
};

typedef struct cudnn_contents { /* of constants and inputs */
  const char *name;             /* for device->fill */
  float scale, offset;          /* offset + scale * random; scale 0: 1 */
  const sloe_value *known;      /* or these */
} cudnn_contents;

/* `dims` of int64, up to SLOE_MAX_RANK. `contents` NULL: of an activation, whatever is there. */
sloe_status sloe_cudnn_value_new(cudnn_job *job, cudnn_kind kind, int rank, const int64_t *dims,
                                 cudnn_layout layout, const cudnn_contents *contents,
                                 cudnn_value **out, sloe_error *err);
/* A new activation in the layout of `like`, which may have another rank. */
sloe_status sloe_cudnn_result(cudnn_job *job, const cudnn_value *like, int rank,
                              const int64_t *dims, cudnn_value **out, sloe_error *err);
/* How this precision lays out a tensor of such a rank. */
cudnn_layout sloe_cudnn_usual(const cudnn_device *device, int rank);
int sloe_cudnn_is(const cudnn_value *value, cudnn_layout layout);
/* The value in a layout: itself, a twin there is, or a new one with a copy. */
sloe_status sloe_cudnn_as(cudnn_job *job, cudnn_value *value, cudnn_layout layout,
                          cudnn_value **out, sloe_error *err);
/* A part of the bytes: `dims` of the same rank from `from` on. */
sloe_status sloe_cudnn_part(cudnn_job *job, cudnn_value *value, const int64_t *from,
                            const int64_t *dims, cudnn_value **out, sloe_error *err);
/* Other dims: itself where it has them, else a view, of a plain twin where need be. */
sloe_status sloe_cudnn_reshape(cudnn_job *job, cudnn_value *value, int rank, const int64_t *dims,
                               cudnn_value **out, sloe_error *err);
/* No step to come reads the value: its bytes may serve another. */
void sloe_cudnn_release(cudnn_job *job, cudnn_value *value);
int64_t sloe_cudnn_elements(const cudnn_value *value);
/* On the GPU, of the copy that the launch being captured reads. */
void *sloe_cudnn_at(const cudnn_job *job, const cudnn_value *value);
/* One copy of all constants for each of `n` launches. */
sloe_status sloe_cudnn_replicate(cudnn_job *job, int n, sloe_error *err);
/* Copy a value out in plain layout. For tests. */
sloe_status sloe_cudnn_read(cudnn_job *job, const cudnn_value *value, float *to, sloe_error *err);

/* ---- steps ---- */

struct cudnn_step;
typedef sloe_status (*cudnn_launch_fn)(const cudnn_job *job, const struct cudnn_step *step,
                                       sloe_error *err);
typedef struct cudnn_step {
  struct cudnn_step *next;
  size_t layer;
  cudnn_launch_fn launch;
  const void *params;
  size_t workspace;
  const char *choice; /* "algo=1,fused"; NULL: there was nothing to choose */
} cudnn_step;

sloe_status sloe_cudnn_step_add(cudnn_job *job, const cudnn_step *step, sloe_error *err);

/* Add the fastest of `n` steps, which have names in `choice`. Those that fail are left out;
   UNSUPPORTED where all do. `key`: what is equal for layers of one choice. */
sloe_status sloe_cudnn_choose(cudnn_job *job, const char *key, const cudnn_step *steps, size_t n,
                              sloe_error *err);

/* A handle that dies with the job. On failure it is destroyed at once. */
typedef void (*cudnn_destroy_fn)(void *handle);
sloe_status sloe_cudnn_own(cudnn_job *job, void *handle, cudnn_destroy_fn destroy, sloe_error *err);

/* ---- jobs ---- */

typedef struct cudnn_owned {
  struct cudnn_owned *next;
  void *handle;
  cudnn_destroy_fn destroy;
} cudnn_owned;

struct sloe_backend_job {
  cudnn_device *device;
  sloe_arena arena;
  cudnn_value *values;
  cudnn_data *data;
  cudnn_owned *owned;
  cudnn_step *first, *last;
  sloe_job_net net;
  int copy;     /* of the constants, that the next launches read */
  int launches; /* in the graph */
  cudaGraphExec_t graph,
      marked; /* `marked`: with an event between every two layers, for run_layers */
  void *workspace;
  size_t workspace_bytes;
  size_t free_before; /* bytes of the GPU when loading began */
  double used_bytes;  /* less when it ended; NAN: unknown */
  double weights_bytes, activation_bytes;
  cudaEvent_t *marks; /* one before each layer and one at the end */
  size_t n_marks;
  const char *kernels; /* of a lone layer: those that were tried; NULL: none */
  int asking;          /* which kernels would be tried: nothing is allocated, filled or run */
  cudnn_value *input, *output;
  struct cudnn_load *load; /* of sloe_cudnn_job_load */
};

sloe_status sloe_cudnn_job_new(cudnn_device *device, cudnn_job **out, sloe_error *err);
/* Workspace, the number of launches, copies of the weights, the graph. */
sloe_status sloe_cudnn_job_finish(cudnn_job *job, sloe_error *err);
void sloe_cudnn_job_free(cudnn_job *job);
sloe_status sloe_cudnn_job_run(cudnn_job *job, uint64_t *device_ns, uint64_t *host_ns,
                               sloe_error *err);
sloe_status sloe_cudnn_job_run_layers(cudnn_job *job, uint64_t *layer_ns, size_t n,
                                      sloe_error *err);
/* gpu_load.c: as `load` of a backend. */
sloe_status sloe_cudnn_job_load(cudnn_job *job, uint64_t ns, uint64_t *count, sloe_error *err);
sloe_status sloe_cudnn_settle(const cudnn_device *device, sloe_error *err);
/* At least `bytes` of workspace. */
sloe_status sloe_cudnn_workspace(cudnn_job *job, size_t bytes, sloe_error *err);

/* Capture `n` launches of the steps from `first` on (`only_one`: of that one) as a graph, between
   the device's two events. */
sloe_status sloe_cudnn_capture(cudnn_job *job, const cudnn_step *first, int only_one, int n,
                               cudaGraphExec_t *out, sloe_error *err);
/* Launch the graph and wait: what passed between its two events. */
sloe_status sloe_cudnn_time_graph(const cudnn_device *device, cudaGraphExec_t graph, double *ns,
                                  sloe_error *err);

sloe_status sloe_cudnn_load_layer(void *state, const sloe_layer_spec *spec, void **job,
                                  sloe_error *err);
sloe_status sloe_cudnn_load_network(void *state, const sloe_layers *layers, void **job,
                                    sloe_error *err);
/* As `proposals` of a backend. */
sloe_status sloe_cudnn_ask_layer(void *state, const sloe_layer_spec *spec, sloe_text *out,
                                 sloe_error *err);

/* ---- families ---- */

/* Functions of elements as text of CUDA C over the floats x, y, z, u. */
enum { CUDNN_TEXT = 400 };
/* The function of a spec's act, of `x`. */
const char *sloe_cudnn_act_text(sloe_spec_act act);
/* `act` of what `inner` makes; NULL: no memory. */
const char *sloe_cudnn_act_of(sloe_arena *arena, const char *act, const char *inner);
/* That of an op of one input. 0: it is none */
int sloe_cudnn_node_text(const sloe_net *net, const sloe_node *node, char buf[CUDNN_TEXT]);
/* That of arithmetic of x and y; NULL: it is none. */
const char *sloe_cudnn_binary_text(sloe_op op);

/* out = text(in[0], ...), up to 4 inputs, broadcast to the dims of `out` (ranks may differ). */
enum { CUDNN_MAX_IN = 4 };
sloe_status sloe_cudnn_map(cudnn_job *job, const char *text, cudnn_value *const *in, size_t n,
                           cudnn_value *out, sloe_error *err);
/* The step of it, not yet added. */
sloe_status sloe_cudnn_map_step(cudnn_job *job, const char *text, cudnn_value *const *in, size_t n,
                                cudnn_value *out, cudnn_step *step, sloe_error *err);
sloe_status sloe_cudnn_unary(cudnn_job *job, const char *text, cudnn_value *src, cudnn_value **dst,
                             sloe_error *err);
sloe_status sloe_cudnn_binary(cudnn_job *job, const char *text, cudnn_value *a, cudnn_value *b,
                              cudnn_value **dst, sloe_error *err);

typedef struct cudnn_tail { /* what is done to a result before the next layer: act(x + residual) */
  cudnn_value *residual;    /* of the same elements; NULL: none */
  const char *act;          /* NULL: none */
  int relu;                 /* act is Relu: the libraries have it */
} cudnn_tail;

/* gpu_net_ops.c, gpu_net_group.c: as of a sloe_net_maker. */
sloe_status sloe_cudnn_net_op(sloe_net_build *n, const sloe_node *node, cudnn_value **dst,
                              sloe_error *err);
sloe_status sloe_cudnn_net_group(sloe_net_build *n, const sloe_net_group *group, sloe_error *err);
/* The anchor with what is done to its result. */
sloe_status sloe_cudnn_net_anchor(sloe_net_build *n, const sloe_node *node, const cudnn_tail *tail,
                                  cudnn_value **dst, sloe_error *err);

sloe_status sloe_cudnn_conv(cudnn_job *job, int transposed, cudnn_value *src,
                            const sloe_window *window, const cudnn_tail *tail, const char *name,
                            cudnn_value **dst, sloe_error *err);
/* Rows of c by constant weights: src is n x c, dst n x k. */
sloe_status sloe_cudnn_fc(cudnn_job *job, cudnn_value *src, int64_t k, const cudnn_tail *tail,
                          const char *name, cudnn_value **dst, sloe_error *err);
/* Of two activations of one rank, with broadcasting in front. */
sloe_status sloe_cudnn_matmul(cudnn_job *job, cudnn_value *a, cudnn_value *b,
                              const cudnn_tail *tail, cudnn_value **dst, sloe_error *err);

typedef enum cudnn_pool_mode { CUDNN_MAX, CUDNN_MEAN, CUDNN_MEAN_PADDED } cudnn_pool_mode;
/* window->k and groups are not read. */
sloe_status sloe_cudnn_pool(cudnn_job *job, cudnn_value *src, const sloe_window *window,
                            cudnn_pool_mode mode, cudnn_value **dst, sloe_error *err);
sloe_status sloe_cudnn_resize(cudnn_job *job, cudnn_value *src, const int64_t out[2], int linear,
                              cudnn_value **dst, sloe_error *err);
sloe_status sloe_cudnn_lrn(cudnn_job *job, cudnn_value *src, int64_t size, const float abk[3],
                           cudnn_value **dst, sloe_error *err);

typedef enum cudnn_reduction {
  CUDNN_RED_SUM,
  CUDNN_RED_MEAN,
  CUDNN_RED_MAX,
  CUDNN_RED_MIN,
  CUDNN_RED_PROD,
  CUDNN_RED_L2
} cudnn_reduction;
/* To `dims` of the same rank, 1 where it is reduced. */
sloe_status sloe_cudnn_reduce(cudnn_job *job, cudnn_value *src, cudnn_reduction how,
                              const int64_t *dims, cudnn_value **dst, sloe_error *err);
/* The kernel `reduce` over `over` dimensions, `kept` others, a block (wide) or a thread an element.
   NULL: no memory. */
const char *sloe_cudnn_reduction_text(sloe_arena *arena, cudnn_reduction how, int kept, int over,
                                      int wide);
sloe_status sloe_cudnn_softmax(cudnn_job *job, cudnn_value *src, int axis, int log,
                               cudnn_value **dst, sloe_error *err);
/* Over the last dimension, with factor and offset. */
sloe_status sloe_cudnn_layer_norm(cudnn_job *job, cudnn_value *src, cudnn_value **dst,
                                  sloe_error *err);
/* `act` as in cudnn_tail. */
sloe_status sloe_cudnn_batch_norm(cudnn_job *job, cudnn_value *src, const char *act,
                                  cudnn_value **dst, sloe_error *err);

sloe_status sloe_cudnn_concat(cudnn_job *job, cudnn_value *const *src, size_t n, int axis,
                              cudnn_value **dst, sloe_error *err);
sloe_status sloe_cudnn_slice(cudnn_job *job, cudnn_value *src, const int64_t *from,
                             const int64_t *dims, cudnn_value **dst, sloe_error *err);
/* Zeros around: `before[i]` in front of dimension i (negative: cut off), dims: of the result. */
sloe_status sloe_cudnn_pad(cudnn_job *job, cudnn_value *src, const int64_t *before,
                           const int64_t *dims, cudnn_value **dst, sloe_error *err);
/* dst dimension i is src dimension perm[i]. */
sloe_status sloe_cudnn_transpose(cudnn_job *job, cudnn_value *src, const int *perm,
                                 cudnn_value **dst, sloe_error *err);
sloe_status sloe_cudnn_copy(cudnn_job *job, cudnn_value *src, cudnn_layout layout,
                            cudnn_value **dst, sloe_error *err);

extern const sloe_backend sloe_backend_cudnn;

#endif
