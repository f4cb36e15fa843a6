/* gpu_net_group.c: a convolution or product and what is fused into it.
 *
 * The ops behind the anchor are followed in order. Batch normalisation and constants per channel
 * right behind it are in the weights. Then one addition of another tensor of the same size and one
 * function of one element are its tail; whatever comes after runs by itself. */
#include <string.h>

#include "device/cudnn/gpu_net.h"

enum { MOST = 64 };

typedef struct chain {
  cudnn_net *n;
  const sloe_node *anchor;
  const sloe_node *node[MOST]; /* behind the anchor, in order */
  size_t count, taken;         /* of them: in the weights and the tail */
  cudnn_tail tail;
  char act[CUDNN_TEXT];
  sloe_tid at; /* what anchor and tail make so far */
} chain;

/* The nodes of the group behind the anchor, in the order of execution. */
static sloe_status begin(chain *c, cudnn_net *n, const int32_t *nodes, size_t count, int32_t anchor,
                         sloe_error *err) {
  const sloe_node *all = n->walk.net->nodes;
  const size_t *position = n->walk.position;
  *c = (chain){.n = n, .anchor = &all[anchor]};
  c->at = c->anchor->out[0];
  if (count > MOST) return sloe_fail(err, SLOE_UNSUPPORTED, "cudnn: %zu ops in one layer", count);
  for (size_t k = 0; k < count; k++) {
    if (nodes[k] == anchor) continue;
    if (position[nodes[k]] < position[anchor]) {
      SLOE_TRY(sloe_cudnn_net_node(n, &all[nodes[k]], err));
      continue;
    }
    size_t at = c->count++;
    for (; at > 0 && position[c->node[at - 1] - all] > position[nodes[k]]; at--)
      c->node[at] = c->node[at - 1];
    c->node[at] = &all[nodes[k]];
  }
  return SLOE_OK;
}

/* Is the op in the weights? */
static int is_folded(const chain *c, const sloe_node *node) {
  const sloe_net_walk *w = &c->n->walk;
  if (c->tail.residual || c->tail.act) return 0;
  if (node->op == SLOE_OP_BATCH_NORM) return 1;
  return node->n_in == 2 &&
         (node->op == SLOE_OP_MUL || node->op == SLOE_OP_ADD || node->op == SLOE_OP_SUB ||
          node->op == SLOE_OP_DIV) &&
         (sloe_net_walk_is_constant(w, node->in[0]) || sloe_net_walk_is_constant(w, node->in[1]));
}

/* An addition of another tensor of the size of the result. */
static sloe_status take_residual(chain *c, const sloe_node *node, int *ok, sloe_error *err) {
  const sloe_net_walk *w = &c->n->walk;
  const sloe_tensor *all = w->net->tensors;
  const int fc = sloe_node_is_fc(w->net, c->anchor);
  cudnn_value *v;
  *ok = 0;
  if (c->tail.residual || c->tail.act || node->n_in != 2 ||
      (node->op != SLOE_OP_ADD && node->op != SLOE_OP_SUM))
    return SLOE_OK;
  const size_t mine = sloe_net_walk_same(w, node->in[0], c->at) ? 0 : 1;
  const sloe_tid other = node->in[1 - mine];
  if (!sloe_net_walk_same(w, node->in[mine], c->at) || other < 0 ||
      sloe_net_walk_same(w, other, c->at) ||
      sloe_shape_elements(&all[other].shape) != sloe_shape_elements(&all[node->out[0]].shape))
    return SLOE_OK;
  SLOE_TRY(sloe_cudnn_net_value(c->n, other, &v, err));
  const sloe_shape *made = &all[c->anchor->out[0]].shape;
  if (!fc && v->rank != made->rank)
    SLOE_TRY(sloe_cudnn_reshape(c->n->job, v, made->rank, made->dim, &v, err));
  c->tail.residual = v;
  *ok = 1;
  return SLOE_OK;
}

static int take_act(chain *c, const sloe_node *node) {
  const sloe_net_walk *w = &c->n->walk;
  if (c->tail.act || !node->n_in || !sloe_net_walk_same(w, node->in[0], c->at) ||
      !sloe_cudnn_node_text(w->net, node, c->act))
    return 0;
  c->tail.act = c->act;
  c->tail.relu = node->op == SLOE_OP_RELU;
  return 1;
}

static sloe_status take_tail(chain *c, sloe_error *err) {
  for (; c->taken < c->count; c->taken++) {
    const sloe_node *node = c->node[c->taken];
    int ok = is_folded(c, node) || take_act(c, node);
    if (!ok) SLOE_TRY(take_residual(c, node, &ok, err));
    if (!ok) break;
    c->at = node->out[0];
  }
  return SLOE_OK;
}

sloe_status sloe_cudnn_net_group(cudnn_net *n, const int32_t *nodes, size_t count, int32_t anchor,
                                 sloe_error *err) {
  chain c;
  cudnn_value *dst;
  SLOE_TRY(begin(&c, n, nodes, count, anchor, err));
  SLOE_TRY(take_tail(&c, err));
  SLOE_TRY(sloe_cudnn_net_anchor(n, c.anchor, &c.tail, &dst, err));
  SLOE_TRY(sloe_cudnn_net_set(n, n->walk.lives.root[c.at], dst, err));
  for (size_t i = c.taken; i < c.count; i++) SLOE_TRY(sloe_cudnn_net_node(n, c.node[i], err));
  return SLOE_OK;
}
