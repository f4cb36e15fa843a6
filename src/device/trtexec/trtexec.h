/* trtexec.h: what the files of the backend `trtexec` share. Private to trtexec/.
 *
 * trtexec.c     options, opening, the device's identity
 * trt_command.c one command: run, logged, judged, tried again
 * trt_job.c     a layer or a network: written as ONNX, built once, timed in two passes
 * trt_pass.c    what a pass exported, checked against what it printed
 * trt_map.c     the profile's layers -> the network's
 * trt_load.c    a steady load, and what the sensors show under it
 * trt_lock.c    clocks and power mode, changed and given back
 */
#ifndef SLOE_DEVICE_TRTEXEC_TRTEXEC_H
#define SLOE_DEVICE_TRTEXEC_TRTEXEC_H

#include "device/agent/agent_child.h"
#include "device/sensors/jetson.h"
#include "device/trtexec/trt_tool.h"
#include "device/trtexec/trtexec_log.h"

typedef struct sloe_trtexec_settings {
  const char *sysroot, *rail, *tegrastats;
  sloe_precision precision;
  int64_t batch, workspace_mib;
  double timeout_s, seconds; /* of a command, of a timed pass (0: as what is timed asks for) */
  int lock;
  int64_t mode; /* nvpmodel's; -1: as it is */
} sloe_trtexec_settings;

typedef struct sloe_trtexec_guard { /* gives the clocks back, whatever becomes of this process */
  sloe_agent_child child;
  int is_up;
} sloe_trtexec_guard;

typedef struct sloe_trtexec {
  sloe_arena arena; /* of all strings that live as long */
  sloe_trtexec_settings set;
  sloe_trtexec_tool tool;
  sloe_jetson *board;
  sloe_jetson_clocks clocks; /* when it was opened, locked */
  sloe_jetson_meter *meter;  /* where no sensor can be read directly */
  int has_no_meter;
  sloe_trtexec_guard guard;
  const char *work, *output; /* folder; the file that commands write into */
  int own_work;              /* made here, to be removed */
  const char *log_path;      /* NULL: no log */
  int64_t n_jobs;
  sloe_device_pair *environment;
} sloe_trtexec;

/* ---- commands (trt_command.c) ---- */

/* What a command's output and files tell: OK, UNSUPPORTED (it cannot be had here, whatever is
   tried), DEVICE (a fault: worth another try). `log`: the run that it printed; NULL: none. */
typedef sloe_status (*sloe_trtexec_judge)(void *context, const sloe_trt_run *log, sloe_error *err);

typedef struct sloe_trtexec_order {
  const char *what; /* "building", for messages */
  char *const *words;
  double limit_s;
  sloe_trtexec_judge judge; /* NULL: the exit status alone */
  void *context;
  const sloe_trtexec_meanwhile *meanwhile;
} sloe_trtexec_order;
/* Run it, a second time where it fails as commands do that are disturbed. */
sloe_status sloe_trtexec_carry_out(sloe_trtexec *t, const sloe_trtexec_order *order,
                                   sloe_error *err);
/* What the command said that ran last, or runs, as text; *text is freed with sloe_dealloc. */
sloe_status sloe_trtexec_read_output(const sloe_trtexec *t, char **text, size_t *len,
                                     sloe_error *err);
/* Add a line to the log, where there is one. */
void sloe_trtexec_log(const sloe_trtexec *t, const char *fmt, ...) SLOE_PRINTF(2, 3);
void sloe_trtexec_log_words(const sloe_trtexec *t, char *const *words);

/* ---- passes (trt_pass.c) ---- */

enum { SLOE_TRTEXEC_CHOICE = 160 };

typedef struct sloe_trtexec_latency {
  double *ms; /* of each inference on the device, in their order */
  size_t n;
  double period_ms; /* from one inference to the next, back to back */
} sloe_trtexec_latency;
void sloe_trtexec_latency_fini(sloe_trtexec_latency *latency);

/* From `log` and the file `times` (not of 6.0, which exports none). DEVICE: something lacks or
   does not agree. *out is zero then. */
sloe_status sloe_trtexec_read_latency(const sloe_trtexec_tool *tool, const sloe_trt_run *log,
                                      const char *times, double warmup_ms,
                                      sloe_trtexec_latency *out, sloe_error *err);

/* The exported profile; of 6.0, which exports none, the table in the log. *file is freed by the
   caller where it is not NULL. */
sloe_status sloe_trtexec_read_profile(const sloe_trtexec_tool *tool, const sloe_trt_run *log,
                                      const char *path, sloe_trt_file **file,
                                      const sloe_trt_profile **out, sloe_error *err);
/* Layer info, where there is any that can be read: else NULL. */
sloe_trt_file *sloe_trtexec_read_layers(const char *path);

/* ---- layers (trt_map.c) ---- */

/* Times of the net's layers (`ms`, as many as there are) out of a profile; `info` may be NULL.
 *lost: what belongs to none of them, as a share of the whole. Views get nothing. NOMEM. */
sloe_status sloe_trtexec_map(const sloe_trt_profile *profile, const sloe_trt_layers *info,
                             const sloe_layers *layers, double *ms, double *lost, sloe_error *err);
/* What of a profile's time is spent in the layers of the net and not in changes of layout around
   them: 0..1. */
double sloe_trtexec_core_share(const sloe_trt_profile *profile);

/* ---- jobs (trt_job.c) ---- */

typedef struct sloe_trtexec_job {
  char *onnx, *engine, *times, *profile, *layers; /* paths */
  sloe_trtexec_latency latency;
  size_t next;   /* sample that `run` gives */
  double core;   /* what of a run is the layer's */
  double *share; /* of a network: of each layer, sum 1; NULL: not known */
  size_t n_layers;
  char why[200]; /* `share` is not known */
  double memory_before_mb, memory_peak_mb;
  sloe_device_memory memory;
  char choice[SLOE_TRTEXEC_CHOICE];
  sloe_trtexec_child load;
  double load_began_s;
  uint64_t load_told;
  sloe_trtexec_pass pass; /* of the latency, with its numbers */
} sloe_trtexec_job;

sloe_status sloe_trtexec_load_layer(void *state, const sloe_layer_spec *spec, void **job,
                                    sloe_error *err);
sloe_status sloe_trtexec_load_network(void *state, const sloe_layers *layers, void **job,
                                      sloe_error *err);
void sloe_trtexec_unload(void *state, void *job);
sloe_status sloe_trtexec_run(void *state, void *job, uint64_t *device_ns, uint64_t *host_ns,
                             sloe_error *err);
sloe_status sloe_trtexec_run_layers(void *state, void *job, uint64_t *layer_ns, size_t n,
                                    sloe_error *err);
sloe_status sloe_trtexec_memory(void *state, void *job, sloe_device_memory *out, sloe_error *err);
const char *sloe_trtexec_choice(void *state, void *job, size_t layer);

/* ---- load and sensors (trt_load.c) ---- */

sloe_status sloe_trtexec_keep_busy(void *state, void *job, uint64_t ns, uint64_t *count,
                                   sloe_error *err);
sloe_status sloe_trtexec_sensor(void *state, sloe_device_sensor *out, sloe_error *err);
/* Waits until the board does not throttle, a minute at most. */
void sloe_trtexec_cool(sloe_trtexec *t);
/* DEVICE where the clocks are not those of the opening, or the board throttles. */
sloe_status sloe_trtexec_check_clocks(sloe_trtexec *t, sloe_error *err);

/* ---- clocks (trt_lock.c) ---- */

/* As the settings ask for; nothing where they do not. */
sloe_status sloe_trtexec_lock(sloe_trtexec *t, sloe_error *err);
void sloe_trtexec_unlock(sloe_trtexec *t);

#endif
