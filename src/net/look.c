/* Looking at a net: operators by name, attributes, inputs and outputs, shapes, saturating sums. */
#include <stdio.h>
#include <string.h>

#include "net/net.h"

typedef struct op_row {
  const char *name;
  sloe_layer_kind kind;
  sloe_op_role role;
} op_row;

static const op_row OPS[SLOE_OP_COUNT] = {
    [SLOE_OP_UNKNOWN] = {"unknown", SLOE_LAYER_UNKNOWN, SLOE_ROLE_NONE},
#define OP(id, name, in_min, in_max, shape, cost, kind, role) \
  [SLOE_OP_##id] = {name, SLOE_LAYER_##kind, SLOE_ROLE_##role},
#include "net/ops.def"
#undef OP
};

const char *sloe_op_name(sloe_op op) {
  return OPS[op].name;
}
sloe_layer_kind sloe_op_layer_kind(sloe_op op) {
  return OPS[op].kind;
}
sloe_op_role sloe_op_role_of(sloe_op op) {
  return OPS[op].role;
}

/* Some 180 names: a perfect hash would save nothing against reading the file. First letters are
   compared before whole names. */
sloe_op sloe_op_find(const char *type) {
  if (!strncmp(type, "ai.onnx::", 9)) type += 9;
  for (int op = 1; op < SLOE_OP_COUNT; op++)
    if (OPS[op].name[0] == type[0] && !strcmp(OPS[op].name, type)) return (sloe_op)op;
  return SLOE_OP_UNKNOWN;
}

typedef struct dtype_row {
  const char *name;
  unsigned bits;
} dtype_row;

static const dtype_row DTYPES[SLOE_DT_COUNT] = {
#define SLOE_DTYPE_ROW(name, value, text, bits) [value] = {text, bits},
    SLOE_DTYPE_MAP(SLOE_DTYPE_ROW)
#undef SLOE_DTYPE_ROW
};

static sloe_dtype checked(sloe_dtype dtype) {
  return (unsigned)dtype < SLOE_DT_COUNT ? dtype : SLOE_DT_UNDEFINED;
}

const char *sloe_dtype_name(sloe_dtype dtype) {
  return DTYPES[checked(dtype)].name;
}
unsigned sloe_dtype_bits(sloe_dtype dtype) {
  return DTYPES[checked(dtype)].bits;
}

int sloe_dtype_is_float(sloe_dtype dtype) {
  return dtype == SLOE_DT_FLOAT || dtype == SLOE_DT_FLOAT16 || dtype == SLOE_DT_DOUBLE ||
         dtype == SLOE_DT_BFLOAT16 ||
         (dtype >= SLOE_DT_FLOAT8E4M3FN && dtype <= SLOE_DT_FLOAT8E5M2FNUZ);
}

const sloe_attr *sloe_node_attr(const sloe_node *node, const char *name) {
  for (size_t i = 0; i < node->n_attrs; i++)
    if (!strcmp(node->attrs[i].name, name)) return &node->attrs[i];
  return NULL;
}

int64_t sloe_node_int(const sloe_node *node, const char *name, int64_t fallback) {
  const sloe_attr *a = sloe_node_attr(node, name);
  return a && a->type == SLOE_ATTR_INT ? a->i : fallback;
}

double sloe_node_float(const sloe_node *node, const char *name, double fallback) {
  const sloe_attr *a = sloe_node_attr(node, name);
  return a && a->type == SLOE_ATTR_FLOAT ? a->f : fallback;
}

const char *sloe_node_string(const sloe_node *node, const char *name, const char *fallback) {
  const sloe_attr *a = sloe_node_attr(node, name);
  return a && a->type == SLOE_ATTR_STRING && a->s ? a->s : fallback;
}

const int64_t *sloe_node_ints(const sloe_node *node, const char *name, size_t *n) {
  const sloe_attr *a = sloe_node_attr(node, name);
  int found = a && a->type == SLOE_ATTR_INTS;
  *n = found ? a->n : 0;
  return found ? a->ints : NULL;
}

const sloe_tensor *sloe_node_in(const sloe_net *net, const sloe_node *node, size_t i) {
  return i < node->n_in && node->in[i] >= 0 ? &net->tensors[node->in[i]] : NULL;
}

const sloe_tensor *sloe_node_out(const sloe_net *net, const sloe_node *node, size_t i) {
  return i < node->n_out && node->out[i] >= 0 ? &net->tensors[node->out[i]] : NULL;
}

const int32_t *sloe_net_uses(const sloe_net *net, sloe_tid t, size_t *n) {
  *n = (size_t)(net->use_start[t + 1] - net->use_start[t]);
  return net->uses + net->use_start[t];
}

uint64_t sloe_mul_sat(uint64_t a, uint64_t b) {
  return a && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

uint64_t sloe_add_sat(uint64_t a, uint64_t b) {
  return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

int sloe_shape_known(const sloe_shape *shape) {
  if (shape->rank < 0) return 0;
  for (int i = 0; i < shape->rank; i++)
    if (shape->dim[i] < 0) return 0;
  return 1;
}

uint64_t sloe_shape_elements(const sloe_shape *shape) {
  if (!sloe_shape_known(shape)) return 0;
  uint64_t n = 1;
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
