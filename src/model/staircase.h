/* staircase.h: functions of layer sizes made of steps and lines, as Blackthorn fits them.
 *
 * One dimension (B eq. 1, and what was added to it): a shape says where treads end, and the
 * function is linear in the rest,
 *
 *   f(x) = c0 + c1 ceil(x'/width) + c2 ceil(x'/outer) + c3 x' + c4 min(0, x - start)
 *             + [x > change] (c5 + c6 ceil(x/width)),      x' = max(x, start)
 *
 * where a term stands only if the shape has its part; with no step, c6 multiplies x. `width` alone
 * is Blackthorn's step function, `slope` alone the linear one, neither a constant. `outer` nests
 * steps in steps, `start` joins a line for small x to the staircase, `change` is a runtime that
 * switches algorithm.
 *
 * Several dimensions (B IV-C, Fig. 6): every coefficient of the first dimension is such a function
 * of the second, each of its coefficients one of the third, and so on. Siblings share their shape,
 * so the graph is a tensor of coefficients, contracted from the last dimension to the first:
 *
 *   f(x1, ..., xn) = max(floor, sum over i1..in of coef[i1]...[in] B_i1(x1) ... B_in(xn))
 *
 * `floor` is the time below which nothing gets (a launch). The widths do not depend on other
 * dimensions; where they do on a device, that needs two models and a caller who picks one.
 */
#ifndef SLOE_MODEL_STAIRCASE_H
#define SLOE_MODEL_STAIRCASE_H

#include "sloe/sloe.h"

#define SLOE_STAIR_TERMS 7   /* the most that a shape can have */
#define SLOE_STAIR_DIMS  6   /* the most that a model can have */
#define SLOE_STAIR_COEFS 256 /* the most that a model can have: 4 dimensions of 4 terms */

typedef struct sloe_stair { /* a shape; all zero is a constant. Parts that are 0 are not there */
  int32_t width;            /* of the treads; >= 1 */
  int32_t outer;            /* of the treads of the outer steps; needs `width` */
  int32_t slope;            /* 0 or 1 */
  int32_t start;            /* the last x of the linear start; needs `width` */
  int32_t change;           /* the last x before the change; needs `width` or `slope` */
} sloe_stair;

typedef struct sloe_stair_model {
  uint32_t n_dims;
  uint32_t n_coefs;                                 /* the product of the terms of all shapes */
  int64_t lo[SLOE_STAIR_DIMS], hi[SLOE_STAIR_DIMS]; /* what was measured: the domain, inclusive */
  sloe_stair shape[SLOE_STAIR_DIMS];
  double floor;                  /* >= 0 */
  double coef[SLOE_STAIR_COEFS]; /* the first dimension varies slowest */
} sloe_stair_model;

/* How many coefficients a shape has, 1 to SLOE_STAIR_TERMS. */
size_t sloe_stair_terms(const sloe_stair *shape);

/* B(x): the value of each term; returns how many. `shape` must be valid. */
size_t sloe_stair_basis(const sloe_stair *shape, int64_t x, double basis[SLOE_STAIR_TERMS]);

/* 1 where every part is in its range and has what it needs: what a reader of files asks. */
int sloe_stair_valid(const sloe_stair *shape);

/* OK, or FORMAT with what is wrong: after it the functions below are safe with any coordinates. */
sloe_status sloe_stair_model_check(const sloe_stair_model *model, sloe_error *err);

/* The time at `coords`, model->n_dims of them, in the unit of the coefficients; outside the domain
   the functions are simply continued. Pure. `model` must have passed the check. */
double sloe_stair_model_eval(const sloe_stair_model *model, const int64_t *coords);

/* 1 where every coordinate lies in the domain. */
int sloe_stair_model_covers(const sloe_stair_model *model, const int64_t *coords);

/* The last x of the tread on which `x` stands in dimension `dim`: as much again for nothing (B Fig.
   9). `x` itself where the dimension has no steps, or where x lies on a slope. */
int64_t sloe_stair_model_tread_end(const sloe_stair_model *model, size_t dim, int64_t x);

#endif
