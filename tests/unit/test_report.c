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
static const char *const dirs[] = {DATA "platforms"};
static const sloe_search folders = {dirs, 1};

static int open_all(void **state) {
  (void)state;
  sloe_error err = {0};
  assert_ok(sloe_net_open(DATA "models/tv_squeezenet1_1.onnx", NULL, &f.net, &err), err);
  assert_ok(sloe_platform_open("jetson-nano-4gb-datasheet-fp16", &folders, &f.platform, &err), err);
  assert_ok(sloe_layers_new(f.net, sloe_platform_fusion(f.platform), &f.layers, &err), err);
  assert_ok(sloe_estimate_new(f.layers, f.platform, NULL, &f.estimate, &err), err);
  assert_ok(sloe_platform_list_new(&folders, &f.list, &err), err);
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

/* The four reports under one number. */
static sloe_status report(int which, const sloe_report_options *options, char **text,
                          sloe_error *err) {
  const sloe_layers *layers[] = {f.layers, f.layers};
  const sloe_estimate *estimates[] = {f.estimate, f.estimate};
  switch (which) {
    case 0: return sloe_report_info(layers, options->list ? 2 : 1, options, text, err);
    case 1: return sloe_report_estimates(estimates, options->list ? 2 : 1, options, text, err);
    case 2: return sloe_report_platforms(f.list, options, text, err);
    default: return sloe_report_platform(f.platform, options, text, err);
  }
}
enum { REPORTS = 4 };

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
  sloe_dealloc(docs);
  sloe_dealloc(features);
}

/* ---- the formats are of one mind ---- */

static void a_list_holds_the_single_document(void **state) {
  (void)state;
  static const char *const keys[] = {"nets", "estimates"};
  for (int which = 0; which < 2; which++) {
    json_t *one = document(which, 0), *list = document(which, 1);
    json_object_del(one, "schema");
    json_object_del(one, "tool_version");
    json_t *array = json_object_get(list, keys[which]);
    assert_int_equal(json_array_size(array), 2);
    assert_true(json_equal(json_array_get(array, 0), one));
    json_decref(list);
    json_decref(one);
  }
}

static void json_says_what_the_library_says(void **state) {
  (void)state;
  const sloe_result *result = sloe_estimate_get(f.estimate);
  json_t *json = document(1, 0), *latency = json_object_get(json, "latency_ms");
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
  assert_ok(report(1, &options, &text, &err), err);
  csv_field(text, "latency_ms", field, sizeof field);
  assert_true(strtod(field, NULL) == sloe_estimate_get(f.estimate)->latency_ms.value);
  csv_field(text, "power_w", field, sizeof field);
  assert_string_equal(field, "");
  csv_field(text, "fits", field, sizeof field);
  assert_string_equal(field, "1");
  sloe_text_free(text);
  assert_ok(report(0, &options, &text, &err), err);
  csv_field(text, "params", field, sizeof field);
  assert_string_equal(field, "1235496");
  sloe_text_free(text);
}

static void tables_never_call_an_unvalidated_range_an_interval(void **state) {
  (void)state;
  sloe_error err = {0};
  char *text;
  sloe_report_options options = {.layers = 1, .bars = 1};
  assert_ok(report(1, &options, &text, &err), err);
  assert_null(strstr(text, "90 %"));
  assert_non_null(strstr(text, "never validated"));
  assert_non_null(strstr(text, "datasheet"));
  sloe_text_free(text);
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
      cmocka_unit_test(a_list_holds_the_single_document),
      cmocka_unit_test(json_says_what_the_library_says),
      cmocka_unit_test(csv_says_what_the_library_says),
      cmocka_unit_test(tables_never_call_an_unvalidated_range_an_interval),
      cmocka_unit_test(the_batch_is_the_leading_dimension_unless_that_is_colour),
      cmocka_unit_test(no_memory_is_reported_and_nothing_is_lost),
  };
  return cmocka_run_group_tests(tests, open_all, close_all);
}
