/* From points to families and corrections: what the formula planted is found, and nothing is
 * learnt from layers that are held out. */
#include "campaign/fit_layers.h"

#include "base/sort_numbers.h"
#include "estimate/estimate.h"
#include "unit/campaign_points.h"

/* Steps of 32 filters, 8 channels; lines in height and width. */
static const sloe_line_shape SHAPES[] = {
    {{SLOE_SPEC_CONV, SLOE_DENSE, {3, 3}, {1, 1}}, 0, {.width = 32, .slope = 1}},
    {{SLOE_SPEC_CONV, SLOE_DENSE, {3, 3}, {1, 1}}, 1, {.width = 8, .slope = 1}},
};
enum { N_SHAPES = sizeof SHAPES / sizeof *SHAPES };

static sloe_layer_models fit(const sloe_bench *b, size_t n_shapes,
                             const sloe_fit_layers_switches *switches) {
  sloe_layer_models models;
  sloe_error err;
  assert_ok(sloe_fit_layers(b, SHAPES, n_shapes, 1, switches, &models, &err), err);
  return models;
}

/* Dense 3x3 convolutions on a grid that no step divides. */
static void add_grid(sloe_bench *b, const char *split) {
  static const int64_t k[] = {16, 40, 64, 100, 250, 512}, c[] = {3, 12, 60, 130, 300},
                       size[] = {7, 20, 41};
  sloe_layer_spec s = points_spec("op=conv,c=3,h=7,w=7,k=8,kernel=3");
  for (int i = 0; i < 6; i++)
    for (int j = 0; j < 5; j++)
      for (int m = 0; m < 3; m++) {
        s.k = k[i];
        s.c = c[j];
        s.h = s.out[0] = size[m];
        s.w = s.out[1] = size[2 - m] + 9;
        points_add(b, &s, split);
      }
}

/* Mean relative error over every filter count up to 256. */
static double error_along_filters(const sloe_fitted *fitted) {
  sloe_layer_spec s = points_spec("op=conv,c=96,h=28,w=28,k=8,kernel=3");
  double sum = 0;
  for (s.k = 17; s.k <= 256; s.k++) {
    int exact;
    sum += fabs(sloe_estimate_staircase(fitted, &s, &exact) / points_ms(&s) - 1);
    assert_true(exact);
  }
  return sum / 240;
}

static void the_planted_staircase_is_found(void **state) {
  const sloe_fit_layers_switches no_steps = {.no_steps = 1};
  sloe_bench *b = points_new();
  (void)state;
  add_grid(b, sloe_split_design);
  sloe_layer_models stepped = fit(b, N_SHAPES, NULL), straight = fit(b, N_SHAPES, &no_steps);
  const double with = error_along_filters(&stepped.fitted),
               without = error_along_filters(&straight.fitted);
  if (with > 0.015 || without < 2 * with) fail_msg("with steps %g, without %g", with, without);
  assert_int_equal(stepped.fitted.families[0].stair.shape[0].width, 32);
  assert_int_equal(straight.fitted.families[0].stair.shape[0].width, 0);
  assert_int_equal(stepped.fitted.families[0].points, 90);
  sloe_layer_models_fini(&stepped);
  sloe_layer_models_fini(&straight);
  points_close(b);
}

/* The formula has no steps of 24: what fits worse than straight lines is left out. */
static void steps_that_do_not_fit_the_points_are_left_out(void **state) {
  static const sloe_line_shape wrong = {
      {SLOE_SPEC_CONV, SLOE_DENSE, {3, 3}, {1, 1}}, 0, {.width = 700}};
  sloe_bench *b = points_new();
  sloe_layer_models models;
  sloe_error err;
  (void)state;
  add_grid(b, sloe_split_design);
  assert_ok(sloe_fit_layers(b, &wrong, 1, 1, NULL, &models, &err), err);
  assert_int_equal(models.fitted.families[0].stair.shape[0].width, 0);
  assert_int_equal(models.fitted.families[0].stair.shape[0].slope, 1);
  sloe_layer_models_fini(&models);
  points_close(b);
}

static double error_on(const sloe_bench *b, const sloe_fitted *fitted, const char *split) {
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < b->n_points; i++) {
    const sloe_bench_point *p = &b->points[i];
    if (strcmp(p->split, split) != 0 || p->refused) continue;
    sum += fabs(sloe_estimate_layer_ms(fitted, &p->spec, NULL) / p->time - 1);
    n++;
  }
  return sum / (double)n;
}

/* Steps over widths of 64 and more, below a line that reaches zero at 30: narrower images were
   measured of one channel alone. */
static void steps_that_leave_next_to_nothing_somewhere_are_left_out(void **state) {
  static const int64_t c[] = {1, 8, 40, 200}, w[] = {31, 40, 45, 50, 56, 64, 96, 128, 160, 256};
  const sloe_line_shape shape = {
      {SLOE_SPEC_CONV, SLOE_DENSE, {3, 3}, {1, 1}}, 3, {.width = 32, .start = 64}};
  const sloe_fit_layers_switches bare = {.no_correction = 1};
  sloe_layer_spec s = points_spec("op=conv,c=3,h=20,w=7,k=32,kernel=3");
  sloe_bench *b = points_new();
  sloe_layer_models models;
  sloe_error err;
  int exact;
  (void)state;
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 10; j++) {
      const double width = (double)w[j], steps = width < 64 ? width - 30 : 17 * ceil(width / 32);
      s.c = c[i];
      s.w = s.out[1] = w[j];
      if (width < 40 && s.c > 1) continue;
      points_add(b, &s, sloe_split_design)->time = steps * (double)s.c;
    }
  assert_ok(sloe_fit_layers(b, &shape, 1, 1, &bare, &models, &err), err);
  s.c = 200, s.w = s.out[1] = 31;
  const double narrow = sloe_estimate_staircase(&models.fitted, &s, &exact);
  s.w = s.out[1] = 62;
  const double twice = sloe_estimate_staircase(&models.fitted, &s, &exact);
  print_message("%g, twice as wide %g\n", narrow, twice);
  assert_true(exact && narrow > twice / 5);
  sloe_layer_models_fini(&models);
  points_close(b);
}

static void the_correction_learns_what_staircases_leave(void **state) {
  const sloe_fit_layers_switches alone = {.no_correction = 1};
  sloe_bench *b = points_new();
  (void)state;
  points_draw(b, 500, 3, "conv", sloe_split_design);
  points_draw(b, 100, 4, "conv", sloe_split_held_out);
  sloe_layer_models whole = fit(b, N_SHAPES, NULL), stairs = fit(b, N_SHAPES, &alone);
  const double with = error_on(b, &whole.fitted, sloe_split_held_out),
               without = error_on(b, &stairs.fitted, sloe_split_held_out);
  if (with > 0.9 * without) fail_msg("with corrections %g, without %g", with, without);
  sloe_layer_models_fini(&whole);
  sloe_layer_models_fini(&stairs);
  points_close(b);
}

static void times_are_milliseconds_while_the_reference_takes_its_own(void **state) {
  const sloe_layer_spec spec = points_spec("op=conv,c=96,h=28,w=28,k=64,kernel=3");
  sloe_bench *b = points_new();
  sloe_layer_models one, two;
  sloe_error err;
  (void)state;
  add_grid(b, sloe_split_design);
  const sloe_fit_layers_switches alone = {.no_teacher = 1}; /* it knows microseconds */
  assert_ok(sloe_fit_layers(b, SHAPES, N_SHAPES, 1, &alone, &one, &err), err);
  assert_ok(sloe_fit_layers(b, SHAPES, N_SHAPES, 2, &alone, &two, &err), err);
  const double ratio = sloe_estimate_layer_ms(&two.fitted, &spec, NULL) /
                       sloe_estimate_layer_ms(&one.fitted, &spec, NULL);
  assert_true(fabs(ratio - 2) < 1e-6);
  assert_true(two.fitted.reference_ms == 2);
  sloe_layer_models_fini(&one);
  sloe_layer_models_fini(&two);
  points_close(b);
}

/* Short layers count by their least run; what is longer, or in a network, keeps its median. */
static void medians_of_short_layers_that_double_are_steadied(void **state) {
  const sloe_layer_spec spec = points_spec("op=copy,c=8,h=4,w=4");
  sloe_bench *b = points_new();
  sloe_error err;
  (void)state;
  for (int i = 0; i < 12; i++) {
    sloe_bench_point *p = points_add(b, &spec, sloe_split_design);
    p->least = i < 10 ? 0.004 + 0.0002 * i : 0.5;
    p->time = p->least * (i % 2 ? 3 : 1.1);
    p->least_again = p->least;
    p->again = p->least * 2;
    p->place.in_network = i == 8;
  }
  assert_ok(sloe_bench_steady(b, &err), err);
  for (int i = 0; i < 12; i++) {
    const sloe_bench_point *p = &b->points[i];
    const double own = i % 2 ? 3 : 1.1, ratio = i < 8 || i == 9 ? 1.1 : own;
    if (fabs(p->time / p->least - ratio) > 1e-9) fail_msg("%d: %g", i, p->time / p->least);
    assert_true(fabs(p->again / p->least - (i < 8 || i == 9 ? 1.1 : 2)) < 1e-9);
  }
  points_close(b);
}

/* ---- teachers, and places in networks ---- */

static void a_teacher_leaves_less_than_trees_by_themselves(void **state) {
  const sloe_fit_layers_switches alone = {.no_teacher = 1};
  sloe_bench *b = points_new();
  (void)state;
  points_draw(b, 400, 3, "conv", sloe_split_design);
  points_draw(b, 200, 4, "conv", sloe_split_held_out);
  sloe_layer_models taught = fit(b, N_SHAPES, NULL), trees = fit(b, N_SHAPES, &alone);
  const double with = error_on(b, &taught.fitted, sloe_split_held_out),
               without = error_on(b, &trees.fitted, sloe_split_held_out);
  if (with > 0.98 * without) fail_msg("with a teacher %g, without %g", with, without);
  sloe_layer_models_fini(&taught);
  sloe_layer_models_fini(&trees);
  points_close(b);
}

/* Beside others layers take a power of what a move of memory takes longer: pointwise ones the whole
   of it, others nothing. */
static double median_off(const sloe_fitted *fitted, uint64_t seed) {
  enum { ASKED = 301 };
  double off[ASKED];
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (int i = 0; i < ASKED; i++) {
    sloe_layer_spec spec;
    do assert_true(sloe_design_draw(&rng, "conv", NULL, &spec));
    while (spec.groups > 1 || spec.kernel[0] * spec.kernel[1] > 1);
    off[i] = sloe_estimate_layer_ms(fitted, &spec, NULL) / points_ms(&spec) - 1;
  }
  sloe_sort_doubles(off, ASKED);
  return off[ASKED / 2];
}

static void layers_are_told_as_on_a_quiet_machine(void **state) {
  sloe_bench *b = points_new();
  sloe_rng rng;
  (void)state;
  sloe_rng_seed(&rng, 5);
  points_draw(b, 900, 21, "conv", sloe_split_design);
  for (size_t i = 0; i < b->n_points; i++) {
    sloe_bench_point *p = &b->points[i];
    const int is_quiet = i % 5 == 0, is_pointwise = p->spec.kernel[0] * p->spec.kernel[1] == 1;
    const double longer = is_quiet ? 1 : 1 + sloe_rng_uniform(&rng);
    p->move_ms = 0.9 * longer;
    if (is_pointwise) p->time *= longer;
  }
  sloe_layer_models known = fit(b, 0, NULL);
  for (size_t i = 0; i < b->n_points; i++) b->points[i].move_ms = NAN;
  sloe_layer_models unknown = fit(b, 0, NULL);
  const double off = median_off(&known.fitted, 22), was = median_off(&unknown.fitted, 22);
  print_message("told %g too slow, without knowing %g\n", off, was);
  assert_true(fabs(off) < 0.08 && was > 0.2);
  sloe_layer_models_fini(&known);
  sloe_layer_models_fini(&unknown);
  points_close(b);
}

/* In network `number` of few weights layers take 0.7 of their time, in one of many as long. */
static void add_in_networks(sloe_bench *b, size_t n, uint64_t seed) {
  const size_t from = b->n_points;
  points_draw(b, n, seed, "conv", sloe_split_in_network);
  for (size_t i = from; i < b->n_points; i++) {
    sloe_bench_point *p = &b->points[i];
    p->number = (i - from) * 10 / n;
    const uint64_t weights = p->number % 2 ? 1000000 : 60000000;
    p->place = (sloe_layer_place){1, weights, 500000, weights};
    if (p->number % 2) p->time *= 0.7;
  }
}

/* Mean of estimates over times, of the layers of networks with few or many weights. */
static double ratio_in(const sloe_bench *b, const sloe_fitted *fitted, int small) {
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < b->n_points; i++) {
    const sloe_bench_point *p = &b->points[i];
    if (!p->place.in_network || p->number % 2 != (size_t)small) continue;
    sum += log(sloe_estimate_layer_ms(fitted, &p->spec, &p->place) / points_ms(&p->spec));
    n++;
  }
  return exp(sum / (double)n);
}

static void a_place_in_a_network_is_learnt_and_layers_alone_are_left(void **state) {
  const sloe_fit_layers_switches none = {.no_networks = 1};
  sloe_bench *b = points_new();
  (void)state;
  points_draw(b, 300, 3, "conv", sloe_split_design);
  points_draw(b, 100, 4, "conv", sloe_split_held_out);
  add_in_networks(b, 200, 5);
  sloe_layer_models with = fit(b, N_SHAPES, NULL), without = fit(b, N_SHAPES, &none);
  const double small = ratio_in(b, &with.fitted, 1), large = ratio_in(b, &with.fitted, 0);
  if (fabs(small - 0.7) > 0.05 || fabs(large - 1) > 0.05) fail_msg("%g, %g", small, large);
  assert_true(fabs(ratio_in(b, &without.fitted, 1) - 1) < 0.05);
  const double alone = error_on(b, &with.fitted, sloe_split_held_out),
               only = error_on(b, &without.fitted, sloe_split_held_out);
  if (alone > 1.2 * only) fail_msg("layers alone: %g, without networks %g", alone, only);
  sloe_layer_models_fini(&with);
  sloe_layer_models_fini(&without);
  points_close(b);
}

/* Layers by themselves in batches up to 8; those of networks, of one image, take twice as long. */
static void add_batches(sloe_bench *b) {
  points_draw(b, 500, 3, "conv", sloe_split_design);
  for (size_t i = 0; i < b->n_points; i++) {
    sloe_bench_point *p = &b->points[i];
    p->spec.n = 1 + (int64_t)(i % 8);
    p->time = points_ms(&p->spec);
  }
  const size_t from = b->n_points;
  points_draw(b, 250, 5, "conv", sloe_split_in_network);
  for (size_t i = from; i < b->n_points; i++) {
    b->points[i].number = i % 10;
    b->points[i].place = (sloe_layer_place){1, 60000000, 500000, 60000000};
    b->points[i].time *= 2;
  }
}

/* Mean of estimates over as much time as by themselves and, once, what the place adds. */
static double ratio_of_batch(const sloe_bench *b, const sloe_fitted *fitted, int64_t batch) {
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < b->n_points; i++) {
    const sloe_bench_point *p = &b->points[i];
    sloe_layer_spec spec = p->spec;
    if (!p->place.in_network) continue;
    spec.n = batch;
    sum += log(sloe_estimate_layer_ms(fitted, &spec, &p->place) /
               (points_ms(&spec) + points_ms(&p->spec)));
    n++;
  }
  return exp(sum / (double)n);
}

static void a_place_adds_as_much_time_to_a_batch_as_to_one_image(void **state) {
  sloe_bench *b = points_new();
  (void)state;
  add_batches(b);
  sloe_layer_models models = fit(b, N_SHAPES, NULL);
  const double one = ratio_of_batch(b, &models.fitted, 1),
               many = ratio_of_batch(b, &models.fitted, 8);
  if (fabs(one - 1) > 0.08 || fabs(many - 1) > 0.15) fail_msg("of one %g, of eight %g", one, many);
  sloe_layer_models_fini(&models);
  points_close(b);
}

/* What is left out by its number tells nothing: other times there, the same models. */
static void a_network_that_is_left_out_changes_nothing(void **state) {
  sloe_bench *b = points_new();
  (void)state;
  points_draw(b, 60, 3, "conv", sloe_split_design);
  add_in_networks(b, 100, 5);
  const sloe_fit_layers_switches second = {.folds = 5, .fold = 2};
  sloe_layer_models before = fit(b, N_SHAPES, &second);
  sloe_text was = points_bytes(&before.fitted);
  for (size_t i = 0; i < b->n_points; i++)
    if (b->points[i].place.in_network && b->points[i].number % 5 == 2) b->points[i].time *= 3;
  sloe_layer_models after = fit(b, N_SHAPES, &second), all = fit(b, N_SHAPES, NULL);
  sloe_text is = points_bytes(&after.fitted), seen = points_bytes(&all.fitted);
  assert_int_equal(is.len, was.len);
  assert_memory_equal(is.data, was.data, was.len);
  assert_true(seen.len != was.len || memcmp(seen.data, was.data, was.len) != 0);
  sloe_text_fini(&was);
  sloe_text_fini(&is);
  sloe_text_fini(&seen);
  sloe_layer_models_fini(&before);
  sloe_layer_models_fini(&after);
  sloe_layer_models_fini(&all);
  points_close(b);
}

/* ---- held out ---- */

/* Whatever held-out layers take, and whether they can be had: the platform is the same bytes. */
static void held_out_layers_change_nothing(void **state) {
  sloe_bench *b = points_new();
  sloe_rng rng;
  (void)state;
  points_draw(b, 300, 5, NULL, sloe_split_design);
  points_draw(b, 60, 6, NULL, sloe_split_held_out);
  sloe_layer_models models = fit(b, N_SHAPES, NULL);
  sloe_text first = points_bytes(&models.fitted);
  sloe_layer_models_fini(&models);
  sloe_rng_seed(&rng, 9);
  for (int round = 0; round < 3; round++) {
    for (size_t i = 0; i < b->n_points; i++) {
      sloe_bench_point *p = &b->points[i];
      if (!sloe_is_held_out(p)) continue;
      p->time = exp(5 * sloe_rng_normal(&rng));
      p->p75 = 1 + sloe_rng_uniform(&rng);
      p->refused = round == 2;
    }
    models = fit(b, N_SHAPES, NULL);
    sloe_text again = points_bytes(&models.fitted);
    assert_int_equal(again.len, first.len);
    assert_memory_equal(again.data, first.data, first.len);
    sloe_text_fini(&again);
    sloe_layer_models_fini(&models);
  }
  sloe_text_fini(&first);
  points_close(b);
}

static void refused_layers_and_networks_are_no_layers(void **state) {
  sloe_bench *b = points_new();
  (void)state;
  add_grid(b, sloe_split_design);
  sloe_layer_models models = fit(b, N_SHAPES, NULL);
  sloe_text first = points_bytes(&models.fitted);
  sloe_layer_models_fini(&models);
  points_draw(b, 20, 8, NULL, sloe_split_design);
  for (size_t i = 90; i < b->n_points; i++) {
    b->points[i].refused = i % 2 == 0;
    b->points[i].network = i % 2 == 1;
  }
  models = fit(b, N_SHAPES, NULL);
  sloe_text again = points_bytes(&models.fitted);
  assert_int_equal(again.len, first.len);
  assert_memory_equal(again.data, first.data, first.len);
  sloe_text_fini(&first);
  sloe_text_fini(&again);
  sloe_layer_models_fini(&models);
  points_close(b);
}

/* ---- what comes out ---- */

static void models_are_in_the_order_in_which_they_are_looked_up(void **state) {
  sloe_bench *b = points_new();
  (void)state;
  points_draw(b, 600, 10, NULL, sloe_split_design);
  sloe_layer_models models = fit(b, N_SHAPES, NULL);
  const sloe_fitted *f = &models.fitted;
  for (size_t i = 1; i < f->n_families; i++)
    assert_true(sloe_fitted_key_order(&f->families[i - 1].key, &f->families[i].key) < 0);
  for (size_t i = 0; i < b->n_points; i++) { /* whatever was measured has an answer */
    const sloe_layer_key key = sloe_layer_key_of(&b->points[i].spec);
    assert_non_null(sloe_fitted_find_op(f, key.op, key.grouping));
    assert_true(sloe_estimate_layer_ms(f, &b->points[i].spec, NULL) > 0);
  }
  sloe_layer_models_fini(&models);
  points_close(b);
}

static void an_op_of_a_single_point_is_a_constant(void **state) {
  const sloe_layer_spec spec = points_spec("op=lrn,c=64,h=20,w=20");
  sloe_bench *b = points_new();
  (void)state;
  points_add(b, &spec, sloe_split_design);
  sloe_layer_models models = fit(b, 0, NULL);
  assert_int_equal(models.fitted.n_families, 1);
  assert_true(fabs(sloe_estimate_layer_ms(&models.fitted, &spec, NULL) / points_ms(&spec) - 1) <
              1e-3);
  sloe_layer_models_fini(&models);
  points_close(b);
}

static void the_domain_is_what_was_measured(void **state) {
  sloe_bench *b = points_new();
  (void)state;
  add_grid(b, sloe_split_design);
  sloe_layer_models models = fit(b, N_SHAPES, NULL);
  const sloe_fitted_op *op = &models.fitted.ops[0];
  const sloe_stair_model *stair = &models.fitted.families[0].stair;
  assert_true(fabsf(op->lo[SLOE_LAYER_FEATURE_log_k] - logf(16)) < 1e-5f);
  assert_true(fabsf(op->hi[SLOE_LAYER_FEATURE_log_k] - logf(512)) < 1e-5f);
  assert_true(stair->lo[0] == 16 && stair->hi[0] == 512 && stair->lo[1] == 3);
  assert_true(op->p75 == 1.01 && op->p97_5 == 1.05 && op->error_90 > 0);
  sloe_layer_models_fini(&models);
  points_close(b);
}

/* ---- failing ---- */

static void nothing_measured_is_nothing_to_fit(void **state) {
  sloe_bench *b = points_new();
  sloe_layer_models models;
  sloe_error err;
  (void)state;
  assert_refused(sloe_fit_layers(b, NULL, 0, 1, NULL, &models, &err), SLOE_UNSUPPORTED, err,
                 "nothing to fit");
  points_draw(b, 30, 1, NULL, sloe_split_held_out);
  assert_refused(sloe_fit_layers(b, NULL, 0, 1, NULL, &models, &err), SLOE_UNSUPPORTED, err,
                 "nothing to fit");
  sloe_layer_models_fini(&models);
  points_close(b);
}

static void every_allocation_may_fail(void **state) {
  sloe_bench *b = points_new();
  (void)state;
  points_draw(b, 40, 2, "conv", sloe_split_design);
  const long live = sloe_alloc_live();
  for (long n = 0;; n += 1 + n / 20) {
    sloe_layer_models models;
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    const sloe_status status = sloe_fit_layers(b, SHAPES, N_SHAPES, 1, NULL, &models, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_OK) {
      sloe_layer_models_fini(&models);
      break;
    }
    assert_int_equal(status, SLOE_NOMEM);
    assert_true(*err.msg);
    assert_int_equal(sloe_alloc_live(), live);
  }
  assert_int_equal(sloe_alloc_live(), live);
  points_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_planted_staircase_is_found),
      cmocka_unit_test(steps_that_do_not_fit_the_points_are_left_out),
      cmocka_unit_test(steps_that_leave_next_to_nothing_somewhere_are_left_out),
      cmocka_unit_test(the_correction_learns_what_staircases_leave),
      cmocka_unit_test(times_are_milliseconds_while_the_reference_takes_its_own),
      cmocka_unit_test(medians_of_short_layers_that_double_are_steadied),
      cmocka_unit_test(a_teacher_leaves_less_than_trees_by_themselves),
      cmocka_unit_test(layers_are_told_as_on_a_quiet_machine),
      cmocka_unit_test(a_place_in_a_network_is_learnt_and_layers_alone_are_left),
      cmocka_unit_test(a_place_adds_as_much_time_to_a_batch_as_to_one_image),
      cmocka_unit_test(a_network_that_is_left_out_changes_nothing),
      cmocka_unit_test(held_out_layers_change_nothing),
      cmocka_unit_test(refused_layers_and_networks_are_no_layers),
      cmocka_unit_test(models_are_in_the_order_in_which_they_are_looked_up),
      cmocka_unit_test(an_op_of_a_single_point_is_a_constant),
      cmocka_unit_test(the_domain_is_what_was_measured),
      cmocka_unit_test(nothing_measured_is_nothing_to_fit),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
