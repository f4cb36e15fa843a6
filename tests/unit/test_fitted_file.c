/* The binary platform file: what is written is read. Damage: test_fitted_damage.c. */
#include <float.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "platform/keys.h"
#include "unit/fitted_files.h"

#define FOLDER SLOE_BINARY_DIR "/fitted-XXXXXX"

static sloe_platform *open_toy(void) {
  sloe_text bytes = fitted_toy_bytes();
  sloe_platform *p = fitted_open(&bytes);
  sloe_text_fini(&bytes);
  return p;
}

static void the_checksum_is_xxh64(void **state) {
  (void)state;
  static const char text[] = "Nobody inspects the spammish repetition";
  assert_true(sloe_hash64("", 0) == 0xef46db3751d8e999u);
  assert_true(sloe_hash64("a", 1) == 0xd24ec4f1a98c6e5bu);
  assert_true(sloe_hash64("abc", 3) == 0x44bc2cf5ad770999u);
  assert_true(sloe_hash64(text, sizeof text - 1) == 0xfbcea83c8a378bf1u);
}

/* ---- round trip ---- */

static void the_card_comes_back(void **state) {
  (void)state;
  sloe_platform *p = open_toy();
  const sloe_card *card = sloe_platform_card(p);
  assert_string_equal(card->name, "toy-cpu-onednn-fp32-t1");
  assert_string_equal(card->path, "");
  assert_string_equal(card->title, "A toy's CPU, 2 \xc2\xb5W");
  assert_string_equal(card->runtime_version, "2.6.3");
  assert_string_equal(card->mode, "t1");
  assert_string_equal(card->notes, "one thread, caches warm");
  assert_int_equal(card->precision, SLOE_FP32);
  assert_int_equal(card->source, SLOE_SOURCE_FITTED);
  assert_int_equal(card->default_mode, 0);
  assert_int_equal(card->transfers, 0);
  assert_float_equal(card->memory_mb, 8192.5, 0);
  assert_true(isnan(card->peak_gflops) && isnan(card->bandwidth_gbs) && isnan(card->launch_us));
  assert_true(isnan(card->gpu_mhz) && isnan(card->power_cap_w) && isnan(card->memory_reserved_mb));
  assert_float_equal(card->validated_mape, 4.5, 0);
  assert_string_equal(card->validated_on, "24 held-out networks");
  const sloe_fusion *fusion = sloe_platform_fusion(p);
  assert_int_equal(fusion->runtime, SLOE_RUNTIME_ONEDNN);
  assert_int_equal(fusion->version, 206);
  assert_int_equal(fusion->compute_capability, 0);
  assert_int_equal(fusion->precision, SLOE_FP32);
  assert_float_equal(sloe_platform_reference_ms(p), 1.25, 0);
  sloe_platform_free(p);
}

static void assert_same_errors(sloe_fitted_errors a, sloe_fitted_errors b) {
  const double *x = &a.n, *y = &b.n;
  for (size_t i = 0; i < sizeof a / sizeof *x; i++)
    assert_true(x[i] == y[i] || (isnan(x[i]) && isnan(y[i])));
}

static void what_was_measured_and_how_comes_back(void **state) {
  (void)state;
  fitted_parts parts;
  const sloe_fitted want = fitted_toy(&parts).fitted;
  sloe_platform *p = open_toy();
  const sloe_fitted *got = p->fitted;
  assert_float_equal(got->points, want.points, 0);
  assert_float_equal(got->seconds, want.seconds, 0);
  assert_string_equal(got->created, want.created);
  assert_string_equal(got->tool, want.tool);
  assert_string_equal(got->seed, want.seed);
  assert_same_errors(got->layer_errors, want.layer_errors);
  assert_same_errors(got->network_errors, want.network_errors);
  assert_same_errors(got->memory_errors, want.memory_errors);
  assert_int_equal(got->n_environment, 4);
  for (size_t i = 0; i < 4; i++) {
    assert_string_equal(got->environment[i][0], fitted_environment[i][0]);
    assert_string_equal(got->environment[i][1], fitted_environment[i][1]);
  }
  assert_float_equal(got->network.scale, 1.05, 0);
  assert_float_equal(got->network.per_layer_ms, -0.001, 0);
  assert_float_equal(got->network.per_mb_ms, 0.03, 0);
  assert_float_equal(got->network.per_reorder, 0.75, 0);
  assert_float_equal(got->network.error_90, 0.08, 0);
  assert_float_equal(got->network.memory_scale, 1.1, 0);
  assert_float_equal(got->network.memory_offset_mb, 20, 0);
  assert_true(isnan(got->network.memory_error_90));
  sloe_platform_free(p);
}

static void families_come_back_in_order(void **state) {
  (void)state;
  fitted_parts parts;
  fitted_toy(&parts);
  static const int order[] = {3, 1, 2, 0};
  sloe_platform *p = open_toy();
  assert_int_equal(p->fitted->n_families, 4);
  for (size_t i = 0; i < 4; i++) {
    const sloe_fitted_family *got = &p->fitted->families[i], *want = &parts.families[order[i]];
    assert_memory_equal(&got->key, &want->key, sizeof got->key);
    assert_int_equal(got->points, want->points);
    assert_memory_equal(&got->stair, &want->stair, sizeof got->stair);
  }
  sloe_platform_free(p);
}

static void ops_come_back_with_their_forests(void **state) {
  (void)state;
  fitted_parts parts;
  fitted_toy(&parts);
  sloe_platform *p = open_toy();
  assert_int_equal(p->fitted->n_ops, 2);
  const sloe_fitted_op *conv = &p->fitted->ops[0], *pool = &p->fitted->ops[1];
  assert_int_equal(conv->op, SLOE_SPEC_CONV);
  assert_float_equal(conv->p97_5, 1.2, 0);
  assert_float_equal(conv->add_ns, 0.25, 0);
  assert_float_equal(conv->act_ns[SLOE_SPEC_ACT_NONE], 0, 0);
  assert_float_equal(conv->act_ns[SLOE_SPEC_ACT_RELU], 0.0625, 0);
  assert_float_equal(conv->act_ns[SLOE_SPEC_ACT_OTHER], 4, 0);
  assert_memory_equal(conv->lo, parts.ops[1].lo, sizeof conv->lo);
  assert_memory_equal(conv->hi, parts.ops[1].hi, sizeof conv->hi);
  for (int i = 0; i < 3; i++) {
    const float x[SLOE_LAYER_FEATURES] = {0, (float)(2 + 2 * i)};
    double want = sloe_forest_eval(&parts.ops[1].forest, x);
    assert_float_equal(sloe_forest_eval(&conv->forest, x), want, 0);
    assert_float_equal(want, ((double[]){-0.05, 0.05, 0.25})[i], 1e-6);
  }
  assert_int_equal(conv->n_proposed, 1);
  for (int i = 0; i < 3; i++) {
    const float x[SLOE_LAYER_FEATURES] = {0, (float)(2 + 2 * i)};
    const double want = sloe_fitted_chance(&parts.ops[1].proposed[0], x);
    assert_float_equal(sloe_fitted_chance(&conv->proposed[0], x), want, 0);
    assert_float_equal(want, ((double[]){0, 0, 0.2 / 0.9})[i], 1e-6);
  }
  assert_int_equal(pool->n_proposed, 0);
  assert_float_equal(conv->transform_bytes, 16, 0);
  for (int i = 0; i < 2; i++)
    assert_float_equal(
        sloe_fitted_chance(&conv->transformed, (float[SLOE_LAYER_FEATURES]){0, (float)(2 + 2 * i)}),
        ((double[]){0.2 / 0.9, 0.7 / 0.9})[i], 1e-6);
  assert_true(pool->transform_bytes == 0 && !pool->transformed.forest.n_trees);
  assert_int_equal(pool->transformed.trees.n_trees, 0);
  assert_int_equal(pool->op, SLOE_SPEC_MAXPOOL);
  assert_int_equal(pool->forest.n_trees, 0);
  assert_true(isnan(pool->error_90) && isnan(pool->p75));
  assert_float_equal(sloe_forest_eval(&pool->forest, (float[SLOE_LAYER_FEATURES]){0}), 0, 0);
  sloe_platform_free(p);
}

/* ln(time / staircase) of a convolution of k filters, by the MLP alone. */
static double by_mlp(const sloe_fitted_mlp *mlp, int64_t k, double stair_ms) {
  sloe_layer_spec spec = sloe_layer_spec_none();
  float x[SLOE_LAYER_FEATURES];
  spec.op = SLOE_SPEC_CONV;
  spec.k = k;
  sloe_layer_features(&spec, NULL, x);
  return sloe_fitted_mlp_eval(mlp, &spec, stair_ms, x);
}

static void an_mlp_comes_back_and_says_the_same(void **state) {
  (void)state;
  sloe_platform *p = open_toy();
  const sloe_fitted_op *conv = &p->fitted->ops[0];
  const sloe_fitted_mlp *mlp = &conv->mlp;
  assert_int_equal(mlp->body.n_layers, 2);
  assert_int_equal(mlp->n_bodies, 2);
  assert_int_equal(p->fitted->ops[1].mlp.body.n_layers, 0);
  assert_float_equal(mlp->units, 4, 0);
  assert_float_equal(by_mlp(mlp, 1, 3), 0.03 + 0.02 * log(3), 1e-6);
  assert_float_equal(by_mlp(mlp, 16, 3), 0.03 + 0.01 * (log(16) - 1) + 0.02 * log(3), 1e-6);
  sloe_layer_spec spec = sloe_layer_spec_none();
  float x[SLOE_LAYER_FEATURES];
  spec.op = SLOE_SPEC_CONV;
  sloe_layer_features(&spec, NULL, x);
  assert_float_equal(sloe_fitted_correction(conv, &spec, 3, x),
                     sloe_forest_eval(&conv->forest, x) + by_mlp(mlp, 1, 3), 1e-6);
  sloe_platform_free(p);
}

static void beyond_what_an_mlp_learned_its_ends_are_said(void **state) {
  (void)state;
  fitted_parts parts;
  fitted_toy(&parts);
  sloe_fitted_mlp mlp = parts.ops[1].mlp;
  assert_float_equal(by_mlp(&mlp, 1, 1e-9), by_mlp(&mlp, 1, 2), 1e-6);
  assert_float_equal(by_mlp(&mlp, 1, 1e9), by_mlp(&mlp, 1, 4), 1e-6);
  assert_float_equal(by_mlp(&mlp, INT64_C(1) << 40, 2), by_mlp(&mlp, 64, 2), 1e-6);
  assert_float_equal(by_mlp(&mlp, 64, 4), 0.08, 0); /* 0.0893 by its weights */
  parts.weight[6] = parts.weight[7] = FLT_MAX;
  parts.weight[0] = FLT_MAX;
  parts.weight[3] = -FLT_MAX;
  assert_float_equal(by_mlp(&mlp, 64, 4), 0.08, 0);
  parts.weight[7] = -FLT_MAX;
  parts.weight[3] = FLT_MAX; /* infinite less infinite */
  assert_true(by_mlp(&mlp, 64, 4) >= -0.5 && by_mlp(&mlp, 64, 4) <= 0.08);
}

static void the_same_platform_gives_the_same_bytes(void **state) {
  (void)state;
  sloe_text a = fitted_toy_bytes(), b = fitted_toy_bytes();
  assert_int_equal(a.len, b.len);
  assert_memory_equal(a.data, b.data, a.len);
  sloe_text_fini(&a);
  sloe_text_fini(&b);
}

static void a_platform_may_know_nothing_yet(void **state) {
  (void)state;
  sloe_fitted_platform bare = {
      .card = {.device = "d", .title = "t", .runtime = "r", .memory_mb = NAN},
      .fitted = {.reference_ms = NAN, .network = {.scale = 1}}};
  sloe_text bytes = fitted_bytes(&bare);
  sloe_platform *p = fitted_open(&bytes);
  assert_int_equal(p->fitted->n_families + p->fitted->n_ops + p->fitted->n_environment, 0);
  assert_true(isnan(sloe_platform_reference_ms(p)) && isnan(sloe_platform_card(p)->memory_mb));
  assert_string_equal(p->fitted->created, "");
  assert_string_equal(p->fitted->memory_kind, "process"); /* of files from before the key */
  assert_int_equal(p->fitted->memory_buffers, 0);         /* likewise */
  assert_false(sloe_fitted_knows_power(&p->fitted->power));
  assert_string_equal(sloe_platform_card(p)->name, "d-r-fp32"); /* no mode, no blank end */
  assert_true(sloe_fitted_is_called(sloe_platform_card(p), "d-r-fp32"));
  const sloe_layer_key key = {.op = SLOE_SPEC_CONV};
  assert_null(sloe_fitted_find(p->fitted, &key));
  assert_null(sloe_fitted_nearest(p->fitted, &key));
  assert_null(sloe_fitted_find_op(p->fitted, SLOE_SPEC_CONV, SLOE_DENSE));
  sloe_platform_free(p);
  sloe_text_fini(&bytes);
  bare.fitted.memory_kind = "device";
  bare.fitted.memory_buffers = 1;
  bare.fitted.power = (sloe_fitted_power){{1, 0.1, 2e-300, 3, 1e6}, 0.25};
  bare.fitted.power_errors = (sloe_fitted_errors){12, 3, 4, 5, NAN};
  bytes = fitted_bytes(&bare);
  p = fitted_open(&bytes);
  assert_string_equal(p->fitted->memory_kind, "device");
  assert_int_equal(p->fitted->memory_buffers, 1);
  assert_memory_equal(&p->fitted->power, &bare.fitted.power, sizeof bare.fitted.power);
  assert_same_errors(p->fitted->power_errors, bare.fitted.power_errors);
  sloe_platform_free(p);
  sloe_text_fini(&bytes);
}

/* ---- looking up ---- */

static void a_family_is_found_by_its_key(void **state) {
  (void)state;
  sloe_platform *p = open_toy();
  for (size_t i = 0; i < p->fitted->n_families; i++) {
    const sloe_fitted_family *family = &p->fitted->families[i];
    assert_ptr_equal(sloe_fitted_find(p->fitted, &family->key), family);
    assert_ptr_equal(sloe_fitted_nearest(p->fitted, &family->key), family);
    sloe_layer_key other = family->key;
    other.stride[1] = 5;
    assert_null(sloe_fitted_find(p->fitted, &other));
  }
  for (size_t i = 0; i < p->fitted->n_ops; i++) {
    const sloe_fitted_op *op = &p->fitted->ops[i];
    assert_ptr_equal(sloe_fitted_find_op(p->fitted, op->op, op->grouping), op);
  }
  assert_null(sloe_fitted_find_op(p->fitted, SLOE_SPEC_CONV, SLOE_DEPTHWISE));
  sloe_platform_free(p);
}

static void the_nearest_family_is_of_the_same_op_and_grouping(void **state) {
  (void)state;
  sloe_platform *p = open_toy();
  static const struct {
    sloe_layer_key key;
    int32_t kernel; /* of the nearest; 0: none */
  } rows[] = {
      {{SLOE_SPEC_CONV, SLOE_DENSE, {1, 1}, {1, 1}}, 3},
      {{SLOE_SPEC_CONV, SLOE_DENSE, {5, 5}, {1, 1}}, 3},
      {{SLOE_SPEC_CONV, SLOE_DENSE, {5, 5}, {2, 2}}, 7},
      {{SLOE_SPEC_CONV, SLOE_DENSE, {11, 11}, {4, 4}}, 7},
      {{SLOE_SPEC_CONV, SLOE_DEPTHWISE, {7, 7}, {2, 2}}, 3},
      {{SLOE_SPEC_MAXPOOL, SLOE_DENSE, {3, 3}, {0, 0}}, 2},
      {{SLOE_SPEC_CONV, SLOE_GROUPED, {3, 3}, {1, 1}}, 0},
      {{SLOE_SPEC_FC, SLOE_DENSE, {1, 1}, {1, 1}}, 0},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const sloe_fitted_family *near = sloe_fitted_nearest(p->fitted, &rows[i].key);
    assert_int_equal(near != NULL, rows[i].kernel > 0);
    if (!near) continue;
    assert_int_equal(near->key.kernel[0], rows[i].kernel);
    assert_int_equal(near->key.op, rows[i].key.op);
    assert_int_equal(near->key.grouping, rows[i].key.grouping);
  }
  sloe_platform_free(p);
}

static void variants_name_the_one_platform_of_the_file(void **state) {
  (void)state;
  sloe_text bytes = fitted_toy_bytes();
  static const char *const right[] = {"", "fp32", "fp32-t1", "toy-cpu-onednn-fp32-t1",
                                      "toy-cpu-onednn-fp32"};
  static const char *const wrong[] = {"fp16",
                                      "fp32-t2",
                                      "fp32-",
                                      "toy-cpu",
                                      "toy-cpu-onednn",
                                      "toy-cpu-onednn-fp32-t",
                                      "t1",
                                      "-",
                                      "other-onednn-fp32-t1"};
  for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
    sloe_platform *p;
    sloe_error err = {0};
    assert_ok(sloe_platform_from_memory(bytes.data, bytes.len, right[i], &p, &err), err);
    sloe_platform_free(p);
  }
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    sloe_platform *p = (void *)&p;
    sloe_error err;
    assert_refused(sloe_platform_from_memory(bytes.data, bytes.len, wrong[i], &p, &err),
                   SLOE_NOTFOUND, err, "it has toy-cpu-onednn-fp32-t1");
    assert_null(p);
  }
  sloe_text_fini(&bytes);
}

/* ---- writing ---- */

static void assert_not_written(const sloe_fitted_platform *platform, const char *says) {
  sloe_error err;
  const char *path = SLOE_BINARY_DIR "/never.sloe";
  assert_refused(sloe_fitted_write(platform, path, &err), SLOE_USAGE, err, says);
  assert_int_equal(err.code, SLOE_USAGE);
  assert_int_equal(access(path, F_OK), -1);
}

static void what_a_reader_would_refuse_is_not_written(void **state) {
  (void)state;
  fitted_parts parts;
  char longer[200];
  memset(longer, 'x', sizeof longer);
  longer[sizeof longer - 1] = 0;
#define NOT_WRITTEN(change, says)                  \
  do {                                             \
    sloe_fitted_platform toy = fitted_toy(&parts); \
    change;                                        \
    assert_not_written(&toy, says);                \
  } while (0)
  NOT_WRITTEN(parts.families[1] = parts.families[0], "a family stands twice");
  NOT_WRITTEN(parts.ops[1] = parts.ops[0], "an op stands twice");
  NOT_WRITTEN(parts.families[2].stair.coef[3] = INFINITY, "coefficient 3 is not finite");
  NOT_WRITTEN(parts.families[2].stair.n_dims = 0, "0 dimensions");
  NOT_WRITTEN(parts.families[2].stair.n_dims = 7, "7 dimensions");
  NOT_WRITTEN(parts.leaf[1] = NAN, "leaf 1 is not finite");
  NOT_WRITTEN(parts.ops[1].n_proposed = 3, "3 kernels proposed, at most 2");
  NOT_WRITTEN(parts.ops[1].proposed[0].forest.depth = 9, "depth 9");
  NOT_WRITTEN(parts.ops[0].hi[3] = NAN, "the domain of a feature");
  NOT_WRITTEN(parts.families[0].key.op = 1000, "layers of op 1000");
  NOT_WRITTEN(toy.fitted.network.scale = NAN, "the network's scale");
  NOT_WRITTEN(toy.fitted.network.per_mb_ms = NAN, "the network's scale");
  NOT_WRITTEN(toy.fitted.network.per_reorder = INFINITY, "the network's scale");
  NOT_WRITTEN(parts.ops[0].act_ns[1] = -1, "an activation's cost");
  NOT_WRITTEN(parts.ops[0].add_ns = NAN, "an activation's cost");
  NOT_WRITTEN(toy.fitted.reference_ms = INFINITY, "reference_ms = 'inf'");
  NOT_WRITTEN(toy.fitted.layer_errors.mape = -1, "layer_mape = -1");
  NOT_WRITTEN(toy.card.title = "two\nlines", "title holds a control character");
  NOT_WRITTEN(toy.card.notes = " blank", "notes has a blank at its end");
  NOT_WRITTEN(toy.card.title = longer, "title = 'xxx");
  NOT_WRITTEN(toy.card.device = "Upper", "device = 'Upper'");
  NOT_WRITTEN(toy.card.device = NULL, "the key 'device' is missing");
  const char *const bad_name[][2] = {{"a b", "1"}}, *const bad_value[][2] = {{"a", "1\r"}};
  NOT_WRITTEN((toy.fitted.environment = bad_name, toy.fitted.n_environment = 1), "no blank");
  NOT_WRITTEN((toy.fitted.environment = bad_value, toy.fitted.n_environment = 1), "control");
  NOT_WRITTEN(toy.fitted.n_families = 10000, "10000 families");
#undef NOT_WRITTEN
}

static void put_path(char *out, size_t size, const char *dir, const char *name) {
  snprintf(out, size, "%s/%s", dir, name);
}

static void a_full_disk_leaves_the_file_as_it_was(void **state) {
  (void)state;
  char dir[] = FOLDER, path[600];
  assert_non_null(mkdtemp(dir));
  put_path(path, sizeof path, dir, "a.sloe");
  fitted_parts parts;
  sloe_fitted_platform toy = fitted_toy(&parts);
  sloe_error err = {0};
  assert_ok(sloe_fitted_write(&toy, path, &err), err);
  struct rlimit was, small;
  getrlimit(RLIMIT_FSIZE, &was);
  small = was;
  small.rlim_cur = 1000;
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  toy.card.title = "another";
  sloe_status status = sloe_fitted_write(&toy, path, &err);
  setrlimit(RLIMIT_FSIZE, &was);
  signal(SIGXFSZ, handler);
  assert_int_equal(status, SLOE_IO);
  assert_true(err.msg[0]);
  sloe_platform *p;
  assert_ok(sloe_platform_open(path, NULL, &p, &err), err);
  assert_string_equal(sloe_platform_card(p)->title, "A toy's CPU, 2 \xc2\xb5W");
  sloe_platform_free(p);
  unlink(path);
  assert_int_equal(rmdir(dir), 0); /* no temporary file was left */
  assert_int_equal(sloe_fitted_write(&toy, SLOE_BINARY_DIR "/no/such/folder.sloe", &err),
                   SLOE_NOTFOUND);
}

static void memory_may_fail_while_writing(void **state) {
  (void)state;
  const char *path = SLOE_BINARY_DIR "/memory.sloe";
  fitted_parts parts;
  sloe_fitted_platform toy = fitted_toy(&parts);
  long live = sloe_alloc_live(), n = 0;
  for (;; n++) {
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    sloe_status status = sloe_fitted_write(&toy, path, &err);
    sloe_alloc_fail_after(-1);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
    assert_true(err.msg[0]);
    assert_int_equal(access(path, F_OK), -1);
  }
  assert_true(n > 5);
  unlink(path);
}

static void memory_may_fail_while_reading(void **state) {
  (void)state;
  sloe_text bytes = fitted_toy_bytes();
  long live = sloe_alloc_live(), n = 0;
  for (;; n++) {
    sloe_platform *p = (void *)&p;
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    sloe_status status = sloe_platform_from_memory(bytes.data, bytes.len, NULL, &p, &err);
    sloe_alloc_fail_after(-1);
    sloe_platform_free(status == SLOE_OK ? p : NULL);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
    assert_null(p);
    assert_true(err.msg[0]);
  }
  assert_true(n > 3);
  sloe_text_fini(&bytes);
}

/* Every key of the card has its row in the manual. */
static void the_manual_names_every_key_of_the_card(void **state) {
  (void)state;
  char *manual;
  size_t len;
  sloe_error err;
  assert_ok(sloe_file_read(SLOE_SOURCE_DIR "/docs/platform-file.md", 1 << 20, &manual, &len, &err),
            err);
  for (size_t i = 0; i < sloe_fitted_card_section.n_keys; i++) {
    char row[64];
    snprintf(row, sizeof row, "`%s`", sloe_fitted_card_section.keys[i].name);
    if (!strstr(manual, row)) fail_msg("docs/platform-file.md lacks %s", row);
  }
  sloe_dealloc(manual);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_checksum_is_xxh64),
      cmocka_unit_test(the_card_comes_back),
      cmocka_unit_test(what_was_measured_and_how_comes_back),
      cmocka_unit_test(families_come_back_in_order),
      cmocka_unit_test(ops_come_back_with_their_forests),
      cmocka_unit_test(an_mlp_comes_back_and_says_the_same),
      cmocka_unit_test(beyond_what_an_mlp_learned_its_ends_are_said),
      cmocka_unit_test(the_same_platform_gives_the_same_bytes),
      cmocka_unit_test(a_platform_may_know_nothing_yet),
      cmocka_unit_test(a_family_is_found_by_its_key),
      cmocka_unit_test(the_nearest_family_is_of_the_same_op_and_grouping),
      cmocka_unit_test(variants_name_the_one_platform_of_the_file),
      cmocka_unit_test(what_a_reader_would_refuse_is_not_written),
      cmocka_unit_test(a_full_disk_leaves_the_file_as_it_was),
      cmocka_unit_test(memory_may_fail_while_writing),
      cmocka_unit_test(memory_may_fail_while_reading),
      cmocka_unit_test(the_manual_names_every_key_of_the_card),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
