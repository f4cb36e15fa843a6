/* file.h: reading and writing files. */
#ifndef SLOE_BASE_FILE_H
#define SLOE_BASE_FILE_H

#include "base/error.h"

/* Read all of `path` into *data (freed with sloe_dealloc), at most `limit` bytes. A NUL stands
   behind the last byte. Errors: NOTFOUND, IO, FORMAT (over the limit), NOMEM. */
sloe_status sloe_file_read(const char *path, size_t limit, char **data, size_t *len,
                           sloe_error *err);

/* Write `len` bytes to `path` by way of a temporary file beside it, flushed and renamed: on failure
   `path` is as before. What is there and no regular file (a pipe, a device) is written straight
   into, never replaced. Errors: IO. */
sloe_status sloe_file_write(const char *path, const void *data, size_t len, sloe_error *err);

/* The same piece by piece: begin, append as often as you like, end. `end` must be called after a
   successful begin; it flushes and renames if `status`, the writer's own, is SLOE_OK, and else
   takes the temporary file away and returns `status`. `path` must outlive the writing. */
typedef struct sloe_file_writer {
  const char *path;
  char *temp;  // NULL: `path` itself is written
  int fd;
} sloe_file_writer;
sloe_status sloe_file_begin(sloe_file_writer *w, const char *path, sloe_error *err);
sloe_status sloe_file_append(sloe_file_writer *w, const void *data, size_t len, sloe_error *err);
sloe_status sloe_file_end(sloe_file_writer *w, sloe_status status, sloe_error *err);

#endif
