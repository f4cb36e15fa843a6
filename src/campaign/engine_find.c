/* engine_find.c: layers of an engine by the names of their ops. */
#include <string.h>

#include "campaign/engine_mapper.h"

enum { NODES_MOST = 1024, NAME_MOST = 1024 };

typedef struct finder {
  const sloe_engine_mapper *m;
  int32_t node[NODES_MOST];
  size_t n, missing;
  int32_t first; /* of a ForeignNode, its place; -1 */
} finder;

/* "name_clone_1" is "name". */
static int32_t look_up(const sloe_map *map, const char *s, size_t len) {
  char name[NAME_MOST];
  if (len >= sizeof name) return -1;
  memcpy(name, s, len);
  name[len] = 0;
  const int32_t found = sloe_map_get(map, name);
  if (found >= 0) return found;
  char *clone = strstr(name, "_clone_");
  if (!clone || clone[strlen("_clone_") + strspn(clone + strlen("_clone_"), "0123456789")])
    return -1;
  *clone = 0;
  return sloe_map_get(map, name);
}

static void add_node(finder *f, int32_t node) {
  if (f->m->place[node] < 0 || f->n == NODES_MOST) return;
  for (size_t i = 0; i < f->n; i++)
    if (f->node[i] == node) return;
  f->node[f->n++] = node;
}

/* Who reads a tensor, for a ForeignNode that begins at weights. */
static int32_t reader_of(const sloe_net *net, sloe_tid t) {
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_node *node = &net->nodes[net->order[i]];
    for (size_t k = 0; k < node->n_in; k++)
      if (node->in[k] == t) return net->order[i];
  }
  return -1;
}

static void add_between(finder *f, int32_t last) {
  const int32_t to = f->m->place[last];
  for (int32_t i = f->first; i >= 0 && i <= to; i++) add_node(f, f->m->net->order[i]);
  f->first = -1;
}

static void take_part(void *context, const char *part, size_t len, int from) {
  finder *f = context;
  int32_t node = look_up(&f->m->nodes, part, len);
  const sloe_tid t = node < 0 ? look_up(&f->m->tensors, part, len) : -1;
  if (from == 1 && t >= 0) node = reader_of(f->m->net, t);
  if (node < 0) {
    f->missing += t < 0; /* weights are in some names; they are no op */
    return;
  }
  if (from == 1) f->first = f->m->place[node];
  if (from == 2) add_between(f, node);
  add_node(f, node);
}

/* In execution order. */
static void sort_nodes(finder *f) {
  for (size_t i = 1; i < f->n; i++)
    for (size_t k = i; k && f->m->place[f->node[k]] < f->m->place[f->node[k - 1]]; k--) {
      const int32_t swap = f->node[k];
      f->node[k] = f->node[k - 1];
      f->node[k - 1] = swap;
    }
}

/* Is what the layer info tells of the window also that of the convolutions among the nodes? */
static int agrees(const finder *f, const sloe_trt_layer *info) {
  if (!info || !info->kernel[0]) return 1;
  for (size_t i = 0; i < f->n; i++) {
    const sloe_node *node = &f->m->net->nodes[f->node[i]];
    const sloe_tensor *w = sloe_node_in(f->m->net, node, 1);
    if (node->op != SLOE_OP_CONV || !w || w->shape.rank != 4) continue;
    if (w->shape.dim[2] != info->kernel[0] || w->shape.dim[3] != info->kernel[1]) return 0;
  }
  return 1;
}

static void find_by_metadata(sloe_engine_mapper *m, size_t i, finder *f) {
  const sloe_trt_layer *info = m->engine[i].info;
  *f = (finder){.m = m, .first = -1};
  for (size_t k = 0; info && k < info->n_onnx; k++)
    take_part(f, info->onnx[k], strlen(info->onnx[k]), 0);
  sort_nodes(f);
  if (f->n && !f->missing)
    sloe_engine_keep_nodes(m, &m->map->matches[i], f->node, f->n, SLOE_ENGINE_METADATA);
}

static void find_by_name(sloe_engine_mapper *m, size_t i, finder *f) {
  const char *name = m->engine[i].name;
  *f = (finder){.m = m, .first = -1};
  sloe_engine_parts(name, strlen(name), take_part, f);
  sort_nodes(f);
  if (f->n && !f->missing && agrees(f, m->engine[i].info))
    sloe_engine_keep_nodes(m, &m->map->matches[i], f->node, f->n, SLOE_ENGINE_NAME);
}

static void forget(sloe_engine_match *match) {
  match->nodes = NULL;
  match->n_nodes = 0;
  match->found = SLOE_ENGINE_NOT;
}

void sloe_engine_find_named(sloe_engine_mapper *m) {
  finder f;
  size_t layers = 0, named = 0;
  for (size_t i = 0; i < m->n; i++) {
    sloe_engine_match *match = &m->map->matches[i];
    if (match->role != SLOE_ENGINE_LAYER && match->role != SLOE_ENGINE_QUANTIZE) continue;
    find_by_metadata(m, i, &f);
    if (!match->found) find_by_name(m, i, &f);
    layers += match->role == SLOE_ENGINE_LAYER;
    named += match->role == SLOE_ENGINE_LAYER && match->found;
  }
  for (size_t i = 0; i < m->n && 2 * named < layers; i++) forget(&m->map->matches[i]);
}
