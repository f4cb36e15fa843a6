/* recording.h: a measurement table with its runs, as the replay backend looks things up in it.
 * Private to replay/.
 *
 *   column       meaning
 *   net          of a layer its spec ("zoo:layer,op=conv,..."), of a network its NET, of a layer in
 *                its place in a network NET#i
 *   latency_ms   the median; rows without it and without runs (skipped points) are left out
 *   runs_ns      every run in the order taken, separated by blanks; `db export` lists them by
 *                choice
 *   kernels      what each kernel took that was tried (device.h)
 *   ref_ms, move_ms, memory_mb, memory_kind, weights_mb, activations_mb, workspace_mb, power_w,
 *   power_rail, peak_w, idle_w, energy_mj, quality
 *                where known
 *   device ... threads
 *                the identity, equal in all rows
 *   env.NAME     the device's environment, and as env.title and env.memory_mb what its card says:
 *                the first that is not empty
 *
 * Only net and latency_ms must be there. Of several rows of one net the one of the least move_ms
 * counts; where none has any the first of quality "ok", else the last.
 */
#ifndef SLOE_DEVICE_RECORDING_H
#define SLOE_DEVICE_RECORDING_H

#include "base/csv.h"
#include "device/device.h"

typedef struct recording_row {
  const char *key;      /* a spec as sloe_layer_spec_print writes it, or a network's name */
  const uint64_t *runs; /* [n_runs], at least one */
  size_t n_runs;
  double ref_ns, power_w, peak_w, idle_w, energy_mj; /* NAN: not recorded */
  double memory_mb, weights_mb, activations_mb, workspace_mb, move_ms;
  const char *memory_kind, *power_rail;
  const char *kernels; /* "": not recorded */
  int is_ok;           /* quality */
} recording_row;

typedef struct recording {
  sloe_arena arena;
  sloe_device_info info;
  recording_row *rows;
  size_t n_rows, cap_rows;
  sloe_map by_key;
  sloe_device_pair *environment; /* info.environment, with room for one more */
  size_t *environment_at;        /* the columns */
  size_t n_environment;
} recording;

/* Errors: NOTFOUND, IO, NOMEM, FORMAT with file and line. */
sloe_status sloe_recording_read(const char *path, recording *out, sloe_error *err);
void sloe_recording_fini(recording *r);

/* While it is read: which columns there are, what a row holds, and at the end into `info`
   (recording_environment.c). Errors: NOMEM. */
sloe_status sloe_recording_find_environment(recording *r, const sloe_csv_reader *csv,
                                            sloe_error *err);
sloe_status sloe_recording_take_environment(recording *r, const sloe_csv_reader *csv,
                                            sloe_error *err);
void sloe_recording_set_environment(recording *r);
/* One pair is what the caller says, whatever is recorded; `value` NULL: it says nothing. */
sloe_status sloe_recording_override(recording *r, const char *key, const char *value,
                                    sloe_error *err);

/* NULL where it is not recorded. `name` of a network: the file's base name without ending. */
const recording_row *sloe_recording_layer(const recording *r, const sloe_layer_spec *spec);
const recording_row *sloe_recording_network(const recording *r, const char *name);
/* Its layer in its place, "NET#layer". */
const recording_row *sloe_recording_place(const recording *r, const char *name, size_t layer);

#endif
