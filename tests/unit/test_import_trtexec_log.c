/* What trtexec prints and exports, by version, in small pieces made by hand. */
#include <math.h>

#include "device/device.h"
#include "unit/unit.h"

static sloe_trt_file *read_text(const char *text) {
  sloe_trt_file *file;
  sloe_error err;
  assert_ok(sloe_trt_read(text, strlen(text), 0, &file, &err), err);
  return file;
}

static const sloe_trt_run *only_run(const sloe_trt_file *file) {
  assert_int_equal(file->kind, SLOE_TRT_LOG);
  assert_int_equal(file->n_runs, 1);
  return file->runs;
}

static void refused(const char *text, const char *why) {
  sloe_trt_file *file = (sloe_trt_file *)&file;
  sloe_error err;
  assert_refused(sloe_trt_read(text, strlen(text), 0, &file, &err), SLOE_FORMAT, err, why);
  assert_null(file);
}

static void close_to(double a, double b) {
  if (!(fabs(a - b) <= 1e-12 * fmax(1, fabs(b)))) fail_msg("%g is not %g", a, b);
}

#define FRAME(word, version, command) "&&&& " word " TensorRT.trtexec" version " # " command "\n"
#define I                             "[05/13/2026-12:54:14] [I] "
#define W                             "[05/13/2026-12:54:14] [W] "
#define E                             "[05/13/2026-12:54:14] [E] "

/* ---- logs ---- */

static void versions_are_told_by_frame_line_or_the_lines_there_are(void **state) {
  static const struct {
    const char *text, *version;
    int number, told;
  } cases[] = {
      {FRAME("RUNNING", " [TensorRT v8201]", "trtexec"), "8.2.1", 80201, 1},
      {FRAME("RUNNING", " [TensorRT v100300]", "trtexec"), "10.3.0", 100300, 1},
      {FRAME("RUNNING", " [TensorRT v101600] [b18]", "trtexec"), "10.16.0", 101600, 1},
      {FRAME("RUNNING", " [TensorRT v110100]", "trtexec"), "11.1.0", 110100, 1},
      {FRAME("RUNNING", "", "trtexec") I "TensorRT version: 8001\n", "8.0.1", 80001, 1},
      {FRAME("RUNNING", "", "trtexec") I "TensorRT version: 8.5.2\n", "8.5.2", 80502, 1},
      {FRAME("RUNNING", "", "trtexec") I "Host Latency\n" I "GPU Compute\n", "7.0", 70000, 0},
      {FRAME("RUNNING", "", "trtexec") I "Host Latency\n" I "Enqueue Time\n", "7.1", 70100, 0},
      {FRAME("RUNNING", "", "trtexec") I "Data transfers: Enabled\n" I "Host Latency\n" I
                                         "Enqueue Time\n",
       "7.2", 70200, 0},
      {FRAME("RUNNING", "", "trtexec") I "Average over 10 runs is 5 ms (host walltime is 6 ms, 99% "
                                         "percentile time is 7).\n",
       "6.0", 60000, 0},
      {FRAME("RUNNING", " [TensorRT v99999999]", "trtexec"), "", 0, 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sloe_trt_file *file = read_text(cases[i].text);
    const sloe_trt_run *run = only_run(file);
    assert_string_equal(run->version, cases[i].version);
    assert_int_equal(run->version_number, cases[i].number);
    assert_int_equal(run->version_told, cases[i].told);
    sloe_trt_free(file);
  }
}

static void averages_of_6_0_are_taken_together(void **state) {
  (void)state;
  sloe_trt_file *file = read_text(
      FRAME("RUNNING", "", "trtexec --onnx=m.onnx --fp16") I
      "Average over 10 runs is 1.29e+03 ms (host walltime is 1300.5 ms, 99% percentile time is "
      "1310).\n" I
      "Average over 30 runs is 890 ms (host walltime is 900.5 ms, 99% percentile "
      "time is 911.25).\n" FRAME("PASSED", "", "trtexec --onnx=m.onnx --fp16"));
  const sloe_trt_run *run = only_run(file);
  assert_int_equal(run->end, SLOE_TRT_PASSED);
  close_to(run->gpu.mean_ms, 990);
  close_to(run->host.mean_ms, 1000.5);
  assert_true(isnan(run->gpu.median_ms));
  close_to(sloe_trt_percentile(&run->gpu, 99), 911.25);
  assert_string_equal(run->precision, "fp16");
  assert_string_equal(run->model, "m.onnx");
  sloe_trt_free(file);
}

static void blocks_of_7_x_and_lines_from_8_0_are_the_same_figures(void **state) {
  static const char *const texts[] = {
      FRAME("RUNNING", "", "trtexec") I
      "Host Latency\n" I "min: 2 ms (end to end 3 ms)\n" I "max: 4 ms (end to end 5 ms)\n" I
      "mean: 2.5 ms (end to end 3.5 ms)\n" I "median: 2.25 ms (end to end 3.25 ms)\n" I
      "percentile: 3.75 ms at 99% (end to end 4.75 ms at 99%)\n" I "throughput: 400 qps\n" I
      "walltime: 3 s\n" I "Enqueue Time\n" I "min: 0.5 ms\n" I "max: 0.75 ms\n" I
      "median: 0.625 ms\n" I "GPU Compute\n" I "min: 1 ms\n" I "max: 3 ms\n" I "mean: 1.5 ms\n" I
      "median: 1.25 ms\n" I "percentile: 2.75 ms at 99%\n" I "total compute time: 2 s\n",
      FRAME("RUNNING", " [TensorRT v8201]", "trtexec") I
      "Throughput: 400 qps\n" I
      "Latency: min = 2 ms, max = 4 ms, mean = 2.5 ms, median = 2.25 ms, percentile(99%) = 3.75 "
      "ms\n" I
      "End-to-End Host Latency: min = 3 ms, max = 5 ms, mean = 3.5 ms, median = 3.25 ms, "
      "percentile(99%) = 4.75 ms\n" I
      "Enqueue Time: min = 0.5 ms, max = 0.75 ms, mean = nan ms, median = 0.625 ms, "
      "percentile(99%) = 0.75 ms\n" I
      "GPU Compute Time: min = 1 ms, max = 3 ms, mean = 1.5 ms, median = 1.25 ms, "
      "percentile(99%) = 2.75 ms\n" I "Total Host Walltime: 3 s\n" I
      "Total GPU Compute Time: 2 s\n",
  };
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    sloe_trt_file *file = read_text(texts[i]);
    const sloe_trt_run *run = only_run(file);
    close_to(run->gpu.median_ms, 1.25);
    close_to(run->gpu.mean_ms, 1.5);
    close_to(sloe_trt_percentile(&run->gpu, 99), 2.75);
    assert_true(isnan(sloe_trt_percentile(&run->gpu, 90)));
    close_to(run->host.min_ms, 2);
    close_to(sloe_trt_percentile(&run->host, 99), 3.75);
    close_to(run->end_to_end.median_ms, 3.25);
    close_to(sloe_trt_percentile(&run->end_to_end, 99), 4.75);
    close_to(run->enqueue.median_ms, 0.625);
    assert_true(isnan(run->enqueue.mean_ms));
    close_to(run->throughput_qps, 400);
    close_to(run->walltime_s, 3);
    close_to(run->compute_s, 2);
    sloe_trt_free(file);
  }
}

#define GPU_TIME(median) I "GPU Compute Time: min = 1 ms, median = " median " ms\n"
#define ENQUEUE(median)  I "Enqueue Time: min = 1 ms, median = " median " ms\n"

static void what_a_run_says_against_itself_is_a_remark(void **state) {
  static const struct {
    const char *text;
    unsigned remark;
  } cases[] = {
      {FRAME("RUNNING", " [TensorRT v8201]", "trtexec") GPU_TIME("2") ENQUEUE("1.5"), 0},
      {FRAME("RUNNING", " [TensorRT v8201]", "trtexec") GPU_TIME("2") ENQUEUE("1.7"),
       SLOE_TRT_ENQUEUE_BOUND},
      {FRAME("RUNNING", " [TensorRT v8201]", "trtexec --exportProfile=p.json") GPU_TIME("2")
           ENQUEUE("2"),
       SLOE_TRT_PROFILER_ON},
      {FRAME("RUNNING", " [TensorRT v8201]", "trtexec --dumpProfile --separateProfileRun"), 0},
      {FRAME("RUNNING", " [TensorRT v8201]", "trtexec") I "Profile: Enabled\n" I
                                                          "Separate profiling: Disabled\n",
       SLOE_TRT_PROFILER_ON},
      {FRAME("RUNNING", " [TensorRT v110100]", "trtexec --dumpProfile"), 0}, /* in its own run */
      {FRAME("RUNNING", "", "trtexec") W
       "Dynamic dimensions required for input: x, but no shapes "
       "were provided. Automatically overriding shape to: 1x3x1x1\n",
       SLOE_TRT_DYNAMIC_AT_ONE},
      {FRAME("RUNNING", "", "trtexec") W "Dynamic dimensions required for input: x, but no shapes "
                                         "were provided. Automatically overriding shape to: "
                                         "1x3x224x224\n",
       0},
      {FRAME("RUNNING", "", "trtexec") W "* GPU compute time is unstable, with coefficient of "
                                         "variance = 4.65123%.\n",
       SLOE_TRT_UNSTABLE},
      {FRAME("RUNNING", "", "trtexec") W
       "* Throughput may be bound by host-to-device transfers for "
       "the inputs rather than GPU Compute\n",
       SLOE_TRT_H2D_BOUND},
      {FRAME("RUNNING", "", "trtexec --onnx=m.onnx --buildOnly"), SLOE_TRT_NO_INFERENCE},
      {FRAME("RUNNING", "", "trtexec") E
       "Engine could not be created from network\n" FRAME("FAILED", "", "trtexec"),
       SLOE_TRT_BUILD_FAILED},
      {FRAME("RUNNING", "", "trtexec --loadEngine=e") E "Engine set up failed\n",
       SLOE_TRT_LOAD_FAILED},
      {FRAME("RUNNING", "", "trtexec --onnx=m") E "Engine set up failed\n", SLOE_TRT_BUILD_FAILED},
      {FRAME("RUNNING", "", "trtexec") E "[TRT] 1: OutOfMemory (no further information)\n",
       SLOE_TRT_OUT_OF_MEMORY},
      {FRAME("RUNNING", "", "trtexec") "Killed\n", SLOE_TRT_OUT_OF_MEMORY},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sloe_trt_file *file = read_text(cases[i].text);
    if (only_run(file)->remarks != cases[i].remark)
      fail_msg("case %zu: %x", i, only_run(file)->remarks);
    sloe_trt_free(file);
  }
}

static void a_log_that_is_mixed_with_others_and_prefixed_is_read(void **state) {
  (void)state;
  sloe_trt_file *file = read_text(
      "pulling image ...\r\n"
      "2026-05-13T12:54:14Z " FRAME("RUNNING", " [TensorRT v8502]", "trtexec --loadEngine=a.plan")
          "2026-05-13T12:54:14Z [05/13/2026-12:54:14] [I] Selected Device: Xavier\r\n"
          "RAM 1/2MB\r\n" I "Compute Capability: 7.2\n" I "SMs: 6\n" I "Precision: FP32\n" I
          "Created input binding for in put:0 with dimensions 2x3x8x8\n"
          FRAME("PASSED", " [TensorRT v8502]", "trtexec --loadEngine=a.plan") I
          "[TRT] [MemUsageChange] Init CUDA: CPU +0, GPU +0, now: CPU 1, GPU 2 (MiB)\n"
          FRAME("RUNNING", " [TensorRT v8502]", "trtexec --onnx=b.onnx --int8"));
  assert_int_equal(file->n_runs, 2);
  assert_int_equal(file->cut, 1);
  assert_int_equal(file->runs[0].line, 2);
  assert_string_equal(file->runs[0].device, "Xavier");
  assert_int_equal(file->runs[0].compute_capability, 72);
  assert_int_equal(file->runs[0].batch, 2);
  assert_string_equal(file->runs[0].bindings[0].name, "in put:0");
  assert_string_equal(file->runs[0].precision, ""); /* FP32 is echoed for any loaded engine */
  assert_int_equal(file->runs[1].end, SLOE_TRT_CUT);
  assert_string_equal(file->runs[1].precision, "int8");
  sloe_trt_free(file);
}

static void the_lowest_precision_that_is_allowed_is_the_runs(void **state) {
  static const struct {
    const char *text, *precision;
  } cases[] = {
      {FRAME("RUNNING", " [TensorRT v8502]", "trtexec --onnx=m.onnx"), "fp32"},
      {FRAME("RUNNING", " [TensorRT v8502]", "trtexec --onnx=m.onnx --fp16"), "fp16"},
      {FRAME("RUNNING", " [TensorRT v8502]", "trtexec --onnx=m.onnx --fp16 --int8"), "int8"},
      {FRAME("RUNNING", " [TensorRT v8502]", "trtexec --onnx=m.onnx --best"), "int8"},
      {FRAME("RUNNING", " [TensorRT v8502]", "trtexec --onnx=m.onnx") I "Precision: FP32+FP16\n",
       "fp16"},
      {FRAME("RUNNING", " [TensorRT v100300]", "trtexec --onnx=m.onnx --stronglyTyped"), ""},
      {FRAME("RUNNING", " [TensorRT v110100]", "trtexec --onnx=m.onnx"), ""},
      {FRAME("RUNNING", " [TensorRT v8502]", "trtexec --loadEngine=m_FP16--int8.plan"), ""},
      {FRAME("RUNNING", " [TensorRT v8001]", "trtexec --loadEngine=m --fp16"), "fp16"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    sloe_trt_file *file = read_text(cases[i].text);
    assert_string_equal(only_run(file)->precision, cases[i].precision);
    sloe_trt_free(file);
  }
}

static void layers_that_the_builder_lists_are_kept(void **state) {
  (void)state;
  sloe_trt_file *file =
      read_text(FRAME("RUNNING", "", "trtexec") I
                "[TRT] \n" I "[TRT] --------------- Layers running on DLA: \n" I "[TRT] \n" I
                "[TRT] --------------- Layers running on GPU: \n" I
                "[TRT] conv1 + relu1, PWN(a, b), pool5, \n" I "[TRT] something else, and more\n");
  assert_int_equal(only_run(file)->n_dla_layers, 0);
  assert_int_equal(only_run(file)->n_gpu_layers, 3);
  assert_string_equal(only_run(file)->gpu_layers[1], "PWN(a, b)");
  sloe_trt_free(file);
  file = read_text(FRAME("RUNNING", "", "trtexec") I
                   "[TRT] [GpuLayer] CONVOLUTION: /c/Conv + /r\n" I "[TRT] [GpuLayer] /d: x\n" I
                   "[TRT] [DlaLayer] {ForeignNode[a...b]}\n");
  assert_int_equal(only_run(file)->n_gpu_layers, 2);
  assert_string_equal(only_run(file)->gpu_layers[0], "/c/Conv + /r");
  assert_string_equal(only_run(file)->gpu_layers[1], "/d: x");
  assert_string_equal(only_run(file)->dla_layers[0], "{ForeignNode[a...b]}");
  sloe_trt_free(file);
}

/* ---- profile tables ---- */

static void a_table_may_have_names_first_or_last(void **state) {
  static const char *const texts[] = {
      FRAME("RUNNING", "", "trtexec") I
      "=== Profile (10 iterations ) ===\n" I
      "   Layer   Time (ms)   Avg. Time (ms)   Median Time (ms)   Time %\n" I
      "     conv 1 + relu 2       20.00      2.0000      1.9000    66.7\n" I
      "  Reformatting CopyNode for Input Tensor 0 to b, [c] 7   10.00  1.0000  0.9000  33.3\n" I
      "   Total    30.00    3.0000    2.8000   100.0\n" I "\n",
      FRAME("RUNNING", "", "trtexec") I
      "=== Profile (10 iterations ) ===\n" I
      "    Time(ms)     Avg.(ms)   Median(ms)   Time(%)   Layer\n" I
      "       20.00      2.0000      1.9000    66.7   conv 1 + relu 2\n" I
      "       10.00      1.0000      0.9000    33.3   Reformatting CopyNode for Input Tensor 0 to "
      "b, "
      "[c] 7\n" I "   30.00    3.0000    2.8000   100.0   Total\n",
  };
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    sloe_trt_file *file = read_text(texts[i]);
    const sloe_trt_profile *p = only_run(file)->profile;
    assert_non_null(p);
    assert_int_equal(p->count, 10);
    assert_int_equal(p->n_layers, 2);
    assert_string_equal(p->layers[0].name, "conv 1 + relu 2");
    close_to(p->layers[0].average_ms, 2);
    close_to(p->layers[0].median_ms, 1.9);
    close_to(p->layers[1].percent, 33.3);
    assert_string_equal(p->layers[1].name, "Reformatting CopyNode for Input Tensor 0 to b, [c] 7");
    close_to(p->total_average_ms, 3);
    close_to(p->total_median_ms, 2.8);
    close_to(p->sum_ms, 3);
    sloe_trt_free(file);
  }
}

static void a_table_without_medians_leaves_a_names_own_number_to_it(void **state) {
  (void)state;
  sloe_trt_file *file = read_text(FRAME("RUNNING", "", "trtexec") I
                                  "=== Profile (5 iterations ) ===\n" I
                                  "   Layer   Time (ms)   Avg. Time (ms)   Time %\n" I
                                  "   block 5     20.00      4.0000      100.0\n");
  assert_string_equal(only_run(file)->profile->layers[0].name, "block 5");
  assert_true(isnan(only_run(file)->profile->layers[0].median_ms));
  assert_true(isnan(only_run(file)->profile->total_average_ms)); /* cut before its last line */
  sloe_trt_free(file);
}

static void the_table_of_6_0_is_read(void **state) {
  (void)state;
  sloe_trt_file *file = read_text(FRAME(
      "RUNNING", "", "trtexec") "========== Layer time profile ==========\n"
                                "TensorRT layer name  Runtime, %  Invocations  "
                                "Runtime, ms\n"
                                " conv1 + relu1      75.0%     4     6.00\n"
                                " pool 2   25.0%    4    2.00\n"
                                "========== Layer total runtime = 8 ms "
                                "==========\n");
  const sloe_trt_profile *p = only_run(file)->profile;
  assert_int_equal(p->n_layers, 2);
  assert_int_equal(p->count, 4);
  assert_string_equal(p->layers[1].name, "pool 2");
  close_to(p->layers[0].average_ms, 1.5);
  sloe_trt_free(file);
}

/* ---- JSON ---- */

static void names_that_nobody_escaped_are_read(void **state) {
  static const struct {
    const char *in_file, *name;
  } cases[] = {
      {"a\"b", "a\"b"},
      {"a\\b", "a\\b"},
      {"a \"b\", c", "a \"b\", c"},
      {"ends in \"", "ends in \""},
      {"ends in \\", "ends in \\"},
      {"{\"x\": [1]}", "{\"x\": [1]}"},
      {"was \\\"escaped\\\"", "was \"escaped\""},
      {"\\u00e9\\ud83d\\ude00", "\xc3\xa9\xf0\x9f\x98\x80"},
      {"C:\\new\\bin", "C:\\new\\bin"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[512];
    snprintf(text, sizeof text,
             "[\n  { \"count\" : 3 }\n, { \"name\" : \"%s\", \"timeMs\" : 3, \"averageMs\" : 1, "
             "\"percentage\" : 60 }\n, { \"name\" : \"z\", \"timeMs\" : 2, \"averageMs\" : 0.5, "
             "\"percentage\" : 40 }\n]\n",
             cases[i].in_file);
    sloe_trt_file *file = read_text(text);
    assert_int_equal(file->kind, SLOE_TRT_PROFILE);
    assert_int_equal(file->profiles[0].n_layers, 2);
    assert_string_equal(file->profiles[0].layers[0].name, cases[i].name);
    close_to(file->profiles[0].layers[0].average_ms, 1);
    close_to(file->profiles[0].sum_ms, 1.5);
    sloe_trt_free(file);
  }
}

static void documents_that_follow_one_another_are_each_kept(void **state) {
  (void)state;
  sloe_trt_file *file = read_text(
      "[ { \"computeMs\" : 1, \"h2dMs\" : 0 } ]\n"
      "[ { \"computeMs\" : 2, \"h2dMs\" : 0 }, { \"computeMs\" : inf } ]");
  assert_int_equal(file->n_times, 2);
  assert_int_equal(file->cut, 0);
  assert_int_equal(file->times[1].n, 2);
  close_to(file->times[1].records[0].compute_ms, 2);
  assert_true(isinf(file->times[1].records[1].compute_ms));
  sloe_trt_free(file);
}

static void a_file_that_is_cut_keeps_what_was_whole(void **state) {
  static const char whole[] =
      "[\n  { \"startComputeMs\" : 1, \"computeMs\" : 1.5 }\n, { \"startComputeMs\" : 2, "
      "\"computeMs\" : 2.5 }\n]\n";
  (void)state;
  for (size_t len = 1; len < sizeof whole - 3; len++) {
    sloe_trt_file *file;
    sloe_error err;
    const sloe_status status = sloe_trt_read(whole, len, 0, &file, &err);
    assert_true(status == SLOE_OK || status == SLOE_FORMAT);
    assert_int_equal(status == SLOE_OK, file != NULL);
    if (!file) continue;
    assert_int_equal(file->cut, 1);
    close_to(file->times[0].records[0].compute_ms, 1.5);
    sloe_trt_free(file);
  }
}

static void swapped_fields_of_7_1_and_7_2_are_put_right(void **state) {
  (void)state;
  sloe_trt_file *file = read_text(
      "[ { \"startEnqMs\" : 0.25, \"endEnqMs\" : 0.5, \"startInMs\" : 1, \"endInMs\" : 8, "
      "\"startComputeMs\" : 0.5, \"endComputeMs\" : 7.5, \"inMs\" : 0.25, \"computeMs\" : 7, "
      "\"outMs\" : 0.125, \"latencyMs\" : 7.375, \"endToEndMs\" : 8 } ]");
  const sloe_trt_times *t = file->times;
  assert_int_equal(t->swapped, 1);
  assert_int_equal(t->oldest, 701);
  assert_int_equal(t->newest, 702);
  close_to(t->records[0].enqueue_ms, 7);
  close_to(t->records[0].h2d_ms, 0.25);
  close_to(t->records[0].d2h_ms, 0.125);
  close_to(t->records[0].host_ms, 7.375);
  sloe_trt_free(file);
  file =
      read_text("[ { \"startEnqMs\" : 1, \"endEnqMs\" : 3, \"h2dMs\" : 0, \"computeMs\" : 7 } ]");
  assert_int_equal(file->times[0].swapped, 0);
  assert_int_equal(file->times[0].oldest, 804);
  close_to(file->times[0].records[0].enqueue_ms, 2);
  sloe_trt_free(file);
}

static void the_warm_up_ends_where_trtexec_ends_it(void **state) {
  (void)state;
  sloe_trt_file *file = read_text(
      "[ { \"startComputeMs\" : 1, \"computeMs\" : 9 },"
      "  { \"startComputeMs\" : 199, \"computeMs\" : 9 },"
      "  { \"startComputeMs\" : 200, \"computeMs\" : 9 } ]");
  assert_int_equal(sloe_trt_times_behind_warmup(file->times, 200), 2);
  assert_int_equal(sloe_trt_times_behind_warmup(file->times, 0), 0);
  assert_int_equal(sloe_trt_times_behind_warmup(file->times, 201), 3);
  sloe_trt_free(file);
}

static void percentiles_are_those_of_trtexec(void **state) {
  double x[] = {3, 1, 2, 5, 4}, y[] = {4, 1, 3, 2};
  (void)state;
  close_to(sloe_trt_percentile_of(x, 5, 99), 5);
  close_to(sloe_trt_percentile_of(x, 5, 75), 4);
  close_to(sloe_trt_percentile_of(x, 5, 0), 1);
  close_to(sloe_trt_median(x, 5), 3);
  close_to(sloe_trt_median(y, 4), 2.5);
  assert_true(isnan(sloe_trt_median(y, 0)));
  assert_true(isnan(sloe_trt_percentile_of(y, 0, 50)));
}

static void layer_info_is_objects_or_names(void **state) {
  (void)state;
  sloe_trt_file *file = read_text(
      "{\"Layers\": [{\"Name\": \"c + r\", \"LayerType\": \"CaskConvolution\", \"Inputs\": "
      "[{\"Name\": "
      "\"x\", \"Dimensions\": [1,3,8,8], \"Format/Datatype\": \"Row major linear FP16 format\"}], "
      "\"Outputs\": [], \"Kernel\": [3,5], \"PrePadding\": [1,2], \"PostPadding\": [0,1], "
      "\"Stride\": "
      "[2,1], \"OutMaps\": 64, \"Groups\": 2, \"StreamId\": 0, \"Metadata\": \"[ONNX Layer: "
      "/c[0]]\\u001e[ONNX Layer: r]\"}], \"Bindings\": [\"x\", \"y\"]}");
  const sloe_trt_layers *info = file->layers;
  const sloe_trt_layer *layer = info->layers;
  assert_int_equal(file->kind, SLOE_TRT_LAYERS);
  assert_int_equal(info->detailed, 1);
  assert_int_equal(info->n_bindings, 2);
  assert_int_equal(layer->kernel[1], 5);
  assert_int_equal(layer->pads[1], 2);
  assert_int_equal(layer->pads[3], 1);
  assert_int_equal(layer->filters, 64);
  assert_int_equal(layer->in->shape.dim[1], 3);
  assert_int_equal(layer->n_onnx, 2);
  assert_string_equal(layer->onnx[0], "/c[0]");
  assert_string_equal(layer->onnx[1], "r");
  sloe_trt_free(file);
  file = read_text("{\"Layers\": [\"a + b\", \"c \"d\"\", \"e\"], \"Bindings\": []}");
  assert_int_equal(file->layers->detailed, 0);
  assert_int_equal(file->layers->n_layers, 3);
  assert_string_equal(file->layers->layers[1].name, "c \"d\"");
  sloe_trt_free(file);
}

/* ---- refusals ---- */

static void what_trtexec_did_not_write_is_refused_with_what_it_is(void **state) {
  (void)state;
  refused("", "nothing that trtexec");
  refused("notes: we measured 5 ms\nBatch: 1\n", "nothing that trtexec");
  refused(I "Throughput: 12.9 qps\n" I "Latency: min = 75 ms, max = 76 ms\n",
          "a summary without its run");
  refused("[]", "an array without times");
  refused("[ { \"count\" : 3 } ]", "a profile without a layer");
  refused("{}", "JSON that trtexec does not write");
  refused("{\"Layers\": []}", "layer info without a layer");
  refused("{\"build_options\": {}}", "options of a build");
  refused("[ { \"computeMs\" : x } ]", "no value of JSON");
  refused("{\"Layers\": [{\"Name\": \"a\"}]} x", "no JSON at byte 28");
}

static void nesting_and_memory_are_bounded(void **state) {
  char deep[256];
  sloe_trt_file *file = NULL;
  sloe_error err;
  (void)state;
  memset(deep, '[', sizeof deep - 1);
  deep[sizeof deep - 1] = 0;
  deep[1] = '{';
  memcpy(deep + 2, "\"a\":", 4);
  refused(deep, "nested deeper");
  static const char text[] = "[ { \"computeMs\" : 1 }, { \"computeMs\" : 1 } ]";
  assert_refused(sloe_trt_read(text, strlen(text), 64, &file, &err), SLOE_NOMEM, err, "the limit");
  assert_null(file);
}

static void any_allocation_may_fail(void **state) {
  static const char *const texts[] = {
      FRAME("RUNNING", " [TensorRT v8201]", "trtexec --onnx=a.onnx") W
      "a warning\n" E "an error\n" I "=== Profile (1 iterations ) ===\n" I
      "   a   1.0  1.0  1.0  100.0\n" I "Created input binding for x with dimensions 1x3\n" I
      "[TRT] [GpuLayer] a + b\n",
      "[ { \"computeMs\" : 1 }, { \"computeMs\" : 1 } ] [ { \"name\": \"a\", \"averageMs\": 1 } ]",
      "{\"Layers\": [{\"Name\": \"a\", \"Inputs\": [{\"Name\": \"x\"}], \"Metadata\": \"[ONNX "
      "Layer: "
      "a]\"}], \"Bindings\": [\"x\"]}",
  };
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    for (long n = 0;; n++) {
      const long live = sloe_alloc_live();
      sloe_trt_file *file;
      sloe_error err = {0};
      sloe_alloc_fail_after(n);
      const sloe_status status = sloe_trt_read(texts[i], strlen(texts[i]), 0, &file, &err);
      sloe_alloc_fail_after(-1);
      assert_true(status == SLOE_OK || status == SLOE_NOMEM);
      assert_int_equal(status == SLOE_OK, file != NULL);
      sloe_trt_free(file);
      assert_int_equal(sloe_alloc_live(), live);
      if (status == SLOE_OK) break;
      assert_true(err.msg[0]);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(versions_are_told_by_frame_line_or_the_lines_there_are),
      cmocka_unit_test(averages_of_6_0_are_taken_together),
      cmocka_unit_test(blocks_of_7_x_and_lines_from_8_0_are_the_same_figures),
      cmocka_unit_test(what_a_run_says_against_itself_is_a_remark),
      cmocka_unit_test(a_log_that_is_mixed_with_others_and_prefixed_is_read),
      cmocka_unit_test(the_lowest_precision_that_is_allowed_is_the_runs),
      cmocka_unit_test(layers_that_the_builder_lists_are_kept),
      cmocka_unit_test(a_table_may_have_names_first_or_last),
      cmocka_unit_test(a_table_without_medians_leaves_a_names_own_number_to_it),
      cmocka_unit_test(the_table_of_6_0_is_read),
      cmocka_unit_test(names_that_nobody_escaped_are_read),
      cmocka_unit_test(documents_that_follow_one_another_are_each_kept),
      cmocka_unit_test(a_file_that_is_cut_keeps_what_was_whole),
      cmocka_unit_test(swapped_fields_of_7_1_and_7_2_are_put_right),
      cmocka_unit_test(the_warm_up_ends_where_trtexec_ends_it),
      cmocka_unit_test(percentiles_are_those_of_trtexec),
      cmocka_unit_test(layer_info_is_objects_or_names),
      cmocka_unit_test(what_trtexec_did_not_write_is_refused_with_what_it_is),
      cmocka_unit_test(nesting_and_memory_are_bounded),
      cmocka_unit_test(any_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
