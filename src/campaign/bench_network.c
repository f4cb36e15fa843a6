/* bench_network.c: a network as a whole, and in a second pass layer by layer in its place.
 *
 * A layer in its place is a point of its own, "NET#i": its share of each run that had a clock
 * around every layer.
 */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sort_numbers.h"
#include "campaign/bench_parts.h"

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory measuring");
}

typedef struct visiting { /* of one network */
  sloe_bench *bench;
  const char *net;
  const sloe_layers *layers;
  size_t number;
  int again; /* layers that are known are timed once more */
} visiting;

enum { PLACE_TEXT = 512 };

static const char *place_key(const visiting *v, size_t i, char text[PLACE_TEXT]) {
  snprintf(text, PLACE_TEXT, "%s#%zu", v->net, i);
  return text;
}

static int is_launched(const visiting *v, size_t i) {
  return sloe_layers_at(v->layers, i)->kind != SLOE_LAYER_VIEW;
}

/* What the store does not hold of a layer in its place. */
static void fill_place(const visiting *v, size_t i, sloe_bench_point *p) {
  int known;
  sloe_layer_spec_of(v->layers, i, &p->spec, &known);
  if (!known) p->spec.n = 0;
  p->place = sloe_layers_place(v->layers);
  p->number = v->number;
}

/* How many layers have no time yet; the others are filled in. */
static size_t fill_places(const visiting *v) {
  char key[PLACE_TEXT];
  size_t open = 0;
  for (size_t i = 0; i < sloe_layers_count(v->layers); i++) {
    if (!is_launched(v, i)) continue;
    const int32_t at = sloe_map_get(&v->bench->index, place_key(v, i, key));
    if (at < 0)
      open++;
    else
      fill_place(v, i, &v->bench->points[at]);
  }
  return open;
}

/* One layer's share of each run, as a timing of its own. */
static sloe_status keep_place(const visiting *v, size_t i, const sloe_timing *whole,
                              sloe_error *err) {
  char key[PLACE_TEXT];
  sloe_bench_point *p;
  sloe_timing t = *whole;
  const int32_t at = sloe_map_get(&v->bench->index, place_key(v, i, key));
  if (at >= 0 && !v->again) return SLOE_OK;
  t.runs_ns = sloe_alloc(whole->n_runs, 2 * sizeof *t.runs_ns);
  if (!t.runs_ns) return out_of_memory(err);
  uint64_t *sorted = t.runs_ns + whole->n_runs;
  for (size_t run = 0; run < whole->n_runs; run++)
    t.runs_ns[run] = sorted[run] = whole->layer_runs_ns[run * whole->n_layers + i];
  sloe_sort_u64(sorted, t.n_runs);
  t.median_ns = sloe_runs_quantile(sorted, t.n_runs, 0.5);
  t.p75_ns = sloe_runs_quantile(sorted, t.n_runs, 0.75);
  t.p97_5_ns = sloe_runs_quantile(sorted, t.n_runs, 0.975);
  t.min_ns = (double)sorted[0];
  t.host_ns = NAN;
  sloe_status status = SLOE_OK;
  if (at < 0)
    status = sloe_bench_begin_point(v->bench, key, sloe_split_in_network, 0, &p, err);
  else
    p = &v->bench->points[at];
  if (status == SLOE_OK) {
    fill_place(v, i, p);
    const sloe_bench_taken taken = sloe_bench_taken_none(&t);
    status = sloe_bench_keep(v->bench, p, &taken, p->n_takes, err);
  }
  sloe_dealloc(t.runs_ns);
  return status;
}

static sloe_status time_places(const visiting *v, sloe_job *job, sloe_error *err) {
  static const sloe_timing_options options = {
      .min_runs = 7, .max_runs = 60, .budget_ms = 1000, .enough = 0.001, .retakes = 2};
  sloe_timing t;
  sloe_error why = {0};
  sloe_status status = sloe_time_layers(v->bench->device, job, &options, &t, &why);
  if (status == SLOE_UNSUPPORTED) return SLOE_OK; /* no such clock */
  if (status != SLOE_OK) return sloe_fail(err, status, "%s", why.msg);
  for (size_t i = 0; status == SLOE_OK && i < t.n_layers; i++)
    if (is_launched(v, i)) status = keep_place(v, i, &t, err);
  sloe_timing_fini(&t);
  return status;
}

/* `p` NULL: the whole was timed before, its layers were not. */
static sloe_status visit_network(const visiting *v, sloe_bench_point *p, sloe_error *err) {
  sloe_bench *b = v->bench;
  sloe_job *job;
  sloe_error why = {0};
  sloe_status status = sloe_device_load_network(b->device, v->layers, &job, &why);
  if (status == SLOE_DEVICE && p && !v->again) sloe_bench_fail_point(b, p, &why);
  if (status != SLOE_OK && p && !v->again) return sloe_bench_not_loaded(b, p, status, &why, err);
  if (status != SLOE_OK) return sloe_fail(err, status, "%s", why.msg);
  if (p) status = sloe_bench_time_job(b, p, job, p->n_takes, &why);
  if (status == SLOE_DEVICE && !v->again) sloe_bench_fail_point(b, p, &why);
  if (status == SLOE_OK)
    status = time_places(v, job, err);
  else
    sloe_fail(err, status, "%s", why.msg);
  sloe_job_unload(job);
  return status;
}

static size_t count_networks(const sloe_bench *b, size_t before) {
  size_t n = 0;
  for (size_t i = 0; i < before; i++) n += (size_t)b->points[i].network;
  return n;
}

sloe_status sloe_bench_network(sloe_bench *b, const char *net, const sloe_layers *layers,
                               const char *split, size_t *out, sloe_error *err) {
  sloe_bench_point *p = NULL;
  const int32_t at = sloe_map_get(&b->index, net);
  *out = at >= 0 ? (size_t)at : b->n_points;
  const visiting v = {b, net, layers, count_networks(b, *out), 0};
  if (at >= 0) {
    b->points[at].number = v.number;
    b->reused++;
    if (b->points[at].refused || !fill_places(&v) || !sloe_bench_has_time(b, 1)) return SLOE_OK;
  }
  SLOE_TRY(sloe_bench_step(b, err));
  if (at < 0) {
    SLOE_TRY(sloe_bench_begin_point(b, net, split, 1, &p, err));
    p->number = v.number;
  }
  return visit_network(&v, p, err);
}

sloe_status sloe_bench_network_quieter(sloe_bench *b, size_t point, const sloe_layers *layers,
                                       sloe_error *err) {
  sloe_bench_point *p = &b->points[point];
  const visiting v = {b, p->key, layers, p->number, 1};
  SLOE_TRY(sloe_bench_step(b, err));
  return visit_network(&v, p, err);
}
