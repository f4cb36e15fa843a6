/* engine_kinds.h: which kinds of our layers an engine's layer can be. Private to campaign/. */
#ifndef SLOE_CAMPAIGN_ENGINE_KINDS_H
#define SLOE_CAMPAIGN_ENGINE_KINDS_H

#include "campaign/engine_map.h"

/* Bits by sloe_layer_kind; all of them where neither the layer info nor the name tells. *sure is 0
   where it is the name that does. */
unsigned sloe_engine_kinds(const sloe_engine_layer *layer, int *sure);

/* Parts of a name that are ops: not weights ("conv1.weight"), not their QuantizeLinear. *adds: one
   is an addition. */
size_t sloe_engine_ops(const char *name, int *adds);

/* Does a part of the name say that it is the convolution beside a residual block ("branch1",
   "downsample", "shortcut")? */
int sloe_engine_is_shortcut(const char *name);

#endif
