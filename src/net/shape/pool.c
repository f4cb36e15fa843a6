/* Pools over windows, over whole maps and over regions. */
#include <inttypes.h>

#include "net/shape/checked.h"
#include "net/shape/element.h"
#include "net/shape/window.h"

static sloe_dtype dtype_of(const sloe_infer *cx, size_t i) {
  const sloe_tensor *t = sloe_in(cx, i);
  return t ? t->dtype : SLOE_DT_UNDEFINED;
}

static sloe_status check_rank(sloe_infer *cx, const sloe_shape *x, int least) {
  if (x->rank >= least) return SLOE_OK;
  return sloe_fail(cx->err, SLOE_FORMAT, "input has rank %d, must be at least %d", x->rank, least);
}

/* The first spatial axis: 2, or 1 where com.microsoft's attribute puts the channels last. */
static int first_spatial(const sloe_infer *cx) {
  return sloe_node_int(cx->node, "channels_last", 0) ? 1 : 2;
}

sloe_status sloe_shape_pool(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  sloe_window window;
  if (!x) return SLOE_OK;
  SLOE_TRY(check_rank(cx, x, 3));
  SLOE_TRY(sloe_window_read(cx, x->rank - 2, NULL, &window));
  sloe_shape out = *x;
  int first = first_spatial(cx);
  for (int i = 0; i < window.n; i++)
    SLOE_TRY(sloe_window_size(cx, &window, i, x->dim[i + first], &out.dim[i + first]));
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0));
  if (cx->node->op == SLOE_OP_MAX_POOL) sloe_set_out(cx, 1, &out, SLOE_DT_INT64);
  return SLOE_OK;
}

static sloe_status pool_whole(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  if (!x) return SLOE_OK;
  SLOE_TRY(check_rank(cx, x, 2));
  sloe_shape out = *x;
  int first = first_spatial(cx);
  for (int i = 0; i < x->rank - 2; i++) out.dim[i + first] = 1;
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0));
  return SLOE_OK;
}

sloe_status sloe_shape_global_pool(sloe_infer *cx) {
  return pool_whole(cx);
}

sloe_status sloe_shape_qglobal_pool(sloe_infer *cx) {
  return pool_whole(cx);
}

/* (in - 1) * stride + kernel - pads: what a pool with this window would have read. */
static sloe_status unpooled_size(sloe_infer *cx, const sloe_window *w, int i, int64_t in,
                                 int64_t *out) {
  int64_t size;
  *out = SLOE_DIM_UNKNOWN;
  if (in < 0) return SLOE_OK;
  if (!sloe_int_mul(in - 1, w->stride[i], &size) || !sloe_int_add(size, w->kernel[i], &size) ||
      !sloe_int_sub(size, w->pad_sum[i], &size) || size < 1)
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "input %" PRId64 ", stride %" PRId64 " and pads %" PRId64 " leave no output",
                     in, w->stride[i], w->pad_sum[i]);
  *out = size;
  return SLOE_OK;
}

/* The third input of MaxUnpool tells the whole shape. */
static sloe_status wanted_shape(sloe_infer *cx, sloe_shape *out) {
  const sloe_value *v = sloe_fold_operand(cx, 2).value;
  if (v && (v->real || v->n != (size_t)out->rank))
    return sloe_fail(cx->err, SLOE_FORMAT, "output_shape has %zu values for rank %d", v->n,
                     out->rank);
  for (int i = 0; i < out->rank; i++) {
    out->dim[i] = v && v->i[i] != SLOE_ELEM_UNKNOWN ? v->i[i] : SLOE_DIM_UNKNOWN;
    if (v && v->i[i] != SLOE_ELEM_UNKNOWN && v->i[i] < 0)
      return sloe_fail(cx->err, SLOE_FORMAT, "output_shape holds %" PRId64, v->i[i]);
  }
  return SLOE_OK;
}

sloe_status sloe_shape_max_unpool(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  sloe_window window;
  if (!x) return SLOE_OK;
  SLOE_TRY(check_rank(cx, x, 3));
  SLOE_TRY(sloe_window_read(cx, x->rank - 2, NULL, &window));
  sloe_shape out = *x;
  if (sloe_in(cx, 2))
    SLOE_TRY(wanted_shape(cx, &out));
  else
    for (int i = 0; i < window.n; i++)
      SLOE_TRY(unpooled_size(cx, &window, i, x->dim[i + 2], &out.dim[i + 2]));
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0));
  return SLOE_OK;
}

/* (regions, channels, height, width) of a pool over regions of interest. */
static sloe_status pool_regions(sloe_infer *cx, int64_t height, int64_t width, int64_t columns) {
  const sloe_shape *x = sloe_in_shape(cx, 0), *rois = sloe_in_shape(cx, 1);
  if (height < 1 || width < 1)
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "pooled size is %" PRId64 "x%" PRId64 ", must be at least 1", height, width);
  if (x && x->rank != 4)
    return sloe_fail(cx->err, SLOE_FORMAT, "input has rank %d, must be 4", x->rank);
  if (rois && (rois->rank != 2 || (rois->dim[1] >= 0 && rois->dim[1] != columns))) {
    char buf[SLOE_SHAPE_BUF];
    return sloe_fail(cx->err, SLOE_FORMAT, "regions are %s, must be ?x%" PRId64,
                     sloe_shape_print(rois, buf), columns);
  }
  sloe_shape out = sloe_shape_of(4, (int64_t[]){rois ? rois->dim[0] : SLOE_DIM_UNKNOWN,
                                                x ? x->dim[1] : SLOE_DIM_UNKNOWN, height, width});
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0));
  return SLOE_OK;
}

sloe_status sloe_shape_roi_pool(sloe_infer *cx) {
  size_t n;
  const int64_t *size = sloe_node_ints(cx->node, "pooled_shape", &n);
  if (n != 2)
    return sloe_fail(cx->err, SLOE_FORMAT, "pooled_shape has %zu values, 2 are needed", n);
  return pool_regions(cx, size[0], size[1], 5);
}

sloe_status sloe_shape_roi_align(sloe_infer *cx) {
  return pool_regions(cx, sloe_node_int(cx->node, "output_height", 1),
                      sloe_node_int(cx->node, "output_width", 1), 4);
}
