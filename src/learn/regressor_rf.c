/* regressor_rf.c: a random forest (Breiman, "Random forests", Machine Learning 45, 2001): the mean
 * of trees, each grown on a draw of the rows. Each tree has a seed of its own, so that the order in
 * which threads take them tells nothing.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "learn/cart.h"
#include "learn/regressors.h"

typedef struct bag {
  sloe_cart_rows rows;
  sloe_cart_params params;
  sloe_cart cart[SLOE_PARALLEL_MOST];
  size_t n_carts;
  size_t first; /* tree that cart 0 grows */
  int bootstrap;
  uint64_t seed;
} bag;

static void grow_one(void *context, size_t task) {
  bag *b = context;
  sloe_cart *cart = &b->cart[task];
  const size_t n = b->rows.n;
  uint64_t seed = b->seed + b->first + task;
  sloe_rng rng;
  sloe_rng_seed(&rng, sloe_splitmix64(&seed));
  for (size_t i = 0; i < n; i++) cart->count[i] = !b->bootstrap;
  for (size_t i = 0; b->bootstrap && i < n; i++)
    cart->count[sloe_rng_between(&rng, 0, (int64_t)n - 1)]++;
  sloe_cart_grow(cart, &b->rows, &b->params, &rng);
}

/* Trees behind each other; `node` grows by doubling. */
typedef struct grove {
  sloe_tree_node *node;
  size_t n, cap;
} grove;

static sloe_status append(grove *g, const sloe_cart *cart, sloe_error *err) {
  if (g->n + cart->n_nodes > SLOE_LEARNED_NODES)
    return sloe_fail(err, SLOE_UNSUPPORTED, "rf: more than %d nodes", SLOE_LEARNED_NODES);
  if (g->n + cart->n_nodes > g->cap) {
    const size_t cap = 2 * (g->n + cart->n_nodes);
    sloe_tree_node *more = sloe_realloc(g->node, cap, sizeof *more);
    if (!more) return sloe_fail(err, SLOE_NOMEM, "out of memory for %zu nodes", cap);
    g->node = more;
    g->cap = cap;
  }
  for (size_t i = 0; i < cart->n_nodes; i++) {
    sloe_tree_node *node = &g->node[g->n + i];
    *node = cart->node[i];
    node->left += (uint32_t)g->n;
  }
  g->n += cart->n_nodes;
  return SLOE_OK;
}

static sloe_status grow_all(bag *b, size_t n_trees, int threads, grove *g, uint32_t *first,
                            sloe_error *err) {
  for (size_t tree = 0; tree < n_trees; tree += b->n_carts) {
    const size_t n = n_trees - tree < b->n_carts ? n_trees - tree : b->n_carts;
    b->first = tree;
    sloe_parallel(threads, n, grow_one, b);
    for (size_t k = 0; k < n; k++) {
      first[tree + k] = (uint32_t)g->n;
      SLOE_TRY(append(g, &b->cart[k], err));
    }
  }
  first[n_trees] = (uint32_t)g->n;
  return SLOE_OK;
}

/* "auto sqrt log2 none" */
static size_t features_of(double choice, size_t d) {
  const double most = choice == 1 ? sqrt((double)d) : choice == 2 ? log2((double)d) : (double)d;
  return most < 1 ? 1 : (size_t)most;
}

static sloe_status prepare(const sloe_learn_task *task, bag *b, sloe_error *err) {
  const double *h = task->hyper;
  const size_t threads =
      task->threads < SLOE_PARALLEL_MOST ? (size_t)task->threads : (size_t)SLOE_PARALLEL_MOST;
  b->params = (sloe_cart_params){
      (size_t)h[SLOE_RF_DEPTH], h[SLOE_RF_SPLIT] < 2 ? 2 : (size_t)h[SLOE_RF_SPLIT],
      (size_t)h[SLOE_RF_LEAF], features_of(h[SLOE_RF_FEATURES], task->d)};
  b->bootstrap = h[SLOE_RF_BOOTSTRAP] != 0;
  b->seed = task->seed * 0x9e3779b97f4a7c15u;
  SLOE_TRY(sloe_cart_rows_init(task->z, task->t, task->n, task->d, &b->rows, err));
  for (; b->n_carts < threads; b->n_carts++)
    SLOE_TRY(sloe_cart_init(&b->rows, &b->cart[b->n_carts], err));
  return SLOE_OK;
}

static sloe_status fit(const sloe_learn_task *task, sloe_learned *m, sloe_error *err) {
  const size_t n_trees = (size_t)task->hyper[SLOE_RF_TREES];
  sloe_learned_trees *t = &m->trees;
  grove g = {0};
  bag b = {0};
  sloe_status status;
  t->first = SLOE_ARENA_NEW(&m->arena, uint32_t, n_trees + 1);
  SLOE_GOTO(t->first ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "out of memory for a forest"));
  SLOE_GOTO(prepare(task, &b, err));
  SLOE_GOTO(grow_all(&b, n_trees, task->threads, &g, t->first, err));
  t->node = SLOE_ARENA_NEW(&m->arena, sloe_tree_node, g.n);
  SLOE_GOTO(t->node ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "out of memory for %zu nodes", g.n));
  if (g.n) memcpy(t->node, g.node, g.n * sizeof *g.node);
  t->n_trees = (uint32_t)n_trees;
  t->n_nodes = (uint32_t)g.n;
  t->factor = 1 / (double)n_trees;
  m->kind = SLOE_LEARNED_TREE_SUM;
fail:
  sloe_dealloc(g.node);
  for (size_t k = 0; k < b.n_carts; k++) sloe_cart_fini(&b.cart[k]);
  sloe_cart_rows_fini(&b.rows);
  return status;
}

/* The first trees of a large forest are those of a small one. */
static sloe_status fit_path(const sloe_learn_task *task, const sloe_learn_path *path,
                            sloe_learned *m, sloe_error *err) {
  SLOE_TRY(fit(task, m, err));
  sloe_learned part = *m;
  for (size_t i = 0; i < path->n; i++) {
    part.trees.n_trees = (uint32_t)path->value[i];
    part.trees.n_nodes = m->trees.first[part.trees.n_trees];
    part.trees.factor = 1 / path->value[i];
    SLOE_TRY(path->arrived(path->context, i, &part, err));
  }
  return SLOE_OK;
}

#define SLOE_HYPER_OF_RF
#define H SLOE_HYPER_ROW
static const sloe_hyper hyper[] = {
#include "learn/hyper.def"
};

const sloe_regressor sloe_regressor_rf = {
    "rf", "random forest", hyper, SLOE_RF_HYPERS, 0, 0, fit, SLOE_RF_TREES, fit_path, NULL};
