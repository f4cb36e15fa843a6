/* Convolutions. Weights are (M, C / group, k...), transposed ones (C, M / group, k...). */
#include <inttypes.h>

#include "net/shape/checked.h"
#include "net/shape/window.h"

/* Groups, and that input and weights have one rank of at least 3. */
static sloe_status check_ranks(sloe_infer *cx, const sloe_shape *x, const sloe_shape *w,
                               int64_t *group) {
  *group = sloe_node_int(cx->node, "group", 1);
  if (*group < 1)
    return sloe_fail(cx->err, SLOE_FORMAT, "group is %" PRId64 ", must be at least 1", *group);
  if (x->rank < 3)
    return sloe_fail(cx->err, SLOE_FORMAT, "input has rank %d, must be at least 3", x->rank);
  if (w->rank >= 0 && w->rank != x->rank)
    return sloe_fail(cx->err, SLOE_FORMAT, "weights have rank %d, the input has %d", w->rank,
                     x->rank);
  return SLOE_OK;
}

static sloe_status check_bias(sloe_infer *cx, size_t i, int64_t filters) {
  const sloe_shape *b = sloe_in_shape(cx, i);
  if (!b || filters < 0) return SLOE_OK;
  uint64_t n = sloe_shape_elements(b);
  if (sloe_shape_known(b) && n != (uint64_t)filters)
    return sloe_fail(cx->err, SLOE_FORMAT, "bias has %" PRIu64 " elements for %" PRId64 " filters",
                     n, filters);
  return SLOE_OK;
}

static sloe_status check_channels(sloe_infer *cx, const sloe_shape *x, const sloe_shape *w,
                                  int64_t group) {
  int64_t channels = x->dim[1], need;
  if (w->rank < 0) return SLOE_OK;
  if (w->dim[0] == 0 || w->dim[1] == 0)
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "weights of %" PRId64 " filters and %" PRId64 " channels", w->dim[0],
                     w->dim[1]);
  if (channels >= 0 && w->dim[1] >= 0 &&
      (!sloe_int_mul(w->dim[1], group, &need) || need != channels))
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "input has %" PRId64 " channels, the weights want %" PRId64 " x %" PRId64
                     " groups",
                     channels, w->dim[1], group);
  if (w->dim[0] >= 0 && w->dim[0] % group)
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "%" PRId64 " filters do not divide into %" PRId64 " groups", w->dim[0], group);
  return SLOE_OK;
}

/* Weights of which nothing is known. */
static const sloe_shape NOT_KNOWN = {-1, {-1, -1, -1, -1, -1, -1, -1, -1}};

/* Input x and weights w at their places among the inputs, the bias at `bias`. */
static sloe_status convolve(sloe_infer *cx, size_t weights, size_t bias, sloe_dtype dtype) {
  const sloe_shape *x = sloe_in_shape(cx, 0), *given = sloe_in_shape(cx, weights);
  const sloe_shape *w = given ? given : &NOT_KNOWN;
  sloe_shape out;
  sloe_window window;
  int64_t group;
  if (!x) return SLOE_OK;
  SLOE_TRY(check_ranks(cx, x, w, &group));
  SLOE_TRY(check_channels(cx, x, w, group));
  SLOE_TRY(sloe_window_read(cx, x->rank - 2, w->dim + 2, &window));
  out = *x;
  out.dim[1] = w->dim[0];
  for (int i = 0; i < window.n; i++)
    SLOE_TRY(sloe_window_size(cx, &window, i, x->dim[i + 2], &out.dim[i + 2]));
  SLOE_TRY(check_bias(cx, bias, out.dim[1]));
  sloe_set_out(cx, 0, &out, dtype);
  return SLOE_OK;
}

static sloe_dtype dtype_of(const sloe_infer *cx, size_t i, sloe_dtype fallback) {
  const sloe_tensor *t = sloe_in(cx, i);
  return t && t->dtype != SLOE_DT_UNDEFINED ? t->dtype : fallback;
}

sloe_status sloe_shape_conv(sloe_infer *cx) {
  size_t bias = cx->node->op == SLOE_OP_DEFORM_CONV ? 3 : 2; /* DeformConv: offsets come between */
  return convolve(cx, 1, bias, dtype_of(cx, 0, SLOE_DT_UNDEFINED));
}

sloe_status sloe_shape_conv_integer(sloe_infer *cx) {
  return convolve(cx, 1, SIZE_MAX, SLOE_DT_INT32);
}

/* x, its scale and zero point, w, ..., y's scale and zero point, bias. */
sloe_status sloe_shape_qlinear_conv(sloe_infer *cx) {
  return convolve(cx, 3, 8, dtype_of(cx, 7, dtype_of(cx, 0, SLOE_DT_UINT8)));
}

/* stride * (in - 1) + output_padding + extent - pads; SAME: in * stride. */
static sloe_status transposed_size(sloe_infer *cx, const sloe_window *w, int i, int64_t more,
                                   int64_t in, int64_t *out) {
  int64_t extent, size;
  *out = SLOE_DIM_UNKNOWN;
  SLOE_TRY(sloe_window_extent(cx, w, i, &extent));
  if (in < 0) return SLOE_OK;
  int same = w->auto_pad == SLOE_PAD_SAME;
  if (!same && extent < 0) return SLOE_OK;
  int fits = sloe_int_mul(same ? in : in - 1, w->stride[i], &size);
  if (fits && !same)
    fits = sloe_int_add(size, more, &size) && sloe_int_add(size, extent, &size) &&
           sloe_int_sub(size, w->pad_sum[i], &size);
  if (!fits)
    return sloe_fail(cx->err, SLOE_FORMAT, "input %" PRId64 " x stride %" PRId64 " overflows", in,
                     w->stride[i]);
  if (size < 1)
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "input %" PRId64 ", stride %" PRId64 " and pads %" PRId64
                     " leave an output of %" PRId64,
                     in, w->stride[i], w->pad_sum[i], size);
  *out = size;
  return SLOE_OK;
}

/* Attribute output_shape: the spatial sizes, in some files with batch and channels before them. */
static sloe_status wanted_sizes(sloe_infer *cx, int n, const int64_t **out) {
  size_t count;
  const int64_t *v = sloe_node_ints(cx->node, "output_shape", &count);
  *out = NULL;
  if (!count) return SLOE_OK;
  if (count != (size_t)n && count != (size_t)n + 2)
    return sloe_fail(cx->err, SLOE_FORMAT, "output_shape has %zu values, %d are needed", count, n);
  v += count - (size_t)n;
  for (int i = 0; i < n; i++)
    if (v[i] < 1)
      return sloe_fail(cx->err, SLOE_FORMAT, "output_shape holds %" PRId64 ", must be at least 1",
                       v[i]);
  *out = v;
  return SLOE_OK;
}

static sloe_status transposed_channels(sloe_infer *cx, const sloe_shape *x, const sloe_shape *w,
                                       int64_t group, int64_t *out) {
  *out = SLOE_DIM_UNKNOWN;
  if (w->rank < 0) return SLOE_OK;
  if (w->dim[0] >= 0 && x->dim[1] >= 0 && w->dim[0] != x->dim[1])
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "input has %" PRId64 " channels, the weights want %" PRId64, x->dim[1],
                     w->dim[0]);
  if (w->dim[0] >= 0 && w->dim[0] % group)
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "%" PRId64 " channels do not divide into %" PRId64 " groups", w->dim[0],
                     group);
  if (w->dim[1] >= 0 && (w->dim[1] == 0 || !sloe_int_mul(w->dim[1], group, out)))
    return sloe_fail(cx->err, SLOE_FORMAT, "%" PRId64 " filters x %" PRId64 " groups", w->dim[1],
                     group);
  return SLOE_OK;
}

sloe_status sloe_shape_conv_transpose(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0), *given = sloe_in_shape(cx, 1);
  const sloe_shape *w = given ? given : &NOT_KNOWN;
  sloe_shape out;
  sloe_window window;
  const int64_t *wanted;
  int64_t group;
  size_t n_more;
  const int64_t *more = sloe_node_ints(cx->node, "output_padding", &n_more);
  if (!x) return SLOE_OK;
  SLOE_TRY(check_ranks(cx, x, w, &group));
  out = *x;
  SLOE_TRY(transposed_channels(cx, x, w, group, &out.dim[1]));
  SLOE_TRY(sloe_window_read(cx, x->rank - 2, w->dim + 2, &window));
  SLOE_TRY(wanted_sizes(cx, window.n, &wanted));
  if (n_more && n_more != (size_t)window.n)
    return sloe_fail(cx->err, SLOE_FORMAT, "output_padding has %zu values, %d are needed", n_more,
                     window.n);
  for (int i = 0; i < window.n; i++) {
    if (wanted)
      out.dim[i + 2] = wanted[i];
    else
      SLOE_TRY(
          transposed_size(cx, &window, i, n_more ? more[i] : 0, x->dim[i + 2], &out.dim[i + 2]));
  }
  SLOE_TRY(check_bias(cx, 2, out.dim[1]));
  sloe_set_out(cx, 0, &out, dtype_of(cx, 0, SLOE_DT_UNDEFINED));
  return SLOE_OK;
}
