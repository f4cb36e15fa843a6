/* fit_layers.c: families and corrections (platform/fitted.h).
 *
 * A family (one kernel, stride and kind of grouping of an op) gets a staircase over its dimensions:
 * the shapes are those that its lines found, the coefficients one fit to all of its points. Fewer
 * points than a family needs, or no lines: straight lines in every dimension. Where steps do not
 * fit the points better than straight lines do, they are left out.
 *
 * Then, per op and grouping, a forest learns ln(time / staircase) from all points, those of kernels
 * without a family too, and those of layers in networks: told by a teacher (teach.h), where that
 * cannot be had from the points alone, its size found by cross-validation.
 */
#include "campaign/fit_layers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/number.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "base/sort_numbers.h"
#include "campaign/busy.h"
#include "campaign/kernels.h"
#include "estimate/estimate.h"

enum {
  ARENA_LIMIT = 1 << 28,
  FAMILY_LEAST = 10,
  SHAPE_LEAST = 6,
  CORRECTION_LEAST = 25,
  ROUNDS = 4,
  SANE_DRAWS = 2000
};
static const double least_of_lines = 0.2;

int sloe_is_held_out(const sloe_bench_point *p) {
  return !strcmp(p->split, sloe_split_held_out);
}

int sloe_is_layer_time(const sloe_bench_point *p) {
  return !p->network && !p->refused && p->time > 0 && p->spec.n > 0 && !p->place.in_network;
}

typedef struct fitting {
  const sloe_bench *bench;
  const sloe_line_shape *shapes;
  size_t n_shapes;
  double reference_ms, quiet_ms; /* quiet_ms: sloe_bench_quiet_ms */
  const sloe_fit_layers_switches *switches;
  sloe_layer_models *out;
  sloe_fitted_family *families;
  size_t n_families, cap_families;
  sloe_fitted_op *ops;
  size_t n_ops, cap_ops;
} fitting;

static int is_fitted(const sloe_bench_point *p) {
  return sloe_is_layer_time(p) && !sloe_is_held_out(p);
}

static int is_left_out(const fitting *f, const sloe_bench_point *p) {
  return f->switches->no_networks ||
         (f->switches->folds && p->number % f->switches->folds == f->switches->fold);
}

/* Whether a correction learns from it: layers by themselves, and those of networks. */
static int teaches(const fitting *f, const sloe_bench_point *p) {
  if (!p->place.in_network) return is_fitted(p);
  return p->spec.n > 0 && !p->refused && p->time > 0 && !is_left_out(f, p);
}

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory fitting layers");
}

/* ---- what is fused ---- */

static double measured_ms(const fitting *f, const sloe_bench_point *p) {
  return p->time * f->reference_ms;
}

/* Without what is fused, as far as that is known; at least a fifth of the whole. */
static double bare_ms(const fitting *f, const sloe_bench_point *p) {
  const sloe_layer_key key = sloe_layer_key_of(&p->spec);
  const sloe_fitted_op *op = sloe_fitted_find_op(&f->out->fitted, key.op, key.grouping);
  const double ms = measured_ms(f, p);
  return fmax(ms - sloe_estimate_fused(op, &p->spec), ms / 5);
}

/* Where it is a small part of every layer, its cost cannot be told: of deviation 3 ns before
   anything is known, beside rests of 20 %. */
static const double shrink = (0.2 / 3) * (0.2 / 3);

typedef struct slope { /* of the rest of the time over the elements written, relative errors */
  double xy, xx;
} slope;

static void add_to_slope(slope *s, double x, double rest, double ms) {
  const double clipped = fmax(-0.5 * ms, fmin(rest, 0.8 * ms)); /* one odd point decides nothing */
  s->xy += x * clipped / (ms * ms);
  s->xx += x * x / (ms * ms);
}

/* From what the staircases leave: each activation's cost an element, and a residual's. */
static void fit_fused(fitting *f, sloe_fitted_op *op) {
  slope act[SLOE_SPEC_ACT_COUNT] = {{0, 0}}, add = {0, 0};
  for (size_t i = 0; i < f->bench->n_points; i++) {
    const sloe_bench_point *p = &f->bench->points[i];
    const sloe_layer_key key = sloe_layer_key_of(&p->spec);
    int exact;
    if (!is_fitted(p) || key.op != op->op || key.grouping != op->grouping) continue;
    const double ms = measured_ms(f, p),
                 all = sloe_estimate_staircase(&f->out->fitted, &p->spec, &exact);
    const double x = 1e-6 * (double)sloe_layer_spec_out_elements(&p->spec);
    if (!exact || isnan(all)) continue;
    const double rest = ms - all; /* each cost takes it as if the others were right */
    if (p->spec.act) add_to_slope(&act[p->spec.act], x, rest + op->act_ns[p->spec.act] * x, ms);
    if (p->spec.add) add_to_slope(&add, x, rest + op->add_ns * x, ms);
  }
  for (int i = 0; i < SLOE_SPEC_ACT_COUNT; i++)
    op->act_ns[i] = fmax(0, act[i].xy / (act[i].xx + shrink));
  op->add_ns = fmax(0, add.xy / (add.xx + shrink));
}

/* ---- families ---- */

typedef struct family_points {
  int64_t *coords;
  double *values;
  size_t n, n_dims;
} family_points;

static sloe_status gather(const fitting *f, const sloe_layer_key *key, family_points *out,
                          sloe_error *err) {
  const size_t n = f->bench->n_points;
  *out = (family_points){sloe_alloc(n * SLOE_LAYER_DIMS + 1, sizeof *out->coords),
                         sloe_alloc(n + 1, sizeof *out->values), 0, 0};
  if (!out->coords || !out->values) return out_of_memory(err);
  for (size_t i = 0; i < n; i++) {
    const sloe_bench_point *p = &f->bench->points[i];
    if (!is_fitted(p)) continue;
    const sloe_layer_key own = sloe_layer_key_of(&p->spec);
    int64_t coords[SLOE_LAYER_DIMS];
    if (sloe_layer_key_compare(&own, key)) continue;
    out->n_dims = sloe_layer_coords(&p->spec, coords);
    memcpy(out->coords + out->n * out->n_dims, coords, out->n_dims * sizeof *coords);
    out->values[out->n++] = bare_ms(f, p);
  }
  return SLOE_OK;
}

static void take_domain(const family_points *points, sloe_stair_model *m) {
  for (size_t d = 0; d < points->n_dims; d++) {
    m->lo[d] = INT64_MAX;
    m->hi[d] = 1;
    for (size_t i = 0; i < points->n; i++) {
      const int64_t x = points->coords[i * points->n_dims + d];
      if (x < m->lo[d]) m->lo[d] = x;
      if (x > m->hi[d]) m->hi[d] = x;
    }
  }
}

/* Constant where only one place was measured, a line else. */
static void take_lines(sloe_stair_model *m) {
  for (size_t d = 0; d < m->n_dims; d++) m->shape[d] = (sloe_stair){.slope = m->hi[d] > m->lo[d]};
}

static int take_shapes(const fitting *f, const sloe_layer_key *key, sloe_stair_model *m) {
  int any = 0;
  for (size_t i = 0; i < f->n_shapes; i++) {
    const sloe_line_shape *s = &f->shapes[i];
    if (sloe_layer_key_compare(&s->key, key) || s->dim >= m->n_dims) continue;
    if (m->hi[s->dim] > m->lo[s->dim]) m->shape[s->dim] = s->shape, any = 1;
  }
  return any;
}

/* Too few points for a shape: as much time as work, the product of all coordinates. One point would
   else be told of a layer of any size. */
static void take_proportion(const family_points *points, sloe_stair_model *m) {
  double time = 0, work = 0;
  for (size_t i = 0; i < points->n; i++) {
    double all = 1;
    for (size_t d = 0; d < points->n_dims; d++)
      all *= (double)points->coords[i * points->n_dims + d];
    time += points->values[i];
    work += all;
  }
  m->n_coefs = 1U << points->n_dims;
  for (size_t d = 0; d < points->n_dims; d++) m->shape[d] = (sloe_stair){.slope = 1};
  m->coef[m->n_coefs - 1] = time / work;
}

/* Where no point lies, steps may leave next to nothing. They may tell much more than lines of what
   fills little of a block, but nowhere, between the smallest layer and the largest, much less. */
static int are_sane(const sloe_stair_model *stepped, const sloe_stair_model *straight) {
  sloe_rng rng;
  sloe_rng_seed(&rng, 1);
  for (int i = 0; i < SANE_DRAWS; i++) {
    int64_t at[SLOE_STAIR_DIMS];
    for (size_t d = 0; d < straight->n_dims; d++) {
      const double lo = log((double)straight->lo[d]), hi = log((double)straight->hi[d]);
      at[d] = (int64_t)lround(exp(lo + sloe_rng_uniform(&rng) * (hi - lo)));
    }
    if (sloe_stair_model_eval(stepped, at) < least_of_lines * sloe_stair_model_eval(straight, at))
      return 0;
  }
  return 1;
}

static sloe_status fit_family(const fitting *f, const sloe_layer_key *key,
                              const family_points *points, sloe_fitted_family *out,
                              sloe_error *err) {
  sloe_stair_model straight = {.n_dims = (uint32_t)points->n_dims}, stepped;
  double straight_error, stepped_error;
  take_domain(points, &straight);
  if (points->n < SHAPE_LEAST) {
    *out = (sloe_fitted_family){*key, (uint32_t)points->n, straight};
    take_proportion(points, &out->stair);
    return SLOE_OK;
  }
  take_lines(&straight);
  stepped = straight;
  SLOE_TRY(
      sloe_fit_tensor(&straight, points->coords, points->values, points->n, &straight_error, err));
  *out = (sloe_fitted_family){*key, (uint32_t)points->n, straight};
  if (f->switches->no_steps || !take_shapes(f, key, &stepped)) return SLOE_OK;
  const sloe_status status =
      sloe_fit_tensor(&stepped, points->coords, points->values, points->n, &stepped_error, err);
  if (status == SLOE_UNSUPPORTED) return SLOE_OK; /* too many coefficients */
  if (status == SLOE_OK && stepped_error < straight_error && are_sane(&stepped, &straight))
    out->stair = stepped;
  return status;
}

static int has_family(const fitting *f, const sloe_layer_key *key) {
  for (size_t i = 0; i < f->n_families; i++)
    if (!sloe_layer_key_compare(&f->families[i].key, key)) return 1;
  return 0;
}

/* Does any family of the op and grouping stand already? */
static int has_kin(const fitting *f, const sloe_layer_key *key) {
  for (size_t i = 0; i < f->n_families; i++)
    if (f->families[i].key.op == key->op && f->families[i].key.grouping == key->grouping) return 1;
  return 0;
}

static sloe_status add_family(fitting *f, const sloe_layer_key *key, size_t least,
                              sloe_error *err) {
  family_points points;
  sloe_status status = gather(f, key, &points, err);
  if (status == SLOE_OK && points.n >= least) {
    if (!sloe_arena_grow(&f->out->arena, &f->families, f->n_families, &f->cap_families,
                         sizeof *f->families))
      status = out_of_memory(err);
    else
      status = fit_family(f, key, &points, &f->families[f->n_families], err);
    if (status == SLOE_OK) f->n_families++;
  }
  sloe_dealloc(points.coords);
  sloe_dealloc(points.values);
  return status;
}

static int by_key(const void *a, const void *b) {
  return sloe_layer_key_compare(&((const sloe_fitted_family *)a)->key,
                                &((const sloe_fitted_family *)b)->key);
}

/* Families with enough points; then, for ops that have none so, any. */
static sloe_status fit_families(fitting *f, sloe_error *err) {
  f->n_families = 0;
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 0; i < f->bench->n_points; i++) {
      const sloe_bench_point *p = &f->bench->points[i];
      const sloe_layer_key key = sloe_layer_key_of(&p->spec);
      if (!is_fitted(p) || has_family(f, &key) || (pass && has_kin(f, &key))) continue;
      SLOE_TRY(add_family(f, &key, pass ? 1 : FAMILY_LEAST, err));
    }
  if (!f->n_families)
    return sloe_fail(err, SLOE_UNSUPPORTED, "no layer was measured: there is nothing to fit");
  qsort(f->families, f->n_families, sizeof *f->families, by_key);
  f->out->fitted.families = f->families;
  f->out->fitted.n_families = f->n_families;
  return SLOE_OK;
}

/* ---- corrections ---- */

typedef struct rows {
  double *x, *y;
  const sloe_bench_point **from; /* of each: its first point */
  double *count;                 /* points of one row: equal layers of one network */
  size_t n;
  float lo[SLOE_LAYER_FEATURES], hi[SLOE_LAYER_FEATURES];
  double *p75, *p97_5;
} rows;

static void rows_fini(rows *r) {
  sloe_dealloc(r->x);
  sloe_dealloc(r->y);
  sloe_dealloc(r->from);
  sloe_dealloc(r->count);
  sloe_dealloc(r->p75);
  sloe_dealloc(r->p97_5);
}

/* The row of an equal layer of the same network: a network repeats its blocks. */
static size_t find_row(const rows *r, const sloe_bench_point *p) {
  for (size_t i = r->n; p->place.in_network && i-- > 0;) {
    const sloe_bench_point *q = r->from[i];
    if (!q->place.in_network || q->number != p->number) break; /* they stand together */
    if (sloe_layer_spec_same(&q->spec, &p->spec)) return i;
  }
  return r->n;
}

static void add_row(const fitting *f, const sloe_bench_point *p, rows *r) {
  float x[SLOE_LAYER_FEATURES];
  int exact;
  const double stair = sloe_estimate_staircase(&f->out->fitted, &p->spec, &exact);
  if (!(stair > 0)) return;
  const double y = log(p->time * f->reference_ms / stair);
  const size_t known = find_row(r, p);
  if (known < r->n) {
    r->y[known] += (y - r->y[known]) / ++r->count[known];
    return;
  }
  sloe_layer_features(&p->spec, &p->place, x);
  for (size_t i = 0; i < SLOE_LAYER_FEATURES; i++) {
    r->x[r->n * SLOE_LAYER_FEATURES + i] = (double)x[i];
    if (!r->n || x[i] < r->lo[i]) r->lo[i] = x[i];
    if (!r->n || x[i] > r->hi[i]) r->hi[i] = x[i];
  }
  r->y[r->n] = y;
  r->from[r->n] = p;
  r->count[r->n] = 1;
  r->p75[r->n] = p->p75;
  r->p97_5[r->n++] = p->p97_5;
}

static sloe_status gather_rows(const fitting *f, int32_t op, int32_t grouping, rows *r,
                               sloe_error *err) {
  const size_t n = f->bench->n_points;
  *r = (rows){.x = sloe_alloc(n * SLOE_LAYER_FEATURES + 1, sizeof *r->x),
              .y = sloe_alloc(n + 1, sizeof *r->y),
              .from = sloe_alloc(n + 1, sizeof *r->from),
              .count = sloe_alloc(n + 1, sizeof *r->count),
              .p75 = sloe_alloc(n + 1, sizeof *r->p75),
              .p97_5 = sloe_alloc(n + 1, sizeof *r->p97_5)};
  if (!r->x || !r->y || !r->from || !r->count || !r->p75 || !r->p97_5) return out_of_memory(err);
  for (size_t i = 0; i < n; i++) {
    const sloe_bench_point *p = &f->bench->points[i];
    if (!teaches(f, p)) continue;
    const sloe_layer_key key = sloe_layer_key_of(&p->spec);
    if (key.op == op && key.grouping == grouping) add_row(f, p, r);
  }
  return SLOE_OK;
}

static double quantile(double *values, size_t n, double q) {
  if (!n) return NAN;
  sloe_sort_doubles(values, n);
  const size_t at = (size_t)ceil(q * (double)(n + 1));
  return values[at < 1 ? 0 : at > n ? n - 1 : at - 1];
}

/* A constant, the median, where rows are few. */
static sloe_status train(const fitting *f, const rows *r, sloe_boost *boost, sloe_error *err) {
  const sloe_boost_params many = {.trees = 128,
                                  .depth = 5,
                                  .rate = 0.12,
                                  .row_share = 0.7,
                                  .feature_share = 0.6,
                                  .lambda = 2,
                                  .patience = 30,
                                  .seed = 1};
  const sloe_boost_params few = {.trees = 48, .depth = 3, .rate = 0.15, .lambda = 3, .seed = 1};
  const sloe_boost_params none = {.trees = 1, .depth = 1, .rate = 0.001, .folds = 1};
  const int is_none = f->switches->no_correction || r->n < CORRECTION_LEAST;
  return sloe_boost_train(r->x, r->y, NULL, r->n, SLOE_LAYER_FEATURES,
                          is_none      ? &none
                          : r->n < 400 ? &few
                                       : &many,
                          boost, err);
}

static double spread_of(const rows *r, const sloe_boost *boost) {
  double *e = sloe_alloc(r->n + 1, sizeof *e), spread = NAN;
  for (size_t i = 0; e && i < r->n; i++)
    e[i] = fabs(r->y[i] - (boost->out_of_fold ? boost->out_of_fold[i] : boost->forest.base));
  if (e) spread = quantile(e, r->n, 0.9);
  sloe_dealloc(e);
  return spread;
}

/* Multiprocessors, where the device names them. */
static double units_of(const fitting *f) {
  const sloe_device *device = f->bench->device;
  const sloe_device_info *info = device ? sloe_device_describe(device) : NULL;
  for (size_t i = 0; info && i < info->n_environment; i++) {
    const char *value = info->environment[i].value;
    double units;
    if (!strcmp(info->environment[i].key, "multiprocessors") &&
        sloe_parse_double(value, strlen(value), &units) && units >= 1)
      return units;
  }
  return 1;
}

/* A teacher where there are rows enough, and it can be had. */
static sloe_status teach(fitting *f, const rows *r, size_t at, sloe_error *err) {
  sloe_teacher_shape *shape = &f->out->shapes[at];
  const sloe_layer_models *like = f->switches->like;
  sloe_layer_lesson *lessons = sloe_alloc(r->n, sizeof *lessons);
  int exact, chosen = 0;
  if (!lessons) return out_of_memory(err);
  for (size_t i = 0; i < r->n; i++) chosen |= r->from[i]->kernels && *r->from[i]->kernels;
  for (size_t i = 0; i < r->n; i++)
    lessons[i] =
        (sloe_layer_lesson){r->from[i]->spec,
                            r->from[i]->place,
                            sloe_estimate_staircase(&f->out->fitted, &r->from[i]->spec, &exact),
                            r->y[i],
                            r->from[i]->kernels ? r->from[i]->kernels : "",
                            chosen,
                            r->from[i]->workspace_mb,
                            sloe_busy(r->from[i]->move_ms, f->quiet_ms)};
  if (like && like->shapes && at < like->fitted.n_ops) *shape = like->shapes[at];
  const sloe_class class = {.fitted = &f->out->fitted,
                            .lessons = lessons,
                            .n = r->n,
                            .units = units_of(f),
                            .proposals = f->switches->proposals,
                            .arena = &f->out->arenas[at]};
  const sloe_status status =
      sloe_teach(&class, shape, &f->ops[at], &f->out->boosts[at], &f->out->transformed[at], err);
  sloe_dealloc(lessons);
  return status;
}

static sloe_status learn(fitting *f, const rows *r, size_t at, sloe_error *err) {
  const sloe_fit_layers_switches *s = f->switches;
  sloe_boost *boost = &f->out->boosts[at];
  if (!s->no_teacher && !s->no_correction && r->n >= SLOE_TEACH_LEAST) {
    const sloe_status status = teach(f, r, at, err);
    if (status != SLOE_UNSUPPORTED) return status;
  }
  const sloe_status status = train(f, r, boost, err);
  if (status == SLOE_OK) f->ops[at].forest = boost->forest;
  if (status == SLOE_OK) f->ops[at].error_90 = spread_of(r, boost);
  return status;
}

static sloe_status fit_correction(fitting *f, size_t at, sloe_error *err) {
  rows r;
  sloe_fitted_op *op = &f->ops[at];
  sloe_status status = gather_rows(f, op->op, op->grouping, &r, err);
  if (status == SLOE_OK && r.n) status = learn(f, &r, at, err);
  if (status == SLOE_OK && r.n) {
    memcpy(op->lo, r.lo, sizeof r.lo);
    memcpy(op->hi, r.hi, sizeof r.hi);
    for (size_t i = 0; i < op->n_proposed; i++) op->hi[SLOE_LAYER_FEATURE_proposed_1 + i] = 1;
    op->p75 = quantile(r.p75, r.n, 0.5);
    op->p97_5 = quantile(r.p97_5, r.n, 0.5);
  }
  rows_fini(&r);
  return status;
}

static int has_op(const fitting *f, const sloe_layer_key *key) {
  for (size_t i = 0; i < f->n_ops; i++)
    if (f->ops[i].op == key->op && f->ops[i].grouping == key->grouping) return 1;
  return 0;
}

static int by_op(const void *a, const void *b) {
  const sloe_fitted_op *p = a, *q = b;
  return p->op != q->op ? (p->op > q->op) - (p->op < q->op)
                        : (p->grouping > q->grouping) - (p->grouping < q->grouping);
}

/* The ops and groupings that were measured, sorted as they are looked up. */
static sloe_status list_ops(fitting *f, sloe_error *err) {
  enum { MOST = SLOE_SPEC_OP_COUNT * 4 };
  f->ops = SLOE_ARENA_NEW(&f->out->arena, sloe_fitted_op, MOST);
  f->out->boosts = SLOE_ARENA_NEW(&f->out->arena, sloe_boost, MOST);
  f->out->transformed = SLOE_ARENA_NEW(&f->out->arena, sloe_odds, MOST);
  f->out->shapes = SLOE_ARENA_NEW(&f->out->arena, sloe_teacher_shape, MOST);
  f->out->arenas = SLOE_ARENA_NEW(&f->out->arena, sloe_arena, MOST);
  if (!f->ops || !f->out->boosts || !f->out->transformed || !f->out->shapes || !f->out->arenas)
    return out_of_memory(err);
  for (size_t i = 0; i < f->bench->n_points; i++) {
    const sloe_layer_key key = sloe_layer_key_of(&f->bench->points[i].spec);
    if (!is_fitted(&f->bench->points[i]) || has_op(f, &key)) continue;
    f->ops[f->n_ops++] = (sloe_fitted_op){.op = key.op, .grouping = key.grouping};
  }
  for (size_t i = 0; i < f->n_ops; i++) sloe_arena_init(&f->out->arenas[i], ARENA_LIMIT);
  if (f->n_ops) qsort(f->ops, f->n_ops, sizeof *f->ops, by_op);
  f->out->fitted.ops = f->ops;
  f->out->fitted.n_ops = f->n_ops;
  return SLOE_OK;
}

static sloe_status correct_one(void *context, size_t i, sloe_error *err) {
  return fit_correction(context, i, err);
}

/* ---- all of it ---- */

sloe_status sloe_fit_layers(const sloe_bench *bench, const sloe_line_shape *shapes, size_t n_shapes,
                            double reference_ms, const sloe_fit_layers_switches *switches,
                            sloe_layer_models *out, sloe_error *err) {
  static const sloe_fit_layers_switches all = {0};
  fitting f = {.bench = bench,
               .shapes = shapes,
               .n_shapes = n_shapes,
               .reference_ms = reference_ms,
               .switches = switches ? switches : &all,
               .out = out};
  *out = (sloe_layer_models){0};
  sloe_arena_init(&out->arena, ARENA_LIMIT);
  out->fitted.reference_ms = reference_ms;
  out->borrowed = f.switches->like != NULL;
  sloe_status status = sloe_bench_quiet_ms(bench, &f.quiet_ms, err);
  if (status == SLOE_OK) status = list_ops(&f, err);
  for (int round = 0; status == SLOE_OK && round < ROUNDS; round++) {
    status = fit_families(&f, err);
    if (round + 1 == ROUNDS) break; /* the last staircases are those of the costs found */
    for (size_t i = 0; status == SLOE_OK && i < f.n_ops; i++) fit_fused(&f, &f.ops[i]);
  }
  if (status == SLOE_OK)
    status = sloe_parallel_try(sloe_processors(), f.n_ops, correct_one, &f, err);
  if (status != SLOE_OK) sloe_layer_models_fini(out);
  return status;
}

void sloe_layer_models_fini(sloe_layer_models *models) {
  for (size_t i = 0; models->boosts && i < models->fitted.n_ops; i++) {
    sloe_boost_fini(&models->boosts[i]);
    sloe_odds_fini(&models->transformed[i]);
    if (!models->borrowed) sloe_kernels_free(models->shapes[i].kernels);
    sloe_arena_fini(&models->arenas[i]);
  }
  sloe_arena_fini(&models->arena);
  *models = (sloe_layer_models){0};
}
