/* timing.c: how long a job takes, and how sure that is.
 *
 * A take is: the reference layer, a warm-up, runs, the reference layer again. The reference tells
 * whether the device changed its clock meanwhile; a shared machine does, by 8 % and more, and no
 * number of repeats would show it. Runs end when the standard error of their midmean is small
 * enough, or the time for them is spent. The midmean is what repeats best under one-sided noise
 * short of the minimum, which a single lucky run decides. Jobs below 20 us are repeated until 200
 * us are measured, for a clock ticks in tens of ns.
 *
 * What others on a host take of memory's bandwidth the reference does not show, for it lives in a
 * near cache: a backend that can asks for it before and behind (`quiet`).
 *
 * A take whose reference moved, whose runs scatter or beside which others were busy is taken again.
 * The steadiest is kept whole: samples of two clock states are never mixed.
 */
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/sort_numbers.h"
#include "device/opened.h"
#include "device/run_stats.h"

enum { SHORT_NS = 20000, SHORT_TOTAL_NS = 200000, MOST_RUNS = 1 << 20 };

typedef struct take {
  uint64_t *runs, *sorted, *host, *layers; /* layers: n_layers of each run, or NULL */
  size_t n, cap, n_layers;
  double total, error; /* ns measured; as of sloe_runs_error at the last look */
  double before, after;
  double move, busy;   /* of `quiet`, the greater of before and after: ns; over the usual */
  double unsteadiness; /* 1 and more: to be taken again */
} take;

typedef struct timer {
  sloe_device *device;
  sloe_job *job;
  sloe_timing_options options; /* with the defaults in */
  size_t n_layers;             /* 0: the job as a whole */
} timer;

/* ---- options ---- */

static int32_t or_int(int32_t value, int32_t usual) {
  return value ? value : usual;
}

static double or_real(double value, double usual) {
  return value > 0 ? value : usual;
}

static sloe_timing_options with_defaults(const sloe_timing_options *given) {
  sloe_timing_options o = given ? *given : (sloe_timing_options){0};
  o.warmup = or_int(o.warmup, 1);
  o.min_runs = or_int(o.min_runs, 5);
  o.budget_ms = or_real(o.budget_ms, 100);
  o.enough = or_real(o.enough, 0.002);
  o.ref_runs = or_int(o.ref_runs, 5);
  o.ref_moved = or_real(o.ref_moved, 0.03);
  o.busy = or_real(o.busy, 1.25);
  o.retakes = or_int(o.retakes, 3);
  o.noisy = or_real(o.noisy, 0.10);
  o.timeout_s = or_real(o.timeout_s, 60);
  if (o.min_runs < 1) o.min_runs = 1;
  if (o.max_runs > 0 && o.min_runs > o.max_runs) o.min_runs = o.max_runs;
  return o;
}

/* ---- one run ---- */

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* A device that says what cannot be. host_ns 0: not given. */
static sloe_status check_time(const timer *t, uint64_t ns, uint64_t host_ns, sloe_error *err) {
  const char *name = t->device->backend->name;
  if (!ns) return sloe_fail(err, SLOE_DEVICE, "%s: a run of 0 ns: its clock stands", name);
  if (ns > INT64_MAX || host_ns > INT64_MAX)
    return sloe_fail(err, SLOE_DEVICE, "%s: a run of %lld ns: its clock runs backwards", name,
                     (long long)(ns > INT64_MAX ? ns : host_ns));
  if (host_ns && (double)ns > 1.5 * (double)host_ns + 1e6)
    return sloe_fail(err, SLOE_DEVICE, "%s: a run of %llu ns where the caller waited %llu ns", name,
                     (unsigned long long)ns, (unsigned long long)host_ns);
  return SLOE_OK;
}

static sloe_status check_hang(const timer *t, uint64_t waited_ns, sloe_error *err) {
  if ((double)waited_ns <= t->options.timeout_s * 1e9) return SLOE_OK;
  return sloe_fail(err, SLOE_DEVICE, "%s: hung: a run took %.0f s, more than %.0f s",
                   t->device->backend->name, (double)waited_ns / 1e9, t->options.timeout_s);
}

static sloe_status run_layers(const timer *t, uint64_t *layer_ns, uint64_t *ns, sloe_error *err) {
  const sloe_backend *backend = t->device->backend;
  SLOE_TRY(backend->run_layers(t->device->state, t->job->state, layer_ns, t->n_layers, err));
  *ns = 0;
  for (size_t i = 0; i < t->n_layers; i++) {
    if (layer_ns[i] > INT64_MAX) SLOE_TRY(check_time(t, layer_ns[i], 0, err));
    *ns += layer_ns[i];
  }
  return SLOE_OK;
}

/* Settle, run, and see whether the answer can be true. */
static sloe_status run_once(const timer *t, uint64_t *ns, uint64_t *host_ns, uint64_t *layer_ns,
                            sloe_error *err) {
  const sloe_backend *backend = t->device->backend;
  const int settles = !t->job->n_layers && !t->options.warm && backend->settle;
  *ns = *host_ns = 0;
  if (settles) SLOE_TRY(backend->settle(t->device->state, t->job->state, err));
  const uint64_t start = now_ns();
  SLOE_TRY(t->n_layers ? run_layers(t, layer_ns, ns, err)
                       : backend->run(t->device->state, t->job->state, ns, host_ns, err));
  const uint64_t waited = now_ns() - start;
  SLOE_TRY(check_time(t, *ns, *host_ns, err));
  return check_hang(t, waited > *ns ? waited : *ns, err);
}

/* ---- a take ---- */

static void take_fini(take *x) {
  sloe_dealloc(x->runs);
  sloe_dealloc(x->sorted);
  sloe_dealloc(x->host);
  sloe_dealloc(x->layers);
  *x = (take){0};
}

static int grow(uint64_t **data, size_t cap, size_t size) {
  uint64_t *more = cap > SIZE_MAX / size ? NULL : sloe_realloc(*data, cap * size, sizeof *more);
  if (more) *data = more;
  return more != NULL;
}

static sloe_status make_room(take *x, sloe_error *err) {
  if (x->n < x->cap) return SLOE_OK;
  const size_t cap = x->cap ? 2 * x->cap : 16;
  if (!grow(&x->runs, cap, 1) || !grow(&x->sorted, cap, 1) || !grow(&x->host, cap, 1) ||
      (x->n_layers && !grow(&x->layers, cap, x->n_layers)))
    return sloe_fail(err, SLOE_NOMEM, "out of memory keeping %zu runs", cap);
  x->cap = cap;
  return SLOE_OK;
}

static sloe_status warm_up(const timer *t, take *x, sloe_error *err) {
  uint64_t ns, host_ns;
  SLOE_TRY(make_room(x, err));
  for (int32_t i = 0; i < t->options.warmup; i++)
    SLOE_TRY(run_once(t, &ns, &host_ns, x->layers, err));
  return SLOE_OK;
}

/* The error again, at every sixteenth more of runs. */
static void look(take *x) {
  if (x->n > 32 && x->n % (x->n / 16)) return;
  memcpy(x->sorted, x->runs, x->n * sizeof *x->runs);
  sloe_sort_u64(x->sorted, x->n);
  x->error = sloe_runs_error(x->sorted, x->n);
}

static int is_enough(const timer *t, take *x) {
  const sloe_timing_options *o = &t->options;
  const int is_short = x->n && x->total / (double)x->n < SHORT_NS;
  size_t most = o->max_runs > 0 ? (size_t)o->max_runs : is_short ? 200 : 100;
  if (most > MOST_RUNS) most = MOST_RUNS;
  if (x->n >= most) return 1;
  if (x->n < (size_t)o->min_runs) return 0;
  if (x->total >= o->budget_ms * 1e6) return 1;
  if (is_short && x->total < SHORT_TOTAL_NS) return 0;
  look(x);
  return x->error < o->enough;
}

static sloe_status take_runs(const timer *t, take *x, sloe_error *err) {
  x->error = INFINITY;
  while (!is_enough(t, x)) {
    SLOE_TRY(make_room(x, err));
    uint64_t *layers = x->layers ? x->layers + x->n * x->n_layers : NULL;
    SLOE_TRY(run_once(t, &x->runs[x->n], &x->host[x->n], layers, err));
    x->total += (double)x->runs[x->n++];
  }
  memcpy(x->sorted, x->runs, x->n * sizeof *x->runs);
  sloe_sort_u64(x->sorted, x->n);
  x->error = sloe_runs_error(x->sorted, x->n);
  return SLOE_OK;
}

/* NAN where there is to be none, or the backend cannot run it. */
static sloe_status reference(const timer *t, double *ns, sloe_error *err) {
  *ns = NAN;
  if (t->options.ref_runs < 0) return SLOE_OK;
  const sloe_status status = sloe_device_reference(t->device, t->options.ref_runs, ns, err);
  return status == SLOE_UNSUPPORTED ? SLOE_OK : status;
}

static double scatter(const take *x) {
  const double median = sloe_runs_quantile(x->sorted, x->n, 0.5);
  return (sloe_runs_quantile(x->sorted, x->n, 0.75) - sloe_runs_quantile(x->sorted, x->n, 0.25)) /
         median;
}

static sloe_status look_for_others(const timer *t, take *x, int find, sloe_error *err) {
  const sloe_backend *backend = t->device->backend;
  double ns, usual;
  if (t->options.ref_runs < 0 || !backend->quiet) return SLOE_OK;
  SLOE_TRY(backend->quiet(t->device->state, find, &ns, &usual, err));
  x->move = fmax(x->move, ns); /* of which NAN is none */
  x->busy = fmax(x->busy, ns / usual);
  return SLOE_OK;
}

static sloe_status take_once(const timer *t, take *x, sloe_error *err) {
  *x = (take){.n_layers = t->n_layers, .move = NAN, .busy = 1};
  SLOE_TRY(look_for_others(t, x, 1, err));
  SLOE_TRY(reference(t, &x->before, err));
  SLOE_TRY(warm_up(t, x, err));
  SLOE_TRY(take_runs(t, x, err));
  SLOE_TRY(reference(t, &x->after, err));
  SLOE_TRY(look_for_others(t, x, 0, err));
  const double moved = fabs(x->after / x->before - 1) / t->options.ref_moved;
  const double busy = (x->busy - 1) / (t->options.busy - 1);
  x->unsteadiness = fmax(scatter(x) / t->options.noisy, busy);
  if (moved > x->unsteadiness) x->unsteadiness = moved; /* not where it is NAN */
  return SLOE_OK;
}

/* The steadiest of as many takes as it needs. */
static sloe_status take_best(const timer *t, take *best, int32_t *retaken, sloe_error *err) {
  SLOE_TRY(take_once(t, best, err));
  for (*retaken = 0; best->unsteadiness > 1 && *retaken < t->options.retakes; ++*retaken) {
    take next, *worse = &next;
    const sloe_status status = take_once(t, &next, err);
    if (status == SLOE_OK && next.unsteadiness < best->unsteadiness) {
      const take kept = next;
      next = *best;
      *best = kept;
    }
    take_fini(worse);
    SLOE_TRY(status);
  }
  return SLOE_OK;
}

/* ---- the summary ---- */

static double median_host(take *x) {
  size_t n = 0;
  for (size_t i = 0; i < x->n; i++)
    if (x->host[i]) x->host[n++] = x->host[i];
  sloe_sort_u64(x->host, n);
  return n ? sloe_runs_quantile(x->host, n, 0.5) : NAN;
}

/* Medians of each layer; `x->host` is used up as scratch. */
static sloe_status layer_medians(take *x, sloe_timing *out, sloe_error *err) {
  if (!x->n_layers) return SLOE_OK;
  out->layer_ns = sloe_alloc(x->n_layers, sizeof *out->layer_ns);
  if (!out->layer_ns) return sloe_fail(err, SLOE_NOMEM, "out of memory timing layers");
  out->n_layers = x->n_layers;
  for (size_t k = 0; k < x->n_layers; k++) {
    for (size_t i = 0; i < x->n; i++) x->host[i] = x->layers[i * x->n_layers + k];
    sloe_sort_u64(x->host, x->n);
    out->layer_ns[k] = sloe_runs_quantile(x->host, x->n, 0.5);
  }
  return SLOE_OK;
}

static sloe_status summarise(take *x, sloe_timing *out, sloe_error *err) {
  const uint64_t *sorted = x->sorted;
  *out = (sloe_timing){
      .n_runs = x->n,
      .median_ns = sloe_runs_quantile(sorted, x->n, 0.5),
      .p25_ns = sloe_runs_quantile(sorted, x->n, 0.25),
      .p75_ns = sloe_runs_quantile(sorted, x->n, 0.75),
      .p97_5_ns = sloe_runs_quantile(sorted, x->n, 0.975),
      .min_ns = (double)sorted[0],
      .mean_ns = sloe_runs_mean(sorted, x->n),
      .midmean_ns = sloe_runs_midmean(sorted, x->n),
      .error = isfinite(x->error) ? x->error : NAN,
      .host_ns = median_host(x),
      .ref_before_ns = x->before,
      .ref_after_ns = x->after,
      .move_ns = x->move,
      .noisy = x->unsteadiness > 1,
  };
  SLOE_TRY(layer_medians(x, out, err));
  out->runs_ns = x->runs;
  out->layer_runs_ns = x->layers;
  x->runs = x->layers = NULL;
  return SLOE_OK;
}

static sloe_status time_it(const timer *t, sloe_timing *out, sloe_error *err) {
  take best = {0};
  int32_t retaken = 0;
  *out = (sloe_timing){0};
  sloe_status status = take_best(t, &best, &retaken, err);
  if (status == SLOE_OK) status = summarise(&best, out, err);
  out->retaken = retaken;
  take_fini(&best);
  if (status != SLOE_OK) sloe_timing_fini(out);
  return status;
}

sloe_status sloe_time_job(sloe_device *device, sloe_job *job, const sloe_timing_options *options,
                          sloe_timing *out, sloe_error *err) {
  const timer t = {device, job, with_defaults(options), 0};
  return time_it(&t, out, err);
}

sloe_status sloe_time_layers(sloe_device *device, sloe_job *job, const sloe_timing_options *options,
                             sloe_timing *out, sloe_error *err) {
  const timer t = {device, job, with_defaults(options), job->n_layers};
  *out = (sloe_timing){0};
  if (!job->n_layers || !device->backend->run_layers)
    return sloe_fail(err, SLOE_UNSUPPORTED, "backend %s: no clock around the layers of this job",
                     device->backend->name);
  return time_it(&t, out, err);
}

void sloe_timing_fini(sloe_timing *timing) {
  if (!timing) return;
  sloe_dealloc(timing->runs_ns);
  sloe_dealloc(timing->layer_ns);
  sloe_dealloc(timing->layer_runs_ns);
  *timing = (sloe_timing){0};
}

/* ---- the reference layer ---- */

const sloe_layer_spec sloe_reference_spec = {.op = SLOE_SPEC_CONV,
                                             .n = 1,
                                             .c = 64,
                                             .h = 28,
                                             .w = 28,
                                             .k = 64,
                                             .kernel = {3, 3},
                                             .stride = {1, 1},
                                             .dilation = {1, 1},
                                             .pad = {1, 1},
                                             .out = {28, 28},
                                             .groups = 1,
                                             .parts = 1};

sloe_status sloe_device_reference(sloe_device *device, int32_t runs, double *ns, sloe_error *err) {
  *ns = NAN;
  if (device->info.self_clocked)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s watches its clock itself", device->backend->name);
  if (!device->reference)
    SLOE_TRY(sloe_device_load_layer(device, &sloe_reference_spec, &device->reference, err));
  const sloe_timing_options warm = {.warm = 1};
  const timer t = {device, device->reference, with_defaults(&warm), 0};
  uint64_t least = UINT64_MAX, one, host;
  for (int32_t i = 0; i <= (runs > 0 ? runs : 1); i++) {
    SLOE_TRY(run_once(&t, &one, &host, NULL, err));
    if (i && one < least) least = one;
  }
  *ns = (double)least;
  return SLOE_OK;
}
