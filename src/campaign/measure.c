/* measure.c: the truth about one network on a device: its time, whole and by layers, its memory and
 * its power.
 *
 * Time, power and layers are taken one after the other and not together: a clock around each layer
 * and a sensor that is read cost time. Runs go on to their number or the time for them, whatever
 * the error reached (Bouzidi et al. 4.2: 100 runs, as a rule).
 */
#include <math.h>
#include <time.h>

#include "base/alloc.h"
#include "campaign/session.h"

enum { ARENA_LIMIT = 1 << 28 };

static const double noisy_scatter = 0.10; /* (p75 - p25) / median of which quality is "noisy" */

typedef struct measuring {
  sloe_session *session;
  const sloe_layers *layers;
  const sloe_measure_options *options;
  const sloe_watch *watch;
  sloe_measured *m;
  size_t done, total; /* steps */
  double begun_s;
} measuring;

static sloe_status out_of_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory measuring");
}

static void warn(measuring *x, const char *text) {
  sloe_result *r = &x->m->result;
  if (text && r->n_warnings < SLOE_MEASURED_WARNINGS) x->m->warnings[r->n_warnings++] = text;
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Say what begins now, and ask whether to go on. */
static sloe_status step(measuring *x, const char *phase, sloe_error *err) {
  const sloe_watch *w = x->watch;
  if (!w) return SLOE_OK;
  if (w->stop && w->stop(w->context)) return sloe_fail(err, SLOE_STOPPED, "stopped");
  const double elapsed = now_s() - x->begun_s;
  const double eta =
      x->done ? elapsed / (double)x->done * (double)(x->total - x->done) : (double)NAN;
  const sloe_progress progress = {phase, x->done++, x->total, elapsed, eta};
  if (w->progress) w->progress(w->context, &progress);
  return SLOE_OK;
}

static sloe_figure figure(double value) {
  return (sloe_figure){.value = value,
                       .low = NAN,
                       .high = NAN,
                       .source = isnan(value) ? SLOE_SOURCE_NONE : SLOE_SOURCE_MEASURED,
                       .method = SLOE_METHOD_NETWORK,
                       .validated_mape = NAN,
                       .in_domain = 1};
}

/* ---- time ---- */

sloe_timing_options sloe_network_timing(const sloe_measure_options *o) {
  return (sloe_timing_options){.min_runs = 5,
                               .max_runs = o->runs > 0 ? o->runs : 100,
                               .budget_ms = 1e3 * (o->seconds > 0 ? o->seconds : 10),
                               .enough = 1e-12,
                               .noisy = INFINITY};
}

static double reference_ms(const sloe_timing *t) {
  const double before = isnan(t->ref_before_ns) ? t->ref_after_ns : t->ref_before_ns;
  const double after = isnan(t->ref_after_ns) ? before : t->ref_after_ns;
  return (before + after) / 2 / 1e6;
}

int sloe_is_noisy(const sloe_timing *t) {
  return t->noisy || (t->p75_ns - t->p25_ns) / t->median_ns > noisy_scatter;
}

static void take_timing(sloe_measured *m, const sloe_timing *t) {
  m->result.latency_ms = figure(t->median_ns / 1e6);
  m->result.latency_p75_ms = t->p75_ns / 1e6;
  m->result.latency_p97_5_ms = t->p97_5_ns / 1e6;
  m->extra.latency_min_ms = t->min_ns / 1e6;
  m->extra.latency_mean_ms = t->mean_ns / 1e6;
  m->extra.host_ms = t->host_ns / 1e6;
  m->extra.ref_ms = reference_ms(t);
  m->extra.move_ms = t->move_ns / 1e6;
  m->extra.quality = sloe_is_noisy(t) ? "noisy" : "ok";
  m->extra.n_runs = t->n_runs;
}

static sloe_status take_memory(measuring *x, sloe_job *job, sloe_error *err) {
  sloe_result *r = &x->m->result;
  const double there = x->session->card.memory_mb;
  sloe_device_memory memory;
  SLOE_TRY(sloe_job_memory(job, &memory, err));
  r->memory_mb = figure(memory.total_mb);
  r->memory_kind = sloe_arena_printf(&x->m->arena, "%s", memory.kind);
  if (!r->memory_kind) return out_of_memory(err);
  x->m->extra.weights_mb = memory.weights_mb;
  x->m->extra.activations_mb = memory.activations_mb;
  x->m->extra.workspace_mb = memory.workspace_mb;
  if (memory.total_mb >= 0 && there >= 0) r->fits = memory.total_mb <= there;
  return SLOE_OK;
}

/* As sloe_measure_options has it; below 0 as well where there is no sensor to ask. */
static double power_seconds(const measuring *x) {
  return x->m->extra.sensor == 1 ? x->options->power_s : -1;
}

/* Is there a sensor, and what does it show before anything runs? */
static sloe_status find_sensor(measuring *x, sloe_error *err) {
  sloe_measured_extra *extra = &x->m->extra;
  sloe_device *device = x->session->device;
  sloe_device_sensor sensor;
  if (x->options->power_s < 0) return SLOE_OK;
  SLOE_TRY(sloe_device_sensor_read(device, &sensor, err));
  extra->sensor = *sensor.rail != 0;
  return sloe_power_idle(device, 0, &extra->idle_w, err);
}

static sloe_status take_power(measuring *x, sloe_job *job, sloe_error *err) {
  const sloe_power_options options = {.seconds = x->options->power_s};
  sloe_measured_extra *extra = &x->m->extra;
  sloe_result *r = &x->m->result;
  sloe_power power;
  if (x->options->power_s < 0) return SLOE_OK;
  SLOE_TRY(sloe_power_job(x->session->device, job, &options, &power, err));
  r->power_w = figure(power.power_w);
  r->energy_mj = figure(power.energy_mj);
  extra->sensor = *power.rail != 0;
  extra->idle_w = power.idle_w;
  extra->peak_w = power.peak_w;
  extra->dynamic_mj = power.dynamic_mj;
  extra->power_readings = power.readings;
  if (extra->sensor) extra->power_s = power.seconds;
  r->power_rail = sloe_arena_printf(&x->m->arena, "%s", power.rail);
  return r->power_rail ? SLOE_OK : out_of_memory(err);
}

static sloe_status time_whole(measuring *x, sloe_job *job, sloe_error *err) {
  const sloe_timing_options options = sloe_network_timing(x->options);
  sloe_timing t;
  SLOE_TRY(sloe_time_job(x->session->device, job, &options, &t, err));
  take_timing(x->m, &t);
  sloe_timing_fini(&t);
  SLOE_TRY(take_memory(x, job, err));
  return take_power(x, job, err);
}

/* ---- layers ---- */

/* Rows of all layers, from their times; a view's is 0. */
static sloe_status put_layers(measuring *x, const double *layer_ms, sloe_error *err) {
  sloe_result *r = &x->m->result;
  const size_t n = sloe_layers_count(x->layers);
  const uint64_t width = sloe_precision_bytes(x->session->card.precision);
  sloe_layer_estimate *rows = SLOE_ARENA_NEW(&x->m->arena, sloe_layer_estimate, n);
  if (!rows) return out_of_memory(err);
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += layer_ms[i];
  for (size_t i = 0; i < n; i++) {
    const sloe_layer *layer = sloe_layers_at(x->layers, i);
    const uint64_t elements =
        sloe_add_sat(layer->params, sloe_add_sat(layer->in_elements, layer->out_elements));
    rows[i] = (sloe_layer_estimate){.layer = layer,
                                    .latency_ms = layer_ms[i],
                                    .share = sum > 0 ? layer_ms[i] / sum : 0,
                                    .source = SLOE_SOURCE_MEASURED,
                                    .in_domain = 1};
    if (layer->kind != SLOE_LAYER_VIEW) rows[i].bytes = sloe_mul_sat(elements, width);
  }
  r->layers = rows;
  r->n_layers = n;
  r->sum_of_layers_ms = x->m->extra.sum_of_layers_ms = sum;
  return SLOE_OK;
}

static sloe_status time_layers(measuring *x, sloe_job *job, sloe_error *err) {
  const sloe_timing_options options = sloe_network_timing(x->options);
  sloe_error why = {0};
  sloe_timing t;
  SLOE_TRY(step(x, "timing layers in the network", err));
  sloe_status status = sloe_time_layers(x->session->device, job, &options, &t, &why);
  if (status == SLOE_UNSUPPORTED) {
    warn(x, sloe_arena_printf(&x->m->arena, "layers are not timed: %s", why.msg));
    return SLOE_OK;
  }
  if (status != SLOE_OK) return sloe_fail(err, status, "%s", why.msg);
  for (size_t i = 0; i < t.n_layers; i++) t.layer_ns[i] /= 1e6;
  status = put_layers(x, t.layer_ns, err);
  sloe_timing_fini(&t);
  return status;
}

/* ---- layers by themselves ---- */

static sloe_status isolate_layer(measuring *x, size_t i, sloe_isolated *out, sloe_error *err) {
  sloe_layer_spec spec;
  int known;
  *out = (sloe_isolated){.power_w = NAN, .energy_mj = NAN};
  if (sloe_layers_at(x->layers, i)->kind == SLOE_LAYER_VIEW) return SLOE_OK;
  out->ms = NAN;
  sloe_layer_spec_of(x->layers, i, &spec, &known);
  SLOE_TRY(step(x, "timing layers by themselves", err));
  return known ? sloe_session_isolated(x->session, &spec, power_seconds(x), out, err) : SLOE_OK;
}

typedef struct alone { /* of each layer */
  double *ms, *watts, *mj;
} alone;

static sloe_status make_alone(measuring *x, alone *out, sloe_error *err) {
  const size_t n = sloe_layers_count(x->layers);
  out->ms = SLOE_ARENA_NEW(&x->m->arena, double, n);
  out->watts = SLOE_ARENA_NEW(&x->m->arena, double, n);
  out->mj = SLOE_ARENA_NEW(&x->m->arena, double, n);
  if (!out->ms || !out->watts || !out->mj) return out_of_memory(err);
  for (size_t i = 0; i < n; i++) out->watts[i] = out->mj[i] = NAN;
  return SLOE_OK;
}

static void put_alone(measuring *x, const alone *a, double sum) {
  sloe_measured_extra *extra = &x->m->extra;
  extra->isolated_ms = a->ms;
  extra->isolated_sum_ms = sum;
  if (extra->sensor == 1) {
    extra->isolated_power_w = a->watts;
    extra->isolated_energy_mj = a->mj;
  }
}

static sloe_status isolate(measuring *x, sloe_error *err) {
  const size_t n = sloe_layers_count(x->layers);
  size_t missing = 0;
  double sum = 0;
  sloe_isolated layer;
  alone a;
  SLOE_TRY(make_alone(x, &a, err));
  for (size_t i = 0; i < n; i++) {
    SLOE_TRY(isolate_layer(x, i, &layer, err));
    a.ms[i] = layer.ms;
    a.watts[i] = layer.power_w;
    a.mj[i] = layer.energy_mj;
    missing += isnan(layer.ms);
    sum += layer.ms;
  }
  put_alone(x, &a, sum);
  if (missing)
    warn(x, sloe_arena_printf(&x->m->arena, "%zu of %zu layers cannot be timed by themselves",
                              missing, n));
  return SLOE_OK;
}

/* ---- a measurement ---- */

/* The only layer that takes time, where its spec is known; else -1. */
static int64_t only_layer(const sloe_layers *layers, sloe_layer_spec *spec) {
  int64_t only = -1;
  int known = 0;
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    if (sloe_layers_at(layers, i)->kind == SLOE_LAYER_VIEW) continue;
    if (only >= 0) return -1;
    only = (int64_t)i;
  }
  if (only >= 0) sloe_layer_spec_of(layers, (size_t)only, spec, &known);
  return known ? only : -1;
}

static sloe_status measure_layer(measuring *x, size_t at, const sloe_layer_spec *spec,
                                 sloe_error *err) {
  sloe_job *job;
  if (!sloe_device_describe(x->session->device)->self_clocked)
    warn(x, "a single layer: its caches are settled before each run, as profiling times layers");
  SLOE_TRY(step(x, "timing the layer", err));
  SLOE_TRY(sloe_device_load_layer(x->session->device, spec, &job, err));
  const sloe_status status = time_whole(x, job, err);
  sloe_job_unload(job);
  SLOE_TRY(status);
  alone a;
  SLOE_TRY(make_alone(x, &a, err));
  a.ms[at] = x->m->result.latency_ms.value;
  a.watts[at] = x->m->result.power_w.value;
  a.mj[at] = x->m->result.energy_mj.value;
  if (x->options->isolated) put_alone(x, &a, a.ms[at]);
  return x->options->layers ? put_layers(x, a.ms, err) : SLOE_OK;
}

static sloe_status measure_network(measuring *x, sloe_error *err) {
  sloe_job *job;
  SLOE_TRY(step(x, "timing the network", err));
  SLOE_TRY(sloe_device_load_network(x->session->device, x->layers, &job, err));
  sloe_status status = time_whole(x, job, err);
  if (status == SLOE_OK && x->options->layers) status = time_layers(x, job, err);
  sloe_job_unload(job);
  SLOE_TRY(status);
  return x->options->isolated ? isolate(x, err) : SLOE_OK;
}

static size_t count_steps(const measuring *x) {
  size_t n = 1 + (x->options->layers != 0);
  for (size_t i = 0; x->options->isolated && i < sloe_layers_count(x->layers); i++)
    n += sloe_layers_at(x->layers, i)->kind != SLOE_LAYER_VIEW;
  return n;
}

static sloe_status measure(measuring *x, sloe_error *err) {
  const int64_t batch = sloe_net_get_info(sloe_layers_net(x->layers))->batch;
  sloe_layer_spec spec;
  const int64_t only = only_layer(x->layers, &spec);
  if (batch > 1)
    warn(x, sloe_arena_printf(&x->m->arena, "figures are of one inference of %lld inputs at once",
                              (long long)batch));
  const char *doubt = sloe_device_doubt(x->session->device);
  if (doubt) warn(x, sloe_arena_printf(&x->m->arena, "not reproducible: %s", doubt));
  SLOE_TRY(find_sensor(x, err));
  return only >= 0 ? measure_layer(x, (size_t)only, &spec, err) : measure_network(x, err);
}

static void init(sloe_measured *m, const sloe_session *session, const sloe_layers *layers) {
  const sloe_figure unknown = figure(NAN);
  *m = (sloe_measured){
      .answer = {&session->card, layers, &m->result},
      .result = {.latency_ms = unknown,
                 .latency_p75_ms = NAN,
                 .latency_p97_5_ms = NAN,
                 .sum_of_layers_ms = NAN,
                 .power_w = unknown,
                 .energy_mj = unknown,
                 .memory_mb = unknown,
                 .power_rail = "",
                 .memory_kind = "",
                 .fits = -1,
                 .warnings = m->warnings},
      .extra = {NAN, NAN, NAN, NAN, NAN, NAN, "",  0,    NULL, -1, NAN,
                0,   NAN, NAN, NAN, NAN, NAN, NAN, NULL, NULL, NAN},
  };
  sloe_arena_init(&m->arena, ARENA_LIMIT);
}

sloe_status sloe_measure(sloe_session *session, const sloe_layers *layers,
                         const sloe_measure_options *options, const sloe_watch *watch,
                         sloe_measured **out, sloe_error *err) {
  static const sloe_measure_options usual = {0};
  measuring x = {session, layers, options ? options : &usual, watch, NULL, 0, 0, now_s()};
  *out = NULL;
  x.total = count_steps(&x);
  x.m = sloe_alloc(1, sizeof *x.m);
  if (!x.m) return out_of_memory(err);
  init(x.m, session, layers);
  const sloe_status status = measure(&x, err);
  if (status == SLOE_OK)
    *out = x.m;
  else
    sloe_measured_free(x.m);
  return status;
}

void sloe_measured_free(sloe_measured *measured) {
  if (!measured) return;
  sloe_arena_fini(&measured->arena);
  sloe_dealloc(measured);
}

const sloe_answer *sloe_measured_answer(const sloe_measured *measured) {
  return &measured->answer;
}

const sloe_measured_extra *sloe_measured_extra_of(const sloe_measured *measured) {
  return &measured->extra;
}
