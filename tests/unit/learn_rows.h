/* learn_rows.h: rows to learn from: a smooth, positive function of four inputs of six, over two
 * decades, and what a model makes of other rows. */
#ifndef SLOE_TESTS_LEARN_ROWS_H
#define SLOE_TESTS_LEARN_ROWS_H

#include <math.h>

#include "base/rng.h"
#include "learn/learn.h"
#include "unit/unit.h"

enum { PLANTED_D = 6, PLANTED_N = 600 };

typedef struct planted {
  double x[PLANTED_N * PLANTED_D], y[PLANTED_N];
} planted;

static inline double planted_value(const double *x) {
  return exp(0.8 * x[0] + 0.5 * x[1] * x[2] - 0.4 * x[3] * x[3]) * 10;
}

static inline void plant(planted *p, uint64_t seed) {
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  for (size_t i = 0; i < PLANTED_N * PLANTED_D; i++) p->x[i] = 4 * sloe_rng_uniform(&rng) - 2;
  for (size_t i = 0; i < PLANTED_N; i++) p->y[i] = planted_value(p->x + i * PLANTED_D);
}

static inline sloe_learn_rows planted_rows(const planted *p, size_t n) {
  return (sloe_learn_rows){p->x, p->y, n, PLANTED_D};
}

/* Mean absolute percentage error over other rows. */
static inline double planted_mape(const sloe_learned *m) {
  static planted other;
  static double out[PLANTED_N];
  double sum = 0;
  sloe_error err;
  plant(&other, 12345);
  assert_ok(sloe_learned_predict_many(m, other.x, PLANTED_N, out, &err), err);
  for (size_t i = 0; i < PLANTED_N; i++) sum += fabs(out[i] / other.y[i] - 1);
  return 100 * sum / PLANTED_N;
}

/* Squared errors over other rows, as a share of those of the mean. */
static inline double planted_share_left(const sloe_learned *m) {
  static planted other;
  double mean = 0, own = 0, constant = 0;
  plant(&other, 12345);
  for (size_t i = 0; i < PLANTED_N; i++) mean += other.y[i] / PLANTED_N;
  for (size_t i = 0; i < PLANTED_N; i++) {
    own += pow(sloe_learned_predict(m, other.x + i * PLANTED_D) - other.y[i], 2);
    constant += pow(mean - other.y[i], 2);
  }
  return own / constant;
}

/* The regressor's defaults with "name=text ..." set. */
static inline const double *hypers(const sloe_regressor *r, const char *pairs) {
  static double values[SLOE_HYPER_MOST];
  char name[32], text[32];
  int used;
  sloe_error err;
  sloe_hyper_defaults(r, values);
  for (; sscanf(pairs, " %31[^=]=%31s%n", name, text, &used) == 2; pairs += used)
    assert_ok(sloe_hyper_set(r, name, text, values, &err), err);
  return values;
}

static inline int learnt_here(const sloe_regressor *r) {
#ifndef SLOE_HAS_XGBOOST
  if (strcmp(r->name, "xgb") == 0) return 0;
#endif
#ifndef SLOE_HAS_LIBSVM
  if (strcmp(r->name, "svr") == 0) return 0;
#endif
  return r != NULL;
}

static inline const sloe_regressor *the(const char *name) {
  const sloe_regressor *r = sloe_regressor_find(name);
  assert_non_null(r);
  if (!learnt_here(r)) skip();
  return r;
}

static inline char *model_bytes(const sloe_learned *m, size_t *len) {
  sloe_text text = {0};
  sloe_error err;
  char *bytes;
  sloe_learned_encode(m, &text);
  *len = text.len;
  assert_ok(sloe_text_take(&text, &bytes, &err), err);
  return bytes;
}

static inline void assert_same_model(const sloe_learned *a, const sloe_learned *b) {
  size_t na, nb;
  char *bytes_a = model_bytes(a, &na), *bytes_b = model_bytes(b, &nb);
  assert_int_equal(na, nb);
  assert_memory_equal(bytes_a, bytes_b, na);
  sloe_dealloc(bytes_a);
  sloe_dealloc(bytes_b);
}

#endif
