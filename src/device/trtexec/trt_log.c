/* trt_log.c: console text as runs.
 *
 *   line   "[" date "] [" I|W|E|F|V "] " ["[TRT] "] text
 *   frame  "&&&& " RUNNING|PASSED|FAILED|WAIVED " TensorRT." app [" [TensorRT v8201]"] " # "
 * command
 *
 * Anything may stand before a line's prefix (a container's date) and between the lines (a shell,
 * another program). A run begins with its frame, or, where that was cut away, with the first line
 * that says something of a run; it ends with the other frame, the next beginning or the file.
 */
#include <math.h>
#include <string.h>

#include "device/trtexec/trt_parts.h"

enum { LINES_KEPT = 100 };
static const double ENQUEUE_SHARE = 0.8; /* of GPU time, above which trtexec warns */

static void open_run(sloe_trt_open_run *o, uint64_t line) {
  *o = (sloe_trt_open_run){0};
  sloe_trt_run *run = &o->run;
  *run = (sloe_trt_run){.line = line,
                        .unstable_percent = NAN,
                        .command = "",
                        .version = "",
                        .device = "",
                        .gpu_mhz = NAN,
                        .memory_mhz = NAN,
                        .memory_mib = NAN,
                        .model = "",
                        .save_engine = "",
                        .load_engine = "",
                        .times_path = "",
                        .profile_path = "",
                        .layers_path = "",
                        .precisions = "",
                        .precision = "",
                        .shapes = "",
                        .streams = -1,
                        .dla_core = -1,
                        .cuda_graph = -1,
                        .spin_wait = -1,
                        .transfers = -1,
                        .profiler = -1,
                        .separate_profile = -1,
                        .multithreading = -1,
                        .iterations = -1,
                        .warmup_ms = NAN,
                        .duration_s = NAN,
                        .build_s = NAN,
                        .engine_mib = NAN,
                        .weights_bytes = NAN,
                        .activation_bytes = NAN,
                        .scratch_bytes = NAN,
                        .persistent_bytes = NAN,
                        .runtime_mib = NAN,
                        .warmup_queries = -1,
                        .queries = -1,
                        .throughput_qps = NAN,
                        .walltime_s = NAN,
                        .compute_s = NAN};
  sloe_trt_figures *const all[] = {&run->gpu,     &run->host, &run->end_to_end,
                                   &run->enqueue, &run->h2d,  &run->d2h};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) sloe_trt_figures_forget(all[i]);
  o->profile = (sloe_trt_profile){.count = -1, .total_average_ms = NAN, .total_median_ms = NAN};
}

/* ---- the end of a run ---- */

/* Before 8.0 the version is nowhere printed, but each has lines that the one before has not. */
static void tell_version(sloe_trt_open_run *o) {
  sloe_trt_run *run = &o->run;
  if (run->version_number || (!o->has_blocks && !o->old_averages)) return;
  run->version = o->old_averages         ? "6.0"
                 : !o->has_enqueue       ? "7.0"
                 : o->has_transfers_line ? "7.2"
                                         : "7.1";
  run->version_number = o->old_averages         ? 60000
                        : !o->has_enqueue       ? 70000
                        : o->has_transfers_line ? 70200
                                                : 70100;
}

/* 5.x and 6.0: the mean of all runs that were averaged. */
static void take_old_averages(sloe_trt_open_run *o) {
  double gpu = 0, host = 0, n = 0;
  if (!o->old_averages || !isnan(o->run.gpu.mean_ms)) return;
  for (size_t i = 0; i < o->run.n_averages; i++) {
    const sloe_trt_average *a = &o->averages[i];
    gpu += a->gpu_ms * (double)a->runs;
    host += a->host_ms * (double)a->runs;
    n += (double)a->runs;
  }
  if (!(n > 0)) return;
  o->run.gpu.mean_ms = gpu / n;
  o->run.host.mean_ms = host / n;
}

/* From 11.0 layers are always profiled in a run of their own. */
static void tell_profiler(sloe_trt_open_run *o) {
  sloe_trt_run *run = &o->run;
  if (o->asked_export) run->profiler = 1;
  if (o->asked_separate) run->separate_profile = 1;
  if (run->version_number >= 110000) return;
  if ((run->profiler == 1 || *run->profile_path) && run->separate_profile != 1)
    run->remarks |= SLOE_TRT_PROFILER_ON;
}

/* What a profiled run waits for is the profiler. */
static void tell_bound(sloe_trt_run *run) {
  if (!(run->remarks & SLOE_TRT_PROFILER_ON) &&
      run->enqueue.median_ms > ENQUEUE_SHARE * run->gpu.median_ms)
    run->remarks |= SLOE_TRT_ENQUEUE_BOUND;
}

/* An option is echoed as "FP32" also where an engine of any precision is loaded. From 11.0
   precision is the network's own. */
static void tell_precision(sloe_trt_run *run) {
  const sloe_trt_span command = {run->command, run->command + strlen(run->command)};
  if ((*run->load_engine && !*sloe_trt_asked_precision(command)) || run->version_number >= 110000)
    run->precision = "";
}

static void tell_batch(sloe_trt_open_run *o) {
  for (size_t i = 0; i < o->run.n_bindings && !o->run.batch; i++) {
    const sloe_shape *shape = &o->bindings[i].shape;
    if (!o->bindings[i].is_output && shape->rank > 1 && shape->dim[0] > 0)
      o->run.batch = shape->dim[0];
  }
}

static void finish_profile(sloe_trt_reader *r, sloe_trt_open_run *o) {
  if (!o->profile.n_layers) return;
  sloe_trt_profile *profile = SLOE_ARENA_NEW(&r->arena, sloe_trt_profile, 1);
  r->failed |= !profile;
  if (!profile) return;
  *profile = o->profile;
  profile->layers = o->rows;
  for (size_t i = 0; i < profile->n_layers; i++) profile->sum_ms += o->rows[i].average_ms;
  profile->sum_ms = nearbyint(profile->sum_ms * 1e9) / 1e9;
  o->run.profile = profile;
}

static void close_run(sloe_trt_reader *r, sloe_trt_open_run *o) {
  sloe_trt_run *run = &o->run;
  tell_version(o);
  take_old_averages(o);
  tell_profiler(o);
  tell_bound(run);
  tell_precision(run);
  tell_batch(o);
  finish_profile(r, o);
  run->bindings = o->bindings;
  run->averages = o->averages;
  run->warnings = o->warnings;
  run->errors = o->errors;
  run->gpu_layers = o->gpu_layers;
  run->dla_layers = o->dla_layers;
}

/* ---- lines ---- */

typedef struct log_reader {
  sloe_trt_reader *r;
  sloe_trt_open_run open;
  int is_open, was_closed; /* by its last frame */
  sloe_trt_run *runs;
  size_t n_runs, cap_runs;
  uint64_t line;
  int nameless; /* a summary was there that no run belongs to */
} log_reader;

static void end_run(log_reader *l) {
  if (!l->is_open) return;
  l->is_open = 0;
  close_run(l->r, &l->open);
  const sloe_trt_run *run = &l->open.run;
  const int any = l->open.has_place || run->has_begin || run->end != SLOE_TRT_CUT;
  if (!any) {
    l->nameless = 1;
    return;
  }
  if (sloe_trt_room(l->r, &l->runs, l->n_runs, &l->cap_runs, sizeof *run))
    l->runs[l->n_runs++] = *run;
}

/* Behind "&&&& RUNNING TensorRT": ".trtexec [TensorRT v8201] [b12] # trtexec --onnx=..." */
static void read_frame(log_reader *l, sloe_trt_span line) {
  sloe_trt_span s = line;
  const char *v = sloe_trt_find(s, "[TensorRT v"), *hash = sloe_trt_find(s, " # ");
  if (v && (!hash || v < hash)) {
    sloe_trt_span text = {v, line.end};
    int64_t packed;
    (void)sloe_trt_take(&text, "[TensorRT v");
    if (sloe_trt_take_int(&text, &packed)) {
      sloe_trt_open_run *o = &l->open;
      const char *key =
          sloe_arena_printf(&l->r->arena, "TensorRT version: %lld", (long long)packed);
      l->r->failed |= !key;
      if (key && !o->run.version_number)
        (void)sloe_trt_read_option(l->r, o, (sloe_trt_span){key, key + strlen(key)});
    }
  }
  if (hash && !*l->open.run.command)
    sloe_trt_read_command(l->r, &l->open, (sloe_trt_span){hash + 3, line.end});
}

static int take_frame(log_reader *l, sloe_trt_span line) {
  const char *p = sloe_trt_find(line, "&&&& ");
  if (!p) return 0;
  sloe_trt_span s = {p + 5, line.end};
  const int running = sloe_trt_take(&s, "RUNNING TensorRT");
  const sloe_trt_end end = running                                ? SLOE_TRT_CUT
                           : sloe_trt_take(&s, "PASSED TensorRT") ? SLOE_TRT_PASSED
                           : sloe_trt_take(&s, "FAILED TensorRT") ? SLOE_TRT_FAILED
                           : sloe_trt_take(&s, "WAIVED TensorRT") ? SLOE_TRT_WAIVED
                                                                  : SLOE_TRT_CUT;
  if (!running && end == SLOE_TRT_CUT) return 0;
  if (running) end_run(l);
  if (!l->is_open) open_run(&l->open, l->line);
  l->is_open = 1;
  read_frame(l, s);
  l->open.run.has_begin |= running;
  l->open.run.end = end;
  if (!running) end_run(l);
  l->was_closed = !running;
  return 1;
}

static void keep_line(sloe_trt_reader *r, const char ***list, size_t *n, size_t *cap,
                      sloe_trt_span text) {
  if (*n < LINES_KEPT && sloe_trt_room(r, list, *n, cap, sizeof **list))
    (*list)[(*n)++] = sloe_trt_keep(r, text);
}

/*  X(words of a line of any severity, remark) */
#define SAID_MAP(X)                                                       \
  X("network timing is not reported since it is inaccurate", PROFILER_ON) \
  X("bound by Enqueue Time", ENQUEUE_BOUND)                               \
  X("bound by host-to-device", H2D_BOUND)                                 \
  X("bound by device-to-host", D2H_BOUND)                                 \
  X("GPU compute time is unstable", UNSTABLE)

/*  X(words of an error) */
#define FAILED_MAP(X)                                \
  X("Engine creation failed", BUILD_FAILED)          \
  X("Engine could not be created", BUILD_FAILED)     \
  X("Failed to create engine", BUILD_FAILED)         \
  X("Building failed", BUILD_FAILED)                 \
  X("buildSerializedNetwork", BUILD_FAILED)          \
  X("Network And Config setup failed", BUILD_FAILED) \
  X("Parsing model failed", BUILD_FAILED)            \
  X("Failed to parse onnx file", BUILD_FAILED)       \
  X("Error opening engine file", LOAD_FAILED)        \
  X("Engine deserialization failed", LOAD_FAILED)    \
  X("Failed to load engine", LOAD_FAILED)            \
  X("deserializeCudaEngine failed", LOAD_FAILED)     \
  X("utOfMemory", OUT_OF_MEMORY)                     \
  X("ut of memory", OUT_OF_MEMORY)                   \
  X("Cuda failure: 2", OUT_OF_MEMORY)

static void take_said(sloe_trt_run *run, sloe_trt_span text) {
#define SAID(words, remark) \
  if (sloe_trt_find(text, words)) run->remarks |= SLOE_TRT_##remark;
  SAID_MAP(SAID)
#undef SAID
  const char *p = sloe_trt_find(text, "coefficient of variance = ");
  if (!p || !(run->remarks & SLOE_TRT_UNSTABLE)) return;
  sloe_trt_span rest = {p + strlen("coefficient of variance = "), text.end};
  double percent;
  if (sloe_trt_take_number(&rest, &percent)) run->unstable_percent = percent;
}

static void take_failure(sloe_trt_run *run, sloe_trt_span text) {
#define FAILED(words, remark) \
  if (sloe_trt_find(text, words)) run->remarks |= SLOE_TRT_##remark;
  FAILED_MAP(FAILED)
#undef FAILED
  if (sloe_trt_find(text, "Engine set up failed"))
    run->remarks |= *run->load_engine ? SLOE_TRT_LOAD_FAILED : SLOE_TRT_BUILD_FAILED;
}

/* Lines without a prefix: a shell that says "Killed", and the help. */
static void take_bare(sloe_trt_run *run, sloe_trt_span text) {
  sloe_trt_span s = text;
  if (sloe_trt_is(text, "Killed") || sloe_trt_find(text, ") Killed "))
    run->remarks |= SLOE_TRT_OUT_OF_MEMORY;
  if (sloe_trt_take(&s, "--onnx=<file>") || sloe_trt_take(&s, "--uff=<file>") ||
      sloe_trt_take(&s, "--deploy=<file>"))
    run->remarks |= SLOE_TRT_HELP;
}

/* Behind "] [I] ", and the letter; the whole of a line that has no such prefix, and 0. */
static char take_prefix(sloe_trt_span *line) {
  for (sloe_trt_span s = *line; (s.p = sloe_trt_find(s, "] [")) != NULL; s.p++) {
    if (s.end - s.p < 5 || s.p[4] != ']' || !strchr("IWEFV", s.p[3]) || !s.p[3]) continue;
    const char severity = s.p[3];
    *line = sloe_trt_trim((sloe_trt_span){s.p + 5, s.end});
    return severity;
  }
  return 0;
}

static int read_known(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span text) {
  if (sloe_trt_read_table(r, o, text)) return o->has_place = 1;
  if (sloe_trt_read_summary(r, o, text)) return 1;
  return (sloe_trt_read_option(r, o, text) || sloe_trt_read_build(r, o, text)) &&
         (o->has_place = 1);
}

/* A run that is not open yet is opened by a line that it knows: of a note that happens to say
   "Batch: 1" only where the line has trtexec's prefix. Not behind the last frame of a run: what the
   runtime says while it is taken down is no other one. */
static int opens(log_reader *l, char severity, int by_trt, sloe_trt_span text) {
  if (l->was_closed && by_trt) return 0;
  open_run(&l->open, l->line);
  if (severity) return read_known(l->r, &l->open, text);
  return sloe_trt_read_table(l->r, &l->open, text) || sloe_trt_read_summary(l->r, &l->open, text);
}

static void read_line(log_reader *l, sloe_trt_span line) {
  sloe_trt_span text = sloe_trt_trim(line);
  if (take_frame(l, text)) return;
  const char severity = take_prefix(&text);
  const int by_trt = sloe_trt_take(&text, "[TRT]") && sloe_trt_take_blank(&text);
  if (l->is_open)
    (void)read_known(l->r, &l->open, text);
  else
    l->is_open = opens(l, severity, by_trt, text);
  if (!l->is_open) return;
  sloe_trt_open_run *o = &l->open;
  take_said(&o->run, text);
  if (severity == 'W') keep_line(l->r, &o->warnings, &o->run.n_warnings, &o->cap_warnings, text);
  if (severity == 'E' || severity == 'F') {
    take_failure(&o->run, text);
    keep_line(l->r, &o->errors, &o->run.n_errors, &o->cap_errors, text);
  }
  if (!severity) take_bare(&o->run, text);
}

static sloe_status refuse(const log_reader *l, sloe_error *err) {
  if (l->nameless)
    return sloe_fail(
        err, SLOE_FORMAT,
        "a summary without its run: no line says what was run, where and by which TensorRT");
  return sloe_fail(err, SLOE_FORMAT, "nothing that trtexec prints or exports is in it");
}

sloe_status sloe_trt_read_log(sloe_trt_reader *r, sloe_trt_span bytes, sloe_error *err) {
  log_reader l = {.r = r};
  for (const char *p = bytes.p; p < bytes.end && !r->failed;) {
    const char *end = memchr(p, '\n', (size_t)(bytes.end - p));
    if (!end) end = bytes.end;
    l.line++;
    read_line(&l, (sloe_trt_span){p, end});
    p = end < bytes.end ? end + 1 : end;
  }
  end_run(&l);
  if (r->failed)
    return sloe_fail(err, SLOE_NOMEM, "out of memory, or over the limit, reading a log");
  if (!l.n_runs) return refuse(&l, err);
  r->file.kind = SLOE_TRT_LOG;
  r->file.runs = l.runs;
  r->file.n_runs = l.n_runs;
  r->file.cut = l.runs[l.n_runs - 1].end == SLOE_TRT_CUT;
  return SLOE_OK;
}
