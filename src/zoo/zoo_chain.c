/* zoo_chain.c: chains of equal convolutions and one fully connected layer: the networks that iCAS
 * measured on a Jetson Nano (iCAS-Lab/NAS-Performance-Modeling). Stride 1, biases, ReLU. */
#include "zoo/zoo_family.h"

enum { KIND, LAYERS, FILTERS, K1, K2, INPUT, CLASSES };
enum { CONV, MIXED, DWS };

/* Padding is 2 until a kernel is met that takes 1, and 1 from then on. */
static int64_t pad_of(int64_t kind, int64_t kernel, int64_t before) {
  switch (kind) {
    case CONV: return kernel == 1 || kernel == 3 ? 1 : before;
    case MIXED: return kernel % 2 ? 1 : before;
    default: return kernel == 3 ? 1 : before;
  }
}

static sloe_zoo_map block(sloe_zoo_builder *b, sloe_zoo_map x, int64_t kind, int64_t filters,
                          int64_t kernel, int64_t pad) {
  if (kind != DWS)
    return sloe_zoo_add_conv(
        b, x,
        (sloe_zoo_conv){.k = filters, .kernel = kernel, .pad = pad, .act = SLOE_SPEC_ACT_RELU});
  x = sloe_zoo_add_conv(b, x,
                        (sloe_zoo_conv){.k = x.c, .kernel = kernel, .groups = x.c, .pad = pad});
  return sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = filters, .act = SLOE_SPEC_ACT_RELU});
}

static sloe_status build(sloe_zoo_builder *b, const sloe_zoo_call *call) {
  const int64_t kind = call->v[KIND].whole, k1 = call->v[K1].whole;
  const int64_t k2 = call->v[K2].given ? call->v[K2].whole : k1;
  if (kind != MIXED && call->v[K2].given && k2 != k1) {
    sloe_zoo_refuse(b, "chain: k2: %lld is not k1: only kind=mixed has two kernels", (long long)k2);
    return b->status;
  }
  int64_t pad = 2;
  sloe_zoo_map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  for (int64_t i = 0; i < call->v[LAYERS].whole && b->status == SLOE_OK; i++) {
    const int64_t kernel = i % 2 ? k2 : k1;
    pad = pad_of(kind, kernel, pad);
    x = block(b, x, kind, call->v[FILTERS].whole, kernel, pad);
  }
  return sloe_zoo_end(b, sloe_zoo_add_fc(b, x, call->v[CLASSES].whole, SLOE_SPEC_ACT_NONE));
}

static const sloe_zoo_key KEYS[] = {
    {.name = "kind",
     .doc = "conv: of k1; mixed: of k1 and k2 in turn; dws: depthwise separable",
     .takes = SLOE_ZOO_WORD,
     .fallback = "conv",
     .words = "conv|mixed|dws"},
    {.name = "layers", .doc = "convolutions, or pairs of them", .least = 1, .most = 1000},
    {.name = "filters", .doc = "of each", .least = 1, .most = 65536},
    {.name = "k1", .doc = "the kernel", .fallback = "3", .least = 1, .most = 64},
    {.name = "k2",
     .doc = "the second kernel of kind=mixed; k1",
     .fallback = "",
     .least = 1,
     .most = 64},
    SLOE_ZOO_KEY_INPUT("32", 1, 4096),
    SLOE_ZOO_KEY_CLASSES("10"),
};

const sloe_zoo_entry sloe_zoo_family_chain = {
    {"chain", "the chains of convolutions that iCAS measured on a Jetson Nano", KEYS,
     SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
