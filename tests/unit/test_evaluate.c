/* A platform against measurement tables: errors equal those reckoned by hand, what is left out is
 * counted, and what could not be compared is said. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "campaign/campaign.h"
#include "estimate/estimate.h"
#include "platform/platform.h"
#include "unit/unit.h"

#define MODELS SLOE_SOURCE_DIR "/data/models/"
#define BOARD  SLOE_SOURCE_DIR "/data/platforms/jetson-orin-nano-8gb-datasheet.sloe"
#define GPU    SLOE_SOURCE_DIR "/data/platforms/h200-cudnn9-fp32.sloe"

static const char *const NETS[] = {"tv_resnet18.onnx", "tv_mobilenet_v2.onnx",
                                   "tv_squeezenet1_1.onnx"};
static char folder[] = SLOE_BINARY_DIR "/evaluate-XXXXXX";
static sloe_platform *platform;
static double latency[3], memory[3]; /* estimates of NETS */

static const char *path_of(const char *name) {
  static char path[4][1024];
  static int turn;
  char *to = path[turn++ & 3];
  snprintf(to, sizeof path[0], "%s/%s", folder, name);
  return to;
}

static int estimate(size_t i) {
  sloe_net *net = NULL;
  sloe_layers *layers = NULL;
  sloe_estimate *answer = NULL;
  char path[1024];
  snprintf(path, sizeof path, MODELS "%s", NETS[i]);
  const int ok = sloe_net_open(path, NULL, &net, NULL) == SLOE_OK &&
                 sloe_layers_new(net, sloe_platform_fusion(platform), &layers, NULL) == SLOE_OK &&
                 sloe_estimate_new(layers, platform, NULL, &answer, NULL) == SLOE_OK;
  if (ok) latency[i] = sloe_estimate_get(answer)->latency_ms.value;
  if (ok) memory[i] = sloe_estimate_get(answer)->memory_mb.value;
  sloe_estimate_free(answer);
  sloe_layers_free(layers);
  sloe_net_free(net);
  return ok && symlink(path, path_of(NETS[i])) == 0;
}

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) return -1;
  if (sloe_platform_open(BOARD, NULL, &platform, NULL) != SLOE_OK) return -1;
  for (size_t i = 0; i < 3; i++)
    if (!estimate(i)) return -1;
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  static const char *const made[] = {"t.csv", "p.csv", "p.csv.gz"};
  for (size_t i = 0; i < 3; i++) unlink(path_of(NETS[i])), unlink(path_of(made[i]));
  sloe_platform_free(platform);
  return rmdir(folder);
}

/* ---- tables ---- */

static void add_number(sloe_text *t, double value) {
  char buf[SLOE_NUMBER_BUF];
  sloe_text_addf(t, ",%s", isnan(value) ? "" : sloe_format_double(value, buf));
}

static void write_table(sloe_text *t) {
  sloe_error err;
  assert_false(t->failed);
  assert_ok(sloe_file_write(path_of("t.csv"), t->data, t->len, &err), err);
  sloe_text_fini(t);
}

static sloe_evaluate_options options_of(const char *by) {
  static char table[1024];
  snprintf(table, sizeof table, "%s", path_of("t.csv"));
  return (sloe_evaluate_options){.table = table, .by = by};
}

static sloe_evaluation *evaluate(const sloe_evaluate_options *options) {
  sloe_evaluation *e;
  sloe_error err;
  assert_ok(sloe_evaluate(options, platform, NULL, &e, &err), err);
  return e;
}

static void assert_near(double got, double want) {
  if (!(fabs(got - want) <= 1e-9 * fabs(want) + 1e-9)) fail_msg("%.17g is not %.17g", got, want);
}

static const char *find_warning(const sloe_evaluation *e, const char *text) {
  for (size_t i = 0; i < e->n_warnings; i++)
    if (strstr(e->warnings[i], text)) return e->warnings[i];
  return NULL;
}

/* Estimates are 5 % and 8 % too high and 20 % too low. */
static void write_latencies(const char *header, const char *const tail[3]) {
  static const double off[] = {1.05, 1.08, 0.8};
  sloe_text t = {0};
  sloe_text_addf(&t, "net,latency_ms%s\n", header);
  for (size_t i = 0; i < 3; i++) {
    sloe_text_add(&t, NETS[i]);
    add_number(&t, latency[i] / off[i]);
    sloe_text_addf(&t, "%s\n", tail[i]);
  }
  write_table(&t);
}

static const char *const NO_TAIL[] = {"", "", ""};

/* ---- tests ---- */

static void errors_are_those_reckoned_by_hand(void **state) {
  (void)state;
  write_latencies("", NO_TAIL);
  const sloe_evaluate_options options = options_of(NULL);
  sloe_evaluation *e = evaluate(&options);
  assert_int_equal(e->n_errors, 1);
  const sloe_errors *all = &e->errors[0];
  assert_string_equal(all->metric, "latency_ms");
  assert_string_equal(all->group, "");
  assert_int_equal(all->n, 3);
  assert_int_equal(all->left_out, 0);
  assert_near(all->mape, 11);
  assert_near(all->mpe, -7 / 3.0);
  assert_near(all->max_ape, 20);
  assert_near(all->min_ape, 5);
  assert_near(all->rmspe, sqrt((25 + 64 + 400) / 3.0));
  assert_near(all->within_10, 200 / 3.0);
  assert_near(all->mape_ci95, 1.96 * sqrt((36 + 9 + 81) / 2.0) / sqrt(3));
  assert_near(all->coverage_90, 100); /* a data sheet's intervals are wide */
  assert_string_equal(e->platform, sloe_platform_card(platform)->name);
  assert_string_equal(e->scaled, "");
  assert_string_equal(e->by, "");
  assert_int_equal(e->n_warnings, 0);
  sloe_evaluation_free(e);
}

static void rows_are_grouped_by_a_column_in_order_of_appearance(void **state) {
  (void)state;
  write_latencies(",family", (const char *const[]){",z", ",", ",z"});
  const sloe_evaluate_options options = options_of("family");
  sloe_evaluation *e = evaluate(&options);
  assert_int_equal(e->n_errors, 3);
  assert_string_equal(e->errors[1].group, "z");
  assert_int_equal(e->errors[1].n, 2);
  assert_near(e->errors[1].mape, 12.5);
  assert_string_equal(e->errors[2].group, "(empty)");
  assert_near(e->errors[2].mape, 8);
  assert_true(isnan(e->errors[2].mape_ci95));
  sloe_evaluation_free(e);
}

static void every_metric_of_table_and_platform_is_compared(void **state) {
  (void)state;
  sloe_text t = {0};
  sloe_text_addf(&t, "net,latency_ms,memory_mb,power_w,memory_kind\n%s", NETS[0]);
  add_number(&t, latency[0]);
  add_number(&t, memory[0] * 2);
  sloe_text_addf(&t, ",7,process\n%s,", NETS[1]);
  add_number(&t, memory[1]);
  sloe_text_addf(&t, ",8,device\n%s,,,,\n", NETS[2]);
  write_table(&t);
  const sloe_evaluate_options options = options_of(NULL);
  sloe_evaluation *e = evaluate(&options);
  assert_int_equal(e->n_errors, 2); /* a data sheet knows no power */
  assert_string_equal(e->errors[0].metric, "latency_ms");
  assert_int_equal(e->errors[0].n, 1);
  assert_int_equal(e->errors[0].left_out, 0); /* not measured is not left out */
  assert_string_equal(e->errors[1].metric, "memory_mb");
  assert_int_equal(e->errors[1].n, 2);
  assert_near(e->errors[1].mape, 25);
  assert_non_null(find_warning(e, "power_w was measured in 2 rows"));
  assert_non_null(find_warning(e, "memory_kind of 1 row ('process', not 'device')"));
  sloe_evaluation_free(e);
}

/* "NET#i": each layer's share of the estimate, 10 % above what was measured; layer 900 is none. */
static void layers_in_their_places_are_compared_one_by_one(void **state) {
  (void)state;
  sloe_net *net;
  sloe_layers *layers;
  sloe_estimate *answer;
  sloe_error err;
  sloe_text t = {0};
  size_t n = 0;
  assert_ok(sloe_net_open(path_of(NETS[1]), NULL, &net, &err), err);
  assert_ok(sloe_layers_new(net, sloe_platform_fusion(platform), &layers, &err), err);
  assert_ok(sloe_estimate_new(layers, platform, NULL, &answer, &err), err);
  const sloe_result *result = sloe_estimate_get(answer);
  sloe_text_add(&t, "net,latency_ms\n");
  for (size_t i = 0; i < result->n_layers; i++) {
    if (!(result->layers[i].latency_ms > 0)) continue;
    sloe_text_addf(&t, "%s#%zu", NETS[1], i);
    add_number(&t, result->layers[i].latency_ms / 1.1);
    sloe_text_add(&t, "\n");
    n++;
  }
  sloe_text_addf(&t, "%s#900,1\n", NETS[1]);
  write_table(&t);
  const sloe_evaluate_options options = options_of(NULL);
  sloe_evaluation *e = evaluate(&options);
  assert_true(n > 40);
  assert_int_equal(e->errors[0].n, n);
  assert_int_equal(e->errors[0].left_out, 1);
  assert_near(e->errors[0].mape, 10);
  assert_non_null(find_warning(e, "there is no layer 900"));
  sloe_evaluation_free(e);
  sloe_estimate_free(answer);
  sloe_layers_free(layers);
  sloe_net_free(net);
}

/* cuDNN's networks run an activation behind a batch normalisation by itself; a row of the table is
   one layer, of which no interval is known. */
static void a_layer_of_a_table_is_one_also_where_networks_run_two(void **state) {
  (void)state;
  static const char *const NET = "zoo:layer,op=batchnorm,c=64,h=14,w=14,act=relu";
  sloe_platform *gpu;
  sloe_layer_spec spec;
  sloe_spec_estimate told;
  sloe_evaluation *e;
  sloe_error err;
  sloe_text t = {0};
  assert_ok(sloe_platform_open(GPU, NULL, &gpu, &err), err);
  assert_ok(sloe_layer_spec_parse(NET, &spec, &err), err);
  assert_ok(sloe_estimate_spec(gpu, &spec, &told, &err), err);
  sloe_text_addf(&t, "net,latency_ms\n\"%s\"", NET);
  add_number(&t, told.latency_ms / 1.25);
  sloe_text_add(&t, "\n");
  write_table(&t);
  const sloe_evaluate_options options = options_of(NULL);
  assert_ok(sloe_evaluate(&options, gpu, NULL, &e, &err), err);
  assert_int_equal(e->errors[0].n, 1);
  assert_near(e->errors[0].mape, 25);
  assert_true(isnan(e->errors[0].coverage_90));
  sloe_evaluation_free(e);
  sloe_platform_free(gpu);
}

static void what_cannot_be_compared_is_left_out_and_counted(void **state) {
  (void)state;
  sloe_text t = {0};
  sloe_text_addf(&t, "net,latency_ms,quality\n%s", NETS[0]);
  add_number(&t, latency[0] / 1.1);
  sloe_text_addf(&t, ",ok\n%s,1,noisy\n%s,,skipped\n%s,0,\n", NETS[0], NETS[1], NETS[1]);
  sloe_text_add(&t, "gone.onnx,3,ok\ngone.onnx,4,ok\n,5,ok\nzoo:layer,5,ok\n");
  write_table(&t);
  const sloe_evaluate_options options = options_of(NULL);
  sloe_evaluation *e = evaluate(&options);
  assert_int_equal(e->n_errors, 1);
  assert_int_equal(e->errors[0].n, 1);
  assert_int_equal(e->errors[0].left_out, 7);
  assert_near(e->errors[0].mape, 10);
  assert_int_equal(e->n_warnings, 3);
  assert_non_null(find_warning(e, "gone.onnx"));
  assert_non_null(find_warning(e, "a row without a net"));
  assert_non_null(find_warning(e, "zoo:layer"));
  sloe_evaluation_free(e);
}

static void where_nothing_can_be_compared_the_errors_are_unknown(void **state) {
  (void)state;
  write_latencies("", NO_TAIL);
  sloe_evaluate_options options = options_of(NULL);
  options.method = SLOE_METHOD_NETWORK; /* a data sheet has no such model */
  sloe_evaluation *e = evaluate(&options);
  assert_int_equal(e->n_errors, 1);
  assert_int_equal(e->errors[0].n, 0);
  assert_int_equal(e->errors[0].left_out, 3);
  assert_true(isnan(e->errors[0].mape));
  assert_non_null(find_warning(e, "tv_resnet18.onnx: platform"));
  sloe_evaluation_free(e);
}

static void of_many_nets_that_fail_the_first_few_are_named(void **state) {
  (void)state;
  sloe_text t = {0};
  sloe_text_add(&t, "net,latency_ms\n");
  for (int i = 0; i < 20; i++) sloe_text_addf(&t, "gone%d.onnx,1\n", i % 9);
  write_table(&t);
  const sloe_evaluate_options options = options_of(NULL);
  sloe_evaluation *e = evaluate(&options);
  assert_int_equal(e->errors[0].left_out, 20);
  assert_int_equal(e->n_warnings, 6);
  assert_string_equal(e->warnings[5], "4 further nets could not be answered");
  sloe_evaluation_free(e);
}

static void rows_of_another_identity_are_compared_with_one_warning(void **state) {
  (void)state;
  write_latencies(",device,runtime,precision",
                  (const char *const[]){",jetson-orin-nano-8gb,tensorrt,fp16",
                                        ",jetson-nano-4gb,tensorrt,fp32", ",,,fp32"});
  const sloe_evaluate_options options = options_of(NULL);
  sloe_evaluation *e = evaluate(&options);
  assert_int_equal(e->errors[0].n, 3);
  assert_int_equal(e->n_warnings, 1);
  assert_string_equal(e->warnings[0],
                      "measured on something else than the platform: device of 1 row "
                      "('jetson-nano-4gb', not 'jetson-orin-nano-8gb'), precision of 2 rows "
                      "('fp32', not 'fp16')");
  sloe_evaluation_free(e);
}

static void latencies_are_scaled_by_the_reference_unless_raw(void **state) {
  (void)state;
  /* the host was twice as slow, half as slow, and nobody knows */
  write_latencies(",ref_ms", (const char *const[]){",4", ",1", ","});
  sloe_evaluate_options options = options_of(NULL);
  sloe_evaluation *e = evaluate(&options);
  assert_near(e->errors[0].mape, 11); /* the platform knows no reference: as measured */
  assert_string_equal(e->scaled, "");
  sloe_evaluation_free(e);
  platform->reference_ms = 2;
  e = evaluate(&options);
  assert_near(e->errors[0].mape, (110 + 46 + 20) / 3.0);
  assert_string_equal(e->scaled,
                      "latency_ms of 2 of 3 rows times 2.0000 ms, the platform's reference, over "
                      "ref_ms");
  sloe_evaluation_free(e);
  options.raw = 1;
  e = evaluate(&options);
  assert_near(e->errors[0].mape, 11);
  assert_string_equal(e->scaled, "");
  sloe_evaluation_free(e);
  platform->reference_ms = NAN;
}

static void predictions_are_written_row_by_row(void **state) {
  (void)state;
  char *text;
  size_t len;
  sloe_error err;
  sloe_evaluate_options options = options_of("family");
  write_latencies(",family", (const char *const[]){",res", ",mobile", ",squeeze"});
  options.predictions = path_of("p.csv");
  sloe_evaluation_free(evaluate(&options));
  assert_ok(sloe_file_read(options.predictions, 1 << 16, &text, &len, &err), err);
  const char *header =
      "net,metric,measured,estimated,low,high,in_domain,family\n"
      "tv_resnet18.onnx,latency_ms,";
  assert_memory_equal(text, header, strlen(header));
  assert_non_null(strstr(text, ",0,res\ntv_mobilenet_v2.onnx,latency_ms,"));
  sloe_dealloc(text);
  options.by = "net"; /* stands there already */
  sloe_evaluation_free(evaluate(&options));
  assert_ok(sloe_file_read(options.predictions, 1 << 16, &text, &len, &err), err);
  assert_non_null(strstr(text, ",in_domain\n"));
  sloe_dealloc(text);
  options.predictions = path_of("no/such/folder.csv");
  sloe_evaluation *e = (void *)&e;
  assert_refused(sloe_evaluate(&options, platform, NULL, &e, &err), SLOE_NOTFOUND, err,
                 "folder.csv");
  assert_null(e);
}

static const struct {
  const char *text, *by, *words;
  sloe_status status;
} REFUSED[] = {
    {"net,power\nx,1\n", NULL, "none of the columns latency_ms, power_w", SLOE_FORMAT},
    {"name,latency_ms\nx,1\n", NULL, "no column 'net'", SLOE_FORMAT},
    {"net,latency_ms\nx,fast\n", NULL, "latency_ms is 'fast'", SLOE_FORMAT},
    {"net,latency_ms\nx\n", NULL, "line 2", SLOE_FORMAT},
    {"net,latency_ms\n", "family", "no column 'family' to group by", SLOE_USAGE},
};

static void what_is_no_such_table_is_refused(void **state) {
  (void)state;
  sloe_error err;
  for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
    sloe_text t = {0};
    sloe_text_add(&t, REFUSED[i].text);
    write_table(&t);
    const sloe_evaluate_options options = options_of(REFUSED[i].by);
    sloe_evaluation *e = (void *)&e;
    assert_refused(sloe_evaluate(&options, platform, NULL, &e, &err), REFUSED[i].status, err,
                   REFUSED[i].words);
    assert_non_null(strstr(err.msg, "t.csv"));
    assert_null(e);
  }
  const sloe_evaluate_options gone = {.table = path_of("none.csv")};
  sloe_evaluation *e = (void *)&e;
  assert_refused(sloe_evaluate(&gone, platform, NULL, &e, &err), SLOE_NOTFOUND, err, "none.csv");
  assert_null(e);
}

static void a_table_without_rows_has_no_errors(void **state) {
  (void)state;
  sloe_text t = {0};
  sloe_text_add(&t, "net,latency_ms\n");
  write_table(&t);
  const sloe_evaluate_options options = options_of("net");
  sloe_evaluation *e = evaluate(&options);
  assert_int_equal(e->n_errors, 1);
  assert_int_equal(e->errors[0].n, 0);
  sloe_evaluation_free(e);
}

static void count_step(void *context, const sloe_progress *progress) {
  *(size_t *)context = progress->done;
}

static int stop_after_five(void *context) {
  return *(size_t *)context >= 5;
}

static void a_net_is_asked_once_and_the_asking_can_be_stopped(void **state) {
  (void)state;
  size_t asked = 0;
  const sloe_watch watch = {.progress = count_step, .context = &asked};
  const sloe_watch stopping = {.progress = count_step, .stop = stop_after_five, .context = &asked};
  const sloe_evaluate_options options = options_of(NULL);
  sloe_evaluation *e;
  sloe_error err;
  sloe_text t = {0};
  sloe_text_add(&t, "net,batch,latency_ms\n");
  for (int i = 0; i < 1000; i++) sloe_text_addf(&t, "%s,%d,%d\n", NETS[2], i % 2 + 1, i + 1);
  write_table(&t);
  assert_ok(sloe_evaluate(&options, platform, &watch, &e, &err), err);
  assert_int_equal(asked, 2); /* one net at two batches */
  assert_int_equal(e->errors[0].n, 1000);
  sloe_evaluation_free(e);
  sloe_text_add(&t, "net,latency_ms\n");
  for (int i = 0; i < 9; i++) sloe_text_addf(&t, "gone%d.onnx,1\n", i);
  write_table(&t);
  asked = 0;
  e = (void *)&e;
  assert_refused(sloe_evaluate(&options, platform, &stopping, &e, &err), SLOE_STOPPED, err,
                 "stopped after 5 of 9 nets");
  assert_null(e);
}

static void every_allocation_may_fail(void **state) {
  (void)state;
  sloe_evaluate_options options = options_of("family");
  sloe_error err;
  write_latencies(",family,device", (const char *const[]){",a,x", ",b,y", ",a,x"});
  options.predictions = path_of("p.csv.gz");
  const long live = sloe_alloc_live();
  sloe_status status = SLOE_NOMEM;
  for (long n = 0; status != SLOE_OK; n++) {
    sloe_evaluation *e = (void *)&e;
    memset(&err, 0, sizeof err);
    sloe_alloc_fail_after(n);
    status = sloe_evaluate(&options, platform, NULL, &e, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_OK) {
      assert_int_equal(e->n_errors, 3);
      sloe_evaluation_free(e);
    } else {
      assert_int_equal(status, SLOE_NOMEM);
      assert_null(e);
      assert_true(*err.msg);
    }
    assert_int_equal(sloe_alloc_live(), live);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(errors_are_those_reckoned_by_hand),
      cmocka_unit_test(rows_are_grouped_by_a_column_in_order_of_appearance),
      cmocka_unit_test(every_metric_of_table_and_platform_is_compared),
      cmocka_unit_test(layers_in_their_places_are_compared_one_by_one),
      cmocka_unit_test(a_layer_of_a_table_is_one_also_where_networks_run_two),
      cmocka_unit_test(what_cannot_be_compared_is_left_out_and_counted),
      cmocka_unit_test(where_nothing_can_be_compared_the_errors_are_unknown),
      cmocka_unit_test(of_many_nets_that_fail_the_first_few_are_named),
      cmocka_unit_test(rows_of_another_identity_are_compared_with_one_warning),
      cmocka_unit_test(latencies_are_scaled_by_the_reference_unless_raw),
      cmocka_unit_test(predictions_are_written_row_by_row),
      cmocka_unit_test(what_is_no_such_table_is_refused),
      cmocka_unit_test(a_table_without_rows_has_no_errors),
      cmocka_unit_test(a_net_is_asked_once_and_the_asking_can_be_stopped),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
