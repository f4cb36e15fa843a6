/* element.h: computing the contents of small constants, one element at a time. Private to
 * net/shape/.
 *
 * An element may be unknown: SLOE_ELEM_UNKNOWN among integers, NAN among floats (shape arithmetic
 * has no other use for it). What is computed from an unknown element is unknown, where the other
 * operand does not settle it (false AND x). So is what does not fit its type: sizes that overflow
 * must not wrap into plausible ones.
 */
#ifndef SLOE_NET_SHAPE_ELEMENT_H
#define SLOE_NET_SHAPE_ELEMENT_H

#include "net/infer.h"

typedef struct sloe_element {
  int real; /* 1: f holds it, 0: i */
  int64_t i;
  double f;
} sloe_element;

sloe_element sloe_element_int(int64_t i);
sloe_element sloe_element_real(double f);
sloe_element sloe_element_unknown(void);
int sloe_element_is_unknown(sloe_element x);
double sloe_element_to_real(sloe_element x); /* NAN where unknown */

sloe_element sloe_value_at(const sloe_value *v, size_t k);

/* Store `x` as `dtype` has it: rounded to float32, truncated to an integer, 0 or 1 for BOOL. */
void sloe_value_put(sloe_value *v, size_t k, sloe_element x, sloe_dtype dtype);

/* Are elements of this type held by values at all (not strings, not complex numbers)? */
int sloe_fold_has_type(sloe_dtype dtype);

typedef struct sloe_operand {
  sloe_shape shape;
  const sloe_value *value; /* NULL: contents unknown */
} sloe_operand;

enum { SLOE_FOLD_MAX_OPERANDS = 8 };

/* Input `i` with contents that agree with its shape, elements of which may be unknown; value NULL
   where there are none. */
sloe_operand sloe_fold_operand(const sloe_infer *cx, size_t i);

/* One element of the output from one of each operand. */
typedef sloe_element (*sloe_fold_fn)(const sloe_infer *cx, const sloe_element *x, size_t n);

/* Contents of output 0, of shape `out` and type `dtype`, from operands broadcast to it. Does
   nothing where an operand has no contents or there are too many. */
sloe_status sloe_fold_broadcast(sloe_infer *cx, const sloe_shape *out, sloe_dtype dtype,
                                const sloe_operand *x, size_t n, sloe_fold_fn fn);

/* The functions themselves (elementops.c), told apart by the node's op. */
int sloe_fold_knows_unary(sloe_op op);
sloe_element sloe_fold_unary(const sloe_infer *cx, const sloe_element *x, size_t n);
sloe_element sloe_fold_binary(const sloe_infer *cx, const sloe_element *x, size_t n);
sloe_element sloe_fold_compare(const sloe_infer *cx, const sloe_element *x, size_t n);
sloe_element sloe_fold_where(const sloe_infer *cx, const sloe_element *x, size_t n);

/* Sum and product of two elements, the smaller or larger one. */
sloe_element sloe_element_add(sloe_element a, sloe_element b);
sloe_element sloe_element_mul(sloe_element a, sloe_element b);
sloe_element sloe_element_div(sloe_element a,
                              sloe_element b); /* integers: truncated, by 0 unknown */
sloe_element sloe_element_pick(sloe_element a, sloe_element b, int larger);

#endif
