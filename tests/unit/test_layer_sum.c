/* Layer sums: planted coefficients come back, bounds hold, what is not known fades; what is written
 * comes back bit by bit, and damaged bytes are refused. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "learn/learn.h"
#include "sloe/sloe.h"
#include "unit/unit.h"

enum { TERMS = 4, TRAITS = 3, NETS = 120, PER_NET = 5, LAYERS = NETS * PER_NET };

static const double planted[TERMS] = {2, 0.5, 0.03, 0};

typedef struct table {
  double terms[LAYERS * TERMS], traits[LAYERS * TRAITS], y[NETS];
  uint64_t family[LAYERS];
  size_t first[NETS + 1];
} table;

static table t;

/* `bump`: layers whose second trait is above 0.5 take that much longer. */
static sloe_layer_sum_rows plant(uint64_t seed, double bump) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < NETS; i++) {
    t.first[i] = i * PER_NET;
    t.y[i] = 0.25;
    for (size_t l = i * PER_NET; l < (i + 1) * PER_NET; l++) {
      double ms = 0;
      for (size_t j = 0; j < TERMS; j++) {
        t.terms[l * TERMS + j] = j == 3 ? 0 : sloe_rng_uniform(&rng) * (j == 2 ? 30 : 1);
        ms += planted[j] * t.terms[l * TERMS + j];
      }
      for (size_t j = 0; j < TRAITS; j++) t.traits[l * TRAITS + j] = sloe_rng_uniform(&rng);
      t.family[l] = 7 + l % 2;
      t.y[i] += ms * (t.traits[l * TRAITS + 1] > 0.5 ? 1 + bump : 1);
    }
  }
  t.first[NETS] = LAYERS;
  return (sloe_layer_sum_rows){
      {LAYERS, t.terms, t.traits, t.family}, TERMS, TRAITS, t.first, t.y, NETS};
}

static double told(const sloe_layer_sum *m, size_t net) {
  const size_t l = net * PER_NET;
  const sloe_layer_rows layers = {PER_NET, t.terms + l * TERMS, t.traits + l * TRAITS,
                                  t.family + l};
  return sloe_layer_sum_predict(m, &layers, NULL, NULL);
}

static double error_of(const sloe_layer_sum *m) {
  double sum = 0;
  for (size_t i = 0; i < NETS; i++) sum += fabs(told(m, i) / t.y[i] - 1);
  return sum / NETS;
}

static void learn(const sloe_layer_sum_rows *rows, const sloe_layer_sum_options *o,
                  sloe_layer_sum *m) {
  sloe_error err;
  assert_ok(sloe_layer_sum_fit(rows, o, m, NULL, &err), err);
}

static void planted_coefficients_are_recovered(void **state) {
  (void)state;
  const sloe_layer_sum_rows rows = plant(1, 0);
  sloe_layer_sum m;
  learn(&rows, &(sloe_layer_sum_options){.no_trees = 1}, &m);
  for (size_t j = 0; j < TERMS; j++) assert_true(fabs(m.coef[j] - planted[j]) < 1e-8);
  assert_true(fabs(m.constant - 0.25) < 1e-8);
  sloe_layer_sum_fini(&m);
}

static void a_coefficient_stays_within_its_bounds(void **state) {
  (void)state;
  const sloe_layer_sum_rows rows = plant(1, 0);
  const sloe_layer_sum_bound bounds[TERMS] = {
      {0, NAN, 1.5}, {0.75, NAN, 9}, {0, NAN, 1}, {0, NAN, 1}};
  sloe_layer_sum m;
  learn(&rows, &(sloe_layer_sum_options){.no_trees = 1, .bounds = bounds}, &m);
  assert_true(m.coef[0] == 1.5);
  assert_true(m.coef[1] >= 0.75);
  assert_true(m.coef[2] > 0.03);
  sloe_layer_sum_fini(&m);
}

static void a_term_that_no_network_has_takes_its_usual_value(void **state) {
  (void)state;
  const sloe_layer_sum_rows rows = plant(1, 0);
  const sloe_layer_sum_bound bounds[TERMS] = {
      {0, NAN, 9}, {0, NAN, 9}, {0, NAN, 9}, {0.1, 0.4, 0.9}};
  sloe_layer_sum m;
  learn(&rows, &(sloe_layer_sum_options){.no_trees = 1, .bounds = bounds}, &m);
  assert_true(fabs(m.coef[3] - 0.4) < 1e-9);
  assert_true(fabs(m.coef[0] - 2) < 1e-8);
  sloe_layer_sum_fini(&m);
}

static void two_networks_are_enough_for_what_is_usual(void **state) {
  (void)state;
  sloe_layer_sum_rows rows = plant(1, 0);
  const sloe_layer_sum_bound bounds[TERMS] = {{0, 2, 9}, {0, 0.5, 9}, {0, 0.03, 9}, {0, 0, 9}};
  const sloe_layer_sum_bound constant = {0, 0.25, 1};
  sloe_layer_sum m;
  rows.n = 2;
  rows.layers.n = 2 * PER_NET;
  learn(&rows, &(sloe_layer_sum_options){.bounds = bounds, .constant = &constant}, &m);
  assert_true(error_of(&m) < 1e-6);
  assert_int_equal(m.has_trees, 0);
  sloe_layer_sum_fini(&m);
}

static void trees_find_what_layers_differ_by_from_sums_alone(void **state) {
  (void)state;
  const sloe_layer_sum_rows rows = plant(3, 0.3);
  sloe_error err;
  sloe_layer_sum m, plain;
  sloe_layer_sum_report report = {0};
  learn(&rows, &(sloe_layer_sum_options){.no_trees = 1}, &plain);
  assert_ok(sloe_layer_sum_fit(&rows, &(sloe_layer_sum_options){.n_sizes = 1}, &m, &report, &err),
            err);
  assert_true(report.trees > 0);
  assert_true(report.error < report.plain);
  assert_true(error_of(&m) < error_of(&plain) / 2);
  sloe_layer_sum_fini(&m);
  sloe_layer_sum_fini(&plain);
}

static void a_correction_fades_beyond_what_was_learned_from(void **state) {
  (void)state;
  const sloe_layer_sum_rows rows = plant(3, 0.3);
  sloe_layer_sum m;
  learn(&rows, &(sloe_layer_sum_options){.n_sizes = 1}, &m);
  const double inside[TRAITS] = {0.5, 9, 9}, beyond[TRAITS] = {2.5, 9, 9};
  assert_true(sloe_layer_sum_trust(&m, 7, inside) == 1);
  assert_true(sloe_layer_sum_trust(&m, 7, beyond) < 0.06);
  assert_true(sloe_layer_sum_trust(&m, 9, inside) == 0);
  sloe_layer_sum_fini(&m);
}

static void any_number_of_threads_gives_the_same_bytes(void **state) {
  (void)state;
  const sloe_layer_sum_rows rows = plant(3, 0.3);
  sloe_text text[2] = {{0}, {0}};
  for (int k = 0; k < 2; k++) {
    sloe_layer_sum m;
    learn(&rows, &(sloe_layer_sum_options){.threads = 1 + 2 * k, .trees = 20}, &m);
    sloe_layer_sum_encode(&m, &text[k]);
    sloe_layer_sum_fini(&m);
  }
  assert_int_equal(text[0].len, text[1].len);
  assert_memory_equal(text[0].data, text[1].data, text[0].len);
  for (int k = 0; k < 2; k++) sloe_text_fini(&text[k]);
}

static void a_number_that_is_not_known_gives_an_unknown_answer(void **state) {
  (void)state;
  const sloe_layer_sum_rows rows = plant(1, 0);
  sloe_layer_sum m;
  learn(&rows, &(sloe_layer_sum_options){.no_trees = 1}, &m);
  double ms[PER_NET];
  t.terms[TERMS] = NAN;
  const sloe_layer_rows layers = {PER_NET, t.terms, t.traits, t.family};
  assert_true(isnan(sloe_layer_sum_predict(&m, &layers, ms, NULL)));
  assert_true(isnan(ms[1]) && isfinite(ms[0]));
  sloe_layer_sum_fini(&m);
}

static void what_makes_no_sense_is_refused(void **state) {
  (void)state;
  sloe_layer_sum_rows rows = plant(1, 0);
  const sloe_layer_sum_bound crossed[TERMS] = {{2, NAN, 1}, {0, NAN, 1}, {0, NAN, 1}, {0, NAN, 1}};
  const sloe_layer_sum_options wrong[] = {{.bounds = crossed},     {.depth = 99}, {.rate = -1},
                                          {.n_sizes = TRAITS + 1}, {.folds = 1},  {.limit = 101}};
  sloe_layer_sum m;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    sloe_error err = {0};
    assert_int_equal(sloe_layer_sum_fit(&rows, &wrong[i], &m, NULL, &err), SLOE_USAGE);
    assert_true(err.msg[0] && !m.coef);
  }
  sloe_error err = {0};
  t.y[3] = 0;
  assert_int_equal(sloe_layer_sum_fit(&rows, NULL, &m, NULL, &err), SLOE_USAGE);
  assert_non_null(strstr(err.msg, "network 4"));
}

static void what_is_written_comes_back_and_damage_is_refused(void **state) {
  (void)state;
  const sloe_layer_sum_rows rows = plant(3, 0.3);
  sloe_error err;
  sloe_layer_sum m, back;
  sloe_text text = {0}, again = {0};
  learn(&rows, &(sloe_layer_sum_options){.n_sizes = 2, .trees = 20}, &m);
  sloe_layer_sum_encode(&m, &text);
  assert_ok(sloe_layer_sum_decode(text.data, text.len, &back, &err), err);
  for (size_t i = 0; i < NETS; i++) assert_true(told(&m, i) == told(&back, i));
  sloe_layer_sum_encode(&back, &again);
  assert_memory_equal(text.data, again.data, text.len);
  sloe_layer_sum_fini(&back);
  for (size_t at = 0; at < text.len; at += at < 200 ? 1 : 97) {
    text.data[at] ^= 16;
    assert_int_not_equal(sloe_layer_sum_decode(text.data, text.len, &back, &err), SLOE_OK);
    assert_null(back.coef);
    text.data[at] ^= 16;
    assert_int_not_equal(sloe_layer_sum_decode(text.data, at, &back, &err), SLOE_OK);
  }
  sloe_text_fini(&text);
  sloe_text_fini(&again);
  sloe_layer_sum_fini(&m);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  const sloe_layer_sum_rows rows = plant(3, 0.3);
  sloe_error err;
  sloe_layer_sum m;
  const long live = sloe_alloc_live();
  sloe_status status = SLOE_NOMEM;
  for (long n = 0; status == SLOE_NOMEM && n < 2000; n++) {
    sloe_alloc_fail_after(n);
    status = sloe_layer_sum_fit(&rows, &(sloe_layer_sum_options){.trees = 4, .folds = 2}, &m, NULL,
                                &err);
    sloe_alloc_fail_after(-1);
    if (status) assert_int_equal(sloe_alloc_live(), live);
  }
  assert_ok(status, err);
  sloe_layer_sum_fini(&m);
  assert_int_equal(sloe_alloc_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(planted_coefficients_are_recovered),
      cmocka_unit_test(a_coefficient_stays_within_its_bounds),
      cmocka_unit_test(a_term_that_no_network_has_takes_its_usual_value),
      cmocka_unit_test(two_networks_are_enough_for_what_is_usual),
      cmocka_unit_test(trees_find_what_layers_differ_by_from_sums_alone),
      cmocka_unit_test(a_correction_fades_beyond_what_was_learned_from),
      cmocka_unit_test(any_number_of_threads_gives_the_same_bytes),
      cmocka_unit_test(a_number_that_is_not_known_gives_an_unknown_answer),
      cmocka_unit_test(what_makes_no_sense_is_refused),
      cmocka_unit_test(what_is_written_comes_back_and_damage_is_refused),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
