#include "model/layer_sum.h"

#include <math.h>

static const size_t most_bytes = (size_t)1 << 26;

sloe_status sloe_layer_sum_init(sloe_layer_sum *out, size_t n_terms, size_t n_traits,
                                size_t n_sizes, size_t n_families, sloe_error *err) {
  *out = (sloe_layer_sum){.limit = 1, .fade = 1};
  sloe_status status = SLOE_OK;
  if (n_terms < 1 || n_terms > SLOE_LAYER_SUM_TERMS || n_traits < 1 ||
      n_traits > SLOE_LAYER_SUM_TRAITS || n_sizes > n_traits ||
      n_families > SLOE_LAYER_SUM_FAMILIES) {
    *out = (sloe_layer_sum){0};
    return sloe_fail(err, SLOE_USAGE, "layer sum: %zu terms, %zu traits, %zu sizes, %zu families",
                     n_terms, n_traits, n_sizes, n_families);
  }
  sloe_arena_init(&out->arena, most_bytes);
  out->n_terms = (uint32_t)n_terms;
  out->n_traits = (uint32_t)n_traits;
  out->n_sizes = (uint32_t)n_sizes;
  out->n_families = (uint32_t)n_families;
  out->coef = SLOE_ARENA_NEW(&out->arena, double, n_terms);
  out->family = SLOE_ARENA_NEW(&out->arena, uint64_t, n_families);
  out->least = SLOE_ARENA_NEW(&out->arena, double, n_families *n_sizes);
  out->most = SLOE_ARENA_NEW(&out->arena, double, n_families *n_sizes);
  if (!out->coef || !out->family || !out->least || !out->most) {
    status = sloe_fail(err, SLOE_NOMEM, "out of memory for a layer sum");
    sloe_layer_sum_fini(out);
  }
  return status;
}

void sloe_layer_sum_fini(sloe_layer_sum *m) {
  sloe_learned_fini(&m->trees);
  sloe_arena_fini(&m->arena);
  *m = (sloe_layer_sum){0};
}

/* Its number, n_families where it is not known. */
static size_t find(const sloe_layer_sum *m, uint64_t family) {
  size_t lo = 0, hi = m->n_families;
  while (lo < hi) {
    const size_t mid = lo + (hi - lo) / 2;
    if (m->family[mid] < family)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo < m->n_families && m->family[lo] == family ? lo : m->n_families;
}

double sloe_layer_sum_trust(const sloe_layer_sum *m, uint64_t family, const double *traits) {
  const size_t at = find(m, family);
  if (at == m->n_families) return 0;
  double beyond = 0;
  for (size_t i = 0; i < m->n_sizes; i++) {
    const double least = m->least[at * m->n_sizes + i], most = m->most[at * m->n_sizes + i];
    if (traits[i] < least) beyond += least - traits[i];
    if (traits[i] > most) beyond += traits[i] - most;
  }
  return exp(-beyond / m->fade);
}

static double correction(const sloe_layer_sum *m, const double *traits, double trust) {
  if (!m->has_trees || trust <= 0) return 1;
  const double g = sloe_learned_predict(&m->trees, traits);
  return exp(trust * fmin(fmax(g, -m->limit), m->limit));
}

static int finite_all(const double *v, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += 0 * v[i];
  return sum == 0;
}

double sloe_layer_sum_predict(const sloe_layer_sum *m, const sloe_layer_rows *layers,
                              double *per_layer, double *trust) {
  double total = m->constant;
  for (size_t i = 0; i < layers->n; i++) {
    const double *terms = layers->terms + i * m->n_terms;
    const double *traits = layers->traits + i * m->n_traits;
    double ms = NAN, known = 0;
    if (finite_all(terms, m->n_terms) && finite_all(traits, m->n_traits)) {
      known = sloe_layer_sum_trust(m, layers->family[i], traits);
      ms = 0;
      for (size_t j = 0; j < m->n_terms; j++) ms += m->coef[j] * terms[j];
      ms *= correction(m, traits, known);
    }
    if (per_layer) per_layer[i] = ms;
    if (trust) trust[i] = known;
    total += ms;
  }
  return total;
}

static sloe_status bad(sloe_error *err, const char *what) {
  return sloe_fail(err, SLOE_FORMAT, "layer sum: %s", what);
}

static sloe_status check_families(const sloe_layer_sum *m, sloe_error *err) {
  for (size_t i = 1; i < m->n_families; i++)
    if (m->family[i - 1] >= m->family[i]) return bad(err, "the families do not ascend");
  for (size_t i = 0; i < (size_t)m->n_families * m->n_sizes; i++)
    if (!isfinite(m->least[i]) || !isfinite(m->most[i]) || m->least[i] > m->most[i])
      return bad(err, "a family's least size is above its most");
  return SLOE_OK;
}

sloe_status sloe_layer_sum_check(const sloe_layer_sum *m, sloe_error *err) {
  if (m->n_terms < 1 || m->n_terms > SLOE_LAYER_SUM_TERMS || m->n_traits < 1 ||
      m->n_traits > SLOE_LAYER_SUM_TRAITS || m->n_sizes > m->n_traits ||
      m->n_families > SLOE_LAYER_SUM_FAMILIES || m->has_trees > 1)
    return bad(err, "impossible counts");
  if (!(m->constant >= 0 && isfinite(m->constant)) ||
      !(m->limit > 0 && m->limit <= SLOE_LAYER_SUM_LIMIT) || !(m->fade > 0 && isfinite(m->fade)))
    return bad(err, "the constant, the limit or the fading makes no sense");
  for (size_t j = 0; j < m->n_terms; j++)
    if (!(m->coef[j] >= 0 && isfinite(m->coef[j])))
      return bad(err, "a coefficient is negative or not finite");
  SLOE_TRY(check_families(m, err));
  if (!m->has_trees) return SLOE_OK;
  if (m->trees.n_inputs != m->n_traits) return bad(err, "the trees ask for other traits");
  return sloe_learned_check(&m->trees, err);
}
