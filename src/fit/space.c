/* space.c: setting up, and the last step: all coefficients of the model at once.
 *
 * The lines have found the shape of each dimension. Given the shapes, the model is linear in its
 * tensor of coefficients, so one weighted least-squares problem over every point measured gives
 * them, sharper than the chain of fits along the lines could. Points that the lines set aside stay
 * out; then whatever lies far off goes, and the fit is repeated until nothing changes.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sort_numbers.h"
#include "fit/fitter.h"

typedef struct solver {
  double *normal, *right, *scale, *row;
  double *residual; /* of each point, in its standard errors; NAN: below the floor */
} solver;

static sloe_status choose_shapes(sloe_fitter *f, sloe_error *err) {
  sloe_stair_model *m = &f->result->model;
  size_t n = 1;
  int floors = 0;
  for (size_t d = 0; d < f->n_dims; d++) {
    const sloe_fit_ensemble *e = &f->line[d].ensemble;
    const sloe_fit_candidate *best = e->candidate;
    for (size_t i = 1; i < e->n; i++)
      if (e->candidate[i].total + e->candidate[i].offset < best->total + best->offset)
        best = &e->candidate[i];
    m->shape[d] = best->shape;
    m->lo[d] = f->axis[d].lo;
    m->hi[d] = f->axis[d].hi;
    floors |= best->floor;
    n *= sloe_stair_terms(&best->shape);
    if (n > SLOE_STAIR_COEFS)
      return sloe_fail(err, SLOE_UNSUPPORTED, "fit: the model would have more than %d coefficients",
                       SLOE_STAIR_COEFS);
  }
  m->n_dims = (uint32_t)f->n_dims;
  m->n_coefs = (uint32_t)n;
  m->floor = floors ? f->floor : 0;
  return SLOE_OK;
}

static void fill_row(const sloe_stair_model *m, const int64_t *at, double *row) {
  size_t n = 1;
  row[0] = 1;
  for (size_t d = 0; d < m->n_dims; d++) {
    double basis[SLOE_STAIR_TERMS];
    size_t terms = sloe_stair_basis(&m->shape[d], at[d], basis);
    for (size_t i = n; i-- > 0;)
      for (size_t t = terms; t-- > 0;) row[i * terms + t] = row[i] * basis[t];
    n *= terms;
  }
}

static int used(const sloe_fitter *f, const sloe_fit_point *p) {
  return !p->out && p->value > f->result->model.floor * (1 + 3 * p->error);
}

static void solve(sloe_fitter *f, solver *s) {
  sloe_stair_model *m = &f->result->model;
  size_t n = m->n_coefs;
  memset(s->normal, 0, n * n * sizeof *s->normal);
  memset(s->right, 0, n * sizeof *s->right);
  for (size_t i = 0; i < f->n_points; i++) {
    const sloe_fit_point *p = &f->point[i];
    if (!used(f, p)) continue;
    double weight = 1 / (p->error * p->value);
    fill_row(m, p->at, s->row);
    for (size_t a = 0; a < n; a++) {
      double scaled = s->row[a] * weight * weight;
      for (size_t b = 0; b <= a; b++) s->normal[a * n + b] += scaled * s->row[b];
      s->right[a] += scaled * p->value;
    }
  }
  sloe_fit_solve(s->normal, s->right, s->scale, n);
  memcpy(m->coef, s->right, n * sizeof *m->coef);
}

static void raise_floor(sloe_fitter *f) {
  double sum = 0, n = 0, *floor = &f->result->model.floor;
  if (!*floor) return;
  for (size_t i = 0; i < f->n_points; i++)
    if (!f->point[i].out && f->point[i].value <= *floor * (1 + 3 * f->point[i].error)) {
      sum += f->point[i].value;
      n++;
    }
  if (n > 0) *floor = sum / n;
}

/* Sets aside what is more than six usual residuals off; returns how many changed sides. */
static size_t set_aside(sloe_fitter *f, solver *s, size_t round) {
  size_t changed = 0, n = 0;
  for (size_t i = 0; i < f->n_points; i++)
    if (used(f, &f->point[i])) {
      const sloe_fit_point *p = &f->point[i];
      double r = sloe_stair_model_eval(&f->result->model, p->at) / p->value - 1;
      s->residual[n++] = fabs(r / p->error);
    }
  if (n < 8 || round > 5) return 0;
  sloe_sort_doubles(s->residual, n);
  double limit = 6 * fmax(1, 1.48 * s->residual[n / 2]);
  for (size_t i = 0; i < f->n_points; i++) {
    sloe_fit_point *p = &f->point[i];
    double r = sloe_stair_model_eval(&f->result->model, p->at) / p->value - 1;
    int out = fabs(r / p->error) > limit;
    changed += out != p->out;
    p->out = out;
  }
  return changed;
}

static void summarise(sloe_fitter *f) {
  double sum = 0, n = 0;
  for (size_t i = 0; i < f->n_points; i++) {
    const sloe_fit_point *p = &f->point[i];
    f->result->outliers += (size_t)p->out;
    if (p->out) continue;
    double r = sloe_stair_model_eval(&f->result->model, p->at) / p->value - 1;
    sum += r * r;
    n++;
  }
  f->result->rmspe = n > 0 ? sqrt(sum / n) : NAN;
}

sloe_status sloe_fitter_finish(sloe_fitter *f, sloe_error *err) {
  SLOE_TRY(choose_shapes(f, err));
  size_t n = f->result->model.n_coefs;
  double *room = sloe_alloc(n * n + 3 * n + f->n_points, sizeof *room);
  if (!room) return sloe_fail(err, SLOE_NOMEM, "fit: out of memory for %zu coefficients", n);
  solver s = {room, room + n * n, room + n * n + n, room + n * n + 2 * n, room + n * n + 3 * n};
  size_t round = 0;
  do {
    raise_floor(f);
    solve(f, &s);
  } while (set_aside(f, &s, round++));
  sloe_dealloc(room);
  summarise(f);
  return sloe_stair_model_check(&f->result->model, err);
}

static sloe_status check_axes(const sloe_fit_axis *axes, size_t n, sloe_error *err) {
  if (n < 1 || n > SLOE_STAIR_DIMS)
    return sloe_fail(err, SLOE_USAGE, "fit: %zu dimensions, between 1 and %d are possible", n,
                     SLOE_STAIR_DIMS);
  for (size_t d = 0; d < n; d++)
    if (axes[d].lo < 1 || axes[d].hi > (INT64_C(1) << 40) || axes[d].hi - axes[d].lo < 3)
      return sloe_fail(err, SLOE_USAGE, "fit: axis %zu runs from %lld to %lld", d,
                       (long long)axes[d].lo, (long long)axes[d].hi);
  return SLOE_OK;
}

static sloe_status set_up(sloe_fitter *f, const sloe_fit_axis *axes, sloe_error *err) {
  for (size_t d = 0; d < f->n_dims; d++) {
    sloe_fit_line *line = &f->line[d];
    f->axis[d] = line->axis = axes[d];
    line->params = &f->params;
    line->points.values = (size_t)1 << d;
    SLOE_TRY(
        sloe_fit_ensemble_init(&line->ensemble, &f->params, &axes[d], line->points.values, err));
  }
  f->run = sloe_alloc((size_t)f->params.runs, sizeof *f->run);
  return f->run ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "fit: out of memory");
}

static void tear_down(sloe_fitter *f) {
  if (!f) return;
  for (size_t d = 0; d < SLOE_STAIR_DIMS; d++) sloe_fit_ensemble_fini(&f->line[d].ensemble);
  sloe_dealloc(f->point);
  sloe_dealloc(f->run);
  sloe_dealloc(f);
}

sloe_status sloe_fit_space(const sloe_fit_params *params, const sloe_fit_axis *axes, size_t n_dims,
                           sloe_fit_measure measure, void *user, sloe_fit_result *out,
                           sloe_error *err) {
  *out = (sloe_fit_result){0};
  sloe_fit_params filled;
  SLOE_TRY(sloe_fit_params_fill(params, &filled, err));
  SLOE_TRY(check_axes(axes, n_dims, err));
  sloe_fit_result result = {0};
  int64_t coords[SLOE_STAIR_DIMS] = {0};
  const sloe_fit_candidate *best;
  sloe_status status = SLOE_OK;
  sloe_fitter *f = sloe_alloc(1, sizeof *f);
  if (!f) return sloe_fail(err, SLOE_NOMEM, "fit: out of memory");
  memset(f, 0, sizeof *f);
  f->params = filled;
  f->n_dims = n_dims;
  f->measure = measure;
  f->user = user;
  f->result = &result;
  SLOE_GOTO(set_up(f, axes, err));
  SLOE_GOTO(sloe_fitter_line(f, n_dims - 1, coords, &best, err));
  SLOE_GOTO(sloe_fitter_finish(f, err));
  *out = result;
fail:
  tear_down(f);
  return status;
}
