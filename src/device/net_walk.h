/* net_walk.h: a whole network on its way into a device: who holds the contents of a tensor, who
 * reads them last, and what an op's attributes say. For backends; knows none of them.
 */
#ifndef SLOE_DEVICE_NET_WALK_H
#define SLOE_DEVICE_NET_WALK_H

#include "net/net.h"

typedef struct sloe_net_walk {
  const char *who; /* the backend, for messages */
  const sloe_net *net;
  const sloe_layers *layers;
  sloe_lives lives;
  size_t *position; /* by node: in the order of execution */
  size_t layer;     /* being built */
} sloe_net_walk;

/* The arrays live in `arena`. */
sloe_status sloe_net_walk_open(sloe_arena *arena, const char *who, const sloe_layers *layers,
                               sloe_net_walk *out, sloe_error *err);
/* A scalar has one dimension of 1. UNSUPPORTED where they are not known, or there is no element. */
sloe_status sloe_net_walk_dims(const sloe_net_walk *walk, sloe_tid t, int *rank, int64_t *dims,
                               sloe_error *err);
/* No layer behind the present one reads it, nor anything in this layer but one node. */
int sloe_net_walk_is_last(const sloe_net_walk *walk, sloe_tid t);
/* Do two tensors show the same contents? */
int sloe_net_walk_same(const sloe_net_walk *walk, sloe_tid a, sloe_tid b);
int sloe_net_walk_is_constant(const sloe_net_walk *walk, sloe_tid t);
/* Of arithmetic of two tensors, one of which is `t`: the other. -1: it is none such. */
sloe_tid sloe_net_walk_other(const sloe_net_walk *walk, const sloe_node *node, sloe_tid t);
/* A normalisation, or arithmetic with a constant: right behind a convolution, in its weights. */
int sloe_net_walk_is_scale(const sloe_net_walk *walk, const sloe_node *node);

enum { SLOE_NET_GROUP = 128 };
typedef struct sloe_net_group { /* the nodes of a layer, in the order of execution */
  const sloe_node *node[SLOE_NET_GROUP];
  size_t n, anchor; /* node[anchor] gives the layer its kind */
} sloe_net_group;
/* Of the layer being built. UNSUPPORTED: of more nodes. */
sloe_status sloe_net_walk_group(const sloe_net_walk *walk, sloe_net_group *out, sloe_error *err);

/* Known whole numbers of an attribute or of input `i`; NULL: neither. */
const int64_t *sloe_net_walk_ints(const sloe_net_walk *walk, const sloe_node *node,
                                  const char *name, size_t i, size_t *count);
/* The attribute `axis`, of input 0. */
int sloe_net_walk_axis(const sloe_net_walk *walk, const sloe_node *node, int64_t fallback);
/* What a reduction reduces: bit i for dimension i of input 0. */
sloe_status sloe_net_walk_axes(const sloe_net_walk *walk, const sloe_node *node, unsigned *bits,
                               sloe_error *err);

/* ---- ops that move data: where from and to ---- */

/* The first element of a Slice in every dimension of its input. */
sloe_status sloe_net_walk_slice(const sloe_net_walk *walk, const sloe_node *node,
                                int64_t from[SLOE_MAX_RANK], sloe_error *err);
/* What a Pad puts in front of every dimension; negative: cuts off. */
sloe_status sloe_net_walk_pad(const sloe_net_walk *walk, const sloe_node *node,
                              int64_t before[SLOE_MAX_RANK], sloe_error *err);
typedef struct sloe_pad { /* `kept` of the source, from `from` on, stand at `to` in the result */
  int64_t from[SLOE_MAX_RANK], to[SLOE_MAX_RANK], kept[SLOE_MAX_RANK];
} sloe_pad;
/* With `before` in front and `dims` of the result. 0: nothing is kept. */
int sloe_pad_of(int rank, const int64_t *src, const int64_t *before, const int64_t *dims,
                sloe_pad *out);
sloe_status sloe_net_walk_transpose(const sloe_net_walk *walk, const sloe_node *node,
                                    int perm[SLOE_MAX_RANK], sloe_error *err);
/* DepthToSpace and SpaceToDepth as a transposition of six dimensions between two reshapes. */
sloe_status sloe_net_walk_depth(const sloe_net_walk *walk, const sloe_node *node, int64_t dims[6],
                                int perm[6], sloe_error *err);

#endif
