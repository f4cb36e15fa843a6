/* train_domain.c: of which networks an answer is worth something (platform/networks.h). */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "campaign/train.h"

/* Share of a feature's variance that is added to it: features that follow from one another do not
   make every network an outlier. And by how much a network may be further off than all known. */
static const double ridge = 1e-3, slack = 1.1;

typedef struct domain {
  size_t n, d;
  double *t;                                       /* [n][d] */
  double *lo, *hi, *centre, *whiten, *z_lo, *z_hi; /* as in sloe_network_domain */
} domain;

static void take_ranges(domain *m) {
  for (size_t j = 0; j < m->d; j++) {
    m->lo[j] = INFINITY, m->hi[j] = -INFINITY, m->centre[j] = 0;
    for (size_t i = 0; i < m->n; i++) {
      const double t = m->t[i * m->d + j];
      m->lo[j] = fmin(m->lo[j], t);
      m->hi[j] = fmax(m->hi[j], t);
      m->centre[j] += t / (double)m->n;
    }
  }
}

/* Lower triangle of the covariance, with the ridge, into `whiten`. */
static void take_covariance(domain *m) {
  const size_t d = m->d;
  memset(m->whiten, 0, d * d * sizeof *m->whiten);
  for (size_t i = 0; i < m->n; i++)
    for (size_t j = 0; j < d; j++)
      for (size_t k = 0; k <= j; k++)
        m->whiten[j * d + k] +=
            (m->t[i * d + j] - m->centre[j]) * (m->t[i * d + k] - m->centre[k]) / (double)m->n;
  for (size_t j = 0; j < d; j++) m->whiten[j * d + j] *= 1 + ridge;
}

/* In place: C = L L'. The ridge keeps it positive. */
static void factorise(double *a, size_t d) {
  for (size_t j = 0; j < d; j++)
    for (size_t i = j; i < d; i++) {
      double sum = a[i * d + j];
      for (size_t k = 0; k < j; k++) sum -= a[i * d + k] * a[j * d + k];
      if (i == j)
        a[i * d + i] = sqrt(fmax(sum, 1e-12));
      else
        a[i * d + j] = sum / a[j * d + j];
    }
}

/* In place: the inverse of a lower triangle. */
static void invert(double *a, size_t d) {
  for (size_t j = 0; j < d; j++) {
    a[j * d + j] = 1 / a[j * d + j];
    for (size_t i = j + 1; i < d; i++) {
      double sum = 0;
      for (size_t k = j; k < i; k++) sum -= a[i * d + k] * a[k * d + j];
      a[i * d + j] = sum / a[i * d + i];
    }
  }
}

/* Ranges of z, and the largest distance. */
static double take_whitened(domain *m) {
  double most = 0;
  for (size_t j = 0; j < m->d; j++) m->z_lo[j] = INFINITY, m->z_hi[j] = -INFINITY;
  for (size_t i = 0; i < m->n; i++) {
    double sum = 0;
    for (size_t j = 0; j < m->d; j++) {
      double z = 0;
      for (size_t k = 0; k <= j; k++)
        z += m->whiten[j * m->d + k] * (m->t[i * m->d + k] - m->centre[k]);
      m->z_lo[j] = fmin(m->z_lo[j], z);
      m->z_hi[j] = fmax(m->z_hi[j], z);
      sum += z * z;
    }
    most = fmax(most, sum);
  }
  return sqrt(most);
}

sloe_status sloe_train_domain(const sloe_lessons *lessons, sloe_arena *arena,
                              sloe_network_domain *out, sloe_error *err) {
  domain m = {.n = lessons->n, .d = lessons->n_features};
  m.t = SLOE_ARENA_NEW(arena, double, m.n *m.d);
  m.lo = SLOE_ARENA_NEW(arena, double, m.d);
  m.hi = SLOE_ARENA_NEW(arena, double, m.d);
  m.centre = SLOE_ARENA_NEW(arena, double, m.d);
  m.whiten = SLOE_ARENA_NEW(arena, double, m.d *m.d);
  m.z_lo = SLOE_ARENA_NEW(arena, double, m.d);
  m.z_hi = SLOE_ARENA_NEW(arena, double, m.d);
  if (!m.t || !m.lo || !m.hi || !m.centre || !m.whiten || !m.z_lo || !m.z_hi)
    return sloe_fail(err, SLOE_NOMEM, "out of memory training");
  for (size_t i = 0; i < m.n * m.d; i++) m.t[i] = sloe_networks_squeeze(lessons->x[i]);
  take_ranges(&m);
  take_covariance(&m);
  factorise(m.whiten, m.d);
  invert(m.whiten, m.d);
  const double limit = slack * take_whitened(&m);
  *out = (sloe_network_domain){m.lo, m.hi, m.centre, m.whiten, limit, m.z_lo, m.z_hi};
  return SLOE_OK;
}
