#include "learn/parallel.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct crew {
  atomic_size_t next;
  size_t n;
  void (*run)(void *context, size_t task);
  void *context;
} crew;

static void *work(void *arg) {
  crew *c = arg;
  size_t task;
  while ((task = atomic_fetch_add(&c->next, 1)) < c->n) c->run(c->context, task);
  return NULL;
}

void sloe_parallel(int threads, size_t n, void (*run)(void *context, size_t task), void *context) {
  pthread_t thread[SLOE_PARALLEL_MOST];
  crew c = {0, n, run, context};
  size_t wanted = threads > 1 ? (size_t)threads - 1 : 0, made = 0;
  if (wanted > SLOE_PARALLEL_MOST) wanted = SLOE_PARALLEL_MOST;
  if (n < wanted + 1) wanted = n ? n - 1 : 0;
  while (made < wanted && pthread_create(&thread[made], NULL, work, &c) == 0) made++;
  work(&c);
  for (size_t i = 0; i < made; i++) pthread_join(thread[i], NULL);
}
