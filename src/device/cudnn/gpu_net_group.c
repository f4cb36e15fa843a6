/* gpu_net_group.c: a convolution or product and what is fused into it.
 *
 * The ops behind the anchor are followed in order. Batch normalisation and constants per channel
 * right behind it are in the weights. Then one addition of another tensor of the same size and one
 * function of one element are its tail; whatever comes after runs by itself. */
#include "device/cudnn/cudnn.h"

typedef struct chain {
  sloe_net_build *n;
  const sloe_node *anchor;
  cudnn_tail tail;
  char act[CUDNN_TEXT];
  sloe_tid at; /* what anchor and tail make so far */
} chain;

/* Is the op in the weights? */
static int is_folded(const chain *c, const sloe_node *node) {
  return !c->tail.residual && !c->tail.act && sloe_net_walk_is_scale(&c->n->walk, node);
}

/* An addition of another tensor of the size of the result. */
static sloe_status take_residual(chain *c, const sloe_node *node, int *ok, sloe_error *err) {
  const sloe_net_walk *w = &c->n->walk;
  const sloe_tensor *all = w->net->tensors;
  const int fc = sloe_node_is_fc(w->net, c->anchor);
  const sloe_tid other = sloe_net_walk_other(w, node, c->at);
  cudnn_value *v;
  *ok = 0;
  if (c->tail.residual || c->tail.act || other < 0 ||
      (node->op != SLOE_OP_ADD && node->op != SLOE_OP_SUM) ||
      sloe_shape_elements(&all[other].shape) != sloe_shape_elements(&all[node->out[0]].shape))
    return SLOE_OK;
  SLOE_TRY(sloe_net_build_value(c->n, other, &v, err));
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

/* *rest: the first node behind the anchor that is neither in the weights nor in the tail. */
static sloe_status take_tail(chain *c, const sloe_net_group *group, size_t *rest, sloe_error *err) {
  for (*rest = group->anchor + 1; *rest < group->n; ++*rest) {
    const sloe_node *node = group->node[*rest];
    int ok = is_folded(c, node) || take_act(c, node);
    if (!ok) SLOE_TRY(take_residual(c, node, &ok, err));
    if (!ok) break;
    c->at = node->out[0];
  }
  return SLOE_OK;
}

sloe_status sloe_cudnn_net_group(sloe_net_build *n, const sloe_net_group *group, sloe_error *err) {
  const sloe_node *anchor = group->node[group->anchor];
  chain c = {.n = n, .anchor = anchor, .at = anchor->out[0]};
  cudnn_value *dst;
  size_t rest;
  for (size_t i = 0; i < group->anchor; i++) SLOE_TRY(sloe_net_build_node(n, group->node[i], err));
  SLOE_TRY(take_tail(&c, group, &rest, err));
  SLOE_TRY(sloe_cudnn_net_anchor(n, anchor, &c.tail, &dst, err));
  SLOE_TRY(sloe_net_build_set(n, n->walk.lives.root[c.at], dst, err));
  for (; rest < group->n; rest++) SLOE_TRY(sloe_net_build_node(n, group->node[rest], err));
  return SLOE_OK;
}
