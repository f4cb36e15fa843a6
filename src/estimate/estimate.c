/* An estimate from a data sheet: per layer the roofline's time, over the network the sum.
 *
 * What the figures mean where nothing was measured:
 *  - latency: `value` with typical shares of the peaks, `low` what the hardware cannot beat, `high`
 *    with the worst shares on record. Wide on purpose; docs/notes/datasheet.md counts how often
 *    recorded networks lie inside.
 *  - memory, of kind "device": what the runtime allocates for this network (weights, activations,
 *    scratch). Its libraries, CUDA and the system are on the card as memory_reserved_mb, and `fits`
 *    asks whether both together go into the board's RAM.
 *  - power, energy: unknown. A mode's cap is no measure of what a network draws.
 *  - in_domain is 0 throughout: there is no measured domain to be inside of.
 *
 * One arena holds all, sized by the layers at once, since an estimate should cost microseconds.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/number.h"
#include "estimate/estimate.h"
#include "estimate/estimate_parts.h"
#include "estimate/layer_work.h"

enum { ARENA_LIMIT = 1 << 28 };

const sloe_figure sloe_figure_unknown = {
    .value = NAN, .low = NAN, .high = NAN, .validated_mape = NAN};

/* Counts stay whole numbers where a double would pass 2^64. */
static uint64_t to_count(double value) {
  return value >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)value;
}

static size_t element_bytes(const sloe_estimate *e) {
  return sloe_precision_bytes(e->platform->card.precision);
}

/* ---- time ---- */

static sloe_roofline_time estimate_layer(sloe_estimate *e, const sloe_layer *layer,
                                         sloe_layer_estimate *out) {
  sloe_roofline_work work = sloe_layer_work(layer, element_bytes(e));
  sloe_roofline_time time = {0};
  *out = (sloe_layer_estimate){.layer = layer, .source = SLOE_SOURCE_DATASHEET};
  if (layer->kind == SLOE_LAYER_VIEW) return time; /* nothing is launched */
  time = sloe_roofline_eval(&e->platform->roofline, &work);
  out->latency_ms = time.value_s * 1e3;
  out->bytes = to_count(work.bytes);
  out->bound = time.bound;
  return time;
}

static void estimate_time(sloe_estimate *e) {
  double value = 0, low = 0, high = 0;
  size_t n = sloe_layers_count(e->net_layers);
  for (size_t i = 0; i < n; i++) {
    sloe_roofline_time time = estimate_layer(e, sloe_layers_at(e->net_layers, i), &e->layers[i]);
    value += time.value_s;
    low += time.low_s;
    high += time.high_s;
  }
  for (size_t i = 0; i < n; i++)
    e->layers[i].share = value > 0 ? e->layers[i].latency_ms / (value * 1e3) : 0;
  e->result.latency_ms = (sloe_figure){.value = value * 1e3,
                                       .low = low * 1e3,
                                       .high = high * 1e3,
                                       .source = SLOE_SOURCE_DATASHEET,
                                       .method = SLOE_METHOD_LAYERS,
                                       .validated_mape = e->platform->card.validated_mape};
  e->result.sum_of_layers_ms = value * 1e3;
}

/* ---- memory ---- */

/* Bytes of one activation as the file has it; images in bytes are widened before anything else. */
static double file_element_bytes(const sloe_net_info *info) {
  const char *dtype = info->n_inputs ? info->inputs[0].dtype : "";
  if (strcmp(dtype, "float16") == 0 || strcmp(dtype, "bfloat16") == 0) return 2;
  return strcmp(dtype, "float64") == 0 ? 8 : 4;
}

static double weights_bytes(const sloe_net *net, sloe_precision precision) {
  return (double)sloe_net_get_info(net)->params * (double)sloe_precision_bytes(precision);
}

/* Bytes of the activations that live at once. */
static double live_activations(const sloe_net *net, sloe_precision precision) {
  const sloe_net_info *info = sloe_net_get_info(net);
  return (double)info->peak_activation_bytes / file_element_bytes(info) *
         (double)sloe_precision_bytes(precision);
}

sloe_status sloe_estimate_own_mb(const sloe_layers *layers, sloe_precision precision, int buffers,
                                 double *out, sloe_error *err) {
  const sloe_net *net = sloe_layers_net(layers);
  double activations = live_activations(net, precision);
  if (buffers)
    SLOE_TRY(sloe_layers_buffer_bytes(layers, sloe_precision_bytes(precision), &activations, err));
  *out = (weights_bytes(net, precision) + activations) / 1e6;
  return SLOE_OK;
}

/* No schedule needs less than what the largest layer reads and writes. */
static double largest_layer(const sloe_estimate *e) {
  double most = 0;
  for (size_t i = 0; i < e->result.n_layers; i++) {
    const sloe_layer *layer = e->layers[i].layer;
    double elements = (double)layer->in_elements + (double)layer->out_elements;
    if (layer->kind != SLOE_LAYER_VIEW && elements > most) most = elements;
  }
  return most * (double)element_bytes(e);
}

static void estimate_memory(sloe_estimate *e) {
  const sloe_card *card = &e->platform->card;
  sloe_range workspace = e->platform->workspace_bytes;
  const sloe_net *net = sloe_layers_net(e->net_layers);
  double weights = weights_bytes(net, card->precision),
         peak = live_activations(net, card->precision);
  double low = largest_layer(e), value = weights + peak + workspace.typical;
  if (low > peak) low = peak; /* the same tensor read twice counts once in liveness */
  e->result.memory_mb = (sloe_figure){
      .value = value / 1e6,
      .low = (weights + low) / 1e6,
      .high = (2 * weights + 2 * peak + workspace.worst) / 1e6, /* weights kept twice, no reuse */
      .source = SLOE_SOURCE_DATASHEET,
      .method = SLOE_METHOD_LAYERS,
      .validated_mape = NAN,
  };
  e->result.memory_kind = "device";
  e->result.fits = e->result.memory_mb.value + card->memory_reserved_mb <= card->memory_mb;
}

/* ---- warnings ---- */

void sloe_estimate_warn(sloe_estimate *e, const char *text) {
  if (!text) e->out_of_memory = 1;
  if (text && e->result.n_warnings < SLOE_ESTIMATE_WARNINGS)
    e->warnings[e->result.n_warnings++] = text;
}

static void warn_of_batch(sloe_estimate *e) {
  const sloe_net_info *info = sloe_net_get_info(sloe_layers_net(e->net_layers));
  if (info->batch > 1)
    sloe_estimate_warn(
        e, sloe_arena_printf(&e->arena, "figures are of one inference of %lld inputs at once",
                             (long long)info->batch));
}

static void warn_of_layers(sloe_estimate *e) {
  size_t open = 0, unknown_ops = 0;
  double share = 0;
  for (size_t i = 0; i < e->result.n_layers; i++) {
    const sloe_layer_estimate *layer = &e->layers[i];
    open += layer->layer->data_dependent != 0;
    if (layer->layer->kind != SLOE_LAYER_UNKNOWN) continue;
    unknown_ops++;
    share += layer->share;
  }
  if (unknown_ops) {
    char percent[32];
    sloe_estimate_warn(
        e,
        sloe_arena_printf(&e->arena,
                          "%zu %s of operators not known: their time, %s %% of the sum, is that of "
                          "the bytes they move",
                          unknown_ops, unknown_ops == 1 ? "layer is" : "layers are",
                          sloe_format_fixed(share * 100, 1, percent, sizeof percent)));
  }
  if (open)
    sloe_estimate_warn(
        e,
        sloe_arena_printf(
            &e->arena, "%zu %s shapes that depend on data: only what is known of them is counted",
            open, open == 1 ? "layer has" : "layers have"));
}

static void warn_of_memory(sloe_estimate *e) {
  const sloe_card *card = &e->platform->card;
  const sloe_figure *memory = &e->result.memory_mb;
  double room = card->memory_mb - card->memory_reserved_mb;
  if (!(memory->high > room)) return;
  char need[32], have[32];
  sloe_estimate_warn(
      e, sloe_arena_printf(&e->arena, "%s: it needs about %s MB of the %s MB that are free",
                           memory->value > room ? "does not fit" : "may not fit",
                           sloe_format_fixed(memory->value > room ? memory->value : memory->high, 0,
                                             need, sizeof need),
                           sloe_format_fixed(room, 0, have, sizeof have)));
}

static void warn_of_fusion(sloe_estimate *e) {
  const sloe_fusion *is = sloe_layers_fusion(e->net_layers), *want = &e->platform->fusion;
  if (is->runtime == want->runtime && is->precision == want->precision) return;
  sloe_estimate_warn(
      e, sloe_arena_printf(&e->arena, "the layers are those of %s %s, the platform is %s %s",
                           sloe_runtime_name(is->runtime), sloe_precision_name(is->precision),
                           sloe_runtime_name(want->runtime), sloe_precision_name(want->precision)));
}

static void warn_of_fitting(sloe_estimate *e) {
  const sloe_card *card = &e->platform->card;
  sloe_estimate_warn(
      e, sloe_arena_printf(&e->arena,
                           "holds for %s%s%s, %s%s, %s; %s copies to and from the "
                           "device",
                           card->runtime, *card->runtime_version ? " " : "", card->runtime_version,
                           *card->mode ? "mode " : "the device's own mode", card->mode,
                           sloe_precision_name(card->precision),
                           card->transfers ? "the host's time with" : "device time without"));
}

static void warn_of_datasheet(sloe_estimate *e) {
  sloe_estimate_warn(
      e,
      "uncalibrated estimate from a data sheet, no layer was measured; device time without "
      "copies to and from it");
  if (e->platform->card.precision == SLOE_INT8)
    sloe_estimate_warn(
        e, "every layer is taken to run in INT8; those that a runtime leaves in FP16 take longer");
}

static void collect_warnings(sloe_estimate *e) {
  if (e->platform->fitted)
    warn_of_fitting(e);
  else
    warn_of_datasheet(e);
  warn_of_batch(e);
  warn_of_fusion(e);
  warn_of_layers(e);
  warn_of_memory(e);
  e->result.warnings = e->warnings;
}

/* ---- the estimate ---- */

static int has_layers(const sloe_platform *platform) {
  return !platform->fitted || sloe_fitted_has_layers(platform->fitted);
}

static int sums_layers(const sloe_platform *platform) {
  return sloe_networks_find(platform->networks, SLOE_NETWORKS_LATENCY, "layers") != NULL;
}

static sloe_status check_model(const sloe_platform *platform, const char *model, sloe_error *err) {
  if (!model) return SLOE_OK;
  for (int m = 0; m < SLOE_NETWORKS_METRICS; m++)
    if (sloe_networks_find(platform->networks, (sloe_networks_metric)m, model)) return SLOE_OK;
  return sloe_fail(err, SLOE_UNSUPPORTED, "platform '%s' has no model '%.40s' of whole networks",
                   platform->card.name, model);
}

static sloe_status check_method(const sloe_platform *platform, const sloe_estimate_options *how,
                                sloe_error *err) {
  switch (how->method) {
    case SLOE_METHOD_AUTO: return check_model(platform, how->model, err);
    case SLOE_METHOD_LAYERS:
      if (has_layers(platform) || sums_layers(platform)) return SLOE_OK;
      return sloe_fail(err, SLOE_UNSUPPORTED,
                       "platform '%s' has no model of layers: it was learned from whole networks",
                       platform->card.name);
    case SLOE_METHOD_NETWORK:
      if (sloe_networks_chosen(platform->networks, SLOE_NETWORKS_LATENCY, 1))
        return check_model(platform, how->model, err);
      return sloe_fail(err, SLOE_UNSUPPORTED,
                       "platform '%s' has no model of whole networks: it sums layers",
                       platform->card.name);
  }
  return sloe_fail(err, SLOE_USAGE, "method %d is not known", (int)how->method);
}

const sloe_pace *sloe_estimate_pace(const sloe_estimate *e) {
  return &e->pace;
}

static sloe_status fill(sloe_estimate *e, const sloe_estimate_options *how, sloe_error *err) {
  e->result.n_layers = sloe_layers_count(e->net_layers);
  e->layers = SLOE_ARENA_NEW(&e->arena, sloe_layer_estimate, e->result.n_layers);
  if (!e->layers) return sloe_fail(err, SLOE_NOMEM, "out of memory estimating");
  e->result.layers = e->layers;
  e->result.latency_p75_ms = e->result.latency_p97_5_ms = NAN;
  e->result.power_w = e->result.energy_mj = sloe_figure_unknown;
  e->result.power_rail = "";
  e->result.memory_mb = sloe_figure_unknown;
  if (!e->platform->fitted) {
    estimate_time(e);
    estimate_memory(e);
  } else if (has_layers(e->platform)) {
    sloe_estimate_fitted(e);
  } else {
    sloe_estimate_no_layers(e);
  }
  if (e->platform->networks) sloe_estimate_networks(e, how);
  collect_warnings(e);
  return e->out_of_memory ? sloe_fail(err, SLOE_NOMEM, "out of memory estimating") : SLOE_OK;
}

sloe_status sloe_estimate_new(const sloe_layers *layers, const sloe_platform *platform,
                              const sloe_estimate_options *options, sloe_estimate **out,
                              sloe_error *err) {
  static const sloe_estimate_options usual = {SLOE_METHOD_AUTO, NULL};
  const sloe_estimate_options *how = options ? options : &usual;
  *out = NULL;
  SLOE_TRY(check_method(platform, how, err));
  sloe_estimate *e = sloe_alloc(1, sizeof *e);
  if (!e) return sloe_fail(err, SLOE_NOMEM, "out of memory estimating");
  memset(e, 0, sizeof *e);
  sloe_arena_init(&e->arena, ARENA_LIMIT);
  e->net_layers = layers;
  e->platform = platform;
  sloe_status status = fill(e, how, err);
  if (status == SLOE_OK)
    *out = e;
  else
    sloe_estimate_free(e);
  return status;
}

void sloe_estimate_free(sloe_estimate *estimate) {
  if (!estimate) return;
  sloe_arena_fini(&estimate->arena);
  sloe_dealloc(estimate);
}

const sloe_result *sloe_estimate_get(const sloe_estimate *estimate) {
  return &estimate->result;
}

const sloe_layers *sloe_estimate_layers(const sloe_estimate *estimate) {
  return estimate->net_layers;
}

const sloe_platform *sloe_estimate_platform(const sloe_estimate *estimate) {
  return estimate->platform;
}

sloe_answer sloe_estimate_answer(const sloe_estimate *estimate) {
  return (sloe_answer){.card = sloe_platform_card(estimate->platform),
                       .layers = estimate->net_layers,
                       .result = &estimate->result};
}
