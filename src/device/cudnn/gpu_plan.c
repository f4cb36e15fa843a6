/* gpu_plan.c: a convolution as a graph of operations, and the plans that cuDNN's heuristics propose
 * for it (cudnnBackend..., cuDNN 8 and later).
 *
 * Each proposal is an engine with settings (knobs): one kernel with one tile size, so that its time
 * is a function of the layer's sizes, without the jumps of the classic calls, which choose among
 * kernels themselves. Engines that compile when first used are left out, those of tensor cores too
 * where numbers are to be fp32.
 *
 * Everything made here lives as long as the job.
 */
#include <stdbool.h>
#include <stdio.h>

#include "device/cudnn/gpu_conv.h"

typedef cudnnBackendDescriptor_t descriptor;

enum { MOST_NOTES = 32, MOST_KNOBS = 24, MOST_POINTERS = 5, NAME = 160 };
static const int64_t MOST_WORKSPACE = INT64_C(2) << 30;

typedef struct plan {
  descriptor plan;
  int64_t ids[MOST_POINTERS];
  const cudnn_value *values[MOST_POINTERS];
  int64_t n;
  cudnn_step behind; /* launch NULL: the plan does all */
} plan;

/* A graph being described. */
typedef struct describing {
  cudnn_job *job;
  const cudnn_conv *conv;
  plan io; /* its tensors: ids and values */
  descriptor ops[4];
  int64_t n_ops, next_id;
  sloe_error *err;
} describing;

/* ---- descriptors ---- */

static void destroy(void *handle) {
  (void)cudnnBackendDestroyDescriptor(handle);
}

static sloe_status make(cudnn_job *job, cudnnBackendDescriptorType_t type, descriptor *out,
                        sloe_error *err) {
  DNN_TRY(cudnnBackendCreateDescriptor(type, out), "a descriptor");
  return sloe_cudnn_own(job, *out, destroy, err);
}

static sloe_status set(descriptor d, cudnnBackendAttributeName_t name,
                       cudnnBackendAttributeType_t type, int64_t n, const void *values,
                       sloe_error *err) {
  DNN_TRY(cudnnBackendSetAttribute(d, name, type, n, values), "describing a convolution");
  return SLOE_OK;
}

static sloe_status set_descriptor(descriptor d, cudnnBackendAttributeName_t name, descriptor value,
                                  sloe_error *err) {
  return set(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value, err);
}

static sloe_status finish(descriptor d, sloe_error *err) {
  DNN_TRY(cudnnBackendFinalize(d), "describing a convolution");
  return SLOE_OK;
}

/* How many of at most `room` were got. */
static int64_t get(descriptor d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                   int64_t room, void *values) {
  int64_t n = 0;
  if (cudnnBackendGetAttribute(d, name, type, room, &n, values) != CUDNN_STATUS_SUCCESS) return 0;
  return n < room ? n : room;
}

/* ---- tensors ---- */

/* As a value lies in memory, `like`; virtual ones, between two operations, are fp32. */
static sloe_status make_tensor(describing *x, const cudnn_value *like, int is_virtual,
                               descriptor *out) {
  const bool virtual = is_virtual != 0;
  const cudnnDataType_t type =
      x->job->device->half && !is_virtual ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT;
  const int64_t id = x->next_id++, width = x->job->device->half ? 2 : 4;
  const int64_t alignment = is_virtual || like->offset * width % 16 == 0 ? 16 : width;
  sloe_error *err = x->err;
  SLOE_TRY(make(x->job, CUDNN_BACKEND_TENSOR_DESCRIPTOR, out, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, like->dims, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, like->strides, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &virtual, err));
  if (!is_virtual) {
    x->io.ids[x->io.n] = id;
    x->io.values[x->io.n++] = like;
  }
  return finish(*out, err);
}

/* ---- operations ---- */

static sloe_status make_window(const describing *x, descriptor *out) {
  const sloe_window *w = &x->conv->window;
  const cudnnDataType_t type = CUDNN_DATA_FLOAT;
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  const int64_t dims = 2;
  sloe_error *err = x->err;
  SLOE_TRY(make(x->job, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, out, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &dims, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, w->pad, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, w->pad, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, w->stride, err));
  SLOE_TRY(set(*out, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, w->dilation, err));
  return finish(*out, err);
}

static sloe_status add_convolution(describing *x, descriptor result) {
  const float one = 1.0F, zero = 0.0F;
  descriptor op, window, in, weights;
  sloe_error *err = x->err;
  SLOE_TRY(make_window(x, &window));
  SLOE_TRY(make_tensor(x, x->conv->in, 0, &in));
  SLOE_TRY(make_tensor(x, x->conv->weights, 0, &weights));
  SLOE_TRY(make(x->job, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, &op, err));
  SLOE_TRY(set_descriptor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, window, err));
  SLOE_TRY(set_descriptor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, in, err));
  SLOE_TRY(set_descriptor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, weights, err));
  SLOE_TRY(set_descriptor(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, result, err));
  SLOE_TRY(set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1, &one, err));
  SLOE_TRY(set(op, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1, &zero, err));
  x->ops[x->n_ops++] = op;
  return finish(op, err);
}

/* result = mode(a, b), or mode(a) with b NULL. */
static sloe_status add_pointwise(describing *x, cudnnPointwiseMode_t mode, descriptor a,
                                 descriptor b, descriptor result) {
  const cudnnDataType_t type = CUDNN_DATA_FLOAT;
  descriptor op, how;
  sloe_error *err = x->err;
  SLOE_TRY(make(x->job, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, &how, err));
  SLOE_TRY(set(how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode, err));
  SLOE_TRY(set(how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &type, err));
  SLOE_TRY(finish(how, err));
  SLOE_TRY(make(x->job, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, &op, err));
  SLOE_TRY(set_descriptor(op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how, err));
  SLOE_TRY(set_descriptor(op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, a, err));
  if (b) SLOE_TRY(set_descriptor(op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b, err));
  SLOE_TRY(set_descriptor(op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, result, err));
  x->ops[x->n_ops++] = op;
  return finish(op, err);
}

/* The convolution, + residual, + bias, Relu: the last of them writes the result. */
static sloe_status describe_fused(describing *x, int relu) {
  const cudnn_conv *c = x->conv;
  descriptor at, next, other;
  SLOE_TRY(make_tensor(x, c->out, 1, &at));
  SLOE_TRY(add_convolution(x, at));
  if (c->residual) {
    SLOE_TRY(make_tensor(x, c->residual, 0, &other));
    SLOE_TRY(make_tensor(x, c->out, 1, &next));
    SLOE_TRY(add_pointwise(x, CUDNN_POINTWISE_ADD, at, other, next));
    at = next;
  }
  SLOE_TRY(make_tensor(x, c->bias, 0, &other));
  SLOE_TRY(make_tensor(x, c->out, relu, &next));
  SLOE_TRY(add_pointwise(x, CUDNN_POINTWISE_ADD, at, other, next));
  if (!relu) return SLOE_OK;
  at = next;
  SLOE_TRY(make_tensor(x, c->out, 0, &next));
  return add_pointwise(x, CUDNN_POINTWISE_RELU_FWD, at, NULL, next);
}

static sloe_status describe_bare(describing *x) {
  descriptor result;
  SLOE_TRY(make_tensor(x, x->conv->out, 0, &result));
  return add_convolution(x, result);
}

/* ---- proposals ---- */

typedef struct engine { /* of a proposal */
  int64_t index;
  int compiles, uses_tensor_cores;
} engine;

static sloe_status read_engine(cudnn_job *job, descriptor proposal, engine *out, sloe_error *err) {
  cudnnBackendNumericalNote_t numeric[MOST_NOTES];
  cudnnBackendBehaviorNote_t behavior[MOST_NOTES];
  descriptor d;
  *out = (engine){.index = -1};
  SLOE_TRY(make(job, CUDNN_BACKEND_ENGINE_DESCRIPTOR, &d, err));
  if (!get(proposal, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &d))
    return SLOE_OK;
  (void)get(d, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &out->index);
  int64_t n =
      get(d, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, MOST_NOTES, numeric);
  for (int64_t i = 0; i < n; i++)
    out->uses_tensor_cores |= numeric[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE;
  n = get(d, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE, MOST_NOTES, behavior);
  for (int64_t i = 0; i < n; i++)
    out->compiles |= behavior[i] == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION;
  return SLOE_OK;
}

/* ",2=12,18=0": knobs by their numbers. */
static void print_knobs(descriptor proposal, char name[NAME]) {
  descriptor knobs[MOST_KNOBS] = {NULL};
  int made = 0;
  while (made < MOST_KNOBS && cudnnBackendCreateDescriptor(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR,
                                                           &knobs[made]) == CUDNN_STATUS_SUCCESS)
    made++;
  const int64_t n =
      get(proposal, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR, made, knobs);
  size_t len = 0;
  name[0] = 0;
  for (int64_t i = 0; i < n && len < NAME; i++) {
    cudnnBackendKnobType_t type = CUDNN_KNOB_TYPE_SWIZZLE;
    int64_t value = 0;
    (void)get(knobs[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &type);
    (void)get(knobs[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1, &value);
    len += (size_t)snprintf(name + len, NAME - len, ",%d=%lld", (int)type, (long long)value);
  }
  while (made > 0) destroy(knobs[--made]);
}

static sloe_status name_proposal(const describing *x, descriptor proposal, const engine *e,
                                 int is_bare, const char **out) {
  char knobs[NAME];
  print_knobs(proposal, knobs);
  *out = sloe_arena_printf(&x->job->arena, "eng=%lld%s%s%s", (long long)e->index, knobs,
                           is_bare ? "" : ",fused",
                           sloe_cudnn_is(x->conv->in, CUDNN_PLAIN) ? "" : ",nhwc");
  return *out ? SLOE_OK : sloe_cudnn_nomem(x->err);
}

/* ---- launching ---- */

static sloe_status fill_pack(const cudnn_job *job, const plan *p, descriptor pack,
                             sloe_error *err) {
  void *pointers[MOST_POINTERS];
  for (int64_t i = 0; i < p->n; i++) pointers[i] = sloe_cudnn_at(job, p->values[i]);
  SLOE_TRY(
      set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, p->n, pointers, err));
  SLOE_TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, p->n, p->ids, err));
  SLOE_TRY(
      set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &job->workspace, err));
  SLOE_TRY(finish(pack, err));
  DNN_TRY(cudnnBackendExecute(job->device->dnn, p->plan, pack), "a convolution");
  return SLOE_OK;
}

static sloe_status launch_plan(const cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  const plan *p = step->params;
  descriptor pack;
  DNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack),
          "a descriptor");
  const sloe_status status = fill_pack(job, p, pack, err);
  (void)cudnnBackendDestroyDescriptor(pack);
  if (status != SLOE_OK || !p->behind.launch) return status;
  return p->behind.launch(job, &p->behind, err);
}

/* ---- plans ---- */

/* No plan is no error: the proposal is passed over. */
static sloe_status add_plan(const describing *x, descriptor proposal, const cudnn_step *behind,
                            cudnn_candidates *to) {
  cudnn_job *job = x->job;
  engine e;
  int64_t workspace = 0;
  const char *name;
  SLOE_TRY(read_engine(job, proposal, &e, x->err));
  if (e.compiles || (e.uses_tensor_cores && !job->device->half && !job->device->tf32))
    return SLOE_OK;
  plan *p = SLOE_ARENA_NEW(&job->arena, plan, 1);
  if (!p) return sloe_cudnn_nomem(x->err);
  *p = x->io;
  if (behind) p->behind = *behind;
  SLOE_TRY(make(job, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, &p->plan, x->err));
  SLOE_TRY(set(p->plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &job->device->dnn,
               x->err));
  SLOE_TRY(set_descriptor(p->plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, proposal, x->err));
  if (cudnnBackendFinalize(p->plan) != CUDNN_STATUS_SUCCESS) return SLOE_OK;
  (void)get(p->plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &workspace);
  if (workspace < 0 || workspace > MOST_WORKSPACE) return SLOE_OK;
  SLOE_TRY(name_proposal(x, proposal, &e, behind != NULL, &name));
  to->step[to->n++] = (cudnn_step){
      .launch = launch_plan, .params = p, .workspace = (size_t)workspace, .choice = name};
  return SLOE_OK;
}

/* The heuristics' answer, n proposals, best first as they think. */
static sloe_status ask(const describing *x, cudnnBackendHeurMode_t mode,
                       descriptor proposals[CUDNN_MOST_CANDIDATES], int64_t *n) {
  descriptor graph, heuristics;
  sloe_error *err = x->err;
  *n = 0;
  SLOE_TRY(make(x->job, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, &graph, err));
  SLOE_TRY(set(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, x->n_ops,
               x->ops, err));
  SLOE_TRY(set(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &x->job->device->dnn,
               err));
  if (cudnnBackendFinalize(graph) != CUDNN_STATUS_SUCCESS) return SLOE_OK; /* nothing for it */
  SLOE_TRY(make(x->job, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &heuristics, err));
  SLOE_TRY(set_descriptor(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph, err));
  SLOE_TRY(set(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode, err));
  if (cudnnBackendFinalize(heuristics) != CUDNN_STATUS_SUCCESS) return SLOE_OK;
  for (int i = 0; i < CUDNN_MOST_CANDIDATES; i++)
    SLOE_TRY(make(x->job, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &proposals[i], err));
  *n = get(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
           CUDNN_MOST_CANDIDATES, proposals);
  return SLOE_OK;
}

sloe_status sloe_cudnn_plans(cudnn_job *job, const cudnn_conv *conv, int relu,
                             const cudnn_step *behind, cudnn_candidates *to, sloe_error *err) {
  static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};
  describing x = {.job = job, .conv = conv, .next_id = 1, .err = err};
  descriptor proposals[CUDNN_MOST_CANDIDATES];
  const size_t before = to->n;
  SLOE_TRY(behind ? describe_bare(&x) : describe_fused(&x, relu));
  for (int m = 0; m < 2 && to->n == before; m++) {
    int64_t n;
    SLOE_TRY(ask(&x, modes[m], proposals, &n));
    for (int64_t i = 0; i < n && to->n < CUDNN_MOST_CANDIDATES; i++)
      SLOE_TRY(add_plan(&x, proposals[i], behind, to));
  }
  return SLOE_OK;
}
