/* net_build.h: a whole network becoming a job: which value each tensor has, and what makes it.
 *
 * What backends share of it. Each says in a constant struct how it makes, moves and gives up
 * values and what it does with all other ops. A job and a value are what the backend says they
 * are: it completes the two structs, and is linked with a net_build.c of its own, so that no
 * program knows two of them.
 *
 * Views (reshapes, identities) are no layers: the value of a tensor behind one is made when it is
 * first read, from that of its root, the tensor that holds the contents. Where the layout does not
 * allow that, the reorder belongs to the reading layer.
 */
#ifndef SLOE_DEVICE_NET_BUILD_H
#define SLOE_DEVICE_NET_BUILD_H

#include "device/net_walk.h"

typedef struct sloe_backend_job sloe_backend_job;
typedef struct sloe_backend_value sloe_backend_value;

typedef struct sloe_job_net {     /* what a job knows of its network; all 0: a lone layer */
  size_t layer, n_layers;         /* `layer`: being built */
  sloe_backend_value **in, **out; /* by the graph's inputs and outputs */
  size_t n_in, n_out;
} sloe_job_net;

typedef struct sloe_net_build { /* the backend says maker, job, arena and to */
  const struct sloe_net_maker *maker;
  sloe_backend_job *job;
  sloe_arena *arena; /* the job's, as is `to` */
  sloe_job_net *to;
  sloe_net_walk walk;
  sloe_backend_value **value; /* by tensor, NULL: not made yet */
} sloe_net_build;

typedef struct sloe_net_maker {
  const char *name; /* the backend, for messages */
  /* Of a constant or an input. */
  sloe_status (*source)(sloe_backend_job *job, const sloe_tensor *tensor, int rank,
                        const int64_t *dims, sloe_backend_value **out, sloe_error *err);
  /* Itself where it has these dims. */
  sloe_status (*reshape)(sloe_backend_job *job, sloe_backend_value *value, int rank,
                         const int64_t *dims, sloe_backend_value **out, sloe_error *err);
  /* No step to come reads it. */
  void (*release)(sloe_backend_job *job, sloe_backend_value *value);
  sloe_status (*concat)(sloe_backend_job *job, sloe_backend_value *const *src, size_t n, int axis,
                        sloe_backend_value **dst, sloe_error *err);
  sloe_status (*slice)(sloe_backend_job *job, sloe_backend_value *src, const int64_t *from,
                       const int64_t *dims, sloe_backend_value **dst, sloe_error *err);
  /* Zeros around: `before` in front (negative: cut off), `dims` of the result. */
  sloe_status (*pad)(sloe_backend_job *job, sloe_backend_value *src, const int64_t *before,
                     const int64_t *dims, sloe_backend_value **dst, sloe_error *err);
  sloe_status (*transpose)(sloe_backend_job *job, sloe_backend_value *src, const int *perm,
                           sloe_backend_value **dst, sloe_error *err);
  /* Any other op by itself. UNSUPPORTED names it. */
  sloe_status (*op)(sloe_net_build *n, const sloe_node *node, sloe_backend_value **dst,
                    sloe_error *err);
  /* A convolution or product with what is fused into it. */
  sloe_status (*group)(sloe_net_build *n, const sloe_net_group *group, sloe_error *err);
  /* Other layers of fewer steps than ops. *done 0: not this one. NULL: there are none. */
  sloe_status (*fused)(sloe_net_build *n, const int32_t *nodes, size_t count, int *done,
                       sloe_error *err);
} sloe_net_maker;

/* All layers, their steps in n->job, the ends of the network in n->to. */
sloe_status sloe_net_build_layers(sloe_net_build *n, const sloe_layers *layers, sloe_error *err);

/* ---- for makers ---- */

/* An op by itself, its results set. */
sloe_status sloe_net_build_node(sloe_net_build *n, const sloe_node *node, sloe_error *err);
sloe_status sloe_net_build_value(sloe_net_build *n, sloe_tid t, sloe_backend_value **out,
                                 sloe_error *err);
/* `t` is `value`, given the dims of the tensor. */
sloe_status sloe_net_build_set(sloe_net_build *n, sloe_tid t, sloe_backend_value *value,
                               sloe_error *err);
/* The value of input `i` of a node. */
sloe_status sloe_net_build_in(sloe_net_build *n, const sloe_node *node, size_t i,
                              sloe_backend_value **out, sloe_error *err);
/* Both inputs of a matrix product, in the higher one's rank. */
sloe_status sloe_net_build_factors(sloe_net_build *n, const sloe_node *node, sloe_backend_value **a,
                                   sloe_backend_value **b, sloe_error *err);
/* The input of a layer normalisation, its last dimension what is normalised together. */
sloe_status sloe_net_build_rows(sloe_net_build *n, const sloe_node *node, sloe_backend_value **out,
                                sloe_error *err);

#endif
