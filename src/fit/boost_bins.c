#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sort_numbers.h"
#include "fit/boost_tree.h"

/* A float t with lo <= t < hi, in the middle where there is one. */
static float between(float lo, float hi) {
  float middle = lo / 2 + hi / 2;
  return middle >= lo && middle < hi ? middle : lo;
}

/* Cut n sorted values into at most `bins` bins of about as many rows each; equal values stay
   together, and each value has a bin of its own where there are few. Returns the number of cuts. */
static uint32_t choose_cuts(const float *sorted, size_t n, uint32_t bins, float *threshold) {
  size_t distinct = 1, left = n, held = 0;
  for (size_t i = 1; i < n; i++) distinct += sorted[i] > sorted[i - 1];
  uint32_t cuts = 0;
  for (size_t i = 1; i < n && cuts + 1 < bins; i++) {
    held++;
    if (!(sorted[i] > sorted[i - 1])) continue;
    if (distinct > bins && held < left / (bins - cuts)) continue;
    threshold[cuts++] = between(sorted[i - 1], sorted[i]);
    left -= held;
    held = 0;
  }
  return cuts;
}

static uint8_t bin_of(const float *threshold, uint32_t cuts, float x) {
  uint32_t lo = 0, hi = cuts;
  while (lo < hi) {
    uint32_t middle = (lo + hi) / 2;
    if (x > threshold[middle])
      lo = middle + 1;
    else
      hi = middle;
  }
  return (uint8_t)lo;
}

sloe_status sloe_boost_table_init(sloe_boost_table *out, const double *x, size_t n,
                                  size_t n_features, uint32_t bins, sloe_error *err) {
  *out = (sloe_boost_table){.n = n, .n_features = (uint32_t)n_features};
  float *column = sloe_alloc(n, sizeof *column);
  out->bin = sloe_alloc(n, n_features);
  if (!column || !out->bin) {
    sloe_dealloc(column);
    sloe_boost_table_fini(out);
    return sloe_fail(err, SLOE_NOMEM, "boost: out of memory for %zu rows", n);
  }
  for (size_t j = 0; j < n_features; j++) {
    for (size_t i = 0; i < n; i++) column[i] = (float)x[i * n_features + j];
    sloe_sort_floats(column, n);
    out->n_cuts[j] = choose_cuts(column, n, bins, out->threshold[j]);
    for (size_t i = 0; i < n; i++)
      out->bin[j * n + i] = bin_of(out->threshold[j], out->n_cuts[j], (float)x[i * n_features + j]);
  }
  sloe_dealloc(column);
  return SLOE_OK;
}

void sloe_boost_table_fini(sloe_boost_table *table) {
  sloe_dealloc(table->bin);
  *table = (sloe_boost_table){0};
}
