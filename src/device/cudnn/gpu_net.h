/* gpu_net.h: a whole network becoming a job: which value each tensor has. */
#ifndef SLOE_DEVICE_CUDNN_GPU_NET_H
#define SLOE_DEVICE_CUDNN_GPU_NET_H

#include "device/cudnn/cudnn.h"
#include "device/net_walk.h"

typedef struct cudnn_net {
  cudnn_job *job;
  sloe_net_walk walk;
  cudnn_value **value; /* by tensor, NULL: not made yet */
} cudnn_net;

sloe_status sloe_cudnn_net_open(cudnn_job *job, const sloe_layers *layers, cudnn_net *out,
                                sloe_error *err);
/* The value of input `i` of a node. */
sloe_status sloe_cudnn_net_in(cudnn_net *n, const sloe_node *node, size_t i, cudnn_value **out,
                              sloe_error *err);
sloe_status sloe_cudnn_net_value(cudnn_net *n, sloe_tid t, cudnn_value **out, sloe_error *err);
/* `t` is `value`, given the dims of the tensor. */
sloe_status sloe_cudnn_net_set(cudnn_net *n, sloe_tid t, cudnn_value *value, sloe_error *err);
void sloe_cudnn_net_release(cudnn_net *n); /* what the present layer read last */

/* gpu_net_ops.c: one node on its own. UNSUPPORTED names the op. */
sloe_status sloe_cudnn_net_node(cudnn_net *n, const sloe_node *node, sloe_error *err);
/* The anchor with what is done to its result. */
sloe_status sloe_cudnn_net_anchor(cudnn_net *n, const sloe_node *node, const cudnn_tail *tail,
                                  cudnn_value **dst, sloe_error *err);
/* gpu_net_moves.c: those that move data. *done 0: none of them */
sloe_status sloe_cudnn_net_move(cudnn_net *n, const sloe_node *node, int *done, sloe_error *err);
/* gpu_net_group.c: a convolution or product with what is fused into it. */
sloe_status sloe_cudnn_net_group(cudnn_net *n, const sloe_net_group *group, sloe_error *err);

#endif
