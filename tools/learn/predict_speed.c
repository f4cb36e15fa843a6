/* predict_speed [SAMPLES]: what one prediction takes, of each regressor, beside the libraries' own.
 *
 * 1439 rows of 13 inputs over four decades, three hidden factors, 6 % noise; learned from ln(1 + x)
 * (trees: x) to ln y. A row asked for is another one each time, in an order without rule, so that
 * no branch can be learnt by heart; from raw inputs to the target's unit. Microseconds of a row,
 * median and 5th to 95th percentile of samples: a sample is 64 calls of one row each, or one call
 * of 1000 rows. One thread.
 *
 *   NAME WHOSE one|batch MEDIAN P5 P95
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "bench/stats.h"
#include "learn/regressors.h"
#include "predict_others.h"

enum { N = 1439, D = 13, CALLS = 64, BATCH = 1000, POOL = 4096 };

static double x[N * D], y[N], pool[POOL * D], said[POOL];

static void draw(sloe_rng *rng, size_t n, double *rows, double *target) {
  for (size_t i = 0; i < n; i++) {
    double f[3], sum = 0;
    for (size_t k = 0; k < 3; k++) f[k] = sloe_rng_uniform(rng) * 2 - 1;
    for (size_t j = 0; j < D; j++)
      rows[i * D + j] =
          pow(10, 3 + 2 * f[j % 3] * (1 - 0.05 * (double)j) + 0.2 * sloe_rng_normal(rng));
    for (size_t k = 0; k < 3; k++)
      sum += (1 + 0.3 * (double)k) * f[k] + 0.5 * f[k] * f[(k + 1) % 3];
    target[i] = exp(sum + 0.06 * sloe_rng_normal(rng)) * 20;
  }
}

typedef struct subject {
  const char *name, *whose;
  int (*predict)(void *model, const double *x, size_t n, size_t d, double *out);
  void *model;
} subject;

static int ours(void *model, const double *rows, size_t n, size_t d, double *out) {
  (void)d;
  if (n > 1) return sloe_learned_predict_many(model, rows, n, out, NULL) == SLOE_OK;
  out[0] = sloe_learned_predict(model, rows);
  return 1;
}

static double one_by_one(const subject *s, sloe_rng *rng) {
  size_t order[CALLS];
  double sum = 0;
  for (size_t k = 0; k < CALLS; k++) order[k] = (size_t)sloe_rng_between(rng, 0, POOL - 1);
  const double start = bench_now();
  for (size_t k = 0; k < CALLS; k++) {
    if (!s->predict(s->model, pool + order[k] * D, 1, D, said)) return NAN;
    sum += said[0];
  }
  const double seconds = bench_now() - start;
  return sum > 0 ? seconds / CALLS : NAN;
}

static double together(const subject *s, sloe_rng *rng) {
  const size_t from = (size_t)sloe_rng_between(rng, 0, POOL - BATCH);
  const double start = bench_now();
  if (!s->predict(s->model, pool + from * D, BATCH, D, said)) return NAN;
  return (bench_now() - start) / BATCH;
}

static void measure(const subject *s, size_t samples, double *room) {
  static double (*const how[])(const subject *, sloe_rng *) = {one_by_one, together};
  sloe_rng rng;
  sloe_rng_seed(&rng, 5);
  for (size_t k = 0; k < 2; k++) {
    for (size_t i = 0; i < 5; i++) how[k](s, &rng);
    for (size_t i = 0; i < samples; i++) room[i] = 1e6 * how[k](s, &rng);
    const bench_stats b = bench_stats_of(room, samples);
    printf("%s %s %s %.3f %.3f %.3f\n", s->name, s->whose, k ? "batch" : "one", b.median, b.p5,
           b.p95);
    fflush(stdout);
  }
}

static void size_of(const sloe_learned *m, const char *name) {
  fprintf(stderr, "%s: %u terms, %u vectors, %u weights, %u trees of %u nodes\n", name,
          (unsigned)m->poly.n_coefs, (unsigned)m->kernel.n, (unsigned)m->mlp.n_weights,
          (unsigned)m->trees.n_trees, (unsigned)m->trees.n_nodes);
}

typedef struct model {
  const char *title, *regressor, *hyper[6][2];
} model;

static const model models[] = {
    {"poly3", "poly", {{"degree", "3"}, {"lambda", "0.1"}}},
    {"mlp64x64", "mlp", {{"hidden", "64"}, {"layers", "2"}, {"iterations", "50"}}},
    {"xgb500d6",
     "xgb",
     {{"rounds", "500"},
      {"max_depth", "6"},
      {"min_child_weight", "1"},
      {"gamma", "0"},
      {"rate", "0.1"}}},
    {"svr", "svr", {{"C", "100"}, {"epsilon", "0.003"}}},
    {"rf200", "rf", {{"estimators", "200"}}},
};

static void beside(const model *of, const sloe_learn_rows *rows, const double *hyper,
                   size_t samples, double *room) {
  other o;
  int there = 0;
  if (strcmp(of->regressor, "xgb") == 0) there = other_xgb(rows, hyper, &o);
  if (strcmp(of->regressor, "svr") == 0) there = other_svm(rows, 100, 0.003, &o);
  if (!there) return;
  const subject s = {of->title, strcmp(of->regressor, "xgb") ? "libsvm" : "XGBoost", o.predict,
                     o.model};
  measure(&s, samples, room);
  o.free(o.model);
}

static int run(const model *of, size_t samples, double *room) {
  const sloe_regressor *r = sloe_regressor_find(of->regressor);
  const sloe_learn_rows rows = {x, y, N, D};
  double hyper[SLOE_HYPER_MOST];
  sloe_learned m;
  sloe_error err;
  const sloe_learn_options options = {
      .hyper = hyper, .log_inputs = r->scales_inputs, .log_target = 1, .seed = 1};
  sloe_hyper_defaults(r, hyper);
  for (size_t i = 0; i < 6 && of->hyper[i][0]; i++)
    if (sloe_hyper_set(r, of->hyper[i][0], of->hyper[i][1], hyper, &err) != SLOE_OK) return 2;
  if (sloe_learn(r, &rows, &options, &m, &err) != SLOE_OK) {
    fprintf(stderr, "predict_speed: %s\n", err.msg);
    return err.code == SLOE_UNSUPPORTED ? 0 : 2;
  }
  size_of(&m, of->title);
  const subject s = {of->title, "sloe", ours, &m};
  measure(&s, samples, room);
  beside(of, &rows, hyper, samples, room);
  sloe_learned_fini(&m);
  return 0;
}

int main(int argc, char **argv) {
  const size_t samples = argc > 1 ? strtoul(argv[1], NULL, 10) : 301;
  double *room = calloc(samples ? samples : 1, sizeof *room), unused[POOL];
  sloe_rng rng;
  int code = room && samples ? 0 : 2;
  sloe_rng_seed(&rng, 1);
  draw(&rng, N, x, y);
  draw(&rng, POOL, pool, unused);
  for (size_t i = 0; !code && i < sizeof models / sizeof *models; i++)
    code = run(&models[i], samples, room);
  free(room);
  return code;
}
