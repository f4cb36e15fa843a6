/* checked.h: int64 arithmetic that tells when it does not fit. Each returns 0, and leaves *out
 * alone, where the result is outside int64. Private to net/shape/. */
#ifndef SLOE_NET_SHAPE_CHECKED_H
#define SLOE_NET_SHAPE_CHECKED_H

#include <stdint.h>

int sloe_int_add(int64_t a, int64_t b, int64_t *out);
int sloe_int_sub(int64_t a, int64_t b, int64_t *out);
int sloe_int_mul(int64_t a, int64_t b, int64_t *out);

/* Rounded to minus and plus infinity; b must be positive. */
int64_t sloe_int_div_floor(int64_t a, int64_t b);
int64_t sloe_int_div_ceil(int64_t a, int64_t b);

#endif
