/* tegrastats_log.c: what a log says as a whole.
 *
 * Each reading stands for the time until it, one interval as a rule: then the mean over time is
 * that of the readings. Dates tell whole seconds, so that two may be equal and the next two apart;
 * the interval is therefore taken from the first and the last, and the time between two only where
 * it is longer by more than that error: a gap, for which the reading behind it stands.
 */
#include <math.h>
#include <string.h>

#include "device/tegrastats/tegrastats.h"

static const double BUSY = 0.5, IDLE = 0.05, MIB = 1.048576, OFF_C = -200;

typedef struct sample {
  double at_s, step_s; /* step: the time that it stands for */
  double ram_mib, swap_mib, cpu_load, cpu_mhz, emc_load, emc_mhz, gpu_load, gpu_mhz;
  double gpu_c, hottest_c;
  double rail_w[SLOE_TEGRASTATS_RAILS];
} sample;

typedef struct record { /* one summary in the making */
  sloe_tegrastats_summary *out;
  const char *names[SLOE_TEGRASTATS_RAILS];
  double ram_total_mib;
  sample *samples; /* grown in the arena, used again by the next record */
  size_t n, cap;
} record;

typedef struct log_reader {
  sloe_arena *arena;
  record rec;
  sloe_tegrastats_summary *list;
  size_t n, cap, line;
  size_t n_other; /* since the last line of tegrastats */
} log_reader;

/* ---- means ---- */

/* Sums of what is above the first value, so that equal values have it as their mean exactly. */
typedef struct mean {
  double sum, sum2, weight, least, most, first;
} mean;

static const mean none = {0, 0, 0, NAN, NAN, NAN};

static void take(mean *m, double value, double weight) {
  if (isnan(value)) return;
  if (m->weight == 0) m->first = value;
  const double above = value - m->first;
  m->sum += above * weight;
  m->sum2 += above * above * weight;
  m->weight += weight;
  m->least = fmin(m->least, value);
  m->most = fmax(m->most, value);
}

static double mean_of(const mean *m) {
  return m->weight > 0 ? m->first + m->sum / m->weight : NAN;
}

static double deviation_of(const mean *m) {
  const double above = m->sum / m->weight;
  return m->weight > 0 ? sqrt(fmax(m->sum2 / m->weight - above * above, 0)) : NAN;
}

/* Of one field of all samples; `which` 0: all, 1: the GPU busy, -1: idle. */
static mean over(const record *r, size_t offset, int which) {
  mean m = none;
  for (size_t i = 0; i < r->n; i++) {
    const sample *s = &r->samples[i];
    double value;
    if (which > 0 && !(s->gpu_load >= BUSY)) continue;
    if (which < 0 && !(s->gpu_load <= IDLE)) continue;
    memcpy(&value, (const char *)s + offset, sizeof value);
    take(&m, value, s->step_s);
  }
  return m;
}

#define OVER(r, field, which) over((r), offsetof(sample, field), (which))

/* ---- power ---- */

/* What the rails show together; NAN where one is silent. */
static double added(const sample *s, const sloe_rails *rails) {
  double watts = rails->n ? 0 : NAN;
  for (size_t i = 0; i < rails->n; i++) watts += s->rail_w[rails->index[i]];
  return watts;
}

static void sum_draw(const record *r, const sloe_rails *rails, sloe_tegrastats_draw *out) {
  mean all = none, idle = none, loaded = none;
  for (size_t i = 0; i < r->n; i++) {
    const sample *s = &r->samples[i];
    const double watts = added(s, rails);
    take(&all, watts, s->step_s);
    if (s->gpu_load <= IDLE) take(&idle, watts, s->step_s);
    if (s->gpu_load >= BUSY) take(&loaded, watts, s->step_s);
  }
  memcpy(out->rails, rails->text, sizeof out->rails);
  out->is_shared = rails->is_shared;
  out->mean_w = mean_of(&all);
  out->peak_w = all.most;
  out->sd_w = deviation_of(&all);
  out->energy_j = out->mean_w * all.weight;
  out->idle_w = mean_of(&idle);
  out->loaded_w = mean_of(&loaded);
}

static void sum_power(record *r) {
  sloe_tegrastats_summary *out = r->out;
  sloe_rails rails;
  sloe_rails_input(r->names, out->n_rails, &rails);
  sum_draw(r, &rails, &out->input);
  sloe_rails_gpu(r->names, out->n_rails, &rails);
  sum_draw(r, &rails, &out->gpu);
  for (size_t i = 0; i < out->n_rails; i++) {
    const mean m = over(r, offsetof(sample, rail_w) + i * sizeof(double), 0);
    out->rail[i].value = mean_of(&m);
  }
}

/* ---- time ---- */

static void set_steps(record *r) {
  sloe_tegrastats_summary *out = r->out;
  sample *s = r->samples;
  const double span = s[r->n - 1].at_s - s[0].at_s;
  double error_s = 1.5;
  out->has_dates = !isnan(span);
  out->interval_s = r->n > 1 && span > 0 ? span / (double)(r->n - 1) : 1;
  /* gaps make the interval too long: once more without them */
  for (int again = 0; again < 2 && out->has_dates; again++) {
    double regular = 0;
    size_t n = 0;
    for (size_t i = 1; i < r->n; i++) {
      const double step = s[i].at_s - s[i - 1].at_s;
      if (step > out->interval_s + error_s) continue;
      regular += step;
      n++;
    }
    if (n && regular > 0) out->interval_s = regular / (double)n;
  }
  for (size_t i = 0; i < r->n; i++) {
    const double step = i ? s[i].at_s - s[i - 1].at_s : 0;
    const int is_gap = step > out->interval_s + error_s;
    s[i].step_s = is_gap ? step : out->interval_s;
    if (is_gap) out->gap_s = fmax(out->gap_s, step - out->interval_s);
    out->seconds += s[i].step_s;
  }
}

/* ---- a record ---- */

static void sum_memory(const record *r) {
  sloe_tegrastats_summary *out = r->out;
  const mean ram = OVER(r, ram_mib, 0), swap = OVER(r, swap_mib, 0);
  out->memory_mb = mean_of(&ram) * MIB;
  out->memory_first_mb = ram.first * MIB;
  out->memory_peak_mb = ram.most * MIB;
  out->memory_total_mb = r->ram_total_mib * MIB;
  out->swap_peak_mb = swap.most * MIB;
}

static void sum_clocks(const record *r) {
  sloe_tegrastats_summary *out = r->out;
  const mean load = OVER(r, gpu_load, 0), cpu = OVER(r, cpu_load, 0), emc = OVER(r, emc_load, 0);
  const mean emc_mhz = OVER(r, emc_mhz, 0), cpu_mhz = OVER(r, cpu_mhz, 0);
  mean mhz = OVER(r, gpu_mhz, 1);
  for (size_t i = 0; i < r->n; i++) {
    out->n_idle += r->samples[i].gpu_load <= IDLE;
    out->n_busy += r->samples[i].gpu_load >= BUSY;
  }
  if (!out->n_busy) mhz = OVER(r, gpu_mhz, 0);
  out->gpu_mhz_min = mhz.least;
  out->gpu_mhz_max = mhz.most;
  out->gpu_load = mean_of(&load);
  out->gpu_load_max = load.most;
  out->cpu_load = mean_of(&cpu);
  out->cpu_mhz_max = cpu_mhz.most;
  out->emc_load = mean_of(&emc);
  out->emc_mhz_min = emc_mhz.least;
  out->emc_mhz_max = emc_mhz.most;
}

static void end_record(log_reader *x) {
  record *r = &x->rec;
  if (!r->n) return;
  set_steps(r);
  sum_power(r);
  sum_memory(r);
  sum_clocks(r);
  const mean gpu_c = OVER(r, gpu_c, 0);
  r->out->gpu_c_first = gpu_c.first;
  r->out->gpu_c_mean = mean_of(&gpu_c);
  r->out->gpu_c_max = gpu_c.most;
  r->out->samples = r->n;
  r->n = 0;
}

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory, or a log over the limit");
}

static sloe_status begin_record(log_reader *x, const sloe_tegrastats_line *line, sloe_error *err) {
  record *r = &x->rec;
  if (!sloe_arena_grow(x->arena, &x->list, x->n, &x->cap, sizeof *x->list))
    return out_of_memory(err);
  r->out = &x->list[x->n++];
  *r->out = (sloe_tegrastats_summary){.line = x->line, .hottest_c = NAN};
  r->ram_total_mib = line->ram_total_mib;
  x->n_other = 0;
  return SLOE_OK;
}

/* ---- lines ---- */

/* The place of the line's i-th rail; of two of one name each has its own. */
static size_t place_of(record *r, const sloe_tegrastats_line *line, size_t i, size_t from) {
  sloe_tegrastats_summary *out = r->out;
  const char *name = line->rail[i].name;
  for (size_t k = from; k < out->n_rails; k++)
    if (strcmp(out->rail[k].name, name) == 0) return k;
  if (out->n_rails == SLOE_TEGRASTATS_RAILS) return SLOE_TEGRASTATS_RAILS;
  memcpy(out->rail[out->n_rails].name, name, sizeof out->rail->name);
  return out->n_rails++;
}

static void take_rails(record *r, const sloe_tegrastats_line *line, sample *s) {
  for (size_t i = 0; i < SLOE_TEGRASTATS_RAILS; i++) s->rail_w[i] = NAN;
  for (size_t i = 0; i < line->n_rails; i++) {
    size_t at = place_of(r, line, i, 0);
    while (at < SLOE_TEGRASTATS_RAILS && !isnan(s->rail_w[at])) at = place_of(r, line, i, at + 1);
    if (at < SLOE_TEGRASTATS_RAILS) s->rail_w[at] = line->rail[i].value;
  }
  for (size_t i = 0; i < r->out->n_rails; i++) r->names[i] = r->out->rail[i].name;
}

/* PMIC shows a constant, -256 a sensor that is off. */
static void take_sensors(record *r, const sloe_tegrastats_line *line, sample *s) {
  s->gpu_c = s->hottest_c = NAN;
  for (size_t i = 0; i < line->n_sensors; i++) {
    const sloe_tegrastats_named *t = &line->sensor[i];
    if (t->value <= OFF_C || strcmp(t->name, "PMIC") == 0) continue;
    if (strcmp(t->name, "GPU") == 0 || strcmp(t->name, "gpu") == 0) s->gpu_c = t->value;
    if (t->value <= r->out->hottest_c) continue;
    r->out->hottest_c = t->value;
    memcpy(r->out->hottest, t->name, sizeof t->name);
  }
}

static sloe_status take_line(log_reader *x, const sloe_tegrastats_line *line, sloe_error *err) {
  record *r = &x->rec;
  const double before = r->n ? r->samples[r->n - 1].at_s : NAN;
  if (r->n && (line->ram_total_mib != r->ram_total_mib || line->at_s < before)) end_record(x);
  if (!r->n) SLOE_TRY(begin_record(x, line, err));
  if (!sloe_arena_grow(x->arena, &r->samples, r->n, &r->cap, sizeof *r->samples))
    return out_of_memory(err);
  sample *s = &r->samples[r->n++];
  *s = (sample){.at_s = line->at_s,
                .ram_mib = line->ram_mib,
                .swap_mib = line->swap_mib,
                .cpu_load = line->cpu_load,
                .cpu_mhz = line->cpu_mhz_max,
                .emc_load = line->emc_load,
                .emc_mhz = line->emc_mhz,
                .gpu_load = line->gpu_load,
                .gpu_mhz = line->gpu_mhz};
  take_rails(r, line, s);
  take_sensors(r, line, s);
  r->out->cpus = line->cpus;
  r->out->cpus_online = line->cpus_online;
  if (line->n_unknown && !r->out->n_unknown)
    memcpy(r->out->unknown, line->unknown, sizeof line->unknown);
  r->out->n_unknown += line->n_unknown;
  r->out->n_other += x->n_other;
  x->n_other = 0;
  return SLOE_OK;
}

static sloe_status read_line(log_reader *x, const char *text, size_t len, sloe_error *err) {
  sloe_tegrastats_line line;
  if (sloe_tegrastats_parse(text, len, &line)) return take_line(x, &line, err);
  size_t i = 0;
  while (i < len && (text[i] == ' ' || text[i] == '\r' || text[i] == '\t')) i++;
  if (i == len) return SLOE_OK;
  if (text[i] == '#')
    end_record(x);
  else
    x->n_other++;
  return SLOE_OK;
}

sloe_status sloe_tegrastats_read(const char *text, size_t len, sloe_arena *arena,
                                 sloe_tegrastats_summary **out, size_t *n, sloe_error *err) {
  log_reader x = {.arena = arena};
  *out = NULL;
  *n = 0;
  for (size_t at = 0; at < len;) {
    const char *newline = memchr(text + at, '\n', len - at);
    const size_t end = newline ? (size_t)(newline - text) : len;
    x.line++;
    SLOE_TRY(read_line(&x, text + at, end - at, err));
    at = end + 1;
  }
  end_record(&x);
  if (!x.n && len && (*text == '{' || *text == '['))
    return sloe_fail(err, SLOE_FORMAT, "a JSON document, no log of tegrastats");
  if (!x.n) return sloe_fail(err, SLOE_FORMAT, "none of its %zu lines is of tegrastats", x.line);
  *out = x.list;
  *n = x.n;
  return SLOE_OK;
}
