/* engine_mapper.h: what the files that map an engine share. Private to campaign/. */
#ifndef SLOE_CAMPAIGN_ENGINE_MAPPER_H
#define SLOE_CAMPAIGN_ENGINE_MAPPER_H

#include "campaign/engine_map.h"

typedef struct sloe_engine_mapper {
  const sloe_net *net;
  const sloe_engine_layer *engine;
  size_t n;
  sloe_engine_map *map;
  sloe_map nodes, tensors; /* by name */
  int32_t *place;          /* of each node in net->order; -1: it does not run */
  unsigned char *used;     /* nodes that a layer of the engine was found to hold */
  int failed;
} sloe_engine_mapper;

typedef struct sloe_engine_candidate { /* a way to fuse, and what the engine's layers are in it */
  sloe_layers *layers;
  int32_t *to; /* by the engine's layers */
  int64_t score;
} sloe_engine_candidate;

void sloe_engine_keep_nodes(sloe_engine_mapper *m, sloe_engine_match *match, const int32_t *nodes,
                            size_t n, sloe_engine_found found);
size_t sloe_engine_count_role(const sloe_engine_mapper *m, sloe_engine_role role);

/* By metadata and by name (engine_find.c). Names are believed where they find half of the layers.
 */
void sloe_engine_find_named(sloe_engine_mapper *m);

/* Of what was found: its spec by any of the `n` ways to fuse, its place in `ours`
   (engine_describe.c). */
void sloe_engine_describe(sloe_engine_mapper *m, const sloe_engine_candidate *all, size_t n,
                          const sloe_layers *ours);
/* What belongs to a layer that was found, or lies outside of the net. Counts (engine_owners.c). */
void sloe_engine_find_rest(sloe_engine_mapper *m);
/* Where `ours` and the engine differ (engine_differences.c). */
void sloe_engine_list_differences(sloe_engine_mapper *m, const sloe_layers *ours);

#endif
