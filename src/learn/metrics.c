/* metrics.c: the errors of SLOE_ERROR_MAP; learn.h defines them. */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/sort_numbers.h"
#include "learn/learn.h"

static void forget(sloe_errors *e) {
#define SLOE_ERROR_UNKNOWN(name, doc) e->name = NAN;
  SLOE_ERROR_MAP(SLOE_ERROR_UNKNOWN)
#undef SLOE_ERROR_UNKNOWN
}

static sloe_status check(const sloe_error_rows *rows, sloe_error *err) {
  for (size_t i = 0; i < rows->n; i++)
    if (!(rows->measured[i] > 0 && rows->estimated[i] > 0) || isinf(rows->measured[i]) ||
        isinf(rows->estimated[i]))
      return sloe_fail(err, SLOE_USAGE, "row %zu of %zu: measured and estimated must be positive",
                       i + 1, rows->n);
  return SLOE_OK;
}

/* (e - y) / y of row i */
static double relative(const sloe_error_rows *rows, size_t i) {
  return (rows->estimated[i] - rows->measured[i]) / rows->measured[i];
}

static double mean_of(const double *v, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += v[i];
  return sum / (double)n;
}

static double sd_of(const double *v, size_t n) {
  if (n < 2) return NAN;
  const double mean = mean_of(v, n);
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (v[i] - mean) * (v[i] - mean);
  return sqrt(sum / (double)(n - 1));
}

static double median_of(double *v, size_t n) {
  if (!n) return NAN;
  sloe_sort_doubles(v, n);
  return n % 2 ? v[n / 2] : v[n / 2 - 1] / 2 + v[n / 2] / 2;
}

/* sum |y - c| / y is least where the weights 1 / y below c are as heavy as those above. */
static double constant_mape(const sloe_error_rows *rows, double *sorted) {
  const size_t n = rows->n;
  double all = 0, below = 0, sum = 0;
  size_t at = 0;
  for (size_t i = 0; i < n; i++) all += 1 / (sorted[i] = rows->measured[i]);
  sloe_sort_doubles(sorted, n);
  while (at + 1 < n && (below += 1 / sorted[at]) < all / 2) at++;
  for (size_t i = 0; i < n; i++) sum += fabs(sorted[i] - sorted[at]) / sorted[i];
  return 100 * sum / (double)n;
}

static double pearson(const sloe_error_rows *rows) {
  const size_t n = rows->n;
  const double my = mean_of(rows->measured, n), me = mean_of(rows->estimated, n);
  double ye = 0, yy = 0, ee = 0;
  for (size_t i = 0; i < n; i++) {
    const double y = rows->measured[i] - my, e = rows->estimated[i] - me;
    ye += y * e;
    yy += y * y;
    ee += e * e;
  }
  return ye / sqrt(yy) / sqrt(ee);
}

/* mpe and what is made of absolute errors; v holds the relative ones, then their amounts. */
static void percentages(const sloe_error_rows *rows, double *v, sloe_errors *out) {
  const size_t n = rows->n;
  size_t within = 0;
  double squares = 0;
  for (size_t i = 0; i < n; i++) v[i] = 100 * relative(rows, i);
  out->mpe = mean_of(v, n);
  out->mpe_sd = sd_of(v, n);
  out->max_ape = out->min_ape = fabs(v[0]);
  for (size_t i = 0; i < n; i++) {
    const double ape = v[i] = fabs(v[i]);
    squares += ape * ape;
    within += ape <= 10;
    if (ape > out->max_ape) out->max_ape = ape;
    if (ape < out->min_ape) out->min_ape = ape;
  }
  out->mape = mean_of(v, n);
  out->mape_ci95 = 1.96 * sd_of(v, n) / sqrt((double)n);
  out->rmspe = sqrt(squares / (double)n);
  out->within_10 = 100 * (double)within / (double)n;
}

static void absolutes(const sloe_error_rows *rows, sloe_errors *out) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < rows->n; i++) {
    const double error = fabs(rows->estimated[i] - rows->measured[i]);
    sum += error;
    squares += error * error;
  }
  out->mae = sum / (double)rows->n;
  out->rmse = sqrt(squares / (double)rows->n);
}

static void intervals(const sloe_error_rows *rows, double *width, sloe_errors *out) {
  size_t n = 0, inside = 0;
  if (!rows->low || !rows->high) return;
  for (size_t i = 0; i < rows->n; i++) {
    const double low = rows->low[i], high = rows->high[i], y = rows->measured[i];
    if (isnan(low) || isnan(high)) continue;
    inside += low <= y && y <= high;
    width[n++] = 100 * (high - low) / rows->estimated[i];
  }
  if (!n) return;
  out->coverage_90 = 100 * (double)inside / (double)n;
  out->interval_width_median = median_of(width, n);
}

sloe_status sloe_errors_of(const sloe_error_rows *rows, sloe_errors *out, sloe_error *err) {
  forget(out);
  out->n = rows->n;
  if (!rows->n) return SLOE_OK;
  SLOE_TRY(check(rows, err));
  double *scratch = sloe_alloc(rows->n, sizeof *scratch);
  if (!scratch) return sloe_fail(err, SLOE_NOMEM, "out of memory comparing %zu rows", rows->n);
  const sloe_status status =
      sloe_kendall(rows->measured, rows->estimated, rows->n, &out->kendall, err);
  if (status == SLOE_OK) {
    percentages(rows, scratch, out);
    absolutes(rows, out);
    out->mape_constant = constant_mape(rows, scratch);
    if (!isnan(out->kendall)) out->pearson = pearson(rows); /* defined where the other is */
    intervals(rows, scratch, out);
  }
  sloe_dealloc(scratch);
  return status;
}
