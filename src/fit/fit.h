/* fit.h: staircases from few, well-chosen measurements (Blackthorn, section IV).
 *
 * Knows no CNN and no device: it asks a callback for the time at integer coordinates and returns a
 * model of one or more dimensions (model/staircase.h).
 *
 *   sloe_fit_axis axes[2] = {{1, 1024, {0}}, {1, 1024, {0}}};
 *   sloe_fit_result result; sloe_error err;
 *   sloe_fit_space(NULL, axes, 2, measure, device, &result, &err);
 *   double ms = sloe_stair_model_eval(&result.model, (int64_t[]){100, 200});
 *
 * Kernel sizes and strides have too few values to be fitted (B IV-C): each pair is a model of its
 * own, keyed by the caller.
 *
 * One dimension (B Algorithm 1, FITTER1D): from two start points, an ensemble of candidate shapes
 * is held at once, all fitted to the points in closed form; the next point is where the candidates
 * differ most; candidates that no longer fit go; outliers are set aside and may return; it ends
 * when one is left. More dimensions (PROFILER): the recursion over the dimensions; the fitted
 * values of the inner dimensions at their start points are what the outer one fits. In the end one
 * least-squares fit of all coefficients to all points.
 *
 * Two methods, by `params.method`:
 *  - EVIDENCE (default): a candidate is judged by the likelihood of its residuals, given the noise
 *    that the samples themselves report. evidence.c says how.
 *  - BLACKTHORN: the paper's equations 2 to 9, word for word. blackthorn.c.
 *
 * Deterministic: the same answers of the callback give the same questions and the same model.
 */
#ifndef SLOE_FIT_FIT_H
#define SLOE_FIT_FIT_H

#include "fit/boost.h"
#include "fit/gauss.h"
#include "model/model.h"

typedef struct sloe_fit_sample {
  double value;  /* the time, in any unit; finite and > 0 */
  double spread; /* its standard error, same unit; 0: exact; NAN: unknown */
} sloe_fit_sample;

/* Measure once at `coords`. UNSUPPORTED says that this point cannot be had: it and, where all
   points of the line so far are smaller, what is larger are left alone (too large for the device).
   Any other failure ends the fit and is handed through. */
typedef sloe_status (*sloe_fit_measure)(void *user, const int64_t *coords, size_t n_dims,
                                        sloe_fit_sample *out, sloe_error *err);

/* Templates: kinds of shapes that take part. X(ID, bit, what) */
#define SLOE_FIT_TEMPLATE_MAP(X)                                        \
  X(LINEAR, 1, "B eq. 1: d + m x")                                      \
  X(STEP, 2, "B eq. 1: d + h ceil(x/w)")                                \
  X(NESTED, 4, "steps in steps (8 in 32)")                              \
  X(START, 8, "a line for small x, then steps (B Fig. 7c)")             \
  X(STEP_SLOPE, 16, "steps on a slope")                                 \
  X(FLOOR, 32, "bound by the launch for small x, then steps or a line") \
  X(CHANGE, 64, "another offset and rise from some x on")               \
  X(ANY_WIDTH, 128, "steps of any whole width, not only of `width_step`'s multiples")

typedef enum sloe_fit_template {
#define SLOE_FIT_TEMPLATE_ENUM(id, bit, what) SLOE_FIT_##id = bit,
  SLOE_FIT_TEMPLATE_MAP(SLOE_FIT_TEMPLATE_ENUM)
#undef SLOE_FIT_TEMPLATE_ENUM
      SLOE_FIT_PAPER = 3,
  SLOE_FIT_ALL = 255
} sloe_fit_template;

typedef enum sloe_fit_method { SLOE_FIT_EVIDENCE, SLOE_FIT_BLACKTHORN } sloe_fit_method;

/* How the runs of one point become its time. */
typedef enum sloe_fit_statistic {
  SLOE_FIT_MIDMEAN, /* the mean of the middle half: nearly as sharp as the mean, blind to tails */
  SLOE_FIT_MEDIAN,
  SLOE_FIT_MIN
} sloe_fit_statistic;

/* Every knob. 0 takes the tuned value (docs/notes/fit.md; found by tools/fit/tune_fit.c), so all
   zero is a good default; 1e-9 is as good as none. Relative errors are fractions. Costs are in
   units of -2 ln(likelihood): 9 is three standard deviations. */
typedef struct sloe_fit_params {
  sloe_fit_method method;
  unsigned templates;           /* bits of sloe_fit_template; 0: ALL */
  int32_t width_min, width_max; /* 8, 512 */
  int32_t width_step;           /* 4 */
  int64_t start_lo, start_hi;   /* 64, 960: in a domain 1..1024, others in proportion */
  int32_t min_points;           /* of a dimension before it may end: 5 */
  int32_t max_points;           /* of a dimension, at most 60: 20; then the best is taken */
  int32_t max_samples;          /* calls of the callback in all: 100 million */

  /* Runs of one point */
  int32_t runs;     /* the most calls for one point: 30 */
  double run_error; /* stop repeating below this standard error: 0.003 */
  sloe_fit_statistic statistic;
  double noise; /* standard error where nobody knows it: 0.01 */
  double slack; /* what no template explains, added to it: 0.002 */

  /* EVIDENCE */
  double cut;            /* a candidate this much worse than the best goes */
  double outlier_cost;   /* of setting one point aside */
  double extension_cost; /* of any shape but LINEAR and STEP */
  double odd_width_cost; /* of a width that is no multiple of width_step */
  double agree;          /* rivals that differ by less than this are one: 0.004 */
  double trust; /* points that the errors as they are told weigh against what is seen of them */
  double heat;  /* the likelihoods' temperature when choosing points */
  double bin;   /* standard errors that tell two values apart */
  double carry; /* the most that earlier lines weigh; negative: nothing */

  /* BLACKTHORN */
  int32_t absolute;          /* 1: errors as the paper has them, in units of the mean
                                time; 0: relative to each time, as noise is */
  double alpha, beta, gamma; /* eq. 2: of unique values, range, distance */
  double c_step, c_lin;      /* eq. 2, 3: 2 and 1 */
  double threshold;          /* eq. 5: T_e, of summed squared relative errors */
  double ratio, ratio_decay; /* eq. 5: R_e at first, and what it loses each time */
  double outlier;            /* eq. 7 */
  double template_ratio;     /* eq. 9: R_t */
} sloe_fit_params;

typedef struct sloe_fit_axis {
  int64_t lo, hi; /* the domain, inclusive, at least 4 values, 0 < lo */
} sloe_fit_axis;

typedef struct sloe_fit_result {
  sloe_stair_model model;
  size_t points;    /* different coordinates measured */
  size_t samples;   /* calls of the callback that gave a sample */
  size_t outliers;  /* points that the final fit set aside */
  size_t lines;     /* one-dimensional fits along the first dimension */
  size_t undecided; /* lines, of any dimension, that reached max_points with rivals left */
  double rmspe;     /* of the final fit over its points, outliers left out; a fraction */
} sloe_fit_result;

/* `in` (NULL: all zero) with every 0 replaced; USAGE where a knob makes no sense. */
sloe_status sloe_fit_params_fill(const sloe_fit_params *in, sloe_fit_params *out, sloe_error *err);

/* Measure and fit, the first axis innermost. On failure *out is all zero. Errors: USAGE (params,
   axes), FORMAT (the callback gave no time), UNSUPPORTED (too few points could be had), NOMEM, and
   what the callback returned. */
sloe_status sloe_fit_space(const sloe_fit_params *params, const sloe_fit_axis *axes, size_t n_dims,
                           sloe_fit_measure measure, void *user, sloe_fit_result *out,
                           sloe_error *err);

/* Coefficients for shapes that are given: m->n_dims, shape, lo and hi are set by the caller, coef,
   n_coefs and floor (half of the least value) here. coords: n rows of n_dims; values > 0. No
   coefficient is negative; points that fit badly count less. *error: relative root mean square.
   Errors: USAGE, UNSUPPORTED (too many coefficients), NOMEM. */
sloe_status sloe_fit_tensor(sloe_stair_model *m, const int64_t *coords, const double *values,
                            size_t n, double *error, sloe_error *err);

/* "nested" for one SLOE_FIT_NESTED; "unknown" for what is none. */
const char *sloe_fit_template_name(unsigned bit);

#endif
