/* trtexec_judge.c: what a run says of the whole network, and whether it is good for fitting.
 *
 * Refused (quality "skipped", reason): a run that failed or timed nothing; one whose dynamic
 * dimensions were left at 1, which was profiled while it was timed, which waited for the host to
 * enqueue, or which ran several inferences at once. Noisy: a scatter of more than a tenth. What
 * does not touch the time of the GPU, as copies that are slow, is a remark.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "campaign/trtexec_row.h"

static const double SCATTER = 0.10, UNSTABLE_PERCENT = 10, USUAL_WARMUP_MS = 200, APART = 0.01,
                    ENQUEUE_SHARE = 0.8;
enum { WITHOUT_WARMUP = 80500, FEW_ITERATIONS = 5 };

/* ---- exported times ---- */

typedef struct column { /* finite values of one member of the records that count */
  double *x;
  size_t n;
} column;

static void gather(const sloe_trt_times *t, size_t from, size_t member, column *c) {
  c->n = 0;
  for (size_t i = from; i < t->n; i++) {
    const double v = *(const double *)((const char *)&t->records[i] + member);
    if (isfinite(v)) c->x[c->n++] = v;
  }
}

/* From 8.5 no record is of the warm-up. */
static size_t first_that_counts(const sloe_trt_bundle *b, sloe_trt_row *row) {
  const sloe_trt_times *t = b->times;
  const int version = b->run ? b->run->version_number : 0;
  const double asked = b->run ? b->run->warmup_ms : NAN;
  if (version >= WITHOUT_WARMUP) return 0;
  const size_t from = sloe_trt_times_behind_warmup(t, isnan(asked) ? USUAL_WARMUP_MS : asked);
  if (from == t->n) {
    sloe_trt_say(&row->remarks, "the exported times end within the warm-up, which is not left out");
    return 0;
  }
  if (from) sloe_trt_say(&row->remarks, "%zu records of the warm-up left out", from);
  return from;
}

static double median_of(const sloe_trt_times *t, size_t from, size_t member, column *c) {
  gather(t, from, member, c);
  return sloe_trt_median(c->x, c->n);
}

static void compare_with_log(sloe_trt_row *row, double median) {
  char a[SLOE_NUMBER_BUF], b[SLOE_NUMBER_BUF];
  if (!(fabs(median / row->latency_ms - 1) > APART)) return;
  sloe_trt_say(&row->remarks, "the exported times have a median of %s ms, the log says %s ms",
               sloe_format_double(median, a), sloe_format_double(row->latency_ms, b));
}

static double or_else(double x, double y) {
  return isnan(x) ? y : x;
}

static void take_computing(sloe_trt_row *row, column *c) {
  double sum = 0;
  if (!c->n) return;
  const double median = sloe_trt_median(c->x, c->n); /* sorts */
  compare_with_log(row, median);
  for (size_t i = 0; i < c->n; i++) sum += c->x[i];
  row->latency_ms = or_else(row->latency_ms, median);
  row->latency_median_ms = or_else(row->latency_median_ms, median);
  row->latency_mean_ms = or_else(row->latency_mean_ms, nearbyint(sum / (double)c->n * 1e9) / 1e9);
  row->latency_min_ms = or_else(row->latency_min_ms, c->x[0]);
  row->latency_max_ms = or_else(row->latency_max_ms, c->x[c->n - 1]);
  row->p75 = sloe_trt_percentile_of(c->x, c->n, 75);
  row->p97_5 = sloe_trt_percentile_of(c->x, c->n, 97.5);
  row->p90 = or_else(row->p90, sloe_trt_percentile_of(c->x, c->n, 90));
  row->p95 = or_else(row->p95, sloe_trt_percentile_of(c->x, c->n, 95));
  row->p99 = or_else(row->p99, sloe_trt_percentile_of(c->x, c->n, 99));
  if (row->runs < 0) row->runs = (int64_t)c->n;
  if (row->p75 - sloe_trt_percentile_of(c->x, c->n, 25) > SCATTER * median) {
    row->quality = "noisy";
    sloe_trt_say(&row->reason, "the middle half of the times spreads over more than a tenth");
  }
}

static sloe_status take_times(const sloe_trt_bundle *b, sloe_trt_row *row, sloe_error *err) {
  const sloe_trt_times *t = b->times;
  column c = {.x = sloe_alloc(t->n + 1, sizeof *c.x)};
  if (!c.x) return sloe_fail(err, SLOE_NOMEM, "out of memory importing");
  const size_t from = first_that_counts(b, row);
  gather(t, from, offsetof(sloe_trt_time, compute_ms), &c);
  take_computing(row, &c);
#define MEDIAN(to, member) \
  row->to = or_else(row->to, median_of(t, from, offsetof(sloe_trt_time, member), &c))
  MEDIAN(host_ms, host_ms);
  MEDIAN(h2d_ms, h2d_ms);
  MEDIAN(d2h_ms, d2h_ms);
  MEDIAN(enqueue_ms, enqueue_ms);
#undef MEDIAN
  if (t->swapped) sloe_trt_say(&row->remarks, "fields that 7.1 and 7.2 export swapped put right");
  sloe_dealloc(c.x);
  return SLOE_OK;
}

/* ---- the log ---- */

static void take_figures(const sloe_trt_run *run, sloe_trt_row *row) {
  row->latency_ms = run->gpu.median_ms;
  row->latency_median_ms = run->gpu.median_ms;
  row->latency_min_ms = run->gpu.min_ms;
  row->latency_max_ms = run->gpu.max_ms;
  row->latency_mean_ms = run->gpu.mean_ms;
  row->p75 = sloe_trt_percentile(&run->gpu, 75);
  row->p97_5 = sloe_trt_percentile(&run->gpu, 97.5);
  row->p90 = sloe_trt_percentile(&run->gpu, 90);
  row->p95 = sloe_trt_percentile(&run->gpu, 95);
  row->p99 = sloe_trt_percentile(&run->gpu, 99);
  row->host_ms = or_else(run->host.median_ms, run->host.mean_ms);
  row->h2d_ms = run->h2d.median_ms;
  row->d2h_ms = run->d2h.median_ms;
  row->enqueue_ms = run->enqueue.median_ms;
  row->end_to_end_ms = run->end_to_end.median_ms;
  row->throughput_qps = run->throughput_qps;
  row->runs = run->queries;
  row->weights_mb = run->weights_bytes / 1e6;
  row->activations_mb = run->activation_bytes / 1e6;
  row->workspace_mb = run->scratch_bytes / 1e6;
  if (isnan(row->latency_ms) && !isnan(run->gpu.mean_ms)) {
    row->latency_ms = run->gpu.mean_ms;
    sloe_trt_say(&row->remarks, "latency_ms is a mean: this version prints no median");
  }
}

/* ---- judging ---- */

static void refuse(sloe_trt_row *row, const char *why) {
  row->quality = "skipped";
  sloe_trt_say(&row->reason, "%s", why);
}

/* Why there is no time. */
static void refuse_empty(const sloe_trt_bundle *b, sloe_trt_row *row) {
  const sloe_trt_run *run = b->run;
  if (!run) {
    refuse(row, b->profile ? "a profile has times of layers, not of the network"
                           : "no times: layer info alone");
  } else if (run->remarks & SLOE_TRT_PROFILER_ON) {
    refuse(row, "layers were profiled in the only run: trtexec reports no time of the network");
  } else if (run->remarks & SLOE_TRT_NO_INFERENCE) {
    refuse(row, sloe_trt_remark_text(SLOE_TRT_NO_INFERENCE));
  } else if (run->end == SLOE_TRT_CUT) {
    refuse(row, "no end and no summary: killed, or the log was cut");
  } else if (run->end != SLOE_TRT_FAILED) {
    refuse(row, "no line of GPU compute time");
  }
}

static void judge_failure(const sloe_trt_run *run, sloe_trt_row *row) {
  static const unsigned failures[] = {SLOE_TRT_HELP, SLOE_TRT_BUILD_FAILED, SLOE_TRT_LOAD_FAILED,
                                      SLOE_TRT_OUT_OF_MEMORY};
  for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
    if (run->remarks & failures[i]) refuse(row, sloe_trt_remark_text(failures[i]));
  if (run->end != SLOE_TRT_FAILED) return;
  row->quality = "skipped";
  sloe_trt_say(&row->reason, "the run failed%s%s", run->n_errors ? ": " : "",
               run->n_errors ? run->errors[0] : "");
}

static void judge_run(const sloe_trt_run *run, sloe_trt_row *row) {
  static const unsigned refused[] = {SLOE_TRT_DYNAMIC_AT_ONE, SLOE_TRT_PROFILER_ON,
                                     SLOE_TRT_ENQUEUE_BOUND};
  static const unsigned told[] = {SLOE_TRT_H2D_BOUND, SLOE_TRT_D2H_BOUND};
  judge_failure(run, row);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
    if (run->remarks & refused[i] && !isnan(row->latency_ms))
      refuse(row, sloe_trt_remark_text(refused[i]));
  if (run->streams > 1) refuse(row, "several inferences at once (--streams)");
  if (run->dla_core >= 0) refuse(row, "run on a DLA, not on the GPU alone");
  for (size_t i = 0; i < sizeof told / sizeof *told; i++)
    if (run->remarks & told[i]) sloe_trt_say(&row->remarks, "%s", sloe_trt_remark_text(told[i]));
  if (!(run->remarks & SLOE_TRT_UNSTABLE)) return;
  char number[SLOE_NUMBER_BUF];
  const int noisy = run->unstable_percent >= UNSTABLE_PERCENT;
  if (noisy && !strcmp(row->quality, "ok")) row->quality = "noisy";
  sloe_trt_say(noisy ? &row->reason : &row->remarks, "%s: coefficient of variance %s %%",
               sloe_trt_remark_text(SLOE_TRT_UNSTABLE),
               sloe_format_double(run->unstable_percent, number));
}

/* What the log leaves open. */
static void remark_on_log(const sloe_trt_run *run, sloe_trt_row *row) {
  if (run->version_number && !run->version_told)
    sloe_trt_say(&row->remarks, "the version is told by the lines' words only");
  if (run->end == SLOE_TRT_CUT && !isnan(row->latency_ms))
    sloe_trt_say(&row->remarks, "the log has no end");
  if (run->n_warnings)
    sloe_trt_say(&row->remarks, "%zu line%s of warnings", run->n_warnings,
                 run->n_warnings == 1 ? "" : "s");
}

static void judge_profile(const sloe_trt_bundle *b, sloe_trt_row *row) {
  const sloe_trt_profile *p = b->profile;
  row->sum_of_layers_ms = p->sum_ms;
  if (p->count >= 0 && p->count < FEW_ITERATIONS)
    sloe_trt_say(&row->remarks, "the profile is of %lld iteration%s", (long long)p->count,
                 p->count == 1 ? "" : "s");
  if (fabs(p->sum_ms / p->total_average_ms - 1) > APART)
    sloe_trt_say(&row->remarks, "the profile's rows do not sum to its total");
  if (!isnan(row->latency_ms) && row->latency_ms > 0)
    sloe_trt_say(&row->remarks, "layers sum to %d %% of latency_ms",
                 (int)lround(fmin(p->sum_ms / row->latency_ms, 1e4) * 100));
}

sloe_status sloe_trt_judge(const sloe_trt_bundle *b, sloe_trt_row *row, sloe_error *err) {
  if (b->run) take_figures(b->run, row);
  if (b->times) SLOE_TRY(take_times(b, row, err));
  if (!isfinite(row->latency_ms) || row->latency_ms <= 0) row->latency_ms = NAN;
  if (isnan(row->latency_ms)) refuse_empty(b, row);
  if (!b->run && row->enqueue_ms > ENQUEUE_SHARE * row->latency_ms)
    refuse(row, "the host enqueued as long as the GPU computed: bound by that, or profiled");
  if (b->run) {
    judge_run(b->run, row);
    remark_on_log(b->run, row);
  }
  if (b->profile) judge_profile(b, row);
  if (b->cut && !b->run) sloe_trt_say(&row->remarks, "the file is cut: what was whole counts");
  return SLOE_OK;
}
