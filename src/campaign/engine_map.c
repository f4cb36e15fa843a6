#include "campaign/engine_map.h"

#include <stdio.h>
#include <string.h>

#include "campaign/engine_align.h"
#include "campaign/engine_kinds.h"

enum { DIFFERENCES_MOST = 200 };
static const size_t MEMORY_LIMIT = (size_t)256 << 20;

const char *sloe_engine_found_text(sloe_engine_found found) {
  static const char *const texts[] = {
#define FOUND_TEXT(name, text) text,
      SLOE_ENGINE_FOUND_MAP(FOUND_TEXT)
#undef FOUND_TEXT
  };
  return texts[found];
}

typedef struct mapper {
  const sloe_net *net;
  const sloe_engine_layer *engine;
  size_t n;
  sloe_engine_map *map;
  sloe_map nodes, tensors; /* by name */
  int32_t *place;          /* of each node in net->order; -1: it does not run */
  unsigned char *used;     /* nodes that a layer of the engine was found to hold */
  int failed;
} mapper;

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory, or over the limit, comparing layers");
}

static sloe_status index_net(mapper *m, sloe_error *err) {
  const sloe_net *net = m->net;
  sloe_arena *arena = &m->map->arena;
  m->place = SLOE_ARENA_NEW(arena, int32_t, net->n_nodes + 1);
  m->used = SLOE_ARENA_NEW(arena, unsigned char, net->n_nodes + 1);
  m->map->matches = SLOE_ARENA_NEW(arena, sloe_engine_match, m->n + 1);
  if (!m->place || !m->used || !m->map->matches) return no_memory(err);
  m->map->n_matches = m->n;
  for (size_t i = 0; i < net->n_nodes; i++) m->place[i] = -1;
  for (size_t i = 0; i < net->n_order; i++) m->place[net->order[i]] = (int32_t)i;
  for (size_t i = 0; i < net->n_nodes; i++)
    if (!sloe_map_put(&m->nodes, arena, net->nodes[i].name, (int32_t)i)) return no_memory(err);
  for (size_t i = 0; i < net->n_tensors; i++)
    if (!sloe_map_put(&m->tensors, arena, net->tensors[i].name, (int32_t)i)) return no_memory(err);
  return SLOE_OK;
}

/* ---- by name ---- */

enum { NODES_MOST = 1024, NAME_MOST = 1024 };

typedef struct finder {
  const mapper *m;
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

static void keep_nodes(mapper *m, sloe_engine_match *match, const int32_t *nodes, size_t n,
                       sloe_engine_found found) {
  int32_t *copy = sloe_arena_raw(&m->map->arena, n + 1, sizeof *copy);
  m->failed |= !copy;
  if (!copy) return;
  memcpy(copy, nodes, n * sizeof *copy);
  match->nodes = copy;
  match->n_nodes = n;
  match->found = found;
}

static void find_by_metadata(mapper *m, size_t i, finder *f) {
  const sloe_trt_layer *info = m->engine[i].info;
  *f = (finder){.m = m, .first = -1};
  for (size_t k = 0; info && k < info->n_onnx; k++)
    take_part(f, info->onnx[k], strlen(info->onnx[k]), 0);
  sort_nodes(f);
  if (f->n && !f->missing) keep_nodes(m, &m->map->matches[i], f->node, f->n, SLOE_ENGINE_METADATA);
}

static void find_by_name(mapper *m, size_t i, finder *f) {
  const char *name = m->engine[i].name;
  *f = (finder){.m = m, .first = -1};
  sloe_engine_parts(name, strlen(name), take_part, f);
  sort_nodes(f);
  if (f->n && !f->missing && agrees(f, m->engine[i].info))
    keep_nodes(m, &m->map->matches[i], f->node, f->n, SLOE_ENGINE_NAME);
}

static void forget(sloe_engine_match *match) {
  match->nodes = NULL;
  match->n_nodes = 0;
  match->found = SLOE_ENGINE_NOT;
}

/* Names are believed where they find half of the layers. */
static void find_named(mapper *m) {
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

/* ---- by order ---- */

static void mark_used(mapper *m) {
  for (size_t i = 0; i < m->n; i++)
    for (size_t k = 0; k < m->map->matches[i].n_nodes; k++)
      m->used[m->map->matches[i].nodes[k]] = 1;
}

/* Layers of ours that hold a node which was found. */
static void mark_taken(const mapper *m, const sloe_layers *ours, unsigned char *taken) {
  for (size_t i = 0; i < sloe_layers_count(ours); i++) {
    size_t n;
    const int32_t *nodes = sloe_layers_nodes(ours, i, &n, NULL);
    taken[i] = 0;
    for (size_t k = 0; k < n; k++) taken[i] |= m->used[nodes[k]];
  }
}

typedef struct candidate { /* a way to fuse, and what the engine's layers are in it */
  sloe_layers *layers;
  int32_t *to; /* by the engine's layers */
  int64_t score;
} candidate;

/* The Add goes with the first operand to 8.3, with the last from 8.4. */
enum { ADD_FIRST_LAST = 803, ADD_LAST_FIRST = 804, CANDIDATES_MOST = 2 * SLOE_PRECISION_COUNT };

static size_t count_role(const mapper *m, sloe_engine_role role) {
  size_t n = 0;
  for (size_t i = 0; i < m->n; i++) n += m->map->matches[i].role == role;
  return n;
}

/* The engine's own first; of an unknown one FP16 where it reformats, which FP32 has no need for. */
static sloe_precision precision_at(const mapper *m, int known, int i) {
  const int reformats = count_role(m, SLOE_ENGINE_REFORMAT) != 0;
  const sloe_precision own = known ? m->map->fusion.precision : reformats ? SLOE_FP16 : SLOE_FP32;
  return i == 0 ? own : (sloe_precision)(i - (i <= (int)own));
}

static sloe_status try_fusion(mapper *m, const sloe_fusion *fusion, const unsigned char *skip,
                              candidate *c, sloe_error *err) {
  SLOE_TRY(sloe_layers_new(m->net, fusion, &c->layers, err));
  const size_t n = sloe_layers_count(c->layers);
  unsigned char *taken = SLOE_ARENA_NEW(&m->map->arena, unsigned char, n + 1);
  c->to = SLOE_ARENA_NEW(&m->map->arena, int32_t, m->n + 1);
  if (!taken || !c->to) return no_memory(err);
  mark_taken(m, c->layers, taken);
  return sloe_engine_align(m->engine, m->map->matches, skip, m->n, c->layers, taken, c->to,
                           &c->score, err);
}

/* Both orders of a residual Add at each precision, of which each has rules of its own; *best is the
   first of those that fit best. */
static sloe_status try_all(mapper *m, int precision_known, const unsigned char *skip,
                           candidate *all, size_t *n, size_t *best, sloe_error *err) {
  sloe_fusion fusion = m->map->fusion;
  const int version = fusion.version;
  *n = *best = 0;
  for (int p = 0; p < SLOE_PRECISION_COUNT; p++) {
    fusion.precision = precision_at(m, precision_known, p);
    for (int other = 0; other < 2; other++) {
      const int first = version && version <= ADD_FIRST_LAST;
      fusion.version = !other ? version : first ? ADD_LAST_FIRST : ADD_FIRST_LAST;
      const size_t i = (*n)++; /* to be freed also where it fails */
      SLOE_TRY(try_fusion(m, &fusion, skip, &all[i], err));
      if (all[i].score > all[*best].score) *best = i;
    }
  }
  return SLOE_OK;
}

static void take_order(mapper *m, const candidate *c) {
  for (size_t i = 0; i < m->n; i++) {
    size_t n;
    if (c->to[i] < 0) continue;
    const int32_t *nodes = sloe_layers_nodes(c->layers, (size_t)c->to[i], &n, NULL);
    keep_nodes(m, &m->map->matches[i], nodes, n, SLOE_ENGINE_ORDER);
  }
}

/* ---- what each is in ours ---- */

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

/* Of siblings that run as one convolution the output maps are those of all. */
static void take_spec(mapper *m, sloe_engine_match *match, const candidate *all, size_t n_all) {
  for (size_t c = 0; c < n_all && !match->has_spec; c++) {
    const int32_t i = layer_with(all[c].layers, match);
    size_t n;
    if (i < 0) continue;
    const int32_t *nodes = sloe_layers_nodes(all[c].layers, (size_t)i, &n, NULL);
    if (!same_nodes(m->net, match->nodes, match->n_nodes, nodes, n)) continue;
    match->kind = sloe_layers_at(all[c].layers, (size_t)i)->kind;
    sloe_layer_spec_of(all[c].layers, (size_t)i, &match->spec, &match->has_spec);
    const int64_t filters = sloe_layers_at(all[c].layers, (size_t)i)->filters;
    if (match->spec.op == SLOE_SPEC_CONV && filters > match->spec.k) match->spec.k = filters;
  }
  if (has_pool(m->net, match)) match->has_spec = 0;
}

static const char *keep_text(mapper *m, const char *s) {
  const char *copy = sloe_arena_strn(&m->map->arena, s, strlen(s));
  m->failed |= !copy;
  return copy ? copy : "";
}

static void compare(mapper *m, sloe_engine_match *match, const sloe_layers *ours) {
  const int32_t i = layer_with(ours, match);
  size_t n;
  if (i < 0) return;
  const int32_t *nodes = sloe_layers_nodes(ours, (size_t)i, &n, NULL);
  match->ours = keep_text(m, sloe_layers_at(ours, (size_t)i)->name);
  match->differs = !same_nodes(m->net, match->nodes, match->n_nodes, nodes, n);
  if (!match->has_spec) match->kind = sloe_layers_at(ours, (size_t)i)->kind;
}

static void describe(mapper *m, const candidate *all, size_t n_all, const sloe_layers *ours) {
  for (size_t i = 0; i < m->n; i++) {
    sloe_engine_match *match = &m->map->matches[i];
    if (!match->n_nodes) continue;
    take_spec(m, match, all, n_all);
    compare(m, match, ours);
  }
}

/* ---- reformats and copies ---- */

/* The layer whose name is the owner's, or has it among its parts. */
static size_t owner_of(const mapper *m, size_t i) {
  size_t len;
  const char *owner = sloe_engine_owner(m->engine[i].name, &len);
  for (size_t k = 0; k < m->n; k++)
    if (strlen(m->engine[k].name) == len && !memcmp(m->engine[k].name, owner, len)) return k;
  for (size_t k = 0; k < m->n && len; k++) {
    const char *p = m->map->matches[k].role == SLOE_ENGINE_LAYER ? m->engine[k].name : NULL;
    for (; p && (p = strchr(p, *owner)) != NULL; p++)
      if (!strncmp(p, owner, len) && (!p[len] || p[len] == ' ')) return k;
  }
  return i;
}

static void find_owners(mapper *m) {
  for (size_t i = 0; i < m->n; i++) {
    sloe_engine_match *match = &m->map->matches[i];
    if (match->role == SLOE_ENGINE_LAYER || match->n_nodes) continue;
    const sloe_engine_match *owner = &m->map->matches[owner_of(m, i)];
    if (owner == match || !owner->n_nodes) continue;
    keep_nodes(m, match, owner->nodes, owner->n_nodes, SLOE_ENGINE_OWNER);
  }
}

static unsigned kinds_of(const mapper *m, size_t i) {
  int sure;
  return sloe_engine_kinds(&m->engine[i], &sure);
}

static int is_move(unsigned kinds) {
  const unsigned moves = 1u << SLOE_LAYER_COPY | 1u << SLOE_LAYER_VIEW | 1u << SLOE_LAYER_RESAMPLE;
  return kinds && !(kinds & ~moves);
}

/* A pad of its own before a layer that pads itself in the net. */
static void find_pads(mapper *m) {
  for (size_t i = 0; i + 1 < m->n; i++) {
    sloe_engine_match *match = &m->map->matches[i];
    const sloe_engine_match *next = match + 1;
    if (match->role != SLOE_ENGINE_LAYER || match->found || !is_move(kinds_of(m, i))) continue;
    if (next->has_spec && (next->spec.pad[0] || next->spec.pad[1]))
      keep_nodes(m, match, next->nodes, next->n_nodes, SLOE_ENGINE_OWNER);
  }
}

/* Layers before the first that was found, and behind the last, of kinds that exporters add there.
 */
static void find_outside(mapper *m) {
  size_t first = m->n, last = 0;
  for (size_t i = 0; i < m->n; i++)
    if (m->map->matches[i].role == SLOE_ENGINE_LAYER && m->map->matches[i].found) {
      if (first == m->n) first = i;
      last = i;
    }
  for (size_t i = 0; i < m->n && first < m->n; i++) {
    sloe_engine_match *match = &m->map->matches[i];
    const unsigned kinds = kinds_of(m, i);
    if (match->role == SLOE_ENGINE_LAYER && !match->found && (i < first || i > last) &&
        (kinds == 1u << SLOE_LAYER_SOFTMAX || is_move(kinds)))
      match->found = SLOE_ENGINE_OUTSIDE;
  }
}

static void count_found(mapper *m) {
  for (size_t i = 0; i < m->n; i++) {
    const sloe_engine_match *match = &m->map->matches[i];
    if (match->role != SLOE_ENGINE_LAYER) continue;
    m->map->n_layers++;
    m->map->n_outside += match->found == SLOE_ENGINE_OUTSIDE;
    m->map->n_found += match->found && match->found != SLOE_ENGINE_OUTSIDE;
  }
}

/* ---- differences ---- */

static void differ(mapper *m, const char *format, const char *a, const char *b) {
  sloe_engine_map *map = m->map;
  if (map->n_differences == DIFFERENCES_MOST) return;
  if (!sloe_arena_grow(&map->arena, &map->differences, map->n_differences, &map->cap_differences,
                       sizeof *map->differences)) {
    m->failed = 1;
    return;
  }
  const size_t size = strlen(format) + strlen(a) + strlen(b) + 1;
  char *text = sloe_arena_raw(&map->arena, size, 1);
  m->failed |= !text;
  if (!text) return;
  char *to = text;
  for (const char *p = format; *p; p++) {
    const char *s = *p == '1' ? a : *p == '2' ? b : NULL;
    const size_t n = s ? strlen(s) : 1;
    memcpy(to, s ? s : p, n);
    to += n;
  }
  *to = 0;
  map->differences[map->n_differences++] = text;
}

static void count_difference(mapper *m, const char *what, size_t engine, size_t ours) {
  char text[128];
  if (engine == ours) return;
  snprintf(text, sizeof text, "%s: %zu in the engine, %zu in our fusion", what, engine, ours);
  differ(m, "1", text, "");
}

static void list_layers(mapper *m) {
  for (size_t i = 0; i < m->n; i++) {
    const sloe_engine_match *match = &m->map->matches[i];
    if (match->role != SLOE_ENGINE_LAYER) continue;
    if (match->found == SLOE_ENGINE_OUTSIDE)
      differ(m, "layer '1' is outside of the net", m->engine[i].name, "");
    else if (match->found == SLOE_ENGINE_OWNER)
      differ(m, "layer '1' is part of another in the net", m->engine[i].name, "");
    else if (!match->found)
      differ(m, "layer '1' is not found in the net", m->engine[i].name, "");
    else if (match->differs)
      differ(m, "layer '1' is '2' in our fusion", m->engine[i].name, match->ours);
  }
}

static void list_ours(mapper *m, const sloe_layers *ours) {
  size_t reformats = 0, copies = 0, n;
  for (size_t i = 0; i < sloe_layers_count(ours); i++) {
    const sloe_layer *layer = sloe_layers_at(ours, i);
    const int32_t *nodes = sloe_layers_nodes(ours, i, &n, NULL);
    int found = 0;
    reformats += layer->kind == SLOE_LAYER_REFORMAT && !n;
    copies += layer->kind == SLOE_LAYER_COPY && !n;
    for (size_t k = 0; k < n; k++) found |= m->used[nodes[k]];
    if (n && !found && layer->kind != SLOE_LAYER_VIEW)
      differ(m, "layer '1' of our fusion is not in the engine", layer->name, "");
  }
  count_difference(m, "reformats", count_role(m, SLOE_ENGINE_REFORMAT), reformats);
  count_difference(m, "copies", count_role(m, SLOE_ENGINE_COPY), copies);
}

/* ---- the whole ---- */

static void take_roles(mapper *m) {
  for (size_t i = 0; i < m->n; i++) {
    const sloe_trt_layer *info = m->engine[i].info;
    sloe_engine_match *match = &m->map->matches[i];
    match->role =
        sloe_engine_role_of(m->engine[i].name, info ? info->type : "", info ? info->origin : "");
    if (match->role == SLOE_ENGINE_REFORMAT && m->engine[i].ms == 0)
      match->role = SLOE_ENGINE_NOTHING;
    match->ours = "";
    match->kind = SLOE_LAYER_UNKNOWN;
    match->spec = sloe_layer_spec_none();
  }
}

static sloe_status map_all(mapper *m, int precision_known, candidate *all, size_t *n_all,
                           sloe_error *err) {
  size_t best;
  SLOE_TRY(index_net(m, err));
  unsigned char *skip = SLOE_ARENA_NEW(&m->map->arena, unsigned char, m->n + 1);
  if (!skip) return no_memory(err);
  take_roles(m);
  find_named(m);
  mark_used(m);
  for (size_t i = 0; i < m->n; i++) {
    const sloe_engine_match *match = &m->map->matches[i];
    skip[i] = match->found || (match->role != SLOE_ENGINE_LAYER && match->role != SLOE_ENGINE_COPY);
  }
  SLOE_TRY(try_all(m, precision_known, skip, all, n_all, &best, err));
  take_order(m, &all[best]);
  mark_used(m);
  /* Of the engine's own version, and of its precision where that is known. */
  const sloe_layers *ours = all[precision_known ? 0 : best - best % 2].layers;
  m->map->fusion = *sloe_layers_fusion(ours);
  describe(m, all, *n_all, ours);
  find_owners(m);
  find_pads(m);
  find_outside(m);
  count_found(m);
  list_layers(m);
  list_ours(m, ours);
  return m->failed ? no_memory(err) : SLOE_OK;
}

sloe_status sloe_engine_map_init(const sloe_net *net, const sloe_fusion *fusion,
                                 int precision_known, const sloe_engine_layer *engine, size_t n,
                                 sloe_engine_map *out, sloe_error *err) {
  candidate all[CANDIDATES_MOST] = {{0}};
  size_t n_all = 0;
  *out = (sloe_engine_map){.fusion = *fusion};
  sloe_arena_init(&out->arena, MEMORY_LIMIT);
  mapper m = {.net = net, .engine = engine, .n = n, .map = out};
  const sloe_status status = map_all(&m, precision_known, all, &n_all, err);
  for (size_t i = 0; i < n_all; i++) sloe_layers_free(all[i].layers);
  if (status != SLOE_OK) sloe_engine_map_fini(out);
  return status;
}

void sloe_engine_map_fini(sloe_engine_map *map) {
  sloe_arena_fini(&map->arena);
  *map = (sloe_engine_map){0};
}
