/* lives.h: whose contents a tensor shows, which layer reads them last, and the buffers between
 * layers that follow from it.
 *
 * Views (reshapes, identities, casts among floats) are no layers. The root of a tensor is the one
 * whose contents it shows: itself, or what the views in front of it read.
 */
#ifndef SLOE_NET_LIVES_H
#define SLOE_NET_LIVES_H

#include "net/net.h"

#define SLOE_LIVES_KEEP SIZE_MAX

typedef struct sloe_lives {
  sloe_tid *root; /* by tensor */
  size_t *last;   /* by root: the last layer that reads it; KEEP: an output of the network */
} sloe_lives;

/* The arrays live in `arena`. Errors: NOMEM. */
sloe_status sloe_lives_of(const sloe_layers *layers, sloe_arena *arena, sloe_lives *out,
                          sloe_error *err);

/* Bytes of the buffers that a runtime keeps between layers, each element `width` bytes: inputs have
   one each; what a layer writes for a later one goes where nothing is read from any more, into the
   smallest that is large enough and not more than four times as large, else into a new one. Sizes
   are rounded up to 256 bytes. (peak_activation_bytes is what lives at once, before anything is
   fused and without what buffers waste.) Errors: NOMEM. */
sloe_status sloe_layers_buffer_bytes(const sloe_layers *layers, size_t width, double *out,
                                     sloe_error *err);

#endif
