#include "platform/fitted_cursor.h"

#include <math.h>
#include <string.h>

const uint8_t *sloe_fitted_take(sloe_fitted_cursor *c, size_t n) {
  if (c->status != SLOE_OK) return NULL;
  if (n > c->end - c->at) {
    c->status =
        sloe_fail_at(c->err, SLOE_FORMAT, c->at, "section '%s': %zu bytes are needed, %zu are left",
                     c->section, n, c->end - c->at);
    return NULL;
  }
  const uint8_t *p = c->data + c->at;
  c->at += n;
  return p;
}

uint64_t sloe_fitted_word(const uint8_t *p, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = bytes; p && i-- > 0;) value = value << 8 | p[i];
  return value;
}

uint32_t sloe_fitted_take_u32(sloe_fitted_cursor *c) {
  return (uint32_t)sloe_fitted_word(sloe_fitted_take(c, 4), 4);
}

int32_t sloe_fitted_take_i32(sloe_fitted_cursor *c) {
  return (int32_t)sloe_fitted_take_u32(c);
}

int64_t sloe_fitted_take_i64(sloe_fitted_cursor *c) {
  return (int64_t)sloe_fitted_word(sloe_fitted_take(c, 8), 8);
}

double sloe_fitted_take_f64(sloe_fitted_cursor *c) {
  uint64_t bits = sloe_fitted_word(sloe_fitted_take(c, 8), 8);
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

const float *sloe_fitted_take_f32s(sloe_fitted_cursor *c, size_t n) {
  return (const float *)(const void *)sloe_fitted_take(c, n * sizeof(float));
}

void sloe_fitted_take_align(sloe_fitted_cursor *c) {
  sloe_fitted_take(c, -c->at % SLOE_FITTED_ALIGN);
}

sloe_status sloe_fitted_fail_here(sloe_fitted_cursor *c, size_t at, const char *what) {
  if (c->status != SLOE_OK) return c->status;
  return c->status = sloe_fail_at(c->err, SLOE_FORMAT, at, "section '%s': %s", c->section, what);
}

sloe_status sloe_fitted_fail_model(sloe_fitted_cursor *c, size_t at, sloe_status status) {
  c->status = sloe_fail_in(c->err, status, "section '%s'", c->section);
  if (c->err) c->err->offset = at;
  return c->status;
}

sloe_status sloe_fitted_end_section(sloe_fitted_cursor *c) {
  if (c->status == SLOE_OK && c->at != c->end)
    return sloe_fitted_fail_here(c, c->at, "bytes behind the last number");
  return c->status;
}

int sloe_fitted_unknown_or_from(double least, double value) {
  return isnan(value) || (isfinite(value) && value >= least);
}
