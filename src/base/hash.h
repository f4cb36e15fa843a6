/* hash.h: checksums of files: XXH64, so that other programs can check them too.
 *
 * Rejected: FNV-1a over words, in which two changed sign bits cancel each other; CRC-64, which
 * takes a millisecond for what this reads in 30 microseconds.
 */
#ifndef SLOE_BASE_HASH_H
#define SLOE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 of `len` bytes, seed 0. Against accidents, not against intent. */
uint64_t sloe_hash64(const void *data, size_t len);

#endif
