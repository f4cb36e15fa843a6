/* A fitted platform's file that was damaged, or that no writer makes: refused where it stands, or
 * harmless. */
#include <float.h>
#include <stdlib.h>

#include "unit/fitted_files.h"

/* ---- damage ---- */

static void assert_bytes_refused(const char *data, size_t len, size_t at) {
  sloe_platform *p = (void *)&p;
  sloe_error err = {0};
  sloe_status status = sloe_platform_from_memory(data, len, NULL, &p, &err);
  if (status == SLOE_OK || p || !err.msg[0] || err.code != status || err.offset > len)
    fail_msg("byte %zu: status %d at %llu: %s", at, (int)status, (unsigned long long)err.offset,
             err.msg);
}

static void every_flipped_bit_is_refused(void **state) {
  (void)state;
  sloe_text bytes = fitted_toy_bytes();
  for (size_t i = 0; i < bytes.len * 8; i++) {
    bytes.data[i / 8] ^= (char)(1 << i % 8);
    assert_bytes_refused(bytes.data, bytes.len, i / 8);
    bytes.data[i / 8] ^= (char)(1 << i % 8);
  }
  sloe_platform_free(fitted_open(&bytes));
  sloe_text_fini(&bytes);
}

static void a_file_cut_anywhere_is_refused(void **state) {
  (void)state;
  sloe_text bytes = fitted_toy_bytes();
  for (size_t len = 0; len < bytes.len; len++) assert_bytes_refused(bytes.data, len, len);
  sloe_text_addn(&bytes, "x", 1);
  assert_bytes_refused(bytes.data, bytes.len, bytes.len);
  sloe_text_fini(&bytes);
}

/* With the checksum put right every other check is on its own: refused or harmless. */
static void every_flipped_bit_under_a_right_checksum_is_refused_or_harmless(void **state) {
  (void)state;
  sloe_text bytes = fitted_toy_bytes();
  size_t accepted = 0;
  for (size_t i = SLOE_FITTED_HEADER * 8; i < bytes.len * 8; i++) {
    sloe_platform *p = (void *)&p;
    sloe_error err = {0};
    bytes.data[i / 8] ^= (char)(1 << i % 8);
    fitted_mend(bytes.data, bytes.len);
    sloe_status status = sloe_platform_from_memory(bytes.data, bytes.len, NULL, &p, &err);
    bytes.data[i / 8] ^= (char)(1 << i % 8);
    assert_true((status == SLOE_OK) == (p != NULL));
    if (status != SLOE_OK) assert_true(err.msg[0] && err.offset <= bytes.len);
    for (size_t f = 0; p && f < p->fitted->n_families; f++) {
      const int64_t most[SLOE_LAYER_DIMS] = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
      assert_true(isfinite(sloe_stair_model_eval(&p->fitted->families[f].stair, most)));
    }
    accepted += p != NULL;
    sloe_platform_free(p);
  }
  assert_true(accepted > 0 && accepted < bytes.len * 8);
  sloe_text_fini(&bytes);
}

static void headers_of_another_kind_are_refused_with_a_reason(void **state) {
  (void)state;
  static const struct {
    size_t at;
    char value;
    sloe_status status;
    uint64_t offset;
    const char *says;
  } rows[] = {
      {0, 'x', SLOE_FORMAT, 0, "not a platform file"},
      {4, '\n', SLOE_FORMAT, 4, "transferred as text"},
      {8, 5, SLOE_UNSUPPORTED, 8, "format version 5 is newer than this program's, 4"},
      {8, 0, SLOE_FORMAT, 8, "format version 0"},
      {12, 64, SLOE_FORMAT, 8, "a header of 64 bytes"},
      {18, 1, SLOE_FORMAT, 0, "the file is cut"},
      {24, 1, SLOE_FORMAT, 24, "the file was altered"},
      {200, 1, SLOE_FORMAT, 24, "the file was altered"},
  };
  sloe_text bytes = fitted_toy_bytes();
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    sloe_platform *p = (void *)&p;
    sloe_error err;
    char was = bytes.data[rows[i].at];
    bytes.data[rows[i].at] = (char)(was == rows[i].value ? ~was : rows[i].value);
    assert_refused(sloe_platform_from_memory(bytes.data, bytes.len, NULL, &p, &err), rows[i].status,
                   err, rows[i].says);
    assert_null(p);
    if (rows[i].offset) assert_int_equal(err.offset, rows[i].offset);
    bytes.data[rows[i].at] = was;
  }
  sloe_text_fini(&bytes);
}

/* Where things stand in the toy's file. */
static size_t section_at(const sloe_text *bytes, sloe_fitted_section id) {
  uint64_t at = 0;
  const char *entry = bytes->data + 40 + id * 24 + 8;
  for (int i = 8; i-- > 0;) at = at << 8 | (unsigned char)entry[i];
  return (size_t)at;
}

/* Of the first op: counts and numbers first, then what an activation costs, then the forest's
   table, then the domain; the forest's arrays stand at multiples of 16. */
enum {
  ACT_NS = 84,
  FIRST = ACT_NS + 8 * SLOE_SPEC_ACT_COUNT,
  DOMAIN_LO = FIRST + 4 * 3,
  DOMAIN_END = DOMAIN_LO + 8 * SLOE_LAYER_FEATURES,
  THRESHOLDS = (DOMAIN_END + 15) / 16 * 16,
  ROWS = THRESHOLDS + 4 * SLOE_FOREST_LANES,
  LEAVES = ROWS + (SLOE_FOREST_LANES + 2) * SLOE_FOREST_BLOCK,
  PROPOSED =
      LEAVES + 4 * 2 * SLOE_FOREST_BLOCK, /* how many; the first at the next multiple of 16 */
  FOREST =
      48 + (LEAVES - THRESHOLDS) + 4 * 2 * SLOE_FOREST_BLOCK, /* of a chance, its counts first */
  TRANSFORM_BYTES = PROPOSED + 16 + FOREST,
  TREES = TRANSFORM_BYTES + 16, /* its counts, base and factor, first; */
  NODES = TREES + 48,
  MLP = NODES + 3 * 16,   /* layers, widths, activation, how many, units, range, inputs */
  MLP_NUMBERS = MLP + 64, /* lo, hi, weights */
};

static void numbers_that_cannot_be_are_refused_where_they_stand(void **state) {
  (void)state;
  enum { NONE = SLOE_FITTED_SECTION_COUNT };
  static const char nan64[8] = {0, 0, 0, 0, 0, 0, (char)0xf8, 0x7f};
  static const char big64[8] = {0, 0, 0, 0, 0, 0, 0, 0x7f};
  static const char minus64[8] = {0, 0, 0, 0, 0, 0, (char)0xf0, (char)0xbf};
  static const struct {
    int section;
    size_t at; /* in the section, or in the file */
    const char *bytes;
    size_t n;
    sloe_status status;
    const char *says;
  } rows[] = {
      {NONE, 32, "\6", 1, SLOE_UNSUPPORTED, "6 sections"},
      {NONE, 32, "\5", 1, SLOE_FORMAT, "must begin at"},
      {NONE, 40, "c", 1, SLOE_FORMAT, NULL},
      {NONE, 40, "C", 1, SLOE_UNSUPPORTED, "section 'Card' is not known"},
      {NONE, 48, "\x20", 1, SLOE_FORMAT, "must begin at"},
      {NONE, 56 + 7, "\x7f", 1, SLOE_FORMAT, "end within"},
      {NONE, 64 + 16 + 7, "\x7f", 1, SLOE_FORMAT, "end within"},
      {NONE, 40 + 72 + 16, "\x20", 1, SLOE_FORMAT, "behind the last section"},
      {SLOE_FITTED_FAMILIES, 0, "\5", 1, SLOE_FORMAT, "'families'"},
      {SLOE_FITTED_FAMILIES, 0, "\3", 1, SLOE_FORMAT, "behind the last number"},
      {SLOE_FITTED_FAMILIES, 2, "\1", 1, SLOE_FORMAT, "a count is larger than can be"},
      {SLOE_FITTED_FAMILIES, 16, "\x63", 1, SLOE_UNSUPPORTED, "layers of op 99, grouping 0"},
      {SLOE_FITTED_FAMILIES, 20, "\4", 1, SLOE_UNSUPPORTED, "layers of op 0, grouping 4"},
      {SLOE_FITTED_FAMILIES, 23, "\x80", 1, SLOE_FORMAT, "grouping is negative"},
      {SLOE_FITTED_FAMILIES, 27, "\x80", 1, SLOE_FORMAT, "a kernel or stride is negative"},
      {SLOE_FITTED_FAMILIES, 24, "\x63", 1, SLOE_FORMAT, "a family stands twice or out of order"},
      {SLOE_FITTED_FAMILIES, 44, "\5", 1, SLOE_FORMAT, "more dimensions"},
      {SLOE_FITTED_FAMILIES, 49, "\1", 1, SLOE_FORMAT, "coefficients"},
      {SLOE_FITTED_FAMILIES, 56, nan64, 8, SLOE_FORMAT, "the floor is not a time"},
      {SLOE_FITTED_FAMILIES, 56, big64, 8, SLOE_FORMAT, "larger than any time"},
      {SLOE_FITTED_FAMILIES, 64, "\1\2\3", 3, SLOE_FORMAT, "an empty domain"},
      {SLOE_FITTED_FAMILIES, 83, "\xff", 1, SLOE_FORMAT, "no possible shape"},
      {SLOE_FITTED_FAMILIES, 144, nan64, 8, SLOE_FORMAT, "coefficient 0 is not finite"},
      {SLOE_FITTED_FAMILIES, 144, big64, 8, SLOE_FORMAT, "larger than any time"},
      {SLOE_FITTED_OPS, 0, "\x7f", 1, SLOE_FORMAT, "a count is larger than can be"},
      {SLOE_FITTED_OPS, 16, "\x63", 1, SLOE_UNSUPPORTED, "layers of op 99"},
      {SLOE_FITTED_OPS, 16, "\4", 1, SLOE_FORMAT, "an op stands twice or out of order"},
      {SLOE_FITTED_OPS, 24, "\x7f", 1, SLOE_UNSUPPORTED, "127 features of a layer"},
      {SLOE_FITTED_OPS, 28, "\0", 1, SLOE_FORMAT, "0 features"},
      {SLOE_FITTED_OPS, 32, "\1\2", 2, SLOE_FORMAT, "513 trees"},
      {SLOE_FITTED_OPS, 36, "\11", 1, SLOE_FORMAT, "depth 9"},
      {SLOE_FITTED_OPS, 40, nan64, 8, SLOE_FORMAT, "the base is not finite"},
      {SLOE_FITTED_OPS, 40, big64, 8, SLOE_FORMAT, "a correction is larger than can be"},
      {SLOE_FITTED_OPS, 48, minus64, 8, SLOE_FORMAT, "is negative or not finite"},
      {SLOE_FITTED_OPS, 64, minus64, 8, SLOE_FORMAT, "is negative or not finite"},
      {SLOE_FITTED_OPS, 72, "\x10", 1, SLOE_UNSUPPORTED, "16 activations"},
      {SLOE_FITTED_OPS, 76, minus64, 8, SLOE_FORMAT, "an activation's cost"},
      {SLOE_FITTED_OPS, ACT_NS, nan64, 8, SLOE_FORMAT, "an activation's cost"},
      {SLOE_FITTED_OPS, ACT_NS + 8, big64, 8, SLOE_FORMAT, "an activation's cost"},
      {SLOE_FITTED_OPS, FIRST, "\4", 1, SLOE_FORMAT, "cannot be those of feature"},
      {SLOE_FITTED_OPS, DOMAIN_LO, "\0\0\xc0\x7f", 4, SLOE_FORMAT, "the domain of a feature"},
      {SLOE_FITTED_OPS, DOMAIN_LO, "\0\0\0\x40", 4, SLOE_FORMAT, "the domain of a feature"},
      {SLOE_FITTED_OPS, THRESHOLDS, "\0\0\xc0\x7f", 4, SLOE_FORMAT, "threshold 0 of feature 1"},
      {SLOE_FITTED_OPS, ROWS, "\2", 1, SLOE_FORMAT, "row byte 0 names leaf 2"},
      {SLOE_FITTED_OPS, LEAVES, "\0\0\xc0\x7f", 4, SLOE_FORMAT, "leaf 0 is not finite"},
      {SLOE_FITTED_OPS, LEAVES, "\0\0\0\x7f", 4, SLOE_FORMAT, "a correction is larger"},
      {SLOE_FITTED_OPS, PROPOSED, "\3", 1, SLOE_FORMAT, "more kernels are proposed than can be"},
      {SLOE_FITTED_OPS, PROPOSED, "\2", 1, SLOE_FORMAT, "ops"},
      {SLOE_FITTED_OPS, PROPOSED + 16, "\x7f", 1, SLOE_FORMAT, "asks for more features"},
      {SLOE_FITTED_OPS, PROPOSED + 20, "\1\2", 2, SLOE_FORMAT, "513 trees"},
      {SLOE_FITTED_OPS, PROPOSED + 24, "\11", 1, SLOE_FORMAT, "depth 9"},
      {SLOE_FITTED_OPS, PROPOSED + 32, nan64, 8, SLOE_FORMAT, "the base is not finite"},
      {SLOE_FITTED_OPS, PROPOSED + 40, "\4", 1, SLOE_FORMAT, "cannot be those of feature"},
      {SLOE_FITTED_OPS, TRANSFORM_BYTES, nan64, 8, SLOE_FORMAT, "a transform's element"},
      {SLOE_FITTED_OPS, TRANSFORM_BYTES, minus64, 8, SLOE_FORMAT, "a transform's element"},
      {SLOE_FITTED_OPS, TRANSFORM_BYTES, big64, 8, SLOE_FORMAT, "a transform's element"},
      {SLOE_FITTED_OPS, TRANSFORM_BYTES + 16, "\x7f", 1, SLOE_FORMAT, "asks for more features"},
      {SLOE_FITTED_OPS, TREES + 4, "\x11\x27", 2, SLOE_FORMAT, "10001 trees"},
      {SLOE_FITTED_OPS, TREES + 12, "\xff\xff\xff\x7f", 4, SLOE_FORMAT, "2147483647 nodes"},
      {SLOE_FITTED_OPS, TREES + 12, "\xff\xff\xff", 3, SLOE_FORMAT, "ops"},
      {SLOE_FITTED_OPS, TREES + 16, nan64, 8, SLOE_FORMAT, "the base is not finite"},
      {SLOE_FITTED_OPS, TREES + 32, "\1", 1, SLOE_FORMAT, "trees out of order"},
      {SLOE_FITTED_OPS, NODES + 4, "\7", 1, SLOE_FORMAT, "leads nowhere"},
      {SLOE_FITTED_OPS, NODES + 8, "\x7f", 1, SLOE_FORMAT, "leads nowhere"},
      {SLOE_FITTED_OPS, MLP, "\x09", 1, SLOE_FORMAT, "more layers than can be"},
      {SLOE_FITTED_OPS, MLP + 4, "\xff", 1, SLOE_UNSUPPORTED, "an MLP of 255 inputs"},
      {SLOE_FITTED_OPS, MLP + 4, "\0", 1, SLOE_FORMAT, "a layer 0 wide"},
      {SLOE_FITTED_OPS, MLP + 8, "\1\1", 2, SLOE_FORMAT, "wider than can be"},
      {SLOE_FITTED_OPS, MLP + 12, "\2", 1, SLOE_FORMAT, "do not fit each other"},
      {SLOE_FITTED_OPS, MLP + 16, "\4", 1, SLOE_FORMAT, "no such layers"},
      {SLOE_FITTED_OPS, MLP + 20, "\0", 1, SLOE_FORMAT, "so many MLPs"},
      {SLOE_FITTED_OPS, MLP + 20, "\x09", 1, SLOE_FORMAT, "so many MLPs"},
      {SLOE_FITTED_OPS, MLP + 24, nan64, 8, SLOE_FORMAT, "so many units"},
      {SLOE_FITTED_OPS, MLP + 32, nan64, 8, SLOE_FORMAT, "the answers of an MLP"},
      {SLOE_FITTED_OPS, MLP + 40, minus64, 8, SLOE_FORMAT, "the answers of an MLP"},
      {SLOE_FITTED_OPS, MLP + 40, big64, 8, SLOE_FORMAT, "the answers of an MLP"},
      {SLOE_FITTED_OPS, MLP + 48, "\x34", 1, SLOE_FORMAT, "stands twice or out of order"},
      {SLOE_FITTED_OPS, MLP + 48, "\xff", 1, SLOE_UNSUPPORTED, "input 255 of a layer"},
      {SLOE_FITTED_OPS, MLP_NUMBERS, "\0\0\xc0\x7f", 4, SLOE_FORMAT, "the range of an MLP's"},
      {SLOE_FITTED_OPS, MLP_NUMBERS, "\0\0\x10\x41", 4, SLOE_FORMAT, "the range of an MLP's"},
      {SLOE_FITTED_OPS, MLP_NUMBERS + 16, "\0\0\xc0\x7f", 4, SLOE_FORMAT, "weight is not finite"},
      {SLOE_FITTED_OPS, MLP_NUMBERS + 52, "\0\0\xc0\x7f", 4, SLOE_FORMAT, "weight is not finite"},
      {SLOE_FITTED_NETWORK, 0, nan64, 8, SLOE_FORMAT, "the network's scale"},
      {SLOE_FITTED_NETWORK, 0, minus64, 8, SLOE_FORMAT, "the network's scale"},
      {SLOE_FITTED_NETWORK, 8, nan64, 8, SLOE_FORMAT, "the network's scale"},
      {SLOE_FITTED_NETWORK, 16, big64, 8, SLOE_FORMAT, "the network's scale"},
      {SLOE_FITTED_NETWORK, 24, nan64, 8, SLOE_FORMAT, "the network's scale"},
      {SLOE_FITTED_NETWORK, 32, minus64, 8, SLOE_FORMAT, "a number of the network"},
      {SLOE_FITTED_NETWORK, 40, minus64, 8, SLOE_FORMAT, "a number of the network"},
      {SLOE_FITTED_CARD, 0, "D", 1, SLOE_UNSUPPORTED, "line 1: key 'Device' is not known"},
      {SLOE_FITTED_CARD, 6, ":", 1, SLOE_FORMAT, "line 1: 'key = value' is needed"},
      {SLOE_FITTED_CARD, 9, "T", 1, SLOE_FORMAT, "line 1: device = 'Toy-cpu'"},
      {SLOE_FITTED_CARD, 9, "\1", 1, SLOE_FORMAT, "line 1: a control character"},
  };
  sloe_text bytes = fitted_toy_bytes();
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    size_t at =
        rows[i].at +
        (rows[i].section < NONE ? section_at(&bytes, (sloe_fitted_section)rows[i].section) : 0);
    char was[8];
    sloe_platform *p = (void *)&p;
    sloe_error err = {0};
    memcpy(was, bytes.data + at, rows[i].n);
    memcpy(bytes.data + at, rows[i].bytes, rows[i].n);
    fitted_mend(bytes.data, bytes.len);
    sloe_status status = sloe_platform_from_memory(bytes.data, bytes.len, NULL, &p, &err);
    memcpy(bytes.data + at, was, rows[i].n);
    if (!rows[i].says) {
      assert_int_equal(status, SLOE_OK);
      sloe_platform_free(p);
      continue;
    }
    if (status != rows[i].status || !strstr(err.msg, rows[i].says) || p || err.offset > bytes.len)
      fail_msg("row %zu: status %d at %llu: '%s' lacks '%s'", i, (int)status,
               (unsigned long long)err.offset, err.msg, rows[i].says);
  }
  sloe_text_fini(&bytes);
}

static void add_to_word(char *at, int64_t change) {
  uint64_t value = 0;
  for (int i = 8; i-- > 0;) value = value << 8 | (unsigned char)at[i];
  value += (uint64_t)change;
  for (int i = 0; i < 8; i++) at[i] = (char)(value >> 8 * i & 0xff);
}

/* Take `n` bytes of the first op away at `at`; the arrays move by `less`, a multiple of 16. */
static void shorten_op(sloe_text *bytes, size_t at, size_t n, size_t less) {
  char *op = bytes->data + section_at(bytes, SLOE_FITTED_OPS), *end = bytes->data + bytes->len;
  char *arrays = op + THRESHOLDS;
  memmove(op + at, op + at + n, DOMAIN_END - at - n);
  memset(op + DOMAIN_END - n, 0, THRESHOLDS - DOMAIN_END + n - less);
  memmove(arrays - less, arrays, (size_t)(end - arrays));
  add_to_word(bytes->data + 40 + SLOE_FITTED_OPS * 24 + 16, -(int64_t)less);
  add_to_word(bytes->data + 40 + SLOE_FITTED_NETWORK * 24 + 8, -(int64_t)less);
  add_to_word(bytes->data + 16, -(int64_t)less);
  bytes->len -= less;
}

/* A file from a sloe that knew a feature less: 8 bytes go out of the first op's domain. */
static void features_that_a_file_does_not_know_are_in_its_domain(void **state) {
  (void)state;
  enum {
    FEWER = SLOE_LAYER_FEATURES - 1,
    LESS = THRESHOLDS - (DOMAIN_END - 8 + 15) / 16 * 16,
  };
  sloe_text bytes = fitted_toy_bytes();
  char *op = bytes.data + section_at(&bytes, SLOE_FITTED_OPS);
  op[24] = FEWER;
  char *hi = op + DOMAIN_LO + 4 * SLOE_LAYER_FEATURES;
  memmove(hi - 4, hi, 4 * FEWER); /* what is left of lo ends where hi begins */
  shorten_op(&bytes, DOMAIN_END - 8, 8, LESS);
  fitted_mend(bytes.data, bytes.len);
  sloe_platform *p = fitted_open(&bytes);
  const sloe_fitted_op *conv = &p->fitted->ops[0];
  assert_float_equal(conv->lo[FEWER - 1], -(FEWER - 1), 0);
  assert_float_equal(conv->hi[FEWER - 1], FEWER - 0.5, 0);
  assert_float_equal(conv->lo[FEWER], -FLT_MAX, 0);
  assert_float_equal(conv->hi[FEWER], FLT_MAX, 0);
  const float x[SLOE_LAYER_FEATURES] = {0, 4};
  assert_float_equal(sloe_forest_eval(&conv->forest, x), 0.05, 1e-6);
  sloe_platform_free(p);
  sloe_text_fini(&bytes);
}

/* A file from a sloe that knew two activations less. */
static void activations_that_a_file_does_not_know_cost_nothing(void **state) {
  (void)state;
  enum { FEWER = SLOE_SPEC_ACT_COUNT - 2 };
  sloe_text bytes = fitted_toy_bytes();
  bytes.data[section_at(&bytes, SLOE_FITTED_OPS) + 72] = FEWER;
  shorten_op(&bytes, ACT_NS + 8 * FEWER, 16, 16);
  fitted_mend(bytes.data, bytes.len);
  sloe_platform *p = fitted_open(&bytes);
  const sloe_fitted_op *conv = &p->fitted->ops[0];
  assert_float_equal(conv->act_ns[SLOE_SPEC_ACT_RELU], 0.0625, 0);
  assert_float_equal(conv->act_ns[SLOE_SPEC_ACT_OTHER], 0, 0);
  assert_float_equal(conv->add_ns, 0.25, 0);
  assert_float_equal(conv->hi[3], 3.5, 0);
  sloe_platform_free(p);
  sloe_text_fini(&bytes);
}

/* ---- cards that no writer makes ---- */

/* A card alone, given as text. */
static sloe_status read_card(const char *text, sloe_error *err) {
  sloe_platform platform = {0};
  sloe_fitted fitted = {0};
  sloe_arena_init(&platform.arena, 1 << 20);
  sloe_status status = sloe_fitted_card_read(text, strlen(text), 100, &platform, &fitted, err);
  sloe_arena_fini(&platform.arena);
  return status;
}

#define CARD "device = a\ntitle = b\nruntime = c\nprecision = fp32\nmode = t1\nfusion = none\n"

static void cards_are_refused_with_line_and_offset(void **state) {
  (void)state;
  static const struct {
    const char *text;
    sloe_status status;
    const char *says;
  } rows[] = {
      {CARD "mode = t2\n", SLOE_FORMAT, "line 7: the key stands twice"},
      {CARD "seconds = nan\n", SLOE_FORMAT, "line 7: seconds = 'nan'"},
      {CARD "seconds = -1\n", SLOE_FORMAT, "line 7: seconds = -1 is not within"},
      {CARD "seconds = 1", SLOE_FORMAT, "line 6: the last line does not end"},
      {CARD "env. = 1\n", SLOE_FORMAT, "line 7: a name of the environment"},
      {CARD "env.a b = 1\n", SLOE_FORMAT, "line 7: a name of the environment"},
      {CARD "env.\x90 = 1\n", SLOE_FORMAT, "line 7: a name of the environment"},
      {CARD "= 1\n", SLOE_FORMAT, "line 7: 'key = value' is needed"},
      {CARD "\n", SLOE_FORMAT, "line 7: 'key = value' is needed"},
      {"device = a\n", SLOE_FORMAT, "the key 'title' is missing"},
      {"", SLOE_FORMAT, "the key 'device' is missing"},
      {"device = a\ntitle = b\nruntime = c\nprecision = fp8\nmode = t1\nfusion = none\n",
       SLOE_UNSUPPORTED, "precision 'fp8'"},
      {"device = a\ntitle = b\nruntime = c\nprecision = fp32\nmode = t1\nfusion = magic\n",
       SLOE_UNSUPPORTED, "the fusion rules of 'magic'"},
      {CARD "memory_of = pages\n", SLOE_UNSUPPORTED, "memory_of 'pages'"},
  };
  sloe_error err = {0};
  assert_ok(read_card(CARD, &err), err);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    assert_refused(read_card(rows[i].text, &err), rows[i].status, err, rows[i].says);
    assert_true(err.offset >= 100 && err.offset <= 100 + strlen(rows[i].text));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_flipped_bit_is_refused),
      cmocka_unit_test(a_file_cut_anywhere_is_refused),
      cmocka_unit_test(every_flipped_bit_under_a_right_checksum_is_refused_or_harmless),
      cmocka_unit_test(headers_of_another_kind_are_refused_with_a_reason),
      cmocka_unit_test(numbers_that_cannot_be_are_refused_where_they_stand),
      cmocka_unit_test(features_that_a_file_does_not_know_are_in_its_domain),
      cmocka_unit_test(activations_that_a_file_does_not_know_cost_nothing),
      cmocka_unit_test(cards_are_refused_with_line_and_offset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
