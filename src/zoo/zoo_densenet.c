/* zoo_densenet.c: DenseNet-BC (Huang et al. 2017), as torchvision has it, which joins all parts of
 * a block before each layer, or as Keras, which joins the last part to what was joined; 264 as in
 * the paper. */
#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { DEPTH, FLAVOUR, INPUT, CLASSES };
enum { MOST_PARTS = 65 };

static map dense_layer(builder *b, map x, int64_t growth) {
  x = sloe_zoo_add_norm_act(b, x, SLOE_SPEC_ACT_RELU);
  x = sloe_zoo_add_conv(b, x,
                        (sloe_zoo_conv){.k = 4 * growth, .norm = 1, .act = SLOE_SPEC_ACT_RELU});
  return sloe_zoo_add_conv(b, x,
                           (sloe_zoo_conv){.k = growth, .kernel = 3, .bias = SLOE_ZOO_NO_BIAS});
}

static map keras_block(builder *b, map x, int64_t layers, int64_t growth) {
  for (int64_t i = 0; i < layers; i++)
    x = sloe_zoo_add_concat(b, (map[]){x, dense_layer(b, x, growth)}, 2);
  return x;
}

/* Each layer reads all that its block has written so far. */
static map dense_block(builder *b, map x, int64_t layers, int64_t growth) {
  map parts[MOST_PARTS] = {x};
  for (int64_t i = 1; i <= layers; i++)
    parts[i] = dense_layer(b, sloe_zoo_add_concat(b, parts, (size_t)i), growth);
  return sloe_zoo_add_concat(b, parts, (size_t)layers + 1);
}

static map transition(builder *b, map x) {
  x = sloe_zoo_add_norm_act(b, x, SLOE_SPEC_ACT_RELU);
  x = sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = x.c / 2, .bias = SLOE_ZOO_NO_BIAS});
  return sloe_zoo_add_pool(b, x, SLOE_OP_AVERAGE_POOL, 2, 2, 0);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  static const struct {
    int64_t first, growth, layers[4];
  } rows[] = {{64, 32, {6, 12, 24, 16}},
              {96, 48, {6, 12, 36, 24}},
              {64, 32, {6, 12, 32, 32}},
              {64, 32, {6, 12, 48, 32}},
              {64, 32, {6, 12, 64, 48}}};
  const int64_t at = call->v[DEPTH].whole;
  const int keras = call->v[FLAVOUR].whole == SLOE_ZOO_KERAS;
  map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  x = sloe_zoo_add_conv(
      b, x,
      (sloe_zoo_conv){
          .k = rows[at].first, .kernel = 7, .stride = 2, .norm = 1, .act = SLOE_SPEC_ACT_RELU});
  x = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 2, 1);
  for (int i = 0; i < 4; i++) {
    if (i) x = transition(b, x);
    x = keras ? keras_block(b, x, rows[at].layers[i], rows[at].growth)
              : dense_block(b, x, rows[at].layers[i], rows[at].growth);
  }
  x = sloe_zoo_add_norm_act(b, x, SLOE_SPEC_ACT_RELU);
  return sloe_zoo_end_mean_fc(b, x, call->v[CLASSES].whole);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "depth",
     .doc = "layers with weights",
     .takes = SLOE_ZOO_WORD,
     .fallback = "121",
     .words = "121|161|169|201|264"},
    SLOE_ZOO_KEY_FLAVOUR("torch: torchvision; keras: Keras, which joins two maps at a time"),
    SLOE_ZOO_KEY_INPUT("224", 29, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_densenet = {
    {"densenet", "DenseNet (Huang et al. 2017)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)}, build, 0};
