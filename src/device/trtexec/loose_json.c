#include "device/trtexec/loose_json.h"

#include <math.h>
#include <string.h>

#include "base/number.h"

enum { DEPTH_MOST = 32 };

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blank(const char *p, const char *end) {
  while (p < end && is_blank(*p)) p++;
  return p;
}

void sloe_loose_skip(sloe_loose_reader *r) {
  while (r->p < r->end && (is_blank(*r->p) || *r->p == ',')) r->p++;
}

/* ---- strings ---- */

/* Does a key stand at `p`: a short string with a colon behind? */
static int key_follows(const char *p, const char *end) {
  if (p == end) return 1;
  if (*p != '"') return 0;
  const char *q = memchr(p + 1, '"', (size_t)(end - p - 1));
  if (!q) return 1;
  q = skip_blank(q + 1, end);
  return q == end || *q == ':';
}

/* Does the document go on behind `p`, where a brace or bracket may have closed? */
static int goes_on(const char *p, const char *end) {
  p = skip_blank(p, end);
  return p == end || strchr(",]}[{", *p);
}

typedef enum place { AS_KEY, IN_OBJECT, IN_ARRAY } place;

/* Is the quote before `p` the end of a string that stands at `where`? */
static int ends_string(const char *p, const char *end, place where) {
  p = skip_blank(p, end);
  if (p == end) return 1;
  if (where == AS_KEY) return *p == ':';
  if (*p == '}') return where == IN_OBJECT && goes_on(p + 1, end);
  if (*p == ']') return where == IN_ARRAY && goes_on(p + 1, end);
  if (*p != ',') return 0;
  p = skip_blank(p + 1, end);
  if (where == IN_OBJECT) return key_follows(p, end);
  return p == end || *p == '"' || *p == '{' || *p == '[' || *p == '-' || (*p >= '0' && *p <= '9');
}

static int hex4(const char *p, const char *end, unsigned *out) {
  *out = 0;
  if (end - p < 4) return 0;
  for (int i = 0; i < 4; i++) {
    const char c = p[i];
    const int lower = c >= 'a' && c <= 'f', upper = c >= 'A' && c <= 'F';
    if (!lower && !upper && (c < '0' || c > '9')) return 0;
    *out = *out << 4 | (unsigned)(lower ? c - 'a' + 10 : upper ? c - 'A' + 10 : c - '0');
  }
  return 1;
}

static char *put_utf8(char *to, unsigned c) {
  if (c == 0 || (c >= 0xd800 && c < 0xe000)) c = 0xfffd;
  if (c < 0x80) {
    *to++ = (char)c;
  } else if (c < 0x800) {
    *to++ = (char)(0xc0 | c >> 6);
    *to++ = (char)(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    *to++ = (char)(0xe0 | c >> 12);
    *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    *to++ = (char)(0x80 | (c & 0x3f));
  } else {
    *to++ = (char)(0xf0 | c >> 18);
    *to++ = (char)(0x80 | (c >> 12 & 0x3f));
    *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    *to++ = (char)(0x80 | (c & 0x3f));
  }
  return to;
}

/* What "\uXXXX" at `p` (behind the backslash) says, with its low surrogate. Returns behind it. */
static const char *take_unicode(const char *p, const char *end, char **to) {
  unsigned c, low;
  hex4(p + 1, end, &c);
  p += 5;
  if (c >= 0xd800 && c < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
      hex4(p + 2, end, &low) && low >= 0xdc00 && low < 0xe000) {
    c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    p += 6;
  }
  *to = put_utf8(*to, c);
  return p;
}

/* What stands behind the backslash at p - 1. A quote there may yet be the string's end. */
static const char *take_escape(const char *p, const char *end, place where, char **to) {
  unsigned c;
  if (p < end && *p == 'u' && hex4(p + 1, end, &c)) return take_unicode(p, end, to);
  const int quote = p < end && *p == '"' && !ends_string(p + 1, end, where);
  if (quote || (p < end && (*p == '\\' || *p == '/'))) {
    *(*to)++ = *p;
    return p + 1;
  }
  *(*to)++ = '\\';
  return p;
}

/* Its last byte, the quote; `end` where the document was cut inside. */
static const char *find_end(const char *p, const char *end, place where) {
  for (; p < end; p++) {
    if (*p == '"' && ends_string(p + 1, end, where)) return p;
    if (*p == '\\' && p + 1 < end &&
        (p[1] == '\\' || (p[1] == '"' && !ends_string(p + 2, end, where))))
      p++;
  }
  return end;
}

/* The string whose first quote is at r->p. Never longer than it is in the file. */
static sloe_status read_string(sloe_loose_reader *r, place where, sloe_arena *arena,
                               const char **out, sloe_error *err) {
  const char *p = r->p + 1, *last = find_end(p, r->end, where);
  char *text = sloe_arena_raw(arena, (size_t)(last - p) + 1, 1), *to = text;
  if (!text) return sloe_fail(err, SLOE_NOMEM, "out of memory, or over the limit, reading JSON");
  while (p < last) {
    if (*p == '\\')
      p = take_escape(p + 1, r->end, where, &to);
    else if (*p)
      *to++ = *p++;
    else
      p++;
  }
  *to = 0;
  r->cut |= last == r->end;
  r->p = last == r->end ? last : last + 1;
  *out = text;
  return SLOE_OK;
}

/* ---- other values ---- */

static int ends_word(char c) {
  return is_blank(c) || strchr(",]}:[{\"", c);
}

/* A number, true, false, null. */
static sloe_status read_word(sloe_loose_reader *r, sloe_loose *out, sloe_error *err) {
  const char *p = r->p;
  while (p < r->end && !ends_word(*p)) p++;
  const size_t len = (size_t)(p - r->p);
  const int number = sloe_parse_double(r->p, len, &out->number);
  const int nan = len == 4 && !memcmp(r->p, "-nan", 4);
  const int known = (len == 4 && (!memcmp(r->p, "true", 4) || !memcmp(r->p, "null", 4))) ||
                    (len == 5 && !memcmp(r->p, "false", 5));
  if (!number) out->number = NAN;
  if (!number && !nan && !known && p < r->end)
    return sloe_fail_at(err, SLOE_FORMAT, (uint64_t)(r->p - r->start),
                        "no value of JSON at byte %llu", (unsigned long long)(r->p - r->start));
  out->type = number || nan ? SLOE_LOOSE_NUMBER : SLOE_LOOSE_NULL;
  r->cut |= p == r->end; /* more digits may have followed */
  r->p = p;
  return SLOE_OK;
}

static sloe_status read_value(sloe_loose_reader *r, place where, int depth, sloe_arena *arena,
                              sloe_loose *out, sloe_error *err);

static sloe_status read_key(sloe_loose_reader *r, sloe_arena *arena, const char **key,
                            sloe_error *err) {
  if (*r->p != '"')
    return sloe_fail_at(err, SLOE_FORMAT, (uint64_t)(r->p - r->start), "no key at byte %llu",
                        (unsigned long long)(r->p - r->start));
  SLOE_TRY(read_string(r, AS_KEY, arena, key, err));
  r->p = skip_blank(r->p, r->end);
  if (r->p < r->end) r->p++; /* the colon */
  r->p = skip_blank(r->p, r->end);
  r->cut |= r->p == r->end;
  return SLOE_OK;
}

/* What stands between the brackets. A child that was cut is left out, unless it has children. */
static sloe_status read_children(sloe_loose_reader *r, char close, int depth, sloe_arena *arena,
                                 sloe_loose *out, sloe_error *err) {
  const sloe_loose **tail = &out->child;
  for (r->p++;;) {
    sloe_loose_skip(r);
    r->cut |= r->p == r->end;
    if (r->cut) return SLOE_OK;
    if (*r->p == close) break;
    sloe_loose *child = SLOE_ARENA_NEW(arena, sloe_loose, 1);
    if (!child) return sloe_fail(err, SLOE_NOMEM, "out of memory, or over the limit, reading JSON");
    const char *key = "";
    if (close == '}') SLOE_TRY(read_key(r, arena, &key, err));
    if (r->cut) return SLOE_OK;
    SLOE_TRY(read_value(r, close == '}' ? IN_OBJECT : IN_ARRAY, depth + 1, arena, child, err));
    child->key = key;
    if (r->cut && !child->n) return SLOE_OK;
    *tail = child;
    tail = &child->next;
    out->n++;
    if (r->cut) return SLOE_OK;
  }
  r->p++;
  return SLOE_OK;
}

static sloe_status read_value(sloe_loose_reader *r, place where, int depth, sloe_arena *arena,
                              sloe_loose *out, sloe_error *err) {
  *out = (sloe_loose){.key = "", .text = "", .number = NAN};
  if (depth > DEPTH_MOST)
    return sloe_fail_at(err, SLOE_FORMAT, (uint64_t)(r->p - r->start), "nested deeper than %d",
                        DEPTH_MOST);
  if (*r->p == '"') {
    out->type = SLOE_LOOSE_STRING;
    return read_string(r, where, arena, &out->text, err);
  }
  if (*r->p != '[' && *r->p != '{') return read_word(r, out, err);
  out->type = *r->p == '[' ? SLOE_LOOSE_ARRAY : SLOE_LOOSE_OBJECT;
  return read_children(r, *r->p == '[' ? ']' : '}', depth, arena, out, err);
}

sloe_status sloe_loose_read(sloe_loose_reader *r, sloe_arena *arena, sloe_loose *out,
                            sloe_error *err) {
  *out = (sloe_loose){.key = "", .text = "", .number = NAN};
  r->p = skip_blank(r->p, r->end);
  if (r->p == r->end) {
    r->cut = 1;
    return SLOE_OK;
  }
  return read_value(r, IN_ARRAY, 0, arena, out, err);
}

/* ---- looking ---- */

const sloe_loose *sloe_loose_get(const sloe_loose *object, const char *key) {
  if (object->type != SLOE_LOOSE_OBJECT) return NULL;
  for (const sloe_loose *c = object->child; c; c = c->next)
    if (strcmp(c->key, key) == 0) return c;
  return NULL;
}

double sloe_loose_number(const sloe_loose *object, const char *key) {
  const sloe_loose *value = sloe_loose_get(object, key);
  return value ? value->number : NAN;
}

const char *sloe_loose_text(const sloe_loose *object, const char *key) {
  const sloe_loose *value = sloe_loose_get(object, key);
  return value ? value->text : "";
}
