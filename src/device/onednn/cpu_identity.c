/* cpu_identity.c: who measures: the processor, the library, and what their speed depends on. */
#define _DEFAULT_SOURCE /* _SC_PHYS_PAGES, _SC_LEVEL2_CACHE_SIZE */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "device/device_identity.h"
#include "device/onednn/onednn.h"

size_t sloe_onednn_cache(int level) {
  const int name = level == 1   ? _SC_LEVEL1_DCACHE_SIZE
                   : level == 2 ? _SC_LEVEL2_CACHE_SIZE
                                : _SC_LEVEL3_CACHE_SIZE;
  const long bytes = sysconf(name);
  return bytes > 0 ? (size_t)bytes : 0;
}

/* The first line of a file that begins with `key`, what stands behind its colon; without a key the
   first line. "" where there is none. */
static void read_line(const char *path, const char *key, char *out, size_t size) {
  char line[256];
  FILE *file = fopen(path, "re");
  out[0] = 0;
  while (file && fgets(line, sizeof line, file)) {
    if (strncmp(line, key, strlen(key)) != 0) continue;
    const char *from = *key ? strchr(line, ':') : line - 1;
    if (!from) continue;
    from += 1 + strspn(from + 1, " \t");
    size_t len = strcspn(from, "\n");
    if (len >= size) len = size - 1;
    memcpy(out, from, len);
    out[len] = 0;
    break;
  }
  if (file) fclose(file);
}

static const char *isa_name(dnnl_cpu_isa_t isa) {
  switch (isa) {
    case dnnl_cpu_isa_sse41: return "sse41";
    case dnnl_cpu_isa_avx: return "avx";
    case dnnl_cpu_isa_avx2: return "avx2";
    case dnnl_cpu_isa_avx2_vnni: return "avx2-vnni";
    case dnnl_cpu_isa_avx512_core: return "avx512-core";
    case dnnl_cpu_isa_avx512_core_vnni: return "avx512-core-vnni";
    case dnnl_cpu_isa_avx512_core_bf16: return "avx512-core-bf16";
    case dnnl_cpu_isa_avx512_core_amx: return "avx512-core-amx";
    default: return "other";
  }
}

static void add_environment(sloe_environment *e, const char *title, const char *version) {
  char governor[64];
  struct utsname kernel;
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", governor, sizeof governor);
  sloe_environment_add(e, "cpu_model", title);
  sloe_environment_add_number(e, "cores", cores > 0 ? (uint64_t)cores : 0);
  sloe_environment_add(e, "governor", governor);
  sloe_environment_add(e, "dnnl_version", version);
  sloe_environment_add(e, "isa", isa_name(dnnl_get_effective_cpu_isa()));
  sloe_environment_add(e, "kernel", uname(&kernel) == 0 ? kernel.release : "");
  sloe_environment_add_number(e, "l1_bytes", sloe_onednn_cache(1));
  sloe_environment_add_number(e, "l2_bytes", sloe_onednn_cache(2));
  sloe_environment_add_number(e, "l3_bytes", sloe_onednn_cache(3));
}

static double memory_mb(void) {
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? (double)pages * (double)page / 1e6 : (double)NAN;
}

sloe_status sloe_onednn_identify(onednn_device *device, sloe_device_info *info, sloe_error *err) {
  const dnnl_version_t *v = dnnl_version();
  sloe_arena *arena = &device->arena;
  char title[128], token[128];
  read_line("/proc/cpuinfo", "model name", title, sizeof title);
  sloe_identity_token(title[0] ? title : "cpu", token, sizeof token);
  sloe_environment e = {.arena = arena};
  *info = (sloe_device_info){
      .device = sloe_arena_printf(arena, "%s", token),
      .title = sloe_arena_printf(arena, "%s", title[0] ? title : "unknown processor"),
      .runtime = "onednn",
      .version = sloe_arena_printf(arena, "%d.%d.%d", v->major, v->minor, v->patch),
      .precision = "fp32",
      .mode = sloe_arena_printf(arena, "t%d", device->threads),
      .batch = device->batch,
      .threads = device->threads,
      .fusion = {.runtime = SLOE_RUNTIME_ONEDNN, .precision = SLOE_FP32},
      .memory_mb = memory_mb(),
  };
  if (info->device && info->title && info->version && info->mode)
    add_environment(&e, info->title, info->version);
  return sloe_environment_end(&e, "onednn", info, err);
}
