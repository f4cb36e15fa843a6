/* trtexec_bundle.h: which of the files given belong to which run. Private to campaign/.
 *
 * A log holds runs; a file of times, of a profile, of layer info belongs to one of them, or to none
 * where no log was given. In this order:
 *
 *   1. the run whose command line exports to a file of that name;
 *   2. the one run whose inferences are as many as the profile's iterations or the records of
 * times;
 *   3. where a file of the same stem went (r18.times.json and r18.profile.json; what says the kind,
 * "times", "run", "build", is no part of a stem);
 *   4. the last log of one run before it, else the first behind it, as far as its times are those
 * of that run: a profile's sum within a factor of 2, a median within 10 per cent;
 *   5. none. Files of one stem without a run are one bundle, and so are two of different kinds
 * where one has no stem.
 *
 * A run takes one of each kind.
 */
#ifndef SLOE_CAMPAIGN_TRTEXEC_BUNDLE_H
#define SLOE_CAMPAIGN_TRTEXEC_BUNDLE_H

#include "device/device.h"

typedef struct sloe_trt_bundle { /* NULL: not given. Paths go with them */
  const sloe_trt_run *run;
  const sloe_trt_times *times;
  const sloe_trt_profile *profile; /* a file's, else the run's own table */
  const sloe_trt_layers *layers;
  const char *run_path, *times_path, *profile_path, *layers_path;
  int lone; /* of the run: the only one of its log */
  int cut;  /* a file ends too early */
} sloe_trt_bundle;

typedef struct sloe_trt_bundles {
  sloe_arena arena;
  sloe_trt_file **files; /* in the order given */
  size_t n_files;
  sloe_trt_bundle *of;
  size_t n, cap;
} sloe_trt_bundles;

/* Reads every file. `paths` must outlive them. On failure *out is empty. Errors: those of reading,
   with the path before them; FORMAT. */
sloe_status sloe_trt_bundles_read(const char *const *paths, size_t n, sloe_trt_bundles *out,
                                  sloe_error *err);
void sloe_trt_bundles_fini(sloe_trt_bundles *bundles);

/* The last component of a path. */
const char *sloe_trt_base_name(const char *path);

#endif
