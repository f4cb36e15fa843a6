/* pointwise.c: rules of group C. TensorRT generates one kernel for connected elementwise ops of one
 * shape and prints it "PWN(a, b)"; an activation alone is converted first and prints "PWN(a)", so
 * that SiLU reads "PWN(PWN(Sigmoid), Mul)". A finished group that reads one tensor and writes one
 * is then an activation, and joins the convolution before it. */
#include "net/fuse/fuse.h"

enum { MAX_POINTWISE = 32, MAX_INPUTS = 16 };

static void wrap_activation(sloe_fuse *f, int32_t node) {
  sloe_fuse_group *g = sloe_fuse_group_of(f, node);
  if (g->n_ops == 1 && f->exprs[g->expr].form == SLOE_FORM_NODE &&
      sloe_op_role_of(sloe_fuse_op(f, g->anchor)) == SLOE_ROLE_ACTIVATION)
    g->expr = sloe_fuse_wrap(f, g->expr, SLOE_FORM_PWN, NULL);
}

/* Join one pointwise group that only this one reads; 0 when there is none. */
static int absorb_input(sloe_fuse *f, int32_t node) {
  int32_t members[SLOE_FUSE_MAX_OPS];
  const sloe_fuse_group *own = sloe_fuse_group_of(f, node);
  const size_t n_members = sloe_fuse_leaves(f, own->expr, members);
  for (size_t m = 0; m < n_members; m++) {
    const sloe_node *n = &f->net->nodes[members[m]];
    for (size_t i = 0; i < n->n_in && i < MAX_INPUTS; i++) {
      const int32_t g = sloe_fuse_private_input(f, members[m], i);
      if (g < 0 || !(f->groups[g].flags & SLOE_FUSE_POINTWISE)) continue;
      if (f->groups[g].n_ops + own->n_ops > MAX_POINTWISE) continue;
      if (!sloe_fuse_same_shape(f, n->in[i], f->net->nodes[own->tail].out[0])) continue;
      wrap_activation(f, g);
      wrap_activation(f, node);
      return sloe_fuse_join(f, g, node, SLOE_FORM_PWN);
    }
  }
  return 0;
}

int sloe_fuse_rule_pointwise(sloe_fuse *f, int32_t node) {
  const sloe_fuse_group *g = sloe_fuse_group_of(f, node);
  if (!(g->flags & SLOE_FUSE_POINTWISE) || g->tail != node || f->net->nodes[node].n_out != 1)
    return 0;
  int applied = 0;
  while (absorb_input(f, node)) applied = 1;
  if (sloe_fuse_op(f, node) != SLOE_OP_RELU) wrap_activation(f, node);
  return applied;
}

static int is_gelu(sloe_op op) {
  return op == SLOE_OP_ERF || op == SLOE_OP_GELU || op == SLOE_OP_MS_GELU ||
         op == SLOE_OP_MS_QUICK_GELU;
}

int sloe_fuse_rule_conv_activation(sloe_fuse *f, int32_t node) {
  const sloe_fuse_group *own = sloe_fuse_group_of(f, node);
  if (!(own->flags & SLOE_FUSE_POINTWISE) || own->tail != node) return 0;
  const sloe_tid x = sloe_fuse_only_input(f, node);
  const int32_t p = x < 0 ? -1 : f->producer[x], g = sloe_fuse_find(f, p);
  if (g < 0 || f->groups[g].tail != p || f->quantized[x] || f->pos[p] > f->pos[node] ||
      f->net->nodes[p].repeat != f->net->nodes[node].repeat)
    return 0;
  const sloe_op op = sloe_fuse_op(f, f->groups[g].anchor);
  if (op != SLOE_OP_CONV && op != SLOE_OP_CONV_TRANSPOSE) return 0;
  if (f->groups[g].flags & (SLOE_FUSE_ACTIVATED | SLOE_FUSE_POOLED | SLOE_FUSE_MERGED)) return 0;
  if (!sloe_fuse_only_read_by(f, p, sloe_fuse_find(f, node)) ||
      !sloe_fuse_same_shape(f, x, f->net->nodes[node].out[0]))
    return 0;
  int32_t members[SLOE_FUSE_MAX_OPS];
  const size_t n = sloe_fuse_leaves(f, own->expr, members);
  for (size_t i = 0; i < n; i++) /* the catalog: GELU needs Turing or newer */
    if (is_gelu(sloe_fuse_op(f, members[i])) && f->fusion.compute_capability < 75) return 0;
  if (!sloe_fuse_join_pwn(f, g, node)) return 0;
  sloe_fuse_group_of(f, node)->flags |= SLOE_FUSE_ACTIVATED;
  return 1;
}
