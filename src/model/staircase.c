#include "model/staircase.h"

#include <math.h>

#include "base/error.h"

/* ceil(x / width) in doubles: exact for all x and widths that occur, without a division of 64-bit
   integers and without a call of ceil() where the processor has no instruction for it. */
static double tread(double x, int32_t width) {
  double q = x / width;
  if (!(fabs(q) < 0x1p52)) return q;
  double whole = (double)(int64_t)q;
  return whole < q ? whole + 1 : whole;
}

size_t sloe_stair_terms(const sloe_stair *shape) {
  return 1 + (size_t)(shape->width > 0) + (size_t)(shape->outer > 0) + (size_t)(shape->slope > 0) +
         (size_t)(shape->start > 0) + 2 * (size_t)(shape->change > 0);
}

size_t sloe_stair_basis(const sloe_stair *shape, int64_t at, double basis[SLOE_STAIR_TERMS]) {
  double x = (double)at, from = x < shape->start ? shape->start : x;
  size_t n = 0;
  basis[n++] = 1;
  if (shape->width) basis[n++] = tread(from, shape->width);
  if (shape->outer) basis[n++] = tread(from, shape->outer);
  if (shape->slope) basis[n++] = from;
  if (shape->start) basis[n++] = x - from;
  if (shape->change) {
    int after = x > shape->change;
    basis[n++] = after;
    basis[n++] = !after ? 0 : shape->width ? basis[1] : x;
  }
  return n;
}

int sloe_stair_valid(const sloe_stair *s) {
  if (s->width < 0 || s->outer < 0 || s->start < 0 || s->change < 0) return 0;
  if (s->slope != 0 && s->slope != 1) return 0;
  if ((s->outer || s->start) && !s->width) return 0;
  return !s->change || s->width || s->slope;
}

sloe_status sloe_stair_model_check(const sloe_stair_model *model, sloe_error *err) {
  if (model->n_dims < 1 || model->n_dims > SLOE_STAIR_DIMS)
    return sloe_fail(err, SLOE_FORMAT, "staircase: %u dimensions, between 1 and %d are possible",
                     (unsigned)model->n_dims, SLOE_STAIR_DIMS);
  size_t n = 1;
  for (size_t d = 0; d < model->n_dims; d++) {
    if (!sloe_stair_valid(&model->shape[d]))
      return sloe_fail(err, SLOE_FORMAT, "staircase: dimension %zu has no possible shape", d);
    if (model->lo[d] > model->hi[d])
      return sloe_fail(err, SLOE_FORMAT, "staircase: dimension %zu has an empty domain", d);
    n *= sloe_stair_terms(&model->shape[d]);
  }
  if (n != model->n_coefs || n > SLOE_STAIR_COEFS)
    return sloe_fail(err, SLOE_FORMAT,
                     "staircase: %u coefficients, its shapes need %zu (at most %d)",
                     (unsigned)model->n_coefs, n, SLOE_STAIR_COEFS);
  for (size_t i = 0; i < n; i++)
    if (!isfinite(model->coef[i]))
      return sloe_fail(err, SLOE_FORMAT, "staircase: coefficient %zu is not finite", i);
  if (!(model->floor >= 0) || !isfinite(model->floor))
    return sloe_fail(err, SLOE_FORMAT, "staircase: the floor is not a time");
  return SLOE_OK;
}

double sloe_stair_model_eval(const sloe_stair_model *model, const int64_t *coords) {
  double left[SLOE_STAIR_COEFS], basis[SLOE_STAIR_TERMS];
  left[0] = model->floor;
  const double *from = model->coef;
  size_t n = model->n_coefs;
  for (size_t d = model->n_dims; d-- > 0;) {
    size_t terms = sloe_stair_basis(&model->shape[d], coords[d], basis);
    n /= terms;
    for (size_t i = 0; i < n; i++) { /* row i is read before it is written, and no later row is */
      double sum = 0;
      for (size_t t = 0; t < terms; t++) sum += from[i * terms + t] * basis[t];
      left[i] = sum;
    }
    from = left;
  }
  return from[0] > model->floor ? from[0] : model->floor;
}

int sloe_stair_model_covers(const sloe_stair_model *model, const int64_t *coords) {
  for (size_t d = 0; d < model->n_dims; d++)
    if (coords[d] < model->lo[d] || coords[d] > model->hi[d]) return 0;
  return 1;
}

int64_t sloe_stair_model_tread_end(const sloe_stair_model *model, size_t dim, int64_t x) {
  const sloe_stair *shape = &model->shape[dim];
  if (!shape->width || shape->slope || x < 1 || x < shape->start) return x;
  int64_t over = x % shape->width, end = over ? x - over : x;
  if (over && end <= INT64_MAX - shape->width) end += shape->width;
  if (shape->change && x <= shape->change && end > shape->change) end = shape->change;
  return end < x ? x : end;
}
