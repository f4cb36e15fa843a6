/* sibling.c: rule of group D. Convolutions that read one tensor with one geometry and one
 * activation are run as one convolution with the sum of their filters ("Merging layers: A || B" in
 * build logs). Their outputs become slices of one buffer, which is why a Concat that wants one of
 * them elsewhere needs a copy (concat_free.c).
 *
 * Merged layers are made late, so they take a high number in TensorRT's execution order: they run
 * as soon as they can but after all older layers that can (seen in the GoogLeNet 7.1 recording:
 * pool, pool_proj, then the merged one). */
#include "net/fuse/fuse.h"

#include <string.h>

enum { MAX_SIBLINGS = 16, MAX_READERS = 64 };

static int same_geometry(const sloe_layer *a, const sloe_layer *b) {
  return a->groups == 1 && b->groups == 1 && !memcmp(a->kernel, b->kernel, sizeof a->kernel) &&
         !memcmp(a->stride, b->stride, sizeof a->stride) &&
         !memcmp(a->dilation, b->dilation, sizeof a->dilation) &&
         !memcmp(a->pads, b->pads, sizeof a->pads);
}

/* A convolution with at most a Relu or Clip behind: the op at its end, or UNKNOWN for what is none.
   It reads `t` and nothing else. */
static sloe_op branch_end(sloe_fuse *f, int32_t node, sloe_tid t) {
  if (sloe_fuse_op(f, node) != SLOE_OP_CONV) return SLOE_OP_UNKNOWN;
  const sloe_fuse_group *g = sloe_fuse_group_of(f, node);
  const sloe_node *n = &f->net->nodes[node];
  if (g->anchor != node || (g->flags & (SLOE_FUSE_ADDED | SLOE_FUSE_POOLED | SLOE_FUSE_MERGED)))
    return SLOE_OP_UNKNOWN;
  if (n->n_in < 2 || n->in[0] != t || sloe_fuse_is_activation(f, n->in[1])) return SLOE_OP_UNKNOWN;
  if (!(g->flags & SLOE_FUSE_ACTIVATED)) return SLOE_OP_CONV;
  const sloe_op op = sloe_fuse_op(f, g->tail);
  return op == SLOE_OP_RELU || op == SLOE_OP_CLIP ? op : SLOE_OP_UNKNOWN;
}

int sloe_fuse_rule_siblings(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  const sloe_tid t = n->n_in > 0 ? n->in[0] : -1;
  if (n->op != SLOE_OP_CONV || !sloe_fuse_is_activation(f, t)) return 0;
  const sloe_tid r = sloe_fuse_root(f, t);
  if (f->use_count[r] < 2 || f->use_count[r] > MAX_READERS) return 0;
  const sloe_op end = branch_end(f, node, t);
  if (end == SLOE_OP_UNKNOWN) return 0;
  sloe_layer own = {0}, other = {0};
  sloe_fuse_spatial(f->net, n, &own);
  int merged = 0;
  SLOE_FUSE_FOR_USES(f, r, u) {
    const int32_t v = f->uses[u].node;
    if (f->pos[v] <= f->pos[node] || branch_end(f, v, t) != end || merged + 1 >= MAX_SIBLINGS ||
        f->net->nodes[v].repeat != n->repeat)
      continue;
    sloe_fuse_spatial(f->net, &f->net->nodes[v], &other);
    if (!same_geometry(&own, &other) || !sloe_fuse_join(f, node, v, SLOE_FORM_SIBLING)) continue;
    merged++;
  }
  if (!merged) return 0;
  sloe_fuse_group *g = sloe_fuse_group_of(f, node);
  g->flags |= SLOE_FUSE_MERGED;
  g->tail = -1;
  g->key = f->pos[node];
  f->merged_siblings = 1;
  return 1;
}
