/* engine_map.h: the layers of a TensorRT engine, and what they are in the network. Private to
 * campaign/.
 *
 * By metadata where the engine has it, which names its ONNX nodes; by its names else; where those
 * are another exporter's, by order: the longest run of layers in the same order that agree in kind,
 * and, where the layer info tells them, in kernel, groups and output maps. Names are believed only
 * where most of the engine is found by them: Conv_3 of one export is not Conv_3 of another.
 *
 * A residual Add joins one of two convolutions, whichever runs last, and TensorRT runs them in
 * either order: by order, both are tried.
 */
#ifndef SLOE_CAMPAIGN_ENGINE_MAP_H
#define SLOE_CAMPAIGN_ENGINE_MAP_H

#include "campaign/engine_names.h"
#include "device/device.h"

typedef struct sloe_engine_layer {
  const char *name;
  const sloe_trt_layer *info; /* NULL: none */
  double ms;                  /* NAN: unknown. A reformat of 0 ms is none */
} sloe_engine_layer;

#define SLOE_ENGINE_FOUND_MAP(X)                                             \
  X(NOT, "")                                                                 \
  X(METADATA, "metadata")                                                    \
  X(NAME, "name")                                                            \
  X(ORDER, "order")                                                          \
  X(OWNER, "owner")     /* a reformat, a copy, a pad: its layer was found */ \
  X(OUTSIDE, "outside") /* a softmax or a move before or behind all that the net has */

typedef enum sloe_engine_found {
#define SLOE_ENGINE_FOUND_ENUM(name, text) SLOE_ENGINE_##name,
  SLOE_ENGINE_FOUND_MAP(SLOE_ENGINE_FOUND_ENUM)
#undef SLOE_ENGINE_FOUND_ENUM
} sloe_engine_found;
const char *sloe_engine_found_text(sloe_engine_found found);

typedef struct sloe_engine_match {
  sloe_engine_role role;
  sloe_engine_found found;
  const int32_t *nodes; /* of the net, in execution order; of a reformat those of its layer */
  size_t n_nodes;
  sloe_layer_kind kind;
  sloe_layer_spec spec;
  int has_spec;     /* 0: no single layer of ours does what this one does */
  const char *ours; /* our fusion's layer with its first node; "": none */
  int differs;      /* 1: that has other nodes */
} sloe_engine_match;

typedef struct sloe_engine_map {
  sloe_arena arena;
  sloe_fusion fusion;         /* ours, that it was compared with */
  sloe_engine_match *matches; /* as the engine's layers */
  size_t n_matches;
  size_t n_layers, n_found, n_outside; /* of role LAYER */
  const char **differences;            /* one line each */
  size_t n_differences, cap_differences;
} sloe_engine_map;

/* `fusion` has TensorRT's rules; precision_known 0: it is compared with the one that fits best. The
   net must outlive the map. On failure *out is empty. Errors: NOMEM, and those of sloe_layers_new.
 */
sloe_status sloe_engine_map_init(const sloe_net *net, const sloe_fusion *fusion,
                                 int precision_known, const sloe_engine_layer *engine, size_t n,
                                 sloe_engine_map *out, sloe_error *err);
void sloe_engine_map_fini(sloe_engine_map *map);

#endif
