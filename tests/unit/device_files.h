/* device_files.h: opening devices and layers in tests. Any failure fails the test at once. */
#ifndef SLOE_TESTS_DEVICE_FILES_H
#define SLOE_TESTS_DEVICE_FILES_H

#include <math.h>

#include "device/device.h"
#include "unit/unit.h"

static inline sloe_device *device_open(const char *backend) {
  sloe_device *device;
  sloe_error err;
  assert_ok(sloe_device_open(backend, NULL, &device, &err), err);
  return device;
}

static inline sloe_layer_spec spec_of(const char *text) {
  sloe_layer_spec spec;
  sloe_error err;
  assert_ok(sloe_layer_spec_parse(text, &spec, &err), err);
  return spec;
}

static inline sloe_job *device_layer(sloe_device *device, const char *text) {
  const sloe_layer_spec spec = spec_of(text);
  sloe_job *job;
  sloe_error err;
  assert_ok(sloe_device_load_layer(device, &spec, &job, &err), err);
  return job;
}

/* The timing of a layer; sloe_timing_fini. */
static inline sloe_timing device_time(sloe_device *device, const char *text,
                                      const sloe_timing_options *options) {
  sloe_job *job = device_layer(device, text);
  sloe_timing timing;
  sloe_error err;
  assert_ok(sloe_time_job(device, job, options, &timing, &err), err);
  sloe_job_unload(job);
  return timing;
}

static inline double device_median(sloe_device *device, const char *text) {
  sloe_timing timing = device_time(device, text, NULL);
  const double ns = timing.median_ns;
  sloe_timing_fini(&timing);
  return ns;
}

#define CONV_A "op=conv,c=64,h=28,w=28,k=100,kernel=3"

#endif
