/* post_node.c: ops of one input as oneDNN's elementwise functions. */
#include <string.h>

#include "device/onednn/onednn.h"

/* A bound of Clip: an attribute, or an input whose contents are known. */
static float bound(const sloe_net *net, const sloe_node *node, size_t i, const char *name,
                   float fallback) {
  const sloe_tensor *t = sloe_node_in(net, node, i);
  if (t && t->value && t->value->n == 1)
    return t->value->real ? (float)t->value->f[0] : (float)t->value->i[0];
  return (float)sloe_node_float(node, name, fallback);
}

static float number(const sloe_node *node, const char *name, double fallback) {
  return (float)sloe_node_float(node, name, fallback);
}

static int activation(const sloe_net *net, const sloe_node *node, onednn_posts *p) {
  switch (node->op) {
    case SLOE_OP_RELU: return sloe_onednn_post_eltwise(p, dnnl_eltwise_relu, 0, 0);
    case SLOE_OP_LEAKY_RELU:
      return sloe_onednn_post_eltwise(p, dnnl_eltwise_relu, number(node, "alpha", 0.01), 0);
    case SLOE_OP_PRELU: return sloe_onednn_post_eltwise(p, dnnl_eltwise_relu, 0.25F, 0);
    case SLOE_OP_CLIP:
      return sloe_onednn_post_eltwise(p, dnnl_eltwise_clip, bound(net, node, 1, "min", -3.4e38F),
                                      bound(net, node, 2, "max", 3.4e38F));
    case SLOE_OP_SIGMOID: return sloe_onednn_post_eltwise(p, dnnl_eltwise_logistic, 0, 0);
    case SLOE_OP_HARD_SIGMOID:
      return sloe_onednn_post_eltwise(p, dnnl_eltwise_linear, number(node, "alpha", 0.2),
                                      number(node, "beta", 0.5)) &&
             sloe_onednn_post_eltwise(p, dnnl_eltwise_clip, 0, 1);
    case SLOE_OP_HARD_SWISH: return sloe_onednn_post_eltwise(p, dnnl_eltwise_hardswish, 0, 0);
    case SLOE_OP_TANH: return sloe_onednn_post_eltwise(p, dnnl_eltwise_tanh, 0, 0);
    case SLOE_OP_ELU:
    case SLOE_OP_CELU:
      return sloe_onednn_post_eltwise(p, dnnl_eltwise_elu, number(node, "alpha", 1), 0);
    case SLOE_OP_SOFTPLUS: return sloe_onednn_post_eltwise(p, dnnl_eltwise_soft_relu, 0, 0);
    case SLOE_OP_MISH: return sloe_onednn_post_eltwise(p, dnnl_eltwise_mish, 0, 0);
    case SLOE_OP_GELU:
    case SLOE_OP_MS_GELU:
      return sloe_onednn_post_eltwise(p,
                                      strcmp(sloe_node_string(node, "approximate", "none"), "tanh")
                                          ? dnnl_eltwise_gelu_erf
                                          : dnnl_eltwise_gelu_tanh,
                                      0, 0);
    case SLOE_OP_MS_QUICK_GELU:
      return sloe_onednn_post_eltwise(p, dnnl_eltwise_swish, number(node, "alpha", 1.702), 0);
    default: return 0;
  }
}

int sloe_onednn_post_node(const sloe_net *net, const sloe_node *node, onednn_posts *posts) {
  switch (node->op) {
    case SLOE_OP_ABS: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_abs, 0, 0);
    case SLOE_OP_EXP: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_exp, 0, 0);
    case SLOE_OP_LOG: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_log, 0, 0);
    case SLOE_OP_SQRT: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_sqrt, 0, 0);
    case SLOE_OP_ROUND: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_round, 0, 0);
    case SLOE_OP_NEG: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_linear, -1, 0);
    case SLOE_OP_RECIPROCAL: return sloe_onednn_post_eltwise(posts, dnnl_eltwise_pow, 1, -1);
    default: return activation(net, node, posts);
  }
}
