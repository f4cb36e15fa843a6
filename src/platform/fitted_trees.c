#include "platform/fitted_trees.h"

#include <string.h>

enum { NODE_BYTES = 16 };
_Static_assert(sizeof(sloe_tree_node) == NODE_BYTES, "a node is what stands in a file");

void sloe_fitted_trees_put(const sloe_learned_trees *trees, sloe_text *out) {
  sloe_fitted_put_f64(out, trees->factor);
  for (size_t i = 0; i <= trees->n_trees; i++) sloe_fitted_put_u32(out, trees->first[i]);
  sloe_fitted_put_align(out);
  for (size_t i = 0; i < trees->n_nodes; i++) {
    const sloe_tree_node *node = &trees->node[i];
    sloe_fitted_put_f32s(out, &node->threshold, 1);
    sloe_fitted_put_u32(out, node->left);
    sloe_fitted_put_u32(out, node->input);
    sloe_fitted_put_f32s(out, &node->value, 1);
  }
}

static sloe_status no_memory(sloe_fitted_cursor *c) {
  return c->status = sloe_fail(c->err, SLOE_NOMEM, "out of memory reading a platform file");
}

/* So many must be left in the section before memory is asked for. */
static sloe_status take_u32s(sloe_fitted_cursor *c, sloe_arena *arena, size_t n, uint32_t **out) {
  const size_t at = c->at;
  if (n > (c->end - c->at) / 4)
    return sloe_fitted_fail_here(c, at, "a count is larger than can be");
  *out = SLOE_ARENA_NEW(arena, uint32_t, n);
  if (!*out) return no_memory(c);
  for (size_t i = 0; i < n; i++) (*out)[i] = sloe_fitted_take_u32(c);
  return c->status;
}

sloe_status sloe_fitted_trees_take(sloe_fitted_cursor *c, sloe_arena *arena, size_t n_features,
                                   sloe_learned_trees *trees) {
  const size_t at = c->at, n = trees->n_nodes;
  trees->factor = sloe_fitted_take_f64(c);
  SLOE_TRY(c->status);
  trees->first = NULL;
  trees->node = NULL;
  sloe_status status = sloe_learned_trees_check(trees, n_features, c->err);
  if (status != SLOE_OK) return sloe_fitted_fail_model(c, at, status);
  SLOE_TRY(take_u32s(c, arena, (size_t)trees->n_trees + 1, &trees->first));
  sloe_fitted_take_align(c);
  const uint8_t *bytes = sloe_fitted_take(c, n * NODE_BYTES);
  SLOE_TRY(c->status);
  trees->node = SLOE_ARENA_NEW(arena, sloe_tree_node, n);
  if (!trees->node) return no_memory(c);
  memcpy(trees->node, bytes, n * NODE_BYTES);
  status = sloe_learned_trees_check(trees, n_features, c->err);
  return status == SLOE_OK ? SLOE_OK : sloe_fitted_fail_model(c, at, status);
}
