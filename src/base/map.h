/* map.h: names -> indices, open addressing in an arena. Keys are not copied. */
#ifndef SLOE_BASE_MAP_H
#define SLOE_BASE_MAP_H

#include "base/arena.h"

typedef struct sloe_map {
  struct sloe_map_slot *slots;
  size_t n, cap; /* cap is a power of two, or 0 */
} sloe_map;

/* The index under `key`, or -1. */
int32_t sloe_map_get(const sloe_map *map, const char *key);

/* Put or replace. `key` must live as long as the map. 0 when the arena is full. */
int sloe_map_put(sloe_map *map, sloe_arena *arena, const char *key, int32_t index);

#endif
