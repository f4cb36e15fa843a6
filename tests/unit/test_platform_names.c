/* Finding platforms by name and path, and the data sheets that come with sloe. */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "sloe/sloe.h"
#include "unit/unit.h"

#define PLATFORMS SLOE_SOURCE_DIR "/data/platforms"

static const char *const dirs[] = {SLOE_BINARY_DIR "/no-such-folder", PLATFORMS};
static const sloe_search search = {dirs, 2};

static void expect(const char *ask, const char *name, double gflops, double gbs) {
  sloe_platform *p;
  sloe_error err = {0};
  if (sloe_platform_open(ask, &search, &p, &err) != SLOE_OK) fail_msg("%s: %s", ask, err.msg);
  const sloe_card *card = sloe_platform_card(p);
  assert_string_equal(card->name, name);
  assert_true(fabs(card->peak_gflops / gflops - 1) < 0.002);
  assert_true(fabs(card->bandwidth_gbs / gbs - 1) < 0.002);
  sloe_platform_free(p);
}

/* NVIDIA's published peaks (dense, GPU only), TFLOPS or TOPS, and GB/s. 0: there is no such path.
 */
static const struct {
  const char *device, *mode;
  double fp32, fp16, int8, gbs;
} published[] = {
    {"jetson-nano-4gb", "maxn", 0.236, 0.472, 0, 25.6},
    {"jetson-tx1", "maxn", 0.51, 1.02, 0, 25.6},
    {"jetson-tx2-8gb", "maxn", 0.67, 1.33, 0, 59.7},
    {"jetson-tx2-nx", "maxn", 0.67, 1.33, 0, 51.2},
    {"jetson-xavier-nx-8gb", "15w-2core", 0.85, 6.8, 13.6, 51.2},
    {"jetson-xavier-nx-16gb", "20w-6core", 0.85, 6.8, 13.6, 59.7},
    {"jetson-agx-xavier-32gb", "maxn", 1.41, 11.3, 22.6, 136.5},
    {"jetson-orin-nano-4gb", "10w", 0.64, 5.1, 10.2, 34},
    {"jetson-orin-nano-4gb", "super-maxn", 1.04, 8.4, 16.7, 51},
    {"jetson-orin-nano-8gb", "15w", 1.28, 10.2, 20.5, 68.3},
    {"jetson-orin-nano-8gb", "super-maxn", 2.09, 16.7, 33.5, 102.4},
    {"jetson-orin-nx-8gb", "maxn", 1.57, 12.5, 25, 102.4},
    {"jetson-orin-nx-8gb", "super-maxn", 2.4, 19.2, 38.4, 102.4},
    {"jetson-orin-nx-16gb", "maxn", 1.88, 15, 30, 102.4},
    {"jetson-orin-nx-16gb", "super-40w", 2.4, 19.2, 38.4, 102.4},
    {"jetson-agx-orin-32gb", "maxn", 3.33, 26.6, 53.3, 204.8},
    {"jetson-agx-orin-64gb", "maxn", 5.3, 42.6, 85, 204.8},
    {"jetson-thor-t5000", "maxn", 8.06, 0, 0, 273},
    {"jetson-thor-t4000", "maxn", 4.7, 0, 0, 273},
};

static void check_peak(const char *device, const char *precision, const char *mode, double tera,
                       double gbs) {
  char name[128];
  sloe_platform *p;
  snprintf(name, sizeof name, "%s-datasheet-%s-%s", device, precision, mode);
  sloe_status status = sloe_platform_open(name, &search, &p, NULL);
  if (!(tera > 0)) {
    assert_int_equal(status, SLOE_NOTFOUND);
    return;
  }
  if (status != SLOE_OK) fail_msg("no %s", name);
  const sloe_card *card = sloe_platform_card(p);
  if (fabs(card->peak_gflops / 1000 / tera - 1) > 0.015) /* the published ones are rounded */
    fail_msg("%s: %f GFLOPS, published %f", name, card->peak_gflops, tera * 1000);
  if (fabs(card->bandwidth_gbs / gbs - 1) > 0.005)
    fail_msg("%s: %f GB/s, published %f", name, card->bandwidth_gbs, gbs);
  assert_true(card->memory_reserved_mb < card->memory_mb);
  sloe_platform_free(p);
}

static void peaks_computed_from_clocks_are_the_published_ones(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
    const char *device = published[i].device, *mode = published[i].mode;
    check_peak(device, "fp32", mode, published[i].fp32, published[i].gbs);
    check_peak(device, "fp16", mode, published[i].fp16, published[i].gbs);
    check_peak(device, "int8", mode, published[i].int8, published[i].gbs);
  }
}

static void power_modes_have_their_own_peaks(void **state) {
  (void)state;
  expect("jetson-orin-nano-8gb-datasheet-fp16", "jetson-orin-nano-8gb-datasheet-fp16", 10240,
         68.256);
  expect("jetson-orin-nano-8gb-datasheet-fp16-15w", "jetson-orin-nano-8gb-datasheet-fp16", 10240,
         68.256);
  expect("jetson-orin-nano-8gb-datasheet-fp16-7w", "jetson-orin-nano-8gb-datasheet-fp16-7w", 3342.3,
         68.256);
  expect("jetson-orin-nano-8gb-datasheet-fp16-super-25w",
         "jetson-orin-nano-8gb-datasheet-fp16-super-25w", 15040.5, 102.368);
  expect("jetson-nano-4gb-datasheet-fp32-5w", "jetson-nano-4gb-datasheet-fp32-5w", 163.84, 25.6);
  expect("jetson-tx2-8gb-datasheet-fp16", "jetson-tx2-8gb-datasheet-fp16", 1146.9, 51.2);
  expect("jetson-xavier-nx-8gb-datasheet-int8", "jetson-xavier-nx-8gb-datasheet-int8", 6266.9,
         51.2);
  expect("jetson-agx-orin-64gb-datasheet-fp16", "jetson-agx-orin-64gb-datasheet-fp16", 10027,
         204.736);
  expect("jetson-orin-nx-16gb-datasheet-fp16-25w", "jetson-orin-nx-16gb-datasheet-fp16-25w", 6684.7,
         102.368);
  expect("jetson-tx1-datasheet-fp16", "jetson-tx1-datasheet-fp16-maxn", 1021.95, 25.6);
  expect("jetson-thor-t5000-datasheet-fp32", "jetson-thor-t5000-datasheet-fp32-maxn", 8064, 273.02);
}

static void tensorrt_is_the_newest_of_the_module(void **state) {
  (void)state;
  static const struct {
    const char *name;
    int version, cc;
  } rows[] = {
      {"jetson-nano-4gb-datasheet-fp16", 802, 53},
      {"jetson-tx2-8gb-datasheet-fp16", 802, 62},
      {"jetson-xavier-nx-8gb-datasheet-fp16", 805, 72},
      {"jetson-orin-nano-8gb-datasheet-int8", 1003, 87},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    sloe_platform *p;
    assert_int_equal(sloe_platform_open(rows[i].name, &search, &p, NULL), SLOE_OK);
    assert_int_equal(sloe_platform_fusion(p)->runtime, SLOE_RUNTIME_TENSORRT);
    assert_int_equal(sloe_platform_fusion(p)->version, rows[i].version);
    assert_int_equal(sloe_platform_fusion(p)->compute_capability, rows[i].cc);
    sloe_platform_free(p);
  }
}

static void every_listed_platform_opens_under_its_name(void **state) {
  (void)state;
  sloe_platform_list *list;
  sloe_error err = {0};
  assert_int_equal(sloe_platform_list_new(&search, &list, &err), SLOE_OK);
  assert_int_equal(sloe_platform_list_warning_count(list), 0);
  size_t n = sloe_platform_list_count(list);
  assert_true(n > 150);
  for (size_t i = 0; i < n; i++) {
    const sloe_card *card = sloe_platform_list_at(list, i);
    if (i) assert_true(strcmp(sloe_platform_list_at(list, i - 1)->name, card->name) < 0);
    sloe_platform *p;
    assert_int_equal(sloe_platform_open(card->name, &search, &p, &err), SLOE_OK);
    assert_string_equal(sloe_platform_card(p)->name, card->name);
    if (card->source == SLOE_SOURCE_DATASHEET)
      assert_true(isfinite(card->peak_gflops) && card->peak_gflops > 0);
    sloe_platform_free(p);
  }
  assert_null(sloe_platform_list_at(list, n));
  sloe_platform_list_free(list);
}

static void a_path_opens_the_default_or_the_variant(void **state) {
  (void)state;
  expect(PLATFORMS "/jetson-orin-nano-8gb-datasheet.sloe", "jetson-orin-nano-8gb-datasheet-fp16",
         10240, 68.256);
  expect(PLATFORMS "/jetson-orin-nano-8gb-datasheet.sloe:int8-7w",
         "jetson-orin-nano-8gb-datasheet-int8-7w", 6684.7, 68.256);
  sloe_platform *p;
  sloe_error err;
  assert_int_equal(sloe_platform_open("./absent.sloe", &search, &p, &err), SLOE_NOTFOUND);
  assert_null(p);
  assert_int_equal(sloe_platform_open(PLATFORMS "/jetson-tx1-datasheet.sloe:int8", NULL, &p, &err),
                   SLOE_NOTFOUND);
  assert_non_null(strstr(err.msg, "jetson-tx1-datasheet.sloe: no platform 'int8'"));
  assert_int_equal(sloe_platform_open(PLATFORMS, &search, &p, &err), SLOE_IO);
}

static void a_mistyped_name_is_answered_with_the_nearest(void **state) {
  (void)state;
  static const struct {
    const char *ask, *says;
  } rows[] = {
      {"jetson-orin-nano-8gb-datashet-fp16", "did you mean 'jetson-orin-nano-8gb-datasheet-fp16'?"},
      {"jetson-nano-4gb-datasheet-int8", "did you mean 'jetson-nano-4gb-datasheet-fp"},
      {"jetson-nano-datasheet-fp16", "did you mean 'jetson-nano-4gb-datasheet-fp16'?"},
      {"jetson-nano-4gb-datasheet-fp16-50w", "did you mean 'jetson-nano-4gb-datasheet-fp16-5w'?"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    sloe_platform *p = (void *)&p;
    sloe_error err = {0};
    assert_int_equal(sloe_platform_open(rows[i].ask, &search, &p, &err), SLOE_NOTFOUND);
    assert_null(p);
    if (!strstr(err.msg, rows[i].says)) fail_msg("%s", err.msg);
  }
}

static void a_name_that_cannot_be_is_refused(void **state) {
  (void)state;
  sloe_platform *p;
  sloe_error err;
  assert_int_equal(sloe_platform_open("x", NULL, &p, &err), SLOE_NOTFOUND);
  assert_non_null(strstr(err.msg, "no platform files were found"));
  assert_int_equal(sloe_platform_open("", &search, &p, &err), SLOE_NOTFOUND);
  char longer[400];
  memset(longer, 'a', sizeof longer - 1);
  longer[sizeof longer - 1] = 0;
  assert_int_equal(sloe_platform_open(longer, &search, &p, &err), SLOE_NOTFOUND);
  assert_null(p);
}

static void put(const char *dir, const char *name, const char *text) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  assert_int_equal(sloe_file_write(path, text, strlen(text), NULL), SLOE_OK);
}

static void drop(const char *dir, const char *name) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  unlink(path);
}

/* A folder with the Nano's file under another name and title, a broken file and a stray one. */
static void fill_folder(const char *dir) {
  char *text;
  size_t len;
  assert_int_equal(
      sloe_file_read(PLATFORMS "/jetson-nano-4gb-datasheet.sloe", 1 << 20, &text, &len, NULL),
      SLOE_OK);
  char *title = strstr(text, "title = NVIDIA");
  assert_non_null(title);
  memcpy(title, "title = MYOWN!", 14);
  put(dir, "mine.sloe", text);
  put(dir, "broken.sloe", "sloe-platform 1\n[nonsense]\n");
  put(dir, "notes.txt", "not a platform");
  sloe_dealloc(text);
}

static void the_first_folder_wins_and_broken_files_become_warnings(void **state) {
  (void)state;
  char dir[] = SLOE_BINARY_DIR "/platforms-XXXXXX";
  assert_non_null(mkdtemp(dir));
  fill_folder(dir);
  const char *both[] = {dir, PLATFORMS};
  const sloe_search own = {both, 2}, only = {both, 1};
  sloe_platform_list *list;
  sloe_error err;
  assert_int_equal(sloe_platform_list_new(&own, &list, &err), SLOE_OK);
  assert_int_equal(sloe_platform_list_warning_count(list), 1);
  assert_non_null(strstr(sloe_platform_list_warning(list, 0), "broken.sloe: line 2: section"));
  assert_null(sloe_platform_list_warning(list, 1));
  size_t found = 0;
  for (size_t i = 0; i < sloe_platform_list_count(list); i++) {
    const sloe_card *card = sloe_platform_list_at(list, i);
    if (strcmp(card->name, "jetson-nano-4gb-datasheet-fp32") != 0) continue;
    assert_int_equal(strncmp(card->title, "MYOWN!", 6), 0);
    found++;
  }
  assert_int_equal(found, 1);
  sloe_platform_list_free(list);
  sloe_platform *p;
  assert_int_equal(sloe_platform_open("jetson-nano-4gb-datasheet-fp32", &only, &p, &err), SLOE_OK);
  assert_int_equal(strncmp(sloe_platform_card(p)->title, "MYOWN!", 6), 0);
  sloe_platform_free(p);
  assert_int_equal(sloe_platform_open("broken", &own, &p, &err), SLOE_UNSUPPORTED);
  assert_non_null(strstr(err.msg, "broken.sloe"));
  drop(dir, "mine.sloe"), drop(dir, "broken.sloe"), drop(dir, "notes.txt");
  rmdir(dir);
}

/* Two of the shipped ones, a data sheet and one that was fitted. */
static void make_small_folder(char *dir) {
  static const char *const names[] = {"jetson-tx1-datasheet.sloe", "jetson-nano-trt8-fp32.sloe"};
  assert_non_null(mkdtemp(dir));
  for (size_t i = 0; i < 2; i++) {
    char from[512], to[512];
    snprintf(from, sizeof from, PLATFORMS "/%s", names[i]);
    snprintf(to, sizeof to, "%s/%s", dir, names[i]);
    assert_int_equal(access(from, R_OK) || symlink(from, to), 0);
  }
}

static void drop_small_folder(const char *dir) {
  drop(dir, "jetson-tx1-datasheet.sloe"), drop(dir, "jetson-nano-trt8-fp32.sloe");
  rmdir(dir);
}

static void memory_may_fail_while_listing(void **state) {
  char dir[] = SLOE_BINARY_DIR "/platforms-XXXXXX";
  const char *const one[] = {dir};
  const sloe_search small = {one, 1};
  (void)state;
  make_small_folder(dir);
  long live = sloe_alloc_live();
  for (long n = 0;; n++) {
    sloe_platform_list *list = (void *)&list;
    sloe_alloc_fail_after(n);
    sloe_status status = sloe_platform_list_new(&small, &list, NULL);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_null(list);
    if (status == SLOE_OK) assert_true(sloe_platform_list_count(list) > 1);
    sloe_platform_list_free(list);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
  }
  drop_small_folder(dir);
}

static void memory_may_fail_while_searching(void **state) {
  char dir[] = SLOE_BINARY_DIR "/platforms-XXXXXX";
  const char *const one[] = {dir};
  const sloe_search small = {one, 1};
  (void)state;
  make_small_folder(dir);
  long live = sloe_alloc_live();
  for (long n = 0;; n++) {
    sloe_platform *p = (void *)&p;
    sloe_alloc_fail_after(n);
    sloe_status status = sloe_platform_open("jetson-tx1-datasheet-fp16", &small, &p, NULL);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_null(p);
    sloe_platform_free(p);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
  }
  drop_small_folder(dir);
}

static void sources_have_names(void **state) {
  (void)state;
  assert_string_equal(sloe_source_name(SLOE_SOURCE_DATASHEET), "datasheet");
  assert_string_equal(sloe_source_name(SLOE_SOURCE_NONE), "none");
  assert_string_equal(sloe_source_name((sloe_source)99), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(peaks_computed_from_clocks_are_the_published_ones),
      cmocka_unit_test(power_modes_have_their_own_peaks),
      cmocka_unit_test(tensorrt_is_the_newest_of_the_module),
      cmocka_unit_test(every_listed_platform_opens_under_its_name),
      cmocka_unit_test(a_path_opens_the_default_or_the_variant),
      cmocka_unit_test(a_mistyped_name_is_answered_with_the_nearest),
      cmocka_unit_test(a_name_that_cannot_be_is_refused),
      cmocka_unit_test(the_first_folder_wins_and_broken_files_become_warnings),
      cmocka_unit_test(memory_may_fail_while_listing),
      cmocka_unit_test(memory_may_fail_while_searching),
      cmocka_unit_test(sources_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
