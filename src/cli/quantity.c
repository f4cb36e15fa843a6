/* Numbers of the command line: the same in every locale. */
#include <string.h>

#include "cli/cli.h"

int64_t sloe_cli_whole(const char *s, size_t len) {
  int64_t value = 0;
  for (size_t i = 0; i < len; i++) {
    if (s[i] < '0' || s[i] > '9') return 0;
    int digit = s[i] - '0';
    if (value > (INT64_MAX - digit) / 10) return 0;
    value = value * 10 + digit;
  }
  return value;
}

/* digits[.digits] from *at to `end`: digits and decimal places. 0: there are none, or too many. */
static int read_digits(const char **at, const char *end, double *value, int *scale) {
  int digits = 0, point = 0;
  const char *s = *at;
  for (; s < end && ((*s >= '0' && *s <= '9') || (*s == '.' && !point)); s++) {
    if (*s == '.') {
      point = 1;
      continue;
    }
    if (*scale < -300 || *value > 1e16) return 0;
    digits = 1;
    *value = *value * 10 + (*s - '0');
    *scale -= point;
  }
  *at = s;
  return digits;
}

/* e[+-]digits, two at most. */
static int read_exponent(const char **at, const char *end, int *scale) {
  const char *s = *at + 1;
  int negative = s < end && *s == '-', exponent = 0;
  s += s < end && (*s == '-' || *s == '+');
  if (s == end || end - s > 2) return 0;
  for (; s < end; s++) {
    if (*s < '0' || *s > '9') return 0;
    exponent = exponent * 10 + (*s - '0');
  }
  *scale += negative ? -exponent : exponent;
  *at = s;
  return 1;
}

double sloe_cli_decimal(const char *s, size_t len) {
  const char *end = s + len;
  double value = 0, power = 1;
  int scale = 0;
  if (!read_digits(&s, end, &value, &scale)) return 0;
  if (s < end && (*s == 'e' || *s == 'E') && !read_exponent(&s, end, &scale)) return 0;
  if (s != end) return 0;
  for (int i = scale < 0 ? -scale : scale; i > 0; i--) power *= 10;
  return scale < 0 ? value / power : value * power;
}

double sloe_cli_duration(const char *s) {
  size_t len = strlen(s);
  double unit = 1;
  if (!len) return 0;
  switch (s[len - 1]) {
    case 's': len--; break;
    case 'm': unit = 60, len--; break;
    case 'h': unit = 3600, len--; break;
    default: break;
  }
  return unit * sloe_cli_decimal(s, len);
}
