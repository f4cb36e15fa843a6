/* ridge.h: ridge regression on the monomials of the inputs, all lambdas from one decomposition.
 *
 * Columns are brought to mean 0 and deviation 1 (F, n rows of p columns), the target to mean 0; the
 * intercept is not penalised:
 *
 *   beta = argmin |t - F beta|^2 + lambda |beta|^2
 *
 * With p < n:   F'F = V w V',  beta = V (w + lambda)^-1 V'F't
 * otherwise     FF' = U w U',  beta = F'U (w + lambda)^-1 U't
 *
 * and in either, with U = F V w^-1/2, what lambda makes of row i had it not been seen is
 * t_i - e_i / (1 - h_i), h_i = 1/n + sum_j U_ij^2 w_j / (w_j + lambda) (the same matrix times t
 * gives e), so that a lambda costs a pass over n x p numbers.
 *
 * Which monomials: all up to the degree where those are at most SLOE_RIDGE_TERMS. Where they are
 * more, the kernel form, K = (z z' / d + 1)^degree, centred, in place of FF' (all monomials, each
 * with a weight of its own) while there are at most SLOE_RIDGE_KERNEL_ROWS rows; else the powers of
 * each input alone.
 *
 * Rejected: a singular value decomposition of F (four times the time; what it saves of precision
 * lies below 1e-8 of the largest eigenvalue, the least lambda of table 15); lambda per row.
 */
#ifndef SLOE_LEARN_RIDGE_H
#define SLOE_LEARN_RIDGE_H

#include "learn/learn.h"

enum { SLOE_RIDGE_TERMS = 1500, SLOE_RIDGE_KERNEL_ROWS = 2000 };

typedef enum sloe_ridge_form {
  SLOE_RIDGE_FULL,
  SLOE_RIDGE_POWERS,
  SLOE_RIDGE_KERNEL
} sloe_ridge_form;

typedef struct sloe_ridge {
  sloe_ridge_form form;
  uint32_t degree;
  size_t n, d, p;         /* p: columns; in kernel form 0 */
  size_t order;           /* of the decomposition: p or n */
  double *column;         /* [n][p] F; in kernel form NULL */
  double *mean, *over;    /* [p]; of the kernel [n]: its column means */
  double *vector, *value; /* [order][order], an eigenvector a row; [order], none below 0 */
  double *share;          /* [order]: V'F't or U't */
  double *row;            /* [n][order]: F V, or U */
  double target_mean;
} sloe_ridge;

sloe_ridge_form sloe_ridge_form_of(size_t n, size_t d, size_t degree);

/* Decompose. On failure *out is all zero. Errors: UNSUPPORTED (no decomposition), NOMEM. */
sloe_status sloe_ridge_init(const sloe_learn_task *task, uint32_t degree, sloe_ridge *out,
                            sloe_error *err);
void sloe_ridge_fini(sloe_ridge *ridge);

/* The model of one lambda: kind and body of *m, initialised. Errors: NOMEM. */
sloe_status sloe_ridge_model(const sloe_ridge *ridge, const sloe_learn_task *task, double lambda,
                             sloe_learned *m, sloe_error *err);

/* out[n]: what it would say of each row that it had not seen. */
void sloe_ridge_leave_one_out(const sloe_ridge *ridge, const sloe_learn_task *task, double lambda,
                              double *out);

#endif
