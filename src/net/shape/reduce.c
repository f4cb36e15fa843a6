/* Reductions along axes, with the contents of small constants: the product of a shape, the largest
   of some sizes. */
#include <inttypes.h>
#include <math.h>

#include "net/shape/element.h"

typedef struct axes {
  int known;
  int count; /* of reduced axes; -1 where not even the number is known */
  unsigned mask;
} axes;

static sloe_status mark_axis(sloe_infer *cx, int64_t axis, int rank, axes *out) {
  int at;
  SLOE_TRY(sloe_axis(cx, axis, rank, &at));
  if (out->mask >> at & 1)
    return sloe_fail(cx->err, SLOE_FORMAT, "axis %" PRId64 " is named twice", axis);
  out->mask |= 1u << at;
  out->count++;
  return SLOE_OK;
}

/* Axes stand in an attribute or in input 1. None of them: all, or with noop_with_empty_axes none.
 */
static sloe_status read_axes(sloe_infer *cx, int rank, axes *out) {
  sloe_ints list = sloe_ints_of(cx, "axes", 1);
  const sloe_shape *shape = sloe_in_shape(cx, 1);
  *out = (axes){.known = 1};
  int empty = shape && shape->rank == 1 && shape->dim[0] == 0;
  if (list.given && !list.v && list.n == 0 && sloe_in(cx, 1) && !empty) {
    int counted = shape && shape->rank == 1 && shape->dim[0] > 0 && shape->dim[0] <= rank;
    *out = (axes){.count = counted ? (int)shape->dim[0] : -1};
    return SLOE_OK;
  }
  for (size_t i = 0; list.v && i < list.n; i++) {
    if (list.v[i] == SLOE_ELEM_UNKNOWN) {
      *out = (axes){.count = list.n <= (size_t)rank ? (int)list.n : -1};
      return SLOE_OK;
    }
    SLOE_TRY(mark_axis(cx, list.v[i], rank, out));
  }
  if (!list.n && !sloe_node_int(cx->node, "noop_with_empty_axes", 0)) {
    out->mask = (1u << rank) - 1;
    out->count = rank;
  }
  return SLOE_OK;
}

/* Which axes are reduced is not known: only the rank may be. */
static void set_vague(sloe_infer *cx, const sloe_shape *x, const axes *a, int keep,
                      sloe_dtype dtype) {
  sloe_shape out = {.rank = x->rank};
  if (!keep && a->count < 0) return;
  if (!keep) out.rank = x->rank - a->count;
  for (int i = 0; i < out.rank; i++) out.dim[i] = SLOE_DIM_UNKNOWN;
  sloe_set_out(cx, 0, &out, dtype);
}

static sloe_shape reduced(const sloe_shape *x, const axes *a, int keep) {
  sloe_shape out = {0};
  for (int i = 0; i < x->rank; i++) {
    int gone = a->mask >> i & 1;
    if (!gone || keep) out.dim[out.rank++] = gone ? 1 : x->dim[i];
  }
  return out;
}

/* ---- contents ---- */

static int folds(sloe_op op) {
  return op == SLOE_OP_REDUCE_SUM || op == SLOE_OP_REDUCE_PROD || op == SLOE_OP_REDUCE_MIN ||
         op == SLOE_OP_REDUCE_MAX || op == SLOE_OP_REDUCE_MEAN;
}

static sloe_element step(sloe_op op, sloe_element acc, sloe_element x) {
  switch (op) {
    case SLOE_OP_REDUCE_PROD: return sloe_element_mul(acc, x);
    case SLOE_OP_REDUCE_MIN: return sloe_element_pick(acc, x, 0);
    case SLOE_OP_REDUCE_MAX: return sloe_element_pick(acc, x, 1);
    default: return sloe_element_add(acc, x);
  }
}

/* What a reduction of nothing gives: the neutral element, and unknown where there is none. */
static sloe_element of_nothing(sloe_op op) {
  if (op == SLOE_OP_REDUCE_SUM) return sloe_element_int(0);
  return op == SLOE_OP_REDUCE_PROD ? sloe_element_int(1) : sloe_element_unknown();
}

/* Flat index in x of the first element that goes to element `k` of the kept axes. */
static size_t index_of(const sloe_shape *x, unsigned mask, size_t k) {
  size_t at = 0, stride = 1;
  for (int i = x->rank - 1; i >= 0; i--) {
    size_t dim = (size_t)x->dim[i];
    if (!(mask >> i & 1)) {
      at += k % dim * stride;
      k /= dim;
    }
    stride *= dim;
  }
  return at;
}

static sloe_element reduce_one(sloe_op op, const sloe_operand *x, unsigned mask, size_t base,
                               size_t n) {
  unsigned all = (1u << x->shape.rank) - 1;
  if (!n) return of_nothing(op);
  sloe_element acc = sloe_value_at(x->value, base);
  for (size_t k = 1; k < n; k++) /* the same walk over the other axes */
    acc = step(op, acc, sloe_value_at(x->value, base + index_of(&x->shape, all & ~mask, k)));
  return op == SLOE_OP_REDUCE_MEAN ? sloe_element_div(acc, sloe_element_int((int64_t)n)) : acc;
}

static sloe_status fold(sloe_infer *cx, const sloe_shape *out, const axes *a, sloe_dtype dtype) {
  sloe_operand x = sloe_fold_operand(cx, 0);
  sloe_status status = SLOE_OK;
  if (!x.value || !folds(cx->node->op) || !sloe_fold_has_type(dtype)) return SLOE_OK;
  uint64_t kept = sloe_shape_elements(out);
  if (kept > SLOE_VALUE_MAX) return SLOE_OK;
  sloe_value *v = sloe_set_value(cx, 0, (size_t)kept, sloe_dtype_is_float(dtype), &status);
  if (!v) return status;
  size_t n = kept ? x.value->n / (size_t)kept : 0;
  for (size_t k = 0; k < kept; k++) {
    size_t base = n ? index_of(&x.shape, a->mask, k) : 0;
    sloe_value_put(v, k, reduce_one(cx->node->op, &x, a->mask, base, n), dtype);
  }
  return SLOE_OK;
}

/* ---- rules ---- */

static sloe_dtype dtype_of(const sloe_infer *cx, size_t i) {
  const sloe_tensor *t = sloe_in(cx, i);
  return t ? t->dtype : SLOE_DT_UNDEFINED;
}

sloe_status sloe_shape_reduce(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  int keep = sloe_node_int(cx->node, "keepdims", 1) != 0;
  sloe_dtype dtype = dtype_of(cx, 0);
  axes a;
  if (!x) return SLOE_OK;
  SLOE_TRY(read_axes(cx, x->rank, &a));
  if (!a.known) return set_vague(cx, x, &a, keep, dtype), SLOE_OK;
  sloe_shape out = reduced(x, &a, keep);
  sloe_set_out(cx, 0, &out, dtype);
  return fold(cx, &out, &a, dtype);
}

sloe_status sloe_shape_arg_reduce(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  axes a = {.known = 1};
  if (!x) return SLOE_OK;
  SLOE_TRY(mark_axis(cx, sloe_node_int(cx->node, "axis", 0), x->rank, &a));
  sloe_shape out = reduced(x, &a, sloe_node_int(cx->node, "keepdims", 1) != 0);
  sloe_set_out(cx, 0, &out, SLOE_DT_INT64);
  return SLOE_OK;
}
