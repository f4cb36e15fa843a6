/* import_trtexec.c: what trtexec printed and exported, as a measurement table: a record for each
 * run's network and one for each of its layers. Which files belong together says trtexec_bundle.h,
 * what a run is good for trtexec_judge.c, what a layer is in the net engine_map.h, each column
 * docs/import.md.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "campaign/engine_map.h"
#include "campaign/import.h"
#include "campaign/jetson_name.h"
#include "campaign/trtexec_row.h"

enum { LAYERS_MOST = 10000, WARNING = 600, FEW_ITERATIONS = 5 };

typedef struct work { /* of one bundle */
  const sloe_import_options *options;
  const sloe_trt_bundles *all;
  const sloe_trt_bundle *b;
  const char *source;
  char device[96];
  const char *version, *precision;
  int64_t batch;
  sloe_engine_layer
      *layers; /* of the profile, else of the layer info, else those the builder lists */
  const sloe_trt_layer_time *times; /* of the profile; NULL */
  size_t n_layers;
  sloe_net *net;
  int other_batch; /* the net has another than was run */
  int mapped;
  sloe_engine_map map;
  sloe_trt_row network;
} work;

static void warn(const work *k, const char *format, ...) SLOE_PRINTF(2, 3);
static void warn(const work *k, const char *format, ...) {
  const sloe_watch *watch = k->options->watch;
  char text[WARNING], line[WARNING + 256];
  va_list ap;
  if (!watch || !watch->warn) return;
  va_start(ap, format);
  vsnprintf(text, sizeof text, format, ap);
  va_end(ap);
  snprintf(line, sizeof line, "%.200s: %s", k->source, text);
  watch->warn(watch->context, line);
}

/* ---- identity ---- */

/* The run that saved the engine that this one loads knows what it is. */
static const sloe_trt_run *builder_of(const work *k) {
  const sloe_trt_run *run = k->b->run;
  for (size_t i = 0; run && *run->load_engine && i < k->all->n; i++) {
    const sloe_trt_run *other = k->all->of[i].run;
    if (other && other != run && !strcmp(other->save_engine, run->load_engine)) return other;
  }
  return NULL;
}

/* The lowest precision in which a convolution reads or writes. */
static const char *precision_of_layers(const sloe_trt_layers *info) {
  int fp32 = 0, fp16 = 0, int8 = 0;
  for (size_t i = 0; info && i < info->n_layers; i++) {
    const sloe_trt_layer *layer = &info->layers[i];
    const char *format = layer->n_out ? layer->out->format : "";
    if (!strstr(layer->type, "Convolution")) continue;
    fp32 |= strstr(format, "FP32") != NULL;
    fp16 |= strstr(format, "FP16") != NULL;
    int8 |= strstr(format, "Int8") != NULL;
  }
  return int8 ? "int8" : fp16 ? "fp16" : fp32 ? "fp32" : "";
}

static int64_t batch_of_layers(const sloe_trt_layers *info) {
  for (size_t i = 0; info && i < info->n_layers; i++) {
    const sloe_trt_layer *layer = &info->layers[i];
    if (layer->n_in && layer->in->shape.rank > 2 && layer->in->shape.dim[0] > 0)
      return layer->in->shape.dim[0];
  }
  return 0;
}

static void identify(work *k) {
  const sloe_trt_run *run = k->b->run, *builder = builder_of(k);
  if (run) {
    const sloe_gpu_told gpu = {run->device, run->compute_capability, run->sms, run->gpu_mhz,
                               run->memory_mib};
    (void)sloe_jetson_name(&gpu, k->device, sizeof k->device);
    k->version = run->version;
    k->precision = run->precision;
    k->batch = run->batch;
  }
  if (builder && !*k->precision) k->precision = builder->precision;
  if (!*k->precision) k->precision = precision_of_layers(k->b->layers);
  if (!k->batch) k->batch = batch_of_layers(k->b->layers);
}

static const char *net_of(const work *k) {
  const sloe_trt_run *run = k->b->run, *builder = builder_of(k);
  if (k->options->net) return k->options->net;
  const char *model = !run ? "" : *run->model ? run->model : builder ? builder->model : "";
  const size_t len = strlen(model);
  return len > 5 && strcmp(model + len - 5, ".onnx") == 0 ? model : "";
}

/* ---- layers ---- */

static sloe_status no_memory(sloe_error *err) {
  return sloe_fail(err, SLOE_NOMEM, "out of memory importing");
}

/* By place where there are as many, else by name. */
static const sloe_trt_layer *info_of(const sloe_trt_bundle *b, size_t i, const char *name) {
  const sloe_trt_layers *info = b->layers;
  if (!info) return NULL;
  if (info->n_layers == b->profile->n_layers && !strcmp(info->layers[i].name, name))
    return &info->layers[i];
  for (size_t k = 0; k < info->n_layers; k++)
    if (strcmp(info->layers[k].name, name) == 0) return &info->layers[k];
  return NULL;
}

static size_t count_layers(const work *k) {
  const sloe_trt_bundle *b = k->b;
  if (b->profile) return b->profile->n_layers;
  if (b->layers) return b->layers->n_layers;
  return b->run && k->options->net ? b->run->n_gpu_layers : 0;
}

static sloe_status list_layers(work *k, sloe_arena *arena, sloe_error *err) {
  const sloe_trt_bundle *b = k->b;
  k->n_layers = count_layers(k);
  k->layers = SLOE_ARENA_NEW(arena, sloe_engine_layer, k->n_layers + 1);
  if (!k->layers) return no_memory(err);
  k->times = b->profile ? b->profile->layers : NULL;
  for (size_t i = 0; i < k->n_layers; i++) {
    sloe_engine_layer *layer = &k->layers[i];
    layer->name = b->profile  ? b->profile->layers[i].name
                  : b->layers ? b->layers->layers[i].name
                              : b->run->gpu_layers[i];
    layer->info = b->profile  ? info_of(b, i, layer->name)
                  : b->layers ? &b->layers->layers[i]
                              : NULL;
    layer->ms = b->profile ? b->profile->layers[i].average_ms : NAN;
  }
  return SLOE_OK;
}

/* ---- the net ---- */

/* The version whose rules an engine without a log comes nearest to, by what its files hold. */
static int version_of(const work *k) {
  const sloe_trt_run *run = k->b->run;
  if (run && run->version_number) return run->version_number / 100;
  const sloe_trt_layers *info = k->b->layers;
  for (size_t i = 0; info && i < info->n_layers; i++)
    if (info->layers[i].n_onnx || info->layers[i].stream >= 0) return 1000;
  return k->times && k->n_layers && isnan(k->times->median_ms) ? 802 : 804;
}

static sloe_status open_at(work *k, const sloe_net_options *options, sloe_error *err) {
  sloe_net_free(k->net);
  k->net = NULL;
  const sloe_status status = sloe_net_open(k->options->net, options, &k->net, err);
  return status == SLOE_OK ? SLOE_OK : sloe_fail_in(err, status, "%s", k->options->net);
}

/* An ONNX file of another batch than was run: it may hold shapes that fit no other. */
static sloe_status open_at_batch(work *k, const sloe_net_options *own, sloe_error *err) {
  sloe_net_options options = *own;
  sloe_error why = {0};
  options.batch = k->batch;
  const sloe_status status = open_at(k, &options, &why);
  if (status == SLOE_NOMEM) return sloe_fail(err, status, "%s", why.msg);
  return status == SLOE_OK ? SLOE_OK : open_at(k, own, err);
}

/* At the run's batch where the user gives none. A net says its own where no file tells the run's.
 */
static sloe_status open_net(work *k, sloe_error *err) {
  sloe_net_options options = {0};
  if (k->options->net_options) options = *k->options->net_options;
  const int zoo = strncmp(k->options->net, "zoo:", 4) == 0;
  const int free_batch = !options.batch && !options.n_inputs && k->batch > 0;
  if (free_batch && zoo) options.batch = k->batch;
  SLOE_TRY(open_at(k, &options, err));
  if (free_batch && !zoo && sloe_net_get_info(k->net)->batch != k->batch)
    SLOE_TRY(open_at_batch(k, &options, err));
  const int64_t batch = sloe_net_get_info(k->net)->batch;
  k->other_batch = k->batch > 0 && batch != k->batch;
  if (k->other_batch)
    sloe_trt_say(&k->network.remarks, "ran with batch %lld, the net has %lld", (long long)k->batch,
                 (long long)batch);
  if (k->batch <= 0) {
    sloe_trt_say(&k->network.remarks, "the batch is the net's");
    k->batch = k->network.batch = batch;
  }
  return SLOE_OK;
}

/* Of the runs in one log that builds the same engine again and again once. */
static void say_map(const work *k) {
  const sloe_trt_bundle *b = k->b;
  const sloe_engine_map *map = &k->map;
  if (!b->profile && !b->layers && b > k->all->of && b[-1].run_path == b->run_path) return;
  warn(k, "%zu of %zu layers found in %s, %zu outside of it, %zu difference%s from our fusion",
       map->n_found, map->n_layers, k->options->net, map->n_outside, map->n_differences,
       map->n_differences == 1 ? "" : "s");
  for (size_t i = 0; i < map->n_differences; i++) warn(k, "%s", map->differences[i]);
}

static sloe_status map_layers(work *k, sloe_error *err) {
  const sloe_trt_run *run = k->b->run;
  sloe_fusion fusion = {.runtime = SLOE_RUNTIME_TENSORRT, .version = version_of(k)};
  if (!k->n_layers) return SLOE_OK;
  if (k->n_layers > LAYERS_MOST) {
    sloe_trt_say(&k->network.remarks, "more than %d layers: not looked for in the net",
                 LAYERS_MOST);
    return SLOE_OK;
  }
  const int known = sloe_precision_parse(k->precision, &fusion.precision, NULL) == SLOE_OK;
  if (run) fusion.compute_capability = run->compute_capability;
  SLOE_TRY(sloe_engine_map_init(k->net, &fusion, known, k->layers, k->n_layers, &k->map, err));
  k->mapped = 1;
  say_map(k);
  return SLOE_OK;
}

/* ---- records ---- */

static void begin_row(const work *k, sloe_trt_row *row) {
  sloe_trt_row_init(row);
  row->run = k->b->run;
  row->source = k->source;
  row->device = k->device;
  row->version = k->version;
  row->precision = k->precision;
  row->batch = k->batch;
}

/* Engine layers that no line of the profile stands for. */
static void count_left_out(const work *k, sloe_trt_row *row) {
  const sloe_trt_layers *info = k->b->layers;
  size_t missing = 0;
  if (!info || !k->b->profile || info->n_layers <= k->n_layers) return;
  for (size_t i = 0; i < info->n_layers; i++) {
    int found = 0;
    for (size_t n = 0; n < k->n_layers && !found; n++)
      found = k->layers[n].info == &info->layers[i];
    missing += !found;
  }
  if (missing)
    sloe_trt_say(&row->remarks, "%zu layers of the engine are not in the profile", missing);
}

static void say_row(const work *k, const sloe_trt_row *row) {
  const int refused = strcmp(row->quality, "ok") != 0;
  if (refused) warn(k, "%s: %s", row->quality, row->reason.data ? row->reason.data : "");
  if (row->remarks.data) warn(k, "%s", row->remarks.data);
}

static sloe_status write_network(work *k, sloe_csv_writer *w, sloe_error *err) {
  sloe_trt_row *row = &k->network;
  row->net = net_of(k);
  row->version = k->version;
  SLOE_TRY(sloe_trt_judge(k->b, row, err));
  count_left_out(k, row);
  if (row->reason.failed || row->remarks.failed) return no_memory(err);
  say_row(k, row);
  return sloe_trt_row_write(row, w, err);
}

static void refuse_layer(sloe_trt_row *row, const char *why) {
  row->quality = "skipped";
  sloe_trt_say(&row->reason, "%s", why);
}

static void take_match(const work *k, size_t i, sloe_trt_row *row, char spec[SLOE_SPEC_TEXT]) {
  const sloe_engine_match *match = &k->map.matches[i];
  const sloe_net *net = k->net;
  row->found = sloe_engine_found_text(match->found);
  row->ours = match->ours;
  for (size_t n = 0; n < match->n_nodes; n++) {
    if (n) sloe_text_add(&row->ops, " + ");
    sloe_text_add(&row->ops, net->nodes[match->nodes[n]].name);
  }
  if (match->role != SLOE_ENGINE_LAYER) return;
  if (match->n_nodes && match->found != SLOE_ENGINE_OWNER)
    row->kind = sloe_layer_kind_name(match->kind);
  if (match->has_spec && !k->other_batch) row->net = sloe_layer_spec_print(&match->spec, spec);
  row->difference = !match->found                         ? "not found in the net"
                    : match->found == SLOE_ENGINE_OUTSIDE ? "outside of the net"
                    : match->found == SLOE_ENGINE_OWNER   ? "part of another layer of the net"
                    : match->differs                      ? "our fusion has our_layer in its place"
                                                          : "";
}

static void judge_layer(const work *k, sloe_trt_row *row) {
  const sloe_trt_run *run = k->b->run;
  if (row->runs >= 0 && row->runs < FEW_ITERATIONS) {
    row->quality = "noisy";
    sloe_trt_say(&row->reason, "of fewer than %d iterations", FEW_ITERATIONS);
  }
  if (!isfinite(row->latency_ms))
    refuse_layer(row, "no profile: no time");
  else if (row->latency_ms <= 0)
    refuse_layer(row, "took no time");
  if (run && run->remarks & SLOE_TRT_DYNAMIC_AT_ONE)
    refuse_layer(row, sloe_trt_remark_text(SLOE_TRT_DYNAMIC_AT_ONE));
  if (strcmp(row->role, "layer"))
    refuse_layer(row, "no layer of the net");
  else if (!*row->net)
    refuse_layer(row, !k->mapped       ? "no net to find it in: --net"
                      : k->other_batch ? "ran with another batch than the net has"
                                       : "no layer of our fusion is the same");
}

static sloe_status write_layer(const work *k, size_t i, sloe_csv_writer *w, sloe_error *err) {
  char spec[SLOE_SPEC_TEXT];
  sloe_trt_row row;
  begin_row(k, &row);
  const sloe_trt_layer *info = k->layers[i].info;
  row.row = "layer";
  row.layer = k->layers[i].name;
  row.layer_index = (int64_t)i;
  row.info = info;
  row.layer_type = info ? info->type : "";
  row.tactic = info ? info->tactic : "";
  row.role = sloe_engine_role_text(
      k->mapped ? k->map.matches[i].role
                : sloe_engine_role_of(row.layer, row.layer_type, info ? info->origin : ""));
  if (k->times) {
    const sloe_trt_layer_time *t = &k->times[i];
    row.latency_ms = row.latency_mean_ms = t->average_ms;
    row.latency_median_ms = t->median_ms;
    row.total_ms = t->total_ms;
    row.share = t->percent / 100;
    row.runs = k->b->profile->count;
  }
  if (k->mapped) take_match(k, i, &row, spec);
  judge_layer(k, &row);
  const sloe_status status = sloe_trt_row_write(&row, w, err);
  sloe_trt_row_fini(&row);
  return status;
}

static const char *source_of(const sloe_trt_bundle *b) {
  return b->run_path       ? b->run_path
         : b->times_path   ? b->times_path
         : b->profile_path ? b->profile_path
                           : b->layers_path;
}

static sloe_status write_bundle(work *k, sloe_arena *arena, sloe_csv_writer *w, sloe_error *err) {
  identify(k);
  SLOE_TRY(list_layers(k, arena, err));
  begin_row(k, &k->network);
  if (k->options->net) {
    SLOE_TRY(open_net(k, err));
    SLOE_TRY(map_layers(k, err));
  }
  SLOE_TRY(write_network(k, w, err));
  for (size_t i = 0; i < k->n_layers; i++) SLOE_TRY(write_layer(k, i, w, err));
  return SLOE_OK;
}

static sloe_status write_one(const sloe_import_options *options, const sloe_trt_bundles *all,
                             size_t i, sloe_csv_writer *w, sloe_error *err) {
  work k = {.options = options, .all = all, .b = &all->of[i], .version = "", .precision = ""};
  sloe_arena arena;
  sloe_arena_init(&arena, SIZE_MAX / 2);
  k.source = source_of(k.b);
  sloe_trt_row_init(&k.network);
  const sloe_status status = write_bundle(&k, &arena, w, err);
  sloe_trt_row_fini(&k.network);
  if (k.mapped) sloe_engine_map_fini(&k.map);
  sloe_net_free(k.net);
  sloe_arena_fini(&arena);
  return status;
}

/* ---- files ---- */

/* A log in which trtexec printed nothing but its help. */
static sloe_status check_file(const char *path, const sloe_trt_file *file, sloe_error *err) {
  for (size_t i = 0; i < file->n_runs; i++)
    if (!(file->runs[i].remarks & SLOE_TRT_HELP)) return SLOE_OK;
  if (!file->n_runs) return SLOE_OK;
  return sloe_fail(err, SLOE_FORMAT, "%s: trtexec's help, and no run", path);
}

static sloe_status write_header(sloe_csv_writer *w, sloe_error *err) {
  return sloe_trt_row_write_header(w, err);
}

static sloe_status write_all(const sloe_import_options *options, sloe_csv_writer *w,
                             sloe_error *err) {
  sloe_trt_bundles all;
  SLOE_TRY(sloe_trt_bundles_read(options->files, options->n_files, &all, err));
  sloe_status status = SLOE_OK;
  for (size_t i = 0; i < all.n_files && status == SLOE_OK; i++)
    status = check_file(options->files[i], all.files[i], err);
  for (size_t i = 0; i < all.n && status == SLOE_OK; i++)
    status = write_one(options, &all, i, w, err);
  sloe_trt_bundles_fini(&all);
  return status;
}

const sloe_importer sloe_importer_trtexec = {"trtexec", write_header, NULL, write_all};
