/* zoo_mobilenet_v1.c: as in timm and in Keras, which halves by a depthwise convolution padded at
 * the end alone and does not round widths. */
#include "zoo/zoo_mobilenet.h"

static int64_t times(int64_t k, double width, int keras) {
  const int64_t whole = (int64_t)((double)k * width);
  if (keras) return whole ? whole : 1;
  return sloe_zoo_divisible((double)k * width, 8);
}

sloe_status sloe_zoo_put_mobilenet_v1(sloe_zoo_builder *b, sloe_zoo_map x, double width, int keras,
                                      int64_t classes) {
  static const struct {
    int64_t k, stride;
  } rows[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
              {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
  x = sloe_zoo_add_conv(b, x,
                        (sloe_zoo_conv){.k = times(32, width, keras),
                                        .kernel = 3,
                                        .stride = 2,
                                        .norm = 1,
                                        .pad = keras ? SLOE_ZOO_PAD_SAME : 0,
                                        .act = SLOE_SPEC_ACT_CLIP});
  for (size_t i = 0; i < SLOE_ZOO_COUNT_OF(rows); i++) {
    const int64_t k = times(rows[i].k, width, keras), stride = rows[i].stride;
    const int64_t pad = keras && stride > 1 ? SLOE_ZOO_PAD_END : 0;
    x = sloe_zoo_add_depthwise(b, x, 3, stride, pad, SLOE_SPEC_ACT_CLIP);
    x = sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = k, .norm = 1, .act = SLOE_SPEC_ACT_CLIP});
  }
  return keras ? sloe_zoo_end_mean_conv(b, x, classes) : sloe_zoo_end_mean_fc(b, x, classes);
}
