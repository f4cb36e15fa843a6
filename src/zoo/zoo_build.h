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
void sloe_zoo_output(sloe_zoo_builder *b, sloe_tid t);

/* One node of one output. What the attributes point to is copied. */
sloe_tid sloe_zoo_node(sloe_zoo_builder *b, const char *type, const sloe_tid *in, size_t n_in,
                       const sloe_attr *attrs, size_t n_attrs);
sloe_attr sloe_zoo_attr_int(const char *name, int64_t value);
sloe_attr sloe_zoo_attr_ints(const char *name, size_t n, const int64_t *values);
sloe_attr sloe_zoo_attr_text(const char *name, const char *value);

/* The op, or ops, of an activation function behind `t`. */
sloe_tid sloe_zoo_act(sloe_zoo_builder *b, sloe_tid t, sloe_spec_act act);

/* ---- layers of square windows ---- */

typedef struct sloe_zoo_conv { /* padded so that stride 1 keeps the size */
  int64_t k, kernel, stride;   /* 0: kernel 1, stride 1 */
  int64_t groups;              /* 0: 1 */
  int norm;                    /* a BatchNormalization behind it instead of a bias */
  sloe_spec_act act;
} sloe_zoo_conv;

sloe_zoo_map sloe_zoo_add_conv(sloe_zoo_builder *b, sloe_zoo_map x, sloe_zoo_conv conv);
sloe_zoo_map sloe_zoo_add_norm(sloe_zoo_builder *b, sloe_zoo_map x); /* BatchNormalization */
sloe_zoo_map sloe_zoo_add_act(sloe_zoo_builder *b, sloe_zoo_map x, sloe_spec_act act);
/* "MaxPool" or "AveragePool". */
sloe_zoo_map sloe_zoo_add_pool(sloe_zoo_builder *b, sloe_zoo_map x, const char *type,
                               int64_t kernel, int64_t stride, int64_t pad);
sloe_zoo_map sloe_zoo_add_global_pool(sloe_zoo_builder *b, sloe_zoo_map x);
/* "Add" or "Mul"; `y` may be 1 x 1. */
sloe_zoo_map sloe_zoo_add_binary(sloe_zoo_builder *b, const char *type, sloe_zoo_map x,
                                 sloe_zoo_map y);
sloe_zoo_map sloe_zoo_add_concat(sloe_zoo_builder *b, const sloe_zoo_map *x, size_t n);
/* Flattens x and multiplies: n x c*h*w by `units`. */
sloe_zoo_map sloe_zoo_add_fc(sloe_zoo_builder *b, sloe_zoo_map x, int64_t units, sloe_spec_act act);

#endif
