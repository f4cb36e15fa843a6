/* Forests by hand: what they answer, and what a file must not make of them. */
#include <math.h>

#include "base/rng.h"
#include "model/forest.h"
#include "unit/unit.h"

/* Two trees of depth 2: bit 0 of the first is x0 > 1, bit 1 is x1 > 5; bit 0 of the second is
   x0 > 2, its bit 1 is never set. */
typedef struct forest_text {
  sloe_forest forest;
  float threshold[8], leaf[16 * 4];
  uint8_t row[10 * 16];
} forest_text;

static void set_up(forest_text *t) {
  *t = (forest_text){.threshold = {1, 2, INFINITY, INFINITY, 5, INFINITY, INFINITY, INFINITY},
                     .leaf = {1, 2, 3, 4, 10, 20, 30, 40}};
  t->forest = (sloe_forest){2, 2, 2, {0, 4, 8}, 100, t->threshold, t->row, t->leaf};
  for (size_t rank = 1; rank <= 4; rank++) {
    t->row[rank * 16] |= 1;                    /* x0 > 1, first tree */
    if (rank >= 2) t->row[rank * 16 + 1] |= 1; /* x0 > 2, second tree */
    t->row[(5 + rank) * 16] |= 2;              /* x1 > 5, first tree */
  }
}

static double at(const sloe_forest *f, float x0, float x1) {
  return sloe_forest_eval(f, (float[]){x0, x1});
}

static void a_forest_is_its_base_and_a_leaf_of_each_tree(void **state) {
  (void)state;
  forest_text t;
  sloe_error err;
  set_up(&t);
  assert_ok(sloe_forest_check(&t.forest, &err), err);
  assert_int_equal(sloe_forest_thresholds(&t.forest), 8);
  assert_int_equal(sloe_forest_row_bytes(&t.forest), sizeof t.row);
  assert_int_equal(sloe_forest_leaves(&t.forest), 64);
  assert_true(at(&t.forest, 0, 0) == 100 + 1 + 10);
  assert_true(at(&t.forest, 1, 5) == 100 + 1 + 10); /* a threshold is not above itself */
  assert_true(at(&t.forest, 1.5F, 0) == 100 + 2 + 10);
  assert_true(at(&t.forest, 0, 6) == 100 + 3 + 10);
  assert_true(at(&t.forest, 3, 6) == 100 + 4 + 20);
}

static void any_number_has_an_answer(void **state) {
  (void)state;
  forest_text t;
  set_up(&t);
  assert_true(at(&t.forest, NAN, NAN) == 111);
  assert_true(at(&t.forest, -INFINITY, -INFINITY) == 111);
  assert_true(at(&t.forest, INFINITY, INFINITY) == 124);
}

static void a_forest_without_trees_is_its_base(void **state) {
  (void)state;
  sloe_error err;
  sloe_forest f = {.n_features = 24, .depth = 4, .base = -3};
  assert_ok(sloe_forest_check(&f, &err), err);
  float x[24] = {0};
  assert_true(sloe_forest_eval(&f, x) == -3);
}

/* The layout against the questions that it stands for. */
static void rows_answer_as_the_questions_would(void **state) {
  (void)state;
  enum { TREES = 40, DEPTH = 3, FEATURES = 5, CUTS = 8 };
  static float threshold[FEATURES * CUTS], leaf[48 << DEPTH];
  static uint8_t row[(FEATURES * CUTS + FEATURES) * 48], asks[TREES][DEPTH][2];
  sloe_rng rng;
  sloe_rng_seed(&rng, 7);
  sloe_forest f = {FEATURES, TREES, DEPTH, {0, 8, 16, 24, 32, 40}, 0.5, threshold, row, leaf};
  for (size_t i = 0; i < FEATURES * CUTS; i++) threshold[i] = (float)(i % CUTS);
  for (size_t i = 0; i < TREES << DEPTH; i++) leaf[i] = (float)sloe_rng_between(&rng, -99, 99);
  for (size_t t = 0; t < TREES; t++)
    for (size_t d = 0; d < DEPTH; d++) {
      size_t j = asks[t][d][0] = (uint8_t)sloe_rng_between(&rng, 0, FEATURES - 1);
      size_t c = asks[t][d][1] = (uint8_t)sloe_rng_between(&rng, 0, CUTS - 1);
      for (size_t rank = c + 1; rank <= CUTS; rank++)
        row[(f.first[j] + j + rank) * 48 + t] |= (uint8_t)(1u << d);
    }
  sloe_error err;
  assert_ok(sloe_forest_check(&f, &err), err);
  for (size_t i = 0; i < 200; i++) {
    float x[FEATURES];
    double want = 0.5;
    for (size_t j = 0; j < FEATURES; j++) x[j] = (float)sloe_rng_between(&rng, -2, 18) / 2;
    for (size_t t = 0; t < TREES; t++) {
      size_t number = 0;
      for (size_t d = 0; d < DEPTH; d++)
        number |= (size_t)(x[asks[t][d][0]] > (float)asks[t][d][1]) << d;
      want += (double)leaf[(t << DEPTH) + number];
    }
    assert_true(sloe_forest_eval(&f, x) == want);
  }
}

static void sizes_out_of_range_are_refused(void **state) {
  (void)state;
  forest_text t;
  sloe_error err;
  const struct {
    size_t offset;
    uint32_t value;
    const char *text;
  } cases[] = {
      {offsetof(sloe_forest, n_features), 0, "features"},
      {offsetof(sloe_forest, n_features), SLOE_FOREST_FEATURES + 1, "features"},
      {offsetof(sloe_forest, n_trees), SLOE_FOREST_TREES + 1, "trees"},
      {offsetof(sloe_forest, depth), 0, "depth"},
      {offsetof(sloe_forest, depth), 9, "depth"},
      {offsetof(sloe_forest, depth), UINT32_MAX, "depth"},
      {offsetof(sloe_forest, first), 4, "thresholds"},
      {offsetof(sloe_forest, first) + 4, 3, "thresholds"},
      {offsetof(sloe_forest, first) + 4, 12, "thresholds"},
      {offsetof(sloe_forest, first) + 8, UINT32_MAX - 3, "thresholds"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    set_up(&t);
    memcpy((char *)&t.forest + cases[i].offset, &cases[i].value, sizeof cases[i].value);
    t.forest.row = NULL; /* not looked at */
    assert_refused(sloe_forest_check_shape(&t.forest, &err), SLOE_FORMAT, err, cases[i].text);
    assert_refused(sloe_forest_check(&t.forest, &err), SLOE_FORMAT, err, cases[i].text);
  }
  set_up(&t);
  t.forest.base = NAN;
  assert_refused(sloe_forest_check_shape(&t.forest, &err), SLOE_FORMAT, err, "base");
}

static void broken_arrays_are_refused(void **state) {
  (void)state;
  forest_text t;
  sloe_error err;
  set_up(&t);
  t.threshold[1] = 0.5F;
  assert_refused(sloe_forest_check(&t.forest, &err), SLOE_FORMAT, err, "out of order");
  set_up(&t);
  t.threshold[7] = NAN;
  assert_refused(sloe_forest_check(&t.forest, &err), SLOE_FORMAT, err, "threshold 3 of feature 1");
  set_up(&t);
  t.threshold[0] = -INFINITY;
  assert_refused(sloe_forest_check(&t.forest, &err), SLOE_FORMAT, err, "out of order");
  set_up(&t);
  t.row[159] = 4;
  assert_refused(sloe_forest_check(&t.forest, &err), SLOE_FORMAT, err, "row byte 159");
  set_up(&t);
  t.leaf[63] = INFINITY;
  assert_refused(sloe_forest_check(&t.forest, &err), SLOE_FORMAT, err, "leaf 63");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_forest_is_its_base_and_a_leaf_of_each_tree),
      cmocka_unit_test(any_number_has_an_answer),
      cmocka_unit_test(a_forest_without_trees_is_its_base),
      cmocka_unit_test(rows_answer_as_the_questions_would),
      cmocka_unit_test(sizes_out_of_range_are_refused),
      cmocka_unit_test(broken_arrays_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
