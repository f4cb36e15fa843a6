/* gpu_network_job.c: a whole network, layer by layer as it is fused, captured as one graph.
 *
 * Activations take over the bytes of others that no later layer reads, as the buffers of a runtime
 * do; weights are random. Algorithms are chosen layer by layer while it is built (gpu_steps.c). */
#include "device/cudnn/cudnn.h"

static sloe_status make_source(cudnn_job *job, const sloe_tensor *tensor, int rank,
                               const int64_t *dims, cudnn_value **out, sloe_error *err) {
  const int constant = (tensor->flags & SLOE_T_CONST) != 0;
  const cudnn_contents contents = {.name = tensor->name, .known = constant ? tensor->value : NULL};
  return sloe_cudnn_value_new(job, constant ? CUDNN_CONSTANT : CUDNN_INPUT, rank, dims,
                              sloe_cudnn_usual(job->device, rank), &contents, out, err);
}

static const sloe_net_maker maker = {
    .name = "cudnn",
    .source = make_source,
    .reshape = sloe_cudnn_reshape,
    .release = sloe_cudnn_release,
    .concat = sloe_cudnn_concat,
    .slice = sloe_cudnn_slice,
    .pad = sloe_cudnn_pad,
    .transpose = sloe_cudnn_transpose,
    .op = sloe_cudnn_net_op,
    .group = sloe_cudnn_net_group,
};

sloe_status sloe_cudnn_load_network(void *state, const sloe_layers *layers, void **out,
                                    sloe_error *err) {
  cudnn_job *job;
  sloe_status status;
  *out = NULL;
  SLOE_TRY(sloe_cudnn_job_new(state, &job, err));
  sloe_net_build n = {.maker = &maker, .job = job, .arena = &job->arena, .to = &job->net};
  SLOE_GOTO(sloe_net_build_layers(&n, layers, err));
  SLOE_GOTO(sloe_cudnn_job_finish(job, err));
  *out = job;
  return SLOE_OK;
fail:
  sloe_cudnn_job_free(job);
  return status;
}
