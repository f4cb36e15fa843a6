/* GraphProto and NodeProto. The order of work stands in reader.h. */
#include <stdio.h>
#include <string.h>

#include "onnx/reader.h"

enum { /* GraphProto */
       G_NODE = 1,
       G_NAME = 2,
       G_INITIALIZER = 5,
       G_INPUT = 11,
       G_OUTPUT = 12,
       G_VALUE_INFO = 13,
       G_SPARSE_INITIALIZER = 15,
};
enum {
  N_INPUT = 1,
  N_OUTPUT = 2,
  N_NAME = 3,
  N_OP_TYPE = 4,
  N_ATTRIBUTE = 5,
  N_DOMAIN = 7,
  N_OVERLOAD = 8
}; /* NodeProto */

/* ---- nodes ------------------------------------------------------------------------------- */

typedef struct node {
  const char *name, *type, *domain, *overload;
  size_t in, out, attrs; /* bases on the reader's stacks */
} node;

static sloe_status push_tid(sloe_onnx_reader *r, sloe_onnx_stack *stack, sloe_tid t) {
  sloe_tid *place = sloe_onnx_push(stack, sizeof *place);
  if (!place) return sloe_onnx_nomem(r);
  *place = t;
  return SLOE_OK;
}

static sloe_status read_node_field(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope,
                                   node *n) {
  sloe_tid t;
  switch (f->number) {
    case N_INPUT:
      SLOE_TRY(sloe_onnx_text(r, f));
      SLOE_TRY(sloe_onnx_use(r, scope, r->text, f->at, &t));
      return push_tid(r, &r->in, t);
    case N_OUTPUT:
      SLOE_TRY(sloe_onnx_text(r, f));
      SLOE_TRY(sloe_onnx_define_out(r, scope, r->text, f->at, &t));
      return push_tid(r, &r->out, t);
    case N_NAME: return sloe_onnx_string(r, f, &n->name);
    case N_OP_TYPE: return sloe_onnx_string(r, f, &n->type);
    case N_DOMAIN: return sloe_onnx_string(r, f, &n->domain);
    case N_OVERLOAD: return sloe_onnx_string(r, f, &n->overload);
    case N_ATTRIBUTE: return sloe_onnx_attr(r, f, scope, *n->name ? n->name : n->type);
    default: return sloe_wire_skip(&r->wire, f);
  }
}

static sloe_status walk_node(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope,
                             node *n) {
  sloe_field g;
  uint64_t outer;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    SLOE_TRY(read_node_field(r, &g, scope, n));
  }
  if (!*n->type) return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "a node without an operator");
  return sloe_wire_leave(&r->wire, outer);
}

static const char *full_type(sloe_onnx_reader *r, const node *n) {
  if (!*n->domain || strcmp(n->domain, "ai.onnx") == 0) return n->type;
  return sloe_arena_printf(&r->net->arena, "%s::%s", n->domain, n->type);
}

/* The function that a node calls; -1: none. */
static int32_t find_function(sloe_onnx_reader *r, const char *type, const node *n) {
  if (!r->n_functions) return -1;
  if (!*n->overload) return sloe_map_get(&r->function_names, type);
  const char *key = sloe_arena_printf(&r->net->arena, "%s:%s", type, n->overload);
  return key ? sloe_map_get(&r->function_names, key) : -1;
}

static sloe_status add_node(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope,
                            const node *n, size_t index) {
  sloe_node_spec spec = {
      .type = full_type(r, n),
      .name = n->name,
      .in = sloe_onnx_above(&r->in, n->in, sizeof(sloe_tid)),
      .n_in = r->in.n - n->in,
      .out = sloe_onnx_above(&r->out, n->out, sizeof(sloe_tid)),
      .n_out = r->out.n - n->out,
      .attrs = sloe_onnx_above(&r->attrs, n->attrs, sizeof(sloe_attr)),
      .n_attrs = r->attrs.n - n->attrs,
      .offset = f->at,
  };
  if (spec.type && *scope->prefix)
    spec.name = *n->name
                    ? sloe_arena_printf(&r->net->arena, "%s%s", scope->prefix, n->name)
                    : sloe_arena_printf(&r->net->arena, "%s%s_%zu", scope->prefix, n->type, index);
  if (!spec.type || !spec.name) return sloe_onnx_nomem(r);
  int32_t function = find_function(r, spec.type, n);
  if (function >= 0) return sloe_onnx_inline(r, scope, function, &spec);
  r->named = 1; /* sloe_net_add_node does */
  SLOE_TRY(sloe_net_add_node(r->net, scope->graph, &spec, r->err));
  r->named = 0;
  return SLOE_OK;
}

/* Name the innermost node in a message, once. */
static sloe_status in_node(sloe_onnx_reader *r, sloe_status status, const node *n, size_t index) {
  if (status == SLOE_OK || r->named) return status;
  r->named = 1;
  char type[48] = "";
  if (*n->type) snprintf(type, sizeof type, " (%.40s)", n->type);
  if (*n->name) return sloe_fail_in(r->err, status, "node '%.80s'%s", n->name, type);
  sloe_tid out = r->out.n > n->out ? ((const sloe_tid *)r->out.data)[n->out] : -1;
  if (out >= 0)
    return sloe_fail_in(r->err, status, "node that makes '%.80s'%s", r->net->tensors[out].name,
                        type);
  return sloe_fail_in(r->err, status, "node %zu%s", index, type);
}

sloe_status sloe_onnx_node(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope,
                           size_t index) {
  node n = {.name = "",
            .type = "",
            .domain = "",
            .overload = "",
            .in = r->in.n,
            .out = r->out.n,
            .attrs = r->attrs.n};
  sloe_status status = walk_node(r, f, scope, &n);
  if (status == SLOE_OK) status = add_node(r, f, scope, &n, index);
  if (status != SLOE_OK) return in_node(r, status, &n, index);
  r->in.n = n.in;
  r->out.n = n.out;
  r->attrs.n = n.attrs;
  return SLOE_OK;
}

sloe_status sloe_onnx_declare_node(sloe_onnx_reader *r, const sloe_field *f,
                                   sloe_onnx_scope *scope) {
  sloe_field g;
  uint64_t outer;
  SLOE_TRY(sloe_wire_enter(&r->wire, f, &outer));
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &g));
    if (!g.number) break;
    if (g.number == N_OUTPUT) {
      SLOE_TRY(sloe_onnx_text(r, &g));
      SLOE_TRY(sloe_onnx_declare_out(r, scope, r->text, g.at));
    } else {
      SLOE_TRY(sloe_wire_skip(&r->wire, &g));
    }
  }
  return sloe_wire_leave(&r->wire, outer);
}

/* ---- graphs ------------------------------------------------------------------------------ */

enum { DEFINITIONS = 1, NODES = 2 }; /* what a walk takes; both in the main graph */

typedef struct walk {
  sloe_onnx_scope *scope;
  unsigned take;
  size_t index; /* of the next node */
} walk;

static sloe_status read_input(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope) {
  sloe_onnx_value_info v;
  sloe_tid t;
  SLOE_TRY(sloe_onnx_read_value_info(r, f, &v));
  SLOE_TRY(sloe_onnx_define_input(r, scope, v.name, f->at, &t));
  sloe_tensor *x = &r->net->tensors[t];
  if (!(x->flags & SLOE_T_INIT)) { /* an initializer knows better */
    x->shape = v.shape;
    x->dtype = v.dtype;
    x->symbol = v.symbol;
    x->offset = f->at;
  }
  for (int i = 0; !scope->local && i < x->shape.rank; i++)
    if (x->shape.dim[i] == 0 && !(x->flags & SLOE_T_INIT)) x->shape.dim[i] = SLOE_DIM_UNKNOWN;
  return push_tid(r, &r->in, t); /* added at the end, when all initializers are known */
}

/* What a file says of the output of an operator that we do not know is all that is known of it. */
static void believe(sloe_onnx_reader *r, sloe_tid t, const sloe_onnx_value_info *v) {
  sloe_tensor *x = &r->net->tensors[t];
  if (x->producer < 0 || r->net->nodes[x->producer].op != SLOE_OP_UNKNOWN) return;
  x->shape = v->shape;
  x->dtype = v->dtype;
}

static sloe_status read_output(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope) {
  sloe_onnx_value_info v;
  sloe_tid t;
  SLOE_TRY(sloe_onnx_read_value_info(r, f, &v));
  if (!*v.name) return sloe_fail_at(r->err, SLOE_FORMAT, f->at, "a graph output without a name");
  SLOE_TRY(sloe_onnx_use(r, scope, v.name, f->at, &t));
  believe(r, t, &v);
  return sloe_graph_add_output(r->net, scope->graph, t, r->err);
}

static sloe_status read_value_info(sloe_onnx_reader *r, const sloe_field *f,
                                   sloe_onnx_scope *scope) {
  sloe_onnx_value_info v;
  SLOE_TRY(sloe_onnx_read_value_info(r, f, &v));
  int32_t t = sloe_map_get(&scope->names, v.name);
  if (t >= 0) believe(r, t, &v);
  return SLOE_OK;
}

static sloe_status read_node(sloe_onnx_reader *r, const sloe_field *f, walk *w) {
  if (w->take & NODES) return sloe_onnx_node(r, f, w->scope, w->index++);
  return sloe_onnx_declare_node(r, f, w->scope);
}

static sloe_status read_field(sloe_onnx_reader *r, const sloe_field *f, walk *w) {
  sloe_tid t;
  if (f->number == G_NODE) return read_node(r, f, w);
  if (w->take & DEFINITIONS) switch (f->number) {
      case G_NAME: return sloe_onnx_string(r, f, &w->scope->graph->name);
      case G_INPUT: return read_input(r, f, w->scope);
      case G_INITIALIZER: return sloe_onnx_tensor(r, f, w->scope, &t);
      case G_SPARSE_INITIALIZER: return sloe_onnx_sparse_tensor(r, f, w->scope, &t);
      default: break;
    }
  if (w->take & NODES && f->number == G_OUTPUT) return read_output(r, f, w->scope);
  if (w->take & NODES && f->number == G_VALUE_INFO) return read_value_info(r, f, w->scope);
  return sloe_wire_skip(&r->wire, f);
}

static sloe_status walk_graph(sloe_onnx_reader *r, const sloe_onnx_range *range, walk w) {
  sloe_field f;
  sloe_wire_jump(&r->wire, range->at, range->end);
  size_t base = r->in.n;
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &f));
    if (!f.number) break;
    SLOE_TRY(read_field(r, &f, &w));
  }
  for (size_t i = base; i < r->in.n; i++)
    SLOE_TRY(
        sloe_graph_add_input(r->net, w.scope->graph, ((const sloe_tid *)r->in.data)[i], r->err));
  r->in.n = base;
  return SLOE_OK;
}

static sloe_status read_subgraph(sloe_onnx_reader *r, const sloe_onnx_pending *p) {
  sloe_onnx_scope *scope = sloe_onnx_scope_new(r, p->scope, p->graph);
  if (!scope) return sloe_onnx_nomem(r);
  SLOE_TRY(walk_graph(r, &p->range, (walk){.scope = scope, .take = DEFINITIONS}));
  return walk_graph(r, &p->range, (walk){.scope = scope, .take = NODES});
}

sloe_status sloe_onnx_read_graph(sloe_onnx_reader *r) {
  sloe_onnx_scope *scope = sloe_onnx_scope_new(r, NULL, &r->net->graph);
  if (!scope) return sloe_onnx_nomem(r);
  scope->open = 1;
  r->net->graph.name = "";
  SLOE_TRY(walk_graph(r, &r->graph, (walk){.scope = scope, .take = DEFINITIONS | NODES}));
  for (size_t i = 0; i < r->n_pending; i++) {
    sloe_onnx_pending p = r->pending[i];
    sloe_status status = read_subgraph(r, &p);
    if (status != SLOE_OK)
      return sloe_fail_in(r->err, status, "graph '%.40s' of node '%.60s'", p.attr, p.node);
  }
  return SLOE_OK;
}
