/* Local functions (ModelProto.functions), inlined where they are called.
 *
 * A call re-reads the function's bytes in a scope of its own: its inputs name the call's input
 * tensors, its outputs the call's outputs, all else gets names behind "<call>/". What a file can
 * make of this is bounded: no function may call itself, and nodes made and bytes walked are capped.
 */
#include <string.h>

#include "onnx/reader.h"

enum { F_NAME = 1, F_INPUT = 4, F_OUTPUT = 5, F_NODE = 7, F_ATTRIBUTE_PROTO = 11 };

typedef struct inlining {
  const sloe_node_spec *spec;
  sloe_onnx_scope *scope;
  sloe_onnx_call *call;
  const sloe_tid *in, *out; /* the call's; the spec's own move as the stacks grow */
  size_t n_in, n_out;       /* parameters seen so far */
  sloe_tid *results;        /* what each output of the function is */
} inlining;

static sloe_status bind_input(sloe_onnx_reader *r, const sloe_field *f, inlining *x) {
  size_t i = x->n_in++;
  SLOE_TRY(sloe_onnx_text(r, f));
  return sloe_onnx_bind(r, x->scope, r->text, f->at, x->in && i < x->spec->n_in ? x->in[i] : -1);
}

static sloe_status promise(sloe_onnx_reader *r, const sloe_field *f, sloe_onnx_scope *scope,
                           sloe_tid out) {
  SLOE_TRY(sloe_onnx_bind(r, scope, r->text, f->at, out));
  const char *key = sloe_arena_strn(&r->net->arena, r->text, strlen(r->text));
  if (!key || !sloe_map_put(&scope->promised, &r->net->arena, key, out)) return sloe_onnx_nomem(r);
  return SLOE_OK;
}

/* An output that is an input too gets a node that copies it. One that the call does not take is a
   tensor of the function. */
static sloe_status bind_output(sloe_onnx_reader *r, const sloe_field *f, inlining *x) {
  size_t i = x->n_out++;
  SLOE_TRY(sloe_onnx_text(r, f));
  sloe_tid out = i < x->spec->n_out ? x->out[i] : -1;
  if (out < 0) return SLOE_OK;
  int32_t seen = sloe_map_get(&x->scope->names, r->text);
  if (seen == -1) return promise(r, f, x->scope, out);
  if (seen < 0)
    return sloe_fail_at(r->err, SLOE_FORMAT, f->at,
                        "output '%.60s' is an input that the call leaves out", r->text);
  x->results[i] = seen;
  return SLOE_OK;
}

/* Which fields a walk takes, in this order: outputs know inputs, nodes know all. */
enum { INPUTS, OUTPUTS, DEFINITIONS, NODES, WALKS };

static sloe_status declare(sloe_onnx_reader *r, const sloe_field *f, inlining *x) {
  return sloe_onnx_declare_node(r, f, x->scope);
}

static sloe_status read_default(sloe_onnx_reader *r, const sloe_field *f, inlining *x) {
  size_t base = r->attrs.n;
  sloe_onnx_call *call = x->call;
  SLOE_TRY(sloe_onnx_attr(r, f, NULL, NULL));
  if (r->attrs.n == base) return SLOE_OK;
  if (!sloe_arena_grow(&r->net->arena, &call->attrs, call->n_attrs, &call->cap_attrs,
                       sizeof *call->attrs))
    return sloe_onnx_nomem(r);
  call->attrs[call->n_attrs++] = ((const sloe_attr *)r->attrs.data)[base];
  r->attrs.n = base;
  return SLOE_OK;
}

static sloe_status read_node(sloe_onnx_reader *r, const sloe_field *f, inlining *x, size_t index) {
  if (++r->inlined > SLOE_ONNX_MAX_INLINED)
    return sloe_fail_at(r->err, SLOE_UNSUPPORTED, f->at, "calls make more than %d nodes",
                        SLOE_ONNX_MAX_INLINED);
  return sloe_onnx_node(r, f, x->scope, index);
}

static sloe_status walk_body(sloe_onnx_reader *r, const sloe_onnx_range *range, inlining *x,
                             int what) {
  sloe_field f;
  size_t index = 0;
  sloe_wire_jump(&r->wire, range->at, range->end);
  for (;;) {
    SLOE_TRY(sloe_wire_next(&r->wire, &f));
    if (!f.number) return SLOE_OK;
    if (what == INPUTS && f.number == F_INPUT)
      SLOE_TRY(bind_input(r, &f, x));
    else if (what == INPUTS && f.number == F_ATTRIBUTE_PROTO)
      SLOE_TRY(read_default(r, &f, x));
    else if (what == OUTPUTS && f.number == F_OUTPUT)
      SLOE_TRY(bind_output(r, &f, x));
    else if (what == DEFINITIONS && f.number == F_NODE)
      SLOE_TRY(declare(r, &f, x));
    else if (what == NODES && f.number == F_NODE)
      SLOE_TRY(read_node(r, &f, x, index++));
    else
      SLOE_TRY(sloe_wire_skip(&r->wire, &f));
  }
}

/* Outputs that are inputs, and outputs that nothing made. */
static sloe_status finish(sloe_onnx_reader *r, inlining *x) {
  for (size_t i = 0; i < x->spec->n_out; i++) {
    sloe_tid out = x->out[i];
    if (out < 0) continue;
    if (x->results[i] >= 0) {
      sloe_node_spec copy = {.type = "Identity",
                             .in = &x->results[i],
                             .n_in = 1,
                             .out = &out,
                             .n_out = 1,
                             .offset = x->spec->offset};
      SLOE_TRY(sloe_net_add_node(r->net, x->scope->graph, &copy, r->err));
    }
    if (r->net->tensors[out].producer < 0)
      return sloe_fail_at(r->err, SLOE_FORMAT, x->spec->offset, "output %zu is made by no node", i);
  }
  return SLOE_OK;
}

static sloe_status check_call(sloe_onnx_reader *r, const sloe_onnx_scope *scope, int32_t index,
                              uint64_t at) {
  const sloe_onnx_range *range = &r->functions[index].range;
  for (const sloe_onnx_call *c = scope->call; c; c = c->parent)
    if (c->function == index) return sloe_fail_at(r->err, SLOE_FORMAT, at, "it calls itself");
  if (scope->call && scope->call->depth >= SLOE_ONNX_MAX_DEPTH)
    return sloe_fail_at(r->err, SLOE_UNSUPPORTED, at, "calls nested more than %d deep",
                        SLOE_ONNX_MAX_DEPTH);
  r->reread += range->end - range->at;
  if (r->reread > SLOE_ONNX_MAX_REREAD)
    return sloe_fail_at(r->err, SLOE_UNSUPPORTED, at, "calls come to more than %d bytes of bodies",
                        SLOE_ONNX_MAX_REREAD);
  return SLOE_OK;
}

static void *copy_of(sloe_arena *arena, const void *data, size_t n, size_t size) {
  void *copy = sloe_arena_alloc(arena, n + 1, size);
  if (copy && n) memcpy(copy, data, n * size);
  return copy;
}

/* Scope, parameters and arguments of a call, in the arena: they outlive it for its subgraphs. */
static sloe_status set_up(sloe_onnx_reader *r, sloe_onnx_scope *around, int32_t index,
                          inlining *x) {
  sloe_arena *arena = &r->net->arena;
  const sloe_node_spec *spec = x->spec;
  x->scope = sloe_onnx_scope_new(r, NULL, around->graph);
  x->call = SLOE_ARENA_NEW(arena, sloe_onnx_call, 1);
  if (!x->scope || !x->call) return sloe_onnx_nomem(r);
  *x->call = (sloe_onnx_call){.parent = around->call,
                              .function = index,
                              .depth = around->call ? around->call->depth + 1 : 1};
  x->call->attrs = copy_of(arena, spec->attrs, spec->n_attrs, sizeof *spec->attrs);
  x->call->n_attrs = spec->n_attrs;
  x->call->cap_attrs = spec->n_attrs + 1;
  x->in = copy_of(arena, spec->in, spec->n_in, sizeof *spec->in);
  x->out = copy_of(arena, spec->out, spec->n_out, sizeof *spec->out);
  x->results = SLOE_ARENA_NEW(arena, sloe_tid, spec->n_out + 1);
  x->scope->prefix = *spec->name ? sloe_arena_printf(arena, "%s/", spec->name)
                                 : sloe_arena_printf(arena, "%s_%zu/", spec->type, r->net->n_nodes);
  if (!x->call->attrs || !x->in || !x->out || !x->results || !x->scope->prefix)
    return sloe_onnx_nomem(r);
  for (size_t i = 0; i < spec->n_out; i++) x->results[i] = -1;
  x->scope->call = x->call;
  x->scope->local = around->local;
  x->scope->depth = around->depth;
  return SLOE_OK;
}

static sloe_status inline_call(sloe_onnx_reader *r, sloe_onnx_scope *around, int32_t index,
                               inlining *x) {
  sloe_onnx_range body = r->functions[index].range;
  SLOE_TRY(check_call(r, around, index, x->spec->offset));
  SLOE_TRY(set_up(r, around, index, x));
  uint64_t at = sloe_wire_at(&r->wire), limit = r->wire.limit;
  for (int what = INPUTS; what < WALKS; what++) SLOE_TRY(walk_body(r, &body, x, what));
  SLOE_TRY(finish(r, x));
  sloe_wire_jump(&r->wire, at, limit);
  if (x->n_in < x->spec->n_in || x->n_out < x->spec->n_out)
    return sloe_fail_at(r->err, SLOE_FORMAT, x->spec->offset,
                        "called with %zu inputs and %zu outputs, it has %zu and %zu", x->spec->n_in,
                        x->spec->n_out, x->n_in, x->n_out);
  return SLOE_OK;
}

sloe_status sloe_onnx_inline(sloe_onnx_reader *r, sloe_onnx_scope *scope, int32_t index,
                             const sloe_node_spec *spec) {
  inlining x = {.spec = spec};
  sloe_status status = inline_call(r, scope, index, &x);
  if (status == SLOE_OK) return SLOE_OK;
  int inner = scope->call != NULL; /* the outermost call names its function */
  return inner ? status : sloe_fail_in(r->err, status, "function '%.60s'", r->functions[index].key);
}
