#include "device/net_walk.h"

#include <string.h>

sloe_status sloe_net_walk_open(sloe_arena *arena, const char *who, const sloe_layers *layers,
                               sloe_net_walk *out, sloe_error *err) {
  const sloe_net *net = sloe_layers_net(layers);
  *out = (sloe_net_walk){
      .who = who,
      .net = net,
      .layers = layers,
      .position = SLOE_ARENA_NEW(arena, size_t, net->n_nodes + 1),
  };
  if (!out->position) return sloe_fail(err, SLOE_NOMEM, "%s: out of memory", who);
  for (size_t i = 0; i < net->n_order; i++) out->position[net->order[i]] = i;
  return sloe_lives_of(layers, arena, &out->lives, err);
}

sloe_status sloe_net_walk_dims(const sloe_net_walk *w, sloe_tid t, int *rank, int64_t *dims,
                               sloe_error *err) {
  const sloe_tensor *tensor = &w->net->tensors[t];
  if (!sloe_shape_known(&tensor->shape) || sloe_shape_elements(&tensor->shape) == 0)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: the size of tensor %.80s is not known", w->who,
                     tensor->name);
  *rank = tensor->shape.rank ? tensor->shape.rank : 1;
  dims[0] = 1;
  memcpy(dims, tensor->shape.dim, (size_t)tensor->shape.rank * sizeof *dims);
  return SLOE_OK;
}

int sloe_net_walk_is_last(const sloe_net_walk *w, sloe_tid t) {
  const sloe_tid root = w->lives.root[t];
  size_t count, readers = 0;
  const int32_t *nodes = sloe_layers_nodes(w->layers, w->layer, &count, NULL);
  if (w->lives.last[root] != w->layer ||
      (w->net->tensors[root].flags & (SLOE_T_INPUT | SLOE_T_CONST)))
    return 0;
  for (size_t k = 0; k < count; k++) {
    const sloe_node *node = &w->net->nodes[nodes[k]];
    for (size_t j = 0; j < node->n_in; j++)
      readers += node->in[j] >= 0 && w->lives.root[node->in[j]] == root;
  }
  return readers == 1;
}

int sloe_net_walk_same(const sloe_net_walk *w, sloe_tid a, sloe_tid b) {
  return a >= 0 && b >= 0 && w->lives.root[a] == w->lives.root[b];
}

int sloe_net_walk_is_constant(const sloe_net_walk *w, sloe_tid t) {
  return t >= 0 && (w->net->tensors[w->lives.root[t]].flags & SLOE_T_CONST) != 0;
}

sloe_tid sloe_net_walk_other(const sloe_net_walk *w, const sloe_node *node, sloe_tid t) {
  if (node->n_in != 2) return -1;
  const int first = sloe_net_walk_same(w, node->in[0], t);
  if (first == sloe_net_walk_same(w, node->in[1], t)) return -1;
  return first ? node->in[1] : node->in[0];
}

int sloe_net_walk_is_scale(const sloe_net_walk *w, const sloe_node *node) {
  switch (node->op) {
    case SLOE_OP_BATCH_NORM: return 1;
    case SLOE_OP_ADD:
    case SLOE_OP_SUB:
    case SLOE_OP_MUL:
    case SLOE_OP_DIV:
      return node->n_in == 2 && (sloe_net_walk_is_constant(w, node->in[0]) ||
                                 sloe_net_walk_is_constant(w, node->in[1]));
    default: return 0;
  }
}

sloe_status sloe_net_walk_group(const sloe_net_walk *w, sloe_net_group *out, sloe_error *err) {
  const sloe_node *all = w->net->nodes;
  int32_t anchor;
  const int32_t *nodes = sloe_layers_nodes(w->layers, w->layer, &out->n, &anchor);
  if (out->n > SLOE_NET_GROUP)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: %zu ops in one layer", w->who, out->n);
  for (size_t k = 0; k < out->n; k++) {
    size_t at = k;
    for (; at > 0 && w->position[out->node[at - 1] - all] > w->position[nodes[k]]; at--)
      out->node[at] = out->node[at - 1];
    out->node[at] = &all[nodes[k]];
  }
  for (out->anchor = 0; out->node[out->anchor] != &all[anchor];) out->anchor++;
  return SLOE_OK;
}

const int64_t *sloe_net_walk_ints(const sloe_net_walk *w, const sloe_node *node, const char *name,
                                  size_t i, size_t *count) {
  const int64_t *ints = sloe_node_ints(node, name, count);
  const sloe_tensor *in = sloe_node_in(w->net, node, i);
  if (ints || !in || !in->value || in->value->real) return ints;
  *count = in->value->n;
  return in->value->i;
}

/* As sloe_net_walk_dims. */
static int rank_of(const sloe_net_walk *w, const sloe_node *node) {
  const int rank = sloe_node_in(w->net, node, 0)->shape.rank;
  return rank ? rank : 1;
}

int sloe_net_walk_axis(const sloe_net_walk *w, const sloe_node *node, int64_t fallback) {
  const int64_t axis = sloe_node_int(node, "axis", fallback);
  return (int)(axis < 0 ? axis + rank_of(w, node) : axis);
}

sloe_status sloe_net_walk_axes(const sloe_net_walk *w, const sloe_node *node, unsigned *bits,
                               sloe_error *err) {
  const int rank = rank_of(w, node);
  size_t count = 0;
  const int64_t *axes = sloe_net_walk_ints(w, node, "axes", 1, &count);
  *bits = axes ? 0 : (1U << rank) - 1;
  for (size_t i = 0; axes && i < count; i++) {
    const int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (axis < 0 || axis >= rank)
      return sloe_fail(err, SLOE_UNSUPPORTED, "%s: %.80s reduces axis %lld", w->who, node->name,
                       (long long)axes[i]);
    *bits |= 1U << axis;
  }
  return SLOE_OK;
}

/* ---- ops that move data ---- */

static sloe_status refuse(const sloe_net_walk *w, const sloe_node *node, const char *why,
                          sloe_error *err) {
  return sloe_fail(err, SLOE_UNSUPPORTED, "%s: %.60s %.80s: %s", w->who, node->type, node->name,
                   why);
}

sloe_status sloe_net_walk_slice(const sloe_net_walk *w, const sloe_node *node,
                                int64_t from[SLOE_MAX_RANK], sloe_error *err) {
  const sloe_shape *in = &sloe_node_in(w->net, node, 0)->shape;
  const sloe_shape *out = &sloe_node_out(w->net, node, 0)->shape;
  size_t n_starts = 0, n_axes = 0, n_steps = 0;
  const int64_t *starts = sloe_net_walk_ints(w, node, "starts", 1, &n_starts);
  const int64_t *axes = sloe_net_walk_ints(w, node, "axes", 3, &n_axes);
  const int64_t *steps = sloe_net_walk_ints(w, node, "", 4, &n_steps);
  for (int i = 0; i < SLOE_MAX_RANK; i++) from[i] = 0;
  if (!starts) return refuse(w, node, "its start is not known", err);
  for (size_t i = 0; steps && i < n_steps; i++)
    if (steps[i] != 1) return refuse(w, node, "steps other than 1", err);
  for (size_t i = 0; i < n_starts; i++) {
    int64_t axis = axes && i < n_axes ? axes[i] : (int64_t)i;
    if (axis < 0) axis += in->rank;
    if (axis < 0 || axis >= in->rank) return refuse(w, node, "its axes", err);
    int64_t start = starts[i] < 0 ? starts[i] + in->dim[axis] : starts[i];
    if (start < 0) start = 0;
    if (start + out->dim[axis] > in->dim[axis]) return refuse(w, node, "its start", err);
    from[axis] = start;
  }
  return SLOE_OK;
}

int sloe_pad_of(int rank, const int64_t *src, const int64_t *before, const int64_t *dims,
                sloe_pad *out) {
  for (int i = 0; i < rank; i++) {
    out->from[i] = before[i] < 0 ? -before[i] : 0;
    out->to[i] = before[i] > 0 ? before[i] : 0;
    const int64_t has = src[i] - out->from[i], room = dims[i] - out->to[i];
    out->kept[i] = has < room ? has : room;
    if (out->kept[i] < 1) return 0;
  }
  return 1;
}

sloe_status sloe_net_walk_pad(const sloe_net_walk *w, const sloe_node *node,
                              int64_t before[SLOE_MAX_RANK], sloe_error *err) {
  const sloe_tensor *in = sloe_node_in(w->net, node, 0), *out = sloe_node_out(w->net, node, 0);
  sloe_pad pad;
  size_t count = 0;
  const int64_t *known = sloe_net_walk_ints(w, node, "pads", 1, &count);
  if (!in || !out || !known || count != 2 * (size_t)in->shape.rank)
    return refuse(w, node, "its pads are not known", err);
  for (int i = 0; i < in->shape.rank; i++) before[i] = known[i];
  if (!sloe_pad_of(in->shape.rank, in->shape.dim, before, out->shape.dim, &pad))
    return refuse(w, node, "nothing is left", err);
  return SLOE_OK;
}

sloe_status sloe_net_walk_transpose(const sloe_net_walk *w, const sloe_node *node,
                                    int perm[SLOE_MAX_RANK], sloe_error *err) {
  const int rank = sloe_node_in(w->net, node, 0)->shape.rank;
  size_t count = 0;
  const int64_t *order = sloe_node_ints(node, "perm", &count);
  if (order && count != (size_t)rank) return refuse(w, node, "its order", err);
  for (int i = 0; i < rank; i++) {
    perm[i] = order ? (int)order[i] : rank - 1 - i;
    if (perm[i] < 0 || perm[i] >= rank) return refuse(w, node, "its order", err);
  }
  return SLOE_OK;
}

/* n x (c r r) x h x w -> n x c x (h r) x (w r), or back. */
sloe_status sloe_net_walk_depth(const sloe_net_walk *w, const sloe_node *node, int64_t dims[6],
                                int perm[6], sloe_error *err) {
  static const int rows[] = {0, 3, 4, 1, 5, 2}, columns[] = {0, 1, 4, 2, 5, 3},
                   back[] = {0, 3, 5, 1, 2, 4};
  const sloe_shape *in = &sloe_node_in(w->net, node, 0)->shape;
  const int64_t r = sloe_node_int(node, "blocksize", 1), *d = in->dim;
  const int crd = strcmp(sloe_node_string(node, "mode", "DCR"), "CRD") == 0;
  if (in->rank != 4 || r < 1) return refuse(w, node, "its block", err);
  const int64_t c = d[1] / (r * r);
  const int64_t to[3][6] = {{d[0], r, r, c, d[2], d[3]},
                            {d[0], c, r, r, d[2], d[3]},
                            {d[0], d[1], d[2] / r, r, d[3] / r, r}};
  const int how = node->op == SLOE_OP_SPACE_TO_DEPTH ? 2 : crd;
  const int *const orders[] = {rows, columns, back};
  memcpy(dims, to[how], sizeof to[how]);
  memcpy(perm, orders[how], sizeof rows);
  return SLOE_OK;
}
