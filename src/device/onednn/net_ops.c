/* net_ops.c: one node of a network on its own. */
#include <math.h>
#include <string.h>

#include "device/onednn/onednn.h"

/* ---- convolutions and products ---- */

static sloe_status emit_conv(sloe_net_build *n, const sloe_node *node, const sloe_node *pad,
                             const onednn_posts *posts, onednn_value **dst, sloe_error *err) {
  const sloe_tid from = pad ? pad->in[0] : node->in[0];
  const int transposed = node->op == SLOE_OP_CONV_TRANSPOSE;
  sloe_window w;
  onednn_value *src;
  SLOE_TRY(sloe_window_of_node(&n->walk, node, from, &w, err));
  SLOE_TRY(sloe_net_build_value(n, from, &src, err));
  return sloe_onednn_conv(n->job, transposed, src, &w, posts,
                          n->walk.net->tensors[node->in[1]].name, dst, err);
}

static sloe_status emit_fc(sloe_net_build *n, const sloe_node *node, const onednn_posts *posts,
                           onednn_value **dst, sloe_error *err) {
  const sloe_tensor *out = &n->walk.net->tensors[node->out[0]];
  onednn_value *src;
  if (sloe_node_int(node, "transA", 0))
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: %.80s reads its input transposed", node->name);
  SLOE_TRY(sloe_net_build_in(n, node, 0, &src, err));
  const int64_t c = src->dims[src->rank - 1];
  const int64_t rows = (int64_t)sloe_onednn_elements(src) / c;
  SLOE_TRY(sloe_onednn_reshape(n->job, src, 2, (int64_t[]){rows, c}, &src, err));
  return sloe_onednn_fc(n->job, src, out->shape.dim[out->shape.rank - 1], posts,
                        n->walk.net->tensors[node->in[1]].name, dst, err);
}

static sloe_status emit_matmul(sloe_net_build *n, const sloe_node *node, const onednn_posts *posts,
                               onednn_value **dst, sloe_error *err) {
  onednn_value *a, *b;
  SLOE_TRY(sloe_net_build_factors(n, node, &a, &b, err));
  return sloe_onednn_matmul(n->job, a, b, posts, dst, err);
}

sloe_status sloe_onednn_net_anchor(sloe_net_build *n, const sloe_node *node, const sloe_node *pad,
                                   const onednn_posts *posts, onednn_value **dst, sloe_error *err) {
  *dst = NULL;
  switch (node->op) {
    case SLOE_OP_CONV:
    case SLOE_OP_CONV_TRANSPOSE: return emit_conv(n, node, pad, posts, dst, err);
    case SLOE_OP_GEMM:
    case SLOE_OP_MATMUL:
      return sloe_node_is_fc(n->walk.net, node) ? emit_fc(n, node, posts, dst, err)
                                                : emit_matmul(n, node, posts, dst, err);
    default:
      return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: no primitive for op %.60s", node->type);
  }
}

/* ---- pooling and the like ---- */

static sloe_status emit_pool(sloe_net_build *n, const sloe_node *node, onednn_value *src,
                             onednn_value **dst, sloe_error *err) {
  sloe_window w;
  const dnnl_alg_kind_t alg = node->op == SLOE_OP_MAX_POOL ? dnnl_pooling_max
                              : sloe_node_int(node, "count_include_pad", 0)
                                  ? dnnl_pooling_avg_include_padding
                                  : dnnl_pooling_avg_exclude_padding;
  SLOE_TRY(sloe_window_of_node(&n->walk, node, node->in[0], &w, err));
  return sloe_onednn_pool(n->job, src, &w, alg, dst, err);
}

static dnnl_alg_kind_t reduction_of(sloe_op op) {
  switch (op) {
    case SLOE_OP_REDUCE_SUM: return dnnl_reduction_sum;
    case SLOE_OP_REDUCE_MAX: return dnnl_reduction_max;
    case SLOE_OP_REDUCE_MIN: return dnnl_reduction_min;
    case SLOE_OP_REDUCE_PROD: return dnnl_reduction_mul;
    case SLOE_OP_REDUCE_L2: return dnnl_reduction_norm_lp_sum;
    default: return dnnl_reduction_mean;
  }
}

/* A mean over height and width is a pooling. */
static sloe_status emit_reduce(sloe_net_build *n, const sloe_node *node, onednn_value *src,
                               onednn_value **dst, sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK];
  unsigned axes;
  SLOE_TRY(sloe_net_walk_axes(&n->walk, node, &axes, err));
  for (int i = 0; i < src->rank; i++) dims[i] = axes >> i & 1U ? 1 : src->dims[i];
  if (node->op == SLOE_OP_REDUCE_MEAN && src->rank == 4 && axes == 12U)
    return sloe_onednn_global_pool(n->job, src, dnnl_pooling_avg_exclude_padding, dst, err);
  return sloe_onednn_reduce(n->job, src, reduction_of(node->op), dims, dst, err);
}

static sloe_status emit_resize(sloe_net_build *n, const sloe_node *node, onednn_value *src,
                               onednn_value **dst, sloe_error *err) {
  const sloe_tensor *out = sloe_node_out(n->walk.net, node, 0);
  const char *mode = sloe_node_string(node, "mode", "nearest");
  if (src->rank != 4 || src->dims[0] != out->shape.dim[0] || src->dims[1] != out->shape.dim[1] ||
      strcmp(mode, "cubic") == 0)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: no resampling of %.80s, mode %.20s",
                     node->name, mode);
  return sloe_onednn_resample(n->job, src, out->shape.dim + 2, strcmp(mode, "nearest") != 0, dst,
                              err);
}

/* ---- normalisation ---- */

static sloe_status emit_lrn(sloe_net_build *n, const sloe_node *node, onednn_value *src,
                            onednn_value **dst, sloe_error *err) {
  const onednn_lrn lrn = {.size = sloe_node_int(node, "size", 5),
                          .alpha = (float)sloe_node_float(node, "alpha", 1e-4),
                          .beta = (float)sloe_node_float(node, "beta", 0.75),
                          .bias = (float)sloe_node_float(node, "bias", 1)};
  return sloe_onednn_lrn(n->job, src, &lrn, dst, err);
}

/* ---- functions and arithmetic ---- */

static float sign_of(float x) {
  return x > 0 ? 1.0F : x < 0 ? -1.0F : 0.0F;
}
static float softsign(float x) {
  return x / (1.0F + fabsf(x));
}
static float selu(float x) {
  return 1.05070098F * (x > 0 ? x : 1.67326324F * expm1f(x));
}

static onednn_unary_fn loop_of(sloe_op op) {
  switch (op) {
    case SLOE_OP_SIGN: return sign_of;
    case SLOE_OP_SOFTSIGN: return softsign;
    case SLOE_OP_SELU: return selu;
    case SLOE_OP_FLOOR: return floorf;
    case SLOE_OP_CEIL: return ceilf;
    case SLOE_OP_SIN: return sinf;
    case SLOE_OP_COS: return cosf;
    default: return NULL;
  }
}

static sloe_status emit_unary(sloe_net_build *n, const sloe_node *node, onednn_value *src,
                              int *done, onednn_value **dst, sloe_error *err) {
  onednn_posts posts = {.n = 0};
  const onednn_unary_fn loop = loop_of(node->op);
  *done = 1;
  if (node->op == SLOE_OP_ERF) return sloe_onednn_erf(n->job, src, dst, err);
  if (sloe_onednn_post_node(n->walk.net, node, &posts))
    return sloe_onednn_eltwises(n->job, src, &posts, dst, err);
  if (loop) return sloe_onednn_unary(n->job, src, loop, dst, err);
  *done = 0;
  return SLOE_OK;
}

static float power(float a, float b) {
  return powf(a, b);
}

static sloe_status emit_pow(sloe_net_build *n, const sloe_node *node, onednn_value *src,
                            onednn_value **dst, sloe_error *err) {
  const sloe_tensor *t = sloe_node_in(n->walk.net, node, 1);
  onednn_value *b;
  if (t && t->value && t->value->n == 1) {
    const float p = t->value->real ? (float)t->value->f[0] : (float)t->value->i[0];
    return p == 2 ? sloe_onednn_eltwise(n->job, src, dnnl_eltwise_square, 0, 0, dst, err)
                  : sloe_onednn_eltwise(n->job, src, dnnl_eltwise_pow, 1, p, dst, err);
  }
  SLOE_TRY(sloe_net_build_in(n, node, 1, &b, err));
  if (b->rank != src->rank)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: %.80s: powers of another rank", node->name);
  return sloe_onednn_broadcast(n->job, power, src, b, dst, err);
}

static sloe_status emit_binary(sloe_net_build *n, const sloe_node *node, onednn_value *a, int *done,
                               onednn_value **dst, sloe_error *err) {
  dnnl_alg_kind_t alg;
  *done = 1;
  switch (node->op) {
    case SLOE_OP_ADD:
    case SLOE_OP_SUM: alg = dnnl_binary_add; break;
    case SLOE_OP_SUB: alg = dnnl_binary_sub; break;
    case SLOE_OP_MUL: alg = dnnl_binary_mul; break;
    case SLOE_OP_DIV: alg = dnnl_binary_div; break;
    case SLOE_OP_MIN: alg = dnnl_binary_min; break;
    case SLOE_OP_MAX: alg = dnnl_binary_max; break;
    case SLOE_OP_POW: return emit_pow(n, node, a, dst, err);
    default: *done = 0; return SLOE_OK;
  }
  *dst = a;
  for (size_t i = 1; i < node->n_in; i++) {
    onednn_value *b, *before = *dst;
    SLOE_TRY(sloe_net_build_in(n, node, i, &b, err));
    SLOE_TRY(sloe_onednn_binary(n->job, alg, before, b, dst, err));
    if (before != a) sloe_onednn_release(n->job, before);
  }
  return SLOE_OK;
}

/* ---- any node ---- */

static sloe_status emit_one(sloe_net_build *n, const sloe_node *node, onednn_value *src,
                            onednn_value **dst, sloe_error *err) {
  const int axis = sloe_net_walk_axis(&n->walk, node, -1);
  int done;
  switch (node->op) {
    case SLOE_OP_MAX_POOL:
    case SLOE_OP_AVERAGE_POOL: return emit_pool(n, node, src, dst, err);
    case SLOE_OP_GLOBAL_AVERAGE_POOL:
    case SLOE_OP_GLOBAL_MAX_POOL:
      if (src->rank != 4) break;
      return sloe_onednn_global_pool(
          n->job, src,
          node->op == SLOE_OP_GLOBAL_MAX_POOL ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding,
          dst, err);
    case SLOE_OP_REDUCE_MEAN:
    case SLOE_OP_REDUCE_SUM:
    case SLOE_OP_REDUCE_MAX:
    case SLOE_OP_REDUCE_MIN:
    case SLOE_OP_REDUCE_PROD:
    case SLOE_OP_REDUCE_L2: return emit_reduce(n, node, src, dst, err);
    case SLOE_OP_RESIZE:
    case SLOE_OP_UPSAMPLE: return emit_resize(n, node, src, dst, err);
    case SLOE_OP_BATCH_NORM: return sloe_onednn_batch_norm(n->job, src, 0, dst, err);
    case SLOE_OP_LAYER_NORM:
      SLOE_TRY(sloe_net_build_rows(n, node, &src, err));
      return sloe_onednn_layer_norm(n->job, src, dst, err);
    case SLOE_OP_LRN: return emit_lrn(n, node, src, dst, err);
    case SLOE_OP_SOFTMAX:
    case SLOE_OP_LOG_SOFTMAX:
      return sloe_onednn_softmax(n->job, src, axis, node->op == SLOE_OP_LOG_SOFTMAX, dst, err);
    default: break;
  }
  SLOE_TRY(emit_unary(n, node, src, &done, dst, err));
  if (!done) SLOE_TRY(emit_binary(n, node, src, &done, dst, err));
  if (done) return SLOE_OK;
  return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: no primitive for op %.60s (%.80s)", node->type,
                   node->name);
}

sloe_status sloe_onednn_net_op(sloe_net_build *n, const sloe_node *node, onednn_value **dst,
                               sloe_error *err) {
  const onednn_posts none = {.n = 0};
  onednn_value *src;
  if (sloe_op_role_of(node->op) == SLOE_ROLE_ANCHOR)
    return sloe_onednn_net_anchor(n, node, NULL, &none, dst, err);
  SLOE_TRY(sloe_net_build_in(n, node, 0, &src, err));
  return emit_one(n, node, src, dst, err);
}
