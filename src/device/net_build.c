#include "device/net_build.h"

static sloe_status nomem(const sloe_net_build *n, sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "%s: out of memory", n->maker->name);
}

/* ---- values ---- */

/* A constant, or an input of the network. */
static sloe_status make_source(sloe_net_build *n, sloe_tid t, sloe_error *err) {
  const sloe_tensor *tensor = &n->walk.net->tensors[t];
  int64_t dims[SLOE_MAX_RANK];
  int rank;
  if (!(tensor->flags & (SLOE_T_CONST | SLOE_T_INPUT)))
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: tensor %.80s is not computed by any layer",
                     n->maker->name, tensor->name);
  SLOE_TRY(sloe_net_walk_dims(&n->walk, t, &rank, dims, err));
  return n->maker->source(n->job, tensor, rank, dims, &n->value[t], err);
}

/* The value with the dims of tensor `t`. */
static sloe_status shape_as(sloe_net_build *n, sloe_tid t, sloe_backend_value *value,
                            sloe_backend_value **out, sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK];
  int rank;
  SLOE_TRY(sloe_net_walk_dims(&n->walk, t, &rank, dims, err));
  return n->maker->reshape(n->job, value, rank, dims, out, err);
}

sloe_status sloe_net_build_value(sloe_net_build *n, sloe_tid t, sloe_backend_value **out,
                                 sloe_error *err) {
  const sloe_tid root = n->walk.lives.root[t];
  *out = NULL;
  if (!n->value[root]) SLOE_TRY(make_source(n, root, err));
  if (!n->value[t]) SLOE_TRY(shape_as(n, t, n->value[root], &n->value[t], err));
  *out = n->value[t];
  return SLOE_OK;
}

sloe_status sloe_net_build_set(sloe_net_build *n, sloe_tid t, sloe_backend_value *value,
                               sloe_error *err) {
  sloe_backend_value *shaped;
  SLOE_TRY(shape_as(n, t, value, &shaped, err));
  if (shaped != value) n->maker->release(n->job, value); /* the view holds the bytes */
  n->value[t] = shaped;
  return SLOE_OK;
}

/* What the present layer read last. */
static void release_read(sloe_net_build *n) {
  const sloe_net_walk *w = &n->walk;
  for (size_t t = 0; t < w->net->n_tensors; t++)
    if (n->value[t] && w->lives.last[w->lives.root[t]] == w->layer)
      n->maker->release(n->job, n->value[t]);
}

/* ---- inputs of a node ---- */

sloe_status sloe_net_build_in(sloe_net_build *n, const sloe_node *node, size_t i,
                              sloe_backend_value **out, sloe_error *err) {
  *out = NULL;
  if (i >= node->n_in || node->in[i] < 0)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: %.80s has no input %zu", n->maker->name,
                     node->name, i);
  return sloe_net_build_value(n, node->in[i], out, err);
}

/* Ones in front, up to `rank` dimensions. */
static sloe_status widen(sloe_net_build *n, sloe_tid t, int rank, sloe_backend_value **value,
                         sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK], wide[SLOE_MAX_RANK];
  int own;
  SLOE_TRY(sloe_net_walk_dims(&n->walk, t, &own, dims, err));
  for (int d = 0; d < rank; d++) wide[d] = d < rank - own ? 1 : dims[d - (rank - own)];
  return n->maker->reshape(n->job, *value, rank, wide, value, err);
}

sloe_status sloe_net_build_factors(sloe_net_build *n, const sloe_node *node, sloe_backend_value **a,
                                   sloe_backend_value **b, sloe_error *err) {
  SLOE_TRY(sloe_net_build_in(n, node, 0, a, err));
  SLOE_TRY(sloe_net_build_in(n, node, 1, b, err));
  const int rank_a = n->walk.net->tensors[node->in[0]].shape.rank;
  const int rank_b = n->walk.net->tensors[node->in[1]].shape.rank;
  const int rank = rank_a > rank_b ? rank_a : rank_b;
  if (rank_a < 2 || rank_b < 2)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: %.80s multiplies vectors", n->maker->name,
                     node->name);
  SLOE_TRY(widen(n, node->in[0], rank, a, err));
  return widen(n, node->in[1], rank, b, err);
}

sloe_status sloe_net_build_rows(sloe_net_build *n, const sloe_node *node, sloe_backend_value **out,
                                sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK], rows[] = {1, 1};
  int rank;
  SLOE_TRY(sloe_net_build_in(n, node, 0, out, err));
  SLOE_TRY(sloe_net_walk_dims(&n->walk, node->in[0], &rank, dims, err));
  const int axis = sloe_net_walk_axis(&n->walk, node, -1);
  if (axis == rank - 1) return SLOE_OK;
  for (int i = 0; i < rank; i++) rows[i >= axis] *= dims[i];
  return n->maker->reshape(n->job, *out, 2, rows, out, err);
}

/* ---- ops that move data ---- */

static sloe_status build_concat(sloe_net_build *n, const sloe_node *node, sloe_backend_value **dst,
                                sloe_error *err) {
  sloe_backend_value **part = SLOE_ARENA_NEW(n->arena, sloe_backend_value *, node->n_in);
  if (!part) return nomem(n, err);
  for (size_t i = 0; i < node->n_in; i++) SLOE_TRY(sloe_net_build_in(n, node, i, &part[i], err));
  return n->maker->concat(n->job, part, node->n_in, sloe_net_walk_axis(&n->walk, node, 1), dst,
                          err);
}

/* One slice an output. */
static sloe_status build_split(sloe_net_build *n, const sloe_node *node, sloe_error *err) {
  const int axis = sloe_net_walk_axis(&n->walk, node, 0);
  int64_t from[SLOE_MAX_RANK] = {0};
  sloe_backend_value *src, *part;
  SLOE_TRY(sloe_net_build_in(n, node, 0, &src, err));
  for (size_t i = 0; i < node->n_out; i++) {
    const sloe_tensor *out = sloe_node_out(n->walk.net, node, i);
    if (!out) continue;
    SLOE_TRY(n->maker->slice(n->job, src, from, out->shape.dim, &part, err));
    SLOE_TRY(sloe_net_build_set(n, node->out[i], part, err));
    from[axis] += out->shape.dim[axis];
  }
  return SLOE_OK;
}

static sloe_status build_slice(sloe_net_build *n, const sloe_node *node, sloe_backend_value *src,
                               sloe_backend_value **dst, sloe_error *err) {
  int64_t from[SLOE_MAX_RANK];
  SLOE_TRY(sloe_net_walk_slice(&n->walk, node, from, err));
  return n->maker->slice(n->job, src, from, sloe_node_out(n->walk.net, node, 0)->shape.dim, dst,
                         err);
}

/* Contents are zeros, whatever is asked for. */
static sloe_status build_pad(sloe_net_build *n, const sloe_node *node, sloe_backend_value *src,
                             sloe_backend_value **dst, sloe_error *err) {
  int64_t before[SLOE_MAX_RANK];
  SLOE_TRY(sloe_net_walk_pad(&n->walk, node, before, err));
  return n->maker->pad(n->job, src, before, sloe_node_out(n->walk.net, node, 0)->shape.dim, dst,
                       err);
}

static sloe_status build_transpose(sloe_net_build *n, const sloe_node *node,
                                   sloe_backend_value *src, sloe_backend_value **dst,
                                   sloe_error *err) {
  int perm[SLOE_MAX_RANK];
  SLOE_TRY(sloe_net_walk_transpose(&n->walk, node, perm, err));
  return n->maker->transpose(n->job, src, perm, dst, err);
}

static sloe_status build_depth(sloe_net_build *n, const sloe_node *node, sloe_backend_value *src,
                               sloe_backend_value **dst, sloe_error *err) {
  int64_t dims[6];
  int perm[6];
  SLOE_TRY(sloe_net_walk_depth(&n->walk, node, dims, perm, err));
  SLOE_TRY(n->maker->reshape(n->job, src, 6, dims, &src, err));
  const sloe_status status = n->maker->transpose(n->job, src, perm, dst, err);
  n->maker->release(n->job, src);
  return status;
}

/* ---- layers ---- */

typedef sloe_status (*move_fn)(sloe_net_build *n, const sloe_node *node, sloe_backend_value *src,
                               sloe_backend_value **dst, sloe_error *err);

static move_fn move_of(sloe_op op) {
  switch (op) {
    case SLOE_OP_SLICE: return build_slice;
    case SLOE_OP_PAD: return build_pad;
    case SLOE_OP_TRANSPOSE: return build_transpose;
    case SLOE_OP_DEPTH_TO_SPACE:
    case SLOE_OP_SPACE_TO_DEPTH: return build_depth;
    default: return NULL;
  }
}

sloe_status sloe_net_build_node(sloe_net_build *n, const sloe_node *node, sloe_error *err) {
  const move_fn move = move_of(node->op);
  sloe_backend_value *src, *dst;
  if (node->op == SLOE_OP_SPLIT) return build_split(n, node, err);
  if (node->op == SLOE_OP_CONCAT) {
    SLOE_TRY(build_concat(n, node, &dst, err));
  } else if (move) {
    SLOE_TRY(sloe_net_build_in(n, node, 0, &src, err));
    SLOE_TRY(move(n, node, src, &dst, err));
  } else {
    SLOE_TRY(n->maker->op(n, node, &dst, err));
  }
  return sloe_net_build_set(n, node->out[0], dst, err);
}

static sloe_status build_layer(sloe_net_build *n, const sloe_layer *layer, sloe_error *err) {
  const sloe_node *all = n->walk.net->nodes;
  size_t count;
  int done = 0;
  int32_t anchor = -1;
  const int32_t *nodes = sloe_layers_nodes(n->walk.layers, n->walk.layer, &count, &anchor);
  if (layer->data_dependent)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: a size of layer %.80s depends on data",
                     n->maker->name, layer->name);
  if (anchor < 0)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: layer %.80s stands for no op", n->maker->name,
                     layer->name);
  if (sloe_op_role_of(all[anchor].op) == SLOE_ROLE_ANCHOR) {
    sloe_net_group group;
    SLOE_TRY(sloe_net_walk_group(&n->walk, &group, err));
    return n->maker->group(n, &group, err);
  }
  if (n->maker->fused) SLOE_TRY(n->maker->fused(n, nodes, count, &done, err));
  for (size_t k = 0; k < count && !done; k++) SLOE_TRY(sloe_net_build_node(n, &all[nodes[k]], err));
  return SLOE_OK;
}

static sloe_status begin(sloe_net_build *n, const sloe_layers *layers, sloe_error *err) {
  const sloe_net *net = sloe_layers_net(layers);
  n->value = SLOE_ARENA_NEW(n->arena, sloe_backend_value *, net->n_tensors + 1);
  n->to->in = SLOE_ARENA_NEW(n->arena, sloe_backend_value *, net->graph.n_in + 1);
  n->to->out = SLOE_ARENA_NEW(n->arena, sloe_backend_value *, net->graph.n_out + 1);
  if (!n->value || !n->to->in || !n->to->out) return nomem(n, err);
  n->to->n_layers = sloe_layers_count(layers);
  return sloe_net_walk_open(n->arena, n->maker->name, layers, &n->walk, err);
}

/* Inputs before all layers, so that none takes bytes that a layer writes. */
static sloe_status take_inputs(sloe_net_build *n, sloe_error *err) {
  const sloe_graph *graph = &n->walk.net->graph;
  for (size_t i = 0; i < graph->n_in; i++) {
    const sloe_tid t = graph->in[i];
    if (!(n->walk.net->tensors[t].flags & SLOE_T_INPUT)) continue;
    SLOE_TRY(sloe_net_build_value(n, t, &n->to->in[n->to->n_in], err));
    n->to->n_in++;
  }
  return SLOE_OK;
}

sloe_status sloe_net_build_layers(sloe_net_build *n, const sloe_layers *layers, sloe_error *err) {
  SLOE_TRY(begin(n, layers, err));
  SLOE_TRY(take_inputs(n, err));
  for (size_t i = 0; i < n->to->n_layers; i++) {
    const sloe_layer *layer = sloe_layers_at(layers, i);
    n->walk.layer = n->to->layer = i;
    if (layer->kind == SLOE_LAYER_VIEW) continue;
    SLOE_TRY(build_layer(n, layer, err));
    release_read(n);
  }
  const sloe_graph *graph = &n->walk.net->graph;
  for (size_t i = 0; i < graph->n_out; i++)
    SLOE_TRY(sloe_net_build_value(n, graph->out[i], &n->to->out[i], err));
  n->to->n_out = graph->n_out;
  return SLOE_OK;
}
