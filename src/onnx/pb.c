#include "onnx/pb.h"

#include <string.h>

#include "base/alloc.h"
#include "onnx/wire.h"

enum { MOST_VARINT = 10 };

void sloe_pb_fini(sloe_pb *pb) {
  sloe_dealloc(pb->data);
  sloe_dealloc(pb->holes);
  *pb = (sloe_pb){0};
}

/* Room for n more bytes; NULL after a failure. */
static uint8_t *extend(sloe_pb *pb, size_t n) {
  if (pb->failed) return NULL;
  if (n > pb->cap - pb->len) {
    size_t cap = pb->cap ? pb->cap : 4096;
    while (cap - pb->len < n && cap <= SIZE_MAX / 4) cap *= 2;
    uint8_t *wide = cap - pb->len < n ? NULL : sloe_realloc(pb->data, cap, 1);
    if (!wide) {
      pb->failed = 1;
      return NULL;
    }
    pb->data = wide;
    pb->cap = cap;
  }
  pb->len += n;
  return pb->data + pb->len - n;
}

static size_t encode(uint8_t out[MOST_VARINT], uint64_t value) {
  size_t n = 0;
  for (; value > 127; value >>= 7) out[n++] = (uint8_t)(value | 128);
  out[n++] = (uint8_t)value;
  return n;
}

static void append(sloe_pb *pb, const void *data, size_t len) {
  uint8_t *to = extend(pb, len);
  if (to && len) memcpy(to, data, len);
}

static void append_varint(sloe_pb *pb, uint64_t value) {
  uint8_t b[MOST_VARINT];
  append(pb, b, encode(b, value));
}

static void append_tag(sloe_pb *pb, unsigned field, unsigned type) {
  append_varint(pb, (uint64_t)field << 3 | type);
}

void sloe_pb_int(sloe_pb *pb, unsigned field, int64_t value) {
  append_tag(pb, field, SLOE_WIRE_VARINT);
  append_varint(pb, (uint64_t)value);
}

void sloe_pb_float(sloe_pb *pb, unsigned field, double value) {
  float narrow = (float)value;
  uint32_t bits;
  memcpy(&bits, &narrow, sizeof bits);
  uint8_t b[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16),
                  (uint8_t)(bits >> 24)};
  append_tag(pb, field, SLOE_WIRE_I32);
  append(pb, b, sizeof b);
}

void sloe_pb_bytes(sloe_pb *pb, unsigned field, const void *data, size_t len) {
  append_tag(pb, field, SLOE_WIRE_LEN);
  append_varint(pb, len);
  append(pb, data, len);
}

void sloe_pb_text(sloe_pb *pb, unsigned field, const char *s) {
  sloe_pb_bytes(pb, field, s, strlen(s));
}

void sloe_pb_hollow(sloe_pb *pb, unsigned field, uint64_t bytes, int32_t id) {
  append_tag(pb, field, SLOE_WIRE_LEN);
  append_varint(pb, bytes);
  if (pb->failed) return;
  if (pb->n_holes == pb->cap_holes) {
    size_t cap = pb->cap_holes ? pb->cap_holes * 2 : 64;
    sloe_pb_hole *wide = sloe_realloc(pb->holes, cap, sizeof *wide);
    if (!wide) {
      pb->failed = 1;
      return;
    }
    pb->holes = wide;
    pb->cap_holes = cap;
  }
  pb->holes[pb->n_holes++] = (sloe_pb_hole){.at = pb->len, .bytes = bytes, .id = id};
  pb->hole_bytes += bytes;
}

sloe_pb_mark sloe_pb_begin(sloe_pb *pb, unsigned field) {
  append_tag(pb, field, SLOE_WIRE_LEN);
  return (sloe_pb_mark){.at = pb->len, .n_holes = pb->n_holes, .hole_bytes = pb->hole_bytes};
}

void sloe_pb_end(sloe_pb *pb, sloe_pb_mark mark) {
  uint8_t b[MOST_VARINT];
  size_t inside = pb->len - mark.at;
  size_t n = encode(b, inside + (pb->hole_bytes - mark.hole_bytes));
  if (!extend(pb, n)) return;
  memmove(pb->data + mark.at + n, pb->data + mark.at, inside);
  memcpy(pb->data + mark.at, b, n);
  for (size_t i = mark.n_holes; i < pb->n_holes; i++) pb->holes[i].at += n;
}
