/* cudnn.c: the backend: opening and closing it, and its table of functions. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "device/cudnn/cudnn.h"

enum { ARENA_LIMIT = 256 << 20, EVICT_LEAST = 32 << 20 };

static void close_device(void *state) {
  cudnn_device *device = state;
  if (!device) return;
  sloe_cudnn_kernels_close(device);
  if (device->evict) (void)cudaFree(device->evict);
  if (device->blas) (void)cublasLtDestroy(device->blas);
  if (device->dnn) (void)cudnnDestroy(device->dnn);
  if (device->begin) (void)cudaEventDestroy(device->begin);
  if (device->end) (void)cudaEventDestroy(device->end);
  if (device->stream) (void)cudaStreamDestroy(device->stream);
  sloe_cudnn_nvml_close(device->nvml);
  sloe_arena_fini(&device->arena);
  sloe_dealloc(device);
}

static sloe_status read_precision(const char *text, cudnn_device *device, sloe_error *err) {
  device->half = strcmp(text, "fp16") == 0;
  device->tf32 = strcmp(text, "tf32") == 0;
  if (device->half || device->tf32 || strcmp(text, "fp32") == 0) return SLOE_OK;
  return sloe_fail(err, SLOE_USAGE, "cudnn: precision: '%.40s' is none of fp32, tf32, fp16", text);
}

static sloe_status read_options(const sloe_backend_options *options, cudnn_device *device,
                                sloe_error *err) {
  static const char *const known[] = {"precision", "batch",   "device", "max_mb",
                                      "max_gflop", "weights", NULL};
  int64_t ordinal;
  const char *weights = sloe_backend_option(options, "weights", "warm");
  SLOE_TRY(sloe_backend_options_check(options, known, err));
  SLOE_TRY(sloe_backend_option_int(options, "batch", 1, 65536, 1, &device->batch, err));
  SLOE_TRY(sloe_backend_option_int(options, "device", 0, 1023, 0, &ordinal, err));
  SLOE_TRY(sloe_layer_limits_read(options, 8192, 1000, &device->limits, err));
  SLOE_TRY(read_precision(sloe_backend_option(options, "precision", "fp32"), device, err));
  device->cold = strcmp(weights, "cold") == 0;
  if (!device->cold && strcmp(weights, "warm") != 0)
    return sloe_fail(err, SLOE_USAGE, "cudnn: weights: '%.40s' is neither warm nor cold", weights);
  device->ordinal = (int)ordinal;
  return SLOE_OK;
}

static sloe_status find_gpu(cudnn_device *device, sloe_error *err) {
  int count = 0, major = 0, minor = 0;
  const cudaError_t said = cudaGetDeviceCount(&count);
  if (said != cudaSuccess || !count)
    return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: no GPU here: %.120s",
                     cudaGetErrorString(said != cudaSuccess ? said : cudaErrorNoDevice));
  if (device->ordinal >= count)
    return sloe_fail(err, SLOE_USAGE, "cudnn: device=%d: there are %d, from 0 on", device->ordinal,
                     count);
  CUDA_TRY(cudaSetDevice(device->ordinal), "taking the GPU");
  CUDA_TRY(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device->ordinal),
           "asking for the GPU's properties");
  CUDA_TRY(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device->ordinal),
           "asking for the GPU's properties");
  device->cc = major * 10 + minor;
  return SLOE_OK;
}

static sloe_status open_libraries(cudnn_device *device, sloe_error *err) {
  char bus[32] = "";
  CUDA_TRY(cudaStreamCreateWithFlags(&device->stream, cudaStreamNonBlocking), "making a stream");
  CUDA_TRY(cudaEventCreate(&device->begin), "making an event");
  CUDA_TRY(cudaEventCreate(&device->end), "making an event");
  DNN_TRY(cudnnCreate(&device->dnn), "opening cuDNN");
  DNN_TRY(cudnnSetStream(device->dnn, device->stream), "opening cuDNN");
  BLAS_TRY(cublasLtCreate(&device->blas), "opening cuBLASLt");
  if (cudaDeviceGetPCIBusId(bus, sizeof bus, device->ordinal) == cudaSuccess)
    sloe_cudnn_nvml_open(bus, &device->nvml);
  return SLOE_OK;
}

static sloe_status take_evict(cudnn_device *device, sloe_error *err) {
  int l2 = 0;
  if (!device->cold) return SLOE_OK;
  if (cudaDeviceGetAttribute(&l2, cudaDevAttrL2CacheSize, device->ordinal) != cudaSuccess) l2 = 0;
  device->evict_bytes = 2 * (size_t)(l2 > EVICT_LEAST ? l2 : EVICT_LEAST);
  CUDA_TRY(cudaMalloc(&device->evict, device->evict_bytes), "taking memory");
  return SLOE_OK;
}

static sloe_status open_device(const sloe_backend_options *options, void **state,
                               sloe_device_info *info, sloe_error *err) {
  sloe_status status;
  *state = NULL;
  cudnn_device *device = sloe_alloc(1, sizeof *device);
  if (!device) return sloe_cudnn_nomem(err);
  *device = (cudnn_device){.batch = 1};
  sloe_arena_init(&device->arena, ARENA_LIMIT);
  SLOE_GOTO(read_options(options, device, err));
  SLOE_GOTO(find_gpu(device, err));
  SLOE_GOTO(open_libraries(device, err));
  SLOE_GOTO(take_evict(device, err));
  SLOE_GOTO(sloe_cudnn_identify(device, info, err));
  *state = device;
  return SLOE_OK;
fail:
  close_device(device);
  return status;
}

/* ---- the table ---- */

static void unload(void *state, void *job) {
  (void)state;
  sloe_cudnn_job_free(job);
}

static sloe_status run(void *state, void *job, uint64_t *device_ns, uint64_t *host_ns,
                       sloe_error *err) {
  (void)state;
  return sloe_cudnn_job_run(job, device_ns, host_ns, err);
}

static sloe_status run_layers(void *state, void *job, uint64_t *layer_ns, size_t n,
                              sloe_error *err) {
  (void)state;
  return sloe_cudnn_job_run_layers(job, layer_ns, n, err);
}

static sloe_status settle(void *state, void *job, sloe_error *err) {
  (void)job;
  return sloe_cudnn_settle(state, err);
}

/* What the GPU had free before loading, less what it has behind the first run: the kernels that the
   libraries loaded meanwhile are in it, the context is not. Never less than what is known of. */
static sloe_status memory(void *state, void *job, sloe_device_memory *out, sloe_error *err) {
  (void)state, (void)err;
  const cudnn_job *j = job;
  const double workspace = (double)j->workspace_bytes;
  const double known = j->weights_bytes + j->activation_bytes + workspace;
  *out = (sloe_device_memory){
      .total_mb = (j->used_bytes > known ? j->used_bytes : known) / 1e6,
      .weights_mb = j->weights_bytes / 1e6,
      .activations_mb = j->activation_bytes / 1e6,
      .workspace_mb = workspace / 1e6,
      .kind = "device",
  };
  return SLOE_OK;
}

static sloe_status sensor(void *state, sloe_device_sensor *out, sloe_error *err) {
  const cudnn_device *device = state;
  (void)err;
  *out = (sloe_device_sensor){NAN, NAN, 0, ""};
  if (device->nvml) sloe_cudnn_nvml_sensor(device->nvml, out);
  return SLOE_OK;
}

static sloe_status load(void *state, void *job, uint64_t ns, uint64_t *count, sloe_error *err) {
  (void)state;
  return sloe_cudnn_job_load(job, ns, count, err);
}

static const char *choice(void *state, void *job, size_t layer) {
  (void)state;
  for (const cudnn_step *s = ((cudnn_job *)job)->first; s; s = s->next)
    if (s->layer == layer && s->choice) return s->choice;
  return "";
}

static const char *kernels(void *state, void *job) {
  (void)state;
  const cudnn_job *j = job;
  return j->kernels ? j->kernels : "";
}

__attribute__((visibility("default"))) const sloe_backend sloe_backend_cudnn = {
    .contract = SLOE_BACKEND_CONTRACT,
    .name = "cudnn",
    .open = open_device,
    .close = close_device,
    .load_layer = sloe_cudnn_load_layer,
    .load_network = sloe_cudnn_load_network,
    .unload = unload,
    .run = run,
    .run_layers = run_layers,
    .settle = settle,
    .memory = memory,
    .sensor = sensor,
    .load = load,
    .choice = choice,
    .kernels = kernels,
    .proposals = sloe_cudnn_ask_layer,
};
