/* engine_describe.c: what a layer that was found is in our fusion. */
#include <string.h>

#include "campaign/engine_align.h"
#include "campaign/engine_mapper.h"

static int holds(const int32_t *nodes, size_t n, int32_t node) {
  for (size_t i = 0; i < n; i++)
    if (nodes[i] == node) return 1;
  return 0;
}

/* Equal but for what has no part in a name. */
static int same_nodes(const sloe_net *net, const int32_t *a, size_t n_a, const int32_t *b,
                      size_t n_b) {
  for (size_t i = 0; i < n_a; i++)
    if (!holds(b, n_b, a[i]) && !sloe_engine_is_silent(net, a[i])) return 0;
  for (size_t i = 0; i < n_b; i++)
    if (!holds(a, n_a, b[i]) && !sloe_engine_is_silent(net, b[i])) return 0;
  return n_a && n_b;
}

/* The layer with most of the nodes that do something; -1: none has one. */
static int32_t layer_with(const sloe_layers *layers, const sloe_engine_match *match) {
  int32_t best = -1;
  size_t most = 0;
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    size_t n, here = 0;
    const int32_t *nodes = sloe_layers_nodes(layers, i, &n, NULL);
    for (size_t k = 0; k < n; k++) here += holds(match->nodes, match->n_nodes, nodes[k]) != 0;
    if (here > most) {
      most = here;
      best = (int32_t)i;
    }
  }
  return best;
}

/* A pool behind a convolution: no spec says that. */
static int has_pool(const sloe_net *net, const sloe_engine_match *match) {
  int pools = 0;
  for (size_t i = 0; i < match->n_nodes; i++)
    pools += sloe_op_layer_kind(net->nodes[match->nodes[i]].op) == SLOE_LAYER_POOL;
  return pools && match->kind != SLOE_LAYER_POOL;
}

static void take_spec(sloe_engine_mapper *m, sloe_engine_match *match,
                      const sloe_engine_candidate *all, size_t n_all) {
  for (size_t c = 0; c < n_all && !match->has_spec; c++) {
    const int32_t i = layer_with(all[c].layers, match);
    size_t n;
    if (i < 0) continue;
    const int32_t *nodes = sloe_layers_nodes(all[c].layers, (size_t)i, &n, NULL);
    if (!same_nodes(m->net, match->nodes, match->n_nodes, nodes, n)) continue;
    match->kind = sloe_layers_at(all[c].layers, (size_t)i)->kind;
    sloe_layer_spec_of(all[c].layers, (size_t)i, &match->spec, &match->has_spec);
  }
  if (has_pool(m->net, match)) match->has_spec = 0;
}

static const char *keep_text(sloe_engine_mapper *m, const char *s) {
  const char *copy = sloe_arena_strn(&m->map->arena, s, strlen(s));
  m->failed |= !copy;
  return copy ? copy : "";
}

static void compare(sloe_engine_mapper *m, sloe_engine_match *match, const sloe_layers *ours) {
  const int32_t i = layer_with(ours, match);
  size_t n;
  if (i < 0) return;
  const int32_t *nodes = sloe_layers_nodes(ours, (size_t)i, &n, NULL);
  match->ours = keep_text(m, sloe_layers_at(ours, (size_t)i)->name);
  match->differs = !same_nodes(m->net, match->nodes, match->n_nodes, nodes, n);
  if (!match->has_spec) match->kind = sloe_layers_at(ours, (size_t)i)->kind;
}

void sloe_engine_describe(sloe_engine_mapper *m, const sloe_engine_candidate *all, size_t n_all,
                          const sloe_layers *ours) {
  for (size_t i = 0; i < m->n; i++) {
    sloe_engine_match *match = &m->map->matches[i];
    if (!match->n_nodes) continue;
    take_spec(m, match, all, n_all);
    compare(m, match, ours);
  }
}
