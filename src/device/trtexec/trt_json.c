/* trt_json.c: the exported files. What a document is is told by its keys:
 *
 *   [{"startEnqMs": ...}, ...]            times, a record per inference
 *   [{"count": 1013}, {"name": ...}, ...] a profile
 *   {"Layers": [...], "Bindings": [...]}  layer info; the layers are names where it is not detailed
 *
 * Keys of times by version, which are the only way to tell one:
 *
 *   7.0       In and Out, no Enq
 *   7.1, 7.2  In, Out and Enq; start and end of In and of Enq have changed places
 *   8.0, 8.2  H2d and D2h, endToEndMs
 *   from 8.4  H2d and D2h
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/trtexec/loose_json.h"
#include "device/trtexec/trt_parts.h"

static const char *const OUT_OF_MEMORY = "out of memory, or over the limit, reading JSON";

/* ---- times ---- */

/* Six digits are exported: what the difference has beyond is of the arithmetic. */
static double between(const sloe_loose *o, const char *start, const char *end) {
  return nearbyint((sloe_loose_number(o, end) - sloe_loose_number(o, start)) * 1e6) / 1e6;
}

static sloe_trt_time time_of(const sloe_loose *o) {
  const int old = sloe_loose_get(o, "inMs") != NULL;
  const int swapped = old && sloe_loose_get(o, "startEnqMs") != NULL;
  return (sloe_trt_time){
      .start_ms = sloe_loose_number(o, "startComputeMs"),
      .compute_ms = sloe_loose_number(o, "computeMs"),
      .h2d_ms = sloe_loose_number(o, old ? "inMs" : "h2dMs"),
      .d2h_ms = sloe_loose_number(o, old ? "outMs" : "d2hMs"),
      .host_ms = sloe_loose_number(o, "latencyMs"),
      .enqueue_ms =
          swapped ? between(o, "startInMs", "endInMs") : between(o, "startEnqMs", "endEnqMs"),
  };
}

static void tell_times(const sloe_loose *o, sloe_trt_times *t) {
  const int old = sloe_loose_get(o, "inMs") != NULL, enq = sloe_loose_get(o, "startEnqMs") != NULL;
  const int to_end = sloe_loose_get(o, "endToEndMs") != NULL;
  t->swapped = old && enq;
  t->oldest = old && !enq ? 700 : old ? 701 : to_end ? 800 : 804;
  t->newest = old && !enq ? 700 : old ? 702 : to_end ? 803 : 0;
}

/* ---- profiles ---- */

static sloe_trt_layer_time layer_time_of(sloe_trt_reader *r, const sloe_loose *o) {
  const char *name = sloe_loose_text(o, "name");
  return (sloe_trt_layer_time){
      .name = sloe_trt_keep(r, (sloe_trt_span){name, name + strlen(name)}),
      .total_ms = sloe_loose_number(o, "timeMs"),
      .average_ms = sloe_loose_number(o, "averageMs"),
      .median_ms = sloe_loose_number(o, "medianMs"),
      .percent = sloe_loose_number(o, "percentage"),
  };
}

/* ---- documents that are arrays ---- */

typedef struct array {
  sloe_trt_times times;
  sloe_trt_time *records;
  sloe_trt_profile profile;
  sloe_trt_layer_time *layers;
  size_t cap_records, cap_layers;
  int counted; /* "count" stood there */
} array;

static void take_count(array *a, const sloe_loose *o) {
  const double count = sloe_loose_number(o, "count");
  if (count >= 0 && count < 1e15) a->profile.count = (int64_t)count;
  a->counted = 1;
}

static void take_element(sloe_trt_reader *r, array *a, const sloe_loose *o) {
  if (sloe_loose_get(o, "computeMs")) {
    if (!a->times.n) tell_times(o, &a->times);
    if (sloe_trt_room(r, &a->records, a->times.n, &a->cap_records, sizeof *a->records))
      a->records[a->times.n++] = time_of(o);
  } else if (sloe_loose_get(o, "name") && sloe_loose_get(o, "averageMs")) {
    if (sloe_trt_room(r, &a->layers, a->profile.n_layers, &a->cap_layers, sizeof *a->layers))
      a->layers[a->profile.n_layers++] = layer_time_of(r, o);
  } else if (sloe_loose_get(o, "count")) {
    take_count(a, o);
  }
}

/* One element at a time, so that a million records take the memory of one. */
static sloe_status read_array(sloe_trt_reader *r, sloe_loose_reader *in, array *a,
                              sloe_error *err) {
  *a = (array){.profile = {.count = -1, .total_average_ms = NAN, .total_median_ms = NAN}};
  for (in->p++;;) {
    sloe_arena scratch;
    sloe_loose value;
    sloe_loose_skip(in);
    in->cut |= in->p == in->end;
    if (in->cut || *in->p == ']') break;
    sloe_arena_init(&scratch, r->arena.limit);
    const sloe_status status = sloe_loose_read(in, &scratch, &value, err);
    if (status == SLOE_OK && !in->cut) take_element(r, a, &value);
    sloe_arena_fini(&scratch);
    if (status != SLOE_OK) return status;
    if (r->failed) return sloe_fail(err, SLOE_NOMEM, "%s", OUT_OF_MEMORY);
  }
  in->p += !in->cut;
  a->times.records = a->records;
  a->profile.layers = a->layers;
  for (size_t i = 0; i < a->profile.n_layers; i++) a->profile.sum_ms += a->layers[i].average_ms;
  a->profile.sum_ms = nearbyint(a->profile.sum_ms * 1e9) / 1e9;
  return SLOE_OK;
}

/* ---- layer info ---- */

static const char *keep(sloe_trt_reader *r, const char *s) {
  return sloe_trt_keep(r, (sloe_trt_span){s, s + strlen(s)});
}

static int64_t whole(double x, int64_t fallback) {
  return x >= -1e15 && x <= 1e15 ? (int64_t)x : fallback;
}

/* Up to `n` numbers of an array. */
static void take_numbers(const sloe_loose *o, const char *key, int64_t *to, size_t n) {
  const sloe_loose *list = sloe_loose_get(o, key);
  size_t i = 0;
  for (const sloe_loose *v = list ? list->child : NULL; v && i < n; v = v->next)
    to[i++] = whole(v->number, 0);
}

static sloe_shape shape_of(const sloe_loose *dims) {
  sloe_shape shape = {.rank = -1};
  if (!dims || dims->type != SLOE_LOOSE_ARRAY || dims->n > SLOE_MAX_RANK) return shape;
  shape.rank = 0;
  for (const sloe_loose *d = dims->child; d; d = d->next) {
    const int64_t dim = whole(d->number, SLOE_DIM_UNKNOWN);
    shape.dim[shape.rank++] = dim < 0 ? SLOE_DIM_UNKNOWN : dim;
  }
  return shape;
}

static const sloe_trt_tensor *tensors_of(sloe_trt_reader *r, const sloe_loose *list, size_t *n) {
  *n = 0;
  if (!list || !list->n) return NULL;
  sloe_trt_tensor *all = SLOE_ARENA_NEW(&r->arena, sloe_trt_tensor, list->n);
  r->failed |= !all;
  if (!all) return NULL;
  for (const sloe_loose *t = list->child; t; t = t->next)
    all[(*n)++] = (sloe_trt_tensor){.name = keep(r, sloe_loose_text(t, "Name")),
                                    .format = keep(r, sloe_loose_text(t, "Format/Datatype")),
                                    .shape = shape_of(sloe_loose_get(t, "Dimensions"))};
  return all;
}

/* "[ONNX Layer: a]\x1e[ONNX Layer: b]"; a name may hold brackets. */
static void take_metadata(sloe_trt_reader *r, const char *s, sloe_trt_layer *layer) {
  static const char word[] = "[ONNX Layer: ";
  const char **names = NULL;
  size_t cap = 0;
  while ((s = strstr(s, word)) != NULL) {
    s += strlen(word);
    const char *end = strchr(s, '\x1e');
    if (!end) end = s + strlen(s);
    const size_t len = (size_t)(end - s) - (end > s && end[-1] == ']');
    if (!sloe_trt_room(r, &names, layer->n_onnx, &cap, sizeof *names)) break;
    names[layer->n_onnx++] = sloe_trt_keep(r, (sloe_trt_span){s, s + len});
    s = end;
  }
  layer->onnx = names;
}

static void take_window(const sloe_loose *o, sloe_trt_layer *layer) {
  const int pool = sloe_loose_get(o, "WindowSize") != NULL;
  if (!pool && !sloe_loose_get(o, "Kernel")) return;
  take_numbers(o, pool ? "WindowSize" : "Kernel", layer->kernel, 2);
  take_numbers(o, "Stride", layer->stride, 2);
  take_numbers(o, "Dilation", layer->dilation, 2);
  take_numbers(o, "PrePadding", layer->pads, 2);
  take_numbers(o, "PostPadding", layer->pads + 2, 2);
}

static sloe_trt_layer layer_of(sloe_trt_reader *r, const sloe_loose *o) {
  sloe_trt_layer layer = {.stream = -1};
  const int named = o->type == SLOE_LOOSE_STRING;
  layer.name = keep(r, named ? o->text : sloe_loose_text(o, "Name"));
  layer.type = keep(r, sloe_loose_text(o, "LayerType"));
  layer.parameter = keep(r, sloe_loose_text(o, "ParameterType"));
  layer.origin = keep(r, sloe_loose_text(o, "Origin"));
  layer.activation = keep(r, sloe_loose_text(o, "Activation"));
  layer.tactic = keep(r, sloe_loose_text(o, "TacticName"));
  layer.in = tensors_of(r, sloe_loose_get(o, "Inputs"), &layer.n_in);
  layer.out = tensors_of(r, sloe_loose_get(o, "Outputs"), &layer.n_out);
  layer.filters = whole(sloe_loose_number(o, "OutMaps"), 0);
  layer.groups = whole(sloe_loose_number(o, "Groups"), 0);
  layer.stream = whole(sloe_loose_number(o, "StreamId"), -1);
  take_window(o, &layer);
  take_metadata(r, sloe_loose_text(o, "Metadata"), &layer);
  return layer;
}

static void take_bindings(sloe_trt_reader *r, const sloe_loose *list, sloe_trt_layers *info) {
  const char **names = list ? SLOE_ARENA_NEW(&r->arena, const char *, list->n + 1) : NULL;
  r->failed |= list && !names;
  if (!names) return;
  for (const sloe_loose *b = list->child; b; b = b->next)
    names[info->n_bindings++] =
        keep(r, b->type == SLOE_LOOSE_OBJECT ? sloe_loose_text(b, "Name") : b->text);
  info->bindings = names;
}

static sloe_trt_layers layers_of(sloe_trt_reader *r, const sloe_loose *document) {
  const sloe_loose *list = sloe_loose_get(document, "Layers");
  sloe_trt_layers info = {0};
  sloe_trt_layer *all = SLOE_ARENA_NEW(&r->arena, sloe_trt_layer, list->n + 1);
  r->failed |= !all;
  if (!all) return info;
  for (const sloe_loose *o = list->child; o; o = o->next) {
    all[info.n_layers++] = layer_of(r, o);
    info.detailed |= o->type == SLOE_LOOSE_OBJECT;
  }
  info.layers = all;
  take_bindings(r, sloe_loose_get(document, "Bindings"), &info);
  return info;
}

/* ---- files ---- */

typedef struct json_reader {
  sloe_trt_reader *r;
  sloe_loose_reader in;
  sloe_trt_times *times;
  sloe_trt_profile *profiles;
  sloe_trt_layers *layers;
  size_t cap_times, cap_profiles, cap_layers;
  const char *what; /* the first document that is none of ours */
} json_reader;

static sloe_status take_array(json_reader *j, sloe_error *err) {
  sloe_trt_file *f = &j->r->file;
  array a;
  SLOE_TRY(read_array(j->r, &j->in, &a, err));
  if (a.times.n && sloe_trt_room(j->r, &j->times, f->n_times, &j->cap_times, sizeof a.times))
    j->times[f->n_times++] = a.times;
  if (a.profile.n_layers &&
      sloe_trt_room(j->r, &j->profiles, f->n_profiles, &j->cap_profiles, sizeof a.profile))
    j->profiles[f->n_profiles++] = a.profile;
  if (!a.times.n && !a.profile.n_layers)
    j->what = a.counted ? "a profile without a layer" : "an array without times or layers";
  return SLOE_OK;
}

static sloe_status take_object(json_reader *j, sloe_error *err) {
  sloe_trt_file *f = &j->r->file;
  sloe_arena scratch;
  sloe_loose document;
  sloe_arena_init(&scratch, j->r->arena.limit);
  const sloe_status status = sloe_loose_read(&j->in, &scratch, &document, err);
  const sloe_loose *list = status == SLOE_OK ? sloe_loose_get(&document, "Layers") : NULL;
  if (list && list->n) {
    const sloe_trt_layers info = layers_of(j->r, &document);
    if (sloe_trt_room(j->r, &j->layers, f->n_layers, &j->cap_layers, sizeof info))
      j->layers[f->n_layers++] = info;
  } else if (status == SLOE_OK) {
    j->what = list ? "layer info without a layer"
              : sloe_loose_get(&document, "build_options")
                  ? "options of a build, without a run's results"
                  : "JSON that trtexec does not write";
  }
  sloe_arena_fini(&scratch);
  return status;
}

static sloe_status read_documents(json_reader *j, sloe_error *err) {
  for (;;) {
    sloe_loose_skip(&j->in);
    if (j->in.cut || j->in.p == j->in.end || j->r->failed) return SLOE_OK;
    if (*j->in.p != '[' && *j->in.p != '{')
      return sloe_fail_at(err, SLOE_FORMAT, (uint64_t)(j->in.p - j->in.start),
                          "no JSON at byte %llu", (unsigned long long)(j->in.p - j->in.start));
    SLOE_TRY(*j->in.p == '[' ? take_array(j, err) : take_object(j, err));
  }
}

sloe_status sloe_trt_read_json(sloe_trt_reader *r, sloe_trt_span bytes, sloe_error *err) {
  json_reader j = {.r = r, .in = {.start = bytes.p, .p = bytes.p, .end = bytes.end}};
  sloe_trt_file *f = &r->file;
  SLOE_TRY(read_documents(&j, err));
  if (r->failed) return sloe_fail(err, SLOE_NOMEM, "%s", OUT_OF_MEMORY);
  f->cut = j.in.cut;
  f->times = j.times;
  f->profiles = j.profiles;
  f->layers = j.layers;
  f->kind = f->n_times ? SLOE_TRT_TIMES : f->n_profiles ? SLOE_TRT_PROFILE : SLOE_TRT_LAYERS;
  if (f->n_times || f->n_profiles || f->n_layers) return SLOE_OK;
  return sloe_fail(err, SLOE_FORMAT, "%s",
                   j.what ? j.what : "JSON that is cut before its first record");
}
