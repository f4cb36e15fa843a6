/* gpu_steps.c: the steps of a job, and the fastest of several that do the same.
 *
 * Choosing. Every candidate runs twice, the second time between two events; what fails is out, and
 * what takes more than FAR times as long as the best, unless that is short or is the host's doing:
 * an engine that launches a kernel for each group waits for the host each time, and is tried once
 * more as a graph. The others are captured as graphs of several launches, so that the host's part
 * stays outside, and timed TAKES times, taking turns, so that a drift of the clocks meets all of
 * them; the least median wins. The name of the winner is kept by the layer's key: two layers of
 * equal key run the same algorithm in one process. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "device/cudnn/cudnn.h"

enum { TAKES = 3, MOST_LAUNCHES = 20, MOST_CANDIDATES = 64 };
/* HOST_NS: what the host adds to one try at most; 20 us for each of 128 groups were seen. */
static const double FAR = 3.0, SHORT_NS = 60e3, HOST_NS = 2.5e6, GRAPH_NS = 100e3;

sloe_status sloe_cudnn_step_add(cudnn_job *job, const cudnn_step *step, sloe_error *err) {
  cudnn_step *copy = SLOE_ARENA_NEW(&job->arena, cudnn_step, 1);
  if (!copy) return sloe_cudnn_nomem(err);
  *copy = *step;
  copy->next = NULL;
  copy->layer = job->net.layer;
  *(job->last ? &job->last->next : &job->first) = copy;
  job->last = copy;
  return SLOE_OK;
}

sloe_status sloe_cudnn_own(cudnn_job *job, void *handle, cudnn_destroy_fn destroy,
                           sloe_error *err) {
  cudnn_owned *owned = SLOE_ARENA_NEW(&job->arena, cudnn_owned, 1);
  if (!owned) {
    destroy(handle);
    return sloe_cudnn_nomem(err);
  }
  *owned = (cudnn_owned){.next = job->owned, .handle = handle, .destroy = destroy};
  job->owned = owned;
  return SLOE_OK;
}

/* ---- choosing ---- */

typedef struct runner { /* a candidate that is still in */
  const cudnn_step *step;
  double once_ns, take_ns[TAKES], median_ns;
  cudaGraphExec_t graph;
} runner;

typedef struct race {
  cudnn_job *job;
  runner run[MOST_CANDIDATES];
  size_t n;
} race;

static sloe_status try_once(const race *r, const cudnn_step *step, double *ns, sloe_error *err) {
  const cudnn_device *device = r->job->device;
  float ms = 0;
  SLOE_TRY(sloe_cudnn_workspace(r->job, step->workspace, err));
  SLOE_TRY(step->launch(r->job, step, err));
  CUDA_TRY(cudaStreamSynchronize(device->stream), "trying an algorithm");
  CUDA_TRY(cudaEventRecord(device->begin, device->stream), "an event");
  SLOE_TRY(step->launch(r->job, step, err));
  CUDA_TRY(cudaEventRecord(device->end, device->stream), "an event");
  CUDA_TRY(cudaEventSynchronize(device->end), "trying an algorithm");
  CUDA_TRY(cudaEventElapsedTime(&ms, device->begin, device->end), "an event");
  *ns = (double)ms * 1e6;
  return SLOE_OK;
}

/* One more, for who asks a lone layer for its kernels; blanks between. */
static sloe_status add_kernel(cudnn_job *job, const char *name, const char *took, sloe_error *err) {
  const char *before = job->kernels ? job->kernels : "";
  job->kernels = sloe_arena_printf(&job->arena, "%s%s%s%s", before, *before ? " " : "", name, took);
  return job->kernels ? SLOE_OK : sloe_cudnn_nomem(err);
}

/* What each took: "NAME:US". */
static sloe_status note(cudnn_job *job, const runner *run, double ns, sloe_error *err) {
  char took[32];
  if (job->net.n_layers) return SLOE_OK;
  snprintf(took, sizeof took, ":%.3f", ns / 1e3);
  return add_kernel(job, run->step->choice, took, err);
}

/* A broken GPU ends the race; a refusal does not. */
static sloe_status check_alive(const race *r, sloe_status status, const sloe_error *why,
                               sloe_error *err) {
  if (status == SLOE_NOMEM) return sloe_cudnn_nomem(err);
  if (cudaStreamSynchronize(r->job->device->stream) != cudaSuccess)
    return sloe_fail(err, SLOE_DEVICE, "%s", why->msg);
  return SLOE_OK;
}

/* Those that run, and what the best takes at once. */
static sloe_status try_all(race *r, const cudnn_step *steps, size_t n, double *best,
                           sloe_error *err) {
  sloe_error why;
  *best = INFINITY;
  sloe_fail(&why, SLOE_UNSUPPORTED, "cudnn: no algorithm for these sizes");
  for (size_t i = 0; i < n && r->n < MOST_CANDIDATES; i++) {
    runner *run = &r->run[r->n];
    *run = (runner){.step = &steps[i]};
    const sloe_status status = try_once(r, &steps[i], &run->once_ns, &why);
    SLOE_TRY(check_alive(r, status, &why, err));
    if (status != SLOE_OK) continue;
    if (run->once_ns < *best) *best = run->once_ns;
    r->n++;
  }
  return r->n ? SLOE_OK : sloe_fail(err, SLOE_UNSUPPORTED, "%s", why.msg);
}

/* One launch as a graph, the second time that it runs. What cannot be captured stays as it was. */
static sloe_status try_without_host(const race *r, runner *run, sloe_error *err) {
  sloe_error why;
  cudaGraphExec_t graph;
  double ns = run->once_ns;
  sloe_fail(&why, SLOE_DEVICE, "cudnn: the GPU failed trying an algorithm as a graph");
  sloe_status status = sloe_cudnn_capture(r->job, run->step, 1, 1, &graph, &why);
  for (int i = 0; i < 2 && status == SLOE_OK; i++)
    status = sloe_cudnn_time_graph(r->job->device, graph, &ns, &why);
  if (graph) (void)cudaGraphExecDestroy(graph);
  SLOE_TRY(check_alive(r, status, &why, err));
  if (status == SLOE_OK) run->once_ns = ns;
  return SLOE_OK;
}

/* Those that run, without the far slower ones. */
static sloe_status screen(race *r, const cudnn_step *steps, size_t n, sloe_error *err) {
  double best;
  size_t kept = 0;
  SLOE_TRY(try_all(r, steps, n, &best, err));
  for (size_t i = 0; i < r->n; i++) {
    runner *run = &r->run[i];
    const double far = FAR * best;
    int is_out = run->once_ns > fmax(far, SHORT_NS);
    if (is_out && run->once_ns <= far + HOST_NS) {
      SLOE_TRY(try_without_host(r, run, err));
      is_out = run->once_ns > far;
    }
    if (is_out)
      SLOE_TRY(note(r->job, run, run->once_ns, err));
    else
      r->run[kept++] = *run;
  }
  r->n = kept;
  return SLOE_OK;
}

static double median3(const double *t) {
  const double low = t[0] < t[1] ? t[0] : t[1], high = t[0] < t[1] ? t[1] : t[0];
  return t[2] < low ? low : (t[2] > high ? high : t[2]);
}

static sloe_status time_all(race *r, sloe_error *err) {
  double best = INFINITY;
  for (size_t i = 0; i < r->n; i++)
    if (r->run[i].once_ns < best) best = r->run[i].once_ns;
  int launches = (int)(GRAPH_NS / best) + 1;
  if (launches > MOST_LAUNCHES) launches = MOST_LAUNCHES;
  for (size_t i = 0; i < r->n; i++)
    SLOE_TRY(sloe_cudnn_capture(r->job, r->run[i].step, 1, launches, &r->run[i].graph, err));
  for (int take = -1; take < TAKES; take++) /* the first does not count */
    for (size_t i = 0; i < r->n; i++)
      SLOE_TRY(sloe_cudnn_time_graph(r->job->device, r->run[i].graph,
                                     &r->run[i].take_ns[take < 0 ? 0 : take], err));
  for (size_t i = 0; i < r->n; i++) {
    r->run[i].median_ns = median3(r->run[i].take_ns) / launches;
    SLOE_TRY(note(r->job, &r->run[i], r->run[i].median_ns, err));
  }
  return SLOE_OK;
}

static sloe_status run_race(race *r, const cudnn_step *steps, size_t n, const cudnn_step **out,
                            sloe_error *err) {
  size_t best = 0;
  SLOE_TRY(screen(r, steps, n, err));
  /* A network asks for no times of kernels: without rivals there is nothing to time. */
  const sloe_status status = r->n > 1 || !r->job->net.n_layers ? time_all(r, err) : SLOE_OK;
  for (size_t i = 0; i < r->n; i++)
    if (r->run[i].graph) (void)cudaGraphExecDestroy(r->run[i].graph);
  if (status != SLOE_OK) return status;
  for (size_t i = 1; i < r->n; i++)
    if (r->run[i].median_ns < r->run[best].median_ns) best = i;
  *out = r->run[best].step;
  return SLOE_OK;
}

static sloe_status keep(cudnn_device *device, const char *key, const char *name, sloe_error *err) {
  sloe_arena *arena = &device->arena;
  const cudnn_chosen chosen = {sloe_arena_printf(arena, "%s", key),
                               sloe_arena_printf(arena, "%s", name)};
  if (!chosen.key || !chosen.name ||
      !sloe_arena_grow(arena, &device->chosen, device->n_chosen, &device->cap_chosen,
                       sizeof chosen) ||
      !sloe_map_put(&device->chosen_at, arena, chosen.key, (int32_t)device->n_chosen))
    return sloe_cudnn_nomem(err);
  device->chosen[device->n_chosen++] = chosen;
  return SLOE_OK;
}

/* What was chosen for a layer like this one, where it is among the steps and runs here. */
static const cudnn_step *remembered(cudnn_job *job, const char *key, const cudnn_step *steps,
                                    size_t n) {
  const cudnn_device *device = job->device;
  const int32_t at = sloe_map_get(&device->chosen_at, key);
  for (size_t i = 0; at >= 0 && i < n; i++)
    if (strcmp(steps[i].choice, device->chosen[at].name) == 0 &&
        sloe_cudnn_workspace(job, steps[i].workspace, NULL) == SLOE_OK &&
        steps[i].launch(job, &steps[i], NULL) == SLOE_OK)
      return &steps[i];
  return NULL;
}

/* All that would be tried, "NAME NAME". */
static sloe_status name_all(cudnn_job *job, const cudnn_step *steps, size_t n, sloe_error *err) {
  for (size_t i = 0; i < n; i++) SLOE_TRY(add_kernel(job, steps[i].choice, "", err));
  return SLOE_OK;
}

sloe_status sloe_cudnn_choose(cudnn_job *job, const char *key, const cudnn_step *steps, size_t n,
                              sloe_error *err) {
  if (job->asking) return name_all(job, steps, n, err);
  race r = {.job = job};
  const cudnn_step *best = remembered(job, key, steps, n);
  if (!best) {
    SLOE_TRY(run_race(&r, steps, n, &best, err));
    SLOE_TRY(keep(job->device, key, best->choice, err));
  }
  cudnn_step chosen = *best;
  chosen.choice = sloe_arena_printf(&job->arena, "%s", best->choice);
  if (!chosen.choice) return sloe_cudnn_nomem(err);
  return sloe_cudnn_step_add(job, &chosen, err);
}
