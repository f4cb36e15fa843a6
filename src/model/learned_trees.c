#include "model/learned.h"

enum { SIDE_BY_SIDE = 8 };

/* Walks that do not wait for each other; one that has arrived stays where it is. */
static void walk(const sloe_tree_node *node, const float *const *z, uint32_t *at) {
  uint32_t moved;
  do {
    moved = 0;
    for (size_t k = 0; k < SIDE_BY_SIDE; k++) {
      const sloe_tree_node *n = node + at[k];
      const uint32_t next = n->left + (z[k][n->input] > n->threshold);
      moved |= next ^ at[k];
      at[k] = next;
    }
  } while (moved);
}

double sloe_learned_trees_eval(const sloe_learned_trees *t, const float *z) {
  const float *rows[SIDE_BY_SIDE];
  uint32_t at[SIDE_BY_SIDE];
  double sum = 0;
  for (size_t k = 0; k < SIDE_BY_SIDE; k++) rows[k] = z;
  for (uint32_t first = 0; first < t->n_trees; first += SIDE_BY_SIDE) {
    const uint32_t left = t->n_trees - first, n = left < SIDE_BY_SIDE ? left : SIDE_BY_SIDE;
    for (uint32_t k = 0; k < SIDE_BY_SIDE; k++) at[k] = t->first[first + (k < n ? k : 0)];
    walk(t->node, rows, at);
    for (uint32_t k = 0; k < n; k++) sum += t->node[at[k]].value;
  }
  return t->base + t->factor * sum;
}

void sloe_learned_trees_eval_many(const sloe_learned_trees *t, size_t n_inputs, const float *z,
                                  size_t n, double *out) {
  const float *rows[SIDE_BY_SIDE];
  uint32_t at[SIDE_BY_SIDE];
  for (size_t i = 0; i < n; i++) out[i] = 0;
  for (uint32_t tree = 0; tree < t->n_trees; tree++) {
    for (size_t from = 0; from < n; from += SIDE_BY_SIDE) {
      const size_t left = n - from, rest = left < SIDE_BY_SIDE ? left : SIDE_BY_SIDE;
      for (size_t k = 0; k < SIDE_BY_SIDE; k++) {
        rows[k] = z + (from + (k < rest ? k : 0)) * n_inputs;
        at[k] = t->first[tree];
      }
      walk(t->node, rows, at);
      for (size_t k = 0; k < rest; k++) out[from + k] += t->node[at[k]].value;
    }
  }
  for (size_t i = 0; i < n; i++) out[i] = t->base + t->factor * out[i];
}
