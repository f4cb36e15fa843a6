/* infer.h: what shape rules work with. Private to net/.
 *
 * A shape rule looks at one node whose inputs are inferred, and sets shape, type and, where every
 * input is a known small constant, the contents of the outputs. What it does not set stays unknown
 * (rank -1). It returns an error only for a node that ONNX forbids (dims that cannot be broadcast,
 * a negative size); a shape that depends on data is no error: leave the dim SLOE_DIM_UNKNOWN.
 * Messages need not name the node: sloe_infer_node() puts "node 'x' (Conv)" before them and sets
 * the offset.
 */
#ifndef SLOE_NET_INFER_H
#define SLOE_NET_INFER_H

#include "base/error.h"
#include "net/net.h"

typedef struct sloe_infer {
  sloe_net *net;
  sloe_node *node;
  sloe_graph *graph; /* the node's own */
  double repeat;     /* product of the trip counts around */
  int depth;         /* of subgraphs */
  sloe_error *err;
} sloe_infer;

#define OP(id, name, in_min, in_max, shape, cost, kind, role) \
  sloe_status sloe_shape_##shape(sloe_infer *cx);
#include "net/ops.def"
#undef OP

/* Inputs. NULL where left out. */
static inline const sloe_tensor *sloe_in(const sloe_infer *cx, size_t i) {
  return sloe_node_in(cx->net, cx->node, i);
}
/* NULL too where the rank is unknown. */
static inline const sloe_shape *sloe_in_shape(const sloe_infer *cx, size_t i) {
  const sloe_tensor *t = sloe_in(cx, i);
  return t && t->shape.rank >= 0 ? &t->shape : NULL;
}
/* Known contents, NULL where they are not (all elements known unless `partly`). */
const sloe_value *sloe_in_value(const sloe_infer *cx, size_t i);
/* An integer list from attribute `name` or else from input `i` (opsets moved many of them). */
typedef struct sloe_ints {
  const int64_t *v;
  size_t n;
  int given; /* 0: neither attribute nor input is there. 1 with v NULL: there, contents unknown */
} sloe_ints;
sloe_ints sloe_ints_of(const sloe_infer *cx, const char *name, size_t i);

/* Outputs. NULL where the node leaves it out; setting such a one does nothing. */
static inline sloe_tensor *sloe_out(const sloe_infer *cx, size_t i) {
  return i < cx->node->n_out && cx->node->out[i] >= 0 ? &cx->net->tensors[cx->node->out[i]] : NULL;
}
static inline void sloe_set_out(sloe_infer *cx, size_t i, const sloe_shape *shape,
                                sloe_dtype dtype) {
  sloe_tensor *t = sloe_out(cx, i);
  if (!t) return;
  t->shape = *shape;
  t->dtype = dtype;
}
/* Contents for output i, `n` elements, to be filled by the caller; sets CONST. The out's shape must
   be set before. Returns NULL (and no error) where n is over SLOE_VALUE_MAX; NOMEM through *status.
 */
sloe_value *sloe_set_value(sloe_infer *cx, size_t i, size_t n, int real, sloe_status *status);

/* Broadcasting of ONNX (docs/Broadcasting.md): *acc becomes the common shape of itself and b. */
sloe_status sloe_broadcast(sloe_infer *cx, sloe_shape *acc, const sloe_shape *b);

/* -rank <= axis < rank -> 0..rank-1. */
sloe_status sloe_axis(sloe_infer *cx, int64_t axis, int rank, int *out);

/* Do all inputs that are there have CONST? */
static inline int sloe_all_const(const sloe_infer *cx) {
  for (size_t i = 0; i < cx->node->n_in; i++) {
    const sloe_tensor *t = sloe_in(cx, i);
    if (t && !(t->flags & SLOE_T_CONST)) return 0;
  }
  return 1;
}

sloe_shape sloe_shape_of(int rank, const int64_t *dims);
sloe_shape sloe_shape_unknown(void);

/* Infer a subgraph in place (If, Loop, Scan). With `run`, its nodes join net->order. */
sloe_status sloe_infer_graph(sloe_infer *cx, sloe_graph *graph, double repeat, int run);

/* finish, step by step; one file of net/ each */
sloe_status sloe_bind_inputs(sloe_net *net, const sloe_net_options *options, sloe_error *err);
sloe_status sloe_sort_graph(sloe_net *net, sloe_graph *graph,
                            sloe_error *err); /* cycles, orphans */
sloe_status sloe_mark_weights(sloe_net *net, sloe_error *err);
sloe_status sloe_infer_net(sloe_net *net, sloe_error *err);
sloe_status sloe_index_uses(sloe_net *net, sloe_error *err);
sloe_status sloe_count_costs(sloe_net *net, sloe_error *err);      /* costs[] */
sloe_status sloe_collect_info(sloe_net *net, sloe_error *err);     /* info */
sloe_status sloe_collect_features(sloe_net *net, sloe_error *err); /* info.features */

#endif
