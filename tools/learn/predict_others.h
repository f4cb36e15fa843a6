/* predict_others.h: the libraries' own predictions, of models that they learn from the same rows.
 */
#ifndef SLOE_TOOLS_PREDICT_OTHERS_H
#define SLOE_TOOLS_PREDICT_OTHERS_H

#include "learn/learn.h"

/* Both tell how the other end says it: one row, n rows. All NULL: the library is not there. */
typedef struct other {
  const char *name;
  void *model;
  /* out[n] of rows x[n][d] */
  int (*predict)(void *model, const double *x, size_t n, size_t d, double *out);
  void (*free)(void *model);
} other;

/* Boosted trees of these hyperparameters, the logarithm of y learned. 0: not there. */
int other_xgb(const sloe_learn_rows *rows, const double *hyper, other *out);
/* Support vectors on inputs that are scaled already. */
int other_svm(const sloe_learn_rows *rows, double cost, double epsilon, other *out);

#endif
