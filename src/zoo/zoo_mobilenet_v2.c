/* zoo_mobilenet_v2.c: as in torchvision and Keras. */
#include "zoo/zoo_mobilenet.h"

static sloe_zoo_map conv(sloe_zoo_builder *b, sloe_zoo_map x, int64_t k, int64_t kernel,
                         int64_t stride, int64_t pad) {
  return sloe_zoo_add_conv(b, x,
                           (sloe_zoo_conv){.k = k,
                                           .kernel = kernel,
                                           .stride = stride,
                                           .norm = 1,
                                           .act = SLOE_SPEC_ACT_CLIP,
                                           .pad = pad});
}

sloe_status sloe_zoo_put_mobilenet_v2(sloe_zoo_builder *b, sloe_zoo_map x, double width, int keras,
                                      int64_t classes) {
  static const struct {
    int64_t expand, k, n, stride;
  } rows[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
              {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  const int64_t pad = keras ? SLOE_ZOO_PAD_SAME : 0;
  x = conv(b, x, sloe_zoo_divisible(32 * width, 8), 3, 2, pad);
  for (size_t i = 0; i < SLOE_ZOO_COUNT_OF(rows); i++)
    for (int64_t j = 0; j < rows[i].n; j++)
      x = sloe_zoo_add_inverted(
          b, x,
          (sloe_zoo_inverted){.wide = x.c * rows[i].expand,
                              .k = sloe_zoo_divisible((double)rows[i].k * width, 8),
                              .kernel = 3,
                              .stride = j ? 1 : rows[i].stride,
                              .pad = pad,
                              .act = SLOE_SPEC_ACT_CLIP});
  x = conv(b, x, sloe_zoo_divisible(1280 * (width > 1 ? width : 1), 8), 1, 1, 0);
  return sloe_zoo_end_mean_fc(b, x, classes);
}
