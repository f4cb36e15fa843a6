/* estimate_networks.c: time, power and memory from models of whole networks (source LEARNED).
 *
 * By itself the platform takes, for time, whichever of measured layers and network was off by less
 * on networks that it had not seen; where the network is unlike those learned from, the measured
 * layers, if there are any. Power and memory are those of a model of networks, if there is one.
 *
 * Outside the domain the interval and the error are those of kinds that were left out of learning,
 * where there were several; else thrice those of cross-validation.
 */
#include <math.h>

#include "base/error.h"
#include "estimate/estimate_parts.h"

static const double outside_factor = 3;

typedef struct question {
  const sloe_estimate_options *how;
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

static const sloe_network_model *model_for(const sloe_estimate *e, sloe_networks_metric metric,
                                           const question *q) {
  const sloe_networks *networks = e->platform->networks;
  if (q->how->model) return sloe_networks_find(networks, metric, q->how->model);
  const sloe_network_model *model = sloe_networks_chosen(networks, metric, q->inside);
  return model ? model : sloe_networks_chosen(networks, metric, 1);
}

/* The errors that hold for the question. */
static sloe_network_errors errors_of(const sloe_network_model *model, const question *q) {
  if (q->inside) return model->folds;
  if (!isnan(model->kinds.error_90)) return model->kinds;
  return (sloe_network_errors){.mape = NAN, .error_90 = outside_factor * model->folds.error_90};
}

/* ---- a sum over layers ---- */

/* The layers as rows, and room for the time of each, in `e`'s arena; 0: memory is out. */
static int layer_rows(sloe_estimate *e, sloe_layer_rows *out, double **each) {
  const size_t n = e->result.n_layers;
  const double bytes = (double)sloe_precision_bytes(e->platform->card.precision);
  double *terms = SLOE_ARENA_NEW(&e->arena, double, n *SLOE_LAYER_TERMS + 1);
  double *traits = SLOE_ARENA_NEW(&e->arena, double, n *SLOE_LAYER_TRAITS + 1);
  uint64_t *family = SLOE_ARENA_NEW(&e->arena, uint64_t, n + 1);
  *each = SLOE_ARENA_NEW(&e->arena, double, n + 1);
  if (!terms || !traits || !family || !*each) return 0;
  for (size_t i = 0; i < n; i++) {
    const sloe_layer *layer = sloe_layers_at(e->net_layers, i);
    sloe_layer_terms(layer, bytes, terms + i * SLOE_LAYER_TERMS);
    sloe_layer_traits(layer, traits + i * SLOE_LAYER_TRAITS);
    family[i] = sloe_layer_family(layer);
  }
  *out = (sloe_layer_rows){n, terms, traits, family};
  return 1;
}

/* Where layers were not measured, what the sum says of each stands in their place. */
static void tell_layers(sloe_estimate *e, const double *each, const question *q) {
  double sum = 0;
  if (sloe_fitted_has_layers(e->platform->fitted)) return;
  for (size_t i = 0; i < e->result.n_layers; i++) sum += each[i];
  for (size_t i = 0; i < e->result.n_layers; i++) {
    e->layers[i].latency_ms = each[i];
    e->layers[i].share = sum > 0 ? each[i] / sum : 0;
    e->layers[i].source = SLOE_SOURCE_LEARNED;
    e->layers[i].in_domain = q->inside;
  }
  e->result.sum_of_layers_ms = sum;
}

static double sum_layers(sloe_estimate *e, const sloe_network_model *model, const question *q) {
  sloe_layer_rows rows;
  double *each;
  if (!layer_rows(e, &rows, &each)) {
    e->out_of_memory = 1;
    return NAN;
  }
  const double ms = sloe_layer_sum_predict(&model->sum, &rows, each, NULL);
  if (!isnan(ms)) tell_layers(e, each, q);
  return ms;
}

/* ---- an answer ---- */

/* A figure's interval as a factor, ln. */
static double spread(const sloe_figure *figure) {
  return log(figure->high / figure->low) / 2;
}

static double of_features(const sloe_network_model *model, const question *q) {
  double row[SLOE_NETWORKS_FEATURES];
  for (size_t i = 0; i < model->body.n_inputs; i++) row[i] = q->x[model->input[i]];
  return sloe_learned_predict(&model->body, row);
}

/* `layers`: what they say of the metric. Where the network is unlike those learned from, a model on
   layers is no surer than they are, which were judged on networks of another kind. */
static sloe_figure answer(sloe_estimate *e, const sloe_network_model *model, const question *q,
                          const sloe_figure *layers) {
  double value = model->is_sum ? sum_layers(e, model, q) : of_features(model, q);
  if (model->on_layers) value *= layers->value;
  if (!(value > 0) || isinf(value)) value = NAN; /* a polynomial far from what it knows */
  const sloe_network_errors errors = errors_of(model, q);
  const double least = model->on_layers && !q->inside ? spread(layers) : 0,
               factor = exp(fmax(errors.error_90, least));
  return (sloe_figure){.value = value,
                       .low = value / factor,
                       .high = value * factor,
                       .source = isnan(value) ? SLOE_SOURCE_NONE : SLOE_SOURCE_LEARNED,
                       .method = model->is_sum ? SLOE_METHOD_LAYERS : SLOE_METHOD_NETWORK,
                       .validated_mape = errors.mape,
                       .validated_n = isnan(errors.mape) ? 0 : errors.n,
                       .in_domain = q->inside};
}

/* ---- time ---- */

/* Layers were judged on random networks, the model on networks of the kinds that it knows: inside
   of them a difference that may be chance speaks for the model. */
static int measured_layers_are_better(const sloe_estimate *e, const sloe_network_model *model,
                                      const question *q) {
  const double layers = e->platform->card.validated_mape;
  if (!sloe_fitted_has_layers(e->platform->fitted) || isnan(e->result.latency_ms.value)) return 0;
  const double doubt = model->folds.ci95 > 0 ? model->folds.ci95 : 0;
  return !q->inside || layers < model->folds.mape - doubt;
}

/* A sum over layers is a model of layers; where layers were measured, those are meant. */
static const sloe_network_model *latency_model(const sloe_estimate *e, const question *q) {
  const sloe_network_model *model = model_for(e, SLOE_NETWORKS_LATENCY, q);
  if (q->how->method == SLOE_METHOD_LAYERS)
    return sloe_fitted_has_layers(e->platform->fitted)
               ? NULL
               : sloe_networks_find(e->platform->networks, SLOE_NETWORKS_LATENCY, "layers");
  if (q->how->method == SLOE_METHOD_AUTO && !q->how->model && model &&
      measured_layers_are_better(e, model, q))
    return NULL;
  return model;
}

/* What each layer takes is told even where another model answers for the whole. */
static void show_layers(sloe_estimate *e, const question *q) {
  const sloe_network_model *model =
      sloe_networks_find(e->platform->networks, SLOE_NETWORKS_LATENCY, "layers");
  if (model && model->is_sum) sum_layers(e, model, q);
}

static void take_latency(sloe_estimate *e, const question *q) {
  const sloe_network_model *model = latency_model(e, q);
  sloe_figure *latency = &e->result.latency_ms;
  if (!model) return;
  const sloe_figure before = *latency;
  *latency = answer(e, model, q, &before);
  e->result.latency_p75_ms *= latency->value / before.value;
  e->result.latency_p97_5_ms *= latency->value / before.value;
}

/* ---- memory, power, energy ---- */

static void take_memory(sloe_estimate *e, const question *q) {
  const sloe_card *card = &e->platform->card;
  const sloe_network_model *model = model_for(e, SLOE_NETWORKS_MEMORY, q);
  const int layers = !isnan(e->result.memory_mb.value);
  if (!model || (q->how->method == SLOE_METHOD_LAYERS && layers)) return;
  e->result.memory_mb = answer(e, model, q, &e->result.memory_mb);
  e->result.memory_kind = e->platform->fitted->memory_kind;
  e->result.fits = isnan(card->memory_mb) || isnan(e->result.memory_mb.value) ? -1
                   : e->result.memory_mb.value <= card->memory_mb             ? 1
                                                                              : 0;
}

void sloe_estimate_energy(sloe_estimate *e) {
  const sloe_figure *ms = &e->result.latency_ms, *w = &e->result.power_w;
  const double mj = ms->value * w->value, factor = exp(hypot(spread(ms), spread(w)));
  e->result.energy_mj = sloe_figure_unknown;
  if (isnan(mj)) return;
  e->result.energy_mj = (sloe_figure){.value = mj,
                                      .low = mj / factor,
                                      .high = mj * factor,
                                      .source = w->source,
                                      .method = w->method,
                                      .validated_mape = NAN,
                                      .in_domain = ms->in_domain && w->in_domain};
}

static void take_power(sloe_estimate *e, const question *q) {
  const sloe_network_model *model = model_for(e, SLOE_NETWORKS_POWER, q);
  const int layers = !isnan(e->result.power_w.value);
  if (model && !(q->how->method == SLOE_METHOD_LAYERS && layers)) {
    e->result.power_w = answer(e, model, q, &e->result.power_w);
    e->result.power_rail = e->platform->networks->power_rail;
  }
  sloe_estimate_energy(e); /* the time may be another */
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
  question q = {.how = how};
  ask(e->platform->networks, sloe_net_get_info(sloe_layers_net(e->net_layers)), &q);
  take_latency(e, &q);
  take_power(e, &q);
  take_memory(e, &q);
  if (isnan(e->result.sum_of_layers_ms)) show_layers(e, &q);
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
  sloe_estimate_fitted_memory(e);
}
