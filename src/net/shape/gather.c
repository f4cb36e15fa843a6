/* Gather and its relatives, and what scatters or selects by index. */
#include <string.h>

#include "base/alloc.h"
#include "net/shape/fold.h"

/* out = data[..from) + mid + data[to..). */
static sloe_status splice_shape(sloe_infer *cx, const sloe_shape *data, int from, int to,
                                const int64_t *mid, int n_mid, sloe_shape *out) {
  int tail = data->rank - to;
  SLOE_TRY(sloe_shape_blank(cx, (int64_t)from + n_mid + tail, out));
  for (int a = 0; a < from; a++) out->dim[a] = data->dim[a];
  for (int a = 0; a < n_mid; a++) out->dim[from + a] = mid[a];
  for (int a = 0; a < tail; a++) out->dim[from + n_mid + a] = data->dim[to + a];
  return SLOE_OK;
}

static void set_unknown(sloe_infer *cx, size_t i, size_t like) {
  sloe_shape none = sloe_shape_unknown();
  const sloe_tensor *t = sloe_in(cx, like);
  sloe_set_out(cx, i, &none, t ? t->dtype : SLOE_DT_UNDEFINED);
}

/* ---- picking along one axis: Gather, Compress ---- */

struct pick {
  const int64_t *index; /* SLOE_ELEM_UNKNOWN: which one is not known */
  int64_t dim;
};

static int64_t pick_at(const void *arg, int axis, int64_t o) {
  const struct pick *pick = arg;
  if (axis != 1) return o;
  int64_t k = pick->index[o];
  if (k == SLOE_ELEM_UNKNOWN) return -1;
  return k < 0 ? k + pick->dim : k;
}

/* Contents of output 0: data seen as outer x dim x inner, `n` picked of dim. */
static sloe_status fold_pick(sloe_infer *cx, const sloe_shape *data, int axis, const int64_t *index,
                             size_t n) {
  struct pick pick = {index, data->dim[axis]};
  sloe_move move = {.src = sloe_in_partly(cx, 0), .at = pick_at, .arg = &pick};
  if (!move.src || n > SLOE_VALUE_MAX) return SLOE_OK;
  int64_t outer = 1, inner = 1;
  if (!sloe_shape_elements(data)) return SLOE_OK;
  for (int a = 0; a < axis; a++) outer *= data->dim[a];
  for (int a = axis + 1; a < data->rank; a++) inner *= data->dim[a];
  move.out = sloe_shape_of(3, (int64_t[]){outer, (int64_t)n, inner});
  move.stride[0] = pick.dim * inner;
  move.stride[1] = inner;
  move.stride[2] = 1;
  move.fill.i = SLOE_ELEM_UNKNOWN;
  return sloe_fold_move(cx, 0, &move);
}

static sloe_status check_indices(sloe_infer *cx, const sloe_value *index, int64_t dim) {
  for (size_t k = 0; dim >= 0 && k < index->n; k++) {
    int64_t i = index->i[k];
    if (i != SLOE_ELEM_UNKNOWN && (i < -dim || i >= dim))
      return sloe_fail(cx->err, SLOE_FORMAT, "index %lld is outside of a dimension of %lld",
                       (long long)i, (long long)dim);
  }
  return SLOE_OK;
}

sloe_status sloe_shape_gather(sloe_infer *cx) {
  const sloe_shape *data = sloe_in_shape(cx, 0), *indices = sloe_in_shape(cx, 1);
  sloe_shape out;
  int axis = 0;
  if (!data || !indices) {
    set_unknown(cx, 0, 0);
    return SLOE_OK;
  }
  SLOE_TRY(sloe_axis(cx, sloe_node_int(cx->node, "axis", 0), data->rank, &axis));
  SLOE_TRY(splice_shape(cx, data, axis, axis + 1, indices->dim, indices->rank, &out));
  sloe_set_out(cx, 0, &out, sloe_in(cx, 0)->dtype);
  const sloe_value *index = sloe_in_partly(cx, 1);
  if (!index || index->real) return SLOE_OK;
  SLOE_TRY(check_indices(cx, index, data->dim[axis]));
  return fold_pick(cx, data, axis, index->i, index->n);
}

sloe_status sloe_shape_gather_elements(sloe_infer *cx) {
  const sloe_shape *data = sloe_in_shape(cx, 0), *indices = sloe_in_shape(cx, 1);
  sloe_shape out = indices ? *indices : sloe_shape_unknown();
  int axis = 0;
  if (data) SLOE_TRY(sloe_axis(cx, sloe_node_int(cx->node, "axis", 0), data->rank, &axis));
  if (data && indices && data->rank != indices->rank)
    return sloe_fail(cx->err, SLOE_FORMAT, "data of rank %d and indices of rank %d", data->rank,
                     indices->rank);
  sloe_set_out(cx, 0, &out, sloe_in(cx, 0) ? sloe_in(cx, 0)->dtype : SLOE_DT_UNDEFINED);
  return SLOE_OK;
}

/* ---- GatherND ---- */

/* Contents of output 0 where there are no batch dims: each tuple of `k` indices names a block. */
static sloe_status fold_tuples(sloe_infer *cx, const sloe_shape *data, int64_t k) {
  const sloe_value *index = sloe_in_whole(cx, 1);
  int64_t stride[SLOE_MAX_RANK], block = 1;
  if (!sloe_in_partly(cx, 0) || !index || index->real || k < 1 || !sloe_shape_elements(data))
    return SLOE_OK;
  sloe_strides(data, stride);
  block = stride[k - 1];
  size_t n = index->n / (size_t)k;
  int64_t *start = sloe_alloc(n, sizeof *start);
  if (!start) return sloe_fail(cx->err, SLOE_NOMEM, "out of memory");
  sloe_status status = SLOE_OK;
  for (size_t t = 0; t < n && status == SLOE_OK; t++) {
    start[t] = 0;
    for (int64_t a = 0; a < k && status == SLOE_OK; a++) {
      int64_t i = index->i[t * (size_t)k + (size_t)a];
      sloe_value one = {.n = 1, .i = &i};
      status = check_indices(cx, &one, data->dim[a]);
      if (status == SLOE_OK) start[t] += (i < 0 ? i + data->dim[a] : i) * (stride[a] / block);
    }
  }
  struct pick pick = {start, 0};
  sloe_move move = {.src = sloe_in_partly(cx, 0), .at = pick_at, .arg = &pick};
  move.out = sloe_shape_of(3, (int64_t[]){1, (int64_t)n, block});
  move.stride[1] = block;
  move.stride[2] = 1;
  if (status == SLOE_OK) status = sloe_fold_move(cx, 0, &move);
  sloe_dealloc(start);
  return status;
}

sloe_status sloe_shape_gather_nd(sloe_infer *cx) {
  const sloe_shape *data = sloe_in_shape(cx, 0), *indices = sloe_in_shape(cx, 1);
  int64_t batch = sloe_node_int(cx->node, "batch_dims", 0);
  sloe_shape out;
  if (!data || !indices || indices->rank < 1 || indices->dim[indices->rank - 1] < 0) {
    set_unknown(cx, 0, 0);
    return SLOE_OK;
  }
  int64_t k = indices->dim[indices->rank - 1];
  if (batch < 0 || batch >= indices->rank || batch > data->rank || k > data->rank - batch)
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "tuples of %lld indices after %lld batch dimensions for data of rank %d",
                     (long long)k, (long long)batch, data->rank);
  SLOE_TRY(splice_shape(cx, data, 0, (int)(batch + k), indices->dim, indices->rank - 1, &out));
  for (int a = 0; a < batch; a++) SLOE_TRY(sloe_dim_agree(cx, &out.dim[a], data->dim[a]));
  sloe_set_out(cx, 0, &out, sloe_in(cx, 0)->dtype);
  return batch ? SLOE_OK : fold_tuples(cx, data, k);
}

/* ---- ScatterND: data with some of it replaced ---- */

static sloe_status fold_scatter(sloe_infer *cx, const sloe_shape *data, int64_t k) {
  const sloe_value *from = sloe_in_partly(cx, 0), *index = sloe_in_whole(cx, 1);
  const sloe_value *update = sloe_in_partly(cx, 2);
  int64_t stride[SLOE_MAX_RANK];
  if (!from || !index || !update || index->real || update->real != from->real || k < 1 ||
      strcmp(sloe_node_string(cx->node, "reduction", "none"), "none") || !from->n)
    return SLOE_OK;
  sloe_strides(data, stride);
  size_t block = (size_t)stride[k - 1], n = index->n / (size_t)k;
  if (update->n != n * block) return SLOE_OK;
  sloe_status status = SLOE_OK;
  sloe_value *to = sloe_set_value(cx, 0, from->n, from->real, &status);
  if (!to) return status;
  if (to->real)
    memcpy(to->f, from->f, to->n * sizeof *to->f);
  else
    memcpy(to->i, from->i, to->n * sizeof *to->i);
  for (size_t t = 0; t < n; t++) {
    sloe_value tuple = {.n = 1};
    size_t at = 0;
    for (int64_t a = 0; a < k; a++) {
      int64_t *i = &index->i[t * (size_t)k + (size_t)a];
      tuple.i = i;
      SLOE_TRY(check_indices(cx, &tuple, data->dim[a]));
      at += (size_t)((*i < 0 ? *i + data->dim[a] : *i) * stride[a]);
    }
    for (size_t b = 0; b < block; b++) {
      if (to->real)
        to->f[at + b] = update->f[t * block + b];
      else
        to->i[at + b] = update->i[t * block + b];
    }
  }
  return SLOE_OK;
}

sloe_status sloe_shape_scatter_nd(sloe_infer *cx) {
  const sloe_shape *data = sloe_in_shape(cx, 0), *indices = sloe_in_shape(cx, 1);
  if (!data) {
    set_unknown(cx, 0, 0);
    return SLOE_OK;
  }
  sloe_set_out(cx, 0, data, sloe_in(cx, 0)->dtype);
  if (!indices || indices->rank < 1) return SLOE_OK;
  int64_t k = indices->dim[indices->rank - 1];
  if (k > data->rank)
    return sloe_fail(cx->err, SLOE_FORMAT, "tuples of %lld indices for data of rank %d",
                     (long long)k, data->rank);
  return fold_scatter(cx, data, k);
}

/* ---- Compress: the entries of an axis whose condition is true ---- */

static sloe_status fold_compress(sloe_infer *cx, const sloe_shape *data, int axis,
                                 const sloe_value *keep, int64_t n) {
  int64_t *index = sloe_alloc((size_t)n, sizeof *index);
  if (!index) return sloe_fail(cx->err, SLOE_NOMEM, "out of memory");
  int64_t at = 0;
  for (size_t k = 0; k < keep->n && at < n; k++)
    if (keep->i[k]) index[at++] = (int64_t)k;
  sloe_status status = fold_pick(cx, data, axis, index, (size_t)n);
  sloe_dealloc(index);
  return status;
}

sloe_status sloe_shape_compress(sloe_infer *cx) {
  const sloe_shape *data = sloe_in_shape(cx, 0);
  const sloe_value *keep = sloe_in_whole(cx, 1);
  int flat = !sloe_node_attr(cx->node, "axis"), axis = 0;
  if (!data) {
    set_unknown(cx, 0, 0);
    return SLOE_OK;
  }
  sloe_shape out = *data;
  if (flat) {
    uint64_t n = sloe_shape_elements(data);
    int64_t dim = sloe_shape_known(data) && n <= INT64_MAX ? (int64_t)n : SLOE_DIM_UNKNOWN;
    out = sloe_shape_of(1, &dim);
  }
  SLOE_TRY(sloe_axis(cx, sloe_node_int(cx->node, "axis", 0), out.rank, &axis));
  sloe_shape from = out;
  int64_t n = 0, limit = out.dim[axis];
  out.dim[axis] = SLOE_DIM_UNKNOWN;
  if (keep && !keep->real && limit >= 0) {
    for (size_t k = 0; k < keep->n && (int64_t)k < limit; k++) n += keep->i[k] != 0;
    out.dim[axis] = n;
  }
  sloe_set_out(cx, 0, &out, sloe_in(cx, 0)->dtype);
  return out.dim[axis] < 0 ? SLOE_OK : fold_compress(cx, &from, axis, keep, n);
}

/* ---- OneHot ---- */

/* The depth may be of any numeric type. */
static sloe_status read_depth(sloe_infer *cx, int64_t *depth) {
  const sloe_value *v = sloe_in_value(cx, 1);
  *depth = SLOE_DIM_UNKNOWN;
  if (!v || v->n != 1 || (!v->real && v->i[0] == SLOE_ELEM_UNKNOWN)) return SLOE_OK;
  if (v->real ? !(v->f[0] >= 0 && v->f[0] < 9e18) : v->i[0] < 0)
    return sloe_fail(cx->err, SLOE_FORMAT, "depth is negative or too large");
  *depth = v->real ? (int64_t)v->f[0] : v->i[0];
  return SLOE_OK;
}

sloe_status sloe_shape_one_hot(sloe_infer *cx) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  int64_t depth;
  int axis = 0;
  sloe_shape out;
  SLOE_TRY(read_depth(cx, &depth));
  if (!s) {
    set_unknown(cx, 0, 2);
    return SLOE_OK;
  }
  SLOE_TRY(sloe_axis(cx, sloe_node_int(cx->node, "axis", -1), s->rank + 1, &axis));
  SLOE_TRY(splice_shape(cx, s, axis, axis, &depth, 1, &out));
  sloe_set_out(cx, 0, &out, sloe_in(cx, 2) ? sloe_in(cx, 2)->dtype : SLOE_DT_UNDEFINED);
  return SLOE_OK;
}
