#include "fit/boost.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "fit/boost_tree.h"

/* Defaults and ranges stand once. X(FIELD, default, least, most) */
#define INTEGER_MAP(X)                \
  X(trees, 128, 1, SLOE_FOREST_TREES) \
  X(depth, 4, 1, SLOE_FOREST_DEPTH)   \
  X(bins, 64, 2, SLOE_BOOST_BINS)     \
  X(folds, 5, 1, 64)                  \
  X(patience, 20, 1, UINT32_MAX)

#define NUMBER_MAP(X)        \
  X(rate, 0.1, 1e-6, 1)      \
  X(lambda, 1, 1e-9, 1e9)    \
  X(row_share, 0.8, 1e-6, 1) \
  X(feature_share, 0.8, 1e-6, 1)

#define LARGEST   1e30 /* of any number: squares and sums of them stay finite */
#define MOST_ROWS 0x1000000

sloe_status sloe_boost_params_fill(const sloe_boost_params *in, sloe_boost_params *out,
                                   sloe_error *err) {
  sloe_boost_params p = in ? *in : (sloe_boost_params){0};
#define FILL_INTEGER(field, usual, least, most)                                     \
  if (!p.field) p.field = (usual);                                                  \
  if (p.field < (least) || p.field > (most))                                        \
    return sloe_fail(err, SLOE_USAGE, "boost: " #field " is %u, outside its range", \
                     (unsigned)p.field);
  INTEGER_MAP(FILL_INTEGER)
#undef FILL_INTEGER
#define FILL_NUMBER(field, usual, least, most)    \
  if (p.field == 0) p.field = (usual);            \
  if (!(p.field >= (least) && p.field <= (most))) \
    return sloe_fail(err, SLOE_USAGE, "boost: " #field " is %g, outside its range", p.field);
  NUMBER_MAP(FILL_NUMBER)
#undef FILL_NUMBER
  *out = p;
  return SLOE_OK;
}

/* One boosting under way: on all rows, or on those outside one fold. */
typedef struct boosting {
  double *weight;     /* [row]; 0: not seen */
  double *prediction; /* [row] */
  double base;
  sloe_rng rng;
} boosting;

/* What all boostings share. */
typedef struct trainer {
  size_t n;
  const double *y;
  sloe_boost_params params;
  double *weight; /* of mean 1 */
  double *gradient;
  uint8_t *fold; /* [row] */
  sloe_boost_table table;
  sloe_boost_grower grower;
} trainer;

static sloe_status check_numbers(const double *values, size_t n, const char *what, double least,
                                 sloe_error *err) {
  for (size_t i = 0; i < n; i++)
    if (!(values[i] >= least && values[i] <= LARGEST))
      return sloe_fail(err, SLOE_USAGE, "boost: %s %zu is %g, outside %g to %g", what, i, values[i],
                       least, LARGEST);
  return SLOE_OK;
}

static sloe_status check_rows(const double *x, const double *y, const double *weight, size_t n,
                              size_t n_features, sloe_error *err) {
  if (n < 1 || n > MOST_ROWS)
    return sloe_fail(err, SLOE_USAGE, "boost: %zu rows, between 1 and %d are possible", n,
                     MOST_ROWS);
  if (n_features < 1 || n_features > SLOE_FOREST_FEATURES)
    return sloe_fail(err, SLOE_USAGE, "boost: %zu features, between 1 and %d are possible",
                     n_features, SLOE_FOREST_FEATURES);
  SLOE_TRY(check_numbers(x, n * n_features, "feature value", -LARGEST, err));
  SLOE_TRY(check_numbers(y, n, "target", -LARGEST, err));
  return weight ? check_numbers(weight, n, "weight", 0, err) : SLOE_OK;
}

static sloe_status set_weights(trainer *t, const double *weight, sloe_error *err) {
  double sum = 0;
  for (size_t i = 0; i < t->n; i++) sum += t->weight[i] = weight ? weight[i] : 1;
  if (!(sum > 0)) return sloe_fail(err, SLOE_USAGE, "boost: all weights are 0");
  for (size_t i = 0; i < t->n; i++) t->weight[i] *= (double)t->n / sum;
  return SLOE_OK;
}

/* Equally many rows a fold, dealt out over a shuffle. */
static void deal_folds(trainer *t) {
  sloe_rng rng;
  sloe_rng_seed(&rng, t->params.seed);
  for (size_t i = 0; i < t->n; i++) t->fold[i] = (uint8_t)(i % t->params.folds);
  for (size_t i = t->n; i-- > 1;) {
    size_t k = (size_t)sloe_rng_between(&rng, 0, (int64_t)i);
    uint8_t swapped = t->fold[i];
    t->fold[i] = t->fold[k];
    t->fold[k] = swapped;
  }
}

static void trainer_fini(trainer *t) {
  sloe_dealloc(t->weight);
  sloe_dealloc(t->gradient);
  sloe_dealloc(t->fold);
  sloe_boost_table_fini(&t->table);
  sloe_boost_grower_fini(&t->grower);
}

static sloe_status trainer_init(trainer *t, const double *x, const double *y, const double *weight,
                                size_t n, size_t n_features, const sloe_boost_params *params,
                                sloe_error *err) {
  *t = (trainer){.n = n, .y = y};
  sloe_status status;
  SLOE_GOTO(check_rows(x, y, weight, n, n_features, err));
  SLOE_GOTO(sloe_boost_params_fill(params, &t->params, err));
  if (t->params.folds > n) t->params.folds = (uint32_t)n;
  t->weight = sloe_alloc(n, sizeof *t->weight);
  t->gradient = sloe_alloc(n, sizeof *t->gradient);
  t->fold = sloe_alloc(n, sizeof *t->fold);
  if (!t->weight || !t->gradient || !t->fold)
    SLOE_GOTO(sloe_fail(err, SLOE_NOMEM, "boost: out of memory for %zu rows", n));
  SLOE_GOTO(set_weights(t, weight, err));
  deal_folds(t);
  SLOE_GOTO(sloe_boost_table_init(&t->table, x, n, n_features, t->params.bins, err));
  SLOE_GOTO(sloe_boost_grower_init(&t->grower, &t->table, &t->params, err));
  return SLOE_OK;
fail:
  trainer_fini(t);
  return status;
}

/* ---- one boosting ---- */

static void boosting_fini(boosting *b) {
  sloe_dealloc(b->weight);
  sloe_dealloc(b->prediction);
  *b = (boosting){0};
}

/* On the rows outside `fold`; on all where it is the number of folds. */
static sloe_status boosting_init(boosting *b, const trainer *t, uint32_t fold, sloe_error *err) {
  *b = (boosting){sloe_alloc(t->n, sizeof(double)), sloe_alloc(t->n, sizeof(double)), 0, {{0}}};
  if (!b->weight || !b->prediction) {
    boosting_fini(b);
    return sloe_fail(err, SLOE_NOMEM, "boost: out of memory for %zu rows", t->n);
  }
  sloe_rng_seed(&b->rng, t->params.seed + 1 + fold);
  double sum = 0, weights = 0;
  for (size_t i = 0; i < t->n; i++) {
    b->weight[i] = t->fold[i] == fold ? 0 : t->weight[i];
    sum += b->weight[i] * t->y[i];
    weights += b->weight[i];
  }
  b->base = weights > 0 ? sum / weights : 0;
  for (size_t i = 0; i < t->n; i++) b->prediction[i] = b->base;
  return SLOE_OK;
}

static void boosting_step(boosting *b, trainer *t, sloe_boost_tree *tree) {
  for (size_t i = 0; i < t->n; i++) t->gradient[i] = b->weight[i] * (t->y[i] - b->prediction[i]);
  sloe_boost_grow(&t->grower, t->gradient, b->weight, &b->rng, tree);
  sloe_boost_apply(&t->grower, tree, b->prediction);
}

/* ---- cross-validation ---- */

/* The weighted RMS of what the rows' own folds predict. */
static double held_out_error(const trainer *t, const boosting *folds) {
  double sum = 0;
  for (size_t i = 0; i < t->n; i++) {
    double e = t->y[i] - folds[t->fold[i]].prediction[i];
    sum += t->weight[i] * e * e;
  }
  return sqrt(sum / (double)t->n);
}

static void keep(const trainer *t, const boosting *folds, uint32_t trees, double error,
                 double *out_of_fold, sloe_boost_cv_result *best) {
  best->trees = trees;
  best->error = error;
  for (size_t i = 0; i < t->n; i++) out_of_fold[i] = folds[t->fold[i]].prediction[i];
}

static void search(trainer *t, boosting *folds, double *out_of_fold, sloe_boost_cv_result *best) {
  keep(t, folds, 0, held_out_error(t, folds), out_of_fold, best);
  best->constant = best->error;
  for (uint32_t trees = 1; trees <= t->params.trees; trees++) {
    sloe_boost_tree tree;
    for (uint32_t k = 0; k < t->params.folds; k++) boosting_step(&folds[k], t, &tree);
    double error = held_out_error(t, folds);
    if (error < best->error) keep(t, folds, trees, error, out_of_fold, best);
    if (trees - best->trees >= t->params.patience) break;
  }
}

static sloe_status cross_validate(trainer *t, double *out_of_fold, sloe_boost_cv_result *out,
                                  sloe_error *err) {
  boosting folds[64];
  sloe_status status = SLOE_OK;
  uint32_t n = 0;
  while (n < t->params.folds && status == SLOE_OK) {
    status = boosting_init(&folds[n], t, n, err);
    n += status == SLOE_OK;
  }
  if (status == SLOE_OK) search(t, folds, out_of_fold, out);
  while (n > 0) boosting_fini(&folds[--n]);
  return status;
}

sloe_status sloe_boost_cv(const double *x, const double *y, const double *weight, size_t n,
                          size_t n_features, const sloe_boost_params *params, double *out_of_fold,
                          sloe_boost_cv_result *out, sloe_error *err) {
  *out = (sloe_boost_cv_result){0};
  trainer t;
  SLOE_TRY(trainer_init(&t, x, y, weight, n, n_features, params, err));
  sloe_status status = t.params.folds < 2
                           ? sloe_fail(err, SLOE_USAGE, "boost: no two folds of %zu rows", n)
                           : cross_validate(&t, out_of_fold, out, err);
  trainer_fini(&t);
  return status;
}

/* ---- training ---- */

static sloe_status grow_all(trainer *t, uint32_t n_trees, sloe_boost *out, sloe_error *err) {
  boosting all = {0};
  sloe_status status;
  sloe_boost_tree *trees = sloe_alloc(n_trees, sizeof *trees);
  if (!trees)
    SLOE_GOTO(sloe_fail(err, SLOE_NOMEM, "boost: out of memory for %u trees", (unsigned)n_trees));
  SLOE_GOTO(boosting_init(&all, t, t->params.folds, err));
  for (uint32_t i = 0; i < n_trees; i++) boosting_step(&all, t, &trees[i]);
  SLOE_GOTO(sloe_boost_forest(&t->table, trees, n_trees, t->params.depth, all.base, &out->forest,
                              &out->memory, err));
fail:
  boosting_fini(&all);
  sloe_dealloc(trees);
  return status;
}

static sloe_status train(trainer *t, sloe_boost *out, sloe_error *err) {
  sloe_boost_cv_result cv = {t->params.trees, NAN, NAN};
  out->n = t->n;
  if (t->n == 1) cv.trees = 0;
  if (t->params.folds > 1) {
    out->out_of_fold = sloe_alloc(t->n, sizeof *out->out_of_fold);
    if (!out->out_of_fold)
      return sloe_fail(err, SLOE_NOMEM, "boost: out of memory for %zu rows", t->n);
    SLOE_TRY(cross_validate(t, out->out_of_fold, &cv, err));
  }
  out->cv_error = cv.error;
  out->cv_constant = cv.constant;
  return grow_all(t, cv.trees, out, err);
}

sloe_status sloe_boost_train(const double *x, const double *y, const double *weight, size_t n,
                             size_t n_features, const sloe_boost_params *params, sloe_boost *out,
                             sloe_error *err) {
  *out = (sloe_boost){0};
  trainer t;
  SLOE_TRY(trainer_init(&t, x, y, weight, n, n_features, params, err));
  sloe_boost made = {0};
  sloe_status status = train(&t, &made, err);
  trainer_fini(&t);
  if (status != SLOE_OK) {
    sloe_boost_fini(&made);
    return status;
  }
  *out = made;
  return SLOE_OK;
}

void sloe_boost_fini(sloe_boost *boost) {
  sloe_dealloc(boost->out_of_fold);
  sloe_dealloc(boost->memory);
  *boost = (sloe_boost){0};
}
