/* sort_numbers.h: numbers in ascending order, in place; none of them NAN. n may be 0. */
#ifndef SLOE_BASE_SORT_NUMBERS_H
#define SLOE_BASE_SORT_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

void sloe_sort_doubles(double *v, size_t n);
void sloe_sort_floats(float *v, size_t n);
void sloe_sort_u64(uint64_t *v, size_t n);

#endif
