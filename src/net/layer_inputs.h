/* layer_inputs.h: a layer as the inputs of smooth models, which scale each and sum all.
 *
 * Trees ask features (layer_axes.h) one at a time, in any unit. What sums its inputs wants more of
 * them told: a remainder as the share that the last block wastes, a name as one input for each,
 * and where a runtime chooses among kernels the tiles of each kernel's size in rounds in which all
 * units of the device have one.
 *
 * The order goes into files: a part may grow into its room, parts are appended.
 */
#ifndef SLOE_NET_LAYER_INPUTS_H
#define SLOE_NET_LAYER_INPUTS_H

#include "net/layer_axes.h"

/* X(part, room, doc) */
#define SLOE_LAYER_INPUT_MAP(X)                                                       \
  X(feature, 48, "sloe_layer_features, in their order")                               \
  X(waste, 4, "ln of what blocks of 16 and 64 filters, 16 channels, 8 columns waste") \
  X(stair, 1, "ln of the staircase's milliseconds")                                   \
  X(act, 32, "1 at the sloe_spec_act, else 0")                                        \
  X(division, 13,                                                                     \
    "whether 8, 4, 2 divide, waste by 8 and 32, and ln of whole eights of "           \
    "channels and of filters; whether channels are at most 4")                        \
  X(rounds, 16,                                                                       \
    "ln of the work of tiles of 32 to 256 positions x 32 to 256 filters, the "        \
    "device's units being full")                                                      \
  X(transform, 4,                                                                     \
    "ln of the elements of transforms of input, output and weights, and "             \
    "of all work by them")                                                            \
  X(block, 9,                                                                         \
    "registers' blocks of sloe_layer_blocks_of: ln of vectors, blocks, rows, "        \
    "waste and rate; is_image; whether 16 and 4 divide k and 16 divides c")           \
  X(rest, 2,                                                                          \
    "of a fully connected layer the share of 128 and of 512 channels that are left "  \
    "when whole ones are taken")

enum {
#define SLOE_LAYER_INPUT_ENUM(part, room, doc) \
  SLOE_LAYER_INPUT_##part, SLOE_LAYER_INPUT_##part##_last = SLOE_LAYER_INPUT_##part + (room)-1,
  SLOE_LAYER_INPUT_MAP(SLOE_LAYER_INPUT_ENUM)
#undef SLOE_LAYER_INPUT_ENUM
      SLOE_LAYER_INPUTS
};

typedef struct sloe_layer_view {
  const sloe_layer_spec *spec;
  double stair_ms;
  double units; /* of a device whose runtime chooses among kernels: rounds, transform and rest are
                   told of it; 0: of another, of which block is. What is not told is 0. */
} sloe_layer_view;

/* `x`: features of the spec, with the chances of proposals or without. */
void sloe_layer_inputs(const sloe_layer_view *view, const float x[SLOE_LAYER_FEATURES],
                       double out[SLOE_LAYER_INPUTS]);

/* Is input i a feature that trees alone make something of: a remainder, a name, an exponent, or
   what is told by other inputs? */
int sloe_layer_input_is_for_trees(size_t i);

#endif
