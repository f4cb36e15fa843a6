/* Concat and QLinearConcat: all dims but one agree, that one adds up. */
#include "net/shape/fold.h"

static sloe_status concat_axis(sloe_infer *cx, int rank, int *axis) {
  if (!sloe_node_attr(cx->node, "axis") && cx->net->opset >= 4)
    return sloe_fail(cx->err, SLOE_FORMAT, "attribute axis is missing");
  return sloe_axis(cx, sloe_node_int(cx->node, "axis", 1), rank, axis);
}

/* The common shape of inputs first, first + step, ...; dims other than the axis from all of them.
 */
static sloe_status common_shape(sloe_infer *cx, size_t first, size_t by, sloe_shape *out,
                                int *axis) {
  int64_t sum = 0;
  *out = sloe_shape_unknown();
  for (size_t i = first; i < cx->node->n_in; i += by) {
    const sloe_shape *s = sloe_in_shape(cx, i);
    if (!s) continue;
    if (out->rank < 0) {
      *out = *s;
      SLOE_TRY(concat_axis(cx, s->rank, axis));
    }
    if (s->rank != out->rank)
      return sloe_fail(cx->err, SLOE_FORMAT, "input %zu has rank %d and not %d as the others", i,
                       s->rank, out->rank);
    for (int a = 0; a < s->rank; a++)
      if (a != *axis) SLOE_TRY(sloe_dim_agree(cx, &out->dim[a], s->dim[a]));
  }
  for (size_t i = first; out->rank >= 0 && i < cx->node->n_in; i += by) {
    const sloe_shape *s = sloe_in_shape(cx, i);
    SLOE_TRY(sloe_dim_add(cx, sum, s ? s->dim[*axis] : SLOE_DIM_UNKNOWN, &sum));
  }
  if (out->rank >= 0) out->dim[*axis] = sum;
  return SLOE_OK;
}

/* Vectors of shape arithmetic: what one input does not tell is left unknown in the sum. */
static int foldable(const sloe_infer *cx, size_t i, int *real, int *known) {
  const sloe_shape *s = sloe_in_shape(cx, i);
  const sloe_value *v = sloe_in_partly(cx, i);
  const sloe_tensor *t = sloe_in(cx, i);
  if (!s || !sloe_shape_known(s)) return 0;
  if (!v) return s->rank == 1 && (t->dtype == SLOE_DT_INT64 || t->dtype == SLOE_DT_INT32);
  if (*known && v->real != *real) return 0;
  *real = v->real;
  *known = 1;
  return 1;
}

/* Copy input i, which stands at `offset` along the axis, into the output's contents. */
static void copy_part(const sloe_infer *cx, size_t i, sloe_value *to, uint64_t outer,
                      uint64_t row_out, uint64_t offset, uint64_t row) {
  const sloe_value *v = sloe_in_partly(cx, i);
  for (uint64_t o = 0; o < outer; o++)
    for (uint64_t k = 0; k < row; k++) {
      uint64_t at = o * row_out + offset + k;
      if (to->real)
        to->f[at] = v->f[o * row + k];
      else
        to->i[at] = v ? v->i[o * row + k] : SLOE_ELEM_UNKNOWN;
    }
}

static sloe_status fold_concat(sloe_infer *cx, const sloe_shape *out, int axis) {
  int real = 0, known = 0;
  for (size_t i = 0; i < cx->node->n_in; i++)
    if (!foldable(cx, i, &real, &known)) return SLOE_OK;
  if (!known || sloe_shape_elements(out) > SLOE_VALUE_MAX || !sloe_shape_known(out)) return SLOE_OK;
  if (real)
    for (size_t i = 0; i < cx->node->n_in; i++)
      if (!sloe_in_partly(cx, i)) return SLOE_OK;
  sloe_status status = SLOE_OK;
  sloe_value *to = sloe_set_value(cx, 0, (size_t)sloe_shape_elements(out), real, &status);
  if (!to || !to->n) return status;
  uint64_t outer = 1, inner = 1, offset = 0;
  for (int a = 0; a < axis; a++) outer *= (uint64_t)out->dim[a];
  for (int a = axis + 1; a < out->rank; a++) inner *= (uint64_t)out->dim[a];
  for (size_t i = 0; i < cx->node->n_in; i++) {
    uint64_t row = (uint64_t)sloe_in_shape(cx, i)->dim[axis] * inner;
    copy_part(cx, i, to, outer, inner * (uint64_t)out->dim[axis], offset, row);
    offset += row;
  }
  return SLOE_OK;
}

sloe_status sloe_shape_concat(sloe_infer *cx) {
  sloe_shape out;
  int axis = 0;
  SLOE_TRY(common_shape(cx, 0, 1, &out, &axis));
  const sloe_tensor *first = sloe_in(cx, 0);
  sloe_set_out(cx, 0, &out, first ? first->dtype : SLOE_DT_UNDEFINED);
  if (out.rank < 0) return SLOE_OK;
  return fold_concat(cx, &out, axis);
}

/* Inputs: the result's scale and zero point, then (tensor, scale, zero point) of each part. */
sloe_status sloe_shape_qconcat(sloe_infer *cx) {
  sloe_shape out;
  int axis = 0;
  SLOE_TRY(common_shape(cx, 2, 3, &out, &axis));
  const sloe_tensor *zero = sloe_in(cx, 1);
  sloe_set_out(cx, 0, &out, zero ? zero->dtype : SLOE_DT_UNDEFINED);
  return SLOE_OK;
}
