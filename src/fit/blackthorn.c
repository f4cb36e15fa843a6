/* blackthorn.c: judging and choosing as in Blackthorn IV-B, equations 2 to 9.
 *
 * What the paper leaves open, and what stands here:
 *  - Errors are divided by each time (or by the mean time, `absolute`), so that thresholds mean the
 *    same for microseconds and seconds.
 *  - "Distinct values" (U) are values in different bins of `bin` * `noise`: two reals are never
 * equal.
 *  - Outliers (eqs. 6, 7) are looked for from four points on, over all sets of all templates, with
 *    fits that leave out the last round's outliers; with a zero denominator only an error that
 *    differs from the median is far.
 *  - R_e (eq. 5) decays linearly to 1.
 */
#include <math.h>
#include <string.h>

#include "base/sort_numbers.h"
#include "fit/ensemble.h"

static void set_weights(sloe_fit_line *line) {
  sloe_fit_points *p = &line->points;
  double mean = 0;
  for (size_t i = 0; i < p->n; i++) mean += p->y[i][0] / (double)p->n;
  for (size_t i = 0; i < p->n; i++) p->error[i] = line->params->absolute ? mean / p->y[i][0] : 1;
}

static void sort(double *a, size_t n) {
  for (size_t i = 1; i < n; i++)
    for (size_t j = i; j > 0 && a[j - 1] > a[j]; j--) {
      double t = a[j];
      a[j] = a[j - 1];
      a[j - 1] = t;
    }
}

static double median(const double *values, size_t n) {
  double a[SLOE_FIT_POINTS];
  if (!n) return 0;
  memcpy(a, values, n * sizeof *a);
  sort(a, n);
  return n % 2 ? a[n / 2] : (a[n / 2 - 1] + a[n / 2]) / 2;
}

/* Eq. 6: which points of one function are far, as bits. */
static uint64_t far_points(const sloe_fit_candidate *c, const sloe_fit_points *p, double limit) {
  double e[SLOE_FIT_POINTS], distance[SLOE_FIT_POINTS];
  for (size_t i = 0; i < p->n; i++) e[i] = sloe_fit_candidate_residual(c, p, i);
  double middle = median(e, p->n);
  for (size_t i = 0; i < p->n; i++) distance[i] = fabs(e[i] - middle);
  double usual = median(distance, p->n);
  uint64_t far = 0;
  for (size_t i = 0; i < p->n; i++)
    if (distance[i] > 0 && distance[i] >= limit * usual) far |= UINT64_C(1) << i;
  return far;
}

/* Eq. 7: the majority's vote. Never so many that fewer than three points are left. */
static uint64_t vote(const sloe_fit_line *line) {
  size_t votes[SLOE_FIT_POINTS] = {0}, voters = 0, left = line->points.n;
  if (left < 4) return 0;
  for (size_t i = 0; i < line->ensemble.n; i++) {
    const sloe_fit_candidate *c = &line->ensemble.candidate[i];
    if (c->gone) continue;
    uint64_t far = far_points(c, &line->points, line->params->outlier);
    for (size_t k = 0; k < line->points.n; k++) votes[k] += far >> k & 1;
    voters++;
  }
  uint64_t out = 0;
  for (size_t k = 0; k < line->points.n && left > 3; k++)
    if (2 * votes[k] > voters) {
      out |= UINT64_C(1) << k;
      left--;
    }
  return out;
}

static void refit(sloe_fit_line *line, uint64_t out) {
  for (size_t i = 0; i < line->ensemble.n; i++) {
    sloe_fit_candidate *c = &line->ensemble.candidate[i];
    if (c->gone) continue;
    c->out = out;
    c->cost = sloe_fit_candidate_fit(c, &line->points, out);
  }
}

/* The best set of one template, or of all where `kind` is 0. */
static sloe_fit_candidate *best_of(sloe_fit_line *line, unsigned kind) {
  sloe_fit_candidate *best = NULL;
  for (size_t i = 0; i < line->ensemble.n; i++) {
    sloe_fit_candidate *c = &line->ensemble.candidate[i];
    if (c->gone || (kind && c->kind != kind)) continue;
    if (!best || c->cost < best->cost) best = c;
  }
  return best;
}

/* Eq. 5 within a template; eq. 9 between them. The best of all always stays. */
static void filter(sloe_fit_line *line) {
  const sloe_fit_params *k = line->params;
  double ratio = fmax(k->ratio - k->ratio_decay * line->round, 1);
  double least = best_of(line, 0)->cost;
  for (unsigned kind = 1; kind <= SLOE_FIT_ANY_WIDTH; kind *= 2) {
    sloe_fit_candidate *best = best_of(line, kind);
    if (!best) continue;
    double own = best->cost;
    int lost = own > k->template_ratio * least && own > k->threshold;
    for (size_t i = 0; i < line->ensemble.n; i++) {
      sloe_fit_candidate *c = &line->ensemble.candidate[i];
      if (c->kind != kind || c->gone) continue;
      c->gone = lost || (c->cost > k->threshold && c->cost > ratio * own && c != best);
    }
  }
}

sloe_fit_verdict sloe_fit_blackthorn_judge(sloe_fit_line *line) {
  uint64_t out = 0;
  if (line->points.n <= 2) { /* a new line: the whole ensemble again */
    line->round = 0;
    for (size_t i = 0; i < line->ensemble.n; i++) line->ensemble.candidate[i].gone = 0;
  } else {
    out = line->ensemble.candidate[0].out;
    for (size_t i = 0; i < line->ensemble.n; i++) /* the first that is still there knows */
      if (!line->ensemble.candidate[i].gone) {
        out = line->ensemble.candidate[i].out;
        break;
      }
  }
  set_weights(line);
  refit(line, out);
  uint64_t voted = vote(line);
  if (voted != out) refit(line, voted);
  if (line->points.n > 2) {
    filter(line);
    line->round++;
  }
  size_t left = 0;
  for (size_t i = 0; i < line->ensemble.n; i++) left += !line->ensemble.candidate[i].gone;
  return (sloe_fit_verdict){.best = best_of(line, 0), .decided = left == 1};
}

/* ---- the next point: eqs. 2 and 3 ---------------------------------------------------------- */

typedef struct scores {
  double unique[SLOE_FIT_GRID], range[SLOE_FIT_GRID], distance[SLOE_FIT_GRID];
  double total[SLOE_FIT_GRID];
} scores;

static void normalise(double *a, size_t n) {
  double lo = INFINITY, hi = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    lo = fmin(lo, a[i]);
    hi = fmax(hi, a[i]);
  }
  for (size_t i = 0; i < n; i++) a[i] = hi > lo ? (a[i] - lo) / (hi - lo) : 0;
}

/* U and R of the step functions at x. */
static void spread_at(const sloe_fit_line *line, int64_t x, double *unique, double *range) {
  double values[1024];
  size_t n = 0;
  for (size_t i = 0; i < line->ensemble.n && n < sizeof values / sizeof *values; i++) {
    const sloe_fit_candidate *c = &line->ensemble.candidate[i];
    if (!c->gone && c->kind != SLOE_FIT_LINEAR) values[n++] = sloe_fit_candidate_at(c, 0, x);
  }
  *unique = *range = 0;
  if (!n) return;
  sloe_sort_doubles(values, n);
  double middle = fabs(values[n / 2]), bin = line->params->bin * line->params->noise * middle;
  double last = -INFINITY;
  for (size_t i = 0; i < n; i++)
    if (values[i] - last > bin) {
      *unique += 1;
      last = values[i];
    }
  *range = values[n - 1] - values[0];
  if (!line->params->absolute && middle > 0) *range /= middle;
}

static double distance_at(const sloe_fit_line *line, int64_t x) {
  double nearest = INFINITY;
  for (size_t i = 0; i < line->points.n; i++)
    nearest = fmin(nearest, fabs((double)(line->points.x[i] - x)));
  return nearest;
}

int64_t sloe_fit_blackthorn_next(sloe_fit_line *line) {
  const sloe_fit_params *k = line->params;
  scores s; /* 32 KiB */
  size_t n = sloe_fit_grid_size(&line->axis), steps = 0, lines = 0;
  for (size_t i = 0; i < line->ensemble.n; i++) {
    const sloe_fit_candidate *c = &line->ensemble.candidate[i];
    if (!c->gone) *(c->kind == SLOE_FIT_LINEAR ? &lines : &steps) += 1;
  }
  for (size_t i = 0; i < n; i++) {
    int64_t x = sloe_fit_grid_at(&line->axis, i);
    spread_at(line, x, &s.unique[i], &s.range[i]);
    s.distance[i] = distance_at(line, x);
  }
  normalise(s.unique, n);
  normalise(s.range, n);
  normalise(s.distance, n);
  for (size_t i = 0; i < n; i++)
    s.total[i] = k->alpha * s.unique[i] + k->beta * s.range[i] + k->gamma * s.distance[i];
  normalise(s.total, n);
  int64_t next = 0;
  double most = -1;
  for (size_t i = 0; i < n; i++) {
    int64_t x = sloe_fit_grid_at(&line->axis, i);
    double score = fmax(steps ? s.total[i] * k->c_step : 0, lines ? s.distance[i] * k->c_lin : 0);
    if (score <= most || sloe_fit_line_taken(line, x)) continue;
    most = score;
    next = x;
  }
  return next;
}
