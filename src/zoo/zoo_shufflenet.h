/* zoo_shufflenet.h: the versions of the family shufflenet. Private to zoo/. */
#ifndef SLOE_ZOO_ZOO_SHUFFLENET_H
#define SLOE_ZOO_ZOO_SHUFFLENET_H

#include "zoo/zoo_inverted.h"

/* Blocks of the three stages of both versions. */
enum { SLOE_ZOO_SHUFFLE_STAGES = 3 };
extern const int64_t sloe_zoo_shuffle_blocks[SLOE_ZOO_SHUFFLE_STAGES];

sloe_status sloe_zoo_put_shufflenet_v1(sloe_zoo_builder *b, sloe_zoo_map x, double width,
                                       int64_t groups, int64_t classes);
sloe_status sloe_zoo_put_shufflenet_v2(sloe_zoo_builder *b, sloe_zoo_map x, double width,
                                       int64_t classes);

#endif
