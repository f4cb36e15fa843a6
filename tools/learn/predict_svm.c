#include <math.h>
#include <stdlib.h>

#include "predict_others.h"

#ifdef SLOE_BENCH_LIBSVM
#include <libsvm/svm.h>

typedef struct vectors {
  struct svm_model *svm;
  struct svm_node *node, **row; /* which the model points into */
  double *t, *shift, *scale;
  struct svm_node *asked;
} vectors;

static void say_nothing(const char *text) {
  (void)text;
}

static void scale_inputs(const sloe_learn_rows *rows, vectors *v) {
  for (size_t j = 0; j < rows->d; j++) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < rows->n; i++) sum += log1p(rows->x[i * rows->d + j]);
    const double mean = sum / (double)rows->n;
    for (size_t i = 0; i < rows->n; i++) squares += pow(log1p(rows->x[i * rows->d + j]) - mean, 2);
    v->shift[j] = mean;
    v->scale[j] = 1 / sqrt(squares / (double)rows->n);
  }
}

static void to_nodes(const vectors *v, const double *x, size_t d, struct svm_node *node) {
  for (size_t j = 0; j < d; j++)
    node[j] = (struct svm_node){(int)j + 1, (log1p(x[j]) - v->shift[j]) * v->scale[j]};
  node[d].index = -1;
}

static int predict(void *model, const double *x, size_t n, size_t d, double *out) {
  vectors *v = model;
  for (size_t i = 0; i < n; i++) {
    to_nodes(v, x + i * d, d, v->asked);
    out[i] = exp(svm_predict(v->svm, v->asked));
  }
  return 1;
}

static void end(void *model) {
  vectors *v = model;
  svm_free_and_destroy_model(&v->svm);
  free(v->node);
  free(v->row);
  free(v->t);
  free(v->shift);
  free(v->scale);
  free(v->asked);
  free(v);
}

int other_svm(const sloe_learn_rows *rows, double cost, double epsilon, other *out) {
  const size_t n = rows->n, d = rows->d;
  vectors *v = calloc(1, sizeof *v);
  v->node = calloc(n * (d + 1), sizeof *v->node);
  v->row = calloc(n, sizeof *v->row);
  v->t = calloc(n, sizeof *v->t);
  v->shift = calloc(d, sizeof *v->shift);
  v->scale = calloc(d, sizeof *v->scale);
  v->asked = calloc(d + 1, sizeof *v->asked);
  scale_inputs(rows, v);
  for (size_t i = 0; i < n; i++) {
    v->row[i] = v->node + i * (d + 1);
    to_nodes(v, rows->x + i * d, d, v->row[i]);
    v->t[i] = log(rows->y[i]);
  }
  const struct svm_problem problem = {(int)n, v->t, v->row};
  const struct svm_parameter param = {.svm_type = EPSILON_SVR,
                                      .kernel_type = RBF,
                                      .gamma = 1 / (double)d,
                                      .cache_size = 200,
                                      .eps = 1e-3,
                                      .C = cost,
                                      .p = epsilon,
                                      .shrinking = 1};
  svm_set_print_string_function(say_nothing);
  v->svm = svm_train(&problem, &param);
  *out = (other){"libsvm's C API", v, predict, end};
  return 1;
}

#else

int other_svm(const sloe_learn_rows *rows, double cost, double epsilon, other *out) {
  (void)rows;
  (void)cost;
  (void)epsilon;
  (void)out;
  return 0;
}

#endif
