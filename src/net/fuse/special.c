/* special.c: rules of groups G and H: layers that stand for no op, and opaque ones. */
#include "net/fuse/fuse.h"

/* The input arrives as row-major planes of 3 channels; FP16 and INT8 kernels want channels in
   vectors. Seen before the first convolution in every FP16 and INT8 recording, in no FP32 one. */
int sloe_fuse_rule_reformat_input(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  if (n->op != SLOE_OP_CONV || n->n_in < 1 || n->in[0] < 0) return 0;
  const sloe_tensor *x = &f->net->tensors[sloe_fuse_root(f, n->in[0])];
  if (!(x->flags & SLOE_T_INPUT) || x->shape.rank != 4 || x->shape.dim[1] > 4) return 0;
  sloe_fuse_hang(f, node, (sloe_fuse_extra){NULL, n->in[0], -1, SLOE_LAYER_REFORMAT, -1});
  return 1;
}

/* 10.x gives fully connected layers to Myelin: the build log says {ForeignNode[first...last]}, the
   profile __myl_<ops>_myl<n>_<m>, whose numbers nobody can know before. */
int sloe_fuse_rule_foreign_fc(sloe_fuse *f, int32_t node) {
  const sloe_op op = sloe_fuse_op(f, node);
  if ((op != SLOE_OP_GEMM && op != SLOE_OP_MATMUL) || !sloe_fuse_is_anchor(f, node)) return 0;
  sloe_fuse_group *g = sloe_fuse_group_of(f, node);
  const sloe_tensor *w = sloe_node_in(f->net, &f->net->nodes[node], 1);
  if (g->anchor != node || !w || (g->flags & SLOE_FUSE_QWEIGHTS)) return 0;
  g->expr = sloe_fuse_wrap(f, g->expr, SLOE_FORM_FOREIGN, w->name);
  return 1;
}
