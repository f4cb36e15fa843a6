/* recording.c: reading a recording and looking things up in it. */
#include "device/replay/recording.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/csv.h"
#include "base/gzip.h"
#include "base/number.h"

enum { MAX_BYTES = 1 << 30 };

/* Columns of text and of numbers that are looked for. */
enum {
  NET,
  DEVICE,
  RUNTIME,
  VERSION,
  PRECISION,
  MODE,
  RUNS,
  KIND,
  RAIL,
  QUALITY,
  KERNELS,
  N_TEXTS
};
static const char *const text_names[N_TEXTS] = {"net",        "device",  "runtime", "version",
                                                "precision",  "mode",    "runs_ns", "memory_kind",
                                                "power_rail", "quality", "kernels"};
enum {
  LATENCY,
  REF,
  MEMORY,
  WEIGHTS,
  ACTIVATIONS,
  WORKSPACE,
  MOVE,
  POWER,
  PEAK,
  IDLE,
  ENERGY,
  BATCH,
  THREADS,
  N_NUMBERS
};
static const char *const number_names[N_NUMBERS] = {
    "latency_ms", "ref_ms", "memory_mb", "weights_mb", "activations_mb", "workspace_mb", "move_ms",
    "power_w",    "peak_w", "idle_w",    "energy_mj",  "batch",          "threads"};

typedef struct reading {
  recording *r;
  sloe_csv_reader *csv;
  int text_at[N_TEXTS], number_at[N_NUMBERS]; /* -1: no such column */
  const char *text[N_TEXTS];                  /* of the row; "" where there is none */
  double number[N_NUMBERS];
} reading;

static sloe_status bad(const reading *x, sloe_error *err, const char *column, const char *rule) {
  return sloe_fail(err, SLOE_FORMAT, "line %llu: %s: %s",
                   (unsigned long long)sloe_csv_reader_line(x->csv), column, rule);
}

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory");
}

static const char *keep(recording *r, const char *s, sloe_status *status, sloe_error *err) {
  const char *kept = sloe_arena_strn(&r->arena, s, strlen(s));
  if (!kept && *status == SLOE_OK) *status = out_of_memory(err);
  return kept ? kept : "";
}

/* ---- a row ---- */

static sloe_status get_fields(reading *x, sloe_error *err) {
  for (int i = 0; i < N_TEXTS; i++)
    x->text[i] = x->text_at[i] < 0 ? "" : sloe_csv_reader_field(x->csv, (size_t)x->text_at[i]);
  for (int i = 0; i < N_NUMBERS; i++) {
    x->number[i] = NAN;
    if (x->number_at[i] < 0) continue;
    SLOE_TRY(sloe_csv_reader_number(x->csv, (size_t)x->number_at[i], &x->number[i], err));
    if (x->number[i] < 0 || x->number[i] > 1e12)
      return bad(x, err, number_names[i], "a number of 0 to 1e12 is due");
  }
  return SLOE_OK;
}

static sloe_status one_run(reading *x, sloe_status status, const char *s, size_t len, uint64_t *out,
                           sloe_error *err) {
  int64_t ns;
  if (status != SLOE_OK) return status;
  if (!sloe_parse_int(s, len, &ns) || ns < 1)
    return bad(x, err, "runs_ns", "whole numbers above 0 with blanks between are due");
  *out = (uint64_t)ns;
  return SLOE_OK;
}

static sloe_status get_runs(reading *x, recording_row *row, sloe_error *err) {
  const char *list = x->text[RUNS];
  const size_t most = strlen(list) / 2 + 1;
  uint64_t *runs = SLOE_ARENA_NEW(&x->r->arena, uint64_t, most);
  sloe_status status = runs ? SLOE_OK : out_of_memory(err);
  for (const char *s = list; *s && status == SLOE_OK;) {
    const size_t len = strcspn(s, " ");
    status = one_run(x, status, s, len, &runs[row->n_runs], err);
    row->n_runs++;
    s += len + (s[len] == ' ' && s[len + 1]);
  }
  if (status == SLOE_OK && !row->n_runs) runs[row->n_runs++] = (uint64_t)(x->number[LATENCY] * 1e6);
  if (status == SLOE_OK && !runs[0]) return bad(x, err, "latency_ms", "below a nanosecond");
  row->runs = runs;
  return status;
}

/* "nets/a.onnx" -> "a", "nets/a.onnx#3" -> "a#3"; a zoo spec stays. */
static const char *network_name(recording *r, const char *net) {
  const char *slash = strrchr(net, '/'), *from = slash ? slash + 1 : net;
  const size_t len = strcspn(from, "#"), end = strlen(".onnx");
  if (strncmp(net, "zoo:", 4) == 0) return sloe_arena_strn(&r->arena, net, strlen(net));
  const int ends = len > end && strncmp(from + len - end, ".onnx", end) == 0;
  return sloe_arena_printf(&r->arena, "%.*s%s", (int)(ends ? len - end : len), from, from + len);
}

static sloe_status get_key(reading *x, recording_row *row, sloe_error *err) {
  const char *net = x->text[NET];
  char text[SLOE_SPEC_TEXT];
  sloe_layer_spec spec;
  sloe_error why;
  if (!*net) return bad(x, err, "net", "empty");
  if (strncmp(net, "zoo:layer,", 10) == 0) {
    if (sloe_layer_spec_parse(net, &spec, &why) != SLOE_OK) return bad(x, err, "net", why.msg);
    sloe_layer_spec_print(&spec, text);
    row->key = sloe_arena_strn(&x->r->arena, text, strlen(text));
  } else {
    row->key = network_name(x->r, net);
  }
  return row->key ? SLOE_OK : out_of_memory(err);
}

static sloe_status put_row(reading *x, const recording_row *row, sloe_error *err) {
  recording *r = x->r;
  const int32_t there = sloe_map_get(&r->by_key, row->key);
  if (there >= 0) {
    const char *key = r->rows[there].key;
    const recording_row *before = &r->rows[there];
    if (row->move_ms < before->move_ms || (!before->is_ok && !(row->move_ms > before->move_ms)))
      r->rows[there] = *row, r->rows[there].key = key;
    return SLOE_OK;
  }
  if (r->n_rows >= INT32_MAX ||
      !sloe_arena_grow(&r->arena, &r->rows, r->n_rows, &r->cap_rows, sizeof *r->rows) ||
      !sloe_map_put(&r->by_key, &r->arena, row->key, (int32_t)r->n_rows))
    return out_of_memory(err);
  r->rows[r->n_rows++] = *row;
  return SLOE_OK;
}

static sloe_status take_row(reading *x, sloe_error *err) {
  recording_row row = {.ref_ns = x->number[REF] * 1e6,
                       .memory_mb = x->number[MEMORY],
                       .weights_mb = x->number[WEIGHTS],
                       .activations_mb = x->number[ACTIVATIONS],
                       .workspace_mb = x->number[WORKSPACE],
                       .move_ms = x->number[MOVE],
                       .power_w = x->number[POWER],
                       .peak_w = x->number[PEAK],
                       .idle_w = x->number[IDLE],
                       .energy_mj = x->number[ENERGY],
                       .is_ok = strcmp(x->text[QUALITY], "ok") == 0};
  sloe_status status = SLOE_OK;
  if (!*x->text[RUNS] && isnan(x->number[LATENCY])) return SLOE_OK; /* a point that was skipped */
  if (!isnan(x->number[MEMORY]) && !*x->text[KIND]) return bad(x, err, "memory_kind", "empty");
  if (!isnan(x->number[POWER]) && !*x->text[RAIL]) return bad(x, err, "power_rail", "empty");
  SLOE_TRY(get_key(x, &row, err));
  SLOE_TRY(get_runs(x, &row, err));
  row.memory_kind = keep(x->r, x->text[KIND], &status, err);
  row.power_rail = keep(x->r, x->text[RAIL], &status, err);
  row.kernels = keep(x->r, x->text[KERNELS], &status, err);
  SLOE_TRY(status);
  return put_row(x, &row, err);
}

/* ---- who measured ---- */

static int64_t count_or(double number, int64_t usual) {
  return number >= 1 && number <= 1 << 20 ? (int64_t)number : usual;
}

/* "cudnn9" fuses as cudnn does; runtimes without rules of their own fuse nothing. */
static sloe_runtime rules_of(const char *runtime) {
  char name[32];
  sloe_runtime out;
  size_t len = strlen(runtime);
  while (len && runtime[len - 1] >= '0' && runtime[len - 1] <= '9') len--;
  snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : 0), runtime);
  return sloe_runtime_parse(name, &out, NULL) == SLOE_OK ? out : SLOE_RUNTIME_NONE;
}

static sloe_status take_identity(reading *x, sloe_error *err) {
  sloe_device_info *info = &x->r->info;
  sloe_status status = SLOE_OK;
  info->device = keep(x->r, x->text[DEVICE], &status, err);
  info->title = info->device;
  info->runtime = keep(x->r, x->text[RUNTIME], &status, err);
  info->version = keep(x->r, x->text[VERSION], &status, err);
  info->precision = keep(x->r, *x->text[PRECISION] ? x->text[PRECISION] : "fp32", &status, err);
  info->mode = keep(x->r, x->text[MODE], &status, err);
  info->batch = count_or(x->number[BATCH], 1);
  info->threads = count_or(x->number[THREADS], 1);
  SLOE_TRY(status);
  if (sloe_precision_parse(info->precision, &info->fusion.precision, NULL) != SLOE_OK)
    return bad(x, err, "precision", "not known");
  info->fusion.runtime = rules_of(info->runtime);
  return SLOE_OK;
}

static sloe_status check_identity(const reading *x, sloe_error *err) {
  const sloe_device_info *info = &x->r->info;
  const char *const first[] = {info->device, info->runtime, info->version, info->precision,
                               info->mode};
  for (int i = DEVICE; i <= MODE; i++)
    if (*x->text[i] && strcmp(x->text[i], first[i - DEVICE]) != 0)
      return bad(x, err, text_names[i], "another one than in the first row");
  if (count_or(x->number[THREADS], info->threads) != info->threads)
    return bad(x, err, "threads", "another number than in the first row");
  return SLOE_OK;
}

/* ---- the file ---- */

static sloe_status find_columns(reading *x, sloe_error *err) {
  for (int i = 0; i < N_TEXTS; i++) x->text_at[i] = sloe_csv_reader_find(x->csv, text_names[i]);
  for (int i = 0; i < N_NUMBERS; i++)
    x->number_at[i] = sloe_csv_reader_find(x->csv, number_names[i]);
  if (x->text_at[NET] < 0 || x->number_at[LATENCY] < 0)
    return sloe_fail(err, SLOE_FORMAT, "line 1: no column '%s': not a recording",
                     x->text_at[NET] < 0 ? "net" : "latency_ms");
  return SLOE_OK;
}

static sloe_status read_rows(reading *x, sloe_error *err) {
  SLOE_TRY(find_columns(x, err));
  SLOE_TRY(sloe_recording_find_environment(x->r, x->csv, err));
  for (int is_first = 1;; is_first = 0) {
    int more;
    SLOE_TRY(sloe_csv_reader_next(x->csv, &more, err));
    if (!more) break;
    SLOE_TRY(get_fields(x, err));
    SLOE_TRY(is_first ? take_identity(x, err) : check_identity(x, err));
    SLOE_TRY(sloe_recording_take_environment(x->r, x->csv, err));
    SLOE_TRY(take_row(x, err));
  }
  sloe_recording_set_environment(x->r);
  return x->r->n_rows ? SLOE_OK : sloe_fail(err, SLOE_FORMAT, "nothing is recorded in it");
}

sloe_status sloe_recording_read(const char *path, recording *out, sloe_error *err) {
  reading x = {.r = out};
  sloe_gzip_reader *file = NULL;
  *out = (recording){.info = {.memory_mb = NAN}};
  sloe_arena_init(&out->arena, MAX_BYTES);
  SLOE_TRY(sloe_gzip_open(path, MAX_BYTES, &file, err));
  sloe_status status = sloe_csv_reader_open((sloe_csv_source){file, sloe_gzip_read}, &x.csv, err);
  if (status == SLOE_OK) status = read_rows(&x, err);
  sloe_csv_reader_close(x.csv);
  sloe_gzip_close(file);
  return status == SLOE_OK ? status : sloe_fail_in(err, status, "%s", path);
}

void sloe_recording_fini(recording *r) {
  sloe_arena_fini(&r->arena);
  *r = (recording){0};
}

static const recording_row *row_of(const recording *r, const char *key) {
  const int32_t i = sloe_map_get(&r->by_key, key);
  return i < 0 ? NULL : &r->rows[i];
}

const recording_row *sloe_recording_layer(const recording *r, const sloe_layer_spec *spec) {
  char text[SLOE_SPEC_TEXT];
  return row_of(r, sloe_layer_spec_print(spec, text));
}

const recording_row *sloe_recording_place(const recording *r, const char *name, size_t layer) {
  char key[512];
  snprintf(key, sizeof key, "%s#%zu", name, layer);
  return row_of(r, key);
}

const recording_row *sloe_recording_network(const recording *r, const char *name) {
  return row_of(r, name);
}
