/* trt_map.c: whose time a profile's layer is.
 *
 * The networks are written by us, so their nodes' names are known, and are looked for in the names
 * that TensorRT makes of them ("Conv_4 + Add_6 + Relu_7", "PWN(PWN(a), b)", "A || B",
 * "{ForeignNode[a...b]}"). From 8.6 layer info names the nodes of each layer where the name does
 * not ("__myl_..."). A change of layout belongs to the layer that it is made for, or is a layer of
 * its own where the fusion rules have it so. What TensorRT fused further than our rules is divided
 * by work.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/map.h"
#include "device/trtexec/trtexec.h"

enum { ARENA_LIMIT = 1 << 26 };

typedef struct mapping {
  const sloe_layers *layers;
  size_t n;
  sloe_arena arena;
  sloe_map by_node; /* name of a node -> layer */
  sloe_map by_name; /* name of a layer -> layer */
  size_t longest;   /* name of a node */
  uint8_t *hit;     /* [n] of the profile's layer at hand */
  size_t n_hits;
  double *ms;
} mapping;

static int is_view(const mapping *m, size_t i) {
  return sloe_layers_at(m->layers, i)->kind == SLOE_LAYER_VIEW;
}

/* ---- names ---- */

/* Of two that share a name the first one has it. */
static int put(mapping *m, sloe_map *map, const char *name, size_t layer) {
  if (!name || !*name || sloe_map_get(map, name) >= 0) return 1;
  return sloe_map_put(map, &m->arena, name, (int32_t)layer);
}

static int index_layer(mapping *m, size_t i) {
  const sloe_net *net = sloe_layers_net(m->layers);
  size_t n;
  const int32_t *nodes = sloe_layers_nodes(m->layers, i, &n, NULL);
  if (!put(m, &m->by_name, sloe_layers_at(m->layers, i)->name, i)) return 0;
  for (size_t k = 0; k < n; k++) {
    const char *name = net->nodes[nodes[k]].name;
    if (!put(m, &m->by_node, name, i)) return 0;
    if (name && strlen(name) > m->longest) m->longest = strlen(name);
  }
  return 1;
}

static sloe_status open_mapping(const sloe_layers *layers, double *ms, mapping *m,
                                sloe_error *err) {
  *m = (mapping){.layers = layers, .n = sloe_layers_count(layers), .ms = ms};
  sloe_arena_init(&m->arena, ARENA_LIMIT);
  m->hit = SLOE_ARENA_NEW(&m->arena, uint8_t, m->n + 1);
  int ok = m->hit != NULL;
  for (size_t i = 0; ok && i < m->n; i++) ok = index_layer(m, i);
  return ok ? SLOE_OK : sloe_fail(err, SLOE_NOMEM, "out of memory telling layers apart");
}

static void mark(mapping *m, int32_t layer) {
  if (layer < 0 || m->hit[layer] || is_view(m, (size_t)layer)) return;
  m->hit[layer] = 1;
  m->n_hits++;
}

/* ---- finding nodes in a name ---- */

static int ends_name(const char *s) {
  return !*s || strchr(" ,)]}:", *s) || !strncmp(s, "...", 3) || !strncmp(s, "_clone_", 7);
}

/* The longest node's name that begins at `s`; its length, 0: none. */
static size_t node_at(const mapping *m, const char *s, int32_t *layer) {
  char name[512];
  size_t left = strlen(s);
  if (left > m->longest) left = m->longest;
  if (left >= sizeof name) left = sizeof name - 1;
  memcpy(name, s, left);
  for (size_t len = left; len; len--) {
    name[len] = 0;
    if (!ends_name(s + len)) continue;
    *layer = sloe_map_get(&m->by_node, name);
    if (*layer >= 0) return len;
  }
  return 0;
}

/* All nodes that stand in it, and what lies between a and b of "a...b". */
static void mark_name(mapping *m, const char *name) {
  int32_t layer, last = -1;
  int is_range = 0;
  for (const char *s = name; *s;) {
    const int begins = s == name || strchr(" ,([{", s[-1]) || is_range;
    const size_t len = begins ? node_at(m, s, &layer) : 0;
    if (len) {
      for (int32_t i = last; is_range && last >= 0 && i < layer; i++) mark(m, i);
      mark(m, layer);
      last = layer;
      is_range = !strncmp(s + len, "...", 3);
      s += len + (is_range ? 3 : 0);
    } else {
      is_range = 0;
      s++;
    }
  }
}

static const sloe_trt_layer *find_info(const sloe_trt_layers *info, const char *name) {
  for (size_t i = 0; info && i < info->n_layers; i++)
    if (!strcmp(info->layers[i].name, name)) return &info->layers[i];
  return NULL;
}

static void mark_layer(mapping *m, const char *name, const sloe_trt_layers *info) {
  memset(m->hit, 0, m->n);
  m->n_hits = 0;
  mark(m, sloe_map_get(&m->by_name, name));
  if (m->n_hits) return;
  mark_name(m, name);
  const sloe_trt_layer *told = m->n_hits ? NULL : find_info(info, name);
  for (size_t k = 0; told && k < told->n_onnx; k++)
    mark(m, sloe_map_get(&m->by_node, told->onnx[k]));
}

/* ---- dividing ---- */

static double work_of(const sloe_layer *layer) {
  return (double)layer->macs + (double)layer->in_elements + (double)layer->out_elements + 1;
}

static void divide(mapping *m, double ms) {
  double sum = 0;
  for (size_t i = 0; i < m->n; i++)
    if (m->hit[i]) sum += work_of(sloe_layers_at(m->layers, i));
  for (size_t i = 0; i < m->n; i++)
    if (m->hit[i]) m->ms[i] += ms * work_of(sloe_layers_at(m->layers, i)) / sum;
}

sloe_status sloe_trtexec_map(const sloe_trt_profile *profile, const sloe_trt_layers *info,
                             const sloe_layers *layers, double *ms, double *lost, sloe_error *err) {
  mapping m;
  double gone = 0, sum = 0;
  *lost = NAN;
  for (size_t i = 0; i < sloe_layers_count(layers); i++) ms[i] = 0;
  const sloe_status status = open_mapping(layers, ms, &m, err);
  for (size_t i = 0; status == SLOE_OK && i < profile->n_layers; i++) {
    const sloe_trt_layer_time *l = &profile->layers[i];
    sum += l->average_ms;
    mark_layer(&m, l->name, info);
    if (m.n_hits)
      divide(&m, l->average_ms);
    else
      gone += l->average_ms;
  }
  if (status == SLOE_OK) *lost = sum > 0 ? gone / sum : 1;
  sloe_arena_fini(&m.arena);
  return status;
}

/* ---- a single layer ---- */

static int is_reformat(const char *name) {
  return !strncmp(name, "Reformatting CopyNode ", 22) || strstr(name, " input reformatter ") ||
         strstr(name, " output reformatter ");
}

double sloe_trtexec_core_share(const sloe_trt_profile *profile) {
  double core = 0, sum = 0;
  for (size_t i = 0; i < profile->n_layers; i++) {
    sum += profile->layers[i].average_ms;
    if (!is_reformat(profile->layers[i].name)) core += profile->layers[i].average_ms;
  }
  return core > 0 ? core / sum : 1; /* a change of layout is all that there is */
}
