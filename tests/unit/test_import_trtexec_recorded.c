/* Recorded files of trtexec against an independent reading of them (tools/make_trtexec_goldens.py).
 * Skipped where the recordings are not there. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "unit/import_table.h"

#define RECORDINGS SLOE_SOURCE_DIR "/../shared/data/trtexec/"
#define GOLDENS    SLOE_SOURCE_DIR "/tests/data/goldens/trtexec.txt"

/* Numbers are equal to a billionth. */
static void check_cell(const table *t, size_t row, const char *column, const char *expected,
                       const char *file) {
  const char *is = cell(t, row, column);
  double a, b;
  if (sloe_parse_double(is, strlen(is), &a) && sloe_parse_double(expected, strlen(expected), &b) &&
      fabs(a - b) <= 1e-9 * fmax(1, fabs(b)))
    return;
  if (strcmp(is, expected)) fail_msg("%s: %s is '%s', not '%s'", file, column, is, expected);
}

static int is_there(void) {
  return access(RECORDINGS "SOURCES.md", R_OK) == 0;
}

/* ---- numbers ---- */

static void take_line(const char *key, const char *value, const char *file, table *t, size_t *row) {
  if (!strcmp(key, "rows")) {
    assert_int_equal(t->n_rows, strtoul(value, NULL, 10));
  } else if (!strcmp(key, "network") || !strcmp(key, "layer")) {
    *row = find_row(t, key, strtoul(value, NULL, 10));
  } else if (!strcmp(key, "name_length")) {
    assert_int_equal(strlen(cell(t, *row, "layer")), strtoul(value, NULL, 10));
  } else {
    check_cell(t, *row, key, value, file);
  }
}

static void open_recording(const char *name, table *t, sloe_error *err, int refused) {
  char path[1024];
  const char *paths[] = {path};
  snprintf(path, sizeof path, RECORDINGS "%s", name);
  free_table(t);
  if (!refused) {
    assert_ok(import_files(paths, 1, NULL, t, err), *err);
    return;
  }
  assert_int_equal(import_files(paths, 1, NULL, t, err), SLOE_FORMAT);
  assert_non_null(strstr(err->msg, name));
}

static void every_recording_gives_the_numbers_that_stand_in_it(void **state) {
  static table t;
  char *goldens, file[256] = "";
  size_t len, row = 0, n_files = 0;
  sloe_error err = {0};
  (void)state;
  if (!is_there()) skip();
  assert_ok(sloe_file_read(GOLDENS, 1 << 22, &goldens, &len, &err), err);
  char *save = goldens;
  while (save) {
    char *line = save, *end = strchr(save, '\n');
    if (end) *end = 0;
    save = end ? end + 1 : NULL;
    char *value = strchr(line, ' ');
    if (*line == '#' || !*line) continue;
    if (value) *value++ = 0;
    if (!strcmp(line, "refused")) {
      open_recording(file, &t, &err, 1);
    } else if (!strcmp(line, "file")) {
      snprintf(file, sizeof file, "%s", value);
      n_files++;
    } else {
      if (!strcmp(line, "rows")) open_recording(file, &t, &err, 0);
      take_line(line, value, file, &t, &row);
    }
  }
  assert_int_equal(n_files, 28);
  free_table(&t);
  sloe_dealloc(goldens);
}

static void a_run_that_may_not_be_fitted_from_says_why(void **state) {
  static const struct {
    const char *file, *quality, *reason;
  } cases[] = {
      {"nano_trt8.2.1_ufld_r18_fp32.log", "ok", ""},
      {"orin_nano8gb_trt10.3_resnet18_fp16_run.log", "ok", ""},
      {"orin_nano8gb_trt10.3_resnet18_fp16_build.log", "ok", ""},
      {"nano_trt8.0.1_yolo640_fp16.log", "skipped", "bound by the time to enqueue"},
      {"nano_trt8.0.1_yolo640_fp16.log", "skipped", "layers were profiled in the timed run"},
      {"jetson_xavierclass_trt7.1_googlenet_int8_b1_raw.txt", "skipped", "layers were profiled"},
      {"jetson_xavierclass_trt7.1_googlenet_int8_b1_times.json", "skipped", "or profiled"},
      {"xavier_nx16gb_trt8.5.2_cct_s_dumpProfile_excerpt.log", "skipped", "no time of the network"},
      {"fmt_a100_trt8.4_resnet18_fp16_b32_profile.json", "skipped", "not of the network"},
  };
  static table t;
  sloe_error err;
  (void)state;
  if (!is_there()) skip();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    open_recording(cases[i].file, &t, &err, 0);
    assert_string_equal(cell(&t, 0, "quality"), cases[i].quality);
    assert_non_null(strstr(cell(&t, 0, "reason"), cases[i].reason));
    assert_int_equal(!*cases[i].reason, !*cell(&t, 0, "reason"));
  }
  free_table(&t);
}

static void boards_are_told_by_what_cuda_tells_of_them(void **state) {
  static table t;
  sloe_error err;
  (void)state;
  if (!is_there()) skip();
  open_recording("nano_trt8.0.1_yolo640_fp16.log", &t, &err, 0);
  assert_string_equal(cell(&t, 0, "device"), "jetson-nano-4gb");
  open_recording("orin_nano8gb_trt10.3_resnet18_fp16_run.log", &t, &err, 0);
  assert_string_equal(cell(&t, 0, "device"), "jetson-orin-nano-8gb");
  open_recording("jetson_xavierclass_trt7.1_googlenet_int8_b1_raw.txt", &t, &err, 0);
  assert_string_equal(cell(&t, 0, "device"), "");
  free_table(&t);
}

/* ---- files that belong together ---- */

static void a_log_and_its_exports_are_one_run(void **state) {
  const char *const paths[] = {
      RECORDINGS "jetson_xavierclass_trt7.1_resnet50_int8_b1-128_raw.txt",
      RECORDINGS "jetson_xavierclass_trt7.1_resnet50_n2_int8_b1_times.json",
      RECORDINGS "jetson_xavierclass_trt7.1_resnet50_n2_int8_b1_profile.json"};
  static table t;
  sloe_error err;
  (void)state;
  if (!is_there()) skip();
  assert_ok(import_files(paths, 3, NULL, &t, &err), err);
  assert_int_equal(t.n_rows, 7 + 58);
  assert_string_equal(cell(&t, 0, "latency_ms"), "3.03919"); /* of the log */
  assert_string_equal(cell(&t, 0, "p75"), "3.05505");        /* of the times */
  assert_string_equal(cell(&t, 0, "sum_of_layers_ms"), "3.03192785");
  assert_string_equal(cell(&t, 1, "row"), "layer");
  assert_string_equal(cell(&t, 59, "batch"), "4");
  assert_string_equal(cell(&t, 59, "sum_of_layers_ms"), "");
  free_table(&t);
}

static void a_loaded_engine_has_the_precision_of_the_run_that_built_it(void **state) {
  const char *const paths[] = {RECORDINGS "orin_nano8gb_trt10.3_resnet18_fp16_run.log",
                               RECORDINGS "orin_nano8gb_trt10.3_resnet18_fp16_build.log"};
  static table t;
  sloe_error err;
  (void)state;
  if (!is_there()) skip();
  assert_ok(import_files(paths, 1, NULL, &t, &err), err);
  assert_string_equal(cell(&t, 0, "precision"), "");
  free_table(&t);
  assert_ok(import_files(paths, 2, NULL, &t, &err), err);
  assert_int_equal(t.n_rows, 2);
  assert_string_equal(cell(&t, 0, "precision"), "fp16");
  assert_string_equal(cell(&t, 0, "net"), "models/resnet18_random_seed42_opset17.onnx");
  free_table(&t);
}

/* ---- layers in their net ---- */

#define MODELS SLOE_SOURCE_DIR "/../shared/models/"

static void every_layer_of_the_recorded_engines_is_found_in_its_net(void **state) {
  static const struct {
    const char *net, *profile, *layers, *found;
    size_t layer, outside, owner, differs;
  } cases[] = {
      {MODELS "tv_resnet18.onnx", "fmt_rtx3060_trt10_resnet18_fp16_profile.json",
       "fmt_rtx3060_trt10_resnet18_fp16_layerinfo.json", "metadata", 23, 0, 0, 0},
      {MODELS "tv_resnet18.onnx", "fmt_a100_trt8.4_resnet18_fp16_b32_profile.json",
       "fmt_a100_trt8.4_resnet18_fp16_b32_layerinfo.json", "order", 23, 0, 0, 0},
      {MODELS "tv_resnet18.onnx", "fmt_a100_trt8.4_resnet18_fp16_b32_profile.json", NULL, "order",
       23, 0, 0, 0},
      {MODELS "tv_resnet18.onnx", "fmt_a100_trt8.4_resnet18_int8qat_b32_profile.json",
       "fmt_a100_trt8.4_resnet18_int8qat_b32_layerinfo.json", "order", 23, 0, 0, 2},
      {MODELS "tv_resnet18.onnx", "fmt_torchtrt_jetson_orin_resnet18_fp16_engineinfo.json", NULL,
       "order", 23, 0, 0, 6},
      {"zoo:resnet,depth=50,flavour=keras", "fmt_rtx3090_resnet50tf_fp16_profile.json",
       "fmt_rtx3090_resnet50tf_fp16_layerinfo.json", "order", 59, 2, 1, 0},
      {"zoo:resnet,depth=50,flavour=caffe",
       "jetson_xavierclass_trt7.1_resnet50_n2_int8_b1_profile.json", NULL, "order", 56, 1, 0, 8},
      {"zoo:googlenet,flavour=caffe", "jetson_xavierclass_trt7.1_googlenet_int8_b1_profile.json",
       NULL, "order", 56, 1, 0, 0},
  };
  static table t;
  (void)state;
  if (!is_there() || access(MODELS "tv_resnet18.onnx", R_OK)) skip();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char profile[512], layers[512];
    const char *paths[] = {profile, layers};
    sloe_error err;
    snprintf(profile, sizeof profile, RECORDINGS "%s", cases[i].profile);
    if (cases[i].layers) snprintf(layers, sizeof layers, RECORDINGS "%s", cases[i].layers);
    assert_ok(import_files(paths, cases[i].layers ? 2 : 1, cases[i].net, &t, &err), err);
    assert_int_equal(count(&t, "role", "layer"), cases[i].layer);
    assert_int_equal(count(&t, "found", cases[i].found),
                     cases[i].layer - cases[i].outside - cases[i].owner);
    assert_int_equal(count(&t, "found", "outside"), cases[i].outside);
    assert_int_equal(count(&t, "difference", "our fusion has our_layer in its place"),
                     cases[i].differs);
    free_table(&t);
  }
}

/* "res2a_branch1 + res2a + res2a_relu": the convolution beside the block adds, which in the net is
   the later one, and has all of its ops. */
static void the_addition_is_where_the_engine_has_it(void **state) {
  const char *const path = RECORDINGS "jetson_xavierclass_trt7.1_resnet50_n2_int8_b1_profile.json";
  static table t;
  sloe_error err;
  (void)state;
  if (!is_there()) skip();
  assert_ok(import_files(&path, 1, "zoo:resnet,depth=50,flavour=caffe", &t, &err), err);
  const size_t alone = find_row(&t, "layer", 4), adds = find_row(&t, "layer", 5);
  assert_string_equal(cell(&t, alone, "layer"), "res2a_branch2c");
  assert_string_equal(cell(&t, alone, "ops"), "Conv_10 + BatchNormalization_11");
  assert_string_equal(cell(&t, adds, "ops"), "Conv_12 + BatchNormalization_13 + Add_14 + Relu_15");
  assert_string_equal(cell(&t, adds, "our_layer"), "Conv_12");
  assert_string_equal(cell(&t, adds, "net"),
                      "zoo:layer,op=conv,c=64,h=56,w=56,k=256,act=relu,add=1");
  free_table(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_recording_gives_the_numbers_that_stand_in_it),
      cmocka_unit_test(a_run_that_may_not_be_fitted_from_says_why),
      cmocka_unit_test(boards_are_told_by_what_cuda_tells_of_them),
      cmocka_unit_test(a_log_and_its_exports_are_one_run),
      cmocka_unit_test(a_loaded_engine_has_the_precision_of_the_run_that_built_it),
      cmocka_unit_test(every_layer_of_the_recorded_engines_is_found_in_its_net),
      cmocka_unit_test(the_addition_is_where_the_engine_has_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
