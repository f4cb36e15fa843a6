/* learned_file.c: the bytes of a learned model, version 1.
 *
 *   offset  bytes
 *        0     32  the seal (seal.h), of magic 89 'S' 'L' 'M' CR LF 1A LF
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

#include "model/learned.h"
#include "model/seal.h"

static const sloe_seal seal = {"\x89SLM\r\n\x1a\n", "learned model", 1};
enum { ALIGN = 8 };
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

void sloe_learned_encode(const sloe_learned *m, sloe_text *out) {
  const size_t begin = sloe_seal_begin(out);
  sloe_learned copy = *m; /* written from, never to */
  io f = {.out = out};
  if (all(&f, &copy) != SLOE_OK) out->failed = 1;
  sloe_seal_end(&seal, begin, out);
}

sloe_status sloe_learned_decode(const void *data, size_t len, sloe_learned *out, sloe_error *err) {
  sloe_learned m = {0};
  io f = {.in = data, .at = SLOE_SEAL_BYTES, .len = len, .arena = &m.arena, .err = err};
  sloe_status status;
  *out = (sloe_learned){0};
  SLOE_TRY(sloe_seal_check(&seal, data, len, err));
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
