/* What one run of each op costs. Conventions (docs/cost.md):
 *
 *   MAC    of convolutions, transposed convolutions and matrix products; nothing else has MACs.
 *   FLOPs  2 x MAC there (bias not counted); elsewhere per element as in the rules below.
 *   params float constants of more than one element that an op consumes as weights, per use.
 *   elements read and written: activations only; weights are counted in params.
 *
 * All sums saturate: shapes come from files. A shape that depends on data counts as nothing, and
 * the node carries SLOE_N_DATA_DEPENDENT.
 */
#include "net/infer.h"

typedef struct counter {
  const sloe_net *net;
  const sloe_node *node;
  sloe_cost *cost;
  uint64_t out;   /* elements of the first output */
  uint32_t *seen; /* [n_tensors]: the last node that read it, as `stamp` */
  uint32_t stamp; /* of this node, unlike all others */
} counter;

static uint64_t elements_in(const counter *c, size_t i) {
  const sloe_tensor *t = sloe_node_in(c->net, c->node, i);
  return t ? sloe_shape_elements(&t->shape) : 0;
}

static uint64_t elements_out(const counter *c, size_t i) {
  const sloe_tensor *t = sloe_node_out(c->net, c->node, i);
  return t ? sloe_shape_elements(&t->shape) : 0;
}

static int64_t dim_of(const sloe_tensor *t, int from_end) {
  if (!t || t->shape.rank < from_end || t->shape.dim[t->shape.rank - from_end] < 0) return 0;
  return t->shape.dim[t->shape.rank - from_end];
}

static void set_macs(counter *c, uint64_t macs, sloe_flop_kind kind) {
  c->cost->macs = macs;
  c->cost->flops = sloe_mul_sat(2, macs);
  c->cost->flop_kind = kind;
}

static void set_flops(counter *c, uint64_t flops, sloe_flop_kind kind) {
  c->cost->flops = flops;
  c->cost->flop_kind = kind;
}

/* Activations in: each distinct non-constant input once. */
static void read_inputs(counter *c) {
  for (size_t i = 0; i < c->node->n_in; i++) {
    const sloe_tensor *t = sloe_node_in(c->net, c->node, i);
    if (!t || t->flags & SLOE_T_CONST || c->seen[c->node->in[i]] == c->stamp) continue;
    c->seen[c->node->in[i]] = c->stamp;
    c->cost->in_elements = sloe_add_sat(c->cost->in_elements, sloe_shape_elements(&t->shape));
  }
}

static void write_outputs(counter *c) {
  c->cost->out_elements = c->out;
  for (size_t i = 1; i < c->node->n_out; i++)
    c->cost->out_elements = sloe_add_sat(c->cost->out_elements, elements_out(c, i));
}

static void read_and_write(counter *c) {
  read_inputs(c);
  write_outputs(c);
}

/* Does the op take constants as parameters at all? Others take sizes, axes and tables. */
static int has_params(const sloe_node *node) {
  switch (sloe_op_layer_kind(node->op)) {
    case SLOE_LAYER_CONV:
    case SLOE_LAYER_DECONV:
    case SLOE_LAYER_FC:
    case SLOE_LAYER_MATMUL:
    case SLOE_LAYER_NORM: return 1;
    case SLOE_LAYER_ELEMENTWISE: return sloe_op_role_of(node->op) == SLOE_ROLE_BINARY;
    case SLOE_LAYER_ACTIVATION:
      return node->op == SLOE_OP_PRELU || node->op == SLOE_OP_MS_BIAS_GELU;
    case SLOE_LAYER_OTHER:
      return node->op == SLOE_OP_LSTM || node->op == SLOE_OP_GRU || node->op == SLOE_OP_RNN;
    default: return 0;
  }
}

/* Quantised operators carry their weights as integers; scales and zero points are no weights. */
static int is_quantised_weight(const sloe_node *node, size_t i) {
  switch (node->op) {
    case SLOE_OP_QLINEAR_CONV: return i == 3 || i == 8;
    case SLOE_OP_QLINEAR_MATMUL: return i == 3;
    case SLOE_OP_CONV_INTEGER:
    case SLOE_OP_MATMUL_INTEGER: return i == 1;
    case SLOE_OP_MS_QGEMM: return i == 3 || i == 6;
    default: return 0;
  }
}

static int is_quantised(sloe_op op) {
  return op == SLOE_OP_QLINEAR_CONV || op == SLOE_OP_QLINEAR_MATMUL || op == SLOE_OP_CONV_INTEGER ||
         op == SLOE_OP_MATMUL_INTEGER || op == SLOE_OP_MS_QGEMM;
}

static int keeps_contents(sloe_op op) {
  switch (op) {
    case SLOE_OP_CAST:
    case SLOE_OP_RESHAPE:
    case SLOE_OP_FLATTEN:
    case SLOE_OP_SQUEEZE:
    case SLOE_OP_UNSQUEEZE:
    case SLOE_OP_IDENTITY:
    case SLOE_OP_DROPOUT:
    case SLOE_OP_TRANSPOSE:
    case SLOE_OP_QUANTIZE_LINEAR:
    case SLOE_OP_DEQUANTIZE_LINEAR: return 1;
    default: return 0;
  }
}

/* Is constant `t` stored in the file, perhaps reshaped on its way? A detector's anchors, computed
   by arithmetic from sizes, are no parameters of the additions that use them. */
static int is_stored(const sloe_net *net, sloe_tid t) {
  for (size_t steps = 0; steps <= net->n_nodes; steps++) {
    int32_t p = net->tensors[t].producer;
    if (p < 0) return (net->tensors[t].flags & (SLOE_T_INIT | SLOE_T_WEIGHT | SLOE_T_CONST)) != 0;
    const sloe_node *node = &net->nodes[p];
    if (node->op == SLOE_OP_CONSTANT || node->op == SLOE_OP_CONSTANT_OF_SHAPE) return 1;
    if (!keeps_contents(node->op) || node->n_in < 1 || node->in[0] < 0) return 0;
    t = node->in[0];
  }
  return 0;
}

/* Matrix products and normalisations own whatever constant they consume; arithmetic only what is
   stored. */
static int owns(const counter *c, size_t i) {
  sloe_layer_kind kind = sloe_op_layer_kind(c->node->op);
  int arithmetic = kind == SLOE_LAYER_ELEMENTWISE || kind == SLOE_LAYER_ACTIVATION;
  return !arithmetic || is_stored(c->net, c->node->in[i]);
}

static void count_params(counter *c) {
  if (!has_params(c->node)) return;
  for (size_t i = 0; i < c->node->n_in; i++) {
    const sloe_tensor *t = sloe_node_in(c->net, c->node, i);
    if (!t || !(t->flags & SLOE_T_CONST)) continue;
    uint64_t n = sloe_shape_elements(&t->shape);
    int counts =
        is_quantised(c->node->op) ? is_quantised_weight(c->node, i) : sloe_dtype_is_float(t->dtype);
    if (!counts || n <= 1 || !owns(c, i)) continue;
    int statistic = c->node->op == SLOE_OP_BATCH_NORM && i >= 3;
    c->cost->params = sloe_add_sat(c->cost->params, n);
    if (!statistic) c->cost->trainable_params = sloe_add_sat(c->cost->trainable_params, n);
    c->cost->weight_bytes =
        sloe_add_sat(c->cost->weight_bytes, sloe_mul_sat(n, sloe_dtype_bits(t->dtype)) / 8);
  }
}

/* W is M x C/group x k...; each output element takes C/group x k... products. */
static void conv_with(counter *c, size_t weight) {
  const sloe_tensor *w = sloe_node_in(c->net, c->node, weight);
  int64_t filters = w && w->shape.rank > 0 ? w->shape.dim[0] : 0;
  uint64_t per_output = filters > 0 ? elements_in(c, weight) / (uint64_t)filters : 0;
  set_macs(c, sloe_mul_sat(c->out, per_output), SLOE_FLOPS_CONV);
  read_and_write(c);
}

static void cost_conv(counter *c) {
  conv_with(c, 1);
}
static void cost_qconv(counter *c) {
  conv_with(c, 3);
}

/* W is C x M/group x k...; each input element takes part in M/group x k... products. */
static void cost_deconv(counter *c) {
  const sloe_tensor *w = sloe_node_in(c->net, c->node, 1);
  int64_t channels = w && w->shape.rank > 0 ? w->shape.dim[0] : 0;
  uint64_t per_input = channels > 0 ? elements_in(c, 1) / (uint64_t)channels : 0;
  set_macs(c, sloe_mul_sat(elements_in(c, 0), per_input), SLOE_FLOPS_CONV);
  read_and_write(c);
}

static void gemm_with(counter *c, int transposed_a) {
  const sloe_tensor *a = sloe_node_in(c->net, c->node, 0);
  uint64_t inner = (uint64_t)dim_of(a, transposed_a ? 2 : 1);
  set_macs(c, sloe_mul_sat(c->out, inner), SLOE_FLOPS_MATMUL);
  read_and_write(c);
}

static void cost_gemm(counter *c) {
  gemm_with(c, sloe_node_int(c->node, "transA", 0) != 0);
}
static void cost_qgemm(counter *c) {
  cost_gemm(c);
}
static void cost_matmul(counter *c) {
  cost_gemm(c);
}
static void cost_qmatmul(counter *c) {
  gemm_with(c, 0);
}

/* The space of all labels, each counted once: output elements x contracted dimensions. Labels are
   single letters; the equation was checked by the shape rule. */
static void cost_einsum(counter *c) {
  const char *eq = sloe_node_string(c->node, "equation", "");
  uint64_t size[128] = {0}, space = 1;
  int dim = 0;
  size_t in = 0;
  for (const char *p = eq; *p && *p != '-'; p++) {
    if (*p == ',') {
      in++;
      dim = 0;
    } else if (*p == '.') {
      set_macs(c, sloe_mul_sat(c->out, 1), SLOE_FLOPS_MATMUL);
      read_and_write(c);
      return;
    } else if (*p != ' ') {
      const sloe_tensor *t = sloe_node_in(c->net, c->node, in);
      int known = t && dim < t->shape.rank && t->shape.dim[dim] > 0;
      uint64_t n = known ? (uint64_t)t->shape.dim[dim] : 0;
      if (n > size[*p & 127]) size[*p & 127] = n;
      dim++;
    }
  }
  int any = 0;
  for (int i = 0; i < 128; i++)
    if (size[i]) {
      any = 1;
      space = sloe_mul_sat(space, size[i]);
    }
  set_macs(c, any ? space : 0, SLOE_FLOPS_MATMUL);
  read_and_write(c);
}

/* Gates x (W x + R h) for every step, direction and sequence: each weight once a step. */
static void cost_rnn(counter *c) {
  const sloe_tensor *x = sloe_node_in(c->net, c->node, 0);
  int known = x && x->shape.rank == 3 && sloe_shape_known(&x->shape);
  uint64_t steps = known ? sloe_mul_sat((uint64_t)x->shape.dim[0], (uint64_t)x->shape.dim[1]) : 0;
  uint64_t weights = sloe_add_sat(elements_in(c, 1), elements_in(c, 2));
  set_macs(c, sloe_mul_sat(steps, weights), SLOE_FLOPS_MATMUL);
  read_and_write(c);
}

/* One operation per element of the window and output. */
static void cost_pool(counter *c) {
  size_t n;
  const int64_t *kernel = sloe_node_ints(c->node, "kernel_shape", &n);
  uint64_t window = 1;
  for (size_t i = 0; i < n; i++)
    window = sloe_mul_sat(window, (uint64_t)(kernel[i] > 0 ? kernel[i] : 0));
  set_flops(c, sloe_mul_sat(window, c->out), SLOE_FLOPS_POOL);
  read_and_write(c);
}

static void cost_reduce(counter *c) {
  set_flops(c, elements_in(c, 0), SLOE_FLOPS_POOL);
  read_and_write(c);
}

/* x * scale + shift, both from the running statistics. */
static void cost_batch_norm(counter *c) {
  set_flops(c, sloe_mul_sat(2, c->out), SLOE_FLOPS_NORM);
  read_inputs(c);
  c->cost->out_elements = c->out;
}

/* Mean 1, variance 2, normalise 2, scale and shift 2. */
static void cost_norm(counter *c) {
  set_flops(c, sloe_mul_sat(7, c->out), SLOE_FLOPS_NORM);
  read_and_write(c);
}

/* Square, sum over `size` neighbours, scale, add, power, divide. */
static void cost_lrn(counter *c) {
  int64_t size = sloe_node_int(c->node, "size", 1);
  uint64_t per = (uint64_t)(size > 0 && size < 1000000 ? size : 1) + 5;
  set_flops(c, sloe_mul_sat(per, c->out), SLOE_FLOPS_NORM);
  read_and_write(c);
}

/* One operation per element written. */
static void cost_out1(counter *c) {
  int activation = sloe_op_layer_kind(c->node->op) == SLOE_LAYER_ACTIVATION;
  int pool = sloe_op_layer_kind(c->node->op) == SLOE_LAYER_POOL;
  int elementwise = sloe_op_layer_kind(c->node->op) == SLOE_LAYER_ELEMENTWISE;
  set_flops(c, c->out,
            activation    ? SLOE_FLOPS_ACTIVATION
            : pool        ? SLOE_FLOPS_POOL
            : elementwise ? SLOE_FLOPS_ELEMENTWISE
                          : SLOE_FLOPS_OTHER);
  read_and_write(c);
}

static void cost_prelu(counter *c) {
  set_flops(c, sloe_mul_sat(2, c->out), SLOE_FLOPS_ACTIVATION);
  read_and_write(c);
}

/* Maximum, subtract, exponential, sum, divide. */
static void cost_softmax(counter *c) {
  set_flops(c, sloe_mul_sat(5, c->out), SLOE_FLOPS_ACTIVATION);
  read_and_write(c);
}

static void cost_eltwise(counter *c) {
  uint64_t per = c->node->op == SLOE_OP_WHERE || c->node->n_in < 2 ? 1 : c->node->n_in - 1;
  set_flops(c, sloe_mul_sat(per, c->out), SLOE_FLOPS_ELEMENTWISE);
  read_and_write(c);
}

static void cost_qeltwise(counter *c) {
  set_flops(c, c->out, SLOE_FLOPS_ELEMENTWISE);
  read_and_write(c);
}

/* A cast to the type that the tensor has already is nothing. */
static void cost_cast(counter *c) {
  const sloe_tensor *in = sloe_node_in(c->net, c->node, 0),
                    *out = sloe_node_out(c->net, c->node, 0);
  c->cost->flop_kind = SLOE_FLOPS_ELEMENTWISE;
  if (in && out && in->dtype == out->dtype) return;
  read_and_write(c);
}

/* Bilinear: 4 products and 3 sums an element; cubic 16 and 15; nearest only moves. */
static void cost_resample(counter *c) {
  const char *mode =
      sloe_node_string(c->node, "mode", c->node->op == SLOE_OP_GRID_SAMPLE ? "linear" : "nearest");
  uint64_t per = mode[0] == 'n'                     ? 0
                 : mode[0] == 'c'                   ? 31
                 : mode[0] == 'b' && mode[2] == 'c' ? 31
                                                    : 7;
  set_flops(c, sloe_mul_sat(per, c->out), SLOE_FLOPS_RESAMPLE);
  read_and_write(c);
}

static void cost_move(counter *c) {
  c->cost->flop_kind = SLOE_FLOPS_OTHER;
  read_and_write(c);
}

/* Reads only what it writes. */
static void cost_move_out(counter *c) {
  c->cost->flop_kind = SLOE_FLOPS_OTHER;
  write_outputs(c);
  c->cost->in_elements = c->cost->out_elements;
}

static void cost_view(counter *c) {
  c->cost->flop_kind = SLOE_FLOPS_OTHER;
}
static void cost_none(counter *c) {
  c->cost->flop_kind = SLOE_FLOPS_OTHER;
}

static void call_cost(counter *c) {
  switch (c->node->op) {
#define OP(id, name, in_min, in_max, shape, rule, kind, role) \
  case SLOE_OP_##id:                                          \
    cost_##rule(c);                                           \
    break;
#include "net/ops.def"
#undef OP
    default: /* not known: it reads and writes */
      c->cost->flop_kind = SLOE_FLOPS_OTHER;
      read_and_write(c);
  }
}

static uint64_t times(uint64_t n, double repeat) {
  double product = (double)n * repeat;
  return product < 1e19 ? (uint64_t)product : UINT64_MAX;
}

static void apply_repeat(sloe_cost *c, double repeat) {
  c->macs = times(c->macs, repeat);
  c->flops = times(c->flops, repeat);
  c->in_elements = times(c->in_elements, repeat);
  c->out_elements = times(c->out_elements, repeat);
}

sloe_status sloe_count_costs(sloe_net *net, sloe_error *err) {
  net->costs = SLOE_ARENA_NEW(&net->arena, sloe_cost, net->n_nodes);
  uint32_t *seen = SLOE_ARENA_NEW(&net->arena, uint32_t, net->n_tensors);
  if (!net->costs || !seen) return sloe_fail(err, SLOE_NOMEM, "out of memory counting costs");
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_node *node = &net->nodes[net->order[i]];
    counter c = {.net = net,
                 .node = node,
                 .cost = &net->costs[net->order[i]],
                 .seen = seen,
                 .stamp = (uint32_t)i + 1};
    c.out = elements_out(&c, 0);
    call_cost(&c);
    count_params(&c);
    if (node->repeat != 1) apply_repeat(c.cost, node->repeat);
  }
  return SLOE_OK;
}
