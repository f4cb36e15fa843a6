#include <math.h>

#include "fit/ensemble.h"

/* A unit diagonal, so that the ridge is the same small thing for every column. */
static void scale_columns(double *normal, double *right, double *scale, size_t n) {
  for (size_t i = 0; i < n; i++) scale[i] = normal[i * n + i] > 0 ? 1 / sqrt(normal[i * n + i]) : 0;
  for (size_t i = 0; i < n; i++) {
    right[i] *= scale[i];
    for (size_t j = 0; j < i; j++) normal[i * n + j] *= scale[i] * scale[j];
  }
}

void sloe_fit_solve(double *normal, double *right, double *scale, size_t n) {
  const double ridge = 1e-11;
  scale_columns(normal, right, scale, n);
  for (size_t i = 0; i < n; i++) { /* Cholesky row by row, the diagonal inverted; L y = right */
    double left = 1 + ridge;
    for (size_t j = 0; j < i; j++) {
      double sum = normal[i * n + j];
      for (size_t k = 0; k < j; k++) sum -= normal[i * n + k] * normal[j * n + k];
      sum *= normal[j * n + j];
      normal[i * n + j] = sum;
      left -= sum * sum;
      right[i] -= sum * right[j];
    }
    normal[i * n + i] = scale[i] > 0 && left > 2 * ridge ? 1 / sqrt(left) : 0;
    right[i] *= normal[i * n + i];
  }
  for (size_t i = n; i-- > 0;) { /* L' x = y */
    for (size_t k = i + 1; k < n; k++) right[i] -= normal[k * n + i] * right[k];
    right[i] *= normal[i * n + i];
  }
  for (size_t i = 0; i < n; i++) right[i] *= scale[i];
}

double sloe_fit_leverage(const double *normal, const double *scale, double *row, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    row[i] *= scale[i];
    for (size_t j = 0; j < i; j++) row[i] -= normal[i * n + j] * row[j];
    row[i] *= normal[i * n + i];
    sum += row[i] * row[i];
  }
  return sum;
}
