/* layer_terms.h: a layer as the numbers that a layer sum (model/layer_sum.h) is made of.
 *
 * Terms are amounts of work, and a layer's time is a sum of them, each times a coefficient: FLOPs
 * counted in whole tiles, bytes read and written, launches. Their list is layer_terms.def.
 *
 * Traits are what the sum is corrected by: sizes in logarithms, and what is lost to tiles. The
 * first SLOE_LAYER_SIZES of them span the space that is known: beyond what was learned from,
 * corrections fade.
 *
 * A family is what shares no correction with others: kind, window, stride, dilation, grouping.
 *
 * Terms, traits and families go into files: append only.
 */
#ifndef SLOE_NET_LAYER_TERMS_H
#define SLOE_NET_LAYER_TERMS_H

#include "sloe/sloe.h"

typedef enum sloe_term_unit { SLOE_TERM_FLOP, SLOE_TERM_BYTE, SLOE_TERM_LAUNCH } sloe_term_unit;

enum {
#define TERM(id, unit, least, usual, most, amount, doc) SLOE_LAYER_TERM_##id,
#include "net/layer_terms.def"
#undef TERM
  SLOE_LAYER_TERMS
};

typedef struct sloe_layer_term {
  const char *name;
  sloe_term_unit unit;
  double least, usual, most; /* multiples of what the hardware takes for one unit at its peak */
  const char *doc;
} sloe_layer_term;

extern const sloe_layer_term sloe_layer_term_rows[SLOE_LAYER_TERMS];

typedef struct sloe_term_costs { /* ms of one unit at the hardware's peak, of a usual launch */
  double flop, byte, launch;
} sloe_term_costs;

static inline double sloe_layer_term_cost(size_t term, const sloe_term_costs *costs) {
  const sloe_term_unit unit = sloe_layer_term_rows[term].unit;
  return unit == SLOE_TERM_FLOP   ? costs->flop
         : unit == SLOE_TERM_BYTE ? costs->byte
                                  : costs->launch;
}

/* X(NAME, doc), in the order of the array */
#define SLOE_LAYER_TRAIT_MAP(X)                                            \
  X(log_c, "ln of the input channels of a group; of a product its inputs") \
  X(log_k, "ln of the filters; of a product its outputs")                  \
  X(log_pixels, "ln of the pixels written, over the batch")                \
  X(kind, "sloe_layer_kind")                                               \
  X(log_taps, "ln of the window's area")                                   \
  X(log_stride, "ln of the product of the strides")                        \
  X(width, "of the output")                                                \
  X(grows, "width written less width read")                                \
  X(filters_32, "ln of what filters lose to tiles of 32")                  \
  X(filters_64, "the same of 64")                                          \
  X(filters_128, "the same of 128")                                        \
  X(pixels_32, "ln of what pixels lose to tiles of 32")                    \
  X(pixels_64, "the same of 64")                                           \
  X(pixels_128, "the same of 128")                                         \
  X(squares_4, "ln of what an image loses to squares of 4 x 4")            \
  X(squares_8_16, "the same of 8 x 16")                                    \
  X(log_tiles, "ln of the tiles of 128 pixels x 64 filters")

enum {
#define SLOE_LAYER_TRAIT_ONE(name, doc) SLOE_LAYER_TRAIT_##name,
  SLOE_LAYER_TRAIT_MAP(SLOE_LAYER_TRAIT_ONE)
#undef SLOE_LAYER_TRAIT_ONE
      SLOE_LAYER_TRAITS,
  SLOE_LAYER_SIZES = 3
};

const char *sloe_layer_trait_name(size_t i);

/* `element_bytes`: of activations and weights. A VIEW has no terms: it takes no time. */
void sloe_layer_terms(const sloe_layer *layer, double element_bytes, double out[SLOE_LAYER_TERMS]);
void sloe_layer_traits(const sloe_layer *layer, double out[SLOE_LAYER_TRAITS]);
uint64_t sloe_layer_family(const sloe_layer *layer);

#endif
