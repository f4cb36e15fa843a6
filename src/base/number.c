/* strtod and printf follow the locale of the process, which a host program may have set to one with
 * a decimal comma. So the digits are checked here, and the decimal point is exchanged on the way in
 * and out.
 */
#include "base/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t digits(const char *s, size_t i, size_t len) {
  while (i < len && s[i] >= '0' && s[i] <= '9') i++;
  return i;
}

static int is_decimal(const char *s, size_t len) {
  size_t i = len && (s[0] == '+' || s[0] == '-'), start = i;
  i = digits(s, i, len);
  size_t n = i - start;
  if (i < len && s[i] == '.') {
    size_t after = digits(s, i + 1, len);
    n += after - i - 1;
    i = after;
  }
  if (!n) return 0;
  if (i < len && (s[i] == 'e' || s[i] == 'E')) {
    i++;
    i += i < len && (s[i] == '+' || s[i] == '-');
    size_t after = digits(s, i, len);
    if (after == i) return 0;
    i = after;
  }
  return i == len;
}

static int special(const char *s, size_t len, double *out) {
  if (len == 3 && !memcmp(s, "nan", 3))
    *out = NAN;
  else if (len == 3 && !memcmp(s, "inf", 3))
    *out = INFINITY;
  else if (len == 4 && !memcmp(s, "-inf", 4))
    *out = -INFINITY;
  else
    return 0;
  return 1;
}

/* strtod of a plain decimal, with the process's own decimal point put in for '.'. */
int sloe_parse_double(const char *s, size_t len, double *out) {
  char buf[128];
  if (special(s, len, out)) return 1;
  if (len >= sizeof buf - 8 || !is_decimal(s, len)) return 0;
  const char *point = localeconv()->decimal_point;
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    if (s[i] != '.') {
      buf[n++] = s[i];
      continue;
    }
    size_t width = strlen(point);
    if (width > 4) return 0;
    memcpy(buf + n, point, width);
    n += width;
  }
  buf[n] = 0;
  char *end;
  *out = strtod(buf, &end);
  return *end == 0;
}

int sloe_parse_int(const char *s, size_t len, int64_t *out) {
  size_t i = 0;
  int negative = len && s[0] == '-';
  if (len && (s[0] == '-' || s[0] == '+')) i++;
  if (i == len) return 0;
  uint64_t value = 0, limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
  for (; i < len; i++) {
    if (s[i] < '0' || s[i] > '9') return 0;
    uint64_t digit = (uint64_t)(s[i] - '0');
    if (value > (limit - digit) / 10) return 0;
    value = value * 10 + digit;
  }
  *out = negative ? (int64_t)(0 - value) : (int64_t)value;
  return 1;
}

/* Puts '.' where printf put the locale's decimal point. */
static void delocalise(char *buf) {
  const char *point = localeconv()->decimal_point;
  char *at = strcmp(point, ".") ? strstr(buf, point) : NULL;
  if (!at) return;
  size_t width = strlen(point);
  *at = '.';
  memmove(at + 1, at + width, strlen(at + width) + 1);
}

const char *sloe_format_double(double value, char buf[SLOE_NUMBER_BUF]) {
  if (isnan(value)) return "nan";
  if (isinf(value)) return value < 0 ? "-inf" : "inf";
  for (int precision = 15; precision <= 17; precision++) {
    snprintf(buf, SLOE_NUMBER_BUF, "%.*g", precision, value);
    if (strtod(buf, NULL) == value) break;
  }
  delocalise(buf);
  return buf;
}

const char *sloe_format_fixed(double value, int digits_after, char *buf, size_t size) {
  snprintf(buf, size, "%.*f", digits_after, value);
  delocalise(buf);
  return buf;
}
