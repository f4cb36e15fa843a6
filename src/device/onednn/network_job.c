/* network_job.c: a whole network, layer by layer as it is fused, as a user of oneDNN runs it.
 *
 * Convolutions and products choose their layouts and what lies between keeps them, so that layouts
 * chain; a reorder stands only where two differ, in the time of the layer that needs it.
 * Activations take over the bytes of others that no later layer reads, as the buffers of a runtime
 * do; weights are random. */
#include <string.h>

#include "device/onednn/net_build.h"

/* A normalisation with a Relu behind it is one primitive. */
static sloe_status build_norm(onednn_net *n, const int32_t *nodes, sloe_error *err) {
  const sloe_node *norm = &n->walk.net->nodes[nodes[0]], *relu = &n->walk.net->nodes[nodes[1]];
  onednn_value *src, *dst;
  SLOE_TRY(sloe_onednn_net_in(n, norm, 0, &src, err));
  SLOE_TRY(sloe_onednn_batch_norm(n->job, src, 1, &dst, err));
  return sloe_onednn_net_set(n, relu->out[0], dst, err);
}

static sloe_status build_layer(onednn_net *n, const sloe_layer *layer, sloe_error *err) {
  size_t count;
  int32_t anchor = -1;
  const int32_t *nodes = sloe_layers_nodes(n->walk.layers, n->walk.layer, &count, &anchor);
  if (layer->data_dependent)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: a size of layer %.80s depends on data",
                     layer->name);
  if (anchor < 0)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: layer %.80s stands for no op", layer->name);
  if (sloe_op_role_of(n->walk.net->nodes[anchor].op) == SLOE_ROLE_ANCHOR) {
    sloe_net_group group;
    SLOE_TRY(sloe_net_walk_group(&n->walk, &group, err));
    return sloe_onednn_net_group(n, &group, err);
  }
  if (count == 2 && n->walk.net->nodes[nodes[0]].op == SLOE_OP_BATCH_NORM &&
      n->walk.net->nodes[nodes[1]].op == SLOE_OP_RELU)
    return build_norm(n, nodes, err);
  for (size_t k = 0; k < count; k++)
    SLOE_TRY(sloe_onednn_net_node(n, &n->walk.net->nodes[nodes[k]], err));
  return SLOE_OK;
}

/* Inputs before all layers, so that none takes bytes that a layer writes. */
static sloe_status take_inputs(onednn_net *n, sloe_error *err) {
  onednn_job *job = n->job;
  const sloe_graph *graph = &n->walk.net->graph;
  job->in = SLOE_ARENA_NEW(&job->arena, onednn_value *, graph->n_in + 1);
  job->out = SLOE_ARENA_NEW(&job->arena, onednn_value *, graph->n_out + 1);
  if (!job->in || !job->out) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  for (size_t i = 0; i < graph->n_in; i++) {
    const sloe_tid t = graph->in[i];
    if (!(n->walk.net->tensors[t].flags & SLOE_T_INPUT)) continue;
    SLOE_TRY(sloe_onednn_net_value(n, t, &job->in[job->n_in], err));
    job->n_in++;
  }
  return SLOE_OK;
}

static sloe_status build(onednn_net *n, sloe_error *err) {
  onednn_job *job = n->job;
  const sloe_graph *graph = &n->walk.net->graph;
  job->n_layers = sloe_layers_count(n->walk.layers);
  SLOE_TRY(take_inputs(n, err));
  for (size_t i = 0; i < job->n_layers; i++) {
    const sloe_layer *layer = sloe_layers_at(n->walk.layers, i);
    n->walk.layer = job->layer = i;
    if (layer->kind == SLOE_LAYER_VIEW) continue;
    SLOE_TRY(build_layer(n, layer, err));
    sloe_onednn_net_release(n);
  }
  for (size_t i = 0; i < graph->n_out; i++)
    SLOE_TRY(sloe_onednn_net_value(n, graph->out[i], &job->out[i], err));
  job->n_out = graph->n_out;
  return sloe_onednn_job_finish(job, err);
}

sloe_status sloe_onednn_load_network(void *state, const sloe_layers *layers, void **out,
                                     sloe_error *err) {
  onednn_job *job;
  onednn_net n;
  sloe_status status;
  *out = NULL;
  SLOE_TRY(sloe_onednn_job_new(state, &job, err));
  SLOE_GOTO(sloe_onednn_net_open(job, layers, &n, err));
  SLOE_GOTO(build(&n, err));
  *out = job;
  return SLOE_OK;
fail:
  sloe_onednn_job_free(job);
  return status;
}
