/* trt_job.c: a layer or a network made ready and timed.
 *
 *   write    as ONNX with random weights
 *   build    the engine, once, with a timing cache that all builds share
 *   latency  the engine without a profiler: a time for each inference. These are the runs.
 *   layers   the engine with one: how the time divides among the layers
 *
 * A profiler slows what it looks at, so it gives shares only: of a run's time a layer has its share
 * of the profile. A layer by itself is what the profile has beside changes of layout, which stand
 * around it because networks are fed in FP32 and row by row.
 *
 * `run` hands out the inferences of the latency pass one by one, in their order; behind the last
 * one the pass is taken again.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "device/trtexec/trtexec.h"
#include "zoo/zoo.h"

enum { LAYER_WARMUP_MS = 200, NETWORK_WARMUP_MS = 500, PASS_LIMIT_S = 300 };
static const double LAYER_S = 1, NETWORK_S = 3, MOST_LOST = 0.1;

/* Inferences of a pass, at least: 200, and of a large network as many as the slowest board has done
   in a minute. */
enum { MOST_TIMES = 200, LEAST_TIMES = 20 };
static const double MINUTE_MACS = 60 * 2e10;

/* ---- life ---- */

static sloe_status make_path(const sloe_trtexec *t, const char *kind, char **out, sloe_error *err) {
  const size_t size = strlen(t->work) + 80;
  *out = sloe_alloc(size, 1);
  if (!*out) return sloe_fail(err, SLOE_NOMEM, "out of memory loading a job");
  snprintf(*out, size, "%s/job-%lld-%lld.%s", t->work, (long long)getpid(), (long long)t->n_jobs,
           kind);
  return SLOE_OK;
}

static void forget_file(char *path) {
  if (path) unlink(path);
  sloe_dealloc(path);
}

void sloe_trtexec_unload(void *state, void *job) {
  sloe_trtexec_job *j = job;
  (void)state;
  if (!j) return;
  sloe_trtexec_stop(&j->load);
  forget_file(j->onnx);
  forget_file(j->engine);
  forget_file(j->times);
  forget_file(j->profile);
  forget_file(j->layers);
  sloe_trtexec_latency_fini(&j->latency);
  sloe_dealloc(j->share);
  sloe_dealloc(j);
}

static int64_t times_of(const sloe_net *net) {
  const double n = MINUTE_MACS / ((double)sloe_net_get_info(net)->macs + 1);
  return (int64_t)fmax(LEAST_TIMES, fmin(MOST_TIMES, n));
}

static sloe_status new_job(sloe_trtexec *t, const sloe_net *net, int is_network,
                           sloe_trtexec_job **out, sloe_error *err) {
  sloe_trtexec_job *j = sloe_alloc(1, sizeof *j);
  sloe_status status;
  *out = NULL;
  if (!j) return sloe_fail(err, SLOE_NOMEM, "out of memory loading a job");
  *j = (sloe_trtexec_job){.core = 1, .memory_before_mb = NAN, .memory_peak_mb = NAN};
  j->memory = (sloe_device_memory){NAN, NAN, NAN, NAN, ""};
  t->n_jobs++;
  SLOE_GOTO(make_path(t, "onnx", &j->onnx, err));
  SLOE_GOTO(make_path(t, "engine", &j->engine, err));
  SLOE_GOTO(make_path(t, "times.json", &j->times, err));
  SLOE_GOTO(make_path(t, "profile.json", &j->profile, err));
  SLOE_GOTO(make_path(t, "layers.json", &j->layers, err));
  j->pass = (sloe_trtexec_pass){.engine = j->engine,
                                .times = j->times,
                                .warmup_ms = is_network ? NETWORK_WARMUP_MS : LAYER_WARMUP_MS,
                                .seconds = t->set.seconds > 0 ? t->set.seconds
                                           : is_network       ? NETWORK_S
                                                              : LAYER_S,
                                .iterations = times_of(net)};
  *out = j;
  j = NULL;
fail:
  sloe_trtexec_unload(t, j);
  return status;
}

/* ---- building ---- */

/* What is in the cache stays there whatever becomes of the build that goes on with it. */
static void lend_cache(const char *cache, const char *lent) {
  char *bytes;
  size_t len;
  unlink(lent);
  if (sloe_file_read(cache, 1 << 28, &bytes, &len, NULL) != SLOE_OK) return;
  if (sloe_file_write(lent, bytes, len, NULL) != SLOE_OK) unlink(lent);
  sloe_dealloc(bytes);
}

static double or_zero(double bytes) {
  return isnan(bytes) ? 0 : bytes;
}

typedef struct building {
  sloe_trtexec *t;
  sloe_trtexec_job *job;
  char *cache, *lent;
} building;

static sloe_status judge_build(void *context, const sloe_trt_run *log, sloe_error *err) {
  building *b = context;
  sloe_device_memory *m = &b->job->memory;
  if (access(b->job->engine, R_OK) != 0)
    return sloe_fail(err, SLOE_DEVICE, "it ended well and wrote no engine");
  m->weights_mb = log->weights_bytes / 1e6;
  m->activations_mb = log->activation_bytes / 1e6;
  m->workspace_mb = (log->scratch_bytes + or_zero(log->persistent_bytes)) / 1e6;
  return SLOE_OK;
}

static sloe_status build(building *b, sloe_error *err) {
  sloe_trtexec *t = b->t;
  const int is_fp32 = t->set.precision == SLOE_FP32;
  const sloe_trtexec_build how = {.onnx = b->job->onnx,
                                  .engine = b->job->engine,
                                  .cache = b->lent,
                                  .layers = b->job->layers,
                                  .fp16 = !is_fp32,
                                  .int8 = t->set.precision == SLOE_INT8,
                                  .workspace_mib = t->set.workspace_mib};
  sloe_arena arena;
  sloe_arena_init(&arena, 1 << 20);
  sloe_trtexec_words words = {.arena = &arena};
  sloe_trtexec_build_words(&t->tool, &how, &words);
  lend_cache(b->cache, b->lent);
  const sloe_trtexec_order order = {.what = "building an engine",
                                    .words = words.word,
                                    .limit_s = t->set.timeout_s,
                                    .judge = judge_build,
                                    .context = b};
  const sloe_status status = words.failed ? sloe_fail(err, SLOE_NOMEM, "out of memory building")
                                          : sloe_trtexec_carry_out(t, &order, err);
  if (status == SLOE_OK) rename(b->lent, b->cache); /* where trtexec writes one */
  unlink(b->lent);
  sloe_arena_fini(&arena);
  return status;
}

static sloe_status build_engine(sloe_trtexec *t, sloe_trtexec_job *j, sloe_error *err) {
  building b = {.t = t, .job = j};
  const size_t size = strlen(t->work) + 40;
  b.cache = sloe_alloc(size, 2);
  if (!b.cache) return sloe_fail(err, SLOE_NOMEM, "out of memory building");
  b.lent = b.cache + size;
  snprintf(b.cache, size, "%s/timing.cache", t->work);
  snprintf(b.lent, size, "%s/timing.cache.%lld", t->work, (long long)getpid());
  const sloe_status status = build(&b, err);
  sloe_dealloc(b.cache);
  unlink(j->onnx); /* as large as the engine, and of no more use */
  return status;
}

/* ---- the latency pass ---- */

typedef struct timing {
  sloe_trtexec *t;
  sloe_trtexec_job *job;
  const sloe_layers *net; /* of a network */
} timing;

static void watch_memory(void *context) {
  timing *x = context;
  sloe_jetson_clocks now;
  sloe_jetson_read_clocks(x->t->board, &now);
  x->job->memory_peak_mb = fmax(x->job->memory_peak_mb, now.memory_used_mb);
}

static sloe_status judge_latency(void *context, const sloe_trt_run *log, sloe_error *err) {
  timing *x = context;
  sloe_trtexec_job *j = x->job;
  sloe_trtexec_latency latency;
  if (log->remarks & SLOE_TRT_DYNAMIC_AT_ONE)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s", sloe_trt_remark_text(SLOE_TRT_DYNAMIC_AT_ONE));
  SLOE_TRY(sloe_trtexec_check_clocks(x->t, err));
  SLOE_TRY(sloe_trtexec_read_latency(&x->t->tool, log, j->times, j->pass.warmup_ms, &latency, err));
  sloe_trtexec_latency_fini(&j->latency);
  j->latency = latency;
  j->next = 0;
  return SLOE_OK;
}

static sloe_status pass(timing *x, const sloe_trtexec_pass *how, const char *what,
                        sloe_trtexec_judge judge, sloe_error *err) {
  sloe_arena arena;
  const sloe_trtexec_meanwhile meanwhile = {how->profile ? NULL : watch_memory, x};
  sloe_arena_init(&arena, 1 << 20);
  sloe_trtexec_words words = {.arena = &arena};
  sloe_trtexec_pass_words(&x->t->tool, how, &words);
  const sloe_trtexec_order order = {.what = what,
                                    .words = words.word,
                                    .limit_s = fmin(x->t->set.timeout_s, PASS_LIMIT_S),
                                    .judge = judge,
                                    .context = x,
                                    .meanwhile = &meanwhile};
  sloe_trtexec_cool(x->t);
  const sloe_status status = words.failed ? sloe_fail(err, SLOE_NOMEM, "out of memory timing")
                                          : sloe_trtexec_carry_out(x->t, &order, err);
  sloe_arena_fini(&arena);
  return status;
}

static sloe_status take_latency(timing *x, sloe_error *err) {
  sloe_trtexec_job *j = x->job;
  unlink(j->times);
  return pass(x, &j->pass, "timing", judge_latency, err);
}

static sloe_status take_first_latency(timing *x, sloe_error *err) {
  sloe_trtexec_job *j = x->job;
  sloe_jetson_clocks now;
  sloe_jetson_read_clocks(x->t->board, &now);
  j->memory_before_mb = j->memory_peak_mb = now.memory_used_mb;
  SLOE_TRY(take_latency(x, err));
  if (!(j->memory_peak_mb > j->memory_before_mb)) return SLOE_OK;
  j->memory.total_mb = j->memory_peak_mb - j->memory_before_mb;
  j->memory.kind = "system";
  return SLOE_OK;
}

/* ---- the layer pass ---- */

static void note_choice(sloe_trtexec_job *j, const sloe_trt_file *info) {
  for (size_t i = 0; info && i < info->layers[0].n_layers && !*j->choice; i++) {
    const sloe_trt_layer *l = &info->layers[0].layers[i];
    if (strcmp(l->type, "Reformat") != 0) snprintf(j->choice, sizeof j->choice, "%s", l->tactic);
  }
  for (char *c = j->choice; *c; c++)
    if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f) *c = '_';
}

/* A network of which too much cannot be told apart is timed as a whole only. */
static sloe_status share_out(timing *x, const sloe_trt_profile *profile, const sloe_trt_file *info,
                             sloe_error *err) {
  sloe_trtexec_job *j = x->job;
  double lost, sum = 0;
  j->n_layers = sloe_layers_count(x->net);
  double *ms = sloe_alloc(j->n_layers + 1, sizeof *ms);
  if (!ms) return sloe_fail(err, SLOE_NOMEM, "out of memory timing layers");
  const sloe_status status =
      sloe_trtexec_map(profile, info ? &info->layers[0] : NULL, x->net, ms, &lost, err);
  for (size_t i = 0; status == SLOE_OK && i < j->n_layers; i++) sum += ms[i];
  if (status == SLOE_OK && lost <= MOST_LOST && sum > 0) {
    for (size_t i = 0; i < j->n_layers; i++) ms[i] /= sum;
    j->share = ms;
    return SLOE_OK;
  }
  sloe_dealloc(ms);
  snprintf(j->why, sizeof j->why, "%.0f %% of the time is of layers that are none of the network's",
           100 * lost);
  return status;
}

static sloe_status judge_layers(void *context, const sloe_trt_run *log, sloe_error *err) {
  timing *x = context;
  sloe_trtexec_job *j = x->job;
  const sloe_trt_profile *profile;
  sloe_trt_file *file;
  SLOE_TRY(sloe_trtexec_check_clocks(x->t, err));
  SLOE_TRY(sloe_trtexec_read_profile(&x->t->tool, log, j->profile, &file, &profile, err));
  sloe_trt_file *info = sloe_trtexec_read_layers(j->layers);
  sloe_status status = SLOE_OK;
  if (x->net) {
    status = share_out(x, profile, info, err);
  } else {
    j->core = sloe_trtexec_core_share(profile);
    note_choice(j, info);
  }
  sloe_trt_free(info);
  sloe_trt_free(file);
  return status;
}

static sloe_status take_layers(timing *x, sloe_error *err) {
  sloe_trtexec_job *j = x->job;
  sloe_trtexec_pass how = j->pass;
  how.times = NULL;
  how.profile = j->profile;
  how.layers = j->layers;
  unlink(j->profile);
  return pass(x, &how, "timing layers", judge_layers, err);
}

/* ---- loading ---- */

static sloe_status write_net(sloe_trtexec_job *j, const sloe_net *net, sloe_error *err) {
  const sloe_onnx_options options = {.weights = SLOE_WEIGHTS_RANDOM};
  return sloe_net_write_onnx(net, j->onnx, &options, err);
}

static sloe_status load(sloe_trtexec *t, const sloe_net *net, const sloe_layers *layers, void **job,
                        sloe_error *err) {
  timing x = {.t = t, .net = layers};
  sloe_status status;
  *job = NULL;
  SLOE_TRY(new_job(t, net, layers != NULL, &x.job, err));
  SLOE_GOTO(write_net(x.job, net, err));
  SLOE_GOTO(build_engine(t, x.job, err));
  SLOE_GOTO(take_first_latency(&x, err));
  SLOE_GOTO(take_layers(&x, err));
  *job = x.job;
  x.job = NULL;
fail:
  sloe_trtexec_unload(t, x.job);
  return status;
}

sloe_status sloe_trtexec_load_layer(void *state, const sloe_layer_spec *spec, void **job,
                                    sloe_error *err) {
  sloe_trtexec *t = state;
  char text[SLOE_SPEC_TEXT];
  sloe_net *net;
  *job = NULL;
  SLOE_TRY(sloe_zoo_open(sloe_layer_spec_print(spec, text), NULL, &net, err));
  const sloe_status status = load(t, net, NULL, job, err);
  sloe_net_free(net);
  return status;
}

sloe_status sloe_trtexec_load_network(void *state, const sloe_layers *layers, void **job,
                                      sloe_error *err) {
  return load(state, sloe_layers_net(layers), layers, job, err);
}

/* ---- what was timed ---- */

static sloe_status next_sample(sloe_trtexec *t, sloe_trtexec_job *j, double *ms, sloe_error *err) {
  timing x = {.t = t, .job = j};
  *ms = NAN;
  if (j->next == j->latency.n) SLOE_TRY(take_latency(&x, err));
  *ms = j->latency.ms[j->next++];
  return SLOE_OK;
}

sloe_status sloe_trtexec_run(void *state, void *job, uint64_t *device_ns, uint64_t *host_ns,
                             sloe_error *err) {
  sloe_trtexec_job *j = job;
  double ms;
  *device_ns = *host_ns = 0;
  SLOE_TRY(next_sample(state, j, &ms, err));
  *device_ns = (uint64_t)fmax(round(ms * j->core * 1e6), 1);
  return SLOE_OK;
}

sloe_status sloe_trtexec_run_layers(void *state, void *job, uint64_t *layer_ns, size_t n,
                                    sloe_error *err) {
  sloe_trtexec_job *j = job;
  double ms;
  memset(layer_ns, 0, n * sizeof *layer_ns);
  if (!j->share) return sloe_fail(err, SLOE_UNSUPPORTED, "layers: %s", j->why);
  SLOE_TRY(next_sample(state, j, &ms, err));
  for (size_t i = 0; i < n && i < j->n_layers; i++)
    layer_ns[i] = (uint64_t)round(ms * j->share[i] * 1e6);
  return SLOE_OK;
}

sloe_status sloe_trtexec_memory(void *state, void *job, sloe_device_memory *out, sloe_error *err) {
  const sloe_trtexec_job *j = job;
  (void)state;
  (void)err;
  *out = j->memory;
  return SLOE_OK;
}

const char *sloe_trtexec_choice(void *state, void *job, size_t layer) {
  const sloe_trtexec_job *j = job;
  (void)state;
  return layer == 0 && !j->n_layers ? j->choice : "";
}
