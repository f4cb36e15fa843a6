/* net_build.h: a whole network becoming a job: which value each tensor has, and who reads it last.
 *
 * Views (reshapes, identities) are no layers: the value of a tensor behind one is made when it is
 * first read, from that of its root, the tensor that holds the contents. Where the layout does not
 * allow that, the reorder belongs to the reading layer.
 */
#ifndef SLOE_DEVICE_ONEDNN_NET_BUILD_H
#define SLOE_DEVICE_ONEDNN_NET_BUILD_H

#include "device/net_walk.h"
#include "device/onednn/onednn.h"

typedef struct onednn_net {
  onednn_job *job;
  sloe_net_walk walk;
  onednn_value **value; /* by tensor, NULL: not made yet */
} onednn_net;

sloe_status sloe_onednn_net_open(onednn_job *job, const sloe_layers *layers, onednn_net *out,
                                 sloe_error *err);
/* The value of input `i` of a node. */
sloe_status sloe_onednn_net_in(onednn_net *n, const sloe_node *node, size_t i, onednn_value **out,
                               sloe_error *err);
sloe_status sloe_onednn_net_value(onednn_net *n, sloe_tid t, onednn_value **out, sloe_error *err);
/* `t` is `value`, given the dims of the tensor. */
sloe_status sloe_onednn_net_set(onednn_net *n, sloe_tid t, onednn_value *value, sloe_error *err);
void sloe_onednn_net_release(onednn_net *n); /* what the present layer read last */

/* net_ops.c: one node on its own. UNSUPPORTED names the op. */
sloe_status sloe_onednn_net_node(onednn_net *n, const sloe_node *node, sloe_error *err);
/* net_moves.c: those that move data. *done 0: none of them */
sloe_status sloe_onednn_net_move(onednn_net *n, const sloe_node *node, int *done, sloe_error *err);
/* net_group.c: a convolution or product with what is fused into it. */
sloe_status sloe_onednn_net_group(onednn_net *n, const sloe_net_group *group, sloe_error *err);
/* The anchor alone, with posts. */
sloe_status sloe_onednn_net_anchor(onednn_net *n, const sloe_node *node, const sloe_node *pad,
                                   const onednn_posts *posts, onednn_value **dst, sloe_error *err);

#endif
