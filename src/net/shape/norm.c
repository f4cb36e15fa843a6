/* Normalisations whose outputs are not all like the input; the others use `same`. */
#include <inttypes.h>

#include "net/infer.h"

static sloe_dtype dtype_of(const sloe_infer *cx, size_t i) {
  const sloe_tensor *t = sloe_in(cx, i);
  return t ? t->dtype : SLOE_DT_UNDEFINED;
}

/* Scale, bias, mean and variance have one element a channel; with opset < 9's spatial=0 one for
   each element of an example. */
static sloe_status check_channels(sloe_infer *cx, const sloe_shape *x) {
  int64_t channels = x->rank > 1 ? x->dim[1] : 1;
  if (channels < 0 || !sloe_node_int(cx->node, "spatial", 1)) return SLOE_OK;
  for (size_t i = 1; i < 5; i++) {
    const sloe_shape *s = sloe_in_shape(cx, i);
    if (s && s->rank == 1 && s->dim[0] == channels) continue;
    if (s && sloe_shape_known(s) && sloe_shape_elements(s) != (uint64_t)channels)
      return sloe_fail(cx->err, SLOE_FORMAT,
                       "input %zu has %" PRIu64 " elements for %" PRId64 " channels", i,
                       sloe_shape_elements(s), channels);
  }
  return SLOE_OK;
}

/* Behind Y come mean and variance, and before opset 14 the saved ones. */
sloe_status sloe_shape_batch_norm(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0), *mean = sloe_in_shape(cx, 3);
  if (x) {
    SLOE_TRY(check_channels(cx, x));
    sloe_set_out(cx, 0, x, dtype_of(cx, 0));
  }
  for (size_t i = 1; mean && i < 5; i++) sloe_set_out(cx, i, mean, dtype_of(cx, 3));
  return SLOE_OK;
}

/* `x` with every axis from `axis` on reduced to 1. */
static sloe_shape statistics_of(const sloe_shape *x, int axis) {
  sloe_shape out = *x;
  for (int i = axis; i < x->rank; i++) out.dim[i] = 1;
  return out;
}

/* Outputs: Y, mean, inverse deviation (the simplified form: Y, inverse deviation). */
sloe_status sloe_shape_layer_norm(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  int axis;
  if (!x) return SLOE_OK;
  SLOE_TRY(sloe_axis(cx, sloe_node_int(cx->node, "axis", -1), x->rank, &axis));
  sloe_set_out(cx, 0, x, dtype_of(cx, 0));
  sloe_shape statistics = statistics_of(x, axis);
  for (size_t i = 1; i < 3; i++) sloe_set_out(cx, i, &statistics, SLOE_DT_FLOAT);
  return SLOE_OK;
}

/* Outputs: Y, mean, inverse deviation, the sum of input and skip. */
sloe_status sloe_shape_skip_layer_norm(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  if (!x) return SLOE_OK;
  if (x->rank < 1) return sloe_fail(cx->err, SLOE_FORMAT, "the input is a scalar");
  sloe_set_out(cx, 0, x, dtype_of(cx, 0));
  sloe_set_out(cx, 3, x, dtype_of(cx, 0));
  sloe_shape statistics = statistics_of(x, x->rank - 1);
  for (size_t i = 1; i < 3; i++) sloe_set_out(cx, i, &statistics, SLOE_DT_FLOAT);
  return SLOE_OK;
}
