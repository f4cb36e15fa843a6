#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static sloe_status fail_errno(sloe_error *err, const char *verb, const char *path) {
  sloe_status code = errno == ENOENT || errno == ENOTDIR ? SLOE_NOTFOUND : SLOE_IO;
  return sloe_fail(err, code, "cannot %s %s: %s", verb, path, strerror(errno));
}

static sloe_status too_long(const char *path, size_t limit, sloe_error *err) {
  return sloe_fail_at(err, SLOE_FORMAT, limit, "%s: longer than the %zu bytes allowed", path,
                      limit);
}

/* `likely`: how many bytes there seem to be. */
static sloe_status read_all(int fd, const char *path, size_t likely, size_t limit, char **data,
                            size_t *len, sloe_error *err) {
  size_t n = 0, cap = likely + 2; /* one to see the end by, one for the 0 */
  if (likely > limit) return too_long(path, limit, err);
  if (cap < 1 << 14) cap = 1 << 14;
  char *buf = sloe_alloc(cap, 1);
  sloe_status status = SLOE_OK;
  for (ssize_t got = 1; buf && got > 0;) {
    if (n + 1 >= cap) {
      char *wide = sloe_realloc(buf, cap *= 2, 1);
      if (!wide) {
        sloe_dealloc(buf);
        buf = NULL;
        break;
      }
      buf = wide;
    }
    got = read(fd, buf + n, cap - n - 1);
    if (got < 0) {
      status = fail_errno(err, "read", path);
      goto fail;
    }
    n += (size_t)got;
    if (n > limit) {
      status = too_long(path, limit, err);
      goto fail;
    }
  }
  if (!buf) return sloe_fail(err, SLOE_NOMEM, "out of memory reading %s", path);
  buf[n] = 0;
  *data = buf;
  *len = n;
  return SLOE_OK;
fail:
  sloe_dealloc(buf);
  return status;
}

sloe_status sloe_file_read(const char *path, size_t limit, char **data, size_t *len,
                           sloe_error *err) {
  *data = NULL;
  *len = 0;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_errno(err, "open", path);
  struct stat st;
  sloe_status status;
  if (fstat(fd, &st) != 0)
    status = fail_errno(err, "stat", path);
  else if (S_ISDIR(st.st_mode))
    status = sloe_fail(err, SLOE_IO, "cannot read %s: it is a directory", path);
  else
    status =
        read_all(fd, path, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0, limit, data, len, err);
  close(fd);
  return status;
}

sloe_status sloe_file_begin(sloe_file_writer *w, const char *path, sloe_error *err) {
  size_t size = strlen(path) + 32;
  struct stat st;
  *w = (sloe_file_writer){.path = path, .fd = -1};
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {  // a device or pipe: written, not replaced
    w->fd = open(path, O_WRONLY | O_CLOEXEC);
    return w->fd >= 0 ? SLOE_OK : fail_errno(err, "write", path);
  }
  w->temp = sloe_alloc(size, 1);
  if (!w->temp) return sloe_fail(err, SLOE_NOMEM, "out of memory writing %s", path);
  snprintf(w->temp, size, "%s.tmp.%ld", path, (long)getpid());
  w->fd = open(w->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (w->fd >= 0) return SLOE_OK;
  sloe_status status = fail_errno(err, "create", w->temp);
  sloe_dealloc(w->temp);
  w->temp = NULL;
  return status;
}

sloe_status sloe_file_append(sloe_file_writer *w, const void *data, size_t len, sloe_error *err) {
  for (const char *p = data; len;) {
    ssize_t done = write(w->fd, p, len);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return fail_errno(err, "write", w->path);
    p += done;
    len -= (size_t)done;
  }
  return SLOE_OK;
}

sloe_status sloe_file_end(sloe_file_writer *w, sloe_status status, sloe_error *err) {
  if (status == SLOE_OK && w->temp && fsync(w->fd) != 0) status = fail_errno(err, "flush", w->path);
  if (close(w->fd) != 0 && status == SLOE_OK) status = fail_errno(err, "close", w->path);
  if (status == SLOE_OK && w->temp && rename(w->temp, w->path) != 0)
    status = fail_errno(err, "rename to", w->path);
  if (status != SLOE_OK && w->temp) unlink(w->temp);
  sloe_dealloc(w->temp);
  *w = (sloe_file_writer){.fd = -1};
  return status;
}

sloe_status sloe_file_write(const char *path, const void *data, size_t len, sloe_error *err) {
  sloe_file_writer w;
  SLOE_TRY(sloe_file_begin(&w, path, err));
  return sloe_file_end(&w, sloe_file_append(&w, data, len, err), err);
}
