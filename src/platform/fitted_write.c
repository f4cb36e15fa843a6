/* A fitted platform to bytes, and to a file.
 *
 * What is written is first read back in memory: the reader's rules are the only ones, and no file
 * leaves here that would be refused later.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "platform/fitted_format.h"

enum { READ_BACK_LIMIT = 1 << 27 };

static void put(sloe_text *out, uint64_t value, size_t bytes) {
  char raw[8];
  for (size_t i = 0; i < bytes; i++) raw[i] = (char)(value >> 8 * i & 0xff);
  sloe_text_addn(out, raw, bytes);
}

static void put_u32(sloe_text *out, uint32_t value) {
  put(out, value, 4);
}

static void put_i32(sloe_text *out, int32_t value) {
  put(out, (uint32_t)value, 4);
}

static void put_f64(sloe_text *out, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put(out, bits, 8);
}

static void put_f32s(sloe_text *out, const float *values, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    put_u32(out, bits);
  }
}

static void align(sloe_text *out) {
  static const char zeros[SLOE_FITTED_ALIGN];
  sloe_text_addn(out, zeros, -out->len % SLOE_FITTED_ALIGN);
}

/* ---- sections ---- */

static int by_family_key(const void *a, const void *b) {
  const sloe_fitted_family *x = *(const sloe_fitted_family *const *)a,
                           *y = *(const sloe_fitted_family *const *)b;
  return sloe_fitted_key_order(&x->key, &y->key);
}

static int by_op_key(const void *a, const void *b) {
  const sloe_fitted_op *x = *(const sloe_fitted_op *const *)a,
                       *y = *(const sloe_fitted_op *const *)b;
  if (x->op != y->op) return x->op < y->op ? -1 : 1;
  return (x->grouping > y->grouping) - (x->grouping < y->grouping);
}

static sloe_status put_family(const sloe_fitted_family *family, sloe_text *out, sloe_error *err) {
  const sloe_layer_key *key = &family->key;
  const sloe_stair_model *stair = &family->stair;
  SLOE_TRY(sloe_stair_model_check(stair, err));
  align(out);
  put_i32(out, key->op);
  put_i32(out, key->grouping);
  for (int i = 0; i < 2; i++) put_i32(out, key->kernel[i]);
  for (int i = 0; i < 2; i++) put_i32(out, key->stride[i]);
  put_u32(out, family->points);
  put_u32(out, stair->n_dims);
  put_u32(out, stair->n_coefs);
  put_u32(out, 0);
  put_f64(out, stair->floor);
  for (size_t d = 0; d < stair->n_dims; d++) {
    const sloe_stair *shape = &stair->shape[d];
    put(out, (uint64_t)stair->lo[d], 8);
    put(out, (uint64_t)stair->hi[d], 8);
    put_i32(out, shape->width);
    put_i32(out, shape->outer);
    put_i32(out, shape->slope);
    put_i32(out, shape->start);
    put_i32(out, shape->change);
    put_u32(out, 0);
  }
  for (size_t i = 0; i < stair->n_coefs; i++) put_f64(out, stair->coef[i]);
  return SLOE_OK;
}

static sloe_status put_op(const sloe_fitted_op *op, sloe_text *out, sloe_error *err) {
  sloe_forest forest = op->forest;
  if (!forest.n_trees) /* no correction, whatever else stands in the struct: the base alone */
    forest = (sloe_forest){.n_features = 1, .depth = 1, .base = forest.base};
  SLOE_TRY(sloe_forest_check(&forest, err));
  align(out);
  put_i32(out, op->op);
  put_i32(out, op->grouping);
  put_u32(out, SLOE_LAYER_FEATURES);
  put_u32(out, forest.n_features);
  put_u32(out, forest.n_trees);
  put_u32(out, forest.depth);
  put_f64(out, forest.base);
  put_f64(out, op->p75);
  put_f64(out, op->p97_5);
  put_f64(out, op->error_90);
  put_u32(out, SLOE_SPEC_ACT_COUNT);
  put_f64(out, op->add_ns);
  for (size_t i = 0; i < SLOE_SPEC_ACT_COUNT; i++) put_f64(out, op->act_ns[i]);
  for (size_t i = 0; i <= forest.n_features; i++) put_u32(out, forest.first[i]);
  put_f32s(out, op->lo, SLOE_LAYER_FEATURES);
  put_f32s(out, op->hi, SLOE_LAYER_FEATURES);
  align(out);
  put_f32s(out, forest.threshold, sloe_forest_thresholds(&forest));
  align(out);
  sloe_text_addn(out, (const char *)forest.row, sloe_forest_row_bytes(&forest));
  align(out);
  put_f32s(out, forest.leaf, sloe_forest_leaves(&forest));
  return SLOE_OK;
}

/* Pointers to n elements of `size` bytes, sorted; NULL: out of memory. */
static const void **sorted(const void *elements, size_t n, size_t size,
                           int (*order)(const void *, const void *)) {
  const void **list = sloe_alloc(n, sizeof *list);
  if (!list) return NULL;
  for (size_t i = 0; i < n; i++) list[i] = (const char *)elements + i * size;
  if (n) qsort(list, n, sizeof *list, order);
  return list;
}

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory writing a platform file");
}

static sloe_status put_families(const sloe_fitted *fitted, sloe_text *out, sloe_error *err) {
  const void **list =
      sorted(fitted->families, fitted->n_families, sizeof *fitted->families, by_family_key);
  sloe_status status = list ? SLOE_OK : no_memory(err);
  put_u32(out, (uint32_t)fitted->n_families);
  for (size_t i = 0; status == SLOE_OK && i < fitted->n_families; i++)
    status = put_family(list[i], out, err);
  sloe_dealloc(list);
  return status;
}

static sloe_status put_ops(const sloe_fitted *fitted, sloe_text *out, sloe_error *err) {
  const void **list = sorted(fitted->ops, fitted->n_ops, sizeof *fitted->ops, by_op_key);
  sloe_status status = list ? SLOE_OK : no_memory(err);
  put_u32(out, (uint32_t)fitted->n_ops);
  for (size_t i = 0; status == SLOE_OK && i < fitted->n_ops; i++)
    status = put_op(list[i], out, err);
  sloe_dealloc(list);
  return status;
}

static void put_network(const sloe_fitted_network *network, sloe_text *out) {
  put_f64(out, network->scale);
  put_f64(out, network->per_layer_ms);
  put_f64(out, network->per_mb_ms);
  put_f64(out, network->per_reorder);
  put_f64(out, network->error_90);
  put_f64(out, network->memory_scale);
  put_f64(out, network->memory_offset_mb);
  put_f64(out, network->memory_error_90);
}

static sloe_status put_section(sloe_fitted_section section, const sloe_fitted_platform *platform,
                               sloe_text *out, sloe_error *err) {
  switch (section) {
    case SLOE_FITTED_CARD: return sloe_fitted_card_encode(platform, out, err);
    case SLOE_FITTED_FAMILIES: return put_families(&platform->fitted, out, err);
    case SLOE_FITTED_OPS: return put_ops(&platform->fitted, out, err);
    case SLOE_FITTED_NETWORK: put_network(&platform->fitted.network, out); break;
    case SLOE_FITTED_SECTION_COUNT: break;
  }
  return SLOE_OK;
}

/* ---- the file ---- */

/* Write `bytes` of value over what was left open at `at`. */
static void fill(sloe_text *out, size_t at, uint64_t value, size_t bytes) {
  for (size_t i = 0; !out->failed && i < bytes; i++)
    out->data[at + i] = (char)(value >> 8 * i & 0xff);
}

static void put_head(sloe_text *out) {
  sloe_text_addn(out, SLOE_FITTED_MAGIC, SLOE_FITTED_MAGIC_BYTES);
  put_u32(out, SLOE_FITTED_VERSION);
  put_u32(out, SLOE_FITTED_HEADER);
  put(out, 0, 8); /* length, filled in below */
  put(out, 0, 8); /* checksum, the same */
  put(out, SLOE_FITTED_SECTION_COUNT, 8);
  for (size_t i = 0; i < SLOE_FITTED_SECTION_COUNT; i++) {
    char tag[SLOE_FITTED_TAG] = {0};
    memcpy(tag, sloe_fitted_tags[i], strlen(sloe_fitted_tags[i]));
    sloe_text_addn(out, tag, sizeof tag);
    put(out, 0, 8); /* offset */
    put(out, 0, 8); /* length */
  }
}

sloe_status sloe_fitted_encode(const sloe_fitted_platform *platform, sloe_text *out,
                               sloe_error *err) {
  put_head(out);
  for (size_t i = 0; i < SLOE_FITTED_SECTION_COUNT; i++) {
    size_t entry = SLOE_FITTED_HEADER + 8 + i * (SLOE_FITTED_TAG + 16);
    align(out);
    size_t begin = out->len;
    SLOE_TRY(put_section((sloe_fitted_section)i, platform, out, err));
    fill(out, entry + SLOE_FITTED_TAG, begin, 8);
    fill(out, entry + SLOE_FITTED_TAG + 8, out->len - begin, 8);
  }
  if (out->failed) return no_memory(err);
  fill(out, 16, out->len, 8);
  fill(out, 24, sloe_hash64(out->data + SLOE_FITTED_HEADER, out->len - SLOE_FITTED_HEADER), 8);
  return SLOE_OK;
}

/* Counts that do not fit their fields must not come so far as to be cut to them. */
static sloe_status check_counts(const sloe_fitted *fitted, sloe_error *err) {
  if (fitted->n_families > SLOE_FITTED_MAX_FAMILIES || fitted->n_ops > SLOE_FITTED_MAX_OPS)
    return sloe_fail(err, SLOE_USAGE, "platform file: %zu families and %zu ops, at most %d and %d",
                     fitted->n_families, fitted->n_ops, SLOE_FITTED_MAX_FAMILIES,
                     SLOE_FITTED_MAX_OPS);
  return SLOE_OK;
}

static sloe_status read_back(const sloe_text *bytes, sloe_error *err) {
  sloe_platform platform = {0};
  sloe_arena_init(&platform.arena, READ_BACK_LIMIT);
  sloe_status status = sloe_fitted_read(bytes->data, bytes->len, &platform, err);
  sloe_arena_fini(&platform.arena);
  return status;
}

sloe_status sloe_fitted_write(const sloe_fitted_platform *platform, const char *path,
                              sloe_error *err) {
  sloe_text bytes = {0};
  sloe_status status = check_counts(&platform->fitted, err);
  if (status == SLOE_OK) status = sloe_fitted_encode(platform, &bytes, err);
  if (status == SLOE_OK) status = read_back(&bytes, err);
  if (status == SLOE_FORMAT || status == SLOE_UNSUPPORTED) { /* the caller's numbers, no file's */
    status = SLOE_USAGE;
    if (err) err->code = status, err->offset = 0;
  }
  if (status == SLOE_OK) status = sloe_file_write(path, bytes.data, bytes.len, err);
  sloe_text_fini(&bytes);
  return status;
}
