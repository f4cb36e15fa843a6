/* The binary platform file to structs (fitted_format.h says what one is).
 *
 * A cursor walks each section from its first byte to its last; what it is asked for beyond the end
 * reads as 0 and leaves a message, so that every number is checked and only then used. Families are
 * copied into their structs, the arrays of forests are used where they lie.
 */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "platform/fitted_format.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the arrays of forests are used as they lie in the file: little-endian"
#endif

_Static_assert((int)SLOE_LAYER_FEATURES <= SLOE_FOREST_FEATURES,
               "a forest may ask for any feature");

const char *const sloe_fitted_tags[SLOE_FITTED_SECTION_COUNT] = {
#define SLOE_FITTED_SECTION_TAG(id, tag) tag,
    SLOE_FITTED_SECTION_MAP(SLOE_FITTED_SECTION_TAG)
#undef SLOE_FITTED_SECTION_TAG
};

typedef struct cursor {
  const uint8_t *data; /* the file */
  size_t at, end;      /* of the section; offsets in the file */
  const char *section;
  sloe_status status;
  sloe_error *err;
} cursor;

typedef struct span {
  size_t offset, len;
} span;

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory reading a platform file");
}

/* The next n bytes; NULL past the end, where the first failure leaves its message. */
static const uint8_t *take(cursor *c, size_t n) {
  if (c->status != SLOE_OK) return NULL;
  if (n > c->end - c->at) {
    c->status =
        sloe_fail_at(c->err, SLOE_FORMAT, c->at, "section '%s': %zu bytes are needed, %zu are left",
                     c->section, n, c->end - c->at);
    return NULL;
  }
  const uint8_t *p = c->data + c->at;
  c->at += n;
  return p;
}

static uint64_t word(const uint8_t *p, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = bytes; p && i-- > 0;) value = value << 8 | p[i];
  return value;
}

static uint32_t take_u32(cursor *c) {
  return (uint32_t)word(take(c, 4), 4);
}

static int32_t take_i32(cursor *c) {
  return (int32_t)take_u32(c);
}

static int64_t take_i64(cursor *c) {
  return (int64_t)word(take(c, 8), 8);
}

static double take_f64(cursor *c) {
  uint64_t bits = word(take(c, 8), 8);
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Floats where they lie; `at` is a multiple of 4, as all lengths before it are. */
static const float *take_f32s(cursor *c, size_t n) {
  return (const float *)(const void *)take(c, n * sizeof(float));
}

static void take_align(cursor *c) {
  take(c, -c->at % SLOE_FITTED_ALIGN);
}

static sloe_status fail_here(cursor *c, size_t at, const char *what) {
  if (c->status != SLOE_OK) return c->status;
  return c->status = sloe_fail_at(c->err, SLOE_FORMAT, at, "section '%s': %s", c->section, what);
}

/* A check of a model said no: say where. */
static sloe_status fail_model(cursor *c, size_t at, sloe_status status) {
  c->status = sloe_fail_in(c->err, status, "section '%s'", c->section);
  if (c->err) c->err->offset = at;
  return c->status;
}

static sloe_status end_section(cursor *c) {
  if (c->status == SLOE_OK && c->at != c->end)
    return fail_here(c, c->at, "bytes behind the last number");
  return c->status;
}

/* ---- keys ---- */

static int most_grouping(int32_t op) {
  return op == SLOE_SPEC_BINARY ? SLOE_SPEC_WITH_COUNT - 1 : SLOE_GROUPED;
}

static sloe_status check_op(cursor *c, size_t at, int32_t op, int32_t grouping) {
  if (c->status != SLOE_OK) return c->status;
  if (op < 0 || grouping < 0) return fail_here(c, at, "a layer's op or grouping is negative");
  if (op >= SLOE_SPEC_OP_COUNT || grouping > most_grouping(op))
    return c->status = sloe_fail_at(c->err, SLOE_UNSUPPORTED, at,
                                    "section '%s': layers of op %d, grouping %d are not known to "
                                    "this version of sloe",
                                    c->section, (int)op, (int)grouping);
  return SLOE_OK;
}

/* ---- families ---- */

static void take_stair(cursor *c, sloe_stair_model *stair) {
  stair->n_dims = take_u32(c);
  stair->n_coefs = take_u32(c);
  take_u32(c);
  stair->floor = take_f64(c);
  if (stair->n_dims > SLOE_LAYER_DIMS || stair->n_coefs > SLOE_STAIR_COEFS) {
    fail_here(c, c->at, "a staircase has more dimensions or coefficients than are possible");
    return;
  }
  for (size_t d = 0; d < stair->n_dims; d++) {
    sloe_stair *shape = &stair->shape[d];
    stair->lo[d] = take_i64(c);
    stair->hi[d] = take_i64(c);
    shape->width = take_i32(c);
    shape->outer = take_i32(c);
    shape->slope = take_i32(c);
    shape->start = take_i32(c);
    shape->change = take_i32(c);
    take_u32(c);
  }
  for (size_t i = 0; i < stair->n_coefs; i++) stair->coef[i] = take_f64(c);
}

static sloe_status check_stair(cursor *c, size_t at, const sloe_stair_model *stair) {
  sloe_status status = sloe_stair_model_check(stair, c->err);
  if (status != SLOE_OK) return fail_model(c, at, status);
  for (size_t i = 0; i < stair->n_coefs; i++)
    if (!(fabs(stair->coef[i]) <= SLOE_FITTED_MAX_COEF))
      return fail_here(c, at, "a coefficient of a staircase is larger than any time");
  if (stair->floor > SLOE_FITTED_MAX_COEF)
    return fail_here(c, at, "the floor of a staircase is larger than any time");
  return SLOE_OK;
}

static sloe_status take_family(cursor *c, sloe_fitted_family *family) {
  take_align(c);
  size_t at = c->at;
  sloe_layer_key *key = &family->key;
  key->op = take_i32(c);
  key->grouping = take_i32(c);
  for (int i = 0; i < 2; i++) key->kernel[i] = take_i32(c);
  for (int i = 0; i < 2; i++) key->stride[i] = take_i32(c);
  family->points = take_u32(c);
  take_stair(c, &family->stair);
  SLOE_TRY(check_op(c, at, key->op, key->grouping));
  for (int i = 0; i < 2; i++)
    if (key->kernel[i] < 0 || key->stride[i] < 0)
      return fail_here(c, at, "a kernel or stride is negative");
  return check_stair(c, at, &family->stair);
}

/* How many of something of at least `least` bytes; more than the section has room for is refused
   before memory is asked for. */
static size_t take_count(cursor *c, size_t most, size_t least) {
  size_t at = c->at, n = take_u32(c);
  if (c->status == SLOE_OK && (n > most || n > (c->end - c->at) / least))
    fail_here(c, at, "a count is larger than can be");
  return c->status == SLOE_OK ? n : 0;
}

static sloe_status take_families(cursor *c, sloe_arena *arena, sloe_fitted *fitted) {
  size_t n = take_count(c, SLOE_FITTED_MAX_FAMILIES, SLOE_FITTED_FAMILY_LEAST);
  SLOE_TRY(c->status);
  sloe_fitted_family *families = SLOE_ARENA_NEW(arena, sloe_fitted_family, n);
  if (!families) return no_memory(c->err);
  for (size_t i = 0; i < n; i++) {
    size_t at = c->at;
    SLOE_TRY(take_family(c, &families[i]));
    if (i && sloe_fitted_key_order(&families[i - 1].key, &families[i].key) >= 0)
      return fail_here(c, at, "a family stands twice or out of order");
  }
  fitted->families = families;
  fitted->n_families = n;
  return end_section(c);
}

/* ---- ops ---- */

/* exp() of what a forest says must stay finite. */
static int forest_is_bounded(const sloe_forest *forest) {
  size_t leaves = (size_t)1 << forest->depth, n = sloe_forest_leaves(forest);
  double most = fabs(forest->base);
  for (size_t i = 0; i < n; i += leaves) {
    double largest = 0;
    for (size_t k = 0; k < leaves; k++)
      if (fabs((double)forest->leaf[i + k]) > largest) largest = fabs((double)forest->leaf[i + k]);
    most += largest;
  }
  return most <= SLOE_FITTED_MAX_LN;
}

/* Behind the shape, which was checked and says how long the arrays are. */
static sloe_status take_forest_arrays(cursor *c, size_t at, sloe_forest *forest) {
  take_align(c);
  forest->threshold = take_f32s(c, sloe_forest_thresholds(forest));
  take_align(c);
  forest->row = take(c, sloe_forest_row_bytes(forest));
  take_align(c);
  forest->leaf = take_f32s(c, sloe_forest_leaves(forest));
  SLOE_TRY(c->status);
  sloe_status status = sloe_forest_check(forest, c->err);
  if (status != SLOE_OK) return fail_model(c, at, status);
  if (!forest_is_bounded(forest)) return fail_here(c, at, "a correction is larger than can be");
  return SLOE_OK;
}

/* What a feature that the file does not know was in training: anything. */
static sloe_status take_domain(cursor *c, size_t n, sloe_fitted_op *op) {
  size_t at = c->at;
  const float *lo = take_f32s(c, n), *hi = take_f32s(c, n);
  SLOE_TRY(c->status);
  for (size_t i = 0; i < SLOE_LAYER_FEATURES; i++) {
    op->lo[i] = i < n ? lo[i] : -INFINITY;
    op->hi[i] = i < n ? hi[i] : INFINITY;
    if (i < n && !(isfinite(lo[i]) && isfinite(hi[i]) && lo[i] <= hi[i]))
      return fail_here(c, at + i * sizeof(float), "the domain of a feature is empty or not finite");
  }
  return SLOE_OK;
}

/* Unknown is NAN; else finite and not below `least`. */
static int unknown_or_from(double least, double value) {
  return isnan(value) || (isfinite(value) && value >= least);
}

static sloe_status take_op(cursor *c, sloe_fitted_op *op) {
  take_align(c);
  size_t at = c->at;
  op->op = take_i32(c);
  op->grouping = take_i32(c);
  uint32_t n_features = take_u32(c);
  sloe_forest *forest = &op->forest;
  forest->n_features = take_u32(c);
  forest->n_trees = take_u32(c);
  forest->depth = take_u32(c);
  forest->base = take_f64(c);
  op->p75 = take_f64(c);
  op->p97_5 = take_f64(c);
  op->error_90 = take_f64(c);
  SLOE_TRY(check_op(c, at, op->op, op->grouping));
  if (n_features > SLOE_LAYER_FEATURES || forest->n_features > n_features)
    return c->status = sloe_fail_at(c->err, SLOE_UNSUPPORTED, at,
                                    "section '%s': %u features of a layer, %u of them in a forest; "
                                    "this version of sloe knows %d",
                                    c->section, (unsigned)n_features, (unsigned)forest->n_features,
                                    (int)SLOE_LAYER_FEATURES);
  if (!unknown_or_from(0, op->p75) || !unknown_or_from(0, op->p97_5) ||
      !unknown_or_from(0, op->error_90))
    return fail_here(c, at, "a percentile or an error is negative or not finite");
  for (uint32_t i = 0; i <= forest->n_features; i++) forest->first[i] = take_u32(c);
  SLOE_TRY(take_domain(c, n_features, op));
  sloe_status status = sloe_forest_check_shape(forest, c->err);
  return status == SLOE_OK ? take_forest_arrays(c, at, forest) : fail_model(c, at, status);
}

static int op_before(const sloe_fitted_op *a, const sloe_fitted_op *b) {
  return a->op < b->op || (a->op == b->op && a->grouping < b->grouping);
}

static sloe_status take_ops(cursor *c, sloe_arena *arena, sloe_fitted *fitted) {
  size_t n = take_count(c, SLOE_FITTED_MAX_OPS, SLOE_FITTED_OP_LEAST);
  SLOE_TRY(c->status);
  sloe_fitted_op *ops = SLOE_ARENA_NEW(arena, sloe_fitted_op, n);
  if (!ops) return no_memory(c->err);
  for (size_t i = 0; i < n; i++) {
    size_t at = c->at;
    SLOE_TRY(take_op(c, &ops[i]));
    if (i && !op_before(&ops[i - 1], &ops[i]))
      return fail_here(c, at, "an op stands twice or out of order");
  }
  fitted->ops = ops;
  fitted->n_ops = n;
  return end_section(c);
}

/* ---- network ---- */

static sloe_status take_network(cursor *c, sloe_fitted_network *out) {
  size_t at = c->at;
  out->scale = take_f64(c);
  out->per_layer_ms = take_f64(c);
  out->error_90 = take_f64(c);
  out->memory_scale = take_f64(c);
  out->memory_offset_mb = take_f64(c);
  out->memory_error_90 = take_f64(c);
  SLOE_TRY(end_section(c));
  if (!(out->scale > 0) || out->scale > SLOE_FITTED_MAX_COEF ||
      !(fabs(out->per_layer_ms) <= SLOE_FITTED_MAX_COEF))
    return fail_here(c, at, "the network's scale or milliseconds a layer cannot be");
  if (!unknown_or_from(0, out->error_90) || !unknown_or_from(0, out->memory_scale) ||
      !unknown_or_from(-SLOE_FITTED_MAX_COEF, out->memory_offset_mb) ||
      !unknown_or_from(0, out->memory_error_90))
    return fail_here(c, at, "a number of the network is negative or not finite");
  return SLOE_OK;
}

/* ---- the file ---- */

int sloe_fitted_is(const void *data, size_t len) {
  return len >= SLOE_FITTED_KNOWN_BY && memcmp(data, SLOE_FITTED_MAGIC, SLOE_FITTED_KNOWN_BY) == 0;
}

static sloe_status check_header(const uint8_t *data, size_t len, sloe_error *err) {
  if (len < SLOE_FITTED_HEADER)
    return sloe_fail_at(err, SLOE_FORMAT, len, "the file is cut: %zu bytes, the header has %d", len,
                        SLOE_FITTED_HEADER);
  if (memcmp(data, SLOE_FITTED_MAGIC, SLOE_FITTED_MAGIC_BYTES) != 0)
    return sloe_fail_at(err, SLOE_FORMAT, SLOE_FITTED_KNOWN_BY,
                        "a binary platform file that was transferred as text");
  uint32_t version = (uint32_t)word(data + 8, 4), header = (uint32_t)word(data + 12, 4);
  if (version > SLOE_FITTED_VERSION)
    return sloe_fail_at(err, SLOE_UNSUPPORTED, 8,
                        "format version %u is newer than this program's, %d", (unsigned)version,
                        SLOE_FITTED_VERSION);
  if (version < 1 || header != SLOE_FITTED_HEADER)
    return sloe_fail_at(err, SLOE_FORMAT, 8, "format version %u with a header of %u bytes",
                        (unsigned)version, (unsigned)header);
  uint64_t length = word(data + 16, 8);
  if (length != len)
    return sloe_fail_at(err, SLOE_FORMAT, length < len ? length : len,
                        "the file is %s: it has %zu bytes, its header says %llu",
                        length > len ? "cut" : "longer than it was", len,
                        (unsigned long long)length);
  if (word(data + 24, 8) != sloe_hash64(data + SLOE_FITTED_HEADER, len - SLOE_FITTED_HEADER))
    return sloe_fail_at(err, SLOE_FORMAT, 24, "the file was altered: its checksum is another");
  return SLOE_OK;
}

/* One entry of the table; `expected` is where the section before it ended, rounded up. */
static sloe_status take_entry(cursor *c, const char *tag, size_t expected, span *out) {
  size_t at = c->at;
  const char *given = (const char *)take(c, SLOE_FITTED_TAG);
  uint64_t offset = (uint64_t)take_i64(c), len = (uint64_t)take_i64(c);
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

static sloe_status take_table(cursor *c, span sections[SLOE_FITTED_SECTION_COUNT]) {
  uint64_t n = (uint64_t)take_i64(c);
  if (c->status == SLOE_OK && n != SLOE_FITTED_SECTION_COUNT)
    return c->status = sloe_fail_at(c->err, SLOE_UNSUPPORTED, c->at - 8,
                                    "%llu sections, this version of sloe knows files of %d",
                                    (unsigned long long)n, SLOE_FITTED_SECTION_COUNT);
  size_t end = c->at + SLOE_FITTED_SECTION_COUNT * (SLOE_FITTED_TAG + 16);
  for (size_t i = 0; i < SLOE_FITTED_SECTION_COUNT; i++) {
    size_t expected = end + -end % SLOE_FITTED_ALIGN;
    SLOE_TRY(take_entry(c, sloe_fitted_tags[i], expected, &sections[i]));
    end = sections[i].offset + sections[i].len;
  }
  if (end != c->end)
    return c->status = sloe_fail_at(c->err, SLOE_FORMAT, end, "bytes behind the last section");
  return c->status;
}

static cursor section_cursor(const cursor *file, const span *sections, sloe_fitted_section id) {
  cursor c = *file;
  c.section = sloe_fitted_tags[id];
  c.at = sections[id].offset;
  c.end = c.at + sections[id].len;
  return c;
}

static sloe_status read_sections(const cursor *file, const span *sections, sloe_platform *platform,
                                 sloe_fitted *fitted) {
  const span *card = &sections[SLOE_FITTED_CARD];
  SLOE_TRY(sloe_fitted_card_read((const char *)file->data + card->offset, card->len, card->offset,
                                 platform, fitted, file->err));
  cursor c = section_cursor(file, sections, SLOE_FITTED_FAMILIES);
  SLOE_TRY(take_families(&c, &platform->arena, fitted));
  c = section_cursor(file, sections, SLOE_FITTED_OPS);
  SLOE_TRY(take_ops(&c, &platform->arena, fitted));
  c = section_cursor(file, sections, SLOE_FITTED_NETWORK);
  return take_network(&c, &fitted->network);
}

sloe_status sloe_fitted_read(const void *data, size_t len, sloe_platform *platform,
                             sloe_error *err) {
  span sections[SLOE_FITTED_SECTION_COUNT] = {{0}};
  cursor file = {.data = data, .end = len, .section = "table", .err = err};
  if (len > SLOE_FITTED_MAX_BYTES)
    return sloe_fail_at(err, SLOE_FORMAT, SLOE_FITTED_MAX_BYTES,
                        "a platform file may have %d bytes, this one has %zu",
                        SLOE_FITTED_MAX_BYTES, len);
  SLOE_TRY(check_header(data, len, err));
  sloe_fitted *fitted = SLOE_ARENA_NEW(&platform->arena, sloe_fitted, 1);
  if (!fitted) return no_memory(err);
  file.at = SLOE_FITTED_HEADER;
  SLOE_TRY(take_table(&file, sections));
  SLOE_TRY(read_sections(&file, sections, platform, fitted));
  platform->fitted = fitted;
  return SLOE_OK;
}
