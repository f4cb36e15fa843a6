/* networks.h: what a platform knows of whole networks (source LEARNED).
 *
 * Per metric one or several models, of which one is chosen by cross-validation and answers:
 *
 *   y = base x model(features of the network)     or     y = sum over its layers
 * (model/layer_sum.h)
 *
 * The base is 1, or what the platform's layers say of the metric: then the model has learned what
 * they leave over. The features are those of net/features.def, by name in the file.
 *
 * Domain. Of t = sign(x) ln(1 + |x|) and z = whiten (t - centre), where what features have in
 * common is taken out, a network is like those learned from when every t and every z lies in their
 * range and |z| (the Mahalanobis distance) is no more than that of the furthest of them. The z are
 * what tells other combinations of usual features: of chains on a Jetson Nano, with one kind of
 * three left out, 35 % of one kind and 5 % of another lay in the range of every t, 2 and 0 % of
 * every z. Outside, that model answers which did best on kinds that were left out of learning, with
 * the interval of those.
 */
#ifndef SLOE_PLATFORM_NETWORKS_H
#define SLOE_PLATFORM_NETWORKS_H

#include "model/model.h"
#include "sloe/sloe.h"

/* X(ID, name in tables) */
#define SLOE_NETWORKS_METRIC_MAP(X) \
  X(LATENCY, "latency_ms")          \
  X(POWER, "power_w")               \
  X(MEMORY, "memory_mb")

typedef enum sloe_networks_metric {
#define SLOE_NETWORKS_METRIC_ENUM(id, name) SLOE_NETWORKS_##id,
  SLOE_NETWORKS_METRIC_MAP(SLOE_NETWORKS_METRIC_ENUM)
#undef SLOE_NETWORKS_METRIC_ENUM
      SLOE_NETWORKS_METRICS
} sloe_networks_metric;

enum { SLOE_NETWORKS_FEATURES = 128, SLOE_NETWORKS_MODELS = 32 };

/* Errors of networks that the model had not seen, per cent; NAN: unknown. `error_90`: nine in ten
   lie within exp(+-error_90) (conformal). */
typedef struct sloe_network_errors {
  double n, mape, ci95, rmspe, max_ape, kendall, error_90;
} sloe_network_errors;

typedef struct sloe_network_model {
  uint32_t metric;
  uint32_t on_layers;        /* the base is what the layers say */
  uint32_t chosen, outside;  /* it answers inside the domain; outside of it */
  const char *regressor;     /* "xgb"; "layers": of `sum` */
  uint32_t is_sum;           /* the model is `sum`, else `body` */
  sloe_learned body;         /* of the features input[0..body.n_inputs) */
  const uint32_t *input;     /* of sloe_networks.feature */
  sloe_layer_sum sum;        /* of the terms and traits of net/layer_terms.h */
  sloe_network_errors folds; /* of cross-validation */
  sloe_network_errors kinds; /* of whole kinds left out of learning */
  double constant_mape;      /* of the best constant on the same rows */
  double train_s, tune_s;    /* NAN: not timed, not tuned */
} sloe_network_model;

/* Of the features of the rows learned from. */
typedef struct sloe_network_domain {
  const double *lo, *hi;     /* [n] of t */
  const double *centre;      /* [n] */
  const double *whiten;      /* [n][n], lower triangle: distance = |whiten (t - centre)| */
  double limit;              /* the largest distance that is inside */
  const double *z_lo, *z_hi; /* [n] of whiten (t - centre) */
} sloe_network_domain;

typedef struct sloe_networks {
  const char *const *feature; /* names */
  const uint32_t *at;         /* of each its place in sloe_net_info.features */
  size_t n_features;
  sloe_network_domain domain;
  double rows;            /* learned from */
  const char *power_rail; /* of power_w; "" */
  sloe_network_model *models;
  size_t n_models;
} sloe_networks;

const char *sloe_networks_metric_name(sloe_networks_metric metric);

/* The model of a metric that answers inside the domain, or outside of it; NULL: none. */
const sloe_network_model *sloe_networks_chosen(const sloe_networks *networks,
                                               sloe_networks_metric metric, int inside);
/* That of a regressor; NULL: none. */
const sloe_network_model *sloe_networks_find(const sloe_networks *networks,
                                             sloe_networks_metric metric, const char *regressor);

/* t of a number. */
double sloe_networks_squeeze(double x);
/* Is a network with these t[n_features] like those learned from? *feature: the first that lies
   outside its range, n_features where it is their combination; may be NULL. */
int sloe_networks_inside(const sloe_networks *networks, const double *t, size_t *feature);

void sloe_network_model_fini(sloe_network_model *model); /* takes what is all zero */
/* The models' bodies have memory of their own. */
void sloe_networks_fini(sloe_networks *networks); /* takes NULL */

#endif
