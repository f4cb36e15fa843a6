/* zoo_mnasnet.c: MnasNet (Tan et al. 2019): torchvision's B1, and timm's small model. */
#include "zoo/zoo_inverted.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { VARIANT, WIDTH, INPUT, CLASSES };
enum { B1, A1, SMALL };

typedef struct row {
  int64_t expand, kernel, stride, k, n;
  int gate;
} row;

enum { ROWS = 7 };
static const row PLANS[3][ROWS] = {
    {{1, 3, 1, 16, 1, 0},
     {3, 3, 2, 24, 3, 0},
     {3, 5, 2, 40, 3, 0},
     {6, 5, 2, 80, 3, 0},
     {6, 3, 1, 96, 2, 0},
     {6, 5, 2, 192, 4, 0},
     {6, 3, 1, 320, 1, 0}},
    {{1, 3, 1, 16, 1, 0},
     {6, 3, 2, 24, 2, 0},
     {3, 5, 2, 40, 3, 1},
     {6, 3, 2, 80, 4, 0},
     {6, 3, 1, 112, 2, 1},
     {6, 5, 2, 160, 3, 1},
     {6, 3, 1, 320, 1, 0}},
    {{1, 3, 1, 8, 1, 0},
     {3, 3, 2, 16, 1, 0},
     {6, 3, 2, 16, 2, 0},
     {6, 5, 2, 32, 4, 1},
     {6, 3, 1, 32, 3, 1},
     {6, 5, 2, 88, 3, 1},
     {6, 3, 1, 144, 1, 0}},
};

static map conv(builder *b, map x, int64_t k, int64_t kernel, int64_t stride) {
  return sloe_zoo_add_conv(
      b, x,
      (sloe_zoo_conv){
          .k = k, .kernel = kernel, .stride = stride, .norm = 1, .act = SLOE_SPEC_ACT_RELU});
}

static map block(builder *b, map x, const row *r, int64_t k, int64_t stride, int alone) {
  const sloe_zoo_gate gate = {x.c / 4, SLOE_SPEC_ACT_RELU, SLOE_SPEC_ACT_SIGMOID, 1};
  sloe_zoo_inverted block = {.wide = x.c * r->expand,
                             .k = k,
                             .kernel = r->kernel,
                             .stride = stride,
                             .act = SLOE_SPEC_ACT_RELU,
                             .alone = alone};
  if (r->gate) block.gate = gate;
  return sloe_zoo_add_inverted(b, x, block);
}

/* The first block of all is never added to, except in the small model. */
static sloe_status build(builder *b, const sloe_zoo_call *call) {
  const int64_t variant = call->v[VARIANT].whole;
  const double width = call->v[WIDTH].real;
  const row *rows = PLANS[variant];
  map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  x = conv(b, x, variant == SMALL ? 8 : sloe_zoo_divisible(32 * width, 8), 3, 2);
  for (int i = 0; i < ROWS; i++)
    for (int64_t j = 0; j < rows[i].n; j++)
      x = block(b, x, &rows[i], sloe_zoo_divisible((double)rows[i].k * width, 8),
                j ? 1 : rows[i].stride, i == 0 && variant != SMALL);
  x = conv(b, x, 1280, 1, 1);
  if (variant == B1) return sloe_zoo_end_reduce_fc(b, x, call->v[CLASSES].whole);
  return sloe_zoo_end_mean_fc(b, x, call->v[CLASSES].whole);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "variant",
     .doc = "b1: without gates (torchvision's); a1: with; small: a smaller one with gates (timm's)",
     .takes = SLOE_ZOO_WORD,
     .fallback = "b1",
     .words = "b1|a1|small"},
    {.name = "width",
     .doc = "all channels are multiplied by it",
     .takes = SLOE_ZOO_REAL,
     .fallback = "1",
     .least = 0.1,
     .most = 16},
    SLOE_ZOO_KEY_INPUT("224", 16, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_mnasnet = {
    {"mnasnet", "MnasNet (Tan et al. 2019)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)}, build, 0};
