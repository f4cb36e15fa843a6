#include "device/device_identity.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MAX_PAIRS = 24 };

void sloe_identity_token(const char *title, char *out, size_t size) {
  size_t n = 0;
  for (const char *p = title; *p && n + 1 < size; p++) {
    if (strncmp(p, "(R)", 3) == 0) p += 3;
    if (strncmp(p, "(TM)", 4) == 0) p += 4;
    const unsigned char c = (unsigned char)*p;
    if (!c) break;
    if (isalnum(c) && c < 128)
      out[n++] = (char)tolower(c);
    else if (n && out[n - 1] != '-')
      out[n++] = '-';
  }
  while (n && out[n - 1] == '-') n--;
  out[n] = 0;
}

void sloe_environment_add(sloe_environment *e, const char *key, const char *value) {
  const char *copy = sloe_arena_printf(e->arena, "%s", value[0] ? value : "unknown");
  if (!e->pair) e->pair = SLOE_ARENA_NEW(e->arena, sloe_device_pair, MAX_PAIRS);
  if (!copy || !e->pair || e->n == MAX_PAIRS) {
    e->failed = 1;
    return;
  }
  e->pair[e->n++] = (sloe_device_pair){key, copy};
}

void sloe_environment_add_number(sloe_environment *e, const char *key, uint64_t value) {
  char text[32] = "";
  if (value) snprintf(text, sizeof text, "%llu", (unsigned long long)value);
  sloe_environment_add(e, key, text);
}

sloe_status sloe_environment_end(const sloe_environment *e, const char *who, sloe_device_info *info,
                                 sloe_error *err) {
  if (e->failed || !e->n) return sloe_fail(err, SLOE_NOMEM, "%s: out of memory", who);
  info->environment = e->pair;
  info->n_environment = e->n;
  return SLOE_OK;
}
