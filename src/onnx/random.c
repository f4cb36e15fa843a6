#include "onnx/random.h"

#include <math.h>
#include <string.h>

void sloe_random_init(sloe_random *random, uint64_t stream, double mean, double deviation) {
  uint64_t z = (stream + 1) * UINT64_C(0x9e3779b97f4a7c15); /* splitmix64: streams far apart */
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  *random = (sloe_random){.state = (z ^ z >> 31) | 1, .mean = mean, .deviation = deviation};
}

static double next(sloe_random *random) {
  uint64_t x = random->state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  random->state = x;
  x *= UINT64_C(2685821657736338717);
  int32_t sum = (int32_t)(x & 0xffff) + (int32_t)(x >> 16 & 0xffff) + (int32_t)(x >> 32 & 0xffff) +
                (int32_t)(x >> 48);
  /* four uniforms on [0, 65535]: mean 131070, variance 4 * (65536^2 - 1) / 12 */
  return random->mean + random->deviation * ((sum - 131070) * (1 / 37837.22));
}

static uint32_t single_bits(double value) {
  float narrow = (float)value;
  uint32_t bits;
  memcpy(&bits, &narrow, sizeof bits);
  return bits;
}

/* Round to nearest, ties to even. */
static uint32_t half_bits(double value) {
  uint32_t sign = signbit(value) ? 0x8000 : 0;
  double size = fabs(value);
  if (isnan(value)) return sign | 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  int exponent;
  frexp(size, &exponent); /* size = f * 2^exponent, f in [0.5, 1) */
  if (size == 0 || exponent < -13) exponent = -13;
  uint32_t steps = (uint32_t)rint(ldexp(size, 11 - exponent)); /* of 2^(exponent - 11) */
  return sign | (((uint32_t)(exponent + 13) << 10) + steps);
}

uint64_t sloe_real_bits(sloe_dtype dtype, double value) {
  uint64_t bits;
  uint32_t single;
  switch (dtype) {
    case SLOE_DT_FLOAT: return single_bits(value);
    case SLOE_DT_FLOAT16: return half_bits(value);
    case SLOE_DT_BFLOAT16:
      single = single_bits(value);
      if (isnan(value)) return single >> 16 | 0x40;
      return (single + 0x7fff + (single >> 16 & 1)) >> 16;
    default: memcpy(&bits, &value, sizeof bits); return bits;
  }
}

static void fill_singles(sloe_random *random, uint8_t *out, size_t len) {
  for (size_t i = 0; i + 4 <= len; i += 4) {
    uint32_t bits = single_bits(next(random));
    out[i] = (uint8_t)bits;
    out[i + 1] = (uint8_t)(bits >> 8);
    out[i + 2] = (uint8_t)(bits >> 16);
    out[i + 3] = (uint8_t)(bits >> 24);
  }
}

void sloe_random_fill(sloe_random *random, sloe_dtype dtype, uint8_t *out, size_t len) {
  size_t size = dtype == SLOE_DT_DOUBLE ? 8 : 2;
  switch (dtype) {
    case SLOE_DT_FLOAT: fill_singles(random, out, len); return;
    case SLOE_DT_DOUBLE:
    case SLOE_DT_FLOAT16:
    case SLOE_DT_BFLOAT16: break;
    default: memset(out, 0, len); return;
  }
  for (size_t i = 0; i + size <= len; i += size) {
    uint64_t bits = sloe_real_bits(dtype, next(random));
    for (size_t k = 0; k < size; k++) out[i + k] = (uint8_t)(bits >> 8 * k);
  }
}
