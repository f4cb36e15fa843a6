#include "base/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/file.h"

enum { BUFFER = 1 << 15, GZIP_WINDOW = 15 + 16 /* zlib: with gzip's header and checksum */ };

/* zlib's memory comes through our door too. */
static void *zlib_alloc(void *context, unsigned count, unsigned size) {
  (void)context;
  return sloe_alloc(count, size);
}

static void zlib_free(void *context, void *p) {
  (void)context;
  sloe_dealloc(p);
}

static char *copy_of(const char *s) {
  size_t size = strlen(s) + 1;
  char *copy = sloe_alloc(size, 1);
  if (copy) memcpy(copy, s, size);
  return copy;
}

/* ---- reading ---- */

struct sloe_gzip_reader {
  char *path;
  int fd, packed;
  int within;         /* a member has begun and not ended */
  uint64_t limit, in; /* bytes that may still come out; bytes read from the file */
  z_stream z;
  unsigned char buf[BUFFER];
};

static sloe_status damaged(const sloe_gzip_reader *r, const char *what, sloe_error *err) {
  return sloe_fail_at(err, SLOE_FORMAT, r->in - r->z.avail_in, "%s: %s", r->path, what);
}

static sloe_status fill(sloe_gzip_reader *r, sloe_error *err) {
  ssize_t n;
  do n = read(r->fd, r->buf, sizeof r->buf);
  while (n < 0 && errno == EINTR);
  if (n < 0) return sloe_fail(err, SLOE_IO, "cannot read %s: %s", r->path, strerror(errno));
  r->z.next_in = r->buf;
  r->z.avail_in = (unsigned)n;
  r->in += (uint64_t)n;
  return SLOE_OK;
}

static sloe_status out_of_memory(const char *path, sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory opening %s", path);
}

static sloe_status start(sloe_gzip_reader *r, const char *path, sloe_error *err) {
  r->path = copy_of(path);
  if (!r->path) return out_of_memory(path, err);
  r->fd = open(path, O_RDONLY | O_CLOEXEC);
  if (r->fd < 0)
    return sloe_fail(err, errno == ENOENT || errno == ENOTDIR ? SLOE_NOTFOUND : SLOE_IO,
                     "cannot open %s: %s", path, strerror(errno));
  SLOE_TRY(fill(r, err));
  if (r->z.avail_in < 2 || r->buf[0] != 0x1f || r->buf[1] != 0x8b) return SLOE_OK;
  if (inflateInit2(&r->z, GZIP_WINDOW) != Z_OK) return out_of_memory(path, err);
  r->packed = r->within = 1;
  return SLOE_OK;
}

sloe_status sloe_gzip_open(const char *path, uint64_t limit, sloe_gzip_reader **out,
                           sloe_error *err) {
  *out = NULL;
  sloe_gzip_reader *r = sloe_alloc(1, sizeof *r);
  if (!r) return out_of_memory(path, err);
  memset(r, 0, sizeof *r);
  r->fd = -1;
  r->limit = limit;
  r->z.zalloc = zlib_alloc;
  r->z.zfree = zlib_free;
  sloe_status status = start(r, path, err);
  if (status == SLOE_OK)
    *out = r;
  else
    sloe_gzip_close(r);
  return status;
}

static sloe_status read_plain(sloe_gzip_reader *r, void *buf, size_t size, size_t *got,
                              sloe_error *err) {
  if (!r->z.avail_in) SLOE_TRY(fill(r, err));
  *got = size < r->z.avail_in ? size : r->z.avail_in;
  memcpy(buf, r->z.next_in, *got);
  r->z.next_in += *got;
  r->z.avail_in -= (unsigned)*got;
  return SLOE_OK;
}

/* At the end of a member: another one, or the end of the file. */
static sloe_status next_member(sloe_gzip_reader *r, sloe_error *err) {
  if (!r->z.avail_in) SLOE_TRY(fill(r, err));
  if (!r->z.avail_in) return SLOE_OK;
  if (*r->z.next_in != 0x1f) return damaged(r, "something follows the compressed data", err);
  inflateReset(&r->z);
  r->within = 1;
  return SLOE_OK;
}

static sloe_status unpack(sloe_gzip_reader *r, sloe_error *err) {
  if (!r->z.avail_in) SLOE_TRY(fill(r, err));
  if (!r->z.avail_in) return damaged(r, "the compressed data is cut short", err);
  switch (inflate(&r->z, Z_NO_FLUSH)) {
    case Z_OK:
    case Z_BUF_ERROR: return SLOE_OK;
    case Z_STREAM_END: r->within = 0; return SLOE_OK;
    case Z_MEM_ERROR: return out_of_memory(r->path, err);
    default: return damaged(r, r->z.msg ? r->z.msg : "the compressed data is damaged", err);
  }
}

static sloe_status read_packed(sloe_gzip_reader *r, void *buf, size_t size, size_t *got,
                               sloe_error *err) {
  if (size > 1 << 30) size = 1 << 30;
  r->z.next_out = buf;
  r->z.avail_out = (unsigned)size;
  while (r->z.avail_out == size) {
    if (!r->within) SLOE_TRY(next_member(r, err));
    if (!r->within) break;
    SLOE_TRY(unpack(r, err));
  }
  *got = size - r->z.avail_out;
  return SLOE_OK;
}

sloe_status sloe_gzip_read(void *reader, void *buf, size_t size, size_t *got, sloe_error *err) {
  sloe_gzip_reader *r = reader;
  *got = 0;
  if (!size) return SLOE_OK;
  SLOE_TRY(r->packed ? read_packed(r, buf, size, got, err) : read_plain(r, buf, size, got, err));
  if (*got > r->limit) {
    *got = 0;
    return damaged(r, "longer than allowed once unpacked", err);
  }
  r->limit -= *got;
  return SLOE_OK;
}

void sloe_gzip_close(sloe_gzip_reader *r) {
  if (!r) return;
  if (r->packed) inflateEnd(&r->z);
  if (r->fd >= 0) close(r->fd);
  sloe_dealloc(r->path);
  sloe_dealloc(r);
}

/* ---- writing ---- */

struct sloe_gzip_writer {
  char *path;
  sloe_file_writer file;
  int packed;
  z_stream z;
  unsigned char buf[BUFFER];
};

static void free_writer(sloe_gzip_writer *w) {
  if (w->packed) deflateEnd(&w->z);
  sloe_dealloc(w->path);
  sloe_dealloc(w);
}

static int is_gz(const char *path) {
  size_t len = strlen(path);
  return len > 3 && strcmp(path + len - 3, ".gz") == 0;
}

sloe_status sloe_gzip_begin(const char *path, sloe_gzip_writer **out, sloe_error *err) {
  *out = NULL;
  sloe_gzip_writer *w = sloe_alloc(1, sizeof *w);
  if (!w) return out_of_memory(path, err);
  memset(w, 0, sizeof *w);
  w->z.zalloc = zlib_alloc;
  w->z.zfree = zlib_free;
  w->path = copy_of(path);
  sloe_status status = w->path ? SLOE_OK : out_of_memory(path, err);
  if (status == SLOE_OK && is_gz(path)) {
    w->packed = deflateInit2(&w->z, 9, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    if (!w->packed) status = out_of_memory(path, err);
  }
  if (status == SLOE_OK) status = sloe_file_begin(&w->file, w->path, err);
  if (status == SLOE_OK)
    *out = w;
  else
    free_writer(w);
  return status;
}

/* Until zlib has taken all of its input, or with Z_FINISH given all of its output. */
static sloe_status pack(sloe_gzip_writer *w, int flush, sloe_error *err) {
  for (int done = Z_OK; done != Z_STREAM_END && (flush == Z_FINISH || w->z.avail_in);) {
    w->z.next_out = w->buf;
    w->z.avail_out = sizeof w->buf;
    done = deflate(&w->z, flush);
    SLOE_TRY(sloe_file_append(&w->file, w->buf, sizeof w->buf - w->z.avail_out, err));
  }
  return SLOE_OK;
}

sloe_status sloe_gzip_append(void *writer, const void *data, size_t len, sloe_error *err) {
  sloe_gzip_writer *w = writer;
  if (!w->packed) return sloe_file_append(&w->file, data, len, err);
  for (const unsigned char *p = data; len;) {
    size_t piece = len < 1 << 30 ? len : 1 << 30;
    w->z.next_in = (unsigned char *)p;
    w->z.avail_in = (unsigned)piece;
    SLOE_TRY(pack(w, Z_NO_FLUSH, err));
    p += piece;
    len -= piece;
  }
  return SLOE_OK;
}

sloe_status sloe_gzip_end(sloe_gzip_writer *w, sloe_status status, sloe_error *err) {
  if (status == SLOE_OK && w->packed) status = pack(w, Z_FINISH, err);
  status = sloe_file_end(&w->file, status, err);
  free_writer(w);
  return status;
}
