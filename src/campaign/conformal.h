/* conformal.h: intervals that hold for nine in ten. Private to campaign/.
 *
 * Split conformal prediction with residuals of models that had not seen the row (Vovk; Barber et
 * al., "Predictive inference with the jackknife+", Annals of Statistics 49(1), 2021): the (n + 1) x
 * 0.9-th smallest of |ln(measured / estimated)|.
 */
#ifndef SLOE_CAMPAIGN_CONFORMAL_H
#define SLOE_CAMPAIGN_CONFORMAL_H

#include <stddef.h>

/* Of n errors, which are sorted. Fewer than nine have no such quantile: twice the largest stands
   for it. NAN: none. */
double sloe_conformal_90(double *errors, size_t n);

/* The q-th quantile (0..1) of n numbers, which are sorted: the nearest one. NAN: none. */
double sloe_quantile(double *values, size_t n, double q);

#endif
