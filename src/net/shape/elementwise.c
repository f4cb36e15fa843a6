/* Operators that work element by element, with the contents of small constants. Before opset 7
   arithmetic did not broadcast as numpy does: attributes `broadcast` and `axis` say where the
   second operand's axes lie within the first one's. */
#include <inttypes.h>
#include <string.h>

#include "net/shape/element.h"

static sloe_dtype dtype_of(const sloe_infer *cx, size_t i) {
  const sloe_tensor *t = sloe_in(cx, i);
  return t ? t->dtype : SLOE_DT_UNDEFINED;
}

/* Like the first input; an attribute `axis` must be one of its axes. */
sloe_status sloe_shape_same(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  const sloe_attr *axis = sloe_node_attr(cx->node, "axis");
  int at;
  if (!x) return SLOE_OK;
  if (axis && axis->type == SLOE_ATTR_INT && x->rank > 0 && axis->i != x->rank)
    SLOE_TRY(sloe_axis(cx, axis->i, x->rank, &at));
  sloe_set_out(cx, 0, x, dtype_of(cx, 0));
  return SLOE_OK;
}

/* Output 0 like input 0, its contents by `fn` where it is not NULL. */
static sloe_status map(sloe_infer *cx, sloe_dtype dtype, sloe_fold_fn fn) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  if (!x) return SLOE_OK;
  sloe_set_out(cx, 0, x, dtype);
  if (!fn || !sloe_in(cx, 0)->value) return SLOE_OK;
  sloe_operand operand = sloe_fold_operand(cx, 0);
  return sloe_fold_broadcast(cx, x, dtype, &operand, 1, fn);
}

sloe_status sloe_shape_unary(sloe_infer *cx) {
  return map(cx, dtype_of(cx, 0), sloe_fold_knows_unary(cx->node->op) ? sloe_fold_unary : NULL);
}

/* IsNaN, IsInf. */
sloe_status sloe_shape_to_bool(sloe_infer *cx) {
  return map(cx, SLOE_DT_BOOL, NULL);
}

static sloe_element copy_element(const sloe_infer *cx, const sloe_element *x, size_t n) {
  (void)cx, (void)n;
  return *x;
}

/* Before opset 6 `to` was a word: "FLOAT", "INT64". */
static sloe_status cast_target(sloe_infer *cx, sloe_dtype *out) {
  static const char *const words[SLOE_DT_COUNT] = {
#define WORD(name, value, text, bits) [value] = #name,
      SLOE_DTYPE_MAP(WORD)
#undef WORD
  };
  const sloe_attr *to = sloe_node_attr(cx->node, "to");
  if (to && to->type == SLOE_ATTR_STRING && to->s) {
    for (int i = 1; i < SLOE_DT_COUNT; i++)
      if (!strcmp(words[i], to->s)) return *out = (sloe_dtype)i, SLOE_OK;
    return sloe_fail(cx->err, SLOE_FORMAT, "to '%.40s' is no type", to->s);
  }
  if (!to || to->type != SLOE_ATTR_INT)
    return sloe_fail(cx->err, SLOE_FORMAT, "attribute to is missing");
  if (to->i <= SLOE_DT_UNDEFINED || to->i >= SLOE_DT_COUNT)
    return sloe_fail(cx->err, SLOE_FORMAT, "to is %" PRId64 ", no type has this number", to->i);
  *out = (sloe_dtype)to->i;
  return SLOE_OK;
}

sloe_status sloe_shape_cast(sloe_infer *cx) {
  sloe_dtype dtype = dtype_of(cx, 1);
  if (cx->node->op == SLOE_OP_CAST) SLOE_TRY(cast_target(cx, &dtype));
  return map(cx, dtype, copy_element);
}

/* Both bounds, or the only one: x, lower, upper. */
static sloe_element clip_element(const sloe_infer *cx, const sloe_element *x, size_t n) {
  sloe_element out = sloe_element_pick(x[0], x[1], sloe_in(cx, 1) != NULL);
  return n > 2 ? sloe_element_pick(out, x[2], 0) : out;
}

/* Bounds are attributes before opset 11, inputs from then on; contents are kept with inputs only.
 */
sloe_status sloe_shape_clip(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  sloe_operand operands[3] = {sloe_fold_operand(cx, 0)};
  size_t n = 1;
  if (!x) return SLOE_OK;
  sloe_set_out(cx, 0, x, dtype_of(cx, 0));
  for (size_t i = 1; i < 3; i++)
    if (sloe_in(cx, i)) operands[n++] = sloe_fold_operand(cx, i);
  return n > 1 ? sloe_fold_broadcast(cx, x, dtype_of(cx, 0), operands, n, clip_element) : SLOE_OK;
}

/* The slope broadcasts into x; files before opset 7, and some later ones, give one a channel. */
sloe_status sloe_shape_prelu(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0), *slope = sloe_in_shape(cx, 1);
  char buf[SLOE_SHAPE_BUF], into[SLOE_SHAPE_BUF];
  if (!x) return SLOE_OK;
  int fits = !slope || slope->rank <= x->rank;
  for (int i = 1; slope && fits && i <= slope->rank; i++) {
    int64_t from = slope->dim[slope->rank - i], to = x->dim[x->rank - i];
    fits = from < 0 || to < 0 || from == 1 || from == to;
  }
  int per_channel = slope && slope->rank == 1 && x->rank > 1 && slope->dim[0] == x->dim[1];
  if (!fits && !per_channel)
    return sloe_fail(cx->err, SLOE_FORMAT, "slope of %s does not broadcast to %s",
                     sloe_shape_print(slope, buf), sloe_shape_print(x, into));
  sloe_set_out(cx, 0, x, dtype_of(cx, 0));
  return SLOE_OK;
}

/* The second operand as opset < 7 has it, behind it as many 1s as it takes to lie at `axis`. */
static sloe_status place_at_axis(sloe_infer *cx, const sloe_shape *a, sloe_shape *b) {
  const sloe_attr *attr = sloe_node_attr(cx->node, "axis");
  int axis;
  if (!attr || cx->net->opset >= 7 || !sloe_node_int(cx->node, "broadcast", 0)) return SLOE_OK;
  if (a->rank < 1 || b->rank < 1) return SLOE_OK;
  SLOE_TRY(sloe_axis(cx, attr->i, a->rank, &axis));
  if (axis + b->rank > a->rank)
    return sloe_fail(cx->err, SLOE_FORMAT, "axis %d leaves no room for rank %d within rank %d",
                     axis, b->rank, a->rank);
  for (int i = axis + b->rank; i < a->rank; i++) b->dim[b->rank++] = 1;
  return SLOE_OK;
}

/* All inputs broadcast, contents by `fn`. */
static sloe_status combine(sloe_infer *cx, sloe_dtype dtype, sloe_fold_fn fn) {
  sloe_operand operands[SLOE_FOLD_MAX_OPERANDS];
  sloe_shape out = {0};
  size_t n = cx->node->n_in;
  for (size_t i = 0; i < n; i++) {
    sloe_operand x = sloe_fold_operand(cx, i);
    if (x.shape.rank < 0) return SLOE_OK;
    if (i == 1) SLOE_TRY(place_at_axis(cx, &out, &x.shape));
    if (i == 0)
      out = x.shape;
    else
      SLOE_TRY(sloe_broadcast(cx, &out, &x.shape));
    if (i < SLOE_FOLD_MAX_OPERANDS) operands[i] = x;
  }
  sloe_set_out(cx, 0, &out, dtype);
  return n <= SLOE_FOLD_MAX_OPERANDS ? sloe_fold_broadcast(cx, &out, dtype, operands, n, fn)
                                     : SLOE_OK;
}

sloe_status sloe_shape_binary(sloe_infer *cx) {
  sloe_dtype dtype = dtype_of(cx, 0);
  if (dtype == SLOE_DT_UNDEFINED) dtype = dtype_of(cx, 1);
  return combine(cx, dtype, sloe_fold_binary);
}

sloe_status sloe_shape_compare(sloe_infer *cx) {
  return combine(cx, SLOE_DT_BOOL, sloe_fold_compare);
}

sloe_status sloe_shape_where(sloe_infer *cx) {
  sloe_dtype dtype = dtype_of(cx, 1);
  if (dtype == SLOE_DT_UNDEFINED) dtype = dtype_of(cx, 2);
  return combine(cx, dtype, sloe_fold_where);
}

/* a and b, each with scale and zero point behind it. */
sloe_status sloe_shape_qbinary(sloe_infer *cx) {
  const sloe_shape *a = sloe_in_shape(cx, 0), *b = sloe_in_shape(cx, 3);
  if (!a || !b) return SLOE_OK;
  sloe_shape out = *a;
  SLOE_TRY(sloe_broadcast(cx, &out, b));
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0));
  return SLOE_OK;
}
