/* Reads a platform file line by line (format.h says what one is). Each line is blank, a comment, a
 * section's head or "key = value"; which struct the values go to is decided at the head, which keys
 * were seen is a bit mask, and a section is judged when the next one begins.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "platform/keys.h"

typedef struct reader {
  const char *text;
  size_t len, at; /* `at`: where the next line begins */
  unsigned line;
  size_t head; /* offset of the open section's head */
  const sloe_pf_section *section;
  void *values;
  uint32_t seen;
  sloe_arena *arena;
  sloe_pf *pf;
  sloe_error *err;
} reader;

typedef struct slice {
  const char *s;
  size_t len;
} slice;

static slice trim(slice x) {
  while (x.len && (x.s[0] == ' ' || x.s[0] == '\t')) x.s++, x.len--;
  while (x.len && (x.s[x.len - 1] == ' ' || x.s[x.len - 1] == '\t')) x.len--;
  return x;
}

static uint64_t offset_of(const reader *r, const char *s) {
  return (uint64_t)(s - r->text);
}

static int cut(size_t len) {
  return len > 40 ? 40 : (int)len;
}

/* The next line without its ending; 0 at the end. */
static int next_line(reader *r, slice *out) {
  if (r->at >= r->len) return 0;
  const char *s = r->text + r->at, *end = memchr(s, '\n', r->len - r->at);
  size_t len = end ? (size_t)(end - s) : r->len - r->at;
  r->at += len + (end != NULL);
  r->line++;
  if (len && s[len - 1] == '\r') len--;
  *out = (slice){s, len};
  return 1;
}

static sloe_status check_bytes(const reader *r, slice line) {
  if (line.len > SLOE_PF_MAX_LINE)
    return sloe_fail_at(r->err, SLOE_FORMAT, offset_of(r, line.s) + SLOE_PF_MAX_LINE,
                        "line %u: longer than %d bytes", r->line, SLOE_PF_MAX_LINE);
  for (size_t i = 0; i < line.len; i++) {
    unsigned char c = (unsigned char)line.s[i];
    if ((c < 0x20 && c != '\t') || c > 0x7e)
      return sloe_fail_at(r->err, SLOE_FORMAT, offset_of(r, line.s) + i,
                          "line %u: byte 0x%02x: only printable ASCII may stand in a platform file",
                          r->line, c);
  }
  return SLOE_OK;
}

static sloe_status read_magic(reader *r) {
  slice line = {r->text, 0};
  size_t magic = strlen(SLOE_PF_MAGIC);
  int64_t version;
  int found = next_line(r, &line) && line.len > magic && line.s[magic] == ' ' &&
              !memcmp(line.s, SLOE_PF_MAGIC, magic);
  if (!found)
    return sloe_fail_at(r->err, SLOE_FORMAT, 0,
                        "not a platform file: the first line must be '" SLOE_PF_MAGIC " %d'",
                        SLOE_PF_VERSION);
  slice number = trim((slice){line.s + magic, line.len - magic});
  uint64_t offset = offset_of(r, number.s);
  if (!sloe_parse_int(number.s, number.len, &version) || version < 1)
    return sloe_fail_at(r->err, SLOE_FORMAT, offset, "line 1: '%.*s' is not a format version",
                        cut(number.len), number.s);
  if (version > SLOE_PF_VERSION)
    return sloe_fail_at(r->err, SLOE_UNSUPPORTED, offset,
                        "line 1: format version %lld is newer than this program's, %d",
                        (long long)version, SLOE_PF_VERSION);
  return SLOE_OK;
}

/* Judge the section that ends here. */
static sloe_status close_section(reader *r) {
  if (!r->section) return SLOE_OK;
  for (size_t i = 0; i < r->section->n_keys; i++)
    if (r->section->keys[i].need && !(r->seen >> i & 1))
      return sloe_fail_at(r->err, SLOE_FORMAT, r->head, "line %u: section [%s] lacks the key '%s'",
                          r->line, r->section->name, r->section->keys[i].name);
  r->section = NULL;
  return SLOE_OK;
}

static sloe_status twice(reader *r, slice head) {
  return sloe_fail_at(r->err, SLOE_FORMAT, r->head, "line %u: section [%.*s] stands twice", r->line,
                      cut(head.len), head.s);
}

static sloe_status bad_precision(reader *r, slice name) {
  return sloe_fail_at(r->err, SLOE_UNSUPPORTED, r->head,
                      "line %u: precision '%.*s' is not known (fp32, fp16, int8 are)", r->line,
                      cut(name.len), name.s);
}

static sloe_status open_precision(reader *r, slice head, slice name) {
  int i = sloe_pf_precision_index(name.s, name.len);
  if (i < 0) return bad_precision(r, name);
  if (r->pf->has_precision[i]++) return twice(r, head);
  r->values = &r->pf->precision[i];
  return SLOE_OK;
}

static int find_mode(const sloe_pf *pf, slice name) {
  for (size_t i = 0; i < pf->n_modes; i++)
    if (strlen(pf->mode[i].name) == name.len && !memcmp(pf->mode[i].name, name.s, name.len))
      return (int)i;
  return -1;
}

static sloe_status open_mode(reader *r, slice head, slice name) {
  if (name.len > 32 || !sloe_pf_is_token(name.s, name.len))
    return sloe_fail_at(r->err, SLOE_FORMAT, r->head,
                        "line %u: mode '%.*s': 1 to 32 of a-z, 0-9 and '-' between them are needed",
                        r->line, cut(name.len), name.s);
  if (find_mode(r->pf, name) >= 0) return twice(r, head);
  if (r->pf->n_modes == SLOE_PF_MAX_MODES)
    return sloe_fail_at(r->err, SLOE_FORMAT, r->head, "line %u: more than %d modes", r->line,
                        SLOE_PF_MAX_MODES);
  sloe_pf_mode *mode = &r->pf->mode[r->pf->n_modes];
  mode->name = sloe_arena_strn(r->arena, name.s, name.len);
  if (!mode->name) return sloe_fail(r->err, SLOE_NOMEM, "out of memory reading a platform file");
  r->pf->n_modes++;
  r->values = mode;
  return SLOE_OK;
}

/* [validated fp32 maxn]: after the precision and the mode that it judges. */
static sloe_status open_validated(reader *r, slice head, slice name) {
  const char *space = memchr(name.s, ' ', name.len);
  size_t first = space ? (size_t)(space - name.s) : name.len;
  slice rest = trim((slice){name.s + first, name.len - first});
  int precision = sloe_pf_precision_index(name.s, first), mode = find_mode(r->pf, rest);
  if (precision < 0 || mode < 0 || !r->pf->has_precision[precision])
    return sloe_fail_at(r->err, SLOE_FORMAT, r->head,
                        "line %u: [%.*s]: no precision and mode of that name stand before it",
                        r->line, cut(head.len), head.s);
  if (r->pf->has_validated[precision][mode]++) return twice(r, head);
  r->values = &r->pf->validated[precision][mode];
  return SLOE_OK;
}

static sloe_status open_single(reader *r, slice head, slice name, int *has, void *values) {
  if (name.len)
    return sloe_fail_at(r->err, SLOE_FORMAT, r->head, "line %u: section [%.*s] takes no name",
                        r->line, cut(head.len), head.s);
  if ((*has)++) return twice(r, head);
  r->values = values;
  return SLOE_OK;
}

static sloe_status open_section(reader *r, slice line) {
  SLOE_TRY(close_section(r));
  r->head = offset_of(r, line.s);
  if (line.s[line.len - 1] != ']')
    return sloe_fail_at(r->err, SLOE_FORMAT, r->head, "line %u: ']' is missing", r->line);
  slice head = trim((slice){line.s + 1, line.len - 2});
  size_t word = 0, id = 0;
  while (word < head.len && head.s[word] != ' ') word++;
  slice name = trim((slice){head.s + word, head.len - word});
  for (; id < SLOE_PF_SECTION_COUNT; id++)
    if (strlen(sloe_pf_sections[id].name) == word &&
        !memcmp(sloe_pf_sections[id].name, head.s, word))
      break;
  switch ((sloe_pf_section_id)id) {
    case SLOE_PF_PLATFORM:
      SLOE_TRY(open_single(r, head, name, &r->pf->has_platform, &r->pf->platform));
      break;
    case SLOE_PF_CHIP: SLOE_TRY(open_single(r, head, name, &r->pf->has_chip, &r->pf->chip)); break;
    case SLOE_PF_PRECISION: SLOE_TRY(open_precision(r, head, name)); break;
    case SLOE_PF_MODE: SLOE_TRY(open_mode(r, head, name)); break;
    case SLOE_PF_VALIDATED: SLOE_TRY(open_validated(r, head, name)); break;
    case SLOE_PF_SECTION_COUNT:
      return sloe_fail_at(r->err, SLOE_UNSUPPORTED, r->head,
                          "line %u: section [%.*s] is not known to this version of sloe", r->line,
                          cut(head.len), head.s);
  }
  r->section = &sloe_pf_sections[id];
  r->seen = 0;
  sloe_pf_clear(r->section, r->values);
  return SLOE_OK;
}

static sloe_status read_key(reader *r, slice line) {
  const char *equals = memchr(line.s, '=', line.len);
  if (!equals)
    return sloe_fail_at(r->err, SLOE_FORMAT, offset_of(r, line.s),
                        "line %u: neither '[section]' nor 'key = value': '%.*s'", r->line,
                        cut(line.len), line.s);
  if (!r->section)
    return sloe_fail_at(r->err, SLOE_FORMAT, offset_of(r, line.s),
                        "line %u: a key stands before the first [section]", r->line);
  size_t before = (size_t)(equals - line.s);
  slice name = trim((slice){line.s, before});
  slice value = trim((slice){equals + 1, line.len - before - 1});
  for (size_t i = 0; i < r->section->n_keys; i++) {
    const sloe_pf_key *key = &r->section->keys[i];
    if (strlen(key->name) != name.len || memcmp(key->name, name.s, name.len)) continue;
    sloe_pf_place place = {offset_of(r, value.s), r->line};
    if (r->seen >> i & 1)
      return sloe_fail_at(r->err, SLOE_FORMAT, offset_of(r, line.s),
                          "line %u: key '%s' stands twice in [%s]", r->line, key->name,
                          r->section->name);
    r->seen |= (uint32_t)1 << i;
    return sloe_pf_read_value(key, value.s, value.len, place, r->arena, r->values, r->err);
  }
  return sloe_fail_at(r->err, SLOE_UNSUPPORTED, offset_of(r, line.s),
                      "line %u: key '%.*s' in [%s] is not known to this version of sloe", r->line,
                      cut(name.len), name.s, r->section->name);
}

sloe_status sloe_pf_parse(const char *text, size_t len, sloe_arena *arena, sloe_pf *out,
                          sloe_error *err) {
  reader r = {.text = text, .len = len, .arena = arena, .pf = out, .err = err};
  memset(out, 0, sizeof *out);
  if (len > SLOE_PF_MAX_BYTES)
    return sloe_fail_at(err, SLOE_FORMAT, SLOE_PF_MAX_BYTES,
                        "a platform file may have %d bytes, this one has %zu", SLOE_PF_MAX_BYTES,
                        len);
  SLOE_TRY(read_magic(&r));
  slice line;
  while (next_line(&r, &line)) {
    SLOE_TRY(check_bytes(&r, line));
    line = trim(line);
    if (!line.len || line.s[0] == '#') continue;
    SLOE_TRY(line.s[0] == '[' ? open_section(&r, line) : read_key(&r, line));
  }
  SLOE_TRY(close_section(&r));
  return sloe_pf_check(out, len, err);
}
