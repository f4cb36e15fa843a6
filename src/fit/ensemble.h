/* ensemble.h: the points of one line and the candidate shapes held at once. Private to fit/.
 *
 * A line is what is fitted along one dimension. Along the first dimension a point carries one time;
 * along an outer one it carries several, the values of the line within at its start points, all
 * of which share the shape along this dimension. For a fixed shape all else is linear: weighted
 * least squares, closed form, one small Cholesky per candidate and value.
 */
#ifndef SLOE_FIT_ENSEMBLE_H
#define SLOE_FIT_ENSEMBLE_H

#include "fit/fit.h"

#define SLOE_FIT_POINTS 64                           /* the most points of a line */
#define SLOE_FIT_VALUES (1 << (SLOE_STAIR_DIMS - 1)) /* the most values of a point */

typedef struct sloe_fit_points {
  size_t n, values; /* of points; of values a point */
  int64_t x[SLOE_FIT_POINTS];
  double error[SLOE_FIT_POINTS]; /* relative, > 0 */
  double y[SLOE_FIT_POINTS][SLOE_FIT_VALUES];
} sloe_fit_points;

typedef struct sloe_fit_candidate {
  sloe_stair shape;
  sloe_fit_template kind;
  int floor;      /* 1: max(floor, shape) */
  double offset;  /* its cost before any point is seen */
  double history; /* what earlier lines of this dimension say against it, as far as it is carried */
  double total;   /* all of it, for the choice in the end */
  double cost;    /* offset + history + residuals + outliers, of the last fit */
  double scale;   /* EVIDENCE: by how much the errors are larger than they were said to be */
  uint64_t out;   /* points set aside, a bit each */
  int gone;       /* filtered (BLACKTHORN) or not worth looking at (EVIDENCE) */
  double *fit;    /* values x SLOE_FIT_ROW: coefficients, then the floor */
} sloe_fit_candidate;

#define SLOE_FIT_ROW (SLOE_STAIR_TERMS + 1)

typedef struct sloe_fit_ensemble {
  size_t n;
  sloe_fit_candidate *candidate;
  double *fits; /* where all `fit` point into */
} sloe_fit_ensemble;

/* All shapes that params->templates and the axis allow, for points of `values` values. `out` is
   freed with the second function, which takes what is all zero too. */
sloe_status sloe_fit_ensemble_init(sloe_fit_ensemble *out, const sloe_fit_params *params,
                                   const sloe_fit_axis *axis, size_t values, sloe_error *err);
void sloe_fit_ensemble_fini(sloe_fit_ensemble *ensemble);

/* Fit one candidate to the points that are not in `out`; returns the sum over points and values of
   ((y - f) / (error y))^2, those of `out` left out. */
double sloe_fit_candidate_fit(sloe_fit_candidate *c, const sloe_fit_points *points, uint64_t out);

/* After a fit with `out`: the further point without which the rest would fit best, points->n where
   there is none, and the sum that would be left. Closed form: leaving out point i takes
   r_i^2 / (1 - h_i) off the sum, h_i its leverage. */
size_t sloe_fit_candidate_misfit(const sloe_fit_candidate *c, const sloe_fit_points *points,
                                 uint64_t out, double sum, double *without);

/* Value `v` of the candidate's fit at x. */
double sloe_fit_candidate_at(const sloe_fit_candidate *c, size_t v, int64_t x);

/* Weighted residual of point i, summed over the values: what the function above sums. */
double sloe_fit_candidate_residual(const sloe_fit_candidate *c, const sloe_fit_points *points,
                                   size_t i);

/* How many points a candidate needs to be determined. */
size_t sloe_fit_candidate_needs(const sloe_fit_candidate *c);

/* Solve the normal equations of a least-squares problem: the lower triangle of `normal`, n x n,
   against `right`, n; both are overwritten, the solution is left in `right`. A direction that the
   points do not determine gets 0. `scale` is room for n numbers. `normal` is left as the factor
   that the second function wants: row' inverse(normal) row, the row's leverage (it is overwritten).
 */
void sloe_fit_solve(double *normal, double *right, double *scale, size_t n);
double sloe_fit_leverage(const double *normal, const double *scale, double *row, size_t n);

/* What a method answers about a line. */
typedef struct sloe_fit_verdict {
  const sloe_fit_candidate *best;
  int decided; /* one shape is left, or all that are left say the same */
} sloe_fit_verdict;

typedef struct sloe_fit_line {
  const sloe_fit_params *params;
  sloe_fit_axis axis; /* what of the dimension can be had on this line */
  sloe_fit_points points;
  sloe_fit_ensemble ensemble;
  int64_t banned[SLOE_FIT_POINTS]; /* coordinates that cannot be had */
  size_t n_banned;
  int round; /* of filtering */
  int seen;  /* lines fitted along this dimension */
} sloe_fit_line;

/* 1 where x was measured or cannot be. */
int sloe_fit_line_taken(const sloe_fit_line *line, int64_t x);

/* The two methods. judge: refit, set outliers aside, filter, say whether it is over. next: where to
   measure now; 0 where nothing is left. */
sloe_fit_verdict sloe_fit_evidence_judge(sloe_fit_line *line);
int64_t sloe_fit_evidence_next(sloe_fit_line *line, const sloe_fit_candidate *best);
void sloe_fit_evidence_remember(sloe_fit_line *line, const sloe_fit_candidate *best);
sloe_fit_verdict sloe_fit_blackthorn_judge(sloe_fit_line *line);
int64_t sloe_fit_blackthorn_next(sloe_fit_line *line);

/* Coordinate number k of `n` (at most SLOE_FIT_GRID) that are looked at, spread over the axis;
   all of them where the axis has no more. */
#define SLOE_FIT_GRID 1024
size_t sloe_fit_grid_size(const sloe_fit_axis *axis);
int64_t sloe_fit_grid_at(const sloe_fit_axis *axis, size_t k);

#endif
