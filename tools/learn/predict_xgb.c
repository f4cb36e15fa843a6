#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/regressors.h"
#include "predict_others.h"

#ifdef SLOE_BENCH_XGBOOST
#include <xgboost/c_api.h>

typedef struct boosted {
  BoosterHandle booster;
  float *x; /* room for rows as floats */
  size_t cap;
} boosted;

static void set(BoosterHandle b, const char *name, double value) {
  char text[32];
  snprintf(text, sizeof text, "%.9g", value);
  XGBoosterSetParam(b, name, text);
}

static void set_params(BoosterHandle b, const double *h) {
  XGBoosterSetParam(b, "objective", "reg:squarederror");
  XGBoosterSetParam(b, "tree_method", "exact");
  set(b, "nthread", 1);
  set(b, "verbosity", 0);
  set(b, "max_depth", h[SLOE_XGB_DEPTH]);
  set(b, "min_child_weight", h[SLOE_XGB_CHILD]);
  set(b, "gamma", h[SLOE_XGB_GAMMA]);
  set(b, "eta", h[SLOE_XGB_RATE]);
}

/* Without "cache_id" it dies of a cast, which its header does not say. */
static int predict(void *model, const double *x, size_t n, size_t d, double *out) {
  boosted *b = model;
  char values[160];
  bst_ulong const *shape;
  bst_ulong dim;
  const float *said;
  if (n * d > b->cap) return 0;
  for (size_t i = 0; i < n * d; i++) b->x[i] = (float)x[i];
  snprintf(values, sizeof values,
           "{\"data\":[%llu,true],\"shape\":[%zu,%zu],\"typestr\":\"<f4\",\"version\":3}",
           (unsigned long long)(uintptr_t)b->x, n, d);
  if (XGBoosterPredictFromDense(b->booster, values,
                                "{\"type\":0,\"training\":false,\"iteration_begin\":0,"
                                "\"iteration_end\":0,\"strict_shape\":false,\"missing\":NaN,"
                                "\"cache_id\":0}",
                                NULL, &shape, &dim, &said))
    return 0;
  for (size_t i = 0; i < n; i++) out[i] = exp((double)said[i]);
  return 1;
}

static void end(void *model) {
  boosted *b = model;
  XGBoosterFree(b->booster);
  free(b->x);
  free(b);
}

int other_xgb(const sloe_learn_rows *rows, const double *hyper, other *out) {
  boosted *b = calloc(1, sizeof *b);
  const size_t n = rows->n, d = rows->d;
  float *t = calloc(n, sizeof *t);
  DMatrixHandle m;
  b->cap = (n > 2000 ? n : 2000) * d;
  b->x = calloc(b->cap, sizeof *b->x);
  for (size_t i = 0; i < n * d; i++) b->x[i] = (float)rows->x[i];
  for (size_t i = 0; i < n; i++) t[i] = (float)log(rows->y[i]);
  int bad = XGDMatrixCreateFromMat(b->x, n, d, NAN, &m);
  bad = bad || XGDMatrixSetFloatInfo(m, "label", t, n) || XGBoosterCreate(&m, 1, &b->booster);
  if (!bad) set_params(b->booster, hyper);
  for (int i = 0; !bad && i < (int)hyper[SLOE_XGB_ROUNDS]; i++)
    bad = XGBoosterUpdateOneIter(b->booster, i, m);
  if (!bad) XGDMatrixFree(m);
  free(t);
  *out = (other){"XGBoost's C API", b, predict, end};
  return !bad;
}

#else

int other_xgb(const sloe_learn_rows *rows, const double *hyper, other *out) {
  (void)rows;
  (void)hyper;
  (void)out;
  return 0;
}

#endif
