/* bench.h: the measurements of one campaign: each taken once, kept in the store, remembered.
 * Private to campaign/.
 *
 * Asked for a layer or a network, the bench answers from what earlier visits stored, else measures
 * and stores. Times are in units of the reference layer's, timed just before and after: a machine
 * whose clock moves by 8 % moves both. reference_ms gives them back their unit.
 */
#ifndef SLOE_CAMPAIGN_BENCH_H
#define SLOE_CAMPAIGN_BENCH_H

#include "base/arena.h"
#include "campaign/campaign.h"
#include "device/device.h"
#include "store/store.h"

/* What a point was measured for. */
extern const char sloe_split_line[], sloe_split_design[], sloe_split_held_out[],
    sloe_split_network[], sloe_split_in_network[];

typedef struct sloe_bench_point {
  int64_t id; /* in the store */
  const char *key;
  sloe_layer_spec spec; /* of a layer; n is 0 while not known */
  sloe_layer_place place;
  int network;
  size_t number;     /* of a network and its layers: which network, from 0 */
  const char *split; /* line, design, held-out, network, in-network */
  int refused;       /* cannot be had here; why is in the store */
  int noisy;
  double time, again;        /* median of the runs / reference; a second take's, NAN without */
  double first, first_error; /* time and error of the first take, whichever counts */
  double least, least_again; /* the least run's, in the same units */
  double error;              /* standard error, relative */
  double p75, p97_5;         /* over the median */
  const char *kernels;       /* what each of them took (device.h); NULL, "": not known */
  double memory_mb, power_w;
  double workspace_mb; /* of the memory; NAN: not known */
  double move_ms;      /* what a fixed move of memory took beside it; NAN: not known */
  size_t n_takes;
  double ref_ms;
  double memory_again, power_again, ref_again_ms; /* of the second take */
  int64_t visit;                                  /* of the first take */
  int is_short;                                   /* of a whole network: below 1 ms (Z 4.2) */
} sloe_bench_point;

typedef struct sloe_bench {
  sloe_arena arena;
  sloe_device *device;
  sloe_store *store;
  sloe_store_visit visit;
  sloe_map index;  /* key -> points */
  sloe_map failed; /* keys under which the device died once */
  sloe_bench_point *points;
  size_t n_points, cap_points;
  const sloe_watch *watch;
  double begun_s, budget_s; /* 0: none */
  size_t measured, reused, refused;
  const char *memory_kind; /* of the last sample that has one; "": none */
  const char *phase;
  size_t done, total; /* for progress */
} sloe_bench;

typedef struct sloe_bench_options {
  const char *backend, *db, *plan; /* plan: campaigns of the same one resume */
  double budget_s;
  const sloe_watch *watch;
} sloe_bench_options;

sloe_status sloe_bench_open(const sloe_bench_options *options, sloe_bench **out, sloe_error *err);
void sloe_bench_close(sloe_bench *bench);

/* 1 while `share` (0..1) of the budget is not spent yet. */
int sloe_bench_has_time(const sloe_bench *bench, double share);

/* STOPPED when the watch says so; reports progress. */
sloe_status sloe_bench_step(sloe_bench *bench, sloe_error *err);

/* The index of the point in bench->points. */
sloe_status sloe_bench_layer(sloe_bench *bench, const sloe_layer_spec *spec, const char *split,
                             size_t *out, sloe_error *err);
/* Measure a layer once more, unless that is done. */
sloe_status sloe_bench_again(sloe_bench *bench, size_t point, sloe_error *err);
/* What a move of memory takes where others leave it alone: a tenth of the points are below. NAN
   where none has any. */
sloe_status sloe_bench_quiet_ms(const sloe_bench *bench, double *out, sloe_error *err);
/* Measure a layer once more, whatever is known of it: of all takes of a point the quietest counts.
 */
sloe_status sloe_bench_quieter(sloe_bench *bench, size_t point, sloe_error *err);
/* The network's time, and in a second pass that of each of its layers in its place, where the
   device has a clock for it: points "NET#i", i from sloe_layers_at, split in-network. */
sloe_status sloe_bench_network(sloe_bench *bench, const char *net, const sloe_layers *layers,
                               const char *split, size_t *out, sloe_error *err);
/* As sloe_bench_quieter, the network and its layers. */
sloe_status sloe_bench_network_quieter(sloe_bench *bench, size_t point, const sloe_layers *layers,
                                       sloe_error *err);
/* The time, memory and power of a network, from one loaded job, as Z 4.2 has them. The point must
   have been begun (bench_parts.h). `number`: 0, or 1 for the second take; runs and seconds of `how`
   are looked at. */
sloe_status sloe_bench_whole(sloe_bench *bench, size_t point, const sloe_layers *layers,
                             const sloe_measure_options *how, size_t number, sloe_error *err);
/* Is it known already, without measuring? */
int sloe_bench_knows(const sloe_bench *bench, const sloe_layer_spec *spec);

/* ---- mending what was measured (bench_mend.c); each once. Errors: NOMEM ---- */

/* Of layers by themselves shorter than 20 us, `time` becomes the least run times what the median is
   over it in a quiet quarter of them: on a shared machine their medians double from one minute to
   the next, their least runs hardly move (docs/notes/accuracy.md). */
sloe_status sloe_bench_steady(sloe_bench *bench, sloe_error *err);

/* The clock between a network's layers takes time itself (an event on a GPU a microsecond or two):
   what they take together beyond the network is taken off each alike, at most half of it. */
sloe_status sloe_bench_unclock(sloe_bench *bench, sloe_error *err);

/* The scratch memory of each network, where it was measured, as part of the place of its layers.
   `bytes`: of a number. */
sloe_status sloe_bench_place_scratch(sloe_bench *bench, double bytes, sloe_error *err);

/* The usual time of the reference layer over all points. NAN before any. */
double sloe_bench_reference_ms(const sloe_bench *bench);

#endif
