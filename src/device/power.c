/* power.c: what a job draws, by a sensor that is slow.
 *
 * Sensors are taken anew every 10 to 100 ms (NVML's counter of energy moves every 20 to 100), an
 * inference takes microseconds to milliseconds: nothing can be read around one. So the job runs
 * back to back for a second and more, in slices of SLICE_NS, and the sensor is read between two. A
 * reading changes nothing, so that looking for peaks does not disturb the energy.
 *
 *   mean    Of the counter: the slope of the line through the places where it was seen to move
 *           under load (least squares). What is counted from one refresh to the next is exact, when
 *           a refresh came is known to a slice only; over all of them that evens out. Without a
 *           counter the mean of the readings over time.
 *   peak    The load is cut into windows; of each the greatest reading, of these the median
 *           (Bouzidi et al. 4.2: the median of the peaks of replicated experiments).
 *   energy  Mean times the time of an inference: time of the load / inferences that ended in it.
 *
 * A sensor does not say when it was taken anew: readings that differ from the one before are
 * counted. Fewer than LEAST_STEPS of them, or steps of the counter, tell nothing, and a peak needs
 * two a window besides. A window goes on, up to three times its length, until it has
 * LEAST_READINGS.
 */
#include <math.h>
#include <time.h>

#include "base/sort_numbers.h"
#include "device/opened.h"

enum { SLICE_NS = 10000000, LEAST_STEPS = 5, LEAST_READINGS = 4, LONGER = 3 };

static const double ABSURD_W = 1e5, SETTLE_S = 0.3, IDLE_S = 1;

typedef struct meter {
  sloe_device *device;
  sloe_job *job; /* NULL: idle */
  sloe_power_options options;
  sloe_device_sensor last; /* reading */
  double begun_s, limit_s; /* on this machine's clock */

  uint64_t from_ns; /* since when it counts */
  uint64_t inferences;
  size_t readings;
  double watt_ns, power_ns; /* readings over the time for which there were any */
  size_t steps;             /* of the counter */
  sloe_device_sensor first; /* of them */
  double t, e, tt, te;      /* sums over the steps: seconds and mJ since the first */
} meter;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the sensor ---- */

static sloe_status check_reading(const sloe_device *device, const sloe_device_sensor *s,
                                 sloe_error *err) {
  const char *name = device->backend->name;
  if (s->power_w < 0 || s->power_w > ABSURD_W)
    return sloe_fail(err, SLOE_DEVICE, "%s: its sensor lies: it shows %g W", name, s->power_w);
  if (s->energy_mj < 0 || isinf(s->energy_mj))
    return sloe_fail(err, SLOE_DEVICE, "%s: its sensor lies: it has counted %g mJ", name,
                     s->energy_mj);
  return SLOE_OK;
}

sloe_status sloe_device_sensor_read(sloe_device *device, sloe_device_sensor *out, sloe_error *err) {
  static const sloe_device_sensor none = {NAN, NAN, 0, ""};
  const sloe_backend *backend = device->backend;
  *out = none;
  if (!backend->sensor) return SLOE_OK;
  sloe_status status = backend->sensor(device->state, out, err);
  if (status == SLOE_OK && *out->rail) status = check_reading(device, out, err);
  if (status != SLOE_OK || !*out->rail) *out = none;
  if (out->power_w == 0) out->power_w = NAN; /* not taken yet: nothing that is on draws nothing */
  return status;
}

/* What cannot follow the last reading. */
static sloe_status check_order(const meter *m, const sloe_device_sensor *s, sloe_error *err) {
  const char *name = m->device->backend->name;
  if (s->energy_mj < m->last.energy_mj)
    return sloe_fail(err, SLOE_DEVICE,
                     "%s: its sensor lies: the counter runs backwards, from %.0f to %.0f mJ", name,
                     m->last.energy_mj, s->energy_mj);
  if (s->at_ns <= m->last.at_ns)
    return sloe_fail(err, SLOE_DEVICE, "%s: the clock beside its sensor %s", name,
                     s->at_ns < m->last.at_ns ? "runs backwards" : "stands");
  const double watts =
      (s->energy_mj - m->last.energy_mj) * 1e6 / fmax((double)(s->at_ns - m->last.at_ns), 1e9);
  if (watts > ABSURD_W)
    return sloe_fail(err, SLOE_DEVICE, "%s: its sensor lies: the counter says %g W", name, watts);
  return SLOE_OK;
}

static void take_step(meter *m, const sloe_device_sensor *now) {
  if (!m->steps++) m->first = *now;
  const double t = (double)(now->at_ns - m->first.at_ns) / 1e9;
  const double e = now->energy_mj - m->first.energy_mj;
  m->t += t;
  m->e += e;
  m->tt += t * t;
  m->te += t * e;
}

/* Take a reading into account. */
static sloe_status observe(meter *m, sloe_error *err) {
  sloe_device_sensor now;
  SLOE_TRY(sloe_device_sensor_read(m->device, &now, err));
  if (!*now.rail)
    return sloe_fail(err, SLOE_DEVICE, "%s: its sensor fell silent", m->device->backend->name);
  SLOE_TRY(check_order(m, &now, err));
  if (!isnan(now.power_w)) {
    const double ns = (double)(now.at_ns - m->last.at_ns);
    m->watt_ns += now.power_w * ns;
    m->power_ns += ns;
    m->readings += now.power_w != m->last.power_w;
  }
  if (now.energy_mj > m->last.energy_mj) take_step(m, &now);
  m->last = now;
  return SLOE_OK;
}

/* From now on it counts. */
static void begin(meter *m) {
  m->from_ns = m->last.at_ns;
  m->inferences = 0;
  m->readings = m->steps = 0;
  m->watt_ns = m->power_ns = 0;
  m->t = m->e = m->tt = m->te = 0;
}

static double seconds_since(const meter *m, uint64_t ns) {
  return (double)(m->last.at_ns - ns) / 1e9;
}

/* NAN where neither the counter nor the readings can tell. */
static double mean_w(const meter *m, size_t least_readings) {
  const double n = (double)m->steps;
  double watts = NAN;
  if (m->steps >= LEAST_STEPS)
    watts = (n * m->te - m->t * m->e) / (n * m->tt - m->t * m->t) / 1e3;
  else if (m->readings >= least_readings && m->power_ns > 0)
    watts = m->watt_ns / m->power_ns;
  return watts > 0 ? watts : NAN;
}

/* ---- load and rest ---- */

static sloe_status check_run(const sloe_backend *backend, uint64_t device_ns, uint64_t host_ns,
                             sloe_error *err) {
  const uint64_t worst = device_ns && host_ns > INT64_MAX ? host_ns : device_ns;
  if (worst && worst <= INT64_MAX) return SLOE_OK;
  return sloe_fail(err, SLOE_DEVICE, "%s: a run of %lld ns: its clock %s", backend->name,
                   (long long)worst, worst ? "runs backwards" : "stands");
}

/* By their own time, or by the time on the wall where that is longer: over a pipe, say. */
sloe_status sloe_load_by_runs(const sloe_backend *backend, void *state, void *job, uint64_t ns,
                              uint64_t *count, sloe_error *err) {
  const double end_s = now_s() + (double)ns / 1e9;
  *count = 0;
  for (uint64_t passed = 0; passed < ns && (!*count || now_s() < end_s); ++*count) {
    uint64_t device_ns = 0, host_ns = 0;
    SLOE_TRY(backend->run(state, job, &device_ns, &host_ns, err));
    SLOE_TRY(check_run(backend, device_ns, host_ns, err));
    passed += device_ns > host_ns ? device_ns : host_ns;
  }
  return SLOE_OK;
}

sloe_status sloe_job_load(sloe_job *job, uint64_t ns, uint64_t *count, sloe_error *err) {
  const sloe_backend *backend = job->device->backend;
  void *state = job->device->state;
  *count = 0;
  if (!backend->load) return sloe_load_by_runs(backend, state, job->state, ns, count, err);
  SLOE_TRY(backend->load(state, job->state, ns, count, err));
  if (*count || !ns) return SLOE_OK;
  return sloe_fail(err, SLOE_DEVICE, "%s: a load of no inference", backend->name);
}

sloe_status sloe_rest_by_sleep(uint64_t ns) {
  const struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
  nanosleep(&t, NULL);
  return SLOE_OK;
}

sloe_status sloe_device_rest(sloe_device *device, uint64_t ns, sloe_error *err) {
  const sloe_backend *backend = device->backend;
  return backend->rest ? backend->rest(device->state, ns, err) : sloe_rest_by_sleep(ns);
}

static sloe_status check_hang(const meter *m, double slice_s, sloe_error *err) {
  const char *name = m->device->backend->name;
  const double all_s = now_s() - m->begun_s;
  if (slice_s > m->options.timeout_s)
    return sloe_fail(err, SLOE_DEVICE, "%s: hung: a moment of load took %.0f s, more than %.0f s",
                     name, slice_s, m->options.timeout_s);
  if (all_s <= m->limit_s) return SLOE_OK;
  return sloe_fail(err, SLOE_DEVICE, "%s: %.0f s under load, and its own clock says %.1f s", name,
                   all_s, seconds_since(m, m->from_ns));
}

static sloe_status slice(meter *m, sloe_error *err) {
  const double from = now_s();
  uint64_t count = 0;
  SLOE_TRY(m->job ? sloe_job_load(m->job, SLICE_NS, &count, err)
                  : sloe_device_rest(m->device, SLICE_NS, err));
  m->inferences += count;
  SLOE_TRY(observe(m, err));
  return check_hang(m, now_s() - from, err);
}

static sloe_status go_on(meter *m, double seconds, sloe_error *err) {
  const uint64_t from = m->last.at_ns;
  while (seconds_since(m, from) < seconds) SLOE_TRY(slice(m, err));
  return SLOE_OK;
}

/* *peak is NAN where the sensor shows no power. */
static sloe_status window(meter *m, double seconds, double *peak, sloe_error *err) {
  const uint64_t from = m->last.at_ns;
  const size_t readings = m->readings;
  double passed = 0;
  *peak = NAN;
  while (passed < seconds ||
         (m->readings - readings < LEAST_READINGS && passed < LONGER * seconds)) {
    SLOE_TRY(slice(m, err));
    *peak = fmax(*peak, m->last.power_w);
    passed = seconds_since(m, from);
  }
  return SLOE_OK;
}

/* ---- a measurement ---- */

static double or_real(double value, double usual) {
  return value > 0 ? value : usual;
}

static sloe_power_options with_defaults(const sloe_power_options *given) {
  sloe_power_options o = given ? *given : (sloe_power_options){0};
  o.seconds = or_real(o.seconds, 1.2);
  o.warmup_s = or_real(o.warmup_s, 0.3);
  o.timeout_s = or_real(o.timeout_s, 60);
  if (o.windows < 1) o.windows = 5;
  if (o.windows > SLOE_POWER_WINDOWS) o.windows = SLOE_POWER_WINDOWS;
  return o;
}

static meter meter_of(sloe_device *device, sloe_job *job, const sloe_power_options *options) {
  meter m = {.device = device, .job = job, .options = with_defaults(options), .begun_s = now_s()};
  m.limit_s = m.options.timeout_s + 4 * (m.options.warmup_s + LONGER * m.options.seconds);
  return m;
}

const sloe_power sloe_power_unknown = {NAN, NAN, NAN, NAN, NAN, NAN, 0, 0, ""};

static double median(double *values, size_t n) {
  sloe_sort_doubles(values, n);
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

static void summarise(const meter *m, double *peaks, sloe_power *out) {
  const size_t n = (size_t)m->options.windows;
  out->seconds = seconds_since(m, m->from_ns);
  out->inferences = m->inferences;
  out->readings = m->readings;
  out->idle_w = m->device->idle_w;
  out->power_w = mean_w(m, LEAST_STEPS);
  if (m->readings >= LEAST_STEPS && m->readings >= 2 * n) out->peak_w = median(peaks, n);
  const double ms = out->seconds * 1e3 / (double)m->inferences;
  out->energy_mj = out->power_w * ms;
  if (out->power_w > out->idle_w) out->dynamic_mj = (out->power_w - out->idle_w) * ms;
}

static sloe_status measure(meter *m, sloe_power *out, sloe_error *err) {
  double peaks[SLOE_POWER_WINDOWS];
  SLOE_TRY(go_on(m, m->options.warmup_s, err));
  begin(m);
  for (int32_t i = 0; i < m->options.windows; i++)
    SLOE_TRY(window(m, m->options.seconds / m->options.windows, &peaks[i], err));
  summarise(m, peaks, out);
  return SLOE_OK;
}

sloe_status sloe_power_job(sloe_device *device, sloe_job *job, const sloe_power_options *options,
                           sloe_power *out, sloe_error *err) {
  meter m = meter_of(device, job, options);
  sloe_power power = sloe_power_unknown;
  uint64_t rest;
  *out = sloe_power_unknown;
  SLOE_TRY(sloe_device_sensor_read(device, &m.last, err));
  if (!*m.last.rail) return SLOE_OK;
  power.rail = m.last.rail;
  SLOE_TRY(sloe_power_idle(device, 0, &power.idle_w, err));
  SLOE_TRY(sloe_device_sensor_read(device, &m.last, err));
  SLOE_TRY(measure(&m, &power, err));
  SLOE_TRY(sloe_job_load(job, 0, &rest, err));
  *out = power;
  return SLOE_OK;
}

/* A sensor may stand still while nothing happens: what it shows counts. */
sloe_status sloe_power_idle(sloe_device *device, int again, double *watts, sloe_error *err) {
  meter m = meter_of(device, NULL, NULL);
  *watts = device->idle_w;
  if (device->has_idle && !again) return SLOE_OK;
  SLOE_TRY(sloe_device_sensor_read(device, &m.last, err));
  if (*m.last.rail) {
    SLOE_TRY(go_on(&m, SETTLE_S, err));
    begin(&m);
    SLOE_TRY(go_on(&m, IDLE_S, err));
    *watts = device->idle_w = mean_w(&m, 0);
    device->has_idle = 1;
  }
  return SLOE_OK;
}
