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
#include "platform/fitted_mlp.h"
#include "platform/fitted_put.h"
#include "platform/fitted_trees.h"
#include "platform/networks.h"

enum { READ_BACK_LIMIT = 1 << 27 };

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
  sloe_fitted_put_align(out);
  sloe_fitted_put_i32(out, key->op);
  sloe_fitted_put_i32(out, key->grouping);
  for (int i = 0; i < 2; i++) sloe_fitted_put_i32(out, key->kernel[i]);
  for (int i = 0; i < 2; i++) sloe_fitted_put_i32(out, key->stride[i]);
  sloe_fitted_put_u32(out, family->points);
  sloe_fitted_put_u32(out, stair->n_dims);
  sloe_fitted_put_u32(out, stair->n_coefs);
  sloe_fitted_put_u32(out, 0);
  sloe_fitted_put_f64(out, stair->floor);
  for (size_t d = 0; d < stair->n_dims; d++) {
    const sloe_stair *shape = &stair->shape[d];
    sloe_fitted_put(out, (uint64_t)stair->lo[d], 8);
    sloe_fitted_put(out, (uint64_t)stair->hi[d], 8);
    sloe_fitted_put_i32(out, shape->width);
    sloe_fitted_put_i32(out, shape->outer);
    sloe_fitted_put_i32(out, shape->slope);
    sloe_fitted_put_i32(out, shape->start);
    sloe_fitted_put_i32(out, shape->change);
    sloe_fitted_put_u32(out, 0);
  }
  for (size_t i = 0; i < stair->n_coefs; i++) sloe_fitted_put_f64(out, stair->coef[i]);
  return SLOE_OK;
}

/* Behind its shape. */
static void put_forest_arrays(const sloe_forest *forest, sloe_text *out) {
  sloe_fitted_put_align(out);
  sloe_fitted_put_f32s(out, forest->threshold, sloe_forest_thresholds(forest));
  sloe_fitted_put_align(out);
  sloe_text_addn(out, (const char *)forest->row, sloe_forest_row_bytes(forest));
  sloe_fitted_put_align(out);
  sloe_fitted_put_f32s(out, forest->leaf, sloe_forest_leaves(forest));
}

static void put_first(const sloe_forest *forest, sloe_text *out) {
  for (size_t i = 0; i <= forest->n_features; i++) sloe_fitted_put_u32(out, forest->first[i]);
}

static sloe_status put_trees(const sloe_learned_trees *trees, sloe_text *out, sloe_error *err) {
  SLOE_TRY(sloe_learned_trees_check(trees, SLOE_LAYER_FEATURES, err));
  sloe_fitted_put_align(out);
  sloe_fitted_put_u32(out, SLOE_LAYER_FEATURES);
  sloe_fitted_put_u32(out, trees->n_trees);
  sloe_fitted_put_u32(out, 0);
  sloe_fitted_put_u32(out, trees->n_nodes);
  sloe_fitted_put_f64(out, trees->base);
  sloe_fitted_trees_put(trees, out);
  return SLOE_OK;
}

static sloe_status put_chance(const sloe_fitted_odds *odds, sloe_text *out, sloe_error *err) {
  const sloe_forest *forest = &odds->forest;
  if (odds->trees.n_trees) return put_trees(&odds->trees, out, err);
  SLOE_TRY(sloe_forest_check(forest, err));
  sloe_fitted_put_align(out);
  sloe_fitted_put_u32(out, forest->n_features);
  sloe_fitted_put_u32(out, forest->n_trees);
  sloe_fitted_put_u32(out, forest->depth);
  sloe_fitted_put_u32(out, 0);
  sloe_fitted_put_f64(out, forest->base);
  put_first(forest, out);
  put_forest_arrays(forest, out);
  return SLOE_OK;
}

static sloe_status put_op(const sloe_fitted_op *op, sloe_text *out, sloe_error *err) {
  sloe_forest forest = op->forest;
  if (!forest.n_trees) /* no correction, whatever else stands in the struct: the base alone */
    forest = (sloe_forest){.n_features = 1, .depth = 1, .base = forest.base};
  SLOE_TRY(sloe_forest_check(&forest, err));
  sloe_fitted_put_align(out);
  sloe_fitted_put_i32(out, op->op);
  sloe_fitted_put_i32(out, op->grouping);
  sloe_fitted_put_u32(out, SLOE_LAYER_FEATURES);
  sloe_fitted_put_u32(out, forest.n_features);
  sloe_fitted_put_u32(out, forest.n_trees);
  sloe_fitted_put_u32(out, forest.depth);
  sloe_fitted_put_f64(out, forest.base);
  sloe_fitted_put_f64(out, op->p75);
  sloe_fitted_put_f64(out, op->p97_5);
  sloe_fitted_put_f64(out, op->error_90);
  sloe_fitted_put_u32(out, SLOE_SPEC_ACT_COUNT);
  sloe_fitted_put_f64(out, op->add_ns);
  for (size_t i = 0; i < SLOE_SPEC_ACT_COUNT; i++) sloe_fitted_put_f64(out, op->act_ns[i]);
  put_first(&forest, out);
  sloe_fitted_put_f32s(out, op->lo, SLOE_LAYER_FEATURES);
  sloe_fitted_put_f32s(out, op->hi, SLOE_LAYER_FEATURES);
  put_forest_arrays(&forest, out);
  sloe_fitted_put_u32(out, (uint32_t)op->n_proposed);
  for (size_t i = 0; i < op->n_proposed; i++) SLOE_TRY(put_chance(&op->proposed[i], out, err));
  sloe_fitted_put_f64(out, op->transform_bytes);
  if (op->transform_bytes > 0) SLOE_TRY(put_chance(&op->transformed, out, err));
  if (op->mlp.body.n_layers)
    SLOE_TRY(sloe_learned_mlp_check(&op->mlp.body, op->mlp.body.width[0], err));
  sloe_fitted_mlp_put(&op->mlp, out);
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
  sloe_fitted_put_u32(out, (uint32_t)fitted->n_families);
  for (size_t i = 0; status == SLOE_OK && i < fitted->n_families; i++)
    status = put_family(list[i], out, err);
  sloe_dealloc(list);
  return status;
}

static sloe_status put_ops(const sloe_fitted *fitted, sloe_text *out, sloe_error *err) {
  const void **list = sorted(fitted->ops, fitted->n_ops, sizeof *fitted->ops, by_op_key);
  sloe_status status = list ? SLOE_OK : no_memory(err);
  sloe_fitted_put_u32(out, (uint32_t)fitted->n_ops);
  for (size_t i = 0; status == SLOE_OK && i < fitted->n_ops; i++)
    status = put_op(list[i], out, err);
  sloe_dealloc(list);
  return status;
}

static void put_network(const sloe_fitted_network *network, sloe_text *out) {
  sloe_fitted_put_f64(out, network->scale);
  sloe_fitted_put_f64(out, network->per_layer_ms);
  sloe_fitted_put_f64(out, network->per_mb_ms);
  sloe_fitted_put_f64(out, network->per_reorder);
  sloe_fitted_put_f64(out, network->error_90);
  sloe_fitted_put_f64(out, network->memory_scale);
  sloe_fitted_put_f64(out, network->memory_offset_mb);
  sloe_fitted_put_f64(out, network->memory_error_90);
}

static sloe_status put_section(sloe_fitted_section section, const sloe_fitted_platform *platform,
                               sloe_text *out, sloe_error *err) {
  switch (section) {
    case SLOE_FITTED_CARD: return sloe_fitted_card_encode(platform, out, err);
    case SLOE_FITTED_FAMILIES: return put_families(&platform->fitted, out, err);
    case SLOE_FITTED_OPS: return put_ops(&platform->fitted, out, err);
    case SLOE_FITTED_NETWORK: put_network(&platform->fitted.network, out); break;
    case SLOE_FITTED_LEARNED: return sloe_networks_put(platform->networks, out, err);
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

static size_t n_sections(const sloe_fitted_platform *platform) {
  return platform->networks ? SLOE_FITTED_SECTION_COUNT : SLOE_FITTED_SECTIONS_NEEDED;
}

static void put_head(sloe_text *out, size_t n) {
  sloe_text_addn(out, SLOE_FITTED_MAGIC, SLOE_FITTED_MAGIC_BYTES);
  sloe_fitted_put_u32(out, SLOE_FITTED_VERSION);
  sloe_fitted_put_u32(out, SLOE_FITTED_HEADER);
  sloe_fitted_put(out, 0, 8); /* length, filled in below */
  sloe_fitted_put(out, 0, 8); /* checksum, the same */
  sloe_fitted_put(out, n, 8);
  for (size_t i = 0; i < n; i++) {
    char tag[SLOE_FITTED_TAG] = {0};
    memcpy(tag, sloe_fitted_tags[i], strlen(sloe_fitted_tags[i]));
    sloe_text_addn(out, tag, sizeof tag);
    sloe_fitted_put(out, 0, 8); /* offset */
    sloe_fitted_put(out, 0, 8); /* length */
  }
}

sloe_status sloe_fitted_encode(const sloe_fitted_platform *platform, sloe_text *out,
                               sloe_error *err) {
  const size_t n = n_sections(platform);
  put_head(out, n);
  for (size_t i = 0; i < n; i++) {
    size_t entry = SLOE_FITTED_HEADER + 8 + i * (SLOE_FITTED_TAG + 16);
    sloe_fitted_put_align(out);
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
  for (size_t i = 0; i < fitted->n_ops; i++)
    if (fitted->ops[i].n_proposed > SLOE_LAYER_PROPOSED)
      return sloe_fail(err, SLOE_USAGE, "platform file: %zu kernels proposed, at most %d",
                       fitted->ops[i].n_proposed, (int)SLOE_LAYER_PROPOSED);
  return SLOE_OK;
}

static sloe_status read_back(const sloe_text *bytes, sloe_error *err) {
  sloe_platform platform = {0};
  sloe_arena_init(&platform.arena, READ_BACK_LIMIT);
  sloe_status status = sloe_fitted_read(bytes->data, bytes->len, &platform, err);
  sloe_networks_fini(platform.networks);
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
