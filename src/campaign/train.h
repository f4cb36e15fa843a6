/* train.h: learning from whole networks, step by step. Private to campaign/.
 *
 *   lessons -> of each metric a lesson (its rows) -> of each regressor a model, judged by
 *   cross-validation -> the best answers -> platform file (train.c)
 */
#ifndef SLOE_CAMPAIGN_TRAIN_H
#define SLOE_CAMPAIGN_TRAIN_H

#include "campaign/lessons.h"
#include "learn/learn.h"

/* The rows of one metric. */
typedef struct sloe_lesson {
  sloe_networks_metric metric;
  size_t n, d;
  double *x;      /* [n][d] */
  double *y;      /* [n], > 0 */
  double *layers; /* [n], what the layers say of it; NULL: nothing in some row */
  size_t *net, *kind;
  size_t n_kinds;
  uint32_t *input; /* [d] features of the lessons */
} sloe_lesson;

/* Rows in which the metric was measured. n is 0 where it was in none. */
sloe_status sloe_lesson_take(const sloe_lessons *lessons, sloe_networks_metric metric,
                             sloe_arena *arena, sloe_lesson *out, sloe_error *err);

/* The lesson with the n columns alone, ascending. */
sloe_status sloe_lesson_narrow(sloe_lesson *lesson, const size_t *column, size_t n,
                               sloe_arena *arena, sloe_error *err);

/* A lesson of memory with less: what options->memory_ends and memory_inputs say (train_reduce.c).
   Errors: USAGE (no feature is left). */
sloe_status sloe_train_reduce(const sloe_train_options *options, const sloe_lessons *lessons,
                              sloe_arena *arena, sloe_lesson *lesson, sloe_error *err);

/* How models are trained; texts go into `arena`. */
typedef struct sloe_trainer {
  const sloe_train_options *options;
  const sloe_watch *watch;
  const sloe_platform *board; /* a data sheet; NULL */
  const char *journal;        /* NULL: none */
  sloe_arena *arena;
  const char *phase;
} sloe_trainer;

/* What layers draw (estimate/pace.h), from networks whose power was measured: into `fitted`, and
   what they say of each row into lessons->layers. Where no layers were asked, or fewer than
   ten networks measured, what they draw is not known, whatever it was before. Errors: NOMEM. */
sloe_status sloe_train_power(sloe_lessons *lessons, sloe_fitted *fitted, sloe_error *err);

/* One regressor's model of a lesson, on_layers if that is better; regressor NULL: a sum over layers
   (train_sum.c), of latency alone. *model (to be given to sloe_network_model_fini) and what is told
   of it. Errors: of sloe_tune, sloe_learn. */
sloe_status sloe_train_model(const sloe_trainer *trainer, const sloe_lessons *lessons,
                             const sloe_lesson *lesson, const sloe_regressor *regressor,
                             sloe_network_model *model, sloe_trained *told, sloe_error *err);
sloe_status sloe_train_sum(const sloe_trainer *trainer, const sloe_lessons *lessons,
                           const sloe_lesson *lesson, sloe_network_model *model, sloe_trained *told,
                           sloe_error *err);

/* The same learned from options->draw rows drawn at random, options->repeat times, judged by the
   others: medians. The model is that of the first draw (train_draw.c). */
sloe_status sloe_train_draws(const sloe_trainer *trainer, const sloe_lessons *lessons,
                             const sloe_lesson *lesson, const sloe_regressor *regressor,
                             sloe_network_model *model, sloe_trained *told, sloe_error *err);

/* What a model says of each row, in the unit of y. */
sloe_status sloe_train_estimate(const sloe_network_model *model, const sloe_lessons *lessons,
                                const sloe_lesson *lesson, double *out, sloe_error *err);

/* Estimates of the lesson's rows, one a row, by models that had not seen the row, or, kinds != 0,
   none of its kind; they are changed. */
sloe_status sloe_train_judge(const sloe_lesson *lesson, double *estimated, int kinds,
                             sloe_errors *told, sloe_network_errors *out, sloe_error *err);
extern const sloe_network_errors sloe_network_errors_unknown;

/* A name of the table as part of a platform's: "Intel Xeon" -> "intel-xeon". NULL: no memory. */
const char *sloe_train_token(sloe_arena *arena, const char *text);

/* Range and centre of the lessons' rows. */
sloe_status sloe_train_domain(const sloe_lessons *lessons, sloe_arena *arena,
                              sloe_network_domain *out, sloe_error *err);

#endif
