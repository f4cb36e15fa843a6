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
/* Known whole numbers of an attribute or of input `i`; NULL: neither. */
const int64_t *sloe_net_walk_ints(const sloe_net_walk *walk, const sloe_node *node,
                                  const char *name, size_t i, size_t *count);

/* ---- ops that move data: where from and to ---- */

/* The first element of a Slice in every dimension of its input. */
sloe_status sloe_net_walk_slice(const sloe_net_walk *walk, const sloe_node *node,
                                int64_t from[SLOE_MAX_RANK], sloe_error *err);
/* What a Pad puts in front of every dimension, then what behind; negative: cuts off. */
sloe_status sloe_net_walk_pad(const sloe_net_walk *walk, const sloe_node *node,
                              int64_t pads[2 * SLOE_MAX_RANK], sloe_error *err);
sloe_status sloe_net_walk_transpose(const sloe_net_walk *walk, const sloe_node *node,
                                    int perm[SLOE_MAX_RANK], sloe_error *err);
/* DepthToSpace and SpaceToDepth as a transposition of six dimensions between two reshapes. */
sloe_status sloe_net_walk_depth(const sloe_net_walk *walk, const sloe_node *node, int64_t dims[6],
                                int perm[6], sloe_error *err);

#endif
