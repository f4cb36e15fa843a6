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

/* "Conv_12", "t_12": every node and tensor has such a name, and making them would be much of the
   work: those of the first tensors are there already. */
#define TEN(a)                                                                        \
  {"t_" a "0"}, {"t_" a "1"}, {"t_" a "2"}, {"t_" a "3"}, {"t_" a "4"}, {"t_" a "5"}, \
      {"t_" a "6"}, {"t_" a "7"}, {"t_" a "8"}, {"t_" a "9"},
#define TENS(a) \
  TEN(a "1")    \
  TEN(a "2") TEN(a "3") TEN(a "4") TEN(a "5") TEN(a "6") TEN(a "7") TEN(a "8") TEN(a "9")
#define HUNDRED(a) TEN(a "0") TENS(a)
#define HUNDREDS(a) \
  HUNDRED(a "1")    \
  HUNDRED(a "2")    \
  HUNDRED(a "3")    \
  HUNDRED(a "4") HUNDRED(a "5") HUNDRED(a "6") HUNDRED(a "7") HUNDRED(a "8") HUNDRED(a "9")
#define THOUSAND(a) HUNDRED(a "0") HUNDREDS(a)
static const char NAMES[][8] = {TEN("") TENS("") HUNDREDS("") THOUSAND("1") THOUSAND("2")};
enum { N_NAMES = sizeof NAMES / sizeof *NAMES };

/* NULL without memory. */
static char *make_up(sloe_zoo_builder *b, const char *prefix, size_t len, size_t number) {
  enum { LONGEST = 24 }; /* of "_" and a number, with the NUL */
  char *name = sloe_arena_raw(&b->net->arena, len + LONGEST, 1);
  if (!name) {
    no_memory(b);
    return NULL;
  }
  memcpy(name, prefix, len);
  if (number < N_NAMES)
    memcpy(name + len, NAMES[number] + 1, sizeof NAMES[number] - 1);
  else
    snprintf(name + len, LONGEST, "_%zu", number);
  return name;
}

static const char *tensor_name(sloe_zoo_builder *b) {
  const size_t number = b->net->n_tensors;
  return number < N_NAMES ? NAMES[number] : make_up(b, "t", 1, number);
}

static sloe_tid add_tensor(sloe_zoo_builder *b, const char *name, sloe_dtype dtype, unsigned flags,
                           int rank, const int64_t *dims) {
  sloe_tid t = -1;
  if (stopped(b)) return -1;
  if (!name) name = tensor_name(b);
  if (!name) return -1;
  b->status = sloe_net_put_tensor(b->net, name, &t, b->err);
  if (b->status != SLOE_OK) return -1;
  sloe_tensor *tensor = &b->net->tensors[t];
  tensor->dtype = dtype;
  tensor->flags = flags;
  tensor->shape.rank = rank;
  for (int i = 0; i < rank; i++) tensor->shape.dim[i] = dims[i];
  return t;
}

sloe_tid sloe_zoo_input(sloe_zoo_builder *b, const char *name, int rank, const int64_t *dims) {
  const sloe_tid t = add_tensor(b, name, SLOE_DT_FLOAT, 0, rank, dims);
  if (t >= 0) b->status = sloe_graph_add_input(b->net, &b->net->graph, t, b->err);
  return t;
}

sloe_tid sloe_zoo_weight(sloe_zoo_builder *b, int rank, const int64_t *dims) {
  return add_tensor(b, NULL, SLOE_DT_FLOAT, SLOE_T_INIT, rank, dims);
}

static int64_t *copy_ints(sloe_zoo_builder *b, size_t n, const int64_t *values) {
  int64_t *copy = sloe_arena_raw(&b->net->arena, n, sizeof *copy);
  if (!copy) no_memory(b);
  for (size_t i = 0; copy && i < n; i++) copy[i] = values[i];
  return copy;
}

sloe_tid sloe_zoo_ints(sloe_zoo_builder *b, size_t n, const int64_t *values) {
  const int64_t dim = (int64_t)n;
  const sloe_tid t = add_tensor(b, NULL, SLOE_DT_INT64, SLOE_T_INIT, 1, &dim);
  if (t < 0) return -1;
  sloe_value *value = SLOE_ARENA_NEW(&b->net->arena, sloe_value, 1);
  if (!value) no_memory(b);
  if (value) *value = (sloe_value){.n = n, .i = copy_ints(b, n, values)};
  b->net->tensors[t].value = value;
  return t;
}

sloe_tid sloe_zoo_real(sloe_zoo_builder *b, double number) {
  const sloe_tid t = add_tensor(b, NULL, SLOE_DT_FLOAT, SLOE_T_INIT, 0, NULL);
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

sloe_tid sloe_zoo_node(sloe_zoo_builder *b, sloe_op op, const sloe_tid *in, size_t n_in,
                       const sloe_attr *attrs, size_t n_attrs) {
  const sloe_tid out = add_tensor(b, NULL, SLOE_DT_UNDEFINED, 0, -1, NULL);
  if (stopped(b)) return -1;
  const char *name = make_up(b, sloe_op_name(op), sloe_op_rows[op].name_len, b->net->n_nodes);
  if (!name) return -1;
  const sloe_node_spec spec = {.op = op,
                               .name = name,
                               .in = in,
                               .out = &out,
                               .n_in = n_in,
                               .n_out = 1,
                               .attrs = attrs,
                               .n_attrs = n_attrs};
  b->status = sloe_net_add_node(b->net, &b->net->graph, &spec, b->err);
  if (b->status != SLOE_OK) return -1;
  sloe_attr *kept = b->net->nodes[b->net->n_nodes - 1].attrs;
  for (size_t i = 0; i < n_attrs; i++)
    if (kept[i].ints) kept[i].ints = copy_ints(b, kept[i].n, kept[i].ints);
  return stopped(b) ? -1 : out;
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
static sloe_op op_of(sloe_spec_act act) {
  switch (act) {
    case SLOE_SPEC_ACT_RELU: return SLOE_OP_RELU;
    case SLOE_SPEC_ACT_CLIP: return SLOE_OP_CLIP;
    case SLOE_SPEC_ACT_LEAKY: return SLOE_OP_LEAKY_RELU;
    case SLOE_SPEC_ACT_SIGMOID: return SLOE_OP_SIGMOID;
    case SLOE_SPEC_ACT_HARDSIGMOID: return SLOE_OP_HARD_SIGMOID;
    case SLOE_SPEC_ACT_HARDSWISH: return SLOE_OP_HARD_SWISH;
    case SLOE_SPEC_ACT_TANH: return SLOE_OP_TANH;
    case SLOE_SPEC_ACT_ELU: return SLOE_OP_ELU;
    case SLOE_SPEC_ACT_GELU: return SLOE_OP_MS_GELU;
    case SLOE_SPEC_ACT_ERF: return SLOE_OP_ERF;
    case SLOE_SPEC_ACT_EXP: return SLOE_OP_EXP;
    case SLOE_SPEC_ACT_SQRT: return SLOE_OP_SQRT;
    default: return SLOE_OP_SOFTPLUS;
  }
}

sloe_tid sloe_zoo_act(sloe_zoo_builder *b, sloe_tid t, sloe_spec_act act) {
  if (act == SLOE_SPEC_ACT_NONE) return t;
  if (act != SLOE_SPEC_ACT_SWISH) return sloe_zoo_node(b, op_of(act), &t, 1, NULL, 0);
  const sloe_tid gate = sloe_zoo_node(b, SLOE_OP_SIGMOID, &t, 1, NULL, 0);
  return sloe_zoo_node(b, SLOE_OP_MUL, (sloe_tid[]){t, gate}, 2, NULL, 0);
}
