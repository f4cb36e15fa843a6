/* seal.h: what stands before the bytes of a model. Private to model/.
 *
 *   offset  bytes
 *        0      8  magic
 *        8      4  version          12   4  32: where what the checksum covers begins
 *       16      8  length           24   8  XXH64 of all bytes from 32 on
 */
#ifndef SLOE_MODEL_SEAL_H
#define SLOE_MODEL_SEAL_H

#include "base/text.h"
#include "sloe/sloe.h"

enum { SLOE_SEAL_BYTES = 32 };

typedef struct sloe_seal {
  const char *magic, *what; /* 8 bytes; "learned model", for messages */
  uint32_t version;         /* that is written, and the newest that is read */
} sloe_seal;

/* Room for the seal; returns where in `out` it begins. */
size_t sloe_seal_begin(sloe_text *out);

/* The seal of what was written since; nothing where `out` has failed. */
void sloe_seal_end(const sloe_seal *seal, size_t begin, sloe_text *out);

/* Errors: FORMAT (another file, cut short, altered), UNSUPPORTED (from a newer version). */
sloe_status sloe_seal_check(const sloe_seal *seal, const void *data, size_t len, sloe_error *err);

#endif
