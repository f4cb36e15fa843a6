/* schedule.c: in which order groups run.
 *
 * A vertical group runs where its last member stood; sorting groups by that place is a valid order,
 * since no other group reads what its members wrote before (fuse.h). Merged siblings must move
 * forward to where the first of them could run, and others may have to wait for them: then the
 * order is a topological sort that takes, of the groups that can run, the one with the lowest key,
 * merged ones last. Groups on a cycle (a loop's carried values) keep their place.
 */
#include "net/fuse/fuse.h"

typedef struct ready_queue { /* binary heap of groups, lowest key first */
  int32_t *at;
  size_t n;
  const sloe_fuse *f;
} ready_queue;

static int64_t key_of(const sloe_fuse *f, int32_t g) {
  const sloe_fuse_group *x = &f->groups[g];
  return (int64_t)x->key + (x->flags & SLOE_FUSE_MERGED ? INT64_C(1) << 32 : 0);
}

static void push(ready_queue *q, int32_t g) {
  size_t i = q->n++;
  for (; i > 0 && key_of(q->f, q->at[(i - 1) / 2]) > key_of(q->f, g); i = (i - 1) / 2)
    q->at[i] = q->at[(i - 1) / 2];
  q->at[i] = g;
}

static int32_t pop(ready_queue *q) {
  const int32_t top = q->at[0], last = q->at[--q->n];
  size_t i = 0;
  for (size_t c; (c = 2 * i + 1) < q->n; i = c) {
    if (c + 1 < q->n && key_of(q->f, q->at[c + 1]) < key_of(q->f, q->at[c])) c++;
    if (key_of(q->f, q->at[c]) >= key_of(q->f, last)) break;
    q->at[i] = q->at[c];
  }
  q->at[i] = last;
  return top;
}

/* Groups by key: keys are places in net->order, one group each. */
static size_t by_place(sloe_fuse *f, int32_t *slots, int32_t *at_place) {
  const sloe_net *net = f->net;
  size_t n = 0;
  for (size_t i = 0; i < net->n_order; i++) at_place[i] = -1;
  for (size_t i = 0; i < net->n_order; i++) {
    const int32_t g = sloe_fuse_find(f, net->order[i]);
    if (f->groups[g].state != SLOE_FUSE_DROPPED) at_place[f->groups[g].key] = g;
  }
  for (size_t i = 0; i < net->n_order; i++)
    if (at_place[i] >= 0) slots[n++] = at_place[i];
  return n;
}

/* The group that must run before `node` for its input i; -1. */
static int32_t before(sloe_fuse *f, int32_t node, size_t i) {
  const sloe_node *n = &f->net->nodes[node];
  if (!sloe_fuse_is_activation(f, n->in[i])) return -1;
  const int32_t g = sloe_fuse_find(f, sloe_fuse_producer(f, n->in[i]));
  return g == sloe_fuse_find(f, node) ? -1 : g;
}

static void release(sloe_fuse *f, int32_t g, int32_t *waits, ready_queue *q) {
  int32_t nodes[SLOE_FUSE_MAX_OPS];
  const size_t n = sloe_fuse_leaves(f, f->groups[g].expr, nodes);
  for (size_t m = 0; m < n; m++) {
    const sloe_node *node = &f->net->nodes[nodes[m]];
    for (size_t k = 0; k < node->n_out; k++) {
      const sloe_tid t = node->out[k];
      if (t < 0) continue;
      SLOE_FUSE_FOR_USES(f, t, u) {
        const int32_t reader = sloe_fuse_find(f, f->uses[u].node);
        if (reader != g && --waits[reader] == 0) push(q, reader);
      }
    }
  }
}

static size_t sort_topologically(sloe_fuse *f, int32_t *slots, int32_t *waits, int32_t *heap,
                                 unsigned char *done, const int32_t *places, size_t n_places) {
  const sloe_net *net = f->net;
  ready_queue q = {heap, 0, f};
  size_t n = 0;
  for (size_t i = 0; i < net->n_order; i++) {
    const int32_t node = net->order[i], g = sloe_fuse_find(f, node);
    if (f->groups[g].state == SLOE_FUSE_DROPPED) continue;
    for (size_t k = 0; k < net->nodes[node].n_in; k++) waits[g] += before(f, node, k) >= 0;
  }
  for (size_t i = 0; i < n_places; i++)
    if (waits[places[i]] == 0) push(&q, places[i]);
  while (q.n > 0) {
    const int32_t g = pop(&q);
    slots[n++] = g;
    done[g] = 1;
    release(f, g, waits, &q);
  }
  for (size_t i = 0; i < n_places; i++)
    if (!done[places[i]]) slots[n++] = places[i];
  return n;
}

sloe_status sloe_fuse_schedule(sloe_fuse *f, int32_t **slots, size_t *n, sloe_error *err) {
  const size_t order = f->net->n_order + 1, nodes = f->net->n_nodes + 1;
  int32_t *places = SLOE_ARENA_NEW(f->scratch, int32_t, order);
  int32_t *at_place = SLOE_ARENA_NEW(f->scratch, int32_t, order);
  if (!places || !at_place) goto nomem;
  const size_t n_places = by_place(f, places, at_place);
  *slots = places;
  *n = n_places;
  if (!f->merged_siblings) return SLOE_OK;
  int32_t *sorted = SLOE_ARENA_NEW(f->scratch, int32_t, order);
  int32_t *heap = SLOE_ARENA_NEW(f->scratch, int32_t, order);
  int32_t *waits = SLOE_ARENA_NEW(f->scratch, int32_t, nodes);
  unsigned char *done = SLOE_ARENA_NEW(f->scratch, unsigned char, nodes);
  if (!sorted || !heap || !waits || !done) goto nomem;
  *n = sort_topologically(f, sorted, waits, heap, done, places, n_places);
  *slots = sorted;
  return SLOE_OK;
nomem:
  return sloe_fail(err, SLOE_NOMEM, "no memory to order %zu ops", f->net->n_order);
}
