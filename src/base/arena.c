#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { FIRST_BLOCK = 4096, LARGEST_BLOCK = 1 << 20 };

typedef struct sloe_arena_block {
  struct sloe_arena_block *next;
  size_t size;
  alignas(max_align_t) char data[];
} block;

void sloe_arena_init(sloe_arena *arena, size_t limit) {
  *arena = (sloe_arena){.limit = limit};
}

void sloe_arena_fini(sloe_arena *arena) {
  for (block *b = arena->head; b;) {
    block *next = b->next;
    sloe_dealloc(b);
    b = next;
  }
  *arena = (sloe_arena){0};
}

static int add_block(sloe_arena *arena, size_t need) {
  size_t size = arena->head ? arena->head->size * 2 : FIRST_BLOCK;
  if (size > LARGEST_BLOCK) size = LARGEST_BLOCK;
  if (size < need) size = need;
  block *b = sloe_alloc(1, sizeof *b + size);
  if (!b) return 0;
  b->next = arena->head;
  b->size = size;
  arena->head = b;
  arena->free = b->data;
  arena->end = b->data + size;
  return 1;
}

void *sloe_arena_widen(sloe_arena *arena, size_t bytes) {
  if (!add_block(arena, bytes)) return NULL;
  void *p = arena->free;
  arena->free += bytes;
  arena->used += bytes;
  return p;
}

void *sloe_arena_alloc(sloe_arena *arena, size_t count, size_t size) {
  void *p = sloe_arena_raw(arena, count, size);
  if (p) memset(p, 0, count * size);
  return p;
}

char *sloe_arena_strn(sloe_arena *arena, const char *s, size_t len) {
  char *copy = len < SIZE_MAX ? sloe_arena_raw(arena, len + 1, 1) : NULL;
  if (!copy) return NULL;
  if (len) memcpy(copy, s, len);
  copy[len] = '\0';
  return copy;
}

char *sloe_arena_printf(sloe_arena *arena, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  int len = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  char *text = len < 0 ? NULL : sloe_arena_alloc(arena, (size_t)len + 1, 1);
  if (!text) return NULL;
  va_start(ap, fmt);
  vsnprintf(text, (size_t)len + 1, fmt, ap);
  va_end(ap);
  return text;
}

int sloe_arena_double(sloe_arena *arena, void *data_ptr, size_t n, size_t *cap, size_t size) {
  size_t more = *cap ? *cap * 2 : 8;
  void *old, *grown = sloe_arena_raw(arena, more, size);
  if (!grown) return 0;
  memcpy(&old, data_ptr, sizeof old);
  if (n) memcpy(grown, old, n * size);
  memcpy(data_ptr, &grown, sizeof grown);
  *cap = more;
  return 1;
}
