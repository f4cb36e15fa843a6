/* Expand, Tile, CenterCropPad: the wanted size is an input. */
#include "net/shape/fold.h"

/* ---- Expand ---- */

struct aligned {
  sloe_shape src;
  int shift; /* axes that the output has in front of the source's */
};

static int64_t aligned_at(const void *arg, int axis, int64_t o) {
  const struct aligned *a = arg;
  return axis < a->shift || a->src.dim[axis - a->shift] == 1 ? 0 : o;
}

static sloe_status fold_expand(sloe_infer *cx, const sloe_shape *out) {
  sloe_move move = {.src = sloe_in_partly(cx, 0), .out = *out, .at = aligned_at};
  if (!move.src || !sloe_shape_known(out)) return SLOE_OK;
  const sloe_shape *s = sloe_in_shape(cx, 0);
  struct aligned aligned = {*s, out->rank - s->rank};
  sloe_strides(s, move.stride + aligned.shift);
  move.arg = &aligned;
  return sloe_fold_move(cx, 0, &move);
}

sloe_status sloe_shape_expand(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_ints want = sloe_list_of(cx, "shape", 1);
  sloe_shape out = sloe_shape_unknown();
  if (want.v)
    SLOE_TRY(sloe_shape_from(cx, want.v, want.n, &out));
  else
    SLOE_TRY(sloe_shape_blank(cx, sloe_in_length(cx, 1), &out));
  if (out.rank >= 0 && s)
    SLOE_TRY(sloe_broadcast(cx, &out, s));
  else
    out = sloe_shape_unknown();
  sloe_set_out(cx, 0, &out, in ? in->dtype : SLOE_DT_UNDEFINED);
  return fold_expand(cx, &out);
}

/* ---- Tile ---- */

static int64_t tile_at(const void *arg, int axis, int64_t o) {
  const sloe_shape *src = arg;
  return src->dim[axis] ? o % src->dim[axis] : -1;
}

static sloe_status tile_axis(sloe_infer *cx, int64_t times, int64_t *dim) {
  if (times == SLOE_ELEM_UNKNOWN) {
    *dim = *dim == 0 ? 0 : SLOE_DIM_UNKNOWN;
    return SLOE_OK;
  }
  if (times < 0)
    return sloe_fail(cx->err, SLOE_FORMAT, "%lld repeats are negative", (long long)times);
  return sloe_dim_mul(cx, *dim, times, dim);
}

/* Opset 1: one axis, and how often. */
static sloe_status tile_one_axis(sloe_infer *cx, sloe_shape *out) {
  int64_t times = SLOE_ELEM_UNKNOWN, which = 0;
  int axis = 0, known = sloe_in_scalar(cx, 2, &which);
  sloe_in_scalar(cx, 1, &times);
  if (known) SLOE_TRY(sloe_axis(cx, which, out->rank, &axis));
  if (known) return tile_axis(cx, times, &out->dim[axis]);
  for (int a = 0; a < out->rank; a++) out->dim[a] = SLOE_DIM_UNKNOWN;
  return SLOE_OK;
}

static sloe_status tile_shape(sloe_infer *cx, sloe_shape *out) {
  if (sloe_in(cx, 2)) return tile_one_axis(cx, out);
  sloe_ints times = sloe_list_of(cx, "repeats", 1);
  if (times.v && times.n != (size_t)out->rank)
    return sloe_fail(cx->err, SLOE_FORMAT, "%zu repeats for an input of rank %d", times.n,
                     out->rank);
  for (int a = 0; a < out->rank; a++)
    SLOE_TRY(tile_axis(cx, times.v ? times.v[a] : SLOE_ELEM_UNKNOWN, &out->dim[a]));
  return SLOE_OK;
}

sloe_status sloe_shape_tile(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_shape out = s ? *s : sloe_shape_unknown();
  if (s) SLOE_TRY(tile_shape(cx, &out));
  sloe_set_out(cx, 0, &out, in ? in->dtype : SLOE_DT_UNDEFINED);
  sloe_move move = {.src = sloe_in_partly(cx, 0), .out = out, .at = tile_at, .arg = s};
  if (!move.src) return SLOE_OK;
  sloe_strides(s, move.stride);
  return sloe_fold_move(cx, 0, &move);
}

/* ---- CenterCropPad ---- */

static sloe_status crop_shape(sloe_infer *cx, sloe_shape *out) {
  sloe_ints want = sloe_list_of(cx, "shape", 1);
  size_t n = 0;
  const int64_t *axes = sloe_node_ints(cx->node, "axes", &n);
  if (!axes) n = (size_t)out->rank;
  if (want.v && want.n != n)
    return sloe_fail(cx->err, SLOE_FORMAT, "%zu sizes for %zu axes", want.n, n);
  for (size_t k = 0; k < n; k++) {
    int axis = 0;
    int64_t size = want.v ? want.v[k] : SLOE_ELEM_UNKNOWN;
    SLOE_TRY(sloe_axis(cx, axes ? axes[k] : (int64_t)k, out->rank, &axis));
    if (size < 0 && size != SLOE_ELEM_UNKNOWN)
      return sloe_fail(cx->err, SLOE_FORMAT, "size %lld is negative", (long long)size);
    out->dim[axis] = size < 0 ? SLOE_DIM_UNKNOWN : size;
  }
  return SLOE_OK;
}

sloe_status sloe_shape_center_crop_pad(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_shape out = s ? *s : sloe_shape_unknown();
  if (s) SLOE_TRY(crop_shape(cx, &out));
  sloe_set_out(cx, 0, &out, in ? in->dtype : SLOE_DT_UNDEFINED);
  return SLOE_OK;
}
