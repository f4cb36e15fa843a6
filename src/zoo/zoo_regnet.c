/* zoo_regnet.c: RegNetX and RegNetY (Radosavovic et al. 2020), as torchvision has them. The widths
 * of the blocks are drawn from a line: block i is w0 + wa i wide, moved to the nearest w0 wm^s of a
 * whole s and to a multiple of 8. Blocks of one width are a stage, which halves the image; its
 * width is then made a multiple of its groups'. The Y ones have squeeze and excite.
 */
#include <math.h>

#include "zoo/zoo_family.h"

typedef sloe_zoo_builder builder;
typedef sloe_zoo_map map;

enum { VARIANT, DEPTH, W0, WA, WM, GROUP, SE, INPUT, CLASSES };

/* Name, blocks, w0, wa, wm, channels of a group, squeezed channels over those that a block reads,
 * whether widths go to the nearest multiple, as in the authors' code (pycls): of torchvision's
 * designs, which are the others, none loses more than a tenth. */
#define DESIGNS(X)                                 \
  X("x_200mf", 13, 24, 36.44, 2.49, 8, 0, 1)       \
  X("x_400mf", 22, 24, 24.48, 2.54, 16, 0, 0)      \
  X("x_600mf", 16, 48, 36.97, 2.24, 24, 0, 1)      \
  X("x_800mf", 16, 56, 35.73, 2.28, 16, 0, 0)      \
  X("x_1.6gf", 18, 80, 34.01, 2.25, 24, 0, 0)      \
  X("x_3.2gf", 25, 88, 26.31, 2.25, 48, 0, 0)      \
  X("x_4gf", 23, 96, 38.65, 2.43, 40, 0, 1)        \
  X("x_6.4gf", 17, 184, 60.83, 2.07, 56, 0, 1)     \
  X("x_8gf", 23, 80, 49.56, 2.88, 120, 0, 0)       \
  X("x_12gf", 19, 168, 73.36, 2.37, 112, 0, 1)     \
  X("x_16gf", 22, 216, 55.59, 2.1, 128, 0, 0)      \
  X("x_32gf", 23, 320, 69.86, 2.0, 168, 0, 0)      \
  X("y_200mf", 13, 24, 36.44, 2.49, 8, 0.25, 1)    \
  X("y_400mf", 16, 48, 27.89, 2.09, 8, 0.25, 0)    \
  X("y_600mf", 15, 48, 32.54, 2.32, 16, 0.25, 1)   \
  X("y_800mf", 14, 56, 38.84, 2.4, 16, 0.25, 0)    \
  X("y_1.6gf", 27, 48, 20.71, 2.65, 24, 0.25, 0)   \
  X("y_3.2gf", 21, 80, 42.63, 2.66, 24, 0.25, 0)   \
  X("y_4gf", 22, 96, 31.41, 2.24, 64, 0.25, 1)     \
  X("y_6.4gf", 25, 112, 33.22, 2.27, 72, 0.25, 1)  \
  X("y_8gf", 17, 192, 76.82, 2.19, 56, 0.25, 0)    \
  X("y_12gf", 19, 168, 73.36, 2.37, 112, 0.25, 1)  \
  X("y_16gf", 18, 200, 106.23, 2.48, 112, 0.25, 0) \
  X("y_32gf", 20, 232, 115.89, 2.53, 232, 0.25, 0) \
  X("y_128gf", 27, 456, 160.83, 2.52, 264, 0.25, 0)

typedef struct design {
  int64_t depth, w0;
  double wa, wm;
  int64_t group;
  double se; /* 0: none */
  int nearest;
} design;

#define ROW(name, ...) {__VA_ARGS__},
static const design ROWS[] = {DESIGNS(ROW)};
#undef ROW
#define NAME(name, ...) "|" name
static const char NAMES[] = DESIGNS(NAME);
#undef NAME

/* Of block i, before its groups are asked. */
static int64_t drawn_width(const design *d, int64_t i) {
  const double w0 = (double)d->w0, steps = rint(log1p(d->wa * (double)i / w0) / log(d->wm));
  return 8 * (int64_t)rint(w0 * pow(d->wm, steps) / 8);
}

static int64_t group_of(const design *d, int64_t width) {
  return d->group < width ? d->group : width;
}

static int64_t fitted_width(const design *d, int64_t width) {
  const int64_t group = group_of(d, width);
  if (d->nearest) return (width + group / 2) / group * group;
  return sloe_zoo_divisible((double)width, group);
}

static map conv(builder *b, map x, int64_t k, int64_t kernel, int64_t stride, int64_t groups,
                sloe_spec_act act) {
  return sloe_zoo_add_conv(
      b, x,
      (sloe_zoo_conv){
          .k = k, .kernel = kernel, .stride = stride, .groups = groups, .norm = 1, .act = act});
}

static map gate(builder *b, map x, double squeezed) {
  const int64_t k = (int64_t)rint(squeezed);
  return sloe_zoo_add_gate(
      b, x, (sloe_zoo_gate){k < 1 ? 1 : k, SLOE_SPEC_ACT_RELU, SLOE_SPEC_ACT_SIGMOID, 0});
}

static map block(builder *b, const design *d, map x, int64_t width, int64_t stride) {
  map old = x, y;
  if (stride != 1 || x.c != width) old = conv(b, x, width, 1, stride, 1, SLOE_SPEC_ACT_NONE);
  y = conv(b, x, width, 1, 1, 1, SLOE_SPEC_ACT_RELU);
  y = conv(b, y, width, 3, stride, width / group_of(d, width), SLOE_SPEC_ACT_RELU);
  if (d->se > 0) y = gate(b, y, d->se * (double)x.c);
  y = conv(b, y, width, 1, 1, 1, SLOE_SPEC_ACT_NONE);
  return sloe_zoo_add_act(b, sloe_zoo_add_binary(b, SLOE_OP_ADD, old, y), SLOE_SPEC_ACT_RELU);
}

static sloe_status put(builder *b, const design *d, map x, int64_t classes) {
  x = conv(b, x, 32, 3, 2, 1, SLOE_SPEC_ACT_RELU);
  for (int64_t i = 0, last = 0; i < d->depth; i++) {
    const int64_t width = drawn_width(d, i);
    x = block(b, d, x, fitted_width(d, width), width == last ? 1 : 2);
    last = width;
  }
  return sloe_zoo_end_mean_fc(b, x, classes);
}

static sloe_status build(builder *b, const sloe_zoo_call *call) {
  const sloe_zoo_value *v = call->v;
  design d = ROWS[v[VARIANT].whole];
  if (v[DEPTH].given) d.depth = v[DEPTH].whole;
  if (v[W0].given) d.w0 = v[W0].whole;
  if (v[WA].given) d.wa = v[WA].real;
  if (v[WM].given) d.wm = v[WM].real;
  if (v[GROUP].given) d.group = v[GROUP].whole;
  if (v[SE].given) d.se = v[SE].real;
  if (d.w0 % 8) sloe_zoo_refuse(b, "regnet: w0: %lld is no multiple of 8", (long long)d.w0);
  return put(b, &d, sloe_zoo_begin(b, call, &v[INPUT]), v[CLASSES].whole);
}

static const sloe_zoo_key KEYS[] = {
    {.name = "variant",
     .doc = "decides depth, w0, wa, wm, group and se where they are not given",
     .takes = SLOE_ZOO_WORD,
     .fallback = "x_400mf",
     .words = &NAMES[1]},
    {.name = "depth", .doc = "blocks", .fallback = "", .least = 1, .most = 128},
    {.name = "w0",
     .doc = "width of the first block, a multiple of 8",
     .fallback = "",
     .least = 8,
     .most = 1024},
    {.name = "wa",
     .doc = "by which a block is wider than the one before, on the line",
     .takes = SLOE_ZOO_REAL,
     .fallback = "",
     .least = 0,
     .most = 256},
    {.name = "wm",
     .doc = "width of a stage over that of the one before",
     .takes = SLOE_ZOO_REAL,
     .fallback = "",
     .least = 1.1,
     .most = 16},
    {.name = "group",
     .doc = "channels of a group of the 3x3",
     .fallback = "",
     .least = 1,
     .most = 4096},
    {.name = "se",
     .doc = "squeezed channels over those that a block reads; 0: no squeeze and excite",
     .takes = SLOE_ZOO_REAL,
     .fallback = "",
     .least = 0,
     .most = 1},
    SLOE_ZOO_KEY_INPUT("224", 8, 8192),
    SLOE_ZOO_KEY_CLASSES("1000"),
};

const sloe_zoo_entry sloe_zoo_family_regnet = {
    {"regnet", "RegNetX and RegNetY (Radosavovic et al. 2020)", KEYS, SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
