/* Order: ONNX asks for topologically sorted nodes; not every writer keeps to it. Whether they
 * are is seen while they are added. An unsorted one is sorted by Kahn's algorithm, ties in file
 * order; what cannot be sorted is a cycle. A node with subgraphs depends on every outer tensor that
 * they take.
 */
#include <string.h>

#include "net/infer.h"

enum { DEEPEST_SUBGRAPH = 64 };

typedef struct sorter {
  sloe_net *net;
  int32_t *place; /* of each node in the graph being sorted, -1: not in it */
  sloe_error *err;
} sorter;

typedef sloe_status (*edge_fn)(sorter *s, int32_t from, int32_t to, void *state);

static sloe_status check_made(const sorter *s, const sloe_node *node, sloe_tid t) {
  const sloe_tensor *tensor = &s->net->tensors[t];
  const unsigned given = SLOE_T_INPUT | SLOE_T_INIT | SLOE_T_CONST | SLOE_T_LOCAL;
  if (tensor->producer >= 0 || tensor->flags & given) return SLOE_OK;
  return sloe_fail_at(s->err, SLOE_FORMAT, node->offset,
                      "node '%s' (%s): input '%s' is made by no node, input or initializer",
                      node->name, node->type, tensor->name);
}

/* Call fn for every node of the sorted graph on which `node`, at place `to`, depends. */
static sloe_status edges_of(sorter *s, const sloe_node *node, int32_t to, int depth, edge_fn fn,
                            void *state) {
  if (depth > DEEPEST_SUBGRAPH)
    return sloe_fail_at(s->err, SLOE_UNSUPPORTED, node->offset,
                        "node '%s': subgraphs nested deeper than %d", node->name, DEEPEST_SUBGRAPH);
  for (size_t i = 0; i < node->n_in; i++) {
    if (node->in[i] < 0) continue;
    SLOE_TRY(check_made(s, node, node->in[i]));
    int32_t p = s->net->tensors[node->in[i]].producer;
    if (p >= 0 && s->place[p] >= 0) SLOE_TRY(fn(s, s->place[p], to, state));
  }
  for (size_t a = 0; a < node->n_attrs; a++) {
    const sloe_graph *g = node->attrs[a].graph;
    for (size_t k = 0; g && k < g->n_nodes; k++)
      SLOE_TRY(edges_of(s, &s->net->nodes[g->nodes[k]], to, depth + 1, fn, state));
    for (size_t k = 0; g && k < g->n_out; k++) {
      int32_t p = s->net->tensors[g->out[k]].producer;
      if (p >= 0 && s->place[p] >= 0) SLOE_TRY(fn(s, s->place[p], to, state));
    }
  }
  return SLOE_OK;
}

static sloe_status note_unsorted(sorter *s, int32_t from, int32_t to, void *state) {
  (void)s;
  if (from >= to) *(int *)state = 1;
  return SLOE_OK;
}

/* Edges in compressed rows: successors of node i are to[start[i] .. start[i + 1]). */
typedef struct edges {
  int32_t *start, *to, *waiting;
} edges;

static sloe_status count_edge(sorter *s, int32_t from, int32_t to, void *state) {
  edges *e = state;
  if (e->start[from + 1] == INT32_MAX)
    return sloe_fail(s->err, SLOE_UNSUPPORTED, "too many edges in graph");
  e->start[from + 1]++;
  e->waiting[to]++;
  return SLOE_OK;
}

static sloe_status put_edge(sorter *s, int32_t from, int32_t to, void *state) {
  (void)s;
  edges *e = state;
  e->to[e->start[from]++] = to;
  return SLOE_OK;
}

static sloe_status each_edge(sorter *s, const sloe_graph *graph, edge_fn fn, void *state) {
  for (size_t i = 0; i < graph->n_nodes; i++)
    SLOE_TRY(edges_of(s, &s->net->nodes[graph->nodes[i]], (int32_t)i, 0, fn, state));
  return SLOE_OK;
}

static sloe_status build_edges(sorter *s, const sloe_graph *graph, edges *e) {
  sloe_arena *arena = &s->net->arena;
  size_t n = graph->n_nodes;
  e->start = SLOE_ARENA_NEW(arena, int32_t, n + 2);
  e->waiting = SLOE_ARENA_NEW(arena, int32_t, n);
  if (!e->start || !e->waiting) return sloe_fail(s->err, SLOE_NOMEM, "out of memory sorting nodes");
  SLOE_TRY(each_edge(s, graph, count_edge, e));
  for (size_t i = 0; i < n; i++) {
    if (e->start[i + 1] > INT32_MAX - e->start[i])
      return sloe_fail(s->err, SLOE_UNSUPPORTED, "too many edges in graph");
    e->start[i + 1] += e->start[i];
  }
  e->to = SLOE_ARENA_NEW(arena, int32_t, (size_t)e->start[n] + 1);
  if (!e->to) return sloe_fail(s->err, SLOE_NOMEM, "out of memory sorting nodes");
  SLOE_TRY(each_edge(s, graph, put_edge, e));
  memmove(e->start + 1, e->start, n * sizeof *e->start); /* put_edge moved each row's start on */
  e->start[0] = 0;
  return SLOE_OK;
}

static sloe_status kahn(sorter *s, sloe_graph *graph) {
  edges e = {0};
  SLOE_TRY(build_edges(s, graph, &e));
  size_t n = graph->n_nodes, done = 0, ready = 0;
  int32_t *queue = SLOE_ARENA_NEW(&s->net->arena, int32_t, n);
  if (!queue) return sloe_fail(s->err, SLOE_NOMEM, "out of memory sorting nodes");
  for (size_t i = 0; i < n; i++)
    if (!e.waiting[i]) queue[ready++] = (int32_t)i;
  for (; done < ready; done++) {
    int32_t i = queue[done];
    for (int32_t k = e.start[i]; k < e.start[i + 1]; k++)
      if (--e.waiting[e.to[k]] == 0) queue[ready++] = e.to[k];
  }
  for (size_t i = 0; done < n && i < n; i++) {
    const sloe_node *node = &s->net->nodes[graph->nodes[i]];
    if (e.waiting[i])
      return sloe_fail_at(s->err, SLOE_FORMAT, node->offset,
                          "node '%s' (%s) is part of a cycle, or waits for one", node->name,
                          node->type);
  }
  for (size_t i = 0; i < n; i++) queue[i] = graph->nodes[queue[i]];
  memcpy(graph->nodes, queue, n * sizeof *queue);
  return SLOE_OK;
}

static sloe_status sort_one(sorter *s, sloe_graph *graph, int depth) {
  int unsorted = 0;
  if (depth > DEEPEST_SUBGRAPH)
    return sloe_fail(s->err, SLOE_UNSUPPORTED, "subgraphs nested deeper than %d", DEEPEST_SUBGRAPH);
  for (size_t i = 0; i < graph->n_nodes; i++) s->place[graph->nodes[i]] = (int32_t)i;
  sloe_status status = each_edge(s, graph, note_unsorted, &unsorted);
  if (status == SLOE_OK && unsorted) status = kahn(s, graph);
  for (size_t i = 0; i < graph->n_nodes; i++) s->place[graph->nodes[i]] = -1;
  SLOE_TRY(status);
  for (size_t i = 0; i < graph->n_nodes; i++) {
    const sloe_node *node = &s->net->nodes[graph->nodes[i]];
    for (size_t a = 0; a < node->n_attrs; a++)
      if (node->attrs[a].graph) SLOE_TRY(sort_one(s, node->attrs[a].graph, depth + 1));
  }
  return SLOE_OK;
}

sloe_status sloe_sort_graph(sloe_net *net, sloe_graph *graph, sloe_error *err) {
  sorter s = {.net = net, .err = err};
  for (size_t i = 0; i < net->graph.n_out; i++) {
    const sloe_tensor *t = &net->tensors[net->graph.out[i]];
    if (t->producer < 0 && !(t->flags & (SLOE_T_INPUT | SLOE_T_INIT | SLOE_T_CONST)))
      return sloe_fail_at(err, SLOE_FORMAT, t->offset,
                          "output '%s' is made by no node, input or initializer", t->name);
  }
  if (!net->unsorted) return SLOE_OK;
  s.place = SLOE_ARENA_NEW(&net->arena, int32_t, net->n_nodes);
  if (!s.place) return sloe_fail(err, SLOE_NOMEM, "out of memory sorting nodes");
  memset(s.place, -1, net->n_nodes * sizeof *s.place);
  return sort_one(&s, graph, 0);
}
