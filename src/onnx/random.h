/* random.h: weights for nets that have none. Private to onnx/.
 *
 * Sums of four 16-bit uniforms from one xorshift64* number: near normal, bounded at 3.46 standard
 * deviations, 2 ns each (553 MB of VGG-16 in less time than the disk takes). The stream depends on
 * the tensor's index only, so equal nets give equal files.
 */
#ifndef SLOE_ONNX_RANDOM_H
#define SLOE_ONNX_RANDOM_H

#include "net/net.h"

typedef struct sloe_random {
  uint64_t state;
  double mean, deviation;
} sloe_random;

void sloe_random_init(sloe_random *random, uint64_t stream, double mean, double deviation);

/* The next `len` bytes of a tensor, `len` a multiple of the element's size. Zeros for all that is
   not a float of 16, 32 or 64 bits. */
void sloe_random_fill(sloe_random *random, sloe_dtype dtype, uint8_t *out, size_t len);

/* Little-endian bits of a float type. */
uint64_t sloe_real_bits(sloe_dtype dtype, double value);

#endif
