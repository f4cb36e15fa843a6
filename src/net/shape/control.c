/* If, Loop, Scan: their subgraphs are inferred where they stand, and the nodes that run join the
 * net's order.
 *
 * If: a condition that is known picks its branch and the other one is never looked at. One that
 * depends on data leaves what both branches agree on; the larger branch is counted, with a warning.
 *
 * Loop: the body is inferred once for all its iterations, and its nodes repeat. That is right when
 * what an iteration hands to the next has the shape that it got. Where it has not, the body is
 * inferred iteration by iteration as long as there are few; else the dims that change are unknown.
 * A pass that turns out to be wrong is undone: order and warnings are cut back to where they were.
 * Trip counts that depend on data count as one, with a warning.
 *
 * Scan: a Loop whose trip count is the length of what it scans.
 *
 * So that a walk along the edges passes from a consumer into the subgraph, the subgraph's outputs
 * become inputs of the control node, behind its own.
 */
#include "base/alloc.h"
#include "net/shape/fold.h"

enum { MOST_UNROLLED = 64, MOST_PASSES = 6 };

static sloe_tensor *tensor_at(const sloe_infer *cx, sloe_tid t) {
  return t < 0 ? NULL : &cx->net->tensors[t];
}

static sloe_status subgraph_of(sloe_infer *cx, const char *name, sloe_graph **out) {
  const sloe_attr *a = sloe_node_attr(cx->node, name);
  *out = a && a->type == SLOE_ATTR_GRAPH ? a->graph : NULL;
  if (*out) return SLOE_OK;
  return sloe_fail(cx->err, SLOE_FORMAT, "attribute %s holds no graph", name);
}

/* Make the subgraph's outputs inputs of the node, behind the first `keep` ones. */
static sloe_status link_outputs(sloe_infer *cx, size_t keep, const sloe_graph *graph) {
  sloe_node *node = cx->node;
  size_t n = keep + graph->n_out;
  if (node->n_in != n || node->in == node->given_in) {
    sloe_tid *in = SLOE_ARENA_NEW(&cx->net->arena, sloe_tid, n);
    if (!in) return sloe_fail(cx->err, SLOE_NOMEM, "out of memory");
    for (size_t k = 0; k < keep; k++) in[k] = node->in[k];
    node->in = in;
    node->n_in = n;
  }
  for (size_t k = 0; k < graph->n_out; k++) node->in[keep + k] = graph->out[k];
  return SLOE_OK;
}

/* ---- If ---- */

static sloe_status take_branch(sloe_infer *cx, sloe_graph *graph) {
  SLOE_TRY(sloe_infer_graph(cx, graph, cx->repeat, 1));
  for (size_t i = 0; i < graph->n_out; i++) {
    const sloe_tensor *t = tensor_at(cx, graph->out[i]);
    sloe_set_out(cx, i, &t->shape, t->dtype);
    sloe_share_value(cx, i, t);
  }
  if (cx->depth > 0 || graph->n_out != 1) return link_outputs(cx, 1, graph);
  cx->node->op = SLOE_OP_IDENTITY; /* not to be looked at again: only subgraphs are */
  return link_outputs(cx, 0, graph);
}

/* What holds for a tensor that has one shape or the other. */
static sloe_shape either(const sloe_shape *a, const sloe_shape *b) {
  if (a->rank != b->rank) return sloe_shape_unknown();
  sloe_shape both = *a;
  for (int k = 0; k < both.rank; k++)
    if (a->dim[k] != b->dim[k]) both.dim[k] = SLOE_DIM_UNKNOWN;
  return both;
}

static sloe_status take_both(sloe_infer *cx, sloe_graph *then, sloe_graph *other) {
  sloe_graph *counted = then->n_nodes >= other->n_nodes ? then : other;
  sloe_graph *skipped = counted == then ? other : then;
  SLOE_TRY(sloe_infer_graph(cx, skipped, 0, 0));
  SLOE_TRY(sloe_infer_graph(cx, counted, cx->repeat, 1));
  for (size_t i = 0; i < cx->node->n_out; i++) {
    const sloe_tensor *a = tensor_at(cx, counted->out[i]), *b = tensor_at(cx, skipped->out[i]);
    sloe_shape both = either(&a->shape, &b->shape);
    sloe_set_out(cx, i, &both, a->dtype);
  }
  cx->node->flags |= SLOE_N_DATA_DEPENDENT;
  SLOE_TRY(link_outputs(cx, 1, counted));
  return sloe_net_warn(cx->net, cx->err,
                       "If '%s': the condition depends on data; its %s branch is counted",
                       cx->node->name, counted == then ? "then" : "else");
}

sloe_status sloe_shape_if(sloe_infer *cx) {
  sloe_graph *then, *other;
  int64_t condition = 0;
  SLOE_TRY(subgraph_of(cx, "then_branch", &then));
  SLOE_TRY(subgraph_of(cx, "else_branch", &other));
  if (then->n_out != cx->node->n_out || other->n_out != cx->node->n_out)
    return sloe_fail(cx->err, SLOE_FORMAT, "branches of %zu and %zu outputs for %zu", then->n_out,
                     other->n_out, cx->node->n_out);
  if (sloe_in_scalar(cx, 0, &condition)) return take_branch(cx, condition ? then : other);
  return take_both(cx, then, other);
}

/* ---- Loop and Scan: what they share ----
   The body's inputs are `lead` ones of the loop's own (iteration and condition), `n_carried` handed
   from one iteration to the next, and slices; its outputs `lead_out` (the condition), the carried
   ones, and what is collected. */

struct loop {
  sloe_graph *body;
  size_t lead, lead_out, n_carried, first; /* first: the node's input that starts the carried */
  int64_t trips;                           /* -1: depends on data */
};

struct mark {
  size_t n_order, n_warnings;
};

static struct mark mark_of(const sloe_infer *cx) {
  return (struct mark){cx->net->n_order, cx->net->n_warnings};
}

static void undo_to(sloe_infer *cx, struct mark mark) {
  cx->net->n_order = mark.n_order;
  cx->net->n_warnings = mark.n_warnings;
}

static void set_local(sloe_tensor *t, const sloe_shape *shape, sloe_dtype dtype,
                      const sloe_value *value) {
  if (!t) return; /* has no name */
  t->shape = *shape;
  t->dtype = dtype;
  t->value = value;
  t->flags &= ~(unsigned)SLOE_T_CONST;
  if (value) t->flags |= SLOE_T_CONST;
}

/* Start the carried inputs of the body from the node's inputs; their contents too if `values`. */
static void start_carried(sloe_infer *cx, const struct loop *l, int values) {
  sloe_shape none = sloe_shape_unknown();
  for (size_t k = 0; k < l->n_carried; k++) {
    const sloe_tensor *from = sloe_in(cx, l->first + k);
    sloe_tensor *to = tensor_at(cx, l->body->in[l->lead + k]);
    set_local(to, from ? &from->shape : &none, from ? from->dtype : SLOE_DT_UNDEFINED,
              from && values ? from->value : NULL);
  }
}

static const sloe_tensor *carried_out(const sloe_infer *cx, const struct loop *l, size_t k) {
  return tensor_at(cx, l->body->out[l->lead_out + k]);
}

/* Hand the body's results to the next iteration, contents too. By way of a copy: a body may hand
   its inputs on in another order. */
static sloe_status hand_on(sloe_infer *cx, const struct loop *l) {
  sloe_tensor *next = sloe_alloc(l->n_carried, sizeof *next);
  if (!next) return sloe_fail(cx->err, SLOE_NOMEM, "out of memory");
  for (size_t k = 0; k < l->n_carried; k++) next[k] = *carried_out(cx, l, k);
  for (size_t k = 0; k < l->n_carried; k++)
    set_local(tensor_at(cx, l->body->in[l->lead + k]), &next[k].shape, next[k].dtype,
              next[k].value);
  sloe_dealloc(next);
  return SLOE_OK;
}

/* Make the carried inputs hold for every iteration so far; 0 where they already did. */
static int widen(sloe_infer *cx, const struct loop *l) {
  int changed = 0;
  for (size_t k = 0; k < l->n_carried; k++) {
    sloe_tensor *to = tensor_at(cx, l->body->in[l->lead + k]);
    sloe_shape both = either(&to->shape, &carried_out(cx, l, k)->shape);
    changed |= both.rank != to->shape.rank;
    for (int a = 0; a < both.rank; a++) changed |= both.dim[a] != to->shape.dim[a];
    to->shape = both;
  }
  return changed;
}

static void forget_carried(sloe_infer *cx, const struct loop *l) {
  for (size_t k = 0; k < l->n_carried; k++)
    tensor_at(cx, l->body->in[l->lead + k])->shape = sloe_shape_unknown();
}

static void set_iteration(sloe_infer *cx, const struct loop *l, const sloe_value *number) {
  sloe_shape scalar = {0};
  if (l->lead < 2) return;
  set_local(tensor_at(cx, l->body->in[0]), &scalar, SLOE_DT_INT64, number);
  set_local(tensor_at(cx, l->body->in[1]), &scalar, SLOE_DT_BOOL, NULL);
}

/* One pass for all iterations, repeated with wider shapes until it holds. */
static sloe_status infer_once(sloe_infer *cx, const struct loop *l, int *widened) {
  struct mark mark = mark_of(cx);
  *widened = 0;
  set_iteration(cx, l, NULL);
  start_carried(cx, l, 0);
  for (int pass = 0; pass < MOST_PASSES; pass++) {
    undo_to(cx, mark);
    SLOE_TRY(sloe_infer_graph(cx, l->body, cx->repeat, 1));
    if (!widen(cx, l)) return SLOE_OK;
    *widened = 1;
    if (pass >= MOST_PASSES - 2) forget_carried(cx, l);
  }
  return SLOE_OK;
}

static int is_known(const sloe_tensor *t, int64_t *out) {
  const sloe_value *v = t->value;
  if (!v || v->real || v->n != 1 || v->i[0] == SLOE_ELEM_UNKNOWN) return 0;
  *out = v->i[0];
  return 1;
}

/* After the body is inferred: does its condition stay as it came in, true? 1: yes, 0: no, the loop
   ends here, -1: that depends on data. */
static int goes_on(const sloe_infer *cx, const struct loop *l) {
  int64_t condition = 1;
  if (!l->lead_out || is_known(tensor_at(cx, l->body->out[0]), &condition)) return condition != 0;
  return sloe_net_resolve(cx->net, l->body->out[0]) == l->body->in[1] ? 1 : -1;
}

static sloe_status number_iteration(sloe_infer *cx, const struct loop *l, int64_t i) {
  sloe_value *number = SLOE_ARENA_NEW(&cx->net->arena, sloe_value, 1);
  int64_t *data = SLOE_ARENA_NEW(&cx->net->arena, int64_t, 1);
  if (!number || !data) return sloe_fail(cx->err, SLOE_NOMEM, "out of memory");
  *data = i;
  *number = (sloe_value){.n = 1, .i = data};
  set_iteration(cx, l, number);
  return SLOE_OK;
}

/* Iteration by iteration; *trips is how many there were, -1 where that depends on data or there
   are too many. The nodes' shapes are those of the last one, which stands for all. */
static sloe_status unroll(sloe_infer *cx, const struct loop *l, int64_t *trips) {
  struct mark mark = mark_of(cx);
  int more = 1;
  *trips = SLOE_DIM_UNKNOWN;
  start_carried(cx, l, 1);
  for (int64_t i = 0; i < MOST_UNROLLED; i++) {
    SLOE_TRY(number_iteration(cx, l, i));
    undo_to(cx, mark);
    SLOE_TRY(sloe_infer_graph(cx, l->body, cx->repeat, 1));
    more = goes_on(cx, l);
    if (more == 0 || i + 1 == l->trips) *trips = i + 1;
    if (more != 1 || *trips >= 0) break;
    SLOE_TRY(hand_on(cx, l));
  }
  if (*trips < 0) undo_to(cx, mark);
  return SLOE_OK;
}

static int carries_contents(const sloe_infer *cx, const struct loop *l) {
  for (size_t k = 0; k < l->n_carried; k++)
    if (sloe_in_partly(cx, l->first + k)) return 1;
  return 0;
}

/* Infer the body for all iterations, and settle how many there are. */
static sloe_status infer_body(sloe_infer *cx, struct loop *l, int *unrolled) {
  struct mark mark = mark_of(cx);
  int64_t trips = SLOE_DIM_UNKNOWN;
  int widened = 0, may_unroll = l->trips > 0 && cx->depth == 0;
  if (may_unroll && carries_contents(cx, l)) SLOE_TRY(unroll(cx, l, &trips));
  if (trips < 0) SLOE_TRY(infer_once(cx, l, &widened));
  if (widened && may_unroll && l->trips <= MOST_UNROLLED && goes_on(cx, l) == 1) {
    undo_to(cx, mark);
    SLOE_TRY(unroll(cx, l, &trips));
    if (trips < 0) SLOE_TRY(infer_once(cx, l, &widened));
  }
  *unrolled = trips >= 0;
  if (*unrolled)
    l->trips = trips;
  else if (l->trips > 1 && goes_on(cx, l) != 1)
    l->trips = goes_on(cx, l) == 0 ? 1 : SLOE_DIM_UNKNOWN;
  if (l->trips > INT32_MAX) l->trips = SLOE_DIM_UNKNOWN; /* "for ever", as exporters write it */
  for (size_t k = mark.n_order; l->trips > 0 && k < cx->net->n_order; k++)
    cx->net->nodes[cx->net->order[k]].repeat *= (double)l->trips;
  return SLOE_OK;
}

/* Shape of a collected output: one more dim, at `axis`. */
static sloe_status collected(sloe_infer *cx, const sloe_shape *each, int64_t trips, int64_t axis,
                             sloe_shape *out) {
  int at = 0;
  *out = sloe_shape_unknown();
  if (each->rank < 0) return SLOE_OK;
  SLOE_TRY(sloe_axis(cx, axis, each->rank + 1, &at));
  SLOE_TRY(sloe_shape_blank(cx, each->rank + 1, out));
  for (int a = 0; a < out->rank; a++) out->dim[a] = a == at ? trips : each->dim[a < at ? a : a - 1];
  return SLOE_OK;
}

static sloe_status set_outputs(sloe_infer *cx, const struct loop *l, int unrolled) {
  size_t n_axes = 0;
  const int64_t *axes = sloe_node_ints(cx->node, "scan_output_axes", &n_axes);
  for (size_t k = 0; k < l->n_carried; k++) {
    const sloe_tensor *t = carried_out(cx, l, k);
    const sloe_tensor *start = tensor_at(cx, l->body->in[l->lead + k]);
    sloe_shape maybe = either(&t->shape, &start->shape); /* no iteration at all may be run */
    sloe_set_out(cx, k, l->trips < 0 ? &maybe : &t->shape, t->dtype);
    if (unrolled) sloe_share_value(cx, k, t);
  }
  for (size_t k = l->n_carried; k < cx->node->n_out; k++) {
    const sloe_tensor *t = carried_out(cx, l, k);
    sloe_shape out;
    size_t c = k - l->n_carried;
    SLOE_TRY(collected(cx, &t->shape, l->trips, axes && c < n_axes ? axes[c] : 0, &out));
    sloe_set_out(cx, k, &out, t->dtype);
  }
  return SLOE_OK;
}

/* No iteration: the carried are as they came, nothing is collected. */
static sloe_status skip_body(sloe_infer *cx, const struct loop *l) {
  set_iteration(cx, l, NULL);
  start_carried(cx, l, 0);
  SLOE_TRY(sloe_infer_graph(cx, l->body, 0, 0));
  SLOE_TRY(set_outputs(cx, l, 0));
  for (size_t k = 0; k < l->n_carried; k++) {
    const sloe_tensor *t = sloe_in(cx, l->first + k);
    if (!t) continue;
    sloe_set_out(cx, k, &t->shape, t->dtype);
    sloe_share_value(cx, k, t);
  }
  return SLOE_OK;
}

/* ---- Loop ---- */

/* Trips by count and first condition; -1 where one of them depends on data. */
static int64_t trips_wanted(const sloe_infer *cx) {
  int64_t count = INT64_MAX, first = 1;
  int counted = !sloe_in(cx, 0) || sloe_in_scalar(cx, 0, &count);
  int conditioned = !sloe_in(cx, 1) || sloe_in_scalar(cx, 1, &first);
  if ((counted && count <= 0) || (conditioned && !first)) return 0;
  return counted && conditioned ? count : SLOE_DIM_UNKNOWN;
}

static sloe_status read_loop(sloe_infer *cx, struct loop *l) {
  *l = (struct loop){.lead = 2, .lead_out = 1, .first = 2};
  SLOE_TRY(subgraph_of(cx, "body", &l->body));
  const sloe_graph *body = l->body;
  l->n_carried = body->n_in < 2 ? 0 : body->n_in - 2;
  if (body->n_in < 2 || cx->node->n_in < body->n_in || body->n_out < 1 + l->n_carried ||
      cx->node->n_out > body->n_out - 1 || cx->node->n_out < l->n_carried)
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "%zu inputs, %zu outputs, for a body of %zu inputs and %zu outputs",
                     cx->node->n_in, cx->node->n_out, body->n_in, body->n_out);
  l->trips = trips_wanted(cx);
  return SLOE_OK;
}

sloe_status sloe_shape_loop(sloe_infer *cx) {
  struct loop l;
  int unrolled = 0;
  SLOE_TRY(read_loop(cx, &l));
  if (l.trips == 0) return skip_body(cx, &l);
  SLOE_TRY(infer_body(cx, &l, &unrolled));
  SLOE_TRY(set_outputs(cx, &l, unrolled));
  SLOE_TRY(link_outputs(cx, l.body->n_in, l.body));
  if (l.trips > 0) return SLOE_OK;
  cx->node->flags |= SLOE_N_DATA_DEPENDENT;
  return sloe_net_warn(cx->net, cx->err,
                       "Loop '%s': the trip count depends on data; its body is counted once",
                       cx->node->name);
}

/* ---- Scan (opset 9 and later) ---- */

/* Give the body its slices, and find the trip count, on which all scanned inputs agree. */
static sloe_status slice_inputs(sloe_infer *cx, struct loop *l) {
  size_t n_axes = 0;
  const int64_t *axes = sloe_node_ints(cx->node, "scan_input_axes", &n_axes);
  for (size_t k = l->n_carried; k < l->body->n_in; k++) {
    const sloe_tensor *t = sloe_in(cx, k);
    sloe_shape each = sloe_shape_unknown();
    size_t c = k - l->n_carried;
    int axis = 0;
    if (t && t->shape.rank >= 0) {
      SLOE_TRY(sloe_axis(cx, axes && c < n_axes ? axes[c] : 0, t->shape.rank, &axis));
      SLOE_TRY(sloe_dim_agree(cx, &l->trips, t->shape.dim[axis]));
      each.rank = 0;
      for (int a = 0; a < t->shape.rank; a++)
        if (a != axis) each.dim[each.rank++] = t->shape.dim[a];
    }
    set_local(tensor_at(cx, l->body->in[k]), &each, t ? t->dtype : SLOE_DT_UNDEFINED, NULL);
  }
  return SLOE_OK;
}

sloe_status sloe_shape_scan(sloe_infer *cx) {
  struct loop l = {.trips = SLOE_DIM_UNKNOWN};
  int unrolled = 0;
  SLOE_TRY(subgraph_of(cx, "body", &l.body));
  if (cx->net->opset < 9 && cx->net->opset > 0)
    return sloe_net_warn(cx->net, cx->err, "Scan '%s': opset 8's form is not handled",
                         cx->node->name);
  int64_t scanned = sloe_node_int(cx->node, "num_scan_inputs", 0);
  if (scanned < 1 || (uint64_t)scanned > l.body->n_in || cx->node->n_in < l.body->n_in ||
      l.body->n_out != cx->node->n_out || l.body->n_out < l.body->n_in - (size_t)scanned)
    return sloe_fail(cx->err, SLOE_FORMAT,
                     "%zu inputs, %lld scanned, %zu outputs, for a body of %zu inputs and %zu "
                     "outputs",
                     cx->node->n_in, (long long)scanned, cx->node->n_out, l.body->n_in,
                     l.body->n_out);
  l.n_carried = l.body->n_in - (size_t)scanned;
  SLOE_TRY(slice_inputs(cx, &l));
  if (l.trips == 0) return skip_body(cx, &l);
  SLOE_TRY(infer_body(cx, &l, &unrolled));
  SLOE_TRY(set_outputs(cx, &l, unrolled));
  return link_outputs(cx, l.body->n_in, l.body);
}
