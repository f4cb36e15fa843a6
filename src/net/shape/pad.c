/* Pad: "paddings" in opset 1, "pads" before 11, inputs since, axes since 18. Negative pads crop. */
#include <string.h>

#include "net/shape/fold.h"

struct border {
  const char *mode;
  int64_t before[SLOE_MAX_RANK], dim[SLOE_MAX_RANK]; /* of the source */
};

static int64_t reflect(int64_t p, int64_t dim) {
  if (dim == 1) return 0;
  int64_t period = 2 * (dim - 1);
  p = (p % period + period) % period;
  return p < dim ? p : period - p;
}

static int64_t border_at(const void *arg, int axis, int64_t o) {
  const struct border *b = arg;
  int64_t p = o - b->before[axis], dim = b->dim[axis];
  if (p >= 0 && p < dim) return p;
  if (dim == 0) return -1;
  if (!strcmp(b->mode, "edge")) return p < 0 ? 0 : dim - 1;
  if (!strcmp(b->mode, "reflect")) return reflect(p, dim);
  if (!strcmp(b->mode, "wrap")) return (p % dim + dim) % dim;
  return -1;
}

/* The filler; 0 where its value is not known. */
static int read_filler(const sloe_infer *cx, int real, sloe_scalar *fill) {
  const sloe_value *v = sloe_in_value(cx, 2);
  *fill = (sloe_scalar){.real = real};
  if (sloe_in(cx, 2)) {
    if (!v || v->n != 1 || v->real != real) return 0;
    if (real)
      fill->f = v->f[0];
    else
      fill->i = v->i[0];
    return 1;
  }
  fill->f = sloe_node_float(cx->node, "value", 0);
  return 1;
}

static sloe_status pad_axis(sloe_infer *cx, int64_t before, int64_t after, int64_t *dim) {
  int64_t d = *dim;
  *dim = SLOE_DIM_UNKNOWN;
  if (d < 0 || before == SLOE_ELEM_UNKNOWN || after == SLOE_ELEM_UNKNOWN) return SLOE_OK;
  if ((before > 0 && d > INT64_MAX - before) || (after > 0 && d + before > INT64_MAX - after))
    return sloe_fail(cx->err, SLOE_FORMAT, "dimension %lld padded by %lld and %lld overflows",
                     (long long)d, (long long)before, (long long)after);
  if (before < -d || after < -(d + before))
    return sloe_fail(cx->err, SLOE_FORMAT, "dimension %lld padded by %lld and %lld is negative",
                     (long long)d, (long long)before, (long long)after);
  *dim = d + before + after;
  return SLOE_OK;
}

/* Pad `out`, which starts as the input's shape. */
static sloe_status pad_shape(sloe_infer *cx, sloe_shape *out, struct border *b) {
  const char *name = sloe_node_attr(cx->node, "paddings") ? "paddings" : "pads";
  sloe_ints pads = sloe_list_of(cx, name, 1), axes = sloe_list_of(cx, "axes", 3);
  if (!pads.given) return sloe_fail(cx->err, SLOE_FORMAT, "no pads are given");
  size_t n = axes.v ? axes.n : (size_t)out->rank;
  if (pads.v && !(axes.given && !axes.v) && pads.n != 2 * n)
    return sloe_fail(cx->err, SLOE_FORMAT, "%zu pads for %zu axes, two an axis are needed", pads.n,
                     n);
  if (axes.given && !axes.v) {
    for (int a = 0; a < out->rank; a++) out->dim[a] = SLOE_DIM_UNKNOWN;
    return SLOE_OK;
  }
  for (size_t k = 0; k < n; k++) {
    int axis = 0;
    int64_t before = pads.v ? pads.v[k] : SLOE_ELEM_UNKNOWN;
    SLOE_TRY(sloe_axis(cx, axes.v ? axes.v[k] : (int64_t)k, out->rank, &axis));
    SLOE_TRY(pad_axis(cx, before, pads.v ? pads.v[n + k] : SLOE_ELEM_UNKNOWN, &out->dim[axis]));
    b->before[axis] = before;
  }
  return SLOE_OK;
}

static sloe_status fold_pad(sloe_infer *cx, const sloe_shape *out, struct border *b) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_move move = {.src = sloe_in_partly(cx, 0), .out = *out, .at = border_at, .arg = b};
  if (!s || !move.src || !read_filler(cx, move.src->real, &move.fill)) return SLOE_OK;
  memcpy(b->dim, s->dim, sizeof b->dim);
  sloe_strides(s, move.stride);
  return sloe_fold_move(cx, 0, &move);
}

sloe_status sloe_shape_pad(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_shape out = s ? *s : sloe_shape_unknown();
  struct border border = {.mode = sloe_node_string(cx->node, "mode", "constant")};
  static const char *const modes[] = {"constant", "edge", "reflect", "wrap"};
  size_t m = 0;
  while (m < 4 && strcmp(modes[m], border.mode)) m++;
  if (m == 4) return sloe_fail(cx->err, SLOE_UNSUPPORTED, "mode '%.40s' is not known", border.mode);
  if (s) SLOE_TRY(pad_shape(cx, &out, &border));
  sloe_set_out(cx, 0, &out, in ? in->dtype : SLOE_DT_UNDEFINED);
  return fold_pad(cx, &out, &border);
}
