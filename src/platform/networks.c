#include "platform/networks.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

/* Of a range; and two values of one feature need not be equal to the last bit. */
static const double range_slack = 0.02;

const char *sloe_networks_metric_name(sloe_networks_metric metric) {
  switch (metric) {
#define METRIC_NAME(id, name) \
  case SLOE_NETWORKS_##id: return name;
    SLOE_NETWORKS_METRIC_MAP(METRIC_NAME)
#undef METRIC_NAME
    case SLOE_NETWORKS_METRICS: break;
  }
  return "unknown";
}

const sloe_network_model *sloe_networks_chosen(const sloe_networks *networks,
                                               sloe_networks_metric metric, int inside) {
  for (size_t i = 0; networks && i < networks->n_models; i++) {
    const sloe_network_model *m = &networks->models[i];
    if (m->metric == (uint32_t)metric && (inside ? m->chosen : m->outside)) return m;
  }
  return NULL;
}

const sloe_network_model *sloe_networks_find(const sloe_networks *networks,
                                             sloe_networks_metric metric, const char *regressor) {
  for (size_t i = 0; networks && i < networks->n_models; i++) {
    const sloe_network_model *m = &networks->models[i];
    if (m->metric == (uint32_t)metric && strcmp(m->regressor, regressor) == 0) return m;
  }
  return NULL;
}

double sloe_networks_squeeze(double x) {
  return copysign(log1p(fabs(x)), x);
}

/* z[n]; the distance is what comes back. */
static double whiten(const sloe_network_domain *domain, size_t n, const double *t, double *z) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    z[i] = 0;
    for (size_t j = 0; j <= i; j++) z[i] += domain->whiten[i * n + j] * (t[j] - domain->centre[j]);
    sum += z[i] * z[i];
  }
  return sqrt(sum);
}

/* The first of x[n] that is out of its range; n: none is. */
static size_t first_outside(const double *x, const double *lo, const double *hi, size_t n,
                            double least_slack) {
  for (size_t i = 0; i < n; i++) {
    const double slack = range_slack * (hi[i] - lo[i]) + least_slack;
    if (!(x[i] >= lo[i] - slack && x[i] <= hi[i] + slack)) return i;
  }
  return n;
}

int sloe_networks_inside(const sloe_networks *networks, const double *t, size_t *feature) {
  const sloe_network_domain *domain = &networks->domain;
  const size_t n = networks->n_features;
  double z[SLOE_NETWORKS_FEATURES];
  const size_t outside = first_outside(t, domain->lo, domain->hi, n, 1e-9);
  if (feature) *feature = outside;
  return outside == n && whiten(domain, n, t, z) <= domain->limit &&
         first_outside(z, domain->z_lo, domain->z_hi, n, 1e-3) == n;
}

void sloe_network_model_fini(sloe_network_model *model) {
  sloe_learned_fini(&model->body);
  sloe_layer_sum_fini(&model->sum);
}

void sloe_networks_fini(sloe_networks *networks) {
  if (!networks) return;
  for (size_t i = 0; i < networks->n_models; i++) sloe_network_model_fini(&networks->models[i]);
  networks->n_models = 0;
}
