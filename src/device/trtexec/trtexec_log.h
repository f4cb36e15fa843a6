/* trtexec_log.h: what trtexec, TensorRT's command, prints and exports, as structs.
 *
 * Pure functions on bytes: nothing is opened, run or printed here. Four kinds of bytes are told
 * apart by what stands in them, never by a file's name:
 *
 *   LOG      console text: one run or several, what other programs wrote in between
 *   TIMES    --exportTimes: a record per inference
 *   PROFILE  --exportProfile: a time per layer
 *   LAYERS   --exportLayerInfo, and what TensorRT's engine inspector gives: kernel, maps, tactic
 *
 * TensorRT 6.0 to 11.1. Everything is found by its words, never by its place; what is not known is
 * passed over. Taken as they come: names with quotes and backslashes in them that nobody escaped,
 * JSON written twice into one file, files cut anywhere (`cut` says so), numbers like 1.29e+03, nan
 * and inf, the two pairs of fields that 7.1 and 7.2 export swapped (put right here), profile tables
 * whose names stand first (to 8.5) or last (from 8.6).
 *
 * Times are milliseconds, unknown ones NAN; strings are "" where unknown, UTF-8 as far as the file
 * is, and live as long as the sloe_trt_file.
 */
#ifndef SLOE_DEVICE_TRTEXEC_TRTEXEC_LOG_H
#define SLOE_DEVICE_TRTEXEC_TRTEXEC_LOG_H

#include "base/error.h"

/* ---- the log of a run ---- */

enum { SLOE_TRT_PERCENTILES = 8 };

/* One line of the performance summary ("GPU Compute Time: min = ..., max = ..."). */
typedef struct sloe_trt_figures {
  double min_ms, max_ms, mean_ms, median_ms;
  size_t n_percentiles;
  double percent[SLOE_TRT_PERCENTILES], percentile_ms[SLOE_TRT_PERCENTILES];
} sloe_trt_figures;

/* How a run ended. CUT: neither passed nor failed stands there: killed, or the file was cut. */
typedef enum sloe_trt_end {
  SLOE_TRT_CUT,
  SLOE_TRT_PASSED,
  SLOE_TRT_FAILED,
  SLOE_TRT_WAIVED
} sloe_trt_end;

/* What trtexec's own words say against a run, as bits. X(NAME, bit, text) */
#define SLOE_TRT_REMARK_MAP(X)                                                       \
  X(HELP, 0, "trtexec printed its help: an option was not known, or none was given") \
  X(BUILD_FAILED, 1, "the engine was not built")                                     \
  X(LOAD_FAILED, 2, "the engine was not loaded")                                     \
  X(OUT_OF_MEMORY, 3, "memory ran out")                                              \
  X(DYNAMIC_AT_ONE, 4, "dynamic dimensions without --shapes were taken as 1")        \
  X(PROFILER_ON, 5, "layers were profiled in the timed run itself, which slows it")  \
  X(ENQUEUE_BOUND, 6, "bound by the time to enqueue rather than by the GPU")         \
  X(H2D_BOUND, 7, "bound by copies to the device")                                   \
  X(D2H_BOUND, 8, "bound by copies from the device")                                 \
  X(UNSTABLE, 9, "GPU compute time is unstable")                                     \
  X(NO_INFERENCE, 10, "the engine was built only: nothing was timed")

enum {
#define SLOE_TRT_REMARK_ENUM(name, bit, text) SLOE_TRT_##name = 1u << (bit),
  SLOE_TRT_REMARK_MAP(SLOE_TRT_REMARK_ENUM)
#undef SLOE_TRT_REMARK_ENUM
};
/* The text of one bit. Never NULL. */
const char *sloe_trt_remark_text(unsigned bit);

/* A graph input or output as the log names it. */
typedef struct sloe_trt_binding {
  const char *name;
  sloe_shape shape; /* rank -1: unknown. Of an implicit batch (to 7.x) it is without it */
  int is_output;
} sloe_trt_binding;

/* "Average on 10 runs - GPU latency: ... - Host latency: ... (end to end ..., enqueue ...)" */
typedef struct sloe_trt_average {
  int64_t runs;
  double gpu_ms, host_ms, end_to_end_ms, enqueue_ms;
} sloe_trt_average;

/* ---- a profile ---- */

typedef struct sloe_trt_layer_time {
  const char *name;
  double total_ms;   /* of all iterations */
  double average_ms; /* total over count: the finer one of short layers, whose median is a multiple
                        of about 0.001 ms */
  double median_ms;  /* from 8.4, else NAN */
  double percent;    /* of all layers, as printed */
} sloe_trt_layer_time;

typedef struct sloe_trt_profile {
  int64_t count; /* iterations, those of the warm-up among them; -1: unknown */
  const sloe_trt_layer_time *layers;
  size_t n_layers;
  double sum_ms;                            /* of the layers' averages */
  double total_average_ms, total_median_ms; /* of a table's last line, as printed; NAN */
} sloe_trt_profile;

/* ---- a run ---- */

typedef struct sloe_trt_run {
  uint64_t line; /* of the file on which it begins, from 1 */
  int has_begin; /* 1: "&&&& RUNNING" stands there */
  sloe_trt_end end;
  unsigned remarks;        /* bits */
  double unstable_percent; /* coefficient of variance of a run that is UNSTABLE; NAN */
  const char *command;     /* as printed behind '#' */
  const char *version; /* "8.2.1"; of logs that do not say, what their lines tell: "7.1"; or "" */
  int version_number;  /* major * 10000 + minor * 100 + patch; 0 */
  int version_told;    /* 1: printed; 0: by the lines' words */
  /* the device block; unknown before 8.0 */
  const char *device;         /* "NVIDIA Tegra X1", "Orin" */
  int compute_capability;     /* major * 10 + minor; 0 */
  int64_t sms;                /* 0 */
  double gpu_mhz, memory_mhz; /* the chip's, not the power mode's. On Jetson memory_mhz is wrong */
  double memory_mib;
  /* options as trtexec echoes them */
  const char *model, *save_engine, *load_engine;
  const char *times_path, *profile_path, *layers_path; /* --exportTimes, ... */
  const char *precisions;                              /* "FP32+FP16" */
  const char *precision; /* the lowest of them: "fp32", "fp16", "int8"; "" of a loaded engine whose
                            command line does not say */
  int64_t batch;         /* --batch, else the first input's leading dimension; 0: unknown */
  const char *shapes;    /* --shapes as given */
  int64_t streams, dla_core; /* dla_core -1: none */
  int cuda_graph, spin_wait, transfers, profiler, separate_profile,
      multithreading;           /* -1: unknown */
  int64_t iterations;           /* asked for; -1 */
  double warmup_ms, duration_s; /* asked for */
  const sloe_trt_binding *bindings;
  size_t n_bindings;
  /* what was built; 0 and NAN: unknown */
  double build_s, engine_mib;
  double weights_bytes, activation_bytes, scratch_bytes, persistent_bytes;
  double runtime_mib; /* TensorRT's own allocations when the execution context stood */
  const char *const *gpu_layers, *const *dla_layers; /* names that the builder lists */
  size_t n_gpu_layers, n_dla_layers;
  /* what was measured */
  int64_t warmup_queries, queries; /* -1 */
  double throughput_qps, walltime_s, compute_s;
  sloe_trt_figures gpu, host, end_to_end, enqueue, h2d, d2h; /* host: copies and compute */
  const sloe_trt_average *averages;
  size_t n_averages;
  const sloe_trt_profile *profile; /* --dumpProfile; NULL */
  const char *const *warnings;     /* [W] lines, the first 100 */
  size_t n_warnings;
  const char *const *errors; /* [E] and [F] lines, the first 100 */
  size_t n_errors;
} sloe_trt_run;

/* The p-th percentile of the summary; NAN where it does not stand there. */
double sloe_trt_percentile(const sloe_trt_figures *figures, double percent);

/* ---- exported times ---- */

/* One inference; each is a duration but start_ms. */
typedef struct sloe_trt_time {
  double start_ms; /* of computing, since the first inference of the warm-up */
  double compute_ms, h2d_ms, d2h_ms, host_ms, enqueue_ms;
} sloe_trt_time;

typedef struct sloe_trt_times {
  const sloe_trt_time *records;
  size_t n;
  int swapped;        /* 1: of 7.1 or 7.2, put right */
  int oldest, newest; /* versions that write such keys, major * 100 + minor; newest 0: any later */
} sloe_trt_times;

/* Up to 8.4 the warm-up's inferences are exported too. First record that counts: the first whose
   computing starts at `warmup_ms` or later, as trtexec itself has it; `n` where none does. */
size_t sloe_trt_times_behind_warmup(const sloe_trt_times *times, double warmup_ms);

/* trtexec's percentile of `n` values, which are sorted in place; NAN of none. 50 gives the upper of
   the two middle ones, which trtexec's median is not: that is their mean, sloe_trt_median. */
double sloe_trt_percentile_of(double *values, size_t n, double percent);
double sloe_trt_median(double *values, size_t n);

/* ---- layer info ---- */

typedef struct sloe_trt_tensor {
  const char *name, *format; /* "Channel major FP16 format where channel % 8 == 0" */
  sloe_shape shape;
} sloe_trt_tensor;

typedef struct sloe_trt_layer {
  const char *name;
  const char *type; /* LayerType, "CaskConvolution"; "" without --profilingVerbosity=detailed */
  const char *parameter; /* ParameterType, "Convolution" */
  const char *origin, *activation, *tactic;
  const char *const *onnx; /* ONNX nodes in it, of "Metadata"; none before 8.6 */
  size_t n_onnx;
  const sloe_trt_tensor *in, *out;
  size_t n_in, n_out;
  int64_t kernel[2], stride[2], pads[4], dilation[2]; /* of pooling too; 0: not there */
  int64_t filters, groups;                            /* OutMaps, Groups; 0 */
  int64_t stream;                                     /* -1 */
} sloe_trt_layer;

typedef struct sloe_trt_layers {
  const sloe_trt_layer *layers;
  size_t n_layers;
  int detailed; /* 0: names only */
  const char *const *bindings;
  size_t n_bindings;
} sloe_trt_layers;

/* ---- files ---- */

typedef enum sloe_trt_kind {
  SLOE_TRT_LOG,
  SLOE_TRT_TIMES,
  SLOE_TRT_PROFILE,
  SLOE_TRT_LAYERS
} sloe_trt_kind;

typedef struct sloe_trt_file {
  sloe_trt_kind kind;
  int cut;                  /* 1: JSON that ends too early, or a log whose last run has no end */
  const sloe_trt_run *runs; /* of a LOG, in its order; else the one of its kind */
  size_t n_runs;
  const sloe_trt_times *times; /* JSON written twice into one file: one each */
  size_t n_times;
  const sloe_trt_profile *profiles;
  size_t n_profiles;
  const sloe_trt_layers *layers;
  size_t n_layers;
} sloe_trt_file;

/* Read `len` bytes of any of the four. They are not needed afterwards. What was read and all that
   is in it takes at most `memory_limit` bytes (0: 256 MiB). On success the caller frees *out with
   sloe_trt_free. A run that failed, or printed nothing but its help, is a run: look at `end` and
   `remarks`. Errors: FORMAT (nothing of trtexec is in it; the message says what it is instead,
   where that can be told), NOMEM. */
sloe_status sloe_trt_read(const void *bytes, size_t len, size_t memory_limit, sloe_trt_file **out,
                          sloe_error *err);
void sloe_trt_free(sloe_trt_file *file);

#endif
