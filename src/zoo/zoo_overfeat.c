/* zoo_overfeat.c: Overfeat (Sermanet et al. 2014), tables 1 and 3: the fast model and the accurate
 * one. */
#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { VARIANT, INPUT, CLASSES };
enum { FAST, ACCURATE };

static map conv(builder *b, map x, int64_t k, int64_t kernel, int64_t stride, int64_t pad) {
  return sloe_zoo_add_conv(
      b, x,
      (sloe_zoo_conv){
          .k = k, .kernel = kernel, .stride = stride, .pad = pad, .act = SLOE_SPEC_ACT_RELU});
}

static map pool(builder *b, map x, int64_t size) {
  return sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, size, size, 0);
}

static map fast(builder *b, map x) {
  x = pool(b, conv(b, x, 96, 11, 4, SLOE_ZOO_NO_PAD), 2);
  x = pool(b, conv(b, x, 256, 5, 1, SLOE_ZOO_NO_PAD), 2);
  x = conv(b, x, 512, 3, 1, 1);
  x = conv(b, x, 1024, 3, 1, 1);
  x = pool(b, conv(b, x, 1024, 3, 1, 1), 2);
  return sloe_zoo_add_fc(b, x, 3072, SLOE_SPEC_ACT_RELU);
}

static map accurate(builder *b, map x) {
  x = pool(b, conv(b, x, 96, 7, 2, SLOE_ZOO_NO_PAD), 3);
  x = pool(b, conv(b, x, 256, 7, 1, SLOE_ZOO_NO_PAD), 2);
  x = conv(b, x, 512, 3, 1, 1);
  x = conv(b, x, 512, 3, 1, 1);
  x = conv(b, x, 1024, 3, 1, 1);
  x = pool(b, conv(b, x, 1024, 3, 1, 1), 3);
  return sloe_zoo_add_fc(b, x, 4096, SLOE_SPEC_ACT_RELU);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  const int64_t variant = call->v[VARIANT].whole;
  sloe_zoo_value image = call->v[INPUT];
  sloe_zoo_default_image(&image, variant == FAST ? 231 : 221);
  map x = sloe_zoo_begin(b, call, &image);
  x = variant == FAST ? fast(b, x) : accurate(b, x);
  x = sloe_zoo_add_fc(b, x, 4096, SLOE_SPEC_ACT_RELU);
  x = sloe_zoo_add_fc(b, x, call->v[CLASSES].whole, SLOE_SPEC_ACT_NONE);
  x.t = sloe_zoo_node(b, SLOE_OP_SOFTMAX, &x.t, 1, NULL, 0);
  return sloe_zoo_end(b, x);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "variant",
     .doc = "the model of table 1 or that of table 3",
     .takes = SLOE_ZOO_WORD,
     .fallback = "fast",
     .words = "fast|accurate"},
    SLOE_ZOO_KEY_INPUT("", 95, 2048),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_overfeat = {
    {"overfeat", "Overfeat (Sermanet et al. 2014)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)}, build, 0};
