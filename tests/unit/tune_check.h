/* tune_check.h: what holds for whatever tuning found. */
#ifndef SLOE_TESTS_TUNE_CHECK_H
#define SLOE_TESTS_TUNE_CHECK_H

#include <math.h>

#include "learn/learn.h"
#include "unit/unit.h"

static inline double mape_of(const double *estimated, const double *y, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += fabs(estimated[i] / y[i] - 1);
  return 100 * sum / (double)n;
}

static inline void check_tuned(const sloe_tuned *t, const sloe_learn_rows *rows) {
  size_t ends = 0;
  assert_int_equal(t->n, rows->n);
  assert_true(fabs(mape_of(t->estimated, rows->y, t->n) - t->mape) < 1e-9 * (1 + t->mape));
  assert_true(t->mape_ci95 > 0 && t->seconds > 0);
  for (size_t k = 0; k < 4; k++) ends += t->n_end[k];
  assert_int_equal(ends, t->n_points);
  assert_true(t->n_end[SLOE_TUNE_FINISHED] >= 1);
  for (size_t i = 0; i < t->n_points; i++)
    if (t->point[i].folds == 0) assert_true(isnan(t->point[i].mape));
}

static inline void assert_same_tuned(const sloe_tuned *a, const sloe_tuned *b) {
  assert_int_equal(a->n_points, b->n_points);
  assert_memory_equal(a->hyper, b->hyper, sizeof a->hyper);
  assert_memory_equal(a->estimated, b->estimated, a->n * sizeof *a->estimated);
  assert_memory_equal(a->fold, b->fold, a->n * sizeof *a->fold);
  for (size_t i = 0; i < a->n_points; i++) {
    assert_memory_equal(a->point[i].hyper, b->point[i].hyper, sizeof a->point[i].hyper);
    assert_int_equal(a->point[i].end, b->point[i].end);
    assert_int_equal(a->point[i].folds, b->point[i].folds);
    assert_true(a->point[i].mape == b->point[i].mape || isnan(a->point[i].mape));
  }
}

#endif
