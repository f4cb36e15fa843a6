/* lab.h: measuring and learning (libsloe-lab).
 *
 * The measuring half of sloe. Programs load it where they need it, through one symbol:
 *
 *   void *library = dlopen("libsloe-lab.so.0", RTLD_NOW | RTLD_LOCAL);
 *   const sloe_lab *lab = ((sloe_lab_fn)dlsym(library, SLOE_LAB_SYMBOL))();
 *
 * and find all functions in that struct. Backends with heavy libraries (oneDNN, cuDNN) are modules
 * of their own, which libsloe-lab loads from its own folder when one is asked for.
 *
 * What holds for sloe.h holds here. Long operations take a sloe_watch: they report progress
 * and stop between two samples when asked to; what was measured until then is kept.
 */
#ifndef SLOE_LAB_H
#define SLOE_LAB_H

#include "sloe/sloe.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SLOE_LAB_SYMBOL "sloe_lab_open"

typedef struct sloe_progress {
  const char *phase;  /* "fitting conv 3x3", "holding out layers" */
  size_t done, total; /* steps of the whole; total is a guess while points are chosen as it goes */
  double elapsed_s, eta_s; /* NAN: unknown */
} sloe_progress;

/* All zero is a good default. */
typedef struct sloe_watch {
  void (*progress)(void *context, const sloe_progress *progress);
  int (*stop)(void *context); /* asked often; not 0: stop, the call fails with SLOE_STOPPED */
  void (*warn)(void *context, const char *text);
  void *context;
} sloe_watch;

/* ---- measuring ---- */

typedef struct sloe_session sloe_session;   /* an opened device */
typedef struct sloe_measured sloe_measured; /* one network's or layer's measurement */

typedef struct sloe_measure_options {
  int layers;     /* time each layer of the network as well */
  int isolated;   /* with layers: also each layer by itself, as profiling times it */
  int32_t runs;   /* at most; 0: 100 runs or 10 s, at least 5 (Z 4.2) */
  double seconds; /* 0: 10 */
  double power_s; /* of load for power and energy, where there is a sensor; 0: 1.2; below 0: none */
  double ref_ns;  /* reference time of the platform to compare with: scaled_ms is for it; 0 */
} sloe_measure_options;

/* ---- profiling (Blackthorn's tool) ---- */

typedef struct sloe_profile_options {
  const char *backend;
  const char *out;   /* platform file */
  const char *db;    /* NULL: <out>.db */
  double budget_s;   /* 0: none; what is left out is said in the summary */
  uint64_t seed;     /* of the held-out layers and networks and of the design; 0: 1 */
  int plan_only;     /* measure nothing: say what would be */
  int no_fit;        /* measure and write no platform: who goes on without it fits */
  const char *only;  /* NULL: everything; "conv", "pool", ...: families whose op begins so */
  double max_gflop;  /* of the random layers, 0.001 and more; 0: 20. Part of the plan: another is
                        another campaign */
  int64_t max_batch; /* above 1: a part of the random layers has a batch of 2 to this. Likewise */
  int64_t more;      /* as many random layers on top of the design's, most of them convolutions */
  /* A table of the kernels that the runtime proposes for layers that are not timed: where it is not
     there, the backend is asked and writes it. NULL: none. */
  const char *proposals;
} sloe_profile_options;

typedef struct sloe_profile_summary {
  size_t points, points_measured, points_reused, points_refused; /* in all; in this visit; ... */
  size_t heldout_layers, heldout_networks;
  double seconds;
  double layer_rmspe, layer_mape, layer_max_ape; /* per cent, held-out layers; NAN */
  double network_mape, network_max_ape;          /* held-out networks */
  int complete; /* 0: the budget ran out before the plan was through */
  /* of a plan: points by phase, and about how long all of it takes on this device; NAN: the device
     cannot be opened to be asked */
  size_t plan_lines, plan_design, plan_held_out, plan_networks;
  double plan_s;
} sloe_profile_summary;

/* ---- collecting whole networks (Z 4.1, 4.2) ---- */

typedef struct sloe_collect_options {
  const char *plan;    /* nis, ncv, nca, or the path of a table with a column `net` */
  const char *backend; /* the next three: of collect */
  const char *db;
  const char *out;      /* measurement table of this collection, written at the end; NULL */
  const char *families; /* "resnet-v1,senet": only these; "resnet" stands for its versions */
  const char *sizes;    /* "224,320": images of these sizes, pixels; NULL: the plan's */
  size_t count;         /* the first networks of the plan; 0: all, of nca 335 */
  uint64_t seed;        /* of order, splits and random networks; 0: 1 */
  size_t share, shares; /* of `shares` shares the one, from 1; 0: all of it */
  double budget_s;      /* 0: none */
  int32_t runs;         /* of a network, at most; 0: 100 (Z 4.2) */
  double seconds;       /* of runs, at least 5; 0: 10 */
  int plan_only;        /* measure nothing: say how much would be */
  double max_gflop;     /* networks above are recorded as skipped; 0: 200 on a CPU, else none */
} sloe_collect_options;

typedef struct sloe_collect_summary {
  size_t networks, for_test, to_repeat; /* of this share of the plan */
  size_t measured, reused;              /* in this visit; before it */
  size_t is_short, skipped; /* of all so far: below 1 ms; too large, or refused by the device */
  size_t repeated;          /* networks measured twice so far */
  double latency_noise, power_noise, memory_noise; /* of those, mean |second / first - 1|, %; NAN */
  double seconds;
  int complete; /* 0: the budget ran out before the plan was through */
} sloe_collect_summary;

/* ---- evaluating ---- */

typedef struct sloe_evaluate_options {
  const char *table; /* a measurement table */
  const char *by;    /* column to group by; NULL */
  sloe_method method;
  int raw;                 /* do not scale by the reference layer's time (ref_ms) */
  const char *predictions; /* write a CSV of net, measured, estimated to this path; NULL */
  int models;              /* a group for each model of whole networks, in place of `by` */
} sloe_evaluate_options;

/* ---- learning from whole networks (Z 3.3, 4.3) ---- */

/* All zero but `table` is a good default. */
typedef struct sloe_train_options {
  const char *table;
  const char *out;          /* platform file; NULL: tell the errors and keep nothing */
  const char *model;        /* names of models, "xgb,layers"; NULL or "all": all of them */
  const char *const *hyper; /* "max_depth=8", of every regressor; NULL: none */
  size_t n_hyper;
  const char *features; /* "flops,params": only these; NULL: all that differ */
  const char *kinds;    /* column of kinds that are left out one after the other; NULL: family,
                           else variant */
  const char *device;   /* names of the platform; NULL: as the table has them */
  const char *runtime;
  double memory_mb;  /* RAM of the device, 10^6 bytes; 0: unknown */
  const char *title; /* the device's name for people; NULL: its name */
  const char *notes; /* where the measurements come from; NULL */
  const char *board; /* data sheet that bounds what a layer can take; NULL: that of the device's
                        name, where there is one in `search` */
  const sloe_search *search; /* of data sheets; NULL: none */
  const char *journal;       /* of tuning, to go on after a stop; NULL: <out>.tune */
  int tune;                  /* grid search over table 15 */
  size_t tune_rows;          /* that tuning sees at most; 0: 1400 */
  int raw_target;            /* learn y, as the paper did, in place of ln(y) */
  int raw_inputs;            /* of poly, svr and mlp: features as they are */
  int log_power_inputs;      /* though of power in logarithms: with both of these, what the paper
                                did (Z 4.3) */
  int memory_ends;           /* memory from the smallest and largest input of each CNN alone, and */
  int memory_inputs;         /* from features of memory alone: with both, as the paper (Z 5.4.1) */
  int select;                /* forward selection of features first (Z 3.3) */
  size_t draw, repeat;       /* learn from `draw` rows drawn at random, `repeat` times (0: 1), and
                                tell the errors on the other rows; 0: learn from all */
  uint64_t seed;             /* 0: 1 */
  int threads;               /* 0: 1 */
} sloe_train_options;

typedef struct sloe_calibrate_options {
  const char *table, *prior, *out;    /* measured networks; a platform; the platform to write */
  const sloe_search *search;          /* of the prior by name; NULL: none */
  const char *device, *title, *notes; /* of the new platform; NULL: the prior's; what was done */
  uint64_t seed;                      /* 0: 1 */
  int threads;                        /* 0: 1 */
} sloe_calibrate_options;

typedef struct sloe_split_options {
  const char *table, *train, *test; /* paths; the last two are written */
  const char *by;                   /* "random", or COLUMN=VALUE: rows to test on */
  double share;                     /* of networks for testing, by random; 0: 0.3 */
  uint64_t seed;                    /* 0: 1 */
} sloe_split_options;

typedef struct sloe_split_summary {
  size_t train_rows, test_rows, train_nets, test_nets;
} sloe_split_summary;

typedef struct sloe_import_options {
  const char *format; /* icas: of iCAS-Lab's NAS-Performance-Modeling, on a Jetson Nano;
                         trtexec: logs and exported files of NVIDIA's program;
                         tegrastats: logs of NVIDIA's program */
  const char *const *files;
  size_t n_files;
  const char *out;  /* NULL: *text is given instead */
  const char *net;  /* trtexec, tegrastats: the NET that ran; NULL: not said */
  const char *rail; /* tegrastats: "input" or "gpu", of power_w; NULL: the GPU's where nothing else
                       is on it, else the input */
  const sloe_net_options *net_options; /* to open the net with; NULL */
  const sloe_watch *watch;             /* what is said beside the table; NULL */
} sloe_import_options;

typedef struct sloe_db_export_options {
  const char *db, *out; /* out NULL: *text is given instead */
  int samples;          /* a row per sample */
  int all;              /* also what is not finished */
  int runs;             /* a column of every run: what the backend replay answers from */
} sloe_db_export_options;

typedef struct sloe_db_info {
  char device[96], runtime[32], version[32], precision[16], mode[32]; /* "": nothing begun */
  int64_t campaigns, visits, points, done, open, skipped, failed, samples, runs;
} sloe_db_info;

typedef struct sloe_lab {
  const char *version; /* equal to sloe_version() or the two must not be used together */

  /* Every backend there is; `why` is NULL where it or its module is there, else what is missing. */
  void (*each_backend)(void (*fn)(void *context, const char *name, const char *doc,
                                  const char *why),
                       void *context);

  sloe_status (*session_open)(const char *backend, sloe_session **out, sloe_error *err);
  void (*session_close)(sloe_session *session);
  const sloe_card *(*session_card)(const sloe_session *session);
  const sloe_fusion *(*session_fusion)(const sloe_session *session);
  /* Of the backend's key `batch`, 1 where nothing was said: that of networks that say none. */
  int64_t (*session_batch)(const sloe_session *session);
  /* `layers` come from session_fusion, and must outlive the answer, as must the session. */
  sloe_status (*measure)(sloe_session *session, const sloe_layers *layers,
                         const sloe_measure_options *options, const sloe_watch *watch,
                         sloe_measured **out, sloe_error *err);
  void (*measured_free)(sloe_measured *measured);
  const sloe_answer *(*measured_answer)(const sloe_measured *measured);
  const sloe_measured_extra *(*measured_extra)(const sloe_measured *measured);
  /* A measurement table of n answers; names[i] is the NET as given. Freed with sloe_text_free. */
  sloe_status (*measured_table)(const sloe_session *session, const char *const *names,
                                sloe_measured *const *measured, size_t n, char **text,
                                sloe_error *err);

  sloe_status (*profile)(const sloe_profile_options *options, const sloe_watch *watch,
                         sloe_profile_summary *out, sloe_error *err);

  /* What `collect` would measure, in its order, as CSV: net, space, split, family, variant, again.
     Freed with sloe_text_free. */
  sloe_status (*collect_plan)(const sloe_collect_options *options, char **text, sloe_error *err);
  sloe_status (*collect)(const sloe_collect_options *options, const sloe_watch *watch,
                         sloe_collect_summary *out, sloe_error *err);

  /* One evaluation of a platform; freed with evaluation_free. */
  sloe_status (*evaluate)(const sloe_evaluate_options *options, const sloe_platform *platform,
                          const sloe_watch *watch, sloe_evaluation **out, sloe_error *err);
  void (*evaluation_free)(sloe_evaluation *evaluation);

  /* Learn from a measurement table. `platform`: whose layers are asked, and whose file goes on with
     what is learned; NULL. Freed with training_free. */
  sloe_status (*train)(const sloe_train_options *options, const sloe_platform *platform,
                       const sloe_watch *watch, sloe_training **out, sloe_error *err);
  void (*training_free)(sloe_training *training);
  /* A prior platform, a data sheet or another board's, corrected by a few measured networks. Its
     models are "prior", as it was, and what became of it. Freed with calibration_free. */
  sloe_status (*calibrate)(const sloe_calibrate_options *options, const sloe_watch *watch,
                           sloe_training **out, sloe_error *err);
  void (*calibration_free)(sloe_training *calibration);
  /* A table in two: to learn from and to test on. Rows of one network stay together. */
  sloe_status (*split)(const sloe_split_options *options, sloe_split_summary *out, sloe_error *err);

  /* Measurements of others as a measurement table. */
  sloe_status (*import)(const sloe_import_options *options, char **text, sloe_error *err);

  sloe_status (*db_export)(const sloe_db_export_options *options, char **text, sloe_error *err);
  /* *added: samples. */
  sloe_status (*db_merge)(const char *into, const char *const *from, size_t n, int64_t *added,
                          sloe_error *err);
  sloe_status (*db_info)(const char *path, sloe_db_info *out, sloe_error *err);

  /* Opens `backend` and answers on the file descriptor `out` what is asked on `in`, line by line
     (docs/agent.md), until `in` ends. Nothing else may write to `out`, and SIGPIPE should be
     ignored. */
  sloe_status (*serve)(const char *backend, int in, int out, sloe_error *err);
} sloe_lab;

typedef const sloe_lab *(*sloe_lab_fn)(void);
SLOE_API const sloe_lab *sloe_lab_open(void);

#ifdef __cplusplus
}
#endif
#endif
