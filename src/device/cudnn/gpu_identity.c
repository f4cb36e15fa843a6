/* gpu_identity.c: which GPU, driver and libraries measure. */
#include <ctype.h>
#include <nvrtc.h>
#include <stdio.h>
#include <string.h>

#include "device/cudnn/cudnn.h"

enum { MAX_PAIRS = 24 };

/* "NVIDIA H200" -> "h200" */
static void make_token(const char *title, char *out, size_t size) {
  static const char maker[] = "NVIDIA ";
  const size_t len = sizeof maker - 1;
  size_t n = 0;
  for (const char *p = strncmp(title, maker, len) == 0 ? title + len : title; *p && n + 1 < size;
       p++) {
    const unsigned char c = (unsigned char)*p;
    if (isalnum(c) && c < 128)
      out[n++] = (char)tolower(c);
    else if (n && out[n - 1] != '-')
      out[n++] = '-';
  }
  while (n && out[n - 1] == '-') n--;
  out[n] = 0;
}

typedef struct pairs {
  sloe_arena *arena;
  sloe_device_pair *pair;
  size_t n;
  int failed;
} pairs;

static void add_pair(pairs *p, const char *key, const char *value) {
  const char *copy = sloe_arena_printf(p->arena, "%s", value[0] ? value : "unknown");
  if (!copy || !p->pair || p->n == MAX_PAIRS) {
    p->failed = 1;
    return;
  }
  p->pair[p->n++] = (sloe_device_pair){key, copy};
}

static void add_number(pairs *p, const char *key, uint64_t value) {
  char text[32] = "";
  if (value) snprintf(text, sizeof text, "%llu", (unsigned long long)value);
  add_pair(p, key, text);
}

/* 13000 -> "13.0" */
static void add_cuda_version(pairs *p, const char *key, int version) {
  char text[32] = "";
  if (version > 0) snprintf(text, sizeof text, "%d.%d", version / 1000, version % 1000 / 10);
  add_pair(p, key, text);
}

static void add_libraries(pairs *p, const char *dnn) {
  int runtime = 0, driver = 0, major = 0, minor = 0;
  char text[40] = "";
  if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  add_cuda_version(p, "cuda_runtime", runtime);
  add_cuda_version(p, "cuda_driver", driver);
  add_pair(p, "cudnn_version", dnn);
  snprintf(text, sizeof text, "%zu", cublasLtGetVersion());
  add_pair(p, "cublas_version", text);
  text[0] = 0;
  if (nvrtcVersion(&major, &minor) == NVRTC_SUCCESS)
    snprintf(text, sizeof text, "%d.%d", major, minor);
  add_pair(p, "nvrtc_version", text);
}

static void add_sensors(pairs *p, const cudnn_nvml *nvml) {
  cudnn_clocks clocks;
  sloe_cudnn_nvml_clocks(nvml, &clocks);
  add_pair(p, "driver", clocks.driver);
  add_number(p, "sm_mhz", clocks.sm_mhz);
  add_number(p, "sm_max_mhz", clocks.sm_max_mhz);
  add_number(p, "memory_mhz", clocks.memory_mhz);
  add_number(p, "power_limit_mw", clocks.power_limit_mw);
  add_number(p, "temperature_c", clocks.temperature_c);
  add_pair(p, "persistence", clocks.persistence < 0 ? "" : (clocks.persistence ? "on" : "off"));
}

static void add_environment(pairs *p, const cudnn_device *device, const struct cudaDeviceProp *prop,
                            const char *version) {
  add_pair(p, "gpu", prop->name);
  add_number(p, "compute_capability", (uint64_t)device->cc);
  add_number(p, "multiprocessors", (uint64_t)prop->multiProcessorCount);
  add_number(p, "l2_bytes", (uint64_t)prop->l2CacheSize);
  add_number(p, "memory_bytes", prop->totalGlobalMem);
  add_pair(p, "weights", device->cold ? "cold" : "warm");
  add_libraries(p, version);
  add_sensors(p, device->nvml);
}

/* "", "tf32", "cold", "tf32-cold": what changes the times and is not said by the precision */
static const char *mode_of(const cudnn_device *device) {
  if (device->tf32) return device->cold ? "tf32-cold" : "tf32";
  return device->cold ? "cold" : "";
}

sloe_status sloe_cudnn_identify(cudnn_device *device, sloe_device_info *info, sloe_error *err) {
  struct cudaDeviceProp prop;
  char token[128], version[48];
  const size_t dnn = cudnnGetVersion();
  sloe_arena *arena = &device->arena;
  CUDA_TRY(cudaGetDeviceProperties(&prop, device->ordinal), "asking for the GPU's properties");
  make_token(prop.name, token, sizeof token);
  snprintf(version, sizeof version, "%zu.%zu.%zu", dnn / 10000, dnn % 10000 / 100, dnn % 100);
  pairs p = {.arena = arena, .pair = SLOE_ARENA_NEW(arena, sloe_device_pair, MAX_PAIRS)};
  *info = (sloe_device_info){
      .device = sloe_arena_printf(arena, "%s", token[0] ? token : "gpu"),
      .title = sloe_arena_printf(arena, "%s", prop.name),
      .runtime = sloe_arena_printf(arena, "cudnn%zu", dnn / 10000), /* another one, other kernels */
      .version = sloe_arena_printf(arena, "%s", version),
      .precision = device->half ? "fp16" : "fp32",
      .mode = mode_of(device),
      .batch = device->batch,
      .threads = 1,
      .fusion = {.runtime = SLOE_RUNTIME_CUDNN,
                 .precision = device->half ? SLOE_FP16 : SLOE_FP32,
                 .compute_capability = device->cc},
      .memory_mb = (double)prop.totalGlobalMem / 1e6,
  };
  if (info->device && info->title && info->runtime && info->version)
    add_environment(&p, device, &prop, info->version);
  if (p.failed || !p.n) return sloe_cudnn_nomem(err);
  info->environment = p.pair;
  info->n_environment = p.n;
  return SLOE_OK;
}
