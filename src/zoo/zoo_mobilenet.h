/* zoo_mobilenet.h: the versions of the family mobilenet. Private to zoo/. */
#ifndef SLOE_ZOO_ZOO_MOBILENET_H
#define SLOE_ZOO_ZOO_MOBILENET_H

#include "zoo/zoo_inverted.h"

/* From the image to the output, all widths times `width`. `keras`: windows of stride 2 are padded
   as TensorFlow does; versions 1 and 3 end in convolutions. */
sloe_status sloe_zoo_put_mobilenet_v1(sloe_zoo_builder *b, sloe_zoo_map x, double width, int keras,
                                      int64_t classes);
sloe_status sloe_zoo_put_mobilenet_v2(sloe_zoo_builder *b, sloe_zoo_map x, double width, int keras,
                                      int64_t classes);
/* `minimal`: 3x3 only, ReLU, no gates (Keras's minimalistic models). */
sloe_status sloe_zoo_put_mobilenet_v3(sloe_zoo_builder *b, sloe_zoo_map x, double width, int keras,
                                      int small, int minimal, int64_t classes);

#endif
