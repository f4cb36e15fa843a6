/* learned.h: evaluates what src/learn learned: one number from a row of inputs.
 *
 *   sloe_learned m; sloe_error err;
 *   sloe_learned_decode(bytes, len, &m, &err);
 *   double ms = sloe_learned_predict(&m, row);
 *   sloe_learned_fini(&m);
 *
 * A row goes through the same steps that training took:
 *
 *   t_j = log_inputs ? sign(x_j) ln(1 + |x_j|) : x_j          z_j = (t_j - shift_j) x scale_j
 *   v   = target_shift + target_scale x body(z)                y   = log_target ? exp(v) : v
 *
 * and the body is one of four, whatever regressor it came from:
 *
 *   POLY    every monomial of z up to a degree, or the powers of each z_j alone. Coefficients stand
 *           in the order of the nested sum P(L, i) = sum over j >= i of z_j (c + P(L - 1, j)),
 * whose innermost level is a dot product: no monomial is ever stored (ridge, linear SVR) KERNEL
 * bias + sum of coef_i k(z, v_i), k = exp(-gamma |z - v|^2) or (gamma z v + coef0)^degree; the
 * vectors stand input by input, so that the loop over vectors is the inner one (SVR, ridge of high
 * degree) MLP     layers of float weights, one activation (MLP) TREES   base + factor x sum of
 * leaves. A node's children stand side by side and behind it; a leaf is its own left child and has
 * threshold +inf, so that a walk needs no test for it and sixteen trees are walked side by side
 * (random forest, XGBoost)
 *
 * Rejected for trees: gathers over rows (slower than as many independent walks, measured);
 * complete trees (a forest of depth 20 has 2^20 nodes a tree).
 *
 * Unknown is unknown: a row with a number that is not finite gives NAN.
 */
#ifndef SLOE_MODEL_LEARNED_H
#define SLOE_MODEL_LEARNED_H

#include "base/arena.h"
#include "base/text.h"

enum {
  SLOE_LEARNED_INPUTS = 256,
  SLOE_LEARNED_DEGREE = 20,
  SLOE_LEARNED_COEFS = 1 << 16,
  SLOE_LEARNED_VECTORS = 1 << 17,
  SLOE_LEARNED_LAYERS = 8, /* of an MLP, the last one included */
  SLOE_LEARNED_WIDTH = 256,
  SLOE_LEARNED_TREES = 10000,
  SLOE_LEARNED_NODES = 1 << 25,
};

typedef enum sloe_learned_kind {
  SLOE_LEARNED_NONE,
  SLOE_LEARNED_POLY,
  SLOE_LEARNED_KERNEL,
  SLOE_LEARNED_MLP,
  SLOE_LEARNED_TREE_SUM,
} sloe_learned_kind; /* append only: values go into files */

typedef struct sloe_learned_poly {
  uint32_t degree, powers; /* powers: of each input alone */
  uint32_t n_coefs;        /* sloe_learned_poly_coefs */
  double constant;
  double *coef;
} sloe_learned_poly;

typedef enum sloe_kernel_kind { SLOE_KERNEL_RBF, SLOE_KERNEL_POLY } sloe_kernel_kind;

typedef struct sloe_learned_kernel {
  uint32_t kind, degree, n;
  double gamma, coef0, bias;
  double *coef;   /* [n] */
  double *vector; /* [inputs][n] */
} sloe_learned_kernel;

typedef enum sloe_activation {
  SLOE_ACTIVATION_IDENTITY,
  SLOE_ACTIVATION_LOGISTIC,
  SLOE_ACTIVATION_TANH,
  SLOE_ACTIVATION_RELU,
} sloe_activation;

typedef struct sloe_learned_mlp {
  uint32_t n_layers, activation;
  uint32_t width[SLOE_LEARNED_LAYERS + 1]; /* inputs, hidden layers, 1 */
  uint32_t n_weights;                      /* sloe_learned_mlp_weights */
  float *weight; /* a layer: [in][out], then [out] biases; one layer behind the other */
} sloe_learned_mlp;

typedef struct sloe_tree_node {
  float threshold; /* z > threshold goes to left + 1 */
  uint32_t left;   /* of all nodes; its own number: a leaf */
  uint32_t input;
  float value; /* of a leaf */
} sloe_tree_node;

typedef struct sloe_learned_trees {
  uint32_t n_trees, n_nodes;
  double base, factor;
  uint32_t *first; /* [n_trees + 1]: the roots, then n_nodes */
  sloe_tree_node *node;
} sloe_learned_trees;

typedef struct sloe_learned {
  uint32_t kind, n_inputs;
  uint32_t log_inputs, log_target;
  double *shift, *scale; /* [n_inputs] */
  double target_shift, target_scale;
  sloe_learned_poly poly;
  sloe_learned_kernel kernel;
  sloe_learned_mlp mlp;
  sloe_learned_trees trees;
  sloe_arena arena; /* all arrays */
} sloe_learned;

/* All zero but the arena, which is ready, and shift 0, scale 1, target_scale 1. Errors: USAGE
   (inputs), NOMEM; *out can then be given to fini. */
sloe_status sloe_learned_init(sloe_learned *out, size_t n_inputs, sloe_error *err);
void sloe_learned_fini(sloe_learned *m); /* takes what is all zero */

/* The answer for one row of n_inputs numbers. */
double sloe_learned_predict(const sloe_learned *m, const double *x);

/* The same for n rows, bit by bit; trees are walked for many rows at a time. Errors: NOMEM. */
sloe_status sloe_learned_predict_many(const sloe_learned *m, const double *x, size_t n, double *out,
                                      sloe_error *err);

/* Does everything a reader must be able to rely on hold? Errors: FORMAT. */
sloe_status sloe_learned_check(const sloe_learned *m, sloe_error *err);

/* Bytes that sloe_learned_decode reads, appended to `out` (a failure sticks there). */
void sloe_learned_encode(const sloe_learned *m, sloe_text *out);
/* `len` bytes; they are copied. On failure *out is all zero. Errors: FORMAT (offset), UNSUPPORTED
   (newer), NOMEM. */
sloe_status sloe_learned_decode(const void *data, size_t len, sloe_learned *out, sloe_error *err);

/* How many coefficients a polynomial has; SLOE_LEARNED_COEFS + 1 when that is too many. */
size_t sloe_learned_poly_coefs(size_t n_inputs, size_t degree, int powers);
size_t sloe_learned_mlp_weights(const sloe_learned_mlp *mlp);
/* The part of sloe_learned_check; without weights that of its shape. Errors: FORMAT. */
sloe_status sloe_learned_mlp_check(const sloe_learned_mlp *mlp, size_t n_inputs, sloe_error *err);
/* A sloe_activation of each of n numbers, in place. */
void sloe_learned_activate(uint32_t activation, float *h, size_t n);

/* The part of sloe_learned_check; of trees whose arrays are NULL that of their numbers. Errors:
   FORMAT. */
sloe_status sloe_learned_trees_check(const sloe_learned_trees *trees, size_t n_inputs,
                                     sloe_error *err);

/* The monomials of z in the order of the coefficients. */
void sloe_learned_poly_terms(size_t n_inputs, size_t degree, int powers, const double *z,
                             double *term);

/* What the row's inputs are to the body: z. 0 when one of them is not finite. */
int sloe_learned_inputs(const sloe_learned *m, const double *x, double *z);
/* From the body's answer to the target's unit. */
double sloe_learned_target(const sloe_learned *m, double body);

/* ---- the bodies, one file each ---- */

double sloe_learned_poly_eval(const sloe_learned_poly *p, size_t n_inputs, const double *z);
double sloe_learned_kernel_eval(const sloe_learned_kernel *k, size_t n_inputs, const double *z);
double sloe_learned_mlp_eval(const sloe_learned_mlp *mlp, const double *z);
double sloe_learned_trees_eval(const sloe_learned_trees *t, const float *z);
/* z: [n][n_inputs] */
void sloe_learned_trees_eval_many(const sloe_learned_trees *t, size_t n_inputs, const float *z,
                                  size_t n, double *out);

#endif
