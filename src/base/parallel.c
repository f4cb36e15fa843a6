#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

typedef struct crew {
  atomic_size_t next;
  atomic_long blocks; /* that other threads allocated more than they freed */
  size_t n;
  void (*run)(void *context, size_t task);
  void *context;
} crew;

static void work(crew *c) {
  size_t task;
  while ((task = atomic_fetch_add(&c->next, 1)) < c->n) c->run(c->context, task);
}

static void *work_along(void *arg) {
  crew *c = arg;
  work(c);
  atomic_fetch_add(&c->blocks, sloe_alloc_hand_over());
  return NULL;
}

void sloe_parallel(int threads, size_t n, void (*run)(void *context, size_t task), void *context) {
  pthread_t thread[SLOE_PARALLEL_MOST];
  crew c = {0, 0, n, run, context};
  size_t wanted = threads > 1 && !sloe_alloc_is_failing() ? (size_t)threads - 1 : 0, made = 0;
  if (wanted > SLOE_PARALLEL_MOST) wanted = SLOE_PARALLEL_MOST;
  if (n < wanted + 1) wanted = n ? n - 1 : 0;
  while (made < wanted && pthread_create(&thread[made], NULL, work_along, &c) == 0) made++;
  work(&c);
  for (size_t i = 0; i < made; i++) pthread_join(thread[i], NULL);
  sloe_alloc_take_over(atomic_load(&c.blocks));
}

typedef struct attempt {
  sloe_status (*run)(void *context, size_t task, sloe_error *err);
  void *context;
  sloe_status *status; /* [tasks] */
  sloe_error *err;     /* [tasks] */
} attempt;

static void try_one(void *context, size_t task) {
  const attempt *a = context;
  a->status[task] = a->run(a->context, task, &a->err[task]);
}

sloe_status sloe_parallel_try(int threads, size_t n,
                              sloe_status (*run)(void *context, size_t task, sloe_error *err),
                              void *context, sloe_error *err) {
  attempt a = {run, context, sloe_alloc(n + 1, sizeof *a.status), sloe_alloc(n + 1, sizeof *a.err)};
  sloe_status status = SLOE_OK;
  if (a.status && a.err)
    sloe_parallel(threads, n, try_one, &a);
  else
    status = sloe_fail(err, SLOE_NOMEM, "out of memory for %zu tasks", n);
  for (size_t i = 0; status == SLOE_OK && i < n; i++) {
    status = a.status[i];
    if (status != SLOE_OK && err) *err = a.err[i];
  }
  sloe_dealloc(a.status);
  sloe_dealloc(a.err);
  return status;
}

int sloe_processors(void) {
  const long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : (int)n;
}
