/* fuse_check.h: what holds of the layers of any net: no work is lost or done twice, every op has at
 * most one place, layers run after what they read. */
#ifndef SLOE_TESTS_FUSE_CHECK_H
#define SLOE_TESTS_FUSE_CHECK_H

#include "base/map.h"
#include "net/fuse/fuse.h"
#include "unit/unit.h"

static const sloe_fusion SETTINGS[] = {
    {SLOE_RUNTIME_NONE, 0, SLOE_FP32, 0},         {SLOE_RUNTIME_ONEDNN, 0, SLOE_FP32, 0},
    {SLOE_RUNTIME_CUDNN, 0, SLOE_FP16, 0},        {SLOE_RUNTIME_TENSORRT, 701, SLOE_INT8, 72},
    {SLOE_RUNTIME_TENSORRT, 802, SLOE_FP32, 53},  {SLOE_RUNTIME_TENSORRT, 804, SLOE_FP16, 80},
    {SLOE_RUNTIME_TENSORRT, 1003, SLOE_FP16, 87}, {SLOE_RUNTIME_TENSORRT, 1003, SLOE_INT8, 87},
};
enum { N_SETTINGS = sizeof SETTINGS / sizeof *SETTINGS };

static inline int ends_with(const char *s, const char *end) {
  const size_t n = strlen(s), m = strlen(end);
  return n >= m && !strcmp(s + n - m, end);
}

static inline int is_copy_of_concat(const sloe_layer *l) {
  return l->kind == SLOE_LAYER_COPY && l->macs == 0 && ends_with(l->name, " copy");
}

static inline void check_sums(const sloe_net *net, const sloe_layers *layers, const char *path) {
  const sloe_net_info *info = sloe_net_get_info(net);
  uint64_t macs = 0, flops = layers->folded_flops, params = 0;
  size_t ops = layers->n_dropped;
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    const sloe_layer *l = sloe_layers_at(layers, i);
    macs = sloe_add_sat(macs, l->macs);
    flops = sloe_add_sat(flops, l->flops);
    params = sloe_add_sat(params, l->params);
    if (!is_copy_of_concat(l)) ops += l->n_ops;
    if (l->n_out == 0) fail_msg("%s: layer %s writes nothing", path, l->name);
  }
  if (macs != info->macs || flops != info->flops || ops != info->n_ops || params > info->params)
    fail_msg("%s, %s %d: macs %llu of %llu, flops %llu of %llu, ops %zu of %zu", path,
             sloe_runtime_name(layers->fusion.runtime), layers->fusion.version,
             (unsigned long long)macs, (unsigned long long)info->macs, (unsigned long long)flops,
             (unsigned long long)info->flops, ops, info->n_ops);
}

/* What makes `t` runs no later than layer `own`; through ops that are in no layer. */
static inline void check_made(const sloe_net *net, const sloe_map *at, sloe_tid t, int32_t own,
                              const char *reader, const char *path) {
  const int32_t p = t < 0 ? -1 : net->tensors[t].producer;
  if (p < 0 || net->nodes[p].flags & SLOE_N_CONST) return;
  const int32_t made = sloe_map_get(at, net->nodes[p].name);
  if (made > own)
    fail_msg("%s: %s runs before what it reads, %s", path, reader, net->nodes[p].name);
  for (size_t k = 0; made < 0 && k < net->nodes[p].n_in; k++)
    check_made(net, at, net->nodes[p].in[k], own, reader, path);
}

static inline void check_order(const sloe_net *net, const sloe_layers *layers, const char *path) {
  sloe_arena arena;
  sloe_map at = {0};
  sloe_arena_init(&arena, (size_t)1 << 28);
  for (size_t i = 0; i < sloe_layers_count(layers); i++) {
    const sloe_layer *l = sloe_layers_at(layers, i);
    if (is_copy_of_concat(l)) continue;
    for (size_t k = 0; k < l->n_ops; k++) {
      if (sloe_map_get(&at, l->ops[k]) >= 0) fail_msg("%s: op %s stands twice", path, l->ops[k]);
      assert_true(sloe_map_put(&at, &arena, l->ops[k], (int32_t)i));
    }
  }
  for (size_t i = 0; i < net->n_order; i++) {
    const sloe_node *n = &net->nodes[net->order[i]];
    const int32_t own = sloe_map_get(&at, n->name);
    for (size_t k = 0; own >= 0 && k < n->n_in; k++)
      check_made(net, &at, n->in[k], own, n->name, path);
  }
  sloe_arena_fini(&arena);
}

static inline int names_are_unique(const sloe_net *net) {
  sloe_arena arena;
  sloe_map seen = {0};
  int unique = 1;
  sloe_arena_init(&arena, (size_t)1 << 28);
  for (size_t i = 0; i < net->n_order && unique; i++) {
    unique = sloe_map_get(&seen, net->nodes[net->order[i]].name) < 0;
    assert_true(sloe_map_put(&seen, &arena, net->nodes[net->order[i]].name, 1));
  }
  sloe_arena_fini(&arena);
  return unique;
}

/* All of it, under every setting. */
static inline void check_fusion(const sloe_net *net, const char *path) {
  const int unique = names_are_unique(net);
  for (size_t s = 0; s < N_SETTINGS; s++) {
    sloe_layers *layers;
    sloe_error err;
    assert_ok(sloe_layers_new(net, &SETTINGS[s], &layers, &err), err);
    check_sums(net, layers, path);
    if (unique) check_order(net, layers, path);
    sloe_layers_free(layers);
  }
}

#endif
