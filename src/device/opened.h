/* opened.h: what an opened device and a job are. Private to device/. */
#ifndef SLOE_DEVICE_OPENED_H
#define SLOE_DEVICE_OPENED_H

#include "device/device.h"

struct sloe_device {
  const sloe_backend *backend;
  void *state;
  sloe_device_info info;
  char *text;          /* NAME:key=value,... as given */
  char *keys;          /* the same, cut into keys and values, which `options` points into */
  sloe_job *reference; /* NULL: not loaded yet */
  double idle_w;       /* of sloe_power_idle */
  int has_idle;        /* it was taken */
  sloe_backend_options options;
};

struct sloe_job {
  sloe_device *device;
  void *state;
  size_t n_layers; /* of a network; 0: a single layer */
};

/* `load` of a backend that has none of its own: runs, one after the other. */
sloe_status sloe_load_by_runs(const sloe_backend *backend, void *state, void *job, uint64_t ns,
                              uint64_t *count, sloe_error *err);
/* `rest` of one that has none. */
sloe_status sloe_rest_by_sleep(uint64_t ns);

/* The constant of a backend that is a module; `modules` as of sloe_device_open. UNSUPPORTED where
   it is not there or cannot be loaded, and in a build that loads none (SLOE_ALONE). */
sloe_status sloe_backend_load(const char *modules, const char *name, const sloe_backend **out,
                              sloe_error *err);
/* Is its library there? Whether it can be loaded is not tried. */
int sloe_backend_has_module(const char *modules, const char *name);

/* Cut `keys` (key=value,...) into *out. USAGE, with `name` before the message. */
sloe_status sloe_backend_options_read(const char *name, char *keys, sloe_backend_options *out,
                                      sloe_error *err);

#endif
