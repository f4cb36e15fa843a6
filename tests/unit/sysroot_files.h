/* sysroot_files.h: trees of files as boards have them, for tests. Any failure fails the test. */
#ifndef SLOE_TESTS_SYSROOT_FILES_H
#define SLOE_TESTS_SYSROOT_FILES_H

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/unit.h"

static char sysroot[512];

static inline int sysroot_make(void **state) {
  (void)state;
  snprintf(sysroot, sizeof sysroot, "%s/sloe-board-XXXXXX",
           access("/dev/shm", W_OK) == 0 ? "/dev/shm" : SLOE_BINARY_DIR);
  return mkdtemp(sysroot) ? 0 : -1;
}

static inline int sysroot_drop(const char *path, const struct stat *st, int flag, struct FTW *at) {
  (void)st;
  (void)flag;
  (void)at;
  return remove(path);
}

static inline int sysroot_remove(void **state) {
  (void)state;
  return nftw(sysroot, sysroot_drop, 16, FTW_DEPTH | FTW_PHYS);
}

/* `len` bytes at `path` below the root, folders and all. */
static inline void sysroot_put_bytes(const char *path, const char *data, size_t len) {
  char full[1024];
  snprintf(full, sizeof full, "%s%s", sysroot, path);
  for (char *slash = full + strlen(sysroot) + 1; (slash = strchr(slash, '/')); slash++) {
    *slash = 0;
    mkdir(full, 0755);
    *slash = '/';
  }
  FILE *file = fopen(full, "w");
  if (!file) fail_msg("cannot write %s", full);
  assert_int_equal(fwrite(data, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
}

static inline void sysroot_put(const char *path, const char *text) {
  sysroot_put_bytes(path, text, strlen(text));
}

static inline void sysroot_take_away(const char *path) {
  char full[1024];
  snprintf(full, sizeof full, "%s%s", sysroot, path);
  assert_int_equal(unlink(full), 0);
}

/* "FOLDER/NAME" with a value each; names end in NULL. */
typedef struct sysroot_file {
  const char *path, *text;
} sysroot_file;

static inline void sysroot_put_all(const sysroot_file *files, size_t n) {
  for (size_t i = 0; i < n; i++) sysroot_put(files[i].path, files[i].text);
}

#endif
