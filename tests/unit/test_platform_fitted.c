/* Fitted platforms among others: found, listed, shown, exported; and the file format held still. */
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "unit/fitted_files.h"

#define TOY     "toy-cpu-onednn-fp32-t1"
#define SAMPLE  SLOE_SOURCE_DIR "/tests/fuzz/corpus/fuzz_platform/fitted.bin"
#define EARLIER SLOE_SOURCE_DIR "/tests/fuzz/corpus/fuzz_platform/fitted-%s.bin"

/* A folder of its own with the toy under `name`. */
typedef struct folder {
  char dir[sizeof SLOE_BINARY_DIR + 32];
  char path[sizeof SLOE_BINARY_DIR + 96];
  const char *dirs[2];
  sloe_search search;
} folder;

static void open_folder(folder *f, const char *name) {
  fitted_parts parts;
  sloe_fitted_platform toy = fitted_toy(&parts);
  sloe_error err = {0};
  snprintf(f->dir, sizeof f->dir, "%s/among-XXXXXX", SLOE_BINARY_DIR);
  assert_non_null(mkdtemp(f->dir));
  snprintf(f->path, sizeof f->path, "%s/%s", f->dir, name);
  assert_ok(sloe_fitted_write(&toy, f->path, &err), err);
  f->dirs[0] = f->dir;
  f->dirs[1] = SLOE_SOURCE_DIR "/data/platforms";
  f->search = (sloe_search){f->dirs, 2};
}

static void close_folder(folder *f) {
  unlink(f->path);
  assert_int_equal(rmdir(f->dir), 0);
}

static void assert_opens(const char *ask, const sloe_search *search, const char *path) {
  sloe_platform *p;
  sloe_error err = {0};
  assert_ok(sloe_platform_open(ask, search, &p, &err), err);
  assert_string_equal(sloe_platform_card(p)->name, TOY);
  assert_string_equal(sloe_platform_card(p)->path, path);
  assert_non_null(p->fitted);
  sloe_platform_free(p);
}

static void names_and_paths_open_it(void **state) {
  (void)state;
  folder f;
  char variant[sizeof f.path + 16];
  open_folder(&f, TOY ".sloe");
  assert_opens(TOY, &f.search, f.path);
  assert_opens(f.path, NULL, f.path);
  snprintf(variant, sizeof variant, "%s:fp32-t1", f.path);
  assert_opens(variant, NULL, f.path);
  snprintf(variant, sizeof variant, "%s:fp16", f.path);
  sloe_platform *p = (void *)&p;
  sloe_error err;
  assert_refused(sloe_platform_open(variant, NULL, &p, &err), SLOE_NOTFOUND, err,
                 ".sloe: no platform 'fp16' in the file (it has " TOY ")");
  assert_null(p);
  assert_refused(sloe_platform_open("toy-cpu-onednn-fp32-t2", &f.search, &p, &err), SLOE_NOTFOUND,
                 err, "did you mean '" TOY "'?");
  close_folder(&f);
}

static void a_file_of_another_name_is_found_too(void **state) {
  (void)state;
  folder f;
  open_folder(&f, "mine.sloe");
  assert_opens(TOY, &f.search, f.path);
  close_folder(&f);
}

static const sloe_card *find_card(const sloe_platform_list *list, const char *name) {
  for (size_t i = 0; i < sloe_platform_list_count(list); i++)
    if (!strcmp(sloe_platform_list_at(list, i)->name, name)) return sloe_platform_list_at(list, i);
  return NULL;
}

static void it_is_listed_among_data_sheets(void **state) {
  (void)state;
  folder f;
  sloe_platform_list *list;
  sloe_error err = {0};
  open_folder(&f, TOY ".sloe");
  assert_ok(sloe_platform_list_new(&f.search, &list, &err), err);
  assert_int_equal(sloe_platform_list_warning_count(list), 0);
  assert_non_null(find_card(list, "jetson-tx1-datasheet-fp16-maxn"));
  const sloe_card *card = find_card(list, TOY);
  assert_non_null(card);
  assert_string_equal(card->path, f.path);
  assert_string_equal(card->validated_on, "24 held-out networks");
  assert_int_equal(card->source, SLOE_SOURCE_FITTED);
  sloe_platform_list_free(list);
  close_folder(&f);
}

static void a_damaged_file_becomes_a_warning_of_the_list(void **state) {
  (void)state;
  folder f;
  sloe_platform_list *list;
  sloe_error err = {0};
  open_folder(&f, TOY ".sloe");
  sloe_text bytes = fitted_toy_bytes();
  bytes.data[1000] ^= 1;
  assert_ok(sloe_file_write(f.path, bytes.data, bytes.len, &err), err);
  assert_ok(sloe_platform_list_new(&f.search, &list, &err), err);
  assert_int_equal(sloe_platform_list_warning_count(list), 1);
  const char *warning = sloe_platform_list_warning(list, 0);
  assert_non_null(strstr(warning, TOY ".sloe: the file was altered"));
  assert_null(find_card(list, TOY));
  sloe_platform_list_free(list);
  sloe_text_fini(&bytes);
  close_folder(&f);
}

static void memory_may_fail_while_listing(void **state) {
  (void)state;
  folder f;
  open_folder(&f, TOY ".sloe");
  f.search.n_dirs = 1;
  long live = sloe_alloc_live(), n = 0;
  for (;; n++) {
    sloe_platform_list *list = (void *)&list;
    sloe_alloc_fail_after(n);
    sloe_status status = sloe_platform_list_new(&f.search, &list, NULL);
    sloe_alloc_fail_after(-1);
    if (status != SLOE_OK) assert_null(list);
    sloe_platform_list_free(list);
    assert_int_equal(sloe_alloc_live(), live);
    if (status == SLOE_OK) break;
    assert_int_equal(status, SLOE_NOMEM);
  }
  assert_true(n > 5);
  close_folder(&f);
}

/* ---- the format ---- */

/* A file written by an earlier sloe opens, and the same platform still gives its bytes. Where this
   fails, the version has to change. */
static void the_format_stands_still(void **state) {
  (void)state;
  char *data;
  size_t len;
  sloe_error err = {0};
  assert_ok(sloe_file_read(SAMPLE, 1 << 20, &data, &len, &err), err);
  sloe_text bytes = fitted_toy_bytes();
  assert_int_equal(bytes.len, len);
  assert_memory_equal(bytes.data, data, len);
  sloe_text_fini(&bytes);
  sloe_dealloc(data);
}

static void assert_earlier_opens(const char *which, double transform_bytes, uint32_t mlps) {
  sloe_platform *p;
  sloe_error err = {0};
  char *data, path[sizeof EARLIER + 16];
  size_t len;
  snprintf(path, sizeof path, EARLIER, which);
  assert_ok(sloe_file_read(path, 1 << 20, &data, &len, &err), err);
  assert_ok(sloe_platform_from_memory(data, len, NULL, &p, &err), err);
  assert_string_equal(sloe_platform_card(p)->name, "toy-cpu-onednn-fp32-t1");
  assert_true(p->fitted->ops[0].transform_bytes == transform_bytes);
  assert_int_equal(p->fitted->ops[0].mlp.n_bodies, mlps);
  const sloe_fitted_platform again = {.card = p->card, .fusion = p->fusion, .fitted = *p->fitted};
  sloe_text bytes = fitted_bytes(&again); /* as `train --into` does */
  sloe_platform_free(p);
  assert_ok(sloe_platform_from_memory(bytes.data, bytes.len, NULL, &p, &err), err);
  assert_int_equal(p->fitted->ops[0].mlp.n_bodies, mlps);
  sloe_platform_free(p);
  sloe_text_fini(&bytes);
  sloe_dealloc(data);
}

/* Features are only added behind those there are: a file of fewer opens. So does one of the first
   version, which knew no workspace, of the second, which knew no MLP, and of the third, which knew
   one. */
static void files_from_before_open_and_are_written(void **state) {
  (void)state;
  assert_earlier_opens("26-features", 0, 0);
  assert_earlier_opens("31-features", 0, 0);
  assert_earlier_opens("34-features", 0, 0);
  assert_earlier_opens("35-features", 0, 0);
  assert_earlier_opens("38-features", 16, 2);
  assert_earlier_opens("version-1", 0, 0);
  assert_earlier_opens("version-2", 16, 0);
  assert_earlier_opens("version-3", 16, 1);
}

/* ---- reports ---- */

static char *report(sloe_format format) {
  const sloe_report_options options = {.format = format, .width = 160};
  sloe_text bytes = fitted_toy_bytes();
  sloe_platform *p;
  sloe_error err = {0};
  char *text;
  assert_ok(sloe_platform_from_memory(bytes.data, bytes.len, NULL, &p, &err), err);
  assert_ok(sloe_report_platform(p, &options, &text, &err), err);
  sloe_platform_free(p);
  sloe_text_fini(&bytes);
  return text;
}

/* Runs of blanks as one. */
static void squeeze(char *text) {
  char *to = text;
  for (const char *from = text; *from; from++)
    if (*from != ' ' || from == text || from[-1] != ' ') *to++ = *from;
  *to = 0;
}

static void assert_says(const char *text, const char *const *lines, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!strstr(text, lines[i])) fail_msg("'%s' is not in\n%s", lines[i], text);
}

static void it_is_shown_with_what_was_measured(void **state) {
  (void)state;
  char *text = report(SLOE_FORMAT_TABLE);
  squeeze(text);
  static const char *const lines[] = {
      TOY "\n",
      " runtime onednn 2.6.3, fp32\n",
      " mode t1\n",
      " source fitted\n",
      " reference 1.25 ms\n",
      " measured 3210 layers in 76.1 min, 2026-11-25, by sloe 0.1.0, seed 1\n",
      " validated mean error 4.50 % on 24 held-out networks\n",
      "layers 500 6.50 9.00 41.2 1.50",
      "networks 24 4.50 5.50 12.0 0.750",
      "conv dense 3x3 1x1 40 1..512 x 3..256 8, line",
      "maxpool dense 2x2 2x2 40 1..512 x 3..256 8, line",
      "conv dense 2 1 102 120 10.5",
      "maxpool dense 0 1 - 120 -",
      "cpu A small CPU @ 2.00GHz",
      "threads 1",
  };
  assert_says(text, lines, sizeof lines / sizeof lines[0]);
  assert_null(strstr(text, "GFLOP/s"));
  sloe_text_free(text);
}

static void the_export_holds_everything(void **state) {
  (void)state;
  char *text = report(SLOE_FORMAT_JSON);
  json_error_t trouble;
  json_t *document = json_loads(text, 0, &trouble), *network, *families, *ops, *forest;
  assert_non_null(document);
  const char *source, *seed, *cpu, *op, *row;
  double scale, per_mb, per_reorder, mape, coefficient, add, relu, leaf;
  int kernel, width, trees;
  assert_int_equal(
      json_unpack(document, "{s:s, s:{s:s, s:{s:s}, s:o, s:{s:{s:F}}, s:o, s:o}}", "source",
                  &source, "fitted", "seed", &seed, "environment", "cpu", &cpu, "network", &network,
                  "errors", "layers", "mape", &mape, "families", &families, "ops", &ops),
      0);
  assert_string_equal(source, "fitted");
  assert_string_equal(seed, "1");
  assert_string_equal(cpu, "A small CPU @ 2.00GHz");
  assert_float_equal(mape, 6.5, 0);
  assert_int_equal(json_unpack(network, "{s:F, s:F, s:F, s:n}", "scale", &scale, "per_mb_ms",
                               &per_mb, "per_reorder", &per_reorder, "memory_error_90"),
                   0);
  assert_float_equal(scale, 1.05, 0);
  assert_float_equal(per_mb, 0.03, 0);
  assert_float_equal(per_reorder, 0.75, 0);
  assert_int_equal(json_array_size(families), 4);
  assert_int_equal(
      json_unpack(json_array_get(families, 1), "{s:s, s:[i,i!], s:[{s:i},{}!], s:[F,F,F,F!]}", "op",
                  &op, "kernel", &kernel, &kernel, "dims", "width", &width, "coefficients",
                  &coefficient, &scale, &scale, &scale),
      0);
  assert_string_equal(op, "conv");
  assert_int_equal(kernel, 7);
  assert_int_equal(width, 8);
  assert_float_equal(coefficient, 1, 0);
  assert_int_equal(json_unpack(json_array_get(ops, 0), "{s:o, s:F, s:{s:F}}", "forest", &forest,
                               "add_ns", &add, "act_ns", "relu", &relu),
                   0);
  assert_float_equal(add, 0.25, 0);
  assert_float_equal(relu, 0.0625, 0);
  assert_int_equal(json_unpack(forest, "{s:i, s:[s,s,s], s:[[F,F!],[F,F!]!], s:[F,F,n,n!]}",
                               "trees", &trees, "rows", &row, &row, &row, "leaves", &leaf, &leaf,
                               &leaf, &leaf, "thresholds", &scale, &scale),
                   0);
  assert_int_equal(trees, 2);
  assert_string_equal(row, "0100");
  assert_float_equal(leaf, 0.2, 1e-7);
  json_decref(document);
  sloe_text_free(text);
}

static void the_export_in_csv_is_one_row(void **state) {
  (void)state;
  char *text = report(SLOE_FORMAT_CSV);
  assert_non_null(strstr(text, "\n" TOY ",\"A toy's CPU, 2 \xc2\xb5W\",toy-cpu,onednn,2.6.3,fp32"));
  const char *end = strchr(strchr(text, '\n') + 1, '\n');
  assert_non_null(end);
  assert_int_equal(end[1], 0);
  sloe_text_free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_and_paths_open_it),
      cmocka_unit_test(a_file_of_another_name_is_found_too),
      cmocka_unit_test(it_is_listed_among_data_sheets),
      cmocka_unit_test(a_damaged_file_becomes_a_warning_of_the_list),
      cmocka_unit_test(memory_may_fail_while_listing),
      cmocka_unit_test(the_format_stands_still),
      cmocka_unit_test(files_from_before_open_and_are_written),
      cmocka_unit_test(it_is_shown_with_what_was_measured),
      cmocka_unit_test(the_export_holds_everything),
      cmocka_unit_test(the_export_in_csv_is_one_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
