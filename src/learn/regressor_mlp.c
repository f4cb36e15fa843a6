#include "base/error.h"
#include "learn/mlp_train.h"
#include "learn/regressors.h"

enum { CONSTANT, ADAPTIVE, COSINE }; /* choices of the schedule */

static sloe_status reserve(const sloe_learn_task *task, sloe_learned *m, sloe_error *err) {
  const double *h = task->hyper;
  const uint32_t hidden = (uint32_t)h[SLOE_MLP_LAYERS];
  sloe_learned_mlp *mlp = &m->mlp;
  *mlp = (sloe_learned_mlp){.n_layers = hidden + 1, .activation = (uint32_t)h[SLOE_MLP_ACTIVATION]};
  mlp->width[0] = (uint32_t)task->d;
  for (uint32_t l = 1; l <= hidden; l++) mlp->width[l] = (uint32_t)h[SLOE_MLP_HIDDEN];
  mlp->width[hidden + 1] = 1;
  mlp->n_weights = (uint32_t)sloe_learned_mlp_weights(mlp);
  mlp->weight = SLOE_ARENA_NEW(&m->arena, float, mlp->n_weights);
  if (!mlp->weight) return sloe_fail(err, SLOE_NOMEM, "out of memory for an MLP");
  m->kind = SLOE_LEARNED_MLP;
  return SLOE_OK;
}

typedef struct stops {
  const sloe_learn_path *path; /* NULL: nobody asks */
  const sloe_learned *m;
} stops;

static sloe_status arrived(void *context, size_t i, sloe_error *err) {
  const stops *s = context;
  return s->path && s->path->arrived ? s->path->arrived(s->path->context, i, s->m, err) : SLOE_OK;
}

static sloe_status train(const sloe_learn_task *task, const sloe_learn_path *path, sloe_learned *m,
                         sloe_error *err) {
  const double *h = task->hyper;
  stops s = {path, m};
  SLOE_TRY(reserve(task, m, err));
  const sloe_mlp_params params = {.adam = h[SLOE_MLP_OPTIMIZER] == 1,
                                  .adaptive = h[SLOE_MLP_SCHEDULE] == ADAPTIVE,
                                  .cosine = h[SLOE_MLP_SCHEDULE] == COSINE,
                                  .early_stopping = h[SLOE_MLP_EARLY_STOPPING] == 1,
                                  .rate = h[SLOE_MLP_RATE],
                                  .alpha = h[SLOE_MLP_ALPHA],
                                  .epochs = path ? path->value : &h[SLOE_MLP_ITERATIONS],
                                  .n_stops = path ? path->n : 1,
                                  .seed = task->seed,
                                  .arrived = arrived,
                                  .context = &s};
  return sloe_mlp_train(task->z, task->t, task->n, &params, &m->mlp, err);
}

static sloe_status fit(const sloe_learn_task *task, sloe_learned *m, sloe_error *err) {
  return train(task, NULL, m, err);
}

/* What the cosine schedule takes to fewer epochs is not on the way to more. */
static sloe_status fit_each(const sloe_learn_task *task, const sloe_learn_path *path,
                            sloe_learned *m, sloe_error *err) {
  for (size_t i = 0; i < path->n; i++) {
    sloe_learn_path one = *path;
    one.value = &path->value[i];
    one.n = 1;
    one.arrived = NULL;
    SLOE_TRY(train(task, &one, m, err));
    SLOE_TRY(path->arrived(path->context, i, m, err));
  }
  return SLOE_OK;
}

static sloe_status fit_path(const sloe_learn_task *task, const sloe_learn_path *path,
                            sloe_learned *m, sloe_error *err) {
  if (task->hyper[SLOE_MLP_SCHEDULE] == COSINE) return fit_each(task, path, m, err);
  return train(task, path, m, err);
}

#define SLOE_HYPER_OF_MLP
#define H SLOE_HYPER_ROW
static const sloe_hyper hyper[] = {
#include "learn/hyper.def"
};

const sloe_regressor sloe_regressor_mlp = {"mlp",    "multi-layer perceptron",
                                           hyper,    SLOE_MLP_HYPERS,
                                           1,        1,
                                           fit,      SLOE_MLP_ITERATIONS,
                                           fit_path, NULL};
