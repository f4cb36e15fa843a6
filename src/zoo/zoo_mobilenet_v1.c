/* zoo_mobilenet_v1.c: as in Keras and timm. */
#include "zoo/zoo_mobilenet.h"

sloe_status sloe_zoo_put_mobilenet_v1(sloe_zoo_builder *b, sloe_zoo_map x, double width,
                                      int64_t classes) {
  static const struct {
    int64_t k, stride;
  } rows[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
              {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
  x = sloe_zoo_add_conv(b, x,
                        (sloe_zoo_conv){.k = sloe_zoo_divisible(32 * width, 8),
                                        .kernel = 3,
                                        .stride = 2,
                                        .norm = 1,
                                        .act = SLOE_SPEC_ACT_CLIP});
  for (size_t i = 0; i < SLOE_ZOO_COUNT_OF(rows); i++) {
    const int64_t k = sloe_zoo_divisible((double)rows[i].k * width, 8);
    x = sloe_zoo_add_depthwise(b, x, 3, rows[i].stride, SLOE_SPEC_ACT_CLIP);
    x = sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = k, .norm = 1, .act = SLOE_SPEC_ACT_CLIP});
  }
  return sloe_zoo_end_mean_fc(b, x, classes);
}
