/* Pruning targets on planted staircases: treads are found, and what follows through the network is
 * what a network built with fewer filters costs. */
#include <math.h>

#include "explore/channels.h"
#include "explore/explore.h"
#include "unit/build.h"

#define MODELS SLOE_SOURCE_DIR "/data/models/"

static double steps_of(int64_t x, int64_t width) {
  return (double)((x + width - 1) / width);
}

/* Convolutions: steps of 8 nested in steps of 32 over filters, of 8 over input channels; the rest
   by what it writes. `*context`: how often it was asked. */
static sloe_status planted(void *context, const sloe_layer_spec *s, sloe_spec_estimate *out,
                           sloe_error *err) {
  (void)err;
  ++*(size_t *)context;
  *out = (sloe_spec_estimate){.in_domain = s->k <= 1000, .source = SLOE_SOURCE_FITTED};
  const double pixels = (double)(s->n * s->out[0] * s->out[1]);
  if (s->op == SLOE_SPEC_CONV || s->op == SLOE_SPEC_FC || s->op == SLOE_SPEC_DECONV)
    out->latency_ms = pixels * 1e-4 * (steps_of(s->k, 8) + 2 * steps_of(s->k, 32)) *
                      steps_of(s->c, 8) / (double)s->groups;
  else
    out->latency_ms = (double)sloe_layer_spec_out_elements(s) * 1e-7;
  return SLOE_OK;
}

/* What a network costs: the sum over its layers. */
static double cost_of(const sloe_layers *layers) {
  double sum = 0;
  size_t asked = 0;
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    sloe_layer_spec spec;
    sloe_spec_estimate answer;
    int known;
    sloe_layer_spec_of(layers, i, &spec, &known);
    if (known && planted(&asked, &spec, &answer, NULL) == SLOE_OK) sum += answer.latency_ms;
  }
  return sum;
}

typedef struct question {
  sloe_net *net;
  sloe_layers *layers;
  sloe_prune *prune;
  const sloe_prune_result *result;
  size_t asked;
} question;

static void ask(question *q, sloe_net *net, const sloe_prune_options *options) {
  sloe_error err;
  *q = (question){.net = net};
  const sloe_prune_cost cost = {planted, &q->asked};
  assert_ok(sloe_layers_new(net, NULL, &q->layers, &err), err);
  assert_ok(sloe_prune_by(q->layers, cost_of(q->layers), &cost, options, &q->prune, &err), err);
  q->result = sloe_prune_get(q->prune);
}

static void forget(question *q) {
  sloe_prune_free(q->prune);
  sloe_layers_free(q->layers);
  sloe_net_free(q->net);
}

static double cost_of_net(sloe_net *net) {
  sloe_layers *layers;
  sloe_error err;
  assert_ok(sloe_layers_new(net, NULL, &layers, &err), err);
  const double cost = cost_of(layers);
  sloe_layers_free(layers);
  sloe_net_free(net);
  return cost;
}

static void assert_near(double got, double want) {
  if (!(fabs(got - want) <= 1e-9 * fabs(want) + 1e-12)) fail_msg("%.17g is not %.17g", got, want);
}

/* ---- small nets ---- */

/* What attributes point to must live as long as the net. */
static sloe_attr ints(sloe_net *net, const char *key, int64_t a, int64_t b, int64_t c, int64_t d) {
  int64_t *values = SLOE_ARENA_NEW(&net->arena, int64_t, 4);
  assert_non_null(values);
  values[0] = a, values[1] = b, values[2] = c, values[3] = d;
  return (sloe_attr){.name = key, .type = SLOE_ATTR_INTS, .n = c < 0 ? 2 : 4, .ints = values};
}

static sloe_tid conv(sloe_net *net, const char *name, sloe_tid x, int64_t c, int64_t k,
                     int64_t kernel, int64_t groups) {
  char weight[80];
  snprintf(weight, sizeof weight, "%s_w", name);
  const int64_t pad = kernel / 2;
  const sloe_attr attrs[] = {ATTR_INT("group", groups), ints(net, "pads", pad, pad, pad, pad)};
  sloe_tid w = build_weight(net, weight, DIMS(k, c / groups, kernel, kernel));
  return build_node(net, "Conv", name, IN(x, w), attrs, 2);
}

static sloe_net *finish(sloe_net *net, sloe_tid y) {
  sloe_error err;
  build_output(net, y);
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  return net;
}

static sloe_net *chain(int64_t a, int64_t b) {
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 3, 16, 16));
  x = conv(net, "a", x, 3, a, 3, 1);
  x = build_node(net, "Relu", "r", IN(x), NO_ATTRS);
  x = conv(net, "b", x, a, b, 3, 1);
  return finish(net, x);
}

/* stem and the end of the branch are added, twice; then pooled, flattened, classified. */
static sloe_net *residual(int64_t stem, int64_t mid, int64_t mid2) {
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 3, 16, 16));
  sloe_tid s = conv(net, "stem", x, 3, stem, 3, 1);
  x = conv(net, "a", s, stem, mid, 1, 1);
  x = conv(net, "b", x, mid, stem, 3, 1);
  s = build_node(net, "Add", "add1", IN(x, s), NO_ATTRS);
  x = conv(net, "c", s, stem, mid2, 1, 1);
  x = conv(net, "d", x, mid2, stem, 3, 1);
  s = build_node(net, "Add", "add2", IN(s, x), NO_ATTRS);
  const sloe_attr window[] = {ints(net, "kernel_shape", 4, 4, -1, -1),
                              ints(net, "strides", 4, 4, -1, -1)};
  x = build_node(net, "MaxPool", "pool", IN(s), window, 2);
  x = build_node(net, "Flatten", "flat", IN(x), NO_ATTRS);
  sloe_tid w = build_weight(net, "fc_w", DIMS(stem * 16, 10));
  x = build_node(net, "MatMul", "fc", IN(x, w), NO_ATTRS);
  return finish(net, x);
}

/* conv, depthwise, conv; beside it another; put together for a last one. */
static sloe_net *branches(int64_t a, int64_t b, int64_t c) {
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 3, 16, 16));
  sloe_tid y = conv(net, "a", x, 3, a, 1, 1);
  y = conv(net, "dw", y, a, a, 3, a);
  y = conv(net, "b", y, a, b, 1, 1);
  sloe_tid z = conv(net, "c", x, 3, c, 3, 1);
  const sloe_attr axis = ATTR_INT("axis", 1);
  y = build_node(net, "Concat", "cat", IN(y, z), &axis, 1);
  y = build_node(net, "GlobalAveragePool", "gap", IN(y), NO_ATTRS);
  return finish(net, conv(net, "last", y, b + c, 10, 1, 1));
}

static const sloe_prune_layer *layer_named(const question *q, const char *name) {
  for (size_t i = 0; i < q->result->n_layers; i++)
    if (!strcmp(q->result->layers[i].layer->ops[0], name)) return &q->result->layers[i];
  fail_msg("no layer '%s'", name);
  return NULL;
}

/* ---- treads ---- */

static const struct {
  int64_t filters, lo, hi, target;
} TREADS[] = {
    {60, 57, 64, 56}, {64, 57, 64, 56}, {57, 57, 64, 56}, {33, 33, 40, 32},
    {8, 1, 8, 8},     {1, 1, 2, 1},     {65, 65, 72, 64}, {9, 9, 16, 8},
};

static void treads_of_planted_stairs_are_found(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof TREADS / sizeof *TREADS; i++) {
    question q;
    ask(&q, chain(TREADS[i].filters, 16), NULL);
    assert_int_equal(q.result->n_layers, 2);
    const sloe_prune_layer *a = &q.result->layers[0];
    assert_int_equal(a->filters, TREADS[i].filters);
    assert_int_equal(a->tread_lo, TREADS[i].lo);
    assert_int_equal(a->tread_hi, TREADS[i].hi);
    assert_int_equal(a->target, TREADS[i].target);
    assert_near(a->saved_ms, a->latency_ms - a->target_ms);
    assert_near(a->saved_share, a->saved_ms / q.result->latency_ms);
    assert_int_equal(a->in_domain, 1);
    forget(&q);
  }
}

static void slack_joins_treads(void **state) {
  (void)state;
  question q;
  const sloe_prune_options options = {.slack = 0.1};
  ask(&q, chain(60, 16), &options); /* one step of 8 is less than 10 %, two are more */
  assert_int_equal(q.result->layers[0].tread_lo, 49);
  assert_int_equal(q.result->layers[0].target, 48);
  forget(&q);
}

/* Where a step of 8 filters is less than 3 % and more than 1. */
static void three_per_cent_are_one_tread_where_nothing_is_said(void **state) {
  (void)state;
  const sloe_prune_options none = {0}, three = {.slack = 0.03}, one = {.slack = 0.01};
  question q, same, other;
  ask(&q, chain(440, 16), &none);
  ask(&same, chain(440, 16), &three);
  ask(&other, chain(440, 16), &one);
  assert_int_equal(q.result->layers[0].target, same.result->layers[0].target);
  assert_int_equal(q.result->layers[0].tread_lo, same.result->layers[0].tread_lo);
  assert_true(q.result->layers[0].target < other.result->layers[0].target);
  forget(&q);
  forget(&same);
  forget(&other);
}

static void a_slack_of_all_or_nothing_is_refused(void **state) {
  (void)state;
  static const double slacks[] = {-0.1, 1, NAN};
  size_t asked = 0;
  const sloe_prune_cost cost = {planted, &asked};
  sloe_net *net = chain(8, 8);
  sloe_layers *layers;
  sloe_error err;
  assert_ok(sloe_layers_new(net, NULL, &layers, &err), err);
  for (size_t i = 0; i < 3; i++) {
    const sloe_prune_options options = {.slack = slacks[i]};
    sloe_prune *p = (void *)&p;
    assert_refused(sloe_prune_by(layers, 1, &cost, &options, &p, &err), SLOE_USAGE, err, "slack");
    assert_null(p);
  }
  sloe_layers_free(layers);
  sloe_net_free(net);
}

/* ---- what follows ---- */

static void what_reads_a_layer_is_narrowed_with_it(void **state) {
  (void)state;
  question q;
  ask(&q, chain(60, 16), NULL);
  const sloe_prune_layer *a = layer_named(&q, "a"), *b = layer_named(&q, "b");
  assert_near(a->network_saved_ms, q.result->latency_ms - cost_of_net(chain(56, 16)));
  assert_true(a->network_saved_ms > a->saved_ms);
  assert_int_equal(b->target, 8); /* but it makes the network's output */
  assert_near(b->network_saved_ms, b->saved_ms);
  forget(&q);
}

static void layers_that_are_added_go_together(void **state) {
  (void)state;
  question q;
  ask(&q, residual(64, 24, 33), NULL);
  assert_int_equal(q.result->n_layers, 6);
  const double thin = q.result->latency_ms - cost_of_net(residual(56, 24, 33));
  assert_near(layer_named(&q, "stem")->network_saved_ms, thin);
  assert_near(layer_named(&q, "b")->network_saved_ms, thin);
  assert_near(layer_named(&q, "d")->network_saved_ms, thin);
  assert_near(layer_named(&q, "c")->network_saved_ms,
              q.result->latency_ms - cost_of_net(residual(64, 24, 32)));
  forget(&q);
}

static void depthwise_layers_and_concats_follow(void **state) {
  (void)state;
  question q;
  ask(&q, branches(48, 20, 36), NULL);
  assert_int_equal(q.result->n_layers, 4); /* the depthwise one has no filters of its own */
  assert_near(layer_named(&q, "a")->network_saved_ms,
              q.result->latency_ms - cost_of_net(branches(40, 20, 36)));
  assert_near(layer_named(&q, "b")->network_saved_ms,
              q.result->latency_ms - cost_of_net(branches(48, 16, 36)));
  assert_near(layer_named(&q, "c")->network_saved_ms,
              q.result->latency_ms - cost_of_net(branches(48, 20, 32)));
  forget(&q);
}

static void grouped_convolutions_keep_multiples_of_their_groups(void **state) {
  (void)state;
  question q;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 3, 16, 16));
  x = conv(net, "a", x, 3, 60, 1, 1);
  x = conv(net, "b", x, 60, 90, 3, 30);
  x = conv(net, "c", x, 90, 16, 1, 1);
  ask(&q, finish(net, x), NULL);
  assert_int_equal(layer_named(&q, "a")->target, 30);
  assert_int_equal(layer_named(&q, "b")->target, 60);
  for (size_t i = 0; i < q.result->n_steps; i++)
    assert_int_equal(q.result->steps[i].filters % 30, 0);
  assert_int_equal(q.result->n_steps, 3); /* a to 30, b to 60 and 30 */
  forget(&q);
}

static void channels_that_cannot_be_followed_stay(void **state) {
  (void)state;
  question q;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 3, 16, 16));
  x = conv(net, "a", x, 3, 60, 1, 1);
  const sloe_attr perm = ints(net, "perm", 0, 2, 1, 3);
  x = build_node(net, "Transpose", "t", IN(x), &perm, 1);
  x = conv(net, "b", x, 16, 16, 1, 1);
  ask(&q, finish(net, x), NULL);
  assert_int_equal(layer_named(&q, "a")->target, 56);
  assert_near(layer_named(&q, "a")->network_saved_ms, layer_named(&q, "a")->saved_ms);
  assert_int_equal(q.result->n_steps, 0);
  forget(&q);
}

static void what_is_added_to_the_input_stays_as_wide(void **state) {
  (void)state;
  question q;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 20, 16, 16));
  sloe_tid y = conv(net, "a", x, 20, 20, 1, 1);
  y = build_node(net, "Add", "add", IN(x, y), NO_ATTRS);
  ask(&q, finish(net, conv(net, "b", y, 20, 16, 1, 1)), NULL);
  assert_int_equal(layer_named(&q, "a")->target, 16);
  assert_int_equal(q.result->n_steps, 0);
  forget(&q);
}

/* ---- steps ---- */

static int64_t filters_after(const question *q, const char *name, const char *tied) {
  int64_t filters = layer_named(q, name)->filters;
  for (size_t i = 0; i < q->result->n_steps; i++) {
    const char *is = q->result->layers[q->result->steps[i].layer].layer->ops[0];
    if (!strcmp(is, name) || strstr(tied, is)) filters = q->result->steps[i].filters;
  }
  return filters;
}

static void steps_end_where_a_network_so_built_would_be(void **state) {
  (void)state;
  for (size_t n = 1; n <= 12; n++) {
    question q;
    const sloe_prune_options options = {.max_steps = n};
    ask(&q, residual(64, 24, 33), &options);
    assert_int_equal(q.result->n_steps, n);
    const sloe_prune_step *last = &q.result->steps[n - 1];
    sloe_net *net = residual(filters_after(&q, "stem", "b d"), filters_after(&q, "a", "-"),
                             filters_after(&q, "c", "-"));
    assert_true(sloe_net_get_info(net)->params < sloe_net_get_info(q.net)->params);
    assert_near(last->latency_ms, cost_of_net(net));
    forget(&q);
  }
}

static void the_best_milliseconds_per_filter_go_first(void **state) {
  (void)state;
  question q;
  ask(&q, chain(33, 16), NULL);
  assert_int_equal(q.result->n_steps, 4); /* to 32, 24, 16, 8; then nothing is lower */
  assert_int_equal(q.result->steps[0].filters, 32);
  assert_int_equal(q.result->steps[3].filters, 8);
  forget(&q);
  ask(&q, branches(48, 33, 40), NULL);
  double before = q.result->latency_ms, params = INFINITY;
  for (size_t i = 0; i < q.result->n_steps; i++) {
    const sloe_prune_step *s = &q.result->steps[i];
    assert_true(s->latency_ms < before && s->params < params);
    before = s->latency_ms;
    params = s->params;
  }
  /* one filter less leaves a step of 8 and one of 32 */
  assert_string_equal(q.result->layers[q.result->steps[0].layer].layer->ops[0], "b");
  forget(&q);
}

static void real_networks_are_pruned(void **state) {
  (void)state;
  static const char *const names[] = {"tv_resnet18", "tv_mobilenet_v2", "tv_squeezenet1_1"};
  static const size_t layers[] = {21, 36, 26}; /* without depthwise ones */
  for (size_t i = 0; i < 3; i++) {
    char path[1024];
    sloe_net *net;
    sloe_error err;
    question q;
    snprintf(path, sizeof path, MODELS "%s.onnx", names[i]);
    assert_ok(sloe_net_open(path, NULL, &net, &err), err);
    ask(&q, net, NULL);
    assert_int_equal(q.result->n_layers, layers[i]);
    assert_int_equal(q.result->n_steps, 32);
    size_t narrower = 0;
    for (size_t k = 0; k < layers[i]; k++)
      narrower += q.result->layers[k].network_saved_ms > q.result->layers[k].saved_ms;
    assert_int_equal(narrower, layers[i] - 1); /* all but those of the 1000 classes */
    forget(&q);
  }
}

/* ---- refusals ---- */

static sloe_status refusing(void *context, const sloe_layer_spec *spec, sloe_spec_estimate *out,
                            sloe_error *err) {
  (void)out;
  const sloe_status status = *(sloe_status *)context;
  if (spec->op == SLOE_SPEC_CONV) return sloe_fail(err, status, "no treads here");
  return SLOE_OK;
}

/* TensorRT runs convolutions of one input and geometry as one. */
static void siblings_that_run_as_one_are_narrowed_each(void **state) {
  static const sloe_fusion trt = {SLOE_RUNTIME_TENSORRT, 802, SLOE_FP16, 87};
  sloe_net *net = build_net();
  sloe_layers *layers;
  sloe_arena arena;
  sloe_channels c;
  sloe_error err;
  size_t merged = 0;
  (void)state;
  const sloe_tid x = build_input(net, "x", DIMS(1, 8, 16, 16));
  build_output(net, conv(net, "b", conv(net, "a", x, 8, 16, 1, 1), 16, 4, 3, 1));
  finish(net, conv(net, "s", x, 8, 24, 1, 1));
  assert_ok(sloe_layers_new(net, &trt, &layers, &err), err);
  assert_int_equal(sloe_layers_count(layers), 2);
  sloe_arena_init(&arena, (size_t)1 << 20);
  assert_ok(sloe_channels_follow(layers, &arena, &c, &err), err);
  while (c.layers[merged].spec.k == 4) merged++;
  assert_int_equal(sloe_channels_spec(&c, merged).k, 40);
  assert_int_equal(c.layers[merged].filters, -1);
  const int32_t of_a = sloe_channels_root(&c, c.layers[!merged].in.at[0].var);
  c.vars[of_a].size = 10;
  assert_int_equal(sloe_channels_spec(&c, merged).k, 34);
  assert_int_equal(sloe_channels_spec(&c, !merged).c, 10);
  sloe_arena_fini(&arena);
  sloe_layers_free(layers);
  sloe_net_free(net);
}

static void the_reason_of_a_platform_without_treads_comes_through(void **state) {
  (void)state;
  static const sloe_status statuses[] = {SLOE_UNSUPPORTED, SLOE_NOMEM, SLOE_INTERNAL};
  sloe_net *net = chain(8, 8);
  sloe_layers *layers;
  sloe_error err;
  assert_ok(sloe_layers_new(net, NULL, &layers, &err), err);
  for (size_t i = 0; i < 3; i++) {
    sloe_status status = statuses[i];
    const sloe_prune_cost cost = {refusing, &status};
    sloe_prune *p = (void *)&p;
    assert_refused(sloe_prune_by(layers, 1, &cost, NULL, &p, &err), status, err, "no treads here");
    assert_null(p);
  }
  sloe_layers_free(layers);
  sloe_net_free(net);
}

static void a_data_sheet_has_no_treads(void **state) {
  (void)state;
  sloe_net *net = chain(8, 8);
  sloe_platform *platform;
  sloe_layers *layers;
  sloe_estimate *estimate;
  sloe_prune *p = (void *)&p;
  sloe_error err;
  assert_ok(
      sloe_platform_open(SLOE_SOURCE_DIR "/data/platforms/jetson-orin-nano-8gb-datasheet.sloe",
                         NULL, &platform, &err),
      err);
  assert_ok(sloe_layers_new(net, sloe_platform_fusion(platform), &layers, &err), err);
  assert_ok(sloe_estimate_new(layers, platform, NULL, &estimate, &err), err);
  assert_refused(sloe_prune_new(estimate, NULL, &p, &err), SLOE_UNSUPPORTED, err, "has no treads");
  assert_null(p);
  sloe_estimate_free(estimate);
  sloe_layers_free(layers);
  sloe_platform_free(platform);
  sloe_net_free(net);
}

static void a_network_without_filters_has_no_targets(void **state) {
  (void)state;
  question q;
  sloe_net *net = build_net();
  sloe_tid x = build_input(net, "x", DIMS(1, 3, 16, 16));
  ask(&q, finish(net, build_node(net, "Relu", "r", IN(x), NO_ATTRS)), NULL);
  assert_int_equal(q.result->n_layers, 0);
  assert_int_equal(q.result->n_steps, 0);
  forget(&q);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  size_t asked = 0;
  const sloe_prune_cost cost = {planted, &asked};
  sloe_net *net = branches(48, 20, 36);
  sloe_layers *layers;
  sloe_error err;
  assert_ok(sloe_layers_new(net, NULL, &layers, &err), err);
  const long live = sloe_alloc_live();
  sloe_status status = SLOE_NOMEM;
  for (long n = 0; status != SLOE_OK; n++) {
    sloe_prune *p = (void *)&p;
    memset(&err, 0, sizeof err);
    sloe_alloc_fail_after(n);
    status = sloe_prune_by(layers, 1, &cost, NULL, &p, &err);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) {
      assert_int_equal(status, SLOE_NOMEM);
      assert_null(p);
      assert_true(*err.msg);
    }
    sloe_prune_free(p);
    assert_int_equal(sloe_alloc_live(), live);
  }
  sloe_layers_free(layers);
  sloe_net_free(net);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(treads_of_planted_stairs_are_found),
      cmocka_unit_test(slack_joins_treads),
      cmocka_unit_test(three_per_cent_are_one_tread_where_nothing_is_said),
      cmocka_unit_test(a_slack_of_all_or_nothing_is_refused),
      cmocka_unit_test(what_reads_a_layer_is_narrowed_with_it),
      cmocka_unit_test(layers_that_are_added_go_together),
      cmocka_unit_test(depthwise_layers_and_concats_follow),
      cmocka_unit_test(grouped_convolutions_keep_multiples_of_their_groups),
      cmocka_unit_test(channels_that_cannot_be_followed_stay),
      cmocka_unit_test(what_is_added_to_the_input_stays_as_wide),
      cmocka_unit_test(steps_end_where_a_network_so_built_would_be),
      cmocka_unit_test(the_best_milliseconds_per_filter_go_first),
      cmocka_unit_test(real_networks_are_pruned),
      cmocka_unit_test(siblings_that_run_as_one_are_narrowed_each),
      cmocka_unit_test(the_reason_of_a_platform_without_treads_comes_through),
      cmocka_unit_test(a_data_sheet_has_no_treads),
      cmocka_unit_test(a_network_without_filters_has_no_targets),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
