/* layer_blocks.h: how a processor with vector registers cuts a convolution.
 *
 * A kernel keeps a block of outputs in registers: some rows of positions by one to four vectors of
 * filters. How many vectors, and what the last rows and filters leave empty, makes layers that
 * differ by one filter differ by a third. oneDNN 2.6 on AVX-512 tells its choice of vectors by the
 * layout of the weights, without running anything; the rule here was read off 20,000 random
 * convolutions, of which it names 99 % rightly (docs/notes/accuracy.md). On other processors these
 * are numbers of the layer like others.
 */
#ifndef SLOE_NET_LAYER_BLOCKS_H
#define SLOE_NET_LAYER_BLOCKS_H

#include "net/layer_spec.h"

typedef struct sloe_layer_blocks {
  int64_t vectors; /* of 16 filters in a block, 1..4 */
  int64_t blocks;  /* that hold all filters of a group */
  int64_t rows;    /* of a block: positions */
  double waste;    /* filters that the blocks hold over those there are, >= 1 */
  double rate;     /* products a load of a register, the empty rows taken off */
  int is_image;    /* rows run over the whole image, else over one row of it */
} sloe_layer_blocks;

sloe_layer_blocks sloe_layer_blocks_of(const sloe_layer_spec *spec);

#endif
