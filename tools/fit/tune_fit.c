/* tune_fit METHOD [COUNT [ROUNDS [SEED [KNOB]]]]: the grid search behind the defaults of
 * fit_params.c.
 *
 * Every knob of METHOD (evidence, blackthorn, or planes: the knobs of evidence that only matter in
 * two dimensions) is tried at each value of its row, the others held; the best is kept, and the
 * next knob's turn comes; ROUNDS times over all, or over KNOB alone. (A full grid over ten knobs is
 * out of reach, and they hardly interact.) What is least is
 *
 *   mean number of points + 2 for every percent of functions that are not right
 *
 * over COUNT planted steps and a third as many of every other kind (linear ones alone for
 * blackthorn), of the seeds from SEED on: far from those that planted_table and the tests use; or
 * over COUNT planes of steps, right where 256 random points are within 2 %.
 */
#include <stdio.h>
#include <stdlib.h>

#include "planted.h"

typedef struct knob {
  const char *name;
  size_t offset;
  int integer;
  double value[8]; /* ends with 0 */
} knob;

#define NUMBER(field, ...)                         \
  {                                                \
#field, offsetof(sloe_fit_params, field), 0, { \
      __VA_ARGS__                                  \
    }                                              \
  }
#define INTEGER(field, ...)                        \
  {                                                \
#field, offsetof(sloe_fit_params, field), 1, { \
      __VA_ARGS__                                  \
    }                                              \
  }

static const knob evidence[] = {
    NUMBER(heat, 1, 2, 4, 8),
    NUMBER(bin, 2, 3, 4, 6, 8),
    NUMBER(agree, 0.002, 0.004, 0.006, 0.009),
    NUMBER(extension_cost, 11, 14, 17, 21),
    NUMBER(odd_width_cost, 2, 4, 6, 8),
    NUMBER(cut, 6, 7, 8, 9, 11),
    NUMBER(outlier_cost, 6, 8, 10, 12, 15),
    INTEGER(min_points, 4, 5, 6),
    NUMBER(slack, 0.001, 0.002, 0.003),
    {0},
};

static const knob planes[] = {
    NUMBER(carry, 1e-9, 2, 4, 8, 12, 16, 24),
    {0},
};

static const knob blackthorn[] = {
    NUMBER(ratio, 3, 5, 10, 20, 50, 100),
    NUMBER(ratio_decay, 0.2, 0.5, 1, 2, 5, 10),
    NUMBER(threshold, 0.0003, 0.001, 0.002, 0.004, 0.008),
    NUMBER(template_ratio, 1.5, 2, 3, 5, 10, 30),
    NUMBER(outlier, 3, 5, 10, 20, 50, 200),
    NUMBER(alpha, 1e-9, 0.25, 0.5, 1, 2),
    NUMBER(beta, 1e-9, 0.25, 0.5, 1, 2),
    NUMBER(gamma, 1e-9, 0.1, 0.25, 0.5, 1),
    NUMBER(c_step, 0.5, 1, 2, 4),
    NUMBER(bin, 0.5, 1, 2, 4),
    {0},
};

typedef double scorer(const sloe_fit_params *params, size_t count, uint64_t seed, double *right,
                      double *points);

/* METHOD: its knobs, and what it is scored on. */
typedef struct search {
  const char *name;
  sloe_fit_method method;
  const knob *knobs;
  scorer *score;
} search;

static void set(sloe_fit_params *params, const knob *k, double value) {
  char *at = (char *)params + k->offset;
  if (k->integer)
    *(int32_t *)(void *)at = (int32_t)value;
  else
    *(double *)(void *)at = value;
}

static double get(const sloe_fit_params *params, const knob *k) {
  const char *at = (const char *)params + k->offset;
  return k->integer ? *(const int32_t *)(const void *)at : *(const double *)(const void *)at;
}

static double score_lines(const sloe_fit_params *params, size_t count, uint64_t seed, double *right,
                          double *points) {
  size_t n = 0, good = 0;
  double sum = 0;
  sloe_fit_axis axis = {1, PLANTED_LAST};
  for (int kind = 0; kind < PLANTED_KINDS; kind++) {
    if (params->method == SLOE_FIT_BLACKTHORN && kind != PLANTED_STEP && kind != PLANTED_LINEAR)
      continue;
    size_t share = kind == PLANTED_STEP ? count : count / 3;
    for (size_t i = 0; i < share; i++) {
      planted p = planted_line(seed + i, (planted_kind)kind);
      sloe_fit_result r;
      n++;
      if (sloe_fit_space(params, &axis, 1, planted_run, &p, &r, NULL)) continue;
      sum += (double)r.points;
      good += planted_exact(&p, &r.model) || planted_worst(&p, &r.model) <= 0.01;
    }
  }
  *right = (double)good / (double)n;
  *points = sum / (double)n;
  return *points + 200 * (1 - *right);
}

static double score_planes(const sloe_fit_params *params, size_t count, uint64_t seed,
                           double *right, double *points) {
  sloe_fit_axis axes[2] = {{1, PLANTED_LAST}, {1, PLANTED_LAST}};
  size_t good = 0;
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    planted p = planted_space(seed + i, PLANTED_STEP, 2);
    sloe_fit_result r;
    if (sloe_fit_space(params, axes, 2, planted_run, &p, &r, NULL)) continue;
    double worst = 0;
    for (int k = 0; k < 256; k++) {
      int64_t at[2] = {sloe_rng_between(&p.rng, 1, PLANTED_LAST),
                       sloe_rng_between(&p.rng, 1, PLANTED_LAST)};
      worst = fmax(worst, planted_error_at(&p, &r.model, at));
    }
    sum += (double)r.points;
    good += worst <= 0.02;
  }
  *right = (double)good / (double)count;
  *points = sum / (double)count;
  return *points + 200 * (1 - *right);
}

static const search searches[] = {
    {"evidence", SLOE_FIT_EVIDENCE, evidence, score_lines},
    {"planes", SLOE_FIT_EVIDENCE, planes, score_planes},
    {"blackthorn", SLOE_FIT_BLACKTHORN, blackthorn, score_lines},
};

static void turn(sloe_fit_params *best, const search *s, const knob *k, double *least, size_t count,
                 uint64_t seed) {
  double chosen = get(best, k), right, points;
  for (size_t v = 0; k->value[v] > 0; v++) {
    if (k->value[v] == chosen) continue;
    sloe_fit_params trial = *best;
    set(&trial, k, k->value[v]);
    double got = s->score(&trial, count, seed, &right, &points);
    printf("%-16s %8g: right %5.1f %%, points %5.2f, score %6.3f%s\n", k->name, k->value[v],
           100 * right, points, got, got < *least ? " *" : "");
    fflush(stdout);
    if (got >= *least) continue;
    *least = got;
    *best = trial;
  }
}

int main(int argc, char **argv) {
  const search *s = NULL;
  for (size_t i = 0; argc > 1 && i < sizeof searches / sizeof *searches; i++)
    if (!strcmp(argv[1], searches[i].name)) s = &searches[i];
  size_t count = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 150;
  size_t rounds = argc > 3 ? (size_t)strtoul(argv[3], NULL, 10) : 2;
  uint64_t seed = argc > 4 ? strtoul(argv[4], NULL, 10) : UINT64_C(777000000);
  if (!s || count < 3) {
    fprintf(stderr, "usage: tune_fit evidence|planes|blackthorn [COUNT [ROUNDS [SEED [KNOB]]]]\n");
    return 2;
  }
  sloe_fit_params in = {.method = s->method}, best;
  if (sloe_fit_params_fill(&in, &best, NULL)) return 1;
  double right, points, least = s->score(&best, count, seed, &right, &points);
  printf("%-25s: right %5.1f %%, points %5.2f, score %6.3f\n", "defaults", 100 * right, points,
         least);
  fflush(stdout);
  for (size_t round = 0; round < rounds; round++)
    for (const knob *k = s->knobs; k->name; k++)
      if (argc <= 5 || !strcmp(argv[5], k->name)) turn(&best, s, k, &least, count, seed);
  for (const knob *k = s->knobs; k->name; k++) printf("%-16s %g\n", k->name, get(&best, k));
  return 0;
}
