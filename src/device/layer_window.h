/* layer_window.h: the window that a convolution or a pooling moves over an image. For backends. */
#ifndef SLOE_DEVICE_LAYER_WINDOW_H
#define SLOE_DEVICE_LAYER_WINDOW_H

#include "device/net_walk.h"

typedef struct sloe_window { /* pairs are height, width */
  int64_t k, groups;
  int64_t kernel[2], stride[2], dilation[2], pad[2], out[2];
  int64_t pad_end[2]; /* follows from the sizes; 0 where the last rows are not read */
} sloe_window;

sloe_window sloe_window_of_spec(const sloe_layer_spec *spec);
/* Of the layer being built, where `node` reads `from`. UNSUPPORTED: not of two dimensions. */
sloe_status sloe_window_of_node(const sloe_net_walk *walk, const sloe_node *node, sloe_tid from,
                                sloe_window *out, sloe_error *err);

#endif
