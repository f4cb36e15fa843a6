/* Opening, and what every part needs: strings, number lists, scratch stacks. */
#include "onnx/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "onnx/onnx.h"

sloe_status sloe_onnx_nomem(sloe_onnx_reader *r) {
  return sloe_fail_at(r->err, SLOE_NOMEM, sloe_wire_at(&r->wire),
                      "out of memory, or the net is over its limit of %zu bytes",
                      r->net->arena.limit);
}

/* ---- strings ----------------------------------------------------------------------------- */

static sloe_status read_text(sloe_onnx_reader *r, const sloe_field *f, uint64_t *len) {
  SLOE_TRY(sloe_wire_len(&r->wire, f, len));
  if (*len > r->net->arena.limit) return sloe_onnx_nomem(r);
  size_t n = (size_t)*len;
  if (n >= r->text_cap) {
    size_t cap = n < 200 ? 256 : n + n / 2 + 1;
    char *wide = sloe_realloc(r->text, cap, 1);
    if (!wide) return sloe_onnx_nomem(r);
    r->text = wide;
    r->text_cap = cap;
  }
  SLOE_TRY(sloe_wire_bytes(&r->wire, r->text, n));
  r->text[n] = 0;
  return SLOE_OK;
}

sloe_status sloe_onnx_text(sloe_onnx_reader *r, const sloe_field *f) {
  uint64_t len;
  SLOE_TRY(read_text(r, f, &len));
  if (len > SLOE_ONNX_MAX_NAME)
    return sloe_fail_at(r->err, SLOE_UNSUPPORTED, f->at, "a name of %llu bytes",
                        (unsigned long long)len);
  if (memchr(r->text, 0, (size_t)len))
    return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "a name holds a zero byte");
  return SLOE_OK;
}

/* On failure *out stays as it was: what a message is made of later. */
static sloe_status keep(sloe_onnx_reader *r, const char **out) {
  const char *text = sloe_arena_strn(&r->net->arena, r->text, strlen(r->text));
  if (!text) return sloe_onnx_nomem(r);
  *out = text;
  return SLOE_OK;
}

sloe_status sloe_onnx_string(sloe_onnx_reader *r, const sloe_field *f, const char **out) {
  SLOE_TRY(sloe_onnx_text(r, f));
  return keep(r, out);
}

sloe_status sloe_onnx_bytes(sloe_onnx_reader *r, const sloe_field *f, const char **out) {
  uint64_t len;
  SLOE_TRY(read_text(r, f, &len));
  return keep(r, out);
}

/* ---- lists ------------------------------------------------------------------------------- */

void *sloe_onnx_push(sloe_onnx_stack *stack, size_t size) {
  if (stack->n == stack->cap) {
    size_t cap = stack->cap ? stack->cap * 2 : 32;
    void *wide = sloe_realloc(stack->data, cap, size);
    if (!wide) return NULL;
    stack->data = wide;
    stack->cap = cap;
  }
  return (char *)stack->data + size * stack->n++;
}

const void *sloe_onnx_above(const sloe_onnx_stack *stack, size_t base, size_t size) {
  return stack->data ? (const char *)stack->data + base * size : NULL;
}

static sloe_status push_int(sloe_onnx_reader *r) {
  uint64_t value;
  SLOE_TRY(sloe_wire_varint(&r->wire, &value));
  sloe_onnx_word *word = sloe_onnx_push(&r->words, sizeof *word);
  if (!word) return sloe_onnx_nomem(r);
  word->i = (int64_t)value;
  return SLOE_OK;
}

static sloe_status push_float(sloe_onnx_reader *r) {
  uint32_t bits;
  float value;
  SLOE_TRY(sloe_wire_u32(&r->wire, &bits));
  memcpy(&value, &bits, sizeof value);
  sloe_onnx_word *word = sloe_onnx_push(&r->words, sizeof *word);
  if (!word) return sloe_onnx_nomem(r);
  word->f = value;
  return SLOE_OK;
}

/* Packed: all of one length-delimited field; else a single number of wire type `single`. */
static sloe_status read_list(sloe_onnx_reader *r, const sloe_field *f, uint32_t single,
                             sloe_status (*push)(sloe_onnx_reader *)) {
  uint64_t outer;
  if (f->type != SLOE_WIRE_LEN) {
    SLOE_TRY(sloe_wire_expect(&r->wire, f, single));
    return push(r);
  }
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  while (sloe_wire_left(&r->wire)) {
    SLOE_TRY(push(r));
    if (r->words.n > r->net->arena.limit / sizeof(sloe_onnx_word)) return sloe_onnx_nomem(r);
  }
  return sloe_wire_leave(&r->wire, outer);
}

sloe_status sloe_onnx_ints(sloe_onnx_reader *r, const sloe_field *f) {
  return read_list(r, f, SLOE_WIRE_VARINT, push_int);
}

sloe_status sloe_onnx_floats(sloe_onnx_reader *r, const sloe_field *f) {
  return read_list(r, f, SLOE_WIRE_I32, push_float);
}

/* ---- opening ----------------------------------------------------------------------------- */

static void reader_fini(sloe_onnx_reader *r) {
  sloe_wire_fini(&r->wire);
  sloe_dealloc(r->text);
  sloe_dealloc(r->in.data);
  sloe_dealloc(r->out.data);
  sloe_dealloc(r->attrs.data);
  sloe_dealloc(r->words.data);
}

/* r->wire is set up (or `status` says why not). Takes it over. */
static sloe_status read_net(sloe_onnx_reader *r, sloe_status status, size_t limit, sloe_net **out) {
  if (status == SLOE_OK) status = sloe_net_new(limit, &r->net, r->err);
  if (status == SLOE_OK) status = sloe_onnx_scan_model(r);
  if (status == SLOE_OK) status = sloe_onnx_read_graph(r);
  reader_fini(r);
  if (status == SLOE_OK)
    *out = r->net;
  else
    sloe_net_free(r->net);
  return status;
}

sloe_status sloe_onnx_read_memory(const void *buf, size_t len, size_t limit, sloe_net **out,
                                  sloe_error *err) {
  sloe_onnx_reader r = {.err = err};
  *out = NULL;
  sloe_wire_init_memory(&r.wire, buf, len, err);
  return read_net(&r, SLOE_OK, limit, out);
}

sloe_status sloe_onnx_read_windowed(const void *buf, size_t len, size_t window, size_t limit,
                                    sloe_net **out, sloe_error *err) {
  sloe_onnx_reader r = {.err = err};
  *out = NULL;
  return read_net(&r, sloe_wire_init_windowed(&r.wire, buf, len, window, err), limit, out);
}

/* A pipe cannot be jumped in. */
static sloe_status read_stream(const char *path, size_t limit, sloe_net **out, sloe_error *err) {
  char *data;
  size_t len;
  SLOE_TRY(sloe_file_read(path, limit ? limit : (size_t)1 << 30, &data, &len, err));
  sloe_status status = sloe_onnx_read_memory(data, len, limit, out, err);
  sloe_dealloc(data);
  return status;
}

static sloe_status fail_errno(sloe_error *err, const char *what) {
  sloe_status code = errno == ENOENT || errno == ENOTDIR ? SLOE_NOTFOUND : SLOE_IO;
  return sloe_fail(err, code, "%s: %s", what, strerror(errno));
}

sloe_status sloe_onnx_read_file(const char *path, size_t limit, sloe_net **out, sloe_error *err) {
  sloe_onnx_reader r = {.err = err};
  struct stat st;
  sloe_status status;
  *out = NULL;
  if (stat(path, &st) != 0) return fail_errno(err, "cannot open");
  if (S_ISDIR(st.st_mode)) return sloe_fail(err, SLOE_IO, "cannot read: it is a directory");
  if (!S_ISREG(st.st_mode)) return read_stream(path, limit, out, err);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail_errno(err, "cannot open");
  if (fstat(fd, &st) != 0)
    status = fail_errno(err, "cannot stat");
  else
    status = read_net(&r, sloe_wire_init_file(&r.wire, fd, (uint64_t)st.st_size, err), limit, out);
  close(fd);
  return status;
}
