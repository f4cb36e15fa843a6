/* design.h: which layers a campaign measures. Private to campaign/.
 *
 * Lines (B IV-B): for the shapes of a family's dimensions, one dimension varied, the others fixed.
 * Design: random layers of every kind, as many of each as its space is wide; half of the
 * convolutions from the whole space (B VI-B: any channels, any rectangle), half of sizes as
 * networks have them; every so many-th from what networks have much of and those draws little.
 * Held-out layers are drawn like the former from another stream. A campaign that is told to take
 * more goes on with convolutions and with what lies at the edges: large fully connected layers,
 * poolings of large images, concatenations of many; behind 1,000 of them with fully connected
 * layers of one row, or of many rows and few units, and with small images; and half as many near
 * the layers of known networks (design_known.h).
 */
#ifndef SLOE_CAMPAIGN_DESIGN_H
#define SLOE_CAMPAIGN_DESIGN_H

#include "base/rng.h"
#include "net/net.h"

typedef struct sloe_design_line {
  sloe_layer_spec base;
  size_t dim;     /* of sloe_layer_coords that is varied */
  int64_t lo, hi; /* from ... to */
} sloe_design_line;

typedef struct sloe_design_limits { /* NULL stands for 20 GFLOP and a batch of 1 */
  uint64_t macs;
  int64_t batch; /* above 1: a part of the layers has one of 2 to this */
} sloe_design_limits;

size_t sloe_design_line_count(void);
/* Line `i`; those of one family stand together. */
sloe_design_line sloe_design_line_at(size_t i);
/* The line's layer at `x`. */
sloe_layer_spec sloe_design_line_spec(const sloe_design_line *line, int64_t x);

/* How many design layers in all, behind the first ones: SLOE_DESIGN_FIRST of each kind, so that a
   short campaign has some of all. */
size_t sloe_design_size(void);
enum { SLOE_DESIGN_FIRST = 8 };
/* One of the edges that the design holds besides. */
void sloe_design_draw_edge(sloe_rng *rng, const sloe_design_limits *limits, sloe_layer_spec *out);
size_t sloe_design_kinds(void);
/* The next random layer: possible, within `limits`, and at most 2^28 elements. `only` NULL or the
   beginning of an op's name. 0: no op begins so. */
int sloe_design_draw(sloe_rng *rng, const char *only, const sloe_design_limits *limits,
                     sloe_layer_spec *out);
/* The i-th of those that a longer campaign goes on with, one after the other. */
enum { SLOE_DESIGN_MORE = 1000 };
void sloe_design_draw_more(sloe_rng *rng, size_t i, const sloe_design_limits *limits,
                           sloe_layer_spec *out);
void sloe_design_draw_kind(sloe_rng *rng, size_t kind, const sloe_design_limits *limits,
                           sloe_layer_spec *out);
/* A layer of about the same sizes, on an image of another size. 0: none was possible. */
int sloe_design_vary(sloe_rng *rng, const sloe_layer_spec *like, const sloe_design_limits *limits,
                     sloe_layer_spec *out);
/* The same, with a batch as random layers have it. */
int sloe_design_draw_like(sloe_rng *rng, const sloe_layer_spec *like,
                          const sloe_design_limits *limits, sloe_layer_spec *out);

#endif
