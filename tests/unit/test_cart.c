/* Regression trees: the best split is found, limits are kept, counts weigh. */
#include <math.h>

#include "learn/cart.h"
#include "unit/unit.h"

enum { N = 300, D = 3 };

static double x[N * D], y[N];

static void plant(void) {
  sloe_rng rng;
  sloe_rng_seed(&rng, 5);
  for (size_t i = 0; i < N; i++) {
    for (size_t j = 0; j < D; j++) x[i * D + j] = sloe_rng_uniform(&rng);
    y[i] = (x[i * D + 1] > 0.3 ? 10 : 0) + x[i * D];
  }
}

typedef struct grown {
  sloe_cart_rows rows;
  sloe_cart cart;
} grown;

static grown grow(sloe_cart_params params, const uint32_t *count) {
  grown g;
  sloe_rng rng;
  sloe_error err;
  sloe_rng_seed(&rng, 1);
  assert_ok(sloe_cart_rows_init(x, y, N, D, &g.rows, &err), err);
  assert_ok(sloe_cart_init(&g.rows, &g.cart, &err), err);
  for (size_t i = 0; i < N; i++) g.cart.count[i] = count ? count[i] : 1;
  sloe_cart_grow(&g.cart, &g.rows, &params, &rng);
  return g;
}

static void ungrow(grown *g) {
  sloe_cart_fini(&g->cart);
  sloe_cart_rows_fini(&g->rows);
}

static const sloe_tree_node *leaf_of(const grown *g, size_t row, size_t *depth) {
  const sloe_tree_node *node = g->cart.node;
  size_t at = 0;
  for (*depth = 0; node[at].left != at; ++*depth)
    at = node[at].left + ((float)x[row * D + node[at].input] > node[at].threshold);
  return &node[at];
}

static void a_step_is_found_at_the_root(void **state) {
  (void)state;
  grown g = grow((sloe_cart_params){1, 2, 1, D}, NULL);
  assert_int_equal(g.cart.n_nodes, 3);
  assert_int_equal(g.cart.node[0].input, 1);
  for (size_t i = 0; i < N; i++)
    assert_true((x[i * D + 1] > 0.3) == ((float)x[i * D + 1] > g.cart.node[0].threshold));
  ungrow(&g);
}

static void a_whole_tree_knows_every_row(void **state) {
  (void)state;
  grown g = grow((sloe_cart_params){0, 2, 1, 1}, NULL);
  size_t depth;
  assert_int_equal(g.cart.n_nodes, 2 * N - 1);
  for (size_t i = 0; i < N; i++) assert_true(leaf_of(&g, i, &depth)->value == (float)y[i]);
  ungrow(&g);
}

static void limits_are_kept(void **state) {
  (void)state;
  grown g = grow((sloe_cart_params){6, 20, 7, 2}, NULL);
  static size_t rows[2 * N];
  memset(rows, 0, sizeof rows);
  for (size_t i = 0; i < N; i++) {
    size_t depth;
    rows[leaf_of(&g, i, &depth) - g.cart.node]++;
    assert_true(depth <= 6);
  }
  for (size_t k = 0; k < g.cart.n_nodes; k++)
    assert_true(g.cart.node[k].left == k ? rows[k] >= 7 : rows[k] == 0);
  ungrow(&g);
}

static void rows_weigh_as_often_as_they_were_drawn(void **state) {
  (void)state;
  static uint32_t count[N];
  double sum = 0, weight = 0;
  for (size_t i = 0; i < N; i++) {
    count[i] = (uint32_t)(i % 4);
    sum += count[i] * y[i];
    weight += count[i];
  }
  grown g = grow((sloe_cart_params){0, N, 1, D}, count);
  assert_int_equal(g.cart.n_nodes, 1); /* 225 rows are fewer than may be split */
  assert_true(fabs(g.cart.node[0].value - sum / weight) < 1e-5);
  ungrow(&g);
}

static int setup(void **state) {
  (void)state;
  plant();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_step_is_found_at_the_root),
      cmocka_unit_test(a_whole_tree_knows_every_row),
      cmocka_unit_test(limits_are_kept),
      cmocka_unit_test(rows_weigh_as_often_as_they_were_drawn),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
