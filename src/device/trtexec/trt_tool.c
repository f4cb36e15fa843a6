#include "device/trtexec/trt_tool.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "device/trtexec/trtexec_log.h"

/* ---- what a help tells ---- */

static int lists(const char *help, const char *flag) {
  const size_t len = strlen(flag);
  for (const char *at = strstr(help, flag); at; at = strstr(at + len, flag))
    if (!isalnum((unsigned char)at[len]) && at[len] != '-' &&
        (at == help || isspace((unsigned char)at[-1]) || at[-1] == ','))
      return 1;
  return 0;
}

static unsigned flags_of(const char *help) {
  static const char *const names[] = {
#define FLAG_TEXT(name, text) text,
      SLOE_TRTEXEC_FLAG_MAP(FLAG_TEXT)
#undef FLAG_TEXT
  };
  unsigned flags = 0;
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (lists(help, names[i])) flags |= 1u << i;
  return flags;
}

/* "#define NV_TENSORRT_MAJOR 7"; -1: not there. */
static int64_t defined(const char *header, const char *name) {
  const char *at = strstr(header, name);
  int64_t value;
  if (!at) return -1;
  at += strlen(name);
  at += strspn(at, " \t");
  return sloe_parse_int(at, strspn(at, "0123456789"), &value) && value <= 99 ? value : -1;
}

static int version_of_header(const char *header) {
  const int64_t major = defined(header, "NV_TENSORRT_MAJOR");
  const int64_t minor = defined(header, "NV_TENSORRT_MINOR");
  const int64_t patch = defined(header, "NV_TENSORRT_PATCH");
  return major < 0 || minor < 0 || patch < 0 ? 0 : (int)(major * 10000 + minor * 100 + patch);
}

/* Of one that says no version: what its flags came with. */
static int version_of_flags(unsigned flags) {
  if (flags & SLOE_TRTEXEC_NO_TRANSFERS) return 70200;
  if (flags & SLOE_TRTEXEC_BEST) return 70100;
  return flags & SLOE_TRTEXEC_SPIN ? 70000 : 60000;
}

/* The one in "&&&& RUNNING TensorRT.trtexec [TensorRT v8201]"; 0: none. */
static int version_of_help(const char *help, size_t len) {
  sloe_trt_file *file;
  int version = 0;
  if (sloe_trt_read(help, len, 0, &file, NULL) != SLOE_OK) return 0;
  if (file->kind == SLOE_TRT_LOG && file->n_runs && file->runs[0].version_told)
    version = file->runs[0].version_number;
  sloe_trt_free(file);
  return version;
}

static void print_version(sloe_trtexec_tool *tool, int knows_patch) {
  const int major = tool->version / 10000, minor = tool->version / 100 % 100;
  if (knows_patch)
    snprintf(tool->version_text, sizeof tool->version_text, "%d.%d.%d", major, minor,
             tool->version % 100);
  else
    snprintf(tool->version_text, sizeof tool->version_text, "%d.%d", major, minor);
}

sloe_status sloe_trtexec_tool_read(const char *help, size_t len, const char *header,
                                   sloe_trtexec_tool *tool, sloe_error *err) {
  tool->flags = flags_of(help);
  tool->version = version_of_help(help, len);
  if (!lists(help, "--onnx") || !lists(help, "--loadEngine"))
    return sloe_fail(err, SLOE_DEVICE, "'%.100s --help' is not the help of a trtexec", tool->path);
  int knows_patch = tool->version != 0;
  if (!knows_patch) {
    const int told = version_of_header(header), guessed = version_of_flags(tool->flags);
    knows_patch = told / 100 == guessed / 100; /* another's header says nothing of this one */
    tool->version = knows_patch ? told : guessed;
  }
  print_version(tool, knows_patch);
  return SLOE_OK;
}

/* ---- commands ---- */

/* With its value where there is one. 0: it has no such flag. */
static int has(const sloe_trtexec_tool *tool, unsigned flag) {
  return (tool->flags & flag) != 0;
}

static void explicit_batch(const sloe_trtexec_tool *tool, sloe_trtexec_words *out) {
  if (tool->version < 80000 && has(tool, SLOE_TRTEXEC_EXPLICIT))
    sloe_trtexec_word(out, "--explicitBatch");
}

static void workspace(const sloe_trtexec_tool *tool, int64_t mib, sloe_trtexec_words *out) {
  if (has(tool, SLOE_TRTEXEC_POOL))
    sloe_trtexec_word(out, "--memPoolSize=workspace:%lld", (long long)mib);
  else if (has(tool, SLOE_TRTEXEC_WORKSPACE))
    sloe_trtexec_word(out, "--workspace=%lld", (long long)mib);
}

void sloe_trtexec_build_words(const sloe_trtexec_tool *tool, const sloe_trtexec_build *build,
                              sloe_trtexec_words *out) {
  sloe_trtexec_word(out, "%s", tool->path);
  sloe_trtexec_word(out, "--onnx=%s", build->onnx);
  sloe_trtexec_word(out, "--saveEngine=%s", build->engine);
  if (build->fp16 && has(tool, SLOE_TRTEXEC_FP16)) sloe_trtexec_word(out, "--fp16");
  if (build->int8 && has(tool, SLOE_TRTEXEC_INT8)) sloe_trtexec_word(out, "--int8");
  explicit_batch(tool, out);
  workspace(tool, build->workspace_mib, out);
  if (build->cache && has(tool, SLOE_TRTEXEC_TIMING_CACHE))
    sloe_trtexec_word(out, "--timingCacheFile=%s", build->cache);
  if (has(tool, SLOE_TRTEXEC_VERBOSITY)) sloe_trtexec_word(out, "--profilingVerbosity=detailed");
  if (build->layers && has(tool, SLOE_TRTEXEC_EXPORT_LAYERS))
    sloe_trtexec_word(out, "--exportLayerInfo=%s", build->layers);
  if (has(tool, SLOE_TRTEXEC_SKIP_INFERENCE))
    sloe_trtexec_word(out, "--skipInference");
  else if (has(tool, SLOE_TRTEXEC_BUILD_ONLY))
    sloe_trtexec_word(out, "--buildOnly");
}

/* What both passes and the load have in common. */
static void run_words(const sloe_trtexec_tool *tool, const sloe_trtexec_pass *pass,
                      sloe_trtexec_words *out) {
  sloe_trtexec_word(out, "%s", tool->path);
  sloe_trtexec_word(out, "--loadEngine=%s", pass->engine);
  explicit_batch(tool, out);
  if (has(tool, SLOE_TRTEXEC_NO_TRANSFERS)) sloe_trtexec_word(out, "--noDataTransfers");
  if (has(tool, SLOE_TRTEXEC_SPIN)) sloe_trtexec_word(out, "--useSpinWait");
  sloe_trtexec_word(out, "--warmUp=%.0f", pass->warmup_ms);
  sloe_trtexec_word(out, "--duration=%.0f", ceil(pass->seconds));
  sloe_trtexec_word(out, "--iterations=%lld", (long long)pass->iterations);
}

void sloe_trtexec_pass_words(const sloe_trtexec_tool *tool, const sloe_trtexec_pass *pass,
                             sloe_trtexec_words *out) {
  run_words(tool, pass, out);
  if (pass->profile) {
    if (has(tool, SLOE_TRTEXEC_SEPARATE)) sloe_trtexec_word(out, "--separateProfileRun");
    sloe_trtexec_word(out, "--dumpProfile");
    if (has(tool, SLOE_TRTEXEC_EXPORT_PROFILE))
      sloe_trtexec_word(out, "--exportProfile=%s", pass->profile);
    if (pass->layers && has(tool, SLOE_TRTEXEC_EXPORT_LAYERS))
      sloe_trtexec_word(out, "--exportLayerInfo=%s", pass->layers);
    return;
  }
  if (has(tool, SLOE_TRTEXEC_GRAPH)) sloe_trtexec_word(out, "--useCudaGraph");
  if (tool->version < 70000) sloe_trtexec_word(out, "--avgRuns=1"); /* a line for each inference */
  if (pass->times && has(tool, SLOE_TRTEXEC_EXPORT_TIMES))
    sloe_trtexec_word(out, "--exportTimes=%s", pass->times);
}
