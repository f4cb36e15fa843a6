/* net_group.c: a convolution or product and what is fused into it, as one primitive with post-ops.
 *
 * The ops behind the anchor are followed in order. Batch normalisation and constants per channel
 * right behind it are in the weights. Then each op is a post-op: functions of one element,
 * arithmetic with another tensor; a product with its own sigmoid is a swish. A residual that
 * nothing reads later is added in place (sum), another is a binary post-op. Where oneDNN has no
 * such primitive, or a slow one only, ops from the first that reads another tensor on run by
 * themselves, or all; so do ops behind one that is no post-op. */
#include "device/onednn/onednn.h"

typedef struct chain {
  sloe_net_build *n;
  const sloe_node *anchor, *pad;
  const sloe_node *const *node; /* behind the anchor, in order */
  size_t count;
  int in_posts[SLOE_NET_GROUP], folded[SLOE_NET_GROUP];
  size_t first[SLOE_NET_GROUP]; /* of its posts */
  onednn_posts posts;
  sloe_tid bare, at; /* the tensors that the anchor makes, and the posts so far */
} chain;

static int binary_alg(sloe_op op, dnnl_alg_kind_t *alg) {
  switch (op) {
    case SLOE_OP_ADD:
    case SLOE_OP_SUM: *alg = dnnl_binary_add; return 1;
    case SLOE_OP_SUB: *alg = dnnl_binary_sub; return 1;
    case SLOE_OP_MUL: *alg = dnnl_binary_mul; return 1;
    case SLOE_OP_DIV: *alg = dnnl_binary_div; return 1;
    case SLOE_OP_MIN: *alg = dnnl_binary_min; return 1;
    case SLOE_OP_MAX: *alg = dnnl_binary_max; return 1;
    default: return 0;
  }
}

/* The operand in the rank that the primitive has: an fc's result is n x k. */
static sloe_status shape_operand(const chain *c, onednn_value **value, sloe_error *err) {
  const sloe_tensor *out = &c->n->walk.net->tensors[c->anchor->out[0]];
  const int fc = sloe_node_is_fc(c->n->walk.net, c->anchor);
  const int rank = fc ? 2 : out->shape.rank;
  int64_t dims[SLOE_MAX_RANK];
  onednn_value *v = *value;
  if (v->rank == rank) return SLOE_OK;
  if (v->rank > rank) { /* fold the outer dimensions */
    const int more = v->rank - rank;
    dims[0] = 1;
    for (int i = 0; i <= more; i++) dims[0] *= v->dims[i];
    for (int i = 1; i < rank; i++) dims[i] = v->dims[i + more];
  } else {
    const int more = rank - v->rank;
    for (int i = 0; i < rank; i++) dims[i] = i < more ? 1 : v->dims[i - more];
  }
  return sloe_onednn_reshape(c->n->job, v, rank, dims, value, err);
}

/* Arithmetic with another tensor. A sum comes first or not at all: behind another post-op oneDNN's
   fast convolutions refuse it, and what takes it is ten times slower. *ok 0: not as a post-op. */
static sloe_status take_binary(chain *c, const sloe_node *node, int *ok, sloe_error *err) {
  const sloe_net *net = c->n->walk.net;
  dnnl_alg_kind_t alg;
  onednn_value *value;
  *ok = 0;
  const sloe_tid other = sloe_net_walk_other(&c->n->walk, node, c->at);
  if (other < 0 || !binary_alg(node->op, &alg)) return SLOE_OK;
  if (other == node->in[0] && (alg == dnnl_binary_sub || alg == dnnl_binary_div)) return SLOE_OK;
  SLOE_TRY(sloe_net_build_value(c->n, other, &value, err));
  const int full = sloe_shape_elements(&net->tensors[other].shape) ==
                   sloe_shape_elements(&net->tensors[node->out[0]].shape);
  const int sum =
      alg == dnnl_binary_add && full && !c->posts.n && sloe_net_walk_is_last(&c->n->walk, other);
  SLOE_TRY(shape_operand(c, &value, err));
  if (!value->fixed) SLOE_TRY(sloe_onednn_as_plain(c->n->job, value, &value, err));
  *ok = sloe_onednn_post_value(&c->posts, sum ? ONEDNN_POST_SUM : ONEDNN_POST_BINARY, alg, value);
  return SLOE_OK;
}

/* x Sigmoid(x) and its hard sister: the product's place in the chain, or `count`. */
static size_t find_gate(const chain *c, size_t i) {
  const sloe_node *gate = c->node[i];
  if (gate->op != SLOE_OP_SIGMOID && gate->op != SLOE_OP_HARD_SIGMOID) return c->count;
  for (size_t k = i + 1; k < c->count; k++) {
    const sloe_node *mul = c->node[k];
    if (mul->op != SLOE_OP_MUL || mul->n_in != 2) continue;
    for (size_t j = 0; j < 2; j++)
      if (sloe_net_walk_same(&c->n->walk, mul->in[j], c->at) &&
          sloe_net_walk_same(&c->n->walk, mul->in[1 - j], gate->out[0]))
        return k;
  }
  return c->count;
}

static int take_gate(chain *c, size_t i, size_t mul) {
  c->in_posts[mul] = 1;
  c->first[mul] = c->posts.n;
  c->at = c->node[mul]->out[0];
  return sloe_onednn_post_eltwise(
      &c->posts, c->node[i]->op == SLOE_OP_SIGMOID ? dnnl_eltwise_swish : dnnl_eltwise_hardswish, 1,
      0);
}

/* Is the op in the weights? Then its result is the anchor's. */
static int fold(chain *c, size_t i) {
  if (c->posts.n || !sloe_net_walk_is_scale(&c->n->walk, c->node[i])) return 0;
  c->folded[i] = 1;
  c->at = c->bare = c->node[i]->out[0];
  return 1;
}

/* Take as many ops into the posts as can be. */
static sloe_status take_posts(chain *c, sloe_error *err) {
  for (size_t i = 0; i < c->count; i++) {
    const sloe_node *node = c->node[i];
    const onednn_posts before = c->posts;
    int ok = 0;
    if (c->in_posts[i] || fold(c, i)) continue;
    const size_t gate = find_gate(c, i);
    if (gate < c->count)
      ok = take_gate(c, i, gate);
    else if (node->n_in && sloe_net_walk_same(&c->n->walk, node->in[0], c->at) &&
             sloe_onednn_post_node(c->n->walk.net, node, &c->posts))
      ok = 1, c->at = node->out[0];
    else {
      SLOE_TRY(take_binary(c, node, &ok, err));
      if (ok) c->at = node->out[0];
    }
    if (!ok) {
      c->posts = before;
      return SLOE_OK;
    }
    c->in_posts[i] = 1;
    c->first[i] = before.n;
  }
  return SLOE_OK;
}

/* Take post `at` and what follows it off again. */
static void cut(chain *c, size_t at) {
  c->posts.n = at;
  c->at = c->bare;
  for (size_t i = 0; i < c->count; i++) {
    if (c->first[i] >= at) c->in_posts[i] = 0;
    if (c->in_posts[i]) c->at = c->node[i]->out[0];
  }
}

/* The first post that reads another tensor. */
static size_t first_operand(const onednn_posts *posts) {
  size_t i = 0;
  while (i < posts->n && posts->post[i].what == ONEDNN_POST_ELTWISE) i++;
  return i;
}

static sloe_status finish(chain *c, onednn_value *dst, sloe_error *err) {
  SLOE_TRY(sloe_net_build_set(c->n, c->n->walk.lives.root[c->at], dst, err));
  for (size_t i = 0; i < c->count; i++)
    if (!c->in_posts[i] && !c->folded[i]) SLOE_TRY(sloe_net_build_node(c->n, c->node[i], err));
  return SLOE_OK;
}

sloe_status sloe_onednn_net_group(sloe_net_build *n, const sloe_net_group *group, sloe_error *err) {
  const sloe_node *anchor = group->node[group->anchor];
  chain c = {.n = n,
             .anchor = anchor,
             .node = group->node + group->anchor + 1,
             .count = group->n - group->anchor - 1,
             .bare = anchor->out[0],
             .at = anchor->out[0]};
  onednn_value *dst;
  for (size_t k = 0; k < group->anchor; k++)
    if (group->node[k]->op == SLOE_OP_PAD) c.pad = group->node[k];
  SLOE_TRY(take_posts(&c, err));
  for (;;) { /* all posts, those of one element, none */
    const sloe_status status = sloe_onednn_net_anchor(n, c.anchor, c.pad, &c.posts, &dst, err);
    if (status == SLOE_OK) return finish(&c, dst, err);
    if (status != SLOE_UNSUPPORTED || !c.posts.n) return status;
    const size_t operand = first_operand(&c.posts);
    cut(&c, operand < c.posts.n ? operand : 0);
  }
}
