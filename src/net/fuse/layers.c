/* layers.c: the pass (fuse.h): groups, rules from top to bottom, order, layers. */
#include <string.h>

#include "base/alloc.h"
#include "net/fuse/fuse.h"

enum { NEWEST_TENSORRT = 1003, NEWEST_CC = 120 };
static const size_t MEMORY_LIMIT = (size_t)1 << 30;

static const sloe_fuse_rule RULES[SLOE_RULE_COUNT] = {
#define RULE(id, group, runtimes, precisions, min_version, max_version, min_cc, on, doc) \
  {#id,         group,       doc,    runtimes, precisions,                               \
   min_version, max_version, min_cc, on,       sloe_fuse_rule_##id},
#include "net/fuse/rules.def"
#undef RULE
};

const sloe_fuse_rule *sloe_fuse_rules(size_t *n) {
  *n = SLOE_RULE_COUNT;
  return RULES;
}

int sloe_fuse_rule_find(const char *name) {
  for (int i = 0; i < SLOE_RULE_COUNT; i++)
    if (!strcmp(RULES[i].name, name)) return i;
  return -1;
}

int sloe_fuse_rule_applies(const sloe_fuse_rule *rule, const sloe_fusion *fusion) {
  if (!(rule->runtimes & 1u << fusion->runtime)) return 0;
  if (!(rule->precisions & 1u << fusion->precision)) return 0;
  if (fusion->compute_capability < rule->min_cc) return 0;
  if (fusion->runtime != SLOE_RUNTIME_TENSORRT) return 1;
  return fusion->version >= rule->min_version &&
         (rule->max_version == 0 || fusion->version <= rule->max_version);
}

static int is_on(size_t rule, const sloe_fusion *fusion, const sloe_fuse_switches *switches) {
  const int set = switches ? switches->set[rule] : 0;
  if (set < 0 || !sloe_fuse_rule_applies(&RULES[rule], fusion)) return 0;
  return set > 0 || RULES[rule].on;
}

static void apply_rule(sloe_fuse *f, const sloe_fuse_rule *rule, uint32_t *applied) {
  const sloe_net *net = f->net;
  for (size_t i = 0; i < net->n_order && !f->failed; i++) {
    const int32_t node = net->order[i];
    if (net->nodes[node].n_out < 1 || net->nodes[node].out[0] < 0) continue;
    if (sloe_fuse_group_of(f, node)->state == SLOE_FUSE_LIVE) *applied += rule->apply(f, node) != 0;
  }
}

static sloe_status run_pass(sloe_fuse *f, const sloe_fuse_switches *switches, sloe_layers *layers,
                            sloe_error *err) {
  int32_t *slots;
  size_t n;
  SLOE_TRY(sloe_fuse_init(f, err));
  for (size_t r = 0; r < SLOE_RULE_COUNT; r++)
    if (is_on(r, &f->fusion, switches)) apply_rule(f, &RULES[r], &layers->applied[r]);
  if (f->failed) return sloe_fail(err, SLOE_NOMEM, "no memory to fuse %zu ops", f->net->n_order);
  SLOE_TRY(sloe_fuse_schedule(f, &slots, &n, err));
  return sloe_fuse_emit(f, slots, n, layers, err);
}

static sloe_status fill_fusion(const sloe_fusion *given, sloe_fusion *fusion, sloe_error *err) {
  *fusion = given ? *given : (sloe_fusion){0};
  if ((unsigned)fusion->runtime >= SLOE_RUNTIME_COUNT ||
      (unsigned)fusion->precision >= SLOE_PRECISION_COUNT)
    return sloe_fail(err, SLOE_USAGE, "no such runtime %d or precision %d", (int)fusion->runtime,
                     (int)fusion->precision);
  if (fusion->version <= 0) fusion->version = NEWEST_TENSORRT;
  if (fusion->compute_capability <= 0) fusion->compute_capability = NEWEST_CC;
  return SLOE_OK;
}

sloe_status sloe_layers_new_switched(const sloe_net *net, const sloe_fusion *fusion,
                                     const sloe_fuse_switches *switches, sloe_layers **out,
                                     sloe_error *err) {
  sloe_arena scratch;
  sloe_status status;
  sloe_layers *layers = NULL;
  *out = NULL;
  sloe_arena_init(&scratch, MEMORY_LIMIT);
  layers = sloe_alloc(1, sizeof *layers);
  if (!layers) return sloe_fail(err, SLOE_NOMEM, "no memory for layers");
  *layers = (sloe_layers){.net = net};
  sloe_arena_init(&layers->arena, MEMORY_LIMIT);
  sloe_fuse f = {.net = net, .scratch = &scratch, .arena = &layers->arena};
  SLOE_GOTO(fill_fusion(fusion, &f.fusion, err));
  layers->fusion = f.fusion;
  SLOE_GOTO(run_pass(&f, switches, layers, err));
  *out = layers;
  layers = NULL;
fail:
  sloe_arena_fini(&scratch);
  sloe_layers_free(layers);
  return status;
}

sloe_status sloe_layers_new(const sloe_net *net, const sloe_fusion *fusion, sloe_layers **out,
                            sloe_error *err) {
  return sloe_layers_new_switched(net, fusion, NULL, out, err);
}

void sloe_layers_free(sloe_layers *layers) {
  if (!layers) return;
  sloe_arena_fini(&layers->arena);
  sloe_dealloc(layers);
}

size_t sloe_layers_count(const sloe_layers *layers) {
  return layers->n;
}

const sloe_layer *sloe_layers_at(const sloe_layers *layers, size_t i) {
  return i < layers->n ? &layers->layers[i] : NULL;
}

const int32_t *sloe_layers_nodes(const sloe_layers *layers, size_t i, size_t *n, int32_t *anchor) {
  const sloe_layer_ops none = {NULL, 0, -1}, *ops = i < layers->n ? &layers->ops[i] : &none;
  if (anchor) *anchor = ops->anchor;
  *n = ops->n;
  return ops->nodes;
}

const sloe_net *sloe_layers_net(const sloe_layers *layers) {
  return layers->net;
}
const sloe_fusion *sloe_layers_fusion(const sloe_layers *layers) {
  return &layers->fusion;
}
