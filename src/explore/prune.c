/* prune.c: pruning targets of a network: each layer's tread, then the walk. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "explore/prune.h"

enum { ARENA_LIMIT = 1 << 30, MAX_STEPS = 32, STEPS_LIMIT = 1 << 16 };

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory pruning");
}

/* ---- which layers a variable changes ---- */

typedef void (*list_fn)(sloe_prune *p, int32_t root, size_t layer);

static void count_touch(sloe_prune *p, int32_t root, size_t layer) {
  (void)layer;
  p->touched_start[root + 1]++;
}

static void put_touch(sloe_prune *p, int32_t root, size_t layer) {
  p->touched[p->touched_start[root]++] = (uint32_t)layer;
}

/* A layer is listed once, also where it reads and writes the same variable. */
static int seen_before(const sloe_channels *c, const sloe_channel_layer *layer, size_t i) {
  const size_t n_in = layer->in.n;
  const int32_t var = i < n_in ? layer->in.at[i].var : layer->out.at[i - n_in].var;
  const int32_t root = sloe_channels_root(c, var);
  for (size_t k = 0; k < i; k++) {
    const int32_t other = k < n_in ? layer->in.at[k].var : layer->out.at[k - n_in].var;
    if (sloe_channels_root(c, other) == root) return 1;
  }
  return 0;
}

static void each_touch(sloe_prune *p, list_fn fn) {
  for (size_t l = 0; l < p->channels.n_layers; l++) {
    const sloe_channel_layer *layer = &p->channels.layers[l];
    for (size_t i = 0; i < layer->in.n + layer->out.n; i++) {
      const int32_t var =
          i < layer->in.n ? layer->in.at[i].var : layer->out.at[i - layer->in.n].var;
      if (!seen_before(&p->channels, layer, i)) fn(p, sloe_channels_root(&p->channels, var), l);
    }
  }
}

static sloe_status list_touched(sloe_prune *p, sloe_error *err) {
  const size_t n = p->channels.n_vars;
  p->touched_start = SLOE_ARENA_NEW(&p->arena, size_t, n + 2);
  if (!p->touched_start) return out_of_memory(err);
  each_touch(p, count_touch);
  for (size_t i = 0; i < n; i++) p->touched_start[i + 1] += p->touched_start[i];
  p->touched = SLOE_ARENA_NEW(&p->arena, uint32_t, p->touched_start[n] + 1);
  if (!p->touched) return out_of_memory(err);
  each_touch(p, put_touch);
  for (size_t i = n; i > 0; i--) p->touched_start[i] = p->touched_start[i - 1];
  p->touched_start[0] = 0;
  return SLOE_OK;
}

/* ---- the layers ---- */

static sloe_status ask_layers(sloe_prune *p, sloe_error *err) {
  const sloe_layer_spec *unknown = NULL;
  sloe_spec_estimate answer;
  p->ms = SLOE_ARENA_NEW(&p->arena, double, p->channels.n_layers + 1);
  if (!p->ms) return out_of_memory(err);
  for (size_t i = 0; i < p->channels.n_layers; i++) {
    const sloe_channel_layer *layer = &p->channels.layers[i];
    int in_domain;
    p->ms[i] = NAN;
    if (layer->known) SLOE_TRY(sloe_prune_ask(p->cost, &layer->spec, &p->ms[i], &in_domain, err));
    if (!sloe_channels_has_filters(layer)) continue;
    if (isnan(p->ms[i]))
      unknown = &layer->spec;
    else
      p->result.n_layers++;
  }
  if (!unknown || p->result.n_layers) return SLOE_OK;
  SLOE_TRY(p->cost->ask(p->cost->context, unknown, &answer, err)); /* for the reason */
  return sloe_fail(err, SLOE_UNSUPPORTED, "the latency of no layer with filters is known");
}

static sloe_status fill_layer(sloe_prune *p, size_t row, size_t at, sloe_error *err) {
  const sloe_channel_layer *layer = &p->channels.layers[at];
  sloe_tread tread;
  double ms, params;
  p->at[row] = at;
  SLOE_TRY(
      sloe_tread_find(p->cost, &layer->spec, sloe_prune_grain(p, at), p->slack, 1, &tread, err));
  sloe_prune_layer *out = &p->layers[row];
  *out = (sloe_prune_layer){.layer = sloe_layers_at(p->net_layers, at),
                            .filters = layer->spec.k,
                            .tread_lo = tread.lo,
                            .tread_hi = tread.hi,
                            .target = tread.target,
                            .latency_ms = tread.latency_ms,
                            .target_ms = tread.target_ms,
                            .saved_ms = tread.latency_ms - tread.target_ms,
                            .in_domain = tread.in_domain};
  out->saved_share = p->result.latency_ms > 0 ? out->saved_ms / p->result.latency_ms : NAN;
  out->network_saved_ms = out->saved_ms;
  if (layer->filters < 0 || tread.target == layer->spec.k) return SLOE_OK;
  const int32_t root = sloe_channels_root(&p->channels, layer->filters);
  if (p->channels.vars[root].frozen) return SLOE_OK;
  SLOE_TRY(sloe_prune_change(p, root, tread.target, 0, &ms, &params, err));
  out->network_saved_ms = ms;
  return SLOE_OK;
}

static sloe_status fill(sloe_prune *p, sloe_error *err) {
  size_t row = 0;
  SLOE_TRY(sloe_channels_follow(p->net_layers, &p->arena, &p->channels, err));
  SLOE_TRY(ask_layers(p, err));
  SLOE_TRY(list_touched(p, err));
  p->layers = SLOE_ARENA_NEW(&p->arena, sloe_prune_layer, p->result.n_layers + 1);
  p->at = SLOE_ARENA_NEW(&p->arena, size_t, p->result.n_layers + 1);
  p->steps = SLOE_ARENA_NEW(&p->arena, sloe_prune_step, p->max_steps);
  if (!p->layers || !p->at || !p->steps) return out_of_memory(err);
  p->result.layers = p->layers;
  p->result.steps = p->steps;
  for (size_t i = 0; i < p->channels.n_layers; i++)
    if (sloe_channels_has_filters(&p->channels.layers[i]) && !isnan(p->ms[i]))
      SLOE_TRY(fill_layer(p, row++, i, err));
  return sloe_prune_walk(p, err);
}

sloe_status sloe_prune_by(const sloe_layers *layers, double network_ms, const sloe_prune_cost *cost,
                          const sloe_prune_options *options, sloe_prune **out, sloe_error *err) {
  const double slack = options && options->slack != 0 ? options->slack : 0.03;
  const size_t steps = options && options->max_steps ? options->max_steps : MAX_STEPS;
  *out = NULL;
  if (!(slack > 0 && slack < 1))
    return sloe_fail(err, SLOE_USAGE, "slack must lie between 0 and 1");
  sloe_prune *p = sloe_alloc(1, sizeof *p);
  if (!p) return out_of_memory(err);
  memset(p, 0, sizeof *p);
  sloe_arena_init(&p->arena, ARENA_LIMIT);
  p->net_layers = layers;
  p->cost = cost;
  p->slack = slack;
  p->max_steps = steps < STEPS_LIMIT ? steps : STEPS_LIMIT;
  p->result.latency_ms = network_ms;
  const sloe_status status = fill(p, err);
  if (status == SLOE_OK)
    *out = p;
  else
    sloe_prune_free(p);
  return status;
}

/* ---- on a platform ---- */

static sloe_status ask_platform(void *context, const sloe_layer_spec *spec, sloe_spec_estimate *out,
                                sloe_error *err) {
  return sloe_estimate_tread(context, spec, out, err);
}

sloe_status sloe_prune_new(const sloe_estimate *estimate, const sloe_prune_options *options,
                           sloe_prune **out, sloe_error *err) {
  const sloe_platform *platform = sloe_estimate_platform(estimate);
  const sloe_prune_cost cost = {ask_platform, (void *)platform};
  return sloe_prune_by(sloe_estimate_layers(estimate),
                       sloe_estimate_get(estimate)->latency_ms.value, &cost, options, out, err);
}

void sloe_prune_free(sloe_prune *prune) {
  if (!prune) return;
  sloe_arena_fini(&prune->arena);
  sloe_dealloc(prune);
}

const sloe_prune_result *sloe_prune_get(const sloe_prune *prune) {
  return &prune->result;
}
