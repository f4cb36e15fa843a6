/* Slice: starts, ends and axes are attributes before opset 10, inputs (and steps) since. */
#include "net/shape/fold.h"

struct cut {
  int64_t start[SLOE_MAX_RANK], step[SLOE_MAX_RANK];
};

static int64_t clamp(int64_t v, int64_t low, int64_t high) {
  return v < low ? low : v > high ? high : v;
}

/* Elements taken from `dim` of them; *start becomes the first that is. */
static int64_t cut_length(int64_t dim, int64_t *start, int64_t end, int64_t step) {
  if (*start < 0) *start += dim;
  if (end < 0) end += dim;
  if (step > 0) {
    *start = clamp(*start, 0, dim);
    end = clamp(end, 0, dim);
    return end > *start ? (end - *start - 1) / step + 1 : 0;
  }
  *start = clamp(*start, 0, dim - 1);
  end = clamp(end, -1, dim - 1);
  if (dim == 0 || *start <= end) return 0;
  return (*start - end - 1) / -(step + (step == INT64_MIN)) + 1;
}

struct bounds {
  sloe_ints starts, ends, axes, steps;
  int literal; /* INT64_MIN in starts and ends is a number, not an unknown */
  size_t n;
};

static int64_t step_of(const struct bounds *b, size_t k) {
  if (!b->steps.given) return 1;
  return b->steps.v ? b->steps.v[k] : SLOE_ELEM_UNKNOWN;
}

static sloe_status cut_axis(sloe_infer *cx, const struct bounds *b, size_t k, int axis,
                            sloe_shape *out, struct cut *cut) {
  int64_t dim = out->dim[axis], step = step_of(b, k);
  if (step == 0) return sloe_fail(cx->err, SLOE_FORMAT, "step 0 on axis %d", axis);
  out->dim[axis] = SLOE_DIM_UNKNOWN;
  if (!b->starts.v || !b->ends.v || step == SLOE_ELEM_UNKNOWN || dim == SLOE_DIM_UNKNOWN)
    return SLOE_OK;
  int64_t start = b->starts.v[k], end = b->ends.v[k];
  if (!b->literal && (start == SLOE_ELEM_UNKNOWN || end == SLOE_ELEM_UNKNOWN)) return SLOE_OK;
  out->dim[axis] = cut_length(dim, &start, end, step);
  cut->start[axis] = start;
  cut->step[axis] = step;
  return SLOE_OK;
}

/* How many bounds there are, and that all lists say the same. */
static sloe_status read_bounds(sloe_infer *cx, struct bounds *b) {
  b->starts = sloe_list_of(cx, "starts", 1);
  b->ends = sloe_list_of(cx, "ends", 2);
  b->axes = sloe_list_of(cx, "axes", 3);
  b->steps = sloe_list_of(cx, "steps", 4);
  b->literal = cx->node->n_in < 3 || (sloe_in_literal(cx, 1) && sloe_in_literal(cx, 2));
  if (!b->starts.given || !b->ends.given)
    return sloe_fail(cx->err, SLOE_FORMAT, "starts and ends must both be given");
  const sloe_ints *all[] = {&b->starts, &b->ends, &b->axes, &b->steps};
  int64_t n = -1;
  for (size_t k = 0; k < 4; k++) {
    int64_t length = all[k]->v       ? (int64_t)all[k]->n
                     : all[k]->given ? sloe_in_length(cx, k + 1)
                                     : SLOE_DIM_UNKNOWN;
    if (n >= 0 && length >= 0 && n != length)
      return sloe_fail(cx->err, SLOE_FORMAT, "starts, ends, axes, steps of %lld and %lld elements",
                       (long long)n, (long long)length);
    if (length >= 0) n = length;
  }
  b->n = n < 0 ? SIZE_MAX : (size_t)n;
  return SLOE_OK;
}

static void forget_all(sloe_shape *out) {
  for (int a = 0; a < out->rank; a++) out->dim[a] = SLOE_DIM_UNKNOWN;
}

static int64_t cut_at(const void *arg, int axis, int64_t o) {
  const struct cut *cut = arg;
  return cut->start[axis] + o * cut->step[axis];
}

static sloe_status apply(sloe_infer *cx, const struct bounds *b, sloe_shape *out, struct cut *cut) {
  unsigned seen = 0;
  if ((b->axes.given && !b->axes.v) || b->n == SIZE_MAX) {
    forget_all(out);
    return SLOE_OK;
  }
  for (size_t k = 0; k < b->n; k++) {
    int axis = 0;
    if (b->axes.v && b->axes.v[k] == SLOE_ELEM_UNKNOWN) {
      forget_all(out);
      return SLOE_OK;
    }
    SLOE_TRY(sloe_axis(cx, b->axes.v ? b->axes.v[k] : (int64_t)k, out->rank, &axis));
    if (seen & 1u << axis) return sloe_fail(cx->err, SLOE_FORMAT, "axis %d is sliced twice", axis);
    seen |= 1u << axis;
    SLOE_TRY(cut_axis(cx, b, k, axis, out, cut));
  }
  return SLOE_OK;
}

sloe_status sloe_shape_slice(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_shape out = s ? *s : sloe_shape_unknown();
  struct bounds bounds;
  struct cut cut = {.start = {0}, .step = {1, 1, 1, 1, 1, 1, 1, 1}};
  SLOE_TRY(read_bounds(cx, &bounds));
  if (s) SLOE_TRY(apply(cx, &bounds, &out, &cut));
  sloe_set_out(cx, 0, &out, in ? in->dtype : SLOE_DT_UNDEFINED);
  sloe_move move = {.src = sloe_in_partly(cx, 0), .out = out, .at = cut_at, .arg = &cut};
  if (!move.src) return SLOE_OK;
  sloe_strides(s, move.stride);
  return sloe_fold_move(cx, 0, &move);
}
