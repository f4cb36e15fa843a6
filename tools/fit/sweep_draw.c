#include <math.h>

#include "sweeps.h"

static const double most_flops = 20e9;

const char *const sweep_dim_names[] = {"filters", "channels", "height", "width"};

static void place(sloe_layer_spec *s, int d, int64_t out) {
  const int64_t size = (out - 1) * s->stride[d] + s->kernel[d] - 2 * s->pad[d];
  s->out[d] = out;
  *(d ? &s->w : &s->h) = size > 0 ? size : 1;
}

sloe_layer_spec sweep_convolution(int64_t kernel, int64_t stride, int64_t k, int64_t c,
                                  int64_t out) {
  sloe_layer_spec s = sloe_layer_spec_none();
  s.op = SLOE_SPEC_CONV;
  s.k = k;
  s.c = c;
  for (int d = 0; d < 2; d++) {
    s.kernel[d] = kernel;
    s.stride[d] = stride;
    s.pad[d] = (kernel - 1) / 2;
    place(&s, d, out);
  }
  return s;
}

sloe_layer_spec sweep_spec(const sweep *s, int64_t x) {
  sloe_layer_spec spec = s->base;
  switch (s->dim) {
    case SWEEP_FILTERS: spec.k = x; break;
    case SWEEP_CHANNELS: spec.c = x; break;
    case SWEEP_HEIGHT: place(&spec, 0, x); break;
    case SWEEP_WIDTH: place(&spec, 1, x); break;
  }
  return spec;
}

static int64_t about(sloe_rng *rng, double lo, double hi) { /* log-uniform */
  return (int64_t)lround(exp(log(lo) + sloe_rng_uniform(rng) * (log(hi) - log(lo))));
}

sweep sweep_draw(sloe_rng *rng) {
  static const int64_t kernels[] = {1, 3, 5, 7, 11};
  for (;;) {
    sweep s = {.dim = (sweep_dim)sloe_rng_between(rng, 0, 3)};
    const int64_t kernel = kernels[sloe_rng_between(rng, 0, 4)];
    const int64_t stride = sloe_rng_between(rng, 1, 2);
    const int64_t k = about(rng, 16, 256), c = about(rng, 16, 256);
    s.base = sweep_convolution(kernel, stride, k, c, about(rng, 7, 56));
    s.hi = s.dim <= SWEEP_CHANNELS ? 1024 : 256;
    const sloe_layer_spec last = sweep_spec(&s, s.hi);
    if (2 * (double)sloe_layer_spec_macs(&last) <= most_flops) return s;
  }
}
