#include "base/clones.h"
#include "model/learned.h"

/* Measured: with 8 a walk waits for memory, with more than 16 registers run out; few trees are so
   shallow that it pays to ask in the first steps whether all have arrived. */
enum { TREES = 16, ROWS = 12, UNASKED = 4 };

SLOE_PART_OF_CLONES uint32_t next_node(const sloe_tree_node *node, const float *z, uint32_t at) {
  return node[at].left + (z[node[at].input] > node[at].threshold);
}

/* `n` walks that do not wait for each other; one that has arrived stays where it is. Walk k is of
   row z[k x step]; n and step, 0 or 1, are constants where it is called. */
SLOE_PART_OF_CLONES void walk(const sloe_tree_node *node, const float *const *z, size_t step,
                              uint32_t *at, size_t n) {
  uint32_t moved;
  for (size_t i = 0; i < UNASKED; i++)
    for (size_t k = 0; k < n; k++) at[k] = next_node(node, z[k * step], at[k]);
  do {
    moved = 0;
    for (size_t k = 0; k < n; k++) {
      const uint32_t next = next_node(node, z[k * step], at[k]);
      moved |= next ^ at[k];
      at[k] = next;
    }
  } while (moved);
}

double sloe_learned_trees_eval(const sloe_learned_trees *t, const float *z) {
  uint32_t at[TREES];
  double sum = 0;
  for (uint32_t first = 0; first < t->n_trees; first += TREES) {
    const uint32_t left = t->n_trees - first, n = left < TREES ? left : TREES;
    for (uint32_t k = 0; k < TREES; k++) at[k] = t->first[first + (k < n ? k : 0)];
    walk(t->node, &z, 0, at, TREES);
    for (uint32_t k = 0; k < n; k++) sum += t->node[at[k]].value;
  }
  return t->base + t->factor * sum;
}

void sloe_learned_trees_eval_many(const sloe_learned_trees *t, size_t n_inputs, const float *z,
                                  size_t n, double *out) {
  const float *rows[ROWS];
  uint32_t at[ROWS];
  for (size_t i = 0; i < n; i++) out[i] = 0;
  for (uint32_t tree = 0; tree < t->n_trees; tree++) {
    for (size_t from = 0; from < n; from += ROWS) {
      const size_t left = n - from, rest = left < ROWS ? left : ROWS;
      for (size_t k = 0; k < ROWS; k++) {
        rows[k] = z + (from + (k < rest ? k : 0)) * n_inputs;
        at[k] = t->first[tree];
      }
      walk(t->node, rows, 1, at, ROWS);
      for (size_t k = 0; k < rest; k++) out[from + k] += t->node[at[k]].value;
    }
  }
  for (size_t i = 0; i < n; i++) out[i] = t->base + t->factor * out[i];
}
