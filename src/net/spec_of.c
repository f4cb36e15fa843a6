/* spec_of.c: from a fused layer to its spec. Sizes come from the anchor's tensors, what is fused
 * into it from the other nodes of the group. */
#include <string.h>

#include "net/net.h"

static int known(const sloe_tensor *t) {
  return t && sloe_shape_known(&t->shape) && sloe_shape_elements(&t->shape) > 0;
}

/* n x c x h x w of any tensor: the last dimension is w, the one before h, the one before c, the
   rest n; a 2-d tensor is n x c. */
static void fold_shape(const sloe_shape *shape, sloe_layer_spec *s) {
  const int r = shape->rank;
  s->n = s->c = s->h = s->w = 1;
  if (r == 2) {
    s->n = shape->dim[0];
    s->c = shape->dim[1];
    return;
  }
  if (r >= 1) s->w = shape->dim[r - 1];
  if (r >= 2) s->h = shape->dim[r - 2];
  if (r >= 3) s->c = shape->dim[r - 3];
  for (int i = 0; i + 3 < r; i++) s->n *= shape->dim[i];
}

/* Axes `first` to `last` as c, what is outside as n, what is inside as h x w. 0 where there are no
   such axes. */
static int fold_axes(const sloe_shape *shape, int64_t first, int64_t last, sloe_layer_spec *s) {
  if (first < 0) first += shape->rank;
  if (last < 0) last += shape->rank;
  if (first < 0 || last < first || last >= shape->rank) return 0;
  s->n = s->c = s->h = s->w = 1;
  for (int i = 0; i < shape->rank; i++)
    *(i < first ? &s->n : i <= last ? &s->c : i + 1 < shape->rank ? &s->h : &s->w) *= shape->dim[i];
  return 1;
}

static int fold_axis(const sloe_shape *shape, int64_t axis, sloe_layer_spec *s) {
  return fold_axes(shape, axis, axis, s);
}

static sloe_spec_act act_of(const sloe_node *node) {
  switch (node->op) {
    case SLOE_OP_RELU: return SLOE_SPEC_ACT_RELU;
    case SLOE_OP_CLIP: return SLOE_SPEC_ACT_CLIP;
    case SLOE_OP_LEAKY_RELU:
    case SLOE_OP_PRELU: return SLOE_SPEC_ACT_LEAKY;
    case SLOE_OP_SIGMOID: return SLOE_SPEC_ACT_SIGMOID;
    case SLOE_OP_HARD_SIGMOID: return SLOE_SPEC_ACT_HARDSIGMOID;
    case SLOE_OP_HARD_SWISH: return SLOE_SPEC_ACT_HARDSWISH;
    case SLOE_OP_TANH: return SLOE_SPEC_ACT_TANH;
    case SLOE_OP_ELU:
    case SLOE_OP_SELU:
    case SLOE_OP_CELU: return SLOE_SPEC_ACT_ELU;
    case SLOE_OP_GELU:
    case SLOE_OP_MS_GELU: return SLOE_SPEC_ACT_GELU;
    case SLOE_OP_MS_QUICK_GELU: return SLOE_SPEC_ACT_SWISH;
    case SLOE_OP_ERF: return SLOE_SPEC_ACT_ERF;
    case SLOE_OP_EXP: return SLOE_SPEC_ACT_EXP;
    case SLOE_OP_SQRT: return SLOE_SPEC_ACT_SQRT;
    default: return SLOE_SPEC_ACT_OTHER;
  }
}

static int is_unary(sloe_op op) {
  const sloe_op_role role = sloe_op_role_of(op);
  return role == SLOE_ROLE_ACTIVATION || role == SLOE_ROLE_UNARY;
}

static int made_inside(const sloe_net *net, const int32_t *nodes, size_t n, sloe_tid t) {
  for (size_t k = 0; t >= 0 && k < n; k++)
    if (net->tensors[t].producer == nodes[k]) return 1;
  return 0;
}

/* Arithmetic behind the anchor. A product of a sigmoid with what it was made of is a swish; another
   tensor of the output's size counts as added. Smaller ones cost next to nothing. */
static void take_binary(const sloe_net *net, const int32_t *nodes, size_t n, const sloe_node *node,
                        sloe_layer_spec *s) {
  const sloe_tensor *a = sloe_node_in(net, node, 0), *b = sloe_node_in(net, node, 1);
  if (node->n_in != 2 || !a || !b || ((a->flags | b->flags) & SLOE_T_CONST) ||
      sloe_shape_elements(&a->shape) != sloe_shape_elements(&b->shape))
    return;
  const int gated = node->op == SLOE_OP_MUL && made_inside(net, nodes, n, node->in[0]) &&
                    made_inside(net, nodes, n, node->in[1]);
  if (gated && s->act == SLOE_SPEC_ACT_SIGMOID)
    s->act = SLOE_SPEC_ACT_SWISH;
  else if (gated && s->act == SLOE_SPEC_ACT_HARDSIGMOID)
    s->act = SLOE_SPEC_ACT_HARDSWISH;
  else
    s->add = 1;
}

/* What the nodes behind the anchor add: the costliest activation, a residual. */
static void take_fused(const sloe_layers *layers, size_t i, int32_t anchor, sloe_layer_spec *s) {
  const sloe_net *net = sloe_layers_net(layers);
  size_t n;
  const int32_t *nodes = sloe_layers_nodes(layers, i, &n, NULL);
  for (size_t k = 0; k < n; k++) {
    const sloe_node *node = &net->nodes[nodes[k]];
    if (nodes[k] == anchor) continue;
    if (is_unary(node->op)) {
      const sloe_spec_act act = act_of(node);
      if (act > s->act) s->act = act;
    } else if (sloe_op_role_of(node->op) == SLOE_ROLE_BINARY) {
      take_binary(net, nodes, n, node, s);
    }
  }
}

static int take_window(const sloe_layer *layer, const sloe_tensor *in, const sloe_tensor *out,
                       sloe_layer_spec *s) {
  if (in->shape.rank != 4 && in->shape.rank != 3) return 0;
  const int image = in->shape.rank == 4; /* 1-d convolutions have a height of 1 */
  s->n = in->shape.dim[0];
  s->c = in->shape.dim[1];
  s->h = image ? in->shape.dim[2] : 1;
  s->w = in->shape.dim[in->shape.rank - 1];
  s->k = out->shape.dim[1];
  s->out[0] = image ? out->shape.dim[2] : 1;
  s->out[1] = out->shape.dim[out->shape.rank - 1];
  for (int d = 0; d < 2; d++) {
    s->kernel[d] = layer->kernel[d] > 0 ? layer->kernel[d] : 1;
    s->stride[d] = layer->stride[d] > 0 ? layer->stride[d] : 1;
    s->dilation[d] = layer->dilation[d] > 0 ? layer->dilation[d] : 1;
    s->pad[d] = layer->pads[d];
  }
  s->groups = layer->groups > 0 ? layer->groups : 1;
  return 1;
}

static int of_pool(const sloe_layer *layer, const sloe_node *node, const sloe_tensor *in,
                   const sloe_tensor *out, sloe_layer_spec *s) {
  const int global = node->op == SLOE_OP_GLOBAL_AVERAGE_POOL ||
                     node->op == SLOE_OP_GLOBAL_MAX_POOL || node->op == SLOE_OP_REDUCE_MEAN ||
                     node->op == SLOE_OP_GLOBAL_LP_POOL ||
                     node->op == SLOE_OP_MS_QLINEAR_GLOBAL_AVERAGE_POOL;
  s->op = global                         ? SLOE_SPEC_GLOBALPOOL
          : node->op == SLOE_OP_MAX_POOL ? SLOE_SPEC_MAXPOOL
                                         : SLOE_SPEC_AVGPOOL;
  if (global) {
    fold_shape(&in->shape, s);
    s->k = s->c;
    s->out[0] = s->out[1] = 1;
    return 1;
  }
  if (node->op == SLOE_OP_MAX_ROI_POOL || out->shape.rank != in->shape.rank ||
      !take_window(layer, in, out, s))
    return 0;
  s->groups = 1;
  return 1;
}

static int of_product(const sloe_node *node, const sloe_tensor *in, const sloe_tensor *second,
                      const sloe_tensor *out, int fc, sloe_layer_spec *s) {
  const int r = in->shape.rank;
  if (r < 1 || !second || second->shape.rank < 1) return 0;
  const int flipped = node->op == SLOE_OP_GEMM && sloe_node_int(node, "transA", 0);
  s->c = flipped ? in->shape.dim[0] : in->shape.dim[r - 1];
  s->k = out->shape.rank ? out->shape.dim[out->shape.rank - 1] : 1;
  const uint64_t rows = sloe_shape_elements(&in->shape) / (uint64_t)s->c;
  if (fc) {
    s->op = SLOE_SPEC_FC;
    s->n = (int64_t)rows;
    return 1;
  }
  s->op = SLOE_SPEC_MATMUL;
  s->h = r > 1 ? in->shape.dim[r - 2] : 1;
  s->n = (int64_t)(rows / (uint64_t)s->h);
  return 1;
}

/* Does the smaller operand vary along the last dimension? */
static int is_row(const sloe_shape *small, const sloe_shape *out) {
  if (small->rank < 1 || out->rank < 1) return 0;
  const int64_t last = out->dim[out->rank - 1];
  return last > 1 && small->dim[small->rank - 1] == last;
}

static int of_binary(const sloe_net *net, const sloe_node *node, const sloe_tensor *out,
                     sloe_layer_spec *s) {
  const uint64_t all = sloe_shape_elements(&out->shape);
  uint64_t least = all;
  const sloe_tensor *small = NULL;
  for (size_t i = 0; i < node->n_in; i++) {
    const sloe_tensor *t = sloe_node_in(net, node, i);
    if (!known(t)) continue;
    const uint64_t n = sloe_shape_elements(&t->shape);
    if (n < least) least = n, small = t;
  }
  s->op = SLOE_SPEC_BINARY;
  fold_shape(&out->shape, s);
  s->with = !small                               ? SLOE_SPEC_WITH_FULL
            : least == 1                         ? SLOE_SPEC_WITH_SCALAR
            : is_row(&small->shape, &out->shape) ? SLOE_SPEC_WITH_ROW
                                                 : SLOE_SPEC_WITH_CHANNEL;
  if (out->shape.rank == 2 && s->with == SLOE_SPEC_WITH_ROW) /* n rows of w */
    s->h = s->n, s->w = s->c, s->n = s->c = 1;
  if (out->shape.rank == 2 && s->with == SLOE_SPEC_WITH_CHANNEL) /* one value a row */
    s->w = s->c, s->c = s->n, s->n = 1;
  return 1;
}

/* The axes of a reduction: an attribute, an input, or all. 0 where they are not neighbours. */
static int of_reduce(const sloe_net *net, const sloe_node *node, const sloe_tensor *in,
                     sloe_layer_spec *s) {
  size_t n = 0;
  const int64_t *axes = sloe_node_ints(node, "axes", &n);
  const sloe_tensor *second = sloe_node_in(net, node, 1);
  const int64_t axis = sloe_node_int(node, "axis", 0), rank = in->shape.rank;
  int64_t first = rank, last = -1;
  s->op = SLOE_SPEC_REDUCE;
  if (!axes && second && second->value && !second->value->real)
    axes = second->value->i, n = second->value->n;
  if (node->op == SLOE_OP_ARG_MAX || node->op == SLOE_OP_ARG_MIN) axes = &axis, n = 1;
  if (!axes || !n) return fold_axes(&in->shape, 0, -1, s);
  for (size_t i = 0; i < n; i++) {
    const int64_t a = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (a < first) first = a;
    if (a > last) last = a;
  }
  return last - first + 1 == (int64_t)n && fold_axes(&in->shape, first, last, s);
}

/* Layer, instance and group normalisation work on rows: of what one mean is taken. */
static int of_norm(const sloe_node *node, const sloe_tensor *in, sloe_layer_spec *s) {
  const sloe_shape *x = &in->shape;
  int64_t groups = 0;
  if (x->rank < 1) return 0;
  s->op = SLOE_SPEC_LAYERNORM;
  switch (node->op) {
    case SLOE_OP_BATCH_NORM:
    case SLOE_OP_LRN:
      s->op = node->op == SLOE_OP_LRN ? SLOE_SPEC_LRN : SLOE_SPEC_BATCHNORM;
      return x->rank > 1 && fold_axis(x, 1, s);
    case SLOE_OP_LAYER_NORM:
    case SLOE_OP_MS_SIMPLIFIED_LAYER_NORM:
      return fold_axes(x, sloe_node_int(node, "axis", -1), -1, s);
    case SLOE_OP_MS_SKIP_LAYER_NORM: return fold_axis(x, -1, s);
    case SLOE_OP_LP_NORM: return fold_axis(x, sloe_node_int(node, "axis", -1), s);
    case SLOE_OP_INSTANCE_NORM: groups = x->rank > 1 ? x->dim[1] : 0; break;
    case SLOE_OP_GROUP_NORM: groups = sloe_node_int(node, "num_groups", 0); break;
    case SLOE_OP_MS_GROUP_NORM: groups = sloe_node_int(node, "groups", 0); break;
    default: return fold_axes(x, 0, -1, s);
  }
  if (groups < 1 || !fold_axes(x, 1, -1, s) || s->c % groups) return 0;
  s->n *= groups;
  s->c /= groups;
  return 1;
}

/* Does it lie plain in memory where a convolution's output lies in blocks? What was read, or had
   its dimensions moved, does; what other ops make is as what they read first. */
static int is_plain(const sloe_net *net, const sloe_tensor *t) {
  for (int depth = 0; t && t->producer >= 0 && depth < 1000; depth++) {
    const sloe_node *node = &net->nodes[t->producer];
    switch (node->op) {
      case SLOE_OP_CONV:
      case SLOE_OP_CONV_TRANSPOSE: return 0;
      case SLOE_OP_RESHAPE:
      case SLOE_OP_TRANSPOSE: return 1;
      default: t = sloe_node_in(net, node, 0);
    }
  }
  return 1;
}

/* The largest part leads; of equal ones the first. */
static int is_mixed(const sloe_net *net, const sloe_node *node) {
  const sloe_tensor *lead = NULL;
  int blocked = 0;
  for (size_t i = 0; i < node->n_in; i++) {
    const sloe_tensor *t = sloe_node_in(net, node, i);
    if (!known(t) || t->shape.rank != 4) return 0;
    if (!lead || sloe_shape_elements(&t->shape) > sloe_shape_elements(&lead->shape)) lead = t;
    blocked |= !is_plain(net, t);
  }
  return blocked && is_plain(net, lead);
}

static int of_copy(const sloe_net *net, const sloe_node *node, const sloe_tensor *in,
                   const sloe_tensor *out, sloe_layer_spec *s) {
  fold_shape(node->op == SLOE_OP_SPLIT ? &in->shape : &out->shape, s); /* all parts of a split */
  s->op = SLOE_SPEC_COPY;
  if (node->op == SLOE_OP_TRANSPOSE) s->op = SLOE_SPEC_TRANSPOSE;
  if (node->op == SLOE_OP_CONCAT) {
    s->op = SLOE_SPEC_CONCAT;
    s->parts = (int64_t)node->n_in < s->c ? (int64_t)node->n_in : s->c;
    s->mixed = s->parts > 1 && is_mixed(net, node);
  }
  if (node->op == SLOE_OP_SLICE && in->shape.rank == 4 && out->shape.rank == 4 &&
      in->shape.dim[1] > out->shape.dim[1]) {
    s->op = SLOE_SPEC_SLICE;
    s->k = out->shape.dim[1];
    s->c = in->shape.dim[1];
  }
  return 1;
}

/* Everything but the window ops writes what it reads, unless said otherwise. */
static void settle(sloe_layer_spec *s) {
  switch (s->op) {
    case SLOE_SPEC_CONV:
    case SLOE_SPEC_DECONV:
    case SLOE_SPEC_MAXPOOL:
    case SLOE_SPEC_AVGPOOL:
    case SLOE_SPEC_RESIZE: break;
    case SLOE_SPEC_GLOBALPOOL: break;
    default: s->out[0] = s->h, s->out[1] = s->w;
  }
  switch (s->op) {
    case SLOE_SPEC_CONV:
    case SLOE_SPEC_DECONV:
    case SLOE_SPEC_FC:
    case SLOE_SPEC_MATMUL:
    case SLOE_SPEC_SLICE: break;
    default: s->k = s->c;
  }
}

/* What the convolution reads; where a Pad is joined with it, what that reads: its rows are among
   the layer's pads. */
static const sloe_tensor *window_input(const sloe_layers *layers, size_t i, const sloe_node *node) {
  const sloe_net *net = sloe_layers_net(layers);
  const sloe_tensor *in = sloe_node_in(net, node, 0);
  size_t n;
  const int32_t *nodes = sloe_layers_nodes(layers, i, &n, NULL);
  for (size_t k = 0; k < n; k++)
    if (net->nodes[nodes[k]].op == SLOE_OP_PAD && in->producer == nodes[k])
      return sloe_node_in(net, &net->nodes[nodes[k]], 0);
  return in;
}

static int describe(const sloe_layers *layers, size_t i, int32_t anchor, sloe_layer_spec *s) {
  const sloe_layer *layer = sloe_layers_at(layers, i);
  const sloe_net *net = sloe_layers_net(layers);
  const sloe_node *node = &net->nodes[anchor];
  const sloe_tensor *in = sloe_node_in(net, node, 0), *out = sloe_node_out(net, node, 0);
  if (!known(in) || !known(out)) return 0;
  switch (layer->kind) {
    case SLOE_LAYER_CONV:
    case SLOE_LAYER_DWCONV:
      s->op = SLOE_SPEC_CONV;
      if (!take_window(layer, window_input(layers, i, node), out, s)) return 0;
      if (layer->filters > s->k) s->k = layer->filters; /* siblings that run as one: those of all */
      return 1;
    case SLOE_LAYER_DECONV: s->op = SLOE_SPEC_DECONV; return take_window(layer, in, out, s);
    case SLOE_LAYER_FC:
    case SLOE_LAYER_MATMUL:
      return of_product(node, in, sloe_node_in(net, node, 1), out, layer->kind == SLOE_LAYER_FC, s);
    case SLOE_LAYER_POOL: return of_pool(layer, node, in, out, s);
    case SLOE_LAYER_NORM: return of_norm(node, in, s);
    case SLOE_LAYER_ACTIVATION:
    case SLOE_LAYER_ELEMENTWISE:
      if (sloe_op_role_of(node->op) == SLOE_ROLE_BINARY) return of_binary(net, node, out, s);
      s->op = SLOE_SPEC_ACTIVATION;
      s->act = act_of(node);
      fold_shape(&out->shape, s);
      return 1;
    case SLOE_LAYER_SOFTMAX:
      s->op = SLOE_SPEC_SOFTMAX; /* before opset 13 over all dimensions from the axis on */
      if (net->opset < 13) return fold_axes(&in->shape, sloe_node_int(node, "axis", 1), -1, s);
      return fold_axis(&in->shape, sloe_node_int(node, "axis", -1), s);
    case SLOE_LAYER_REDUCE: return of_reduce(net, node, in, s);
    case SLOE_LAYER_RESAMPLE:
      if (in->shape.rank != 4 || out->shape.rank != 4) return 0;
      s->op = SLOE_SPEC_RESIZE;
      fold_shape(&in->shape, s);
      s->out[0] = out->shape.dim[2];
      s->out[1] = out->shape.dim[3];
      s->linear = strcmp(sloe_node_string(node, "mode", "nearest"), "nearest") != 0;
      return 1;
    case SLOE_LAYER_COPY: return of_copy(net, node, in, out, s);
    default: return 0;
  }
}

/* A copy or reformat that stands for no op. */
static int of_extra(const sloe_layer *layer, sloe_layer_spec *s) {
  if (layer->n_out < 1 || !sloe_shape_known(&layer->out[0])) return 0;
  fold_shape(&layer->out[0], s);
  s->op = layer->kind == SLOE_LAYER_REFORMAT ? SLOE_SPEC_REORDER : SLOE_SPEC_COPY;
  return 1;
}

sloe_layer_place sloe_layers_place(const sloe_layers *layers) {
  const uint64_t weights = sloe_net_get_info(sloe_layers_net(layers))->params;
  sloe_layer_place out = {.weights = weights, .touched = weights};
  size_t launched = 0;
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    const sloe_layer *layer = sloe_layers_at(layers, i);
    if (layer->kind == SLOE_LAYER_VIEW) continue;
    launched++;
    out.touched = sloe_add_sat(out.touched, layer->out_elements);
    if (layer->kind == SLOE_LAYER_CONV || layer->kind == SLOE_LAYER_DWCONV ||
        layer->kind == SLOE_LAYER_DECONV)
      out.windows = sloe_add_sat(out.windows, layer->params);
  }
  out.in_network = launched > 1;
  return out;
}

void sloe_layer_spec_of(const sloe_layers *layers, size_t i, sloe_layer_spec *out, int *is_known) {
  const sloe_layer *layer = sloe_layers_at(layers, i);
  sloe_layer_spec s = sloe_layer_spec_none();
  size_t n;
  int32_t anchor = -1;
  *out = s;
  *is_known = 0;
  if (!layer || layer->data_dependent || layer->kind == SLOE_LAYER_VIEW) return;
  sloe_layers_nodes(layers, i, &n, &anchor);
  if (!(anchor < 0 ? of_extra(layer, &s) : describe(layers, i, anchor, &s))) return;
  if (anchor >= 0 && s.op != SLOE_SPEC_ACTIVATION) take_fused(layers, i, anchor, &s);
  settle(&s);
  if (sloe_layer_spec_check(&s, NULL) != SLOE_OK) return;
  *out = s;
  *is_known = 1;
}
