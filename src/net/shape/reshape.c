/* Other views of the same bytes: Reshape, Flatten, Squeeze, Unsqueeze. Contents are shared. */
#include "net/shape/fold.h"

static void set_view(sloe_infer *cx, const sloe_shape *out) {
  const sloe_tensor *in = sloe_in(cx, 0);
  if (!in) return;
  sloe_set_out(cx, 0, out, in->dtype);
  sloe_share_value(cx, 0, in);
}

/* ---- Reshape ----
   Two dims may be found from the number of elements: the one that says -1, and where none does, a
   single one that shape arithmetic left unknown. */

struct want {
  sloe_shape out;
  unsigned copied; /* dims that say 0: the input's */
  int free;        /* the dim to be found, -1: none */
  int unknown;     /* dims that stay unknown besides it */
};

static sloe_status read_dim(sloe_infer *cx, const sloe_shape *s, int k, int64_t v, int zero_is_zero,
                            struct want *w) {
  int64_t *dim = &w->out.dim[k];
  *dim = v;
  if (v == SLOE_ELEM_UNKNOWN) {
    *dim = SLOE_DIM_UNKNOWN;
    w->unknown++;
  } else if (v == -1) {
    if (w->free >= 0) return sloe_fail(cx->err, SLOE_FORMAT, "more than one dimension is -1");
    w->free = k;
  } else if (v < 0) {
    return sloe_fail(cx->err, SLOE_FORMAT, "dimension %lld at %d is negative", (long long)v, k);
  } else if (v == 0 && !zero_is_zero) {
    if (s && k >= s->rank)
      return sloe_fail(cx->err, SLOE_FORMAT, "dimension 0 at %d, input has rank %d", k, s->rank);
    *dim = s ? s->dim[k] : SLOE_DIM_UNKNOWN;
    w->copied |= 1u << k;
  }
  return SLOE_OK;
}

/* Elements of a shape save the dims in `skip` and `but`; 0 in *known where one of them is unknown
   or the product overflows. */
static uint64_t elements_but(const sloe_shape *s, unsigned skip, int but, int *known) {
  uint64_t n = 1;
  for (int a = 0; a < s->rank; a++) {
    if (a == but || skip & 1u << a) continue;
    if (s->dim[a] < 0) *known = 0;
    n = sloe_mul_sat(n, s->dim[a] < 0 ? 1 : (uint64_t)s->dim[a]);
  }
  if (n == UINT64_MAX) *known = 0;
  return n;
}

static sloe_status find_free(sloe_infer *cx, const sloe_shape *s, struct want *w) {
  unsigned skip = 0;
  int known = 1;
  for (int a = 0; a < w->out.rank && a < s->rank; a++)
    if (w->copied & 1u << a && s->dim[a] != 0) skip |= 1u << a;
  uint64_t have = elements_but(s, skip, -1, &known);
  uint64_t rest = elements_but(&w->out, skip, w->free, &known);
  if (!known) return SLOE_OK;
  char a[SLOE_SHAPE_BUF], b[SLOE_SHAPE_BUF];
  if (w->free < 0 ? rest != have : rest ? have % rest != 0 : have != 0)
    return sloe_fail(cx->err, SLOE_FORMAT, "%s does not reshape into %s", sloe_shape_print(s, a),
                     sloe_shape_print(&w->out, b));
  if (w->free >= 0 && have / (rest ? rest : 1) <= INT64_MAX)
    w->out.dim[w->free] = (int64_t)(rest ? have / rest : 0);
  return SLOE_OK;
}

/* A dim that stayed unknown can be found like a -1, if it is the only one. */
static void free_unknown(struct want *w) {
  if (w->free >= 0 || w->unknown != 1) return;
  for (int a = 0; a < w->out.rank; a++)
    if (w->out.dim[a] < 0 && !(w->copied & 1u << a)) w->free = a;
}

sloe_status sloe_shape_reshape(sloe_infer *cx) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_ints dims = sloe_list_of(cx, "shape", 1);
  int zero_is_zero = sloe_node_int(cx->node, "allowzero", 0) != 0;
  struct want w = {.free = -1};
  if (!dims.given) return sloe_fail(cx->err, SLOE_FORMAT, "no shape is given");
  SLOE_TRY(sloe_shape_blank(cx,
                            !dims.v              ? sloe_in_length(cx, 1)
                            : dims.n > INT32_MAX ? INT32_MAX
                                                 : (int64_t)dims.n,
                            &w.out));
  for (size_t k = 0; dims.v && k < dims.n; k++)
    SLOE_TRY(read_dim(cx, s, (int)k, dims.v[k], zero_is_zero, &w));
  free_unknown(&w);
  if (s && dims.v && (w.free >= 0 || !w.unknown)) SLOE_TRY(find_free(cx, s, &w));
  set_view(cx, &w.out);
  return SLOE_OK;
}

/* ---- Flatten ---- */

sloe_status sloe_shape_flatten(sloe_infer *cx) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_shape out = sloe_shape_of(2, (int64_t[]){SLOE_DIM_UNKNOWN, SLOE_DIM_UNKNOWN});
  int64_t axis = sloe_node_int(cx->node, "axis", 1);
  if (s) {
    if (axis < -s->rank || axis > s->rank)
      return sloe_fail(cx->err, SLOE_FORMAT, "axis %lld is outside of rank %d", (long long)axis,
                       s->rank);
    if (axis < 0) axis += s->rank;
    out = sloe_shape_of(2, (int64_t[]){1, 1});
    for (int a = 0; a < s->rank; a++)
      SLOE_TRY(sloe_dim_mul(cx, out.dim[a >= axis], s->dim[a], &out.dim[a >= axis]));
  }
  set_view(cx, &out);
  return SLOE_OK;
}

/* ---- Squeeze, Unsqueeze ---- */

/* Axes as a set of bits. */
static sloe_status axes_set(sloe_infer *cx, const sloe_ints *axes, int rank, int twice,
                            unsigned *set) {
  *set = 0;
  for (size_t k = 0; k < axes->n; k++) {
    int axis = 0;
    SLOE_TRY(sloe_axis(cx, axes->v[k], rank, &axis));
    if (*set & 1u << axis && !twice)
      return sloe_fail(cx->err, SLOE_FORMAT, "axis %d stands twice in axes", axis);
    *set |= 1u << axis;
  }
  return SLOE_OK;
}

/* Unknown axes, known number of them: only the rank is known. */
static sloe_status blank_view(sloe_infer *cx, const sloe_shape *s, int64_t more) {
  sloe_shape out = sloe_shape_unknown();
  if (s && more >= -s->rank) SLOE_TRY(sloe_shape_blank(cx, more > 8 ? more : s->rank + more, &out));
  set_view(cx, &out);
  return SLOE_OK;
}

static int has_unknown(const sloe_ints *axes) {
  for (size_t k = 0; axes->v && k < axes->n; k++)
    if (axes->v[k] == SLOE_ELEM_UNKNOWN) return 1;
  return axes->given && !axes->v;
}

sloe_status sloe_shape_squeeze(sloe_infer *cx) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_ints axes = sloe_list_of(cx, "axes", 1);
  sloe_shape out = {0};
  unsigned set = 0;
  if (!s || has_unknown(&axes)) {
    int64_t n = axes.v ? (int64_t)axes.n : sloe_in_length(cx, 1);
    return blank_view(cx, n < 0 ? NULL : s, -n);
  }
  SLOE_TRY(axes_set(cx, &axes, s->rank, 1, &set));
  for (int a = 0; a < s->rank; a++) {
    int64_t dim = s->dim[a];
    if (!axes.given && dim == SLOE_DIM_UNKNOWN) return blank_view(cx, NULL, 0);
    if (set & 1u << a && dim != 1 && dim != SLOE_DIM_UNKNOWN)
      return sloe_fail(cx->err, SLOE_FORMAT, "axis %d has dimension %lld, only 1 can be removed", a,
                       (long long)dim);
    if (axes.given ? !(set & 1u << a) : dim != 1) out.dim[out.rank++] = dim;
  }
  set_view(cx, &out);
  return SLOE_OK;
}

sloe_status sloe_shape_unsqueeze(sloe_infer *cx) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_ints axes = sloe_list_of(cx, "axes", 1);
  sloe_shape out;
  unsigned set = 0;
  if (!axes.given) return sloe_fail(cx->err, SLOE_FORMAT, "no axes are given");
  if (!s || has_unknown(&axes)) {
    int64_t n = axes.v ? (int64_t)axes.n : sloe_in_length(cx, 1);
    return blank_view(cx, n < 0 ? NULL : s, n);
  }
  SLOE_TRY(
      sloe_shape_blank(cx, axes.n > SLOE_MAX_RANK ? INT32_MAX : s->rank + (int64_t)axes.n, &out));
  SLOE_TRY(axes_set(cx, &axes, out.rank, 0, &set));
  for (int a = 0, from = 0; a < out.rank; a++) out.dim[a] = set & 1u << a ? 1 : s->dim[from++];
  set_view(cx, &out);
  return SLOE_OK;
}
