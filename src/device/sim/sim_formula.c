/* sim_formula.c: floor + macs of the sizes rounded up to their steps + bytes moved. Depthwise
 * layers have a staircase over channels alone; ops without products cost bytes and, a window or a
 * function of each element, a little arithmetic.
 */
#include "device/sim/sim_formula.h"

#include "base/rng.h"

uint64_t sloe_sim_hash(uint64_t seed, const sloe_layer_spec *spec) {
  char text[SLOE_SPEC_TEXT];
  uint64_t state = seed;
  for (const char *s = sloe_layer_spec_print(spec, text); *s; s++) {
    state ^= (unsigned char)*s;
    state = sloe_splitmix64(&state);
  }
  return state;
}

static double up(int64_t x, int64_t step) {
  const int64_t steps = (x + step - 1) / step;
  return (double)steps * (double)step;
}

static double area(const int64_t pair[2]) {
  return (double)pair[0] * (double)pair[1];
}

static double window_macs(const sim_formula *f, const sloe_layer_spec *s) {
  const double places =
      (double)s->n * (s->op == SLOE_SPEC_DECONV ? (double)s->h * (double)s->w : area(s->out));
  const double each = places * area(s->kernel);
  if (sloe_layer_spec_is_depthwise(s))
    return 4 * each * up(s->c, f->c_step) * ((double)s->k / (double)s->c);
  return each * (double)s->groups * up(s->c / s->groups, f->c_step) *
         up(s->k / s->groups, f->k_step);
}

static double macs(const sim_formula *f, const sloe_layer_spec *s) {
  const double out = (double)sloe_layer_spec_out_elements(s);
  switch (s->op) {
    case SLOE_SPEC_CONV:
    case SLOE_SPEC_DECONV: return window_macs(f, s);
    case SLOE_SPEC_FC: return (double)s->n * up(s->c, f->c_step) * up(s->k, f->k_step);
    case SLOE_SPEC_MATMUL:
      return (double)s->n * (double)s->h * up(s->c, f->c_step) * up(s->k, f->k_step);
    case SLOE_SPEC_MAXPOOL:
    case SLOE_SPEC_AVGPOOL: return out * area(s->kernel);
    case SLOE_SPEC_SOFTMAX: return 8 * out;
    case SLOE_SPEC_LRN: return 16 * out;
    default: return out;
  }
}

double sloe_sim_weight_bytes(const sim_formula *f, const sloe_layer_spec *s) {
  return (double)f->element_bytes * (double)sloe_layer_spec_weights(s);
}

double sloe_sim_activation_bytes(const sim_formula *f, const sloe_layer_spec *s) {
  return (double)f->element_bytes *
         ((double)sloe_layer_spec_in_elements(s) + (double)sloe_layer_spec_out_elements(s));
}

/* Measuring again does not help: the spec decides. */
static double outlier(const sim_formula *f, const sloe_layer_spec *s) {
  sloe_rng rng;
  sloe_rng_seed(&rng, sloe_sim_hash(f->seed ^ UINT64_C(0x0071e75), s));
  if (sloe_rng_uniform(&rng) >= f->outliers) return 1;
  return 1.3 + 0.7 * sloe_rng_uniform(&rng);
}

/* ---- kernels ---- */

const char *const sloe_sim_kernel_names[2] = {"steps", "third"};

static int log2_of(int64_t x) {
  int n = 0;
  while (x >>= 1) n++;
  return n;
}

/* A chessboard of powers of four: neighbours tell little of it. */
int sloe_sim_is_proposed(const sim_formula *f, const sloe_layer_spec *s, int kernel) {
  if (!kernel) return 1;
  return f->n_kernels > kernel && sloe_layer_spec_macs(s) &&
         (log2_of(s->c) / 2 + log2_of(s->k) / 2) % 2;
}

double sloe_sim_kernel_ns(const sim_formula *f, const sloe_layer_spec *s, int kernel) {
  const double functions = (s->act ? 0.5 : 0) * (double)sloe_layer_spec_out_elements(s);
  const double bytes = sloe_sim_weight_bytes(f, s) + sloe_sim_activation_bytes(f, s);
  const double work = (macs(f, s) + functions) * f->ns_per_mac + bytes * f->ns_per_byte;
  const double ns = f->floor_ns + (kernel ? work / 3 : work);
  return f->outliers > 0 ? ns * outlier(f, s) : ns;
}

double sloe_sim_layer_ns(const sim_formula *f, const sloe_layer_spec *s) {
  return sloe_sim_kernel_ns(f, s, sloe_sim_is_proposed(f, s, 1));
}
