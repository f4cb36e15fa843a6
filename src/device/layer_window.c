#include "device/layer_window.h"

sloe_window sloe_window_of_spec(const sloe_layer_spec *spec) {
  sloe_window w = {.k = spec->k, .groups = spec->groups};
  for (int d = 0; d < 2; d++) {
    const int64_t end = sloe_layer_spec_pad_end(spec, d);
    w.kernel[d] = spec->kernel[d];
    w.stride[d] = spec->stride[d];
    w.dilation[d] = spec->dilation[d];
    w.pad[d] = spec->pad[d];
    w.out[d] = spec->out[d];
    w.pad_end[d] = end > 0 ? end : 0;
  }
  return w;
}

sloe_status sloe_window_of_node(const sloe_net_walk *walk, const sloe_node *node, sloe_tid from,
                                sloe_window *w, sloe_error *err) {
  const sloe_layer *layer = sloe_layers_at(walk->layers, walk->layer);
  const sloe_shape *in = &walk->net->tensors[from].shape;
  const sloe_shape *out = &walk->net->tensors[node->out[0]].shape;
  const int transposed = node->op == SLOE_OP_CONV_TRANSPOSE;
  if (in->rank != 4 || out->rank != 4)
    return sloe_fail(err, SLOE_UNSUPPORTED, "%s: layer %.80s is not of two dimensions", walk->who,
                     layer->name);
  *w = (sloe_window){.k = out->dim[1], .groups = layer->groups > 0 ? layer->groups : 1};
  for (int d = 0; d < 2; d++) {
    w->kernel[d] = layer->kernel[d] > 0 ? layer->kernel[d] : 1;
    w->stride[d] = layer->stride[d] > 0 ? layer->stride[d] : 1;
    w->dilation[d] = layer->dilation[d] > 0 ? layer->dilation[d] : 1;
    w->pad[d] = layer->pads[d];
    w->out[d] = out->dim[2 + d];
    const int64_t reach = w->dilation[d] * (w->kernel[d] - 1) + 1;
    const int64_t large = transposed ? in->dim[2 + d] : w->out[d];
    const int64_t small = transposed ? w->out[d] : in->dim[2 + d];
    const int64_t end = (large - 1) * w->stride[d] + reach - small - w->pad[d];
    w->pad_end[d] = end > 0 ? end : 0;
  }
  return SLOE_OK;
}
