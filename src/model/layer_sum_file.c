/* layer_sum_file.c: the bytes of a layer sum, version 1.
 *
 *   offset  bytes
 *        0     32  the seal (seal.h), of magic 89 'S' 'L' 'S' CR LF 1A LF
 *       32         u32 n_terms, n_traits, n_sizes, n_families, has_trees, 0;
 *                  f64 constant, limit, fade, coef[n_terms]; u64 family[n_families];
 *                  f64 least[n_families x n_sizes], most[the same];
 *                  with trees: the bytes of a learned model (learned_file.c) up to the end
 *
 * Little-endian, IEEE 754.
 */
#include <string.h>

#include "model/layer_sum.h"
#include "model/seal.h"

static const sloe_seal seal = {"\x89SLS\r\n\x1a\n", "layer sum", 1};
enum { COUNTS = 6 };

static void add(sloe_text *out, const void *data, size_t count, size_t size) {
  sloe_text_addn(out, data, count * size);
}

void sloe_layer_sum_encode(const sloe_layer_sum *m, sloe_text *out) {
  const size_t begin = sloe_seal_begin(out), sizes = (size_t)m->n_families * m->n_sizes;
  const uint32_t counts[COUNTS] = {m->n_terms,    m->n_traits,  m->n_sizes,
                                   m->n_families, m->has_trees, 0};
  const double scalars[] = {m->constant, m->limit, m->fade};
  add(out, counts, COUNTS, sizeof *counts);
  add(out, scalars, 3, sizeof *scalars);
  add(out, m->coef, m->n_terms, sizeof *m->coef);
  add(out, m->family, m->n_families, sizeof *m->family);
  add(out, m->least, sizes, sizeof *m->least);
  add(out, m->most, sizes, sizeof *m->most);
  if (m->has_trees) sloe_learned_encode(&m->trees, out);
  sloe_seal_end(&seal, begin, out);
}

typedef struct reader {
  const char *data;
  size_t at, len;
  sloe_error *err;
} reader;

static sloe_status take(reader *r, void *to, size_t count, size_t size) {
  if (count > (r->len - r->at) / size)
    return sloe_fail_at(r->err, SLOE_FORMAT, r->at,
                        "layer sum: cut short, %zu numbers wanted, %zu bytes left", count,
                        r->len - r->at);
  if (count) memcpy(to, r->data + r->at, count * size);
  r->at += count * size;
  return SLOE_OK;
}

/* The counts are checked against the bytes that are left before memory is asked for. */
static sloe_status take_counts(reader *r, sloe_layer_sum *m) {
  uint32_t counts[COUNTS];
  SLOE_TRY(take(r, counts, COUNTS, sizeof *counts));
  if (counts[3] > (r->len - r->at) / sizeof(uint64_t) || counts[4] > 1 || counts[5] != 0)
    return sloe_fail_at(r->err, SLOE_FORMAT, SLOE_SEAL_BYTES, "layer sum: impossible counts");
  sloe_status status = sloe_layer_sum_init(m, counts[0], counts[1], counts[2], counts[3], r->err);
  if (status == SLOE_USAGE)
    return sloe_fail_at(r->err, SLOE_FORMAT, SLOE_SEAL_BYTES, "layer sum: impossible counts");
  m->has_trees = counts[4];
  return status;
}

static sloe_status take_trees(reader *r, sloe_layer_sum *m) {
  const sloe_status status =
      sloe_learned_decode(r->data + r->at, r->len - r->at, &m->trees, r->err);
  if (status != SLOE_OK && r->err) r->err->offset += r->at;
  r->at = r->len;
  return status;
}

static sloe_status take_all(reader *r, sloe_layer_sum *m) {
  SLOE_TRY(take_counts(r, m));
  const size_t sizes = (size_t)m->n_families * m->n_sizes;
  SLOE_TRY(take(r, &m->constant, 1, sizeof m->constant));
  SLOE_TRY(take(r, &m->limit, 1, sizeof m->limit));
  SLOE_TRY(take(r, &m->fade, 1, sizeof m->fade));
  SLOE_TRY(take(r, m->coef, m->n_terms, sizeof *m->coef));
  SLOE_TRY(take(r, m->family, m->n_families, sizeof *m->family));
  SLOE_TRY(take(r, m->least, sizes, sizeof *m->least));
  SLOE_TRY(take(r, m->most, sizes, sizeof *m->most));
  if (m->has_trees) SLOE_TRY(take_trees(r, m));
  if (r->at != r->len)
    return sloe_fail_at(r->err, SLOE_FORMAT, r->at, "layer sum: %zu bytes too many",
                        r->len - r->at);
  return sloe_layer_sum_check(m, r->err);
}

sloe_status sloe_layer_sum_decode(const void *data, size_t len, sloe_layer_sum *out,
                                  sloe_error *err) {
  reader r = {.data = data, .at = SLOE_SEAL_BYTES, .len = len, .err = err};
  *out = (sloe_layer_sum){0};
  SLOE_TRY(sloe_seal_check(&seal, data, len, err));
  const sloe_status status = take_all(&r, out);
  if (status != SLOE_OK) sloe_layer_sum_fini(out);
  return status;
}
