/* prune.h: treads, and the network while it is pruned. Private to explore/. */
#ifndef SLOE_EXPLORE_PRUNE_H
#define SLOE_EXPLORE_PRUNE_H

#include "explore/channels.h"
#include "explore/explore.h"

typedef struct sloe_tread {
  int64_t lo, hi, target; /* target: the count itself where no lower tread is */
  double latency_ms, target_ms;
  int in_domain;
} sloe_tread;

enum { SLOE_TREAD_REACH = 1 << 16 /* counts looked at on either side */ };

/* The tread that `spec` stands on, among multiples of `grain` of its k. `whole` 0: hi is not looked
   for. Errors: as `cost`. */
sloe_status sloe_tread_find(const sloe_prune_cost *cost, const sloe_layer_spec *spec, int64_t grain,
                            double slack, int whole, sloe_tread *out, sloe_error *err);

/* NAN where it is not known. Errors: as `cost`, but for UNSUPPORTED. */
sloe_status sloe_prune_ask(const sloe_prune_cost *cost, const sloe_layer_spec *spec, double *ms,
                           int *in_domain, sloe_error *err);

struct sloe_prune {
  sloe_arena arena;
  sloe_prune_result result;
  sloe_prune_layer *layers;
  sloe_prune_step *steps;
  /* of the search; dead after it */
  const sloe_layers *net_layers;
  const sloe_prune_cost *cost;
  double slack;
  size_t max_steps;
  sloe_channels channels;
  double *ms;            /* [channels.n_layers] as the network is now; NAN: not known */
  size_t *at;            /* [result.n_layers] index of its layer in channels.layers */
  size_t *touched_start; /* [n_vars + 1] into touched: layers whose spec a root changes */
  uint32_t *touched;
};

/* What the network saves when `root` goes to `size`, in ms and parameters; `apply` makes it so. */
sloe_status sloe_prune_change(sloe_prune *p, int32_t root, int64_t size, int apply, double *ms,
                              double *params, sloe_error *err);

/* The filters of a layer are a multiple of it. `layer`: index into channels.layers. */
int64_t sloe_prune_grain(const sloe_prune *p, size_t layer);

/* Fill p->steps, greedily. */
sloe_status sloe_prune_walk(sloe_prune *p, sloe_error *err);

#endif
