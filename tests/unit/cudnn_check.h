/* cudnn_check.h: the backend cudnn as its tests open and read it. Without a GPU they are skipped.
 */
#ifndef SLOE_TESTS_CUDNN_CHECK_H
#define SLOE_TESTS_CUDNN_CHECK_H

#include "device/cudnn/cudnn.h"
#include "unit/fill_check.h"

/* Skips the test where there is no GPU. */
static inline cudnn_device *open_cudnn(const char *precision) {
  const sloe_backend_options options = {.pair = {{"precision", precision}}, .n = 1};
  sloe_device_info info;
  sloe_error err;
  void *state;
  const sloe_status status = sloe_backend_cudnn.open(&options, &state, &info, &err);
  if (status == SLOE_UNSUPPORTED) {
    print_message("%s\n", err.msg);
    skip();
  }
  assert_ok(status, err);
  ((cudnn_device *)state)->fill = fill_by_name;
  tolerance = strcmp(precision, "fp32") == 0 ? 1e-3 : strcmp(precision, "tf32") == 0 ? 1e-2 : 3e-2;
  return state;
}

/* A value in plain layout; freed with sloe_dealloc. */
static inline float *read_value(cudnn_job *job, const cudnn_value *value) {
  sloe_error err;
  float *got = sloe_alloc((size_t)sloe_cudnn_elements(value), sizeof *got);
  assert_non_null(got);
  assert_ok(sloe_cudnn_read(job, value, got, &err), err);
  return got;
}

#endif
