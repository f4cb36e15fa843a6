/* train_power.c: what layers draw, from the power of whole networks.
 *
 * Five numbers that are not negative, by least squares of relative errors; a device draws something
 * whatever it does. They are judged by five parts of the networks, each told by the others: whole
 * kinds, where there are that many.
 */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "campaign/conformal.h"
#include "campaign/train.h"

enum { LEAST_ROWS = 10, FOLDS = 5 };
static const double least_w = 1e-3; /* of a device at rest */

typedef struct drawing {
  sloe_lessons *lessons;
  const double *y;         /* [rows], NAN: not measured */
  double *a, *weight;      /* [rows][terms] over what was measured, [rows] */
  double *measured, *told; /* [rows] of those whose power was, one behind the other */
  sloe_layer_sum_bound bounds[SLOE_POWER_TERMS];
} drawing;

static size_t fold_of(const drawing *d, size_t row) {
  const sloe_lessons *l = d->lessons;
  return (l->kind && l->n_kinds >= FOLDS ? l->kind[row] : l->net[row]) % FOLDS;
}

/* From all networks but those of a fold; SIZE_MAX: from all. */
static sloe_status solve(drawing *d, size_t without, sloe_fitted_power *out, sloe_error *err) {
  size_t n = 0;
  for (size_t i = 0; i < d->lessons->n; i++) {
    if (isnan(d->y[i]) || fold_of(d, i) == without) continue;
    double *row = d->a + n * SLOE_POWER_TERMS;
    sloe_pace_terms(&d->lessons->pace[i], row);
    for (int j = 0; j < SLOE_POWER_TERMS; j++) row[j] /= d->y[i];
    d->weight[n++] = 1;
  }
  return sloe_bounded_squares(d->a, d->weight, n, SLOE_POWER_TERMS, d->bounds, 0, out->coef, err);
}

/* What each part's networks are told to draw by the others. */
static sloe_status tell_parts(drawing *d, size_t *n, sloe_error *err) {
  sloe_fitted_power power;
  *n = 0;
  for (size_t fold = 0; fold < FOLDS; fold++) {
    SLOE_TRY(solve(d, fold, &power, err));
    for (size_t i = 0; i < d->lessons->n; i++) {
      if (isnan(d->y[i]) || fold_of(d, i) != fold) continue;
      d->measured[*n] = d->y[i];
      d->told[(*n)++] = sloe_pace_power(&d->lessons->pace[i], &power);
    }
  }
  return SLOE_OK;
}

static sloe_status judge(drawing *d, sloe_fitted *fitted, sloe_error *err) {
  sloe_errors e;
  size_t n;
  SLOE_TRY(tell_parts(d, &n, err));
  const sloe_error_rows rows = {n, d->measured, d->told, NULL, NULL};
  SLOE_TRY(sloe_errors_of(&rows, &e, err));
  fitted->power_errors = (sloe_fitted_errors){(double)n, e.mape, e.rmspe, e.max_ape, NAN};
  for (size_t i = 0; i < n; i++) d->told[i] = fabs(log(d->told[i] / d->measured[i]));
  fitted->power.error_90 = sloe_conformal_90(d->told, n);
  return SLOE_OK;
}

static sloe_status fit(drawing *d, sloe_fitted *fitted, sloe_error *err) {
  SLOE_TRY(judge(d, fitted, err));
  SLOE_TRY(solve(d, SIZE_MAX, &fitted->power, err));
  for (size_t i = 0; i < d->lessons->n; i++)
    d->lessons->layers[SLOE_EVAL_power_w][i] =
        sloe_pace_power(&d->lessons->pace[i], &fitted->power);
  return SLOE_OK;
}

/* Rows whose power was measured; 0 where of one of them the layers take no time. */
static size_t count(const drawing *d) {
  size_t n = 0;
  for (size_t i = 0; i < d->lessons->n; i++) {
    if (isnan(d->y[i])) continue;
    if (!(d->lessons->pace[i].ms > 0)) return 0;
    n++;
  }
  return n;
}

sloe_status sloe_train_power(sloe_lessons *lessons, sloe_fitted *fitted, sloe_error *err) {
  drawing d = {.lessons = lessons, .y = lessons->y[SLOE_EVAL_power_w]};
  fitted->power = (sloe_fitted_power){0};
  fitted->power_errors = (sloe_fitted_errors){NAN, NAN, NAN, NAN, NAN};
  if (!lessons->pace) return SLOE_OK;
  for (size_t i = 0; i < lessons->n; i++) lessons->layers[SLOE_EVAL_power_w][i] = NAN;
  if (count(&d) < LEAST_ROWS) return SLOE_OK;
  for (int i = 0; i < SLOE_POWER_TERMS; i++)
    d.bounds[i] = (sloe_layer_sum_bound){i == SLOE_POWER_rest ? least_w : 0, NAN, INFINITY};
  d.a = sloe_alloc(lessons->n * SLOE_POWER_TERMS, sizeof *d.a);
  d.weight = sloe_alloc(lessons->n, sizeof *d.weight);
  d.measured = sloe_alloc(lessons->n, sizeof *d.measured);
  d.told = sloe_alloc(lessons->n, sizeof *d.told);
  sloe_status status = d.a && d.weight && d.measured && d.told
                           ? fit(&d, fitted, err)
                           : sloe_fail(err, SLOE_NOMEM, "out of memory learning what layers draw");
  sloe_dealloc(d.a);
  sloe_dealloc(d.weight);
  sloe_dealloc(d.measured);
  sloe_dealloc(d.told);
  return status;
}
