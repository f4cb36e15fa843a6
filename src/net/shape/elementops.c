/* What each elementwise operator does to one element. Integers and booleans are int64; sums that do
   not fit, divisions by zero and the like give an unknown element. */
#include <math.h>
#include <string.h>

#include "net/shape/checked.h"
#include "net/shape/element.h"

static sloe_element checked(int fits, int64_t i) {
  return fits ? sloe_element_int(i) : sloe_element_unknown();
}

static int either_unknown(sloe_element a, sloe_element b) {
  return sloe_element_is_unknown(a) || sloe_element_is_unknown(b);
}

/* ---- one operand ---- */

#define REAL_FUNCTIONS(X) \
  X(CEIL, ceil(x))        \
  X(FLOOR, floor(x))      \
  X(ROUND, rint(x))       \
  X(SQRT, sqrt(x))        \
  X(EXP, exp(x))          \
  X(LOG, log(x))          \
  X(RECIPROCAL, 1 / x)    \
  X(SIN, sin(x))          \
  X(COS, cos(x))          \
  X(TAN, tan(x))          \
  X(ASIN, asin(x))        \
  X(ACOS, acos(x))        \
  X(ATAN, atan(x))        \
  X(SINH, sinh(x))        \
  X(COSH, cosh(x))        \
  X(TANH, tanh(x))        \
  X(ASINH, asinh(x))      \
  X(ACOSH, acosh(x))      \
  X(ATANH, atanh(x))      \
  X(ERF, erf(x))          \
  X(SIGMOID, 1 / (1 + exp(-x)))

#define BOTH_FUNCTIONS(X)    \
  X(ABS, x < 0 ? -x : x)     \
  X(NEG, -x)                 \
  X(SIGN, (x > 0) - (x < 0)) \
  X(RELU, x > 0 ? x : 0)

static sloe_element real_unary(sloe_op op, double x) {
  switch (op) {
#define REAL_CASE(name, formula) \
  case SLOE_OP_##name: return sloe_element_real(formula);
    REAL_FUNCTIONS(REAL_CASE)
    BOTH_FUNCTIONS(REAL_CASE)
#undef REAL_CASE
    default: return sloe_element_real((double)NAN);
  }
}

/* ~x within the bits of an unsigned type. */
static sloe_element complement(const sloe_infer *cx, int64_t x) {
  const sloe_tensor *t = sloe_in(cx, 0);
  sloe_dtype dtype = t ? t->dtype : SLOE_DT_INT64;
  if (dtype == SLOE_DT_UINT64) return sloe_element_unknown();
  if (dtype == SLOE_DT_UINT8 || dtype == SLOE_DT_UINT16 || dtype == SLOE_DT_UINT32)
    return sloe_element_int(~x & ((INT64_C(1) << sloe_dtype_bits(dtype)) - 1));
  return sloe_element_int(~x);
}

static sloe_element int_unary(const sloe_infer *cx, int64_t x) {
  switch (cx->node->op) {
#define INT_CASE(name, formula) \
  case SLOE_OP_##name: return sloe_element_int(formula);
    BOTH_FUNCTIONS(INT_CASE)
#undef INT_CASE
    case SLOE_OP_NOT: return sloe_element_int(!x);
    case SLOE_OP_BITWISE_NOT: return complement(cx, x);
    default: return sloe_element_unknown();
  }
}

int sloe_fold_knows_unary(sloe_op op) {
  switch (op) {
#define KNOWN_CASE(name, formula) case SLOE_OP_##name:
    REAL_FUNCTIONS(KNOWN_CASE)
    BOTH_FUNCTIONS(KNOWN_CASE)
#undef KNOWN_CASE
    case SLOE_OP_NOT:
    case SLOE_OP_BITWISE_NOT: return 1;
    default: return 0;
  }
}

/* No overflow can happen: INT64_MIN, whose negative does not fit, is the unknown element. */
sloe_element sloe_fold_unary(const sloe_infer *cx, const sloe_element *x, size_t n) {
  (void)n;
  if (sloe_element_is_unknown(*x)) return sloe_element_unknown();
  return x->real ? real_unary(cx->node->op, x->f) : int_unary(cx, x->i);
}

/* ---- arithmetic of two ---- */

sloe_element sloe_element_add(sloe_element a, sloe_element b) {
  int64_t i = 0;
  if (either_unknown(a, b)) return sloe_element_unknown();
  if (a.real || b.real) return sloe_element_real(sloe_element_to_real(a) + sloe_element_to_real(b));
  int fits = sloe_int_add(a.i, b.i, &i);
  return checked(fits, i);
}

static sloe_element subtract(sloe_element a, sloe_element b) {
  int64_t i = 0;
  if (either_unknown(a, b)) return sloe_element_unknown();
  if (a.real || b.real) return sloe_element_real(sloe_element_to_real(a) - sloe_element_to_real(b));
  int fits = sloe_int_sub(a.i, b.i, &i);
  return checked(fits, i);
}

sloe_element sloe_element_mul(sloe_element a, sloe_element b) {
  int64_t i = 0;
  if (either_unknown(a, b)) return sloe_element_unknown();
  if (a.real || b.real) return sloe_element_real(sloe_element_to_real(a) * sloe_element_to_real(b));
  int fits = sloe_int_mul(a.i, b.i, &i);
  return checked(fits, i);
}

sloe_element sloe_element_div(sloe_element a, sloe_element b) {
  if (either_unknown(a, b)) return sloe_element_unknown();
  if (a.real || b.real) return sloe_element_real(sloe_element_to_real(a) / sloe_element_to_real(b));
  return b.i ? sloe_element_int(a.i / b.i) : sloe_element_unknown();
}

sloe_element sloe_element_pick(sloe_element a, sloe_element b, int larger) {
  if (either_unknown(a, b)) return sloe_element_unknown();
  int a_is_larger =
      a.real || b.real ? sloe_element_to_real(a) > sloe_element_to_real(b) : a.i > b.i;
  return a_is_larger == larger ? a : b;
}

/* The remainder has the sign of the divisor, with fmod=1 that of the dividend. */
static sloe_element modulo(const sloe_infer *cx, sloe_element a, sloe_element b) {
  int like_c = sloe_node_int(cx->node, "fmod", 0) != 0;
  if (a.real || b.real) {
    double x = sloe_element_to_real(a), y = sloe_element_to_real(b), r = fmod(x, y);
    return sloe_element_real(!like_c && r != 0 && (r < 0) != (y < 0) ? r + y : r);
  }
  if (!b.i) return sloe_element_unknown();
  int64_t r = a.i % b.i;
  return sloe_element_int(!like_c && r && (r < 0) != (b.i < 0) ? r + b.i : r);
}

/* Squaring: at most 63 multiplications. */
static sloe_element int_power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  if (exponent < 0) {
    if (base == 1) return sloe_element_int(1);
    if (base == -1) return sloe_element_int(exponent % 2 ? -1 : 1);
    return base ? sloe_element_int(0) : sloe_element_unknown();
  }
  while (exponent) {
    if ((exponent & 1) && !sloe_int_mul(result, base, &result)) return sloe_element_unknown();
    exponent >>= 1;
    if (exponent && !sloe_int_mul(base, base, &base)) return sloe_element_unknown();
  }
  return sloe_element_int(result);
}

static sloe_element power(sloe_element a, sloe_element b) {
  if (!a.real && !b.real) return int_power(a.i, b.i);
  return sloe_element_real(pow(sloe_element_to_real(a), sloe_element_to_real(b)));
}

static sloe_element shift(const sloe_infer *cx, int64_t a, int64_t bits) {
  int left = !strcmp(sloe_node_string(cx->node, "direction", "LEFT"), "LEFT");
  if (a < 0 || bits < 0 || bits > 62) return sloe_element_unknown();
  if (!left) return sloe_element_int(a >> bits);
  return a <= INT64_MAX >> bits ? sloe_element_int(a << bits) : sloe_element_unknown();
}

/* And, Or: one operand may settle it without the other. */
static sloe_element logical(sloe_op op, sloe_element a, sloe_element b) {
  int settles = op == SLOE_OP_OR;
  if (!sloe_element_is_unknown(a) && !!a.i == settles) return sloe_element_int(settles);
  if (!sloe_element_is_unknown(b) && !!b.i == settles) return sloe_element_int(settles);
  return either_unknown(a, b) ? sloe_element_unknown() : sloe_element_int(!settles);
}

static sloe_element int_binary(const sloe_infer *cx, int64_t a, int64_t b) {
  switch (cx->node->op) {
    case SLOE_OP_XOR: return sloe_element_int(!a != !b);
    case SLOE_OP_BITWISE_AND: return sloe_element_int(a & b);
    case SLOE_OP_BITWISE_OR: return sloe_element_int(a | b);
    case SLOE_OP_BITWISE_XOR: return sloe_element_int(a ^ b);
    case SLOE_OP_BIT_SHIFT: return shift(cx, a, b);
    default: return sloe_element_unknown();
  }
}

static sloe_element of_two(const sloe_infer *cx, sloe_element a, sloe_element b) {
  switch (cx->node->op) {
    case SLOE_OP_ADD:
    case SLOE_OP_SUM:
    case SLOE_OP_MEAN: return sloe_element_add(a, b);
    case SLOE_OP_SUB: return subtract(a, b);
    case SLOE_OP_MUL: return sloe_element_mul(a, b);
    case SLOE_OP_DIV: return sloe_element_div(a, b);
    case SLOE_OP_MIN: return sloe_element_pick(a, b, 0);
    case SLOE_OP_MAX: return sloe_element_pick(a, b, 1);
    default: break;
  }
  if (cx->node->op == SLOE_OP_AND || cx->node->op == SLOE_OP_OR)
    return a.real || b.real ? sloe_element_unknown() : logical(cx->node->op, a, b);
  if (either_unknown(a, b)) return sloe_element_unknown();
  if (cx->node->op == SLOE_OP_MOD) return modulo(cx, a, b);
  if (cx->node->op == SLOE_OP_POW) return power(a, b);
  return a.real || b.real ? sloe_element_unknown() : int_binary(cx, a.i, b.i);
}

sloe_element sloe_fold_binary(const sloe_infer *cx, const sloe_element *x, size_t n) {
  sloe_element out = x[0];
  for (size_t k = 1; k < n; k++) out = of_two(cx, out, x[k]);
  if (cx->node->op == SLOE_OP_MEAN) out = sloe_element_div(out, sloe_element_int((int64_t)n));
  return out;
}

/* ---- comparisons and choice ---- */

static int order(sloe_element a, sloe_element b) {
  if (!a.real && !b.real) return (a.i > b.i) - (a.i < b.i);
  double x = sloe_element_to_real(a), y = sloe_element_to_real(b);
  return (x > y) - (x < y);
}

sloe_element sloe_fold_compare(const sloe_infer *cx, const sloe_element *x, size_t n) {
  (void)n;
  if (either_unknown(x[0], x[1])) return sloe_element_unknown();
  int c = order(x[0], x[1]);
  switch (cx->node->op) {
    case SLOE_OP_EQUAL: return sloe_element_int(c == 0);
    case SLOE_OP_LESS: return sloe_element_int(c < 0);
    case SLOE_OP_LESS_OR_EQUAL: return sloe_element_int(c <= 0);
    case SLOE_OP_GREATER: return sloe_element_int(c > 0);
    case SLOE_OP_GREATER_OR_EQUAL: return sloe_element_int(c >= 0);
    default: return sloe_element_unknown();
  }
}

sloe_element sloe_fold_where(const sloe_infer *cx, const sloe_element *x, size_t n) {
  (void)cx, (void)n;
  if (!sloe_element_is_unknown(x[0])) return sloe_element_to_real(x[0]) != 0 ? x[1] : x[2];
  int same = !either_unknown(x[1], x[2]) && order(x[1], x[2]) == 0;
  return same ? x[1] : sloe_element_unknown();
}
