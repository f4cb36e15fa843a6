/* nvml.c: the sensors of the driver, by its library libnvidia-ml, which is loaded when it is there:
 * a machine without it measures times all the same. What is declared here is what nvml.h says of
 * the functions that are called.
 *
 * Power is the field of the instant where the driver has it, for the plain reading is a mean over
 * the last second on recent GPUs. Energy is a counter of millijoules since the driver was loaded;
 * it moves every 20 to 100 ms. Both are read as they are: what they say of a stretch of time is
 * power.c's to tell. A driver lacks the functions that it lacks; only finding the GPU must be
 * there.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "device/cudnn/cudnn.h"

enum {
  NVML_OK = 0,
  NVML_LACKS = 13, /* "function not found" */
  CLOCK_SM = 1,
  CLOCK_MEMORY = 2,
  SENSOR_GPU = 0,
  POWER_INSTANT = 186, /* NVML_FI_DEV_POWER_INSTANT, of the GPU's scope 0 */
  TYPE_DOUBLE = 0,
  TYPE_UNSIGNED_LONG_LONG = 3
};

typedef void *nvml_gpu;
typedef struct nvml_field {
  unsigned id, scope;
  long long timestamp, latency_us;
  int type, said;
  union {
    double real;
    unsigned whole;
    unsigned long long wide;
  } value;
} nvml_field;

typedef struct nvml_calls {
  int (*init)(void);
  int (*shutdown)(void);
  int (*find)(const char *pci_bus_id, nvml_gpu *gpu);
  int (*energy)(nvml_gpu gpu, unsigned long long *mj);
  int (*power)(nvml_gpu gpu, unsigned *mw);
  int (*fields)(nvml_gpu gpu, int n, nvml_field *fields);
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
  int started;
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
    {offsetof(nvml_calls, fields), "nvmlDeviceGetFieldValues"},
    {offsetof(nvml_calls, clock), "nvmlDeviceGetClockInfo"},
    {offsetof(nvml_calls, max_clock), "nvmlDeviceGetMaxClockInfo"},
    {offsetof(nvml_calls, limit), "nvmlDeviceGetEnforcedPowerLimit"},
    {offsetof(nvml_calls, temperature), "nvmlDeviceGetTemperature"},
    {offsetof(nvml_calls, persistence), "nvmlDeviceGetPersistenceMode"},
    {offsetof(nvml_calls, driver), "nvmlSystemGetDriverVersion"},
};

/* What a function says; that it is not there, where the driver lacks it. */
#define ASK(nvml, name, ...) ((nvml)->call.name ? (nvml)->call.name(__VA_ARGS__) : NVML_LACKS)

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static int start(cudnn_nvml *nvml, const char *pci_bus_id) {
  nvml->library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!nvml->library) return 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    void *const function = dlsym(nvml->library, names[i].name);
    *(void **)(void *)((char *)&nvml->call + names[i].at) = function;
  }
  if (ASK(nvml, init) != NVML_OK) return 0;
  nvml->started = 1;
  return ASK(nvml, find, pci_bus_id, &nvml->gpu) == NVML_OK;
}

void sloe_cudnn_nvml_open(const char *pci_bus_id, cudnn_nvml **out) {
  *out = NULL;
  cudnn_nvml *nvml = sloe_alloc(1, sizeof *nvml);
  if (!nvml) return;
  *nvml = (cudnn_nvml){.library = NULL};
  if (start(nvml, pci_bus_id))
    *out = nvml;
  else
    sloe_cudnn_nvml_close(nvml);
}

void sloe_cudnn_nvml_close(cudnn_nvml *nvml) {
  if (!nvml) return;
  if (nvml->started) (void)ASK(nvml, shutdown);
  if (nvml->library) dlclose(nvml->library);
  sloe_dealloc(nvml);
}

/* NAN where the driver does not know the field. */
static double instant_w(const cudnn_nvml *nvml) {
  nvml_field field = {.id = POWER_INSTANT};
  if (ASK(nvml, fields, nvml->gpu, 1, &field) != NVML_OK || field.said != NVML_OK) return NAN;
  if (field.type == TYPE_DOUBLE) return field.value.real / 1e3;
  return field.type == TYPE_UNSIGNED_LONG_LONG ? (double)field.value.wide / 1e3
                                               : field.value.whole / 1e3;
}

void sloe_cudnn_nvml_sensor(const cudnn_nvml *nvml, sloe_device_sensor *out) {
  unsigned long long mj = 0;
  unsigned mw = 0;
  *out = (sloe_device_sensor){instant_w(nvml), NAN, 0, ""};
  if (isnan(out->power_w) && ASK(nvml, power, nvml->gpu, &mw) == NVML_OK) out->power_w = mw / 1e3;
  out->at_ns = now_ns();
  if (ASK(nvml, energy, nvml->gpu, &mj) == NVML_OK) out->energy_mj = (double)mj;
  if (!isnan(out->power_w) || !isnan(out->energy_mj)) out->rail = "gpu";
}

void sloe_cudnn_nvml_clocks(const cudnn_nvml *nvml, cudnn_clocks *out) {
  unsigned mode = 0;
  *out = (cudnn_clocks){.persistence = -1};
  if (!nvml) return;
  if (ASK(nvml, clock, nvml->gpu, CLOCK_SM, &out->sm_mhz) != NVML_OK) out->sm_mhz = 0;
  if (ASK(nvml, max_clock, nvml->gpu, CLOCK_SM, &out->sm_max_mhz) != NVML_OK) out->sm_max_mhz = 0;
  if (ASK(nvml, clock, nvml->gpu, CLOCK_MEMORY, &out->memory_mhz) != NVML_OK) out->memory_mhz = 0;
  if (ASK(nvml, limit, nvml->gpu, &out->power_limit_mw) != NVML_OK) out->power_limit_mw = 0;
  if (ASK(nvml, temperature, nvml->gpu, SENSOR_GPU, &out->temperature_c) != NVML_OK)
    out->temperature_c = 0;
  if (ASK(nvml, persistence, nvml->gpu, &mode) == NVML_OK) out->persistence = (int)mode;
  if (ASK(nvml, driver, out->driver, sizeof out->driver) != NVML_OK) out->driver[0] = 0;
}
