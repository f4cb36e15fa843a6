/* engine_differences.c: where the engine and our fusion differ, a line each. */
#include <stdio.h>
#include <string.h>

#include "campaign/engine_mapper.h"

enum { DIFFERENCES_MOST = 200 };

static void differ(sloe_engine_mapper *m, const char *format, const char *a, const char *b) {
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

static void count_difference(sloe_engine_mapper *m, const char *what, size_t engine, size_t ours) {
  char text[128];
  if (engine == ours) return;
  snprintf(text, sizeof text, "%s: %zu in the engine, %zu in our fusion", what, engine, ours);
  differ(m, "1", text, "");
}

static void list_layers(sloe_engine_mapper *m) {
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

static void list_ours(sloe_engine_mapper *m, const sloe_layers *ours) {
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
  count_difference(m, "reformats", sloe_engine_count_role(m, SLOE_ENGINE_REFORMAT), reformats);
  count_difference(m, "copies", sloe_engine_count_role(m, SLOE_ENGINE_COPY), copies);
}

void sloe_engine_list_differences(sloe_engine_mapper *m, const sloe_layers *ours) {
  list_layers(m);
  list_ours(m, ours);
}
