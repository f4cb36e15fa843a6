/* blocks.c: memory that costs its page faults once.
 *
 * A profile loads thousands of layers, some with tensors of a gigabyte. Were each to fault its
 * pages anew, that would take longer than the layer. So a device reserves one region of addresses;
 * blocks are handed out from the lowest gap that fits, and what lies below the highest block so far
 * (`touched`) has its pages. It is filled with the pattern when it is touched; later blocks hold
 * what was left there, finite numbers all: whoever cares for contents writes them.
 *
 * Blocks begin at multiples of 64 bytes but of no page, staggered, so that tensors that are read
 * and written together do not alias modulo 4096.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, madvise */
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "device/onednn/onednn.h"

enum { PATTERN = 1 << 16, PAGE = 4096, STAGGER = 192, GROW = 4 << 20 };

/* Uniform in +-[1/8, 1], from a hash of the index. */
static float pattern_at(uint32_t i) {
  uint32_t x = (i % PATTERN) * 2654435761U + 12345U;
  x ^= x >> 15;
  x *= 2246822519U;
  x ^= x >> 13;
  const float size = 0.125F + 0.875F * (float)(x >> 8) / 16777216.0F;
  return x & 1U ? size : -size;
}

void sloe_onednn_pattern(float *to, size_t n, float scale) {
  const size_t first = n < PATTERN ? n : PATTERN;
  for (size_t i = 0; i < first; i++) to[i] = scale * pattern_at((uint32_t)i);
  for (size_t i = first; i < n; i += PATTERN) {
    const size_t more = n - i < PATTERN ? n - i : PATTERN;
    memcpy(to + i, to, more * sizeof *to);
  }
}

static size_t round_up(size_t n, size_t to) {
  return (n + to - 1) / to * to;
}

sloe_status sloe_onednn_region_open(onednn_region *region, size_t bytes, sloe_error *err) {
  *region = (onednn_region){.bytes = round_up(bytes, GROW)};
  void *base = mmap(NULL, region->bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED)
    return sloe_fail(err, SLOE_NOMEM, "onednn: no %zu bytes of addresses", region->bytes);
  madvise(base, region->bytes, MADV_HUGEPAGE);
  region->base = base;
  return SLOE_OK;
}

void sloe_onednn_region_close(onednn_region *region) {
  for (onednn_block *b = region->first, *next; b; b = next) {
    next = b->next;
    sloe_dealloc(b);
  }
  if (region->base) munmap(region->base, region->bytes);
  *region = (onednn_region){0};
}

static void touch(onednn_region *region, size_t to) {
  if (to <= region->touched) return;
  const size_t end = round_up(to, GROW) < region->bytes ? round_up(to, GROW) : region->bytes;
  sloe_onednn_pattern((float *)(void *)(region->base + region->touched),
                      (end - region->touched) / sizeof(float), 1.0F);
  region->touched = end;
}

/* Cut `bytes` off the front of the free block `b`, or take what is left behind the last block. */
static onednn_block *split(onednn_block *b, size_t bytes) {
  if (b->bytes - bytes < PAGE) return b;
  onednn_block *rest = sloe_alloc(1, sizeof *rest);
  if (!rest) return NULL;
  *rest = (onednn_block){.next = b->next, .at = b->at + bytes, .bytes = b->bytes - bytes};
  b->bytes = bytes;
  b->next = rest;
  return b;
}

static onednn_block *append(onednn_region *region, onednn_block *last, size_t bytes) {
  const size_t at = last ? last->at + last->bytes : 0;
  if (bytes > region->bytes || at > region->bytes - bytes) return NULL;
  onednn_block *b = sloe_alloc(1, sizeof *b);
  if (!b) return NULL;
  *b = (onednn_block){.at = at, .bytes = bytes};
  *(last ? &last->next : &region->first) = b;
  return b;
}

sloe_status sloe_onednn_block_take(onednn_region *region, size_t bytes, onednn_block **out,
                                   sloe_error *err) {
  onednn_block *last = NULL, *b = region->first;
  *out = NULL;
  if (bytes > region->bytes)
    return sloe_fail(err, SLOE_NOMEM, "onednn: %zu bytes are more than a device holds", bytes);
  bytes = round_up(bytes + 64, PAGE) + STAGGER;
  for (; b; last = b, b = b->next)
    if (!b->used && b->bytes >= bytes) break;
  if (!b && last && !last->used && last->at + bytes <= region->bytes) last->bytes = bytes, b = last;
  b = b ? split(b, bytes) : append(region, last, bytes);
  if (!b) return sloe_fail(err, SLOE_NOMEM, "onednn: no %zu bytes of memory left", bytes);
  b->used = 1;
  touch(region, b->at + b->bytes);
  *out = b;
  return SLOE_OK;
}

/* Join free neighbours. */
static void join(onednn_region *region) {
  for (onednn_block *b = region->first; b && b->next;) {
    onednn_block *next = b->next;
    if (b->used || next->used) {
      b = next;
      continue;
    }
    b->bytes += next->bytes;
    b->next = next->next;
    sloe_dealloc(next);
  }
}

void sloe_onednn_block_give(onednn_region *region, onednn_block *block) {
  if (!block) return;
  block->used = 0;
  join(region);
}
