#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/csv.h"
#include "base/error.h"
#include "base/gzip.h"
#include "base/map.h"
#include "base/number.h"
#include "sweeps.h"

enum { ARENA_LIMIT = 1 << 28 };

typedef struct known {
  sloe_fit_sample sample; /* value 0: the device cannot run it */
} known;

struct taking {
  sloe_arena arena;
  sloe_device *device;
  sloe_map index; /* role and layer -> known */
  known *known;
  size_t n, cap, measured;
  FILE *record;
  sloe_timing_options timing[2]; /* of each role */
};

static const char *const role_names[] = {"fit", "truth"};

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory measuring sweeps");
}

static sloe_status remember(taking *t, const char *key, sloe_fit_sample sample, sloe_error *err) {
  if (!sloe_arena_grow(&t->arena, &t->known, t->n, &t->cap, sizeof *t->known))
    return out_of_memory(err);
  const char *kept = sloe_arena_strn(&t->arena, key, strlen(key));
  if (!kept || !sloe_map_put(&t->index, &t->arena, kept, (int32_t)t->n)) return out_of_memory(err);
  t->known[t->n++].sample = sample;
  return SLOE_OK;
}

/* ---- the record ---- */

static sloe_status read_rows(taking *t, sloe_csv_reader *r, sloe_error *err) {
  const int net = sloe_csv_reader_find(r, "net"), value = sloe_csv_reader_find(r, "value");
  const int spread = sloe_csv_reader_find(r, "spread");
  if (net < 0 || value < 0 || spread < 0)
    return sloe_fail(err, SLOE_FORMAT, "no column net, value or spread");
  for (;;) {
    int more;
    sloe_fit_sample sample;
    SLOE_TRY(sloe_csv_reader_next(r, &more, err));
    if (!more) return SLOE_OK;
    SLOE_TRY(sloe_csv_reader_number(r, (size_t)value, &sample.value, err));
    SLOE_TRY(sloe_csv_reader_number(r, (size_t)spread, &sample.spread, err));
    SLOE_TRY(remember(t, sloe_csv_reader_field(r, (size_t)net), sample, err));
  }
}

static sloe_status read_record(taking *t, const char *path, sloe_error *err) {
  sloe_gzip_reader *file = NULL;
  sloe_csv_reader *reader = NULL;
  sloe_error why = {0};
  sloe_status status = sloe_gzip_open(path, UINT64_C(1) << 30, &file, &why);
  if (status == SLOE_NOTFOUND) return SLOE_OK;
  if (status == SLOE_OK)
    status = sloe_csv_reader_open((sloe_csv_source){file, sloe_gzip_read}, &reader, &why);
  if (status == SLOE_OK) status = read_rows(t, reader, &why);
  sloe_csv_reader_close(reader);
  sloe_gzip_close(file);
  return status == SLOE_OK ? SLOE_OK : sloe_fail(err, status, "%s: %s", path, why.msg);
}

static sloe_status open_record(taking *t, const char *path, sloe_error *err) {
  if (!path) return SLOE_OK;
  SLOE_TRY(read_record(t, path, err));
  t->record = fopen(path, "a");
  if (!t->record) return sloe_fail(err, SLOE_IO, "%s: cannot be written", path);
  if (!t->n) fputs("net,value,spread\n", t->record);
  return SLOE_OK;
}

static sloe_status write_row(taking *t, const char *key, sloe_fit_sample s, sloe_error *err) {
  char value[SLOE_NUMBER_BUF], spread[SLOE_NUMBER_BUF];
  if (!t->record) return SLOE_OK;
  fprintf(t->record, "\"%s\",%s,%s\n", key, sloe_format_double(s.value, value),
          sloe_format_double(s.spread, spread));
  if (fflush(t->record)) return sloe_fail(err, SLOE_IO, "the record cannot be written");
  return SLOE_OK;
}

/* ---- opening ---- */

sloe_status taking_open(const taking_options *options, taking **out, sloe_error *err) {
  const double fit_ms = options->fit_ms > 0 ? options->fit_ms : 12;
  const double truth_ms = options->truth_ms > 0 ? options->truth_ms : 8;
  sloe_status status;
  *out = NULL;
  taking *t = sloe_alloc(1, sizeof *t);
  if (!t) return out_of_memory(err);
  *t = (taking){0};
  t->timing[TAKEN_FIT] = (sloe_timing_options){
      .min_runs = 3, .max_runs = 60, .budget_ms = fit_ms, .enough = 0.003, .retakes = 2};
  t->timing[TAKEN_TRUTH] = (sloe_timing_options){
      .min_runs = 1, .max_runs = 60, .budget_ms = truth_ms, .enough = 0.003, .retakes = 2};
  sloe_arena_init(&t->arena, ARENA_LIMIT);
  SLOE_GOTO(sloe_device_open(options->backend, options->modules, &t->device, err));
  SLOE_GOTO(open_record(t, options->record, err));
  *out = t;
  t = NULL;
fail:
  taking_close(t);
  return status;
}

void taking_close(taking *t) {
  if (!t) return;
  if (t->record) fclose(t->record);
  sloe_device_close(t->device);
  sloe_arena_fini(&t->arena);
  sloe_dealloc(t);
}

const sloe_device_info *taking_device(const taking *t) {
  return sloe_device_describe(t->device);
}

size_t taking_measured(const taking *t) {
  return t->measured;
}

/* ---- measuring ---- */

static double reference_of(const sloe_timing *t) {
  if (isnan(t->ref_before_ns)) return isnan(t->ref_after_ns) ? 1e6 : t->ref_after_ns;
  return isnan(t->ref_after_ns) ? t->ref_before_ns : (t->ref_before_ns + t->ref_after_ns) / 2;
}

/* What cannot be run has the value 0. */
static sloe_status measure(taking *t, const sloe_layer_spec *spec, taking_role role,
                           sloe_fit_sample *out, sloe_error *err) {
  sloe_job *job;
  sloe_timing timing;
  sloe_error why = {0};
  *out = (sloe_fit_sample){0, 0};
  t->measured++;
  sloe_status status = sloe_device_load_layer(t->device, spec, &job, &why);
  if (status == SLOE_UNSUPPORTED) return SLOE_OK;
  if (status != SLOE_OK) return sloe_fail(err, status, "%s", why.msg);
  status = sloe_time_job(t->device, job, &t->timing[role], &timing, err);
  if (status == SLOE_OK) {
    out->value = timing.median_ns / reference_of(&timing);
    out->spread = out->value * (isfinite(timing.error) ? timing.error : 0.01);
  }
  sloe_timing_fini(&timing);
  sloe_job_unload(job);
  return status;
}

sloe_status taking_time(taking *t, const sloe_layer_spec *spec, taking_role role, size_t take,
                        sloe_fit_sample *out, sloe_error *err) {
  char text[SLOE_SPEC_TEXT], key[SLOE_SPEC_TEXT + 32];
  snprintf(key, sizeof key, "%s%zu:%s", role_names[role], take, sloe_layer_spec_print(spec, text));
  const int32_t at = sloe_map_get(&t->index, key);
  if (at >= 0) {
    *out = t->known[at].sample;
  } else {
    SLOE_TRY(measure(t, spec, role, out, err));
    SLOE_TRY(remember(t, key, *out, err));
    SLOE_TRY(write_row(t, key, *out, err));
  }
  return out->value > 0 ? SLOE_OK : sloe_fail(err, SLOE_UNSUPPORTED, "refused");
}

sloe_status taking_mean(taking *t, const sloe_layer_spec *spec, taking_role role, size_t takes,
                        sloe_fit_sample *out, sloe_error *err) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < takes; i++) {
    sloe_fit_sample one;
    SLOE_TRY(taking_time(t, spec, role, i, &one, err));
    sum += one.value;
    squares += one.spread * one.spread;
  }
  *out = (sloe_fit_sample){sum / (double)takes, sqrt(squares) / (double)takes};
  return SLOE_OK;
}
