/* Answers about real networks: every key described, every format of one mind, no memory lost. */
#include "unit.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/file.h"
#include "net/net.h"
#include "report/report.h"

#define DATA SLOE_SOURCE_DIR "/data/"

typedef struct fixture {
  sloe_net *net;
  sloe_platform *platform;
  sloe_layers *layers;
  sloe_estimate *estimate;
  sloe_platform_list *list;
} fixture;

static fixture f;

/* ---- answers made by hand ---- */

#define UNKNOWN \
  { .value = NAN, .low = NAN, .high = NAN, .validated_mape = NAN }

static sloe_layer_estimate layer_rows[2];
static const double isolated[2] = {1.1, 0.55}, isolated_w[2] = {12, NAN},
                    isolated_mj[2] = {13.25, 3};
static const char *const notes[] = {"the clock moved"};
static const sloe_result measured_result = {
    .latency_ms = {1.5, NAN, NAN, SLOE_SOURCE_MEASURED, SLOE_METHOD_NETWORK, NAN, 1},
    .latency_p75_ms = 1.6,
    .latency_p97_5_ms = 1.9,
    .sum_of_layers_ms = 1.5,
    .power_w = UNKNOWN,
    .energy_mj = UNKNOWN,
    .memory_mb = UNKNOWN,
    .power_rail = "",
    .memory_kind = "",
    .fits = -1,
    .layers = layer_rows,
    .n_layers = 2,
    .warnings = notes,
    .n_warnings = 1};
static const sloe_measured_extra extra = {
    1.4, 1.55, 1.7, 1.5,  1.65, 0.5, "noisy", 100,        isolated,    1,  1.25,
    13,  11.5, 4,   9.75, 40,   8,   2,       isolated_w, isolated_mj, 0.9};

static const sloe_errors errors[] = {
    {"latency_ms", "", 10, 2, .mape = 4.5, .rmspe = 6.5, .kendall = 0.9, .coverage_90 = NAN},
    {"latency_ms", "conv", 4, 0, .mape = 2.5, .rmspe = 3.5, .kendall = NAN, .coverage_90 = 75},
};
static const sloe_evaluation evaluation = {"t.csv", "toy-sim-fp32", "kind", "by ref_ms", errors,
                                           2,       notes,          1};

static sloe_prune_layer prune_layers[2];
static const sloe_prune_step prune_steps[] = {{SIZE_MAX, 0, 4.6, 1.2e6}, {0, 56, 4.4, 1.1e6}};
static const sloe_prune_result prune = {prune_layers, 2, prune_steps, 2, 4.6};

static const sloe_fact facts[] = {
    {"backend", "backend", NULL, SLOE_FACT_TEXT, "sim", 0, 0},
    {"db", "samples", NULL, SLOE_FACT_TEXT, "", 0, 0},
    {"points", "points", NULL, SLOE_FACT_COUNT, NULL, 12345, 0},
    {"runs", "runs", NULL, SLOE_FACT_COUNT, NULL, -1, 0},
    {"layer_rmspe", "layers", "%", SLOE_FACT_NUMBER, NULL, 0, 4.25},
    {"layer_mape", "mean error", "%", SLOE_FACT_NUMBER, NULL, 0, NAN},
    {"complete", "complete", NULL, SLOE_FACT_FLAG, NULL, 1, 0},
    {"plan_only", NULL, NULL, SLOE_FACT_FLAG, NULL, 0, 0},
};

/* Of the first two layers: one has a step below to go to, one has none. */
static void make_by_hand(void) {
  for (size_t i = 0; i < 2; i++) {
    const sloe_layer *layer = sloe_layers_at(f.layers, i);
    layer_rows[i] = (sloe_layer_estimate){.layer = layer,
                                          .latency_ms = i ? 0.5 : 1,
                                          .share = i ? 1. / 3 : 2. / 3,
                                          .source = SLOE_SOURCE_MEASURED,
                                          .in_domain = 1};
    prune_layers[i] = (sloe_prune_layer){.layer = layer,
                                         .filters = 64,
                                         .tread_lo = 57,
                                         .tread_hi = 64,
                                         .target = i ? 0 : 56,
                                         .latency_ms = 0.25,
                                         .target_ms = 0.125,
                                         .saved_ms = 0.125,
                                         .saved_share = 0.03,
                                         .network_saved_ms = 0.2,
                                         .in_domain = !i};
  }
}

static sloe_answer measured_answer(void) {
  return (sloe_answer){sloe_platform_card(f.platform), f.layers, &measured_result, &extra};
}

static sloe_status report_measured(int list, const sloe_report_options *options, char **text,
                                   sloe_error *err) {
  const sloe_answer answers[] = {measured_answer(), measured_answer()};
  return sloe_report_answers(answers, list ? 2 : 1, options, text, err);
}

static sloe_status report_evaluation(int list, const sloe_report_options *options, char **text,
                                     sloe_error *err) {
  const sloe_evaluation *both[] = {&evaluation, &evaluation};
  return sloe_report_evaluations(both, list ? 2 : 1, options, text, err);
}

static sloe_status report_prune(int list, const sloe_report_options *options, char **text,
                                sloe_error *err) {
  const sloe_answer answers[] = {sloe_estimate_answer(f.estimate), measured_answer()};
  const sloe_prune_result *both[] = {&prune, &prune};
  return sloe_report_prune(answers, both, list ? 2 : 1, options, text, err);
}

/* ---- the fixture ---- */

static const char *const dirs[] = {DATA "platforms"};
static const sloe_search folders = {dirs, 1};

static int open_all(void **state) {
  (void)state;
  sloe_error err = {0};
  assert_ok(sloe_net_open(DATA "models/tv_squeezenet1_1.onnx", NULL, &f.net, &err), err);
  assert_ok(sloe_platform_open("jetson-tx1-datasheet-fp16", &folders, &f.platform, &err), err);
  assert_ok(sloe_layers_new(f.net, sloe_platform_fusion(f.platform), &f.layers, &err), err);
  assert_ok(sloe_estimate_new(f.layers, f.platform, NULL, &f.estimate, &err), err);
  assert_ok(sloe_platform_list_new(&folders, &f.list, &err), err);
  make_by_hand();
  return 0;
}

static int close_all(void **state) {
  (void)state;
  sloe_platform_list_free(f.list);
  sloe_estimate_free(f.estimate);
  sloe_layers_free(f.layers);
  sloe_platform_free(f.platform);
  sloe_net_free(f.net);
  return 0;
}

/* The reports under one number. */
enum { INFO, ESTIMATES, PLATFORMS, PLATFORM, MEASURED, EVALUATION, PRUNE, FACTS, REPORTS };
static sloe_status report(int which, const sloe_report_options *options, char **text,
                          sloe_error *err) {
  const sloe_layers *layers[] = {f.layers, f.layers};
  const sloe_estimate *estimates[] = {f.estimate, f.estimate};
  switch (which) {
    case INFO: return sloe_report_info(layers, options->list ? 2 : 1, options, text, err);
    case ESTIMATES:
      return sloe_report_estimates(estimates, options->list ? 2 : 1, options, text, err);
    case PLATFORMS: return sloe_report_platforms(f.list, options, text, err);
    case MEASURED: return report_measured(options->list, options, text, err);
    case EVALUATION: return report_evaluation(options->list, options, text, err);
    case PRUNE: return report_prune(options->list, options, text, err);
    case FACTS:
      return sloe_report_facts("sloe/profile/1", "sim", facts, sizeof facts / sizeof *facts,
                               options, text, err);
    default: return sloe_report_platform(f.platform, options, text, err);
  }
}

static json_t *document(int which, int list) {
  sloe_error err = {0};
  char *text;
  json_error_t where;
  sloe_report_options options = {.format = SLOE_FORMAT_JSON, .list = list};
  assert_ok(report(which, &options, &text, &err), err);
  json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
  if (!json) fail_msg("%s at line %d", where.text, where.line);
  sloe_text_free(text);
  return json;
}

static json_t *zoo_document(void) {
  sloe_error err = {0};
  char *text;
  const sloe_report_options options = {.format = SLOE_FORMAT_JSON};
  assert_ok(sloe_report_zoo(&options, &text, &err), err);
  json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(json);
  sloe_text_free(text);
  return json;
}

/* ---- docs/json.md ---- */

static void check_described(const char *docs, const char *key, const char *file) {
  char quoted[128];
  snprintf(quoted, sizeof quoted, "`%s`", key);
  if (!strstr(docs, quoted)) fail_msg("%s does not describe %s", file, quoted);
}

static void walk(const json_t *json, const char *docs, const char *features) {
  const char *key;
  json_t *value;
  size_t i;
  json_object_foreach((json_t *)json, key, value) {
    check_described(docs, key, "docs/json.md");
    if (!strcmp(key, "features")) {
      const char *name;
      json_t *feature;
      json_object_foreach(value, name, feature) check_described(features, name, "docs/features.md");
    } else if (strcmp(key, "parameters")) { /* those are described by `platform show` */
      walk(value, docs, features);
    }
  }
  json_array_foreach(json, i, value) walk(value, docs, features);
}

static void every_key_is_described(void **state) {
  (void)state;
  sloe_error err = {0};
  char *docs, *features;
  size_t len;
  assert_ok(sloe_file_read(SLOE_SOURCE_DIR "/docs/json.md", 1 << 20, &docs, &len, &err), err);
  assert_ok(sloe_file_read(SLOE_SOURCE_DIR "/docs/features.md", 1 << 20, &features, &len, &err),
            err);
  for (int which = 0; which < REPORTS; which++) {
    for (int list = 0; list < 2; list++) {
      json_t *json = document(which, list);
      walk(json, docs, features);
      check_described(docs, json_string_value(json_object_get(json, "schema")), "docs/json.md");
      json_decref(json);
    }
  }
  json_t *zoo = zoo_document();
  walk(zoo, docs, features);
  check_described(docs, json_string_value(json_object_get(zoo, "schema")), "docs/json.md");
  json_decref(zoo);
  sloe_dealloc(docs);
  sloe_dealloc(features);
}

static void a_list_of_the_zoo_fails_cleanly_without_memory(void **state) {
  (void)state;
  static const sloe_format formats[] = {SLOE_FORMAT_TABLE, SLOE_FORMAT_JSON, SLOE_FORMAT_CSV};
  for (size_t i = 0; i < 3; i++) {
    const sloe_report_options options = {.format = formats[i]};
    const long live = sloe_alloc_live();
    for (long n = 0;; n++) {
      sloe_error err;
      char *text = (char *)1;
      sloe_alloc_fail_after(n);
      const sloe_status status = sloe_report_zoo(&options, &text, &err);
      sloe_alloc_fail_after(-1);
      assert_true((status == SLOE_OK) == (text != NULL));
      sloe_text_free(text);
      assert_int_equal(sloe_alloc_live(), live);
      if (status == SLOE_OK) break;
      assert_int_equal(status, SLOE_NOMEM);
    }
  }
}

/* ---- the formats are of one mind ---- */

static void a_list_holds_the_single_document(void **state) {
  (void)state;
  static const struct {
    int which;
    const char *key;
  } rows[] = {{INFO, "nets"},
              {ESTIMATES, "estimates"},
              {MEASURED, "measurements"},
              {EVALUATION, "evaluations"},
              {PRUNE, "prunes"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    json_t *one = document(rows[i].which, 0), *list = document(rows[i].which, 1);
    json_object_del(one, "schema");
    json_object_del(one, "tool_version");
    json_t *array = json_object_get(list, rows[i].key);
    assert_int_equal(json_array_size(array), 2);
    assert_true(json_equal(json_array_get(array, 0), one));
    json_decref(list);
    json_decref(one);
  }
}

static void json_says_what_the_library_says(void **state) {
  (void)state;
  const sloe_result *result = sloe_estimate_get(f.estimate);
  json_t *json = document(ESTIMATES, 0), *latency = json_object_get(json, "latency_ms");
  assert_true(json_number_value(json_object_get(latency, "p50")) == result->latency_ms.value);
  assert_true(json_number_value(json_object_get(latency, "high")) == result->latency_ms.high);
  assert_true(isnan(result->power_w.value));
  assert_true(json_is_null(json_object_get(json_object_get(json, "power_w"), "value")));
  assert_int_equal(json_array_size(json_object_get(json, "layers")), result->n_layers);
  json_decref(json);
}

/* Field `n` of the second line. */
static void csv_field(const char *text, const char *column, char *out, size_t size) {
  const char *header = text, *row = strchr(text, '\n') + 1;
  size_t len = strlen(column);
  while (strncmp(header, column, len) || (header[len] != ',' && header[len] != '\n')) {
    header = strpbrk(header, ",\n") + 1;
    assert_ptr_not_equal(header, strchr(text, '\n') + 1);
    row = strpbrk(row, ",\n") + 1;
  }
  snprintf(out, size, "%.*s", (int)strcspn(row, ",\n"), row);
}

static void csv_says_what_the_library_says(void **state) {
  (void)state;
  sloe_error err = {0};
  char *text, field[64];
  sloe_report_options options = {.format = SLOE_FORMAT_CSV};
  assert_ok(report(ESTIMATES, &options, &text, &err), err);
  csv_field(text, "latency_ms", field, sizeof field);
  assert_true(strtod(field, NULL) == sloe_estimate_get(f.estimate)->latency_ms.value);
  csv_field(text, "power_w", field, sizeof field);
  assert_string_equal(field, "");
  csv_field(text, "fits", field, sizeof field);
  assert_string_equal(field, "1");
  sloe_text_free(text);
  assert_ok(report(INFO, &options, &text, &err), err);
  csv_field(text, "params", field, sizeof field);
  assert_string_equal(field, "1235496");
  sloe_text_free(text);
}

static void tables_never_call_an_unvalidated_range_an_interval(void **state) {
  (void)state;
  sloe_error err = {0};
  char *text;
  sloe_report_options options = {.layers = 1, .bars = 1};
  assert_ok(report(ESTIMATES, &options, &text, &err), err);
  assert_null(strstr(text, "90 %"));
  assert_non_null(strstr(text, "never validated"));
  assert_non_null(strstr(text, "datasheet"));
  sloe_text_free(text);
}

/* ---- measurements ---- */

static char *page_of(int which, int list) {
  sloe_error err = {0};
  char *text;
  sloe_report_options options = {.layers = !list, .list = list, .width = 200};
  assert_ok(report(which, &options, &text, &err), err);
  return text;
}

static void check_page(int which, int list, const char *const *holds, const char *const *lacks) {
  char *text = page_of(which, list);
  for (; *holds; holds++)
    if (!strstr(text, *holds)) fail_msg("no '%s' in\n%s", *holds, text);
  for (; *lacks; lacks++)
    if (strstr(text, *lacks)) fail_msg("'%s' in\n%s", *lacks, text);
  sloe_text_free(text);
}

static void a_measurement_has_runs_and_no_interval(void **state) {
  (void)state;
  check_page(MEASURED, 0,
             (const char *[]){"latency   1.50 ms",
                              "p75 1.60 ms, p97.5 1.90 ms, fastest 1.40 ms, of 100 runs: noisy",
                              "together 1.50 ms, each by itself 1.65 ms", "measured on the device",
                              "alone ms", "1.1000", "alone W", "alone mJ", "13.250",
                              "the clock moved", NULL},
             (const char *[]){"90 %", "validated", "bound", NULL});
  check_page(MEASURED, 1, (const char *[]){"1.50", "measured", NULL},
             (const char *[]){"range", NULL});
}

static void json_of_a_measurement_says_what_was_measured(void **state) {
  (void)state;
  json_t *json = document(MEASURED, 0), *latency = json_object_get(json, "latency_ms");
  assert_string_equal(json_string_value(json_object_get(latency, "source")), "measured");
  assert_true(json_is_null(json_object_get(latency, "low")));
  assert_true(json_number_value(json_object_get(latency, "min")) == 1.4);
  assert_true(json_number_value(json_object_get(json, "host_ms")) == 1.7);
  assert_int_equal(json_integer_value(json_object_get(json, "n_runs")), 100);
  json_t *layer = json_array_get(json_object_get(json, "layers"), 1);
  assert_true(json_number_value(json_object_get(layer, "isolated_ms")) == 0.55);
  assert_true(json_is_null(json_object_get(layer, "bound")));
  assert_true(json_is_null(json_object_get(layer, "isolated_power_w")));
  assert_true(json_number_value(json_object_get(layer, "isolated_energy_mj")) == 3);
  static const struct {
    const char *key;
    double value;
  } numbers[] = {{"power_s", 1.25},    {"peak_w", 11.5},   {"idle_w", 4},
                 {"dynamic_mj", 9.75}, {"weights_mb", 40}, {"activations_mb", 8},
                 {"workspace_mb", 2}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    assert_true(json_number_value(json_object_get(json, numbers[i].key)) == numbers[i].value);
  assert_true(json_is_true(json_object_get(json, "sensor")));
  assert_int_equal(json_integer_value(json_object_get(json, "power_readings")), 13);
  json_decref(json);
}

static const char *power_page(int sensor, double watts, char **text) {
  const sloe_report_options options = {.width = 200};
  sloe_measured_extra known = extra;
  sloe_result result = measured_result;
  sloe_answer answer = measured_answer();
  sloe_error err = {0};
  known.sensor = sensor;
  result.power_w.value = watts;
  result.power_rail = "gpu";
  answer.extra = &known;
  answer.result = &result;
  assert_ok(sloe_report_answers(&answer, 1, &options, text, &err), err);
  return *text;
}

static void a_power_that_is_not_known_says_why(void **state) {
  static const struct {
    int sensor;
    double watts;
    const char *line;
  } cases[] = {{-1, NAN, "power     not taken"},
               {0, NAN, "power     no sensor"},
               {1, NAN, "power     unknown: the sensor is too coarse to tell"},
               {1, 10, "power     10.0 W   at the rail 'gpu', peak 11.5 W, idle 4.00 W"}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text;
    if (!strstr(power_page(cases[i].sensor, cases[i].watts, &text), cases[i].line))
      fail_msg("no '%s' in\n%s", cases[i].line, text);
    sloe_text_free(text);
  }
}

static void a_measurement_without_extras_has_them_unknown(void **state) {
  (void)state;
  sloe_error err = {0};
  char *text;
  sloe_answer answer = measured_answer();
  answer.extra = NULL;
  for (int format = SLOE_FORMAT_TABLE; format <= SLOE_FORMAT_CSV; format++) {
    sloe_report_options options = {.format = (sloe_format)format, .layers = 1};
    assert_ok(sloe_report_answers(&answer, 1, &options, &text, &err), err);
    if (format == SLOE_FORMAT_JSON) assert_non_null(strstr(text, "\"n_runs\": null"));
    sloe_text_free(text);
  }
}

static void an_estimate_has_no_keys_of_a_measurement(void **state) {
  (void)state;
  json_t *json = document(ESTIMATES, 0);
  assert_null(json_object_get(json, "host_ms"));
  assert_null(json_object_get(json_object_get(json, "latency_ms"), "min"));
  json_decref(json);
}

/* ---- evaluations, pruning, facts ---- */

static void an_evaluation_has_a_row_for_each_metric_and_group(void **state) {
  (void)state;
  sloe_error err = {0};
  char *text, field[64];
  check_page(EVALUATION, 0,
             (const char *[]){"toy-sim-fp32 against t.csv", "kind", "all", "conv", "4.50", "75.0",
                              "scaled: by ref_ms", "note: the clock moved", NULL},
             (const char *[]){" nan", NULL});
  json_t *json = document(EVALUATION, 0), *rows = json_object_get(json, "errors");
  assert_int_equal(json_array_size(rows), 2);
  assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "group")));
  assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "coverage_90")));
  assert_true(json_number_value(json_object_get(json_array_get(rows, 1), "mape")) == 2.5);
  json_decref(json);
  sloe_report_options options = {.format = SLOE_FORMAT_CSV};
  assert_ok(report(EVALUATION, &options, &text, &err), err);
  csv_field(text, "rmspe", field, sizeof field);
  assert_string_equal(field, "6.5");
  csv_field(text, "interval_width_median", field, sizeof field);
  assert_string_equal(field, "0");
  csv_field(text, "coverage_90", field, sizeof field);
  assert_string_equal(field, "");
  sloe_text_free(text);
}

static void a_step_without_one_below_has_no_target(void **state) {
  (void)state;
  check_page(PRUNE, 0,
             (const char *[]){"57..64", "56", "0.1250", "3.0 %", "outside", "as it is", "1.10 M",
                              "95.7 %", NULL},
             (const char *[]){" nan", NULL});
  json_t *json = document(PRUNE, 0), *layers = json_object_get(json, "layers"),
         *steps = json_object_get(json, "steps");
  assert_int_equal(json_integer_value(json_object_get(json_array_get(layers, 0), "target")), 56);
  assert_true(json_is_null(json_object_get(json_array_get(layers, 1), "target")));
  assert_true(json_is_null(json_object_get(json_array_get(layers, 1), "saved_ms")));
  assert_true(json_is_null(json_object_get(json_array_get(steps, 0), "name")));
  assert_int_equal(json_integer_value(json_object_get(json_array_get(steps, 1), "filters")), 56);
  json_decref(json);
}

static void facts_that_are_unknown_say_so(void **state) {
  (void)state;
  sloe_error err = {0};
  char *text;
  char *page = page_of(FACTS, 0);
  assert_string_equal(page,
                      "sim\n"
                      "  backend     sim\n"
                      "  samples     unknown\n"
                      "  points      12,345\n"
                      "  runs        unknown\n"
                      "  layers      4.25 %\n"
                      "  mean error  unknown\n"
                      "  complete    yes\n");
  sloe_text_free(page);
  sloe_report_options options = {.format = SLOE_FORMAT_CSV};
  assert_ok(report(FACTS, &options, &text, &err), err);
  assert_string_equal(text,
                      "backend,db,points,runs,layer_rmspe,layer_mape,complete,plan_only\n"
                      "sim,,12345,,4.25,,1,0\n");
  sloe_text_free(text);
  json_t *json = document(FACTS, 0);
  assert_true(json_is_null(json_object_get(json, "db")));
  assert_true(json_is_null(json_object_get(json, "runs")));
  assert_true(json_is_true(json_object_get(json, "complete")));
  assert_true(json_is_false(json_object_get(json, "plan_only")));
  json_decref(json);
}

/* A net of one Relu. */
static sloe_net *relu_of(sloe_shape shape) {
  sloe_error err = {0};
  sloe_net *net;
  sloe_tid in, out;
  assert_ok(sloe_net_new(0, &net, &err), err);
  assert_ok(sloe_net_add_tensor(net, "in", &in, &err), err);
  assert_ok(sloe_net_add_tensor(net, "out", &out, &err), err);
  net->tensors[in].shape = shape;
  net->tensors[in].dtype = SLOE_DT_FLOAT;
  net->tensors[in].flags |= SLOE_T_INPUT;
  assert_ok(sloe_graph_add_input(net, &net->graph, in, &err), err);
  sloe_node_spec relu = {.type = "Relu", .in = &in, .n_in = 1, .out = &out, .n_out = 1};
  assert_ok(sloe_net_add_node(net, &net->graph, &relu, &err), err);
  assert_ok(sloe_graph_add_output(net, &net->graph, out, &err), err);
  assert_ok(sloe_net_finish(net, NULL, &err), err);
  return net;
}

static void the_batch_is_the_leading_dimension_unless_that_is_colour(void **state) {
  (void)state;
  static const struct {
    sloe_shape shape;
    int64_t batch;
  } rows[] = {{{4, {8, 3, 32, 32}}, 8}, {{3, {3, 320, 320}}, 1}, {{3, {5, 16, 64}}, 5},
              {{3, {3, 2, 64}}, 3},     {{2, {7, 10}}, 7},       {{.rank = 0}, 1}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    sloe_net *net = relu_of(rows[i].shape);
    assert_int_equal(sloe_net_get_info(net)->batch, rows[i].batch);
    sloe_net_free(net);
  }
}

/* ---- failures ---- */

/* Fail allocation 0, 1, 2, ... until the report succeeds. jansson's own are not among them. */
static void no_memory_is_reported_and_nothing_is_lost(void **state) {
  (void)state;
  for (int which = 0; which < REPORTS; which++) {
    for (int format = SLOE_FORMAT_TABLE; format <= SLOE_FORMAT_CSV; format++) {
      sloe_report_options options = {.format = (sloe_format)format, .layers = 1, .features = 1};
      sloe_status status = SLOE_NOMEM;
      for (long n = 0; status != SLOE_OK; n += 1 + n / 8) {
        sloe_error err = {0};
        char *text = (char *)"";
        long live = sloe_alloc_live();
        sloe_alloc_fail_after(n);
        status = report(which, &options, &text, &err);
        sloe_alloc_fail_after(-1);
        if (status == SLOE_OK)
          sloe_text_free(text);
        else {
          assert_int_equal(status, SLOE_NOMEM);
          assert_null(text);
          assert_true(*err.msg);
        }
        assert_int_equal(sloe_alloc_live(), live);
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_key_is_described),
      cmocka_unit_test(a_list_of_the_zoo_fails_cleanly_without_memory),
      cmocka_unit_test(a_list_holds_the_single_document),
      cmocka_unit_test(json_says_what_the_library_says),
      cmocka_unit_test(csv_says_what_the_library_says),
      cmocka_unit_test(tables_never_call_an_unvalidated_range_an_interval),
      cmocka_unit_test(a_measurement_has_runs_and_no_interval),
      cmocka_unit_test(json_of_a_measurement_says_what_was_measured),
      cmocka_unit_test(a_power_that_is_not_known_says_why),
      cmocka_unit_test(a_measurement_without_extras_has_them_unknown),
      cmocka_unit_test(an_estimate_has_no_keys_of_a_measurement),
      cmocka_unit_test(an_evaluation_has_a_row_for_each_metric_and_group),
      cmocka_unit_test(a_step_without_one_below_has_no_target),
      cmocka_unit_test(facts_that_are_unknown_say_so),
      cmocka_unit_test(the_batch_is_the_leading_dimension_unless_that_is_colour),
      cmocka_unit_test(no_memory_is_reported_and_nothing_is_lost),
  };
  return cmocka_run_group_tests(tests, open_all, close_all);
}
