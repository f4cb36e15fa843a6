/* network_job.c: a whole network, layer by layer as it is fused, as a user of oneDNN runs it.
 *
 * Convolutions and products choose their layouts and what lies between keeps them, so that layouts
 * chain; a reorder stands only where two differ, in the time of the layer that needs it.
 * Activations take over the bytes of others that no later layer reads, as the buffers of a runtime
 * do; weights are random. */
#include "device/onednn/onednn.h"

static sloe_status make_source(onednn_job *job, const sloe_tensor *tensor, int rank,
                               const int64_t *dims, onednn_value **out, sloe_error *err) {
  const int constant = (tensor->flags & SLOE_T_CONST) != 0;
  dnnl_memory_desc_t plain;
  SLOE_TRY(sloe_onednn_value_new(job, constant ? ONEDNN_CONSTANT : ONEDNN_INPUT, rank, dims,
                                 tensor->name, out, err));
  if (constant) {
    (*out)->known = tensor->value;
    return SLOE_OK;
  }
  SLOE_TRY(sloe_onednn_plain(rank, dims, &plain, err));
  return sloe_onednn_fix(job, *out, &plain, err);
}

/* A normalisation with a Relu behind it is one primitive. */
static sloe_status build_norm(sloe_net_build *n, const int32_t *nodes, size_t count, int *done,
                              sloe_error *err) {
  const sloe_node *all = n->walk.net->nodes;
  onednn_value *src, *dst;
  *done = count == 2 && all[nodes[0]].op == SLOE_OP_BATCH_NORM && all[nodes[1]].op == SLOE_OP_RELU;
  if (!*done) return SLOE_OK;
  SLOE_TRY(sloe_net_build_in(n, &all[nodes[0]], 0, &src, err));
  SLOE_TRY(sloe_onednn_batch_norm(n->job, src, 1, &dst, err));
  return sloe_net_build_set(n, all[nodes[1]].out[0], dst, err);
}

static const sloe_net_maker maker = {
    .name = "onednn",
    .source = make_source,
    .reshape = sloe_onednn_reshape,
    .release = sloe_onednn_release,
    .concat = sloe_onednn_concat,
    .slice = sloe_onednn_slice,
    .pad = sloe_onednn_pad,
    .transpose = sloe_onednn_transpose,
    .op = sloe_onednn_net_op,
    .group = sloe_onednn_net_group,
    .fused = build_norm,
};

sloe_status sloe_onednn_load_network(void *state, const sloe_layers *layers, void **out,
                                     sloe_error *err) {
  onednn_job *job;
  sloe_status status;
  *out = NULL;
  SLOE_TRY(sloe_onednn_job_new(state, &job, err));
  sloe_net_build n = {.maker = &maker, .job = job, .arena = &job->arena, .to = &job->net};
  SLOE_GOTO(sloe_net_build_layers(&n, layers, err));
  SLOE_GOTO(sloe_onednn_job_finish(job, err));
  *out = job;
  return SLOE_OK;
fail:
  sloe_onednn_job_free(job);
  return status;
}
