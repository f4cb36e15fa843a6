#include "zoo/zoo_inverted.h"

sloe_zoo_map sloe_zoo_add_depthwise(sloe_zoo_builder *b, sloe_zoo_map x, int64_t kernel,
                                    int64_t stride, int64_t pad, sloe_spec_act act) {
  return sloe_zoo_add_conv(b, x,
                           (sloe_zoo_conv){.k = x.c,
                                           .kernel = kernel,
                                           .stride = stride,
                                           .groups = x.c,
                                           .norm = 1,
                                           .act = act,
                                           .pad = pad});
}

sloe_zoo_map sloe_zoo_add_inverted(sloe_zoo_builder *b, sloe_zoo_map x, sloe_zoo_inverted r) {
  sloe_zoo_map y = x;
  if (r.wide != x.c)
    y = sloe_zoo_add_conv(b, y, (sloe_zoo_conv){.k = r.wide, .norm = 1, .act = r.act});
  y = sloe_zoo_add_depthwise(b, y, r.kernel, r.stride, r.pad, r.act);
  if (r.gate.squeezed) y = sloe_zoo_add_gate(b, y, r.gate);
  y = sloe_zoo_add_conv(b, y, (sloe_zoo_conv){.k = r.k, .norm = 1});
  if (r.alone || r.stride != 1 || x.c != y.c) return y;
  return sloe_zoo_add_binary(b, SLOE_OP_ADD, y, x);
}
