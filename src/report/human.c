#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "report/report.h"

/* Digits after the point that leave three significant ones. */
static int decimals(double value) {
  double size = fabs(value);
  if (size >= 99.95) return 0;
  if (size >= 9.995) return 1;
  int digits = 2;
  for (double edge = 0.9995; size < edge && digits < 6; edge /= 10) digits++;
  return digits;
}

const char *sloe_human_number(double value, char buf[SLOE_HUMAN_BUF]) {
  if (isnan(value)) return "-";
  if (isinf(value)) return value < 0 ? "-inf" : "inf";
  if (value == 0) return "0";
  if (fabs(value) >= 1e15) {
    snprintf(buf, SLOE_HUMAN_BUF, "%.2e", value);
    return buf;
  }
  return sloe_format_fixed(value, decimals(value), buf, SLOE_HUMAN_BUF);
}

const char *sloe_human_plain(double value, char buf[SLOE_HUMAN_BUF]) {
  double size = fabs(value);
  if (!(size >= 1e-4 && size < 1e6)) return value == 0 ? "0" : sloe_human_number(value, buf);
  int digits = 5 - (int)floor(log10(size));
  sloe_format_fixed(value, digits > 0 ? digits : 0, buf, SLOE_HUMAN_BUF);
  size_t len = strlen(buf);
  if (!strchr(buf, '.')) return buf;
  while (buf[len - 1] == '0') buf[--len] = 0;
  if (buf[len - 1] == '.') buf[len - 1] = 0;
  return buf;
}

static const char *scaled(double value, const char *unit, char buf[SLOE_HUMAN_BUF]) {
  static const char *const prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  if (isnan(value)) return "-";
  size_t i = 0;
  for (; fabs(value) >= 999.5 && i + 1 < sizeof prefixes / sizeof *prefixes; i++) value /= 1000;
  char digits[SLOE_HUMAN_BUF];
  const char *number = i == 0 && value == floor(value)
                           ? sloe_format_fixed(value, 0, digits, sizeof digits)
                           : sloe_human_number(value, digits);
  const char *space = *prefixes[i] || *unit ? " " : "";
  snprintf(buf, SLOE_HUMAN_BUF, "%.40s%s%s%s", number, space, prefixes[i], unit);
  return buf;
}

const char *sloe_human_si(double value, char buf[SLOE_HUMAN_BUF]) {
  return scaled(value, "", buf);
}

const char *sloe_human_bytes(double bytes, char buf[SLOE_HUMAN_BUF]) {
  return scaled(bytes, "B", buf);
}

const char *sloe_human_count(uint64_t value, char buf[SLOE_HUMAN_BUF]) {
  char digits[24];
  int n = snprintf(digits, sizeof digits, "%" PRIu64, value);
  char *to = buf;
  for (int i = 0; i < n; i++) {
    if (i && (n - i) % 3 == 0) *to++ = ',';
    *to++ = digits[i];
  }
  *to = 0;
  return buf;
}

const char *sloe_human_shape(const sloe_shape *shape, char buf[SLOE_HUMAN_SHAPE_BUF]) {
  if (shape->rank < 0) return "?";
  if (shape->rank == 0) return "scalar";
  size_t at = 0;
  for (int i = 0; i < shape->rank && i < SLOE_MAX_RANK; i++) {
    const char *cross = i ? "x" : "";
    int n = shape->dim[i] < 0
                ? snprintf(buf + at, SLOE_HUMAN_SHAPE_BUF - at, "%s?", cross)
                : snprintf(buf + at, SLOE_HUMAN_SHAPE_BUF - at, "%s%" PRId64, cross, shape->dim[i]);
    at += (size_t)n;
  }
  return buf;
}

/* Bytes of the well-formed code point at `s`; 0 where there is none (RFC 3629). */
static size_t code_point(const unsigned char *s) {
  if (s[0] < 0x80) return 1;
  size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (s[0] < 0xc2 || s[0] > 0xf4) return 0;
  for (size_t i = 1; i < len; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0;
  if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
  return len;
}

static int is_control(const unsigned char *s, size_t len) {
  if (len == 1) return s[0] < 0x20 || s[0] == 0x7f;
  return len == 2 && s[0] == 0xc2 && s[1] < 0xa0; /* C1: some terminals obey these too */
}

void sloe_text_name(sloe_text *text, const char *s) {
  const unsigned char *p = (const unsigned char *)s;
  while (*p) {
    size_t len = code_point(p);
    if (len && !is_control(p, len)) {
      sloe_text_addn(text, (const char *)p, len);
    } else {
      sloe_text_add(text, "?");
    }
    p += len ? len : 1;
  }
}

size_t sloe_text_columns(const char *s, size_t len) {
  size_t columns = 0;
  for (size_t i = 0; i < len; i++) columns += ((unsigned char)s[i] & 0xc0) != 0x80;
  return columns;
}
