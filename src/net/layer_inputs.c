#include "net/layer_inputs.h"

#include <math.h>

#include "net/layer_blocks.h"

#define ROOM_OF(part) (SLOE_LAYER_INPUT_##part##_last - SLOE_LAYER_INPUT_##part + 1)
_Static_assert((int)SLOE_LAYER_FEATURES <= ROOM_OF(feature), "every feature has its place");
_Static_assert((int)SLOE_SPEC_ACT_COUNT <= ROOM_OF(act), "every activation has its place");

/* What the last block of `block` wastes: ln(rounded up / x). */
static double waste(double x, double block) {
  return log(ceil(x / block) * block / x);
}

static void take_waste(const sloe_layer_spec *s, double out[ROOM_OF(waste)]) {
  const int64_t channels = s->c / s->groups,
                filters = sloe_layer_spec_is_depthwise(s) ? s->k : s->k / s->groups;
  out[0] = waste((double)filters, 16);
  out[1] = waste((double)filters, 64);
  out[2] = waste((double)channels, 16);
  out[3] = waste((double)s->out[1], 8);
}

/* Kernels that read whole vectors are offered for multiples of 8, 4 or 2; others fill up. Poolings
   and normalisations of other channels run on a processor by code that takes up to 20 times as
   long. */
static double *take_division(double count, double *out) {
  for (int block = 8; block > 1; block /= 2) *out++ = fmod(count, block) == 0;
  *out++ = waste(count, 8);
  *out++ = waste(count, 32);
  *out++ = log(ceil(count / 8) * 8);
  return out;
}

static void take_divisions(const sloe_layer_spec *s, double out[ROOM_OF(division)]) {
  const int64_t channels = s->c / s->groups,
                filters = sloe_layer_spec_is_depthwise(s) ? s->k : s->k / s->groups;
  double *at = take_division((double)filters, take_division((double)channels, out));
  *at = channels <= 4;
}

/* Work of tiles in rounds in which all units have one. */
static void take_rounds(const sloe_layer_spec *s, double units, double out[ROOM_OF(rounds)]) {
  const int64_t channels = s->c / s->groups;
  const double depth = (double)channels * (double)(s->kernel[0] * s->kernel[1]);
  for (int64_t rows = 32; rows <= 256; rows *= 2)
    for (int64_t columns = 32; columns <= 256; columns *= 2)
      *out++ =
          log(ceil(sloe_layer_tiles(s, rows, columns) / units) * (double)(rows * columns) * depth);
}

static void take_transform(const sloe_layer_spec *s, double out[ROOM_OF(transform)]) {
  const sloe_transforms t = sloe_layer_transforms(s);
  out[0] = log(t.in);
  out[1] = log(t.out);
  out[2] = log(t.weights);
  out[3] = log(sloe_layer_fourier(s));
}

/* How a convolution is cut into registers' blocks, and whether rows of channels fill lines of a
   cache: what is written line by line takes half the time. */
static void take_block(const sloe_layer_spec *s, double out[ROOM_OF(block)]) {
  out[6] = s->k % 16 == 0;
  out[7] = s->k % 4 == 0;
  out[8] = s->c % 16 == 0;
  if (s->op != SLOE_SPEC_CONV || sloe_layer_spec_is_depthwise(s)) return;
  const sloe_layer_blocks b = sloe_layer_blocks_of(s);
  out[0] = log((double)b.vectors);
  out[1] = log((double)b.blocks);
  out[2] = log((double)b.rows);
  out[3] = log(b.waste);
  out[4] = log(b.rate);
  out[5] = b.is_image;
}

/* A vector is multiplied by a matrix in steps of hundreds of channels, and what is left one by one:
   2040 channels take 1.6 times as long as 2048 (docs/notes/gpu-accuracy.md). */
static void take_rest(const sloe_layer_spec *s, double out[ROOM_OF(rest)]) {
  if (s->op != SLOE_SPEC_FC) return;
  out[0] = (double)(s->c % 128) / 128;
  out[1] = (double)(s->c % 512) / 512;
}

void sloe_layer_inputs(const sloe_layer_view *view, const float x[SLOE_LAYER_FEATURES],
                       double out[SLOE_LAYER_INPUTS]) {
  const sloe_layer_spec *s = view->spec;
  for (int i = 0; i < SLOE_LAYER_INPUTS; i++) out[i] = 0;
  for (int i = 0; i < SLOE_LAYER_FEATURES; i++) out[SLOE_LAYER_INPUT_feature + i] = (double)x[i];
  take_waste(s, out + SLOE_LAYER_INPUT_waste);
  out[SLOE_LAYER_INPUT_stair] = log(view->stair_ms);
  out[SLOE_LAYER_INPUT_act + (int)s->act] = 1;
  take_divisions(s, out + SLOE_LAYER_INPUT_division);
  if (!(view->units > 0)) {
    take_block(s, out + SLOE_LAYER_INPUT_block);
    return;
  }
  take_rounds(s, view->units, out + SLOE_LAYER_INPUT_rounds);
  take_transform(s, out + SLOE_LAYER_INPUT_transform);
  take_rest(s, out + SLOE_LAYER_INPUT_rest);
}

int sloe_layer_input_is_for_trees(size_t i) {
  switch (i) {
    case SLOE_LAYER_FEATURE_k_mod_16:
    case SLOE_LAYER_FEATURE_k_mod_64:
    case SLOE_LAYER_FEATURE_c_mod_16:
    case SLOE_LAYER_FEATURE_ow_mod_8:
    case SLOE_LAYER_FEATURE_act:
    case SLOE_LAYER_FEATURE_k_align:
    case SLOE_LAYER_FEATURE_c_align:
    case SLOE_LAYER_FEATURE_log_fourier:
    case SLOE_LAYER_FEATURE_fourier:
    case SLOE_LAYER_FEATURE_log_transforms: return 1;
    default: return 0;
  }
}
