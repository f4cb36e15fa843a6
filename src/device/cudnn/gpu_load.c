/* gpu_load.c: a job's graph again and again, one slice of time behind the other, for the sensor of
 * power. A slice is put on the stream before the last one is waited for: while the caller reads the
 * sensor, which takes milliseconds, the GPU has work to do. */
#include "base/alloc.h"
#include "device/cudnn/cudnn.h"

enum { MOST_GRAPHS = 1000 }; /* on the stream at once, in a slice */

typedef struct cudnn_load {
  cudaEvent_t end[2]; /* of a slice, in turns */
  int turn;
  uint64_t under_way; /* graphs of the last slice */
  double graph_ns;
} cudnn_load;

static void destroy_event(void *event) {
  (void)cudaEventDestroy(event);
}

/* The events, and how long a graph takes: behind a first run, which may find the GPU asleep. */
static sloe_status begin(cudnn_job *job, uint64_t *graphs, sloe_error *err) {
  cudnn_load *load = SLOE_ARENA_NEW(&job->arena, cudnn_load, 1);
  if (!load) return sloe_cudnn_nomem(err);
  for (int i = 0; i < 2; i++) {
    CUDA_TRY(cudaEventCreateWithFlags(&load->end[i], cudaEventDisableTiming), "making an event");
    SLOE_TRY(sloe_cudnn_own(job, load->end[i], destroy_event, err));
    SLOE_TRY(sloe_cudnn_time_graph(job->device, job->graph, &load->graph_ns, err));
  }
  *graphs = 2;
  job->load = load;
  return SLOE_OK;
}

static sloe_status put_slice(const cudnn_job *job, uint64_t n, sloe_error *err) {
  cudnn_load *load = job->load;
  for (uint64_t i = 0; i < n; i++)
    CUDA_TRY(cudaGraphLaunch(job->graph, job->device->stream), "launching a graph");
  CUDA_TRY(cudaEventRecord(load->end[load->turn], job->device->stream), "an event");
  return SLOE_OK;
}

sloe_status sloe_cudnn_job_load(cudnn_job *job, uint64_t ns, uint64_t *count, sloe_error *err) {
  uint64_t ended = 0, n = 0;
  *count = 0;
  if (!job->load && !ns) return SLOE_OK;
  if (!job->load) SLOE_TRY(begin(job, &ended, err));
  cudnn_load *load = job->load;
  if (ns) {
    const double graphs = load->graph_ns > 0 ? (double)ns / load->graph_ns : 1;
    n = graphs < 1 ? 1 : graphs < MOST_GRAPHS ? (uint64_t)graphs : MOST_GRAPHS;
    if (!load->under_way) { /* the first: one to wait for, one to go on with */
      SLOE_TRY(put_slice(job, n, err));
      load->turn = !load->turn;
      load->under_way = n;
    }
    SLOE_TRY(put_slice(job, n, err));
  }
  if (load->under_way) CUDA_TRY(cudaEventSynchronize(load->end[!load->turn]), "running");
  ended += load->under_way;
  load->under_way = n;
  load->turn = !load->turn;
  *count = ended * (uint64_t)job->launches;
  return SLOE_OK;
}
