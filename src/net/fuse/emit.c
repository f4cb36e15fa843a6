/* emit.c: from groups in execution order to the public sloe_layer.
 *
 * A fused kernel reads what comes from outside the group, each tensor once, and writes what is read
 * outside; tensors between its members stay in registers. Ops folded into weights count for nothing
 * there: their flops go to folded_flops. */
#include "net/fuse/fuse.h"

typedef struct emitter {
  sloe_fuse *f;
  sloe_layers *layers;
  int32_t *seen; /* [n_tensors] by root: 1 + the last slot that read it */
  int32_t slot;
  int32_t group;
  int32_t nodes[SLOE_FUSE_MAX_OPS];
  size_t n_nodes;
  sloe_shape *in, *out; /* scratch, grown */
  size_t n_in, n_out, cap_in, cap_out;
  int failed;
} emitter;

static uint64_t times(uint64_t n, double repeat) {
  if (repeat == 1) return n;
  const double product = (double)n * repeat;
  if (!(product > 0)) return 0;
  return product >= 18e18 ? UINT64_MAX : (uint64_t)product;
}

static void add_to(uint64_t *sum, uint64_t n) {
  *sum = sloe_add_sat(*sum, n);
}

static void add_shape(emitter *e, sloe_shape **list, size_t *n, size_t *cap, sloe_tid t) {
  if (!sloe_arena_grow(e->f->scratch, list, *n, cap, sizeof **list)) {
    e->failed = 1;
    return;
  }
  (*list)[(*n)++] = e->f->net->tensors[t].shape;
}

/* A node's inputs from outside; an op that reads part of a tensor only (Gather, Slice) says so in
   its cost, which holds as long as all its inputs come from outside. */
static void take_inputs(emitter *e, const sloe_node *n, const sloe_cost *cost, sloe_layer *l) {
  uint64_t fresh = 0;
  int all = 1;
  for (size_t k = 0; k < n->n_in; k++) {
    if (!sloe_fuse_is_activation(e->f, n->in[k])) continue;
    const sloe_tid r = sloe_fuse_root(e->f, n->in[k]);
    const int32_t p = e->f->producer[r];
    if ((p >= 0 && sloe_fuse_find(e->f, p) == e->group) || e->seen[r] == e->slot) {
      all = 0;
      continue;
    }
    e->seen[r] = e->slot;
    add_to(&fresh, sloe_shape_elements(&e->f->net->tensors[n->in[k]].shape));
    add_shape(e, &e->in, &e->n_in, &e->cap_in, n->in[k]);
  }
  fresh = times(fresh, n->repeat);
  add_to(&l->in_elements,
         (all && e->n_nodes > 0) || cost->in_elements < fresh ? cost->in_elements : fresh);
}

static int leaves_group(emitter *e, sloe_tid t) {
  if (e->f->external[t]) return 1;
  SLOE_FUSE_FOR_USES(e->f, t, u)
  if (sloe_fuse_find(e->f, e->f->uses[u].node) != e->group) return 1;
  return 0;
}

static void take_outputs(emitter *e, const sloe_node *n, const sloe_cost *cost, int forced,
                         sloe_layer *l) {
  uint64_t written = 0;
  int all = 1;
  for (size_t k = 0; k < n->n_out; k++) {
    const sloe_tid t = n->out[k];
    if (t < 0 || (e->f->net->tensors[t].flags & SLOE_T_CONST)) continue;
    if (!forced && !leaves_group(e, t)) {
      all = 0;
      continue;
    }
    add_to(&written, sloe_shape_elements(&e->f->net->tensors[t].shape));
    add_shape(e, &e->out, &e->n_out, &e->cap_out, t);
  }
  add_to(&l->out_elements, all ? cost->out_elements : times(written, n->repeat));
}

static void take_node(emitter *e, int32_t node, sloe_layer *l) {
  const sloe_net *net = e->f->net;
  const sloe_node *n = &net->nodes[node];
  const sloe_cost *cost = &net->costs[node];
  add_to(&l->macs, cost->macs);
  add_to(e->f->vanished[node] ? &e->layers->folded_flops : &l->flops, cost->flops);
  if (!e->f->vanished[node]) add_to(&l->params, cost->params);
  l->data_dependent |= (n->flags & SLOE_N_DATA_DEPENDENT) != 0;
  take_inputs(e, n, cost, l);
  take_outputs(e, n, cost, e->n_nodes == 1, l);
}

static const sloe_shape *keep_shapes(emitter *e, const sloe_shape *from, size_t n) {
  sloe_shape *kept = SLOE_ARENA_NEW(e->f->arena, sloe_shape, n + 1);
  if (!kept) e->failed = 1;
  for (size_t i = 0; kept && i < n; i++) kept[i] = from[i];
  return kept;
}

static void add_pad(const sloe_net *net, const sloe_node *pad, sloe_layer *l) {
  size_t n = 0;
  const int64_t *p = sloe_node_ints(pad, "pads", &n);
  const sloe_tensor *in = sloe_node_in(net, pad, 1);
  if (!p && in && in->value && !in->value->real) p = in->value->i, n = in->value->n;
  if (!p || n != 8) return;
  const int64_t add[4] = {p[2], p[3], p[6], p[7]};
  for (int i = 0; i < 4; i++)
    if (l->pads[i] >= 0 && add[i] <= INT64_MAX - l->pads[i]) l->pads[i] += add[i];
}

static void take_anchor(emitter *e, const sloe_fuse_group *g, sloe_layer *l) {
  const sloe_net *net = e->f->net;
  const sloe_node *anchor = &net->nodes[g->anchor];
  l->kind = sloe_fuse_kind(net, anchor);
  if ((g->flags & SLOE_FUSE_POINTWISE) && g->n_ops > 1) l->kind = SLOE_LAYER_ELEMENTWISE;
  sloe_fuse_spatial(net, anchor, l);
  for (size_t i = 0; i < e->n_nodes; i++) {
    const sloe_node *n = &net->nodes[e->nodes[i]];
    if (n->op == SLOE_OP_PAD && n != anchor && sloe_fuse_is_anchor(e->f, g->anchor))
      add_pad(net, n, l);
    if ((g->flags & SLOE_FUSE_MERGED) && n->op == SLOE_OP_CONV && n != anchor) {
      sloe_layer other;
      sloe_fuse_spatial(net, n, &other);
      if (other.filters >= 0 && l->filters <= INT64_MAX - other.filters)
        l->filters += other.filters;
    }
  }
}

static void keep_nodes(emitter *e, int32_t anchor) {
  int32_t *kept = SLOE_ARENA_NEW(e->f->arena, int32_t, e->n_nodes + 1);
  if (!kept) e->failed = 1;
  for (size_t i = 0; kept && i < e->n_nodes; i++) kept[i] = e->nodes[i];
  e->layers->ops[e->layers->n] = (sloe_layer_ops){kept, e->n_nodes, anchor};
}

static void emit_group(emitter *e, const sloe_fuse_group *g) {
  sloe_layer *l = &e->layers->layers[e->layers->n];
  e->n_nodes = sloe_fuse_leaves(e->f, g->expr, e->nodes);
  e->n_in = e->n_out = 0;
  const char **ops = SLOE_ARENA_NEW(e->f->arena, const char *, e->n_nodes + 1);
  l->name = sloe_fuse_name(e->f, g->expr);
  if (!ops || !l->name) {
    e->failed = 1;
    return;
  }
  for (size_t i = 0; i < e->n_nodes; i++) {
    ops[i] = e->f->net->nodes[e->nodes[i]].name;
    take_node(e, e->nodes[i], l);
  }
  l->ops = ops;
  l->n_ops = e->n_nodes;
  keep_nodes(e, g->anchor);
  take_anchor(e, g, l);
  l->in = keep_shapes(e, e->in, e->n_in);
  l->n_in = e->n_in;
  l->out = keep_shapes(e, e->out, e->n_out);
  l->n_out = e->n_out;
  e->layers->n++;
}

static char *reformat_name(emitter *e, const sloe_fuse_group *g) {
  const char *name = sloe_fuse_name(e->f, g->expr);
  if (!name) return NULL;
  return e->f->fusion.version < 800
             ? sloe_arena_printf(e->f->arena, "%s input reformatter 0", name)
             : sloe_arena_printf(e->f->arena, "Reformatting CopyNode for Input Tensor 0 to %s",
                                 name);
}

static void emit_extra(emitter *e, const sloe_fuse_group *g, const sloe_fuse_extra *x) {
  const sloe_net *net = e->f->net;
  sloe_layer *l = &e->layers->layers[e->layers->n];
  const sloe_shape *shape = keep_shapes(e, &net->tensors[x->tensor].shape, 1);
  l->name = x->name ? x->name : reformat_name(e, g);
  const char **ops = SLOE_ARENA_NEW(e->f->arena, const char *, 1);
  if (!shape || !l->name || !ops) {
    e->failed = 1;
    return;
  }
  e->layers->ops[e->layers->n].anchor = -1;
  if (x->owner >= 0) ops[l->n_ops++] = net->nodes[x->owner].name;
  l->ops = ops;
  l->kind = x->kind;
  l->in = l->out = shape;
  l->n_in = l->n_out = 1;
  l->data_dependent = !sloe_shape_known(shape);
  l->in_elements = times(sloe_shape_elements(shape), net->nodes[g->anchor].repeat);
  l->out_elements = l->in_elements;
  e->layers->n++;
}

/* Ops in no layer, or in copies that do not count them. */
static void count_folded(emitter *e) {
  const sloe_net *net = e->f->net;
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_fuse_state state = sloe_fuse_group_of(e->f, net->order[i])->state;
    if (state == SLOE_FUSE_LIVE) continue;
    add_to(&e->layers->folded_flops, net->costs[net->order[i]].flops);
    e->layers->n_dropped++;
  }
}

sloe_status sloe_fuse_emit(sloe_fuse *f, const int32_t *slots, size_t n, sloe_layers *layers,
                           sloe_error *err) {
  emitter e = {.f = f, .layers = layers};
  e.seen = SLOE_ARENA_NEW(f->scratch, int32_t, f->net->n_tensors + 1);
  layers->layers = SLOE_ARENA_NEW(f->arena, sloe_layer, n + f->n_extras + 1);
  layers->ops = SLOE_ARENA_NEW(f->arena, sloe_layer_ops, n + f->n_extras + 1);
  e.failed = !e.seen || !layers->layers || !layers->ops;
  for (size_t i = 0; i < n && !e.failed; i++) {
    const sloe_fuse_group *g = &f->groups[slots[i]];
    e.slot = (int32_t)i + 1;
    e.group = slots[i];
    for (int32_t x = g->extra; x >= 0 && !e.failed; x = f->extras[x].next)
      emit_extra(&e, g, &f->extras[x]);
    if (g->state == SLOE_FUSE_LIVE && !e.failed) emit_group(&e, g);
  }
  if (e.failed) return sloe_fail(err, SLOE_NOMEM, "no memory for %zu layers", n);
  count_folded(&e);
  return SLOE_OK;
}
