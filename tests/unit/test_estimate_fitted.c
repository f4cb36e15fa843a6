/* Estimates on a fitted platform made by hand, whose figures are round. */
#include <math.h>

#include "base/text.h"
#include "estimate/estimate.h"
#include "estimate/fitted_layer.h"
#include "unit/fitted_files.h"

/* ---- the platform ---- */

/* A family of which every layer takes `ms`. */
static sloe_fitted_family constant(int32_t op, int32_t kernel, int32_t stride, double ms) {
  sloe_fitted_family f = {.key = {op, 0, {kernel, kernel}, {stride, stride}}, .points = 10};
  f.stair = (sloe_stair_model){.n_dims = 1, .n_coefs = 1, .lo = {1}, .hi = {1 << 20}, .coef = {ms}};
  return f;
}

/* Convolutions 1x1 take 1 ms, 3x3 9 ms, fc 2 ms, relu 0.5 ms; copies a thousandth of a ms an
   element. The correction of convolutions is e^0.2 above 5 channels, of fc e^0.5. */
typedef struct toy {
  sloe_fitted_family families[8];
  sloe_fitted_op ops[4];
  fitted_parts parts;
  sloe_fitted_platform platform;
} toy;

static sloe_fitted_op op_of(int32_t op, double base) {
  sloe_fitted_op o = {.op = op, .p75 = 1.1, .p97_5 = 1.5, .error_90 = 0.1};
  o.forest = (sloe_forest){.n_features = SLOE_LAYER_FEATURES, .base = base};
  for (int i = 0; i < SLOE_LAYER_FEATURES; i++) o.lo[i] = -1000, o.hi[i] = 1000;
  return o;
}

static void make_toy(toy *t) {
  memset(t, 0, sizeof *t);
  t->platform = fitted_toy(&t->parts);
  t->families[0] = constant(SLOE_SPEC_CONV, 1, 1, 1);
  t->families[1] = constant(SLOE_SPEC_CONV, 3, 1, 9);
  t->families[2] = constant(SLOE_SPEC_FC, 1, 1, 2);
  t->families[3] = constant(SLOE_SPEC_ACTIVATION, 1, 1, 0.5);
  t->families[4] = constant(SLOE_SPEC_COPY, 1, 1, 0);
  t->families[4].stair.shape[0].slope = 1;
  t->families[4].stair.n_coefs = 2;
  t->families[4].stair.coef[1] = 1e-3;
  t->ops[0] = op_of(SLOE_SPEC_CONV, 0.2);
  t->ops[1] = op_of(SLOE_SPEC_FC, 0.5);
  t->ops[2] = op_of(SLOE_SPEC_ACTIVATION, 0);
  t->ops[2].p75 = t->ops[2].p97_5 = 2;
  sloe_fitted *f = &t->platform.fitted;
  f->families = t->families;
  f->n_families = 5;
  f->ops = t->ops;
  f->n_ops = 3;
  f->network = (sloe_fitted_network){.scale = 2, .per_layer_ms = 0.25, .error_90 = log(1.25)};
  t->platform.card.memory_mb = 100;
}

/* Written and read back. */
static sloe_platform *open_toy(const toy *t) {
  sloe_text bytes = fitted_bytes(&t->platform);
  sloe_platform *platform;
  sloe_error err;
  assert_ok(sloe_platform_from_memory(bytes.data, bytes.len, NULL, &platform, &err), err);
  sloe_text_fini(&bytes);
  return platform;
}

/* ---- layers ---- */

static sloe_layer_spec spec_of(const char *text) {
  sloe_layer_spec spec;
  sloe_error err;
  assert_ok(sloe_layer_spec_parse(text, &spec, &err), err);
  return spec;
}

static sloe_fitted_time layer_of(const toy *t, const char *text) {
  const sloe_layer_spec spec = spec_of(text);
  return sloe_fitted_layer(&t->platform.fitted, &spec, NULL);
}

static void assert_near(double value, double wanted) {
  if (!(fabs(value - wanted) <= 1e-6 * fabs(wanted))) fail_msg("%.9g is not %.9g", value, wanted);
}

static void a_measured_family_is_its_staircase_times_its_correction(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  const sloe_fitted_time time = layer_of(&t, "op=conv,c=64,h=56,w=56,kernel=3");
  assert_near(time.ms, 9 * exp(0.2));
  assert_near(time.p75, 1.1);
  assert_near(time.p97_5, 1.5);
  assert_near(time.error_90, 0.1);
  assert_true(time.in_domain);
}

static void a_kernel_that_was_not_measured_is_the_nearest_by_its_taps(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  assert_near(layer_of(&t, "op=conv,c=8,h=56,w=56,kernel=5").ms, 9 * 25. / 9 * exp(0.2));
  assert_near(layer_of(&t, "op=conv,c=8,h=56,w=56,kernel=2x1,pad=0").ms, 1 * 2 * exp(0.2));
  assert_near(layer_of(&t, "op=conv,c=8,h=56,w=56,stride=2").ms, exp(0.2));
  const sloe_layer_spec odd = spec_of("op=conv,c=8,h=56,w=56,kernel=5");
  int exact = 1;
  assert_near(sloe_estimate_staircase(&t.platform.fitted, &odd, &exact), 25);
  assert_false(exact);
}

static void an_op_without_a_family_is_a_copy_of_what_it_moves(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  const sloe_fitted_time time = layer_of(&t, "op=maxpool,c=10,h=20,w=20,kernel=2,stride=2,pad=0");
  assert_near(time.ms, 1e-3 * (10 * 400 + 10 * 100) / 2);
  assert_true(isnan(time.error_90) && !time.in_domain);
}

static void an_op_without_a_correction_is_its_staircase(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  t.platform.fitted.n_ops = 0;
  const sloe_fitted_time time = layer_of(&t, "op=fc,c=64,k=10");
  assert_near(time.ms, 2);
  assert_true(time.p75 == 1 && isnan(time.error_90) && !time.in_domain);
}

/* Where no parts that lie otherwise were measured, a concatenation is like any. */
static void parts_that_lie_otherwise_are_told_where_they_were_measured(void **state) {
  toy t;
  sloe_fitted_family known[2];
  (void)state;
  make_toy(&t);
  sloe_fitted *f = &t.platform.fitted;
  for (int i = 0; i < 2; i++)
    known[i] = (sloe_fitted_family){
        .key = {SLOE_SPEC_CONCAT, i, {1, 1}, {1, 1}},
        .points = 1,
        .stair = {.n_dims = 1, .n_coefs = 1, .lo = {1}, .hi = {100}, .coef = {i ? 5 : 3}}};
  f->families = known;
  f->n_families = 2;
  f->n_ops = 0;
  assert_near(layer_of(&t, "op=concat,c=8,h=4,w=4,parts=2").ms, 3);
  assert_near(layer_of(&t, "op=concat,c=8,h=4,w=4,parts=2,mixed=1").ms, 5);
  f->n_families = 1;
  assert_near(layer_of(&t, "op=concat,c=8,h=4,w=4,parts=2,mixed=1").ms, 3);
}

static void without_copies_nothing_is_known_of_other_ops(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  t.platform.fitted.n_families = 4;
  assert_true(isnan(layer_of(&t, "op=softmax,c=10").ms));
}

/* The forest is asked by features: one tree that tells channels. */
static void the_correction_depends_on_features(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  t.ops[0].forest = t.parts.ops[1].forest; /* 0.1, 0.2 where ln c is above 3 and 5 */
  assert_near(layer_of(&t, "op=conv,c=8,h=56,w=56").ms, exp(-0.05));
  assert_near(layer_of(&t, "op=conv,c=64,h=56,w=56").ms, exp(0.05));
  assert_near(layer_of(&t, "op=conv,c=200,h=56,w=56").ms, exp(0.25));
}

static void a_size_beyond_what_was_measured_is_outside(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  t.ops[0].hi[SLOE_LAYER_FEATURE_log_k] = (float)log(64);
  assert_true(layer_of(&t, "op=conv,c=8,h=5,w=5,k=64").in_domain);
  assert_false(layer_of(&t, "op=conv,c=8,h=5,w=5,k=65").in_domain);
  t.ops[0].lo[SLOE_LAYER_FEATURE_padding] = 0.1f;
  assert_false(layer_of(&t, "op=conv,c=8,h=5,w=5,k=64").in_domain);
}

static void one_layer_by_itself_is_asked_of_the_platform(void **state) {
  toy t;
  sloe_spec_estimate out;
  sloe_error err;
  (void)state;
  make_toy(&t);
  sloe_platform *platform = open_toy(&t);
  const sloe_layer_spec fc = spec_of("op=fc,c=64,k=10");
  assert_ok(sloe_estimate_spec(platform, &fc, &out, &err), err);
  assert_near(out.latency_ms, 2 * exp(0.5));
  assert_true(out.in_domain && out.source == SLOE_SOURCE_FITTED);
  sloe_platform_free(platform);
  t.platform.fitted.n_families = 4;
  platform = open_toy(&t);
  const sloe_layer_spec softmax = spec_of("op=softmax,c=10");
  assert_refused(sloe_estimate_spec(platform, &softmax, &out, &err), SLOE_UNSUPPORTED, err,
                 "no model of softmax layers");
  assert_true(isnan(out.latency_ms) && out.source == SLOE_SOURCE_NONE);
  sloe_platform_free(platform);
}

/* ---- networks ---- */

typedef struct answer {
  sloe_net *net;
  sloe_platform *platform;
  sloe_layers *layers;
  sloe_estimate *estimate;
  const sloe_result *result;
} answer;

static answer ask(const toy *t, const char *net) {
  answer a = {.platform = open_toy(t)};
  sloe_error err;
  assert_ok(sloe_net_open(net, NULL, &a.net, &err), err);
  assert_ok(sloe_layers_new(a.net, sloe_platform_fusion(a.platform), &a.layers, &err), err);
  assert_ok(sloe_estimate_new(a.layers, a.platform, NULL, &a.estimate, &err), err);
  a.result = sloe_estimate_get(a.estimate);
  return a;
}

static void forget(answer *a) {
  sloe_estimate_free(a->estimate);
  sloe_layers_free(a->layers);
  sloe_platform_free(a->platform);
  sloe_net_free(a->net);
}

static int warns(const answer *a, const char *text) {
  for (size_t i = 0; i < a->result->n_warnings; i++)
    if (strstr(a->result->warnings[i], text)) return 1;
  return 0;
}

#define RESNET SLOE_SOURCE_DIR "/data/models/tv_resnet18.onnx"
#define LAYER  "zoo:layer,op=conv,c=64,h=56,w=56,k=32,kernel=3"

static void a_single_layer_has_no_correction_of_networks(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  answer a = ask(&t, LAYER);
  const sloe_figure *latency = &a.result->latency_ms;
  assert_near(latency->value, 9 * exp(0.2));
  assert_near(latency->low, latency->value * exp(-0.1));
  assert_near(latency->high, latency->value * exp(0.1));
  assert_near(a.result->latency_p75_ms, latency->value * 1.1);
  assert_near(a.result->latency_p97_5_ms, latency->value * 1.5);
  assert_true(latency->in_domain && latency->source == SLOE_SOURCE_FITTED);
  assert_int_equal(latency->method, SLOE_METHOD_LAYERS);
  forget(&a);
}

static double sum_of_layers(const answer *a, size_t *launched) {
  double sum = 0, shares = 0;
  *launched = 0;
  for (size_t i = 0; i < a->result->n_layers; i++) {
    const sloe_layer_estimate *layer = &a->result->layers[i];
    sum += layer->latency_ms;
    shares += layer->share;
    *launched += layer->layer->kind != SLOE_LAYER_VIEW;
    if (layer->layer->kind == SLOE_LAYER_VIEW) assert_true(layer->latency_ms == 0);
  }
  assert_near(shares, 1);
  return sum;
}

static void a_network_is_the_corrected_sum_with_the_interval_of_networks(void **state) {
  toy t;
  size_t launched;
  (void)state;
  make_toy(&t);
  answer a = ask(&t, RESNET);
  const sloe_figure *latency = &a.result->latency_ms;
  const double sum = sum_of_layers(&a, &launched);
  assert_true(launched > 20);
  assert_near(a.result->sum_of_layers_ms, sum);
  assert_near(latency->value, 2 * sum + 0.25 * (double)launched);
  assert_near(latency->high, latency->value * 1.25);
  assert_near(latency->low, latency->value / 1.25);
  assert_true(latency->validated_mape == 4.5);
  assert_true(a.result->latency_p75_ms > latency->value &&
              a.result->latency_p97_5_ms > a.result->latency_p75_ms);
  forget(&a);
}

/* Pools and the global pool of ResNet-18 have no family here: they are copies, outside. */
static void what_lies_outside_is_said_with_its_share(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  answer a = ask(&t, RESNET);
  assert_true(warns(&a, "2 layers lie outside what was measured"));
  assert_false(a.result->latency_ms.in_domain); /* 12544 elements of a pool: 0.5 s of copies */
  forget(&a);
  t.families[4].stair.coef[1] = 1e-9;
  a = ask(&t, RESNET);
  assert_true(warns(&a, "2 layers lie outside what was measured: 0.0 %"));
  assert_true(a.result->latency_ms.in_domain);
  forget(&a);
}

static void layers_of_which_nothing_is_known_are_left_out_and_said(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  t.platform.fitted.n_families = 4;
  answer a = ask(&t, RESNET);
  size_t unknown = 0;
  for (size_t i = 0; i < a.result->n_layers; i++)
    if (a.result->layers[i].source == SLOE_SOURCE_NONE) {
      assert_true(isnan(a.result->layers[i].latency_ms) && a.result->layers[i].share == 0);
      unknown++;
    }
  assert_int_equal(unknown, 2);
  assert_true(a.result->latency_ms.value > 0 && !a.result->latency_ms.in_domain);
  assert_true(warns(&a, "2 layers are left out"));
  forget(&a);
  a = ask(&t, "zoo:layer,op=softmax,c=10,n=8");
  assert_true(isnan(a.result->latency_ms.value) && isnan(a.result->sum_of_layers_ms));
  assert_int_equal(a.result->latency_ms.source, SLOE_SOURCE_NONE);
  forget(&a);
}

static void bytes_are_of_the_platforms_precision(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  answer a = ask(&t, LAYER);
  const uint64_t full = a.result->layers[0].bytes;
  forget(&a);
  t.platform.card.precision = t.platform.fusion.precision = SLOE_FP16;
  a = ask(&t, LAYER);
  assert_int_equal(full, (64 * 3136 + 32 * 3136 + 64 * 32 * 9 + 32) * 4);
  assert_int_equal(a.result->layers[0].bytes * 2, full);
  forget(&a);
}

/* ---- power ---- */

static void a_network_draws_the_mean_of_its_layers_over_their_time(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  answer a = ask(&t, LAYER);
  assert_true(isnan(a.result->power_w.value) && isnan(a.result->energy_mj.value));
  const double tera = 1e9 * a.result->layers[0].latency_ms; /* 10^12 a second, in that time */
  const double r = (double)a.result->layers[0].layer->macs / tera,
               b = (double)a.result->layers[0].bytes / tera;
  forget(&a);
  t.platform.fitted.power = (sloe_fitted_power){{100, 25, 60, 20, 120}, log(1.5)};
  t.platform.fitted.power_errors.mape = 7;
  a = ask(&t, LAYER);
  const sloe_figure w = a.result->power_w;
  assert_near(w.value, 100 + 25 * r + 60 * b + 20 * sqrt(r) + 120 * sqrt(b));
  assert_near(w.high, 1.5 * w.value);
  assert_near(w.low, w.value / 1.5);
  assert_int_equal(w.source, SLOE_SOURCE_FITTED);
  assert_true(w.validated_mape == 7);
  assert_near(a.result->energy_mj.value, w.value * a.result->latency_ms.value);
  forget(&a);
  t.platform.fitted.power = (sloe_fitted_power){{100, 0, 0, 0, 0}, 0.1};
  a = ask(&t, RESNET);
  assert_near(a.result->power_w.value, 100);
  forget(&a);
}

/* ---- memory ---- */

static void memory_is_scaled_from_weights_and_activations(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  answer a = ask(&t, RESNET);
  assert_true(isnan(a.result->memory_mb.value) && a.result->fits == -1);
  assert_string_equal(a.result->memory_kind, "");
  forget(&a);
  t.platform.fitted.network.memory_scale = 1;
  t.platform.fitted.network.memory_error_90 = log(2);
  a = ask(&t, RESNET);
  const sloe_figure memory = a.result->memory_mb;
  assert_true(memory.value > 46.7 && memory.value < 60); /* 11.69 M weights, live activations */
  assert_near(memory.high, 2 * memory.value);
  assert_near(memory.low, memory.value / 2);
  assert_string_equal(a.result->memory_kind, "process");
  assert_int_equal(a.result->fits, 1);
  forget(&a);
  t.platform.fitted.memory_buffers = 1; /* the input, 64 x 112 x 112, two of 64 x 56 x 56,
                                           three of 512 x 7 x 7, which are too small for those */
  a = ask(&t, RESNET);
  const double buffers = 4e-6 * (3 * 224 * 224 + 64 * (112 * 112 + 2 * 56 * 56) + 3 * 512 * 49);
  if (fabs(a.result->memory_mb.value - 46.739 - buffers) > 0.01)
    fail_msg("%g", a.result->memory_mb.value);
  forget(&a);
  t.platform.fitted.memory_buffers = 0;
  t.platform.fitted.network.memory_offset_mb = 90;
  a = ask(&t, RESNET);
  assert_near(a.result->memory_mb.value, memory.value + 90);
  assert_int_equal(a.result->fits, 0);
  forget(&a);
  t.platform.card.memory_mb = NAN;
  a = ask(&t, RESNET);
  assert_int_equal(a.result->fits, -1);
  forget(&a);
}

/* Layers of 3, 2 and 1 MB with chances. */
static void a_network_needs_the_median_of_the_largest_workspace(void **state) {
  static const struct {
    double chance[3], mb;
  } rows[] = {
      {{0, 0, 0}, 0},   {{1, 1, 1}, 3},       {{0, 1, 1}, 2},
      {{0.5, 1, 0}, 3}, {{0.4, 1, 0}, 2},     {{0.4, 0.1, 0}, 0},
      {{0, 0, 0.7}, 1}, {{0.2, 0.2, 0.2}, 0}, {{0.25, 0.25, 0.25}, 1}, /* 0.75^3 < 0.5 < 0.8^3 */
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_workspace w[3];
    for (int k = 0; k < 3; k++) w[(k + 1) % 3] = (sloe_workspace){3 - k, rows[i].chance[k], 0};
    const sloe_workspace *most = sloe_estimate_workspace(w, 3);
    if ((most ? most->mb : 0) != rows[i].mb) fail_msg("row %zu: %g", i, most ? most->mb : 0);
  }
  sloe_workspace same[] = {{5, 0.4, 0}, {5, 0.4, 1}, {5, 0.4, 2}}; /* one kernel: once */
  assert_null(sloe_estimate_workspace(same, 3));
  assert_null(sloe_estimate_workspace(NULL, 0));
}

/* A 3x3 on 14 x 14: transforms of 16 x 16, half of them 16 x 9. */
static void what_transforms_need_is_in_memory_and_power(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  t.platform.fitted.network.memory_scale = 1;
  t.platform.fitted.memory_buffers = 1;
  t.platform.fitted.power = (sloe_fitted_power){{1, 0, 1, 0, 0}, 0.1};
  t.ops[0].transformed.forest = (sloe_forest){.n_features = 1, .depth = 1, .n_trees = 0, .base = 1};
  answer a = ask(&t, "zoo:layer,op=conv,c=64,h=14,w=14,kernel=3");
  const double without = a.result->memory_mb.value,
               bytes = (a.result->power_w.value - 1) * 1e9 * a.result->latency_ms.value;
  forget(&a);
  t.ops[0].transform_bytes = 16;
  a = ask(&t, "zoo:layer,op=conv,c=64,h=14,w=14,kernel=3");
  const double mb = 16e-6 * 16 * 9 * (64 + 64 + 64 * 64);
  assert_near(a.result->memory_mb.value, without + mb);
  assert_true(warns(&a, "memory: about 9.7 MB are workspace of"));
  assert_near((a.result->power_w.value - 1) * 1e9 * a.result->latency_ms.value, bytes + 1e6 * mb);
  forget(&a);
  t.platform.fitted.power = (sloe_fitted_power){{1, 1, 0, 0, 0}, 0.1};
  a = ask(&t, "zoo:layer,op=conv,c=64,h=14,w=14,kernel=3");
  assert_near((a.result->power_w.value - 1) * 1e9 * a.result->latency_ms.value,
              4. * 16 * 9 * 64 * 64);
  forget(&a);
}

/* A correction of convolutions that is e^1 more where the network's weights are more than e^`ln`.
 */
enum { ROWS = SLOE_FOREST_LANES + SLOE_LAYER_FEATURES };
typedef struct weighing {
  float threshold[SLOE_FOREST_LANES], leaf[SLOE_FOREST_BLOCK * 2];
  uint8_t row[ROWS][SLOE_FOREST_BLOCK];
} weighing;

static void weigh(toy *t, weighing *w, float ln) {
  const uint32_t f = SLOE_LAYER_FEATURE_log_network;
  *w = (weighing){.threshold = {ln, INFINITY, INFINITY, INFINITY}, .leaf = {0, 1}};
  for (uint32_t r = 1; r <= SLOE_FOREST_LANES; r++) w->row[f + r][0] = 1;
  sloe_forest *forest = &t->ops[0].forest;
  *forest = (sloe_forest){.n_features = SLOE_LAYER_FEATURES,
                          .n_trees = 1,
                          .depth = 1,
                          .threshold = w->threshold,
                          .row = w->row[0],
                          .leaf = w->leaf};
  for (uint32_t i = f + 1; i <= SLOE_LAYER_FEATURES; i++) forest->first[i] = SLOE_FOREST_LANES;
}

/* ResNet-18 has 11.7 million weights, e^16.3; the transforms of its 3x3 on 56 x 56 need as many
   MB as the factor says, and 14 million numbers more are e^17. */
static void scratch_drives_weights_out_of_the_cache(void **state) {
  toy t;
  weighing w;
  (void)state;
  make_toy(&t);
  weigh(&t, &w, 17);
  answer a = ask(&t, RESNET);
  const double warm = a.result->sum_of_layers_ms;
  forget(&a);
  t.ops[0].transformed.forest = (sloe_forest){.n_features = 1, .depth = 1, .n_trees = 0, .base = 1};
  t.ops[0].transform_bytes = 16;
  a = ask(&t, RESNET);
  assert_true(a.result->sum_of_layers_ms > 1.4 * warm); /* what is no convolution stays */
  forget(&a);
  t.ops[0].transform_bytes = 0.016;
  a = ask(&t, RESNET);
  assert_near(a.result->sum_of_layers_ms, warm);
  forget(&a);
}

/* ---- failing ---- */

static void every_allocation_of_an_estimate_may_fail(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  answer a = ask(&t, RESNET);
  const long live = sloe_alloc_live();
  for (long n = 0;; n++) {
    sloe_estimate *e;
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    const sloe_status status = sloe_estimate_new(a.layers, a.platform, NULL, &e, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_OK) {
      sloe_estimate_free(e);
      assert_true(n > 0);
      break;
    }
    assert_int_equal(status, SLOE_NOMEM);
    assert_null(e);
    assert_true(*err.msg);
    assert_int_equal(sloe_alloc_live(), live);
  }
  forget(&a);
}

static void asking_for_the_whole_network_is_refused(void **state) {
  const sloe_estimate_options options = {.method = SLOE_METHOD_NETWORK};
  toy t;
  sloe_estimate *e;
  sloe_error err;
  (void)state;
  make_toy(&t);
  answer a = ask(&t, LAYER);
  assert_refused(sloe_estimate_new(a.layers, a.platform, &options, &e, &err), SLOE_UNSUPPORTED, err,
                 "no model of whole networks");
  assert_null(e);
  forget(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_measured_family_is_its_staircase_times_its_correction),
      cmocka_unit_test(a_kernel_that_was_not_measured_is_the_nearest_by_its_taps),
      cmocka_unit_test(an_op_without_a_family_is_a_copy_of_what_it_moves),
      cmocka_unit_test(an_op_without_a_correction_is_its_staircase),
      cmocka_unit_test(parts_that_lie_otherwise_are_told_where_they_were_measured),
      cmocka_unit_test(without_copies_nothing_is_known_of_other_ops),
      cmocka_unit_test(the_correction_depends_on_features),
      cmocka_unit_test(a_size_beyond_what_was_measured_is_outside),
      cmocka_unit_test(one_layer_by_itself_is_asked_of_the_platform),
      cmocka_unit_test(a_single_layer_has_no_correction_of_networks),
      cmocka_unit_test(a_network_is_the_corrected_sum_with_the_interval_of_networks),
      cmocka_unit_test(what_lies_outside_is_said_with_its_share),
      cmocka_unit_test(layers_of_which_nothing_is_known_are_left_out_and_said),
      cmocka_unit_test(bytes_are_of_the_platforms_precision),
      cmocka_unit_test(a_network_draws_the_mean_of_its_layers_over_their_time),
      cmocka_unit_test(memory_is_scaled_from_weights_and_activations),
      cmocka_unit_test(a_network_needs_the_median_of_the_largest_workspace),
      cmocka_unit_test(what_transforms_need_is_in_memory_and_power),
      cmocka_unit_test(scratch_drives_weights_out_of_the_cache),
      cmocka_unit_test(every_allocation_of_an_estimate_may_fail),
      cmocka_unit_test(asking_for_the_whole_network_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
