#include "learn/layer_sum_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/sort_numbers.h"
#include "learn/layer_boost.h"

enum { REWEIGHT = 4, FOLDS = 16, TREES = 2000, FEWEST = 10 };

typedef struct job {
  const sloe_layer_sum_rows *rows;
  sloe_layer_sum_options o;     /* every 0 replaced */
  sloe_layer_sum_bound *bounds; /* [n_terms + 1]: the constant last */
  size_t n_folds;               /* 0: too few networks */
  double *relative;             /* [n][n_terms + 1] sums of terms / y */
  double *weight, *off;         /* [n] */
  double *coef;                 /* [n_folds + 1][n_terms + 1]: the last ones from all networks */
  uint8_t *fold;                /* [n] */
  uint8_t *left_out;            /* [n_folds][n] */
  sloe_binned binned;
  sloe_layer_boost boost[FOLDS + 1];
  uint32_t trees; /* chosen */
  sloe_error *err;
} job;

/* ---- what is asked ---- */

static sloe_status usage(const char *what, sloe_error *err) {
  return sloe_fail(err, SLOE_USAGE, "layer sum: %s", what);
}

static sloe_status fill_options(const sloe_layer_sum_rows *rows, sloe_layer_sum_options *o,
                                sloe_error *err) {
  if (o->spring == 0) o->spring = 0.004;
  if (!o->trees) o->trees = 300;
  if (!o->depth) o->depth = 6;
  if (!o->folds) o->folds = 5;
  if (o->rate == 0) o->rate = 0.1;
  if (o->child == 0) o->child = 3;
  if (o->lambda == 0) o->lambda = 1;
  if (o->share == 0) o->share = 0.8;
  if (o->limit == 0) o->limit = 1;
  if (o->fade == 0) o->fade = 0.5;
  if (o->trees > TREES || o->depth > SLOE_LAYER_DEPTH || o->folds < 2 || o->folds > FOLDS)
    return sloe_fail(
        err, SLOE_USAGE, "layer sum: %u trees of depth %u, %u folds: at most %d, %d, %d",
        (unsigned)o->trees, (unsigned)o->depth, (unsigned)o->folds, TREES, SLOE_LAYER_DEPTH, FOLDS);
  const double positive[] = {o->spring, o->rate, o->child, o->lambda, o->share, o->limit, o->fade};
  for (size_t i = 0; i < sizeof positive / sizeof *positive; i++)
    if (!(positive[i] > 0 && isfinite(positive[i]))) return usage("an option is not positive", err);
  if (o->rate > 1 || o->share > 1) return usage("a rate or share is above 1", err);
  if (o->limit > SLOE_LAYER_SUM_LIMIT) return usage("the limit is above 100", err);
  return o->n_sizes > rows->n_traits ? usage("more sizes than traits", err) : SLOE_OK;
}

static sloe_status check_layer(const sloe_layer_sum_rows *rows, size_t l, sloe_error *err) {
  const double *terms = rows->layers.terms + l * rows->n_terms;
  const double *traits = rows->layers.traits + l * rows->n_traits;
  for (size_t j = 0; j < rows->n_terms; j++)
    if (!(terms[j] >= 0 && isfinite(terms[j])))
      return sloe_fail(err, SLOE_USAGE, "layer sum: term %zu of layer %zu is no amount", j + 1,
                       l + 1);
  for (size_t j = 0; j < rows->n_traits; j++)
    if (!isfinite((float)traits[j]))
      return sloe_fail(err, SLOE_USAGE, "layer sum: trait %zu of layer %zu is no finite number",
                       j + 1, l + 1);
  return SLOE_OK;
}

static sloe_status check_rows(const sloe_layer_sum_rows *rows, sloe_error *err) {
  if (rows->n < 2 || rows->n > INT32_MAX / 2 || rows->layers.n > INT32_MAX / 2)
    return sloe_fail(err, SLOE_USAGE,
                     "layer sum: %zu networks of %zu layers, at least 2 are needed", rows->n,
                     rows->layers.n);
  if (rows->n_terms < 1 || rows->n_terms > SLOE_LAYER_SUM_TERMS || rows->n_traits < 1 ||
      rows->n_traits > SLOE_LAYER_SUM_TRAITS)
    return sloe_fail(err, SLOE_USAGE, "layer sum: %zu terms and %zu traits", rows->n_terms,
                     rows->n_traits);
  if (rows->first[0] != 0 || rows->first[rows->n] != rows->layers.n)
    return usage("the networks do not have all layers", err);
  for (size_t i = 0; i < rows->n; i++) {
    if (rows->first[i] >= rows->first[i + 1])
      return sloe_fail(err, SLOE_USAGE, "layer sum: network %zu has no layers", i + 1);
    if (!(rows->y[i] > 0 && isfinite(rows->y[i])))
      return sloe_fail(err, SLOE_USAGE, "layer sum: the time of network %zu is not positive",
                       i + 1);
  }
  for (size_t l = 0; l < rows->layers.n; l++) SLOE_TRY(check_layer(rows, l, err));
  return SLOE_OK;
}

static sloe_status take_bounds(job *j) {
  const size_t d = j->rows->n_terms;
  const sloe_layer_sum_bound open = {0, NAN, INFINITY};
  for (size_t i = 0; i <= d; i++) {
    const sloe_layer_sum_bound *from = i < d ? j->o.bounds : j->o.constant;
    const sloe_layer_sum_bound b = from ? from[i < d ? i : 0] : open;
    if (!(b.least >= 0 && b.least <= b.most && isfinite(b.least)) || b.usual < b.least ||
        b.usual > b.most)
      return sloe_fail(j->err, SLOE_USAGE, "layer sum: the bounds of coefficient %zu cross", i + 1);
    j->bounds[i] = b;
  }
  return SLOE_OK;
}

/* ---- coefficients ---- */

static void sum_terms(job *j) {
  const sloe_layer_sum_rows *rows = j->rows;
  const size_t d = rows->n_terms;
  for (size_t i = 0; i < rows->n; i++) {
    double *sums = j->relative + i * (d + 1);
    memset(sums, 0, d * sizeof *sums);
    for (size_t l = rows->first[i]; l < rows->first[i + 1]; l++)
      for (size_t k = 0; k < d; k++) sums[k] += rows->layers.terms[l * d + k];
    for (size_t k = 0; k < d; k++) sums[k] /= rows->y[i];
    sums[d] = 1 / rows->y[i];
  }
}

static double off_by(const job *j, const double *coef, size_t network) {
  const size_t d = j->rows->n_terms + 1;
  double sum = 0;
  for (size_t k = 0; k < d; k++) sum += coef[k] * j->relative[network * d + k];
  return fabs(sum - 1);
}

/* Twice the median error of those learned from: up to it an error counts by its square. */
static double usual_error(job *j, const double *coef, size_t without) {
  size_t n = 0;
  for (size_t i = 0; i < j->rows->n; i++)
    if (j->fold[i] != without) j->off[n++] = off_by(j, coef, i);
  sloe_sort_doubles(j->off, n);
  return 2 * fmax(n ? j->off[n / 2] : 0, 0.005);
}

/* From all networks but those of fold `without`. */
static sloe_status fit_coefs(job *j, size_t without, double *coef) {
  const size_t n = j->rows->n, d = j->rows->n_terms + 1;
  for (size_t i = 0; i < n; i++) j->weight[i] = j->fold[i] != without;
  for (int round = 0; round < REWEIGHT; round++) {
    SLOE_TRY(
        sloe_bounded_squares(j->relative, j->weight, n, d, j->bounds, j->o.spring, coef, j->err));
    const double square = usual_error(j, coef, without);
    for (size_t i = 0; i < n; i++)
      j->weight[i] = j->fold[i] == without ? 0 : 1 / sqrt(fmax(off_by(j, coef, i) / square, 1));
  }
  return SLOE_OK;
}

/* ---- corrections ---- */

static void set_base(const job *j, const double *coef, sloe_layer_boost *b) {
  const size_t d = j->rows->n_terms;
  for (size_t l = 0; l < j->rows->layers.n; l++) {
    b->base[l] = 0;
    for (size_t k = 0; k < d; k++) b->base[l] += coef[k] * j->rows->layers.terms[l * d + k];
  }
  b->constant = coef[d];
}

static void run_fold(void *context, size_t fold) {
  job *j = context;
  sloe_layer_boost_run(&j->boost[fold], j->o.no_trees ? 0 : j->o.trees);
}

static double error_with(const job *j, uint32_t trees) {
  double sum = 0;
  for (size_t f = 0; f < j->n_folds; f++) {
    size_t n = 0;
    for (size_t i = 0; i < j->rows->n; i++) n += j->fold[i] == f;
    sum += j->boost[f].left_out_error[trees] * (double)n;
  }
  return sum / (double)j->rows->n;
}

static sloe_status cross_validate(job *j) {
  const size_t n = j->rows->n, d = j->rows->n_terms + 1;
  for (size_t f = 0; f < j->n_folds; f++) {
    double *coef = j->coef + f * d;
    SLOE_TRY(fit_coefs(j, f, coef));
    SLOE_TRY(sloe_layer_boost_init(&j->boost[f], j->rows, &j->binned, &j->o, j->err));
    for (size_t i = 0; i < n; i++) j->left_out[f * n + i] = j->fold[i] == f;
    j->boost[f].left_out = j->left_out + f * n;
    set_base(j, coef, &j->boost[f]);
  }
  sloe_parallel(j->o.threads, j->n_folds, run_fold, j);
  j->trees = 0;
  for (uint32_t t = 1; j->n_folds && !j->o.no_trees && t <= j->o.trees; t++)
    if (error_with(j, t) < error_with(j, j->trees)) j->trees = t;
  return SLOE_OK;
}

static void tell_out_of_fold(const job *j, double *ms) {
  const size_t *first = j->rows->first;
  for (size_t i = 0; i < j->rows->n; i++) {
    if (!j->n_folds) {
      ms[i] = NAN;
      continue;
    }
    const sloe_layer_boost *b = &j->boost[j->fold[i]];
    ms[i] = b->constant;
    for (size_t l = first[i]; l < first[i + 1]; l++)
      ms[i] += b->base[l] * exp(sloe_layer_boost_g(b, l, j->trees));
  }
}

static sloe_status put_trees(const sloe_layer_boost *b, sloe_layer_sum *m, sloe_error *err) {
  SLOE_TRY(sloe_learned_init(&m->trees, m->n_traits, err));
  sloe_learned *t = &m->trees;
  const uint32_t n_nodes = b->first[b->n_trees];
  m->has_trees = 1;
  t->kind = SLOE_LEARNED_TREE_SUM;
  t->trees = (sloe_learned_trees){.n_trees = b->n_trees, .n_nodes = n_nodes, .factor = 1};
  t->trees.first = SLOE_ARENA_NEW(&t->arena, uint32_t, b->n_trees + 1);
  t->trees.node = SLOE_ARENA_NEW(&t->arena, sloe_tree_node, n_nodes);
  if (!t->trees.first || !t->trees.node)
    return sloe_fail(err, SLOE_NOMEM, "out of memory for %u trees", (unsigned)b->n_trees);
  memcpy(t->trees.first, b->first, (b->n_trees + 1) * sizeof *b->first);
  for (uint32_t tree = 0; tree < b->n_trees; tree++)
    for (uint32_t i = b->first[tree]; i < b->first[tree + 1]; i++) {
      t->trees.node[i] = b->node[i];
      t->trees.node[i].left += b->first[tree];
    }
  return SLOE_OK;
}

/* ---- the model ---- */

static int by_family(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* Ascending, each once; returns how many. */
static size_t list_families(const sloe_layer_rows *layers, uint64_t *family) {
  size_t n = 0;
  memcpy(family, layers->family, layers->n * sizeof *family);
  qsort(family, layers->n, sizeof *family, by_family);
  for (size_t i = 0; i < layers->n; i++)
    if (!n || family[n - 1] != family[i]) family[n++] = family[i];
  return n;
}

static void span_families(const sloe_layer_sum_rows *rows, sloe_layer_sum *m) {
  const size_t sizes = m->n_sizes;
  for (size_t i = 0; i < m->n_families * sizes; i++) {
    m->least[i] = INFINITY;
    m->most[i] = -INFINITY;
  }
  for (size_t l = 0; l < rows->layers.n; l++) {
    const uint64_t *at =
        bsearch(&rows->layers.family[l], m->family, m->n_families, sizeof *m->family, by_family);
    double *least = m->least + (size_t)(at - m->family) * sizes;
    double *most = m->most + (size_t)(at - m->family) * sizes;
    for (size_t k = 0; k < sizes; k++) {
      const double size = rows->layers.traits[l * rows->n_traits + k];
      least[k] = fmin(least[k], size);
      most[k] = fmax(most[k], size);
    }
  }
}

static sloe_status make_model(const job *j, sloe_layer_sum *m) {
  const sloe_layer_sum_rows *rows = j->rows;
  const double *coef = j->coef + j->n_folds * (rows->n_terms + 1);
  uint64_t *family = sloe_alloc(rows->layers.n, sizeof *family);
  if (!family) return sloe_fail(j->err, SLOE_NOMEM, "out of memory for families of layers");
  const size_t n = list_families(&rows->layers, family);
  const sloe_status status =
      sloe_layer_sum_init(m, rows->n_terms, rows->n_traits, j->o.n_sizes, n, j->err);
  if (status == SLOE_OK) {
    memcpy(m->family, family, n * sizeof *family);
    memcpy(m->coef, coef, rows->n_terms * sizeof *coef);
    m->constant = coef[rows->n_terms];
    m->limit = j->o.limit;
    m->fade = j->o.fade;
    span_families(rows, m);
  }
  sloe_dealloc(family);
  return status;
}

static sloe_status add_trees(job *j, sloe_layer_sum *m) {
  sloe_layer_boost *b = &j->boost[j->n_folds];
  if (!j->trees) return SLOE_OK;
  SLOE_TRY(sloe_layer_boost_init(b, j->rows, &j->binned, &j->o, j->err));
  set_base(j, j->coef + j->n_folds * (j->rows->n_terms + 1), b);
  sloe_layer_boost_run(b, j->trees);
  return put_trees(b, m, j->err);
}

static void fini(job *j) {
  for (size_t f = 0; f <= FOLDS; f++) sloe_layer_boost_fini(&j->boost[f]);
  sloe_binned_fini(&j->binned);
  void *const all[] = {j->bounds, j->relative, j->weight, j->off, j->coef, j->fold, j->left_out};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) sloe_dealloc(all[i]);
}

/* Folds of equal size, at random; every network in fold FOLDS where none is left out. */
static void draw_folds(job *j) {
  sloe_rng rng;
  const size_t n = j->rows->n;
  sloe_rng_seed(&rng, j->o.seed);
  for (size_t i = 0; i < n; i++) j->fold[i] = j->n_folds ? (uint8_t)(i % j->n_folds) : FOLDS;
  for (size_t i = n; i-- > 1;) {
    const size_t k = (size_t)sloe_rng_between(&rng, 0, (int64_t)i);
    const uint8_t was = j->fold[i];
    j->fold[i] = j->fold[k];
    j->fold[k] = was;
  }
}

static sloe_status init(job *j) {
  const size_t n = j->rows->n, d = j->rows->n_terms + 1;
  j->n_folds = n < FEWEST ? 0 : j->o.folds < n ? j->o.folds : n;
  j->bounds = sloe_alloc(d, sizeof *j->bounds);
  j->relative = sloe_alloc(n * d, sizeof *j->relative);
  j->weight = sloe_alloc(n, sizeof *j->weight);
  j->off = sloe_alloc(n, sizeof *j->off);
  j->coef = sloe_alloc((j->n_folds + 1) * d, sizeof *j->coef);
  j->fold = sloe_alloc(n, sizeof *j->fold);
  j->left_out = sloe_alloc(j->n_folds * n, sizeof *j->left_out);
  if (!j->bounds || !j->relative || !j->weight || !j->off || !j->coef || !j->fold || !j->left_out)
    return sloe_fail(j->err, SLOE_NOMEM, "out of memory for %zu networks", n);
  SLOE_TRY(take_bounds(j));
  sum_terms(j);
  draw_folds(j);
  return sloe_binned_init(j->rows, &j->binned, j->err);
}

static void report_on(const job *j, sloe_layer_sum_report *report) {
  report->trees = j->trees;
  report->error = j->n_folds ? error_with(j, j->trees) : NAN;
  report->plain = j->n_folds ? error_with(j, 0) : NAN;
  if (report->out_of_fold) tell_out_of_fold(j, report->out_of_fold);
}

sloe_status sloe_layer_sum_fit(const sloe_layer_sum_rows *rows,
                               const sloe_layer_sum_options *options, sloe_layer_sum *out,
                               sloe_layer_sum_report *report, sloe_error *err) {
  job j = {.rows = rows, .err = err};
  sloe_status status;
  *out = (sloe_layer_sum){0};
  if (options) j.o = *options;
  SLOE_TRY(fill_options(rows, &j.o, err));
  SLOE_TRY(check_rows(rows, err));
  SLOE_GOTO(init(&j));
  SLOE_GOTO(fit_coefs(&j, FOLDS + 1, j.coef + j.n_folds * (rows->n_terms + 1)));
  SLOE_GOTO(cross_validate(&j));
  SLOE_GOTO(make_model(&j, out));
  SLOE_GOTO(add_trees(&j, out));
  if (report) report_on(&j, report);
  fini(&j);
  return SLOE_OK;
fail:
  fini(&j);
  sloe_layer_sum_fini(out);
  return status;
}
