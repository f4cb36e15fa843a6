/* trtexec's files as tables: which belong together, what is refused, what a layer is in the net. */
#include <unistd.h>

#include "campaign/engine_names.h"
#include "campaign/jetson_name.h"
#include "unit/import_table.h"
#include "unit/store_files.h"

#define I "[05/13/2026-12:54:14] [I] "
#define W "[05/13/2026-12:54:14] [W] "
#define RUN(options) \
  "&&&& RUNNING TensorRT.trtexec [TensorRT v8502] # trtexec --onnx=m.onnx --fp16 " options "\n"
#define PASSED "&&&& PASSED TensorRT.trtexec [TensorRT v8502] # trtexec --onnx=m.onnx\n"
#define GPU(median)                                                              \
  I "GPU Compute Time: min = " median " ms, max = " median " ms, mean = " median \
    " ms, median = " median " ms, percentile(99%) = " median " ms\n"
#define TIMES(ms) "[ { \"startComputeMs\" : 250, \"computeMs\" : " ms ", \"h2dMs\" : 0 } ]\n"
#define PROFILE(count, ms)                                                               \
  "[ { \"count\" : " count " }, { \"name\" : \"a\", \"timeMs\" : 1, \"averageMs\" : " ms \
  ", \"percentage\" : 100 } ]\n"
#define LAYERS "{\"Layers\": [{\"Name\": \"a\", \"LayerType\": \"CaskConvolution\"}]}\n"

static table t;
static char said[4096];
static const sloe_net_options *net_options;

static void keep_warning(void *context, const char *text) {
  (void)context;
  strncat(said, text, sizeof said - strlen(said) - 2);
  strncat(said, "\n", 2);
}

typedef struct given {
  const char *name, *text;
} given;

static sloe_status import_given(const given *files, size_t n, const char *net, sloe_error *err) {
  static char paths[6][1024];
  const char *names[6];
  char *text;
  for (size_t i = 0; i < n; i++) {
    snprintf(paths[i], sizeof paths[i], "%s", store_path(files[i].name));
    FILE *file = fopen(paths[i], "w");
    assert_non_null(file);
    fputs(files[i].text, file);
    fclose(file);
    names[i] = paths[i];
  }
  const sloe_watch watch = {.warn = keep_warning};
  const sloe_import_options options = {.format = "trtexec",
                                       .files = names,
                                       .n_files = n,
                                       .net = net,
                                       .net_options = net_options,
                                       .watch = &watch};
  said[0] = 0;
  free_table(&t);
  const sloe_status status = sloe_import(&options, &text, err);
  assert_int_equal(status == SLOE_OK, text != NULL);
  if (text) read_table(text, &t);
  sloe_text_free(text);
  return status;
}

static void import_ok(const given *files, size_t n, const char *net) {
  sloe_error err;
  assert_ok(import_given(files, n, net, &err), err);
}

/* ---- which belong together ---- */

static void files_go_to_the_run_that_names_them(void **state) {
  const given files[] = {
      {"one.log", RUN("--exportProfile=out/p1.json --separateProfileRun") GPU("1")
                      PASSED RUN("--exportProfile=p2.json --separateProfileRun") GPU("1") PASSED},
      {"p2.json", PROFILE("9", "2")},
      {"p1.json", PROFILE("9", "3")}};
  (void)state;
  import_ok(files, 3, NULL);
  assert_int_equal(t.n_rows, 4);
  assert_string_equal(cell(&t, 0, "sum_of_layers_ms"), "3");
  assert_string_equal(cell(&t, 2, "sum_of_layers_ms"), "2");
}

static void files_go_to_the_run_with_as_many_inferences(void **state) {
  const given files[] = {
      {"x.json", PROFILE("12", "2")},
      {"many.log", RUN("") I "Timing trace has 7 queries over 3 s\n" GPU("1") PASSED RUN("") I
       "Warmup completed 2 queries over 200 ms\n" I
       "Timing trace has 10 queries over 3 s\n" GPU("1") PASSED}};
  (void)state;
  import_ok(files, 2, NULL);
  assert_string_equal(cell(&t, 0, "sum_of_layers_ms"), "");
  assert_string_equal(cell(&t, 1, "sum_of_layers_ms"), "2");
}

static void files_of_one_stem_are_one_run_whatever_their_order(void **state) {
  const given files[] = {
      {"b.profile.json", PROFILE("9", "2")},      {"a_run.log", RUN("") GPU("1.5") PASSED},
      {"b-trtexec.log", RUN("") GPU("2") PASSED}, {"a_times.json", TIMES("9")},
      {"a.profile.json", PROFILE("9", "1")},      {"b_layerinfo.json", LAYERS}};
  (void)state;
  import_ok(files, 6, NULL);
  assert_int_equal(t.n_rows, 4);
  assert_string_equal(cell(&t, 0, "latency_ms"), "1.5");
  assert_string_equal(cell(&t, 0, "sum_of_layers_ms"), "1");
  assert_non_null(strstr(cell(&t, 0, "remarks"), "the exported times have a median of 9 ms"));
  assert_string_equal(cell(&t, 2, "sum_of_layers_ms"), "2");
  assert_string_equal(cell(&t, 3, "layer_type"), "CaskConvolution");
}

static void files_without_a_stem_go_with_the_log_before_them(void **state) {
  const given files[] = {{"run.log", RUN("") GPU("2") PASSED},
                         {"times.json", TIMES("2.01")},
                         {"profile.json", PROFILE("9", "2.5")},
                         {"layers.json", LAYERS}};
  (void)state;
  import_ok(files, 4, NULL);
  assert_int_equal(t.n_rows, 2);
  assert_string_equal(cell(&t, 0, "p75"), "2.01");
  assert_string_equal(cell(&t, 0, "sum_of_layers_ms"), "2.5");
  assert_string_equal(cell(&t, 1, "layer_type"), "CaskConvolution");
}

static void what_cannot_be_of_the_run_is_another(void **state) {
  const given files[] = {{"run.log", RUN("") GPU("2") PASSED}, {"times.json", TIMES("3")}};
  (void)state;
  import_ok(files, 2, NULL);
  assert_int_equal(t.n_rows, 2);
  assert_string_equal(cell(&t, 1, "latency_ms"), "3");
  assert_string_equal(cell(&t, 1, "precision"), "");
}

static void two_networks_exports_are_two_runs(void **state) {
  const given files[] = {{"fp16_times.json", TIMES("2")},
                         {"fp32_times.json", TIMES("5")},
                         {"fp32_profile.json", PROFILE("9", "5")}};
  (void)state;
  import_ok(files, 3, NULL);
  assert_int_equal(t.n_rows, 3);
  assert_string_equal(cell(&t, 0, "latency_ms"), "2");
  assert_string_equal(cell(&t, 1, "latency_ms"), "5");
  assert_string_equal(cell(&t, 1, "sum_of_layers_ms"), "5");
}

/* ---- judging ---- */

static void what_disqualifies_a_run_stands_in_its_reason(void **state) {
  static const struct {
    const char *text, *quality, *reason;
  } cases[] = {
      {RUN("") GPU("2") PASSED, "ok", ""},
      {RUN("--exportProfile=p.json") GPU("2") PASSED, "skipped", "layers were profiled"},
      {RUN("") I "Enqueue Time: min = 1 ms, median = 1.9 ms\n" GPU("2") PASSED, "skipped",
       "bound by the time to enqueue"},
      {RUN("") W "Dynamic dimensions required for input: x, but no shapes were provided. "
                 "Automatically overriding shape to: 1x3x1x1\n" GPU("0.0177") PASSED,
       "skipped", "dynamic dimensions"},
      {RUN("") I "Streams: 4\n" GPU("2") PASSED, "skipped", "several inferences at once"},
      {RUN("") W "* GPU compute time is unstable, with coefficient of variance = 12.5%.\n" GPU("2")
           PASSED,
       "noisy", "12.5 %"},
      {RUN("") "[x] [E] Engine could not be created from network\n"
               "&&&& FAILED TensorRT.trtexec [TensorRT v8502] # trtexec\n",
       "skipped", "the engine was not built; the run failed: Engine could not be created"},
      {RUN("--skipInference") PASSED, "skipped", "nothing was timed"},
      {RUN("") I "Starting inference\nKilled\n", "skipped", "memory ran out"},
      {RUN("") I "Starting inference\n", "skipped", "killed, or the log was cut"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const given file = {"run.log", cases[i].text};
    import_ok(&file, 1, NULL);
    assert_string_equal(cell(&t, 0, "quality"), cases[i].quality);
    if (!strstr(cell(&t, 0, "reason"), cases[i].reason))
      fail_msg("'%s' lacks '%s'", cell(&t, 0, "reason"), cases[i].reason);
    assert_int_equal(!*cases[i].reason, !strstr(said, cases[i].quality));
  }
}

static void records_of_the_warm_up_are_left_out_of_old_versions_only(void **state) {
#define RECORDS                                                                                   \
  "[ { \"startComputeMs\" : 10, \"computeMs\" : 9, \"h2dMs\" : 0 }, { \"startComputeMs\" : 600, " \
  "\"computeMs\" : 2, \"h2dMs\" : 0 } ]\n"
#define OLD(version)                                                                 \
  "&&&& RUNNING TensorRT.trtexec [TensorRT " version "] # trtexec --onnx=m.onnx\n" I \
  "Duration: 3s (+ 500ms warm up)\n"
  const given old[] = {{"run.log", OLD("v8401")}, {"times.json", RECORDS}};
  const given new[] = {{"run.log", OLD("v8502")}, {"times.json", RECORDS}};
  (void)state;
  import_ok(old, 2, NULL);
  assert_string_equal(cell(&t, 0, "latency_ms"), "2");
  assert_string_equal(cell(&t, 0, "runs"), "1");
  assert_non_null(strstr(cell(&t, 0, "remarks"), "1 records of the warm-up left out"));
  import_ok(new, 2, NULL);
  assert_string_equal(cell(&t, 0, "latency_ms"), "5.5");
}

static void a_help_dump_and_a_file_that_is_none_are_refused_by_name(void **state) {
  const given help = {"help.txt",
                      "&&&& RUNNING TensorRT.trtexec [TensorRT v8502] # trtexec -x\n"
                      "  --onnx=<file>   ONNX model\n"
                      "&&&& FAILED TensorRT.trtexec [TensorRT v8502] # trtexec -x\n"};
  const given both[] = {{"run.log", RUN("") GPU("2") PASSED}, {"notes.txt", "2 ms\n"}};
  sloe_error err;
  (void)state;
  assert_refused(import_given(&help, 1, NULL, &err), SLOE_FORMAT, err, "help.txt: trtexec's help");
  assert_refused(import_given(both, 2, NULL, &err), SLOE_FORMAT, err, "notes.txt: nothing that");
  assert_refused(import_given(both, 1, "nowhere.onnx", &err), SLOE_NOTFOUND, err, "nowhere.onnx");
}

/* ---- layers in a net ---- */

#define LAYER(name, ms) \
  ", { \"name\" : \"" name "\", \"timeMs\" : 1, \"averageMs\" : " ms ", \"percentage\" : 1 }\n"

static void layers_of_another_exporter_are_found_by_their_order(void **state) {
  const given file = {"profile.json",
                      "[ { \"count\" : 50 }\n" LAYER("first/conv + first/relu", "1")
                          LAYER("strange thing", "2") LAYER("second/conv + second/relu", "3")
                              LAYER("head/fc", "4") LAYER("head/softmax", "5") "]\n"};
  (void)state;
  import_ok(&file, 1, "zoo:chain,kind=conv,layers=2,filters=8,k1=3,input=32");
  assert_int_equal(t.n_rows, 6);
  assert_string_equal(cell(&t, 1, "found"), "order");
  assert_string_equal(cell(&t, 1, "quality"), "ok");
  assert_string_equal(cell(&t, 1, "net"), "zoo:layer,op=conv,c=3,h=32,w=32,k=8,kernel=3,act=relu");
  assert_string_equal(cell(&t, 2, "found"), "");
  assert_string_equal(cell(&t, 2, "quality"), "skipped");
  assert_string_equal(cell(&t, 2, "difference"), "not found in the net");
  assert_string_equal(cell(&t, 4, "kind"), "fc");
  assert_string_equal(cell(&t, 5, "found"), "outside");
  assert_non_null(strstr(said, "3 of 5 layers found in zoo:chain"));
  assert_non_null(strstr(said, "layer 'strange thing' is not found in the net"));
}

static void a_net_is_opened_at_the_batch_of_the_run_unless_told(void **state) {
  const given files[] = {
      {"run.log",
       RUN("") I "Created input binding for x with dimensions 4x3x32x32\n" GPU("2") PASSED},
      {"profile.json", "[ { \"count\" : 50 }\n" LAYER("a/conv + a/relu", "1.5") "]\n"}};
  (void)state;
  import_ok(files, 2, "zoo:chain,kind=conv,layers=1,filters=8,k1=3,input=32"); /* made at batch 4 */
  assert_string_equal(cell(&t, 0, "batch"), "4");
  assert_string_equal(cell(&t, 1, "net"),
                      "zoo:layer,op=conv,n=4,c=3,h=32,w=32,k=8,kernel=3,act=relu");
  import_ok(files + 1, 1, "zoo:chain,kind=conv,layers=1,filters=8,k1=3,input=32");
  assert_string_equal(cell(&t, 0, "batch"), "1");
  assert_non_null(strstr(cell(&t, 0, "remarks"), "the batch is the net's"));
  const sloe_net_options two = {.batch = 2};
  net_options = &two;
  import_ok(files, 2, "zoo:chain,kind=conv,layers=1,filters=8,k1=3,input=32");
  net_options = NULL;
  assert_non_null(strstr(cell(&t, 0, "remarks"), "ran with batch 4, the net has 2"));
  assert_string_equal(cell(&t, 1, "net"), "");
  assert_string_equal(cell(&t, 1, "found"), "order");
  assert_string_equal(cell(&t, 1, "reason"), "ran with another batch than the net has");
}

static void a_time_of_nothing_is_none(void **state) {
  static const char *const times[] = {"0", "nan", "inf"};
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    char text[512];
    snprintf(text, sizeof text, "%s%sGPU Compute Time: min = 1 ms, median = %s ms\n%s", RUN(""), I,
             times[i], PASSED);
    const given file = {"run.log", text};
    import_ok(&file, 1, NULL);
    assert_string_equal(cell(&t, 0, "quality"), "skipped");
    assert_string_equal(cell(&t, 0, "latency_ms"), "");
  }
}

static void a_profile_of_few_iterations_is_noisy(void **state) {
  const given file = {"profile.json", "[ { \"count\" : 4 }\n" LAYER("a/conv + a/relu", "1") "]\n"};
  (void)state;
  import_ok(&file, 1, "zoo:chain,kind=conv,layers=1,filters=8,k1=3,input=32");
  assert_string_equal(cell(&t, 1, "quality"), "noisy");
  assert_string_equal(cell(&t, 1, "reason"), "of fewer than 5 iterations");
}

static void every_allocation_of_an_import_may_fail(void **state) {
  const given files[] = {
      {"run.log", RUN("") GPU("2") PASSED},
      {"profile.json", "[ { \"count\" : 50 }\n" LAYER("a/conv + a/relu", "1") "]"}};
  const char *names[2];
  char paths[2][1024];
  (void)state;
  import_ok(files, 2, NULL); /* writes them */
  free_table(&t);
  for (int i = 0; i < 2; i++) {
    snprintf(paths[i], sizeof paths[i], "%s", store_path(files[i].name));
    names[i] = paths[i];
  }
  const sloe_import_options options = {
      .format = "trtexec",
      .files = names,
      .n_files = 2,
      .net = "zoo:chain,kind=conv,layers=1,filters=4,k1=3,input=8"};
  for (long n = 0;; n += 1 + n / 16) {
    const long live = sloe_alloc_live();
    char *text = (char *)&options;
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    const sloe_status status = sloe_import(&options, &text, &err);
    sloe_alloc_fail_after(-1);
    assert_int_equal(status == SLOE_OK, text != NULL);
    sloe_text_free(text);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
    assert_true(err.msg[0]);
  }
}

/* ---- names ---- */

static void list_part(void *context, const char *part, size_t len, int from) {
  char *all = context;
  snprintf(all + strlen(all), 512 - strlen(all), "%.*s%s|", (int)len, part,
           from == 1   ? "<"
           : from == 2 ? ">"
                       : "");
}

static void names_fall_into_the_ops_that_were_fused(void **state) {
  static const struct {
    const char *name, *parts;
  } cases[] = {
      {"a", "a|"},
      {"/c/Conv + /r/Relu", "/c/Conv|/r/Relu|"},
      {"a + b || c + d", "a|b|c|d|"},
      {"PWN(PWN(a, b + c), d)", "a|b|c|d|"},
      {"conv + PWN(PWN(sig), mul)", "conv|sig|mul|"},
      {"{ForeignNode[x/y...z]}", "x/y<|z>|"},
      {"{ForeignNode[a]}", "a|"},
      {"(Unnamed Layer* 16) [Shuffle] + b", "b|"},
      {"a [profile 1]", "a|"},
      {"name, with (a + b)", "name, with (a + b)|"},
      {"[CONV]-[aten.conv]-[/c] + [RELU]-[aten.relu]-[/r]", "/c|/r|"},
      {"a) + b", "a)|b|"},
      {"", ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char all[512] = "";
    sloe_engine_parts(cases[i].name, strlen(cases[i].name), list_part, all);
    assert_string_equal(all, cases[i].parts);
  }
}

static void a_name_tells_what_it_is_for(void **state) {
  static const struct {
    const char *name, *type, *origin, *owner;
    sloe_engine_role role;
  } cases[] = {
      {"a + b", "", "", "a + b", SLOE_ENGINE_LAYER},
      {"Reformatting CopyNode for Input Tensor 0 to a + b", "", "", "a + b", SLOE_ENGINE_REFORMAT},
      {"a + b input reformatter 0", "", "", "a + b", SLOE_ENGINE_REFORMAT},
      {"a output reformatter 12", "", "", "a", SLOE_ENGINE_REFORMAT},
      {"Reformatting CopyNode for Output Tensor 0 to a", "NoOp", "", "a", SLOE_ENGINE_NOTHING},
      {"a copy", "", "", "a", SLOE_ENGINE_COPY},
      {"q", "Reformat", "QDQ", "q", SLOE_ENGINE_QUANTIZE},
      {"QuantizeLinear_2", "", "", "QuantizeLinear_2", SLOE_ENGINE_QUANTIZE},
      {"w + QuantizeLinear_7 + Conv_9", "", "", "w + QuantizeLinear_7 + Conv_9", SLOE_ENGINE_LAYER},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t len;
    const char *owner = sloe_engine_owner(cases[i].name, &len);
    assert_int_equal(len, strlen(cases[i].owner));
    assert_memory_equal(owner, cases[i].owner, len);
    assert_int_equal(sloe_engine_role_of(cases[i].name, cases[i].type, cases[i].origin),
                     cases[i].role);
  }
}

static void boards_of_one_chip_are_told_apart_as_far_as_can_be(void **state) {
  static const struct {
    sloe_gpu_told gpu;
    const char *name;
  } cases[] = {
      {{"NVIDIA Tegra X1", 53, 1, 921.6, 3964}, "jetson-nano-4gb"},
      {{"NVIDIA Tegra X1", 53, 1, 921.6, 1979}, "jetson-nano-2gb"},
      {{"NVIDIA Tegra X1", 53, 2, 998.4, 3995}, "jetson-tx1"},
      {{"NVIDIA Tegra X2", 62, 2, 1300, 7850}, "jetson-tx2-8gb"},
      {{"NVIDIA Tegra X2", 62, 2, 1300, 3830}, "nvidia-tegra-x2"}, /* TX2 4GB, or TX2 NX */
      {{"Xavier", 72, 6, 1109, 7764}, "jetson-xavier-nx-8gb"},
      {{"Xavier", 72, 8, 1377, 31928}, "jetson-agx-xavier-32gb"},
      {{"Orin", 87, 8, 624.75, 7467}, "jetson-orin-nano-8gb"},
      {{"Orin", 87, 8, 1020, 7619}, "jetson-orin-nano-8gb"},
      {{"Orin", 87, 8, 765, 7337}, "jetson-orin-nx-8gb"},
      {{"Orin", 87, 4, 408, 7337}, "orin"}, /* a clock that both have */
      {{"Orin", 87, 8, 918, 15656}, "jetson-orin-nx-16gb"},
      {{"Orin", 87, 16, 1300, 62840}, "jetson-agx-orin-64gb"},
      {{"NVIDIA Thor", 110, 20, 1575, 125771}, "jetson-thor-t5000"},
      {{"NVIDIA GeForce RTX 3060 Laptop GPU", 86, 30, 1425, 5937},
       "nvidia-geforce-rtx-3060-laptop-gpu"},
      {{"", 0, 0, NAN, NAN}, ""},
  };
  char buf[96];
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_string_equal(sloe_jetson_name(&cases[i].gpu, buf, sizeof buf), cases[i].name);
}

static int fini(void **state) {
  free_table(&t);
  return store_empty_folder(state);
}

int main(void) {
#define TEST(name) cmocka_unit_test_teardown(name, fini)
  const struct CMUnitTest tests[] = {
      TEST(files_go_to_the_run_that_names_them),
      TEST(files_go_to_the_run_with_as_many_inferences),
      TEST(files_of_one_stem_are_one_run_whatever_their_order),
      TEST(files_without_a_stem_go_with_the_log_before_them),
      TEST(what_cannot_be_of_the_run_is_another),
      TEST(two_networks_exports_are_two_runs),
      TEST(what_disqualifies_a_run_stands_in_its_reason),
      TEST(records_of_the_warm_up_are_left_out_of_old_versions_only),
      TEST(a_help_dump_and_a_file_that_is_none_are_refused_by_name),
      TEST(layers_of_another_exporter_are_found_by_their_order),
      TEST(a_net_is_opened_at_the_batch_of_the_run_unless_told),
      TEST(a_time_of_nothing_is_none),
      TEST(a_profile_of_few_iterations_is_noisy),
      TEST(every_allocation_of_an_import_may_fail),
      TEST(names_fall_into_the_ops_that_were_fused),
      TEST(a_name_tells_what_it_is_for),
      TEST(boards_of_one_chip_are_told_apart_as_far_as_can_be),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
