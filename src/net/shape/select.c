/* Selection by contents. Of constants the answer is computed; otherwise some dims depend on data.
 */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "net/shape/fold.h"

/* ---- TopK ---- */

struct entry {
  double key; /* descending */
  int64_t at;
};

static int by_key(const void *a, const void *b) {
  const struct entry *x = a, *y = b;
  if (x->key != y->key) return x->key > y->key ? -1 : 1;
  return x->at < y->at ? -1 : x->at > y->at;
}

static double key_of(const sloe_value *v, size_t at, int largest) {
  double key = v->real ? v->f[at] : (double)v->i[at];
  if (key != key) return -HUGE_VAL;
  return largest ? key : -key;
}

struct lines {
  size_t outer, inner, dim, k;
  int largest;
};

static void pick_top(const sloe_value *from, const struct lines *l, struct entry *line,
                     sloe_value *values, sloe_value *indices) {
  for (size_t n = 0; n < l->outer * l->inner; n++) {
    size_t o = n / l->inner, i = n % l->inner, base = o * l->dim * l->inner + i;
    for (size_t d = 0; d < l->dim; d++)
      line[d] = (struct entry){key_of(from, base + d * l->inner, l->largest), (int64_t)d};
    qsort(line, l->dim, sizeof *line, by_key);
    for (size_t d = 0; d < l->k; d++) {
      size_t to = (o * l->k + d) * l->inner + i, at = base + (size_t)line[d].at * l->inner;
      if (values && values->real) values->f[to] = from->f[at];
      if (values && !values->real) values->i[to] = from->i[at];
      if (indices) indices->i[to] = line[d].at;
    }
  }
}

static sloe_status fold_top_k(sloe_infer *cx, const sloe_shape *s, int axis, int64_t k) {
  const sloe_value *from = sloe_in_whole(cx, 0);
  struct lines l = {.outer = 1, .inner = 1, .largest = sloe_node_int(cx->node, "largest", 1) != 0};
  if (!from || !from->n || from->n > SLOE_VALUE_MAX) return SLOE_OK;
  for (int a = 0; a < axis; a++) l.outer *= (size_t)s->dim[a];
  for (int a = axis + 1; a < s->rank; a++) l.inner *= (size_t)s->dim[a];
  l.dim = (size_t)s->dim[axis];
  l.k = (size_t)k;
  sloe_status status = SLOE_OK;
  size_t n = l.outer * l.k * l.inner;
  sloe_value *values = sloe_set_value(cx, 0, n, from->real, &status);
  sloe_value *indices = status == SLOE_OK ? sloe_set_value(cx, 1, n, 0, &status) : NULL;
  if (status != SLOE_OK) return status;
  struct entry *line = sloe_alloc(l.dim, sizeof *line);
  if (!line) return sloe_fail(cx->err, SLOE_NOMEM, "out of memory");
  pick_top(from, &l, line, values, indices);
  sloe_dealloc(line);
  return SLOE_OK;
}

sloe_status sloe_shape_top_k(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_ints given = sloe_list_of(cx, "k", 1);
  int64_t k = given.v && given.n == 1 ? given.v[0] : SLOE_ELEM_UNKNOWN;
  sloe_shape out = s ? *s : sloe_shape_unknown();
  int axis = 0;
  if (!given.given) return sloe_fail(cx->err, SLOE_FORMAT, "k is missing");
  if (k < 0 && k != SLOE_ELEM_UNKNOWN)
    return sloe_fail(cx->err, SLOE_FORMAT, "k of %lld is negative", (long long)k);
  if (s) {
    SLOE_TRY(sloe_axis(cx, sloe_node_int(cx->node, "axis", -1), s->rank, &axis));
    if (s->dim[axis] >= 0 && k > s->dim[axis])
      return sloe_fail(cx->err, SLOE_FORMAT, "k of %lld in a dimension of %lld", (long long)k,
                       (long long)s->dim[axis]);
    out.dim[axis] = k < 0 ? SLOE_DIM_UNKNOWN : k;
  }
  sloe_set_out(cx, 0, &out, in ? in->dtype : SLOE_DT_UNDEFINED);
  sloe_set_out(cx, 1, &out, SLOE_DT_INT64);
  return s && k >= 0 ? fold_top_k(cx, s, axis, k) : SLOE_OK;
}

/* ---- NonZero: [rank, how many], a scalar as a vector of one ---- */

static int is_set(const sloe_value *v, size_t k) {
  return v->real ? v->f[k] != 0 : v->i[k] != 0;
}

static sloe_status list_positions(sloe_infer *cx, const sloe_shape *s, const sloe_value *v,
                                  const sloe_shape *out) {
  size_t n = (size_t)out->dim[1], found = 0;
  sloe_status status = SLOE_OK;
  sloe_value *to = sloe_set_value(cx, 0, (size_t)out->dim[0] * n, 0, &status);
  for (size_t k = 0; to && k < v->n; k++) {
    size_t rest = k;
    if (!is_set(v, k)) continue;
    for (int a = s->rank - 1; a >= 0; a--) {
      to->i[(size_t)a * n + found] = (int64_t)(rest % (size_t)s->dim[a]);
      rest /= (size_t)s->dim[a];
    }
    found++;
  }
  return status;
}

sloe_status sloe_shape_non_zero(sloe_infer *cx) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  const sloe_value *v = sloe_in_whole(cx, 0);
  int64_t rank = !s ? SLOE_DIM_UNKNOWN : s->rank ? s->rank : 1;
  sloe_shape out = sloe_shape_of(2, (int64_t[]){rank, SLOE_DIM_UNKNOWN});
  if (v) out.dim[1] = 0;
  for (size_t k = 0; v && k < v->n; k++) out.dim[1] += is_set(v, k);
  sloe_set_out(cx, 0, &out, SLOE_DT_INT64);
  return s && v ? list_positions(cx, s, v, &out) : SLOE_OK;
}

/* ---- NonMaxSuppression: [selected, 3]; without a most number of boxes none is ---- */

sloe_status sloe_shape_non_max_suppression(sloe_infer *cx) {
  int64_t most = 1, selected = SLOE_DIM_UNKNOWN;
  if (!sloe_in(cx, 2) || (sloe_in_scalar(cx, 2, &most) && most <= 0)) selected = 0;
  sloe_shape out = sloe_shape_of(2, (int64_t[]){selected, 3});
  sloe_set_out(cx, 0, &out, SLOE_DT_INT64);
  return SLOE_OK;
}

/* ---- Unique: values, and three lists of indices ---- */

sloe_status sloe_shape_unique(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  const sloe_shape *s = sloe_in_shape(cx, 0);
  int64_t unknown = SLOE_DIM_UNKNOWN, all = SLOE_DIM_UNKNOWN;
  sloe_shape some = sloe_shape_of(1, &unknown), out = some;
  if (sloe_node_attr(cx->node, "axis")) {
    int axis = 0;
    out = s ? *s : sloe_shape_unknown();
    if (s) {
      SLOE_TRY(sloe_axis(cx, sloe_node_int(cx->node, "axis", 0), s->rank, &axis));
      all = s->dim[axis];
      out.dim[axis] = SLOE_DIM_UNKNOWN;
    }
  } else if (s && sloe_shape_known(s) && sloe_shape_elements(s) <= INT64_MAX) {
    all = (int64_t)sloe_shape_elements(s);
  }
  sloe_shape inverse = sloe_shape_of(1, &all);
  sloe_set_out(cx, 0, &out, in ? in->dtype : SLOE_DT_UNDEFINED);
  sloe_set_out(cx, 1, &some, SLOE_DT_INT64);
  sloe_set_out(cx, 2, &inverse, SLOE_DT_INT64);
  sloe_set_out(cx, 3, &some, SLOE_DT_INT64);
  return SLOE_OK;
}
