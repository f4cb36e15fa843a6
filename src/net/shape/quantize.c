/* Between floats and scaled integers. */
#include "net/infer.h"

static sloe_dtype dtype_of(const sloe_infer *cx, size_t i) {
  const sloe_tensor *t = sloe_in(cx, i);
  return t ? t->dtype : SLOE_DT_UNDEFINED;
}

/* The zero point says the type; without it attribute output_dtype (opset 21), or uint8. */
sloe_status sloe_shape_quantize(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  sloe_dtype dtype = dtype_of(cx, 2);
  int64_t wanted = sloe_node_int(cx->node, "output_dtype", 0);
  if (dtype == SLOE_DT_UNDEFINED)
    dtype = wanted > 0 && wanted < SLOE_DT_COUNT ? (sloe_dtype)wanted : SLOE_DT_UINT8;
  if (x) sloe_set_out(cx, 0, x, dtype);
  return SLOE_OK;
}

/* The scale says the type. */
sloe_status sloe_shape_dequantize(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  sloe_dtype dtype = dtype_of(cx, 1);
  if (x) sloe_set_out(cx, 0, x, dtype == SLOE_DT_UNDEFINED ? SLOE_DT_FLOAT : dtype);
  return SLOE_OK;
}

/* Outputs: y, its scale and its zero point. */
sloe_status sloe_shape_dynamic_quantize(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0), scalar = {.rank = 0};
  if (x) sloe_set_out(cx, 0, x, SLOE_DT_UINT8);
  sloe_set_out(cx, 1, &scalar, SLOE_DT_FLOAT);
  sloe_set_out(cx, 2, &scalar, SLOE_DT_UINT8);
  return SLOE_OK;
}
