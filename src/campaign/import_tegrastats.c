/* import_tegrastats.c: what a board drew and held while something ran, as a measurement table.
 *
 *   power_w         mean over the log, of the rail in power_rail: "gpu" where the board has one
 * that the GPU alone is on, else "input"; power_input_w and power_gpu_w beside it, with the names
 * that the board gives its rails; energy_log_j, idle_w, loaded_w memory_mb       mean memory of the
 * whole system; memory_rise_mb: peak minus first gpu_mhz_min..   clocks while the GPU was busy
 *   quality         throttled where its clock fell while it was busy; noisy where a log is too
 * short or holds load and rest alike reproducible    "no" and why, where the clock state is not
 * told or changed remarks         what else may be wrong
 *
 * A log does not tell what ran, nor on which board: these columns stay empty, but for the net where
 * it is given.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/gzip.h"
#include "base/number.h"
#include "campaign/import.h"
#include "device/device.h"

enum { FEW = 5, LOG_LIMIT = 1 << 28, ARENA_LIMIT = 1 << 29 /* bytes */ };

static const double SLOWER = 0.95, MIXED = 0.1;

typedef struct row {
  const sloe_tegrastats_summary *s;
  const sloe_tegrastats_draw *power; /* of power_w */
  const char *rail, *net, *path;
  sloe_text rails, remarks;
  char reproducible[96];
} row;

/* ---- judging ---- */

static double share(size_t part, const sloe_tegrastats_summary *s) {
  return (double)part / (double)s->samples;
}

static int is_mixed(const sloe_tegrastats_summary *s) {
  return share(s->n_idle, s) >= MIXED && share(s->n_busy, s) >= MIXED;
}

static int is_throttled(const sloe_tegrastats_summary *s) {
  return s->n_busy && s->gpu_mhz_min < SLOWER * s->gpu_mhz_max;
}

static const char *quality_of(const row *r) {
  if (is_throttled(r->s)) return "throttled";
  return r->s->samples < FEW || is_mixed(r->s) ? "noisy" : "ok";
}

static void judge_clocks(row *r) {
  const sloe_tegrastats_summary *s = r->s;
  char *buf = r->reproducible;
  if (isnan(s->gpu_mhz_max))
    snprintf(buf, sizeof r->reproducible, "no: the GPU's clock is not told");
  else if (!s->n_busy)
    snprintf(buf, sizeof r->reproducible, "no: its clock is not told while the GPU is busy");
  else if (s->gpu_mhz_min < s->gpu_mhz_max)
    snprintf(buf, sizeof r->reproducible, "no: the GPU's clock varied from %.0f to %.0f MHz",
             s->gpu_mhz_min, s->gpu_mhz_max);
  else
    snprintf(buf, sizeof r->reproducible, "yes");
}

static void remark(row *r, const char *format, ...) SLOE_PRINTF(2, 3);
static void remark(row *r, const char *format, ...) {
  char text[160];
  va_list ap;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  if (r->remarks.len) sloe_text_add(&r->remarks, "; ");
  sloe_text_add(&r->remarks, text);
}

static void add_remarks(row *r) {
  const sloe_tegrastats_summary *s = r->s;
  if (!*s->input.rails) remark(r, "%s", s->n_rails ? "no rail of the whole input" : "no rails");
  if (s->samples < FEW) remark(r, "%zu reading%s only", s->samples, s->samples > 1 ? "s" : "");
  if (!s->has_dates) remark(r, "no dates: 1 s between two lines is assumed");
  if (is_mixed(s)) remark(r, "load and rest in one log: power_w is of neither");
  if (!s->n_busy)
    remark(r, "%s", isnan(s->gpu_load) ? "the GPU's load is not told" : "the GPU was never busy");
  if (s->gap_s > 0) remark(r, "a gap of %.0f s", s->gap_s);
  if (s->n_other) remark(r, "%zu other lines between", s->n_other);
  if (s->n_unknown) remark(r, "%zu unknown words, '%s'", s->n_unknown, s->unknown);
}

static void list_rails(row *r) {
  char number[64];
  for (size_t i = 0; i < r->s->n_rails; i++) {
    const sloe_tegrastats_named *rail = &r->s->rail[i];
    if (i) sloe_text_add(&r->rails, " ");
    sloe_text_add(&r->rails, rail->name);
    sloe_text_add(&r->rails, "=");
    sloe_text_add(&r->rails, sloe_format_fixed(rail->value, 4, number, sizeof number));
  }
}

/* ---- writing ---- */

/*  X(column of the table, what stands in it: string or number) */
#define TABLE_COLUMN_MAP(X)                                                 \
  X("net", string, r->net)                                                  \
  X("device", string, "")                                                   \
  X("runtime", string, "")                                                  \
  X("version", string, "")                                                  \
  X("precision", string, "")                                                \
  X("mode", string, "")                                                     \
  X("batch", string, "")                                                    \
  X("power_w", number, r->power->mean_w)                                    \
  X("power_rail", string, r->rail)                                          \
  X("peak_w", number, r->power->peak_w)                                     \
  X("sd_w", number, r->power->sd_w)                                         \
  X("idle_w", number, r->power->idle_w)                                     \
  X("loaded_w", number, r->power->loaded_w)                                 \
  X("energy_log_j", number, r->power->energy_j)                             \
  X("power_input_w", number, r->s->input.mean_w)                            \
  X("power_input_rails", string, r->s->input.rails)                         \
  X("power_gpu_w", number, r->s->gpu.mean_w)                                \
  X("power_gpu_rails", string, r->s->gpu.rails)                             \
  X("rails_w", string, r->rails.data ? r->rails.data : "")                  \
  X("memory_mb", number, r->s->memory_mb)                                   \
  X("memory_kind", string, "system")                                        \
  X("memory_first_mb", number, r->s->memory_first_mb)                       \
  X("memory_peak_mb", number, r->s->memory_peak_mb)                         \
  X("memory_rise_mb", number, r->s->memory_peak_mb - r->s->memory_first_mb) \
  X("memory_total_mb", number, r->s->memory_total_mb)                       \
  X("swap_peak_mb", number, r->s->swap_peak_mb)                             \
  X("gpu_load", number, r->s->gpu_load)                                     \
  X("gpu_load_max", number, r->s->gpu_load_max)                             \
  X("gpu_mhz_min", number, r->s->gpu_mhz_min)                               \
  X("gpu_mhz_max", number, r->s->gpu_mhz_max)                               \
  X("emc_load", number, r->s->emc_load)                                     \
  X("emc_mhz_min", number, r->s->emc_mhz_min)                               \
  X("emc_mhz_max", number, r->s->emc_mhz_max)                               \
  X("cpu_load", number, r->s->cpu_load)                                     \
  X("cpu_mhz_max", number, r->s->cpu_mhz_max)                               \
  X("cpus", number, (double)r->s->cpus)                                     \
  X("cpus_online", number, (double)r->s->cpus_online)                       \
  X("gpu_c_first", number, r->s->gpu_c_first)                               \
  X("gpu_c_mean", number, r->s->gpu_c_mean)                                 \
  X("gpu_c_max", number, r->s->gpu_c_max)                                   \
  X("hottest_c", number, r->s->hottest_c)                                   \
  X("hottest", string, r->s->hottest)                                       \
  X("samples", number, (double)r->s->samples)                               \
  X("seconds", number, r->s->seconds)                                       \
  X("quality", string, quality_of(r))                                       \
  X("reproducible", string, r->reproducible)                                \
  X("remarks", string, r->remarks.data ? r->remarks.data : "")              \
  X("space", string, "")                                                    \
  X("split", string, "")                                                    \
  X("log", string, r->path)                                                 \
  X("line", number, (double)r->s->line)

static sloe_status write_header(sloe_csv_writer *w, sloe_error *err) {
#define COLUMN(name, kind, value) sloe_csv_writer_string(w, name);
  TABLE_COLUMN_MAP(COLUMN)
#undef COLUMN
  return sloe_csv_writer_end_record(w, err);
}

static sloe_status choose_rail(row *r, const char *asked, sloe_error *err) {
  const sloe_tegrastats_summary *s = r->s;
  int gpu = *s->gpu.rails && !s->gpu.is_shared && s->gpu.mean_w > 0;
  if (asked) gpu = strcmp(asked, "gpu") == 0;
  if (asked && !gpu && strcmp(asked, "input") != 0)
    return sloe_fail(err, SLOE_USAGE, "no rail '%.40s'; there are gpu, input", asked);
  r->power = gpu ? &s->gpu : &s->input;
  if (asked && (!*r->power->rails || (gpu && r->power->is_shared)))
    return sloe_fail(err, SLOE_FORMAT, "line %zu: no rail of the %s alone%s%s", s->line,
                     gpu ? "GPU" : "input", *r->power->rails ? ", only " : "", r->power->rails);
  r->rail = !*r->power->rails ? "" : gpu ? "gpu" : "input";
  return SLOE_OK;
}

static sloe_status write_row(const sloe_import_options *options, const char *path,
                             const sloe_tegrastats_summary *s, sloe_csv_writer *w,
                             sloe_error *err) {
  row one = {.s = s, .net = options->net ? options->net : "", .path = path}, *r = &one;
  SLOE_TRY(choose_rail(r, options->rail, err));
  judge_clocks(r);
  add_remarks(r);
  list_rails(r);
  sloe_status status = r->rails.failed || r->remarks.failed
                           ? sloe_fail(err, SLOE_NOMEM, "out of memory importing")
                           : SLOE_OK;
  if (status == SLOE_OK) {
#define COLUMN(name, kind, value) sloe_csv_writer_##kind(w, value);
    TABLE_COLUMN_MAP(COLUMN)
#undef COLUMN
    status = sloe_csv_writer_end_record(w, err);
  }
  sloe_text_fini(&r->rails);
  sloe_text_fini(&r->remarks);
  return status;
}

static sloe_status write_log(const sloe_import_options *options, const char *path,
                             const sloe_text *text, sloe_csv_writer *w, sloe_error *err) {
  sloe_tegrastats_summary *list;
  sloe_arena arena;
  size_t n;
  sloe_arena_init(&arena, ARENA_LIMIT);
  sloe_status status = sloe_tegrastats_read(text->data, text->len, &arena, &list, &n, err);
  for (size_t i = 0; i < n && status == SLOE_OK; i++)
    status = write_row(options, path, &list[i], w, err);
  sloe_arena_fini(&arena);
  return status;
}

static sloe_status read_all(const char *path, sloe_text *out, sloe_error *err) {
  sloe_gzip_reader *file;
  char piece[4096];
  size_t got = 1;
  sloe_status status = sloe_gzip_open(path, LOG_LIMIT, &file, err);
  if (status != SLOE_OK) return status;
  while (status == SLOE_OK && got) {
    status = sloe_gzip_read(file, piece, sizeof piece, &got, err);
    if (status == SLOE_OK) sloe_text_addn(out, piece, got);
  }
  sloe_gzip_close(file);
  if (status != SLOE_OK) return status;
  return out->failed ? sloe_fail(err, SLOE_NOMEM, "out of memory importing") : SLOE_OK;
}

static sloe_status write_rows(const sloe_import_options *options, const char *path,
                              sloe_csv_writer *w, sloe_error *err) {
  sloe_text text = {0};
  sloe_status status = read_all(path, &text, err); /* whose messages name the file */
  if (status == SLOE_OK) {
    status = text.len ? write_log(options, path, &text, w, err)
                      : sloe_fail(err, SLOE_FORMAT, "an empty file");
    if (status != SLOE_OK) status = sloe_fail_in(err, status, "%s", path);
  }
  sloe_text_fini(&text);
  return status;
}

const sloe_importer sloe_importer_tegrastats = {"tegrastats", write_header, write_rows, NULL};
