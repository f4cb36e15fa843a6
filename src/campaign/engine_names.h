/* engine_names.h: what the name of an engine's layer says. Private to campaign/.
 *
 * TensorRT names a layer after what it fused:
 *
 *   a + b                       one after the other
 *   a + b || c + d              side by side
 *   PWN(PWN(a, b), c)           elementwise, one generated kernel
 *   {ForeignNode[a...b]}        all from a to b, compiled as one
 *   Reformatting CopyNode for Input Tensor 0 to X      from 8.0
 *   X input reformatter 0, X output reformatter 0      to 7.x
 *   X copy                      an input of a concat that could not be written in place
 *
 * `(Unnamed Layer* 4) [Shuffle]` and `[profile 0]` stand for nothing in the ONNX file; clones of a
 * node have its name and `_clone_1`. torch-TensorRT wraps the name: [CONVOLUTION]-[aten...]-[name].
 */
#ifndef SLOE_CAMPAIGN_ENGINE_NAMES_H
#define SLOE_CAMPAIGN_ENGINE_NAMES_H

#include <stddef.h>

typedef enum sloe_engine_role {
  SLOE_ENGINE_LAYER,
  SLOE_ENGINE_REFORMAT, /* another layout or precision, for the layer that it is named after */
  SLOE_ENGINE_QUANTIZE, /* QuantizeLinear as a kernel of its own */
  SLOE_ENGINE_COPY,     /* for a concat */
  SLOE_ENGINE_NOTHING   /* no kernel: NoOp, Constant */
} sloe_engine_role;

const char *sloe_engine_role_text(sloe_engine_role role);

/* `type` and `origin` of the layer info, "" where there is none. */
sloe_engine_role sloe_engine_role_of(const char *name, const char *type, const char *origin);

/* Of a reformat: where the name of its layer begins and how long it is. Else the whole. */
const char *sloe_engine_owner(const char *name, size_t *len);

/* Each part of a name, from left to right. `from`: 1 where the part is the first of a ForeignNode's
   two ends, 2 where it is the second; 0 elsewhere. */
typedef void (*sloe_engine_part_fn)(void *context, const char *part, size_t len, int from);
void sloe_engine_parts(const char *name, size_t len, sloe_engine_part_fn fn, void *context);

#endif
