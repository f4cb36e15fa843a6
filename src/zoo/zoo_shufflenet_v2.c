/* zoo_shufflenet_v2.c: as torchvision has it. */
#include "zoo/zoo_shufflenet.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

static map point(builder *b, map x, int64_t k) {
  return sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = k, .norm = 1, .act = SLOE_SPEC_ACT_RELU});
}

static map branch(builder *b, map x, int64_t k, int64_t stride) {
  x = point(b, x, k);
  return point(b, sloe_zoo_add_depthwise(b, x, 3, stride, 0, SLOE_SPEC_ACT_NONE), k);
}

/* Half of the channels pass by; where it halves the image, all go through both branches. */
static map unit(builder *b, map x, int64_t k, int64_t stride) {
  map parts[2];
  if (stride == 2) {
    const map first = sloe_zoo_add_depthwise(b, x, 3, 2, 0, SLOE_SPEC_ACT_NONE);
    parts[0] = point(b, first, k / 2);
    parts[1] = branch(b, x, k / 2, 2);
  } else {
    parts[0] = sloe_zoo_add_slice(b, x, 0, x.c / 2);
    parts[1] = branch(b, sloe_zoo_add_slice(b, x, x.c / 2, x.c), k / 2, 1);
  }
  return sloe_zoo_add_shuffle(b, sloe_zoo_add_concat(b, parts, 2), 2);
}

sloe_status sloe_zoo_put_shufflenet_v2(builder *b, map x, double width, int64_t classes) {
  static const struct {
    double width;
    int64_t first, last;
  } rows[] = {{0.5, 48, 1024}, {1.0, 116, 1024}, {1.5, 176, 1024}, {2.0, 244, 2048}};
  size_t at = 0;
  while (at < SLOE_ZOO_COUNT_OF(rows) && rows[at].width != width) at++;
  if (at == SLOE_ZOO_COUNT_OF(rows)) {
    sloe_zoo_refuse(b, "shufflenet: width: version 2 has 0.5, 1, 1.5 and 2");
    return b->status;
  }
  x = sloe_zoo_add_conv(
      b, x,
      (sloe_zoo_conv){.k = 24, .kernel = 3, .stride = 2, .norm = 1, .act = SLOE_SPEC_ACT_RELU});
  x = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 2, 1);
  int64_t k = rows[at].first;
  for (int stage = 0; stage < SLOE_ZOO_SHUFFLE_STAGES; stage++, k *= 2)
    for (int64_t i = 0; i < sloe_zoo_shuffle_blocks[stage]; i++) x = unit(b, x, k, i ? 1 : 2);
  return sloe_zoo_end_reduce_fc(b, point(b, x, rows[at].last), classes);
}
