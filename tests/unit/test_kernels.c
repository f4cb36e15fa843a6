/* Layers that are the fastest of several kernels, and the clock between a network's layers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "campaign/bench.h"
#include "campaign/kernels.h"
#include "unit/planted_kernels.h"

enum { N = 160, ASKED = 60, TEXT = 96 };
/* `direct` takes strides of 1 alone. */
static int has_direct(const sloe_layer_spec *s) {
  return s->stride[0] == 1 && s->stride[1] == 1;
}

static double planted_ms(const sloe_layer_spec *s) {
  const double tiles = tiles_ms(s);
  return has_direct(s) ? fmin(tiles, direct_ms(s)) : tiles;
}

static sloe_layer_lesson lesson_of(const sloe_layer_spec *s, char text[TEXT]) {
  int len = snprintf(text, TEXT, "tiles:%.4f", tiles_ms(s) * 1e3);
  if (has_direct(s)) snprintf(text + len, TEXT - (size_t)len, " direct:%.4f", direct_ms(s) * 1e3);
  return (sloe_layer_lesson){
      .spec = *s, .stair_ms = planted_stair_ms(s), .kernels = text, .chosen = 1};
}

static void draw_lessons(uint64_t seed, size_t n, sloe_layer_lesson *out, char (*texts)[TEXT]) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < n; i++) {
    const sloe_layer_spec s = draw_dense(&rng);
    out[i] = lesson_of(&s, texts[i]);
  }
}

static sloe_kernel_set *fit(const sloe_layer_lesson *from, size_t n,
                            const sloe_proposals *proposals) {
  const sloe_class class = {
      .lessons = from, .n = n, .units = planted_units, .proposals = proposals};
  sloe_kernel_set *set;
  sloe_error err;
  assert_ok(sloe_kernels_fit(&class, &set, &err), err);
  return set;
}

static sloe_layer_lesson lessons[N], asked[ASKED];
static char texts[N][TEXT], asked_texts[ASKED][TEXT];

static void the_least_of_the_kernels_is_told(void **state) {
  (void)state;
  sloe_kernel_set *set;
  sloe_error err;
  double ms[ASKED], sum = 0, left = 0;
  draw_lessons(1, N, lessons, texts);
  draw_lessons(2, ASKED, asked, asked_texts);
  set = fit(lessons, N, NULL);
  assert_non_null(set);
  assert_ok(sloe_kernels_tell(set, asked, ASKED, ms, NULL, &err), err);
  for (size_t i = 0; i < ASKED; i++) sum += fabs(log(ms[i] / planted_ms(&asked[i].spec)));
  for (size_t i = 0; i < N; i++)
    left += fabs(log(sloe_kernels_left(set, i) / planted_ms(&lessons[i].spec)));
  assert_true(sum / ASKED < 0.12);
  assert_true(left / N < 0.12 && left > 0); /* without itself, so not exactly */
  assert_true(isnan(sloe_kernels_left(set, N)));
  sloe_kernels_free(set);
}

/* A process learns from at most 1,500 layers; of the others it says what they take all the same. */
static void layers_that_a_process_did_not_learn_from_are_told_too(void **state) {
  (void)state;
  enum { MANY = 1650 };
  sloe_kernel_set *set;
  sloe_layer_lesson *many = calloc(MANY, sizeof *many);
  char(*many_texts)[TEXT] = calloc(MANY, sizeof *many_texts);
  double sum = 0;
  assert_non_null(many);
  assert_non_null(many_texts);
  draw_lessons(3, MANY, many, many_texts);
  for (size_t i = 0; i < MANY; i++)
    snprintf(many_texts[i], TEXT, "tiles:%.4f", tiles_ms(&many[i].spec) * 1e3);
  set = fit(many, MANY, NULL);
  for (size_t i = 0; i < MANY; i++)
    sum += fabs(log(sloe_kernels_left(set, i) / tiles_ms(&many[i].spec)));
  assert_true(sum / MANY < 0.12); /* no NAN among them */
  sloe_kernels_free(set);
  free(many);
  free(many_texts);
}

/* Each layer names its own configuration of both kernels: by name none has layers enough. */
static void names_that_differ_in_parameters_alone_are_one_where_they_are_many(void **state) {
  (void)state;
  sloe_kernel_set *set;
  sloe_error err;
  double ms[ASKED], sum = 0;
  draw_lessons(1, N, lessons, texts);
  draw_lessons(2, ASKED, asked, asked_texts);
  for (size_t i = 0; i < N; i++) {
    const sloe_layer_spec *s = &lessons[i].spec;
    int len = snprintf(texts[i], TEXT, "e=1,2=%zu,f:%.4f e=1,3=%zu,f:%.4f", i, tiles_ms(s) * 1e3, i,
                       tiles_ms(s) * 1e4);
    if (has_direct(s))
      snprintf(texts[i] + len, TEXT - (size_t)len, " e=2,2=%zu:%.4f", i, direct_ms(s) * 1e3);
  }
  set = fit(lessons, N, NULL);
  assert_non_null(set);
  assert_ok(sloe_kernels_tell(set, asked, ASKED, ms, NULL, &err), err);
  for (size_t i = 0; i < ASKED; i++) sum += fabs(log(ms[i] / planted_ms(&asked[i].spec)));
  assert_true(sum / ASKED < 0.12);
  sloe_kernels_free(set);
}

/* Whether `far` is tried, a hundred times as fast as the others, no neighbour tells. */
static int has_far(const sloe_layer_spec *s) {
  return (ilogb((double)s->c) / 2 + ilogb((double)s->k) / 2) % 2;
}

static void add_far(sloe_layer_lesson *l, char text[TEXT]) {
  if (!has_far(&l->spec)) return;
  const size_t len = strlen(text);
  snprintf(text + len, TEXT - len, " far:%.6f", planted_ms(&l->spec) * 10);
}

/* The mean |ln(told / true)| of the asked layers. */
static double far_error(const sloe_kernel_set *set) {
  double ms[ASKED], sum = 0;
  sloe_error err;
  assert_ok(sloe_kernels_tell(set, asked, ASKED, ms, NULL, &err), err);
  for (size_t i = 0; i < ASKED; i++) {
    const sloe_layer_spec *s = &asked[i].spec;
    sum += fabs(log(ms[i] / (planted_ms(s) / (has_far(s) ? 100 : 1))));
  }
  return sum / ASKED;
}

static void proposals_tell_where_a_kernel_applies(void **state) {
  (void)state;
  enum { PROPOSED = 8000 };
  sloe_proposals proposals = {.n = PROPOSED};
  sloe_fitted_odds forests[SLOE_LAYER_PROPOSED];
  sloe_layer_lesson *drawn = calloc(PROPOSED, sizeof *drawn);
  char(*drawn_texts)[TEXT] = calloc(PROPOSED, sizeof *drawn_texts);
  proposals.rows = calloc(PROPOSED, sizeof *proposals.rows);
  assert_true(drawn && drawn_texts && proposals.rows);
  draw_lessons(5, PROPOSED, drawn, drawn_texts);
  for (size_t i = 0; i < PROPOSED; i++)
    proposals.rows[i] =
        (sloe_proposal){drawn[i].spec, !has_direct(&drawn[i].spec)
                                           ? (has_far(&drawn[i].spec) ? "tiles far" : "tiles")
                                       : has_far(&drawn[i].spec) ? "tiles direct far"
                                                                 : "direct tiles"};
  draw_lessons(1, N, lessons, texts);
  draw_lessons(2, ASKED, asked, asked_texts);
  for (size_t i = 0; i < N; i++) add_far(&lessons[i], texts[i]);
  sloe_kernel_set *alone = fit(lessons, N, NULL), *with = fit(lessons, N, &proposals);
  const double error_alone = far_error(alone), error_with = far_error(with);
  assert_true(error_alone > 2 && error_with < 1);
  assert_int_equal(sloe_kernels_proposed(alone, forests), 0);
  assert_int_equal(sloe_kernels_proposed(with, forests), 2);
  size_t right = 0; /* what decides most stands first */
  for (size_t i = 0; i < ASKED; i++) {
    float x[SLOE_LAYER_FEATURES];
    sloe_layer_features(&asked[i].spec, NULL, x);
    right += (sloe_fitted_chance(&forests[0], x) > 0.5) == has_far(&asked[i].spec);
  }
  assert_true(right > ASKED * 9 / 10);
  sloe_kernels_free(alone);
  sloe_kernels_free(with);
  proposals.n = 999; /* too few to say more than what was timed */
  with = fit(lessons, N, &proposals);
  assert_int_equal(sloe_kernels_proposed(with, forests), 0);
  sloe_kernels_free(with);
  free(proposals.rows);
  free(drawn);
  free(drawn_texts);
}

/* Planted: `direct` goes by transforms, 16 bytes an element and some more; `tiles` needs nothing.
 */
static void plant_workspace(sloe_layer_lesson *l, size_t n, double bytes) {
  for (size_t i = 0; i < n; i++) {
    const sloe_layer_spec *s = &l[i].spec;
    const int direct = has_direct(s) && direct_ms(s) < tiles_ms(s);
    l[i].workspace_mb =
        direct ? (1 + 0.02 * (double)(i % 3)) * bytes * sloe_layer_half_transforms(s) / 1e6 : 0;
  }
}

static void kernels_that_go_by_transforms_are_told_by_their_workspace(void **state) {
  (void)state;
  double ms[ASKED], transformed[ASKED], none[ASKED], wrong = 0;
  sloe_error err;
  draw_lessons(1, N, lessons, texts);
  draw_lessons(2, ASKED, asked, asked_texts);
  plant_workspace(lessons, N, 16);
  sloe_kernel_set *set = fit(lessons, N, NULL);
  assert_true(fabs(sloe_kernels_transform_bytes(set) / 16.32 - 1) < 0.03);
  assert_ok(sloe_kernels_tell(set, asked, ASKED, ms, transformed, &err), err);
  for (size_t i = 0; i < ASKED; i++) {
    const sloe_layer_spec *s = &asked[i].spec;
    assert_true(transformed[i] >= 0 && transformed[i] <= 1 + 1e-12);
    if (fabs(log(direct_ms(s) / tiles_ms(s))) < 0.3) continue; /* either may be told faster */
    wrong += fabs(transformed[i] - (has_direct(s) && direct_ms(s) < tiles_ms(s)));
  }
  assert_true(wrong / ASKED < 0.1);
  sloe_kernels_free(set);
  /* as much for every layer, not for every element: by no transforms */
  for (size_t i = 0; i < N; i++) lessons[i].workspace_mb = lessons[i].workspace_mb > 0 ? 4 : 0;
  set = fit(lessons, N, NULL);
  assert_true(sloe_kernels_transform_bytes(set) == 0);
  assert_ok(sloe_kernels_tell(set, asked, ASKED, ms, none, &err), err);
  for (size_t i = 0; i < ASKED; i++) assert_true(none[i] == 0);
  sloe_kernels_free(set);
  for (size_t i = 0; i < N; i++) lessons[i].workspace_mb = NAN; /* not known */
  set = fit(lessons, N, NULL);
  assert_true(sloe_kernels_transform_bytes(set) == 0);
  sloe_kernels_free(set);
}

static void without_enough_layers_there_are_no_kernels(void **state) {
  (void)state;
  sloe_kernel_set *set;
  draw_lessons(1, N, lessons, texts);
  set = fit(lessons, 20, NULL);
  assert_null(set);
  for (size_t i = 0; i < N; i++) lessons[i].kernels = "";
  set = fit(lessons, N, NULL);
  assert_null(set);
  for (size_t i = 0; i < N; i++) lessons[i].kernels = "a: :5 b:x c:-1 d";
  set = fit(lessons, N, NULL);
  assert_null(set);
  sloe_kernels_free(NULL);
}

static void layers_of_networks_teach_no_kernel(void **state) {
  (void)state;
  sloe_kernel_set *set;
  draw_lessons(1, N, lessons, texts);
  for (size_t i = 0; i < N; i++) lessons[i].place.in_network = 1;
  set = fit(lessons, N, NULL);
  assert_null(set);
}

static void what_the_clock_takes_is_taken_off_the_layers(void **state) {
  (void)state;
  sloe_bench_point points[] = {
      {.network = 1, .number = 0, .time = 10},
      {.number = 0, .place = {.in_network = 1}, .time = 6},
      {.number = 0, .place = {.in_network = 1}, .time = 7},
      {.number = 0, .place = {.in_network = 1}, .time = 0.5}, /* at most half of it */
      {.network = 1, .number = 1, .time = 10},                /* no more than the whole */
      {.number = 1, .place = {.in_network = 1}, .time = 9},
      {.time = 3}, /* by itself */
  };
  sloe_bench b = {.points = points, .n_points = sizeof points / sizeof *points};
  const double each = (6 + 7 + 0.5 - 10) / 3;
  sloe_error err;
  assert_ok(sloe_bench_unclock(&b, &err), err);
  assert_float_equal(points[1].time, 6 - each, 1e-12);
  assert_float_equal(points[2].time, 7 - each, 1e-12);
  assert_float_equal(points[3].time, 0.25, 1e-12);
  assert_float_equal(points[5].time, 9, 0);
  assert_float_equal(points[6].time, 3, 0);
  assert_float_equal(points[0].time, 10, 0);
}

static void scratch_memory_of_a_network_is_around_its_layers(void **state) {
  (void)state;
  sloe_bench_point points[] = {
      {.network = 1, .number = 0, .workspace_mb = 8},
      {.number = 0, .place = {1, 1000, 10}, .workspace_mb = 100}, /* its own is not looked at */
      {.network = 1, .number = 1, .workspace_mb = NAN},           /* not measured */
      {.number = 1, .place = {1, 1000, 10}},
      {.number = 0, .workspace_mb = 7}, /* by itself */
  };
  sloe_bench b = {.points = points, .n_points = sizeof points / sizeof *points};
  sloe_error err;
  sloe_alloc_fail_after(0);
  assert_int_equal(sloe_bench_place_scratch(&b, 4, &err), SLOE_NOMEM);
  sloe_alloc_fail_after(-1);
  assert_ok(sloe_bench_place_scratch(&b, 4, &err), err);
  assert_int_equal(points[1].place.weights, 1000 + 2000000);
  assert_int_equal(points[1].place.windows, 10 + 2000000);
  assert_int_equal(points[3].place.weights, 1000);
  assert_int_equal(points[4].place.weights, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scratch_memory_of_a_network_is_around_its_layers),
      cmocka_unit_test(the_least_of_the_kernels_is_told),
      cmocka_unit_test(layers_that_a_process_did_not_learn_from_are_told_too),
      cmocka_unit_test(names_that_differ_in_parameters_alone_are_one_where_they_are_many),
      cmocka_unit_test(proposals_tell_where_a_kernel_applies),
      cmocka_unit_test(kernels_that_go_by_transforms_are_told_by_their_workspace),
      cmocka_unit_test(without_enough_layers_there_are_no_kernels),
      cmocka_unit_test(layers_of_networks_teach_no_kernel),
      cmocka_unit_test(what_the_clock_takes_is_taken_off_the_layers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
