/* fitted.h: what a platform knows of layers that were measured on it (source FITTED).
 *
 *   time = (staircase of the family at the layer's coordinates
 *           + elements written x what its activation and residual cost one of them)
 *          x exp(correction of its op: what a forest says at the layer's features, and an MLP
 *                at its inputs)
 *
 * A staircase may be missing for a family (n_dims 0 never stands in a file), a correction for an
 * op. Times are milliseconds while the reference layer takes `reference_ms`.
 */
#ifndef SLOE_PLATFORM_FITTED_H
#define SLOE_PLATFORM_FITTED_H

#include "model/model.h"
#include "net/net.h"
#include "platform/networks.h"

typedef struct sloe_fitted_family {
  sloe_layer_key key;
  uint32_t points;        /* measured for it */
  sloe_stair_model stair; /* ms over sloe_layer_coords of the key's op */
} sloe_fitted_family;

/* Multi-layer perceptrons of one shape over some of sloe_layer_inputs, whose mean is the answer.
   Each input is brought into the range that was learned from, and so is the answer: beyond it, what
   stands at its end is said. */
typedef struct sloe_fitted_mlp {
  sloe_learned_mlp body; /* the first; n_layers 0: there is none */
  uint32_t n_bodies;     /* the others' weights stand behind its own, one after the other */
  double units;          /* of sloe_layer_view */
  const uint32_t *input; /* [body.width[0]] of SLOE_LAYER_INPUTS, ascending */
  const float *lo, *hi;  /* [body.width[0]] */
  double least, most;
} sloe_fitted_mlp;

/* About 1 where something is so, about 0 where it is not, over features of a layer: by trees of any
   shape, or where there are none (n_trees 0) by oblivious ones. */
typedef struct sloe_fitted_odds {
  sloe_learned_trees trees;
  sloe_forest forest;
} sloe_fitted_odds;

/* Of all layers of one op and grouping. */
typedef struct sloe_fitted_op {
  int32_t op, grouping;
  /* Their sum is ln(time / staircase); n_trees may be 0, and so may the MLP's layers. */
  sloe_forest forest;  /* over sloe_fitted_features */
  sloe_fitted_mlp mlp; /* features as those */
  /* Over sloe_layer_features, about 1 where the runtime proposes one of its kernels for a layer, 0
     where not: of the kernels that matter and are not proposed for all. */
  sloe_fitted_odds proposed[SLOE_LAYER_PROPOSED];
  size_t n_proposed;
  /* About 1 where the layer's kernel goes by Fourier transforms, 0 where not, over
     sloe_fitted_features of the layer by itself; bytes of workspace (scratch memory) that it then
     needs an element of sloe_layer_half_transforms. 0: none goes so, and nothing is known. */
  sloe_fitted_odds transformed;
  double transform_bytes;
  float lo[SLOE_LAYER_FEATURES], hi[SLOE_LAYER_FEATURES]; /* of the features measured: the domain */
  /* What is fused costs that much an element written, ns; of an activation op: over its staircase.
   */
  double act_ns[SLOE_SPEC_ACT_COUNT], add_ns;
  double p75, p97_5; /* ratio of these percentiles of the runs to the median, usual; NAN: unknown */
  double error_90;   /* nine in ten held-out layers lie within exp(+-error_90); NAN: unknown */
} sloe_fitted_op;

/* From the sum of layers to the network:
   ms = scale x sum + per_layer_ms x layers + per_mb_ms x MB + per_reorder x reorders. */
typedef struct sloe_fitted_network {
  double scale, per_layer_ms;
  double per_mb_ms;   /* of activations that layers read and write, beyond the first MB of each */
  double per_reorder; /* share of the time of the reorders around grouped convolutions */
  double error_90;    /* conformal: ln(high / ms) = ln(ms / low); NAN: unknown */
  double memory_scale, memory_offset_mb, memory_error_90; /* of sloe_estimate_own_mb; 0: unknown */
} sloe_fitted_network;

/* X(name, doc): what a layer draws of (estimate/pace.h), in the order of the coefficients */
#define SLOE_POWER_TERM_MAP(X)                                               \
  X(rest, "W whatever is done")                                              \
  X(arithmetic, "W of 10^12 multiply-accumulates a second")                  \
  X(traffic, "W of 10^12 bytes a second read and written")                   \
  X(root_arithmetic, "W of the root of 10^12 multiply-accumulates a second") \
  X(root_traffic, "W of the root of 10^12 bytes a second")

enum {
#define SLOE_POWER_TERM_ENUM(name, doc) SLOE_POWER_##name,
  SLOE_POWER_TERM_MAP(SLOE_POWER_TERM_ENUM)
#undef SLOE_POWER_TERM_ENUM
      SLOE_POWER_TERMS
};

/* What layers draw, by networks whose power was measured. All zero: not known. */
typedef struct sloe_fitted_power {
  double coef[SLOE_POWER_TERMS]; /* >= 0 */
  double error_90;               /* conformal, as of the network's time */
} sloe_fitted_power;

static inline int sloe_fitted_knows_power(const sloe_fitted_power *power) {
  return power->coef[SLOE_POWER_rest] > 0;
}

/* Held-out errors, per cent; NAN: none. Part of the card. */
typedef struct sloe_fitted_errors {
  double n, mape, rmspe, max_ape, noise_mape; /* noise: the same things measured twice */
} sloe_fitted_errors;

typedef struct sloe_fitted {
  double reference_ms;
  const sloe_fitted_family *families; /* in the order of sloe_fitted_key_order */
  size_t n_families;
  const sloe_fitted_op *ops; /* by op, then grouping */
  size_t n_ops;
  sloe_fitted_network network;
  sloe_fitted_power power;
  sloe_fitted_errors layer_errors, network_errors, memory_errors, power_errors;
  double points, seconds;              /* measured, and how long that took */
  const char *created, *tool, *seed;   /* "2026-11-25", "sloe 0.1.0", "1" */
  const char *memory_kind;             /* sloe.h; of the networks that memory_scale is from */
  int memory_buffers;                  /* it goes with the buffers between layers (net/lives.h), not
                                          with what lives at once, as of a data sheet */
  const char *const (*environment)[2]; /* pairs of key and value */
  size_t n_environment;
} sloe_fitted;

/* What a file holds: the card's texts come from `card` (name, path, default_mode are ignored: the
   name is made of device, runtime, precision, mode). */
typedef struct sloe_fitted_platform {
  sloe_card card;
  sloe_fusion fusion;
  sloe_fitted fitted;            /* of its families, ops and network there may be none */
  const sloe_networks *networks; /* NULL: nothing was learned */
} sloe_fitted_platform;

/* Is there a model of layers? A platform may know of whole networks alone. */
int sloe_fitted_has_layers(const sloe_fitted *fitted);

/* Write it: atomic, in any order of families and ops. What a reader would refuse is not written.
   Errors: USAGE (a number that is not finite, a key that stands twice, too many of something, a
   text of several lines), IO, NOMEM. */
sloe_status sloe_fitted_write(const sloe_fitted_platform *platform, const char *path,
                              sloe_error *err);

/* sloe_layer_features, with the chances of the op's `proposed`; `op` NULL: none. */
void sloe_fitted_features(const sloe_fitted_op *op, const sloe_layer_spec *spec,
                          const sloe_layer_place *place, float x[SLOE_LAYER_FEATURES]);
/* What the forest and the MLP of an op say of a layer whose features are x. */
double sloe_fitted_correction(const sloe_fitted_op *op, const sloe_layer_spec *spec,
                              double stair_ms, const float x[SLOE_LAYER_FEATURES]);
double sloe_fitted_mlp_eval(const sloe_fitted_mlp *mlp, const sloe_layer_spec *spec,
                            double stair_ms, const float x[SLOE_LAYER_FEATURES]);
/* The chance that something is so. What trees say is no probability: below 0.05 it is none, above
   0.95 certainty. */
double sloe_fitted_chance(const sloe_fitted_odds *odds, const float x[SLOE_LAYER_FEATURES]);

/* Order of keys: op, grouping, kernel, stride; < 0, 0, > 0. What is opened is in this order. */
int sloe_fitted_key_order(const sloe_layer_key *a, const sloe_layer_key *b);

/* The family of exactly this key, NULL; the nearest one of the same op and grouping, NULL: least
   distance in the logarithms of kernel area, kernel aspect and stride. */
const sloe_fitted_family *sloe_fitted_find(const sloe_fitted *fitted, const sloe_layer_key *key);
const sloe_fitted_family *sloe_fitted_nearest(const sloe_fitted *fitted, const sloe_layer_key *key);
const sloe_fitted_op *sloe_fitted_find_op(const sloe_fitted *fitted, int32_t op, int32_t grouping);

#endif
