/* sweeps.h: convolutions along one of their sizes, drawn by seed, and their times on a device.
 *
 * A sweep holds all sizes of a convolution but one, which runs over an axis: filters and channels
 * over 1..1024, output height and width over 1..256. A taking is the device with all that was
 * measured: each point once a role, kept in a file if there is one, so that a run that was stopped
 * goes on, and other fits see the same times. Values are in units of the reference layer's, as a
 * campaign has them.
 */
#ifndef SLOE_TOOLS_SWEEPS_H
#define SLOE_TOOLS_SWEEPS_H

#include <stdio.h>

#include "base/rng.h"
#include "device/device.h"
#include "fit/fit.h"

typedef enum sweep_dim { SWEEP_FILTERS, SWEEP_CHANNELS, SWEEP_HEIGHT, SWEEP_WIDTH } sweep_dim;

typedef struct sweep {
  sloe_layer_spec base;
  sweep_dim dim;
  int64_t hi; /* the axis is 1..hi */
} sweep;

extern const char *const sweep_dim_names[];

/* A sweep of kernel 1, 3, 5, 7 or 11, stride 1 or 2, the other sizes log-uniform in 16..256
   channels and 7..56 pixels of output; at most 20 GFLOP at its end. */
sweep sweep_draw(sloe_rng *rng);
sloe_layer_spec sweep_spec(const sweep *s, int64_t x);

/* A convolution whose image has just the size that the output wants, padded to keep sizes. */
sloe_layer_spec sweep_convolution(int64_t kernel, int64_t stride, int64_t k, int64_t c,
                                  int64_t out);

/* ---- measuring ---- */

enum { TAKES = 9 }; /* the most of a point and role */

typedef enum taking_role { TAKEN_FIT, TAKEN_TRUTH } taking_role; /* times of its own for each */

typedef struct taking taking;

typedef struct taking_options {
  const char *backend, *modules;
  const char *record;      /* CSV that is read first and then added to; NULL */
  double fit_ms, truth_ms; /* measured time of one take; 0: 12 and 8 */
} taking_options;

sloe_status taking_open(const taking_options *options, taking **out, sloe_error *err);
void taking_close(taking *t);
const sloe_device_info *taking_device(const taking *t);
size_t taking_measured(const taking *t); /* points that the device was asked for */

/* Take number `take` of a layer's time, loaded anew: value and spread in units of the reference
   layer. UNSUPPORTED where the device cannot run it. */
sloe_status taking_time(taking *t, const sloe_layer_spec *spec, taking_role role, size_t take,
                        sloe_fit_sample *out, sloe_error *err);

/* The mean of the first `takes`. */
sloe_status taking_mean(taking *t, const sloe_layer_spec *spec, taking_role role, size_t takes,
                        sloe_fit_sample *out, sloe_error *err);

#endif
