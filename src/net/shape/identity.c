/* What changes nothing at inference: Identity, Dropout. */
#include "net/shape/fold.h"

sloe_status sloe_shape_identity(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  if (!in) return SLOE_OK;
  sloe_set_out(cx, 0, &in->shape, in->dtype);
  sloe_share_value(cx, 0, in);
  return SLOE_OK;
}

/* The mask is boolean since opset 10, of the data's type before. In training mode (input 2, opset
   12) the contents are random. */
sloe_status sloe_shape_dropout(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  int64_t training = 0;
  if (!in) return SLOE_OK;
  sloe_set_out(cx, 0, &in->shape, in->dtype);
  sloe_set_out(cx, 1, &in->shape, cx->net->opset < 10 ? in->dtype : SLOE_DT_BOOL);
  int known = !sloe_in(cx, 2) || sloe_in_scalar(cx, 2, &training);
  if (known && !training) sloe_share_value(cx, 0, in);
  return SLOE_OK;
}
