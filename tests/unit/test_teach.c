/* A teacher of more layers than its process takes. */
#include <math.h>

#include "base/alloc.h"
#include "campaign/teach.h"
#include "estimate/estimate.h"
#include "unit/planted_kernels.h"

enum { N = 400, ASKED = 150, TAKEN = 160, ARENA = 1 << 26 };

/* One staircase for all convolutions: what they take beyond their kernels' area is to be taught. */
static const sloe_fitted_family FLAT = {.key = {SLOE_SPEC_CONV, SLOE_DENSE, {3, 3}, {1, 1}},
                                        .points = N,
                                        .stair = {.n_dims = 4,
                                                  .n_coefs = 1,
                                                  .lo = {1, 1, 1, 1},
                                                  .hi = {9999, 9999, 9999, 9999},
                                                  .coef = {0.05}}};
static const sloe_fitted FITTED = {.families = &FLAT, .n_families = 1};

static void draw_lessons(uint64_t seed, size_t n, sloe_layer_lesson *out) {
  sloe_rng rng;
  int exact;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < n; i++) {
    const sloe_layer_spec s = draw_dense(&rng);
    const double stair_ms = sloe_estimate_staircase(&FITTED, &s, &exact);
    out[i] = (sloe_layer_lesson){.spec = s,
                                 .stair_ms = stair_ms,
                                 .y = log(direct_ms(&s) / stair_ms),
                                 .kernels = "",
                                 .workspace_mb = NAN};
  }
}

static sloe_layer_lesson lessons[N], asked[ASKED];

/* |told - true| over |true - mean|, of layers that were not taught from. */
static double error_of(const sloe_fitted_op *op) {
  double sum = 0, spread = 0, mean = 0;
  for (size_t i = 0; i < ASKED; i++) mean += asked[i].y / ASKED;
  for (size_t i = 0; i < ASKED; i++) {
    float x[SLOE_LAYER_FEATURES];
    sloe_fitted_features(op, &asked[i].spec, NULL, x);
    sum += fabs(sloe_fitted_correction(op, &asked[i].spec, asked[i].stair_ms, x) - asked[i].y);
    spread += fabs(asked[i].y - mean);
  }
  return sum / spread;
}

/* In a third of the lessons a network doubles what the layer takes. */
static void a_process_takes_an_even_part_of_more_lessons_than_it_holds(void **state) {
  const long live = sloe_alloc_live();
  (void)state;
  draw_lessons(1, N, lessons);
  draw_lessons(2, ASKED, asked);
  for (size_t i = 2; i < N; i += 3) {
    lessons[i].place.in_network = 1;
    lessons[i].y += log(2);
  }
  for (size_t most = TAKEN; most <= N; most += N - TAKEN) {
    sloe_arena arena;
    sloe_teacher_shape shape = {0};
    sloe_fitted_op op = {.op = SLOE_SPEC_CONV};
    sloe_boost boost;
    sloe_odds transformed;
    sloe_error err;
    sloe_arena_init(&arena, ARENA);
    const sloe_class class = {.fitted = &FITTED,
                              .lessons = lessons,
                              .n = N,
                              .units = planted_units,
                              .most = most,
                              .arena = &arena};
    assert_ok(sloe_teach(&class, &shape, &op, &boost, &transformed, &err), err);
    op.forest = boost.forest;
    const double error = error_of(&op);
    print_message("%zu: %g, 90 %% within %g\n", most, error, op.error_90);
    if (!(error < 0.4)) fail_msg("%zu lessons: %g of what a constant leaves", most, error);
    assert_true(op.error_90 > 0 &&
                op.error_90 < 0.5); /* of unlike lessons it would be 1 and more */
    sloe_boost_fini(&boost);
    sloe_odds_fini(&transformed);
    sloe_arena_fini(&arena);
  }
  assert_int_equal(sloe_alloc_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_process_takes_an_even_part_of_more_lessons_than_it_holds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
