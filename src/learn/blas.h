/* blas.h: the BLAS calls of this room, row by row. Private to learn/. */
#ifndef SLOE_LEARN_BLAS_H
#define SLOE_LEARN_BLAS_H

#include <cblas.h>
#include <lapacke.h>

/* One thread: the same rows give the same numbers on any machine, and fits run side by side. It
   stays at that, since another fit may be running when this one ends. */
static inline void sloe_blas_one_thread(void) {
  if (openblas_get_num_threads() != 1) openblas_set_num_threads(1);
}

#endif
