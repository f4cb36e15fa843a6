/* zoo_shufflenet.c: ShuffleNet, its keys; a file for each version. */
#include "zoo/zoo_shufflenet.h"

enum { VERSION, WIDTH, GROUPS, INPUT, CLASSES };

const int64_t sloe_zoo_shuffle_blocks[SLOE_ZOO_SHUFFLE_STAGES] = {4, 8, 4};

static sloe_status build(sloe_zoo_builder *b, const sloe_zoo_call *call) {
  static const int64_t groups[] = {1, 2, 3, 4, 8};
  const int64_t version = call->v[VERSION].whole, classes = call->v[CLASSES].whole;
  const sloe_zoo_map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  if (version == 1)
    return sloe_zoo_put_shufflenet_v1(b, x, call->v[WIDTH].real, groups[call->v[GROUPS].whole],
                                      classes);
  if (call->v[GROUPS].given) sloe_zoo_refuse(b, "shufflenet: groups are of version 1");
  return sloe_zoo_put_shufflenet_v2(b, x, call->v[WIDTH].real, classes);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "version", .doc = "1 or 2", .fallback = "2", .least = 1, .most = 2},
    {.name = "width",
     .doc = "channels; of version 2: 0.5, 1, 1.5 or 2",
     .takes = SLOE_ZOO_REAL,
     .fallback = "1",
     .least = 0.25,
     .most = 4},
    {.name = "groups",
     .doc = "of the 1x1 convolutions of version 1",
     .takes = SLOE_ZOO_WORD,
     .fallback = "3",
     .words = "1|2|3|4|8"},
    SLOE_ZOO_KEY_INPUT("224", 16, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_shufflenet = {
    {"shufflenet", "ShuffleNet v1 (Zhang et al. 2018), v2 (Ma et al. 2018)", KEYS,
     SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
