/* What smooth models are told of a layer. */
#include "net/layer_inputs.h"

#include <math.h>

#include "unit/unit.h"

static void ask(const char *text, double units, double out[SLOE_LAYER_INPUTS]) {
  sloe_layer_spec spec;
  sloe_error err;
  float x[SLOE_LAYER_FEATURES];
  assert_ok(sloe_layer_spec_parse(text, &spec, &err), err);
  sloe_layer_features(&spec, NULL, x);
  const sloe_layer_view view = {&spec, 2, units};
  sloe_layer_inputs(&view, x, out);
}

static void a_vector_s_rest_is_what_whole_steps_leave(void **state) {
  (void)state;
  static const struct {
    const char *layer;
    double of_128, of_512;
  } rows[] = {
      {"op=fc,c=1024,k=1000", 0, 0},
      {"op=fc,c=768,k=1000", 0, 0.5},
      {"op=fc,c=96,k=10", 0.75, 0.1875},
      {"op=fc,c=2040,k=7", 0.9375, 504. / 512},
      {"op=fc,n=300,c=4100,k=21", 0.03125, 4. / 512},
      {"op=conv,c=96,h=8,w=8,k=8,kernel=3", 0, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double out[SLOE_LAYER_INPUTS];
    ask(rows[i].layer, 132, out);
    assert_float_equal(out[SLOE_LAYER_INPUT_rest], rows[i].of_128, 0);
    assert_float_equal(out[SLOE_LAYER_INPUT_rest + 1], rows[i].of_512, 0);
  }
}

static void what_a_choice_among_kernels_turns_on_is_told_where_there_is_one(void **state) {
  (void)state;
  double chosen[SLOE_LAYER_INPUTS], fixed[SLOE_LAYER_INPUTS];
  ask("op=conv,c=2041,h=7,w=7,k=1000", 132, chosen);
  ask("op=conv,c=2041,h=7,w=7,k=1000", 0, fixed);
  int told = 0;
  for (int i = SLOE_LAYER_INPUT_rounds; i < SLOE_LAYER_INPUT_block; i++) {
    told += chosen[i] != 0;
    assert_true(fixed[i] == 0);
  }
  assert_true(told > 10);
  ask("op=fc,c=2041,k=1000", 132, chosen);
  assert_true(chosen[SLOE_LAYER_INPUT_rest] > 0);
  ask("op=conv,c=64,h=28,w=28,k=128,kernel=3", 0, fixed);
  assert_true(fixed[SLOE_LAYER_INPUT_block] > 0);
  ask("op=conv,c=64,h=28,w=28,k=128,kernel=3", 132, chosen);
  assert_true(chosen[SLOE_LAYER_INPUT_block] == 0);
}

static void a_processor_is_told_which_channels_fill_its_vectors(void **state) {
  (void)state;
  static const struct {
    const char *layer;
    int by_8, by_16;
  } rows[] = {
      {"op=batchnorm,c=96,h=7,w=7", 1, 1},         {"op=batchnorm,c=1144,h=7,w=7", 1, 0},
      {"op=maxpool,c=60,h=8,w=8,kernel=3", 0, 0},  {"op=concat,c=240,h=7,w=7,parts=2", 1, 1},
      {"op=conv,c=24,h=9,w=9,groups=24", 1, 0},    {"op=fc,c=2041,k=1000", 1, 0},
      {"op=conv,c=3,h=9,w=9,k=64,kernel=3", 1, 1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double out[SLOE_LAYER_INPUTS];
    ask(rows[i].layer, 0, out);
    assert_true(out[SLOE_LAYER_INPUT_division + 6] == rows[i].by_8);
    assert_true(out[SLOE_LAYER_INPUT_block + 6] == rows[i].by_16);
  }
}

static void the_staircase_and_the_activation_have_their_places(void **state) {
  (void)state;
  double out[SLOE_LAYER_INPUTS];
  ask("op=fc,c=64,k=10,act=relu", 132, out);
  assert_float_equal(out[SLOE_LAYER_INPUT_stair], log(2), 1e-15);
  for (int i = 0; i < SLOE_SPEC_ACT_COUNT; i++)
    assert_true(out[SLOE_LAYER_INPUT_act + i] == (i == SLOE_SPEC_ACT_RELU));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_vector_s_rest_is_what_whole_steps_leave),
      cmocka_unit_test(what_a_choice_among_kernels_turns_on_is_told_where_there_is_one),
      cmocka_unit_test(a_processor_is_told_which_channels_fill_its_vectors),
      cmocka_unit_test(the_staircase_and_the_activation_have_their_places),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
