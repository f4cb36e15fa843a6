/* sim.c: a device that is a formula, for tests and for trying out campaigns. It answers at once
 * with the time that a run would have taken. The same keys give the same runs of a layer whatever
 * was run before, unless the clock drifts.
 *
 *   seed=1                 decides noise, outliers and drift
 *   noise=0.03             deviation of a run, relative
 *   outliers=0             share of specs that are 1.3 to 2 times as slow
 *   drift=0                how much slower the second clock state is; the clock changes after 60
 *                          runs on average
 *   crowd=0                how much slower what moves more than a megabyte is while others keep
 *                          memory busy; they come and go after 60 runs on average
 *   kw=32 cw=8             step widths over filters and input channels
 *   floor_us=5 overhead_us=10   of each layer, of each network
 *   ns_per_mac=0.02 ns_per_byte=0.1
 *   kernels=1              2: a layer of products is the faster of two, where both are proposed
 *   memory_mb=4000         what does not fit cannot be run
 *   power=W idle=W ...     a sensor: sim_sensor.h
 *   sleep_us=0             of the clock on the wall that a run takes besides
 *   hang_after=N fail_after=N lie_after=N   after N runs; lie=0 zero, 1 backwards, 2 too long
 *   runtime=onednn         whose fusion rules; threads=1 precision=fp32 batch=1
 */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "device/device.h"
#include "device/sim/sim_formula.h"
#include "device/sim/sim_sensor.h"

enum { CROWDED_BYTES = 1 << 20, MOVE_NS = 1000000 };

typedef struct sim {
  sim_formula formula;
  double noise, drift, crowd, overhead_ns, memory_mb;
  int64_t hang_after, fail_after, lie_after, lie; /* -1: never */
  int64_t n_runs, sleep_us;
  sloe_rng clock, others;
  int slow;    /* clock state */
  int crowded; /* others are there */
  sim_sensor sensor;
  char mode[24];
} sim;

typedef struct sim_job {
  double *layer_ns; /* [n] true times */
  size_t n;
  int is_network;
  double weight_bytes, largest_bytes; /* of a layer's activations */
  char kernels[64];                   /* of a layer that is one of two */
  sloe_rng noise;
} sim_job;

/* ---- opening ---- */

static sloe_status read_formula(const sloe_backend_options *o, sim_formula *f, sloe_error *err) {
  int64_t seed;
  double floor_us;
  SLOE_TRY(sloe_backend_option_int(o, "seed", 0, INT64_MAX, 1, &seed, err));
  SLOE_TRY(sloe_backend_option_int(o, "kw", 1, 4096, 32, &f->k_step, err));
  SLOE_TRY(sloe_backend_option_int(o, "cw", 1, 4096, 8, &f->c_step, err));
  SLOE_TRY(sloe_backend_option_real(o, "outliers", 0, 1, 0, &f->outliers, err));
  SLOE_TRY(sloe_backend_option_real(o, "floor_us", 0, 1e9, 5, &floor_us, err));
  SLOE_TRY(sloe_backend_option_real(o, "ns_per_mac", 0, 1e6, 0.02, &f->ns_per_mac, err));
  SLOE_TRY(sloe_backend_option_real(o, "ns_per_byte", 0, 1e6, 0.1, &f->ns_per_byte, err));
  SLOE_TRY(sloe_backend_option_int(o, "kernels", 1, 2, 1, &f->n_kernels, err));
  f->seed = (uint64_t)seed;
  f->floor_ns = floor_us * 1e3;
  return SLOE_OK;
}

static sloe_status read_faults(const sloe_backend_options *o, sim *s, sloe_error *err) {
  SLOE_TRY(sloe_backend_option_int(o, "hang_after", 0, INT64_MAX, -1, &s->hang_after, err));
  SLOE_TRY(sloe_backend_option_int(o, "fail_after", 0, INT64_MAX, -1, &s->fail_after, err));
  SLOE_TRY(sloe_backend_option_int(o, "lie_after", 0, INT64_MAX, -1, &s->lie_after, err));
  return sloe_backend_option_int(o, "lie", 0, 2, 0, &s->lie, err);
}

static sloe_status read_sim(const sloe_backend_options *o, sim *s, sloe_error *err) {
  double overhead_us;
  SLOE_TRY(read_formula(o, &s->formula, err));
  SLOE_TRY(read_faults(o, s, err));
  SLOE_TRY(sloe_backend_option_real(o, "noise", 0, 1, 0.03, &s->noise, err));
  SLOE_TRY(sloe_backend_option_real(o, "drift", 0, 10, 0, &s->drift, err));
  SLOE_TRY(sloe_backend_option_real(o, "crowd", 0, 10, 0, &s->crowd, err));
  SLOE_TRY(sloe_backend_option_real(o, "overhead_us", 0, 1e9, 10, &overhead_us, err));
  SLOE_TRY(sloe_backend_option_real(o, "memory_mb", 1, 1e9, 4000, &s->memory_mb, err));
  SLOE_TRY(sloe_sim_sensor_open(o, &s->sensor, err));
  SLOE_TRY(sloe_backend_option_int(o, "sleep_us", 0, 10000000, 0, &s->sleep_us, err));
  s->overhead_ns = overhead_us * 1e3;
  sloe_rng_seed(&s->clock, s->formula.seed ^ UINT64_C(0xc10c));
  sloe_rng_seed(&s->others, s->formula.seed ^ UINT64_C(0x0748));
  return SLOE_OK;
}

static sloe_status read_info(const sloe_backend_options *o, sim *s, sloe_device_info *info,
                             sloe_error *err) {
  const char *runtime = sloe_backend_option(o, "runtime", "onednn");
  const char *precision = sloe_backend_option(o, "precision", "fp32");
  SLOE_TRY(sloe_runtime_parse(runtime, &info->fusion.runtime, err));
  SLOE_TRY(sloe_precision_parse(precision, &info->fusion.precision, err));
  SLOE_TRY(sloe_backend_option_int(o, "threads", 1, 1024, 1, &info->threads, err));
  SLOE_TRY(sloe_backend_option_int(o, "batch", 1, 1 << 20, 1, &info->batch, err));
  s->formula.element_bytes = (int64_t)sloe_precision_bytes(info->fusion.precision);
  snprintf(s->mode, sizeof s->mode, "t%lld", (long long)info->threads);
  info->device = "sim";
  info->title = "Simulated device";
  info->runtime = sloe_runtime_name(info->fusion.runtime);
  info->version = "1";
  info->precision = sloe_precision_name(info->fusion.precision);
  info->mode = s->mode;
  info->memory_mb = s->memory_mb;
  info->layer_s = info->network_s = 1e-3;
  return SLOE_OK;
}

static sloe_status sim_open(const sloe_backend_options *options, void **state,
                            sloe_device_info *info, sloe_error *err) {
  static const char *const keys[] = {
      "seed",       "noise",       "outliers",           "drift",
      "kw",         "cw",          "floor_us",           "overhead_us",
      "ns_per_mac", "ns_per_byte", "memory_mb",          "hang_after",
      "kernels",    "fail_after",  "lie_after",          "lie",
      "runtime",    "threads",     "precision",          "batch",
      "sleep_us",   "crowd",       SLOE_SIM_SENSOR_KEYS, NULL};
  *state = NULL;
  SLOE_TRY(sloe_backend_options_check(options, keys, err));
  sim *s = sloe_alloc(1, sizeof *s);
  if (!s) return sloe_fail(err, SLOE_NOMEM, "out of memory");
  *s = (sim){0};
  sloe_status status = read_sim(options, s, err);
  if (status == SLOE_OK) status = read_info(options, s, info, err);
  if (status == SLOE_OK)
    *state = s;
  else
    sloe_dealloc(s);
  return status;
}

static void sim_close(void *state) {
  sloe_dealloc(state);
}

/* ---- loading ---- */

static void sim_unload(void *state, void *job) {
  sim_job *j = job;
  (void)state;
  if (!j) return;
  sloe_dealloc(j->layer_ns);
  sloe_dealloc(j);
}

static sim_job *new_job(size_t n) {
  sim_job *j = sloe_alloc(1, sizeof *j);
  if (!j) return NULL;
  *j = (sim_job){.n = n, .layer_ns = sloe_alloc(n, sizeof *j->layer_ns)};
  if (j->layer_ns) return j;
  sloe_dealloc(j);
  return NULL;
}

static void add_layer(const sim *s, sim_job *j, size_t i, const sloe_layer_spec *spec) {
  const double bytes = sloe_sim_activation_bytes(&s->formula, spec);
  j->layer_ns[i] = sloe_sim_layer_ns(&s->formula, spec);
  j->weight_bytes += sloe_sim_weight_bytes(&s->formula, spec);
  j->largest_bytes = fmax(j->largest_bytes, bytes);
}

/* What a job holds, 10^6 bytes: weights, the largest layer's activations, a tenth as workspace. */
static double held_mb(const sim_job *j) {
  return (j->weight_bytes + 1.1 * j->largest_bytes) / 1e6;
}

static sloe_status check_fits(const sim *s, const sim_job *j, sloe_error *err) {
  if (held_mb(j) <= s->memory_mb) return SLOE_OK;
  return sloe_fail(err, SLOE_UNSUPPORTED, "sim: %.0f MB do not fit into %.0f MB", held_mb(j),
                   s->memory_mb);
}

static sloe_status keep(const sim *s, sim_job *j, sloe_status status, void **out, sloe_error *err) {
  if (status == SLOE_OK) status = check_fits(s, j, err);
  if (status == SLOE_OK)
    *out = j;
  else
    sim_unload(NULL, j);
  return status;
}

static void note_kernels(const sim *s, const sloe_layer_spec *spec, sim_job *j) {
  size_t len = 0;
  for (int k = 0; k < 2 && s->formula.n_kernels > 1; k++)
    if (sloe_sim_is_proposed(&s->formula, spec, k))
      len += (size_t)snprintf(j->kernels + len, sizeof j->kernels - len, "%s%s:%.4f", k ? " " : "",
                              sloe_sim_kernel_names[k],
                              sloe_sim_kernel_ns(&s->formula, spec, k) / 1e3);
}

static sloe_status sim_load_layer(void *state, const sloe_layer_spec *spec, void **job,
                                  sloe_error *err) {
  sim *s = state;
  sim_job *j = new_job(1);
  *job = NULL;
  if (!j) return sloe_fail(err, SLOE_NOMEM, "out of memory loading a layer");
  sloe_rng_seed(&j->noise, sloe_sim_hash(s->formula.seed, spec));
  add_layer(s, j, 0, spec);
  note_kernels(s, spec, j);
  return keep(s, j, SLOE_OK, job, err);
}

static sloe_status add_network_layer(const sim *s, sim_job *j, const sloe_layers *layers, size_t i,
                                     sloe_error *err) {
  const sloe_layer *layer = sloe_layers_at(layers, i);
  sloe_layer_spec spec;
  int known;
  j->layer_ns[i] = 0;
  if (layer->kind == SLOE_LAYER_VIEW) return SLOE_OK;
  sloe_layer_spec_of(layers, i, &spec, &known);
  if (!known)
    return sloe_fail(err, SLOE_UNSUPPORTED, "sim: no formula for layer '%.80s' (%s)", layer->name,
                     sloe_layer_kind_name(layer->kind));
  add_layer(s, j, i, &spec);
  return SLOE_OK;
}

static sloe_status sim_load_network(void *state, const sloe_layers *layers, void **job,
                                    sloe_error *err) {
  sim *s = state;
  sim_job *j = new_job(sloe_layers_count(layers));
  sloe_status status = SLOE_OK;
  *job = NULL;
  if (!j) return sloe_fail(err, SLOE_NOMEM, "out of memory loading a network");
  j->is_network = 1;
  for (size_t i = 0; i < j->n && status == SLOE_OK; i++)
    status = add_network_layer(s, j, layers, i, err);
  sloe_rng_seed(&j->noise, s->formula.seed ^ j->n ^ (uint64_t)j->weight_bytes);
  return keep(s, j, status, job, err);
}

static const char *sim_kernels(void *state, void *job) {
  (void)state;
  return ((const sim_job *)job)->kernels;
}

static sloe_status sim_proposals(void *state, const sloe_layer_spec *spec, sloe_text *out,
                                 sloe_error *err) {
  const sim *s = state;
  (void)err;
  for (int k = 0; k < 2 && s->formula.n_kernels > 1; k++)
    if (sloe_sim_is_proposed(&s->formula, spec, k))
      sloe_text_addf(out, "%s%s", k ? " " : "", sloe_sim_kernel_names[k]);
  return SLOE_OK;
}

/* ---- running ---- */

static void sleep_us(int64_t us) {
  const struct timespec t = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
  if (us > 0) nanosleep(&t, NULL);
}

static sloe_status count_run(sim *s, sloe_error *err) {
  const int64_t n = s->n_runs++;
  sleep_us(s->sleep_us);
  if (s->drift > 0 && sloe_rng_uniform(&s->clock) < 1.0 / 60) s->slow = !s->slow;
  if (s->crowd > 0 && sloe_rng_uniform(&s->others) < 1.0 / 60) s->crowded = !s->crowded;
  if (s->fail_after >= 0 && n >= s->fail_after)
    return sloe_fail(err, SLOE_DEVICE, "sim: failed, as planted, after %lld runs", (long long)n);
  if (s->hang_after >= 0 && n >= s->hang_after)
    return sloe_fail(err, SLOE_DEVICE, "sim: hung, as planted, after %lld runs", (long long)n);
  return SLOE_OK;
}

/* One run of something whose true time is `ns`. */
static uint64_t planted_run(sim *s, sim_job *j, double ns) {
  if (s->noise > 0) ns *= fmax(1 + s->noise * sloe_rng_normal(&j->noise), 0.1);
  if (s->slow) ns *= 1 + s->drift;
  if (s->crowded && j->largest_bytes > CROWDED_BYTES) ns *= 1 + s->crowd;
  sloe_sim_sensor_pass(&s->sensor, ns, 1);
  return (uint64_t)fmax(llround(ns), 1);
}

static uint64_t lie(const sim *s, uint64_t ns) {
  if (s->lie_after < 0 || s->n_runs <= s->lie_after) return ns;
  return s->lie == 0 ? 0 : s->lie == 1 ? 0 - ns : 10 * ns + 10000000;
}

static double true_ns(const sim *s, const sim_job *j) {
  double sum = j->is_network ? s->overhead_ns : 0;
  for (size_t i = 0; i < j->n; i++) sum += j->layer_ns[i];
  return sum;
}

static sloe_status sim_run(void *state, void *job, uint64_t *device_ns, uint64_t *host_ns,
                           sloe_error *err) {
  sim *s = state;
  sim_job *j = job;
  SLOE_TRY(count_run(s, err));
  const uint64_t ns = planted_run(s, j, true_ns(s, j));
  *host_ns = ns + 2000;
  *device_ns = lie(s, ns);
  return SLOE_OK;
}

/* All at once, and as one run to the planted faults. */
static sloe_status sim_load(void *state, void *job, uint64_t ns, uint64_t *count, sloe_error *err) {
  sim *s = state;
  *count = 0;
  if (!ns) return SLOE_OK;
  SLOE_TRY(count_run(s, err));
  const double each = fmax(true_ns(s, job) * (s->slow ? 1 + s->drift : 1), 1);
  const double n = fmax(1, ceil((double)ns / each));
  *count = (uint64_t)n;
  sloe_sim_sensor_pass(&s->sensor, n * each, 1);
  return SLOE_OK;
}

static sloe_status sim_rest(void *state, uint64_t ns, sloe_error *err) {
  sim *s = state;
  (void)err;
  sloe_sim_sensor_pass(&s->sensor, (double)ns, 0);
  return SLOE_OK;
}

/* Where it looks for a quiet place it finds one every other time. Not known where nobody comes. */
static sloe_status sim_quiet(void *state, int find, double *ns, double *usual_ns, sloe_error *err) {
  sim *s = state;
  (void)err;
  *ns = *usual_ns = NAN;
  if (!(s->crowd > 0)) return SLOE_OK;
  if (find && s->crowded && sloe_rng_uniform(&s->others) < 0.5) s->crowded = 0;
  *ns = MOVE_NS * (s->crowded ? 1 + s->crowd : 1);
  *usual_ns = MOVE_NS;
  return SLOE_OK;
}

static sloe_status sim_run_layers(void *state, void *job, uint64_t *layer_ns, size_t n,
                                  sloe_error *err) {
  sim *s = state;
  sim_job *j = job;
  SLOE_TRY(count_run(s, err));
  for (size_t i = 0; i < n && i < j->n; i++)
    layer_ns[i] = j->layer_ns[i] > 0 ? lie(s, planted_run(s, j, j->layer_ns[i])) : 0;
  return SLOE_OK;
}

/* ---- sensors ---- */

static sloe_status sim_memory(void *state, void *job, sloe_device_memory *out, sloe_error *err) {
  const sim_job *j = job;
  (void)state;
  (void)err;
  *out = (sloe_device_memory){held_mb(j), j->weight_bytes / 1e6, j->largest_bytes / 1e6,
                              j->largest_bytes / 1e7, "process"};
  return SLOE_OK;
}

static sloe_status sim_sensor_read(void *state, sloe_device_sensor *out, sloe_error *err) {
  sim *s = state;
  (void)err;
  sloe_sim_sensor_read(&s->sensor, out);
  return SLOE_OK;
}

const sloe_backend sloe_backend_sim = {
    .name = "sim",
    .open = sim_open,
    .close = sim_close,
    .load_layer = sim_load_layer,
    .load_network = sim_load_network,
    .unload = sim_unload,
    .run = sim_run,
    .run_layers = sim_run_layers,
    .quiet = sim_quiet,
    .memory = sim_memory,
    .sensor = sim_sensor_read,
    .load = sim_load,
    .rest = sim_rest,
    .kernels = sim_kernels,
    .proposals = sim_proposals,
};
