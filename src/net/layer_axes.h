/* layer_axes.h: a layer as numbers: which family of layers it belongs to, where it stands in the
 * family's space, and its features.
 *
 * Family (B IV-C). Kernel sizes, strides and the kind of grouping have too few values to be a
 * dimension: each combination is a sub-graph of its own. A key that was never measured is answered
 * by the nearest that was, scaled by the ratio of the work.
 *
 * Coordinates are the dimensions of that sub-graph (B IV-B): for a convolution filters, input
 * channels of a group, height and width of the output.
 *
 * Features are what the correction of the staircases looks at: sizes in logarithms, what is left of
 * a block (k mod 16), bytes, share of padding. Their meaning and order go into files: append only.
 */
#ifndef SLOE_NET_LAYER_AXES_H
#define SLOE_NET_LAYER_AXES_H

#include "net/layer_spec.h"

typedef enum sloe_grouping { SLOE_DENSE, SLOE_DEPTHWISE, SLOE_GROUPED } sloe_grouping;

typedef struct sloe_layer_key { /* of a family; what does not apply is 1, 0 */
  int32_t op;                   /* sloe_spec_op */
  int32_t grouping; /* sloe_grouping; of a BINARY its sloe_spec_with, of a CONCAT whether mixed */
  int32_t kernel[2], stride[2];
} sloe_layer_key;

sloe_layer_key sloe_layer_key_of(const sloe_layer_spec *spec);
/* < 0, 0, > 0: by op, grouping, kernel, stride. */
int sloe_layer_key_compare(const sloe_layer_key *a, const sloe_layer_key *b);

#define SLOE_LAYER_DIMS 4 /* the most that a family has */

/* Coordinates of a spec in its family; returns how many. All >= 1. */
size_t sloe_layer_coords(const sloe_layer_spec *spec, int64_t coords[SLOE_LAYER_DIMS]);
/* "filters", "height": of dimension `dim` of the op; "" where there is none. */
const char *sloe_layer_dim_name(sloe_spec_op op, size_t dim);

/* X(NAME, doc), in the order of the array */
#define SLOE_LAYER_FEATURE_MAP(X)                                                  \
  X(log_k, "ln k")                                                                 \
  X(log_c, "ln of the input channels of a group")                                  \
  X(log_oh, "ln of the output's height")                                           \
  X(log_ow, "ln of the output's width")                                            \
  X(log_taps, "ln of the kernel's area")                                           \
  X(aspect, "ln of the kernel's height over its width")                            \
  X(log_stride, "ln of the product of the strides")                                \
  X(log_groups, "ln of the groups")                                                \
  X(log_n, "ln of the batch")                                                      \
  X(k_mod_16, "filters of a group mod 16; of a depthwise convolution k mod 16")    \
  X(k_mod_64, "the same mod 64")                                                   \
  X(c_mod_16, "c mod 16")                                                          \
  X(ow_mod_8, "output width mod 8")                                                \
  X(log_pixels, "ln of the output's height x width")                               \
  X(log_in, "ln of the elements read")                                             \
  X(log_out, "ln of the elements written")                                         \
  X(log_weights, "ln of the weights")                                              \
  X(log_macs, "ln of the multiply-accumulates that touch no padding")              \
  X(padding, "share of the multiply-accumulates that touch padding")               \
  X(log_depth, "ln of the terms of one output: c x the kernel's area")             \
  X(dilated, "ln of the product of the dilations")                                 \
  X(act, "the sloe_spec_act, by number")                                           \
  X(extra, "residual add; parts of a concat; operand of a binary; interpolation")  \
  X(log_w, "ln of the input's width")                                              \
  X(in_network, "1 among the layers of a network, 0 by itself")                    \
  X(log_network, "ln of the weights and scratch of that network, at most 2^26")    \
  X(log_tiles_128, "ln of the tiles of 128 outputs x 128 filters of a group")      \
  X(log_tiles_64, "the same of 64 x 64")                                           \
  X(log_transform, "ln of the side of a square Fourier transform, a power of 2")   \
  X(log_fourier, "ln of the work of a convolution made by such transforms")        \
  X(fourier, "ln of the multiply-accumulates over that work")                      \
  X(k_align, "log2 of what divides the filters of a group, of 1, 2, 4 ... 32")     \
  X(c_align, "the same of the channels of a group")                                \
  X(log_transforms, "ln of the elements of those transforms")                      \
  X(uneven, "1: a pooling padded more at an end than at the beginning, 0")         \
  X(log_windows, "ln of weights of its convolutions and of scratch, at most 2^26") \
  X(proposed_1, "chance that the runtime proposes a kernel (fitted.h); 0")         \
  X(proposed_2, "the same of another kernel")                                      \
  X(log_touched, "ln of what a pass over the network touches, at most 2^26")       \
  X(paged, "1: of a product, rows of 2048 or more channels, a multiple of 1024")

enum {
#define SLOE_LAYER_FEATURE_COUNT_ONE(name, doc) SLOE_LAYER_FEATURE_##name,
  SLOE_LAYER_FEATURE_MAP(SLOE_LAYER_FEATURE_COUNT_ONE)
#undef SLOE_LAYER_FEATURE_COUNT_ONE
      SLOE_LAYER_FEATURES,
  SLOE_LAYER_PROPOSED = 2 /* features of them: proposed_1 ..., which a spec alone does not tell */
};

/* Where a layer runs. By itself, its weights come from memory, as in a large network (settled
   caches, device.h); in a small network they stay in a cache from one inference to the next, if
   what its layers write does not drive them out. */
typedef struct sloe_layer_place {
  int in_network;
  uint64_t weights; /* of the whole network, and scratch; not looked at by itself */
  uint64_t windows; /* of its convolutions: what is read once, in products, may pass by a cache */
  uint64_t touched; /* all weights and scratch, and what each layer writes */
} sloe_layer_place;

/* Of the layers of a network; a network of one layer is that layer by itself. */
sloe_layer_place sloe_layers_place(const sloe_layers *layers);
/* Scratch memory that some kernel of the network needs drives weights out of a cache as others
   would. `bytes`: of a number. */
void sloe_layer_place_add(sloe_layer_place *place, double mb, double bytes);

/* `place` NULL: by itself. */
void sloe_layer_features(const sloe_layer_spec *spec, const sloe_layer_place *place,
                         float x[SLOE_LAYER_FEATURES]);
const char *sloe_layer_feature_name(size_t i);

/* Tiles of `rows` output positions x `columns` filters of a group that the output is cut into. */
double sloe_layer_tiles(const sloe_layer_spec *spec, int64_t rows, int64_t columns);
/* The side of the square Fourier transforms that a convolution can be made of: the next power of
   two of the image and what a kernel reaches beyond it, at least 16. */
double sloe_layer_transform(const sloe_layer_spec *spec);

/* Elements of those transforms of a convolution's input, output and weights. */
typedef struct sloe_transforms {
  double in, out, weights;
} sloe_transforms;
sloe_transforms sloe_layer_transforms(const sloe_layer_spec *spec);
/* Complex elements of them, where what a real image's other half repeats is left out. */
double sloe_layer_half_transforms(const sloe_layer_spec *spec);
/* Multiply-accumulates of the products of each frequency, complex ones being four. */
double sloe_layer_transform_macs(const sloe_layer_spec *spec);
/* Work of a convolution made by them: their elements, and the products of each frequency. */
double sloe_layer_fourier(const sloe_layer_spec *spec);

/* Multiply-accumulates of a convolution that touch no padding; sloe_layer_spec_macs of the rest. */
double sloe_layer_inner_macs(const sloe_layer_spec *spec);

#endif
