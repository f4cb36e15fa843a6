/* fold.h: what several families of shape rules share: dims that may be unknown, and moving the
 * contents of small constants. Private to net/shape/.
 *
 * Every operator that only moves data is the same fold: element (o0, o1, ...) of the output is
 * element (at(0, o0), at(1, o1), ...) of the source, or a filler. A rule says `at` and nothing
 * else; see sloe_fold_move().
 */
#ifndef SLOE_NET_SHAPE_FOLD_H
#define SLOE_NET_SHAPE_FOLD_H

#include "net/infer.h"

/* ---- dims: -1 is unknown ---- */

/* *out = a + b or a * b. A negative or overflowing result is SLOE_FORMAT; unknown where one is,
   save 0 times anything. */
sloe_status sloe_dim_add(sloe_infer *cx, int64_t a, int64_t b, int64_t *out);
sloe_status sloe_dim_mul(sloe_infer *cx, int64_t a, int64_t b, int64_t *out);

/* Two statements about one dim: *acc becomes the known one; SLOE_FORMAT where both are known and
   differ. */
sloe_status sloe_dim_agree(sloe_infer *cx, int64_t *acc, int64_t b);

/* A shape from a list of dims: SLOE_ELEM_UNKNOWN becomes an unknown dim, other negative ones are
   SLOE_FORMAT, more than SLOE_MAX_RANK are SLOE_UNSUPPORTED. */
sloe_status sloe_shape_from(sloe_infer *cx, const int64_t *v, size_t n, sloe_shape *out);

/* A shape of `rank` unknown dims; SLOE_UNSUPPORTED where that is too many. */
sloe_status sloe_shape_blank(sloe_infer *cx, int64_t rank, sloe_shape *out);

/* The one dim of input i, a vector whose contents may be unknown; -1 where it is not known. */
int64_t sloe_in_length(const sloe_infer *cx, size_t i);

/* ---- contents ---- */

/* Contents of input i whose shape is known and agrees with their number; NULL otherwise. Elements
   may be SLOE_ELEM_UNKNOWN. `sloe_in_whole`: NULL too where one of them is. */
const sloe_value *sloe_in_partly(const sloe_infer *cx, size_t i);
const sloe_value *sloe_in_whole(const sloe_infer *cx, size_t i);

/* As sloe_ints_of(), but a list of which only some elements are known counts as known: check each
   for SLOE_ELEM_UNKNOWN. */
sloe_ints sloe_list_of(const sloe_infer *cx, const char *name, size_t i);

/* The one integer that input i holds: 1 and *out where it is known, else 0. */
int sloe_in_scalar(const sloe_infer *cx, size_t i, int64_t *out);

/* Is input i a constant of the file, whose INT64_MIN means just that? */
int sloe_in_literal(const sloe_infer *cx, size_t i);

/* Give output i the contents that `from` has (shared, they never change), its CONST flag too. The
   shape is the caller's: a view. */
void sloe_share_value(sloe_infer *cx, size_t i, const sloe_tensor *from);

/* Contents of one element, as a filler or a scalar. */
typedef struct sloe_scalar {
  int real; /* 1: f, 0: i */
  int64_t i;
  double f;
} sloe_scalar;

/* Fill output i, shape already set, with one scalar; nothing where it is too large. */
sloe_status sloe_fold_fill(sloe_infer *cx, size_t i, sloe_scalar what);

typedef struct sloe_move {
  const sloe_value *src;
  sloe_shape out;                /* of the output, known */
  int64_t stride[SLOE_MAX_RANK]; /* of each output axis in the source, elements */
  /* Index in the source along output axis `axis`, or -1 for the filler. NULL: o itself. */
  int64_t (*at)(const void *arg, int axis, int64_t o);
  const void *arg;
  sloe_scalar fill;
} sloe_move;

/* Contents of output i, shape already set, from a move. Nothing where the output is too large or
   its shape unknown, or where a filler of the wrong sort would be needed. */
sloe_status sloe_fold_move(sloe_infer *cx, size_t i, const sloe_move *move);

/* Row-major strides of a known shape, for a source no larger than SLOE_VALUE_MAX. */
void sloe_strides(const sloe_shape *shape, int64_t stride[SLOE_MAX_RANK]);

#endif
