/* fit_layers.h: from a campaign's points to what a platform knows of layers. Private to campaign/.
 */
#ifndef SLOE_CAMPAIGN_FIT_LAYERS_H
#define SLOE_CAMPAIGN_FIT_LAYERS_H

#include "campaign/bench.h"
#include "campaign/proposals.h"
#include "campaign/teach.h"
#include "fit/fit.h"
#include "platform/platform.h"

typedef struct sloe_line_shape { /* what a line found */
  sloe_layer_key key;
  size_t dim;
  sloe_stair shape;
} sloe_line_shape;

/* What takes part; all zero: everything. */
typedef struct sloe_fit_layers_switches {
  int no_steps;      /* lines are linear, whatever was found */
  int no_correction; /* staircases alone */
  int no_networks;   /* layers in networks teach nothing */
  size_t folds;      /* 0: none left out; else networks whose number % folds is ... */
  size_t fold;       /* ... this one teach nothing, to be told by what was made without them */
  int no_teacher;    /* trees learn from measured rows alone */
  const struct sloe_layer_models *like; /* NULL, or models whose teachers' shapes are taken */
  const sloe_proposals *proposals; /* NULL: which kernels apply is known of timed layers alone */
} sloe_fit_layers_switches;

typedef struct sloe_layer_models { /* begins all zero */
  sloe_arena arena;
  sloe_fitted fitted;         /* families, ops, reference_ms; the rest is left alone */
  sloe_boost *boosts;         /* one an op: they own the forests' arrays; */
  sloe_odds *transformed;     /* so do these of sloe_fitted_op.transformed */
  sloe_teacher_shape *shapes; /* one an op; all zero: no teacher */
  sloe_arena *arenas;         /* one an op, of what teachers leave */
  int borrowed;               /* the shapes' kernels are another's */
} sloe_layer_models;

/* Fit families and corrections to the points whose split is not `held_out`, in milliseconds while
   the reference takes reference_ms. Errors: UNSUPPORTED (no points), NOMEM. */
sloe_status sloe_fit_layers(const sloe_bench *bench, const sloe_line_shape *shapes, size_t n_shapes,
                            double reference_ms, const sloe_fit_layers_switches *switches,
                            sloe_layer_models *out, sloe_error *err);
void sloe_layer_models_fini(sloe_layer_models *models);

/* `p` is of the split that no fit may see. */
int sloe_is_held_out(const sloe_bench_point *p);
/* A point with the time of a layer by itself. */
int sloe_is_layer_time(const sloe_bench_point *p);

#endif
