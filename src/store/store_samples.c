/* Samples with their runs and metrics, and the algorithm cache. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "store/store_db.h"

sloe_store_sample sloe_store_sample_none(void) {
  sloe_store_sample sample = {.power_rail = "", .memory_kind = "", .clock = ""};
#define SLOE_STORE_NONE(name) sample.name = NAN;
  SLOE_STORE_NUMBER_MAP(SLOE_STORE_NONE)
#undef SLOE_STORE_NONE
  return sample;
}

static int is_given(const char *s) {
  return s && *s;
}

static sloe_status check_metrics(sloe_store *store, const sloe_store_sample *s, sloe_error *err) {
  for (size_t i = 0; i < s->n_metrics; i++) {
    const char *name = s->metrics[i].name;
    if (!is_given(name) || sloe_store_is_own_column(name))
      return sloe_fail(err, SLOE_USAGE, "%s: '%.60s' cannot be a further column of the table",
                       store->path, name ? name : "");
    SLOE_TRY(sloe_store_check_text(store, "the metric", name, err));
  }
  return SLOE_OK;
}

static sloe_status check_sample(sloe_store *store, const sloe_store_sample *s, sloe_error *err) {
  if (s->n_runs > SLOE_STORE_MAX_RUNS)
    return sloe_fail(err, SLOE_USAGE, "%s: %zu runs in a sample, %d are allowed", store->path,
                     s->n_runs, SLOE_STORE_MAX_RUNS);
  if ((!isnan(s->power_w) || !isnan(s->energy_mj)) && !is_given(s->power_rail))
    return sloe_fail(err, SLOE_USAGE, "%s: power or energy needs the rail it was taken on",
                     store->path);
  if (!isnan(s->memory_mb) && !is_given(s->memory_kind))
    return sloe_fail(err, SLOE_USAGE, "%s: memory needs its kind", store->path);
  if ((unsigned)s->quality >= SLOE_STORE_QUALITY_COUNT)
    return sloe_fail(err, SLOE_USAGE, "%s: there is no quality %d", store->path, (int)s->quality);
  SLOE_TRY(sloe_store_check_text(store, "the clock state", s->clock, err));
  return check_metrics(store, s, err);
}

#define SLOE_STORE_NAME(name) #name ", "
#define SAMPLE_COLUMNS                                          \
  "visit, seq, taken_ms, n_runs, runs, " SLOE_STORE_NUMBER_MAP( \
      SLOE_STORE_NAME) "power_rail, memory_kind, clock, quality"
#define SLOE_STORE_MARK(name) "?, "

/* ---- adding ---- */

typedef struct adder {
  int64_t point, visit;
  sloe_store_query number, sample, metric;
} adder;

static sloe_status open_adder(adder *a, sloe_store *store, sloe_error *err) {
  SLOE_TRY(sloe_store_query_open(
      &a->number, store,
      "SELECT coalesce(max(seq), 0) + 1 FROM sample WHERE point = ? AND visit = ?", err));
  SLOE_TRY(
      sloe_store_query_open(&a->sample, store,
                            "INSERT INTO sample (point, " SAMPLE_COLUMNS ") VALUES (?, "
                            "?, ?, ?, ?, ?, " SLOE_STORE_NUMBER_MAP(SLOE_STORE_MARK) "?, ?, ?, ?)",
                            err));
  return sloe_store_query_open(&a->metric, store,
                               "INSERT INTO metric (sample, name, value) VALUES (?, ?, ?)"
                               " ON CONFLICT DO UPDATE SET value = excluded.value",
                               err);
}

static void close_adder(adder *a) {
  sloe_store_query_close(&a->number);
  sloe_store_query_close(&a->sample);
  sloe_store_query_close(&a->metric);
}

static sloe_status insert(adder *a, int64_t seq, const sloe_store_sample *s,
                          const unsigned char *runs, size_t len, sloe_error *err) {
  sloe_store_query *q = &a->sample;
  sloe_store_put_int(q, a->point);
  sloe_store_put_int(q, a->visit);
  sloe_store_put_int(q, seq);
  sloe_store_put_int(q, s->taken_ms ? s->taken_ms : sloe_store_now_ms());
  sloe_store_put_int(q, (int64_t)s->n_runs);
  sloe_store_put_blob(q, runs, len);
#define SLOE_STORE_PUT(name) sloe_store_put_real(q, s->name);
  SLOE_STORE_NUMBER_MAP(SLOE_STORE_PUT)
#undef SLOE_STORE_PUT
  sloe_store_put_text(q, s->power_rail);
  sloe_store_put_text(q, s->memory_kind);
  sloe_store_put_text(q, s->clock);
  sloe_store_put_text(q, sloe_store_quality_name(s->quality));
  return sloe_store_query_run(q, err);
}

static sloe_status add_metrics(adder *a, const sloe_store_sample *s, sloe_error *err) {
  int64_t sample = sqlite3_last_insert_rowid(a->sample.store->db);
  for (size_t i = 0; i < s->n_metrics; i++) {
    sloe_store_put_int(&a->metric, sample);
    sloe_store_put_text(&a->metric, s->metrics[i].name);
    sloe_store_put_real(&a->metric, s->metrics[i].value);
    SLOE_TRY(sloe_store_query_run(&a->metric, err));
  }
  return SLOE_OK;
}

static sloe_status add_sample(adder *a, const sloe_store_sample *given, sloe_error *err) {
  sloe_store_sample s = *given;
  unsigned char *runs;
  size_t len;
  int64_t seq;
  sloe_store_put_int(&a->number, a->point);
  sloe_store_put_int(&a->number, a->visit);
  SLOE_TRY(sloe_store_get_int(&a->number, 1, &seq, err));
  SLOE_TRY(sloe_store_summarise(&s, err));
  SLOE_TRY(sloe_store_pack_runs(s.runs_ns, s.n_runs, &runs, &len, err));
  sloe_status status = insert(a, seq, &s, runs, len, err);
  sloe_dealloc(runs);
  return status == SLOE_OK ? add_metrics(a, &s, err) : status;
}

/* The point and the visit must be of one campaign. */
static sloe_status require_pair(sloe_store *store, int64_t visit, int64_t point, sloe_error *err) {
  sloe_store_query q;
  int64_t found;
  SLOE_TRY(sloe_store_query_open(&q, store,
                                 "SELECT 1 FROM point JOIN visit ON visit.campaign = point.campaign"
                                 " WHERE point.id = ? AND visit.id = ?",
                                 err));
  sloe_store_put_int(&q, point);
  sloe_store_put_int(&q, visit);
  sloe_status status = sloe_store_get_int(&q, 0, &found, err);
  sloe_store_query_close(&q);
  if (status != SLOE_OK || found) return status;
  return sloe_fail(err, SLOE_NOTFOUND, "%s: there is no point %lld in the campaign of visit %lld",
                   store->path, (long long)point, (long long)visit);
}

sloe_status sloe_store_add_samples(sloe_store *store, const sloe_store_visit *visit, int64_t point,
                                   const sloe_store_sample *samples, size_t n,
                                   const sloe_store_outcome *outcome, sloe_error *err) {
  adder a = {.point = point, .visit = visit->visit};
  for (size_t i = 0; i < n; i++) SLOE_TRY(check_sample(store, &samples[i], err));
  if (outcome) SLOE_TRY(sloe_store_check_outcome(store, outcome, err));
  SLOE_TRY(sloe_store_begin_write(store, err));
  sloe_status status;
  SLOE_GOTO(require_pair(store, visit->visit, point, err));
  SLOE_GOTO(open_adder(&a, store, err));
  for (size_t i = 0; i < n; i++) SLOE_GOTO(add_sample(&a, &samples[i], err));
  if (outcome) SLOE_GOTO(sloe_store_write_outcome(store, point, outcome, err));
fail:
  close_adder(&a);
  return sloe_store_end_write(store, status, err);
}

/* ---- looking ---- */

typedef struct looker {
  sloe_store_query sample, metric;
  sloe_arena arena; /* of one sample's metrics */
} looker;

static sloe_status read_metrics(looker *l, sloe_store_sample *s, sloe_error *err) {
  size_t cap = 0;
  sloe_store_metric *metrics = NULL;
  sloe_store *store = l->metric.store;
  sloe_store_put_int(&l->metric, s->id);
  for (;;) {
    int row;
    SLOE_TRY(sloe_store_query_next(&l->metric, &row, err));
    if (!row) break;
    const char *name = sloe_store_text(&l->metric, 0);
    if (!sloe_arena_grow(&l->arena, &metrics, s->n_metrics, &cap, sizeof *metrics) ||
        !(name = sloe_arena_strn(&l->arena, name, strlen(name))))
      return sloe_store_out_of_memory(store, err);
    metrics[s->n_metrics++] = (sloe_store_metric){name, sloe_store_real(&l->metric, 1)};
  }
  s->metrics = metrics;
  return SLOE_OK;
}

static sloe_status read_sample(const sloe_store_query *q, sloe_store_sample *s, sloe_error *err) {
  int i = 6, quality;
  *s = (sloe_store_sample){.id = sloe_store_int(q, 0),
                           .visit = sloe_store_int(q, 1),
                           .seq = sloe_store_int(q, 2),
                           .taken_ms = sloe_store_int(q, 3)};
#define SLOE_STORE_TAKE(name) s->name = sloe_store_real(q, i++);
  SLOE_STORE_NUMBER_MAP(SLOE_STORE_TAKE)
#undef SLOE_STORE_TAKE
  s->power_rail = sloe_store_text(q, i++);
  s->memory_kind = sloe_store_text(q, i++);
  s->clock = sloe_store_text(q, i++);
  quality = sloe_store_quality_of(sloe_store_text(q, i));
  int64_t n = sloe_store_int(q, 4);
  if (quality < 0 || n < 0 || n > SLOE_STORE_MAX_RUNS)
    return sloe_fail(err, SLOE_FORMAT, "%s: sample %lld has an unknown quality or %lld runs",
                     q->store->path, (long long)s->id, (long long)n);
  s->quality = (sloe_store_quality)quality;
  s->n_runs = (size_t)n;
  return SLOE_OK;
}

static sloe_status show(looker *l, sloe_store_sample_fn fn, void *context, sloe_error *err) {
  sloe_store_sample s;
  uint64_t *runs = NULL;
  SLOE_TRY(read_sample(&l->sample, &s, err));
  const unsigned char *blob = sqlite3_column_blob(l->sample.stmt, 5);
  size_t len = (size_t)sqlite3_column_bytes(l->sample.stmt, 5);
  if (sloe_store_unpack_runs(blob, len, s.n_runs, &runs, err) != SLOE_OK)
    return sloe_fail_in(err, SLOE_FORMAT, "%s: sample %lld", l->sample.store->path,
                        (long long)s.id);
  s.runs_ns = runs;
  sloe_status status = read_metrics(l, &s, err);
  if (status == SLOE_OK) status = fn(context, &s, err);
  sloe_arena_fini(&l->arena);
  sloe_arena_init(&l->arena, SLOE_STORE_MAX_STRINGS);
  sloe_dealloc(runs);
  return status;
}

sloe_status sloe_store_each_sample(sloe_store *store, int64_t point, sloe_store_sample_fn fn,
                                   void *context, sloe_error *err) {
  looker l = {0};
  sloe_status status;
  sloe_arena_init(&l.arena, SLOE_STORE_MAX_STRINGS);
  SLOE_GOTO(sloe_store_query_open(
      &l.sample, store,
      "SELECT id, " SAMPLE_COLUMNS " FROM sample WHERE point = ? ORDER BY taken_ms, id", err));
  SLOE_GOTO(sloe_store_query_open(
      &l.metric, store, "SELECT name, value FROM metric WHERE sample = ? ORDER BY name", err));
  sloe_store_put_int(&l.sample, point);
  for (;;) {
    int row;
    SLOE_GOTO(sloe_store_query_next(&l.sample, &row, err));
    if (!row) break;
    SLOE_GOTO(show(&l, fn, context, err));
  }
fail:
  sloe_store_query_close(&l.sample);
  sloe_store_query_close(&l.metric);
  sloe_arena_fini(&l.arena);
  return status;
}

/* ---- the algorithm cache ---- */

static sloe_status write_choice(sloe_store *store, int64_t visit, int64_t point, const char *name,
                                const char *value, sloe_error *err) {
  sloe_store_query q;
  SLOE_TRY(require_pair(store, visit, point, err));
  SLOE_TRY(sloe_store_query_open(&q, store,
                                 "INSERT INTO choice (point, visit, name, value)"
                                 " VALUES (?, ?, ?, ?)"
                                 " ON CONFLICT DO UPDATE SET value = excluded.value",
                                 err));
  sloe_store_put_int(&q, point);
  sloe_store_put_int(&q, visit);
  sloe_store_put_text(&q, name);
  sloe_store_put_text(&q, value);
  sloe_status status = sloe_store_query_run(&q, err);
  sloe_store_query_close(&q);
  return status;
}

sloe_status sloe_store_put_choice(sloe_store *store, const sloe_store_visit *visit, int64_t point,
                                  const char *name, const char *value, sloe_error *err) {
  SLOE_TRY(sloe_store_check_text(store, "the name", name, err));
  SLOE_TRY(sloe_store_check_text(store, "the choice", value, err));
  SLOE_TRY(sloe_store_begin_write(store, err));
  return sloe_store_end_write(store, write_choice(store, visit->visit, point, name, value, err),
                              err);
}

sloe_status sloe_store_get_choice(sloe_store *store, int64_t point, const char *name,
                                  const char **out, sloe_error *err) {
  sloe_store_query q;
  int row;
  *out = NULL;
  sloe_store_forget_strings(store);
  SLOE_TRY(sloe_store_query_open(&q, store,
                                 "SELECT choice.value FROM choice JOIN visit ON visit.id = visit"
                                 " WHERE point = ? AND name = ? ORDER BY begun_ms DESC,"
                                 " visit.id DESC LIMIT 1",
                                 err));
  sloe_store_put_int(&q, point);
  sloe_store_put_text(&q, name);
  sloe_status status = sloe_store_query_next(&q, &row, err);
  if (status == SLOE_OK && row) {
    *out = sloe_store_text(&q, 0);
    if (!sloe_store_keep(store, out)) status = sloe_store_out_of_memory(store, err);
  }
  sloe_store_query_close(&q);
  return status;
}
