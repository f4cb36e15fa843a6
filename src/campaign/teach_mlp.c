#include "campaign/teach_mlp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "learn/learn.h"

enum {
  BODIES = 3,       /* whose mean is said */
  STEPS = 10000000, /* rows that each looks at */
  LEAST_EPOCHS = 100,
  MOST_EPOCHS = 2000
};

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory learning an MLP");
}

typedef struct table {
  uint32_t at[SLOE_LAYER_INPUTS]; /* of its columns */
  float lo[SLOE_LAYER_INPUTS], hi[SLOE_LAYER_INPUTS];
  size_t n, d;
  double *x, *y; /* [n][d], [n] */
} table;

static void table_fini(table *t) {
  sloe_dealloc(t->x);
  sloe_dealloc(t->y);
}

/* Columns in which all rows are alike say nothing. */
static void leave_constant_out(table *t) {
  const size_t all = t->d;
  uint8_t keep[SLOE_LAYER_INPUTS];
  t->d = 0;
  for (size_t j = 0; j < all; j++) {
    keep[j] = t->lo[j] < t->hi[j];
    if (!keep[j]) continue;
    t->at[t->d] = t->at[j];
    t->lo[t->d] = t->lo[j];
    t->hi[t->d++] = t->hi[j];
  }
  double *to = t->x;
  for (size_t i = 0; i < t->n; i++)
    for (size_t j = 0; j < all; j++)
      if (keep[j]) *to++ = t->x[i * all + j];
}

static sloe_status fill(const sloe_layer_lesson *lessons, size_t n, double units,
                        const sloe_fitted_op *op, table *t, sloe_error *err) {
  const sloe_teach_inputs inputs =
      sloe_teach_inputs_of(SLOE_TEACH_ROUNDS | SLOE_TEACH_PROPOSED, units);
  *t = (table){.n = n, .d = inputs.n};
  t->x = sloe_alloc(n * inputs.n + 1, sizeof *t->x);
  t->y = sloe_alloc(n + 1, sizeof *t->y);
  if (!t->x || !t->y) return out_of_memory(err);
  memcpy(t->at, inputs.at, sizeof t->at);
  for (size_t i = 0; i < n; i++) {
    float features[SLOE_LAYER_FEATURES];
    double *x = t->x + i * inputs.n;
    sloe_fitted_features(op, &lessons[i].spec, &lessons[i].place, features);
    sloe_teach_take(&inputs, &lessons[i], features, x);
    for (size_t j = 0; j < inputs.n; j++) {
      if (!i || (float)x[j] < t->lo[j]) t->lo[j] = (float)x[j];
      if (!i || (float)x[j] > t->hi[j]) t->hi[j] = (float)x[j];
    }
    t->y[i] = lessons[i].y;
  }
  leave_constant_out(t);
  return t->d ? SLOE_OK : sloe_fail(err, SLOE_UNSUPPORTED, "all layers are alike");
}

static sloe_status learn(const table *t, uint64_t seed, sloe_learned *m, sloe_error *err) {
  const sloe_regressor *mlp = sloe_regressor_find("mlp");
  const double looks = (double)STEPS / (double)t->n;
  char epochs[16];
  snprintf(epochs, sizeof epochs, "%.0f", fmin(fmax(looks, LEAST_EPOCHS), MOST_EPOCHS));
  const char *const set[][2] = {{"hidden", "64"},   {"layers", "2"},        {"rate", "0.003"},
                                {"alpha", "0.001"}, {"schedule", "cosine"}, {"iterations", epochs}};
  double hyper[SLOE_HYPER_MOST];
  sloe_hyper_defaults(mlp, hyper);
  for (size_t i = 0; i < sizeof set / sizeof *set; i++)
    SLOE_TRY(sloe_hyper_set(mlp, set[i][0], set[i][1], hyper, err));
  const sloe_learn_rows rows = {t->x, t->y, t->n, t->d};
  const sloe_learn_options options = {.hyper = hyper, .seed = seed};
  return sloe_learn(mlp, &rows, &options, m, err);
}

/* The weights of one, with the scales of inputs and target in them: those of the first layer, and
   of the last. */
static void take_weights(const sloe_learned *m, float *out) {
  const sloe_learned_mlp *body = &m->mlp;
  const size_t inputs = body->width[0], first = body->width[1],
               last = (size_t)body->width[body->n_layers - 1] + 1;
  memcpy(out, body->weight, body->n_weights * sizeof *out);
  for (size_t k = 0; k < first; k++) {
    double bias = (double)out[inputs * first + k];
    for (size_t j = 0; j < inputs; j++) {
      const double weight = (double)out[j * first + k] * m->scale[j];
      bias -= weight * m->shift[j];
      out[j * first + k] = (float)weight;
    }
    out[inputs * first + k] = (float)bias;
  }
  float *end = out + body->n_weights - last;
  for (size_t k = 0; k < last; k++) end[k] = (float)((double)end[k] * m->target_scale);
  end[last - 1] = (float)((double)end[last - 1] + m->target_shift);
}

static sloe_status keep(const table *t, const sloe_learned m[BODIES], double units,
                        sloe_fitted_op *op, sloe_arena *arena, sloe_error *err) {
  const sloe_learned_mlp *first = &m[0].mlp;
  uint32_t *input = SLOE_ARENA_NEW(arena, uint32_t, t->d);
  float *lo = SLOE_ARENA_NEW(arena, float, 2 * t->d + (size_t)BODIES * first->n_weights);
  if (!input || !lo) return out_of_memory(err);
  float *hi = lo + t->d, *weight = hi + t->d;
  memcpy(input, t->at, t->d * sizeof *input);
  memcpy(lo, t->lo, t->d * sizeof *lo);
  memcpy(hi, t->hi, t->d * sizeof *hi);
  for (size_t i = 0; i < BODIES; i++) take_weights(&m[i], weight + i * first->n_weights);
  op->mlp = (sloe_fitted_mlp){.body = *first,
                              .n_bodies = BODIES,
                              .units = units,
                              .input = input,
                              .lo = lo,
                              .hi = hi,
                              .least = t->y[0],
                              .most = t->y[0]};
  op->mlp.body.weight = weight;
  for (size_t i = 0; i < t->n; i++) {
    op->mlp.least = fmin(op->mlp.least, t->y[i]);
    op->mlp.most = fmax(op->mlp.most, t->y[i]);
  }
  return SLOE_OK;
}

typedef struct bodies {
  table t;
  sloe_learned m[BODIES];
} bodies;

static sloe_status learn_one(void *context, size_t i, sloe_error *err) {
  bodies *b = context;
  return learn(&b->t, i + 1, &b->m[i], err);
}

sloe_status sloe_teach_mlp(const sloe_layer_lesson *lessons, size_t n, double units,
                           sloe_fitted_op *op, sloe_arena *arena, sloe_error *err) {
  bodies b = {0};
  sloe_status status = fill(lessons, n, units, op, &b.t, err);
  if (status == SLOE_OK) status = sloe_parallel_try(sloe_processors(), BODIES, learn_one, &b, err);
  if (status == SLOE_OK) status = keep(&b.t, b.m, units, op, arena, err);
  for (size_t i = 0; i < BODIES; i++) sloe_learned_fini(&b.m[i]);
  table_fini(&b.t);
  return status;
}
