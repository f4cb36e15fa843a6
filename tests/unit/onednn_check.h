/* onednn_check.h: the backend onednn as its tests open and read it. */
#ifndef SLOE_TESTS_ONEDNN_CHECK_H
#define SLOE_TESTS_ONEDNN_CHECK_H

#include <math.h>

#include "device/onednn/onednn.h"
#include "unit/fill_check.h"

static inline onednn_device *open_onednn(void) {
  sloe_backend_options none = {.n = 0};
  sloe_device_info info;
  sloe_error err;
  void *state;
  assert_ok(sloe_backend_onednn.open(&none, &state, &info, &err), err);
  ((onednn_device *)state)->fill = fill_by_name;
  return state;
}

/* A value in plain layout; freed with sloe_dealloc. */
static inline float *read_value(onednn_job *job, onednn_value *value) {
  sloe_error err;
  float *got = sloe_alloc((size_t)sloe_onednn_elements(value), sizeof *got);
  assert_non_null(got);
  assert_ok(sloe_onednn_read(job, value, got, &err), err);
  return got;
}

#endif
