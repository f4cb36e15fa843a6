/* concat_free.c: rule of group E. A Concat along the channels needs no kernel where the layers
 * before it write their outputs straight into slices of the common buffer. What cannot be written
 * there is copied by a layer "T copy", T the tensor: a graph input or output, a constant, an output
 * of merged siblings (a slice already), a tensor that another Concat has placed in its buffer, a
 * reshaped one. Copies are in no op of the network; each names the Concat that it serves. */
#include "net/fuse/fuse.h"

static int is_placed(sloe_fuse *f, sloe_tid t) {
  const sloe_tid r = sloe_fuse_root(f, t);
  const int32_t p = f->producer[r];
  if (!sloe_fuse_is_activation(f, t) || p < 0 || f->external[r] || f->placed[r]) return 0;
  if (!sloe_fuse_same_shape(f, r, t)) return 0;
  return !(sloe_fuse_group_of(f, p)->flags & SLOE_FUSE_MERGED);
}

int sloe_fuse_rule_concat(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  if (n->op != SLOE_OP_CONCAT || n->n_in < 1) return 0;
  const sloe_shape *out = &f->net->tensors[n->out[0]].shape;
  const int64_t axis = sloe_node_int(n, "axis", 0);
  if (out->rank < 3 || (axis < 0 ? axis + out->rank : axis) != 1) return 0;
  for (size_t i = 0; i < n->n_in; i++) {
    const sloe_tid t = n->in[i];
    if (t < 0) continue;
    if (is_placed(f, t)) {
      f->placed[sloe_fuse_root(f, t)] = 1;
      continue;
    }
    char *name = sloe_arena_printf(f->arena, "%s copy", f->net->tensors[sloe_fuse_root(f, t)].name);
    if (!name) f->failed = 1;
    sloe_fuse_hang(f, node, (sloe_fuse_extra){name, t, node, SLOE_LAYER_COPY, -1});
  }
  sloe_fuse_group_of(f, node)->state = SLOE_FUSE_COPIES;
  return 1;
}
