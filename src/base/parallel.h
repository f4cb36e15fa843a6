/* parallel.h: tasks on several threads.
 *
 * Tasks must not touch each other's results; what they give is then the same for any number of
 * threads. What they allocate counts as the caller's, and while the caller's allocations are made
 * to fail (alloc.h) it does all of them itself.
 */
#ifndef SLOE_BASE_PARALLEL_H
#define SLOE_BASE_PARALLEL_H

#include <stddef.h>

#include "sloe/sloe.h"

enum { SLOE_PARALLEL_MOST = 64 };

/* Calls run(context, task) for each task in [0, n), on `threads` threads at most, this one among
   them. Where no thread can be made, fewer do the work. */
void sloe_parallel(int threads, size_t n, void (*run)(void *context, size_t task), void *context);

/* The same of tasks that may fail: all are done, and what the first in order that failed says is
   said. Errors: theirs; NOMEM. */
sloe_status sloe_parallel_try(int threads, size_t n,
                              sloe_status (*run)(void *context, size_t task, sloe_error *err),
                              void *context, sloe_error *err);

/* Processors of this machine; at least 1. */
int sloe_processors(void);

#endif
