/* zoo_build.c: tensors, nodes, attributes, activations. */
#include "zoo/zoo_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static int stopped(const sloe_zoo_builder *b) {
  return !b->net || b->status != SLOE_OK;
}

static void no_memory(sloe_zoo_builder *b) {
  if (b->status == SLOE_OK) b->status = sloe_fail(b->err, SLOE_NOMEM, "out of memory");
}

enum { MADE_UP = 64 };

/* "Conv_12", "t_12": every node and tensor has such a name, and printf would be most of the work.
 */
static const char *make_up(char out[MADE_UP], const char *prefix, size_t number) {
  char digits[24];
  size_t n = 0, len = 0;
  do digits[n++] = (char)('0' + number % 10);
  while (number /= 10);
  for (; prefix[len] && len + n + 2 < MADE_UP; len++) out[len] = prefix[len];
  out[len++] = '_';
  while (n) out[len++] = digits[--n];
  out[len] = '\0';
  return out;
}

static sloe_tid add_tensor(sloe_zoo_builder *b, const char *name, sloe_dtype dtype, int rank,
                           const int64_t *dims) {
  sloe_tid t = -1;
  char made_up[MADE_UP];
  if (stopped(b)) return -1;
  if (!name) name = make_up(made_up, "t", b->net->n_tensors);
  b->status = sloe_net_add_tensor(b->net, name, &t, b->err);
  if (b->status != SLOE_OK) return -1;
  sloe_tensor *tensor = &b->net->tensors[t];
  tensor->dtype = dtype;
  tensor->shape.rank = rank;
  for (int i = 0; i < rank; i++) tensor->shape.dim[i] = dims[i];
  return t;
}

sloe_tid sloe_zoo_input(sloe_zoo_builder *b, const char *name, int rank, const int64_t *dims) {
  const sloe_tid t = add_tensor(b, name, SLOE_DT_FLOAT, rank, dims);
  if (t >= 0) b->status = sloe_graph_add_input(b->net, &b->net->graph, t, b->err);
  return t;
}

sloe_tid sloe_zoo_weight(sloe_zoo_builder *b, int rank, const int64_t *dims) {
  const sloe_tid t = add_tensor(b, NULL, SLOE_DT_FLOAT, rank, dims);
  if (t >= 0) b->net->tensors[t].flags |= SLOE_T_INIT;
  return t;
}

static int64_t *copy_ints(sloe_zoo_builder *b, size_t n, const int64_t *values) {
  int64_t *copy = SLOE_ARENA_NEW(&b->net->arena, int64_t, n);
  if (!copy) no_memory(b);
  for (size_t i = 0; copy && i < n; i++) copy[i] = values[i];
  return copy;
}

sloe_tid sloe_zoo_ints(sloe_zoo_builder *b, size_t n, const int64_t *values) {
  const int64_t dim = (int64_t)n;
  const sloe_tid t = add_tensor(b, NULL, SLOE_DT_INT64, 1, &dim);
  if (t < 0) return -1;
  sloe_value *value = SLOE_ARENA_NEW(&b->net->arena, sloe_value, 1);
  if (!value) no_memory(b);
  if (value) *value = (sloe_value){.n = n, .i = copy_ints(b, n, values)};
  b->net->tensors[t].value = value;
  b->net->tensors[t].flags |= SLOE_T_INIT;
  return t;
}

sloe_tid sloe_zoo_real(sloe_zoo_builder *b, double number) {
  const sloe_tid t = add_tensor(b, NULL, SLOE_DT_FLOAT, 0, NULL);
  if (t < 0) return -1;
  sloe_value *value = SLOE_ARENA_NEW(&b->net->arena, sloe_value, 1);
  double *copy = SLOE_ARENA_NEW(&b->net->arena, double, 1);
  if (!value || !copy) {
    no_memory(b);
    return -1;
  }
  *copy = number;
  *value = (sloe_value){.n = 1, .real = 1, .f = copy};
  b->net->tensors[t].value = value;
  b->net->tensors[t].flags |= SLOE_T_INIT;
  return t;
}

void sloe_zoo_output(sloe_zoo_builder *b, sloe_tid t) {
  if (!stopped(b)) b->status = sloe_graph_add_output(b->net, &b->net->graph, t, b->err);
}

void sloe_zoo_refuse(sloe_zoo_builder *b, const char *fmt, ...) {
  char message[160];
  if (b->status != SLOE_OK) return;
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(message, sizeof message, fmt, ap);
  va_end(ap);
  b->status = sloe_fail(b->err, SLOE_USAGE, "%s", message);
}

sloe_tid sloe_zoo_node(sloe_zoo_builder *b, const char *type, const sloe_tid *in, size_t n_in,
                       const sloe_attr *attrs, size_t n_attrs) {
  enum { MOST_ATTRS = 8 };
  sloe_attr kept[MOST_ATTRS];
  const sloe_tid out = add_tensor(b, NULL, SLOE_DT_UNDEFINED, -1, NULL);
  for (size_t i = 0; i < n_attrs && out >= 0; i++) {
    kept[i] = attrs[i];
    if (attrs[i].ints) kept[i].ints = copy_ints(b, attrs[i].n, attrs[i].ints);
  }
  if (stopped(b)) return -1;
  char name[MADE_UP];
  const sloe_node_spec spec = {.type = type,
                               .name = make_up(name, type, b->net->n_nodes),
                               .in = in,
                               .out = &out,
                               .n_in = n_in,
                               .n_out = 1,
                               .attrs = kept,
                               .n_attrs = n_attrs};
  b->status = sloe_net_add_node(b->net, &b->net->graph, &spec, b->err);
  return b->status == SLOE_OK ? out : -1;
}

sloe_attr sloe_zoo_attr_int(const char *name, int64_t value) {
  return (sloe_attr){.name = name, .type = SLOE_ATTR_INT, .i = value};
}

sloe_attr sloe_zoo_attr_ints(const char *name, size_t n, const int64_t *values) {
  return (sloe_attr){.name = name, .type = SLOE_ATTR_INTS, .n = n, .ints = values};
}

sloe_attr sloe_zoo_attr_text(const char *name, const char *value) {
  return (sloe_attr){.name = name, .type = SLOE_ATTR_STRING, .s = value};
}

/* ONNX has no Swish before opset 24, no Gelu before 20; com.microsoft has Gelu. */
static const char *type_of(sloe_spec_act act) {
  switch (act) {
    case SLOE_SPEC_ACT_RELU: return "Relu";
    case SLOE_SPEC_ACT_CLIP: return "Clip";
    case SLOE_SPEC_ACT_LEAKY: return "LeakyRelu";
    case SLOE_SPEC_ACT_SIGMOID: return "Sigmoid";
    case SLOE_SPEC_ACT_HARDSIGMOID: return "HardSigmoid";
    case SLOE_SPEC_ACT_HARDSWISH: return "HardSwish";
    case SLOE_SPEC_ACT_TANH: return "Tanh";
    case SLOE_SPEC_ACT_ELU: return "Elu";
    case SLOE_SPEC_ACT_GELU: return "com.microsoft::Gelu";
    case SLOE_SPEC_ACT_ERF: return "Erf";
    case SLOE_SPEC_ACT_EXP: return "Exp";
    case SLOE_SPEC_ACT_SQRT: return "Sqrt";
    default: return "Softplus";
  }
}

sloe_tid sloe_zoo_act(sloe_zoo_builder *b, sloe_tid t, sloe_spec_act act) {
  if (act == SLOE_SPEC_ACT_NONE) return t;
  if (act != SLOE_SPEC_ACT_SWISH) return sloe_zoo_node(b, type_of(act), &t, 1, NULL, 0);
  const sloe_tid gate = sloe_zoo_node(b, "Sigmoid", &t, 1, NULL, 0);
  return sloe_zoo_node(b, "Mul", (sloe_tid[]){t, gate}, 2, NULL, 0);
}
