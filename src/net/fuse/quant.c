/* quant.c: rules of group F, for files that carry QuantizeLinear and DequantizeLinear (QAT).
 * TensorRT moves both until convolutions read and write INT8: a DequantizeLinear is read through,
 * a QuantizeLinear becomes part of what writes its input, if nothing else reads that at full
 * precision. What is left is a layer (printed "QuantizeLinear_n", a reformat). */
#include "net/fuse/fuse.h"

static int can_write_int8(sloe_fuse *f, int32_t node) {
  switch (sloe_fuse_op(f, node)) {
    case SLOE_OP_ADD:
    case SLOE_OP_MAX_POOL: return 1;
    default:
      return sloe_fuse_is_anchor(f, node) ||
             sloe_op_role_of(sloe_fuse_op(f, node)) == SLOE_ROLE_ACTIVATION;
  }
}

enum { MAX_READERS = 64 };

static int all_readers_quantize(sloe_fuse *f, sloe_tid r) {
  if (f->external[r] || f->use_count[r] > MAX_READERS) return 0;
  SLOE_FUSE_FOR_USES(f, r, u)
  if (sloe_fuse_op(f, f->uses[u].node) != SLOE_OP_QUANTIZE_LINEAR) return 0;
  return 1;
}

int sloe_fuse_rule_quantize(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  if (n->op != SLOE_OP_QUANTIZE_LINEAR && n->op != SLOE_OP_DEQUANTIZE_LINEAR) return 0;
  if (n->n_in < 1 || n->n_out != 1 || !sloe_fuse_is_activation(f, n->in[0])) return 0;
  if (f->external[n->out[0]]) return 0;
  if (n->op == SLOE_OP_DEQUANTIZE_LINEAR) {
    sloe_fuse_drop(f, node);
    return 1;
  }
  const sloe_tid r = sloe_fuse_root(f, n->in[0]);
  if (!f->quantized[r] && (!can_write_int8(f, f->producer[r]) || !all_readers_quantize(f, r)))
    return 0;
  f->quantized[r] = 1; /* stays so for the other QuantizeLinears of the same tensor */
  sloe_fuse_drop(f, node);
  return 1;
}

int sloe_fuse_rule_quantized_weights(sloe_fuse *f, int32_t node) {
  const sloe_net *net = f->net;
  const sloe_node *n = &net->nodes[node];
  if (!sloe_fuse_is_anchor(f, node) || n->n_in < 2 || n->in[1] < 0) return 0;
  const int32_t dq = net->tensors[n->in[1]].producer;
  if (sloe_fuse_op(f, dq) != SLOE_OP_DEQUANTIZE_LINEAR || net->nodes[dq].n_in < 1) return 0;
  const sloe_tid q_out = net->nodes[dq].in[0];
  const int32_t q = q_out < 0 ? -1 : net->tensors[q_out].producer;
  if (sloe_fuse_op(f, q) != SLOE_OP_QUANTIZE_LINEAR || net->nodes[q].in[0] < 0) return 0;
  char *text = sloe_arena_printf(f->arena, "%s + %s + ", net->tensors[net->nodes[q].in[0]].name,
                                 net->nodes[q].name);
  if (!text) f->failed = 1;
  sloe_fuse_group *g = sloe_fuse_group_of(f, node);
  g->expr = sloe_fuse_wrap(f, g->expr, SLOE_FORM_TEXT, text);
  g->flags |= SLOE_FUSE_QWEIGHTS;
  return 1;
}
