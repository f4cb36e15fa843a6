/* Bytes -> a layer sum, with its trees.
 *
 * Property: status and handle agree, and nothing is left of a refusal, which has a message and an
 * offset inside the input; twice gives the same. What is accepted passes its own check, is written
 * as bytes that are read as the same, and is refused where it is cut. It tells any layers: a time
 * that is no NAN and not below the constant, of layers with trust between 0 and 1; NAN of a layer
 * with a number that is none.
 *
 * An input is tried as it is and with lengths and checksums put right, its own and that of the
 * trees inside, which no mutation would ever find.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "model/layer_sum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 32, COUNTS = 24, SCALARS = 24, ROWS = 5 };

static void check(int ok) {
  if (!ok) __builtin_trap();
}

/* ---- what is accepted ---- */

static void fill(double *values, size_t n, size_t row) {
  static const double some[] = {0, 1, 1e-3, 3.6e9, 1.8446744073709552e19, 17};
  for (size_t i = 0; i < n; i++) values[i] = some[(i + row) % (sizeof some / sizeof *some)];
}

static void check_answers(const sloe_layer_sum *m) {
  double terms[ROWS * SLOE_LAYER_SUM_TERMS], traits[ROWS * SLOE_LAYER_SUM_TRAITS];
  double ms[ROWS], trust[ROWS];
  uint64_t family[ROWS] = {0, 1, UINT64_MAX};
  for (size_t i = 3; i < ROWS; i++) family[i] = m->n_families ? m->family[i % m->n_families] : 7;
  for (size_t i = 0; i < ROWS; i++) {
    fill(terms + i * m->n_terms, m->n_terms, i);
    fill(traits + i * m->n_traits, m->n_traits, i);
  }
  const sloe_layer_rows rows = {ROWS, terms, traits, family};
  const double total = sloe_layer_sum_predict(m, &rows, ms, trust);
  check(!isnan(total) && total >= m->constant);
  for (size_t i = 0; i < ROWS; i++) check(ms[i] >= 0 && trust[i] >= 0 && trust[i] <= 1);
  traits[m->n_traits] = INFINITY; /* of the second */
  check(isnan(sloe_layer_sum_predict(m, &rows, ms, NULL)) && isnan(ms[1]) && !isnan(ms[0]));
}

static void check_bytes(const sloe_layer_sum *m) {
  sloe_text text = {0}, again = {0};
  sloe_layer_sum back;
  sloe_error err;
  sloe_layer_sum_encode(m, &text);
  check(!text.failed && sloe_layer_sum_decode(text.data, text.len, &back, &err) == SLOE_OK);
  sloe_layer_sum_encode(&back, &again);
  check(again.len == text.len && memcmp(again.data, text.data, text.len) == 0);
  sloe_layer_sum_fini(&back);
  check(sloe_layer_sum_decode(text.data, text.len - text.len / 3, &back, &err) == SLOE_FORMAT);
  check(!back.coef);
  sloe_text_fini(&text);
  sloe_text_fini(&again);
}

static void try_bytes(const uint8_t *data, size_t size) {
  sloe_layer_sum m = {.coef = (void *)&m}, again;
  sloe_error err = {0}, err2 = {0};
  const long live = sloe_alloc_live();
  const sloe_status status = sloe_layer_sum_decode(data, size, &m, &err);
  check(sloe_layer_sum_decode(data, size, &again, &err2) == status);
  check((status == SLOE_OK) == (m.coef != NULL) && (m.coef == NULL) == (again.coef == NULL));
  if (status == SLOE_OK) {
    check(sloe_layer_sum_check(&m, &err) == SLOE_OK);
    check_bytes(&m);
    check_answers(&m);
  } else {
    check(err.msg[0] && err.code == status && err.offset <= size);
    check(err.offset == err2.offset && strcmp(err.msg, err2.msg) == 0);
  }
  sloe_layer_sum_fini(&m);
  sloe_layer_sum_fini(&again);
  check(sloe_alloc_live() == live);
}

/* ---- lengths and checksums ---- */

static void put_word(uint8_t *at, uint64_t value) {
  for (int i = 0; i < 8; i++) at[i] = (uint8_t)(value >> 8 * i);
}

/* Both kinds of bytes have one header. */
static void mend_header(uint8_t *at, size_t size) {
  if (size < HEADER) return;
  put_word(at + 16, size);
  put_word(at + 24, sloe_hash64(at + HEADER, size - HEADER));
}

/* Where the trees begin; `size` where there are none. */
static size_t find_trees(const uint8_t *data, size_t size) {
  uint32_t count[COUNTS / 4];
  if (size < HEADER + COUNTS) return size;
  memcpy(count, data + HEADER, COUNTS);
  const uint64_t families = count[3], sizes = count[2] % 256;
  const uint64_t at = HEADER + COUNTS + SCALARS + 8 * (count[0] % 256 + families * (1 + 2 * sizes));
  return count[4] && at < size ? (size_t)at : size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try_bytes(data, size);
  uint8_t *copy = malloc(size + 1);
  check(copy != NULL);
  memcpy(copy, data, size);
  const size_t trees = find_trees(copy, size);
  mend_header(copy + trees, size - trees);
  mend_header(copy, size);
  try_bytes(copy, size);
  free(copy);
  return 0;
}
