/* channels.c: following channels through the ops of a network, one rule per kind of op. What no
 * rule covers freezes all that it reads. */
#include "explore/channels.h"

#include <string.h>

enum { MAX_SEGMENTS = 4096 /* of one tensor: a concat of concats of itself doubles them */ };

/* ---- variables ---- */

int32_t sloe_channels_root(const sloe_channels *c, int32_t var) {
  while (c->vars[var].parent != var) var = c->vars[var].parent;
  return var;
}

static sloe_channel_var *root_of(sloe_channels *c, int32_t var) {
  return &c->vars[sloe_channels_root(c, var)];
}

static sloe_segments new_var(sloe_channels *c, int64_t size, int64_t grain, int frozen) {
  sloe_segment *s = SLOE_ARENA_NEW(c->arena, sloe_segment, 1);
  if (!s || c->n_vars >= INT32_MAX ||
      !sloe_arena_grow(c->arena, &c->vars, c->n_vars, &c->cap_vars, sizeof *c->vars)) {
    c->out_of_memory = 1;
    return (sloe_segments){0};
  }
  const int32_t var = (int32_t)c->n_vars++;
  c->vars[var] = (sloe_channel_var){var, size, grain, frozen};
  *s = (sloe_segment){var, 1};
  return (sloe_segments){s, 1};
}

static void freeze(sloe_channels *c, sloe_segments list) {
  for (size_t i = 0; i < list.n; i++) root_of(c, list.at[i].var)->frozen = 1;
}

/* A common multiple that leaves nothing to choose freezes. */
static void add_grain(sloe_channel_var *v, int64_t grain) {
  int64_t a = v->grain, b = grain;
  while (b) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  if (grain / a > v->size / v->grain)
    v->frozen = 1;
  else
    v->grain *= grain / a;
}

/* The smaller index becomes the root, so that paths stay short in the order of the network. */
static void unite(sloe_channels *c, int32_t a, int32_t b) {
  a = sloe_channels_root(c, a);
  b = sloe_channels_root(c, b);
  if (a == b) return;
  sloe_channel_var *to = &c->vars[a < b ? a : b], *from = &c->vars[a < b ? b : a];
  from->parent = a < b ? a : b;
  to->frozen |= from->frozen;
  add_grain(to, from->grain);
}

static int64_t width_of(const sloe_channels *c, sloe_segments list) {
  int64_t sum = 0;
  for (size_t i = 0; i < list.n; i++)
    sum += c->vars[sloe_channels_root(c, list.at[i].var)].size * list.at[i].times;
  return sum;
}

/* Lists that can be one: cut at the same places. Else both stay as they are. */
static void tie(sloe_channels *c, sloe_segments a, sloe_segments b) {
  int same = a.n == b.n;
  for (size_t i = 0; same && i < a.n; i++)
    same = a.at[i].times == b.at[i].times &&
           root_of(c, a.at[i].var)->size == root_of(c, b.at[i].var)->size;
  if (!same) {
    freeze(c, a);
    freeze(c, b);
  }
  for (size_t i = 0; same && i < a.n; i++) unite(c, a.at[i].var, b.at[i].var);
}

static sloe_segments times(sloe_channels *c, sloe_segments list, int64_t factor) {
  if (factor == 1 || !list.n) return list;
  sloe_segment *s = SLOE_ARENA_NEW(c->arena, sloe_segment, list.n);
  if (!s) {
    c->out_of_memory = 1;
    return (sloe_segments){0};
  }
  for (size_t i = 0; i < list.n; i++)
    s[i] = (sloe_segment){list.at[i].var, list.at[i].times * factor};
  return (sloe_segments){s, list.n};
}

/* ---- tensors ---- */

static int64_t channels_in(const sloe_tensor *t) {
  return t && t->shape.rank >= 2 && t->shape.dim[1] > 0 ? t->shape.dim[1] : 0;
}

/* Of a tensor that nothing followed made, its channels stay as they are. */
static sloe_segments list_of(sloe_channels *c, sloe_tid t) {
  if (t < 0) return (sloe_segments){0};
  if (!c->tensors[t].n && channels_in(&c->net->tensors[t]))
    c->tensors[t] = new_var(c, channels_in(&c->net->tensors[t]), 1, 1);
  return c->tensors[t];
}

static int is_data(const sloe_channels *c, sloe_tid t) {
  return t >= 0 && !(c->net->tensors[t].flags & (SLOE_T_CONST | SLOE_T_WEIGHT));
}

static size_t count_data(const sloe_channels *c, const sloe_node *node) {
  size_t n = 0;
  for (size_t i = 0; i < node->n_in; i++) n += is_data(c, node->in[i]);
  return n;
}

/* ---- rules: 0 where the rule does not fit this node ---- */

static int rule_conv(sloe_channels *c, const sloe_node *node, sloe_segments *out) {
  const int64_t in = channels_in(sloe_node_in(c->net, node, 0)),
                k = channels_in(sloe_node_out(c->net, node, 0)),
                groups = sloe_node_int(node, "group", 1);
  if (!in || !k || groups < 1 || count_data(c, node) != 1 || !is_data(c, node->in[0])) return 0;
  if (groups == 1) {
    *out = new_var(c, k, 1, 0);
    return 1;
  }
  if (in % groups || k % groups) return 0;
  const sloe_segments x = list_of(c, node->in[0]);
  if (groups == in) {
    *out = times(c, x, k / in);
    return 1;
  }
  if (x.n == 1)
    add_grain(root_of(c, x.at[0].var), groups);
  else
    freeze(c, x);
  *out = new_var(c, k, groups, 0);
  return 1;
}

static int rule_fc(sloe_channels *c, const sloe_node *node, sloe_segments *out) {
  const sloe_tensor *in = sloe_node_in(c->net, node, 0), *to = sloe_node_out(c->net, node, 0);
  if (!sloe_node_is_fc(c->net, node) || count_data(c, node) != 1 || !is_data(c, node->in[0]))
    return 0;
  if (in->shape.rank != 2 || !channels_in(to) || sloe_node_int(node, "transA", 0)) return 0;
  *out = new_var(c, channels_in(to), 1, 0);
  return 1;
}

/* One tensor in, as many channels out, each made of its own. */
static int rule_same(sloe_channels *c, const sloe_node *node, sloe_segments *out) {
  const sloe_tensor *in = sloe_node_in(c->net, node, 0), *to = sloe_node_out(c->net, node, 0);
  if (!node->n_in || !is_data(c, node->in[0]) || count_data(c, node) != 1) return 0;
  if (!channels_in(in) || channels_in(in) != channels_in(to) || in->shape.rank != to->shape.rank)
    return 0;
  *out = list_of(c, node->in[0]);
  return 1;
}

/* The mean over height and width, kept or dropped. */
static int rule_reduce(sloe_channels *c, const sloe_node *node, sloe_segments *out) {
  const sloe_tensor *in = sloe_node_in(c->net, node, 0), *to = sloe_node_out(c->net, node, 0),
                    *axes = sloe_node_in(c->net, node, 1);
  size_t n = 0;
  const int64_t *axis = sloe_node_ints(node, "axes", &n);
  if (!axis && axes && axes->value && !axes->value->real) axis = axes->value->i, n = axes->value->n;
  if (!axis || !in || in->shape.rank != 4 || channels_in(in) != channels_in(to)) return 0;
  for (size_t i = 0; i < n; i++)
    if ((axis[i] + 4) % 4 < 2) return 0;
  *out = list_of(c, node->in[0]);
  return 1;
}

/* Arithmetic: what has all channels must stay equally wide; what has one is spread. */
static int rule_binary(sloe_channels *c, const sloe_node *node, sloe_segments *out) {
  const sloe_tensor *to = sloe_node_out(c->net, node, 0);
  *out = (sloe_segments){0};
  for (size_t i = 0; i < node->n_in; i++) {
    const sloe_tensor *t = sloe_node_in(c->net, node, i);
    if (!is_data(c, node->in[i])) continue;
    if (!channels_in(t) || !channels_in(to) || t->shape.rank != to->shape.rank) return 0;
    if (channels_in(t) == channels_in(to)) {
      const sloe_segments list = list_of(c, node->in[i]);
      if (out->n) tie(c, *out, list);
      if (!out->n) *out = list;
    } else {
      freeze(c, list_of(c, node->in[i]));
    }
  }
  return out->n > 0;
}

/* Along the channels the lists come one behind the other; along another dimension they are one. */
static int rule_concat(sloe_channels *c, const sloe_node *node, sloe_segments *out) {
  const sloe_tensor *to = sloe_node_out(c->net, node, 0);
  const int quantised = node->op == SLOE_OP_MS_QLINEAR_CONCAT;
  const size_t first = quantised ? 2 : 0, step = quantised ? 3 : 1;
  const int64_t axis = sloe_node_int(node, "axis", 1);
  size_t n = 0, at = 0;
  if (!channels_in(to)) return 0;
  if ((axis < 0 ? axis + to->shape.rank : axis) != 1) return rule_binary(c, node, out);
  for (size_t i = first; i < node->n_in; i += step) {
    const sloe_segments list = list_of(c, node->in[i]);
    if (!list.n || list.n > MAX_SEGMENTS - n) return 0;
    n += list.n;
  }
  sloe_segment *all = SLOE_ARENA_NEW(c->arena, sloe_segment, n);
  if (!all) c->out_of_memory = 1;
  for (size_t i = first; i < node->n_in && all; i += step) {
    const sloe_segments list = c->tensors[node->in[i]];
    memcpy(all + at, list.at, list.n * sizeof *all);
    at += list.n;
  }
  *out = (sloe_segments){all, at};
  return at > 0;
}

/* n x c x h x w to n x (c h w); n x c to n x c x 1 x 1; h x w to something else. */
static int rule_view(sloe_channels *c, const sloe_node *node, sloe_segments *out) {
  const sloe_tensor *in = sloe_node_in(c->net, node, 0), *to = sloe_node_out(c->net, node, 0);
  if (!channels_in(in) || !channels_in(to) || in->shape.dim[0] != to->shape.dim[0]) return 0;
  if (!sloe_shape_known(&in->shape) || !sloe_shape_known(&to->shape)) return 0;
  const int64_t from = channels_in(in), width = channels_in(to);
  if (to->shape.rank == 2 && width % from == 0)
    *out = times(c, list_of(c, node->in[0]), width / from);
  else if (from == width)
    *out = list_of(c, node->in[0]);
  else
    return 0;
  return 1;
}

static int follow(sloe_channels *c, const sloe_node *node, sloe_segments *out) {
  switch (node->op) {
    case SLOE_OP_CONV:
    case SLOE_OP_CONV_TRANSPOSE:
    case SLOE_OP_QLINEAR_CONV: return rule_conv(c, node, out);
    case SLOE_OP_GEMM:
    case SLOE_OP_MATMUL: return rule_fc(c, node, out);
    case SLOE_OP_BATCH_NORM:
    case SLOE_OP_INSTANCE_NORM:
    case SLOE_OP_LRN:
    case SLOE_OP_PAD:
    case SLOE_OP_RESIZE:
    case SLOE_OP_UPSAMPLE:
    case SLOE_OP_QUANTIZE_LINEAR:
    case SLOE_OP_DEQUANTIZE_LINEAR: return rule_same(c, node, out);
    case SLOE_OP_REDUCE_MEAN: return rule_reduce(c, node, out);
    case SLOE_OP_CONCAT:
    case SLOE_OP_MS_QLINEAR_CONCAT: return rule_concat(c, node, out);
    case SLOE_OP_RESHAPE:
    case SLOE_OP_FLATTEN:
    case SLOE_OP_SQUEEZE:
    case SLOE_OP_UNSQUEEZE: return rule_view(c, node, out);
    default: break;
  }
  if (sloe_op_layer_kind(node->op) == SLOE_LAYER_POOL) return rule_same(c, node, out);
  switch (sloe_op_role_of(node->op)) {
    case SLOE_ROLE_ACTIVATION:
    case SLOE_ROLE_UNARY:
    case SLOE_ROLE_DROP: return rule_same(c, node, out);
    case SLOE_ROLE_BINARY: return rule_binary(c, node, out);
    default: return 0;
  }
}

static void follow_node(sloe_channels *c, const sloe_node *node) {
  sloe_segments out = {0};
  size_t n_uses = 0;
  int followed = node->n_out > 0 && node->out[0] >= 0 && follow(c, node, &out);
  for (size_t i = 1; followed && i < node->n_out; i++) /* indices of a pool, ... */
    if (node->out[i] >= 0 && (sloe_net_uses(c->net, node->out[i], &n_uses), n_uses)) followed = 0;
  if (followed) c->tensors[node->out[0]] = out;
  for (size_t i = 0; i < node->n_in && !followed; i++)
    if (is_data(c, node->in[i])) freeze(c, list_of(c, node->in[i]));
}

/* ---- layers ---- */

int sloe_channels_has_filters(const sloe_channel_layer *layer) {
  const sloe_layer_spec *s = &layer->spec;
  if (!layer->known) return 0;
  if (s->op == SLOE_SPEC_CONV) return !sloe_layer_spec_is_depthwise(s);
  return s->op == SLOE_SPEC_DECONV || s->op == SLOE_SPEC_FC;
}

static int has_weights(sloe_spec_op op) {
  return op == SLOE_SPEC_CONV || op == SLOE_SPEC_DECONV || op == SLOE_SPEC_FC;
}

/* Ops whose c is dimension 1 of what they write. */
static int keeps_channels(sloe_spec_op op) {
  switch (op) {
    case SLOE_SPEC_MAXPOOL:
    case SLOE_SPEC_AVGPOOL:
    case SLOE_SPEC_GLOBALPOOL:
    case SLOE_SPEC_BATCHNORM:
    case SLOE_SPEC_LAYERNORM:
    case SLOE_SPEC_LRN:
    case SLOE_SPEC_ACTIVATION:
    case SLOE_SPEC_BINARY:
    case SLOE_SPEC_RESIZE:
    case SLOE_SPEC_CONCAT:
    case SLOE_SPEC_COPY: return 1;
    default: return 0;
  }
}

static size_t segments_of(const sloe_channels *c, int32_t node, sloe_segments *out) {
  const sloe_node *n = &c->net->nodes[node];
  *out = (sloe_segments){0};
  if (n->op == SLOE_OP_CONV && n->n_out && n->out[0] >= 0) *out = c->tensors[n->out[0]];
  return out->n;
}

/* Of siblings that run as one convolution: what each writes, one behind the other. */
static sloe_segments written_by_all(sloe_channels *c, const int32_t *nodes, size_t n_nodes) {
  sloe_segments one;
  size_t n = 0, at = 0;
  for (size_t k = 0; k < n_nodes; k++) n += segments_of(c, nodes[k], &one);
  if (!n || n > MAX_SEGMENTS) return (sloe_segments){0};
  sloe_segment *all = SLOE_ARENA_NEW(c->arena, sloe_segment, n);
  if (!all) c->out_of_memory = 1;
  for (size_t k = 0; k < n_nodes && all; k++)
    if (segments_of(c, nodes[k], &one)) {
      memcpy(all + at, one.at, one.n * sizeof *all);
      at += one.n;
    }
  return (sloe_segments){all, at};
}

static void describe_layer(sloe_channels *c, const sloe_layers *layers, size_t i) {
  sloe_channel_layer *layer = &c->layers[i];
  int32_t anchor = -1;
  size_t n;
  sloe_layer_spec_of(layers, i, &layer->spec, &layer->known);
  const int32_t *nodes = sloe_layers_nodes(layers, i, &n, &anchor);
  layer->filters = -1;
  if (!layer->known || anchor < 0) return;
  const sloe_node *node = &c->net->nodes[anchor];
  if (node->n_in && node->in[0] >= 0) layer->in = c->tensors[node->in[0]];
  if (node->n_out && node->out[0] >= 0) layer->out = c->tensors[node->out[0]];
  if (!has_weights(layer->spec.op)) layer->in.n = 0;
  if (!has_weights(layer->spec.op) && !keeps_channels(layer->spec.op)) layer->out.n = 0;
  if (layer->spec.op == SLOE_SPEC_CONV && width_of(c, layer->out) < layer->spec.k)
    layer->out = written_by_all(c, nodes, n);
  if (width_of(c, layer->in) != layer->spec.c) layer->in.n = 0;
  if (width_of(c, layer->out) != layer->spec.k) layer->out.n = 0;
  if (sloe_channels_has_filters(layer) && layer->out.n == 1 && layer->out.at[0].times == 1)
    layer->filters = layer->out.at[0].var;
}

sloe_layer_spec sloe_channels_spec(const sloe_channels *c, size_t i) {
  const sloe_channel_layer *layer = &c->layers[i];
  sloe_layer_spec s = layer->spec;
  if (layer->out.n) s.k = width_of(c, layer->out);
  if (has_weights(s.op)) {
    if (layer->in.n) s.c = width_of(c, layer->in);
    if (sloe_layer_spec_is_depthwise(&layer->spec)) s.groups = s.c;
  } else if (layer->out.n) {
    s.c = s.k;
    if (s.parts > s.c) s.parts = s.c;
  }
  return s;
}

sloe_status sloe_channels_follow(const sloe_layers *layers, sloe_arena *arena, sloe_channels *out,
                                 sloe_error *err) {
  const sloe_net *net = sloe_layers_net(layers);
  *out = (sloe_channels){.arena = arena, .net = net, .n_layers = sloe_layers_count(layers)};
  out->tensors = SLOE_ARENA_NEW(arena, sloe_segments, net->n_tensors + 1);
  out->layers = SLOE_ARENA_NEW(arena, sloe_channel_layer, out->n_layers + 1);
  if (!out->tensors || !out->layers) out->out_of_memory = 1;
  for (size_t i = 0; i < net->n_order && !out->out_of_memory; i++)
    follow_node(out, &net->nodes[net->order[i]]);
  for (size_t i = 0; i < net->graph.n_out && !out->out_of_memory; i++)
    freeze(out, list_of(out, net->graph.out[i]));
  for (size_t i = 0; i < out->n_layers && !out->out_of_memory; i++) describe_layer(out, layers, i);
  return out->out_of_memory ? sloe_fail(err, SLOE_NOMEM, "out of memory following channels")
                            : SLOE_OK;
}
