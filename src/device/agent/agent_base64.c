/* agent_base64.c: bytes as text (RFC 4648, with padding, without line breaks). */
#include <string.h>

#include "base/alloc.h"
#include "device/agent/agent_wire.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void sloe_agent_base64(const void *data, size_t len, sloe_text *out) {
  const unsigned char *p = data;
  for (size_t i = 0; i < len; i += 3) {
    const size_t n = len - i < 3 ? len - i : 3;
    const uint32_t word = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                          (n > 2 ? (uint32_t)p[i + 2] : 0);
    const char four[4] = {digits[word >> 18], digits[word >> 12 & 63],
                          n > 1 ? digits[word >> 6 & 63] : '=', n > 2 ? digits[word & 63] : '='};
    sloe_text_addn(out, four, sizeof four);
  }
}

/* -1: no digit. */
static int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static size_t padding(const char *text, size_t len) {
  return len && text[len - 1] == '=' ? (text[len - 2] == '=' ? 2 : 1) : 0;
}

sloe_status sloe_agent_unbase64(const char *text, size_t len, unsigned char **data, size_t *n,
                                sloe_error *err) {
  *data = NULL;
  *n = 0;
  if (len % 4) return sloe_fail(err, SLOE_FORMAT, "base64 of %zu characters", len);
  const size_t pad = padding(text, len);
  unsigned char *bytes = sloe_alloc(len / 4 + 1, 3);
  if (!bytes) return sloe_fail(err, SLOE_NOMEM, "out of memory reading base64");
  uint32_t word = 0;
  for (size_t i = 0; i < len; i++) {
    const int value = i < len - pad ? value_of(text[i]) : 0;
    if (value < 0) {
      sloe_dealloc(bytes);
      return sloe_fail(err, SLOE_FORMAT, "character %zu is none of base64", i);
    }
    word = word << 6 | (uint32_t)value;
    if (i % 4 != 3) continue;
    unsigned char *to = bytes + i / 4 * 3;
    to[0] = (unsigned char)(word >> 16);
    to[1] = (unsigned char)(word >> 8);
    to[2] = (unsigned char)word;
  }
  *data = bytes;
  *n = len / 4 * 3 - pad;
  return SLOE_OK;
}
