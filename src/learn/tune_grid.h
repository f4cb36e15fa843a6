/* tune_grid.h: which points of the grid are tried. Private to learn/.
 *
 * A family is a set of points that differ in the path's hyperparameter only; a point is a family
 * and a place on its path.
 */
#ifndef SLOE_LEARN_TUNE_GRID_H
#define SLOE_LEARN_TUNE_GRID_H

#include "learn/tune_fit.h"

enum { SLOE_TUNE_LEVELS = SLOE_FIT_PATH };

typedef struct sloe_tune_levels {
  double value[SLOE_TUNE_LEVELS]; /* ascending */
  size_t n;
} sloe_tune_levels;

/* levels[n_hyper] of one of regressors.def. */
void sloe_tune_levels_of(const sloe_regressor *r, sloe_tune_levels *levels);

typedef struct sloe_tune_family {
  double hyper[SLOE_HYPER_MOST]; /* that of the path means nothing */
  double path[SLOE_TUNE_LEVELS]; /* [n] ascending */
  size_t n, first;               /* first: the number of its first point */
} sloe_tune_family;

typedef struct sloe_tune_grid {
  const sloe_regressor *r;
  sloe_tune_levels levels[SLOE_HYPER_MOST];
  sloe_tune_family *family; /* sloe_dealloc */
  size_t n_families, n_points, cap;
} sloe_tune_grid;

/* The first families: at least `points` points. On failure *out is all zero. Errors: NOMEM. */
sloe_status sloe_tune_grid_init(const sloe_regressor *r, size_t points, uint64_t seed,
                                sloe_tune_grid *out, sloe_error *err);
void sloe_tune_grid_fini(sloe_tune_grid *grid);

/* Families around one place of `family`, `round` (from 0) halving the steps; those that are there
   already are not added. Errors: NOMEM. */
sloe_status sloe_tune_grid_neighbours(sloe_tune_grid *grid, size_t family, size_t place,
                                      size_t round, sloe_error *err);

/* What has no effect is brought to its default, and what means the same to one value. */
void sloe_tune_canonical(const sloe_regressor *r, double *hyper);

#endif
