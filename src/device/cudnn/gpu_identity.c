/* gpu_identity.c: which GPU, driver and libraries measure. */
#include <nvrtc.h>
#include <stdio.h>
#include <string.h>

#include "device/cudnn/cudnn.h"
#include "device/device_identity.h"

/* 13000 -> "13.0" */
static void add_cuda_version(sloe_environment *e, const char *key, int version) {
  char text[32] = "";
  if (version > 0) snprintf(text, sizeof text, "%d.%d", version / 1000, version % 1000 / 10);
  sloe_environment_add(e, key, text);
}

static void add_libraries(sloe_environment *e, const char *dnn) {
  int runtime = 0, driver = 0, major = 0, minor = 0;
  char text[40] = "";
  if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) runtime = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  add_cuda_version(e, "cuda_runtime", runtime);
  add_cuda_version(e, "cuda_driver", driver);
  sloe_environment_add(e, "cudnn_version", dnn);
  snprintf(text, sizeof text, "%zu", cublasLtGetVersion());
  sloe_environment_add(e, "cublas_version", text);
  text[0] = 0;
  if (nvrtcVersion(&major, &minor) == NVRTC_SUCCESS)
    snprintf(text, sizeof text, "%d.%d", major, minor);
  sloe_environment_add(e, "nvrtc_version", text);
}

static void add_sensors(sloe_environment *e, const cudnn_nvml *nvml) {
  cudnn_clocks clocks;
  sloe_cudnn_nvml_clocks(nvml, &clocks);
  sloe_environment_add(e, "driver", clocks.driver);
  sloe_environment_add_number(e, "sm_mhz", clocks.sm_mhz);
  sloe_environment_add_number(e, "sm_max_mhz", clocks.sm_max_mhz);
  sloe_environment_add_number(e, "memory_mhz", clocks.memory_mhz);
  sloe_environment_add_number(e, "power_limit_mw", clocks.power_limit_mw);
  sloe_environment_add_number(e, "temperature_c", clocks.temperature_c);
  sloe_environment_add(e, "persistence",
                       clocks.persistence < 0 ? "" : (clocks.persistence ? "on" : "off"));
}

static void add_environment(sloe_environment *e, const cudnn_device *device,
                            const struct cudaDeviceProp *prop, const char *version) {
  sloe_environment_add(e, "gpu", prop->name);
  sloe_environment_add_number(e, "compute_capability", (uint64_t)device->cc);
  sloe_environment_add_number(e, "multiprocessors", (uint64_t)prop->multiProcessorCount);
  sloe_environment_add_number(e, "l2_bytes", (uint64_t)prop->l2CacheSize);
  sloe_environment_add_number(e, "memory_bytes", prop->totalGlobalMem);
  sloe_environment_add(e, "weights", device->cold ? "cold" : "warm");
  add_libraries(e, version);
  add_sensors(e, device->nvml);
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
  /* "NVIDIA H200" -> "h200" */
  sloe_identity_token(prop.name + (strncmp(prop.name, "NVIDIA ", 7) == 0 ? 7 : 0), token,
                      sizeof token);
  snprintf(version, sizeof version, "%zu.%zu.%zu", dnn / 10000, dnn % 10000 / 100, dnn % 100);
  sloe_environment e = {.arena = arena};
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
    add_environment(&e, device, &prop, info->version);
  return sloe_environment_end(&e, "cudnn", info, err);
}
