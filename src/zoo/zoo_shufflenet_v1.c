/* zoo_shufflenet_v1.c: table 1 of the paper; widths as in the authors' code
 * (megvii-model/ShuffleNet-Series). */
#include "zoo/zoo_shufflenet.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

static map conv(builder *b, map x, int64_t k, int64_t groups, sloe_spec_act act) {
  return sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = k, .groups = groups, .norm = 1, .act = act});
}

/* Added to x, or, where it halves, put beside x averaged. */
static map unit(builder *b, map x, int64_t k, int64_t stride, int64_t groups, int first) {
  const int64_t out = stride == 2 ? k - x.c : k;
  map y = conv(b, x, k / 4, first ? 1 : groups, SLOE_SPEC_ACT_RELU);
  if (groups > 1) y = sloe_zoo_add_shuffle(b, y, groups);
  y = sloe_zoo_add_depthwise(b, y, 3, stride, 0, SLOE_SPEC_ACT_NONE);
  y = conv(b, y, out, groups, SLOE_SPEC_ACT_NONE);
  if (stride == 2)
    y = sloe_zoo_add_concat(b, (map[]){sloe_zoo_add_pool(b, x, SLOE_OP_AVERAGE_POOL, 3, 2, 1), y},
                            2);
  else
    y = sloe_zoo_add_binary(b, SLOE_OP_ADD, y, x);
  return sloe_zoo_add_act(b, y, SLOE_SPEC_ACT_RELU);
}

/* Channels of the first stage by groups, from table 1. */
static int64_t first_width(int64_t groups) {
  switch (groups) {
    case 1: return 144;
    case 2: return 200;
    case 3: return 240;
    case 4: return 272;
    default: return 384;
  }
}

sloe_status sloe_zoo_put_shufflenet_v1(builder *b, map x, double width, int64_t groups,
                                       int64_t classes) {
  const int64_t step = 4 * groups; /* so that groups divide the bottleneck too */
  int64_t k = (int64_t)((double)first_width(groups) * width / (double)step + 0.5) * step;
  if (k < 2 * step) k = 2 * step;
  const int64_t stem = (int64_t)(24 * (width < 1 ? width : (double)(int64_t)width));
  const int64_t first = (stem + groups - 1) / groups * groups;
  x = sloe_zoo_add_conv(
      b, x,
      (sloe_zoo_conv){.k = first, .kernel = 3, .stride = 2, .norm = 1, .act = SLOE_SPEC_ACT_RELU});
  x = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 2, 1);
  for (int stage = 0; stage < SLOE_ZOO_SHUFFLE_STAGES; stage++, k *= 2)
    for (int64_t i = 0; i < sloe_zoo_shuffle_blocks[stage]; i++)
      x = unit(b, x, k, i ? 1 : 2, groups, !stage && !i);
  return sloe_zoo_end_mean_fc(b, x, classes);
}
