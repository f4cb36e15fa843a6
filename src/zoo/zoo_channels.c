/* zoo_channels.c: ops that move or weigh channels. */
#include "zoo/zoo_build.h"

sloe_zoo_map sloe_zoo_add_slice(sloe_zoo_builder *b, sloe_zoo_map x, int64_t from, int64_t to) {
  const int64_t axis = 1;
  const sloe_tid in[] = {x.t, sloe_zoo_ints(b, 1, &from), sloe_zoo_ints(b, 1, &to),
                         sloe_zoo_ints(b, 1, &axis)};
  return (sloe_zoo_map){sloe_zoo_node(b, SLOE_OP_SLICE, in, 4, NULL, 0), x.n, to - from, x.h, x.w};
}

static sloe_tid reshape(sloe_zoo_builder *b, sloe_tid t, size_t n, const int64_t *shape) {
  return sloe_zoo_node(b, SLOE_OP_RESHAPE, (sloe_tid[]){t, sloe_zoo_ints(b, n, shape)}, 2, NULL, 0);
}

sloe_zoo_map sloe_zoo_add_shuffle(sloe_zoo_builder *b, sloe_zoo_map x, int64_t groups) {
  const int64_t apart[] = {x.n, groups, x.c / groups, x.h, x.w}, back[] = {x.n, x.c, x.h, x.w};
  const int64_t order[] = {0, 2, 1, 3, 4};
  const sloe_attr perm = sloe_zoo_attr_ints("perm", 5, order);
  sloe_tid t = reshape(b, x.t, 5, apart);
  t = sloe_zoo_node(b, SLOE_OP_TRANSPOSE, &t, 1, &perm, 1);
  x.t = reshape(b, t, 4, back);
  return x;
}

sloe_zoo_map sloe_zoo_add_zero_channels(sloe_zoo_builder *b, sloe_zoo_map x, int64_t before,
                                        int64_t after) {
  const int64_t pads[8] = {0, before, 0, 0, 0, after, 0, 0};
  x.t = sloe_zoo_node(b, SLOE_OP_PAD, (sloe_tid[]){x.t, sloe_zoo_ints(b, 8, pads)}, 2, NULL, 0);
  x.c += before + after;
  return x;
}

sloe_zoo_map sloe_zoo_add_reduce_mean(sloe_zoo_builder *b, sloe_zoo_map x) {
  const int64_t axes[] = {2, 3};
  const sloe_attr attr = sloe_zoo_attr_ints("axes", 2, axes);
  return (sloe_zoo_map){sloe_zoo_node(b, SLOE_OP_REDUCE_MEAN, &x.t, 1, &attr, 1), x.n, x.c, 1, 1};
}

sloe_zoo_map sloe_zoo_add_gate(sloe_zoo_builder *b, sloe_zoo_map x, sloe_zoo_gate gate) {
  sloe_zoo_map s = gate.reduce ? sloe_zoo_add_reduce_mean(b, x) : sloe_zoo_add_global_pool(b, x);
  s = sloe_zoo_add_conv(b, s, (sloe_zoo_conv){.k = gate.squeezed, .act = gate.act});
  s = sloe_zoo_add_conv(b, s, (sloe_zoo_conv){.k = x.c, .act = gate.open});
  return sloe_zoo_add_binary(b, SLOE_OP_MUL, x, s);
}
