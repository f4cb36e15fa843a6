/* Model-level features (features.def) and the folding of batch normalisation that they assume. */
#include <math.h>
#include <string.h>

#include "net/infer.h"

typedef struct summary {
  double n, sum, min, max; /* min and max 0 where n is 0 */
} summary;

#define SUMMARY_MEAN(s) ((s).n > 0 ? (s).sum / (s).n : 0)

typedef struct feature_sums {
  summary conv, fc, kernel;
  double input_h, input_w, input_c, input_elements, batch;
  double layers, dwconv_layers, bn_layers, bn_layers_raw, pool_layers, activation_layers;
  double elementwise_layers, concat_layers;
  double conv_params, bn_params, bn_params_raw, fc_params, params;
  double flops, macs, conv_flops, activations, weighted_neurons, memory_elements, peak_bytes;
} feature_sums;

static void add_to(summary *s, double x) {
  s->min = s->n == 0 || x < s->min ? x : s->min;
  s->max = s->n == 0 || x > s->max ? x : s->max;
  s->sum += x;
  s->n++;
}

int32_t sloe_batch_norm_anchor(const sloe_net *net, const sloe_node *node) {
  if (node->op != SLOE_OP_BATCH_NORM) return -1;
  for (size_t i = 1; i < node->n_in; i++) {
    const sloe_tensor *t = sloe_node_in(net, node, i);
    if (!t || !(t->flags & SLOE_T_CONST)) return -1;
  }
  size_t uses;
  const sloe_tensor *x = sloe_node_in(net, node, 0);
  if (!x || x->producer < 0 || x->flags & SLOE_T_OUTPUT) return -1;
  sloe_net_uses(net, node->in[0], &uses);
  const sloe_node *anchor = &net->nodes[x->producer];
  int foldable = anchor->op == SLOE_OP_CONV || anchor->op == SLOE_OP_CONV_TRANSPOSE ||
                 anchor->op == SLOE_OP_GEMM;
  const sloe_tensor *w = foldable ? sloe_node_in(net, anchor, 1) : NULL;
  int constant = w && w->flags & SLOE_T_CONST && !(anchor->flags & SLOE_N_CONST);
  return constant && uses == 1 ? x->producer : -1;
}

int sloe_node_is_fc(const sloe_net *net, const sloe_node *node) {
  if (sloe_op_layer_kind(node->op) == SLOE_LAYER_FC) return 1;
  if (sloe_op_layer_kind(node->op) != SLOE_LAYER_MATMUL || node->op == SLOE_OP_EINSUM) return 0;
  const sloe_tensor *b = sloe_node_in(net, node, node->op == SLOE_OP_QLINEAR_MATMUL ? 3 : 1);
  return b && b->flags & SLOE_T_CONST;
}

int sloe_node_is_depthwise(const sloe_net *net, const sloe_node *node) {
  if (sloe_op_layer_kind(node->op) != SLOE_LAYER_CONV) return 0;
  const sloe_tensor *x = sloe_node_in(net, node, 0);
  int64_t group = sloe_node_int(node, "group", 1);
  return group > 1 && x && x->shape.rank > 1 && x->shape.dim[1] == group;
}

static void take_input(feature_sums *s, const sloe_net *net) {
  for (size_t i = 0; i < net->graph.n_in; i++) {
    const sloe_tensor *t = &net->tensors[net->graph.in[i]];
    if (!(t->flags & SLOE_T_INPUT) || t->flags & SLOE_T_WEIGHT) continue;
    s->input_elements += (double)sloe_shape_elements(&t->shape);
    int bare = sloe_shape_is_bare_image(&t->shape);
    if (s->input_h > 0 || (t->shape.rank != 4 && !bare)) continue;
    const int64_t *image = t->shape.dim + (bare ? 0 : 1);
    s->input_c = (double)image[0];
    s->input_h = (double)image[1];
    s->input_w = (double)image[2];
  }
}

static void take_conv(feature_sums *s, const sloe_net *net, const sloe_node *node,
                      const sloe_cost *c) {
  const sloe_tensor *out = sloe_node_out(net, node, 0);
  const sloe_tensor *w = sloe_node_in(net, node, node->op == SLOE_OP_QLINEAR_CONV ? 3 : 1);
  double filters = out && out->shape.rank > 1 ? (double)out->shape.dim[1] : 0, area = 1;
  for (int k = 2; w && k < w->shape.rank; k++) area *= (double)w->shape.dim[k];
  double depth = w && w->shape.rank > 1 ? (double)w->shape.dim[1] : 0;
  int deconv = sloe_op_layer_kind(node->op) == SLOE_LAYER_DECONV;
  if (deconv && w && w->shape.rank > 1) depth = (double)w->shape.dim[0];
  add_to(&s->conv, filters);
  add_to(&s->kernel, area);
  s->dwconv_layers += sloe_node_is_depthwise(net, node);
  s->conv_params += (double)c->params;
  s->conv_flops += (double)c->flops;
  s->weighted_neurons += (out ? (double)sloe_shape_elements(&out->shape) : 0) * area * depth;
}

static void take_fc(feature_sums *s, const sloe_net *net, const sloe_node *node,
                    const sloe_cost *c) {
  const sloe_tensor *out = sloe_node_out(net, node, 0);
  int rank = out ? out->shape.rank : 0;
  double units = rank > 0 ? (double)out->shape.dim[rank - 1] : 0;
  add_to(&s->fc, units);
  s->fc_params += (double)c->params;
  s->weighted_neurons += units;
}

static void take_kind(feature_sums *s, const sloe_net *net, const sloe_node *node,
                      const sloe_cost *c) {
  sloe_layer_kind kind = sloe_op_layer_kind(node->op);
  if (kind == SLOE_LAYER_CONV || kind == SLOE_LAYER_DECONV)
    take_conv(s, net, node, c);
  else if (sloe_node_is_fc(net, node))
    take_fc(s, net, node, c);
  else if (kind == SLOE_LAYER_POOL)
    s->pool_layers++;
  else if (kind == SLOE_LAYER_ACTIVATION)
    s->activation_layers++;
  else if (kind == SLOE_LAYER_ELEMENTWISE)
    s->elementwise_layers++;
  else if (node->op == SLOE_OP_CONCAT)
    s->concat_layers++;
}

/* A folded batch normalisation leaves its shift behind, as a bias where the anchor had none. */
static double folded_bias(const sloe_net *net, const sloe_node *anchor, const sloe_node *bn) {
  const sloe_tensor *scale = sloe_node_in(net, bn, 1);
  if (sloe_node_in(net, anchor, 2)) return 0;
  return scale ? (double)sloe_shape_elements(&scale->shape) : 0;
}

static void take_node(feature_sums *s, const sloe_net *net, int32_t index) {
  const sloe_node *node = &net->nodes[index];
  const sloe_cost *c = &net->costs[index];
  int32_t anchor = node->op == SLOE_OP_BATCH_NORM ? sloe_batch_norm_anchor(net, node) : -1;
  if (node->op == SLOE_OP_BATCH_NORM) {
    s->bn_layers_raw++;
    s->bn_params_raw += (double)c->params;
  }
  if (anchor >= 0) {
    double bias = folded_bias(net, &net->nodes[anchor], node);
    s->params += bias;
    if (sloe_op_layer_kind(net->nodes[anchor].op) == SLOE_LAYER_FC)
      s->fc_params += bias;
    else
      s->conv_params += bias;
    return;
  }
  if (node->op == SLOE_OP_BATCH_NORM) {
    s->bn_layers++;
    s->bn_params += (double)c->params;
  }
  s->layers += sloe_op_layer_kind(node->op) != SLOE_LAYER_VIEW && c->out_elements > 0;
  s->params += (double)c->params;
  s->flops += (double)c->flops;
  s->macs += (double)c->macs;
  s->activations += (double)c->out_elements;
  take_kind(s, net, node, c);
}

sloe_status sloe_collect_features(sloe_net *net, sloe_error *err) {
  feature_sums sums = {.peak_bytes = (double)net->info.peak_activation_bytes,
                       .batch = (double)net->info.batch},
               *s = &sums;
  take_input(s, net);
  for (size_t i = 0; i < net->n_order; i++) take_node(s, net, net->order[i]);
  s->memory_elements = s->params + s->activations;
  const sloe_feature all[] = {
#define FEATURE(name, value, doc) {#name, doc, value},
#include "net/features.def"
#undef FEATURE
  };
  size_t n = sizeof all / sizeof *all;
  sloe_feature *copy = SLOE_ARENA_NEW(&net->arena, sloe_feature, n);
  if (!copy) return sloe_fail(err, SLOE_NOMEM, "out of memory collecting features");
  for (size_t i = 0; i < n; i++) copy[i] = all[i];
  net->info.features = copy;
  net->info.n_features = n;
  return SLOE_OK;
}

int sloe_feature_find(const char *name) {
  static const char *const names[] = {
#define FEATURE(name, value, doc) #name,
#include "net/features.def"
#undef FEATURE
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i], name) == 0) return (int)i;
  return -1;
}
