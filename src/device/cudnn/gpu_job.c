/* gpu_job.c: the life of a job, and its running as a captured graph.
 *
 * A layer. Its graph holds as many launches back to back as take GRAPH_NS, at most MOST_LAUNCHES;
 * a run is the time between two events, the first and the last node of the graph, divided by their
 * number. So the host's part of a launch, which on small layers is larger than the layer, stays
 * outside, as it does in a network. host_ns is what the caller waited for the graph, divided
 * likewise.
 *
 * The caches. Back to back, a layer finds its weights in the second-level cache where they and its
 * activations are smaller than that (50 MB here), and so does a network of small weights that runs
 * again and again. That is the default (weights=warm). With weights=cold each launch of the graph
 * reads a copy of the constants of its own and settle streams through twice the cache before: then
 * weights come from memory, as in a network of large ones. Activations are the same throughout:
 * what a layer reads has just been written.
 *
 * A network is a graph of one launch. Layer by layer it runs as another graph, with an event
 * between every two layers. The sum of layers is larger than the network: an event takes a
 * microsecond or two and kernels of two layers do not overlap.
 */
#include <math.h>
#include <time.h>

#include "base/alloc.h"
#include "device/cudnn/cudnn.h"

enum { ARENA_LIMIT = 256 << 20, MOST_LAUNCHES = 40, TRIES = 3, COPIES_MB = 8192 };
static const double GRAPH_NS = 200e3;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static size_t free_bytes(void) {
  size_t left = 0, all = 0;
  return cudaMemGetInfo(&left, &all) == cudaSuccess ? left : 0;
}

sloe_status sloe_cudnn_job_new(cudnn_device *device, cudnn_job **out, sloe_error *err) {
  cudnn_job *job = sloe_alloc(1, sizeof *job);
  *out = NULL;
  if (!job) return sloe_cudnn_nomem(err);
  *job = (cudnn_job){.device = device, .used_bytes = NAN};
  sloe_arena_init(&job->arena, ARENA_LIMIT);
  job->free_before = free_bytes();
  *out = job;
  return SLOE_OK;
}

void sloe_cudnn_job_free(cudnn_job *job) {
  if (!job) return;
  (void)cudaStreamSynchronize(job->device->stream);
  if (job->graph) (void)cudaGraphExecDestroy(job->graph);
  if (job->marked) (void)cudaGraphExecDestroy(job->marked);
  for (size_t i = 0; i < job->n_marks; i++)
    if (job->marks[i]) (void)cudaEventDestroy(job->marks[i]);
  for (cudnn_owned *o = job->owned; o; o = o->next) o->destroy(o->handle);
  for (cudnn_data *d = job->data; d; d = d->next) (void)cudaFree(d->base);
  (void)cudaFree(job->workspace);
  (void)cudaGetLastError();
  sloe_arena_fini(&job->arena);
  sloe_dealloc(job);
}

static sloe_status set_workspace(cudnn_job *job, size_t bytes, sloe_error *err) {
  if (job->workspace) {
    CUDA_TRY(cudaStreamSynchronize(job->device->stream), "waiting");
    CUDA_TRY(cudaFree(job->workspace), "giving memory back");
  }
  job->workspace = NULL;
  job->workspace_bytes = 0;
  if (!bytes) return SLOE_OK;
  CUDA_TRY(cudaMalloc(&job->workspace, bytes), "taking workspace");
  job->workspace_bytes = bytes;
  return SLOE_OK;
}

sloe_status sloe_cudnn_workspace(cudnn_job *job, size_t bytes, sloe_error *err) {
  return bytes <= job->workspace_bytes ? SLOE_OK : set_workspace(job, bytes, err);
}

/* ---- graphs ---- */

static sloe_status launch_steps(const cudnn_job *job, const cudnn_step *first, int only_one,
                                sloe_error *err) {
  for (const cudnn_step *s = first; s; s = only_one ? NULL : s->next)
    SLOE_TRY(s->launch(job, s, err));
  return SLOE_OK;
}

/* An event as a node of the graph being captured. */
static sloe_status mark(const cudnn_job *job, cudaEvent_t event, sloe_error *err) {
  CUDA_TRY(cudaEventRecordWithFlags(event, job->device->stream, cudaEventRecordExternal),
           "an event");
  return SLOE_OK;
}

static sloe_status begin_capture(const cudnn_job *job, sloe_error *err) {
  CUDA_TRY(cudaStreamBeginCapture(job->device->stream, cudaStreamCaptureModeRelaxed), "capturing");
  return SLOE_OK;
}

/* `status`: of what was captured. The mode ends in any case. */
static sloe_status end_capture(const cudnn_job *job, sloe_status status, cudaGraphExec_t *out,
                               sloe_error *err) {
  cudaGraph_t graph = NULL;
  cudaError_t said = cudaStreamEndCapture(job->device->stream, &graph);
  *out = NULL;
  if (status == SLOE_OK && said == cudaSuccess) said = cudaGraphInstantiate(out, graph, 0);
  if (graph) (void)cudaGraphDestroy(graph);
  if (status != SLOE_OK) {
    (void)cudaGetLastError();
    return status;
  }
  if (said != cudaSuccess) *out = NULL;
  CUDA_TRY(said, "capturing");
  CUDA_TRY(cudaGraphUpload(*out, job->device->stream), "uploading a graph");
  return SLOE_OK;
}

sloe_status sloe_cudnn_capture(cudnn_job *job, const cudnn_step *first, int only_one, int n,
                               cudaGraphExec_t *out, sloe_error *err) {
  sloe_status status = SLOE_OK;
  *out = NULL;
  SLOE_TRY(begin_capture(job, err));
  status = mark(job, job->device->begin, err);
  for (job->copy = 0; job->copy < n && status == SLOE_OK; job->copy++)
    status = launch_steps(job, first, only_one, err);
  job->copy = 0;
  if (status == SLOE_OK) status = mark(job, job->device->end, err);
  return end_capture(job, status, out, err);
}

sloe_status sloe_cudnn_time_graph(const cudnn_device *device, cudaGraphExec_t graph, double *ns,
                                  sloe_error *err) {
  float ms = 0;
  CUDA_TRY(cudaGraphLaunch(graph, device->stream), "launching a graph");
  CUDA_TRY(cudaStreamSynchronize(device->stream), "running");
  CUDA_TRY(cudaEventElapsedTime(&ms, device->begin, device->end), "an event");
  *ns = (double)ms * 1e6;
  return SLOE_OK;
}

/* ---- ready to run ---- */

/* Copies for cold weights beyond this would not fit everywhere; two are then enough to alternate.
 */
static int fewer_copies(const cudnn_job *job, int launches) {
  const double most = COPIES_MB * 1e6;
  if (job->weights_bytes * launches <= most || job->weights_bytes <= 0) return launches;
  const int n = (int)(most / job->weights_bytes);
  return n > 2 ? n : 2;
}

static sloe_status choose_launches(cudnn_job *job, sloe_error *err) {
  cudaGraphExec_t one = NULL;
  double best = INFINITY, ns = 0;
  job->launches = 1;
  if (job->net.n_layers) return SLOE_OK;
  sloe_status status = sloe_cudnn_capture(job, job->first, 0, 1, &one, err);
  for (int i = 0; i < TRIES && status == SLOE_OK; i++) {
    status = sloe_cudnn_time_graph(job->device, one, &ns, err);
    if (ns < best) best = ns;
  }
  if (one) (void)cudaGraphExecDestroy(one);
  if (status != SLOE_OK) return status;
  const double n = ceil(GRAPH_NS / (best > 1 ? best : 1));
  job->launches = n < 1 ? 1 : (n > MOST_LAUNCHES ? MOST_LAUNCHES : (int)n);
  return SLOE_OK;
}

sloe_status sloe_cudnn_job_finish(cudnn_job *job, sloe_error *err) {
  size_t workspace = 0;
  for (const cudnn_step *s = job->first; s; s = s->next)
    if (s->workspace > workspace) workspace = s->workspace;
  if (workspace < job->workspace_bytes) SLOE_TRY(set_workspace(job, 0, err));
  SLOE_TRY(sloe_cudnn_workspace(job, workspace, err));
  SLOE_TRY(launch_steps(job, job->first, 0, err)); /* what is loaded late is loaded now */
  CUDA_TRY(cudaStreamSynchronize(job->device->stream), "the first run");
  const size_t left = free_bytes();
  if (left && job->free_before > left) job->used_bytes = (double)(job->free_before - left);
  SLOE_TRY(choose_launches(job, err));
  if (job->device->cold && !job->net.n_layers)
    SLOE_TRY(sloe_cudnn_replicate(job, fewer_copies(job, job->launches), err));
  return sloe_cudnn_capture(job, job->first, 0, job->launches, &job->graph, err);
}

/* ---- running ---- */

sloe_status sloe_cudnn_job_run(cudnn_job *job, uint64_t *device_ns, uint64_t *host_ns,
                               sloe_error *err) {
  double ns = 0;
  const uint64_t begin = now_ns();
  SLOE_TRY(sloe_cudnn_time_graph(job->device, job->graph, &ns, err));
  const double waited = (double)(now_ns() - begin) / job->launches;
  ns /= job->launches;
  *device_ns = (uint64_t)llround(ns);
  *host_ns = (uint64_t)llround(waited > ns ? waited : ns);
  return SLOE_OK;
}

/* ---- layer by layer ---- */

static sloe_status make_marks(cudnn_job *job, sloe_error *err) {
  job->marks = SLOE_ARENA_NEW(&job->arena, cudaEvent_t, job->net.n_layers + 1);
  if (!job->marks) return sloe_cudnn_nomem(err);
  job->n_marks = job->net.n_layers + 1;
  for (size_t i = 0; i < job->n_marks; i++)
    CUDA_TRY(cudaEventCreate(&job->marks[i]), "making an event");
  return SLOE_OK;
}

/* Events from `*marked` up to that before layer `layer`. */
static sloe_status mark_up_to(const cudnn_job *job, size_t layer, size_t *marked, sloe_error *err) {
  for (; *marked <= layer; ++*marked) SLOE_TRY(mark(job, job->marks[*marked], err));
  return SLOE_OK;
}

static sloe_status launch_marked(const cudnn_job *job, sloe_error *err) {
  size_t marked = 0;
  for (const cudnn_step *s = job->first; s; s = s->next) {
    SLOE_TRY(mark_up_to(job, s->layer, &marked, err));
    SLOE_TRY(s->launch(job, s, err));
  }
  return mark_up_to(job, job->n_marks - 1, &marked, err);
}

static sloe_status capture_marked(cudnn_job *job, sloe_error *err) {
  if (job->marked) return SLOE_OK;
  if (!job->marks) SLOE_TRY(make_marks(job, err));
  SLOE_TRY(begin_capture(job, err));
  return end_capture(job, launch_marked(job, err), &job->marked, err);
}

sloe_status sloe_cudnn_job_run_layers(cudnn_job *job, uint64_t *layer_ns, size_t n,
                                      sloe_error *err) {
  const cudaStream_t stream = job->device->stream;
  size_t at = 0;
  for (size_t i = 0; i < n; i++) layer_ns[i] = 0;
  SLOE_TRY(capture_marked(job, err));
  CUDA_TRY(cudaGraphLaunch(job->marked, stream), "launching a graph");
  CUDA_TRY(cudaStreamSynchronize(stream), "running");
  for (const cudnn_step *s = job->first; s; s = s->next) {
    float ms = 0;
    if (s->layer < at || s->layer >= n) continue;
    at = s->layer + 1;
    CUDA_TRY(cudaEventElapsedTime(&ms, job->marks[s->layer], job->marks[at]), "an event");
    layer_ns[s->layer] = ms > 0 ? (uint64_t)llround((double)ms * 1e6) : 1;
  }
  return SLOE_OK;
}

sloe_status sloe_cudnn_settle(const cudnn_device *device, sloe_error *err) {
  if (!device->cold || !device->evict) return SLOE_OK;
  CUDA_TRY(cudaMemsetAsync(device->evict, 1, device->evict_bytes, device->stream), "settling");
  CUDA_TRY(cudaStreamSynchronize(device->stream), "settling");
  return SLOE_OK;
}
