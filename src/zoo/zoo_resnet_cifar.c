/* zoo_resnet_cifar.c: the networks for CIFAR-10 of both papers. Shortcuts have no weights in
 * version 1 (option A: every second pixel, the new channels zero), 1x1 convolutions in version 2.
 */
#include "zoo/zoo_resnet.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

static map conv(builder *b, map x, int64_t k, int64_t kernel, int64_t stride, int norm,
                sloe_spec_act act) {
  return sloe_zoo_add_conv(b, x,
                           (sloe_zoo_conv){.k = k,
                                           .kernel = kernel,
                                           .stride = stride,
                                           .norm = norm,
                                           .bias = SLOE_ZOO_NO_BIAS,
                                           .act = act});
}

static map first_block(builder *b, map x, int64_t width, int64_t stride) {
  map y = conv(b, x, width, 3, stride, 1, SLOE_SPEC_ACT_RELU);
  y = conv(b, y, width, 3, 1, 1, SLOE_SPEC_ACT_NONE);
  if (stride > 1) {
    const int64_t more = width - x.c;
    x = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 1, stride, 0);
    x = sloe_zoo_add_zero_channels(b, x, more / 2, more - more / 2);
  }
  return sloe_zoo_add_act(b, sloe_zoo_add_binary(b, SLOE_OP_ADD, y, x), SLOE_SPEC_ACT_RELU);
}

static map second_block(builder *b, map x, int64_t width, int bottleneck, int64_t stride) {
  const int64_t out = bottleneck ? 4 * width : width;
  const map first = sloe_zoo_add_norm_act(b, x, SLOE_SPEC_ACT_RELU);
  map y = first;
  if (bottleneck) {
    y = conv(b, y, width, 1, 1, 1, SLOE_SPEC_ACT_RELU);
    y = conv(b, y, width, 3, stride, 1, SLOE_SPEC_ACT_RELU);
    y = conv(b, y, out, 1, 1, 0, SLOE_SPEC_ACT_NONE);
  } else {
    y = conv(b, y, width, 3, stride, 1, SLOE_SPEC_ACT_RELU);
    y = conv(b, y, out, 3, 1, 0, SLOE_SPEC_ACT_NONE);
  }
  if (x.c != out) x = conv(b, first, out, 1, stride, 0, SLOE_SPEC_ACT_NONE);
  return sloe_zoo_add_binary(b, SLOE_OP_ADD, y, x);
}

sloe_status sloe_zoo_put_resnet_cifar(builder *b, map x, int64_t version, int64_t depth,
                                      int64_t classes) {
  const int bottleneck = version == 2 && depth != 110;
  const int64_t n = (depth - 2) / (bottleneck ? 9 : 6);
  x = conv(b, x, 16, 3, 1, version == 1, version == 1 ? SLOE_SPEC_ACT_RELU : SLOE_SPEC_ACT_NONE);
  for (int64_t stage = 0, width = 16; stage < 3; stage++, width *= 2)
    for (int64_t i = 0; i < n; i++) {
      const int64_t stride = stage && !i ? 2 : 1;
      x = version == 1 ? first_block(b, x, width, stride)
                       : second_block(b, x, width, bottleneck, stride);
    }
  if (version == 2) x = sloe_zoo_add_norm_act(b, x, SLOE_SPEC_ACT_RELU);
  return sloe_zoo_end_mean_fc(b, x, classes);
}
