/* Logs of tegrastats as measurement tables; those of the Jetson Nano beside the rows of the table
   that their authors made of them. */
#include "base/csv.h"
#include "base/gzip.h"
#include "campaign/campaign.h"
#include "unit/store_files.h"

#define SHARED SLOE_SOURCE_DIR "/../shared/data/"
#define LOGS   SHARED "tegrastats/"
#define TABLE  SHARED "icas-jetson-nano/networks.csv.gz"

/* ---- tables ---- */

typedef struct source {
  const char *text;
  size_t left;
} source;

static sloe_status give(void *context, void *buf, size_t size, size_t *got, sloe_error *err) {
  source *s = context;
  (void)err;
  *got = s->left < size ? s->left : size;
  memcpy(buf, s->text, *got);
  s->text += *got;
  s->left -= *got;
  return SLOE_OK;
}

typedef struct table {
  char *text;
  source from;
  sloe_csv_reader *reader;
} table;

static void open_table(const sloe_import_options *options, table *out) {
  sloe_error err;
  *out = (table){0};
  assert_ok(sloe_import(options, &out->text, &err), err);
  out->from = (source){out->text, strlen(out->text)};
  assert_ok(sloe_csv_reader_open((sloe_csv_source){&out->from, give}, &out->reader, &err), err);
}

static int next_row(table *t) {
  int more;
  sloe_error err;
  assert_ok(sloe_csv_reader_next(t->reader, &more, &err), err);
  return more;
}

static const char *cell(const table *t, const char *column) {
  const int at = sloe_csv_reader_find(t->reader, column);
  if (at < 0) fail_msg("no column %s", column);
  return sloe_csv_reader_field(t->reader, (size_t)at);
}

static double number(const table *t, const char *column) {
  double value;
  sloe_error err;
  const int at = sloe_csv_reader_find(t->reader, column);
  if (at < 0) fail_msg("no column %s", column);
  assert_ok(sloe_csv_reader_number(t->reader, (size_t)at, &value, &err), err);
  return value;
}

static void close_table(table *t) {
  sloe_csv_reader_close(t->reader);
  sloe_text_free(t->text);
}

static void assert_close(double value, double expected, double error) {
  if (!(fabs(value - expected) <= error)) fail_msg("%.9g, not %.9g", value, expected);
}

/* ---- logs that are written here ---- */

static const char *write_log(const char *text) {
  const char *path = store_path("log.txt");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
  return path;
}

#define ORIN(load, watts)                                                                \
  "RAM 1697/7620MB (lfb 42x4MB) CPU [0%@960] GR3D_FREQ " load " gpu@40.9C VDD_IN " watts \
  "mW/4361mW VDD_CPU_GPU_CV 483mW/483mW VDD_SOC 1373mW/1373mW\n"
#define NANO(load, watts)                                     \
  "RAM 1883/3964MB (lfb 73x4MB) CPU [2%@204] GR3D_FREQ " load \
  " POM_5V_IN 6235/1 POM_5V_GPU " watts "/1 POM_5V_CPU 123/123\n"

static void the_rail_stands_beside_the_figure_and_may_be_chosen(void **state) {
  static const struct {
    const char *log, *rail, *told;
    double watts;
  } cases[] = {
      {NANO("99%@921", "3574"), NULL, "gpu", 3.574},
      {NANO("99%@921", "3574"), "input", "input", 6.235},
      {NANO("0%@76", "0"), NULL, "input", 6.235}, /* a GPU that draws nothing tells nothing */
      {ORIN("99%", "4361"), NULL, "input", 4.361},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *path = write_log(cases[i].log);
    table t;
    open_table(&(sloe_import_options){.format = "tegrastats",
                                      .files = &path,
                                      .n_files = 1,
                                      .net = "a.onnx",
                                      .rail = cases[i].rail},
               &t);
    assert_true(next_row(&t));
    assert_string_equal(cell(&t, "net"), "a.onnx");
    assert_string_equal(cell(&t, "power_rail"), cases[i].told);
    assert_close(number(&t, "power_w"), cases[i].watts, 1e-9);
    assert_string_equal(cell(&t, "memory_kind"), "system");
    assert_false(next_row(&t));
    close_table(&t);
  }
}

static void a_rail_that_the_gpu_shares_is_not_called_its_own(void **state) {
  const char *path = write_log(ORIN("99%", "4361"));
  sloe_import_options options = {
      .format = "tegrastats", .files = &path, .n_files = 1, .rail = "gpu"};
  char *text = (char *)&options;
  sloe_error err;
  (void)state;
  assert_refused(sloe_import(&options, &text, &err), SLOE_FORMAT, err,
                 "no rail of the GPU alone, only VDD_CPU_GPU_CV");
  assert_null(text);
  options.rail = "cpu";
  assert_refused(sloe_import(&options, &text, &err), SLOE_USAGE, err, "no rail 'cpu'");
}

static void quality_and_clock_state_say_what_a_log_is_worth(void **state) {
#define FIVE(line) line line line line line
  static const struct {
    const char *log, *quality, *reproducible, *remark;
  } cases[] = {
      {FIVE(NANO("99%@921", "3574")), "ok", "yes", "no dates"},
      {NANO("99%@921", "3574"), "noisy", "yes", "1 reading only"},
      {FIVE(NANO("99%@921", "3574")) NANO("99%@614", "3574"), "throttled",
       "no: the GPU's clock varied from 614 to 921 MHz", ""},
      {FIVE(NANO("99%@921", "3574")) NANO("0%@76", "100"), "noisy", "yes", "load and rest"},
      {FIVE(ORIN("99%", "9000")), "ok", "no: the GPU's clock is not told", ""},
      {FIVE(NANO("0%@76", "100")), "ok", "no: its clock is not told while", "never busy"},
      {FIVE(NANO("9%@76", "100")) "what is that\n" NANO("9%@76 NEW thing", "100"), "ok",
       "no: ", "1 other lines between; 2 unknown words, 'NEW'"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *path = write_log(cases[i].log);
    table t;
    open_table(&(sloe_import_options){.format = "tegrastats", .files = &path, .n_files = 1}, &t);
    assert_true(next_row(&t));
    assert_string_equal(cell(&t, "quality"), cases[i].quality);
    assert_non_null(strstr(cell(&t, "reproducible"), cases[i].reproducible));
    if (!strstr(cell(&t, "remarks"), cases[i].remark))
      fail_msg("'%s' lacks '%s'", cell(&t, "remarks"), cases[i].remark);
    close_table(&t);
  }
}

static void what_is_no_log_is_refused_by_its_name(void **state) {
  const char *path = write_log("# notes\nof a run\n");
  const sloe_import_options options = {.format = "tegrastats", .files = &path, .n_files = 1};
  char *text = (char *)&options;
  sloe_error err;
  (void)state;
  assert_refused(sloe_import(&options, &text, &err), SLOE_FORMAT, err, "log.txt: none of its 2");
  assert_null(text);
}

static void every_allocation_may_fail(void **state) {
  const char *path = write_log(FIVE(NANO("99%@921", "3574")));
  const sloe_import_options options = {.format = "tegrastats", .files = &path, .n_files = 1};
  const long live = sloe_alloc_live();
  (void)state;
  for (long n = 0;; n++) {
    char *text = (char *)&options;
    sloe_error err = {0};
    sloe_alloc_fail_after(n);
    const sloe_status status = sloe_import(&options, &text, &err);
    sloe_alloc_fail_after(-1);
    if (status == SLOE_OK) {
      sloe_text_free(text);
      break;
    }
    assert_int_equal(status, SLOE_NOMEM);
    assert_null(text);
    assert_true(*err.msg);
    assert_int_equal(sloe_alloc_live(), live);
  }
  assert_int_equal(sloe_alloc_live(), live);
}

/* ---- recorded logs ---- */

/* Of each record of samples.txt in its order: what the line says. NAN: it does not. */
static const struct {
  double ram_mib, input_mw, gpu_mhz;
} SAMPLES[] = {
    {2417, NAN, NAN},    {2440, NAN, 1275}, {3276, 5297, 114},  {4722, 14025, 1300},
    {696, 1383, 140},    {388, NAN, 998},   {1923, 1750, 76},   {330, 933, NAN},
    {14700, 7632, NAN},  {408, 6926, 1377}, {5246, 6140, 1109}, {2673, 3902, NAN},
    {3168, 2763, 114},   {3503, 4915, 305}, {2257, 6708, 0},    {2257, NAN, NAN},
    {4321, 6755, 0},     {1224, 4304, NAN}, {6567, 12673, NAN}, {1729, 6120, NAN},
    {3645, 2957, 305},   {1697, 4361, NAN}, {2028, 15464, NAN}, {2138, 15597, NAN},
    {779, 6626, NAN},    {5173, 6030, NAN}, {5739, 9761, NAN},  {8353, 124486, 1574},
    {3429, 28906, 1574},
};

static void assert_same(double value, double expected) {
  if (isnan(expected))
    assert_true(isnan(value));
  else
    assert_close(value, expected, 1e-6 * (1 + expected));
}

static void the_sample_of_each_board_answers_with_what_stands_in_it(void **state) {
  const char *path = LOGS "samples.txt";
  table t;
  (void)state;
  if (access(path, R_OK)) skip();
  open_table(&(sloe_import_options){.format = "tegrastats", .files = &path, .n_files = 1}, &t);
  for (size_t i = 0; i < sizeof SAMPLES / sizeof *SAMPLES; i++) {
    assert_true(next_row(&t));
    assert_same(number(&t, "memory_mb") / 1.048576, SAMPLES[i].ram_mib);
    assert_same(number(&t, "power_input_w") * 1e3, SAMPLES[i].input_mw);
    assert_same(number(&t, "gpu_mhz_max"), SAMPLES[i].gpu_mhz);
  }
  assert_false(next_row(&t));
  close_table(&t);
}

/* Samples, W of VDD_IN and of its greatest, MiB of the mean: awk's. */
static void whole_logs_of_an_orin_nano_are_summed_up(void **state) {
  static const struct {
    const char *name;
    double samples, mean_w, peak_w, first_mib, peak_mib;
    const char *quality;
  } cases[] = {
      {LOGS "orin_nano8gb_r36.4.7_idle.log", 14, 4.29229, 4.361, 1697, 1697, "ok"},
      {LOGS "orin_nano8gb_r36.4.7_matmul_load.log", 18, 15.36972, 15.558, 2028, 2028, "ok"},
      {LOGS "orin_nano8gb_r36.4.7_trtexec_resnet18_fp16.log", 56, 6.62341, 15.597, 1742, 3114,
       "noisy"},
  };
  (void)state;
  if (access(cases[0].name, R_OK)) skip();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *path = cases[i].name;
    table t;
    open_table(&(sloe_import_options){.format = "tegrastats", .files = &path, .n_files = 1}, &t);
    assert_true(next_row(&t));
    assert_string_equal(cell(&t, "power_input_rails"), "VDD_IN");
    assert_close(number(&t, "samples"), cases[i].samples, 0);
    assert_close(number(&t, "power_w"), cases[i].mean_w, 6e-6);
    assert_close(number(&t, "peak_w"), cases[i].peak_w, 1e-9);
    assert_close(number(&t, "memory_rise_mb"), (cases[i].peak_mib - cases[i].first_mib) * 1.048576,
                 1e-6);
    assert_string_equal(cell(&t, "quality"), cases[i].quality);
    assert_false(next_row(&t));
    close_table(&t);
  }
}

/* A row of the table that the logs' authors made: their own reading. */
static int find_their_row(sloe_csv_reader *theirs, const char *group, const char *model) {
  const int at_group = sloe_csv_reader_find(theirs, "group");
  const int at_model = sloe_csv_reader_find(theirs, "model");
  sloe_error err;
  for (int more;;) {
    assert_ok(sloe_csv_reader_next(theirs, &more, &err), err);
    if (!more) return 0;
    if (!strcmp(sloe_csv_reader_field(theirs, (size_t)at_group), group) &&
        !strcmp(sloe_csv_reader_field(theirs, (size_t)at_model), model))
      return 1;
  }
}

static void compare_with_theirs(sloe_csv_reader *theirs, const char *log, const char *path) {
  static const struct {
    const char *theirs, *ours;
    double unit;
  } columns[] = {{"p_gpu_mw_mean", "power_w", 1e3},
                 {"p_in_mw_mean", "power_input_w", 1e3},
                 {"p_gpu_mw_max", "peak_w", 1e3},
                 {"ram_mb_mean", "memory_mb", 1 / 1.048576},
                 {"ram_mb_first", "memory_first_mb", 1 / 1.048576},
                 {"ram_mb_max", "memory_peak_mb", 1 / 1.048576},
                 {"gr3d_util_mean", "gpu_load", 100},
                 {"gpu_mhz_min", "gpu_mhz_min", 1},
                 {"t_gpu_c_mean", "gpu_c_mean", 1},
                 {"n_tegra", "samples", 1}};
  table t;
  sloe_error err;
  open_table(&(sloe_import_options){.format = "tegrastats", .files = &path, .n_files = 1}, &t);
  assert_true(next_row(&t));
  assert_string_equal(cell(&t, "power_rail"), "gpu");
  assert_string_equal(cell(&t, "quality"), "ok");
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    const int at = sloe_csv_reader_find(theirs, columns[i].theirs);
    double expected;
    assert_ok(sloe_csv_reader_number(theirs, (size_t)at, &expected, &err), err);
    const double ours = number(&t, columns[i].ours) * columns[i].unit;
    if (!(fabs(ours - expected) <= 0.00501)) /* they give two decimals */
      fail_msg("%s: %s is %.9g, not %.9g", log, columns[i].ours, ours, expected);
  }
  close_table(&t);
}

static void logs_of_60_s_give_the_power_and_memory_of_their_rows(void **state) {
  static const struct {
    const char *group, *model;
    int is_there; /* two have no row */
  } cases[] = {
      {"conv_layers_1_5", "convnet_L2_F1024_K3x3_W50", 1},
      {"conv_layers_6_10", "convnet_L10_F128_K3x3_W90", 0},
      {"dws_2", "convnet_L10_F256_K2x2_W85_DWS", 1},
      {"dws", "convnet_L10_F128_K2x2_W60_DWS", 1},
      {"expanded_high_mac_2", "convnet_L2_F384_K3x3_W100", 1},
      {"expanded_high_mac", "convnet_L2_F192_K4x4_W60", 1},
      {"misc_conv_models", "convnet_L10_F128_K2x2_W60", 0},
      {"mixed_kernel_models_L2", "convnet_L2_F128_K1x1_1_K4x4_1_W65", 1},
      {"mixed_kernel_models_L5", "convnet_L10_F128_K1x1_5_K3x3_5_W100", 1},
  };
  (void)state;
  if (access(TABLE, R_OK) || access(LOGS "nano-60s", R_OK)) skip();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char path[700];
    sloe_gzip_reader *file;
    sloe_csv_reader *theirs;
    sloe_error err;
    snprintf(path, sizeof path, "%snano-60s/%s__stats_%s_mode0_60.txt", LOGS, cases[i].group,
             cases[i].model);
    assert_ok(sloe_gzip_open(TABLE, 1 << 28, &file, &err), err);
    assert_ok(sloe_csv_reader_open((sloe_csv_source){file, sloe_gzip_read}, &theirs, &err), err);
    assert_int_equal(find_their_row(theirs, cases[i].group, cases[i].model), cases[i].is_there);
    if (cases[i].is_there) compare_with_theirs(theirs, cases[i].model, path);
    sloe_csv_reader_close(theirs);
    sloe_gzip_close(file);
  }
}

int main(void) {
#define TEST(name) cmocka_unit_test_teardown(name, store_empty_folder)
  const struct CMUnitTest tests[] = {
      TEST(the_rail_stands_beside_the_figure_and_may_be_chosen),
      TEST(a_rail_that_the_gpu_shares_is_not_called_its_own),
      TEST(quality_and_clock_state_say_what_a_log_is_worth),
      TEST(what_is_no_log_is_refused_by_its_name),
      TEST(every_allocation_may_fail),
      TEST(the_sample_of_each_board_answers_with_what_stands_in_it),
      TEST(whole_logs_of_an_orin_nano_are_summed_up),
      TEST(logs_of_60_s_give_the_power_and_memory_of_their_rows),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
