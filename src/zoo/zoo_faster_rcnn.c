/* zoo_faster_rcnn.c: Faster R-CNN with VGG16 (Ren et al. 2015): backbone, region proposal network
 * and heads. What turns proposals into regions depends on data: the regions are an input. */
#include "base/error.h"
#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { ANCHORS, REGIONS, INPUT, CLASSES };

static map conv(builder *b, map x, int64_t k, int64_t kernel, sloe_spec_act act) {
  return sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = k, .kernel = kernel, .act = act});
}

static map backbone(builder *b, map x) {
  static const int64_t convs[] = {2, 2, 3, 3, 3}, widths[] = {64, 128, 256, 512, 512};
  for (int stage = 0; stage < 5; stage++) {
    for (int64_t i = 0; i < convs[stage]; i++) x = conv(b, x, widths[stage], 3, SLOE_SPEC_ACT_RELU);
    if (stage < 4) x = sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 2, 2, 0);
  }
  return x;
}

/* The maximum of 7x7 parts of each region, which is image, left, top, right, bottom. */
static map region_pool(builder *b, map x, int64_t regions) {
  const int64_t size[] = {7, 7};
  const sloe_attr attrs[] = {sloe_zoo_attr_ints("pooled_shape", 2, size),
                             {.name = "spatial_scale", .type = SLOE_ATTR_FLOAT, .f = 1.0 / 16}};
  const sloe_tid rois = sloe_zoo_input(b, "rois", 2, (int64_t[]){regions, 5});
  const sloe_tid in[] = {x.t, rois};
  return (map){sloe_zoo_node(b, SLOE_OP_MAX_ROI_POOL, in, 2, attrs, 2), regions, x.c, 7, 7};
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  const int64_t anchors = call->v[ANCHORS].whole, classes = call->v[CLASSES].whole;
  if (call->batch > INT32_MAX / call->v[REGIONS].whole)
    return sloe_fail(b->err, SLOE_USAGE, "faster_rcnn: regions: too many for this batch");
  const map x = backbone(b, sloe_zoo_begin(b, call, &call->v[INPUT]));
  const map hidden = conv(b, x, 512, 3, SLOE_SPEC_ACT_RELU);
  sloe_zoo_output(b, conv(b, hidden, 2 * anchors, 1, SLOE_SPEC_ACT_NONE).t);
  sloe_zoo_output(b, conv(b, hidden, 4 * anchors, 1, SLOE_SPEC_ACT_NONE).t);
  map y = region_pool(b, x, call->batch * call->v[REGIONS].whole);
  y = sloe_zoo_add_fc(b, y, 4096, SLOE_SPEC_ACT_RELU);
  y = sloe_zoo_add_fc(b, y, 4096, SLOE_SPEC_ACT_RELU);
  sloe_zoo_output(b, sloe_zoo_add_fc(b, y, classes, SLOE_SPEC_ACT_NONE).t);
  return sloe_zoo_end(b, sloe_zoo_add_fc(b, y, 4 * classes, SLOE_SPEC_ACT_NONE));
}

static const sloe_zoo_key KEYS[] = {
    {.name = "anchors", .doc = "of each place", .fallback = "9", .least = 1, .most = 1000},
    {.name = "regions", .doc = "of an image", .fallback = "300", .least = 1, .most = 100000},
    SLOE_ZOO_KEY_INPUT("600x800", 112, 4096),
    SLOE_ZOO_KEY_CLASSES("21"),
};

const sloe_zoo_entry sloe_zoo_family_faster_rcnn = {
    {"faster_rcnn", "Faster R-CNN with VGG16 (Ren et al. 2015); the regions are an input", KEYS,
     SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
