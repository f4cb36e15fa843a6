/* gzip.h: files that may be gzip-compressed, read and written piece by piece.
 *
 * Reading looks at the first two bytes, not at the name: a table that was unpacked or packed by
 * hand still opens. Members one behind the other are read as one, as gzip does. Writing compresses
 * where the path ends in ".gz"; it stores neither name nor time, so that the same rows give the
 * same bytes.
 */
#ifndef SLOE_BASE_GZIP_H
#define SLOE_BASE_GZIP_H

#include "base/error.h"

typedef struct sloe_gzip_reader sloe_gzip_reader;

/* At most `limit` bytes may come out, so that a small file cannot fill the machine. Errors:
   NOTFOUND, IO, NOMEM; in reading also FORMAT: cut short, damaged, over the limit, followed by
   something else; err->offset is where in the compressed file. */
sloe_status sloe_gzip_open(const char *path, uint64_t limit, sloe_gzip_reader **out,
                           sloe_error *err);
/* Up to `size` bytes; *got is 0 at the end. `reader` is a sloe_gzip_reader: this is a csv_source.
 */
sloe_status sloe_gzip_read(void *reader, void *buf, size_t size, size_t *got, sloe_error *err);
void sloe_gzip_close(sloe_gzip_reader *reader);

typedef struct sloe_gzip_writer sloe_gzip_writer;

/* As sloe_file_begin, _append, _end: the path holds all of it or is as before. `end` must be called
   after a successful begin, with the writer's own status, and frees the writer. */
sloe_status sloe_gzip_begin(const char *path, sloe_gzip_writer **out, sloe_error *err);
sloe_status sloe_gzip_append(void *writer, const void *data, size_t len, sloe_error *err);
sloe_status sloe_gzip_end(sloe_gzip_writer *writer, sloe_status status, sloe_error *err);

#endif
