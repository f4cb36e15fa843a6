/* vertical.c: rules of group B. What follows a convolution or a product of matrices moves into its
 * kernel's epilogue, so the tensor between is never written.
 *
 * Which convolution takes a residual Add? Both operands may be convolutions. Recordings differ:
 * before TensorRT 8.4 it is the Add's first operand (Caffe ResNet-50 on 7.1: branch1; torchvision
 * ResNet-18 on 8.2: conv2), from 8.4 on the convolution that comes last in the file (downsample).
 * The other operand is read as a whole either way, and the joined group runs where the Add stood.
 */
#include "net/fuse/fuse.h"

enum { CLOSED = SLOE_FUSE_ACTIVATED | SLOE_FUSE_POOLED | SLOE_FUSE_MERGED };

static int is_conv(sloe_op op) {
  return op == SLOE_OP_CONV || op == SLOE_OP_CONV_TRANSPOSE;
}

static int32_t open_conv(sloe_fuse *f, int32_t node, size_t i) {
  const int32_t g = sloe_fuse_private_input(f, node, i);
  if (g < 0 || (f->groups[g].flags & (CLOSED | SLOE_FUSE_ADDED))) return -1;
  return is_conv(sloe_fuse_op(f, f->groups[g].anchor)) ? g : -1;
}

static int32_t open_anchor(sloe_fuse *f, int32_t node, size_t i) {
  const int32_t g = sloe_fuse_private_input(f, node, i);
  if (g < 0 || (f->groups[g].flags & CLOSED)) return -1;
  return sloe_fuse_is_anchor(f, f->groups[g].anchor) ? g : -1;
}

static int is_residual(sloe_fuse *f, const sloe_node *n) {
  switch (n->op) {
    case SLOE_OP_ADD:
    case SLOE_OP_SUM:
    case SLOE_OP_MIN:
    case SLOE_OP_MAX: break;
    default: return 0;
  }
  return n->n_in == 2 && sloe_fuse_is_activation(f, n->in[0]) &&
         sloe_fuse_is_activation(f, n->in[1]) &&
         sloe_fuse_root(f, n->in[0]) != sloe_fuse_root(f, n->in[1]) &&
         sloe_fuse_same_shape(f, n->in[0], n->in[1]);
}

static int join_residual(sloe_fuse *f, int32_t node, int last) {
  const sloe_node *n = &f->net->nodes[node];
  if (!is_residual(f, n)) return 0;
  int32_t g = open_conv(f, node, 0);
  const int32_t other = open_conv(f, node, 1);
  if (g < 0 ||
      (last && other >= 0 && f->pos[f->groups[other].anchor] > f->pos[f->groups[g].anchor]))
    g = other;
  if (g < 0 || !sloe_fuse_join(f, g, node, SLOE_FORM_JOIN)) return 0;
  sloe_fuse_group_of(f, node)->flags |= SLOE_FUSE_ADDED;
  return 1;
}

int sloe_fuse_rule_conv_add_first(sloe_fuse *f, int32_t node) {
  return join_residual(f, node, 0);
}
int sloe_fuse_rule_conv_add_last(sloe_fuse *f, int32_t node) {
  return join_residual(f, node, 1);
}

static int activated(sloe_fuse *f, int32_t node) {
  sloe_fuse_group_of(f, node)->flags |= SLOE_FUSE_ACTIVATED;
  return 1;
}

int sloe_fuse_rule_conv_relu(sloe_fuse *f, int32_t node) {
  if (sloe_fuse_op(f, node) != SLOE_OP_RELU) return 0;
  const int32_t g = open_anchor(f, node, 0);
  if (g < 0) return 0;
  /* with quantised weights the profile leaves a Relu out, unless an Add stands between */
  const int silent =
      (f->groups[g].flags & (SLOE_FUSE_QWEIGHTS | SLOE_FUSE_ADDED)) == SLOE_FUSE_QWEIGHTS;
  if (!sloe_fuse_join(f, g, node, silent ? SLOE_FORM_SILENT : SLOE_FORM_JOIN)) return 0;
  return activated(f, node);
}

int sloe_fuse_rule_conv_clip(sloe_fuse *f, int32_t node) {
  if (sloe_fuse_op(f, node) != SLOE_OP_CLIP) return 0;
  const int32_t g = open_anchor(f, node, 0);
  if (g < 0) return 0;
  const int done = f->fusion.version < 800 ? sloe_fuse_join(f, g, node, SLOE_FORM_JOIN)
                                           : sloe_fuse_join_pwn(f, g, node);
  return done ? activated(f, node) : 0;
}

int sloe_fuse_rule_conv_pointwise(sloe_fuse *f, int32_t node) {
  const sloe_op op = sloe_fuse_op(f, node);
  if (sloe_op_role_of(op) != SLOE_ROLE_ACTIVATION || op == SLOE_OP_PRELU) return 0;
  const int32_t g = open_anchor(f, node, 0);
  if (g < 0 || !sloe_fuse_join(f, g, node, SLOE_FORM_JOIN)) return 0;
  return activated(f, node);
}

/* INT8 only: one kernel for the first convolution of a network, its ReLU and the pooling. Where the
   file itself says what is quantised, the pooling's output must be. */
int sloe_fuse_rule_conv_pool(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  if (n->op != SLOE_OP_MAX_POOL) return 0;
  if (f->has_quantize && !f->quantized[n->out[0]]) return 0;
  const int32_t g = sloe_fuse_private_input(f, node, 0);
  if (g < 0 || (f->groups[g].flags & (SLOE_FUSE_POOLED | SLOE_FUSE_ADDED | SLOE_FUSE_MERGED)))
    return 0;
  const int32_t anchor = f->groups[g].anchor;
  if (sloe_fuse_op(f, anchor) != SLOE_OP_CONV) return 0;
  const sloe_tensor *x = sloe_node_in(f->net, &f->net->nodes[anchor], 0);
  if (!x || x->shape.rank != 4 || x->shape.dim[1] > 4 || x->shape.dim[1] < 1) return 0;
  if (!sloe_fuse_join(f, g, node, SLOE_FORM_JOIN)) return 0;
  sloe_fuse_group_of(f, node)->flags |= SLOE_FUSE_POOLED;
  return 1;
}

int sloe_fuse_is_depthwise(const sloe_fuse *f, int32_t node) {
  return sloe_fuse_op(f, node) == SLOE_OP_CONV &&
         sloe_fuse_kind(f->net, &f->net->nodes[node]) == SLOE_LAYER_DWCONV;
}

int sloe_fuse_rule_depthwise_pointwise(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  if (n->op != SLOE_OP_CONV || sloe_fuse_is_depthwise(f, node)) return 0;
  const sloe_tensor *w = sloe_node_in(f->net, n, 1);
  if (!w || w->shape.rank != 4 || w->shape.dim[2] != 1 || w->shape.dim[3] != 1) return 0;
  const int32_t g = sloe_fuse_private_input(f, node, 0);
  if (g < 0 || !sloe_fuse_is_depthwise(f, f->groups[g].anchor)) return 0;
  if (f->groups[g].flags & (SLOE_FUSE_ADDED | SLOE_FUSE_POOLED | SLOE_FUSE_MERGED)) return 0;
  return sloe_fuse_join(f, g, node, SLOE_FORM_JOIN);
}

int sloe_fuse_rule_norm_relu(sloe_fuse *f, int32_t node) {
  if (sloe_fuse_op(f, node) != SLOE_OP_RELU) return 0;
  const int32_t g = sloe_fuse_private_input(f, node, 0);
  if (g < 0 || f->groups[g].n_ops != 1 ||
      sloe_fuse_op(f, f->groups[g].anchor) != SLOE_OP_BATCH_NORM)
    return 0;
  if (!sloe_fuse_join(f, g, node, SLOE_FORM_JOIN)) return 0;
  return activated(f, node);
}
