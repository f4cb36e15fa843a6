#include "model/learned.h"

/* binomial(n + degree, degree) - 1, n monomials of each degree and all below. */
static size_t full_coefs(size_t n, size_t degree) {
  size_t count = 1;
  for (size_t k = 1; k <= degree; k++) {
    count = count * (n + k) / k; /* exact: it is a binomial coefficient at each step */
    if (count > SLOE_LEARNED_COEFS) return SLOE_LEARNED_COEFS + 1;
  }
  return count - 1;
}

size_t sloe_learned_poly_coefs(size_t n_inputs, size_t degree, int powers) {
  return powers ? n_inputs * degree : full_coefs(n_inputs, degree);
}

static double *terms_of(size_t n, size_t level, size_t first, const double *z, double product,
                        double *term) {
  for (size_t j = first; j < n; j++) {
    const double own = product * z[j];
    *term++ = own;
    if (level > 1) term = terms_of(n, level - 1, j, z, own, term);
  }
  return term;
}

void sloe_learned_poly_terms(size_t n_inputs, size_t degree, int powers, const double *z,
                             double *term) {
  if (!powers) {
    terms_of(n_inputs, degree, 0, z, 1, term);
    return;
  }
  for (size_t j = 0; j < n_inputs; j++) {
    double power = 1;
    for (size_t k = 0; k < degree; k++) *term++ = power *= z[j];
  }
}

/* P(level, first) of learned.h; *coef moves on. */
static double nested(size_t n, size_t level, size_t first, const double *z, const double **coef) {
  double sum[2] = {0, 0};
  if (level > 1) {
    for (size_t j = first; j < n; j++) {
      const double own = *(*coef)++;
      sum[0] += z[j] * (own + nested(n, level - 1, j, z, coef));
    }
    return sum[0];
  }
  const double *c = *coef;
  size_t j = first;
  for (; j + 1 < n; j += 2, c += 2) {
    sum[0] += z[j] * c[0];
    sum[1] += z[j + 1] * c[1];
  }
  if (j < n) sum[0] += z[j] * *c++;
  *coef = c;
  return sum[0] + sum[1];
}

static double of_powers(const sloe_learned_poly *p, size_t n, const double *z) {
  double sum = 0;
  for (size_t j = 0; j < n; j++) {
    const double *c = p->coef + j * p->degree;
    double horner = 0;
    for (size_t k = p->degree; k-- > 0;) horner = (horner + c[k]) * z[j];
    sum += horner;
  }
  return sum;
}

double sloe_learned_poly_eval(const sloe_learned_poly *p, size_t n_inputs, const double *z) {
  const double *coef = p->coef;
  return p->constant +
         (p->powers ? of_powers(p, n_inputs, z) : nested(n_inputs, p->degree, 0, z, &coef));
}
