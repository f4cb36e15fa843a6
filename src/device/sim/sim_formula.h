/* sim_formula.h: how long a layer takes on the simulated device. Private to sim/. */
#ifndef SLOE_DEVICE_SIM_FORMULA_H
#define SLOE_DEVICE_SIM_FORMULA_H

#include "net/net.h"

typedef struct sim_formula {
  uint64_t seed;
  double floor_ns, ns_per_mac, ns_per_byte;
  double outliers;        /* share of specs that are slow for no reason */
  int64_t k_step, c_step; /* widths over filters and input channels */
  int64_t element_bytes;
  int64_t n_kernels; /* 2: a second one takes a third of the work, where it is proposed */
} sim_formula;

/* A layer is the fastest of its kernels: "steps" always, "third" for some layers. */
extern const char *const sloe_sim_kernel_names[2];
int sloe_sim_is_proposed(const sim_formula *f, const sloe_layer_spec *spec, int kernel);
double sloe_sim_kernel_ns(const sim_formula *f, const sloe_layer_spec *spec, int kernel);

/* Of the fastest. */
double sloe_sim_layer_ns(const sim_formula *f, const sloe_layer_spec *spec);

/* Bytes of weights, and of what is read and written. */
double sloe_sim_weight_bytes(const sim_formula *f, const sloe_layer_spec *spec);
double sloe_sim_activation_bytes(const sim_formula *f, const sloe_layer_spec *spec);

/* A number that spec and seed decide. */
uint64_t sloe_sim_hash(uint64_t seed, const sloe_layer_spec *spec);

#endif
