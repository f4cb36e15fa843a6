#include "net/shape/window.h"

#include <inttypes.h>
#include <string.h>

#include "net/shape/checked.h"

/* The attributes of a window; NULL where one is not there. */
typedef struct given {
  const sloe_attr *kernel, *strides, *dilations, *pads, *auto_pad, *ceil_mode;
} given;

static int is(const sloe_attr *a, const char *name) {
  return a->name == name || !strcmp(a->name, name);
}

static given find_given(const sloe_node *node) {
  given g = {0};
  for (size_t i = node->n_attrs; i-- > 0;) { /* of two of one name the first counts */
    const sloe_attr *a = &node->attrs[i];
    switch (a->name[0]) {
      case 'k': g.kernel = is(a, "kernel_shape") ? a : g.kernel; break;
      case 's': g.strides = is(a, "strides") ? a : g.strides; break;
      case 'd': g.dilations = is(a, "dilations") ? a : g.dilations; break;
      case 'p': g.pads = is(a, "pads") ? a : g.pads; break;
      case 'a': g.auto_pad = is(a, "auto_pad") ? a : g.auto_pad; break;
      case 'c': g.ceil_mode = is(a, "ceil_mode") ? a : g.ceil_mode; break;
      default: break;
    }
  }
  return g;
}

static size_t length(const sloe_attr *a) {
  return a && a->type == SLOE_ATTR_INTS ? a->n : 0;
}

/* `count` ints of an attribute, or `fallback` for each; all at least `least`. */
static sloe_status read_ints(sloe_infer *cx, const sloe_attr *a, int count, int64_t least,
                             int64_t fallback, int64_t *out) {
  const size_t n = length(a);
  if (n && n != (size_t)count)
    return sloe_fail(cx->err, SLOE_FORMAT, "%s has %zu values, %d are needed", a->name, n, count);
  for (int i = 0; i < count; i++) {
    out[i] = n ? a->ints[i] : fallback;
    if (out[i] < least)
      return sloe_fail(cx->err, SLOE_FORMAT, "%s holds %" PRId64 ", must be at least %" PRId64,
                       a ? a->name : "a window", out[i], least);
  }
  return SLOE_OK;
}

static sloe_status read_kernel(sloe_infer *cx, const sloe_attr *a, const int64_t *weights,
                               sloe_window *w) {
  const size_t n_given = length(a);
  if (!n_given && !weights) return sloe_fail(cx->err, SLOE_FORMAT, "kernel_shape is missing");
  SLOE_TRY(read_ints(cx, a, w->n, 1, 1, w->kernel));
  for (int i = 0; i < w->n && weights; i++) {
    if (n_given && weights[i] >= 0 && weights[i] != w->kernel[i])
      return sloe_fail(cx->err, SLOE_FORMAT,
                       "kernel_shape says %" PRId64 ", the weights have %" PRId64, w->kernel[i],
                       weights[i]);
    if (!n_given) w->kernel[i] = weights[i];
    if (w->kernel[i] == 0) return sloe_fail(cx->err, SLOE_FORMAT, "kernel of size 0");
  }
  return SLOE_OK;
}

static sloe_status add_pads(sloe_infer *cx, const int64_t *pads, sloe_window *w) {
  for (int i = 0; i < w->n; i++) {
    w->pad_begin[i] = pads[i];
    if (!sloe_int_add(pads[i], pads[w->n + i], &w->pad_sum[i]))
      return sloe_fail(cx->err, SLOE_FORMAT, "pads %" PRId64 " and %" PRId64 " overflow", pads[i],
                       pads[w->n + i]);
  }
  return SLOE_OK;
}

static sloe_status read_pads(sloe_infer *cx, const given *g, sloe_window *w) {
  int64_t pads[2 * SLOE_MAX_SPATIAL] = {0};
  SLOE_TRY(read_ints(cx, g->pads, 2 * w->n, INT64_MIN, 0, pads));
  const sloe_attr *a = g->auto_pad;
  const char *mode = a && a->type == SLOE_ATTR_STRING && a->s ? a->s : NULL;
  if (!mode) return add_pads(cx, pads, w);
  int valid = !strcmp(mode, "VALID");
  if (!strcmp(mode, "SAME_UPPER") || !strcmp(mode, "SAME_LOWER"))
    w->auto_pad = SLOE_PAD_SAME;
  else if (!valid && *mode && strcmp(mode, "NOTSET") != 0)
    return sloe_fail(cx->err, SLOE_FORMAT, "auto_pad '%.40s' is not known", mode);
  for (int i = 0; i < 2 * w->n && valid; i++) pads[i] = 0;
  return add_pads(cx, pads, w);
}

sloe_status sloe_window_read(sloe_infer *cx, int n, const int64_t *weights, sloe_window *out) {
  const given g = find_given(cx->node);
  out->n = n;
  out->auto_pad = SLOE_PAD_EXPLICIT;
  out->ceil_mode = g.ceil_mode && g.ceil_mode->type == SLOE_ATTR_INT && g.ceil_mode->i != 0;
  SLOE_TRY(read_kernel(cx, g.kernel, weights, out));
  SLOE_TRY(read_ints(cx, g.strides, n, 1, 1, out->stride));
  SLOE_TRY(read_ints(cx, g.dilations, n, 1, 1, out->dilation));
  return read_pads(cx, &g, out);
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
