/* net.h: the network as ops and tensors, its shapes, costs, features and fused layers.
 *
 * Life of a net:  new -> add tensors and nodes (a reader or a builder) -> finish (binds the open
 * dimensions, orders, infers, folds, counts) -> immutable. Everything lives in one arena and dies
 * with sloe_net_free(). Tensors and nodes are indices into two vectors: the vectors move while a
 * net grows, the indices do not.
 *
 * Constants. A tensor is CONST when its contents do not depend on what is fed at run time. Of small
 * ones the contents are known too (`value`): shape arithmetic is computed here, so that exports
 * with dynamic sizes resolve. `Shape` of a tensor with known dims is CONST.
 *
 * Subgraphs (If, Loop, Scan) share the vectors; a sloe_graph lists which nodes are its own. After
 * finish, `order` lists the nodes that run, in execution order, taken branches and loop bodies
 * spliced in, constants left out.
 */
#ifndef SLOE_NET_NET_H
#define SLOE_NET_NET_H

#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "net/layer_axes.h"
#include "net/layer_blocks.h"
#include "net/layer_inputs.h"
#include "net/layer_spec.h"
#include "net/layer_terms.h"
#include "sloe/sloe.h"

typedef int32_t sloe_tid; /* index of a tensor; -1: an optional one left out */

/* ONNX TensorProto.DataType (onnx.proto); the values are ONNX's. X(NAME, value, text, bits) */
#define SLOE_DTYPE_MAP(X)                    \
  X(UNDEFINED, 0, "undefined", 0)            \
  X(FLOAT, 1, "float32", 32)                 \
  X(UINT8, 2, "uint8", 8)                    \
  X(INT8, 3, "int8", 8)                      \
  X(UINT16, 4, "uint16", 16)                 \
  X(INT16, 5, "int16", 16)                   \
  X(INT32, 6, "int32", 32)                   \
  X(INT64, 7, "int64", 64)                   \
  X(STRING, 8, "string", 64)                 \
  X(BOOL, 9, "bool", 8)                      \
  X(FLOAT16, 10, "float16", 16)              \
  X(DOUBLE, 11, "float64", 64)               \
  X(UINT32, 12, "uint32", 32)                \
  X(UINT64, 13, "uint64", 64)                \
  X(COMPLEX64, 14, "complex64", 64)          \
  X(COMPLEX128, 15, "complex128", 128)       \
  X(BFLOAT16, 16, "bfloat16", 16)            \
  X(FLOAT8E4M3FN, 17, "float8e4m3fn", 8)     \
  X(FLOAT8E4M3FNUZ, 18, "float8e4m3fnuz", 8) \
  X(FLOAT8E5M2, 19, "float8e5m2", 8)         \
  X(FLOAT8E5M2FNUZ, 20, "float8e5m2fnuz", 8) \
  X(UINT4, 21, "uint4", 4)                   \
  X(INT4, 22, "int4", 4)

typedef enum sloe_dtype {
#define SLOE_DTYPE_ENUM(name, value, text, bits) SLOE_DT_##name = value,
  SLOE_DTYPE_MAP(SLOE_DTYPE_ENUM)
#undef SLOE_DTYPE_ENUM
      SLOE_DT_COUNT
} sloe_dtype;

typedef struct sloe_dtype_row {
  const char *name;
  unsigned bits;
} sloe_dtype_row;

extern const sloe_dtype_row sloe_dtype_rows[SLOE_DT_COUNT];

/* "float32"; "undefined" for what is none. */
static inline const char *sloe_dtype_name(sloe_dtype dtype) {
  return sloe_dtype_rows[(unsigned)dtype < SLOE_DT_COUNT ? dtype : SLOE_DT_UNDEFINED].name;
}
/* Of one element; 0 for UNDEFINED. */
static inline unsigned sloe_dtype_bits(sloe_dtype dtype) {
  return sloe_dtype_rows[(unsigned)dtype < SLOE_DT_COUNT ? dtype : SLOE_DT_UNDEFINED].bits;
}
int sloe_dtype_is_other_float(sloe_dtype dtype);
static inline int sloe_dtype_is_float(sloe_dtype dtype) {
  return dtype == SLOE_DT_FLOAT || sloe_dtype_is_other_float(dtype);
}

/* Contents of a small constant. Integers and booleans as int64, floats as double. */
enum { SLOE_VALUE_MAX = 65536 }; /* elements; of larger constants only the shape is kept */
/* One integer of a partly known value: a data-dependent dim. */
#define SLOE_ELEM_UNKNOWN INT64_MIN

typedef struct sloe_value {
  size_t n;
  int real; /* 1: f holds it, 0: i */
  int64_t *i;
  double *f;
} sloe_value;

enum {                     /* tensor flags */
       SLOE_T_INPUT = 1,   /* of the main graph, without an initializer */
       SLOE_T_INIT = 2,    /* an initializer (a graph input too or not) */
       SLOE_T_OUTPUT = 4,  /* of the main graph */
       SLOE_T_CONST = 8,   /* contents independent of run-time inputs */
       SLOE_T_WEIGHT = 16, /* a graph input that every consumer takes in a weight position */
       SLOE_T_LOCAL = 32,  /* belongs to a subgraph */
       SLOE_T_ARG = 64,    /* an input of its graph or subgraph, an initializer too or not */
};

/* Here and in nodes, what every pass over a network looks at stands first, within 64 bytes. */
typedef struct sloe_tensor {
  unsigned flags;
  int32_t producer; /* node, -1: none */
  sloe_dtype dtype;
  sloe_shape shape; /* rank -1 until inferred */
  const char *name;
  const sloe_value *value; /* NULL: contents not known */
  const char **symbol;     /* graph inputs: [rank] names of symbolic dims, NULL entries; or NULL */
  uint64_t offset;         /* in the file, for messages */
} sloe_tensor;

typedef struct sloe_graph {
  const char *name;
  int32_t *nodes;
  size_t n_nodes, cap_nodes;
  sloe_tid *in, *out;
  size_t n_in, n_out, cap_in, cap_out;
} sloe_graph;

typedef enum sloe_attr_type { /* ONNX AttributeProto.AttributeType; the values are ONNX's */
                              SLOE_ATTR_FLOAT = 1,
                              SLOE_ATTR_INT = 2,
                              SLOE_ATTR_STRING = 3,
                              SLOE_ATTR_TENSOR = 4,
                              SLOE_ATTR_GRAPH = 5,
                              SLOE_ATTR_FLOATS = 6,
                              SLOE_ATTR_INTS = 7,
                              SLOE_ATTR_STRINGS = 8,
                              SLOE_ATTR_TENSORS = 9,
                              SLOE_ATTR_GRAPHS = 10,
} sloe_attr_type;

typedef struct sloe_attr {
  const char *name;
  sloe_attr_type type;
  size_t n;  /* of ints, floats, strings */
  int64_t i; /* INT */
  double f;  /* FLOAT */
  const int64_t *ints;
  const double *floats;
  const char *s; /* STRING */
  const char *const *strings;
  sloe_tid tensor;   /* TENSOR: a tensor with SLOE_T_CONST, as an initializer has */
  sloe_graph *graph; /* GRAPH */
} sloe_attr;

typedef enum sloe_op {
  SLOE_OP_UNKNOWN,
#define OP(id, name, in_min, in_max, shape, cost, kind, role) SLOE_OP_##id,
#include "net/ops.def"
#undef OP
  SLOE_OP_COUNT
} sloe_op;

enum {                            /* node flags, set by finish */
       SLOE_N_CONST = 1,          /* every output is CONST: does not run */
       SLOE_N_DATA_DEPENDENT = 2, /* an output shape depends on data */
};

typedef struct sloe_node {
  sloe_op op;
  unsigned flags;
  sloe_tid *in, *out;
  size_t n_in, n_out;
  sloe_attr *attrs;
  size_t n_attrs;
  double repeat;    /* how often it runs in one inference: trip counts of Loops around it; 1 */
  const char *type; /* "Conv", "com.microsoft::Foo" */
  const char *name; /* the file's, or "Conv_12" made of type and position */
  const sloe_tid *given_in; /* as added: finish points the inputs of If, Loop and Scan elsewhere */
  size_t n_given_in;
  uint64_t offset; /* in the file */
} sloe_node;

typedef struct sloe_cost { /* of one node, all its repeats */
  uint64_t macs, flops;
  uint64_t params, trainable_params;  /* elements */
  uint64_t weight_bytes;              /* params in the file's types */
  uint64_t in_elements, out_elements; /* activations read and written; views write nothing */
  sloe_flop_kind flop_kind;
} sloe_cost;

struct sloe_net {
  sloe_arena arena;
  const char *name, *producer;
  int64_t ir_version, opset;
  sloe_tensor *tensors;
  size_t n_tensors, cap_tensors;
  sloe_node *nodes;
  size_t n_nodes, cap_nodes;
  sloe_graph graph;
  int unsorted; /* a node came before what it reads, or has a subgraph: to be looked at */
  const char **warnings;
  size_t n_warnings, cap_warnings;
  /* set by finish */
  uint64_t infer_steps; /* taken so far, capped */
  int32_t *order;       /* nodes that run */
  size_t n_order, cap_order;
  int32_t *use_start; /* [n_tensors + 1] into uses: consumers among `order` */
  int32_t *uses;      /* node indices */
  sloe_cost *costs;   /* [n_nodes]; zero for nodes that do not run */
  sloe_net_info info;
};

/* ---- building ---- */

/* Makes it unknown, in place. */
static inline void sloe_shape_forget(sloe_shape *shape) {
  memset(shape, 0, sizeof *shape);
  shape->rank = -1;
}

/* `limit` bytes for the arena; 0: 1 GiB. */
sloe_status sloe_net_new(size_t limit, sloe_net **out, sloe_error *err);

/* Room for so many from the start, where that is little of the memory that the net may have. */
void sloe_net_reserve(sloe_net *net, size_t tensors, size_t nodes);

/* A tensor of unknown shape. `name` is copied. */
sloe_status sloe_net_add_tensor(sloe_net *net, const char *name, sloe_tid *out, sloe_error *err);
sloe_status sloe_net_more_tensors(sloe_net *net, sloe_error *err);
/* The same; `name` lives as long as the net. */
static inline sloe_status sloe_net_put_tensor(sloe_net *net, const char *name, sloe_tid *out,
                                              sloe_error *err) {
  *out = -1;
  if (net->n_tensors == net->cap_tensors) SLOE_TRY(sloe_net_more_tensors(net, err));
  sloe_tensor *t = &net->tensors[net->n_tensors];
  t->flags = 0;
  t->producer = -1;
  t->dtype = SLOE_DT_UNDEFINED;
  sloe_shape_forget(&t->shape);
  t->name = name;
  t->value = NULL;
  t->symbol = NULL;
  t->offset = 0;
  *out = (sloe_tid)net->n_tensors++;
  return SLOE_OK;
}

typedef struct sloe_node_spec {
  const char *type; /* "Conv" or "domain::Op"; the default domain and "ai.onnx" are left out */
  const char *name; /* NULL or "": made up */
  sloe_op op; /* where it is known: `type` is not looked at, `name` lives in the net's arena */
  const sloe_tid *in, *out;
  size_t n_in, n_out;
  const sloe_attr *attrs; /* copied shallowly: what they point to lives in the net's arena */
  size_t n_attrs;
  uint64_t offset;
} sloe_node_spec;

/* Append a node to `graph` (&net->graph or a subgraph). An output that another node already makes
   is SLOE_FORMAT. */
sloe_status sloe_net_add_node(sloe_net *net, sloe_graph *graph, const sloe_node_spec *spec,
                              sloe_error *err);
sloe_status sloe_graph_add_input(sloe_net *net, sloe_graph *graph, sloe_tid t, sloe_error *err);
sloe_status sloe_graph_add_output(sloe_net *net, sloe_graph *graph, sloe_tid t, sloe_error *err);

/* Add to the warnings that a user is shown. Past 100 they are dropped. */
sloe_status sloe_net_warn(sloe_net *net, sloe_error *err, const char *fmt, ...) SLOE_PRINTF(3, 4);

/* Bind, order, infer, fold, count. After it the net is immutable. `options` may be NULL. */
sloe_status sloe_net_finish(sloe_net *net, const sloe_net_options *options, sloe_error *err);

/* ---- looking ---- */

sloe_op sloe_op_find(const char *type); /* SLOE_OP_UNKNOWN for what is not in ops.def */

typedef enum sloe_op_role {                   /* what fusion rules ask of an op */
                            SLOE_ROLE_NONE,   /* nothing special */
                            SLOE_ROLE_ANCHOR, /* conv, deconv, matrix product: others fuse into it
                                               */
                            SLOE_ROLE_ACTIVATION, /* one input, elementwise, an activation function
                                                   */
                            SLOE_ROLE_UNARY,      /* one input, elementwise, other */
                            SLOE_ROLE_BINARY,     /* elementwise arithmetic of two or more */
                            SLOE_ROLE_VIEW,       /* same bytes, other shape */
                            SLOE_ROLE_DROP,       /* nothing at inference: Identity, Dropout */
                            SLOE_ROLE_MOVE,       /* moves data */
} sloe_op_role;

typedef struct sloe_op_row {
  const char *name;
  size_t name_len;
  int in_min, in_max; /* -1: any number */
  sloe_layer_kind kind;
  sloe_op_role role;
} sloe_op_row;

extern const sloe_op_row sloe_op_rows[SLOE_OP_COUNT]; /* of ops.def */

/* What is asked of every node of every network stands here, so that it costs no call. */
static inline const char *sloe_op_name(sloe_op op) {
  return sloe_op_rows[op].name;
}
static inline sloe_layer_kind sloe_op_layer_kind(sloe_op op) {
  return sloe_op_rows[op].kind;
}
static inline sloe_op_role sloe_op_role_of(sloe_op op) {
  return sloe_op_rows[op].role;
}

/* NULL: not there. A linker keeps one copy of each literal: mostly the addresses agree already. */
static inline const sloe_attr *sloe_node_attr(const sloe_node *node, const char *name) {
  for (size_t i = 0; i < node->n_attrs; i++) {
    const char *other = node->attrs[i].name;
    if (other == name || (other[0] == name[0] && !strcmp(other, name))) return &node->attrs[i];
  }
  return NULL;
}
static inline int64_t sloe_node_int(const sloe_node *node, const char *name, int64_t fallback) {
  const sloe_attr *a = sloe_node_attr(node, name);
  return a && a->type == SLOE_ATTR_INT ? a->i : fallback;
}
double sloe_node_float(const sloe_node *node, const char *name, double fallback);
const char *sloe_node_string(const sloe_node *node, const char *name, const char *fallback);
/* The ints of an attribute and their number; NULL and 0 where it is absent. */
static inline const int64_t *sloe_node_ints(const sloe_node *node, const char *name, size_t *n) {
  const sloe_attr *a = sloe_node_attr(node, name);
  const int found = a && a->type == SLOE_ATTR_INTS;
  *n = found ? a->n : 0;
  return found ? a->ints : NULL;
}

/* NULL where the input or output is absent or left out. */
static inline const sloe_tensor *sloe_node_in(const sloe_net *net, const sloe_node *node,
                                              size_t i) {
  return i < node->n_in && node->in[i] >= 0 ? &net->tensors[node->in[i]] : NULL;
}
static inline const sloe_tensor *sloe_node_out(const sloe_net *net, const sloe_node *node,
                                               size_t i) {
  return i < node->n_out && node->out[i] >= 0 ? &net->tensors[node->out[i]] : NULL;
}

/* Consumers of tensor `t` that run (node indices); n in *n. A net output counts as none. */
const int32_t *sloe_net_uses(const sloe_net *net, sloe_tid t, size_t *n);

/* Saturating arithmetic: hostile dims must not wrap. Small factors need no division. */
static inline uint64_t sloe_mul_sat(uint64_t a, uint64_t b) {
  if ((a | b) >> 32 == 0) return a * b;
  return a && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}
static inline uint64_t sloe_add_sat(uint64_t a, uint64_t b) {
  return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

static inline int sloe_shape_known(const sloe_shape *shape) {
  for (int i = 0; i < shape->rank; i++)
    if (shape->dim[i] < 0) return 0;
  return shape->rank >= 0;
}

uint64_t sloe_shape_count(const sloe_shape *shape);

/* Elements of a shape, 0 where a dim or the rank is unknown; saturates at UINT64_MAX. Vectors and
   maps of dims below 2^15 are the rule, of which the product needs no looking at. */
static inline uint64_t sloe_shape_elements(const sloe_shape *shape) {
  const int64_t *d = shape->dim;
  if (shape->rank == 1) return d[0] < 0 ? 0 : (uint64_t)d[0];
  if (shape->rank == 4 && (uint64_t)(d[0] | d[1] | d[2] | d[3]) >> 15 == 0)
    return (uint64_t)(d[0] * d[1] * d[2] * d[3]);
  return sloe_shape_count(shape);
}
/* "1x3x224x224", "?" for an unknown dim or rank, "scalar". Returns buf. */
enum { SLOE_SHAPE_BUF = 200 };
const char *sloe_shape_print(const sloe_shape *shape, char buf[SLOE_SHAPE_BUF]);

/* An image of three colours without a batch ("3x320x320", as detectors are exported). */
int sloe_shape_is_bare_image(const sloe_shape *shape);

/* Follow Identity, Dropout and Cast-to-the-same back to the tensor that holds the contents. */
sloe_tid sloe_net_resolve(const sloe_net *net, sloe_tid t);

/* Does this node take input `i` as a weight (Conv 1.., Gemm 1.., BatchNormalization 1.., ...)? */
int sloe_node_takes_weight(const sloe_node *node, size_t i);

/* The Conv, ConvTranspose or Gemm (node index) into whose weights this BatchNormalization folds:
   its only consumer, all statistics constant. -1: none, or no BatchNormalization. */
int32_t sloe_batch_norm_anchor(const sloe_net *net, const sloe_node *node);

/* Gemm, or a matrix product whose right operand is constant. */
int sloe_node_is_fc(const sloe_net *net, const sloe_node *node);

/* The nodes in layer `i`, in the order of its name; *anchor (may be NULL) is the one that gives it
   its kind, -1 for a layer that stands for no op (a copy, a reformat). */
const int32_t *sloe_layers_nodes(const sloe_layers *layers, size_t i, size_t *n, int32_t *anchor);

/* A convolution with as many groups as input channels, more than one. */
int sloe_node_is_depthwise(const sloe_net *net, const sloe_node *node);

/* The place of a feature in sloe_net_info.features by its name; -1: there is none. */
int sloe_feature_find(const char *name);

#include "net/lives.h"

#endif
