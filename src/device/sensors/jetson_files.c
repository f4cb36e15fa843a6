/* jetson_files.c: reading small files below a root. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "device/sensors/jetson_parts.h"

enum { NAMES = 256, NAME_MAX_KEPT = 64 };

static int full_path(const sloe_jetson *b, const char *path, char buf[2 * SLOE_SYS_PATH]) {
  const int n = snprintf(buf, 2 * SLOE_SYS_PATH, "%s%s", b->root, path);
  return n > 0 && n < 2 * SLOE_SYS_PATH;
}

/* A link of the board that names an absolute path, such as /etc/nvpmodel.conf. */
static int follow(const sloe_jetson *b, char buf[2 * SLOE_SYS_PATH]) {
  char to[SLOE_SYS_PATH];
  const ssize_t n = *b->root ? readlink(buf, to, sizeof to - 1) : -1;
  if (n <= 0 || *to != '/') return 1;
  to[n] = 0;
  return full_path(b, to, buf);
}

long sloe_sys_bytes(const sloe_jetson *b, const char *path, char *buf, size_t size) {
  char full[2 * SLOE_SYS_PATH];
  size_t got = 0;
  *buf = 0;
  if (!full_path(b, path, full) || !follow(b, full)) return -1;
  const int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return -1;
  for (ssize_t n = 1; n && got < size - 1;) {
    n = read(fd, buf + got, size - 1 - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      got = 0;
      close(fd);
      *buf = 0;
      return -1;
    }
    got += (size_t)n;
  }
  close(fd);
  buf[got] = 0;
  return (long)got;
}

const char *sloe_sys_text(const sloe_jetson *b, const char *path, char *buf, size_t size) {
  long n = sloe_sys_bytes(b, path, buf, size);
  while (n > 0 && (buf[n - 1] == 0 || strchr(" \t\r\n", buf[n - 1]))) n--;
  buf[n < 0 ? 0 : n] = 0;
  for (char *c = buf; *c; c++)
    if ((unsigned char)*c < 0x20) *c = ' ';
  return buf;
}

static double hex_number(const char *s) {
  double value = 0;
  size_t n = 0;
  for (; s[n]; n++) {
    const char *digits = "0123456789abcdef", *at = strchr(digits, s[n] | 0x20);
    if (!at || n > 12) return NAN;
    value = value * 16 + (double)(at - digits);
  }
  return n ? value : NAN;
}

double sloe_sys_number(const sloe_jetson *b, const char *path) {
  char buf[64];
  double value;
  sloe_sys_text(b, path, buf, sizeof buf);
  if (buf[0] == '0' && (buf[1] == 'x' || buf[1] == 'X')) return hex_number(buf + 2);
  return sloe_parse_double(buf, strlen(buf), &value) && isfinite(value) ? value : NAN;
}

double sloe_sys_number_in(const sloe_jetson *b, const char *folder, const char *name) {
  char path[SLOE_SYS_PATH];
  const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
  return n > 0 && n < SLOE_SYS_PATH ? sloe_sys_number(b, path) : NAN;
}

const char *sloe_sys_text_in(const sloe_jetson *b, const char *folder, const char *name, char *buf,
                             size_t size) {
  char path[SLOE_SYS_PATH];
  const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
  *buf = 0;
  return n > 0 && n < SLOE_SYS_PATH ? sloe_sys_text(b, path, buf, size) : buf;
}

int sloe_sys_exists(const sloe_jetson *b, const char *path) {
  char full[2 * SLOE_SYS_PATH];
  return full_path(b, path, full) && access(full, F_OK) == 0;
}

/* "hwmon2" before "hwmon10". */
static int by_number(const void *a, const void *b) {
  const char *x = a, *y = b;
  const size_t m = strlen(x), n = strlen(y);
  const int order = strcmp(x, y);
  if (strcspn(x, "0123456789") == strcspn(y, "0123456789") && m != n) return m < n ? -1 : 1;
  return order;
}

static size_t list_names(const sloe_jetson *b, const char *folder, const char *prefix,
                         char (*names)[NAME_MAX_KEPT]) {
  char full[2 * SLOE_SYS_PATH];
  DIR *dir = full_path(b, folder, full) ? opendir(full) : NULL;
  size_t n = 0;
  for (struct dirent *e; dir && n < NAMES && (e = readdir(dir));) {
    if (e->d_name[0] == '.' || strncmp(e->d_name, prefix, strlen(prefix)) != 0) continue;
    if (strlen(e->d_name) >= NAME_MAX_KEPT) continue;
    memcpy(names[n++], e->d_name, strlen(e->d_name) + 1);
  }
  if (dir) closedir(dir);
  qsort(names, n, sizeof *names, by_number);
  return n;
}

void sloe_sys_each(const sloe_jetson *b, const char *folder, const char *prefix,
                   int (*fn)(void *context, const char *path), void *context) {
  char path[SLOE_SYS_PATH], names[NAMES][NAME_MAX_KEPT];
  const size_t n = list_names(b, folder, prefix, names);
  for (size_t i = 0; i < n; i++) {
    const int len = snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    if (len > 0 && len < SLOE_SYS_PATH && fn(context, path)) return;
  }
}

const char *sloe_jetson_copy(sloe_jetson *b, const char *text) {
  return sloe_arena_strn(&b->arena, text, strlen(text));
}
