/* store_files.h: stores in a folder of their own, for tests. Any failure fails the test at once. */
#ifndef SLOE_TESTS_STORE_FILES_H
#define SLOE_TESTS_STORE_FILES_H

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store.h"
#include "unit/table_text.h"

static char store_folder[512];

/* In memory where that can be: a store waits for the disk after every sample. */
static inline int store_make_folder(void **state) {
  (void)state;
  snprintf(store_folder, sizeof store_folder, "%s/sloe-store-XXXXXX",
           access("/dev/shm", W_OK) == 0 ? "/dev/shm" : SLOE_BINARY_DIR);
  return mkdtemp(store_folder) && chmod(store_folder, 0755) == 0 ? 0 : -1;
}

static inline const char *store_path(const char *name) {
  static char paths[4][1024];
  static unsigned turn;
  char *path = paths[turn++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", store_folder, name);
  return path;
}

/* The teardown of each test: nothing of it stays. */
static inline int store_empty_folder(void **state) {
  (void)state;
  DIR *dir = opendir(store_folder);
  for (struct dirent *e; dir && (e = readdir(dir));)
    if (e->d_name[0] != '.') unlink(store_path(e->d_name));
  if (dir) closedir(dir);
  return dir ? 0 : -1;
}

static inline int store_remove_folder(void **state) {
  (void)state;
  return rmdir(store_folder);
}

static const sloe_store_identity TOY = {"toy", "sim", "1.0", "fp32", "", 1, 2};
static const sloe_store_campaign PLAN = {.backend = "sim:threads=2", .plan = "a", .options = "o"};

static inline sloe_store *store_open(const char *name, sloe_store_mode mode) {
  sloe_store *store;
  sloe_error err;
  assert_ok(sloe_store_open(store_path(name), mode, &store, &err), err);
  return store;
}

static inline sloe_store_visit store_begin(sloe_store *store) {
  const sloe_store_pair environment[] = {{"governor", "performance"}, {"cpu", "a toy"}};
  sloe_store_visit visit;
  sloe_error err;
  assert_ok(sloe_store_begin(store, &PLAN, &TOY, environment, 2, &visit, &err), err);
  return visit;
}

/* A layer "conv c=N h=8". */
static inline int64_t store_point(sloe_store *store, const sloe_store_visit *visit, int n) {
  char key[64];
  int64_t id;
  sloe_error err;
  snprintf(key, sizeof key, "conv c=%d h=8", n);
  const sloe_store_point point = {.kind = SLOE_STORE_LAYER, .key = key};
  assert_ok(sloe_store_add_points(store, visit->campaign, &point, 1, &id, &err), err);
  assert_true(id > 0);
  return id;
}

static const sloe_store_outcome DONE = {SLOE_STORE_DONE, SLOE_STORE_QUALITY_OK, ""};

/* A sample of 5 runs around `ns`. */
static inline sloe_status store_try_sample(sloe_store *store, const sloe_store_visit *visit,
                                           int64_t point, uint64_t ns,
                                           const sloe_store_outcome *outcome, sloe_error *err) {
  const uint64_t runs[] = {ns + 40, ns, ns + 10, ns + 30, ns + 20};
  sloe_store_sample sample = sloe_store_sample_none();
  sample.runs_ns = runs;
  sample.n_runs = 5;
  sample.ref_before_ns = 1000;
  sample.quality = SLOE_STORE_QUALITY_OK;
  return sloe_store_add_samples(store, visit, point, &sample, 1, outcome, err);
}

static inline void store_sample(sloe_store *store, const sloe_store_visit *visit, int64_t point,
                                uint64_t ns, const sloe_store_outcome *outcome) {
  sloe_error err;
  assert_ok(store_try_sample(store, visit, point, ns, outcome, &err), err);
}

static inline sloe_store_info store_info(sloe_store *store) {
  sloe_store_info info;
  sloe_error err;
  assert_ok(sloe_store_get_info(store, 0, &info, &err), err);
  return info;
}

static inline void store_assert_sound(sloe_store *store) {
  sloe_error err;
  assert_ok(sloe_store_check(store, &err), err);
}

/* The measurement table as text, freed with sloe_dealloc. */
static inline char *store_table(sloe_store *store, const sloe_store_export *options) {
  sloe_text out = {0};
  sloe_error err;
  assert_ok(sloe_store_export_to(store, options, (sloe_csv_sink){&out, text_sink_write}, &err),
            err);
  return out.data;
}

#endif
