/* layer_boost.h: trees over the traits of layers, grown against what the sums of layers are off by
 * (layer_sum_fit.h says how). Private to learn/.
 *
 * Traits are cut into at most SLOE_LAYER_BINS by their quantiles; a tree is grown level by level
 * from histograms of gradient and curvature over the bins (Chen & Guestrin, "XGBoost", KDD 2016,
 * section 2.2). XGBoost itself would do; this one needs no library and sees the networks.
 */
#ifndef SLOE_LEARN_LAYER_BOOST_H
#define SLOE_LEARN_LAYER_BOOST_H

#include "base/rng.h"
#include "learn/layer_sum_fit.h"

enum { SLOE_LAYER_BINS = 128, SLOE_LAYER_DEPTH = 8 };

typedef struct sloe_binned { /* traits of all layers */
  size_t n, d;
  uint8_t *bin;      /* [d][n]: how many edges a trait exceeds */
  float *edge;       /* [d][SLOE_LAYER_BINS - 1], ascending */
  uint32_t *n_edges; /* [d] */
  uint32_t *network; /* [n] */
} sloe_binned;

/* On failure *out is all zero. Errors: NOMEM. */
sloe_status sloe_binned_init(const sloe_layer_sum_rows *rows, sloe_binned *out, sloe_error *err);
void sloe_binned_fini(sloe_binned *binned);

/* One sequence of trees, and the memory that it takes. */
typedef struct sloe_layer_boost {
  const sloe_layer_sum_rows *rows;
  const sloe_binned *binned;
  const sloe_layer_sum_options *options; /* filled in */
  const uint8_t *left_out;               /* [rows->n] or NULL: networks that are not learned from */
  double constant;
  double *base;           /* [layers] ms without a correction; set by the caller */
  double *g;              /* [layers] */
  double *sum;            /* [networks] ms */
  double *left_out_error; /* [trees + 1]: mean |ln(sum / y)| of those left out, from 0 trees on */
  sloe_tree_node *node;   /* all trees' nodes, children numbered from the tree's own root */
  uint32_t *first;        /* [trees + 1] */
  uint32_t n_trees;
  uint8_t *split;                 /* of a node: the bin */
  double *gradient, *curvature;   /* [layers] */
  uint32_t *list, n_list;         /* layers that a tree sees */
  uint8_t *at;                    /* [layers] their node, counted within the level */
  double *histogram;              /* of one trait: [nodes of a level][bins][2] */
  struct sloe_layer_split *found; /* [nodes of a level] */
  sloe_rng rng;
} sloe_layer_boost;

/* Errors: NOMEM; *out is then all zero. */
sloe_status sloe_layer_boost_init(sloe_layer_boost *out, const sloe_layer_sum_rows *rows,
                                  const sloe_binned *binned, const sloe_layer_sum_options *options,
                                  sloe_error *err);
void sloe_layer_boost_fini(sloe_layer_boost *boost);

/* Grow `trees` of them from `base`, `constant` and `left_out`. Allocates nothing. */
void sloe_layer_boost_run(sloe_layer_boost *boost, uint32_t trees);

/* The correction of one layer by the first `trees` trees. */
double sloe_layer_boost_g(const sloe_layer_boost *boost, size_t layer, uint32_t trees);

#endif
