/* cart.h: one regression tree (Breiman et al., "Classification and Regression Trees", 1984).
 *
 * A node asks of the input and threshold that leave the least squared error in its two halves; a
 * leaf says the mean of its rows. The rows are sorted by each input once for all trees; a tree
 * keeps a list of its rows for each input and splits every list in place and stably, so that a
 * level costs rows x inputs and never sorts.
 *
 * As scikit-learn has it: numbers are compared as floats, a threshold lies half-way, rows that were
 * drawn several times count as one where rows are counted, and where `features` is less than all,
 * inputs are drawn until as many were looked at and a split was found.
 */
#ifndef SLOE_LEARN_CART_H
#define SLOE_LEARN_CART_H

#include "base/rng.h"
#include "learn/learn.h"

typedef struct sloe_cart_rows {
  size_t n, d;
  float *x;        /* [d][n], input by input */
  uint32_t *order; /* [d][n], rows in ascending order of the input */
  const double *y; /* [n] */
} sloe_cart_rows;

/* y is kept, z copied. On failure *out is all zero. Errors: NOMEM. */
sloe_status sloe_cart_rows_init(const double *z, const double *y, size_t n, size_t d,
                                sloe_cart_rows *out, sloe_error *err);
void sloe_cart_rows_fini(sloe_cart_rows *rows);

typedef struct sloe_cart_params {
  size_t depth;    /* 0: no limit */
  size_t split;    /* rows of a node that may be split */
  size_t leaf;     /* rows of a leaf */
  size_t features; /* inputs that a node may ask for */
} sloe_cart_params;

/* Memory of one tree at a time. */
typedef struct sloe_cart {
  size_t n_nodes;
  sloe_tree_node *node;         /* [2 n]: children numbered from the tree's own root, 0 */
  uint32_t *list;               /* [d][n] */
  uint32_t *count;              /* [n]: how often a row was drawn; set by the caller */
  uint32_t *spare;              /* [n] */
  uint8_t *right;               /* [n] */
  uint32_t *input;              /* [d] */
  struct sloe_cart_span *stack; /* [n] */
} sloe_cart;

sloe_status sloe_cart_init(const sloe_cart_rows *rows, sloe_cart *out, sloe_error *err);
void sloe_cart_fini(sloe_cart *cart);

/* Grow the tree of the rows with count > 0, of which there is one at least. Allocates nothing. */
void sloe_cart_grow(sloe_cart *cart, const sloe_cart_rows *rows, const sloe_cart_params *params,
                    sloe_rng *rng);

#endif
