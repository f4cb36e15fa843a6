/* What a reader of learned models must be able to rely on: counts within their caps and consistent
 * with each other, numbers finite, trees that end. */
#include <math.h>

#include "model/learned.h"

static sloe_status bad(sloe_error *err, const char *what) {
  return sloe_fail(err, SLOE_FORMAT, "learned model: %s", what);
}

static int finite_all(const double *v, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += 0 * v[i];
  return sum == 0;
}

static sloe_status check_poly(const sloe_learned *m, sloe_error *err) {
  const sloe_learned_poly *p = &m->poly;
  if (p->degree < 1 || p->degree > SLOE_LEARNED_DEGREE || p->powers > 1)
    return sloe_fail(err, SLOE_FORMAT, "learned model: degree %u, between 1 and %d are possible",
                     (unsigned)p->degree, SLOE_LEARNED_DEGREE);
  if (p->n_coefs > SLOE_LEARNED_COEFS ||
      p->n_coefs != sloe_learned_poly_coefs(m->n_inputs, p->degree, p->powers != 0))
    return sloe_fail(err, SLOE_FORMAT, "learned model: %u coefficients for %u inputs, degree %u",
                     (unsigned)p->n_coefs, (unsigned)m->n_inputs, (unsigned)p->degree);
  if (!isfinite(p->constant) || (p->coef && !finite_all(p->coef, p->n_coefs)))
    return bad(err, "a coefficient is not finite");
  return SLOE_OK;
}

static sloe_status check_kernel(const sloe_learned *m, sloe_error *err) {
  const sloe_learned_kernel *k = &m->kernel;
  if (k->kind > SLOE_KERNEL_POLY || k->degree > SLOE_LEARNED_DEGREE)
    return bad(err, "no such kernel");
  if (k->n > SLOE_LEARNED_VECTORS)
    return sloe_fail(err, SLOE_FORMAT, "learned model: %u vectors, at most %d are possible",
                     (unsigned)k->n, SLOE_LEARNED_VECTORS);
  if (!isfinite(k->gamma) || k->gamma < 0 || !isfinite(k->coef0) || !isfinite(k->bias) ||
      (k->coef && !finite_all(k->coef, k->n)) ||
      (k->vector && !finite_all(k->vector, (size_t)k->n * m->n_inputs)))
    return bad(err, "a number of the kernel sum is not finite");
  return SLOE_OK;
}

sloe_status sloe_learned_mlp_check(const sloe_learned_mlp *p, size_t n_inputs, sloe_error *err) {
  if (p->n_layers < 1 || p->n_layers > SLOE_LEARNED_LAYERS || p->activation > SLOE_ACTIVATION_RELU)
    return bad(err, "no such layers");
  for (uint32_t l = 0; l <= p->n_layers; l++)
    if (p->width[l] < 1 || p->width[l] > SLOE_LEARNED_WIDTH)
      return sloe_fail(err, SLOE_FORMAT,
                       "learned model: a layer %u wide, between 1 and %d are possible",
                       (unsigned)p->width[l], SLOE_LEARNED_WIDTH);
  if (p->width[0] != n_inputs || p->width[p->n_layers] != 1 ||
      p->n_weights != sloe_learned_mlp_weights(p))
    return bad(err, "the layers do not fit each other");
  for (uint32_t i = 0; p->weight && i < p->n_weights; i++)
    if (!isfinite(p->weight[i])) return bad(err, "a weight is not finite");
  return SLOE_OK;
}

static int node_is_good(const sloe_learned_trees *t, size_t n_inputs, uint32_t i, uint32_t end) {
  const sloe_tree_node *n = &t->node[i];
  if (n->input >= n_inputs) return 0;
  if (n->left == i) return n->threshold == INFINITY && isfinite(n->value);
  return n->left > i && n->left < end - 1 && !isnan(n->threshold);
}

static sloe_status check_nodes(const sloe_learned_trees *t, size_t n_inputs, sloe_error *err) {
  if (t->first[0] != 0 || t->first[t->n_trees] != t->n_nodes) return bad(err, "trees out of order");
  for (uint32_t tree = 0; tree < t->n_trees; tree++) {
    const uint32_t end = t->first[tree + 1];
    if (end <= t->first[tree] || end > t->n_nodes) return bad(err, "trees out of order");
    for (uint32_t i = t->first[tree]; i < end; i++)
      if (!node_is_good(t, n_inputs, i, end))
        return sloe_fail(err, SLOE_FORMAT, "learned model: node %u of tree %u leads nowhere",
                         (unsigned)i, (unsigned)tree);
  }
  return SLOE_OK;
}

sloe_status sloe_learned_trees_check(const sloe_learned_trees *t, size_t n_inputs,
                                     sloe_error *err) {
  if (t->n_trees > SLOE_LEARNED_TREES || t->n_nodes > SLOE_LEARNED_NODES)
    return sloe_fail(
        err, SLOE_FORMAT, "learned model: %u trees of %u nodes, at most %d of %d are possible",
        (unsigned)t->n_trees, (unsigned)t->n_nodes, SLOE_LEARNED_TREES, SLOE_LEARNED_NODES);
  if (!isfinite(t->base) || !isfinite(t->factor)) return bad(err, "the base is not finite");
  return t->first && t->node ? check_nodes(t, n_inputs, err) : SLOE_OK;
}

sloe_status sloe_learned_check(const sloe_learned *m, sloe_error *err) {
  if (m->n_inputs < 1 || m->n_inputs > SLOE_LEARNED_INPUTS)
    return sloe_fail(err, SLOE_FORMAT, "learned model: %u inputs, between 1 and %d are possible",
                     (unsigned)m->n_inputs, SLOE_LEARNED_INPUTS);
  if (m->log_inputs > 1 || m->log_target > 1) return bad(err, "no such transformation");
  if (!isfinite(m->target_shift) || !isfinite(m->target_scale) ||
      (m->shift && !finite_all(m->shift, m->n_inputs)) ||
      (m->scale && !finite_all(m->scale, m->n_inputs)))
    return bad(err, "a scale is not finite");
  switch (m->kind) {
    case SLOE_LEARNED_POLY: return check_poly(m, err);
    case SLOE_LEARNED_KERNEL: return check_kernel(m, err);
    case SLOE_LEARNED_MLP: return sloe_learned_mlp_check(&m->mlp, m->n_inputs, err);
    case SLOE_LEARNED_TREE_SUM: return sloe_learned_trees_check(&m->trees, m->n_inputs, err);
    default: return sloe_fail(err, SLOE_FORMAT, "learned model: no kind %u", (unsigned)m->kind);
  }
}
