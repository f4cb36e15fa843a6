/* Families and ops of a binary platform file. Families are copied into their structs, the arrays of
 * forests are used where they lie.
 */
#include <float.h>
#include <math.h>

#include "platform/fitted_cursor.h"
#include "platform/fitted_mlp.h"
#include "platform/fitted_trees.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the arrays of forests are used as they lie in the file: little-endian"
#endif

_Static_assert((int)SLOE_LAYER_FEATURES <= SLOE_FOREST_FEATURES,
               "a forest may ask for any feature");

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory reading a platform file");
}

/* ---- keys ---- */

static int most_grouping(int32_t op) {
  return op == SLOE_SPEC_BINARY ? SLOE_SPEC_WITH_COUNT - 1 : SLOE_GROUPED;
}

static sloe_status check_op(sloe_fitted_cursor *c, size_t at, int32_t op, int32_t grouping) {
  if (c->status != SLOE_OK) return c->status;
  if (op < 0 || grouping < 0)
    return sloe_fitted_fail_here(c, at, "a layer's op or grouping is negative");
  if (op >= SLOE_SPEC_OP_COUNT || grouping > most_grouping(op))
    return c->status = sloe_fail_at(c->err, SLOE_UNSUPPORTED, at,
                                    "section '%s': layers of op %d, grouping %d are not known to "
                                    "this version of sloe",
                                    c->section, (int)op, (int)grouping);
  return SLOE_OK;
}

/* ---- families ---- */

static void take_stair(sloe_fitted_cursor *c, sloe_stair_model *stair) {
  stair->n_dims = sloe_fitted_take_u32(c);
  stair->n_coefs = sloe_fitted_take_u32(c);
  sloe_fitted_take_u32(c);
  stair->floor = sloe_fitted_take_f64(c);
  if (stair->n_dims > SLOE_LAYER_DIMS || stair->n_coefs > SLOE_STAIR_COEFS) {
    sloe_fitted_fail_here(c, c->at,
                          "a staircase has more dimensions or coefficients than are possible");
    return;
  }
  for (size_t d = 0; d < stair->n_dims; d++) {
    sloe_stair *shape = &stair->shape[d];
    stair->lo[d] = sloe_fitted_take_i64(c);
    stair->hi[d] = sloe_fitted_take_i64(c);
    shape->width = sloe_fitted_take_i32(c);
    shape->outer = sloe_fitted_take_i32(c);
    shape->slope = sloe_fitted_take_i32(c);
    shape->start = sloe_fitted_take_i32(c);
    shape->change = sloe_fitted_take_i32(c);
    sloe_fitted_take_u32(c);
  }
  for (size_t i = 0; i < stair->n_coefs; i++) stair->coef[i] = sloe_fitted_take_f64(c);
}

static sloe_status check_stair(sloe_fitted_cursor *c, size_t at, const sloe_stair_model *stair) {
  sloe_status status = sloe_stair_model_check(stair, c->err);
  if (status != SLOE_OK) return sloe_fitted_fail_model(c, at, status);
  for (size_t i = 0; i < stair->n_coefs; i++)
    if (!(fabs(stair->coef[i]) <= SLOE_FITTED_MAX_COEF))
      return sloe_fitted_fail_here(c, at, "a coefficient of a staircase is larger than any time");
  if (stair->floor > SLOE_FITTED_MAX_COEF)
    return sloe_fitted_fail_here(c, at, "the floor of a staircase is larger than any time");
  return SLOE_OK;
}

static sloe_status take_family(sloe_fitted_cursor *c, sloe_fitted_family *family) {
  sloe_fitted_take_align(c);
  size_t at = c->at;
  sloe_layer_key *key = &family->key;
  key->op = sloe_fitted_take_i32(c);
  key->grouping = sloe_fitted_take_i32(c);
  for (int i = 0; i < 2; i++) key->kernel[i] = sloe_fitted_take_i32(c);
  for (int i = 0; i < 2; i++) key->stride[i] = sloe_fitted_take_i32(c);
  family->points = sloe_fitted_take_u32(c);
  take_stair(c, &family->stair);
  SLOE_TRY(check_op(c, at, key->op, key->grouping));
  for (int i = 0; i < 2; i++)
    if (key->kernel[i] < 0 || key->stride[i] < 0)
      return sloe_fitted_fail_here(c, at, "a kernel or stride is negative");
  return check_stair(c, at, &family->stair);
}

/* How many of something of at least `least` bytes; more than the section has room for is refused
   before memory is asked for. */
static size_t take_count(sloe_fitted_cursor *c, size_t most, size_t least) {
  size_t at = c->at, n = sloe_fitted_take_u32(c);
  if (c->status == SLOE_OK && (n > most || n > (c->end - c->at) / least))
    sloe_fitted_fail_here(c, at, "a count is larger than can be");
  return c->status == SLOE_OK ? n : 0;
}

sloe_status sloe_fitted_take_families(sloe_fitted_cursor *c, sloe_arena *arena,
                                      sloe_fitted *fitted) {
  size_t n = take_count(c, SLOE_FITTED_MAX_FAMILIES, SLOE_FITTED_FAMILY_LEAST);
  SLOE_TRY(c->status);
  sloe_fitted_family *families = SLOE_ARENA_NEW(arena, sloe_fitted_family, n);
  if (!families) return no_memory(c->err);
  for (size_t i = 0; i < n; i++) {
    size_t at = c->at;
    SLOE_TRY(take_family(c, &families[i]));
    if (i && sloe_fitted_key_order(&families[i - 1].key, &families[i].key) >= 0)
      return sloe_fitted_fail_here(c, at, "a family stands twice or out of order");
  }
  fitted->families = families;
  fitted->n_families = n;
  return sloe_fitted_end_section(c);
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
static sloe_status take_forest_arrays(sloe_fitted_cursor *c, size_t at, sloe_forest *forest) {
  sloe_fitted_take_align(c);
  forest->threshold = sloe_fitted_take_f32s(c, sloe_forest_thresholds(forest));
  sloe_fitted_take_align(c);
  forest->row = sloe_fitted_take(c, sloe_forest_row_bytes(forest));
  sloe_fitted_take_align(c);
  forest->leaf = sloe_fitted_take_f32s(c, sloe_forest_leaves(forest));
  SLOE_TRY(c->status);
  sloe_status status = sloe_forest_check(forest, c->err);
  if (status != SLOE_OK) return sloe_fitted_fail_model(c, at, status);
  if (!forest_is_bounded(forest))
    return sloe_fitted_fail_here(c, at, "a correction is larger than can be");
  return SLOE_OK;
}

/* Where features' thresholds begin; with it the shape is whole. */
static sloe_status take_first(sloe_fitted_cursor *c, size_t at, sloe_forest *forest) {
  for (uint32_t i = 0; i <= forest->n_features && i <= SLOE_FOREST_FEATURES; i++)
    forest->first[i] = sloe_fitted_take_u32(c);
  SLOE_TRY(c->status);
  const sloe_status status = sloe_forest_check_shape(forest, c->err);
  return status == SLOE_OK ? SLOE_OK : sloe_fitted_fail_model(c, at, status);
}

/* What a feature that the file does not know was in training: anything. */
static sloe_status take_domain(sloe_fitted_cursor *c, size_t n, sloe_fitted_op *op) {
  size_t at = c->at;
  const float *lo = sloe_fitted_take_f32s(c, n), *hi = sloe_fitted_take_f32s(c, n);
  SLOE_TRY(c->status);
  for (size_t i = 0; i < SLOE_LAYER_FEATURES; i++) {
    op->lo[i] = i < n ? lo[i] : -FLT_MAX;
    op->hi[i] = i < n ? hi[i] : FLT_MAX;
    if (i < n && !(isfinite(lo[i]) && isfinite(hi[i]) && lo[i] <= hi[i]))
      return sloe_fitted_fail_here(c, at + i * sizeof(float),
                                   "the domain of a feature is empty or not finite");
  }
  return SLOE_OK;
}

/* An activation that the file does not know costs nothing there. */
static sloe_status take_extras(sloe_fitted_cursor *c, size_t at, sloe_fitted_op *op) {
  const uint32_t n = sloe_fitted_take_u32(c);
  op->add_ns = sloe_fitted_take_f64(c);
  SLOE_TRY(c->status);
  if (n > SLOE_SPEC_ACT_COUNT)
    return c->status = sloe_fail_at(c->err, SLOE_UNSUPPORTED, at,
                                    "section '%s': %u activations, this version of sloe knows %d",
                                    c->section, (unsigned)n, (int)SLOE_SPEC_ACT_COUNT);
  int fine = op->add_ns >= 0 && op->add_ns <= SLOE_FITTED_MAX_NS;
  for (uint32_t i = 0; i < n; i++) {
    op->act_ns[i] = sloe_fitted_take_f64(c);
    fine = fine && op->act_ns[i] >= 0 && op->act_ns[i] <= SLOE_FITTED_MAX_NS;
  }
  SLOE_TRY(c->status);
  return fine ? SLOE_OK
              : sloe_fitted_fail_here(c, at, "an activation's cost is negative or too large");
}

/* What says how likely something is. Before version 3 these were forests, without nodes. */
static sloe_status take_chance(sloe_fitted_cursor *c, sloe_arena *arena, sloe_fitted_odds *odds) {
  sloe_fitted_take_align(c);
  const size_t at = c->at;
  const uint32_t features = sloe_fitted_take_u32(c), trees = sloe_fitted_take_u32(c),
                 depth = sloe_fitted_take_u32(c), nodes = sloe_fitted_take_u32(c);
  const double base = sloe_fitted_take_f64(c);
  SLOE_TRY(c->status);
  if (features > SLOE_LAYER_FEATURES)
    return sloe_fitted_fail_here(c, at, "a chance asks for more features than there are");
  if (nodes && c->version >= 3) {
    odds->trees = (sloe_learned_trees){.n_trees = trees, .n_nodes = nodes, .base = base};
    return sloe_fitted_trees_take(c, arena, features, &odds->trees);
  }
  odds->forest =
      (sloe_forest){.n_features = features, .n_trees = trees, .depth = depth, .base = base};
  SLOE_TRY(take_first(c, at, &odds->forest));
  return take_forest_arrays(c, at, &odds->forest);
}

/* A file that does not know their features has none. */
static sloe_status take_all_proposed(sloe_fitted_cursor *c, sloe_arena *arena, size_t n_features,
                                     sloe_fitted_op *op) {
  if (n_features <= SLOE_LAYER_FEATURE_proposed_1) return SLOE_OK;
  const size_t at = c->at;
  op->n_proposed = sloe_fitted_take_u32(c);
  SLOE_TRY(c->status);
  if (op->n_proposed > SLOE_LAYER_PROPOSED)
    return sloe_fitted_fail_here(c, at, "more kernels are proposed than can be");
  for (size_t i = 0; i < op->n_proposed; i++) SLOE_TRY(take_chance(c, arena, &op->proposed[i]));
  return SLOE_OK;
}

static sloe_status take_transformed(sloe_fitted_cursor *c, sloe_arena *arena, sloe_fitted_op *op) {
  if (c->version < 2) return SLOE_OK;
  const size_t at = c->at;
  op->transform_bytes = sloe_fitted_take_f64(c);
  SLOE_TRY(c->status);
  if (!(op->transform_bytes >= 0) || op->transform_bytes > SLOE_FITTED_MAX_TRANSFORM_BYTES)
    return sloe_fitted_fail_here(c, at, "the bytes of a transform's element cannot be");
  return op->transform_bytes > 0 ? take_chance(c, arena, &op->transformed) : SLOE_OK;
}

static sloe_status take_op(sloe_fitted_cursor *c, sloe_arena *arena, sloe_fitted_op *op) {
  sloe_fitted_take_align(c);
  size_t at = c->at;
  op->op = sloe_fitted_take_i32(c);
  op->grouping = sloe_fitted_take_i32(c);
  uint32_t n_features = sloe_fitted_take_u32(c);
  sloe_forest *forest = &op->forest;
  forest->n_features = sloe_fitted_take_u32(c);
  forest->n_trees = sloe_fitted_take_u32(c);
  forest->depth = sloe_fitted_take_u32(c);
  forest->base = sloe_fitted_take_f64(c);
  op->p75 = sloe_fitted_take_f64(c);
  op->p97_5 = sloe_fitted_take_f64(c);
  op->error_90 = sloe_fitted_take_f64(c);
  SLOE_TRY(take_extras(c, at, op));
  SLOE_TRY(check_op(c, at, op->op, op->grouping));
  if (n_features > SLOE_LAYER_FEATURES || forest->n_features > n_features)
    return c->status = sloe_fail_at(c->err, SLOE_UNSUPPORTED, at,
                                    "section '%s': %u features of a layer, %u of them in a forest; "
                                    "this version of sloe knows %d",
                                    c->section, (unsigned)n_features, (unsigned)forest->n_features,
                                    (int)SLOE_LAYER_FEATURES);
  if (!sloe_fitted_unknown_or_from(0, op->p75) || !sloe_fitted_unknown_or_from(0, op->p97_5) ||
      !sloe_fitted_unknown_or_from(0, op->error_90))
    return sloe_fitted_fail_here(c, at, "a percentile or an error is negative or not finite");
  SLOE_TRY(take_first(c, at, forest));
  SLOE_TRY(take_domain(c, n_features, op));
  SLOE_TRY(take_forest_arrays(c, at, forest));
  SLOE_TRY(take_all_proposed(c, arena, n_features, op));
  SLOE_TRY(take_transformed(c, arena, op));
  return c->version < 3 ? SLOE_OK : sloe_fitted_mlp_take(c, arena, &op->mlp);
}

static int op_before(const sloe_fitted_op *a, const sloe_fitted_op *b) {
  return a->op < b->op || (a->op == b->op && a->grouping < b->grouping);
}

sloe_status sloe_fitted_take_ops(sloe_fitted_cursor *c, sloe_arena *arena, sloe_fitted *fitted) {
  size_t n = take_count(c, SLOE_FITTED_MAX_OPS, SLOE_FITTED_OP_LEAST);
  SLOE_TRY(c->status);
  sloe_fitted_op *ops = SLOE_ARENA_NEW(arena, sloe_fitted_op, n);
  if (!ops) return no_memory(c->err);
  for (size_t i = 0; i < n; i++) {
    size_t at = c->at;
    SLOE_TRY(take_op(c, arena, &ops[i]));
    if (i && !op_before(&ops[i - 1], &ops[i]))
      return sloe_fitted_fail_here(c, at, "an op stands twice or out of order");
  }
  fitted->ops = ops;
  fitted->n_ops = n;
  return sloe_fitted_end_section(c);
}
