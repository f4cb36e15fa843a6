/* gpu_net_ops.c: one node of a network on its own. */
#include <string.h>

#include "device/cudnn/cudnn.h"

/* ---- convolutions and products ---- */

static sloe_status emit_conv(sloe_net_build *n, const sloe_node *node, const cudnn_tail *tail,
                             cudnn_value **dst, sloe_error *err) {
  sloe_window w;
  cudnn_value *src;
  SLOE_TRY(sloe_window_of_node(&n->walk, node, node->in[0], &w, err));
  SLOE_TRY(sloe_net_build_in(n, node, 0, &src, err));
  return sloe_cudnn_conv(n->job, node->op == SLOE_OP_CONV_TRANSPOSE, src, &w, tail,
                         n->walk.net->tensors[node->in[1]].name, dst, err);
}

static sloe_status emit_fc(sloe_net_build *n, const sloe_node *node, const cudnn_tail *tail,
                           cudnn_value **dst, sloe_error *err) {
  const sloe_tensor *out = sloe_node_out(n->walk.net, node, 0);
  cudnn_tail flat = *tail;
  cudnn_value *src;
  if (sloe_node_int(node, "transA", 0))
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: %.80s reads its input transposed", node->name);
  SLOE_TRY(sloe_net_build_in(n, node, 0, &src, err));
  const int64_t c = src->dims[src->rank - 1], rows = sloe_cudnn_elements(src) / c;
  const int64_t k = out->shape.dim[out->shape.rank - 1];
  SLOE_TRY(sloe_cudnn_reshape(n->job, src, 2, (int64_t[]){rows, c}, &src, err));
  if (flat.residual && flat.residual->rank != 2)
    SLOE_TRY(
        sloe_cudnn_reshape(n->job, flat.residual, 2, (int64_t[]){rows, k}, &flat.residual, err));
  return sloe_cudnn_fc(n->job, src, k, &flat, n->walk.net->tensors[node->in[1]].name, dst, err);
}

static sloe_status emit_matmul(sloe_net_build *n, const sloe_node *node, const cudnn_tail *tail,
                               cudnn_value **dst, sloe_error *err) {
  cudnn_value *a, *b;
  SLOE_TRY(sloe_net_build_factors(n, node, &a, &b, err));
  return sloe_cudnn_matmul(n->job, a, b, tail, dst, err);
}

sloe_status sloe_cudnn_net_anchor(sloe_net_build *n, const sloe_node *node, const cudnn_tail *tail,
                                  cudnn_value **dst, sloe_error *err) {
  *dst = NULL;
  switch (node->op) {
    case SLOE_OP_CONV:
    case SLOE_OP_CONV_TRANSPOSE: return emit_conv(n, node, tail, dst, err);
    case SLOE_OP_GEMM:
    case SLOE_OP_MATMUL:
      return sloe_node_is_fc(n->walk.net, node) ? emit_fc(n, node, tail, dst, err)
                                                : emit_matmul(n, node, tail, dst, err);
    default: return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: no kernel for op %.60s", node->type);
  }
}

/* ---- pooling and the like ---- */

static sloe_status emit_pool(sloe_net_build *n, const sloe_node *node, cudnn_value *src,
                             cudnn_value **dst, sloe_error *err) {
  const cudnn_pool_mode mode = node->op == SLOE_OP_MAX_POOL                  ? CUDNN_MAX
                               : sloe_node_int(node, "count_include_pad", 0) ? CUDNN_MEAN_PADDED
                                                                             : CUDNN_MEAN;
  sloe_window w;
  SLOE_TRY(sloe_window_of_node(&n->walk, node, node->in[0], &w, err));
  return sloe_cudnn_pool(n->job, src, &w, mode, dst, err);
}

static sloe_status emit_global_pool(sloe_net_build *n, const sloe_node *node, cudnn_value *src,
                                    cudnn_value **dst, sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK];
  for (int i = 0; i < src->rank; i++) dims[i] = i < 2 ? src->dims[i] : 1;
  return sloe_cudnn_reduce(n->job, src,
                           node->op == SLOE_OP_GLOBAL_MAX_POOL ? CUDNN_RED_MAX : CUDNN_RED_MEAN,
                           dims, dst, err);
}

static int reduction_of(sloe_op op, cudnn_reduction *out) {
  switch (op) {
    case SLOE_OP_REDUCE_MEAN: *out = CUDNN_RED_MEAN; return 1;
    case SLOE_OP_REDUCE_SUM: *out = CUDNN_RED_SUM; return 1;
    case SLOE_OP_REDUCE_MAX: *out = CUDNN_RED_MAX; return 1;
    case SLOE_OP_REDUCE_MIN: *out = CUDNN_RED_MIN; return 1;
    case SLOE_OP_REDUCE_PROD: *out = CUDNN_RED_PROD; return 1;
    case SLOE_OP_REDUCE_L2: *out = CUDNN_RED_L2; return 1;
    default: return 0;
  }
}

static sloe_status emit_reduce(sloe_net_build *n, const sloe_node *node, cudnn_reduction how,
                               cudnn_value *src, cudnn_value **dst, sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK];
  unsigned axes;
  SLOE_TRY(sloe_net_walk_axes(&n->walk, node, &axes, err));
  for (int i = 0; i < src->rank; i++) dims[i] = axes >> i & 1U ? 1 : src->dims[i];
  return sloe_cudnn_reduce(n->job, src, how, dims, dst, err);
}

static sloe_status emit_resize(sloe_net_build *n, const sloe_node *node, cudnn_value *src,
                               cudnn_value **dst, sloe_error *err) {
  const sloe_tensor *out = sloe_node_out(n->walk.net, node, 0);
  const char *mode = sloe_node_string(node, "mode", "nearest");
  if (src->rank != 4 || out->shape.rank != 4 || out->shape.dim[1] != src->dims[1] ||
      out->shape.dim[0] != src->dims[0] ||
      (strcmp(mode, "nearest") != 0 && strcmp(mode, "linear") != 0 &&
       strcmp(mode, "bilinear") != 0))
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: %.80s resizes otherwise, mode %.20s",
                     node->name, mode);
  return sloe_cudnn_resize(n->job, src, out->shape.dim + 2, strcmp(mode, "nearest") != 0, dst, err);
}

/* ---- normalisation ---- */

static sloe_status emit_lrn(sloe_net_build *n, const sloe_node *node, cudnn_value *src,
                            cudnn_value **dst, sloe_error *err) {
  const float abk[] = {(float)sloe_node_float(node, "alpha", 1e-4),
                       (float)sloe_node_float(node, "beta", 0.75),
                       (float)sloe_node_float(node, "bias", 1)};
  if (src->rank != 4)
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: %.80s is not of two dimensions", node->name);
  return sloe_cudnn_lrn(n->job, src, sloe_node_int(node, "size", 5), abk, dst, err);
}

/* ---- functions and arithmetic ---- */

static sloe_status emit_binary(sloe_net_build *n, const sloe_node *node, const char *text,
                               cudnn_value *a, cudnn_value **dst, sloe_error *err) {
  *dst = a;
  for (size_t i = 1; i < node->n_in; i++) {
    cudnn_value *b, *before = *dst;
    SLOE_TRY(sloe_net_build_in(n, node, i, &b, err));
    SLOE_TRY(sloe_cudnn_binary(n->job, text, before, b, dst, err));
    if (before != a) sloe_cudnn_release(n->job, before);
  }
  return SLOE_OK;
}

static sloe_status emit_function(sloe_net_build *n, const sloe_node *node, cudnn_value *src,
                                 cudnn_value **dst, sloe_error *err) {
  char text[CUDNN_TEXT];
  const char *binary = sloe_cudnn_binary_text(node->op);
  if (sloe_cudnn_node_text(n->walk.net, node, text))
    return sloe_cudnn_unary(n->job, text, src, dst, err);
  if (binary && node->n_in > 1) return emit_binary(n, node, binary, src, dst, err);
  return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: no kernel for op %.60s (%.80s)", node->type,
                   node->name);
}

/* ---- any node ---- */

static sloe_status emit_one(sloe_net_build *n, const sloe_node *node, cudnn_value *src,
                            cudnn_value **dst, sloe_error *err) {
  const int axis = sloe_net_walk_axis(&n->walk, node, -1);
  cudnn_reduction how;
  if (reduction_of(node->op, &how)) return emit_reduce(n, node, how, src, dst, err);
  switch (node->op) {
    case SLOE_OP_MAX_POOL:
    case SLOE_OP_AVERAGE_POOL: return emit_pool(n, node, src, dst, err);
    case SLOE_OP_GLOBAL_AVERAGE_POOL:
    case SLOE_OP_GLOBAL_MAX_POOL: return emit_global_pool(n, node, src, dst, err);
    case SLOE_OP_RESIZE:
    case SLOE_OP_UPSAMPLE: return emit_resize(n, node, src, dst, err);
    case SLOE_OP_BATCH_NORM: return sloe_cudnn_batch_norm(n->job, src, NULL, dst, err);
    case SLOE_OP_LAYER_NORM:
      SLOE_TRY(sloe_net_build_rows(n, node, &src, err));
      return sloe_cudnn_layer_norm(n->job, src, dst, err);
    case SLOE_OP_LRN: return emit_lrn(n, node, src, dst, err);
    case SLOE_OP_SOFTMAX:
    case SLOE_OP_LOG_SOFTMAX:
      return sloe_cudnn_softmax(n->job, src, axis, node->op == SLOE_OP_LOG_SOFTMAX, dst, err);
    default: return emit_function(n, node, src, dst, err);
  }
}

sloe_status sloe_cudnn_net_op(sloe_net_build *n, const sloe_node *node, cudnn_value **dst,
                              sloe_error *err) {
  const cudnn_tail none = {.act = NULL};
  cudnn_value *src;
  if (sloe_op_role_of(node->op) == SLOE_ROLE_ANCHOR)
    return sloe_cudnn_net_anchor(n, node, &none, dst, err);
  SLOE_TRY(sloe_net_build_in(n, node, 0, &src, err));
  return emit_one(n, node, src, dst, err);
}
