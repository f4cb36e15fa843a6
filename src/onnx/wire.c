#include "onnx/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

static const uint8_t nothing[1];

/* `end` is the end of the window or the limit, whichever comes first. */
static void clip(sloe_wire *w) {
  uint64_t room = w->limit > w->window_at ? w->limit - w->window_at : 0;
  w->end = w->window + (room < w->window_len ? (size_t)room : w->window_len);
}

static void set_window(sloe_wire *w, const uint8_t *window, uint64_t at, size_t len) {
  w->window = w->p = window;
  w->window_at = at;
  w->window_len = len;
  clip(w);
}

static void init(sloe_wire *w, uint64_t size, sloe_error *err) {
  *w = (sloe_wire){.fd = -1, .size = size, .limit = size, .err = err};
  set_window(w, nothing, 0, 0);
}

void sloe_wire_init_memory(sloe_wire *w, const void *buf, size_t len, sloe_error *err) {
  init(w, len, err);
  if (len) set_window(w, buf, 0, len);
}

static sloe_status init_buffer(sloe_wire *w, size_t first, size_t most) {
  w->buf = sloe_alloc(most, 1);
  if (!w->buf) return sloe_fail(w->err, SLOE_NOMEM, "out of memory");
  w->buf_len = most;
  w->step = w->step_min = first;
  return SLOE_OK;
}

sloe_status sloe_wire_init_windowed(sloe_wire *w, const void *buf, size_t len, size_t window,
                                    sloe_error *err) {
  init(w, len, err);
  w->memory = buf;
  return init_buffer(w, window, window);
}

sloe_status sloe_wire_init_file(sloe_wire *w, int fd, uint64_t size, sloe_error *err) {
  init(w, size, err);
  w->fd = fd;
  /* On a cold cache read-ahead would fetch the weights that we skip. */
  posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
  return init_buffer(w, SLOE_WIRE_WINDOW_MIN, SLOE_WIRE_WINDOW_MAX);
}

void sloe_wire_fini(sloe_wire *w) {
  sloe_dealloc(w->buf);
  w->buf = NULL;
}

/* ---- windows ----------------------------------------------------------------------------- */

static sloe_status read_some(sloe_wire *w, uint64_t at, size_t want, size_t *got) {
  if (w->fd < 0) {
    memcpy(w->buf, w->memory + at, want);
    *got = want;
    return SLOE_OK;
  }
  ssize_t n;
  do n = pread(w->fd, w->buf, want, (off_t)at);
  while (n < 0 && errno == EINTR);
  if (n < 0) return sloe_fail_at(w->err, SLOE_IO, at, "reading failed: %s", strerror(errno));
  if (n == 0) return sloe_fail_at(w->err, SLOE_IO, at, "the file became shorter while it was read");
  *got = (size_t)n;
  return SLOE_OK;
}

/* The window is used up and the limit is not reached. */
static sloe_status refill(sloe_wire *w) {
  uint64_t at = sloe_wire_at(w);
  size_t want = w->step, got = 0;
  if (want > w->size - at) want = (size_t)(w->size - at);
  SLOE_TRY(read_some(w, at, want, &got));
  set_window(w, w->buf, at, got);
  if (w->step < w->buf_len) w->step = w->step * 2 < w->buf_len ? w->step * 2 : w->buf_len;
  return SLOE_OK;
}

void sloe_wire_jump(sloe_wire *w, uint64_t at, uint64_t limit) {
  w->limit = limit;
  if (at >= w->window_at && at - w->window_at <= w->window_len) {
    w->p = w->window + (size_t)(at - w->window_at);
    clip(w);
    return;
  }
  w->step = w->step_min;
  set_window(w, nothing, at, 0);
}

static int at_cut(const sloe_wire *w) {
  return w->cut && w->limit == w->cut_end;
}

static sloe_status past_end(sloe_wire *w, uint64_t at, const char *what) {
  if (at_cut(w))
    return sloe_fail_at(w->err, SLOE_FORMAT, w->cut_at, "field %u: %llu bytes declared, %llu left",
                        (unsigned)w->cut_field, (unsigned long long)w->cut_declared,
                        (unsigned long long)w->cut_left);
  return sloe_fail_at(w->err, SLOE_FORMAT, at, "%s runs past the end of its message", what);
}

/* ---- numbers ----------------------------------------------------------------------------- */

sloe_status sloe_wire_varint_slow(sloe_wire *w, uint64_t *out) {
  uint64_t at = sloe_wire_at(w), value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (w->p == w->end) {
      if (sloe_wire_at(w) >= w->limit) return past_end(w, at, "a varint");
      SLOE_TRY(refill(w));
    }
    uint8_t byte = *w->p++;
    if (shift == 63 && byte > 1) break;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *out = value;
      return SLOE_OK;
    }
  }
  return sloe_fail_at(w->err, SLOE_FORMAT, at, "a varint is wider than 64 bits");
}

sloe_status sloe_wire_bytes(sloe_wire *w, void *out, size_t n) {
  if (n > sloe_wire_left(w)) return past_end(w, sloe_wire_at(w), "a value");
  for (uint8_t *to = out; n;) {
    if (w->p == w->end) SLOE_TRY(refill(w));
    size_t run = (size_t)(w->end - w->p);
    if (run > n) run = n;
    memcpy(to, w->p, run);
    w->p += run;
    to += run;
    n -= run;
  }
  return SLOE_OK;
}

sloe_status sloe_wire_u32(sloe_wire *w, uint32_t *out) {
  uint8_t b[4];
  SLOE_TRY(sloe_wire_bytes(w, b, sizeof b));
  *out = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
  return SLOE_OK;
}

sloe_status sloe_wire_u64(sloe_wire *w, uint64_t *out) {
  uint32_t low, high;
  SLOE_TRY(sloe_wire_u32(w, &low));
  SLOE_TRY(sloe_wire_u32(w, &high));
  *out = low | (uint64_t)high << 32;
  return SLOE_OK;
}

/* ---- fields ------------------------------------------------------------------------------ */

sloe_status sloe_wire_next(sloe_wire *w, sloe_field *f) {
  uint64_t tag;
  f->at = sloe_wire_at(w);
  f->number = 0;
  if (f->at >= w->limit) return at_cut(w) ? past_end(w, f->at, "a message") : SLOE_OK;
  SLOE_TRY(sloe_wire_varint(w, &tag));
  f->type = tag & 7;
  uint64_t number = tag >> 3;
  if (number == 0 || number >= UINT64_C(1) << 29)
    return sloe_fail_at(w->err, SLOE_FORMAT, f->at, "field number %llu is not one of protobuf",
                        (unsigned long long)number);
  if (f->type == 3 || f->type == 4)
    return sloe_fail_at(w->err, SLOE_FORMAT, f->at, "field %llu: a group, which ONNX has none of",
                        (unsigned long long)number);
  if (f->type > 5)
    return sloe_fail_at(w->err, SLOE_FORMAT, f->at, "field %llu: wire type %u is unknown",
                        (unsigned long long)number, (unsigned)f->type);
  f->number = (uint32_t)number;
  return SLOE_OK;
}

sloe_status sloe_wire_expect(sloe_wire *w, const sloe_field *f, uint32_t type) {
  if (f->type == type) return SLOE_OK;
  return sloe_fail_at(w->err, SLOE_FORMAT, f->at, "field %u: wire type %u where %u is expected",
                      (unsigned)f->number, (unsigned)f->type, (unsigned)type);
}

sloe_status sloe_wire_int(sloe_wire *w, const sloe_field *f, int64_t *out) {
  uint64_t value;
  SLOE_TRY(sloe_wire_expect(w, f, SLOE_WIRE_VARINT));
  SLOE_TRY(sloe_wire_varint(w, &value));
  *out = (int64_t)value;
  return SLOE_OK;
}

sloe_status sloe_wire_float(sloe_wire *w, const sloe_field *f, double *out) {
  uint32_t bits;
  float value;
  SLOE_TRY(sloe_wire_expect(w, f, SLOE_WIRE_I32));
  SLOE_TRY(sloe_wire_u32(w, &bits));
  memcpy(&value, &bits, sizeof value);
  *out = value;
  return SLOE_OK;
}

sloe_status sloe_wire_len(sloe_wire *w, const sloe_field *f, uint64_t *len) {
  SLOE_TRY(sloe_wire_expect(w, f, SLOE_WIRE_LEN));
  SLOE_TRY(sloe_wire_varint(w, len));
  if (*len <= sloe_wire_left(w)) return SLOE_OK;
  return sloe_fail_at(w->err, SLOE_FORMAT, f->at, "field %u: %llu bytes declared, %llu left",
                      (unsigned)f->number, (unsigned long long)*len,
                      (unsigned long long)sloe_wire_left(w));
}

sloe_status sloe_wire_skip(sloe_wire *w, const sloe_field *f) {
  uint64_t n = f->type == SLOE_WIRE_I64 ? 8 : 4;
  if (f->type == SLOE_WIRE_VARINT) return sloe_wire_varint(w, &n);
  if (f->type == SLOE_WIRE_LEN) SLOE_TRY(sloe_wire_len(w, f, &n));
  if (n > sloe_wire_left(w)) return past_end(w, f->at, "a value");
  if (n <= (size_t)(w->end - w->p))
    w->p += n;
  else
    sloe_wire_jump(w, sloe_wire_at(w) + n, w->limit);
  return SLOE_OK;
}

sloe_status sloe_wire_enter(sloe_wire *w, const sloe_field *f, uint64_t *outer) {
  uint64_t len;
  SLOE_TRY(sloe_wire_expect(w, f, SLOE_WIRE_LEN));
  SLOE_TRY(sloe_wire_varint(w, &len));
  uint64_t left = sloe_wire_left(w);
  *outer = w->limit;
  if (len > left) {
    w->cut = 1;
    w->cut_end = w->limit;
    w->cut_at = f->at;
    w->cut_field = f->number;
    w->cut_declared = len;
    w->cut_left = left;
    len = left;
  }
  w->limit = sloe_wire_at(w) + len;
  clip(w);
  return SLOE_OK;
}

sloe_status sloe_wire_leave(sloe_wire *w, uint64_t outer) {
  if (at_cut(w)) return past_end(w, w->cut_at, "a message");
  if (w->p == w->end && sloe_wire_at(w) == w->limit) {
    w->limit = outer;
    clip(w);
  } else {
    sloe_wire_jump(w, w->limit, outer);
  }
  return SLOE_OK;
}
