#include "net/lives.h"

#include "base/error.h"

enum { ALIGN = 256, ARENA_LIMIT = 1 << 28 };

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory following tensors through layers");
}

/* ---- lives ---- */

static int is_view(const sloe_net *net, const sloe_node *node) {
  const sloe_op_role role = sloe_op_role_of(node->op);
  if (role == SLOE_ROLE_VIEW || role == SLOE_ROLE_DROP) return 1;
  if (node->op != SLOE_OP_CAST) return 0;
  const sloe_tensor *in = sloe_node_in(net, node, 0), *out = sloe_node_out(net, node, 0);
  return in && out && sloe_dtype_is_float(in->dtype) && sloe_dtype_is_float(out->dtype);
}

static void find_roots(const sloe_net *net, sloe_lives *out) {
  for (size_t t = 0; t < net->n_tensors; t++) out->root[t] = (sloe_tid)t;
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_node *node = &net->nodes[net->order[i]];
    if (node->n_in && node->n_out && node->in[0] >= 0 && node->out[0] >= 0 && is_view(net, node))
      out->root[node->out[0]] = out->root[node->in[0]];
  }
}

static void find_last(const sloe_net *net, const sloe_layers *layers, sloe_lives *out) {
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    size_t count;
    const int32_t *nodes = sloe_layers_nodes(layers, i, &count, NULL);
    for (size_t k = 0; k < count; k++) {
      const sloe_node *node = &net->nodes[nodes[k]];
      for (size_t j = 0; j < node->n_in; j++)
        if (node->in[j] >= 0) out->last[out->root[node->in[j]]] = i;
    }
  }
  for (size_t i = 0; i < net->graph.n_out; i++)
    out->last[out->root[net->graph.out[i]]] = SLOE_LIVES_KEEP;
}

sloe_status sloe_lives_of(const sloe_layers *layers, sloe_arena *arena, sloe_lives *out,
                          sloe_error *err) {
  const sloe_net *net = sloe_layers_net(layers);
  *out = (sloe_lives){.root = SLOE_ARENA_NEW(arena, sloe_tid, net->n_tensors + 1),
                      .last = SLOE_ARENA_NEW(arena, size_t, net->n_tensors + 1)};
  if (!out->root || !out->last) return no_memory(err);
  find_roots(net, out);
  find_last(net, layers, out);
  return SLOE_OK;
}

/* ---- buffers ---- */

typedef struct buffer {
  uint64_t bytes;
  int taken;
} buffer;

typedef struct buffers {
  const sloe_net *net;
  sloe_lives lives;
  size_t width;
  buffer *buffer; /* [n] */
  size_t n, *of;  /* [tensors] the number of a root's buffer, from 1; 0: none */
} buffers;

static void take(buffers *b, sloe_tid t) {
  const uint64_t elements = sloe_shape_elements(&b->net->tensors[t].shape);
  const uint64_t bytes = sloe_add_sat(sloe_mul_sat(elements, b->width), ALIGN - 1) / ALIGN * ALIGN;
  size_t best = b->n;
  for (size_t i = 0; i < b->n; i++) {
    const buffer *old = &b->buffer[i];
    if (!old->taken && old->bytes >= bytes && old->bytes / 4 <= bytes &&
        (best == b->n || old->bytes < b->buffer[best].bytes))
      best = i;
  }
  if (best == b->n) b->buffer[b->n++].bytes = bytes;
  b->buffer[best].taken = 1;
  b->of[t] = best + 1;
}

/* What the layer writes and another reads; views have their root's. */
static void take_written(buffers *b, size_t layer, const int32_t *nodes, size_t count) {
  for (size_t k = 0; k < count; k++) {
    const sloe_node *node = &b->net->nodes[nodes[k]];
    for (size_t j = 0; j < node->n_out; j++) {
      const sloe_tid t = node->out[j];
      if (t >= 0 && b->lives.root[t] == t && !b->of[t] && b->lives.last[t] > layer &&
          !(b->net->tensors[t].flags & SLOE_T_CONST))
        take(b, t);
    }
  }
}

static void give_read(buffers *b, size_t layer, const int32_t *nodes, size_t count) {
  for (size_t k = 0; k < count; k++) {
    const sloe_node *node = &b->net->nodes[nodes[k]];
    for (size_t j = 0; j < node->n_in; j++) {
      if (node->in[j] < 0) continue;
      const sloe_tid root = b->lives.root[node->in[j]];
      if (b->of[root] && b->lives.last[root] == layer) b->buffer[b->of[root] - 1].taken = 0;
    }
  }
}

static double walk(buffers *b, const sloe_layers *layers) {
  const sloe_graph *graph = &b->net->graph;
  double sum = 0;
  for (size_t i = 0; i < graph->n_in; i++) {
    const sloe_tensor *t = &b->net->tensors[graph->in[i]];
    if (t->flags & SLOE_T_INPUT && !(t->flags & SLOE_T_WEIGHT)) take(b, graph->in[i]);
  }
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    size_t count;
    const int32_t *nodes = sloe_layers_nodes(layers, i, &count, NULL);
    take_written(b, i, nodes, count);
    give_read(b, i, nodes, count);
  }
  for (size_t i = 0; i < b->n; i++) sum += (double)b->buffer[i].bytes;
  return sum;
}

sloe_status sloe_layers_buffer_bytes(const sloe_layers *layers, size_t width, double *out,
                                     sloe_error *err) {
  buffers b = {.net = sloe_layers_net(layers), .width = width};
  const size_t n = b.net->n_tensors + 1;
  sloe_arena arena;
  *out = 0;
  sloe_arena_init(&arena, ARENA_LIMIT);
  sloe_status status = sloe_lives_of(layers, &arena, &b.lives, err);
  if (status == SLOE_OK) {
    b.buffer = SLOE_ARENA_NEW(&arena, buffer, n);
    b.of = SLOE_ARENA_NEW(&arena, size_t, n);
    if (!b.buffer || !b.of) status = no_memory(err);
  }
  if (status == SLOE_OK) *out = walk(&b, layers);
  sloe_arena_fini(&arena);
  return status;
}
