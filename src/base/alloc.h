/* alloc.h: the only door to malloc. Tests make the n-th allocation of a thread fail (habit 14). */
#ifndef SLOE_BASE_ALLOC_H
#define SLOE_BASE_ALLOC_H

#include <stddef.h>

/* `count` elements of `size` bytes, uninitialised; NULL when the product overflows or memory is
   out. Zero bytes give a pointer that may be freed. */
void *sloe_alloc(size_t count, size_t size);
void *sloe_realloc(void *old, size_t count, size_t size); /* on failure `old` is untouched */
void sloe_dealloc(void *p);                               /* takes NULL */

/* Testing: after sloe_alloc_fail_after(n) the n-th allocation from now (0 is the next) and all that
   follow it in this thread return NULL. Negative: never. sloe_alloc_live: blocks not yet freed. */
void sloe_alloc_fail_after(long n);
long sloe_alloc_live(void);
int sloe_alloc_is_failing(void); /* or will be, after some more */

/* Blocks that one thread allocates and another frees: the count of the one is handed over and
   becomes 0, the other takes it over. */
long sloe_alloc_hand_over(void);
void sloe_alloc_take_over(long blocks);

#endif
