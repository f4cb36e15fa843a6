#include "fit/ensemble.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

typedef struct builder { /* counts on the first pass, writes on the second */
  sloe_fit_candidate *at;
  size_t n;
  const sloe_fit_params *params;
  int64_t span;
} builder;

static void add(builder *b, sloe_fit_template kind, sloe_stair shape, double cost) {
  unsigned wanted = kind == SLOE_FIT_ANY_WIDTH ? kind | SLOE_FIT_STEP : kind;
  if ((b->params->templates & wanted) != wanted) return;
  if (b->at) {
    sloe_fit_candidate *c = &b->at[b->n];
    *c = (sloe_fit_candidate){.shape = shape, .kind = kind, .offset = cost};
    c->floor = kind == SLOE_FIT_FLOOR;
  }
  b->n++;
}

static void add_steps(builder *b, int32_t width) {
  const sloe_fit_params *p = b->params;
  double dear = p->extension_cost;
  add(b, SLOE_FIT_STEP, (sloe_stair){.width = width}, 0);
  add(b, SLOE_FIT_STEP_SLOPE, (sloe_stair){.width = width, .slope = 1}, dear);
  add(b, SLOE_FIT_FLOOR, (sloe_stair){.width = width}, dear);
  if (width <= 64) { /* a start that is longer hides in the first tread */
    add(b, SLOE_FIT_START, (sloe_stair){.width = width, .start = width}, dear);
    add(b, SLOE_FIT_START, (sloe_stair){.width = width, .start = 2 * width}, dear);
  }
  if (width > 128) return;
  static const int32_t factors[] = {2, 3, 4, 8, 16};
  for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
    if (factors[i] * width <= p->width_max)
      add(b, SLOE_FIT_NESTED, (sloe_stair){.width = width, .outer = factors[i] * width}, dear);
}

static void add_changes(builder *b, int64_t lo, int64_t hi) {
  static const int32_t widths[] = {0, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256};
  double dear = 1.5 * b->params->extension_cost; /* the freest shape, so the last to be believed */
  if (hi > INT32_MAX) return;
  for (int k = 1; k < 32; k++) {
    int32_t at = (int32_t)(lo + (hi - lo + 1) * k / 32 - 1);
    for (size_t i = 0; i < sizeof widths / sizeof *widths && at > 0; i++)
      if (widths[i] < b->span / 2)
        add(b, SLOE_FIT_CHANGE, (sloe_stair){.width = widths[i], .slope = !widths[i], .change = at},
            dear);
  }
}

/* Simple shapes first: of equal costs the first wins. */
static void add_all(builder *b, const sloe_fit_axis *axis) {
  const sloe_fit_params *p = b->params;
  add(b, SLOE_FIT_LINEAR, (sloe_stair){.slope = 1}, 0);
  add(b, SLOE_FIT_FLOOR, (sloe_stair){.slope = 1}, p->extension_cost);
  for (int32_t width = p->width_min; width <= p->width_max; width++) {
    if (width > b->span) break;
    if (width % p->width_step == 0)
      add_steps(b, width);
    else
      add(b, SLOE_FIT_ANY_WIDTH, (sloe_stair){.width = width}, p->odd_width_cost);
  }
  add_changes(b, axis->lo, axis->hi);
}

sloe_status sloe_fit_ensemble_init(sloe_fit_ensemble *out, const sloe_fit_params *params,
                                   const sloe_fit_axis *axis, size_t values, sloe_error *err) {
  *out = (sloe_fit_ensemble){0};
  builder b = {NULL, 0, params, axis->hi - axis->lo + 1};
  add_all(&b, axis);
  if (!b.n) return sloe_fail(err, SLOE_USAGE, "fit: no template is left for this axis");
  out->candidate = sloe_alloc(b.n, sizeof *out->candidate);
  out->fits = sloe_alloc(b.n, values * SLOE_FIT_ROW * sizeof *out->fits);
  if (!out->candidate || !out->fits) {
    sloe_fit_ensemble_fini(out);
    return sloe_fail(err, SLOE_NOMEM, "fit: out of memory for %zu candidates", b.n);
  }
  b.at = out->candidate;
  b.n = 0;
  add_all(&b, axis);
  out->n = b.n;
  for (size_t i = 0; i < b.n; i++) out->candidate[i].fit = out->fits + i * values * SLOE_FIT_ROW;
  return SLOE_OK;
}

void sloe_fit_ensemble_fini(sloe_fit_ensemble *ensemble) {
  sloe_dealloc(ensemble->candidate);
  sloe_dealloc(ensemble->fits);
  *ensemble = (sloe_fit_ensemble){0};
}

size_t sloe_fit_candidate_needs(const sloe_fit_candidate *c) {
  return sloe_stair_terms(&c->shape) + (size_t)c->floor;
}

double sloe_fit_candidate_at(const sloe_fit_candidate *c, size_t v, int64_t x) {
  double basis[SLOE_STAIR_TERMS], sum = 0;
  size_t terms = sloe_stair_basis(&c->shape, x, basis);
  const double *fit = c->fit + v * SLOE_FIT_ROW;
  for (size_t t = 0; t < terms; t++) sum += fit[t] * basis[t];
  return c->floor && sum < fit[SLOE_STAIR_TERMS] ? fit[SLOE_STAIR_TERMS] : sum;
}

double sloe_fit_candidate_residual(const sloe_fit_candidate *c, const sloe_fit_points *p,
                                   size_t i) {
  double sum = 0;
  for (size_t v = 0; v < p->values; v++) {
    double r = (p->y[i][v] - sloe_fit_candidate_at(c, v, p->x[i])) / (p->error[i] * p->y[i][v]);
    sum += r * r;
  }
  return sum;
}

/* The normal equations of value v over the points that are not in `out`. */
typedef struct equations {
  size_t terms;
  double normal[SLOE_STAIR_TERMS * SLOE_STAIR_TERMS], right[SLOE_STAIR_TERMS];
  double scale[SLOE_STAIR_TERMS];
} equations;

static void solve_value(equations *e, const sloe_fit_candidate *c, const sloe_fit_points *p,
                        size_t v, uint64_t out) {
  double basis[SLOE_STAIR_TERMS];
  size_t terms = e->terms = sloe_stair_terms(&c->shape);
  memset(e->normal, 0, terms * terms * sizeof *e->normal);
  memset(e->right, 0, terms * sizeof *e->right);
  for (size_t i = 0; i < p->n; i++) {
    if (out >> i & 1) continue;
    double weight = 1 / (p->error[i] * p->y[i][v]);
    sloe_stair_basis(&c->shape, p->x[i], basis);
    for (size_t t = 0; t < terms; t++) {
      double scaled = basis[t] * weight * weight;
      for (size_t u = 0; u <= t; u++) e->normal[t * terms + u] += scaled * basis[u];
      e->right[t] += scaled * p->y[i][v];
    }
  }
  sloe_fit_solve(e->normal, e->right, e->scale, terms);
}

static void fit_value(sloe_fit_candidate *c, const sloe_fit_points *p, size_t v, uint64_t out) {
  equations e;
  solve_value(&e, c, p, v, out);
  memcpy(c->fit + v * SLOE_FIT_ROW, e.right, e.terms * sizeof *e.right);
}

/* What leaving out each point takes off the sum, added to `gain`. */
static void add_gains(const sloe_fit_candidate *c, const sloe_fit_points *p, size_t v, uint64_t out,
                      double *gain) {
  equations e;
  double basis[SLOE_STAIR_TERMS];
  solve_value(&e, c, p, v, out);
  for (size_t i = 0; i < p->n; i++) {
    if (out >> i & 1) continue;
    double weight = 1 / (p->error[i] * p->y[i][v]);
    double r = weight * (p->y[i][v] - sloe_fit_candidate_at(c, v, p->x[i]));
    sloe_stair_basis(&c->shape, p->x[i], basis);
    double left = 1 - weight * weight * sloe_fit_leverage(e.normal, e.scale, basis, e.terms);
    if (left > 1e-6) gain[i] += r * r / left; /* else the fit needs the point: it stays */
  }
}

size_t sloe_fit_candidate_misfit(const sloe_fit_candidate *c, const sloe_fit_points *p,
                                 uint64_t out, double sum, double *without) {
  double gain[SLOE_FIT_POINTS] = {0}, most = 0;
  size_t which = p->n;
  for (size_t v = 0; v < p->values && !c->floor; v++) add_gains(c, p, v, out, gain);
  for (size_t i = 0; i < p->n; i++) {
    if (c->floor && !(out >> i & 1)) gain[i] = sloe_fit_candidate_residual(c, p, i);
    if (gain[i] <= most) continue;
    most = gain[i];
    which = i;
  }
  *without = sum > most ? sum - most : 0;
  return which;
}

static double sum_residuals(const sloe_fit_candidate *c, const sloe_fit_points *p, uint64_t out) {
  double sum = 0;
  for (size_t i = 0; i < p->n; i++)
    if (!(out >> i & 1)) sum += sloe_fit_candidate_residual(c, p, i);
  return sum;
}

/* The floor of value v as the weighted mean of the points of `low`. */
static double floor_of(const sloe_fit_points *p, size_t v, uint64_t low) {
  double sum = 0, weights = 0;
  for (size_t i = 0; i < p->n; i++) {
    if (!(low >> i & 1)) continue;
    double w = 1 / (p->error[i] * p->y[i][v]);
    sum += w * w * p->y[i][v];
    weights += w * w;
  }
  return weights > 0 ? sum / weights : 0;
}

/* Which points are at the floor: the k smallest x, for the k that fits best. */
static double fit_floor(sloe_fit_candidate *c, const sloe_fit_points *p, uint64_t out) {
  uint64_t low = 0, best_low = 0;
  double best = INFINITY;
  size_t terms = sloe_stair_terms(&c->shape);
  for (size_t left = p->n; left >= terms; left--) {
    for (size_t v = 0; v < p->values; v++) {
      fit_value(c, p, v, out | low);
      c->fit[v * SLOE_FIT_ROW + SLOE_STAIR_TERMS] = floor_of(p, v, low & ~out);
    }
    double sum = sum_residuals(c, p, out);
    if (sum < best) {
      best = sum;
      best_low = low;
    }
    size_t next = p->n;
    for (size_t i = 0; i < p->n; i++)
      if (!(low >> i & 1) && (next == p->n || p->x[i] < p->x[next])) next = i;
    if (next == p->n) break;
    low |= UINT64_C(1) << next;
  }
  for (size_t v = 0; v < p->values; v++) {
    fit_value(c, p, v, out | best_low);
    c->fit[v * SLOE_FIT_ROW + SLOE_STAIR_TERMS] = floor_of(p, v, best_low & ~out);
  }
  return sum_residuals(c, p, out);
}

double sloe_fit_candidate_fit(sloe_fit_candidate *c, const sloe_fit_points *p, uint64_t out) {
  if (c->floor) return fit_floor(c, p, out);
  for (size_t v = 0; v < p->values; v++) fit_value(c, p, v, out);
  return sum_residuals(c, p, out);
}

size_t sloe_fit_grid_size(const sloe_fit_axis *axis) {
  int64_t span = axis->hi - axis->lo;
  return span < SLOE_FIT_GRID ? (size_t)span + 1 : SLOE_FIT_GRID;
}

int64_t sloe_fit_grid_at(const sloe_fit_axis *axis, size_t k) {
  size_t n = sloe_fit_grid_size(axis);
  int64_t span = axis->hi - axis->lo, last = (int64_t)n - 1, at = (int64_t)k;
  return axis->lo + span / last * at + span % last * at / last;
}

int sloe_fit_line_taken(const sloe_fit_line *line, int64_t x) {
  for (size_t i = 0; i < line->points.n; i++)
    if (line->points.x[i] == x) return 1;
  for (size_t i = 0; i < line->n_banned; i++)
    if (line->banned[i] == x) return 1;
  return 0;
}
