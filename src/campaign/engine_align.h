/* engine_align.h: layers of an engine and of our fusion in one order. Private to campaign/. */
#ifndef SLOE_CAMPAIGN_ENGINE_ALIGN_H
#define SLOE_CAMPAIGN_ENGINE_ALIGN_H

#include "campaign/engine_map.h"

/* Which of `ours` each layer of the engine is, -1 for none, so that both stay in order and as much
   as can be agrees; *score says how much that is. Left out: the engine's with skip[] and ours with
   taken[]. Too many layers for the table that this takes are none at all. Errors: NOMEM. */
sloe_status sloe_engine_align(const sloe_engine_layer *engine, const sloe_engine_match *matches,
                              const unsigned char *skip, size_t n, const sloe_layers *ours,
                              const unsigned char *taken, int32_t *to, int64_t *score,
                              sloe_error *err);

/* Nodes that have a part in a layer's name: not batch normalisation, views, constants' arithmetic.
 */
int sloe_engine_is_silent(const sloe_net *net, int32_t node);

#endif
