/* zoo_mobilenet_v3.c: as in torchvision, and as in Keras, of which the minimal ones are. Keras's
 * end in convolutions, the last but one never narrower than at width 1. */
#include "zoo/zoo_mobilenet.h"

typedef struct row {
  int64_t kernel, wide, k;
  int gate, hardswish, stride;
} row;

static const row LARGE[] = {{3, 16, 16, 0, 0, 1},   {3, 64, 24, 0, 0, 2},   {3, 72, 24, 0, 0, 1},
                            {5, 72, 40, 1, 0, 2},   {5, 120, 40, 1, 0, 1},  {5, 120, 40, 1, 0, 1},
                            {3, 240, 80, 0, 1, 2},  {3, 200, 80, 0, 1, 1},  {3, 184, 80, 0, 1, 1},
                            {3, 184, 80, 0, 1, 1},  {3, 480, 112, 1, 1, 1}, {3, 672, 112, 1, 1, 1},
                            {5, 672, 160, 1, 1, 2}, {5, 960, 160, 1, 1, 1}, {5, 960, 160, 1, 1, 1}};
static const row SMALL[] = {{3, 16, 16, 1, 0, 2},  {3, 72, 24, 0, 0, 2},  {3, 88, 24, 0, 0, 1},
                            {5, 96, 40, 1, 1, 2},  {5, 240, 40, 1, 1, 1}, {5, 240, 40, 1, 1, 1},
                            {5, 120, 48, 1, 1, 1}, {5, 144, 48, 1, 1, 1}, {5, 288, 96, 1, 1, 2},
                            {5, 576, 96, 1, 1, 1}, {5, 576, 96, 1, 1, 1}};

static int64_t times(int64_t k, double width) {
  return sloe_zoo_divisible((double)k * width, 8);
}

static sloe_zoo_map add_row(sloe_zoo_builder *b, sloe_zoo_map x, const row *r, double width,
                            int keras, int minimal) {
  const int64_t wide = times(r->wide, width), quarter = wide / 4;
  const sloe_zoo_gate gate = {sloe_zoo_divisible((double)quarter, 8), SLOE_SPEC_ACT_RELU,
                              SLOE_SPEC_ACT_HARDSIGMOID, 0};
  sloe_zoo_inverted block = {
      .wide = wide,
      .k = times(r->k, width),
      .kernel = minimal ? 3 : r->kernel,
      .stride = r->stride,
      .pad = keras ? SLOE_ZOO_PAD_SAME : 0,
      .act = r->hardswish && !minimal ? SLOE_SPEC_ACT_HARDSWISH : SLOE_SPEC_ACT_RELU};
  if (r->gate && !minimal) block.gate = gate;
  return sloe_zoo_add_inverted(b, x, block);
}

static sloe_status put_head(sloe_zoo_builder *b, sloe_zoo_map x, int64_t units, sloe_spec_act act,
                            int keras, int64_t classes) {
  x = sloe_zoo_add_global_pool(b, x);
  if (!keras)
    return sloe_zoo_end(
        b, sloe_zoo_add_fc(b, sloe_zoo_add_fc(b, x, units, act), classes, SLOE_SPEC_ACT_NONE));
  x = sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = units, .act = act});
  x = sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = classes});
  x.t = sloe_zoo_node(b, SLOE_OP_FLATTEN, &x.t, 1, NULL, 0);
  return sloe_zoo_end(b, x);
}

sloe_status sloe_zoo_put_mobilenet_v3(sloe_zoo_builder *b, sloe_zoo_map x, double width, int keras,
                                      int small, int minimal, int64_t classes) {
  const sloe_spec_act act = minimal ? SLOE_SPEC_ACT_RELU : SLOE_SPEC_ACT_HARDSWISH;
  const row *rows = small ? SMALL : LARGE;
  const size_t n = small ? SLOE_ZOO_COUNT_OF(SMALL) : SLOE_ZOO_COUNT_OF(LARGE);
  x = sloe_zoo_add_conv(b, x,
                        (sloe_zoo_conv){.k = times(16, width),
                                        .kernel = 3,
                                        .stride = 2,
                                        .norm = 1,
                                        .act = act,
                                        .pad = keras ? SLOE_ZOO_PAD_SAME : 0});
  for (size_t i = 0; i < n; i++) x = add_row(b, x, &rows[i], width, keras, minimal);
  x = sloe_zoo_add_conv(b, x, (sloe_zoo_conv){.k = 6 * x.c, .norm = 1, .act = act});
  const int64_t units = times(small ? 1024 : 1280, keras && width < 1 ? 1 : width);
  return put_head(b, x, units, act, keras, classes);
}
