/* zoo_dpn.c: Dual path networks (Chen et al. 2017), as timm has them. A block adds to one part of
 * the channels and appends to the other. */
#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { VARIANT, INPUT, CLASSES };

typedef struct plan {
  int64_t first, first_kernel, width; /* of the stem; of the residual part of the first stage */
  int64_t inner, groups;              /* of the 3x3 in the first stage */
  int64_t blocks[4], more[4];         /* of each stage; channels that a block appends */
} plan;

static const plan PLANS[] = {
    {10, 3, 64, 128, 32, {3, 4, 12, 3}, {16, 32, 32, 64}},
    {64, 7, 256, 96, 32, {3, 4, 20, 3}, {16, 32, 24, 128}},
    {96, 7, 256, 160, 40, {3, 6, 20, 3}, {16, 32, 32, 128}},
    {128, 7, 256, 200, 50, {4, 8, 20, 3}, {20, 64, 64, 128}},
    {128, 7, 256, 160, 40, {4, 8, 28, 3}, {16, 32, 32, 128}},
};

typedef struct paths {
  map added, kept, more; /* kept and more are one part: more is what the last block appended */
} paths;

static map conv(builder *b, map x, int64_t k, int64_t kernel, int64_t stride, int64_t groups) {
  return sloe_zoo_add_conv(
      b, sloe_zoo_add_norm_act(b, x, SLOE_SPEC_ACT_RELU),
      (sloe_zoo_conv){
          .k = k, .kernel = kernel, .stride = stride, .groups = groups, .bias = SLOE_ZOO_NO_BIAS});
}

static void part(builder *b, map x, int64_t width, map out[2]) {
  out[0] = sloe_zoo_add_slice(b, x, 0, width);
  out[1] = sloe_zoo_add_slice(b, x, width, x.c);
}

/* On the input x of both paths, `old` added and appended. */
static paths block(builder *b, const plan *p, map x, const map old[2], int stage, int64_t stride) {
  const int64_t width = p->width << stage;
  map new[2], y = conv(b, x, p->inner << stage, 1, 1, 1);
  y = conv(b, y, p->inner << stage, 3, stride, p->groups);
  part(b, conv(b, y, width + p->more[stage], 1, 1, 1), width, new);
  return (paths){sloe_zoo_add_binary(b, SLOE_OP_ADD, old[0], new[0]), old[1], new[1]};
}

/* The first block makes both parts anew. */
static map stage_of(builder *b, const plan *p, map x, int stage) {
  const int64_t width = p->width << stage, stride = stage ? 2 : 1;
  map old[2];
  part(b, conv(b, x, width + 2 * p->more[stage], 1, stride, 1), width, old);
  paths at = block(b, p, x, old, stage, stride);
  for (int64_t i = 1; i < p->blocks[stage]; i++) {
    old[0] = at.added;
    old[1] = sloe_zoo_add_concat(b, (map[]){at.kept, at.more}, 2);
    at = block(b, p, sloe_zoo_add_concat(b, old, 2), old, stage, 1);
  }
  return sloe_zoo_add_concat(b, (map[]){at.added, at.kept, at.more}, 3);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  const plan *p = &PLANS[call->v[VARIANT].whole];
  map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  x = sloe_zoo_add_conv(b, x,
                        (sloe_zoo_conv){.k = p->first,
                                        .kernel = p->first_kernel,
                                        .stride = 2,
                                        .norm = 1,
                                        .act = SLOE_SPEC_ACT_RELU});
  x = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 2, 1);
  for (int stage = 0; stage < 4; stage++) x = stage_of(b, p, x, stage);
  x = sloe_zoo_add_norm_act(b, x, SLOE_SPEC_ACT_RELU);
  return sloe_zoo_end_mean_conv(b, x, call->v[CLASSES].whole);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "variant",
     .doc = "layers with weights",
     .takes = SLOE_ZOO_WORD,
     .fallback = "92",
     .words = "68|92|98|107|131"},
    SLOE_ZOO_KEY_INPUT("224", 8, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_dpn = {
    {"dpn", "Dual path networks (Chen et al. 2017)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)}, build, 0};
