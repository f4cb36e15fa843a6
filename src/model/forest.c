#include "model/forest.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

static size_t stride_of(const sloe_forest *f) {
  return (f->n_trees + SLOE_FOREST_BLOCK - 1) / SLOE_FOREST_BLOCK * SLOE_FOREST_BLOCK;
}

size_t sloe_forest_thresholds(const sloe_forest *f) {
  return f->first[f->n_features];
}

size_t sloe_forest_row_bytes(const sloe_forest *f) {
  return (sloe_forest_thresholds(f) + f->n_features) * stride_of(f);
}

size_t sloe_forest_leaves(const sloe_forest *f) {
  return stride_of(f) << f->depth;
}

sloe_status sloe_forest_check_shape(const sloe_forest *f, sloe_error *err) {
  if (f->n_features < 1 || f->n_features > SLOE_FOREST_FEATURES)
    return sloe_fail(err, SLOE_FORMAT, "forest: %u features, between 1 and %d are possible",
                     (unsigned)f->n_features, SLOE_FOREST_FEATURES);
  if (f->n_trees > SLOE_FOREST_TREES)
    return sloe_fail(err, SLOE_FORMAT, "forest: %u trees, at most %d are possible",
                     (unsigned)f->n_trees, SLOE_FOREST_TREES);
  if (f->depth < 1 || f->depth > SLOE_FOREST_DEPTH)
    return sloe_fail(err, SLOE_FORMAT, "forest: trees of depth %u, between 1 and %d are possible",
                     (unsigned)f->depth, SLOE_FOREST_DEPTH);
  size_t most = f->n_trees * f->depth + (size_t)f->n_features * (SLOE_FOREST_LANES - 1);
  for (uint32_t j = 0; j < f->n_features; j++)
    if (f->first[0] || f->first[j + 1] < f->first[j] || f->first[j + 1] > most ||
        (f->first[j + 1] - f->first[j]) % SLOE_FOREST_LANES)
      return sloe_fail(err, SLOE_FORMAT,
                       "forest: thresholds %u to %u cannot be those of feature %u",
                       (unsigned)f->first[j], (unsigned)f->first[j + 1], (unsigned)j);
  if (!isfinite(f->base)) return sloe_fail(err, SLOE_FORMAT, "forest: the base is not finite");
  return SLOE_OK;
}

static sloe_status check_thresholds(const sloe_forest *f, sloe_error *err) {
  for (uint32_t j = 0; j < f->n_features; j++) {
    float last = -INFINITY;
    for (uint32_t i = f->first[j]; i < f->first[j + 1]; i++) {
      float t = f->threshold[i];
      if (!(t >= last && t > -INFINITY))
        return sloe_fail(err, SLOE_FORMAT, "forest: threshold %u of feature %u is out of order",
                         (unsigned)(i - f->first[j]), (unsigned)j);
      last = t;
    }
  }
  return SLOE_OK;
}

sloe_status sloe_forest_check(const sloe_forest *f, sloe_error *err) {
  SLOE_TRY(sloe_forest_check_shape(f, err));
  SLOE_TRY(check_thresholds(f, err));
  size_t n = sloe_forest_row_bytes(f);
  for (size_t i = 0; i < n; i++)
    if (f->row[i] >> f->depth)
      return sloe_fail(err, SLOE_FORMAT, "forest: row byte %zu names leaf %d of %d", i,
                       (int)f->row[i], 1 << f->depth);
  n = sloe_forest_leaves(f);
  for (size_t i = 0; i < n; i++)
    if (!isfinite(f->leaf[i]))
      return sloe_fail(err, SLOE_FORMAT, "forest: leaf %zu is not finite", i);
  return SLOE_OK;
}

/* How many of n ascending thresholds x exceeds; counting needs no branch, so it needs no order. */
static size_t rank(const float *threshold, size_t n, float x) {
  uint32_t count[SLOE_FOREST_LANES] = {0};
  for (size_t i = 0; i < n; i += SLOE_FOREST_LANES)
    for (size_t k = 0; k < SLOE_FOREST_LANES; k++) count[k] += x > threshold[i + k];
  return count[0] + count[1] + count[2] + count[3];
}

/* The rows of the features that are asked for. */
static size_t find_rows(const sloe_forest *f, size_t stride, const float *x, const uint8_t **rows) {
  size_t n_rows = 0;
  for (uint32_t j = 0; j < f->n_features; j++) {
    size_t from = f->first[j], n = f->first[j + 1] - from;
    if (n) rows[n_rows++] = f->row + (from + j + rank(f->threshold + from, n, x[j])) * stride;
  }
  return n_rows;
}

double sloe_forest_eval(const sloe_forest *f, const float *x) {
  const uint8_t *rows[SLOE_FOREST_FEATURES];
  size_t stride = stride_of(f), n_rows = find_rows(f, stride, x, rows),
         leaves = (size_t)1 << f->depth;
  const float *leaf = f->leaf;
  double sum[4] = {0}; /* four chains of additions that need not wait for each other */
  for (size_t t = 0; t < stride; t += SLOE_FOREST_BLOCK) {
    uint64_t numbers[2] = {0, 0}, part[2];
    for (size_t i = 0; i < n_rows; i++) {
      memcpy(part, rows[i] + t, sizeof part);
      numbers[0] |= part[0];
      numbers[1] |= part[1];
    }
    uint8_t number[SLOE_FOREST_BLOCK];
    memcpy(number, numbers, sizeof number);
    for (size_t k = 0; k < SLOE_FOREST_BLOCK; k += 4)
      for (size_t i = 0; i < 4; i++, leaf += leaves) sum[i] += leaf[number[k + i]];
  }
  return f->base + ((sum[0] + sum[1]) + (sum[2] + sum[3]));
}
