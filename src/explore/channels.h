/* channels.h: which channels of a network are which filters. Private to explore/.
 *
 * The filters of each convolution and fully connected layer are a variable. The channels of a
 * tensor (its dimension 1) are a list of segments, each a variable times a constant: after a concat
 * several, after a flatten times h x w. Adding two tensors makes their variables one (union-find).
 * From the lists follows the spec of any layer at any size of the variables.
 */
#ifndef SLOE_EXPLORE_CHANNELS_H
#define SLOE_EXPLORE_CHANNELS_H

#include "net/net.h"

typedef struct sloe_segment {
  int32_t var;
  int64_t times;
} sloe_segment;

typedef struct sloe_segments { /* n 0: the channels are not followed */
  const sloe_segment *at;
  size_t n;
} sloe_segments;

typedef struct sloe_channel_var {
  int32_t parent; /* itself: a root; the rest is valid of roots */
  int64_t size;   /* filters now; the caller changes it */
  int64_t grain;  /* it must stay a multiple of it */
  int frozen;     /* it must stay as it is */
} sloe_channel_var;

typedef struct sloe_channel_layer {
  sloe_layer_spec spec; /* as the network is */
  int known;            /* it has a spec */
  sloe_segments in, out;
  int32_t filters; /* the variable of its filters; -1: it has none, or they are not followed */
} sloe_channel_layer;

typedef struct sloe_channels {
  sloe_arena *arena;
  const sloe_net *net;
  sloe_channel_var *vars;
  size_t n_vars, cap_vars;
  sloe_segments *tensors; /* [net->n_tensors] */
  sloe_channel_layer *layers;
  size_t n_layers;
  int out_of_memory;
} sloe_channels;

/* Errors: NOMEM. */
sloe_status sloe_channels_follow(const sloe_layers *layers, sloe_arena *arena, sloe_channels *out,
                                 sloe_error *err);

int32_t sloe_channels_root(const sloe_channels *c, int32_t var);

/* A convolution that is not depthwise, a transposed one, a fully connected layer. */
int sloe_channels_has_filters(const sloe_channel_layer *layer);

/* The spec of layer `i` with the variables as they are now. */
sloe_layer_spec sloe_channels_spec(const sloe_channels *c, size_t i);

#endif
