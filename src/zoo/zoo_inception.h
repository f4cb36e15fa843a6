/* zoo_inception.h: what the Inception families share. Private to zoo/. */
#ifndef SLOE_ZOO_ZOO_INCEPTION_H
#define SLOE_ZOO_ZOO_INCEPTION_H

#include "zoo/zoo_family.h"

/* Normalised, activated, padded to keep the size. */
sloe_zoo_map sloe_zoo_add_cbr(sloe_zoo_builder *b, sloe_zoo_map x, int64_t k, int64_t kernel);
/* high x wide. */
sloe_zoo_map sloe_zoo_add_cbr_of(sloe_zoo_builder *b, sloe_zoo_map x, int64_t k, int64_t high,
                                 int64_t wide);
/* 3x3, not padded. */
sloe_zoo_map sloe_zoo_add_cbr_inside(sloe_zoo_builder *b, sloe_zoo_map x, int64_t k,
                                     int64_t stride);
/* The maximum of 3x3 with stride 2, not padded. */
sloe_zoo_map sloe_zoo_add_pool_inside(sloe_zoo_builder *b, sloe_zoo_map x);

sloe_status sloe_zoo_put_inception_v3(sloe_zoo_builder *b, sloe_zoo_map x, int64_t classes);
sloe_status sloe_zoo_put_inception_v4(sloe_zoo_builder *b, sloe_zoo_map x, int64_t classes);

#endif
