#include "campaign/bench_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/number.h"
#include "base/sort_numbers.h"
#include "campaign/busy.h"
#include "campaign/sensed.h"

enum { ARENA_LIMIT = 1 << 28 };

static const char kernels_column[] = "kernels";
const char sloe_split_line[] = "line", sloe_split_design[] = "design",
           sloe_split_held_out[] = "held-out", sloe_split_network[] = "network",
           sloe_split_in_network[] = "in-network";

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory measuring");
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int sloe_bench_has_time(const sloe_bench *b, double share) {
  return !(b->budget_s > 0) || now_s() - b->begun_s < share * b->budget_s;
}

sloe_status sloe_bench_step(sloe_bench *b, sloe_error *err) {
  const sloe_watch *w = b->watch;
  if (w && w->stop && w->stop(w->context)) return sloe_fail(err, SLOE_STOPPED, "stopped");
  if (!w || !w->progress) return SLOE_OK;
  const double elapsed = now_s() - b->begun_s;
  double eta = NAN;
  if (b->measured > 5) /* what was there already cost nothing */
    eta = elapsed / (double)b->measured * (double)(b->total > b->done ? b->total - b->done : 0);
  if (b->budget_s > 0 && !(eta < b->budget_s - elapsed)) eta = fmax(0, b->budget_s - elapsed);
  const sloe_progress progress = {b->phase, b->done, b->total, elapsed, eta};
  w->progress(w->context, &progress);
  return SLOE_OK;
}

/* ---- what earlier visits measured ---- */

typedef struct loading {
  sloe_bench *bench;
  sloe_bench_point *point;
  size_t samples;
} loading;

static double reference_of(double before, double after) {
  if (isnan(before)) return after;
  return isnan(after) ? before : (before + after) / 2;
}

/* Of one device it is always the same. */
static sloe_status note_memory_kind(sloe_bench *b, const char *kind, sloe_error *err) {
  if (!kind || !*kind || !strcmp(kind, b->memory_kind)) return SLOE_OK;
  kind = sloe_arena_strn(&b->arena, kind, strlen(kind));
  if (!kind) return out_of_memory(err);
  b->memory_kind = kind;
  return SLOE_OK;
}

/* NAN: none of that name. */
static double metric_of(const sloe_store_sample *s, const char *name) {
  for (size_t i = 0; i < s->n_metrics; i++)
    if (!strcmp(s->metrics[i].name, name)) return s->metrics[i].value;
  return NAN;
}

/* What is known becomes the second take. */
static void keep_as_again(sloe_bench_point *p) {
  p->again = p->time;
  p->least_again = p->least;
  p->ref_again_ms = p->ref_ms;
  p->power_again = p->power_w;
  p->memory_again = p->memory_mb;
}

/* The first take counts, or a later one beside which others kept memory less busy. */
static void take_sample(sloe_bench_point *p, const sloe_store_sample *s, size_t number) {
  const double ref = reference_of(s->ref_before_ns, s->ref_after_ns);
  const double unit = ref > 0 ? ref : 1e6; /* a device without a reference counts milliseconds */
  const int quieter = number > 0 && metric_of(s, "move_ms") < p->move_ms;
  p->n_takes = number + 1;
  if (number == 1 && !quieter) {
    p->again = s->median_ns / unit;
    p->least_again = s->min_ns / unit;
    p->ref_again_ms = unit / 1e6;
    p->power_again = s->power_w;
    p->memory_again = s->memory_mb;
  }
  if (quieter) keep_as_again(p);
  if (number > 0 && !quieter) return;
  p->time = s->median_ns / unit;
  p->least = s->min_ns / unit;
  p->ref_ms = unit / 1e6;
  p->p75 = s->p75_ns / s->median_ns;
  p->p97_5 = s->p97_5_ns / s->median_ns;
  p->memory_mb = s->memory_mb;
  p->workspace_mb = metric_of(s, "workspace_mb");
  p->move_ms = metric_of(s, "move_ms");
  p->power_w = s->power_w;
  p->visit = s->visit;
  p->noisy = s->quality == SLOE_STORE_QUALITY_NOISY;
  /* From the quartiles: of a normal distribution 1.35 deviations apart; of the median 1.25 / sqrt
   * n. */
  p->error = s->n_runs > 1 ? 1.25 / 0.674 * fabs(p->p75 - 1) / sqrt((double)s->n_runs) : 0.01;
  if (number == 0) p->first = p->time, p->first_error = p->error;
}

static sloe_status load_sample(void *context, const sloe_store_sample *s, sloe_error *err) {
  loading *x = context;
  if (s->median_ns > 0) take_sample(x->point, s, x->samples++);
  return note_memory_kind(x->bench, s->memory_kind, err);
}

static sloe_status add_point(sloe_bench *b, const char *key, sloe_bench_point **out,
                             sloe_error *err) {
  if (!sloe_arena_grow(&b->arena, &b->points, b->n_points, &b->cap_points, sizeof *b->points))
    return out_of_memory(err);
  sloe_bench_point *p = &b->points[b->n_points];
  *p = (sloe_bench_point){.split = "",
                          .time = NAN,
                          .first = NAN,
                          .kernels = "",
                          .again = NAN,
                          .least = NAN,
                          .least_again = NAN,
                          .memory_mb = NAN,
                          .workspace_mb = NAN,
                          .move_ms = NAN,
                          .power_w = NAN,
                          .memory_again = NAN,
                          .power_again = NAN,
                          .ref_again_ms = NAN,
                          .error = 0.01};
  p->key = sloe_arena_strn(&b->arena, key, strlen(key));
  if (!p->key || !sloe_map_put(&b->index, &b->arena, p->key, (int32_t)b->n_points))
    return out_of_memory(err);
  b->n_points++;
  *out = p;
  return SLOE_OK;
}

/* It is measured again, once. */
static sloe_status note_failed(sloe_bench *b, const char *key, sloe_error *err) {
  const char *kept = sloe_arena_strn(&b->arena, key, strlen(key));
  return kept && sloe_map_put(&b->failed, &b->arena, kept, 0) ? SLOE_OK : out_of_memory(err);
}

static sloe_status load_point(void *context, const sloe_store_point *stored, sloe_error *err) {
  loading *x = context;
  sloe_bench *b = x->bench;
  sloe_bench_point *p;
  if (stored->state == SLOE_STORE_OPEN) return SLOE_OK;
  if (stored->state == SLOE_STORE_FAILED) return note_failed(b, stored->key, err);
  if (sloe_map_get(&b->index, stored->key) >= 0) return SLOE_OK;
  SLOE_TRY(add_point(b, stored->key, &p, err));
  p->id = stored->id;
  p->network = stored->kind == SLOE_STORE_NETWORK;
  p->refused = stored->state != SLOE_STORE_DONE;
  p->is_short = !p->refused && strcmp(stored->reason, sloe_remark_short) == 0;
  p->split = sloe_arena_strn(&b->arena, stored->split, strlen(stored->split));
  if (!p->split) return out_of_memory(err);
  if (p->network || strchr(p->key, '#')) return SLOE_OK; /* sloe_bench_network fills in the rest */
  return sloe_layer_spec_parse(p->key, &p->spec, err);
}

static int by_id(const void *a, const void *b) {
  const int64_t p = *(const int64_t *)a, q = ((const sloe_bench_point *)b)->id;
  return (p > q) - (p < q);
}

/* Points stand in the order of their ids. */
static sloe_status load_kernels(void *context, int64_t id, const char *value, sloe_error *err) {
  sloe_bench *b = context;
  sloe_bench_point *p = bsearch(&id, b->points, b->n_points, sizeof *p, by_id);
  if (!p) return SLOE_OK;
  p->kernels = sloe_arena_strn(&b->arena, value, strlen(value));
  return p->kernels ? SLOE_OK : out_of_memory(err);
}

/* Points first, samples then: the store's callbacks must not be nested. */
static sloe_status load(sloe_bench *b, sloe_error *err) {
  loading x = {.bench = b};
  SLOE_TRY(sloe_store_each_point(b->store, b->visit.campaign, load_point, &x, err));
  for (size_t i = 0; i < b->n_points; i++) {
    x.point = &b->points[i];
    x.samples = 0;
    SLOE_TRY(sloe_store_each_sample(b->store, b->points[i].id, load_sample, &x, err));
    if (!x.samples) b->points[i].refused = 1;
  }
  return sloe_store_each_column(b->store, b->visit.campaign, kernels_column, load_kernels, b, err);
}

/* ---- opening ---- */

static void warn_of_doubt(const sloe_bench *b) {
  const char *doubt = sloe_device_doubt(b->device);
  char text[240];
  if (!doubt || !b->watch || !b->watch->warn) return;
  snprintf(text, sizeof text, "not reproducible: %.200s", doubt);
  b->watch->warn(b->watch->context, text);
}

/* The device's, and what its card says besides: the environment of a visit holds all that a
   platform says of the device. */
static sloe_status take_environment(sloe_bench *b, sloe_store_pair **out, size_t *n,
                                    sloe_error *err) {
  const sloe_device_info *info = sloe_device_describe(b->device);
  char number[SLOE_NUMBER_BUF];
  sloe_store_pair *pairs = SLOE_ARENA_NEW(&b->arena, sloe_store_pair, info->n_environment + 2);
  if (!pairs) return out_of_memory(err);
  *out = pairs;
  for (size_t i = 0; i < info->n_environment; i++)
    pairs[(*n)++] = (sloe_store_pair){info->environment[i].key, info->environment[i].value};
  if (*info->title) pairs[(*n)++] = (sloe_store_pair){SLOE_DEVICE_TITLE, info->title};
  if (isnan(info->memory_mb)) return SLOE_OK;
  const char *mb = sloe_format_double(info->memory_mb, number);
  pairs[*n] = (sloe_store_pair){SLOE_DEVICE_MEMORY, sloe_arena_strn(&b->arena, mb, strlen(mb))};
  return pairs[(*n)++].value ? SLOE_OK : out_of_memory(err);
}

static sloe_status begin(sloe_bench *b, const sloe_bench_options *options, sloe_error *err) {
  const sloe_device_info *info = sloe_device_describe(b->device);
  const sloe_store_identity identity = {info->device, info->runtime, info->version, info->precision,
                                        info->mode,   info->batch,   info->threads};
  const sloe_store_campaign campaign = {
      .backend = options->backend, .plan = options->plan, .options = ""};
  sloe_store_pair *pairs = NULL;
  size_t n = 0;
  SLOE_TRY(take_environment(b, &pairs, &n, err));
  SLOE_TRY(sloe_store_begin(b->store, &campaign, &identity, pairs, n, &b->visit, err));
  return load(b, err);
}

sloe_status sloe_bench_open(const sloe_bench_options *options, sloe_bench **out, sloe_error *err) {
  *out = NULL;
  sloe_status status;
  sloe_bench *b = sloe_alloc(1, sizeof *b);
  if (!b) return out_of_memory(err);
  *b = (sloe_bench){.watch = options->watch,
                    .budget_s = options->budget_s,
                    .begun_s = now_s(),
                    .memory_kind = "",
                    .phase = "opening"};
  sloe_arena_init(&b->arena, ARENA_LIMIT);
  SLOE_GOTO(sloe_device_open(options->backend, NULL, &b->device, err));
  SLOE_GOTO(sloe_store_open(options->db, SLOE_STORE_WRITE, &b->store, err));
  SLOE_GOTO(begin(b, options, err));
  warn_of_doubt(b);
  *out = b;
  b = NULL;
fail:
  sloe_bench_close(b);
  return status;
}

void sloe_bench_close(sloe_bench *b) {
  if (!b) return;
  sloe_store_close(b->store);
  sloe_device_close(b->device);
  sloe_arena_fini(&b->arena);
  sloe_dealloc(b);
}

/* ---- measuring ---- */

sloe_status sloe_bench_refuse(sloe_bench *b, sloe_bench_point *p, const char *why,
                              sloe_error *err) {
  const sloe_store_outcome outcome = {SLOE_STORE_SKIPPED, SLOE_STORE_QUALITY_SKIPPED, why};
  p->refused = 1;
  b->refused++;
  return sloe_store_finish_point(b->store, p->id, &outcome, err);
}

void sloe_bench_fail_point(sloe_bench *b, const sloe_bench_point *p, const sloe_error *why) {
  const int again = sloe_map_get(&b->failed, p->key) >= 0;
  const sloe_store_outcome outcome = {again ? SLOE_STORE_SKIPPED : SLOE_STORE_FAILED,
                                      SLOE_STORE_QUALITY_SKIPPED, why->msg};
  sloe_store_finish_point(b->store, p->id, &outcome, NULL);
}

sloe_bench_taken sloe_bench_taken_none(const sloe_timing *timing) {
  return (sloe_bench_taken){.timing = timing,
                            .memory = {NAN, NAN, NAN, NAN, ""},
                            .noisy = timing->noisy,
                            .power = sloe_power_unknown,
                            .remark = ""};
}

sloe_status sloe_bench_keep(sloe_bench *b, sloe_bench_point *p, const sloe_bench_taken *taken,
                            size_t number, sloe_error *err) {
  const sloe_timing *t = taken->timing;
  sloe_store_metric metrics[SLOE_SENSED_METRICS];
  sloe_store_sample s = sloe_store_sample_none();
  s.runs_ns = t->runs_ns;
  s.n_runs = t->n_runs;
  s.host_ns = t->host_ns;
  s.ref_before_ns = t->ref_before_ns;
  s.ref_after_ns = t->ref_after_ns;
  s.quality = taken->noisy ? SLOE_STORE_QUALITY_NOISY : SLOE_STORE_QUALITY_OK;
  sloe_sensed_put(&taken->power, &taken->memory, t->move_ns, &s, metrics);
  const sloe_store_outcome outcome = {SLOE_STORE_DONE, s.quality, taken->remark};
  /* A later take changes what is known of the point only where it is better. */
  const int tells = !number || (p->noisy && !taken->noisy) || t->move_ns / 1e6 < p->move_ms;
  SLOE_TRY(sloe_store_add_samples(b->store, &b->visit, p->id, &s, 1, tells ? &outcome : NULL, err));
  s.visit = b->visit.visit;
  s.median_ns = t->median_ns;
  s.p75_ns = t->p75_ns;
  s.p97_5_ns = t->p97_5_ns;
  s.min_ns = t->min_ns;
  take_sample(p, &s, number);
  return note_memory_kind(b, s.memory_kind, err);
}

static sloe_status keep_kernels(sloe_bench *b, sloe_bench_point *p, const sloe_job *job,
                                sloe_error *err) {
  const char *kernels = sloe_job_kernels(job);
  if (!*kernels) return SLOE_OK;
  p->kernels = sloe_arena_strn(&b->arena, kernels, strlen(kernels));
  if (!p->kernels) return out_of_memory(err);
  return sloe_store_set_column(b->store, p->id, kernels_column, kernels, err);
}

sloe_status sloe_bench_time_job(sloe_bench *b, sloe_bench_point *p, sloe_job *job, size_t number,
                                sloe_error *err) {
  static const sloe_timing_options layer = {
      .min_runs = 5, .max_runs = 60, .budget_ms = 25, .enough = 0.003, .retakes = 2};
  static const sloe_timing_options network = {
      .min_runs = 7, .max_runs = 100, .budget_ms = 2000, .enough = 0.001, .retakes = 2};
  sloe_device_memory memory;
  sloe_timing t;
  SLOE_TRY(sloe_job_memory(job, &memory, err));
  SLOE_TRY(sloe_time_job(b->device, job, p->network ? &network : &layer, &t, err));
  sloe_bench_taken taken = sloe_bench_taken_none(&t);
  taken.memory = memory;
  const sloe_status status = sloe_bench_keep(b, p, &taken, number, err);
  b->measured += status == SLOE_OK;
  sloe_timing_fini(&t);
  const char *choice = p->network ? "" : sloe_job_choice(job, 0);
  if (status != SLOE_OK || p->network || number) return status;
  SLOE_TRY(keep_kernels(b, p, job, err));
  if (!*choice) return SLOE_OK;
  return sloe_store_put_choice(b->store, &b->visit, p->id, "", choice, err);
}

sloe_status sloe_bench_begin_point(sloe_bench *b, const char *key, const char *split, int network,
                                   sloe_bench_point **out, sloe_error *err) {
  const sloe_store_point point = {
      .kind = network ? SLOE_STORE_NETWORK : SLOE_STORE_LAYER, .key = key, .split = split};
  int64_t id;
  SLOE_TRY(sloe_store_add_points(b->store, b->visit.campaign, &point, 1, &id, err));
  SLOE_TRY(add_point(b, key, out, err));
  (*out)->id = id;
  (*out)->split = split;
  (*out)->network = network;
  return SLOE_OK;
}

sloe_status sloe_bench_not_loaded(sloe_bench *b, sloe_bench_point *p, sloe_status status,
                                  const sloe_error *why, sloe_error *err) {
  if (status == SLOE_UNSUPPORTED) return sloe_bench_refuse(b, p, why->msg, err);
  return sloe_fail(err, status, "%s", why->msg);
}

int sloe_bench_knows(const sloe_bench *b, const sloe_layer_spec *spec) {
  char text[SLOE_SPEC_TEXT];
  return sloe_map_get(&b->index, sloe_layer_spec_print(spec, text)) >= 0;
}

static sloe_status load_and_time(sloe_bench *b, sloe_bench_point *p, size_t number,
                                 sloe_error *err) {
  sloe_job *job;
  sloe_error why = {0};
  sloe_status status = sloe_device_load_layer(b->device, &p->spec, &job, &why);
  if (status == SLOE_OK) {
    status = sloe_bench_time_job(b, p, job, number, &why);
    sloe_job_unload(job);
    if (status == SLOE_OK) return SLOE_OK;
    if (status != SLOE_DEVICE) return sloe_fail(err, status, "%s", why.msg);
  }
  if (status == SLOE_DEVICE && number == 0) sloe_bench_fail_point(b, p, &why);
  return sloe_bench_not_loaded(b, p, status, &why, err);
}

sloe_status sloe_bench_layer(sloe_bench *b, const sloe_layer_spec *spec, const char *split,
                             size_t *out, sloe_error *err) {
  char text[SLOE_SPEC_TEXT];
  sloe_bench_point *p;
  const int32_t at = sloe_map_get(&b->index, sloe_layer_spec_print(spec, text));
  if (at >= 0) {
    b->reused++;
    *out = (size_t)at;
    return SLOE_OK;
  }
  SLOE_TRY(sloe_bench_step(b, err));
  SLOE_TRY(sloe_bench_begin_point(b, text, split, 0, &p, err));
  p->spec = *spec;
  *out = b->n_points - 1;
  return load_and_time(b, p, 0, err);
}

sloe_status sloe_bench_again(sloe_bench *b, size_t point, sloe_error *err) {
  sloe_bench_point *p = &b->points[point];
  if (p->refused || !isnan(p->again)) return SLOE_OK;
  SLOE_TRY(sloe_bench_step(b, err));
  return load_and_time(b, p, 1, err);
}

sloe_status sloe_bench_quiet_ms(const sloe_bench *b, double *out, sloe_error *err) {
  double *ms = sloe_alloc(b->n_points + 1, sizeof *ms);
  size_t n = 0;
  *out = NAN;
  if (!ms) return out_of_memory(err);
  for (size_t i = 0; i < b->n_points; i++)
    if (b->points[i].move_ms > 0) ms[n++] = b->points[i].move_ms;
  *out = sloe_quiet_move_ms(ms, n);
  sloe_dealloc(ms);
  return SLOE_OK;
}

sloe_status sloe_bench_quieter(sloe_bench *b, size_t point, sloe_error *err) {
  sloe_bench_point *p = &b->points[point];
  SLOE_TRY(sloe_bench_step(b, err));
  return load_and_time(b, p, p->n_takes, err);
}

double sloe_bench_reference_ms(const sloe_bench *b) {
  double *refs = sloe_alloc(b->n_points + 1, sizeof *refs), median = NAN;
  size_t n = 0;
  for (size_t i = 0; refs && i < b->n_points; i++)
    if (b->points[i].ref_ms > 0) refs[n++] = b->points[i].ref_ms;
  if (n) {
    sloe_sort_doubles(refs, n);
    median = refs[n / 2];
  }
  sloe_dealloc(refs);
  return median;
}
