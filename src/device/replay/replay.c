/* replay.c: answers from a recording, `replay:file=PATH` (recording.h says what that is).
 *
 * A job's runs come in the order in which they were taken, again from the first after the last. The
 * very first run of a job is the last recorded one: it is the warm-up, and with it a timing with
 * the options of the recorded one ends at the same run with the same figures.
 *
 * The reference layer takes the time that it took beside the job last used, unless it was recorded
 * itself. What is not in the recording is UNSUPPORTED.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "device/replay/recording.h"

typedef struct replay {
  recording recording;
  const recording_row *current; /* of the job last loaded or run */
  double now_ns, mj;            /* passed and drawn until now */
  int rests;                    /* since the last run */
  size_t n_readings;            /* of the sensor */
} replay;

typedef struct replay_job {
  const recording_row *row; /* NULL: the reference, beside the current row */
  size_t next;
  const recording_row **places; /* of a network's layers; NULL where none was recorded */
  size_t n_places, next_place, place_runs;
} replay_job;

static void replay_close(void *state) {
  replay *r = state;
  if (!r) return;
  sloe_recording_fini(&r->recording);
  sloe_dealloc(r);
}

static sloe_status replay_open(const sloe_backend_options *options, void **state,
                               sloe_device_info *info, sloe_error *err) {
  static const char *const keys[] = {"file", "multiprocessors", NULL};
  const char *path = sloe_backend_option(options, "file", NULL);
  const char *units = sloe_backend_option(options, "multiprocessors", NULL);
  *state = NULL;
  int64_t n_units;
  SLOE_TRY(sloe_backend_options_check(options, keys, err));
  SLOE_TRY(sloe_backend_option_int(options, "multiprocessors", 1, 1 << 20, 1, &n_units, err));
  if (!path || !*path) return sloe_fail(err, SLOE_USAGE, "file=PATH says which recording");
  replay *r = sloe_alloc(1, sizeof *r);
  if (!r) return sloe_fail(err, SLOE_NOMEM, "out of memory");
  *r = (replay){0};
  sloe_status status = sloe_recording_read(path, &r->recording, err);
  if (status == SLOE_OK)
    status = sloe_recording_override(&r->recording, "multiprocessors", units, err);
  if (status == SLOE_OK) {
    *info = r->recording.info;
    *state = r;
  } else {
    replay_close(r);
  }
  return status;
}

/* ---- jobs ---- */

static sloe_status new_job(replay *r, const recording_row *row, void **job, sloe_error *err) {
  replay_job *j = sloe_alloc(1, sizeof *j);
  if (!j) return sloe_fail(err, SLOE_NOMEM, "out of memory loading a job");
  *j = (replay_job){.row = row, .next = row ? row->n_runs - 1 : 0};
  if (row) r->current = row;
  *job = j;
  return SLOE_OK;
}

static int is_reference(const sloe_layer_spec *spec) {
  char a[SLOE_SPEC_TEXT], b[SLOE_SPEC_TEXT];
  sloe_layer_spec_print(spec, a);
  return strcmp(a, sloe_layer_spec_print(&sloe_reference_spec, b)) == 0;
}

static sloe_status replay_load_layer(void *state, const sloe_layer_spec *spec, void **job,
                                     sloe_error *err) {
  replay *r = state;
  char text[SLOE_SPEC_TEXT];
  const recording_row *row = sloe_recording_layer(&r->recording, spec);
  *job = NULL;
  if (row || is_reference(spec)) return new_job(r, row, job, err);
  return sloe_fail(err, SLOE_UNSUPPORTED, "replay: not recorded: %.180s",
                   sloe_layer_spec_print(spec, text));
}

/* The rows of a network's layers; views have none. */
static sloe_status find_places(const replay *r, const char *name, size_t n, replay_job *job,
                               sloe_error *err) {
  job->places = sloe_alloc(n + 1, sizeof *job->places);
  if (!job->places) return sloe_fail(err, SLOE_NOMEM, "out of memory loading a job");
  for (size_t i = 0; i < n; i++) {
    job->places[i] = sloe_recording_place(&r->recording, name, i);
    if (job->places[i]) job->place_runs = job->places[i]->n_runs;
  }
  job->n_places = job->place_runs ? n : 0;
  job->next_place = job->place_runs - 1; /* the warm-up, as above */
  return SLOE_OK;
}

static sloe_status replay_load_network(void *state, const sloe_layers *layers, void **job,
                                       sloe_error *err) {
  replay *r = state;
  const char *name = sloe_net_get_info(sloe_layers_net(layers))->name;
  const recording_row *row = sloe_recording_network(&r->recording, name);
  *job = NULL;
  if (!row) return sloe_fail(err, SLOE_UNSUPPORTED, "replay: not recorded: %.180s", name);
  SLOE_TRY(new_job(r, row, job, err));
  const sloe_status status = find_places(r, name, sloe_layers_count(layers), *job, err);
  if (status != SLOE_OK) {
    sloe_dealloc(*job);
    *job = NULL;
  }
  return status;
}

static void replay_unload(void *state, void *job) {
  replay_job *j = job;
  (void)state;
  sloe_dealloc(j->places);
  sloe_dealloc(j);
}

/* ---- running ---- */

/* The clock beside the sensor passes by the time that the energy was drawn in, pauses between runs
   included, so that power and energy come out as they were recorded. */
static void pass(replay *r, const recording_row *row, double ns) {
  const int both = row->power_w > 0 && row->energy_mj > 0;
  const double mj = row->energy_mj > 0 ? row->energy_mj : row->power_w * ns / 1e6;
  r->rests = 0;
  r->now_ns += both ? row->energy_mj / row->power_w * 1e6 : ns;
  if (mj > 0) r->mj += mj;
}

static sloe_status run_reference(const replay *r, uint64_t *device_ns, sloe_error *err) {
  if (!r->current || !(r->current->ref_ns >= 1))
    return sloe_fail(err, SLOE_UNSUPPORTED, "replay: no reference was recorded");
  *device_ns = (uint64_t)llround(r->current->ref_ns);
  return SLOE_OK;
}

static sloe_status replay_run(void *state, void *job, uint64_t *device_ns, uint64_t *host_ns,
                              sloe_error *err) {
  replay *r = state;
  replay_job *j = job;
  *host_ns = 0;
  if (!j->row) return run_reference(r, device_ns, err);
  *device_ns = j->row->runs[j->next];
  j->next = (j->next + 1) % j->row->n_runs;
  r->current = j->row;
  pass(r, j->row, (double)*device_ns);
  return SLOE_OK;
}

/* What was recorded of it; what is usual there nobody knows. */
static sloe_status replay_quiet(void *state, int find, double *ns, double *usual_ns,
                                sloe_error *err) {
  const replay *r = state;
  (void)find, (void)err;
  *ns = r->current ? 1e6 * r->current->move_ms : (double)NAN;
  *usual_ns = NAN;
  return SLOE_OK;
}

static sloe_status replay_run_layers(void *state, void *job, uint64_t *layer_ns, size_t n,
                                     sloe_error *err) {
  replay *r = state;
  replay_job *j = job;
  if (n != j->n_places)
    return sloe_fail(err, SLOE_UNSUPPORTED, "replay: %s: its layers were not recorded",
                     j->row ? j->row->key : "the reference");
  for (size_t i = 0; i < n; i++) {
    layer_ns[i] = 0;
    if (!j->places[i]) continue;
    layer_ns[i] = j->places[i]->runs[j->next_place % j->places[i]->n_runs];
    r->current = j->places[i];
  }
  j->next_place = (j->next_place + 1) % j->place_runs;
  return SLOE_OK;
}

/* ---- sensors ---- */

static sloe_status replay_memory(void *state, void *job, sloe_device_memory *out, sloe_error *err) {
  const recording_row *row = ((replay_job *)job)->row;
  (void)state;
  (void)err;
  *out = (sloe_device_memory){NAN, NAN, NAN, NAN, ""};
  if (row && !isnan(row->memory_mb))
    *out = (sloe_device_memory){row->memory_mb, row->weights_mb, row->activations_mb,
                                row->workspace_mb, row->memory_kind};
  return SLOE_OK;
}

/* Taken anew each time that it is read: in turns the peak and the mean. */
static double shown_w(replay *r) {
  const recording_row *row = r->current;
  if (r->rests) return row->idle_w;
  return r->n_readings++ % 2 && !isnan(row->peak_w) ? row->peak_w : row->power_w;
}

static sloe_status replay_sensor(void *state, sloe_device_sensor *out, sloe_error *err) {
  replay *r = state;
  const recording_row *row = r->current;
  (void)err;
  *out = (sloe_device_sensor){NAN, NAN, (uint64_t)r->now_ns, ""};
  if (!row || isnan(row->power_w)) return SLOE_OK;
  out->power_w = shown_w(r);
  out->energy_mj = r->mj;
  out->rail = row->power_rail;
  return SLOE_OK;
}

static sloe_status replay_rest(void *state, uint64_t ns, sloe_error *err) {
  replay *r = state;
  (void)err;
  r->rests = 1;
  r->now_ns += (double)ns;
  if (r->current && r->current->idle_w > 0) r->mj += r->current->idle_w * (double)ns / 1e6;
  return SLOE_OK;
}

static const char *replay_kernels(void *state, void *job) {
  const recording_row *row = ((replay_job *)job)->row;
  (void)state;
  return row ? row->kernels : "";
}

const sloe_backend sloe_backend_replay = {
    .name = "replay",
    .open = replay_open,
    .close = replay_close,
    .load_layer = replay_load_layer,
    .load_network = replay_load_network,
    .unload = replay_unload,
    .run = replay_run,
    .run_layers = replay_run_layers,
    .quiet = replay_quiet,
    .memory = replay_memory,
    .sensor = replay_sensor,
    .rest = replay_rest,
    .kernels = replay_kernels,
};
