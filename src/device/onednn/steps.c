/* steps.c: from an op descriptor to a primitive with its arguments. */
#include "device/onednn/onednn.h"

sloe_status sloe_onednn_said(dnnl_status_t said, const char *what, sloe_error *err) {
  switch (said) {
    case dnnl_out_of_memory: return sloe_fail(err, SLOE_NOMEM, "onednn: %s: out of memory", what);
    case dnnl_unimplemented:
    case dnnl_invalid_arguments:
      return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: %s: %s", what,
                       said == dnnl_unimplemented ? "oneDNN has no such primitive"
                                                  : "oneDNN refuses these sizes");
    default:
      return sloe_fail(err, SLOE_DEVICE, "onednn: %s: oneDNN failed with status %d", what,
                       (int)said);
  }
}

/* ---- posts ---- */

static int add_post(onednn_posts *posts, onednn_post post) {
  if (posts->n == ONEDNN_MAX_POSTS) return 0;
  posts->post[posts->n++] = post;
  return 1;
}

int sloe_onednn_post_eltwise(onednn_posts *posts, dnnl_alg_kind_t alg, float alpha, float beta) {
  return add_post(posts, (onednn_post){ONEDNN_POST_ELTWISE, alg, alpha, beta, NULL});
}

int sloe_onednn_post_value(onednn_posts *posts, int what, dnnl_alg_kind_t alg,
                           onednn_value *value) {
  return add_post(posts, (onednn_post){what, alg, 0, 0, value});
}

int sloe_onednn_post_act(onednn_posts *posts, sloe_spec_act act) {
  switch (act) {
    case SLOE_SPEC_ACT_NONE: return 1;
    case SLOE_SPEC_ACT_RELU: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_relu, 0, 0);
    case SLOE_SPEC_ACT_CLIP: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_clip, 0, 6);
    case SLOE_SPEC_ACT_LEAKY: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_relu, 0.1F, 0);
    case SLOE_SPEC_ACT_SIGMOID: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_logistic, 0, 0);
    case SLOE_SPEC_ACT_HARDSIGMOID:
      return sloe_onednn_post_eltwise(posts, dnnl_eltwise_linear, 1.0F / 6, 0.5F) &&
             sloe_onednn_post_eltwise(posts, dnnl_eltwise_clip, 0, 1);
    case SLOE_SPEC_ACT_SWISH: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_swish, 1, 0);
    case SLOE_SPEC_ACT_HARDSWISH:
      return sloe_onednn_post_eltwise(posts, dnnl_eltwise_hardswish, 0, 0);
    case SLOE_SPEC_ACT_TANH: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_tanh, 0, 0);
    case SLOE_SPEC_ACT_ELU: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_elu, 1, 0);
    case SLOE_SPEC_ACT_GELU: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_gelu_erf, 0, 0);
    case SLOE_SPEC_ACT_EXP: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_exp, 0, 0);
    case SLOE_SPEC_ACT_SQRT: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_sqrt, 0, 0);
    case SLOE_SPEC_ACT_OTHER: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_mish, 0, 0);
    default: return 0;
  }
}

static dnnl_status_t append_post(dnnl_post_ops_t ops, const onednn_post *post) {
  switch (post->what) {
    case ONEDNN_POST_ELTWISE:
      return dnnl_post_ops_append_eltwise(ops, 1.0F, post->alg, post->alpha, post->beta);
    case ONEDNN_POST_SUM: return dnnl_post_ops_append_sum(ops, 1.0F);
    default: return dnnl_post_ops_append_binary(ops, post->alg, &post->value->md);
  }
}

/* User scratchpad, and the posts. */
static sloe_status make_attr(const onednn_posts *posts, dnnl_primitive_attr_t *out,
                             sloe_error *err) {
  dnnl_post_ops_t ops = NULL;
  dnnl_status_t said = dnnl_primitive_attr_create(out);
  if (said == dnnl_success)
    said = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
  if (said == dnnl_success && posts && posts->n) {
    said = dnnl_post_ops_create(&ops);
    for (size_t i = 0; i < posts->n && said == dnnl_success; i++)
      said = append_post(ops, &posts->post[i]);
    if (said == dnnl_success) said = dnnl_primitive_attr_set_post_ops(*out, ops);
    dnnl_post_ops_destroy(ops);
  }
  return said == dnnl_success ? SLOE_OK : sloe_onednn_said(said, "post-ops", err);
}

/* ---- making ---- */

void sloe_onednn_make_with(onednn_make *make, onednn_job *job, const char *what,
                           dnnl_primitive_desc_t pd) {
  *make = (onednn_make){.job = job, .what = what, .pd = pd};
}

sloe_status sloe_onednn_make_begin(onednn_make *make, onednn_job *job, const char *what,
                                   const_dnnl_op_desc_t op, const onednn_posts *posts,
                                   sloe_error *err) {
  dnnl_primitive_attr_t attr = NULL;
  dnnl_status_t said;
  sloe_onednn_make_with(make, job, what, NULL);
  make->posts = posts;
  sloe_status status = make_attr(posts, &attr, err);
  if (status == SLOE_OK) {
    said = dnnl_primitive_desc_create(&make->pd, op, attr, job->device->engine, NULL);
    if (said != dnnl_success) status = sloe_onednn_said(said, what, err);
  }
  dnnl_primitive_attr_destroy(attr);
  return status;
}

const dnnl_memory_desc_t *sloe_onednn_make_md(const onednn_make *make, dnnl_query_t what,
                                              int index) {
  return dnnl_primitive_desc_query_md(make->pd, what, index);
}

static sloe_status take_step(onednn_make *make, sloe_error *err) {
  if (make->step) return SLOE_OK;
  make->step = SLOE_ARENA_NEW(&make->job->arena, onednn_step, 1);
  return make->step ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
}

static sloe_status set_arg(onednn_make *make, int arg, dnnl_memory_t memory, sloe_error *err) {
  SLOE_TRY(take_step(make, err));
  onednn_step *step = make->step;
  size_t cap = (size_t)step->cap_args;
  if (!sloe_arena_grow(&make->job->arena, &step->args, (size_t)step->n_args, &cap,
                       sizeof *step->args))
    return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  step->cap_args = (int)cap;
  step->args[step->n_args++] = (dnnl_exec_arg_t){arg, memory};
  return SLOE_OK;
}

sloe_status sloe_onednn_make_arg(onednn_make *make, int arg, const onednn_value *value,
                                 sloe_error *err) {
  return set_arg(make, arg, value->memory, err);
}

sloe_status sloe_onednn_make_in(onednn_make *make, int arg, dnnl_query_t what, int index,
                                onednn_value *value, sloe_error *err) {
  const dnnl_memory_desc_t *md = sloe_onednn_make_md(make, what, index);
  onednn_value *as;
  SLOE_TRY(sloe_onednn_as(make->job, value, md, &as, err));
  return sloe_onednn_make_arg(make, arg, as, err);
}

static void add_step(onednn_job *job, onednn_step *step) {
  step->layer = job->net.layer;
  *(job->last ? &job->last->next : &job->first) = step;
  job->last = step;
}

/* Where the result goes: on the bytes that it is added to, or into a new value. */
static sloe_status take_dst(onednn_make *make, onednn_value **dst, sloe_error *err) {
  const dnnl_memory_desc_t *md = sloe_onednn_make_md(make, dnnl_query_dst_md, 0);
  const onednn_posts *posts = make->posts;
  *dst = NULL;
  for (size_t i = 0; posts && i < posts->n; i++) {
    if (posts->post[i].what != ONEDNN_POST_SUM) continue;
    onednn_value *onto;
    SLOE_TRY(sloe_onednn_as(make->job, posts->post[i].value, md, &onto, err));
    return sloe_onednn_view(make->job, onto, md, dst, err);
  }
  return sloe_onednn_result(make->job, md, dst, err);
}

static sloe_status take_scratch(onednn_make *make, sloe_error *err) {
  const dnnl_memory_desc_t *md = sloe_onednn_make_md(make, dnnl_query_scratchpad_md, 0);
  const size_t bytes = md ? dnnl_memory_desc_get_size(md) : 0;
  if (!bytes) return SLOE_OK;
  onednn_step *step = make->step;
  ONEDNN_TRY(dnnl_memory_create(&step->scratch, md, make->job->device->engine, NULL), make->what);
  if (bytes > make->job->scratch_bytes) make->job->scratch_bytes = bytes;
  return set_arg(make, DNNL_ARG_SCRATCHPAD, step->scratch, err);
}

sloe_status sloe_onednn_make_end(onednn_make *make, onednn_value **dst, sloe_error *err) {
  const onednn_posts *posts = make->posts;
  onednn_value *result;
  *dst = NULL;
  SLOE_TRY(take_step(make, err));
  SLOE_TRY(take_dst(make, &result, err));
  SLOE_TRY(sloe_onednn_make_arg(make, DNNL_ARG_DST, result, err));
  for (size_t i = 0; posts && i < posts->n; i++)
    if (posts->post[i].what == ONEDNN_POST_BINARY)
      SLOE_TRY(sloe_onednn_make_arg(make, DNNL_ARG_ATTR_MULTIPLE_POST_OP((int)i) | DNNL_ARG_SRC_1,
                                    posts->post[i].value, err));
  const sloe_status status = take_scratch(make, err);
  dnnl_status_t said = dnnl_success;
  if (status == SLOE_OK) said = dnnl_primitive_create(&make->step->primitive, make->pd);
  if (status != SLOE_OK || said != dnnl_success) {
    dnnl_memory_destroy(make->step->scratch);
    return status != SLOE_OK ? status : sloe_onednn_said(said, make->what, err);
  }
  add_step(make->job, make->step);
  *dst = result;
  return SLOE_OK;
}

const char *sloe_onednn_make_name(const onednn_make *make) {
  const char *name = "";
  (void)dnnl_primitive_desc_query(make->pd, dnnl_query_impl_info_str, 0, &name);
  return name;
}

void sloe_onednn_make_fini(onednn_make *make) {
  dnnl_primitive_desc_destroy(make->pd);
  make->pd = NULL;
}

sloe_status sloe_onednn_reorder(onednn_job *job, onednn_value *from, onednn_value *to,
                                sloe_error *err) {
  onednn_make make;
  dnnl_primitive_desc_t pd = NULL;
  const dnnl_engine_t engine = job->device->engine;
  ONEDNN_TRY(dnnl_reorder_primitive_desc_create(&pd, &from->md, engine, &to->md, engine, NULL),
             "a reorder");
  sloe_onednn_make_with(&make, job, "a reorder", pd);
  sloe_status status = sloe_onednn_make_arg(&make, DNNL_ARG_FROM, from, err);
  if (status == SLOE_OK) status = sloe_onednn_make_arg(&make, DNNL_ARG_TO, to, err);
  if (status == SLOE_OK) {
    const dnnl_status_t said = dnnl_primitive_create(&make.step->primitive, pd);
    if (said != dnnl_success) status = sloe_onednn_said(said, "a reorder", err);
  }
  if (status == SLOE_OK) add_step(job, make.step);
  sloe_onednn_make_fini(&make);
  return status;
}

sloe_status sloe_onednn_step_plain(onednn_job *job, onednn_plain_fn fn, const void *params,
                                   onednn_value *const *in, size_t n, onednn_value *out,
                                   sloe_error *err) {
  onednn_step *step = SLOE_ARENA_NEW(&job->arena, onednn_step, 1);
  if (!step) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  if (n > ONEDNN_MAX_PLAIN)
    return sloe_fail(err, SLOE_UNSUPPORTED, "onednn: a loop over %zu tensors", n);
  for (size_t i = 0; i < n; i++) step->in[i] = sloe_onednn_bytes(job, in[i]);
  step->out = sloe_onednn_bytes(job, out);
  step->plain = fn;
  step->params = params;
  add_step(job, step);
  return SLOE_OK;
}

sloe_status sloe_onednn_step_run(const onednn_device *device, const onednn_step *step,
                                 sloe_error *err) {
  if (!step->primitive) {
    step->plain(step);
    return SLOE_OK;
  }
  ONEDNN_TRY(dnnl_primitive_execute(step->primitive, device->stream, step->n_args, step->args),
             "running");
  return SLOE_OK;
}
