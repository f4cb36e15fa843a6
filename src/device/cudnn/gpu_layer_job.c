/* gpu_layer_job.c: a lone layer, from its spec, to be run or asked about. Its input is in the
 * layout that it would have in a network (cudnn.h). */
#include "device/cudnn/cudnn.h"

static sloe_status take(cudnn_job *job, const char *name, int rank, const int64_t *dims,
                        cudnn_value **out, sloe_error *err) {
  const cudnn_contents contents = {.name = name};
  return sloe_cudnn_value_new(job, CUDNN_INPUT, rank, dims, sloe_cudnn_usual(job->device, rank),
                              &contents, out, err);
}

static sloe_status take_input(cudnn_job *job, int rank, const int64_t *dims, cudnn_value **out,
                              sloe_error *err) {
  SLOE_TRY(take(job, "src", rank, dims, out, err));
  job->input = *out;
  return SLOE_OK;
}

/* What the spec fuses behind: a residual, an activation. */
static sloe_status take_tail(cudnn_job *job, const sloe_layer_spec *spec, int rank,
                             const int64_t *out_dims, cudnn_tail *tail, sloe_error *err) {
  const int none = spec->act == SLOE_SPEC_ACT_NONE;
  *tail = (cudnn_tail){.act = none ? NULL : sloe_cudnn_act_text(spec->act),
                       .relu = spec->act == SLOE_SPEC_ACT_RELU};
  return spec->add ? take(job, "residual", rank, out_dims, &tail->residual, err) : SLOE_OK;
}

static sloe_status build_conv(cudnn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  const sloe_window w = sloe_window_of_spec(spec);
  const int64_t out[] = {spec->n, spec->k, spec->out[0], spec->out[1]};
  cudnn_tail tail;
  cudnn_value *src;
  SLOE_TRY(take_input(job, 4, (int64_t[]){spec->n, spec->c, spec->h, spec->w}, &src, err));
  SLOE_TRY(take_tail(job, spec, 4, out, &tail, err));
  return sloe_cudnn_conv(job, spec->op == SLOE_SPEC_DECONV, src, &w, &tail, "weights", &job->output,
                         err);
}

static sloe_status build_fc(cudnn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  cudnn_tail tail;
  cudnn_value *src;
  SLOE_TRY(take_input(job, 2, (int64_t[]){spec->n, spec->c}, &src, err));
  SLOE_TRY(take_tail(job, spec, 2, (int64_t[]){spec->n, spec->k}, &tail, err));
  return sloe_cudnn_fc(job, src, spec->k, &tail, "weights", &job->output, err);
}

static sloe_status build_matmul(cudnn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  cudnn_tail tail;
  cudnn_value *a, *b;
  SLOE_TRY(take(job, "second", 3, (int64_t[]){spec->n, spec->c, spec->k}, &b, err));
  SLOE_TRY(take_input(job, 3, (int64_t[]){spec->n, spec->h, spec->c}, &a, err));
  SLOE_TRY(take_tail(job, spec, 3, (int64_t[]){spec->n, spec->h, spec->k}, &tail, err));
  return sloe_cudnn_matmul(job, a, b, &tail, &job->output, err);
}

static sloe_status act_behind(cudnn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  cudnn_value *before = job->output;
  if (spec->act == SLOE_SPEC_ACT_NONE) return SLOE_OK;
  return sloe_cudnn_unary(job, sloe_cudnn_act_text(spec->act), before, &job->output, err);
}

/* Over c where nothing lies inside it, else over the image of each channel. */
static sloe_status build_layer_norm(cudnn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  const int64_t image = spec->h * spec->w;
  const int64_t rows[] = {image > 1 ? spec->n * spec->c : spec->n, image > 1 ? image : spec->c};
  cudnn_value *src;
  SLOE_TRY(take_input(job, 2, rows, &src, err));
  SLOE_TRY(sloe_cudnn_layer_norm(job, src, &job->output, err));
  return act_behind(job, spec, err);
}

/* Rows of c, where an axis of a plain tensor is what counts: n x c x inside. */
static sloe_status build_axis(cudnn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  const int64_t inside = spec->h * spec->w;
  cudnn_value *src;
  SLOE_TRY(take_input(job, inside > 1 ? 3 : 2, (int64_t[]){spec->n, spec->c, inside}, &src, err));
  if (spec->op == SLOE_SPEC_SOFTMAX) return sloe_cudnn_softmax(job, src, 1, 0, &job->output, err);
  return sloe_cudnn_reduce(job, src, CUDNN_RED_MEAN, (int64_t[]){spec->n, 1, inside}, &job->output,
                           err);
}

/* A sum of two tensors of a shape, else a product; the activation is in the same kernel. */
static sloe_status build_binary(cudnn_job *job, const sloe_layer_spec *spec, cudnn_value *src,
                                sloe_error *err) {
  const int64_t second[][4] = {[SLOE_SPEC_WITH_FULL] = {spec->n, spec->c, spec->h, spec->w},
                               [SLOE_SPEC_WITH_CHANNEL] = {spec->n, spec->c, 1, 1},
                               [SLOE_SPEC_WITH_SCALAR] = {1, 1, 1, 1},
                               [SLOE_SPEC_WITH_ROW] = {1, 1, 1, spec->w}};
  const char *text = spec->with == SLOE_SPEC_WITH_FULL ? "x + y" : "x * y";
  cudnn_value *b;
  SLOE_TRY(take(job, "second", 4, second[spec->with], &b, err));
  if (spec->act != SLOE_SPEC_ACT_NONE)
    text = sloe_cudnn_act_of(&job->arena, sloe_cudnn_act_text(spec->act), text);
  if (!text) return sloe_cudnn_nomem(err);
  return sloe_cudnn_binary(job, text, src, b, &job->output, err);
}

/* Parts of one size; what is left over is the first one's. */
static sloe_status build_concat(cudnn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  const size_t n = (size_t)spec->parts;
  cudnn_value **part = SLOE_ARENA_NEW(&job->arena, cudnn_value *, n);
  if (!part) return sloe_cudnn_nomem(err);
  for (size_t i = 0; i < n; i++) {
    const int64_t each = spec->c / spec->parts;
    const int64_t c = i ? each : spec->c - each * (spec->parts - 1);
    SLOE_TRY(take(job, "src", 4, (int64_t[]){spec->n, c, spec->h, spec->w}, &part[i], err));
  }
  job->input = part[0];
  return sloe_cudnn_concat(job, part, n, 1, &job->output, err);
}

/* From plain to the usual layout; where that is plain too, to channels last. */
static sloe_status build_reorder(cudnn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  const cudnn_contents contents = {.name = "src"};
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_INPUT, 4,
                                (int64_t[]){spec->n, spec->c, spec->h, spec->w}, CUDNN_PLAIN,
                                &contents, &job->input, err));
  return sloe_cudnn_copy(job, job->input, CUDNN_LAST, &job->output, err);
}

static sloe_status build_norm(cudnn_job *job, const sloe_layer_spec *spec, cudnn_value *src,
                              sloe_error *err) {
  const float abk[] = {1e-4F, 0.75F, 1.0F};
  const int none = spec->act == SLOE_SPEC_ACT_NONE;
  if (spec->op == SLOE_SPEC_LRN) return sloe_cudnn_lrn(job, src, 5, abk, &job->output, err);
  return sloe_cudnn_batch_norm(job, src, none ? NULL : sloe_cudnn_act_text(spec->act), &job->output,
                               err);
}

static sloe_status build_image(cudnn_job *job, const sloe_layer_spec *spec, cudnn_value *src,
                               sloe_error *err) {
  const sloe_window w = sloe_window_of_spec(spec);
  const int64_t zeros[4] = {0}, slice[] = {spec->n, spec->k, spec->h, spec->w};
  cudnn_value **out = &job->output;
  switch (spec->op) {
    case SLOE_SPEC_MAXPOOL: return sloe_cudnn_pool(job, src, &w, CUDNN_MAX, out, err);
    case SLOE_SPEC_AVGPOOL: return sloe_cudnn_pool(job, src, &w, CUDNN_MEAN, out, err);
    case SLOE_SPEC_GLOBALPOOL:
      return sloe_cudnn_reduce(job, src, CUDNN_RED_MEAN, (int64_t[]){spec->n, spec->c, 1, 1}, out,
                               err);
    case SLOE_SPEC_RESIZE: return sloe_cudnn_resize(job, src, spec->out, spec->linear, out, err);
    case SLOE_SPEC_BATCHNORM:
    case SLOE_SPEC_LRN: return build_norm(job, spec, src, err);
    case SLOE_SPEC_ACTIVATION:
      return sloe_cudnn_unary(job, sloe_cudnn_act_text(spec->act), src, out, err);
    case SLOE_SPEC_BINARY: return build_binary(job, spec, src, err);
    case SLOE_SPEC_SLICE: return sloe_cudnn_slice(job, src, zeros, slice, out, err);
    case SLOE_SPEC_TRANSPOSE: /* channels last */
      return sloe_cudnn_transpose(job, src, (int[]){0, 2, 3, 1}, out, err);
    case SLOE_SPEC_COPY: return sloe_cudnn_copy(job, src, CUDNN_PLAIN, out, err);
    default:
      return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: no layers of op=%s",
                       sloe_spec_op_text(spec->op));
  }
}

static sloe_status build(cudnn_job *job, const sloe_layer_spec *spec, sloe_error *err) {
  cudnn_value *src;
  switch (spec->op) {
    case SLOE_SPEC_CONV:
    case SLOE_SPEC_DECONV: return build_conv(job, spec, err);
    case SLOE_SPEC_FC: return build_fc(job, spec, err);
    case SLOE_SPEC_MATMUL: return build_matmul(job, spec, err);
    case SLOE_SPEC_LAYERNORM: return build_layer_norm(job, spec, err);
    case SLOE_SPEC_SOFTMAX:
    case SLOE_SPEC_REDUCE: return build_axis(job, spec, err);
    case SLOE_SPEC_CONCAT: return build_concat(job, spec, err);
    case SLOE_SPEC_REORDER: return build_reorder(job, spec, err);
    default: break;
  }
  SLOE_TRY(take_input(job, 4, (int64_t[]){spec->n, spec->c, spec->h, spec->w}, &src, err));
  return build_image(job, spec, src, err);
}

static sloe_status check(const cudnn_device *device, const sloe_layer_spec *spec, sloe_error *err) {
  return sloe_layer_limits_check(&device->limits, "cudnn", device->half ? 2 : 4, spec, err);
}

sloe_status sloe_cudnn_ask_layer(void *state, const sloe_layer_spec *spec, sloe_text *out,
                                 sloe_error *err) {
  cudnn_device *device = state;
  cudnn_job *job;
  SLOE_TRY(check(device, spec, err));
  SLOE_TRY(sloe_cudnn_job_new(device, &job, err));
  job->asking = 1;
  const sloe_status status = build(job, spec, err);
  if (status == SLOE_OK && job->kernels) sloe_text_add(out, job->kernels);
  sloe_cudnn_job_free(job);
  return status;
}

sloe_status sloe_cudnn_load_layer(void *state, const sloe_layer_spec *spec, void **out,
                                  sloe_error *err) {
  cudnn_device *device = state;
  cudnn_job *job;
  sloe_status status;
  *out = NULL;
  SLOE_TRY(check(device, spec, err));
  SLOE_TRY(sloe_cudnn_job_new(device, &job, err));
  SLOE_GOTO(build(job, spec, err));
  SLOE_GOTO(sloe_cudnn_job_finish(job, err));
  *out = job;
  return SLOE_OK;
fail:
  sloe_cudnn_job_free(job);
  return status;
}
