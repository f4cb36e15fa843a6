/* store.h: every sample ever taken, in one SQLite file. Nothing outside this folder knows SQLite.
 *
 *   campaign   what is measured on what: backend, options, plan. Goes on over many visits.
 *   visit      one process measuring: its environment (clocks, versions, models of CPU and GPU).
 *   point      one thing to measure, once: a layer, a network. Open, or finished in some way.
 *   sample     one timing of a point in one visit: all runs, their statistics, what was sensed.
 *
 *   sloe_store *s; sloe_store_visit visit; sloe_store_point p; int found;
 *   sloe_store_open("cpu.sloe.db", SLOE_STORE_WRITE, &s, &err);
 *   sloe_store_begin(s, &campaign, environment, n_environment, &visit, &err);
 *   sloe_store_add_points(s, visit.campaign, plan, n_plan, &err);
 *   while (sloe_store_next_open_point(s, visit.campaign, &p, &found, &err) == SLOE_OK && found)
 *     ... measure p.key ..., sloe_store_add_samples(s, &visit, p.id, &sample, 1, &outcome, &err);
 *
 * What holds for every function:
 *  - What has returned SLOE_OK is on the disk: a process killed at any moment loses at most the
 *    sample being taken, and nothing is stored by halves. docs/store.md says how.
 *  - One file holds measurements of one identity; another is refused with the field that differs.
 *  - Several processes may have the file open and write to it; each waits up to 30 s for another's
 *    write. One sloe_store belongs to one thread at a time.
 *  - Errors: NOTFOUND (no such file, campaign, point), USAGE (an argument, or another identity),
 *    FORMAT (no store, damaged), UNSUPPORTED (written by a newer sloe), IO (disk full, read-only,
 *    held by another process), NOMEM. The message begins with the file's path.
 *  - A number that is not known is NAN, a string that is not known is "" (NULL is taken for it).
 */
#ifndef SLOE_STORE_STORE_H
#define SLOE_STORE_STORE_H

#include "base/csv.h"

typedef struct sloe_store sloe_store;

typedef enum sloe_store_mode {
  SLOE_STORE_READ, /* the file must be there; nothing is written */
  SLOE_STORE_WRITE /* made where it is not there */
} sloe_store_mode;

sloe_status sloe_store_open(const char *path, sloe_store_mode mode, sloe_store **out,
                            sloe_error *err);
void sloe_store_close(sloe_store *store);

/* ---- what is measured on what ---- */

/* The columns by which measurements are the same kind of thing (DESIGN.md, measurement table). */
typedef struct sloe_store_identity {
  const char *device, *runtime, *version, *precision, *mode;
  int64_t batch, threads; /* batch 0: the points' own specs say it */
} sloe_store_identity;

typedef struct sloe_store_campaign {
  int64_t id;          /* set by the store */
  const char *backend; /* "onednn:threads=1" */
  const char *plan;    /* what was planned, or a hash of it: the same plan resumes */
  const char *options; /* for people; those of the first visit stay */
  const char *tool;    /* version of sloe that began it; set by the store */
  int64_t created_ms;  /* since 1970; set by the store */
} sloe_store_campaign;

typedef struct sloe_store_pair {
  const char *key, *value;
} sloe_store_pair;

typedef struct sloe_store_visit {
  int64_t campaign, visit; /* ids within this file */
  int resumed;             /* the campaign was there already */
} sloe_store_visit;

/* Begin a campaign, or go on with the one of the same backend and plan; a new visit with its
   environment in any case. Errors: USAGE where the file holds another identity. */
sloe_status sloe_store_begin(sloe_store *store, const sloe_store_campaign *campaign,
                             const sloe_store_identity *identity,
                             const sloe_store_pair *environment, size_t n_environment,
                             sloe_store_visit *out, sloe_error *err);

/* Of the file. *found is 0 where nothing was begun. Strings live until the next call that gives
   strings. */
sloe_status sloe_store_get_identity(sloe_store *store, sloe_store_identity *out, int *found,
                                    sloe_error *err);

/* Callbacks return SLOE_OK to go on; another status ends the walk and is returned. What they are
   given lives until they return. They must not write to the same store. */
typedef sloe_status (*sloe_store_campaign_fn)(void *context, const sloe_store_campaign *campaign,
                                              sloe_error *err);
sloe_status sloe_store_each_campaign(sloe_store *store, sloe_store_campaign_fn fn, void *context,
                                     sloe_error *err);

/* The environment of a visit, sorted by key. */
typedef sloe_status (*sloe_store_pair_fn)(void *context, const sloe_store_pair *pair,
                                          sloe_error *err);
sloe_status sloe_store_each_environment(sloe_store *store, int64_t visit, sloe_store_pair_fn fn,
                                        void *context, sloe_error *err);

/* ---- points ---- */

/* Names go into files: append only, never rename. */
#define SLOE_STORE_KIND_MAP(X) \
  X(LAYER, "layer")            \
  X(NETWORK, "network")        \
  X(REFERENCE, "reference")

/* The further down, the more is known: merging keeps the later one. */
#define SLOE_STORE_STATE_MAP(X) \
  X(OPEN, "open")               \
  X(FAILED, "failed")           \
  X(SKIPPED, "skipped")         \
  X(DONE, "done")

#define SLOE_STORE_QUALITY_MAP(X) \
  X(UNKNOWN, "")                  \
  X(OK, "ok")                     \
  X(NOISY, "noisy")               \
  X(THROTTLED, "throttled")       \
  X(SKIPPED, "skipped")

typedef enum sloe_store_kind {
#define SLOE_STORE_ENUM(name, text) SLOE_STORE_##name,
  SLOE_STORE_KIND_MAP(SLOE_STORE_ENUM)
#undef SLOE_STORE_ENUM
      SLOE_STORE_KIND_COUNT
} sloe_store_kind;

typedef enum sloe_store_state {
#define SLOE_STORE_ENUM(name, text) SLOE_STORE_##name,
  SLOE_STORE_STATE_MAP(SLOE_STORE_ENUM)
#undef SLOE_STORE_ENUM
      SLOE_STORE_STATE_COUNT
} sloe_store_state;

typedef enum sloe_store_quality {
#define SLOE_STORE_ENUM(name, text) SLOE_STORE_QUALITY_##name,
  SLOE_STORE_QUALITY_MAP(SLOE_STORE_ENUM)
#undef SLOE_STORE_ENUM
      SLOE_STORE_QUALITY_COUNT
} sloe_store_quality;

const char *sloe_store_kind_name(sloe_store_kind kind);
const char *sloe_store_state_name(sloe_store_state state);
const char *sloe_store_quality_name(sloe_store_quality quality);

typedef struct sloe_store_point {
  int64_t id; /* set by the store */
  sloe_store_kind kind;
  const char *key;        /* what is measured: "conv c=64 h=56 ...", or a NET */
  const char *space;      /* of the measurement table: nis, ncv, nca or "" */
  const char *split;      /* train, test, or what the campaign calls it */
  sloe_store_state state; /* set by the store, as are the next two */
  const char *reason;     /* why skipped or failed */
  sloe_store_quality quality;
} sloe_store_point;

/* Add to the end of a campaign's plan, all or none. A (kind, key) that stands there already stays
   as it is, with its state; `ids`, where not NULL, takes the n ids. */
sloe_status sloe_store_add_points(sloe_store *store, int64_t campaign,
                                  const sloe_store_point *points, size_t n, int64_t *ids,
                                  sloe_error *err);

/* A further column of the point's row in a measurement table; the last value stays. Errors: USAGE
   for the name of a column that the table has anyway. */
sloe_status sloe_store_set_column(sloe_store *store, int64_t point, const char *column_name,
                                  const char *value, sloe_error *err);
/* Several of them, all or none. */
sloe_status sloe_store_set_columns(sloe_store *store, int64_t point, const sloe_store_pair *columns,
                                   size_t n, sloe_error *err);

/* The column `column_name` of every point that has it, by point. The value lives until `fn`
   returns; nested calls are not possible. Stops at the first failure of `fn`. */
typedef sloe_status (*sloe_store_column_fn)(void *context, int64_t point, const char *value,
                                            sloe_error *err);
sloe_status sloe_store_each_column(sloe_store *store, int64_t campaign, const char *column_name,
                                   sloe_store_column_fn fn, void *context, sloe_error *err);

/* The first open point in the order of adding; *found is 0 where all are finished. Strings live
   until the next call that gives strings. */
sloe_status sloe_store_next_open_point(sloe_store *store, int64_t campaign, sloe_store_point *out,
                                       int *found, sloe_error *err);

/* How a point ended. DONE with a quality of its samples; SKIPPED and FAILED with a reason. */
typedef struct sloe_store_outcome {
  sloe_store_state state;
  sloe_store_quality quality;
  const char *reason;
} sloe_store_outcome;

sloe_status sloe_store_finish_point(sloe_store *store, int64_t point,
                                    const sloe_store_outcome *outcome, sloe_error *err);

/* Open again, to be measured once more; its samples stay. */
sloe_status sloe_store_reopen_point(sloe_store *store, int64_t point, sloe_error *err);

/* In the order of adding; campaign 0: of all of them. */
typedef sloe_status (*sloe_store_point_fn)(void *context, const sloe_store_point *point,
                                           sloe_error *err);
sloe_status sloe_store_each_point(sloe_store *store, int64_t campaign, sloe_store_point_fn fn,
                                  void *context, sloe_error *err);

/* ---- samples ---- */

enum { SLOE_STORE_MAX_RUNS = 1 << 20 };

/* The numbers that a sample may have: member, unit in the file. One list for the struct, the
   schema's columns and the reading and writing of them. min to mean: of the runs. host: with
   launching. sum_of_layers: of a network. ref: the reference layer, just before and after. energy:
   of one inference. */
#define SLOE_STORE_NUMBER_MAP(X) \
  X(min_ns)                      \
  X(median_ns)                   \
  X(p75_ns)                      \
  X(p97_5_ns)                    \
  X(mean_ns)                     \
  X(host_ns)                     \
  X(sum_of_layers_ns)            \
  X(ref_before_ns)               \
  X(ref_after_ns)                \
  X(power_w)                     \
  X(energy_mj)                   \
  X(memory_mb)

typedef struct sloe_store_metric {
  const char *name; /* a further column: "idle_w", "workspace_mb" */
  double value;
} sloe_store_metric;

/* Begin with SLOE_STORE_SAMPLE_NONE, which knows nothing, and set what is known. */
typedef struct sloe_store_sample {
  int64_t id, visit, seq; /* set by the store; seq counts a point's samples in a visit from 1 */
  int64_t taken_ms;       /* since 1970; 0: now */
  const uint64_t
      *runs_ns;  /* in the order taken. Where there are any, the store computes the five */
  size_t n_runs; /* statistics from them; else they are stored as given */
#define SLOE_STORE_MEMBER(name) double name;
  SLOE_STORE_NUMBER_MAP(SLOE_STORE_MEMBER)
#undef SLOE_STORE_MEMBER
  const char *power_rail;  /* gpu, input, device: needed beside power or energy */
  const char *memory_kind; /* system, process, device: needed beside memory */
  const char *clock;       /* clock state, in the backend's words */
  sloe_store_quality quality;
  const sloe_store_metric *metrics;
  size_t n_metrics;
} sloe_store_sample;

sloe_store_sample sloe_store_sample_none(void);

/* Store samples of a point, all or none, and with them how the point ended (NULL: still open). */
sloe_status sloe_store_add_samples(sloe_store *store, const sloe_store_visit *visit, int64_t point,
                                   const sloe_store_sample *samples, size_t n,
                                   const sloe_store_outcome *outcome, sloe_error *err);

/* In the order taken. */
typedef sloe_status (*sloe_store_sample_fn)(void *context, const sloe_store_sample *sample,
                                            sloe_error *err);
sloe_status sloe_store_each_sample(sloe_store *store, int64_t point, sloe_store_sample_fn fn,
                                   void *context, sloe_error *err);

/* ---- the algorithm cache ---- */

/* What a runtime chose for `name` (of a layer: "", of a network: the layer's text) in a visit. */
sloe_status sloe_store_put_choice(sloe_store *store, const sloe_store_visit *visit, int64_t point,
                                  const char *name, const char *value, sloe_error *err);
/* The latest; *out is NULL where there is none, and lives until the next call that gives strings.
 */
sloe_status sloe_store_get_choice(sloe_store *store, int64_t point, const char *name,
                                  const char **out, sloe_error *err);

/* ---- whole files ---- */

typedef struct sloe_store_info {
  int64_t campaigns, visits, points, samples, runs, choices;
  int64_t in_state[SLOE_STORE_STATE_COUNT]; /* points */
} sloe_store_info;

/* campaign 0: of all of them. */
sloe_status sloe_store_get_info(sloe_store *store, int64_t campaign, sloe_store_info *out,
                                sloe_error *err);

/* Look at every page and every reference of the file. FORMAT with the first thing found wrong. */
sloe_status sloe_store_check(sloe_store *store, sloe_error *err);

/* Add what another store file holds and this one does not, all or none; *added (may be NULL) counts
   it. Merging the same file again adds nothing. Of a point in both the state stays of which more is
   known (SLOE_STORE_STATE_MAP). Errors: USAGE where the identities differ; FORMAT where both hold a
   sample of the same visit and number and the two are not equal. */
sloe_status sloe_store_merge(sloe_store *store, const char *path, sloe_store_info *added,
                             sloe_error *err);

typedef struct sloe_store_export {
  int64_t campaign; /* 0: all */
  unsigned kinds;   /* 1u << kind, or'ed; 0: layers and networks */
  int each_sample;  /* a row per sample, with columns `visit` and `sample`; else a row per point */
  int with_open;    /* also points that are not finished */
  int runs; /* a column `runs_ns`: every run, in the order taken, separated by blanks; and columns
               `env.NAME`: the environment of the row's visit */
} sloe_store_export;

/* What the columns of the environment begin with. */
#define SLOE_STORE_ENVIRONMENT "env."

/* Write a measurement table (DESIGN.md). A point's row has the figures of its first sample of
   quality "ok", else of its last; points without any have empty fields. `options` may be NULL. */
sloe_status sloe_store_export_to(sloe_store *store, const sloe_store_export *options,
                                 sloe_csv_sink sink, sloe_error *err);
/* To a file, compressed where the path ends in ".gz": all of it, or the path is as before. */
sloe_status sloe_store_export_file(sloe_store *store, const sloe_store_export *options,
                                   const char *path, sloe_error *err);

#endif
