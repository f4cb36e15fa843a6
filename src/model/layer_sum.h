/* layer_sum.h: the time of a network as the sum of its layers', learned from networks alone
 * (learn/layer_sum_fit.h).
 *
 *   sloe_layer_sum m; sloe_error err;
 *   sloe_layer_sum_decode(bytes, len, &m, &err);
 *   double ms = sloe_layer_sum_predict(&m, &layers, per_layer, trust);
 *   sloe_layer_sum_fini(&m);
 *
 * Knows no CNN: a layer is a row of terms (amounts of work), a row of traits and the number of its
 * family; what they are is net/layer_terms.h's.
 *
 *   layer    t = (sum of coef_i term_i) x exp(trust x g(traits)),  |g| <= limit
 *   network  T = constant + sum of t over its layers
 *
 * g is a sum of trees (model/learned.h), 0 where there are none. trust is 1 for a layer of a family
 * and of sizes that were among those learned from, 0 for an unknown family, and between them
 * exp(-d / fade) with d the sum of what its sizes (the first n_sizes traits) lie beyond the least
 * and most of its family. So far from what is known the plain sum answers, whose coefficients no
 * hardware contradicts.
 *
 * Not taken: a correction of the whole network by its features on top, which knows nothing of other
 * networks (docs/notes/layers-from-networks.md).
 */
#ifndef SLOE_MODEL_LAYER_SUM_H
#define SLOE_MODEL_LAYER_SUM_H

#include "model/learned.h"

enum {
  SLOE_LAYER_SUM_TERMS = 64,
  SLOE_LAYER_SUM_TRAITS = 64,
  SLOE_LAYER_SUM_FAMILIES = 1 << 16,
  SLOE_LAYER_SUM_LIMIT = 100, /* of a correction: exp of it is a number */
};

typedef struct sloe_layer_rows { /* layers, in any order */
  size_t n;
  const double *terms;    /* [n][n_terms], >= 0 */
  const double *traits;   /* [n][n_traits] */
  const uint64_t *family; /* [n] */
} sloe_layer_rows;

typedef struct sloe_layer_sum {
  uint32_t n_terms, n_traits, n_sizes, n_families;
  double constant;      /* ms of a network */
  double *coef;         /* [n_terms] ms, >= 0 */
  double limit, fade;   /* of the correction, see above; > 0 */
  uint64_t *family;     /* [n_families], ascending */
  double *least, *most; /* [n_families][n_sizes] */
  uint32_t has_trees;
  sloe_learned trees; /* n_traits inputs; all zero without trees */
  sloe_arena arena;   /* the arrays but those of `trees` */
} sloe_layer_sum;

/* Arrays of the counts given, zeroed; limit and fade 1. Errors: USAGE (counts), NOMEM. On failure
 *out is all zero. */
sloe_status sloe_layer_sum_init(sloe_layer_sum *out, size_t n_terms, size_t n_traits,
                                size_t n_sizes, size_t n_families, sloe_error *err);
void sloe_layer_sum_fini(sloe_layer_sum *m); /* takes what is all zero */

/* Of a network with these layers, ms. per_layer, trust: [n] or NULL. NAN where a number of a layer
   is not finite; that layer is then NAN too. */
double sloe_layer_sum_predict(const sloe_layer_sum *m, const sloe_layer_rows *layers,
                              double *per_layer, double *trust);

/* Trust of one layer. */
double sloe_layer_sum_trust(const sloe_layer_sum *m, uint64_t family, const double *traits);

/* Does everything a reader must be able to rely on hold? Errors: FORMAT. */
sloe_status sloe_layer_sum_check(const sloe_layer_sum *m, sloe_error *err);

/* Bytes that sloe_layer_sum_decode reads, appended to `out` (a failure sticks there). */
void sloe_layer_sum_encode(const sloe_layer_sum *m, sloe_text *out);
/* `len` bytes; they are copied. On failure *out is all zero. Errors: FORMAT (offset), UNSUPPORTED
   (newer), NOMEM. */
sloe_status sloe_layer_sum_decode(const void *data, size_t len, sloe_layer_sum *out,
                                  sloe_error *err);

#endif
