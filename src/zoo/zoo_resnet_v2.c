/* zoo_resnet_v2.c: normalised and activated before each convolution. */
#include "zoo/zoo_resnet.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

static map plain(builder *b, map x, int64_t k, int64_t kernel, int64_t stride, int bias) {
  return sloe_zoo_add_conv(
      b, x, (sloe_zoo_conv){.k = k, .kernel = kernel, .stride = stride, .bias = bias});
}

static map relu(builder *b, map x) {
  return sloe_zoo_add_norm_act(b, x, SLOE_SPEC_ACT_RELU);
}

/* Both branches begin behind the first activation where the shortcut has a convolution. */
static map block(builder *b, map x, int64_t width, int bottleneck, int64_t stride, int project,
                 int keras) {
  const int none = SLOE_ZOO_NO_BIAS, biased = keras ? SLOE_ZOO_BIAS : none;
  const map first = relu(b, x);
  map shortcut = x, y;
  if (project)
    shortcut = plain(b, first, bottleneck ? 4 * width : width, 1, stride, biased);
  else if (stride > 1)
    shortcut = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 1, stride, 0);
  if (bottleneck) {
    y = relu(b, plain(b, first, width, 1, 1, none));
    y = relu(b, plain(b, y, width, 3, stride, none));
    y = plain(b, y, 4 * width, 1, 1, biased);
  } else {
    y = relu(b, plain(b, first, width, 3, stride, none));
    y = plain(b, y, width, 3, 1, none);
  }
  return sloe_zoo_add_binary(b, SLOE_OP_ADD, y, shortcut);
}

sloe_status sloe_zoo_put_resnet_v2(builder *b, map x, const int64_t blocks[4], int bottleneck,
                                   int64_t flavour, int64_t classes) {
  const int keras = flavour == SLOE_ZOO_RESNET_KERAS;
  x = plain(b, x, 64, 7, 2, keras ? SLOE_ZOO_BIAS : SLOE_ZOO_NO_BIAS);
  x = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 2, 1);
  for (int64_t stage = 0, width = 64; stage < 4; stage++, width *= 2)
    for (int64_t i = 0; i < blocks[stage]; i++) {
      const int halves = keras ? stage < 3 && i == blocks[stage] - 1 : stage > 0 && i == 0;
      const int64_t out = bottleneck ? 4 * width : width;
      x = block(b, x, width, bottleneck, halves ? 2 : 1, i == 0 && (x.c != out || bottleneck),
                keras);
    }
  x = relu(b, x);
  return keras ? sloe_zoo_end_mean_fc(b, x, classes) : sloe_zoo_end_mean_conv(b, x, classes);
}
