/* Measurements of others as measurement tables. */
#include "campaign/campaign.h"
#include "unit/store_files.h"

#define SHARED SLOE_SOURCE_DIR "/../shared/data/icas-jetson-nano/networks.csv.gz"
#define HEADER                                                                               \
  "group,kind,L,F,K1,K2,W,lat_ms_100runs,lat_ms_60s,gpu_mhz_min,ram_mb_mean,p_in_mw_mean,p_" \
  "gpu_mw_mean\n"

static sloe_status import_text(const char *text, char **table, sloe_error *err) {
  const char *path = store_path("icas.csv");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
  const sloe_import_options options = {.format = "icas", .files = &path, .n_files = 1};
  return sloe_import(&options, table, err);
}

static void a_chain_is_a_net_with_its_figures_and_features(void **state) {
  char *table;
  sloe_error err;
  (void)state;
  assert_ok(import_text(HEADER "dws,mixed,2,64,3,5,40,2.5,2.6,921,1000,5000,2000\n"
                               "conv,conv,1,8,2,,32,1,1.2,921,1000,5000,2000\n"
                               "conv,conv,1,8,3,,32,1,1,844,1000,5000,2000\n",
                        &table, &err),
            err);
  assert_non_null(strstr(table,
                         "\"zoo:chain,kind=mixed,layers=2,filters=64,k1=3,k2=5,input=40\","
                         "jetson-nano-4gb,tensorrt,,fp32,maxn,1,2.6,2.5,2,gpu,5.2,5,1048.576,"
                         "system,ok,,,chain,mixed,dws,1,40,40,3,"));
  assert_non_null(strstr(table, "\"zoo:chain,kind=conv,layers=1,filters=8,k1=2,input=32\","));
  assert_non_null(strstr(table, ",noisy,"));
  assert_non_null(strstr(table, ",throttled,"));
  assert_non_null(strstr(table, ",input_height,input_width,"));
  sloe_text_free(table);
}

static void what_is_no_such_table_is_refused(void **state) {
  static const struct {
    const char *text, *why;
  } cases[] = {
      {"net,latency_ms\na.onnx,1\n", "no column 'lat_ms_100runs'"},
      {HEADER "g,round,2,64,3,,40,1,1,921,1,1,1\n", "line 2: "},
      {HEADER "g,conv,2,64,3,,40,x,1,921,1,1,1\n", "lat_ms_100runs"},
      {HEADER "g,conv,0,64,3,,40,1,1,921,1,1,1\n", "layers"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *table = (char *)&table;
    sloe_error err;
    assert_refused(import_text(cases[i].text, &table, &err), SLOE_FORMAT, err, cases[i].why);
    assert_null(table);
  }
}

static void a_file_that_is_not_there_and_a_format_that_is_none_are_refused(void **state) {
  const char *path = "nowhere.csv";
  sloe_import_options options = {.format = "icas", .files = &path, .n_files = 1};
  char *table = (char *)&options;
  sloe_error err;
  (void)state;
  assert_refused(sloe_import(&options, &table, &err), SLOE_NOTFOUND, err, "nowhere.csv");
  assert_null(table);
  options.format = "icbs";
  assert_refused(sloe_import(&options, &table, &err), SLOE_USAGE, err, "no importer 'icbs'");
  assert_null(table);
}

static size_t count(const char *table, const char *what) {
  size_t n = 0;
  for (const char *at = table; (at = strstr(at, what)); at++) n++;
  return n;
}

static void the_whole_data_is_imported(void **state) {
  const char *path = SHARED;
  const sloe_import_options options = {.format = "icas", .files = &path, .n_files = 1};
  char *table;
  sloe_error err;
  (void)state;
  if (access(SHARED, R_OK)) skip();
  assert_ok(sloe_import(&options, &table, &err), err);
  assert_int_equal(count(table, "\n"), 11317);
  assert_int_equal(count(table, "system,throttled,"), 76);
  assert_int_equal(count(table, "system,noisy,"), 270); /* of 281, the others are throttled */
  sloe_text_free(table);
}

int main(void) {
#define TEST(name) cmocka_unit_test_teardown(name, store_empty_folder)
  const struct CMUnitTest tests[] = {
      TEST(a_chain_is_a_net_with_its_figures_and_features),
      TEST(what_is_no_such_table_is_refused),
      TEST(a_file_that_is_not_there_and_a_format_that_is_none_are_refused),
      TEST(the_whole_data_is_imported),
  };
  return cmocka_run_group_tests(tests, store_make_folder, store_remove_folder);
}
