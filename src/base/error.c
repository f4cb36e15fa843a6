#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef sloe_fail /* macros where an analyser reads this */
#undef sloe_fail_at
#undef sloe_fail_in

static void fill(sloe_error *err, sloe_status code, uint64_t offset, const char *fmt, va_list ap) {
  err->code = code;
  err->offset = offset;
  vsnprintf(err->msg, sizeof err->msg, fmt, ap);
  for (char *p = err->msg; *p; p++) /* names come from files: keep the message on one line */
    if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
}

sloe_status sloe_fail(sloe_error *err, sloe_status code, const char *fmt, ...) {
  if (!err) return code;
  va_list ap;
  va_start(ap, fmt);
  fill(err, code, 0, fmt, ap);
  va_end(ap);
  return code;
}

sloe_status sloe_fail_at(sloe_error *err, sloe_status code, uint64_t offset, const char *fmt, ...) {
  if (!err) return code;
  va_list ap;
  va_start(ap, fmt);
  fill(err, code, offset, fmt, ap);
  va_end(ap);
  return code;
}

sloe_status sloe_fail_in(sloe_error *err, sloe_status code, const char *fmt, ...) {
  if (!err) return code;
  sloe_error inner = *err;
  char context[sizeof inner.msg];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(context, sizeof context, fmt, ap);
  va_end(ap);
  sloe_fail_at(err, inner.code, inner.offset, "%s: %s", context, inner.msg);
  return inner.code;
}

const char *sloe_status_text(sloe_status status) {
  switch (status) {
#define SLOE_STATUS_TEXT(name, value, text) \
  case SLOE_##name: return text;
    SLOE_STATUS_MAP(SLOE_STATUS_TEXT)
#undef SLOE_STATUS_TEXT
  }
  return "unknown status";
}

const char *sloe_version(void) {
#define SLOE_STR(x)  #x
#define SLOE_XSTR(x) SLOE_STR(x)
  return SLOE_XSTR(SLOE_VERSION_MAJOR) "." SLOE_XSTR(SLOE_VERSION_MINOR) "." SLOE_XSTR(
      SLOE_VERSION_PATCH);
#undef SLOE_XSTR
#undef SLOE_STR
}
