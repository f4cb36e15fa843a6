/* Matrix products. */
#include <inttypes.h>

#include "net/infer.h"

static sloe_dtype dtype_of(const sloe_infer *cx, size_t i, sloe_dtype fallback) {
  const sloe_tensor *t = sloe_in(cx, i);
  return t && t->dtype != SLOE_DT_UNDEFINED ? t->dtype : fallback;
}

static sloe_status check_inner(sloe_infer *cx, int64_t a, int64_t b) {
  if (a < 0 || b < 0 || a == b) return SLOE_OK;
  return sloe_fail(cx->err, SLOE_FORMAT, "inner sizes differ: %" PRId64 " and %" PRId64, a, b);
}

/* c must be broadcast into `out` and not widen it. */
static sloe_status check_addend(sloe_infer *cx, const sloe_shape *c, const sloe_shape *out) {
  char buf[SLOE_SHAPE_BUF], into[SLOE_SHAPE_BUF];
  if (!c) return SLOE_OK;
  int fits = c->rank <= out->rank;
  for (int i = 1; fits && i <= c->rank; i++) {
    int64_t from = c->dim[c->rank - i], to = out->dim[out->rank - i];
    fits = from < 0 || to < 0 || from == 1 || from == to;
  }
  if (fits) return SLOE_OK;
  return sloe_fail(cx->err, SLOE_FORMAT, "C of %s does not broadcast to %s",
                   sloe_shape_print(c, buf), sloe_shape_print(out, into));
}

/* A, B and C at their places among the inputs. */
static sloe_status gemm(sloe_infer *cx, size_t ib, size_t ic, sloe_dtype dtype) {
  const sloe_shape *a = sloe_in_shape(cx, 0), *b = sloe_in_shape(cx, ib);
  int ta = sloe_node_int(cx->node, "transA", 0) != 0,
      tb = sloe_node_int(cx->node, "transB", 0) != 0;
  if (a && a->rank != 2)
    return sloe_fail(cx->err, SLOE_FORMAT, "A has rank %d, must be 2", a->rank);
  if (b && b->rank != 2)
    return sloe_fail(cx->err, SLOE_FORMAT, "B has rank %d, must be 2", b->rank);
  if (a && b) SLOE_TRY(check_inner(cx, a->dim[!ta], b->dim[tb]));
  sloe_shape out = sloe_shape_of(
      2, (int64_t[]){a ? a->dim[ta] : SLOE_DIM_UNKNOWN, b ? b->dim[!tb] : SLOE_DIM_UNKNOWN});
  SLOE_TRY(check_addend(cx, sloe_in_shape(cx, ic), &out));
  sloe_set_out(cx, 0, &out, dtype);
  return SLOE_OK;
}

sloe_status sloe_shape_gemm(sloe_infer *cx) {
  return gemm(cx, 1, 2, dtype_of(cx, 0, SLOE_DT_UNDEFINED));
}

/* A and B with scale and zero point each, C, y's scale and zero point; without them y is float. */
sloe_status sloe_shape_qgemm(sloe_infer *cx) {
  return gemm(cx, 3, 6, dtype_of(cx, 8, SLOE_DT_FLOAT));
}

/* numpy.matmul: a vector on the left is a row, on the right a column, and drops out again. */
static sloe_status product(sloe_infer *cx, const sloe_shape *x, const sloe_shape *y,
                           sloe_dtype dtype) {
  sloe_shape a = *x, b = *y;
  if (!a.rank || !b.rank) return sloe_fail(cx->err, SLOE_FORMAT, "an operand is a scalar");
  int row = a.rank == 1, column = b.rank == 1;
  if (row) a = sloe_shape_of(2, (int64_t[]){1, a.dim[0]});
  if (column) b = sloe_shape_of(2, (int64_t[]){b.dim[0], 1});
  SLOE_TRY(check_inner(cx, a.dim[a.rank - 1], b.dim[b.rank - 2]));
  int64_t m = a.dim[a.rank - 2], n = b.dim[b.rank - 1];
  a.rank -= 2;
  b.rank -= 2;
  SLOE_TRY(sloe_broadcast(cx, &a, &b));
  if (!row) a.dim[a.rank++] = m;
  if (!column) a.dim[a.rank++] = n;
  sloe_set_out(cx, 0, &a, dtype);
  return SLOE_OK;
}

static sloe_status matmul(sloe_infer *cx, size_t ib, sloe_dtype dtype) {
  const sloe_shape *a = sloe_in_shape(cx, 0), *b = sloe_in_shape(cx, ib);
  return a && b ? product(cx, a, b, dtype) : SLOE_OK;
}

sloe_status sloe_shape_matmul(sloe_infer *cx) {
  return matmul(cx, 1, dtype_of(cx, 0, dtype_of(cx, 1, SLOE_DT_UNDEFINED)));
}

sloe_status sloe_shape_matmul_integer(sloe_infer *cx) {
  return matmul(cx, 1, SLOE_DT_INT32);
}

/* a and b with scale and zero point each, y's scale and zero point. */
sloe_status sloe_shape_qlinear_matmul(sloe_infer *cx) {
  return matmul(cx, 3, dtype_of(cx, 7, dtype_of(cx, 0, SLOE_DT_UINT8)));
}

/* transBatch moves the first axis behind the other batch axes, trans swaps the last two. */
static sloe_shape transposed(const sloe_shape *x, int batch, int last) {
  sloe_shape out = *x;
  int r = x->rank;
  if (r < 2) return out;
  if (batch) {
    for (int i = 0; i + 2 < r; i++) out.dim[i] = x->dim[i + 1];
    out.dim[r - 2] = x->dim[0];
  }
  if (last) {
    int64_t keep = out.dim[r - 1];
    out.dim[r - 1] = out.dim[r - 2];
    out.dim[r - 2] = keep;
  }
  return out;
}

sloe_status sloe_shape_fused_matmul(sloe_infer *cx) {
  const sloe_shape *a = sloe_in_shape(cx, 0), *b = sloe_in_shape(cx, 1);
  const sloe_node *node = cx->node;
  if (!a || !b) return SLOE_OK;
  sloe_shape ta = transposed(a, sloe_node_int(node, "transBatchA", 0) != 0,
                             sloe_node_int(node, "transA", 0) != 0);
  sloe_shape tb = transposed(b, sloe_node_int(node, "transBatchB", 0) != 0,
                             sloe_node_int(node, "transB", 0) != 0);
  return product(cx, &ta, &tb, dtype_of(cx, 0, SLOE_DT_UNDEFINED));
}
