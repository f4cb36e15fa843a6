/* net_values.c: the value of each tensor of a network. */
#include <string.h>

#include "device/onednn/net_build.h"

static int is_view(const sloe_net *net, const sloe_node *node) {
  const sloe_op_role role = sloe_op_role_of(node->op);
  if (role == SLOE_ROLE_VIEW || role == SLOE_ROLE_DROP) return 1;
  if (node->op != SLOE_OP_CAST) return 0;
  const sloe_tensor *in = sloe_node_in(net, node, 0), *out = sloe_node_out(net, node, 0);
  return in && out && sloe_dtype_is_float(in->dtype) && sloe_dtype_is_float(out->dtype);
}

static void find_roots(onednn_net *n) {
  const sloe_net *net = n->net;
  for (size_t t = 0; t < net->n_tensors; t++) n->root[t] = (sloe_tid)t;
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_node *node = &net->nodes[net->order[i]];
    n->position[net->order[i]] = i;
    if (node->n_in && node->n_out && node->in[0] >= 0 && node->out[0] >= 0 && is_view(net, node))
      n->root[node->out[0]] = n->root[node->in[0]];
  }
}

static void find_last(onednn_net *n) {
  const size_t layers = sloe_layers_count(n->layers);
  for (size_t i = 0; i < layers; i++) {
    size_t count;
    const int32_t *nodes = sloe_layers_nodes(n->layers, i, &count, NULL);
    for (size_t k = 0; k < count; k++) {
      const sloe_node *node = &n->net->nodes[nodes[k]];
      for (size_t j = 0; j < node->n_in; j++)
        if (node->in[j] >= 0) n->last[n->root[node->in[j]]] = i;
    }
  }
  for (size_t i = 0; i < n->net->graph.n_out; i++)
    n->last[n->root[n->net->graph.out[i]]] = ONEDNN_KEEP;
}

sloe_status sloe_onednn_net_open(onednn_job *job, const sloe_layers *layers, onednn_net *out,
                                 sloe_error *err) {
  const sloe_net *net = sloe_layers_net(layers);
  *out = (onednn_net){
      .job = job,
      .net = net,
      .layers = layers,
      .value = SLOE_ARENA_NEW(&job->arena, onednn_value *, net->n_tensors + 1),
      .root = SLOE_ARENA_NEW(&job->arena, sloe_tid, net->n_tensors + 1),
      .last = SLOE_ARENA_NEW(&job->arena, size_t, net->n_tensors + 1),
      .position = SLOE_ARENA_NEW(&job->arena, size_t, net->n_nodes + 1),
  };
  if (!out->value || !out->root || !out->last || !out->position)
    return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  find_roots(out);
  find_last(out);
  return SLOE_OK;
}

/* ---- making values ---- */

static sloe_status dims_of(const sloe_tensor *tensor, int *rank, int64_t *dims, sloe_error *err) {
  if (!sloe_shape_known(&tensor->shape) || sloe_shape_elements(&tensor->shape) == 0)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: the size of tensor %.80s is not known",
                     tensor->name);
  *rank = tensor->shape.rank ? tensor->shape.rank : 1;
  dims[0] = 1;
  memcpy(dims, tensor->shape.dim, (size_t)tensor->shape.rank * sizeof *dims);
  return SLOE_OK;
}

/* A constant, or an input of the network. */
static sloe_status make_source(onednn_net *n, sloe_tid t, onednn_value **out, sloe_error *err) {
  const sloe_tensor *tensor = &n->net->tensors[t];
  const int constant = (tensor->flags & SLOE_T_CONST) != 0;
  int64_t dims[SLOE_MAX_RANK];
  int rank;
  if (!constant && !(tensor->flags & SLOE_T_INPUT))
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: tensor %.80s is not computed by any layer",
                     tensor->name);
  SLOE_TRY(dims_of(tensor, &rank, dims, err));
  SLOE_TRY(sloe_onednn_value_new(n->job, constant ? ONEDNN_CONSTANT : ONEDNN_INPUT, rank, dims,
                                 tensor->name, out, err));
  if (constant) {
    (*out)->known = tensor->value;
    return SLOE_OK;
  }
  dnnl_memory_desc_t plain;
  SLOE_TRY(sloe_onednn_plain(rank, dims, &plain, err));
  return sloe_onednn_fix(n->job, *out, &plain, err);
}

static int same_dims(const onednn_value *value, int rank, const int64_t *dims) {
  return value->rank == rank && memcmp(value->dims, dims, (size_t)rank * sizeof *dims) == 0;
}

sloe_status sloe_onednn_net_set(onednn_net *n, sloe_tid t, onednn_value *value, sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK];
  int rank;
  SLOE_TRY(dims_of(&n->net->tensors[t], &rank, dims, err));
  if (!same_dims(value, rank, dims)) {
    onednn_value *view;
    SLOE_TRY(sloe_onednn_reshape(n->job, value, rank, dims, &view, err));
    sloe_onednn_release(n->job, value); /* the view holds the bytes */
    value = view;
  }
  n->value[t] = value;
  return SLOE_OK;
}

sloe_status sloe_onednn_net_value(onednn_net *n, sloe_tid t, onednn_value **out, sloe_error *err) {
  const sloe_tid root = n->root[t];
  int64_t dims[SLOE_MAX_RANK];
  int rank;
  *out = NULL;
  if (!n->value[root]) SLOE_TRY(make_source(n, root, &n->value[root], err));
  if (!n->value[t]) {
    SLOE_TRY(dims_of(&n->net->tensors[t], &rank, dims, err));
    n->value[t] = n->value[root];
    if (!same_dims(n->value[root], rank, dims))
      SLOE_TRY(sloe_onednn_reshape(n->job, n->value[root], rank, dims, &n->value[t], err));
  }
  *out = n->value[t];
  return SLOE_OK;
}

sloe_status sloe_onednn_net_in(onednn_net *n, const sloe_node *node, size_t i, onednn_value **out,
                               sloe_error *err) {
  *out = NULL;
  if (i >= node->n_in || node->in[i] < 0)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: %.80s has no input %zu", node->name, i);
  return sloe_onednn_net_value(n, node->in[i], out, err);
}

int sloe_onednn_net_is_last(const onednn_net *n, sloe_tid t) {
  const sloe_tid root = n->root[t];
  size_t count, readers = 0;
  const int32_t *nodes = sloe_layers_nodes(n->layers, n->layer, &count, NULL);
  if (n->last[root] != n->layer || (n->net->tensors[root].flags & (SLOE_T_INPUT | SLOE_T_CONST)))
    return 0;
  for (size_t k = 0; k < count; k++) {
    const sloe_node *node = &n->net->nodes[nodes[k]];
    for (size_t j = 0; j < node->n_in; j++)
      readers += node->in[j] >= 0 && n->root[node->in[j]] == root;
  }
  return readers == 1;
}

void sloe_onednn_net_release(onednn_net *n) {
  for (size_t t = 0; t < n->net->n_tensors; t++)
    if (n->value[t] && n->last[n->root[t]] == n->layer) sloe_onednn_release(n->job, n->value[t]);
}

const int64_t *sloe_onednn_net_ints(const onednn_net *n, const sloe_node *node, const char *name,
                                    size_t i, size_t *count) {
  const int64_t *ints = sloe_node_ints(node, name, count);
  const sloe_tensor *in = sloe_node_in(n->net, node, i);
  if (ints || !in || !in->value || in->value->real) return ints;
  *count = in->value->n;
  return in->value->i;
}
