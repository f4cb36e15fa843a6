/* prune_walk.c: changing the network, and the greedy walk along its Pareto front.
 *
 * A group is a root of channels.h with the convolutions whose filters it is. Its candidate, the
 * best target of its members, is looked for again only when a layer that it touches has changed.
 */
#include <math.h>

#include "base/error.h"
#include "explore/prune.h"

int64_t sloe_prune_grain(const sloe_prune *p, size_t layer) {
  const sloe_channel_layer *l = &p->channels.layers[layer];
  if (l->filters < 0) return l->spec.groups;
  return p->channels.vars[sloe_channels_root(&p->channels, l->filters)].grain;
}

static double weights_of(const sloe_layer_spec *spec) {
  return (double)sloe_layer_spec_weights(spec);
}

sloe_status sloe_prune_change(sloe_prune *p, int32_t root, int64_t size, int apply, double *ms,
                              double *params, sloe_error *err) {
  sloe_channel_var *var = &p->channels.vars[root];
  const int64_t was = var->size;
  sloe_status status = SLOE_OK;
  *ms = *params = 0;
  for (size_t i = p->touched_start[root]; i < p->touched_start[root + 1]; i++) {
    const size_t layer = p->touched[i];
    int in_domain;
    double now;
    var->size = was;
    const sloe_layer_spec before = sloe_channels_spec(&p->channels, layer);
    var->size = size;
    const sloe_layer_spec after = sloe_channels_spec(&p->channels, layer);
    *params += weights_of(&before) - weights_of(&after);
    if (isnan(p->ms[layer])) continue;
    SLOE_GOTO(sloe_prune_ask(p->cost, &after, &now, &in_domain, err));
    if (isnan(now)) continue; /* taken to stay as it is */
    *ms += p->ms[layer] - now;
    if (apply) p->ms[layer] = now;
  }
fail:
  if (!apply || status != SLOE_OK) var->size = was;
  return status;
}

typedef struct group_candidate {
  double saved_ms; /* 0: none */
  double per_filter;
  int64_t size;
  size_t row; /* the member whose target it is */
  int stale;
} group_candidate;

static int32_t root_of_row(const sloe_prune *p, size_t row) {
  const int32_t filters = p->channels.layers[p->at[row]].filters;
  return filters < 0 ? -1 : sloe_channels_root(&p->channels, filters);
}

static size_t count_members(const sloe_prune *p, int32_t root) {
  size_t n = 0;
  for (size_t row = 0; row < p->result.n_layers; row++) n += root_of_row(p, row) == root;
  return n;
}

/* The target of one member, for all of its group. */
static sloe_status try_member(sloe_prune *p, size_t row, int32_t root, size_t members,
                              group_candidate *best, sloe_error *err) {
  const sloe_layer_spec spec = sloe_channels_spec(&p->channels, p->at[row]);
  sloe_tread tread;
  double ms, params;
  SLOE_TRY(
      sloe_tread_find(p->cost, &spec, sloe_prune_grain(p, p->at[row]), p->slack, 0, &tread, err));
  if (tread.target >= spec.k) return SLOE_OK;
  SLOE_TRY(sloe_prune_change(p, root, tread.target, 0, &ms, &params, err));
  const double per_filter = ms / (double)(spec.k - tread.target) / (double)members;
  if (ms > 0 && per_filter > best->per_filter)
    *best = (group_candidate){ms, per_filter, tread.target, row, 0};
  return SLOE_OK;
}

static sloe_status refresh(sloe_prune *p, group_candidate *groups, sloe_error *err) {
  const int32_t n = (int32_t)p->channels.n_vars;
  for (int32_t root = 0; root < n; root++) {
    if (!groups[root].stale) continue;
    const size_t members = p->channels.vars[root].frozen ? 0 : count_members(p, root);
    groups[root] = (group_candidate){0};
    for (size_t row = 0; row < p->result.n_layers && members; row++)
      if (root_of_row(p, row) == root)
        SLOE_TRY(try_member(p, row, root, members, &groups[root], err));
  }
  return SLOE_OK;
}

static void mark(const sloe_prune *p, sloe_segments list, group_candidate *groups) {
  for (size_t i = 0; i < list.n; i++)
    groups[sloe_channels_root(&p->channels, list.at[i].var)].stale = 1;
}

/* Whoever shares a layer with `root` has a new staircase. */
static void mark_neighbours(const sloe_prune *p, int32_t root, group_candidate *groups) {
  for (size_t i = p->touched_start[root]; i < p->touched_start[root + 1]; i++) {
    mark(p, p->channels.layers[p->touched[i]].in, groups);
    mark(p, p->channels.layers[p->touched[i]].out, groups);
  }
}

static int32_t best_group(const sloe_prune *p, const group_candidate *groups) {
  int32_t best = -1;
  for (int32_t i = 0; i < (int32_t)p->channels.n_vars; i++)
    if (groups[i].saved_ms > 0 && (best < 0 || groups[i].per_filter > groups[best].per_filter))
      best = i;
  return best;
}

sloe_status sloe_prune_walk(sloe_prune *p, sloe_error *err) {
  group_candidate *groups = SLOE_ARENA_NEW(&p->arena, group_candidate, p->channels.n_vars + 1);
  double latency = p->result.latency_ms,
         params = (double)sloe_net_get_info(p->channels.net)->params;
  if (!groups) return sloe_fail(err, SLOE_NOMEM, "out of memory pruning");
  for (size_t i = 0; i < p->channels.n_vars; i++) groups[i].stale = 1;
  while (p->result.n_steps < p->max_steps) {
    double saved, fewer;
    SLOE_TRY(refresh(p, groups, err));
    const int32_t root = best_group(p, groups);
    if (root < 0) break;
    const group_candidate best = groups[root];
    SLOE_TRY(sloe_prune_change(p, root, best.size, 1, &saved, &fewer, err));
    latency -= saved;
    params -= fewer;
    p->steps[p->result.n_steps++] = (sloe_prune_step){best.row, best.size, latency, params};
    mark_neighbours(p, root, groups);
  }
  return SLOE_OK;
}
