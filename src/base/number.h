/* number.h: numbers in files and on command lines, the same in every locale. */
#ifndef SLOE_BASE_NUMBER_H
#define SLOE_BASE_NUMBER_H

#include "base/error.h"

/* The whole of `len` bytes must be one number: [+-]digits[.digits][(e|E)[+-]digits], or "nan",
   "inf", "-inf". Correctly rounded. 0 when it is none. */
int sloe_parse_double(const char *s, size_t len, double *out);

/* The whole of `len` bytes must be a decimal integer within int64. 0 when it is none. */
int sloe_parse_int(const char *s, size_t len, int64_t *out);

/* Shortest decimal that reads back as the same double ("0.1", "1e+22", "nan"). `buf` of 32 bytes.
 */
enum { SLOE_NUMBER_BUF = 32 };
const char *sloe_format_double(double value, char buf[SLOE_NUMBER_BUF]);

/* `digits` after the point, as "%.*f" in the C locale. */
const char *sloe_format_fixed(double value, int digits, char *buf, size_t size);

#endif
