/* zoo_senet.c: Squeeze-and-Excitation networks (Hu et al. 2018): SE-ResNet and SE-ResNeXt as timm
 * has them, and SENet-154 as the authors' own model (timm's legacy_senet154). */
#include "zoo/zoo_residual.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { DEPTH, VARIANT, REDUCTION, INPUT, CLASSES };
enum { RESNET, RESNEXT };

static map conv(builder *b, map x, int64_t k, int64_t kernel, int64_t stride, int64_t groups,
                sloe_spec_act act) {
  return sloe_zoo_add_conv(
      b, x,
      (sloe_zoo_conv){
          .k = k, .kernel = kernel, .stride = stride, .groups = groups, .norm = 1, .act = act});
}

/* A bottleneck whose 3x3 doubles the channels, 64 groups; the shortcuts of the later stages are
 * 3x3.
 */
static map block_154(builder *b, map x, int64_t width, int64_t stride, int64_t shortcut,
                     int64_t reduction) {
  map y = conv(b, x, 2 * width, 1, 1, 1, SLOE_SPEC_ACT_RELU);
  y = conv(b, y, 4 * width, 3, stride, 64, SLOE_SPEC_ACT_RELU);
  y = conv(b, y, 4 * width, 1, 1, 1, SLOE_SPEC_ACT_NONE);
  y = sloe_zoo_add_gate(
      b, y, (sloe_zoo_gate){4 * width / reduction, SLOE_SPEC_ACT_RELU, SLOE_SPEC_ACT_SIGMOID, 1});
  if (x.c != y.c || stride > 1) x = conv(b, x, y.c, shortcut, stride, 1, SLOE_SPEC_ACT_NONE);
  return sloe_zoo_add_act(b, sloe_zoo_add_binary(b, SLOE_OP_ADD, y, x), SLOE_SPEC_ACT_RELU);
}

static sloe_status put_154(builder *b, map x, int64_t reduction, int64_t classes) {
  static const int64_t blocks[] = {3, 8, 36, 3};
  x = conv(b, x, 64, 3, 2, 1, SLOE_SPEC_ACT_RELU);
  x = conv(b, x, 64, 3, 1, 1, SLOE_SPEC_ACT_RELU);
  x = conv(b, x, 128, 3, 1, 1, SLOE_SPEC_ACT_RELU);
  x = sloe_zoo_add_pool_of(b, x, (sloe_zoo_pool){SLOE_OP_MAX_POOL, 3, 2, 0, 1});
  for (int64_t stage = 0, width = 64; stage < 4; stage++, width *= 2)
    for (int64_t i = 0; i < blocks[stage]; i++)
      x = block_154(b, x, width, stage && !i ? 2 : 1, stage ? 3 : 1, reduction);
  return sloe_zoo_end_mean_fc(b, x, classes);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  static const int64_t depths[] = {18, 34, 50, 101, 152, 154};
  const int64_t depth = depths[call->v[DEPTH].whole], classes = call->v[CLASSES].whole;
  const int64_t grouped = call->v[VARIANT].whole == RESNEXT, reduction = call->v[REDUCTION].whole;
  const map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  sloe_zoo_residual r = {.reduction = reduction};
  const int64_t *blocks = sloe_zoo_residual_depth(depth, &r.bottleneck);
  if (grouped && (!blocks || !r.bottleneck))
    sloe_zoo_refuse(b, "senet: variant=resnext is of depth 50, 101 and 152");
  if (!blocks) return put_154(b, x, reduction, classes);
  if (grouped) {
    r.groups = 32;
    r.inner = 2;
  }
  return sloe_zoo_put_residual(b, &r, x, blocks, classes);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "depth",
     .doc = "layers with weights; 154 is SENet-154",
     .takes = SLOE_ZOO_WORD,
     .fallback = "50",
     .words = "18|34|50|101|152|154"},
    {.name = "variant",
     .doc = "what the gates are added to; resnext is 32x4d",
     .takes = SLOE_ZOO_WORD,
     .fallback = "resnet",
     .words = "resnet|resnext"},
    {.name = "reduction",
     .doc = "channels over those of the squeezed vector",
     .fallback = "16",
     .least = 1,
     .most = 64},
    SLOE_ZOO_KEY_INPUT("224", 8, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_senet = {
    {"senet", "SE-ResNet, SE-ResNeXt and SENet-154 (Hu et al. 2018)", KEYS,
     SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
