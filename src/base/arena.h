/* arena.h: one lifetime, one cap. Everything that belongs to a net dies with its arena.
 *
 * Blocks double from 4 KiB to 1 MiB, larger requests get a block of their own. The cap counts bytes
 * asked for, so that a hostile 20-byte file cannot claim the machine.
 */
#ifndef SLOE_BASE_ARENA_H
#define SLOE_BASE_ARENA_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct sloe_arena {
  struct sloe_arena_block *head;
  char *free, *end;
  size_t used, limit; /* bytes */
} sloe_arena;

void sloe_arena_init(sloe_arena *arena, size_t limit);
void sloe_arena_fini(sloe_arena *arena);

/* A block of its own for `bytes`, a multiple of 16, where the last one has no room. */
void *sloe_arena_widen(sloe_arena *arena, size_t bytes);

/* `count` elements as they come, aligned for any type; NULL when over the limit or out of memory.
   In the header because networks are made of thousands of small pieces. */
static inline void *sloe_arena_raw(sloe_arena *arena, size_t count, size_t size) {
  const size_t align = alignof(max_align_t);
  if (size && count > (SIZE_MAX / 4) / size) return NULL;
  const size_t bytes = (count * size + align - 1) & ~(align - 1);
  if (bytes > arena->limit - arena->used) return NULL;
  if (!arena->head || bytes > (size_t)(arena->end - arena->free))
    return sloe_arena_widen(arena, bytes);
  void *p = arena->free;
  arena->free += bytes;
  arena->used += bytes;
  return p;
}

/* The same, zeroed. */
void *sloe_arena_alloc(sloe_arena *arena, size_t count, size_t size);

/* A NUL-terminated copy of `len` bytes; NULL as above. */
char *sloe_arena_strn(sloe_arena *arena, const char *s, size_t len);
char *sloe_arena_printf(sloe_arena *arena, const char *fmt, ...) SLOE_PRINTF(2, 3);

int sloe_arena_double(sloe_arena *arena, void *data_ptr, size_t n, size_t *cap, size_t size);

/* Room for one more element in a vector of the arena: `*data` of `size`-byte elements holds `n` and
   has room for `*cap`. Grows by doubling (sloe_arena_double); the old block stays in the arena, the
   new room holds anything. 0 when it cannot. */
static inline int sloe_arena_grow(sloe_arena *arena, void *data_ptr, size_t n, size_t *cap,
                                  size_t size) {
  return n < *cap || sloe_arena_double(arena, data_ptr, n, cap, size);
}

#define SLOE_ARENA_NEW(arena, type, count) \
  ((type *)sloe_arena_alloc((arena), (count), sizeof(type)))

#endif
