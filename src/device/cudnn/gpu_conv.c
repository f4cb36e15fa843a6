/* gpu_conv.c: convolutions and transposed ones through cuDNN, with bias, residual and activation.
 *
 * Candidates, each measured (gpu_steps.c): what cuDNN's heuristics propose for the whole as one
 * kernel (gpu_plan.c), where the activation is Relu or none; else, or where it proposes nothing,
 * for the bare convolution, with one kernel of our own behind. Where cuDNN's graphs have nothing,
 * its classic calls (gpu_classic.c). Where none takes channels last, as for some grouped ones, the
 * plain layout is tried. cuDNN pads both sides alike; other padding is written into a larger tensor
 * first, in the time of the layer. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "device/cudnn/gpu_conv.h"

/* ---- candidates ---- */

static sloe_status make_tail(cudnn_job *job, const cudnn_conv *c, const cudnn_tail *tail,
                             cudnn_step *step, sloe_error *err) {
  const char *text = c->residual ? "x + y + z" : "x + y";
  cudnn_value *const in[] = {c->out, c->bias, c->residual};
  if (tail->act) text = sloe_cudnn_act_of(&job->arena, tail->act, text);
  if (!text) return sloe_cudnn_nomem(err);
  return sloe_cudnn_map_step(job, text, in, c->residual ? 3 : 2, c->out, step, err);
}

/* What is equal for layers of one choice. */
static const char *key_of(cudnn_job *job, const cudnn_conv *c, const cudnn_tail *tail) {
  const sloe_window *w = &c->window;
  const int64_t *d = c->in->dims;
  return sloe_arena_printf(
      &job->arena,
      "conv%d,%d,%lldx%lldx%lldx%lld,%lld,%lldx%lld,s%lldx%lld,d%lldx%lld,p%lldx%lld,g%lld,"
      "o%lldx%lld,%d,%.80s",
      c->transposed, sloe_cudnn_is(c->in, CUDNN_PLAIN), (long long)d[0], (long long)d[1],
      (long long)d[2], (long long)d[3], (long long)w->k, (long long)w->kernel[0],
      (long long)w->kernel[1], (long long)w->stride[0], (long long)w->stride[1],
      (long long)w->dilation[0], (long long)w->dilation[1], (long long)w->pad[0],
      (long long)w->pad[1], (long long)w->groups, (long long)w->out[0], (long long)w->out[1],
      c->residual != NULL, tail->act ? tail->act : "");
}

static sloe_status choose(cudnn_job *job, const cudnn_conv *c, const cudnn_tail *tail,
                          sloe_error *err) {
  const int fusable = !c->transposed && (tail->relu || !tail->act);
  cudnn_candidates *all = SLOE_ARENA_NEW(&job->arena, cudnn_candidates, 1);
  const char *key = key_of(job, c, tail);
  cudnn_step behind;
  sloe_status status = SLOE_UNSUPPORTED;
  if (!all || !key) return sloe_cudnn_nomem(err);
  SLOE_TRY(make_tail(job, c, tail, &behind, err));
  if (fusable) SLOE_TRY(sloe_cudnn_plans(job, c, tail->relu, NULL, all, err));
  if (!all->n && !c->transposed) SLOE_TRY(sloe_cudnn_plans(job, c, 0, &behind, all, err));
  if (all->n) status = sloe_cudnn_choose(job, key, all->step, all->n, err);
  if (status != SLOE_UNSUPPORTED) return status;
  all->n = 0;
  SLOE_TRY(sloe_cudnn_classic(job, c, tail->relu, &behind, fusable, all, err));
  return sloe_cudnn_choose(job, key, all->step, all->n, err);
}

/* ---- a convolution ---- */

/* Random weights of a variance that keeps that of the activations, and a bias that no layer can
   make vanish. */
static sloe_status make_weights(cudnn_job *job, cudnn_conv *c, const sloe_window *w,
                                cudnn_layout layout, const char *name, sloe_error *err) {
  const int64_t channels = c->in->dims[1], kernel = w->kernel[0] * w->kernel[1];
  const int64_t out = c->transposed ? w->k / w->groups : channels / w->groups;
  const int64_t dims[] = {c->transposed ? channels : w->k, out, w->kernel[0], w->kernel[1]};
  const int64_t depth = channels / w->groups * kernel;
  const cudnn_contents weights = {.name = name, .scale = sqrtf(3.0F / (float)depth)};
  const cudnn_contents bias = {.name = "bias", .scale = 0.1F};
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_CONSTANT, 4, dims, layout, &weights, &c->weights, err));
  return sloe_cudnn_value_new(job, CUDNN_CONSTANT, 4, (int64_t[]){1, w->k, 1, 1}, layout, &bias,
                              &c->bias, err);
}

/* Does padding both sides alike give these sizes? */
static int is_even(const cudnn_value *src, const sloe_window *w, int transposed) {
  for (int d = 0; d < 2; d++) {
    const int64_t reach = w->dilation[d] * (w->kernel[d] - 1) + 1;
    const int64_t large = transposed ? w->out[d] : src->dims[2 + d];
    const int64_t small = transposed ? src->dims[2 + d] : w->out[d];
    const int64_t left = large + 2 * w->pad[d] - reach;
    if (w->pad[d] < 0 || left < 0 || left / w->stride[d] + 1 != small) return 0;
  }
  return 1;
}

/* The input with just the rows and columns that windows read, zeros where there are none. */
static sloe_status pad_input(cudnn_job *job, cudnn_value **src, sloe_window *w, sloe_error *err) {
  int64_t dims[4] = {(*src)->dims[0], (*src)->dims[1]}, before[4] = {0};
  for (int d = 0; d < 2; d++) {
    dims[2 + d] = (w->out[d] - 1) * w->stride[d] + w->dilation[d] * (w->kernel[d] - 1) + 1;
    before[2 + d] = w->pad[d];
    w->pad[d] = w->pad_end[d] = 0;
  }
  return sloe_cudnn_pad(job, *src, before, dims, src, err);
}

static sloe_status build(cudnn_job *job, cudnn_conv *c, const sloe_window *w, cudnn_layout layout,
                         const cudnn_tail *tail, const char *name, sloe_error *err) {
  const int64_t out[] = {c->in->dims[0], w->k, w->out[0], w->out[1]};
  SLOE_TRY(sloe_cudnn_as(job, c->in, layout, &c->in, err));
  if (tail->residual) SLOE_TRY(sloe_cudnn_as(job, tail->residual, layout, &c->residual, err));
  SLOE_TRY(make_weights(job, c, w, layout, name, err));
  SLOE_TRY(sloe_cudnn_value_new(job, CUDNN_ACTIVATION, 4, out, layout, NULL, &c->out, err));
  return choose(job, c, tail, err);
}

sloe_status sloe_cudnn_conv(cudnn_job *job, int transposed, cudnn_value *src,
                            const sloe_window *window, const cudnn_tail *tail, const char *name,
                            cudnn_value **dst, sloe_error *err) {
  sloe_window w = *window;
  cudnn_value *const given = src;
  sloe_status status = SLOE_UNSUPPORTED;
  *dst = NULL;
  if (!is_even(src, &w, transposed)) {
    if (transposed)
      return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: a transposed convolution of uneven padding");
    SLOE_TRY(pad_input(job, &src, &w, err));
  }
  const cudnn_layout usual = sloe_cudnn_usual(job->device, 4);
  for (int i = 0; i < 2 && status == SLOE_UNSUPPORTED; i++) {
    cudnn_conv *c = SLOE_ARENA_NEW(&job->arena, cudnn_conv, 1);
    if (!c) return sloe_cudnn_nomem(err);
    if (i && usual == CUDNN_PLAIN) break;
    *c = (cudnn_conv){.in = src, .window = w, .transposed = transposed};
    status = build(job, c, &w, i ? CUDNN_PLAIN : usual, tail, name, err);
    *dst = status == SLOE_OK ? c->out : NULL;
  }
  if (src != given) sloe_cudnn_release(job, src);
  return status;
}
