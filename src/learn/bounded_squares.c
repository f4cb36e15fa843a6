/* bounded_squares.c: least squares within bounds, by active sets (Stark & Parker, "Bounded-variable
 * least squares", Computational Statistics 10, 1995) on the normal equations, which are small.
 *
 * All coefficients begin at a bound. The one whose release gains most is freed, all that are free
 * are solved for; the first that would cross a bound is tied to it, and so on until nothing gains.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "learn/layer_sum_fit.h"

typedef enum place { FREE, AT_LEAST, AT_MOST } place;

typedef struct system {
  size_t d;
  double *normal, *right; /* [d][d], [d]: normal x = right, columns scaled to a unit diagonal */
  double *scale, *least, *most;
  double *x, *wanted, *factor; /* [d], [d], [d][d] */
  place *place;
  size_t *free;
  size_t n_free;
} system_t;

static void fini(system_t *s) {
  sloe_dealloc(s->normal);
  sloe_dealloc(s->place);
  sloe_dealloc(s->free);
}

static sloe_status init(system_t *s, size_t d, sloe_error *err) {
  double *room = sloe_alloc(2 * d * d + 6 * d, sizeof *room);
  s->d = d;
  s->normal = room;
  s->place = sloe_alloc(d, sizeof *s->place);
  s->free = sloe_alloc(d, sizeof *s->free);
  if (!room || !s->place || !s->free) {
    fini(s);
    return sloe_fail(err, SLOE_NOMEM, "out of memory for %zu coefficients", d);
  }
  memset(room, 0, (2 * d * d + 6 * d) * sizeof *room);
  s->factor = room + d * d;
  s->right = s->factor + d * d;
  s->scale = s->right + d;
  s->least = s->scale + d;
  s->most = s->least + d;
  s->x = s->most + d;
  s->wanted = s->x + d;
  return SLOE_OK;
}

static void add_rows(system_t *s, const double *a, const double *weight, size_t n) {
  const size_t d = s->d;
  for (size_t i = 0; i < n; i++) {
    const double *row = a + i * d, w = weight[i] * weight[i];
    for (size_t j = 0; j < d; j++) {
      if (row[j] == 0) continue;
      const double v = w * row[j];
      s->right[j] += v;
      for (size_t k = 0; k <= j; k++) s->normal[j * d + k] += v * row[k];
    }
  }
}

static void add_springs(system_t *s, const sloe_layer_sum_bound *bounds, double spring) {
  for (size_t j = 0; j < s->d; j++) {
    const double usual = bounds[j].usual, span = bounds[j].most - bounds[j].least;
    if (isnan(usual)) continue;
    const double unit = fmax(usual, isfinite(span) ? span / 30 : 0);
    if (!(unit > 0)) continue;
    s->normal[j * s->d + j] += spring / (unit * unit);
    s->right[j] += spring / (unit * unit) * usual;
  }
}

/* In units in which the diagonal is 1; a column of nothing stays at its least. */
static void rescale(system_t *s, const sloe_layer_sum_bound *bounds) {
  const size_t d = s->d;
  for (size_t j = 0; j < d; j++) {
    const double square = s->normal[j * d + j];
    s->scale[j] = square > 0 ? 1 / sqrt(square) : 0;
    s->least[j] = square > 0 ? bounds[j].least / s->scale[j] : 0;
    s->most[j] = square > 0 ? bounds[j].most / s->scale[j] : 0;
    s->right[j] *= s->scale[j];
    s->place[j] = AT_LEAST;
    s->x[j] = s->least[j];
  }
  for (size_t j = 0; j < d; j++)
    for (size_t k = 0; k <= j; k++)
      s->normal[k * d + j] = s->normal[j * d + k] *= s->scale[j] * s->scale[k];
}

static double slope(const system_t *s, size_t j) {
  double sum = s->right[j];
  for (size_t k = 0; k < s->d; k++) sum -= s->normal[j * s->d + k] * s->x[k];
  return sum;
}

/* The tied coefficient that gains most by being freed; d: none. */
static size_t to_free(const system_t *s) {
  size_t best = s->d;
  double most = 1e-11;
  for (size_t j = 0; j < s->d; j++) {
    if (s->place[j] == FREE || s->scale[j] == 0 || s->least[j] >= s->most[j]) continue;
    const double gain = s->place[j] == AT_LEAST ? slope(s, j) : -slope(s, j);
    if (gain > most) {
      most = gain;
      best = j;
    }
  }
  return best;
}

static void collect_free(system_t *s) {
  s->n_free = 0;
  for (size_t j = 0; j < s->d; j++)
    if (s->place[j] == FREE) s->free[s->n_free++] = j;
}

/* wanted: the free ones, solved for with the others held (Cholesky). */
static void solve_free(system_t *s) {
  const size_t m = s->n_free, d = s->d;
  double *l = s->factor, *v = s->wanted;
  for (size_t i = 0; i < m; i++) {
    const size_t row = s->free[i];
    v[i] = slope(s, row);
    for (size_t j = 0; j <= i; j++) {
      double sum = s->normal[row * d + s->free[j]] + (i == j ? 1e-13 : 0);
      for (size_t k = 0; k < j; k++) sum -= l[i * d + k] * l[j * d + k];
      l[i * d + j] = i == j ? sqrt(fmax(sum, 1e-13)) : sum / l[j * d + j];
    }
  }
  for (size_t i = 0; i < m; i++) {
    for (size_t k = 0; k < i; k++) v[i] -= l[i * d + k] * v[k];
    v[i] /= l[i * d + i];
  }
  for (size_t i = m; i-- > 0;) {
    for (size_t k = i + 1; k < m; k++) v[i] -= l[k * d + i] * v[k];
    v[i] /= l[i * d + i];
  }
  for (size_t i = 0; i < m; i++) v[i] += s->x[s->free[i]];
}

/* Go towards `wanted` as far as the bounds let; 1: all the way, else what stopped it is tied. */
static int step(system_t *s) {
  double far = 1;
  size_t stop = s->d;
  for (size_t i = 0; i < s->n_free; i++) {
    const size_t j = s->free[i];
    const double bound = s->wanted[i] < s->x[j] ? s->least[j] : s->most[j];
    if (s->wanted[i] >= s->least[j] && s->wanted[i] <= s->most[j]) continue;
    const double share = (bound - s->x[j]) / (s->wanted[i] - s->x[j]);
    if (share < far || stop == s->d) {
      far = fmax(share, 0);
      stop = j;
    }
  }
  for (size_t i = 0; i < s->n_free; i++) {
    const size_t j = s->free[i];
    s->x[j] += far * (s->wanted[i] - s->x[j]);
    if (j != stop) continue;
    s->place[j] = s->wanted[i] < s->least[j] ? AT_LEAST : AT_MOST;
    s->x[j] = s->place[j] == AT_LEAST ? s->least[j] : s->most[j];
  }
  return stop == s->d;
}

static void solve(system_t *s) {
  for (size_t round = 0; round < 50 * s->d; round++) {
    const size_t j = to_free(s);
    if (j == s->d) return;
    s->place[j] = FREE;
    do {
      collect_free(s);
      solve_free(s);
    } while (!step(s));
  }
}

sloe_status sloe_bounded_squares(const double *a, const double *weight, size_t n, size_t d,
                                 const sloe_layer_sum_bound *bounds, double spring, double *x,
                                 sloe_error *err) {
  system_t s = {0};
  SLOE_TRY(init(&s, d, err));
  add_rows(&s, a, weight, n);
  add_springs(&s, bounds, spring);
  rescale(&s, bounds);
  solve(&s);
  for (size_t j = 0; j < d; j++) {
    const double value = s.scale[j] > 0 ? s.x[j] * s.scale[j] : bounds[j].least;
    x[j] = fmin(fmax(value, bounds[j].least), bounds[j].most);
  }
  fini(&s);
  return SLOE_OK;
}
