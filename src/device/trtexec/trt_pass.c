/* trt_pass.c: what a timed pass exported, checked against what it printed.
 *
 * A file that was cut, written over or mangled on its way must not become a measurement. So
 * everything that is told twice is compared: the exported times with the summary's median, a
 * layer's total with its average and their count, its share with the sum. What does not agree is a
 * fault of the device, and the pass is taken again.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "device/trtexec/trtexec.h"

enum { LEAST_TIMES = 5, FILE_MOST = 256 << 20 };
static const double ROUNDED = 2e-3; /* six digits */
static const double TABLE = 6e-2;   /* two, in the tables of 7.x: "1.3e+03" */
static const double SAME = 1e-4;    /* of what is made of the same inferences */

/* ---- files ---- */

static sloe_status read_file(const char *path, sloe_trt_kind kind, sloe_trt_file **out,
                             sloe_error *err) {
  char *bytes;
  size_t len;
  sloe_error why = {0};
  *out = NULL;
  sloe_status status = sloe_file_read(path, FILE_MOST, &bytes, &len, &why);
  if (status == SLOE_OK) {
    status = sloe_trt_read(bytes, len, 0, out, &why);
    sloe_dealloc(bytes);
  }
  if (status == SLOE_NOMEM) return sloe_fail(err, status, "out of memory reading what it exported");
  if (status != SLOE_OK)
    return sloe_fail(err, SLOE_DEVICE, "what it exported cannot be read: %.120s", why.msg);
  if ((*out)->kind == kind && !(*out)->cut) return SLOE_OK;
  status = sloe_fail(err, SLOE_DEVICE, "what it exported is %s",
                     (*out)->cut ? "cut short" : "of another kind");
  sloe_trt_free(*out);
  *out = NULL;
  return status;
}

static int agree(double a, double b, double share, double least) {
  return fabs(a - b) <= fmax(share * fmax(fabs(a), fabs(b)), least);
}

/* ---- times ---- */

void sloe_trtexec_latency_fini(sloe_trtexec_latency *latency) {
  sloe_dealloc(latency->ms);
  *latency = (sloe_trtexec_latency){0};
}

static sloe_status make_room(size_t n, sloe_trtexec_latency *out, sloe_error *err) {
  *out = (sloe_trtexec_latency){.ms = sloe_alloc(n + 1, sizeof *out->ms)};
  return out->ms ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "out of memory reading times");
}

/* One line an inference, of 6.0; one line ten, of none. */
static sloe_status take_averages(const sloe_trt_run *log, sloe_trtexec_latency *out,
                                 sloe_error *err) {
  SLOE_TRY(make_room(log->n_averages, out, err));
  for (size_t i = 0; i < log->n_averages; i++) {
    if (log->averages[i].runs != 1)
      return sloe_fail(err, SLOE_DEVICE,
                       "it says averages of %lld inferences where 1 was asked for",
                       (long long)log->averages[i].runs);
    out->ms[out->n++] = log->averages[i].gpu_ms;
  }
  return SLOE_OK;
}

static double period_of(const sloe_trt_times *times, size_t first) {
  const double span = times->records[times->n - 1].start_ms - times->records[first].start_ms;
  return span / (double)(times->n - 1 - first);
}

/* The first that counts: to 8.4 those of the warm-up are exported as well. A query is an inference,
   or one of its inputs where the batch is implicit. */
static sloe_status find_first(const sloe_trtexec_tool *tool, const sloe_trt_run *log,
                              const sloe_trt_times *times, double warmup_ms, size_t *first,
                              sloe_error *err) {
  const size_t timed = log->queries > 0 ? (size_t)log->queries : 0;
  *first = 0;
  if (tool->version < 80500)
    *first = timed && timed <= times->n ? times->n - timed
                                        : sloe_trt_times_behind_warmup(times, warmup_ms);
  else if (times->n && timed % times->n)
    return sloe_fail(err, SLOE_DEVICE, "it timed %zu inferences and exported %zu", timed, times->n);
  return SLOE_OK;
}

static sloe_status take_records(const sloe_trtexec_tool *tool, const sloe_trt_run *log,
                                const sloe_trt_file *file, double warmup_ms,
                                sloe_trtexec_latency *out, sloe_error *err) {
  const sloe_trt_times *times = &file->times[0];
  size_t first;
  if (file->n_times != 1) return sloe_fail(err, SLOE_DEVICE, "it exported times more than once");
  SLOE_TRY(find_first(tool, log, times, warmup_ms, &first, err));
  SLOE_TRY(make_room(times->n, out, err));
  for (size_t i = first; i < times->n; i++) out->ms[out->n++] = times->records[i].compute_ms;
  if (out->n > 1) out->period_ms = period_of(times, first);
  return SLOE_OK;
}

/* The median as trtexec has it; `ms` keeps its order. */
static double median_of(const sloe_trtexec_latency *l) {
  double *sorted = sloe_alloc(l->n + 1, sizeof *sorted);
  if (!sorted) return NAN;
  memcpy(sorted, l->ms, l->n * sizeof *sorted);
  const double median = sloe_trt_median(sorted, l->n);
  sloe_dealloc(sorted);
  return median;
}

/* A single time that was changed between the least and the greatest shows in the mean. */
static sloe_status check_summary(const sloe_trtexec_tool *tool, const sloe_trt_figures *printed,
                                 const sloe_trtexec_latency *l, double median, sloe_error *err) {
  const double share =
      tool->version < 80500 ? ROUNDED : SAME; /* where the warm-up ends is guessed */
  double mean = 0;
  for (size_t i = 0; i < l->n; i++) mean += l->ms[i] / (double)l->n;
  if (!isnan(printed->median_ms) && !agree(median, printed->median_ms, share, 1e-5))
    return sloe_fail(err, SLOE_DEVICE, "it prints a median of %.6g ms and exports one of %.6g ms",
                     printed->median_ms, median);
  if (!isnan(printed->mean_ms) && !agree(mean, printed->mean_ms, share, 1e-6))
    return sloe_fail(err, SLOE_DEVICE, "it prints a mean of %.6g ms and exports one of %.6g ms",
                     printed->mean_ms, mean);
  return SLOE_OK;
}

/* Is it possible, and between the least and the greatest that were printed? */
static int can_be(const sloe_trt_figures *printed, double ms) {
  const double slack = ROUNDED * ms;
  return ms > 0 && isfinite(ms) && !(ms < printed->min_ms - slack) &&
         !(ms > printed->max_ms + slack);
}

static sloe_status check_times(const sloe_trtexec_tool *tool, const sloe_trt_run *log,
                               sloe_trtexec_latency *l, sloe_error *err) {
  if (l->n < LEAST_TIMES)
    return sloe_fail(err, SLOE_DEVICE, "it gives the times of %zu inferences, fewer than %d", l->n,
                     LEAST_TIMES);
  for (size_t i = 0; i < l->n; i++)
    if (!can_be(&log->gpu, l->ms[i]))
      return sloe_fail(err, SLOE_DEVICE, "it gives a time that cannot be, of inference %zu", i);
  const double median = median_of(l);
  if (isnan(median)) return sloe_fail(err, SLOE_NOMEM, "out of memory reading times");
  SLOE_TRY(check_summary(tool, &log->gpu, l, median, err));
  if (!(l->period_ms >= 0.5 * median)) l->period_ms = median;
  return SLOE_OK;
}

sloe_status sloe_trtexec_read_latency(const sloe_trtexec_tool *tool, const sloe_trt_run *log,
                                      const char *times, double warmup_ms,
                                      sloe_trtexec_latency *out, sloe_error *err) {
  sloe_trt_file *file = NULL;
  sloe_status status;
  *out = (sloe_trtexec_latency){0};
  if (tool->version < 70000) {
    status = take_averages(log, out, err);
  } else {
    SLOE_TRY(read_file(times, SLOE_TRT_TIMES, &file, err));
    status = take_records(tool, log, file, warmup_ms, out, err);
    sloe_trt_free(file);
  }
  if (status == SLOE_OK) status = check_times(tool, log, out, err);
  if (status != SLOE_OK) sloe_trtexec_latency_fini(out);
  return status;
}

/* ---- profiles ---- */

static sloe_status check_profile(const sloe_trt_profile *p, double rounded, sloe_error *err) {
  double percent = 0;
  if (!p->n_layers || p->count == 0)
    return sloe_fail(err, SLOE_DEVICE, "its profile is of no layer or of no run");
  for (size_t i = 0; i < p->n_layers; i++) {
    const sloe_trt_layer_time *l = &p->layers[i];
    if (!(l->average_ms >= 0) || !isfinite(l->average_ms))
      return sloe_fail(err, SLOE_DEVICE, "its profile has a time that cannot be, of '%.80s'",
                       l->name);
    const double total_ms = l->average_ms * (double)p->count;
    if (p->count > 0 && isfinite(l->total_ms) &&
        !agree(l->total_ms, total_ms, rounded, 6e-5 * (double)p->count))
      return sloe_fail(err, SLOE_DEVICE, "its profile's total and average disagree of '%.80s'",
                       l->name);
    percent += l->percent;
  }
  if (isfinite(percent) && !agree(percent, 100, 0, 1 + 0.06 * (double)p->n_layers))
    return sloe_fail(err, SLOE_DEVICE, "its profile's shares sum to %.4g %%", percent);
  return SLOE_OK;
}

/* Of each layer: its share as printed is that of its time. */
static sloe_status check_shares(const sloe_trt_profile *p, double rounded, sloe_error *err) {
  if (!(p->sum_ms > 0)) return sloe_fail(err, SLOE_DEVICE, "its profile's layers took no time");
  for (size_t i = 0; i < p->n_layers; i++) {
    const double share = 100 * p->layers[i].average_ms / p->sum_ms;
    if (isfinite(p->layers[i].percent) && !agree(share, p->layers[i].percent, 5 * rounded, 0.11))
      return sloe_fail(err, SLOE_DEVICE, "its profile's share and time disagree of '%.80s'",
                       p->layers[i].name);
  }
  return SLOE_OK;
}

static sloe_status take_profile(const sloe_trtexec_tool *tool, const sloe_trt_run *log,
                                const char *path, sloe_trt_file **file,
                                const sloe_trt_profile **out, sloe_error *err) {
  if (tool->version < 70000 && log->profile) { /* it exports none */
    *out = log->profile;
    return SLOE_OK;
  }
  const sloe_status status = read_file(path, SLOE_TRT_PROFILE, file, err);
  if (status == SLOE_OK && (*file)->n_profiles != 1)
    return sloe_fail(err, SLOE_DEVICE, "it exported its profile more than once");
  if (status == SLOE_OK) *out = &(*file)->profiles[0];
  return status;
}

sloe_status sloe_trtexec_read_profile(const sloe_trtexec_tool *tool, const sloe_trt_run *log,
                                      const char *path, sloe_trt_file **file,
                                      const sloe_trt_profile **out, sloe_error *err) {
  *out = NULL;
  *file = NULL;
  sloe_status status = take_profile(tool, log, path, file, out, err);
  const double rounded = *file ? ROUNDED : TABLE;
  if (status == SLOE_OK) status = check_profile(*out, rounded, err);
  if (status == SLOE_OK) status = check_shares(*out, rounded, err);
  if (status == SLOE_OK && log->profile && log->profile->sum_ms > 0 &&
      !agree((*out)->sum_ms, log->profile->sum_ms, TABLE, 1e-4 * (double)((*out)->n_layers + 1)))
    status = sloe_fail(err, SLOE_DEVICE, "it prints layers of %.6g ms and exports ones of %.6g ms",
                       log->profile->sum_ms, (*out)->sum_ms);
  if (status == SLOE_OK) return status;
  sloe_trt_free(*file);
  *file = NULL;
  *out = NULL;
  return status;
}

sloe_trt_file *sloe_trtexec_read_layers(const char *path) {
  sloe_trt_file *file;
  if (read_file(path, SLOE_TRT_LAYERS, &file, NULL) != SLOE_OK) return NULL;
  if (file->n_layers == 1) return file;
  sloe_trt_free(file);
  return NULL;
}
