/* onednn.c: the backend: opening and closing it, and its table of functions. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "device/onednn/onednn.h"

/* Of the OpenMP runtime that oneDNN runs on. The number of threads is the calling thread's own. */
extern void omp_set_num_threads(int n);
extern int omp_pause_resource_all(int kind);
enum { OMP_PAUSE_HARD = 2 };

enum { MAX_THREADS = 256, EVICT_LEAST = 4 << 20, EVICT_MOST = 16 << 20 };

static void close_device(void *state) {
  onednn_device *device = state;
  if (!device) return;
  sloe_onednn_quiet_end(device);
  sloe_onednn_job_free(device->neighbour);
  dnnl_stream_destroy(device->stream);
  dnnl_engine_destroy(device->engine);
  sloe_onednn_region_close(&device->region);
  sloe_dealloc(device->evict);
  sloe_arena_fini(&device->arena);
  sloe_dealloc(device);
  omp_pause_resource_all(OMP_PAUSE_HARD);
}

static sloe_status read_options(const sloe_backend_options *options, onednn_device *device,
                                sloe_error *err) {
  static const char *const known[] = {"threads", "precision", "batch", "max_mb", "max_gflop", NULL};
  int64_t threads;
  SLOE_TRY(sloe_backend_options_check(options, known, err));
  SLOE_TRY(sloe_backend_option_int(options, "threads", 1, MAX_THREADS, 1, &threads, err));
  SLOE_TRY(sloe_backend_option_int(options, "batch", 1, 65536, 1, &device->batch, err));
  SLOE_TRY(sloe_layer_limits_read(options, 4096, 200, &device->limits, err));
  const char *precision = sloe_backend_option(options, "precision", "fp32");
  if (strcmp(precision, "fp32") != 0)
    return sloe_fail(err, SLOE_USAGE, "onednn: precision: '%.40s' is not fp32, all it measures",
                     precision);
  device->threads = (int)threads;
  return SLOE_OK;
}

static sloe_status take_memory(onednn_device *device, sloe_error *err) {
  const size_t l2 = sloe_onednn_cache(2);
  device->l2_bytes = l2 ? l2 : EVICT_LEAST / 4;
  device->evict_bytes = 2 * device->l2_bytes;
  if (device->evict_bytes < EVICT_LEAST) device->evict_bytes = EVICT_LEAST;
  if (device->evict_bytes > EVICT_MOST) device->evict_bytes = EVICT_MOST;
  device->evict = sloe_alloc(device->evict_bytes, 1);
  if (!device->evict) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  memset(device->evict, 1, device->evict_bytes);
  /* A layer's tensors, once more while weights are reordered, and gaps. */
  return sloe_onednn_region_open(&device->region, 3 * device->limits.bytes + (1U << 30), err);
}

static sloe_status load_neighbour(onednn_device *device, sloe_error *err) {
  sloe_layer_spec spec = sloe_layer_spec_none();
  void *job;
  spec.op = SLOE_SPEC_ACTIVATION;
  spec.act = SLOE_SPEC_ACT_RELU;
  spec.c = spec.k = 16;
  SLOE_TRY(sloe_onednn_load_layer(device, &spec, &job, err));
  device->neighbour = job;
  return SLOE_OK;
}

static sloe_status open_device(const sloe_backend_options *options, void **state,
                               sloe_device_info *info, sloe_error *err) {
  sloe_status status;
  dnnl_status_t said;
  *state = NULL;
  onednn_device *device = sloe_alloc(1, sizeof *device);
  if (!device) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  *device = (onednn_device){.threads = 1};
  sloe_arena_init(&device->arena, 1 << 20);
  SLOE_GOTO(read_options(options, device, err));
  SLOE_GOTO(take_memory(device, err));
  omp_set_num_threads(device->threads);
  said = dnnl_engine_create(&device->engine, dnnl_cpu, 0);
  if (said == dnnl_success)
    said = dnnl_stream_create(&device->stream, device->engine, dnnl_stream_default_flags);
  if (said != dnnl_success) {
    status = sloe_onednn_said(said, "opening", err);
    goto fail;
  }
  SLOE_GOTO(sloe_onednn_identify(device, info, err));
  SLOE_GOTO(load_neighbour(device, err));
  *state = device;
  return SLOE_OK;
fail:
  close_device(device);
  return status;
}

static void unload(void *state, void *job) {
  (void)state;
  sloe_onednn_job_free(job);
}

static sloe_status load_layer(void *state, const sloe_layer_spec *spec, void **job,
                              sloe_error *err) {
  omp_set_num_threads(((onednn_device *)state)->threads);
  return sloe_onednn_load_layer(state, spec, job, err);
}

static sloe_status load_network(void *state, const sloe_layers *layers, void **job,
                                sloe_error *err) {
  omp_set_num_threads(((onednn_device *)state)->threads);
  return sloe_onednn_load_network(state, layers, job, err);
}

static sloe_status run(void *state, void *job, uint64_t *device_ns, uint64_t *host_ns,
                       sloe_error *err) {
  omp_set_num_threads(((onednn_device *)state)->threads);
  const onednn_clock clock = sloe_onednn_clock_start(state);
  const sloe_status status = sloe_onednn_job_run(job, err);
  *device_ns = sloe_onednn_clock_stop(&clock, host_ns);
  return status;
}

static sloe_status run_layers(void *state, void *job, uint64_t *layer_ns, size_t n,
                              sloe_error *err) {
  omp_set_num_threads(((onednn_device *)state)->threads);
  return sloe_onednn_job_run_layers(job, layer_ns, n, err);
}

static sloe_status settle(void *state, void *job, sloe_error *err) {
  (void)err;
  sloe_onednn_settle(state, job);
  return SLOE_OK;
}

static sloe_status quiet(void *state, int find, double *ns, double *usual_ns, sloe_error *err) {
  omp_set_num_threads(((onednn_device *)state)->threads);
  return sloe_onednn_quiet(state, find, ns, usual_ns, err);
}

static sloe_status memory(void *state, void *job, sloe_device_memory *out, sloe_error *err) {
  (void)state, (void)err;
  const onednn_job *j = job;
  const double workspace = (double)j->scratch_bytes;
  *out = (sloe_device_memory){
      .total_mb = (j->weights_bytes + j->activation_bytes + workspace) / 1e6,
      .weights_mb = j->weights_bytes / 1e6,
      .activations_mb = j->activation_bytes / 1e6,
      .workspace_mb = workspace / 1e6,
      .kind = "process",
  };
  return SLOE_OK;
}

__attribute__((visibility("default"))) const sloe_backend sloe_backend_onednn = {
    .contract = SLOE_BACKEND_CONTRACT,
    .name = "onednn",
    .open = open_device,
    .close = close_device,
    .load_layer = load_layer,
    .load_network = load_network,
    .unload = unload,
    .run = run,
    .run_layers = run_layers,
    .settle = settle,
    .quiet = quiet,
    .memory = memory,
};
