#include "campaign/engine_map.h"

#include <string.h>

#include "campaign/engine_align.h"
#include "campaign/engine_mapper.h"

static const size_t MEMORY_LIMIT = (size_t)256 << 20;

const char *sloe_engine_found_text(sloe_engine_found found) {
  static const char *const texts[] = {
#define FOUND_TEXT(name, text) text,
      SLOE_ENGINE_FOUND_MAP(FOUND_TEXT)
#undef FOUND_TEXT
  };
  return texts[found];
}

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory, or over the limit, comparing layers");
}

static sloe_status index_net(sloe_engine_mapper *m, sloe_error *err) {
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

/* ---- what is shared ---- */

void sloe_engine_keep_nodes(sloe_engine_mapper *m, sloe_engine_match *match, const int32_t *nodes,
                            size_t n, sloe_engine_found found) {
  int32_t *copy = sloe_arena_raw(&m->map->arena, n + 1, sizeof *copy);
  m->failed |= !copy;
  if (!copy) return;
  if (n) memcpy(copy, nodes, n * sizeof *copy);
  match->nodes = copy;
  match->n_nodes = n;
  match->found = found;
}

size_t sloe_engine_count_role(const sloe_engine_mapper *m, sloe_engine_role role) {
  size_t n = 0;
  for (size_t i = 0; i < m->n; i++) n += m->map->matches[i].role == role;
  return n;
}

/* ---- by order ---- */

static void mark_used(sloe_engine_mapper *m) {
  for (size_t i = 0; i < m->n; i++)
    for (size_t k = 0; k < m->map->matches[i].n_nodes; k++)
      m->used[m->map->matches[i].nodes[k]] = 1;
}

/* Layers of ours that hold a node which was found. */
static void mark_taken(const sloe_engine_mapper *m, const sloe_layers *ours, unsigned char *taken) {
  for (size_t i = 0; i < sloe_layers_count(ours); i++) {
    size_t n;
    const int32_t *nodes = sloe_layers_nodes(ours, i, &n, NULL);
    taken[i] = 0;
    for (size_t k = 0; k < n; k++) taken[i] |= m->used[nodes[k]];
  }
}

/* The Add goes with the first operand to 8.3, with the last from 8.4. */
enum { ADD_FIRST_LAST = 803, ADD_LAST_FIRST = 804, CANDIDATES_MOST = 2 * SLOE_PRECISION_COUNT };

/* The engine's own first; of an unknown one FP16 where it reformats, which FP32 has no need for. */
static sloe_precision precision_at(const sloe_engine_mapper *m, int known, int i) {
  const int reformats = sloe_engine_count_role(m, SLOE_ENGINE_REFORMAT) != 0;
  const sloe_precision own = known ? m->map->fusion.precision : reformats ? SLOE_FP16 : SLOE_FP32;
  return i == 0 ? own : (sloe_precision)(i - (i <= (int)own));
}

static sloe_status try_fusion(sloe_engine_mapper *m, const sloe_fusion *fusion,
                              const unsigned char *skip, sloe_engine_candidate *c,
                              sloe_error *err) {
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
static sloe_status try_all(sloe_engine_mapper *m, int precision_known, const unsigned char *skip,
                           sloe_engine_candidate *all, size_t *n, size_t *best, sloe_error *err) {
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

static void take_order(sloe_engine_mapper *m, const sloe_engine_candidate *c) {
  for (size_t i = 0; i < m->n; i++) {
    size_t n;
    if (c->to[i] < 0) continue;
    const int32_t *nodes = sloe_layers_nodes(c->layers, (size_t)c->to[i], &n, NULL);
    sloe_engine_keep_nodes(m, &m->map->matches[i], nodes, n, SLOE_ENGINE_ORDER);
  }
}

/* ---- the whole ---- */

static void take_roles(sloe_engine_mapper *m) {
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

static sloe_status map_all(sloe_engine_mapper *m, int precision_known, sloe_engine_candidate *all,
                           size_t *n_all, sloe_error *err) {
  size_t best;
  SLOE_TRY(index_net(m, err));
  unsigned char *skip = SLOE_ARENA_NEW(&m->map->arena, unsigned char, m->n + 1);
  if (!skip) return no_memory(err);
  take_roles(m);
  sloe_engine_find_named(m);
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
  sloe_engine_describe(m, all, *n_all, ours);
  sloe_engine_find_rest(m);
  sloe_engine_list_differences(m, ours);
  return m->failed ? no_memory(err) : SLOE_OK;
}

sloe_status sloe_engine_map_init(const sloe_net *net, const sloe_fusion *fusion,
                                 int precision_known, const sloe_engine_layer *engine, size_t n,
                                 sloe_engine_map *out, sloe_error *err) {
  sloe_engine_candidate all[CANDIDATES_MOST] = {{0}};
  size_t n_all = 0;
  *out = (sloe_engine_map){.fusion = *fusion};
  sloe_arena_init(&out->arena, MEMORY_LIMIT);
  sloe_engine_mapper m = {.net = net, .engine = engine, .n = n, .map = out};
  const sloe_status status = map_all(&m, precision_known, all, &n_all, err);
  for (size_t i = 0; i < n_all; i++) sloe_layers_free(all[i].layers);
  if (status != SLOE_OK) sloe_engine_map_fini(out);
  return status;
}

void sloe_engine_map_fini(sloe_engine_map *map) {
  sloe_arena_fini(&map->arena);
  *map = (sloe_engine_map){0};
}
