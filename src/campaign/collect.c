/* collect.c: whole networks of a plan, each measured once, one in twenty a second time
 * (Z 4.1, 4.2).
 *
 * A collection is a campaign of plan and seed: counts, families and shares of it may come one after
 * the other, on several machines, and be merged. Its networks stand in the store as open points
 * from the beginning. Second takes of what an earlier visit measured come first, while that lies
 * far back; those of this visit come at the end, when all is through, as there may be no later one.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/number.h"
#include "campaign/bench_parts.h"
#include "campaign/plan.h"

static const double CPU_GFLOP = 200;

typedef struct collector {
  const sloe_collect_options *options;
  sloe_plan *plan;
  sloe_bench *bench;
  double max_flop; /* INFINITY: none */
  size_t reused;
  int complete;
} collector;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory collecting");
}

/* NULL: not measured yet. */
static sloe_bench_point *point_of(const collector *c, const sloe_plan_entry *e) {
  const int32_t at = sloe_map_get(&c->bench->index, e->net);
  return at < 0 ? NULL : &c->bench->points[at];
}

/* ---- one network ---- */

/* The features of Z's Table 4 and all others, under their names; the batch is a column anyway. */
static sloe_status keep_columns(const collector *c, const sloe_plan_entry *e,
                                const sloe_net_info *info, int64_t point, sloe_error *err) {
  const size_t cap = info->n_features + 2;
  sloe_arena arena;
  size_t n = 0;
  sloe_arena_init(&arena, 1 << 20);
  sloe_store_pair *pairs = SLOE_ARENA_NEW(&arena, sloe_store_pair, cap);
  char(*text)[SLOE_NUMBER_BUF] = sloe_arena_alloc(&arena, cap, sizeof *text);
  sloe_status status = pairs && text ? SLOE_OK : out_of_memory(err);
  if (status == SLOE_OK) {
    pairs[n++] = (sloe_store_pair){"family", e->family};
    pairs[n++] = (sloe_store_pair){"variant", e->variant};
    for (size_t i = 0; i < info->n_features; i++) {
      const sloe_feature *f = &info->features[i];
      if (strcmp(f->name, "batch") == 0) continue;
      pairs[n] = (sloe_store_pair){f->name, sloe_format_double(f->value, text[n])};
      n++;
    }
    status = sloe_store_set_columns(c->bench->store, point, pairs, n, err);
  }
  sloe_arena_fini(&arena);
  return status;
}

/* What the second take gave, beside the row of the first. */
static sloe_status keep_again(const collector *c, const sloe_bench_point *p, sloe_error *err) {
  const struct {
    const char *name;
    double value;
  } all[] = {{"latency_again_ms", p->again * p->ref_again_ms},
             {"ref_again_ms", p->ref_again_ms},
             {"power_again_w", p->power_again},
             {"memory_again_mb", p->memory_again}};
  enum { N = sizeof all / sizeof *all };
  char text[N][SLOE_NUMBER_BUF];
  sloe_store_pair pairs[N];
  size_t n = 0;
  for (size_t i = 0; i < N; i++)
    if (!isnan(all[i].value))
      pairs[n++] = (sloe_store_pair){all[i].name, sloe_format_double(all[i].value, text[i])};
  return sloe_store_set_columns(c->bench->store, p->id, pairs, n, err);
}

static sloe_status measure_net(collector *c, size_t at, sloe_net *net, size_t number,
                               sloe_error *err) {
  sloe_bench *b = c->bench;
  sloe_layers *layers;
  const int instead = number && b->points[at].noisy; /* of the first take, not beside it */
  SLOE_TRY(sloe_layers_new(net, &sloe_device_describe(b->device)->fusion, &layers, err));
  const sloe_measure_options how = {.runs = c->options->runs, .seconds = c->options->seconds};
  sloe_status status = sloe_bench_whole(b, at, layers, &how, number, err);
  sloe_layers_free(layers);
  if (status == SLOE_OK && number && !instead && !isnan(b->points[at].again))
    status = keep_again(c, &b->points[at], err);
  return status;
}

static sloe_status refuse_large(const collector *c, sloe_bench_point *p, double flop,
                                sloe_error *err) {
  char why[96];
  snprintf(why, sizeof why, "too large: %.0f GFLOP, %.0f are taken", flop / 1e9, c->max_flop / 1e9);
  return sloe_bench_refuse(c->bench, p, why, err);
}

static sloe_status measure_first(collector *c, const sloe_plan_entry *e, sloe_net *net,
                                 sloe_error *err) {
  const sloe_net_info *info = sloe_net_get_info(net);
  sloe_bench_point *p;
  SLOE_TRY(sloe_bench_begin_point(c->bench, e->net, e->split, 1, &p, err));
  SLOE_TRY(keep_columns(c, e, info, p->id, err));
  if ((double)info->flops > c->max_flop) return refuse_large(c, p, (double)info->flops, err);
  return measure_net(c, (size_t)(p - c->bench->points), net, 0, err);
}

/* A NET that cannot be opened is one that cannot be measured. */
static sloe_status refuse_net(collector *c, const sloe_plan_entry *e, const sloe_error *why,
                              sloe_error *err) {
  sloe_bench_point *p;
  SLOE_TRY(sloe_bench_begin_point(c->bench, e->net, e->split, 1, &p, err));
  return sloe_bench_refuse(c->bench, p, why->msg, err);
}

static sloe_status measure_entry(collector *c, const sloe_plan_entry *e, size_t number,
                                 sloe_error *err) {
  const sloe_net_options how = {.batch = sloe_device_describe(c->bench->device)->batch};
  sloe_error why = {0};
  sloe_net *net;
  SLOE_TRY(sloe_bench_step(c->bench, err));
  sloe_status status = sloe_net_open(e->net, &how, &net, &why);
  if (status == SLOE_NOMEM) return sloe_fail(err, status, "%s", why.msg);
  if (status != SLOE_OK) return number ? SLOE_OK : refuse_net(c, e, &why, err);
  const sloe_bench_point *p = point_of(c, e);
  status = number ? measure_net(c, (size_t)(p - c->bench->points), net, 1, err)
                  : measure_first(c, e, net, err);
  sloe_net_free(net);
  return status;
}

/* ---- all of them ---- */

/* For the noise, or since the runs of the first scattered. */
static int waits_for_second(const collector *c, const sloe_plan_entry *e) {
  const sloe_bench_point *p = point_of(c, e);
  return p && (e->again || p->noisy) && !p->refused && isnan(p->again);
}

/* `earlier`: only what an earlier visit measured first. */
static sloe_status measure_again(collector *c, int earlier, sloe_error *err) {
  sloe_bench *b = c->bench;
  b->phase = "measuring again";
  for (size_t i = 0; i < c->plan->n; i++) {
    const sloe_plan_entry *e = &c->plan->entries[i];
    if (!waits_for_second(c, e)) continue;
    if (earlier && point_of(c, e)->visit == b->visit.visit) continue;
    if (!sloe_bench_has_time(b, 1)) {
      c->complete = 0;
      return SLOE_OK;
    }
    SLOE_TRY(measure_entry(c, e, 1, err));
    b->done++;
  }
  return SLOE_OK;
}

static sloe_status measure_once(collector *c, sloe_error *err) {
  sloe_bench *b = c->bench;
  b->phase = "measuring networks";
  for (size_t i = 0; i < c->plan->n; i++) {
    const sloe_plan_entry *e = &c->plan->entries[i];
    if (point_of(c, e)) continue;
    if (!sloe_bench_has_time(b, 1)) {
      c->complete = 0;
      return SLOE_OK;
    }
    SLOE_TRY(measure_entry(c, e, 0, err));
    b->done++;
  }
  return SLOE_OK;
}

/* And what is still to be done. */
static void count_known(collector *c) {
  sloe_bench *b = c->bench;
  for (size_t i = 0; i < c->plan->n; i++) {
    const sloe_plan_entry *e = &c->plan->entries[i];
    const sloe_bench_point *p = point_of(c, e);
    c->reused += p != NULL;
    b->total += (size_t)!p + (size_t)(p ? waits_for_second(c, e) : e->again);
  }
}

static sloe_status add_points(const collector *c, sloe_error *err) {
  sloe_bench *b = c->bench;
  const size_t n = c->plan->n;
  sloe_store_point *points = sloe_alloc(n + 1, sizeof *points);
  if (!points) return out_of_memory(err);
  for (size_t i = 0; i < n; i++) {
    const sloe_plan_entry *e = &c->plan->entries[i];
    points[i] = (sloe_store_point){
        .kind = SLOE_STORE_NETWORK, .key = e->net, .space = e->space, .split = e->split};
  }
  const sloe_status status =
      sloe_store_add_points(b->store, b->visit.campaign, points, n, NULL, err);
  sloe_dealloc(points);
  return status;
}

static sloe_status measure_all(collector *c, sloe_error *err) {
  SLOE_TRY(add_points(c, err));
  count_known(c);
  SLOE_TRY(measure_again(c, 1, err));
  SLOE_TRY(measure_once(c, err));
  return c->complete ? measure_again(c, 0, err) : SLOE_OK;
}

/* ---- the campaign ---- */

static sloe_status open_bench(collector *c, const sloe_watch *watch, sloe_error *err) {
  const sloe_collect_options *o = c->options;
  char plan[96];
  if (!o->backend || !o->db) return sloe_fail(err, SLOE_USAGE, "a backend and a store are needed");
  snprintf(plan, sizeof plan, "collect-1 %s seed=%" PRIu64, c->plan->name, c->plan->seed);
  const sloe_bench_options options = {o->backend, o->db, plan, o->budget_s, watch};
  SLOE_TRY(sloe_bench_open(&options, &c->bench, err));
  const int is_cpu = sloe_device_describe(c->bench->device)->fusion.runtime == SLOE_RUNTIME_ONEDNN;
  c->max_flop = o->max_gflop > 0 ? 1e9 * o->max_gflop : is_cpu ? 1e9 * CPU_GFLOP : INFINITY;
  return SLOE_OK;
}

typedef struct difference { /* of second takes from first ones */
  double sum;
  size_t n;
} difference;

static void compare(difference *d, double first, double second) {
  if (!(first > 0) || !(second > 0)) return;
  d->sum += fabs(second / first - 1);
  d->n++;
}

static double per_cent(const difference *d) {
  return d->n ? 100 * d->sum / (double)d->n : NAN;
}

static void summarise(const collector *c, sloe_collect_summary *out) {
  difference time = {0}, power = {0}, memory = {0};
  out->measured = c->bench->measured;
  out->reused = c->reused;
  for (size_t i = 0; i < c->plan->n; i++) {
    const sloe_bench_point *p = point_of(c, &c->plan->entries[i]);
    if (!p) continue;
    out->skipped += (size_t)p->refused;
    if (p->refused) continue;
    out->is_short += (size_t)p->is_short;
    if (p->noisy) continue; /* a second take stands in its place */
    out->repeated += !isnan(p->again);
    compare(&time, p->time, p->again);
    compare(&power, p->power_w, p->power_again);
    compare(&memory, p->memory_mb, p->memory_again);
  }
  out->latency_noise = per_cent(&time);
  out->power_noise = per_cent(&power);
  out->memory_noise = per_cent(&memory);
}

static sloe_status write_table(const collector *c, sloe_error *err) {
  const sloe_store_export what = {.campaign = c->bench->visit.campaign};
  return c->options->out ? sloe_store_export_file(c->bench->store, &what, c->options->out, err)
                         : SLOE_OK;
}

static void count_planned(const sloe_plan *plan, sloe_collect_summary *out) {
  out->networks = plan->n;
  for (size_t i = 0; i < plan->n; i++) {
    out->for_test += strcmp(plan->entries[i].split, "test") == 0;
    out->to_repeat += plan->entries[i].again != 0;
  }
}

static sloe_status collect(collector *c, const sloe_watch *watch, sloe_collect_summary *out,
                           sloe_error *err) {
  SLOE_TRY(sloe_plan_new(c->options, &c->plan, err));
  count_planned(c->plan, out);
  if (c->options->plan_only) return SLOE_OK;
  SLOE_TRY(open_bench(c, watch, err));
  const sloe_status status = measure_all(c, err);
  summarise(c, out);
  SLOE_TRY(status);
  out->complete = c->complete;
  return write_table(c, err);
}

sloe_status sloe_collect(const sloe_collect_options *options, const sloe_watch *watch,
                         sloe_collect_summary *out, sloe_error *err) {
  const double begun = now_s();
  collector c = {.options = options, .complete = 1};
  *out = (sloe_collect_summary){.latency_noise = NAN, .power_noise = NAN, .memory_noise = NAN};
  const sloe_status status = collect(&c, watch, out, err);
  sloe_bench_close(c.bench);
  sloe_plan_free(c.plan);
  out->seconds = now_s() - begun;
  return status;
}

sloe_status sloe_collect_plan(const sloe_collect_options *options, char **text, sloe_error *err) {
  sloe_plan *plan;
  sloe_text out = {0};
  *text = NULL;
  SLOE_TRY(sloe_plan_new(options, &plan, err));
  sloe_status status = sloe_plan_write(plan, &out, err);
  sloe_plan_free(plan);
  if (status == SLOE_OK) return sloe_text_take(&out, text, err);
  sloe_text_fini(&out);
  return status;
}
