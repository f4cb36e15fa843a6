/* spatial.c: kernel, stride, padding of the op that a layer is built around, and its kind. Only
 * ops with two spatial dimensions fill [height, width]; one dimension fills width, three leave both
 * zero. */
#include "net/fuse/fuse.h"

#include <string.h>

/* The last up to two of n values; `fallback` where the list is absent. */
static void take_pair(const int64_t *v, size_t n, size_t dims, int64_t fallback, int64_t out[2]) {
  out[0] = dims > 1 ? fallback : 0;
  out[1] = fallback;
  if (!v || n != dims) return;
  if (dims == 2) out[0] = v[0];
  out[1] = v[dims - 1];
}

/* auto_pad SAME_*: ONNX's rule, from the shapes. */
static void auto_pads(const sloe_shape *in, const sloe_shape *out, int lower, sloe_layer *l) {
  for (int d = 0; d < 2; d++) {
    const int64_t x = in->dim[2 + d], y = out->dim[2 + d];
    if (x < 0 || y < 0 || l->kernel[d] < 1 || l->stride[d] < 0 || l->dilation[d] < 0) continue;
    const uint64_t span = sloe_mul_sat((uint64_t)l->kernel[d] - 1, (uint64_t)l->dilation[d]);
    const uint64_t reach = sloe_mul_sat(y > 0 ? (uint64_t)y - 1 : 0, (uint64_t)l->stride[d]);
    const uint64_t need = sloe_add_sat(sloe_add_sat(span, reach), 1);
    const int64_t total = need > (uint64_t)x && need < INT64_MAX ? (int64_t)need - x : 0;
    l->pads[d] = lower ? total - total / 2 : total / 2;
    l->pads[2 + d] = total - l->pads[d];
  }
}

static void take_pads(const sloe_node *node, const sloe_tensor *in, const sloe_tensor *out,
                      size_t dims, sloe_layer *l) {
  size_t n = 0;
  const int64_t *p = sloe_node_ints(node, "pads", &n);
  const char *mode = sloe_node_string(node, "auto_pad", "NOTSET");
  if (p && n == 4 && dims == 2) {
    memcpy(l->pads, p, sizeof l->pads);
  } else if (p && n == 2 && dims == 1) {
    l->pads[1] = p[0];
    l->pads[3] = p[1];
  } else if (!strncmp(mode, "SAME_", 5) && dims == 2 && in && out && in->shape.rank == 4 &&
             out->shape.rank == 4) {
    auto_pads(&in->shape, &out->shape, !strcmp(mode, "SAME_LOWER"), l);
  }
}

static void take_window(const sloe_net *net, const sloe_node *node, size_t dims, sloe_layer *l) {
  size_t n = 0;
  const int64_t *v = sloe_node_ints(node, "strides", &n);
  take_pair(v, n, dims, 1, l->stride);
  v = sloe_node_ints(node, "dilations", &n);
  take_pair(v, n, dims, 1, l->dilation);
  take_pads(node, sloe_node_in(net, node, 0), sloe_node_out(net, node, 0), dims, l);
}

static size_t weight_index(sloe_op op) {
  return op == SLOE_OP_QLINEAR_CONV || op == SLOE_OP_QLINEAR_MATMUL || op == SLOE_OP_MS_QGEMM ? 3
                                                                                              : 1;
}

static void take_conv(const sloe_net *net, const sloe_node *node, sloe_layer *l) {
  const sloe_tensor *w = sloe_node_in(net, node, weight_index(node->op));
  if (!w || w->shape.rank < 3) return;
  const sloe_shape *s = &w->shape;
  l->groups = sloe_node_int(node, "group", 1);
  l->filters = s->dim[0];
  if (node->op == SLOE_OP_CONV_TRANSPOSE) /* C x M/groups */
    l->filters = s->dim[1] > 0 && l->groups > 0 && s->dim[1] <= INT64_MAX / l->groups
                     ? s->dim[1] * l->groups
                     : 0;
  if (s->rank > 4) return;
  take_pair(s->dim + 2, (size_t)s->rank - 2, (size_t)s->rank - 2, 0, l->kernel);
  take_window(net, node, (size_t)s->rank - 2, l);
}

/* Units of a product: the last dimension of what it writes. */
static void take_units(const sloe_net *net, const sloe_node *node, sloe_layer *l) {
  const sloe_tensor *out = sloe_node_out(net, node, 0);
  if (out && out->shape.rank > 0 && out->shape.dim[out->shape.rank - 1] > 0)
    l->filters = out->shape.dim[out->shape.rank - 1];
}

static int is_global(sloe_op op) {
  switch (op) {
    case SLOE_OP_GLOBAL_MAX_POOL:
    case SLOE_OP_GLOBAL_AVERAGE_POOL:
    case SLOE_OP_GLOBAL_LP_POOL:
    case SLOE_OP_MS_QLINEAR_GLOBAL_AVERAGE_POOL:
    case SLOE_OP_REDUCE_MEAN: return 1;
    default: return 0;
  }
}

static void take_pool(const sloe_net *net, const sloe_node *node, sloe_layer *l) {
  const sloe_tensor *in = sloe_node_in(net, node, 0);
  size_t n = 0;
  const int64_t *k = sloe_node_ints(node, "kernel_shape", &n);
  if (k && (n == 1 || n == 2)) {
    take_pair(k, n, n, 1, l->kernel);
    take_window(net, node, n, l);
  } else if (is_global(node->op) && in && in->shape.rank == 4 && in->shape.dim[2] > 0 &&
             in->shape.dim[3] > 0) {
    for (int d = 0; d < 2; d++) { /* global: the window is the image */
      l->kernel[d] = in->shape.dim[2 + d];
      l->stride[d] = l->dilation[d] = 1;
    }
  }
}

void sloe_fuse_spatial(const sloe_net *net, const sloe_node *node, sloe_layer *layer) {
  memset(layer->kernel, 0, sizeof layer->kernel);
  memset(layer->stride, 0, sizeof layer->stride);
  memset(layer->dilation, 0, sizeof layer->dilation);
  memset(layer->pads, 0, sizeof layer->pads);
  layer->groups = layer->filters = 0;
  switch (sloe_fuse_kind(net, node)) {
    case SLOE_LAYER_CONV:
    case SLOE_LAYER_DWCONV:
    case SLOE_LAYER_DECONV: take_conv(net, node, layer); break;
    case SLOE_LAYER_FC:
    case SLOE_LAYER_MATMUL: take_units(net, node, layer); break;
    case SLOE_LAYER_POOL: take_pool(net, node, layer); break;
    default: break;
  }
}

/* ReduceMean over exactly height and width of a 4-d tensor is average pooling (rule 8 of the
   research table), whether it keeps the dimensions or not. */
static int is_spatial_mean(const sloe_net *net, const sloe_node *node) {
  const sloe_tensor *in = sloe_node_in(net, node, 0), *axes = sloe_node_in(net, node, 1);
  if (node->op != SLOE_OP_REDUCE_MEAN || !in || in->shape.rank != 4) return 0;
  size_t n = 0;
  const int64_t *v = sloe_node_ints(node, "axes", &n);
  if (!v && axes && axes->value && !axes->value->real) v = axes->value->i, n = axes->value->n;
  if (!v || n != 2) return 0;
  const int64_t a = v[0] < 0 ? v[0] + 4 : v[0], b = v[1] < 0 ? v[1] + 4 : v[1];
  return (a == 2 && b == 3) || (a == 3 && b == 2);
}

sloe_layer_kind sloe_fuse_kind(const sloe_net *net, const sloe_node *node) {
  const sloe_layer_kind kind = sloe_op_layer_kind(node->op);
  if (kind == SLOE_LAYER_CONV) {
    const sloe_tensor *in = sloe_node_in(net, node, 0);
    const int64_t groups = sloe_node_int(node, "group", 1);
    return groups > 1 && in && in->shape.rank >= 3 && in->shape.dim[1] == groups ? SLOE_LAYER_DWCONV
                                                                                 : kind;
  }
  if (kind == SLOE_LAYER_MATMUL || kind == SLOE_LAYER_FC) {
    const sloe_tensor *b = sloe_node_in(net, node, weight_index(node->op));
    return b && (b->flags & SLOE_T_CONST) ? SLOE_LAYER_FC : SLOE_LAYER_MATMUL;
  }
  return is_spatial_mean(net, node) ? SLOE_LAYER_POOL : kind;
}
