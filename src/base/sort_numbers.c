#include "base/sort_numbers.h"

#include <stdlib.h>

#define COMPARE(type)                                       \
  static int compare_##type(const void *a, const void *b) { \
    const type p = *(const type *)a, q = *(const type *)b;  \
    return (p > q) - (p < q);                               \
  }
COMPARE(double)
COMPARE(float)
COMPARE(uint64_t)
#undef COMPARE

void sloe_sort_doubles(double *v, size_t n) {
  if (n) qsort(v, n, sizeof *v, compare_double);
}

void sloe_sort_floats(float *v, size_t n) {
  if (n) qsort(v, n, sizeof *v, compare_float);
}

void sloe_sort_u64(uint64_t *v, size_t n) {
  if (n) qsort(v, n, sizeof *v, compare_uint64_t);
}
