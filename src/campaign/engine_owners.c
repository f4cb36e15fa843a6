/* engine_owners.c: what is no layer of the net: reformats, copies, pads, what exporters add. */
#include <string.h>

#include "campaign/engine_kinds.h"
#include "campaign/engine_mapper.h"

/* The layer whose name is the owner's, or has it among its parts. */
static size_t owner_of(const sloe_engine_mapper *m, size_t i) {
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

static void find_owners(sloe_engine_mapper *m) {
  for (size_t i = 0; i < m->n; i++) {
    sloe_engine_match *match = &m->map->matches[i];
    if (match->role == SLOE_ENGINE_LAYER || match->n_nodes) continue;
    const sloe_engine_match *owner = &m->map->matches[owner_of(m, i)];
    if (owner == match || !owner->n_nodes) continue;
    sloe_engine_keep_nodes(m, match, owner->nodes, owner->n_nodes, SLOE_ENGINE_OWNER);
  }
}

static unsigned kinds_of(const sloe_engine_mapper *m, size_t i) {
  int sure;
  return sloe_engine_kinds(&m->engine[i], &sure);
}

static int is_move(unsigned kinds) {
  const unsigned moves = 1u << SLOE_LAYER_COPY | 1u << SLOE_LAYER_VIEW | 1u << SLOE_LAYER_RESAMPLE;
  return kinds && !(kinds & ~moves);
}

/* A pad of its own before a layer that pads itself in the net. */
static void find_pads(sloe_engine_mapper *m) {
  for (size_t i = 0; i + 1 < m->n; i++) {
    sloe_engine_match *match = &m->map->matches[i];
    const sloe_engine_match *next = match + 1;
    if (match->role != SLOE_ENGINE_LAYER || match->found || !is_move(kinds_of(m, i))) continue;
    if (next->has_spec && (next->spec.pad[0] || next->spec.pad[1]))
      sloe_engine_keep_nodes(m, match, next->nodes, next->n_nodes, SLOE_ENGINE_OWNER);
  }
}

/* Layers before the first that was found, and behind the last, of kinds that exporters add there.
 */
static void find_outside(sloe_engine_mapper *m) {
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

static void count_found(sloe_engine_mapper *m) {
  for (size_t i = 0; i < m->n; i++) {
    const sloe_engine_match *match = &m->map->matches[i];
    if (match->role != SLOE_ENGINE_LAYER) continue;
    m->map->n_layers++;
    m->map->n_outside += match->found == SLOE_ENGINE_OUTSIDE;
    m->map->n_found += match->found && match->found != SLOE_ENGINE_OUTSIDE;
  }
}

void sloe_engine_find_rest(sloe_engine_mapper *m) {
  find_owners(m);
  find_pads(m);
  find_outside(m);
  count_found(m);
}
