/* planted.h: functions whose parameters are known, measured with noise and outliers, for the fitter
 * to find again. Included by unit tests and by the programs of tools/fit.
 *
 * A function is a staircase model (model/staircase.h) over 1..1024. A run is the true time with
 * `noise` normal relative noise; at a share of the points (`outliers`, decided by a hash of the
 * coordinates, so that measuring again does not help) it is 1.1 to 2 times as slow, for one in five
 * of them as fast.
 */
#ifndef SLOE_TESTS_PLANTED_H
#define SLOE_TESTS_PLANTED_H

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "fit/fit.h"

#define PLANTED_LAST 1024

/* X(ID, name) */
#define PLANTED_KIND_MAP(X)      \
  X(STEP, "step")                \
  X(ODD_STEP, "step, any width") \
  X(LINEAR, "linear")            \
  X(NESTED, "nested")            \
  X(FLOOR, "floor")              \
  X(START, "linear start")       \
  X(CHANGE, "change point")      \
  X(STEP_SLOPE, "step+slope")

typedef enum planted_kind {
#define PLANTED_ENUM(id, name) PLANTED_##id,
  PLANTED_KIND_MAP(PLANTED_ENUM)
#undef PLANTED_ENUM
      PLANTED_KINDS
} planted_kind;

typedef struct planted {
  sloe_stair_model truth;
  double noise, outliers;
  uint64_t salt; /* of the outliers */
  sloe_rng rng;  /* of the noise */
  size_t calls;
} planted;

static inline double planted_between(sloe_rng *rng, double lo, double hi) {
  return lo + (hi - lo) * sloe_rng_uniform(rng);
}

/* Along one dimension, from `at_one` at x = 1 up by `rise` to x = 1024. */
static inline void planted_shape(sloe_rng *rng, planted_kind kind, sloe_stair *shape,
                                 double coef[SLOE_STAIR_TERMS], double *floor) {
  double total = pow(10, planted_between(rng, -2, 2)), base = total * planted_between(rng, 0, 0.5);
  double rise = total - base;
  int32_t width = 4 * (int32_t)sloe_rng_between(rng, 2, 128);
  memset(coef, 0, SLOE_STAIR_TERMS * sizeof *coef);
  *shape = (sloe_stair){.width = width};
  *floor = 0;
  coef[0] = base;
  coef[1] = rise / ceil(PLANTED_LAST / (double)width);
  if (kind == PLANTED_LINEAR) {
    *shape = (sloe_stair){.slope = 1};
    coef[1] = rise / PLANTED_LAST;
  } else if (kind == PLANTED_ODD_STEP) {
    shape->width = width = (int32_t)sloe_rng_between(rng, 8, 512);
    coef[1] = rise / ceil(PLANTED_LAST / (double)width);
  } else if (kind == PLANTED_NESTED) {
    int32_t times = (int32_t)sloe_rng_between(rng, 2, 4);
    shape->width = width = 8 * (int32_t)sloe_rng_between(rng, 1, 8);
    shape->outer = times * width;
    double inner = planted_between(rng, 0.3, 0.7);
    coef[1] = inner * rise / ceil(PLANTED_LAST / (double)width);
    coef[2] = (1 - inner) * rise / ceil(PLANTED_LAST / (double)shape->outer);
  } else if (kind == PLANTED_FLOOR) {
    *floor = base + rise * planted_between(rng, 0.1, 0.4);
  } else if (kind == PLANTED_START) {
    shape->width = shape->start = width = 8 * (int32_t)sloe_rng_between(rng, 1, 4);
    coef[0] = base = total * planted_between(rng, 0, 0.02);
    coef[1] = (total - base) / ceil(PLANTED_LAST / (double)width);
    coef[2] = coef[1] / width * planted_between(rng, 0.5, 0.9);
  } else if (kind == PLANTED_CHANGE) {
    shape->width = width = 8 << sloe_rng_between(rng, 0, 4);
    shape->change = 32 * (int32_t)sloe_rng_between(rng, 6, 26);
    coef[1] = rise / ceil(PLANTED_LAST / (double)width);
    coef[2] = rise * planted_between(rng, 0.05, 0.3);
    coef[3] = coef[1] * planted_between(rng, -0.5, 0.5);
  } else if (kind == PLANTED_STEP_SLOPE) {
    double steps = planted_between(rng, 0.3, 0.7);
    shape->slope = 1;
    coef[1] *= steps;
    coef[2] = (1 - steps) * rise / PLANTED_LAST;
  }
}

static inline planted planted_line(uint64_t seed, planted_kind kind) {
  planted p = {.noise = 0.03, .outliers = 0.02, .salt = seed};
  sloe_stair_model *m = &p.truth;
  sloe_rng_seed(&p.rng, seed);
  m->n_dims = 1;
  m->lo[0] = 1;
  m->hi[0] = PLANTED_LAST;
  planted_shape(&p.rng, kind, &m->shape[0], m->coef, &m->floor);
  m->n_coefs = (uint32_t)sloe_stair_terms(&m->shape[0]);
  return p;
}

/* The product of lines of the given kind. */
static inline planted planted_space(uint64_t seed, planted_kind kind, size_t n_dims) {
  planted p = {.noise = 0.03, .outliers = 0.02, .salt = seed};
  sloe_stair_model *m = &p.truth;
  sloe_rng_seed(&p.rng, seed);
  m->n_dims = (uint32_t)n_dims;
  m->n_coefs = 1;
  m->coef[0] = 1;
  for (size_t d = 0; d < n_dims; d++) {
    double coef[SLOE_STAIR_TERMS], floor;
    m->lo[d] = 1;
    m->hi[d] = PLANTED_LAST;
    planted_shape(&p.rng, kind, &m->shape[d], coef, &floor);
    size_t terms = sloe_stair_terms(&m->shape[d]);
    for (size_t i = m->n_coefs; i-- > 0;)
      for (size_t t = terms; t-- > 0;) m->coef[i * terms + t] = m->coef[i] * coef[t];
    m->n_coefs *= (uint32_t)terms;
  }
  return p;
}

static inline double planted_outlier(const planted *p, const int64_t *coords) {
  uint64_t state = p->salt ^ UINT64_C(0x5eed);
  for (size_t d = 0; d < p->truth.n_dims; d++) {
    state ^= (uint64_t)coords[d];
    state = sloe_splitmix64(&state);
  }
  sloe_rng rng;
  sloe_rng_seed(&rng, state);
  if (sloe_rng_uniform(&rng) >= p->outliers) return 1;
  double factor = planted_between(&rng, 1.1, 2);
  return sloe_rng_uniform(&rng) < 0.2 ? 1 / factor : factor;
}

/* A sloe_fit_measure; `user` is a planted. */
static inline sloe_status planted_run(void *user, const int64_t *coords, size_t n_dims,
                                      sloe_fit_sample *out, sloe_error *err) {
  planted *p = user;
  (void)n_dims;
  (void)err;
  double t = sloe_stair_model_eval(&p->truth, coords) * planted_outlier(p, coords);
  t *= fmax(1 + p->noise * sloe_rng_normal(&p->rng), 0.1);
  *out = (sloe_fit_sample){t, p->noise > 0 ? NAN : 0};
  p->calls++;
  return SLOE_OK;
}

static inline double planted_error_at(const planted *p, const sloe_stair_model *m,
                                      const int64_t *coords) {
  return fabs(sloe_stair_model_eval(m, coords) / sloe_stair_model_eval(&p->truth, coords) - 1);
}

/* The largest relative error over a line. */
static inline double planted_worst(const planted *p, const sloe_stair_model *m) {
  double worst = 0;
  for (int64_t x = 1; x <= PLANTED_LAST; x++) worst = fmax(worst, planted_error_at(p, m, &x));
  return worst;
}

/* "Right": the planted shape, or within 1 % of the planted curve everywhere. */
static inline int planted_exact(const planted *p, const sloe_stair_model *m) {
  return !memcmp(&p->truth.shape[0], &m->shape[0], sizeof m->shape[0]) &&
         (p->truth.floor > 0) == (m->floor > 0);
}

#endif
