/* teach.h: from few measured rows to the many that trees want. Private to campaign/.
 *
 * Trees answer in a fraction of a microsecond, but cut a smooth surface into blocks, and few rows
 * give few blocks. A Gaussian process (fit/gauss.h) learns such a surface from few rows, but asks
 * all of them for every answer. So the process learns from what was measured, tells its mean at
 * many drawn layers, and the trees learn from both (as Bucila et al., "Model compression", KDD
 * 2006).
 *
 * One process learns layers by themselves, or where a layer is the fastest of several kernels what
 * those leave of it (kernels.h); a second one what a place in a network adds, from the
 * layers of networks: what they took over what the first says of them (an autoregressive scheme,
 * Kennedy & O'Hagan, Biometrika 87(1), 2000).
 */
#ifndef SLOE_CAMPAIGN_TEACH_H
#define SLOE_CAMPAIGN_TEACH_H

#include "campaign/proposals.h"
#include "fit/fit.h"
#include "platform/platform.h"

typedef struct sloe_lesson { /* one row, measured or told */
  sloe_layer_spec spec;
  sloe_layer_place place;
  double stair_ms;     /* of the staircase */
  double y;            /* ln(time / staircase) */
  const char *kernels; /* what each took (device.h); "": not known */
  int chosen; /* of a runtime that chooses among kernels: what divides the channels counts */
  double workspace_mb; /* of the fastest of them; NAN: not known */
} sloe_lesson;

/* The inputs of a process. Features that are remainders or names are no lengths: remainders become
   waste, a name one input for each; what is a sum of others, for trees alone, is left out. What
   divides the channels is always 0 where it does not count. `place` NULL: by itself. */
enum {
  SLOE_TEACH_ALIGNED = 13,
  SLOE_TEACH_INPUTS = SLOE_LAYER_FEATURES - 10 - SLOE_LAYER_PROPOSED + 4 + 1 + SLOE_SPEC_ACT_COUNT +
                      (int)SLOE_TEACH_ALIGNED
};
void sloe_teach_inputs(const sloe_lesson *lesson, const sloe_layer_place *place,
                       double out[SLOE_TEACH_INPUTS]);

struct sloe_kernel_set;
typedef struct sloe_teacher_shape { /* all zero: not known */
  sloe_gauss_shape alone, rest, placed;
  struct sloe_kernel_set *kernels; /* kernels.h; whoever found the shape frees it */
} sloe_teacher_shape;

typedef struct sloe_class {  /* what is taught from */
  const sloe_fitted *fitted; /* its staircases */
  const sloe_lesson *lessons;
  size_t n;                        /* measured lessons of one op and grouping */
  double units;                    /* of the device, as in kernels.h */
  const sloe_proposals *proposals; /* NULL: none */
} sloe_class;

/* Trees over sloe_fitted_features of `op`, and its kernels that are proposed for some layers, whose
   forests `shape` owns. *shape: found where it is all zero, else taken. op->error_90: the 0.9-th
   quantile of |y - what is said of it by the others|, of layers by themselves. *transformed, if any
   of its kernels go by transforms: op->transformed. On failure what is out is all zero. Errors:
   UNSUPPORTED where a process cannot be fitted (fewer than SLOE_TEACH_LEAST layers by themselves),
   NOMEM. */
enum { SLOE_TEACH_LEAST = 25 };
sloe_status sloe_teach(const sloe_class *class, sloe_teacher_shape *shape, sloe_fitted_op *op,
                       sloe_boost *out, sloe_boost *transformed, sloe_error *err);

#endif
