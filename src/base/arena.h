/* arena.h: one lifetime, one cap. Everything that belongs to a net dies with its arena.
 *
 * Blocks double from 4 KiB to 1 MiB, larger requests get a block of their own. The cap counts bytes
 * asked for, so that a hostile 20-byte file cannot claim the machine.
 */
#ifndef SLOE_BASE_ARENA_H
#define SLOE_BASE_ARENA_H

#include "base/error.h"

typedef struct sloe_arena {
  struct sloe_arena_block *head;
  char *free, *end;
  size_t used, limit; /* bytes */
} sloe_arena;

void sloe_arena_init(sloe_arena *arena, size_t limit);
void sloe_arena_fini(sloe_arena *arena);

/* `count` zeroed elements, aligned for any type; NULL when over the limit or out of memory. */
void *sloe_arena_alloc(sloe_arena *arena, size_t count, size_t size);

/* A NUL-terminated copy of `len` bytes; NULL as above. */
char *sloe_arena_strn(sloe_arena *arena, const char *s, size_t len);
char *sloe_arena_printf(sloe_arena *arena, const char *fmt, ...) SLOE_PRINTF(2, 3);

/* Room for one more element in a vector of the arena: `*data` of `size`-byte elements holds `n` and
   has room for `*cap`. Grows by doubling; the old block stays in the arena. 0 when it cannot. */
int sloe_arena_grow(sloe_arena *arena, void *data_ptr, size_t n, size_t *cap, size_t size);

#define SLOE_ARENA_NEW(arena, type, count) \
  ((type *)sloe_arena_alloc((arena), (count), sizeof(type)))

#endif
