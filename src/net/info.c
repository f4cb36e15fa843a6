/* The whole network's figures: sums over the ops that run, liveness, unknown operators. */
#include <string.h>

#include "net/infer.h"

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory collecting the figures of the network");
}

static int is_listed(const sloe_tensor *t, unsigned flag) {
  return t->flags & flag && !(t->flags & SLOE_T_WEIGHT);
}

static sloe_status list_tensors(sloe_net *net, const sloe_tid *ids, size_t n, unsigned flag,
                                const sloe_tensor_info **out, size_t *n_out, sloe_error *err) {
  sloe_tensor_info *list = SLOE_ARENA_NEW(&net->arena, sloe_tensor_info, n);
  size_t k = 0;
  if (!list) return no_memory(err);
  for (size_t i = 0; i < n; i++) {
    const sloe_tensor *t = &net->tensors[ids[i]];
    if (is_listed(t, flag))
      list[k++] = (sloe_tensor_info){t->name, sloe_dtype_name(t->dtype), t->shape};
  }
  *out = list;
  *n_out = k;
  return SLOE_OK;
}

static uint64_t bytes_of(const sloe_tensor *t) {
  unsigned bits = sloe_dtype_bits(t->dtype);
  uint64_t total = sloe_mul_sat(sloe_shape_elements(&t->shape), bits ? bits : 32);
  return total / 8 + (total % 8 != 0);
}

static int64_t batch_of(const sloe_net_info *info) {
  const sloe_shape *shape = info->n_inputs ? &info->inputs[0].shape : NULL;
  return !shape || shape->rank < 1 || sloe_shape_is_bare_image(shape) ? 1 : shape->dim[0];
}

static void sum_costs(sloe_net *net) {
  sloe_net_info *info = &net->info;
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_cost *c = &net->costs[net->order[i]];
    info->params = sloe_add_sat(info->params, c->params);
    info->trainable_params = sloe_add_sat(info->trainable_params, c->trainable_params);
    info->weights_bytes = sloe_add_sat(info->weights_bytes, c->weight_bytes);
    info->macs = sloe_add_sat(info->macs, c->macs);
    info->activations = sloe_add_sat(info->activations, c->out_elements);
    uint64_t *kind = &info->flops_by_kind[c->flop_kind];
    *kind = sloe_add_sat(*kind, c->flops);
    info->flops = sloe_add_sat(info->flops, c->flops);
  }
  info->mac_flops = sloe_mul_sat(2, info->macs);
  info->n_ops = net->n_order;
}

static int is_view(const sloe_node *node) {
  sloe_op_role role = sloe_op_role_of(node->op);
  return role == SLOE_ROLE_VIEW || role == SLOE_ROLE_DROP;
}

/* The tensor whose memory `t` is: itself, or what a chain of views started from. */
static sloe_tid storage_of(const sloe_net *net, const sloe_tid *storage, sloe_tid t) {
  int32_t p = net->tensors[t].producer;
  const sloe_node *node = p < 0 ? NULL : &net->nodes[p];
  if (!node || node->flags & SLOE_N_CONST || !is_view(node) || node->n_in < 1 || node->in[0] < 0 ||
      node->out[0] != t)
    return t;
  return storage[node->in[0]];
}

/* Liveness in node order: memory is taken when its producer runs (inputs at the start) and given
   back after its last reader (outputs never). The peak is the largest sum while a node runs. */
static sloe_status find_peak(sloe_net *net, sloe_error *err) {
  size_t n = net->n_order;
  sloe_tid *storage = sloe_arena_raw(&net->arena, net->n_tensors, sizeof *storage);
  int32_t *last = sloe_arena_raw(&net->arena, net->n_tensors, sizeof *last);
  uint64_t *freed = SLOE_ARENA_NEW(&net->arena, uint64_t, n + 1);
  if (!storage || !last || !freed) return no_memory(err);
  for (size_t t = 0; t < net->n_tensors; t++) {
    storage[t] = (sloe_tid)t;
    last[t] = -1;
  }
  uint64_t live = 0, peak;
  for (size_t i = 0; i < n; i++) {
    const sloe_node *node = &net->nodes[net->order[i]];
    for (size_t k = 0; k < node->n_out; k++)
      if (node->out[k] >= 0) {
        sloe_tid own = storage_of(net, storage, node->out[k]);
        storage[node->out[k]] = own;
        if (last[own] < (int32_t)i) last[own] = (int32_t)i;
      }
    for (size_t k = 0; k < node->n_in; k++)
      if (node->in[k] >= 0 && last[storage[node->in[k]]] < (int32_t)i)
        last[storage[node->in[k]]] = (int32_t)i;
  }
  for (size_t i = 0; i < net->graph.n_out; i++) last[storage[net->graph.out[i]]] = (int32_t)n;
  for (size_t i = 0; i < net->graph.n_in; i++) {
    sloe_tid t = net->graph.in[i];
    if (!is_listed(&net->tensors[t], SLOE_T_INPUT)) continue;
    live = sloe_add_sat(live, bytes_of(&net->tensors[t]));
    if (last[t] >= 0) freed[last[t]] = sloe_add_sat(freed[last[t]], bytes_of(&net->tensors[t]));
  }
  peak = live;
  for (size_t i = 0; i < n; i++) {
    const sloe_node *node = &net->nodes[net->order[i]];
    for (size_t k = 0; k < node->n_out; k++) {
      sloe_tid t = node->out[k];
      if (t < 0 || storage[t] != t || net->tensors[t].flags & SLOE_T_CONST) continue;
      uint64_t bytes = bytes_of(&net->tensors[t]);
      live = sloe_add_sat(live, bytes);
      freed[last[t]] = sloe_add_sat(freed[last[t]], bytes);
    }
    if (live > peak) peak = live;
    live = live > freed[i] ? live - freed[i] : 0;
  }
  net->info.peak_activation_bytes = peak;
  return SLOE_OK;
}

static uint64_t bytes_moved(const sloe_net *net, int32_t index) {
  const sloe_node *node = &net->nodes[index];
  const sloe_cost *c = &net->costs[index];
  const sloe_tensor *out = sloe_node_out(net, node, 0);
  unsigned bits = out && sloe_dtype_bits(out->dtype) ? sloe_dtype_bits(out->dtype) : 32;
  uint64_t elements = sloe_add_sat(c->in_elements, c->out_elements);
  return sloe_add_sat(sloe_mul_sat(elements, bits) / 8, c->weight_bytes);
}

static const char NOT_KNOWN[] = "operator not known, costed by the bytes it moves";
static const char ON_DATA[] = "shape depends on data, counted as far as known";

enum { MOST_KINDS = 200 }; /* listed apart; a hostile file may make up one a node */

static const char *why_unknown(const sloe_node *node) {
  if (node->op == SLOE_OP_UNKNOWN) return NOT_KNOWN;
  return node->flags & SLOE_N_DATA_DEPENDENT ? ON_DATA : NULL;
}

/* One warning an unknown operator; one for all that depends on data, which are many of many kinds.
 */
static sloe_status warn_unknown(sloe_net *net, const sloe_node *first_on_data, sloe_error *err) {
  const sloe_net_info *info = &net->info;
  size_t on_data = 0;
  for (size_t k = 0; k < info->n_unknown_ops; k++) {
    const sloe_unknown_op *u = &info->unknown_ops[k];
    if (u->reason == ON_DATA)
      on_data += u->count;
    else
      SLOE_TRY(sloe_net_warn(net, err, "%zu x %s: %s", u->count, u->op, u->reason));
  }
  if (!on_data || !first_on_data) return SLOE_OK;
  return sloe_net_warn(net, err,
                       "%zu ops, from node '%s' (%s) on, have shapes that depend on data: counted "
                       "as far as known",
                       on_data, first_on_data->name, first_on_data->type);
}

static int knows_all(const sloe_net *net) {
  for (size_t i = 0; i < net->n_order; i++)
    if (why_unknown(&net->nodes[net->order[i]])) return 0;
  return 1;
}

static sloe_status find_unknown(sloe_net *net, sloe_error *err) {
  sloe_unknown_op *list = NULL;
  const sloe_node *first_on_data = NULL;
  size_t n = 0, cap = 0;
  double known = 0, unknown = 0;
  if (knows_all(net)) return SLOE_OK;
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_node *node = &net->nodes[net->order[i]];
    const char *why = why_unknown(node);
    double bytes = (double)bytes_moved(net, net->order[i]);
    known += why ? 0 : bytes;
    unknown += why ? bytes : 0;
    if (!why) continue;
    if (why == ON_DATA && !first_on_data) first_on_data = node;
    size_t k = 0;
    while (k < n && (strcmp(list[k].op, node->type) != 0 || list[k].reason != why)) k++;
    if (k == n && n < MOST_KINDS) {
      if (!sloe_arena_grow(&net->arena, &list, n, &cap, sizeof *list)) return no_memory(err);
      list[n++] = (sloe_unknown_op){.op = node->type, .reason = why};
    } else if (k == n) {
      list[--k].op = "(more kinds)";
    }
    list[k].count++;
  }
  net->info.unknown_ops = list;
  net->info.n_unknown_ops = n;
  net->info.unknown_bytes_share = known + unknown > 0 ? unknown / (known + unknown) : 0;
  return warn_unknown(net, first_on_data, err);
}

sloe_status sloe_collect_info(sloe_net *net, sloe_error *err) {
  sloe_net_info *info = &net->info;
  *info = (sloe_net_info){
      .producer = net->producer, .ir_version = net->ir_version, .opset = net->opset};
  SLOE_TRY(list_tensors(net, net->graph.in, net->graph.n_in, SLOE_T_INPUT, &info->inputs,
                        &info->n_inputs, err));
  SLOE_TRY(list_tensors(net, net->graph.out, net->graph.n_out, SLOE_T_OUTPUT, &info->outputs,
                        &info->n_outputs, err));
  info->batch = batch_of(info);
  sum_costs(net);
  SLOE_TRY(find_peak(net, err));
  SLOE_TRY(find_unknown(net, err));
  info->name = net->name;
  return sloe_collect_features(net, err);
}

const sloe_net_info *sloe_net_get_info(const sloe_net *net) {
  return &net->info;
}
