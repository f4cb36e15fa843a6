/* Learning from whole networks: what comes out of tables whose law is planted, and what is refused.
 */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "campaign/campaign.h"
#include "campaign/train.h"
#include "platform/platform.h"
#include "unit/store_files.h"

/* ms = 1 + MACs / 1e8, W = 4, MB = 800 + params / 1e6, with one in a hundred of noise; two kinds.
 */
#define HEADER                                                                               \
  "net,device,runtime,version,precision,mode,batch,latency_ms,power_w,power_rail,memory_mb," \
  "memory_kind,quality,family,split\n"

static double noise(unsigned i) {
  return 1 + 0.01 * sin(12.9898 * (double)i);
}

static void add_row(FILE *file, unsigned i, const char *device) {
  const unsigned layers = 1 + i % 6, filters = 8 * (1 + i % 17), input = 32 + 4 * (i % 11);
  char net[128];
  sloe_net *opened;
  sloe_error err;
  snprintf(net, sizeof net, "zoo:chain,kind=%s,layers=%u,filters=%u,k1=3,input=%u",
           i % 2 ? "conv" : "dws", layers, filters, input);
  assert_ok(sloe_net_open(net, NULL, &opened, &err), err);
  const sloe_net_info *info = sloe_net_get_info(opened);
  fprintf(file, "\"%s\",%s,sim,1.2,fp32,fast,1,%.9g,%.9g,gpu,%.9g,system,%s,%s,%s\n", net, device,
          (1 + (double)info->macs / 1e8) * noise(i), 4 * noise(i + 1000),
          (800 + (double)info->params / 1e6) * noise(i + 2000), i % 29 == 28 ? "noisy" : "ok",
          i % 2 ? "conv" : "dws", i % 5 ? "train" : "test");
  sloe_net_free(opened);
}

static void write_table(const char *name, unsigned n, const char *device) {
  FILE *file = fopen(store_path(name), "w");
  assert_non_null(file);
  fputs(HEADER, file);
  for (unsigned i = 0; i < n; i++) add_row(file, i, device);
  fclose(file);
}

static sloe_training *train(const sloe_train_options *options) {
  sloe_training *training;
  sloe_error err;
  assert_ok(sloe_train(options, NULL, NULL, &training, &err), err);
  return training;
}

static sloe_train_options options_of(const char *table, const char *out, const char *model) {
  return (sloe_train_options){.table = table, .out = out, .model = model, .threads = 1};
}

static void what_was_planted_is_learned_and_answers(void **state) {
  sloe_platform *platform;
  sloe_error err;
  (void)state;
  write_table("t.csv", 180, "toy");
  const sloe_train_options options = options_of(store_path("t.csv"), store_path("p.sloe"), "poly");
  sloe_training *t = train(&options);
  assert_int_equal(t->rows, 174);
  assert_int_equal(t->left_out, 6);
  assert_int_equal(t->n_kinds, 2);
  assert_string_equal(t->kinds, "family");
  assert_int_equal(t->n_models, 3);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(t->models[i].chosen, 1);
    assert_true(t->models[i].errors.mape < (i == 0 ? 5 : 1.5));
    assert_true(t->models[i].kinds.n == t->rows);
  }
  assert_true(t->models[0].errors.mape_constant > 10);
  sloe_training_free(t);
  assert_ok(sloe_platform_open(store_path("p.sloe"), NULL, &platform, &err), err);
  assert_string_equal(sloe_platform_card(platform)->name, "toy-sim-fp32-fast");
  assert_int_equal(sloe_platform_card(platform)->source, SLOE_SOURCE_LEARNED);
  const sloe_evaluate_options evaluate = {.table = store_path("t.csv"), .models = 1};
  sloe_evaluation *e;
  assert_ok(sloe_evaluate(&evaluate, platform, NULL, &e, &err), err);
  assert_int_equal(e->n_errors, 6); /* of three metrics: all, and the one model */
  assert_string_equal(e->errors[0].metric, "latency_ms");
  assert_true(e->errors[0].mape < 5 && e->errors[0].coverage_90 > 80);
  assert_string_equal(e->errors[3].group, "poly");
  assert_true(e->errors[3].mape == e->errors[0].mape);
  sloe_evaluation_free(e);
  sloe_platform_free(platform);
}

static void the_better_of_several_regressors_answers(void **state) {
  (void)state;
  write_table("t.csv", 120, "toy");
  sloe_train_options options = options_of(store_path("t.csv"), store_path("p.sloe"), NULL);
  options.features = "macs,params,activations,hidden_layers";
  sloe_training *t = train(&options);
  size_t chosen = 0;
  double least = INFINITY;
  for (size_t i = 0; i < t->n_models; i++)
    if (strcmp(t->models[i].metric, "latency_ms") == 0)
      least = fmin(least, t->models[i].errors.mape);
  for (size_t i = 0; i < t->n_models; i++) {
    if (strcmp(t->models[i].metric, "latency_ms") != 0 || !t->models[i].chosen) continue;
    chosen++;
    assert_true(t->models[i].errors.mape == least);
  }
  assert_int_equal(chosen, 1);
  assert_int_equal(t->n_features, 4);
  sloe_training_free(t);
}

/* ---- what layers draw ---- */

enum { DRAWN = 60 };

typedef struct drawn {
  sloe_lessons lessons;
  sloe_pace pace[DRAWN];
  double y[DRAWN], told[DRAWN];
  size_t net[DRAWN];
} drawn;

static const double PLANTED[SLOE_POWER_TERMS] = {110, 25, 0, 20, 120};

/* Networks of layers of many paces, which draw as planted. */
static void draw(drawn *d) {
  const sloe_fitted_power planted = {{PLANTED[0], PLANTED[1], PLANTED[2], PLANTED[3], PLANTED[4]},
                                     NAN};
  sloe_rng rng;
  memset(d, 0, sizeof *d);
  sloe_rng_seed(&rng, 1);
  for (size_t i = 0; i < DRAWN; i++) {
    for (int k = 0; k < 8; k++) {
      const double ms = 0.01 + sloe_rng_uniform(&rng);
      sloe_pace_add(&d->pace[i], ms, 3e10 * ms * sloe_rng_uniform(&rng),
                    3e9 * ms * sloe_rng_uniform(&rng));
    }
    d->net[i] = i;
    d->y[i] = sloe_pace_power(&d->pace[i], &planted);
  }
  d->lessons = (sloe_lessons){.n = DRAWN, .net = d->net, .pace = d->pace, .n_kinds = 1};
  d->lessons.y[SLOE_EVAL_power_w] = d->y;
  d->lessons.layers[SLOE_EVAL_power_w] = d->told;
}

static void what_layers_draw_is_found_from_whole_networks(void **state) {
  drawn d;
  sloe_fitted fitted = {0};
  sloe_error err;
  (void)state;
  draw(&d);
  d.y[7] = NAN; /* not measured */
  assert_ok(sloe_train_power(&d.lessons, &fitted, &err), err);
  for (int i = 0; i < SLOE_POWER_TERMS; i++)
    if (fabs(fitted.power.coef[i] - PLANTED[i]) > 1e-3)
      fail_msg("%d: %g, not %g", i, fitted.power.coef[i], PLANTED[i]);
  assert_true(fitted.power_errors.n == DRAWN - 1 && fitted.power_errors.max_ape < 1e-3);
  assert_true(fitted.power.error_90 < 1e-5);
  for (size_t i = 0; i < DRAWN; i++)
    if (i != 7) assert_true(fabs(d.told[i] / d.y[i] - 1) < 1e-6);
  assert_true(d.told[7] > PLANTED[0]);
}

static void what_layers_draw_is_judged_by_networks_not_seen(void **state) {
  drawn d;
  sloe_fitted fitted = {0};
  sloe_error err;
  (void)state;
  draw(&d);
  for (size_t i = 0; i < DRAWN; i++) d.y[i] *= i % 2 ? 1.1 : 0.9;
  assert_ok(sloe_train_power(&d.lessons, &fitted, &err), err);
  assert_true(fitted.power_errors.mape > 8 && fitted.power_errors.mape < 14);
  assert_true(fitted.power.error_90 > log(1.08) && fitted.power.error_90 < log(1.3));
}

/* Nothing is left to learn from where that kind is left out: found all the same, and not sure. */
static void what_layers_draw_may_be_known_of_one_kind_alone(void **state) {
  drawn d;
  size_t kind[DRAWN];
  sloe_fitted fitted = {0};
  sloe_error err;
  (void)state;
  draw(&d);
  for (size_t i = 0; i < DRAWN; i++) {
    kind[i] = i % 5;
    if (kind[i]) d.y[i] = NAN;
  }
  d.lessons.kind = kind;
  d.lessons.n_kinds = 5;
  assert_ok(sloe_train_power(&d.lessons, &fitted, &err), err);
  assert_true(fabs(fitted.power.coef[SLOE_POWER_rest] - PLANTED[SLOE_POWER_rest]) < 1e-3);
  assert_true(fitted.power_errors.mape > 50 && fitted.power.error_90 > log(2));
}

static void few_networks_say_nothing_of_what_layers_draw(void **state) {
  const sloe_fitted before = {.power = {{1, 2, 3, 4, 5}, 0.1}, .power_errors = {9, 9, 9, 9, 9}};
  (void)state;
  for (int why = 0; why < 3; why++) {
    drawn d;
    sloe_fitted fitted = before;
    sloe_error err;
    draw(&d);
    if (why == 0)
      for (size_t i = 9; i < DRAWN; i++) d.y[i] = NAN;
    if (why == 1) d.pace[3] = (sloe_pace){0}; /* layers that nothing is known of */
    if (why == 2) d.lessons.pace = NULL;
    assert_ok(sloe_train_power(&d.lessons, &fitted, &err), err);
    assert_false(sloe_fitted_knows_power(&fitted.power));
    assert_true(isnan(fitted.power_errors.n));
    if (why < 2) assert_true(isnan(d.told[5]));
  }
}

static void memory_may_run_out_learning_what_layers_draw(void **state) {
  drawn d;
  sloe_fitted fitted = {0};
  sloe_error err;
  sloe_status status = SLOE_NOMEM;
  long n = 0;
  (void)state;
  draw(&d);
  for (; status != SLOE_OK; n++) {
    sloe_alloc_fail_after(n);
    status = sloe_train_power(&d.lessons, &fitted, &err);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_int_equal(status, SLOE_NOMEM);
  }
  assert_true(n > 5);
}

/* ---- features ---- */

/* An export has its batch normalisations folded, the graph it was trained as has not. */
static void what_a_file_holds_but_no_runtime_runs_is_not_learned_from(void **state) {
  sloe_platform *p;
  sloe_error err;
  FILE *file = fopen(store_path("t.csv"), "w");
  (void)state;
  assert_non_null(file);
  fputs("net,device,runtime,precision,latency_ms\n", file);
  for (int i = 0; i < 40; i++)
    fprintf(file, "\"zoo:vgg,depth=%d,bn=%d,input=%d\",toy,sim,fp32,%d\n", i % 2 ? 11 : 13,
            i % 4 / 2, 224 + 32 * (i % 5), 3 + i);
  fclose(file);
  sloe_train_options options = options_of(store_path("t.csv"), store_path("p.sloe"), "poly");
  sloe_training_free(train(&options));
  assert_ok(sloe_platform_open(store_path("p.sloe"), NULL, &p, &err), err);
  assert_true(p->networks->n_features > 30);
  for (size_t i = 0; i < p->networks->n_features; i++)
    assert_null(strstr(p->networks->feature[i], "_raw"));
  sloe_platform_free(p);
  options.features = "macs,bn_layers_raw"; /* who asks for it gets it */
  sloe_training *t = train(&options);
  assert_int_equal(t->n_features, 2);
  sloe_training_free(t);
}

static void few_networks_are_judged_by_all_others(void **state) {
  (void)state;
  write_table("t.csv", 150, "toy");
  sloe_train_options options = options_of(store_path("t.csv"), NULL, "poly");
  options.draw = 30;
  options.repeat = 3;
  sloe_training *t = train(&options);
  assert_int_equal(t->models[0].errors.n, t->rows - 30);
  assert_true(t->models[0].mape_p90 >= t->models[0].errors.mape);
  assert_int_equal(t->repeat, 3);
  sloe_training_free(t);
  options.draw = 150;
  sloe_training *none;
  sloe_error err;
  assert_refused(sloe_train(&options, NULL, NULL, &none, &err), SLOE_USAGE, err,
                 "cannot be drawn from");
}

static void what_cannot_be_learned_from_is_refused(void **state) {
  sloe_training *t;
  sloe_error err;
  FILE *file;
  (void)state;
  write_table("few.csv", 9, "toy");
  write_table("mixed.csv", 60, "toy");
  file = fopen(store_path("mixed.csv"), "a");
  assert_non_null(file);
  add_row(file, 61, "another");
  fclose(file);
  sloe_train_options options = options_of(store_path("few.csv"), store_path("p.sloe"), "poly");
  assert_refused(sloe_train(&options, NULL, NULL, &t, &err), SLOE_FORMAT, err,
                 "9 rows to learn from");
  assert_null(t);
  options.table = store_path("mixed.csv");
  assert_refused(sloe_train(&options, NULL, NULL, &t, &err), SLOE_FORMAT, err,
                 "rows of 'toy' and of 'another' in the column device");
  write_table("t.csv", 60, "toy");
  options.table = store_path("t.csv");
  options.model = "oracle";
  assert_refused(sloe_train(&options, NULL, NULL, &t, &err), SLOE_USAGE, err, "no model 'oracle'");
  options.model = "poly";
  options.features = "macs,colour";
  assert_refused(sloe_train(&options, NULL, NULL, &t, &err), SLOE_USAGE, err,
                 "no feature 'colour'");
  options.features = NULL;
  options.kinds = "colour";
  assert_refused(sloe_train(&options, NULL, NULL, &t, &err), SLOE_USAGE, err, "no column 'colour'");
}

static int asked_to_stop(void *context) {
  (void)context;
  return 1;
}

/* Four sizes of six CNNs, and ten networks that are each one by itself. */
static void memory_is_learned_from_the_ends_and_from_features_of_memory(void **state) {
  (void)state;
  FILE *file = fopen(store_path("t.csv"), "w");
  assert_non_null(file);
  fputs("net,device,runtime,precision,latency_ms,memory_mb\n", file);
  for (unsigned i = 0; i < 24; i++)
    fprintf(file, "\"zoo:chain,layers=2,input=%u,filters=%u\",toy,sim,fp32,%u,%u\n",
            32 + 8 * (i % 4), 8 * (1 + i / 4), 5 + i % 4 + i / 4, 900 + 3 * i);
  for (unsigned i = 0; i < 10; i++)
    fprintf(file, "\"zoo:random,seed=%u\",toy,sim,fp32,%u,%u\n", i, 9 + i, 950 + i);
  fclose(file);
  sloe_train_options options = options_of(store_path("t.csv"), store_path("p.sloe"), "poly");
  options.memory_ends = 1;
  sloe_training *t = train(&options);
  assert_int_equal(t->n_models, 2);
  assert_int_equal(t->models[0].errors.n, 34); /* time: all */
  assert_int_equal(t->models[1].errors.n, 6 * 2 + 10);
  sloe_training_free(t);
  sloe_error err = {0};
  options.memory_inputs = 1;
  options.features = "filters_mean,macs";
  assert_int_equal(sloe_train(&options, NULL, NULL, &t, &err), SLOE_USAGE);
  assert_null(t);
  assert_non_null(strstr(err.msg, "one of memory"));
  options.features = "filters_mean,macs,params,activations,batch";
  t = train(&options);
  assert_int_equal(t->models[1].errors.n, 22);
  sloe_training_free(t);
  sloe_platform *platform;
  assert_ok(sloe_platform_open(store_path("p.sloe"), NULL, &platform, &err), err);
  const sloe_networks *networks = platform->networks;
  assert_int_equal(sloe_networks_find(networks, SLOE_NETWORKS_LATENCY, "poly")->body.n_inputs, 4);
  const sloe_network_model *memory = sloe_networks_find(networks, SLOE_NETWORKS_MEMORY, "poly");
  assert_int_equal(memory->body.n_inputs, 2);
  for (size_t j = 0; j < 2; j++)
    assert_true(strcmp(networks->feature[memory->input[j]], "params") == 0 ||
                strcmp(networks->feature[memory->input[j]], "activations") == 0);
  sloe_platform_free(platform);
}

static void stopped_it_leaves_no_file(void **state) {
  const sloe_watch watch = {.stop = asked_to_stop};
  sloe_training *t;
  sloe_error err;
  (void)state;
  write_table("t.csv", 60, "toy");
  const sloe_train_options options = options_of(store_path("t.csv"), store_path("p.sloe"), "poly");
  assert_int_equal(sloe_train(&options, NULL, &watch, &t, &err), SLOE_STOPPED);
  assert_null(t);
  assert_int_equal(access(store_path("p.sloe"), F_OK), -1);
}

/* ---- splitting ---- */

static sloe_split_summary split(const char *by, double share) {
  const sloe_split_options options = {.table = store_path("t.csv"),
                                      .train = store_path("a.csv"),
                                      .test = store_path("b.csv"),
                                      .by = by,
                                      .share = share};
  sloe_split_summary summary;
  sloe_error err;
  assert_ok(sloe_split(&options, &summary, &err), err);
  return summary;
}

static void a_table_is_split_by_networks(void **state) {
  (void)state;
  write_table("t.csv", 100, "toy");
  sloe_split_summary s = split("random", 0.25);
  assert_int_equal(s.train_rows + s.test_rows, 100);
  assert_int_equal(s.test_nets, 25);
  s = split("split=test", 0);
  assert_int_equal(s.test_rows, 20);
  s = split("family=dws", 0);
  assert_int_equal(s.test_rows, 50);
}

static void what_cannot_be_split_is_refused(void **state) {
  static const struct {
    const char *by;
    sloe_status status;
    const char *why;
  } cases[] = {{"family=none", SLOE_FORMAT, "none would be for testing"},
               {"colour=red", SLOE_USAGE, "no column 'colour'"},
               {"family", SLOE_USAGE, "random or COLUMN=VALUE"}};
  (void)state;
  write_table("t.csv", 20, "toy");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const sloe_split_options options = {.table = store_path("t.csv"),
                                        .train = store_path("a.csv"),
                                        .test = store_path("b.csv"),
                                        .by = cases[i].by};
    sloe_split_summary summary;
    sloe_error err;
    assert_refused(sloe_split(&options, &summary, &err), cases[i].status, err, cases[i].why);
  }
  assert_int_equal(access(store_path("a.csv"), F_OK), -1);
}

int main(void) {
#define T(test) cmocka_unit_test_teardown(test, store_empty_folder)
  const struct CMUnitTest tests[] = {
      T(what_was_planted_is_learned_and_answers),
      T(the_better_of_several_regressors_answers),
      T(memory_is_learned_from_the_ends_and_from_features_of_memory),
      cmocka_unit_test(what_layers_draw_is_found_from_whole_networks),
      cmocka_unit_test(what_layers_draw_is_judged_by_networks_not_seen),
      cmocka_unit_test(what_layers_draw_may_be_known_of_one_kind_alone),
      cmocka_unit_test(few_networks_say_nothing_of_what_layers_draw),
      cmocka_unit_test(memory_may_run_out_learning_what_layers_draw),
      cmocka_unit_test(what_a_file_holds_but_no_runtime_runs_is_not_learned_from),
      T(few_networks_are_judged_by_all_others),
      T(what_cannot_be_learned_from_is_refused),
      T(stopped_it_leaves_no_file),
      T(a_table_is_split_by_networks),
      T(what_cannot_be_split_is_refused),
  };
#undef T
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
