/* zoo_build.h: putting networks together op by op. Private to zoo/.
 *
 * The first failure sticks in `status`: what comes after it does nothing, so that a family is
 * written straight down and checked once. A builder without a net only counts (`macs`): a family
 * can ask what a network would cost before it makes it.
 *
 * A map is a tensor of n x c x h x w; calls return the map that their ops write.
 */
#ifndef SLOE_ZOO_ZOO_BUILD_H
#define SLOE_ZOO_ZOO_BUILD_H

#include "net/net.h"

typedef struct sloe_zoo_builder {
  sloe_net *net; /* NULL: count only */
  sloe_error *err;
  sloe_status status;
  double macs; /* of the convolutions and products so far */
} sloe_zoo_builder;

typedef struct sloe_zoo_map {
  sloe_tid t;
  int64_t n, c, h, w;
} sloe_zoo_map;

/* ---- tensors and nodes; -1 after a failure ---- */

sloe_tid sloe_zoo_input(sloe_zoo_builder *b, const char *name, int rank, const int64_t *dims);
sloe_tid sloe_zoo_weight(sloe_zoo_builder *b, int rank, const int64_t *dims);
sloe_tid sloe_zoo_ints(sloe_zoo_builder *b, size_t n, const int64_t *values); /* a 1-d constant */
sloe_tid sloe_zoo_real(sloe_zoo_builder *b, double value); /* a constant without dimensions */
void sloe_zoo_output(sloe_zoo_builder *b, sloe_tid t);
/* The network is impossible: USAGE, unless something failed before. */
void sloe_zoo_refuse(sloe_zoo_builder *b, const char *fmt, ...) SLOE_PRINTF(2, 3);

/* One node of one output. What the attributes point to is copied. */
sloe_tid sloe_zoo_node(sloe_zoo_builder *b, sloe_op op, const sloe_tid *in, size_t n_in,
                       const sloe_attr *attrs, size_t n_attrs);
sloe_attr sloe_zoo_attr_int(const char *name, int64_t value);
sloe_attr sloe_zoo_attr_ints(const char *name, size_t n, const int64_t *values);
sloe_attr sloe_zoo_attr_text(const char *name, const char *value);

/* The op, or ops, of an activation function behind `t`. */
sloe_tid sloe_zoo_act(sloe_zoo_builder *b, sloe_tid t, sloe_spec_act act);

/* ---- layers of square windows ---- */

/* Padding: 0 keeps the size at stride 1, half the kernel at each side. */
enum {
  SLOE_ZOO_NO_PAD = -1,
  SLOE_ZOO_PAD_SAME = -2, /* TensorFlow's: ceil(size / stride), the odd row at the end */
  SLOE_ZOO_PAD_END = -3,  /* half the kernel, at the end alone */
};
/* Biases of a convolution: 0, where no normalisation follows. */
enum { SLOE_ZOO_NO_BIAS = -1, SLOE_ZOO_BIAS = 1 };

typedef struct sloe_zoo_conv {
  int64_t k, kernel, stride; /* 0: kernel 1, stride 1 */
  int64_t groups;            /* 0: 1 */
  int norm;                  /* a BatchNormalization behind it */
  sloe_spec_act act;
  int64_t wide; /* width of the kernel; 0: as high */
  int64_t pad;
  int bias;
} sloe_zoo_conv;

sloe_zoo_map sloe_zoo_add_conv(sloe_zoo_builder *b, sloe_zoo_map x, sloe_zoo_conv conv);
sloe_zoo_map sloe_zoo_add_norm(sloe_zoo_builder *b, sloe_zoo_map x); /* BatchNormalization */
sloe_zoo_map sloe_zoo_add_act(sloe_zoo_builder *b, sloe_zoo_map x, sloe_spec_act act);
/* Normalised, then activated. */
sloe_zoo_map sloe_zoo_add_norm_act(sloe_zoo_builder *b, sloe_zoo_map x, sloe_spec_act act);
/* Local response normalisation over `size` channels. */
sloe_zoo_map sloe_zoo_add_lrn(sloe_zoo_builder *b, sloe_zoo_map x, int64_t size);

typedef struct sloe_zoo_pool {
  sloe_op op;                  /* SLOE_OP_MAX_POOL or SLOE_OP_AVERAGE_POOL */
  int64_t kernel, stride, pad; /* pad as it is, or PAD_SAME, or PAD_END */
  int ceil;                    /* a last window that does not fit whole counts (Caffe) */
} sloe_zoo_pool;

sloe_zoo_map sloe_zoo_add_pool_of(sloe_zoo_builder *b, sloe_zoo_map x, sloe_zoo_pool pool);
sloe_zoo_map sloe_zoo_add_pool(sloe_zoo_builder *b, sloe_zoo_map x, sloe_op op, int64_t kernel,
                               int64_t stride, int64_t pad);
/* Averages to size x size, as torch's AdaptiveAvgPool2d, where windows of one size do: of
   floor(in / size) steps. USAGE where the map is smaller. */
sloe_zoo_map sloe_zoo_add_fitted_pool(sloe_zoo_builder *b, sloe_zoo_map x, int64_t size);
sloe_zoo_map sloe_zoo_add_global_pool(sloe_zoo_builder *b, sloe_zoo_map x);
/* The same by ReduceMean, as PyTorch's x.mean([2, 3]) is exported. */
sloe_zoo_map sloe_zoo_add_reduce_mean(sloe_zoo_builder *b, sloe_zoo_map x);
/* SLOE_OP_ADD or SLOE_OP_MUL; `y` may be 1 x 1. */
sloe_zoo_map sloe_zoo_add_binary(sloe_zoo_builder *b, sloe_op op, sloe_zoo_map x, sloe_zoo_map y);
/* Times one number. */
sloe_zoo_map sloe_zoo_add_scaled(sloe_zoo_builder *b, sloe_zoo_map x, double factor);
sloe_zoo_map sloe_zoo_add_concat(sloe_zoo_builder *b, const sloe_zoo_map *x, size_t n);
/* Flattens x and multiplies: n x c*h*w by `units`. */
sloe_zoo_map sloe_zoo_add_fc(sloe_zoo_builder *b, sloe_zoo_map x, int64_t units, sloe_spec_act act);

/* ---- moving channels (zoo_channels.c) ---- */

/* Channels from `from` up to `to`, by a Slice. */
sloe_zoo_map sloe_zoo_add_slice(sloe_zoo_builder *b, sloe_zoo_map x, int64_t from, int64_t to);
/* ShuffleNet's: the channels of the groups one from each in turn. */
sloe_zoo_map sloe_zoo_add_shuffle(sloe_zoo_builder *b, sloe_zoo_map x, int64_t groups);
/* Zeros: `before` and `after` channels. */
sloe_zoo_map sloe_zoo_add_zero_channels(sloe_zoo_builder *b, sloe_zoo_map x, int64_t before,
                                        int64_t after);

/* ---- squeeze and excite (Hu et al. 2018) ---- */

typedef struct sloe_zoo_gate {
  int64_t squeezed;
  sloe_spec_act act, open; /* behind the first convolution and the second */
  int reduce;              /* the means by ReduceMean, as timm's networks are exported */
} sloe_zoo_gate;

/* Each channel times a number that two 1x1 convolutions make of the means of all. */
sloe_zoo_map sloe_zoo_add_gate(sloe_zoo_builder *b, sloe_zoo_map x, sloe_zoo_gate gate);

#endif
