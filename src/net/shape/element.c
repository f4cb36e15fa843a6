#include "net/shape/element.h"

#include <math.h>

#include "net/shape/checked.h"

sloe_element sloe_element_int(int64_t i) {
  return (sloe_element){.i = i};
}
sloe_element sloe_element_real(double f) {
  return (sloe_element){.real = 1, .f = f};
}
sloe_element sloe_element_unknown(void) {
  return sloe_element_int(SLOE_ELEM_UNKNOWN);
}

int sloe_element_is_unknown(sloe_element x) {
  return x.real ? isnan(x.f) : x.i == SLOE_ELEM_UNKNOWN;
}

double sloe_element_to_real(sloe_element x) {
  if (x.real) return x.f;
  return x.i == SLOE_ELEM_UNKNOWN ? (double)NAN : (double)x.i;
}

sloe_element sloe_value_at(const sloe_value *v, size_t k) {
  return v->real ? sloe_element_real(v->f[k]) : sloe_element_int(v->i[k]);
}

static int is_signed(sloe_dtype dtype) {
  return dtype == SLOE_DT_INT8 || dtype == SLOE_DT_INT16 || dtype == SLOE_DT_INT32 ||
         dtype == SLOE_DT_INT64 || dtype == SLOE_DT_INT4;
}

/* Of uint64 only the half that int64 holds is known. */
static int64_t fit(int64_t i, sloe_dtype dtype) {
  unsigned bits = sloe_dtype_bits(dtype);
  int64_t low = 0, high = INT64_MAX;
  if (dtype == SLOE_DT_BOOL) return i == SLOE_ELEM_UNKNOWN ? i : i != 0;
  if (is_signed(dtype)) low = bits >= 64 ? INT64_MIN : -(INT64_C(1) << (bits - 1));
  if (bits < 64) high = (INT64_C(1) << (is_signed(dtype) ? bits - 1 : bits)) - 1;
  return i < low || i > high ? SLOE_ELEM_UNKNOWN : i;
}

static int64_t truncated(double f, sloe_dtype dtype) {
  if (isnan(f)) return SLOE_ELEM_UNKNOWN;
  if (dtype == SLOE_DT_BOOL) return f != 0;
  return f > -0x1p63 && f < 0x1p63 ? (int64_t)f : SLOE_ELEM_UNKNOWN;
}

void sloe_value_put(sloe_value *v, size_t k, sloe_element x, sloe_dtype dtype) {
  if (!v->real) {
    v->i[k] = fit(x.real ? truncated(x.f, dtype) : x.i, dtype);
    return;
  }
  double f = sloe_element_to_real(x);
  v->f[k] = dtype == SLOE_DT_DOUBLE ? f : (double)(float)f;
}

int sloe_fold_has_type(sloe_dtype dtype) {
  return dtype != SLOE_DT_UNDEFINED && dtype != SLOE_DT_STRING && dtype != SLOE_DT_COMPLEX64 &&
         dtype != SLOE_DT_COMPLEX128;
}

sloe_operand sloe_fold_operand(const sloe_infer *cx, size_t i) {
  const sloe_tensor *t = sloe_in(cx, i);
  sloe_operand out = {.shape = t ? t->shape : sloe_shape_unknown()};
  const sloe_value *v = t ? t->value : NULL;
  if (v && sloe_shape_known(&t->shape) && v->n == sloe_shape_elements(&t->shape)) out.value = v;
  return out;
}

/* How far an operand's flat index moves with each axis of `out`; 0 along broadcast axes. */
static void steps_of(const sloe_shape *x, const sloe_shape *out, size_t step[SLOE_MAX_RANK]) {
  size_t stride = 1;
  for (int i = out->rank - 1, k = x->rank - 1; i >= 0; i--, k--) {
    step[i] = k < 0 || x->dim[k] == 1 ? 0 : stride;
    if (k >= 0) stride *= (size_t)x->dim[k];
  }
}

/* The next index in row-major order: at[] moves with it by each operand's steps. */
static void advance(const sloe_shape *out, int64_t index[], size_t step[][SLOE_MAX_RANK],
                    size_t at[], size_t n) {
  for (int axis = out->rank - 1; axis >= 0; axis--) {
    int wraps = ++index[axis] == out->dim[axis];
    for (size_t k = 0; k < n; k++)
      at[k] = wraps ? at[k] - step[k][axis] * (size_t)(out->dim[axis] - 1) : at[k] + step[k][axis];
    if (!wraps) return;
    index[axis] = 0;
  }
}

static int can_fold(const sloe_shape *out, sloe_dtype dtype, const sloe_operand *x, size_t n) {
  if (!n || n > SLOE_FOLD_MAX_OPERANDS || !sloe_shape_known(out) || !sloe_fold_has_type(dtype))
    return 0;
  for (size_t k = 0; k < n; k++)
    if (!x[k].value || x[k].shape.rank > out->rank) return 0;
  return sloe_shape_elements(out) <= SLOE_VALUE_MAX;
}

sloe_status sloe_fold_broadcast(sloe_infer *cx, const sloe_shape *out, sloe_dtype dtype,
                                const sloe_operand *x, size_t n, sloe_fold_fn fn) {
  sloe_status status = SLOE_OK;
  if (!can_fold(out, dtype, x, n)) return SLOE_OK;
  size_t total = (size_t)sloe_shape_elements(out);
  sloe_value *v = sloe_set_value(cx, 0, total, sloe_dtype_is_float(dtype), &status);
  if (!v) return status;
  size_t step[SLOE_FOLD_MAX_OPERANDS][SLOE_MAX_RANK], at[SLOE_FOLD_MAX_OPERANDS] = {0};
  int64_t index[SLOE_MAX_RANK] = {0};
  for (size_t k = 0; k < n; k++) steps_of(&x[k].shape, out, step[k]);
  for (size_t e = 0; e < total; e++) {
    sloe_element element[SLOE_FOLD_MAX_OPERANDS];
    for (size_t k = 0; k < n; k++) element[k] = sloe_value_at(x[k].value, at[k]);
    sloe_value_put(v, e, fn(cx, element, n), dtype);
    advance(out, index, step, at, n);
  }
  return SLOE_OK;
}
