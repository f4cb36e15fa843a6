/* wire.h: a cursor over protobuf bytes. Private to onnx/; no ONNX in here.
 *
 * The bytes are in memory, or in a file of which a window is read by pread(): 4 KiB after a jump,
 * doubling to 64 KiB while reading goes on in sequence. What is skipped is never touched: a jump
 * over 100 MB of weights costs one small read. (mmap was measured too: a page fault behind each
 * skipped payload costs 3-6 us against 1 us for the read.)
 *
 * A message is read by
 *     SLOE_TRY(sloe_wire_enter(w, &f, &outer));
 *     for (;;) {
 *       SLOE_TRY(sloe_wire_next(w, &f));
 *       if (!f.number) break;
 *       switch (f.number) { ... default: SLOE_TRY(sloe_wire_skip(w, &f)); }
 *     }
 *     SLOE_TRY(sloe_wire_leave(w, outer));
 * so that the stack of limits is the C stack. No length is believed: a message that declares more
 * than its parent has left is *cut* at the parent's end and still read, because what is inside says
 * which node the damage hit; reading its end, or leaving it, then fails. Every error carries the
 * absolute offset of the byte at which the trouble starts.
 */
#ifndef SLOE_ONNX_WIRE_H
#define SLOE_ONNX_WIRE_H

#include "base/error.h"

enum { SLOE_WIRE_VARINT = 0, SLOE_WIRE_I64 = 1, SLOE_WIRE_LEN = 2, SLOE_WIRE_I32 = 5 };
enum { SLOE_WIRE_WINDOW_MIN = 4096, SLOE_WIRE_WINDOW_MAX = 65536 };

typedef struct sloe_field {
  uint32_t number; /* 0: the message ends here */
  uint32_t type;
  uint64_t at; /* offset of the tag */
} sloe_field;

typedef struct sloe_wire {
  const uint8_t *p, *end; /* what of the window is unread and within the limit */
  const uint8_t *window;
  size_t window_len;
  uint64_t window_at; /* offset of the window's first byte */
  uint64_t limit;     /* offset at which the message being read ends */
  uint64_t size;      /* of the whole input */
  int fd;             /* -1: memory */
  const uint8_t *memory;
  uint8_t *buf; /* NULL: the window is all of memory */
  size_t buf_len, step, step_min;
  int cut; /* a message declared more than there is; it was cut at cut_end */
  uint64_t cut_end, cut_at, cut_declared, cut_left;
  uint32_t cut_field;
  sloe_error *err;
} sloe_wire;

/* All of it is the window. The bytes must outlive the cursor. */
void sloe_wire_init_memory(sloe_wire *w, const void *buf, size_t len, sloe_error *err);
/* Memory through windows of 1..SLOE_WIRE_WINDOW_MAX bytes: what a file does, for tests. */
sloe_status sloe_wire_init_windowed(sloe_wire *w, const void *buf, size_t len, size_t window,
                                    sloe_error *err);
/* An open regular file of `size` bytes; the caller closes it after fini. */
sloe_status sloe_wire_init_file(sloe_wire *w, int fd, uint64_t size, sloe_error *err);
void sloe_wire_fini(sloe_wire *w);

static inline uint64_t sloe_wire_at(const sloe_wire *w) {
  return w->window_at + (uint64_t)(w->p - w->window);
}
/* Bytes left of the message being read. */
static inline uint64_t sloe_wire_left(const sloe_wire *w) {
  return w->limit - sloe_wire_at(w);
}

/* The next field of the message, or number 0 at its end. */
sloe_status sloe_wire_next(sloe_wire *w, sloe_field *f);
/* Skip the field's value. */
sloe_status sloe_wire_skip(sloe_wire *w, const sloe_field *f);
/* FORMAT unless the field's wire type is `type`. */
sloe_status sloe_wire_expect(sloe_wire *w, const sloe_field *f, uint32_t type);

sloe_status sloe_wire_varint_slow(sloe_wire *w, uint64_t *out);
static inline sloe_status sloe_wire_varint(sloe_wire *w, uint64_t *out) {
  if (w->p < w->end && *w->p < 0x80) {
    *out = *w->p++;
    return SLOE_OK;
  }
  return sloe_wire_varint_slow(w, out);
}
sloe_status sloe_wire_u32(sloe_wire *w, uint32_t *out); /* four bytes, little endian */
sloe_status sloe_wire_u64(sloe_wire *w, uint64_t *out); /* eight */
sloe_status sloe_wire_bytes(sloe_wire *w, void *out, size_t n);

/* A varint field (int64, int32, enum, bool). */
sloe_status sloe_wire_int(sloe_wire *w, const sloe_field *f, int64_t *out);
/* A float field. */
sloe_status sloe_wire_float(sloe_wire *w, const sloe_field *f, double *out);
/* The length of a string, bytes or message field, checked against what is left; its first byte is
   next. */
sloe_status sloe_wire_len(sloe_wire *w, const sloe_field *f, uint64_t *len);

/* Into a message field: its end becomes the limit. *outer is for leave. */
sloe_status sloe_wire_enter(sloe_wire *w, const sloe_field *f, uint64_t *outer);
/* To the end of the message and out of it. */
sloe_status sloe_wire_leave(sloe_wire *w, uint64_t outer);

/* Go to `at` and read up to `limit`, at <= limit <= size. */
void sloe_wire_jump(sloe_wire *w, uint64_t at, uint64_t limit);

#endif
