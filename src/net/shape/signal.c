/* Determinants, Fourier transforms, window functions. */
#include <inttypes.h>

#include "net/infer.h"

static sloe_dtype dtype_of(const sloe_infer *cx, size_t i) {
  const sloe_tensor *t = sloe_in(cx, i);
  return t ? t->dtype : SLOE_DT_UNDEFINED;
}

/* A stack of square matrices gives a stack of numbers. */
sloe_status sloe_shape_det(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  char buf[SLOE_SHAPE_BUF];
  if (!x) return SLOE_OK;
  int64_t rows = x->rank < 2 ? 0 : x->dim[x->rank - 2],
          columns = x->rank < 2 ? 1 : x->dim[x->rank - 1];
  if (rows >= 0 && columns >= 0 && rows != columns)
    return sloe_fail(cx->err, SLOE_FORMAT, "input of %s holds no square matrices",
                     sloe_shape_print(x, buf));
  sloe_shape out = sloe_shape_of(x->rank - 2, x->dim);
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0));
  return SLOE_OK;
}

/* Input `i` as one integer: SLOE_DIM_UNKNOWN where it depends on data. */
static sloe_status read_size(sloe_infer *cx, size_t i, const char *name, int64_t *out) {
  const sloe_value *v = sloe_in_value(cx, i);
  *out = SLOE_DIM_UNKNOWN;
  if (!v || v->n != 1 || v->real || v->i[0] == SLOE_ELEM_UNKNOWN) return SLOE_OK;
  if (v->i[0] < 0) return sloe_fail(cx->err, SLOE_FORMAT, "%s is %" PRId64, name, v->i[0]);
  *out = v->i[0];
  return SLOE_OK;
}

/* The transformed axis: an attribute at opset 17, input 2 from opset 20. *known is 0 where its
   contents are not. */
static sloe_status transformed_axis(sloe_infer *cx, int rank, int *axis, int *known) {
  int64_t at = cx->net->opset >= 20 ? -2 : sloe_node_int(cx->node, "axis", 1);
  const sloe_value *v = sloe_in_value(cx, 2);
  *known = !sloe_in(cx, 2) || (v && v->n == 1 && !v->real && v->i[0] != SLOE_ELEM_UNKNOWN);
  if (!*known) return SLOE_OK;
  if (v) at = v->i[0];
  return sloe_axis(cx, at, rank, axis);
}

/* Real or complex in (last axis 1 or 2), complex out. */
sloe_status sloe_shape_dft(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  int64_t length;
  int axis, known;
  if (!x) return SLOE_OK;
  if (x->rank < 2)
    return sloe_fail(cx->err, SLOE_FORMAT, "input has rank %d, must be at least 2", x->rank);
  SLOE_TRY(read_size(cx, 1, "dft_length", &length));
  SLOE_TRY(transformed_axis(cx, x->rank, &axis, &known));
  if (known && axis == x->rank - 1)
    return sloe_fail(cx->err, SLOE_FORMAT, "axis %d holds real and imaginary parts", axis);
  sloe_shape out = *x;
  out.dim[x->rank - 1] = 2;
  for (int i = 0; i + 1 < x->rank; i++) {
    if (known && i != axis) continue;
    if (sloe_in(cx, 1) || !known) out.dim[i] = known ? length : SLOE_DIM_UNKNOWN;
    if (sloe_node_int(cx->node, "onesided", 0) && out.dim[i] >= 0) out.dim[i] = out.dim[i] / 2 + 1;
  }
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0));
  return SLOE_OK;
}

/* As many samples as the scalar input says, of the type that the attribute does. */
sloe_status sloe_shape_window(sloe_infer *cx) {
  int64_t size, dtype = sloe_node_int(cx->node, "output_datatype", SLOE_DT_FLOAT);
  SLOE_TRY(read_size(cx, 0, "size", &size));
  if (dtype <= SLOE_DT_UNDEFINED || dtype >= SLOE_DT_COUNT)
    return sloe_fail(cx->err, SLOE_FORMAT, "output_datatype %" PRId64 " is no type", dtype);
  sloe_shape out = sloe_shape_of(1, &size);
  sloe_set_out(cx, 0, &out, (sloe_dtype)dtype);
  return SLOE_OK;
}
