/* Models of whole networks in a platform file, and what an estimate makes of them. */
#include <math.h>

#include "estimate/estimate.h"
#include "unit/fitted_files.h"

#define assert_near(a, b, within) assert_true(fabs((a) - (b)) <= (within))

/* ms = 3 + params / 1e6; power 5 W whatever the network is. Learned from networks of 1 to 100
   million parameters and images of 32 to 512. */
typedef struct toy {
  fitted_parts parts;
  sloe_network_model models[3];
  sloe_networks networks;
  sloe_fitted_platform platform;
} toy;

static const char *const FEATURE[] = {"input_height", "params"};
static const double LO[] = {3.4, 13.8}, HI[] = {6.3, 18.5}, CENTRE[] = {5, 16};
static const double WHITEN[] = {1, 0, 0, 1}, Z_LO[] = {-4, -4}, Z_HI[] = {4, 4};
static const uint32_t INPUT[] = {1};

static sloe_network_model model_of(sloe_networks_metric metric, const char *regressor,
                                   double constant, double slope, double mape) {
  const sloe_network_errors errors = {100, mape, 0.5, 6, 20, 0.9, log(1.25)},
                            kinds = {100, 3 * mape, 1, 20, 60, 0.8, log(2)};
  sloe_network_model m = {.metric = metric,
                          .regressor = regressor,
                          .input = INPUT,
                          .folds = errors,
                          .kinds = kinds,
                          .constant_mape = 50,
                          .train_s = 1,
                          .tune_s = NAN};
  sloe_error err;
  assert_ok(sloe_learned_init(&m.body, 1, &err), err);
  m.body.kind = SLOE_LEARNED_POLY;
  m.body.poly = (sloe_learned_poly){.degree = 1, .n_coefs = 1, .constant = constant};
  m.body.poly.coef = SLOE_ARENA_NEW(&m.body.arena, double, 1);
  m.body.poly.coef[0] = slope;
  return m;
}

static void make_toy(toy *t) {
  t->platform = fitted_toy(&t->parts);
  t->models[0] = model_of(SLOE_NETWORKS_LATENCY, "poly", 3, 1e-6, 4);
  t->models[1] = model_of(SLOE_NETWORKS_LATENCY, "xgb", 7, 0, 5);
  t->models[2] = model_of(SLOE_NETWORKS_POWER, "rf", 5, 0, 2);
  t->models[0].chosen = t->models[2].chosen = 1;
  t->networks = (sloe_networks){.feature = FEATURE,
                                .n_features = 2,
                                .domain = {LO, HI, CENTRE, WHITEN, 4, Z_LO, Z_HI},
                                .rows = 120,
                                .power_rail = "gpu",
                                .models = t->models,
                                .n_models = 3};
  t->platform.networks = &t->networks;
}

/* A platform that knows of whole networks alone. */
static void make_without_layers(toy *t) {
  make_toy(t);
  t->platform.fitted.n_families = t->platform.fitted.n_ops = 0;
  t->platform.fitted.network = (sloe_fitted_network){1, 0, 0, 0, NAN, NAN, NAN, NAN};
}

static sloe_platform *open_toy(toy *t) {
  sloe_text bytes = fitted_bytes(&t->platform);
  sloe_platform *platform;
  sloe_error err;
  sloe_networks_fini(&t->networks);
  assert_ok(sloe_platform_from_memory(bytes.data, bytes.len, NULL, &platform, &err), err);
  sloe_text_fini(&bytes);
  return platform;
}

typedef struct answer {
  sloe_net *net;
  sloe_layers *layers;
  sloe_estimate *estimate;
  const sloe_result *result;
} answer;

static answer ask(const sloe_platform *platform, const char *net,
                  const sloe_estimate_options *options) {
  answer a;
  sloe_error err;
  assert_ok(sloe_net_open(net, NULL, &a.net, &err), err);
  assert_ok(sloe_layers_new(a.net, sloe_platform_fusion(platform), &a.layers, &err), err);
  assert_ok(sloe_estimate_new(a.layers, platform, options, &a.estimate, &err), err);
  a.result = sloe_estimate_get(a.estimate);
  return a;
}

static void answer_fini(answer *a) {
  sloe_estimate_free(a->estimate);
  sloe_layers_free(a->layers);
  sloe_net_free(a->net);
}

/* ---- the file ---- */

static void models_of_networks_come_back_as_they_were_written(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  sloe_platform *p = open_toy(&t);
  assert_int_equal(p->card.source, SLOE_SOURCE_FITTED);
  assert_non_null(p->networks);
  assert_int_equal(p->networks->n_models, 3);
  assert_string_equal(p->networks->feature[1], "params");
  assert_int_equal(p->networks->at[1], sloe_feature_find("params"));
  assert_near(p->networks->rows, 120, 0);
  assert_string_equal(p->networks->power_rail, "gpu");
  const sloe_network_model *m = sloe_networks_chosen(p->networks, SLOE_NETWORKS_LATENCY, 1);
  assert_string_equal(m->regressor, "poly");
  assert_near(m->folds.mape, 4, 0);
  assert_near(m->kinds.error_90, log(2), 0);
  assert_true(isnan(m->tune_s));
  assert_near(sloe_learned_predict(&m->body, (double[]){2e6}), 5, 1e-12);
  assert_string_equal(sloe_networks_find(p->networks, SLOE_NETWORKS_LATENCY, "xgb")->regressor,
                      "xgb");
  assert_null(sloe_networks_chosen(p->networks, SLOE_NETWORKS_MEMORY, 1));
  sloe_platform_free(p);
}

static void a_platform_may_know_of_whole_networks_alone(void **state) {
  toy t;
  (void)state;
  make_without_layers(&t);
  sloe_platform *p = open_toy(&t);
  assert_int_equal(p->card.source, SLOE_SOURCE_LEARNED);
  assert_false(sloe_fitted_has_layers(p->fitted));
  sloe_platform_free(p);
}

static void two_models_that_answer_are_refused(void **state) {
  toy t;
  sloe_text bytes = {0};
  sloe_platform *p;
  sloe_error err;
  (void)state;
  make_toy(&t);
  t.models[1].chosen = 1;
  assert_ok(sloe_fitted_encode(&t.platform, &bytes, &err), err);
  assert_refused(sloe_platform_from_memory(bytes.data, bytes.len, NULL, &p, &err), SLOE_FORMAT, err,
                 "two of one metric answer");
  sloe_text_fini(&bytes);
  sloe_networks_fini(&t.networks);
}

static void a_feature_of_a_newer_version_is_refused(void **state) {
  static const char *const unknown[] = {"input_height", "cosmic_rays"};
  toy t;
  sloe_text bytes = {0};
  sloe_platform *p;
  sloe_error err;
  (void)state;
  make_toy(&t);
  t.networks.feature = unknown;
  assert_ok(sloe_fitted_encode(&t.platform, &bytes, &err), err);
  assert_refused(sloe_platform_from_memory(bytes.data, bytes.len, NULL, &p, &err), SLOE_UNSUPPORTED,
                 err, "feature 'cosmic_rays' is not known");
  sloe_text_fini(&bytes);
  sloe_networks_fini(&t.networks);
}

/* Every byte of the section turned: read or refused, never believed half. */
static void no_damage_gets_through_unseen(void **state) {
  toy t;
  sloe_text bytes = {0};
  sloe_error err;
  uint64_t begin = 0;
  size_t refused = 0, n = 0;
  (void)state;
  make_toy(&t);
  assert_ok(sloe_fitted_encode(&t.platform, &bytes, &err), err);
  memcpy(&begin, bytes.data + 40 + 4 * 24 + 8, sizeof begin);
  for (size_t at = begin; at < bytes.len; at++, n++) {
    sloe_platform *p = (void *)&p;
    bytes.data[at] ^= 0x41;
    fitted_mend(bytes.data, bytes.len);
    const sloe_status status = sloe_platform_from_memory(bytes.data, bytes.len, NULL, &p, &err);
    refused += status != SLOE_OK;
    assert_int_equal(p == NULL, status != SLOE_OK);
    assert_true(status == SLOE_OK || err.offset <= bytes.len);
    sloe_platform_free(p);
    bytes.data[at] ^= 0x41;
  }
  assert_true(n > 500 && refused > 100);
  sloe_text_fini(&bytes);
  sloe_networks_fini(&t.networks);
}

/* ---- the answer ---- */

#define NET "zoo:chain,layers=3,filters=256,k1=3,input=64" /* 11.7 million parameters */

static void time_power_and_energy_come_from_the_chosen_models(void **state) {
  toy t;
  (void)state;
  make_without_layers(&t);
  sloe_platform *p = open_toy(&t);
  answer a = ask(p, NET, NULL);
  const double params = sloe_net_get_info(a.net)->features[sloe_feature_find("params")].value;
  const sloe_figure *ms = &a.result->latency_ms;
  assert_near(ms->value, 3 + params / 1e6, 1e-9);
  assert_near(ms->high, ms->value * 1.25, 1e-9);
  assert_int_equal(ms->source, SLOE_SOURCE_LEARNED);
  assert_int_equal(ms->method, SLOE_METHOD_NETWORK);
  assert_true(ms->in_domain);
  assert_near(ms->validated_mape, 4, 0);
  assert_near(a.result->power_w.value, 5, 1e-9);
  assert_string_equal(a.result->power_rail, "gpu");
  assert_near(a.result->energy_mj.value, 5 * ms->value, 1e-9);
  assert_near(log(a.result->energy_mj.high / a.result->energy_mj.value), sqrt(2) * log(1.25), 1e-9);
  assert_true(isnan(a.result->memory_mb.value));
  assert_true(isnan(a.result->sum_of_layers_ms));
  answer_fini(&a);
  sloe_platform_free(p);
}

static void a_network_unlike_those_learned_from_is_said_to_be_so(void **state) {
  toy t;
  (void)state;
  make_without_layers(&t);
  sloe_platform *p = open_toy(&t);
  answer a = ask(p, "zoo:chain,layers=1,filters=8,k1=3,input=1024", NULL);
  const sloe_figure *ms = &a.result->latency_ms;
  assert_false(ms->in_domain);
  assert_near(ms->high, ms->value * 2, 1e-9);
  assert_near(ms->validated_mape, 12, 0);
  int said = 0;
  for (size_t i = 0; i < a.result->n_warnings; i++)
    said += strstr(a.result->warnings[i],
                   "unlike the 120 networks learned from: its "
                   "input_height") != NULL;
  assert_int_equal(said, 1);
  answer_fini(&a);
  sloe_platform_free(p);
}

static void features_that_never_came_together_are_outside(void **state) {
  toy t;
  size_t feature;
  (void)state;
  make_toy(&t);
  t.networks.domain.limit = 1;
  assert_true(sloe_networks_inside(&t.networks, (double[]){5, 16.5}, NULL));
  assert_false(sloe_networks_inside(&t.networks, (double[]){6, 18}, &feature));
  assert_int_equal(feature, 2);
  assert_false(sloe_networks_inside(&t.networks, (double[]){5, 19}, &feature));
  assert_int_equal(feature, 1);
  assert_false(sloe_networks_inside(&t.networks, (double[]){5, NAN}, &feature));
  t.networks.domain.z_hi = (const double[]){4, 0.25}; /* 16.5 is 0.5 over the centre */
  assert_false(sloe_networks_inside(&t.networks, (double[]){5, 16.5}, &feature));
  assert_int_equal(feature, 2);
  assert_true(sloe_networks_inside(&t.networks, (double[]){5, 16.2}, NULL));
  sloe_networks_fini(&t.networks);
}

static void a_model_can_be_asked_by_its_name(void **state) {
  const sloe_estimate_options xgb = {.model = "xgb"};
  toy t;
  (void)state;
  make_without_layers(&t);
  sloe_platform *p = open_toy(&t);
  answer a = ask(p, NET, &xgb);
  assert_near(a.result->latency_ms.value, 7, 1e-9);
  answer_fini(&a);
  sloe_platform_free(p);
}

static void what_a_platform_lacks_is_refused(void **state) {
  toy t;
  sloe_net *net;
  sloe_layers *layers;
  sloe_estimate *e;
  sloe_error err;
  (void)state;
  make_without_layers(&t);
  sloe_platform *p = open_toy(&t);
  assert_ok(sloe_net_open(NET, NULL, &net, &err), err);
  assert_ok(sloe_layers_new(net, sloe_platform_fusion(p), &layers, &err), err);
  const sloe_estimate_options of_layers = {.method = SLOE_METHOD_LAYERS}, of_svr = {.model = "svr"};
  assert_refused(sloe_estimate_new(layers, p, &of_layers, &e, &err), SLOE_UNSUPPORTED, err,
                 "no model of layers");
  assert_refused(sloe_estimate_new(layers, p, &of_svr, &e, &err), SLOE_UNSUPPORTED, err,
                 "no model 'svr'");
  sloe_layers_free(layers);
  sloe_net_free(net);
  sloe_platform_free(p);
}

/* A difference that may be chance speaks for the model of networks. */
static void layers_and_network_whichever_validated_better_answers(void **state) {
  const sloe_estimate_options of_network = {.method = SLOE_METHOD_NETWORK},
                              of_layers = {.method = SLOE_METHOD_LAYERS};
  static const double layer_mape[] = {4.5, 3.6, 3.4}; /* the network's is 4 +- 0.5 */
  (void)state;
  for (int i = 0; i < 3; i++) {
    const int better = i == 2;
    toy t;
    make_toy(&t);
    t.platform.fitted.network_errors.mape = layer_mape[i];
    sloe_platform *p = open_toy(&t);
    answer by_itself = ask(p, NET, NULL), network = ask(p, NET, &of_network),
           layers = ask(p, NET, &of_layers);
    assert_int_equal(network.result->latency_ms.method, SLOE_METHOD_NETWORK);
    assert_int_equal(layers.result->latency_ms.method, SLOE_METHOD_LAYERS);
    assert_true(by_itself.result->latency_ms.value ==
                (better ? layers : network).result->latency_ms.value);
    assert_near(by_itself.result->power_w.value, 5, 1e-9);
    answer_fini(&by_itself);
    answer_fini(&network);
    answer_fini(&layers);
    sloe_platform_free(p);
  }
}

static void what_the_layers_leave_over_multiplies_them(void **state) {
  const sloe_estimate_options of_network = {.method = SLOE_METHOD_NETWORK},
                              of_layers = {.method = SLOE_METHOD_LAYERS};
  toy t;
  (void)state;
  make_toy(&t);
  t.models[0].on_layers = 1;
  t.models[0].body.poly.constant = 1.5;
  t.models[0].body.poly.coef[0] = 0;
  sloe_platform *p = open_toy(&t);
  answer network = ask(p, NET, &of_network), layers = ask(p, NET, &of_layers);
  assert_near(network.result->latency_ms.value, 1.5 * layers.result->latency_ms.value, 1e-9);
  answer_fini(&network);
  answer_fini(&layers);
  sloe_platform_free(p);
}

static void outside_of_the_domain_a_model_on_layers_is_no_surer_than_they_are(void **state) {
  static const char *const outside = "zoo:chain,layers=1,filters=8,k1=3,input=1024";
  const sloe_estimate_options of_network = {.method = SLOE_METHOD_NETWORK};
  (void)state;
  for (int on_layers = 0; on_layers < 2; on_layers++) {
    toy t;
    make_toy(&t);
    t.models[0].on_layers = (uint32_t)on_layers;
    t.platform.fitted.network.error_90 = log(3); /* that of kinds left out: log(2) */
    sloe_platform *p = open_toy(&t);
    answer in = ask(p, NET, &of_network), out = ask(p, outside, &of_network);
    const sloe_figure *ms = &out.result->latency_ms;
    assert_near(ms->high / ms->value, on_layers ? 3 : 2, 1e-9);
    ms = &in.result->latency_ms;
    assert_near(ms->high / ms->value, 1.25, 1e-9);
    answer_fini(&in);
    answer_fini(&out);
    sloe_platform_free(p);
  }
}

static void power_on_layers_is_times_what_they_draw(void **state) {
  const sloe_estimate_options of_network = {.method = SLOE_METHOD_NETWORK},
                              of_layers = {.method = SLOE_METHOD_LAYERS};
  toy t;
  (void)state;
  make_toy(&t);
  t.models[2].on_layers = 1;
  t.models[2].body.poly.constant = 1.5;
  t.platform.fitted.power = (sloe_fitted_power){{4, 2, 1, 0.5, 0.25}, 0.1};
  sloe_platform *p = open_toy(&t);
  answer network = ask(p, NET, &of_network), layers = ask(p, NET, &of_layers);
  assert_int_equal(layers.result->power_w.source, SLOE_SOURCE_FITTED);
  assert_true(layers.result->power_w.value > 4);
  assert_near(network.result->power_w.value, 1.5 * layers.result->power_w.value, 1e-9);
  assert_int_equal(network.result->power_w.source, SLOE_SOURCE_LEARNED);
  assert_string_equal(layers.result->power_rail, "gpu");
  assert_near(layers.result->energy_mj.value,
              layers.result->power_w.value * layers.result->latency_ms.value, 1e-9);
  answer_fini(&network);
  answer_fini(&layers);
  sloe_platform_free(p);
}

static void no_energy_is_told_where_a_model_of_power_fails(void **state) {
  toy t;
  (void)state;
  make_toy(&t);
  t.models[2].body.poly.constant = -5; /* no power */
  t.platform.fitted.power = (sloe_fitted_power){{4, 2, 1, 0.5, 0.25}, 0.1};
  sloe_platform *p = open_toy(&t);
  answer a = ask(p, NET, NULL);
  assert_true(isnan(a.result->power_w.value) && isnan(a.result->energy_mj.value));
  answer_fini(&a);
  sloe_platform_free(p);
}

static void power_on_layers_that_draw_nobody_knows_what_is_refused(void **state) {
  toy t;
  sloe_platform *p;
  sloe_error err = {0};
  (void)state;
  make_toy(&t);
  t.models[2].on_layers = 1;
  sloe_text bytes = fitted_bytes(&t.platform);
  sloe_networks_fini(&t.networks);
  assert_int_equal(sloe_platform_from_memory(bytes.data, bytes.len, NULL, &p, &err), SLOE_FORMAT);
  assert_non_null(strstr(err.msg, "what layers draw"));
  sloe_text_fini(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(models_of_networks_come_back_as_they_were_written),
      cmocka_unit_test(a_platform_may_know_of_whole_networks_alone),
      cmocka_unit_test(two_models_that_answer_are_refused),
      cmocka_unit_test(a_feature_of_a_newer_version_is_refused),
      cmocka_unit_test(no_damage_gets_through_unseen),
      cmocka_unit_test(time_power_and_energy_come_from_the_chosen_models),
      cmocka_unit_test(a_network_unlike_those_learned_from_is_said_to_be_so),
      cmocka_unit_test(features_that_never_came_together_are_outside),
      cmocka_unit_test(a_model_can_be_asked_by_its_name),
      cmocka_unit_test(what_a_platform_lacks_is_refused),
      cmocka_unit_test(layers_and_network_whichever_validated_better_answers),
      cmocka_unit_test(what_the_layers_leave_over_multiplies_them),
      cmocka_unit_test(outside_of_the_domain_a_model_on_layers_is_no_surer_than_they_are),
      cmocka_unit_test(power_on_layers_is_times_what_they_draw),
      cmocka_unit_test(no_energy_is_told_where_a_model_of_power_fails),
      cmocka_unit_test(power_on_layers_that_draw_nobody_knows_what_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
