#include "base/map.h"

#include <string.h>

typedef struct sloe_map_slot {
  const char *key; /* NULL: empty */
  uint64_t hash;
  int32_t index;
} slot;

/* FNV-1a, 64 bit. */
static uint64_t hash_of(const char *key) {
  uint64_t h = 0xcbf29ce484222325u;
  for (; *key; key++) h = (h ^ (unsigned char)*key) * 0x100000001b3u;
  return h ^ (h >> 32);
}

static slot *find(const sloe_map *map, const char *key, uint64_t hash) {
  size_t i = hash & (map->cap - 1);
  while (map->slots[i].key && (map->slots[i].hash != hash || strcmp(map->slots[i].key, key) != 0))
    i = (i + 1) & (map->cap - 1);
  return &map->slots[i];
}

int32_t sloe_map_get(const sloe_map *map, const char *key) {
  if (!map->cap) return -1;
  const slot *s = find(map, key, hash_of(key));
  return s->key ? s->index : -1;
}

static int grow(sloe_map *map, sloe_arena *arena) {
  sloe_map wide = {.cap = map->cap ? map->cap * 2 : 64};
  wide.slots = SLOE_ARENA_NEW(arena, slot, wide.cap);
  if (!wide.slots) return 0;
  for (size_t i = 0; i < map->cap; i++)
    if (map->slots[i].key) *find(&wide, map->slots[i].key, map->slots[i].hash) = map->slots[i];
  wide.n = map->n;
  *map = wide;
  return 1;
}

int sloe_map_put(sloe_map *map, sloe_arena *arena, const char *key, int32_t index) {
  if (map->n * 2 >= map->cap && !grow(map, arena)) return 0;
  uint64_t hash = hash_of(key);
  slot *s = find(map, key, hash);
  if (!s->key) map->n++;
  *s = (slot){.key = key, .hash = hash, .index = index};
  return 1;
}
