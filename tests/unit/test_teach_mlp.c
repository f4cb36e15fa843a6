/* The MLP of an op: what its teachers told comes back, beyond it the ends, and nothing leaks. */
#include <math.h>

#include "base/alloc.h"
#include "campaign/teach_mlp.h"
#include "fit/gauss.h"
#include "unit/planted_kernels.h"

enum { N = 800, ASKED = 200, ARENA = 1 << 24 };
static double planted_ms(const sloe_layer_spec *s) {
  return fmin(tiles_ms(s), direct_ms(s));
}

static void draw_lessons(uint64_t seed, size_t n, sloe_layer_lesson *out) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < n; i++) {
    const sloe_layer_spec s = draw_dense(&rng);
    const double stair_ms = planted_stair_ms(&s);
    out[i] = (sloe_layer_lesson){.spec = s,
                                 .stair_ms = stair_ms,
                                 .y = log(planted_ms(&s) / stair_ms),
                                 .kernels = "",
                                 .chosen = 1};
  }
}

static double told(const sloe_fitted_op *op, const sloe_layer_spec *s, double stair_ms) {
  float x[SLOE_LAYER_FEATURES];
  sloe_fitted_features(op, s, NULL, x);
  return sloe_fitted_correction(op, s, stair_ms, x);
}

static sloe_layer_lesson lessons[N], asked[ASKED];

static void what_was_told_is_said_of_other_layers(void **state) {
  (void)state;
  sloe_arena arena;
  sloe_fitted_op op = {.op = SLOE_SPEC_CONV}, again = op;
  sloe_error err;
  double sum = 0, spread = 0, mean = 0;
  sloe_arena_init(&arena, ARENA);
  draw_lessons(1, N, lessons);
  draw_lessons(2, ASKED, asked);
  assert_ok(sloe_teach_mlp(lessons, N, planted_units, &op, &arena, &err), err);
  assert_ok(sloe_teach_mlp(lessons, N, planted_units, &again, &arena, &err), err);
  for (size_t i = 0; i < ASKED; i++) mean += asked[i].y / ASKED;
  for (size_t i = 0; i < ASKED; i++) {
    const double said = told(&op, &asked[i].spec, asked[i].stair_ms);
    sum += fabs(said - asked[i].y) / ASKED;
    spread += fabs(asked[i].y - mean) / ASKED;
    assert_true(said == told(&again, &asked[i].spec, asked[i].stair_ms));
    assert_true(said >= op.mlp.least && said <= op.mlp.most);
  }
  if (!(sum < 0.25 * spread)) fail_msg("off by %g, a constant by %g", sum, spread);
  sloe_arena_fini(&arena);
}

static void a_process_can_be_told_every_input(void **state) {
  (void)state;
  const unsigned all = SLOE_TEACH_BLOCKS | SLOE_TEACH_ROUNDS | SLOE_TEACH_PROPOSED;
  for (unsigned taste = SLOE_TEACH_PLAIN; taste <= all; taste++)
    assert_in_range(sloe_teach_inputs_of(taste, planted_units).n, 1, SLOE_GAUSS_INPUTS);
}

static void what_is_alike_in_all_layers_is_no_input(void **state) {
  (void)state;
  sloe_arena arena;
  sloe_fitted_op op = {.op = SLOE_SPEC_CONV};
  sloe_error err;
  sloe_arena_init(&arena, ARENA);
  draw_lessons(3, 60, lessons);
  for (size_t i = 0; i < 60; i++) lessons[i].spec.act = SLOE_SPEC_ACT_RELU;
  assert_ok(sloe_teach_mlp(lessons, 60, planted_units, &op, &arena, &err), err);
  assert_true(op.mlp.body.width[0] > 20);
  for (uint32_t i = 0; i < op.mlp.body.width[0]; i++) {
    assert_true(op.mlp.input[i] < SLOE_LAYER_INPUT_act ||
                op.mlp.input[i] > SLOE_LAYER_INPUT_act_last);
    assert_true(op.mlp.input[i] != SLOE_LAYER_FEATURE_in_network);
    assert_true(op.mlp.lo[i] < op.mlp.hi[i]);
    assert_true(!i || op.mlp.input[i - 1] < op.mlp.input[i]);
  }
  sloe_arena_fini(&arena);
}

static void layers_that_are_all_alike_teach_nothing(void **state) {
  (void)state;
  sloe_arena arena;
  sloe_fitted_op op = {.op = SLOE_SPEC_CONV};
  sloe_error err;
  sloe_arena_init(&arena, ARENA);
  draw_lessons(4, 1, lessons);
  for (size_t i = 1; i < 30; i++) lessons[i] = lessons[0];
  assert_refused(sloe_teach_mlp(lessons, 30, planted_units, &op, &arena, &err), SLOE_UNSUPPORTED,
                 err, "alike");
  assert_int_equal(op.mlp.body.n_layers, 0);
  sloe_arena_fini(&arena);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  enum { FEW = 20 };
  const long live = sloe_alloc_live();
  draw_lessons(5, FEW, lessons);
  for (long n = 0, done = 0; !done; n++) {
    sloe_arena arena;
    sloe_fitted_op op = {.op = SLOE_SPEC_CONV};
    sloe_error err;
    sloe_arena_init(&arena, ARENA);
    sloe_alloc_fail_after(n);
    const sloe_status status = sloe_teach_mlp(lessons, FEW, planted_units, &op, &arena, &err);
    sloe_alloc_fail_after(-1);
    done = status == SLOE_OK;
    if (!done) assert_int_equal(status, SLOE_NOMEM);
    if (!done) assert_int_equal(op.mlp.body.n_layers, 0);
    sloe_arena_fini(&arena);
    assert_int_equal(sloe_alloc_live(), live);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_told_is_said_of_other_layers),
      cmocka_unit_test(a_process_can_be_told_every_input),
      cmocka_unit_test(what_is_alike_in_all_layers_is_no_input),
      cmocka_unit_test(layers_that_are_all_alike_teach_nothing),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
