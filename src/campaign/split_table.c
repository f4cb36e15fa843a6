/* split_table.c: a measurement table in two, one to learn from and one to test on. All rows of a
 * network go the same way; every column is kept.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/gzip.h"
#include "base/map.h"
#include "base/rng.h"
#include "campaign/campaign.h"

static const uint64_t TABLE_LIMIT = UINT64_C(1) << 30; /* bytes, unpacked */
static const double usual_share = 0.3;
enum { ARENA_LIMIT = 1 << 30, TRAIN = 0, TEST = 1 };

typedef struct splitting {
  const sloe_split_options *options;
  sloe_split_summary *out;
  sloe_arena arena;
  sloe_map index;   /* networks */
  uint8_t *is_test; /* of each, by random */
  size_t n, cap;
  int net, by;       /* columns; by -1: random */
  const char *value; /* of COLUMN=VALUE */
  sloe_csv_writer to[2];
  sloe_error *err;
} splitting;

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory splitting a table");
}

/* ---- reading ---- */

typedef sloe_status (*on_row)(splitting *s, const sloe_csv_reader *r);

/* Calls `begin` with the header, then `row` for each record. */
static sloe_status read_table(splitting *s, on_row begin, on_row row) {
  sloe_gzip_reader *file = NULL;
  sloe_csv_reader *r = NULL;
  int more = 1;
  SLOE_TRY(sloe_gzip_open(s->options->table, TABLE_LIMIT, &file, s->err));
  sloe_status status = sloe_csv_reader_open((sloe_csv_source){file, sloe_gzip_read}, &r, s->err);
  if (status == SLOE_OK) status = begin(s, r);
  while (status == SLOE_OK && more) {
    status = sloe_csv_reader_next(r, &more, s->err);
    if (status == SLOE_OK && more) status = row(s, r);
  }
  sloe_csv_reader_close(r);
  sloe_gzip_close(file);
  return status == SLOE_OK ? status : sloe_fail_in(s->err, status, "%s", s->options->table);
}

static sloe_status find_columns(splitting *s, const sloe_csv_reader *r) {
  const char *by = s->options->by, *equals = strchr(by, '=');
  char column[128];
  s->net = sloe_csv_reader_find(r, "net");
  s->by = -1;
  if (s->net < 0) return sloe_fail(s->err, SLOE_FORMAT, "no column 'net': no measurement table");
  if (strcmp(by, "random") == 0) return SLOE_OK;
  const int n = snprintf(column, sizeof column, "%.*s", equals ? (int)(equals - by) : 0, by);
  if (!equals || n <= 0 || (size_t)n >= sizeof column)
    return sloe_fail(s->err, SLOE_USAGE, "'%.80s': random or COLUMN=VALUE is needed", by);
  s->by = sloe_csv_reader_find(r, column);
  if (s->by < 0) return sloe_fail(s->err, SLOE_USAGE, "no column '%.80s' to split by", column);
  s->value = equals + 1;
  return SLOE_OK;
}

static sloe_status learn_net(splitting *s, const sloe_csv_reader *r) {
  const char *net = sloe_csv_reader_field(r, (size_t)s->net);
  const int wanted = s->by >= 0 && strcmp(sloe_csv_reader_field(r, (size_t)s->by), s->value) == 0;
  const int32_t known = sloe_map_get(&s->index, net);
  if (known >= 0) {
    s->is_test[known] |= (uint8_t)wanted;
    return SLOE_OK;
  }
  const char *copy = sloe_arena_strn(&s->arena, net, strlen(net));
  if (!copy || s->n >= INT32_MAX ||
      !sloe_arena_grow(&s->arena, &s->is_test, s->n, &s->cap, sizeof *s->is_test) ||
      !sloe_map_put(&s->index, &s->arena, copy, (int32_t)s->n))
    return no_memory(s->err);
  s->is_test[s->n++] = (uint8_t)wanted;
  return SLOE_OK;
}

/* ---- dealing ---- */

static void deal(splitting *s) {
  const double share = s->options->share > 0 ? s->options->share : usual_share;
  size_t left = (size_t)round(share * (double)s->n);
  sloe_rng rng;
  sloe_rng_seed(&rng, s->options->seed ? s->options->seed : 1);
  for (size_t i = 0; i < s->n; i++) {
    const int taken = sloe_rng_uniform(&rng) * (double)(s->n - i) < (double)left;
    s->is_test[i] = (uint8_t)taken;
    left -= (size_t)taken;
  }
}

static sloe_status check_sides(splitting *s) {
  for (size_t i = 0; i < s->n; i++)
    *(s->is_test[i] ? &s->out->test_nets : &s->out->train_nets) += 1;
  if (s->out->test_nets && s->out->train_nets) return SLOE_OK;
  return sloe_fail(s->err, SLOE_FORMAT, "%s: of %zu networks %s would be for testing by %.80s",
                   s->options->table, s->n, s->out->test_nets ? "all" : "none", s->options->by);
}

/* ---- writing ---- */

static sloe_status write_header(splitting *s, const sloe_csv_reader *r) {
  for (int side = TRAIN; side <= TEST; side++) {
    for (size_t i = 0; i < sloe_csv_reader_columns(r); i++)
      sloe_csv_writer_string(&s->to[side], sloe_csv_reader_column(r, i));
    SLOE_TRY(sloe_csv_writer_end_record(&s->to[side], s->err));
  }
  return SLOE_OK;
}

static sloe_status write_row(splitting *s, const sloe_csv_reader *r) {
  const int32_t net = sloe_map_get(&s->index, sloe_csv_reader_field(r, (size_t)s->net));
  const int test = net >= 0 && s->is_test[net];
  sloe_csv_writer *w = &s->to[test ? TEST : TRAIN];
  *(test ? &s->out->test_rows : &s->out->train_rows) += 1;
  for (size_t i = 0; i < sloe_csv_reader_columns(r); i++)
    sloe_csv_writer_string(w, sloe_csv_reader_field(r, i));
  return sloe_csv_writer_end_record(w, s->err);
}

static sloe_status write_both(splitting *s, sloe_gzip_writer *train, sloe_gzip_writer *test) {
  sloe_csv_writer_init(&s->to[TRAIN], (sloe_csv_sink){train, sloe_gzip_append});
  sloe_csv_writer_init(&s->to[TEST], (sloe_csv_sink){test, sloe_gzip_append});
  sloe_status status = read_table(s, write_header, write_row);
  for (int side = TRAIN; side <= TEST; side++) {
    if (status == SLOE_OK) status = sloe_csv_writer_flush(&s->to[side], s->err);
    sloe_csv_writer_fini(&s->to[side]);
  }
  return status;
}

/* Neither file is there until both are whole. */
static sloe_status write_files(splitting *s) {
  sloe_gzip_writer *train, *test;
  SLOE_TRY(sloe_gzip_begin(s->options->train, &train, s->err));
  const sloe_status begun = sloe_gzip_begin(s->options->test, &test, s->err);
  if (begun != SLOE_OK) return sloe_gzip_end(train, begun, s->err);
  const sloe_status status = sloe_gzip_end(test, write_both(s, train, test), s->err);
  return sloe_gzip_end(train, status, s->err);
}

static sloe_status split(splitting *s) {
  SLOE_TRY(read_table(s, find_columns, learn_net));
  if (s->by < 0) deal(s);
  SLOE_TRY(check_sides(s));
  return write_files(s);
}

sloe_status sloe_split(const sloe_split_options *options, sloe_split_summary *out,
                       sloe_error *err) {
  splitting s = {.options = options, .out = out, .err = err};
  *out = (sloe_split_summary){0};
  sloe_arena_init(&s.arena, ARENA_LIMIT);
  const sloe_status status = split(&s);
  sloe_arena_fini(&s.arena);
  return status;
}
