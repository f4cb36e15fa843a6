/* line.c: Blackthorn's Algorithm 1. Both of its functions are one here: a line along any dimension
 * is fitted the same way, only what a point is differs, a measurement in the first dimension, a
 * whole line of the dimension within in all others.
 *
 * The paper tracks the parameters d and h of the inner function over the outer dimension; here it
 * is the function's values at its two start points. That is the same function (two values
 * determine d and h of a step), but their errors are those of times, a few tenths of a percent, and
 * independent of one another, where d, extrapolated to x = 0, can be nothing but error.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "fit/fitter.h"

void sloe_fitter_starts(const sloe_fitter *f, size_t dim, int64_t start[2]) {
  const sloe_fit_axis *axis = &f->axis[dim];
  const sloe_fit_params *k = &f->params;
  start[0] = k->start_lo;
  start[1] = k->start_hi;
  if (axis->lo <= start[0] && start[1] <= axis->hi && axis->hi / 2 < start[1]) return;
  double span = (double)(axis->hi - axis->lo); /* the same shares of another domain */
  start[0] = axis->lo + (int64_t)(span / 16);
  start[1] = axis->lo + (int64_t)(span * 15 / 16);
}

/* The values of the line within at its start points, as one point of this line. */
static sloe_status observe_line(sloe_fitter *f, size_t dim, int64_t *coords, double *values,
                                double *error, sloe_error *err) {
  const sloe_fit_candidate *best;
  SLOE_TRY(sloe_fitter_line(f, dim - 1, coords, &best, err));
  const sloe_fit_points *p = &f->line[dim - 1].points;
  int64_t start[2];
  sloe_fitter_starts(f, dim - 1, start);
  double least = INFINITY, squares = 0, misfit = 0, n = 0;
  for (size_t i = 0; i < p->n; i++) {
    for (size_t v = 0; v < p->values; v++) least = fmin(least, p->y[i][v]);
    if (best->out >> i & 1) continue;
    squares += p->error[i] * p->error[i];
    misfit += sloe_fit_candidate_residual(best, p, i) / (double)p->values;
    n++;
  }
  for (size_t v = 0; v < p->values; v++)
    for (int s = 0; s < 2; s++) /* a time is positive, whatever the extrapolation says */
      values[2 * v + (size_t)s] = fmax(sloe_fit_candidate_at(best, v, start[s]), least / 16);
  double free = n - (double)sloe_fit_candidate_needs(best);
  double worse = f->params.method == SLOE_FIT_EVIDENCE && free > 0 ? misfit / free : 1;
  *error = sqrt(squares / n * fmin(fmax(worse, 1), 25));
  return SLOE_OK;
}

/* UNSUPPORTED bars the point, and what lies beyond it if nothing measured does. */
static sloe_status bar(sloe_fit_line *line, int64_t x, sloe_status why, sloe_error *err) {
  int beyond = 1;
  for (size_t i = 0; i < line->points.n; i++) beyond &= line->points.x[i] < x;
  if (beyond && x > line->axis.lo)
    line->axis.hi = x - 1;
  else if (line->n_banned < SLOE_FIT_POINTS)
    line->banned[line->n_banned++] = x;
  else
    return why;
  if (err) *err = (sloe_error){0};
  return SLOE_OK;
}

/* *had: whether the point could be had. */
static sloe_status observe(sloe_fitter *f, size_t dim, int64_t *coords, int64_t x, int *had,
                           sloe_error *err) {
  sloe_fit_line *line = &f->line[dim];
  sloe_fit_points *p = &line->points;
  double values[2 * SLOE_FIT_VALUES], error;
  coords[dim] = x;
  sloe_status status = dim ? observe_line(f, dim, coords, values, &error, err)
                           : sloe_fitter_measure(f, coords, values, &error, err);
  *had = status == SLOE_OK;
  if (status == SLOE_UNSUPPORTED && f->result->samples < (size_t)f->params.max_samples)
    return bar(line, x, status, err);
  SLOE_TRY(status);
  p->x[p->n] = x;
  p->error[p->n] = error;
  memcpy(p->y[p->n], values, p->values * sizeof *values);
  p->n++;
  return SLOE_OK;
}

/* Two points to begin with: the start points, or what of them can be had. */
static sloe_status begin(sloe_fitter *f, size_t dim, int64_t *coords, sloe_error *err) {
  sloe_fit_line *line = &f->line[dim];
  int64_t start[2];
  int had;
  sloe_fitter_starts(f, dim, start);
  line->points.n = line->n_banned = 0;
  line->axis = f->axis[dim];
  SLOE_TRY(observe(f, dim, coords, start[0], &had, err));
  if (!had) SLOE_TRY(observe(f, dim, coords, line->axis.lo, &had, err));
  if (!had) return sloe_fail(err, SLOE_UNSUPPORTED, "fit: no point near the start can be had");
  for (int64_t x = start[1]; line->points.n < 2;) {
    if (!sloe_fit_line_taken(line, x)) SLOE_TRY(observe(f, dim, coords, x, &had, err));
    if (line->points.n >= 2) break;
    int64_t nearer = line->points.x[0] + (x - line->points.x[0]) / 2;
    if (nearer <= line->points.x[0] || nearer == x)
      return sloe_fail(err, SLOE_UNSUPPORTED, "fit: one point alone can be had");
    x = nearer;
  }
  return SLOE_OK;
}

/* Where small x may be special, the first line looks there, whatever else it would ask. */
static int64_t probe(const sloe_fitter *f, const sloe_fit_line *line) {
  unsigned small = SLOE_FIT_START | SLOE_FIT_FLOOR;
  if (f->params.method != SLOE_FIT_EVIDENCE || !(f->params.templates & small)) return 0;
  return line->points.n == 2 && !line->seen && !sloe_fit_line_taken(line, line->axis.lo)
             ? line->axis.lo
             : 0;
}

/* The x beside a point that `best` sets aside and that nothing near it speaks for or against; 0
   where there is none. An outlier that a point of the same tread repeats is none: left alone at the
   end of an axis it would take half the axis with it. */
static int64_t second_opinion(const sloe_fitter *f, const sloe_fit_line *line,
                              const sloe_fit_candidate *best) {
  if (f->params.method != SLOE_FIT_EVIDENCE) return 0;
  for (size_t i = 0; i < line->points.n; i++) {
    const int64_t x = line->points.x[i];
    if (!(best->out >> i & 1)) continue;
    if (sloe_fit_line_taken(line, x - 1) || sloe_fit_line_taken(line, x + 1)) continue;
    return x > line->axis.lo ? x - 1 : x < line->axis.hi ? x + 1 : 0;
  }
  return 0;
}

static sloe_fit_verdict judge(sloe_fitter *f, sloe_fit_line *line) {
  return f->params.method == SLOE_FIT_EVIDENCE ? sloe_fit_evidence_judge(line)
                                               : sloe_fit_blackthorn_judge(line);
}

static int64_t next_point(sloe_fitter *f, sloe_fit_line *line, const sloe_fit_candidate *best) {
  int64_t first = probe(f, line);
  if (first) return first;
  return f->params.method == SLOE_FIT_EVIDENCE ? sloe_fit_evidence_next(line, best)
                                               : sloe_fit_blackthorn_next(line);
}

/* Lines after the first need three points only: what they could be is known. */
static size_t enough(const sloe_fitter *f, const sloe_fit_line *line) {
  size_t least = (size_t)f->params.min_points;
  return f->params.method == SLOE_FIT_BLACKTHORN          ? 3
         : line->seen && f->params.carry > 0 && least > 3 ? 3
                                                          : least;
}

static void end(sloe_fitter *f, size_t dim, const sloe_fit_candidate *best, int decided) {
  sloe_fit_line *line = &f->line[dim];
  f->result->undecided += !decided;
  f->result->lines += !dim;
  line->seen++;
  for (size_t i = 0; !dim && i < line->points.n; i++)
    f->point[f->n_points - line->points.n + i].out = best->out >> i & 1;
  if (best->floor) {
    double floor = best->fit[SLOE_STAIR_TERMS];
    if (floor > 0 && (f->floor == 0 || floor < f->floor)) f->floor = floor;
  }
  if (f->params.method == SLOE_FIT_EVIDENCE)
    sloe_fit_evidence_remember(line, best);
  else
    line->ensemble.candidate[best - line->ensemble.candidate].total -= 1;
}

sloe_status sloe_fitter_line(sloe_fitter *f, size_t dim, int64_t *coords,
                             const sloe_fit_candidate **best, sloe_error *err) {
  sloe_fit_line *line = &f->line[dim];
  SLOE_TRY(begin(f, dim, coords, err));
  sloe_fit_verdict verdict = judge(f, line);
  while (line->points.n < (size_t)f->params.max_points) {
    const int ripe = verdict.decided && line->points.n >= enough(f, line);
    int64_t x = ripe ? second_opinion(f, line, verdict.best) : next_point(f, line, verdict.best);
    if (ripe && !x) break;
    if (!x) { /* the axis has no more points: all that can be known is known */
      verdict.decided = 1;
      break;
    }
    int had;
    SLOE_TRY(observe(f, dim, coords, x, &had, err));
    if (had) verdict = judge(f, line);
  }
  end(f, dim, verdict.best, verdict.decided);
  *best = verdict.best;
  return SLOE_OK;
}
