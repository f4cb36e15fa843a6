/* Binding the open dimensions of graph inputs, and telling weights that are fed as inputs from
 * activations.
 *
 * Order of precedence: --input, --dim, --batch, what the file says, and 1 for a leading dimension
 * that is still open. One symbol means one number: a value found for a symbol in one input holds
 * for all.
 */
#include <stdio.h>
#include <string.h>

#include "net/infer.h"

static int is_fed(const sloe_tensor *t) {
  return t->flags & SLOE_T_INPUT && !(t->flags & SLOE_T_WEIGHT);
}

static sloe_tensor *find_fed(sloe_net *net, const char *name) {
  sloe_tensor *only = NULL;
  size_t n = 0;
  for (size_t i = 0; i < net->graph.n_in; i++) {
    sloe_tensor *t = &net->tensors[net->graph.in[i]];
    if (name && *name && !strcmp(t->name, name) && t->flags & SLOE_T_INPUT) return t;
    if (is_fed(t)) only = n++ ? NULL : t;
  }
  return name && *name ? NULL : only;
}

static void list_inputs(const sloe_net *net, char *buf, size_t size) {
  size_t n = 0;
  buf[0] = 0;
  for (size_t i = 0; i < net->graph.n_in && n + 1 < size; i++) {
    const sloe_tensor *t = &net->tensors[net->graph.in[i]];
    if (!is_fed(t)) continue;
    int len = snprintf(buf + n, size - n, "%s'%s'", n ? ", " : "", t->name);
    n += len < 0 ? 0 : (size_t)len;
  }
}

static sloe_status check_dims(const sloe_shape *s, const char *name, sloe_error *err) {
  if (s->rank < 0 || s->rank > SLOE_MAX_RANK)
    return sloe_fail(err, SLOE_USAGE, "input '%s': rank %d, 0 to %d are possible", name, s->rank,
                     SLOE_MAX_RANK);
  for (int k = 0; k < s->rank; k++)
    if (s->dim[k] < 1 || s->dim[k] > INT32_MAX)
      return sloe_fail(err, SLOE_USAGE,
                       "input '%s': dimension %d is %lld, 1 to 2147483647 are possible", name, k,
                       (long long)s->dim[k]);
  return SLOE_OK;
}

static sloe_status bind_input(sloe_net *net, const sloe_input_shape *given, sloe_error *err) {
  char names[160];
  sloe_tensor *t = find_fed(net, given->name);
  list_inputs(net, names, sizeof names);
  if (!t)
    return sloe_fail(err, SLOE_USAGE, "no input '%s'; this network has %s",
                     given->name ? given->name : "", *names ? names : "none");
  SLOE_TRY(check_dims(&given->shape, t->name, err));
  if (t->shape.rank >= 0 && t->shape.rank != given->shape.rank)
    return sloe_fail(err, SLOE_USAGE, "input '%s': %d dimensions given, the file says %d", t->name,
                     given->shape.rank, t->shape.rank);
  for (int k = 0; t->shape.rank >= 0 && k < t->shape.rank; k++)
    if (t->shape.dim[k] >= 0 && t->shape.dim[k] != given->shape.dim[k]) {
      SLOE_TRY(sloe_net_warn(net, err,
                             "input '%s': dimension %d is %lld in the file, taken as %lld", t->name,
                             k, (long long)t->shape.dim[k], (long long)given->shape.dim[k]));
    }
  t->shape = given->shape;
  return SLOE_OK;
}

/* Give `value` to every open dimension called `symbol`; how many carry that name. */
static size_t bind_symbol(sloe_net *net, const char *symbol, int64_t value) {
  size_t found = 0;
  for (size_t i = 0; i < net->graph.n_in; i++) {
    sloe_tensor *t = &net->tensors[net->graph.in[i]];
    for (int k = 0; t->symbol && k < t->shape.rank; k++) {
      if (!t->symbol[k] || strcmp(t->symbol[k], symbol) != 0) continue;
      found++;
      if (t->shape.dim[k] < 0) t->shape.dim[k] = value;
    }
  }
  return found;
}

static void spread_symbols(sloe_net *net) {
  for (size_t i = 0; i < net->graph.n_in; i++) {
    const sloe_tensor *t = &net->tensors[net->graph.in[i]];
    for (int k = 0; t->symbol && k < t->shape.rank; k++)
      if (t->symbol[k] && t->shape.dim[k] >= 0) bind_symbol(net, t->symbol[k], t->shape.dim[k]);
  }
}

static sloe_status bind_dims(sloe_net *net, const sloe_net_options *o, sloe_error *err) {
  for (size_t i = 0; i < o->n_dims; i++) {
    const sloe_dim_binding *d = &o->dims[i];
    if (d->value < 1 || d->value > INT32_MAX)
      return sloe_fail(err, SLOE_USAGE, "dimension '%s': %lld, 1 to 2147483647 are possible",
                       d->symbol, (long long)d->value);
    if (!bind_symbol(net, d->symbol, d->value))
      return sloe_fail(err, SLOE_USAGE, "no input has a dimension called '%s'", d->symbol);
  }
  return SLOE_OK;
}

static sloe_status bind_batch(sloe_net *net, const sloe_net_options *o, sloe_error *err) {
  if (!o->batch) return SLOE_OK;
  if (o->batch < 1 || o->batch > INT32_MAX)
    return sloe_fail(err, SLOE_USAGE, "batch %lld: 1 to 2147483647 are possible",
                     (long long)o->batch);
  for (size_t i = 0; i < net->graph.n_in; i++) {
    sloe_tensor *t = &net->tensors[net->graph.in[i]];
    char shape[SLOE_SHAPE_BUF];
    if (!is_fed(t) || t->shape.rank < 1) continue;
    if (sloe_shape_is_bare_image(&t->shape) && o->batch != 1)
      return sloe_fail(err, SLOE_USAGE, "batch %lld: input '%s' (%s) is one image without a batch",
                       (long long)o->batch, t->name, sloe_shape_print(&t->shape, shape));
    if (!sloe_shape_is_bare_image(&t->shape)) t->shape.dim[0] = o->batch;
  }
  return SLOE_OK;
}

static sloe_status bind_rest(sloe_net *net, sloe_tensor *t, sloe_error *err) {
  if (t->dtype == SLOE_DT_UNDEFINED && t->shape.rank < 0)
    return sloe_fail_at(err, SLOE_UNSUPPORTED, t->offset,
                        "input '%s' is no tensor: sequences, maps and optionals are not handled",
                        t->name);
  if (t->shape.rank < 0)
    return sloe_fail_at(err, SLOE_FORMAT, t->offset,
                        "input '%s' has no shape; give one with --input %s=1x3x224x224", t->name,
                        t->name);
  if (t->shape.rank > 0 && t->shape.dim[0] < 0) {
    t->shape.dim[0] = 1;
    SLOE_TRY(sloe_net_warn(net, err,
                           "input '%s': leading dimension%s%s%s is open, taken as 1; "
                           "--batch sets it",
                           t->name, t->symbol && t->symbol[0] ? " '" : "",
                           t->symbol && t->symbol[0] ? t->symbol[0] : "",
                           t->symbol && t->symbol[0] ? "'" : ""));
    if (t->symbol && t->symbol[0]) bind_symbol(net, t->symbol[0], 1);
  }
  for (int k = 0; k < t->shape.rank; k++) {
    const char *symbol = t->symbol ? t->symbol[k] : NULL;
    char shape[SLOE_SHAPE_BUF];
    if (t->shape.dim[k] < 0 && symbol)
      return sloe_fail_at(err, SLOE_FORMAT, t->offset,
                          "input '%s' is %s: dimension %d ('%s') is open; bind it with --dim %s=N "
                          "or --input",
                          t->name, sloe_shape_print(&t->shape, shape), k, symbol, symbol);
    if (t->shape.dim[k] < 0)
      return sloe_fail_at(err, SLOE_FORMAT, t->offset,
                          "input '%s' is %s: dimension %d is open; bind it with --input %s=...",
                          t->name, sloe_shape_print(&t->shape, shape), k, t->name);
  }
  return SLOE_OK;
}

sloe_status sloe_bind_inputs(sloe_net *net, const sloe_net_options *options, sloe_error *err) {
  sloe_net_options none = {0};
  const sloe_net_options *o = options ? options : &none;
  for (size_t i = 0; i < o->n_inputs; i++) SLOE_TRY(bind_input(net, &o->inputs[i], err));
  SLOE_TRY(bind_dims(net, o, err));
  SLOE_TRY(bind_batch(net, o, err));
  spread_symbols(net);
  for (size_t i = 0; i < net->graph.n_in; i++) {
    sloe_tensor *t = &net->tensors[net->graph.in[i]];
    if (is_fed(t)) SLOE_TRY(bind_rest(net, t, err));
  }
  return SLOE_OK;
}

typedef struct use_count {
  uint32_t weight, other;
} use_count;

/* MatMul has no weight position of its own; a graph input that is only ever a right operand is one.
 */
static int weight_position(const sloe_node *node, size_t i) {
  return sloe_node_takes_weight(node, i) || (node->op == SLOE_OP_MATMUL && i == 1);
}

/* Is it a graph input, perhaps behind what sloe_net_resolve() looks through? */
static int may_be_input(const sloe_net *net, const sloe_tensor *t) {
  if (t->producer < 0) return (t->flags & SLOE_T_INPUT) != 0;
  const sloe_op op = net->nodes[t->producer].op;
  return op == SLOE_OP_IDENTITY || op == SLOE_OP_DROPOUT || op == SLOE_OP_CAST;
}

/* Until every input is seen to be used otherwise, which is soon. */
static void count_uses(const sloe_net *net, use_count *uses) {
  size_t open = 0;
  for (size_t i = 0; i < net->graph.n_in; i++)
    open += (net->tensors[net->graph.in[i]].flags & SLOE_T_INPUT) != 0;
  for (size_t i = 0; i < net->n_nodes && open; i++) {
    const sloe_node *node = &net->nodes[i];
    for (size_t k = 0; k < node->n_in; k++) {
      const sloe_tensor *in = sloe_node_in(net, node, k);
      if (!in || node->op == SLOE_OP_IDENTITY || !may_be_input(net, in)) continue;
      const sloe_tid t = sloe_net_resolve(net, node->in[k]);
      if (weight_position(node, k))
        uses[t].weight++;
      else if (!uses[t].other++)
        open -= (net->tensors[t].flags & SLOE_T_INPUT) != 0;
    }
  }
}

sloe_status sloe_mark_weights(sloe_net *net, sloe_error *err) {
  use_count *uses = SLOE_ARENA_NEW(&net->arena, use_count, net->n_tensors);
  if (!uses) return sloe_fail(err, SLOE_NOMEM, "out of memory counting uses");
  count_uses(net, uses);
  for (size_t i = 0; i < net->graph.n_out; i++)
    uses[sloe_net_resolve(net, net->graph.out[i])].other++;
  for (size_t t = 0; t < net->n_tensors; t++) {
    sloe_tensor *tensor = &net->tensors[t];
    if (tensor->flags & SLOE_T_INIT) tensor->flags |= SLOE_T_CONST;
    if (tensor->flags & SLOE_T_INPUT && uses[t].weight && !uses[t].other)
      tensor->flags |= SLOE_T_WEIGHT | SLOE_T_CONST;
  }
  return SLOE_OK;
}
