/* trt_summary.c: what trtexec says behind a run. From 8.0 a line for each metric,
 *
 *   GPU Compute Time: min = 89.0273 ms, max = 91.2 ms, mean = ..., median = ..., percentile(99%) =
 * ...
 *
 * in 7.x a block of lines, of which the host's has end to end in brackets,
 *
 *   GPU Compute
 *   min: 3.00146 ms
 *   percentile: 3.41711 ms at 99%
 *
 * before that averages of a few runs and no more. */
#include <math.h>

#include "device/trtexec/trt_parts.h"

static int take_ms(sloe_trt_span *s, double *ms) {
  return sloe_trt_take_number(s, ms) && sloe_trt_take(s, " ms");
}

static void add_percentile(sloe_trt_figures *f, double percent, double ms) {
  if (f->n_percentiles == SLOE_TRT_PERCENTILES) return;
  f->percent[f->n_percentiles] = percent;
  f->percentile_ms[f->n_percentiles++] = ms;
}

/* ---- from 8.0 ---- */

/* "median = 90.0183 ms", "percentile(99%) = 91.2045 ms" */
static int take_pair(sloe_trt_span *s, sloe_trt_figures *f) {
  double percent, ms;
  if (sloe_trt_take(s, "percentile(")) {
    if (!sloe_trt_take_number(s, &percent) || !sloe_trt_take(s, "%) = ") || !take_ms(s, &ms))
      return 0;
    add_percentile(f, percent, ms);
    return 1;
  }
  double *to = sloe_trt_take(s, "min = ")      ? &f->min_ms
               : sloe_trt_take(s, "max = ")    ? &f->max_ms
               : sloe_trt_take(s, "mean = ")   ? &f->mean_ms
               : sloe_trt_take(s, "median = ") ? &f->median_ms
                                               : NULL;
  return to && take_ms(s, to);
}

static void take_metric(sloe_trt_span s, sloe_trt_figures *f) {
  sloe_trt_figures_forget(f);
  while (take_pair(&s, f) && sloe_trt_take(&s, ", ")) continue;
}

static int read_metric(sloe_trt_open_run *o, sloe_trt_span line) {
  sloe_trt_run *run = &o->run;
  sloe_trt_figures *f = sloe_trt_take(&line, "Latency: ")                   ? &run->host
                        : sloe_trt_take(&line, "End-to-End Host Latency: ") ? &run->end_to_end
                        : sloe_trt_take(&line, "Enqueue Time: ")            ? &run->enqueue
                        : sloe_trt_take(&line, "H2D Latency: ")             ? &run->h2d
                        : sloe_trt_take(&line, "GPU Compute Time: ")        ? &run->gpu
                        : sloe_trt_take(&line, "D2H Latency: ")             ? &run->d2h
                                                                            : NULL;
  if (!f) return 0;
  take_metric(line, f);
  return 1;
}

/* ---- 7.x ---- */

static int read_heading(sloe_trt_open_run *o, sloe_trt_span line) {
  if (sloe_trt_is(line, "Host Latency"))
    o->section = SLOE_TRT_IN_HOST;
  else if (sloe_trt_is(line, "Enqueue Time"))
    o->section = SLOE_TRT_IN_ENQUEUE;
  else if (sloe_trt_is(line, "GPU Compute"))
    o->section = SLOE_TRT_IN_GPU;
  else
    return 0;
  o->has_blocks = 1;
  o->has_enqueue |= o->section == SLOE_TRT_IN_ENQUEUE;
  return 1;
}

static double *member(sloe_trt_figures *f, sloe_trt_span *line) {
  return sloe_trt_take(line, "min: ")      ? &f->min_ms
         : sloe_trt_take(line, "max: ")    ? &f->max_ms
         : sloe_trt_take(line, "mean: ")   ? &f->mean_ms
         : sloe_trt_take(line, "median: ") ? &f->median_ms
                                           : NULL;
}

/* "3.4563 ms at 99% (end to end 3.47168 ms at 99%)" */
static int take_block_percentile(sloe_trt_span *line, sloe_trt_figures *f) {
  double ms, percent;
  if (!take_ms(line, &ms) || !sloe_trt_take(line, " at ") || !sloe_trt_take_number(line, &percent))
    return 0;
  add_percentile(f, percent, ms);
  return sloe_trt_take(line, "%");
}

static int read_block_line(sloe_trt_open_run *o, sloe_trt_span line) {
  const int host = o->section == SLOE_TRT_IN_HOST;
  if (!host && o->section != SLOE_TRT_IN_ENQUEUE && o->section != SLOE_TRT_IN_GPU) return 0;
  sloe_trt_figures *f = host                                ? &o->run.host
                        : o->section == SLOE_TRT_IN_ENQUEUE ? &o->run.enqueue
                                                            : &o->run.gpu;
  if (sloe_trt_take(&line, "percentile: ")) {
    if (take_block_percentile(&line, f) && sloe_trt_take(&line, " (end to end "))
      (void)take_block_percentile(&line, &o->run.end_to_end);
    return 1;
  }
  sloe_trt_span rest = line;
  double *to = member(f, &rest);
  if (!to || !take_ms(&rest, to)) return 0;
  if (sloe_trt_take(&rest, " (end to end "))
    (void)take_ms(&rest, member(&o->run.end_to_end, &line));
  return 1;
}

/* ---- traces ---- */

static void add_average(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_average a) {
  if (sloe_trt_room(r, &o->averages, o->run.n_averages, &o->cap_averages, sizeof a))
    o->averages[o->run.n_averages++] = a;
}

/* "X ms - Host latency: Y ms (end to end Z ms, enqueue W ms)"; from 8.4 "(enqueue W ms)" */
static void take_average(sloe_trt_span s, sloe_trt_average *a) {
  if (!take_ms(&s, &a->gpu_ms) || !sloe_trt_take(&s, " - Host latency: ") ||
      !take_ms(&s, &a->host_ms) || !sloe_trt_take(&s, " ("))
    return;
  if (sloe_trt_take(&s, "end to end ") && take_ms(&s, &a->end_to_end_ms))
    (void)sloe_trt_take(&s, ", ");
  if (sloe_trt_take(&s, "enqueue ")) (void)take_ms(&s, &a->enqueue_ms);
}

/* 5.x, 6.0: "Average over 10 runs is 55.2518 ms (host walltime is 55.3944 ms, 99% percentile time
   is 59.9569)." */
static int read_old_average(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span s) {
  sloe_trt_average a = {.gpu_ms = NAN, .host_ms = NAN, .end_to_end_ms = NAN, .enqueue_ms = NAN};
  double percent, ms;
  if (!sloe_trt_take(&s, "Average over ") || !sloe_trt_take_int(&s, &a.runs) || a.runs < 1 ||
      !sloe_trt_take(&s, " runs is ") || !take_ms(&s, &a.gpu_ms))
    return 0;
  o->old_averages = 1;
  if (sloe_trt_take(&s, " (host walltime is ") && take_ms(&s, &a.host_ms) &&
      sloe_trt_take(&s, ", ") && sloe_trt_take_number(&s, &percent) &&
      sloe_trt_take(&s, "% percentile time is ") && sloe_trt_take_number(&s, &ms)) {
    o->run.gpu.n_percentiles = 0; /* the last one's */
    add_percentile(&o->run.gpu, percent, ms);
  }
  add_average(r, o, a);
  return 1;
}

static int read_average(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span s) {
  sloe_trt_average a = {.gpu_ms = NAN, .host_ms = NAN, .end_to_end_ms = NAN, .enqueue_ms = NAN};
  if (!sloe_trt_take(&s, "Average on ") || !sloe_trt_take_int(&s, &a.runs) || a.runs < 1 ||
      !sloe_trt_take(&s, " runs - GPU latency: "))
    return 0;
  take_average(s, &a);
  add_average(r, o, a);
  return 1;
}

/* "Warmup completed 2 queries over 200 ms", "Timing trace has 35 queries over 3.16419 s" */
static int read_queries(sloe_trt_run *run, sloe_trt_span s) {
  int64_t *to = sloe_trt_take(&s, "Warmup completed ")   ? &run->warmup_queries
                : sloe_trt_take(&s, "Timing trace has ") ? &run->queries
                                                         : NULL;
  int64_t n;
  if (!to || !sloe_trt_take_int(&s, &n) || n < 0) return 0;
  *to = n;
  return 1;
}

static int read_total(sloe_trt_run *run, sloe_trt_span s) {
  double *to = NULL, x;
  if (sloe_trt_take(&s, "Throughput: ") || sloe_trt_take(&s, "throughput: "))
    to = &run->throughput_qps;
  else if (sloe_trt_take(&s, "Total Host Walltime: ") || sloe_trt_take(&s, "walltime: "))
    to = &run->walltime_s;
  else if (sloe_trt_take(&s, "Total GPU Compute Time: ") ||
           sloe_trt_take(&s, "total compute time: "))
    to = &run->compute_s;
  if (!to || !sloe_trt_take_number(&s, &x)) return 0;
  *to = x;
  return 1;
}

int sloe_trt_read_summary(sloe_trt_reader *r, sloe_trt_open_run *o, sloe_trt_span line) {
  if (read_average(r, o, line) || read_old_average(r, o, line) || read_queries(&o->run, line)) {
    o->has_place = 1;
    return 1;
  }
  return read_metric(o, line) || read_heading(o, line) || read_block_line(o, line) ||
         read_total(&o->run, line);
}
