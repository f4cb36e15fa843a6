#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static char *room(sloe_text *text, size_t len) {
  if (text->failed) return NULL;
  if (text->len + len + 1 > text->cap) {
    size_t cap = text->cap ? text->cap : 256;
    while (cap < text->len + len + 1) cap *= 2;
    char *data = sloe_realloc(text->data, cap, 1);
    if (!data) {
      text->failed = 1;
      return NULL;
    }
    text->data = data;
    text->cap = cap;
  }
  return text->data + text->len;
}

void sloe_text_addn(sloe_text *text, const char *s, size_t len) {
  char *to = room(text, len);
  if (!to) return;
  if (len) memcpy(to, s, len);
  to[len] = 0;
  text->len += len;
}

void sloe_text_add(sloe_text *text, const char *s) {
  sloe_text_addn(text, s, strlen(s));
}

void sloe_text_addf(sloe_text *text, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  int len = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  char *to = len < 0 ? NULL : room(text, (size_t)len);
  if (!to) return;
  va_start(ap, fmt);
  vsnprintf(to, (size_t)len + 1, fmt, ap);
  va_end(ap);
  text->len += (size_t)len;
}

void sloe_text_fini(sloe_text *text) {
  sloe_dealloc(text->data);
  *text = (sloe_text){0};
}

sloe_status sloe_text_take(sloe_text *text, char **out, sloe_error *err) {
  *out = NULL;
  sloe_text_addn(text, "", 0); /* an empty answer is a string too */
  if (text->failed) {
    sloe_text_fini(text);
    return sloe_fail(err, SLOE_NOMEM, "out of memory while writing the answer");
  }
  *out = text->data;
  *text = (sloe_text){0};
  return SLOE_OK;
}

void sloe_text_free(char *text) {
  sloe_dealloc(text);
}
