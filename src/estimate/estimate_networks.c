/* estimate_networks.c: time, power and memory from models of whole networks (source LEARNED).
 *
 * By itself the platform takes, for time, whichever of layers and network was off by less on
 * networks that it had not seen; where the network is unlike those learned from, the layers, if
 * there are any. Power is learned of networks alone.
 *
 * Outside the domain the interval and the error are those of kinds that were left out of learning,
 * where there were several; else thrice those of cross-validation.
 */
#include <math.h>

#include "base/error.h"
#include "estimate/estimate_parts.h"

static const double outside_factor = 3;

typedef struct question {
  double x[SLOE_NETWORKS_FEATURES];
  int inside;
  size_t outside; /* feature that lies outside, n_features where it is their combination */
} question;

static void ask(const sloe_networks *networks, const sloe_net_info *info, question *q) {
  double t[SLOE_NETWORKS_FEATURES];
  for (size_t i = 0; i < networks->n_features; i++) {
    q->x[i] = info->features[networks->at[i]].value;
    t[i] = sloe_networks_squeeze(q->x[i]);
  }
  q->inside = sloe_networks_inside(networks, t, &q->outside);
}

/* The errors that hold for the question. */
static sloe_network_errors errors_of(const sloe_network_model *model, const question *q) {
  if (q->inside) return model->folds;
  if (!isnan(model->kinds.error_90)) return model->kinds;
  return (sloe_network_errors){.mape = NAN, .error_90 = outside_factor * model->folds.error_90};
}

/* `base`: what the layers say of the metric. */
static sloe_figure answer(const sloe_network_model *model, const question *q, double base) {
  double row[SLOE_NETWORKS_FEATURES];
  for (size_t i = 0; i < model->body.n_inputs; i++) row[i] = q->x[model->input[i]];
  double value = sloe_learned_predict(&model->body, row);
  if (model->on_layers) value *= base;
  if (!(value > 0) || isinf(value)) value = NAN; /* a polynomial far from what it knows */
  const sloe_network_errors errors = errors_of(model, q);
  const double factor = exp(errors.error_90);
  return (sloe_figure){.value = value,
                       .low = value / factor,
                       .high = value * factor,
                       .source = isnan(value) ? SLOE_SOURCE_NONE : SLOE_SOURCE_LEARNED,
                       .method = SLOE_METHOD_NETWORK,
                       .validated_mape = errors.mape,
                       .in_domain = q->inside};
}

/* ---- time ---- */

static int layers_are_better(const sloe_estimate *e, const sloe_network_model *model,
                             const question *q) {
  const double layers = e->platform->card.validated_mape;
  if (!sloe_fitted_has_layers(e->platform->fitted) || isnan(e->result.latency_ms.value)) return 0;
  return !q->inside || layers < model->folds.mape;
}

static void take_latency(sloe_estimate *e, const sloe_estimate_options *how, const question *q) {
  const sloe_network_model *model =
      sloe_networks_find(e->platform->networks, SLOE_NETWORKS_LATENCY, how->model);
  sloe_figure *latency = &e->result.latency_ms;
  if (!model || how->method == SLOE_METHOD_LAYERS) return;
  if (how->method == SLOE_METHOD_AUTO && !how->model && layers_are_better(e, model, q)) return;
  const double before = latency->value;
  *latency = answer(model, q, before);
  e->result.latency_p75_ms *= latency->value / before;
  e->result.latency_p97_5_ms *= latency->value / before;
}

/* ---- memory, power, energy ---- */

static void take_memory(sloe_estimate *e, const sloe_estimate_options *how, const question *q) {
  const sloe_card *card = &e->platform->card;
  const sloe_network_model *model =
      sloe_networks_find(e->platform->networks, SLOE_NETWORKS_MEMORY, how->model);
  const int layers = !isnan(e->result.memory_mb.value);
  if (!model || (how->method == SLOE_METHOD_LAYERS && layers)) return;
  e->result.memory_mb = answer(model, q, e->result.memory_mb.value);
  e->result.memory_kind = e->platform->fitted->memory_kind;
  e->result.fits = isnan(card->memory_mb) || isnan(e->result.memory_mb.value) ? -1
                   : e->result.memory_mb.value <= card->memory_mb             ? 1
                                                                              : 0;
}

/* A figure's interval as a factor, ln. */
static double spread(const sloe_figure *figure) {
  return log(figure->high / figure->low) / 2;
}

/* Errors of time and power are taken for independent. */
static void take_energy(sloe_estimate *e) {
  const sloe_figure *ms = &e->result.latency_ms, *w = &e->result.power_w;
  const double mj = ms->value * w->value, factor = exp(hypot(spread(ms), spread(w)));
  if (isnan(mj)) return;
  e->result.energy_mj = (sloe_figure){.value = mj,
                                      .low = mj / factor,
                                      .high = mj * factor,
                                      .source = SLOE_SOURCE_LEARNED,
                                      .method = SLOE_METHOD_NETWORK,
                                      .validated_mape = NAN,
                                      .in_domain = ms->in_domain && w->in_domain};
}

static void take_power(sloe_estimate *e, const sloe_estimate_options *how, const question *q) {
  const sloe_network_model *model =
      sloe_networks_find(e->platform->networks, SLOE_NETWORKS_POWER, how->model);
  if (!model) return;
  e->result.power_w = answer(model, q, NAN);
  e->result.power_rail = e->platform->networks->power_rail;
  take_energy(e);
}

/* ---- the whole ---- */

static void warn_of_domain(sloe_estimate *e, const question *q) {
  const sloe_networks *networks = e->platform->networks;
  if (q->inside) return;
  if (q->outside < networks->n_features)
    sloe_estimate_warn(
        e, sloe_arena_printf(&e->arena,
                             "unlike the %.0f networks learned from: its %s lies outside theirs",
                             networks->rows, networks->feature[q->outside]));
  else
    sloe_estimate_warn(
        e, sloe_arena_printf(&e->arena,
                             "unlike the %.0f networks learned from: none of them has such "
                             "features together",
                             networks->rows));
}

void sloe_estimate_networks(sloe_estimate *e, const sloe_estimate_options *how) {
  question q;
  ask(e->platform->networks, sloe_net_get_info(sloe_layers_net(e->net_layers)), &q);
  take_latency(e, how, &q);
  take_power(e, how, &q);
  take_memory(e, how, &q);
  warn_of_domain(e, &q);
}

/* Each layer by name, and that nothing is known of it. */
void sloe_estimate_no_layers(sloe_estimate *e) {
  for (size_t i = 0; i < e->result.n_layers; i++)
    e->layers[i] = (sloe_layer_estimate){.layer = sloe_layers_at(e->net_layers, i),
                                         .latency_ms = NAN,
                                         .share = NAN,
                                         .source = SLOE_SOURCE_NONE};
  e->result.latency_ms = sloe_figure_unknown;
  e->result.sum_of_layers_ms = NAN;
  e->result.memory_kind = "";
  e->result.fits = -1;
}
