/* Where contents begin: constants, ranges, random numbers, and the shape of a tensor as numbers. */
#include <math.h>

#include "net/shape/fold.h"

/* ---- Constant ---- */

static sloe_status set_scalar(sloe_infer *cx, sloe_scalar what) {
  sloe_shape scalar = {0};
  sloe_set_out(cx, 0, &scalar, what.real ? SLOE_DT_FLOAT : SLOE_DT_INT64);
  return sloe_fold_fill(cx, 0, what);
}

static sloe_status set_vector(sloe_infer *cx, const sloe_attr *a, int real) {
  int64_t dim = (int64_t)a->n;
  sloe_shape vector = sloe_shape_of(1, &dim);
  sloe_status status = SLOE_OK;
  sloe_set_out(cx, 0, &vector, real ? SLOE_DT_FLOAT : SLOE_DT_INT64);
  sloe_value *v = sloe_set_value(cx, 0, a->n, real, &status);
  for (size_t k = 0; v && k < a->n; k++) {
    if (real)
      v->f[k] = a->floats[k];
    else
      v->i[k] = a->ints[k];
  }
  return status;
}

static sloe_status set_strings(sloe_infer *cx, const sloe_attr *a, int rank) {
  int64_t dim = (int64_t)a->n;
  sloe_shape out = sloe_shape_of(rank, &dim);
  sloe_set_out(cx, 0, &out, SLOE_DT_STRING);
  return SLOE_OK;
}

static sloe_status set_tensor(sloe_infer *cx, const sloe_attr *a) {
  if (a->tensor < 0 || (size_t)a->tensor >= cx->net->n_tensors)
    return sloe_fail(cx->err, SLOE_UNSUPPORTED, "attribute %.40s holds no tensor", a->name);
  const sloe_tensor *t = &cx->net->tensors[a->tensor];
  sloe_set_out(cx, 0, &t->shape, t->dtype);
  sloe_share_value(cx, 0, t);
  return SLOE_OK;
}

sloe_status sloe_shape_constant(sloe_infer *cx) {
  const sloe_attr *a = NULL;
  static const char *const names[] = {"value",         "value_int",    "value_ints",
                                      "value_float",   "value_floats", "value_string",
                                      "value_strings", "sparse_value"};
  for (size_t k = 0; !a && k < sizeof names / sizeof *names; k++)
    a = sloe_node_attr(cx->node, names[k]);
  if (!a) return sloe_fail(cx->err, SLOE_FORMAT, "no attribute holds the value");
  switch (a->type) {
    case SLOE_ATTR_TENSOR: return set_tensor(cx, a);
    case SLOE_ATTR_INT: return set_scalar(cx, (sloe_scalar){.i = a->i});
    case SLOE_ATTR_FLOAT: return set_scalar(cx, (sloe_scalar){.real = 1, .f = a->f});
    case SLOE_ATTR_INTS: return set_vector(cx, a, 0);
    case SLOE_ATTR_FLOATS: return set_vector(cx, a, 1);
    case SLOE_ATTR_STRING: return set_strings(cx, a, 0);
    case SLOE_ATTR_STRINGS: return set_strings(cx, a, 1);
    default:
      return sloe_fail(cx->err, SLOE_UNSUPPORTED, "attribute %.40s of type %d", a->name,
                       (int)a->type);
  }
}

/* ---- filled: ConstantOfShape, EyeLike ---- */

/* Attribute `value`: its type, and its one element where that is known. */
static int read_value(const sloe_infer *cx, sloe_scalar *what, sloe_dtype *dtype) {
  const sloe_attr *a = sloe_node_attr(cx->node, "value");
  *what = (sloe_scalar){.real = 1};
  *dtype = SLOE_DT_FLOAT;
  if (!a || a->type != SLOE_ATTR_TENSOR || a->tensor < 0) return !a;
  const sloe_tensor *t = &cx->net->tensors[a->tensor];
  *dtype = t->dtype;
  if (!t->value || t->value->n != 1) return 0;
  what->real = t->value->real;
  if (what->real)
    what->f = t->value->f[0];
  else
    what->i = t->value->i[0];
  return 1;
}

/* Of integers that shape arithmetic may use all are kept. Real ones are weights as a rule (ONNX's
   "light" models make all of theirs so): past this many nobody asks for the contents. */
enum { MOST_REALS = 1024 };

sloe_status sloe_shape_constant_of_shape(sloe_infer *cx) {
  sloe_ints dims = sloe_list_of(cx, NULL, 0);
  sloe_shape out = sloe_shape_unknown();
  sloe_scalar what;
  sloe_dtype dtype;
  int known = read_value(cx, &what, &dtype);
  if (dims.v)
    SLOE_TRY(sloe_shape_from(cx, dims.v, dims.n, &out));
  else
    SLOE_TRY(sloe_shape_blank(cx, sloe_in_length(cx, 0), &out));
  sloe_set_out(cx, 0, &out, dtype);
  if (what.real && sloe_shape_elements(&out) > MOST_REALS) return SLOE_OK;
  return known ? sloe_fold_fill(cx, 0, what) : SLOE_OK;
}

/* An integer attribute that names a type; `fallback` where it is absent. */
static sloe_dtype dtype_of(const sloe_infer *cx, sloe_dtype fallback) {
  int64_t dtype = sloe_node_int(cx->node, "dtype", fallback);
  return dtype > 0 && dtype < SLOE_DT_COUNT ? (sloe_dtype)dtype : SLOE_DT_UNDEFINED;
}

sloe_status sloe_shape_eye_like(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  int64_t k = sloe_node_int(cx->node, "k", 0);
  if (!in) return SLOE_OK;
  if (in->shape.rank >= 0 && in->shape.rank != 2)
    return sloe_fail(cx->err, SLOE_FORMAT, "input of rank %d, must be 2", in->shape.rank);
  sloe_set_out(cx, 0, &in->shape, dtype_of(cx, in->dtype));
  const sloe_tensor *out = sloe_node_out(cx->net, cx->node, 0);
  if (!out) return SLOE_OK;
  SLOE_TRY(sloe_fold_fill(cx, 0, (sloe_scalar){.real = sloe_dtype_is_float(out->dtype)}));
  sloe_value *v = (sloe_value *)out->value;
  int64_t cols = out->shape.dim[1];
  for (int64_t r = 0; v && cols && r < (int64_t)v->n / cols; r++) {
    if (k < -r || k >= cols - r) continue;
    if (v->real)
      v->f[r * cols + r + k] = 1;
    else
      v->i[r * cols + r + k] = 1;
  }
  return SLOE_OK;
}

/* ---- Range ---- */

static sloe_status count_ints(sloe_infer *cx, int64_t start, int64_t limit, int64_t delta,
                              int64_t *n) {
  *n = 0;
  if (delta == 0) return sloe_fail(cx->err, SLOE_FORMAT, "delta is 0");
  if (delta > 0 ? limit <= start : limit >= start) return SLOE_OK;
  uint64_t span = delta > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;
  uint64_t by = delta > 0 ? (uint64_t)delta : 0 - (uint64_t)delta;
  uint64_t count = (span - 1) / by + 1;
  if (count > INT64_MAX)
    return sloe_fail(cx->err, SLOE_FORMAT, "range from %lld to %lld is too long", (long long)start,
                     (long long)limit);
  *n = (int64_t)count;
  return SLOE_OK;
}

static sloe_status count_reals(sloe_infer *cx, double start, double limit, double delta,
                               int64_t *n) {
  double count = ceil((limit - start) / delta);
  *n = 0;
  if (!isfinite(count) || count > 9e18)
    return sloe_fail(cx->err, SLOE_FORMAT, "range has no finite length");
  if (count > 0) *n = (int64_t)count;
  return SLOE_OK;
}

static sloe_status fill_range(sloe_infer *cx, const sloe_value *start, const sloe_value *delta,
                              int64_t n) {
  sloe_status status = SLOE_OK;
  sloe_value *v = sloe_set_value(cx, 0, (size_t)n, start->real, &status);
  for (int64_t k = 0; v && k < n; k++) {
    if (v->real)
      v->f[k] = start->f[0] + (double)k * delta->f[0];
    else /* as unsigned: the last one fits, a step beyond it is not taken */
      v->i[k] = (int64_t)((uint64_t)start->i[0] + (uint64_t)k * (uint64_t)delta->i[0]);
  }
  return status;
}

sloe_status sloe_shape_range(sloe_infer *cx) {
  const sloe_value *v[3];
  int64_t n = SLOE_DIM_UNKNOWN;
  int known = 1;
  for (size_t i = 0; i < 3; i++) {
    v[i] = sloe_in_value(cx, i);
    known = known && v[i] && v[i]->n == 1 && v[i]->real == v[0]->real;
  }
  if (known && v[0]->real)
    SLOE_TRY(count_reals(cx, v[0]->f[0], v[1]->f[0], v[2]->f[0], &n));
  else if (known)
    SLOE_TRY(count_ints(cx, v[0]->i[0], v[1]->i[0], v[2]->i[0], &n));
  sloe_shape out = sloe_shape_of(1, &n);
  sloe_set_out(cx, 0, &out, sloe_in(cx, 0) ? sloe_in(cx, 0)->dtype : SLOE_DT_UNDEFINED);
  return known ? fill_range(cx, v[0], v[2], n) : SLOE_OK;
}

/* ---- random numbers ---- */

sloe_status sloe_shape_random(sloe_infer *cx) {
  sloe_ints dims = sloe_ints_of(cx, "shape", 0);
  sloe_shape out;
  if (!dims.v) return sloe_fail(cx->err, SLOE_FORMAT, "attribute shape is missing");
  SLOE_TRY(sloe_shape_from(cx, dims.v, dims.n, &out));
  sloe_set_out(cx, 0, &out, dtype_of(cx, SLOE_DT_FLOAT));
  return SLOE_OK;
}

sloe_status sloe_shape_random_like(sloe_infer *cx) {
  const sloe_tensor *in = sloe_in(cx, 0);
  if (in) sloe_set_out(cx, 0, &in->shape, dtype_of(cx, in->dtype));
  return SLOE_OK;
}

/* [batch, classes] -> [batch, sample_size] */
sloe_status sloe_shape_multinomial(sloe_infer *cx) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  int64_t samples = sloe_node_int(cx->node, "sample_size", 1);
  if (samples < 0)
    return sloe_fail(cx->err, SLOE_FORMAT, "sample_size %lld is negative", (long long)samples);
  if (s && s->rank != 2)
    return sloe_fail(cx->err, SLOE_FORMAT, "input of rank %d, must be 2", s->rank);
  sloe_shape out = sloe_shape_of(2, (int64_t[]){s ? s->dim[0] : SLOE_DIM_UNKNOWN, samples});
  sloe_set_out(cx, 0, &out, dtype_of(cx, SLOE_DT_INT32));
  return SLOE_OK;
}

/* ---- Shape, Size ---- */

static int64_t clamp_axis(int64_t axis, int rank) {
  if (axis < 0) axis = axis < -rank ? 0 : axis + rank;
  return axis > rank ? rank : axis;
}

sloe_status sloe_shape_shape(sloe_infer *cx) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  int64_t n = SLOE_DIM_UNKNOWN, start = 0;
  if (s) {
    int64_t end = clamp_axis(sloe_node_int(cx->node, "end", s->rank), s->rank);
    start = clamp_axis(sloe_node_int(cx->node, "start", 0), s->rank);
    n = end > start ? end - start : 0;
  }
  sloe_shape out = sloe_shape_of(1, &n);
  sloe_set_out(cx, 0, &out, SLOE_DT_INT64);
  sloe_status status = SLOE_OK;
  sloe_value *v = s ? sloe_set_value(cx, 0, (size_t)n, 0, &status) : NULL;
  for (int64_t k = 0; v && k < n; k++)
    v->i[k] = s->dim[start + k] < 0 ? SLOE_ELEM_UNKNOWN : s->dim[start + k];
  return status;
}

sloe_status sloe_shape_size(sloe_infer *cx) {
  const sloe_shape *s = sloe_in_shape(cx, 0);
  sloe_shape scalar = {0};
  sloe_set_out(cx, 0, &scalar, SLOE_DT_INT64);
  if (!s || !sloe_shape_known(s) || sloe_shape_elements(s) > INT64_MAX) return SLOE_OK;
  return sloe_fold_fill(cx, 0, (sloe_scalar){.i = (int64_t)sloe_shape_elements(s)});
}
