#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

static _Thread_local long fail_after = -1;
static _Thread_local long live;

static int refused(size_t count, size_t size) {
  if (size && count > SIZE_MAX / 2 / size) return 1;
  if (fail_after == 0) return 1;
  if (fail_after > 0) fail_after--;
  return 0;
}

void *sloe_alloc(size_t count, size_t size) {
  if (refused(count, size)) return NULL;
  size_t bytes = count * size;
  void *p = malloc(bytes ? bytes : 1);
  if (p) live++;
  return p;
}

void *sloe_realloc(void *old, size_t count, size_t size) {
  if (!old) return sloe_alloc(count, size);
  if (refused(count, size)) return NULL;
  size_t bytes = count * size;
  return realloc(old, bytes ? bytes : 1);
}

void sloe_dealloc(void *p) {
  if (p) live--;
  free(p);
}

void sloe_alloc_fail_after(long n) {
  fail_after = n;
}
long sloe_alloc_live(void) {
  return live;
}

int sloe_alloc_is_failing(void) {
  return fail_after >= 0;
}

long sloe_alloc_hand_over(void) {
  const long blocks = live;
  live = 0;
  return blocks;
}

void sloe_alloc_take_over(long blocks) {
  live += blocks;
}
