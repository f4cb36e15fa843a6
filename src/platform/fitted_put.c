#include "platform/fitted_put.h"

#include <string.h>

void sloe_fitted_put(sloe_text *out, uint64_t value, size_t bytes) {
  char raw[8];
  for (size_t i = 0; i < bytes; i++) raw[i] = (char)(value >> 8 * i & 0xff);
  sloe_text_addn(out, raw, bytes);
}

void sloe_fitted_put_u32(sloe_text *out, uint32_t value) {
  sloe_fitted_put(out, value, 4);
}

void sloe_fitted_put_i32(sloe_text *out, int32_t value) {
  sloe_fitted_put(out, (uint32_t)value, 4);
}

void sloe_fitted_put_f64(sloe_text *out, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  sloe_fitted_put(out, bits, 8);
}

void sloe_fitted_put_f32s(sloe_text *out, const float *values, size_t n) {
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    sloe_fitted_put_u32(out, bits);
  }
}

void sloe_fitted_put_f64s(sloe_text *out, const double *values, size_t n) {
  for (size_t i = 0; i < n; i++) sloe_fitted_put_f64(out, values[i]);
}

void sloe_fitted_put_text(sloe_text *out, const char *text) {
  const size_t len = text ? strlen(text) : 0;
  sloe_fitted_put_u32(out, (uint32_t)len);
  sloe_text_addn(out, text ? text : "", len);
}

void sloe_fitted_put_align(sloe_text *out) {
  static const char zeros[SLOE_FITTED_ALIGN];
  sloe_text_addn(out, zeros, -out->len % SLOE_FITTED_ALIGN);
}
