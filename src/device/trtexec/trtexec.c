/* trtexec.c: the backend `trtexec`: TensorRT on the board that this runs on, through NVIDIA's own
 * command. Blackthorn's set-up, with every TensorRT from 6.0 on.
 *
 *   path=FILE       the command; /usr/src/tensorrt/bin/trtexec, else what PATH has
 *   precision=fp16  fp32, fp16, int8 (with fp16 where that is faster)
 *   batch=1         of networks
 *   workspace=1024  MiB that a kernel may use
 *   seconds=S       of a timed pass; 1 of a layer, 3 of a network
 *   timeout=900     seconds after which a command is killed
 *   lock=1          holds the clocks by jetson_clocks, mode=ID sets nvpmodel's power mode: both are
 *                   given back at the end, whatever it is. Root alone may
 *   rail=input      whose power is told: input, gpu
 *   log=FILE        every command, and what became of it
 *   work=FOLDER     of engines and the timing cache, which stays there; else one that is removed
 *   device=NAME     where the board does not tell
 *   sysroot=FOLDER  in front of every file of the board; tegrastats=COMMAND
 *
 * What a run is, and what it costs, stands in trt_job.c and docs/jetson.md. Starting trtexec takes
 * seconds, so no reference layer is timed around every job: limits of the clock and throttling are
 * looked at around each pass instead, and a pass that they spoilt is taken again.
 */
#define _XOPEN_SOURCE 700 /* P_tmpdir */
#include "device/trtexec/trtexec.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

enum { ARENA_LIMIT = 1 << 22, HELP_LIMIT_S = 120, OWN_PAIRS = 8 };
/* Three starts of some 3 s each, a build, two passes: as an Orin Nano with TensorRT 10.3 does it,
   where ResNet-18 alone is built in 38 s. A Nano of 2019 takes twice as long. */
static const double LAYER_S = 20, NETWORK_S = 75;
static const char usual_path[] = "/usr/src/tensorrt/bin/trtexec";

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory opening trtexec");
}

/* ---- options ---- */

static sloe_status read_numbers(const sloe_backend_options *o, sloe_trtexec_settings *set,
                                sloe_error *err) {
  int64_t lock;
  SLOE_TRY(sloe_backend_option_int(o, "batch", 1, 65536, 1, &set->batch, err));
  SLOE_TRY(sloe_backend_option_int(o, "workspace", 1, 1 << 20, 1024, &set->workspace_mib, err));
  SLOE_TRY(sloe_backend_option_int(o, "lock", 0, 1, 0, &lock, err));
  SLOE_TRY(sloe_backend_option_int(o, "mode", 0, 99, -1, &set->mode, err));
  SLOE_TRY(sloe_backend_option_real(o, "timeout", 0.1, 1e5, 900, &set->timeout_s, err));
  SLOE_TRY(sloe_backend_option_real(o, "seconds", 0.01, 600, 0, &set->seconds, err));
  set->lock = (int)lock;
  return SLOE_OK;
}

/* They live in the device's own text, longer than the state. */
static sloe_status read_settings(const sloe_backend_options *o, sloe_trtexec *t, sloe_error *err) {
  sloe_trtexec_settings *set = &t->set;
  set->sysroot = sloe_backend_option(o, "sysroot", "");
  set->rail = sloe_backend_option(o, "rail", "input");
  set->tegrastats = sloe_backend_option(o, "tegrastats", NULL);
  t->log_path = sloe_backend_option(o, "log", NULL);
  t->tool.path = sloe_backend_option(o, "path", NULL);
  if (!t->tool.path) t->tool.path = access(usual_path, X_OK) == 0 ? usual_path : "trtexec";
  SLOE_TRY(sloe_precision_parse(sloe_backend_option(o, "precision", "fp16"), &set->precision, err));
  if (strcmp(set->rail, "input") != 0 && strcmp(set->rail, "gpu") != 0)
    return sloe_fail(err, SLOE_USAGE, "rail: '%.40s' is neither input nor gpu", set->rail);
  return read_numbers(o, set, err);
}

/* ---- the folder and the log ---- */

static sloe_status open_work(const sloe_backend_options *o, sloe_trtexec *t, sloe_error *err) {
  const char *given = sloe_backend_option(o, "work", NULL);
  char made[] = P_tmpdir "/sloe-trtexec-XXXXXX";
  if (given && mkdir(given, 0755) != 0 && errno != EEXIST)
    return sloe_fail(err, SLOE_IO, "work: %.100s: %s", given, strerror(errno));
  if (!given && !mkdtemp(made)) return sloe_fail(err, SLOE_IO, "%s: %s", made, strerror(errno));
  t->own_work = !given;
  t->work = sloe_arena_printf(&t->arena, "%s", given ? given : made);
  if (!t->work && !given) rmdir(made);
  if (!t->work) return out_of_memory(err);
  t->output = sloe_arena_printf(&t->arena, "%s/output-%lld", t->work, (long long)getpid());
  return t->output ? SLOE_OK : out_of_memory(err);
}

static sloe_status open_log(const sloe_trtexec *t, sloe_error *err) {
  FILE *file = t->log_path ? fopen(t->log_path, "ae") : NULL;
  if (t->log_path && !file)
    return sloe_fail(err, SLOE_IO, "log: %.100s: %s", t->log_path, strerror(errno));
  if (file) fclose(file);
  return SLOE_OK;
}

/* A folder that was made here, and all files in it. */
static void remove_folder(const char *path) {
  DIR *folder = opendir(path);
  if (!folder) return;
  for (const struct dirent *entry; (entry = readdir(folder));) {
    char file[4096];
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if ((size_t)snprintf(file, sizeof file, "%s/%s", path, entry->d_name) < sizeof file)
      unlink(file);
  }
  closedir(folder);
  rmdir(path);
}

/* ---- which trtexec ---- */

/* NvInferVersion.h as JetPack installs it; "" where it is not there. To be freed. */
static char *read_header(const sloe_trtexec *t) {
  static const char *const folders[] = {"aarch64-linux-gnu/", "x86_64-linux-gnu/", ""};
  char path[4096], *text = NULL;
  size_t len;
  for (size_t i = 0; !text && i < sizeof folders / sizeof *folders; i++) {
    snprintf(path, sizeof path, "%s/usr/include/%sNvInferVersion.h", t->set.sysroot, folders[i]);
    sloe_file_read(path, 1 << 20, &text, &len, NULL);
  }
  return text;
}

static sloe_status run_help(sloe_trtexec *t, sloe_error *err) {
  char flag[] = "--help", *path = sloe_arena_printf(&t->arena, "%s", t->tool.path);
  if (!path) return out_of_memory(err);
  char *words[] = {path, flag, NULL};
  const sloe_trtexec_order order = {.what = "asking for its help",
                                    .words = words,
                                    .limit_s = fmin(t->set.timeout_s, HELP_LIMIT_S)};
  return sloe_trtexec_carry_out(t, &order, err);
}

static sloe_status find_tool(sloe_trtexec *t, sloe_error *err) {
  char *help;
  size_t len;
  SLOE_TRY(run_help(t, err));
  SLOE_TRY(sloe_trtexec_read_output(t, &help, &len, err));
  char *header = read_header(t);
  const sloe_status status = sloe_trtexec_tool_read(help, len, header ? header : "", &t->tool, err);
  sloe_dealloc(header);
  sloe_dealloc(help);
  return status;
}

/* From 11 on a network says its precision itself; ours are written in fp32. */
static sloe_status check_precision(const sloe_trtexec *t, sloe_error *err) {
  const unsigned needs = t->set.precision == SLOE_FP32   ? 0
                         : t->set.precision == SLOE_FP16 ? SLOE_TRTEXEC_FP16
                                                         : SLOE_TRTEXEC_INT8;
  if ((t->tool.flags & needs) == needs) return SLOE_OK;
  return sloe_fail(err, SLOE_UNSUPPORTED,
                   "TensorRT %s takes no precision but the network's own: precision=fp32",
                   t->tool.version_text);
}

/* ---- who measures ---- */

static sloe_status describe_environment(sloe_trtexec *t, sloe_device_info *info, sloe_error *err) {
  size_t n;
  t->environment = SLOE_ARENA_NEW(&t->arena, sloe_device_pair, SLOE_JETSON_PAIRS + OWN_PAIRS);
  if (!t->environment) return out_of_memory(err);
  SLOE_TRY(sloe_jetson_environment(t->board, &t->clocks, &t->arena, t->environment, &n, err));
  const sloe_device_pair own[] = {
      {"trtexec", t->tool.path},
      {"tensorrt", t->tool.version_text},
      {"cuda_graph", t->tool.flags & SLOE_TRTEXEC_GRAPH ? "yes" : "no"},
      {"power_source", sloe_jetson_power_source(t->board)},
      {"locked_by_sloe", t->set.lock ? "yes" : "no"},
      {"workspace_mib", sloe_arena_printf(&t->arena, "%lld", (long long)t->set.workspace_mib)}};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (own[i].value && *own[i].value) t->environment[n++] = own[i];
  info->environment = t->environment;
  info->n_environment = n;
  return SLOE_OK;
}

static sloe_status describe(const sloe_backend_options *o, sloe_trtexec *t, sloe_device_info *info,
                            sloe_error *err) {
  const sloe_jetson_board *board = sloe_jetson_describe(t->board);
  info->device = sloe_backend_option(o, "device", *board->device ? board->device : "gpu");
  info->title = *board->title ? board->title : info->device;
  info->runtime = "tensorrt";
  info->version = t->tool.version_text;
  info->precision = sloe_precision_name(t->set.precision);
  info->mode = board->is_default_mode == 1 ? "" : board->mode;
  info->batch = t->set.batch;
  info->memory_mb = board->memory_mb;
  info->self_clocked = 1;
  info->layer_s = LAYER_S;
  info->network_s = NETWORK_S;
  info->fusion = (sloe_fusion){SLOE_RUNTIME_TENSORRT, t->tool.version / 100, t->set.precision,
                               board->compute_capability};
  return describe_environment(t, info, err);
}

/* ---- opening and closing ---- */

static void trtexec_close(void *state) {
  sloe_trtexec *t = state;
  if (!t) return;
  sloe_jetson_meter_stop(t->meter);
  sloe_trtexec_unlock(t);
  if (t->output) unlink(t->output);
  if (t->own_work && t->work) remove_folder(t->work);
  sloe_jetson_close(t->board);
  sloe_arena_fini(&t->arena);
  sloe_dealloc(t);
}

/* The board anew, in the power mode that was asked for. Some modes need a restart: nvpmodel asks
   for leave, gets none and ends well. */
static sloe_status look_at_mode(sloe_trtexec *t, sloe_error *err) {
  sloe_jetson_close(t->board);
  t->board = NULL;
  SLOE_TRY(sloe_jetson_open(t->set.sysroot, t->set.tegrastats, &t->board, err));
  const int now = sloe_jetson_describe(t->board)->mode_id;
  if (now == t->set.mode) return SLOE_OK;
  return sloe_fail(
      err, SLOE_DEVICE,
      "mode: nvpmodel ran, and the board is in mode %d still, not in %lld: some need a "
      "restart, which 'nvpmodel -m' by hand asks for",
      now, (long long)t->set.mode);
}

static sloe_status open_board(sloe_trtexec *t, sloe_error *err) {
  SLOE_TRY(sloe_jetson_open(t->set.sysroot, t->set.tegrastats, &t->board, err));
  SLOE_TRY(sloe_trtexec_lock(t, err));
  if (t->set.mode >= 0) SLOE_TRY(look_at_mode(t, err));
  sloe_jetson_read_clocks(t->board, &t->clocks);
  if (t->set.lock && t->clocks.gpu_locked == 0)
    return sloe_fail(err, SLOE_DEVICE,
                     "lock: jetson_clocks ran, and the GPU's clock is free still");
  return SLOE_OK;
}

static sloe_status open_all(const sloe_backend_options *options, sloe_trtexec *t,
                            sloe_device_info *info, sloe_error *err) {
  SLOE_TRY(read_settings(options, t, err));
  SLOE_TRY(open_work(options, t, err));
  SLOE_TRY(open_log(t, err));
  SLOE_TRY(find_tool(t, err));
  SLOE_TRY(check_precision(t, err));
  SLOE_TRY(open_board(t, err));
  return describe(options, t, info, err);
}

static sloe_status trtexec_open(const sloe_backend_options *options, void **state,
                                sloe_device_info *info, sloe_error *err) {
  static const char *const keys[] = {"path",    "precision", "batch",   "workspace",  "seconds",
                                     "timeout", "lock",      "mode",    "rail",       "log",
                                     "work",    "device",    "sysroot", "tegrastats", NULL};
  *state = NULL;
  SLOE_TRY(sloe_backend_options_check(options, keys, err));
  sloe_trtexec *t = sloe_alloc(1, sizeof *t);
  if (!t) return out_of_memory(err);
  *t = (sloe_trtexec){.guard = {.child = {.to = -1, .from = -1}}};
  sloe_arena_init(&t->arena, ARENA_LIMIT);
  const sloe_status status = open_all(options, t, info, err);
  if (status == SLOE_OK)
    *state = t;
  else
    trtexec_close(t);
  return status;
}

const sloe_backend sloe_backend_trtexec = {
    .name = "trtexec",
    .open = trtexec_open,
    .close = trtexec_close,
    .load_layer = sloe_trtexec_load_layer,
    .load_network = sloe_trtexec_load_network,
    .unload = sloe_trtexec_unload,
    .run = sloe_trtexec_run,
    .run_layers = sloe_trtexec_run_layers,
    .memory = sloe_trtexec_memory,
    .sensor = sloe_trtexec_sensor,
    .load = sloe_trtexec_keep_busy,
    .choice = sloe_trtexec_choice,
};
