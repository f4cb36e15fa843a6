#include "campaign/design.h"

#include <math.h>
#include <string.h>

typedef void (*draw_fn)(sloe_rng *rng, sloe_layer_spec *s);

/* ---- lines ---- */

static const int32_t LINE_KERNEL[] = {1, 3, 5, 7, 11};
enum { N_KERNELS = 5, DENSE_LINES = N_KERNELS * 2 * 4, DEPTHWISE_LINES = 3 * 2 * 3, FC_LINES = 2 };

size_t sloe_design_line_count(void) {
  return DENSE_LINES + DEPTHWISE_LINES + FC_LINES;
}

static sloe_layer_spec window_base(int64_t c, int64_t k, int64_t kernel, int64_t stride) {
  sloe_layer_spec s = sloe_layer_spec_none();
  s.op = SLOE_SPEC_CONV;
  s.c = c;
  s.k = k;
  s.kernel[0] = s.kernel[1] = kernel;
  s.stride[0] = s.stride[1] = stride;
  s.pad[0] = s.pad[1] = (kernel - 1) / 2;
  s.out[0] = s.out[1] = 28;
  return s;
}

static sloe_design_line dense_line(size_t i) {
  const size_t family = i / 4;
  sloe_design_line line = {
      .base = window_base(64, 64, LINE_KERNEL[family / 2], 1 + (int64_t)(family % 2)),
      .dim = i % 4,
      .lo = 1,
      .hi = 1024};
  if (line.dim >= 2) line.hi = 256;
  return line;
}

static sloe_design_line depthwise_line(size_t i) {
  static const size_t dims[] = {0, 2, 3};
  const size_t family = i / 3;
  sloe_design_line line = {
      .base = window_base(96, 96, LINE_KERNEL[1 + family / 2], 1 + (int64_t)(family % 2)),
      .dim = dims[i % 3],
      .lo = 1,
      .hi = i % 3 ? 256 : 1024};
  line.base.groups = 96;
  return line;
}

static sloe_design_line fc_line(size_t i) {
  sloe_design_line line = {.base = sloe_layer_spec_none(), .dim = i, .lo = 1, .hi = 4096};
  line.base.op = SLOE_SPEC_FC;
  line.base.c = line.base.k = 1024;
  return line;
}

sloe_design_line sloe_design_line_at(size_t i) {
  if (i < DENSE_LINES) return dense_line(i);
  i -= DENSE_LINES;
  return i < DEPTHWISE_LINES ? depthwise_line(i) : fc_line(i - DEPTHWISE_LINES);
}

/* The least image that gives `out` positions. */
static int64_t image_of(const sloe_layer_spec *s, int d, int64_t out) {
  const int64_t size = (out - 1) * s->stride[d] + s->kernel[d] - 2 * s->pad[d];
  return size > 0 ? size : 1;
}

sloe_layer_spec sloe_design_line_spec(const sloe_design_line *line, int64_t x) {
  sloe_layer_spec s = line->base;
  if (line->dim == 0) s.k = x;
  if (line->dim == 1) s.c = x;
  if (s.groups > 1) s.groups = s.c = s.k;
  if (line->dim == 2) s.out[0] = x;
  if (line->dim == 3) s.out[1] = x;
  if (s.op == SLOE_SPEC_CONV) {
    s.h = image_of(&s, 0, s.out[0]);
    s.w = image_of(&s, 1, s.out[1]);
  }
  return s;
}

/* ---- random layers ---- */

static int64_t about(sloe_rng *rng, double lo, double hi) { /* log-uniform */
  return (int64_t)lround(exp(log(lo) + sloe_rng_uniform(rng) * (log(hi) - log(lo))));
}

static int chance(sloe_rng *rng, double p) {
  return sloe_rng_uniform(rng) < p;
}

/* As networks have channels: mostly multiples of 8. */
static int64_t channels(sloe_rng *rng, double lo, double hi) {
  const int64_t c = about(rng, lo, hi);
  return chance(rng, 0.75) && c > 4 ? (c + 4) / 8 * 8 : c;
}

/* An image, mostly square. */
static void image(sloe_rng *rng, sloe_layer_spec *s, double lo, double hi) {
  s->h = about(rng, lo, hi);
  s->w = chance(rng, 0.8) ? s->h : about(rng, lo, hi);
}

static void square(int64_t pair[2], int64_t value) {
  pair[0] = pair[1] = value;
}

/* Padding that keeps the size, and the output that follows. */
static void same_window(sloe_layer_spec *s) {
  for (int d = 0; d < 2; d++) {
    const int64_t size = d ? s->w : s->h, reach = s->dilation[d] * (s->kernel[d] - 1) + 1;
    s->pad[d] = (reach - 1) / 2;
    const int64_t room = size + 2 * s->pad[d] - reach;
    s->out[d] = room < 0 ? 0 : room / s->stride[d] + 1;
  }
}

static void no_padding(sloe_layer_spec *s) {
  for (int d = 0; d < 2; d++) {
    s->pad[d] = 0;
    s->out[d] = ((d ? s->w : s->h) - s->kernel[d]) / s->stride[d] + 1;
  }
}

static void activate(sloe_rng *rng, sloe_layer_spec *s) {
  static const sloe_spec_act usual[] = {SLOE_SPEC_ACT_RELU,    SLOE_SPEC_ACT_RELU,
                                        SLOE_SPEC_ACT_RELU,    SLOE_SPEC_ACT_CLIP,
                                        SLOE_SPEC_ACT_SWISH,   SLOE_SPEC_ACT_HARDSWISH,
                                        SLOE_SPEC_ACT_SIGMOID, SLOE_SPEC_ACT_HARDSIGMOID,
                                        SLOE_SPEC_ACT_LEAKY,   SLOE_SPEC_ACT_GELU};
  if (chance(rng, 0.55)) s->act = usual[sloe_rng_between(rng, 0, 9)];
}

static void draw_conv_any(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = about(rng, 1, 1024);
  s->k = about(rng, 1, 1024);
  s->h = about(rng, 8, 512);
  s->w = about(rng, 8, 512);
  square(s->kernel, LINE_KERNEL[sloe_rng_between(rng, 0, N_KERNELS - 1)]);
  square(s->stride, sloe_rng_between(rng, 1, 2));
  same_window(s);
}

static void draw_kernel(sloe_rng *rng, sloe_layer_spec *s) {
  const double p = sloe_rng_uniform(rng);
  const int64_t odd[] = {1, 3, 5, 7}, n = odd[sloe_rng_between(rng, 1, 3)];
  square(s->kernel, p < 0.45 ? 1 : p < 0.75 ? 3 : p < 0.8 ? 5 : p < 0.83 ? 7 : p < 0.85 ? 11 : 1);
  square(s->stride, chance(rng, 0.15) ? 2 : 1);
  if (p >= 0.85 && p < 0.89) s->kernel[0] = n;
  if (p >= 0.89 && p < 0.93) s->kernel[1] = n;
  if (p >= 0.93 && p < 0.97) { /* patches */
    square(s->kernel, p < 0.95 ? 2 : 4);
    square(s->stride, s->kernel[0]);
  }
  if (p >= 0.45 && p < 0.5) square(s->dilation, about(rng, 2, 24));
}

static void draw_conv_usual(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = channels(rng, 4, 2560);
  s->k = channels(rng, 4, 2560);
  image(rng, s, 1, 160);
  draw_kernel(rng, s);
  if (chance(rng, 0.12)) s->h = s->w = 1, square(s->kernel, 1), square(s->dilation, 1);
  same_window(s);
  if (s->kernel[0] == s->stride[0] && s->kernel[0] > 1) {
    no_padding(s);
  }
  activate(rng, s);
  s->add = chance(rng, 0.15);
}

static void draw_conv_first(sloe_rng *rng, sloe_layer_spec *s) {
  static const int64_t kernels[] = {3, 3, 5, 7, 7, 11};
  s->c = chance(rng, 0.85) ? 3 : about(rng, 1, 4);
  s->k = channels(rng, 8, 128);
  image(rng, s, 32, 640);
  square(s->kernel, kernels[sloe_rng_between(rng, 0, 5)]);
  square(s->stride, chance(rng, 0.15) ? 4 : sloe_rng_between(rng, 1, 2));
  same_window(s);
  activate(rng, s);
}

/* A square window, strided in that share of cases, padding that keeps the size, an activation. */
static void draw_window(sloe_rng *rng, sloe_layer_spec *s, int64_t kernel, double strided) {
  square(s->kernel, kernel);
  square(s->stride, chance(rng, strided) ? 2 : 1);
  same_window(s);
  activate(rng, s);
}

/* Channels of a group are mostly a multiple of 4, as many in as out. */
static int64_t group_width(sloe_rng *rng) {
  static const int64_t usual[] = {4, 4, 8, 8, 16, 16, 24, 32, 48, 64};
  return chance(rng, 0.75) ? usual[sloe_rng_between(rng, 0, 9)] : about(rng, 2, 80);
}

static void draw_grouped(sloe_rng *rng, sloe_layer_spec *s) {
  const int64_t width = group_width(rng);
  s->groups = chance(rng, 0.3) ? INT64_C(1) << sloe_rng_between(rng, 1, 6) : about(rng, 2, 80);
  s->c = s->groups * width;
  s->k = chance(rng, 0.75) ? s->c : s->groups * group_width(rng);
  image(rng, s, 7, 112);
  draw_window(rng, s, chance(rng, 0.75) ? 3 : chance(rng, 0.5) ? 1 : 5, 0.25);
}

static void draw_depthwise(sloe_rng *rng, sloe_layer_spec *s) {
  static const int64_t kernels[] = {3, 3, 3, 3, 5, 5, 5, 7, 7, 9, 11};
  s->c = s->k = s->groups = channels(rng, 4, 4096);
  image(rng, s, 3, 256);
  draw_window(rng, s, kernels[sloe_rng_between(rng, 0, 10)], 0.3);
}

static void draw_deconv(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = channels(rng, 4, 512);
  s->k = channels(rng, 4, 512);
  image(rng, s, 2, 64);
  square(s->kernel, sloe_rng_between(rng, 2, 4));
  square(s->stride, 2);
  square(s->pad, s->kernel[0] > 2 ? 1 : 0);
  for (int d = 0; d < 2; d++) s->out[d] = 2 * (d ? s->w : s->h);
}

static void draw_fc(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = channels(rng, 8, 32768);
  s->k = channels(rng, 2, 4608);
  if (chance(rng, 0.35)) s->n = about(rng, 2, 4096);
  activate(rng, s);
}

static void draw_matmul(sloe_rng *rng, sloe_layer_spec *s) {
  s->n = about(rng, 1, 32);
  s->h = about(rng, 1, 1024);
  s->c = channels(rng, 8, 1024);
  s->k = channels(rng, 8, 1024);
}

static void draw_pool(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = s->k = channels(rng, 4, 2048);
  image(rng, s, 4, 256);
  square(s->kernel, chance(rng, 0.65) ? 3 : chance(rng, 0.75) ? 2 : 5);
  square(s->stride, s->kernel[0] == 2 || chance(rng, 0.5) ? 2 : 1);
  same_window(s);
  if (s->kernel[0] == 2 || chance(rng, 0.35)) no_padding(s);
  if (chance(rng, 0.85)) return;
  image(rng, s, 2, 16); /* the whole image, as the last pooling of older networks */
  s->kernel[0] = s->h;
  s->kernel[1] = s->w;
  square(s->stride, 1);
  no_padding(s);
}

static void draw_global(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = s->k = channels(rng, 4, 4096);
  image(rng, s, 1, 128);
  square(s->out, 1);
}

/* Anything that writes n x c x h x w. */
static void draw_tensor(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = s->k = channels(rng, 1, 4096);
  image(rng, s, 1, 256);
  s->out[0] = s->h;
  s->out[1] = s->w;
}

static void draw_batchnorm(sloe_rng *rng, sloe_layer_spec *s) {
  draw_tensor(rng, s);
  if (chance(rng, 0.8)) s->act = SLOE_SPEC_ACT_RELU;
}

static void draw_activation(sloe_rng *rng, sloe_layer_spec *s) {
  draw_tensor(rng, s);
  s->act = (sloe_spec_act)sloe_rng_between(rng, 1, SLOE_SPEC_ACT_COUNT - 2);
}

static void draw_binary(sloe_rng *rng, sloe_layer_spec *s) {
  draw_tensor(rng, s);
  s->with = (sloe_spec_with)(chance(rng, 0.4) ? 0 : sloe_rng_between(rng, 0, 3));
}

static void draw_rows(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = s->k = channels(rng, 8, 4096);
  s->n = about(rng, 1, 4096);
}

static void draw_resize(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = s->k = channels(rng, 4, 512);
  image(rng, s, 4, 96);
  const int64_t scale = sloe_rng_between(rng, 2, 8);
  s->out[0] = s->h * scale;
  s->out[1] = s->w * scale;
  s->linear = chance(rng, 0.6);
}

static void draw_concat(sloe_rng *rng, sloe_layer_spec *s) {
  draw_tensor(rng, s);
  s->parts = sloe_rng_between(rng, 2, 6);
  if (s->parts > s->c) s->c = s->k = s->parts;
}

static void draw_slice(sloe_rng *rng, sloe_layer_spec *s) {
  draw_tensor(rng, s);
  if (s->c < 2) s->c = 2;
  s->k = chance(rng, 0.6) && s->c > 3 ? s->c / 2 : about(rng, 1, (double)s->c - 0.6);
}

/* ---- at the edges of those: a longer campaign ---- */

/* Two halves, one of them shuffled before, as in ShuffleNet v2. */
static void draw_concat_mixed(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = s->k = 2 * channels(rng, 8, 512);
  image(rng, s, 4, 64);
  s->out[0] = s->h;
  s->out[1] = s->w;
  s->parts = 2;
  s->mixed = 1;
}

/* From few channels to many, or back, on images of any size, as inverted residuals do. */
static void draw_pointwise(sloe_rng *rng, sloe_layer_spec *s) {
  static const sloe_spec_act usual[] = {SLOE_SPEC_ACT_RELU, SLOE_SPEC_ACT_CLIP, SLOE_SPEC_ACT_SWISH,
                                        SLOE_SPEC_ACT_HARDSWISH};
  const int64_t few = channels(rng, 8, 128), many = few * sloe_rng_between(rng, 2, 8);
  const int widens = chance(rng, 0.6);
  s->c = widens ? few : many;
  s->k = widens ? many : few;
  image(rng, s, 7, 128);
  same_window(s);
  if (widens) s->act = usual[sloe_rng_between(rng, 0, 3)];
  s->add = !widens && chance(rng, 0.4);
}

/* Few groups of many channels, as in AlexNet. */
static void draw_grouped_wide(sloe_rng *rng, sloe_layer_spec *s) {
  s->groups = INT64_C(1) << sloe_rng_between(rng, 1, 6);
  s->c = s->groups * channels(rng, 8, 1024.0 / (double)s->groups);
  s->k = chance(rng, 0.5) ? s->c : s->groups * channels(rng, 8, 1024.0 / (double)s->groups);
  image(rng, s, 7, 112);
  draw_window(rng, s, chance(rng, 0.7) ? 3 : 5, 0.25);
}

/* As the first ones behind the convolutions of VGG or Overfeat, whose weights no cache holds. */
static void draw_fc_large(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = channels(rng, 1024, 40960);
  s->k = channels(rng, 256, 8192);
  if (chance(rng, 0.3)) s->n = about(rng, 2, 1024);
  activate(rng, s);
}

/* On the large images of detectors, and with the last window of an odd size cut off, as Caffe's. */
static void draw_pool_large(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = s->k = channels(rng, 16, 1024);
  image(rng, s, 24, 800);
  square(s->kernel, sloe_rng_between(rng, 2, 3));
  square(s->stride, 2);
  for (int d = 0; d < 2; d++) s->out[d] = ((d ? s->w : s->h) - s->kernel[d] + 1) / 2 + 1;
}

static void draw_concat_long(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = s->k = channels(rng, 64, 2048);
  image(rng, s, 4, 64);
  s->out[0] = s->h;
  s->out[1] = s->w;
  s->parts = sloe_rng_between(rng, 5, 32);
}

/* ---- products, and windows on small images: a still longer one ---- */

/* One row of any inputs, as classifiers have it, or as many as a detector has regions, of few
 * units.
 */
static void draw_fc_head(sloe_rng *rng, sloe_layer_spec *s) {
  const int one = chance(rng, 0.5);
  s->c = channels(rng, 128, 16384);
  s->k = one ? channels(rng, 10, 4608) : about(rng, 2, chance(rng, 0.6) ? 160 : 4096);
  if (!one) s->n = about(rng, 8, 1024);
  activate(rng, s);
}

/* Such rows, every other of whole pages. */
static void draw_fc_rows(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = chance(rng, 0.5) ? 1024 * sloe_rng_between(rng, 1, 10) : channels(rng, 128, 16384);
  s->k = about(rng, 2, chance(rng, 0.7) ? 160 : 4096);
  s->n = about(rng, 2, 1024);
  activate(rng, s);
}

/* The branches of GoogLeNet, and the last stages of most networks. */
static void draw_conv_small(sloe_rng *rng, sloe_layer_spec *s) {
  s->c = channels(rng, 16, 1024);
  s->k = channels(rng, 32, 1024);
  image(rng, s, 3, 40);
  draw_window(rng, s, chance(rng, 0.6) ? 3 : chance(rng, 0.7) ? 5 : 7, 0.1);
}

/* X(op, share, how) */
#define DRAW_MAP(X)                   \
  X(CONV, 1200, draw_conv_any)        \
  X(CONV, 830, draw_conv_usual)       \
  X(CONV, 110, draw_conv_first)       \
  X(CONV, 300, draw_grouped)          \
  X(CONV, 260, draw_depthwise)        \
  X(DECONV, 50, draw_deconv)          \
  X(FC, 130, draw_fc)                 \
  X(MATMUL, 40, draw_matmul)          \
  X(MAXPOOL, 90, draw_pool)           \
  X(AVGPOOL, 90, draw_pool)           \
  X(GLOBALPOOL, 60, draw_global)      \
  X(BATCHNORM, 110, draw_batchnorm)   \
  X(LAYERNORM, 40, draw_rows)         \
  X(LRN, 30, draw_tensor)             \
  X(ACTIVATION, 120, draw_activation) \
  X(BINARY, 120, draw_binary)         \
  X(SOFTMAX, 30, draw_rows)           \
  X(REDUCE, 30, draw_rows)            \
  X(RESIZE, 50, draw_resize)          \
  X(CONCAT, 110, draw_concat)         \
  X(SLICE, 70, draw_slice)            \
  X(TRANSPOSE, 60, draw_tensor)       \
  X(COPY, 40, draw_tensor)            \
  X(REORDER, 30, draw_tensor)

/* What a longer campaign goes on with: convolutions, whose time is the hardest to tell, and what
   lies at the edges of the kinds above. */
#define MORE_MAP(X)               \
  X(CONV, 400, draw_conv_any)     \
  X(CONV, 150, draw_conv_usual)   \
  X(CONV, 80, draw_grouped)       \
  X(CONV, 80, draw_grouped_wide)  \
  X(CONV, 50, draw_depthwise)     \
  X(FC, 90, draw_fc_large)        \
  X(MAXPOOL, 60, draw_pool_large) \
  X(AVGPOOL, 20, draw_pool_large) \
  X(CONCAT, 70, draw_concat_long)

/* Behind the first SLOE_DESIGN_MORE of those. */
#define STILL_MORE_MAP(X)        \
  X(FC, 250, draw_fc_head)       \
  X(CONV, 150, draw_conv_small)  \
  X(CONV, 60, draw_grouped_wide) \
  X(CONV, 40, draw_grouped)

/* What networks have much of and the kinds of a design little: products of many rows by few units,
   weights that no cache holds, few wide groups, first layers, inverted residuals, halves of two
   layouts. */
#define EDGE_MAP(X)              \
  X(FC, 70, draw_fc_rows)        \
  X(FC, 30, draw_fc_large)       \
  X(CONV, 40, draw_grouped_wide) \
  X(CONV, 25, draw_conv_first)   \
  X(CONV, 65, draw_pointwise)    \
  X(CONCAT, 50, draw_concat_mixed)

typedef struct drawn_kind {
  sloe_spec_op op;
  int share;
  draw_fn draw;
} drawn_kind;

#define DRAW_ROW(op, share, draw) {SLOE_SPEC_##op, share, draw},
static const drawn_kind KINDS[] = {DRAW_MAP(DRAW_ROW)}, MORE[] = {MORE_MAP(DRAW_ROW)},
                        STILL_MORE[] = {STILL_MORE_MAP(DRAW_ROW)}, EDGES[] = {EDGE_MAP(DRAW_ROW)};
#undef DRAW_ROW
enum {
  N_KINDS = sizeof KINDS / sizeof *KINDS,
  N_MORE = sizeof MORE / sizeof *MORE,
  N_STILL_MORE = sizeof STILL_MORE / sizeof *STILL_MORE,
  N_EDGES = sizeof EDGES / sizeof *EDGES,
  DESIGN = 3330
};

size_t sloe_design_size(void) {
  return DESIGN;
}

static int wanted(const drawn_kind *kind, const char *only) {
  return !only || !strncmp(sloe_spec_op_text(kind->op), only, strlen(only));
}

/* One of them by their shares; NULL: none is wanted. */
static const drawn_kind *draw_kind(sloe_rng *rng, const drawn_kind *kinds, int n,
                                   const char *only) {
  int64_t sum = 0;
  for (int i = 0; i < n; i++)
    if (wanted(&kinds[i], only)) sum += kinds[i].share;
  int64_t at = sloe_rng_between(rng, 0, sum - 1);
  for (int i = 0; i < n; i++)
    if (wanted(&kinds[i], only) && (at -= kinds[i].share) < 0) return &kinds[i];
  return NULL;
}

static const uint64_t USUAL_MACS = 10000000000;
static const double share_of_batches = 0.3;

static int is_modest(const sloe_layer_spec *s, const sloe_design_limits *limits) {
  const uint64_t most = UINT64_C(1) << 28;
  return sloe_layer_spec_macs(s) <= (limits ? limits->macs : USUAL_MACS) &&
         sloe_layer_spec_in_elements(s) <= most && sloe_layer_spec_out_elements(s) <= most &&
         sloe_layer_spec_weights(s) <= most;
}

/* As it is read back from a store: one layer is written in one way. */
static int make_usual(sloe_layer_spec *s) {
  char text[SLOE_SPEC_TEXT];
  const sloe_layer_spec drawn = *s;
  return sloe_layer_spec_parse(sloe_layer_spec_print(&drawn, text), s, NULL) == SLOE_OK;
}

/* What a size stays a multiple of: runtimes are fast at whole blocks, and networks have them. */
static int64_t block_of(int64_t x) {
  for (int64_t block = 128; block > 16; block /= 2)
    if (x % block == 0 && x >= 4 * block) return block;
  return x % 16 == 0 ? 16 : x % 8 == 0 ? 8 : 1;
}

/* About as much. */
static int64_t near(sloe_rng *rng, int64_t x) {
  const double varied = (double)x * exp(0.35 * (2 * sloe_rng_uniform(rng) - 1) * 1.7);
  const int64_t block = block_of(x);
  const int64_t blocks = (int64_t)lround(varied / (double)block);
  return x == 1 ? 1 : (blocks < 1 ? 1 : blocks) * block;
}

/* Channels: of groups their width and number, tied where they were. */
static void vary_channels(sloe_rng *rng, const sloe_layer_spec *like, sloe_layer_spec *s) {
  s->groups = like->groups > 1 ? near(rng, like->groups) : 1;
  const int64_t width = near(rng, like->c / like->groups);
  s->c = width * s->groups;
  s->k = like->k == like->c ? s->c : near(rng, like->k / like->groups) * s->groups;
}

/* Sizes and what follows from them: the window's positions, or an output as large as the input. */
static void vary_image(sloe_rng *rng, const sloe_layer_spec *like, sloe_layer_spec *s) {
  s->h = near(rng, like->h);
  s->w = like->h == like->w ? s->h : near(rng, like->w);
  for (int d = 0; d < 2; d++) {
    const int64_t was = d ? like->w : like->h, size = d ? s->w : s->h;
    const int64_t reach = s->dilation[d] * (s->kernel[d] - 1) + 1;
    if (s->kernel[d] > 1 || s->stride[d] > 1)
      s->out[d] = (size + 2 * s->pad[d] - reach) / s->stride[d] + 1;
    else if (like->out[d] % was == 0)
      s->out[d] = like->out[d] / was * size;
  }
}

int sloe_design_vary(sloe_rng *rng, const sloe_layer_spec *like, const sloe_design_limits *limits,
                     sloe_layer_spec *out) {
  for (int i = 0; i < 20; i++) {
    *out = *like;
    out->n = near(rng, like->n);
    vary_channels(rng, like, out);
    vary_image(rng, like, out);
    if (sloe_layer_spec_check(out, NULL) == SLOE_OK && is_modest(out, limits) && make_usual(out))
      return 1;
  }
  return 0;
}

static void draw_batch(sloe_rng *rng, const sloe_design_limits *limits, sloe_layer_spec *s) {
  if (limits && limits->batch > 1 && s->n == 1 && chance(rng, share_of_batches))
    s->n = about(rng, 2, (double)limits->batch);
}

int sloe_design_draw_like(sloe_rng *rng, const sloe_layer_spec *like,
                          const sloe_design_limits *limits, sloe_layer_spec *out) {
  if (!sloe_design_vary(rng, like, limits, out)) return 0;
  draw_batch(rng, limits, out);
  return is_modest(out, limits);
}

static int try_kind(sloe_rng *rng, const drawn_kind *kind, const sloe_design_limits *limits,
                    sloe_layer_spec *out) {
  *out = sloe_layer_spec_none();
  out->op = kind->op;
  kind->draw(rng, out);
  draw_batch(rng, limits, out);
  return sloe_layer_spec_check(out, NULL) == SLOE_OK && is_modest(out, limits) && make_usual(out);
}

static int draw_of(sloe_rng *rng, const drawn_kind *kinds, int n, const char *only,
                   const sloe_design_limits *limits, sloe_layer_spec *out) {
  for (;;) {
    const drawn_kind *kind = draw_kind(rng, kinds, n, only);
    if (!kind) return 0;
    if (try_kind(rng, kind, limits, out)) return 1;
  }
}

int sloe_design_draw(sloe_rng *rng, const char *only, const sloe_design_limits *limits,
                     sloe_layer_spec *out) {
  return draw_of(rng, KINDS, N_KINDS, only, limits, out);
}

void sloe_design_draw_more(sloe_rng *rng, size_t i, const sloe_design_limits *limits,
                           sloe_layer_spec *out) {
  if (i < SLOE_DESIGN_MORE)
    draw_of(rng, MORE, N_MORE, NULL, limits, out);
  else
    draw_of(rng, STILL_MORE, N_STILL_MORE, NULL, limits, out);
}

void sloe_design_draw_edge(sloe_rng *rng, const sloe_design_limits *limits, sloe_layer_spec *out) {
  draw_of(rng, EDGES, N_EDGES, NULL, limits, out);
}

size_t sloe_design_kinds(void) {
  return N_KINDS;
}

void sloe_design_draw_kind(sloe_rng *rng, size_t kind, const sloe_design_limits *limits,
                           sloe_layer_spec *out) {
  while (!try_kind(rng, &KINDS[kind], limits, out)) continue;
}
