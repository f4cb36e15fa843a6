/* layer_spec.h: one layer as a device sees it: an op, its sizes, and what is fused into it.
 *
 * It is what the measuring half times and what the fitted models are asked about: two layers of
 * equal spec take equal time. It knows no names, weights or neighbours. Written as text it is a NET
 * of its own, "zoo:layer,op=conv,c=64,h=56,w=56,k=128,kernel=3,stride=1", by which measurement
 * tables and stores name a layer.
 *
 * Sizes. A 4-d tensor is n x c x h x w. Of other tensors: an fc reads n rows of c elements and
 * writes n rows of k; a matmul is n products of (h x c) by (c x k); softmax and norms over an axis
 * have its length as c, what is outside as n, what is inside as h x w (layer, instance and group
 * normalisation: n rows of the c elements that share a mean); whatever else counts elements only
 * folds its tensor into n x c x h x w with the innermost dimension as w.
 *
 * Windows. pad[] is top and left; out[] the height and width that are written; bottom and right
 * padding follow from both (sloe_layer_spec_pad_end; negative where the last rows are not read).
 */
#ifndef SLOE_NET_LAYER_SPEC_H
#define SLOE_NET_LAYER_SPEC_H

#include "sloe/sloe.h"

/* X(ID, text, keys that it takes beside n c h w, doc). Append only: the values go into files. */
#define SLOE_SPEC_OP_MAP(X)                                                                \
  X(CONV, "conv", "k kernel stride pad dilation groups out act add", "convolution")        \
  X(DECONV, "deconv", "k kernel stride pad dilation groups out act add", "transposed one") \
  X(FC, "fc", "k act add", "product with constant weights")                                \
  X(MATMUL, "matmul", "k act add", "product of two activations")                           \
  X(MAXPOOL, "maxpool", "kernel stride pad dilation out", "max pooling")                   \
  X(AVGPOOL, "avgpool", "kernel stride pad dilation out", "average pooling")               \
  X(GLOBALPOOL, "globalpool", "", "the mean or maximum over h x w")                        \
  X(BATCHNORM, "batchnorm", "act", "a factor and an offset per channel")                   \
  X(LAYERNORM, "layernorm", "act", "layer, instance, group normalisation")                 \
  X(LRN, "lrn", "", "local response normalisation over channels")                          \
  X(ACTIVATION, "activation", "act", "one function of each element")                       \
  X(BINARY, "binary", "with act", "arithmetic of two tensors")                             \
  X(SOFTMAX, "softmax", "", "softmax over c")                                              \
  X(REDUCE, "reduce", "", "a reduction over c")                                            \
  X(RESIZE, "resize", "out linear", "interpolation to `out`")                              \
  X(CONCAT, "concat", "parts mixed", "c channels put together from `parts` tensors")       \
  X(SLICE, "slice", "k", "k of c channels taken out")                                      \
  X(TRANSPOSE, "transpose", "", "dimensions in another order")                             \
  X(COPY, "copy", "", "any other move of n x c x h x w elements")                          \
  X(REORDER, "reorder", "", "the same tensor in another layout of the runtime")

typedef enum sloe_spec_op {
#define SLOE_SPEC_OP_ENUM(id, text, keys, doc) SLOE_SPEC_##id,
  SLOE_SPEC_OP_MAP(SLOE_SPEC_OP_ENUM)
#undef SLOE_SPEC_OP_ENUM
      SLOE_SPEC_OP_COUNT
} sloe_spec_op;

/* Functions of one element, told apart by what they cost. Append only. X(ID, text) */
#define SLOE_SPEC_ACT_MAP(X)    \
  X(NONE, "none")               \
  X(RELU, "relu")               \
  X(CLIP, "clip")               \
  X(LEAKY, "leaky")             \
  X(SIGMOID, "sigmoid")         \
  X(HARDSIGMOID, "hardsigmoid") \
  X(SWISH, "swish")             \
  X(HARDSWISH, "hardswish")     \
  X(TANH, "tanh")               \
  X(ELU, "elu")                 \
  X(GELU, "gelu")               \
  X(ERF, "erf")                 \
  X(EXP, "exp")                 \
  X(SQRT, "sqrt")               \
  X(OTHER, "other")

typedef enum sloe_spec_act {
#define SLOE_SPEC_ACT_ENUM(id, text) SLOE_SPEC_ACT_##id,
  SLOE_SPEC_ACT_MAP(SLOE_SPEC_ACT_ENUM)
#undef SLOE_SPEC_ACT_ENUM
      SLOE_SPEC_ACT_COUNT
} sloe_spec_act;

/* The second operand of a BINARY. Append only. X(ID, text, doc) */
#define SLOE_SPEC_WITH_MAP(X)                         \
  X(FULL, "full", "of the same shape")                \
  X(CHANNEL, "channel", "one value per (n, channel)") \
  X(SCALAR, "scalar", "one value")                    \
  X(ROW, "row", "one value per element of the innermost dimension")

typedef enum sloe_spec_with {
#define SLOE_SPEC_WITH_ENUM(id, text, doc) SLOE_SPEC_WITH_##id,
  SLOE_SPEC_WITH_MAP(SLOE_SPEC_WITH_ENUM)
#undef SLOE_SPEC_WITH_ENUM
      SLOE_SPEC_WITH_COUNT
} sloe_spec_with;

/* Pairs are height, width. What an op does not take is as in sloe_layer_spec_none. */
typedef struct sloe_layer_spec {
  sloe_spec_op op;
  int64_t n, c, h, w; /* what is read, >= 1 */
  int64_t k;          /* channels, units or columns that are written */
  int64_t kernel[2], stride[2], dilation[2], pad[2], out[2];
  int64_t groups;    /* = c: depthwise */
  int64_t parts;     /* of a concat */
  sloe_spec_act act; /* fused behind, or what an ACTIVATION does */
  int add;           /* 0 or 1: a tensor like the output is added (a residual) */
  sloe_spec_with with;
  int linear; /* of a RESIZE: 1 linear, 0 nearest */
  int mixed;  /* of a CONCAT: 1: the first part lies plain in memory, as what was transposed or
                 reshaped does, another as convolutions write, in blocks of channels on some devices
               */
} sloe_layer_spec;

/* All sizes 1, pads 0, groups 1, no act. */
sloe_layer_spec sloe_layer_spec_none(void);

/* The spec of layer `i`. *known is 0 where the layer is a VIEW (takes no time), its sizes depend on
   data, or it is nothing that the ops above describe; *out is then sloe_layer_spec_none. */
void sloe_layer_spec_of(const sloe_layers *layers, size_t i, sloe_layer_spec *out, int *known);

enum { SLOE_SPEC_TEXT = 320 };
/* "zoo:layer,op=conv,c=64,..."; what is as it is by default is left out. Returns buf. */
const char *sloe_layer_spec_print(const sloe_layer_spec *spec, char buf[SLOE_SPEC_TEXT]);

/* Reads what print writes, with or without "zoo:layer,", keys in any order: n c h w k (whole
   numbers), kernel stride pad dilation out ("3" or "1x7": height x width), groups, parts, act, add
   (0, 1), with, linear (0, 1), mixed (0, 1). Defaults: 1; k = c; stride 1; pad so that a window of
   stride 1 keeps the size, (dilation (kernel - 1)) / 2 (0 for deconv); out = floor((in + 2 pad -
   reach) / stride)
   + 1 (deconv: stride (in - 1) + reach - 2 pad). A `with` by which nothing is broadcast is read as
   full, one of a single element as scalar. Errors: USAGE, naming the key: unknown, twice, not
   taken by the op, impossible (groups that do not divide c and k, a window outside the image, an
   activation of none, a slice of all channels, rows of an fc with a height). */
sloe_status sloe_layer_spec_parse(const char *text, sloe_layer_spec *out, sloe_error *err);

/* Field by field: the struct has padding, which memcmp would look at. */
int sloe_layer_spec_same(const sloe_layer_spec *a, const sloe_layer_spec *b);

/* USAGE with the first thing that is impossible. */
sloe_status sloe_layer_spec_check(const sloe_layer_spec *spec, sloe_error *err);

/* Convolutions and poolings: n counts images. Of products, say, it counts rows. */
int sloe_layer_spec_has_window(const sloe_layer_spec *spec);

/* Padding at bottom (dim 0) or right (1). */
int64_t sloe_layer_spec_pad_end(const sloe_layer_spec *spec, int dim);

/* Saturating counts, of the whole batch. macs: multiply-accumulates of conv, deconv, fc, matmul,
   as ONNX counts them (padding included). Elements: activations read, written; weights and bias. */
uint64_t sloe_layer_spec_macs(const sloe_layer_spec *spec);
uint64_t sloe_layer_spec_in_elements(const sloe_layer_spec *spec);
uint64_t sloe_layer_spec_out_elements(const sloe_layer_spec *spec);
uint64_t sloe_layer_spec_weights(const sloe_layer_spec *spec);

int sloe_layer_spec_is_depthwise(const sloe_layer_spec *spec); /* groups = c > 1 */

const char *sloe_spec_op_text(sloe_spec_op op);
const char *sloe_spec_act_text(sloe_spec_act act);

#endif
