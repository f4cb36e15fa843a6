/* After Y. Collet, "xxHash fast digest algorithm", version 0.1.1. */
#include "base/hash.h"

#define PRIME_1 0x9E3779B185EBCA87u
#define PRIME_2 0xC2B2AE3D27D4EB4Fu
#define PRIME_3 0x165667B19E3779F9u
#define PRIME_4 0x85EBCA77C2B2AE63u
#define PRIME_5 0x27D4EB2F165667C5u

static uint64_t rotate(uint64_t x, int by) {
  return x << by | x >> (64 - by);
}

/* Little-endian; written out so that a compiler makes one load of it. */
static uint64_t word4(const uint8_t *p) {
  return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t word8(const uint8_t *p) {
  return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
         (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static uint64_t step(uint64_t lane, uint64_t input) {
  return rotate(lane + input * PRIME_2, 31) * PRIME_1;
}

static uint64_t merge(uint64_t hash, uint64_t lane) {
  return (hash ^ step(0, lane)) * PRIME_1 + PRIME_4;
}

/* Whole blocks of 32 bytes, four lanes side by side. */
static uint64_t hash_blocks(const uint8_t *p, size_t n_blocks) {
  uint64_t a = PRIME_1 + PRIME_2, b = PRIME_2, c = 0, d = 0 - PRIME_1;
  for (; n_blocks; n_blocks--, p += 32) {
    a = step(a, word8(p));
    b = step(b, word8(p + 8));
    c = step(c, word8(p + 16));
    d = step(d, word8(p + 24));
  }
  uint64_t hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
  return merge(merge(merge(merge(hash, a), b), c), d);
}

uint64_t sloe_hash64(const void *data, size_t len) {
  const uint8_t *p = data, *end = p + len;
  uint64_t hash = (len >= 32 ? hash_blocks(p, len / 32) : PRIME_5) + len;
  for (p += len / 32 * 32; end - p >= 8; p += 8)
    hash = rotate(hash ^ step(0, word8(p)), 27) * PRIME_1 + PRIME_4;
  for (; end - p >= 4; p += 4) hash = rotate(hash ^ word4(p) * PRIME_1, 23) * PRIME_2 + PRIME_3;
  for (; p < end; p++) hash = rotate(hash ^ *p * PRIME_5, 11) * PRIME_1;
  hash = (hash ^ hash >> 33) * PRIME_2;
  hash = (hash ^ hash >> 29) * PRIME_3;
  return hash ^ hash >> 32;
}
