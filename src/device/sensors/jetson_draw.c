/* jetson_draw.c: what a window of a meter's readings says. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "device/sensors/jetson_meter.h"

typedef struct window {
  const sloe_meter_reading *first;
  size_t n;
} window;

static window find_window(const sloe_jetson_meter *m, uint64_t from_ns, uint64_t to_ns) {
  size_t i = 0, k = m->n;
  while (i < m->n && m->readings[i].at_ns < from_ns) i++;
  while (k > i && to_ns && m->readings[k - 1].at_ns > to_ns) k--;
  return (window){m->readings + i, k - i};
}

/* ---- rails ---- */

static const sloe_jetson_rail_draw unknown = {"", NAN, NAN, NAN, NAN};

static double watts_of(const sloe_meter_reading *r, const sloe_rails *rails) {
  double watts = 0;
  for (size_t i = 0; i < rails->n; i++) watts += (double)r->watts[rails->index[i]];
  return watts;
}

static double energy_of(const sloe_meter_reading *r, const sloe_rails *rails) {
  double mj = 0;
  for (size_t i = 0; i < rails->n; i++) mj += r->energy_mj[rails->index[i]];
  return mj;
}

static void sum_rails(const window *w, const sloe_rails *rails, sloe_jetson_rail_draw *out) {
  double above = 0, above2 = 0, base = NAN, n = 0;
  *out = unknown;
  if (!rails->n || w->n < 2) return;
  snprintf(out->name, sizeof out->name, "%s", rails->text);
  for (size_t i = 0; i < w->n; i++) {
    const double watts = watts_of(&w->first[i], rails);
    if (isnan(watts)) continue;
    if (isnan(base)) base = watts;
    above += watts - base;
    above2 += (watts - base) * (watts - base);
    out->peak_w = fmax(out->peak_w, watts);
    n++;
  }
  const sloe_meter_reading *last = &w->first[w->n - 1];
  const double ms = (double)(last->at_ns - w->first->at_ns) / 1e6;
  if (n < 2 || !(ms > 0)) return;
  out->energy_mj = energy_of(last, rails) - energy_of(w->first, rails);
  out->mean_w = out->energy_mj / ms;
  out->sd_w = sqrt(fmax(above2 - above * above / n, 0) / (n - 1));
}

static void sum_power(const sloe_jetson_meter *m, const window *w, sloe_jetson_draw *out) {
  sum_rails(w, &m->input, &out->input);
  sum_rails(w, &m->on_gpu, &out->gpu);
  out->n_rails = m->n_rails;
  for (size_t i = 0; i < m->n_rails; i++) {
    sloe_rails one = {.n = 1, .index = {i}};
    snprintf(one.text, sizeof one.text, "%s", m->name[i]);
    sum_rails(w, &one, &out->rail[i]);
  }
}

/* ---- the rest ---- */

static void sum_state(const window *w, sloe_jetson_draw *out) {
  double load = 0, n_load = 0;
  for (size_t i = 0; i < w->n; i++) {
    const sloe_meter_reading *r = &w->first[i];
    if (!isnan(r->gpu_load)) {
      load += (double)r->gpu_load;
      n_load++;
    }
    out->gpu_mhz_min = fmin(out->gpu_mhz_min, (double)r->gpu_mhz);
    out->gpu_mhz_max = fmax(out->gpu_mhz_max, (double)r->gpu_mhz);
    out->hottest_c = fmax(out->hottest_c, (double)r->hottest_c);
    out->memory_peak_mb = fmax(out->memory_peak_mb, (double)r->memory_mb);
    out->throttled += r->throttling > 0;
  }
  if (n_load > 0) out->gpu_load = load / n_load;
  if (!w->n) return;
  const sloe_meter_reading *last = &w->first[w->n - 1];
  out->first_c = (double)w->first->hottest_c;
  out->last_c = (double)last->hottest_c;
  out->memory_first_mb = (double)w->first->memory_mb;
  out->seconds = (double)(last->at_ns - w->first->at_ns) / 1e9;
}

sloe_status sloe_jetson_meter_window(sloe_jetson_meter *meter, uint64_t from_ns, uint64_t to_ns,
                                     sloe_jetson_draw *out, sloe_error *err) {
  *out = (sloe_jetson_draw){.source = meter->source,
                            .input = unknown,
                            .gpu = unknown,
                            .gpu_load = NAN,
                            .gpu_mhz_min = NAN,
                            .gpu_mhz_max = NAN,
                            .first_c = NAN,
                            .last_c = NAN,
                            .hottest_c = NAN,
                            .memory_first_mb = NAN,
                            .memory_peak_mb = NAN};
  pthread_mutex_lock(&meter->mutex);
  const sloe_status status = meter->status;
  if (status != SLOE_OK) {
    const sloe_error why = meter->why;
    pthread_mutex_unlock(&meter->mutex);
    return sloe_fail(err, status, "%s", why.msg);
  }
  const window w = find_window(meter, from_ns, to_ns);
  out->samples = w.n;
  sum_power(meter, &w, out);
  sum_state(&w, out);
  pthread_mutex_unlock(&meter->mutex);
  return SLOE_OK;
}
