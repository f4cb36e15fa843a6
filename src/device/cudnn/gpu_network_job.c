/* gpu_network_job.c: a whole network, layer by layer as it is fused, captured as one graph.
 *
 * Activations take over the bytes of others that no later layer reads, as the buffers of a runtime
 * do; weights are random. Algorithms are chosen layer by layer while it is built (gpu_steps.c). */
#include "device/cudnn/gpu_net.h"

static sloe_status build_layer(cudnn_net *n, const sloe_layer *layer, sloe_error *err) {
  const sloe_net *net = n->walk.net;
  size_t count;
  int32_t anchor = -1;
  const int32_t *nodes = sloe_layers_nodes(n->walk.layers, n->walk.layer, &count, &anchor);
  if (layer->data_dependent)
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: a size of layer %.80s depends on data",
                     layer->name);
  if (anchor < 0)
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: layer %.80s stands for no op", layer->name);
  if (sloe_op_role_of(net->nodes[anchor].op) == SLOE_ROLE_ANCHOR) {
    sloe_net_group group;
    SLOE_TRY(sloe_net_walk_group(&n->walk, &group, err));
    return sloe_cudnn_net_group(n, &group, err);
  }
  for (size_t k = 0; k < count; k++) SLOE_TRY(sloe_cudnn_net_node(n, &net->nodes[nodes[k]], err));
  return SLOE_OK;
}

/* Inputs before all layers. */
static sloe_status take_inputs(cudnn_net *n, sloe_error *err) {
  cudnn_job *job = n->job;
  const sloe_net *net = n->walk.net;
  const sloe_graph *graph = &net->graph;
  job->in = SLOE_ARENA_NEW(&job->arena, cudnn_value *, graph->n_in + 1);
  job->out = SLOE_ARENA_NEW(&job->arena, cudnn_value *, graph->n_out + 1);
  if (!job->in || !job->out) return sloe_cudnn_nomem(err);
  for (size_t i = 0; i < graph->n_in; i++) {
    const sloe_tid t = graph->in[i];
    if (!(net->tensors[t].flags & SLOE_T_INPUT)) continue;
    SLOE_TRY(sloe_cudnn_net_value(n, t, &job->in[job->n_in], err));
    job->n_in++;
  }
  return SLOE_OK;
}

static sloe_status build(cudnn_net *n, sloe_error *err) {
  cudnn_job *job = n->job;
  const sloe_graph *graph = &n->walk.net->graph;
  job->n_layers = sloe_layers_count(n->walk.layers);
  SLOE_TRY(take_inputs(n, err));
  for (size_t i = 0; i < job->n_layers; i++) {
    const sloe_layer *layer = sloe_layers_at(n->walk.layers, i);
    n->walk.layer = job->layer = i;
    if (layer->kind == SLOE_LAYER_VIEW) continue;
    SLOE_TRY(build_layer(n, layer, err));
    sloe_cudnn_net_release(n);
  }
  for (size_t i = 0; i < graph->n_out; i++)
    SLOE_TRY(sloe_cudnn_net_value(n, graph->out[i], &job->out[i], err));
  job->n_out = graph->n_out;
  return sloe_cudnn_job_finish(job, err);
}

sloe_status sloe_cudnn_load_network(void *state, const sloe_layers *layers, void **out,
                                    sloe_error *err) {
  cudnn_job *job;
  cudnn_net n;
  sloe_status status;
  *out = NULL;
  SLOE_TRY(sloe_cudnn_job_new(state, &job, err));
  SLOE_GOTO(sloe_cudnn_net_open(job, layers, &n, err));
  SLOE_GOTO(build(&n, err));
  *out = job;
  return SLOE_OK;
fail:
  sloe_cudnn_job_free(job);
  return status;
}
