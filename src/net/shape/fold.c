#include "net/shape/fold.h"

#include "net/shape/checked.h"

sloe_status sloe_dim_add(sloe_infer *cx, int64_t a, int64_t b, int64_t *out) {
  *out = SLOE_DIM_UNKNOWN;
  if (a == SLOE_DIM_UNKNOWN || b == SLOE_DIM_UNKNOWN) return SLOE_OK;
  if (sloe_int_add(a, b, out)) return SLOE_OK;
  return sloe_fail(cx->err, SLOE_FORMAT, "dimension %lld + %lld overflows", (long long)a,
                   (long long)b);
}

sloe_status sloe_dim_mul(sloe_infer *cx, int64_t a, int64_t b, int64_t *out) {
  *out = a == 0 || b == 0 ? 0 : SLOE_DIM_UNKNOWN;
  if (a <= 0 || b <= 0) return SLOE_OK;
  if (sloe_int_mul(a, b, out)) return SLOE_OK;
  return sloe_fail(cx->err, SLOE_FORMAT, "dimension %lld x %lld overflows", (long long)a,
                   (long long)b);
}

sloe_status sloe_dim_agree(sloe_infer *cx, int64_t *acc, int64_t b) {
  if (*acc == SLOE_DIM_UNKNOWN) *acc = b;
  if (b == SLOE_DIM_UNKNOWN || b == *acc) return SLOE_OK;
  return sloe_fail(cx->err, SLOE_FORMAT, "dimensions %lld and %lld differ, they must be equal",
                   (long long)*acc, (long long)b);
}

sloe_status sloe_shape_from(sloe_infer *cx, const int64_t *v, size_t n, sloe_shape *out) {
  SLOE_TRY(sloe_shape_blank(cx, n > INT32_MAX ? INT32_MAX : (int64_t)n, out));
  for (size_t k = 0; k < n; k++) {
    if (v[k] == SLOE_ELEM_UNKNOWN) continue;
    if (v[k] < 0)
      return sloe_fail(cx->err, SLOE_FORMAT, "dimension %lld at %zu is negative", (long long)v[k],
                       k);
    out->dim[k] = v[k];
  }
  return SLOE_OK;
}

sloe_status sloe_shape_blank(sloe_infer *cx, int64_t rank, sloe_shape *out) {
  *out = sloe_shape_unknown();
  if (rank > SLOE_MAX_RANK)
    return sloe_fail(cx->err, SLOE_UNSUPPORTED, "rank %lld, at most %d is supported",
                     (long long)rank, SLOE_MAX_RANK);
  if (rank < 0) return SLOE_OK;
  out->rank = (int)rank;
  for (int k = 0; k < out->rank; k++) out->dim[k] = SLOE_DIM_UNKNOWN;
  return SLOE_OK;
}

int64_t sloe_in_length(const sloe_infer *cx, size_t i) {
  const sloe_shape *s = sloe_in_shape(cx, i);
  return s && s->rank == 1 ? s->dim[0] : SLOE_DIM_UNKNOWN;
}

const sloe_value *sloe_in_partly(const sloe_infer *cx, size_t i) {
  const sloe_value *v = sloe_in(cx, i) ? sloe_in(cx, i)->value : NULL;
  const sloe_shape *s = sloe_in_shape(cx, i);
  if (!v || !s || !sloe_shape_known(s) || sloe_shape_elements(s) != v->n) return NULL;
  return v;
}

const sloe_value *sloe_in_whole(const sloe_infer *cx, size_t i) {
  return sloe_in_value(cx, i) ? sloe_in_partly(cx, i) : NULL;
}

sloe_ints sloe_list_of(const sloe_infer *cx, const char *name, size_t i) {
  sloe_ints list = sloe_ints_of(cx, name, i);
  const sloe_value *v = sloe_in_partly(cx, i);
  if (!list.given || list.v || !v || v->real) return list;
  return (sloe_ints){v->i, v->n, 1};
}

int sloe_in_scalar(const sloe_infer *cx, size_t i, int64_t *out) {
  const sloe_value *v = sloe_in_value(cx, i);
  if (!v || v->real || v->n != 1 || v->i[0] == SLOE_ELEM_UNKNOWN) return 0;
  *out = v->i[0];
  return 1;
}

int sloe_in_literal(const sloe_infer *cx, size_t i) {
  const sloe_tensor *t = sloe_in(cx, i);
  if (!t) return 0;
  if (t->flags & SLOE_T_INIT) return 1;
  return t->producer >= 0 && cx->net->nodes[t->producer].op == SLOE_OP_CONSTANT;
}

void sloe_share_value(sloe_infer *cx, size_t i, const sloe_tensor *from) {
  if (i >= cx->node->n_out || cx->node->out[i] < 0) return;
  sloe_tensor *to = &cx->net->tensors[cx->node->out[i]];
  to->value = from->value;
  to->flags |= from->flags & SLOE_T_CONST;
}

sloe_status sloe_fold_fill(sloe_infer *cx, size_t i, sloe_scalar what) {
  const sloe_tensor *out = sloe_node_out(cx->net, cx->node, i);
  if (!out || !sloe_shape_known(&out->shape)) return SLOE_OK;
  uint64_t n = sloe_shape_elements(&out->shape);
  if (n > SLOE_VALUE_MAX) return SLOE_OK;
  sloe_status status = SLOE_OK;
  sloe_value *v = sloe_set_value(cx, i, (size_t)n, what.real, &status);
  for (uint64_t k = 0; v && k < n; k++) {
    if (what.real)
      v->f[k] = what.f;
    else
      v->i[k] = what.i;
  }
  return status;
}

/* Offset in the source of the output's element at `pos`, -1 for the filler. */
static int64_t source_of(const sloe_move *move, const int64_t *pos) {
  int64_t offset = 0;
  for (int a = 0; a < move->out.rank; a++) {
    int64_t at = move->at ? move->at(move->arg, a, pos[a]) : pos[a];
    if (at < 0) return -1;
    offset += at * move->stride[a];
  }
  return offset >= 0 && (uint64_t)offset < move->src->n ? offset : -1;
}

/* The next position in row-major order. */
static void step(const sloe_shape *shape, int64_t *pos) {
  for (int a = shape->rank - 1; a >= 0; a--) {
    if (++pos[a] < shape->dim[a]) return;
    pos[a] = 0;
  }
}

static void move_element(const sloe_move *move, sloe_value *to, size_t k, int64_t from) {
  if (to->real)
    to->f[k] = from < 0 ? move->fill.f : move->src->f[from];
  else
    to->i[k] = from < 0 ? move->fill.i : move->src->i[from];
}

static int needs_filler(const sloe_move *move, uint64_t n) {
  int64_t pos[SLOE_MAX_RANK] = {0};
  for (uint64_t k = 0; k < n; k++, step(&move->out, pos))
    if (source_of(move, pos) < 0) return 1;
  return 0;
}

sloe_status sloe_fold_move(sloe_infer *cx, size_t i, const sloe_move *move) {
  if (!sloe_shape_known(&move->out) || !sloe_node_out(cx->net, cx->node, i)) return SLOE_OK;
  uint64_t n = sloe_shape_elements(&move->out);
  if (n > SLOE_VALUE_MAX) return SLOE_OK;
  if (move->fill.real != move->src->real && needs_filler(move, n)) return SLOE_OK;
  sloe_status status = SLOE_OK;
  sloe_value *to = sloe_set_value(cx, i, (size_t)n, move->src->real, &status);
  if (!to) return status;
  int64_t pos[SLOE_MAX_RANK] = {0};
  for (size_t k = 0; k < n; k++, step(&move->out, pos))
    move_element(move, to, k, source_of(move, pos));
  return SLOE_OK;
}

void sloe_strides(const sloe_shape *shape, int64_t stride[SLOE_MAX_RANK]) {
  uint64_t s = 1;
  for (int a = shape->rank - 1; a >= 0; a--) {
    stride[a] = s > INT64_MAX ? INT64_MAX : (int64_t)s;
    s = sloe_mul_sat(s, (uint64_t)shape->dim[a]);
  }
}
