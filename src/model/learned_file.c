/* learned_file.c: the bytes of a learned model, version 1.
 *
 *   offset  bytes
 *        0      8  89 'S' 'L' 'M' CR LF 1A LF
 *        8      4  version          12   4  32: where what the checksum covers begins
 *       16      8  length           24   8  XXH64 of all bytes from 32 on
 *       32         u32 kind, n_inputs, log_inputs, log_target; f64 target_shift, target_scale;
 *                  f64 shift[n_inputs], scale[n_inputs]; then by kind
 *         POLY     u32 degree, powers, n_coefs, 0; f64 constant; f64 coef[n_coefs]
 *         KERNEL   u32 kind, degree, n, 0; f64 gamma, coef0, bias; f64 coef[n], vector[n_inputs x
 * n] MLP      u32 n_layers, activation, n_weights, 0; u32 width[9] and 0; f32 weight[n_weights]
 *         TREES    u32 n_trees, n_nodes; f64 base, factor; u32 first[n_trees + 1];
 *                  { f32 threshold, u32 left, u32 input, f32 value }[n_nodes]
 *
 * Arrays fill up to multiples of 8 with zeros. Little-endian, IEEE 754. Each of these lists stands
 * once in the code: one function walks it, writing or reading by the direction of its `io`. In
 * reading, the scalars before an array are checked before its memory is asked for, and no array can
 * be longer than the bytes that are left.
 */
#include <string.h>

#include "base/hash.h"
#include "model/learned.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "learned_file.c copies little-endian numbers as they are"
#endif

#define MAGIC "\x89SLM\r\n\x1a\n"
enum { VERSION = 1, HEADER = 32, ALIGN = 8 };
static const size_t most_bytes = (size_t)1 << 30;

typedef struct io {
  sloe_text *out;          /* writing */
  const unsigned char *in; /* reading: NULL when writing */
  size_t at, len;
  sloe_arena *arena;
  sloe_error *err;
} io;

static sloe_status raw(io *f, void *value, size_t size) {
  if (!f->in) {
    sloe_text_addn(f->out, value, size);
    f->at += size;
    return SLOE_OK;
  }
  if (size > f->len - f->at)
    return sloe_fail_at(f->err, SLOE_FORMAT, f->at, "learned model: cut short, %zu bytes wanted",
                        size);
  memcpy(value, f->in + f->at, size);
  f->at += size;
  return SLOE_OK;
}

static sloe_status u32s(io *f, uint32_t *const *values, size_t n) {
  for (size_t i = 0; i < n; i++) SLOE_TRY(raw(f, values[i], sizeof **values));
  return SLOE_OK;
}

static sloe_status f64s(io *f, double *const *values, size_t n) {
  for (size_t i = 0; i < n; i++) SLOE_TRY(raw(f, values[i], sizeof **values));
  return SLOE_OK;
}

/* *data_ptr: the array; made in reading. */
static sloe_status array(io *f, void *data_ptr, size_t count, size_t size) {
  void *data;
  unsigned char zeros[ALIGN] = {0};
  memcpy(&data, data_ptr, sizeof data);
  if (f->in) {
    if (count > (f->len - f->at) / size)
      return sloe_fail_at(f->err, SLOE_FORMAT, f->at,
                          "learned model: %zu elements declared, %zu bytes left", count,
                          f->len - f->at);
    data = sloe_arena_alloc(f->arena, count, size);
    if (!data) return sloe_fail(f->err, SLOE_NOMEM, "out of memory for a learned model");
    memcpy(data_ptr, &data, sizeof data);
  }
  SLOE_TRY(raw(f, data, count * size));
  return raw(f, zeros, (ALIGN - count * size % ALIGN) % ALIGN);
}

/* Scalars are in: do they make sense? Arrays that are not there yet are not looked at. */
static sloe_status plausible(const io *f, const sloe_learned *m) {
  if (!f->in || sloe_learned_check(m, f->err) == SLOE_OK) return SLOE_OK;
  if (f->err) f->err->offset = f->at;
  return SLOE_FORMAT;
}

static sloe_status poly(io *f, sloe_learned *m) {
  sloe_learned_poly *p = &m->poly;
  uint32_t zero = 0;
  SLOE_TRY(u32s(f, (uint32_t *[]){&p->degree, &p->powers, &p->n_coefs, &zero}, 4));
  SLOE_TRY(raw(f, &p->constant, sizeof p->constant));
  SLOE_TRY(plausible(f, m));
  return array(f, &p->coef, p->n_coefs, sizeof *p->coef);
}

static sloe_status kernel(io *f, sloe_learned *m) {
  sloe_learned_kernel *k = &m->kernel;
  uint32_t zero = 0;
  SLOE_TRY(u32s(f, (uint32_t *[]){&k->kind, &k->degree, &k->n, &zero}, 4));
  SLOE_TRY(f64s(f, (double *[]){&k->gamma, &k->coef0, &k->bias}, 3));
  SLOE_TRY(plausible(f, m));
  SLOE_TRY(array(f, &k->coef, k->n, sizeof *k->coef));
  return array(f, &k->vector, (size_t)k->n * m->n_inputs, sizeof *k->vector);
}

static sloe_status mlp(io *f, sloe_learned *m) {
  sloe_learned_mlp *p = &m->mlp;
  uint32_t zero = 0;
  SLOE_TRY(u32s(f, (uint32_t *[]){&p->n_layers, &p->activation, &p->n_weights, &zero}, 4));
  SLOE_TRY(raw(f, p->width, sizeof p->width));
  SLOE_TRY(raw(f, &zero, sizeof zero));
  SLOE_TRY(plausible(f, m));
  return array(f, &p->weight, p->n_weights, sizeof *p->weight);
}

static sloe_status trees(io *f, sloe_learned *m) {
  sloe_learned_trees *t = &m->trees;
  SLOE_TRY(u32s(f, (uint32_t *[]){&t->n_trees, &t->n_nodes}, 2));
  SLOE_TRY(f64s(f, (double *[]){&t->base, &t->factor}, 2));
  SLOE_TRY(plausible(f, m));
  SLOE_TRY(array(f, &t->first, (size_t)t->n_trees + 1, sizeof *t->first));
  return array(f, &t->node, t->n_nodes, sizeof *t->node);
}

static sloe_status all(io *f, sloe_learned *m) {
  SLOE_TRY(u32s(f, (uint32_t *[]){&m->kind, &m->n_inputs, &m->log_inputs, &m->log_target}, 4));
  SLOE_TRY(f64s(f, (double *[]){&m->target_shift, &m->target_scale}, 2));
  if (f->in && m->n_inputs > SLOE_LEARNED_INPUTS) return plausible(f, m);
  SLOE_TRY(array(f, &m->shift, m->n_inputs, sizeof *m->shift));
  SLOE_TRY(array(f, &m->scale, m->n_inputs, sizeof *m->scale));
  switch (m->kind) {
    case SLOE_LEARNED_POLY: return poly(f, m);
    case SLOE_LEARNED_KERNEL: return kernel(f, m);
    case SLOE_LEARNED_MLP: return mlp(f, m);
    case SLOE_LEARNED_TREE_SUM: return trees(f, m);
    default: return plausible(f, m);
  }
}

static void put(unsigned char *at, uint64_t value, size_t size) {
  memcpy(at, &value, size);
}

void sloe_learned_encode(const sloe_learned *m, sloe_text *out) {
  unsigned char header[HEADER] = MAGIC;
  const size_t start = out->len;
  sloe_learned copy = *m; /* written from, never to */
  sloe_text_addn(out, (const char *)header, sizeof header);
  io f = {.out = out};
  if (all(&f, &copy) != SLOE_OK) out->failed = 1;
  if (out->failed) return;
  put(header + 8, VERSION, 4);
  put(header + 12, HEADER, 4);
  put(header + 16, out->len - start, 8);
  put(header + 24, sloe_hash64(out->data + start + HEADER, out->len - start - HEADER), 8);
  memcpy(out->data + start, header, sizeof header);
}

static sloe_status check_header(const unsigned char *data, size_t len, sloe_error *err) {
  uint32_t version, header;
  uint64_t length, hash;
  if (len < HEADER || memcmp(data, MAGIC, 8) != 0)
    return sloe_fail_at(err, SLOE_FORMAT, 0, "no learned model");
  memcpy(&version, data + 8, 4);
  memcpy(&header, data + 12, 4);
  memcpy(&length, data + 16, 8);
  memcpy(&hash, data + 24, 8);
  if (version > VERSION)
    return sloe_fail_at(err, SLOE_UNSUPPORTED, 8,
                        "learned model of version %u, at most %d is known", (unsigned)version,
                        VERSION);
  if (version < 1 || header != HEADER || length != len)
    return sloe_fail_at(err, SLOE_FORMAT, 16, "learned model: %llu bytes declared, %zu are there",
                        (unsigned long long)length, len);
  if (hash != sloe_hash64(data + HEADER, len - HEADER))
    return sloe_fail_at(err, SLOE_FORMAT, 24, "learned model: the checksum is wrong");
  return SLOE_OK;
}

sloe_status sloe_learned_decode(const void *data, size_t len, sloe_learned *out, sloe_error *err) {
  sloe_learned m = {0};
  io f = {.in = data, .at = HEADER, .len = len, .arena = &m.arena, .err = err};
  sloe_status status;
  *out = (sloe_learned){0};
  SLOE_TRY(check_header(data, len, err));
  sloe_arena_init(&m.arena, most_bytes);
  SLOE_GOTO(all(&f, &m));
  SLOE_GOTO(plausible(&f, &m));
  if (f.at != len) {
    status = sloe_fail_at(err, SLOE_FORMAT, f.at, "learned model: %zu bytes too many", len - f.at);
    goto fail;
  }
  *out = m;
  return SLOE_OK;
fail:
  sloe_learned_fini(&m);
  return status;
}
