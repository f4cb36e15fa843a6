/* onednn.h: private to this room. How a layer or a network becomes oneDNN primitives.
 *
 *   blocks  (blocks.c)    one region of memory a device, pages faulted once, handed out first-fit.
 *   value   (values.c)    a tensor: dims and, once somebody has chosen one, a layout and its bytes.
 *   step    (steps.c)     one primitive, or a plain C loop, with its arguments.
 *   job     (job_life.c)  values and steps of a layer or a network; what runs is its list of steps.
 *
 * The op_*.c files add the steps of one family to a job: they take values and give a value. Both
 * load_layer (layer_job.c) and load_network (network_job.c) are built on them.
 *
 * Layouts. Of convolutions, products and what else lets oneDNN choose ("any"), the layout of each
 * argument is the primitive's. sloe_onednn_as brings a value into it: a FREE value (a constant, or
 * the input of a lone layer) simply takes the layout; of any other a reorder step is added, which
 * belongs to the layer that needs it, and kept for the next reader (a twin). Every other family
 * runs on the layout that its input has.
 *
 * Contents are random where they are not known: a fixed pattern in +-1, scaled for weights so that
 * no network's activations overflow or become denormal.
 */
#ifndef SLOE_DEVICE_ONEDNN_ONEDNN_H
#define SLOE_DEVICE_ONEDNN_ONEDNN_H

#include <dnnl.h>

#include "base/arena.h"
#include "device/device.h"
#include "device/layer_limits.h"
#include "device/layer_window.h"
#include "device/net_build.h"

/* What net_build.h leaves to each backend. */
typedef struct sloe_backend_job onednn_job;
typedef struct sloe_backend_value onednn_value;

/* ---- blocks.c ---- */

typedef struct onednn_block { /* in order of address, no gaps */
  struct onednn_block *next;
  size_t at, bytes;
  int used;
} onednn_block;

typedef struct onednn_region {
  char *base;
  size_t bytes;   /* reserved */
  size_t touched; /* faulted and filled so far */
  onednn_block *first;
} onednn_region;

sloe_status sloe_onednn_region_open(onednn_region *region, size_t bytes, sloe_error *err);
void sloe_onednn_region_close(onednn_region *region);
/* NOMEM where no gap is large enough. The block holds finite numbers of no small exponent. */
sloe_status sloe_onednn_block_take(onednn_region *region, size_t bytes, onednn_block **out,
                                   sloe_error *err);
void sloe_onednn_block_give(onednn_region *region, onednn_block *block);
/* The pattern, times `scale`. */
void sloe_onednn_pattern(float *to, size_t n, float scale);

/* ---- the device ---- */

/* Private to quiet.c, but where it is kept: which processors there are is the system's type. */
typedef struct onednn_quiet onednn_quiet;

typedef struct onednn_device {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  int threads;
  int64_t batch;
  sloe_layer_limits limits;
  onednn_region region;
  char *evict;           /* what settle streams through */
  onednn_job *neighbour; /* what settle runs last */
  onednn_quiet *quiet;   /* NULL: not asked for yet */
  size_t evict_bytes, l2_bytes;
  sloe_arena arena; /* strings of info */
  /* Tests give the contents of weights and inputs in plain layout, by name ("src", "weights",
     "bias", ...; of a network the tensor's). NULL, or 0 returned: the pattern. */
  int (*fill)(void *context, const char *name, float *data, size_t n);
  void *fill_context;
} onednn_device;

/* cpu_identity.c: who measures. Strings live in `arena`. */
sloe_status sloe_onednn_identify(onednn_device *device, sloe_device_info *info, sloe_error *err);
/* Size of a cache in bytes, 0: unknown. level 1 (data), 2, 3 */
size_t sloe_onednn_cache(int level);

/* quiet.c: how busy others keep memory, as `quiet` of a backend. */
sloe_status sloe_onednn_quiet(onednn_device *device, int find, double *ns, double *usual_ns,
                              sloe_error *err);
/* The thread may run where it might before. */
void sloe_onednn_quiet_end(onednn_device *device);

/* The status for what oneDNN said of `what` ("convolution"). */
sloe_status sloe_onednn_said(dnnl_status_t said, const char *what, sloe_error *err);
#define ONEDNN_TRY(call, what)                                                          \
  do {                                                                                  \
    const dnnl_status_t onednn_said = (call);                                           \
    if (onednn_said != dnnl_success) return sloe_onednn_said(onednn_said, (what), err); \
  } while (0)

/* ---- values ---- */

typedef struct onednn_data { /* bytes that values share */
  struct onednn_data *next;
  onednn_block *block;
  size_t bytes;
  int refs, views;
} onednn_data;

typedef enum onednn_kind { ONEDNN_ACTIVATION, ONEDNN_INPUT, ONEDNN_CONSTANT } onednn_kind;

struct sloe_backend_value {
  onednn_value *next; /* of the job */
  onednn_value *twin; /* the same contents in another layout */
  onednn_kind kind;
  int rank;
  dnnl_dims_t dims;
  int fixed;    /* 1: md, memory and data are there; 0: FREE */
  int released; /* no step to come reads it */
  dnnl_memory_desc_t md;
  dnnl_memory_t memory;
  onednn_data *data;
  /* of constants and inputs */
  const char *name;
  float scale, offset;     /* random contents: offset + scale * pattern */
  const sloe_value *known; /* or these */
};

/* A FREE value. `dims` of int64, up to SLOE_MAX_RANK. */
sloe_status sloe_onednn_value_new(onednn_job *job, onednn_kind kind, int rank, const int64_t *dims,
                                  const char *name, onednn_value **out, sloe_error *err);
/* Choose the layout of a FREE value, give it bytes and contents. */
sloe_status sloe_onednn_fix(onednn_job *job, onednn_value *value, const dnnl_memory_desc_t *md,
                            sloe_error *err);
/* The value in layout `md`: itself, a twin there is, or a new one with a reorder. */
sloe_status sloe_onednn_as(onednn_job *job, onednn_value *value, const dnnl_memory_desc_t *md,
                           onednn_value **out, sloe_error *err);
sloe_status sloe_onednn_as_plain(onednn_job *job, onednn_value *value, onednn_value **out,
                                 sloe_error *err);
/* The layout that convolutions give tensors like it. */
sloe_status sloe_onednn_usual(const onednn_job *job, const onednn_value *value,
                              dnnl_memory_desc_t *out, sloe_error *err);
/* A FREE value takes that layout; any other is left. */
sloe_status sloe_onednn_as_usual(onednn_job *job, onednn_value *value, sloe_error *err);
/* A new value of layout `md` for a step to write. */
sloe_status sloe_onednn_result(onednn_job *job, const dnnl_memory_desc_t *md, onednn_value **out,
                               sloe_error *err);
/* A value of layout `md` on the bytes of `value`, `offset` elements in. */
sloe_status sloe_onednn_view(onednn_job *job, onednn_value *value, const dnnl_memory_desc_t *md,
                             onednn_value **out, sloe_error *err);
/* The value with other dims: itself where it has them, a view where the layout allows it, else one
   of a plain twin. */
sloe_status sloe_onednn_reshape(onednn_job *job, onednn_value *value, int rank, const int64_t *dims,
                                onednn_value **out, sloe_error *err);
/* No step to come reads the value: its bytes may serve another. */
void sloe_onednn_release(onednn_job *job, onednn_value *value);

sloe_status sloe_onednn_plain(int rank, const int64_t *dims, dnnl_memory_desc_t *md,
                              sloe_error *err);
sloe_status sloe_onednn_any(int rank, const int64_t *dims, dnnl_memory_desc_t *md, sloe_error *err);
/* For what takes any layout: the value's own where it is fixed, else "any". */
sloe_status sloe_onednn_wish(const onednn_value *value, dnnl_memory_desc_t *md, sloe_error *err);
uint64_t sloe_onednn_elements(const onednn_value *value);
float *sloe_onednn_bytes(const onednn_job *job, const onednn_value *value);

/* ---- steps ---- */

enum { ONEDNN_MAX_POSTS = 32 };

/* What is done to the result of a primitive before it is written. */
typedef struct onednn_post {
  enum { ONEDNN_POST_ELTWISE, ONEDNN_POST_SUM, ONEDNN_POST_BINARY } what;
  dnnl_alg_kind_t alg;
  float alpha, beta;
  onednn_value *value; /* SUM: whose bytes the result takes (adds to); BINARY: the operand */
} onednn_post;

typedef struct onednn_posts {
  onednn_post post[ONEDNN_MAX_POSTS];
  size_t n;
} onednn_posts;

int sloe_onednn_post_eltwise(onednn_posts *posts, dnnl_alg_kind_t alg, float alpha, float beta);
int sloe_onednn_post_value(onednn_posts *posts, int what, dnnl_alg_kind_t alg, onednn_value *value);
/* The posts of a spec's act. 0: oneDNN has none for it (erf). */
int sloe_onednn_post_act(onednn_posts *posts, sloe_spec_act act);

struct onednn_step;
typedef void (*onednn_plain_fn)(const struct onednn_step *step);

enum { ONEDNN_MAX_PLAIN = 4 };
typedef struct onednn_step {
  struct onednn_step *next;
  size_t layer;
  dnnl_primitive_t primitive; /* NULL: `plain` */
  dnnl_exec_arg_t *args;
  int n_args, cap_args;
  dnnl_memory_t scratch;
  onednn_plain_fn plain;
  const float *in[ONEDNN_MAX_PLAIN];
  float *out;
  const void *params;
} onednn_step;

/* What a primitive is made of: its op descriptor and its posts give a primitive descriptor, which
   is asked for layouts; then the arguments; then sloe_onednn_make_end adds the step. fini always.
 */
typedef struct onednn_make {
  onednn_job *job;
  const char *what;
  dnnl_primitive_desc_t pd;
  onednn_step *step;
  const onednn_posts *posts;
} onednn_make;

sloe_status sloe_onednn_make_begin(onednn_make *make, onednn_job *job, const char *what,
                                   const_dnnl_op_desc_t op, const onednn_posts *posts,
                                   sloe_error *err);
const dnnl_memory_desc_t *sloe_onednn_make_md(const onednn_make *make, dnnl_query_t what,
                                              int index);
/* Of the implementation: "brgconv:avx512_core", "ref:any" for plain loops, for want of anything
   faster; "": not said. */
const char *sloe_onednn_make_name(const onednn_make *make);
sloe_status sloe_onednn_make_arg(onednn_make *make, int arg, const onednn_value *value,
                                 sloe_error *err);
/* `value` in the layout that the primitive wants for `what`; a step before this one where needed */
sloe_status sloe_onednn_make_in(onednn_make *make, int arg, dnnl_query_t what, int index,
                                onednn_value *value, sloe_error *err);
/* The destination (new, or the bytes of a SUM), the operands of the posts, the scratchpad. */
sloe_status sloe_onednn_make_end(onednn_make *make, onednn_value **dst, sloe_error *err);
void sloe_onednn_make_fini(onednn_make *make);
/* The same with a primitive descriptor at hand (reorder, concat), which it takes over. */
void sloe_onednn_make_with(onednn_make *make, onednn_job *job, const char *what,
                           dnnl_primitive_desc_t pd);

sloe_status sloe_onednn_step_plain(onednn_job *job, onednn_plain_fn fn, const void *params,
                                   onednn_value *const *in, size_t n, onednn_value *out,
                                   sloe_error *err);
sloe_status sloe_onednn_reorder(onednn_job *job, onednn_value *from, onednn_value *to,
                                sloe_error *err);
sloe_status sloe_onednn_step_run(const onednn_device *device, const onednn_step *step,
                                 sloe_error *err);

/* ---- jobs ---- */

struct sloe_backend_job {
  onednn_device *device;
  sloe_arena arena;
  onednn_value *values;
  onednn_data *data;
  onednn_step *first, *last;
  sloe_job_net net;
  size_t scratch_bytes;
  double weights_bytes, activation_bytes;
  onednn_value *input, *output; /* of a lone layer: what was written just before it; its result */
};

sloe_status sloe_onednn_job_new(onednn_device *device, onednn_job **out, sloe_error *err);
sloe_status sloe_onednn_job_finish(onednn_job *job, sloe_error *err); /* scratchpads */
void sloe_onednn_job_free(onednn_job *job);
sloe_status sloe_onednn_job_run(onednn_job *job, sloe_error *err);
sloe_status sloe_onednn_job_run_layers(onednn_job *job, uint64_t *layer_ns, size_t n,
                                       sloe_error *err);

/* A run's time. With one thread, what that thread had of the processor where this is less than what
   passed: a machine that runs other programs too takes it away for milliseconds at a time, which
   says nothing of the layer. With more threads, what passed. */
typedef struct onednn_clock {
  int alone;
  uint64_t wall_ns, cpu_ns;
} onednn_clock;
onednn_clock sloe_onednn_clock_start(const onednn_device *device);
uint64_t sloe_onednn_clock_stop(const onednn_clock *clock, uint64_t *wall_ns);

/* Copy a value out in plain layout. For tests. */
sloe_status sloe_onednn_read(onednn_job *job, onednn_value *value, float *to, sloe_error *err);

/* settle.c: weights cold, input as just written. */
void sloe_onednn_settle(onednn_device *device, const onednn_job *job);

/* The function behind an op of one input, as posts. 0: none */
int sloe_onednn_post_node(const sloe_net *net, const sloe_node *node, onednn_posts *posts);

sloe_status sloe_onednn_load_layer(void *state, const sloe_layer_spec *spec, void **job,
                                   sloe_error *err);
sloe_status sloe_onednn_load_network(void *state, const sloe_layers *layers, void **job,
                                     sloe_error *err);
/* net_ops.c, net_group.c: as of a sloe_net_maker. */
sloe_status sloe_onednn_net_op(sloe_net_build *n, const sloe_node *node, onednn_value **dst,
                               sloe_error *err);
sloe_status sloe_onednn_net_group(sloe_net_build *n, const sloe_net_group *group, sloe_error *err);
/* The anchor alone, with posts. */
sloe_status sloe_onednn_net_anchor(sloe_net_build *n, const sloe_node *node, const sloe_node *pad,
                                   const onednn_posts *posts, onednn_value **dst, sloe_error *err);

/* ---- families ---- */

sloe_status sloe_onednn_conv(onednn_job *job, int transposed, onednn_value *src,
                             const sloe_window *window, const onednn_posts *posts, const char *name,
                             onednn_value **dst, sloe_error *err);

/* Rows of c by constant weights: src is n x c, dst n x k. */
sloe_status sloe_onednn_fc(onednn_job *job, onednn_value *src, int64_t k, const onednn_posts *posts,
                           const char *name, onednn_value **dst, sloe_error *err);
/* Of two activations of one rank, plain. */
sloe_status sloe_onednn_matmul(onednn_job *job, onednn_value *a, onednn_value *b,
                               const onednn_posts *posts, onednn_value **dst, sloe_error *err);

/* alg: dnnl_pooling_max, dnnl_pooling_avg_include_padding, dnnl_pooling_avg_exclude_padding.
   window->k and groups are not read. */
sloe_status sloe_onednn_pool(onednn_job *job, onednn_value *src, const sloe_window *window,
                             dnnl_alg_kind_t alg, onednn_value **dst, sloe_error *err);
sloe_status sloe_onednn_global_pool(onednn_job *job, onednn_value *src, dnnl_alg_kind_t alg,
                                    onednn_value **dst, sloe_error *err);
sloe_status sloe_onednn_resample(onednn_job *job, onednn_value *src, const int64_t out[2],
                                 int linear, onednn_value **dst, sloe_error *err);
/* To `dims` of the same rank, 1 where it is reduced. */
sloe_status sloe_onednn_reduce(onednn_job *job, onednn_value *src, dnnl_alg_kind_t alg,
                               const int64_t *dims, onednn_value **dst, sloe_error *err);

sloe_status sloe_onednn_batch_norm(onednn_job *job, onednn_value *src, int relu, onednn_value **dst,
                                   sloe_error *err);
/* Over the last dimension, with factor and offset. */
sloe_status sloe_onednn_layer_norm(onednn_job *job, onednn_value *src, onednn_value **dst,
                                   sloe_error *err);
typedef struct onednn_lrn {
  int64_t size;
  float alpha, beta, bias;
} onednn_lrn;
sloe_status sloe_onednn_lrn(onednn_job *job, onednn_value *src, const onednn_lrn *lrn,
                            onednn_value **dst, sloe_error *err);
sloe_status sloe_onednn_softmax(onednn_job *job, onednn_value *src, int axis, int log,
                                onednn_value **dst, sloe_error *err);

sloe_status sloe_onednn_eltwise(onednn_job *job, onednn_value *src, dnnl_alg_kind_t alg,
                                float alpha, float beta, onednn_value **dst, sloe_error *err);
/* Each post an eltwise primitive. */
sloe_status sloe_onednn_eltwises(onednn_job *job, onednn_value *src, const onednn_posts *posts,
                                 onednn_value **dst, sloe_error *err);
sloe_status sloe_onednn_act(onednn_job *job, onednn_value *src, sloe_spec_act act,
                            onednn_value **dst, sloe_error *err);
/* With broadcasting; ranks may differ. */
sloe_status sloe_onednn_binary(onednn_job *job, dnnl_alg_kind_t alg, onednn_value *a,
                               onednn_value *b, onednn_value **dst, sloe_error *err);

sloe_status sloe_onednn_concat(onednn_job *job, onednn_value *const *src, size_t n, int axis,
                               onednn_value **dst, sloe_error *err);
sloe_status sloe_onednn_slice(onednn_job *job, onednn_value *src, const int64_t *from,
                              const int64_t *dims, onednn_value **dst, sloe_error *err);
/* Zeros around: `before[i]` in front of dimension i (negative: cut off), dims: of the result. */
sloe_status sloe_onednn_pad(onednn_job *job, onednn_value *src, const int64_t *before,
                            const int64_t *dims, onednn_value **dst, sloe_error *err);
/* dst dimension i is src dimension perm[i]. */
sloe_status sloe_onednn_transpose(onednn_job *job, onednn_value *src, const int *perm,
                                  onednn_value **dst, sloe_error *err);
/* The same elements in layout `md`, even if the value has it already. */
sloe_status sloe_onednn_copy(onednn_job *job, onednn_value *src, const dnnl_memory_desc_t *md,
                             onednn_value **dst, sloe_error *err);
/* Layout of `md` with other dims. */
sloe_status sloe_onednn_like(const dnnl_memory_desc_t *md, const int64_t *dims,
                             dnnl_memory_desc_t *out, sloe_error *err);

/* op_plain.c: what oneDNN lacks, as loops over plain tensors. */
typedef float (*onednn_unary_fn)(float x);
typedef float (*onednn_binary_fn)(float a, float b);
sloe_status sloe_onednn_unary(onednn_job *job, onednn_value *src, onednn_unary_fn fn,
                              onednn_value **dst, sloe_error *err);
sloe_status sloe_onednn_erf(onednn_job *job, onednn_value *src, onednn_value **dst,
                            sloe_error *err);
sloe_status sloe_onednn_broadcast(onednn_job *job, onednn_binary_fn fn, onednn_value *a,
                                  onednn_value *b, onednn_value **dst, sloe_error *err);

extern const sloe_backend sloe_backend_onednn;

#endif
