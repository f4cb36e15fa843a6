/* evaluate_table.h: a measurement table as evaluating and learning want it. Private to campaign/.
 *
 * Nets and groups stand once; rows point to them. What is measured keeps its place: an index of
 * SLOE_EVAL_METRIC_MAP.
 */
#ifndef SLOE_CAMPAIGN_EVALUATE_TABLE_H
#define SLOE_CAMPAIGN_EVALUATE_TABLE_H

#include "base/arena.h"
#include "base/map.h"
#include "sloe/lab.h"

/* What is compared: a column of the table, a sloe_figure of sloe_result. X(name) */
#define SLOE_EVAL_METRIC_MAP(X) X(latency_ms) X(power_w) X(memory_mb)

enum {
#define SLOE_EVAL_METRIC_ENUM(name) SLOE_EVAL_##name,
  SLOE_EVAL_METRIC_MAP(SLOE_EVAL_METRIC_ENUM)
#undef SLOE_EVAL_METRIC_ENUM
      SLOE_EVAL_METRICS
};
extern const char *const sloe_eval_metric[SLOE_EVAL_METRICS]; /* their names */

/* Columns that say who measured, and how; those of a row are compared with the platform's. */
#define SLOE_EVAL_WHO_MAP(X) \
  X(device)                  \
  X(runtime)                 \
  X(precision)               \
  X(mode)                    \
  X(power_rail)              \
  X(memory_kind)             \
  X(version)                 \
  X(threads)                 \
  X(transfers)

enum {
#define SLOE_EVAL_WHO_ENUM(name) SLOE_EVAL_WHO_##name,
  SLOE_EVAL_WHO_MAP(SLOE_EVAL_WHO_ENUM)
#undef SLOE_EVAL_WHO_ENUM
      SLOE_EVAL_WHOS
};
extern const char *const sloe_eval_who[SLOE_EVAL_WHOS];

typedef struct sloe_eval_net {
  const char *text; /* as the table has it */
  int64_t batch;    /* 0: as the net has it */
  /* set when it is asked */
  sloe_status status;
  const char *why; /* it could not be answered; NULL */
  sloe_figure figure[SLOE_EVAL_METRICS];
  const char *power_rail, *memory_kind; /* "": unknown */
} sloe_eval_net;

typedef struct sloe_eval_row {
  int32_t net, group; /* group 0 without options->by */
  int ok;             /* its quality */
  double measured[SLOE_EVAL_METRICS];
  double ref_ms, move_ms;          /* NAN: not there */
  const char *who[SLOE_EVAL_WHOS]; /* "": not said */
} sloe_eval_row;

typedef struct sloe_eval_table {
  sloe_arena *arena;
  sloe_eval_row *rows;
  sloe_eval_net *nets;
  const char **groups; /* values of the column, in order of appearance */
  size_t n_rows, n_nets, n_groups, cap_rows, cap_nets, cap_groups;
  sloe_map net_index, group_index, word_index;
  const char **words; /* `who`, each once */
  size_t n_words, cap_words;
  int has[SLOE_EVAL_METRICS]; /* the table has the column */
} sloe_eval_table;

/* Read all of options->table. On failure *out is of no use; what it holds dies with the arena. */
sloe_status sloe_eval_table_read(const sloe_evaluate_options *options, sloe_arena *arena,
                                 sloe_eval_table *out, sloe_error *err);

/* Where the NET of a row is: a path of the table is relative to the table. NULL: the arena is full.
 */
const char *sloe_eval_net_path(sloe_arena *arena, const char *table, const char *net);

#endif
