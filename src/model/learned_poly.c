#include <string.h>

#include "base/clones.h"
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

/* ---- few inputs: the last level as lanes ----
 *
 * The coefficients of the last level below z_i z_j belong to inputs j, j + 1, ... and stand side by
 * side: with a lane for each input, lane l gathers z_i z_j c_ijl of all i and j, and only the end
 * takes lanes times z. A load begins j numbers early, so that each falls into its lane; what comes
 * along of others is masked.
 */

enum { LANES = 16, MOST_LANES = 32 };

static const double mask[2 * MOST_LANES] = {[MOST_LANES] = 1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1,
                                            1};

typedef struct walk {
  size_t n;
  const double *z, *coef, *end; /* coef moves on */
  const double *tail;           /* the last lanes of coefficients, as many zeros behind them */
  double sum;                   /* of the levels above the last */
  double lane[MOST_LANES];
} walk;

/* The last two levels below `product`, of which the upper is returned; `lanes` is a constant where
   it is called. */
SLOE_PART_OF_CLONES double two_levels(walk *w, size_t first, double product, size_t lanes,
                                      double *restrict lane) {
  const size_t n = w->n;
  const double *restrict z = w->z, *restrict c = w->coef, *const end = w->end;
  const double *const tail = w->tail + lanes;
  double sum = 0;
  for (size_t j = first; j < n; j++) {
    const double own = product * z[j], *on = mask + MOST_LANES - j;
    sum += own * *c++;
    const size_t left = (size_t)(end - c);
    const double *from = left + j < lanes ? tail - left - j : c - j;
    for (size_t l = 0; l < lanes; l++) lane[l] += own * on[l] * from[l];
    c += n - j;
  }
  w->coef = c;
  return sum;
}

SLOE_PART_OF_CLONES void levels(walk *w, size_t level, size_t first, double product, size_t lanes) {
  double lane[MOST_LANES], sum = 0;
  for (size_t l = 0; l < lanes; l++) lane[l] = w->lane[l];
  if (level == 2)
    sum = two_levels(w, first, product, lanes, lane);
  else
    for (size_t j = first; j < w->n; j++) {
      const double own = product * w->z[j];
      sum += own * *w->coef++;
      sum += two_levels(w, j, own, lanes, lane);
    }
  for (size_t l = 0; l < lanes; l++) w->lane[l] = lane[l];
  w->sum += sum;
}

SLOE_CLONES static void narrow(walk *w, size_t level, size_t first, double product) {
  levels(w, level, first, product, LANES);
}

SLOE_CLONES static void wide(walk *w, size_t level, size_t first, double product) {
  levels(w, level, first, product, MOST_LANES);
}

static void descend(walk *w, size_t level, size_t first, double product) {
  if (level <= 3) {
    (w->n <= LANES ? narrow : wide)(w, level, first, product);
    return;
  }
  for (size_t j = first; j < w->n; j++) {
    const double own = product * w->z[j];
    w->sum += own * *w->coef++;
    descend(w, level - 1, j, own);
  }
}

static double by_lanes(const sloe_learned_poly *p, size_t n, const double *z) {
  const size_t lanes = n <= LANES ? LANES : MOST_LANES;
  const size_t kept = p->n_coefs < lanes ? p->n_coefs : lanes;
  double tail[2 * MOST_LANES] = {0};
  walk w = {.n = n, .z = z, .coef = p->coef, .end = p->coef + p->n_coefs, .tail = tail};
  memcpy(tail + lanes - kept, w.end - kept, kept * sizeof *tail);
  descend(&w, p->degree, 0, 1);
  for (size_t l = 0; l < n; l++) w.sum += w.lane[l] * z[l];
  return w.sum;
}

/* ---- many inputs ---- */

/* P(level, first) of learned.h; *coef moves on. */
static double nested(size_t n, size_t level, size_t first, const double *z, const double **coef) {
  double sum[4] = {0, 0, 0, 0};
  size_t j = first;
  if (level > 1) {
    for (; j < n; j++) {
      const double own = *(*coef)++;
      sum[0] += z[j] * (own + nested(n, level - 1, j, z, coef));
    }
    return sum[0];
  }
  const double *c = *coef;
  for (; j + 4 <= n; j += 4, c += 4)
    for (size_t k = 0; k < 4; k++) sum[k] += z[j + k] * c[k];
  for (; j < n; j++) sum[0] += z[j] * *c++;
  *coef = c;
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
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
  if (p->powers) return p->constant + of_powers(p, n_inputs, z);
  if (p->degree > 1 && n_inputs <= MOST_LANES) return p->constant + by_lanes(p, n_inputs, z);
  return p->constant + nested(n_inputs, p->degree, 0, z, &coef);
}
