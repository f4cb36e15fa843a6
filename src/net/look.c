/* Looking at a net: operators by name, attributes, inputs and outputs, shapes, saturating sums. */
#include <stdio.h>
#include <string.h>

#include "net/net.h"

const sloe_op_row sloe_op_rows[SLOE_OP_COUNT] = {
    [SLOE_OP_UNKNOWN] = {"unknown", 7, 0, -1, SLOE_LAYER_UNKNOWN, SLOE_ROLE_NONE},
#define OP(id, name, in_min, in_max, shape, cost, kind, role) \
  [SLOE_OP_##id] = {name, sizeof name - 1, in_min, in_max, SLOE_LAYER_##kind, SLOE_ROLE_##role},
#include "net/ops.def"
#undef OP
};

/* Some 180 names: a perfect hash would save nothing against reading the file. First letters are
   compared before whole names. */
sloe_op sloe_op_find(const char *type) {
  if (!strncmp(type, "ai.onnx::", 9)) type += 9;
  for (int op = 1; op < SLOE_OP_COUNT; op++)
    if (sloe_op_rows[op].name[0] == type[0] && !strcmp(sloe_op_rows[op].name, type))
      return (sloe_op)op;
  return SLOE_OP_UNKNOWN;
}

const sloe_dtype_row sloe_dtype_rows[SLOE_DT_COUNT] = {
#define SLOE_DTYPE_ROW(name, value, text, bits) [value] = {text, bits},
    SLOE_DTYPE_MAP(SLOE_DTYPE_ROW)
#undef SLOE_DTYPE_ROW
};

int sloe_dtype_is_other_float(sloe_dtype dtype) {
  return dtype == SLOE_DT_FLOAT16 || dtype == SLOE_DT_DOUBLE || dtype == SLOE_DT_BFLOAT16 ||
         (dtype >= SLOE_DT_FLOAT8E4M3FN && dtype <= SLOE_DT_FLOAT8E5M2FNUZ);
}

double sloe_node_float(const sloe_node *node, const char *name, double fallback) {
  const sloe_attr *a = sloe_node_attr(node, name);
  return a && a->type == SLOE_ATTR_FLOAT ? a->f : fallback;
}

const char *sloe_node_string(const sloe_node *node, const char *name, const char *fallback) {
  const sloe_attr *a = sloe_node_attr(node, name);
  return a && a->type == SLOE_ATTR_STRING && a->s ? a->s : fallback;
}

const int32_t *sloe_net_uses(const sloe_net *net, sloe_tid t, size_t *n) {
  *n = (size_t)(net->use_start[t + 1] - net->use_start[t]);
  return net->uses + net->use_start[t];
}

uint64_t sloe_shape_count(const sloe_shape *shape) {
  uint64_t n = 1;
  if (!sloe_shape_known(shape)) return 0;
  for (int i = 0; i < shape->rank; i++) n = sloe_mul_sat(n, (uint64_t)shape->dim[i]);
  return n;
}

int sloe_shape_is_bare_image(const sloe_shape *shape) {
  const int64_t *dim = shape->dim;
  return shape->rank == 3 && dim[0] == 3 && (dim[1] < 0 || dim[1] > 3) &&
         (dim[2] < 0 || dim[2] > 3);
}

const char *sloe_shape_print(const sloe_shape *shape, char buf[SLOE_SHAPE_BUF]) {
  if (shape->rank < 0) return "?";
  if (shape->rank == 0) return "scalar";
  size_t n = 0;
  for (int i = 0; i < shape->rank; i++) {
    const char *x = i ? "x" : "";
    int len = shape->dim[i] < 0
                  ? snprintf(buf + n, SLOE_SHAPE_BUF - n, "%s?", x)
                  : snprintf(buf + n, SLOE_SHAPE_BUF - n, "%s%lld", x, (long long)shape->dim[i]);
    n += (size_t)len;
  }
  return buf;
}

sloe_tid sloe_net_resolve(const sloe_net *net, sloe_tid t) {
  for (size_t steps = 0; t >= 0 && steps <= net->n_nodes; steps++) {
    int32_t p = net->tensors[t].producer;
    const sloe_node *node = p < 0 ? NULL : &net->nodes[p];
    if (!node || node->n_in < 1 || node->in[0] < 0 || node->out[0] != t) return t;
    int same_cast =
        node->op == SLOE_OP_CAST && net->tensors[node->in[0]].dtype == net->tensors[t].dtype;
    if (node->op != SLOE_OP_IDENTITY && node->op != SLOE_OP_DROPOUT && !same_cast) return t;
    t = node->in[0];
  }
  return t;
}

int sloe_node_takes_weight(const sloe_node *node, size_t i) {
  switch (node->op) {
    case SLOE_OP_CONV:
    case SLOE_OP_CONV_TRANSPOSE:
    case SLOE_OP_CONV_INTEGER:
    case SLOE_OP_MS_FUSED_CONV:
    case SLOE_OP_GEMM:
    case SLOE_OP_BATCH_NORM:
    case SLOE_OP_INSTANCE_NORM:
    case SLOE_OP_LAYER_NORM:
    case SLOE_OP_GROUP_NORM:
    case SLOE_OP_PRELU: return i >= 1;
    case SLOE_OP_DEFORM_CONV: return i == 1 || i == 3;
    case SLOE_OP_LSTM:
    case SLOE_OP_GRU:
    case SLOE_OP_RNN: return i >= 1 && i <= 3;
    case SLOE_OP_QLINEAR_CONV: return i >= 1;
    default: return 0;
  }
}
