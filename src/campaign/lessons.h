/* lessons.h: a measurement table as rows to learn from. Private to campaign/.
 *
 * A row is a network with its features (net/features.def; to learn from are those that are not the
 * same in all rows) and what was measured of it. What was not measured under one and the same roof
 * is refused: device, runtime, version, precision, mode, threads, rail and kind of memory. Batches
 * may be mixed: the batch is a feature.
 */
#ifndef SLOE_CAMPAIGN_LESSONS_H
#define SLOE_CAMPAIGN_LESSONS_H

#include "campaign/evaluate_table.h"
#include "estimate/estimate.h"
#include "platform/platform.h"

typedef struct sloe_lessons_options {
  const char *table;
  const char *features;          /* "a,b": only these; NULL: all but NAME_raw */
  const char *kinds;             /* column that says the kind; NULL: family, else variant */
  const sloe_platform *platform; /* whose layers are asked, or all it knows; NULL */
  sloe_method method;            /* how: AUTO is all it knows, LAYERS its layers if it has some */
  size_t least;                  /* rows; 0: 10 */
  int sums;                      /* the layers' terms are wanted (net/layer_terms.h) */
  const sloe_watch *watch;       /* may be NULL */
} sloe_lessons_options;

typedef struct sloe_lessons {
  sloe_arena arena;
  size_t n, left_out, refused; /* rows; of another quality; whose net cannot be read */
  const char **feature; /* names: those that vary, then those that are the same in all rows */
  uint32_t *at;         /* their places in sloe_net_info.features */
  size_t n_features, n_varying;
  double *x;                         /* [n][n_features] */
  double *y[SLOE_EVAL_METRICS];      /* [n] NAN: not measured. Times as if the reference layer took
                                        reference_ms, where the rows have its time */
  double *layers[SLOE_EVAL_METRICS]; /* [n] what the platform says; NULL: none asked */
  sloe_pace *pace;                   /* [n] of the platform's layers; NULL likewise */
  size_t *net;                       /* [n] rows of one network have one number */
  const sloe_eval_net *nets;         /* as the table has them, by that number */
  double *input_elements;            /* of the networks, by that number */
  sloe_fusion fusion;                /* of the runtime that was measured */
  sloe_layer_rows layer;             /* of all networks, one behind the other; n 0: not wanted */
  size_t *first;                     /* [networks + 1] where those of a network begin */
  size_t *kind;                      /* [n] below n_kinds; one kind: NULL and 1 */
  size_t n_kinds;
  const char *kind_column;         /* "" */
  const char *who[SLOE_EVAL_WHOS]; /* of all rows; "": not said */
  double reference_ms;             /* NAN: rows have none */
  const char *why;                 /* of the first that cannot be read; NULL */
} sloe_lessons;

/* On failure *out can be given to fini all the same. Errors: USAGE (a feature or column that is
   not there), FORMAT (no table, nothing to learn from, rows of several devices), and those of
   reading. */
sloe_status sloe_lessons_read(const sloe_lessons_options *options, sloe_lessons *out,
                              sloe_error *err);
void sloe_lessons_fini(sloe_lessons *lessons);

#endif
