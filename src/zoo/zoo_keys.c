/* zoo_keys.c: "key=value,key=value" against a family's list. */
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "zoo/zoo_family.h"

enum { MOST_CHANNELS = 4096 };

typedef sloe_zoo_key key;
typedef sloe_zoo_value value;

static int cut(size_t len) {
  return len > 40 ? 40 : (int)len;
}

static sloe_status refuse(const char *family, const key *k, const value *v, const char *rule,
                          sloe_error *err) {
  return sloe_fail(err, SLOE_USAGE, "%s: %s: '%.*s' is %s", family, k->name, cut(v->len), v->text,
                   rule);
}

static int64_t bound(double limit) {
  return limit >= 0x1p63 ? INT64_MAX : (int64_t)limit;
}

static sloe_status read_whole(const char *family, const key *k, value *v, sloe_error *err) {
  if (!sloe_parse_int(v->text, v->len, &v->whole) || v->whole < bound(k->least) ||
      v->whole > bound(k->most))
    return sloe_fail(err, SLOE_USAGE, "%s: %s: '%.*s' is not a whole number in %lld..%lld", family,
                     k->name, cut(v->len), v->text, (long long)bound(k->least),
                     (long long)bound(k->most));
  v->real = (double)v->whole;
  return SLOE_OK;
}

static sloe_status read_real(const char *family, const key *k, value *v, sloe_error *err) {
  char least[SLOE_NUMBER_BUF], most[SLOE_NUMBER_BUF];
  if (sloe_parse_double(v->text, v->len, &v->real) && v->real >= k->least && v->real <= k->most)
    return SLOE_OK;
  return sloe_fail(err, SLOE_USAGE, "%s: %s: '%.*s' is not a number in %s..%s", family, k->name,
                   cut(v->len), v->text, sloe_format_double(k->least, least),
                   sloe_format_double(k->most, most));
}

static sloe_status read_word(const char *family, const key *k, value *v, sloe_error *err) {
  v->whole = 0;
  for (const char *word = k->words;; v->whole++) {
    const size_t len = strcspn(word, "|");
    if (len == v->len && !memcmp(word, v->text, len)) return SLOE_OK;
    if (!word[len]) break;
    word += len + 1;
  }
  return sloe_fail(err, SLOE_USAGE, "%s: %s: '%.*s' is none of %s", family, k->name, cut(v->len),
                   v->text, k->words);
}

static sloe_status read_image(const char *family, const key *k, value *v, sloe_error *err) {
  static const char rule[] = "neither 224 nor 224x320 nor 3x224x320";
  int64_t size[3];
  int n = 0;
  const char *s = v->text, *end = v->text + v->len;
  for (;; s++) {
    const char *x = memchr(s, 'x', (size_t)(end - s));
    const size_t len = (size_t)((x ? x : end) - s);
    if (n == 3 || !sloe_parse_int(s, len, &size[n])) return refuse(family, k, v, rule, err);
    n++;
    s += len;
    if (!x) break;
  }
  v->image[0] = n == 3 ? size[0] : 3;
  v->image[1] = size[n == 3];
  v->image[2] = size[n - 1];
  if (v->image[0] < 1 || v->image[0] > MOST_CHANNELS)
    return sloe_fail(err, SLOE_USAGE, "%s: %s: %lld channels: 1 to %d are possible", family,
                     k->name, (long long)v->image[0], MOST_CHANNELS);
  for (int d = 1; d < 3; d++)
    if (v->image[d] < bound(k->least) || v->image[d] > bound(k->most))
      return sloe_fail(err, SLOE_USAGE, "%s: %s: '%.*s': height and width are in %lld..%lld",
                       family, k->name, cut(v->len), v->text, (long long)bound(k->least),
                       (long long)bound(k->most));
  return SLOE_OK;
}

static sloe_status read_value(const char *family, const key *k, value *v, const char *text,
                              size_t len, sloe_error *err) {
  v->text = text;
  v->len = len;
  switch (k->takes) {
    case SLOE_ZOO_WHOLE: return read_whole(family, k, v, err);
    case SLOE_ZOO_REAL: return read_real(family, k, v, err);
    case SLOE_ZOO_WORD: return read_word(family, k, v, err);
    case SLOE_ZOO_IMAGE: return read_image(family, k, v, err);
    default: return SLOE_OK;
  }
}

static sloe_status read_token(const sloe_zoo_family *family, const char *token, size_t len,
                              sloe_zoo_call *call, sloe_error *err) {
  const char *equals = memchr(token, '=', len);
  if (!equals)
    return sloe_fail(err, SLOE_USAGE, "%s: '%.*s' is no key=value", family->name, cut(len), token);
  const size_t key_len = (size_t)(equals - token);
  for (size_t i = 0; i < family->n_keys; i++) {
    const key *k = &family->keys[i];
    if (strlen(k->name) != key_len || memcmp(k->name, token, key_len) != 0) continue;
    if (call->v[i].given)
      return sloe_fail(err, SLOE_USAGE, "%s: '%s' stands twice", family->name, k->name);
    call->v[i].given = 1;
    return read_value(family->name, k, &call->v[i], equals + 1, len - key_len - 1, err);
  }
  return sloe_fail(err, SLOE_USAGE, "%s: key '%.*s' is not known", family->name, cut(key_len),
                   token);
}

sloe_status sloe_zoo_read_keys(const sloe_zoo_family *family, sloe_zoo_call *call,
                               sloe_error *err) {
  for (const char *args = call->args; *args;) {
    const size_t len = strcspn(args, ",");
    SLOE_TRY(read_token(family, args, len, call, err));
    args += len + (args[len] == ',');
  }
  for (size_t i = 0; i < family->n_keys; i++) {
    const key *k = &family->keys[i];
    if (call->v[i].given) continue;
    if (!k->fallback)
      return sloe_fail(err, SLOE_USAGE, "%s: '%s' is missing", family->name, k->name);
    if (*k->fallback)
      SLOE_TRY(read_value(family->name, k, &call->v[i], k->fallback, strlen(k->fallback), err));
  }
  return SLOE_OK;
}

void sloe_zoo_default_image(sloe_zoo_value *v, int64_t size) {
  if (v->given) return;
  v->image[0] = 3;
  v->image[1] = v->image[2] = size;
}
