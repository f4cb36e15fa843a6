/* RNN, GRU and LSTM: X (steps, batch, inputs), W (directions, gates x hidden, inputs),
   R (directions, gates x hidden, hidden). With layout=1 the batch comes first. */
#include <inttypes.h>
#include <string.h>

#include "net/infer.h"

static int gates_of(sloe_op op) {
  if (op == SLOE_OP_LSTM) return 4;
  return op == SLOE_OP_GRU ? 3 : 1;
}

static sloe_status check_rank_3(sloe_infer *cx, const sloe_shape *s, const char *name) {
  if (!s || s->rank == 3) return SLOE_OK;
  return sloe_fail(cx->err, SLOE_FORMAT, "%s has rank %d, must be 3", name, s->rank);
}

static sloe_status check_weights(sloe_infer *cx, const sloe_shape *x, const sloe_shape *w,
                                 int directions, int64_t hidden) {
  if (!w) return SLOE_OK;
  if (w->dim[0] >= 0 && w->dim[0] != directions)
    return sloe_fail(cx->err, SLOE_FORMAT, "weights for %" PRId64 " directions, %d are wanted",
                     w->dim[0], directions);
  if (x && x->dim[2] >= 0 && w->dim[2] >= 0 && x->dim[2] != w->dim[2])
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "input has %" PRId64 " features, the weights want %" PRId64, x->dim[2],
                     w->dim[2]);
  int gates = gates_of(cx->node->op);
  if (hidden >= 0 && w->dim[1] >= 0 && (w->dim[1] % gates || w->dim[1] / gates != hidden))
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "weights have %" PRId64 " rows for %d gates of %" PRId64 " units", w->dim[1],
                     gates, hidden);
  return SLOE_OK;
}

/* Attribute hidden_size, or what the recurrence weights say. */
static sloe_status hidden_units(sloe_infer *cx, const sloe_shape *r, int64_t *out) {
  *out = sloe_node_int(cx->node, "hidden_size", r ? r->dim[2] : SLOE_DIM_UNKNOWN);
  if (*out == 0 || *out < SLOE_DIM_UNKNOWN)
    return sloe_fail(cx->err, SLOE_FORMAT, "hidden_size is %" PRId64 ", must be at least 1", *out);
  return SLOE_OK;
}

sloe_status sloe_shape_rnn(sloe_infer *cx) {
  const sloe_shape *x = sloe_in_shape(cx, 0), *w = sloe_in_shape(cx, 1), *r = sloe_in_shape(cx, 2);
  const sloe_tensor *input = sloe_in(cx, 0);
  sloe_dtype dtype = input ? input->dtype : SLOE_DT_UNDEFINED;
  int batch_first = sloe_node_int(cx->node, "layout", 0) != 0;
  int both = !strcmp(sloe_node_string(cx->node, "direction", "forward"), "bidirectional");
  int directions = both ? 2 : 1;
  int64_t hidden, steps = SLOE_DIM_UNKNOWN, batch = SLOE_DIM_UNKNOWN;
  SLOE_TRY(check_rank_3(cx, x, "X"));
  SLOE_TRY(check_rank_3(cx, w, "W"));
  SLOE_TRY(check_rank_3(cx, r, "R"));
  SLOE_TRY(hidden_units(cx, r, &hidden));
  SLOE_TRY(check_weights(cx, x, w, directions, hidden));
  if (x) {
    steps = x->dim[batch_first];
    batch = x->dim[!batch_first];
  }
  sloe_shape y = batch_first ? sloe_shape_of(4, (int64_t[]){batch, steps, directions, hidden})
                             : sloe_shape_of(4, (int64_t[]){steps, directions, batch, hidden});
  sloe_shape last = batch_first ? sloe_shape_of(3, (int64_t[]){batch, directions, hidden})
                                : sloe_shape_of(3, (int64_t[]){directions, batch, hidden});
  sloe_set_out(cx, 0, &y, dtype);
  sloe_set_out(cx, 1, &last, dtype);
  if (cx->node->op == SLOE_OP_LSTM) sloe_set_out(cx, 2, &last, dtype);
  return SLOE_OK;
}
