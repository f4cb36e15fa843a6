/* gpu_net_values.c: the value of each tensor of a network. That of a tensor behind views is made
 * when it is first read; where its layout does not allow that, the copy belongs to the reading
 * layer. */
#include <string.h>

#include "device/cudnn/gpu_net.h"

sloe_status sloe_cudnn_net_open(cudnn_job *job, const sloe_layers *layers, cudnn_net *out,
                                sloe_error *err) {
  const size_t tensors = sloe_layers_net(layers)->n_tensors;
  *out = (cudnn_net){.job = job, .value = SLOE_ARENA_NEW(&job->arena, cudnn_value *, tensors + 1)};
  if (!out->value) return sloe_cudnn_nomem(err);
  return sloe_net_walk_open(&job->arena, "cudnn", layers, &out->walk, err);
}

/* A constant, or an input of the network. */
static sloe_status make_source(cudnn_net *n, sloe_tid t, cudnn_value **out, sloe_error *err) {
  const sloe_tensor *tensor = &n->walk.net->tensors[t];
  const int constant = (tensor->flags & SLOE_T_CONST) != 0;
  const cudnn_contents contents = {.name = tensor->name, .known = constant ? tensor->value : NULL};
  int64_t dims[SLOE_MAX_RANK];
  int rank;
  if (!constant && !(tensor->flags & SLOE_T_INPUT))
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: tensor %.80s is not computed by any layer",
                     tensor->name);
  SLOE_TRY(sloe_net_walk_dims(&n->walk, t, &rank, dims, err));
  return sloe_cudnn_value_new(n->job, constant ? CUDNN_CONSTANT : CUDNN_INPUT, rank, dims,
                              sloe_cudnn_usual(n->job->device, rank), &contents, out, err);
}

static int same_dims(const cudnn_value *value, int rank, const int64_t *dims) {
  return value->rank == rank && memcmp(value->dims, dims, (size_t)rank * sizeof *dims) == 0;
}

sloe_status sloe_cudnn_net_set(cudnn_net *n, sloe_tid t, cudnn_value *value, sloe_error *err) {
  int64_t dims[SLOE_MAX_RANK];
  int rank;
  SLOE_TRY(sloe_net_walk_dims(&n->walk, t, &rank, dims, err));
  if (!same_dims(value, rank, dims)) {
    cudnn_value *view;
    SLOE_TRY(sloe_cudnn_reshape(n->job, value, rank, dims, &view, err));
    sloe_cudnn_release(n->job, value); /* the view holds the bytes */
    value = view;
  }
  n->value[t] = value;
  return SLOE_OK;
}

sloe_status sloe_cudnn_net_value(cudnn_net *n, sloe_tid t, cudnn_value **out, sloe_error *err) {
  const sloe_tid root = n->walk.lives.root[t];
  int64_t dims[SLOE_MAX_RANK];
  int rank;
  *out = NULL;
  if (!n->value[root]) SLOE_TRY(make_source(n, root, &n->value[root], err));
  if (!n->value[t]) {
    SLOE_TRY(sloe_net_walk_dims(&n->walk, t, &rank, dims, err));
    n->value[t] = n->value[root];
    if (!same_dims(n->value[root], rank, dims))
      SLOE_TRY(sloe_cudnn_reshape(n->job, n->value[root], rank, dims, &n->value[t], err));
  }
  *out = n->value[t];
  return SLOE_OK;
}

sloe_status sloe_cudnn_net_in(cudnn_net *n, const sloe_node *node, size_t i, cudnn_value **out,
                              sloe_error *err) {
  *out = NULL;
  if (i >= node->n_in || node->in[i] < 0)
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: %.80s has no input %zu", node->name, i);
  return sloe_cudnn_net_value(n, node->in[i], out, err);
}

void sloe_cudnn_net_release(cudnn_net *n) {
  const sloe_net_walk *w = &n->walk;
  for (size_t t = 0; t < w->net->n_tensors; t++)
    if (n->value[t] && w->lives.last[w->lives.root[t]] == w->layer)
      sloe_cudnn_release(n->job, n->value[t]);
}
