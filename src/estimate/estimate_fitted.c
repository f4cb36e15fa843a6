/* estimate_fitted.c: a network on a platform whose layers were measured.
 *
 * Network = sum of its fused layers (B V), times what held-out networks say that this is off by.
 * The interval is that of the model on those networks (conformal), not the scatter of runs; the
 * runs' percentiles stand apart. A net of a single layer is that layer: no correction, and the
 * interval of held-out layers of its op.
 *
 * A figure is in the domain when layers that make up 95 % of the time are.
 */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "estimate/estimate.h"
#include "estimate/estimate_parts.h"
#include "estimate/fitted_layer.h"
#include "estimate/layer_work.h"

static const double domain_share = 0.95, workspace_share = 0.1;

typedef struct tally {
  sloe_network_terms terms;
  double sum, p75, p97_5, inside, unknown;          /* ms */
  size_t launched, n_outside, n_unknown, n_without; /* without: no model, not even of copies */
  double error_90;                                  /* of the last layer */
} tally;

/* What the spec does not know is costed as a copy of the elements that it moves. */
static sloe_layer_spec moved(const sloe_layer *layer) {
  sloe_layer_spec copy = sloe_layer_spec_none();
  const uint64_t elements = sloe_add_sat(layer->in_elements, layer->out_elements) / 2;
  copy.w = copy.out[1] = elements > 1 << 30 ? 1 << 30 : (int64_t)(elements ? elements : 1);
  return copy;
}

/* Networks repeat their blocks: equal layers are asked once, while they are remembered. */
enum { REMEMBERED = 64 };

typedef struct memory {
  int taken[REMEMBERED], timed[REMEMBERED];
  sloe_layer_spec spec[REMEMBERED];
  sloe_workspace workspace[REMEMBERED];
  sloe_fitted_time time[REMEMBERED];
} memory;

static size_t slot_of(const sloe_layer_spec *s) {
  const uint64_t mixed = (uint64_t)s->c * 0x9e3779b1u + (uint64_t)s->k * 0x85ebca6bu +
                         (uint64_t)s->h * 0xc2b2ae35u + (uint64_t)s->kernel[0] * 0x27d4eb2fu +
                         (uint64_t)s->op * 0x165667b1u + (uint64_t)s->act + (uint64_t)s->add * 3;
  return (size_t)(mixed >> 7) % REMEMBERED;
}

/* The place of a layer in the memory, which may be another layer's until now. */
static size_t remember(const sloe_layer_spec *spec, memory *m) {
  const size_t at = slot_of(spec);
  if (m->taken[at] && sloe_layer_spec_same(&m->spec[at], spec)) return at;
  m->taken[at] = 1;
  m->timed[at] = 0;
  m->workspace[at].mb = NAN;
  m->spec[at] = *spec;
  return at;
}

static sloe_fitted_time ask(const sloe_fitted *fitted, const sloe_layer_spec *spec,
                            const sloe_layer_place *place, memory *m) {
  const size_t at = remember(spec, m);
  if (!m->timed[at]) m->time[at] = sloe_fitted_layer(fitted, spec, place);
  m->timed[at] = 1;
  return m->time[at];
}

static sloe_workspace ask_workspace(const sloe_fitted *fitted, const sloe_layer_spec *spec,
                                    memory *m) {
  const size_t at = remember(spec, m);
  if (isnan(m->workspace[at].mb)) m->workspace[at] = sloe_estimate_layer_workspace(fitted, spec);
  return m->workspace[at];
}

/* A kernel by transforms multiplies these instead, and writes and reads its workspace besides. */
static void add_pace(sloe_estimate *e, const sloe_layer_spec *spec, const sloe_workspace *needed,
                     double ms, double macs, double bytes) {
  const double chance = needed->chance;
  if (chance > 0) macs += chance * (sloe_layer_transform_macs(spec) - macs);
  sloe_pace_add(&e->pace, ms, macs, bytes + chance * 1e6 * needed->mb);
}

static void estimate_layer(sloe_estimate *e, size_t i, const sloe_layer_place *place, memory *m,
                           tally *t) {
  const sloe_layer *layer = sloe_layers_at(e->net_layers, i);
  const sloe_fitted *fitted = e->platform->fitted;
  sloe_layer_estimate *out = &e->layers[i];
  sloe_layer_spec spec;
  int known;
  *out = (sloe_layer_estimate){.layer = layer, .source = SLOE_SOURCE_FITTED};
  if (layer->kind == SLOE_LAYER_VIEW) {
    out->in_domain = 1; /* nothing is launched */
    return;
  }
  sloe_layer_spec_of(e->net_layers, i, &spec, &known);
  if (!known) spec = moved(layer);
  sloe_fitted_time time = ask(fitted, &spec, place, m);
  time.in_domain &= known;
  const double ms = isnan(time.ms) ? 0 : time.ms;
  out->latency_ms = ms;
  out->in_domain = time.in_domain;
  out->bytes = (uint64_t)fmin(
      sloe_layer_bytes(layer, sloe_precision_bytes(e->platform->card.precision)), 1e19);
  if (isnan(time.ms)) {
    out->source = SLOE_SOURCE_NONE;
    out->latency_ms = NAN;
    t->n_without++;
  }
  sloe_estimate_add_terms(fitted, &spec, ms, &t->terms);
  t->sum += ms;
  const sloe_workspace needed = ask_workspace(fitted, &spec, m);
  add_pace(e, &spec, &needed, ms, (double)layer->macs, (double)out->bytes);
  t->p75 += ms * time.p75;
  t->p97_5 += ms * time.p97_5;
  t->launched++;
  t->inside += time.in_domain ? ms : 0;
  t->n_outside += known && !time.in_domain && !isnan(time.ms);
  t->n_unknown += !known && !isnan(time.ms);
  t->unknown += known ? 0 : ms;
  t->error_90 = time.error_90;
}

static void finish_time(sloe_estimate *e, const tally *t) {
  const sloe_fitted_network *network = &e->platform->fitted->network;
  const int single = t->launched == 1;
  const double sum = t->sum, error = single ? t->error_90 : network->error_90;
  const int none = t->launched && t->n_without == t->launched;
  const double ms = none ? NAN : single ? sum : sloe_estimate_network_ms(network, &t->terms);
  const double grown = none ? NAN : sum > 0 ? ms / sum : 1;
  e->result.sum_of_layers_ms = none ? NAN : sum;
  e->result.latency_p75_ms = t->p75 * grown;
  e->result.latency_p97_5_ms = t->p97_5 * grown;
  e->result.latency_ms = (sloe_figure){
      .value = ms,
      .low = ms * exp(-error),
      .high = ms * exp(error),
      .source = none ? SLOE_SOURCE_NONE : SLOE_SOURCE_FITTED,
      .method = SLOE_METHOD_LAYERS,
      .validated_mape = e->platform->card.validated_mape,
      .in_domain = t->inside >= domain_share * sum && !t->n_without,
  };
}

static void finish_power(sloe_estimate *e) {
  const sloe_fitted *fitted = e->platform->fitted;
  const double w = sloe_pace_power(&e->pace, &fitted->power), error = fitted->power.error_90;
  if (isnan(w) || isnan(e->result.latency_ms.value)) return;
  e->result.power_w = (sloe_figure){.value = w,
                                    .low = w * exp(-error),
                                    .high = w * exp(error),
                                    .source = SLOE_SOURCE_FITTED,
                                    .method = SLOE_METHOD_LAYERS,
                                    .validated_mape = fitted->power_errors.mape,
                                    .in_domain = e->result.latency_ms.in_domain};
  if (e->platform->networks) e->result.power_rail = e->platform->networks->power_rail;
  sloe_estimate_energy(e);
}

static void warn_of_workspace(sloe_estimate *e, const sloe_workspace *needed) {
  char mb[32];
  sloe_estimate_warn(
      e, sloe_arena_printf(&e->arena,
                           "memory: about %s MB are workspace of '%.80s', likely a convolution by "
                           "Fourier transforms",
                           sloe_format_fixed(needed->mb, needed->mb < 10, mb, sizeof mb),
                           e->layers[needed->layer].layer->name));
}

void sloe_estimate_fitted_memory(sloe_estimate *e) {
  const sloe_fitted *fitted = e->platform->fitted;
  const sloe_fitted_network *network = &fitted->network;
  const sloe_card *card = &e->platform->card;
  if (!(network->memory_scale > 0)) {
    e->result.memory_kind = "";
    e->result.fits = -1;
    return;
  }
  double own;
  if (sloe_estimate_own_mb(e->net_layers, card->precision, fitted->memory_buffers, &own, NULL) !=
      SLOE_OK) {
    e->out_of_memory = 1;
    return;
  }
  const sloe_workspace *needed = sloe_estimate_workspace(e->workspaces, e->n_workspaces);
  if (needed && needed->mb > workspace_share * own) warn_of_workspace(e, needed);
  if (needed) own += needed->mb;
  const double mb = network->memory_scale * own + network->memory_offset_mb;
  e->result.memory_mb = (sloe_figure){
      .value = mb,
      .low = mb * exp(-network->memory_error_90),
      .high = mb * exp(network->memory_error_90),
      .source = SLOE_SOURCE_FITTED,
      .method = SLOE_METHOD_LAYERS,
      .validated_mape = fitted->memory_errors.mape,
      .in_domain = e->result.latency_ms.in_domain,
  };
  e->result.memory_kind = fitted->memory_kind;
  e->result.fits = isnan(card->memory_mb) ? -1 : mb <= card->memory_mb;
}

static void warn_of_domain(sloe_estimate *e, const tally *t) {
  char share[32];
  const double outside = t->sum > 0 ? 100 * (1 - t->inside / t->sum) : 0;
  if (t->n_outside)
    sloe_estimate_warn(
        e, sloe_arena_printf(&e->arena, "%zu %s outside what was measured: %s %% of the time%s",
                             t->n_outside, t->n_outside == 1 ? "layer lies" : "layers lie",
                             sloe_format_fixed(outside, 1, share, sizeof share),
                             t->n_unknown ? ", with layers that have no model" : ""));
  if (t->n_unknown)
    sloe_estimate_warn(
        e,
        sloe_arena_printf(
            &e->arena, "%zu %s no model: %s %% of the time, taken for copies of what they move",
            t->n_unknown, t->n_unknown == 1 ? "layer has" : "layers have",
            sloe_format_fixed(t->sum > 0 ? 100 * t->unknown / t->sum : 0, 1, share, sizeof share)));
  if (t->n_without)
    sloe_estimate_warn(
        e, sloe_arena_printf(&e->arena,
                             "%zu %s left out: the platform knows nothing of layers like %s",
                             t->n_without, t->n_without == 1 ? "layer is" : "layers are",
                             t->n_without == 1 ? "it" : "them"));
}

/* What layers may need, before any is timed: it passes through the caches of all. */
static void find_workspaces(sloe_estimate *e, memory *m) {
  for (size_t i = 0; i < e->result.n_layers; i++) {
    sloe_layer_spec spec;
    int known;
    if (sloe_layers_at(e->net_layers, i)->kind == SLOE_LAYER_VIEW) continue;
    sloe_layer_spec_of(e->net_layers, i, &spec, &known);
    if (!known) continue;
    sloe_workspace needed = ask_workspace(e->platform->fitted, &spec, m);
    needed.layer = i;
    if (needed.chance > 0) e->workspaces[e->n_workspaces++] = needed;
  }
}

static int has_workspaces(const sloe_fitted *fitted) {
  for (size_t i = 0; i < fitted->n_ops; i++)
    if (fitted->ops[i].transform_bytes > 0) return 1;
  return 0;
}

void sloe_estimate_fitted(sloe_estimate *e) {
  tally t = {0};
  sloe_layer_place place = sloe_layers_place(e->net_layers);
  memory m;
  memset(m.taken, 0, sizeof m.taken);
  e->workspaces = SLOE_ARENA_NEW(&e->arena, sloe_workspace, e->result.n_layers);
  if (!e->workspaces) {
    e->out_of_memory = 1;
    return;
  }
  if (has_workspaces(e->platform->fitted)) find_workspaces(e, &m);
  const sloe_workspace *needed = sloe_estimate_workspace(e->workspaces, e->n_workspaces);
  if (needed)
    sloe_layer_place_add(&place, needed->mb,
                         (double)sloe_precision_bytes(e->platform->card.precision));
  for (size_t i = 0; i < e->result.n_layers; i++) estimate_layer(e, i, &place, &m, &t);
  for (size_t i = 0; i < e->result.n_layers; i++)
    e->layers[i].share = e->layers[i].latency_ms > 0 ? e->layers[i].latency_ms / t.sum : 0;
  finish_time(e, &t);
  finish_power(e);
  sloe_estimate_fitted_memory(e);
  warn_of_domain(e, &t);
}
