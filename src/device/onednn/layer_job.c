/* layer_job.c: a lone layer, from its spec. Its input is in the layout that it would have in a
 * network: what the primitive chooses, or what convolutions leave behind. */
#include "device/onednn/onednn.h"

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
  sloe_onednn_post_act(posts, spec->act);
  return SLOE_OK;
}

/* An act that is no post-op runs by itself. */
static sloe_status act_behind(onednn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  onednn_posts posts = {.n = 0};
  onednn_value *before = job->output;
  if (sloe_onednn_post_act(&posts, spec->act)) return SLOE_OK;
  return sloe_onednn_act(job, before, spec->act, &job->output, err);
}

static sloe_status build_conv(onednn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  const sloe_window w = sloe_window_of_spec(spec);
  const int64_t out[] = {spec->n, spec->k, spec->out[0], spec->out[1]};
  onednn_posts posts;
  onednn_value *src;
  SLOE_TRY(take_input(job, 4, (int64_t[]){spec->n, spec->c, spec->h, spec->w}, &src, err));
  SLOE_TRY(take_posts(job, spec, 4, out, &posts, err));
  SLOE_TRY(sloe_onednn_conv(job, spec->op == SLOE_SPEC_DECONV, src, &w, &posts, "weights",
                            &job->output, err));
  return act_behind(job, spec, err);
}

static sloe_status build_fc(onednn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  onednn_posts posts;
  onednn_value *src;
  SLOE_TRY(take_input(job, 2, (int64_t[]){spec->n, spec->c}, &src, err));
  SLOE_TRY(take_posts(job, spec, 2, (int64_t[]){spec->n, spec->k}, &posts, err));
  SLOE_TRY(sloe_onednn_fc(job, src, spec->k, &posts, "weights", &job->output, err));
  return act_behind(job, spec, err);
}

static sloe_status build_matmul(onednn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  onednn_posts posts;
  onednn_value *a, *b;
  SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_INPUT, 3, (int64_t[]){spec->n, spec->c, spec->k},
                                 "second", &b, err));
  SLOE_TRY(take_input(job, 3, (int64_t[]){spec->n, spec->h, spec->c}, &a, err));
  SLOE_TRY(take_posts(job, spec, 3, (int64_t[]){spec->n, spec->h, spec->k}, &posts, err));
  SLOE_TRY(sloe_onednn_matmul(job, a, b, &posts, &job->output, err));
  return act_behind(job, spec, err);
}

/* Rows of c, where an axis of a plain tensor is what counts: n x c x inside. */
static sloe_status take_axis(onednn_job *job, const sloe_layer_spec *spec, onednn_value **src,
                             sloe_error *err) {
  const int64_t inside = spec->h * spec->w;
  return take_input(job, inside > 1 ? 3 : 2, (int64_t[]){spec->n, spec->c, inside}, src, err);
}

static sloe_status build_norm(onednn_job *job, const sloe_layer_spec *spec, onednn_value *src,
                              sloe_error *err) {
  const onednn_lrn lrn = {.size = 5, .alpha = 1e-4F, .beta = 0.75F, .bias = 1.0F};
  onednn_value *normed;
  const int relu = spec->act == SLOE_SPEC_ACT_RELU;
  if (spec->op == SLOE_SPEC_LRN) return sloe_onednn_lrn(job, src, &lrn, &job->output, err);
  if (spec->op == SLOE_SPEC_BATCHNORM)
    SLOE_TRY(sloe_onednn_batch_norm(job, src, relu, &normed, err));
  else
    SLOE_TRY(sloe_onednn_layer_norm(job, src, &normed, err));
  job->output = normed;
  if (spec->act == SLOE_SPEC_ACT_NONE || (relu && spec->op == SLOE_SPEC_BATCHNORM)) return SLOE_OK;
  return sloe_onednn_act(job, normed, spec->act, &job->output, err);
}

/* Over c where nothing lies inside it, else over the image of each channel. */
static sloe_status build_layer_norm(onednn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  const int64_t image = spec->h * spec->w;
  const int64_t rows[] = {image > 1 ? spec->n * spec->c : spec->n, image > 1 ? image : spec->c};
  onednn_value *src;
  SLOE_TRY(take_input(job, 2, rows, &src, err));
  return build_norm(job, spec, src, err);
}

static sloe_status build_binary(onednn_job *job, const sloe_layer_spec *spec, onednn_value *src,
                                sloe_error *err) {
  const int64_t second[][4] = {[SLOE_SPEC_WITH_FULL] = {spec->n, spec->c, spec->h, spec->w},
                               [SLOE_SPEC_WITH_CHANNEL] = {spec->n, spec->c, 1, 1},
                               [SLOE_SPEC_WITH_SCALAR] = {1, 1, 1, 1},
                               [SLOE_SPEC_WITH_ROW] = {1, 1, 1, spec->w}};
  const int product = spec->with != SLOE_SPEC_WITH_FULL;
  onednn_value *b, *out;
  SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_INPUT, 4, second[spec->with], "second", &b, err));
  SLOE_TRY(sloe_onednn_binary(job, product ? dnnl_binary_mul : dnnl_binary_add, src, b, &out, err));
  job->output = out;
  if (spec->act == SLOE_SPEC_ACT_NONE) return SLOE_OK;
  return sloe_onednn_act(job, out, spec->act, &job->output, err);
}

/* The last part was written just before. The first is at least as large as the others. */
static sloe_status build_concat(onednn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  const int64_t each = spec->c / spec->parts;
  onednn_value **part = SLOE_ARENA_NEW(&job->arena, onednn_value *, (size_t)spec->parts);
  if (!part) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  for (int64_t i = 0; i < spec->parts; i++) {
    const int64_t c = i ? each : spec->c - each * (spec->parts - 1);
    SLOE_TRY(take_input(job, 4, (int64_t[]){spec->n, c, spec->h, spec->w}, &part[i], err));
    if (!spec->mixed) continue;
    if (i)
      SLOE_TRY(sloe_onednn_as_usual(job, part[i], err));
    else
      SLOE_TRY(sloe_onednn_as_plain(job, part[i], &part[i], err));
  }
  return sloe_onednn_concat(job, part, (size_t)spec->parts, 1, &job->output, err);
}

static sloe_status build_move(onednn_job *job, const sloe_layer_spec *spec, onednn_value *src,
                              sloe_error *err) {
  dnnl_memory_desc_t md;
  onednn_value *twin;
  switch (spec->op) {
    case SLOE_SPEC_SLICE:
      return sloe_onednn_slice(job, src, (int64_t[]){0, 0, 0, 0},
                               (int64_t[]){spec->n, spec->k, spec->h, spec->w}, &job->output, err);
    case SLOE_SPEC_TRANSPOSE: /* channels last */
      return sloe_onednn_transpose(job, src, (int[]){0, 2, 3, 1}, &job->output, err);
    case SLOE_SPEC_REORDER: /* from plain to the usual layout */
      SLOE_TRY(sloe_onednn_value_new(job, ONEDNN_ACTIVATION, 4, src->dims, NULL, &twin, err));
      SLOE_TRY(sloe_onednn_as_usual(job, twin, err));
      SLOE_TRY(sloe_onednn_as_plain(job, src, &src, err));
      job->output = twin;
      return sloe_onednn_reorder(job, src, twin, err);
    default:
      SLOE_TRY(sloe_onednn_plain(4, src->dims, &md, err));
      return sloe_onednn_copy(job, src, &md, &job->output, err);
  }
}

static sloe_status build_window(onednn_job *job, const sloe_layer_spec *spec, onednn_value *src,
                                sloe_error *err) {
  const sloe_window w = sloe_window_of_spec(spec);
  switch (spec->op) {
    case SLOE_SPEC_MAXPOOL:
      return sloe_onednn_pool(job, src, &w, dnnl_pooling_max, &job->output, err);
    case SLOE_SPEC_AVGPOOL:
      return sloe_onednn_pool(job, src, &w, dnnl_pooling_avg_exclude_padding, &job->output, err);
    case SLOE_SPEC_GLOBALPOOL:
      return sloe_onednn_global_pool(job, src, dnnl_pooling_avg_exclude_padding, &job->output, err);
    default: return sloe_onednn_resample(job, src, spec->out, spec->linear, &job->output, err);
  }
}

static sloe_status build_axis(onednn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  onednn_value *src;
  SLOE_TRY(take_axis(job, spec, &src, err));
  if (spec->op == SLOE_SPEC_SOFTMAX) return sloe_onednn_softmax(job, src, 1, 0, &job->output, err);
  return sloe_onednn_reduce(job, src, dnnl_reduction_mean,
                            (int64_t[]){spec->n, 1, spec->h * spec->w}, &job->output, err);
}

static sloe_status build(onednn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  onednn_value *src;
  switch (spec->op) {
    case SLOE_SPEC_CONV:
    case SLOE_SPEC_DECONV: return build_conv(job, spec, err);
    case SLOE_SPEC_FC: return build_fc(job, spec, err);
    case SLOE_SPEC_MATMUL: return build_matmul(job, spec, err);
    case SLOE_SPEC_LAYERNORM: return build_layer_norm(job, spec, err);
    case SLOE_SPEC_SOFTMAX:
    case SLOE_SPEC_REDUCE: return build_axis(job, spec, err);
    case SLOE_SPEC_CONCAT: return build_concat(job, spec, err);
    default: break;
  }
  SLOE_TRY(take_input(job, 4, (int64_t[]){spec->n, spec->c, spec->h, spec->w}, &src, err));
  switch (spec->op) {
    case SLOE_SPEC_BATCHNORM:
    case SLOE_SPEC_LRN: return build_norm(job, spec, src, err);
    case SLOE_SPEC_ACTIVATION: return sloe_onednn_act(job, src, spec->act, &job->output, err);
    case SLOE_SPEC_BINARY: return build_binary(job, spec, src, err);
    case SLOE_SPEC_SLICE:
    case SLOE_SPEC_TRANSPOSE:
    case SLOE_SPEC_COPY:
    case SLOE_SPEC_REORDER: return build_move(job, spec, src, err);
    case SLOE_SPEC_MAXPOOL:
    case SLOE_SPEC_AVGPOOL:
    case SLOE_SPEC_GLOBALPOOL:
    case SLOE_SPEC_RESIZE: return build_window(job, spec, src, err);
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
  SLOE_TRY(sloe_layer_limits_check(&device->limits, "onednn", sizeof(float), spec, err));
  SLOE_TRY(sloe_onednn_job_new(device, &job, err));
  SLOE_GOTO(build(job, spec, err));
  SLOE_GOTO(sloe_onednn_job_finish(job, err));
  *out = job;
  return SLOE_OK;
fail:
  sloe_onednn_job_free(job);
  return status;
}
