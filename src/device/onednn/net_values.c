/* net_values.c: the value of each tensor of a network. */
#include <string.h>

#include "device/onednn/net_build.h"

sloe_status sloe_onednn_net_open(onednn_job *job, const sloe_layers *layers, onednn_net *out,
                                 sloe_error *err) {
  const size_t tensors = sloe_layers_net(layers)->n_tensors;
  *out =
      (onednn_net){.job = job, .value = SLOE_ARENA_NEW(&job->arena, onednn_value *, tensors + 1)};
  if (!out->value) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  return sloe_net_walk_open(&job->arena, "onednn", layers, &out->walk, err);
}

/* ---- making values ---- */

/* A constant, or an input of the network. */
static sloe_status make_source(onednn_net *n, sloe_tid t, onednn_value **out, sloe_error *err) {
  const sloe_tensor *tensor = &n->walk.net->tensors[t];
  const int constant = (tensor->flags & SLOE_T_CONST) != 0;
  int64_t dims[SLOE_MAX_RANK];
  int rank;
  if (!constant && !(tensor->flags & SLOE_T_INPUT))
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: tensor %.80s is not computed by any layer",
                     tensor->name);
  SLOE_TRY(sloe_net_walk_dims(&n->walk, t, &rank, dims, err));
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
  SLOE_TRY(sloe_net_walk_dims(&n->walk, t, &rank, dims, err));
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
  const sloe_tid root = n->walk.lives.root[t];
  int64_t dims[SLOE_MAX_RANK];
  int rank;
  *out = NULL;
  if (!n->value[root]) SLOE_TRY(make_source(n, root, &n->value[root], err));
  if (!n->value[t]) {
    SLOE_TRY(sloe_net_walk_dims(&n->walk, t, &rank, dims, err));
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

void sloe_onednn_net_release(onednn_net *n) {
  for (size_t t = 0; t < n->walk.net->n_tensors; t++)
    if (n->value[t] && n->walk.lives.last[n->walk.lives.root[t]] == n->walk.layer)
      sloe_onednn_release(n->job, n->value[t]);
}
