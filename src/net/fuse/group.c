/* group.c: groups of ops and who reads what, as fusion rules see them (fuse.h). */
#include "net/fuse/fuse.h"

#include <string.h>

static int reads_from_graph(const sloe_net *net, sloe_tid t) {
  return t >= 0 && !(net->tensors[t].flags & SLOE_T_CONST);
}

static void add_use(sloe_fuse *f, size_t *n_uses, sloe_tid t, int32_t node) {
  const int32_t u = (int32_t)(*n_uses)++;
  f->uses[u] = (sloe_fuse_use){node, -1};
  if (f->use_head[t] < 0)
    f->use_head[t] = u;
  else
    f->uses[f->use_tail[t]].next = u;
  f->use_tail[t] = u;
  f->use_count[t]++;
}

static size_t count_inputs(const sloe_net *net) {
  size_t n = 0;
  for (size_t i = 0; i < net->n_order; i++) n += net->nodes[net->order[i]].n_in;
  return n;
}

static int allocate(sloe_fuse *f) {
  const size_t nodes = f->net->n_nodes, tensors = f->net->n_tensors;
  f->uf = SLOE_ARENA_NEW(f->scratch, int32_t, nodes + 1);
  f->pos = SLOE_ARENA_NEW(f->scratch, int32_t, nodes + 1);
  f->groups = SLOE_ARENA_NEW(f->scratch, sloe_fuse_group, nodes + 1);
  f->vanished = SLOE_ARENA_NEW(f->scratch, unsigned char, nodes + 1);
  f->root = SLOE_ARENA_NEW(f->scratch, sloe_tid, tensors + 1);
  f->producer = SLOE_ARENA_NEW(f->scratch, int32_t, tensors + 1);
  f->use_head = SLOE_ARENA_NEW(f->scratch, int32_t, tensors + 1);
  f->use_tail = SLOE_ARENA_NEW(f->scratch, int32_t, tensors + 1);
  f->use_count = SLOE_ARENA_NEW(f->scratch, int32_t, tensors + 1);
  f->external = SLOE_ARENA_NEW(f->scratch, unsigned char, tensors + 1);
  f->placed = SLOE_ARENA_NEW(f->scratch, unsigned char, tensors + 1);
  f->quantized = SLOE_ARENA_NEW(f->scratch, unsigned char, tensors + 1);
  f->uses = SLOE_ARENA_NEW(f->scratch, sloe_fuse_use, count_inputs(f->net) + 1);
  return f->uf && f->pos && f->groups && f->vanished && f->root && f->producer && f->use_head &&
         f->use_tail && f->use_count && f->external && f->placed && f->quantized && f->uses;
}

static unsigned first_flags(sloe_op op) {
  const sloe_op_role role = sloe_op_role_of(op);
  return role == SLOE_ROLE_ACTIVATION || role == SLOE_ROLE_UNARY || role == SLOE_ROLE_BINARY
             ? SLOE_FUSE_POINTWISE
             : 0;
}

static int32_t new_expr(sloe_fuse *f, sloe_fuse_expr expr) {
  if (!sloe_arena_grow(f->scratch, &f->exprs, f->n_exprs, &f->cap_exprs, sizeof *f->exprs)) {
    f->failed = 1;
    return 0;
  }
  f->exprs[f->n_exprs] = expr;
  return (int32_t)f->n_exprs++;
}

static void add_node(sloe_fuse *f, int32_t node, int32_t place, size_t *n_uses) {
  const sloe_node *n = &f->net->nodes[node];
  f->uf[node] = node;
  f->pos[node] = place;
  f->groups[node] = (sloe_fuse_group){.flags = first_flags(n->op),
                                      .expr = new_expr(f, (sloe_fuse_expr){.a = node, .b = -1}),
                                      .anchor = node,
                                      .tail = node,
                                      .key = place,
                                      .n_ops = 1,
                                      .extra = -1,
                                      .extra_last = -1};
  for (size_t k = 0; k < n->n_out; k++)
    if (n->out[k] >= 0) f->producer[n->out[k]] = node;
  for (size_t k = 0; k < n->n_in; k++)
    if (reads_from_graph(f->net, n->in[k])) add_use(f, n_uses, n->in[k], node);
  f->has_quantize |= n->op == SLOE_OP_QUANTIZE_LINEAR;
}

/* What a branch or loop body puts out is read by the op around it. */
static void mark_body_outputs(sloe_fuse *f, const sloe_node *n) {
  if (n->op != SLOE_OP_IF && n->op != SLOE_OP_LOOP && n->op != SLOE_OP_SCAN) return;
  for (size_t a = 0; a < n->n_attrs; a++) {
    const sloe_graph *body = n->attrs[a].type == SLOE_ATTR_GRAPH ? n->attrs[a].graph : NULL;
    for (size_t i = 0; body && i < body->n_out; i++)
      if (body->out[i] >= 0) f->external[body->out[i]] = 1;
  }
}

sloe_status sloe_fuse_init(sloe_fuse *f, sloe_error *err) {
  const sloe_net *net = f->net;
  if (!allocate(f)) return sloe_fail(err, SLOE_NOMEM, "no memory to fuse %zu ops", net->n_order);
  for (size_t t = 0; t < net->n_tensors; t++) {
    f->root[t] = (sloe_tid)t;
    f->producer[t] = f->use_head[t] = f->use_tail[t] = -1;
    f->external[t] = (net->tensors[t].flags & SLOE_T_OUTPUT) != 0;
  }
  for (size_t i = 0; i < net->n_nodes; i++) {
    f->uf[i] = -1;
    mark_body_outputs(f, &net->nodes[i]);
  }
  size_t n_uses = 0;
  for (size_t i = 0; i < net->n_order; i++)
    if (f->uf[net->order[i]] < 0) add_node(f, net->order[i], (int32_t)i, &n_uses);
  return f->failed ? sloe_fail(err, SLOE_NOMEM, "no memory to fuse %zu ops", net->n_order)
                   : SLOE_OK;
}

/* ---- looking ---- */

sloe_tid sloe_fuse_root(sloe_fuse *f, sloe_tid t) {
  if (t < 0) return -1;
  while (f->root[t] != t) t = f->root[t] = f->root[f->root[t]];
  return t;
}

int32_t sloe_fuse_find(sloe_fuse *f, int32_t node) {
  if (node < 0 || f->uf[node] < 0) return -1;
  while (f->uf[node] != node) node = f->uf[node] = f->uf[f->uf[node]];
  return node;
}

sloe_fuse_group *sloe_fuse_group_of(sloe_fuse *f, int32_t node) {
  return &f->groups[sloe_fuse_find(f, node)];
}

int32_t sloe_fuse_producer(sloe_fuse *f, sloe_tid t) {
  return t < 0 ? -1 : f->producer[sloe_fuse_root(f, t)];
}

int sloe_fuse_is_activation(const sloe_fuse *f, sloe_tid t) {
  return reads_from_graph(f->net, t);
}

sloe_op sloe_fuse_op(const sloe_fuse *f, int32_t node) {
  return node < 0 ? SLOE_OP_UNKNOWN : f->net->nodes[node].op;
}

int sloe_fuse_same_shape(const sloe_fuse *f, sloe_tid a, sloe_tid b) {
  const sloe_shape *x = &f->net->tensors[a].shape, *y = &f->net->tensors[b].shape;
  if (a == b) return 1;
  if (x->rank < 0 || x->rank != y->rank) return 0;
  for (int d = 0; d < x->rank; d++)
    if (x->dim[d] != y->dim[d] || x->dim[d] < 0) return 0;
  return 1;
}

int sloe_fuse_is_anchor(const sloe_fuse *f, int32_t node) {
  if (node < 0) return 0;
  const sloe_node *n = &f->net->nodes[node];
  if (sloe_op_role_of(n->op) != SLOE_ROLE_ANCHOR || n->n_out < 1) return 0;
  if (n->op == SLOE_OP_MATMUL || n->op == SLOE_OP_GEMM)
    return n->n_in > 1 && !sloe_fuse_is_activation(f, n->in[1]);
  return 1;
}

/* Readers inside loops may stand before the producer; their group is never `g` by accident. */
int sloe_fuse_only_read_by(sloe_fuse *f, int32_t node, int32_t g) {
  const sloe_node *n = &f->net->nodes[node];
  for (size_t k = 0; k < n->n_out; k++) {
    if (n->out[k] < 0) continue;
    const sloe_tid t = n->out[k];
    if (f->external[t]) return 0;
    if (k > 0 && f->use_count[t] > 0) return 0;
    SLOE_FUSE_FOR_USES(f, t, u)
    if (sloe_fuse_find(f, f->uses[u].node) != g) return 0;
  }
  return n->n_out > 0 && n->out[0] >= 0 && f->use_count[n->out[0]] > 0;
}

int32_t sloe_fuse_only_reader(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  if (n->n_out != 1 || n->out[0] < 0) return -1;
  const sloe_tid t = n->out[0];
  if (f->external[t] || f->use_count[t] != 1) return -1;
  return f->uses[f->use_head[t]].node;
}

int32_t sloe_fuse_private_input(sloe_fuse *f, int32_t node, size_t i) {
  const sloe_node *n = &f->net->nodes[node];
  if (i >= n->n_in || !sloe_fuse_is_activation(f, n->in[i])) return -1;
  const sloe_tid r = sloe_fuse_root(f, n->in[i]);
  const int32_t p = f->producer[r], g = sloe_fuse_find(f, p), own = sloe_fuse_find(f, node);
  if (g < 0 || g == own || f->quantized[r] || f->net->nodes[p].out[0] != r) return -1;
  const sloe_fuse_group *group = &f->groups[g];
  if (group->state != SLOE_FUSE_LIVE || group->tail != p || f->pos[p] > f->pos[node]) return -1;
  if (f->net->nodes[p].repeat != n->repeat) return -1;
  return sloe_fuse_same_shape(f, r, n->in[i]) && sloe_fuse_only_read_by(f, p, own) ? g : -1;
}

sloe_tid sloe_fuse_only_input(sloe_fuse *f, int32_t node) {
  int32_t nodes[SLOE_FUSE_MAX_OPS];
  const int32_t g = sloe_fuse_find(f, node);
  const size_t n = sloe_fuse_leaves(f, f->groups[g].expr, nodes);
  sloe_tid only = -1;
  for (size_t i = 0; i < n; i++) {
    const sloe_node *m = &f->net->nodes[nodes[i]];
    for (size_t k = 0; k < m->n_in; k++) {
      if (!sloe_fuse_is_activation(f, m->in[k])) continue;
      const sloe_tid r = sloe_fuse_root(f, m->in[k]);
      if (f->producer[r] >= 0 && sloe_fuse_find(f, f->producer[r]) == g) continue;
      if (only >= 0 && only != r) return -1;
      only = r;
    }
  }
  return only;
}

size_t sloe_fuse_leaves(const sloe_fuse *f, int32_t expr, int32_t nodes[SLOE_FUSE_MAX_OPS]) {
  int32_t stack[2 * SLOE_FUSE_MAX_OPS + 8];
  size_t depth = 0, n = 0;
  stack[depth++] = expr;
  while (depth > 0) {
    const sloe_fuse_expr *e = &f->exprs[stack[--depth]];
    if (e->form == SLOE_FORM_NODE) {
      if (n < SLOE_FUSE_MAX_OPS) nodes[n++] = e->a;
      continue;
    }
    if (e->b >= 0) stack[depth++] = e->b;
    if (e->a >= 0) stack[depth++] = e->a;
  }
  return n;
}

/* ---- changing ---- */

int32_t sloe_fuse_wrap(sloe_fuse *f, int32_t expr, sloe_fuse_form form, const char *text) {
  return new_expr(f, (sloe_fuse_expr){.form = form, .a = expr, .b = -1, .text = text});
}

int sloe_fuse_join(sloe_fuse *f, int32_t a, int32_t b, sloe_fuse_form form) {
  const int32_t ga = sloe_fuse_find(f, a), gb = sloe_fuse_find(f, b);
  sloe_fuse_group x = f->groups[ga];
  const sloe_fuse_group *y = &f->groups[gb];
  if (ga == gb || x.n_ops + y->n_ops > SLOE_FUSE_MAX_OPS) return 0;
  x.expr = new_expr(f, (sloe_fuse_expr){.form = form, .a = x.expr, .b = y->expr});
  x.tail = y->tail;
  if (y->key > x.key) x.key = y->key;
  x.n_ops += y->n_ops;
  const int32_t top = f->groups[ga].n_ops >= y->n_ops ? ga : gb;
  f->uf[ga] = f->uf[gb] = top;
  f->groups[top] = x;
  return 1;
}

int sloe_fuse_join_pwn(sloe_fuse *f, int32_t a, int32_t b) {
  sloe_fuse_group *y = sloe_fuse_group_of(f, b);
  if (sloe_fuse_group_of(f, a)->n_ops + y->n_ops > SLOE_FUSE_MAX_OPS) return 0;
  if (f->exprs[y->expr].form != SLOE_FORM_PWN)
    y->expr = sloe_fuse_wrap(f, y->expr, SLOE_FORM_PWN, NULL);
  return sloe_fuse_join(f, a, b, SLOE_FORM_JOIN);
}

/* A node's uses of one tensor stand side by side in its list. */
static void remove_use(sloe_fuse *f, sloe_tid t, int32_t node) {
  int32_t last = -1, u = f->use_head[t];
  while (u >= 0 && f->uses[u].node != node) {
    last = u;
    u = f->uses[u].next;
  }
  while (u >= 0 && f->uses[u].node == node) {
    u = f->uses[u].next;
    f->use_count[t]--;
  }
  if (last < 0)
    f->use_head[t] = u;
  else
    f->uses[last].next = u;
  if (u < 0) f->use_tail[t] = last;
}

void sloe_fuse_drop(sloe_fuse *f, int32_t node) {
  const sloe_node *n = &f->net->nodes[node];
  const sloe_tid from = sloe_fuse_root(f, n->in[0]), to = n->out[0];
  sloe_fuse_group_of(f, node)->state = SLOE_FUSE_DROPPED;
  for (size_t k = 0; k < n->n_in; k++)
    if (reads_from_graph(f->net, n->in[k])) remove_use(f, sloe_fuse_root(f, n->in[k]), node);
  if (to < 0 || to == from) return;
  f->root[to] = from;
  f->external[from] |= f->external[to];
  if (f->use_head[to] >= 0) { /* its readers are now the root's */
    if (f->use_head[from] < 0)
      f->use_head[from] = f->use_head[to];
    else
      f->uses[f->use_tail[from]].next = f->use_head[to];
    f->use_tail[from] = f->use_tail[to];
    f->use_count[from] += f->use_count[to];
  }
}

void sloe_fuse_hang(sloe_fuse *f, int32_t node, sloe_fuse_extra extra) {
  if (!sloe_arena_grow(f->scratch, &f->extras, f->n_extras, &f->cap_extras, sizeof *f->extras)) {
    f->failed = 1;
    return;
  }
  const int32_t at = (int32_t)f->n_extras++;
  sloe_fuse_group *g = sloe_fuse_group_of(f, node);
  extra.next = -1;
  f->extras[at] = extra;
  if (g->extra < 0)
    g->extra = at;
  else
    f->extras[g->extra_last].next = at;
  g->extra_last = at;
}
