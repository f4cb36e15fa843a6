#include "base/alloc.h"
#include "base/error.h"
#include "learn/regressors.h"
#include "learn/ridge.h"

static sloe_status fit(const sloe_learn_task *task, sloe_learned *m, sloe_error *err) {
  sloe_ridge ridge;
  SLOE_TRY(sloe_ridge_init(task, (uint32_t)task->hyper[SLOE_POLY_DEGREE], &ridge, err));
  const sloe_status status = sloe_ridge_model(&ridge, task, task->hyper[SLOE_POLY_LAMBDA], m, err);
  sloe_ridge_fini(&ridge);
  return status;
}

/* All lambdas from one decomposition. */
static sloe_status fit_path(const sloe_learn_task *task, const sloe_learn_path *path,
                            sloe_learned *m, sloe_error *err) {
  sloe_ridge ridge;
  SLOE_TRY(sloe_ridge_init(task, (uint32_t)task->hyper[SLOE_POLY_DEGREE], &ridge, err));
  sloe_status status = SLOE_OK;
  for (size_t i = 0; i < path->n && status == SLOE_OK; i++) {
    status = sloe_ridge_model(&ridge, task, path->value[i], m, err);
    if (status == SLOE_OK) status = path->arrived(path->context, i, m, err);
  }
  sloe_ridge_fini(&ridge);
  return status;
}

#define SLOE_HYPER_OF_POLY
#define H SLOE_HYPER_ROW
static const sloe_hyper hyper[] = {
#include "learn/hyper.def"
};

const sloe_regressor sloe_regressor_poly = {
    "poly",           "ridge polynomial", hyper, SLOE_POLY_HYPERS, 1, 1, fit,
    SLOE_POLY_LAMBDA, fit_path,           NULL};

typedef struct path {
  const double *lambdas;
  size_t n_lambdas;
  double *estimated;
} path;

static sloe_status leave_one_out(const sloe_learn_task *task, sloe_learned *m, void *context,
                                 sloe_error *err) {
  const path *p = context;
  sloe_ridge ridge;
  SLOE_TRY(sloe_ridge_init(task, (uint32_t)task->hyper[SLOE_POLY_DEGREE], &ridge, err));
  for (size_t l = 0; l < p->n_lambdas; l++) {
    double *out = p->estimated + l * task->n;
    sloe_ridge_leave_one_out(&ridge, task, p->lambdas[l], out);
    for (size_t i = 0; i < task->n; i++) out[i] = sloe_learned_target(m, out[i]);
  }
  sloe_ridge_fini(&ridge);
  return SLOE_OK;
}

sloe_status sloe_poly_leave_one_out(const sloe_learn_rows *rows, const sloe_learn_options *options,
                                    const double *lambdas, size_t n_lambdas, double *estimated,
                                    sloe_error *err) {
  static const sloe_learn_options none;
  path p = {lambdas, n_lambdas, estimated};
  sloe_learned m = {0};
  const sloe_status status = sloe_learn_with(&sloe_regressor_poly, rows, options ? options : &none,
                                             leave_one_out, &p, &m, err);
  sloe_learned_fini(&m);
  return status;
}
