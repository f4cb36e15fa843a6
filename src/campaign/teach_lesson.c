#include "campaign/teach_lesson.h"

int sloe_teach_is_choice(int feature) {
  return feature == SLOE_LAYER_FEATURE_k_align || feature == SLOE_LAYER_FEATURE_c_align ||
         feature == SLOE_LAYER_FEATURE_log_transforms;
}

static int is_proposed(size_t i) {
  return i >= SLOE_LAYER_FEATURE_proposed_1 &&
         i < SLOE_LAYER_FEATURE_proposed_1 + SLOE_LAYER_PROPOSED;
}

/* A part's room may be larger than what fills it. */
static int is_taken(unsigned taste, size_t i) {
  if (i <= SLOE_LAYER_INPUT_feature_last) {
    if (i >= SLOE_LAYER_FEATURES || sloe_layer_input_is_for_trees(i)) return 0;
    return !is_proposed(i) || taste & SLOE_TEACH_PROPOSED;
  }
  if (i >= SLOE_LAYER_INPUT_act && i <= SLOE_LAYER_INPUT_act_last)
    return i < (size_t)SLOE_LAYER_INPUT_act + SLOE_SPEC_ACT_COUNT;
  if (i >= SLOE_LAYER_INPUT_block && i <= SLOE_LAYER_INPUT_block_last)
    return (taste & SLOE_TEACH_BLOCKS) != 0;
  return i < SLOE_LAYER_INPUT_rounds || i >= SLOE_LAYER_INPUT_rest || taste & SLOE_TEACH_ROUNDS;
}

sloe_teach_inputs sloe_teach_inputs_of(unsigned taste, double units) {
  sloe_teach_inputs out = {.units = units};
  for (size_t i = 0; i < SLOE_LAYER_INPUTS; i++)
    if (is_taken(taste, i)) out.at[out.n++] = (uint32_t)i;
  return out;
}

void sloe_teach_take(const sloe_teach_inputs *inputs, const sloe_layer_lesson *l,
                     const float x[SLOE_LAYER_FEATURES], double *out) {
  const sloe_layer_view view = {&l->spec, l->stair_ms, l->chosen ? inputs->units : 0};
  double all[SLOE_LAYER_INPUTS];
  sloe_layer_inputs(&view, x, all);
  for (size_t i = 0; i < inputs->n; i++) out[i] = all[inputs->at[i]];
}
