/* stand_in_report.c: what is printed and exported of a run, in the words of each version. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stand_in_trtexec.h"

/* ---- the summary ---- */

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double median_of(const double *values, size_t n) {
  double *sorted = malloc((n + 1) * sizeof *sorted);
  memcpy(sorted, values, n * sizeof *sorted);
  qsort(sorted, n, sizeof *sorted, by_value);
  const double median = (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
  free(sorted);
  return median;
}

typedef struct figures {
  double min, max, mean, median;
} figures;

static figures figures_of(const trtexec *t, double more) {
  const double *ms = t->ms + t->n_warm;
  const size_t n = t->n - t->n_warm;
  figures f = {INFINITY, 0, 0, median_of(ms, n) + more};
  for (size_t i = 0; i < n; i++) {
    f.min = fmin(f.min, ms[i] + more);
    f.max = fmax(f.max, ms[i] + more);
    f.mean += (ms[i] + more) / (double)n;
  }
  return f;
}

static void print_figures(const trtexec *t, const char *name, double more) {
  const figures f = figures_of(t, more);
  if (t->version < 80000) {
    line(t, 'I', "%s", name);
    line(t, 'I', "min: %g ms%s", f.min, strstr(name, "Host") ? " (end to end 1 ms)" : "");
    line(t, 'I', "max: %g ms%s", f.max, strstr(name, "Host") ? " (end to end 1 ms)" : "");
    line(t, 'I', "mean: %g ms%s", f.mean, strstr(name, "Host") ? " (end to end 1 ms)" : "");
    line(t, 'I', "median: %g ms%s", f.median, strstr(name, "Host") ? " (end to end 1 ms)" : "");
    line(t, 'I', "percentile: %g ms at 99%%", f.max);
  } else if (t->version < 80500) {
    line(t, 'I',
         "%s: min = %g ms, max = %g ms, mean = %g ms, median = %g ms, percentile(99%%) = %g ms",
         name, f.min, f.max, f.mean, f.median, f.max);
  } else {
    line(t, 'I',
         "%s: min = %g ms, max = %g ms, mean = %g ms, median = %g ms, percentile(90%%) = %g ms, "
         "percentile(95%%) = %g ms, percentile(99%%) = %g ms",
         name, f.min, f.max, f.mean, f.median, f.max, f.max, f.max);
  }
}

static double sum_of(const double *values, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += values[i];
  return sum;
}

/* 6.0: a line for every --avgRuns. */
static void print_averages(const trtexec *t) {
  const char *runs = flag(t, "--avgRuns");
  const size_t each = runs ? (size_t)strtol(runs, NULL, 10) : 10;
  for (size_t i = t->n_warm; i + each <= t->n; i += each) {
    const double ms = sum_of(t->ms + i, each) / (double)each;
    line(t, 'I',
         "Average over %zu runs is %g ms (host walltime is %g ms, 99%% percentile time is %g).",
         each, ms, ms + 0.1, ms);
  }
}

void report_performance(const trtexec *t) {
  const size_t n = t->n - t->n_warm;
  const double seconds = sum_of(t->ms + t->n_warm, n) / 1e3;
  const int is_old = t->version < 80000;
  if (t->version < 70000) {
    print_averages(t);
    return;
  }
  line(t, 'I', "Warmup completed %zu queries over 200 ms", t->n_warm);
  line(t, 'I', "Timing trace has %zu queries over %g s", n, seconds);
  line(t, 'I', "%s", "");
  line(t, 'I', "=== Trace details ===");
  line(t, 'I', "Trace averages of 10 runs:");
  for (size_t i = t->n_warm; i + 10 <= t->n; i += 10) {
    const double ms = sum_of(t->ms + i, 10) / 10;
    if (t->version < 80400)
      line(t, 'I',
           "Average on 10 runs - GPU latency: %g ms - Host latency: %g ms (end to end %g ms, "
           "enqueue 0.1 ms)",
           ms, ms + 0.05, ms + 0.06);
    else
      line(t, 'I', "Average on 10 runs - GPU latency: %g ms - Host latency: %g ms (enqueue 0.1 ms)",
           ms, ms + 0.05);
  }
  line(t, 'I', "%s", "");
  if (!is_old) line(t, 'I', "=== Performance summary ===");
  if (!is_old) line(t, 'I', "Throughput: %g qps", (double)n / seconds);
  print_figures(t, is_old ? "Host Latency" : "Latency", 0.05);
  if (is_old) line(t, 'I', "throughput: %g qps", (double)n / seconds);
  if (is_old) line(t, 'I', "walltime: %g s", seconds);
  if (!is_old && t->version < 80400) print_figures(t, "End-to-End Host Latency", 0.06);
  print_figures(t, is_old ? "GPU Compute" : "GPU Compute Time", 0);
  if (!is_old) line(t, 'I', "Total Host Walltime: %g s", seconds);
  line(t, 'I', is_old ? "total compute time: %g s" : "Total GPU Compute Time: %g s", seconds);
}

/* ---- times ---- */

static void export_old(const trtexec *t, FILE *file, double start, double ms) {
  const double in0 = start - 0.2, in1 = start - 0.1, enq0 = start - 0.05, enq1 = start - 0.01;
  const int swapped = t->version >= 70100;
  if (t->version >= 70100) fprintf(file, "\"startEnqMs\" : %g, \"endEnqMs\" : %g, ", in0, in1);
  fprintf(file, "\"startInMs\" : %g, \"endInMs\" : %g, ", swapped ? enq0 : in0,
          swapped ? enq1 : in1);
  fprintf(
      file,
      "\"startComputeMs\" : %g, \"endComputeMs\" : %g, \"startOutMs\" : %g, \"endOutMs\" : %g, ",
      start, start + ms, start + ms, start + ms + 0.02);
  fprintf(file,
          "\"inMs\" : 0.1, \"computeMs\" : %g, \"outMs\" : 0.02, \"latencyMs\" : %g, "
          "\"endToEndMs\" : %g }\n",
          ms, ms + 0.12, ms + 0.13);
}

static void export_new(const trtexec *t, FILE *file, double start, double ms) {
  fprintf(file, "\"startEnqMs\" : %g, \"endEnqMs\" : %g, \"startH2dMs\" : %g, \"endH2dMs\" : %g, ",
          start - 0.05, start - 0.01, start, start);
  fprintf(
      file,
      "\"startComputeMs\" : %g, \"endComputeMs\" : %g, \"startD2hMs\" : %g, \"endD2hMs\" : %g, ",
      start, start + ms, start + ms, start + ms);
  fprintf(file, "\"h2dMs\" : 0, \"computeMs\" : %g, \"d2hMs\" : 0, \"latencyMs\" : %g", ms, ms);
  if (t->version < 80400) fprintf(file, ", \"endToEndMs\" : %g", ms + 0.01);
  fprintf(file, " }\n");
}

void export_times(const trtexec *t, const char *path) {
  FILE *file = t->version < 70000 ? NULL : export_begin(t, path);
  double start = 0.3;
  if (!file) return; /* 6.0 takes the option and writes nothing */
  const size_t first = t->version < 80500 ? 0 : t->n_warm;
  fprintf(file, "[\n");
  for (size_t i = 0; i < t->n; i++) {
    if (i == t->n_warm) start = fmax(start, 1000); /* whatever the warm-up was asked to last */
    if (i >= first) {
      fprintf(file, i == first ? "  { " : ", { ");
      if (t->version < 80000)
        export_old(t, file, start, t->ms[i]);
      else
        export_new(t, file, start, t->ms[i]);
    }
    start += t->ms[i];
  }
  fprintf(file, "]\n");
  export_end(t, file, path);
}

/* ---- the profile ---- */

/* A profiler slows what it looks at. */
static double profiled(const trtexec *t, size_t layer) {
  return 1.12 * t->engine.ms[layer];
}

static double profiled_sum(const trtexec *t) {
  double sum = 0;
  for (size_t i = 0; i < t->engine.n; i++) sum += profiled(t, i);
  return sum;
}

void export_profile(const trtexec *t, const char *path) {
  FILE *file = t->version < 70000 ? NULL : export_begin(t, path);
  const double sum = profiled_sum(t);
  if (!file) return;
  fprintf(file, "[\n  { \"count\" : %zu }\n", t->n);
  for (size_t i = 0; i < t->engine.n; i++) {
    const double ms = profiled(t, i);
    fprintf(file, ", { \"name\" : \"%s\", \"timeMs\" : %g, \"averageMs\" : %g, ", t->engine.name[i],
            ms * (double)t->n, ms);
    if (t->version >= 80400) fprintf(file, "\"medianMs\" : %g, ", round(ms / 0.001024) * 0.001024);
    fprintf(file, "\"percentage\" : %g }\n", 100 * ms / sum);
  }
  /* A name that nobody escaped, of a layer that takes no time. */
  fprintf(file,
          ", { \"name\" : \"(Unnamed Layer* 9) [Shuffle \"a\\b\"]\", \"timeMs\" : 0, "
          "\"averageMs\" : 0, %s\"percentage\" : 0 }\n]\n",
          t->version >= 80400 ? "\"medianMs\" : 0, " : "");
  export_end(t, file, path);
}

static void print_row(const trtexec *t, const char *name, double ms, double sum) {
  const double total = ms * (double)t->n, percent = 100 * ms / sum;
  if (t->version >= 80600)
    line(t, 'I', "%12.2f %10.4f %12.4f %9.1f   %s", total, ms, ms, percent, name);
  else if (t->version >= 80400)
    line(t, 'I', "%40s %12.2f %16.4f %18.4f %8.1f", name, total, ms, ms, percent);
  else if (t->version >= 80000)
    line(t, 'I', "%40s %12.2f %16.4f %8.1f", name, total, ms, percent);
  else
    line(t, 'I', "%40s %12.3g %16.2g %8.1f", name, total, ms, percent);
}

static void print_oldest(const trtexec *t) {
  const double sum = profiled_sum(t);
  printf("\n========== Layer time profile ==========\n");
  printf("%40s Runtime, %% Invocations Runtime, ms\n", "TensorRT layer name");
  for (size_t i = 0; i < t->engine.n; i++)
    printf("%40s %9.1f%% %12zu %11.2f\n", t->engine.name[i], 100 * profiled(t, i) / sum, t->n,
           profiled(t, i) * (double)t->n);
  printf("========== Layer time total runtime = %g ms ==========\n", sum * (double)t->n);
}

void report_profile(const trtexec *t) {
  const double sum = profiled_sum(t);
  if (t->version < 70000) {
    print_oldest(t);
    return;
  }
  line(t, 'I', "%s", "");
  line(t, 'I', "=== Profile (%zu iterations ) ===", t->n);
  if (t->version >= 80600)
    line(t, 'I', "   Time(ms)     Avg.(ms)   Median(ms)   Time(%%)   Layer");
  else
    line(t, 'I', "%40s   Time (ms)   Avg. Time (ms)   %sTime %%", "Layer",
         t->version >= 80400 ? "Median Time (ms)   " : "");
  for (size_t i = 0; i < t->engine.n; i++) print_row(t, t->engine.name[i], profiled(t, i), sum);
  print_row(t, "Total", sum, sum);
  line(t, 'I', "%s", "");
}

/* ---- layer info ---- */

static int is_reformat(const char *name) {
  return strstr(name, "Reformatting") || strstr(name, "reformatter");
}

void export_layers(const trtexec *t, const char *path) {
  FILE *file = export_begin(t, path);
  if (!file) return;
  fprintf(file, "{\"Layers\": [");
  for (size_t i = 0; i < t->engine.n; i++)
    fprintf(file,
            "%s{\n  \"Name\": \"%s\",\n  \"LayerType\": \"%s\",\n  \"Inputs\": [],\n  \"Outputs\": "
            "[],\n  \"TacticName\": \"%s\",\n  \"TacticValue\": \"0x00000000000003e8\"%s\n}",
            i ? "," : "", t->engine.name[i],
            is_reformat(t->engine.name[i]) ? "Reformat" : "CaskConvolution",
            is_reformat(t->engine.name[i]) ? "" : "sm80_xmma_fprop_tilesize128x32x16",
            t->version >= 80600 ? ",\n  \"StreamId\": 0" : "");
  fprintf(file, "],\n\"Bindings\": [\"x\", \"y\"]}\n");
  export_end(t, file, path);
}
