#include "learn/ridge.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "learn/blas.h"

sloe_ridge_form sloe_ridge_form_of(size_t n, size_t d, size_t degree) {
  if (sloe_learned_poly_coefs(d, degree, 0) <= SLOE_RIDGE_TERMS) return SLOE_RIDGE_FULL;
  return n <= SLOE_RIDGE_KERNEL_ROWS ? SLOE_RIDGE_KERNEL : SLOE_RIDGE_POWERS;
}

void sloe_ridge_fini(sloe_ridge *r) {
  sloe_dealloc(r->column);
  sloe_dealloc(r->mean);
  sloe_dealloc(r->over);
  sloe_dealloc(r->vector);
  sloe_dealloc(r->value);
  sloe_dealloc(r->share);
  sloe_dealloc(r->row);
  *r = (sloe_ridge){0};
}

static sloe_status reserve(sloe_ridge *r, sloe_error *err) {
  const size_t columns = r->p ? r->p : r->n;
  r->order = r->p && r->p < r->n ? r->p : r->n;
  r->column = r->p ? sloe_alloc(r->n * r->p, sizeof *r->column) : NULL;
  r->mean = sloe_alloc(columns, sizeof *r->mean);
  r->over = sloe_alloc(columns, sizeof *r->over);
  r->vector = r->order <= SIZE_MAX / r->order / sizeof *r->vector
                  ? sloe_alloc(r->order * r->order, sizeof *r->vector)
                  : NULL;
  r->value = sloe_alloc(r->order, sizeof *r->value);
  r->share = sloe_alloc(r->order, sizeof *r->share);
  r->row = sloe_alloc(r->n * r->order, sizeof *r->row);
  if ((r->column || !r->p) && r->mean && r->over && r->vector && r->value && r->share && r->row)
    return SLOE_OK;
  return sloe_fail(err, SLOE_NOMEM, "out of memory for a ridge of %zu rows", r->n);
}

/* ---- F ---- */

static void expand(sloe_ridge *r, const sloe_learn_task *task) {
  const size_t n = r->n, p = r->p;
  const int powers = r->form == SLOE_RIDGE_POWERS;
  for (size_t i = 0; i < n; i++)
    sloe_learned_poly_terms(r->d, r->degree, powers, task->z + i * r->d, r->column + i * p);
  memset(r->mean, 0, p * sizeof *r->mean);
  memset(r->over, 0, p * sizeof *r->over);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < p; j++) r->mean[j] += r->column[i * p + j] / (double)n;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < p; j++) {
      const double e = r->column[i * p + j] -= r->mean[j];
      r->over[j] += e * e / (double)n;
    }
  for (size_t j = 0; j < p; j++) {
    const double deviation = sqrt(r->over[j]); /* a constant column takes no part */
    r->over[j] = deviation > 1e-12 * (1 + fabs(r->mean[j])) ? 1 / deviation : 0;
  }
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < p; j++) r->column[i * p + j] *= r->over[j];
}

/* F'F or FF', the lower triangle as a row-major matrix has it. */
static void gram(sloe_ridge *r) {
  const int primal = r->order == r->p;
  cblas_dsyrk(CblasRowMajor, CblasUpper, primal ? CblasTrans : CblasNoTrans, (int)r->order,
              (int)(primal ? r->n : r->p), 1, r->column, (int)r->p, 0, r->vector, (int)r->order);
}

/* ---- the kernel ---- */

static double power(double base, uint32_t degree) {
  double product = base;
  for (uint32_t k = 1; k < degree; k++) product *= base;
  return product;
}

/* H K H, and the means of K that the model needs. */
static void kernel(sloe_ridge *r, const sloe_learn_task *task) {
  const size_t n = r->n;
  double all = 0;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)n, (int)r->d, 1 / (double)r->d,
              task->z, (int)r->d, task->z, (int)r->d, 0, r->vector, (int)n);
  for (size_t i = 0; i < n; i++) {
    double sum = 0;
    for (size_t j = 0; j < n; j++) {
      double *k = &r->vector[i * n + j];
      sum += *k = power(*k + 1, r->degree);
    }
    r->mean[i] = sum / (double)n;
    all += r->mean[i] / (double)n;
  }
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) r->vector[i * n + j] += all - r->mean[i] - r->mean[j];
}

/* ---- decomposition ---- */

static sloe_status decompose(sloe_ridge *r, sloe_error *err) {
  const lapack_int m = (lapack_int)r->order;
  for (size_t i = 0; i < r->order; i++)
    for (size_t j = i; j < r->order; j++)
      if (!isfinite(r->vector[i * r->order + j]))
        return sloe_fail(err, SLOE_UNSUPPORTED, "poly: powers of degree %u are too large",
                         (unsigned)r->degree);
  /* the upper triangle of rows is the lower one of columns; eigenvectors come as columns */
  if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', m, r->vector, m, r->value) != 0)
    return sloe_fail(err, SLOE_UNSUPPORTED, "poly: no eigenvalues of degree %u were found",
                     (unsigned)r->degree);
  for (size_t j = 0; j < r->order; j++)
    if (!(r->value[j] > 0)) r->value[j] = 0;
  return SLOE_OK;
}

/* row = F V or U; share = row' (t - mean), with F't folded in. */
static void turn(sloe_ridge *r, const sloe_learn_task *task) {
  const size_t n = r->n, m = r->order;
  if (m == r->p)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)m, (int)m, 1, r->column,
                (int)m, r->vector, (int)m, 0, r->row, (int)m);
  else
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < m; j++) r->row[i * m + j] = r->vector[j * m + i];
  for (size_t i = 0; i < n; i++) r->target_mean += task->t[i] / (double)n;
  memset(r->share, 0, m * sizeof *r->share);
  for (size_t i = 0; i < n; i++)
    cblas_daxpy((int)m, task->t[i] - r->target_mean, r->row + i * m, 1, r->share, 1);
}

sloe_status sloe_ridge_init(const sloe_learn_task *task, uint32_t degree, sloe_ridge *out,
                            sloe_error *err) {
  sloe_ridge r = {.n = task->n, .d = task->d, .degree = degree};
  sloe_status status;
  *out = (sloe_ridge){0};
  sloe_blas_one_thread();
  r.form = sloe_ridge_form_of(r.n, r.d, degree);
  if (r.form != SLOE_RIDGE_KERNEL)
    r.p = sloe_learned_poly_coefs(r.d, degree, r.form == SLOE_RIDGE_POWERS);
  SLOE_GOTO(reserve(&r, err));
  if (r.form == SLOE_RIDGE_KERNEL) {
    kernel(&r, task);
  } else {
    expand(&r, task);
    gram(&r);
  }
  SLOE_GOTO(decompose(&r, err));
  turn(&r, task);
  *out = r;
  return SLOE_OK;
fail:
  sloe_ridge_fini(&r);
  return status;
}

/* ---- one lambda ---- */

/* What direction j gets: eigenvalues that are rounding alone get nothing. */
static double weight(const sloe_ridge *r, size_t j, double lambda) {
  const double least = 1e-14 * r->value[r->order - 1];
  return r->value[j] > least ? 1 / (r->value[j] + lambda) : 0;
}

/* solved[order] = V (w + lambda)^-1 share: beta where order is p, alpha where it is n */
static void solve(const sloe_ridge *r, double lambda, double *solved) {
  memset(solved, 0, r->order * sizeof *solved);
  for (size_t j = 0; j < r->order; j++)
    cblas_daxpy((int)r->order, r->share[j] * weight(r, j, lambda), r->vector + j * r->order, 1,
                solved, 1);
}

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory for a polynomial");
}

/* From coefficients of F to those of the monomials. */
static sloe_status model_of_columns(const sloe_ridge *r, const double *solved, sloe_learned *m,
                                    sloe_error *err) {
  sloe_learned_poly *p = &m->poly;
  *p = (sloe_learned_poly){.degree = r->degree,
                           .powers = r->form == SLOE_RIDGE_POWERS,
                           .n_coefs = (uint32_t)r->p,
                           .constant = r->target_mean,
                           .coef = SLOE_ARENA_NEW(&m->arena, double, r->p)};
  if (!p->coef) return no_memory(err);
  m->kind = SLOE_LEARNED_POLY;
  if (r->order == r->p)
    memcpy(p->coef, solved, r->p * sizeof *solved);
  else
    cblas_dgemv(CblasRowMajor, CblasTrans, (int)r->n, (int)r->p, 1, r->column, (int)r->p, solved, 1,
                0, p->coef, 1);
  for (size_t j = 0; j < r->p; j++) {
    p->coef[j] *= r->over[j];
    p->constant -= p->coef[j] * r->mean[j];
  }
  return SLOE_OK;
}

static sloe_status model_of_kernel(const sloe_ridge *r, const sloe_learn_task *task,
                                   const double *solved, sloe_learned *m, sloe_error *err) {
  sloe_learned_kernel *k = &m->kernel;
  *k = (sloe_learned_kernel){.kind = SLOE_KERNEL_POLY,
                             .degree = r->degree,
                             .n = (uint32_t)r->n,
                             .gamma = 1 / (double)r->d,
                             .coef0 = 1,
                             .bias = r->target_mean,
                             .coef = SLOE_ARENA_NEW(&m->arena, double, r->n),
                             .vector = SLOE_ARENA_NEW(&m->arena, double, r->n * r->d)};
  if (!k->coef || !k->vector) return no_memory(err);
  m->kind = SLOE_LEARNED_KERNEL;
  for (size_t i = 0; i < r->n; i++) {
    k->coef[i] = solved[i];
    k->bias -= solved[i] * r->mean[i];
    for (size_t j = 0; j < r->d; j++) k->vector[j * r->n + i] = task->z[i * r->d + j];
  }
  return SLOE_OK;
}

sloe_status sloe_ridge_model(const sloe_ridge *r, const sloe_learn_task *task, double lambda,
                             sloe_learned *m, sloe_error *err) {
  double *solved = sloe_alloc(r->order, sizeof *solved);
  if (!solved) return no_memory(err);
  solve(r, lambda, solved);
  const sloe_status status = r->form == SLOE_RIDGE_KERNEL ? model_of_kernel(r, task, solved, m, err)
                                                          : model_of_columns(r, solved, m, err);
  sloe_dealloc(solved);
  return status;
}

void sloe_ridge_leave_one_out(const sloe_ridge *r, const sloe_learn_task *task, double lambda,
                              double *out) {
  const int primal = r->order == r->p;
  for (size_t i = 0; i < r->n; i++) {
    const double *row = r->row + i * r->order;
    double h = 1 / (double)r->n, fitted = r->target_mean;
    for (size_t j = 0; j < r->order; j++) {
      const double own = row[j] * weight(r, j, lambda) * (primal ? 1 : r->value[j]);
      h += own * row[j];
      fitted += own * r->share[j];
    }
    const double left = 1 - h > 1e-10 ? 1 - h : 1e-10;
    out[i] = task->t[i] - (task->t[i] - fitted) / left;
  }
}
