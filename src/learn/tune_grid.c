#include "learn/tune_grid.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "learn/regressors.h"

/* ---- levels ---- */

typedef struct level_row {
  const sloe_regressor *r;
  size_t hyper, n;
  double value[SLOE_TUNE_LEVELS];
} level_row;

#define REGRESSOR_POLY &sloe_regressor_poly
#define REGRESSOR_SVR  &sloe_regressor_svr
#define REGRESSOR_MLP  &sloe_regressor_mlp
#define REGRESSOR_RF   &sloe_regressor_rf
#define REGRESSOR_XGB  &sloe_regressor_xgb
#define L(regressor, hyper, ...)                           \
  {REGRESSOR_##regressor,                                  \
   SLOE_##regressor##_##hyper,                             \
   sizeof((const double[]){__VA_ARGS__}) / sizeof(double), \
   {__VA_ARGS__}},
static const level_row rows[] = {
#include "learn/tune_levels.def"
};

void sloe_tune_levels_of(const sloe_regressor *r, sloe_tune_levels *levels) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (rows[i].r != r) continue;
    sloe_tune_levels *l = &levels[rows[i].hyper];
    l->n = rows[i].n;
    memcpy(l->value, rows[i].value, sizeof l->value);
  }
}

void sloe_tune_canonical(const sloe_regressor *r, double *h) {
  if (r == &sloe_regressor_svr) {
    if (h[SLOE_SVR_KERNEL] == 0) h[SLOE_SVR_GAMMA] = r->hyper[SLOE_SVR_GAMMA].value;
    if (h[SLOE_SVR_KERNEL] != 2) h[SLOE_SVR_DEGREE] = r->hyper[SLOE_SVR_DEGREE].value;
  } else if (r == &sloe_regressor_rf) {
    if (h[SLOE_RF_FEATURES] == 3) h[SLOE_RF_FEATURES] = 0;
    if (h[SLOE_RF_SPLIT] < 2) h[SLOE_RF_SPLIT] = 2;
  }
}

/* ---- families ---- */

static int is_there(const sloe_tune_grid *g, const sloe_tune_family *f) {
  for (size_t i = 0; i < g->n_families; i++) {
    const sloe_tune_family *other = &g->family[i];
    int same = other->n == f->n && memcmp(other->path, f->path, f->n * sizeof *f->path) == 0;
    for (size_t j = 0; same && j < g->r->n_hyper; j++)
      same = j == g->r->along || other->hyper[j] == f->hyper[j];
    if (same) return 1;
  }
  return 0;
}

static sloe_status add(sloe_tune_grid *g, const sloe_tune_family *f, sloe_error *err) {
  sloe_tune_family own = *f;
  own.hyper[g->r->along] = g->r->hyper[g->r->along].value;
  sloe_tune_canonical(g->r, own.hyper);
  own.first = g->n_points;
  if (is_there(g, &own)) return SLOE_OK;
  if (g->n_families == g->cap) {
    const size_t cap = 2 * g->cap + 16;
    sloe_tune_family *more = sloe_realloc(g->family, cap, sizeof *more);
    if (!more) return sloe_fail(err, SLOE_NOMEM, "out of memory for a grid of %zu", cap);
    g->family = more;
    g->cap = cap;
  }
  g->family[g->n_families++] = own;
  g->n_points += own.n;
  return SLOE_OK;
}

static void take_path(const sloe_tune_grid *g, sloe_tune_family *f) {
  const sloe_tune_levels *l = &g->levels[g->r->along];
  f->n = l->n;
  memcpy(f->path, l->value, sizeof f->path);
}

/* Families of the whole grid, counted before any is found to be another's equal. */
static size_t whole(const sloe_tune_grid *g) {
  size_t n = 1;
  for (size_t j = 0; j < g->r->n_hyper; j++)
    if (j != g->r->along) n *= g->levels[j].n;
  return n;
}

static sloe_status add_whole(sloe_tune_grid *g, sloe_error *err) {
  const size_t n = whole(g);
  sloe_tune_family f = {{0}, {0}, 0, 0};
  take_path(g, &f);
  for (size_t i = 0; i < n; i++) {
    size_t rest = i;
    for (size_t j = 0; j < g->r->n_hyper; j++) {
      if (j == g->r->along) continue;
      f.hyper[j] = g->levels[j].value[rest % g->levels[j].n];
      rest /= g->levels[j].n;
    }
    SLOE_TRY(add(g, &f, err));
  }
  return SLOE_OK;
}

/* The levels of a hyperparameter as cards: dealt to the last, then shuffled anew. */
typedef struct deck {
  size_t card[SLOE_TUNE_LEVELS], left;
} deck;

static double deal(const sloe_tune_levels *l, deck *d, sloe_rng *rng) {
  if (!d->left)
    for (; d->left < l->n; d->left++) d->card[d->left] = d->left;
  const size_t at = (size_t)sloe_rng_between(rng, 0, (int64_t)d->left - 1), card = d->card[at];
  d->card[at] = d->card[--d->left];
  return l->value[card];
}

static sloe_status add_draws(sloe_tune_grid *g, size_t points, uint64_t seed, sloe_error *err) {
  deck decks[SLOE_HYPER_MOST] = {{{0}, 0}};
  sloe_tune_family f = {{0}, {0}, 0, 0};
  sloe_rng rng;
  sloe_rng_seed(&rng, seed);
  take_path(g, &f);
  sloe_hyper_defaults(g->r, f.hyper);
  SLOE_TRY(add(g, &f, err));
  for (size_t tries = 0; g->n_points < points && tries < 100 * points; tries++) {
    for (size_t j = 0; j < g->r->n_hyper; j++)
      if (j != g->r->along) f.hyper[j] = deal(&g->levels[j], &decks[j], &rng);
    SLOE_TRY(add(g, &f, err));
  }
  return SLOE_OK;
}

sloe_status sloe_tune_grid_init(const sloe_regressor *r, size_t points, uint64_t seed,
                                sloe_tune_grid *out, sloe_error *err) {
  sloe_tune_grid g = {.r = r};
  sloe_status status;
  *out = (sloe_tune_grid){0};
  sloe_tune_levels_of(r, g.levels);
  const size_t n = whole(&g), path = g.levels[r->along].n;
  SLOE_GOTO(n <= 2 * points / path ? add_whole(&g, err) : add_draws(&g, points, seed, err));
  *out = g;
  return SLOE_OK;
fail:
  sloe_tune_grid_fini(&g);
  return status;
}

void sloe_tune_grid_fini(sloe_tune_grid *g) {
  sloe_dealloc(g->family);
  *g = (sloe_tune_grid){0};
}

/* ---- neighbours ---- */

/* From a towards b, by half of the way, a quarter, ...: of logarithms where it is tuned by them. */
static double between(const sloe_hyper *h, double a, double b, size_t round) {
  const double share = 1 / (double)((size_t)2 << round);
  const int geometric = (h->kind == SLOE_HYPER_LOG || h->hi >= 10 * h->lo) && a > 0 && b > 0;
  const double v = geometric ? a * pow(b / a, share) : a + (b - a) * share;
  return h->kind == SLOE_HYPER_INT ? nearbyint(v) : v;
}

/* The levels next to v: below it (`up` 0) or above; v where there is none. */
static double next_level(const sloe_tune_levels *l, double v, int up) {
  double next = v;
  for (size_t i = 0; i < l->n; i++) {
    if (!up && l->value[i] < v) next = l->value[i];
    if (up && l->value[i] > v) return l->value[i];
  }
  return next;
}

/* 0, which is "none" or "scale", has no neighbour half-way. */
static size_t neighbours_of(const sloe_hyper *h, const sloe_tune_levels *l, double v, size_t round,
                            double out[SLOE_TUNE_LEVELS]) {
  size_t n = 0;
  if (h->kind == SLOE_HYPER_CHOICE || h->kind == SLOE_HYPER_FLAG) {
    for (size_t i = 0; round == 0 && i < l->n; i++)
      if (l->value[i] != v) out[n++] = l->value[i];
    return n;
  }
  for (int up = 0; up < 2; up++) {
    const double next = next_level(l, v, up);
    const int apart = (v < h->lo) != (next < h->lo);
    const double value = apart ? next : between(h, v, next, round);
    if (value != v) out[n++] = value;
  }
  return n;
}

/* The place itself and what lies half-way to those beside it. */
static void narrow_path(const sloe_tune_grid *g, double v, size_t round, sloe_tune_family *f) {
  const sloe_hyper *h = &g->r->hyper[g->r->along];
  double beside[SLOE_TUNE_LEVELS];
  const size_t n = neighbours_of(h, &g->levels[g->r->along], v, round, beside);
  f->n = 0;
  for (size_t i = 0; i < n; i++)
    if (beside[i] < v) f->path[f->n++] = beside[i];
  f->path[f->n++] = v;
  for (size_t i = 0; i < n; i++)
    if (beside[i] > v) f->path[f->n++] = beside[i];
}

sloe_status sloe_tune_grid_neighbours(sloe_tune_grid *g, size_t family, size_t place, size_t round,
                                      sloe_error *err) {
  const sloe_tune_family of = g->family[family];
  sloe_tune_family f = of;
  narrow_path(g, of.path[place], round, &f);
  SLOE_TRY(add(g, &f, err));
  for (size_t j = 0; j < g->r->n_hyper; j++) {
    double beside[SLOE_TUNE_LEVELS];
    if (j == g->r->along) continue;
    const size_t n = neighbours_of(&g->r->hyper[j], &g->levels[j], of.hyper[j], round, beside);
    for (size_t i = 0; i < n; i++) {
      f.hyper[j] = beside[i];
      SLOE_TRY(add(g, &f, err));
    }
    f.hyper[j] = of.hyper[j];
  }
  return SLOE_OK;
}
