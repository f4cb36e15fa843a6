#include "net/shape/window.h"

#include <inttypes.h>
#include <string.h>

#include "net/shape/checked.h"

/* `count` ints of attribute `name`, or `fallback` for each; all at least `least`. */
static sloe_status read_ints(sloe_infer *cx, const char *name, int count, int64_t least,
                             int64_t fallback, int64_t *out) {
  size_t n;
  const int64_t *v = sloe_node_ints(cx->node, name, &n);
  if (n && n != (size_t)count)
    return sloe_fail(cx->err, SLOE_FORMAT, "%s has %zu values, %d are needed", name, n, count);
  for (int i = 0; i < count; i++) {
    out[i] = n ? v[i] : fallback;
    if (out[i] < least)
      return sloe_fail(cx->err, SLOE_FORMAT, "%s holds %" PRId64 ", must be at least %" PRId64,
                       name, out[i], least);
  }
  return SLOE_OK;
}

static sloe_status read_kernel(sloe_infer *cx, const int64_t *weights, sloe_window *w) {
  size_t given;
  sloe_node_ints(cx->node, "kernel_shape", &given);
  if (!given && !weights) return sloe_fail(cx->err, SLOE_FORMAT, "kernel_shape is missing");
  SLOE_TRY(read_ints(cx, "kernel_shape", w->n, 1, 1, w->kernel));
  for (int i = 0; i < w->n && weights; i++) {
    if (given && weights[i] >= 0 && weights[i] != w->kernel[i])
      return sloe_fail(cx->err, SLOE_FORMAT,
                       "kernel_shape says %" PRId64 ", the weights have %" PRId64, w->kernel[i],
                       weights[i]);
    if (!given) w->kernel[i] = weights[i];
    if (w->kernel[i] == 0) return sloe_fail(cx->err, SLOE_FORMAT, "kernel of size 0");
  }
  return SLOE_OK;
}

static sloe_status read_pads(sloe_infer *cx, sloe_window *w) {
  int64_t pads[2 * SLOE_MAX_SPATIAL] = {0};
  SLOE_TRY(read_ints(cx, "pads", 2 * w->n, INT64_MIN, 0, pads));
  const char *mode = sloe_node_string(cx->node, "auto_pad", "NOTSET");
  int valid = !strcmp(mode, "VALID");
  if (!strcmp(mode, "SAME_UPPER") || !strcmp(mode, "SAME_LOWER"))
    w->auto_pad = SLOE_PAD_SAME;
  else if (!valid && *mode && strcmp(mode, "NOTSET") != 0)
    return sloe_fail(cx->err, SLOE_FORMAT, "auto_pad '%.40s' is not known", mode);
  for (int i = 0; i < w->n; i++) {
    w->pad_begin[i] = valid ? 0 : pads[i];
    if (!sloe_int_add(w->pad_begin[i], valid ? 0 : pads[w->n + i], &w->pad_sum[i]))
      return sloe_fail(cx->err, SLOE_FORMAT, "pads %" PRId64 " and %" PRId64 " overflow", pads[i],
                       pads[w->n + i]);
  }
  return SLOE_OK;
}

sloe_status sloe_window_read(sloe_infer *cx, int n, const int64_t *weights, sloe_window *out) {
  *out = (sloe_window){.n = n, .ceil_mode = sloe_node_int(cx->node, "ceil_mode", 0) != 0};
  SLOE_TRY(read_kernel(cx, weights, out));
  SLOE_TRY(read_ints(cx, "strides", n, 1, 1, out->stride));
  SLOE_TRY(read_ints(cx, "dilations", n, 1, 1, out->dilation));
  return read_pads(cx, out);
}

sloe_status sloe_window_extent(sloe_infer *cx, const sloe_window *w, int i, int64_t *out) {
  int64_t extent;
  *out = SLOE_DIM_UNKNOWN;
  if (w->kernel[i] < 0) return SLOE_OK;
  if (!sloe_int_mul(w->dilation[i], w->kernel[i] - 1, &extent) || !sloe_int_add(extent, 1, &extent))
    return sloe_fail(cx->err, SLOE_FORMAT, "kernel %" PRId64 " x dilation %" PRId64 " overflows",
                     w->kernel[i], w->dilation[i]);
  *out = extent;
  return SLOE_OK;
}

/* Windows that would start beyond the input and its first padding do not count. */
static int64_t windows_rounded_up(const sloe_window *w, int i, int64_t in, int64_t room) {
  int64_t n = sloe_int_div_ceil(room, w->stride[i]) + 1, last, end;
  if (sloe_int_mul(n - 1, w->stride[i], &last) && sloe_int_add(in, w->pad_begin[i], &end) &&
      last >= end)
    n--;
  return n;
}

sloe_status sloe_window_size(sloe_infer *cx, const sloe_window *w, int i, int64_t in,
                             int64_t *out) {
  int64_t extent, padded, room;
  *out = SLOE_DIM_UNKNOWN;
  SLOE_TRY(sloe_window_extent(cx, w, i, &extent));
  if (in < 0) return SLOE_OK;
  if (w->auto_pad == SLOE_PAD_SAME) {
    *out = sloe_int_div_ceil(in, w->stride[i]);
    return SLOE_OK;
  }
  if (extent < 0) return SLOE_OK;
  if (!sloe_int_add(in, w->pad_sum[i], &padded) || padded == INT64_MAX ||
      !sloe_int_sub(padded, extent, &room))
    return sloe_fail(cx->err, SLOE_FORMAT, "input %" PRId64 " and pads %" PRId64 " overflow", in,
                     w->pad_sum[i]);
  int64_t n = w->ceil_mode ? windows_rounded_up(w, i, in, room)
                           : sloe_int_div_floor(room, w->stride[i]) + 1;
  if (n < 1 || (room < 0 && !w->ceil_mode))
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "kernel of extent %" PRId64 " is larger than the padded input of %" PRId64,
                     extent, padded);
  *out = n;
  return SLOE_OK;
}
