/* fitted_files.h: a small fitted platform for tests, and its bytes. */
#ifndef SLOE_TESTS_FITTED_FILES_H
#define SLOE_TESTS_FITTED_FILES_H

#include <math.h>

#include "base/hash.h"
#include "platform/fitted_format.h"
#include "unit/unit.h"

static const char *const fitted_environment[][2] = {
    {"cpu", "A small CPU @ 2.00GHz"}, {"threads", "1"}, {"batch", "1"}, {"empty", ""}};

/* Two dimensions: ms = 1 + 2 ceil(k / 8) + c (0.5 + 0.25 ceil(k / 8)). */
static sloe_fitted_family fitted_family(int32_t op, int32_t grouping, int32_t kernel,
                                        int32_t stride) {
  return (sloe_fitted_family){
      .key = {op, grouping, {kernel, kernel}, {stride, stride}},
      .points = 40,
      .stair = {.n_dims = 2,
                .n_coefs = 4,
                .lo = {1, 3},
                .hi = {512, 256},
                .shape = {{.width = 8}, {.slope = 1}},
                .floor = 0.01,
                .coef = {1, 0.5, 2, 0.25}},
  };
}

/* Two trees of depth 1 that ask for feature 1: 0.1 or 0.2 for what is above 3, and above 5. */
typedef struct fitted_parts {
  sloe_fitted_family families[4];
  sloe_fitted_op ops[2];
  float threshold[SLOE_FOREST_LANES];
  uint8_t row[(SLOE_FOREST_LANES + 2) * SLOE_FOREST_BLOCK];
  float leaf[2 * SLOE_FOREST_BLOCK];
  uint32_t first[2], input[2];
  sloe_tree_node node[3];
  float lo[2], hi[2], weight[18];
} fitted_parts;

static sloe_forest fitted_forest(fitted_parts *p) {
  sloe_forest forest = {.n_features = 2, .n_trees = 2, .depth = 1, .first = {0, 0, 4}};
  forest.base = -0.05;
  memcpy(p->threshold, (float[]){3, 5, INFINITY, INFINITY}, sizeof p->threshold);
  for (int rank = 0; rank <= 4; rank++) /* behind the one row of feature 0 */
    for (int tree = 0; tree < 2; tree++)
      p->row[(1 + rank) * SLOE_FOREST_BLOCK + tree] = rank > tree;
  p->leaf[1] = 0.1f, p->leaf[3] = 0.2f;
  forest.threshold = p->threshold;
  forest.row = p->row;
  forest.leaf = p->leaf;
  return forest;
}

/* 0.25, and 0.5 more where feature 1 is above 3. */
static sloe_learned_trees fitted_trees(fitted_parts *p) {
  memcpy(p->first, (uint32_t[]){0, 3}, sizeof p->first);
  p->node[0] = (sloe_tree_node){.threshold = 3, .left = 1, .input = 1};
  p->node[1] = (sloe_tree_node){.threshold = INFINITY, .left = 1};
  p->node[2] = (sloe_tree_node){.threshold = INFINITY, .left = 2, .value = 0.25f};
  return (sloe_learned_trees){
      .n_trees = 1, .n_nodes = 3, .base = 0.25, .factor = 2, .first = p->first, .node = p->node};
}

/* 0.03 + 0.01 max(0, ln k - 1) + 0.02 max(0, ln ms), of k to 64 and 2 to 4 ms, at most 0.08: the
   mean of one that says that twice, less 0.01, and one that says 0.01. */
static sloe_fitted_mlp fitted_mlp(fitted_parts *p) {
  memcpy(p->input, (uint32_t[]){SLOE_LAYER_INPUT_feature, SLOE_LAYER_INPUT_stair}, sizeof p->input);
  memcpy(p->lo, (float[]){0, 0.6931472f}, sizeof p->lo);
  memcpy(p->hi, (float[]){4.1588831f, 1.3862944f}, sizeof p->hi);
  memcpy(p->weight,
         (float[]){1, 0, 0, 1, -1, 0, 0.02f, 0.04f, 0.05f, 1, 0, 0, 1, -1, 0, 0, 0, 0.01f},
         sizeof p->weight);
  return (sloe_fitted_mlp){.body = {.n_layers = 2,
                                    .activation = SLOE_ACTIVATION_RELU,
                                    .width = {2, 2, 1},
                                    .n_weights = 9,
                                    .weight = p->weight},
                           .n_bodies = 2,
                           .units = 4,
                           .input = p->input,
                           .lo = p->lo,
                           .hi = p->hi,
                           .least = -0.5,
                           .most = 0.08};
}

static sloe_fitted_op fitted_op(int32_t op, int32_t grouping) {
  sloe_fitted_op o = {.op = op, .grouping = grouping, .p75 = 1.02, .p97_5 = 1.2, .error_90 = 0.1};
  o.add_ns = 0.25;
  o.act_ns[SLOE_SPEC_ACT_RELU] = 0.0625, o.act_ns[SLOE_SPEC_ACT_OTHER] = 4;
  for (int i = 0; i < SLOE_LAYER_FEATURES; i++) o.lo[i] = (float)-i, o.hi[i] = (float)i + 0.5f;
  return o;
}

/* Families and ops out of order; `parts` is filled and must outlive the platform. */
static sloe_fitted_platform fitted_toy(fitted_parts *parts) {
  memset(parts, 0, sizeof *parts);
  parts->families[0] = fitted_family(SLOE_SPEC_MAXPOOL, SLOE_DENSE, 2, 2);
  parts->families[1] = fitted_family(SLOE_SPEC_CONV, SLOE_DENSE, 7, 2);
  parts->families[2] = fitted_family(SLOE_SPEC_CONV, SLOE_DEPTHWISE, 3, 1);
  parts->families[3] = fitted_family(SLOE_SPEC_CONV, SLOE_DENSE, 3, 1);
  parts->ops[0] = fitted_op(SLOE_SPEC_MAXPOOL, SLOE_DENSE);
  parts->ops[0].error_90 = parts->ops[0].p75 = NAN;
  parts->ops[1] = fitted_op(SLOE_SPEC_CONV, SLOE_DENSE);
  parts->ops[1].forest = fitted_forest(parts);
  parts->ops[1].proposed[0].forest = parts->ops[1].forest;
  parts->ops[1].n_proposed = 1;
  parts->ops[1].transformed.trees = fitted_trees(parts);
  parts->ops[1].transform_bytes = 16;
  parts->ops[1].mlp = fitted_mlp(parts);
  return (sloe_fitted_platform){
      .card = {.device = "toy-cpu",
               .title = "A toy's CPU, 2 \xc2\xb5W",
               .runtime = "onednn",
               .runtime_version = "2.6.3",
               .precision = SLOE_FP32,
               .mode = "t1",
               .notes = "one thread, caches warm",
               .gpu_mhz = NAN,
               .memory_mb = 8192.5,
               .memory_reserved_mb = NAN,
               .power_cap_w = NAN},
      .fusion = {.runtime = SLOE_RUNTIME_ONEDNN, .version = 206, .precision = SLOE_FP32},
      .fitted = {.reference_ms = 1.25,
                 .families = parts->families,
                 .n_families = 4,
                 .ops = parts->ops,
                 .n_ops = 2,
                 .network = {.scale = 1.05,
                             .per_layer_ms = -0.001,
                             .per_mb_ms = 0.03,
                             .per_reorder = 0.75,
                             .error_90 = 0.08,
                             .memory_scale = 1.1,
                             .memory_offset_mb = 20,
                             .memory_error_90 = NAN},
                 .layer_errors = {500, 6.5, 9, 41.25, 1.5},
                 .network_errors = {24, 4.5, 5.5, 12, 0.75},
                 .memory_errors = {NAN, NAN, NAN, NAN, NAN},
                 .points = 3210,
                 .seconds = 4567.5,
                 .created = "2026-11-25",
                 .tool = "sloe 0.1.0",
                 .seed = "1",
                 .environment = fitted_environment,
                 .n_environment = 4},
  };
}

/* The bytes of a platform's file; free with sloe_text_fini. */
static sloe_text fitted_bytes(const sloe_fitted_platform *platform) {
  sloe_text bytes = {0};
  sloe_error err = {0};
  assert_ok(sloe_fitted_encode(platform, &bytes, &err), err);
  return bytes;
}

static inline sloe_platform *fitted_open(const sloe_text *bytes) {
  sloe_platform *p;
  sloe_error err = {0};
  assert_ok(sloe_platform_from_memory(bytes->data, bytes->len, NULL, &p, &err), err);
  return p;
}

static inline sloe_text fitted_toy_bytes(void) {
  fitted_parts *parts = test_malloc(sizeof *parts);
  sloe_fitted_platform toy = fitted_toy(parts);
  sloe_text bytes = fitted_bytes(&toy);
  test_free(parts);
  return bytes;
}

/* After bytes were changed: only the checksum is put right. */
static inline void fitted_mend(char *data, size_t len) {
  uint64_t hash = sloe_hash64(data + SLOE_FITTED_HEADER, len - SLOE_FITTED_HEADER);
  for (int i = 0; i < 8; i++) data[24 + i] = (char)(hash >> 8 * i & 0xff);
}

#endif
