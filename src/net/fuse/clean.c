/* clean.c: rules of group A. Ops that do nothing, and ops that vanish into the weights of the
 * convolution or product before them. A folded op stays in the layer's list and leaves its name,
 * its flops and its parameters behind. */
#include "net/fuse/fuse.h"

#include <string.h>

int sloe_fuse_rule_drop(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  if (n->n_in < 1 || n->n_out < 1 || !sloe_fuse_is_activation(f, n->in[0]) || n->out[0] < 0)
    return 0;
  if (n->op == SLOE_OP_CAST) {
    const sloe_dtype type = f->net->tensors[n->out[0]].dtype;
    if (type == SLOE_DT_UNDEFINED || type != f->net->tensors[n->in[0]].dtype) return 0;
  } else if (sloe_op_role_of(n->op) != SLOE_ROLE_DROP) {
    return 0;
  }
  sloe_fuse_drop(f, node);
  return 1;
}

int sloe_fuse_rule_view(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  if (sloe_op_role_of(n->op) != SLOE_ROLE_VIEW || n->n_in < 1 || n->n_out != 1) return 0;
  if (!sloe_fuse_is_activation(f, n->in[0]) || n->out[0] < 0) return 0;
  const int32_t reader = sloe_fuse_only_reader(f, node);
  if (f->fusion.runtime == SLOE_RUNTIME_TENSORRT && n->op == SLOE_OP_RESHAPE &&
      sloe_fuse_op(f, reader) == SLOE_OP_TRANSPOSE) {
    if (!sloe_fuse_join(f, node, reader, SLOE_FORM_JOIN)) return 0;
    sloe_fuse_group_of(f, node)->anchor = reader;
    return 1;
  }
  sloe_fuse_drop(f, node);
  return 1;
}

enum { NOT_BARE = SLOE_FUSE_ACTIVATED | SLOE_FUSE_ADDED | SLOE_FUSE_POOLED | SLOE_FUSE_MERGED };

/* The group before `node`'s input i, if it is an anchor that has not got an activation yet. */
static int32_t bare_anchor(sloe_fuse *f, int32_t node, size_t i) {
  const int32_t g = sloe_fuse_private_input(f, node, i);
  if (g < 0 || (f->groups[g].flags & NOT_BARE)) return -1;
  return sloe_fuse_is_anchor(f, f->groups[g].anchor) ? g : -1;
}

int sloe_fuse_rule_fold_bn(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  if (n->op != SLOE_OP_BATCH_NORM) return 0;
  for (size_t k = 1; k < n->n_in; k++)
    if (sloe_fuse_is_activation(f, n->in[k])) return 0;
  const int32_t g = bare_anchor(f, node, 0);
  if (g < 0 || !sloe_fuse_join(f, g, node, SLOE_FORM_SILENT)) return 0;
  f->vanished[node] = 1;
  return 1;
}

int sloe_fuse_is_per_channel(const sloe_fuse *f, sloe_tid constant, const sloe_shape *out,
                             int last_dim) {
  const sloe_shape *c = &f->net->tensors[constant].shape;
  if (c->rank < 0 || out->rank < 1 || c->rank > out->rank) return 0;
  const int channel = last_dim ? out->rank - 1 : 1;
  for (int d = 0; d < c->rank; d++) {
    const int at = out->rank - c->rank + d;
    if (c->dim[d] != 1 && (at != channel || c->dim[d] != out->dim[at])) return 0;
  }
  return 1;
}

int sloe_fuse_rule_fold_scale(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  const int commutes = n->op == SLOE_OP_MUL || n->op == SLOE_OP_ADD;
  if ((!commutes && n->op != SLOE_OP_SUB && n->op != SLOE_OP_DIV) || n->n_in != 2) return 0;
  const size_t i = sloe_fuse_is_activation(f, n->in[0]) ? 0 : 1;
  if (n->in[1 - i] < 0 || sloe_fuse_is_activation(f, n->in[1 - i]) || (i == 1 && !commutes))
    return 0;
  const int32_t g = bare_anchor(f, node, i);
  if (g < 0) return 0;
  const sloe_op op = sloe_fuse_op(f, f->groups[g].anchor);
  const int product = op == SLOE_OP_MATMUL || op == SLOE_OP_GEMM;
  if (!sloe_fuse_is_per_channel(f, n->in[1 - i], &f->net->tensors[n->in[i]].shape, product) ||
      !sloe_fuse_same_shape(f, n->in[i], n->out[0]))
    return 0;
  /* the bias of a matrix product is printed, other constants are not */
  const int bias = op == SLOE_OP_MATMUL && n->op == SLOE_OP_ADD;
  if (!sloe_fuse_join(f, g, node, bias ? SLOE_FORM_JOIN : SLOE_FORM_SILENT)) return 0;
  f->vanished[node] = !bias;
  return 1;
}

/* Only zeros, only around height and width? */
static int is_zero_pad(const sloe_fuse *f, const sloe_node *pad) {
  size_t n = 0;
  const int64_t *p = sloe_node_ints(pad, "pads", &n);
  const sloe_tensor *in = sloe_node_in(f->net, pad, 1), *fill = sloe_node_in(f->net, pad, 2);
  if (!p && in && in->value && !in->value->real) p = in->value->i, n = in->value->n;
  if (!p || n < 4 || n % 2 || strcmp(sloe_node_string(pad, "mode", "constant"), "constant") ||
      pad->n_in > 3)
    return 0;
  if (fill && (!fill->value || fill->value->n != 1)) return 0;
  if (fill && (fill->value->real ? fill->value->f[0] != 0 : fill->value->i[0] != 0)) return 0;
  if (sloe_node_float(pad, "value", 0) != 0) return 0;
  for (size_t k = 0; k < n; k++)
    if (p[k] < 0 || (k % (n / 2) < 2 && p[k] != 0)) return 0;
  return 1;
}

int sloe_fuse_rule_merge_pad(sloe_fuse *f, int32_t node) {
  const sloe_op op = sloe_fuse_op(f, node);
  if (op != SLOE_OP_CONV) return 0;
  const int32_t g = sloe_fuse_private_input(f, node, 0);
  if (g < 0 || f->groups[g].n_ops != 1 || sloe_fuse_op(f, f->groups[g].tail) != SLOE_OP_PAD ||
      !is_zero_pad(f, &f->net->nodes[f->groups[g].tail]))
    return 0;
  const sloe_fuse_group conv = *sloe_fuse_group_of(f, node);
  if (!sloe_fuse_join(f, g, node, SLOE_FORM_JOIN)) return 0;
  sloe_fuse_group *joined = sloe_fuse_group_of(f, node);
  joined->anchor = conv.anchor;
  joined->flags = conv.flags;
  return 1;
}
