/* net_moves.c: nodes that move data. */
#include <string.h>

#include "device/onednn/net_build.h"

static sloe_status emit_concat(onednn_net *n, const sloe_node *node, onednn_value **dst,
                               sloe_error *err) {
  onednn_value **part = SLOE_ARENA_NEW(&n->job->arena, onednn_value *, node->n_in);
  if (!part) return sloe_fail(err, SLOE_NOMEM, "onednn: out of memory");
  for (size_t i = 0; i < node->n_in; i++) SLOE_TRY(sloe_onednn_net_in(n, node, i, &part[i], err));
  return sloe_onednn_concat(n->job, part, node->n_in, sloe_net_walk_axis(&n->walk, node, 1), dst,
                            err);
}

/* One slice an output. */
static sloe_status emit_split(onednn_net *n, const sloe_node *node, onednn_value *src,
                              sloe_error *err) {
  const int axis = sloe_net_walk_axis(&n->walk, node, 0);
  int64_t from[SLOE_MAX_RANK] = {0};
  for (size_t i = 0; i < node->n_out; i++) {
    const sloe_tensor *out = sloe_node_out(n->walk.net, node, i);
    onednn_value *part;
    if (!out) continue;
    SLOE_TRY(sloe_onednn_slice(n->job, src, from, out->shape.dim, &part, err));
    SLOE_TRY(sloe_onednn_net_set(n, node->out[i], part, err));
    from[axis] += out->shape.dim[axis];
  }
  return SLOE_OK;
}

static sloe_status emit_slice(onednn_net *n, const sloe_node *node, onednn_value *src,
                              onednn_value **dst, sloe_error *err) {
  int64_t from[SLOE_MAX_RANK];
  SLOE_TRY(sloe_net_walk_slice(&n->walk, node, from, err));
  return sloe_onednn_slice(n->job, src, from, sloe_node_out(n->walk.net, node, 0)->shape.dim, dst,
                           err);
}

static sloe_status emit_transpose(onednn_net *n, const sloe_node *node, onednn_value *src,
                                  onednn_value **dst, sloe_error *err) {
  int perm[SLOE_MAX_RANK];
  SLOE_TRY(sloe_net_walk_transpose(&n->walk, node, perm, err));
  return sloe_onednn_transpose(n->job, src, perm, dst, err);
}

/* Contents are zeros, whatever is asked for. */
static sloe_status emit_pad(onednn_net *n, const sloe_node *node, onednn_value *src,
                            onednn_value **dst, sloe_error *err) {
  int64_t before[SLOE_MAX_RANK];
  SLOE_TRY(sloe_net_walk_pad(&n->walk, node, before, err));
  return sloe_onednn_pad(n->job, src, before, sloe_node_out(n->walk.net, node, 0)->shape.dim, dst,
                         err);
}

static sloe_status emit_depth(onednn_net *n, const sloe_node *node, onednn_value *src,
                              onednn_value **dst, sloe_error *err) {
  int64_t dims[6];
  int perm[6];
  SLOE_TRY(sloe_net_walk_depth(&n->walk, node, dims, perm, err));
  SLOE_TRY(sloe_onednn_reshape(n->job, src, 6, dims, &src, err));
  const sloe_status status = sloe_onednn_transpose(n->job, src, perm, dst, err);
  sloe_onednn_release(n->job, src);
  return status;
}

sloe_status sloe_onednn_net_move(onednn_net *n, const sloe_node *node, int *done, sloe_error *err) {
  onednn_value *src, *dst = NULL;
  *done = 1;
  if (node->op == SLOE_OP_CONCAT) {
    SLOE_TRY(emit_concat(n, node, &dst, err));
    return sloe_onednn_net_set(n, node->out[0], dst, err);
  }
  *done = 0;
  if (sloe_op_role_of(node->op) != SLOE_ROLE_MOVE) return SLOE_OK;
  SLOE_TRY(sloe_onednn_net_in(n, node, 0, &src, err));
  *done = 1;
  switch (node->op) {
    case SLOE_OP_SPLIT: return emit_split(n, node, src, err);
    case SLOE_OP_SLICE: SLOE_TRY(emit_slice(n, node, src, &dst, err)); break;
    case SLOE_OP_TRANSPOSE: SLOE_TRY(emit_transpose(n, node, src, &dst, err)); break;
    case SLOE_OP_PAD: SLOE_TRY(emit_pad(n, node, src, &dst, err)); break;
    case SLOE_OP_DEPTH_TO_SPACE:
    case SLOE_OP_SPACE_TO_DEPTH: SLOE_TRY(emit_depth(n, node, src, &dst, err)); break;
    default: *done = 0; return SLOE_OK;
  }
  return sloe_onednn_net_set(n, node->out[0], dst, err);
}
