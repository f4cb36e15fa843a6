/* The binary platform file to structs (fitted_format.h says what one is): the header, the table,
 * and what each section holds.
 */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "platform/fitted_cursor.h"

const char *const sloe_fitted_tags[SLOE_FITTED_SECTION_COUNT] = {
#define SLOE_FITTED_SECTION_TAG(id, tag) tag,
    SLOE_FITTED_SECTION_MAP(SLOE_FITTED_SECTION_TAG)
#undef SLOE_FITTED_SECTION_TAG
};

typedef struct span {
  size_t offset, len;
} span;

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory reading a platform file");
}

/* ---- network ---- */

static sloe_status take_network(sloe_fitted_cursor *c, sloe_fitted_network *out) {
  size_t at = c->at;
  out->scale = sloe_fitted_take_f64(c);
  out->per_layer_ms = sloe_fitted_take_f64(c);
  out->per_mb_ms = sloe_fitted_take_f64(c);
  out->per_reorder = sloe_fitted_take_f64(c);
  out->error_90 = sloe_fitted_take_f64(c);
  out->memory_scale = sloe_fitted_take_f64(c);
  out->memory_offset_mb = sloe_fitted_take_f64(c);
  out->memory_error_90 = sloe_fitted_take_f64(c);
  SLOE_TRY(sloe_fitted_end_section(c));
  if (!(out->scale > 0) || out->scale > SLOE_FITTED_MAX_COEF ||
      !(fabs(out->per_layer_ms) <= SLOE_FITTED_MAX_COEF) ||
      !(fabs(out->per_mb_ms) <= SLOE_FITTED_MAX_COEF) ||
      !(fabs(out->per_reorder) <= SLOE_FITTED_MAX_COEF))
    return sloe_fitted_fail_here(c, at, "the network's scale or milliseconds a layer cannot be");
  if (!sloe_fitted_unknown_or_from(0, out->error_90) ||
      !sloe_fitted_unknown_or_from(0, out->memory_scale) ||
      !sloe_fitted_unknown_or_from(-SLOE_FITTED_MAX_COEF, out->memory_offset_mb) ||
      !sloe_fitted_unknown_or_from(0, out->memory_error_90))
    return sloe_fitted_fail_here(c, at, "a number of the network is negative or not finite");
  return SLOE_OK;
}

/* ---- the file ---- */

int sloe_fitted_is(const void *data, size_t len) {
  return len >= SLOE_FITTED_KNOWN_BY && memcmp(data, SLOE_FITTED_MAGIC, SLOE_FITTED_KNOWN_BY) == 0;
}

static sloe_status check_header(const uint8_t *data, size_t len, uint32_t *version,
                                sloe_error *err) {
  if (len < SLOE_FITTED_HEADER)
    return sloe_fail_at(err, SLOE_FORMAT, len, "the file is cut: %zu bytes, the header has %d", len,
                        SLOE_FITTED_HEADER);
  if (memcmp(data, SLOE_FITTED_MAGIC, SLOE_FITTED_MAGIC_BYTES) != 0)
    return sloe_fail_at(err, SLOE_FORMAT, SLOE_FITTED_KNOWN_BY,
                        "a binary platform file that was transferred as text");
  const uint32_t header = (uint32_t)sloe_fitted_word(data + 12, 4);
  *version = (uint32_t)sloe_fitted_word(data + 8, 4);
  if (*version > SLOE_FITTED_VERSION)
    return sloe_fail_at(err, SLOE_UNSUPPORTED, 8,
                        "format version %u is newer than this program's, %d", (unsigned)*version,
                        SLOE_FITTED_VERSION);
  if (*version < 1 || header != SLOE_FITTED_HEADER)
    return sloe_fail_at(err, SLOE_FORMAT, 8, "format version %u with a header of %u bytes",
                        (unsigned)*version, (unsigned)header);
  uint64_t length = sloe_fitted_word(data + 16, 8);
  if (length != len)
    return sloe_fail_at(err, SLOE_FORMAT, length < len ? length : len,
                        "the file is %s: it has %zu bytes, its header says %llu",
                        length > len ? "cut" : "longer than it was", len,
                        (unsigned long long)length);
  if (sloe_fitted_word(data + 24, 8) !=
      sloe_hash64(data + SLOE_FITTED_HEADER, len - SLOE_FITTED_HEADER))
    return sloe_fail_at(err, SLOE_FORMAT, 24, "the file was altered: its checksum is another");
  return SLOE_OK;
}

/* One entry of the table; `expected` is where the section before it ended, rounded up. */
static sloe_status take_entry(sloe_fitted_cursor *c, const char *tag, size_t expected, span *out) {
  size_t at = c->at;
  const char *given = (const char *)sloe_fitted_take(c, SLOE_FITTED_TAG);
  uint64_t offset = (uint64_t)sloe_fitted_take_i64(c), len = (uint64_t)sloe_fitted_take_i64(c);
  SLOE_TRY(c->status);
  char wanted[SLOE_FITTED_TAG] = {0};
  memcpy(wanted, tag, strlen(tag));
  if (memcmp(given, wanted, sizeof wanted) != 0)
    return c->status = sloe_fail_at(c->err, SLOE_UNSUPPORTED, at,
                                    "section '%.8s' is not known here, '%s' is needed", given, tag);
  if (offset != expected || offset > c->end || len > c->end - offset)
    return c->status = sloe_fail_at(c->err, SLOE_FORMAT, at,
                                    "section '%s': %llu bytes at %llu; it must begin at %zu and "
                                    "end within %zu",
                                    tag, (unsigned long long)len, (unsigned long long)offset,
                                    expected, c->end);
  *out = (span){(size_t)offset, (size_t)len};
  return SLOE_OK;
}

/* A section that is missing has the length 0. */
static sloe_status take_table(sloe_fitted_cursor *c, span sections[SLOE_FITTED_SECTION_COUNT]) {
  uint64_t n = (uint64_t)sloe_fitted_take_i64(c);
  if (c->status == SLOE_OK && n != SLOE_FITTED_SECTION_COUNT && n != SLOE_FITTED_SECTIONS_NEEDED)
    return c->status = sloe_fail_at(c->err, SLOE_UNSUPPORTED, c->at - 8,
                                    "%llu sections, this version of sloe knows files of %d or %d",
                                    (unsigned long long)n, SLOE_FITTED_SECTIONS_NEEDED,
                                    SLOE_FITTED_SECTION_COUNT);
  size_t end = c->at + (size_t)n * (SLOE_FITTED_TAG + 16);
  for (size_t i = 0; i < n; i++) {
    size_t expected = end + -end % SLOE_FITTED_ALIGN;
    SLOE_TRY(take_entry(c, sloe_fitted_tags[i], expected, &sections[i]));
    end = sections[i].offset + sections[i].len;
  }
  if (end != c->end)
    return c->status = sloe_fail_at(c->err, SLOE_FORMAT, end, "bytes behind the last section");
  return c->status;
}

static sloe_fitted_cursor section_cursor(const sloe_fitted_cursor *file, const span *sections,
                                         sloe_fitted_section id) {
  sloe_fitted_cursor c = *file;
  c.section = sloe_fitted_tags[id];
  c.at = sections[id].offset;
  c.end = c.at + sections[id].len;
  return c;
}

/* A model of power on layers is times what they draw. */
static sloe_status check_power(const sloe_fitted_cursor *c, const sloe_networks *networks,
                               const sloe_fitted_power *power) {
  for (size_t i = 0; i < networks->n_models; i++)
    if (networks->models[i].metric == SLOE_NETWORKS_POWER && networks->models[i].on_layers &&
        !sloe_fitted_knows_power(power))
      return sloe_fail_at(c->err, SLOE_FORMAT, c->at,
                          "learned: power goes with what layers draw, which the card does not say");
  return SLOE_OK;
}

static sloe_status read_sections(const sloe_fitted_cursor *file, const span *sections,
                                 sloe_platform *platform, sloe_fitted *fitted) {
  const span *card = &sections[SLOE_FITTED_CARD];
  SLOE_TRY(sloe_fitted_card_read((const char *)file->data + card->offset, card->len, card->offset,
                                 platform, fitted, file->err));
  sloe_fitted_cursor c = section_cursor(file, sections, SLOE_FITTED_FAMILIES);
  SLOE_TRY(sloe_fitted_take_families(&c, &platform->arena, fitted));
  c = section_cursor(file, sections, SLOE_FITTED_OPS);
  SLOE_TRY(sloe_fitted_take_ops(&c, &platform->arena, fitted));
  c = section_cursor(file, sections, SLOE_FITTED_NETWORK);
  SLOE_TRY(take_network(&c, &fitted->network));
  if (!sections[SLOE_FITTED_LEARNED].len) return SLOE_OK;
  platform->networks = SLOE_ARENA_NEW(&platform->arena, sloe_networks, 1);
  if (!platform->networks) return no_memory(file->err);
  c = section_cursor(file, sections, SLOE_FITTED_LEARNED);
  SLOE_TRY(sloe_networks_take(&c, &platform->arena, platform->networks));
  c = section_cursor(file, sections, SLOE_FITTED_LEARNED);
  return check_power(&c, platform->networks, &fitted->power);
}

int sloe_fitted_has_layers(const sloe_fitted *fitted) {
  return fitted && (fitted->n_families || fitted->n_ops);
}

sloe_status sloe_fitted_read(const void *data, size_t len, sloe_platform *platform,
                             sloe_error *err) {
  span sections[SLOE_FITTED_SECTION_COUNT] = {{0}};
  sloe_fitted_cursor file = {.data = data, .end = len, .section = "table", .err = err};
  if (len > SLOE_FITTED_MAX_BYTES)
    return sloe_fail_at(err, SLOE_FORMAT, SLOE_FITTED_MAX_BYTES,
                        "a platform file may have %d bytes, this one has %zu",
                        SLOE_FITTED_MAX_BYTES, len);
  SLOE_TRY(check_header(data, len, &file.version, err));
  sloe_fitted *fitted = SLOE_ARENA_NEW(&platform->arena, sloe_fitted, 1);
  if (!fitted) return no_memory(err);
  file.at = SLOE_FITTED_HEADER;
  SLOE_TRY(take_table(&file, sections));
  SLOE_TRY(read_sections(&file, sections, platform, fitted));
  platform->fitted = fitted;
  if (platform->networks && !sloe_fitted_has_layers(fitted))
    platform->card.source = SLOE_SOURCE_LEARNED;
  return SLOE_OK;
}
