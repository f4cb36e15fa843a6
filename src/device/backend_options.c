/* backend_options.c: the keys of NAME:key=value,... */
#include <string.h>

#include "base/number.h"
#include "device/opened.h"

static const sloe_device_pair *find(const sloe_backend_options *options, const char *key) {
  for (size_t i = 0; i < options->n; i++)
    if (strcmp(options->pair[i].key, key) == 0) return &options->pair[i];
  return NULL;
}

static sloe_status take_pair(const char *name, char *pair, sloe_backend_options *out,
                             sloe_error *err) {
  char *equals = strchr(pair, '=');
  if (!equals || equals == pair)
    return sloe_fail(err, SLOE_USAGE, "backend %s: '%.60s' is not key=value", name, pair);
  *equals = 0;
  if (find(out, pair))
    return sloe_fail(err, SLOE_USAGE, "backend %s: %.60s stands twice", name, pair);
  if (out->n == sizeof out->pair / sizeof *out->pair)
    return sloe_fail(err, SLOE_USAGE, "backend %s: more than %zu keys", name, out->n);
  out->pair[out->n++] = (sloe_device_pair){pair, equals + 1};
  return SLOE_OK;
}

sloe_status sloe_backend_options_read(const char *name, char *keys, sloe_backend_options *out,
                                      sloe_error *err) {
  out->n = 0;
  for (char *pair = keys; pair;) {
    char *comma = strchr(pair, ',');
    if (comma) *comma = 0;
    SLOE_TRY(take_pair(name, pair, out, err));
    pair = comma ? comma + 1 : NULL;
  }
  return SLOE_OK;
}

const char *sloe_backend_option(const sloe_backend_options *options, const char *key,
                                const char *fallback) {
  const sloe_device_pair *pair = find(options, key);
  return pair ? pair->value : fallback;
}

sloe_status sloe_backend_option_int(const sloe_backend_options *options, const char *key,
                                    int64_t lo, int64_t hi, int64_t fallback, int64_t *out,
                                    sloe_error *err) {
  const char *value = sloe_backend_option(options, key, NULL);
  *out = fallback;
  if (!value) return SLOE_OK;
  if (sloe_parse_int(value, strlen(value), out) && *out >= lo && *out <= hi) return SLOE_OK;
  *out = fallback;
  return sloe_fail(err, SLOE_USAGE, "%s: '%.60s' is not a whole number in %lld..%lld", key, value,
                   (long long)lo, (long long)hi);
}

sloe_status sloe_backend_option_real(const sloe_backend_options *options, const char *key,
                                     double lo, double hi, double fallback, double *out,
                                     sloe_error *err) {
  const char *value = sloe_backend_option(options, key, NULL);
  char low[SLOE_NUMBER_BUF], high[SLOE_NUMBER_BUF];
  *out = fallback;
  if (!value) return SLOE_OK;
  if (sloe_parse_double(value, strlen(value), out) && *out >= lo && *out <= hi) return SLOE_OK;
  *out = fallback;
  return sloe_fail(err, SLOE_USAGE, "%s: '%.60s' is not a number in %s..%s", key, value,
                   sloe_format_double(lo, low), sloe_format_double(hi, high));
}

sloe_status sloe_backend_options_check(const sloe_backend_options *options,
                                       const char *const *known, sloe_error *err) {
  for (size_t i = 0; i < options->n; i++) {
    const char *const *name = known;
    while (*name && strcmp(*name, options->pair[i].key) != 0) name++;
    if (*name) continue;
    char list[160] = "";
    for (name = known; *name; name++) {
      const size_t len = strlen(list), more = strlen(*name) + 1;
      if (len + more >= sizeof list) break;
      if (len) list[len] = ' ';
      memcpy(list + len + (len > 0), *name, more);
    }
    return sloe_fail(err, SLOE_USAGE, "no key '%.40s'; there are: %s", options->pair[i].key, list);
  }
  return SLOE_OK;
}
