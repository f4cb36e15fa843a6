/* zoo_resnext.c: ResNeXt (Xie et al. 2017), as torchvision has it. */
#include "zoo/zoo_residual.h"

enum { DEPTH, GROUPS, WIDTH, INPUT, CLASSES };

static sloe_status build(sloe_zoo_builder *b, const sloe_zoo_call *call) {
  static const int64_t depths[] = {50, 101, 152};
  const int64_t depth = depths[call->v[DEPTH].whole], groups = call->v[GROUPS].whole;
  const int64_t width = call->v[WIDTH].given ? call->v[WIDTH].whole : depth == 50 ? 4 : 8;
  sloe_zoo_residual r = {.groups = groups, .inner = (double)(width * groups) / 64};
  const int64_t *blocks = sloe_zoo_residual_depth(depth, &r.bottleneck);
  return sloe_zoo_put_residual(b, &r, sloe_zoo_begin(b, call, &call->v[INPUT]), blocks,
                               call->v[CLASSES].whole);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "depth",
     .doc = "layers with weights",
     .takes = SLOE_ZOO_WORD,
     .fallback = "50",
     .words = "50|101|152"},
    {.name = "groups", .doc = "of the 3x3", .fallback = "32", .least = 1, .most = 64},
    {.name = "width",
     .doc = "channels of a group in the first stage; 4 at depth 50, else 8",
     .fallback = "",
     .least = 1,
     .most = 256},
    SLOE_ZOO_KEY_INPUT("224", 8, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_resnext = {
    {"resnext", "ResNeXt (Xie et al. 2017)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)}, build, 0};
