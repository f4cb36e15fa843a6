/* layer_job.c: a lone layer, from its spec. Its input is in the layout that it would have in a
 * network: what the primitive chooses, or what convolutions leave behind. */
#include "device/onednn/onednn.h"

/* Too large: bytes of all its tensors, operations. */
static sloe_status check_size(const onednn_device *device, const sloe_layer_spec *spec,
                              sloe_error *err) {
  uint64_t elements =
      sloe_add_sat(sloe_layer_spec_in_elements(spec),
                   sloe_add_sat(sloe_layer_spec_out_elements(spec), sloe_layer_spec_weights(spec)));
  const uint64_t bytes = sloe_mul_sat(elements, sizeof(float));
  const uint64_t flop = sloe_mul_sat(2, sloe_layer_spec_macs(spec));
  if (bytes > device->max_bytes)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: a layer of %llu MB; max_mb is %llu",
                     (unsigned long long)(bytes / 1000000),
                     (unsigned long long)(device->max_bytes / 1000000));
  if (flop > device->max_flop)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: a layer of %llu GFLOP; max_gflop is %llu",
                     (unsigned long long)(flop / 1000000000),
                     (unsigned long long)(device->max_flop / 1000000000));
  return SLOE_OK;
}

static onednn_window window_of(const sloe_layer_spec *spec) {
  onednn_window w = {.k = spec->k, .groups = spec->groups};
  for (int d = 0; d < 2; d++) {
    w.kernel[d] = spec->kernel[d];
    w.stride[d] = spec->stride[d];
    w.dilation[d] = spec->dilation[d];
    w.pad[d] = spec->pad[d];
    w.pad_end[d] = sloe_layer_spec_pad_end(spec, (int)d);
    w.out[d] = spec->out[d];
  }
  return w;
}

static sloe_status take_input(onednn_job *job, int rank, const int64_t *dims, onednn_value **out,
                              sloe_error *err) {
  SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_INPUT, rank, dims, "src", out, err));
  job->input = *out;
  return SLOE_OK;
}

/* What the spec fuses behind: a residual (in place), an activation. */
static sloe_status take_posts(onednn_job *job, const sloe_layer_spec *spec, int rank,
                              const int64_t *out_dims, onednn_posts *posts, sloe_error *err) {
  posts->n = 0;
  if (spec->add) {
    onednn_value *residual;
    SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_INPUT, rank, out_dims, "residual", &residual, err));
    sloe_onednn_post_value(posts, ONEDNN_POST_SUM, dnnl_binary_add, residual);
  }
  if (!sloe_onednn_post_act(posts, spec->act))
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: no post-op for act=%s",
                     sloe_spec_act_text(spec->act));
  return SLOE_OK;
}

static sloe_status build_conv(onednn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  const onednn_window w = window_of(spec);
  const int64_t out[] = {spec->n, spec->k, spec->out[0], spec->out[1]};
  onednn_posts posts;
  onednn_value *src;
  SLOE_TRY(take_input(job, 4, (int64_t[]){spec->n, spec->c, spec->h, spec->w}, &src, err));
  SLOE_TRY(take_posts(job, spec, 4, out, &posts, err));
  return sloe_onednn_conv(job, spec->op == SLOE_SPEC_DECONV, src, &w, &posts, "weights",
                          &job->output, err);
}

static sloe_status build(onednn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  switch (spec->op) {
    case SLOE_SPEC_CONV:
    case SLOE_SPEC_DECONV: return build_conv(job, spec, err);
    default:
      return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: no layers of op=%s",
                       sloe_spec_op_text(spec->op));
  }
}

sloe_status sloe_onednn_load_layer(void *state, const sloe_layer_spec *spec, void **out,
                                   sloe_error *err) {
  onednn_device *device = state;
  onednn_job *job;
  sloe_status status;
  *out = NULL;
  SLOE_TRY(sloe_layer_spec_check(spec, err));
  SLOE_TRY(check_size(device, spec, err));
  SLOE_TRY(sloe_onednn_job_new(device, &job, err));
  SLOE_GOTO(build(job, spec, err));
  SLOE_GOTO(sloe_onednn_job_finish(job, err));
  *out = job;
  return SLOE_OK;
fail:
  sloe_onednn_job_free(job);
  return status;
}
