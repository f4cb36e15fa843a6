/* gauss.h: regression by a Gaussian process, to teach the trees (campaign/teach.h).
 *
 *   sloe_gauss g; sloe_error err;
 *   sloe_gauss_fit(x, y, NULL, n, 30, NULL, &g, &err);
 *   sloe_gauss_eval(&g, points, 1000, values, &err);
 *   sloe_gauss_fini(&g);
 *
 * Inputs are brought to mean 0 and deviation 1. The covariance of two rows is a Matern function of
 * smoothness 3/2 of their distance, each input with a length of its own, plus a linear part, plus
 * noise; these numbers are found by the evidence of at most SLOE_GAUSS_SUBSET rows (gradient
 * ascent, a weak prior on the lengths). The mean of y is taken off first.
 *
 * Costs n^3 / 3 multiplications and 8 n^2 bytes once, n a value that is asked for.
 *
 * Source: Rasmussen & Williams, "Gaussian Processes for Machine Learning", 2006: Algorithm 2.1,
 * section 4.2 (Matern, ARD), 5.4.1 (evidence and its gradient), 5.4.2 (leave-one-out).
 */
#ifndef SLOE_FIT_GAUSS_H
#define SLOE_FIT_GAUSS_H

#include "sloe/sloe.h"

enum { SLOE_GAUSS_INPUTS = 96, SLOE_GAUSS_ROWS = 8192, SLOE_GAUSS_SUBSET = 700 };

typedef struct sloe_gauss_shape {   /* logarithms */
  double length[SLOE_GAUSS_INPUTS]; /* in deviations of each input */
  double height, noise, slope;      /* deviations of the three parts, in units of y */
} sloe_gauss_shape;

typedef struct sloe_gauss {
  size_t n, d;
  double mean[SLOE_GAUSS_INPUTS], scale[SLOE_GAUSS_INPUTS], y_mean;
  sloe_gauss_shape shape;
  double *z;     /* [n][d], inputs of mean 0 and deviation 1 */
  double *alpha; /* [n] */
  double *left;  /* [n]: y less what the other rows say of it (leave-one-out) */
} sloe_gauss;

/* x: n rows of d numbers, n >= 2. own: of each row, the variance that it has beside the noise of
   all; NULL: none. `shape` NULL: found. On failure *out is all zero. Errors: USAGE (sizes, a number
   that is not finite), UNSUPPORTED (the equations cannot be solved, or the linear algebra library
   gives wrong answers), NOMEM. */
sloe_status sloe_gauss_fit(const double *x, const double *y, const double *own, size_t n, size_t d,
                           const sloe_gauss_shape *shape, sloe_gauss *out, sloe_error *err);

/* The shape alone, from at most `subset` rows drawn of the n, where sloe_gauss_fit draws
   SLOE_GAUSS_SUBSET: twice as many cost eight times as much. Errors as above. */
sloe_status sloe_gauss_find_shape(const double *x, const double *y, const double *own, size_t n,
                                  size_t d, size_t subset, sloe_gauss_shape *out, sloe_error *err);

/* The mean at each of m rows. Errors: NOMEM. */
sloe_status sloe_gauss_eval(const sloe_gauss *gauss, const double *x, size_t m, double *out,
                            sloe_error *err);

void sloe_gauss_fini(sloe_gauss *gauss); /* takes what is all zero */

#endif
