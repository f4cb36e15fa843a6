/* zoo_inverted.h: the inverted residual of MobileNet v2 (Sandler et al. 2018): widened by a 1x1,
 * depthwise, narrowed by a 1x1; its successors add a gate. Private to zoo/. */
#ifndef SLOE_ZOO_ZOO_INVERTED_H
#define SLOE_ZOO_ZOO_INVERTED_H

#include "zoo/zoo_family.h"

typedef struct sloe_zoo_inverted {
  int64_t wide, k; /* channels of the depthwise convolution, and behind it; wide = those that are
                      read: no first 1x1 */
  int64_t kernel, stride;
  sloe_spec_act act;
  sloe_zoo_gate gate; /* squeezed = 0: none */
  int alone;          /* never added to what is read */
  int64_t pad;        /* of the depthwise convolution, as of sloe_zoo_conv */
} sloe_zoo_inverted;

/* Added to x where the sizes agree. */
sloe_zoo_map sloe_zoo_add_inverted(sloe_zoo_builder *b, sloe_zoo_map x, sloe_zoo_inverted r);

/* A depthwise convolution, normalised and activated; `pad` as of sloe_zoo_conv. */
sloe_zoo_map sloe_zoo_add_depthwise(sloe_zoo_builder *b, sloe_zoo_map x, int64_t kernel,
                                    int64_t stride, int64_t pad, sloe_spec_act act);

#endif
