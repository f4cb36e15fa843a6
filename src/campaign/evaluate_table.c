/* evaluate_table.c: reading a measurement table for evaluation. */
#include "campaign/evaluate_table.h"

#include <math.h>
#include <string.h>

#include "base/csv.h"
#include "base/gzip.h"

static const uint64_t TABLE_LIMIT = UINT64_C(1) << 30; /* bytes, unpacked */

const char *const sloe_eval_metric[SLOE_EVAL_METRICS] = {
#define SLOE_EVAL_NAME(name) #name,
    SLOE_EVAL_METRIC_MAP(SLOE_EVAL_NAME)};
const char *const sloe_eval_who[SLOE_EVAL_WHOS] = {SLOE_EVAL_WHO_MAP(SLOE_EVAL_NAME)
#undef SLOE_EVAL_NAME
};

/* Where the columns stand; -1: nowhere. */
typedef struct columns {
  int net, batch, quality, ref_ms, move_ms, by;
  int metric[SLOE_EVAL_METRICS], who[SLOE_EVAL_WHOS];
} columns;

static sloe_status find_columns(const sloe_csv_reader *r, const sloe_evaluate_options *options,
                                columns *c, sloe_eval_table *table, sloe_error *err) {
  int any = 0;
  c->net = sloe_csv_reader_find(r, "net");
  c->batch = sloe_csv_reader_find(r, "batch");
  c->quality = sloe_csv_reader_find(r, "quality");
  c->ref_ms = sloe_csv_reader_find(r, "ref_ms");
  c->move_ms = sloe_csv_reader_find(r, "move_ms");
  c->by = options->by ? sloe_csv_reader_find(r, options->by) : -1;
  for (int i = 0; i < SLOE_EVAL_WHOS; i++) c->who[i] = sloe_csv_reader_find(r, sloe_eval_who[i]);
  for (int i = 0; i < SLOE_EVAL_METRICS; i++) {
    c->metric[i] = sloe_csv_reader_find(r, sloe_eval_metric[i]);
    any |= table->has[i] = c->metric[i] >= 0;
  }
  if (c->net < 0) return sloe_fail(err, SLOE_FORMAT, "no column 'net': no measurement table");
  if (!any)
    return sloe_fail(err, SLOE_FORMAT,
                     "nothing measured: none of the columns latency_ms, power_w, memory_mb");
  if (options->by && c->by < 0)
    return sloe_fail(err, SLOE_USAGE, "no column '%.80s' to group by", options->by);
  return SLOE_OK;
}

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory, or a table over the limit");
}

/* The index of `text` in a list of strings where each stands once. */
static sloe_status intern(sloe_arena *arena, sloe_map *map, const char ***list, size_t *n,
                          size_t *cap, const char *text, int32_t *out, sloe_error *err) {
  *out = sloe_map_get(map, text);
  if (*out >= 0) return SLOE_OK;
  const char *copy = sloe_arena_strn(arena, text, strlen(text));
  if (!copy || *n >= INT32_MAX || !sloe_arena_grow(arena, list, *n, cap, sizeof **list) ||
      !sloe_map_put(map, arena, copy, (int32_t)*n))
    return out_of_memory(err);
  *out = (int32_t)*n;
  (*list)[(*n)++] = copy;
  return SLOE_OK;
}

/* One network at two batches is two nets. */
static sloe_status intern_net(sloe_eval_table *t, const char *text, int64_t batch, int32_t *out,
                              sloe_error *err) {
  const char *key = text;
  if (batch && !(key = sloe_arena_printf(t->arena, "%lld\n%s", (long long)batch, text)))
    return out_of_memory(err);
  *out = sloe_map_get(&t->net_index, key);
  if (*out >= 0) return SLOE_OK;
  const char *copy = sloe_arena_strn(t->arena, key, strlen(key));
  if (!copy || t->n_nets >= INT32_MAX ||
      !sloe_arena_grow(t->arena, &t->nets, t->n_nets, &t->cap_nets, sizeof *t->nets) ||
      !sloe_map_put(&t->net_index, t->arena, copy, (int32_t)t->n_nets))
    return out_of_memory(err);
  *out = (int32_t)t->n_nets;
  t->nets[t->n_nets++] =
      (sloe_eval_net){.text = batch ? strchr(copy, '\n') + 1 : copy, .batch = batch};
  return SLOE_OK;
}

/* A layer's spec has its own batch; of networks 1 is what open files are taken at anyway. */
static sloe_status read_batch(const sloe_csv_reader *r, int column, const char *net, int64_t *out,
                              sloe_error *err) {
  double batch = NAN;
  *out = 0;
  if (column < 0 || strncmp(net, "zoo:layer,", 10) == 0) return SLOE_OK;
  SLOE_TRY(sloe_csv_reader_number(r, (size_t)column, &batch, err));
  if (batch > 1 && batch <= INT32_MAX) *out = (int64_t)batch;
  return SLOE_OK;
}

static sloe_status read_number(const sloe_csv_reader *r, int column, double *out, sloe_error *err) {
  *out = NAN;
  return column < 0 ? SLOE_OK : sloe_csv_reader_number(r, (size_t)column, out, err);
}

static const char *field(const sloe_csv_reader *r, int column) {
  return column < 0 ? "" : sloe_csv_reader_field(r, (size_t)column);
}

static sloe_status read_row(const sloe_csv_reader *r, const columns *c, sloe_eval_table *t,
                            sloe_error *err) {
  const char *net = field(r, c->net), *quality = field(r, c->quality), *group = field(r, c->by);
  sloe_eval_row row = {.ok = !*quality || strcmp(quality, "ok") == 0};
  int64_t batch;
  SLOE_TRY(read_batch(r, c->batch, net, &batch, err));
  SLOE_TRY(intern_net(t, net, batch, &row.net, err));
  SLOE_TRY(intern(t->arena, &t->group_index, &t->groups, &t->n_groups, &t->cap_groups, group,
                  &row.group, err));
  SLOE_TRY(read_number(r, c->ref_ms, &row.ref_ms, err));
  SLOE_TRY(read_number(r, c->move_ms, &row.move_ms, err));
  for (int i = 0; i < SLOE_EVAL_METRICS; i++)
    SLOE_TRY(read_number(r, c->metric[i], &row.measured[i], err));
  for (int i = 0; i < SLOE_EVAL_WHOS; i++) {
    int32_t word;
    SLOE_TRY(intern(t->arena, &t->word_index, &t->words, &t->n_words, &t->cap_words,
                    field(r, c->who[i]), &word, err));
    row.who[i] = t->words[word];
  }
  if (!sloe_arena_grow(t->arena, &t->rows, t->n_rows, &t->cap_rows, sizeof row))
    return out_of_memory(err);
  t->rows[t->n_rows++] = row;
  return SLOE_OK;
}

static sloe_status read_rows(sloe_csv_reader *r, const sloe_evaluate_options *options,
                             sloe_eval_table *t, sloe_error *err) {
  columns c;
  SLOE_TRY(find_columns(r, options, &c, t, err));
  for (int more;;) {
    SLOE_TRY(sloe_csv_reader_next(r, &more, err));
    if (!more) return SLOE_OK;
    SLOE_TRY(read_row(r, &c, t, err));
  }
}

sloe_status sloe_eval_table_read(const sloe_evaluate_options *options, sloe_arena *arena,
                                 sloe_eval_table *out, sloe_error *err) {
  sloe_gzip_reader *file = NULL;
  sloe_csv_reader *r = NULL;
  *out = (sloe_eval_table){.arena = arena};
  SLOE_TRY(sloe_gzip_open(options->table, TABLE_LIMIT, &file, err));
  sloe_status status = sloe_csv_reader_open((sloe_csv_source){file, sloe_gzip_read}, &r, err);
  if (status == SLOE_OK) status = read_rows(r, options, out, err);
  if (status != SLOE_OK) status = sloe_fail_in(err, status, "%s", options->table);
  sloe_csv_reader_close(r);
  sloe_gzip_close(file);
  return status;
}

const char *sloe_eval_net_path(sloe_arena *arena, const char *table, const char *net) {
  const char *slash = strrchr(table, '/');
  if (!slash || *net == '/' || strncmp(net, "zoo:", 4) == 0) return net;
  return sloe_arena_printf(arena, "%.*s/%s", (int)(slash - table), table, net);
}
