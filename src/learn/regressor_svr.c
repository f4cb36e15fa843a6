/* regressor_svr.c: epsilon support vector regression, solved by libsvm (Chang & Lin, "LIBSVM", ACM
 * TIST 2(3), 2011), evaluated by model/learned_kernel.c; the linear one is a dot product.
 *
 * Tolerance 1e-3, shrinking, coef0 = 0, as scikit-learn has it. Where C is large and the tube
 * narrow in the target's unit, libsvm needs very long and can only be ended from outside: see
 * docs/learn.md.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "learn/regressors.h"

#ifdef SLOE_HAS_LIBSVM
#include <libsvm/svm.h>

#include "learn/library.h"

#define FUNCTIONS(X)            \
  X(svm_train)                  \
  X(svm_check_parameter)        \
  X(svm_free_and_destroy_model) \
  X(svm_set_print_string_function)

typedef struct libsvm {
#define MEMBER(name) __typeof__(name) *name;
  FUNCTIONS(MEMBER)
#undef MEMBER
} libsvm;

static sloe_status open_library(libsvm *out, sloe_error *err) {
  const sloe_library_function functions[] = {
#define FUNCTION(name) {#name, &out->name},
      FUNCTIONS(FUNCTION)
#undef FUNCTION
  };
  return sloe_library_open("libsvm.so.3", "libsvm3", functions,
                           sizeof functions / sizeof *functions, err);
}

static void say_nothing(const char *text) {
  (void)text;
}

/* Rows as libsvm wants them: every number with its index, -1 behind the last. */
typedef struct nodes {
  struct svm_node *node, **row;
  double *y;
} nodes;

static void nodes_fini(nodes *s) {
  sloe_dealloc(s->node);
  sloe_dealloc(s->row);
  sloe_dealloc(s->y);
}

static sloe_status nodes_init(const sloe_learn_task *task, nodes *s, sloe_error *err) {
  const size_t n = task->n, d = task->d;
  *s = (nodes){sloe_alloc(n * (d + 1), sizeof *s->node), sloe_alloc(n, sizeof *s->row),
               sloe_alloc(n, sizeof *s->y)};
  if (!s->node || !s->row || !s->y) {
    nodes_fini(s);
    return sloe_fail(err, SLOE_NOMEM, "out of memory for %zu rows of support vectors", n);
  }
  for (size_t i = 0; i < n; i++) {
    struct svm_node *row = s->row[i] = s->node + i * (d + 1);
    for (size_t j = 0; j < d; j++) row[j] = (struct svm_node){(int)j + 1, task->z[i * d + j]};
    row[d] = (struct svm_node){-1, 0};
    s->y[i] = task->t[i];
  }
  return SLOE_OK;
}

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory for support vectors");
}

/* sum_i coef_i (v_i z) = (sum_i coef_i v_i) z */
static sloe_status take_linear(const struct svm_model *svm, sloe_learned *m, sloe_error *err) {
  sloe_learned_poly *p = &m->poly;
  *p = (sloe_learned_poly){.degree = 1,
                           .n_coefs = m->n_inputs,
                           .constant = -svm->rho[0],
                           .coef = SLOE_ARENA_NEW(&m->arena, double, m->n_inputs)};
  if (!p->coef) return no_memory(err);
  m->kind = SLOE_LEARNED_POLY;
  for (int i = 0; i < svm->l; i++)
    for (uint32_t j = 0; j < m->n_inputs; j++)
      p->coef[j] += svm->sv_coef[0][i] * svm->SV[i][j].value;
  return SLOE_OK;
}

static sloe_status take_kernel(const struct svm_model *svm, sloe_learned *m, sloe_error *err) {
  sloe_learned_kernel *k = &m->kernel;
  const size_t n = (size_t)svm->l;
  *k = (sloe_learned_kernel){
      .kind = svm->param.kernel_type == RBF ? SLOE_KERNEL_RBF : SLOE_KERNEL_POLY,
      .degree = (uint32_t)svm->param.degree,
      .n = (uint32_t)n,
      .gamma = svm->param.gamma,
      .bias = -svm->rho[0],
      .coef = SLOE_ARENA_NEW(&m->arena, double, n),
      .vector = SLOE_ARENA_NEW(&m->arena, double, n * m->n_inputs)};
  if (!k->coef || !k->vector) return no_memory(err);
  m->kind = SLOE_LEARNED_KERNEL;
  for (size_t i = 0; i < n; i++) {
    k->coef[i] = svm->sv_coef[0][i];
    for (uint32_t j = 0; j < m->n_inputs; j++) k->vector[j * n + i] = svm->SV[i][j].value;
  }
  return SLOE_OK;
}

static struct svm_parameter params_of(const sloe_learn_task *task) {
  static const int kernels[] = {LINEAR, RBF, POLY};
  const double *h = task->hyper;
  const double gamma = h[SLOE_SVR_GAMMA] > 0 ? h[SLOE_SVR_GAMMA] : 1 / (double)task->d;
  return (struct svm_parameter){.svm_type = EPSILON_SVR,
                                .kernel_type = kernels[(int)h[SLOE_SVR_KERNEL]],
                                .degree = (int)h[SLOE_SVR_DEGREE],
                                .gamma = gamma,
                                .cache_size = 200,
                                .eps = 1e-3,
                                .C = h[SLOE_SVR_COST],
                                .p = h[SLOE_SVR_EPSILON],
                                .shrinking = 1};
}

static sloe_status fit(const sloe_learn_task *task, sloe_learned *m, sloe_error *err) {
  const struct svm_parameter param = params_of(task);
  struct svm_model *svm = NULL;
  libsvm lib;
  nodes s = {0};
  SLOE_TRY(open_library(&lib, err));
  SLOE_TRY(nodes_init(task, &s, err));
  const struct svm_problem problem = {(int)task->n, s.y, s.row};
  const char *wrong = lib.svm_check_parameter(&problem, &param);
  sloe_status status = wrong ? sloe_fail(err, SLOE_UNSUPPORTED, "svr: %s", wrong) : SLOE_OK;
  if (!wrong) {
    lib.svm_set_print_string_function(say_nothing);
    svm = lib.svm_train(&problem, &param);
    status = param.kernel_type == LINEAR ? take_linear(svm, m, err) : take_kernel(svm, m, err);
    lib.svm_free_and_destroy_model(&svm);
  }
  nodes_fini(&s);
  return status;
}

static sloe_status open_it(sloe_error *err) {
  libsvm unused;
  return open_library(&unused, err);
}

#else

static sloe_status open_it(sloe_error *err) {
  return sloe_fail(err, SLOE_UNSUPPORTED, "svr: built without libsvm (Debian: libsvm-dev)");
}

static sloe_status fit(const sloe_learn_task *task, sloe_learned *m, sloe_error *err) {
  (void)task;
  (void)m;
  return open_it(err);
}

#endif

#define SLOE_HYPER_OF_SVR
#define H SLOE_HYPER_ROW
static const sloe_hyper hyper[] = {
#include "learn/hyper.def"
};

const sloe_regressor sloe_regressor_svr = {
    "svr",  "support vector regression", hyper, SLOE_SVR_HYPERS, 1, 1, fit, SLOE_SVR_COST, NULL,
    open_it};
