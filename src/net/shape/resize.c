/* Resampling. Sizes are computed in float32 as runtimes do: floor(size * scale), and rounded where
   keep_aspect_ratio_policy makes the scale from sizes. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "net/shape/element.h"

static sloe_dtype dtype_of(const sloe_infer *cx, size_t i) {
  const sloe_tensor *t = sloe_in(cx, i);
  return t ? t->dtype : SLOE_DT_UNDEFINED;
}

/* Is input `i` there and not the empty tensor that stands for "left out"? */
static int is_given(const sloe_infer *cx, size_t i) {
  const sloe_shape *s = sloe_in_shape(cx, i);
  return sloe_in(cx, i) && !(s && s->rank == 1 && s->dim[0] == 0);
}

/* A computed size; unknown where a number that it was computed from is. */
static sloe_status to_size(sloe_infer *cx, float size, int64_t *out) {
  *out = SLOE_DIM_UNKNOWN;
  if (isnan(size)) return SLOE_OK;
  if (!(size < 0x1p62f)) return sloe_fail(cx->err, SLOE_FORMAT, "a size overflows when scaled");
  *out = (int64_t)size;
  return SLOE_OK;
}

static sloe_status scaled(sloe_infer *cx, int64_t in, float scale, int64_t *out) {
  if (scale <= 0) return sloe_fail(cx->err, SLOE_FORMAT, "a scale is not positive");
  return to_size(cx, in < 0 ? NAN : floorf((float)in * scale), out);
}

/* The axes that scales and sizes speak of, all by default (attribute from opset 18). */
static sloe_status read_axes(sloe_infer *cx, int rank, int axis[SLOE_MAX_RANK], int *n) {
  size_t count;
  const int64_t *v = sloe_node_ints(cx->node, "axes", &count);
  *n = count ? (int)count : rank;
  if (count > (size_t)rank)
    return sloe_fail(cx->err, SLOE_FORMAT, "%zu axes for an input of rank %d", count, rank);
  for (int i = 0; i < *n; i++) {
    axis[i] = i;
    if (count) SLOE_TRY(sloe_axis(cx, v[i], rank, &axis[i]));
  }
  return SLOE_OK;
}

static sloe_status check_count(sloe_infer *cx, const char *what, size_t n, int wanted) {
  if (n == (size_t)wanted) return SLOE_OK;
  return sloe_fail(cx->err, SLOE_FORMAT, "%zu %s for %d axes", n, what, wanted);
}

/* With tf_crop_and_resize the part of the axis that the region of interest covers, else 1. */
static float part_of(const sloe_infer *cx, int i, int n) {
  const char *mode = sloe_node_string(cx->node, "coordinate_transformation_mode", "");
  if (strcmp(mode, "tf_crop_and_resize") != 0) return 1;
  const sloe_value *roi = sloe_fold_operand(cx, 1).value;
  if (!roi || !roi->real || roi->n != 2 * (size_t)n) return NAN;
  return (float)(roi->f[n + i] - roi->f[i]);
}

static sloe_status resize_by_scales(sloe_infer *cx, size_t input, const int *axis, int n,
                                    sloe_shape *out) {
  const sloe_value *v = sloe_fold_operand(cx, input).value;
  if (v) SLOE_TRY(check_count(cx, "scales", v->n, n));
  for (int i = 0; i < n; i++) {
    float scale = v && v->real ? (float)v->f[i] : NAN;
    if (input == 2) scale = scale * part_of(cx, i, n);
    SLOE_TRY(scaled(cx, out->dim[axis[i]], scale, &out->dim[axis[i]]));
  }
  return SLOE_OK;
}

/* The one scale that makes no axis larger, or none smaller, than its size; NAN where unknown. */
static float common_scale(const sloe_shape *x, const sloe_value *v, const int *axis, int n,
                          int smaller) {
  float scale = NAN;
  for (int i = 0; i < n; i++) {
    int64_t in = x->dim[axis[i]];
    if (in < 1 || v->i[i] == SLOE_ELEM_UNKNOWN) return NAN;
    float s = (float)v->i[i] / (float)in;
    if (isnan(scale) || (smaller ? s < scale : s > scale)) scale = s;
  }
  return scale;
}

static sloe_status resize_to_sizes(sloe_infer *cx, const int *axis, int n, sloe_shape *out) {
  const sloe_value *v = sloe_fold_operand(cx, 3).value;
  const char *policy = sloe_node_string(cx->node, "keep_aspect_ratio_policy", "stretch");
  if (v && v->real) return sloe_fail(cx->err, SLOE_FORMAT, "sizes are not integers");
  if (v) SLOE_TRY(check_count(cx, "sizes", v->n, n));
  int stretch = !strcmp(policy, "stretch");
  float scale = v && !stretch ? common_scale(out, v, axis, n, !strcmp(policy, "not_larger")) : NAN;
  for (int i = 0; i < n; i++) {
    int64_t *dim = &out->dim[axis[i]];
    int64_t size = v && v->i[i] != SLOE_ELEM_UNKNOWN ? v->i[i] : SLOE_DIM_UNKNOWN;
    if (v && v->i[i] != SLOE_ELEM_UNKNOWN && v->i[i] < 0)
      return sloe_fail(cx->err, SLOE_FORMAT, "a size is %" PRId64, v->i[i]);
    if (!stretch) SLOE_TRY(to_size(cx, *dim < 0 ? NAN : roundf((float)*dim * scale), &size));
    *dim = size;
  }
  return SLOE_OK;
}

/* Opset 10: X, scales. From 11: X, region, scales, sizes; of the last two one is given. */
sloe_status sloe_shape_resize(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  int axis[SLOE_MAX_RANK] = {0}, n;
  if (!x) return SLOE_OK;
  sloe_shape out = *x;
  SLOE_TRY(read_axes(cx, x->rank, axis, &n));
  if (is_given(cx, 3))
    SLOE_TRY(resize_to_sizes(cx, axis, n, &out));
  else if (is_given(cx, 2))
    SLOE_TRY(resize_by_scales(cx, 2, axis, n, &out));
  else if (is_given(cx, 1) && cx->node->n_in == 2 && cx->net->opset < 11)
    SLOE_TRY(resize_by_scales(cx, 1, axis, n, &out));
  else
    return sloe_fail(cx->err, SLOE_FORMAT, "neither scales nor sizes are given");
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0));
  return SLOE_OK;
}

/* Scales of Upsample before opset 9: a list, or at opset 1 those of height and width. */
static sloe_status upsample_by_attribute(sloe_infer *cx, sloe_shape *out) {
  const sloe_attr *scales = sloe_node_attr(cx->node, "scales");
  if (scales && scales->type == SLOE_ATTR_FLOATS) {
    SLOE_TRY(check_count(cx, "scales", scales->n, out->rank));
    for (int i = 0; i < out->rank; i++)
      SLOE_TRY(scaled(cx, out->dim[i], (float)scales->floats[i], &out->dim[i]));
    return SLOE_OK;
  }
  if (out->rank != 4 || !sloe_node_attr(cx->node, "height_scale"))
    return sloe_fail(cx->err, SLOE_FORMAT, "scales are missing");
  float height = (float)sloe_node_float(cx->node, "height_scale", 1);
  float width = (float)sloe_node_float(cx->node, "width_scale", 1);
  SLOE_TRY(scaled(cx, out->dim[2], height, &out->dim[2]));
  return scaled(cx, out->dim[3], width, &out->dim[3]);
}

sloe_status sloe_shape_upsample(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0);
  int axis[SLOE_MAX_RANK] = {0};
  if (!x) return SLOE_OK;
  sloe_shape out = *x;
  for (int i = 0; i < x->rank; i++) axis[i] = i;
  SLOE_TRY(sloe_in(cx, 1) ? resize_by_scales(cx, 1, axis, x->rank, &out)
                          : upsample_by_attribute(cx, &out));
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0));
  return SLOE_OK;
}

/* x (N, C, in...) at the points of grid (N, out..., axes). */
sloe_status sloe_shape_grid_sample(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0), *grid = sloe_in_shape(cx, 1);
  if (!x || !grid) return SLOE_OK;
  if (x->rank < 3 || grid->rank != x->rank)
    return sloe_fail(cx->err, SLOE_FORMAT, "input has rank %d, the grid %d", x->rank, grid->rank);
  int64_t axes = grid->dim[grid->rank - 1];
  if (axes >= 0 && axes != x->rank - 2)
    return sloe_fail(cx->err, SLOE_FORMAT, "points of %" PRId64 " coordinates in %d axes", axes,
                     x->rank - 2);
  sloe_shape out = *x;
  for (int i = 2; i < x->rank; i++) out.dim[i] = grid->dim[i - 1];
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0));
  return SLOE_OK;
}

/* theta (N, 2, 3) or (N, 3, 4); size (N, C, in...): a grid (N, in..., axes). */
sloe_status sloe_shape_affine_grid(sloe_infer *cx) {
  const sloe_shape *theta = sloe_in_shape(cx, 0);
  const sloe_value *size = sloe_fold_operand(cx, 1).value;
  int64_t axes = theta && theta->rank == 3 ? theta->dim[1] : SLOE_DIM_UNKNOWN;
  if (size && !size->real && (size->n == 4 || size->n == 5)) axes = (int64_t)size->n - 2;
  if (axes != 2 && axes != 3) return SLOE_OK;
  sloe_shape out = {.rank = (int)axes + 2};
  for (int i = 0; i <= axes; i++) {
    int64_t dim = SLOE_DIM_UNKNOWN;
    if (size && !size->real && size->n == (size_t)axes + 2) dim = size->i[i ? i + 1 : 0];
    if (dim < SLOE_DIM_UNKNOWN && dim != SLOE_ELEM_UNKNOWN)
      return sloe_fail(cx->err, SLOE_FORMAT, "a size is %" PRId64, dim);
    out.dim[i] = dim < 0 ? SLOE_DIM_UNKNOWN : dim;
  }
  out.dim[axes + 1] = axes;
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0));
  return SLOE_OK;
}
