/* engine_align.c: the longest common subsequence, with weights. A pair that cannot be one layer
 * (another kind, kernel, number of output maps) weighs nothing and is never made; what agrees
 * beyond that weighs more, so that among many layers of a kind the right ones meet. */
#include <string.h>

#include "base/alloc.h"
#include "campaign/engine_align.h"
#include "campaign/engine_kinds.h"

static const size_t CELLS_MOST = (size_t)4 << 20;

enum {
  NEVER = 0,
  KIND_SURE = 10,
  KIND_GUESSED = 5,
  SAME_WINDOW = 6,
  SAME_MAPS = 6,
  SAME_PARTS = 3
};
enum { SHORTCUT_SAME = 1, SHORTCUT_OTHER = -2, ADD_SAME = 2, ADD_OTHER = -4 };

typedef struct side { /* what a layer shows, of either */
  size_t index;
  unsigned kinds;
  int told, copy, shortcut, adds;
  int64_t kernel[2], maps, groups;
  size_t parts;
} side;

int sloe_engine_is_silent(const sloe_net *net, int32_t node) {
  const sloe_node *x = &net->nodes[node];
  const sloe_op_role role = sloe_op_role_of(x->op);
  if (x->op == SLOE_OP_BATCH_NORM || role == SLOE_ROLE_VIEW || role == SLOE_ROLE_DROP) return 1;
  if (x->op == SLOE_OP_QUANTIZE_LINEAR || x->op == SLOE_OP_DEQUANTIZE_LINEAR) return 1;
  if (role != SLOE_ROLE_BINARY) return 0;
  for (size_t i = 0; i < x->n_in; i++) {
    const sloe_tensor *t = sloe_node_in(net, x, i);
    if (t && t->flags & SLOE_T_CONST) return 1;
  }
  return 0;
}

/* ---- what is shown ---- */

static side side_of_engine(const sloe_engine_layer *e, const sloe_engine_match *m, size_t index) {
  side s = {.index = index, .copy = m->role == SLOE_ENGINE_COPY};
  s.kinds = sloe_engine_kinds(e, &s.told);
  s.told |= s.kinds != (1u << SLOE_LAYER_KIND_COUNT) - 1;
  s.shortcut = sloe_engine_is_shortcut(e->name);
  s.parts = sloe_engine_ops(e->name, &s.adds);
  if (!e->info) return s;
  memcpy(s.kernel, e->info->kernel, sizeof s.kernel);
  s.maps = e->info->filters;
  s.groups = e->info->groups;
  return s;
}

/* A 1x1 convolution of a tensor that others read too, beside a longer way. */
static int is_shortcut(const sloe_net *net, int32_t anchor, const sloe_layer *layer) {
  if (anchor < 0 || layer->kind != SLOE_LAYER_CONV || layer->kernel[0] != 1) return 0;
  const sloe_node *conv = &net->nodes[anchor];
  size_t uses = 0;
  if (conv->n_in && conv->in[0] >= 0) (void)sloe_net_uses(net, conv->in[0], &uses);
  size_t behind = 0;
  const int32_t *use = sloe_net_uses(net, conv->out[0], &behind);
  for (int i = 0; i < 4 && behind == 1 && sloe_engine_is_silent(net, *use); i++)
    use = sloe_net_uses(net, net->nodes[*use].out[0], &behind);
  return uses > 1 && behind == 1 && net->nodes[*use].op == SLOE_OP_ADD;
}

static side side_of_ours(const sloe_layers *layers, size_t index) {
  const sloe_net *net = sloe_layers_net(layers);
  const sloe_layer *layer = sloe_layers_at(layers, index);
  size_t n;
  int32_t anchor;
  const int32_t *nodes = sloe_layers_nodes(layers, index, &n, &anchor);
  side s = {.index = index, .kinds = 1u << layer->kind, .maps = layer->filters};
  s.copy = !n;
  s.groups = layer->groups;
  s.shortcut = is_shortcut(net, anchor, layer);
  memcpy(s.kernel, layer->kernel, sizeof s.kernel);
  for (size_t i = 0; i < n; i++) {
    if (sloe_engine_is_silent(net, nodes[i])) continue;
    s.parts++;
    s.adds |= net->nodes[nodes[i]].op == SLOE_OP_ADD;
  }
  return s;
}

static int weight(const side *e, const side *o) {
  int w = e->told ? KIND_SURE : KIND_GUESSED;
  if (e->copy != o->copy || (!e->copy && !(e->kinds & o->kinds))) return NEVER;
  if (e->copy) return w;
  if (e->kernel[0] && o->kernel[0]) {
    if (e->kernel[0] != o->kernel[0] || e->kernel[1] != o->kernel[1]) return NEVER;
    w += SAME_WINDOW;
  }
  if (e->maps && o->maps) {
    if (e->maps != o->maps) return NEVER;
    w += SAME_MAPS;
  }
  if (e->groups && o->groups && e->groups != o->groups) return NEVER;
  w += e->shortcut == o->shortcut ? SHORTCUT_SAME : SHORTCUT_OTHER;
  if (e->adds) w += o->adds ? ADD_SAME : ADD_OTHER;
  return w + (e->parts == o->parts ? SAME_PARTS : 0);
}

/* ---- the table ---- */

typedef struct table {
  side *engine, *ours;
  size_t n, m;
  int32_t *best; /* [(n + 1) x (m + 1)]: of the layers from i and from j on */
} table;

static int32_t *cell(const table *t, size_t i, size_t j) {
  return &t->best[i * (t->m + 1) + j];
}

static int32_t largest(int32_t a, int32_t b) {
  return a > b ? a : b;
}

static void fill(const table *t) {
  for (size_t j = 0; j <= t->m; j++) *cell(t, t->n, j) = 0;
  for (size_t i = t->n; i-- > 0;) {
    *cell(t, i, t->m) = 0;
    for (size_t j = t->m; j-- > 0;) {
      const int w = weight(&t->engine[i], &t->ours[j]);
      int32_t best = largest(*cell(t, i + 1, j), *cell(t, i, j + 1));
      if (w > 0) best = largest(best, *cell(t, i + 1, j + 1) + w);
      *cell(t, i, j) = best;
    }
  }
}

static void follow(const table *t, int32_t *to) {
  for (size_t i = 0, j = 0; i < t->n && j < t->m;) {
    const int w = weight(&t->engine[i], &t->ours[j]);
    const int32_t here = *cell(t, i, j);
    if (w > 0 && here == *cell(t, i + 1, j + 1) + w)
      to[t->engine[i++].index] = (int32_t)t->ours[j++].index;
    else if (here == *cell(t, i + 1, j))
      i++;
    else
      j++;
  }
}

static void list_sides(const sloe_engine_layer *engine, const sloe_engine_match *matches,
                       const unsigned char *skip, size_t n, const sloe_layers *ours,
                       const unsigned char *taken, table *t) {
  for (size_t i = 0; i < n; i++)
    if (!skip[i]) t->engine[t->n++] = side_of_engine(&engine[i], &matches[i], i);
  for (size_t j = 0; j < sloe_layers_count(ours); j++)
    if (!taken[j] && sloe_layers_at(ours, j)->kind != SLOE_LAYER_REFORMAT)
      t->ours[t->m++] = side_of_ours(ours, j);
}

sloe_status sloe_engine_align(const sloe_engine_layer *engine, const sloe_engine_match *matches,
                              const unsigned char *skip, size_t n, const sloe_layers *ours,
                              const unsigned char *taken, int32_t *to, int64_t *score,
                              sloe_error *err) {
  const size_t m = sloe_layers_count(ours);
  table t = {0};
  *score = 0;
  for (size_t i = 0; i < n; i++) to[i] = -1;
  if ((n + 1) > CELLS_MOST / (m + 1)) return SLOE_OK;
  t.engine = sloe_alloc(n + 1, sizeof *t.engine);
  t.ours = sloe_alloc(m + 1, sizeof *t.ours);
  t.best = sloe_alloc((n + 1) * (m + 1), sizeof *t.best);
  const int ok = t.engine && t.ours && t.best;
  if (ok) {
    list_sides(engine, matches, skip, n, ours, taken, &t);
    fill(&t);
    follow(&t, to);
    *score = *cell(&t, 0, 0);
  }
  sloe_dealloc(t.engine);
  sloe_dealloc(t.ours);
  sloe_dealloc(t.best);
  return ok ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "out of memory comparing layers");
}
