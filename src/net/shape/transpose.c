#include "net/shape/fold.h"

/* The permutation, reversed order where none is given. */
static sloe_status read_perm(sloe_infer *cx, int rank, int perm[SLOE_MAX_RANK]) {
  size_t n = 0;
  const int64_t *given = sloe_node_ints(cx->node, "perm", &n);
  unsigned seen = 0;
  for (int a = 0; a < rank; a++) perm[a] = rank - 1 - a;
  if (!given) return SLOE_OK;
  if (n != (size_t)rank)
    return sloe_fail(cx->err, SLOE_FORMAT, "perm of %zu axes for an input of rank %d", n, rank);
  for (int a = 0; a < rank; a++) {
    SLOE_TRY(sloe_axis(cx, given[a], rank, &perm[a]));
    if (seen & 1u << perm[a])
      return sloe_fail(cx->err, SLOE_FORMAT, "axis %d stands twice in perm", perm[a]);
    seen |= 1u << perm[a];
  }
  return SLOE_OK;
}

sloe_status sloe_shape_transpose(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_shape out = s ? *s : sloe_shape_unknown();
  int perm[SLOE_MAX_RANK] = {0};
  if (s) {
    SLOE_TRY(read_perm(cx, s->rank, perm));
    for (int a = 0; a < s->rank; a++) out.dim[a] = s->dim[perm[a]];
  }
  sloe_set_out(cx, 0, &out, in ? in->dtype : SLOE_DT_UNDEFINED);
  sloe_move move = {.src = sloe_in_partly(cx, 0), .out = out};
  if (!s || !move.src) return SLOE_OK;
  int64_t stride[SLOE_MAX_RANK];
  sloe_strides(s, stride);
  for (int a = 0; a < s->rank; a++) move.stride[a] = stride[perm[a]];
  return sloe_fold_move(cx, 0, &move);
}
