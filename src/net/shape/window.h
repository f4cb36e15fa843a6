/* window.h: the sliding windows of convolutions and pools. Private to net/shape/. */
#ifndef SLOE_NET_SHAPE_WINDOW_H
#define SLOE_NET_SHAPE_WINDOW_H

#include "net/infer.h"

enum { SLOE_MAX_SPATIAL = SLOE_MAX_RANK };

typedef enum sloe_auto_pad {
  SLOE_PAD_EXPLICIT, /* NOTSET, and VALID with the pads at zero */
  SLOE_PAD_SAME,     /* SAME_UPPER and SAME_LOWER: the same output size */
} sloe_auto_pad;

/* Attributes kernel_shape, strides, dilations, pads, auto_pad and ceil_mode with their defaults.
   Of a pair (begin, end) of pads only the begin and the sum matter for shapes. */
typedef struct sloe_window {
  int n;                            /* spatial axes */
  int64_t kernel[SLOE_MAX_SPATIAL]; /* SLOE_DIM_UNKNOWN where neither attribute nor weights tell */
  int64_t stride[SLOE_MAX_SPATIAL], dilation[SLOE_MAX_SPATIAL];
  int64_t pad_begin[SLOE_MAX_SPATIAL], pad_sum[SLOE_MAX_SPATIAL];
  sloe_auto_pad auto_pad;
  int ceil_mode;
} sloe_window;

/* Read the node's window over `n` spatial axes. `weights` are the kernel's sizes as the weight
   tensor has them, NULL where there is none: then kernel_shape must be given. FORMAT for wrong
   lengths and for sizes that are not positive. */
sloe_status sloe_window_read(sloe_infer *cx, int n, const int64_t *weights, sloe_window *out);

/* dilation * (kernel - 1) + 1 of axis `i` in *out (unknown where the kernel is). FORMAT on
 * overflow. */
sloe_status sloe_window_extent(sloe_infer *cx, const sloe_window *w, int i, int64_t *out);

/* Output size of spatial axis `i` for input size `in`; unknown gives unknown. FORMAT for a kernel
   larger than the padded input. */
sloe_status sloe_window_size(sloe_infer *cx, const sloe_window *w, int i, int64_t in, int64_t *out);

#endif
