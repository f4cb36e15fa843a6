/* postop.c: oneDNN's post-ops, as a user of the library attaches them to a convolution or matrix
 * product: eltwise (relu, clip, tanh, logistic, elu, swish, hardswish, gelu, ...), sum and binary
 * with a second tensor that is broadcast where it is smaller; up to 32 in any order (oneDNN
 * developer guide, "Primitive Attributes: Post-ops"). Chains grow op by op, because rules visit ops
 * in execution order. */
#include "net/fuse/fuse.h"

enum { MAX_POST_OPS = 32 };

static int is_eltwise(sloe_op op) {
  switch (op) {
    case SLOE_OP_ABS:
    case SLOE_OP_EXP:
    case SLOE_OP_LOG:
    case SLOE_OP_SQRT:
    case SLOE_OP_ROUND: return 1;
    default: return sloe_op_role_of(op) == SLOE_ROLE_ACTIVATION;
  }
}

static int is_binary(sloe_op op) {
  switch (op) {
    case SLOE_OP_ADD:
    case SLOE_OP_SUM:
    case SLOE_OP_SUB:
    case SLOE_OP_MUL:
    case SLOE_OP_DIV:
    case SLOE_OP_MIN:
    case SLOE_OP_MAX: return 1;
    default: return 0;
  }
}

static int32_t host(sloe_fuse *f, int32_t node, size_t i) {
  const int32_t g = sloe_fuse_private_input(f, node, i);
  if (g < 0 || f->groups[g].n_ops > MAX_POST_OPS) return -1;
  return sloe_fuse_is_anchor(f, f->groups[g].anchor) ? g : -1;
}

/* Mul(x, Sigmoid(x)) or Mul(x, HardSigmoid(x)): swish, hardswish. Joins the two first. */
static int join_gate(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  for (size_t i = 0; i < 2; i++) {
    const int32_t gate = sloe_fuse_private_input(f, node, i);
    if (gate < 0 || f->groups[gate].n_ops != 1) continue;
    const sloe_node *s = &f->net->nodes[f->groups[gate].tail];
    if ((s->op != SLOE_OP_SIGMOID && s->op != SLOE_OP_HARD_SIGMOID) ||
        sloe_fuse_root(f, s->in[0]) != sloe_fuse_root(f, n->in[1 - i]))
      continue;
    const int32_t p = sloe_fuse_producer(f, s->in[0]), g = sloe_fuse_find(f, p);
    if (g < 0 || !sloe_fuse_is_anchor(f, f->groups[g].anchor)) return 0;
    return sloe_fuse_join(f, gate, node, SLOE_FORM_JOIN);
  }
  return 0;
}

int sloe_fuse_rule_post_op(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  const sloe_tid out = n->out[0];
  int32_t g = -1;
  if (n->op == SLOE_OP_MUL && n->n_in == 2 && join_gate(f, node)) {
    g = host(f, node, 0);
    if (g < 0) g = host(f, node, 1);
  } else if (is_eltwise(n->op)) {
    g = host(f, node, 0);
  } else if (is_binary(n->op) && n->n_in == 2) {
    const int ordered = n->op == SLOE_OP_SUB || n->op == SLOE_OP_DIV;
    const int32_t first = host(f, node, 0), second = ordered ? -1 : host(f, node, 1);
    const int first_fits = first >= 0 && sloe_fuse_same_shape(f, n->in[0], out);
    const int second_fits = second >= 0 && sloe_fuse_same_shape(f, n->in[1], out);
    if (first_fits) g = first;
    if (second_fits && (g < 0 || f->pos[f->groups[second].anchor] > f->pos[f->groups[g].anchor]))
      g = second;
  }
  return g >= 0 && sloe_fuse_join(f, g, node, SLOE_FORM_JOIN);
}
