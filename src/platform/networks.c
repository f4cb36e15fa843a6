#include "platform/networks.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

/* Of a range: two values of one feature need not be equal to the last bit. */
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

static double distance(const sloe_network_domain *domain, size_t n, const double *t) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double z = 0;
    for (size_t j = 0; j <= i; j++) z += domain->whiten[i * n + j] * (t[j] - domain->centre[j]);
    sum += z * z;
  }
  return sqrt(sum);
}

int sloe_networks_inside(const sloe_networks *networks, const double *t, size_t *feature) {
  const sloe_network_domain *domain = &networks->domain;
  size_t at = 0;
  if (!feature) feature = &at;
  for (*feature = 0; *feature < networks->n_features; ++*feature) {
    const double lo = domain->lo[*feature], hi = domain->hi[*feature];
    const double slack = range_slack * (hi - lo) + 1e-9;
    if (!(t[*feature] >= lo - slack && t[*feature] <= hi + slack)) return 0;
  }
  return distance(domain, networks->n_features, t) <= domain->limit;
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
