/* zoo_ghostnet.c: GhostNet (Han et al. 2020), as timm has it. A ghost module computes half of its
 * channels by a 1x1 convolution and the other half, their ghosts, from these by a depthwise 3x3.
 */
#include "zoo/zoo_inverted.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { WIDTH, INPUT, CLASSES };

static int64_t times(int64_t k, double width) {
  return sloe_zoo_divisible((double)k * width, 4);
}

/* timm cuts to k channels even where there are no more, and so do its exports. */
static map ghost(builder *b, map x, int64_t k, sloe_spec_act act) {
  map parts[2];
  parts[0] = sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = (k + 1) / 2, .norm = 1, .act = act});
  parts[1] = sloe_zoo_add_depthwise(b, parts[0], 3, 1, 0, act);
  return sloe_zoo_add_slice(b, sloe_zoo_add_concat(b, parts, 2), 0, k);
}

static map shortcut(builder *b, map x, int64_t k, int64_t kernel, int64_t stride) {
  if (stride == 1 && x.c == k) return x;
  x = sloe_zoo_add_depthwise(b, x, kernel, stride, 0, SLOE_SPEC_ACT_NONE);
  return sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = k, .norm = 1});
}

typedef struct row {
  int64_t kernel, wide, k; /* wide: channels between the two modules */
  int gated;
  int64_t stride;
} row;

static map block(builder *b, map x, const row *r, double width) {
  const int64_t k = times(r->k, width);
  map y = ghost(b, x, times(r->wide, width), SLOE_SPEC_ACT_RELU);
  if (r->stride > 1) y = sloe_zoo_add_depthwise(b, y, r->kernel, r->stride, 0, SLOE_SPEC_ACT_NONE);
  if (r->gated)
    y = sloe_zoo_add_gate(b, y,
                          (sloe_zoo_gate){sloe_zoo_divisible((double)y.c / 4, 4),
                                          SLOE_SPEC_ACT_RELU, SLOE_SPEC_ACT_HARDSIGMOID, 1});
  y = ghost(b, y, k, SLOE_SPEC_ACT_NONE);
  return sloe_zoo_add_binary(b, SLOE_OP_ADD, y, shortcut(b, x, k, r->kernel, r->stride));
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  static const row rows[] = {
      {3, 16, 16, 0, 1},   {3, 48, 24, 0, 2},   {3, 72, 24, 0, 1},   {5, 72, 40, 1, 2},
      {5, 120, 40, 1, 1},  {3, 240, 80, 0, 2},  {3, 200, 80, 0, 1},  {3, 184, 80, 0, 1},
      {3, 184, 80, 0, 1},  {3, 480, 112, 1, 1}, {3, 672, 112, 1, 1}, {5, 672, 160, 1, 2},
      {5, 960, 160, 0, 1}, {5, 960, 160, 1, 1}, {5, 960, 160, 0, 1}, {5, 960, 160, 1, 1}};
  const double width = call->v[WIDTH].real;
  map x = sloe_zoo_add_conv(
      b, sloe_zoo_begin(b, call, &call->v[INPUT]),
      (sloe_zoo_conv){
          .k = times(16, width), .kernel = 3, .stride = 2, .norm = 1, .act = SLOE_SPEC_ACT_RELU});
  for (size_t i = 0; i < SLOE_ZOO_COUNT_OF(rows); i++) x = block(b, x, &rows[i], width);
  x = sloe_zoo_add_conv(
      b, x, (sloe_zoo_conv){.k = times(960, width), .norm = 1, .act = SLOE_SPEC_ACT_RELU});
  x = sloe_zoo_add_global_pool(b, x);
  x = sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = 1280, .act = SLOE_SPEC_ACT_RELU});
  return sloe_zoo_end(b, sloe_zoo_add_fc(b, x, call->v[CLASSES].whole, SLOE_SPEC_ACT_NONE));
}

static const sloe_zoo_key KEYS[] = {
    {.name = "width",
     .doc = "all channels but the last 1280 are multiplied by it",
     .takes = SLOE_ZOO_REAL,
     .fallback = "1",
     .least = 0.1,
     .most = 16},
    SLOE_ZOO_KEY_INPUT("224", 16, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_ghostnet = {
    {"ghostnet", "GhostNet (Han et al. 2020)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)}, build, 0};
