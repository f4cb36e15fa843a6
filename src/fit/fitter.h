/* fitter.h: what one fit carries along. Private to fit/. */
#ifndef SLOE_FIT_FITTER_H
#define SLOE_FIT_FITTER_H

#include "fit/ensemble.h"

typedef struct sloe_fit_point { /* a coordinate measured */
  int64_t at[SLOE_STAIR_DIMS];
  double value, error; /* relative */
  int out;             /* set aside by its line */
} sloe_fit_point;

typedef struct sloe_fitter {
  sloe_fit_params params;
  size_t n_dims;
  sloe_fit_axis axis[SLOE_STAIR_DIMS];
  sloe_fit_measure measure;
  void *user;
  sloe_fit_line line[SLOE_STAIR_DIMS];
  sloe_fit_point *point;
  size_t n_points, room;
  double *run;                 /* params.runs values of one point */
  double variance, n_variance; /* of one run, relative; the mean over all points, and of how many */
  double floor;                /* the least that a line found; 0: none did */
  sloe_fit_result *result;
} sloe_fitter;

/* The time at `coords` from up to params.runs calls, kept in f->point too. */
sloe_status sloe_fitter_measure(sloe_fitter *f, const int64_t *coords, double *value, double *error,
                                sloe_error *err);

/* Algorithm 1: fit dimension `dim` (0 is the innermost) with coords[dim + 1...] fixed; *best is the
   shape found, its values those at the start points of the dimensions within. */
sloe_status sloe_fitter_line(sloe_fitter *f, size_t dim, int64_t *coords,
                             const sloe_fit_candidate **best, sloe_error *err);

/* The two points of an axis where lines start and where the dimension outside looks at them. */
void sloe_fitter_starts(const sloe_fitter *f, size_t dim, int64_t start[2]);

/* All coefficients from all points, for the shapes that the lines speak for. */
sloe_status sloe_fitter_finish(sloe_fitter *f, sloe_error *err);

#endif
