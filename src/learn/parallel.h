/* parallel.h: tasks on several threads. Private to learn/.
 *
 * Tasks must not touch each other's results, and must not allocate: the counting of base/alloc.h is
 * a thread's own. What they give is then the same for any number of threads.
 */
#ifndef SLOE_LEARN_PARALLEL_H
#define SLOE_LEARN_PARALLEL_H

#include <stddef.h>

enum { SLOE_PARALLEL_MOST = 64 };

/* Calls run(context, task) for each task in [0, n), on `threads` threads at most, this one among
   them. Where no thread can be made, fewer do the work. */
void sloe_parallel(int threads, size_t n, void (*run)(void *context, size_t task), void *context);

#endif
