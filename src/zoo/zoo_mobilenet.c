/* zoo_mobilenet.c: MobileNet, its keys; a file for each version. */
#include "zoo/zoo_mobilenet.h"

enum { VERSION, VARIANT, WIDTH, MINIMAL, FLAVOUR, INPUT, CLASSES };

static sloe_status build(sloe_zoo_builder *b, const sloe_zoo_call *call) {
  const int64_t version = call->v[VERSION].whole, classes = call->v[CLASSES].whole;
  const double width = call->v[WIDTH].real;
  const int keras = call->v[FLAVOUR].whole == SLOE_ZOO_KERAS;
  const sloe_zoo_map x = sloe_zoo_begin(b, call, &call->v[INPUT]);
  if (version != 3 && (call->v[VARIANT].given || call->v[MINIMAL].given))
    sloe_zoo_refuse(b, "mobilenet: variant and minimal are of version 3");
  if (version == 1) return sloe_zoo_put_mobilenet_v1(b, x, width, keras, classes);
  if (version == 2) return sloe_zoo_put_mobilenet_v2(b, x, width, keras, classes);
  return sloe_zoo_put_mobilenet_v3(b, x, width, keras, call->v[VARIANT].whole == 1,
                                   call->v[MINIMAL].whole == 1, classes);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "version", .doc = "1, 2 or 3", .fallback = "2", .least = 1, .most = 3},
    {.name = "variant",
     .doc = "of version 3",
     .takes = SLOE_ZOO_WORD,
     .fallback = "large",
     .words = "large|small"},
    {.name = "width",
     .doc = "all channels are multiplied by it",
     .takes = SLOE_ZOO_REAL,
     .fallback = "1",
     .least = 0.1,
     .most = 16},
    {.name = "minimal",
     .doc = "1: version 3 of 3x3, ReLU and no gates",
     .fallback = "0",
     .most = 1},
    SLOE_ZOO_KEY_FLAVOUR("torch: torchvision (2, 3), timm (1); keras: Keras"),
    SLOE_ZOO_KEY_INPUT("224", 16, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_mobilenet = {
    {"mobilenet",
     "MobileNet v1 (Howard et al. 2017), v2 (Sandler et al. 2018), v3 (Howard et al. 2019)", KEYS,
     SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
