/* fit_tensor.c: the coefficients of given shapes from points that are there already.
 *
 * The model is linear in its coefficients, so this is least squares with relative weights. Times
 * are sums of work that is done, never of work saved, and points are scarce in four dimensions: the
 * coefficients are kept >= 0, which leaves extrapolation sane where plain least squares swings
 * (Lawson, Hanson, "Solving Least Squares Problems", 1974, ch. 23; solved here by descent along one
 * coordinate after the other). Points that fit badly lose weight (Huber).
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "fit/fit.h"

enum { ROUNDS = 6, SWEEPS = 3000 };
static const double huber = 0.15; /* relative residual from which a point loses weight */

typedef struct solver {
  size_t n, points; /* coefficients, points */
  double *rows;     /* [points][n], each divided by its value and a column's scale */
  double *normal, *right, *x, *scale, *w; /* n x n, n, n, n, points */
} solver;

static void fill_row(const sloe_stair_model *m, const int64_t *at, double *row) {
  size_t n = 1;
  row[0] = 1;
  for (size_t d = 0; d < m->n_dims; d++) {
    double basis[SLOE_STAIR_TERMS];
    const size_t terms = sloe_stair_basis(&m->shape[d], at[d], basis);
    for (size_t i = n; i-- > 0;)
      for (size_t t = terms; t-- > 0;) row[i * terms + t] = row[i] * basis[t];
    n *= terms;
  }
}

static void scale_columns(solver *s) {
  for (size_t j = 0; j < s->n; j++) {
    double sum = 0;
    for (size_t i = 0; i < s->points; i++) sum += s->rows[i * s->n + j] * s->rows[i * s->n + j];
    s->scale[j] = sum > 0 ? 1 / sqrt(sum) : 0;
    for (size_t i = 0; i < s->points; i++) s->rows[i * s->n + j] *= s->scale[j];
  }
}

static void make_normal(solver *s) {
  memset(s->normal, 0, s->n * s->n * sizeof *s->normal);
  memset(s->right, 0, s->n * sizeof *s->right);
  for (size_t i = 0; i < s->points; i++) {
    const double *row = s->rows + i * s->n;
    for (size_t a = 0; a < s->n; a++) {
      const double weighted = s->w[i] * row[a];
      s->right[a] += weighted;
      if (weighted != 0)
        for (size_t b = 0; b < s->n; b++) s->normal[a * s->n + b] += weighted * row[b];
    }
  }
}

/* Each coefficient in turn to where the sum is least, or to 0. */
static void descend(solver *s) {
  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    double moved = 0, size = 0;
    for (size_t a = 0; a < s->n; a++) {
      const double *row = s->normal + a * s->n;
      if (!(row[a] > 0)) continue;
      double gradient = -s->right[a];
      for (size_t b = 0; b < s->n; b++) gradient += row[b] * s->x[b];
      const double next = fmax(0, s->x[a] - gradient / row[a]);
      moved += fabs(next - s->x[a]);
      size += next;
      s->x[a] = next;
    }
    if (moved <= 1e-7 * size) return;
  }
}

static double reweigh(solver *s) {
  double sum = 0;
  for (size_t i = 0; i < s->points; i++) {
    double residual = -1;
    for (size_t j = 0; j < s->n; j++) residual += s->rows[i * s->n + j] * s->x[j];
    residual = fabs(residual);
    s->w[i] = residual > huber ? huber / residual : 1;
    sum += fmin(residual, 1) * fmin(residual, 1);
  }
  return sqrt(sum / (double)s->points);
}

static double solve(solver *s) {
  double error = NAN;
  for (size_t i = 0; i < s->points; i++) s->w[i] = 1;
  for (int round = 0; round < ROUNDS; round++) {
    make_normal(s);
    descend(s);
    error = reweigh(s);
  }
  for (size_t j = 0; j < s->n; j++) s->x[j] *= s->scale[j];
  return error;
}

static sloe_status check_points(const double *values, size_t n, sloe_error *err) {
  if (!n) return sloe_fail(err, SLOE_USAGE, "fit: no points");
  for (size_t i = 0; i < n; i++)
    if (!(values[i] > 0) || !isfinite(values[i]))
      return sloe_fail(err, SLOE_USAGE, "fit: point %zu has no time", i);
  return SLOE_OK;
}

static sloe_status count_coefs(sloe_stair_model *m, sloe_error *err) {
  size_t n = 1;
  if (m->n_dims < 1 || m->n_dims > SLOE_STAIR_DIMS)
    return sloe_fail(err, SLOE_USAGE, "fit: %u dimensions, between 1 and %d are possible",
                     (unsigned)m->n_dims, SLOE_STAIR_DIMS);
  for (size_t d = 0; d < m->n_dims; d++) {
    if (!sloe_stair_valid(&m->shape[d]))
      return sloe_fail(err, SLOE_USAGE, "fit: the shape of dimension %zu is none", d);
    n *= sloe_stair_terms(&m->shape[d]);
    if (n > SLOE_STAIR_COEFS)
      return sloe_fail(err, SLOE_UNSUPPORTED, "fit: the model would have more than %d coefficients",
                       SLOE_STAIR_COEFS);
  }
  m->n_coefs = (uint32_t)n;
  return SLOE_OK;
}

sloe_status sloe_fit_tensor(sloe_stair_model *m, const int64_t *coords, const double *values,
                            size_t n, double *error, sloe_error *err) {
  SLOE_TRY(check_points(values, n, err));
  SLOE_TRY(count_coefs(m, err));
  const size_t c = m->n_coefs;
  double *room = sloe_alloc(n * c + c * c + 3 * c + n, sizeof *room);
  if (!room) return sloe_fail(err, SLOE_NOMEM, "fit: out of memory for %zu points", n);
  solver s = {.n = c, .points = n, .rows = room, .normal = room + n * c};
  s.right = s.normal + c * c;
  s.x = s.right + c;
  s.scale = s.x + c;
  s.w = s.scale + c;
  double least = values[0];
  for (size_t i = 0; i < n; i++) {
    fill_row(m, coords + i * m->n_dims, s.rows + i * c);
    for (size_t j = 0; j < c; j++) s.rows[i * c + j] /= values[i];
    least = fmin(least, values[i]);
  }
  scale_columns(&s);
  memset(s.x, 0, c * sizeof *s.x);
  *error = solve(&s);
  memcpy(m->coef, s.x, c * sizeof *s.x);
  m->floor = least / 2;
  sloe_dealloc(room);
  return sloe_stair_model_check(m, err);
}
