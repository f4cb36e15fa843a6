#include "platform/keys.h"

#include <math.h>
#include <string.h>

#include "base/number.h"

#define KEY(type, name, kind, min, max, need, doc) \
  {#name, SLOE_PF_##kind, min, max, need, offsetof(type, name##_), doc},
#define PLATFORM_KEY(...)  KEY(sloe_pf_platform, __VA_ARGS__)
#define CHIP_KEY(...)      KEY(sloe_pf_chip, __VA_ARGS__)
#define PRECISION_KEY(...) KEY(sloe_pf_precision, __VA_ARGS__)
#define MODE_KEY(...)      KEY(sloe_pf_mode, __VA_ARGS__)
#define VALIDATED_KEY(...) KEY(sloe_pf_validated, __VA_ARGS__)

static const sloe_pf_key platform_keys[] = {SLOE_PF_PLATFORM_KEYS(PLATFORM_KEY)};
static const sloe_pf_key chip_keys[] = {SLOE_PF_CHIP_KEYS(CHIP_KEY)};
static const sloe_pf_key precision_keys[] = {SLOE_PF_PRECISION_KEYS(PRECISION_KEY)};
static const sloe_pf_key mode_keys[] = {SLOE_PF_MODE_KEYS(MODE_KEY)};
static const sloe_pf_key validated_keys[] = {SLOE_PF_VALIDATED_KEYS(VALIDATED_KEY)};

#define SECTION(name, keys) \
  { name, keys, sizeof keys / sizeof keys[0] }
const sloe_pf_section sloe_pf_sections[SLOE_PF_SECTION_COUNT] = {
    [SLOE_PF_PLATFORM] = SECTION("platform", platform_keys),
    [SLOE_PF_CHIP] = SECTION("chip", chip_keys),
    [SLOE_PF_PRECISION] = SECTION("precision", precision_keys),
    [SLOE_PF_MODE] = SECTION("mode", mode_keys),
    [SLOE_PF_VALIDATED] = SECTION("validated", validated_keys),
};

void sloe_pf_clear(const sloe_pf_section *section, void *values) {
  for (size_t i = 0; i < section->n_keys; i++) {
    const sloe_pf_key *key = &section->keys[i];
    void *at = (char *)values + key->at;
    switch (key->kind) {
      case SLOE_PF_TOKEN:
      case SLOE_PF_TEXT: *(const char **)at = ""; break;
      case SLOE_PF_REAL:
      case SLOE_PF_WHOLE:
      case SLOE_PF_DOTTED: *(double *)at = NAN; break;
      case SLOE_PF_SHARE:
      case SLOE_PF_COST: *(sloe_range *)at = (sloe_range){NAN, NAN}; break;
      case SLOE_PF_YESNO: *(int *)at = 0; break;
    }
  }
}

int sloe_pf_is_token(const char *text, size_t len) {
  if (!len || text[0] == '-' || text[len - 1] == '-') return 0;
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return 0;
  }
  return 1;
}

static sloe_status bad(const sloe_pf_key *key, const char *text, size_t len, sloe_pf_place place,
                       const char *rule, sloe_error *err) {
  return sloe_fail_at(err, SLOE_FORMAT, place.offset, "line %u: %s = '%.*s': %s", place.line,
                      key->name, (int)(len > 60 ? 60 : len), text, rule);
}

static sloe_status read_number(const sloe_pf_key *key, const char *text, size_t len,
                               sloe_pf_place place, double *out, sloe_error *err) {
  double value;
  if (!sloe_parse_double(text, len, &value) || !isfinite(value))
    return bad(key, text, len, place, "a finite decimal number is needed", err);
  if (!(value >= key->min && value <= key->max)) {
    char low[SLOE_NUMBER_BUF], high[SLOE_NUMBER_BUF];
    const char *from = sloe_format_double(key->min, low), *to = sloe_format_double(key->max, high);
    return sloe_fail_at(err, SLOE_FORMAT, place.offset, "line %u: %s = %.*s is not within %s to %s",
                        place.line, key->name, (int)(len > 60 ? 60 : len), text, from, to);
  }
  if (key->kind == SLOE_PF_WHOLE && value != floor(value))
    return bad(key, text, len, place, "a whole number is needed", err);
  *out = value;
  return SLOE_OK;
}

/* "typical worst" */
static sloe_status read_pair(const sloe_pf_key *key, const char *text, size_t len,
                             sloe_pf_place place, sloe_range *out, sloe_error *err) {
  const char *space = memchr(text, ' ', len);
  if (!space) return bad(key, text, len, place, "two numbers are needed, typical and worst", err);
  size_t first = (size_t)(space - text), second = first;
  while (second < len && text[second] == ' ') second++;
  sloe_range range;
  SLOE_TRY(read_number(key, text, first, place, &range.typical, err));
  sloe_pf_place behind = {place.offset + second, place.line};
  SLOE_TRY(read_number(key, text + second, len - second, behind, &range.worst, err));
  if (key->kind == SLOE_PF_SHARE && range.worst > range.typical)
    return bad(key, text, len, place, "the worst share is larger than the typical one", err);
  if (key->kind == SLOE_PF_COST && range.worst < range.typical)
    return bad(key, text, len, place, "the worst cost is smaller than the typical one", err);
  *out = range;
  return SLOE_OK;
}

/* "10.3" -> 1003 */
static sloe_status read_dotted(const sloe_pf_key *key, const char *text, size_t len,
                               sloe_pf_place place, double *out, sloe_error *err) {
  const char *dot = memchr(text, '.', len);
  size_t head = dot ? (size_t)(dot - text) : 0;
  int64_t major, minor;
  if (!dot || !sloe_parse_int(text, head, &major) ||
      !sloe_parse_int(dot + 1, len - head - 1, &minor) || major < 0 || major > 99 || minor < 0 ||
      minor > 99)
    return bad(key, text, len, place, "a version such as 10.3 is needed", err);
  double value = (double)(major * 100 + minor);
  if (value < key->min || value > key->max)
    return bad(key, text, len, place, "no such version can be", err);
  *out = value;
  return SLOE_OK;
}

static sloe_status read_string(const sloe_pf_key *key, const char *text, size_t len,
                               sloe_pf_place place, sloe_arena *arena, const char **out,
                               sloe_error *err) {
  if ((double)len < key->min) return bad(key, text, len, place, "a value is needed", err);
  if ((double)len > key->max) return bad(key, text, len, place, "the value is too long", err);
  if (key->kind == SLOE_PF_TOKEN && !sloe_pf_is_token(text, len))
    return bad(key, text, len, place, "only a-z, 0-9 and '-' between them may stand here", err);
  *out = sloe_arena_strn(arena, text, len);
  return *out ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "out of memory reading a platform file");
}

sloe_status sloe_pf_read_value(const sloe_pf_key *key, const char *text, size_t len,
                               sloe_pf_place place, sloe_arena *arena, void *values,
                               sloe_error *err) {
  void *at = (char *)values + key->at;
  switch (key->kind) {
    case SLOE_PF_TOKEN:
    case SLOE_PF_TEXT: return read_string(key, text, len, place, arena, at, err);
    case SLOE_PF_REAL:
    case SLOE_PF_WHOLE: return read_number(key, text, len, place, at, err);
    case SLOE_PF_SHARE:
    case SLOE_PF_COST: return read_pair(key, text, len, place, at, err);
    case SLOE_PF_DOTTED: return read_dotted(key, text, len, place, at, err);
    case SLOE_PF_YESNO: break;
  }
  int yes = len == 3 && !memcmp(text, "yes", 3), no = len == 2 && !memcmp(text, "no", 2);
  if (!yes && !no) return bad(key, text, len, place, "yes or no is needed", err);
  *(int *)at = yes;
  return SLOE_OK;
}
