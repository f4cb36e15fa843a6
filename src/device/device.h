/* device.h: what can be measured, and how it is timed.
 *
 *   backend    a constant struct of functions, one folder under device/ (registry.c lists them).
 *   device     one opened backend: a board, a runtime, a precision, a number of threads.
 *   job        one layer or one network made ready to run on it.
 *
 *   const sloe_backend *backend; sloe_device *device; sloe_job *job; sloe_timing timing;
 *   sloe_device_open("onednn:threads=1", NULL, &device, &err);
 *   sloe_device_load_layer(device, &spec, &job, &err);
 *   sloe_time_job(device, job, &options, &timing, &err);
 *   sloe_timing_fini(&timing); sloe_job_unload(job); sloe_device_close(device);
 *
 * BACKEND is NAME[:key=value,...]; common keys are threads, precision, batch. A value holds no
 * comma. Of agent:COMMAND all that stands behind the colon is the command.
 *
 * What holds for every function of a backend: it returns a status with a message, never exits,
 * prints or leaves threads behind; UNSUPPORTED says "this layer or network cannot be run here"
 * (too large, an operator that the backend lacks) and is no failure of the device; DEVICE says that
 * the device or its sensor failed or lied. One device belongs to one thread at a time.
 */
#ifndef SLOE_DEVICE_DEVICE_H
#define SLOE_DEVICE_DEVICE_H

#include "base/text.h"
#include "device/run_stats.h"
#include "device/tegrastats/tegrastats.h"
#include "device/trtexec/trtexec_log.h"
#include "net/net.h"

typedef struct sloe_device sloe_device;
typedef struct sloe_job sloe_job;

typedef struct sloe_device_pair {
  const char *key, *value;
} sloe_device_pair;

/* Who measures: the identity of a measurement table, and its environment. Lives as long as the
   device; strings are "" where they do not apply. */
typedef struct sloe_device_info {
  const char *device;    /* "intel-xeon-..." : token of a-z 0-9 and '-' */
  const char *title;     /* "Intel(R) Xeon(R) Processor", for people */
  const char *runtime;   /* "onednn": also the name of the fusion rules */
  const char *version;   /* of the runtime, "2.6.3" */
  const char *precision; /* "fp32" */
  const char *mode;      /* "t1": one thread; power mode */
  int64_t batch, threads;
  sloe_fusion fusion; /* rules by which a network becomes its layers */
  double memory_mb;   /* of the device, 10^6 bytes; NAN: unknown */
  int self_clocked;   /* 1: starting a job takes seconds, so no reference layer is timed around
                         others;   the backend itself sees to it that the clock stays as it was */
  /* About how long it takes to load and time a layer, a network; NAN or 0: hardly longer than their
     runs. */
  double layer_s, network_s;
  const sloe_device_pair *environment; /* CPU model, governor, library versions, ... */
  size_t n_environment;
} sloe_device_info;

/* What `title` and `memory_mb` are called in the environment of a store or a recording. */
#define SLOE_DEVICE_TITLE  "title"
#define SLOE_DEVICE_MEMORY "memory_mb"

/* What a job holds, 10^6 bytes; NAN: unknown. `kind` as in memory_kind. */
typedef struct sloe_device_memory {
  double total_mb, weights_mb, activations_mb, workspace_mb;
  const char *kind; /* "process", "device", "system"; "" with total_mb NAN */
} sloe_device_memory;

/* What the sensor shows now. A reading changes nothing: any number of them may be taken between two
   others, by whomever. */
typedef struct sloe_device_sensor {
  double power_w;   /* as fresh as the sensor is; NAN: it shows none */
  double energy_mj; /* a counter that began at any time; NAN: there is none */
  uint64_t at_ns;   /* when, on the clock by which the device's time passes; began at any time */
  const char *rail; /* "gpu", "input", "device"; "": no sensor */
} sloe_device_sensor;

typedef struct sloe_backend_options { /* of NAME:key=value,... */
  sloe_device_pair pair[16];
  size_t n;
} sloe_backend_options;

/* NULL stands for "cannot": load_network, run_layers, memory, sensor, load, rest, settle, quiet,
   choice, kernels, proposals. */
typedef struct sloe_backend {
  size_t contract;  /* SLOE_BACKEND_CONTRACT, of a module */
  const char *name; /* "onednn" */
  sloe_status (*open)(const sloe_backend_options *options, void **state, sloe_device_info *info,
                      sloe_error *err);
  void (*close)(void *state);
  /* Make ready; weights are random, activations too. `layers` come from info->fusion. */
  sloe_status (*load_layer)(void *state, const sloe_layer_spec *spec, void **job, sloe_error *err);
  sloe_status (*load_network)(void *state, const sloe_layers *layers, void **job, sloe_error *err);
  void (*unload)(void *state, void *job);
  /* One inference from data on the device to data on the device. device_ns: its time there;
     host_ns: what the caller waited, launching included. */
  sloe_status (*run)(void *state, void *job, uint64_t *device_ns, uint64_t *host_ns,
                     sloe_error *err);
  /* One inference with a clock around each layer: layer_ns[i] for sloe_layers_at(i), 0 for views.
     Of a job of load_network only. */
  sloe_status (*run_layers)(void *state, void *job, uint64_t *layer_ns, size_t n, sloe_error *err);
  /* Before each run of a layer: put the caches into the state that a network would leave them in
     (weights cold, input as just written). Its time is not counted. */
  sloe_status (*settle)(void *state, void *job, sloe_error *err);
  /* How busy others keep what they share with the device: what a fixed piece of work takes now
     (a move of memory, say), and what it takes as a rule where it is quiet; NAN: not known. With
     `find` the device goes where it is quietest, and waits for a quiet moment, where it can. */
  sloe_status (*quiet)(void *state, int find, double *ns, double *usual_ns, sloe_error *err);
  sloe_status (*memory)(void *state, void *job, sloe_device_memory *out, sloe_error *err);
  sloe_status (*sensor)(void *state, sloe_device_sensor *out, sloe_error *err);
  /* A steady load for a sensor: inferences back to back for about `ns`, one at least. *count: how
     many have ended since the last call. As much again may be under way when it returns, so that
     the device is not idle while its sensor is read; `ns` 0 waits for it. What NULL stands for: one
     `run` after the other. */
  sloe_status (*load)(void *state, void *job, uint64_t ns, uint64_t *count, sloe_error *err);
  /* Let the device lie idle for `ns` of its time. What NULL stands for: the caller sleeps. */
  sloe_status (*rest)(void *state, uint64_t ns, sloe_error *err);
  /* The algorithm that was chosen for layer `layer` (0 of a job of one layer), "" where there was
     nothing to choose. A token for people and stores; lives as long as the job. */
  const char *(*choice)(void *state, void *job, size_t layer);
  /* Of a job of one layer that is one of several kernels, the fastest: what each of those took that
     were tried, "NAME:US" with a blank between two; "" where nothing was tried. A kernel's time is
     a function of the layer's sizes without the jumps of the fastest one's. Lives as long as the
     job. */
  const char *(*kernels)(void *state, void *job);
  /* The kernels that would be tried on a layer, "NAME NAME", without running anything; nothing
     where there is nothing to choose. Takes a millisecond. Appends to *out. */
  sloe_status (*proposals)(void *state, const sloe_layer_spec *spec, sloe_text *out,
                           sloe_error *err);
} sloe_backend;

/* What a module and the library that loads it must agree on: one of another build would write past
   what is asked of it, or beside it. */
#define SLOE_BACKEND_CONTRACT (sizeof(sloe_backend) << 16 | sizeof(sloe_device_info))

/* ---- opening ---- */

/* `modules`: folder of the loadable modules (libsloe-onednn.so, ...); NULL: beside this library.
   Errors: USAGE (no such backend, key or value; the message lists those there are), UNSUPPORTED
   (known, but its module is not there), DEVICE. */
sloe_status sloe_device_open(const char *backend, const char *modules, sloe_device **out,
                             sloe_error *err);
void sloe_device_close(sloe_device *device);
const sloe_device_info *sloe_device_describe(const sloe_device *device);
/* Why what is measured on it cannot be repeated, by its environment's "reproducible"; NULL: nothing
   speaks against it. Lives as long as the device. */
const char *sloe_device_doubt(const sloe_device *device);
const char *sloe_device_backend(const sloe_device *device); /* the string it was opened with */

/* Every backend there is, for --help and --version; `doc`: what it runs, its keys. `why`: what is
   missing, NULL where its module is there, which is not loaded for it: CUDA's libraries take half a
   second. */
typedef void (*sloe_backend_fn)(void *context, const char *name, const char *doc, const char *why);
void sloe_backend_each(const char *modules, sloe_backend_fn fn, void *context);

/* The value of a key; `fallback` where it is not given. For backends. */
const char *sloe_backend_option(const sloe_backend_options *options, const char *key,
                                const char *fallback);
/* A whole number in lo..hi. USAGE names key and value. */
sloe_status sloe_backend_option_int(const sloe_backend_options *options, const char *key,
                                    int64_t lo, int64_t hi, int64_t fallback, int64_t *out,
                                    sloe_error *err);
/* A number in lo..hi. */
sloe_status sloe_backend_option_real(const sloe_backend_options *options, const char *key,
                                     double lo, double hi, double fallback, double *out,
                                     sloe_error *err);
/* USAGE where a key is none of `known` (NULL-terminated). */
sloe_status sloe_backend_options_check(const sloe_backend_options *options,
                                       const char *const *known, sloe_error *err);

sloe_status sloe_device_load_layer(sloe_device *device, const sloe_layer_spec *spec, sloe_job **out,
                                   sloe_error *err);
sloe_status sloe_device_load_network(sloe_device *device, const sloe_layers *layers, sloe_job **out,
                                     sloe_error *err);
void sloe_job_unload(sloe_job *job);
/* All NAN and "" where the backend has no such figure. */
sloe_status sloe_job_memory(sloe_job *job, sloe_device_memory *out, sloe_error *err);
/* As `choice` of a backend; "" where it has none. */
const char *sloe_job_choice(const sloe_job *job, size_t layer);
/* As `kernels` of a backend; "" where it has none. */
const char *sloe_job_kernels(const sloe_job *job);
/* As `proposals` of a backend. Errors: UNSUPPORTED where it has none, or for such a layer. */
sloe_status sloe_device_proposals(sloe_device *device, const sloe_layer_spec *spec, sloe_text *out,
                                  sloe_error *err);
/* All NAN and "" where there is no sensor. Errors: DEVICE where it lies: shows what cannot be. */
sloe_status sloe_device_sensor_read(sloe_device *device, sloe_device_sensor *out, sloe_error *err);
/* As `load` and `rest` of a backend. */
sloe_status sloe_job_load(sloe_job *job, uint64_t ns, uint64_t *count, sloe_error *err);
sloe_status sloe_device_rest(sloe_device *device, uint64_t ns, sloe_error *err);

/* ---- serving (agent/) ---- */

/* Opens `backend` and answers on `out` what is asked on `in`, by the protocol of docs/agent.md,
   until `in` ends. Nothing else may write to `out`. A backend that cannot be opened is told to the
   other end too. Errors: those of sloe_device_open, IO (nobody reads any more), FORMAT (a line that
   is none, or cut short). What a backend fails with is an answer and no error. */
sloe_status sloe_device_serve(const char *backend, const char *modules, int in, int out,
                              sloe_error *err);

/* ---- timing (timing.c) ---- */

typedef struct sloe_timing_options { /* 0 takes the default */
  int32_t warmup;                    /* runs before any counts: 1 */
  int32_t min_runs;                  /* 5 */
  int32_t max_runs;                  /* 100; 200 of jobs below 20 us */
  double budget_ms; /* stop after this much measured time once min_runs are there: 100 */
  double enough;    /* stop when the standard error of the midmean is below it: 0.002 */
  int warm;         /* 1: do not settle the caches before each run */
  int32_t ref_runs; /* of the reference layer before and after: 5; negative: none */
  double ref_moved; /* take again where the reference moved by more between: 0.03 */
  int32_t retakes;  /* at most: 3 */
  double busy;      /* take again where others keep the device busier than this: 1.25 */
  double noisy;     /* quality noisy where (p75 - p25) / median is above: 0.10 */
  double timeout_s; /* of one run: 60; DEVICE when it hangs longer */
} sloe_timing_options;

typedef struct sloe_timing {
  uint64_t *runs_ns; /* every run, in the order taken */
  size_t n_runs;
  double median_ns, p25_ns, p75_ns, p97_5_ns, min_ns, mean_ns, midmean_ns;
  double error;                       /* standard error of the midmean, a fraction of it */
  double host_ns;                     /* median */
  double ref_before_ns, ref_after_ns; /* NAN: no reference */
  double move_ns;                     /* of `quiet`, the longer of before and after; NAN: none */
  int noisy;                          /* still so after the retakes */
  int32_t retaken;
  double *layer_ns;        /* of sloe_time_layers: medians; else NULL */
  uint64_t *layer_runs_ns; /* run by run: those of layer i at [run * n_layers + i]; else NULL */
  size_t n_layers;
} sloe_timing;

/* Time a job: the reference, warm up, runs until it is known well enough, the reference; take it
   again where the reference moved, the runs scatter or others keep the device busy, and keep the
   steadiest take: all samples are of that one. Networks are never settled. On failure *out is zero.
   Errors: DEVICE (failed, hung or lied: a time that is 0, runs backwards or exceeds what the caller
   waited), NOMEM, and what the backend says. */
sloe_status sloe_time_job(sloe_device *device, sloe_job *job, const sloe_timing_options *options,
                          sloe_timing *out, sloe_error *err);
/* The same with a clock around each layer of a network; a run is the sum of its layers.
   UNSUPPORTED where the backend has no such clock. */
sloe_status sloe_time_layers(sloe_device *device, sloe_job *job, const sloe_timing_options *options,
                             sloe_timing *out, sloe_error *err);
void sloe_timing_fini(sloe_timing *timing);

/* The reference layer: loaded once a device, the same everywhere, timed warm. ns: the minimum of
   `runs`, behind one that does not count. UNSUPPORTED where the backend cannot run it or watches
   its clock itself; timing then goes without. */
sloe_status sloe_device_reference(sloe_device *device, int32_t runs, double *ns, sloe_error *err);
extern const sloe_layer_spec sloe_reference_spec;

/* ---- power and energy (power.c) ---- */

enum { SLOE_POWER_WINDOWS = 64 };

typedef struct sloe_power_options { /* 0 takes the default */
  double seconds;  /* of load that count, all windows together: 1.2. Up to three times as much where
                      the sensor is slow */
  double warmup_s; /* of load before, until clock and sensor have settled: 0.3 */
  int32_t windows; /* 5, at most SLOE_POWER_WINDOWS */
  double timeout_s; /* of a moment of load: 60; DEVICE when it hangs longer */
} sloe_power_options;

/* NAN: the sensor cannot tell, for it is too coarse or the load was too short. Never 0. */
typedef struct sloe_power {
  double power_w;      /* mean under load: of the energy counter, else of the readings */
  double peak_w;       /* median of the windows' greatest readings (Bouzidi et al. 4.2) */
  double idle_w;       /* of this visit, before anything ran */
  double energy_mj;    /* of one inference */
  double dynamic_mj;   /* above idle: (power - idle) x time of one inference */
  double seconds;      /* of load that counted */
  uint64_t inferences; /* that ended in them */
  size_t readings;     /* of the sensor in them that differed from the one before */
  const char *rail;    /* "": no sensor; then nothing was run */
} sloe_power;
extern const sloe_power sloe_power_unknown;

/* Run a job steadily and ask the sensor. Takes the idle power first where that is not known yet.
   On failure *out is all unknown. Errors: DEVICE (failed, hung, or a sensor that lies: negative,
   absurd, a counter or a clock that runs backwards), and what the backend says. */
sloe_status sloe_power_job(sloe_device *device, sloe_job *job, const sloe_power_options *options,
                           sloe_power *out, sloe_error *err);

/* The power of a device that lies idle, NAN without a sensor: taken once, behind a pause in which
   the sensor settles, and remembered; with `again` taken anew. Ask before anything runs: a device
   is not cool at once behind a load. */
sloe_status sloe_power_idle(sloe_device *device, int again, double *watts, sloe_error *err);

#endif
