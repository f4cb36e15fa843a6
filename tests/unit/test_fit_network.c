/* What held-out layers and networks say of the models: planted corrections and errors come back. */
#include "campaign/fit_network.h"

#include "unit/campaign_points.h"

/* A convolution takes a millisecond for each filter, anything else is not known. */
static const sloe_fitted_family CONV = {.key = {SLOE_SPEC_CONV, SLOE_DENSE, {1, 1}, {1, 1}},
                                        .points = 9,
                                        .stair = {.n_dims = 1,
                                                  .n_coefs = 2,
                                                  .lo = {1},
                                                  .hi = {512},
                                                  .shape = {{.slope = 1}},
                                                  .coef = {0, 1}}};
static const sloe_fusion FUSION = {.runtime = SLOE_RUNTIME_ONEDNN};

static sloe_fitted models(const sloe_fitted_op *op) {
  return (sloe_fitted){
      .reference_ms = 1, .families = &CONV, .n_families = 1, .ops = op, .n_ops = op != NULL};
}

/* A net of one convolution of `k` filters that takes `ms`. */
static sloe_bench_point *add_net(sloe_bench *b, int64_t k, double ms) {
  sloe_layer_spec spec = points_spec("op=conv,c=4,h=5,w=5,k=2");
  char text[SLOE_SPEC_TEXT];
  spec.k = k;
  sloe_bench_point *p = points_add(b, &spec, sloe_split_held_out);
  p->key = sloe_arena_printf(&b->arena, "%s", sloe_layer_spec_print(&spec, text));
  assert_non_null(p->key);
  p->network = 1;
  p->time = ms;
  return p;
}

static sloe_fitted fit(const sloe_bench *b) {
  sloe_fitted fitted = models(NULL);
  sloe_error err;
  assert_ok(sloe_fit_network(b, &FUSION, NULL, 0, &fitted, &err), err);
  return fitted;
}

static void assert_near(double value, double wanted) {
  if (!(fabs(value - wanted) <= 1e-6 * fmax(1, fabs(wanted))))
    fail_msg("%.9g is not %.9g", value, wanted);
}

/* ---- networks ---- */

static void a_planted_factor_and_time_per_layer_come_back(void **state) {
  static const int64_t k[] = {10, 20, 35, 50, 80, 120, 200, 300};
  sloe_bench *b = points_new();
  (void)state;
  for (int i = 0; i < 8; i++) add_net(b, k[i], 1.5 * (double)k[i] + 7);
  const sloe_fitted f = fit(b);
  assert_near(f.network.scale, 1.5);
  assert_near(f.network.per_layer_ms, 7);
  assert_true(f.network_errors.n == 8 && f.network_errors.max_ape < 1e-4);
  assert_true(f.network.error_90 < 1e-6);
  points_close(b);
}

static void without_a_time_per_layer_there_is_none(void **state) {
  static const int64_t k[] = {10, 20, 35, 50, 80, 120, 200, 300};
  sloe_bench *b = points_new();
  (void)state;
  for (int i = 0; i < 8; i++) add_net(b, k[i], (i % 2 ? 1.21 : 1.19) * (double)k[i]);
  const sloe_fitted f = fit(b);
  assert_true(f.network.per_layer_ms == 0 && fabs(f.network.scale - 1.2) < 0.01);
  points_close(b);
}

/* Beside others networks take the root of what a move of memory takes longer. */
static void what_others_took_is_taken_off_networks(void **state) {
  static const double move[] = {1, 1, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.7, 2};
  sloe_bench *b = points_new();
  (void)state;
  for (int64_t i = 0; i < 10; i++)
    add_net(b, 10 + 7 * (i * 3 % 10), 2 * (double)(10 + 7 * (i * 3 % 10)) * sqrt(move[i]))
        ->move_ms = 0.8 * move[i];
  const sloe_fitted f = fit(b);
  assert_near(f.network.scale, 2);
  assert_true(f.network_errors.n == 10 && f.network_errors.max_ape < 1e-4);
  for (size_t i = 0; i < b->n_points; i++) b->points[i].move_ms = NAN; /* not known */
  assert_true(fit(b).network.scale > 2.2);
  points_close(b);
}

/* Nine networks take twice the sum of their layers, one four times: the others know nothing of it,
   so it is judged by a factor of exactly 2. */
static void each_network_is_judged_without_itself(void **state) {
  sloe_bench *b = points_new();
  (void)state;
  for (int64_t i = 1; i <= 10; i++) add_net(b, 10 * i, (i == 4 ? 4. : 2.) * (double)(10 * i));
  const sloe_fitted f = fit(b);
  assert_near(f.network_errors.max_ape, 50);
  assert_true(f.network_errors.mape > 5 && f.network_errors.mape < 20);
  assert_near(f.network.error_90, log(2)); /* the tenth of ten */
  points_close(b);
}

static void the_interval_covers_nine_in_ten(void **state) {
  sloe_bench *b = points_new();
  sloe_rng rng;
  int inside = 0;
  (void)state;
  sloe_rng_seed(&rng, 3);
  for (int64_t i = 1; i <= 99; i++)
    add_net(b, i + 5, 2 * (double)(i + 5) * exp(0.05 * sloe_rng_normal(&rng)));
  const sloe_fitted f = fit(b);
  for (int i = 0; i < 2000; i++) inside += fabs(0.05 * sloe_rng_normal(&rng)) <= f.network.error_90;
  assert_in_range(inside, 1660, 1940);
  points_close(b);
}

static void without_networks_the_interval_is_that_of_layers(void **state) {
  const sloe_fitted_op op = {.op = SLOE_SPEC_CONV, .error_90 = 0.25};
  sloe_bench *b = points_new();
  sloe_fitted f = models(&op);
  sloe_error err;
  (void)state;
  assert_ok(sloe_fit_network(b, &FUSION, NULL, 0, &f, &err), err);
  assert_true(f.network.scale == 1 && f.network.per_layer_ms == 0 && f.network.error_90 == 0.25);
  assert_true(f.network_errors.n == 0 && isnan(f.network_errors.mape));
  assert_true(f.network.memory_scale == 0 && isnan(f.memory_errors.mape));
  points_close(b);
}

static void networks_that_were_refused_or_are_not_known_do_not_count(void **state) {
  sloe_bench *b = points_new();
  (void)state;
  for (int64_t i = 1; i <= 4; i++) add_net(b, 10 * i, (double)(20 * i));
  add_net(b, 70, 1000)->refused = 1;
  add_net(b, 80, NAN);
  add_net(b, 90, 1000)->key = "zoo:layer,op=softmax,c=10";
  const sloe_fitted f = fit(b);
  assert_true(f.network_errors.n == 4);
  assert_near(f.network.scale, 2);
  points_close(b);
}

static void a_network_that_cannot_be_opened_ends_it(void **state) {
  sloe_bench *b = points_new();
  sloe_fitted f = models(NULL);
  sloe_error err;
  (void)state;
  add_net(b, 70, 100)->key = "zoo:nosuch";
  assert_int_not_equal(sloe_fit_network(b, &FUSION, NULL, 0, &f, &err), SLOE_OK);
  assert_true(*err.msg);
  points_close(b);
}

static void add_nets_of_known_memory(sloe_bench *b) {
  for (int64_t i = 1; i <= 9; i++) {
    sloe_bench_point *p = add_net(b, 10 * i, (double)(20 * i));
    const double own = ((4 * 10 + 0.) * (double)i * 4 + (100 + 250 * (double)i) * 4) / 1e6;
    p->memory_mb = (i == 9 ? 3 : 1.5) * own; /* weights; input and output */
  }
  b->memory_kind = "device";
}

static void memory_is_a_factor_on_what_a_network_holds(void **state) {
  sloe_bench *b = points_new();
  (void)state;
  add_nets_of_known_memory(b);
  const sloe_fitted f = fit(b);
  assert_string_equal(f.memory_kind, "device");
  if (fabs(f.network.memory_scale / 1.5 - 1) > 0.1) fail_msg("%g", f.network.memory_scale);
  assert_true(f.memory_errors.n == 9);
  assert_true(fabs(f.memory_errors.max_ape - 50) < 5);
  assert_true(fabs(f.network.memory_error_90 - log(2)) < 0.1);
  points_close(b);
}

/* Four take 1.5 times what they hold, five 3 times: 3 tells four of them 100 % too much, 1.5 five
   of them 50 % too little. */
static void memory_is_told_with_the_least_relative_error(void **state) {
  sloe_bench *b = points_new();
  (void)state;
  add_nets_of_known_memory(b);
  for (size_t i = 0; i < b->n_points; i++)
    if (b->points[i].network) b->points[i].memory_mb *= i % 2 ? 2 : 1;
  const sloe_fitted f = fit(b);
  if (fabs(f.network.memory_scale / 1.5 - 1) > 0.1) fail_msg("%g", f.network.memory_scale);
  points_close(b);
}

/* As much measured of half as many bytes. */
static void a_network_holds_half_of_it_in_fp16(void **state) {
  sloe_bench *b = points_new();
  sloe_fusion fusion = FUSION;
  sloe_fitted f = models(NULL);
  sloe_error err;
  (void)state;
  fusion.precision = SLOE_FP16;
  add_nets_of_known_memory(b);
  assert_ok(sloe_fit_network(b, &fusion, NULL, 0, &f, &err), err);
  if (fabs(f.network.memory_scale / 3 - 1) > 0.1) fail_msg("%g", f.network.memory_scale);
  points_close(b);
}

/* ---- layers ---- */

static sloe_bench_point *add_layer(sloe_bench *b, int64_t k, double ms, const char *split) {
  sloe_layer_spec spec = points_spec("op=conv,c=4,h=5,w=5,k=2");
  spec.k = k;
  sloe_bench_point *p = points_add(b, &spec, split);
  p->time = ms;
  return p;
}

static void layers_are_judged_by_those_held_out(void **state) {
  sloe_bench *b = points_new();
  sloe_fitted fitted = models(NULL);
  sloe_fitted_errors e;
  sloe_error err;
  (void)state;
  add_layer(b, 100, 80, sloe_split_held_out)->again = 84;   /* + 25 % */
  add_layer(b, 100, 125, sloe_split_held_out)->again = 125; /* - 20 % */
  add_layer(b, 100, 100, sloe_split_held_out);
  add_layer(b, 100, 1, sloe_split_design);
  add_layer(b, 100, 1, sloe_split_held_out)->refused = 1;
  const sloe_layer_spec other = points_spec("op=softmax,c=9");
  points_add(b, &other, sloe_split_held_out); /* of which nothing is known */
  assert_ok(sloe_judge_layers(b, &fitted, &e, &err), err);
  assert_true(e.n == 3);
  assert_near(e.mape, 15);
  assert_near(e.max_ape, 25);
  assert_near(e.rmspe, sqrt((625 + 400) / 3.));
  assert_near(e.noise_mape, 2.5);
  points_close(b);
}

static void without_held_out_layers_errors_are_unknown(void **state) {
  sloe_bench *b = points_new();
  sloe_fitted fitted = models(NULL);
  sloe_fitted_errors e;
  sloe_error err;
  (void)state;
  add_layer(b, 100, 1, sloe_split_line);
  assert_ok(sloe_judge_layers(b, &fitted, &e, &err), err);
  assert_true(e.n == 0 && isnan(e.mape) && isnan(e.rmspe) && isnan(e.max_ape) &&
              isnan(e.noise_mape));
  points_close(b);
}

static void every_allocation_may_fail(void **state) {
  sloe_bench *b = points_new();
  (void)state;
  for (int64_t i = 1; i <= 3; i++) add_net(b, 10 * i, (double)(20 * i));
  const long live = sloe_alloc_live();
  for (long n = 0;; n++) {
    sloe_fitted fitted = models(NULL);
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    const sloe_status status = sloe_fit_network(b, &FUSION, NULL, 0, &fitted, &err);
    sloe_alloc_fail_after(-1);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
    assert_true(*err.msg);
  }
  points_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_planted_factor_and_time_per_layer_come_back),
      cmocka_unit_test(without_a_time_per_layer_there_is_none),
      cmocka_unit_test(what_others_took_is_taken_off_networks),
      cmocka_unit_test(each_network_is_judged_without_itself),
      cmocka_unit_test(the_interval_covers_nine_in_ten),
      cmocka_unit_test(without_networks_the_interval_is_that_of_layers),
      cmocka_unit_test(networks_that_were_refused_or_are_not_known_do_not_count),
      cmocka_unit_test(a_network_that_cannot_be_opened_ends_it),
      cmocka_unit_test(memory_is_a_factor_on_what_a_network_holds),
      cmocka_unit_test(memory_is_told_with_the_least_relative_error),
      cmocka_unit_test(a_network_holds_half_of_it_in_fp16),
      cmocka_unit_test(layers_are_judged_by_those_held_out),
      cmocka_unit_test(without_held_out_layers_errors_are_unknown),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
