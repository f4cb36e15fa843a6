#include "campaign/teach_lesson.h"

#include <math.h>

enum { ACTS = SLOE_SPEC_ACT_COUNT };

int sloe_teach_is_choice(int feature) {
  return feature == SLOE_LAYER_FEATURE_k_align || feature == SLOE_LAYER_FEATURE_c_align ||
         feature == SLOE_LAYER_FEATURE_log_transforms;
}

static int is_proposed(int feature) {
  return feature >= SLOE_LAYER_FEATURE_proposed_1 &&
         feature < SLOE_LAYER_FEATURE_proposed_1 + SLOE_LAYER_PROPOSED;
}

/* What the last block of `block` wastes: ln(rounded up / x). */
static double waste(double x, double block) {
  return log(ceil(x / block) * block / x);
}

/* Kernels that read whole vectors are offered for multiples of 8, 4 or 2; others fill up. */
static size_t take_division(double count, double *out) {
  size_t n = 0;
  for (int block = 8; block > 1; block /= 2) out[n++] = fmod(count, block) == 0;
  out[n++] = waste(count, 8);
  out[n++] = waste(count, 32);
  out[n++] = log(ceil(count / 8) * 8);
  return n;
}

void sloe_teach_inputs(const sloe_layer_lesson *l, const sloe_layer_place *place,
                       double out[SLOE_TEACH_INPUTS]) {
  float x[SLOE_LAYER_FEATURES];
  size_t n = 0;
  sloe_layer_features(&l->spec, place, x);
  for (int i = 0; i < SLOE_LAYER_FEATURES; i++) {
    const int is_block = i == SLOE_LAYER_FEATURE_k_mod_16 || i == SLOE_LAYER_FEATURE_k_mod_64 ||
                         i == SLOE_LAYER_FEATURE_c_mod_16 || i == SLOE_LAYER_FEATURE_ow_mod_8;
    const int is_sum = i == SLOE_LAYER_FEATURE_log_fourier || i == SLOE_LAYER_FEATURE_fourier ||
                       sloe_teach_is_choice(i) || is_proposed(i);
    if (!is_block && !is_sum && i != SLOE_LAYER_FEATURE_act) out[n++] = (double)x[i];
  }
  const sloe_layer_spec *s = &l->spec;
  const int64_t filters = sloe_layer_spec_is_depthwise(s) ? s->k : s->k / s->groups;
  out[n++] = waste((double)filters, 16);
  out[n++] = waste((double)filters, 64);
  const int64_t channels = s->c / s->groups;
  out[n++] = waste((double)channels, 16);
  out[n++] = waste((double)s->out[1], 8);
  out[n++] = log(l->stair_ms);
  for (int a = 0; a < ACTS; a++) out[n++] = (int)s->act == a;
  for (; n < SLOE_TEACH_INPUTS; n++) out[n] = 0;
  if (!l->chosen) return;
  n = SLOE_TEACH_INPUTS - SLOE_TEACH_ALIGNED;
  n += take_division((double)channels, out + n);
  n += take_division((double)filters, out + n);
  out[n] = channels <= 4;
}
