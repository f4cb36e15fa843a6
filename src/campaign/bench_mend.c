/* bench_mend.c: what is done to measured points before anything is fitted to them (bench.h). */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sort_numbers.h"
#include "campaign/bench.h"

static const double SHORT_MS = 0.02;

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory mending what was measured");
}

static int is_short(const sloe_bench_point *p) {
  return !p->network && !p->place.in_network && !p->refused && p->least > 0 &&
         p->time * p->ref_ms < SHORT_MS;
}

sloe_status sloe_bench_steady(sloe_bench *b, sloe_error *err) {
  double *ratios = sloe_alloc(b->n_points + 1, sizeof *ratios);
  size_t n = 0;
  if (!ratios) return out_of_memory(err);
  for (size_t i = 0; i < b->n_points; i++)
    if (is_short(&b->points[i])) ratios[n++] = b->points[i].time / b->points[i].least;
  if (n) {
    sloe_sort_doubles(ratios, n);
    const double usual = ratios[n / 4];
    for (size_t i = 0; i < b->n_points; i++) {
      sloe_bench_point *p = &b->points[i];
      if (!is_short(p)) continue;
      p->time = p->least * usual;
      p->again = p->least_again * usual; /* NAN without */
    }
  }
  sloe_dealloc(ratios);
  return SLOE_OK;
}

sloe_status sloe_bench_place_scratch(sloe_bench *b, double bytes, sloe_error *err) {
  double *mb = sloe_alloc(b->n_points + 1, sizeof *mb);
  if (!mb) return out_of_memory(err);
  for (size_t i = 0; i < b->n_points; i++) mb[i] = 0;
  for (size_t i = 0; i < b->n_points; i++) {
    const sloe_bench_point *p = &b->points[i];
    if (p->network && p->number < b->n_points && p->workspace_mb > 0)
      mb[p->number] = p->workspace_mb;
  }
  for (size_t i = 0; i < b->n_points; i++) {
    sloe_bench_point *p = &b->points[i];
    if (p->place.in_network && p->number < b->n_points)
      sloe_layer_place_add(&p->place, mb[p->number], bytes);
  }
  sloe_dealloc(mb);
  return SLOE_OK;
}

typedef struct clocked { /* a network */
  double whole, sum;
  size_t n;
} clocked;

sloe_status sloe_bench_unclock(sloe_bench *b, sloe_error *err) {
  clocked *nets = sloe_alloc(b->n_points + 1, sizeof *nets);
  if (!nets) return out_of_memory(err);
  for (size_t i = 0; i < b->n_points; i++) nets[i] = (clocked){0};
  for (size_t i = 0; i < b->n_points; i++) {
    const sloe_bench_point *p = &b->points[i];
    if (p->refused || !(p->time > 0) || p->number >= b->n_points) continue;
    if (p->network) nets[p->number].whole = p->time;
    if (p->place.in_network) nets[p->number].sum += p->time, nets[p->number].n++;
  }
  for (size_t i = 0; i < b->n_points; i++) {
    sloe_bench_point *p = &b->points[i];
    if (p->refused || !p->place.in_network || p->number >= b->n_points) continue;
    const clocked *c = &nets[p->number];
    const double each = c->whole > 0 ? (c->sum - c->whole) / (double)c->n : 0;
    if (each > 0) p->time -= fmin(each, p->time / 2);
  }
  sloe_dealloc(nets);
  return SLOE_OK;
}
