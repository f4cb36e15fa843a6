#include "model/seal.h"

#include <string.h>

#include "base/hash.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "models are written as little-endian numbers, copied as they are"
#endif

enum { MAGIC = 8 };

size_t sloe_seal_begin(sloe_text *out) {
  static const char room[SLOE_SEAL_BYTES];
  const size_t begin = out->len;
  sloe_text_addn(out, room, sizeof room);
  return begin;
}

static void put(char *at, uint64_t value, size_t size) {
  memcpy(at, &value, size);
}

void sloe_seal_end(const sloe_seal *seal, size_t begin, sloe_text *out) {
  if (out->failed) return;
  char *at = out->data + begin;
  const size_t len = out->len - begin;
  memcpy(at, seal->magic, MAGIC);
  put(at + 8, seal->version, 4);
  put(at + 12, SLOE_SEAL_BYTES, 4);
  put(at + 16, len, 8);
  put(at + 24, sloe_hash64(at + SLOE_SEAL_BYTES, len - SLOE_SEAL_BYTES), 8);
}

sloe_status sloe_seal_check(const sloe_seal *seal, const void *data, size_t len, sloe_error *err) {
  const char *at = data;
  uint32_t version, header;
  uint64_t length, hash;
  if (len < SLOE_SEAL_BYTES || memcmp(at, seal->magic, MAGIC) != 0)
    return sloe_fail_at(err, SLOE_FORMAT, 0, "no %s", seal->what);
  memcpy(&version, at + 8, 4);
  memcpy(&header, at + 12, 4);
  memcpy(&length, at + 16, 8);
  memcpy(&hash, at + 24, 8);
  if (version > seal->version)
    return sloe_fail_at(err, SLOE_UNSUPPORTED, 8, "%s of version %u, at most %u is known",
                        seal->what, (unsigned)version, (unsigned)seal->version);
  if (version < 1 || header != SLOE_SEAL_BYTES || length != len)
    return sloe_fail_at(err, SLOE_FORMAT, 16, "%s: %llu bytes declared, %zu are there", seal->what,
                        (unsigned long long)length, len);
  if (hash != sloe_hash64(at + SLOE_SEAL_BYTES, len - SLOE_SEAL_BYTES))
    return sloe_fail_at(err, SLOE_FORMAT, 24, "%s: the checksum is wrong", seal->what);
  return SLOE_OK;
}
