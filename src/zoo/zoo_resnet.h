/* zoo_resnet.h: the parts of the family resnet that have files of their own. Private to zoo/. */
#ifndef SLOE_ZOO_ZOO_RESNET_H
#define SLOE_ZOO_ZOO_RESNET_H

#include "zoo/zoo_residual.h"

enum { SLOE_ZOO_RESNET_TORCH, SLOE_ZOO_RESNET_KERAS, SLOE_ZOO_RESNET_CAFFE };

/* Version 2 for ImageNet. Keras halves in the last block of a stage, timm in the first. */
sloe_status sloe_zoo_put_resnet_v2(sloe_zoo_builder *b, sloe_zoo_map x, const int64_t blocks[4],
                                   int bottleneck, int64_t flavour, int64_t classes);

/* Three stages of 16, 32 and 64 for 32x32. Version 1: 20, 32, 44, 56, 110, 1202 (6n + 2); version
   2: 110, and 164 and 1001 of bottlenecks (9n + 2). */
sloe_status sloe_zoo_put_resnet_cifar(sloe_zoo_builder *b, sloe_zoo_map x, int64_t version,
                                      int64_t depth, int64_t classes);

#endif
