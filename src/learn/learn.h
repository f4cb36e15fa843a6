/* learn.h: how far estimates are from measurements.
 *
 * With y measured, e estimated, over n rows:
 *
 *   mape            mean |e - y| / y                    mae    mean |e - y|
 *   mape_constant   the same with e = the constant c that makes it least on these very rows: the
 *                   median of y, each y weighted by 1 / y. What knows nothing reaches that.
 *   mape_ci95       1.96 sd(|e - y| / y) / sqrt(n)      rmse   sqrt(mean (e - y)^2)
 *   mpe, mpe_sd     mean and sd of (e - y) / y          rmspe  sqrt(mean ((e - y) / y)^2)
 *   max_ape, min_ape, within_10                         of |e - y| / y; 10 % itself is within
 *   kendall         tau-b: (concordant - discordant) / sqrt(pairs untied in y * in e)
 *   pearson         Pearson's product-moment correlation
 *   coverage_90     share of rows with low <= y <= high, among those that have an interval
 *   interval_width_median   median of (high - low) / e, among the same
 *
 * sd divides by n - 1. Ratios are in per cent. NAN: no rows; one row for sd and correlations; all
 * values equal for correlations; no row with an interval for the last two.
 */
#ifndef SLOE_LEARN_LEARN_H
#define SLOE_LEARN_LEARN_H

#include "sloe/sloe.h"

typedef struct sloe_error_rows {
  size_t n;
  const double *measured;   /* > 0 and finite */
  const double *estimated;  /* > 0 and finite */
  const double *low, *high; /* NAN: no interval. NULL: none has one */
} sloe_error_rows;

/* Fills `n` and every error of *out and leaves its other members alone. Errors: USAGE (a value that
   is not as said above), NOMEM; *out then holds NAN. */
sloe_status sloe_errors_of(const sloe_error_rows *rows, sloe_errors *out, sloe_error *err);

/* Kendall's tau-b of n pairs in O(n log n); NAN where it is not defined. Errors: NOMEM. */
sloe_status sloe_kendall(const double *x, const double *y, size_t n, double *out, sloe_error *err);

#endif
