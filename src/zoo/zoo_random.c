/* zoo_random.c: "zoo:random,seed=N": CNNs that nobody designed, to test predictions on.
 *
 * After Bouzidi et al. 4.3, "new CNN architectures": input size, blocks, kernels, widths, pooling
 * and normalisation are drawn. Their baseline (Fig. 10) is one chain of blocks; real networks
 * differ more than that, so the style of the blocks is drawn as well, and widths need not be
 * powers of two. A size is drawn too, every octave alike: the width of the first stage is then
 * searched so that the network comes near it, from which follow 0.05 to 10 GFLOP of one image
 * unless `input` or `blocks` are given. */
#include <math.h>

#include "base/error.h"
#include "zoo/random_net.h"
#include "zoo/zoo_family.h"

static double between(sloe_rng *rng, double lo, double hi) {
  return lo + (hi - lo) * sloe_rng_uniform(rng);
}

static const struct style_row {
  int64_t least, most;
  double width;
} STYLES[SLOE_RANDOM_STYLE_COUNT] = {
#define SLOE_RANDOM_STYLE_ROW(id, least, most, width, doc) {least, most, width},
    SLOE_RANDOM_STYLE_MAP(SLOE_RANDOM_STYLE_ROW)
#undef SLOE_RANDOM_STYLE_ROW
};

static sloe_spec_act draw_act(sloe_rng *rng, sloe_random_style style) {
  static const sloe_spec_act usual[] = {SLOE_SPEC_ACT_RELU, SLOE_SPEC_ACT_RELU, SLOE_SPEC_ACT_RELU,
                                        SLOE_SPEC_ACT_LEAKY, SLOE_SPEC_ACT_SWISH};
  static const sloe_spec_act mobile[] = {SLOE_SPEC_ACT_CLIP, SLOE_SPEC_ACT_SWISH,
                                         SLOE_SPEC_ACT_HARDSWISH, SLOE_SPEC_ACT_RELU};
  const int64_t a = sloe_rng_between(rng, 0, 4), m = sloe_rng_between(rng, 0, 3);
  return style == SLOE_RANDOM_INVERTED || style == SLOE_RANDOM_GATED ? mobile[m] : usual[a];
}

static sloe_random_block draw_block(sloe_rng *rng) {
  static const int64_t kernels[] = {3, 3, 3, 5, 5, 7};
  sloe_random_block k;
  k.kernel = kernels[sloe_rng_between(rng, 0, 5)];
  k.width = between(rng, 0.7, 1.3);
  k.inner = between(rng, 0.2, 0.6);
  k.expand = (double)sloe_rng_between(rng, 4, 12) / 2;
  return k;
}

/* Heads hold most weights of many networks; half of all tell apart the thousand classes of
 * ImageNet. */
static void draw_head(sloe_rng *rng, sloe_random_plan *p) {
  static const sloe_random_head heads[] = {
      SLOE_RANDOM_HEAD_NONE, SLOE_RANDOM_HEAD_NONE,   SLOE_RANDOM_HEAD_NONE,
      SLOE_RANDOM_HEAD_NONE, SLOE_RANDOM_HEAD_CONV,   SLOE_RANDOM_HEAD_CONV,
      SLOE_RANDOM_HEAD_CONV, SLOE_RANDOM_HEAD_HIDDEN, SLOE_RANDOM_HEAD_FLAT};
  p->head = heads[sloe_rng_between(rng, 0, 8)];
  p->head_width = 64 * sloe_rng_between(rng, 8, 32);
  if (sloe_rng_between(rng, 0, 1)) p->classes = 1000;
}

static void draw_plan(sloe_rng *rng, sloe_random_plan *p) {
  static const int64_t rounds[] = {1, 4, 8, 8, 16}, group_sizes[] = {4, 8, 16, 24, 32};
  p->style = (sloe_random_style)sloe_rng_between(rng, 0, SLOE_RANDOM_STYLE_COUNT - 1);
  p->input = 32 * sloe_rng_between(rng, 3, 10);
  p->classes = sloe_rng_between(rng, 10, 1000);
  p->stages = sloe_rng_between(rng, 3, SLOE_RANDOM_STAGES);
  p->blocks = sloe_rng_between(rng, STYLES[p->style].least, STYLES[p->style].most);
  p->stem_kernel = 3 + 2 * sloe_rng_between(rng, 0, 2);
  p->stem_stride = sloe_rng_between(rng, 1, 3) > 1 ? 2 : 1;
  p->stem_pool = sloe_rng_between(rng, 0, 1);
  p->round = rounds[sloe_rng_between(rng, 0, 4)];
  p->group_size = group_sizes[sloe_rng_between(rng, 0, 4)];
  p->growth = between(rng, 1.3, 2.1);
  p->norm = sloe_rng_between(rng, 0, 3) > 0;
  p->pool = sloe_rng_between(rng, 0, 3) ? SLOE_OP_MAX_POOL : SLOE_OP_AVERAGE_POOL;
  p->act = draw_act(rng, p->style);
  for (int i = 0; i < SLOE_RANDOM_BLOCKS; i++) p->block[i] = draw_block(rng);
  draw_head(rng, p);
}

/* Blocks of a stage: as many each, the rest goes to the last ones. */
static int64_t blocks_of(const sloe_random_plan *p, int64_t stage) {
  return p->blocks / p->stages + (p->stages - stage <= p->blocks % p->stages);
}

static sloe_zoo_map add_stem(sloe_zoo_builder *b, const sloe_random_plan *p, sloe_zoo_map x,
                             double width) {
  const int64_t k = sloe_random_width(p, width * 0.5);
  x = sloe_zoo_add_conv(b, x,
                        (sloe_zoo_conv){.k = k,
                                        .kernel = p->stem_kernel,
                                        .stride = p->stem_stride,
                                        .norm = p->norm,
                                        .act = p->act});
  return p->stem_pool ? sloe_zoo_add_pool(b, x, SLOE_OP_MAX_POOL, 3, 2, 1) : x;
}

static sloe_zoo_map add_head(sloe_zoo_builder *b, const sloe_random_plan *p, sloe_zoo_map x) {
  if (p->head == SLOE_RANDOM_HEAD_CONV)
    x = sloe_zoo_add_conv(b, x,
                          (sloe_zoo_conv){.k = p->head_width, .norm = p->norm, .act = p->act});
  if (p->head != SLOE_RANDOM_HEAD_FLAT) x = sloe_zoo_add_global_pool(b, x);
  if (p->head == SLOE_RANDOM_HEAD_HIDDEN || p->head == SLOE_RANDOM_HEAD_FLAT)
    x = sloe_zoo_add_fc(b, x, p->head_width, SLOE_SPEC_ACT_RELU);
  return sloe_zoo_add_fc(b, x, p->classes, SLOE_SPEC_ACT_NONE);
}

/* The whole network at a width of the first stage. The first stage after a pool keeps the size. */
static void put_down(sloe_zoo_builder *b, const sloe_random_plan *p, int64_t batch, double width) {
  sloe_zoo_map x = {0, batch, 3, p->input, p->input};
  x.t = sloe_zoo_input(b, "input", 4, (int64_t[]){x.n, x.c, x.h, x.w});
  x = add_stem(b, p, x, width);
  int64_t at = 0;
  for (int64_t stage = 0; stage < p->stages; stage++, width *= p->growth)
    for (int64_t i = 0, n = blocks_of(p, stage); i < n; i++)
      x = sloe_random_add_block(b, p, &p->block[at++], x, width,
                                i == 0 && (stage > 0 || !p->stem_pool));
  sloe_zoo_output(b, add_head(b, p, x).t);
}

static double macs_at(const sloe_random_plan *p, double width) {
  sloe_zoo_builder count = {0};
  put_down(&count, p, 1, width);
  return count.macs;
}

/* Width of the first stage at which the network comes nearest to `macs`: it grows with it. */
static double find_width(const sloe_random_plan *p, double macs) {
  double lo = 8, hi = STYLES[p->style].width;
  for (int i = 0; i < 24; i++) {
    const double middle = sqrt(lo * hi);
    if (macs_at(p, middle) < macs)
      lo = middle;
    else
      hi = middle;
  }
  return lo;
}

enum { SEED, INPUT, BLOCKS };

static sloe_status build(sloe_zoo_builder *b, const sloe_zoo_call *call) {
  sloe_random_plan p;
  sloe_rng rng;
  sloe_rng_seed(&rng, (uint64_t)call->v[SEED].whole);
  const int octave = (int)sloe_rng_between(&rng, 0, 5);
  const double macs = 0.5e9 * ldexp(between(&rng, 0.125, 0.25), octave);
  draw_plan(&rng, &p);
  const double width = find_width(&p, macs);
  if (call->v[INPUT].given) p.input = call->v[INPUT].whole;
  if (call->v[BLOCKS].given) p.blocks = call->v[BLOCKS].whole;
  put_down(b, &p, call->batch, width);
  return b->status;
}

static const sloe_zoo_key KEYS[] = {
    {.name = "seed", .doc = "decides all that is not given", .most = 0x1p63},
    {.name = "input",
     .doc = "height and width of the image",
     .fallback = "",
     .least = 32,
     .most = 1024},
    {.name = "blocks",
     .doc = "blocks of layers",
     .fallback = "",
     .least = 1,
     .most = SLOE_RANDOM_BLOCKS},
};

const sloe_zoo_entry sloe_zoo_family_random = {
    {"random", "a CNN that nobody designed, drawn from `seed`, after Bouzidi et al. 4.3 (NCA)",
     KEYS, SLOE_ZOO_COUNT_OF(KEYS)},
    build,
    0};
