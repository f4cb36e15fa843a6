/* replay.c: without libFuzzer, a fuzz target is an ordinary test: it gets every file of the folders
 * (or files) named on the command line. What is broken aborts inside the target.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const size_t LARGEST = (size_t)64 << 20;

/* 1 when the file was read and given to the target. */
static int replay_file(const char *path) {
  char *data = NULL;
  size_t len = 0;
  sloe_error err;
  if (sloe_file_read(path, LARGEST, &data, &len, &err) != SLOE_OK) {
    fprintf(stderr, "%s: %s\n", path, err.msg);
    return 0;
  }
  LLVMFuzzerTestOneInput((const uint8_t *)data, len);
  sloe_dealloc(data);
  return 1;
}

/* Files given to the target; -1 when one could not be read. */
static long replay_folder(const char *path) {
  long n = 0;
  DIR *folder = opendir(path);
  if (!folder) return -1;
  for (struct dirent *e; n >= 0 && (e = readdir(folder));) {
    char file[4096];
    struct stat st;
    int length = snprintf(file, sizeof file, "%s/%s", path, e->d_name);
    if (length < 0 || (size_t)length >= sizeof file || stat(file, &st) != 0) n = -1;
    if (n >= 0 && S_ISREG(st.st_mode)) n = replay_file(file) ? n + 1 : -1;
  }
  closedir(folder);
  return n;
}

int main(int argc, char **argv) {
  long total = 0;
  for (int i = 1; i < argc; i++) {
    struct stat st;
    long n = -1;
    if (stat(argv[i], &st) == 0)
      n = S_ISDIR(st.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i]);
    if (n < 1) {
      fprintf(stderr, "%s: nothing to replay\n", argv[i]);
      return 1;
    }
    total += n;
  }
  printf("%ld inputs replayed\n", total);
  return total ? 0 : 1;
}
