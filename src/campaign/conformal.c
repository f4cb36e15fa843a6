#include "campaign/conformal.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sort_numbers.h"

double sloe_conformal_90(double *errors, size_t n) {
  if (!n) return NAN;
  sloe_sort_doubles(errors, n);
  const size_t at = (size_t)ceil(0.9 * (double)(n + 1));
  return at > n ? 2 * errors[n - 1] : errors[at - 1];
}

/* ---- kinds ---- */

typedef struct of_kind {
  double error; /* first: they are sorted by it */
  size_t kind;
} of_kind;

static int by_error(const void *a, const void *b) {
  const double p = ((const of_kind *)a)->error, q = ((const of_kind *)b)->error;
  return (p > q) - (p < q);
}

/* The smallest error that nine tenths of the weights lie below; INFINITY: none. */
static double weighted_90(const of_kind *row, size_t n, const size_t *rows_of, size_t kinds) {
  double below = 0;
  for (size_t i = 0; i < n; i++) {
    below += 1 / ((double)rows_of[row[i].kind] * (double)(kinds + 1));
    if (below >= 0.9 - 1e-9) return row[i].error;
  }
  return INFINITY;
}

/* Of sorted rows: the largest that the kinds' own nine-tenths reach. */
static double worst_kind_90(const of_kind *row, size_t n, const size_t *rows_of, size_t *seen) {
  double worst = 0;
  for (size_t i = 0; i < n; i++) {
    const size_t k = row[i].kind;
    if (++seen[k] == (size_t)ceil(0.9 * (double)rows_of[k] - 1e-9)) worst = row[i].error;
  }
  return worst;
}

sloe_status sloe_conformal_kinds_90(const double *errors, const size_t *kind, size_t n,
                                    size_t n_kinds, double *out, sloe_error *err) {
  of_kind *row = sloe_alloc(n, sizeof *row);
  size_t *rows_of = sloe_alloc(n_kinds, sizeof *rows_of), *seen = sloe_alloc(n_kinds, sizeof *seen);
  size_t kinds = 0;
  *out = NAN;
  if (row && rows_of && seen && n) {
    for (size_t k = 0; k < n_kinds; k++) rows_of[k] = seen[k] = 0;
    for (size_t i = 0; i < n; i++) {
      row[i] = (of_kind){errors[i], kind[i]};
      kinds += !rows_of[kind[i]]++;
    }
    qsort(row, n, sizeof *row, by_error);
    *out = fmin(weighted_90(row, n, rows_of, kinds),
                (1 + 1 / (double)kinds) * worst_kind_90(row, n, rows_of, seen));
  }
  const int room = row && rows_of && seen;
  sloe_dealloc(row);
  sloe_dealloc(rows_of);
  sloe_dealloc(seen);
  return room ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "out of memory judging");
}

double sloe_quantile(double *values, size_t n, double q) {
  if (!n) return NAN;
  sloe_sort_doubles(values, n);
  return values[(size_t)round(q * (double)(n - 1))];
}
