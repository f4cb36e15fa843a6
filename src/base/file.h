/* file.h: reading and writing files. */
#ifndef SLOE_BASE_FILE_H
#define SLOE_BASE_FILE_H

#include "base/error.h"

/* Read all of `path` into *data (freed with sloe_dealloc), at most `limit` bytes. A NUL stands
   behind the last byte. Errors: NOTFOUND, IO, FORMAT (over the limit), NOMEM. */
sloe_status sloe_file_read(const char *path, size_t limit, char **data, size_t *len,
                           sloe_error *err);

/* Write `len` bytes to `path` by way of a temporary file beside it, flushed and renamed: on failure
   `path` is as before. Errors: IO. */
sloe_status sloe_file_write(const char *path, const void *data, size_t len, sloe_error *err);

#endif
