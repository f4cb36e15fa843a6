/* teach.h: from few measured rows to the many that quick models want. Private to campaign/.
 *
 * Trees answer in a fraction of a microsecond, but cut a smooth surface into blocks, and few rows
 * give few blocks. A Gaussian process (fit/gauss.h) learns such a surface from few rows, but asks
 * all of them for every answer. So the process learns from what was measured, tells its mean at
 * many drawn layers, and the trees learn from both (as Bucila et al., "Model compression", KDD
 * 2006), or where a layer is the fastest of several kernels an MLP does (teach_mlp.h).
 *
 * One process learns layers by themselves, or where a layer is the fastest of several kernels what
 * those leave of it (kernels.h); a second one what a place in a network adds, from the
 * layers of networks: what they took over what the first says of them (an autoregressive scheme,
 * Kennedy & O'Hagan, Biometrika 87(1), 2000).
 *
 * Where others kept memory busy beside some lessons, by how much is an input of both: what is told
 * is a layer on a quiet machine.
 */
#ifndef SLOE_CAMPAIGN_TEACH_H
#define SLOE_CAMPAIGN_TEACH_H

#include "campaign/odds.h"
#include "campaign/teach_lesson.h"
#include "fit/fit.h"

struct sloe_kernel_set;
typedef struct sloe_teacher_shape { /* all zero: not known */
  sloe_gauss_shape alone, rest, placed;
  struct sloe_kernel_set *kernels; /* kernels.h; whoever found the shape frees it */
} sloe_teacher_shape;

/* op->forest, whose arrays *out owns, or op->mlp in class->arena; and its kernels that are proposed
   for some layers, whose trees `shape` owns. *shape: found where it is all zero, else taken.
   op->error_90: the 0.9-th quantile of |y - what is said of it by the others|, of layers by
   themselves. *transformed, if any of its kernels go by transforms: op->transformed. On failure
   what is out is all zero. Errors: UNSUPPORTED where a process cannot be fitted (fewer than
   SLOE_TEACH_LEAST layers by themselves), NOMEM. */
enum { SLOE_TEACH_LEAST = 25 };
sloe_status sloe_teach(const sloe_class *class, sloe_teacher_shape *shape, sloe_fitted_op *op,
                       sloe_boost *out, sloe_odds *transformed, sloe_error *err);

#endif
