/* Building a net: tensors, nodes, graphs, warnings. See net.h for its life. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "net/net.h"

static const size_t DEFAULT_LIMIT = (size_t)1 << 30;
enum { MOST_WARNINGS = 100 };

static sloe_status no_memory(const sloe_net *net, sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "the network needs more than the %zu bytes it may have",
                   net->arena.limit);
}

sloe_status sloe_net_new(size_t limit, sloe_net **out, sloe_error *err) {
  *out = NULL;
  sloe_net *net = sloe_alloc(1, sizeof *net);
  if (!net) return sloe_fail(err, SLOE_NOMEM, "out of memory");
  *net = (sloe_net){.name = "", .producer = ""};
  sloe_arena_init(&net->arena, limit ? limit : DEFAULT_LIMIT);
  *out = net;
  return SLOE_OK;
}

void sloe_net_free(sloe_net *net) {
  if (!net) return;
  sloe_arena_fini(&net->arena);
  sloe_dealloc(net);
}

void sloe_net_reserve(sloe_net *net, size_t tensors, size_t nodes) {
  sloe_arena *arena = &net->arena;
  if (net->cap_tensors || net->cap_nodes) return;
  if (tensors * sizeof *net->tensors + nodes * sizeof *net->nodes > arena->limit / 8) return;
  net->tensors = sloe_arena_raw(arena, tensors, sizeof *net->tensors);
  net->cap_tensors = net->tensors ? tensors : 0;
  net->nodes = sloe_arena_raw(arena, nodes, sizeof *net->nodes);
  net->cap_nodes = net->nodes ? nodes : 0;
}

sloe_status sloe_net_add_tensor(sloe_net *net, const char *name, sloe_tid *out, sloe_error *err) {
  const char *copy = sloe_arena_strn(&net->arena, name, strlen(name));
  *out = -1;
  return copy ? sloe_net_put_tensor(net, copy, out, err) : no_memory(net, err);
}

sloe_status sloe_net_more_tensors(sloe_net *net, sloe_error *err) {
  if (net->n_tensors >= INT32_MAX) return sloe_fail(err, SLOE_UNSUPPORTED, "too many tensors");
  if (!sloe_arena_grow(&net->arena, &net->tensors, net->n_tensors, &net->cap_tensors,
                       sizeof *net->tensors))
    return no_memory(net, err);
  return SLOE_OK;
}

/* The file's name, or one made of type and position as PyTorch's exporter does. */
static const char *node_name(sloe_net *net, const sloe_node_spec *spec) {
  if (spec->op) return spec->name;
  if (spec->name && *spec->name)
    return sloe_arena_strn(&net->arena, spec->name, strlen(spec->name));
  return sloe_arena_printf(&net->arena, "%s_%zu", spec->type, net->n_nodes);
}

static sloe_status check_arity(const sloe_node *node, int fewest, int most, sloe_error *err) {
  if ((int)node->n_in < fewest || (most >= 0 && node->n_in > (size_t)most))
    return sloe_fail_at(err, SLOE_FORMAT, node->offset,
                        "node '%s' (%s): %zu inputs, the operator takes %d to %d", node->name,
                        node->type, node->n_in, fewest, most);
  return SLOE_OK;
}

/* Tensors that there are; and is what the node reads made already? */
static sloe_status check_node(sloe_net *net, const sloe_node *node, sloe_error *err) {
  const unsigned given = SLOE_T_INPUT | SLOE_T_INIT | SLOE_T_CONST | SLOE_T_LOCAL;
  const size_t n = node->n_in + node->n_out; /* the outputs lie behind the inputs */
  for (size_t i = 0; i < n; i++) {
    const sloe_tid t = node->in[i];
    if (t < -1 || t >= (sloe_tid)net->n_tensors)
      return sloe_fail_at(err, SLOE_INTERNAL, node->offset, "node '%s': tensor %d of %zu",
                          node->name, t, net->n_tensors);
    if (i < node->n_in && t >= 0 && net->tensors[t].producer < 0 &&
        !(net->tensors[t].flags & given))
      net->unsorted = 1;
  }
  return check_arity(node, sloe_op_rows[node->op].in_min, sloe_op_rows[node->op].in_max, err);
}

/* Make the node that is about to be added the producer of its outputs. */
static sloe_status claim_outputs(sloe_net *net, const sloe_node *node, sloe_error *err) {
  if (!net->tensors) return SLOE_OK; /* none of them is there */
  for (size_t i = 0; i < node->n_out; i++) {
    sloe_tensor *t = node->out[i] < 0 ? NULL : &net->tensors[node->out[i]];
    if (t && (t->producer >= 0 || t->flags & (SLOE_T_INPUT | SLOE_T_INIT))) {
      while (i-- > 0)
        if (node->out[i] >= 0) net->tensors[node->out[i]].producer = -1;
      return sloe_fail_at(err, SLOE_FORMAT, node->offset,
                          "node '%s' (%s): output '%s' is made twice", node->name, node->type,
                          t->name);
    }
    if (t) t->producer = (int32_t)net->n_nodes;
  }
  return SLOE_OK;
}

sloe_status sloe_net_add_node(sloe_net *net, sloe_graph *graph, const sloe_node_spec *spec,
                              sloe_error *err) {
  if (net->n_nodes >= INT32_MAX) return sloe_fail(err, SLOE_UNSUPPORTED, "too many nodes");
  sloe_arena *arena = &net->arena;
  if (!sloe_arena_grow(arena, &net->nodes, net->n_nodes, &net->cap_nodes, sizeof *net->nodes) ||
      !sloe_arena_grow(arena, &graph->nodes, graph->n_nodes, &graph->cap_nodes,
                       sizeof *graph->nodes))
    return no_memory(net, err);
  sloe_node *node = &net->nodes[net->n_nodes];
  node->op = spec->op ? spec->op : sloe_op_find(spec->type);
  node->type =
      node->op ? sloe_op_name(node->op) : sloe_arena_strn(arena, spec->type, strlen(spec->type));
  node->name = node_name(net, spec);
  node->n_in = node->n_given_in = spec->n_in;
  node->n_out = spec->n_out;
  node->n_attrs = spec->n_attrs;
  node->in = sloe_arena_raw(arena, spec->n_in + spec->n_out, sizeof *spec->in);
  node->attrs = sloe_arena_raw(arena, spec->n_attrs, sizeof *spec->attrs);
  node->flags = 0;
  node->repeat = 1;
  node->offset = spec->offset;
  if (!node->type || !node->name || !node->in || !node->attrs) return no_memory(net, err);
  node->given_in = node->in;
  node->out = node->in + spec->n_in;
  for (size_t i = 0; i < spec->n_in; i++) node->in[i] = spec->in[i];
  for (size_t i = 0; i < spec->n_out; i++) node->out[i] = spec->out[i];
  for (size_t i = 0; i < spec->n_attrs; i++) {
    node->attrs[i] = spec->attrs[i];
    if (spec->attrs[i].graph) net->unsorted = 1;
  }
  SLOE_TRY(check_node(net, node, err));
  SLOE_TRY(claim_outputs(net, node, err));
  graph->nodes[graph->n_nodes++] = (int32_t)net->n_nodes++;
  return SLOE_OK;
}

sloe_status sloe_graph_add_input(sloe_net *net, sloe_graph *graph, sloe_tid t, sloe_error *err) {
  if (!sloe_arena_grow(&net->arena, &graph->in, graph->n_in, &graph->cap_in, sizeof t))
    return no_memory(net, err);
  graph->in[graph->n_in++] = t;
  sloe_tensor *tensor = &net->tensors[t];
  if (graph == &net->graph && !(tensor->flags & SLOE_T_INIT)) tensor->flags |= SLOE_T_INPUT;
  return SLOE_OK;
}

sloe_status sloe_graph_add_output(sloe_net *net, sloe_graph *graph, sloe_tid t, sloe_error *err) {
  if (!sloe_arena_grow(&net->arena, &graph->out, graph->n_out, &graph->cap_out, sizeof t))
    return no_memory(net, err);
  graph->out[graph->n_out++] = t;
  if (graph == &net->graph) net->tensors[t].flags |= SLOE_T_OUTPUT;
  return SLOE_OK;
}

sloe_status sloe_net_warn(sloe_net *net, sloe_error *err, const char *fmt, ...) {
  if (net->n_warnings >= MOST_WARNINGS) return SLOE_OK;
  char line[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  for (char *p = line; *p; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?';
  char *copy = sloe_arena_strn(&net->arena, line, strlen(line));
  if (!copy || !sloe_arena_grow(&net->arena, &net->warnings, net->n_warnings, &net->cap_warnings,
                                sizeof copy))
    return no_memory(net, err);
  net->warnings[net->n_warnings++] = copy;
  return SLOE_OK;
}

size_t sloe_net_warning_count(const sloe_net *net) {
  return net->n_warnings;
}

const char *sloe_net_warning(const sloe_net *net, size_t i) {
  return i < net->n_warnings ? net->warnings[i] : NULL;
}
