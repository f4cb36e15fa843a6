/* zoo_residual.h: residual networks whose blocks are activated behind the addition: ResNet, ResNeXt
 * and those with squeeze and excite differ in a few numbers. Private to zoo/. */
#ifndef SLOE_ZOO_ZOO_RESIDUAL_H
#define SLOE_ZOO_ZOO_RESIDUAL_H

#include "zoo/zoo_family.h"

typedef struct sloe_zoo_residual {
  int bottleneck;      /* 1x1, 3x3, 1x1 of four times the width; else two 3x3 */
  int64_t groups;      /* of the 3x3; 0: 1 */
  double inner;        /* width of a bottleneck's 3x3 over that of its stage; 0: 1 */
  int64_t reduction;   /* squeeze and excite: channels over squeezed ones; 0: none */
  int stride_in_first; /* halves in the first 1x1 (He et al. 2016), not in the 3x3 */
  int bias;            /* SLOE_ZOO_BIAS: convolutions have biases too */
} sloe_zoo_residual;

/* Blocks of each stage of the networks of He et al. 2016, by depth: 18, 34, 50, 101, 152, 200, and
   whether they are bottlenecks. NULL: there is none of that depth. */
const int64_t *sloe_zoo_residual_depth(int64_t depth, int *bottleneck);

/* A stage of `n` blocks of width `width`. */
sloe_zoo_map sloe_zoo_add_residuals(sloe_zoo_builder *b, const sloe_zoo_residual *r, sloe_zoo_map x,
                                    int64_t n, int64_t width, int64_t stride);

/* Stem (7x7 and a pool), four stages of 64 to 512 and the classifier. */
sloe_status sloe_zoo_put_residual(sloe_zoo_builder *b, const sloe_zoo_residual *r, sloe_zoo_map x,
                                  const int64_t blocks[4], int64_t classes);

#endif
