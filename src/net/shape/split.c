/* Split: sizes by attribute (before opset 13), by input (since), or equal parts. */
#include "net/shape/fold.h"

/* Size of part i of n equal ones. Since opset 18 the last may be smaller. */
static sloe_status equal_part(sloe_infer *cx, int64_t dim, size_t i, size_t n, int64_t *size) {
  int64_t parts = (int64_t)n;
  *size = SLOE_DIM_UNKNOWN;
  if (dim == SLOE_DIM_UNKNOWN) return SLOE_OK;
  if (dim % parts && cx->net->opset < 18)
    return sloe_fail(cx->err, SLOE_FORMAT, "dimension %lld does not split into %zu equal parts",
                     (long long)dim, n);
  *size = dim / parts + (dim % parts != 0);
  if (i + 1 < n || dim % parts == 0) return SLOE_OK;
  if (*size * (parts - 1) > dim)
    return sloe_fail(cx->err, SLOE_FORMAT, "dimension %lld is too small for %zu parts",
                     (long long)dim, n);
  *size = dim - *size * (parts - 1);
  return SLOE_OK;
}

static sloe_status check_sizes(sloe_infer *cx, const sloe_ints *sizes, int64_t dim) {
  int64_t sum = 0;
  if (sizes->n != cx->node->n_out)
    return sloe_fail(cx->err, SLOE_FORMAT, "%zu sizes for %zu outputs", sizes->n, cx->node->n_out);
  for (size_t i = 0; i < sizes->n; i++) {
    int64_t size = sizes->v[i];
    if (size < 0 && size != SLOE_ELEM_UNKNOWN)
      return sloe_fail(cx->err, SLOE_FORMAT, "size %lld of part %zu is negative", (long long)size,
                       i);
    SLOE_TRY(sloe_dim_add(cx, sum, size < 0 ? SLOE_DIM_UNKNOWN : size, &sum));
  }
  if (sum == SLOE_DIM_UNKNOWN || dim == SLOE_DIM_UNKNOWN || sum == dim) return SLOE_OK;
  return sloe_fail(cx->err, SLOE_FORMAT, "sizes add up to %lld and not to the dimension %lld",
                   (long long)sum, (long long)dim);
}

struct part {
  int axis;
  int64_t from;
};

static int64_t part_at(const void *arg, int axis, int64_t o) {
  const struct part *part = arg;
  return axis == part->axis ? part->from + o : o;
}

static sloe_status fold_part(sloe_infer *cx, size_t i, const sloe_shape *out, struct part part) {
  sloe_move move = {.src = sloe_in_partly(cx, 0), .out = *out, .at = part_at, .arg = &part};
  if (!move.src || part.from == SLOE_DIM_UNKNOWN) return SLOE_OK;
  sloe_strides(sloe_in_shape(cx, 0), move.stride);
  return sloe_fold_move(cx, i, &move);
}

sloe_status sloe_shape_split(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_ints sizes = sloe_list_of(cx, "split", 1);
  struct part part = {0};
  if (!s) {
    sloe_shape none = sloe_shape_unknown();
    for (size_t i = 0; in && i < cx->node->n_out; i++) sloe_set_out(cx, i, &none, in->dtype);
    return SLOE_OK;
  }
  SLOE_TRY(sloe_axis(cx, sloe_node_int(cx->node, "axis", 0), s->rank, &part.axis));
  if (sizes.v) SLOE_TRY(check_sizes(cx, &sizes, s->dim[part.axis]));
  for (size_t i = 0; i < cx->node->n_out; i++) {
    sloe_shape out = *s;
    int64_t *size = &out.dim[part.axis];
    if (sizes.given)
      *size = !sizes.v || sizes.v[i] < 0 ? SLOE_DIM_UNKNOWN : sizes.v[i];
    else
      SLOE_TRY(equal_part(cx, s->dim[part.axis], i, cx->node->n_out, size));
    sloe_set_out(cx, i, &out, in->dtype);
    SLOE_TRY(fold_part(cx, i, &out, part));
    SLOE_TRY(sloe_dim_add(cx, part.from, *size, &part.from));
  }
  return SLOE_OK;
}
