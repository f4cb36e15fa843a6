/* conformal.h: intervals that hold for nine in ten. Private to campaign/.
 *
 * Rows that are like those learned from: split conformal prediction with residuals of models that
 * had not seen the row (Vovk; Barber et al., "Predictive inference with the jackknife+", Annals of
 * Statistics 49(1), 2021): the (n + 1) x 0.9-th smallest of |ln(measured / estimated)|.
 *
 * Rows of a kind that nobody has seen: thousands of rows of three kinds are three draws of a kind,
 * not thousands. Each kind left out tells how far rows of a new kind are off; kinds, not rows, are
 * taken to be exchangeable (hierarchical conformal prediction: Dunn, Wasserman and Ramdas,
 * "Distribution-free prediction sets for two-layer hierarchical models", JASA 118, 2023; Lee,
 * Barber and Willett, arXiv 2306.06342). Of K kinds each has the weight 1 / (K + 1), shared by its
 * rows, and the smallest error is taken that nine tenths lie below. Below nine kinds there is none;
 * then, and where it is more, (1 + 1 / K) x the worst kind's own nine-tenths stands for it. That
 * factor is no theorem: docs/notes/networks.md tells how often it holds.
 */
#ifndef SLOE_CAMPAIGN_CONFORMAL_H
#define SLOE_CAMPAIGN_CONFORMAL_H

#include <stddef.h>

#include "sloe/sloe.h"

/* Of n errors, which are sorted. Fewer than nine have no such quantile: twice the largest stands
   for it. NAN: none. */
double sloe_conformal_90(double *errors, size_t n);

/* The same of a kind that is none of kind[n], numbers below n_kinds. NAN: no errors. Errors:
   NOMEM. */
sloe_status sloe_conformal_kinds_90(const double *errors, const size_t *kind, size_t n,
                                    size_t n_kinds, double *out, sloe_error *err);

/* The q-th quantile (0..1) of n numbers, which are sorted: the nearest one. NAN: none. */
double sloe_quantile(double *values, size_t n, double q);

#endif
