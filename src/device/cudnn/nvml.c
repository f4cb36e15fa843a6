/* nvml.c: the sensors of the driver, by its library libnvidia-ml, which is loaded when it is there:
 * a machine without it measures times all the same. What is declared here is what nvml.h says of
 * the functions that are called.
 *
 * Energy is a counter of millijoules since the driver was loaded; it moves every 20 to 100 ms,
 * so that a shorter stretch between two readings says nothing: power is then the driver's own
 * reading, a mean over the last moment. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "device/cudnn/cudnn.h"

enum { NVML_OK = 0, CLOCK_SM = 1, CLOCK_MEMORY = 2, SENSOR_GPU = 0, SHORTEST_MS = 200 };

typedef void *nvml_gpu;
typedef struct nvml_calls {
  int (*init)(void);
  int (*shutdown)(void);
  int (*find)(const char *pci_bus_id, nvml_gpu *gpu);
  int (*energy)(nvml_gpu gpu, unsigned long long *mj);
  int (*power)(nvml_gpu gpu, unsigned *mw);
  int (*clock)(nvml_gpu gpu, int which, unsigned *mhz);
  int (*max_clock)(nvml_gpu gpu, int which, unsigned *mhz);
  int (*limit)(nvml_gpu gpu, unsigned *mw);
  int (*temperature)(nvml_gpu gpu, int sensor, unsigned *celsius);
  int (*persistence)(nvml_gpu gpu, unsigned *mode);
  int (*driver)(char *text, unsigned size);
} nvml_calls;

struct cudnn_nvml {
  void *library;
  nvml_calls call;
  nvml_gpu gpu;
  int started, counted;
  unsigned long long mj; /* at the last call */
  double at_s;
};

static const struct {
  size_t at;
  const char *name;
} names[] = {
    {offsetof(nvml_calls, init), "nvmlInit_v2"},
    {offsetof(nvml_calls, shutdown), "nvmlShutdown"},
    {offsetof(nvml_calls, find), "nvmlDeviceGetHandleByPciBusId_v2"},
    {offsetof(nvml_calls, energy), "nvmlDeviceGetTotalEnergyConsumption"},
    {offsetof(nvml_calls, power), "nvmlDeviceGetPowerUsage"},
    {offsetof(nvml_calls, clock), "nvmlDeviceGetClockInfo"},
    {offsetof(nvml_calls, max_clock), "nvmlDeviceGetMaxClockInfo"},
    {offsetof(nvml_calls, limit), "nvmlDeviceGetEnforcedPowerLimit"},
    {offsetof(nvml_calls, temperature), "nvmlDeviceGetTemperature"},
    {offsetof(nvml_calls, persistence), "nvmlDeviceGetPersistenceMode"},
    {offsetof(nvml_calls, driver), "nvmlSystemGetDriverVersion"},
};

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int start(cudnn_nvml *nvml, const char *pci_bus_id) {
  nvml->library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!nvml->library) return 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    void *const function = dlsym(nvml->library, names[i].name);
    if (!function) return 0;
    *(void **)(void *)((char *)&nvml->call + names[i].at) = function;
  }
  if (nvml->call.init() != NVML_OK) return 0;
  nvml->started = 1;
  return nvml->call.find(pci_bus_id, &nvml->gpu) == NVML_OK;
}

void sloe_cudnn_nvml_open(const char *pci_bus_id, cudnn_nvml **out) {
  sloe_device_power power;
  *out = NULL;
  cudnn_nvml *nvml = sloe_alloc(1, sizeof *nvml);
  if (!nvml) return;
  *nvml = (cudnn_nvml){.library = NULL};
  if (start(nvml, pci_bus_id)) {
    sloe_cudnn_nvml_power(nvml, &power); /* the counter's first reading */
    *out = nvml;
  } else {
    sloe_cudnn_nvml_close(nvml);
  }
}

void sloe_cudnn_nvml_close(cudnn_nvml *nvml) {
  if (!nvml) return;
  if (nvml->started) nvml->call.shutdown();
  if (nvml->library) dlclose(nvml->library);
  sloe_dealloc(nvml);
}

void sloe_cudnn_nvml_power(cudnn_nvml *nvml, sloe_device_power *out) {
  unsigned long long mj = 0;
  unsigned mw = 0;
  const double now = now_s();
  *out = (sloe_device_power){NAN, NAN, ""};
  const int counts = nvml->call.energy(nvml->gpu, &mj) == NVML_OK;
  if (counts && nvml->counted && mj >= nvml->mj && now - nvml->at_s >= SHORTEST_MS / 1e3) {
    out->energy_mj = (double)(mj - nvml->mj);
    out->power_w = out->energy_mj / 1e3 / (now - nvml->at_s);
  } else if (nvml->call.power(nvml->gpu, &mw) == NVML_OK) {
    out->power_w = mw / 1e3;
  }
  if (!isnan(out->power_w)) out->rail = "gpu";
  nvml->counted = counts;
  nvml->mj = mj;
  nvml->at_s = now;
}

void sloe_cudnn_nvml_clocks(const cudnn_nvml *nvml, cudnn_clocks *out) {
  unsigned mode = 0;
  *out = (cudnn_clocks){.persistence = -1};
  if (!nvml) return;
  const nvml_calls *call = &nvml->call;
  if (call->clock(nvml->gpu, CLOCK_SM, &out->sm_mhz) != NVML_OK) out->sm_mhz = 0;
  if (call->max_clock(nvml->gpu, CLOCK_SM, &out->sm_max_mhz) != NVML_OK) out->sm_max_mhz = 0;
  if (call->clock(nvml->gpu, CLOCK_MEMORY, &out->memory_mhz) != NVML_OK) out->memory_mhz = 0;
  if (call->limit(nvml->gpu, &out->power_limit_mw) != NVML_OK) out->power_limit_mw = 0;
  if (call->temperature(nvml->gpu, SENSOR_GPU, &out->temperature_c) != NVML_OK)
    out->temperature_c = 0;
  if (call->persistence(nvml->gpu, &mode) == NVML_OK) out->persistence = (int)mode;
  if (call->driver(out->driver, sizeof out->driver) != NVML_OK) out->driver[0] = 0;
}
