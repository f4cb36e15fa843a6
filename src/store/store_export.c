/* The measurement table of DESIGN.md out of a store. The columns that every table has stand in one
 * list, each with the function that writes it; behind them come what points and samples have
 * besides, sorted by name.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/gzip.h"
#include "base/number.h"
#include "base/text.h"
#include "store/store_db.h"

/* The columns of the row's query behind those of the point. */
enum {
  SAMPLE = 8,
  VISIT,
  SEQ,
  TAKEN,
  RUNS,
  RAIL,
  MEMORY_KIND,
  CLOCK,
  QUALITY,
  VISIT_ID,
  FIRST_NUMBER
};
#define SLOE_STORE_INDEX(name) AT_##name,
enum { AT_BEFORE = FIRST_NUMBER - 1, SLOE_STORE_NUMBER_MAP(SLOE_STORE_INDEX) AT_RUNS };
#undef SLOE_STORE_INDEX

#define SLOE_STORE_NAME(name) ", sample." #name
#define ROW_COLUMNS                                                                        \
  SLOE_STORE_POINT_COLUMNS                                                                 \
  ", sample.id, visit.uid, sample.seq, sample.taken_ms, sample.n_runs, sample.power_rail," \
  " sample.memory_kind, sample.clock, sample.quality, sample.visit" SLOE_STORE_NUMBER_MAP( \
      SLOE_STORE_NAME) ", sample.runs"

/* A row per point: beside which others kept memory least busy, where that is known; else the first
   that is ok, else the last. */
#define OF_POINT " WHERE ?1 IN (0, point.campaign) ORDER BY point.id"
static const char rows_of_points[] =
    "SELECT " ROW_COLUMNS
    " FROM point LEFT JOIN sample ON sample.id = (SELECT id FROM sample s WHERE s.point = point.id"
    " ORDER BY IFNULL((SELECT value FROM metric WHERE sample = s.id AND name = 'move_ms'), 1e300),"
    " s.quality = 'ok' DESC,"
    " CASE WHEN s.quality = 'ok' THEN s.taken_ms ELSE -s.taken_ms END,"
    " CASE WHEN s.quality = 'ok' THEN s.id ELSE -s.id END LIMIT 1)"
    " LEFT JOIN visit ON visit.id = sample.visit" OF_POINT;
static const char rows_of_samples[] =
    "SELECT " ROW_COLUMNS
    " FROM point JOIN sample ON sample.point = point.id"
    " JOIN visit ON visit.id = sample.visit" OF_POINT ", sample.taken_ms, sample.id";

typedef struct exporter {
  sloe_store *store;
  const sloe_store_export *options;
  sloe_store_identity identity;
  sloe_store_query row, further;
  sloe_store_point point;
  sloe_csv_writer csv;
  sloe_arena names, values; /* of the further columns; values: of one row */
  const char **name, **value;
  size_t n_names;
} exporter;

/* ---- the columns that every table has ---- */

static void real(exporter *x, int column, double unit) {
  sloe_csv_writer_number(&x->csv, sloe_store_real(&x->row, column) / unit);
}

static void text(exporter *x, int column) {
  sloe_csv_writer_string(&x->csv, sloe_store_text(&x->row, column));
}

/* An integer, empty where there is no sample. */
static void whole(exporter *x, int column) {
  if (sqlite3_column_type(x->row.stmt, column) == SQLITE_NULL)
    sloe_csv_writer_string(&x->csv, "");
  else
    sloe_csv_writer_int(&x->csv, sloe_store_int(&x->row, column));
}

/* A NET: "conv c=64 h=56" of a layer becomes "zoo:layer,op=conv,c=64,h=56". */
static void net(exporter *x) {
  const char *key = x->point.key;
  if (x->point.kind == SLOE_STORE_NETWORK || strncmp(key, "zoo:", 4) == 0) {
    sloe_csv_writer_string(&x->csv, key);
    return;
  }
  sloe_text spec = {0};
  sloe_text_add(&spec, "zoo:layer,op=");
  for (const char *p = key; *p;) {
    size_t word = strcspn(p, " ");
    sloe_text_addn(&spec, p, word);
    p += word;
    p += strspn(p, " ");
    if (*p) sloe_text_add(&spec, ",");
  }
  sloe_csv_writer_string(&x->csv, spec.failed ? "" : spec.data);
  x->csv.text.failed |= spec.failed;
  sloe_text_fini(&spec);
}

/* The reference layer's time then: the mean of before and after, or the one there is. */
static void reference(exporter *x) {
  double before = sloe_store_real(&x->row, AT_ref_before_ns);
  double after = sloe_store_real(&x->row, AT_ref_after_ns);
  if (isnan(before)) before = after;
  if (isnan(after)) after = before;
  sloe_csv_writer_number(&x->csv, (before + after) / 2 / 1e6);
}

static void quality(exporter *x) {
  const char *of_point = sloe_store_quality_name(x->point.quality);
  const char *of_sample = sloe_store_text(&x->row, QUALITY);
  int own = x->options->each_sample && *of_sample;
  sloe_csv_writer_string(&x->csv, own || !*of_point ? of_sample : of_point);
}

static void count(exporter *x, int64_t value) {
  if (value)
    sloe_csv_writer_int(&x->csv, value);
  else
    sloe_csv_writer_string(&x->csv, "");
}

/*  X(column, how it is written) */
#define FIXED_COLUMN_MAP(X)                                                          \
  X("net", net(x))                                                                   \
  X("device", sloe_csv_writer_string(&x->csv, x->identity.device))                   \
  X("runtime", sloe_csv_writer_string(&x->csv, x->identity.runtime))                 \
  X("version", sloe_csv_writer_string(&x->csv, x->identity.version))                 \
  X("precision", sloe_csv_writer_string(&x->csv, x->identity.precision))             \
  X("mode", sloe_csv_writer_string(&x->csv, x->identity.mode))                       \
  X("batch", count(x, x->identity.batch))                                            \
  X("threads", count(x, x->identity.threads))                                        \
  X("latency_ms", real(x, AT_median_ns, 1e6))                                        \
  X("latency_min_ms", real(x, AT_min_ns, 1e6))                                       \
  X("latency_mean_ms", real(x, AT_mean_ns, 1e6))                                     \
  X("p75", real(x, AT_p75_ns, 1e6))                                                  \
  X("p97_5", real(x, AT_p97_5_ns, 1e6))                                              \
  X("host_ms", real(x, AT_host_ns, 1e6))                                             \
  X("sum_of_layers_ms", real(x, AT_sum_of_layers_ns, 1e6))                           \
  X("ref_ms", reference(x))                                                          \
  X("power_w", real(x, AT_power_w, 1))                                               \
  X("power_rail", text(x, RAIL))                                                     \
  X("energy_mj", real(x, AT_energy_mj, 1))                                           \
  X("memory_mb", real(x, AT_memory_mb, 1))                                           \
  X("memory_kind", text(x, MEMORY_KIND))                                             \
  X("quality", quality(x))                                                           \
  X("space", sloe_csv_writer_string(&x->csv, x->point.space))                        \
  X("split", sloe_csv_writer_string(&x->csv, x->point.split))                        \
  X("kind", sloe_csv_writer_string(&x->csv, sloe_store_kind_name(x->point.kind)))    \
  X("state", sloe_csv_writer_string(&x->csv, sloe_store_state_name(x->point.state))) \
  X("reason", sloe_csv_writer_string(&x->csv, x->point.reason))                      \
  X("runs", whole(x, RUNS))                                                          \
  X("clock", text(x, CLOCK))                                                         \
  X("taken_ms", whole(x, TAKEN))

static const char *const fixed_columns[] = {
#define SLOE_STORE_COLUMN(name, write) name,
    FIXED_COLUMN_MAP(SLOE_STORE_COLUMN)
#undef SLOE_STORE_COLUMN
        "visit",
    "sample", "runs_ns"};
enum { N_FIXED = sizeof fixed_columns / sizeof *fixed_columns, N_CHOSEN = 3 };

int sloe_store_is_fixed_column(const char *name) {
  for (size_t i = 0; i < N_FIXED; i++)
    if (strcmp(fixed_columns[i], name) == 0) return 1;
  return 0;
}

int sloe_store_is_own_column(const char *name) {
  const size_t len = strlen(SLOE_STORE_ENVIRONMENT);
  return sloe_store_is_fixed_column(name) || strncmp(name, SLOE_STORE_ENVIRONMENT, len) == 0;
}

/* Every run's nanoseconds in the order taken, a blank between two. */
static sloe_status write_runs(exporter *x, sloe_error *err) {
  const size_t n = (size_t)sloe_store_int(&x->row, RUNS);
  uint64_t *runs;
  sloe_text list = {0};
  if (!n) {
    sloe_csv_writer_string(&x->csv, "");
    return SLOE_OK;
  }
  const sloe_status status =
      sloe_store_unpack_runs(sqlite3_column_blob(x->row.stmt, AT_RUNS),
                             (size_t)sqlite3_column_bytes(x->row.stmt, AT_RUNS), n, &runs, err);
  if (status != SLOE_OK) return sloe_fail_in(err, status, "%s: %s", x->store->path, x->point.key);
  for (size_t i = 0; i < n; i++)
    sloe_text_addf(&list, "%s%llu", i ? " " : "", (unsigned long long)runs[i]);
  sloe_csv_writer_string(&x->csv, list.failed ? "" : list.data);
  x->csv.text.failed |= list.failed;
  sloe_text_fini(&list);
  sloe_dealloc(runs);
  return SLOE_OK;
}

static sloe_status write_fixed(exporter *x, sloe_error *err) {
#define SLOE_STORE_COLUMN(name, write) write;
  FIXED_COLUMN_MAP(SLOE_STORE_COLUMN)
#undef SLOE_STORE_COLUMN
  if (x->options->each_sample) {
    text(x, VISIT);
    whole(x, SEQ);
  }
  return x->options->runs ? write_runs(x, err) : SLOE_OK;
}

/* ---- further columns ---- */

static sloe_status add_name(exporter *x, size_t *cap, const char *name, sloe_error *err) {
  if (sloe_store_is_fixed_column(name))
    return sloe_fail(err, SLOE_FORMAT, "%s: the further column '%.60s' is one of every table",
                     x->store->path, name);
  if (N_FIXED + x->n_names >= SLOE_CSV_MAX_COLUMNS)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: more than %d columns", x->store->path,
                     SLOE_CSV_MAX_COLUMNS);
  if (!sloe_arena_grow(&x->names, &x->name, x->n_names, cap, sizeof *x->name))
    return sloe_store_out_of_memory(x->store, err);
  x->name[x->n_names] = sloe_arena_strn(&x->names, name, strlen(name));
  return x->name[x->n_names++] ? SLOE_OK : sloe_store_out_of_memory(x->store, err);
}

/* The names of columns; of a recording those of the environment too. Sorted by bytes, as strcmp
   does. */
#define ENVIRONMENT "'" SLOE_STORE_ENVIRONMENT "' || name"
static const char names_of_table[] =
    "SELECT name FROM point_column UNION SELECT name FROM metric ORDER BY 1";
static const char names_of_recording[] =
    "SELECT name FROM point_column UNION SELECT name FROM metric"
    " UNION SELECT " ENVIRONMENT " FROM environment ORDER BY 1";

/* Name, text and number of one row's further columns. */
#define ROW_FURTHER                                             \
  "SELECT name, value, NULL FROM point_column WHERE point = ?1" \
  " UNION ALL SELECT name, '', value FROM metric WHERE sample = ?2"
static const char further_of_table[] = ROW_FURTHER;
static const char further_of_recording[] =
    ROW_FURTHER " UNION ALL SELECT " ENVIRONMENT ", value, NULL FROM environment WHERE visit = ?3";

static sloe_status find_names(exporter *x, sloe_error *err) {
  sloe_store_query q;
  size_t cap = 0;
  int row = 1;
  SLOE_TRY(sloe_store_query_open(&q, x->store,
                                 x->options->runs ? names_of_recording : names_of_table, err));
  sloe_status status = SLOE_OK;
  while (status == SLOE_OK) {
    status = sloe_store_query_next(&q, &row, err);
    if (status != SLOE_OK || !row) break;
    status = add_name(x, &cap, sloe_store_text(&q, 0), err);
  }
  sloe_store_query_close(&q);
  if (status != SLOE_OK || !x->n_names) return status;
  x->value = SLOE_ARENA_NEW(&x->names, const char *, x->n_names);
  return x->value ? SLOE_OK : sloe_store_out_of_memory(x->store, err);
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One (name, text or number) of the query `further` into the row's values. */
static sloe_status take_value(exporter *x, sloe_error *err) {
  const char *name = sloe_store_text(&x->further, 0), *value;
  char buf[SLOE_NUMBER_BUF];
  const char **at = bsearch(&name, x->name, x->n_names, sizeof *x->name, by_name);
  if (!at) return SLOE_OK; /* another process has added it meanwhile */
  double number = sloe_store_real(&x->further, 2);
  value = isnan(number) ? sloe_store_text(&x->further, 1) : sloe_format_double(number, buf);
  value = sloe_arena_strn(&x->values, value, strlen(value));
  if (!value) return sloe_store_out_of_memory(x->store, err);
  x->value[at - x->name] = value;
  return SLOE_OK;
}

static sloe_status write_further(exporter *x, sloe_error *err) {
  if (!x->n_names) return SLOE_OK;
  memset(x->value, 0, x->n_names * sizeof *x->value);
  sloe_store_put_int(&x->further, x->point.id);
  sloe_store_put_int(&x->further, sloe_store_int(&x->row, SAMPLE));
  if (x->options->runs) sloe_store_put_int(&x->further, sloe_store_int(&x->row, VISIT_ID));
  for (;;) {
    int row;
    SLOE_TRY(sloe_store_query_next(&x->further, &row, err));
    if (!row) break;
    SLOE_TRY(take_value(x, err));
  }
  for (size_t i = 0; i < x->n_names; i++)
    sloe_csv_writer_string(&x->csv, x->value[i] ? x->value[i] : "");
  sloe_arena_fini(&x->values);
  sloe_arena_init(&x->values, SLOE_STORE_MAX_STRINGS);
  return SLOE_OK;
}

/* ---- the table ---- */

static sloe_status write_header(exporter *x, sloe_error *err) {
  size_t n = x->options->each_sample ? N_FIXED - 1 : N_FIXED - N_CHOSEN;
  for (size_t i = 0; i < n; i++) sloe_csv_writer_string(&x->csv, fixed_columns[i]);
  if (x->options->runs) sloe_csv_writer_string(&x->csv, fixed_columns[N_FIXED - 1]);
  for (size_t i = 0; i < x->n_names; i++) sloe_csv_writer_string(&x->csv, x->name[i]);
  return sloe_csv_writer_end_record(&x->csv, err);
}

static int is_wanted(const exporter *x) {
  unsigned kinds = x->options->kinds;
  if (!kinds) kinds = 1u << SLOE_STORE_LAYER | 1u << SLOE_STORE_NETWORK;
  if (x->point.state == SLOE_STORE_OPEN && !x->options->with_open) return 0;
  return (kinds >> x->point.kind & 1) != 0;
}

static sloe_status write_rows(exporter *x, sloe_error *err) {
  for (;;) {
    int row;
    SLOE_TRY(sloe_store_query_next(&x->row, &row, err));
    if (!row) return sloe_csv_writer_flush(&x->csv, err);
    SLOE_TRY(sloe_store_read_point(&x->row, &x->point, err));
    if (!is_wanted(x)) continue;
    SLOE_TRY(write_fixed(x, err));
    SLOE_TRY(write_further(x, err));
    SLOE_TRY(sloe_csv_writer_end_record(&x->csv, err));
  }
}

static sloe_status write_table(exporter *x, sloe_error *err) {
  int found;
  SLOE_TRY(sloe_store_get_identity(x->store, &x->identity, &found, err));
  if (!found) return sloe_fail(err, SLOE_NOTFOUND, "%s: nothing was measured yet", x->store->path);
  SLOE_TRY(find_names(x, err));
  SLOE_TRY(sloe_store_query_open(&x->row, x->store,
                                 x->options->each_sample ? rows_of_samples : rows_of_points, err));
  sloe_store_put_int(&x->row, x->options->campaign);
  SLOE_TRY(sloe_store_query_open(&x->further, x->store,
                                 x->options->runs ? further_of_recording : further_of_table, err));
  SLOE_TRY(write_header(x, err));
  return write_rows(x, err);
}

sloe_status sloe_store_export_to(sloe_store *store, const sloe_store_export *options,
                                 sloe_csv_sink sink, sloe_error *err) {
  static const sloe_store_export usual = {0};
  exporter x = {.store = store, .options = options ? options : &usual};
  sloe_csv_writer_init(&x.csv, sink);
  sloe_arena_init(&x.names, SLOE_STORE_MAX_STRINGS);
  sloe_arena_init(&x.values, SLOE_STORE_MAX_STRINGS);
  /* One moment for all of the table. */
  sloe_status status = sloe_store_exec(store, "BEGIN", err);
  if (status == SLOE_OK) status = write_table(&x, err);
  sloe_store_query_close(&x.row);
  sloe_store_query_close(&x.further);
  if (!sqlite3_get_autocommit(store->db)) sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
  sloe_csv_writer_fini(&x.csv);
  sloe_arena_fini(&x.names);
  sloe_arena_fini(&x.values);
  return status;
}

sloe_status sloe_store_export_file(sloe_store *store, const sloe_store_export *options,
                                   const char *path, sloe_error *err) {
  sloe_gzip_writer *file;
  SLOE_TRY(sloe_gzip_begin(path, &file, err));
  const sloe_csv_sink sink = {file, sloe_gzip_append};
  return sloe_gzip_end(file, sloe_store_export_to(store, options, sink, err), err);
}
