/* jetson_clocks.c: clocks, load, temperatures and memory as they are now. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "device/sensors/jetson_parts.h"

/* ---- the GPU ---- */

typedef struct search {
  sloe_jetson *b;
  const char *found; /* in b->arena */
  int failed;
} search;

static int is_gpu(const char *name) {
  static const char *const names[] = {"gpu", "gv11b", "gp10b", "ga10b", "gb10b", "gpc"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strstr(name, names[i])) return 1;
  return 0;
}

/* By the device tree's name of it, and by the folder's where there is none. */
static int look_at_devfreq(void *context, const char *path) {
  search *s = context;
  char name[128];
  sloe_sys_text_in(s->b, path, "device/of_node/name", name, sizeof name);
  if (!is_gpu(*name ? name : strrchr(path, '/'))) return 0;
  s->found = sloe_jetson_copy(s->b, path);
  s->failed = !s->found;
  return 1;
}

sloe_status sloe_jetson_find_gpu(sloe_jetson *b, sloe_error *err) {
  static const char *const folders[] = {"/sys/class/devfreq", "/sys/devices/gpu.0/devfreq"};
  search s = {b, NULL, 0};
  for (size_t i = 0; i < 2 && !s.found; i++) sloe_sys_each(b, folders[i], "", look_at_devfreq, &s);
  b->gpu = s.found;
  return s.failed ? sloe_fail(err, SLOE_NOMEM, "out of memory reading a board's clocks") : SLOE_OK;
}

/* Clocks that are 0 are no clocks. */
static double scaled(double value, double unit) {
  return value > 0 ? value / unit : NAN;
}

static double first_of(const sloe_jetson *b, const char *const *paths, size_t n) {
  double value = NAN;
  for (size_t i = 0; i < n && isnan(value); i++) value = sloe_sys_number(b, paths[i]);
  return value;
}

#define FIRST_OF(b, paths) first_of((b), (paths), sizeof(paths) / sizeof *(paths))

void sloe_jetson_read_gpu(const sloe_jetson *b, double *mhz, double *load) {
  static const char *const loads[] = {"/sys/devices/gpu.0/load",
                                      "/sys/devices/platform/gpu.0/load"};
  double tenths = NAN;
  *mhz = NAN;
  if (b->gpu) {
    *mhz = scaled(sloe_sys_number_in(b, b->gpu, "cur_freq"), 1e6);
    tenths = sloe_sys_number_in(b, b->gpu, "device/load");
  }
  if (isnan(tenths)) tenths = FIRST_OF(b, loads);
  *load = tenths >= 0 && tenths <= 1000 ? tenths / 1000 : NAN;
}

static int64_t mask_of(const sloe_jetson *b, const char *name) {
  static const char *const folders[] = {"/sys/devices/gpu.0", "/sys/devices/platform/gpu.0"};
  double value = b->gpu ? sloe_sys_number_in(b, b->gpu, name) : NAN;
  for (size_t i = 0; i < 2 && isnan(value); i++) value = sloe_sys_number_in(b, folders[i], name);
  return value >= 0 && value <= UINT32_MAX ? (int64_t)value : -1;
}

/* Two to a TPC that is on. */
static int processors_of(const sloe_jetson *b, int64_t mask) {
  int on = b->tpcs;
  if (b->fixed_processors || mask < 0) return b->fixed_processors;
  for (; mask; mask &= mask - 1) on--;
  return on > 0 ? 2 * on : 0;
}

static void read_gpu(const sloe_jetson *b, sloe_jetson_clocks *out) {
  sloe_jetson_read_gpu(b, &out->gpu_mhz, &out->gpu_load);
  if (b->gpu) {
    out->gpu_min_mhz = scaled(sloe_sys_number_in(b, b->gpu, "min_freq"), 1e6);
    out->gpu_max_mhz = scaled(sloe_sys_number_in(b, b->gpu, "max_freq"), 1e6);
  }
  out->gpu_locked = isnan(out->gpu_min_mhz) || isnan(out->gpu_max_mhz)
                        ? -1
                        : out->gpu_min_mhz == out->gpu_max_mhz;
  out->tpc_pg_mask = mask_of(b, "tpc_pg_mask");
  out->fbp_pg_mask = mask_of(b, "fbp_pg_mask");
  out->multiprocessors = processors_of(b, out->tpc_pg_mask);
}

/* ---- memory and processors ---- */

static void read_emc(const sloe_jetson *b, sloe_jetson_clocks *out) {
  static const char *const rates[] = {
      "/sys/kernel/debug/bpmp/debug/clk/emc/rate", "/sys/kernel/debug/clk/override.emc/clk_rate",
      "/sys/kernel/debug/clk/emc/clk_rate", "/sys/class/devfreq/bwmgr/cur_freq"};
  static const char *const caps[] = {"/sys/kernel/nvpmodel_emc_cap/emc_iso_cap",
                                     "/sys/kernel/nvpmodel_clk_cap/emc"};
  out->emc_mhz = scaled(FIRST_OF(b, rates), 1e6);
  out->emc_cap_mhz = scaled(FIRST_OF(b, caps), 1e6);
}

typedef struct cpu_search {
  const sloe_jetson *b;
  sloe_jetson_clocks *out;
} cpu_search;

static int look_at_cpu(void *context, const char *path) {
  cpu_search *s = context;
  const char *number = strrchr(path, '/') + 4;
  if (!*number || strspn(number, "0123456789") != strlen(number)) return 0; /* cpufreq, cpuidle */
  if (sloe_sys_number_in(s->b, path, "online") == 0) return 0;
  s->out->cpus_online++;
  const double most = scaled(sloe_sys_number_in(s->b, path, "cpufreq/scaling_max_freq"), 1e3);
  if (!(most < s->out->cpu_max_mhz) && !(isnan(s->out->cpu_max_mhz) && !isnan(most))) return 0;
  s->out->cpu_max_mhz = most;
  s->out->cpu_mhz = scaled(sloe_sys_number_in(s->b, path, "cpufreq/scaling_cur_freq"), 1e3);
  s->out->cpu_min_mhz = scaled(sloe_sys_number_in(s->b, path, "cpufreq/scaling_min_freq"), 1e3);
  sloe_sys_text_in(s->b, path, "cpufreq/scaling_governor", s->out->governor,
                   sizeof s->out->governor);
  return 0;
}

static double meminfo(const char *text, const char *key) {
  const char *at = strstr(text, key);
  double kib;
  if (!at) return NAN;
  at += strlen(key);
  at += strspn(at, " ");
  return sloe_parse_double(at, strspn(at, "0123456789"), &kib) ? kib * 1.024e-3 : NAN;
}

double sloe_jetson_read_memory(const sloe_jetson *b, double *total_mb) {
  char text[SLOE_SYS_TEXT];
  sloe_sys_bytes(b, "/proc/meminfo", text, sizeof text);
  *total_mb = meminfo(text, "MemTotal:");
  return *total_mb - meminfo(text, "MemAvailable:");
}

/* ---- heat ---- */

typedef struct heat_search {
  const sloe_jetson *b;
  sloe_jetson_heat *out;
} heat_search;

/* PMIC shows a constant; sensors that are switched off show -256. */
static int look_at_zone(void *context, const char *path) {
  heat_search *s = context;
  char type[SLOE_JETSON_NAME];
  const double c = sloe_sys_number_in(s->b, path, "temp") / 1e3;
  if (isnan(c) || c < -200 || c <= s->out->hottest_c) return 0;
  if (strncmp(sloe_sys_text_in(s->b, path, "type", type, sizeof type), "PMIC", 4) == 0) return 0;
  s->out->hottest_c = c;
  memcpy(s->out->hottest, type, sizeof type);
  return 0;
}

static int look_at_cooler(void *context, const char *path) {
  heat_search *s = context;
  char type[64];
  const double state = sloe_sys_number_in(s->b, path, "cur_state");
  sloe_sys_text_in(s->b, path, "type", type, sizeof type);
  if (isnan(state) || strstr(type, "fan") || strstr(type, "hot-surface")) return 0;
  if (s->out->throttling < 0) s->out->throttling = 0;
  s->out->throttling += state > 0;
  return 0;
}

void sloe_jetson_read_heat(const sloe_jetson *b, sloe_jetson_heat *out) {
  heat_search s = {b, out};
  *out = (sloe_jetson_heat){.hottest_c = NAN, .throttling = -1};
  sloe_sys_each(b, "/sys/class/thermal", "thermal_zone", look_at_zone, &s);
  sloe_sys_each(b, "/sys/class/thermal", "cooling_device", look_at_cooler, &s);
}

/* ---- all of it ---- */

void sloe_jetson_read_clocks(sloe_jetson *board, sloe_jetson_clocks *out) {
  cpu_search cpus = {board, out};
  sloe_jetson_heat heat;
  double total_mb;
  *out = (sloe_jetson_clocks){.gpu_min_mhz = NAN,
                              .gpu_max_mhz = NAN,
                              .cpu_mhz = NAN,
                              .cpu_min_mhz = NAN,
                              .cpu_max_mhz = NAN};
  read_gpu(board, out);
  read_emc(board, out);
  sloe_sys_each(board, "/sys/devices/system/cpu", "cpu", look_at_cpu, &cpus);
  sloe_jetson_read_heat(board, &heat);
  out->hottest_c = heat.hottest_c;
  memcpy(out->hottest, heat.hottest, sizeof out->hottest);
  out->throttling = heat.throttling;
  out->memory_used_mb = sloe_jetson_read_memory(board, &total_mb);
}
