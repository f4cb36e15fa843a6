#include "net/shape/checked.h"

int sloe_int_add(int64_t a, int64_t b, int64_t *out) {
  if (b > 0 ? a > INT64_MAX - b : a < INT64_MIN - b) return 0;
  *out = a + b;
  return 1;
}

int sloe_int_sub(int64_t a, int64_t b, int64_t *out) {
  if (b > 0 ? a < INT64_MIN + b : a > INT64_MAX + b) return 0;
  *out = a - b;
  return 1;
}

int sloe_int_mul(int64_t a, int64_t b, int64_t *out) {
  if (a == 0 || b == 0) {
    *out = 0;
    return 1;
  }
  if (a > 0 ? (b > 0 ? a > INT64_MAX / b : b < INT64_MIN / a)
            : (b > 0 ? a < INT64_MIN / b : b < INT64_MAX / a))
    return 0;
  *out = a * b;
  return 1;
}

int64_t sloe_int_div_floor(int64_t a, int64_t b) {
  int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}

int64_t sloe_int_div_ceil(int64_t a, int64_t b) {
  int64_t q = a / b;
  return a % b > 0 ? q + 1 : q;
}
