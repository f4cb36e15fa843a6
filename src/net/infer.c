/* The inference driver: walks graphs in order, calls each op's shape rule, propagates constness. */
#include "net/infer.h"

#include <math.h>
#include <string.h>

/* Loops unroll their inference; a hostile nest of them must still end. */
static const uint64_t MOST_STEPS = 4000000;

static int all_known(const sloe_value *v) {
  for (size_t k = 0; k < v->n; k++)
    if (v->real ? isnan(v->f[k]) : v->i[k] == SLOE_ELEM_UNKNOWN) return 0;
  return 1;
}

const sloe_value *sloe_in_value(const sloe_infer *cx, size_t i) {
  const sloe_tensor *t = sloe_in(cx, i);
  return t && t->value && all_known(t->value) ? t->value : NULL;
}

sloe_ints sloe_ints_of(const sloe_infer *cx, const char *name, size_t i) {
  const sloe_attr *a = name ? sloe_node_attr(cx->node, name) : NULL;
  if (a && a->type == SLOE_ATTR_INTS) return (sloe_ints){a->ints, a->n, 1};
  if (a && a->type == SLOE_ATTR_INT) return (sloe_ints){&a->i, 1, 1};
  const sloe_tensor *t = sloe_in(cx, i);
  if (!t) return (sloe_ints){0};
  const sloe_value *v = sloe_in_value(cx, i);
  return v && !v->real ? (sloe_ints){v->i, v->n, 1} : (sloe_ints){NULL, 0, 1};
}

sloe_value *sloe_set_value(sloe_infer *cx, size_t i, size_t n, int real, sloe_status *status) {
  sloe_tensor *t = sloe_out(cx, i);
  if (!t || n > SLOE_VALUE_MAX) return NULL;
  sloe_value *v = SLOE_ARENA_NEW(&cx->net->arena, sloe_value, 1);
  void *data = sloe_arena_alloc(&cx->net->arena, n, real ? sizeof *v->f : sizeof *v->i);
  if (!v || !data) {
    *status =
        sloe_fail(cx->err, SLOE_NOMEM, "the network needs more than the %zu bytes it may have",
                  cx->net->arena.limit);
    return NULL;
  }
  *v = (sloe_value){.n = n, .real = real, .i = real ? NULL : data, .f = real ? data : NULL};
  t->value = v;
  t->flags |= SLOE_T_CONST;
  return v;
}

static int64_t broadcast_dim(int64_t a, int64_t b, int *clash) {
  if (a == 1) return b;
  if (b == 1 || a == b) return a;
  if (a < 0) return b; /* must be b or 1 when it runs, and b > 1 then wins */
  if (b < 0) return a;
  *clash = 1;
  return a;
}

sloe_status sloe_broadcast(sloe_infer *cx, sloe_shape *acc, const sloe_shape *b) {
  if (acc->rank < 0 || b->rank < 0) {
    acc->rank = -1;
    return SLOE_OK;
  }
  sloe_shape out = {.rank = acc->rank > b->rank ? acc->rank : b->rank};
  int clash = 0;
  for (int k = 1; k <= out.rank; k++) {
    int64_t x = k <= acc->rank ? acc->dim[acc->rank - k] : 1;
    int64_t y = k <= b->rank ? b->dim[b->rank - k] : 1;
    out.dim[out.rank - k] = broadcast_dim(x, y, &clash);
  }
  if (clash) {
    char s[SLOE_SHAPE_BUF], t[SLOE_SHAPE_BUF];
    return sloe_fail(cx->err, SLOE_FORMAT, "shapes %s and %s cannot be broadcast",
                     sloe_shape_print(acc, s), sloe_shape_print(b, t));
  }
  *acc = out;
  return SLOE_OK;
}

sloe_status sloe_axis(sloe_infer *cx, int64_t axis, int rank, int *out) {
  if (axis < -rank || axis >= rank)
    return sloe_fail(cx->err, SLOE_FORMAT, "axis %lld of a tensor of rank %d", (long long)axis,
                     rank);
  *out = (int)(axis < 0 ? axis + rank : axis);
  return SLOE_OK;
}

sloe_shape sloe_shape_of(int rank, const int64_t *dims) {
  sloe_shape s = {.rank = rank};
  if (rank > 0) memcpy(s.dim, dims, (size_t)rank * sizeof *dims);
  return s;
}

sloe_shape sloe_shape_unknown(void) {
  return (sloe_shape){.rank = -1};
}

static sloe_status call_rule(sloe_infer *cx) {
  switch (cx->node->op) {
#define OP(id, name, in_min, in_max, shape, cost, kind, role) \
  case SLOE_OP_##id:                                          \
    return sloe_shape_##shape(cx);
#include "net/ops.def"
#undef OP
    default: break;
  }
  /* Not known: what the file declares of its outputs, or else the shape of its first input. */
  const sloe_tensor *in = sloe_in(cx, 0);
  for (size_t i = 0; in && i < cx->node->n_out; i++) {
    const sloe_tensor *out = sloe_out(cx, i);
    if (out && out->shape.rank < 0)
      sloe_set_out(cx, i, &in->shape, out->dtype ? out->dtype : in->dtype);
  }
  return SLOE_OK;
}

static void forget_outputs(sloe_infer *cx) {
  for (size_t i = 0; cx->node->op != SLOE_OP_UNKNOWN && i < cx->node->n_out; i++) {
    sloe_tensor *t = sloe_out(cx, i);
    if (!t) continue;
    sloe_shape_forget(&t->shape);
    t->value = NULL;
    t->flags &= ~(unsigned)SLOE_T_CONST;
  }
}

static int runs_afresh(sloe_op op) { /* the same inputs may give other outputs */
  switch (op) {
    case SLOE_OP_UNKNOWN:
    case SLOE_OP_IF:
    case SLOE_OP_LOOP:
    case SLOE_OP_SCAN:
    case SLOE_OP_RANDOM_NORMAL:
    case SLOE_OP_RANDOM_UNIFORM:
    case SLOE_OP_RANDOM_NORMAL_LIKE:
    case SLOE_OP_RANDOM_UNIFORM_LIKE:
    case SLOE_OP_MULTINOMIAL:
    case SLOE_OP_BERNOULLI: return 1;
    default: return 0;
  }
}

static sloe_status check_dims(sloe_infer *cx, const sloe_tensor *t) {
  char buf[SLOE_SHAPE_BUF];
  for (int k = 0; k < t->shape.rank; k++)
    if (t->shape.dim[k] < SLOE_DIM_UNKNOWN)
      return sloe_fail(cx->err, SLOE_FORMAT, "output '%s' would have the dimension %lld", t->name,
                       (long long)t->shape.dim[k]);
  if (sloe_shape_elements(&t->shape) > INT64_MAX / 16)
    return sloe_fail(cx->err, SLOE_UNSUPPORTED, "output '%s' would be %s, too large to count",
                     t->name, sloe_shape_print(&t->shape, buf));
  return SLOE_OK;
}

/* Dims that reach the outputs must be possible, and their product must fit in an int64. Of a shape
   with elements the first is so. */
static sloe_status check_output(sloe_infer *cx, const sloe_tensor *t) {
  const uint64_t n = sloe_shape_elements(&t->shape);
  return n && n <= INT64_MAX / 16 ? SLOE_OK : check_dims(cx, t);
}

static sloe_status settle_outputs(sloe_infer *cx) {
  int constant = cx->node->n_out > 0;
  int inherit = sloe_all_const(cx) && !runs_afresh(cx->node->op);
  for (size_t i = 0; i < cx->node->n_out; i++) {
    sloe_tensor *t = sloe_out(cx, i);
    if (!t) continue;
    SLOE_TRY(check_output(cx, t));
    if (inherit) t->flags |= SLOE_T_CONST;
    if (t->value && !all_known(t->value) && cx->node->op != SLOE_OP_CONSTANT)
      t->flags &= ~(unsigned)SLOE_T_CONST;
    if (!(t->flags & SLOE_T_CONST)) constant = 0;
    if (!sloe_shape_known(&t->shape)) cx->node->flags |= SLOE_N_DATA_DEPENDENT;
  }
  if (constant) cx->node->flags |= SLOE_N_CONST;
  return SLOE_OK;
}

static sloe_status infer_node(sloe_infer *cx) {
  cx->node->flags = 0;
  forget_outputs(cx);
  sloe_status status = call_rule(cx);
  if (status == SLOE_OK) status = settle_outputs(cx);
  if (status == SLOE_OK) return SLOE_OK;
  if (cx->err && !cx->err->offset) cx->err->offset = cx->node->offset;
  return sloe_fail_in(cx->err, status, "node '%s' (%s)", cx->node->name, cx->node->type);
}

static sloe_status append_order(sloe_infer *cx, int32_t index) {
  sloe_net *net = cx->net;
  if (!sloe_arena_grow(&net->arena, &net->order, net->n_order, &net->cap_order, sizeof *net->order))
    return sloe_fail(cx->err, SLOE_NOMEM, "out of memory ordering nodes");
  net->order[net->n_order++] = index;
  return SLOE_OK;
}

sloe_status sloe_infer_graph(sloe_infer *outer, sloe_graph *graph, double repeat, int run) {
  sloe_infer cx = {.net = outer->net,
                   .graph = graph,
                   .repeat = repeat,
                   .depth = outer->depth + 1,
                   .err = outer->err};
  for (size_t i = 0; i < graph->n_nodes; i++) {
    if (cx.net->infer_steps++ > MOST_STEPS)
      return sloe_fail(cx.err, SLOE_UNSUPPORTED, "more than %llu steps of shape inference",
                       (unsigned long long)MOST_STEPS);
    cx.node = &cx.net->nodes[graph->nodes[i]];
    cx.node->repeat = repeat;
    SLOE_TRY(infer_node(&cx));
    if (run && !(cx.node->flags & SLOE_N_CONST)) SLOE_TRY(append_order(&cx, graph->nodes[i]));
  }
  return SLOE_OK;
}

sloe_status sloe_infer_net(sloe_net *net, sloe_error *err) {
  sloe_infer top = {.net = net, .graph = &net->graph, .repeat = 1, .depth = -1, .err = err};
  net->n_order = 0;
  return sloe_infer_graph(&top, &net->graph, 1, 1);
}

/* Consumers of each tensor among the nodes that run, in compressed rows. */
sloe_status sloe_index_uses(sloe_net *net, sloe_error *err) {
  size_t total = 0;
  net->use_start = SLOE_ARENA_NEW(&net->arena, int32_t, net->n_tensors + 2);
  if (!net->use_start) return sloe_fail(err, SLOE_NOMEM, "out of memory indexing uses");
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_node *node = &net->nodes[net->order[i]];
    for (size_t k = 0; k < node->n_in; k++)
      if (node->in[k] >= 0 && ++total < INT32_MAX) net->use_start[node->in[k] + 2]++;
  }
  net->uses = sloe_arena_raw(&net->arena, total, sizeof *net->uses);
  if (total >= INT32_MAX || !net->uses)
    return sloe_fail(err, SLOE_NOMEM, "too many uses of tensors");
  for (size_t t = 0; t <= net->n_tensors; t++) net->use_start[t + 1] += net->use_start[t];
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_node *node = &net->nodes[net->order[i]];
    for (size_t k = 0; k < node->n_in; k++)
      if (node->in[k] >= 0) net->uses[net->use_start[node->in[k] + 1]++] = net->order[i];
  }
  return SLOE_OK;
}
